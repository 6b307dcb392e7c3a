"""Diff: the facts about two snapshots.  Cow: what a fork's two sides share."""

import ctypes
from ctypes import byref

from vmsnap import _header, _lib
from vmsnap._header import CompareFlag, DiffTotal, PageChange, PrintFlag, Relation, Verdict, VmaChange
from vmsnap._lib import lib
from vmsnap.names import Names
from vmsnap.owned import Owned
from vmsnap.snapshot import mapping_of, status_field
from vmsnap.text import PLAIN, printed


def _flags(totals, long_rows):
    return (PrintFlag.TOTALS_ONLY if totals else 0) | (PrintFlag.LONG if long_rows else 0)


def _bits(mask, word):
    """The words of the bits that are set."""
    return tuple(word(bit).decode() for bit in range(mask.bit_length()) if mask >> bit & 1)


def _by_word(count, handle, kinds, word):
    """What is not 0, by its word."""
    found = ((word(kind).decode(), count(handle, kind)) for kind in range(kinds))
    return {name: pages for name, pages in found if pages}


def _options(another_program, between=()):
    """another_program: it was seen that one was executed in between, whatever the snapshots tell."""
    handles = (ctypes.c_void_p * len(between))(*[each.handle for each in between])
    return _lib.cancellable(_header.CompareOptions, flags=CompareFlag.EXECUTED if another_program else 0,
                            between=handles, between_count=len(between))


def _not_compared(relation):
    """Why pages are not compared one by one: "another_program"; None if they are."""
    return None if relation == Relation.COMPARABLE else lib().vmsnap_relation_name(relation).decode()


def relation(a, b):
    """Why the pages of two snapshots have nothing to do with each other: "one_address_space",
    "another_program" or "another_process"; None if they can be compared."""
    return _not_compared(lib().vmsnap_relation(a.handle, b.handle))


def _given(function, kind):
    """A function that fills a struct, told how much of it we know."""
    size = ctypes.sizeof(kind)
    return lambda handle, index, out: function(handle, index, out, size)


class _Range:
    """Neighbouring pages of one kind.  Has the fields of the library's struct too, as
    they are there."""

    def __init__(self, comparison, struct):
        self._comparison, self._struct = comparison, struct

    def __getattr__(self, field):
        if field.startswith("_"):
            raise AttributeError(field)
        return getattr(self._struct, field)

    @property
    def pages(self):
        return (self.end - self.start) // self._comparison.page_size

    @property
    def mapping(self):
        """In the newer snapshot, else in the older; None if it is in neither."""
        return mapping_of(self._struct.vma)

    @property
    def names(self):
        """What lies on these pages, as text: ["counter", "answer in main()"].  More about
        each: names.within(start, end) of the comparison."""
        return [str(name) for name in self._comparison.names.within(self.start, self.end)]


class DiffRange(_Range):
    @property
    def changes(self):
        """("appeared", "became_exclusive"): the facts of docs/verdicts.md."""
        return _bits(self._struct.changes, lib().vmsnap_page_change_name)

    @property
    def kinds(self):
        """("new",): what that comes to; both "new" and "gone" where other memory lies there."""
        return _bits(self._struct.kinds, lib().vmsnap_page_kind_name)

    @property
    def moved_from(self):
        """The address that the first page had in A; None if they did not move."""
        return getattr(self._struct, "from") if self._struct.moved else None

    def __repr__(self):
        return f"<{self.start:x}-{self.end:x} {' '.join(self.changes)}>"


class CowRange(_Range):
    @property
    def verdict(self):
        """"copied_by_child": a verdict of docs/verdicts.md."""
        return lib().vmsnap_verdict_name(self._struct.verdict).decode()

    def __repr__(self):
        return f"<{self.start:x}-{self.end:x} {self.verdict}{' (inferred)' if self.inferred else ''}>"


class Ranges:
    """The ranges of a comparison, as a sequence; each is made when it is asked for."""

    def __init__(self, comparison, kind, struct, count, get):
        self._comparison, self._kind, self._struct, self._count, self._get = comparison, kind, struct, count, get

    def __len__(self):
        return self._count(self._comparison.handle)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        count = len(self)
        if not -count <= index < count:
            raise IndexError(index)
        made = _lib.struct(self._struct)
        self._get(self._comparison.handle, index % count, byref(made))
        return self._kind(self._comparison, made)


class _Comparison(Owned):
    """named: the snapshot whose names are told.  lenders: whose captured names serve too, if it
    has none of its own since no debugger could look into that process."""

    def __init__(self, named, lenders, *borrowed):
        super().__init__(*borrowed)
        self.named, self.lenders = named, [each for each in lenders if each is not None and each is not named]
        self.page_size = named.page_size
        self._names = None

    @property
    def names(self):
        """Names, looked up when first asked for; another may be set."""
        if self._names is None:
            found = Names(self.named)
            for lender in () if self.named.has_variables() else self.lenders:
                found.add_fallback(lender)
            self._names = found
        return self._names

    @names.setter
    def names(self, names):
        self._names = names


