"""Addresses, as expressions of gdb's give them."""

import gdb

from vmsnap.errors import VmsnapError

_MAX = (1 << 64) - 1
_BY_ADDRESS = (gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_FUNC)
_NUMBERS = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_RANGE)
_REFERENCES = (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF)


def of_value(value):
    """A pointer or a number is an address; an array, a structure or a function lies at
    one; a reference is the address of what it refers to."""
    if value.is_optimized_out:
        raise VmsnapError("the value was optimised out: it has no address")
    kind = value.type.strip_typedefs().code
    if kind in _REFERENCES:
        value = value.referenced_value().address
    elif kind in _BY_ADDRESS:
        value = value.address
        if value is None:
            raise VmsnapError("the value lies in no memory: it is in registers, or was worked out just now")
    elif kind == gdb.TYPE_CODE_PTR or kind in _NUMBERS:
        pass
    else:
        raise VmsnapError(f"a value of type '{value.type}' is not an address; write & before it")
    number = int(value)
    if not -(1 << 63) <= number <= _MAX:
        raise VmsnapError(f"{number} is not an address: it needs more than 64 bits")
    return number & _MAX


def of_expression(text):
    try:
        return of_value(gdb.parse_and_eval(text))
    except gdb.error as error:
        raise VmsnapError(f"{text}: {error}") from None


def range_of(words):
    """[start, end) of no, one or two expressions."""
    if not words:
        return 0, _MAX
    start = of_expression(words[0])
    if len(words) == 1:
        return start, min(start + 1, _MAX)
    relative = words[1].startswith("+")
    end = of_expression(words[1][1:] if relative else words[1]) + (start if relative else 0)
    if not start < end <= _MAX:
        raise VmsnapError("the range is empty: its end must lie above its start")
    return start, end


def whole_pages(start, end, page_size):
    end += -end % page_size
    return start - start % page_size, min(end, _MAX)
