"""Which pages were written since somebody cleared their bits: as a program knows it that wrote them, and as the
kernel tells it.  Linux built without CONFIG_MEM_SOFT_DIRTY tells nothing."""

import ctypes
import os
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, each_user, pages, skip


def is_told():
    """Whether this kernel has the bit: what was just written has it."""
    there = ctypes.create_string_buffer(b"written", PAGE)
    at = ctypes.addressof(there) // PAGE * PAGE
    return bool(kernel.entries(os.getpid(), [(at, at + PAGE)])[at] & kernel.SOFT_DIRTY)


class SoftDirty(unittest.TestCase):
    def setUp(self):
        self.told = is_told()

    def look(self, kind, user):
        """{page of the kind's memory: whether vmsnap says it is soft-dirty}, and the target."""
        if not self.told:
            skip(self, "this kernel does not tell which pages are soft-dirty")
        target = Target(self, "soft_dirty", kind, user=user)
        kernel.clear_soft_dirty(target.pid)
        target.tell("go")
        pid = next((int(line.split()[1]) for line in target.lines if line.startswith("pid ")), target.pid)
        areas = [area for name, area in target.ranges.items() if name.startswith("all_")]
        found = pages(self, capture(self, pid, user=user), user=user)
        said = {at: "soft_dirty" in page[3] for at, page in found.items()
                if any(start <= at < end for start, end in areas)}
        truth = {at: bool(entry & kernel.SOFT_DIRTY) for at, entry in kernel.entries(pid, areas).items()}
        self.assertEqual({hex(at): said.get(at) for at in said.keys() | truth.keys()},
                         {hex(at): truth.get(at) for at in said.keys() | truth.keys()}, "vmsnap's word, the kernel's word")
        return said, target

    def check(self, kind, *, count=None, user=None):
        """What is said to be soft-dirty is what the target says it has made so."""
        said, target = self.look(kind, support.me() if user is None else user)
        written = {at for name, (start, end) in target.ranges.items() if name.startswith("dirty_")
                   for at in range(start, end, PAGE)}
        self.assertEqual([hex(at) for at, dirty in sorted(said.items()) if dirty], [hex(at) for at in sorted(written)])
        if count is not None:
            self.assertEqual(len(said), count)
        target.end()

    def test_whether_the_kernel_tells_is_known(self):
        shown = ask(self, "show", os.getpid())["snapshot"]
        self.assertEqual(shown["known"]["soft_dirty"], self.told)

    @each_user
    def test_what_was_written(self, user):
        self.check("written", count=16, user=user)

    def test_files_and_shared_memory(self):
        self.check("files", count=48)

    def test_a_parent_after_a_fork(self):
        self.check("fork_parent", count=16)

    def test_a_child_has_its_parents_bits_and_its_own(self):
        self.check("fork_child", count=16)

    def test_a_huge_page_has_one_bit(self):
        def is_huge(target):
            start, end = target.ranges["all_huge"]
            return sum(told.get("AnonHugePages", 0) for first, last, told in kernel.smaps(target.pid)
                       if first < end and start < last) == end - start
        said, target = self.look("huge", support.me())
        if not is_huge(target):
            skip(self, "this machine makes no huge pages")
        ((start, end),) = [area for name, area in target.ranges.items() if name.startswith("dirty_")]
        self.assertEqual({at for at, dirty in said.items() if dirty}, set(range(start, end, PAGE)))
        target.end()

    def test_new_mappings_are_soft_dirty_as_a_whole(self):
        self.check("new", count=16 + 8 + 4)

    def test_pages_that_were_moved(self):
        self.check("moved", count=16)

    def test_page_tables_that_were_moved_keep_their_pages_bits(self):
        self.check("moved_tables")

    def test_pages_in_swap_keep_their_bits(self):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        self.check("swap", count=64)

    def test_what_was_given_back_has_none(self):
        self.check("given_back", count=13)


if __name__ == "__main__":
    support.main()
