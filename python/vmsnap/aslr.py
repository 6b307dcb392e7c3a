"""Two runs of one program, or two of its workers: mappings matched by what they are, wherever they lie."""

import collections
import ctypes
import os
from ctypes import byref

from vmsnap import _header, _lib
from vmsnap._header import PrintFlag
from vmsnap._lib import lib
from vmsnap.compare import _bits
from vmsnap.owned import Owned
from vmsnap.snapshot import mapping_of
from vmsnap.text import PLAIN, printed

_ALL = ctypes.c_size_t(-1).value  # VMSNAP_ASLR_ALL

AslrSide = collections.namedtuple("AslrSide", "start end mapping size resident swapped private exclusive "
                                              "exclusive_unknown swapped_unknown")
AslrSide.__doc__ = """One side of a mapping, in bytes (struct vmsnap_aslr_side); of sums start, end and mapping are None."""
AslrContents = collections.namedtuple("AslrContents", "compared same same_but_addresses")
AslrRow = collections.namedtuple("AslrRow", "kind differs group a b contents")
AslrRow.__doc__ = """kind: "file", "heap", …; differs: ("size", "private"); a, b: AslrSide, None if it is not there;
group: an index of Aslr.groups; contents: None if they were not compared."""
AslrSums = collections.namedtuple("AslrSums", "kind name_a name_b a b contents only_a only_b both differ")


def _side(made, start=None, end=None, mapping=None):
    return AslrSide(start, end, mapping, made.size, made.resident, made.swapped, made.private_bytes, made.exclusive,
                    made.exclusive_unknown, made.swapped_unknown)


class Aslr(Owned):
    """A sequence of AslrRow, by address in b."""

    _free = "vmsnap_aslr_free"

    def __init__(self, a, b):
        super().__init__(a, b)
        self.a, self.b = a, b
        options = _lib.cancellable(_header.CompareOptions)
        _lib.call_holding_interrupts(lib().vmsnap_aslr_new, a.handle, b.handle, byref(options), byref(self._handle))

    def any(self):
        """Whether anything differs but addresses."""
        return lib().vmsnap_aslr_any(self._handle)

    def _contents(self, made):
        if not lib().vmsnap_aslr_contents_known(self._handle):
            return None
        return AslrContents(made.compared, made.same, made.same_but_addresses)

    def __len__(self):
        return lib().vmsnap_aslr_count(self._handle)

    def __getitem__(self, index):
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        made = _lib.struct(_header.AslrRow)
        lib().vmsnap_aslr_row_sized(self._handle, index % len(self), byref(made), ctypes.sizeof(made))
        a, b = mapping_of(made.a), mapping_of(made.b)
        return AslrRow(lib().vmsnap_aslr_kind_name(made.kind).decode(),
                       _bits(made.differs, lib().vmsnap_aslr_difference_name), made.group,
                       a and _side(made.in_a, made.start_a, made.end_a, a),
                       b and _side(made.in_b, made.start_b, made.end_b, b), self._contents(made.contents))

    def _sums(self, group):
        made = _lib.struct(_header.AslrSums)
        lib().vmsnap_aslr_group_sized(self._handle, group, byref(made), ctypes.sizeof(made))
        kind = lib().vmsnap_aslr_kind_name(made.kind)
        return AslrSums(kind and kind.decode(), os.fsdecode(made.name_a), os.fsdecode(made.name_b), _side(made.in_a),
                        _side(made.in_b), self._contents(made.contents), made.only_a, made.only_b, made.both,
                        made.differ)

    @property
    def groups(self):
        """AslrSums of each file with the memory behind it, and of other memory by kind and name."""
        return [self._sums(group) for group in range(lib().vmsnap_aslr_group_count(self._handle))]

    @property
    def total(self):
        return self._sums(_ALL)

    def text(self, style=PLAIN, totals=False, long_rows=False):
        flags = (PrintFlag.TOTALS_ONLY if totals else 0) | (PrintFlag.LONG if long_rows else 0)
        return printed(lib().vmsnap_print_aslr, self._handle, flags, style=style)
