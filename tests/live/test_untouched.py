"""A snapshot looks but does not touch; and a vmsnap that is killed leaves nothing."""

import os
import random
import subprocess
import tempfile
import time
import unittest

import kernel
import support
from support import Target, become, each_user, process_is, run, skip, world


def appearance(pid):
    """All that can be seen of a process's memory from outside."""
    vmas = kernel.maps(pid)
    found = kernel.entries(pid, [(vma.start, vma.end) for vma in vmas])
    status = kernel.status(pid)
    faults = kernel.read(f"/proc/{pid}/stat").rpartition(b") ")[2].split()
    return {"maps": vmas, "pagemap": found,
            "smaps": [(start, end, {key: size for key, size in keys.items() if key not in ("Referenced", "Pss", "Pss_Dirty")
                                    and not key.startswith(("Shared_", "Private_"))})
                      for start, end, keys in kernel.smaps(pid)],
            "status": {key: value for key, value in status.items()
                       if key.startswith(("Vm", "Rss", "Hugetlb", "Threads", "SigPnd", "SigBlk", "ShdPnd", "State", "Tracer"))},
            "faults": {"minor": faults[7], "major": faults[9]}}


class Untouched(unittest.TestCase):
    maxDiff = 3000

    def check(self, *argv, user, options=()):
        target = Target(self, *argv, user=user)
        before = appearance(target.pid)
        handle, path = tempfile.mkstemp(suffix=".vms", dir=world().home(user))
        os.close(handle)
        os.unlink(path)
        for arguments in (("capture", target.pid, "-o", path, *options), ("show", target.pid), ("pages", target.pid),
                          ("map", target.pid), ("status", target.pid),
                          ("page", target.pid, f"{before['maps'][0].start:x}"), ("diff", path, target.pid)):
            result = run(*arguments, user=user)
            self.assertIn(result.status, (0, 1), (arguments, result))
            self.assertTrue(process_is(target.pid, "S"))
            after = appearance(target.pid)
            for key, value in before.items():
                if value != after[key]:
                    old, new = (dict(enumerate(x)) if isinstance(x, list) else x for x in (value, after[key]))
                    changed = [(at, old.get(at), new.get(at)) for at in sorted(old.keys() | new.keys())
                               if old.get(at) != new.get(at)][:3]
                    self.fail(f"{arguments[0]} changed {key}: {changed}")
        target.end()

    KINDS = ("anonymous", "zero", "thp", "huge_zero", "guard", "memfd", "sysv", "file", "prot_none", "uffd_wp")

    @each_user
    def test_no_page_appears_or_changes(self, user):
        self.check("pages", *self.KINDS, user=user)
        self.check("pages", *self.KINDS, user=user, options=("--smaps",))
        self.check("pages", *self.KINDS, user=user, options=("--no-freeze",))

    @each_user
    def test_arguments_that_are_swapped_out_stay_there(self, user):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        target = Target(self, "processes", "argument", "a" * 40000, user=user)
        area = target.ranges["argument"]
        slots = [entry for entry in kernel.entries(target.pid, [area]).values() if entry & kernel.SWAPPED]
        if len(slots) < 4:
            skip(self, "the arguments could not be swapped out")
        target.end()
        self.check("processes", "argument", "a" * 40000, user=user)

    @each_user
    def test_swapped_pages_stay_there(self, user):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        self.check("pages", "swap", "uffd_wp_swap", user=user)


class Killed(unittest.TestCase):
    @each_user
    def test_killed_at_any_moment_the_target_runs_on_and_nothing_is_left(self, user):
        self.check(user)

    def check(self, user):
        target = Target(self, "big", "touched", "512", user=user)
        threads = Target(self, "processes", "threads", "3", user=user)
        folder = tempfile.mkdtemp(dir=world().home(user))
        if support.ROOT:
            os.chown(folder, user, user)
        path = os.path.join(folder, "out")
        begun = time.monotonic()
        self.assertEqual(run("capture", target.pid, "-o", path, user=user).status, 0)
        whole = time.monotonic() - begun
        os.unlink(path)
        chance, held, finished = random.Random(1), 0, 0
        for n in range(120):
            victim = target if n % 3 else threads
            command = subprocess.Popen([world().vmsnap, "capture", str(victim.pid), "-o", path], env=world().env,
                                       stderr=subprocess.DEVNULL, **become(user))
            time.sleep(chance.random() * whole)
            held += kernel.state(victim.pid) == "t"
            command.kill()
            finished += command.wait() == 0
            self.assertTrue(process_is(victim.pid, "SR"), f"the target is left {kernel.state(victim.pid)}")
            for task in os.listdir(f"/proc/{target.pid}/task"):
                self.assertEqual(kernel.status(f"{target.pid}/task/{task}")["TracerPid"], b"0")
            self.assert_no_litter(folder, path, user)
        self.assertGreater(held, 3, "the target was never seen frozen: the test is too slow or too quick")
        self.assertLess(finished, 100)
        target.tell("still there?")

    def assert_no_litter(self, folder, path, user):
        """Nothing but a whole snapshot file; the next capture clears what a killed one left."""
        names = os.listdir(folder)
        if names:
            self.assertEqual(names, ["out"])
            self.assertEqual(run("check", path).status, 0)
            os.unlink(path)


if __name__ == "__main__":
    support.main()
