"""The calling process itself, in Python."""

import ctypes
import mmap
import os
import unittest

from module import main, vmsnap


class Self(unittest.TestCase):
    def test_a_snapshot_of_oneself_has_its_mappings_and_pages(self):
        memory = mmap.mmap(-1, 4 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory[0] = memory[2 * mmap.PAGESIZE] = 1
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        snapshot = vmsnap.capture_self(label="mine", reason="a test")
        self.assertEqual((snapshot.pid, snapshot.info.label, snapshot.info.reason), (os.getpid(), b"mine", b"a test"))
        self.assertEqual(snapshot.info.known_until, 0)
        self.assertIn("[stack]", [mapping.name for mapping in snapshot.mappings])
        there = [run.start for run in snapshot.runs(address, address + 4 * mmap.PAGESIZE)
                 if run.flags & vmsnap.PageFlag.PRESENT]
        self.assertEqual(there, [address, address + 2 * mmap.PAGESIZE])

    def test_where_something_is_mapped_and_where_nothing_is(self):
        address = ctypes.addressof(ctypes.create_string_buffer(1)) & -mmap.PAGESIZE
        found = vmsnap.is_mapped(address)
        self.assertEqual((found.mapped, found.until), (vmsnap.Mapped.ALL, address + mmap.PAGESIZE))
        gap = vmsnap.find_gap(address, 1 << 24)
        self.assertEqual(vmsnap.is_mapped(gap, 1 << 24), (vmsnap.Mapped.NOTHING, gap + (1 << 24)))
        self.assertIsNone(vmsnap.find_gap(address, 1 << 47))
        self.assertEqual(vmsnap.is_mapped((1 << 64) - 1).mapped, vmsnap.Mapped.BEYOND)

    def test_what_is_no_address_is_refused(self):
        for function in (vmsnap.is_mapped, vmsnap.find_gap):
            self.assertRaises(ValueError, function, -1, 1)
            self.assertRaises(ValueError, function, 1 << 64, 1)
            self.assertRaises(vmsnap.VmsnapError, function, 4096, 0)


if __name__ == "__main__":
    main()
