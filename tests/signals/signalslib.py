"""What the tests of signals share: the driver, programs that get signals all the time, a
machine that is busy, and somebody who stops and continues the program from outside."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

import kernel  # noqa: E402,F401  (these lie in the folder just added)
import support  # noqa: E402
from support import ROOT, Target, skip  # noqa: E402

PROGRAMS = os.environ.get("VMSNAP_SIGNALS", "signals")
DRIVER = os.environ.get("VMSNAP_SIGNALS_DRIVER", "signals_driver")
ALL = os.environ.get("VMSNAP_SIGNALS_ALL") == "1"
PR_SET_PDEATHSIG = 1
CAPTURES = int(os.environ.get("VMSNAP_SIGNALS_CAPTURES", "1000"))  # of each kind in the long form
# Nothing takes so long; a test that waits for what never comes has to end some day.
PATIENCE = 120.0


def program(test, name, *argv):
    path = os.path.join(PROGRAMS, name)
    if not os.path.exists(path):
        skip(test, f"{name}: it was not built, for want of a library")
    return Target(test, name, *argv, executable=path)


def need_threads(test, count):
    """Skips where the kernel would not start so many; the program itself says so, too."""
    if count < 1000:
        return
    with open("/proc/meminfo", encoding="ascii") as lines:
        free = next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    if free < count * 100:
        skip(test, f"{count} threads: too little memory is free")
    for name in ("pid_max", "threads-max"):
        with open(f"/proc/sys/kernel/{name}", encoding="ascii") as file:
            if int(file.read()) < 2 * count:
                skip(test, f"{count} threads: {name} is too small")
    with open("/proc/sys/vm/max_map_count", encoding="ascii") as file:
        if int(file.read()) < 3 * count:
            skip(test, f"{count} threads: max_map_count is too small")


def need_tree(test):
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:
            if not ROOT and file.read().strip() != "0":
                skip(test, "children of another process, as an ordinary user: Yama forbids it here")
    except FileNotFoundError:
        pass


def drive(test, target, *options, nice=0):
    """Runs the driver to its end; what it printed."""
    done = subprocess.run([DRIVER, *map(str, options), str(target.pid)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          preexec_fn=lambda: os.nice(nice))
    said = done.stdout.decode(errors="replace")
    if done.returncode == 0:
        print(f"    {test.id().rpartition('.')[2]}: {'; '.join(said.splitlines())}", flush=True)
    return done.returncode, said


def load(test):
    """One program more that never waits, for each processor."""
    def limits():
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # whatever becomes of the test
    for _ in os.sched_getaffinity(0):
        busy = subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"], stdin=subprocess.DEVNULL, preexec_fn=limits)
        test.addCleanup(busy.wait)
        test.addCleanup(busy.kill)


class Stopper(threading.Thread):
    """Stops and continues our child all the time, and sees to it that each is told to its parent.

    Each time all of its threads have to have a turn: with ten thousand that is nearly a second on a busy machine, and
    something has to be left for others.  So it runs for a while then, and stands for a while."""

    def __init__(self, pid, threads):
        super().__init__(daemon=True)
        self.pid, self.rounds, self.trouble = pid, 0, ""
        self._stands, self._runs = (0.0, 0.005) if threads < 1000 else (0.5, 1.0)
        self._end = threading.Event()

    def run(self):
        while not self._end.is_set() and not self.trouble:
            for name, what, pause in (("SIGSTOP", os.WSTOPPED, self._stands), ("SIGCONT", os.WCONTINUED, self._runs)):
                os.kill(self.pid, getattr(support.signal, name))
                if not self._told(what):
                    self.trouble = f"{name} was sent, and its parent was not told"
                    os.kill(self.pid, support.signal.SIGCONT)  # it is to answer yet
                    return
                time.sleep(pause)
            self.rounds += 1

    def _told(self, what):
        """No blocking call: nobody could end it.  Looks are counted, and not time: we may be stopped ourselves."""
        pause = 0.001
        for _ in range(round(PATIENCE / pause)):
            try:
                if os.waitid(os.P_PID, self.pid, what | os.WNOHANG):
                    return True
            except ChildProcessError:  # it has ended
                return False
            time.sleep(pause)
        return False

    def finish(self):
        self._end.set()
        self.join()


def asked(target, line):
    """{first word: all words} of what the program answers; of "count KIND …" it is the second."""
    target.lines.clear()
    target.tell(line)
    answers = [each.split(" ") for each in target.lines]
    return {words[words[0] == "count"]: words[words[0] == "count":] for words in answers}
