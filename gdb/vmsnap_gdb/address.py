"""Addresses, as expressions of gdb's give them."""

import re

import gdb

from vmsnap.errors import VmsnapError

_MAX = (1 << 64) - 1
_BY_ADDRESS = (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_FUNC)
_NUMBERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_RANGE)
_REFERENCES = (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF)


# What & may stand before without parentheses: a, a.b, a->b[3], A::b.
_SIMPLE = re.compile(r"[A-Za-z_$][\w$]*((\.|->|::)[A-Za-z_]\w*|\[[\w$]*\])*\Z")


def of_value(value, text=None):
    """A pointer or a number is an address; an array, a structure or a function lies at
    one; a reference is the address of what it refers to.  text: the expression, if known.

    A variable that is a number is one too if an address fits into it.  What is narrower
    holds something else: whoever says `counter` means where it lies."""
    kind = value.type.strip_typedefs().code
    if kind in _REFERENCES:
        value = value.referenced_value().address
    elif kind in _BY_ADDRESS:
        value = value.address
        if value is None:
            raise VmsnapError("the value lies in no memory: it is in registers, or was worked out just now")
    elif kind in _NUMBERS:
        _refuse_narrow_variable(value, text)
    elif kind != gdb.TYPE_CODE_PTR:
        raise VmsnapError(f"a value of type '{value.type}' is not an address; write & before it")
    return _in_64_bits(value)


def object_of_value(value):
    """[start, end) of the object that a value is the address of, or that it is itself, as of_value() takes
    it; None if that has no size: of a number, a function, void."""
    kind = value.type.strip_typedefs()
    if kind.code in _REFERENCES:
        value = value.referenced_value()
        kind = value.type.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_PTR:
        kind = kind.target().strip_typedefs()
    elif kind.code not in _BY_ADDRESS:
        return None
    if kind.code in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_VOID) or kind.dynamic or not kind.sizeof:
        return None
    start = of_value(value)
    return (start, start + kind.sizeof) if start + kind.sizeof <= _MAX else None


def page_of_value(value, size):
    start = of_value(value) // size * size
    return start, start + size


def _in_64_bits(value):
    if value.is_optimized_out:
        raise VmsnapError("the value was optimised out: it has no address")
    number = int(value)
    if not -(1 << 63) <= number <= _MAX:
        raise VmsnapError(f"{number} is not an address: it needs more than 64 bits")
    return number & _MAX


def _refuse_narrow_variable(value, text):
    if value.type.sizeof >= value.type.pointer().sizeof:
        return
    if value.address is None:
        # In a register, perhaps, or worked out just now: of a value alone gdb does not tell.
        if text is not None and _is_variable(text):
            raise VmsnapError(f"'{text}' is a variable of type '{value.type}', not an address, and lies in no memory")
        return
    if text is None:
        raise VmsnapError(f"a variable of type '{value.type}' is not an address; write & before it")
    meant = text if _SIMPLE.match(text) else f"({text})"
    raise VmsnapError(f"'{text}' is a variable of type '{value.type}', not an address: did you mean &{meant}?")


def _is_variable(text):
    """Whether it names one; a name may be a constant's, too."""
    if not text.isidentifier():
        return False
    try:
        symbol = gdb.lookup_symbol(text)[0]
    except gdb.error:
        return False
    return symbol is not None and not symbol.is_constant and (symbol.is_variable or symbol.is_argument)


def of_expression(text):
    return of_value(_evaluated(text), text.strip())


def _evaluated(text):
    try:
        return gdb.parse_and_eval(text)
    except gdb.error as error:
        raise VmsnapError(f"{text}: {error}") from None


def _number(text):
    """A count of bytes, which may stand in a variable of any width."""
    try:
        return int(_evaluated(text))
    except gdb.error as error:
        raise VmsnapError(f"{text}: {error}") from None


def range_of(words):
    """[start, end) of no, one or two expressions."""
    if not words:
        return 0, _MAX
    start = of_expression(words[0])
    if len(words) == 1:
        return start, min(start + 1, _MAX)
    if words[1].startswith("+"):
        end = start + _number(words[1][1:])
    else:
        end = of_expression(words[1])
    return _checked(start, end)


def _checked(start, end):
    if not start < end <= _MAX:
        raise VmsnapError("the range is empty: its end must lie above its start")
    return start, end


# As tables show addresses, and as the command line takes them: 7ffff7dd5000-7ffff7dd6000.
_LITERAL = re.compile(r"(0x[0-9a-f]+|[0-9][0-9a-f]*)([-+])(0x[0-9a-f]+|[0-9][0-9a-f]*)", re.IGNORECASE)


def range_of_text(text):
    """[start, end) of START,END or START,+LENGTH, as gdb's disassemble has it, or of one
    expression: all of a variable, or the byte at an address.  Two numbers are as on the command
    line."""
    literal = _LITERAL.fullmatch(text.strip())
    if literal:
        start, end = int(literal[1], 16), int(literal[3], 16)
        return _checked(start, end + (start if literal[2] == "+" else 0))
    parts = _split_at_comma(text)
    if len(parts) == 2:
        return range_of(parts)
    value = _evaluated(text)
    start = of_value(value, text.strip())
    known = value.type.strip_typedefs()
    whole = known.code in _BY_ADDRESS and known.code != gdb.TYPE_CODE_FUNC
    return _checked(start, start + max(known.sizeof if whole else 1, 1))


def _split_at_comma(text):
    """At the last one that is within no brackets and no quotes; [text] if there is none."""
    depth, quote, found = 0, "", -1
    for at, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and not depth:
            found = at
    return [text] if found < 0 else [text[:found].strip(), text[found + 1:].strip()]


def whole_pages(start, end, page_size):
    end += -end % page_size
    return start - start % page_size, min(end, _MAX)
