"""How often each process was let run since gdb was asked to look: what was taken at one
count was taken at one stop."""

import collections

import gdb

_counts = collections.Counter()  # by pid; None: all of them
_watching = False


def watch():
    """Idempotent."""
    global _watching
    if not _watching:
        gdb.events.cont.connect(_resumed)
        gdb.events.exited.connect(_exited)
        _watching = True


def count(pid):
    return _counts[None] + _counts[pid]


def _resumed(event):
    # None in all-stop mode, where several inferiors may run on.
    thread = event.inferior_thread
    _counts[thread and thread.ptid[0]] += 1


def _exited(event):
    # Also at `detach`, after which it runs and nobody tells.
    _counts[getattr(event.inferior, "pid", 0)] += 1
