"""Snapshots of processes that somebody else reads: here the tests themselves, from the files of one that stands."""

import errno
import os
import signal
import subprocess
import time
import unittest

from module import PAGE, main, vmsnap
from vmsnap.errors import VmsnapError
from vmsnap.source import capture_from

FRAME_AND_KNOWN = ~(1 << 55 | 1 << 59 | 1 << 60)  # but soft-dirty, and what only PAGEMAP_SCAN tells
UNREAD = 1 << 62 | 1 << 60 | 1 << 59


class Files:
    """read() of a process, with answers of the test's own for some."""

    def __init__(self, pid, **instead):
        self.pid, self.instead, self.asked = pid, instead, []

    def __call__(self, name, offset, length):
        self.asked.append(name)
        found = self.instead.get(name)
        if isinstance(found, OSError):
            raise found
        if callable(found):
            return found(offset, length)
        if found is not None:
            return found[offset:offset + length]
        if name == "identity":
            return (b"Page-size: %d\nHost: board\nKernel: 6.1.0\nBoot-id: 1-2\n" % PAGE)[offset:offset + length]
        try:
            with open(f"/proc/{self.pid}/{name}", "rb", buffering=0) as file:
                return os.pread(file.fileno(), length, offset)
        except FileNotFoundError:
            raise OSError(errno.ENOENT, name) from None


class OfAStandingProcess(unittest.TestCase):
    def setUp(self):
        self.process = subprocess.Popen(["sleep", "600"])
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        time.sleep(0.05)
        while vmsnap.process_now(self.process.pid).start_stack == 0:
            time.sleep(0.01)
        self.process.send_signal(signal.SIGSTOP)
        while vmsnap.process_now(self.process.pid).state != "T":
            time.sleep(0.01)
        self.pid = self.process.pid

    def pairs(self, a, b):
        for mapping in a.mappings:
            for index, pair in enumerate(zip(a.pages(mapping.start, mapping.end), b.pages(mapping.start, mapping.end))):
                yield mapping.start + index * PAGE, *pair

    def test_it_is_what_a_capture_is(self):
        a = capture_from(Files(self.pid), held=True, threads=[(self.pid, 0x1000)], contents="private", label="x")
        b = vmsnap.capture(self.pid, contents="private")
        executed = {each.name for each in b.mappings if each.perms & vmsnap.Perm.EXEC and each.inode}
        self.assertEqual(a.mappings, [each if each.name in executed else each._replace(build_id=b"") for each in b.mappings])
        for address, one, other in self.pairs(a, b):
            self.assertEqual(one & FRAME_AND_KNOWN, other & FRAME_AND_KNOWN, hex(address))
        self.assertEqual([each for each in a.contents_compare(b) if each[2]], [])
        self.assertEqual(list(a.contents_ranges()), list(b.contents_ranges()))
        self.assertEqual((a.pid, a.start_time, a.comm, a.label), (b.pid, b.start_time, b.comm, "x"))
        self.assertEqual((a.info.host, a.info.kernel, a.info.boot_id), (b"board", b"6.1.0", b"1-2"))
        self.assertEqual(a.threads[0][:2], (self.pid, 0x1000))
        self.assertEqual(a.sums()["swapped_unknown"], 0)

    def test_what_is_refused_is_unread_but_for_what_smaps_says_of_all_of_a_mapping(self):
        a = capture_from(Files(self.pid, pagemap=OSError(errno.EINVAL, "no")), held=True)
        b = vmsnap.capture(self.pid)
        told = 0
        for address, one, other in self.pairs(a, b):
            if one == UNREAD:
                continue
            told += 1
            self.assertEqual(one, other & (1 << 63 | 1 << 61 | 1 << 56), hex(address))
        self.assertGreater(told, 0)
        self.assertGreater(a.sums()["swapped_unknown"], 0)
        self.assertTrue(a.smaps)
        stack = next(each for each in a.mappings if each.name == "[stack]")
        self.assertEqual(a.sums(stack.start, stack.end)["resident"],
                         next(row["Rss"] for each, row in zip(a.mappings, a.smaps) if each == stack))
        diff = vmsnap.diff(a, b)
        self.assertEqual([each for each in diff.ranges if {"appeared", "vanished"} & set(each.changes)], [])

    def test_pages_below_a_limit_are_read(self):
        limit = next(each for each in vmsnap.capture(self.pid).mappings if "libc" in each.name).start
        data = Files(self.pid)

        def pagemap(offset, length):
            if offset >= limit // PAGE * 8:
                raise OSError(errno.EINVAL, "no")
            return data("pagemap", offset, length)
        a = capture_from(Files(self.pid, pagemap=pagemap))
        self.assertFalse([run for run in a.runs(0, limit) if run.flags & 0xB0 == 0xB0])
        self.assertGreater(a.sums(0, limit)["resident"], 0)

    def test_no_freeze_is_told_where_it_ran(self):
        self.assertIsNone(capture_from(Files(self.pid)).one_instant())
        self.assertTrue(capture_from(Files(self.pid), held=True).one_instant())

    def test_files_that_are_not_there(self):
        for name in ("maps", "status"):
            with self.assertRaises(VmsnapError, msg=name):
                capture_from(Files(self.pid, **{name: OSError(errno.ENOENT, "no")}))
        for name in ("stat", "comm", "cmdline", "cgroup", "identity"):
            capture_from(Files(self.pid, **{name: OSError(errno.ENOENT, "no")}))
        self.assertGreater(capture_from(Files(self.pid, pagemap=OSError(errno.ENOENT, "no"))).sums()["swapped_unknown"], 0)

    def test_hostile_answers(self):
        for name, text in (("maps", b""), ("maps", b"nonsense\n"), ("maps", b"\0" * 100), ("identity", b"Page-size: 3\n"),
                           ("smaps", b"x")):
            with self.assertRaises(VmsnapError, msg=(name, text)):
                capture_from(Files(self.pid, **{name: text}), smaps=True)
        short = capture_from(Files(self.pid, pagemap=lambda offset, length: b"\xff" * 3))
        self.assertEqual(short.sums()["resident"], 0)
        ones = capture_from(Files(self.pid, pagemap=lambda offset, length: b"\xff" * length))
        self.assertEqual(ones.mapping_count(), len(vmsnap.capture(self.pid).mappings))
        for status in (b"", b"\0\n:\n" * 50):
            capture_from(Files(self.pid, status=status))

    def test_an_interrupt_goes_through(self):
        def interrupted(offset, length):
            raise KeyboardInterrupt
        with self.assertRaises(KeyboardInterrupt):
            capture_from(Files(self.pid, pagemap=interrupted))

    def test_what_cannot_be_asked_for(self):
        for what in ({"contents": "hashes"}, ):
            with self.assertRaises(VmsnapError):
                capture_from(Files(self.pid), **what)


if __name__ == "__main__":
    main()
