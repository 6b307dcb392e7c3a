"""Breakpoints and catchpoints of vmsnap's that nobody notices: gdb counts their hits and goes on.

They have an ignore count that is never used up, and no condition.  A condition that calls a
function of ours would do the same, but `save breakpoints` writes it into its file, and a gdb
without vmsnap that reads the file stops at each hit with an error.

gdb counts a hit when the breakpoint's thread and condition have been looked at, and says so with
the event breakpoint_modified: inside, the thread that hit stands and is selected (gdb 13.1; the
sources of later ones read the same).
"""

import os
import signal

from vmsnap_gdb import auto_notes, target

_FOR_EVER = (1 << 31) - 1


def never_stops(breakpoint):
    return breakpoint.ignore_count > _FOR_EVER // 2


def never_stop(breakpoint):
    breakpoint.ignore_count = _FOR_EVER


def refill(breakpoint):
    """Once more, if it is half used up; 0 is the user's wish that it stops."""
    if 0 < breakpoint.ignore_count <= _FOR_EVER // 2:
        breakpoint.ignore_count = _FOR_EVER


class Hits:
    """How often a breakpoint was hit, as it was seen last."""

    def __init__(self, breakpoint):
        self._breakpoint = breakpoint
        self._seen = breakpoint.hit_count

    def one_more(self):
        """Whether it was hit since."""
        before, self._seen = self._seen, self._breakpoint.hit_count
        return self._seen > before

    def resumed(self):
        """`run` sets the counts to 0, of which no event tells."""
        if self._breakpoint.is_valid():
            self._seen = self._breakpoint.hit_count


def interrupted(what):
    """A Ctrl-C that comes within an event is raised there, at any line of ours; gdb would print it
    and go on, and nobody would stop the program."""
    auto_notes.say(what)
    # It was meant for the program too, and has been used up here.  gdb's command `interrupt` does
    # nothing from inside this event.
    pid = target.require_live()
    if target.is_local(pid):
        os.kill(pid, signal.SIGINT)
