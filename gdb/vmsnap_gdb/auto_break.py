"""A snapshot at each hit of a breakpoint, which stops or goes on as it would anyway.

Hits are seen as unnoticed.py has it, so nothing is added to a breakpoint of the user's;
condition, ignore count and commands work as ever.  One that vmsnap sets itself is an ordinary
breakpoint too, whose ignore count is never used up: unlike with a stop() method the user can
still give it a condition.
"""

import gdb

from vmsnap_gdb import auto_notes, place, settings, target, unnoticed
from vmsnap_gdb.session import session


class Watched:
    """One breakpoint.  ours: it was set for this, and does not stop the program."""

    def __init__(self, breakpoint, ours):
        self.breakpoint = breakpoint
        self.number = breakpoint.number
        self.ours = ours
        self.hits = unnoticed.Hits(breakpoint)
        self.count = 0

    def is_there(self):
        """One whose thread has ended is hidden, with the number 0, before it is deleted."""
        return self.breakpoint.is_valid() and self.breakpoint.number == self.number

    def line(self):
        words = "the program goes on" if self.ours and self.breakpoint.ignore_count else "stops as it did"
        text = f"auto break is on at {place.breakpoint_words(self.breakpoint)}, {words}; {self.count} " \
               f"hit{'' if self.count == 1 else 's'} taken"
        if not self.breakpoint.enabled:
            text += "; it is disabled"
        elif self.breakpoint.pending:
            text += "; it is pending, there is no such place yet"
        return text


class BreakWatch:
    def __init__(self):
        self._watched = {}  # by number
        self._connected = False
        self.notes = auto_notes.Notes()

    def on_number(self, number):
        """A breakpoint, watchpoint or catchpoint that there is."""
        found = next((each for each in gdb.breakpoints() if each.number == number), None)
        if found is None:
            raise gdb.GdbError(f"there is no breakpoint {number}; for line {number} of a file say FILE:{number}")
        return self._add(found, ours=False)

    def on_location(self, location):
        """What may follow `break`; gdb says what came of it."""
        before = {each.number for each in gdb.breakpoints()}
        try:
            gdb.execute(f"break {location}")
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None
        found = next((each for each in gdb.breakpoints() if each.number not in before), None)
        if found is None:
            return None  # "Make breakpoint pending?": no
        unnoticed.never_stop(found)
        return self._add(found, ours=True)

    def _add(self, breakpoint, ours):
        self.notes = auto_notes.Notes()
        if not self._connected:
            gdb.events.breakpoint_modified.connect(self._modified)
            gdb.events.cont.connect(self._resumed)
            self._connected = True
        self._prune()
        session.get_ready(settings.hit_depth())
        return self._watched.setdefault(breakpoint.number, Watched(breakpoint, ours))

    def off(self, number=None):
        """Whether anything was on."""
        self._prune()
        chosen = [each for each in self._watched.values() if number in (None, each.number)]
        for each in chosen:
            del self._watched[each.number]
            if each.ours:
                each.breakpoint.delete()
        if not self._watched and self._connected:
            gdb.events.breakpoint_modified.disconnect(self._modified)
            gdb.events.cont.disconnect(self._resumed)
            self._connected = False
        return bool(chosen)

    def numbers(self):
        self._prune()
        return list(self._watched)

    def lines(self):
        self._prune()
        found = [each.line() for each in self._watched.values()] or ["auto break is off"]
        if self.notes.count:
            found.append("of hits, " + self.notes.summary())
        return found

    def _prune(self):
        for number in [each.number for each in self._watched.values() if not each.is_there()]:
            del self._watched[number]

    # ---- events ----

    def _resumed(self, event):
        try:
            for each in self._watched.values():
                each.hits.resumed()
        except KeyboardInterrupt:
            unnoticed.interrupted("interrupted")

    def _modified(self, breakpoint):
        try:
            each = self._watched.get(breakpoint.number)
            if each and each.hits.one_more():
                self._take_or_note(each)
        except KeyboardInterrupt:
            unnoticed.interrupted("interrupted; this hit was not taken")

    def _take_or_note(self, each):
        try:
            self._take(each)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # gdb would print a traceback
            self.notes.add(f"breakpoint {each.number}", error)

    def _take(self, each):
        inferior = gdb.selected_inferior()
        pid = target.require_live(inferior)
        reason = place.reason_of_hit(each.breakpoint)
        session.take(pid, inferior=inferior, prefix=f"b{each.number}.", reason=reason,
                     automatic=True, threads=[gdb.selected_thread()], depth=settings.hit_depth(), brief=True)
        each.count += 1
        if each.ours:
            unnoticed.refill(each.breakpoint)


watch = BreakWatch()
