"""Dark or light: by an option, by COLORFGBG, or by what the terminal answers; which may be nothing, late, or a lie."""

import os
import signal
import sys
import unittest

import support
from command_line import Case, command, on_terminal
from played_terminal import ATTRIBUTES, QUESTION, PlayedTerminal, osc
from support import world

# Private memory, as the palette has it for each.
DARK, LIGHT = b"2;96;106;117m", b"2;105;106;122m"
QUERY = b"\x1b]11"


def scheme_of(text):
    found = [name for name, color in (("dark", DARK), ("light", LIGHT)) if color in text]
    assert len(found) == 1, text
    return found[0]


class SchemeCase(Case):
    def setUp(self):
        super().setUp()
        self.file = self.path("a.vms")
        target = support.Target(self, "cow_demo")
        self.assertEqual(command("capture", target.pid, "-o", self.file).returncode, 0)

    def played(self, answer, *, env=None, words=(), **options):
        """The terminal after `map`; the question, if it is asked, gets that answer."""
        terminal = PlayedTerminal(self)
        terminal.start("map", self.file, *words, env=env, **options)
        if answer is not None:
            terminal.read_until(QUESTION)
            terminal.type(answer)
        self.assertEqual(terminal.finish(), 0, terminal.output)
        terminal.check_as_before()
        return terminal

    def light(self, answer, env=None):
        """The terminal of one that heard, in time, that it is light.  Who is far away is waited for a second, and if
        we could not answer in that, we try again."""
        for _ in range(20):
            terminal = self.played(answer, env={"SSH_TTY": "/dev/pts/0", **(env or {})})
            if scheme_of(terminal.output) == "light":
                return terminal
        raise AssertionError(f"not light: {answer!r}")

    def not_asked(self, **options):
        terminal = self.played(None, **options)
        self.assertNotIn(QUERY, terminal.output)
        return terminal


class Choosing(SchemeCase):
    def test_the_option_decides_and_nobody_is_asked(self):
        for which in ("dark", "light"):
            for env in ({}, {"COLORFGBG": "0;15"}, {"COLORFGBG": "15;0"}):
                terminal = self.not_asked(words=[f"--color-scheme={which}"], env=env)
                self.assertEqual(scheme_of(terminal.output), which)
            text = command("map", self.file, "--color", "--color-scheme", which,
                           env={"TERM": "xterm", "COLORTERM": "truecolor"}).stdout
            self.assertEqual(scheme_of(text), which)

    def test_colorfgbg_decides_and_nobody_is_asked(self):
        for value, which in (("15;0", "dark"), ("0;15", "light"), ("0;default;15", "light"), ("12;8", "dark"), ("0;7", "light")):
            terminal = self.not_asked(env={"COLORFGBG": value})
            self.assertEqual(scheme_of(terminal.output), which, value)

    def test_what_says_nothing_in_colorfgbg_is_asked_for(self):
        for value in ("", "15", "0;default", "15;99", "15;-1", "0;15x", "0;150000000000000000015", ";"):
            self.light(osc(b"rgb:ffff/ffff/ffff") + ATTRIBUTES, env={"COLORFGBG": value})

    def test_other_words_are_refused(self):
        for word in ("blue", "", "Light", "auto "):
            self.refused("map", self.file, f"--color-scheme={word}", said="--color-scheme takes dark, light or auto")
        self.refused("map", self.file, "--color-scheme", said="needs a value")

    def test_each_command_that_has_colours_has_it(self):
        for name in "show pages page diff cow map status list check series group who dump".split():
            self.assertIn(b"--color-scheme", command("help", name).stdout, name)

    def test_16_colours_have_both(self):
        for which, of_files in (("dark", rb"[\[;][34]5[m;]"), ("light", rb"[\[;](96|106)[m;]")):
            text = command("map", self.file, "--color", f"--color-scheme={which}", env={"TERM": "xterm", "COLORTERM": ""}).stdout
            self.assertRegex(text, of_files)  # as a cell's foreground, or its background


