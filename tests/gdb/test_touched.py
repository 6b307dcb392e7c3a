"""gdb's own footprints: pages that it wrote to are marked, counted apart, and are the
pages that the kernel shows as copied."""

import unittest

import truth
from gdb_session import Gdb, kernel, main, need_frames


class Touched(unittest.TestCase):
    def marked(self, gdb, word="now"):
        """{page: what} of a snapshot's captured names of kind "touched"."""
        rows = gdb.value(f"[(n.address, n.size, n.symbol) for n in session.resolve({word!r}).annotations() "
                         "if n.kind == 4]")
        found = {}
        for address, size, what in rows:
            for page in range(truth.page_of(address), address + max(size, 1), truth.PAGE):
                found.setdefault(page, set()).add(what)
        return found

    def check_text(self, gdb):
        """Every page of text that is no longer the file's is marked, and no other is."""
        pid = gdb.inferior()
        copies = truth.text_copies(pid)
        ranges = [(vma.start, vma.end) for vma in kernel.maps(pid) if "x" in vma.perms and vma.inode]
        marked = self.marked(gdb)
        text = {page for page in marked if any(start <= page < end for start, end in ranges)}
        self.assertEqual({f"{page:x}" for page in text}, {f"{page:x}" for page in copies})
        return marked

    def started(self, *arguments, settings=(), program="gdb_steps"):
        gdb = Gdb(self, program, *arguments)
        for setting in settings:
            gdb(setting)
        gdb("break main")
        gdb("run")
        gdb("vmsnap take")
        return gdb

    def test_a_breakpoint_marks_its_page_once_it_was_inserted(self):
        gdb = self.started("write", 3)
        at = gdb.number("(unsigned long) step")
        self.check_text(gdb)
        gdb("break step")
        gdb("continue")
        marked = self.check_text(gdb)
        self.assertTrue(any("breakpoint 2" in what for what in marked[truth.page_of(at)]), marked)
        gdb("delete")
        gdb("nexti")
        self.check_text(gdb)
        self.assertIn(truth.page_of(at), self.marked(gdb), "the copy stays when the breakpoint goes")

    def test_hardware_breakpoint_leaves_no_mark_and_no_copy(self):
        gdb = self.started("write", 3)
        before = truth.text_copies(gdb.inferior())
        gdb("hbreak memset")
        gdb("continue")
        self.assertEqual(truth.text_copies(gdb.inferior()), before)
        self.check_text(gdb)

    def test_stepping_finishing_and_temporary_breakpoints(self):
        gdb = self.started("write", 5)
        gdb("tbreak step")
        gdb("continue")
        gdb("finish")
        self.check_text(gdb)
        for command in ("next", "next", "step", "until", "stepi 20", "advance step"):
            gdb(command)
            self.check_text(gdb)

    def test_dynamic_linkers_hook_is_marked(self):
        gdb = self.started("write", 3)
        self.assertTrue(any("linker" in text for what in self.marked(gdb).values() for text in what))

    def test_inferior_call_marks_the_stack(self):
        gdb = self.started("write", 3)
        gdb("next")
        sp = gdb.number("(unsigned long) $sp")
        gdb.number("called(3)")
        self.check_text(gdb)
        stack = {page: what for page, what in self.marked(gdb).items() if sp - 64 * truth.PAGE < page <= sp}
        self.assertTrue(any("inferior call" in text for what in stack.values() for text in what), stack)

    def test_variables_set_from_gdb_are_marked(self):
        gdb = self.started("write", 3)
        gdb("vmsnap take before")
        gdb("set var pages[20].value = 5")
        page = gdb.number("(unsigned long) &pages[20]")
        diff = gdb.json("vmsnap diff before now")
        rows = [row for row in diff["pages"] if int(row["start"], 16) == page]
        self.assertEqual([(row["change"], row["touched_by_debugger"]) for row in rows], [("appeared", True)])
        self.assertEqual(diff["touched_by_debugger"]["totals"]["appeared"], 1)
        self.assertRegex(gdb("vmsnap diff before now"), r"(?m)by gdb")
        text = gdb("vmsnap page &pages[20]")
        self.assertRegex(text, r"(?m)^touched +by gdb")

    def test_breakpoints_that_are_never_inserted_leave_no_mark(self):
        gdb = self.started("write", 3)
        before = self.marked(gdb)
        gdb("break step")
        gdb("disable 2")
        gdb("watch small")
        gdb("catch fork")
        gdb("next")
        self.check_text(gdb)
        at = truth.page_of(gdb.number("(unsigned long) step"))
        self.assertFalse(any("breakpoint 2" in what for what in self.marked(gdb).get(at, ())), before)

    def test_threads_stepped_in_non_stop_mode(self):
        gdb = Gdb(self, "gdb_threads", 3)
        gdb("set non-stop on")
        gdb("break in_thread")
        gdb("vmsnap auto")
        gdb("run")
        stopped = "[t.num for t in gdb.selected_inferior().threads() if t.is_stopped()]"
        gdb(f"thread {gdb.value(stopped)[0]}")
        gdb("vmsnap take")
        for _ in range(3):
            gdb("next")
            self.check_text(gdb)

    def test_cow_counts_gdbs_pages_apart(self):
        need_frames(self)
        gdb = Gdb(self, "gdb_cow", "fork")
        gdb("vmsnap auto fork")
        gdb("break parent_done")
        gdb("run")
        cow = gdb.json("vmsnap cow")
        self.assertGreater(cow["touched_by_debugger"]["pages"], 0)
        at = truth.page_of(gdb.number("(unsigned long) parent_done"))
        rows = [row for row in cow["ranges"] if int(row["start"], 16) == at]
        self.assertEqual([row["touched_by_debugger"] for row in rows], [True])
        self.assertTrue(any("breakpoint 3" in text for text in rows[0]["touched_by"]), rows)
        self.assertRegex(gdb("vmsnap cow --totals"), r"(?m)^ +\d+ pages? .* touched by gdb")
        self.assertRegex(gdb("vmsnap cow"), r", [0-9.]+K touched by gdb \(.*breakpoint \d+")
        data = truth.page_of(gdb.number("(unsigned long) &by_child"))
        self.assertFalse(next(row for row in cow["ranges"]
                              if int(row["start"], 16) <= data < int(row["start"], 16) + row["pages"] * truth.PAGE)
                         ["touched_by_debugger"])

    def test_a_breakpoint_does_not_tell_all_that_is_on_its_page(self):
        need_frames(self)
        gdb = Gdb(self, "gdb_cow", "fork")
        gdb("vmsnap auto fork")
        gdb("break parent_done")
        gdb("run")
        at = truth.page_of(gdb.number("(unsigned long) parent_done"))
        text = gdb("vmsnap cow -l")
        self.assertRegex(text, rf"(?m)^  {at:x} +1 page  copied_by_child, touched by gdb: breakpoint 3\n(?!    )")
        self.assertNotIn(f"  {at:x}", gdb("vmsnap cow").partition("\nvariables")[2])
        gdb("vmsnap take before")
        other = truth.page_of(gdb.number("(unsigned long) &malloc"))
        gdb("break *malloc")
        gdb("nexti")
        text = gdb("vmsnap diff before now")
        self.assertRegex(text, r"(?m)^2 pages of executable code hold gdb.s breakpoints: ")
        self.assertNotIn(f"  {other:x}", text.partition("\nnames on changed pages")[2])

    def test_what_gdb_did_does_not_head_a_diff(self):
        need_frames(self)
        gdb = self.started("write", 3)
        gdb("vmsnap take before")
        gdb("break step")
        gdb("continue")
        rows = [line for line in gdb("vmsnap diff before now").split("\n") if line[:8].strip("0123456789abcdef") == "" and " r" in line]
        code = next(number for number, line in enumerate(rows) if " r-xp " in line)
        self.assertLess(next(number for number, line in enumerate(rows) if "[stack]" in line), code, rows)

    def test_code_that_the_program_patched_is_told_though_a_breakpoint_is_on_its_page(self):
        for where in ("apart", "behind"):  # on its page, and on another
            gdb = self.started("patch")
            gdb("break step")
            gdb("continue")
            gdb("vmsnap take before")
            gdb(f"break {where}")
            gdb("continue")
            page = truth.page_of(gdb.number("(unsigned long) apart"))
            diff = gdb.json("vmsnap diff before now")
            rows = [(row["change"], row["touched_by_debugger"]) for row in diff["pages"]
                    if int(row["start"], 16) == page and row["change"] == "privatised"]
            self.assertEqual(rows, [("privatised", False)], where)
            self.assertRegex(" ".join(gdb("vmsnap diff before now").split()),
                             rf"!! 1 page of executable code was written: {page:x} of", where)
            self.assertEqual(where == "behind", truth.page_of(gdb.number("(unsigned long) behind")) in self.marked(gdb))

    def test_code_that_the_program_patched_is_told_though_gdb_had_copied_its_page_before(self):
        gdb = self.started("patch")
        gdb("set vmsnap contents full")
        gdb("break step")
        gdb("continue")
        gdb("break apart")
        gdb("stepi")
        gdb("vmsnap take before")
        page = truth.page_of(gdb.number("(unsigned long) apart"))
        self.assertIn(page, self.marked(gdb))
        gdb("continue")
        self.assertIn("number=1", gdb("backtrace 1"))
        diff = gdb.json("vmsnap diff before now")
        self.assertEqual((diff["totals"]["code_written"], diff["touched_by_debugger"]["totals"]["code_written"]), (1, 0))
        self.assertRegex(" ".join(gdb("vmsnap diff before now").split()),
                         rf"!! 1 page of executable code was written: {page:x} of")

    def test_code_that_gdb_wrote_is_gdbs(self):
        gdb = self.started("write", 3)
        gdb("vmsnap take before")
        gdb("set var *(char *) apart = 0x55 + *(char *) apart")
        gdb("break apart")
        gdb("next")
        self.check_text(gdb)
        self.assertNotIn("!!", gdb("vmsnap diff before now"))

    def test_memory_laid_over_code_is_new_and_told(self):
        gdb = self.started("lay")
        gdb("break step")
        gdb("break apart")
        gdb("continue")
        gdb("vmsnap take before")
        gdb("continue")
        page = truth.page_of(gdb.number("(unsigned long) apart"))
        diff = gdb.json("vmsnap diff before now")
        self.assertEqual([(row["what"], row["start"], row["end"], row["mapping"]) for row in diff["new_code"]],
                         [("laid_over", f"{page:#x}", f"{page + truth.PAGE:#x}", None)])
        self.assertRegex(diff["new_code"][0]["over"], "/gdb_steps$")
        self.assertEqual(diff["totals"]["privatised_executable"],
                         diff["touched_by_debugger"]["totals"]["privatised_executable"])
        self.assertNotIn("pfn_changed", truth.changes(diff)[page])
        text = " ".join(gdb("vmsnap diff before now").split())
        self.assertRegex(text, rf"!! 1 page of executable memory was laid over code: {page:x} over \S*gdb_steps")
        gdb("python import vmsnap_gdb")
        kinds = gdb.value("[r.kinds for r in __import__('vmsnap_gdb').diff('before').ranges "
                          f"if r.start <= {page} < r.end]")
        self.assertIn("new", kinds[0])
        self.assertNotIn("copied", kinds[0])
        gdb("vmsnap take after")
        gdb("continue")
        diff = gdb.json("vmsnap diff after now")
        both = gdb.number("(unsigned long) both")
        self.assertEqual([(row["what"], row["start"], row["end"], row["over"]) for row in diff["new_code"]],
                         [("writable", f"{both:#x}", f"{both + 2 * truth.PAGE:#x}", None)])
        self.assertRegex(" ".join(gdb("vmsnap diff after now").split()),
                         rf"!! 1 mapping can be written to and executed now: {both:x} of anonymous memory")
        self.assertEqual(gdb.json("vmsnap diff now now")["new_code"], [])

    def test_another_run_begins_anew(self):
        gdb = self.started("write", 3)
        gdb("set var small = 9")
        data = truth.page_of(gdb.number("(unsigned long) &small"))
        self.assertIn(data, self.marked(gdb))
        gdb("run")
        self.assertNotIn(data, self.marked(gdb))
        self.check_text(gdb)


if __name__ == "__main__":
    main()
