"""Snapshots in time: what grew, what came and went, how fast; and what forks cost as they go on."""

import ctypes
import os
from collections import namedtuple
from ctypes import byref

from vmsnap import _header, _lib, given
from vmsnap._header import Rc, SeriesBy, VmaChange
from vmsnap._lib import lib
from vmsnap.compare import _not_compared
from vmsnap.errors import VmsnapError
from vmsnap.files import File
from vmsnap.owned import Owned
from vmsnap.snapshot import Snapshot, handles
from vmsnap.text import PLAIN, printed

Step = namedtuple("Step", "index snapshots snapshot elapsed not_compared sums sums_before lines")
Step.__doc__ = """One snapshot, or by process one instant.  index: its number, from 0; elapsed: ns since the one before of
its process, or None; lines: those that are there, then those that went."""
Line = namedtuple("Line", "id name pid start end mappings bytes bytes_before sums changes moved_from into")
Line.__doc__ = """id is the same for the same line through all steps; changes: "added", "removed", "grown", "moved", …;
moved_from: an address, or None; into: the id of the line that it became a part of, or None."""
ForkStep = namedtuple("ForkStep", "fork parent child parent_pid child_pid since elapsed not_compared base by_child "
                      "by_parent by_both by_unknown copied new_in_child new_in_parent alone shared inferred unknown "
                      "copied_before warning")
ForkStep.__doc__ = """parent, child: the numbers of their snapshots, from 0; since: ns since the fork, or None; base:
"before", "after" or None; the others are bytes."""

_BY = {"mapping": SeriesBy.MAPPING, "kind": SeriesBy.KIND, "process": SeriesBy.PROCESS, "state": SeriesBy.STATE}


def _options(by, first, count, pid):
    if by not in _BY:
        raise VmsnapError(f"a series is by {', '.join(_BY)}; not by {by!r}")
    return _lib.cancellable(_header.SeriesOptions, by=_BY[by], first=first, count=count, pid=pid)


def _sums(sums):
    return {name: getattr(sums, name) for name, _ in sums._fields_}


def _words(bits):
    names = (lib().vmsnap_vma_change_name(bit) for bit in range(VmaChange.COUNT) if bits & 1 << bit)
    return tuple(name.decode() for name in names)


class _OverTime(Owned):
    """Goes over its snapshots once for each iteration."""

    def __init__(self, source, **options):
        self._source = source if isinstance(source, File) else list(source)
        self._options = options
        super().__init__(self._source)
        self._open()

    def _open(self):
        if self._handle:
            getattr(lib(), self._free)(self._handle)
            self._handle.value = None
        options = _options(**self._options)
        if isinstance(self._source, File):
            _lib.call_holding_interrupts(getattr(lib(), self._of_file), self._source.handle, byref(options),
                                         byref(self._handle))
        else:
            _lib.call_holding_interrupts(getattr(lib(), self._of_snapshots), handles(self._source), len(self._source),
                                         byref(options), byref(self._handle))
        self._fresh = True

    def __iter__(self):
        if not self._fresh:
            self._open()
        return self

    def __next__(self):
        """A snapshot that cannot be read is a VmsnapError, and the call after it gives the next."""
        self._fresh = False
        if _lib.call_holding_interrupts(getattr(lib(), self._next), self._handle) == Rc.END:
            raise StopIteration
        return self._told()

    def _print(self, function, *arguments, style):
        if not self._fresh:
            self._open()
        self._fresh = False
        return printed(function, self._handle, *arguments, style=style)


class Series(_OverTime):
    """The snapshots of a File, or a list of them, in time: an iterator of Step.  by: what a line is, "mapping",
    "kind", "process" or "state"; pid: only of that process."""

    _free, _next = "vmsnap_series_close", "vmsnap_series_next"
    _of_file, _of_snapshots = "vmsnap_series_open", "vmsnap_series_of"

    def __init__(self, source, by="mapping", first=0, count=0, pid=0):
        super().__init__(source, by=by, first=first, count=count, pid=pid)

    @property
    def processes(self):
        """[(pid, comm, how many snapshots)], in the order of their first ones."""
        found = []
        for index in range(lib().vmsnap_series_process_count(self._handle)):
            process = _lib.struct(_header.SeriesProcess)
            lib().vmsnap_series_process_sized(self._handle, index, byref(process), ctypes.sizeof(process))
            found.append((process.pid, os.fsdecode(process.comm), process.count))
        return found

    def _told(self):
        step = _lib.struct(_header.SeriesStep)
        lib().vmsnap_series_step_sized(self._handle, byref(step), ctypes.sizeof(step))
        return Step(step.index, step.snapshots, Snapshot._of(lib().vmsnap_ref(step.snap)),
                    step.elapsed if step.elapsed_known else None, _not_compared(step.relation), _sums(step.sums),
                    _sums(step.sums_before), self._lines())

    def _lines(self):
        found, line = [], _lib.struct(_header.SeriesLine)
        for index in range(lib().vmsnap_series_line_count(self._handle)):
            lib().vmsnap_series_line_sized(self._handle, index, byref(line), ctypes.sizeof(line))
            found.append(Line(line.id, os.fsdecode(line.name), line.pid, line.start, line.end, line.vmas, line.bytes,
                              line.bytes_before, _sums(line.sums), _words(line.changes),
                              getattr(line, "from") if getattr(line, "from") != line.start else None,
                              line.into or None))
        return found

    def text(self, style=PLAIN, min=1 << 20):
        """As vmsnap series prints it; min: what changes by fewer bytes is not told one by one."""
        return self._print(lib().vmsnap_print_series, min, style=style)


class SeriesForks(_OverTime):
    """What forks cost as they go on: an iterator of ForkStep, one for each child at each instant at which it is there
    beside its parent."""

    _free, _next = "vmsnap_series_forks_close", "vmsnap_series_forks_next"
    _of_file, _of_snapshots = "vmsnap_series_forks_open", "vmsnap_series_forks_of"

    def __init__(self, source, first=0, count=0):
        super().__init__(source, by="mapping", first=first, count=count, pid=0)

    def _told(self):
        fork = _lib.struct(_header.SeriesFork)
        lib().vmsnap_series_fork_sized(self._handle, byref(fork), ctypes.sizeof(fork))
        base = ("before" if fork.before else "after") if fork.has_base else None
        return ForkStep(fork.fork, fork.parent, fork.child, fork.parent_pid, fork.child_pid,
                        fork.since if fork.since_known else None, fork.elapsed if fork.elapsed_known else None,
                        _not_compared(fork.relation), base, fork.by_child, fork.by_parent, fork.by_both,
                        fork.by_unknown, fork.copied, fork.new_in_child, fork.new_in_parent, fork.alone, fork.shared,
                        fork.inferred, fork.unknown, fork.copied_before, os.fsdecode(fork.warning))

    def text(self, style=PLAIN):
        return self._print(lib().vmsnap_print_series_forks, style=style)


def file_history_text(file, address, first=0, count=0, pid=0, style=PLAIN):
    """How the page of an address went through the snapshots of a File: a line where something happened to it."""
    options = _options("mapping", first, count, pid)
    return printed(lib().vmsnap_print_file_history, file.handle, byref(options), given.address(address), style=style)
