"""vmsnap series, series --cow and page --history: what a program that knows how it grew does, step by step, as the
command tells it and as the kernel does."""

import os
import re
import time
import unittest

import kernel
from documents import blocks, read, without_numbers
from kernel import PAGE
from support import (NOBODY, Target, ask, each_user, main, me, need_frames, need_others, run, sees_frames, unmoved,
                     world)


class Recorded(unittest.TestCase):
    """A file that grows by a snapshot for each step."""

    more = ()

    def begin(self, user, name="series.vms"):
        self.user = user
        self.path = os.path.join(world().home(user), name)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.addCleanup(lambda: os.path.exists(self.path) and os.unlink(self.path))

    def add(self, pid, *options):
        result = run("capture", pid, "-o", self.path, "--append", *self.more, *options, user=self.user)
        self.assertEqual(result.status, 0, result)

    def series(self, *options, which="", **more):
        return ask(self, "series", self.path + which, *options, user=self.user, **more)

    @staticmethod
    def line_at(step, address):
        found = [line for line in step["lines"] if line["start"] and
                 int(line["start"], 16) <= address < int(line["end"], 16) and line["mappings"]]
        return found[0] if found else None


class Series(Recorded):
    def steps(self, target, commands):
        """A snapshot and the kernel's sum before the first of them and after each."""
        rss = []
        for command in (None, *commands):
            if command:
                target.tell(command)
            self.add(target.pid)
            rss.append(sum(each[2].get("Rss", 0) for each in kernel.smaps(target.pid)))
        return rss

    @each_user
    def test_what_grows_moves_and_goes_is_one_line_with_the_size_that_it_knows(self, user):
        self.begin(user)
        target = Target(self, "writes", user=user)
        rss = self.steps(target, ["map big 1024"])
        first = target.ranges["big"][0]
        rss += self.steps(target, ["write big 0 1024", "move big", "drop big 0 512"])[1:]
        start = target.ranges["big"][0]
        document = self.series()
        steps = document["snapshots"]
        self.assertEqual((document["by"], len(steps)), ("mapping", 6))
        came = self.line_at(steps[1], first)
        self.assertEqual((came["bytes"], came["delta"], came["changes"]), (0, 0, ["added"]))
        self.assertEqual(steps.pop(2)["delta"], 0)
        grown, moved, dropped = ([line for line in step["lines"] if line["id"] == came["id"]] for step in steps[2:])
        self.assertEqual((grown[0]["bytes"], grown[0]["delta"]), (1024 * PAGE, 1024 * PAGE))
        if sees_frames(user):
            self.assertIn("moved", moved[0]["changes"])
            self.assertEqual(int(moved[0]["start"], 16), start)
            self.assertEqual(moved[0]["moved_from"], grown[0]["start"])
            self.assertEqual((dropped[0]["bytes"], dropped[0]["delta"]), (512 * PAGE, -512 * PAGE))
        # The kernel's sum leaves out the zero page and what it maps itself, a few pages that do not change.
        for before, after, left, right in zip(steps, steps[1:], rss, rss[1:]):
            self.assertLessEqual(abs((after["resident"] - before["resident"]) - (right - left)), 64 * PAGE)
            self.assertEqual(after["delta"], after["resident"] - before["resident"])
        for step in steps[1:]:
            self.assertGreater(step["elapsed_us"], 0)
            self.assertFalse(step["first"])

    @each_user
    def test_the_table_says_what_grew_and_when(self, user):
        self.begin(user)
        target = Target(self, "writes", user=user)
        self.steps(target, ["map big 1024", "write big 0 1024", "drop big 0 1024"])
        lines = run("series", self.path, "-w", "100", user=user).out.decode().split("\n")
        self.assertRegex(lines[0], r"^TIME +ELAPSED +RESIDENT +anonymous +OTHERS +WHAT$")
        self.assertRegex(lines[3], r" anonymous \+4\.00M$")
        self.assertRegex(lines[4], r" anonymous -4\.00M$")
        self.assertTrue(lines[6].startswith("4 snapshots in "), lines)
        self.assertTrue(lines[8].startswith("anonymous"), lines)
        narrow = run("series", self.path, "--ascii", "-w", "60", user=user).out.decode()
        self.assertTrue(narrow.isascii())
        for line in narrow.split("\n"):
            self.assertLessEqual(len(line), 80)
        columns = run("series", self.path, "-r", "-o", "SNAPSHOT,RESIDENT,anonymous", user=user).out.decode()
        self.assertEqual([line.split()[0] for line in columns.split("\n")[1:-1]], ["1", "2", "3", "4"])
        self.assertEqual(run("series", self.path, "--min", "64M", user=user).out.decode().count("+4.00M"), 0)

    @each_user
    def test_kinds_and_states_come_to_the_same(self, user):
        self.begin(user)
        target = Target(self, "writes", user=user)
        self.steps(target, ["map big 256", "write big 0 256"])
        steps = self.series("--by", "kind")["snapshots"]
        self.assertEqual(sum(line["bytes"] for line in steps[0]["lines"]), steps[0]["resident"])
        grown = {line["name"]: line["delta"] for line in steps[2]["lines"]}
        self.assertEqual(grown["anonymous"], 256 * PAGE)
        shown = ask(self, "show", self.path + "@1", "--by", "kind", user=user)["groups"]
        self.assertEqual({row["kind"]: row["resident"] for row in shown},
                         {line["name"]: line["bytes"] for line in steps[0]["lines"] if line["mappings"]})
        steps = self.series("--by", "state")["snapshots"]
        self.assertEqual({line["name"]: line["delta"] for line in steps[2]["lines"]}.get("exclusive"), 256 * PAGE)

    def test_a_part_of_a_file_and_one_snapshot(self):
        self.begin(me())
        target = Target(self, "writes")
        self.steps(target, ["map big 4", "write big 0 4"])
        self.assertEqual([step["snapshot"] for step in self.series(which="@2..3")["snapshots"]], [2, 3])
        self.assertEqual([step["snapshot"] for step in self.series(which=f"@pid:{target.pid}@2..3")["snapshots"]],
                         [2, 3])
        one = self.series(which="@2")["snapshots"]
        self.assertEqual((len(one), one[0]["first"], one[0]["elapsed_us"]), (1, True, None))
        self.assertEqual(run("series", self.path + "@2").status, 0)
        for word in ("@7", "@3..2", "@pid:1", "@nothing"):
            self.assertEqual(run("series", self.path + word).status, 2, word)
        for option in (("--by", "size"), ("--min", "1X"), ("--cow", "--by", "kind")):
            self.assertEqual(run("series", self.path, *option).status, 2, option)
        self.assertEqual(run("series", str(target.pid)).status, 2)

    def test_an_exec_is_said_and_its_mappings_are_new(self):
        self.begin(me())
        target = Target(self, "writes")
        self.steps(target, ["exec"])
        step = self.series()["snapshots"][1]
        self.assertEqual(step["not_compared"], "another_program")
        self.assertFalse({line["id"] for line in step["lines"] if line["mappings"]} &
                         {line["id"] for line in self.series()["snapshots"][0]["lines"]})
        self.assertIn(b"another program since", run("series", self.path, "-w", "0").out)

    def test_what_is_damaged_is_said_and_the_rest_told(self):
        self.begin(me())
        target = Target(self, "writes")
        self.steps(target, ["map big 4", "write big 0 4"])
        with open(self.path, "rb") as file:
            whole = file.read()
        entries = ask(self, "list", self.path)["snapshots"]
        place, size = entries[1]["offset"], entries[1]["bytes"]
        broken = bytearray(whole)
        at = broken.index(b"DELT" if self.more else b"VMAS", place, place + size)
        broken[at + 60] ^= 0xff
        with open(self.path, "wb") as file:
            file.write(broken)
        for which, options in (("", ()), ("", ("--by", "process")), (f"@pid:{target.pid}", ())):
            result = run("series", self.path + which, *options)
            self.assertEqual(result.status, 2, result)
            self.assertIn(b"2 snapshots cannot be read" if self.more else b"1 snapshot cannot be read", result.out)
        # Whose it was that does not load is known by what stands before the damage.
        for which in ("", f"@pid:{target.pid}"):
            steps = self.series(which=which, status=(2,))["snapshots"]
            self.assertEqual([step["snapshot"] for step in steps], [1, 2, 3])
            self.assertIsNotNone(steps[1]["error"])
            # What is the difference to it is lost with it.
            self.assertEqual(steps[2]["error"] is not None, bool(self.more))
        self.assertEqual([step["snapshot"] for step in self.series(which=f"@pid:{target.pid}@1..1")["snapshots"]], [1])
        with open(self.path, "wb") as file:
            file.write(whole[:-40])
        result = run("series", self.path, "--json")
        self.assertEqual(result.status, 0, result)
        self.assertIn("lost", result.err + "lost")
        self.assertEqual(len(self.series()["snapshots"]), 2)


