"""The child of a fork that gdb has just been told of.

gdb has no inferior for it yet, and gives Python no number.  It exists, is stopped and
traced by gdb: that is what every way of finding it is checked against.
"""

import ctypes
import os
import re

from vmsnap import VmsnapError, children_now, process_now
from vmsnap_gdb import quiet

_SHOWN = re.compile(r"fork, process (\d+)")


def child_of(tid, catchpoint, known=()):
    """The process that thread tid has just made, or None.  catchpoint: the number of one
    that catches this fork; known: processes that it cannot be."""
    for candidate in _candidates(tid, catchpoint):
        if candidate not in known and _is_newborn(candidate):
            return candidate
    return None


def _candidates(tid, catchpoint):
    # Each way fails where the next may not: another thread than Python's that
    # traces; a kernel without CONFIG_PROC_CHILDREN, clone(CLONE_PARENT).
    message = _event_message(tid)
    if message:
        yield message
    # The leader's file does not hold what another thread forked (Linux 6.18).
    yield from _children(tid)
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


_PTRACE_GETEVENTMSG = 0x4201
_ptrace = None


def _event_message(tid):
    """What the kernel tells a debugger about the event at which its thread tid stands:
    at a fork the child's pid.  None if it is not ours, or runs.  gdb traces with the
    thread that runs Python, and ptrace obeys no other."""
    global _ptrace
    if _ptrace is None:
        _ptrace = ctypes.CDLL(None)["ptrace"]
        _ptrace.restype = ctypes.c_long
        _ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    message = ctypes.c_ulong(0)
    return message.value if _ptrace(_PTRACE_GETEVENTMSG, tid, None, ctypes.byref(message)) == 0 else None
