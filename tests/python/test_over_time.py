"""vmsnap.series and vmsnap.series_forks: of a program that knows how it grew."""

import os
import re
import tempfile
import unittest

from module import PAGE, Target, main, unmoved, vmsnap


class Series(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "writes")
        self.target.tell("map big 512")
        snapshots = []
        for command in (None, "write big 0 512", "drop big 0 100"):
            if command:
                self.target.tell(command)
            snapshots.append(vmsnap.capture(self.target.pid))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "series.vms")
        vmsnap.save(self.path, snapshots)
        self.snapshots = snapshots

    def test_lines_are_followed_and_say_how_large_they_are(self):
        start = self.target.ranges["big"][0]
        for source in (vmsnap.open(self.path), self.snapshots):
            series = vmsnap.series(source)
            self.assertEqual(series.processes, [(self.target.pid, "writes", 3)])
            for _ in range(2):  # each iteration is a pass of its own
                steps = list(series)
                lines = [next(line for line in step.lines if line.start <= start < line.end) for step in steps]
                self.assertEqual({line.id for line in lines}, {lines[0].id})
                self.assertEqual([line.bytes // PAGE for line in lines], [0, 512, 412])
                self.assertEqual([line.bytes_before // PAGE for line in lines], [0, 0, 512])
                self.assertEqual([step.index for step in steps], [0, 1, 2])
                self.assertIsNone(steps[0].elapsed)
                self.assertGreater(steps[1].elapsed, 0)
                self.assertEqual(steps[2].snapshot.pid, self.target.pid)
                self.assertEqual(steps[2].sums_before["resident"], steps[1].sums["resident"])
        self.assertEqual([step.index for step in vmsnap.series(vmsnap.open(self.path), first=1)], [1, 2])
        self.assertIn("anonymous", vmsnap.series(vmsnap.open(self.path)).text(min=PAGE))
        kinds = {line.name for line in next(iter(vmsnap.series(self.snapshots, by="kind"))).lines}
        self.assertLess({"heap", "stack", "anonymous", "library"}, kinds)

    def test_what_is_wrong_is_an_error(self):
        self.assertRaises(vmsnap.VmsnapError, vmsnap.series, self.snapshots, by="size")
        self.assertRaises(vmsnap.VmsnapError, vmsnap.series, self.snapshots, first=4)
        self.assertRaisesRegex(vmsnap.VmsnapError, "of process 1$", vmsnap.series, self.snapshots, pid=1)
        self.assertEqual(list(vmsnap.series([])), [])
        self.assertRaises(vmsnap.VmsnapError, vmsnap.series_forks(self.snapshots).text)

    @unmoved
    def test_the_history_of_a_page_in_a_file(self):
        text = vmsnap.file_history_text(vmsnap.open(self.path), self.target.ranges["big"][0])
        self.assertEqual(len(re.findall(rf"(?m)^[123] .* {self.target.pid} ", text)), 3, text)


class Forks(unittest.TestCase):
    def test_a_fork_costs_what_was_copied(self):
        target = Target(self, "tree")
        trees = [vmsnap.capture_tree(target.pid)]
        for command in ("fork", "write 7", "write 9"):
            target.tell(command)
            trees.append(vmsnap.capture_tree(target.pid))
        steps = list(vmsnap.series_forks([one for tree in trees for one in tree]))
        self.assertEqual([step.fork for step in steps], [1, 1, 1])
        for step in steps:
            self.assertEqual(step.parent_pid, target.pid)
            self.assertEqual(step.copied, step.by_child + step.by_parent + step.by_both + step.by_unknown)
        if trees[0][0].info.known.pfn:
            self.assertGreaterEqual(steps[2].copied - steps[0].copied, 16 * PAGE)


if __name__ == "__main__":
    main()
