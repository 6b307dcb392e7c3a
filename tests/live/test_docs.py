"""What the documents show is what happens: the commands in README.md print what it
says they print, the examples in the man pages run, and every option has its place."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import kernel
import support
from documents import SOURCE, blocks, matches, read, sessions
from support import Target, skip, world

MAN = os.path.join(SOURCE, "docs", "man")
COMMANDS = ("capture record show dump pages page diff cow group blame map status series who copy report export list "
            "check").split()
ELSEWHERE = ("record", "blame")  # their examples take an hour, a database and such

# What stands in the documents for things that differ each time.
README_PARENT, README_CHILD, README_GLOBAL, README_SERVER = "4711", "4712", "5649ccb21000", "5200"
LINES_MAX = 15  # what a story in the README may print
MAN_PARENT, MAN_CHILD = "1234", "1240"

# Other programs that the examples use, so that they need not be there.
STAND_INS = """
curl() { :; }
sleep() { :; }
flamegraph.pl() { cat; }
go() { python3 -c 'import gzip, sys; assert gzip.open(sys.argv[-1]).read()' "$@"; }
ssh() { shift; "$@"; }
scp() { test -s "$1"; }
xdg-open() { test -s "$1"; }
sqlite3() { python3 -c '
import sqlite3, sys
heading = "-header" in sys.argv
path, sql = [word for word in sys.argv[1:] if word != "-header"]
cursor = sqlite3.connect(path).execute(sql)
rows = cursor.fetchall()
for row in ([[column[0] for column in cursor.description]] if heading and rows else []) + rows:
    print("|".join("" if cell is None else str(cell) for cell in row))' "$@"; }
jq() { python3 -c 'import json, sys; json.load(sys.stdin)'; }
vmsnap() { "$VMSNAP_COMMAND" "$@"; }
"""


def need_faults(test, result):
    """Whether faults may be watched is the machine's matter."""
    for reason in ("does not let page faults be watched", "cannot tell of page faults"):
        if reason in result.stdout:
            skip(test, "the kernel does not let page faults be watched (perf_event_open)")


def figures(*path):
    """{(target, measure): figure} of the tables that script/bench has written first."""
    text = read(*path).split("<!-- end -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.split("\n") if line.startswith("| ")]
    return {(row[0], re.split("[;,]", row[1])[0]): row[2] for row in rows}


def unwrap(text):
    """Without the ends of lines within what is told of who a fork is of, which numbers of processes move, and without
    how many mappings lost nothing, which is how the kernel lays out what was loaded."""
    text = re.sub(r"(?m)^\d+ more mappings? lost nothing; ", "", text)
    return re.sub(r"(?m)^parent .*(?:\n {2}\S.*)+", lambda found: found[0].replace("\n  ", " "), text)


class Documents(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "cow_demo")
        self.parent, self.child = self.target.lines[0].split()[1:3]
        self.folder, self.started = tempfile.mkdtemp(dir=world().home(support.me())), None

    def shell(self, script, name="bash"):
        env = {**world().env, "VMSNAP_COMMAND": world().vmsnap, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}
        return subprocess.run([name, "-c", STAND_INS + script], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, text=True)

    def server(self):
        """The server that forks before it serves; what is written into `requests` it reads."""
        if not self.started:
            self.started = Target(self, "prefork", 3, 8, 10)
            os.symlink(f"/proc/{self.started.pid}/fd/0", os.path.join(self.folder, "requests"))
        return self.started

    def example(self, command, expected):
        place = {README_PARENT: self.parent, README_CHILD: self.child,
                 README_GLOBAL: f"{self.target.ranges['global_counter'][0]:x}"}
        if re.search(rf"\b{README_SERVER}\b", command):
            place[README_SERVER] = str(self.server().pid)
        real = re.sub(r"\b[0-9a-f]+\b", lambda found: place.get(found[0], found[0]), command)
        if real.startswith("echo write"):
            self.target.tell("write")
            return
        result = self.shell(real)
        if real.startswith("vmsnap blame "):
            need_faults(self, result)
        self.assertIn(result.returncode, (0, 1), f"{real}: {result.stdout}")
        # A long path goes on in the next line, and what is told of a fork where numbers are long.
        unwrapped = unwrap(re.sub(r"(?m)^(exe .*)\n {10}(?=\S)", r"\1", result.stdout))
        expected = unwrap("".join(line + "\n" for line in expected)).split("\n")[:-1]
        got = unwrapped.replace(os.path.realpath(world().targets), "/home/you/vmsnap/build/release/targets")
        self.assertTrue(matches(expected, got.split("\n")[:-1]),
                        f"{command} prints\n{got}\nand not\n" + "\n".join(expected))


@support.unmoved
class Readme(Documents):
    def test_the_examples_print_what_the_readme_says(self):
        support.need_frames(self)  # it shows what root sees
        found = blocks(read("README.md"), "console")
        self.assertGreaterEqual(len(found), 3, "stories")
        for block in found:
            for command, expected in sessions(block):
                self.example(command, expected)

    def test_the_examples_of_the_tour_print_what_it_says(self):
        support.need_frames(self)
        found = blocks(read("docs", "tour.md"), "console")
        self.assertGreater(len(found), 3, "examples")
        for block in found:
            for command, expected in sessions(block):
                self.example(command, expected)

    def test_a_story_fits_the_reader(self):
        found = blocks(read("README.md"), "console") + blocks(read("README.md"), "gdb")
        self.assertEqual(len(found), 4, "stories")
        for block in found:
            printed = [line for line in block.split("\n")[:-1] if not line.startswith(("$ ", "(gdb) "))]
            self.assertLessEqual(len([line for line in printed if line != "..."]), LINES_MAX, block)

    def test_its_figures_are_those_of_the_tables(self):
        """Run script/bench, and what it writes into docs/performance.md belongs into the README, too."""
        measured = figures("docs", "performance.md")
        part = read("README.md").split("## What it costs")[1].split("\n## ")[0]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"(?m)^\| .*", part)]
        self.assertGreater(len(rows), 4)
        for target, pause, whole in rows[1:]:
            self.assertEqual(pause, measured[target, "pause"], target)
            self.assertEqual(whole, measured.get((target, "whole capture"), ""), target)

    def test_no_figure_of_time_stands_elsewhere_in_its_prose(self):
        prose = re.sub(r"(?ms)^```.*?^```$|^\|.*?$", "", read("README.md"))
        self.assertEqual(re.findall(r"\d+(?:\.\d+)? (?:ns|µs|us|ms|s|KiB|MiB|GiB)\b", prose), [])

    def test_the_two_commands_stand_at_the_top(self):
        top = read("README.md")[:1000]
        for name in ("script/demo", "script/test"):
            self.assertIn(name, top)
            self.assertTrue(os.access(os.path.join(SOURCE, name), os.X_OK), name)

    def test_every_link_leads_somewhere(self):
        docs = ["docs/" + name for name in os.listdir(os.path.join(SOURCE, "docs")) if name.endswith(".md")]
        for document in ("README.md", "CHANGELOG.md", "SECURITY.md", *docs):
            for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", read(document)):
                if not link.startswith("https://"):
                    path = os.path.join(SOURCE, os.path.dirname(document), link)
                    self.assertTrue(os.path.exists(path), f"{document}: {link}")

    def test_the_program_in_the_guide_of_the_library_compiles_and_runs(self):
        library = os.environ.get("VMSNAP_LIB")
        if not library or not shutil.which("cc"):
            skip(self, "no C compiler" if library else "VMSNAP_LIB is not set")
        with open(os.path.join(self.folder, "ranges.c"), "w") as file:
            file.write(blocks(read("docs", "library.md"), "c")[0])
        with open(library, "rb") as file:
            sanitizers = ["-fsanitize=address,undefined"] if b"__asan_init" in file.read() else []
        folder = os.path.dirname(library)
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *sanitizers, "-I", os.path.join(SOURCE, "core", "include"),
                        "ranges.c", library, f"-Wl,-rpath,{folder}", "-o", "ranges"], cwd=self.folder, check=True)
        program = os.path.join(self.folder, "ranges")
        result = subprocess.run([program, self.parent], stdout=subprocess.PIPE, timeout=300, text=True)
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"\A([0-9a-f]+-[0-9a-f]+\n)+\Z")
        self.assertEqual(subprocess.run([program, "0"], stderr=subprocess.DEVNULL, timeout=300).returncode, 2)

    def test_a_changed_word_in_the_output_would_be_seen(self):
        self.assertTrue(matches(["a 12K b", "...", "end"], ["a 4.00M  b", "x", "y", "end"]))
        for wrong in (["a 12K c", "x", "end"], ["a 12K b", "x"], ["a b", "x", "end"], ["a 12K b", "x", "end", "more"]):
            self.assertFalse(matches(["a 12K b", "...", "end"], wrong))


