"""An expression on the bytes of a snapshot: places and types as the selected frame has them now, what
lies there as the snapshot has it.  `->`, `*` and `[]` follow its pointers.

gdb cannot be asked to do this, as it reads the program's memory for every step; so names only are
looked up by it, and the rest is done here.  Nothing is called and nothing is written."""

import collections
import re
import struct

import gdb

from vmsnap.errors import VmsnapError
from vmsnap_gdb import render

# address None: worked out, raw has its bytes.  raw None: not read yet.
Node = collections.namedtuple("Node", "type address raw")

_TOKEN = re.compile(r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|\d+)[uUlL]*|"
                    r"(?P<name>(?:'[^']*'::)?~?[A-Za-z_]\w*(?:::~?[A-Za-z_]\w*)*)|"
                    r"(?P<dollar>\$\w*)|(?P<sign>->|::|[-+*/%&.!~()\[\]]))")
_LARGEST = 64 << 20
_FLOATS = {4: "f", 8: "d"}  # by size


def _split(text):
    tokens, at = [], 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if not found:
            raise VmsnapError(f"'{text[at:].strip()}' is not understood here: names, numbers, ., ->, [], *, &, casts and "
                              "+ - * / % are")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return tokens


class Evaluation:
    """read: a Reader of a snapshot; called: its name."""

    def __init__(self, text, read, called):
        self._tokens, self._at, self._read, self._called = _split(text), 0, read, called
        self._text = text

    def value(self):
        """A Node with raw, its bytes (b"" if the snapshot does not have them)."""
        found = self._sum()
        if self._at < len(self._tokens):
            raise VmsnapError(f"'{self._tokens[self._at][1]}' is not expected there in '{self._text}'")
        return self._loaded(found, needed=False)

    # ---- tokens ----

    def _peek(self, *signs):
        return self._at < len(self._tokens) and self._tokens[self._at] in [("sign", sign) for sign in signs]

    def _take(self, *signs):
        if not self._peek(*signs):
            return None
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _need(self, sign):
        if not self._take(sign):
            raise VmsnapError(f"'{self._text}' lacks a '{sign}'")

    # ---- grammar ----

    def _sum(self):
        found = self._product()
        while sign := self._take("+", "-"):
            found = self._arithmetic(sign, found, self._product())
        return found

    def _product(self):
        found = self._unary()
        while sign := self._take("*", "/", "%"):
            found = self._arithmetic(sign, found, self._unary())
        return found

    def _unary(self):
        if self._take("*"):
            return self._followed(self._unary())
        if self._take("&"):
            return self._address_of(self._unary())
        if sign := self._take("-", "!", "~", "+"):
            number = self._scalar(self._unary())
            return _worked_out({"-": lambda: -number, "+": lambda: number, "~": lambda: ~number,
                                "!": lambda: gdb.Value(int(not number))}[sign])
        cast = self._cast()
        if cast is not None:
            return self._as(cast, self._unary())
        return self._behind(self._primary())

    def _behind(self, found):
        while sign := self._take(".", "->", "[", "("):
            if sign == "(":
                raise VmsnapError("a function cannot be called in a snapshot: nothing runs there")
            if sign == "[":
                index = self._sum()
                self._need("]")
                found = self._followed(self._arithmetic("+", found, index))
                continue
            kind, name = self._tokens[self._at] if self._at < len(self._tokens) else (None, "")
            if kind != "name":
                raise VmsnapError(f"'{self._text}' lacks the name of a member")
            self._at += 1
            found = self._member(self._followed(found) if sign == "->" else found, name)
        return found

    def _primary(self):
        if self._take("("):
            found = self._sum()
            self._need(")")
            return found
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else (None, "")
        self._at += 1
        if kind == "number":
            return _worked_out(lambda: gdb.Value(int(text, 16 if text[:2] in ("0x", "0X") else 8 if text[0] == "0" else 10)))
        if kind == "dollar":
            return _convenience(text)
        if kind != "name":
            raise VmsnapError(f"'{self._text}' is no expression")
        return self._variable(text)

    def _cast(self):
        """The type in parentheses that comes next, if one does."""
        if not self._peek("("):
            return None
        at = self._at + 1
        words, stars = [], 0
        while at < len(self._tokens) and self._tokens[at][0] == "name":
            words.append(self._tokens[at][1])
            at += 1
        while at < len(self._tokens) and self._tokens[at] == ("sign", "*"):
            stars += 1
            at += 1
        if not words or at == len(self._tokens) or self._tokens[at] != ("sign", ")"):
            return None
        found = _type(" ".join(words))
        if found is None:
            return None
        self._at = at + 1
        for _ in range(stars):
            found = found.pointer()
        return found

    # ---- what it means ----

    def _variable(self, name):
        symbol, of_this = _looked_up(name)
        if of_this:
            return self._member(self._followed(self._variable("this")), name)
        if symbol is not None and (symbol.is_variable or symbol.is_argument):
            value = gdb.selected_frame().read_var(symbol) if symbol.needs_frame else symbol.value()
        elif symbol is not None and symbol.is_constant:
            return _made(symbol.value())
        else:
            value = _by_gdb(name)
        if value.type.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            value = value.referenced_value()
        if value.address is None:
            raise VmsnapError(f"'{name}' is in a register or optimised out: a snapshot has memory only")
        return Node(value.type, int(value.address), None)

    def _loaded(self, node, needed=True):
        if node.raw is not None:
            return node
        size = node.type.strip_typedefs().sizeof
        if size > _LARGEST:
            raise VmsnapError(f"a value of {size} bytes is too large to show")
        if not size:
            raise VmsnapError(f"a value of type '{node.type}' has no known size")
        raw = self._read(node.address, size)
        if needed and len(raw) < size:
            raise VmsnapError(f"what {self._called} has at {node.address:#x} is not known")
        return node._replace(raw=raw)

    def _scalar(self, node):
        """A gdb.Value."""
        node = self._loaded(node)
        kind = render.plain(node.type)
        if render.is_array(kind) or render.is_struct(kind) or kind.dynamic or kind.sizeof > 32:
            raise VmsnapError(f"a value of type '{node.type}' is no number")
        return gdb.Value(node.raw, kind)

    def _followed(self, node):
        kind = node.type.strip_typedefs()
        if render.is_array(kind):
            return Node(kind.target(), node.address, node.raw and node.raw[:kind.target().sizeof])
        if kind.code == gdb.TYPE_CODE_PTR:
            target = kind.target()
            if target.strip_typedefs().code == gdb.TYPE_CODE_VOID:
                raise VmsnapError("a pointer to void points to nothing of a known type: cast it")
            return self._reference(Node(target, int(self._scalar(node)) & (1 << 64) - 1, None))
        raise VmsnapError(f"a value of type '{node.type}' is not a pointer")

    def _reference(self, node):
        kind = node.type.strip_typedefs()
        if kind.code not in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
            return node
        raw = self._loaded(node).raw
        return Node(kind.target(), int.from_bytes(raw, "little"), None)

    @staticmethod
    def _address_of(node):
        if node.address is None:
            raise VmsnapError("what was worked out has no address")
        return _made(gdb.Value(node.address).cast(node.type.pointer()))

    def _member(self, node, name):
        kind = node.type.strip_typedefs()
        if not render.is_struct(kind):
            raise VmsnapError(f"a value of type '{node.type}' has no members")
        found, _ = _which(kind, name)
        if found is None:
            raise VmsnapError(f"'{node.type}' has no member '{name}'")
        _, of, place, bits, _ = found
        start = place // 8
        end = -(-(place + bits) // 8) if bits else start + of.sizeof
        inner = Node(of, node.address + start if node.address is not None else None,
                     node.raw[start:end] if node.raw is not None else None)
        if not _is(found, name):
            return self._member(inner, name)
        if not bits:
            return self._reference(inner)
        raw = self._loaded(node._replace(type=node.type)).raw[start:end]
        return Node(of, None, render.bit_field(raw, place % 8, bits, of))

    def _arithmetic(self, sign, one, other):
        kind = one.type.strip_typedefs()
        if render.is_array(kind):
            if one.address is None:
                raise VmsnapError("what was worked out has no elements")
            one = self._address_of(Node(kind.target(), one.address + (-kind.range()[0] * kind.target().sizeof), None))
        a, b = self._scalar(one), self._scalar(other)
        return _worked_out({"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
                            "%": lambda: a % b}[sign])

    def _as(self, kind, node):
        value = self._scalar(node)
        return _worked_out(lambda: value.cast(kind))


def _is(member, name):
    return member[0] == name and not member[4]


def _which(kind, name):
    """(The member of this name, or else that of no name, or the base class, that has it; the type of what has the name);
    (None, None): there is none.  Where two have it, as each part of a std::tuple has, the one that holds something."""
    members = render.members(kind) if render.is_struct(kind) else []
    own = next((each for each in members if _is(each, name)), None)
    if own is not None:
        return own, own[1]
    having = [(each, of) for each in members if each[4] or not each[0]
              for of in [_which(each[1].strip_typedefs(), name)[1]] if of is not None]
    full = (found for found in having if not render.is_empty(found[1]))
    return next(full, having[0] if having else (None, None))


def _worked_out(work):
    """What gdb makes of it, a scalar, or its complaint."""
    try:
        return _made(work())
    except (gdb.error, TypeError, ValueError, OverflowError) as error:
        raise VmsnapError(str(error)) from None


def _made(value):
    """Of a gdb.Value that is a scalar."""
    return Node(value.type, None, _bytes_of(value))


def _bytes_of(value):
    kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_FLT:
        if kind.sizeof not in _FLOATS:  # Python has none so exact
            raise VmsnapError(f"a value of type '{value.type}' cannot be calculated with: cast it to double")
        return struct.pack(_FLOATS[kind.sizeof], float(value))
    return (int(value) & ((1 << 8 * kind.sizeof) - 1)).to_bytes(kind.sizeof, "little")


def _convenience(text):
    try:
        if text[1:] and gdb.selected_frame().read_register(text[1:]) is not None:
            raise VmsnapError(f"{text} is a register: a snapshot has memory only")
    except (gdb.error, ValueError):
        pass
    value = gdb.convenience_variable(text[1:]) if text[1:] else None
    if value is None:
        raise VmsnapError(f"{text} has no value here")
    return _made(value)


def _type(text):
    try:
        return gdb.lookup_type(text)
    except gdb.error:
        return None


def _looked_up(name):
    try:
        return gdb.lookup_symbol(name, gdb.selected_frame().block())
    except (gdb.error, RuntimeError):
        pass  # no frame, or no symbols there
    try:
        return gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name), False
    except gdb.error:
        return None, False


def _by_gdb(name):
    """'file.c'::x, A::b, and what has no debug information: its address, which reads no memory."""
    try:
        return gdb.parse_and_eval(f"&{name}").dereference()
    except gdb.error as error:
        raise VmsnapError(str(error)) from None
