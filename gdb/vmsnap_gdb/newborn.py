"""The child of a fork that gdb has just been told of.

gdb has no inferior for it yet, and gives Python no number.  It exists, is stopped and
traced by gdb: that is what every way of finding it is checked against.
"""

import os
import re

from vmsnap import VmsnapError, children_now, process_now
from vmsnap_gdb import quiet, remote, tracing

_SHOWN = re.compile(r"fork, process (\d+)")


def child_of(pid, tid, catchpoint, known=()):
    """The process that thread tid of a process has just made, or None.  catchpoint: the number of one
    that catches this fork; known: processes that it cannot be."""
    if remote.knows(pid):
        return remote.newborn(pid, [*remote.children(pid, tid), *_shown(catchpoint)], known)
    for candidate in _candidates(tid, catchpoint):
        if candidate not in known and _is_newborn(candidate):
            return candidate
    return None


def _candidates(tid, catchpoint):
    # Each way fails where the next may not: another thread than Python's that
    # traces; a kernel without CONFIG_PROC_CHILDREN, clone(CLONE_PARENT).
    message = tracing.event_message(tid)
    if message:
        yield message
    # The leader's file does not hold what another thread forked (Linux 6.18).
    yield from _children(tid)
    yield from _shown(catchpoint)


def _shown(catchpoint):
    found = _SHOWN.search(quiet.ask(f"info breakpoints {catchpoint}"))
    if found:
        yield int(found.group(1))


def _children(tid):
    try:
        return reversed(children_now(tid))
    except VmsnapError:
        return ()


def _is_newborn(pid):
    """Whether this gdb traces it and it stands."""
    return state_and_tracer(pid) == ("t", os.getpid())


def state_and_tracer(pid):
    """Its letter, as in /proc/PID/stat, and the process that debugs it (0: none);
    ("", 0) if there is no such process."""
    found = process_now(pid)
    return ("", 0) if found is None else (found.state, found.tracer)
