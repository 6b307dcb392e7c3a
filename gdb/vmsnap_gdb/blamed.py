"""What page faults tell (blaming.py): of one page, line by line; of all that changed, as the library's table."""

import json
import os

import gdb

from vmsnap import FaultEventKind, FaultFlag, FaultKind, FaultsFlag, PageFlag
from vmsnap.blame import Blame
from vmsnap.errors import VmsnapError
from vmsnap_gdb import address, blaming, comparing, execs, protected, settings, target, tracking
from vmsnap_gdb import style as styles
from vmsnap_gdb.session import session
from vmsnap_gdb.style import plain

SCHEMA = "vmsnap.blame_page/1"
_HUGE = 1 << 21
# What a fault that may be a write is called in JSON, and whether a copy was made: protected.py tells it of the others.
_WRITES = {FaultKind.WRITE_NEW: ("write_new", False), FaultKind.WRITE: ("write", None), FaultKind.UNKNOWN: ("unknown", None)}
_WORDS = {"write_new": "first touch", "write": "write", "unknown": "read or write", "write_armed": "write, armed",
          "write_kept": "write, no copy"}


def text(given, expression, note):
    pid = _watched_pid()
    if expression and given["by"]:
        raise VmsnapError("--by is for the table of all pages: without EXPRESSION")
    where = address.of_expression(expression) if expression else None
    before, when, since = _before(pid)
    seen = blaming.since(pid, when)
    say_gaps(seen, when, since, note)
    if expression:
        return _page(given, pid, _rows(pid, where, before, seen, when), seen, since)
    _require_before(before)
    return _table(given, pid, before, seen, since, note)


def _watched_pid():
    target.require_local("page faults are watched")
    pid = target.require_live()
    if not settings.blame():
        raise VmsnapError("no page faults are watched: say 'set vmsnap blame on' before the program goes on")
    return pid


def _require_before(before):
    if before is None:
        raise VmsnapError("there is no stop and no snapshot of before this one to compare with: 'vmsnap blame EXPRESSION' "
                          "tells of one page")


def _before(pid):
    """(snapshot or None, its time, what it is called): of before this stop, and of the program that runs."""
    started, generation = target.start_time(pid), execs.generation(pid)
    entry = next((each for each in reversed(session.entries())
                  if (each.pid, each.start_time) == (pid, started) and each.origin != "load"
                  and each.exec_generation == generation and not each.of_this_stop()), None)
    if entry is not None and entry.snapshot.info.monotonic:
        return entry.snapshot, entry.snapshot.info.monotonic, plain(entry.name)
    base = blaming.base_of(pid)
    if base is not None:
        return base, base.info.monotonic, "the stop before"
    return None, 0, "it was watched"


def say_gaps(seen, when, since, note):
    faults = seen.taken.faults
    if when and seen.begin > when:
        note(f"not all faults since {since} are known: those of the beginning were not watched, or are forgotten")
    if faults.lost != 0:
        note(f"{'some' if faults.lost is None else faults.lost} page faults were lost: the kernel's buffers were full")


# ---- all that changed ----


def of_all(note):
    """A Blame of all that changed."""
    pid = _watched_pid()
    before, when, since = _before(pid)
    seen = blaming.since(pid, when)
    say_gaps(seen, when, since, note)
    _require_before(before)
    now = session.capture_now()
    return Blame([before], [now], seen.taken.named([before, now], session.names_for(now), _Events(seen)), _Events(seen))


def of_page(expression, note):
    """[what a fault was that wrote to the page of an expression, as in JSON], the latest first."""
    pid = _watched_pid()
    where = address.of_expression(expression)
    before, when, since = _before(pid)
    seen = blaming.since(pid, when)
    say_gaps(seen, when, since, note)
    return _rows(pid, where, before, seen, when)[2]


def _table(given, pid, before, seen, since, note):
    now = session.capture_now()
    names = comparing.names_of(given, now, (), note)
    taken = seen.taken
    if names is not None:
        taken = taken.named([before, now], names, _Events(seen))
    own = sum(bool(fault.flags & FaultFlag.CALL) for fault in taken.faults
              if fault.pid == pid and fault.time > before.info.monotonic)
    if own:
        note(f"{own} of the page faults are of functions that gdb called")
    note(f"since {since}")
    return Blame([before], [now], taken, _Events(seen)).text(given["by"] or "function", styles.style(given), names,
                                                             bool(given["long"]))


class _Events:
    def __init__(self, seen):
        self.events = seen.watch.events


# ---- one page ----


