"""What the symbol table of an ELF file says."""

import collections
import os
from ctypes import CFUNCTYPE, POINTER, byref, c_bool, c_uint64, c_void_p

from vmsnap import _header, _lib, errors, given
from vmsnap._lib import lib
from vmsnap.errors import VmsnapError

# value: from the start of the file's block.  local: not seen outside its file.
ThreadLocal = collections.namedtuple("ThreadLocal", "name value size local")
# complete: static ones are among them.  below_pointer: bytes from the start of a program's
# block up to the thread pointer, by the ABI of x86-64; 0: unknown.
ThreadLocals = collections.namedtuple("ThreadLocals", "symbols complete below_pointer")

_SYMBOL_FN = CFUNCTYPE(c_bool, c_void_p, POINTER(_header.ElfSymbol))
_NONE = ThreadLocals((), True, 0)


def elf_thread_locals(path):
    """ThreadLocals of a file; without any if it has none or cannot be read."""
    found = []

    def note(_, symbol):
        made = symbol.contents
        found.append(ThreadLocal(os.fsdecode(made.name), made.value, made.size, made.local))
        return True

    tls = _lib.struct(_header.ElfTls)
    try:
        _lib.call_holding_interrupts(lib().vmsnap_elf_thread_locals, given.raw(path, "the file's name"), byref(tls),
                                     _SYMBOL_FN(note), None)
    except VmsnapError as error:
        if error.code not in (errors.NOT_FOUND, errors.SYSTEM):
            raise
        return _NONE
    return ThreadLocals(tuple(found), tls.complete, tls.below_pointer)


def elf_symbol_offset(path, name):
    """Where in the file the bytes of a symbol lie; None if it has no such symbol or cannot be
    read."""
    offset = c_uint64()
    try:
        lib().vmsnap_elf_symbol_offset(given.raw(path, "the file's name"), given.raw(name, "the symbol"),
                                       byref(offset))
    except VmsnapError as error:
        if error.code not in (errors.NOT_FOUND, errors.SYSTEM):
            raise
        return None
    return offset.value
