"""vmsnap export of live processes: PSS as the kernel counts it, also of those whose sharers are not exported; and who of
several was hooked."""

import os
import random
import sqlite3
import subprocess
import time
import unittest

import kernel
import support
from support import Target, ask, run, world
from test_group import Prefork, rollup


def shares(*words, **how):
    """{column: number} of each process in group_share, in the order of snapshots' keys."""
    text = run("export", "--format", "tsv", "--table", "group_share", *words, **how).out.decode()
    names, *rows = (line.split("\t") for line in text.splitlines())
    return [{name: None if cell == "\\N" else int(cell) if cell.isdigit() else cell for name, cell in zip(names, row)}
            for row in rows]


@support.unmoved
class Shares(unittest.TestCase):
    def test_pss_is_what_the_kernel_counts(self):
        """Of all, and of one alone, half of whose memory is some other's."""
        support.need_frames(self)
        target = Prefork(self, 3, 2, 20)
        if ask(self, "group", target.pid)["processes"][0]["pss"] is None:
            support.skip(self, "the kernel does not count how often frames are mapped")
        for pids in (target.pids, [target.pid], target.workers[:2]):
            wrong = None
            # Others come and go that map the same libraries, for a moment even: what is wrong is wrong each time.
            for _ in range(20):
                said = sorted(rollup(pid)["Pss"] for pid in pids)
                told = shares(*pids)
                self.assertEqual(([one["source"] for one in told], [one["members"] for one in told]),
                                 (["frames"] * len(pids), [len(pids)] * len(pids)))
                self.assertNotIn(None, [one["pss"] for one in told])
                wrong = [(pss, kernels) for pss, kernels in zip(sorted(one["pss"] for one in told), said)
                         if not kernels - 64 < pss < kernels + 1024 + 64]
                if not wrong:
                    break
            self.assertEqual(wrong, [])
            for one in told:
                self.assertLess(one["uss"], one["pss"])
                self.assertLess(one["pss"], one["rss"])

    def test_without_privilege_it_is_what_smaps_says(self):
        support.need_others(self)
        executable, words = support.copies_of_files(Target(self, "cow_demo", user=support.NOBODY), support.NOBODY)
        target = Target(self, "cow_demo", *words, user=support.NOBODY, executable=executable)
        [told] = shares(target.pid, user=support.NOBODY)
        said, mappings = rollup(target.pid)["Pss"], len(kernel.maps(target.pid))
        self.assertEqual((told["source"], told["members"], told["private_with_others"]), ("smaps", 1, None))
        # A kilobyte for each mapping, at the most.
        self.assertLessEqual(told["pss"], said + 1024)
        self.assertGreater(told["pss"], said - 1024 * (mappings + 1))

    def test_a_database_has_it_of_who_is_told_less_of(self):
        support.need_frames(self)
        target = Prefork(self, 2, 2, 20)
        path = os.path.join(world().home(os.geteuid()), "shares.db")
        for words in (("--strip", "host,pfns"), ()):
            self.assertEqual(run("export", "--format", "sqlite", "-o", path, *words, *target.pids).status, 0)
        with sqlite3.connect(path) as database:
            rows = database.execute("SELECT s.pid, g.members FROM group_share g JOIN snapshot s USING (snapshot)").fetchall()
        os.unlink(path)
        self.assertEqual(sorted(rows), sorted([(pid, 3) for pid in target.pids] * 2))


class Hooked(unittest.TestCase):
    ROUNDS = 50

    def sleeper(self):
        process = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        while not self.code(process.pid):
            time.sleep(0.001)
        return process

    @staticmethod
    def code(pid):
        """None while the kernel still executes it."""
        return next((one for one in kernel.maps(pid) if "x" in one.perms and one.name.startswith(b"/")), None)

    def hook(self, pid):
        """Writes to its code, as debuggers and hooks do: what is there already."""
        code = self.code(pid)
        with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(code.start)
            byte = memory.read(1)
            memory.seek(code.start)
            memory.write(byte)
        return os.fsdecode(code.name)

    def test_the_one_whose_code_was_written_to_is_found_each_time(self):
        support.need_others(self)
        chance, path = random.Random(7), os.path.join(world().home(os.geteuid()), "hooked.db")
        processes = [self.sleeper() for _ in range(5)]

        def found():
            self.assertEqual(run("export", "--format", "sqlite", "-o", path, *(one.pid for one in processes)).status, 0)
            with sqlite3.connect(path) as database:
                rows = database.execute("SELECT pid, name, private_bytes FROM privatised_text").fetchall()
            os.unlink(path)
            return rows

        self.assertEqual(found(), [])
        for _ in range(self.ROUNDS):
            one = chance.randrange(len(processes))
            name = self.hook(processes[one].pid)
            self.assertEqual(found(), [(processes[one].pid, name, 4096)])
            processes[one].kill()
            processes[one] = self.sleeper()


if __name__ == "__main__":
    support.main()
