"""What lies where bytes changed: variables of frames and threads, globals, blocks of malloc's, and
what is left as ranges.  Each byte belongs to one of them."""

import collections
import itertools

from vmsnap import AnnotationKind, NameKind, PageFlag, Perm
from vmsnap_gdb import changed_bytes, heap_paths, variables
from vmsnap_gdb.leaves import Ranges

# type: a gdb.Type, None if there is none.  kind: "variable", "library" (a variable of one), "heap" or "memory".
# where: what tells it from others of its name, as in "main()".  fresh: it was none yet in the first snapshot.
Object = collections.namedtuple("Object", "kind name where start size type fresh", defaults=(None, False))

_OF_FRAMES = (AnnotationKind.LOCAL, AnnotationKind.ARGUMENT)
_PLACES = (NameKind.THREAD_STACK, NameKind.MAPPING, NameKind.MALLOC_HEAP)
BY_POINTER = "by pointer"  # where: the name is a pointer to what lies there
_MOST_TYPED = 200
_KINDS = ("variable", "heap", "library", "memory")
_ALIGN, _WORD = 16, 8  # of malloc's chunks
_CACHE, _CACHE_SIZES = "malloc's lists of free blocks,", (584, 648)  # glibc's tcache, up to 2.29 and since
_GAP = 64  # bytes between two ranges that are told as one, and where there are more than so many of a mapping
_MOST_RANGES, _WIDER = 8, (4096, 64 << 10, 1 << 20)


