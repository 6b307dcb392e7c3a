"""Where each thread has its thread-local variables.

gdb cannot list them.  The ELF files can, with their places in the file's block of
each thread; gdb, with libthread_db, knows where that block is.  Without libthread_db,
for a program linked statically or one that has just started, only the block of the
executable is known, by the ABI; of the libraries' then nothing is said."""

import collections
import re
import time

import gdb

from vmsnap import AnnotationKind, Annotation, elf_thread_locals
from vmsnap_gdb import quiet, tracing
from vmsnap_gdb.block_plans import bounded

_MAX_ANCHORS = 5    # symbols tried to find the block of a module
_LOOKUPS = 0.03     # seconds for types: any lookup may make gdb read debug information
_MAX_SPACES = 16
_MAX_THREADS = 1024  # whose names are kept
# Bytes below the thread pointer.  What malloc gives lies further away: from 128 KiB on it maps
# memory, which may lie just below, and what is smaller comes from its own areas.
_STATIC_MOST = 64 << 10
_NOT_YET = "not yet allocated storage"  # for any variable of the file
_X86_64 = "i386:x86-64"
_FS_BASE = 21 * 8  # in struct user of <sys/user.h>
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

_TROUBLE = (gdb.error, RuntimeError, ValueError, OverflowError, AttributeError, TypeError)


class _Module:
    """The thread-locals of one file that is loaded."""

    def __init__(self, objfile, found, is_program, unique, deadline):
        self.below = found.below_pointer if is_program else 0  # the thread pointer; 0: not known
        self.anchors = []    # (value, symbol or expression)
        self._names = {}     # by thread: (start of its block, names)
        self._types = {}     # by (place in the block, size)
        variables = {}       # the same may have two names
        for symbol in found.symbols:
            known = None
            # Of two static ones of one name gdb would give the first, twice.  The names
            # of Rust's new mangling gdb looks for in vain, everywhere.
            if unique(symbol.name) and not symbol.name.startswith("_R") and time.monotonic() < deadline:
                known = _debug_symbol(objfile, symbol)
            kind = bounded(str(known.type)) if known else ""
            name = known.print_name if known else symbol.name
            if known or (symbol.value, symbol.size) not in variables:
                variables[symbol.value, symbol.size] = (bounded(name), kind)
            if known:
                self._types[symbol.value, symbol.size] = known.type
                self.anchors.insert(0, (symbol.value, known))
            elif unique(symbol.name) and _IDENTIFIER.match(symbol.name):
                self.anchors.append((symbol.value, "&" + symbol.name))
        del self.anchors[_MAX_ANCHORS:]
        self.variables = [(value, size, name, kind) for (value, size), (name, kind) in variables.items()]

    def start(self, pointer, local):
        """Where the block of the selected thread is, whose thread pointer is given (0: unknown);
        None if that is not known."""
        if pointer and self.below:
            return pointer - self.below if pointer > self.below else None
        if not local:
            return None
        start = self._asked()
        # What is loaded with the program has its block in one piece with the thread's control block,
        # at a distance that the dynamic linker chose for all threads.  Of what was loaded
        # later each thread has its block from malloc: elsewhere, or not yet.
        if start is not None and 0 < pointer - start <= _STATIC_MOST:
            self.below = pointer - start
        return start

    def _asked(self):
        """By gdb, which may look it up in the C library's own tables: 1 ms and more."""
        for value, anchor in list(self.anchors) if _answers(gdb.selected_inferior().pid) else ():
            try:
                address = _evaluate(anchor)
            except gdb.error as error:
                if _NOT_YET in str(error):
                    return None
                continue
            if address is None:
                self.anchors.remove((value, anchor))
            elif address >= value:
                return address - value
        return None

    def types(self, names, start):
        """Yields (name, its gdb.Type) of those that names() gave."""
        for name in names:
            kind = self._types.get((name.address - start, name.size))
            if kind is not None:
                yield name, kind

    def names(self, start, tid):
        """Of a thread whose block is there."""
        known = self._names.get(tid)
        if known is None or known[0] != start:
            made = [Annotation(start + value, size, AnnotationKind.THREAD_LOCAL, tid, 0, "", name, kind)
                    for value, size, name, kind in self.variables]
            if len(self._names) >= _MAX_THREADS:
                self._names.clear()
            known = self._names[tid] = start, made
        return known[1]


