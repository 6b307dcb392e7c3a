"""Which processes map a frame, a page or a file: now, or in snapshots."""

import collections
import ctypes
import os
from ctypes import byref

from vmsnap import _header, _lib, given
from vmsnap._header import WhoKind
from vmsnap._lib import lib
from vmsnap.owned import Owned
from vmsnap.text import PLAIN, printed

# struct vmsnap_who_place: pages of one process.  flags: of PageFlag; perms, offset, name: of the mapping.
WhoPlace = collections.namedtuple("WhoPlace", "start end flags perms offset name")

_UNKNOWN = (1 << 64) - 1


class WhoProcess(collections.namedtuple("WhoProcess", "pid uid comm start_time memory_of self other_file taken label "
                                                      "snapshot mappings size resident copied copied_code places address")):
    """struct vmsnap_who_process.  memory_of: another one's pid, or None; snapshot: how many were added before it, or
    None; resident, copied, copied_code: bytes, of a file, or None: not known; address: of a file, where the first of its
    mappings begins, or None."""

    __slots__ = ()

    @property
    def addresses(self):
        """Of the pages in its places."""
        return [place.start for place in self.places]


class Who(Owned):
    """What a look came to: a sequence of WhoProcess.  now: at all processes, of which none is stopped; otherwise
    snapshots are added.  One of: pfn, the number of a frame; pid and address, the page that a process has there;
    swap, (type, offset); path, a file."""

    _free = "vmsnap_who_free"

    def __init__(self, pfn=None, pid=None, address=None, swap=None, path=None, now=True):
        super().__init__()
        query = _lib.cancellable(_header.WhoQuery)
        if path is not None:
            query.kind, query.path = WhoKind.FILE, given.raw(path, "the path")
        elif swap is not None:
            query.kind, (query.swap_type, query.swap_offset) = WhoKind.SWAP, swap
        elif pid is not None:
            query.kind, query.pid, query.address = WhoKind.FRAME, given.process(pid), given.address(address)
        else:
            query.kind, query.pfn = WhoKind.FRAME, pfn
        function = lib().vmsnap_who_now if now else lib().vmsnap_who_new
        _lib.call_holding_interrupts(function, byref(query), byref(self._handle))

    def add(self, snapshot):
        """A Snapshot, of which is noted where the frame is mapped."""
        lib().vmsnap_who_add(self._handle, snapshot.handle)

    @property
    def info(self):
        """struct vmsnap_who_info; numbers that are not known are 2**64 - 1."""
        made = _header.WhoInfo()
        lib().vmsnap_who_info_sized(self._handle, byref(made), ctypes.sizeof(made))
        return made

    @property
    def kind(self):
        """"frame", "swap" or "file"."""
        return lib().vmsnap_who_kind_name(self.info.kind).decode()

    @property
    def counted(self):
        """How often the frame is mapped, says the kernel; None: it is not known."""
        return None if self.info.counted == _UNKNOWN else self.info.counted

    def _place(self, index):
        made = _header.WhoPlace()
        lib().vmsnap_who_place_sized(self._handle, index, byref(made), ctypes.sizeof(made))
        return WhoPlace(made.start, made.end, made.flags, made.vma.perms, made.vma.offset,
                        os.fsdecode(made.vma.name))

    def __len__(self):
        made, count = _header.WhoProcess(), 0
        while not lib().vmsnap_who_process_sized(self._handle, count, byref(made), ctypes.sizeof(made)):
            count += 1
        return count

    def __getitem__(self, index):
        made = _header.WhoProcess()
        if index < 0 or lib().vmsnap_who_process_sized(self._handle, index, byref(made), ctypes.sizeof(made)):
            raise IndexError(index)
        info = self.info
        of_file = info.kind == WhoKind.FILE
        sums = [made.resident, made.copied, made.copied_code]
        return WhoProcess(made.pid, made.uid, os.fsdecode(made.comm), made.start_time, made.memory_of or None,
                          made.self, made.other_file, made.taken or None, os.fsdecode(made.label),
                          None if info.live else made.snapshot, made.mappings, made.size if of_file else None,
                          *(sums if of_file and made.pages_known else [None] * 3),
                          [self._place(made.first + place) for place in range(made.places)],
                          made.address if of_file else None)

    def text(self, style=PLAIN, names=None):
        """names: Names of any of the processes, which are bound to one after the other."""
        return printed(lib().vmsnap_print_who, self._handle, names and names.handle, style=style)


def who(pfn=None, pid=None, address=None, swap=None, path=None):
    """Who maps that now: a Who."""
    return Who(pfn, pid, address, swap, path)
