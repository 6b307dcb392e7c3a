"""What the symbol tables of an ELF file say.  Knows the file; no gdb.

The file may be damaged or hostile: every count is held against what was read, and
it is read, not mapped, since a mapped file that shrinks kills its reader."""

import collections
import contextlib
import os
import re
import stat
import struct

# value: from the start of the file's block.  local: not seen outside its file.
ThreadLocal = collections.namedtuple("ThreadLocal", "name value size local")
# block: bytes from the start of the executable's block up to the thread pointer, by
# the x86-64 ABI; None for other machines.
ThreadLocals = collections.namedtuple("ThreadLocals", "symbols complete block")

NO_THREAD_LOCALS = ThreadLocals((), True, None)

_MAX_TABLE = 64 << 20  # bytes of a symbol table, 2.8 million symbols
_MAX_THREAD_LOCALS = 1000
_MAX_NAME = 200

_PT_LOAD, _PT_TLS, _SHT_SYMTAB, _SHT_DYNSYM = 1, 7, 2, 11
_EM_X86_64 = 62
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_ENTRY = struct.Struct("<IBBHQQ")
_TLS_INFO = re.compile(b"[" + b"".join(re.escape(bytes([6 | bind << 4])) for bind in range(16)) + b"]")


class _Elf:
    """An open file.  64-bit and little-endian; of others gdb tells, or nobody."""

    def __init__(self, file):
        self.file = file
        (ident, _, self.machine, _, _, programs, sections, _, _, program_size, program_count,
         section_size, section_count, _) = _HEADER.unpack(self.exactly(0, _HEADER.size))
        if ident[:6] != b"\x7fELF\x02\x01" or program_size != _PROGRAM.size:
            raise struct.error("not an ELF file that we read")
        self.programs = list(_PROGRAM.iter_unpack(self.exactly(programs, program_count * _PROGRAM.size)))
        self._sections = (sections, section_count if section_size == _SECTION.size else 0)

    def exactly(self, offset, size):
        data = os.pread(self.file, size, offset)
        if len(data) != size:
            raise struct.error("the file ends too early")
        return data

    def symbols(self):
        """(entries, offset of the names, their size, whether that is all), of .symtab
        or else .dynsym; None if there is neither."""
        offset, count = self._sections
        table = list(_SECTION.iter_unpack(self.exactly(offset, count * _SECTION.size)))
        for kind in (_SHT_SYMTAB, _SHT_DYNSYM):
            for section in table:
                if section[1] == kind and section[6] < len(table) and section[5] <= _MAX_TABLE:
                    strings = table[section[6]]
                    size = section[5] - section[5] % _ENTRY.size
                    return self.exactly(section[4], size), strings[4], strings[5], kind == _SHT_SYMTAB
        return None


@contextlib.contextmanager
def _opened(path):
    # Not to hang on a FIFO that has taken the file's place.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("not a file")
        yield _Elf(file)
    finally:
        os.close(file)


# What reading a file that is missing, damaged or none of ours ends with.
_TROUBLE = (OSError, ValueError, OverflowError, struct.error)


def thread_locals(path):
    try:
        with _opened(path) as elf:
            return _thread_locals(elf)
    except _TROUBLE:
        return NO_THREAD_LOCALS


def _thread_locals(elf):
    tls = next((program for program in elf.programs if program[0] == _PT_TLS), None)
    if not tls:
        return NO_THREAD_LOCALS
    _, _, _, address, _, _, size, align = tls
    # As lld and GNU ld count: the block ends at the thread pointer, rounded down to
    # the alignment.
    block = size + (-address - size) % (align or 1) if elf.machine == _EM_X86_64 else None
    table = elf.symbols()
    if not table:
        return ThreadLocals((), False, block)
    data, strings, strings_size, complete = table
    found = []
    # The byte with the type of every entry, side by side: quicker than to unpack
    # a million entries to find the three that are meant.
    for match in _TLS_INFO.finditer(data[4::_ENTRY.size]):
        name, info, _, section, value, length = _ENTRY.unpack_from(data, match.start() * _ENTRY.size)
        if not section or not length or value > size or length > size - value or name >= strings_size:
            continue  # defined elsewhere, or nonsense
        raw = os.pread(elf.file, min(_MAX_NAME, strings_size - name), strings + name).split(b"\0", 1)[0]
        if raw:
            found.append(ThreadLocal(os.fsdecode(raw), value, length, info >> 4 == 0))
        if len(found) >= _MAX_THREAD_LOCALS:
            break
    return ThreadLocals(tuple(found), complete, block)


def offset_of(path, name):
    """Where in the file the symbol `name` (bytes) lies, or None."""
    try:
        with _opened(path) as elf:
            return _offset_of(elf, name)
    except _TROUBLE:
        return None


def _offset_of(elf, name):
    table = elf.symbols()
    if not table or table[2] > _MAX_TABLE:
        return None
    data, strings, strings_size, _ = table
    at = elf.exactly(strings, strings_size).find(b"\0" + name + b"\0") + 1
    if not at:
        return None
    wanted, position = struct.pack("<I", at), -1
    while True:
        position = data.find(wanted, position + 1)
        if position < 0:
            return None
        if position % _ENTRY.size == 0:
            value = _ENTRY.unpack_from(data, position)[4]
            break
    for kind, _, offset, address, _, in_file, _, _ in elf.programs:
        if kind == _PT_LOAD and address <= value < address + in_file:
            return offset + value - address
    return None
