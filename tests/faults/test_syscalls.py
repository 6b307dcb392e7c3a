"""Each system call fails in turn: a clear error or the right result, the target let go,
old files as they were, and no litter."""

import collections
import errno
import os
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import support
from faultlib import (Witness, assert_clear_error, assert_same_or_unknown, every, folder, inject, litter, need_injector,
                      read_file, tell, without_names)
from support import run

# What is most likely to go wrong with each; EIO with others.
LIKELY = {
    "openat": "EMFILE", "access": "EACCES", "readlink": "EACCES", "readlinkat": "EACCES", "write": "ENOSPC",
    "mmap": "ENOMEM", "brk": "ENOMEM", "mremap": "ENOMEM", "mprotect": "ENOMEM", "madvise": "EAGAIN",
    "clone": "EAGAIN", "clone3": "EAGAIN", "ptrace": "EPERM", "flock": "ENOLCK", "linkat": "EACCES",
    "fcntl": "EMFILE", "prlimit64": "EPERM", "ioctl": "ENOTTY", "kill": "EPERM",
}
# What else is tried of each in a long run.
OTHERS = {
    "openat": ["EACCES", "ENFILE", "ENOMEM"], "read": ["EINTR", "ENOMEM"], "pread64": ["EINTR", "ENOMEM"],
    "write": ["EIO", "EINTR", "EDQUOT", "EFBIG"], "fsync": ["ENOSPC", "EDQUOT"], "flock": ["EINTR", "EIO"],
    "ptrace": ["ESRCH", "EIO"], "ioctl": ["EIO", "EFAULT", "ENOMEM"], "linkat": ["EMLINK", "EIO"],
    "close": ["EINTR", "ENOSPC"],
    "renameat": ["EACCES"], "newfstatat": ["EACCES", "ENOMEM"], "fcntl": ["EINTR"], "poll": ["EINTR"],
}


# A sanitizer ends the program if these fail: it makes them for itself.
SANITIZERS = ("sched_getaffinity", "mmap", "munmap", "mremap", "mprotect", "madvise", "brk")


def name_of(hit):
    return hit.split()[1]


def faults(calls, step):
    """(number, errno's name) for what is to be tried with these calls."""
    for number in every(len(calls), step):
        name = name_of(calls[number - 1])
        if faultlib.SANITIZED and name in SANITIZERS:
            continue
        yield number, LIKELY.get(name, "EIO")
        for other in OTHERS.get(name, []) if faultlib.ALL else []:
            yield number, other


class Faults(unittest.TestCase):
    def setUp(self):
        need_injector(self)
        self.count = collections.Counter()
        self.missing = 0

    def inject_error(self, argv, number, name):
        run_ = inject(argv, f"fail={getattr(errno, name)}", number)
        run_.fault = f"{name} {run_}"
        # How often memory grows depends on the moment: at the end a few may be missing.
        self.missing += not run_.hits
        self.assertLess(self.missing, 8, f"call {number} was not made: {run_}")
        self.count["faults"] += bool(run_.hits)
        return run_

    def tell(self, command):
        kinds = ", ".join(f"{count} {what}" for what, count in sorted(self.count.items()) if what != "faults")
        tell(f"{command}: {self.count['faults']} system calls failed: {kinds}")
        self.count.clear()


