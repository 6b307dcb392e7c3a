"""SIGKILL right before each system call of a recording that watches its process, and each call made to fail: the target
runs on, and what is in the file is whole."""

import errno
import os
import time
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import kernel
import support
from faultlib import Witness, every, folder, inject, is_draft, litter, need_injector, tasks, tell
from support import run

KILLED = 128 + 9


class Killed(unittest.TestCase):
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
        for number in every(len(calls.hits), step):
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
        tell(f"record {' '.join(words)}: {action} at {self.count} system calls")

    def test_killed_while_it_watches(self):
        self.check("kill", 5, "--on=fork,exec,exit", "--tree")

    def test_killed_at_intervals(self):
        self.check("kill", 7)

    def test_calls_fail(self):
        self.check(f"fail={errno.EIO}", 5, "--on=fork,exec,exit")


if __name__ == "__main__":
    support.main()
