"""What is kept of a process from one hit of a breakpoint to the next, so that a snapshot takes less: vmsnap.Repeat."""

import collections

import gdb

from vmsnap import Repeat
from vmsnap_gdb import execs

_MAX_PROCESSES = 4  # of each up to eighty files are open

_kept = collections.OrderedDict()  # pid -> (generation, Repeat), the one used last at the end
_watching = False


def of(pid):
    """The Repeat of a process of this machine that gdb debugs."""
    global _watching
    if not _watching:
        execs.watch()
        gdb.events.exited.connect(_exited)
        _watching = True
    generation, found = _kept.get(pid, (None, None))
    if generation != execs.generation(pid):
        generation, found = execs.generation(pid), Repeat(pid)
    _kept[pid] = generation, found
    _kept.move_to_end(pid)
    while len(_kept) > _MAX_PROCESSES:
        _kept.popitem(last=False)
    return found


def _exited(event):
    # Also at `detach`.
    _kept.pop(getattr(event.inferior, "pid", 0), None)
