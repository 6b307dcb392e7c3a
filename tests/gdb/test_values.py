"""What changed by variable, against a program that knows what it wrote: tests/targets/gdb_values.c."""

import json
import os
import re
import shutil
import signal
import subprocess
import unittest

from gdb_session import Gdb, folder, kernel, main, program, skip, wait_for
from mi import Mi
from value_rows import rows_of, wrote

# What work(1) changes, by path: (before, after).  In its frame nothing is left.
WRITTEN = {
    "counter": ("5", "8"), "hidden": ("7", "8"), "zeroed": ("0", "9"), "work::calls": ("4", "5"),
    "items[3].count": ("0", "7"), "items[3].name": ('""', '"apples"'), "items[3].price": ("0", "2.5"),
    "items[4].next": ("0x0", "<items+168>"), "items[5].high": ("0", "9"),
    "both.whole": ("0", "131073"), "both.half.low": ("0", "1"), "both.half.high": ("0", "2"),
    "text": ('"hello world"', '"hello there"'), "bytes[4]": ("0 '\\000'", "200 '\\310'"), "grid[1][2]": ("0", "12"),
    "many[0]": ("0", "1"), "many[3]": ("0", "2"), "many[6]": ("0", "3"), "many[9]": ("0", "4"), "many[12]": ("0", "5"),
    "exact": ("0", "1.5"), "flag": ("false", "true"), "where": ("0x0", "<counter>"), "word": ('"one"', '"two"'),
    "function": ("0x0", "<called>"), "of_thread": ("3", "4"), "local": ("1", "42"),
}
MORE = {"items": 3, "many": 995}


class Values(unittest.TestCase):
    def at_work(self, *args, **how):
        gdb = Gdb(self, "gdb_values", *args, **how)
        gdb("break work")
        gdb("run")
        return gdb

    def is_what_was_written(self, values):
        rows = rows_of(row for row in values if row["kind"] == "variable")
        told = {name for name, row in rows.items() if "more_changed" not in row}
        self.assertEqual(told, set(WRITTEN), "these changed, and nothing else")
        for name, (old, new) in WRITTEN.items():
            self.assertTrue(rows[name]["old"].endswith(old), (name, rows[name]))
            self.assertTrue(rows[name]["new"].endswith(new), (name, rows[name]))
        self.assertEqual({name: row["more_changed"] for name, row in rows.items() if "more_changed" in row}, MORE)
        self.assertEqual(rows["local"]["where"], "main()")
        self.assertRegex(rows["of_thread"]["where"], "^thread ")


