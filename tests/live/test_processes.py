"""Processes that do not hold still, and what a capture makes of them."""

import ctypes
import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

import kernel
import support
from support import Target, ask, become, capture, each_user, pages, process_is, run, skip, users, world

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid):
    if libc.ptrace(request, pid, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def fresh(user, suffix=".vms"):
    return os.path.join(world().home(user), f"{random.getrandbits(64):x}{suffix}")


def litter(user):
    """What lies in the user's folder and is no snapshot file of a test."""
    return [name for name in os.listdir(world().home(user)) if not name.endswith(".vms")]


class Processes(unittest.TestCase):
    @each_user
    def test_threads_that_come_and_go(self, user):
        target = Target(self, "processes", "threads", "4", user=user)
        for _ in range(20):
            path = capture(self, target.pid, user=user)
            told = ask(self, "show", path)["snapshot"]
            self.assertTrue(told["consistent"])
            self.assertGreater(told["pause_us"], 0)
            os.unlink(path)
        self.assertTrue(process_is(target.pid, "SR"))
        tasks = os.listdir(f"/proc/{target.pid}/task")
        self.assertTrue(any(kernel.state(task) != "t" for task in tasks))
        target.end()

    @each_user
    def test_number_of_a_thread_means_its_process(self, user):
        target = Target(self, "pages", "threads", user=user)
        thread = next(task for task in os.listdir(f"/proc/{target.pid}/task") if int(task) != target.pid)
        said = f"{thread} is a thread of process {target.pid}"
        for word in (thread, f"pid:{thread}"):
            result = run("show", word, user=user)
            self.assertIn(said, result.err)
            self.assertIn(f"pages {target.pid}, ".encode(), result.out)
        for options in ((), ("--tree",)):
            path = fresh(user)
            result = run("capture", thread, "-o", path, *options, user=user)
            self.assertEqual(result.status, 0, result)
            self.assertIn(said, result.err)
            told = ask(self, "list", path)["snapshots"]
            self.assertEqual([(one["pid"], one["tgid"]) for one in told], [(target.pid, target.pid)])
        self.assertNotIn("is a thread", run("show", target.pid, user=user).err)

    @each_user
    def test_tree_misses_no_child_that_forks_meanwhile(self, user):
        for delay in (0.0, 0.002, 0.005, 0.01):
            target = Target(self, "processes", "forks", "7", user=user)
            time.sleep(delay)
            self.check_tree(target, capture(self, target.pid, "--tree", user=user))
            target.end()

    def check_tree(self, target, path):
        """The page tables of each process say how many children it had at that instant."""
        count = len(ask(self, "list", path)["snapshots"])
        shots = [ask(self, "show", f"{path}@{n + 1}")["snapshot"] for n in range(count)]
        self.assertEqual(shots[0]["pid"], target.pid)
        seen = {target.pid}
        for shot in shots[1:]:
            self.assertIn(shot["ppid"], seen, "every process follows its parent")
            seen.add(shot["pid"])
        self.assertTrue(all(shot["consistent"] for shot in shots))
        children = {pid: sum(shot["ppid"] == pid for shot in shots) for pid in seen}
        begun, done = (self.count_pages(f"{path}@1", target.ranges[name]) for name in ("begun", "done"))
        self.assertLessEqual(begun, done + 1)
        self.assertGreaterEqual(children[target.pid], done, "a child is missing")
        self.assertLessEqual(children[target.pid], begun, "a child of later is in it")
        for n, shot in enumerate(shots[1:], 2):
            if shot["ppid"] == target.pid:
                begun, done = (self.count_pages(f"{path}@{n}", target.ranges[name])
                               for name in ("begun_in_child", "done_in_child"))
                self.assertTrue(done <= children[shot["pid"]] <= begun, (done, children[shot["pid"]], begun))

    def count_pages(self, snapshot, area):
        return sum(area[0] <= at < area[1] for at in pages(self, snapshot, f"{area[0]:x}-{area[1]:x}"))

    def areas_at_once(self, target, path, second_snapshot):
        """How many pages `first` has more than `second`."""
        return self.count_pages(f"{path}@1", target.ranges["first"]) - \
            self.count_pages(f"{path}@{second_snapshot}", target.ranges["second"])

    @each_user
    def test_all_threads_are_seen_at_one_instant(self, user):
        target = Target(self, "instant", "threads", user=user)
        target.process.stdin.write(b"go\n")
        target.wait()
        loose, frozen = [], []
        for _ in range(4):
            loose.append(capture(self, target.pid, "--no-freeze", user=user))
            frozen.append(capture(self, target.pid, user=user))
        for path in frozen:
            self.assertIn(self.areas_at_once(target, path, 1), (0, 1))
        self.assertGreater(self.count_pages(frozen[-1], target.ranges["second"]), 0)
        target.end()
        # Without a freeze the same look sees two instants: the test is able to fail.
        if not any(self.areas_at_once(target, path, 1) not in (0, 1) for path in loose):
            skip(self, "all threads at one instant: without a freeze, too, this machine showed no other")

    @each_user
    def test_all_processes_of_a_tree_are_seen_at_one_instant(self, user):
        target = Target(self, "instant", "processes", user=user)
        target.process.stdin.write(b"go\n")
        target.wait()
        frozen = [capture(self, target.pid, "--tree", user=user) for _ in range(6)]
        for path in frozen:
            self.assertIn(self.areas_at_once(target, path, 2), (0, 1))
        self.assertGreater(self.count_pages(f"{frozen[0]}@2", target.ranges["second"]), 0)
        target.end()

    @each_user
    def test_pause_is_told_as_long_as_the_target_stood(self, user):
        """A target that looks at the clock all the time knows how long it did not."""
        target = Target(self, "processes", "spin", "512", user=user)
        ratios = []
        # The target may be kept waiting by others, and vmsnap between its two looks at the clock:
        # the busier the machine, the more often.  A pause that is told wrong is never right.
        while not any(0.8 < ratio < 1.25 for ratio in ratios):
            self.assertLess(len(ratios), 60, ratios)
            target.process.stdin.write(b"%d\n" % (300 * support.SLOWNESS))  # longer than the command takes to come to it
            time.sleep(0.08)
            # A pause that waits for a processor itself is not lost among those of the target's own.
            path = capture(self, target.pid, "--no-realtime", "--threads", 1, user=user)
            target.wait()
            stood = int(target.lines.pop().split()[1]) / 1e3
            ratios.append(stood / ask(self, "show", path)["snapshot"]["pause_us"])
        target.end()

    @each_user
    def test_process_that_executes_another_program_is_told_or_whole(self, user):
        other = os.path.join(world().home(user), "other.vms")
        shutil.copy(os.path.join(world().targets, "processes"), other)
        os.chmod(other, 0o755)
        program = os.path.join(world().targets, "processes")
        process = subprocess.Popen([program, "exec", other, program], executable=program, stdin=subprocess.PIPE,
                                   **become(user))
        told = {0: 0, 2: 0}
        try:
            for _ in range(60):
                path = fresh(user)
                result = run("capture", process.pid, "-o", path, user=user)
                self.assertIn(result.status, told, result)
                told[result.status] += 1
                if result.status:
                    self.assertFalse(os.path.exists(path))
                    self.assertNotEqual(result.err, "")
                    continue
                answer = ask(self, "show", path)
                programs = {vma["name"] for vma in answer["vmas"] if vma["name"].startswith("/") and
                            os.path.basename(vma["name"]) in ("processes", "other.vms")}
                if answer["snapshot"]["consistent"]:
                    self.assertLessEqual(programs, {answer["snapshot"]["exe"]})
                os.unlink(path)
            self.assertIsNone(process.poll(), "the target runs on")
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
        self.assertGreater(told[0], 0)

    @each_user
    def test_dying_process_leaves_a_whole_file_or_none(self, user):
        target = Target(self, "pages", "zero", user=user)
        begun = time.monotonic()
        capture(self, target.pid, user=user)
        whole = time.monotonic() - begun
        count = 120 if whole < 0.1 else 40
        # They die while the command starts, looks, or is done already.
        told = {self.capture_of_dying(user, 2 * whole * n / count) for n in range(count)}
        # A machine that has become slower, or quicker, meanwhile.
        for n in range(10):
            if len(told) < 2:
                told.add(self.capture_of_dying(user, whole * 2 ** n if told == {2} else 0))
        self.assertEqual(litter(user), [])
        self.assertEqual(told, {0, 2})

    def capture_of_dying(self, user, life):
        """The status of a capture of a process that lives so many seconds."""
        process = subprocess.Popen(["sleep", f"{life:.4f}"], **become(user))
        path = fresh(user)
        result = run("capture", process.pid, "-o", path, user=user)
        self.assertIn(result.status, (0, 2), result)
        self.assertEqual(os.path.exists(path), result.status == 0)
        if result.status == 0:
            self.assertEqual(run("check", path).status, 0)
            os.unlink(path)
        else:
            self.assertRegex(result.err, str(process.pid))
        self.assertEqual(process.wait(timeout=300 * support.SLOWNESS), 0, "the target was disturbed")
        return result.status

    @each_user
    def test_process_killed_while_it_is_captured(self, user):
        for n in range(15):
            target = Target(self, "big", "touched", "64", user=user)
            path = fresh(user)
            command = subprocess.Popen([world().vmsnap, "capture", str(target.pid), "-o", path], env=world().env,
                                       stderr=subprocess.PIPE, **become(user))
            time.sleep(n * 0.0004)
            target.process.kill()
            _, said = command.communicate(timeout=300 * support.SLOWNESS)
            self.assertIn(command.returncode, (0, 2), said)
            self.assertEqual(os.path.exists(path), command.returncode == 0, said)
            if command.returncode == 0:
                self.assertEqual(run("check", path).status, 0)
            target.end()
        self.assertEqual(litter(user), [])

    def refused(self, pid, user, words):
        path = fresh(user)
        result = run("capture", pid, "-o", path, user=user)
        self.assertEqual(result.status, 2, result)
        self.assertRegex(result.err, words)
        self.assertFalse(os.path.exists(path))

    @each_user
    def test_zombie_is_refused(self, user):
        target = Target(self, "processes", "zombie", user=user)
        self.refused(target.lines[0].split()[1], user, "(?i)zombie")
        target.end()

    @each_user
    def test_zombies_of_a_tree_are_told(self, user):
        target = Target(self, "processes", "zombie", user=user)
        zombie = target.lines[0].split()[1]
        path = fresh(user)
        result = run("capture", target.pid, "--tree", "-o", path, user=user)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"1 descendant is a zombie, which has ended and has no memory, and is left out: {zombie}\n", result.err)
        self.assertEqual([one["pid"] for one in ask(self, "list", path)["snapshots"]], [target.pid])
        self.assertNotIn("left out", run("capture", target.pid, "-o", fresh(user), user=user).err)
        target.end()

    @each_user
    def test_number_of_a_thread_is_told_once(self, user):
        target = Target(self, "pages", "threads", user=user)
        thread = next(task for task in os.listdir(f"/proc/{target.pid}/task") if int(task) != target.pid)
        for words in (("show", thread), ("diff", thread, target.pid), ("diff", thread, f"pid:{thread}"),
                      ("capture", thread, thread, "-o", fresh(user))):
            result = run(*words, user=user)
            self.assertIn(result.status, (0, 1), result)
            self.assertEqual(result.err.count("is a thread of process"), 1, result)
        target.end()

    @each_user
    def test_who_was_not_stopped_was_not_paused(self, user):
        target = Target(self, "pages", "anonymous", user=user)
        told = run("capture", target.pid, "-o", fresh(user), user=user).err
        self.assertRegex(told, r"(?m), paused (?=[0-9.]*[1-9])[0-9.]+ ms$")
        path = fresh(user)
        self.assertRegex(run("capture", "--no-freeze", target.pid, "-o", path, user=user).err, r"(?m), not paused$")
        told = ask(self, "show", path)["snapshot"]
        self.assertEqual([told[key] for key in ("consistent", "instant", "pause_us")], [True, None, None])
        self.assertIn(b"not frozen; the map did not change meanwhile, its pages may have\n", run("show", path).out)
        self.assertEqual(run("list", path, "-r", "-n", "-o", "INSTANT").out, b"?\n")
        # We are its debugger.
        ptrace(PTRACE_SEIZE, target.pid)
        ptrace(PTRACE_INTERRUPT, target.pid)
        self.assertTrue(process_is(target.pid, "t"))
        held = fresh(user)
        said = run("capture", target.pid, "-o", held, user=user).err
        told = ask(self, "show", held)["snapshot"]
        ptrace(PTRACE_DETACH, target.pid)
        self.assertRegex(said, r"(?m), not paused: held by a debugger$")
        self.assertEqual((told["freeze"], told["instant"]), ("debugger", True))
        target.end()

    @each_user
    def test_kernel_thread_is_refused(self, user):
        self.refused(2, user, "(?i)kernel thread")

    def test_process_of_another_user_is_refused_and_says_what_helps(self):
        support.need_others(self)
        target = Target(self, "pages", "anonymous", user=0)
        self.refused(target.pid, support.NOBODY, "(?i)permi|privilege|root|denied")

    @each_user
    def test_stopped_process_stays_stopped(self, user):
        target = Target(self, "pages", "anonymous", user=user)
        os.kill(target.pid, signal.SIGSTOP)
        self.assertTrue(process_is(target.pid, "T"))
        path = capture(self, target.pid, user=user)
        self.assertTrue(ask(self, "show", path)["snapshot"]["consistent"])
        time.sleep(0.05)
        self.assertEqual(kernel.state(target.pid), "T")
        os.kill(target.pid, signal.SIGCONT)
        self.assertTrue(process_is(target.pid, "SR"))
        target.tell("still there?")
        target.end()

    def test_process_held_by_a_debugger_counts_as_frozen(self):
        target = Target(self, "pages", "anonymous")
        ptrace(PTRACE_SEIZE, target.pid)
        ptrace(PTRACE_INTERRUPT, target.pid)
        self.assertTrue(process_is(target.pid, "t"))
        path = capture(self, target.pid)
        self.assertTrue(ask(self, "show", path)["snapshot"]["consistent"])
        self.assertEqual(kernel.state(target.pid), "t")
        os.waitpid(target.pid, 0x40000000)  # the stop; __WALL
        ptrace(PTRACE_DETACH, target.pid)
        self.assertTrue(process_is(target.pid, "SR"))

    def test_process_that_runs_under_a_debugger_is_captured_unfrozen(self):
        target = Target(self, "pages", "anonymous")
        ptrace(PTRACE_SEIZE, target.pid)
        path = fresh(support.users()[0])
        said = run("capture", target.pid, "-o", path).err
        self.assertIn(f"could not be stopped, as process {os.getpid()} traces it: its pages may not be of one instant", said)
        told = ask(self, "show", path)["snapshot"]
        self.assertFalse(told["pause_us"])
        self.assertTrue(process_is(target.pid, "SR"))
        self.assertGreater(len(pages(self, path)), 100)

    @each_user
    def test_parent_that_waits_for_its_vfork_child(self, user):
        target = Target(self, "processes", "vfork", user=user)
        self.assertTrue(process_is(target.pid, "D"))
        begun = time.monotonic()
        path = capture(self, target.pid, user=user)
        self.assertLess(time.monotonic() - begun, 5 * support.SLOWNESS)
        self.assertEqual(run("check", path).status, 0)
        self.assertEqual(kernel.state(target.pid), "D")
        target.process.stdin.write(b"x\n")  # the child executes, the parent goes on
        target.wait()
        child = int(target.lines[0].split()[1])
        self.assertTrue(process_is(target.pid, "SR"))
        capture(self, target.pid, user=user)
        os.kill(child, signal.SIGKILL)
        target.end()

    def test_own_process_through_another_of_the_same_user(self):
        """The test itself, a process with an interpreter in it."""
        path = capture(self, os.getpid())
        self.assertEqual(ask(self, "show", path)["snapshot"]["pid"], os.getpid())

    def test_unprivileged_capture_says_in_one_line_what_root_adds(self):
        user = users()[-1]
        if support.sees_frames(user):
            skip(self, "hidden frame numbers: this user sees them, and can become no other")
        target = Target(self, "pages", "anonymous", user=user)
        result = run("capture", target.pid, "-o", fresh(user), user=user)
        self.assertEqual(result.status, 0, result)
        said = [line for line in result.err.splitlines() if re.search("root|CAP_SYS_ADMIN|privilege", line)]
        self.assertEqual(len(said), 1, result.err)

    def test_capture_while_map_changes_without_freezing_is_marked(self):
        """A target whose threads map stacks all the time, not frozen."""
        target = Target(self, "processes", "threads", "4")
        marks = set()
        for _ in range(30):
            path = capture(self, target.pid, "--no-freeze")
            told = ask(self, "show", path)["snapshot"]
            self.assertFalse(told["pause_us"])
            marks.add(told["consistent"])
            os.unlink(path)
        self.assertLessEqual(marks, {True, False})

    def test_many_times_as_fast_as_it_goes(self):
        """Nothing stays behind in the target after hundreds of captures."""
        target = Target(self, "processes", "threads", "2")
        for _ in range(100):
            os.unlink(capture(self, target.pid))
        for task in os.listdir(f"/proc/{target.pid}/task"):
            try:
                self.assertEqual(kernel.status(f"{target.pid}/task/{task}")["TracerPid"], b"0")
            except OSError:
                pass


if __name__ == "__main__":
    support.main()
