"""Groups: processes of one instant, who shares how much with whom, and what became of it."""

import collections
import ctypes
from ctypes import byref

from vmsnap import _header, _lib
from vmsnap._header import GroupBy, GroupSource, GroupTotal, Memory, PrintFlag
from vmsnap._lib import lib
from vmsnap.errors import VmsnapError
from vmsnap.owned import Owned
from vmsnap.sets import Set
from vmsnap.snapshot import capture_set, mapping_of
from vmsnap.text import PLAIN, printed

_KINDS = {Memory.PRIVATE: "private", Memory.CACHE: "cache", Memory.SHARED: "shared"}
_NONE = ctypes.c_size_t(-1).value

GroupProcess = collections.namedtuple(
    "GroupProcess", "snapshot memory_of source role rss pss share uss own resident shared outside hidden")
GroupMapping = collections.namedtuple(
    "GroupMapping", "mapping processes size rss pss frames by_all shared own outside hidden")
GroupLost = collections.namedtuple("GroupLost", "snapshot start end copied")


class _Counter(Owned):
    """How often frames are mapped by anybody, now: for root."""

    _free = "vmsnap_frame_counter_close"

    def __init__(self):
        super().__init__()
        lib().vmsnap_frame_counter_open(byref(self._handle))


class Group(Owned):
    """Snapshots of one instant.  counts: how often frames are mapped by others is asked of this machine now,
    which is to be right after they were captured."""

    _free = "vmsnap_group_free"

    def __init__(self, snapshots, counts=False):
        self.set = snapshots if isinstance(snapshots, Set) else Set(snapshots)
        super().__init__(self.set)
        options = _lib.cancellable(_header.GroupOptions)
        if counts:
            counter = _Counter()
            kind = dict(_header.GroupOptions._fields_)["counts"]
            options.counts = ctypes.cast(lib().vmsnap_frame_counter_read, kind)
            options.counts_ctx = counter.handle
        _lib.call_holding_interrupts(lib().vmsnap_group_new, self.set.handle, byref(options), byref(self._handle))

    def __len__(self):
        return len(self.set)

    def _process(self, index):
        told = _lib.struct(_header.GroupProcess)
        _lib.check(lib().vmsnap_group_process_sized(self._handle, index, byref(told), ctypes.sizeof(told)),
                   "no such process")
        return told

    @property
    def processes(self):
        """A GroupProcess each, in bytes; what is not known is None.  memory_of: the Snapshot whose address space it
        has; resident and shared: {"private": …, "cache": …, "shared": …}, the second with others of the group."""
        found = []
        for index, snapshot in enumerate(self.set):
            told = self._process(index)
            frames = told.source == GroupSource.FRAMES
            role = lib().vmsnap_group_role_name(told.role)
            found.append(GroupProcess(
                snapshot, self.set[told.space] if told.space != index else None,
                lib().vmsnap_group_source_name(told.source).decode(), role and role.decode(), told.rss,
                told.pss if told.pss_known else None, told.share if frames else None,
                *(None if told.own_unknown else value for value in (told.uss, told.own)),
                {"private": told.of_private, "cache": told.of_cache, "shared": told.of_shared},
                {"private": told.with_private, "cache": told.with_cache, "shared": told.with_shared} if frames else None,
                told.outside if told.pss_known and frames else None, told.hidden))
        return found

    @property
    def totals(self):
        """{"frames": bytes, "by_all_private": bytes, …}: enum vmsnap_group_total."""
        return {lib().vmsnap_group_total_name(total).decode(): lib().vmsnap_group_total(self._handle, total)
                for total in range(GroupTotal.COUNT)}

    def pair(self, a, b):
        """What two of them, by index, have in common, in frames: {"private": bytes, "cache": …, "shared": …}."""
        return {word: lib().vmsnap_group_pair(self._handle, a, b, kind) for kind, word in _KINDS.items()}

    @property
    def mappings(self):
        """A GroupMapping each, those with most frames first."""
        found, told = [], _lib.struct(_header.GroupMapping)
        for index in range(lib().vmsnap_group_mapping_count(self._handle)):
            lib().vmsnap_group_mapping_sized(self._handle, index, byref(told), ctypes.sizeof(told))
            found.append(GroupMapping(mapping_of(told.vma), told.processes, told.size, told.rss,
                                      told.pss if told.pss_known else None, told.frames, told.by_all, told.shared,
                                      told.own, told.outside, told.hidden))
        return found

    def ranges(self, index):
        """[(start, end, whether another of the group has these pages)] of one process's private memory."""
        found = []
        kind = _header.FUNCTIONS["vmsnap_group_ranges"][1][2]

        def take(_, pointer):
            found.append((pointer.contents.start, pointer.contents.end, pointer.contents.shared))
            return True

        _lib.call_holding_interrupts(lib().vmsnap_group_ranges, self._handle, index, kind(take), None)
        return found

    def text(self, style=PLAIN, change=None, by=None, names=None, totals=False, long=False):
        """As `vmsnap group` prints it.  change: a GroupChange to this one; by: "mapping" or "name", the latter with
        Names of any of its processes, which go from one to the next."""
        flags = (PrintFlag.TOTALS_ONLY if totals else 0) | (PrintFlag.LONG if long else 0)
        before = change and change.a.handle
        change = change and change.handle
        if by is None:
            return printed(lib().vmsnap_print_group, self._handle, before, change, flags, style=style)
        ways = {"mapping": GroupBy.MAPPING, "name": GroupBy.NAME}
        if by not in ways:
            raise VmsnapError(f"a group is told by mapping or by name, not by {by!r}")
        return printed(lib().vmsnap_print_group_by, self._handle, before, change, ways[by], names and names.handle,
                       flags, style=style)


