"""The plugin in gdb's front ends: the prompt, -batch, the machine interface, the text
user interface; how it is loaded, and what it changes by that: nothing."""

import json
import os
import re
import shutil
import subprocess
import unittest

import truth
from gdb_session import (NOBODY_OR_ME, ROOT, SECONDS, Failed, Gdb, batch, command_line, copy_plugin, environment,
                         folder, kernel, main, need_no_frames, plugin_file, program, skip, wait_for, world)
from mi import Mi
from support import unmoved


class Loading(unittest.TestCase):
    def test_loading_changes_nothing_in_gdb(self):
        def state(gdb):
            settings = [line.replace("convenience:", "").strip() for line in gdb("show").splitlines()
                        if "vmsnap" not in line]
            return settings, gdb("maint info breakpoints"), gdb("info inferiors"), gdb("show user")
        with_it, without = Gdb(self, "gdb_steps"), Gdb(self, "gdb_steps", plugin=False)
        self.assertEqual(state(with_it), state(without))
        libraries = kernel.read(f"/proc/{with_it.pid}/maps")
        self.assertNotIn(b"libvmsnap", libraries, "the library is loaded when it is needed")
        for module in ("ctypes", "vmsnap_gdb.session", "vmsnap_gdb.touched"):
            self.assertFalse(with_it.value(f"{module!r} in __import__('sys').modules"), module)
        self.assertEqual(with_it.started, without.started, "it says nothing")

    def test_loading_twice_and_from_elsewhere_is_fine(self):
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        gdb(f"source {plugin_file()}")
        self.assertEqual(gdb.names(), ["s1"], "what there was is kept")
        where = folder(self)
        copy = copy_plugin(where)
        gdb.fails(f"source {copy}", "in use already")
        self.assertEqual(gdb.names(), ["s1"])
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb(f"source {copy}")
        gdb("start")
        gdb("vmsnap take")
        for package, place in (("vmsnap", "python"), ("vmsnap_gdb", "gdb")):
            self.assertEqual(gdb.value(f"__import__('{package}').__file__"), f"{where}/{place}/{package}/__init__.py")

    def test_module_that_is_in_use_or_missing_is_said(self):
        where = folder(self)
        copy = copy_plugin(where)
        gdb = Gdb(self, "gdb_steps", plugin=False)
        gdb(f"python import sys; sys.path.insert(0, {where + '/python'!r}); import vmsnap")
        gdb(f"source {plugin_file()}")  # not used yet
        gdb = Gdb(self, "gdb_steps", plugin=False)
        gdb(f"python import sys; sys.path.insert(0, {where + '/python'!r}); import vmsnap; vmsnap.Snapshot")
        gdb.fails(f"source {plugin_file()}", "in use already", where)
        gdb(f"source {copy}")
        shutil.rmtree(os.path.join(where, "python"))
        Gdb(self, "gdb_steps", plugin=False).fails(f"source {copy}", f"is not in {where}/python")

    def test_import_gdb_still_finds_gdb(self):
        gdb = Gdb(self, "gdb_steps")
        gdb("python import importlib, gdb; importlib.import_module('gdb.types')")
        self.assertTrue(gdb.value("hasattr(gdb, 'Command')"))

    def test_missing_and_foreign_library_are_said(self):
        gdb = Gdb(self, "gdb_steps", VMSNAP_LIB="/nowhere/libvmsnap.so.0")
        gdb("break step")
        gdb("run")
        gdb.fails("vmsnap take", "/nowhere/libvmsnap.so.0")
        gdb.fails("vmsnap take", "/nowhere/libvmsnap.so.0")
        gdb = Gdb(self, "gdb_steps", VMSNAP_LIB=program("other_version.so"))
        gdb("break step")
        gdb("run")
        self.assertRegex(gdb.fails("vmsnap take", "9.9.9"), r"0\.1\.0")

    def test_loading_is_quick(self):
        """Generously: the number that counts is measured by the benchmarks.  Processor time, against
        what gdb itself takes to start: neither a slow machine nor a busy one makes a difference."""
        def seconds(plugin):
            found = []
            for _ in range(3):
                gdb = subprocess.Popen(command_line("-batch", plugin=plugin), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, env=environment())
                _, status, used = os.wait4(gdb.pid, 0)
                gdb.returncode = os.waitstatus_to_exitcode(status)
                self.assertEqual(gdb.returncode, 0)
                found.append(used.ru_utime + used.ru_stime)
            return min(found)
        self.assertLess(seconds(True), 1.5 * seconds(False))


