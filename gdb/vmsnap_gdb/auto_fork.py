"""Parent and child of every fork, without a stop that anybody notices.

gdb tells Python nothing of a fork.  It has catchpoints, and counts their hits: unnoticed.py.
Then it goes on as without a catchpoint, whatever detach-on-fork and follow-fork-mode say.
"""

import re

import gdb

from vmsnap import MALLOC_HEAP, AnnotationKind
from vmsnap_gdb import at_exit, auto_notes, held, looks, newborn, place, target, threads, touched, unnoticed
from vmsnap_gdb.session import session

_FRAMES = 12  # how far out to look for who called fork
_CAUGHT = re.compile(r"(?m)^\d+ +catchpoint +\S+ +\S+ +(v?fork)\b")


def _caught(breakpoint):
    """What a catchpoint like ours catches, "fork" or "vfork"; else None.  Another comes with a file
    of `save breakpoints`."""
    if breakpoint.type != gdb.BP_CATCHPOINT or breakpoint.condition or not unnoticed.never_stops(breakpoint):
        return None
    try:
        found = _CAUGHT.search(gdb.execute(f"info breakpoints {breakpoint.number}", to_string=True))
    except gdb.error:
        return None
    return found and found[1]


class Catch:
    """A catchpoint for "fork" or "vfork"."""

    def __init__(self, kind):
        self.kind = kind
        self.breakpoint = None
        self.hits = None

    def set(self):
        if self.is_set():
            self.breakpoint.enabled = True
        else:
            self.breakpoint = self._found() or self._made()
            self.hits = unnoticed.Hits(self.breakpoint)
        unnoticed.never_stop(self.breakpoint)

    def _found(self):
        return next((each for each in gdb.breakpoints() if _caught(each) == self.kind), None)

    def _made(self):
        before = {each.number for each in gdb.breakpoints()}
        gdb.execute(f"catch {self.kind}", to_string=True)
        return next(each for each in gdb.breakpoints() if each.number not in before)

    def delete(self):
        if self.is_set():
            self.breakpoint.delete()
        self.breakpoint = None

    @property
    def number(self):
        return self.breakpoint.number

    def is_set(self):
        """Somebody may have deleted it."""
        return self.breakpoint is not None and self.breakpoint.is_valid()

    def trouble(self):
        """Why it does not work, or ""."""
        if self.breakpoint is None:
            return "off"
        if not self.breakpoint.is_valid():
            return "off: its catchpoint was deleted"
        if not self.breakpoint.enabled:
            return f"off: its catchpoint {self.number} is disabled"
        return ""


