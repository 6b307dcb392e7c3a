"""What a command of gdb's changed: a snapshot, the command, a snapshot, and what differs."""

import collections
import json

import gdb

from vmsnap.compare import Diff
from vmsnap.errors import VmsnapError
from vmsnap_gdb import blaming, changed_bytes, execs, keeping, settings, target, tracking, values, wrote_by
from vmsnap_gdb.session import remarks, session
from vmsnap_gdb.style import plain, unicode

# Commands that end by themselves at one place, where a breakpoint, say, comes in between.
_TO_ITS_END = ("finish", "next", "step", "nexti", "stepi", "until", "advance", "call", "print", "jump")

SCHEMA = "vmsnap.wrote/1"

# look: from which on it is tracked what is written; None: it is not.
Before = collections.namedtuple("Before", "snapshot pid start_time generation thread symtabs look", defaults=(None,))


class _Ends:
    """What ended the command, as gdb's events tell; the last one counts."""

    def __init__(self):
        self.event = None
        self.exited = None

    def __enter__(self):
        gdb.events.stop.connect(self._stopped)
        gdb.events.exited.connect(self._gone)
        return self

    def __exit__(self, *error):
        gdb.events.stop.disconnect(self._stopped)
        gdb.events.exited.disconnect(self._gone)

    def _stopped(self, event):
        self.event = event

    def _gone(self, event):
        self.exited = event


def _taken(**how):
    return session.capture_now(contents={**keeping.all_of_it(keeping.WROTE_LIMIT), **how}, label="wrote")


def _looked():
    """What was written since the last link, if the program is tracked; None: it is not, or that is not known."""
    inferior = gdb.selected_inferior()
    tracked = tracking.of(inferior, inferior.pid) or tracking.current(inferior.pid)
    return tracked and tracked.look()


def _taken_after(was, note):
    """(a snapshot, ranges that were written since was.look, None: all of it has been looked at)."""
    look = _looked() if was.look is not None else None
    written = look.written() if look is not None and look.info.written_since == was.look.info.monotonic else None
    if written is None:
        return _taken(), None
    ranges = changed_bytes.joined_few([(each.start, each.end) for each in written])
    now = _taken(left_out=changed_bytes.complement(ranges))
    # A page that was dropped, or put in another's place, was not written; its state is another one.
    others = [(each.start, each.end) for each in Diff(was.snapshot, now).ranges if set(each.changes) - {"written"}]
    return now, changed_bytes.joined(sorted(ranges + others))


def before():
    inferior = gdb.selected_inferior()
    pid = target.require_live(inferior)
    if settings.blame():
        blaming.begin(pid)
    look = _looked()
    snapshot = _taken()
    if snapshot.info.contents_left_out:
        raise VmsnapError(f"the program has {snapshot.info.contents_left_out >> 20} MiB of memory of its own, more than the "
                          f"{keeping.WROTE_LIMIT >> 20} MiB that 'vmsnap wrote' keeps")
    thread = gdb.selected_thread()
    return Before(snapshot, pid, snapshot.start_time, execs.generation(pid), thread and thread.ptid[1], values.symtabs(),
                  look)


def run(command, from_tty, note, track=None):
    """Values of what the command changed, None if that cannot be told, and then it is said why.  The
    second: the error that the command ended with, if it did.  track: how, for this command alone."""
    if command.rstrip().endswith("&"):
        raise VmsnapError("a command in the background ends before it has written anything: leave the & away")
    with tracking.meanwhile(gdb.selected_inferior(), target.require_live(), track):
        return _run(command, from_tty, note)


def _run(command, from_tty, note):
    was, failed = before(), None
    with _Ends() as ends:
        try:
            gdb.execute(command, from_tty)
        except gdb.error as error:
            failed = error
        except KeyboardInterrupt:
            failed = gdb.GdbError("interrupted")
    if failed is not None and ends.event is None and ends.exited is None:
        raise gdb.GdbError(str(failed))  # nothing was done
    _say_end(command, was, ends, note)
    return _after(was, note), failed


def since_last_stop(note):
    """Values of what changed since the newest snapshot of before this stop."""
    pid = target.require_live()
    entry = next((each for each in reversed(session.entries())
                  if each.pid == pid and not each.of_this_stop() and each.start_time == target.start_time(pid)), None)
    if entry is None or entry.snapshot.contents != "bytes":
        what = "there is no snapshot of before this stop" if entry is None else \
            f"{entry.name} does not keep what memory held"
        raise VmsnapError(f"{what}: say 'vmsnap wrote COMMAND', or 'vmsnap auto stop' before the program goes on")
    reason = f", {plain(entry.snapshot.reason)}" if entry.snapshot.reason else ""
    note(f"since {plain(entry.name)}{reason}")
    return _after(Before(entry.snapshot, pid, entry.start_time, entry.exec_generation, None, []), note)


def _after(was, note):
    if target.pid() != was.pid or target.start_time(was.pid) != was.start_time:
        if target.pid() is not None and target.start_time(was.pid) == was.start_time:
            note(f"gdb follows process {target.pid()} now: what process {was.pid} wrote is not looked at")
        elif target.pid() is not None:
            note(f"process {was.pid} is gone, and with it what it wrote")
        return None
    if execs.generation(was.pid) != was.generation:
        note(f"process {was.pid} has executed another program: nothing of its memory was kept")
        return None
    now, written = _taken_after(was, note)
    for remark in remarks((now,)):
        note(remark)
    if now.contents == "none" and written is None:
        note("the program has more memory of its own now than 'vmsnap wrote' keeps")
        return None
    found = values.between(was.snapshot, now, session.names_for(now), was.symtabs + values.symtabs(), written)
    if found is not None and settings.blame():
        found.by = wrote_by.WroteBy(was.pid, was.snapshot, now, bool(was.look), note)
    return found


def _say_end(command, was, ends, note):
    """What came in between, if something did."""
    word = command.split(None, 1)[0]
    if ends.exited is not None and target.pid() != was.pid:
        code = getattr(ends.exited, "exit_code", None)
        note(f"process {was.pid} has ended" + ("" if code is None else f" with exit code {code}")
             + ": there is no memory left to look at")
        return
    event = ends.event
    if isinstance(event, gdb.SignalEvent):
        note(f"'{word}' was ended by {event.stop_signal}")
    elif isinstance(event, gdb.BreakpointEvent) and _goes_to_an_end(word):
        shown = [each for each in event.breakpoints if each.is_valid() and each.number > 0]
        if shown:
            note(f"'{word}' was ended by breakpoint {shown[0].number}")
    thread = gdb.selected_thread()
    if thread is not None and was.thread is not None and thread.ptid[1] != was.thread and target.pid() == was.pid:
        note(f"another thread stopped: {thread.ptid[1]}, and not {was.thread}")


def _goes_to_an_end(word):
    return any(full.startswith(word) for full in _TO_ITS_END) and word not in ("c", "j")


def as_dictionary(found):
    changed, size = found.changed, found.sides.b.page_size
    return {"schema": SCHEMA, "values": found.json(), "pages_compared": changed.compared // size,
            "pages_changed": sum(end - start for start, end in changed.pages) // size,
            "pages_unknown": changed.unknown // size, "bytes_mapped": changed.new, "bytes_unmapped": changed.gone}


def as_json(found):
    return json.dumps(as_dictionary(found), indent=1) + "\n"


def as_text(found, given):
    lines = found.lines(bool(given["ascii"]) or not unicode())
    return "".join(f"{line}\n" for line in [*lines, found.summary(), *found.legend()])
