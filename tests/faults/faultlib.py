"""What the fault tests share: the injector, a target that notices everything, and what
must hold after a fault, whatever it was."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", name) for name in ("live", "reader")]

import kernel  # noqa: E402  (these lie in the folders just added)
import support  # noqa: E402
import vmsfile  # noqa: E402
from support import Target, world  # noqa: E402

INJECT = os.environ.get("VMSNAP_INJECT", "inject")
ALL = os.environ.get("VMSNAP_FAULTS_ALL") == "1"
SANITIZED = bool(os.environ.get("VMSNAP_SANITIZED"))
CANNOT = 77
# A sanitizer's own search for leaks needs ptrace, which the injector has.
QUIET = {"LC_ALL": "C", "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1", "UBSAN_OPTIONS": "halt_on_error=1"}
# With the other injector it can search.  No command of ours exits like that.
COMPLAINED = 99
LEAKS = {"LC_ALL": "C", "ASAN_OPTIONS": f"detect_leaks=1:abort_on_error=0:exitcode={COMPLAINED}",
         "LSAN_OPTIONS": f"exitcode={COMPLAINED}", "UBSAN_OPTIONS": f"halt_on_error=1:exitcode={COMPLAINED}"}


class Run:
    """How a run under the injector went.  hits: the calls that were meant."""

    def __init__(self, status, out, said, hits):
        self.status, self.out, self.said, self.hits = status, out, said, hits

    def __repr__(self):
        return f"at {self.hits[:1]}: status {self.status}, said {self.said!r}, printed {self.out[:200]!r}"

    def lines(self):
        return self.said.splitlines()

    def complaint(self):
        """A sanitizer's: what it said, or None."""
        at = re.search(r"Sanitizer|runtime error:", self.said)
        if at:
            return self.said[max(at.start() - 40, 0):][:3000]
        return f"exit status {COMPLAINED}" if self.status == COMPLAINED else None


