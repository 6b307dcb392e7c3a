"""Page faults that a snapshot has kept, with the calls that led to them (vmsnap blame --save)."""

import collections
import os
from ctypes import byref, c_int32, c_size_t, c_void_p, string_at

from vmsnap._lib import lib

Fault = collections.namedtuple("Fault", "time address ip pid tid stack syscall kind flags")
Fault.__doc__ = """time: CLOCK_MONOTONIC in ns; stack: addresses, innermost first, () if it is not known; syscall: its number,
None outside of any, -2 if it is not known; kind: one of FaultKind; flags: of FaultFlag."""
Code = collections.namedtuple("Code", "address pid begin function file line object")
Code.__doc__ = "What is not known is None; pid 0: in all processes."
Object = collections.namedtuple("Object", "path build_id start end offset")
FaultEvent = collections.namedtuple("FaultEvent", "time pid child")
FaultEvent.__doc__ = "A process made a child; or, if child is None, executed another program."
_MANY = (1 << 64) - 1
_NO_OBJECT = (1 << 32) - 1


def _text(raw):
    return os.fsdecode(raw) if raw else None


class Faults:
    """struct vmsnap_faults: a sequence of Fault, in the order of time."""

    def __init__(self, handle, keeper):
        self._handle, self._keeper = handle, keeper  # the snapshot, which they are part of
        self._stacks = {}
        info = lib().vmsnap_faults_info(handle).contents
        self.begin, self.end, self.pid = info.begin, info.end, info.pid or None
        self.lost = None if info.lost == _MANY else info.lost  # None: some, nobody knows how many
        self.flags = info.flags
        self.memory = info.memory  # bytes that all of it takes

    def __len__(self):
        return lib().vmsnap_faults_count(self._handle)

    def __getitem__(self, index):
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._fault(lib().vmsnap_faults_at(self._handle, index % len(self)).contents)

    def _fault(self, fault):
        return Fault(fault.time, fault.address, fault.ip, fault.pid, fault.tid, self._stack(fault.stack),
                     None if fault.syscall == -1 else fault.syscall, fault.kind, fault.flags)

    def first_write(self, pid, start, end, after=0):
        """The first Fault of a process in [start, end) after that time that was a write, or is not known to be none;
        None: none was seen."""
        found = lib().vmsnap_faults_first_write(self._handle, pid, start, end, after)
        return self._fault(found.contents) if found else None

    def _stack(self, number):
        if number not in self._stacks:
            count = c_size_t()
            frames = lib().vmsnap_faults_stack(self._handle, number, byref(count))
            self._stacks[number] = tuple(frames[: count.value]) if count.value else ()
        return self._stacks[number]

    def code(self, address, pid=0):
        """What an address of a stack is in a process; None: nobody told."""
        found = lib().vmsnap_faults_code_at(self._handle, pid, address)
        if not found:
            return None
        code = found.contents
        where = None if code.object == _NO_OBJECT else self._object(code.object)
        return Code(code.address, code.pid, code.begin or None, _text(code.function), _text(code.file), code.line or None,
                    where)

    def _object(self, index):
        found = lib().vmsnap_faults_object(self._handle, index).contents
        build_id = string_at(found.build_id, found.build_id_len) if found.build_id_len else None
        return Object(_text(found.path), build_id, found.start, found.end, found.offset)

    def comm(self, pid, tid):
        """What a thread is called; None: nobody told."""
        return _text(lib().vmsnap_faults_comm(self._handle, pid, tid))

    def syscall(self, number):
        """"read"; None: nobody told."""
        return _text(lib().vmsnap_faults_syscall_name(self._handle, c_int32(number)))

    @property
    def events(self):
        made = []
        while found := lib().vmsnap_faults_event(self._handle, len(made)):
            made.append(FaultEvent(found.contents.time, found.contents.pid, found.contents.child or None))
        return made


def faults_of(snapshot):
    """Those that a snapshot has; None: none."""
    handle = lib().vmsnap_faults_of(snapshot.handle)
    return Faults(c_void_p(handle), snapshot) if handle else None
