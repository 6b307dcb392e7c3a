"""What vmsnap saves where other users may write."""

import ctypes
import fcntl
import os
import stat
import subprocess
import threading

import kernel
import support
from rights import Case, as_user, call
from support import NOBODY, world


class Folders(Case):
    """root saves where others may write, too."""

    def setUp(self):
        self.need_root()
        self.pid = self.sleeper(NOBODY)

    def save(self, path, *argv, **options):
        return call(world().vmsnap, "capture", self.pid, "-o", path, *argv, timeout=300, **options)

    def refused(self, path, *argv):
        answer = self.save(path, *argv)
        self.assertEqual(answer.status, 2, answer)
        self.assertRegex(answer.err, "another user")

    def own(self, path, user=NOBODY):
        os.chown(path, user, user, follow_symlinks=False)
        return path

    def pipe_with_reader(self, path):
        """A FIFO of nobody's that is open already: writing to it would succeed."""
        os.mkfifo(path, 0o666)
        self.own(path)
        os.chmod(path, 0o666)
        reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        return reader

    def assertNothingIn(self, reader):
        with self.assertRaises(BlockingIOError, msg="the snapshot went to a stranger"):
            os.read(reader, 1)

    def test_pipe_of_a_stranger_gets_nothing(self):
        for mode in (0o1777, 0o777, 0o775):
            with self.subTest(mode=oct(mode)):
                path = os.path.join(self.folder(mode), "x.vms")
                reader = self.pipe_with_reader(path)
                for argv in ((), ("--append",)):
                    self.refused(path, *argv)
                self.assertNothingIn(reader)

    def test_link_of_a_stranger_to_a_pipe_is_not_followed(self):
        theirs, reader = self.folder(0o755, NOBODY), None
        reader = self.pipe_with_reader(os.path.join(theirs, "pipe"))
        for mode in (0o1777, 0o755):
            path = os.path.join(self.folder(mode), "x.vms")
            os.symlink(os.path.join(theirs, "pipe"), path)
            self.own(path)
            self.refused(path)
        self.assertNothingIn(reader)

    def test_pipes_of_ones_own_and_of_the_folders_owner_work(self):
        for folder, owner in ((self.folder(0o1777), 0), (self.folder(0o755, NOBODY), NOBODY)):
            path = os.path.join(folder, "x.vms")
            reader = self.pipe_with_reader(path)
            self.own(path, owner)
            answer = self.save(path)
            self.assertEqual(answer.status, 0, answer)
            self.assertEqual(os.read(reader, 4)[1:], b"VMS")

    def test_snapshot_is_not_added_to_a_strangers_file(self):
        folder = self.folder(0o1777)
        path = os.path.join(folder, "x.vms")
        answer = call(*as_user(NOBODY), world().vmsnap, "capture", self.pid, "-o", path)
        self.assertEqual(answer.status, 0, answer)
        os.chmod(path, 0o644)
        before = kernel.read(path)
        # Nor waited for: the stranger may keep it locked.
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for argv in ((), ("--append",)):
                self.refused(path, *argv)
        self.assertEqual(kernel.read(path), before)
        self.assertEqual(sorted(os.listdir(folder)), ["x.vms"])

    def test_empty_file_of_a_stranger_is_left_alone_in_an_open_folder_only(self):
        open_, closed = self.folder(0o1777), self.folder(0o755, NOBODY)
        for folder in (open_, closed):
            with open(os.path.join(folder, "x.vms"), "wb") as file:
                os.fchown(file.fileno(), NOBODY, NOBODY)
        self.refused(os.path.join(open_, "x.vms"))
        self.assertEqual(os.stat(os.path.join(open_, "x.vms")).st_size, 0)
        answer = self.save(os.path.join(closed, "x.vms"))
        self.assertEqual(answer.status, 0, answer)
        now = os.stat(os.path.join(closed, "x.vms"))
        self.assertEqual((now.st_uid, stat.S_IMODE(now.st_mode)), (0, 0o600))

    def test_link_of_a_stranger_leads_nowhere_in_any_folder(self):
        victims = self.folder(0o755)
        victim = os.path.join(victims, "empty")
        open(victim, "wb").close()
        inode = os.stat(victim).st_ino
        for mode, owner in ((0o1777, 0), (0o777, 0), (0o775, 0), (0o755, NOBODY)):
            folder = self.folder(mode, owner)
            path = os.path.join(folder, "x.vms")
            os.symlink(victim, path)
            self.own(path)
            for argv in ((), ("--append",)):
                self.refused(path, *argv)
        self.assertEqual((os.stat(victim).st_ino, os.stat(victim).st_size), (inode, 0))

    def test_name_that_changes_between_pipe_and_link_harms_nothing(self):
        folder = self.folder(0o777)
        victim = os.path.join(self.folder(0o755), "thesis")
        with open(victim, "wb") as file:
            file.write(b"years of work")
        path, other = os.path.join(folder, "x.vms"), os.path.join(folder, "other")
        os.mkfifo(path)
        reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        os.symlink(victim, other)  # root's own, which is the worst case: it is followed
        libc = ctypes.CDLL(None, use_errno=True)
        done = threading.Event()

        def swap():
            words = (-100, path.encode(), -100, other.encode(), 2)  # AT_FDCWD, RENAME_EXCHANGE
            while not done.is_set():
                libc.renameat2(*words)

        thread = threading.Thread(target=swap)
        thread.start()
        try:
            for _ in range(60):
                self.save(path)
                try:
                    os.read(reader, 65536)
                except BlockingIOError:
                    pass
        finally:
            done.set()
            thread.join()
        self.assertEqual(kernel.read(victim), b"years of work")

    def test_files_are_private_whatever_the_umask(self):
        for user in support.users():
            for umask in (0, 0o022, 0o077):
                folder = self.folder(0o1777)
                path = os.path.join(folder, "x.vms")
                for argv in ((), (), ("--append",)):
                    answer = call(*(as_user(user) if user else []), world().vmsnap, "capture", self.pid, "-o", path,
                                  *argv, umask=umask)
                    self.assertEqual(answer.status, 0, answer)
                    saved = os.stat(path)
                    self.assertEqual((stat.S_IMODE(saved.st_mode), saved.st_uid), (0o600, user))

    def dead_pid(self):
        process = subprocess.Popen(["true"])
        process.wait()
        return process.pid

    def test_sweep_takes_nothing_but_our_own_leftovers(self):
        folder, precious = self.folder(0o1777), os.path.join(self.folder(0o755), "precious")
        with open(precious, "wb") as file:
            file.write(b"content")
        path, pid = os.path.join(folder, "x.vms"), self.dead_pid()

        def leftover(random, owner=0):
            name = os.path.join(folder, f".x.vms.vmsnap-{pid}-{random}")
            return name, owner

        for name, owner in (leftover("00000001"), leftover("00000002", NOBODY)):
            with open(name, "wb") as file:
                os.fchown(file.fileno(), owner, owner)
        os.link(precious, leftover("00000003")[0])
        os.mkfifo(leftover("00000004")[0])
        os.symlink(precious, leftover("00000005")[0])
        os.mkdir(leftover("00000006")[0])
        for odd in ("99999999999999999999-1", "-1-1", "0-1", "1", "", "x-1"):
            open(os.path.join(folder, f".x.vms.vmsnap-{odd}"), "wb").close()
        before = set(os.listdir(folder))
        answer = self.save(path)
        self.assertEqual(answer.status, 0, answer)
        gone = before - set(os.listdir(folder))
        # A name of a file that is precious elsewhere may go: the file does not.
        self.assertEqual(gone, {os.path.basename(leftover(random)[0]) for random in ("00000001", "00000003")})
        self.assertEqual(kernel.read(precious), b"content")


if __name__ == "__main__":
    support.main()
