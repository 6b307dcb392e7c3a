"""The command line itself: help, options, completion, exit statuses."""

import errno
import json
import os
import re
import subprocess

import support
from command_line import COMMANDS, Case, command
from support import ask, run, world


def able_here():
    """{"pfn": "yes", …}"""
    document = json.loads(command("--version", "--long", "--json").stdout)
    return {ability["name"]: ability["able"] for ability in document["abilities"]}


def all_commands():
    """As --help has them."""
    listed = command("--help").stdout.decode().partition("Commands:\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines() if line.split()[0] != "help"]


class Help(Case):
    def test_help_lists_every_command(self):
        result = command("--help")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        for name in COMMANDS:
            self.assertRegex(result.stdout.decode(), rf"(?m)^  {name} ")
        self.assertEqual(command("help").stdout, result.stdout)
        self.assertEqual(command("-h").stdout, result.stdout)

    def test_each_command_has_a_help_of_its_own(self):
        for name in all_commands():
            result = command("help", name)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertTrue(result.stdout.decode().startswith(f"Usage: vmsnap {name} "))
            self.assertEqual(max(map(len, result.stdout.split(b"\n"))) <= 80, True, f"{name}: a line is too long")

    def test_its_short_form_fits_a_screen(self):
        for name in all_commands():
            result = command(name, "--help")
            text = result.stdout.decode()
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            self.assertTrue(text.startswith(f"Usage: vmsnap {name} "))
            self.assertLessEqual(len(text.splitlines()), 24, name)
            self.assertLessEqual(max(map(len, text.splitlines())), 80, name)
            self.assertIn(f"vmsnap help {name}", text)
            whole = command("help", name).stdout.decode()
            for option in re.findall(r"(?m)^ .{4}  ?(--[a-z-]+)", text):
                self.assertIn(option, whole, name)

    def test_its_examples_work_as_they_stand(self):
        """In the order of the commands, so that some find the files that others made."""
        able = able_here()
        demo = self.demo()
        os.symlink(world().vmsnap, self.path("vmsnap"))
        environment = {**world().env, "PATH": self.folder + ":" + os.environ["PATH"]}
        for name, words in (("before.vms", [demo.pid]), ("fork.vms", [demo.pid, "--tree"]), ("b.vms", [demo.pid])):
            self.assertEqual(command("capture", *words, "-o", self.path(name)).returncode, 0)
        for name in all_commands():
            examples = command(name, "--help").stdout.decode().partition("\nExamples:\n")[2].splitlines()
            self.assertEqual(len(examples), 2, name)
            for example in examples:
                self.assertRegex(example, rf"\A  (sudo )?vmsnap {name} ")
                needs = [word for word, ability in (("sqlite", "libsqlite3"), ("blame", "page_faults"), ("sudo", "pfn"))
                         if word in example and able[ability] == "no"]
                if needs:
                    continue
                done = subprocess.run(["sh", "-c", example.replace("sudo ", "") + "; exit $?"], cwd=self.folder,
                                      env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
                self.assertIn(done.returncode, (0, 1) if name == "diff" else (0,), (example, done.stderr))

    def test_help_takes_one_command(self):
        self.refused("help", "capture", "extra", said="'extra' is one too many")

    def test_version_is_one_line(self):
        result = command("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout.decode(), r"\Avmsnap \d+\.\d+\.\d+\n\Z")

    def test_its_long_form_tells_what_may_be_known_here(self):
        able = able_here()
        self.assertEqual(able["pages"], "yes")
        self.assertEqual(able["pfn"] == "yes", support.sees_frames(support.me()))
        for name, path in (("kpagecount", "/proc/kpagecount"),):
            self.assertEqual(able[name] == "yes", os.access(path, os.R_OK))
        text = command("--version", "--long").stdout.decode()
        self.assertEqual(set(able), set(re.findall(r"(?m)^(\S+) +(?:yes|partly|no) ", text)))
        self.assertLessEqual(max(map(len, text.splitlines())), 80)
        for ability in json.loads(command("--version", "--json").stdout)["abilities"]:
            self.assertEqual(ability["able"] == "yes", ability.get("reason") is None, ability)
        self.refused("--version", "--lnog", said="--version takes --long and --json, not '--lnog'")

    def test_nobody_is_told_what_root_would_know(self):
        support.need_others(self)
        result = run("--version", "--json", user=support.NOBODY)
        self.assertEqual(result.status, 0, result)
        able = {ability["name"]: ability for ability in json.loads(result.out)["abilities"]}
        self.assertEqual(able["pfn"]["able"], "no")
        self.assertIn("sudo", able["pfn"]["help"])
        self.assertNotEqual(able["processes"]["able"], "yes")
        self.assertIn("sudo", run("--version", "--long", user=support.NOBODY).out.decode())

    def test_nothing_asked_is_an_error_that_says_where_help_is(self):
        self.refused(said="--help")

    def test_help_into_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            self.refused("--help", stdout=full, said=os.strerror(errno.ENOSPC))


class Options(Case):
    def test_an_unknown_command_names_the_nearest(self):
        self.refused("cpature", "1", said=["'cpature'", "'capture'", "vmsnap --help"])
        self.refused("dif", "1", said="'diff'")

    def test_an_unknown_command_like_none_names_none(self):
        self.assertNotIn("did you mean", self.refused("xyzzy", said="'xyzzy'"))

    def test_an_unknown_option_names_the_nearest(self):
        self.refused("show", "--jsno", "1", said=["'--jsno'", "'--json'", "vmsnap show --help"])
        self.refused("capture", "--lable=x", "1", said="'--label'")
        self.refused("show", "-Z", "1", said=["'-Z'", "vmsnap show --help"])
        self.refused("--jsn", said="--help")

    def test_an_option_of_another_command_is_unknown(self):
        self.refused("show", "--append", "1", said="'--append'")
        self.refused("diff", "--base", "1", "2", "3", said="'--base'")

    def test_an_ambiguous_option_names_what_it_may_be(self):
        self.refused("show", "--no", "1", said=["--no-freeze", "--noheadings"])

    def test_the_beginning_of_an_option_is_enough(self):
        self.assertEqual(json.loads(command("show", "--js", self.series("a.vms", "x")).stdout)["schema"],
                         "vmsnap.show/1")

    def test_a_missing_value_is_told(self):
        self.refused("capture", "1", "--label", said=["--label", "TEXT"])
        self.refused("cow", "1", "2", "--base", said="--base")

    def test_a_value_too_many_is_told(self):
        self.refused("show", "1", "--json=yes", said="--json takes no value")

    def test_bad_values_say_what_was_expected(self):
        self.refused("show", "1", "--color=blue", said=["auto, always or never", "'blue'"])
        for width in ("x", "-1", "", "1e3", "99999999999999999999"):
            self.refused("show", "1", f"--width={width}", said=["--width", "number"])

    def test_operands_are_counted(self):
        self.refused("show", said="vmsnap show SNAPSHOT")
        self.refused("page", "1", said="vmsnap page SNAPSHOT ADDRESS")
        self.refused("list", "1", "2", said="'2' is one too many")
        self.refused("cow", "1", "2", "3", said="'3' is one too many")

    def test_an_unknown_column_is_told(self):
        path = self.series("a.vms", "x")
        self.refused("show", path, "-o", "START,NONESUCH", said="NONESUCH")

    def test_hostile_words_are_escaped(self):
        text = self.refused("show", b"--\x1b[2J\xff", said="\\x1b[2J\\xff")
        self.assertNotIn("\x1b", text)
        self.refused(b"\x1b]0;x\x07", said="\\x1b]0;x\\x07")

    def test_filters_that_say_nothing_are_refused(self):
        path = self.series("a.vms", "one")
        for option, word in (("--perm", "x!x"), ("--perm", ""), ("--perm", "rr"), ("--perm", "ps"), ("--perm", "rz"),
                             ("--only", "file,!file"), ("--only", "file,file"), ("--only", "present,swapped"),
                             ("--only", "zero,!present"), ("--only", ""), ("--range", ""), ("--range", "2000-1000"),
                             ("--range", "1000-1000"), ("--range", "1000+0"), ("--pfn", "2-1")):
            for what in ("show", "pages", "map"):
                result = command(what, path, option, word)
                self.assertEqual((result.returncode, result.stdout), (2, b""), (what, option, word))
                self.assertTrue(result.stderr.startswith(b"vmsnap: '" + word.encode()), result.stderr)


class Completion(Case):
    def complete(self, *words):
        script = 'source <("$0" --completion bash) && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _vmsnap; ' \
                 'printf "%s\\n" "${COMPREPLY[@]}"'
        result = subprocess.run(["bash", "-c", script, world().vmsnap, *words], env=world().env, cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
        self.assertNotIn("syntax", result.stderr)
        return result.stdout.split()

    def test_commands_are_completed(self):
        self.assertEqual(self.complete("vmsnap", "ca"), ["capture"])
        self.assertEqual(sorted(self.complete("vmsnap", "pag")), ["page", "pages"])

    def test_each_option_of_the_help_is_completed(self):
        for name in COMMANDS:
            text = command("help", name).stdout.decode()
            helped = set(re.findall(r"(?m)^ .{4}  ?(--[a-z-]+)", text))
            self.assertGreater(len(helped), 3)
            offered = {word.split("=")[0] for word in self.complete("vmsnap", name, "--")}
            self.assertEqual(offered, helped, name)

    def test_files_and_processes_are_completed(self):
        open(self.path("some file.vms"), "w").close()
        self.assertEqual(self.complete("vmsnap", "show", "some"), ["some", "file.vms"])
        self.assertIn(str(os.getpid()), self.complete("vmsnap", "capture", str(os.getpid())))

    def test_another_shell_is_refused(self):
        self.refused("--completion", "tcsh", said=["bash", "'tcsh'"])


class Statuses(Case):
    def test_diff_is_0_for_the_same_and_1_for_changes(self):
        target = self.demo()
        path = self.path("a.vms")
        run("capture", target.pid, "-o", path)
        self.assertEqual(command("diff", path, path).returncode, 0)
        target.tell("parent")
        run("capture", target.pid, "-o", path, "--append")
        for argv in ((path,), (path + "@1", path + "@2"), ("--totals", path), ("--json", path), ("--long", path)):
            self.assertEqual(command("diff", *argv).returncode, 1, argv)

    def test_diff_is_2_for_trouble(self):
        path = self.series("a.vms", "one")
        self.refused("diff", path, said=["one snapshot", "two"])
        self.refused("diff", path + "@1", said="two")
        self.refused("diff", os.getpid(), said="two")
        self.refused("diff", path, self.path("none"))

    def test_cow_takes_a_file_of_exactly_two_in_any_order(self):
        target = self.demo()
        tree, reverse = self.path("tree.vms"), self.path("reverse.vms")
        # Between captures the kernel may move a page, and then it is shared no more.
        for _ in range(5):
            run("capture", target.pid, "--tree", "-o", tree)
            run("capture", target.child, "-o", reverse)
            run("capture", target.pid, "-o", reverse, "--append")
            totals = ask(self, "cow", tree, "--totals")["totals"]
            backwards = ask(self, "cow", reverse, "--totals")["totals"]
            if backwards == totals:
                break
        self.assertGreater(totals.get("shared", 0), 0)
        self.assertEqual(backwards, totals)
        self.assertEqual(ask(self, "cow", tree + "@1", tree + "@2", "--totals")["totals"], totals)
        self.refused("cow", self.series("three.vms", "1", "2", "3"), said=["3 snapshots", "@1"])
        self.refused("cow", self.series("one.vms", "1"), said="two")

    def test_every_reading_command_is_0_on_a_good_file(self):
        target = self.demo()
        path = self.path("a.vms")
        run("capture", target.pid, "--tree", "-o", path)
        address = f"{target.ranges['global_counter'][0]:x}"
        for argv in (("show",), ("pages",), ("page", path, address), ("map",), ("map", path, path), ("status",),
                     ("status", path, path), ("list",), ("check",), ("cow",)):
            result = command(*argv, *([path] if len(argv) == 1 else []))
            self.assertEqual((result.returncode, result.stderr), (0, b""), argv)
            self.assertGreater(len(result.stdout), 20)

    def test_a_cut_off_file_reads_as_far_as_it_goes(self):
        path = self.series("a.vms", "one", "two")
        os.truncate(path, os.path.getsize(path) - 10)
        result = command("show", path, "--json")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(json.loads(result.stdout)["snapshot"]["label"], "one")
        self.assertRegex(result.stderr.decode(), r"\Avmsnap: .*warning: .*\n\Z")
        self.assertEqual(result.stderr.count(b"a.vms"), 1)
        self.assertEqual(command("check", path).returncode, 2)
        self.assertEqual(command("list", path).returncode, 0)

    def test_not_a_snapshot_newer_and_damaged_are_told_apart(self):
        path = self.series("a.vms", "one")
        good = open(path, "rb").read()
        seen = set()
        for name, content in (("text", b"hello, this is text and nothing else"), ("short", good[:100]),
                              ("flipped", good[:60] + bytes([good[60] ^ 1]) + good[61:])):
            with open(self.path(name), "wb") as file:
                file.write(content)
            seen.add(self.refused("show", self.path(name), said=name).split(name)[-1])
        self.assertEqual(len(seen), 3, seen)


if __name__ == "__main__":
    support.main()
