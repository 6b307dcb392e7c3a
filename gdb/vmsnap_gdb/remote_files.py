"""The files that a process on another machine has mapped: of each the beginning, where programs and libraries have
their build ID.

A process's own view of them is /proc/PID/map_files, which the kernel shows to root alone.  To others it is the file
of that name below the process's root, if its inode is the one that is mapped."""

import errno
import re

_BEGINNING = 4096
_MOST_FILES = 4096  # whose beginnings are kept


def _line(maps, place):
    """What it says of the mapping behind its addresses; None: of none."""
    found = re.search(rb"(?m)^0*" + re.escape(place).replace(rb"\-", rb"-0*") + rb" \S+ \S+ (\S+ (\d+) +(/.*))$", maps)
    return found and found.groups()


class Mapped:
    """may_open: a file that nobody has read yet takes three round trips, or four; without it nothing is known of that."""

    def __init__(self, host, pid, may_open):
        self._host, self._pid, self._may_open = host, pid, may_open

    def beginning(self, maps, name):
        """name: map_files/START-END.  OSError where it cannot be had."""
        line = _line(maps, name.partition("/")[2].encode())
        if line is None:
            raise OSError(errno.ENOENT, name)
        known, (file, inode, path) = self._host.beginnings, line
        if file not in known:
            if not self._may_open or len(known) >= _MOST_FILES:
                raise OSError(errno.ENOENT, name)
            known[file] = self._read(name, int(inode), path)
        return known[file]

    def _read(self, name, inode, path):
        try:
            return self._opened(b"/proc/%d/" % self._pid + name.encode(), None)
        except OSError:
            pass
        try:
            return self._opened(b"/proc/%d/root" % self._pid + path.replace(rb"\012", b"\n"), inode)
        except OSError:
            return b""

    def _opened(self, path, inode):
        descriptor = self._host.open(path)
        try:
            if inode is not None and self._host.inode(descriptor) != inode & 0xFFFFFFFF:
                return b""
            return self._host.pread(descriptor, 0, _BEGINNING)
        finally:
            self._host.close(descriptor)