class Wrote(Values):
    def test_finish_names_each_variable_that_the_call_changed_and_no_other(self):
        gdb = self.at_work()
        block = gdb.number("(long) block")
        values = wrote(gdb, "finish")
        self.is_what_was_written(values)
        heap = [row for row in values if row["kind"] == "heap"]
        self.assertEqual([(row["name"], row["old"], row["new"], row["block"], row["block_size"]) for row in heap],
                         [("block[10]", '""', '"x"', f"{block:#x}", 104)])
        self.assertEqual(gdb.names(), [], "nothing is kept")

    def test_names_no_other_where_there_is_more_than_is_told_byte_by_byte(self):
        gdb = self.at_work()
        gdb("python import vmsnap_gdb.changed_bytes; vmsnap_gdb.changed_bytes._MOST_RANGES = 3")
        self.is_what_was_written(wrote(gdb, "finish"))

    def test_text_has_a_line_for_each_and_a_summary(self):
        gdb = self.at_work()
        said = gdb("vmsnap wrote finish")
        self.assertIn("Value returned is", said, "what finish says comes first")
        self.assertRegex(said, r"(?m)^counter +5 → 8$")
        self.assertRegex(said, r"(?m)^items\[6\]\.color|^items +… and 3 more of it$")
        self.assertRegex(said, r'(?m)^block\[10\] +"" → "x"$')
        self.assertRegex(said, r"(?m)^\d+ variables, 1 heap block.* changed, on \d+ of \d+ pages compared\.$")
        self.assertRegex(gdb("vmsnap wrote --ascii next"), r"(?m)^result in main\(\) +-?\d+ -> 5$")

    def test_a_line_that_changes_a_local(self):
        gdb = self.at_work()
        gdb("finish")
        self.assertEqual(set(rows_of(wrote(gdb, "next"))), {"result"})
        row = wrote(gdb, "next")[0]
        self.assertEqual((row["name"], row["where"], row["old"], row["new"]), ("numbers[2]", "main()", "3", "8"))

    def test_a_variable_whose_block_is_entered_had_no_value_before(self):
        gdb = self.at_work()
        row = rows_of(wrote(gdb, "next 400"))["i"]
        self.assertEqual((row["where"], row["old"]), ("work()", "?"))
        self.assertEqual(row["new"], str(gdb.number("i")))

    def test_nothing_is_named_where_nothing_changed(self):
        gdb = self.at_work()
        gdb("delete")
        gdb("break nothing")
        gdb("continue")
        self.assertIn("No byte changed on ", gdb("vmsnap wrote stepi"))
        self.assertEqual(wrote(gdb, "stepi 2"), [])

    def test_where_the_kernel_notes_the_processor_is_not_told(self):
        gdb = self.at_work()
        pid, there = gdb.inferior(), sorted(os.sched_getaffinity(0))
        if len(there) < 2:
            skip(self, "another processor: there is none")
        os.sched_setaffinity(pid, {there[0]})
        gdb("stepi")
        os.sched_setaffinity(pid, {there[1]})
        self.assertEqual(wrote(gdb, "stepi"), [])

    def test_breakpoints_that_gdb_inserts_are_not_told(self):
        gdb = self.at_work()
        gdb("set breakpoint always-inserted on")
        gdb("break nothing")
        code = [(start, end) for start, end in self.code(gdb.inferior())]
        told = [int(row["address"], 16) for row in wrote(gdb, "finish")]
        self.assertFalse([at for at in told if any(start <= at < end for start, end in code)])

    @staticmethod
    def code(pid):
        return [(vma.start, vma.end) for vma in kernel.maps(pid) if "x" in vma.perms]

    def test_another_thread_has_thread_locals_of_its_own(self):
        gdb = self.at_work("thread")
        rows = [row for row in wrote(gdb, "finish") if row["name"] == "of_thread"]
        self.assertEqual([(row["old"], row["new"]) for row in rows], [("8", "4")])

    def test_what_ends_the_command_is_said(self):
        gdb = self.at_work()
        said = gdb("vmsnap wrote next 4000")
        self.assertIn("note: 'next' was ended by breakpoint", gdb.notes)
        self.assertRegex(said, r"(?m)^counter +5 → 8$", "what changed until then is told")

    def test_another_thread_that_stops_is_said(self):
        gdb = Gdb(self, "gdb_threads", 3)
        for line in ("break all_here", "run", "delete", "break in_thread"):
            gdb(line)
        said = gdb("vmsnap wrote continue")
        self.assertRegex(gdb.notes, rf"note: another thread stopped: \d+, and not {gdb.inferior()}\b")
        self.assertRegex(said, r"(?m)^pages\[\d\]\.value +1 → 42$")

    def test_a_call_by_hand(self):
        gdb = self.at_work()
        gdb("delete")
        said = gdb("vmsnap wrote call work(2, local)")
        self.assertRegex(said, r"(?m)^counter +5 → 8$")
        self.assertRegex(said, r"(?m)^work::calls +4 → 6$")
        self.assertNotRegex(said, r"(?m)^7ff.*\[stack\]", "what gdb and the call had on the stack is of no frame")

    def test_an_exit_is_said(self):
        gdb = Gdb(self, "gdb_values", "exit")
        gdb("break main")
        gdb("run")
        gdb("vmsnap wrote continue")
        self.assertRegex(gdb.notes, r"note: process \d+ has ended with exit code 3")

    def test_an_exec_is_said(self):
        gdb = Gdb(self, "gdb_values", "exec")
        gdb("break main")
        gdb("run")
        gdb("vmsnap wrote continue")
        self.assertRegex(gdb.notes, r"note: process \d+ has executed another program")

    def test_a_signal_is_said_and_what_changed_until_then_is_told(self):
        gdb = Gdb(self, "gdb_values", "crash")
        gdb("break crash")
        gdb("run")
        said = gdb("vmsnap wrote finish")
        self.assertIn("'finish' was ended by SIGSEGV", gdb.notes)
        self.assertRegex(said, r"(?m)^counter +5 → 77$")

    def test_ctrl_c_ends_the_command(self):
        gdb = Gdb(self, "gdb_values", "wait")
        gdb("break main")
        gdb("run")
        pid = gdb.inferior()
        gdb.start("vmsnap wrote continue")
        self.assertTrue(wait_for(lambda: self._waits(pid)), "it does not wait")
        os.kill(pid, signal.SIGINT)
        said, complaint = gdb.finish()
        self.assertIn("'continue' was ended by SIGINT", complaint)
        self.assertRegex(said, r"(?m)^counter +5 → 6$")

    @staticmethod
    def _waits(pid):
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            return file.read().split()[0] in ("34", "73")  # pause; ppoll, where there is no pause

    def test_a_command_that_cannot_be_done_is_an_error(self):
        gdb = self.at_work()
        gdb.fails("vmsnap wrote nonsense", "Undefined command")
        gdb.fails("vmsnap wrote --nonsense next", "--nonsense")
        gdb.fails("vmsnap wrote next &", "background")
        gdb.fails("vmsnap wrote", "auto stop")
        gdb("kill")
        gdb.fails("vmsnap wrote next", "no live process")

    def test_alone_it_tells_since_the_stop_before(self):
        gdb = Gdb(self, "gdb_values")
        gdb("vmsnap auto stop")
        gdb("break work")
        gdb("run")
        gdb("finish")
        said = gdb("vmsnap wrote")
        self.assertRegex(gdb.notes, r"note: since stop1, breakpoint 1 at work ")
        self.assertRegex(said, r"(?m)^counter +5 → 8$")

    def test_alone_it_tells_since_the_stop_at_which_it_was_asked_for(self):
        gdb = self.at_work()
        self.assertIn("auto stop is on; 1 stop taken", gdb("vmsnap auto stop"))
        gdb("vmsnap auto stop")
        self.assertEqual(gdb.names(), ["stop1"], "it was on")
        gdb("finish")
        said = gdb("vmsnap wrote")
        self.assertRegex(gdb.notes, r"note: since stop1, breakpoint 1 at work ")
        self.assertRegex(said, r"(?m)^counter +5 → 8$")

    def test_mi_has_it_as_values(self):
        gdb = Mi(self, "gdb_values")
        gdb("-break-insert work")
        gdb("-exec-run")
        gdb.stopped()
        gdb("-vmsnap-take before")
        gdb("-exec-finish")
        gdb.stopped()
        made = gdb("-vmsnap-wrote")
        rows = rows_of(made["values"])
        self.assertEqual((made["schema"], rows["counter"]["old"], rows["counter"]["new"]), ("vmsnap.wrote/1", "5", "8"))
        self.assertEqual(gdb("-vmsnap-print --at before counter"), {"snapshot": "before", "value": "5"})
        self.assertEqual(rows_of(gdb("-vmsnap-diff")["values"])["counter"]["new"], "8")


