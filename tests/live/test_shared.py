"""Memory that leaves the page table and is kept all the same: shared memory, files."""

import collections
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, each_user, number, run, skip


def changes(answer, area):
    """{change: pages} of a diff within an area."""
    counted = collections.Counter()
    for line in answer["pages"]:
        first = number(line["start"])
        last = first + line["pages"] * PAGE
        counted[line["change"]] += max(0, min(last, area[1]) - max(first, area[0])) // PAGE
    return {change: count for change, count in counted.items() if count}


def mapping(test, snapshot, area):
    vmas = ask(test, "show", snapshot)["vmas"]
    return next(vma for vma in vmas if number(vma["start"]) <= area[0] and area[1] <= number(vma["end"]))


class Kept(unittest.TestCase):
    def diff_of(self, target, command, user):
        before = capture(self, target.pid, user=user)
        target.tell(command)
        self.after = capture(self, target.pid, user=user)
        return ask(self, "diff", before, self.after, status=(0, 1))

    @each_user
    def test_pages_that_are_mapped_still_did_not_vanish(self, user):
        target = Target(self, "shared", user=user)
        answer = self.diff_of(target, "drop", user)
        self.assertEqual(changes(answer, target.ranges["shared"]), {"not_mapped_now": 16})
        # Of the file the eight private copies are gone.
        self.assertEqual(changes(answer, target.ranges["file"]), {"not_mapped_now": 8, "vanished": 8})
        text = run("diff", self.after, str(target.pid), user=user).out
        self.assertNotIn(b"vanished", text)

    @each_user
    def test_swap_that_nobody_uses_holds_no_shared_memory(self, user):
        target = Target(self, "shared", user=user)
        target.tell("drop")
        path = capture(self, target.pid, user=user)
        told = ask(self, "show", path)
        area = mapping(self, path, target.ranges["shared"])
        if told["snapshot"]["swap_in_use"]:
            self.assertIsNone(area["swapped"])
            skip(self, "something is in swap on this machine")
        self.assertEqual((told["snapshot"]["swap_in_use"], area["swapped"]), (0, 0))

    def swap_of(self, target):
        start = target.ranges["shared"][0]
        return next(keys["Swap"] for first, last, keys in kernel.smaps(target.pid) if first <= start < last)

    @each_user
    def test_swapped_shared_memory_is_counted_by_smaps_and_else_unknown(self, user):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        target = Target(self, "shared", user=user)
        area = target.ranges["shared"]
        answer = self.diff_of(target, "page_out", user)
        swapped = self.swap_of(target)
        if not swapped:
            skip(self, "the kernel paged nothing out")
        told = changes(answer, area)
        self.assertNotIn("vanished", told)
        self.assertGreater(told["not_mapped_now"], 0)
        self.assertIsNone(mapping(self, self.after, area)["swapped"])
        self.assertIsNone(ask(self, "show", self.after)["total"]["swapped"])
        with_smaps = capture(self, target.pid, "--smaps", user=user)
        self.assertEqual(mapping(self, with_smaps, area)["swapped"], swapped)
        self.assertEqual(self.swap_of(target), swapped, "looking brought nothing back")
        target.tell("fetch")
        with_smaps = capture(self, target.pid, "--smaps", user=user)
        self.assertEqual(mapping(self, with_smaps, area)["swapped"], self.swap_of(target))


if __name__ == "__main__":
    support.main()
