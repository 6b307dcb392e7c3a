"""For the tests about rights: running with a few capabilities, folders of several users."""

import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import kernel
import support
from support import ROOT, VMSNAP, skip, world

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.dirname(os.path.abspath(VMSNAP))
STRANGER = 1  # neither root nor nobody
PTRACE, ADMIN, READ = "sys_ptrace", "sys_admin", "dac_read_search"
ALL_NEEDED = (PTRACE, ADMIN, READ)


def cache():
    """What the build was configured with."""
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        return dict(re.findall(r"(?m)^([\w-]+):\w+=(.*)$", file.read()))


def as_user(user, capabilities=()):
    """The words before a command that make it run as this user, with just these."""
    some = "".join(f",+{name}" for name in capabilities)
    if user == 0:
        return ["setpriv", "--inh-caps=-all", f"--bounding-set=-all{some}"]
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", f"--bounding-set=-all{some}",
            f"--inh-caps=-all{some}", f"--ambient-caps=-all{some}"]


def call(*argv, input=None, timeout=60, env=None, **options):
    done = subprocess.run([str(word) for word in argv], input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, env={**world().env, **(env or {})}, check=False,
                          **({} if input is not None else {"stdin": subprocess.DEVNULL}), **options)
    return support.Result(done)


class Case(unittest.TestCase):
    def need_root(self, *tools):
        if not ROOT:
            skip(self, "not root: cannot become other users")
        for tool in ("setpriv", *tools):
            if not shutil.which(tool):
                skip(self, f"{tool} is not installed")

    def folder(self, mode=0o755, owner=None):
        """A folder that everybody can reach."""
        path = tempfile.mkdtemp(dir=world().folder)
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        if owner:
            os.chown(path, owner, owner)
        os.chmod(path, mode)
        return path

    def sleeper(self, user):
        """A process of the user that sleeps, and is dumpable: it was executed as that user."""
        process = subprocess.Popen([*as_user(user), "sleep", "600"] if user else ["sleep", "600"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.until(lambda: kernel.read(f"/proc/{process.pid}/comm") == b"sleep\n" and
                   os.stat(f"/proc/{process.pid}/environ").st_uid == user, "the process never slept")
        return process.pid

    def until(self, condition, otherwise, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, otherwise)
            time.sleep(0.005)