class Capturing(Faults):
    """Commands that look at a live process and write a file."""

    def setUp(self):
        super().setUp()
        self.witness = Witness(self, "children", "2")
        self.folder = folder(self)
        self.path = os.path.join(self.folder, "a.vms")

    def make(self, *options):
        self.assertEqual(run("capture", self.witness.pid, "-o", self.path, *options).status, 0)
        with open(self.path, "rb") as file:
            return file.read()

    def check(self, argv, before, step, late=False):
        """before: what is in the file each time; None: there is none.  late: only what
        comes after the capture itself."""
        self.put(before)
        base = inject(argv)
        self.assertEqual(base.status, 0, base)
        self.assertGreater(len(base.hits), 100, "the injector sees no system calls")
        whole = read_file(self.path)
        first = next(n for n, hit in enumerate(base.hits, 1) if hit.endswith(self.folder) or f"{self.path}" in hit)
        for number, name in faults(base.hits, step):
            if late and number < first:
                continue
            self.put(before)
            run_ = self.inject_error(argv, number, name)
            self.assert_outcome(run_, before, whole)
            self.witness.assert_let_go(run_.fault)
        self.witness.assert_unharmed("after all")

    def put(self, before):
        if os.path.exists(self.path):
            os.unlink(self.path)
        if before is not None:
            with open(self.path, "wb") as file:
                file.write(before)

    def assert_outcome(self, run_, before, whole):
        self.assertEqual(litter(self.folder, "a.vms"), [], run_.fault)
        if run_.status == 2:
            assert_clear_error(self, run_)
            self.count["clear errors"] += 1
            self.assertEqual(os.path.exists(self.path), before is not None, run_.fault)
            if before is not None:
                with open(self.path, "rb") as file:
                    self.assertEqual(file.read(), before, f"the old file changed: {run_.fault}")
            return
        self.assertEqual(run_.status, 0, run_.fault)
        self.count["right results"] += 1
        found = read_file(self.path)
        self.assertEqual(len(found), len(whole), run_.fault)
        # Of a tree, a child that was found later comes later.
        whole = sorted(whole, key=lambda snapshot: snapshot["identity"]["pid"])
        for snapshot, wanted in zip(sorted(found, key=lambda snapshot: snapshot["identity"]["pid"]), whole):
            self.assertEqual(snapshot["identity"]["pid"], wanted["identity"]["pid"], run_.fault)
            assert_same_or_unknown(self, snapshot, wanted, run_.fault)

    def test_capture_into_a_new_file(self):
        self.check(("capture", self.witness.pid, "-o", self.path), None, 1)
        self.tell("capture")

    def test_capture_over_an_old_file(self):
        before = self.make()
        self.check(("capture", self.witness.pid, "-o", self.path), before, 1, late=True)
        self.tell("capture over a file")

    def test_append(self):
        before = self.make()
        self.check(("capture", self.witness.pid, "--append", "-o", self.path), before, 1, late=True)
        self.tell("capture --append")

    def test_tree(self):
        self.check(("capture", self.witness.pid, "--tree", "-o", self.path), None, 3)
        self.tell("capture --tree")

    def test_smaps_without_freezing(self):
        self.check(("capture", self.witness.pid, "--smaps", "--no-freeze", "-o", self.path), None, 5)
        self.tell("capture --smaps --no-freeze")

    def test_disk_that_stays_full(self):
        """Not one write fails, but all from some moment on, the cutting-off of an append too."""
        for options, before in (((), None), ((), self.make()), (("--append",), self.make())):
            argv = ("capture", self.witness.pid, "-o", self.path, *options)
            for number in (1, 2):
                self.put(before)
                run_ = inject(argv, f"fail={errno.ENOSPC}", number, later=True, only="write,fsync,ftruncate")
                self.count["faults"] += 1
                self.assertEqual(litter(self.folder, "a.vms"), [], run_)
                if before is None:
                    self.assertFalse(os.path.exists(self.path), run_)
                elif not options:
                    with open(self.path, "rb") as file:
                        self.assertEqual(file.read(), before)
                else:
                    self.assert_old_part_whole(before, run_)
        self.tell("capture on a disk that stays full")

    def assert_old_part_whole(self, before, fault):
        """A torn end is told by check and cut off by the next append."""
        with open(self.path, "rb") as file:
            self.assertTrue(file.read().startswith(before), fault)
        self.assertEqual(run("capture", self.witness.pid, "--append", "-q", "-o", self.path).status, 0)
        self.assertEqual(run("check", self.path).status, 0)
        self.assertEqual(len(read_file(self.path)), 2)

    def test_short_reads_and_writes_change_nothing(self):
        argv = ("capture", self.witness.pid, "-o", self.path)
        only = "read,pread64,write"
        whole = None
        for number in range(0, len(inject(argv, only=only).hits) + 1, 1 if faultlib.ALL else 2):
            self.put(None)
            run_ = inject(argv, "short" if number else "list", max(number, 1), only=only)
            self.assertEqual(run_.status, 0, run_)
            found = read_file(self.path)[0]
            whole = whole or found
            assert_same_or_unknown(self, found, whole, run_)
            self.assertEqual(found["identity"]["cmdline"], whole["identity"]["cmdline"], run_)
            self.assertEqual(found["identity"]["known"], whole["identity"]["known"], run_)
            self.count["short"] += 1
        tell(f"capture: {self.count['short']} reads and writes cut short")

    def test_waiting_that_fails_lets_go(self):
        """Calls that are made ever so often: the first few of each."""
        argv = ("capture", self.witness.pid, "-o", self.path)
        for call, name in (("waitid", "ECHILD"), ("waitid", "EINTR"), ("munmap", "ENOMEM"), ("prctl", "EPERM"),
                           ("sched_yield", "ENOSYS"), ("clock_nanosleep", "EINTR"), ("futex", "EINTR"),
                           ("sched_getaffinity", "EPERM"), ("getrandom", "ENOSYS")):
            if faultlib.SANITIZED and call in SANITIZERS:
                continue
            for number in range(1, 5):
                self.put(None)
                run_ = inject(argv, f"fail={getattr(errno, name)}", number, only=call)
                self.count["faults"] += bool(run_.hits)
                self.assertIn(run_.status, (0, 2), run_)
                self.assertEqual(litter(self.folder, "a.vms"), [], run_)
                self.witness.assert_let_go(run_)
        self.witness.assert_unharmed("after all")
        self.tell("capture while it waits")


