"""vmsnap record --blame: page faults beside snapshots, and what series, report and copies tell of them."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

import blaming
import support
from blaming import Truth
from kernel import PAGE
from support import Target, each_user, skip, world
from test_blame import need_faults


class Recorded(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.chmod(self.folder, 0o777)
        self.file = os.path.join(self.folder, "f.vms")

    def tearDown(self):
        if os.path.exists(self.file):
            os.unlink(self.file)

    def when_begun(self, part):
        """The command runs from the begin on: it waits for the first snapshot, of before."""
        return f"until {world().vmsnap} list {self.file} >/dev/null 2>&1; do sleep 0.01; done; {part}"

    def record(self, target, *more, user=None):
        """From before what it does to after it: two instants, unless more are asked for."""
        argv, options = blaming.words(target)
        result = support.run("record", target.pid, "--blame", "--every", "1h", "-o", self.file, *more, "--", "sh", "-c",
                             self.when_begun(argv[-1]), user=user, **options)
        need_faults(self, result)
        return result

    def json(self, *words, user=None):
        result = support.run(*words, "--json", user=user)
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)

    @each_user
    def test_a_program_that_knows_agrees(self, user):
        self.tearDown()
        for seed in (1, 2):
            target = Target(self, "blame", seed, 300, user=user)
            self.record(target, "--tree", user=user)
            document, truth = self.json("blame", self.file, "--by", "page", user=user), Truth(target)
            sums = blaming.judge(document, truth)
            self.assertEqual(sums["wrong"], [], f"seed {seed}")
            if "memory" in document["watched"]:
                self.assertGreater(sums["right"], 0, f"seed {seed}")
            if "kinds" in document["watched"] and document["lost"] == 0:
                self.assertEqual(sums["untold"], [], f"seed {seed}")
            self.check_each(document, user)
            target.end()
            os.unlink(self.file)

    def check_each(self, document, user):
        """Whoever takes one process out of the file takes its faults along."""
        children = [process["after"]["pid"] for process in document["processes"]]
        self.assertGreater(len(children), 1)
        there = {process["after"]["pid"] for process in document["processes"]
                 if process["before"] and process["before"]["pid"] == process["after"]["pid"]}
        for pid in children:
            copy = os.path.join(self.folder, f"{pid}.vms")
            done = support.run("copy", f"{self.file}@pid:{pid}", "-o", copy, user=user)
            self.assertEqual(done.status, 0, done)
            alone = self.json("blame", copy, "--by", "page", user=user)
            rows = [row for row in document["rows"] if row["pid"] == pid]
            if pid in there:
                self.assertEqual(alone["rows"], rows)
                continue
            # Its parent's snapshot from before the fork is not there: nothing is told, and that it is not.
            self.assertFalse(alone["processes"][0]["known"])
            self.assertEqual((alone["bytes"]["new"], alone["unseen"]), (None, None))
            self.assertGreater(alone["faults"], 0)
            text = support.run("blame", copy, user=user).out.decode()
            self.assertIn("There is no snapshot from before: what became of the pages is not known.", text)
            self.assertNotIn("COPIED", text)

    def test_series_and_report_tell_of_each_step(self):
        target = Target(self, "blame", "armed")
        self.record(target)
        start, end = target.ranges["armed"]
        steps = self.json("series", self.file)["snapshots"]
        self.assertEqual(len(steps), 2)
        self.assertIsNone(steps[0]["blame"])
        blame = self.json("blame", self.file)
        self.assertEqual(steps[1]["blame"]["faults"], blame["faults"])
        self.assertEqual(steps[1]["blame"]["new"], sum(blame["bytes"][name] for name in ("new", "filled", "replaced")))
        self.assertEqual([row["function"] for row in steps[1]["blame"]["functions"]],
                         [row["function"] for row in blame["rows"]
                          if row["known"] == "seen" and row["copied"] + row["new"] + row["written"]])
        table = support.run("series", self.file, "-w", "200").out.decode()
        self.assertIn("FAULTS", table)
        self.assertGreater(end, start)
        page = os.path.join(self.folder, "page.html")
        done = support.run("report", self.file, "-o", page)
        self.assertEqual(done.status, 0, done)
        target.end()

    def test_a_command_is_told_of_from_its_begin(self):
        done = support.run("record", "--blame", "--every", "1h", "-o", self.file, "--on", "exit", "--", "sh", "-c",
                           "exit 0")
        if "does not let page faults be watched" in done.err:
            skip(self, "the kernel does not let page faults be watched")
        self.assertEqual(done.status, 0, done)
        steps = self.json("series", self.file)["snapshots"]
        self.assertGreater(sum(step["blame"]["faults"] for step in steps), 10)
        self.assertGreater(steps[-1]["blame"]["new"] + steps[0]["blame"]["new"], 0)

    def test_a_new_file_begins_with_what_is_not_known(self):
        target = Target(self, "blame", "flood", 20)
        name = os.path.join(self.folder, "ring.vms")
        argv, options = blaming.words(target)
        begun = f"until ls {self.folder}/ring-* >/dev/null 2>&1; do sleep 0.01; done; sleep 0.2"
        words = ["record", target.pid, "--blame", "--every", "50ms", "--rotate", "1s", "-o", name, "--", "sh", "-c",
                 f"{begun}; {argv[-1]}; sleep 1.5"]
        need_faults(self, support.run(*words, **options))
        files = sorted(file for file in os.listdir(self.folder) if file.startswith("ring-"))
        self.assertGreater(len(files), 1)
        first = self.json("blame", os.path.join(self.folder, files[-1]) + "@1")
        self.assertEqual((first["bytes"]["new"], first["processes"][0]["known"]), (None, False))
        seen = sum(step["blame"]["faults"] for file in files
                   for step in self.json("series", os.path.join(self.folder, file))["snapshots"] if step["blame"])
        lost = [step["blame"]["lost"] for file in files
                for step in self.json("series", os.path.join(self.folder, file))["snapshots"] if step["blame"]]
        if None not in lost:
            self.assertGreaterEqual(seen + sum(lost), 20 * 1024)
        target.end()

    def test_what_finds_no_room_is_counted(self):
        target = Target(self, "blame", "flood", 200)
        argv, options = blaming.words(target)
        part = self.when_begun(f"kill -STOP $PPID; {argv[-1]}; kill -CONT $PPID")
        watcher = subprocess.Popen([world().vmsnap, "record", str(target.pid), "--blame", "--every", "1h", "-o",
                                    self.file, "--", "sh", "-c", part], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=world().env, **options)
        out, err = watcher.communicate(timeout=120 * support.SLOWNESS)
        need_faults(self, support.Result(subprocess.CompletedProcess(argv, watcher.returncode, out, err)))
        document = self.json("blame", self.file)
        if "kinds" in document["watched"]:
            self.assertIsNotNone(document["lost"])
        self.assertGreater(document["lost"] or 1, 0)
        step = self.json("series", self.file)["snapshots"][-1]["blame"]
        self.assertEqual(step["lost"], document["lost"])
        self.assertIn(b"lost", err)
        target.end()

    def test_killed_at_any_moment_it_leaves_a_whole_file_and_nobody_stopped(self):
        for delay in (0, 0.003, 0.01, 0.03, 0.1, 0.2):
            target = Target(self, "blame", "flood", 5)
            file = os.path.join(self.folder, f"killed-{delay}.vms")
            watcher = subprocess.Popen([world().vmsnap, "record", str(target.pid), "--tree", "--blame", "--on", "fork",
                                        "--every", "10ms", "-o", file], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env=world().env)
            time.sleep(delay)
            watcher.send_signal(signal.SIGKILL)
            watcher.communicate()
            target.tell("go")
            target.end()
            if os.path.exists(file):
                done = support.run("check", file)
                self.assertIn(done.status, (0, 1, 2), done)
                self.assertEqual(done.err.count("damaged"), 0, done)

    def test_words(self):
        result = support.run("record", "1", "--blame", "--track", "--for", "1s")
        self.assertEqual((result.status, "with --blame say where" in result.err), (2, True), result)


if __name__ == "__main__":
    unittest.main()
