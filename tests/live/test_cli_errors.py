"""The first errors of a newcomer: each says in one line what is wrong, where, and what to do."""

import os
import re
import shutil
import subprocess
import unittest

import support
from command_line import Case, command
from documents import read
from support import NOBODY, Target, need_namespaces, need_others, run, world

NO_PID = 2 ** 22 + 1  # more than the kernel gives out
MAY = "'vmsnap --version --long' tells what this user may"


class FirstErrors(Case):
    def test_nothing_asked(self):
        self.refused(said=["vmsnap show PID", "vmsnap --help"])

    def test_a_process_or_a_file_instead_of_a_command(self):
        self.refused("1234", said=["is a process, not a command", "'vmsnap show 1234'"])
        self.refused("pid:1234", said="'vmsnap show pid:1234'")
        path = self.series("a.vms", "x")
        self.refused(path, said=["is a file, not a command", f"'vmsnap show {path}'"])

    def test_a_short_word_is_not_taken_for_another(self):
        self.assertNotIn("did you mean", self.refused("foo"))
        self.refused("dif", said="did you mean 'diff'")
        self.refused("shw", said="did you mean 'show'")

    def test_what_is_missing_is_set_apart_from_where_to_look(self):
        for name in ("show", "report", "map"):
            text = self.refused(name, said=["something is missing", f"(see 'vmsnap {name} --help')"])
            self.assertNotIn("....", text)

    def test_no_such_process(self):
        for words in (("show", NO_PID), ("capture", NO_PID), ("group", NO_PID), ("blame", NO_PID)):
            self.refused(*words, said=[f"no process {NO_PID}", "ps -e"])

    def test_a_name_instead_of_a_number(self):
        self.refused("capture", "redis-server", said=["its number", "--match NAME"])
        self.assertNotIn("--match", self.refused("show", "pid:redis", said="its number"))

    def test_the_name_of_a_process_where_a_snapshot_is_expected(self):
        target = self.demo()
        self.refused("show", "cow_demo", said=["no file of that name", "pgrep -x cow_demo"])
        self.assertNotIn("pgrep", self.refused("show", "no_such_demo", said="No such file or directory; expected"))
        self.refused("show", f"/proc/{target.pid}", said=["the kernel's folder", "by its number"])
        self.refused("capture", "--match=", said="--match needs the name")

    def test_capital_letters(self):
        self.refused("SHOW", "1", said="did you mean 'show'")
        self.refused("show", "--JSON", "1", said="did you mean '--json'")

    def test_an_option_before_the_command(self):
        self.refused("--json", "show", "1", said="stands behind them: vmsnap COMMAND --json")
        self.refused("-w", "0", "show", "1", said="vmsnap COMMAND -w")
        self.refused("--completion=csh", said="knows bash, zsh and fish")
        self.assertEqual(command("--completion=bash").stdout, command("--completion", "bash").stdout)
        for words in (("help", "-h"), ("help", "--help"), ("help", "help")):
            self.assertEqual(command(*words).stdout, command("--help").stdout)

    def test_a_process_where_a_file_is_meant(self):
        self.refused("copy", "1", "-o", "x.vms", said=["'1' is a process", "vmsnap capture 1"])
        self.refused("series", "1", said=["'1' is a process", "vmsnap record 1 -o FILE"])

    def test_a_variable_where_an_address_is_expected(self):
        self.refused("page", os.getpid(), "main", said=["'main' is not an address", "vmsnap page &main"])
        self.assertNotIn("gdb", self.refused("page", os.getpid(), "7fxx", said="'7fxx' is not an address"))

    def test_a_column_that_is_none_where_nothing_differs(self):
        path = self.series("a.vms", "x")
        for words in (("-o", "FOO"), ("--sort=FOO",), ("--aslr", "-o", "FOO")):
            self.refused("diff", path, path, *words, said=["unknown column", "the columns are: START"])

    def test_where_nothing_is_mapped(self):
        path = self.series("a.vms", "x")
        for words in (("pages", path, "1000"), ("dump", os.getpid(), "1000-2000")):
            done = command(*words)
            self.assertEqual(done.returncode, 0)
            self.assertIn(b"nothing is mapped from 1000 to 2000", done.stderr)
        self.assertEqual(command("pages", path, "1000", "--json").stderr, b"")

    def test_one_snapshot_where_two_are_needed(self):
        path = self.series("one.vms", "x")
        for name in ("diff", "cow"):
            self.refused(name, path, said=["one snapshot", "name another file or process"])
            self.refused(name, os.getpid(), said=["one process", "name another file or process"])

    def test_a_snapshot_that_is_not_in_the_file(self):
        path = self.series("one.vms", "x")
        for which in ("7", "nothing", "pid:1"):
            text = self.refused("show", f"{path}@{which}", said="vmsnap list")
            self.assertEqual(text.count(path), 1, text)

    def test_of_which_table(self):
        self.refused("export", "--format", "tsv", self.series("one.vms", "x"), said=["of which table? snapshot,"])

    def test_few_descriptors_are_not_taken_for_a_kernel_without_pagemap(self):
        target = self.demo()
        for limit in range(4, 12):
            done = subprocess.run(["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", world().vmsnap, "show",
                                   str(target.pid)], env=world().env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=300, check=False, text=True)
            self.assertNotIn("CONFIG_PROC_PAGE_MONITOR", done.stderr, limit)

    def test_without_proc_it_is_not_said_that_a_process_is_not_there(self):
        need_namespaces(self, "--mount")
        with open(world().vmsnap, "rb") as file:
            if b"__asan_init" in file.read():
                support.skip(self, "a sanitizer cannot do without /proc")
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'umount -l /proc || exit 9; exec "$@"', "sh",
                               world().vmsnap, "show", str(os.getpid())], env=world().env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=False, text=True)
        if done.returncode == 9:
            support.skip(self, f"/proc cannot be unmounted here: {done.stderr.strip()}")
        self.assertEqual((done.returncode, done.stdout), (2, ""), done)
        self.assertIn("/proc is not mounted (mount -t proc proc /proc)", done.stderr)

    def test_where_proc_hides_others_it_is_said(self):
        need_others(self)
        need_namespaces(self, "--mount")
        target = Target(self, "cow_demo")
        done = subprocess.run(["unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc || exit 9; '
                               'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"', "sh",
                               world().vmsnap, "show", str(target.pid)], env=world().env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=300, check=False, text=True)
        if done.returncode == 9:
            support.skip(self, f"/proc cannot be mounted here: {done.stderr.strip()}")
        self.assertIn("hides those of others (mount option hidepid)", done.stderr)


