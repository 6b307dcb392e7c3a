"""What pages held in the page of `vmsnap report`: only if that was asked for, and as the target was told to hold it."""

import json
import os
import stat
import sys
import unittest

import support
from support import Target, run, world
from test_contents import Held

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader")]

import vmsreport  # noqa: E402  (lies in the folder just added)

PAGE = os.sysconf("SC_PAGE_SIZE")
EVIL = b"</script><img src=x onerror=alert(1)>"


class ReportContents(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "contents")
        self.held = Held(self.target)
        self.path = os.path.join(world().home(support.me()), "series.vms")
        self.addCleanup(lambda: os.path.exists(self.path) and os.unlink(self.path))
        self.poked = []

    def capture(self, *options):
        done = run("capture", self.target.pid, "--contents", "-o", self.path, *options)
        self.assertEqual(done.status, 0, done)

    def poke(self, instant, page, offset, data):
        """Writes these bytes before that instant."""
        address, before = self.held.address("plain", page), bytearray()
        for i, byte in enumerate(data):
            before.append(self.held.pages[address][offset + i])
            self.held.poke("plain", page, offset + i, byte)
        self.poked.append((instant, address + offset, bytes(before), bytes(data)))

    def series(self):
        self.capture()
        self.poke(1, 3, 100, EVIL)
        self.poke(1, 3, PAGE - 1, b"\x01")
        self.capture("--append")
        self.poke(2, 3, 100, EVIL[::-1])
        self.poke(2, 9, 0, b"\xff")
        self.capture("--append")

    def page(self, *options):
        out = self.path + ".html"
        self.addCleanup(lambda: os.path.exists(out) and os.unlink(out))
        done = run("report", self.path, "-o", out, *options)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(stat.S_IMODE(os.stat(out).st_mode), 0o600)
        with open(out, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("<img src=x", text)
        return vmsreport.Report(text)

    def plain(self, report):
        """{(instant, address): (before, now)} of bytes of the area that is written to."""
        start, end = self.target.ranges["plain"]
        return {(each.instant, each.address + i): (each.before[i], each.now[i]) for each in report.changed_bytes()
                for i in range(len(each.now)) if start <= each.address + i < end and each.before[i] != each.now[i]}

    def test_changed_bytes_and_no_others(self):
        self.series()
        expected = {}
        for instant, address, before, data in self.poked:
            expected.update({(instant, address + i): (before[i], data[i]) for i in range(len(data)) if before[i] != data[i]})
        self.assertEqual(self.plain(self.page("--contents")), expected)

    def test_nothing_unless_asked(self):
        self.series()
        for options in ((), ("--contents", "--strip", "contents")):
            report = self.page(*options)
            self.assertEqual(report.changed_bytes(), [])
            self.assertEqual(report.head["contents"]["values"], [])
            self.assertEqual(report.head["contents"]["compared"], [])

    def test_range_holds_for_contents(self):
        self.series()
        address = self.held.address("plain", 9)
        report = self.page("--contents", "--range", f"{address:x}-{address + PAGE:x}")
        self.assertEqual({each.address // PAGE for each in report.changed_bytes()}, {address // PAGE})

    def test_values_are_those_of_diff(self):
        self.series()
        report = self.page("--contents", "--sysroot", "/")
        strings, values = report.head["strings"], report.head["contents"]["values"]
        for instant in (1, 2):
            done = run("diff", "--values", "--json", f"{self.path}@{instant}", f"{self.path}@{instant + 1}")
            theirs = [(each["name"] + (each["path"] or ""), each["before"], each["after"]) for each in json.loads(done.out)["values"]]
            ours = [tuple(strings[values[i + k]] for k in (5, 8, 9)) for i in range(0, len(values), 10) if values[i + 1] == instant]
            self.assertEqual(sorted(name for name, _, _ in ours), sorted(name for name, _, _ in theirs))
        self.assertEqual(self.page("--contents", "--no-names").head["contents"]["values"], [])

    def test_no_more_than_4_mib(self):
        self.target.tell("fill plain 1 0 32")
        self.capture()
        for seed in range(2, 22):  # 2.6 MB of changed bytes each, before and after twice that
            self.target.tell(f"fill plain {seed} 0 32")
            self.capture("--append")
        report = self.page("--contents")
        size = len(report.contents)
        self.assertLessEqual(size, 4 << 20)
        changed = sum(len(each.now) for each in report.changed_bytes())
        self.assertGreaterEqual(changed + report.head["contents"]["bytes_left_out"], 20 * 32 * PAGE * 9 // 10)


if __name__ == "__main__":
    unittest.main()
