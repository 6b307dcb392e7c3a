"""Pages of code that a process has copied, as a snapshot shows them.  Knows no gdb.

Nothing writes to code that is mapped from a file without PROT_WRITE, but a debugger.
Writing a breakpoint turns the page into private memory of the process, and it stays
so once the breakpoint is lifted: the page says by itself that it was written.  It may
have been someone else (uprobes, a program that patches itself, text relocations);
the debugger's are told by what they hold: what the file holds, but for breakpoints."""

import mmap
import os
import stat

from vmsnap import PageFlag, Perm

PAGE = mmap.PAGESIZE

_MAX_PAGES = 1 << 20       # of code looked at: 4 GiB
_MAX_BREAKPOINTS = 64      # on one page
_INT3 = 0xCC


def _is_copied(flags):
    """Present or swapped out, and not a page of a file."""
    return bool(flags & (PageFlag.PRESENT | PageFlag.SWAPPED) and not flags & PageFlag.FILE)


# By the top byte of an entry, which is the flags but for the lowest.
_COPIED = bytes(_is_copied(byte << 1) for byte in range(256))


def mappings(snapshot):
    """Code that is mapped from files, private and not to be written."""
    return [mapping for mapping in snapshot.mappings if mapping.inode and mapping.name.startswith("/")
            and mapping.perms & (Perm.EXEC | Perm.WRITE | Perm.SHARED) == Perm.EXEC]


def copied(snapshot, code):
    """The addresses of the pages in the mappings `code` that are no longer the file's."""
    left, pages = _MAX_PAGES, set()
    for mapping in code:
        end = min(mapping.end, mapping.start + left * PAGE)
        left -= (end - mapping.start) // PAGE
        flags = snapshot.pages(mapping.start, end).tobytes()[7::8].translate(_COPIED)
        index = flags.find(1)
        while index >= 0:
            pages.add(mapping.start + index * PAGE)
            index = flags.find(1, index + 1)
    return pages


def _file_page(mapping, page):
    try:
        file = os.open(mapping.name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
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


def restored(snapshot, mapping, page):
    """Whether a page that was copied holds what the file holds, but for breakpoints.
    The page is read, so that it must be in memory: a swapped one would be fetched."""
    state = snapshot.page_at(page)
    if state is None or not state.present:
        return False
    ours, theirs = _memory_page(snapshot.pid, page), _file_page(mapping, page)
    if ours is None or theirs is None or len(ours) != PAGE:
        return False
    if ours == theirs:
        return True
    changed = [mine for mine, other in zip(ours, theirs) if mine != other]
    return len(changed) <= _MAX_BREAKPOINTS and all(byte == _INT3 for byte in changed)
