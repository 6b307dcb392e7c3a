"""gdb's types as bytes that a snapshot keeps (docs/format.md, TYPE), for who has no debug information later.

    of(snapshot, names)   bytes, of the variables of its frames and threads, and of the program's globals"""

import time

import gdb

from vmsnap import NameKind, Perm
from vmsnap_gdb import language, render, types_of
from vmsnap_gdb.block_plans import bounded

_BYTES, _SIGNED, _UNSIGNED, _BOOL, _CHAR, _UCHAR, _WIDE, _FLOAT, _ENUM, _POINTER, _STRUCT, _UNION, _ARRAY = range(13)
_VERSION, _BIG_ENDIAN = 1, 1
_MOST_TYPES, _MOST_MEMBERS, _MOST_DEPTH = 20000, 4096, 24
_POINTERS_FOLLOWED = 3
_MOST_GLOBALS, _SECONDS = 20000, 1.0
_LONG_DOUBLE = 10  # bytes that count of one on x86
_TROUBLE = (gdb.error, RuntimeError, ValueError, OverflowError, AttributeError, TypeError)


def _number(value):
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(found + bytes((value,)))


def _zigzag(value):
    value &= (1 << 64) - 1
    value -= value >> 63 << 64
    return _number((value << 1 ^ value >> 63) & ((1 << 64) - 1))


def _string(text):
    raw = text.encode(errors="surrogateescape").replace(b"\0", b"")[:1000]
    return _number(len(raw)) + raw


class _Table:
    def __init__(self):
        self._entries = []
        self._numbers = {}   # what makes it the same type -> its number, from 0 on
        self._targets = []   # (number of a pointer, key of what it points to)
        self._by_name = {}   # (name, size) -> number, of what pointers point to
        self._waiting = []   # (key, type, how many pointers were followed)

    def add(self, kind, name=None, followed=0, depth=0):
        """The number of a gdb.Type; name: what it is to be called."""
        plain = render.plain(kind)
        name = bounded(str(kind)) if name is None else name
        made = self._made(plain, name, followed, depth)
        number = self._numbers.get(made)
        if number is None:
            number = self._numbers[made] = len(self._entries)
            self._entries.append(made)
            if made[0] == _POINTER:
                self._follow(number, plain, followed)
        return number

    def full(self):
        return len(self._entries) >= _MOST_TYPES

    def _made(self, plain, name, followed, depth):
        size = 0 if plain.dynamic else plain.sizeof
        code = plain.code
        if depth > _MOST_DEPTH or self.full() or not 0 <= size < 1 << 63:
            return _BYTES, max(size, 0), name
        if code == gdb.TYPE_CODE_ARRAY and size and plain.target().sizeof:
            element = self.add(plain.target(), None, followed, depth + 1)
            return _ARRAY, size, name, element, size // plain.target().sizeof
        if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION) and size and not _has_parts(plain):
            members = self._members(plain, followed, depth)
            if members is not None:
                return _UNION if code == gdb.TYPE_CODE_UNION else _STRUCT, size, name, members
        if code == gdb.TYPE_CODE_ENUM and 0 < size <= 8:
            fields = tuple((field.name or "", field.enumval) for field in plain.fields())
            return _ENUM, size, name, any(value < 0 for _, value in fields), fields
        if code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF) and 0 < size <= 8:
            return _POINTER, size, name, _key(plain)
        return _scalar(plain, size), size, name

    def _members(self, plain, followed, depth):
        """None: they cannot be told."""
        found, size = [], plain.sizeof
        for name, of, place, bits, base in render.members(plain)[:_MOST_MEMBERS]:
            whole = 0 if of.dynamic else of.sizeof
            offset = place // 8
            if bits and not (bits <= 64 and place + bits <= size * 8) or not bits and offset + whole > size:
                return None
            found.append((name or "", offset, bits, place if bits else 0, self.add(of, None, followed, depth + 1), base))
        return tuple(found)

    def _follow(self, number, plain, followed):
        key = _key(plain)
        self._targets.append((number, key))
        if followed < _POINTERS_FOLLOWED and key[1]:
            self._waiting.append((key, plain.target(), followed + 1))

    def finish(self, variables):
        """Bytes.  variables: {address: (number, name)}."""
        while self._waiting and not self.full():
            key, kind, followed = self._waiting.pop(0)
            if key not in self._by_name:
                self._by_name[key] = None
                self._by_name[key] = self.add(kind, None, followed)
        targets = {number: self._by_name.get(key) for number, key in self._targets}
        found = bytearray((_VERSION, _BIG_ENDIAN if _is_big_endian() else 0))
        found += _number(len(self._entries))
        for number, entry in enumerate(self._entries):
            found += _entry(number, entry, targets.get(number))
        found += _number(len(variables))
        last = 0
        for address in sorted(variables):
            found += _number(address - last) + _number(variables[address][0] + 1) + _string(variables[address][1])
            last = address
        return bytes(found)


