"""Names of addresses: variables, functions, stacks of threads, mappings."""

import collections
import os
import ctypes
from ctypes import CFUNCTYPE, POINTER, byref, c_bool, c_void_p

from vmsnap import _header, _lib, given
from vmsnap._header import NameKind
from vmsnap._lib import lib
from vmsnap.owned import Owned

_NAME_FN = CFUNCTYPE(c_bool, c_void_p, POINTER(_header.Name))


class Name(collections.namedtuple("Name", "kind symbol object address size function frame tid demangled",
                                  defaults=(None,))):
    """struct vmsnap_name.  kind: one of NameKind; symbol and function: None if there is none;
    size 0: unknown; demangled: what the symbol is called in C++ or Rust, None if it is of neither."""

    __slots__ = ()

    def __str__(self):
        """As tables have it: "counter", "answer in main()", "[heap]"."""
        if self.kind in (NameKind.LOCAL, NameKind.ARGUMENT):
            return f"{self.symbol} in {self.function}()"
        return self.demangled or (self.symbol if self.symbol is not None else self.object)


def _text(raw):
    return None if raw is None else os.fsdecode(raw)




class Names(Owned):
    """Names the addresses of one snapshot at a time, from the files on this machine; one is
    believed only if it is the one that was mapped.  sysroot: the folder below which they
    are looked for."""

    _free = "vmsnap_names_free"

    def __init__(self, snapshot, sysroot=None):
        super().__init__(snapshot)
        self._demangled = True
        where = None if sysroot is None else given.raw(sysroot, "the folder")
        _lib.call_holding_interrupts(lib().vmsnap_names_new, snapshot.handle, where, byref(self._handle))
        lib().vmsnap_names_set_cancelled(self._handle, _lib.cancelled_by_user, None)

    def rebind(self, snapshot):
        """From now on of this snapshot; what was read of files is kept."""
        kept = self._borrowed
        self._borrowed = (*kept, snapshot)  # whichever it holds if this fails
        _lib.call_holding_interrupts(lib().vmsnap_names_rebind, self._handle, snapshot.handle)
        self._borrowed = (snapshot,)

    @property
    def demangled(self):
        """Whether symbols of C++ and Rust are told as their language has them."""
        return self._demangled

    @demangled.setter
    def demangled(self, wanted):
        self._demangled = bool(wanted)
        lib().vmsnap_names_set_demangled(self._handle, self._demangled)

    def demangle(self, symbol):
        """What a symbol is called in C++ or Rust; None if it is of neither."""
        raw = lib().vmsnap_names_demangle(self._handle, given.raw(symbol, "the symbol"))
        return _text(raw)

    def _name(self, made):
        demangled = None
        if made.symbol is not None and made.symbol.startswith(b"_"):
            demangled = _text(lib().vmsnap_names_demangle(self._handle, made.symbol))
        return Name(made.kind, _text(made.symbol), _text(made.object), made.address, made.size,
                    _text(made.function), made.frame, made.tid, demangled)

    def add_fallback(self, snapshot):
        """Captured names of another snapshot too."""
        self._borrowed = (*self._borrowed, snapshot)
        lib().vmsnap_names_add_fallback(self._handle, snapshot.handle)

    def at(self, address):
        """The Name that covers an address; None in a gap and in nameless memory."""
        found = _lib.struct(_header.Name)
        rc = _lib.call_holding_interrupts(lib().vmsnap_name_at_sized, self._handle, given.address(address), byref(found),
                                              ctypes.sizeof(found))
        if rc == _header.Rc.ERR_NOT_FOUND:
            return None
        _lib.check(rc, "cannot look up a name")
        return self._name(found)

    def section_at(self, address):
        """The section of its ELF file that an address lies in: ".data"; "" if that is not known."""
        found = _lib.struct(_header.Segment)
        rc = _lib.call_holding_interrupts(lib().vmsnap_segment_at_sized, self._handle, given.address(address),
                                          byref(found), ctypes.sizeof(found))
        if rc == _header.Rc.ERR_NOT_FOUND:
            return ""
        _lib.check(rc, "cannot look up a section")
        return _text(found.section) or ""

    def within(self, start, end):
        """All Names that overlap [start, end), in the order of their addresses."""
        found, failed = [], []

        def note(_, name):
            try:
                found.append(self._name(name.contents))
            except BaseException as error:  # C must not be left half-way
                failed.append(error)
            return not failed

        _lib.call_holding_interrupts(lib().vmsnap_names_in, self._handle, given.address(start), given.address(end),
                                     _NAME_FN(note), None)
        if failed:
            raise failed[0]
        return found

    def warnings(self):
        """A line for each file that was not believed or not readable."""
        raw = lib().vmsnap_names_warning(self._handle)
        return [_lib.plain(line) for line in raw.split(b"\n") if line]
