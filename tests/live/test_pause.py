"""What a process stands for: pages read by several threads, at real-time priority, are the same pages, and
nobody is left behind."""

import os
import random
import resource
import signal
import subprocess
import time
import unittest

import kernel
import support
from support import Target, capture, each_user, pages, process_is, run, skip, user_name, users, world

LARGE = (("touched", 192), ("scattered", 192, 1), ("thp", 96), ("sparse", 2048, 3000, 1), ("vmas", 8000),
         ("mapped", 16, 12))
if support.SLOWNESS > 1:  # the numbers that are given share small ones, too
    LARGE = (("touched", 16), ("scattered", 16, 1), ("thp", 32), ("sparse", 512, 300, 1), ("vmas", 1000), ("mapped", 2, 12))
KINDS = ("anonymous", "zero", "thp", "thp_split", "huge_zero", "swap", "guard", "uffd_wp", "memfd", "file", "ksm")
THREADS = (1, 2, 3, 7)


class Threads(unittest.TestCase):
    def listed(self, target, user, *options):
        path = capture(self, target.pid, *options, user=user)
        told = run("pages", path, "--raw", user=user)
        self.assertEqual(told.status, 0, told)
        shown = run("show", path, "--raw", user=user)
        os.unlink(path)
        return told.out, shown.out

    def check_same(self, name, target, user):
        """The kernel moves pages at any time; but not each time."""
        for _ in range(20):
            found = [self.listed(target, user, "--threads", number) for number in THREADS]
            if all(listed == found[0] for listed in found):
                break
        for number, listed in zip(THREADS, found):
            for what, one, other in zip(("pages", "show"), found[0], listed):
                self.assertTrue(one == other, f"{name}, {user_name(user)}, {number} threads: {what} differs")
        self.assertGreater(len(found[0][0]), 100)

    def test_any_number_of_them_reads_the_same_pages_of_a_large_process(self):
        for argv in LARGE:
            for user in users():
                with self.subTest(target=argv, user=user_name(user)):
                    target = Target(self, "big", *argv, user=user)
                    self.check_same(argv, target, user)
                    target.end()

    def test_any_number_of_them_reads_the_same_pages_of_each_kind(self):
        for kind in KINDS:
            for user in users():
                with self.subTest(kind=kind, user=user_name(user)):
                    target = Target(self, "pages", kind, user=user)
                    self.check_same(kind, target, user)
                    target.end()

    @each_user
    def test_they_see_one_instant(self, user):
        """A process that checks itself goes on, and is never seen between two instants."""
        target = Target(self, "instant", "threads", user=user)
        target.process.stdin.write(b"go\n")
        target.wait()
        before = 0
        for number in (2, 3, 7, 0, 2, 7):
            path = capture(self, target.pid, *(("--threads", number) if number else ()), user=user)
            first, second = (sum(area[0] <= at < area[1] for at in pages(self, path, f"{area[0]:x}-{area[1]:x}"))
                             for area in (target.ranges["first"], target.ranges["second"]))
            self.assertIn(first - second, (0, 1), number)
            self.assertGreaterEqual(first, before)
            before = first
        self.assertGreater(before, 0)
        target.end()

    def test_without_threads_one_reads_all(self):
        """A limit of the user's, which root has not."""
        user = next((user for user in users() if user), None)
        if user is None:
            skip(self, "no thread can be made: needs another user than root")
        target = Target(self, "big", "scattered", 160, 1, user=user)
        alone = self.listed(target, user, "--threads", 1)
        became = support.become(user)
        limited = {**became, "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (3, 3))}
        path = os.path.join(world().home(user), "limited.vms")
        done = subprocess.run([world().vmsnap, "capture", str(target.pid), "--threads", "7", "-o", path],
                              cwd=world().home(user), env=world().env, stderr=subprocess.PIPE, timeout=300, **limited)
        if done.returncode:
            self.assertIn(b"cannot start a thread", done.stderr)  # not even the first
        else:
            self.assertEqual(run("pages", path, "--raw", user=user).out, alone[0])
            os.unlink(path)
        target.end()


class Realtime(unittest.TestCase):
    def runs(self, target):
        """Nobody traces it, and it is not stopped."""
        self.assertTrue(process_is(target.pid, "RS"), kernel.state(target.pid))
        self.assertEqual(kernel.status(target.pid)["TracerPid"], b"0")

    def test_a_killed_capture_leaves_nobody_behind(self):
        """At any time: the target runs on, and none of our threads is there, at whatever priority."""
        target = Target(self, "big", "scattered", 256, 1)
        random.seed(7)
        path, killed = os.path.join(world().home(support.me()), "killed.vms"), 0
        for number in range(60):
            process = subprocess.Popen([world().vmsnap, "capture", str(target.pid), "--threads", str(number % 4 + 1),
                                        "-q", "-o", path], env=world().env, stderr=subprocess.DEVNULL)
            time.sleep(random.random() * 0.02)
            process.kill()
            killed += process.wait() == -signal.SIGKILL
            self.runs(target)
            self.assertFalse(os.path.exists(f"/proc/{process.pid}"))
        self.assertGreater(killed, 0)
        if os.path.exists(path):
            os.unlink(path)
        target.end()

    def test_nobody_starves(self):
        """Whoever works beside many captures goes on: each of them has real-time priority for a tenth of a
        second at most, and several of them never all processors for long."""
        target = Target(self, "instant", "threads")
        beside = subprocess.Popen([world().vmsnap, "--version"], stdout=subprocess.DEVNULL)
        beside.wait(timeout=60 * support.SLOWNESS)
        target.process.stdin.write(b"go\n")
        target.wait()
        paths = [os.path.join(world().home(support.me()), f"beside{number}.vms") for number in range(3)]
        for _ in range(5):
            together = [subprocess.Popen([world().vmsnap, "capture", str(target.pid), "--threads", "7", "-q", "-o", path],
                                         env=world().env, stderr=subprocess.PIPE) for path in paths]
            done = subprocess.run([world().vmsnap, "--version"], stdout=subprocess.PIPE,
                                  timeout=60 * support.SLOWNESS)
            self.assertEqual(done.returncode, 0)
            for process in together:
                _, said = process.communicate(timeout=120 * support.SLOWNESS)
                self.assertEqual(process.returncode, 0, said)
        self.runs(target)
        target.end()

    def test_can_be_declined(self):
        target = Target(self, "big", "touched", 16)
        os.unlink(capture(self, target.pid, "--no-realtime"))
        self.assertEqual(run("show", target.pid, "--no-realtime").status, 0)
        target.end()

    def test_threads_are_counted(self):
        for given in ("0", "65", "-1", "two", "", "1.5"):
            result = run("capture", "1", "--threads", given)
            self.assertEqual(result.status, 2, result)
            self.assertIn("--threads takes a number from 1 to 64", result.err)


if __name__ == "__main__":
    support.main()
