"""vmsnap auto: snapshots that are taken by themselves."""

import gdb

from vmsnap_gdb.commands import base, options

KEEP_CHILD = options.Option("keep-child", None, None, None, "hold each child at its fork until it is released")
AT_EXIT = options.Option("at-exit", None, None, None, "children that gdb keeps also as they exit")
_KINDS = ("fork", "stop", "break")


def _lines(lines):
    return "".join(f"{line}\n" for line in lines)


def _need_no_other_target():
    """Before the program runs is fine; a core file never is, nor a remote target without /proc."""
    from vmsnap_gdb import target
    if target.kind() not in ("none", "native"):
        target.require_live()


def _need_this_machine(what):
    from vmsnap_gdb import target
    target.require_local(what)


class Auto(gdb.Command):
    """Take snapshots automatically: at forks, at stops, at breakpoints.

Usage: vmsnap auto

Without more it says what is on and what came of it.  Automatic snapshots stay on when
the program is run again.  At most `show vmsnap limit' snapshots are kept: the oldest
automatic ones go first.
Example:
  (gdb) vmsnap auto fork
  (gdb) run
  (gdb) vmsnap cow"""

    def __init__(self):
        super().__init__("vmsnap auto", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        if argument in ("-h", "--help"):
            gdb.execute("help vmsnap auto", from_tty)
            return
        if argument:
            raise gdb.GdbError(f'Undefined vmsnap auto command: "{argument}".  Try "help vmsnap auto".')
        base.write(base.guarded(self._state))

    @staticmethod
    def _state():
        from vmsnap_gdb import auto
        return _lines(auto.lines())


class AutoFork(base.Command):
    """Take parent and child at each fork, without stopping.

Usage: vmsnap auto fork [--keep-child] [--at-exit]

The two are called fork1.parent and fork1.child, and so on; `vmsnap cow' compares the
newest pair.  A vfork's are called vfork1.parent and vfork1.child: they have one address
space until the child executes or exits.  What a program starts with clone(2) and flags
of its own, and no fork, is not seen.  With the usual `detach-on-fork on' the child is
gone when the program stops next; --keep-child sends it a SIGSTOP at the fork, so that
it can be looked at until `vmsnap auto release'.  Its parent can see that it stands.
With `detach-on-fork off' gdb keeps the child itself, and --at-exit takes it once more
when it calls exit or _exit: fork1.exit, which `vmsnap cow' shows once it is gone.
Example:
  (gdb) vmsnap auto fork --keep-child
  (gdb) run
  (gdb) vmsnap cow
  (gdb) vmsnap auto release"""

    NAME = "auto fork"
    USAGE = "[--keep-child] [--at-exit]"
    OPTIONS = (KEEP_CHILD, AT_EXIT)

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import auto
        _need_no_other_target()
        if given["keep-child"]:
            _need_this_machine("children are held at their fork")
        auto.fork.on(keep_child=bool(given["keep-child"]), exits=bool(given["at-exit"]))
        return _lines(auto.fork.lines())


class AutoStop(base.Command):
    """Take a snapshot at each stop that you see.

Usage: vmsnap auto stop

They are called stop1, stop2, and so on.  Each step and each breakpoint counts, and so does
where the program stands now, if it does.
Example:
  (gdb) vmsnap auto stop
  (gdb) next
  (gdb) next
  (gdb) vmsnap diff stop1 stop2"""

    NAME = "auto stop"

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import auto
        _need_no_other_target()
        auto.stop.on()
        return _lines(auto.stop.lines())


class AutoBreak(base.Command):
    """Take a snapshot at each hit of a breakpoint.

Usage: vmsnap auto break LOCATION
       vmsnap auto break NUMBER

LOCATION is what may follow `break', with `thread' and `if' too: a new breakpoint, at
which the program does not stop (it has an ignore count that is never used up).  NUMBER
is a breakpoint, watchpoint or catchpoint that there is: it stops, or not, as it would
anyway.  The snapshots of breakpoint 2 are called b2.1, b2.2, and so on.
Other threads may run while one is taken; its reason says so then.
Example:
  (gdb) vmsnap auto break parser.c:120 if depth > 3
  (gdb) run
  (gdb) vmsnap diff b1.1 b1.2"""

    NAME = "auto break"
    USAGE = "LOCATION|NUMBER"

    def work(self, argument, from_tty):
        # A location is gdb's to take apart, not ours.
        from vmsnap_gdb import auto
        location = argument.strip()
        if location in ("-h", "--help"):
            return self.help()
        if not location:
            raise gdb.GdbError(f"usage: vmsnap {self.NAME} {self.USAGE}")
        _need_no_other_target()
        if location.isascii() and location.isdigit():
            watched = auto.breaks.on_number(int(location))
        else:
            watched = auto.breaks.on_location(location)
        return f"{watched.line()}\n" if watched else None

    def complete(self, text, word):
        return gdb.COMPLETE_LOCATION


class AutoOff(base.Command):
    """Take no more automatic snapshots.

Usage: vmsnap auto off [fork|stop|break]

Without a word, all.  The catchpoints and breakpoints that were set for them go, and
children that are held at their fork run on.  The snapshots stay.
Example:
  (gdb) vmsnap auto off stop"""

    NAME = "auto off"
    USAGE = "[fork|stop|break]"
    OPERANDS = (0, 1)

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import auto
        what = operands[0] if operands else None
        if what not in (None, *_KINDS):
            raise gdb.GdbError(f"usage: vmsnap {self.NAME} {self.USAGE}")
        were, released = auto.off(what)
        found = [f"auto {name} is off" for name in were] or ["nothing was on"]
        return _lines(found + [f"child {pid} runs on" for pid in released])

    def operand_candidates(self, words, word):
        return list(_KINDS)


class AutoRelease(base.Command):
    """Let children run that are held at their fork.

Usage: vmsnap auto release [PID...]

Without PID, all of them.  They are released too by `vmsnap auto off', when their parent
is gone, and when gdb ends.
Example:
  (gdb) vmsnap auto release"""

    NAME = "auto release"
    USAGE = "[PID...]"
    OPERANDS = (0, None)

    def run(self, given, operands, from_tty):
        from vmsnap_gdb import held
        there = held.pids()
        chosen = [self._pid(word, there) for word in operands] or there
        released = held.release(chosen)
        found = [f"child {pid} runs on" for pid in released]
        for pid in chosen:
            if pid not in released:
                found.append(f"child {pid} is being debugged, and stays as it is" if held.debugged(pid)
                             else f"child {pid} is gone")
        return _lines(found or ["no child is held"])

    @staticmethod
    def _pid(word, there):
        if not (word.isascii() and word.isdigit()) or int(word) not in there:
            known = f"held are {', '.join(map(str, there))}" if there else "none is held"
            raise gdb.GdbError(f"process {word} is not held at its fork; {known}")
        return int(word)

    def operand_candidates(self, words, word):
        import sys
        held = sys.modules.get("vmsnap_gdb.held")
        return [str(pid) for pid in held.pids()] if held else []


def register():
    for made in (Auto, AutoFork, AutoStop, AutoBreak, AutoOff, AutoRelease):
        made()
