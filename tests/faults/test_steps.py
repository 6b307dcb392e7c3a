"""What the target does right before each system call of the command: it executes another
program, exits, is killed or stopped, loses its main thread, maps anew, gets signals."""

import collections
import os
import select
import signal
import subprocess
import time
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import kernel
import support
from faultlib import every, folder, litter, need_injector, read_file, tell
from support import Target, process_is, run, world


class Stepped:
    """A run of the command that stands before its call of that number until it may go on."""

    def __init__(self, argv, number, where, only=()):
        self.fifos = [os.path.join(where, name) for name in ("report", "answer")]
        for path in self.fifos:
            os.mkfifo(path)
        self.report = os.open(self.fifos[0], os.O_RDONLY | os.O_NONBLOCK)
        self.answer = os.open(self.fifos[1], os.O_RDWR)
        self.process = subprocess.Popen([faultlib.INJECT, "-a", "ask", "-n", str(number), "-o", self.fifos[0],
                                         "-u", self.fifos[1], *only, world().vmsnap, *map(str, argv)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**world().env, **faultlib.QUIET})
        self.where = self._wait()

    def _wait(self):
        """Where it stands; None if it has ended before."""
        while True:
            ready, _, _ = select.select([self.report], [], [], 0.05)
            if ready:
                return os.read(self.report, 4096).decode().strip() or None
            if self.process.poll() is not None:
                return None

    def finish(self):
        os.write(self.answer, b"\n")
        _, said = self.process.communicate(timeout=300)
        for fd, path in zip((self.report, self.answer), self.fifos):
            os.close(fd)
            os.unlink(path)
        return self.process.returncode, said.decode(errors="replace")


