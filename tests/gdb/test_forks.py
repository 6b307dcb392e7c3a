"""Forks: both sides are taken at the fork itself, and verdicts on their pages are the
kernel's own, whatever gdb does with the child."""

import os
import re
import signal
import subprocess
import time
import unittest

import truth
from gdb_session import (FRAMES, NOBODY_OR_ME, Gdb, folder, gone, kernel, main, need_frames, need_no_frames, skip,
                         wait_for)
from support import unmoved

# Of each page of its own, once the parent is at parent_done().
WANTED = {"by_nobody": "shared", "by_child": "copied_by_child", "by_both": "copied_by_child",
          "by_parent": "copied_by_parent", "fresh_child": "new_in_child", "fresh_parent": "new_in_parent",
          "zero_child": "zero_written_by_child"}
LOCALS = {"child_local": "copied_by_child", "parent_local": "copied_by_parent", "quiet_local": "shared"}


def process_with_number(test, number):
    """A new process that has this number, or None."""
    for _ in range(50):
        try:
            with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
                file.write(str(number - 1))
        except OSError as error:
            skip(test, f"a process number that is used again: {error}")
        process = subprocess.Popen(["sleep", "60"])
        test.addCleanup(process.wait)
        test.addCleanup(process.kill)
        if process.pid == number:
            return process
    return None


class Forked(unittest.TestCase):
    def started(self, *arguments, **options):
        """At before_fork(), with `auto fork` on."""
        gdb = Gdb(self, "gdb_cow", *arguments, **options)
        gdb("break before_fork")
        gdb("run")
        gdb("vmsnap auto fork")
        return gdb

    def addresses(self, gdb):
        return {name: gdb.number(f"(unsigned long) &{name}") for name in WANTED}

    def local_pages(self, gdb):
        """The page of each local's counter, asked in a frame of work()."""
        gdb.value("select_frame('work')")
        return {name: gdb.number(f"(unsigned long) &{name}.counter") for name in LOCALS}

    def pids(self, gdb):
        return gdb.value("[entry.pid for entry in session.pairs()[0][:2]]")

    def check_verdicts(self, gdb, cow, addresses):
        found = truth.by_page(cow["ranges"], "verdict")
        for name, verdict in WANTED.items():
            self.assertEqual(found.get(truth.page_of(addresses[name])), verdict, name)
        for name, page in self.local_pages(gdb).items():
            self.assertEqual(found.get(truth.page_of(page)), LOCALS[name], name)


