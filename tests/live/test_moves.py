"""What moved, what only looks like it, and what was replaced: diff and cow of a process that says
what it did.  Without frames little is known."""

import unittest

import support
from kernel import PAGE
from support import Target, ask, capture, number, pages_changed, run, skip, unmoved

CLASSES = ("COPIED", "NEW", "GONE", "OTHER")


@unmoved
class Moves(unittest.TestCase):
    maxDiff = 3000

    def steps(self, *commands, before=()):
        support.need_frames(self)
        target = Target(self, "moves")
        for command in before:
            target.tell(command)
        a = capture(self, target.pid)
        for command in commands:
            target.tell(command)
        b = capture(self, target.pid)
        self.answer = ask(self, "diff", "--no-names", a, b, status=(0, 1))
        table = run("diff", "--no-names", "--raw", "--bytes", "--noheadings", "-o", "START,COPIED,NEW,GONE,OTHER,CHANGE", a, b)
        self.rows = {int(row[0], 16): row[1:] for row in (line.split() for line in table.out.decode().splitlines()) if row}
        target.end()
        return target.ranges

    def vma_changes(self, *places):
        """{(change, a's start, b's start)} of what lies at these places."""
        starts = {start for start, _ in places}
        found = set()
        for line in self.answer["vmas"]:
            a, b = (line[side] and number(line[side]["start"]) for side in "ab")
            if {a, b} & starts:
                found.add((line["change"], a, b))
        return found

    def page_changes(self, area):
        return pages_changed(self.answer, area)

    def classes(self, area):
        """Pages of the row that begins where the area does."""
        row = self.rows.get(area[0])
        return {} if row is None else {name: abs(int(text)) // PAGE for name, text in zip(CLASSES, row) if text != "-"}

    def test_part_moved_and_written_while_a_child_shares_it(self):
        ranges = self.steps("part", before=["share"])
        self.assertEqual(self.classes(ranges["part_to"]), {"COPIED": 4})
        self.assertEqual(self.page_changes(ranges["part_from"]), {})
        self.assertEqual(self.page_changes(ranges["part_to"]).get("pfn_changed"), 4)
        self.assertIn("moved", {change for change, _, _ in self.vma_changes(ranges["part_to"])})

    def test_unwritten_memory_that_moved_has_no_changes(self):
        ranges = self.steps("whole")
        self.assertEqual(self.page_changes(ranges["whole_from"]), {})
        self.assertEqual(self.page_changes(ranges["whole_to"]), {})
        self.assertIn(("moved", ranges["whole_from"][0], ranges["whole_to"][0]), self.vma_changes(ranges["whole_to"]))

    def test_first_pages_written_after_the_move_are_copied(self):
        ranges = self.steps("lead", before=["share"])
        self.assertEqual(self.classes(ranges["lead_to"]), {"COPIED": 4})
        self.assertIn(("moved", ranges["lead_from"][0], ranges["lead_to"][0]), self.vma_changes(ranges["lead_to"]))

    def test_memory_moved_over_other_memory_takes_its_place(self):
        ranges = self.steps("onto")
        self.assertEqual(self.page_changes(ranges["onto_to"]), {"vanished": 8})
        self.assertEqual(self.page_changes(ranges["onto_from"]), {})
        self.assertEqual(self.classes(ranges["onto_to"]), {"GONE": 8})

    def test_new_memory_in_freed_frames_is_not_moved(self):
        for _ in range(4):
            ranges = self.steps("fake")
            places = ranges["fake_from"], ranges["fake_to"]
            self.assertNotIn("moved", {change for change, _, _ in self.vma_changes(*places)})
            self.assertEqual(self.page_changes(places[0]), {"vanished": 128})
            self.assertEqual(self.page_changes(places[1]), {"appeared": 128})

    def test_private_memory_in_place_of_shared_is_new(self):
        area = self.steps("private")["private"]
        self.assertEqual(self.page_changes(area), {"vanished": 32, "appeared": 5})
        self.assertEqual(self.classes(area), {"NEW": 5, "GONE": 32})
        self.assertEqual(self.vma_changes(area), {("replaced", area[0], area[0])})

    def test_memory_mapped_over_memory_is_possibly_replaced_and_never_copied(self):
        area = self.steps("over")["over"]
        changes = {change for change, _, b in self.vma_changes(area) if b == area[0]}
        self.assertEqual(changes, {"possibly_replaced"})
        self.assertNotIn("COPIED", self.classes(area))
        self.assertEqual(self.page_changes(area).get("vanished"), 7)

    def test_page_cache_that_was_read_anew_is_not_copied(self):
        area = self.steps("cache")["cached"]
        if not self.page_changes(area).get("pfn_changed"):
            skip(self, "the page cache kept its frames")
        self.assertEqual(set(self.classes(area)), {"OTHER"})

    def test_write_protection_is_told_when_it_comes_and_when_it_is_lifted(self):
        area = self.steps("protect")["guarded"]
        self.assertEqual(self.page_changes(area), {"write_protected": 16})
        area = self.steps("protect", before=["protect"])["guarded"]
        self.assertEqual(self.page_changes(area), {"write_unprotected": 6})

    def test_huge_page_that_was_split_is_told(self):
        area = self.steps("huge")["huge"]
        changes = self.page_changes(area)
        if not changes.get("huge_split"):
            skip(self, "no huge page, or its flag is not known")
        self.assertEqual((changes["huge_split"], changes["vanished"]), (511, 1))


if __name__ == "__main__":
    support.main()
