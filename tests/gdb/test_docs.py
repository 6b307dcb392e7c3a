"""What docs/gdb.md shows is what happens: its sessions run in a real gdb and print what
it says they print, and its reference leaves nothing out."""

import os
import re
import shutil
import subprocess
import unittest

from gdb_session import (FRAMES, NOBODY_OR_ME, SOURCE, Gdb, Target, main, me, need_faults, need_frames, need_no_frames,
                         sees_frames, world)

from documents import blocks, read, without_numbers
from support import each_user, run, unmoved

GUIDE = ("docs", "gdb.md")
YOU = "/home/you/vmsnap"  # where the guide's reader has built it
PARENT, CHILD = "4711", "4712"  # what the guide calls the processes of one that runs already


def sections(text):
    """[(heading, text)]"""
    parts = re.split(r"(?m)^##+ (.*)\n", text)
    return list(zip(parts[1::2], parts[2::2]))


def steps(block):
    """[("gdb" or "shell", command, what it prints)] of a session."""
    found = []
    for line in block.splitlines():
        for mark, kind in (("(gdb) ", "gdb"), ("$ ", "shell")):
            if line.startswith(mark):
                found.append((kind, line[len(mark):], []))
                break
        else:
            found[-1][2].append(line)
    return [(kind, command.split("  # ")[0].rstrip(), lines) for kind, command, lines in found]


def words(lines):
    """What is printed, however the lines are broken; numbers become '#'.  Of a page that
    both sides of a fork write to, the one that comes first gets the copy, and that is chance.
    A page that gdb has read twice is copied by both (it has one user more for a while), and
    which it reads depends on what it knows of the C library (libc6-dbg) and where on the stack
    things lie.  So how many were copied by whom is not compared where pages are counted, nor of
    pages that gdb has touched; of the program's own, row by row, it is.  That gdb had read some is left out."""
    said = (without_numbers(line) for line in lines if not re.match(r" +\d+ pages? +\S+ +copied", line))
    text = " ".join(" ".join(said).split())
    text = re.sub(r"gdb had read # of the pages that both copied, .*?this may be why the second one copied, too ?", "", text)
    # What a fault did beyond that it wrote, and where in its page, tells tracefs, which is not mounted everywhere.
    text = re.sub(r"\b(first touch|copy|write) (?=#)", "write ", text)
    text = re.sub(r"copied_by_\w+(,? touched)", r"copied\1", text)
    text = re.sub(r"(sharing is lost:)(?: # by (?:the )?[a-z]+ \(.\),?)+", r"\1", text).replace(" BOTH SHARED", " SHARED")
    return re.sub(r"# \w+( touched by gdb)?(, # \w+( touched by gdb)?)*", one_of_each, text)


def one_of_each(counts):
    """Of "# shared, # copied_by_child, # copied_by_parent": which there are."""
    kinds = {re.sub("copied_by_[a-z]+", "copied", kind) for kind in counts[0].split(", ")}
    return ", ".join(sorted(kinds))


def pattern(lines):
    """For words(): a line "..." stands for anything, and so does the end of a line behind
    " ...".  Where something is cut depends on how long the numbers before it are."""
    parts = [[]]
    for line in lines:
        if line == "...":
            parts.append([])
        elif line.endswith(" ..."):
            parts[-1].append(line[:-4])
            parts.append([])
        elif "…" in line:
            first, *_, last = without_numbers(line).split("…")
            parts[-1].append(" ".join(first.split()[:-2]))
            parts.append([last])
        else:
            parts[-1].append(line)
    return r"\s*(\S.*)?\s*".join(re.escape(words(part)) for part in parts)


def is_note(line):
    """gdb's two streams are read one after the other, so where a remark stands among
    other lines is not known."""
    return line.startswith(("note: ", "vmsnap: "))


def prints(expected, got):
    expected, got = list(expected), list(got)
    if words(filter(is_note, expected)) != words(filter(is_note, got)):
        return False
    rest = pattern([line for line in expected if not is_note(line)])
    return re.fullmatch(rest, words(line for line in got if not is_note(line))) is not None


