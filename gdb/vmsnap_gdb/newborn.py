"""The child of a fork that gdb has just been told of.

gdb has no inferior for it yet, and gives Python no number.  It exists, is stopped and
traced by gdb: that is what every way of finding it is checked against.
"""

import os
import re

from vmsnap import _lib
from vmsnap_gdb import quiet

_SHOWN = re.compile(r"fork, process (\d+)")


def child_of(pid, tid, catchpoint, known=()):
    """The process that thread tid of process pid has just made, or None.  catchpoint:
    the number of one that catches this fork; known: processes that it cannot be."""
    for candidate in _candidates(pid, tid, catchpoint):
        if candidate not in known and _is_newborn(candidate):
            return candidate
    return None


def _candidates(pid, tid, catchpoint):
    # Each way fails where the next may not: another thread than Python's that
    # traces; a kernel without CONFIG_PROC_CHILDREN, clone(CLONE_PARENT).
    message = _lib.event_message(tid)
    if message:
        yield message
    # The leader's file does not hold what another thread forked (Linux 6.18).
    yield from _children(pid, tid)
    found = _SHOWN.search(quiet.ask(f"info breakpoints {catchpoint}"))
    if found:
        yield int(found.group(1))


def _children(pid, tid):
    try:
        with open(f"/proc/{pid}/task/{tid}/children", encoding="ascii") as file:
            return [int(word) for word in reversed(file.read().split())]
    except OSError:
        return []


def _is_newborn(pid):
    """Whether this gdb traces it and it stands."""
    return state_and_tracer(pid) == ("t", os.getpid())


def state_and_tracer(pid):
    """Its letter, as in /proc/PID/status, and the process that debugs it (0: none);
    ("", 0) if there is no such process."""
    try:
        with open(f"/proc/{int(pid)}/status", "rb", buffering=0) as file:
            text = file.read(4096)  # these two stand near the top
    except OSError:
        return "", 0
    return _field(text, b"\nState:")[:1].decode("ascii", "replace"), int(_field(text, b"\nTracerPid:") or 0)


def _field(text, key):
    # A newline in the process's name, above, is escaped there.
    return text.partition(key)[2].partition(b"\n")[0].strip()
