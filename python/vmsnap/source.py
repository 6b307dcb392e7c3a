"""Snapshots of processes that somebody else reads: on another machine, through a debugger's remote half, say."""

import ctypes
import errno
from ctypes import byref, c_uint32, c_uint64

from vmsnap import _header, _lib
from vmsnap._lib import lib
from vmsnap.errors import VmsnapError
from vmsnap.snapshot import Snapshot, capture_options


class _Reader:
    """What the library calls.  An exception cannot go through it: it is raised afterwards."""

    def __init__(self, read):
        self._read, self.raised = read, None

    def __call__(self, _, name, offset, into, length):
        try:
            data = self._read(name.decode(), offset, length)
        except OSError as error:
            return -(error.errno or errno.EIO)
        except BaseException as error:
            self.raised = error
            return -errno.ECANCELED
        data = data[:length]
        ctypes.memmove(into, data, len(data))
        return len(data)


def capture_from(read, held=False, threads=None, label="", reason="", smaps=False, contents="none", store=None,
                 contents_limit=0, left_out=()):
    """read(name, offset, length): bytes of a file of the process's /proc/PID there; OSError where that fails
    (vmsnap/source.h).  held: nothing of it runs meanwhile.  threads: [(number, stack pointer or 0)]."""
    reader, source = _Reader(read), _lib.struct(_header.CaptureSource, held=held)
    source.read = type(source.read)(reader)
    if threads is not None:
        source.thread_count = len(threads)
        source.tids = (c_uint32 * len(threads))(*(tid for tid, _ in threads))
        source.stack_pointers = (c_uint64 * len(threads))(*(pointer for _, pointer in threads))
    options = capture_options(reason, label, True, smaps, contents=contents, store=store, contents_limit=contents_limit,
                       left_out=left_out)
    try:
        return Snapshot.made_by(lib().vmsnap_capture_from, byref(source), byref(options))
    except VmsnapError:
        if reader.raised is not None:
            raise reader.raised from None
        raise
