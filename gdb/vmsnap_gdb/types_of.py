"""The gdb.Type of a variable that the library found by its ELF symbol.

A symbol is believed only if gdb's of that name lies at the same address: several files may have
a static variable of one name, each its own type."""

import os
import re

import gdb

import vmsnap
from vmsnap import NameKind
from vmsnap_gdb import language

_TROUBLE = (gdb.error, RuntimeError, ValueError, OverflowError, AttributeError, TypeError)
_NUMBERED = re.compile(r"(.+)\.\d+\Z")  # how compilers call a static variable of a function
_VERSIONED = re.compile(r"@.*\Z")
_MOST_LINES = 20000  # of a source file
_LARGEST_READ = 16 << 20  # bytes of a program whose debug information is read for one variable
# Bytes; what lies so near to a variable is likely to be of its source file.  Looked at in turn: large variables may lie
# between, but there may be thousands of small ones.
_NEAR, _NEIGHBOURS = (4096, 64 << 10), 8


def _lies_at(symbol, address, size):
    try:
        if not symbol.is_variable or symbol.needs_frame:
            return False
        value = symbol.value()
        return value.address is not None and int(value.address) == address and size in (0, symbol.type.sizeof)
    except _TROUBLE:
        return False


def _found_by_name(name):
    for lookup in (gdb.lookup_global_symbol, gdb.lookup_static_symbol):
        try:
            found = lookup(name)
        except _TROUBLE:
            found = None
        if found is not None:
            yield found
    try:
        yield from gdb.lookup_static_symbols(name)
    except _TROUBLE:
        pass


class Types:
    """symtabs: of the source files whose functions' static variables are looked for first.  names: a
    vmsnap.Names; snapshot: whose they are, if it keeps what pages hold."""

    def __init__(self, symtabs=(), names=None, snapshot=None):
        self._symtabs, self._names, self._snapshot = symtabs, names, snapshot
        self._of_functions, self._searched, self._asked = {}, set(), set()

    def of(self, name, address, size):
        """(type, what gdb calls it) of a vmsnap.Name; None if gdb knows none."""
        with language.sane():
            for text in dict.fromkeys(filter(None, (name.demangled, _VERSIONED.sub("", name.symbol)))):
                for symbol in _found_by_name(text):
                    if _lies_at(symbol, address, size):
                        return symbol.type, symbol.print_name
            numbered = _NUMBERED.match(name.symbol)
            if numbered or name.symbol.startswith("_Z"):
                return self._in_functions(name, address, size)
        return None

    def _in_functions(self, name, address, size):
        """(type, name) of a static variable within a function; None: it is none that could be found."""
        for likely in (self._of_frames, self._of_function, *map(self._of_neighbours, _NEAR), self._of_debug_information):
            for symtab in likely(name, address, size):
                self._search(symtab)
            if address in self._of_functions:
                return self._of_functions[address]
        return None

    def _of_frames(self, _name, _address, _size):
        return self._symtabs

    @staticmethod
    def _of_function(name, _address, _size):
        """Of C++ its own name tells the function."""
        function = (name.demangled or "").rpartition("::")[0]
        return [symbol.symtab for symbol in _found_by_name(function)] if function else []

    def _of_neighbours(self, far):
        return lambda _name, address, size: self._near(address, size, far)

    def _near(self, address, size, far):
        """The linker lays the variables of one file side by side."""
        if self._names is None:
            return []
        found = []
        near = [name for name in self._names.within(max(address - far, 0), address + size + far)
                if name.kind == NameKind.OBJECT and name.size and not _NUMBERED.match(name.symbol) and
                name.address not in self._asked]
        for name in sorted(near, key=lambda name: abs(name.address - address))[:_NEIGHBOURS]:
            self._asked.add(name.address)
            found += [symbol.symtab for symbol in _found_by_name(name.demangled or _VERSIONED.sub("", name.symbol))
                      if _lies_at(symbol, name.address, name.size)]
        return found

    def _of_debug_information(self, name, address, _size):
        """The library reads all of it, to which gdb's Python has no way: that tells the function."""
        try:
            if self._snapshot is None or os.stat(name.object).st_size > _LARGEST_READ:
                return []
            told = [each.name.rpartition("::")[0] for each in vmsnap.ValueAt(self._snapshot, address, self._names)]
        except (OSError, vmsnap.VmsnapError):
            return []
        return [symbol.symtab for function in filter(None, told) for symbol in _found_by_name(function)]

    def _search(self, symtab):
        if symtab is None or symtab.filename in self._searched:
            return
        self._searched.add(symtab.filename)
        try:
            self._add(symtab)
        except _TROUBLE:
            pass  # symbols that are gone

    def _add(self, symtab):
        seen = set()
        for count, line in enumerate(symtab.linetable()):
            if count > _MOST_LINES:
                return
            block = gdb.block_for_pc(line.pc)
            while block is not None and not block.is_static and not block.is_global:
                where = block.start, block.end
                if where in seen:
                    break
                seen.add(where)
                for symbol in block:
                    if symbol.is_variable and not symbol.needs_frame:
                        self._note(symbol, _function_of(block))
                block = block.superblock

    def _note(self, symbol, function):
        try:
            address = symbol.value().address
        except _TROUBLE:
            return
        if address is not None:
            self._of_functions[int(address)] = symbol.type, f"{function}::{symbol.print_name}" if function else symbol.print_name


def _function_of(block):
    """The name of the function that a block is of, as in "work::calls"; without arguments."""
    while block is not None and block.function is None:
        block = block.superblock
    return _without_arguments(block.function.print_name) if block is not None else ""


def _without_arguments(function):
    """As the library calls them (core/names/static_name.h)."""
    name = function
    for word in (" &&", " &", " volatile", " const"):
        name = name[:-len(word)] if name.endswith(word) else name
    if not name.endswith(")") or name.endswith(("(anonymous namespace)", "operator()")):
        return function
    depth = 0
    for at in range(len(name) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(name[at], 0)
        if not depth:
            return name[:at]
    return function
