"""What gdb's reading of the program leaves behind, and how it is given back.

A page that gdb has read several times, itself or because we looked for variables, is held for a while by a list
of the kernel's.  Meanwhile the second of two that write to it after a fork copies it too, as if a third
process had it: copied_by_both.  So before the program goes on vmsnap has the kernel empty these lists:
of this processor after each look of ours and after a stop, where people may have looked, which takes some
microseconds; of all of them at a fork, and after stops from then on, which takes a tenth of a millisecond.

    watch()          from now on
    after_ours()     variables were looked for
    at_fork()        both sides were looked at
"""

import gdb

from vmsnap import put_back

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
