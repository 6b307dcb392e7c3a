"""set vmsnap blame: which lines wrote to a page, held against a program's own source."""

import json
import os
import subprocess
import unittest

from gdb_session import FRAMES, SOURCE, Gdb, environment, folder, kernel, main, program, skip


def line_of(text, source="gdb_values.c"):
    """The number of the only line of the source that has this in it."""
    with open(os.path.join(SOURCE, "tests", "targets", source)) as file:
        source = file.read()
    assert source.count(text) == 1, text
    return source[:source.index(text)].count("\n") + 1


class Blame(unittest.TestCase):
    def watch(self, gdb):
        """Turns it on, if this kernel lets us."""
        _, complaint = gdb.do("set vmsnap blame on")
        if complaint:
            self.assertRegex(complaint, r"\Apage faults cannot be watched: [^\n]+\n\Z", "one clear line")
            self.assertIn("does not watch", gdb("show vmsnap blame"), "nothing is set")
            skip(self, complaint.strip())

    def at_work(self, *after):
        gdb = Gdb(self, "gdb_values")
        self.watch(gdb)
        for line in ("break work", "run", *after):
            gdb(line)
        return gdb

    def faults(self, gdb, expression):
        told = gdb.json(f"vmsnap blame {expression}")
        self.assertEqual(told["schema"], "vmsnap.blame_page/1")
        if told["lost"] != 0:
            skip(self, "page faults that were lost")
        return told["faults"]


class OfAPage(Blame):
    def test_line_that_touched_a_page_first(self):
        gdb = self.at_work()
        # many[0] may share its page with others; of these pages the loop is the first to write.
        self.assertEqual(self.faults(gdb, "&many[2048]"), [])
        gdb("finish")
        (fault,) = self.faults(gdb, "&many[2048]")
        self.assertEqual((fault["frames"][0]["function"], fault["frames"][0]["line"]),
                         ("work", line_of("many[i * 3] = i + 1;")))
        self.assertEqual((fault["tid"], fault["by_gdb"], fault["syscall"]), (gdb.inferior(), False, None))
        page = gdb.number("(long) &many[2048]") & -4096
        self.assertEqual(int(fault["address"], 16) & -4096, page)
        self.assertRegex(gdb("vmsnap blame &many[2048]"), rf"work \(gdb_values\.c:{line_of('many[i * 3] = i + 1;')}\)")

    def test_it_is_since_the_stop_before_or_a_snapshot(self):
        gdb = self.at_work("finish", "vmsnap take a")
        self.assertEqual(len(self.faults(gdb, "&many[2048]")), 1, "a is of this stop")
        gdb("next")
        self.assertEqual(self.faults(gdb, "&many[2048]"), [], "since a")
        self.assertIn("since a", gdb("vmsnap blame &many[2048]"))
        gdb("vmsnap drop a")
        self.assertIn("since the stop before", gdb("vmsnap blame &many[2048]"))

    def test_a_write_of_an_armed_page_is_no_copy(self):
        for how in "uffd", "soft-dirty":
            with self.subTest(how):
                gdb = self.at_work()
                complaint = gdb.do(f"set vmsnap track {how}")[1] or gdb.do("vmsnap take a")[1]
                if "track" in complaint:
                    skip(self, complaint.strip())
                gdb("finish")
                (fault,) = self.faults(gdb, "&counter")
                self.assertEqual((fault["kind"], fault["copied"]), ("write_armed", False))
                said = gdb("vmsnap blame &counter")
                self.assertRegex(said, r"(?m)^  write, armed  [0-9a-f]+  work \(gdb_values\.c:")
                self.assertIn('kind="write_armed"', gdb('interpreter-exec mi "-vmsnap-blame &counter"'))

    def test_a_page_that_nobody_else_has_any_more_is_not_copied(self):
        """Or is: the kernel decides, and the frame tells."""
        if not FRAMES:
            skip(self, "frames are not shown")
        for killed in False, True:
            with self.subTest(killed=killed):
                gdb = Gdb(self, "gdb_cow", "brief")
                self.watch(gdb)
                for line in ("set detach-on-fork off", "break parent_side", "break parent_done", "run"):
                    gdb(line)
                page = gdb.number("(long) &by_parent") & -4096
                before = kernel.entries(gdb.inferior(), [(page, page + 4096)])[page] & kernel.FRAME
                gdb("vmsnap take a")
                if killed:
                    gdb("kill inferiors 2")
                gdb("continue")
                copied = kernel.entries(gdb.inferior(), [(page, page + 4096)])[page] & kernel.FRAME != before
                (fault,) = self.faults(gdb, "&by_parent")
                self.assertEqual((fault["kind"], fault["copied"]), ("write_protected" if copied else "write_kept", copied))
                self.assertTrue(copied or killed)
                self.assertIn("  copy  " if copied else "  write, no copy  ", gdb("vmsnap blame &by_parent"))

    def test_calls_by_gdb_are_told_apart(self):
        gdb = self.at_work("delete")
        # gdb 13 cannot put all registers back on some processors: that is after the call.
        gdb.do("call (int) work(1, &counter)")
        told = self.faults(gdb, "&many[2048]")
        if not told:
            skip(self, "this gdb calls no function here")
        self.assertEqual([fault["by_gdb"] for fault in told], [True])
        self.assertIn("in a call by gdb", gdb("vmsnap blame &many[2048]"))

    def test_what_gdb_writes_is_no_fault(self):
        gdb = self.at_work("set var many[2048] = 3", "finish")
        self.assertEqual(self.faults(gdb, "&many[2048]"), [], "it was the program's own by then")
        self.assertIn("no fault", gdb("vmsnap blame &many[2048]"))

    def test_a_program_that_is_attached_to_or_runs_again(self):
        gdb = self.at_work("finish")
        self.assertEqual(len(self.faults(gdb, "&many[2048]")), 1)
        gdb("run")
        self.assertEqual(self.faults(gdb, "&many[2048]"), [], "another process")
        gdb("finish")
        self.assertEqual(len(self.faults(gdb, "&many[2048]")), 1)