@unmoved
class Verdicts(Forked):
    def test_verdicts_are_the_kernels_own_page_by_page(self):
        need_frames(self)
        gdb = self.started("fork")
        parent = gdb.inferior()
        base = truth.frames(parent)
        gdb("break parent_done")
        gdb("continue")
        cow = gdb.json("vmsnap cow")
        child = truth.children(parent)[0]
        self.assertEqual((cow["parent"]["pid"], cow["child"]["pid"]), (parent, child))
        self.assertEqual((cow["base"]["pid"], cow["base"]["label"]), (parent, "fork1.parent"))
        wanted = truth.verdicts(base, truth.frames(parent), truth.frames(child))
        found = truth.by_page(cow["ranges"], "verdict")
        self.assertGreater(len(wanted), 20)
        # Both, if they wrote to a page of the stack at one time.
        self.assertLessEqual({"shared", "copied_by_child", "copied_by_parent"}, set(wanted.values()))
        self.assertEqual({at: found.get(at) for at in wanted}, wanted)
        self.check_verdicts(gdb, cow, self.addresses(gdb))

    def test_what_gdb_has_read_is_not_copied_once_more_for_that(self):
        """Read on one processor, written on another: so the kernel's list of pages that were read twice
        is not emptied by who writes."""
        need_frames(self)
        processors = sorted(os.sched_getaffinity(0))
        if len(processors) < 2:
            skip(self, "needs two processors")
        gdb = self.started("fork")
        for pid, processor in ((gdb.pid, processors[0]), (gdb.inferior(), processors[1])):
            for task in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(task), {processor})
        addresses = self.addresses(gdb)
        gdb("break parent_done")
        gdb("python import vmsnap; vmsnap.put_back(True)")  # of new pages the kernel makes no such note
        places = [addresses[name] for name in ("by_nobody", "by_child", "by_both", "by_parent")]
        gdb(f"python reads = [gdb.selected_inferior().read_memory(at, 8) for at in {places} for _ in range(9)]; "
            "gdb.execute('continue')")
        self.check_verdicts(gdb, gdb.json("vmsnap cow"), addresses)

    def test_cow_names_globals_and_stack_locals_on_their_pages(self):
        gdb = self.started("fork")
        gdb("break parent_done")
        gdb("continue")
        ranges = gdb.json("vmsnap cow")["ranges"]
        for name, address in self.addresses(gdb).items():
            self.assertIn(name, truth.names_on(ranges, address), name)
        for name, page in self.local_pages(gdb).items():
            self.assertIn(name, truth.names_on(ranges, page), name)
            found = [each for row in ranges for each in row["names"] if each["symbol"] == name]
            self.assertEqual({(each["kind"], each["function"]) for each in found}, {("local", "work")})

    def test_cow_text_tells_who_copied_what_and_the_names(self):
        need_frames(self)
        gdb = self.started("fork")
        gdb("break parent_done")
        gdb("continue")
        text = gdb("vmsnap cow")
        self.assertRegex(text, r"(?m)^parent +\d+ gdb_cow")
        self.assertRegex(text, r"\A[0-9.]+% of the sharing is lost: .* by the parent")
        for who, name in (("child", "by_child"), ("child", "child_local"), ("parent", "by_parent"), ("parent", "parent_local")):
            self.assertRegex(text, rf"(?m)^  [0-9a-f-]+ {who} +.*\b{name}\b")
        text = gdb("vmsnap cow -l")
        self.assertRegex(text, r"(?m)^ +\d+ pages? +\S+ +copied_by_child\b")
        self.assertRegex(text, r"copied_by_child.*\bby_child\b")
        self.assertRegex(text, r"copied_by_parent.*\bparent_local\b")

    def test_at_the_fork_itself_nothing_is_written_yet(self):
        need_frames(self)
        gdb = self.started("fork")
        addresses = self.addresses(gdb)
        gdb("break parent_done")
        gdb("continue")
        cow = gdb.json("vmsnap cow fork1.parent fork1.child")
        found = truth.by_page(cow["ranges"], "verdict")
        for name in ("by_nobody", "by_child", "by_both", "by_parent"):
            self.assertEqual(found.get(truth.page_of(addresses[name])), "shared", name)
        for name in ("fresh_child", "fresh_parent"):
            self.assertNotIn(truth.page_of(addresses[name]), found, name)