class Steps(unittest.TestCase):
    def setUp(self):
        need_injector(self)
        self.folder, self.aside = folder(self), folder(self)
        self.path = os.path.join(self.folder, "a.vms")
        self.told = collections.Counter()

    def start(self):
        return Target(self, "hostile_mortal")

    def calls(self, options):
        target = self.start()
        hits = faultlib.inject(("capture", target.pid, "-o", self.path, *options)).hits
        target.end()
        os.unlink(self.path)
        self.assertGreater(len(hits), 100, "the injector sees no system calls")
        return len(hits)

    def check(self, what, do, then, *options, step=11, survives=False):
        """do: to the target when the command stands; then: what must be true of it in the end."""
        for number in every(self.calls(options), step):
            target = self.start()
            stepped = Stepped(("capture", target.pid, "-o", self.path, *options), number, self.aside)
            fault = f"{what} before {stepped.where}"
            if stepped.where:  # otherwise it made fewer calls this time
                do(target)
            status, said = stepped.finish()
            self.told[status] += 1
            self.assert_whole_or_clear(status, said, fault)
            if stepped.where:
                then(target, fault)
            target.end()
        tell(f"capture {' '.join(options)}: {what} at {sum(self.told.values())} steps: {self.told[0]} right results, "
             f"{self.told[2]} clear errors")
        self.assertEqual(self.told.keys() - ({0} if survives else {0, 2}), set(), self.told)

    def assert_whole_or_clear(self, status, said, fault):
        self.assertEqual(litter(self.folder, "a.vms"), [], fault)
        self.assertIn(status, (0, 2), (fault, said))
        if status:
            self.assertRegex(said, r"^vmsnap: [^\n]+\n$", fault)
            self.assertFalse(os.path.exists(self.path), fault)
            return
        for snapshot in read_file(self.path):
            self.assertGreater(len(snapshot["vmas"]), 0, fault)
            self.assertGreater(len(snapshot["runs"]), 0, fault)
        os.unlink(self.path)

    # What may be done, and what must follow.

    def say(self, word):
        def do(target):
            target.process.stdin.write(word + b"\n")
        return do

    def runs(self, target, fault):
        """It answers, and nobody traces it."""
        target.wait()
        self.assertTrue(process_is(target.pid, "S"), fault)
        status = kernel.status(target.pid)
        self.assertEqual(status["TracerPid"], b"0", fault)

    def ended(self, code):
        def then(target, fault):
            self.assertEqual(target.process.wait(timeout=10), code, fault)
        return then

    def test_it_is_killed(self):
        self.check("killed", lambda target: target.process.kill(), self.ended(-9))

    def test_it_is_killed_in_a_tree(self):
        self.check("killed", lambda target: target.process.kill(), self.ended(-9), "--tree", step=9)

    def test_it_is_killed_and_not_frozen(self):
        self.check("killed", lambda target: target.process.kill(), self.ended(-9), "--no-freeze", "--smaps", step=9)

    def test_it_exits(self):
        self.check("exit", self.say(b"exit"), self.ended(7))

    def test_it_exits_in_a_tree(self):
        self.check("exit", self.say(b"exit"), self.ended(7), "--tree", step=17)

    def test_it_exits_and_is_not_frozen(self):
        self.check("exit", self.say(b"exit"), self.ended(7), "--no-freeze", step=13)

    def test_it_executes_itself(self):
        self.check("exec", self.say(b"exec"), self.runs, survives=True)

    def test_it_executes_itself_and_is_not_frozen(self):
        self.check("exec", self.say(b"exec"), self.runs, "--no-freeze", step=9)

    def test_it_executes_itself_in_a_tree(self):
        self.check("exec", self.say(b"exec"), self.runs, "--tree", step=17, survives=True)

    def test_it_executes_itself_while_smaps_is_read(self):
        self.check("exec", self.say(b"exec"), self.runs, "--smaps", step=13, survives=True)

    def test_it_executes_itself_while_its_threads_are_seized(self):
        """The exec waits until we take note of a thread's end, we wait for the exec: neither may wait for ever."""
        for n in range(500 if faultlib.ALL else 30 if faultlib.SANITIZED else 80):
            target = self.start()
            # It met in one of fifteen at the third call, seldom at others.
            number = (3, 3, 3, 3, 3, 2, 4, 5)[n // 4 % 8]
            stepped = Stepped(("capture", target.pid, "-o", self.path), number, self.aside, ("-c", "ptrace"))
            target.process.stdin.write(b"exec\n")
            time.sleep((0, 0.00005, 0.0001, 0.0002)[n % 4])
            begun = time.monotonic()
            status, said = stepped.finish()
            self.told[status] += 1
            self.assert_whole_or_clear(status, said, stepped.where)
            self.assertLess(time.monotonic() - begun, 20, stepped.where)
            self.runs(target, stepped.where)
            target.end()
        tell(f"capture: exec at {sum(self.told.values())} moments of the freeze: {self.told[0]} right results, "
             f"{self.told[2]} clear errors")

    def test_its_main_thread_exits(self):
        def then(target, fault):
            self.assertEqual(target._line(), "ready", fault)
            self.assertTrue(process_is(target.pid, "Z"), fault)
            target.process.stdin.write(b"count\n")
            self.assertEqual(target._line(), "count 0", fault)
            for tid in faultlib.tasks(target.pid):
                self.assertEqual(kernel.status(f"{target.pid}/task/{tid}")["TracerPid"], b"0", fault)
        self.check("main thread gone", self.say(b"vanish"), then, survives=True)

    def test_it_maps_memory(self):
        self.check("remap", self.say(b"remap"), self.runs, step=9, survives=True)

    def test_it_is_stopped_and_stays_so(self):
        def then(target, fault):
            self.assertTrue(process_is(target.pid, "T"), fault)
            time.sleep(0.005)
            self.assertEqual(kernel.state(target.pid), "T", fault)
            os.kill(target.pid, signal.SIGCONT)
            target.tell("are you there?")
        self.check("SIGSTOP", lambda target: os.kill(target.pid, signal.SIGSTOP), then, survives=True)

    def test_it_is_stopped_and_continued(self):
        def do(target):
            os.kill(target.pid, signal.SIGSTOP)
            os.kill(target.pid, signal.SIGCONT)

        def then(target, fault):
            target.tell("are you there?")
            self.assertTrue(process_is(target.pid, "S"), fault)
        self.check("SIGSTOP and SIGCONT", do, then, step=9, survives=True)

    def test_it_is_woken_from_a_stop(self):
        """Stopped before the command came."""
        start = self.start

        def start_stopped():
            target = start()
            os.kill(target.pid, signal.SIGSTOP)
            self.assertTrue(process_is(target.pid, "T"))
            return target

        self.start = start_stopped
        self.check("SIGCONT", lambda target: os.kill(target.pid, signal.SIGCONT),
                   lambda target, fault: target.tell("are you there?"), step=9, survives=True)

    def test_no_signal_is_lost_or_doubled(self):
        def then(target, fault):
            target.tell("count")
            self.assertEqual(target.lines[-1], "count 1", fault)
        self.check("a signal", lambda target: os.kill(target.pid, signal.SIGUSR1), then, survives=True)

    def test_old_file_survives_what_the_target_does(self):
        target = self.start()
        self.assertEqual(run("capture", target.pid, "-q", "-o", self.path).status, 0)
        target.end()
        with open(self.path, "rb") as file:
            before = file.read()
        for number in every(150, 12):
            target = self.start()
            stepped = Stepped(("capture", target.pid, "--append", "-q", "-o", self.path), number, self.aside)
            target.process.kill()
            status, said = stepped.finish()
            with open(self.path, "rb") as file:
                after = file.read()
            self.assertTrue(after.startswith(before), number)
            self.assertEqual(after == before, status == 2, (number, said))
            if status == 0:
                self.assertEqual(len(read_file(self.path)), 2)
            with open(self.path, "wb") as file:
                file.write(before)
            target.end()


if __name__ == "__main__":
    support.main()
