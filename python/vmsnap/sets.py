"""Sets: snapshots of one instant, a tree's, and what two of them differ in."""

import ctypes
from ctypes import byref

from vmsnap import _header, _lib
from vmsnap._header import PageKind, PrintFlag, SetTotal, Verdict
from vmsnap._lib import lib
from vmsnap.compare import _by_word
from vmsnap.owned import Owned
from vmsnap.snapshot import handles
from vmsnap.text import PLAIN, printed


def _flags(totals):
    return PrintFlag.TOTALS_ONLY if totals else 0


class Set(Owned):
    """Snapshots that were taken at one instant, of different processes, in their order."""

    _free = "vmsnap_set_free"

    def __init__(self, snapshots):
        self.snapshots = list(snapshots)
        super().__init__(*self.snapshots)
        lib().vmsnap_set_new(handles(self.snapshots), len(self.snapshots), byref(self._handle))

    def __len__(self):
        return len(self.snapshots)

    def __getitem__(self, index):
        return self.snapshots[index]

    def sums(self):
        """{"resident": bytes, "distinct": bytes, "hidden": bytes}: for each process, in distinct
        frames, and in frames that are not known."""
        sums = _lib.struct(_header.SetSums)
        lib().vmsnap_set_sums_sized(self._handle, byref(sums), ctypes.sizeof(sums))
        return {name: getattr(sums, name) for name, _ in sums._fields_}


class SetDiff(Owned):
    """Two sets, process by process."""

    _free = "vmsnap_set_diff_free"

    def __init__(self, a, b):
        super().__init__(a, b)
        self.a, self.b = a, b
        options = _lib.cancellable(_header.CompareOptions)
        _lib.call_holding_interrupts(lib().vmsnap_set_diff_new, a.handle, b.handle, byref(options),
                                     byref(self._handle))

    def any(self):
        """Whether anything differs."""
        return lib().vmsnap_set_diff_any(self._handle)

    @property
    def processes(self):
        """[(its Snapshot in A or None, in B or None, {kind: pages})]"""
        of_a, of_b = ({one.handle.value: one for one in side} for side in (self.a, self.b))
        found = []
        for index in range(lib().vmsnap_set_diff_count(self._handle)):
            row = _lib.struct(_header.SetDiffRow)
            lib().vmsnap_set_diff_row_sized(self._handle, index, byref(row), ctypes.sizeof(row))
            pages = _by_word(lambda handle, kind, at=index: lib().vmsnap_set_diff_pages(handle, at, kind), self._handle,
                             PageKind.COUNT, lib().vmsnap_page_kind_name)
            found.append((of_a.get(row.a), of_b.get(row.b), pages))
        return found

    @property
    def totals(self):
        """{"copied": bytes, …} in distinct frames, and "hidden": then all others say the least."""
        return {name.lower(): lib().vmsnap_set_diff_total(self._handle, total)
                for name, total in vars(SetTotal).items() if isinstance(total, int) and name != "COUNT"}

    def text(self, style=PLAIN, totals=False):
        return printed(lib().vmsnap_print_set_diff, self._handle, _flags(totals), style=style)


class SetCow(Owned):
    """All forks of a set.  base: the same processes earlier."""

    _free = "vmsnap_set_cow_free"

    def __init__(self, set, base=None):
        super().__init__(set, base)
        self.set, self.base = set, base
        options = _lib.cancellable(_header.CompareOptions)
        _lib.call_holding_interrupts(lib().vmsnap_set_cow_new, set.handle, base and base.handle, byref(options),
                                     byref(self._handle))

    @property
    def processes(self):
        """[(its Snapshot, its parent's or None, {verdict: pages})]"""
        snapshots = {one.handle.value: one for one in self.set}
        found = []
        for index in range(lib().vmsnap_set_cow_count(self._handle)):
            row = _lib.struct(_header.SetCowRow)
            lib().vmsnap_set_cow_row_sized(self._handle, index, byref(row), ctypes.sizeof(row))
            pages = _by_word(lambda handle, verdict, at=index: lib().vmsnap_set_cow_pages(handle, at, verdict),
                             self._handle, Verdict.COUNT, lib().vmsnap_verdict_name)
            found.append((snapshots[row.child], snapshots.get(row.parent), pages))
        return found

    @property
    def distinct(self):
        """{verdict: bytes} in distinct frames."""
        return _by_word(lib().vmsnap_set_cow_distinct, self._handle, Verdict.COUNT, lib().vmsnap_verdict_name)

    def text(self, style=PLAIN, totals=False):
        return printed(lib().vmsnap_print_set_cow, self._handle, _flags(totals), style=style)
