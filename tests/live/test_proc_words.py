"""The words that name processes: several numbers, --match, --cgroup; all at one instant."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from support import Target, main, run, skip, world

ROOTS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/freezer", "/sys/fs/cgroup/systemd")


class ProcWords(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = os.path.join(self.folder, "a.vms")

    def sleeper(self, name):
        """A copy of sleep(1) of that name."""
        path = os.path.join(self.folder, name)
        if not os.path.exists(path):
            shutil.copy(shutil.which("sleep"), path)
        process = subprocess.Popen([path, "600"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while os.readlink(f"/proc/{process.pid}/exe") != path:
            pass
        return process

    def captured(self, *words):
        result = run("capture", *words, "-o", self.file)
        self.assertEqual(result.status, 0, result)
        snaps = json.loads(run("list", self.file, "--json").out)["snapshots"]
        self.assertTrue(all(snap["instant"] for snap in snaps))
        self.assertEqual(len({snap["monotonic"] for snap in snaps}), 1)
        return sorted(snap["pid"] for snap in snaps)

    def refused(self, *words, said):
        result = run(*words)
        self.assertEqual(result.status, 2, result)
        self.assertIn(said, result.err)

    def test_match_is_the_whole_name_of_all_that_have_it(self):
        name = f"q{os.getpid()}"
        two = [self.sleeper(name), self.sleeper(name)]
        self.sleeper(name + "x")
        self.assertEqual(self.captured("--match", name), sorted(each.pid for each in two))
        # By the file's name, where the kernel has but 15 bytes of it; and each but once.
        long = self.sleeper(f"a-name-that-comm-cuts-{os.getpid()}")
        self.assertEqual(self.captured("--match", f"a-name-that-comm-cuts-{os.getpid()}", long.pid), [long.pid])

    def test_match_finds_what_renamed_itself_and_what_was_deleted(self):
        name = f"d{os.getpid()}"
        gone = self.sleeper(name)
        os.unlink(os.path.join(self.folder, name))
        self.assertEqual(self.captured("--match", name), [gone.pid])

    def test_words_that_find_nothing_say_so(self):
        self.refused("capture", said="--match NAME, or --cgroup PATH")
        self.refused("capture", "--match", "no-such-name", "-o", self.file, said="no process is called 'no-such-name'")
        self.refused("capture", "--match", "vmsnap-itself-not", said="no process is called")
        self.refused("capture", "--cgroup", "/no/such/group", said="there is no control group '/no/such/group'")
        self.refused("capture", "--cgroup", self.folder, said="there is no control group")
        self.refused("capture", "--cgroup", "", said="there is no control group")
        self.assertFalse(os.path.exists(self.file))

    def test_it_never_means_itself(self):
        name = f"v{os.getpid()}"
        link = os.path.join(self.folder, name)
        os.symlink(os.path.realpath(shutil.which(world().vmsnap)), link)
        done = subprocess.run([link, "capture", "--match", name, "-o", self.file], stderr=subprocess.PIPE, env=world().env,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"no process is called '{name}'", done.stderr.decode())

    def group(self):
        """A new control group, as a folder and as its path below the root of its hierarchy."""
        for root in ROOTS:
            path = os.path.join(root, f"vmsnap-test-{os.getpid()}")
            if not os.path.exists(os.path.join(root, "cgroup.procs")):
                continue
            try:
                os.mkdir(path)
            except OSError:
                continue
            self.addCleanup(os.rmdir, path)
            return path, path[len(root):]
        return skip(self, "no control group can be made here")

    def join(self, group, target):
        with open(os.path.join(group, "cgroup.procs"), "w") as procs:
            procs.write(str(target.pid))

    def test_a_group_and_those_below_it(self):
        folder, path = self.group()
        below = os.path.join(folder, "below")
        os.mkdir(below)
        self.addCleanup(os.rmdir, below)
        self.refused("capture", "--cgroup", folder, said="no process is in")
        targets = [Target(self, "writes"), Target(self, "writes")]
        self.addCleanup(lambda: [target.end() for target in targets])
        self.join(folder, targets[0])
        self.join(below, targets[1])
        pids = sorted(target.pid for target in targets)
        for word in (folder, path, path[1:]):
            self.assertEqual(self.captured("--cgroup", word), pids)
        self.assertEqual(self.captured("--cgroup", path + "/below"), [targets[1].pid])
        self.assertEqual(self.captured("--cgroup", path + "/below", "--cgroup", path, targets[0].pid), pids)


if __name__ == "__main__":
    main()
