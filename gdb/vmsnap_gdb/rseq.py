"""Where the kernel itself writes into a process's memory while nobody asks it to: the area of each thread
that rseq(2) is about, in which it notes on which processor the thread runs.

The GNU C library registers one for each thread and says where (2.35 and later): at __rseq_offset from
the thread pointer."""

import gdb

from vmsnap_gdb import execs, language, target, tracing

_X86_64 = "i386:x86-64"
_FS_BASE = 21 * 8  # in struct user of <sys/user.h>
_SIZE = 32         # of struct rseq, as it began; the fields that the kernel writes are in there
_STARTED = 3       # files: program, dynamic linker, vDSO; with the next one the linker has registered
_MOST = 64
_TROUBLE = (gdb.error, RuntimeError, ValueError, OverflowError, AttributeError)


def areas(inferior):
    """[(start, end)]"""
    try:
        if gdb.selected_inferior() != inferior or gdb.selected_thread() is None:
            return []
        if not target.is_local(inferior.pid):
            return []
        offset = _offset(inferior)
        if offset is None:
            return []
        pointers = list(_thread_pointers(inferior))
    except _TROUBLE:
        return []
    return [(pointer + offset, pointer + offset + _SIZE) for pointer in pointers if pointer and pointer + offset > 0]


# (pid, its start time, exec generation, how many files are loaded) -> offset.  To look a name up that no debug
# information has takes gdb a millisecond.
_known = {}


def _offset(inferior):
    """From the thread pointer; None: not registered, or not yet."""
    pid = inferior.pid
    key = pid, target.start_time(pid), execs.generation(pid), len(inferior.progspace.objfiles())
    if key not in _known:
        try:
            with language.of_c():
                registered = int(gdb.parse_and_eval("*(unsigned *) &__rseq_size"))
                found = int(gdb.parse_and_eval("*(long *) &__rseq_offset")) if registered else None
        except gdb.error:
            found = None
        if found is None and len(inferior.progspace.objfiles()) < _STARTED:
            return None  # it may be registered yet
        if len(_known) > _MOST:
            _known.clear()
        _known[key] = found
    return _known[key]


def _thread_pointers(inferior):
    if gdb.newest_frame().architecture().name() == _X86_64:
        for thread in inferior.threads():
            yield tracing.word_of_user(thread.ptid[1], _FS_BASE)
    else:
        yield int(gdb.newest_frame().read_register("tpidr"))  # arm64's, of the selected thread
