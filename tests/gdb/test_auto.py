"""Snapshots at stops and at breakpoints' hits, which change nothing about the program."""

import os
import platform
import re
import signal
import unittest

import truth
from gdb_session import Gdb, main


class AutoStop(unittest.TestCase):
    def test_every_stop_that_is_seen_is_taken_with_its_reason(self):
        gdb = Gdb(self, "gdb_steps", "write", 6)
        gdb("break step")
        gdb("vmsnap auto stop")
        gdb("run")
        gdb("next")
        gdb("finish")
        rows = gdb.json("vmsnap list")["snapshots"]
        self.assertEqual([row["name"] for row in rows], ["stop1", "stop2", "stop3"])
        self.assertRegex(rows[0]["reason"], r"^breakpoint 1 at step \(gdb_steps\.c:\d+\), thread 1$")
        self.assertRegex(rows[2]["reason"], r"write_pages_of \(gdb_steps\.c:\d+\), thread 1$")
        gdb("continue")
        page = gdb.number("(unsigned long) &pages[1]")
        self.assertEqual(truth.changes(gdb.json("vmsnap diff stop1 stop4")).get(page), {"appeared"})
        self.assertIn("auto stop is on; 4 stops taken", gdb("vmsnap auto"))
        gdb("vmsnap auto off stop")
        gdb("continue")
        self.assertEqual(len(gdb.names()), 4)

    def test_diff_compares_with_the_stop_before(self):
        gdb = Gdb(self, "gdb_steps", "write", 6)
        gdb("break step")
        gdb("vmsnap auto stop")
        gdb("run")
        gdb("continue")
        page = gdb.number("(unsigned long) &pages[1]")
        diff = gdb.json("vmsnap diff")
        self.assertEqual((diff["a"]["label"], diff["b"]["label"]), ("stop1", "now"))
        self.assertEqual(truth.changes(diff), {page: {"appeared"}})
        self.assertEqual(gdb.number("$_vmsnap_changed(&pages[1])"), 1)
        gdb("vmsnap take mine")
        self.assertEqual(gdb.json("vmsnap diff")["a"]["label"], "mine", "one that was asked for is what is meant")
        gdb("continue")
        self.assertEqual(gdb.json("vmsnap diff")["a"]["label"], "mine", "the newest of before this stop")
        gdb("vmsnap drop mine stop1 stop2")
        self.assertEqual(gdb.json("vmsnap diff")["a"]["label"], "stop3")
        self.assertIn("taken at this stop", gdb.notes)

    def test_diff_compares_with_the_hit_before(self):
        gdb = Gdb(self, "gdb_steps", "write", 6)
        gdb("break step")
        gdb("vmsnap auto break 1")
        gdb("run")
        gdb("continue")
        self.assertEqual(gdb.json("vmsnap diff")["a"]["label"], "b1.1")

    def test_the_end_of_the_program_is_no_stop(self):
        gdb = Gdb(self, "gdb_steps", "write", 1)
        gdb("vmsnap auto stop")
        self.assertIn("exited normally", gdb("run"))
        self.assertEqual(gdb.value("session.names_list()"), [])
        self.assertNotIn("could not", gdb("vmsnap auto"))

    def test_is_on_even_if_where_it_stands_could_not_be_taken(self):
        for error in ("KeyboardInterrupt", "OSError"):
            gdb = Gdb(self, "gdb_steps", "write", 6)
            gdb("break step")
            gdb("run")
            gdb(f"python def fails(*args, **how): raise {error}()")
            gdb("python from vmsnap_gdb import auto_stop; taken = auto_stop.session.take; auto_stop.session.take = fails")
            gdb.do("vmsnap auto stop")
            gdb("python auto_stop.session.take = taken")
            gdb.do("vmsnap auto stop")
            gdb("continue")
            self.assertEqual(len(gdb.names()), 1, f"{error}: once at each stop")
            gdb("vmsnap auto off stop")
            gdb("continue")
            self.assertEqual(len(gdb.names()), 1)

    def test_survives_another_run(self):
        gdb = Gdb(self, "gdb_steps", "write", 2)
        gdb("break step")
        gdb("vmsnap auto stop")
        gdb("run")
        gdb("run")
        self.assertEqual(gdb.names(), ["stop1", "stop2"])


