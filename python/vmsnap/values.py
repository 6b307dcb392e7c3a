"""Which variables changed from one snapshot to another, and from what to what."""

import collections
import ctypes
import os
from ctypes import byref

from vmsnap import _header, _lib
from vmsnap._lib import lib
from vmsnap.owned import Owned
from vmsnap.snapshot import HeapBlock
from vmsnap.text import PLAIN, printed

Value = collections.namedtuple("Value", "kind number bytes word offset")
Value.__doc__ = """struct vmsnap_value.  kind: "signed", "pointer", …; number: None if it is none; bytes: as they lay in
memory; word: of an enumeration, or the symbol that a pointer points to."""

_NUMBERS = ("signed", "unsigned", "bool", "character", "enum", "pointer")


class ValueChange(collections.namedtuple("ValueChange", "address size symbol object symbol_address symbol_size path "
                                                        "type before after more function tid")):
    """One part of a variable that changed (struct vmsnap_value_change).  function, tid: of a local or a thread-local that a
    debugger told of; "" and 0 of others."""

    __slots__ = ()

    @property
    def name(self):
        """"orders[3].qty"."""
        return self.symbol + self.path


def _value(made):
    kind = lib().vmsnap_value_kind_name(made.kind).decode()
    number = None
    if kind in _NUMBERS:
        number = made.high << 64 | made.number
        number -= 1 << 128 if made.high >> 63 else 0
    held = ctypes.string_at(made.bytes, made.len) if made.bytes else b""
    return Value(kind, number, held, None if made.word is None else os.fsdecode(made.word), made.offset)


class ValueDiff(Owned):
    """The global and static variables that changed, by type; both snapshots have to keep what their pages
    held.  names: of the second one.  each_most: so many changes of one variable are told."""

    _free = "vmsnap_value_diff_free"

    def __init__(self, a, b, names=None, each_most=0):
        super().__init__(a, b)
        self.a, self.b = a, b
        options = _lib.cancellable(_header.ValueOptions, names=names and names.handle, each_most=each_most)
        _lib.call_holding_interrupts(lib().vmsnap_value_diff_new, a.handle, b.handle, byref(options),
                                     byref(self._handle))

    def __len__(self):
        return lib().vmsnap_value_diff_count(self._handle)

    def __getitem__(self, index):
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        made = _lib.struct(_header.ValueChange)
        lib().vmsnap_value_change_sized(self._handle, index % len(self), byref(made), ctypes.sizeof(made))
        return ValueChange(made.address, made.size, os.fsdecode(made.symbol), os.fsdecode(made.object),
                           made.symbol_address, made.symbol_size, os.fsdecode(made.path),
                           None if made.type is None else os.fsdecode(made.type), _value(made.before),
                           _value(made.after), made.more, os.fsdecode(made.function), made.tid)

    @property
    def blocks(self):
        """[(HeapBlock, bytes of it that changed)]: blocks of malloc's, as the second snapshot has them."""
        found, made = [], _header.ValueBlock()
        for index in range(lib().vmsnap_value_diff_block_count(self._handle)):
            lib().vmsnap_value_diff_block(self._handle, index, byref(made))
            found.append((HeapBlock(made.block.address, made.block.size, made.block.is_free), made.changed))
        return found

    @property
    def unnamed(self):
        """Bytes that differ where no variable is known; those of blocks, too."""
        return lib().vmsnap_value_diff_unnamed(self._handle)

    @property
    def unknown_pages(self):
        """Pages of which only one snapshot knows what they held."""
        return lib().vmsnap_value_diff_unknown_pages(self._handle)

    def text(self, style=PLAIN):
        return printed(lib().vmsnap_print_values, self._handle, style=style)


class ValueAt(ValueDiff):
    """What the variable held that a byte of a snapshot is of: one ValueChange, of a union one for each member, whose
    `after` says it.  An error: no variable is known there, or not what it held."""

    def __init__(self, snapshot, address, names=None):  # pylint: disable=super-init-not-called
        Owned.__init__(self, snapshot)
        self.a = self.b = snapshot
        options = _lib.cancellable(_header.ValueOptions, names=names and names.handle)
        _lib.call_holding_interrupts(lib().vmsnap_value_at, snapshot.handle, address, byref(options), byref(self._handle))
