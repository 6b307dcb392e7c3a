"""Bytes of a snapshot as the values that they are, by gdb's types.

Nothing is read from the program: pointers are followed into the snapshot's own bytes, or not at
all, and pretty-printers, which may read anything, are not asked.  A gdb.Value is made of scalars only:
one whose type is larger than max-value-size crashes gdb 13."""

import gdb

from vmsnap import NameKind

_CHARS = {"char", "signed char", "unsigned char"}
_POINTERS = (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF)
_STRUCTS = (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION)
_SCALARS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_FLT, gdb.TYPE_CODE_ENUM,
            gdb.TYPE_CODE_FLAGS, gdb.TYPE_CODE_RANGE, gdb.TYPE_CODE_DECFLOAT, gdb.TYPE_CODE_COMPLEX)
# Room for an object, in nodes of the GNU C++ library.
_BUFFERS = ("__gnu_cxx::__aligned_membuf<", "__gnu_cxx::__aligned_buffer<")
_LARGEST_SCALAR = 32
_STRING = 40       # characters shown of one
_SHOWN = 200       # of an aggregate's text, about
_HEX = 16          # bytes

UNKNOWN = "?"


def plain(kind):
    """Without typedefs and qualifiers."""
    return kind.strip_typedefs().unqualified()


def is_struct(kind):
    return kind.code in _STRUCTS


def is_array(kind):
    return kind.code == gdb.TYPE_CODE_ARRAY


def is_text(kind):
    """Whether it is an array of characters.  uint8_t is a number, though it is a char to the compiler."""
    if not is_array(kind) or kind.dynamic:
        return False
    element = kind.target()
    return element.sizeof == 1 and element.unqualified().name in _CHARS


def template_argument(kind, index):
    """A type; None: there is none.  A class within a template's has that one's name at the beginning of its own."""
    try:
        found = kind.template_argument(index)
    except (gdb.error, RuntimeError):
        return None
    return found if isinstance(found, gdb.Type) else None


def members(kind):
    """[(name, type, bits from the start, bits of a bit-field or 0, whether it is a base class)], but for
    static ones and those whose place only the program knows (of virtual bases)."""
    held = template_argument(kind, 0) if (kind.name or "").startswith(_BUFFERS) else None
    if held is not None:
        return [("", held, 0, 0, False)]
    found = []
    for field in kind.fields():
        place = getattr(field, "bitpos", None)
        if place is not None and field.type is not None:
            found.append((field.name, field.type, place, field.bitsize, field.is_base_class))
    return found


def resolved(kind, raw):
    """What a type that depends on what it holds, as an enum of Rust's does, is with these bytes; None if gdb
    cannot tell, or would have to read more than them."""
    size = kind.sizeof
    if not 0 < size <= min(len(raw), _max_value_size()):
        return None
    try:
        found = plain(gdb.Value(bytes(raw[:size]), kind).type)
    except (gdb.error, ValueError, TypeError, RuntimeError):
        return None
    return None if found.dynamic or found.sizeof != size else found


def is_placed(kind):
    """Of a dynamic type, whether what depends on its bytes is only which members are there, as in Rust, and not where."""
    return is_struct(kind) and all(getattr(field, "bitpos", None) is not None for field in kind.fields())


def is_empty(kind):
    """Whether there is nothing in it, as in an allocator of C++: as a base class it takes no room, though it has a size."""
    kind = plain(kind)
    return is_struct(kind) and all(is_empty(of) for _, of, _, _, _ in members(kind))


def laid_out_alike(one, other):
    """Whether two types of one name hold the same; what pointers in them point to is not looked at."""
    one, other = plain(one), plain(other)
    if (one.code, one.name, one.sizeof) != (other.code, other.name, other.sizeof):
        return False
    if is_array(one):
        return laid_out_alike(one.target(), other.target())
    if not is_struct(one):
        return True
    parts, others = members(one), members(other)
    return len(parts) == len(others) and all(
        (name, place, bits) == (name2, place2, bits2) and laid_out_alike(of, of2)
        for (name, of, place, bits, _), (name2, of2, place2, bits2, _) in zip(parts, others))


def has_variants(kind):
    """Whether several of its members lie in one place, of which only one is there."""
    end = 0
    for _, of, place, bits, _ in sorted(members(kind), key=lambda member: member[2]):
        if is_empty(of):
            continue
        if place < end:
            return True
        end = place + (bits or 8 * of.sizeof)
    return False