class Asking(SchemeCase):
    def test_the_answer_decides(self):
        for color, which in ((b"rgb:0000/0000/0000", "dark"), (b"rgb:ffff/ffff/ffff", "light"), (b"rgb:f/f/f", "light"),
                             (b"rgb:fd/f6/e3", "light"), (b"rgb:0000/2b2b/3636", "dark"), (b"rgba:ffff/ffff/ffff/ffff", "light"),
                             (b"#ffffff", "light"), (b"#1e1e1e", "dark"), (b"rgb:28/2c/34", "dark"), (b"rgb:8080/8080/8080", "light")):
            for end in (b"\x1b\\", b"\x07", b"\x1b"):  # the last is what some rxvts do
                if which == "light":
                    self.assertEqual(self.light(osc(color, end) + ATTRIBUTES).waiting(), b"")
                else:
                    self.assertEqual(scheme_of(self.played(osc(color, end) + ATTRIBUTES).output), "dark", (color, end))

    def test_who_does_not_know_the_question_is_not_waited_for(self):
        """It knows the second one; what it gets then is the table, and nothing is left to be read."""
        terminal = self.played(ATTRIBUTES, env={"SSH_TTY": "/dev/pts/0"})
        self.assertEqual(scheme_of(terminal.output), "dark")

    def test_who_never_answers_is_dark(self):
        terminal = self.played(b"")
        self.assertEqual(scheme_of(terminal.output), "dark")

    def test_hostile_answers_say_nothing_and_are_not_shown(self):
        for answer in (b"\x1b]11;" + b"f" * 3000 + b"\x07", osc(b"rgb:fffff/ffff/ffff"), osc(b"rgb:ffff/ffff"), osc(b"rgb://"),
                       osc(b"rgb:gg/gg/gg"), osc(b""), osc(b"#"), osc(b"#ff"), osc(b"#ffff"), osc(b"#fffffffffffffff"),
                       osc(b"rgb:\xff\xff/\xff/\xff"), b"\x1b]10;rgb:ffff/ffff/ffff\x07", b"\x1b]52;c;aGVsbG8=\x07",
                       osc(b"rgb:-1/-1/-1"), osc(b"rgb:0xf/0xf/0xf"), osc(b"; rm -rf"), b"\x1b]\x1b\\\x1b]11\x1b\\"):
            terminal = self.played(answer + ATTRIBUTES)
            self.assertEqual(scheme_of(terminal.output), "dark", answer)
            for piece in (b"rm -rf", b"ffff/", b"ffffffff", b"aGVs"):
                self.assertNotIn(piece, terminal.output)

    def test_an_answer_without_end_is_not_waited_for(self):
        for answer in (b"\x1b]11;rgb:ffff/ff", b"\x1b]11;rgb:ffff/ffff/ffff", b"\x1b]11;" + b"f" * 3000, b"\x1b[?" + b"1;" * 1500):
            terminal = self.played(answer)
            self.assertEqual(scheme_of(terminal.output), "dark", answer)

    def test_an_answer_in_pieces(self):
        terminal = PlayedTerminal(self).start("map", self.file)
        terminal.read_until(QUESTION)
        for byte in osc(b"rgb:ffff/ffff/ffff") + ATTRIBUTES:
            terminal.type(bytes([byte]))
        self.assertEqual(terminal.finish(), 0)
        self.assertIn(scheme_of(terminal.output), ("dark", "light"))  # light, unless we were slow
        terminal.check_as_before()

    def test_a_late_answer_is_nobodys_input(self):
        """It comes when the table has begun, and more of it is to be written than the terminal takes."""
        if not self.can_put_back():
            self.skipTest("this kernel lets nobody put back what was typed, so what comes late is left alone")
        for answer in (osc(b"rgb:ffff/ffff/ffff") + ATTRIBUTES, ATTRIBUTES):
            terminal = PlayedTerminal(self, columns=200).start(*self.much())
            self.late(terminal, answer)
            self.assertEqual(terminal.waiting(), b"")
        terminal = PlayedTerminal(self).start(*self.much())
        self.late(terminal, b"typed\n" + osc(b"rgb:ffff/ffff/ffff") + ATTRIBUTES + b"more\n")
        self.assertEqual(terminal.waiting(), b"more\ntyped\n")  # in this order: what is put back is typed anew

    def much(self):
        """A command that writes more than the terminal takes."""
        target = support.Target(self, "instant")
        start = target.ranges["first"][0]
        self.assertEqual(command("capture", target.pid, "-o", self.path("b.vms")).returncode, 0)
        return ["pages", self.path("b.vms"), "--each", "--range", f"{start:x}-{start + (16 << 20):x}"]

    def late(self, terminal, answer):
        terminal.read_until(QUESTION)
        terminal.read_until(b"\x1b[")  # the table is coloured
        terminal.type(answer)
        self.assertEqual(terminal.finish(), 0)
        terminal.check_as_before()

    @staticmethod
    def can_put_back():
        try:
            with open("/proc/sys/dev/tty/legacy_tiocsti", encoding="ascii") as file:
                return file.read().strip() == "1"
        except FileNotFoundError:
            return True


