"""Pages of code that a process has copied, as a snapshot shows them.  Knows no gdb.

Nothing writes to code that is mapped from a file without PROT_WRITE, but a debugger.
Writing a breakpoint turns the page into private memory of the process, and it stays
so once the breakpoint is lifted: the page says by itself that it was written.  It may
have been someone else (uprobes, a program that patches itself, text relocations);
the debugger's are told by what they hold: what the file holds, but for breakpoints and
what the debugger is known to have written."""

import mmap
import os

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


def are_there(snapshot, code):
    """Whether the mappings are still as they were: a program may lay others over them, of which
    no event tells."""
    return all(snapshot.has_mapping(mapping) for mapping in code)


def copied(snapshot, code):
    """The addresses of the pages in the mappings `code` that are no longer the file's."""
    left, pages = _MAX_PAGES, set()
    for mapping in code:
        end = min(mapping.end, mapping.start + left * PAGE)
        left -= (end - mapping.start) // PAGE
        if snapshot.is_all_of_files(mapping.start, end):
            continue
        flags = snapshot.pages(mapping.start, end).tobytes()[7::8].translate(_COPIED)
        index = flags.find(1)
        while index >= 0:
            pages.add(mapping.start + index * PAGE)
            index = flags.find(1, index + 1)
    return pages


class Files:
    """What files hold where pages of code were copied, each read once."""

    def __init__(self):
        self._pages = {}    # as the file has them
        self._judged = {}   # (as in memory, ranges written, verdict), the last time
        self.memory = {}    # as in memory, the last time; None: it could not be told

    def is_foreign(self, snapshot, page, written):
        """Whether a page that was copied holds something that neither its file does, nor is a
        breakpoint, nor lies in the ranges `written`.  None if that cannot be told: if it was
        swapped out (reading would fetch it), or the file is gone."""
        file = self._pages.get(page)
        found = snapshot.file_page_now(page, file=file is None)
        self.memory[page] = found and found[0]
        if found is None:
            return None
        memory = found[0]
        if file is None:
            file = self._pages[page] = found[1]
        if memory == file:
            return False
        last = self._judged.get(page)
        if last is None or last[:2] != (memory, written):
            last = self._judged[page] = memory, written, _has_foreign_bytes(memory, file, page, written)
        return last[2]


class Memory:
    """What the pages of a process hold, through a file that stays open.  Only for pages that are in memory."""

    def __init__(self, pid):
        self._pid, self._file = pid, None

    def read(self, address, length):
        """None if that cannot be read."""
        try:
            if self._file is None:
                self._file = open(f"/proc/{self._pid}/mem", "rb", buffering=0)
            return os.pread(self._file.fileno(), length, address)
        except OSError:
            return None

    def holds(self, pages):
        """Whether each page holds these bytes: {page: bytes}."""
        return all(self.read(page, PAGE) == held for page, held in pages.items())


def _has_foreign_bytes(memory, file, page, written):
    changed = [at for at in range(PAGE) if memory[at] != file[at]]
    if sum(memory[at] == _INT3 for at in changed) > _MAX_BREAKPOINTS:
        return True
    return any(memory[at] != _INT3 and not any(start <= page + at < end for start, end in written) for at in changed)
