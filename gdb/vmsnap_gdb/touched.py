"""gdb's own footprints in the memory of the program.

    watch()                from now on, take notice; may be called again and again
    ranges(snapshot)       what gdb wrote there, as annotations of kind DEBUGGER_WRITE
    forked(parent, child)  the child has its parent's

Two sources.  The pages of code tell themselves (code_pages.py): whatever gdb inserted,
even before watch() or only for a step, left its page copied.  gdb's events tell which
breakpoint it was, and of writes to other memory, which would not be told from the
program's own.  What gdb merely read is not told here: looks.py."""

import collections
import os
import time

import gdb

from vmsnap import (AT_BASE, AT_ENTRY, AnnotationKind, Annotation, VmsnapError, auxv_now, elf_symbol_offset, pages_now,
                    process_now)
from vmsnap_gdb import code_pages, execs, remote, target
from vmsnap_gdb.code_pages import PAGE

_MAX_PROCESSES = 256
_MAX_WRITES = 4096
_MAX_CHECKED = 256          # pages compared with their file at a time, 30 µs each
_MAX_LOCATIONS = 10000
_STACK_LOOKED_AT = 64 * PAGE
_ADDRESS_MAX = (1 << 64) - 1

# gdb's displaced stepping on x86-64 (12 and later): past a breakpoint of its own at
# the entry point, two copies of an instruction.
_SCRATCH = 2 + 2 * 16
# What an inferior call puts below the red zone: return address, code, arguments.
_RED_ZONE, _CALL_BYTES = 128, 64

_DISPLACED = "displaced stepping"
_LINKER = "dynamic linker's hook"
_CALL = "inferior call"
_WRITTEN = "written from gdb"
_STEP = "step or earlier breakpoint"
# Where gdb stops for itself.  Its own list of them, `maint info breakpoints`, cannot be
# asked for without a trace: it changes $_ and what a bare `x` shows next.
_HOOKS = (("siglongjmp", "internal breakpoint (longjmp)"),
          ("_Unwind_DebugHook", "internal breakpoint (exception)"))
# Of a program without a dynamic linker, which has some of it inside.
_STATIC_HOOKS = (("_dl_debug_state", _LINKER),) + _HOOKS

_TICKS = os.sysconf("SC_CLK_TCK")  # per second; what start times are counted in

_TROUBLE = (gdb.error, RuntimeError, ValueError, OverflowError, AttributeError, TypeError, OSError, VmsnapError)


