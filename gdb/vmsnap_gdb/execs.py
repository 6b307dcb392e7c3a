"""How often each process has executed another program since gdb was asked to look.

An exec keeps pid and start time, so nothing else tells the memory before it from the
memory after it, if the program is the same.
"""

import gdb

_generations = {}
_watching = False


def watch():
    """Idempotent."""
    global _watching
    if not _watching:
        gdb.events.clear_objfiles.connect(_cleared)
        _watching = True


def generation(pid):
    return _generations.get(pid, 0)


def _cleared(event):
    for inferior in gdb.inferiors():
        if inferior.pid > 0 and inferior.progspace == event.progspace and _runs(inferior):
            _generations[inferior.pid] = generation(inferior.pid) + 1


def _runs(inferior):
    """gdb 13 and 16 forget the symbols at an exec while they think of the process as
    running; for `file` and `nosharedlibrary` it has to stand."""
    return any(thread.is_valid() and not thread.is_stopped() for thread in inferior.threads())