@unmoved
class Modes(Forked):
    """What gdb does with the child changes nothing about the verdicts."""

    def check_mode(self, *settings, stop="parent_done"):
        need_frames(self)
        gdb = Gdb(self, "gdb_cow", "fork")
        for setting in settings:
            gdb(f"set {setting}")
        gdb("vmsnap auto fork")
        gdb(f"break {stop}")
        gdb("run")
        return gdb

    def test_child_detached_by_gdb(self):
        gdb = self.check_mode("detach-on-fork on")
        self.check_verdicts(gdb, gdb.json("vmsnap cow"), self.addresses(gdb))
        self.assertIn("exited normally", gdb("continue"), "the program does as it does without us")

    def test_child_kept_by_gdb(self):
        gdb = self.check_mode("detach-on-fork off", "schedule-multiple on")
        self.assertEqual(len(gdb.value("[each.pid for each in gdb.inferiors() if each.pid]")), 2)
        self.check_verdicts(gdb, gdb.json("vmsnap cow"), self.addresses(gdb))

    def test_child_followed_and_parent_let_go(self):
        gdb = self.check_mode("follow-fork-mode child", stop="child_done")
        parent, child = self.pids(gdb)
        self.assertEqual(gdb.inferior(), child)
        # The parent goes on by itself, and says when by what it writes.
        address = gdb.number("(unsigned long) &by_parent")
        self.assertTrue(wait_for(lambda: truth.entry(parent, address) & kernel.FRAME
                                 != truth.entry(child, address) & kernel.FRAME))
        found = truth.by_page(gdb.json("vmsnap cow")["ranges"], "verdict")
        for name in ("by_nobody", "by_child", "by_parent", "fresh_child"):
            self.assertEqual(found.get(truth.page_of(gdb.number(f"(unsigned long) &{name}"))), WANTED[name], name)

    def test_child_followed_and_parent_kept(self):
        gdb = self.check_mode("detach-on-fork off", "follow-fork-mode child", stop="child_done")
        found = truth.by_page(gdb.json("vmsnap cow")["ranges"], "verdict")
        for name in ("by_nobody", "by_child", "fresh_child"):
            self.assertEqual(found.get(truth.page_of(gdb.number(f"(unsigned long) &{name}"))), WANTED[name], name)

    def test_non_stop_mode(self):
        gdb = self.check_mode("non-stop on")
        self.check_verdicts(gdb, gdb.json("vmsnap cow"), self.addresses(gdb))

    def test_users_own_catch_fork_stops_as_ever(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        gdb("catch fork")
        gdb("vmsnap auto fork")
        self.assertIn("Catchpoint 1 (forked process", gdb("run"))
        self.assertEqual(gdb.value("session.names_list()"), ["fork1.parent", "fork1.child"])
        self.assertIn("exited normally", gdb("continue"))

    def test_without_a_users_catchpoint_no_stop_is_seen(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        gdb("vmsnap auto fork")
        said = gdb("run")
        self.assertIn("exited normally", said)
        self.assertNotRegex(said, "[Cc]atchpoint")


@unmoved
class Kinds(Forked):
    def run_to(self, *arguments, stop="parent_done", settings=()):
        gdb = Gdb(self, "gdb_cow", *arguments)
        for setting in settings:
            gdb(f"set {setting}")
        gdb("vmsnap auto fork")
        gdb(f"break {stop}")
        gdb("run")
        return gdb

    def check_labels(self, gdb, command, *labels):
        made = gdb.json(command)
        self.assertEqual(tuple(made[side] and made[side]["label"] for side in ("parent", "child", "base")), labels)
        return made

    def check_child_as_at_the_fork(self, gdb, word):
        """It cannot be looked at any more: so it is said, and what the parent copied is told."""
        made = self.check_labels(gdb, "vmsnap cow", "now", "fork1.child", "fork1.parent")
        self.assertIn(word, gdb.notes)
        self.assertIn("the child is shown as it was at the fork, fork1.child", gdb.notes)
        self.assertIn("what the child copied later is not known", gdb.notes)
        self.assertEqual(made["cost"], {"copied": None, "new": None})
        text = " ".join(gdb("vmsnap cow --totals").split())
        self.assertRegex(text, r"^(At least \S+|None) of the sharing is (known to be )?lost: [^;]*; what the child copied "
                               r"later is not known ")
        return truth.by_page(made["ranges"], "verdict")

    def test_fork_of_another_thread_than_the_first(self):
        need_frames(self)
        gdb = self.run_to("thread")
        self.assertEqual(gdb.number("$_thread"), 2)
        parent, child = self.pids(gdb)
        self.assertEqual(truth.children(parent), [child])
        self.check_verdicts(gdb, gdb.json("vmsnap cow"), self.addresses(gdb))
        self.assertIn("thread 2", gdb.value("session.entry('fork1.parent').snapshot.reason"))

    def test_vfork_is_one_address_space_and_said_to_be(self):
        gdb = self.run_to("vfork")
        self.assertEqual(gdb.value("session.names_list()"), ["vfork1.parent", "vfork1.child"])
        self.assertIn("one address space", gdb.value("session.entry('vfork1.parent').snapshot.reason"))
        maps = gdb.value("[session.entry(n).snapshot.mapping_count() for n in session.names_list()]")
        self.assertEqual(maps[0], maps[1])
        cow = gdb.json("vmsnap cow vfork1.parent vfork1.child")
        self.assertEqual((cow["not_compared"], cow["ranges"]), ("one_address_space", []))
        gdb.fails("vmsnap cow", "no fork has been seen but vfork1", "vmsnap cow vfork1")
        self.check_labels(gdb, "vmsnap cow vfork1", "vfork1.parent", "vfork1.child", None)
        self.assertIn("this was a vfork", gdb.notes)
        self.assertIn("as they were at the fork", gdb.notes)
        self.assertIn("exited normally", gdb("continue"))

    def test_forks_whose_snapshots_were_dropped_were_seen(self):
        gdb = self.run_to("write")
        gdb("vmsnap drop fork1.parent fork1.child")
        gdb.fails("vmsnap cow", "snapshots of fork1 were dropped, and of no other fork are there snapshots",
                  "vmsnap cow PARENT CHILD")
        gdb.fails("vmsnap cow fork1", "snapshots of fork1 were dropped")
        gdb("vmsnap take")
        gdb("set vmsnap limit 1")
        gdb("vmsnap take")
        self.assertIn("limit 1", gdb.fails("vmsnap cow"))

    def test_double_fork_with_both_kept(self):
        gdb = self.run_to("double", stop="child_done",
                          settings=("detach-on-fork off", "schedule-multiple on"))
        self.assertEqual(gdb.value("session.names_list()"),
                         ["fork1.parent", "fork1.child", "fork2.parent", "fork2.child"])
        pids = gdb.value("[session.entry(n).pid for n in session.names_list()]")
        self.assertEqual(pids[1], pids[2], "the child of the first fork is the parent of the second")
        self.assertEqual(len(set(pids)), 3)

    def test_double_fork_with_the_child_let_go_takes_the_first(self):
        gdb = self.run_to("double")
        self.assertEqual(gdb.value("session.names_list()"), ["fork1.parent", "fork1.child"])
        self.assertIn("exited normally", gdb("continue"))

    def test_several_forks_in_a_row_are_pairs_of_their_own(self):
        gdb = self.run_to("many", 5)
        names = gdb.value("session.names_list()")
        self.assertEqual(names, [f"fork{i}.{side}" for i in range(1, 6) for side in ("parent", "child")])
        pids = gdb.value("[session.entry(n).pid for n in session.names_list()]")
        self.assertEqual(len(set(pids[1::2])), 5)
        self.assertEqual(set(pids[::2]), {gdb.inferior()})
        self.assertIn("5 forks taken", gdb("vmsnap auto"))
        self.assertIn("exited normally", gdb("continue"))

    def test_vfork_that_has_not_ended_is_the_default(self):
        gdb = Gdb(self, "gdb_cow", "vfork")
        gdb("vmsnap auto fork")
        gdb("catch vfork")
        gdb("run")
        self.check_labels(gdb, "vmsnap cow", "now", "now", "vfork1.parent")
        self.assertIn("this was a vfork", gdb.notes)

    def test_vfork_that_ended_is_not_the_default(self):
        gdb = self.run_to("mixed")
        self.assertEqual(gdb.value("session.names_list()"),
                         ["fork1.parent", "fork1.child", "vfork1.parent", "vfork1.child"])
        self.check_labels(gdb, "vmsnap cow", "now", "fork1.child", "fork1.parent")

    def test_any_earlier_fork_against_now(self):
        need_frames(self)
        gdb = self.run_to("two")
        gdb("vmsnap take fork9")
        pids = gdb.value("{pair.name: pair.child.pid for pair in session.pairs()}")
        page = truth.page_of(gdb.number("(unsigned long) &by_child"))
        for fork, command in (("fork1", "vmsnap cow fork1"), ("fork1", "vmsnap cow fork1.child"),
                              ("fork2", "vmsnap cow fork2"), ("fork2", "vmsnap cow")):
            made = self.check_labels(gdb, command, "now", "now", f"{fork}.parent")
            self.assertEqual(made["child"]["pid"], pids[fork], command)
            self.assertEqual(truth.by_page(made["ranges"], "verdict")[page], "copied_by_child", command)
        gdb.fails("vmsnap cow fork9", "child", "fork2, fork1")
        gdb.fails("vmsnap cow fork3", "fork3")
        self.assertLessEqual({"fork1", "fork2", "fork1.child"}, set(gdb.completions("vmsnap cow ")))

    def test_one_process_with_itself_is_refused(self):
        gdb = self.run_to("brief")
        gdb("vmsnap take")
        for words in ("fork1.parent s1", "s1 now", "now now", "s1 s1"):
            message = gdb.fails(f"vmsnap cow {words}", f"both of process {gdb.inferior()}", f"vmsnap diff {words}")
            self.assertNotIn("pages", message)

    def test_child_that_ends_at_once(self):
        gdb = self.run_to("brief")
        self.assertEqual(gdb.value("session.names_list()"), ["fork1.parent", "fork1.child"])
        found = self.check_child_as_at_the_fork(gdb, "gone")
        if FRAMES:
            page = gdb.number("(unsigned long) &fresh_parent")
            self.assertEqual(found.get(page), "new_in_parent")
        gdb.json("vmsnap cow fork1.parent fork1.child")
        self.assertIn("exited normally", gdb("continue"))

    def test_number_of_a_child_that_is_gone_may_be_anothers_now(self):
        gdb = self.run_to("brief")
        gdb("continue")
        child = gdb.value("session.entry('fork1.child').pid")
        time.sleep(0.05)  # two processes of one number are told apart by when they began, in ticks of 10 ms
        stranger = process_with_number(self, child)
        if not stranger:
            skip(self, "a process number that is used again: this machine is too busy")
        made = gdb.json("vmsnap cow")
        self.assertIn("another process", gdb.notes)
        self.assertEqual(made["child"]["label"], "fork1.child")
        gdb("vmsnap show fork1.child")

    def test_hundreds_of_forks_keep_to_the_limit(self):
        gdb = Gdb(self, "gdb_cow", "many", 500)
        gdb("set vmsnap limit 20")
        gdb("vmsnap auto fork")
        self.assertIn("exited normally", gdb("run", seconds=120))
        names = gdb.value("session.names_list()")
        self.assertEqual(names[-2:], ["fork500.parent", "fork500.child"])
        self.assertLessEqual(len(names), 20)
        self.assertEqual({name.partition(".")[0] for name in names if names.count(name) != 1}, set())
        self.assertEqual(len({name.partition(".")[0] for name in names}) * 2, len(names), "pairs go together")
        gdb("vmsnap list")
        self.assertRegex(gdb.notes, r"98\d snapshots were dropped")


class Executed(Forked):
    def test_child_that_executed_its_own_program_is_not_compared(self):
        """gdb has addresses not randomised: all its places are the parent's."""
        gdb = Gdb(self, "kin", "exec")
        gdb("vmsnap auto fork")
        gdb("break next_command")
        gdb("run")
        child = gdb.value("session.pairs()[0][1].pid")
        for command in ("vmsnap cow", "vmsnap cow fork1"):
            made = gdb.json(command)
            self.assertEqual((made["not_compared"], made["ranges"]), ("another_program", []))
            self.assertIn(f"process {child} has executed another program since", made["warning"])
        self.assertEqual(made["parent"]["start_stack"], made["child"]["start_stack"])
        self.assertIsNone(gdb.json("vmsnap cow fork1.parent fork1.child")["not_compared"])
        os.kill(child, signal.SIGKILL)


@unmoved
class AtExit(Forked):
    """Children that gdb keeps are taken right before they are gone."""

    def exited(self, *arguments, command="vmsnap auto fork --at-exit"):
        gdb = Gdb(self, "gdb_cow", *arguments)
        gdb("set detach-on-fork off")
        gdb("set schedule-multiple on")
        gdb(command)
        gdb("break last")
        gdb("run")
        while gdb.value("gdb.selected_inferior().num") != 1 or not gdb.value("gdb.selected_thread() is not None"):
            gdb("inferior 1")
            gdb("continue")
        return gdb

    def test_what_the_child_copied_is_told_when_it_is_gone(self):
        need_frames(self)
        gdb = self.exited("fork")
        self.assertEqual(gdb.names(), ["fork1.parent", "fork1.child", "fork1.exit"])
        child = gdb.value("session.entry('fork1.child').pid")
        self.assertTrue(gone(child))
        row = gdb.json("vmsnap list")["snapshots"][2]
        self.assertEqual(row["pid"], child)
        self.assertIn("exit at ", row["reason"])
        cow = gdb.json("vmsnap cow")
        self.assertEqual([cow[side]["label"] for side in ("parent", "child", "base")],
                         ["now", "fork1.exit", "fork1.parent"])
        self.assertIn("fork1.exit, its last snapshot", gdb.notes)
        found = truth.by_page(cow["ranges"], "verdict")
        addresses = self.addresses(gdb)
        for name in ("by_nobody", "by_child", "by_parent", "fresh_child", "fresh_parent"):
            self.assertEqual(found.get(truth.page_of(addresses[name])), WANTED[name], name)
        self.assertIn("1 taken", gdb("vmsnap auto"))

    def test_each_of_several_children(self):
        gdb = self.exited("many", 3)
        self.assertEqual([name for name in gdb.names() if "exit" in name], ["fork1.exit", "fork2.exit", "fork3.exit"])
        gdb("vmsnap auto off")
        self.assertEqual(gdb.value("[b.number for b in gdb.breakpoints() if 'exit' in str(b.location)]"), [])

    def test_where_gdb_keeps_no_child_it_is_said(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        self.assertIn("set detach-on-fork off", gdb("vmsnap auto fork --at-exit"))
        self.assertNotIn("exit", gdb("vmsnap auto fork"))
        gdb("vmsnap auto fork --at-exit")
        self.assertIn("not known yet", Gdb(self).do("vmsnap auto fork --at-exit")[0], "there is no program")
        self.assertNotIn("exit", Gdb(self, "gdb_cow")("vmsnap auto fork"))
        gdb("break parent_done")
        gdb("run")
        self.assertEqual(gdb.names(), ["fork1.parent", "fork1.child"])


@unmoved
class SavedBreakpoints(Forked):
    """A file of `save breakpoints` does no harm elsewhere, nor here."""

    def saved(self, *commands):
        gdb = Gdb(self, "gdb_cow", "many", 2)
        gdb("break parent_done")
        for command in commands:
            gdb(command)
        path = os.path.join(folder(self), "saved.gdb")
        gdb(f"save breakpoints {path}")
        return gdb, path

    def test_another_gdb_reads_it_and_nothing_stops_there(self):
        _, path = self.saved("vmsnap auto fork --at-exit", "vmsnap auto break before_fork")
        for language in ("c", "ada", "pascal"):
            gdb = Gdb(self, "gdb_cow", "many", 2, plugin=False)
            gdb(f"set language {language}")
            gdb(f"source {path}")
            gdb("set language c")
            self.assertIn("parent_done", gdb("run"))
            self.assertIn("exited normally", gdb("continue"))

    def test_sourced_where_it_is_on_already_it_adds_nothing(self):
        gdb, path = self.saved("vmsnap auto fork")
        gdb(f"source {path}")
        count = "sum(each.type == gdb.BP_CATCHPOINT for each in gdb.breakpoints())"
        self.assertEqual(gdb.value(count), 2)
        gdb("run")
        self.assertEqual(len(gdb.names()), 4)

    def test_sourced_before_it_is_turned_on_its_catchpoints_are_used(self):
        _, path = self.saved("vmsnap auto fork")
        gdb = Gdb(self, "gdb_cow", "many", 2)
        gdb(f"source {path}")
        gdb("vmsnap auto fork")
        self.assertEqual(gdb.value("sum(each.type == gdb.BP_CATCHPOINT for each in gdb.breakpoints())"), 2)
        gdb("run")
        self.assertEqual(len(gdb.names()), 4)
        gdb("vmsnap auto off")
        self.assertEqual(gdb.value("sum(each.type == gdb.BP_CATCHPOINT for each in gdb.breakpoints())"), 0)

    def test_a_condition_of_the_users_chooses_forks(self):
        gdb, _ = self.saved("vmsnap auto fork")
        number = re.search(r"auto fork is on \(catchpoint (\d+)\)", gdb("vmsnap auto"))[1]
        gdb(f"condition {number} by_child.value == 77")
        gdb("run")
        self.assertEqual(gdb.names(), [])


@unmoved
class KeptChild(Forked):
    def kept(self):
        gdb = Gdb(self, "gdb_cow", "many", 1)
        gdb("vmsnap auto fork --keep-child")
        return gdb

    def test_child_stands_at_the_fork_until_released(self):
        gdb = self.kept()
        # The parent waits for its child, so gdb waits for the parent: look from outside.
        gdb.start("run")
        child = self.child_of_program(gdb)
        self.assertTrue(wait_for(lambda: kernel.state(child) == "T"), kernel.state(child))
        self.assertEqual(kernel.status(child)["TracerPid"], b"0")
        gdb.interrupt()
        said, complaint = gdb.finish()
        self.assertIn("SIGINT", said)
        address = gdb.number("(unsigned long) &by_child")
        if FRAMES:
            frames = [truth.entry(pid, address) & kernel.FRAME for pid in (gdb.inferior(), child)]
            self.assertEqual(frames[0], frames[1], "it has not written yet")
        self.assertIn(f"child {child} is held at the fork", complaint + said)
        self.assertIn(str(child), gdb("vmsnap auto"))
        gdb("vmsnap auto release")
        self.assertTrue(wait_for(lambda: gone(child)), "it ran to its end")
        gdb("signal 0")

    def test_child_that_was_killed_is_not_held_any_more(self):
        gdb = self.kept()
        gdb.start("run")
        child = self.child_of_program(gdb)
        self.assertTrue(wait_for(lambda: kernel.state(child) == "T"), kernel.state(child))
        gdb.interrupt()
        gdb.finish()
        os.kill(child, signal.SIGKILL)
        self.assertTrue(wait_for(lambda: kernel.state(child) == "Z"), "gdb holds who would reap it")
        self.assertNotIn(str(child), gdb("vmsnap auto"))

    def child_of_program(self, gdb):
        found = []

        def look():
            for pid in gdb.programs("gdb_cow"):
                found.extend(truth.children(pid))
            return found
        self.assertTrue(wait_for(look))
        return found[0]

    def test_held_child_runs_on_when_gdb_leaves(self):
        gdb = self.kept()
        gdb.start("run")
        child = self.child_of_program(gdb)
        self.assertTrue(wait_for(lambda: kernel.state(child) == "T"))
        gdb.interrupt()
        gdb.finish()
        gdb.quit()
        self.assertTrue(wait_for(lambda: gone(child) or kernel.state(child) not in ("T", "t")))

    def test_auto_off_releases_and_deletes_the_catchpoints(self):
        gdb = self.kept()
        gdb.start("run")
        child = self.child_of_program(gdb)
        self.assertTrue(wait_for(lambda: kernel.state(child) == "T"))
        gdb.interrupt()
        gdb.finish()
        gdb("vmsnap auto off")
        self.assertTrue(wait_for(lambda: gone(child)))
        self.assertEqual(gdb.value("[each.number for each in gdb.breakpoints()]"), [])
        self.assertIn("auto fork is off", gdb("vmsnap auto"))


@unmoved
class AsNobody(Forked):
    def test_verdicts_without_privilege_say_what_is_unknown(self):
        need_no_frames(self)
        gdb = self.started("fork", user=NOBODY_OR_ME)
        gdb("break parent_done")
        gdb("continue")
        cow = gdb.json("vmsnap cow")
        self.assertFalse(cow["parent"]["known"]["pfn"])
        found = truth.by_page(cow["ranges"], "verdict")
        addresses = self.addresses(gdb)
        self.assertEqual(found[truth.page_of(addresses["by_nobody"])], "shared")
        for name in ("by_child", "by_both", "by_parent"):
            self.assertIn(found[truth.page_of(addresses[name])], ("copied", WANTED[name]), name)
        for name in ("fresh_child", "fresh_parent"):
            self.assertEqual(found[truth.page_of(addresses[name])], WANTED[name], name)
        self.assertIn("exited normally", gdb("continue"))


@unmoved
class Survival(Forked):
    def test_auto_fork_survives_another_run(self):
        gdb = Gdb(self, "gdb_cow", "many", 2)
        gdb("vmsnap auto fork")
        gdb("run")
        gdb("run")
        names = gdb.value("session.names_list()")
        self.assertEqual(len(names), 8)
        self.assertEqual(len(set(gdb.value("[session.entry(n).pid for n in session.names_list()][::2]"))), 2)

    def test_deleting_our_catchpoint_turns_it_off_and_auto_says_so(self):
        gdb = Gdb(self, "gdb_cow", "many", 2)
        number = re.search(r"auto fork is on \(catchpoint (\d+)\)", gdb("vmsnap auto fork"))[1]
        gdb(f"delete {number}")
        self.assertRegex(gdb("vmsnap auto"), r"auto fork is off")
        self.assertIn("exited normally", gdb("run"))
        self.assertEqual(gdb.value("session.names_list()"), [])

    def test_program_that_never_forks(self):
        gdb = Gdb(self, "gdb_steps", "write", 2)
        gdb("vmsnap auto fork")
        self.assertIn("exited normally", gdb("run"))
        gdb.fails("vmsnap cow", "auto fork")


if __name__ == "__main__":
    main()
