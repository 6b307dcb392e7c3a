"""Groups in Python say what the command says, and what the kernel does."""

import unittest

from module import PAGE, Target, kernel, main, skip, unmoved, vmsnap


@unmoved
class Groups(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "prefork", 3, 1, 10)
        if not vmsnap.capture(self.target.pid).info.known.pfn:
            skip(self, "the kernel hides frame numbers from this user (it takes CAP_SYS_ADMIN)")
        said = [line for line in self.target.lines if line.startswith("pids ")][-1]
        self.pids = [int(word) for word in said.split()[1:]]

    def test_processes_pairs_and_totals(self):
        group = vmsnap.group([self.target.pid], descendants=True)
        told, totals = group.processes, group.totals
        self.assertEqual([one.snapshot.pid for one in told], self.pids)
        self.assertEqual([one.role for one in told], ["master"] + 3 * ["worker"])
        self.assertEqual({one.source for one in told}, {"frames"})
        self.assertEqual({one.memory_of for one in told}, {None})
        self.assertEqual(totals["rss"], sum(one.rss for one in told))
        self.assertEqual(totals["pss"], sum(one.pss for one in told))
        self.assertAlmostEqual(totals["frames"], sum(one.share for one in told), delta=len(told))
        for one in told:
            self.assertEqual(one.rss, sum(one.resident.values()))
            self.assertLessEqual(one.uss, one.own)
        self.assertEqual(group.pair(1, 2), group.pair(2, 1))
        self.assertGreaterEqual(group.pair(0, 1)["private"], totals["by_all_private"])
        self.assertEqual(sum(one.frames for one in group.mappings), totals["frames"])

    def test_which_pages_are_shared(self):
        group = vmsnap.group(self.pids)
        start, end = self.target.ranges["memory"]
        frames = {pid: kernel.entries(pid, [(start, end)]) for pid in self.pids}
        shared = set()
        for first, last, is_shared in group.ranges(1):
            if is_shared and start <= first < end:
                shared |= set(range(first, last, PAGE))
        mine = frames.pop(self.pids[1])
        expected = {at for at, entry in mine.items()
                    if any(entry & kernel.FRAME == other[at] & kernel.FRAME for other in frames.values())}
        self.assertEqual(shared, expected)

    def test_what_was_lost(self):
        before = vmsnap.group(self.pids)
        self.target.tell("")
        after = vmsnap.group(self.pids)
        change = vmsnap.GroupChange(before, after)
        lost = sum(copied + left for _, _, copied, left in change.processes)
        self.assertGreater(lost, 0)
        self.assertEqual(lost, sum(change.mappings))
        self.assertEqual(lost, sum(one.end - one.start for one in change.ranges))
        self.assertIn('"lost": %d' % lost, change.text(vmsnap.JSON))
        self.assertIn("sharing lost", change.text())
        self.assertIn("vmsnap.group_by/1", change.text(vmsnap.JSON, by="mapping"))
        self.assertIn("anonymous", change.text(by="name", names=vmsnap.Names(after.set[0])))
        self.assertRaises(vmsnap.VmsnapError, change.text, by="colour")
        earlier, later = vmsnap.groups_of([*before.set, *after.set])
        self.assertEqual((len(earlier), len(later)), (4, 4))
        self.assertIsNone(vmsnap.groups_of(before.set)[0])
        self.assertRaises(vmsnap.VmsnapError, vmsnap.groups_of, [before.set[0], after.set[1]])
        self.assertRaises(vmsnap.VmsnapError, vmsnap.Group, [before.set[0], before.set[0]])


if __name__ == "__main__":
    main()
