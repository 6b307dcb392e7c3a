"""Children that wait at their fork until they are released.

With `detach-on-fork on` gdb lets a child go at once.  One that is to be kept gets a
SIGSTOP while gdb still holds it: when gdb lets go it stands in state T, and does so
until it gets SIGCONT.
"""

import os
import signal

import gdb

from vmsnap_gdb import newborn, target

_held = {}  # pid: (start time, number of the inferior that forked it)
_stood = set()  # those of them that were seen to stand
_watching = False


def hold(pid, inferior):
    """Whether it is held now.  Only for a child that gdb is about to detach."""
    _watch()
    start = target.start_time(pid) if target.is_local(pid) else None
    if start is None:
        return False
    os.kill(pid, signal.SIGSTOP)
    _stood.discard(pid)
    _held[pid] = (start, inferior.num)
    return True


def gdb_detaches():
    """Whether gdb will let the next child go, and stay with its parent.  A child that
    gdb keeps is held by gdb, and would show the SIGSTOP as a stop of its own."""
    return bool(gdb.parameter("detach-on-fork")) and gdb.parameter("follow-fork-mode") != "child"


def pids():
    """Those that still wait."""
    for pid in [pid for pid in _held if not _waits(pid)]:
        _forget(pid)
    return list(_held)


def release(chosen=None, even_debugged=False):
    """Lets them run (all that are held, if not told which); the pids of those.  One
    that somebody has attached to meanwhile is that debugger's to continue: it would
    see the SIGCONT as a signal to its program."""
    chosen = pids() if chosen is None else [pid for pid in chosen if pid in pids()]
    released = [pid for pid in chosen if (even_debugged or not debugged(pid)) and _continue(pid)]
    for pid in released:
        _forget(pid)
    return released


def debugged(pid):
    return newborn.state_and_tracer(pid)[1] != 0


def _waits(pid):
    """Whether it is that process, and nobody else has let it run."""
    if target.start_time(pid) != _held[pid][0]:
        return False
    state = newborn.state_and_tracer(pid)[0]
    if state == "T":
        _stood.add(pid)
    # When gdb lets it go it runs for a moment, until it takes its SIGSTOP.
    return state in ("t", "T") or pid not in _stood


def _forget(pid):
    del _held[pid]
    _stood.discard(pid)


def _continue(pid):
    """SIGCONT, if it is still the process that was held and not a later one of that
    number: the descriptor cannot come to mean another."""
    try:
        descriptor = os.pidfd_open(pid)  # Linux 5.3
    except OSError:
        return False
    try:
        if target.start_time(pid) != _held[pid][0]:
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGCONT)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _watch():
    global _watching
    if not _watching:
        gdb.events.exited.connect(_parent_gone)
        # Before gdb kills or detaches what it debugs (gdb 12).
        gdb.events.gdb_exiting.connect(lambda event: release(even_debugged=True))
        _watching = True


def _parent_gone(event):
    """Exited, killed or detached."""
    release([pid for pid, (_, number) in list(_held.items()) if number == event.inferior.num])
