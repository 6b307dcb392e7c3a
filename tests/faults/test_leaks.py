"""Each system call fails in turn, and LeakSanitizer looks for what was not given back; all
else that must hold is as in test_syscalls.  Only in a build with sanitizers."""

import errno
import os
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import support
import syscalls
from faultlib import inject, need_injector, read_file, tell

LEAKY = os.environ.get("VMSNAP_LEAKY", "")


class Seeing(unittest.TestCase):
    """That the others see something."""

    def setUp(self):
        need_injector(self, leaks=True)

    def run_leaky(self, *fault):
        return inject([os.path.abspath(__file__)], *fault, leaks=True, command=LEAKY)

    def test_a_leak_is_seen(self):
        base = self.run_leaky()
        self.assertEqual((base.status, base.complaint()), (0, None), base)
        opened = next(n for n, hit in enumerate(base.hits, 1) if hit.endswith(__file__))
        run_ = self.run_leaky(f"fail={errno.EMFILE}", opened)
        self.assertEqual(run_.status, faultlib.COMPLAINED, run_)
        self.assertIn("LeakSanitizer: detected memory leaks", run_.complaint())
        self.assertIn("read_some", run_.complaint())
        run_ = self.run_leaky(f"fail={errno.EIO}", opened + 1)
        self.assertEqual((run_.status, run_.complaint()), (0, None), run_)


class Capturing(syscalls.Capturing):
    leaks = True

    def test_capture_into_a_new_file(self):
        self.check(("capture", self.witness.pid, "-o", self.path), None, 1)
        self.tell("capture")

    def test_capture_over_an_old_file(self):
        self.check(("capture", self.witness.pid, "-o", self.path), self.make(), 0.5, late=True)
        self.tell("capture over a file")

    def test_append(self):
        self.check(("capture", self.witness.pid, "--append", "-o", self.path), self.make(), 0.5, late=True)
        self.tell("capture --append")

    def test_tree(self):
        self.check(("capture", self.witness.pid, "--tree", "-o", self.path), None, 4)
        self.tell("capture --tree")


class Reading(syscalls.Reading):
    leaks = True

    def test_show_list_and_check(self):
        self.check("show", self.path, "--json", step=1, names=True)
        for command in ("list", "check"):
            self.check(command, self.path, step=2)

    def test_diff(self):
        self.check("diff", f"{self.path}@1", f"{self.path}@4", step=1)

    def test_cow(self):
        self.check("cow", f"{self.path}@1", f"{self.path}@2", "--json", step=5, names=True)

    def test_page(self):
        address = next(vma["start"] for vma in read_file(self.path)[0]["vmas"])
        self.check("page", self.path, f"{address:x}", "--json", step=3, names=True)

    def test_page_below_another_root(self):
        """With openat2()."""
        address = next(vma["start"] for vma in read_file(self.path)[0]["vmas"])
        self.check("page", self.path, f"{address:x}", "--json", "--sysroot", "/", step=4, names=True)


if __name__ == "__main__":
    support.main()