class Reader:
    """Does what the guide tells, in a folder of its own."""

    def __init__(self, test, user):
        self.test, self.user, self.gdb, self.target = test, user, None, None

    def real(self, text):
        """A command of the guide, for this machine."""
        if PARENT in text or CHILD in text:
            if self.target is None:
                self.target = Target(self.test, "cow_demo", user=self.user)
            parent, child = self.target.lines[0].split()[1:3]
            text = text.replace(PARENT, parent).replace(CHILD, child)
        return re.sub(r"(?<=gdbserver - )(?=\w)", f"{world().targets}/", text)

    @staticmethod
    def shown(text):
        """What was printed here, as the guide's reader would see it."""
        for path in (os.path.realpath(world().targets), world().targets, SOURCE):
            # A long path goes on in the next line, wherever it has to.
            text = re.sub(r"(?:\n +)?".join(map(re.escape, path)), lambda _, path=path: path, text)
        text = text.replace(os.path.realpath(world().targets), f"{YOU}/build/release/targets")
        # A checkout with a long path: what is left of it where it was cut.
        text = re.sub(r"…\S*/build/\S*targets/", f"{YOU}/build/release/targets/", text)
        return text.replace(world().targets, f"{YOU}/build/release/targets").replace(SOURCE, YOU)

    def do(self, kind, command):
        command = self.real(command)
        if kind == "gdb":
            said, complaint = self.gdb.do(command)
            return self.shown(complaint + said)
        if command.split()[0] == "gdb":
            return self.start(command.split()[1:])
        return self.shown(self.shell(command))

    def start(self, arguments):
        arguments = [word for word in arguments if word != "--args"]
        if arguments[:1] == ["-p"]:
            self.gdb = Gdb(self.test, user=self.user)
            return self.do("gdb", f"attach {arguments[1]}")
        name = os.path.basename(arguments[0]) if arguments else None
        self.gdb = Gdb(self.test, name, *arguments[1:], user=self.user)
        self.gdb("set print inferior-events on")
        self.gdb("set width 80")
        return ""

    def shell(self, command):
        env = {**world().env, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}
        script = f'vmsnap() {{ {world().vmsnap} "$@"; }}\n{command}'
        return subprocess.run(["bash", "-c", script], cwd=world().home(self.user), env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=300).stdout


@unmoved
class Guide(unittest.TestCase):
    def test_its_sessions_print_what_it_says(self):
        ran = 0
        for heading, text in sections(read(*GUIDE)):
            for block in blocks(text, "console"):
                with self.subTest(heading):
                    ran += self.part(heading, block)
        self.assertGreater(ran, 40 if FRAMES else 4, "commands")

    def part(self, heading, block):
        """One part shows what others see, the rest what root sees."""
        if heading == "Without root":
            need_no_frames(self)
            return self.session(block, NOBODY_OR_ME)
        need_frames(self)
        if heading == "A remote board" and not shutil.which("gdbserver"):
            return 0
        if heading == "Which line wrote":
            need_faults(self)
        return self.session(block, me())

    def test_sessions_about_blame(self):
        need_frames(self)
        need_faults(self)
        for block in blocks(read("docs", "blame.md"), "console"):
            self.session(block, me())

    def test_the_sessions_in_the_readme_and_the_tour_print_what_they_say(self):
        need_frames(self)
        for document in (("README.md",), ("docs", "tour.md")):
            found = blocks(read(*document), "gdb")
            self.assertTrue(found, document)
            for block in found:
                self.session(block, me())

    def test_the_session_with_a_core_file_prints_what_it_says(self):
        found = blocks(read("docs", "core-files.md"), "gdb")
        self.assertEqual(len(found), 1)
        self.session(found[0], me())

    def session(self, block, user):
        reader, done = Reader(self, user), steps(block)
        for kind, command, expected in done:
            got = reader.do(kind, command)
            self.assertTrue(prints(expected, got.splitlines()),
                            f"{command} prints\n{got}\nand not\n" + "\n".join(expected))
        return len(done)


    def test_a_changed_word_in_the_output_would_be_seen(self):
        shown = ["note: careful", "  5 pages shared", "a b c d…", "...", "end 0x5", "at ..."]
        self.assertTrue(prints(shown, ["  7 pages", "shared", "a b c…", "more", "end 0x7", "note: careful", "at home"]))
        for wrong in (["  7 pages", "shared", "a b c…", "end 0x7", "at home"],
                      ["note: careful", "  7 pages", "copied", "a b c…", "end 0x7", "at home"],
                      ["note: careful", "  7 pages", "shared", "a b c…", "at home"],
                      ["note: careful", "  7 pages", "shared", "a b c…", "end 0x7"]):
            self.assertFalse(prints(shown, wrong), wrong)

    def test_who_copied_a_page_of_the_program_is_compared_and_how_many_is_not(self):
        shown = ["a: 2 shared, 5 copied_by_child,", "    1 copied_by_parent",
                 "  555555555000  1 page  copied_by_child, touched by gdb: x", "  55555555a000  1 page  copied_by_child: counter"]
        answer = "40.0% of the sharing is lost: 8.00K by the parent (#), 48.0K by the child (%)"
        self.assertTrue(prints([answer], ["35.1% of the sharing is lost: 40.0K by the child (%), 4.00K by both (~)"]))
        self.assertFalse(prints([answer], ["None of the sharing is lost: 8.00K is shared"]))
        for both in ("7 shared, 1 copied_by_both", "1 shared, 2 copied_by_child, 1 copied_by_both"):
            self.assertTrue(prints(shown, [f"a: {both}", *shown[2:]]), both)
        why = ["gdb had read 1 of the pages that both copied, for names of variables (7ffffffde000):",
               "  this may be why the second one copied, too"]
        self.assertTrue(prints(shown, [*why, *shown]))
        self.assertFalse(prints(shown, [why[0], *shown]))
        self.assertTrue(prints(shown, [line.replace("child, touched", "both, touched") for line in shown]))
        for old, new in (("child: counter", "both: counter"), ("2 shared, ", ""), (", touched by gdb", ""),
                         ("1 copied_by_parent", "1 copied_by_parent touched by gdb"), ("2 shared", "2 new_in_child")):
            self.assertFalse(prints(shown, [line.replace(old, new) for line in shown]), new)