class Rights(Case):
    def setUp(self):
        super().setUp()
        need_others(self)
        self.target = self.demo()

    def test_who_may_not_is_told_where_to_find_out(self):
        home = world().home(NOBODY)
        for words in (("show", self.target.pid), ("cow", self.target.pid, self.target.child), ("map", self.target.pid),
                      ("group", self.target.pid, self.target.child), ("blame", self.target.pid, "--", "true"),
                      ("capture", self.target.pid, "-o", os.path.join(home, "x.vms")),
                      ("record", self.target.pid, "-o", os.path.join(home, "y.vms")), ("who", "pfn:1")):
            answer = run(*words, user=NOBODY)
            self.assertEqual((answer.status, answer.out), (2, b""), answer)
            self.assertIn(MAY, answer.err, words)
            self.assertEqual(answer.err.count("\n"), 1, answer.err)

    def test_a_file_that_may_not_be_read_is_no_matter_of_the_kernel(self):
        path = self.series("secret.vms", "x")
        answer = run("show", path, user=NOBODY)
        self.assertEqual(answer.status, 2)
        self.assertNotIn(MAY, answer.err)


class Guide(unittest.TestCase):
    """docs/errors.md"""

    def test_what_gdb_says_without_the_plugin(self):
        if not shutil.which("gdb"):
            support.skip(self, "gdb is not installed")
        done = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set auto-load no", "-ex", "vmsnap list"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                              check=False, text=True)
        text = read("docs", "errors.md")
        if "Undefined" in done.stdout:  # not one that has it from /etc/gdb/gdbinit.d
            self.assertIn(re.search(r'Undefined command: "vmsnap"', done.stdout)[0], text)

    def test_what_it_quotes_is_said(self):
        said = read("docs", "errors.md")
        for words, quoted in ((("show",), "something is missing"), (("1234",), "not a command"),
                              (("show", NO_PID), "no process"), (("capture", "redis-server"), "is not a process"),
                              (("show", "/etc/passwd"), "not a vmsnap file"),
                              (("show", "/tmp"), "is a folder, not a snapshot file")):
            self.assertIn(quoted, command(*words).stderr.decode(), words)
            self.assertIn(quoted, said)


if __name__ == "__main__":
    support.main()