class Heap(Values):
    """Blocks of malloc's by the pointers that lead to them."""

    WRITTEN = {
        "list->n": ("0", "7"), "list->next->n": ("0", "1"), "list->next->next->n": ("0", "99"),
        "list->name": ('""', '"x"'), "list->high": ("0", "9"), "table->count": ("0", "2"), "numbers[5]": ("0", "3"),
        "text": ('""', '"changed"'), "items[2].n": ("0", "-1"), "*local": ("1", "5"), "mine->n": ("0", "12"),
        "headed->n": ("0", "4"), "row[1]": ('""', '"x"'),
    }

    def changed(self, *settings):
        gdb = Gdb(self, "gdb_heap")
        gdb("break change")
        gdb("run")
        for line in settings:
            complaint = gdb.do(line)[1]
            if complaint:
                skip(self, complaint.strip())
        list_at, untyped = gdb.number("(long) list"), gdb.number("(long) untyped")
        headed_at = gdb.number("(long) headed")
        rows = wrote(gdb, "finish")
        self.told_by_mapping(gdb, rows)
        self.assertEqual([row for row in rows if row["kind"] == "memory" and "[heap]" in row.get("where", "")], [])
        sizes = [row["where"] for row in rows if row.get("where", "").startswith("malloc's size of the block at 0x")]
        self.assertIn(f"malloc's size of the block at {gdb.number('(long) kept'):#x}", sizes)
        rows = [row for row in rows if row["kind"] == "heap" and not row["name"].startswith("free ")]
        found = {row["name"]: (row.get("old"), row.get("new")) for row in rows}
        self.assertEqual(found.pop(f"heap block of 72 bytes at {untyped:#x}", None), (None, None), found)
        slot = found.pop("table->slots[3]")
        self.assertEqual((slot[0], slot[1].split()[0]), ("0x0", f"{list_at:#x}"))
        self.assertEqual(found, self.WRITTEN)
        self.assertEqual({row["block"] for row in rows if row["name"].startswith("list->n") and "next" not in row["name"]},
                         {f"{list_at:#x}"})
        self.assertEqual({(row["block"], row["block_size"]) for row in rows if row["name"] == "headed->n"},
                         {(f"{headed_at - 8:#x}", 40)})

    def told_by_mapping(self, gdb, rows):
        """What has no name, and nothing across what is not mapped."""
        islands = [gdb.number(f"(long) islands[{index}]") for index in (0, 1)]
        told = [(int(row["address"], 16), row["size"]) for row in rows if row["kind"] == "memory"]
        told = [(start, size) for start, size in told if islands[0] <= start < islands[1] + 4096]
        self.assertEqual(told, [(islands[0] + 4095 - 3600, 3601), (islands[1], 3601)])

    def test_members_by_path(self):
        self.changed()

    def test_members_by_path_of_what_was_written_only(self):
        self.changed("set vmsnap track uffd")


