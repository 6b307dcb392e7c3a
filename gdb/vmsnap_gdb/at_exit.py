"""A snapshot of each forked child that gdb keeps, right before it exits.

There is no event while the memory is still there, and a catchpoint for the system call makes gdb
stop the program twice at each system call of any kind.  So it is a breakpoint at _exit() of the
C library, through which exit() goes, and the end of main().  It is gdb's own kind (internal), not
in `info breakpoints`.  A child that is killed, or asks the kernel itself, is not seen.
"""

import gdb

from vmsnap_gdb import auto_notes, execs, place, target, threads
from vmsnap_gdb.session import session

_PLACE = "-qualified _exit"


class _Breakpoint(gdb.Breakpoint):
    def __init__(self):
        super().__init__(_PLACE, type=gdb.BP_BREAKPOINT, internal=True)
        self.silent = True

    def stop(self):
        """Whether the program shall stop: only for a Ctrl-C, which is lost otherwise."""
        try:
            watch.take()
        except KeyboardInterrupt:
            auto_notes.say("interrupted; nothing was kept of this exit")
            return True
        except BaseException as error:  # it would stop the program
            watch.notes.add("exit", error)
        return False


class ExitWatch:
    def __init__(self):
        self._breakpoint = None
        self.count = 0
        self.notes = auto_notes.Notes()

    def on(self):
        self.notes = auto_notes.Notes()
        if self._breakpoint is None or not self._breakpoint.is_valid():
            self._breakpoint = _Breakpoint()

    def off(self):
        if self._breakpoint is not None and self._breakpoint.is_valid():
            self._breakpoint.delete()
        self._breakpoint = None

    def lines(self):
        if self._breakpoint is None:
            return []
        text = f"children that gdb keeps are taken as they exit; {self.count} taken"
        if gdb.parameter("detach-on-fork") and gdb.parameter("follow-fork-mode") != "child":
            text += "; but gdb keeps none: set detach-on-fork off"
        if self._breakpoint.is_valid() and self._breakpoint.pending:
            text += "; where _exit is, is not known yet"
        found = [text]
        if self.notes.count:
            found.append("of exits, " + self.notes.summary())
        return found

    def take(self):
        inferior = gdb.selected_inferior()
        pid = target.require_live(inferior)
        pair = self._pair(pid)
        if pair is None:
            return
        name, reason = f"{pair.name}.exit", place.reason(what="exit")
        if threads.others_run():
            reason += "; other threads were running"
        session.take(pid, inferior=inferior, name=name, reason=reason, automatic=True, replace=True)
        self.count += 1

    @staticmethod
    def _pair(pid):
        """The fork that made the process, if it still is what was forked: a program that it executed
        since has other memory, and after a vfork the memory is another's."""
        started, generation = target.start_time(pid), execs.generation(pid)
        return next((pair for pair in session.pairs() if pair.kind == "fork" and pair.child.pid == pid
                     and pair.child.start_time == started and pair.child.exec_generation == generation), None)


watch = ExitWatch()
