"""Where output goes and what it looks like: full disks, terminals, hostile names."""

import errno
import json
import os
import re
import shutil
import subprocess

import support
from command_line import HOSTILE, Case, command, on_terminal
from support import world


class Output(Case):
    def test_a_full_disk_is_an_error(self):
        path = self.series("a.vms", "one", "two")
        for argv in (("show", path), ("pages", path, "--each"), ("list", path), ("diff", path), ("show", path, "--json")):
            with open("/dev/full", "wb") as full:
                self.refused(*argv, stdout=full, said=["standard output", os.strerror(errno.ENOSPC)])

    def test_a_closed_pipe_is_quiet(self):
        path = self.series("a.vms", "one")
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as pipe:
            result = command("pages", path, "--each", stdout=pipe)
            self.assertEqual((result.returncode, result.stderr), (141, b""))
            result = command("capture", self.demo().pid, "-q", "-o", "-", stdout=pipe)
            self.assertEqual((result.returncode, result.stderr), (141, b""))

    def test_closed_descriptors_do_not_hit_a_file(self):
        path = self.series("a.vms", "one")
        with open(path, "rb") as file:
            before = file.read()
        shell = '"$0" "$@" >&- 2>&-'
        status = subprocess.run(["sh", "-c", shell, world().vmsnap, "show", path], env=world().env, timeout=300).returncode
        self.assertEqual(status, 2)
        out = self.path("out.vms")
        status = subprocess.run(["sh", "-c", shell, world().vmsnap, "capture", str(self.demo().pid), "-o", out],
                                env=world().env, timeout=300).returncode
        self.assertEqual(status, 0)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(command("check", out).returncode, 0)

    def test_colours_only_where_they_are_wanted(self):
        path = self.series("a.vms", "one")
        def coloured(text):
            return b"\x1b[" in text
        good = {"TERM": "xterm-256color", "NO_COLOR": "", "COLORTERM": ""}
        self.assertTrue(coloured(on_terminal("map", path, env=good)[1]))
        self.assertFalse(coloured(on_terminal("map", path, env={**good, "NO_COLOR": "1"})[1]))
        self.assertFalse(coloured(on_terminal("map", path, env={**good, "TERM": "dumb"})[1]))
        self.assertFalse(coloured(on_terminal("map", path, env={**good, "TERM": ""})[1]))
        self.assertFalse(coloured(on_terminal("map", path, "--color=never", env=good)[1]))
        self.assertTrue(coloured(on_terminal("map", path, "--color=always", env={**good, "NO_COLOR": "1"})[1]))
        self.assertFalse(coloured(command("map", path, env=good).stdout))
        self.assertTrue(coloured(command("map", path, "--color=always", env=good).stdout))

    def test_as_many_colours_as_the_terminal_has(self):
        path = self.series("a.vms", "one")
        def text(**env):
            return on_terminal("map", path, env={"NO_COLOR": "", "COLORTERM": "", **env})[1]
        self.assertIn(b"8;2;", text(TERM="xterm", COLORTERM="truecolor"))
        self.assertIn(b"8;5;", text(TERM="xterm-256color"))
        self.assertNotIn(b"8;2;", text(TERM="xterm-256color"))
        self.assertNotRegex(text(TERM="xterm"), rb"[34]8;[25];")

    def test_the_width_is_the_terminals_then_that_of_columns(self):
        path = self.series("a.vms", "one")
        def widest(text):
            rows = re.findall(r"(?m)^[0-9a-f]{12} .*$", text.decode())
            return max(map(len, rows))
        env = {"NO_COLOR": "1", "COLUMNS": "120", "LC_ALL": "C.UTF-8"}
        on_50 = on_terminal("map", path, columns=50, env=env)[1]
        by_columns = command("map", path, env=env).stdout
        self.assertLessEqual(widest(on_50), 50)
        self.assertLessEqual(widest(by_columns), 120)
        self.assertGreater(widest(by_columns), 50)
        self.assertEqual(command("map", path, "--width=120", env={**env, "COLUMNS": "x"}).stdout, by_columns)
        self.assertEqual(command("map", path, env={**env, "COLUMNS": "x"}).stdout,
                         command("map", path, "--width=80", env=env).stdout)

    def test_a_tiny_terminal_still_shows_everything_that_counts(self):
        path = self.series("a.vms", "one", "two")
        counts = {"show": r"resident of .*START +RESIDENT ([0-9a-f]{12} +[0-9.]+[KM] )+",
                  "pages": r"START +PAGES ([0-9a-f]{12} +\d+ )+$",
                  "diff": r"^\S.* A \d+ cow_demo \"one\" .* B \"two\" .* later\b",
                  "status": r"KEY +VALUE Name cow_demo .*VmRSS +[0-9.]+[KM] ",
                  "map": r"resident of .*[0-9a-f]{12} .* 1 cell = [0-9.]+[KM],",
                  "list": r"N .*LABEL 1 .*one 2 .*two ",
                  "check": r"snapshot 1 at offset \d+, .*: ok snapshot 2 .*: ok 2 snapshots whole "}
        for name, wanted in counts.items():
            for columns in ("20", "1"):
                result = command(name, path, env={"COLUMNS": columns})
                self.assertIn(result.returncode, (0, 1))
                self.assertEqual(result.stderr, b"")
                self.assertRegex(re.sub(r"\s+", " ", result.stdout.decode()), wanted)
            status, text = on_terminal(name, path, columns=20, env={"NO_COLOR": "1"})
            self.assertIn(status, (0, 1))
            self.assertRegex(re.sub(r"\s+", " ", text.decode()), wanted)

    def test_only_ascii_where_the_locale_or_the_option_wants_it(self):
        path = self.series("a.vms", "one", "two")
        for name in ("map", "diff", "show", "list"):
            for argv, locale in (((), "C"), (("--ascii",), "C.UTF-8")):
                text = command(name, path, *argv, env={"LC_ALL": locale}).stdout
                self.assertTrue(text.isascii(), f"{name} {argv} {locale}")
        self.assertFalse(command("map", path, env={"LC_ALL": "C.UTF-8"}).stdout.isascii())

    def test_noheadings_and_raw(self):
        path = self.series("a.vms", "one")
        usual = command("list", path, "--raw").stdout.split(b"\n")
        bare = command("list", path, "--raw", "--noheadings").stdout.split(b"\n")
        self.assertEqual(usual[1:], bare)
        self.assertNotIn(b"  ", usual[0])


