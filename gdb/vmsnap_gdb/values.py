"""What changed between two snapshots, by variable: for people and as JSON.

    found = between(a, b, names, symtabs)    None if one of the two does not keep what pages hold
    found.text(), found.json()
"""

import collections
import json

import gdb

from vmsnap import AnnotationKind, size_text
from vmsnap_gdb import changed_bytes, heap_paths, language, objects, render, types_of
from vmsnap_gdb.leaves import Changes, Ranges
from vmsnap_gdb.style import plain, unicode

_LEAVES = 5      # of one variable
_WORD = 8        # bytes that are shown of what has no type
_ROWS = 100
_FRAMES = 8       # whose source files are looked into
_STRING_PART = 24
_WHOLE_STRING = 32   # characters, of which all is shown
_LARGEST_COMPARED = 1 << 20
_WIDEST = 40         # column of names
_WORDS = {"variable": "variable", "heap": "heap block", "library": "variable of libraries", "memory": "other range"}

# old, new: text, or None where only bytes are counted.  bytes: how many changed.  more: how many other members
# and elements of the variable did; many: and perhaps still more.  touched: gdb wrote there, at some time.
# block, block_size: of malloc's, if it lies in one and its type is known by a pointer.
Row = collections.namedtuple("Row", "kind name where start size bytes old new more many touched block block_size",
                             defaults=(False, None, None))


def between(a, b, names, symtabs=(), written=None):
    """written: of B only what lies in these ranges was read, for nothing else was written (changed_bytes.Sides)."""
    if a.contents != "bytes" or b.contents != "bytes" and written is None:
        return None
    with language.sane():
        return Values(a, b, names, symtabs, written)


def symtabs():
    """The source files of the innermost frames of the selected thread."""
    found = []
    try:
        frame = gdb.newest_frame()
    except gdb.error:
        return found
    for _ in range(_FRAMES):
        try:
            symtab = frame.find_sal().symtab
            frame = frame.older()
        except gdb.error:
            break
        if symtab is not None and not any(symtab.filename == each.filename for each in found):
            found.append(symtab)
        if frame is None:
            break
    return found


