"""--watch: again and again, on a terminal that is played, in a pipe, as JSON; and every way out."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import unittest

import kernel
import support
from command_line import Case, command
from played_terminal import PlayedTerminal
from support import SLOWNESS, world

FRAME = b"\x1b[J"  # how each ends
ENV = {"COLORFGBG": "15;0"}


class Shown:
    """What a terminal shows that was sent this; it knows what is sent, and nothing else is."""

    SEQUENCE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")

    def __init__(self, text, rows=24, columns=80):
        self.rows, self.columns = rows, columns
        self.alternate, self.cursor, self.reverse, self.colored = False, True, False, False
        self.frames = []  # lines of text, and of marks, at the end of each
        self.clear()
        at = 0
        text = text.decode().encode("utf-8")
        while at < len(text):
            found = self.SEQUENCE.match(text, at)
            if found:
                self.sequence(*found.groups())
                at = found.end()
                continue
            assert text[at:at + 1] != b"\x1b", text[at:at + 20]
            length = 1
            while at + length < len(text) and text[at + length] & 0xc0 == 0x80:
                length += 1
            self.put(text[at:at + length].decode())
            at += length

    def clear(self):
        self.row = self.column = 0
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.marks = [[" "] * self.columns for _ in range(self.rows)]

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == self.rows:
                assert not self.alternate or self.leaving, "it scrolls"
                self.row -= 1
        elif self.alternate:
            assert self.column < self.columns, "a line is longer than the window"
            self.cells[self.row][self.column] = character
            self.marks[self.row][self.column] = "^" if self.reverse else " "
            self.column += 1

    leaving = False

    def sequence(self, private, numbers, letter):
        if private:
            assert (numbers, letter) in ((b"1049", b"h"), (b"1049", b"l"), (b"25", b"h"), (b"25", b"l")), numbers
            if numbers == b"25":
                self.cursor = letter == b"h"
            else:
                self.alternate, self.leaving = letter == b"h", False
        elif letter == b"H":
            row, column = (int(word) - 1 for word in numbers.split(b";")) if numbers else (0, 0)
            self.leaving = bool(numbers)  # only then it says where
            self.row, self.column = min(row, self.rows - 1), column
        elif letter == b"K":
            for line in (self.cells, self.marks):
                line[self.row][self.column:] = [" "] * (self.columns - self.column)
        elif letter == b"J" and numbers == b"2":
            self.clear()
        elif letter == b"J":
            for line in (self.cells, self.marks):
                if self.column < self.columns:
                    line[self.row][self.column:] = [" "] * (self.columns - self.column)
                line[self.row + 1:] = [[" "] * self.columns for _ in range(self.rows - self.row - 1)]
            self.frames.append(([("".join(row)).rstrip() for row in self.cells], ["".join(row).rstrip() for row in self.marks]))
        else:
            assert letter == b"m", (numbers, letter)
            for number in (numbers or b"0").split(b";"):
                self.reverse = False if number in (b"0", b"27") else True if number == b"7" else self.reverse
            self.colored = numbers not in (b"", b"0")

    def marked(self, frame=-1):
        """The words in reverse of a frame."""
        lines, marks = self.frames[frame]
        return [word for line, mark in zip(lines, marks)
                for word in "".join(c if m == "^" else " " for c, m in zip(line.ljust(len(mark)), mark.ljust(len(line)))).split()]


class WatchCase(Case):
    """Frames come when a key asks for one: nothing here depends on how fast anything is."""

    def setUp(self):
        super().setUp()
        self.target = support.Target(self, "mappings")

    def watch(self, *words, every="1h", rows=24, columns=80, env=None, **options):
        self.terminal = PlayedTerminal(self, rows, columns)
        self.seen = 0
        return self.terminal.start(*words, "--watch", every, env={**ENV, **(env or {})}, **options)

    def frame(self):
        """Waits for the next one."""
        self.seen = self.terminal.read_until(FRAME, self.seen)

    def again(self):
        self.terminal.type(b" ")
        self.frame()

    def left(self, status=0, rows=24, columns=80):
        """It has ended so, and the terminal is as it was; what was shown."""
        self.assertEqual(self.terminal.finish(), status, self.terminal.output[-300:])
        self.terminal.check_as_before()
        shown = Shown(self.terminal.output, rows, columns)
        self.assertFalse(shown.alternate or not shown.cursor or shown.reverse or shown.colored)
        for on in (b"\x1b[?1049", b"\x1b[?25"):
            self.assertEqual(self.terminal.output.count(on + b"h"), self.terminal.output.count(on + b"l"))
        return shown


class Screen(WatchCase):
    def test_it_shows_what_the_command_prints(self):
        for words in (["show", self.target.pid], ["map", self.target.pid], ["diff", self.target.pid],
                      ["group", self.target.pid], ["cow", os.getpid(), self.target.pid]):
            self.watch(*words)
            self.frame()
            self.again()
            self.terminal.type(b"q")
            lines, _ = self.left().frames[-1]
            self.assertRegex(lines[0], rf"^vmsnap {words[0]} \d+.* every 3600 s, ")
            self.assertTrue(any(lines[1:]), lines)

    def test_lines_are_those_of_the_command(self):
        self.watch("show", self.target.pid, rows=300, env={"NO_COLOR": "1"})  # pictures are other ones with colours
        self.frame()
        self.terminal.type(b"q")
        lines, marks = self.left(rows=300).frames[0]
        once = command("show", self.target.pid, "-w", 80, env={"LC_ALL": "C.UTF-8"}).stdout.decode().splitlines()
        self.assertGreater(len(set(lines[1:]) & set(once)), len(once) * 2 // 3)
        self.assertEqual(set(marks), {""})

    def test_the_interval_makes_rounds(self):
        self.watch("show", self.target.pid, every="10ms")
        for _ in range(5):
            self.frame()
        self.terminal.type(b"q")
        self.left()

    def test_a_window_that_is_too_low_says_how_much_is_hidden(self):
        self.watch("show", self.target.pid, rows=8)
        self.frame()
        self.terminal.type(b"q")
        lines, _ = self.left(rows=8).frames[0]
        hidden = int(re.fullmatch(r"(\d+) more lines: the window is too low", lines[-1])[1])
        self.watch("show", self.target.pid, rows=200)
        self.frame()
        self.terminal.type(b"q")
        whole, _ = self.left(rows=200).frames[0]
        self.assertEqual(hidden + 6, len("\n".join(whole).rstrip().split("\n")) - 1)

    def test_tiny_windows(self):
        for rows, columns in ((1, 80), (2, 20), (3, 10), (24, 1), (5, 200)):
            self.watch("show", self.target.pid, rows=rows, columns=columns)
            self.frame()
            self.again()
            self.terminal.type(b"q")
            self.left(rows=rows, columns=columns)

    def test_a_new_size_is_drawn_at_once(self):
        self.watch("show", self.target.pid)
        self.frame()
        self.terminal.resize(10, 40)
        self.frame()
        self.terminal.type(b"q")
        self.assertEqual(self.terminal.finish(), 0)
        first, _, second = self.terminal.output.partition(FRAME)
        self.assertEqual(len(Shown(first + FRAME).frames), 1)
        lines, _ = Shown(b"\x1b[?1049h" + second, 10, 40).frames[0]
        self.assertIn("the window is too low", lines[-1])

    def test_what_changes_is_marked(self):
        words = [sys.executable, "-c", "import mmap, sys\nm = mmap.mmap(-1, 64 << 20)\nprint(flush=True)\nfor i, _ in "
                 "enumerate(sys.stdin):\n m[i << 20:i + 1 << 20] = bytes(1 << 20)\n print(flush=True)"]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.addCleanup(child.wait)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stdin.close)
        child.stdout.readline()
        self.watch("show", child.pid, rows=200)
        self.frame()
        for _ in range(2):
            child.stdin.write(b"\n")
            child.stdout.readline()
            self.again()
        self.terminal.type(b"q")
        shown = self.left(rows=200)
        self.assertEqual(shown.marked(0), [])
        for before, after in ((0, 1), (1, 2)):
            marked = shown.marked(after)
            self.assertTrue(marked)
            for word in marked:  # only what is new there; whole words
                self.assertIn(word, " ".join(shown.frames[after][0]).split())
            self.assertLess(len(marked), 40)
            self.assertNotEqual(shown.frames[before][0][1:], shown.frames[after][0][1:])

    def test_what_is_said_beside_is_below(self):
        """Standard error is the same terminal: it must not break the picture."""
        self.watch("show", self.target.pid, "--sysroot", "/nowhere", "--no-names")
        self.frame()
        self.terminal.type(b"q")
        self.left()
        open(self.path(str(self.target.pid)), "w", encoding="ascii").close()
        self.terminal = PlayedTerminal(self)
        self.seen = 0
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            self.terminal.start("show", str(self.target.pid), "--watch", "1h", env=ENV)
        finally:
            os.chdir(before)
        self.frame()
        self.terminal.type(b"q")
        lines, _ = self.left().frames[0]
        self.assertIn("is taken as a process", [line for line in lines if line][-1])

    def test_diff_tells_since_when(self):
        self.watch("diff", self.target.pid)
        self.frame()
        self.terminal.type(b"q")
        self.assertRegex(self.left().frames[0][0][0], r", since \d\d:\d\d:\d\d ")

    def test_colours_are_the_terminals(self):
        for env, wanted in (({"COLORFGBG": "0;15"}, b"105;106;122m"), ({}, b"96;106;117m")):
            self.watch("map", self.target.pid, env=env)
            self.frame()
            self.terminal.type(b"q")
            self.left()
            self.assertIn(wanted, self.terminal.output)
        self.watch("map", self.target.pid, env={"NO_COLOR": "1"})
        self.frame()
        self.terminal.type(b"q")
        self.left()
        self.assertNotIn(b"8;2;", self.terminal.output)

    def test_nobody_stands_between_the_rounds(self):
        self.watch("show", self.target.pid)
        self.frame()
        self.assertEqual(kernel.status(self.target.pid)["TracerPid"], b"0")
        self.assertIn(kernel.state(self.target.pid), "S")
        self.terminal.type(b"q")
        self.left()

    def test_a_thousand_rounds_take_no_more_than_a_hundred(self):
        self.watch("show", self.target.pid, "--no-names", every="1ms")

        def taken():
            status = kernel.status(self.terminal.pid)
            fds = len(os.listdir(f"/proc/{self.terminal.pid}/fd"))
            return int(status["VmRSS"].split()[0]), int(status["VmData"].split()[0]), fds
        for _ in range(100):
            self.frame()
        before = taken()
        for _ in range(900):
            self.frame()
        after = taken()
        self.terminal.type(b"q")
        self.left()
        self.assertLessEqual(after[0], before[0] + 512)
        self.assertEqual(after[1], before[1])
        self.assertLess(after[2], before[2] + 10)  # those of a round, if there is one; lost ones would be 900


class WaysOut(WatchCase):
    def begin(self, *words, **options):
        self.watch("show", self.target.pid, *words, **options)
        self.frame()
        return self.terminal

    def test_keys(self):
        for key in (b"q", b"Q", b"xq", b"\x1b[Aq"):
            self.begin().type(key)
            self.left()

    def test_ctrl_c(self):
        self.begin().type(b"\x03")
        self.left()

    def test_signals(self):
        self.begin().kill(signal.SIGINT)
        self.left()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            self.begin().kill(number)
            self.left(-number)

    def test_in_the_middle_of_a_round(self):
        for number, status in ((signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)):
            self.begin(every="1ms").kill(number)
            self.left(status)
        self.begin(every="1ms").type(b"q")
        self.left()

    def test_ctrl_z_and_on(self):
        terminal = self.begin()
        for _ in range(2):
            terminal.type(b"\x1a")
            self.assertEqual(terminal.wait_stopped(), signal.SIGTSTP)
            terminal.check_as_before()
            shown = Shown(terminal.output)
            self.assertTrue(shown.cursor and not shown.alternate)
            terminal.go_on()
            self.frame()
        terminal.type(b"q")
        self.left()

    def test_stopped_by_force_and_on(self):
        """SIGSTOP leaves no time to put anything right; what is taken again is not taken for what was before."""
        terminal = self.begin()
        terminal.kill(signal.SIGSTOP)
        self.assertEqual(terminal.wait_stopped(), signal.SIGSTOP)
        terminal.go_on()
        self.frame()
        terminal.type(b"q")
        self.assertEqual(terminal.finish(), 0)
        terminal.check_as_before()
        shown = Shown(terminal.output)
        self.assertTrue(shown.cursor and not shown.alternate)

    def test_the_process_ends(self):
        terminal = self.begin(rows=60)
        self.target.end()
        self.assertEqual(terminal.finish(), 0)
        terminal.check_as_before()
        after = terminal.output.rpartition(b"\x1b[?1049l")[2]
        self.assertIn(b"process %d has ended" % self.target.pid, after)
        self.assertIn(b"mappings", after)  # what was seen last stays

    def test_a_process_that_is_not_there(self):
        self.target.end()
        self.watch("show", self.target.pid)
        self.assertEqual(self.terminal.finish(), 2)
        self.terminal.check_as_before()
        self.assertIn(str(self.target.pid).encode(), self.terminal.output.rpartition(b"\x1b[?1049l")[2])

    def test_the_terminal_goes_away(self):
        terminal = self.begin()
        os.kill(terminal.leader, signal.SIGKILL)  # as when a window is closed: the leader ends, and all hear of it
        os.kill(terminal.pid, signal.SIGHUP)
        for _ in range(600 * SLOWNESS):
            if not os.path.exists(f"/proc/{terminal.pid}"):
                break
            terminal._read(0.1)
        else:
            self.fail("it stays")
        terminal.status = 0
        self.assertTrue(Shown(terminal.output).cursor)

    def test_a_terminal_that_takes_nothing(self):
        """Ctrl-S, and then the end: nobody waits for it for ever."""
        terminal = self.begin(every="1ms")
        terminal.type(b"\x13")
        terminal.kill(signal.SIGTERM)
        self.assertEqual(terminal.finish(), -signal.SIGTERM)
        terminal.check_as_before()

    def test_input_from_elsewhere(self):
        """No keys then; the terminal's settings are nobody's matter."""
        null = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, null)
        terminal = self.begin(stdin=null)
        terminal.kill(signal.SIGINT)
        self.left()


class Elsewhere(WatchCase):
    def piped(self, *words, every="10ms"):
        process = subprocess.Popen([world().vmsnap, *map(str, words), "--watch", every], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**world().env, "LC_ALL": "C.UTF-8"})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_in_a_pipe_the_text_repeats(self):
        process = self.piped("show", self.target.pid)
        text = b""
        while text.count(b"==> ") < 4:
            text += process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), -signal.SIGTERM)
        parts = re.split(r"(?m)^==> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d <==$", text.decode())
        self.assertEqual(parts[0], "")
        for part in parts[1:-1]:
            self.assertIn("mappings", part)
            self.assertNotIn("\x1b", part)
            self.assertTrue(part.endswith("\n\n") and part.startswith("\n"))

    def test_raw_is_rows_and_nothing_else(self):
        process = self.piped("show", self.target.pid, "--raw", "-n", "-o", "START,SIZE")
        for _ in range(200):
            self.assertRegex(process.stdout.readline().decode(), r"\A[0-9a-f]+ \S+\n\Z")

    def test_json_is_an_object_for_each_line(self):
        for words in (["show", self.target.pid], ["map", self.target.pid], ["diff", self.target.pid], ["group", self.target.pid],
                      ["cow", os.getpid(), self.target.pid]):
            process = self.piped(*words, "--json")
            found = [json.loads(process.stdout.readline()) for _ in range(4)]
            process.kill()
            once = command(*words[:2], *words[2:], "--json").stdout if words[0] != "diff" else None
            for each in found:
                self.assertTrue(each["schema"].startswith("vmsnap."), each)
                if once:
                    self.assertEqual(each.keys(), json.loads(once).keys())
        terminal = PlayedTerminal(self).start("show", self.target.pid, "--json", "--watch", "10ms", env=ENV)
        end = terminal.read_until(b"\r\n", terminal.read_until(b"\r\n"))
        self.assertNotIn(b"\x1b", terminal.output)
        for line in terminal.output[:end].splitlines():
            json.loads(line)
        terminal.kill(signal.SIGINT)
        self.assertEqual(terminal.finish(), -signal.SIGINT)
        terminal.check_as_before()

    def test_names_stay_whole_in_json(self):
        """Blanks and quotes within strings are theirs."""
        folder = self.path('a  b "c d')
        os.mkdir(folder)
        path = os.path.join(folder, "mappings")
        with open(os.path.join(world().targets, "mappings"), "rb") as source, open(path, "wb") as copy:
            copy.write(source.read())
        os.chmod(path, 0o755)
        target = support.Target(self, "mappings", executable=path)
        process = self.piped("show", target.pid, "--json")
        self.assertIn(path, {vma["name"] for vma in json.loads(process.stdout.readline())["vmas"]})

    def test_the_process_ends(self):
        for words in ([], ["--json"]):
            target = support.Target(self, "mappings")
            process = self.piped("show", target.pid, *words)
            for _ in range(1 if words else 5):
                process.stdout.readline()
            target.end()
            _, said = process.communicate()
            self.assertEqual(process.returncode, 0)
            self.assertIn(b"process %d has ended" % target.pid, said)

    def test_a_closed_pipe_is_quiet(self):
        for words in ([], ["--json"]):
            process = self.piped("show", self.target.pid, *words)
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.wait(timeout=60 * SLOWNESS), 141)
            self.assertEqual(process.stderr.read(), b"")

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "wb") as full:
            for words in ([], ["--json"]):
                result = command("show", self.target.pid, "--watch", "10ms", *words, stdout=full)
                self.assertEqual(result.returncode, 2)
                self.assertIn(b"cannot write to standard output", result.stderr)

    def test_diff_is_since_the_first_look(self):
        words = [sys.executable, "-c", "import mmap, sys\nm = mmap.mmap(-1, 64 << 20)\nprint(flush=True)\nfor i, _ in "
                 "enumerate(sys.stdin):\n m[i << 20:i + 1 << 20] = bytes(1 << 20)\n print(flush=True)"]
        child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.addCleanup(child.wait)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.stdin.close)
        child.stdout.readline()
        process = self.piped("diff", child.pid, "--json")
        process.stdout.readline()  # the first look was taken
        appeared = 0
        for touched in (1, 2, 3):
            child.stdin.write(b"\n")
            child.stdout.readline()
            while appeared < touched << 8:  # pages; it stays: what was there at the first look does not change
                found = json.loads(process.stdout.readline())
                now = sum(row["pages"] for row in found["pages"] if row["change"] == "appeared")
                self.assertGreaterEqual(now, appeared)
                appeared = now

    def test_a_file_may_be_what_is_compared_with(self):
        file = self.path("a.vms")
        command("capture", self.target.pid, "-o", file)
        process = self.piped("diff", file, self.target.pid, "--json")
        for _ in range(3):
            self.assertEqual(json.loads(process.stdout.readline())["schema"].partition("/")[0], "vmsnap.diff")

    def test_what_does_not_change_is_refused(self):
        file = self.path("a.vms")
        command("capture", self.target.pid, "-o", file)
        for words in (["show", file], ["diff", file], ["diff", file, file], ["map", file], ["cow", file], ["group", file]):
            self.refused(*words, "--watch", "1s", said=["--watch is for live processes", file])
        self.refused("show", "-", "--watch", "1s", said="standard input can be read once")
        self.refused("diff", "-", self.target.pid, "--watch", "1s", said="standard input can be read once")
        self.refused("group", "--watch", "1s", said="of which processes?")

    def test_bad_words(self):
        for word in ("0", "-1", "1x", "", "soon"):
            self.refused("show", self.target.pid, "--watch", word, said="--watch takes a time")
        self.refused("show", self.target.pid, "--watch", said="needs a value")
        for name in ("pages", "page", "list", "capture"):
            self.refused(name, self.target.pid, "--watch=1s", said="there is no option '--watch'")

    def test_no_other_process_of_that_number(self):
        """What is watched is the process, not its number: the descriptor tells its end even if the number is taken."""
        process = self.piped("show", self.target.pid, "--json", every="1h")
        process.stdout.readline()
        self.target.end()
        self.assertTrue(select.select([process.stderr], [], [], 60 * SLOWNESS)[0])
        self.assertIn(b"has ended", process.stderr.readline())
        self.assertEqual(process.stdout.read(), b"")
        self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