class ForkWatch:
    def __init__(self):
        self.catches = [Catch("fork"), Catch("vfork")]
        self.keep_child = False
        self.pairs = {"fork": 0, "vfork": 0}
        self.notes = auto_notes.Notes()
        self._connected = False

    def on(self, keep_child, exits=False):
        self.keep_child = keep_child
        self.notes = auto_notes.Notes()
        try:
            for catch in self.catches:
                catch.set()
        except gdb.error as error:
            raise gdb.GdbError(f"gdb cannot catch forks here: {error}") from None
        self._connect(True)
        (at_exit.watch.on if exits else at_exit.watch.off)()

    def off(self):
        """Whether anything was on."""
        was = any(catch.breakpoint is not None for catch in self.catches)
        self._connect(False)
        for catch in self.catches:
            catch.delete()
        at_exit.watch.off()
        return was

    def _connect(self, wanted):
        for event, handler in ((gdb.events.breakpoint_modified, self._modified), (gdb.events.cont, self._resumed)):
            if wanted != self._connected:
                (event.connect if wanted else event.disconnect)(handler)
        self._connected = wanted

    def lines(self):
        """What `vmsnap auto` says."""
        if all(catch.breakpoint is None for catch in self.catches):
            return ["auto fork is off"]
        found = [self._line(catch) for catch in self.catches]
        if self.keep_child:
            found.append("children are held at the fork, until vmsnap auto release" if held.gdb_detaches() else
                         "children are not held: gdb keeps them itself, as detach-on-fork and follow-fork-mode are")
        if self.notes.count:
            found.append("of forks, " + self.notes.summary())
        return found + at_exit.watch.lines()

    def _line(self, catch):
        count = self.pairs[catch.kind]
        taken = f"{count} {catch.kind}{'' if count == 1 else 's'} taken"
        return f"auto {catch.kind} is {catch.trouble() or f'on (catchpoint {catch.number})'}; {taken}"

    # ---- events ----

    def _resumed(self, event):
        try:
            for catch in self.catches:
                if catch.is_set():
                    catch.hits.resumed()
        except KeyboardInterrupt:
            unnoticed.interrupted("interrupted")

    def _modified(self, breakpoint):
        try:
            catch = next((each for each in self.catches if each.is_set() and each.number == breakpoint.number), None)
            if catch is None:
                self._drop_copy(breakpoint)
            elif catch.hits.one_more():
                self._take_or_note(catch.kind)
                unnoticed.refill(catch.breakpoint)
        except KeyboardInterrupt:
            unnoticed.interrupted("interrupted; nothing was kept of this fork")

    def _drop_copy(self, breakpoint):
        """Of one of our catchpoints, from a file: `info breakpoints` shall not show two."""
        kind = _caught(breakpoint) if breakpoint.type == gdb.BP_CATCHPOINT else None
        if kind and any(catch.kind == kind and catch.is_set() for catch in self.catches):
            # Not now: whoever gave it its ignore count goes on with it.
            gdb.post_event(lambda: breakpoint.is_valid() and breakpoint.delete())

    def _take_or_note(self, kind):
        try:
            self._take(kind)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # gdb would print a traceback
            self.notes.add(kind, error)

    def _take(self, kind):
        inferior, thread = gdb.selected_inferior(), gdb.selected_thread()
        if thread is None:
            return
        pid = target.require_live(inferior)
        catch = next(catch for catch in self.catches if catch.kind == kind)
        known = {each.pid for each in gdb.inferiors()}
        child = newborn.child_of(pid, thread.ptid[1], catch.number, known)
        if child is None:
            raise LookupError("the child could not be found")
        touched.forked(pid, child)
        try:
            self._take_both(kind, inferior, child, thread.ptid[1])
            self.pairs[kind] += 1
        finally:
            looks.at_fork()
            # A vfork's parent waits for it: both would stand for ever.
            if self.keep_child and kind == "fork" and held.gdb_detaches():
                self._hold(child, inferior)

    def _take_both(self, kind, inferior, child, tid):
        name, reason = _fresh_name(kind), _reason(kind)
        running = "; other threads were running" if threads.others_run() else ""
        # The parent first: other threads of its may run; the child stands.
        parent = session.take(inferior.pid, inferior=inferior, name=f"{name}.parent", reason=reason + running,
                              automatic=True)
        try:
            other = session.take(child, name=f"{name}.child", reason=f"child of {reason}", automatic=True)
        except KeyboardInterrupt:
            session.drop(parent.name)
            raise
        other.snapshot.annotate(_inherited(parent.snapshot, tid, child))
        session.add_pair(parent, other, kind=kind)

    def _hold(self, child, inferior):
        if held.hold(child, inferior):
            auto_notes.say(f"child {child} is held at the fork; vmsnap auto release {child} lets it run")


def _fresh_name(kind):
    """fork1: of which neither side is taken, by a file that was loaded, say."""
    while True:
        name = session.fresh_name(kind)
        if f"{name}.parent" not in session and f"{name}.child" not in session:
            return name


def _reason(kind):
    """Where the program calls fork.  This reads the stack, which its thread has just
    used; everything else waits until the pages have been looked at."""
    selected = gdb.selected_frame()
    try:
        _caller(gdb.newest_frame()).select()
        text = place.reason(what=kind)
    finally:
        selected.select()
    if kind == "vfork":
        text += "; one address space until the child executes or exits"
    return text


def _caller(newest):
    """The frame that called fork(): the first outside of the C library, which has
    several of its own on top."""
    library = gdb.solib_name(newest.pc())
    frame = newest
    for _ in range(_FRAMES):
        try:
            frame = frame.older()
        except gdb.error:
            break
        if frame is None:
            break
        if gdb.solib_name(frame.pc()) != library:
            return frame
    return newest


def _inherited(snapshot, tid, child):
    """Captured names of the parent that are the child's too: of the forking thread,
    which is its only one.  What gdb wrote has been told of the child already."""
    return [name._replace(tid=child if name.tid else 0) for name in snapshot.annotations()
            if name.kind != AnnotationKind.DEBUGGER_WRITE and name.tid in (0, tid)
            and name.type != MALLOC_HEAP]


watch = ForkWatch()
