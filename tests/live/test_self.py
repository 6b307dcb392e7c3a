"""Processes that capture themselves: by a call, and with LD_PRELOAD where they do not know of it.  The
observer is a static program (observe.c), which shares no page with them: maps, pagemap, smaps_rollup, status and faults
before and after."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import support
import test_pages
import test_untouched
from support import Target, ask, each_user, run, skip, unmoved, world

KINDS = ("anonymous", "zero", "thp", "huge_zero", "guard", "memfd", "sysv", "file", "prot_none", "uffd_wp")


def fresh(user):
    handle, path = tempfile.mkstemp(suffix=".vms", dir=world().home(user))
    os.close(handle)
    os.unlink(path)
    return path


class Case(unittest.TestCase):
    maxDiff = 3000

    def look(self, target):
        return test_untouched.look(self, support.me(), target.pid)

    def same(self, before, after, what):
        changed = [(key, before.get(key), after.get(key)) for key in {**before, **after} if before.get(key) != after.get(key)]
        self.assertEqual(changed[:5], [], f"{what} changed it")

    def agrees(self, snapshot, truth, user):
        """A snapshot against what is seen from outside: mappings, and each page."""
        rows = ask(self, "show", snapshot)["vmas"]
        self.assertEqual([(support.number(row["start"]), support.number(row["end"])) for row in rows],
                         [(vma.start, vma.end) for vma in truth.vmas])
        test_pages.Pages.compare(self, truth, snapshot, user)


@unmoved
class Called(Case):
    def byte(self, target, byte, more=b""):
        target.process.stdin.write(byte.encode() + more)
        self.assertEqual(target.process.stdout.read(1), byte.encode())
        target.settle()

    def untouched(self, how, user):
        target = Target(self, "self", how, user=user)
        self.byte(target, "p")  # what the way there makes is made
        self.byte(target, "c")
        for _ in range(3):
            before = self.look(target)
            self.byte(target, "c")
            self.same(before, self.look(target), f"a capture ({how})")
        truth, path = test_pages.Truth(target.pid), fresh(user)
        self.byte(target, "w", path.encode() + b"\n")
        self.assertEqual(run("check", path, user=user).status, 0)
        os.chmod(path, 0o644)
        self.assertEqual(ask(self, "show", path)["snapshot"]["pid"], target.pid)
        if test_pages.Truth(target.pid).vmas == truth.vmas:
            rows = ask(self, "show", path)["vmas"]
            self.assertEqual([(support.number(row["start"]), support.number(row["end"])) for row in rows],
                             [(vma.start, vma.end) for vma in truth.vmas])

    @each_user
    def test_a_capture_in_main_changes_nothing(self, user):
        self.untouched("now", user)

    @each_user
    def test_a_capture_in_a_signal_handler_changes_nothing(self, user):
        self.untouched("signal", user)

    @each_user
    def test_a_capture_in_a_thread_changes_nothing(self, user):
        self.untouched("thread", user)

    def test_the_first_capture_in_main_changes_nothing(self):
        target = Target(self, "self", "now")
        self.byte(target, "p")
        before = self.look(target)
        self.byte(target, "c")
        self.same(before, self.look(target), "the first capture")

    def test_one_may_be_taken_before_main(self):
        target, path = Target(self, "self", "early"), fresh(support.me())
        self.byte(target, "w", path.encode() + b"\n")
        early = ask(self, "show", path)
        self.assertEqual(early["snapshot"]["pid"], target.pid)
        self.assertIn("[stack]", [row["name"] for row in early["vmas"]])


class Preloaded(Case):
    def setUp(self):
        library = os.environ.get("VMSNAP_LIB")
        self.library = os.path.join(os.path.dirname(os.path.dirname(library or "")), "preload", "libvmsnap-self.so")
        if not os.path.exists(self.library):
            skip(self, "no libvmsnap-self.so beside the library")
        self.file = fresh(support.me())

    def environment(self, words, **more):
        return {**os.environ, "LD_PRELOAD": self.library, "VMSNAP_SELF": words, **more}

    def start(self, *argv, words):
        return Target(self, *argv, env=self.environment(words))

    def taken(self, path=None):
        """What `vmsnap list` says of the file."""
        path = path or self.file
        return ask(self, "list", path)["snapshots"] if os.path.exists(path) else []

    def signal(self, target, number, count):
        os.kill(target.pid, number)
        end = time.monotonic() + 60 * support.SLOWNESS
        # While it is being written it ends within a snapshot.
        while not os.path.exists(self.file) or run("check", self.file).status or len(self.taken()) < count:
            self.assertLess(time.monotonic(), end, "no snapshot came")
            time.sleep(0.01)
        target.settle()

    def run_with(self, words, *argv, **options):
        return subprocess.run(argv, env=self.environment(words), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=300, check=False, **options)

    @unmoved
    def test_a_signal_takes_one_and_changes_nothing(self):
        target = self.start("pages", *support.made_here(KINDS, support.me()), words=self.file)
        self.signal(target, signal.SIGUSR2, 1)
        self.signal(target, signal.SIGUSR2, 2)
        for count in (3, 4):
            before = self.look(target)
            self.signal(target, signal.SIGUSR2, count)
            self.same(before, self.look(target), "a signal")
        truth = test_pages.Truth(target.pid)
        self.agrees(f"{self.file}@4", truth, support.me())
        snapshot = ask(self, "show", f"{self.file}@4")["snapshot"]
        self.assertTrue(snapshot["consistent"])
        self.assertIsNone(snapshot["known_until"])
        self.assertEqual(snapshot["reason"], "VMSNAP_SELF: a signal")
        self.assertEqual(run("check", self.file).status, 0)
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)

    def test_it_says_what_vmsnap_itself_says(self):
        target = self.start("pages", *support.made_here(KINDS, support.me()), words=self.file)
        self.signal(target, signal.SIGUSR2, 1)
        self.signal(target, signal.SIGUSR2, 2)
        path = support.capture(self, target.pid)
        ours, its = ask(self, "show", path)["snapshot"], ask(self, "show", f"{self.file}@2")["snapshot"]
        for key in ("pid", "tgid", "ppid", "uid", "ns_pid", "pid_namespace", "comm", "exe", "cmdline", "start_time", "host",
                    "boot_id", "kernel", "arch", "page_size", "cgroup", "machine_hash", "start_code", "start_stack",
                    "arg_start"):
            self.assertEqual(its[key], ours[key], key)
        diff = ask(self, "diff", f"{self.file}@2", path, status=(0, 1))
        self.assertEqual(diff["vmas"], [])

    def test_at_the_start_and_at_the_end(self):
        done = self.run_with(self.file + ",start,exit", shutil.which("true"))
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual([row["reason"] for row in self.taken()],
                         ["VMSNAP_SELF: at the start", "VMSNAP_SELF: at the end"])

    def test_a_forked_child_takes_its_own(self):
        program = ("import os, signal\n"
                   "for _ in range(2):\n"
                   "    if not os.fork(): os.kill(os.getpid(), signal.SIGUSR1); os._exit(0)\n"
                   "    os.wait()\n"
                   "os.kill(os.getpid(), signal.SIGUSR1)\n"
                   "print(os.getpid())\n")
        done = self.run_with(self.file + ",signal=USR1", sys.executable, "-c", program)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        taken = self.taken()
        self.assertEqual(len(taken), 3)
        self.assertEqual(len({row["pid"] for row in taken}), 3)
        self.assertEqual(taken[2]["pid"], int(done.stdout))
        self.assertEqual(run("check", self.file).status, 0)

    def test_many_threads_and_signals_leave_a_whole_file(self):
        program = ("import os, signal, threading\n"
                   "def send():\n"
                   "    for _ in range(20): os.kill(os.getpid(), signal.SIGUSR2)\n"
                   "threads = [threading.Thread(target=send) for _ in range(4)]\n"
                   "[t.start() for t in threads]; [t.join() for t in threads]\n")
        done = self.run_with(self.file, sys.executable, "-c", program)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertGreater(len(self.taken()), 0)
        self.assertEqual(run("check", self.file).status, 0)

    def test_the_programs_own_handler_wins(self):
        program = ("import os, signal\n"
                   "signal.signal(signal.SIGUSR2, lambda *_: print('mine'))\n"
                   "os.kill(os.getpid(), signal.SIGUSR2)\n")
        done = self.run_with(self.file, sys.executable, "-c", program)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"mine\n", b""))
        self.assertEqual(self.taken(), [])

    def test_a_signal_that_is_ignored_stays_so(self):
        done = self.run_with(self.file, shutil.which("true"),
                             preexec_fn=lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN))
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"the signal is ignored, or somebody else's", done.stderr)

    def test_hostile_words_are_told_once_and_the_program_goes_on(self):
        for words in (",", "x,signal=KILL", "x,signal=SEGV", "x,signal=64000", "x,signal=", "x,foo", "x,room=1", "x,room=9Z",
                      "x,room=99999999999999999999999", "x,,", "a" * 5000, "\x1b[31mx,signal=\x1b[2J", "x,start=1"):
            done = self.run_with(words, shutil.which("echo"), "goes on", cwd=world().home(support.me()))
            self.assertEqual((done.returncode, done.stdout), (0, b"goes on\n"), words)
            self.assertRegex(done.stderr, rb"\Avmsnap: VMSNAP_SELF: [ -~]+\n\Z", words)
        done = self.run_with("", shutil.which("echo"), "goes on")
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_no_other_file_is_touched(self):
        with open(self.file, "w") as file:
            file.write("somebody's")
        for words in (self.file, "/dev/full", "/dev/null", "/nowhere/at/all", os.path.dirname(self.file)):
            done = self.run_with(words + ",exit", shutil.which("true"))
            self.assertEqual(done.returncode, 0, words)
            self.assertEqual(done.stderr.count(b"\n"), 1, (words, done.stderr))
        with open(self.file) as file:
            self.assertEqual(file.read(), "somebody's")
        link = self.file + ".link"
        os.symlink(self.file, link)
        self.addCleanup(os.unlink, link)
        self.assertIn(b"cannot be opened", self.run_with(link + ",exit", shutil.which("true")).stderr)

    def test_a_file_that_is_cut_off_gets_no_more(self):
        self.run_with(self.file + ",exit", shutil.which("true"))
        os.truncate(self.file, os.path.getsize(self.file) - 1)
        size = os.path.getsize(self.file)
        self.assertIn(b"cut off", self.run_with(self.file + ",exit", shutil.which("true")).stderr)
        self.assertEqual(os.path.getsize(self.file), size)

    def test_a_limit_on_files_does_not_end_the_program(self):
        import resource
        done = self.run_with(self.file + ",exit", shutil.which("true"),
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.assertEqual(done.returncode, 0)
        self.assertIn(b"may not grow", done.stderr)

    def test_too_little_room_is_said(self):
        program = ("import mmap, os, signal\n"
                   "m = mmap.mmap(-1, 40 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
                   "for at in range(0, 40 << 20, 8192): m[at] = 1\n"
                   "os.kill(os.getpid(), signal.SIGUSR2)\n")
        done = self.run_with(self.file + ",room=128K", sys.executable, "-c", program)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        snapshot = ask(self, "show", self.file)["snapshot"]
        self.assertIsNotNone(snapshot["known_until"])
        self.assertIn(b"INCOMPLETE: nothing is known from " + snapshot["known_until"].encode()[2:],
                      run("show", "--long", self.file).out)
        until = support.number(snapshot["known_until"])
        states = {run_["state"] for run_ in ask(self, "pages", self.file)["runs"] if support.number(run_["start"]) >= until}
        self.assertNotIn("present", states)
        os.unlink(self.file)
        # Without a limit more memory is taken, until it fits.
        self.run_with(self.file, sys.executable, "-c", program)
        self.assertIsNone(ask(self, "show", self.file)["snapshot"]["known_until"])


if __name__ == "__main__":
    support.main()