class Untyped(Values):
    def test_bytes_of_a_large_variable_by_where_they_lie_in_it(self):
        if not shutil.which("strip"):
            skip(self, "a program without debug information: there is no strip")
        where = folder(self)
        path = os.path.join(where, "bare")
        subprocess.run(["strip", "-g", "-o", path, program("gdb_values")], check=True)
        gdb = Gdb(self, path)
        gdb("break work")
        gdb("run")
        rows = {row["name"]: (row.get("old"), row.get("new")) for row in wrote(gdb, "finish")
                if row["kind"] == "variable"}
        self.assertEqual({name: change for name, change in rows.items() if re.match(r"(counter|text|bytes|grid)\b", name)}, {
            "counter": ("0x5", "0x8"), "text+6": ("77 6f726c64", "74 68657265"), "bytes+4": ("0x0", "0xc8"),
            "grid+24": ("0x0", "0xc")}, rows)


class Saved(Values):
    """What gdb saves tells the same later, with or without the files that it was of."""

    def saved(self):
        gdb = self.at_work()
        path = os.path.join(folder(self), "two.vms")
        gdb("vmsnap take a")
        gdb("finish")
        gdb("vmsnap take b")
        gdb(f"vmsnap save --contents {path}")
        self.pid = gdb.inferior()
        return path

    def told(self, path, *more):
        argv = [os.environ["VMSNAP"], "diff", "--values", "--json", *more, f"{path}@a", f"{path}@b"]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1, done.stderr)
        return {row["name"] + row["path"]: row for row in json.loads(done.stdout)["values"]
                if not row["name"].startswith("_rtld_")}

    def check(self, rows):
        wanted = set(WRITTEN)
        # More elements of many are told there; of items all.
        self.assertEqual({name for name in rows if not name.startswith(("many[", "items["))},
                         {name for name in wanted if not name.startswith(("many[", "items["))})
        self.assertLessEqual({name for name in wanted if name.startswith(("many[", "items["))}, set(rows))
        for name, before, after in (("counter", "5", "8"), ("text", '"hello world"', '"hello there"'), ("local", "1", "42"),
                                    ("items[3].price", "0", "2.5"), ("items[6].color", "RED", "BLUE"),
                                    ("items[5].small", "0", "-3"), ("where", "NULL", "&counter"),
                                    ("items[4].next", "NULL", "&items+168"), ("of_thread", "3", "4"),
                                    ("exact", "0", "1.5"), ("flag", "false", "true")):
            self.assertEqual((rows[name]["before"], rows[name]["after"]), (before, after), name)
        self.assertEqual((rows["local"]["function"], rows["local"]["type"], rows["local"]["tid"]),
                         ("main", "int", self.pid))
        self.assertEqual(rows["of_thread"]["tid"], self.pid)
        self.assertEqual(rows["counter"]["function"], None)
        self.assertEqual(sum(row["more"] for name, row in rows.items() if name.startswith("many[")), 992)

    def test_with_the_files(self):
        self.check(self.told(self.saved()))

    def test_without_any_file(self):
        self.check(self.told(self.saved(), "--sysroot", folder(self)))

    def test_page_says_what_each_held_without_any_file(self):
        path, empty = self.saved(), folder(self)
        rows = self.told(path, "--sysroot", empty)
        for snapshot, side in (("a", "before"), ("b", "after")):
            for name in ("counter", "items[3].price", "items[6].color", "items[5].small", "where", "local", "of_thread", "flag"):
                done = subprocess.run([os.environ["VMSNAP"], "page", "--json", "--sysroot", empty, f"{path}@{snapshot}",
                                       rows[name]["address"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
                told = {row["name"] + row["path"]: row["value"] for row in json.loads(done.stdout)["values"]}
                self.assertEqual(told.get(name), rows[name][side], (name, told))
        said = subprocess.run([os.environ["VMSNAP"], "page", f"{path}@b", rows["local"]["address"]],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertRegex(said, r"(?m)^value +local in main\(\) = 42 \(int\)$")

    def test_text_says_where_a_local_is(self):
        path = self.saved()
        said = subprocess.run([os.environ["VMSNAP"], "diff", "--values", f"{path}@a", f"{path}@b"],
                              stdout=subprocess.PIPE).stdout.decode()
        self.assertRegex(said, r"(?m)^local in main\(\) +1 → 42 +int$")
        self.assertRegex(said, rf"(?m)^of_thread in thread {self.pid} +3 → 4 +int$")

    def test_no_types_without_contents(self):
        gdb = self.at_work()
        path = os.path.join(folder(self), "one.vms")
        gdb("vmsnap take a")
        gdb(f"vmsnap save {path}")
        with open(path, "rb") as file:
            self.assertNotIn(b"TYPE", file.read())


class Diff(Values):
    def test_diff_lists_values_below_its_table(self):
        gdb = self.at_work()
        gdb("vmsnap take a")
        gdb("finish")
        self.assertRegex(gdb("vmsnap diff"), r"(?m)^values\n(  .*\n)*  counter +5 → 8\n")
        self.is_what_was_written(gdb.json("vmsnap diff a now")["values"])
        gdb("vmsnap take b")
        self.is_what_was_written(gdb.json("vmsnap diff a b")["values"])
        self.assertNotIn("\nvalues\n", gdb("vmsnap diff b b"))

    def test_what_was_written_from_gdb_is_told_so(self):
        gdb = self.at_work()
        gdb("vmsnap take before")
        gdb("set var counter = 6")
        said = gdb("vmsnap diff before now")
        self.assertRegex(said, r"(?m)^  counter +5 → 6, touched by gdb$")
        gdb("next")
        self.assertEqual(len(re.findall("→ .*touched by gdb", gdb("vmsnap diff before now"))), 1)

    def test_with_contents_off_there_are_none(self):
        gdb = self.at_work()
        gdb("set vmsnap contents off")
        gdb("vmsnap take a")
        gdb("finish")
        self.assertNotIn("values", gdb.json("vmsnap diff"))
        self.assertNotIn("\nvalues\n", gdb("vmsnap diff"))

    def test_a_snapshot_keeps_contents_as_it_is_set(self):
        gdb = self.at_work()
        kind = "session.newest().snapshot.contents"
        for how, expected in (("auto", "bytes"), ("hash", "hashes"), ("full", "bytes"), ("off", "none")):
            gdb(f"set vmsnap contents {how}")
            gdb("vmsnap take")
            self.assertEqual(gdb.value(kind), expected, how)
        gdb("vmsnap take --contents")
        self.assertEqual(gdb.value(kind), "bytes")

    def test_hits_of_breakpoints_keep_none_unless_that_was_set(self):
        gdb = Gdb(self, "gdb_values")
        gdb("vmsnap auto break work")
        gdb("break nothing")
        gdb("run")
        self.assertEqual(gdb.value("[each.snapshot.contents for each in session.entries()]"), ["none"] * 3)

    def test_more_memory_than_auto_keeps_is_said_once(self):
        gdb = self.at_work()
        gdb("python import vmsnap_gdb.keeping; vmsnap_gdb.keeping.AUTO_LIMIT = 4096")
        gdb("vmsnap take")
        self.assertRegex(gdb.notes, r"note: process \d+ has .* of its own: what it holds is not kept")
        gdb("vmsnap take")
        self.assertNotIn("not kept", gdb.notes)
        self.assertEqual(gdb.value("session.newest().snapshot.contents"), "none")


class Files(Values):
    def test_contents_are_saved_only_if_asked_for(self):
        gdb = self.at_work()
        gdb("vmsnap take a")
        gdb("finish")
        gdb("vmsnap take b")
        gdb("vmsnap save poor.vms")
        gdb("vmsnap save --contents rich.vms")
        gdb("vmsnap drop --all")
        gdb("vmsnap load poor.vms")
        gdb.fails("vmsnap print --at a counter", "--contents")
        gdb("vmsnap drop --all")
        gdb("vmsnap load rich.vms")
        self.assertEqual(gdb("vmsnap print --at a counter"), "a: counter = 5\n")
        rows = rows_of(gdb.json("vmsnap diff a b")["values"])
        self.assertEqual((rows["counter"]["old"], rows["items[3].count"]["new"]), ("5", "7"))


class Functions(Values):
    def test_changed_is_about_the_object_and_written_about_its_page(self):
        gdb = self.at_work()
        gdb("vmsnap take")
        gdb("finish")
        for expression, changed, written in (("&counter", 1, 1), ("&untouched", 0, 1), ("&items[3]", 1, None),
                                             ("items[2]", 0, None), ("(long)&untouched", 1, 1), ("&many[1]", 0, 1),
                                             ("&many[15000]", 0, 0), ("many", 1, None)):
            self.assertEqual(gdb.number(f"$_vmsnap_changed({expression})"), changed, expression)
            if written is not None:
                self.assertEqual(gdb.number(f"$_vmsnap_written({expression})"), written, expression)

    def test_a_breakpoint_stops_when_the_variable_has_changed(self):
        gdb = self.at_work()
        gdb("vmsnap take")
        gdb("condition 1 $_vmsnap_changed(&untouched)")
        gdb("break nothing if $_vmsnap_changed(&counter)")
        self.assertIn("nothing", gdb("continue"))
        self.assertEqual(gdb.number("counter"), 14)

    def test_what_is_not_known_is_an_error_at_which_it_stops(self):
        gdb = self.at_work()
        gdb("set vmsnap contents off")
        gdb("vmsnap take")
        gdb.fails("print $_vmsnap_changed(&counter)", "not known", "contents")
        gdb.fails("print $_vmsnap_written(&counter)", "not known", "contents")
        gdb("condition 1 $_vmsnap_changed(&untouched)")
        said, complaint = gdb.do("continue")
        self.assertIn("work (n=2", said)
        self.assertIn("not known", complaint)

    def test_hashes_tell_that_nothing_was_written(self):
        gdb = self.at_work()
        gdb("set vmsnap contents hash")
        gdb("vmsnap take")
        self.assertEqual(gdb.number("$_vmsnap_changed(&counter)"), 0)
        gdb("finish")
        self.assertEqual(gdb.number("$_vmsnap_written(&counter)"), 1)
        gdb.fails("print $_vmsnap_changed(&counter)", "hashes")


class Print(Values):
    def test_values_are_the_snapshots(self):
        gdb = self.at_work()
        gdb("vmsnap take before")
        gdb("finish")
        for expression, before, now in (
                ("counter", "5", "8"), ("items[3].name", '""', '"apples"'), ("items[3].price * 2", "0", "5"),
                ("items[5].small", "0", "-3"), ("items[5].high + 1", "1", "10"), ("*&counter", "5", "8"),
                ("items[6].color", "RED", "BLUE"), ("items[7].at.y", "0", "-2"), ("local", "1", "42"),
                ("numbers[1]", "2", "2"), ("*(short *)((char *)&both + 2)", "0", "2"), ("-- -counter % 4", "-1", "0"),
                ("word", '"one"', '"two"'), ("word[1]", "110 'n'", "119 'w'"), ("grid[1]", "{0, 0, 0, 0}", "{0, 0, 12, 0}"),
                ("function", "0x0", "<called>"), ("'gdb_values.c'::hidden", "7", "8")):
            for name, value in (("before", before), ("now", now)):
                said = gdb(f"vmsnap print --at {name} {expression}")
                self.assertTrue(said.startswith(f"{name}: {expression.removeprefix('-- ')} = "), said)
                self.assertTrue(said.endswith(f"{value}\n"), said)
        self.assertEqual(gdb("vmsnap print --at now items[4].next->count"), "now: items[4].next->count = 7\n")
        self.assertEqual(gdb("vmsnap print counter"), "before: counter = 5\n", "the newest that keeps contents")

    def test_calls_registers_and_what_is_unknown_are_refused(self):
        gdb = self.at_work()
        gdb("vmsnap take")
        for expression, word in (("called()", "called"), ("$pc", "register"), ("nonsense", "nonsense"), ("counter = 3", "="),
                                 ("counter++", "+"), ("*(int *)0", "not known"), ("counter.x", "members"),
                                 ("items[0].nonsense", "nonsense"), ("*counter", "pointer"), ("(counter", ")"),
                                 ("items[4].next->count", "not known"), ("-- -word", "negate"), ("08", "literal"),
                                 ("99999999999999999999999", "too big"), ("1 / 0", "zero"), ("(" * 2000, "nested")):
            gdb.fails(f"vmsnap print {expression}", word)
        gdb("set vmsnap contents off")
        gdb("vmsnap take poor")
        gdb.fails("vmsnap print --at poor counter", "poor", "--contents")
        gdb.fails("vmsnap print --at nobody counter", "nobody")

    def test_page_shows_the_value_in_each_snapshot(self):
        gdb = self.at_work()
        gdb("vmsnap take")
        gdb("finish")
        self.assertTrue(gdb("vmsnap page &counter").endswith("\nvalues\n  s1   5\n  now  8\n"))
        self.assertNotIn("\nvalues\n", gdb("vmsnap page (long)&counter"))

    def test_a_type_larger_than_max_value_size_does_not_crash_gdb(self):
        gdb = self.at_work()
        gdb("set max-value-size 1024")
        gdb("vmsnap take")
        self.is_what_was_written(wrote(gdb, "finish"))
        self.assertTrue(gdb("vmsnap print many").startswith("s1: many = {0, 0, "))
        self.assertEqual(gdb.number("$_vmsnap_changed(&many)"), 1)


class Dump(Values):
    def test_bytes_of_a_snapshot_and_of_now(self):
        gdb = self.at_work()
        gdb("vmsnap take before --contents")
        gdb("vmsnap wrote finish")
        self.assertRegex(gdb("vmsnap dump before text"), r"^[0-9a-f]+  68 65 6c 6c 6f 20 77 6f .*\|hello wo")
        self.assertIn("|hello there", gdb("vmsnap dump text"))
        self.assertRegex(gdb("vmsnap dump before &counter,+4 --diff now"), r"05 00 00 00[^\n]*\n +08 ")
        gdb("set vmsnap contents off")
        gdb("vmsnap take bare")
        gdb.fails("vmsnap dump bare text", "take --contents")


if __name__ == "__main__":
    main()