class _Process:
    """What gdb did to one process, between its start or exec and the next one."""

    def __init__(self, pid, start_time, generation):
        self.pid, self.start_time, self.generation = pid, start_time, generation
        self.locations = {}      # address of a breakpoint that was inserted -> what
        self.writes = []         # (start, end, what, when), not code
        # Where the program begins, and its dynamic linker; 0: unknown.
        self.entry, self.linker = _told(pid, AT_ENTRY), _told(pid, AT_BASE)
        self.code = None         # mappings; None: to be read
        self.files = code_pages.Files()
        self.explained = {}      # page that was copied -> what, where no location tells
        self.strange = set()     # pages that were copied, but not by gdb, or not by it alone
        self.memory = code_pages.Memory(pid)
        self.told = None         # (snapshot, what its pages of code held, annotations, _changes); None: to be worked out

    def child(self, pid, start_time):
        """What a child has of it that was forked at start_time."""
        copy = _Process(pid, start_time, execs.generation(pid))
        copy.locations = dict(self.locations)
        copy.writes = [write for write in self.writes if write[3] <= start_time]
        copy.explained, copy.strange = dict(self.explained), set(self.strange)
        copy.files = self.files
        return copy

    def note(self, locations):
        self.told = None
        for address, what in locations.items():
            self.locations.setdefault(address, what)
        while len(self.locations) > _MAX_LOCATIONS:
            del self.locations[next(iter(self.locations))]

    def wrote(self, start, end, what):
        if not start < end <= _ADDRESS_MAX or any((start, end, what) == write[:3] for write in self.writes[-32:]):
            return
        self.told = None
        when = int(time.clock_gettime(time.CLOCK_BOOTTIME) * _TICKS)
        self.writes.append((start, end, what, when))
        if len(self.writes) > _MAX_WRITES:
            self.writes = _merged(self.writes)[-_MAX_WRITES // 2:]


def _told(pid, kind):
    if not target.is_local(pid):
        return 0
    try:
        return auxv_now(pid, kind)
    except VmsnapError:
        return 0  # not ours to look at


def _merged(writes):
    """By the page, neighbours as one."""
    merged = []
    for start, end, what, when in sorted((s // PAGE * PAGE, -(-e // PAGE) * PAGE, w, t) for s, e, w, t in writes):
        if merged and merged[-1][2] == what and start <= merged[-1][1]:
            start, before, _, earlier = merged.pop()
            end, when = max(end, before), max(when, earlier)
        merged.append((start, min(end, _ADDRESS_MAX), what, when))
    return merged


_processes = collections.OrderedDict()  # by pid, the one used last at the end
_changed = {}      # by number, breakpoints to look at before the program goes on
_changes = 0       # how often that changed
_hits = {}         # by number of the breakpoint
_calls = {}        # (pid, lwp) -> stack pages before an inferior call
_watching = False


def watch():
    global _watching
    if _watching:
        return
    _watching = True
    events = gdb.events
    for name, handler in (("breakpoint_created", _breakpoint_changed),
                          ("breakpoint_modified", _breakpoint_changed),
                          ("breakpoint_deleted", _breakpoint_deleted),
                          ("cont", _resumed), ("exited", _exited),
                          ("new_objfile", _files_changed), ("free_objfile", _files_changed),
                          ("inferior_call", _called), ("memory_changed", _wrote)):
        if hasattr(events, name):
            getattr(events, name).connect(handler)
    for breakpoint in gdb.breakpoints():
        _hits[breakpoint.number] = breakpoint.hit_count
    for inferior in target.live_inferiors():
        _process(inferior.pid)


def ranges(snapshot):
    """Right after it was taken."""
    try:
        process = _process(snapshot.pid, snapshot.start_time)
        return _as_told(process, snapshot) or _told_anew(process, snapshot)
    except _TROUBLE:
        return []


def _as_told(process, snapshot):
    """At a hit of a breakpoint mostly all is as it was at the last one."""
    if process.told is None or process.told[3] != _changes or not snapshot.has_code_of(process.told[0]):
        return None
    return process.told[2] if process.memory.holds(process.told[1]) else None


def _told_anew(process, snapshot):
    process.files.memory.clear()
    found = [Annotation(start, end - start, AnnotationKind.DEBUGGER_WRITE, 0, 0, "", what, "")
             for start, end, what, *_ in _code(process, snapshot) + process.writes]
    held = dict(process.files.memory)
    keeps = target.is_local(snapshot.pid) and None not in held.values()
    process.told = (snapshot, held, found, _changes) if keeps else None
    return found


def forked(parent, child):
    """The child of a fork, at the fork: its memory is the parent's."""
    known, start_time = _process(parent), target.start_time(child)
    if known is not None and start_time is not None:
        _keep(known.child(child, start_time))


def _process(pid, start_time=None):
    """What is known of it; None if there is no such process."""
    start_time = target.start_time(pid) if start_time is None else start_time
    if start_time is None:
        return None
    found = _processes.get(pid)
    if found is None or (found.start_time, found.generation) != (start_time, execs.generation(pid)):
        found = _inherited(pid, start_time) or _Process(pid, start_time, execs.generation(pid))
        # The breakpoints that are there already.  Of those in code that were not yet
        # inserted, the pages say so.
        inferior = target.inferior_of(pid)
        if inferior:
            found.note(_locations(gdb.breakpoints(), inferior))
    _keep(found)
    return found


def _inherited(pid, start_time):
    """Of a child that nobody told of: a checkpoint, made by a fork without an event."""
    parent = target.process(pid)
    parent = parent and _processes.get(parent.ppid)
    if parent is None or execs.generation(pid) or parent.start_time != target.start_time(parent.pid):
        return None
    return parent.child(pid, start_time)


def _keep(process):
    _processes[process.pid] = process
    _processes.move_to_end(process.pid)
    while len(_processes) > _MAX_PROCESSES:
        _processes.popitem(last=False)


# ---- code ----


def _code(process, snapshot):
    """(start, end, what) of what was inserted into code."""
    if process.code is None or not code_pages.are_there(snapshot, process.code):
        process.code, process.files = code_pages.mappings(snapshot), code_pages.Files()
    copied = code_pages.copied(snapshot, process.code)
    places = {**_maybe_inserted(process), **process.locations}
    _look_at(process, snapshot, copied, {address // PAGE * PAGE for address in places})
    found, told = [], set(process.strange)
    for address, what in places.items():
        page = address // PAGE * PAGE
        if page in copied:
            told.add(page)
        if page in process.strange or page not in copied and _mapping(process, page):
            continue  # not gdb's alone, or set, but not inserted: the page is still the file's
        found.append((address, address + 1, what))
    for page, (start, end, what) in process.explained.items():
        if page in copied and page not in told:
            found.append((start, end, what))
    return found


def _look_at(process, snapshot, pages, places):
    """Who wrote to pages of code that were copied.  Somebody else may write to one that gdb has
    written to; then it is no more gdb's doing.  places: pages with locations."""
    scratch = (process.entry, process.entry + _SCRATCH)
    written = [scratch, *((start, end) for start, end, *_ in process.writes)]
    process.strange &= pages
    for page in sorted(pages - (process.strange - places))[:_MAX_CHECKED]:
        local = target.is_local(snapshot.pid)
        foreign = process.files.is_foreign(snapshot, page, written) if local else None
        known = page in places or page in process.explained
        if foreign or foreign is None and not known:
            process.strange.add(page)
            continue
        process.strange.discard(page)
        if not known:
            process.explained[page] = _by_whom(process, _mapping(process, page), page)


def _maybe_inserted(process):
    """Breakpoints in code that were set since the program was last resumed, by hand or
    while it runs.  Whether they have been inserted, their page says."""
    inferior = target.inferior_of(process.pid) if _changed else None
    if inferior is None:
        return {}
    found = _locations(_changed.values(), inferior)
    return {address: what for address, what in found.items() if _mapping(process, address // PAGE * PAGE)}


def _mapping(process, page):
    return next((m for m in process.code if m.start <= page < m.end), None)


def _by_whom(process, mapping, page):
    if process.entry // PAGE * PAGE == page:
        return process.entry, process.entry + _SCRATCH, _DISPLACED
    if process.linker and mapping.name == _path_at(process, process.linker):
        return page, page + PAGE, _LINKER
    for name, what in _HOOKS if process.linker else _STATIC_HOOKS:
        offset = elf_symbol_offset(mapping.name, name)
        if offset is not None and 0 <= mapping.start + offset - mapping.offset - page < PAGE:
            address = mapping.start + offset - mapping.offset
            return address, address + 1, what
    return page, page + PAGE, _STEP


def _path_at(process, address):
    """Of the file whose code follows the address: the ELF header is not in the code."""
    return next((m.name for m in sorted(process.code) if m.end > address), None)


# ---- events; none may raise, since gdb would print that ----


def _locations(breakpoints, inferior):
    found = {}
    for breakpoint in breakpoints:
        try:
            # Neither hardware breakpoints nor catchpoints and watchpoints write to memory.
            if breakpoint.type != gdb.BP_BREAKPOINT or not breakpoint.enabled or breakpoint.pending:
                continue
            what = f"breakpoint {breakpoint.number}" if breakpoint.number > 0 else "an internal breakpoint"
            for location in breakpoint.locations:
                if location.enabled and inferior.num in (location.thread_groups or [inferior.num]):
                    found[location.address] = what
        except _TROUBLE:
            continue  # deleted meanwhile
    return found


def _breakpoint_changed(breakpoint):
    global _changes
    try:
        # Most often it was just hit, and gdb counted that.
        before, now = _hits.get(breakpoint.number), breakpoint.hit_count
        _hits[breakpoint.number] = now
        if before is None or now != before + 1:
            _changed[breakpoint.number] = breakpoint
            _changes += 1
    except _TROUBLE:
        pass


def _breakpoint_deleted(breakpoint):
    global _changes
    _changes += 1
    _changed.pop(breakpoint.number, None)
    _hits.pop(breakpoint.number, None)


def _resumed(event):
    """What is set is inserted only now.  Most often nothing has changed."""
    try:
        if not _changed and all(inferior.pid <= 0 or inferior.pid in _processes for inferior in gdb.inferiors()):
            return
        with remote.silent():
            for inferior in target.live_inferiors():
                process = _processes.get(inferior.pid)
                if process is None:
                    _process(inferior.pid)
                elif _changed:
                    process.note(_locations(_changed.values(), inferior))
        _changed.clear()
    except _TROUBLE:
        pass


def _files_changed(event):
    for process in _processes.values():
        process.code = process.told = None


def _exited(event):
    # Also after `detach`.
    pid = getattr(event.inferior, "pid", 0)
    _processes.pop(pid, None)


def _wrote(event):
    try:
        pid = target.pid()
        process = _process(pid) if pid else None
        if process:
            process.wrote(event.address, event.address + event.length, _WRITTEN)
    except _TROUBLE:
        pass


def _called(event):
    try:
        pid, key = event.ptid[0], event.ptid[:2]
        if isinstance(event, gdb.InferiorCallPreEvent):
            if target.pid() == pid and target.is_local(pid):
                _before_call(key)
        elif key in _calls:
            _after_call(pid, *_calls.pop(key))
    except _TROUBLE:
        pass


def _before_call(key):
    sp = int(gdb.newest_frame().read_register("sp")) & _ADDRESS_MAX
    end = sp // PAGE * PAGE + PAGE
    below = max(end - _STACK_LOOKED_AT, 0), end
    if len(_calls) > 1000:  # of threads that ended in their calls
        _calls.clear()
    _calls[key] = sp, below, pages_now(key[0], *below)


def _after_call(pid, sp, below, before):
    """gdb wrote right below the red zone; further down the called function did, by
    gdb's order: that is seen where a page was copied or came into being."""
    process = _process(pid)
    if process is None:
        return
    process.wrote(sp - _RED_ZONE - _CALL_BYTES, sp - _RED_ZONE, _CALL)
    for index, (old, new) in enumerate(zip(before, pages_now(pid, *below))):
        if old != new:
            start = below[0] + index * PAGE
            process.wrote(start, min(start + PAGE, sp), _CALL)
