"""What tests of the command line have in common."""

import errno
import fcntl
import json
import os
import pty
import struct
import subprocess
import tempfile
import termios
import unittest

import support
from support import Target, run, world

COMMANDS = "capture show pages page diff cow map status who list check".split()
HOSTILE = b"e\x1b[2Jv\ni\"l\\ \xff\x07,"


def command(*argv, env=None, stdin=subprocess.DEVNULL, **options):
    """The command with everything in the caller's hand."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    environment = {**world().env, **(env or {})}
    words = [word if isinstance(word, bytes) else str(word) for word in argv]
    return subprocess.run([world().vmsnap, *words], stdin=stdin, env=environment, timeout=300, **options)


def on_terminal(*argv, columns=80, env=None):
    """(exit status, what a terminal of this width gets)"""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    process = subprocess.Popen([world().vmsnap, *map(str, argv)], stdin=theirs, stdout=theirs, stderr=theirs,
                               env={**world().env, "LC_ALL": "C.UTF-8", "COLORFGBG": "15;0", **(env or {})})
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    return process.wait(timeout=300), text


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=world().home(support.me()))

    def path(self, name):
        return os.path.join(self.folder, name)

    def refused(self, *argv, said=(), status=2, **options):
        """The command fails with one line that holds all of `said`, and prints nothing."""
        result = command(*argv, **options)
        text = result.stderr.decode()
        self.assertEqual(result.returncode, status, text)
        if result.stdout is not None:
            self.assertEqual(result.stdout, b"")
        self.assertRegex(text, r"\Avmsnap: [^\n]+\n\Z")
        for words in [said] if isinstance(said, str) else said:
            self.assertIn(words, text)
        return text

    def demo(self, **options):
        target = Target(self, "cow_demo", **options)
        words = [line.split() for line in target.lines if line.startswith("pids ")]
        target.child = int(words[0][2])
        return target

    def label_of(self, word, **options):
        result = command("show", word, "--json", **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)["snapshot"]["label"] or ""

    def series(self, name, *labels):
        """A file with a snapshot for each label."""
        target = self.demo()
        for label in labels:
            result = run("capture", target.pid, "-o", self.path(name), "--append", "--label", label)
            self.assertEqual(result.status, 0, result)
        return self.path(name)
