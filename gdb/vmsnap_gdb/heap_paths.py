"""What a block of malloc's holds, by the pointers that lead to it: `p->next->count`.

Backwards: where its address lies in the memory of the newer snapshot, in a variable or in another block, whose own
address is looked for in turn, and so on to a variable whose type tells what all of it points to."""

import collections

import gdb

from vmsnap import NameKind
from vmsnap_gdb import changed_bytes, pointees, render, variables

_DEPTH = 3                    # pointers that are followed
_MOST_BLOCKS = 32             # that are looked for, those behind others too
_NEAR = 1 << 20               # bytes of the smallest mappings, where most variables lie: looked at for each of them
_MOST_BYTES = 48 << 20        # of the others, looked at in all, for all of them
_PIECE = 1 << 20
_MOST_PLACES = 8              # of one address
_WORD = 8
_HEADER, _LEAST = 8, 24       # of malloc's chunks: what it gives for a size is known

# Some allocators on top of malloc's put a header before what they give (sqlite, jemalloc's and zmalloc's wrappers).
_OFFSETS = (0, 8, 16)

# expression: a pointer to it; type: of what lies there, an array of several; offset: where in the block that begins.
Found = collections.namedtuple("Found", "expression type offset")


class Paths:
    def __init__(self, sides, names, types, dead):
        """dead: ranges of memory that is not in use, where old pointers lie."""
        self._sides, self._names, self._types = sides, names, types
        self._far_left, self._blocks_left = _MOST_BYTES, _MOST_BLOCKS
        self._found = {}
        self._locals = None
        # Variables first: they lie in small mappings, what is behind pointers in large ones.
        ranges = sorted(changed_bytes.outside(sides.kept(), dead), key=lambda each: each[1] - each[0])
        self._near, self._far = _parted(ranges, _NEAR)

    def of(self, block):
        """Found of a HeapBlock; None if no pointer is known that leads to it."""
        if block.address not in self._found:
            self._found[block.address] = None  # a ring of pointers ends here
            self._found[block.address] = self._search(block, 0)
        return self._found[block.address]

    def _search(self, block, depth):
        if self._blocks_left <= 0:
            return None
        self._blocks_left -= 1
        for ranges in (self._near, self._far):
            found = self._search_in(ranges, block, depth)
            if found is not None:
                return found
        return None

    def _search_in(self, ranges, block, depth):
        everywhere = self._places(ranges, [block.address + offset for offset in _OFFSETS if offset < block.size])
        for offset, places in zip(_OFFSETS, everywhere):
            for place in places:
                found = self._of_variable(place)
                if found is not None:
                    return self._of_block(found, block, offset)
            for place in places if depth < _DEPTH else ():
                found = self._of_other_block(place, block, depth)
                if found is not None:
                    return self._of_block(found, block, offset)
            if places:
                break  # what begins there is not known
        return None

    def _of_other_block(self, place, block, depth):
        other = self._sides.heap_block(place)
        if other is None or other.is_free or other.address == block.address:
            return None
        if other.address not in self._found:
            self._found[other.address] = None
            self._found[other.address] = self._search(other, depth + 1)
        outer = self._found[other.address]
        within = place - other.address - outer.offset if outer else -1
        return None if within < 0 else self._pointer_at(outer.expression, outer.type, place - within, within, True)

    def _of_variable(self, place):
        """(expression, type of what it points to) of the pointer that lies at an address."""
        for start, size, name, kind in [*self._of_frames(place), *self._globals(place)]:
            found = self._pointer_at(name, kind, start, place - start, False)
            if found is not None:
                return found
        return None

    def _pointer_at(self, name, kind, start, offset, through):
        """(expression, type of what it points to) of the pointer at an offset of an object; None: there is none.
        through: the name is a pointer to the object."""
        found = self._within(kind, start, offset, "", None)
        if found is None:
            return None
        path, target = found
        return written(name, path) if through else name + path, target

    def _within(self, kind, start, offset, path, node):
        """(path, type of what it points to) of the pointer at an offset of it; None: there is none.  node: of the container
        that it is in."""
        kind = render.plain(kind)
        if render.is_struct(kind) and kind.dynamic and render.has_variants(kind):
            kind = render.resolved(kind, self._sides.new(start, kind.sizeof))
            if kind is None:
                return None
        if kind.code == gdb.TYPE_CODE_PTR:
            target = kind.target()
            known = offset == 0 and render.plain(target).code not in (gdb.TYPE_CODE_VOID, gdb.TYPE_CODE_FUNC)
            return (path, pointees.declared(target, node)) if known else None
        if render.is_array(kind) and kind.target().sizeof:
            size = kind.target().sizeof
            index = offset // size
            return self._within(kind.target(), start + index * size, offset % size, f"{path}[{kind.range()[0] + index}]", node)
        if not render.is_struct(kind):
            return None
        node = pointees.node_of(kind, node)
        # Where an empty base class lies (an allocator, a deleter), another one does, too.
        for name, of, place, bits, base in render.members(kind):
            at = place // 8
            if not bits and at <= offset < at + of.sizeof:
                found = self._within(of, start + at, offset - at, path if base or not name else f"{path}.{name}", node)
                if found is not None:
                    return found
        return None

    def _of_block(self, found, block, offset):
        """One of them, or an array, as far as the block goes."""
        expression, kind = found
        try:
            there = pointees.found(kind, block.address + offset, block.size - offset, self._sides.new, self._names)
            if there is None:
                return None
            kind, count = there
            given = max(-(-(kind.sizeof + offset + _HEADER) // 16) * 16 - _HEADER, _LEAST)
            return Found(expression, kind if count < 2 or given == block.size else kind.array(count - 1), offset)
        except (gdb.error, RuntimeError, ValueError, OverflowError):
            return None

    def _of_frames(self, place):
        if self._locals is None:
            types = getattr(self._sides.b, "types", None) or {}
            self._locals = [(name.address, name.size, name.symbol, types[key])
                            for name, key in ((name, variables.key_of(name)) for name in self._sides.b.annotations())
                            if key in types]
        return [each for each in self._locals if each[0] <= place < each[0] + each[1]]

    def _globals(self, place):
        name = self._names.at(place) if self._names is not None else None
        if name is None or name.kind != NameKind.OBJECT or not name.size:
            return []
        kind = self._types.of(name, name.address, name.size)
        return [(name.address, name.size, kind[1], kind[0])] if kind else []

    def _places(self, ranges, addresses):
        """Where in these ranges each of them lies, as a whole word."""
        found = [[] for _ in addresses]
        wanted = collections.defaultdict(dict)  # they are near each other: all but the lowest byte is looked for once
        for address, places in zip(addresses, found):
            word = address.to_bytes(_WORD, "little")
            wanted[word[1:]][word[0]] = places
        far = ranges is self._far
        for start, end in ranges:
            for at in range(start, end, _PIECE):
                if far and self._far_left <= 0 or len(found[0]) >= _MOST_PLACES:
                    return found
                length = min(_PIECE, end - at)
                self._far_left -= length if far else 0
                held = self._sides.new(at, length)
                for rest, lowest in wanted.items():
                    _find(held, rest, lowest, at)
        return found


def _parted(ranges, most):
    """The first ones, up to so many bytes in all, and the others."""
    for index, (start, end) in enumerate(ranges):
        most -= end - start
        if most < 0:
            return ranges[:index], ranges[index:]
    return ranges, []


def _find(held, rest, lowest, at):
    """Adds where words lie that end with `rest`: to the list that `lowest` has for the byte before."""
    place = held.find(rest, 1)
    while place >= 0:
        places = lowest.get(held[place - 1]) if place % _WORD == 1 else None
        if places is not None and len(places) < _MOST_PLACES:
            places.append(at + place - 1)
        place = held.find(rest, place + 1)


def written(pointer, path, several=False):
    """"p->next", "p[3].count", "*p" of a pointer and a path within what it points to; several: an array, "p"."""
    if path.startswith("."):
        return f"{pointer}->{path[1:]}"
    return pointer + path if path or several else f"*{pointer}"