class Values:
    def __init__(self, a, b, names, symtabs, written=None):
        self.sides = changed_bytes.Sides(a, b, written)
        self.changed = changed_bytes.of(self.sides)
        self._ranges = Ranges(self.changed.ranges)
        self._old, self._new = (render.Renderer(names, side) for side in (self.sides.old, self.sides.new))
        found, self.left_out = objects.Finder(self.sides, self.changed, names, types_of.Types(symtabs, names, b)).find()
        self.objects = found
        self._touched = [(each.address, each.address + each.size) for each in b.annotations()
                         if each.kind == AnnotationKind.DEBUGGER_WRITE and each.symbol == "written from gdb"]
        self.rows = [self._marked(row) for each in found for row in self._rows(each)]
        self.by = None  # wrote_by.WroteBy: who wrote

    # ---- rows ----

    def _rows(self, each):
        count = self._count(each.start, each.start + each.size)
        bare = Row(each.kind, each.name, each.where, each.start, each.size, count, None, None, 0, False)
        if each.type is None:
            return self._parts(bare) if each.kind in ("variable", "library") and each.size > _WORD else \
                [self._untyped(bare)]
        if each.kind == "heap":
            block = self.sides.heap_block(each.start)
            bare = bare._replace(block=block.address, block_size=block.size, where="")
        pointer = each.name if each.where == objects.BY_POINTER else None
        changes = Changes(each.type, each.start, "" if pointer else each.name, self._ranges, _LEAVES, self._differs)
        leaves = changes.leaves
        if pointer:
            several = render.is_array(each.type)
            leaves = [leaf._replace(path=heap_paths.written(pointer, leaf.path, several)) for leaf in leaves]
        rows = [self._leaf(bare, leaf) for leaf in leaves]
        if each.fresh:
            rows = [row._replace(old=render.UNKNOWN) for row in rows]
        if changes.more:
            rows.append(bare._replace(more=changes.more, many=changes.many))
        return rows or [bare]  # padding, perhaps

    def _marked(self, row):
        end = row.start + row.size
        return row._replace(touched=any(start < end and row.start < other for start, other in self._touched))

    def _count(self, start, end):
        return sum(other - one for one, other in self._ranges.within(start, end))

    def _parts(self, row):
        """Of a large variable without a type: the bytes that changed, by how far they lie behind its beginning."""
        ranges = self._ranges.within(row.start, row.start + row.size)
        if len(ranges) > _LEAVES:
            return [row]
        return [self._untyped(row._replace(name=f"{row.name}+{start - row.start}", start=start, size=end - start,
                                           bytes=end - start)) for start, end in ranges]

    def _untyped(self, row):
        if row.kind not in ("variable", "library") or row.size > _WORD:
            return row
        old, new = self.sides.old(row.start, row.size), self.sides.new(row.start, row.size)
        return row._replace(old=render.hexadecimal(old) if old else render.UNKNOWN, new=render.hexadecimal(new))

    def _bytes_of(self, leaf, side):
        raw = side(leaf.start, leaf.size)
        if leaf.bits is None or len(raw) < leaf.size:
            return raw
        return render.bit_field(raw, *leaf.bits, leaf.type)

    def _differs(self, leaf):
        return leaf.size > _LARGEST_COMPARED or self._bytes_of(leaf, self.sides.old) != self._bytes_of(leaf, self.sides.new)

    def _leaf(self, bare, leaf):
        count = self._count(leaf.start, leaf.start + leaf.size)
        row = bare._replace(name=leaf.path, start=leaf.start, size=leaf.size, bytes=count)
        if render.is_text(leaf.type):
            return self._text_row(row, leaf)
        old, new = self._bytes_of(leaf, self.sides.old), self._bytes_of(leaf, self.sides.new)
        return row._replace(old=self._old.text(leaf.type, old), new=self._new.text(leaf.type, new))

    def _text_row(self, row, leaf):
        """A string: all of it if it is short, else the part that changed."""
        ranges = self._ranges.within(leaf.start, leaf.start + leaf.size)
        first, last = ranges[0][0] - leaf.start, ranges[-1][1] - leaf.start
        head = min(leaf.size, _WHOLE_STRING + 1)
        old, new = self.sides.old(leaf.start, head), self.sides.new(leaf.start, head)
        ends = [side.find(b"\0") if b"\0" in side else leaf.size for side in (old, new)]
        if first <= min(ends) and max(ends) <= _WHOLE_STRING:
            return row._replace(old=render.text_of_string(old), new=render.text_of_string(new))
        part = [side(leaf.start + first, min(last - first, _STRING_PART + 1)) for side in (self.sides.old, self.sides.new)]
        text = [render.text_of_string(each, _STRING_PART) if each else render.UNKNOWN for each in part]
        low = leaf.type.range()[0]
        name = f"{row.name}[{low + first}]" if last - first == 1 else f"{row.name}[{low + first}..{low + last - 1}]"
        return row._replace(name=name, old=text[0], new=text[1], start=leaf.start + first, size=last - first)

    # ---- as text and as JSON ----

    def lines(self, ascii=False):
        """One for each row."""
        left = [plain(_called(row)) for row in self.rows[:_ROWS]]
        width = min(max(map(len, left), default=0), _WIDEST)
        said = [_said(row, ascii) for row in self.rows[:_ROWS]]
        if self.by is not None:
            column = min(max(map(len, said), default=0), _WIDEST)
            said = [self._with_line(text, row, column) for text, row in zip(said, self.rows)]
        found = [f"{name.ljust(width)}  {text}" for name, text in zip(left, said)]
        if len(self.rows) > _ROWS:
            found.append(f"{'...' if ascii else '…'} and {len(self.rows) - _ROWS} lines more")
        return found

    def line_of(self, row):
        """wrote_by.By; None: not known, or not asked for.  Of what is only counted: of all of the variable."""
        if self.by is None:
            return None
        return self.by.of(row, self._ranges.within(row.start, row.start + row.size))

    def _with_line(self, text, row, column):
        by = self.line_of(row)
        return text if by is None else f"{text.ljust(column)}  {self.by.text(by)}"

    def legend(self):
        """What is said of the lines that wrote, below."""
        if self.by is None:
            return []
        return self.by.legend([self.line_of(row) for row in self.rows[:_ROWS]])

    def summary(self):
        size = self.sides.b.page_size
        compared = self.changed.compared // size
        if not self.objects:
            text = f"No byte changed on {compared} pages compared"
        else:
            counts = collections.Counter(each.kind for each in self.objects)
            kinds = [_counted(count, _WORDS[kind]) for kind, count in counts.items()]
            pages = sum(end - start for start, end in self.changed.pages) // size
            text = f"{', '.join(kinds)} changed, on {pages} of {compared} pages compared"
        if self.changed.unknown:
            text += f"; of {_counted(self.changed.unknown // size, 'page')} it is not known what was there"
        if self.changed.new:
            text += f"; {size_text(self.changed.new)} of memory was mapped"
        if self.changed.gone:
            text += f"; {size_text(self.changed.gone)} of memory was unmapped"
        return text + "."

    def json(self):
        """The rows as a list, fit for json.dumps()."""
        return [{key: value for key, value in (
            ("kind", row.kind), ("name", row.name), ("where", row.where or None), ("address", f"{row.start:#x}"),
            ("size", row.size), ("bytes_changed", row.bytes), ("old", row.old), ("new", row.new),
            ("more_changed", row.more or None), ("more_at_least", row.many or None),
            ("touched_by_debugger", row.touched or None),
            ("block", row.block and f"{row.block:#x}"), ("block_size", row.block_size),
            ("by", self._by_json(row))) if value is not None}
            for row in self.rows]

    def _by_json(self, row):
        by = self.line_of(row)
        return by and self.by.json(by)