@unmoved
class Batch(unittest.TestCase):
    def test_whole_story_in_batch_mode(self):
        where = folder(self)
        status, out, err = batch(self, ["break parent_done", "vmsnap auto fork", "run", "vmsnap cow --totals",
                                        "vmsnap page &by_child", f"vmsnap save {where}/run.vms", "kill"],
                                 "gdb_cow", "fork")
        self.assertEqual((status, [line for line in err.splitlines() if not line.startswith("warning")]), (0, []))
        self.assertRegex(out, r"(?m)^ +\d+ pages? .* (copied_by_child|copied)\b")
        self.assertRegex(out, r"(?m)^fork1\.parent ")
        self.assertIn("Saved 2 snapshots", out)
        done = subprocess.run([world().vmsnap, "list", f"{where}/run.vms", "--json"], check=True,
                              stdout=subprocess.PIPE, env=world().env)
        self.assertEqual([row["label"] for row in json.loads(done.stdout)["snapshots"]], ["fork1.parent", "fork1.child"])

    def test_errors_end_a_batch_with_a_status(self):
        status, _, err = batch(self, ["vmsnap take"], "gdb_steps")
        self.assertNotEqual(status, 0)
        self.assertIn("no live process", err)

    def test_script_file(self):
        path = os.path.join(folder(self), "script.gdb")
        with open(path, "w", encoding="ascii") as file:
            file.write("break step\nrun\nvmsnap take\ncontinue\nvmsnap diff\nkill\n")
        status, out, _ = batch(self, [f"source {path}"], "gdb_steps", "write", 3)
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?m)^pages +1 appeared")


