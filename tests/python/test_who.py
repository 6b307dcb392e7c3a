"""Who maps a frame, a page or a file, in Python."""

import ctypes
import mmap
import os
import unittest

from module import PAGE, kernel, main, support, vmsnap


class Who(unittest.TestCase):
    def setUp(self):
        self.memory = mmap.mmap(-1, 4 * PAGE, flags=mmap.MAP_SHARED)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.memory[0] = 1

    def test_a_page_of_ours(self):
        support.need_frames(self)
        found = vmsnap.who(pid=os.getpid(), address=self.start)
        self.assertEqual((found.kind, len(found), found.info.found), ("frame", 1, 1))
        (process,) = found
        self.assertEqual((process.pid, process.addresses, process.self, process.memory_of),
                         (os.getpid(), [self.start], True, None))
        self.assertTrue(process.places[0].flags & vmsnap.PageFlag.PRESENT)
        self.assertEqual(process.places[0].name, "/dev/zero (deleted)")
        again = vmsnap.who(pfn=found.info.pfn)
        self.assertEqual([each.addresses for each in again], [[self.start]])
        self.assertIn(f"{self.start:x} rw-s /dev/zero (deleted)", found.text())
        if kernel.counts_each_page() and found.counted is not None:
            self.assertEqual(found.counted, 1)

    def test_snapshots(self):
        support.need_frames(self)
        snapshot = vmsnap.capture(os.getpid())
        found = vmsnap.Who(pfn=snapshot.page_at(self.start).pfn, now=False)
        found.add(snapshot)
        found.add(snapshot)
        self.assertEqual([(each.snapshot, each.addresses) for each in found], [(0, [self.start]), (1, [self.start])])
        self.assertEqual((found.info.looked, found.counted), (2, None))

    def test_a_file(self):
        with open(vmsnap.__file__, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
            memory[0]  # noqa: B018
            found = vmsnap.who(path=vmsnap.__file__)
        (process,) = [each for each in found if each.pid == os.getpid()]
        self.assertEqual((found.kind, process.mappings, process.copied), ("file", 1, 0))
        self.assertGreaterEqual(process.resident, PAGE)

    def test_what_is_wrong_is_said(self):
        for words in (dict(path="/"), dict(path="a\0b"), dict(pid=os.getpid(), address=-1), dict(pid=0, address=1)):
            with self.assertRaises(vmsnap.VmsnapError):
                vmsnap.who(**words)
        with self.assertRaises(IndexError):
            vmsnap.who(path="/nonexistent/vmsnap")[0]

    def test_layers(self):
        support.need_frames(self)
        plain, told = (vmsnap.capture(os.getpid(), kpage=kpage) for kpage in (False, True))
        self.assertIsNone(plain.layer(vmsnap.Layer.KPAGE_COUNT))
        counts = told.layer(vmsnap.Layer.KPAGE_COUNT)
        if kernel.counts_each_page():
            self.assertEqual([value for start, end, value in counts if start <= self.start < end], [1])
        flags = [value for start, end, value in told.layer(vmsnap.Layer.KPAGE_FLAGS) if start <= self.start < end]
        self.assertTrue(flags and not flags[0] >> 12 & 1, "shared memory is not anonymous")
        self.assertGreater(told.info.kpage_read, told.info.monotonic)

    def test_kinds(self):
        snapshot = vmsnap.capture(os.getpid())
        kinds = dict(zip((mapping.name for mapping in snapshot.mappings), snapshot.kinds(vmsnap.Names(snapshot))))
        self.assertEqual((kinds["[stack]"], kinds["[heap]"], kinds["/dev/zero (deleted)"], kinds[snapshot.exe]),
                         ("stack", "heap", "shared", "program"))
        self.assertEqual(len(snapshot.kinds()), len(snapshot.mappings))
        self.assertIn("program", snapshot.show_by_text("kind"))


if __name__ == "__main__":
    main()
