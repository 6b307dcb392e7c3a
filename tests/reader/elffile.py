"""A small ELF file: a program of three segments with a build ID and four symbols."""

import struct

PAGE = 4096
BUILD_ID = "00112233445566778899aabbccddeeff00112233"
TEXT, DATA, TABLES = PAGE, 2 * PAGE, 3 * PAGE  # where they lie, in the file and in memory
FUNCTION, VARIABLE, LABEL = TEXT + 16, DATA + 16, DATA + 128
NOTE = 512


def symbol(name, info, section, value, size):
    return struct.pack("<IBBHQQ", name, info, 0, section, value, size)


def section(name, kind, flags, offset, size, link=0, info=0, entry=0):
    address = offset if flags else 0
    return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, offset, size, link, info, 1, entry)


def segment(kind, flags, offset, size):
    return struct.pack("<IIQQQQQQ", kind, flags, offset, offset, offset, size, size, PAGE)


def names(*words):
    """A table of strings, and where each begins in it."""
    table, where = b"\0", []
    for word in words:
        where.append(len(table))
        table += word + b"\0"
    return table, where


def program():
    note = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes.fromhex(BUILD_ID)
    strings, (function, variable, label) = names(b"work", b"table", b"label")
    symbols = bytes(24)
    symbols += symbol(function, 0x12, 1, FUNCTION, 64)
    symbols += symbol(variable, 0x11, 2, VARIABLE, 64)
    symbols += symbol(label, 0x10, 2, LABEL, 0)
    titles, title = names(b".text", b".data", b".symtab", b".strtab", b".shstrtab")
    at = [TABLES, TABLES + len(symbols), TABLES + len(symbols) + len(strings)]
    sections = bytes(64)
    sections += section(title[0], 1, 6, TEXT, PAGE)
    sections += section(title[1], 1, 3, DATA, PAGE)
    sections += section(title[2], 2, 0, at[0], len(symbols), link=4, info=1, entry=24)
    sections += section(title[3], 3, 0, at[1], len(strings))
    sections += section(title[4], 3, 0, at[2], len(titles))
    segments = segment(1, 4, 0, PAGE) + segment(1, 5, TEXT, PAGE) + segment(1, 6, DATA, PAGE)
    segments += segment(4, 4, NOTE, len(note))
    tables = symbols + strings + titles
    tables += bytes(-len(tables) % 8)
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, TEXT, 64, TABLES + len(tables), 0, 64, 56, 4, 64, 6, 5)
    first = (head + segments).ljust(NOTE, b"\0") + note
    return first.ljust(TABLES, b"\0") + tables + sections