class NotAsking(SchemeCase):
    def test_not_if_something_was_typed_ahead(self):
        for typed in (b"ls\n", b"one\ntwo\n", b"half a li"):
            terminal = PlayedTerminal(self)
            terminal.type(typed)
            terminal.start("map", self.file)
            self.assertEqual(terminal.finish(), 0)
            self.assertNotIn(QUERY, terminal.output)
            self.assertEqual(terminal.waiting(), typed)
            terminal.check_as_before()

    def test_what_is_typed_meanwhile_is_put_back(self):
        if not Asking.can_put_back():
            self.skipTest("this kernel lets nobody put back what was typed")
        for typed in (b"x", b"ls -l\n", b"\x1b[A", b"\xc3\xa4\x1bOP"):
            terminal = self.light(typed + osc(b"rgb:ffff/ffff/ffff") + typed + ATTRIBUTES)
            self.assertEqual(terminal.waiting(), typed + typed)

    def test_not_where_input_and_output_are_two(self):
        null = os.open("/dev/null", os.O_RDWR)
        other = PlayedTerminal(self)
        self.addCleanup(os.close, null)
        for descriptor in (null, other.slave):
            self.not_asked(stdin=descriptor)
        terminal = PlayedTerminal(self)
        file = os.open(self.path("out"), os.O_CREAT | os.O_WRONLY, 0o600)
        terminal.start("map", self.file, "--color", stdout=file)
        os.close(file)
        self.assertEqual(terminal.finish(), 0)
        self.assertEqual(terminal.output, b"")

    def test_not_from_behind(self):
        terminal = PlayedTerminal(self).start("map", self.file, in_front=False)
        self.assertEqual(terminal.finish(), 0)
        self.assertNotIn(QUERY, terminal.output)
        terminal.check_as_before()

    def test_not_terminals_that_are_known_not_to_answer_well(self):
        for env in ({"TERM": "linux"}, {"TERM": "screen"}, {"TERM": "screen-256color"}, {"STY": "1.pts"}, {"TERM": "eterm-color"},
                    {"INSIDE_EMACS": "29"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}):
            self.not_asked(env=env)

    def test_tmux_is_asked_though_colorfgbg_is_set(self):
        """It has the variable from where it was begun; it answers itself."""
        env = {"TMUX": "/tmp/tmux,1,0", "TERM": "screen-256color", "COLORFGBG": "15;0"}
        self.light(osc(b"rgb:ffff/ffff/ffff") + ATTRIBUTES, env=env)
        self.assertEqual(scheme_of(self.played(ATTRIBUTES, env={**env, "COLORFGBG": "0;15"}).output), "light")

    def test_not_for_what_has_no_such_colours(self):
        for words in (["--help"], ["map", "--help"], ["list", self.file], ["check", self.file], ["show", self.file, "--json"],
                      ["show", self.file, "--raw"], ["show", self.file, "--color=never"]):
            terminal = PlayedTerminal(self).start(*words)
            self.assertEqual(terminal.finish(), 0)
            self.assertNotIn(QUERY, terminal.output, words)


class WaysOut(SchemeCase):
    """Whatever comes while the answer is waited for, it acts when the terminal is as it was."""

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            terminal = PlayedTerminal(self).start("map", self.file)
            terminal.read_until(QUESTION)
            terminal.kill(number)
            self.assertEqual(terminal.finish(), -number)
            terminal.check_as_before()

    def test_ctrl_c(self):
        terminal = PlayedTerminal(self).start("map", self.file)
        terminal.read_until(QUESTION)
        terminal.type(b"\x03")
        self.assertEqual(terminal.finish(), -signal.SIGINT)
        terminal.check_as_before()

    def test_ctrl_z(self):
        terminal = PlayedTerminal(self).start("map", self.file)
        terminal.read_until(QUESTION)
        terminal.type(b"\x1a")
        self.assertEqual(terminal.wait_stopped(), signal.SIGTSTP)
        terminal.check_as_before()
        terminal.go_on()
        self.assertEqual(terminal.finish(), 0)
        terminal.check_as_before()


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