class Diff(_Comparison):
    """The facts about two snapshots."""

    _free = "vmsnap_diff_free"

    def __init__(self, a, b, another_program=False, between=()):
        """between: snapshots of the process from between the two, in any order: where what was written was tracked
        from one to the next, they tell of it."""
        super().__init__(b, (a,), a, b)
        self.a, self.b = a, b
        options = _options(another_program, between)
        _lib.call_holding_interrupts(lib().vmsnap_diff_new_with, a.handle, b.handle, byref(options),
                                     byref(self._handle))

    def any(self):
        """Whether anything differs."""
        return lib().vmsnap_diff_any(self._handle)

    @property
    def not_compared(self):
        """As relation(): then there are no ranges."""
        return _not_compared(lib().vmsnap_diff_relation(self._handle))

    @property
    def ranges(self):
        """Pages that changed, neighbours with the same facts together: DiffRange."""
        return Ranges(self, DiffRange, _header.DiffRange, lib().vmsnap_diff_range_count,
                      _given(lib().vmsnap_diff_range_sized, _header.DiffRange))

    @property
    def mappings(self):
        """[(what became of it: "grown", Mapping in A or None, Mapping in B or None)]"""
        found = []
        for index in range(lib().vmsnap_diff_vma_count(self._handle)):
            row = _lib.struct(_header.DiffVma)
            lib().vmsnap_diff_vma_sized(self._handle, index, byref(row), ctypes.sizeof(row))
            found.append((lib().vmsnap_vma_change_name(row.change).decode(), mapping_of(row.a), mapping_of(row.b)))
        return found

    @property
    def moves(self):
        """[(from, to, length)] of what moved, as mappings tell, in addresses and bytes."""
        found = []
        for index in range(lib().vmsnap_diff_vma_count(self._handle)):
            row = _lib.struct(_header.DiffVma)
            lib().vmsnap_diff_vma_sized(self._handle, index, byref(row), ctypes.sizeof(row))
            if row.change == VmaChange.MOVED:
                found.append((getattr(row, "from"), row.to, row.length))
        return found

    @property
    def status(self):
        """{key: (text in A or None, text in B or None)} of the lines of status that differ."""
        found = {}
        for index in range(lib().vmsnap_diff_status_count(self._handle)):
            row = _lib.struct(_header.DiffStatus)
            lib().vmsnap_diff_status_sized(self._handle, index, byref(row), ctypes.sizeof(row))
            a, b = status_field(row.a), status_field(row.b)
            found[a.key or b.key] = (a.text if a.key else None, b.text if b.key else None)
        return found

    @property
    def totals(self):
        """{fact: pages}; a page may count for several."""
        return _by_word(lib().vmsnap_diff_pages, self._handle, PageChange.COUNT, lib().vmsnap_page_change_name)

    @property
    def unknown_writes(self):
        """Pages in writable private mappings, of which it is not known whether they were written."""
        return lib().vmsnap_diff_total(self._handle, DiffTotal.WRITTEN_UNKNOWN)

    def text(self, style=PLAIN, names=None, totals=False, long_rows=False):
        return printed(lib().vmsnap_print_diff, self._handle, names and names.handle, _flags(totals, long_rows),
                       style=style)


class Cow(_Comparison):
    """What a fork's two sides share, and who copied what.  base: the parent before the fork, or
    either as soon after it as can be; other: the other side at the same instant."""

    _free = "vmsnap_cow_free"

    def __init__(self, parent, child, base=None, lenders=None, other=None, another_program=False):
        super().__init__(child, (base, *((parent,) if lenders is None else lenders)), parent, child, base, other)
        self.parent, self.child, self.base, self.other = parent, child, base, other
        options = _options(another_program)
        _lib.call_holding_interrupts(lib().vmsnap_cow_new_between, parent.handle, child.handle, base and base.handle,
                                     other and other.handle, byref(options), byref(self._handle))

    @property
    def ranges(self):
        """All pages, neighbours with the same verdict together: CowRange."""
        return Ranges(self, CowRange, _header.CowRange, lib().vmsnap_cow_range_count,
                      _given(lib().vmsnap_cow_range_sized, _header.CowRange))

    @property
    def totals(self):
        """{verdict: pages}"""
        return _by_word(lib().vmsnap_cow_pages, self._handle, Verdict.COUNT, lib().vmsnap_verdict_name)

    @property
    def not_compared(self):
        """As relation(), also of one address space at two instants: then there are no ranges."""
        return _not_compared(lib().vmsnap_cow_relation(self._handle))

    def warning(self):
        """What makes the verdicts doubtful; "" if nothing does."""
        return _lib.plain(lib().vmsnap_cow_warning(self._handle))

    def text(self, style=PLAIN, names=None, totals=False, long_rows=False, picture=False):
        """picture: the child's address space as Snapshot.map_text() draws it, by verdicts."""
        flags = _flags(totals, long_rows) | (PrintFlag.PICTURE if picture else 0)
        return printed(lib().vmsnap_print_cow, self._handle, names and names.handle, flags, style=style)
