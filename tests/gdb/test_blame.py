"""set vmsnap blame: which lines wrote to a page, held against a program's own source."""

import os
import subprocess
import unittest

from gdb_session import SOURCE, Gdb, environment, folder, main, skip


def line_of(text, source="gdb_values.c"):
    """The number of the only line of the source that has this in it."""
    with open(os.path.join(SOURCE, "tests", "targets", source)) as file:
        found = [number for number, line in enumerate(file, 1) if text in line]
    assert len(found) == 1, (text, found)
    return found[0]


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
