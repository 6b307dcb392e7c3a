"""SIGKILL right before each system call, and at any time: the target runs on, the old
file is whole, and what is left behind the next run clears away."""

import os
import random
import subprocess
import time
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import kernel
import support
from faultlib import Witness, every, folder, inject, is_draft, litter, need_injector, read_file, tasks, tell
from support import run, world

KILLED = 128 + 9


class Killed(unittest.TestCase):
    def setUp(self):
        self.witness = Witness(self, "children", "2")
        self.folder = folder(self)
        self.path = os.path.join(self.folder, "a.vms")
        self.killed = self.drafts = 0

    def base_command(self, *options):
        return ("capture", self.witness.pid, "-q", "-o", self.path, *options)

    def put(self, before):
        for name in os.listdir(self.folder):
            os.unlink(os.path.join(self.folder, name))
        if before is not None:
            with open(self.path, "wb") as file:
                file.write(before)

    def read(self):
        with open(self.path, "rb") as file:
            return file.read()

    def assert_running_soon(self, fault):
        """The kernel lets go of them when the last thread of the command is gone."""
        end = time.monotonic() + 20
        for pid in (self.witness.pid, *self.witness.children):
            for tid in tasks(pid):
                while kernel.state(f"{pid}/task/{tid}") in ("t", "T") and time.monotonic() < end:
                    time.sleep(0.001)
        self.witness.assert_let_go(fault)

    def assert_nothing_lost(self, before, options, fault):
        left = litter(self.folder, "a.vms")
        self.assertLessEqual(len(left), 1, fault)
        self.assertTrue(all(is_draft(name) for name in left), (left, fault))
        self.drafts += len(left)
        if before is None:
            if os.path.exists(self.path):
                self.assertEqual(len(read_file(self.path)), 3 if "--tree" in options else 1, fault)
        elif "--append" in options:
            self.assertTrue(self.read().startswith(before), fault)
        elif self.read() != before:
            self.assertEqual(len(read_file(self.path)), 1, fault)
        if not left and self.damage_free():
            return
        # The next run clears away what this one left.
        result = run(*self.base_command(*options))
        self.assertEqual(result.status, 0, (fault, result))
        self.assertEqual(litter(self.folder, "a.vms"), [], fault)
        read_file(self.path)

    def damage_free(self):
        return not os.path.exists(self.path) or run("check", self.path).status == 0

    def check(self, before, step, *options):
        need_injector(self)
        argv = self.base_command(*options)
        self.put(before)
        calls = inject(argv)
        self.assertGreater(len(calls.hits), 100, "the injector sees no system calls")
        # The last ones are those that write.
        last = range(len(calls.hits) - 25, len(calls.hits) + 1)
        numbers = sorted({*every(len(calls.hits), step), *last})
        for number in numbers:
            self.put(before)
            run_ = inject(argv, "kill", number)
            # How often memory grows, and how often a stop is looked for, depends on the moment:
            # towards the end a run may be done before.
            self.assertEqual((run_.status, run_.said), (KILLED if run_.hits else 0, ""), run_)
            self.killed += bool(run_.hits)
            self.assert_running_soon(run_)
            self.assert_nothing_lost(before, options, run_)
        self.assertGreater(2 * self.killed, len(numbers), "it was done before, most of the time")
        self.witness.assert_unharmed("after all")
        tell(f"capture {' '.join(options)}: killed at {self.killed} system calls, {self.drafts} temporary files left "
             "and cleared away")

    def whole(self):
        self.put(None)
        self.assertEqual(run(*self.base_command()).status, 0)
        return self.read()

    def test_at_each_call_of_a_capture(self):
        self.check(None, 5)

    def test_at_each_call_of_a_capture_over_a_file(self):
        self.check(self.whole(), 5)

    def test_while_there_is_a_temporary_file(self):
        """It has a name for one or two calls only: which one a test at every second call finds is chance."""
        need_injector(self)
        before = self.whole()
        self.put(before)
        run_ = inject(self.base_command(), "kill", 1, only="renameat")
        self.assertEqual(run_.status, KILLED, run_)
        self.assert_running_soon(run_)
        self.assertEqual(self.read(), before)
        self.assertEqual(len(litter(self.folder, "a.vms")), 1)
        self.assert_nothing_lost(before, (), run_)

    def test_at_each_call_of_an_append(self):
        self.check(self.whole(), 4, "--append")

    def test_at_each_call_of_an_append_as_a_difference(self):
        self.check(self.whole(), 7, "--append", "--delta")

    def test_at_each_call_of_a_tree(self):
        self.check(None, 11, "--tree")

    def test_while_it_waits(self):
        """Calls whose number depends on the moment."""
        need_injector(self)
        for call in ("waitid", "sched_yield", "futex", "munmap"):
            for number in (1, 2, 4, 8):
                self.put(None)
                run_ = inject(self.base_command(), "kill", number, only=call)
                self.killed += run_.status == KILLED
                self.assert_running_soon(run_)
                self.assert_nothing_lost(None, (), run_)
        self.witness.assert_unharmed("after all")
        self.assertGreater(self.killed, 3)

    def test_at_any_time(self):
        """As the system would do it, without anybody who watches the command's calls."""
        before, chance = self.whole(), random.Random(3)
        begun = time.monotonic()
        for _ in range(3):
            self.whole()
        whole = (time.monotonic() - begun) / 3
        begun = time.monotonic()
        for options in ((), ("--append",)):
            for n in range(1000 if faultlib.ALL else 60):
                self.put(before)
                command = subprocess.Popen([world().vmsnap, *map(str, self.base_command(*options))], env=world().env,
                                           stderr=subprocess.PIPE)
                time.sleep(chance.random() * whole)
                command.kill()
                command.communicate()
                self.killed += command.returncode != 0
                # The machine may have become slower or quicker than at the first ones.
                whole *= 1.1 if command.returncode else 0.9
                self.assert_running_soon(f"{options} {n}")
                self.assert_nothing_lost(before, options, f"{options} {n}")
        self.witness.assert_unharmed("after all")
        self.assertGreater(self.killed, 5, "it was always done before")
        tell(f"capture: killed {self.killed} times at any moment, in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    support.main()
