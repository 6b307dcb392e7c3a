"""Text as the library makes it: tables and JSON, the same as on the command line."""

import ctypes
import errno
import os
from ctypes import byref

from vmsnap import _header, _lib, given
from vmsnap._lib import lib, plain
from vmsnap.errors import VmsnapError

# More of one text nobody reads, and all of it is gathered first.
_MOST = 256 << 20


class Style:
    """How to print; the fields are those of struct vmsnap_style."""

    def __init__(self, color=0, width=0, unicode=True, json=False, raw=False, bytes=False, no_headings=False,
                 columns=None, sort=None, light=False):
        self.color, self.width, self.unicode, self.json = color, width, unicode, json
        self.raw, self.bytes, self.no_headings, self.columns, self.sort = raw, bytes, no_headings, columns, sort
        if light and color:
            self.color |= _header.Color.COLOR_LIGHT

    def struct(self):
        columns = None if self.columns is None else given.raw(self.columns, "the list of columns")
        sort = None if self.sort is None else given.raw(self.sort, "the column to sort by")
        return _lib.struct(_header.Style, color=self.color, width=self.width, unicode=self.unicode, json=self.json,
                           raw=self.raw, bytes=self.bytes, no_headings=self.no_headings, columns=columns, sort=sort)


PLAIN, JSON = Style(), Style(json=True)


class Filter:
    """Which mappings and pages are told of; the fields are those of struct vmsnap_filter.  None: any.
    What says nothing is a VmsnapError at once."""

    def __init__(self, name=None, perm=None, only=None, pfn=None, start=0, end=0):
        self.name, self.perm, self.only, self.pfn, self.start, self.end = name, perm, only, pfn, start, end
        lib().vmsnap_filter_check(byref(self.struct()))

    def struct(self):
        words = {what: None if word is None else given.raw(word, f"the filter's {what}")
                 for what, word in (("name", self.name), ("perm", self.perm), ("only", self.only), ("pfn", self.pfn))}
        return _lib.struct(_header.Filter, start=given.address(self.start), end=given.address(self.end), **words)


def printed(function, *arguments, style, filter=None, names=None, title=None):
    """What a vmsnap_print_… function writes, as text.  All of it is gathered first:
    whoever shows it may be interrupted, and C must not be left half-way then."""
    pieces, total = [], 0

    def write(_, text, length):
        nonlocal total
        total += length
        if total > _MOST:
            return errno.EFBIG
        try:
            pieces.append(ctypes.string_at(text, length))
        except MemoryError:
            return errno.ENOMEM
        return 0

    output = _lib.cancellable(_header.Output, style=style.struct(), write=_header.WriteFn(write),
                              names=names and names.handle, title=title and given.raw(title, "the title"))
    if filter is not None:
        chosen = filter.struct()
        output.filter = ctypes.pointer(chosen)
    try:
        _lib.call_holding_interrupts(function, *arguments, byref(output))
    except VmsnapError:
        if total > _MOST:
            raise VmsnapError(f"the text is longer than {size_text(_MOST)}: save the snapshot and look at the file "
                              "with the command line") from None
        raise
    return b"".join(pieces).decode("utf-8", "replace")


def report_columns(report):
    """[(name, whether it is shown unless asked for, what it means)] of a table (enum vmsnap_report)."""
    found, name_of = [], lib().vmsnap_report_column_name
    while name := name_of(report, len(found)):
        index = len(found)
        found.append((name.decode(), lib().vmsnap_report_column_usual(report, index),
                      (lib().vmsnap_report_column_help(report, index) or b"").decode()))
    return found


def escaped(text, style=PLAIN):
    """Text from outside (names, paths) so that it cannot move a cursor or forge a line."""
    raw = os.fsencode(text) if isinstance(text, str) else text
    return printed(lib().vmsnap_print_escaped, raw, len(raw), style=style)


def one_line(text):
    """The same where there may be no library."""
    return plain(text.encode("utf-8", "surrogateescape"))


def size_text(count):
    """Bytes in few characters, as the tables have them: 512, 4.00K, 12.5M."""
    if count < 1024:
        return str(count)
    for unit in "KMGT":
        count /= 1024
        if count < 1024 or unit == "T":
            break
    digits = 2 if count < 10 else 1 if count < 100 else 0
    return f"{count:.{digits}f}{unit}"
