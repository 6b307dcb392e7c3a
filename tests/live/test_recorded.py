"""Process folders that no process of this machine has: recorded ones."""

import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

import kernel
import support
from kernel import PAGE
from support import ask, pages, world

STATUS = b"Name:\trecorded\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4242\nNgid:\t0\nPid:\t4242\nPPid:\t1\n" \
         b"TracerPid:\t0\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t4242\nVmRSS:\t      12 kB\nThreads:\t1\n"
STAT = b"4242 (recorded) S 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 1000000 3 18446744073709551615 " + b"0 " * 29 + b"0\n"
MAPS = [
    (0x10000, 0x20000, b"rw-p 00000000 00:00 0                          [anon:my cache]"),
    (0x20000, 0x30000, b"rw-p 00000000 00:00 0                          [anon:\x1b[2Jx]"),
    (0x30000, 0x40000, b"rw-s 00000000 00:01 7                          [anon_shmem:shared cache]"),
    (0x40000, 0x50000, b"r--p 00001000 08:01 99                         /tmp/a file\\012b (deleted)"),
    (0x60000, 0x70000, b"rw-p 00000000 00:00 0                          [heap]"),
    (0x7ffff7fc0000, 0x7ffff7fc4000, b"r--p 00000000 00:00 0                  [vvar_vclock]"),
    (0xffffffffff600000, 0xffffffffff601000, b"--xp 00000000 00:00 0          [vsyscall]"),
]


class Recorded(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=world().folder)
        self.maps, self.entries = list(MAPS), {}

    def record(self):
        lines = [b"%08x-%08x %s" % line for line in self.maps]
        for name, data in (("maps", b"\n".join(lines) + b"\n"), ("status", STATUS), ("stat", STAT)):
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(data)
        with open(os.path.join(self.folder, "pagemap"), "wb") as file:
            for at, entry in self.entries.items():
                file.seek(at // PAGE * 8)
                file.write(struct.pack("<Q", entry))

    def capture(self):
        """(exit status, what was said, the file)"""
        self.record()
        library, path = os.environ["VMSNAP_LIB"], os.path.join(self.folder, "out.vms")
        environment = dict(world().env)
        needed = subprocess.run(["ldd", library], stdout=subprocess.PIPE, check=False).stdout.decode()
        sanitizers = re.findall(r"=> (\S*lib(?:asan|ubsan|clang_rt)\S*)", needed)
        if sanitizers:
            environment["LD_PRELOAD"] = " ".join(sanitizers)
            environment["ASAN_OPTIONS"] = "detect_leaks=0"
        helper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record_capture.py")
        done = subprocess.run([sys.executable, "-B", helper, library, self.folder, path], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        self.assertEqual(done.stderr, b"")
        return done.returncode, done.stdout.decode(), path

    def test_names_of_anonymous_memory(self):
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        told = ask(self, "show", path)
        names = [vma["name"] for vma in told["vmas"]]
        self.assertIn("[anon:my cache]", names)
        self.assertIn("[anon_shmem:shared cache]", names)
        self.assertNotIn("\x1b", "".join(names))
        self.assertEqual(len(names), len(MAPS))
        self.assertEqual(told["snapshot"]["pid"], 4242)
        self.assertEqual(told["snapshot"]["comm"], "recorded")
        self.assertEqual(told["status"]["VmRSS"], 12 * 1024)
        self.assertFalse(told["snapshot"]["pause_us"])

    def test_states_of_pages(self):
        self.entries = {
            0x10000: kernel.PRESENT | kernel.EXCLUSIVE | 0x1234, 0x11000: kernel.PRESENT | kernel.EXCLUSIVE | 0x1235,
            0x13000: kernel.SWAPPED | 3 | 77 << 5, 0x14000: kernel.SWAPPED | 3 | 78 << 5,
            0x18000: kernel.SWAPPED | kernel.GUARD | 31, 0x40000: kernel.PRESENT | kernel.FILE | 0x99}
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        found = pages(self, path)
        self.assertEqual(set(found), set(self.entries))
        self.assertEqual(found[0x18000][0], "guard")
        self.assertEqual([found[at][0] for at in (0x10000, 0x13000, 0x40000)], ["present", "swapped", "present"])
        if ask(self, "show", path)["snapshot"]["known"]["pfn"]:
            self.assertEqual([found[at][1] for at in (0x10000, 0x11000, 0x40000)], [0x1234, 0x1235, 0x99])
            self.assertEqual([found[at][2] for at in (0x13000, 0x14000)], [(3, 77), (3, 78)])

    def refused(self, line):
        status, said, path = self.capture()
        self.assertEqual(status, 4, said)
        self.assertEqual(said.split()[1], str(line), said)
        self.assertFalse(os.path.exists(path))

    def test_mapping_that_grew_while_maps_was_read_is_cut_where_the_last_ended(self):
        self.maps[1] = (0x1f000, 0x30000, MAPS[1][2])
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        told = ask(self, "show", path)["vmas"]
        self.assertEqual([(vma["start"], vma["end"]) for vma in told[:2]], [("0x10000", "0x20000"), ("0x20000", "0x30000")])

    def test_backward_mapping_is_refused_with_its_line(self):
        self.maps[2] = (0x40000, 0x30000, MAPS[2][2])
        self.refused(3)

    def test_garbled_line_is_refused_with_its_number(self):
        self.maps[3] = (0x40000, 0x50000, b"r-?p 00001000 08:01 99 /tmp/x")
        self.refused(4)

    def test_pagemap_that_is_too_short_is_no_error(self):
        self.entries = {0x10000: kernel.PRESENT | 0x1234}
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        self.assertEqual(set(pages(self, path)), {0x10000})


if __name__ == "__main__":
    support.main()