def bit_field(raw, first, count, kind):
    """The bytes of a value of its type that a bit-field holds.  raw: those that it lies in; first: its first bit."""
    number = int.from_bytes(raw, "little") >> first & ((1 << count) - 1)
    if number >> (count - 1) and _is_signed(kind):
        number -= 1 << count
    return number.to_bytes(kind.sizeof + 1, "little", signed=True)[:kind.sizeof]


def _is_signed(kind):
    kind = plain(kind)
    if kind.code not in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM):
        return False
    return int(gdb.Value(b"\xff" * kind.sizeof, kind)) < 0


def text_of_string(raw, most=_STRING):
    """In quotes, up to the NUL, if there is one; cut at so many characters."""
    held = raw.partition(b"\0")[0]
    shown = held[:most].decode("utf-8", "surrogateescape")
    return '"' + "".join(map(_character, shown)) + '"' + ("…" if len(held) > most else "")


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _character(c):
    if c in _ESCAPES:
        return _ESCAPES[c]
    return c if c.isprintable() else "".join(f"\\{byte:03o}" for byte in c.encode("utf-8", "surrogateescape"))


def hexadecimal(raw):
    if len(raw) in (1, 2, 4, 8):
        return f"{int.from_bytes(raw, 'little'):#x}"
    return raw[:_HEX].hex(" ", 4) + ("…" if len(raw) > _HEX else "")


class Renderer:
    """names: vmsnap.Names, or None; read: a Reader of the snapshot whose values these are."""

    def __init__(self, names, read):
        self._names, self._read = names, read

    def text(self, kind, raw):
        """One line.  raw: its bytes, shorter if they are not known."""
        kind = plain(kind)
        if len(raw) < kind.sizeof or not raw:
            return UNKNOWN
        if kind.code in _POINTERS:
            return self._pointer(kind, raw)
        if kind.dynamic:
            known = resolved(kind, raw)
            if known is None and not (is_placed(kind) and not has_variants(kind)):
                return hexadecimal(raw)
            kind = kind if known is None else known
        if is_text(kind):
            return text_of_string(raw[:kind.sizeof])
        if is_array(kind):
            return self._array(kind, raw)
        if is_struct(kind):
            return self._struct(kind, raw)
        return self._scalar(kind, raw)

    @staticmethod
    def _scalar(kind, raw):
        size = kind.sizeof
        if kind.code not in _SCALARS or size > _LARGEST_SCALAR or size > _max_value_size():
            return hexadecimal(raw[:size])
        try:
            return gdb.Value(bytes(raw[:size]), kind).format_string(raw=True)
        except (gdb.error, ValueError, TypeError, RuntimeError):
            return hexadecimal(raw[:size])

    def _pointer(self, kind, raw):
        address = int.from_bytes(raw[:kind.sizeof], "little")
        text = f"{address:#x}"
        if not address:
            return text
        target = kind.target().strip_typedefs()
        if kind.code == gdb.TYPE_CODE_PTR and target.sizeof == 1 and target.unqualified().name in _CHARS:
            held = self._read(address, _STRING + 1)
            return f"{text} {text_of_string(held)}" if held else text
        symbol = self.symbol(address)
        return f"{text} <{symbol}>" if symbol else text

    def symbol(self, address):
        """"orders+16"; "" if no variable or function is known to lie there."""
        found = self._names.at(address) if self._names else None
        if found is None or found.kind not in (NameKind.OBJECT, NameKind.FUNCTION, NameKind.OTHER_SYMBOL,
                                               NameKind.LOCAL, NameKind.ARGUMENT, NameKind.THREAD_LOCAL):
            return ""
        distance = address - found.address
        return str(found) + (f"+{distance}" if distance else "")

    def _array(self, kind, raw):
        element = kind.target()
        size, count = element.sizeof, kind.sizeof // element.sizeof if element.sizeof else 0
        return self._braces(lambda at: self.text(element, raw[at * size:(at + 1) * size]), count)

    def _struct(self, kind, raw):
        found = members(kind)

        def member(at):
            name, of, place, bits, _ = found[at]
            start = place // 8
            if bits:
                end = -(-(place + bits) // 8)
                text = self.text(of, bit_field(raw[start:end], place % 8, bits, of))
            else:
                text = self.text(of, raw[start:start + of.sizeof])
            return f"{name} = {text}" if name else text
        return self._braces(member, len(found))

    @staticmethod
    def _braces(item, count):
        parts, length = [], 0
        for at in range(count):
            if length > _SHOWN:
                parts.append("…")
                break
            parts.append(item(at))
            length += len(parts[-1]) + 2
        return "{" + ", ".join(parts) + "}"


def _max_value_size():
    limit = gdb.parameter("max-value-size")
    return limit if limit and limit > 0 else 1 << 30
