"""The gdb.Type of a variable that the library found by its ELF symbol.

A symbol is believed only if gdb's of that name lies at the same address: several files may have
a static variable of one name, each its own type."""

import re

import gdb

from vmsnap_gdb import language

_TROUBLE = (gdb.error, RuntimeError, ValueError, OverflowError, AttributeError, TypeError)
_NUMBERED = re.compile(r"(.+)\.\d+\Z")  # how compilers call a static variable of a function
_VERSIONED = re.compile(r"@.*\Z")
_MOST_LINES = 20000  # of a source file


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
    """symtabs: of the source files whose functions' static variables are looked for."""

    def __init__(self, symtabs=()):
        self._symtabs = symtabs
        self._of_functions = None

    def of(self, name, address, size):
        """(type, what gdb calls it) of a vmsnap.Name; None if gdb knows none."""
        with language.sane():
            for text in dict.fromkeys(filter(None, (name.demangled, _VERSIONED.sub("", name.symbol)))):
                for symbol in _found_by_name(text):
                    if _lies_at(symbol, address, size):
                        return symbol.type, symbol.print_name
            numbered = _NUMBERED.match(name.symbol)
            if numbered or name.symbol.startswith("_Z"):
                return self._in_functions().get(address)
        return None

    def _in_functions(self):
        """{address: (type, name)} of static variables within functions."""
        if self._of_functions is None:
            self._of_functions = {}
            for symtab in self._symtabs:
                try:
                    self._add(symtab)
                except _TROUBLE:
                    pass  # symbols that are gone
        return self._of_functions

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
                        self._note(symbol)
                block = block.superblock

    def _note(self, symbol):
        try:
            address = symbol.value().address
        except _TROUBLE:
            return
        if address is not None:
            function = symbol.symtab and symbol.print_name
            self._of_functions[int(address)] = symbol.type, function