@unmoved
class Demo(unittest.TestCase):
    @each_user
    def test_its_commands_tell_the_story(self, user):
        gdb = Gdb(self, "gdb_demo", user=user)
        said = {}
        for line in read("script", "demo.gdb").splitlines():
            if line and not line.startswith(("#", "source ")):
                said[line] = gdb(line)
        who, answer = ("child", "% of the sharing is lost:") if sees_frames(user) else ("either", "is not known; inferred:")
        self.assertIn(answer, said["vmsnap cow"].split("\n")[0])
        self.assertRegex(said["vmsnap cow"], rf"(?m)^  [0-9a-f]+ {who} +counter")
        self.assertRegex(said["vmsnap cow"], r"(?m)^  [0-9a-f-]+ \w+ +.*answer in main\(\)")
        self.assertRegex(said["vmsnap page &counter"], r"(?m)^now .*(became_exc|pfn_changed)")
        # "pfn_changed?": without frame numbers, who knows?
        self.assertNotRegex(said["vmsnap page question+4096"], r"pfn_changed(?!\?)|became_")
        gdb.quit()
        shown = run("list", "gdb.vms", user=user)
        self.assertEqual((shown.status, len(shown.out.splitlines())), (0, 1 + 4), shown)


class Reference(unittest.TestCase):
    """The tables leave out nothing that gdb has from the plugin, and invent nothing."""

    def setUp(self):
        self.gdb = Gdb(self)
        self.text = read(*GUIDE).split("## Reference")[1].split("## What gdb itself")[0]

    def listed(self, prefix):
        return set(re.findall(rf"(?m)^{prefix} (\S+) -- ", self.gdb(f"help {prefix}")))

    def test_every_command(self):
        there = {f"vmsnap {name}" for name in self.listed("vmsnap")}
        there |= {f"vmsnap auto {name}" for name in self.listed("vmsnap auto")}
        rows = re.findall(r"(?m)^\| (`vmsnap .*?) \| ", self.text)
        told = {name for row in rows for name in re.findall(r"`(vmsnap (?:auto [a-z]+|[a-z]+))", row)}
        self.assertEqual(told, there)

    def test_every_option_with_the_commands_that_have_it(self):
        told = {}
        for row in re.findall(r"(?m)^\| (.*`--.*?) \| (.*?) \|", self.text):
            for option in re.findall(r"--([a-z-]+)", row[0]):
                told[option] = row[1]
        there = set()
        for name in self.listed("vmsnap") - {"auto"}:
            for option in re.findall(r"(?m)^  (?:-., |    )--([a-z-]+)", self.gdb(f"help vmsnap {name}")):
                there.add(option)
                self.assertRegex(told.get(option, "nothing"), rf"\b{name}\b|^all\b|^tables$", option)
        commands = re.findall(r"(?m)^\| `vmsnap .*", self.text)
        self.assertEqual(set(told) - {"keep-child"} - there, set(), commands)

    def test_every_setting_with_its_first_value(self):
        told = dict(re.findall(r"(?m)^\| `set vmsnap ([a-z-]+) [A-Z]+` \| (\w+) \|", self.text))
        self.assertEqual(set(told), self.listed("set vmsnap"))
        for name, first in told.items():
            now = self.gdb.value(f"gdb.parameter('vmsnap {name}')")
            switch = {True: "on", False: "off"}.get(now) if isinstance(now, bool) else None
            self.assertEqual(first, switch or (str(now) if now else "empty"), name)

    def test_every_function_and_mi_command(self):
        there = set(re.findall(r"\b_(vmsnap_(?!auto)\w+)", self.gdb("help function")))
        self.assertEqual(set(re.findall(r"(?m)^\| `\$_(\w+)\(", self.text)), there)
        for name in re.findall(r"`-(vmsnap-\w+)`", self.text):
            said, complaint = self.gdb.do(f'interpreter-exec mi "-{name} --no-such-option"')
            self.assertIn("there is no option --no-such-option", said + complaint)


if __name__ == "__main__":
    main()
