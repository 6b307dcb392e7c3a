"""SIGKILL right before each system call of record --track=uffd, and of a capture that copies what pages hold before the
pause, and at any time: the target runs on, and nothing of
tracking is left in it.  The helper, which nobody ends, ends itself."""

import os
import random
import subprocess
import time
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import kernel
import support
from faultlib import Witness, every, inject, need_injector, tasks, tell
from support import run, skip, world

KILLED = 128 + 9


def traces(pid):
    """(mappings that are write-protected, descriptors of userfaultfd, mappings)"""
    smaps = kernel.read(f"/proc/{pid}/smaps").splitlines()
    flags = sum(line.startswith(b"VmFlags:") and b" uw" in line for line in smaps)
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    return flags, sum("userfault" in link for link in links), len(kernel.maps(pid))


def left_over(mark):
    """Processes of the command that are still there: the helper, which is nobody's child any more."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark in kernel.read(f"/proc/{name}/environ"):
                found.append(int(name))
        except OSError:
            pass
    return found


class Killed(unittest.TestCase):
    step = 3

    def command_line(self):
        return ("record", "--track=uffd", "--every=1ms", "--for=8ms", "--json", "--no-names", self.witness.pid)

    def setUp(self):
        self.witness = Witness(self)
        self.command = self.command_line()
        self.killed = 0
        self.mark = f"VMSNAP_TEST_MARK={os.getpid()}-{id(self)}".encode()
        done = run(*self.command)
        if done.status:
            skip(self, f"tracking by userfaultfd: {done.err.strip()}")
        self.before = traces(self.witness.pid)
        self.assertEqual(self.before[:2], (0, 0))

    def assert_given_back(self, fault):
        """The helper, and the kernel, take their time after the command is gone."""
        pid, end = self.witness.pid, time.monotonic() + 20
        while time.monotonic() < end:
            stopped = any(kernel.state(f"{pid}/task/{tid}") in ("t", "T") for tid in tasks(pid))
            if not stopped and traces(pid) == self.before and not left_over(self.mark):
                break
            time.sleep(0.001)
        self.assertEqual(traces(pid), self.before, fault)
        self.witness.assert_let_go(fault)

    def test_at_each_call(self):
        need_injector(self)
        calls = inject(self.command)
        self.assertGreater(len(calls.hits), 60, "the injector sees no system calls")
        for number in every(len(calls.hits), self.step):
            run_ = inject(self.command, "kill", number)
            self.killed += run_.status == KILLED
            self.assertIn(run_.status, (KILLED, 0), run_)
            self.assert_given_back(run_)
        self.witness.assert_unharmed("after all")
        # How many rounds fit into the time, and so how many calls there are, is each run's own matter.
        self.assertGreater(self.killed, 60, "it was done before, most of the time")
        tell(f"{self.command[0]} --track=uffd: killed at {self.killed} system calls")

    def test_at_any_time(self):
        chance, whole = random.Random(5), 0.02
        for _ in range(1000 if faultlib.ALL else 60):
            command = subprocess.Popen([world().vmsnap, *map(str, self.command)], env={**world().env, **dict([self.mark.decode().split("=")])},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.random() * whole)
            command.kill()
            command.wait()
            self.killed += command.returncode != 0
            whole *= 1.1 if command.returncode else 0.9
            self.assert_given_back("at any time")
        self.witness.assert_unharmed("after all")
        self.assertGreater(self.killed, 10, "it was always done before")
        tell(f"{self.command[0]} --track=uffd: killed {self.killed} times at any moment")


class KilledWhileCopying(Killed):
    step = 7

    def command_line(self):
        path = os.path.join(world().home(support.me()), "killed-copying.vms")
        self.addCleanup(lambda: os.path.exists(path) and os.unlink(path))
        return ("capture", "--track=uffd", "--contents", "-q", "-o", path, self.witness.pid)


if __name__ == "__main__":
    support.main()
