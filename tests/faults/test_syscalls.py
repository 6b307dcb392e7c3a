"""Each system call fails in turn: a clear error or the right result, the target let go,
old files as they were, and no litter."""

import contextlib
import errno
import os
import subprocess

import faultlib  # noqa: I001  (it says where the others lie)
import support
import syscalls
from faultlib import (assert_clear_error, assert_same_or_unknown, every, folder, inject, litter, read_file,
                      tell)
from support import run


class Capturing(syscalls.Capturing):
    def test_capture_into_a_new_file(self):
        self.check(("capture", self.witness.pid, "-o", self.path), None, 4)
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
        self.check(("capture", self.witness.pid, "--tree", "-o", self.path), None, 9)
        self.tell("capture --tree")

    def test_smaps_without_freezing(self):
        self.check(("capture", self.witness.pid, "--smaps", "--no-freeze", "-o", self.path), None, 7)
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
            if faultlib.SANITIZED and call in syscalls.SANITIZERS:
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


class Reading(syscalls.Reading):
    def test_show(self):
        self.check("show", self.path, "--no-names")
        self.check("show", self.path, "--json", names=True)

    def test_pages_map_and_status(self):
        self.check("map", self.path, "--no-names", step=3)
        for command in ("pages", "status"):
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

    def test_page_with_names_below_another_root(self):
        """Where openat2() is refused there is another way."""
        address = next(vma["start"] for vma in read_file(self.path)[0]["vmas"])
        argv = ("page", self.path, f"{address:x}", "--json", "--sysroot", "/")
        self.check(*argv, step=4, names=True)
        base = inject(argv, only="openat2")
        self.assertGreater(len(base.hits), 0, "it does not go below the root")
        refused = inject(argv, f"fail={errno.ENOSYS}", later=True, only="openat2")
        self.assertEqual((refused.status, refused.out), (base.status, base.out), refused)

    @contextlib.contextmanager
    def fed(self, content, fifo):
        """Somebody writes it to the pipe, as soon as it is read, if ever."""
        with open(content, "rb") as file:
            feeder = subprocess.Popen(["sh", "-c", 'exec cat >"$0" 2>/dev/null', fifo], stdin=file)
        try:
            yield
        finally:
            feeder.kill()
            feeder.wait()

    def test_show_of_a_pipe_that_is_longer_than_what_is_kept_in_memory(self):
        where = folder(self)
        content, fifo = os.path.join(where, "long.vms"), os.path.join(where, "fifo")
        with open(content, "wb") as file:
            file.write(self.before * (1 + (5 << 18) // len(self.before)))
        os.mkfifo(fifo)
        argv, only = ("show", fifo, "--json", "--no-names"), "openat,memfd_create,write,fstat,lseek,pread64,read"
        with self.fed(content, fifo):
            base = inject(argv, only=only)
        self.assertEqual(base.status, 0, base)
        self.assertTrue(any("write" in hit for hit in base.hits[:-1]), "it goes to no temporary file")
        # How often is read from a pipe depends on the moment: the first and the last ones.
        numbers = list(range(1, len(base.hits) + 1))
        for number in every(len(numbers), 1) if faultlib.ALL else [*numbers[:12], *numbers[-40:]]:
            for name in ("EIO", "EINTR", "ENOSPC"):
                with self.fed(content, fifo):
                    run_ = inject(argv, f"fail={getattr(errno, name)}", number, only=only)
                self.count["faults"] += bool(run_.hits)
                if (run_.status, run_.out) == (base.status, base.out):
                    self.count["right results"] += 1
                else:
                    assert_clear_error(self, run_)
                    self.count["clear errors"] += 1
        self.assertEqual(litter(where, "long.vms", "fifo"), [])
        self.tell("show of a pipe")


if __name__ == "__main__":
    support.main()
