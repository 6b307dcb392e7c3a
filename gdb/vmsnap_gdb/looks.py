"""What gdb's reading of the program leaves behind, and how it is given back.

A page that gdb has read several times, itself or because we looked for variables, is held for a while by a list
of the kernel's.  Meanwhile the second of two that write to it after a fork copies it too, as if a third
process had it: copied_by_both.  So before the program goes on vmsnap has the kernel empty these lists:
of this processor after each look of ours and after a stop, where people may have looked, which takes some
microseconds; of all of them at a fork, and after stops from then on, which takes a tenth of a millisecond.

    watch()          from now on
    after_ours()     variables were looked for
    at_fork()        both sides were looked at
    pages_read(…)    which pages were read for a snapshot's names
"""

import gdb

from vmsnap import AnnotationKind, put_back
from vmsnap_gdb.code_pages import PAGE

_VARIABLES = (AnnotationKind.LOCAL, AnnotationKind.ARGUMENT, AnnotationKind.THREAD_LOCAL)
_MAX_STACK = 1 << 20  # of a thread, from its innermost frame on

_watching = False
_stopped = False  # where people may look, since it was last let run
_forked = False   # somebody shares pages, as far as we know


def watch():
    """Idempotent."""
    global _watching
    if not _watching:
        gdb.events.stop.connect(_at_stop)
        gdb.events.cont.connect(_resumed)
        _watching = True


def _at_stop(event):
    global _stopped
    _stopped = True


def _resumed(event):
    global _stopped
    try:
        if _stopped:
            put_back(everywhere=_forked)
        _stopped = False
    except Exception:  # gdb would print a traceback
        pass


def after_ours():
    put_back()


def at_fork():
    global _forked
    _forked = True
    put_back(everywhere=True)


def _read(snapshot):
    """[(start, end)], sorted: of each thread whose frames were looked at, its stack from the innermost on to
    the outermost variable that was found, and the pages of thread-locals."""
    lowest = {thread.tid: thread.stack_pointer for thread in snapshot.threads if thread.stack_pointer}
    found, highest = [], {}
    for name in snapshot.annotations():
        if name.kind == AnnotationKind.THREAD_LOCAL:
            found.append((name.address, name.address + name.size))
        elif name.kind in _VARIABLES:
            highest[name.tid] = max(highest.get(name.tid, 0), name.address + name.size)
    for tid, end in highest.items():
        start = lowest.get(tid, end)
        found.append((start, end) if start < end <= start + _MAX_STACK else (end - 1, end))
    return sorted((start // PAGE * PAGE, -(-end // PAGE) * PAGE) for start, end in found)


def pages_read(snapshot, ranges):
    """The pages of the ranges that were read for the snapshot's names, by address."""
    known = {page for start, end in _read(snapshot) for page in range(start, end, PAGE)}
    return [page for each in ranges for page in range(each.start, each.end, PAGE) if page in known]