class Reading(Faults):
    """Commands that read a file: the same output, or an error."""

    def setUp(self):
        super().setUp()
        witness = Witness(self, "children", "2")
        self.folder = folder(self)
        self.path = os.path.join(self.folder, "a.vms")
        for _ in range(2):
            self.assertEqual(run("capture", witness.pid, "--tree", "--append", "-o", self.path).status, 0)
        with open(self.path, "rb") as file:
            self.before = file.read()

    def check(self, *argv, step=2, names=False):
        """names: some of the calls are made for names, which then stay unknown."""
        base = inject(argv)
        self.assertIn(base.status, (0, 1), base)
        self.assertGreater(len(base.hits), 15, "the injector sees no system calls")
        for number, name in faults(base.hits, step):
            run_ = self.inject_error(argv, number, name)
            if (run_.status, run_.out, run_.said) == (base.status, base.out, base.said):
                self.count["right results"] += 1
            elif names and run_.status == base.status and without_names(run_.out) == without_names(base.out):
                self.count["results with fewer names"] += 1
            else:
                assert_clear_error(self, run_)
                self.count["clear errors"] += 1
        self.assertEqual(litter(self.folder, "a.vms"), [])
        with open(self.path, "rb") as file:
            self.assertEqual(file.read(), self.before)
        self.tell(argv[0])

    def test_show(self):
        self.check("show", self.path)
        self.check("show", self.path, "--json")

    def test_pages_map_and_status(self):
        for command in ("pages", "map", "status"):
            self.check(command, self.path, step=3)

    def test_list_and_check(self):
        for command in ("list", "check"):
            self.check(command, self.path)
            self.check(command, self.path, "--json", step=5)

    def test_diff(self):
        self.check("diff", f"{self.path}@1", f"{self.path}@4")
        self.check("diff", f"{self.path}@1", f"{self.path}@4", "--json", step=5, names=True)

    def test_cow(self):
        self.check("cow", f"{self.path}@1", f"{self.path}@2", "--json", step=3, names=True)

    def test_page_with_names(self):
        address = next(vma["start"] for vma in read_file(self.path)[0]["vmas"])
        self.check("page", self.path, f"{address:x}", "--json", step=3, names=True)


if __name__ == "__main__":
    support.main()