@support.unmoved
class Archive(Documents):
    """docs/archive.md, whose processes are those of the README."""

    def test_the_examples_print_what_it_says(self):
        support.need_frames(self)
        found = blocks(read("docs", "archive.md"), "console")
        self.assertGreater(len(found), 3, "examples")
        for block in found:
            for command, expected in sessions(block):
                self.example(command, expected)


class ManPages(Documents):
    def test_each_command_has_one_with_every_option_of_its_help(self):
        for name in COMMANDS:
            page = read("docs", "man", f"vmsnap-{name}.1.scd")
            text = subprocess.run([world().vmsnap, "help", name], env=world().env, stdout=subprocess.PIPE,
                                  text=True, timeout=300).stdout
            helped = set(re.findall(r"(?m)^ .{4}  ?--([a-z-]+)", text))
            described = set(re.findall(r"\*--([a-z-]+)\*", page.split("# OPTIONS")[1].split("\n# ")[0]))
            self.assertEqual(described, helped, name)
            for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"):
                self.assertIn(f"\n# {section}\n", page, name)
            self.assertIn(f"*vmsnap-{name}*(1)", read("docs", "man", "vmsnap.1.scd"))
        listed = subprocess.run([world().vmsnap, "--help"], env=world().env, stdout=subprocess.PIPE,
                                text=True, timeout=300).stdout
        commands = set(re.findall(r"(?m)^  ([a-z]+) ", listed.split("Commands:")[1].split("Options:")[0])) - {"help"}
        self.assertEqual(set(COMMANDS), commands)

    def test_no_line_of_an_example_is_wider_than_a_window(self):
        for name in sorted(name for name in os.listdir(MAN) if name.endswith(".scd")):
            for block in blocks(read("docs", "man", name), ""):
                for line in block.split("\n"):
                    self.assertLessEqual(len(line), 72, f"{name}: {line}")  # a page's text begins in column 8

    def test_the_cow_page_lists_the_verdicts_that_there_are(self):
        header = read("core", "include", "vmsnap", "compare.h")
        enum = re.search(r"enum vmsnap_verdict \{(.*?)\};", header, re.S)[1]
        names = {word.lower() for word in re.findall(r"VMSNAP_VERDICT_(\w+)", enum)} - {"count"}
        page = read("docs", "man", "vmsnap-cow.1.scd").split("# OPTIONS")[0]
        described = set(re.findall(r"\*([a-z_]+)\*[,\n]", page))
        self.assertEqual(names - described, set())

    def test_every_example_runs(self):
        ran = 0
        for name in ["vmsnap", *(f"vmsnap-{command}" for command in COMMANDS if command not in ELSEWHERE)]:
            page = read("docs", "man", f"{name}.1.scd")
            for block in blocks(page.split("# EXAMPLES")[1], ""):
                self.example(name, block)
                ran += 1
        self.assertGreater(ran, len(COMMANDS))

    def example(self, name, block):
        for old, new in ((MAN_PARENT, self.parent), (MAN_CHILD, self.child)):
            block = re.sub(rf"\b{old}\b", new, block)
        block = re.sub(r" \\\\\n *|(?<=\|)\n *", " ", block)  # a command in two lines
        if name in ("vmsnap-who", "vmsnap-dump"):  # an address where something is, which anybody may know
            block = re.sub(r"\b7f0012345(?=000\b|678\b)", f"{kernel.maps(int(self.parent))[0].start:x}"[:-3], block)
        # Files that the reader has from before.
        script = ""
        for file in ("a.vms", "b.vms", "before.vms", "after.vms", "day.vms", "crash.vms"):
            script += f"vmsnap capture {self.parent} -q --contents -o {file} && " \
                      f"vmsnap capture {self.parent} -q --contents --label after-fork --append -o {file} || exit 9\n"
        for line in block.split("\n")[:-1]:
            if line.startswith("go ") and not shutil.which("go"):
                continue
            script += f"{line}\nstatus=$?; [ $status -le 1 ] || {{ echo FAILED: $status; exit 9; }}\n"
        result = self.shell(script)
        self.assertEqual(result.returncode, 0, f"{name}:\n{block}\n{result.stdout}")

    def test_scdoc_accepts_them(self):
        for name in sorted(name for name in os.listdir(MAN) if name.endswith(".scd")):
            try:
                result = subprocess.run(["scdoc"], input=read("docs", "man", name), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, timeout=300)
            except FileNotFoundError:
                skip(self, "scdoc is not installed")
            self.assertEqual((result.returncode, result.stderr), (0, ""), name)


if __name__ == "__main__":
    support.main()
