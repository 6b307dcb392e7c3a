"""Files that grow, snapshots as differences, and copies of them, in Python."""

import os
import subprocess
import tempfile
import time
import unittest

from module import main

import vmsnap


class Series(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "a.vms")
        self.out = os.path.join(folder.name, "b.vms")
        self.process = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        # While its libraries are still being mapped, one differs from the next in nearly everything.
        for _ in range(1000):
            with open(f"/proc/{self.process.pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "S":
                    break
            time.sleep(0.01)
        self.shots = [vmsnap.capture(self.process.pid, label=f"n{number}") for number in range(4)]

    def runs(self, snapshot):
        return [(run.start, run.end, run.flags, run.pfn) for run in snapshot.runs()]

    def assert_same(self, path, shots):
        walked = [snapshot for _, snapshot in vmsnap.open(path).walk()]
        self.assertEqual([shot.label for shot in walked], [shot.label for shot in shots])
        for found in (walked, vmsnap.load(path), list(vmsnap.open(path))):
            self.assertEqual([self.runs(one) for one in found], [self.runs(one) for one in shots])

    def test_writer(self):
        with vmsnap.Writer(self.path) as writer:
            for number, shot in enumerate(self.shots):
                writer.add(shot)
                self.assertEqual(writer.bytes, os.path.getsize(self.path))
                self.assert_same(self.path, self.shots[: number + 1])
        with vmsnap.Writer(self.path, append=True, delta=False, sync=True) as writer:
            writer.add([self.shots[0]])
        self.assert_same(self.path, [*self.shots, self.shots[0]])

    def test_differences_are_smaller(self):
        vmsnap.save(self.path, self.shots)
        vmsnap.save(self.out, self.shots, delta=True)
        self.assertLess(os.path.getsize(self.out) * 4, os.path.getsize(self.path) * 3)
        self.assert_same(self.out, self.shots)

    def test_walk_over_some_and_behind_what_is_damaged(self):
        vmsnap.save(self.path, self.shots)
        file = vmsnap.open(self.path)
        self.assertEqual([(number, shot.label) for number, shot in file.walk(1, 2)], [(1, "n1"), (2, "n2")])
        with self.assertRaises(vmsnap.VmsnapError):
            file.walk(3, 2)
        with open(self.path, "r+b") as data:
            data.seek(data.read().index(b"SNAP", 1000) + 40)
            data.write(b"xx")
        walk = vmsnap.open(self.path).walk()
        labels, failed = [], 0
        while True:
            try:
                labels.append(next(walk)[1].label)
            except StopIteration:
                break
            except vmsnap.VmsnapError:
                failed += 1
        self.assertEqual((labels, failed), (["n0", "n2", "n3"], 1))

    def test_copy(self):
        vmsnap.save(self.path, self.shots)
        file = vmsnap.open(self.path)
        self.assertEqual(vmsnap.copy(self.out, file, (file, range(1, 3)), delta=True), (6, 0))
        self.assert_same(self.out, [*self.shots, *self.shots[1:3]])
        self.assertEqual(vmsnap.copy(self.out, file, strip=("cmdline", "pfns")), (4, 0))
        self.assertEqual({shot.info.cmdline_len for shot in vmsnap.load(self.out)}, {0})
        self.assertFalse(any(shot.info.known.pfn for shot in vmsnap.load(self.out)))
        days = len({shot.info.taken // (86400 * 10**9) for shot in self.shots})
        self.assertEqual(vmsnap.copy(self.out, file, interval=86400), (days, 4 - days))
        with self.assertRaises(ValueError):
            vmsnap.copy(self.out, file, strip=("all",))
        with self.assertRaises(ValueError):
            vmsnap.copy(self.out, (file, range(0, 4, 2)))

    def test_copy_of_one_process(self):
        with subprocess.Popen(["sleep", "1000"]) as second:
            another = vmsnap.capture(second.pid)
            second.kill()
        vmsnap.save(self.path, [*self.shots, another])
        file, one, other = vmsnap.open(self.path), self.process.pid, second.pid
        self.assertEqual(vmsnap.copy(self.out, file, pids=(one,)), (4, 0))
        self.assertEqual({shot.pid for shot in vmsnap.load(self.out)}, {one})
        self.assertEqual(vmsnap.copy(self.out, file, file, pids=(None, other)), (6, 0))
        self.assertEqual([shot.pid for shot in vmsnap.load(self.out)], [one] * 4 + [other] * 2)
        with self.assertRaises(ValueError):
            vmsnap.copy(self.out, file, pids=(one, other))

    def test_copy_behind_what_is_damaged(self):
        vmsnap.save(self.path, self.shots)
        with open(self.path, "r+b") as data:
            data.seek(data.read().index(b"SNAP", 1000) + 40)
            data.write(b"xx")
        file, found = vmsnap.open(self.path), []
        with self.assertRaises(vmsnap.VmsnapError):
            vmsnap.copy(self.out, file)
        written = vmsnap.copy(self.out, file, unreadable=lambda *what: found.append(what))
        self.assertEqual(written, (3, 0))
        self.assertEqual([(what[0] is file, what[1], what[2].code) for what in found], [(True, 1, -13)])
        self.assertEqual([shot.label for shot in vmsnap.load(self.out)], ["n0", "n2", "n3"])

    def test_stripped(self):
        bare = self.shots[0].stripped("cmdline", "host", "pfns", "names", "contents")
        self.assertEqual((bare.info.cmdline_len, bare.info.host), (0, b""))
        self.assertEqual({run.pfn for run in bare.runs()}, {0})
        self.assertNotEqual(self.shots[0].info.cmdline_len, 0)


if __name__ == "__main__":
    main()