def _key(pointer):
    """Of what it points to; size 0: that is not known, or is a function."""
    try:
        target = pointer.target()
        plain = render.plain(target)
        known = plain.code not in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_VOID, gdb.TYPE_CODE_METHOD) and not plain.dynamic
        return str(target), plain.sizeof if known else 0
    except _TROUBLE:
        return "", 0


def _has_parts(plain):
    """Rust's enumerations, of which only the bytes tell what they are."""
    return plain.code == gdb.TYPE_CODE_STRUCT and render.has_variants(plain)


def _scalar(plain, size):
    code, name = plain.code, plain.name or ""
    if code == gdb.TYPE_CODE_BOOL and 0 < size <= 8:
        return _BOOL
    if code == gdb.TYPE_CODE_FLT and 0 < size <= 16:
        return _FLOAT
    if code not in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR) or not (0 < size <= 8 or size == 16):
        return _BYTES
    signed = _is_signed(plain)
    if size == 1 and "char" in name:
        return _CHAR if signed else _UCHAR
    if code == gdb.TYPE_CODE_CHAR and 1 < size <= 4:
        return _WIDE
    return _SIGNED if signed else _UNSIGNED


def _is_signed(plain):
    signed = getattr(plain, "is_signed", None)  # gdb 12
    return "unsigned" not in str(plain) if signed is None else signed


def _entry(number, entry, target):
    kind, size, name = entry[:3]
    found = bytes((kind,)) + _number(size) + _string(name)
    if kind == _FLOAT:
        found += bytes((_LONG_DOUBLE if size in (12, 16) else 0,))
    elif kind == _ARRAY:
        found += _number(number - entry[3]) + _number(entry[4])
    elif kind == _POINTER:
        found += _number(0 if target is None else target + 1)
    elif kind == _ENUM:
        found += bytes((entry[3],)) + _number(len(entry[4]))
        found += b"".join(_string(word) + _zigzag(value) for word, value in entry[4])
    elif kind in (_STRUCT, _UNION):
        found += _number(len(entry[3]))
        for word, offset, bits, place, of, base in entry[3]:
            found += _string(word) + _number(offset) + _number(bits) + (_number(place) if bits else b"")
            found += _number(number - of) + bytes((bool(base),))
    return found


def _is_big_endian():
    return "big endian" in gdb.execute("show endian", to_string=True)


def _globals(snapshot, names, table):
    found, known = {}, types_of.Types((), names)
    deadline = time.monotonic() + _SECONDS
    for mapping in snapshot.mappings:
        if not mapping.perms & Perm.WRITE or mapping.name != snapshot.exe and ".bss" not in mapping.name \
                and (mapping.inode or mapping.name not in ("", "[heap]")):
            continue
        for name in names.within(mapping.start, mapping.end):
            if len(found) >= _MOST_GLOBALS or table.full() or time.monotonic() > deadline:
                return found
            if name.kind != NameKind.OBJECT or not name.size or name.object != snapshot.exe or name.address in found:
                continue
            kind = known.of(name, name.address, name.size)
            if kind is not None and kind[0].sizeof == name.size and not kind[0].dynamic:
                found[name.address] = table.add(kind[0]), kind[1]
    return found


def of(snapshot, names):
    """b"": there are none."""
    table = _Table()
    with language.sane():
        for key, kind in (getattr(snapshot, "types", None) or {}).items():
            try:
                table.add(kind, key[-1])
            except _TROUBLE:
                pass  # one whose file is gone
        try:
            found = _globals(snapshot, names, table) if names is not None else {}
        except _TROUBLE:
            found = {}
        return table.finish(found)
