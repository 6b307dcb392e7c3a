"""Captured names as the library takes them: an array of struct vmsnap_annotation.

A hit of a breakpoint has 1 ms in all and perhaps a hundred names, most of them the same
at each hit.  Assigning to the fields of a ctypes struct takes 5 us a name; so the structs
are packed as bytes, and strings that C has been given once are kept for the next time.
"""

import ctypes
import struct
from ctypes import c_char_p, c_void_p

from vmsnap import _header
from vmsnap.given import ADDRESS_MAX

# address size kind tid frame, and where function, symbol and type are
_PACKED = struct.Struct("@QQIIIPPP")
_MAX_STRINGS = 50000  # of at most some hundred bytes each


class Strings:
    """Where C finds the bytes of a string.  What was found stays valid until the next
    call of make_room()."""

    def __init__(self, encode):
        self._encode = encode  # gives bytes without NUL, or fails
        self._places = {"": self._place("")}
        self._last = [], b""

    def _place(self, text):
        raw = c_char_p(self._encode(text))
        return ctypes.cast(raw, c_void_p).value, raw  # raw keeps the bytes alive

    def make_room(self):
        if len(self._places) > _MAX_STRINGS:
            self._places = {"": self._places[""]}
            self._last = [], b""

    def place(self, text):
        found = self._places.get(text)
        if found is None:
            found = self._places[text] = self._place(text)
        return found[0]


    def packed(self, names):
        """What is the same as the last time is not packed again: to find that out takes a tenth of it."""
        if names != self._last[0]:
            self._last = list(names), b"".join(_items(names, self.place))
        return self._last[1]


def _items(names, place):
    # A variable that would reach beyond the top of memory is not where gdb says.
    return [_PACKED.pack(address, size, kind, tid, frame, place(function or ""), place(symbol or ""), place(type or ""))
            for address, size, kind, tid, frame, function, symbol, type in names
            if size >= 0 and 0 <= address <= ADDRESS_MAX - size]


def packed(names, strings):
    """The array, and how many names there are in it."""
    strings.make_room()
    items = strings.packed(names)
    count = len(items) // _PACKED.size
    return (_header.Annotation * count).from_buffer_copy(items), count
