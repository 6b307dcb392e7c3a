"""Pages of code that a process has copied.  Knows /proc; no gdb.

Nothing writes to code that is mapped from a file without PROT_WRITE, but a debugger.
Writing a breakpoint turns the page into private memory of the process, and it stays
so once the breakpoint is lifted: the page says by itself that it was written.  It may
have been someone else (uprobes, a program that patches itself, text relocations);
the debugger's are told by what they hold: what the file holds, but for breakpoints."""

import collections
import os
import re
import stat
import struct

PAGE = os.sysconf("SC_PAGE_SIZE")

# start, end: addresses; offset: in the file; inode, path: of the file, path as bytes.
Mapping = collections.namedtuple("Mapping", "start end offset inode path")

_LINE = re.compile(rb"([0-9a-f]+)-([0-9a-f]+) (r?-?)-xp ([0-9a-f]+) [0-9a-f]+:[0-9a-f]+ ([1-9][0-9]*) +(/[^\n]*)")
_MAX_PAGES = 1 << 20       # of code looked at: 4 GiB
_MAX_BREAKPOINTS = 64      # on one page
_INT3 = 0xCC
_AT_BASE, _AT_ENTRY = 7, 9

# From the top byte of a pagemap entry: present (bit 63) or swapped out (62), and not a
# page of a file (61).
_COPIED = bytes(bool(byte & 0xC0 and not byte & 0x20) for byte in range(256))


def _slurp(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def auxv(pid):
    """(entry point of the program, start of the dynamic linker); 0 if not known."""
    data = _slurp(f"/proc/{pid}/auxv")
    found = dict(struct.iter_unpack("=QQ", data[:len(data) - len(data) % 16]))
    return found.get(_AT_ENTRY, 0), found.get(_AT_BASE, 0)


def parent(pid):
    """The process that forked it; 0 if unknown."""
    fields = _slurp(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def mappings(pid):
    """Code that is mapped from files, private and not to be written."""
    found = []
    for line in _slurp(f"/proc/{pid}/maps").split(b"\n"):
        match = _LINE.fullmatch(line)
        if match:
            found.append(Mapping(int(match[1], 16), int(match[2], 16), int(match[4], 16),
                                 int(match[5]), match[6].replace(b"\\012", b"\n")))
    return found


def entries(pid, ranges):
    """The pagemap entries of each (start, end), as bytes, 8 a page; b"" if unreadable."""
    try:
        file = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return [b""] * len(ranges)
    found = []
    try:
        for start, end in ranges:
            try:
                found.append(os.pread(file, (end - start) // PAGE * 8, start // PAGE * 8))
            except (OSError, OverflowError):
                found.append(b"")
    finally:
        os.close(file)
    return found


def copied(pid, code):
    """The addresses of the pages in the mappings `code` that are no longer the file's."""
    left, ranges = _MAX_PAGES, []
    for mapping in code:
        end = min(mapping.end, mapping.start + left * PAGE)
        ranges.append((mapping.start, end))
        left -= (end - mapping.start) // PAGE
    pages = set()
    for (start, _), data in zip(ranges, entries(pid, ranges)):
        flags = data[7::8].translate(_COPIED)
        index = flags.find(1)
        while index >= 0:
            pages.add(start + index * PAGE)
            index = flags.find(1, index + 1)
    return pages


def _file_page(mapping, page):
    try:
        file = os.open(mapping.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_ino != mapping.inode:
            return None  # not the file that is mapped
        return os.pread(file, PAGE, mapping.offset + page - mapping.start).ljust(PAGE, b"\0")
    except OSError:
        return None
    finally:
        os.close(file)


def _memory_page(pid, page):
    try:
        file = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.pread(file, PAGE, page)
    except (OSError, OverflowError):
        return None
    finally:
        os.close(file)


def restored(pid, mapping, page):
    """Whether a page that was copied holds what the file holds, but for breakpoints.
    The page is read, so that it must be in memory: a swapped one would be fetched."""
    data = entries(pid, [(page, page + PAGE)])[0]
    if len(data) != 8 or not data[7] & 0x80:
        return False
    ours, theirs = _memory_page(pid, page), _file_page(mapping, page)
    if ours is None or theirs is None or len(ours) != PAGE:
        return False
    if ours == theirs:
        return True
    changed = [mine for mine, other in zip(ours, theirs) if mine != other]
    return len(changed) <= _MAX_BREAKPOINTS and all(byte == _INT3 for byte in changed)