class Processes(Recorded):
    @each_user
    def test_several_are_columns_or_one_is_chosen(self, user):
        self.begin(user)
        target = Target(self, "tree", user=user)
        self.add(target.pid, "--tree")
        target.tell("fork")
        self.add(target.pid, "--tree")
        target.tell("end")
        self.add(target.pid, "--tree")
        worker = int(re.findall(r"worker (\d+)", " ".join(target.lines))[0])
        refused = run("series", self.path, user=user)
        self.assertEqual(refused.status, 2)
        self.assertIn(f"{worker} (tree)", refused.err)
        self.assertIn("--by process", refused.err)
        steps = self.series("--by", "process")["snapshots"]
        self.assertEqual([step["snapshots"] for step in steps], [1, 2, 1])
        lines = [{line["pid"]: line for line in step["lines"]} for step in steps]
        self.assertEqual(lines[1][worker]["changes"], ["added"])
        self.assertEqual(lines[2][worker]["changes"], ["removed"])
        one = self.series(which=f"@pid:{target.pid}")["snapshots"]
        self.assertEqual([step["snapshot"] for step in one], [1, 2, 4])
        header = run("series", self.path, "--by", "process", "-w", "100", user=user).out.decode().split("\n")[0]
        self.assertIn(f"{worker}_tree", header)
        # What they share is in it twice.
        self.assertEqual((header.split()[2], "RESIDENT" in header), ("RSS_SUM", False))

    @unmoved
    def test_a_fork_costs_what_its_sides_wrote(self):
        need_frames(self)
        self.begin(me())
        target = Target(self, "tree")
        self.add(target.pid, "--tree")
        target.tell("fork")
        # The child has done now what it does once: pages of its stack and of libraries.
        target.tell("write 1")
        self.add(target.pid, "--tree")
        for command in ("write 7", "pool 20", "write 9"):
            target.tell(command)
            self.add(target.pid, "--tree")
        document = self.series("--cow")
        steps = document["steps"]
        self.assertEqual(len(steps), 4)
        self.assertEqual([step["first"] for step in steps], [True, False, False, False])
        by_child = [step["by_child"] // PAGE for step in steps]
        by_parent = [step["by_parent"] // PAGE for step in steps]
        # Its table is private memory, the pool is shared.
        self.assertEqual([by_child[1] - by_child[0], by_child[3] - by_child[2]], [7, 9])
        self.assertEqual((by_child[2], by_parent[1:]), (by_child[1], by_parent[:1] * 3))
        for step, before in zip(steps[1:], steps):
            self.assertEqual(step["cost"], step["by_child"] + step["by_parent"] + step["by_both"] + step["by_unknown"])
            self.assertGreaterEqual(step["cost"], before["cost"])
            self.assertGreater(step["since_us"], before["since_us"])
        last = document["forks"][0]
        self.assertEqual(last["cost"], steps[-1]["cost"])
        cow = ask(self, "cow", f"{self.path}@{steps[-1]['parent']}", f"{self.path}@{steps[-1]['child']}", "--base",
                  f"{self.path}@{steps[0]['parent'] if steps[0]['base'] == 'after' else 1}", status=(0, 1))
        copied = sum(cow["totals"][key] for key in ("copied_by_child", "copied_by_parent", "copied_by_both", "copied"))
        self.assertEqual(copied * PAGE, steps[-1]["cost"])
        table = run("series", self.path, "--cow").out.decode()
        # Of what the clock does not tell apart nothing is said.
        when = document["forks"][0]["when"]
        self.assertRegex(table, r"(?m)^this fork cost [0-9.]+[KMG]?" + (r", (all|most) of it " if when else "$"))
        if when:
            self.assertGreaterEqual(10 * when["most"], 9 * last["cost"])
            self.assertEqual([step["since_us"] for step in steps if step["since_us"] in (when["from_us"], when["to_us"])],
                             [at for at in (when["from_us"], when["to_us"]) if at])
        # What happened to a page is not cut as long as there is what tells less.
        (stack,) = [vma for vma in kernel.maps(target.pid) if vma.name == b"[stack]"]
        history = run("page", f"{self.path}@pid:{target.pid}", hex(stack.end - 1), "--history", "-w", "80").out.decode()
        self.assertRegex(history, "became_shared|pfn_changed")
        self.assertNotIn("…", history)

    def test_what_is_inferred_of_its_cost_is_said_to_be(self):
        need_others(self)
        self.begin(NOBODY)
        target = Target(self, "tree", user=NOBODY)
        self.add(target.pid, "--tree")
        target.tell("fork")
        target.tell("write 7")
        self.add(target.pid, "--tree")
        self.assertGreater(self.series("--cow")["steps"][-1]["inferred"], 0)
        table = run("series", self.path, "--cow", user=NOBODY).out.decode()
        self.assertRegex(table, r"(?m)^this fork cost .*, as far as it can be inferred$")

    def test_without_a_fork_that_is_said(self):
        self.begin(me())
        target = Target(self, "writes")
        self.add(target.pid)
        result = run("series", self.path, "--cow")
        self.assertEqual((result.status, result.out), (2, b""))
        self.assertIn("no child", result.err)


class History(Recorded):
    def rows(self, address, which=""):
        document = ask(self, "page", self.path + which, hex(address), "--history", user=self.user)
        return document["rows"]

    @unmoved
    def test_a_line_for_each_change_and_no_other(self):
        self.begin(me())
        target = Target(self, "writes")
        need_frames(self)
        start = target.ranges["anon"][0] + 5 * PAGE
        target.tell("drop anon 0 64")
        for command in (None, None, "write anon 5 6", "write anon 9 20", None, "drop anon 5 6", None):
            if command:
                target.tell(command)
            self.add(target.pid)
        rows = self.rows(start)
        self.assertEqual([(row["index"], row["state"]) for row in rows],
                         [(1, "absent"), (3, "present"), (6, "absent")])
        self.assertEqual(rows[1]["changes"], ["appeared"])
        self.assertEqual(rows[2]["changes"], ["vanished"])
        self.assertEqual([row["index"] for row in self.rows(start, "@3..6")], [3, 6])
        text = run("page", self.path, hex(start), "--history").out.decode()
        self.assertIn("7 snapshots", text)

    @unmoved
    def test_it_follows_what_moved_and_agrees_with_snapshots_in_memory(self):
        need_frames(self)
        self.begin(me())
        target = Target(self, "writes")
        target.tell("map big 64")
        target.tell("write big 0 64")
        before = target.ranges["big"][0]
        self.add(target.pid)
        target.tell("move big")
        after = target.ranges["big"][0]
        self.add(target.pid)
        target.tell("write big 3 4")
        self.add(target.pid)
        rows = self.rows(after + 3 * PAGE)
        self.assertEqual([row["index"] for row in rows], [1, 2])
        self.assertEqual(int(rows[1]["moved_from"], 16), before + 3 * PAGE)
        rows = self.rows(before + 3 * PAGE)
        self.assertEqual(int(rows[1]["moved_to"], 16), after + 3 * PAGE)

    @each_user
    def test_of_several_processes_each_is_told(self, user):
        self.begin(user)
        target = Target(self, "tree", user=user)
        target.tell("fork")
        self.add(target.pid, "--tree")
        worker = int(re.findall(r"worker (\d+)", " ".join(target.lines))[0])
        address = kernel.maps(target.pid)[0].start
        self.assertEqual([row["pid"] for row in self.rows(address)], [target.pid, worker])
        self.assertEqual([row["pid"] for row in self.rows(address, f"@pid:{worker}")], [worker])


    def test_of_a_living_process_there_is_none(self):
        for words, says in ((("page", "1", "0", "--history"), "a history is of a file"),
                            (("series", "1"), "a series is of a file")):
            refused = run(*words)
            self.assertEqual(refused.status, 2)
            self.assertIn(says, refused.err)


class SeriesOfDifferences(Series):
    more = ("--delta",)


class ProcessesAsDifferences(Processes):
    more = ("--delta",)


class HistoryOfDifferences(History):
    more = ("--delta",)


class Document(Recorded):
    """docs/series.md."""

    @unmoved
    def test_its_sessions_print_what_it_says(self):
        need_frames(self)
        self.begin(me(), "demo.vms")
        target = Target(self, "writes")
        for command in (None, "map big 5120", "write big 0 5120", "write big 0 10", "drop big 0 3000"):
            if command:
                target.tell(command)
            self.add(target.pid)
        self.address = target.ranges["big"][0] + 16 * PAGE
        self.begin(me(), "fork.vms")
        target = Target(self, "tree")
        self.add(target.pid, "--tree")
        time.sleep(0.05)  # so that the clock of processes, which has ticks of 10 ms, tells it from the fork
        target.tell("fork")
        self.add(target.pid, "--tree")
        for command in ("write 7", "write 9"):
            target.tell(command)
            self.add(target.pid, "--tree")
        for block in blocks(read("docs", "series.md"), "console"):
            command, _, expected = block.partition("\n")
            words = command.removeprefix("$ vmsnap ").replace("7f0b2c155000", hex(self.address)).split()
            result = run(*words)
            self.assertEqual(result.status, 0, (command, result))
            got = result.out.decode()
            # When most of it was copied is not the same each time.
            had, has = (re.sub(r"(?m)^(this fork cost \S+), .*(\n  .*)*", r"\1 and when", text) for text in (expected, got))
            self.assertEqual([without_numbers(line) for line in has.split("\n")], [without_numbers(line) for line in had.split("\n")],
                             f"{command}\n{got}")


if __name__ == "__main__":
    main()
