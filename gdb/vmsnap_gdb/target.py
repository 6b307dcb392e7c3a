"""Which process gdb is looking at, and whether it is one of this machine.

This machine's /proc is read only of a process that gdb itself traces natively.  The number of a core
file's process, or of a remote one, may be a stranger's here; of a remote one /proc is read there (remote.py),
and of a core file that file is (cores.py).
"""

import gdb

from vmsnap.errors import VmsnapError
from vmsnap_gdb import quiet, remote

_STILL = ("snapshots that were taken before, or loaded with 'vmsnap load FILE', can still be shown and compared: "
          "vmsnap list, vmsnap diff A B")

_REFUSALS = {
    "none": "there is no live process: start the program (run, start) or attach to one; " + _STILL,
    "core": "a core file is no process: this needs one that lives; what the core holds can be shown and compared: "
            "vmsnap show, pages, page EXPR, dump RANGE, take, diff A now",
    "remote": "the program runs under a remote target, and its pages cannot be read: {why}; " + _STILL,
    "other": "this target is not a process of this machine; " + _STILL,
}


def kind(inferior=None):
    """"native", "core", "remote", "other" or "none"."""
    inferior = inferior or gdb.selected_inferior()
    connection = inferior.connection if inferior.is_valid() else None
    # A core file has the number of the process that died.
    if connection is None or inferior.pid <= 0:
        return "none"
    if connection.type in ("native", "core"):
        return connection.type
    return "remote" if "remote" in connection.type else "other"


def pid(inferior=None):
    """Of a live process whose pages can be read, here or through a remote target, else None.  Always asked
    anew: `restart` of a checkpoint changes it without an event."""
    inferior = inferior or gdb.selected_inferior()
    found = kind(inferior)
    if found == "native":
        remote.forget(inferior.pid)
        return inferior.pid
    return inferior.pid if found == "remote" and _why_not(inferior) is None else None


def _why_not(inferior):
    try:
        return remote.why_not(inferior)
    except VmsnapError as error:
        return str(error)


def is_local(number):
    """Whether a number is that of a process of this machine, as far as gdb is concerned."""
    return not remote.knows(number)


def require_local(what, inferior=None):
    """For what is done to processes of this machine only."""
    inferior = inferior or gdb.selected_inferior()
    if kind(inferior) == "remote":
        raise gdb.GdbError(f"{what}: not through a remote target; only of processes of this machine")


def require_live(inferior=None):
    found = pid(inferior)
    if found is None:
        refused = kind(inferior)
        why = _why_not(inferior or gdb.selected_inferior()) if refused == "remote" else None
        raise gdb.GdbError(_REFUSALS[refused].format(why=why))
    return found


def is_core(inferior=None):
    return kind(inferior) == "core"


def require_any(inferior=None):
    """A live process of this machine, or a core file, of which there can be a snapshot.  Gives the process's number, which
    is the core file's None."""
    return None if is_core(inferior) else require_live(inferior)


def live_inferiors():
    return [inferior for inferior in gdb.inferiors() if pid(inferior) is not None]


def inferior_of(process):
    """The inferior that is this process, or None."""
    return next((inferior for inferior in gdb.inferiors() if pid(inferior) == process), None)


def process(number):
    """A vmsnap.Process; None if there is none, or only a zombie."""
    from vmsnap import process_now
    found = process_now(number) if is_local(number) else remote.process(number)
    return None if found is None or found.state in "ZX" else found


def start_time(number):
    """Clock ticks after boot, which tell a process from a later one of the same number;
    None as above."""
    found = process(number)
    return None if found is None else found.start_time


def replaying():
    """Whether gdb shows the past: registers and memory are not the process's."""
    # .replay_position is not implemented for `record full` (gdb 13 and 16).
    return gdb.current_recording() is not None and "Replay mode" in quiet.ask("info record")


def recording():
    """What `record` does to the selected inferior's memory, for people; None if off."""
    if gdb.current_recording() is None:
        return None
    if replaying():
        return ("gdb is replaying a recording: the memory that gdb shows is that of the past, but the pages in a "
                "snapshot are those of the process as it is")
    return "gdb is recording: it steps through every instruction, and some page changes may be its own doing"
