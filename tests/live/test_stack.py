"""ulimit -s: however far the stack may grow, the command works or says why not."""

import os
import resource
import subprocess
import unittest

import support
from support import VMSNAP, Target, capture, run, skip, world

KIB = 1024
REFUSAL = r"^vmsnap: \d+ KiB of stack are needed beside what [^\n]+: the hard limit is too low [^\n]+\n$"


def limited(soft, hard):
    """For subprocess: what runs there has these limits."""
    return lambda: resource.setrlimit(resource.RLIMIT_STACK, (soft, hard))


class Stack(unittest.TestCase):
    def setUp(self):
        with open(VMSNAP, "rb") as file:
            if b"__asan_init" in file.read():
                skip(self, "a sanitizer needs more stack before the command begins")
        # What is in the environment lies on the stack.
        whole = world().env
        world().env = {key: value for key, value in whole.items() if key == "LD_LIBRARY_PATH"}
        self.addCleanup(setattr, world(), "env", whole)
        self.hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
        self.target = Target(self, "pages", "anonymous")
        self.path = capture(self, self.target.pid)
        self.assertEqual(run("capture", self.target.pid, "--append", "-o", self.path).status, 0)

    def commands(self):
        pid, path = self.target.pid, self.path
        new = os.path.join(world().home(support.me()), "of-small-stack.vms")
        return ((("--version",), ("help", "capture"), ("list", path), ("check", path), ("show", path),
                 ("show", "--json", path), ("pages", path), ("map", path), ("status", path),
                 ("status", path + "@1", path + "@2"), ("diff", path + "@1", path + "@2"), ("cow", path)),
                (("show", pid), ("page", pid, "400000"), ("diff", path, pid), ("capture", pid, "-o", new),
                 ("capture", pid, "--tree", "-o", new)))

    def starts(self, soft, hard):
        """Whether any program does, with such a limit."""
        try:
            return not subprocess.run(["true"], preexec_fn=limited(soft, hard), env=world().env).returncode
        except (OSError, ValueError):
            return False

    def test_a_low_limit_is_raised(self):
        of_files, of_processes = self.commands()
        wanted = {arguments: run(*arguments) for arguments in of_files}
        for soft in (24 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 2048 * KIB, self.hard):
            if not self.starts(soft, self.hard):
                continue
            for arguments in of_files:
                result = run(*arguments, preexec_fn=limited(soft, self.hard))
                self.assertEqual((result.status, result.out, result.err), (wanted[arguments].status,
                                 wanted[arguments].out, wanted[arguments].err), (soft, arguments))
            for arguments in of_processes:
                self.assertIn(run(*arguments, preexec_fn=limited(soft, self.hard)).status, (0, 1), (soft, arguments))

    def test_a_limit_that_cannot_be_raised_is_told(self):
        for limit in (24 * KIB, 32 * KIB, 64 * KIB, 128 * KIB, 192 * KIB, 256 * KIB):
            if not self.starts(limit, limit):
                continue
            for arguments in sum(self.commands(), ()):
                result = run(*arguments, preexec_fn=limited(limit, limit))
                self.assertIn(result.status, (0, 1, 2), (limit, arguments, result))
                if result.status == 2:
                    self.assertRegex(result.err, REFUSAL)
                    self.assertEqual(result.out, b"")
            if limit < 128 * KIB:
                self.assertRegex(run("list", self.path, preexec_fn=limited(limit, limit)).err, REFUSAL)

    def test_a_large_environment_counts(self):
        world().env["LARGE"] = "x" * 100000
        for limit in (128 * KIB, 192 * KIB):
            if self.starts(limit, limit):
                result = run("list", self.path, preexec_fn=limited(limit, limit))
                self.assertEqual(result.status, 2, result)
                self.assertRegex(result.err, REFUSAL)
        if self.starts(160 * KIB, self.hard):
            self.assertEqual(run("list", self.path, preexec_fn=limited(160 * KIB, self.hard)).status, 0)

    def test_16_kib(self):
        """Hardly enough to get as far as the command; where the stack begins in its page is
        left to chance."""
        tried = [run("list", self.path, preexec_fn=limited(16 * KIB, 16 * KIB)) for _ in range(20)]
        told = [result for result in tried if result.status >= 0]
        if not told:
            skip(self, "with a stack of 16 KiB the loader does not get as far as the command")
        for result in told:
            self.assertEqual(result.status, 2)
            self.assertRegex(result.err, REFUSAL)


if __name__ == "__main__":
    support.main()
