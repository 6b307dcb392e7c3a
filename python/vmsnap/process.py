"""Processes as they are now, without stopping them."""

import array
import collections
import mmap
from ctypes import byref, c_int, c_size_t, c_uint64

from vmsnap import _header, _lib, errors, given
from vmsnap._lib import lib
from vmsnap.errors import VmsnapError

# tracer: who debugs it, 0: nobody; start_time tells it from a later one of its number;
# state: "R", "S", "t", …, as in /proc/PID/stat; start_code, start_stack: where its program
# lies, which tells it from the next one that it executes, 0: unknown.
Process = collections.namedtuple("Process", "pid tgid ppid tracer start_time state start_code start_stack")

AT_BASE, AT_ENTRY = 7, 9  # getauxval(3)

_CHILDREN = 256  # at once


def process_now(pid):
    """A process, or one thread of one, zombies too; None if there is none (any more)."""
    found = _lib.struct(_header.Process)
    try:
        lib().vmsnap_process_now(given.process(pid), byref(found))
    except VmsnapError as error:
        if error.code not in (errors.ARGUMENT, errors.NO_PROCESS, errors.EXITED):
            raise
        return None
    return Process(found.pid, found.tgid, found.ppid, found.tracer, found.start_time, found.state.decode("latin-1"),
                   found.start_code, found.start_stack)


def children_now(tid):
    """The children that one thread has made, oldest first; of a process that is its first
    thread.  Needs a kernel with CONFIG_PROC_CHILDREN."""
    room = _CHILDREN
    while True:
        found, count = (c_int * room)(), c_size_t()
        lib().vmsnap_children_now(given.process(tid), found, room, byref(count))
        if count.value <= room:
            return list(found[:count.value])
        room = 2 * count.value


def auxv_now(pid, kind):
    """What the kernel told the program at its start (AT_ENTRY, …); 0 if nothing."""
    value = c_uint64()
    try:
        lib().vmsnap_auxv_now(given.process(pid), kind, byref(value))
    except VmsnapError as error:
        if error.code != errors.NOT_FOUND:
            raise
    return value.value


def pages_now(pid, start, end):
    """The entries of all pages of [start, end), as Snapshot.pages() gives them, but without
    ZERO and HUGE."""
    size = mmap.PAGESIZE
    first = given.address(start) // size
    count = max(-(-given.address(end) // size) - first, 0)
    entries = array.array("Q", bytes(8 * count))
    if count:
        where = (c_uint64 * count).from_buffer(entries)
        lib().vmsnap_pages_now(given.process(pid), start, count, where)
    return entries


def put_back(everywhere=False):
    """What reading a process's memory (through /proc/PID/mem) leaves behind in lists of the kernel's, by which
    the second of two that write after a fork copies a page that it could have kept: of this processor,
    1 us, or of all, 60 us and more."""
    lib().vmsnap_put_back(everywhere)
