"""Which bytes differ between two snapshots that keep contents.  Knows no gdb.

Pages whose contents differ are found by their hashes; only these are compared byte by byte.
What one of the two does not know is not compared, and counted, but for pages that were the
file's own: of these the file has the bytes."""

import bisect
import collections
import re

from vmsnap import PageFlag, Perm
from vmsnap_gdb import heap_chunks

# ranges: (start, end) of neighbouring bytes that differ.  pages: (start, end) of pages with such.
# compared: bytes that both know.  unknown: bytes that one of them knows and the other should.
# coarse: some of the ranges hold bytes that do not differ, too.  new, gone: bytes that are mapped in one only.
Changed = collections.namedtuple("Changed", "ranges pages compared unknown coarse new gone")

_PIECE = 64 << 10
_MOST_RANGES = 200000  # told byte by byte; beyond that, with what lies between those that are near each other
_DIFFERENT, _NEARLY = re.compile(rb"[^\0]+"), re.compile(rb"[^\0]+(?:\0{1,1023}[^\0]+)*")


def differing(a, b, at, coarse=False):
    """[(start, end)] of the bytes that differ between two bytes objects that lie at an address."""
    if a == b:
        return []
    length = min(len(a), len(b))
    both = int.from_bytes(a[:length], "little") ^ int.from_bytes(b[:length], "little")
    return [(at + found.start(), at + found.end())
            for found in (_NEARLY if coarse else _DIFFERENT).finditer(both.to_bytes(length, "little"))]


class Reader:
    """Reads what a snapshot's memory held: what it keeps, and of pages that were a file's own and never
    written to, what the file has."""

    def __init__(self, snapshot):
        self.snapshot = snapshot
        self._file_pages = {}

    def __call__(self, address, length):
        """As a Snapshot's read()."""
        found = self.snapshot.read(address, length)
        while len(found) < length:
            more = self._of_file(address + len(found), length - len(found))
            more = more or (self.snapshot.read(address + len(found), length - len(found)) if found else b"")
            if not more:
                break
            found += more
        return found

    def _of_file(self, address, length):
        """Up to the end of its page; b"" if that is none of a file's own."""
        size = self.snapshot.page_size
        page = address // size * size
        if page not in self._file_pages:
            self._file_pages[page] = self._read_file(page)
        held = self._file_pages[page]
        return held[address - page:address - page + length] if held else b""

    def _read_file(self, page):
        mapping = self.snapshot.mapping_at(page)
        if mapping is None or not mapping.inode or mapping.perms & Perm.SHARED:
            return None
        # One that was written to is present and anonymous, or in swap.
        state = self.snapshot.page_at(page)
        if state is not None and (state.swapped is not False or not state.flags & PageFlag.FILE):
            return None
        found = self.snapshot.file_page_now(page, memory=False)
        return found and found[1]


class Sides:
    """written: of B is known only what lies in these sorted ranges; the rest is as it was in A.  None: B keeps all."""

    def __init__(self, a, b, written=None):
        self.a, self.b, self.written = a, b, written
        self.old, self.new = Reader(a), Reader(b)
        if written is not None:
            self.new = _Unwritten(self.new, self.old, written)


    def kept(self):
        """[(start, end)] of what the newer one holds, as far as that is known."""
        there = list(self.b.contents_ranges())
        return there if self.written is None else joined(sorted([*there, *self.a.contents_ranges()]))

    def heap_blocks(self, addresses):
        """As a Snapshot's, of the newer one."""
        if self.written is None:
            return self.b.heap_blocks(addresses)
        # Only pages of B that were written are kept: from where there was a block before its chunks go on.
        return [block and heap_chunks.now(self.new, block, address)
                for block, address in zip(self.a.heap_blocks(addresses), addresses)]

    def heap_block(self, address):
        return self.heap_blocks([address])[0]


