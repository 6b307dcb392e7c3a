"""Page faults as they happen, and which of them made, copied and wrote the pages that snapshots differ in."""

import collections
import ctypes
from ctypes import byref

from vmsnap import _header, _lib, given
from vmsnap._header import BlameBy, FaultSharesFlag, FaultWatchFlag, PrintFlag
from vmsnap._lib import lib
from vmsnap.faults import Faults
from vmsnap.owned import Owned
from vmsnap.text import PLAIN, printed

# became: "copied", "new", …; faults: those that may have done it: none was seen, one did, or one of several.
BlamedRange = collections.namedtuple("BlamedRange", "snapshot start end became faults doubtful inherited")


class FaultWatch(Owned):
    """The page faults of processes, and of the threads and children that they make, until close().  frames: of each
    call chain at most; 1 takes a third of the time, as root a sixth.  children: those too that they fork."""

    _free = "vmsnap_fault_watch_close"

    def __init__(self, pids, frames=0, children=True):
        super().__init__()
        pids = [given.process(pid) for pid in pids]
        options = _lib.cancellable(_header.FaultWatchOptions)
        options.frames = frames
        options.flags = 0 if children else FaultWatchFlag.CHILDLESS
        _lib.call_holding_interrupts(lib().vmsnap_fault_watch_open, (ctypes.c_int * len(pids))(*pids), len(pids),
                                     byref(options), byref(self._handle))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, pid):
        """One more process."""
        _lib.call_holding_interrupts(lib().vmsnap_fault_watch_add, self._handle, given.process(pid))

    def read(self, milliseconds=0):
        """Takes in what has come, and waits so long if there is nothing: to be called often."""
        lib().vmsnap_fault_watch_read(self._handle, milliseconds)

    def stop(self):
        """No fault that comes later is told."""
        lib().vmsnap_fault_watch_stop(self._handle)

    def take(self):
        """Faults: all that came since the last time."""
        handle = ctypes.c_void_p()
        lib().vmsnap_fault_watch_take(self._handle, byref(handle))
        return Taken(handle)

    @property
    def remark(self):
        """What people should know of how it watches; None: nothing."""
        said = lib().vmsnap_fault_watch_remark(self._handle)
        return said.decode() if said else None

    @property
    def lost(self):
        """How much was lost since the last take: faults, forks, execs, ends; None: some."""
        lost = lib().vmsnap_fault_watch_lost(self._handle)
        return None if lost == 2 ** 64 - 1 else lost

    @property
    def events(self):
        """Forks and execs meanwhile, for Blame: (array, count)."""
        first = lib().vmsnap_fault_watch_event(self._handle, 0)
        count = 0
        while lib().vmsnap_fault_watch_event(self._handle, count):
            count += 1
        return (first, count) if count else (None, 0)

    def close(self):
        if self._handle:
            lib().vmsnap_fault_watch_close(self._handle)
            self._handle = None


class Taken(Owned):
    """Faults that a watch gave."""

    _free = "vmsnap_faults_unref"

    def __init__(self, handle):
        super().__init__()
        self._handle = handle

    @property
    def faults(self):
        return Faults(self._handle, self)

    def named(self, snapshots, names, watch=None):
        """The same with names of functions and lines: by snapshots of their processes, from before and after.  names:
        Names of any of them; they go from one to the next."""
        handle = ctypes.c_void_p()
        events, count = watch.events if watch else (None, 0)
        array = (ctypes.c_void_p * len(snapshots))(*(snapshot.handle for snapshot in snapshots))
        _lib.call_holding_interrupts(lib().vmsnap_faults_name, self._handle, array, len(snapshots), events, count,
                                     names.handle, byref(handle))
        return Taken(handle)


    def of_process(self, pid):
        """Those of one process alone, with their names: Snapshot.set_faults()."""
        handle = ctypes.c_void_p()
        lib().vmsnap_faults_of_process(self._handle, pid, byref(handle))
        return Taken(handle)


def joined(parts, marks=()):
    """Those of several times as one Taken, without names.  marks: (begin, end, tid, FaultFlag): whose doing faults of
    that thread (0: any) at that time (CLOCK_MONOTONIC, ns) are, if not the program's."""
    array = (ctypes.c_void_p * len(parts))(*(part.handle for part in parts))
    given_marks = (_header.FaultMark * max(len(marks), 1))(*(_header.FaultMark(*mark) for mark in marks))
    handle = ctypes.c_void_p()
    _lib.call_holding_interrupts(lib().vmsnap_faults_join, array, len(parts), given_marks, len(marks), byref(handle))
    return Taken(handle)


class FaultShares(Owned):
    """Faults that are taken now and then, given to the snapshots that are taken meanwhile: each has those that its process
    had since the one before."""

    _free = "vmsnap_fault_shares_free"

    def __init__(self):
        super().__init__()
        lib().vmsnap_fault_shares_new(byref(self._handle))

    def add(self, taken):
        lib().vmsnap_fault_shares_add(self._handle, taken.handle)

    def give(self, snapshots, all=True):  # noqa: A002
        """Snapshots of one instant have theirs from now on.  all: there are no other processes; faults of those that have
        ended go to their parents."""
        snapshots = list(snapshots)
        array = (ctypes.c_void_p * len(snapshots))(*(snapshot.handle for snapshot in snapshots))
        out = (ctypes.c_void_p * len(snapshots))()
        lib().vmsnap_fault_shares_give(self._handle, array, len(snapshots), FaultSharesFlag.ALL if all else 0, out)
        for snapshot, handle in zip(snapshots, out):
            snapshot.replace(ctypes.c_void_p(handle))

    @property
    def left(self):
        """So many faults are there of which there is no later snapshot yet."""
        return lib().vmsnap_fault_shares_left(self._handle)


class Blame(Owned):
    """What became of pages between snapshots of the same processes from before and after, and the faults that did it: a
    sequence of BlamedRange."""

    _free = "vmsnap_blame_free"

    def __init__(self, before, after, taken, watch=None):
        self._after = {snapshot.handle.value: snapshot for snapshot in after}
        super().__init__(before, after, taken)
        options = _lib.cancellable(_header.BlameOptions)
        if watch:
            options.events, options.event_count = watch.events
        arrays = [(ctypes.c_void_p * max(len(side), 1))(*(snapshot.handle for snapshot in side))
                  for side in (before, after)]
        _lib.call_holding_interrupts(lib().vmsnap_blame_new, arrays[0], len(before), arrays[1], len(after),
                                     taken.handle, byref(options), byref(self._handle))

    def __len__(self):
        count = 0
        while lib().vmsnap_blame_at(self._handle, count):
            count += 1
        return count

    def __getitem__(self, index):
        told = lib().vmsnap_blame_at(self._handle, index) if index >= 0 else None
        if not told:
            raise IndexError(index)
        told = told.contents
        faults = [lib().vmsnap_blame_fault(self._handle, told.first + which).contents for which in range(told.count)]
        return BlamedRange(self._after.get(told.snap), told.start, told.end,
                           lib().vmsnap_became_name(told.became).decode(), faults, told.doubtful, told.inherited)

    def is_known(self, index):
        """Of a process, in the order of the later snapshots: whether what became of its pages is known."""
        return lib().vmsnap_blame_is_known(self._handle, index)

    def text(self, by="function", style=PLAIN, names=None, long=False):
        """As vmsnap blame prints it.  by: "function", "line", "mapping", "variable", "page", "thread", "stack"."""
        which, flags = getattr(BlameBy, by.upper()), PrintFlag.LONG if long else 0
        return printed(lib().vmsnap_print_blame, self._handle, which, names and names.handle, flags, style=style)
