"""Where the variables of a block lie, worked out once per block.

Reading a variable of a frame costs gdb some 5 µs; a breakpoint that takes snapshots
has 1 ms in all.  Most variables of unoptimised code lie at a fixed distance from the
base of their frame, and `info scope` prints that distance.  So one of them is read
through gdb (the anchor), the others are counted from it.  What `info scope` says in
other words than the two known here is read through gdb each time.
"""

import re

import gdb

from vmsnap import Annotation, AnnotationKind
from vmsnap_gdb import quiet

MAX_TEXT = 120       # characters of a type, a symbol or a function
MAX_SIZE = 1 << 47   # bytes; more than x86-64 gives to a program
_MAX_PLANS = 4000
_MAX_PCS = 256       # per plan
_MAX_SYMBOLS = 2000  # of one block and those around it

# gcc describes "CFA - 92", clang "what rbp says - 4".  gdb 13 writes
#   Symbol x is a complex DWARF expression:\n     0: DW_OP_fbreg -92\n, length 4.
#   Symbol x is a variable at frame base reg $rbp offset 0+-4, length 4.
_FBREG = re.compile(r"a(?: variable with)? complex DWARF expression:\n"
                    r"\s*0: DW_OP_fbreg (-?\d+)\n, length \d+\.\n")
_BASE_REGISTER = re.compile(r"a variable at frame base reg (\$\w+) offset (-?\d+)\+(-?\d+)"
                            r", length \d+\.\n")


def bounded(text):
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT - 3] + "..."


class Variable:
    """A symbol that needs a frame.  offset: from the base of the frame, None if only
    gdb can tell; the base is a name for what it is counted from."""

    __slots__ = ("symbol", "kind", "name", "type", "size", "reference", "dynamic", "base", "offset")

    def __init__(self, symbol, name):
        kind = symbol.type
        self.symbol = symbol
        self.kind = AnnotationKind.ARGUMENT if symbol.is_argument else AnnotationKind.LOCAL
        self.name = bounded(name)
        self.type = bounded(str(kind))
        plain = kind.strip_typedefs()
        self.reference = plain.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF)
        self.dynamic = plain.dynamic
        # The size of a type that depends on the program's state comes with the value.
        self.size = 0 if self.dynamic else plain.sizeof
        self.base = self.offset = None

    def read(self, frame):
        """(address, size) by gdb's own means, or None if it is in no memory."""
        value = self._in_its_frame(frame) if self.dynamic else frame.read_var(self.symbol)
        # Neither the value's bytes nor is_optimized_out: those may read all of it.  The
        # address of a reference would be that of what it refers to, another variable.
        address = None if self.reference else value.address
        if address is None:
            return None
        size = self.size or value.type.sizeof
        address = int(address)
        return (address, size) if address and 0 < size < MAX_SIZE else None


    def _in_its_frame(self, frame):
        """The bounds of an array of variable length are variables too, which gdb looks for in the
        selected frame, whatever frame it is asked to read (gdb 13 and 16)."""
        selected = gdb.selected_frame()
        frame.select()
        try:
            return frame.read_var(self.symbol)
        finally:
            selected.select()


class Plan:
    """The variables of a block and of those around it, up to the function's."""

    def __init__(self, function, variables, first):
        self.function = function
        self.first = first      # a symbol; invalid once the file's symbols are gone
        self.anchor = next((v for v in variables if v.offset is not None and not v.reference), None)
        self.fixed = []
        if self.anchor:
            base, offset = self.anchor.base, self.anchor.offset
            self.fixed = [(v.offset - offset, v) for v in variables
                          if v.offset is not None and v.base == base and 0 < v.size < MAX_SIZE]
        fixed = {id(v) for _, v in self.fixed}
        self.slow = [v for v in variables if id(v) not in fixed]
        self._in_memory = {}
        self._types = None
        self._last = None, []  # where the frame was, and what was told of it

    def is_valid(self):
        return self.first is None or self.first.is_valid()

    def annotations(self, frame, where, tid, level):
        """A list, which is not to be changed.  where: the code address that decides.

        A frame that lies where it lay at the last hit has the same ones: what that takes is to ask for
        the anchor.  In which register or memory an optimised variable is, follows from the code address
        alone: what was in no memory here is not asked for again."""
        found = self._of_fixed(frame, tid, level) if self.fixed else []
        if not self.slow:
            return found
        known = self._in_memory.get(where)
        found, in_memory = list(found), []
        for variable in self.slow if known is None else known:
            try:
                place = variable.read(frame)
            except (gdb.error, RuntimeError, ValueError, OverflowError):
                in_memory.append(variable)  # may be readable next time
                continue
            if place:
                in_memory.append(variable)
                found.append(self._annotation(place[0], place[1], variable, tid, level))
        if known is None:
            if len(self._in_memory) >= _MAX_PCS:
                self._in_memory.clear()
            self._in_memory[where] = in_memory
        return found

    def is_of_fixed(self, where):
        """Whether all that annotations() told there lies at a fixed place in its frame."""
        return not self.slow or self._in_memory.get(where) == []

    def type_of(self, annotation):
        """The gdb.Type of one of these.  Those of one name and one word for their type have the same."""
        if self._types is None:
            every = [variable for _, variable in self.fixed] + list(self.slow)
            self._types = {(variable.name, variable.type): variable.symbol.type for variable in every}
        return self._types[annotation.symbol, annotation.type]

    def _of_fixed(self, frame, tid, level):
        key = int(frame.read_var(self.anchor.symbol).address), tid, level
        if key != self._last[0]:
            self._last = key, [self._annotation(key[0] + distance, variable.size, variable, tid, level)
                               for distance, variable in self.fixed]
        return self._last[1]

    def _annotation(self, address, size, variable, tid, level):
        return Annotation(address, size, variable.kind, tid, level, self.function, variable.name, variable.type)


