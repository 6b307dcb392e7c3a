"""What of an object changed: its members, elements and bits, by path."""

import bisect
import collections

from vmsnap_gdb import render

# start, size: in bytes, of what lies in memory.  bits: (first, count) in these bytes, of a bit-field.
Leaf = collections.namedtuple("Leaf", "path type start size bits", defaults=(None,))

_MOST_COUNTED = 2000


class Ranges:
    """Sorted ranges of bytes that changed."""

    def __init__(self, ranges):
        self._starts = [start for start, _ in ranges]
        self._ranges = ranges

    def within(self, start, end):
        """Those that overlap [start, end), clipped to it."""
        at = max(bisect.bisect_right(self._starts, start) - 1, 0)
        found = []
        while at < len(self._ranges) and self._ranges[at][0] < end:
            one, other = max(self._ranges[at][0], start), min(self._ranges[at][1], end)
            if one < other:
                found.append((one, other))
            at += 1
        return found

    def any(self, start, end):
        return bool(self.within(start, end))


class Changes:
    """The leaves of one object that changed.  leaves: the first few; more: how many others there are;
    many: whether that is only the least."""

    def __init__(self, kind, start, name, changed, most, differs):
        """changed: Ranges.  most: how many are wanted.  differs(leaf): whether it really did."""
        self.leaves, self.more, self.many = [], 0, False
        self._changed, self._most, self._differs = changed, most, differs
        self._walk(name, kind, start)

    def _add(self, leaf):
        if self.more >= _MOST_COUNTED:
            self.many = True
        elif self._differs(leaf):
            if len(self.leaves) < self._most:
                self.leaves.append(leaf)
            else:
                self.more += 1

    def _walk(self, path, kind, start):
        kind = render.plain(kind)
        if self.many or not kind.sizeof or not self._changed.any(start, start + kind.sizeof):
            return
        # What a dynamic type is depends on the bytes: of a struct with such members the others can be told apart.
        whole = kind.dynamic and not (render.is_struct(kind) and not render.has_variants(kind))
        if whole or render.is_text(kind) or not (render.is_array(kind) or render.is_struct(kind)):
            self._add(Leaf(path, kind, start, kind.sizeof))
        elif render.is_array(kind):
            self._elements(path, kind, start)
        else:
            self._members(path, kind, start)

    def _elements(self, path, kind, start):
        element, size = kind.target(), kind.target().sizeof
        low = kind.range()[0]
        done = -1
        for one, other in self._changed.within(start, start + kind.sizeof) if size else ():
            first, last = max((one - start) // size, done + 1), (other - 1 - start) // size
            for index in range(first, last + 1):
                self._walk(f"{path}[{low + index}]", element, start + index * size)
                if self.many:
                    return
            done = max(done, last)

    def _members(self, path, kind, start):
        for name, of, place, bits, base in render.members(kind):
            # A base class's members are its own; an anonymous union's too.
            inner = path if base or not name else f"{path}.{name}"
            at = start + place // 8
            if not bits:
                self._walk(inner, of, at)
                continue
            size = -(-(place % 8 + bits) // 8)
            if self._changed.any(at, at + size):
                self._add(Leaf(inner, of, at, size, (place % 8, bits)))
