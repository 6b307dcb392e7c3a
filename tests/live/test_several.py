"""vmsnap show and pages: several snapshots, and what filters leave of each, against a count of pagemap."""

import fnmatch
import itertools
import os
import shutil
import tempfile
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, need_frames, number, run, world

PRESENT, SWAPPED, FILE, EXCLUSIVE = (1 << bit for bit in (63, 62, 61, 56))
FRAME = (1 << 55) - 1


class Several(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="several-", dir=world().folder)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        path = os.path.join(self.folder, "libthing.so")
        with open(path, "wb") as out:
            out.write(b"x" * (64 * PAGE))
        self.target = Target(self, "aslr", path, 300, 5)

    def series(self, count=3):
        path = os.path.join(self.folder, "series.vms")
        for index in range(count):
            self.assertEqual(run("capture", self.target.pid, "-q", "--append", "--label", f"l{index}", "-o", path).status, 0)
        return path

    def test_a_range_of_a_file_is_each_of_it(self):
        path = self.series()
        for command in ("show", "pages"):
            each = [ask(self, command, f"{path}@{index}") for index in (1, 2, 3)]
            self.assertEqual(ask(self, command, f"{path}@1..3"), each)
            self.assertEqual(ask(self, command, f"{path}@2..l2"), each[1:])
            self.assertEqual(ask(self, command, f"{path}@2..2"), each[1:2], "an array, however many there are")
            self.assertEqual(ask(self, command, f"{path}@3", f"{path}@l0", path), [each[2], each[0], each[2]])
            self.assertEqual([one["snapshot"]["label"] for one in each], ["l0", "l1", "l2"])

    def test_as_text_each_has_a_line_above(self):
        path = self.series()
        for command in ("show", "pages"):
            one = run(command, f"{path}@2").out
            text = run(command, f"{path}@2", f"{path}@1..2").out
            self.assertTrue(text.startswith(f"==> {path}@2: {self.target.pid} aslr <==\n".encode() + one), text[:300])
            self.assertEqual(text.count(b"==> "), 3)
            self.assertNotIn(b"==>", one)
            for option in ("--raw", "--noheadings"):
                self.assertEqual(run(command, option, f"{path}@1", f"{path}@2").out,
                                 run(command, option, f"{path}@1").out + run(command, option, f"{path}@2").out)

    def test_the_line_above_is_no_wider_than_the_window(self):
        path = self.series(1)
        for width in (40, 60):
            for command in ("show", "pages"):
                first = run(command, "-w", width, path, path).out.decode().split("\n")[0]
                self.assertLessEqual(len(first), width)
                self.assertTrue(first.endswith(f"series.vms: {self.target.pid} aslr <=="), first)

    def test_live_processes_are_of_one_instant(self):
        other = Target(self, "aslr", os.path.join(self.folder, "libthing.so"), 0, 0)
        told = ask(self, "show", self.target.pid, other.pid)
        self.assertEqual([one["snapshot"]["pid"] for one in told], [self.target.pid, other.pid])
        self.assertEqual(len({one["snapshot"]["monotonic"] for one in told}), 1)

    def test_the_last_word_of_pages_may_be_a_range(self):
        path = self.series(2)
        start = self.target.ranges["anonymous"][0]
        for words in ((f"{start:x}",), ("--range", f"{start:x}")):
            told = ask(self, "pages", f"{path}@1", f"{path}@2", *words)
            self.assertEqual([[(number(run_["start"]), run_["pages"]) for run_ in one["runs"]] for one in told],
                             [[(start, 1)]] * 2)
        told = ask(self, "pages", f"{path}@1", f"pid:{self.target.pid}")
        self.assertEqual([one["snapshot"]["pid"] for one in told], [self.target.pid] * 2)
        shutil.copy(path, os.path.join(self.folder, "beef"))
        result = run("pages", path, "beef", cwd=self.folder)
        self.assertEqual(result.status, 2)
        self.assertIn("is an address, and a file", result.err)
        self.assertEqual(len(ask(self, "pages", path, "./beef", cwd=self.folder)), 2)
        self.assertEqual(run("pages", path, "0xbeef", cwd=self.folder).status, 0)

    def test_one_that_is_not_there_is_an_error(self):
        path = self.series(1)
        for words in ((path, "none.vms"), (f"{path}@1..7",), (path, f"{path}@7")):
            result = run("show", *words)
            self.assertEqual((result.status, bool(result.err)), (2, True), words)

    def test_pages_that_differ_in_frames_only_are_one_row(self):
        """For people; each page is in one row, whichever they are."""
        need_frames(self)
        path = capture(self, self.target.pid)

        def rows(*words):
            out = run("pages", path, *words, "-o", "START,PAGES,FLAGS,MAPPING", "-w", 0).out.decode()
            return [line.split(None, 2) for line in out.splitlines()[1:]]

        def states(told):
            return {int(at, 16) + index * PAGE: rest for at, count, rest in told for index in range(int(count))}
        folded, long_rows, raw = rows(), rows("-l"), rows("-r")
        self.assertEqual(states(folded), states(long_rows))
        self.assertEqual([row[:2] for row in long_rows], [row[:2] for row in raw])
        self.assertEqual(len(raw), len(ask(self, "pages", path)["runs"]))
        self.assertLessEqual(len(folded), len(long_rows))
        first = self.target.ranges["first"]
        area = f"{first[0]:x}-{first[1]:x}"
        self.assertEqual([int(count) for _, count, _ in rows(area)], [5, 59], "copies, and what is the file's")
        # In as many as their frames make, which may be one behind the other by chance.
        self.assertGreaterEqual(len(rows(area, "-l")), 2)

    def filters(self):
        """(option, word, which pages it leaves: of a mapping, an address and its entry)"""
        first = self.target.ranges["first"]
        area = (first[0] + 3 * PAGE, first[0] + 23 * PAGE)
        frames = sorted(entry & FRAME for entry in kernel.entries(self.target.pid, [first]).values())
        page, = kernel.entries(self.target.pid, [(first[0] + 4 * PAGE, first[0] + 5 * PAGE)]).values()  # a copy
        low, high = sorted((page & FRAME, frames[len(frames) // 2]))
        return (
            ("--name", "libthi*", lambda vma, at, entry: fnmatch.fnmatchcase(os.path.basename(vma.name), b"libthi*")),
            ("--range", f"{area[0]:x}-{area[1]:x}", lambda vma, at, entry: area[0] <= at < area[1]),
            ("--perm", "rw!x", lambda vma, at, entry: vma.perms[:3] == "rw-"),
            ("--only", "present,!file", lambda vma, at, entry: entry & PRESENT and not entry & FILE),
            ("--pfn", f"{low:x}-{high:x}", lambda vma, at, entry: entry & PRESENT and low <= entry & FRAME <= high),
        )

    def expected(self, tests):
        """{address of a page that is left} and {start of a mapping: bytes}"""
        found, resident = set(), {}
        for vma in kernel.maps(self.target.pid):
            for at, entry in kernel.entries(self.target.pid, [(vma.start, vma.end)]).items():
                if entry & (PRESENT | SWAPPED) and all(test(vma, at, entry) for test in tests):
                    found.add(at)
                    resident[vma.start] = resident.get(vma.start, 0) + (PAGE if entry & PRESENT else 0)
        return found, resident

    def test_filters_and_all_their_combinations(self):
        need_frames(self)
        path = capture(self, self.target.pid)
        filters = self.filters()
        counts = []
        for count in range(1, len(filters) + 1):
            for chosen in itertools.combinations(filters, count):
                words = [word for option, text, _ in chosen for word in (option, text)]
                left, resident = self.expected([test for *_, test in chosen])
                told = ask(self, "pages", path, path, *words)
                self.assertEqual(told[0], told[1])
                shown = {number(run_["start"]) + index * PAGE for run_ in told[0]["runs"]
                         for index in range(run_["pages"]) if run_["state"] in ("present", "swapped")}
                self.assertEqual(shown, left, words)
                told = ask(self, "show", path, path, *words)
                self.assertEqual(told[0], told[1])
                self.assertEqual({number(vma["start"]): vma["resident"] for vma in told[0]["vmas"] if vma["resident"]},
                                 {start: size for start, size in resident.items() if size}, words)
                self.assertEqual(told[0]["total"]["resident"], sum(resident.values()), words)
                counts.append(len(left))
        # Each leaves something, and together they leave less.
        self.assertGreater(min(counts[:len(filters)]), 0)
        self.assertLessEqual(counts[-1], min(counts[:len(filters)]))
        self.assertGreater(counts[-1], 0)


if __name__ == "__main__":
    support.main()
