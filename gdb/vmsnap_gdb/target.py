"""Which process gdb is looking at, and whether it is one of this machine.

/proc is read only of a process that gdb itself traces natively.  The number of a core
file's process, or of a remote one, may be a stranger's here.
"""

import gdb

from vmsnap_gdb import quiet

_STILL = ("snapshots that were taken before, or loaded with 'vmsnap load FILE', can still be shown and compared: "
          "vmsnap list, vmsnap diff A B")

_REFUSALS = {
    "none": "there is no live process: start the program (run, start) or attach to one; " + _STILL,
    "core": "this is a core file, not a process: it holds contents of memory but no page states; " + _STILL,
    "remote": "the program runs under a remote target, and its pages cannot be read from here; there, save them "
              "with 'vmsnap capture PID -o FILE', then load FILE here; " + _STILL,
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
    """Of a live process of this machine, else None.  Always asked anew: `restart`
    of a checkpoint changes it without an event."""
    inferior = inferior or gdb.selected_inferior()
    return inferior.pid if kind(inferior) == "native" else None


def require_live(inferior=None):
    found = pid(inferior)
    if found is None:
        raise gdb.GdbError(_REFUSALS[kind(inferior)])
    return found


def live_inferiors():
    return [inferior for inferior in gdb.inferiors() if pid(inferior) is not None]


def inferior_of(process):
    """The inferior that is this process, or None."""
    return next((inferior for inferior in gdb.inferiors() if pid(inferior) == process), None)


def process(number):
    """A vmsnap.Process; None if there is none, or only a zombie."""
    from vmsnap import process_now
    found = process_now(number)
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
