"""Texts in a terminal look as they did: each command in a pane of tmux, with attributes, against a golden capture.

With --record [NAME...] the golden captures are made anew, all or those whose names begin so, to be looked at (script/pictures
terminal) before they are committed.  All are of files in this folder: nothing in them is of this machine."""

import difflib
import itertools
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "live")]

import pane  # noqa: E402  (it lies in a folder just added)
import support  # noqa: E402

GOLDEN = os.path.join(HERE, "golden")
PARENT, CHILD, BASE = "redis.vms@3", "redis.vms@4", "redis.vms@1"
# Symbols would be those of files of this machine.
COMMANDS = {
    "map": ("map", PARENT, "--no-names"),
    "map-two": ("map", BASE, PARENT, "--no-names"),
    "map-cow": ("cow", "--map", PARENT, CHILD, "--base", BASE, "--no-names"),
    "show": ("show", PARENT, "--no-names"),
    "diff": ("diff", BASE, PARENT, "--no-names"),
    "cow": ("cow", PARENT, CHILD, "--base", BASE, "--no-names"),
}
WIDTHS = (80, 160)


def cases():
    """(name of the golden file, words of the command, look, width)"""
    for command, words in COMMANDS.items():
        for width in WIDTHS:
            for look in pane.LOOKS:
                yield f"{command}-{width}-{look}.ansi", [*words, *pane.OPTIONS.get(look, ())], look, width


def captured(tmux, words, look, width):
    return tmux.capture([os.path.abspath(support.VMSNAP), *words], look, width, HERE)


def golden(name):
    try:
        with open(os.path.join(GOLDEN, name), encoding="utf-8") as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def record(names):
    tmux = pane.Tmux()
    try:
        for name, words, look, width in cases():
            if names and not name.startswith(tuple(names)):
                continue
            with open(os.path.join(GOLDEN, name), "w", encoding="utf-8") as file:
                file.write("".join(line + "\n" for line in captured(tmux, words, look, width)))
            print(name)
    finally:
        tmux.close()


class Captures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if pane.missing():
            print(f"SKIP: {pane.missing()}", flush=True)
            raise unittest.SkipTest(pane.missing())
        cls.tmux = pane.Tmux()
        cls.addClassCleanup(cls.tmux.close)

    def test_each_looks_as_it_did(self):
        for name, words, look, width in cases():
            with self.subTest(capture=name):
                before, now = golden(name), captured(self.tmux, words, look, width)
                lines = difflib.unified_diff([repr(line) for line in before], [repr(line) for line in now], "golden", "now",
                                             lineterm="", n=0)
                if before != now:
                    self.fail(f"{name} (--record makes it anew):\n" + "\n".join(itertools.islice(lines, 12)))

    def test_no_golden_capture_is_left_over(self):
        self.assertEqual(sorted(os.listdir(GOLDEN)), sorted(name for name, *_ in cases()))

    def test_one_way_of_writing_attributes(self):
        """Whatever tmux writes."""
        self.assertEqual(pane.canonical("\033[1m\033[31mA\033[0m\033[39mB  \n\033[48;2;1;2;3m \033[49m \n\n"),
                         ["\033[0;1;31mA\033[0mB", "\033[0;48;2;1;2;3m \033[0m"])
        self.assertEqual(pane.canonical("\033[2mA\nB\033[0m"), ["\033[0;2mA\033[0m", "\033[0;2mB\033[0m"])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(sys.argv[2:])
    else:
        support.main()