class Hostile(Case):
    """A program whose name, and so whose process and mapping, means harm."""

    def setUp(self):
        super().setUp()
        self.home = os.fsencode(self.folder)
        program = self.home + b"/" + HOSTILE
        shutil.copy(os.path.join(world().targets, "cow_demo"), program)
        self.target = self.demo(executable=program)
        self.file = self.home + b"/" + HOSTILE + b".vms"
        result = command("capture", self.target.pid, "--tree", "--label", HOSTILE, "-o", self.file)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.harmless(result.stderr)

    def harmless(self, text):
        """Nothing but lines of printable characters."""
        for character in text.decode("utf-8"):
            self.assertTrue(character == "\n" or character.isprintable(), repr(character))

    def commands(self):
        address = f"{self.target.ranges['global_counter'][0]:x}"
        yield ("show", self.file)
        yield ("pages", self.file)
        yield ("page", self.file, address)
        yield ("page", self.file, "1000")
        yield ("diff", self.file)
        yield ("cow", self.file)
        yield ("status", self.file)
        yield ("map", self.file)
        yield ("list", self.file)
        yield ("check", self.file)

    def test_no_text_holds_what_moves_the_cursor(self):
        for argv in self.commands():
            for more in ((), ("--raw",), ("--long",)):
                if more and argv[0] not in {"--raw": ("show", "pages", "list"), "--long": ("diff", "cow")}[more[0]]:
                    continue
                result = command(*argv, *more, env={"LC_ALL": "C.UTF-8"})
                self.assertIn(result.returncode, (0, 1), result.stderr)
                self.harmless(result.stdout)
                self.harmless(result.stderr)

    def test_json_stays_json(self):
        for argv in self.commands():
            result = command(*argv, "--json")
            self.assertIn(result.returncode, (0, 1), result.stderr)
            self.harmless(result.stdout)
            answer = json.loads(result.stdout)
            self.assertRegex(answer["schema"], r"^vmsnap\.[a-z]+/1$")
        answer = json.loads(command("show", self.file, "--json").stdout)
        self.assertEqual(answer["snapshot"]["comm"], r'e\x1b[2Jv\x0ai"l\x5c \xff\x07,')
        names = [vma["name"] for vma in answer["vmas"]]
        self.assertTrue(any(r'e\x1b[2Jv\x0ai"l\x5c \xff\x07,' in name for name in names), names)

    def test_a_hostile_label_is_found(self):
        of_target = b"@pid:%d" % self.target.pid
        self.assertEqual(command("show", self.file + of_target + b"@" + HOSTILE).returncode, 0)
        # Its child has it, too.
        self.harmless(self.refused("show", self.file + b"@" + HOSTILE, said="several processes").encode())

    def test_errors_are_escaped_too(self):
        text = self.refused("show", self.file + b"@none\x1b[2J", said="\\x1b[2J")
        self.harmless(text.encode())
        with open(self.file, "wb") as file:
            file.write(b"not ours")
        self.harmless(self.refused("show", self.file).encode())


if __name__ == "__main__":
    support.main()
