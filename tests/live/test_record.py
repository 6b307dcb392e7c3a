"""vmsnap record --track: what a program that knows it wrote, as the command tells it, and how it ends."""

import json
import os
import signal
import subprocess
import time
import unittest

import kernel
from kernel import PAGE
from support import Target, become, each_user, main, run, skip, world


def traces(pid):
    smaps = kernel.read(f"/proc/{pid}/smaps").splitlines()
    return sum(line.startswith(b"VmFlags:") and b" uw" in line for line in smaps), len(kernel.maps(pid))


class Record(unittest.TestCase):
    how, by = "uffd", "uffd"

    def start(self, target, user, *options):
        argv = [world().vmsnap, "record", f"--track={self.how}", "--json", *map(str, options), str(target.pid)]
        process = subprocess.Popen(argv, env=world().env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=world().home(user), **become(user))
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def round(self, process):
        line = process.stdout.readline()
        if not line:
            skip(self, f"record --track={self.how}: {process.stderr.read().decode().strip()}")
        return json.loads(line)

    def until(self, process, enough):
        """The rounds up to when they are enough: on a slow machine some of them lie in the pipe already."""
        rounds = []
        for _ in range(3000):
            rounds.append(self.round(process))
            if enough(rounds):
                return rounds
        raise AssertionError("no round tells it")

    @staticmethod
    def pages(rounds, target, name):
        start, end = target.ranges[name]
        return sum(row["pages"] for each in rounds for row in each["mappings"]
                   if int(row["start"], 16) <= start < int(row["end"], 16) and row["written"])

    @each_user
    def test_rounds_tell_what_was_written(self, user):
        target = Target(self, "writes", user=user)
        target.tell("write anon 0 64")
        before = traces(target.pid)
        process = self.start(target, user, "--every", "50ms")
        first = self.round(process)
        self.assertEqual((first["schema"], first["pid"], first["by"]), ("vmsnap.written/1", target.pid, self.by))
        target.tell("write anon 10 17")
        rounds = self.until(process, lambda rounds: self.pages(rounds, target, "anon") >= 7)
        self.assertEqual(self.pages(rounds, target, "anon"), 7)
        for each in rounds:
            self.assertEqual(sum(row["written"] for row in each["mappings"]), each["written"])
            self.assertEqual(each["written"], each["pages"] * PAGE)
            self.assertGreater(each["duration_us"], 0)
        quiet = self.round(process)
        self.assertEqual(self.pages([quiet], target, "anon"), 0)
        self.assertEqual(traces(target.pid)[0] > 0, self.how == "uffd")
        process.send_signal(signal.SIGINT)
        self.assertEqual((process.wait(), process.stderr.read()), (0, b""))
        self.assertEqual(traces(target.pid), before)
        target.tell("write anon 0 64")

    def test_it_ends_with_the_process_and_with_another_program(self):
        target = Target(self, "writes")
        process = self.start(target, os.geteuid(), "--every", "20ms")
        self.round(process)
        target.tell("exec")
        self.assertEqual(process.wait(), 2)
        self.assertIn(b"another program", process.stderr.read())
        process = self.start(target, os.geteuid(), "--every", "20ms")
        self.round(process)
        target.end()
        self.assertEqual(process.wait(), 0)

    def test_it_ends_after_its_time_and_names_what_was_written(self):
        target = Target(self, "writes")
        result = run("record", f"--track={self.how}", "--every=20ms", "--for=0.1", target.pid)
        if result.status:
            skip(self, f"record --track={self.how}: {result.err.strip()}")
        self.assertIn(b"nothing written in ", result.out)
        process = self.start(target, os.geteuid(), "--every=50ms")
        self.round(process)
        target.tell("write data 0 64")
        self.until(process, lambda rounds: any("data" in row["names"] for row in rounds[-1]["mappings"]))


class RecordBySoftDirty(Record):
    how, by = "soft-dirty", "soft_dirty"


class Words(unittest.TestCase):
    def test_words_that_cannot_be(self):
        for words, said in ((("record", "--track=x", "1"), "soft-dirty or uffd"),
                            (("record", "--track", "--every=0", "1"), "--every"),
                            (("record", "--track", "--for=2x", "1"), "--for"),
                            (("record", "--track", "/nowhere"), "/nowhere"),
                            (("capture", "--track=uffd", "1"), "vmsnap record --track=uffd"),
                            (("capture", "--track", "--tree", "1"), "one process")):
            result = run(*words)
            self.assertEqual(result.status, 2, words)
            self.assertIn(said, result.err, words)

    def test_track_alone_takes_soft_dirty_or_names_the_other_way(self):
        target = Target(self, "writes")
        target.tell("write anon 0 64")
        path = os.path.join(world().home(os.geteuid()), f"track-{os.getpid()}-{time.monotonic_ns()}.vms")
        result = run("capture", "--track", "-o", path, target.pid)
        if "--track=uffd" in result.err:
            self.assertEqual(result.status, 2)
            skip(self, "this kernel has no soft-dirty bits")
        self.addCleanup(os.unlink, path)
        self.assertEqual(result.status, 0, result)
        self.assertIn("from now on", result.err)
        target.tell("write anon 10 17")
        result = run("capture", "--track", "--append", "-o", path, target.pid)
        self.assertEqual((result.status, "from now on" in result.err), (0, False), result)
        start, end = target.ranges["anon"]
        told = json.loads(run("pages", path, f"{start:x}-{end:x}", "--json").out)
        self.assertEqual(told["known"]["written"], "soft_dirty")
        # A run ends where frames do not follow one another.
        written = [(int(row["start"], 16) - start) // PAGE + i for row in told["runs"] if row["written"] == "yes"
                   for i in range(row["pages"])]
        self.assertEqual(written, [*range(10, 17)])


if __name__ == "__main__":
    main()
