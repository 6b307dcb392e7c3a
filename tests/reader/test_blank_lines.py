"""Texts for people are divided by one blank line, never by two, and neither begin nor end with one:
of every command that test_json_keys.py asks, narrow and wide, of all golden files, and in the documents."""

import glob
import os
import re
import subprocess
import tempfile
import unittest

import json_inputs
from json_inputs import GOLDEN, HEAP, HERE, PAGE, PROCESS, STATUS, file_of, snapshot, vma

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
SOURCE = os.path.normpath(os.path.join(HERE, "..", ".."))
ONE_MORE = {"diff": ("--long", "--no-names"), "cow": ("--long", "--no-names")}


def faults(text):
    """Where a text has a blank line that divides nothing."""
    found = [f"line {text[:at.start()].count(chr(10)) + 1}" for at in re.finditer(r"\n(?: *\n){2,}", text)]
    return found + (["its begin"] if text.startswith("\n") else []) + (["its end"] if text.endswith("\n\n") else [])


def bare(pid, ppid, status=b"", **identity):
    """A process without a page, so that most of what is told of pages is not."""
    return snapshot(identity=dict(PROCESS, **dict(dict(pid=pid, tgid=pid, ppid=ppid), **identity)), status=STATUS + status,
                    vmas=[vma(HEAP, HEAP + PAGE, "rw-p", b"[heap]")], runs=[])


def bare_ones(folder):
    """The calls."""
    later, child = dict(taken=PROCESS["taken"] + 10**9), bare(4243, 4242)
    before, after = dict(start_stack=0x7FFFFFFF1000), dict(start_stack=0x7FFFFFFF0000)
    files = {"status": [bare(4242, 1, b"Some:\t1\n"), bare(4242, 1, b"Some:\t2\n", **later)],
             "fork": [bare(4242, 1), child], "tree": [bare(4242, 1), child, bare(4244, 4242)],
             "exec": [bare(4242, 1, **before), bare(4242, 1, b"Some:\t2\n", **after, **later)],
             "forks": [bare(4242, 1, **before), bare(4243, 4242, **after), bare(4244, 4242, **before)]}
    calls = []
    for key, snapshots in files.items():
        path = os.path.join(folder, key + ".vms")
        with open(path, "wb") as file:
            file.write(file_of(*snapshots)[0])
        for what in ("diff", "cow", "map", "show"):
            calls += [(what, path), *([(what, path, "--totals"), (what, path, "--long")] if what in ONE_MORE else [])]
    return calls


class BlankLines(unittest.TestCase):
    def check(self, *words):
        done = subprocess.run([VMSNAP, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        text = done.stdout.decode(errors="replace")
        if faults(text):
            self.fail(f"{' '.join(map(os.path.basename, words))}: {', '.join(faults(text))}:\n{text}")

    def test_of_all_commands(self):
        with tempfile.TemporaryDirectory(prefix="vmsnap-lines-") as folder:
            calls = json_inputs.commands(folder, json_inputs.write(folder))
            for call in calls:
                with self.subTest(call=call):
                    self.check(*call)
            for call in calls:
                if call[0] in ONE_MORE:
                    self.check(*call, *ONE_MORE[call[0]], "--width", "50")

    def test_of_what_has_no_pages(self):
        with tempfile.TemporaryDirectory(prefix="vmsnap-lines-") as folder:
            for call in bare_ones(folder):
                with self.subTest(call=call):
                    self.check(*call)

    def test_of_all_golden_files(self):
        for path in sorted(glob.glob(os.path.join(GOLDEN, "*.vms"))):
            for what in ("show", "map", "status", "list", "check", "cow", "diff"):
                self.check(what, path)

    def test_of_help(self):
        for command in ("capture", "show", "pages", "page", "diff", "cow", "map", "status", "list", "check"):
            self.check(command, "--help")
            self.check("help", command)
        self.check("--help")

    def test_of_documents(self):
        """What is shown there was printed once."""
        paths = glob.glob(os.path.join(SOURCE, "*.md")) + glob.glob(os.path.join(SOURCE, "docs", "**", "*.*"), recursive=True)
        for path in sorted(paths):
            if not path.endswith((".md", ".scd")):
                continue
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for block in re.findall(r"(?ms)^```[a-z]*\n(.*?)^```", text):
                self.assertEqual(faults(block), [], f"{path}:\n{block}")


if __name__ == "__main__":
    unittest.main()