class OfAll(Blame):
    def test_table(self):
        gdb = self.at_work("finish")
        rows = gdb("vmsnap blame --by line")
        self.assertRegex(rows, rf"work \(gdb_values\.c:{line_of('many[i * 3] = i + 1;')}\)")
        self.assertIn("since the stop before", gdb.notes)
        self.assertEqual(gdb.json("vmsnap blame")["schema"], "vmsnap.blame/1")

    def test_snapshots_that_are_kept_have_the_faults(self):
        gdb = self.at_work("vmsnap take a", "finish", "vmsnap take b")
        path = os.path.join(folder(self), "kept.vms")
        gdb(f"vmsnap save {path}")
        said = subprocess.run([os.environ["VMSNAP"], "blame", "--by", "line", path], stdout=subprocess.PIPE, check=True,
                              env=environment()).stdout.decode()
        self.assertRegex(said, rf"work \(gdb_values\.c:{line_of('many[i * 3] = i + 1;')}\)")

    def test_mi(self):
        gdb = self.at_work("finish")
        said = gdb('interpreter-exec mi "-vmsnap-blame &many[2048]"')
        self.assertIn('schema="vmsnap.blame_page/1"', said)
        self.assertIn('function="work"', said)
        self.assertIn('schema="vmsnap.blame/1"', gdb('interpreter-exec mi "-vmsnap-blame --by line"'))


