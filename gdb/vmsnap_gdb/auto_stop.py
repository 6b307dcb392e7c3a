"""A snapshot at each stop that the user sees."""

import gdb

from vmsnap_gdb import auto_notes, keeping, place, quiet, target
from vmsnap_gdb.session import session


class StopWatch:
    def __init__(self):
        self.is_on = False
        self.count = 0
        self.notes = auto_notes.Notes()
        self._commands_left = False  # by a temporary breakpoint, which is gone at its stop

    def on(self):
        self.notes = auto_notes.Notes()
        if not self.is_on:
            gdb.events.stop.connect(self._stopped)
            gdb.events.breakpoint_deleted.connect(self._deleted)
            self.is_on = True
            self._take_this()

    def off(self):
        was = self.is_on
        if was:
            gdb.events.stop.disconnect(self._stopped)
            gdb.events.breakpoint_deleted.disconnect(self._deleted)
        self.is_on = False
        return was

    def lines(self):
        if not self.is_on:
            return ["auto stop is off"]
        found = [f"auto stop is on; {self.count} stop{'' if self.count == 1 else 's'} taken"]
        if self.notes.count:
            found.append("of stops, " + self.notes.summary())
        return found

    def _deleted(self, breakpoint):
        if breakpoint.temporary and breakpoint.commands:
            self._commands_left = True

    def _take_this(self):
        """Where the program stands already: at the next stop this is the one before."""
        thread = gdb.selected_thread()
        if thread is None or not thread.is_valid() or not thread.is_stopped() or target.pid() is None:
            return
        try:
            self._take(None)
        except Exception as error:
            self.notes.add("stop", error)

    def _stopped(self, event):
        left, self._commands_left = self._commands_left, False
        try:
            commands = left or any(each.commands for each in getattr(event, "breakpoints", ()) if each.is_valid())
            with quiet.no_commands_of_breakpoints(commands):
                self._take(event)
        except KeyboardInterrupt:
            auto_notes.say("interrupted; this stop was not taken")
        except BaseException as error:  # gdb would print a traceback
            self.notes.add("stop", error)

    def _take(self, event):
        # In non-stop mode the stop may be another thread's than the selected one.
        thread = getattr(event, "inferior_thread", None) or gdb.selected_thread()
        inferior = thread.inferior if thread is not None else gdb.selected_inferior()
        pid = target.require_live(inferior)
        reason = place.reason(event)
        if target.replaying():
            reason += "; gdb replays, the pages are those of the process as it is"
        entry = session.take(pid, inferior=inferior, name=session.fresh_name("stop"), reason=reason, automatic=True,
                             contents=keeping.chosen())
        left_out = keeping.remark(entry.snapshot)
        if left_out:
            auto_notes.say(left_out)
        self.count += 1


watch = StopWatch()