def _chain(block):
    """The block and those around it, up to the function's, whose symbols `info scope`
    lists in the same order."""
    while block:
        yield block
        if block.function:
            return
        block = block.superblock


def _identity(block):
    """Blocks do not compare before gdb 14.  Nested ones may cover the same code, so
    that the depth has to tell them apart."""
    start, end, depth = block.start, block.end, 0
    while block.superblock:
        block, depth = block.superblock, depth + 1
    return start, end, depth


def _scope_text(block, identity, pc):
    """What `info scope` says about exactly this block, or ""."""
    for place in (pc, identity[0]):
        innermost = gdb.block_for_pc(place)
        if innermost and _identity(innermost) == identity:
            # Decimal: Ada and others do not know 0x.
            return quiet.ask(f"info scope *{place}")
    return ""


def _offset(text, position):
    found = _FBREG.match(text, position)
    if found:
        return "frame base", int(found[1])
    found = _BASE_REGISTER.match(text, position)
    if found:
        return found[1], int(found[2]) + int(found[3])
    return None


def _offsets(text, names):
    """The (base, offset) or None of each name, in order; all None if the text is not
    what was expected.  A name may hold anything: it is looked for only where the one
    before it ends."""
    offsets = []
    position = 0
    for name in names:
        head = f"\nSymbol {name} is "
        found = text.find(head, max(position - 1, 0))
        if found < 0:
            return [None] * len(names)
        position = found + len(head)
        offsets.append(_offset(text, position))
    return offsets


def _symbols(block):
    symbols, names = [], []
    for part in _chain(block):
        for symbol in part:
            try:
                name = symbol.print_name
            except ValueError:  # not in the host's character set
                name = "?"
            if not name:
                continue  # `info scope` leaves it out, too
            symbols.append(symbol)
            names.append(name)
            if len(symbols) >= _MAX_SYMBOLS:
                return symbols, names
    return symbols, names


def _build(frame, block, identity, pc):
    symbols, names = _symbols(block)
    # "<L13b>" is how gdb shows what Ada's compiler has made up, such as bounds.
    wanted = [s.needs_frame and (s.is_variable or s.is_argument) and not name.startswith("<")
              for s, name in zip(symbols, names)]
    places = [None] * len(symbols)
    if sum(wanted) > 1:
        places = _offsets(_scope_text(block, identity, pc), names)
    variables = []
    for symbol, name, want, place in zip(symbols, names, wanted, places):
        if not want:
            continue
        variable = Variable(symbol, name)
        if place and not variable.dynamic:
            variable.base, variable.offset = place
        variables.append(variable)
    plan = Plan(bounded(frame.name() or ""), variables, symbols[0] if symbols else None)
    if not _agrees(plan, frame):
        for variable in variables:
            variable.offset = None
        plan = Plan(plan.function, variables, plan.first)
    return plan


def _agrees(plan, frame):
    """Whether gdb says the same about the last of the variables that we count."""
    others = [(distance, v) for distance, v in plan.fixed if v is not plan.anchor and not v.reference]
    if not others:
        return True
    distance, variable = others[-1]
    try:
        start, found = plan.anchor.read(frame), variable.read(frame)
    except (gdb.error, RuntimeError, ValueError, OverflowError):
        return False
    return bool(start and found) and start[0] + distance == found[0]


class Plans:
    """The plans made so far.  One of a program space whose symbols were read anew is
    found invalid and made again; needs no event for that."""

    def __init__(self):
        self._plans = {}

    def of(self, frame, block, pc, space):
        identity = _identity(block)
        key = (space, identity)
        plan = self._plans.get(key)
        if plan is None or not plan.is_valid():
            plan = _build(frame, block, identity, pc)
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            self._plans[key] = plan
        return plan
