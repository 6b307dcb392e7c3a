"""Page faults that a file has kept."""

import os
import sys
import unittest

import module
from module import vmsnap

SOURCE = module.SOURCE
sys.path[:0] = [os.path.join(SOURCE, "tests", folder) for folder in ("golden", "reader")]

import good  # noqa: E402

GOLDEN = os.path.join(SOURCE, "tests", "golden", "good-faults.vms")


class Faults(unittest.TestCase):
    def setUp(self):
        self.snapshot = vmsnap.open(GOLDEN)[0]
        self.faults = self.snapshot.faults

    def test_all_of_them(self):
        told = [[each.time, each.address, each.ip, each.pid, each.tid, list(each.stack),
                 -1 if each.syscall is None else each.syscall, int(each.kind), int(each.flags)] for each in self.faults]
        self.assertEqual(told, good.FAULTS["faults"])
        self.assertEqual(len(self.faults), len(told))
        self.assertEqual(list(self.faults[-1].stack), good.FAULTS["faults"][-1][5])
        self.assertRaises(IndexError, lambda: self.faults[len(told)])

    def test_how_it_was_watched(self):
        self.assertEqual([self.faults.begin, self.faults.end], good.FAULTS["watched"])
        self.assertEqual((self.faults.lost, self.faults.pid, int(self.faults.flags)), (3, 4711, 9))
        self.assertEqual([[event.time, event.pid, event.child or 0] for event in self.faults.events], good.FAULTS["events"])

    def test_what_things_are_called(self):
        code = self.faults.code(0x555555556230)
        self.assertEqual((code.function, code.file, code.line, code.begin), ("simple_cat", "src/cat.c", 55, 0x555555556200))
        self.assertEqual((code.object.path, code.object.build_id.hex()), ("/usr/bin/cat", "0123456789abcdef"))
        self.assertEqual(self.faults.code(0x7FFFF7DD1000, 4720).function, "jit;\n")
        unknown = self.faults.code(0x7FFFF7DD1000)
        self.assertEqual((unknown.function, unknown.line, unknown.object.build_id), (None, None, None))
        self.assertIsNone(self.faults.code(1))
        self.assertEqual((self.faults.comm(4711, 4713), self.faults.comm(4711, 1)), ("worker", None))
        self.assertEqual((self.faults.syscall(257), self.faults.syscall(1)), ("openat", None))

    def test_others_have_none(self):
        self.assertIsNone(vmsnap.open(os.path.join(SOURCE, "tests", "golden", "good-small.vms"))[0].faults)
        self.assertIsNone(self.snapshot.stripped("faults").faults)
        self.assertIsNone(self.snapshot.stripped("names").faults.code(0x555555556230))


if __name__ == "__main__":
    unittest.main()