class GroupChange(Owned):
    """What of the sharing was lost between two Groups of one machine."""

    _free = "vmsnap_group_change_free"

    def __init__(self, a, b):
        super().__init__(a, b)
        self.a, self.b = a, b
        options = _lib.cancellable(_header.GroupOptions)
        _lib.call_holding_interrupts(lib().vmsnap_group_change_new, a.handle, b.handle, byref(options),
                                     byref(self._handle))

    def _rows(self):
        for index in range(lib().vmsnap_group_change_count(self._handle)):
            row = _lib.struct(_header.GroupChangeProcess)
            lib().vmsnap_group_change_process_sized(self._handle, index, byref(row), ctypes.sizeof(row))
            yield row

    @property
    def processes(self):
        """[(its Snapshot in A or None, in B or None, bytes lost in copies, bytes left to it)]; None: not known."""
        def at(group, index):
            return None if index == _NONE else group.set[index]
        return [(at(self.a, row.a), at(self.b, row.b), *((row.copied, row.left) if row.known else (None, None)))
                for row in self._rows()]

    @property
    def mappings(self):
        """[bytes lost], as the mappings of B are."""
        return [lib().vmsnap_group_change_lost(self._handle, index)
                for index in range(lib().vmsnap_group_mapping_count(self.b.handle))]

    @property
    def ranges(self):
        """A GroupLost each: where, in which snapshot of B."""
        rows, found, lost = list(self._rows()), [], _header.GroupLost()
        while lib().vmsnap_group_change_range(self._handle, len(found), byref(lost)) >= 0:
            found.append(GroupLost(self.b.set[rows[lost.process].b], lost.start, lost.end, lost.copied))
        return found

    def text(self, style=PLAIN, **how):
        return self.b.text(style, change=self, **how)


def group(pids, descendants=False, **how):
    """A Group of live processes, at one instant; how: as of capture_set().  Who else maps their frames is asked right
    after, if this user may; without frames smaps is read, too."""
    def known(snapshots):
        return all(one.info.known.pfn for one in snapshots)
    snapshots = capture_set(pids, descendants=descendants, **how)
    if not known(snapshots) and not how.get("smaps"):
        snapshots = capture_set(pids, descendants=descendants, **{**how, "smaps": True})
    try:
        return Group(snapshots, counts=known(snapshots))
    except VmsnapError as error:
        if error.code not in (_header.Rc.ERR_SYSTEM, _header.Rc.ERR_NOT_FOUND):
            raise
        return Group(snapshots)


def groups_of(snapshots):
    """Snapshots of one instant, or of two that have a process in common, as (the earlier Group or None, Group)."""
    instants = []
    for one in snapshots:
        of = next((each for each in instants if lib().vmsnap_same_instant(each[0].handle, one.handle)), None)
        if of is None:
            instants.append([one])
        else:
            of.append(one)
    if len(instants) > 2:
        raise VmsnapError("these are of more than two instants: a group is of one, or is compared with one other")
    if len(instants) == 2 and not any(a.same_process(b) for a in instants[0] for b in instants[1]):
        raise VmsnapError("these are of two instants, and have no process in common")
    return (Group(instants[0]) if len(instants) > 1 else None), Group(instants[-1])