class AutoBreak(unittest.TestCase):
    def test_location_is_taken_at_each_hit_and_never_stops(self):
        gdb = Gdb(self, "gdb_steps", "write", 5)
        gdb("vmsnap auto break step")
        said = gdb("run")
        self.assertIn("exited normally", said)
        self.assertEqual(gdb.names(), [f"b1.{n}" for n in range(1, 6)])
        reasons = [row["reason"] for row in gdb.json("vmsnap list")["snapshots"]]
        self.assertTrue(all(re.match(r"breakpoint 1 at step \(gdb_steps\.c:\d+\), thread 1$", each)
                            for each in reasons), reasons)
        for index in range(1, 5):
            made = truth.changes(gdb.json(f"vmsnap diff b1.{index} b1.{index + 1}"))
            self.assertEqual(list(made.values()), [{"appeared"}], index)

    def test_existing_breakpoint_keeps_condition_ignore_count_and_commands(self):
        gdb = Gdb(self, "gdb_steps", "write", 8)
        gdb("break step if number >= 2")
        gdb("ignore 1 1")
        gdb("commands 1\nsilent\nprintf \"seen %d\\n\", number\nend")
        gdb("vmsnap auto break 1")
        self.assertIn("seen 3", gdb("run"))
        self.assertEqual(gdb.number("number"), 3)
        self.assertEqual(gdb.names(), ["b1.1", "b1.2"], "a hit that is ignored is a hit")
        self.assertIn("seen 4", gdb("continue"))
        gdb("vmsnap auto off break")
        self.assertIn("seen 5", gdb("continue"))
        self.assertEqual(gdb.names(), ["b1.1", "b1.2", "b1.3"])
        self.assertEqual(gdb.value("[(b.number, b.condition) for b in gdb.breakpoints()]"), [[1, "number >= 2"]])

    def test_location_with_a_condition_of_its_own(self):
        gdb = Gdb(self, "gdb_steps", "write", 8)
        gdb("vmsnap auto break step if number % 4 == 1")
        self.assertIn("exited normally", gdb("run"))
        self.assertEqual(gdb.names(), ["b1.1", "b1.2"])

    def test_off_takes_our_breakpoint_away(self):
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("vmsnap auto break step")
        gdb("break main")
        gdb("run")
        self.assertIn("auto break is on at breakpoint 1", gdb("vmsnap auto"))
        gdb("vmsnap auto off")
        self.assertEqual(gdb.value("[each.number for each in gdb.breakpoints()]"), [2])
        self.assertIn("exited with code 03", gdb("continue"))
        self.assertEqual(gdb.value("session.names_list()"), [])

    def test_bad_places_are_refused(self):
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb.fails("vmsnap auto break", "usage")
        gdb.fails("vmsnap auto break 7", "no breakpoint 7")
        gdb.fails("vmsnap auto break no_such_function", "no_such_function")
        gdb.fails("vmsnap auto nonsense", "nonsense")
        gdb.fails("vmsnap auto off nonsense", "usage")
        gdb.fails("vmsnap auto release 1", "1")
        self.assertIn("auto break is off", gdb("vmsnap auto"))

    def test_variables_of_frames_that_lie_elsewhere_though_the_stack_pointer_is_the_same(self):
        gdb = Gdb(self, "gdb_steps", "frames")
        gdb("vmsnap auto break step")
        gdb("break behind")
        gdb("run")
        count = gdb.number("sizeof(inner_at) / sizeof(*inner_at)")
        there = [gdb.number(f"(unsigned long) inner_at[{number}]") for number in range(count)]
        self.assertGreater(len(set(there)), 2)
        self.assertLess(len(set(there)), count)
        told = gdb.value("[(entry.snapshot.threads[0].stack_pointer, [n.address for n in entry.snapshot.annotations() "
                         "if n.symbol == 'mine']) for entry in session.entries()]")
        self.assertEqual(len({pointer for pointer, _ in told}), 1)
        self.assertEqual([places for _, places in told], [[place] for place in there])

    def test_a_hit_like_the_last_one_tells_what_gdb_would(self):
        """Though gdb is asked at the first only."""
        gdb = Gdb(self, "gdb_threads", 3, "run")
        for line in ("from vmsnap_gdb import same_frames", "from vmsnap_gdb.session import session",
                     "known, session.seen = same_frames.names, []",
                     "same_frames.names = lambda *a: session.seen.append(known(*a)) or session.seen[-1]"):
            gdb.do("python " + line)
        gdb("vmsnap auto break all_here")
        self.assertIn("exited normally", gdb("run"))
        names = "[[n._asdict() for n in e.snapshot.annotations() if n.tid] for e in session.entries()]"
        shown, again = gdb.value(names), gdb.value("[each is not None for each in session.seen]")
        if platform.machine() == "x86_64":
            self.assertEqual(again, [False] + 19 * [True])
        self.assertEqual(len(shown), 20)
        self.assertTrue(any(each["symbol"] == "threads" for each in shown[0]), shown[0])
        self.assertEqual(shown, 20 * [shown[0]])

    def test_what_gdb_wrote_into_code_is_not_worked_out_anew_at_each_hit(self):
        gdb = Gdb(self, "gdb_steps", "write", 60)
        for line in ("from vmsnap_gdb import touched", "from vmsnap_gdb.session import session",
                     "told, session.anew = touched._told_anew, []",
                     "touched._told_anew = lambda *a: session.anew.append(1) or told(*a)"):
            gdb.do("python " + line)
        gdb("vmsnap auto break step")
        self.assertIn("exited normally", gdb("run"))
        if any(truth.number_in(f"/sys/kernel/mm/ksm/{name}") for name in ("pages_shared", "ksm_zero_pages")):
            self.skipTest("KSM has merged pages: all is read at each hit")
        self.assertLess(gdb.value("len(session.anew)"), 30)

    def test_running_threads_are_said_to_have_run(self):
        gdb = Gdb(self, "gdb_threads", 3, "run")
        gdb("vmsnap auto break all_here")
        self.assertIn("exited normally", gdb("run"))
        rows = gdb.json("vmsnap list")["snapshots"]
        self.assertEqual(len(rows), 20)
        for row in rows:
            self.assertIn("other threads were running", row["reason"])
            self.assertNotEqual(row["freeze"], "full")

    def test_stopped_threads_are_not_said_to_have_run(self):
        gdb = Gdb(self, "gdb_threads", 3, "run")
        gdb("break all_here")
        gdb("vmsnap auto stop")
        gdb("run")
        row = gdb.json("vmsnap list")["snapshots"][0]
        self.assertNotIn("running", row["reason"])
        self.assertEqual((row["freeze"], row["threads"]), ("debugger", 4))

    def test_hits_in_several_threads_tell_the_thread(self):
        gdb = Gdb(self, "gdb_threads", 3)
        gdb("vmsnap auto break in_thread")
        self.assertIn("exited normally", gdb("run"))
        reasons = [row["reason"] for row in gdb.json("vmsnap list")["snapshots"]]
        self.assertEqual({re.search(r", thread (\d+)", each)[1] for each in reasons}, {"2", "3", "4"})

    def test_many_hits_keep_to_the_limit(self):
        gdb = Gdb(self, "gdb_steps", "write", 400)
        gdb("set vmsnap limit 10")
        gdb("vmsnap auto break step")
        self.assertIn("exited normally", gdb("run"))
        self.assertEqual(gdb.names(), [f"b1.{n}" for n in range(391, 401)])

    def test_automatic_ones_are_dropped_before_those_taken_by_hand(self):
        gdb = Gdb(self, "gdb_steps", "write", 9)
        gdb("break step")
        gdb("run")
        gdb("set vmsnap limit 3")
        gdb("vmsnap take mine")
        gdb("vmsnap auto stop")
        for _ in range(4):
            gdb("continue")
        self.assertEqual(gdb.names(), ["mine", "stop4", "stop5"])

    def test_non_stop_mode(self):
        gdb = Gdb(self, "gdb_threads", 3)
        gdb("set non-stop on")
        gdb("vmsnap auto break in_thread")
        self.assertIn("exited normally", gdb("run"))
        self.assertEqual(len(gdb.names()), 3)

    def test_program_killed_while_hits_are_taken(self):
        gdb = Gdb(self, "gdb_steps", "write", 10000000)
        gdb("set vmsnap limit 20")
        gdb("vmsnap auto break step")
        gdb("vmsnap auto fork")
        gdb.start("run")
        os.kill(gdb.wait_for_stops("gdb_steps", 400), signal.SIGKILL)
        said, complaint = gdb.finish()
        # gdb may be at the point of reading or writing it, and complain in words of its own.
        self.assertNotRegex(said + complaint, "Traceback|Python Exception")
        self.assertRegex(said + complaint, "terminated with signal SIGKILL|removing breakpoint|No such process|"
                                           "Cannot find user-level thread")  # in the midst of libthread_db
        gdb.do("kill")
        self.assertEqual(len(gdb.names()), 20)

    def test_names_that_cannot_be_kept_are_told_once_and_nothing_else_fails(self):
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("vmsnap auto break step")
        gdb("run")
        gdb("python import vmsnap")
        gdb("python def refuse(*_): raise vmsnap.VmsnapError('too many of them')")
        gdb("python vmsnap.Snapshot.annotate, annotate = refuse, vmsnap.Snapshot.annotate")
        first = gdb("vmsnap diff b1.1 b1.2"), gdb.notes
        gdb("python vmsnap.Snapshot.annotate = annotate")
        self.assertRegex(first[1], r"vmsnap: b1\.\d is without the names of what is where: too many of them")
        self.assertEqual((gdb("vmsnap diff b1.1 b1.2"), gdb.notes), (first[0], ""))

    def test_exec_at_a_watched_breakpoint_goes_on(self):
        gdb = Gdb(self, "gdb_steps", "exec", 3)
        gdb("vmsnap auto break step")
        self.assertIn("exited with code 03", gdb("run"))
        self.assertEqual(gdb.names(), [f"b1.{n}" for n in range(1, 5)], "one before the exec, three after")


if __name__ == "__main__":
    main()