_RESTARTED = re.compile(r"^\* *[1-9]", re.MULTILINE)
_answering = collections.OrderedDict()  # pid -> whether gdb may be asked


def _answers(pid):
    """Not of a checkpoint that was restarted: there, gdb 13 crashes when it is asked for
    a thread-local variable."""
    if pid not in _answering:
        text = quiet.ask("info checkpoints")
        if not text:
            return False  # gdb may not be asked now
        _answering[pid] = not _RESTARTED.search(text)
        while len(_answering) > _MAX_SPACES:
            _answering.popitem(last=False)
    return _answering[pid]


def _evaluate(anchor):
    if not isinstance(anchor, str):
        address = anchor.value().address
        return None if address is None else int(address)
    value = gdb.parse_and_eval(anchor)
    # Without debug information.  Any other type is of another variable of that name.
    return int(value) if "thread local variable, no debug info" in str(value.type) else None


def _debug_symbol(objfile, symbol):
    for lookup in ((objfile.lookup_static_symbol, objfile.lookup_global_symbol) if symbol.local else
                   (objfile.lookup_global_symbol, objfile.lookup_static_symbol)):
        try:
            found = lookup(symbol.name)
            if found and found.is_variable and not found.needs_frame \
                    and found.addr_class == gdb.SYMBOL_LOC_COMPUTED:
                return found
        except _TROUBLE:
            pass
    return None


def _modules(space):
    objfiles = [o for o in space.objfiles() if o.is_valid() and o.filename]
    read = {}
    for objfile in objfiles:
        # Of a stripped program its separate file knows more.  Not so of libraries: the
        # C library alone has some twenty secrets on the page of the program's own.
        owner = objfile.owner or objfile
        if objfile.owner and owner.filename != space.filename:
            continue
        found = elf_thread_locals(objfile.filename)
        if found.symbols and (owner not in read or found.complete):
            read[owner] = found
    count = collections.Counter(symbol.name for found in read.values() for symbol in found.symbols)
    deadline = time.monotonic() + _LOOKUPS
    return [_Module(objfile, found, objfile.filename == space.filename, lambda name: count[name] == 1, deadline)
            for objfile, found in read.items()]


_spaces = {}  # program space -> (what was loaded, its modules)


def _modules_of(space):
    # Which objects gdb has for the files that are loaded: 5 µs, and right after dlopen,
    # dlclose, exec and a new run without an event.
    loaded = space.objfiles()
    known = _spaces.get(space)
    if known and len(known[0]) == len(loaded) and all(a is b for a, b in zip(known[0], loaded)):
        return known[1]
    modules = _modules(space)
    if len(_spaces) >= _MAX_SPACES:
        _spaces.clear()
    _spaces[space] = (loaded, modules)
    return modules


def _thread_pointer(frame, local):
    """Of the selected thread; 0: not known, or not set up yet by the C library."""
    if frame.architecture().name() != _X86_64:
        return 0
    # By gdb's registers it takes 75 us.
    pointer = tracing.word_of_user(gdb.selected_thread().ptid[1], _FS_BASE) if local else None
    return int(frame.read_register("fs_base")) & 0xFFFFFFFFFFFFFFFF if pointer is None else pointer


def of_thread(space, frame, tid, types=None, local=True, pointer=None):
    """The names of the selected thread, whose newest frame is given, or its thread pointer.  types: as of
    variables.collect().  Not local: those of the program alone, whose place the ABI tells; to look up a library's takes
    gdb up to a hundred packets."""
    names, modules = [], _modules_of(space)
    if pointer is None:
        pointer = _thread_pointer(frame, local) if modules else 0
    for module in modules:
        try:
            start = module.start(pointer, local)
        except _TROUBLE:
            continue
        if start is not None:
            found = module.names(start, tid)
            names.extend(found)
            if types is not None:
                types.update((tuple(name[:4]) + tuple(name[5:]), kind) for name, kind in module.types(found, start))
    return names
