"""vmsnap record into a file: when snapshots are taken, of whom, and how it ends."""

import json
import os
import random
import re
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import unittest

import kernel
from kernel import PAGE
from played_terminal import PlayedTerminal
from support import SLOWNESS, Target, each_user, main, mount_tmpfs, need_frames, run, world, become, me


def tracer(pid):
    return int(kernel.status(pid)["TracerPid"])


class RecordFile(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="record-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = os.path.join(self.folder, "a.vms")

    def start(self, *words, user=None, **options):
        user = me() if user is None else user
        process = subprocess.Popen([world().vmsnap, "record", *map(str, words)], env=world().env,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=self.folder, **become(user), **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def record(self, *words, status=0, **options):
        result = run("record", *words, cwd=self.folder, **options)
        self.assertEqual(result.status, status, result)
        return result.err

    def listed(self, path=None):
        return json.loads(run("list", path or self.file, "--json").out or '{"snapshots": []}')["snapshots"]

    def wait_for(self, enough, path=None):
        """The snapshots in the file, as soon as they are enough."""
        for _ in range(3000 * SLOWNESS):
            if os.path.exists(path or self.file):
                snaps = self.listed(path)
                if enough(snaps):
                    return snaps
            time.sleep(0.01)
        raise AssertionError(f"not in time: {[(s['pid'], s['label'], s['reason']) for s in self.listed(path)]}")

    def end(self, process, status=0, number=signal.SIGINT):
        process.send_signal(number)
        self.assertEqual(process.wait(), status)
        return process.stderr.read().decode()

    def whole(self, path=None):
        self.assertEqual(run("check", path or self.file).status, 0)

    # ---- at intervals ----

    @each_user
    def test_a_process_at_intervals(self, user):
        os.chmod(self.folder, 0o777)
        target = Target(self, "writes", user=user)
        path = os.path.join(self.folder, f"{user}.vms")
        process = self.start("--every", "20ms", "-o", path, target.pid, user=user)
        snaps = self.wait_for(lambda snaps: len(snaps) >= 5, path)
        # It can be read at any moment.
        self.whole(path)
        told = self.end(process)
        self.assertEqual({snap["pid"] for snap in snaps}, {target.pid})
        self.assertTrue(all(snap["instant"] for snap in snaps))
        times = [snap["monotonic"] for snap in snaps]
        self.assertEqual(times, sorted(set(times)))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertRegex(told, r"a?.vms: \d+ snapshots in [\d.]+ s, ")
        self.assertIn("vmsnap: resident ", told)
        self.assertRegex(told, r"paused \d+ times: half of them up to [\d.]+ ms, 95 of 100 up to [\d.]+ ms, the "
                               r"longest [\d.]+ ms")
        self.whole(path)

    def test_the_usual_file_and_its_end_after_a_time(self):
        target = Target(self, "writes")
        self.record("--every=50ms", "--for=0.2", "-q", target.pid)
        self.assertGreaterEqual(len(self.listed(os.path.join(self.folder, f"vmsnap-{target.pid}.vms"))), 2)

    def test_pages_are_those_of_their_time(self):
        target = Target(self, "writes")
        target.tell("write anon 0 8")
        process = self.start("--every", "20ms", "-o", self.file, target.pid)
        self.wait_for(lambda snaps: len(snaps) >= 2)
        target.tell("write anon 8 20")
        now = time.monotonic_ns()
        snaps = self.wait_for(lambda snaps: snaps[-1]["monotonic"] > now)
        self.end(process)
        start, end = target.ranges["anon"]
        counts = []
        for index in (1, len(snaps)):
            told = json.loads(run("pages", f"{self.file}@{index}", f"{start:x}-{end:x}", "--json").out)
            counts.append(sum(row["pages"] for row in told["runs"]))
        self.assertEqual(counts, [8, 20])

    def test_several_and_those_that_end(self):
        targets = [Target(self, "writes"), Target(self, "writes")]
        process = self.start("--every", "20ms", "-o", self.file, *(target.pid for target in targets))
        both = {target.pid for target in targets}
        snaps = self.wait_for(lambda snaps: len(snaps) >= 4)
        self.assertEqual({snap["pid"] for snap in snaps[:2]}, both)
        self.assertEqual(snaps[0]["monotonic"], snaps[1]["monotonic"])
        targets[0].end()
        count = len(self.listed())
        snaps = self.wait_for(lambda snaps: len(snaps) >= count + 4)
        self.assertEqual({snap["pid"] for snap in snaps[-2:]}, {targets[1].pid})
        targets[1].end()
        told = process.stderr.read().decode()
        self.assertEqual(process.wait(), 0, told)
        # What they share is in it twice.
        self.assertIn("vmsnap: sum of RSS ", told)
        self.assertNotIn("vmsnap: resident ", told)
        self.whole()

    def test_by_name_those_too_that_come(self):
        name = f"r{os.getpid()}"
        path = shutil.copy(os.path.join(world().targets, "writes"), os.path.join(self.folder, name))
        first = Target(self, name, executable=path)
        process = self.start("--every", "20ms", "-o", self.file, "--match", name)
        self.wait_for(lambda snaps: len(snaps) >= 2)
        second = Target(self, name, executable=path)
        snaps = self.wait_for(lambda snaps: snaps[-1]["pid"] == second.pid)
        self.assertEqual(snaps[-1]["monotonic"], snaps[-2]["monotonic"])
        self.assertEqual(snaps[-2]["pid"], first.pid)
        self.end(process)

    def test_hashes_and_contents(self):
        target = Target(self, "writes")
        target.tell("write anon 0 64")
        for option, kind in (("--hash", "hashes"), ("--contents", "bytes")):
            self.record(option, "--every=50ms", "--for=0.2", "-o", self.file, target.pid)
            for index in (1, -1):
                told = json.loads(run("show", f"{self.file}@{index}", "--json").out)
                self.assertEqual(told["snapshot"]["contents"], kind)
            self.whole()

    def test_after_a_long_pause_one_is_skipped(self):
        target = Target(self, "big", "touched", 64)
        # To read its contents takes tens of milliseconds on any machine; the third comes after one that was skipped.
        process = self.start("--contents", "--max-pause=1ms", "--every=20ms", "-o", self.file, target.pid)
        self.wait_for(lambda snaps: len(snaps) >= 3)
        self.assertRegex(self.end(process), r"snapshots? skipped after pauses that were too long")

    # ---- with a command ----

    def test_a_command_is_started_and_its_status_passed_on(self):
        self.record("-q", "-o", self.file, "--", "sh", "-c", "exit 7", status=7)
        self.record("-q", "-o", self.file, "--", "sh", "-c", "kill -9 $$", status=137)
        told = self.record("-o", self.file, "--", "/no/such/program", status=127)
        self.assertIn("cannot execute /no/such/program: No such file or directory", told)
        self.record("-o", self.file, "--", "/", status=126)
        self.record("--every=20ms", "-o", self.file, "--", "sleep", "0.3")
        snaps = self.listed()
        self.assertEqual(len({snap["pid"] for snap in snaps}), 1)
        self.assertEqual(snaps[-1]["comm"], "sleep")

    def test_a_command_says_how_long_another_process_is_recorded(self):
        target = Target(self, "writes")
        self.record("-q", "--every=1h", "-o", self.file, target.pid, "--", "sh", "-c", "exit 5", status=5)
        # At its beginning and at its end.
        self.assertEqual([snap["pid"] for snap in self.listed()], [target.pid] * 2)
        self.assertIsNone(target.process.poll())

    def test_a_command_outlives_neither_ctrl_c_nor_the_time(self):
        target = Target(self, "writes")
        for words in ((), (target.pid,)):
            process = self.start("-q", "--for=0.2", "-o", self.file, *words, "--", "sleep", "600")
            self.assertEqual(process.wait(), 128 + signal.SIGTERM)
        os.unlink(self.file)
        process = self.start("-q", "-o", self.file, "--", "sleep", "600")
        self.wait_for(len)
        self.end(process, status=128 + signal.SIGTERM)

    def test_a_second_ctrl_c_does_not_wait(self):
        process = self.start("-o", self.file, "--", "sh", "-c", "trap : TERM INT; while :; do sleep 1; done")
        self.wait_for(lambda snaps: snaps and snaps[-1]["comm"] == "sh")
        child = int(kernel.read(f"/proc/{process.pid}/task/{process.pid}/children").split()[0])
        self.addCleanup(os.kill, child, signal.SIGKILL)
        process.send_signal(signal.SIGINT)
        self.assertIn(b"snapshot", process.stderr.readline())
        time.sleep(0.05)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), -signal.SIGINT)
        self.whole()

    # ---- events ----

    def test_a_fork_has_both_sides_and_what_was_before(self):
        target = Target(self, "tree")
        process = self.start("--on=fork", "--every=1h", "-o", self.file, target.pid)
        self.wait_for(len)
        target.tell("fork")
        worker = int(target.lines[-1].split()[1])
        snaps = self.wait_for(lambda snaps: len(snaps) == 3)
        told = self.end(process)
        self.assertEqual([(snap["pid"], snap["label"]) for snap in snaps],
                         [(target.pid, None), (target.pid, "fork-1"), (worker, "fork-1")])
        self.assertEqual(snaps[1]["reason"], f"fork of {target.pid}: child {worker}")
        # What each costs is what the list is for: why it was taken yields to it.
        header = run("list", "-w", "80", self.file).out.decode().split("\n")[0].split()
        self.assertEqual(header[:5], ["N", "TIME", "PID", "RSS", "SIZE"])
        self.assertEqual(snaps[1]["monotonic"], snaps[2]["monotonic"])
        self.assertEqual({snap["freeze"] for snap in snaps[1:]}, {"debugger"})
        self.assertTrue(all(snap["instant"] for snap in snaps))
        self.assertIn("1 fork,", told)
        # Not watched, the child runs on, and obeys.
        self.assertEqual(tracer(worker), 0)
        target.tell("write 3")

    def test_cow_of_a_recording_is_right_without_thinking(self):
        need_frames(self)
        target = Target(self, "tree")
        process = self.start("--on=fork", "--tree", "--every=20ms", "-o", self.file, target.pid)
        self.wait_for(len)
        target.tell("fork")
        target.tell("write 7")
        now = time.monotonic_ns()
        self.wait_for(lambda snaps: snaps[-1]["monotonic"] > now)
        target.tell("end")
        # Its end is in there, with both sides; later there is but one.
        now = time.monotonic_ns()
        self.wait_for(lambda snaps: snaps[-1]["monotonic"] > now and not snaps[-1]["label"])
        self.end(process)
        told = json.loads(run("cow", self.file, "--json").out)
        start, end = target.ranges["table"]
        counts = {}
        for row in told["ranges"]:
            if start <= int(row["start"], 16) < end:
                counts[row["verdict"]] = counts.get(row["verdict"], 0) + row["pages"]
        self.assertEqual(counts, {"copied_by_child": 7, "shared": 57})
        self.assertEqual(told["base"]["label"], "fork-1")

    def test_cow_without_the_child_later_is_of_the_fork(self):
        need_frames(self)
        target = Target(self, "tree")
        process = self.start("--on=fork", "--every=20ms", "-o", self.file, target.pid)
        self.wait_for(lambda snaps: len(snaps) > 2)
        target.tell("fork")
        now = time.monotonic_ns()
        self.wait_for(lambda snaps: snaps[-1]["monotonic"] > now and not snaps[-1]["label"])
        self.end(process)
        result = run("cow", self.file)
        self.assertEqual(result.status, 0, result)
        self.assertIn("the last instant with a parent and its child", result.err)
        self.assertIn(b'"fork-1"', result.out)

    def test_execs_and_the_last_state(self):
        target = Target(self, "writes")
        process = self.start("--on=exec,exit", "--every=1h", "-o", self.file, target.pid)
        self.wait_for(len)
        target.tell("exec")
        snaps = self.wait_for(lambda snaps: len(snaps) == 2)
        self.assertEqual((snaps[1]["label"], snaps[1]["reason"]), ("exec-1", f"exec of {target.pid}"))
        target.tell("write anon 0 64")
        target.process.stdin.write(b"end\n")
        self.assertEqual(process.wait(), 0)
        snaps = self.listed()
        self.assertEqual([snap["label"] for snap in snaps], [None, "exec-1", "exit-1"])
        start, end = target.ranges["anon"]
        told = json.loads(run("pages", self.file, f"{start:x}-{end:x}", "--json").out)
        self.assertEqual(sum(row["pages"] for row in told["runs"]), 64)
        self.whole()

    def test_growth(self):
        target = Target(self, "writes")
        target.tell("map more 2048")
        process = self.start("--on=growth=4M", "--every=1h", "-o", self.file, target.pid)
        self.wait_for(len)
        target.tell("write more 0 1600")
        snaps = self.wait_for(lambda snaps: len(snaps) == 2)
        self.assertRegex(snaps[1]["reason"], rf"^{target.pid} grew by ")
        self.assertGreater(snaps[1]["rss"] - snaps[0]["rss"], 4 << 20)
        self.assertIn("grown", self.end(process))

    def test_nothing_is_lost_by_being_watched(self):
        """Signals, ends of children, threads; while recordings begin and end in all ways."""
        target = Target(self, "events")
        random.seed(1)
        for turn in range(12):
            words = ("--on=fork,exec,exit", "--tree") if turn % 2 else ("--on=fork",)
            process = self.start("-q", "--every=10ms", "-o", self.file, *words, target.pid)
            if turn % 3 == 0:
                self.wait_for(lambda snaps: any(snap["label"] for snap in snaps))
            else:
                time.sleep(random.random() / 10)
            process.send_signal(signal.SIGKILL if turn % 4 < 2 else signal.SIGINT)
            process.wait()
            self.assertNotIn(b"vmsnap:", process.stderr.read())
            if os.path.exists(self.file):
                self.whole()
                os.unlink(self.file)
        target.tell("end")
        words = target.lines[-1].split()
        self.assertEqual(words[1], words[2], "each signal arrives")
        self.assertEqual(words[6], "0", "each child ends as it should")
        self.assertEqual(tracer(target.pid), 0)

    def test_who_is_stopped_stays_so(self):
        target = Target(self, "writes")
        os.kill(target.pid, signal.SIGSTOP)
        for number in (signal.SIGINT, signal.SIGKILL):
            process = self.start("-q", "--on=fork", "--every=20ms", "-o", self.file, target.pid)
            self.wait_for(lambda snaps: len(snaps) > 2)
            process.send_signal(number)
            process.wait()
            os.unlink(self.file)
            target.settle()
            self.assertEqual(kernel.state(target.pid), "T")
        process = self.start("-q", "--on=fork", "--every=20ms", "-o", self.file, target.pid)
        self.wait_for(lambda snaps: len(snaps) > 2)
        os.kill(target.pid, signal.SIGCONT)
        target.tell("write anon 0 8")
        self.end(process)

    # ---- on a terminal ----

    LINE = (rb"\r(\d+\.\d s|\d+:\d\d)  snapshots (\d+)  resident [\d.]+[KMG](?:  forks (\d+))?"
            rb"  file [\d.]+[BKMG]?  longest pause [\d.]+ ms")

    def on_terminal(self, *words, columns=120, **options):
        terminal = PlayedTerminal(self, columns=columns)
        return terminal.start("record", "--every=20ms", "-o", self.file, *words, **options)

    @staticmethod
    def next_line(terminal, since=0):
        """The line that is written next, without what clears the rest; where it ends."""
        end = terminal.read_until(b"\x1b[K", since)
        return terminal.output[since:end - 3], end

    def test_on_a_terminal_one_line_runs_and_the_summary_takes_its_place(self):
        target = Target(self, "tree")
        terminal = self.on_terminal("--on=fork", target.pid)
        line, end = self.next_line(terminal)
        first = re.fullmatch(self.LINE, line)
        self.assertTrue(first, line)
        self.assertEqual(first[3], b"0")
        self.assertGreaterEqual(int(first[2]), 1)
        target.tell("fork")
        terminal.read_until(b"  forks 1  ", end)
        line, end = self.next_line(terminal, terminal.output.rindex(b"\r"))
        later = re.fullmatch(self.LINE, line)
        self.assertTrue(later, line)
        self.assertGreater(int(later[2]), int(first[2]))
        # A narrower one: the line stays one.
        terminal.resize(24, 40)
        for _ in range(100):
            line, end = self.next_line(terminal, end)
            if len(line) < 100:
                break
        self.assertRegex(line, rb"^\r[\d.:]+ ?s?  snapshots \d+  resident ")
        self.assertEqual(len(line), 1 + 39)
        terminal.kill(signal.SIGINT)
        self.assertEqual(terminal.finish(), 0)
        # The last line goes before what stays.
        lines, _, summary = terminal.output.rpartition(b"\r\x1b[K")
        self.assertTrue(summary.startswith(b"vmsnap: " + os.fsencode(self.file)), summary)
        self.assertNotIn(b"\r\n", lines.replace(b"^C", b""))
        self.assertNotIn(b"longest pause", summary)

    def test_no_line_if_quiet_or_if_errors_go_elsewhere(self):
        target = Target(self, "writes")
        with open(os.path.join(self.folder, "errors"), "wb+") as errors:
            for words, options in ((("-q",), {}), ((), {"stderr": errors.fileno()})):
                terminal = self.on_terminal("--for=0.5", *words, target.pid, **options)
                self.assertEqual((terminal.finish(), terminal.output), (0, b""))
            errors.seek(0)
            told = errors.read()
        self.assertRegex(told, rb"^vmsnap: .*a\.vms: \d+ snapshots?")
        self.assertNotIn(b"\r", told)

    # ---- files ----

    def test_files_that_follow_each_other(self):
        target = Target(self, "writes")
        for name in ("a-20200101T000000Z.vms", "a-20200101T000001Z.vms"):
            run("capture", "-o", os.path.join(self.folder, name), target.pid)
        others = {"a-20200101T000002Z.vms": b"mine", "a-x.vms": b"", "b-20200101T000000Z.vms": b""}
        for name, text in others.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(text)
        process = self.start("--every=50ms", "--rotate=1s", "--max-files=2", "-o", "a.vms", target.pid)
        ring = set()
        for _ in range(1000 * SLOWNESS):
            ring |= {name for name in os.listdir(self.folder) if name.startswith("a-2") and name not in others}
            if len(ring) >= 5:
                break
            time.sleep(0.01)
        told = self.end(process)
        left = sorted(set(os.listdir(self.folder)) - set(others))
        self.assertEqual(left, sorted(ring)[-2:], ring)
        self.assertIn("files before", told)
        for name in left:
            self.whole(os.path.join(self.folder, name))
            # By itself: nothing of it needs the file before.
            self.assertEqual(run("show", os.path.join(self.folder, name) + "@1").status, 0)
        self.assertEqual(set(others) - set(os.listdir(self.folder)), set())

    def test_the_process_ends_as_files_follow_each_other(self):
        """By itself, and killed, as soon as there is another file: whoever wins, nothing of what is told is missing."""
        for turn, end in enumerate((lambda target: target.process.stdin.write(b"end\n"),
                                    lambda target: target.process.kill())):
            folder = os.path.join(self.folder, str(turn))
            os.mkdir(folder)
            target = Target(self, "writes")
            process = self.start("--on=exit", "--every=20ms", "--rotate=1s", "-o", f"{turn}/a.vms", target.pid)
            for _ in range(3000 * SLOWNESS):
                if len(os.listdir(folder)) > 1:
                    break
                time.sleep(0.001)
            end(target)
            self.assertEqual(process.wait(), 0)
            told = process.stderr.read().decode()
            files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
            snaps = [snap for path in files for snap in self.listed(path)]
            for path in files:
                self.assertRegex(os.path.basename(path), r"^a-\d{8}T\d{6}Z\.vms$")
                self.whole(path)
                self.assertEqual(run("show", path + "@1").status, 0)
            before = len(files) - 1
            self.assertIn(f"{before} file{'s' if before > 1 else ''} before: {len(snaps)} snapshots", told)
            self.assertIn("1 end", told)
            labels = [snap["label"] for snap in snaps if snap["label"]]
            self.assertEqual(labels, ["exit-1"] if not turn or labels else [], "who is killed may leave no last state")
            self.assertEqual(labels, [snaps[-1]["label"]] if labels else [])

    def test_what_is_no_snapshot_file_is_left_alone(self):
        target = Target(self, "writes")
        with open(self.file, "w") as file:
            file.write("mine")
        self.assertIn("is no snapshot file", self.record("-o", self.file, target.pid, status=2))
        with open(self.file) as file:
            self.assertEqual(file.read(), "mine")
        marker = os.path.join(self.folder, "started")
        self.record("-o", self.file, "--", "touch", marker, status=2)
        self.assertFalse(os.path.exists(marker))

    def test_into_a_pipe(self):
        target = Target(self, "writes")
        process = self.start("--every=50ms", "--for=0.2", "-o", "-", target.pid)
        with open(self.file, "wb") as file:
            file.write(process.stdout.read())
        self.assertEqual(process.wait(), 0)
        self.assertGreaterEqual(len(self.listed()), 2)
        self.whole()
        # Whoever reads it has enough.
        process = self.start("-q", "--every=20ms", "-o", "-", target.pid)
        process.stdout.read(100)
        process.stdout.close()
        self.assertEqual(process.wait(), 141)

    def test_a_full_disk(self):
        mount_tmpfs(self, self.folder, "size=64k")
        target = Target(self, "writes")
        self.file = os.path.join(self.folder, "a.vms")
        process = self.start("--every=5ms", "--hash", "-o", self.file, target.pid)
        target.tell("write anon 0 64")
        self.assertEqual(process.wait(), 2)
        self.assertIn("No space left on device", process.stderr.read().decode())
        self.assertGreater(len(self.listed()), 1)
        self.whole()
        target.tell("write anon 0 64")

    def test_a_file_that_may_not_grow(self):
        target = Target(self, "writes")
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, 1 << 14))  # noqa: E731
        process = self.start("--every=5ms", "-o", self.file, target.pid, preexec_fn=limit)
        self.assertEqual(process.wait(), 2)
        self.assertIn("File too large", process.stderr.read().decode())
        self.whole()

    def test_killed_at_any_time(self):
        target = Target(self, "writes")
        random.seed(2)
        for _ in range(20):
            process = self.start("-q", "--every=5ms", "-o", self.file, target.pid)
            time.sleep(random.random() / 20)
            process.kill()
            process.wait()
            if os.path.exists(self.file):
                snaps = self.listed()
                self.assertTrue(all(snap["error"] is None for snap in snaps))
            target.tell("write anon 0 4")

    # ---- how it ends, and what it refuses ----

    def test_it_ends_well_by_all_signals(self):
        target = Target(self, "writes")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.start("--every=1h", "-o", self.file, target.pid)
            self.wait_for(len)
            self.assertIn("1 snapshot in", self.end(process, number=number))
            self.whole()
            os.unlink(self.file)

    def test_tracked_writes_into_a_file(self):
        self.tracked_writes("uffd")

    def test_writes_tracked_by_soft_dirty_bits_into_a_file(self):
        self.tracked_writes("soft-dirty")

    def tracked_writes(self, how):
        target = Target(self, "writes")
        target.tell("write anon 0 64")
        process = self.start(f"--track={how}", "--every=20ms", "-o", self.file, target.pid)
        try:
            self.wait_for(lambda snaps: len(snaps) >= 2)
        except AssertionError:
            self.skipTest(process.stderr.read().decode())
        target.tell("write anon 10 17")
        now = time.monotonic_ns()
        snaps = self.wait_for(lambda snaps: snaps[-1]["monotonic"] > now)
        self.end(process)
        start, end = target.ranges["anon"]
        written = set()
        for index in range(2, len(snaps) + 1):
            told = json.loads(run("pages", f"{self.file}@{index}", f"{start:x}-{end:x}", "--json").out)
            for row in told["runs"]:
                if row["written"] == "yes":
                    first = (int(row["start"], 16) - start) // PAGE
                    written |= set(range(first, first + row["pages"]))
        self.assertEqual(written, set(range(10, 17)))

    def test_words_that_cannot_be(self):
        for words, said in (
                ((), "-- COMMAND, which is started"),
                (("--on=frok", "1"), "fork, exec, exit and growth=SIZE"),
                (("--on=fork,growth=x", "1"), "growth= takes a size"),
                (("--on=growth=", "1"), "growth="),
                (("--max-files=3", "1"), "--max-files is about --rotate"),
                (("--rotate=1h", "-o", "-", "1"), "--rotate needs a file"),
                (("--track=uffd", "--on=fork", "1"), "-o FILE"),
                (("--track=uffd", "--tree", "-o", "x.vms", "1"), "no --tree"),
                (("--json", "1"), "vmsnap list --json"),
                (("--max-files=0", "--rotate=1h", "1"), "a number from 1"),
                (("--hash", "--contents", "1"), "record: --hash"),
                (("-o", "", "1"), "needs the name of a file"),
                (("-o", "/no/such/folder/x.vms", str(os.getpid())), "/no/such/folder/x.vms"),
                (("999999999",), "no process 999999999"),
        ):
            told = self.record(*words, status=2)
            self.assertIn(said, told, words)
            self.assertNotRegex(told, r"snapshots? in ", words)


if __name__ == "__main__":
    main()
