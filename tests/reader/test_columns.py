"""Columns of tables: -o, --sort, -r and -n do the same in every command that prints a table,
and the help lists the columns that there are."""

import os
import re
import subprocess
import tempfile
import unittest

import json_inputs
from json_inputs import GOLDEN

VMSNAP = os.environ.get("VMSNAP", "vmsnap")


def run(*words, status=(0, 1, 2)):
    result = subprocess.run([VMSNAP, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    assert result.returncode in status, result.stderr
    return result


def rows(*words):
    return run(*words, "-r", "-n").stdout.splitlines()


ASLR = "or, of two runs (--aslr):\n"
VALUES = "or, of variables (--values):\n"
ADDED = "or, added up (--by):\n"
BY = "or, by what is shared (--by):\n"
FORKS = "or, of forks (--cow):\n"
TREES = "or, of trees, a line for each process:\n"


def command_of(table):
    """Whose help lists a table."""
    return {"values": "diff", "aslr": "diff", "series_forks": "series"}.get(table, table.replace("set_", "").replace("_by", ""))


def helped(command):
    """What the help lists: (names, those of them that are printed if nothing is asked for)"""
    text = run("help", command_of(command)).stdout.partition("\nColumns")[2].partition("\n\n")[0]
    text = text.partition(ASLR)[2 if command == "aslr" else 0]
    text = text.partition(VALUES)[2 if command == "values" else 0]
    if command.startswith("show"):
        text = text.partition(ADDED)[2 if command == "show_by" else 0]
    if command.startswith("series"):
        text = text.partition(FORKS)[2 if command == "series_forks" else 0]
    if command in ("diff", "cow", "set_diff", "set_cow"):
        assert TREES in text, text
        text = text.partition(TREES)[2 if command.startswith("set_") else 0]
    if command in ("group", "group_by"):
        text = text.partition(BY)[2 if command == "group_by" else 0]
    found = re.findall(r"(?m)^ ([ +])(\S+)  ", text.replace("PSS, ...", ""))
    return [name for _, name in found], [name for mark, name in found if mark == " "]


class ColumnsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="vmsnap-columns-")
        cls.addClassCleanup(cls.folder.cleanup)
        paths = json_inputs.write(cls.folder.name)
        a, b, child = (paths[key] for key in ("a", "b", "child"))
        cls.calls = {
            "show": ("show", os.path.join(GOLDEN, "good-small.vms")),
            "show_by": ("show", os.path.join(GOLDEN, "good-small.vms"), "--by", "file"),
            "pages": ("pages", a),
            "diff": ("diff", a, b, "--no-names"),
            "aslr": ("diff", "--aslr", a, b),
            "cow": ("cow", a, child, "--no-names"),
            "set_diff": ("diff", paths["tree"], paths["later"]),
            "set_cow": ("cow", paths["tree"], paths["later"]),
            "group": ("group", paths["tree"], paths["later"]),
            "group_by": ("group", a, child, "--by", "mapping"),
            "status": ("status", a, b),
            "list": ("list", os.path.join(GOLDEN, "good-labels.vms")),
            "check": ("check", os.path.join(GOLDEN, "bad-series-payload.vms")),
        }
        cls.one = ("status", a)
        cls.grows, cls.forks = paths["grows"], paths["forks"]

    def each(self):
        for command, call in self.calls.items():
            names, usual = helped(command)
            if command == "status":
                names, usual = (tuple(name for name in some[2:]) for some in (names, usual))
            yield call, list(names), list(usual)

    def test_help_lists_the_columns_that_an_error_lists(self):
        for call, names, _ in self.each():
            said = run(*call, "-o", "NONE", status=(2,)).stderr
            self.assertEqual(said.strip().rpartition(": ")[2].split(), names)
            self.assertEqual(run(*call, "--sort", "NONE", status=(2,)).stderr, said)
        names, usual = helped("status")
        self.assertEqual((names[:2], usual[:2]), (["KEY", "VALUE"],) * 2)
        self.assertEqual(run(*self.one, "-r").stdout.splitlines()[0], "KEY VALUE")

    def test_the_usual_columns_are_those_without_a_mark(self):
        for call, _, usual in self.each():
            self.assertEqual(run(*call, "-r").stdout.splitlines()[0].split(), usual)

    def test_each_column_can_be_asked_for(self):
        for call, names, usual in self.each():
            self.assertEqual(run(*call, "-r", "-o", ",".join(names)).stdout.splitlines()[0].split(), names)
            for name in names:
                lines = run(*call, "-r", "-o", name.lower()).stdout.splitlines()
                self.assertEqual(lines[0], name)
                self.assertEqual({len(line.split()) for line in lines}, {1})
                added = run(*call, "-r", "-o", "+" + name).stdout.splitlines()[0]
                self.assertEqual(added.split(), usual + [name])

    def test_of_trees_an_error_says_that_they_have_columns_of_their_own(self):
        said = run(*self.calls["set_cow"], "-o", "VERDICT", status=(2,)).stderr
        self.assertIn("of trees there is a line for each process (two of them: FILE@pid:A FILE@pid:B): "
                      "unknown column \"VERDICT\"", said)
        said = run(*self.calls["set_diff"], "--totals", "--sort", "NONE", status=(2,)).stderr
        self.assertIn("of trees there is a line for each process: unknown column \"NONE\"", said)

    def test_without_headings_one_line_is_missing(self):
        for call, _, _ in self.each():
            self.assertEqual(rows(*call), run(*call, "-r").stdout.splitlines()[1:])

    def test_each_column_sorts_the_same_rows(self):
        for call, names, _ in self.each():
            plain = rows(*call)
            self.assertGreater(len(plain), 1)
            for name in names:
                up, down = rows(*call, "--sort", name), rows(*call, "--sort=-" + name.lower())
                self.assertEqual(sorted(up), sorted(plain), name)
                self.assertEqual(sorted(down), sorted(plain), name)

    def test_numbers_are_sorted_by_value_and_the_rest_comes_last(self):
        for call, name in (("show", "RESIDENT"), ("show", "INODE"), ("pages", "PAGES"), ("diff", "SIZE")):
            cells = rows(*self.calls[call], "-b", "-o", name, "--sort", name)
            numbers = [int(cell) for cell in cells if cell.isdigit()]
            self.assertGreater(len(set(numbers)), 1, call)
            self.assertEqual(numbers, sorted(numbers))
            self.assertEqual([cell.isdigit() for cell in cells], sorted((c.isdigit() for c in cells), reverse=True))
            down = rows(*self.calls[call], "-b", "-o", name, "--sort=-" + name)
            self.assertEqual([int(cell) for cell in down if cell.isdigit()], numbers[::-1])

    def test_rows_can_be_sorted_by_what_is_not_shown(self):
        by_end = rows(*self.calls["show"], "-o", "START", "--sort=-END")
        self.assertEqual(by_end, rows(*self.calls["show"], "-o", "START")[::-1])

    def test_the_total_stays_the_last_row(self):
        lines = run(*self.calls["show"], "-n", "--sort=-SIZE").stdout.splitlines()
        self.assertTrue(lines[-1].startswith("total "))

    def test_json_has_all_whatever_is_chosen(self):
        for call, names, _ in self.each():
            plain = run(*call, "--json").stdout
            self.assertEqual(run(*call, "--json", "-o", names[0], "--sort=-" + names[-1], "-n").stdout, plain)

    def test_what_grew_is_a_column_too(self):
        names, usual = helped("series")
        shown = run("series", self.grows, "-r").stdout.splitlines()[0].split()
        self.assertEqual([name for name in shown if name in names and name != "ELAPSED"], usual)
        chosen = run("series", self.grows, "-r", "-o", ",".join(names) + ",[heap]").stdout.splitlines()
        self.assertEqual(chosen[0].split(), names + ["[heap]"])
        self.assertIn("[heap]", run("series", self.grows, "-o", "NONE", status=(2,)).stderr)
        self.assertEqual(len(rows("series", self.grows, "--sort=-RESIDENT")), 3)

    def test_forks_in_a_series_have_columns_of_their_own(self):
        names, usual = helped("series_forks")
        call = ("series", self.forks, "--cow")
        self.assertEqual(run(*call, "-r", "-o", ",".join(names)).stdout.splitlines()[0].split(), names)
        self.assertLessEqual(set(run(*call, "-r").stdout.splitlines()[0].split()), set(usual))
        said = run(*call, "-o", "NONE", status=(2,)).stderr
        self.assertEqual(said.strip().rpartition(": ")[2].split(), names)

    def test_what_prints_no_table_has_no_columns(self):
        for command in ("page", "map", "capture"):
            self.assertNotIn("Columns", run("help", command).stdout)
            self.assertNotIn("--sort", run("help", command).stdout)
        self.assertIn("=FILE", run("help", "capture").stdout)
        for command in self.calls:
            self.assertNotIn("-o, --output=FILE", run("help", command_of(command)).stdout)

    def test_columns_are_completed(self):
        script = 'source <("$0" --completion bash) && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _vmsnap; ' \
                 'printf "%s\\n" "${COMPREPLY[@]}"'

        def completed(*words):
            result = subprocess.run(["bash", "-c", script, VMSNAP, "vmsnap", *words], stdout=subprocess.PIPE,
                                    universal_newlines=True, check=True)
            return result.stdout.split()

        for command in (*self.calls, "series"):
            names, _ = helped(command)
            if command == "series":
                names += helped("series_forks")[0]
            if command in ("diff", "cow"):
                names += helped("set_" + command)[0]
            if command == "diff":
                names += helped("values")[0] + helped("aslr")[0]
            if command == "show":
                names += helped("show_by")[0]
            if command == "group":
                names += helped("group_by")[0]
            if command.startswith("set_") or command in ("aslr", "show_by", "group_by"):
                continue
            self.assertEqual(set(completed(command, "-o", "")), set(names), command)
            self.assertEqual(set(completed(command, "--sort", "")), set(names), command)
        self.assertEqual(completed("show", "-o", "START,SI"), ["START,SIZE"])
        self.assertEqual(completed("show", "-o", "+BUI"), ["+BUILDID"])
        self.assertEqual(completed("show", "--sort", "-SI"), ["-SIZE"])


if __name__ == "__main__":
    unittest.main()
