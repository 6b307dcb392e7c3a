"""SIGKILL right before each system call of a recording that watches its process, and each call made to fail, and the
same of one that page faults are kept with: the target runs on, and what is in the file is whole."""

import errno
import os
import time
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import kernel
import support
from faultlib import Witness, every, folder, inject, is_draft, litter, need_injector, tasks, tell
from support import run, skip

KILLED = 128 + 9
RUNS = 16  # of many calls


class Watching(unittest.TestCase):
    def setUp(self):
        self.witness = Witness(self, "children", "2")
        self.path = os.path.join(folder(self), "a.vms")
        self.count = 0

    def command(self, *words):
        return ("record", "-q", "--every=2ms", "--for=5ms", "-o", self.path, *words, self.witness.pid)

    def assert_let_go(self, fault):
        """The kernel lets go of them when the last thread of the command is gone."""
        end = time.monotonic() + 20
        for pid in (self.witness.pid, *self.witness.children):
            for tid in tasks(pid):
                while kernel.state(f"{pid}/task/{tid}") in ("t", "T") and time.monotonic() < end:
                    time.sleep(0.001)
        self.witness.assert_let_go(fault)

    def assert_whole(self, fault):
        self.assertTrue(all(is_draft(name) for name in litter(os.path.dirname(self.path), "a.vms")), fault)
        if os.path.exists(self.path):
            # One that was cut off is told; those before it are whole.
            self.assertIn(run("list", self.path).status, (0, 2), fault)
            self.assertEqual(run("show", f"{self.path}@1").status, 0, fault)

    def check(self, action, step, *words):
        need_injector(self)
        command = self.command(*words)
        calls = inject(command)
        self.assertGreater(len(calls.hits), 100, "the injector sees no system calls")
        for number in every(len(calls.hits), step or len(calls.hits) // RUNS):
            for name in os.listdir(os.path.dirname(self.path)):
                os.unlink(os.path.join(os.path.dirname(self.path), name))
            run_ = inject(command, action, number)
            self.count += bool(run_.hits)
            if action == "kill":
                self.assertIn(run_.status, (KILLED, 0), run_)
            else:
                self.assertIn(run_.status, (0, 2), run_)
            self.assert_let_go(run_)
            self.assert_whole(run_)
        self.witness.assert_unharmed("after all")
        tell(f"{command[0]} {' '.join(words)}: {action} at {self.count} system calls")


class Killed(Watching):
    def test_killed_while_it_watches(self):
        self.check("kill", 31, "--on=fork,exec,exit", "--tree")

    def test_killed_at_intervals(self):
        self.check("kill", 23)

    def test_calls_fail(self):
        self.check(f"fail={errno.EIO}", 29, "--on=fork,exec,exit")

    def test_killed_with_page_faults(self):
        need_faults(self, self.witness.pid)
        self.check("kill", None, "--blame", "--tree")


class Rotating(Watching):
    """A new file is begun each second, as the one before is done, and of those before one is kept."""

    FAULTS = 48 if faultlib.ALL else 4

    def command(self, *words):
        return ("record", "-q", "--every=300ms", "--for=1300ms", "--rotate=1s", "--max-files=2", "-o", self.path, *words,
                self.witness.pid)

    def files(self):
        return sorted(name for name in os.listdir(os.path.dirname(self.path)) if not is_draft(name))

    def assert_whole(self, fault):
        for name in self.files():
            self.assertRegex(name, r"^a-\d{8}T\d{6}Z\.vms$", fault)
            path = os.path.join(os.path.dirname(self.path), name)
            self.assertIn(run("list", path).status, (0, 2), fault)
            # By itself: nothing of it needs the file before.
            self.assertEqual(run("show", f"{path}@1").status, 0, fault)

    def check_rotating(self, action):
        """At calls of the second half, in which it rotates."""
        need_injector(self)
        calls = len(inject(self.command()).hits)
        self.assertGreater(len(self.files()), 1, "it did not rotate")
        for number in range(calls // 2, calls, max(1, calls // 2 // self.FAULTS)):
            for name in os.listdir(os.path.dirname(self.path)):
                os.unlink(os.path.join(os.path.dirname(self.path), name))
            run_ = inject(self.command(), action, number)
            self.assertIn(run_.status, (KILLED, 0) if action == "kill" else (0, 2), run_)
            self.assertTrue(run_.status != 2 or run_.said, run_)
            self.assert_let_go(run_)
            self.assert_whole(run_)
        self.witness.assert_unharmed("after all")

    def test_killed_while_it_rotates(self):
        self.check_rotating("kill")

    def test_the_disk_is_full_while_it_rotates(self):
        self.check_rotating(f"fail={errno.ENOSPC}")


class BlameKilled(Watching):
    """What is there is all of it, or nothing."""

    def command(self, *words):
        return ("blame", "--for=20ms", "--tree", "--save", self.path, *words, self.witness.pid)

    def setUp(self):
        super().setUp()
        need_faults(self, self.witness.pid)

    def assert_whole(self, fault):
        self.assertTrue(all(is_draft(name) for name in litter(os.path.dirname(self.path), "a.vms")), fault)
        if os.path.exists(self.path):
            self.assertEqual(run("check", self.path).status, 0, fault)
            self.assertEqual(run("blame", self.path).status, 0, fault)
            self.whole += 1

    def test_killed(self):
        self.whole = 0
        self.check("kill", None)
        self.assertEqual(run(*self.command()).status, 0)
        self.assert_whole("after all")
        self.assertGreater(self.whole, 0)


def need_faults(test, pid):
    """Whether faults may be watched is the machine's matter."""
    tried = run("blame", "--for=1ms", pid)
    if tried.status == 2 and "page faults" in tried.err:
        skip(test, tried.err.strip())
    test.assertEqual(tried.status, 0, tried)


if __name__ == "__main__":
    support.main()
