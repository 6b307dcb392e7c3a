"""A command of which one system call fails: which ones, how, and what must hold then.
What test_syscalls and test_leaks share."""

import collections
import errno
import os
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
from faultlib import (Witness, assert_clear_error, assert_same_or_unknown, every, folder, litter, need_injector,
                      read_file, tell, without_names)
from support import run

# What is most likely to go wrong with each; EIO with others.
LIKELY = {
    "openat": "EMFILE", "openat2": "EMFILE", "access": "EACCES", "readlink": "EACCES", "readlinkat": "EACCES",
    "write": "ENOSPC",
    "mmap": "ENOMEM", "brk": "ENOMEM", "mremap": "ENOMEM", "mprotect": "ENOMEM", "madvise": "EAGAIN",
    "clone": "EAGAIN", "clone3": "EAGAIN", "ptrace": "EPERM", "flock": "ENOLCK", "linkat": "EACCES",
    "fcntl": "EMFILE", "prlimit64": "EPERM", "ioctl": "ENOTTY", "kill": "EPERM", "capget": "EPERM", "capset": "EPERM",
}
# What else is tried of each in a long run.
OTHERS = {
    "openat": ["EACCES", "ENFILE", "ENOMEM"], "openat2": ["ENOSYS", "EPERM", "EAGAIN"],
    "read": ["EINTR", "ENOMEM"], "pread64": ["EINTR", "ENOMEM"],
    "write": ["EIO", "EINTR", "EDQUOT", "EFBIG"], "fsync": ["ENOSPC", "EDQUOT"], "flock": ["EINTR", "EIO"],
    "ptrace": ["ESRCH", "EIO"], "ioctl": ["EIO", "EFAULT", "ENOMEM"], "linkat": ["EMLINK", "EIO"],
    "close": ["EINTR", "ENOSPC"],
    "renameat": ["EACCES"], "newfstatat": ["EACCES", "ENOMEM"], "fcntl": ["EINTR"], "poll": ["EINTR"],
}


# A sanitizer ends the program if these fail: it makes them for itself.
SANITIZERS = ("sched_getaffinity", "mmap", "munmap", "mremap", "mprotect", "madvise", "brk")
# The other injector can tell whose they are; but these it asks the C library for.
SANITIZERS_TOO = ("sched_getaffinity",)


def name_of(hit):
    return hit.split()[1]


def faults(calls, step, leaks):
    """(number, errno's name) for what is to be tried with these calls."""
    untouched = (SANITIZERS_TOO if leaks else SANITIZERS) if faultlib.SANITIZED else ()
    for number in every(len(calls), step):
        name = name_of(calls[number - 1])
        if name in untouched:
            continue
        yield number, LIKELY.get(name, "EIO")
        for other in OTHERS.get(name, []) if faultlib.ALL else []:
            yield number, other


class Faults(unittest.TestCase):
    leaks = False  # whether it looks for leaks, too

    def setUp(self):
        need_injector(self, self.leaks)
        self.count = collections.Counter()
        self.missing = 0

    def inject(self, argv, action="list", number=1, **how):
        run_ = faultlib.inject(argv, action, number, leaks=self.leaks, **how)
        if self.leaks:
            self.assertIsNone(run_.complaint(), f"{action} {run_}")
        return run_

    def inject_error(self, argv, number, name):
        run_ = self.inject(argv, f"fail={getattr(errno, name)}", number)
        run_.fault = f"{name} {run_}"
        # How often memory grows depends on the moment, and whether lists of children are read once
        # more, as somebody was born: at the end a few may be missing.
        self.missing += not run_.hits
        self.assertLess(self.missing, 40, f"call {number} was not made: {run_}")
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
        base = self.inject(argv)
        self.assertEqual(base.status, 0, base)
        self.assertGreater(len(base.hits), 100, "the injector sees no system calls")
        whole = read_file(self.path)
        first = next(n for n, hit in enumerate(base.hits, 1) if hit.endswith(self.folder) or f"{self.path}" in hit)
        for number, name in faults(base.hits, step, self.leaks):
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
        base = self.inject(argv)
        self.assertIn(base.status, (0, 1), base)
        self.assertGreater(len(base.hits), 15, "the injector sees no system calls")
        for number, name in faults(base.hits, step, self.leaks):
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