def _counted(count, word):
    """"2 variables of libraries"."""
    first, _, rest = word.partition(" of ")
    return f"{count} {first}{'' if count == 1 else 's'}{' of ' + rest if rest else ''}"


def _called(row):
    """"orders[3].qty", "answer in main()"."""
    if row.kind in ("variable", "library") and row.where:
        return f"{row.name} in {row.where}"
    return row.name


def _said(row, ascii):
    if row.more:
        number = f"at least {row.more}" if row.many else f"{row.more}"
        return f"{'...' if ascii else '…'} and {number} more of it"
    if row.old is not None:
        text = f"{_fit(row.old, ascii)} {'->' if ascii else '→'} {_fit(row.new, ascii)}"
    else:
        text = _counted(row.bytes, "byte") + (" changed" if row.kind == "heap" else f" of {row.size} changed")
    text = f"{text}, {plain(row.where)}" if row.kind == "memory" else text
    return f"{text}, touched by gdb" if row.touched and not row.more else text


def _fit(text, ascii):
    """A value's text: fit for a line already, but for a terminal without Unicode."""
    if not ascii:
        return text
    return "".join(c if c.isascii() else "..." if c == "…" else f"\\u{ord(c):04x}" for c in text)


# ---- beside a diff ----


def section(found, given):
    """What `vmsnap diff` has below its table."""
    if not found.objects:
        return f"\n{found.summary()}\n" if found.changed.unknown else ""
    ascii = bool(given["ascii"]) or not unicode()
    return "".join(["\nvalues\n", *(f"  {line}\n" for line in found.lines(ascii)), found.summary(), "\n"])


def json_beside(text, found):
    """With the key "values" in a JSON object that is one already."""
    end = text.rstrip()
    return f'{end[:-1].rstrip()}, "values": {json.dumps(found.json())}}}\n'