def inject(argv, action="list", number=1, later=False, only=None, cwd=None, leaks=False, command=None):
    """Runs the command with a fault at its call of that number.  leaks: a sanitizer in it
    may look for leaks."""
    report = os.path.join(world().folder, f"report-{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(report)
    options = ["-a", action, "-N" if later else "-n", str(number), "-o", report]
    if only:
        options += ["-c", only]
    if leaks:
        options += ["-s"]
    done = subprocess.run([INJECT, *options, command or world().vmsnap, *map(str, argv)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, timeout=300,
                          env={**world().env, **(LEAKS if leaks else QUIET)})
    said = done.stderr.decode(errors="replace")
    if done.returncode == CANNOT:
        raise RuntimeError(f"the injector does not work: {said}")
    hits = kernel.read(report).decode().splitlines() if os.path.exists(report) else []
    return Run(done.returncode, done.stdout, said, hits)


def need_injector(test, leaks=False):
    """Skips where no process may be traced, or asked about by seccomp to look for leaks."""
    if not os.access(INJECT, os.X_OK):
        support.skip(test, "the injector is not built")
    report = subprocess.run([INJECT, *(["-s"] if leaks else []), "-a", "list", "/bin/true"], stderr=subprocess.PIPE)
    if report.returncode:
        support.skip(test, f"the injector does not work here: {report.stderr.decode().strip()}")


def tasks(pid):
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except FileNotFoundError:
        return []


class Witness:
    """A target that can say whether it was disturbed; and its children."""

    def __init__(self, test, *argv):
        self.test = test
        self.target = Target(test, "hostile_witness", *argv)
        self.pid = self.target.pid
        self.children = [int(line.split()[1]) for line in self.target.lines]
        self.before = self.report()
        # Each thread has touched what it will touch.
        while int(self.before[3]) < 5:
            time.sleep(0.005)
            self.before = self.report()

    def report(self):
        """[hash, signals, interrupted calls, rounds]"""
        self.target.lines.clear()
        self.target.tell("report")
        return self.target.lines[-1].split()[1:]

    def assert_let_go(self, fault):
        """Right now: nobody traces any thread, none stands."""
        for pid in (self.pid, *self.children):
            for tid in tasks(pid):
                status = kernel.status(f"{pid}/task/{tid}")
                self.test.assertEqual(status["TracerPid"], b"0", fault)
                self.test.assertNotIn(status["State"][:1], (b"t", b"T"), fault)

    def assert_unharmed(self, fault=None):
        self.assert_let_go(fault)
        report = self.report()
        self.test.assertEqual(report[:3], self.before[:3], f"hash, signals, interrupted calls: {fault}")
        until = time.monotonic() + 30  # on a busy machine it may not have had its turn yet
        while self.report()[3] == report[3]:
            self.test.assertLess(time.monotonic(), until, f"its worker stands still: {fault}")
            time.sleep(0.005)


def read_file(path):
    """The snapshots of a file, by the other reader; AssertionError if it is not whole."""
    file = vmsfile.open_file(path)
    assert file.damage is None, file.damage
    return [file.load(index) for index in range(len(file.entries))]


def pages_of(snapshot):
    """{address: flags} of one snapshot; PFNs may change behind everybody's back."""
    size = snapshot["identity"]["page_size"]
    return {run["start"] + index * size: tuple(run["flags"])
            for run in snapshot["runs"] for index in range(run["pages"])}


def assert_same_or_unknown(test, snapshot, whole, fault):
    """What a capture that went on in spite of a fault may have lost: nothing without saying so."""
    found, wanted = pages_of(snapshot), pages_of(whole)
    # Of a file that cannot be written to the kernel takes pages and maps them again as it likes.
    coming = [vma for vma in whole["vmas"] if vma["inode"] and "w" not in vma["perms"]]
    lost = [hex(at) for at in sorted(found.keys() ^ wanted.keys())
            if not any(vma["start"] <= at < vma["end"] for vma in coming)]
    test.assertEqual(lost, [], f"pages: {fault}")
    known = set(snapshot["identity"]["known"])
    unknown = KNOWABLE - known

    def flags(page):
        # Whoever else maps a file's page comes and goes.
        return set(page) - unknown - ({"exclusive"} if "file" in page else set())
    changed = [(hex(at), found[at], wanted[at]) for at in wanted
               if at in found and flags(found[at]) != flags(wanted[at])]
    test.assertEqual(changed[:3], [], f"flags of pages: {fault}")
    for key in ("vmas", "threads"):
        test.assertEqual(len(snapshot[key]), len(whole[key]), f"{key}: {fault}")
    test.assertEqual([vma["start"] for vma in snapshot["vmas"]], [vma["start"] for vma in whole["vmas"]], fault)
    test.assertEqual({thread["tid"] for thread in snapshot["threads"]},
                     {thread["tid"] for thread in whole["threads"]}, fault)
    for key, value in whole["identity"].items():
        if key not in MOMENTARY:
            test.assertIn(snapshot["identity"].get(key), (value, None, b"", 0), f"{key}: {fault}")
    test.assertTrue(known <= set(whole["identity"]["known"]), fault)


KNOWABLE = {"exclusive", "soft_dirty", "zero", "huge"}
MOMENTARY = {"taken", "monotonic", "pause", "known", "freeze", "ppid", "swap_in_use",
             "boottime", "page_moves", "zero_pfn"}


def without_names(out):
    """JSON without what symbols and debug information add to it."""
    def stripped(value):
        if isinstance(value, list):
            return [stripped(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {key: stripped(item) for key, item in value.items()
                if key not in ("names", "names_total", "segment", "label", "label_kind")
                and not (key == "name" and not isinstance(item, str))}
    return stripped(json.loads(out))


def folder(test):
    """An empty one that goes with the test."""
    path = tempfile.mkdtemp(dir=world().home(support.me()))
    test.addCleanup(shutil.rmtree, path, ignore_errors=True)
    return path


def litter(path, *wanted):
    return sorted(set(os.listdir(path)) - set(wanted))


def is_draft(name):
    """Whether it is named like the temporary files that a killed command may leave."""
    return re.fullmatch(r"\..*\.vmsnap-\d+-[0-9a-f]{8}", name) is not None


def assert_clear_error(test, run, warnings=0):
    """Exit status 2 and one line that says what is wrong, behind so many warnings at most."""
    test.assertEqual(run.status, 2, run)
    test.assertIn(len(run.lines()), range(1, 2 + warnings), run)
    test.assertRegex(run.said, r"^(vmsnap: [^\n\x00-\x1f]{8,}\n)+$", run)


def every(calls, step):
    """Numbers of calls, from 1: all of them, or one in `step` in a short run, which takes
    steps four times as large where each call takes longer."""
    return range(1, calls + 1, 1 if ALL else max(int(step * 4 if SANITIZED else step), 1))


def tell(text):
    """A line for the log: what was tried, and how often."""
    print(f"FAULTS: {text}", flush=True)
