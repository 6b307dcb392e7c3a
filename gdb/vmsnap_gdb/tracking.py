"""Write tracking of the programs that gdb debugs: `set vmsnap track`.

    of(inferior, pid)          the Tracked of a process that is to be tracked, made if need be; None: it is not
    written_at(entry, address) whether a page was written since an entry's snapshot; None: not known
    stop()                     everything is given back

A tracker knows what was written from one snapshot to the next.  Those that gdb keeps are its links, and so are the
looks of `vmsnap wrote`; whatever else is asked in between peeks, and leaves it as it is.

With userfaultfd gdb's thread has a thread of the program make two system calls, at an instruction of its vdso, and puts
its registers back (core/capture/inject.h).  That is not gdb's inferior call: nothing is written to the program's stack,
no breakpoint is set, and registers that gdb cannot write are left alone.  The kernel gives everything back when the
descriptor is closed, so also if gdb ends, however."""

import contextlib
import os

import gdb

from vmsnap import PageFlag, snapshot
from vmsnap.errors import CANCELLED, VmsnapError
from vmsnap.tracker import Tracker
from vmsnap_gdb import execs, remote, settings, target

_MOST_LINKS = 512
_METHODS = {"on": None, "soft-dirty": "soft-dirty", "uffd": "uffd"}

_tracked = {}  # by pid
_said = set()
_watching = False


class Tracked:
    """A process's tracker, as of one program that it executes."""

    def __init__(self, tracker, inferior, pid):
        self.tracker, self.number, self.pid = tracker, inferior.num, pid
        self.start_time, self.generation = target.start_time(pid), execs.generation(pid)
        self.links = []  # looks that are no kept snapshots, oldest first

    def is_of(self, pid):
        return self.start_time == target.start_time(pid) and self.generation == execs.generation(pid)

    def look(self):
        """What was written since the last link; a link itself."""
        found = self.tracker.look()
        self.links.append(found)
        del self.links[:-_MOST_LINKS]
        return found

    def trouble(self):
        """Why the last look did not tell what was written, for people; None if it did, or was the first."""
        if self.tracker.tracking == "disturbed":
            return "somebody else has cleared soft-dirty bits: what was written is not known"
        if self.tracker.tracking == "ran":
            return "other threads ran: soft-dirty bits were read and not cleared"
        return None


def method():
    """"on", "soft-dirty", "uffd"; None: off."""
    chosen = settings.track()
    return None if chosen == "off" else chosen


def check(chosen):
    """Whether this kernel can: an error if it cannot, tried out on gdb itself, to which nothing is done.  Of
    userfaultfd the program tells."""
    if chosen == "uffd":
        return
    try:
        Tracker(os.getpid(), "soft-dirty").close()
    except VmsnapError as error:
        raise VmsnapError(f"{error}: set vmsnap track uffd has the program make two system calls instead") from None


def of(inferior, pid):
    """Never an error: what cannot be tracked is said once, and tried again with the next snapshot."""
    if method() is None or inferior is None or target.pid(inferior) != pid:
        return None
    if not target.is_local(pid):
        _say(pid, "it runs under a remote target")
        return None
    try:
        return begin(inferior, pid)
    except VmsnapError as error:
        if error.code == CANCELLED:
            raise
        _say(pid, str(error))
        return None


def begin(inferior, pid, how=None):
    """The same, and what is wrong is an error.  how: if not as it is set."""
    _watch()
    found = _tracked.get(pid)
    if found is not None and (not found.is_of(pid) or found.tracker.tracking == "execed"):
        _close(pid)
        found = None
    if found is None:
        found = _tracked[pid] = Tracked(Tracker(pid, _METHODS[how or method()]), inferior, pid)
    return found


@contextlib.contextmanager
def meanwhile(inferior, pid, how):
    """Tracks a process until its end if it is not tracked anyway.  how None: does nothing."""
    lent = begin(inferior, pid, how) if how is not None and method() is None else None
    try:
        yield
    finally:
        if lent is not None and _tracked.get(pid) is lent:
            _close(pid)


def current(pid):
    """The Tracked of a process, if it is tracked now."""
    found = _tracked.get(pid)
    return found if found is not None and found.is_of(pid) else None


def _say(pid, text):
    from vmsnap_gdb.commands import base
    if (pid, text) not in _said:
        _said.add((pid, text))
        base.note(f"writes of process {pid} are not tracked: {text}")


# ---- what is known ----


def page_now(pid, address):
    """As vmsnap's: write-protected because we track it is not so."""
    if not target.is_local(pid):
        return remote.page_now(pid, address)
    page, known = snapshot.page_now(pid, address)
    if page is not None and current(pid) is not None:
        page = page._replace(flags=page.flags & ~PageFlag.UFFD_WP)
    return page, known


def links(entries, a, b):
    """Snapshots from between two of one process that tell what was written, for a Diff."""
    found = _tracked.get(b.pid)
    looks = found.links if found is not None else []
    first, last = a.info.monotonic, b.info.monotonic
    return [each for each in [*(entry.snapshot for entry in entries), *looks]
            if each.same_process(b) and each.info.known.written and first < each.info.monotonic < last]


def since(entry, entries):
    """Snapshots that tell together what was written since an entry's, the newest first; None if they do not."""
    found = current(entry.pid)
    if found is None or not entry.snapshot.info.monotonic:
        return None
    now = found.tracker.peek()
    return _chain(entry.snapshot, now, links(entries, entry.snapshot, now))


def _chain(a, b, between):
    chain, at = [b], b
    known = {each.info.monotonic: each for each in between}
    while at.info.known.written and at.info.written_since != a.info.monotonic:
        at = known.get(at.info.written_since)
        if at is None:
            return None
        chain.append(at)
    return chain if at.info.known.written else None


def written_within(entry, entries, start, end):
    """Whether any page of [start, end) was written since an entry's snapshot; None: not known."""
    chain = since(entry, entries)
    size, answer = entry.snapshot.page_size, False
    if chain is None:
        return None
    for page in range(start // size * size, end, size):
        found = [each.written_at(page) for each in chain]
        if True in found:
            return True
        answer = None if None in found else answer
    return answer


# ---- its end ----


def stop():
    for pid in list(_tracked):
        _close(pid)
    _said.clear()


def _close(pid):
    _tracked.pop(pid).tracker.close()


def _watch():
    global _watching
    if not _watching:
        execs.watch()
        gdb.events.exited.connect(_gone)
        gdb.events.gdb_exiting.connect(lambda event: stop())
        _watching = True


def _gone(event):
    """Exited, killed or detached."""
    for pid in [pid for pid, each in _tracked.items() if each.number == event.inferior.num]:
        _close(pid)