class MachineInterface(unittest.TestCase):
    def test_take_and_diff_give_the_json_as_values(self):
        gdb = Mi(self, "gdb_steps", "write", 4)
        gdb("-break-insert step")
        gdb("-exec-run")
        self.assertEqual(gdb.stopped()["reason"], "breakpoint-hit")
        made = gdb("-vmsnap-take")
        row = made["snapshots"][0]
        self.assertEqual((row["name"], row["comm"], row["known"]["exclusive"], row["ns_pid"]),
                         ("s1", "gdb_steps", "true", row["pid"]))
        gdb("-vmsnap-take mine")
        gdb("-exec-continue")
        gdb.stopped()
        page = int(gdb("-data-evaluate-expression \"(unsigned long) &pages[1]\"")["value"])
        for command in ("-vmsnap-diff", "-vmsnap-diff s1", "-vmsnap-diff s1 now"):
            made = gdb(command)
            self.assertEqual(made["schema"], "vmsnap.diff/1")
            rows = [each for each in made["pages"] if each["change"] == "appeared"]
            self.assertEqual([(each["start"], each["pages"]) for each in rows], [(f"{page:#x}", "1")])
            self.assertEqual(rows[0]["names"][0]["symbol"], "pages")
            self.assertEqual(rows[0]["touched_by_debugger"], "false")
        self.assertEqual(gdb("-vmsnap-diff s1 mine")["totals"]["appeared"], "0")
        self.assertEqual(gdb("-vmsnap-diff --totals s1")["totals"]["appeared"], "1")

    def test_cow(self):
        gdb = Mi(self, "gdb_cow", "fork")
        gdb("-break-insert parent_done")
        gdb('-interpreter-exec console "vmsnap auto fork"')
        gdb("-exec-run")
        gdb.stopped()
        made = gdb("-vmsnap-cow")
        self.assertEqual((made["schema"], made["base"]["label"]), ("vmsnap.cow/1", "fork1.parent"))
        page = int(gdb("-data-evaluate-expression \"(unsigned long) &fresh_child\"")["value"])
        found = [each for each in made["ranges"] if int(each["start"], 16) == page]
        self.assertEqual([each["verdict"] for each in found], ["new_in_child"])
        made = gdb("-vmsnap-cow fork1.parent fork1.child --base fork1.parent")
        self.assertEqual(made["parent"]["label"], "fork1.parent")

    def test_list_show_and_page(self):
        gdb = Mi(self, "gdb_steps", "write", 4)
        gdb("-break-insert step")
        gdb("-exec-run")
        gdb.stopped()
        self.assertEqual(gdb("-vmsnap-list")["snapshots"], [])
        gdb("-vmsnap-take")
        gdb("-exec-continue")
        gdb.stopped()
        self.assertEqual([row["name"] for row in gdb("-vmsnap-list")["snapshots"]], ["s1"])
        shown = gdb("-vmsnap-show s1")
        self.assertEqual((shown["schema"], shown["snapshot"]["label"]), ("vmsnap.show/1", "s1"))
        self.assertEqual(gdb("-vmsnap-show")["snapshot"]["label"], "now")
        for command, state in (("&pages[1]", "present"), ("&pages[1] s1", "absent"), ("--at s1 &pages[1]", "absent")):
            made = gdb(f"-vmsnap-page {command}")
            self.assertEqual((made["schema"], made["state"]), ("vmsnap.page/1", state))
        rows = gdb("-vmsnap-page --history &pages[1]")["rows"]
        self.assertEqual([(row["snapshot"], row["state"]) for row in rows], [("s1", "absent"), ("now", "present")])
        made = gdb(f"-vmsnap-who {os.path.realpath(program('gdb_steps'))}")
        self.assertEqual((made["schema"], made["kind"]), ("vmsnap.who/1", "file"))
        self.assertTrue(made["processes"])
        for command, words in (("-vmsnap-page", "expression"), ("-vmsnap-who", "expression"), ("-vmsnap-page small", "did you mean &small"),
                               ("-vmsnap-show nowhere", "nowhere"), ("-vmsnap-list s1", "argument")):
            with self.assertRaisesRegex(Failed, words):
                gdb(command)

    def test_null_is_no_text(self):
        gdb = Mi(self, "gdb_steps", "write", 4)
        gdb("-break-insert step")
        gdb("-exec-run")
        gdb.stopped()
        made = gdb("-vmsnap-page &pages[40]")
        self.assertEqual(made["state"], "absent")
        for key in ("pfn", "physical"):
            self.assertNotIn(key, made)
        self.assertNotIn("null", str(made))

    def test_errors_are_mi_errors(self):
        gdb = Mi(self, "gdb_steps", "write", 4)
        for command, words in (("-vmsnap-take", "no live process"), ("-vmsnap-diff", "process|snapshot"),
                               ("-vmsnap-cow", "auto fork"), ("-vmsnap-diff nowhere now", "nowhere"),
                               ("-vmsnap-take --nonsense", "--nonsense"), ("-vmsnap-diff a b c", "argument|usage")):
            with self.assertRaisesRegex(Failed, words):
                gdb(command)

    def test_console_commands_work_in_mi(self):
        gdb = Mi(self, "gdb_steps", "write", 4)
        gdb("-break-insert step")
        gdb("-exec-run")
        gdb.stopped()
        gdb.events.clear()
        gdb('-interpreter-exec console "vmsnap take here"')
        self.assertTrue(any(line.startswith('~"Snapshot here: ') for line in gdb.events), gdb.events)


class Screen:
    """A terminal of 100 columns with a gdb in it."""

    def __init__(self, test, *argv):
        self.test = test
        where = folder(test)
        self.socket = f"{where}/socket"
        self.tmux("new-session", "-d", "-x", "100", "-y", "40", "sh")
        test.addCleanup(self.tmux, "kill-server", check=False)
        # The command is too long for tmux's own command line.
        with open(f"{where}/go", "w", encoding="utf-8") as file:
            file.write("exec " + " ".join("'" + word.replace("'", "'\\''") + "'" for word in argv) + "\n")
        self.keys(f". {where}/go", "Enter")

    def tmux(self, *words, check=True):
        env = environment(TERM="screen", LC_ALL="C.UTF-8")
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], check=check, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
        return done.stdout.decode(errors="replace")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def text(self, escapes=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if escapes else []))

    def wait(self, pattern, seconds=SECONDS):
        if not wait_for(lambda: re.search(pattern, self.text(), re.MULTILINE), seconds):
            self.test.fail(f"no {pattern!r} on the screen:\n{self.text()}")


