"""Two runs of one program, with addresses that are others in each: vmsnap diff --aslr."""

import json
import os
import shutil
import tempfile
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, each_user, number, run, world

NAMED = "libthing-1.2.so"


class TwoRuns(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="aslr-", dir=world().folder)
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def file(self, name=NAMED):
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):  # it is mapped then, and stays as it is
            with open(path, "wb") as out:
                for page in range(64):
                    out.write(bytes([page + 1]) * PAGE)
        return path

    def target(self, *words, user=None, name=NAMED):
        return Target(self, "aslr", self.file(name), *words, user=user)

    def asked(self, a, b, *words, status=(1,), user=None):
        told = ask(self, "diff", "--aslr", a, b, *words, status=status, user=user)
        self.assertEqual(told["schema"], "vmsnap.aslr/1")
        return told

    def row_of(self, told, range_a, range_b):
        """What was matched: the one row with the beginning of a range in A, or in B."""
        def starts(side, area):
            return side and area and number(side["start"]) == area[0]
        found = [row for row in told["mappings"] if starts(row["a"], range_a) or starts(row["b"], range_b)]
        self.assertEqual(len(found), 1, (range_a, range_b, found))
        return found[0]

    @each_user
    def test_the_second_run_maps_more_and_has_copied_pages_of_a_file(self, user):
        a, b = self.target(0, 2, user=user), self.target(768, 42, user=user)
        path_a, path_b = capture(self, a.pid, user=user), capture(self, b.pid, user=user)
        told = self.asked(path_a, path_b, user=user)
        rows = {name: self.row_of(told, a.ranges[name], b.ranges[name]) for name in ("first", "second", "anonymous")}
        for name, row in rows.items():
            self.assertEqual((number(row["a"]["start"]), number(row["b"]["start"])),
                             (a.ranges[name][0], b.ranges[name][0]), name)
        first = rows["first"]
        self.assertEqual((first["kind"], first["differs"]), ("file", ["private"]))
        self.assertEqual((first["a"]["private"], first["b"]["private"]), (2 * PAGE, 42 * PAGE))
        self.assertEqual(rows["second"]["differs"], [])
        self.assertEqual((rows["anonymous"]["kind"], rows["anonymous"]["differs"]), ("anonymous", []))
        more = self.row_of(told, None, b.ranges["more"])
        self.assertEqual((more["a"], more["differs"]), (None, ["only_b"]))
        self.assertEqual(more["b"]["size"], 768 * PAGE)
        group = told["groups"][first["group"]]
        self.assertEqual(group["b"]["private"] - group["a"]["private"], 40 * PAGE)
        text = run("diff", "--aslr", path_a, path_b, "-w", "0", user=user).out.decode()
        self.assertIn(f"+160K {NAMED} (40 pages)" if PAGE == 4096 else f"{NAMED} (40 pages)", text)

    def test_sums_are_those_of_smaps(self):
        a, b = self.target(0, 0), self.target(64, 9)
        told = self.asked(capture(self, a.pid), capture(self, b.pid))
        for side, target in (("a", a), ("b", b)):
            maps = kernel.maps(target.pid)
            # The kernel shows [vsyscall] in maps as everybody has it.
            self.assertEqual(told["total"][side]["size"], sum(vma.end - vma.start for vma in maps))
            told_here = {number(row[side]["start"]): row[side] for row in told["mappings"] if row[side]}
            for vma in maps:
                self.assertEqual(told_here[vma.start]["size"], vma.end - vma.start)
            self.assertEqual(len(told_here), len(maps))
            entries = kernel.entries(target.pid, [target.ranges["first"]])
            private = sum(bool(entry >> 63 & 1 and not entry >> 61 & 1) for entry in entries.values())
            self.assertEqual(told_here[target.ranges["first"][0]]["private"], private * PAGE)

    def test_all_that_is_the_same_lies_elsewhere(self):
        """Of two runs that do the same, all mappings are matched."""
        a, b = self.target(0, 3), self.target(0, 3)
        told = self.asked(capture(self, a.pid), capture(self, b.pid), status=(0, 1))
        self.assertEqual((told["total"]["only_a"], told["total"]["only_b"]), (0, 0))
        for row in told["mappings"]:
            self.assertEqual(row["a"]["size"], row["b"]["size"], row)
            self.assertEqual((row["a"]["vma"]["perms"], row["a"]["vma"]["name"]),
                             (row["b"]["vma"]["perms"], row["b"]["vma"]["name"]))
        kinds = {row["kind"] for row in told["mappings"]}
        self.assertLessEqual({"file", "behind", "stack", "kernel", "anonymous"}, kinds)
        if a.ranges != b.ranges:  # addresses are randomised here
            moved = sum(row["a"]["start"] != row["b"]["start"] for row in told["mappings"])
            self.assertGreater(moved, len(told["mappings"]) // 2)

    def test_a_snapshot_does_not_differ_from_itself(self):
        a = capture(self, self.target(0, 3).pid, "--contents")
        told = self.asked(a, a, status=(0,))
        self.assertEqual([row for row in told["mappings"] if row["differs"]], [])
        self.assertEqual(told["total"]["contents"]["same"], told["total"]["contents"]["compared"])
        self.assertGreater(told["total"]["contents"]["compared"], 10)
        self.assertIn(b"No differences but the addresses.", run("diff", "--aslr", a, a).out)

    def test_what_pages_hold(self):
        """One page holds the same, one an address of its own mapping, one the number of the process."""
        a, b = self.target(0, 3), self.target(0, 3)
        area_a, area_b = a.ranges["anonymous"], b.ranges["anonymous"]
        paths = [capture(self, target.pid, "--contents") for target in (a, b)]
        row = self.row_of(self.asked(*paths), area_a, area_b)
        moved = area_a != area_b
        self.assertEqual(row["contents"], {"compared": 4, "same": 2 + (not moved), "same_but_addresses": int(moved)})
        self.assertEqual(row["differs"], ["contents"])
        first = self.row_of(self.asked(*paths), a.ranges["first"], b.ranges["first"])
        self.assertGreaterEqual(first["contents"]["compared"], 3)
        self.assertEqual(first["contents"]["same"], first["contents"]["compared"])
        # Hashes do not tell addresses.
        paths[0] = capture(self, a.pid, "--hash")
        row = self.row_of(self.asked(*paths), area_a, area_b)
        self.assertEqual(row["contents"], {"compared": 4, "same": 2 + (not moved), "same_but_addresses": 0})

    def test_without_contents_nothing_is_said_of_them(self):
        path = capture(self, self.target(0, 3).pid)
        told = self.asked(path, path, status=(0,))
        self.assertEqual({json.dumps(row["contents"]) for row in told["mappings"]}, {"null"})
        text = run("diff", "--aslr", path, path).out
        self.assertNotIn(b"contents", text)
        self.assertIn(b"What pages hold was not compared", text)
        path = capture(self, self.target(0, 3).pid, "--hash")
        self.assertNotIn(b"was not compared", run("diff", "--aslr", path, path).out)

    def test_a_library_of_another_version(self):
        a, b = self.target(0, 3), self.target(0, 5, name="libthing-1.13.so")
        told = self.asked(capture(self, a.pid), capture(self, b.pid))
        row = self.row_of(told, a.ranges["first"], b.ranges["first"])
        self.assertEqual(row["differs"], ["name", "private"])
        group = told["groups"][row["group"]]
        self.assertEqual([os.path.basename(group[key]) for key in ("name_a", "name_b")],
                         [NAMED, "libthing-1.13.so"])

    def test_two_workers_of_one_master(self):
        master = self.target(0, 3, "fork")
        one, other = (int(line.split()[1]) for line in master.lines)
        told = self.asked(capture(self, one), capture(self, other))
        self.assertEqual((told["total"]["only_a"], told["total"]["only_b"]), (0, 0))
        for row in told["mappings"]:
            self.assertEqual(row["a"]["start"], row["b"]["start"])
        row = self.row_of(told, master.ranges["anonymous"], None)
        # What the first has not copied it has of the master; of 9 pages 5 were nobody's before.
        self.assertEqual((row["a"]["private"], row["b"]["private"]), (4 * PAGE, 9 * PAGE))

    def test_hostile_files(self):
        """Whatever a file says: an answer or an error."""
        golden = os.path.join(os.environ["VMSNAP_SOURCE"], "tests", "golden")
        good = os.path.join(golden, "good-small.vms")
        for name in sorted(os.listdir(golden)):
            if not name.endswith(".vms"):
                continue
            for words in ((name, good), (good, name)):
                paths = [os.path.join(golden, word) for word in words]
                result = run("diff", "--aslr", *paths)
                self.assertIn(result.status, (0, 1, 2), (name, result))
                self.assertTrue(result.err if result.status == 2 else result.out, (name, result))

    def test_words_that_do_not_go_together(self):
        path = capture(self, self.target(0, 3).pid)
        for word in ("--values", "--written"):
            result = run("diff", "--aslr", word, path, path)
            self.assertEqual(result.status, 2)
            self.assertIn("--aslr goes with neither", result.err)


if __name__ == "__main__":
    support.main()
