"""The commands on a live program, on values through JSON and once each on text."""

import os
import re
import subprocess
import sys
import unittest

import truth
from gdb_session import FRAMES, SOURCE, Gdb, Target, kernel, main, need_frames, skip, world
from truth import PAGE


class Commands(unittest.TestCase):
    def at_step(self, count=6):
        """gdb at the first step(), where page 0 of pages[] has been written to."""
        gdb = Gdb(self, "gdb_steps", "write", count)
        gdb("break step")
        gdb("run")
        return gdb

    def page(self, gdb, index):
        return gdb.number(f"(unsigned long) &pages[{index}]")


class Take(Commands):
    def test_take_names_snapshots_in_turn_and_says_what_it_took(self):
        gdb = self.at_step()
        self.assertRegex(gdb("vmsnap take"), r"^Snapshot s1: process \d+ \(gdb_steps\), .* resident in \d+ mappings, "
                                             r"breakpoint 1 at step \(gdb_steps\.c:\d+\), thread 1\n$")
        gdb("vmsnap take second")
        gdb("vmsnap take")
        self.assertEqual(gdb.names(), ["s1", "second", "s2"])

    def test_snapshot_holds_the_pages_that_the_kernel_tells_of(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        pid = gdb.inferior()
        shown = gdb.json("vmsnap show s1")
        self.assertEqual(shown["snapshot"]["pid"], pid)
        self.assertEqual(shown["snapshot"]["freeze"], "debugger")
        self.assertTrue(shown["snapshot"]["consistent"])
        vmas = kernel.maps(pid)
        self.assertEqual([(int(vma["start"], 16), int(vma["end"], 16), vma["perms"]) for vma in shown["vmas"]],
                         [(vma.start, vma.end, vma.perms) for vma in vmas])
        present = {at for at, word in kernel.entries(pid, [(vma.start, vma.end) for vma in vmas]).items()
                   if word & kernel.PRESENT}
        runs = gdb.json("vmsnap pages s1")["runs"]
        self.assertEqual({int(run["start"], 16) + index * PAGE for run in runs if run["state"] == "present"
                          for index in range(run["pages"])}, present)

    def test_take_refuses_a_name_twice_and_names_that_mean_something_else(self):
        gdb = self.at_step()
        gdb("vmsnap take here")
        gdb.fails("vmsnap take here", "already", "here")
        gdb.fails("vmsnap take now", "now")
        gdb.fails("vmsnap take two words", "usage")
        gdb.fails("vmsnap take --nonsense", "--nonsense")
        gdb.fails("vmsnap take 'two words'", "name")
        self.assertEqual(gdb.names(), ["here"])

    def test_replace_takes_the_place_of_one(self):
        gdb = self.at_step()
        gdb("define mark\nvmsnap take here --replace\nend")
        gdb("mark")
        gdb("vmsnap take other")
        gdb("continue")
        gdb("mark")
        self.assertEqual(gdb.names(), ["other", "here"])
        self.assertEqual(gdb.number("$_vmsnap_changed(&pages[1])"), 0, "it is the newer of the two")
        gdb.fails("vmsnap take --replace", "name")
        gdb.fails("vmsnap take now --replace", "now")
        self.assertEqual(gdb.completions("vmsnap take --replace "), ["here", "other"])

    def test_reason_tells_signal_and_place(self):
        gdb = Gdb(self, "gdb_steps", "crash")
        gdb("run")
        gdb("vmsnap take")
        self.assertRegex(gdb.json("vmsnap list")["snapshots"][0]["reason"],
                         r"^SIGSEGV at main \(gdb_steps\.c:\d+\), thread 1$")

    def test_taking_leaves_the_program_and_gdb_as_they_were(self):
        gdb = self.at_step(3)
        gdb("up")
        before = gdb("info registers"), gdb("frame"), gdb("info breakpoints")
        gdb("vmsnap take")
        gdb("vmsnap diff")
        self.assertEqual((gdb("info registers"), gdb("frame"), gdb("info breakpoints")), before)
        gdb("delete")
        self.assertIn("exited with code 03", gdb("continue"))


class Look(Commands):
    def test_list_has_a_line_for_each_with_reason(self):
        gdb = self.at_step()
        self.assertIn("vmsnap take", gdb("vmsnap list"), "says what to do where there is nothing")
        gdb("vmsnap take")
        lines = gdb("vmsnap list").splitlines()
        self.assertRegex(lines[0], "^NAME .* WHY")
        self.assertRegex(lines[1], rf"^s1 .* {gdb.inferior()} gdb_steps .* breakpoint 1 at step")
        row = gdb.json("vmsnap list")["snapshots"][0]
        self.assertEqual((row["name"], row["pid"], row["threads"]), ("s1", gdb.inferior(), 1))
        status = kernel.status(gdb.inferior())
        self.assertEqual(row["resident"] // 1024, int(status["VmRSS"].split()[0]))

    def test_show_status_map_and_pages_default_to_the_live_process(self):
        gdb = self.at_step()
        pid = gdb.inferior()
        self.assertRegex(gdb("vmsnap show"), rf"(?s)\b{pid}\b.*\[stack\]")
        kinds = {each["kind"]: each["mappings"] for each in gdb.json("vmsnap show --by kind")["groups"]}
        self.assertEqual(kinds["stack"], 1)
        self.assertEqual(sum(kinds.values()), len(gdb.json("vmsnap show")["vmas"]))
        self.assertRegex(gdb("vmsnap status"), rf"(?m)^Pid +{pid}$")
        self.assertIn("1 cell =", gdb("vmsnap map"))
        self.assertRegex(gdb("vmsnap pages"), r"(?m)^START .*\n[0-9a-f]+ +\d+ +present")
        for command in ("show", "status", "map", "pages"):
            made = gdb.json(f"vmsnap {command}")
            self.assertEqual(made["schema"], f"vmsnap.{command}/1")
        self.assertEqual(gdb.names(), [], "looking keeps nothing")

    def test_status_and_map_of_two_are_side_by_side(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        gdb("continue")
        rows = {row["key"]: (row["a"], row["b"]) for row in gdb.json("vmsnap status s1 now")["status"]}
        self.assertEqual(rows["RssAnon"][1] - rows["RssAnon"][0], PAGE)
        gdb.json("vmsnap map s1 now")

    def test_pages_takes_expressions_as_range(self):
        gdb = self.at_step()
        first = self.page(gdb, 0)
        runs = gdb.json("vmsnap pages now &pages[0] +8192")["runs"]
        self.assertEqual([(run["start"], run["pages"]) for run in runs if run["state"] == "present"],
                         [(f"{first:#x}", 1)])
        self.assertEqual(gdb.json("vmsnap pages now &pages[0] '&pages[0] + 1'")["runs"][0]["start"], f"{first:#x}")
        gdb.fails("vmsnap pages now nonsense", "nonsense")

    def test_filters_choose_mappings_and_pages(self):
        gdb = self.at_step()
        first = self.page(gdb, 0)
        mapping = next(vma for vma in kernel.maps(gdb.inferior()) if vma.start <= first < vma.end)

        def shown(words):
            return [int(vma["start"], 16) for vma in gdb.json(f"vmsnap show {words}")["vmas"]]
        for words in ("--range pages", "--range &pages[3]", "--range &pages,&pages[1]", "--range pages,+small",
                      f"--range {first:x}-{first + PAGE:x}", f"--range {first:#x}+0x1000",
                      "--range '&pages[0], +(long)sizeof(struct page)'"):
            self.assertEqual(shown(words), [mapping.start], words)
        sp = gdb.number("(unsigned long) $sp")
        stack = next(vma for vma in kernel.maps(gdb.inferior()) if vma.start <= sp < vma.end)
        self.assertEqual(shown("--name [stack] --perm rw"), [stack.start])
        # Of the array one page was written to; its bounds are no page's.
        for words, pages in (("--range pages", 1), ("--range pages[0]", 1), ("--range pages[1]", 0),
                             ("--range pages --only exclusive,!file", 1), ("--range pages --only file", 0)):
            runs = gdb.json(f"vmsnap pages now {words}")["runs"]
            self.assertEqual([(int(run["start"], 16), run["pages"]) for run in runs if run["state"] == "present"],
                             [(first, 1)][:pages], words)
        gdb("vmsnap take")
        gdb("continue")
        gdb.json("vmsnap map s1 now --range pages")
        gdb.fails("vmsnap show --range pages,+", "expression")
        gdb.fails("vmsnap show --range small", "did you mean &small?")
        gdb.fails("vmsnap show --range small,&small", "did you mean &small?")
        gdb.fails("vmsnap show --range small+0,small+0", "empty")
        gdb.fails("vmsnap show --range nonsense", "nonsense")
        gdb.fails("vmsnap show --only nonsense", "nonsense")

    def test_a_snapshot_that_there_is_not_is_named(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        for name in ("s7", "b3.1", "fork1.parent"):
            said = gdb.fails(f"vmsnap page &small {name}", f"there is no snapshot called '{name}'", "there are s1, and now")
            self.assertNotIn("syntax", said)
        gdb.fails("vmsnap page &small +", "syntax error")
        gdb("vmsnap drop s1")
        for command in ("vmsnap page &small s1", "vmsnap show s1", "vmsnap diff s1"):
            gdb.fails(command, "the snapshot 's1' was dropped; there are none left")
        gdb("vmsnap take s1")
        gdb("vmsnap page &small s1")

    def test_drop_forgets(self):
        gdb = self.at_step()
        for _ in range(3):
            gdb("vmsnap take")
        gdb.fails("vmsnap drop", "usage")
        gdb.fails("vmsnap drop s1 s9", "s9")
        self.assertEqual(gdb.names(), ["s1", "s2", "s3"], "all or nothing")
        self.assertEqual(gdb("vmsnap drop s1 s2"), "Dropped 2 snapshots.\n")
        self.assertEqual(gdb.names(), ["s3"])
        gdb("vmsnap drop --all")
        self.assertEqual(gdb.names(), [])
        gdb("vmsnap take")
        self.assertEqual(gdb.names(), ["s4"], "a name is not used again")


class Diff(Commands):
    def test_diff_names_the_one_page_that_was_written(self):
        gdb = self.at_step()
        for index in range(1, 4):
            gdb("vmsnap take")
            gdb("continue")
            diff = gdb.json("vmsnap diff")
            found = truth.changes(diff)
            self.assertEqual(found, {self.page(gdb, index): {"appeared"}})
            self.assertEqual(diff["totals"]["appeared"], 1)
            self.assertEqual(truth.names_on(diff["pages"], self.page(gdb, index)), ["pages"])
            self.assertEqual((diff["a"]["label"], diff["b"]["label"]), (f"s{index}", "now"))

    def test_diff_text_says_how_many_pages_and_which_variable(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        self.assertNotIn("appeared", gdb("vmsnap diff"))
        gdb("continue")
        text = gdb("vmsnap diff")
        self.assertRegex(text, r"(?m)^pages +1 appeared")
        self.assertRegex(text, rf"(?m)^ *{self.page(gdb, 1):x}.*\bpages\b|\bpages\b.*\+0x1000")

    def test_show_of_several_is_each_of_them(self):
        gdb = self.at_step()
        for name in ("a", "b"):
            gdb(f"vmsnap take {name}")
            gdb("continue")
        each = [gdb.json(f"vmsnap show {name} --perm x") for name in ("a", "b")]
        self.assertEqual(gdb.json("vmsnap show a b --perm x"), each)
        self.assertRegex(gdb("vmsnap show a b"), r"(?s)\A==> a: \d+ \S+ <==\n.*\n\n==> b: \d+ \S+ <==\n")

    def test_diff_of_two_runs(self):
        gdb = self.at_step()
        gdb("vmsnap take a")
        told = gdb.json("vmsnap diff --aslr a a")
        self.assertEqual((told["schema"], [row for row in told["mappings"] if row["differs"]]), ("vmsnap.aslr/1", []))
        self.assertEqual(told["total"]["both"], len(told["mappings"]))
        self.assertIn("No differences but the addresses.", gdb("vmsnap diff --aslr a a"))
        self.assertIn("B maps", gdb("vmsnap diff --aslr"))

    def test_diff_of_two_named_ones_in_either_order(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        gdb("continue")
        gdb("vmsnap take")
        page = self.page(gdb, 1)
        self.assertEqual(truth.changes(gdb.json("vmsnap diff s1 s2")), {page: {"appeared"}})
        self.assertEqual(truth.changes(gdb.json("vmsnap diff s2 s1")), {page: {"vanished"}})
        self.assertEqual(truth.changes(gdb.json("vmsnap diff s2")), {})

    def test_diff_around_a_call_made_from_gdb(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        self.assertEqual(gdb.number("called(9)"), 18)
        diff = gdb.json("vmsnap diff")
        at = gdb.number("(unsigned long) &other_page")
        self.assertEqual(truth.changes(diff).get(at), {"appeared"})
        stack = [row for row in diff["pages"] if row["touched_by_debugger"]]
        self.assertTrue(any("inferior call" in row["touched_by"] for row in stack), diff["pages"])
        self.assertFalse(any(row["touched_by_debugger"] for row in diff["pages"] if int(row["start"], 16) == at))

    def test_diff_without_any_snapshot_says_how_to_get_one(self):
        self.at_step().fails("vmsnap diff", "vmsnap take")

    def test_bad_operands(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        for command in ("vmsnap diff nowhere", "vmsnap show nowhere", "vmsnap page &small --at nowhere",
                        "vmsnap cow s1 nowhere", "vmsnap map nowhere"):
            gdb.fails(command)
        gdb.fails("vmsnap diff nowhere", "nowhere", "s1", "now")
        gdb.fails("vmsnap diff a b c", "usage")
        gdb.fails("vmsnap cow s1", "child")
        self.assertIn("vmsnap take --", gdb("vmsnap"), "alone it lists the commands")
        gdb.fails("vmsnap nonsense", "nonsense")
        gdb.fails("vmsnap diff --width=abc", "number")


class Page(Commands):
    def test_page_of_an_expression_is_what_the_kernel_says(self):
        gdb = self.at_step()
        pid = gdb.inferior()
        for expression, address in (("&pages[0]", "&pages[0]"), ("first.next", "&second"), ("pages", "&pages"),
                                    ("&pages[0].value + 3", "&pages[0].value + 3"), ("$sp", "$sp"), ("step", "step"),
                                    ("$pc", "$pc"), ("&first.number", "&first.number")):
            at = gdb.number(f"(unsigned long) ({address})")
            made = gdb.json(f"vmsnap page {expression}")
            self.assertEqual(made["address"], f"{at:#x}", expression)
            self.assertEqual(made["state"], "present", expression)
            if FRAMES:
                frame = truth.entry(pid, at) & kernel.FRAME
                self.assertEqual((made["pfn"], made["physical"]),
                                 (f"{frame:#x}", f"{frame * PAGE + at % PAGE:#x}"), expression)

    def test_a_variable_that_is_too_narrow_for_an_address_is_refused(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        for text in ("small", "first.number", "first.next->number", "pages[0].value", "hidden_static", "number",
                     "*(int *)pages"):
            meant = f"&({text})" if text[0] == "*" else f"&{text}"
            gdb.fails(f"vmsnap page {text}", f"did you mean {meant}?")
            gdb.fails(f"vmsnap page {text} s1", f"did you mean {meant}?")
            gdb.fails(f"vmsnap pages now '{text}'", f"did you mean {meant}?")
            gdb.fails(f"vmsnap pages now &pages '{text}'", f"did you mean {meant}?")
            for name in ("pfn", "physical", "present", "shared", "changed"):
                gdb.fails(f"print $_vmsnap_{name}({text})", "write & before it")
        gdb.fails("vmsnap page in_register", "'in_register' is a variable of type 'int', not an address")
        # A count of bytes may be of any width, and so may what was worked out or written down.
        self.assertEqual(gdb.json("vmsnap pages now &pages +small")["runs"][0]["pages"], 1)
        gdb("set var $at = 5")
        for text in ("5", "small + 0", "$at", "(long) small", "+small"):
            self.assertEqual(gdb.json(f"vmsnap page {text}")["address"], "0x5", text)
        self.assertEqual(gdb.number("$_vmsnap_present(small + 0)"), 0)
        for text in ("first.next", "&small", "pages", "first"):
            self.assertEqual(gdb.json(f"vmsnap page {text}")["state"], "present", text)

    def test_asking_for_a_page_does_not_touch_it(self):
        gdb = self.at_step()
        for text in ("pages[40]", "&pages[40]", "pages[40].rest"):
            self.assertEqual(gdb.number(f"$_vmsnap_present({text})"), 0)
            self.assertEqual(gdb.json(f"vmsnap page {text}")["state"], "absent", text)
        self.assertEqual(truth.entry(gdb.inferior(), self.page(gdb, 40)), 0)

    def test_absent_and_unmapped_pages_are_told_apart(self):
        gdb = self.at_step()
        self.assertEqual(gdb.json("vmsnap page &pages[40]")["state"], "absent")
        self.assertEqual(gdb.json("vmsnap page 0x1000")["state"], "unmapped")
        gdb.fails("vmsnap page no_such_thing", "no_such_thing")
        gdb.fails("vmsnap page 1 +", "syntax")
        gdb.fails("vmsnap page", "usage")

    def test_page_tells_its_history_line_by_line(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        gdb("continue")
        gdb("vmsnap take")
        text = gdb("vmsnap page &pages[1]")
        self.assertRegex(text, r"(?m)^name +pages\+0x1000\b")
        self.assertRegex(text, r"(?m)^SNAPSHOT +PID +STATE")
        self.assertRegex(text, r"(?m)^s1 .* absent")
        self.assertRegex(text, r"(?m)^s2 .* present .* appeared")
        self.assertRegex(text, r"(?m)^now .* present")
        self.assertRegex(gdb("vmsnap page &pages[1] s1"), r"(?m)^state +absent")
        self.assertRegex(gdb("vmsnap page --at s1 &pages[1]"), r"(?m)^state +absent")

    def test_history_of_a_forked_page_has_the_childs_present(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        gdb("vmsnap auto fork")
        gdb("break parent_done")
        gdb("run")
        parent, child = gdb.value("[entry.pid for entry in session.pairs()[0][:2]]")
        at = gdb.number("(unsigned long) &by_child")
        rows = gdb.json("vmsnap page --history &by_child")["rows"]
        self.assertEqual([(row["snapshot"], row["pid"]) for row in rows],
                         [("fork1.parent", parent), ("fork1.child", child), ("now", parent), ("now", child)])
        if FRAMES:
            self.assertEqual([int(row["pfn"], 16) for row in rows[2:]],
                             [truth.entry(pid, at) & kernel.FRAME for pid in (parent, child)])
        rows = gdb.json("vmsnap page --history &by_child fork1.child")["rows"]
        self.assertEqual([(row["snapshot"], row["pid"]) for row in rows[2:]], [("now", child), ("now", parent)])

    def test_page_names_a_local_and_its_function(self):
        gdb = self.at_step()
        gdb("up")
        made = gdb.json("vmsnap page &buffer[4096]")
        name = made["name"]
        self.assertEqual((name["symbol"], name["kind"], name["function"], name["frame"]),
                         ("buffer", "local", "write_pages_of", 1))


class Settings(Commands):
    def test_settings_have_values_and_show_them(self):
        gdb = Gdb(self)
        self.assertIn("1000", gdb("show vmsnap limit"))
        gdb("set vmsnap limit 2")
        self.assertIn("2", gdb("show vmsnap limit"))
        gdb("set vmsnap limit unlimited")
        self.assertRegex(gdb("show vmsnap limit"), "unlimited|all")
        gdb.fails("set vmsnap limit many")
        gdb("set vmsnap depth 3")
        self.assertIn("3", gdb("show vmsnap depth"))
        gdb("set vmsnap directory /tmp")
        self.assertIn("/tmp", gdb("show vmsnap directory"))
        gdb("set vmsnap hit-depth 2")
        self.assertIn("2", gdb("show vmsnap hit-depth"))
        self.assertIn("off", gdb("show vmsnap realtime"), "nobody asked for it")
        gdb("set vmsnap realtime on")
        self.assertIn("on", gdb("show vmsnap realtime"))
        self.assertIn("auto", gdb("show vmsnap contents"))
        gdb("set vmsnap contents full")
        self.assertIn("full", gdb("show vmsnap contents"))
        gdb.fails("set vmsnap contents some")
        self.assertIn("off", gdb("show vmsnap track"))
        self.assertEqual(len(gdb("show vmsnap").splitlines()), 9)
        for name in ("depth", "hit-depth"):
            gdb(f"set vmsnap {name} unlimited")
            self.assertIn("all frames", gdb(f"show vmsnap {name}"))
            gdb.fails(f"set vmsnap {name} -2")

    def test_limit_drops_the_oldest(self):
        gdb = self.at_step()
        gdb("set vmsnap limit 2")
        for _ in range(3):
            gdb("vmsnap take")
        self.assertEqual(gdb.names(), ["s2", "s3"])

    def test_colour_follows_gdb(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        gdb("set style enabled on")
        self.assertNotIn("\x1b", gdb("vmsnap show"), "not a terminal")
        self.assertIn("\x1b", gdb("vmsnap show --color=always"))
        self.assertNotIn("\x1b", gdb("vmsnap show --color=never"))

    def test_the_scheme_follows_the_option_then_the_setting_then_the_environment(self):
        """Letters of private memory, in words' colours.  The terminal is never asked."""
        gdb = self.at_step()
        gdb("vmsnap take")
        gdb("python import os; os.environ.update(TERM='xterm', COLORTERM='truecolor')")
        schemes = {"2;139;148;160": "dark", "2;102;106;112": "light"}

        def scheme(options=""):
            text = gdb(f"vmsnap map --color=always --ascii {options}")
            self.assertNotIn("\x1b]", text)
            return [schemes[color] for color in schemes if color in text]

        for value, found in (("", "dark"), ("15;0", "dark"), ("0;15", "light"), ("0;default", "dark")):
            gdb(f"python os.environ['COLORFGBG'] = '{value}'")
            self.assertEqual(scheme(), [found], value)
        self.assertEqual(scheme("--color-scheme=light"), ["light"])
        gdb("set vmsnap color-scheme light")
        self.assertEqual(scheme(), ["light"])
        self.assertEqual(scheme("--color-scheme=dark"), ["dark"])
        self.assertIn("for a light terminal (light)", gdb("show vmsnap color-scheme"))
        self.assertIn("is none of auto, dark, light", gdb.do("vmsnap map --color-scheme=blue")[1])


class Help(Commands):
    COMMANDS = ("auto", "blame", "core", "cow", "diff", "drop", "dump", "export", "group", "list", "load", "map", "page", "pages", "print",
                "report", "save", "show", "status", "take", "who", "wrote")

    def test_every_command_has_help_with_an_example(self):
        gdb = Gdb(self)
        for command in self.COMMANDS:
            text = gdb(f"help vmsnap {command}")
            self.assertRegex(text, rf"(?m)^Usage: vmsnap {command}\b", command)
            self.assertRegex(text, r"(?m)^Example:\n  \(gdb\) ", command)
            self.assertLess(max(map(len, text.splitlines())), 100, command)
        listed = re.findall(r"(?m)^vmsnap (\w+) -- ", gdb("help vmsnap"))
        self.assertEqual(tuple(listed), self.COMMANDS)
        for word in ("fork", "stop", "break", "off", "release"):
            self.assertRegex(gdb(f"help vmsnap auto {word}"), rf"Usage: vmsnap auto {word}", word)
        for name in ("directory", "limit", "depth", "hit-depth", "realtime", "color-scheme"):
            self.assertGreater(len(gdb(f"help set vmsnap {name}").splitlines()), 1, name)
        for name in ("pfn", "physical", "present", "shared", "changed"):
            self.assertIn("Example", gdb(f"help function _vmsnap_{name}"), name)

    def test_help_lists_columns(self):
        gdb = Gdb(self)
        for command, columns in (("show", "START PERM RESIDENT BUILDID"), ("pages", "PFN/SWAP"), ("diff", "COPIED"),
                                 ("cow", "VERDICT"), ("status", "KEY"), ("list", "WHY")):
            text = gdb(f"help vmsnap {command}")
            for column in columns.split():
                self.assertRegex(text, rf"(?m)^ [ +]{column} +\S", command)
        done = subprocess.run([sys.executable, "-B", os.path.join(SOURCE, "gdb", "generate.py"), "--check"],
                              env=world().env | {"VMSNAP_LIB": os.environ.get("VMSNAP_LIB", "")},
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.stderr, "")

    def test_every_command_knows_help_and_apropos_finds_all(self):
        gdb = Gdb(self)
        found = gdb("apropos vmsnap")
        commands = [f"vmsnap {name}" for name in self.COMMANDS]
        commands += [f"vmsnap auto {name}" for name in ("break", "fork", "off", "release", "stop")]
        for command in ("vmsnap", *commands):
            self.assertRegex(found, rf"(?m)^{command} -- ")
            wanted = gdb(f"help {command}")
            for option in ("--help", "-h"):
                self.assertEqual(gdb(f"{command} {option}"), wanted, command)
        for setting in ("depth", "directory", "hit-depth", "limit", "realtime"):
            self.assertRegex(found, rf"(?m)^set vmsnap {setting}\b.* -- ")
            self.assertRegex(found, rf"(?m)^show vmsnap {setting}\b.* -- |show vmsnap {setting}")
        for name in ("pfn", "physical", "present", "shared", "changed"):
            self.assertIn(f"_vmsnap_{name}", found)

    def test_completion(self):
        gdb = self.at_step()
        gdb("vmsnap take")
        gdb("vmsnap take other")
        self.assertEqual(tuple(gdb.completions("vmsnap ")), self.COMMANDS)
        self.assertEqual(gdb.completions("vmsnap di"), ["diff"])
        self.assertEqual(sorted(gdb.completions("vmsnap diff ")), ["now", "other", "s1"])
        self.assertEqual(gdb.completions("vmsnap diff s1 o"), ["other"])
        self.assertEqual(sorted(gdb.completions("vmsnap drop ")), ["other", "s1"], "now cannot be dropped")
        self.assertIn("--json", gdb.completions("vmsnap diff --"))
        self.assertEqual(gdb.completions("vmsnap diff --js"), ["--json"])
        self.assertIn("--keep-child", gdb.completions("vmsnap auto fork --"))
        self.assertIn("hidden_static", gdb.completions("vmsnap page hidden_"))
        self.assertIn("step", gdb.completions("vmsnap auto break ste"))
        self.assertEqual(gdb.completions("set vmsnap "),
                         ["blame", "color-scheme", "contents", "depth", "directory", "hit-depth", "limit", "realtime",
                          "track"])
        self.assertEqual(gdb.completions("vmsnap take "), [])


class Functions(Commands):
    def test_values_are_the_kernels(self):
        gdb = self.at_step()
        pid, at = gdb.inferior(), self.page(gdb, 0)
        if FRAMES:
            frame = truth.entry(pid, at) & kernel.FRAME
            self.assertEqual(gdb.number("$_vmsnap_pfn(&pages[0])"), frame)
            self.assertEqual(gdb.number("$_vmsnap_physical((char *)&pages[0] + 5)"), frame * PAGE + 5)
        self.assertEqual(gdb.number("$_vmsnap_present(&pages[0])"), 1)
        self.assertEqual(gdb.number("$_vmsnap_present(&pages[40])"), 0)
        self.assertEqual(gdb.number("$_vmsnap_shared(&pages[0])"), 0)
        self.assertEqual(gdb("print $_vmsnap_pfn(&pages[40])").strip()[-4:], "void")
        gdb.fails("print $_vmsnap_changed(&pages[0])", "vmsnap take")
        gdb("vmsnap take")
        self.assertEqual(gdb.number("$_vmsnap_changed(&pages[0])"), 0)
        self.assertEqual(gdb.number("$_vmsnap_changed(&pages[1])"), 0)
        gdb("continue")
        self.assertEqual(gdb.number("$_vmsnap_changed(&pages[1])"), 1)
        self.assertEqual(gdb("print $_vmsnap_pfn(-1)").strip()[-4:], "void")
        gdb.fails("print $_vmsnap_pfn()")

    def test_page_that_moved_has_not_changed(self):
        need_frames(self)
        gdb = Gdb(self, "gdb_steps", "move")
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        before = gdb.number("(unsigned long) moving")
        gdb("continue")
        gdb("vmsnap take second")
        self.assertNotEqual(gdb.number("(unsigned long) moving"), before)
        rows = gdb.json("vmsnap page --history moving")["rows"]
        last = {row["snapshot"]: row for row in rows}["second"]
        self.assertEqual((last["changes"], last["moved_from"]), ([], hex(before)))
        rows = gdb.json("vmsnap page --history moved_from")["rows"]
        last = {row["snapshot"]: row for row in rows}["second"]
        self.assertEqual((last["changes"], last["moved_to"]), ([], hex(gdb.number("(unsigned long) moving"))))
        gdb("vmsnap drop second")
        self.assertEqual(gdb.number("$_vmsnap_changed(moving)"), 0)
        self.assertEqual(gdb.number("$_vmsnap_changed(moved_from)"), 0)
        gdb("continue")
        self.assertEqual(gdb.number("$_vmsnap_changed(moving + 4096)"), 0)
        self.assertEqual(gdb.number("$_vmsnap_changed(moved_from)"), 1, "what was there is gone now")

    def test_breakpoint_with_a_condition_on_a_page(self):
        gdb = self.at_step(6)
        gdb("vmsnap take")
        gdb("delete")
        gdb("break step if $_vmsnap_changed(&pages[3])")
        gdb("continue")
        self.assertEqual(gdb.number("number"), 3, "the first stop where page 3 has changed")

    def test_shared_page_stops_when_it_is_copied(self):
        need_frames(self)
        gdb = Gdb(self, "gdb_cow", "fork")
        gdb("break parent_done")
        gdb("run")
        self.assertEqual(gdb.number("$_vmsnap_shared(&by_nobody)"), 1)
        self.assertEqual(gdb.number("$_vmsnap_shared(&by_parent)"), 0)

    def test_pages_of_a_huge_one_are_shared_each_by_itself(self):
        need_frames(self)
        target = Target(self, "huge_fork")
        start, end = target.ranges["huge"]
        if not kernel.scan(target.pid, start, end, kernel.SCAN_HUGE) or not kernel.counts_each_page():
            skip(self, "no huge pages, or a kernel that counts whole folios")
        gdb = Gdb(self)
        gdb(f"attach {target.pid}")
        huge, page = 2 << 20, kernel.PAGE
        for at, shared in ((start, 1), (start + huge, 0), (start + huge + page, 1), (start + 2 * huge, 1),
                           (start + 2 * huge + 17 * page, 0), (start + 3 * huge, 0)):
            self.assertEqual(gdb.number(f"$_vmsnap_shared((char *){at:#x})"), shared, hex(at - start))
        gdb("detach")


if __name__ == "__main__":
    main()
