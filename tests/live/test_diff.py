"""What `vmsnap diff` says of a process that changed its mappings as it was told."""

import collections
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, each_user, number, pages_changed, run, skip, unmoved


@unmoved
class Diff(unittest.TestCase):
    maxDiff = 3000

    def steps(self, user, *commands, before=()):
        """The target after `before`, then after `commands`; and what differs."""
        target = Target(self, "mappings", user=user)
        for command in before:
            target.tell(command)
        a = capture(self, target.pid, user=user)
        for command in commands:
            target.tell(command)
        b = capture(self, target.pid, user=user)
        answer = ask(self, "diff", a, b, status=(0, 1))
        self.assertEqual(answer["schema"], "vmsnap.diff/1")
        self.files, self.answer = (a, b), answer
        self.check_totals(answer)
        target.end()
        return target.ranges

    def check_totals(self, answer):
        counted = collections.Counter()
        for line in answer["pages"]:
            counted[line["change"]] += line["pages"]
        for change, count in counted.items():
            self.assertEqual(answer["totals"][change], count, change)

    def vma_changes(self):
        """[(change, a's place, b's place)]"""
        def place(vma):
            return vma and (number(vma["start"]), number(vma["end"]))
        return sorted(((line["change"], place(line["a"]), place(line["b"])) for line in self.answer["vmas"]), key=str)

    def page_changes(self, area):
        """{change: pages} within an area."""
        return pages_changed(self.answer, area)

    def doings(self):
        """Page changes that are not of others: whoever maps a library too comes and goes."""
        return [line for line in self.answer["pages"] if line["change"] not in ("became_shared", "became_exclusive")]

    @staticmethod
    def part(area, first, last):
        return area[0] + first * PAGE, area[0] + last * PAGE

    @each_user
    def test_nothing_changed(self, user):
        self.steps(user)
        self.assertEqual((self.answer["vmas"], self.doings()), ([], []))

    @each_user
    def test_grown_heap(self, user):
        more = self.steps(user, "grow_heap")["heap_more"]
        (change, a, b), = self.vma_changes()
        self.assertEqual((change, a[0], b), ("grown", b[0], (a[0], more[1])))
        self.assertEqual(self.page_changes((more[0], more[1] + PAGE)), {"appeared": 50})

    @each_user
    def test_protection_of_the_middle_splits(self, user):
        area = self.steps(user, "split")["split"]
        middle = self.part(area, 20, 30)
        self.assertEqual(self.vma_changes(), sorted([
            ("protection_changed", area, middle), ("split", area, self.part(area, 0, 20)),
            ("split", area, middle), ("split", area, self.part(area, 30, 64))], key=str))
        self.assertEqual(self.doings(), [])

    @each_user
    def test_protection_given_back_merges(self, user):
        area = self.steps(user, "unsplit", before=["split"])["split"]
        middle = self.part(area, 20, 30)
        self.assertEqual(self.vma_changes(), sorted([
            ("protection_changed", middle, area), ("merged", self.part(area, 0, 20), area),
            ("merged", middle, area), ("merged", self.part(area, 30, 64), area)], key=str))

    @each_user
    def test_protection_changed(self, user):
        area = self.steps(user, "protect")["protect"]
        self.assertEqual(self.vma_changes(), [("protection_changed", area, area)])
        self.assertEqual(self.doings(), [])

    @each_user
    def test_removed(self, user):
        area = self.steps(user, "unmap")["unmap"]
        self.assertEqual(self.vma_changes(), [("removed", area, None)])
        self.assertEqual(self.page_changes(area), {"vanished": 64})

    @each_user
    def test_hole_punched(self, user):
        area = self.steps(user, "punch")["punch"]
        self.assertEqual(self.vma_changes(), [("split", area, self.part(area, 0, 10)), ("split", area, self.part(area, 15, 64))])
        self.assertEqual(self.page_changes(area), {"vanished": 5})

    @each_user
    def test_file_mapped_over_memory(self, user):
        over = self.steps(user, "replace")["replace"]
        changes = self.vma_changes()
        self.assertIn(("replaced", (over[0] - 16 * PAGE, over[0] + 48 * PAGE), over), changes)
        self.assertEqual([change for change, _, _ in changes], ["replaced", "split", "split"])

    @each_user
    def test_memory_mapped_over_a_library(self, user):
        over = self.steps(user, "library")["library"]
        # The library was not there before; its mapping was, as dlopen() left it.
        self.assertIn(("added", None, over), self.vma_changes())

    @each_user
    def test_mapping_moved(self, user):
        ranges = self.steps(user, "move")
        moved = ("moved", ranges["moved_from"], ranges["moved_to"])
        if not support.sees_frames(user):
            # Without PFNs nothing tells anonymous memory that moved from other memory.
            self.assertTrue(moved in self.vma_changes() or
                            self.page_changes(ranges["moved_from"]) == {"vanished": 64}, self.vma_changes())
            return
        self.assertIn(moved, self.vma_changes())
        self.assertEqual(self.page_changes(ranges["moved_to"]), {})
        self.assertEqual(self.page_changes(ranges["moved_from"]), {})

    @each_user
    def test_mapping_grown_in_place(self, user):
        area = self.steps(user, "grow")["grown"]
        self.assertIn(("grown", self.part(area, 0, 64), area), self.vma_changes())
        self.assertEqual(self.page_changes(area), {"appeared": 16})

    @each_user
    def test_mapping_shrunk(self, user):
        area = self.steps(user, "shrink")["shrunk"]
        self.assertEqual(self.vma_changes(), [("shrunk", area, self.part(area, 0, 24))])
        self.assertEqual(self.page_changes(area), {"vanished": 40})

    @each_user
    def test_pages_written_where_the_zero_page_was(self, user):
        if not kernel.has_scan() and not support.sees_frames(user):
            skip(self, "the zero page: without PAGEMAP_SCAN it is told to root only")
        area = self.steps(user, "touch", before=["touch"])["fresh"]
        changes = self.page_changes(area)
        self.assertEqual((changes["zero_filled_in"], changes["appeared"]), (16, 16))
        self.assertEqual(self.page_changes(self.part(area, 16, 32))["zero_filled_in"], 16)

    @each_user
    def test_executable_page_written_is_told_loudly(self, user):
        ranges = self.steps(user, "write_text", before=["write_text"])
        self.assertEqual(self.page_changes(ranges["text"])["privatised"], 1)
        self.assertEqual(self.page_changes(ranges["text_written"])["privatised"], 1)
        self.assertEqual(self.answer["totals"]["privatised_executable"], 1)
        result = run("diff", *self.files)
        self.assertEqual(result.status, 1)
        self.assertRegex(result.out.decode(), "(?i)executable")

    @each_user
    def test_file_that_lost_its_name(self, user):
        area = self.steps(user, "delete", before=["delete"])["file"]
        self.assertEqual(self.vma_changes(), [("renamed", area, area)])

    @each_user
    def test_pages_swapped_out_and_in_again(self, user):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        area = self.part(self.steps(user, "page_out")["aside"], 0, 32)
        out = self.page_changes(area)
        self.assertGreater(out.get("swapped_out", 0), 16)
        self.assertNotIn("vanished", out)
        area = self.part(self.steps(user, "page_in", before=["page_out"])["aside"], 0, 32)
        self.assertGreater(self.page_changes(area).get("swapped_in", 0), 16)

    @each_user
    def test_pages_guarded_and_unguarded(self, user):
        area = self.part(self.steps(user, "guard")["aside"], 40, 48)
        self.assertEqual(self.page_changes(area).get("guarded"), 8)
        area = self.part(self.steps(user, "unguard", before=["guard"])["aside"], 40, 48)
        self.assertEqual(self.page_changes(area), {"unguarded": 8})

    @each_user
    def test_pages_dropped(self, user):
        area = self.steps(user, "drop")["aside"]
        self.assertEqual(self.page_changes(area), {"vanished": 4})
        self.assertEqual(self.page_changes(self.part(area, 50, 54)), {"vanished": 4})
        self.assertEqual(self.answer["vmas"], [])

    @each_user
    def test_everything_at_once_counts_each_page_once(self, user):
        ranges = self.steps(user, "grow_heap", "split", "protect", "unmap", "punch", "replace", "grow", "shrink", "drop")
        self.assertEqual(self.page_changes(ranges["unmap"]), {"vanished": 64})
        self.assertEqual(self.page_changes(ranges["grown"]), {"appeared": 16})
        self.assertEqual(self.page_changes(ranges["shrunk"]), {"vanished": 40})
        self.assertEqual(self.page_changes((ranges["heap_more"][0], ranges["heap_more"][1] + PAGE)), {"appeared": 50})
        changes = {change for change, _, _ in self.vma_changes()}
        self.assertLessEqual({"grown", "shrunk", "split", "removed", "replaced", "protection_changed"}, changes)

    @each_user
    def test_exit_status_says_whether_anything_differs(self, user):
        self.steps(user, "unmap")
        self.assertEqual(run("diff", *self.files).status, 1)
        self.assertEqual(run("diff", self.files[0], self.files[0]).status, 0)
        self.assertEqual(run("diff", self.files[0], self.files[0] + ".none").status, 2)


if __name__ == "__main__":
    support.main()
