"""The names that only a debugger knows: locals, arguments, thread-locals.

Each stopped thread's frames are walked, innermost first.  Nothing of a variable is
read but its address and its size; the program runs no code for it.
"""

import contextlib
import time

import gdb

from vmsnap_gdb import language, same_frames, target, thread_locals
from vmsnap_gdb.block_plans import Plans

MAX_NAMES = 20000
MAX_SECONDS = 2.0  # threads whose turn has not come by then are left out

# Whatever gdb makes of a damaged stack or of odd debug information.  KeyboardInterrupt
# is not among them: Ctrl-C is for the one who called.
_TROUBLE = (gdb.error, RuntimeError, ValueError, OverflowError, AttributeError, TypeError)

_plans = Plans()


def collect(inferior, depth, threads=None, notes=None, types=None, hit=None):
    """The names in the innermost `depth` frames of each stopped thread of inferior,
    or of just `threads`.  Never raises but KeyboardInterrupt; what went wrong is
    appended to the list `notes` in a sentence each.  depth 0: nothing is looked for.
    types: a dictionary that gets the gdb.Type of each, by key_of().  hit: the snapshot, of a breakpoint that `threads`,
    the selected one, has just hit."""
    notes = [] if notes is None else notes
    names = []
    if depth <= 0:
        return names
    try:
        now = None
        if hit is not None and types is None and target.is_local(inferior.pid):
            now = same_frames.registers(threads[0])
            found = now and _as_before(inferior, depth, threads[0], now)
            if found is not None:
                return found
        todo = _in_order(inferior, threads)
        with _selection_kept(todo), language.sane(hit is not None):
            _collect(inferior, depth, todo, names, notes, types, now and (now, hit))
    except _TROUBLE as error:
        notes.append(f"names of variables: {error}")
    return names


def key_of(name):
    """What makes an annotation the same variable at another stop, as far as can be told: a function
    that was left and called again at the same place has the same ones."""
    return name.address, name.size, name.kind, name.tid, name.function, name.symbol, name.type


def _in_order(inferior, threads):
    """The selected thread first, in case time runs out."""
    selected = gdb.selected_thread()
    todo = inferior.threads() if threads is None else threads
    if len(todo) == 1:
        return [each for each in todo if each.is_valid()]
    return sorted((t for t in todo if t.is_valid()),
                  key=lambda t: (not selected or t.ptid != selected.ptid, t.num))


@contextlib.contextmanager
def _selection_kept(threads):
    """Selected inferior, thread and frame, and with the frame the language."""
    thread = gdb.selected_thread()
    if thread and all(other.ptid == thread.ptid for other in threads):
        yield  # nothing else gets selected, and asking for the frame would cost 80 µs
        return
    inferior = gdb.selected_inferior()
    try:
        frame = gdb.selected_frame()
    except gdb.error:
        frame = None
    try:
        yield
    finally:
        if thread and thread.is_valid():
            thread.switch()
            if frame and frame.is_valid():
                frame.select()
        elif gdb.selected_inferior().num != inferior.num:
            gdb.execute(f"inferior {inferior.num}", to_string=True)


def _as_before(inferior, depth, thread, now):
    """Of a thread that stands as it stood at an earlier hit; None: look."""
    found = same_frames.names(thread, depth, now) if language.is_sane_at_hit() else None
    if found is None:
        return None
    return found + thread_locals.of_thread(inferior.progspace, None, thread.ptid[1], pointer=now.fs_base)


def _collect(inferior, depth, threads, names, notes, types, hit=None):
    """hit: registers and snapshot of the one thread that has hit a breakpoint: what is told of it is kept for the next."""
    deadline = time.monotonic() + MAX_SECONDS
    space = inferior.progspace
    running = 0
    for done, thread in enumerate(threads):
        if time.monotonic() > deadline or len(names) >= MAX_NAMES:
            notes.append(f"names of variables: {len(threads) - done} of {len(threads)} threads left out")
            break
        try:
            selected = gdb.selected_thread()
            if not selected or selected.ptid != thread.ptid:
                thread.switch()
            frame = gdb.newest_frame()
        except gdb.error:  # it runs, or has just ended
            running += 1
            continue
        tid = thread.ptid[1] or thread.ptid[0]
        try:
            begun = len(names)
            outermost = _frames(frame, depth, tid, space, names, deadline, types)
            if hit is not None and outermost is not None:
                same_frames.keep(thread, depth, *hit, outermost, names[begun:])
        except _TROUBLE:
            pass  # a damaged stack: what was found up to there
        try:
            names.extend(thread_locals.of_thread(space, gdb.newest_frame(), tid, types, target.is_local(inferior.pid)))
        except _TROUBLE:
            pass
    if running:
        notes.append(f"names of variables: {running} of {len(threads)} threads were not stopped")


def _frames(frame, depth, tid, space, names, deadline, types):
    """The outermost frame that was looked at, if all of them were and what they have lies at fixed places; else None."""
    # Whether the frame's code address is where it stands.  In the caller of another
    # frame it is the one to return to, behind the call, perhaps in the next block.
    exact = fixed = True
    level = 0
    while len(names) < MAX_NAMES:
        try:
            block = frame.block()
        except RuntimeError:  # no symbols, a signal's trampoline, …
            block = None
        kind = frame.type()
        if block:
            try:
                pc = frame.pc() if exact else frame.pc() - 1
                plan = _plans.of(frame, block, pc, space)
                found = plan.annotations(frame, pc, tid, level)
                names.extend(found)
                fixed = fixed and plan.is_of_fixed(pc)
                if types is not None:
                    types.update((key_of(name), plan.type_of(name)) for name in found)
            except _TROUBLE:
                fixed = False  # the next frame may be better
        # An inlined function has its caller's registers.
        exact = exact if kind == gdb.INLINE_FRAME else kind == gdb.SIGTRAMP_FRAME
        level += 1
        if time.monotonic() > deadline:
            return None
        # Each further one costs gdb some 30 us.
        older = frame.older() if level < depth else None
        if older is None:
            return frame if fixed else None
        frame = older
    return None