class _Unwritten:
    """Reads what is in some ranges from one Reader, and the rest from another."""

    def __init__(self, new, old, written):
        self._new, self._old, self._written = new, old, written
        self._starts = [start for start, _ in written]

    def __call__(self, address, length):
        found = b""
        while len(found) < length:
            at = address + len(found)
            index = bisect.bisect_right(self._starts, at) - 1
            inside = index >= 0 and at < self._written[index][1]
            border = self._written[index][1] if inside else \
                self._starts[index + 1] if index + 1 < len(self._starts) else address + length
            piece = min(border, address + length) - at
            more = (self._new if inside else self._old)(at, piece)
            found += more
            if len(more) < piece:
                break
        return found


def of(sides):
    """Changed of two Sides."""
    ranges, pages, compared, unknown, coarse = [], [], 0, 0, False
    for start, end, differ in sides.a.contents_compare(sides.b):
        compared += end - start
        if differ:
            pages.append((start, end))
    known_to_one = _known_to_one(sides)
    if sides.written is not None:
        total = _length(known_to_one)
        known_to_one = _overlaps(known_to_one, sides.written)
        compared += total - _length(known_to_one)  # that they were not written is as good
    for start, end in known_to_one:
        known = _both_know(sides, start, end)
        pages += known
        count = sum(to - at for at, to in known)
        compared += count
        unknown += end - start - count
    told = []
    for start, end in sorted(pages):
        before = len(ranges)
        for at in range(start, end, _PIECE):
            coarse = len(ranges) > _MOST_RANGES
            ranges += _in_piece(sides, at, min(at + _PIECE, end), coarse)
        if len(ranges) > before:
            told.append((start, end))
    a, b = _mapped(sides.a), _mapped(sides.b)
    return Changed(joined(ranges), told, compared, unknown, coarse, _length(_without(b, a)), _length(_without(a, b)))


def _length(ranges):
    return sum(end - start for start, end in ranges)


def _in_piece(sides, start, end, coarse):
    return differing(sides.old(start, end - start), sides.new(start, end - start), start, coarse)


def joined(ranges, gap=0):
    """Sorted ranges, those as one that overlap or have no more than a gap between."""
    found = []
    for start, end in ranges:
        if found and start <= found[-1][1] + gap:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _known_to_one(sides):
    """[(start, end)] of pages that one keeps and the other does not, where both have memory."""
    a, b = list(sides.a.contents_ranges()), list(sides.b.contents_ranges())
    one = _without(a, b) + _without(b, a)
    there = [_overlaps(_mapped(side), one) for side in (sides.a, sides.b)]
    return _overlaps(there[0], there[1])


def _mapped(snapshot):
    return joined([(mapping.start, mapping.end) for mapping in snapshot.mappings])


def _without(these, those):
    """What of sorted ranges is in none of others."""
    found, others, at = [], list(those), 0
    for start, end in these:
        while at < len(others) and others[at][1] <= start:
            at += 1
        index = at
        while index < len(others) and others[index][0] < end:
            if others[index][0] > start:
                found.append((start, others[index][0]))
            start = max(start, others[index][1])
            index += 1
        if start < end:
            found.append((start, end))
    return found


def _overlaps(these, those):
    """What of ranges is in others, too."""
    found, these, those = [], sorted(these), sorted(those)
    i = j = 0
    while i < len(these) and j < len(those):
        start, end = max(these[i][0], those[j][0]), min(these[i][1], those[j][1])
        if start < end:
            found.append((start, end))
        if these[i][1] < those[j][1]:
            i += 1
        else:
            j += 1
    return found


def _both_know(sides, start, end):
    """[(start, end)] of the pages of a range that both know."""
    size, found = sides.b.page_size, []
    for page in range(start, end, size):
        if len(sides.old(page, size)) == size and len(sides.new(page, size)) == size:
            found.append((page, page + size))
    return joined(found)


_FEW = 256


def joined_few(ranges):
    """The same, and more between: some hundred at most, as each capture looks at all of them for each page."""
    gap = 1 << 16
    while len(ranges) > _FEW:
        ranges, gap = joined(ranges, gap), gap * 4
    return ranges


def complement(ranges):
    """All addresses that lie in none of sorted ranges."""
    edges = [0, *(edge for each in ranges for edge in each), (1 << 64) - 1]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2]) if start < end]


def outside(ranges, others):
    """What of sorted ranges is in none of others."""
    return _without(ranges, joined(sorted(others)))
