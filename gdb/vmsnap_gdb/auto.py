"""Which snapshots are taken by themselves: at forks, at stops, at breakpoints."""

from vmsnap_gdb import auto_break, auto_fork, auto_stop, held
from vmsnap_gdb.session import session

_WATCHES = {"fork": auto_fork.watch, "stop": auto_stop.watch, "break": auto_break.watch}

fork, stop, breaks = _WATCHES.values()


def lines():
    """What is on, and what came of it."""
    found = [line for watch in _WATCHES.values() for line in watch.lines()]
    waiting = held.pids()
    if waiting:
        found.append(f"held at their fork: {', '.join(map(str, waiting))}")
    if session.dropped:
        found.append(f"{session.dropped} older snapshots were dropped: set vmsnap limit")
    return found


def off(what=None):
    """what: "fork", "stop", "break" or None, for all.  Returns the names of what was
    on, and the pids of children that were released."""
    chosen = _WATCHES if what is None else {what: _WATCHES[what]}
    were = [name for name, watch in chosen.items() if watch.off()]
    return were, held.release() if "fork" in chosen else []
