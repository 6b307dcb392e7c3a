"""The calling process itself: a snapshot of it, and where something is mapped, and where nothing is."""

import collections
from ctypes import byref, c_uint64, c_void_p

from vmsnap import _header, _lib
from vmsnap._header import Mapped
from vmsnap._lib import lib
from vmsnap.snapshot import Snapshot

# mapped: of Mapped; until: the first page is mapped, or not, and so is all from it to there.
IsMapped = collections.namedtuple("IsMapped", "mapped until")


def capture_self(label="", reason=""):
    """A Snapshot of this process, taken without a page fault: docs/self.md.  Python itself goes on to make and
    change memory before and after."""
    options = _lib.struct(_header.SelfOptions, label=label.encode(), reason=reason.encode())
    handle = c_void_p()
    lib().vmsnap_self_prepare(byref(options), byref(handle))
    try:
        _lib.check(lib().vmsnap_capture_self(handle), "vmsnap_capture_self()")
        return Snapshot.made_by(lib().vmsnap_self_finish, handle)
    finally:
        lib().vmsnap_self_free(handle)


def is_mapped(address, length=1):
    """Whether something is mapped in [address, address + length): an IsMapped."""
    until = c_uint64()
    found = lib().vmsnap_is_mapped(_address(address), _address(length), byref(until))
    _lib.check(found, "vmsnap_is_mapped()")
    return IsMapped(found, until.value)


def find_gap(near, length):
    """The address nearest to `near` at which `length` bytes could be mapped without overlap; None if there is none."""
    address = c_uint64()
    rc = lib().vmsnap_find_gap(_address(near), _address(length), byref(address))
    if rc == _header.Rc.ERR_NOT_FOUND:
        return None
    _lib.check(rc, "vmsnap_find_gap()")
    return address.value


def _address(number):
    if not 0 <= number < 1 << 64:
        raise ValueError(f"not an address, nor a size: {number:#x}")
    return number


__all__ = ["IsMapped", "Mapped", "capture_self", "find_gap", "is_mapped"]
