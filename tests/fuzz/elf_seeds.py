"""Small ELF files, put together byte by byte: no compiler is needed, and all are alike everywhere.

An input of fuzz_elf is a program or library and, after SEPARATOR, its separate debug file.
"""

import lzma
import struct
import zlib

SEPARATOR = b"\0DEBUGFILE\0"
PROGBITS, SYMTAB, STRTAB, HASH, DYNAMIC, NOTE, NOBITS, DYNSYM, SYMTAB_SHNDX = 1, 2, 3, 5, 6, 7, 8, 11, 18
GNU_HASH = 0x6ffffff6
WRITE, ALLOC, EXEC, COMPRESSED = 1, 2, 4, 0x800
X86_64, I386, S390, PPC64, ALPHA = 62, 3, 22, 21, 0x9026
DATA = 0x3000  # where the second segment is; the first one's addresses are offsets
ID = bytes(range(0xa0, 0xb4))


class Elf:
    def __init__(self, bits=64, big=False, machine=X86_64, kind=3):
        self.bits, self.big, self.machine, self.kind = bits, big, machine, kind
        self.sections = []  # (name, type, flags, address, offset, size, link, info, align, entry size)
        self.segments = []  # (type, flags, offset, address, file size, memory size)
        self.body = bytearray()

    def pack(self, layout, *values):
        """W is a word of the class; else as for struct."""
        layout = layout.replace("W", "Q" if self.bits == 64 else "I")
        return struct.pack((">" if self.big else "<") + layout, *values)

    def start(self):
        return 64 + 4 * 56 if self.bits == 64 else 52 + 4 * 32

    def here(self):
        return self.start() + len(self.body)

    def put(self, data):
        self.body += bytes(-len(self.body) % 8)
        at = self.here()
        self.body += data
        return at

    def section(self, name, kind, data, flags=0, address=None, link=0, info=0, entry=0, size=None, align=1):
        at = self.put(data)
        address = at if address is None and flags & ALLOC else address or 0
        size = len(data) if size is None else size
        self.sections.append((name, kind, flags, address, at, size, link, info, align, entry))
        return len(self.sections)  # its index: 0 is the empty one

    def symbol(self, name, value, size, info, section):
        if self.bits == 64:
            return self.pack("IBBHQQ", name, info, 0, section, value, size)
        return self.pack("IIIBBH", name, value, size, info, 0, section)

    def symbols(self, names, table=".symtab", strings=".strtab", kind=SYMTAB, flags=0, squeeze=False, index=False):
        """names: (name, value, size, binding << 4 | type, section)"""
        text, rows = bytearray(1), [self.symbol(0, 0, 0, 0, 0)]
        for name, value, size, info, section in names:
            rows.append(self.symbol(len(text), value, size, info, 0xffff if index else section))
            text += name + b"\0"
        data, text = b"".join(rows), bytes(text)
        if squeeze:
            data, text, flags = self.squeezed(data), self.squeezed(text), flags | COMPRESSED
        link = self.section(strings, STRTAB, text, flags)
        entry = 24 if self.bits == 64 else 16
        at = self.section(table, kind, data, flags, link=link, info=1, entry=entry, align=8)
        if index:
            places = self.pack("%dI" % (len(names) + 1), 0, *(name[4] for name in names))
            self.section(".symtab_shndx", SYMTAB_SHNDX, places, link=at, entry=4, align=4)
        return at

    def squeezed(self, data):
        layout = "IIQQ" if self.bits == 64 else "III"
        values = (1, 0, len(data), 1) if self.bits == 64 else (1, len(data), 1)
        return self.pack(layout, *values) + zlib.compress(data)

    def note(self, build_id=ID):
        data = self.pack("III", 4, 4, 1) + b"GNU\0" + bytes(4)  # another one comes first
        data += self.pack("III", 4, len(build_id), 3) + b"GNU\0" + build_id
        data += bytes(-len(data) % 4)
        self.section(".note.gnu.build-id", NOTE, data, ALLOC, align=4)
        at, size = self.sections[-1][4:6]
        self.segments.append((4, 4, at, at, size, size))

    def code(self):
        self.section(".text", PROGBITS, b"\xc3" * 32, ALLOC | EXEC, address=0x400, size=32)
        at = self.section(".data", PROGBITS, b"data" * 4, ALLOC | WRITE, address=DATA)
        self.section(".bss", NOBITS, b"", ALLOC | WRITE, address=DATA + 16, size=0x200)
        self.segments.append((1, 6, self.sections[at - 1][4], DATA, 16, 0x210))

    def link(self, name=b"x.debug", crc=0):
        data = name + bytes(4 - len(name) % 4) + self.pack("I", crc)
        self.section(".gnu_debuglink", PROGBITS, data)

    def header(self, sections_at, count, names):
        ident = b"\x7fELF" + bytes([self.bits // 32, 2 if self.big else 1, 1]) + bytes(9)
        sizes = (64, 56, 4, 64) if self.bits == 64 else (52, 32, 4, 40)
        return ident + self.pack("HHIWWWIHHHHHH", self.kind, self.machine, 1, 0x400, sizes[0], sections_at, 0,
                                 *sizes, count, names)

    def segment(self, kind, flags, offset, address, file_size, memory_size):
        if self.bits == 64:
            return self.pack("IIQQQQQQ", kind, flags, offset, address, address, file_size, memory_size, 1)
        return self.pack("IIIIIIII", kind, offset, address, address, file_size, memory_size, flags, 1)

    def bytes(self, bare=False):
        if not bare:
            names = b"\0" + b"".join(s[0].encode() + b"\0" for s in self.sections) + b".shstrtab\0"
            self.section(".shstrtab", STRTAB, names)
        self.put(b"")
        headers, at = b"", 1
        for name, kind, flags, address, offset, size, link, info, align, entry in self.sections:
            headers += self.pack("IIWWWWIIWW", at, kind, flags, address, offset, size, link, info, align, entry)
            at += len(name) + 1
        segments = [(1, 5, 0, 0, 0x1000, 0x1000)] + self.segments
        segments += [(0, 0, 0, 0, 0, 0)] * (4 - len(segments))
        count = 0 if bare else len(self.sections) + 1
        head = self.header(0 if bare else self.here(), count, max(count - 1, 0))
        head += b"".join(self.segment(*s) for s in segments)
        empty = bytes(64 if self.bits == 64 else 40)
        return head + bytes(self.body) + (b"" if bare else empty + headers)


FUNCTION, OBJECT, WEAK, LOCAL = 0x12, 0x11, 0x22, 0x02
NAMES = [(b"local", 0x400, 8, LOCAL, 1), (b"main", 0x408, 16, FUNCTION, 1), (b"inner", 0x40a, 4, WEAK, 1),
         (b"alias", 0x408, 16, WEAK, 1), (b"no_size", 0x41c, 0, 0x10, 1), (b"answer", DATA + 4, 4, OBJECT, 2),
         (b"zeros", DATA + 16, 0x100, OBJECT, 3), (b"_end", DATA + 0x210, 0, 0x10, 3), (b"tls", 8, 4, 0x16, 3),
         (b"far", 0x400, 1 << 31, FUNCTION, 1), (b"undefined", 0, 0, FUNCTION, 0), (b"", 0x404, 4, FUNCTION, 1)]


def plain(**how):
    elf = Elf(**how)
    elf.code()
    elf.note()
    return elf


def with_symbols(index=False, squeeze=False, **how):
    elf = plain(**how)
    elf.symbols(NAMES, index=index, squeeze=squeeze)
    return elf.bytes()


def dynamic(elf):
    elf.symbols(NAMES[1:6], ".dynsym", ".dynstr", DYNSYM, ALLOC)
    return elf


def small():
    """What is said of mini debug info: sections that are empty but for the symbols."""
    elf = Elf()
    elf.section(".text", NOBITS, b"", ALLOC | EXEC, address=0x400, size=32)
    elf.symbols([(b"hidden", 0x410, 8, LOCAL, 1), (b"visible", 0x418, 8, FUNCTION, 1)])
    return elf


def mini(inside, also=b"", packed=None, **how):
    elf = dynamic(plain())
    packed = packed or lzma.compress(inside, lzma.FORMAT_XZ, **how)
    elf.section(".gnu_debugdata", PROGBITS, packed)
    if also:
        elf.section(".gnu_debugdata", PROGBITS, also)
    return elf.bytes()


def by_segments(gnu=False, **how):
    """No section headers: what the dynamic linker needs is what there is."""
    elf = plain(**how)
    rows, text = [elf.symbol(0, 0, 0, 0, 0)], bytearray(1)
    for name, value, size, info, section in NAMES[1:6]:
        rows.append(elf.symbol(len(text), value, size, info, section))
        text += name + b"\0"
    if gnu:  # header, filter, two buckets, chain
        table = elf.pack("IIIIW2I5I", 2, 1, 1, 0, 0, 1, 3, 2, 3, 2, 2, 3)
    elif elf.bits == 64 and elf.machine in (S390, ALPHA):
        table = elf.pack("QQQ6Q", 1, 6, 1, *range(6))
    else:
        table = elf.pack("III6I", 1, 6, 1, *range(6))
    hashes, symbols, strings = elf.put(table), elf.put(b"".join(rows)), elf.put(bytes(text))
    tags = [(0x6ffffef5 if gnu else 4, hashes), (6, symbols), (5, strings), (10, len(text)), (0, 0)]
    data = b"".join(elf.pack("WW", *tag) for tag in tags)
    at = elf.put(data)
    elf.segments.append((2, 6, at, at, len(data), len(data)))
    return elf.bytes(bare=True)


def debug_file():
    elf = Elf()
    elf.section(".text", NOBITS, b"", ALLOC | EXEC, address=0x400, size=32)
    elf.note()
    elf.symbols(NAMES[:4])
    return elf.bytes()


def linked():
    elf = dynamic(plain())
    elf.link()
    return elf.bytes() + SEPARATOR + debug_file()


def linked_by_crc():
    other = small().bytes()
    elf = dynamic(Elf())
    elf.link(crc=zlib.crc32(other))
    return elf.bytes() + SEPARATOR + other


def descriptors():
    """Functions of 64-bit PowerPC: their symbols stand for an entry of .opd."""
    elf = plain(big=True, machine=PPC64)
    elf.section(".opd", PROGBITS, elf.pack("QQQ", 0x400, 0, 0), ALLOC | WRITE, address=DATA + 0x80)
    elf.symbols([(b"function", DATA + 0x80, 24, FUNCTION, 5)])
    return elf.bytes()


# Of DWARF: tags, attributes, forms; and a small language for entries.
POINTER, STRUCT, TYPEDEF, UNION, ARRAY, ENUM, MEMBER, UNIT, SUBRANGE = 15, 19, 22, 23, 1, 4, 13, 17, 33
BASE, CONST, ENUMERATOR, FUNCTION_TAG, VARIABLE, NAMESPACE, TYPE_UNIT = 36, 38, 40, 46, 52, 57, 65
NAME, SIZE, BITS, VALUE, UPPER, WHERE, ENCODING, TYPE, LOCATION, SIBLING = 3, 11, 13, 28, 47, 56, 62, 73, 2, 1
BIT_OFFSET, SPECIFICATION, SIGNATURE = 107, 71, 105
STRING, DATA1, DATA4, DATA8, SDATA, UDATA, BLOCK, REF4, STRP, FLAG, REF_SIG8 = 8, 11, 6, 7, 13, 15, 10, 19, 14, 25, 32


def uleb(value):
    made = bytearray()
    while True:
        made.append(value & 0x7f | (0x80 if value > 0x7f else 0))
        value >>= 7
        if not value:
            return bytes(made)


class Dwarf:
    """One unit.  Each entry has an abbreviation of its own."""

    def __init__(self, elf, version=5, types=False):
        self.elf, self.version, self.types = elf, version, types
        word = 8 if elf.bits == 64 else 4
        self.abbrevs, self.count, self.places, self.later = bytearray(), 0, {}, []
        self.body = bytearray(self.head(0, word))

    def head(self, length, word):
        kind = (2 if self.types else 1,)
        head = self.elf.pack("IH", length, self.version)
        head += self.elf.pack("BBI", *kind, word, 0) if self.version > 4 else self.elf.pack("IB", 0, word)
        return head + (self.elf.pack("QI", 0x1122334455667788, 0x30) if self.types else b"")

    def entry(self, tag, name=None, children=False, **attributes):
        """Attributes are forms and what is there: TYPE=(REF4, "name of another")."""
        self.count += 1
        self.places[name] = len(self.body)
        self.abbrevs += uleb(self.count) + uleb(tag) + bytes([children])
        self.body += uleb(self.count)
        given = dict(attributes, **({"NAME": (STRING, name.split("/")[0].encode() + b"\0")} if name else {}))
        for attribute, (form, value) in given.items():
            self.abbrevs += uleb(globals()[attribute]) + uleb(form)
            self.put(form, value)
        self.abbrevs += bytes(2)

    def put(self, form, value):
        if isinstance(value, bytes):
            self.body += (bytes([len(value)]) if form == BLOCK else b"") + value
        elif form == REF4:
            self.later.append((len(self.body), value))
            self.body += bytes(4)
        elif form in (UDATA, SDATA):
            self.body += uleb(value)
        else:
            self.body += self.elf.pack({DATA1: "B", DATA4: "I", DATA8: "Q", REF_SIG8: "Q"}[form], value)

    def end(self):
        self.body += b"\0"

    def at(self, address):
        return (BLOCK, b"\x03" + self.elf.pack("W", address))

    def done(self, squeeze=False):
        for place, name in self.later:
            self.body[place:place + 4] = self.elf.pack("I", self.places[name])
        self.body[:4] = self.elf.pack("I", len(self.body) - 4)
        abbrevs, info = bytes(self.abbrevs) + b"\0", bytes(self.body)
        flags = COMPRESSED if squeeze else 0
        if squeeze:
            abbrevs, info = self.elf.squeezed(abbrevs), self.elf.squeezed(info)
        self.elf.section(".debug_abbrev", PROGBITS, abbrevs, flags)
        self.elf.section(".debug_types" if self.types and self.version < 5 else ".debug_info", PROGBITS, info, flags)
        return self.elf.bytes()


def typed(version=5, squeeze=False, elf=None, **how):
    """Variables of all kinds of types."""
    elf = elf or plain(**how)
    d = Dwarf(elf, version)
    d.entry(UNIT, "unit", True)
    for name, encoding, size in (("int", 5, 4), ("char", 6, 1), ("double", 4, 8), ("bool", 2, 1), ("complex", 3, 16),
                                 ("unsigned", 7, 4), ("wide", 5, 16), ("odd", 99, 3)):
        d.entry(BASE, name, ENCODING=(DATA1, encoding), SIZE=(DATA1, size))
    d.entry(POINTER, "p/t", TYPE=(REF4, "node"))
    d.entry(STRUCT, "node", True, SIZE=(DATA1, 24))
    d.entry(MEMBER, "next", TYPE=(REF4, "p/t"), WHERE=(DATA1, 0))
    d.entry(MEMBER, "v", TYPE=(REF4, "int"), WHERE=(DATA1, 8))
    d.entry(MEMBER, "bits", TYPE=(REF4, "unsigned"), BITS=(DATA1, 5), BIT_OFFSET=(UDATA, 99))
    d.entry(MEMBER, "expr", TYPE=(REF4, "int"), WHERE=(BLOCK, b"\x23\x10"))
    d.end()
    d.entry(STRUCT, "self", True, SIZE=(DATA1, 8))
    d.entry(MEMBER, "again", TYPE=(REF4, "self"), WHERE=(DATA1, 0))
    d.end()
    d.entry(UNION, "either", True, SIZE=(DATA1, 8))
    d.entry(MEMBER, "i", TYPE=(REF4, "int"))
    d.entry(MEMBER, "d", TYPE=(REF4, "double"))
    d.end()
    d.entry(ENUM, "color", True, SIZE=(DATA1, 4), TYPE=(REF4, "int"))
    d.entry(ENUMERATOR, "RED", VALUE=(SDATA, 1))
    d.entry(ENUMERATOR, "BLUE", VALUE=(SDATA, 2))
    d.end()
    for name, element, upper in (("text/a", "char", 15), ("rows/a", "node", 7), ("huge/a", "either", (1 << 60) - 1)):
        d.entry(ARRAY, name, True, TYPE=(REF4, element))
        d.entry(SUBRANGE, None, UPPER=(DATA8, upper))
        d.end()
    d.entry(TYPEDEF, "alias", TYPE=(REF4, "loop"))
    d.entry(TYPEDEF, "loop", TYPE=(REF4, "alias"))
    d.entry(CONST, None, TYPE=(REF4, "rows/a"))
    d.entry(NAMESPACE, "shop", True)
    d.entry(FUNCTION_TAG, "buy", True)
    address = DATA
    for name in ("int", "char", "double", "bool", "complex", "wide", "odd", "p/t", "node", "self", "either", "color", "text/a",
                 "rows/a", "huge/a", "alias"):
        d.entry(VARIABLE, "v_" + name, TYPE=(REF4, name), LOCATION=d.at(address))
        address += 16
    for _ in range(3):
        d.end()
    return d.done(squeeze)


def typed_apart():
    elf = dynamic(plain())
    elf.link()
    debug = Elf()
    debug.section(".text", NOBITS, b"", ALLOC | EXEC, address=0x400, size=32)
    debug.note()
    return elf.bytes() + SEPARATOR + typed(elf=debug)


def deep(depth=200):
    """Arrays of arrays, and blocks in blocks."""
    d = Dwarf(plain())
    d.entry(UNIT, "unit", True)
    d.entry(BASE, "t0", ENCODING=(DATA1, 5), SIZE=(DATA1, 4))
    for i in range(1, depth):
        d.entry(ARRAY, f"t{i}", True, TYPE=(REF4, f"t{i - 1}"))
        d.entry(SUBRANGE, None, UPPER=(DATA1, 1))
        d.end()
    for _ in range(depth):
        d.entry(11, None, True)
    d.entry(VARIABLE, "deep", TYPE=(REF4, f"t{depth - 1}"), LOCATION=d.at(DATA))
    return d.done()


def seeds():
    """(name, bytes)"""
    yield "elf64", with_symbols()
    yield "elf64-big", with_symbols(big=True, machine=S390)
    yield "elf32", with_symbols(bits=32, machine=I386)
    yield "elf32-big", with_symbols(bits=32, big=True, machine=20)
    yield "elf64-exec", with_symbols(kind=2)
    yield "elf64-index", with_symbols(index=True)
    yield "elf64-compressed", with_symbols(squeeze=True)
    yield "elf32-compressed", with_symbols(bits=32, machine=I386, squeeze=True)
    yield "dynsym", dynamic(plain()).bytes()
    yield "dynsym-big", dynamic(plain(big=True, machine=S390)).bytes()
    yield "mini", mini(small().bytes())
    yield "mini-stored", mini(small().bytes(), check=lzma.CHECK_NONE, preset=0)
    yield "mini-twice", mini(small().bytes(), also=lzma.compress(bytes(64)))
    yield "mini-damaged", mini(b"not an ELF file")
    yield "mini-dynamic", mini(dynamic(Elf()).bytes())
    yield "mini-unpacked", mini(b"", packed=small().bytes())
    yield "linked", linked()
    yield "linked-crc", linked_by_crc()
    yield "bare-hash", by_segments()
    yield "bare-gnu-hash", by_segments(gnu=True)
    yield "bare-gnu-hash-32", by_segments(gnu=True, bits=32, machine=I386)
    yield "bare-hash-big", by_segments(big=True, machine=S390)
    yield "opd", descriptors()
    yield "types", typed()
    yield "types-4", typed(4)
    yield "types-2", typed(2)
    yield "types-big", typed(big=True, machine=S390)
    yield "types-32", typed(4, bits=32, machine=I386)
    yield "types-32-big", typed(5, bits=32, big=True, machine=20)
    yield "types-compressed", typed(squeeze=True)
    yield "types-apart", typed_apart()
    yield "types-deep", deep()
    yield "note-only", plain().bytes()
    yield "no-elf", b"#!/bin/sh\n"
