"""Full disks, folders that may not be written to, pipes whose reader left, and several
commands at one file: nothing that was there is lost."""

import os
import resource
import shutil
import subprocess
import threading
import time
import unittest

import faultlib  # noqa: I001  (it says where the others lie)
import kernel
import support
from faultlib import ALL, SANITIZED, Witness, folder, litter, read_file, tell
from support import NOBODY, Target, become, me, run, world

PIPE_CLOSED = 141


def contents(path):
    with open(path, "rb") as file:
        return file.read()


class Storage(unittest.TestCase):
    def setUp(self):
        self.witness = Witness(self)
        self.folder = folder(self)
        self.path = os.path.join(self.folder, "a.vms")

    def capture(self, *options, path=None, **how):
        return run("capture", self.witness.pid, "-q", "-o", path or self.path, *options, **how)

    def refused(self, result, words):
        self.assertEqual(result.status, 2, result)
        self.assertEqual(len(result.err.splitlines()), 1, result)
        self.assertRegex(result.err, words)
        self.witness.assert_let_go(result)

    def mounted(self, options):
        """A small file system of memory; skips where none can be mounted."""
        point = folder(self)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "vmsnap-test", point], stderr=subprocess.PIPE)
        if done.returncode:
            support.skip(self, f"no file system can be mounted here: {done.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", point], stderr=subprocess.DEVNULL)
        return point

    def fill(self, point, left):
        """Leaves that many bytes of room, more or less."""
        with open(os.path.join(point, "filler"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
            file.truncate(max(0, os.path.getsize(file.name) - left))


class Full(Storage):
    def big(self):
        """A target whose snapshot takes more than a few blocks."""
        return Target(self, "mappings")

    def test_disk_that_gets_full(self):
        tried = 0
        for left in (0, 4096, 8192, 16384, 32768):
            point = self.mounted("size=256k")
            path = os.path.join(point, "a.vms")
            self.assertEqual(self.capture(path=path).status, 0)
            before = contents(path)
            self.fill(point, left)
            for options, name in (((), "a.vms"), (("--append",), "a.vms"), (("--append", "--delta"), "a.vms"), ((), "new.vms"), (("--append",), "new.vms")):
                where = os.path.join(point, name)
                while self.capture(*options, "--tree", "--smaps", path=where).status == 0 and options:
                    before = contents(path)
                tried += 1
                self.assertEqual(litter(point, "a.vms", "new.vms", "filler"), [])
                self.assertEqual(run("check", path).status, 0)
                if options and name == "a.vms":
                    self.assertEqual(contents(path), before)
                if os.path.exists(where):
                    self.assertEqual(run("check", where).status, 0)
            self.refused(self.full(point), "(?i)no space left")
            subprocess.run(["umount", "-l", point], check=True)
        tell(f"capture on a full disk: {tried} times")

    def full(self, point):
        self.fill(point, 0)
        return self.capture(path=os.path.join(point, "none.vms"))

    def test_contents_for_which_there_is_no_room(self):
        """They wait beside the file: the disk is full while the target stands, or when it is written."""
        target = Target(self, "big", "different", "4")
        for left in (0, 4096, 1 << 20, 3 << 20):
            point = self.mounted("size=5m")
            path = os.path.join(point, "a.vms")
            self.fill(point, left)
            for options in ((), ("--append",), ("--track=uffd",)):
                result = run("capture", target.pid, "-q", "-o", path, "--contents", *options)
                if "userfaultfd" in result.err:
                    tell(f"contents that are copied before the pause: {result.err.strip()}")
                    continue
                if left > 1 << 20 and result.status == 0:
                    self.assertEqual(run("check", path).status, 0)
                    continue
                self.refused(result, "(?i)no space left")
                self.assertEqual(litter(point, "filler"), [])
            self.assertEqual(kernel.status(target.pid)["TracerPid"], b"0")
            self.assertNotIn(kernel.status(target.pid)["State"][:1], (b"t", b"T"))
            subprocess.run(["umount", "-l", point], check=True)

    def test_contents_and_a_limit_on_the_size_of_files(self):
        target = Target(self, "big", "different", "4")

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        self.refused(run("capture", target.pid, "-q", "-o", self.path, "--contents", preexec_fn=limit),
                     "(?i)file too large")
        self.assertEqual(litter(self.folder), [])
        self.assertEqual(kernel.status(target.pid)["TracerPid"], b"0")

    def test_contents_take_no_memory_but_a_little(self):
        """96 MiB of them, or 3 GiB, by a command that may have no more than 64 MiB of everything."""
        target = Target(self, "big", "different", "3072" if ALL else "96")

        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

        if SANITIZED:
            support.skip(self, "a sanitizer takes more than that for itself")
        for options in ((), ("--append",)):
            result = run("capture", target.pid, "-q", "-o", self.path, "--contents", *options, preexec_fn=limit)
            if ALL and options and result.status:  # where the pages of the file are, too, is more than that
                self.refused(result, "out of memory")
            else:
                self.assertEqual(result.status, 0, result)
            self.assertEqual(run("check", self.path, preexec_fn=limit).status, 0)

    def test_limit_on_the_size_of_files(self):
        self.assertEqual(self.capture().status, 0)
        before = contents(self.path)

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, len(before) + 100))

        for options in (("--append",), ("--append", "--smaps"), ("--smaps",)):
            result = self.capture(*options, preexec_fn=limit)
            self.refused(result, "(?i)file too large")
            self.assertEqual(contents(self.path), before, options)
            self.assertEqual(litter(self.folder, "a.vms"), [])

    def test_device_that_is_always_full(self):
        self.refused(self.capture(path="/dev/full"), "(?i)no space left")
        self.assertEqual(self.capture().status, 0)
        for command in ("show", "pages", "map", "list", "check", "status"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([world().vmsnap, command, self.path], stdout=full, stderr=subprocess.PIPE,
                                      env=world().env)
            self.assertEqual(done.returncode, 2, (command, done))
            self.assertRegex(done.stderr.decode(), r"^vmsnap: cannot write to standard output: [^\n]+\n$")


class NotWritable(Storage):
    def test_folder_that_others_own(self):
        user = NOBODY if support.ROOT else me()
        target = Target(self, "hostile_mortal", user=user)
        where = folder(self)
        path = os.path.join(where, "a.vms")
        shutil.copy(self.snapshot(), path)
        os.chmod(path, 0o644)
        os.chmod(where, 0o555)
        before = contents(path)
        for name in ("a.vms", "new.vms"):
            for options in ((), ("--append",)):
                result = run("capture", target.pid, "-q", "-o", os.path.join(where, name), *options, user=user)
                if not support.ROOT and name == "a.vms" and options:
                    self.assertEqual(result.status, 0, "its own file it may append to")
                    continue
                self.refused(result, "(?i)permission denied")
        self.assertTrue(contents(path).startswith(before))
        self.assertEqual(os.listdir(where), ["a.vms"])
        os.chmod(where, 0o755)

    def snapshot(self):
        self.assertEqual(self.capture().status, 0)
        return self.path

    def test_read_only_file_system(self):
        point = self.mounted("size=1m")
        path = os.path.join(point, "a.vms")
        self.assertEqual(self.capture(path=path).status, 0)
        before = contents(path)
        subprocess.run(["mount", "-o", "remount,ro", point], check=True)
        for name in ("a.vms", "new.vms"):
            for options in ((), ("--append",)):
                self.refused(self.capture(*options, path=os.path.join(point, name)), "(?i)read-only")
        self.assertEqual(contents(path), before)
        self.assertEqual(run("check", path).status, 0)


class Pipes(Storage):
    def into_closed_pipe(self, *argv):
        """The reader has gone before the first byte; nobody reads what is said."""
        ends = os.pipe()
        os.close(ends[0])
        done = subprocess.run([world().vmsnap, *map(str, argv)], stdin=subprocess.DEVNULL, stdout=ends[1],
                              stderr=subprocess.PIPE, env=world().env, cwd=self.folder)
        os.close(ends[1])
        return done

    def test_reader_that_left(self):
        self.assertEqual(self.capture().status, 0)
        before = contents(self.path)
        for argv in (("capture", self.witness.pid, "-q", "-o", "-"), ("show", self.path),
                     ("pages", self.path, "--json"),
                     ("list", self.path), ("check", self.path), ("map", self.path), ("show", self.witness.pid)):
            done = self.into_closed_pipe(*argv)
            self.assertEqual((done.returncode, done.stderr), (PIPE_CLOSED, b""), argv)
            self.witness.assert_let_go(argv)
        self.assertEqual(contents(self.path), before)
        self.assertEqual(litter(self.folder, "a.vms"), [])

    def test_reader_that_leaves_in_the_middle(self):
        target = Target(self, "mappings")
        for size in (1, 16, 100, 1000):
            with subprocess.Popen([world().vmsnap, "capture", str(target.pid), "-q", "-o", "-"], env=world().env,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
                self.assertTrue(command.stdout.read(size))
                command.stdout.close()
                said = command.stderr.read()
            # A pipe takes 64 KiB of what nobody will read.
            self.assertIn(command.returncode, (0, PIPE_CLOSED))
            self.assertEqual(said, b"")
        self.assertEqual(kernel.status(target.pid)["TracerPid"], b"0")

    def test_nobody_to_be_told(self):
        """A closed standard error: what is written must not end up in the snapshot."""
        done = subprocess.run(["sh", "-c", 'exec "$@" 2>&- >&-', "sh", world().vmsnap, "capture", str(self.witness.pid),
                               "-o", self.path], env=world().env)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(read_file(self.path)), 1)


class Several(Storage):
    APPENDS = 20

    def start(self, *options, label=None):
        more = ["--label", label] if label else []
        return subprocess.Popen([world().vmsnap, "capture", str(self.witness.pid), "-q", "-o", self.path, *options,
                                 *more], env=world().env, stderr=subprocess.PIPE)

    def end(self, commands):
        for command in commands:
            said = command.communicate(timeout=300)[1]
            self.assertEqual((command.returncode, said), (0, b""))

    def labels(self):
        return sorted(snapshot["identity"]["label"].decode() for snapshot in read_file(self.path))

    def test_appends_at_once_lose_nothing(self):
        for round_ in range(5 if faultlib.ALL else 2):
            if round_ % 2 == 0 and os.path.exists(self.path):
                os.unlink(self.path)
            had = self.labels() if os.path.exists(self.path) else []
            names = [f"round {round_} number {n}" for n in range(self.APPENDS)]
            self.end([self.start("--append", *(("--delta",) if n % 2 else ()), label=name)
                      for n, name in enumerate(names)])
            self.assertEqual(self.labels(), sorted(had + names))
        self.assertEqual(litter(self.folder, "a.vms"), [])
        self.witness.assert_unharmed("after all")
        tell(f"capture --append: {self.APPENDS} at a time, none lost")

    def test_appends_and_kills_at_once_lose_nothing_that_was_done(self):
        """Each third is killed: whether it was done it says itself, and the others are all there."""
        done = []
        for n in range(30):
            commands = [(f"{n} {k}", self.start("--append", *(("--delta",) if n % 2 else ()), label=f"{n} {k}")) for k in range(3)]
            commands[0][1].kill()
            for name, command in commands:
                command.communicate(timeout=300)
                done += [name] * (command.returncode == 0)
                self.assertIn(command.returncode, (0, -9))
        self.assertEqual(self.capture("--append", "--label", "last").status, 0)
        self.assertLessEqual(set(done), set(self.labels()))
        self.assertEqual(litter(self.folder, "a.vms"), [])

    def test_reading_while_others_append(self):
        self.assertEqual(self.capture().status, 0)
        wanted, stop, found = 1 + 30, threading.Event(), []

        def read():
            while not stop.is_set():
                result = run("list", self.path, "--json")
                self.check_read(result, found)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for n in range(30):
                self.end([self.start("--append", label=f"{n}")])
                if n < 3:
                    self.wait_for_read(found)
        finally:
            stop.set()
            reader.join()
        self.assertEqual(len(read_file(self.path)), wanted)
        counts = [count for status, count in found]
        self.assertEqual({status for status, count in found}, {0})
        self.assertEqual(counts, sorted(counts), "a snapshot vanished again")
        self.assertGreater(len(set(counts)), 2, "it was never read while it grew")

    @staticmethod
    def wait_for_read(found):
        """On a slow machine all is appended before one read has ended."""
        before = len(found)
        while len(found) == before:
            time.sleep(0.001)

    def check_read(self, result, found):
        count = result.out.count(b'"index":')
        found.append((result.status, count))

    def test_replacing_and_appending_at_once(self):
        """Whoever comes last wins, and what is there is always one whole file."""
        commands = [self.start(*(("--append",) if n % 2 else ()), label=f"{n}") for n in range(20)]
        self.end(commands)
        self.assertGreaterEqual(len(read_file(self.path)), 1)
        self.assertEqual(run("check", self.path).status, 0)
        self.assertEqual(litter(self.folder, "a.vms"), [])

    def test_lock_that_another_holds_is_waited_for(self):
        self.assertEqual(self.capture().status, 0)
        holder = subprocess.Popen(["flock", self.path, "sh", "-c", "echo held; read line"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        self.assertEqual(holder.stdout.readline(), b"held\n")
        command = self.start("--append")
        with self.assertRaises(subprocess.TimeoutExpired):
            command.wait(timeout=0.5)
        self.witness.assert_let_go("while it waits for the file")
        holder.communicate(b"\n")
        self.end([command])
        self.assertEqual(len(read_file(self.path)), 2)


if __name__ == "__main__":
    support.main()