class TextInterface(unittest.TestCase):
    def screen(self, *options, style="off"):
        if not shutil.which("tmux"):
            skip(self, "gdb's text user interface: no tmux here")
        argv = command_line("-iex", f"set style enabled {style}", *options)
        return Screen(self, *argv, "--args", program("gdb_steps"), "write", "6")

    def test_commands_in_the_text_user_interface(self):
        screen = self.screen("-tui", "-ex", "break step", "-ex", "run")
        screen.wait(r"Breakpoint 1[.1]*, step")
        screen.wait("gdb_steps.c")
        screen.keys("vmsnap take", "Enter")
        screen.wait("Snapshot s1: process")
        screen.keys("continue", "Enter")
        screen.wait(r"number=1")
        screen.keys("vmsnap diff --totals", "Enter")
        screen.wait(r"pages +1 appeared")
        self.assertRegex(screen.text(), "void step|step\\(int number\\)", "the source window is whole")
        screen.keys("vmsnap di", "Tab")
        screen.wait(r"\(gdb\) vmsnap diff *$")  # tmux cuts blanks at the end
        screen.keys("C-c", "")
        screen.keys("layout asm", "Enter", "vmsnap list", "Enter")
        screen.wait(r"^│?s1 .*breakpoint 1|s1 +\d\d:")

    def test_colours_pager_and_width_on_a_terminal(self):
        screen = self.screen("-ex", "break step", "-ex", "run", "-ex", "set pagination on", "-ex", "set width 80",
                             "-ex", "set height 20", style="on")
        screen.wait("Breakpoint 1")
        screen.keys("vmsnap show", "Enter")
        screen.wait(r"--Type <RET> for more")
        self.assertIn("\x1b[", screen.text(escapes=True))
        # gdb itself does not keep to its width: names of source files run over.  And who the
        # program is stands there whole, wherever this checkout lies.
        shown = screen.text().partition("(gdb) vmsnap show")[2].partition("\nSTART")[2].partition("--Type")[0]
        self.assertIn("gdb_steps", shown)
        self.assertLessEqual(max(map(len, shown.splitlines())), 80)
        screen.keys("q", "Enter")
        screen.wait(r"^Quit$")
        screen.keys("vmsnap take", "Enter")
        screen.wait("Snapshot s1: process")
        self.assertNotRegex(screen.text(), "Traceback|Python Exception")


class Unprivileged(unittest.TestCase):
    """Whoever may debug a process may use vmsnap; what the kernel hides is said to be unknown."""

    def setUp(self):
        need_no_frames(self)
        self.gdb = Gdb(self, "gdb_steps", "write", 6, user=NOBODY_OR_ME)
        self.gdb("break step")
        self.gdb("run")

    def test_commands_work_without_frame_numbers(self):
        gdb = self.gdb
        gdb("vmsnap take")
        gdb("continue")
        row = gdb.json("vmsnap list")["snapshots"][0]
        self.assertEqual((row["known"]["pfn"], row["known"]["exclusive"]), (False, True))
        page = gdb.number("(unsigned long) &pages[1]")
        self.assertEqual(truth.changes(gdb.json("vmsnap diff")), {page: {"appeared"}})
        made = gdb.json("vmsnap page &pages[1]")
        self.assertEqual((made["state"], made["pfn"], made["physical"]), ("present", None, None))
        for command in ("show", "status", "map", "pages", "list"):
            gdb(f"vmsnap {command}")

    def test_functions_say_what_is_hidden(self):
        gdb = self.gdb
        gdb.fails("print $_vmsnap_pfn(&pages[0])", "root")
        gdb.fails("print $_vmsnap_physical(&pages[0])", "root")
        self.assertEqual(gdb.number("$_vmsnap_present(&pages[0])"), 1)
        self.assertEqual(gdb.number("$_vmsnap_shared(&pages[0])"), 0)
        gdb("vmsnap take")
        gdb("continue")
        self.assertEqual(gdb.number("$_vmsnap_changed(&pages[1])"), 1)
        self.assertEqual(gdb.number("$_vmsnap_changed(&pages[2])"), 0)


if __name__ == "__main__":
    main()