class Finder:
    """names: of the newer snapshot; types: a types_of.Types."""

    def __init__(self, sides, changed, names, types):
        self._sides, self._a, self._b, self._names, self._types = sides, sides.a, sides.b, names, types
        self._left, self._changed = list(changed.ranges), Ranges(changed.ranges)
        self._coarse = changed.coarse
        self._objects = []

    def find(self):
        """(objects, bytes that are left out, since they are in no memory that is in use)."""
        left_out = self._leave_out(self._debuggers() + self._kernels())
        self._take(self._of_frames_and_threads())
        left_out += self._leave_out(self._dead_stack())
        self._take(self._of_blocks_entered())
        left_out += self._leave_out(self._of_blocks_left())
        self._take(self._globals())
        self._take(self._heap_blocks())
        self._take(self._rest())
        return sorted(self._objects, key=self._order), left_out

    def _order(self, each):
        """The program's own first, then what libraries keep for themselves."""
        return _KINDS.index(each.kind), each.start

    def _leave_out(self, ranges):
        """Gives how many bytes these were."""
        before = _bytes(self._left)
        self._left = changed_bytes.outside(self._left, ranges)
        return before - _bytes(self._left)

    def _take(self, made):
        """What lies between bytes that changed is left out, too, where no more than that is told."""
        changed = Ranges(self._left)
        self._objects += [each for each in made if self._differs(changed, each.start, each.start + each.size)]
        self._leave_out([(each.start, each.start + each.size) for each in made])

    def _differs(self, changed, start, end):
        """Whether a byte between them does: beyond so many ranges some hold bytes that do not."""
        return any(not self._coarse or self._sides.old(at, to - at) != self._sides.new(at, to - at)
                   for at, to in changed.within(start, end))

    # ---- what is not the program's doing, or no memory in use ----

    def _debuggers(self):
        """Breakpoints and their like; what somebody at the prompt wrote is his to see."""
        return [(each.address, each.address + each.size) for snapshot in (self._a, self._b)
                for each in snapshot.annotations()
                if each.kind == AnnotationKind.DEBUGGER_WRITE and each.symbol != "written from gdb"]

    def _kernels(self):
        return [area for snapshot in (self._a, self._b) for area in getattr(snapshot, "kernels_own", ())]

    def _dead_stack(self):
        """Of each thread, what lies below its innermost frame in one of the two: of functions that have
        ended, or had not begun."""
        pointers = {thread.tid: thread.stack_pointer for thread in self._a.threads}
        found = []
        for thread in self._b.threads:
            both = thread.stack_pointer, pointers.get(thread.tid)
            bottom = self._stack_bottom(max(both)) if all(both) else None
            if bottom is not None:
                found.append((bottom, max(both)))
        return found

    def _stack_bottom(self, sp):
        """Where the stack begins that sp points into; None if that is not known to be one: a program
        may have stacks within other memory of its own, which must not be taken for one."""
        mapping = self._b.mapping_at(sp)
        if mapping is None:
            return None
        if mapping.name == "[stack]":
            return mapping.start
        name = self._names.at(sp) if self._names else None
        if name is None or name.kind != NameKind.THREAD_STACK or not name.size:
            return None
        below, page = self._b.mapping_at(name.address - 1), self._b.page_at(name.address - 1)
        guarded = below is not None and not below.perms & (Perm.READ | Perm.WRITE | Perm.EXEC) \
            or page is not None and page.flags & PageFlag.GUARD
        return name.address if guarded else None

    # ---- who has them ----

    def _of_frames_and_threads(self):
        """Those that both snapshots have: of frames that are there in both."""
        types = getattr(self._a, "types", None)
        if not types:
            return []
        ranges, found = Ranges(self._left), []
        for name in self._b.annotations():
            key = variables.key_of(name)
            if key in types and ranges.any(name.address, name.address + name.size):
                where = self._frame_of(name) if name.kind in _OF_FRAMES else f"thread {name.tid}"
                found.append(Object("variable", name.symbol, where, name.address, name.size, types[key]))
        return found

    def _frame_of(self, name):
        """"work()"; of another thread than the main one "work() of thread 4712"."""
        return f"{name.function}()" + (f" of thread {name.tid}" if name.tid not in (0, self._b.pid) else "")

    def _of_blocks_entered(self):
        """Variables of frames that are there in both, in whose block the first one was not yet."""
        types, before = getattr(self._b, "types", None), getattr(self._a, "types", None)
        if not types or before is None:
            return []
        ranges = Ranges(self._left)
        return [Object("variable", name.symbol, self._frame_of(name), name.address, name.size, types.get(key), True)
                for name, key in ((name, variables.key_of(name)) for name in self._b.annotations())
                if name.kind in _OF_FRAMES and key not in before and ranges.any(name.address, name.address + name.size)]

    def _of_blocks_left(self):
        there = {variables.key_of(name) for name in self._b.annotations()}
        return [(name.address, name.address + name.size) for name in self._a.annotations()
                if name.kind in _OF_FRAMES and variables.key_of(name) not in there]

    def _globals(self):
        if self._names is None:
            return []
        ranges, size, found = Ranges(self._left), self._b.page_size, {}
        pages = changed_bytes.joined((start // size * size, -(-end // size) * size) for start, end in self._left)
        for start, end in pages:
            for name in self._names.within(start, end):
                if name.kind == NameKind.OBJECT and name.size and ranges.any(name.address, name.address + name.size):
                    made = self._global(name)
                    # One may have several names.
                    if (name.address, name.size) not in found or made.type is not None:
                        found.setdefault((name.address, name.size), made)
        return list(found.values())

    def _global(self, name):
        known = self._types.of(name, name.address, name.size)
        own = name.object == self._b.exe
        where = "" if own else name.object.rpartition("/")[2]
        called, kind = (known[1], known[0]) if known else (str(name), None)
        return Object("variable" if own else "library", called, where, name.address, name.size, kind)

    def _heap_blocks(self):
        found, named, at, changed = {}, 0, self._left, Ranges(self._left)
        paths = heap_paths.Paths(self._sides, self._names, self._types, self._dead_stack())
        while at:
            blocks = self._sides.heap_blocks([start for start, _ in at])
            for block in filter(None, blocks):
                what = _CACHE if self._is_cache(block) else "free heap block" if block.is_free else "heap block"
                end = block.address + block.size
                unnamed = block.is_free or what == _CACHE or named >= _MOST_TYPED or not self._differs(changed, block.address, end)
                by = None if unnamed else paths.of(block)
                named += not unnamed
                # A header that changed is no part of what the pointer points to.
                if by is not None and not self._differs(changed, block.address, block.address + by.offset):
                    found[block.address] = Object("heap", by.expression, BY_POINTER, block.address + by.offset,
                                                  block.size - by.offset, by.type)
                else:
                    found[block.address] = Object("heap", f"{what} of {block.size} bytes at {block.address:#x}", "",
                                                  block.address, block.size)
            # A range may go on in the next block.
            at = [(block.address + block.size, end) for block, (_, end) in zip(blocks, at)
                  if block and block.address + block.size < end]
        return list(found.values())

    def _is_cache(self, block):
        """Whether it is what malloc keeps of free blocks for a thread: the first of its heap."""
        mapping = self._b.mapping_at(block.address) if block.size in _CACHE_SIZES else None
        return mapping is not None and block.address - _ALIGN == mapping.start

    def _rest(self):
        """By mapping, what nobody has a name for."""
        found, left = [], Ranges(self._left)
        really = [each for each in self._left if self._differs(left, *each)]
        for start, end in changed_bytes.joined(really, gap=_GAP):
            name = self._names.at(start) if self._names else None
            mapping = self._b.mapping_at(start)
            known = name is not None and name.kind in _PLACES
            where = str(name) if known else mapping.name if mapping else ""
            section = self._names.section_at(start) if self._names and mapping and mapping.inode else ""
            where = f"{section} of {where.rpartition('/')[2]}" if section else where or "anonymous memory"
            where = self._record_of_malloc(start, end) or where
            found.append(Object("memory", f"{start:x}-{end:x}", where, start, end - start))
        return self._few_of_each(found)

    def _few_of_each(self, ranges):
        """Where there are many in a row of one mapping, as an allocator of the program's own writes all over it, those
        that are near each other are one.  What the dynamic linker notes here and there always is."""
        found = []
        for (where, _), row in itertools.groupby(ranges, key=self._where_of):
            row = list(row)
            for gap in _WIDER:
                if len(row) > (1 if where.startswith(".got") else _MOST_RANGES):
                    row = self._joined(row, gap)
            found += row
        return found

    def _where_of(self, each):
        """Several mappings may be called the same, with others or nothing between them."""
        mapping = self._b.mapping_at(each.start)
        return each.where, mapping and mapping.start

    def _joined(self, row, gap):
        """Not over what changed between and is somebody's."""
        found = []
        for each in row:
            before = found[-1] if found else each
            end = before.start + before.size
            if found and each.start <= end + gap and not self._changed.any(end, each.start):
                found.pop()
                end, start = each.start + each.size, before.start
                each = each._replace(name=f"{start:x}-{end:x}", start=start, size=end - start)
            found.append(each)
        return found

    def _record_of_malloc(self, start, end):
        """Before each block lies its size, and beside that flags which change with its neighbours; "": it is no such."""
        at = (start | _ALIGN - 1) + 1
        block = self._sides.heap_block(at) if end <= at and at - start <= _WORD else None
        return f"malloc's size of the block at {at:#x}" if block is not None and block.address == at else ""


def _bytes(ranges):
    return sum(end - start for start, end in ranges)