def _rows(pid, where, before, seen, when):
    """(the page's first byte, its size, a row for each fault that wrote to it)"""
    page, known = tracking.page_now(pid, where)
    unit = _HUGE if page is not None and page.flags & PageFlag.HUGE else os.sysconf("SC_PAGE_SIZE")
    start = where // unit * unit
    faults = _of_page(seen, pid, start, start + unit, when)
    alone = sum(map(protected.is_protected, faults)) == 1
    told = protected.Protected(seen, pid, before, when, tracking.current(pid) is not None).told(where, page, known, alone)
    return start, unit, [row_of(fault, seen.taken.faults, told) for fault in faults]


def _page(given, pid, told, seen, since):
    start, unit, rows = told
    if given["json"]:
        return json.dumps({"schema": SCHEMA, "pid": pid, "page": f"{start:#x}", "size": unit, "since": since,
                           "lost": seen.taken.faults.lost, "faults": rows}, indent=1) + "\n"
    if not rows:
        return f"page {start:x}: no fault that wrote to it was seen since {since}\n" + _why_none(seen)
    lines = [f"page {start:x}, since {since}: {len(rows)} fault{'' if len(rows) == 1 else 's'} that wrote to it, the "
             "latest first"]
    width = max(len(_words(row)) for row in rows)
    lines += [f"  {_words(row).ljust(width)}  {row['address'][2:]}  {_place(row)}" for row in rows]
    lines.append("what was written later to a page that was the program's own by then made no fault, and is not known")
    return "".join(f"{line}\n" for line in lines)


def _of_page(seen, pid, start, end, when):
    """The latest first; of the program that it executes now."""
    events, count = seen.watch.events
    executed = max((events[which].time for which in range(count)
                    if events[which].pid == pid and events[which].kind == FaultEventKind.EXEC), default=0)
    after = max(when, executed)
    return [fault for fault in reversed(list(seen.taken.faults))
            if fault.pid == pid and start <= fault.address < end and fault.time > after
            and (fault.kind in _WRITES or protected.is_protected(fault))]


def _why_none(seen):
    found = ["  a page that is the program's own already is written to without one"]
    if settings.track() == "off":
        found[0] += ", unless 'set vmsnap track' protects it"
    if not seen.taken.faults.flags & FaultsFlag.KERNEL:
        found.append("  faults inside system calls are not told to this user")
    return "".join(f"{line}\n" for line in found)


def row_of(fault, faults, told):
    """told: of a page that was there, as Protected.told() does."""
    frames = [_code(at) for at in fault.stack or (fault.ip,)]
    kind, copied = told if protected.is_protected(fault) else _WRITES[fault.kind]
    return {"time": fault.time, "tid": fault.tid, "address": f"{fault.address:#x}", "kind": kind, "copied": copied,
            "syscall": _syscall(fault.syscall, faults), "by_gdb": bool(fault.flags & FaultFlag.CALL), "frames": frames}


def _syscall(number, faults):
    """"read", "?" if it is not known; None: in none."""
    return None if number is None else faults.syscall(number) or "?"


def _code(at):
    """What gdb knows of an instruction."""
    line = gdb.find_pc_line(at)
    return {"address": f"{at:#x}", "function": _function(at), "line": line.line or None,
            "file": line.symtab.filename if line.symtab is not None else None}


def _function(at):
    try:
        block = gdb.block_for_pc(at)
    except RuntimeError:
        block = None
    while block is not None and block.function is None:
        block = block.superblock
    if block is not None:
        return block.function.print_name
    said = gdb.execute(f"info symbol {at:#x}", to_string=True)
    return said.split(" ", 1)[0] if " in section " in said else None


def _words(row):
    return _WORDS.get(row["kind"]) or ("copy" if row["copied"] else "copy?")


def _place(row):
    text = f"{code_text(row)}, thread {row['tid']}"
    return text + (", in a call by gdb" if row["by_gdb"] else "")


def code_text(row):
    """"bump (t.c:12)", "(inside read(2)) read called by fill (t.c:30)"."""
    frames = row["frames"]
    text = _frame(frames[0])
    # Of a library's function without lines, who called it.
    caller = next((frame for frame in frames[1:] if frame["line"]), None)
    if not frames[0]["line"] and caller is not None:
        text += f" called by {_frame(caller)}"
    return text if row["syscall"] is None else f"(inside {row['syscall']}(2)) {text}"


def _frame(frame):
    text = plain(frame["function"] or frame["address"])
    return f"{text} ({plain(os.path.basename(frame['file']))}:{frame['line']})" if frame["line"] else text