class ByOfDiff(Blame):
    """The column BY of `vmsnap diff`."""

    def line(self):
        return line_of("many[i * 3] = i + 1;")

    def by(self, told, address):
        """What is said of the page of an address: {(known, function, line)}."""
        return {(each["known"], each["function"], each["line"]) for row in told["pages"] for each in row.get("by", ())
                if int(row["start"], 16) <= address < int(row["start"], 16) + row["pages"] * 4096}

    def test_now_and_what_is_kept(self):
        gdb = self.at_work("vmsnap take a", "finish")
        address = gdb.number("(long) &many[2048]")
        told = gdb.json("vmsnap diff")
        if told["faults"]["lost"] != 0:
            skip(self, "page faults that were lost")
        self.assertEqual(self.by(told, address), {("seen", "work", self.line())})
        self.assertRegex(gdb("vmsnap diff"), rf"\bBY\b[^$]*work \(gdb_values\.c:{self.line()}\)")
        self.assertRegex(gdb("vmsnap diff -n -r -o BY"), rf"(?m)^work\\?.*gdb_values\.c:{self.line()}")
        gdb("vmsnap take b")
        self.assertEqual(self.by(gdb.json("vmsnap diff a b"), address), {("seen", "work", self.line())})

    def test_without_faults_there_is_none(self):
        gdb = Gdb(self, "gdb_values")
        for line in ("break work", "run", "vmsnap take a", "finish"):
            gdb(line)
        told = gdb.json("vmsnap diff")
        self.assertNotIn("faults", told)
        self.assertFalse([row for row in told["pages"] if "by" in row])
        self.assertNotRegex(gdb("vmsnap diff"), r"\bBY\b")

    def test_across_a_snapshot_in_between_and_in_a_file(self):
        gdb = self.at_work("vmsnap take a", "finish", "vmsnap take b", "next", "vmsnap take c")
        address = gdb.number("(long) &many[2048]")
        path = os.path.join(folder(self), "kept.vms")
        gdb(f"vmsnap save {path}")
        told = gdb.json("vmsnap diff a c")
        if told["faults"]["lost"] != 0:
            skip(self, "page faults that were lost")
        self.assertEqual(self.by(told, address), {("seen", "work", self.line())})
        self.assertEqual(self.by(gdb.json("vmsnap diff b c"), address), set())
        done = subprocess.run([os.environ["VMSNAP"], "diff", "-J", f"{path}@1", f"{path}@3"], stdout=subprocess.PIPE,
                              env=environment())
        told = json.loads(done.stdout)
        self.assertEqual((self.by(told, address), told["faults"]["lost"]), ({("seen", "work", self.line())}, 0))
        gdb("vmsnap drop b")
        told = gdb.json("vmsnap diff a c")
        self.assertIn((told["faults"]["lost"], self.by(told, address)),
                      [(0, {("seen", "work", self.line())}), (None, {("unseen", None, None)})],
                      "what b had is gone, and that is said, or c has it, too")

    def test_a_page_that_gdb_wrote_to(self):
        gdb = self.at_work("vmsnap take a", "break gdb_values.c:nothing", "finish")
        told = gdb.json("vmsnap diff")
        found = [row for row in told["pages"] if row["change"] == "privatised" and row["touched_by_debugger"]]
        if not found:
            skip(self, "a breakpoint in code that had none")
        self.assertEqual({each["known"] for row in found for each in row["by"]}, {"unseen_or_debugger"})
        self.assertIn("gdb or unseen", gdb("vmsnap diff"))

    def test_own_pages_are_written_to_without_a_fault(self):
        gdb = self.at_work("vmsnap take a", "finish")
        told = gdb.json("vmsnap diff")
        written = [row for row in told["pages"] if row["change"] == "written"]
        self.assertIn("no_fault", {each["known"] for row in written for each in row["by"]})


class OfGdbItself(Blame):
    """What gdb does is no fault of the program's."""

    def test_breakpoints(self):
        gdb = self.at_work("vmsnap take a", "break nothing", "tbreak main", "next")
        self.assertEqual(self.faults(gdb, "nothing"), [])
        self.assertEqual(self.faults(gdb, "work"), [])

    def test_what_gdb_reads(self):
        gdb = self.at_work("x/4x &many[2048]", "vmsnap take a")
        gdb("finish")
        (fault,) = self.faults(gdb, "&many[2048]")
        self.assertEqual(fault["frames"][0]["line"], line_of("many[i * 3] = i + 1;"), "the zero page was gdb's doing")


