"""What callers give, checked before C gets it."""

import os

from vmsnap.errors import VmsnapError

ADDRESS_MAX = (1 << 64) - 1


def raw(text, what):
    """For a C string: a NUL inside would cut it silently."""
    made = os.fsencode(text) if isinstance(text, (str, os.PathLike)) else bytes(text)
    if b"\0" in made:
        raise VmsnapError(f"{what} holds a NUL byte")
    return made


def address(value):
    if not isinstance(value, int) or not 0 <= value <= ADDRESS_MAX:
        raise VmsnapError(f"{value} is not an address: it has to lie in 0 to 2^64 - 1")
    return value


def process(value):
    if not isinstance(value, int) or not 0 < value < 1 << 31:
        raise VmsnapError(f"{value} is not a process")
    return value


def strip(words):
    """What is to be left out, as bits of enum vmsnap_strip."""
    from vmsnap._header import Strip
    table = {"pfns": Strip.PFNS, "cmdline": Strip.CMDLINE, "names": Strip.NAMES, "host": Strip.HOST, "contents": Strip.CONTENTS,
             "faults": Strip.FAULTS}
    bits = 0
    for word in words:
        if word not in table:
            raise VmsnapError(f"{word!r} cannot be left out: " + ", ".join(table))
        bits |= table[word]
    return bits
