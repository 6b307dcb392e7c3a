"""The command runs out of memory at each allocation, its libraries' included: once, or
from there on.  A clear error or the right result, the target let go."""

import collections
import os
import subprocess
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import support
from faultlib import (Run, Witness, assert_clear_error, assert_same_or_unknown, every, folder, litter, read_file, tell,
                      without_names)
from support import run, world

# glibc ends a process that has no memory for the thread-local variables of a library that
# was loaded late, as libelf is for names: dlopen() does not ask for them, their first use does.
TLS = "cannot allocate memory for thread-local data: ABORT"
INTERPOSE = os.environ.get("VMSNAP_INTERPOSE", "")


class Allocations(unittest.TestCase):
    def setUp(self):
        if os.environ.get("VMSNAP_SANITIZED"):
            support.skip(self, "a sanitizer has an allocator of its own; test_memory does this within the process")
        if not os.path.exists(INTERPOSE):
            support.skip(self, "the interposed library is not built")
        self.witness = Witness(self, "children", "1")
        self.folder = folder(self)
        self.path = os.path.join(self.folder, "a.vms")
        self.told = os.path.join(world().folder, "told")
        self.count = collections.Counter()

    def run_with(self, argv, plan):
        env = {**world().env, **faultlib.QUIET, "LD_PRELOAD": INTERPOSE, "VMSNAP_FAIL_TOLD": self.told,
               "VMSNAP_FAIL": plan}
        done = subprocess.run([world().vmsnap, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env, timeout=300)
        return Run(done.returncode, done.stdout, done.stderr.decode(errors="replace"), [plan])

    def each(self, argv, step):
        """Runs it with each allocation failing; the number there are, it says itself."""
        base = self.run_with(argv, "malloc:0")
        with open(self.told, encoding="ascii") as file:
            calls = int(file.read())
        self.assertGreater(calls, 20, "the library in between counts nothing")
        yield base
        for number in every(calls, step):
            for rest in ("", "+"):
                self.prepare()
                self.count["faults"] += 1
                yield self.run_with(argv, f"malloc:{number}{rest}")

    def prepare(self):
        """What is to be done before each run."""

    def tell(self, command):
        kinds = ", ".join(f"{count} {what}" for what, count in sorted(self.count.items()) if what != "faults")
        tell(f"{command}: {self.count['faults']} allocations failed: {kinds}")

    def check_capture(self, *options, step=1):
        argv = ("capture", self.witness.pid, "-o", self.path, *options)
        runs = self.each(argv, step)
        self.assertEqual(next(runs).status, 0)
        whole = read_file(self.path)
        self.prepare = lambda: os.path.exists(self.path) and os.unlink(self.path)
        for run_ in runs:
            self.assertEqual(litter(self.folder, "a.vms"), [], run_)
            self.witness.assert_let_go(run_)
            if run_.status == 2:
                assert_clear_error(self, run_)
                self.assertFalse(os.path.exists(self.path), run_)
                self.count["clear errors"] += 1
                continue
            self.assertEqual(run_.status, 0, run_)
            self.assertEqual(len(read_file(self.path)), len(whole), run_)
            for found, wanted in zip(read_file(self.path), whole):
                assert_same_or_unknown(self, found, wanted, run_)
            self.count["right results"] += 1
        self.witness.assert_unharmed("after all")
        self.tell(" ".join(map(str, ("capture", *options))))

    def test_capture(self):
        self.check_capture()

    def test_tree(self):
        self.check_capture("--tree", "--smaps", step=3)

    def test_contents(self):
        self.check_capture("--contents", step=5)

    def test_append(self):
        self.assertEqual(run("capture", self.witness.pid, "-q", "-o", self.path).status, 0)
        with open(self.path, "rb") as file:
            before = file.read()

        def put():
            with open(self.path, "wb") as file:
                file.write(before)

        self.prepare = put
        runs = self.each(("capture", self.witness.pid, "-q", "--append", "-o", self.path), 2)
        self.assertEqual(next(runs).status, 0)
        for run_ in runs:
            self.witness.assert_let_go(run_)
            self.count["clear errors" if run_.status else "right results"] += 1
            if run_.status:
                assert_clear_error(self, run_)
                with open(self.path, "rb") as file:
                    self.assertEqual(file.read(), before, run_)
            else:
                self.assertEqual(len(read_file(self.path)), 2, run_)
        self.tell("capture --append")

    def check_reading(self, *argv, step=2, fewer_names=False):
        self.count.clear()
        runs = self.each(argv, step)
        base = next(runs)
        self.assertIn(base.status, (0, 1), base)
        for run_ in runs:
            if (run_.status, run_.out) == (base.status, base.out):
                self.count["right results"] += 1
            elif fewer_names and run_.status == base.status and without_names(run_.out) == without_names(base.out):
                self.count["results with fewer names"] += 1
            elif fewer_names and run_.status == 127 and TLS in run_.said:
                self.count["ends by the C library"] += 1
            else:
                assert_clear_error(self, run_, warnings=1 if fewer_names else 0)
                self.count["clear errors"] += 1
        self.tell(argv[0])

    def test_reading(self):
        for _ in range(2):
            self.assertEqual(run("capture", self.witness.pid, "--tree", "--append", "-q", "-o", self.path).status, 0)
        for command in ("show", "pages", "list", "check", "map", "status"):
            named = command in ("show", "map")  # memory without a name may be called something, too
            self.check_reading(command, self.path, *(("--no-names",) if named else ()))
            self.check_reading(command, self.path, "--json", step=5, fewer_names=named)
        contents = os.path.join(self.folder, "contents.vms")
        for _ in range(2):
            done = run("capture", self.witness.pid, "--contents", "--append", "-q", "-o", contents)
            self.assertEqual(done.status, 0, done)
        self.check_reading("check", contents)
        self.check_reading("diff", f"{contents}@1", f"{contents}@2", "--json", step=9, fewer_names=True)
        self.check_reading("diff", f"{self.path}@1", f"{self.path}@3", "--json", fewer_names=True)
        self.check_reading("cow", f"{self.path}@1", f"{self.path}@2", "--json", step=9, fewer_names=True)


if __name__ == "__main__":
    support.main()
