"""Programs that stop their own threads by signals get on after a capture: what they wait for
has come.  Whether one hangs says its progress, not a clock."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest

import signalslib  # noqa: I001  (it says where the others lie)
import support
from signalslib import ALL, CAPTURES, PATIENCE, asked, drive, load, need_threads, need_tree, program, skip
from support import Target


class Stoppers(unittest.TestCase):
    def gets_on(self, target, what):
        """Its next rounds are done, however long that takes on this machine, and though we be stopped meanwhile."""
        before, pause = int(asked(target, "how far?")["rounds"][1]), 0.02
        for _ in range(round(PATIENCE / pause)):
            answer = asked(target, "how far?")
            if int(answer["rounds"][1]) >= before + 2:
                self.assertEqual(answer.get("wrong", ["wrong", "0"])[1], "0", "memory that was in use was freed")
                return
            time.sleep(pause)
        self.fail(f"it hangs {what}")

    def look(self, name, threads, captures, every, busy=False, slow=()):
        need_threads(self, threads)
        self.look_at(program(self, name, threads), captures, every, busy, slow)

    def look_at(self, target, captures, every, busy=False, slow=()):
        if busy:
            load(self)
        self.gets_on(target, "from the beginning")
        status, said = drive(self, target, "--captures", CAPTURES if ALL else captures, "--every", every, *slow,
                             nice=15 if busy else 0)
        self.gets_on(target, f"after it was captured: {said}")
        self.assertEqual(status, 0, said)
        target.end()


class SetXid(Stoppers):
    """setgid() of glibc."""

    def test_few_threads(self):
        self.look("setxid", 10, 30, 1)

    def test_many_threads(self):
        self.look("setxid", 300, 5, 32)

    def test_many_threads_loaded(self):
        self.look("setxid", 300, 2, 32, busy=True)

    def test_ten_thousand_threads(self):
        self.look("setxid", 10000, 1, 1000)

    def test_killed(self):
        self.look("setxid", 10, 1, 1, slow=("--kill", 1 if ALL else 3))


class Collectors(Stoppers):
    def test_boehm(self):
        self.look("collector", 10, 30, 1)

    def test_boehm_many_threads(self):
        self.look("collector", 300, 3, 32)

    def test_boehm_killed(self):
        self.look("collector", 10, 1, 1, slow=("--kill", 1 if ALL else 3))


class Runtimes(Stoppers):
    """Of languages that may be installed."""

    def make(self, *command, env=None):
        """Compiles into a folder that goes away with the test; where it is."""
        if not shutil.which(command[0]):
            skip(self, f"{command[0]}: it is not installed")
        need_tree(self)  # these cannot allow a stranger to trace them
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        made = os.path.join(folder, "collector")
        done = subprocess.run([word.replace("MADE", made) for word in command], cwd=signalslib.HERE, check=False,
                              env=dict(os.environ, GOCACHE=os.path.join(folder, "cache"), **(env or {})),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            skip(self, f"{command[0]}: it does not compile here: {done.stdout[-200:]!r}")
        return made

    def test_go(self):
        made = self.make("go", "build", "-o", "MADE", "collector.go", env={"GO111MODULE": "off"})
        self.look_at(Target(self, "collector", 10, executable=made), 10, 4)

    def test_mono(self):
        if not shutil.which("mono"):
            skip(self, "mono: it is not installed")
        made = self.make("mcs", "-out:MADE", "collector.cs")
        self.look_at(Target(self, "mono", made, 10, executable=shutil.which("mono")), 10, 4)


if __name__ == "__main__":
    support.main()
