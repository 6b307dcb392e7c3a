"""Of snapshots that hang on the same ones, each is read about once: not its chain for each of them."""

import os
import re
import subprocess
import tempfile
import unittest

import vmsfile
from hanging import hanging
from json_inputs import HEAP

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
SNAPSHOTS, DEPTH = 1500, 120


def bytes_read(words):
    """By the command; None where the kernel does not count them."""
    with subprocess.Popen([VMSNAP, *words], stdout=subprocess.DEVNULL) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        try:
            with open(f"/proc/{child.pid}/io", encoding="ascii") as file:
                read = int(re.search(r"rchar: (\d+)", file.read())[1])
        except OSError:
            read = None
        assert child.wait() == 0, words
    return read


def pages_of(model):
    return {run["start"] + 4096 * i: (run["flags"], run["pfn"] + i) for run in model["runs"] for i in range(run["pages"])}


class Hanging(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "hanging.vms")
        self.copy = os.path.join(folder.name, "copy.vms")

    def check(self, chains, most):
        data = hanging(SNAPSHOTS, DEPTH, chains)
        with open(self.path, "wb") as file:
            file.write(data)
        usual = bytes_read(["--version"])
        if usual is None:
            self.skipTest("the kernel does not count what is read")
        for words in (["check", self.path], ["list", self.path], ["series", self.path],
                      ["page", self.path, hex(HEAP + 4096 * 20), "--history"], ["page", self.path, hex(HEAP), "--history"],
                      ["copy", self.path, "-o", self.copy]):
            with self.subTest(words=words[0], chains=chains):
                times = (bytes_read(words) - usual) / len(data)
                self.assertLess(times, most, words)
                if os.path.exists(self.copy):
                    os.unlink(self.copy)

    def test_what_is_read_is_right(self):
        with open(self.path, "wb") as file:
            file.write(hanging(60, 9, 3))
        subprocess.run([VMSNAP, "copy", self.path, "--full", "-o", self.copy], check=True, timeout=60,
                       stderr=subprocess.DEVNULL)
        before, after = vmsfile.open_file(self.path), vmsfile.open_file(self.copy)
        for i in range(60):
            self.assertEqual(pages_of(before.load(i)), pages_of(after.load(i)), i)

    def test_all_on_one(self):
        self.check(1, 9)

    def test_on_several_in_turn(self):
        self.check(5, 9)


if __name__ == "__main__":
    unittest.main(verbosity=2)