class Wrote(Blame):
    LINES = {"by_child": line_of("\tby_child.value = 42;\n\tby_both", "gdb_cow.c"),
             "by_both": line_of("\tby_both.value = 42;", "gdb_cow.c"),
             "fresh_child": line_of("\tfresh_child.value = 42;", "gdb_cow.c")}

    def values(self, gdb, command):
        said = gdb(f"vmsnap wrote --json {command}")
        return {row["name"]: row.get("by") for row in json.loads(said[said.index("{\n"):])["values"]}

    def test_line_of_each_value(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        self.watch(gdb)
        for line in ("set follow-fork-mode child", "set detach-on-fork off", "break child_side", "run", "break child_done"):
            gdb(line)
        found = self.values(gdb, "continue")
        self.assertEqual((found["fresh_child.value"]["kind"], found["by_child.value"]["kind"]), ("write_new", "write_protected"))
        self.assertEqual((found["fresh_child.value"]["copied"], found["by_child.value"]["copied"]), (False, True if FRAMES else None))
        for name in ("by_child", "by_both", "fresh_child"):
            by = found[f"{name}.value"]
            self.assertEqual((by["function"], by["line"], by["exact"], by["more"]),
                             ("child_side", self.LINES[name], True, 0), name)

    def test_words(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        self.watch(gdb)
        for line in ("set follow-fork-mode child", "set detach-on-fork off", "break child_side", "run", "break child_done"):
            gdb(line)
        said = gdb("vmsnap wrote continue")
        line = line_of("\tby_child.value = 42;\n\tby_both", "gdb_cow.c")
        self.assertRegex(said, rf"(?m)^by_child\.value +2 → 42 +by child_side \(gdb_cow\.c:{line}\)$")
        self.assertEqual(said.count("what was written later to the same page is not known"), 1)

    def test_pages_that_are_written_to_without_a_fault(self):
        gdb = self.at_work()
        said = gdb("vmsnap wrote finish")
        self.assertRegex(said, r"(?m)^counter +5 → 8$")
        self.assertRegex(said, rf"(?m)^many +… and 995 more of it +by work \(gdb_values\.c:{line_of('many[i * 3] = i + 1;')}\)$")
        self.assertIn("values without a line: the page was written to without a fault", said)
        self.assertIn("vmsnap wrote --track", said)

    def test_tracked_for_one_command(self):
        gdb = self.at_work()
        complaint = gdb.do("set vmsnap track uffd")[1] or gdb.do("vmsnap take probe")[1]
        if "tracked" in complaint:
            skip(self, complaint.strip())
        gdb("set vmsnap track off")
        found = self.values(gdb, "--track uffd next")
        by = found["work::calls"]
        self.assertEqual((by["function"], by["line"], by["exact"]), ("work", line_of("calls += n;"), True))
        self.assertEqual((by["kind"], by["copied"]), ("write_armed", False))
        found = self.values(gdb, "next")
        self.assertIsNone(found["counter"], "it is not tracked any more")
        found = self.values(gdb, "--track uffd finish")
        self.assertEqual((found["hidden"]["line"], found["hidden"]["exact"]), (line_of("hidden++;"), True))
        # The same page, and another variable: who wrote it is not known.
        self.assertEqual((found["zeroed"]["line"], found["zeroed"]["exact"]), (line_of("hidden++;"), False))
        gdb.fails("vmsnap wrote --track uffd", "COMMAND")
        gdb.fails("vmsnap wrote --track sometimes finish", "none of")

    def test_calls_by_gdb(self):
        gdb = self.at_work("delete")
        said, _ = gdb.do("vmsnap wrote --json call (int) work(1, &counter)")
        if '"many[' not in said:
            skip(self, "this gdb calls no function here")
        told = json.loads(said[said.index("{"):])
        found = [row["by"]["by_gdb"] for row in told["values"] if row.get("by")]
        self.assertTrue(found)
        self.assertEqual(set(found), {True})

    def test_nothing_of_it_where_nobody_watches(self):
        gdb = Gdb(self, "gdb_values")
        for line in ("break work", "run"):
            gdb(line)
        said = gdb("vmsnap wrote finish")
        self.assertNotIn("without a line", said)


class SeveralProcesses(Blame):
    def lines(self, gdb, expression):
        return [(fault["tid"], fault["frames"][0]["function"], fault["frames"][0]["line"])
                for fault in self.faults(gdb, expression)]

    def test_both_sides_of_a_fork(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        self.watch(gdb)
        for line in ("set detach-on-fork off", "set schedule-multiple on", "break child_done", "break parent_done", "run"):
            gdb(line)
        # Which of the two comes first is chance.
        seen = {(number, name): [] for number in (1, 2) for name in ("by_child", "by_parent")}
        pids = {each: gdb.value(f"next(each.pid for each in gdb.inferiors() if each.num == {each})") for each in (1, 2)}
        for stop in range(2):
            if stop:
                gdb("continue")
            for number, name in seen:
                gdb(f"inferior {number}")
                seen[number, name] += self.lines(gdb, f"&{name}")
        self.assertEqual(seen[2, "by_child"], [(pids[2], "child_side", Wrote.LINES["by_child"])])
        self.assertEqual(seen[2, "by_parent"], [], "what its parent did before and after is not the child's doing")
        line = line_of("\tby_parent.value = 7;", "gdb_cow.c")
        self.assertIn((pids[1], "parent_side", line), seen[1, "by_parent"])
        self.assertNotIn("child_side", [function for _, function, _ in seen[1, "by_child"]])

    def test_threads(self):
        gdb = Gdb(self, "gdb_threads", 3)
        self.watch(gdb)
        gdb("break all_here")
        gdb("run")
        line = line_of("pages[number].value = 1;", "gdb_threads.c")
        found = [self.lines(gdb, f"&pages[{number}]") for number in range(3)]
        self.assertEqual([[where[1:] for where in each] for each in found], [[("thread_main", line)]] * 3)
        self.assertEqual(len({each[0][0] for each in found}), 3, "each by a thread of its own")

    def test_two_programs(self):
        gdb = Gdb(self, "gdb_values")
        self.watch(gdb)
        for line in ("break work", "run", f"add-inferior -exec {program('gdb_threads')}", "inferior 2", "break all_here",
                     "run"):
            gdb(line)
        self.assertEqual(len(self.lines(gdb, "&pages[1]")), 1)
        gdb("inferior 1")
        gdb("finish")
        self.assertEqual([where[1:] for where in self.lines(gdb, "&many[2048]")],
                         [("work", line_of("many[i * 3] = i + 1;"))])


class Scripts(Blame):
    def test_python(self):
        gdb = self.at_work("vmsnap take a", "finish")
        said = gdb("python import vmsnap_gdb; [fault] = vmsnap_gdb.blame('&many[2048]'); "
                   "print(fault['frames'][0]['function'], fault['frames'][0]['line'])")
        self.assertEqual(said.split(), ["work", str(line_of("many[i * 3] = i + 1;"))])
        said = gdb("python print(sorted({each.became for each in vmsnap_gdb.blame()}))")
        self.assertIn("new", said)
        self.assertIn("work (gdb_values.c", gdb("python print(vmsnap_gdb.blame().text('line'))"))

    def test_mi(self):
        gdb = self.at_work("vmsnap take a", "finish")
        said = gdb('interpreter-exec mi "-vmsnap-diff a"')
        self.assertRegex(said, r'by=\[\{known="seen",function="work"')


class Ends(Blame):
    def descriptors(self, gdb):
        return [number for number in os.listdir(f"/proc/{gdb.pid}/fd")
                if "perf_event" in os.readlink(f"/proc/{gdb.pid}/fd/{number}")]

    def test_nothing_is_left_open(self):
        for end in ("kill", "set vmsnap blame off", "delete\ncontinue"):
            with self.subTest(end):
                gdb = self.at_work()
                self.assertTrue(self.descriptors(gdb))
                for line in end.split("\n"):
                    gdb(line)
                self.assertEqual(self.descriptors(gdb), [])

    def test_words_that_mean_nothing(self):
        gdb = Gdb(self, "gdb_values")
        gdb.fails("vmsnap blame", "no live process")
        gdb("break work")
        gdb("run")
        gdb.fails("vmsnap blame", "set vmsnap blame on")
        self.watch(gdb)
        gdb.fails("vmsnap blame", "no stop and no snapshot")
        gdb.fails("vmsnap blame counter", "&counter")
        gdb.fails("vmsnap blame --by line &counter", "--by")
        gdb.fails("vmsnap blame --by nothing", "none of")

    def test_gdb_ends_in_good_order(self):
        gdb = self.at_work("next")
        self.assertEqual(gdb.quit(), 0)


if __name__ == "__main__":
    main()
