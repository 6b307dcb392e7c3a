"""What vmsnap may and what it needs: capabilities, and folders of other users."""

import ctypes
import fcntl
import json
import os
import re
import shutil
import stat
import subprocess
import threading

import kernel
import support
from rights import ADMIN, ALL_NEEDED, BUILD, PTRACE, READ, STRANGER, Case, as_user, cache, call
from support import NOBODY, capture, skip, world


class Capabilities(Case):
    """The table in SECURITY.md."""

    def setUp(self):
        self.need_root()

    def look(self, user, capabilities, pid):
        return call(*as_user(user, capabilities), world().vmsnap, "pages", pid, "--json",
                    cwd=world().home(NOBODY))

    def frames(self, pid, answer):
        """True or False: PFNs are known; and then they are those of the kernel."""
        known = [run for run in json.loads(answer.out)["runs"] if run["pfn"] is not None]
        if not known:
            return False
        ranges = [(start, end) for start, end, *_ in kernel.maps(pid)]
        entries = kernel.entries(pid, ranges)
        checked = 0
        for run_ in known:
            entry = entries.get(int(run_["start"], 16), 0)
            if entry >> 63:
                self.assertEqual(int(run_["pfn"], 16), entry & ((1 << 55) - 1))
                checked += 1
        self.assertGreater(checked, 5)
        return True

    def expect(self, user, capabilities, pid, frames):
        with self.subTest(user=user, capabilities=capabilities, owner=os.stat(f"/proc/{pid}").st_uid):
            answer = self.look(user, capabilities, pid)
            if frames is None:
                self.assertEqual(answer.status, 2, answer)
                self.assertEqual(answer.out, b"")
                self.assertRegex(answer.err, "may not read .*CAP_SYS_PTRACE.* CAP_DAC_READ_SEARCH")
            else:
                self.assertEqual(answer.status, 0, answer)
                self.assertEqual(self.frames(pid, answer), frames, answer)

    def test_what_a_user_sees_with_each_of_them(self):
        own, other = self.sleeper(NOBODY), self.sleeper(STRANGER)
        for capabilities, of_own, of_other in (
                ((), False, None),
                ((PTRACE,), False, None),
                ((ADMIN,), True, None),
                ((READ,), False, None),
                ((PTRACE, ADMIN), True, None),
                ((PTRACE, READ), False, False),
                (ALL_NEEDED, True, True)):
            self.expect(NOBODY, capabilities, own, of_own)
            self.expect(NOBODY, capabilities, other, of_other)
        self.expect(NOBODY, ALL_NEEDED, self.sleeper(0), True)

    def test_what_root_sees_with_each_of_them(self):
        own, other = self.sleeper(0), self.sleeper(STRANGER)
        for capabilities, of_own, of_other in (
                ((PTRACE,), False, None),
                ((PTRACE, ADMIN), True, None),
                (ALL_NEEDED, True, True)):
            self.expect(0, capabilities, own, of_own)
            self.expect(0, capabilities, other, of_other)

    def test_build_ids_and_names_of_files_that_only_their_owner_may_read(self):
        if not shutil.which("readelf"):
            skip(self, "readelf is not installed")
        folder = self.folder(0o700, STRANGER)
        path = shutil.copy(os.path.join(world().targets, "names_variables"), folder)
        os.chown(path, STRANGER, STRANGER)
        os.chmod(path, 0o700)
        target = support.Target(self, path, executable=path, user=STRANGER)
        notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, check=True).stdout.decode()
        build_id = re.search("Build ID: ([0-9a-f]+)", notes)[1]
        shown = call(*as_user(NOBODY, ALL_NEEDED), world().vmsnap, "show", target.pid, "--json")
        self.assertEqual(shown.status, 0, shown)
        self.assertIn(build_id.encode(), shown.out)
        start = next(m for m in kernel.maps(target.pid) if "x" in m[2])[0]
        answer = call(*as_user(NOBODY, ALL_NEEDED), world().vmsnap, "page", target.pid, hex(start), "--json")
        self.assertEqual(answer.status, 0, answer)
        self.assertTrue(json.loads(answer.out)["name"]["symbol"], answer)

    # -- what capabilities are not used for --------------------------------------

    def secret(self):
        """A snapshot that only root may read."""
        path = capture(self, os.getpid())
        os.chmod(os.path.dirname(path), 0o755)
        return path

    def test_they_open_no_file_to_who_may_not_read_it(self):
        secret, own = self.secret(), self.sleeper(NOBODY)
        for argv in (("show", secret), ("check", secret), ("list", secret), ("diff", secret, own),
                     ("diff", own, secret), ("cow", secret, own), ("cow", own, own, "--base", secret)):
            answer = call(*as_user(NOBODY, ALL_NEEDED), world().vmsnap, *argv)
            self.assertEqual(answer.status, 2, answer)
            self.assertIn("Permission denied", answer.err)
            self.assertEqual(answer.out, b"")

    def held(self, pid):
        return {int(kernel.status(pid)[key], 16) for key in ("CapPrm", "CapEff", "CapInh", "CapAmb")}

    def in_call(self, process, number):
        """Waits until the process is in this system call."""
        def there():
            try:
                with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
                    words = file.read().split()
                return words[0] == str(number) and kernel.read(f"/proc/{process.pid}/comm").startswith(b"vmsnap")
            except (OSError, IndexError):
                return False
        self.until(there, "the command is not where it was expected")

    def test_none_is_held_while_a_file_is_read(self):
        if os.uname().machine != "x86_64":
            skip(self, "the numbers of system calls are those of x86-64")
        process = subprocess.Popen([*as_user(NOBODY, ALL_NEEDED), world().vmsnap, "show", "-"], env=world().env,
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        self.addCleanup(process.kill)
        self.in_call(process, 0)
        self.assertEqual(self.held(process.pid), {0})

    def test_none_is_held_while_a_snapshot_is_saved(self):
        if os.uname().machine != "x86_64":
            skip(self, "the numbers of system calls are those of x86-64")
        pipe = os.path.join(self.folder(0o700, NOBODY), "pipe")
        os.mkfifo(pipe, 0o600)
        os.chown(pipe, NOBODY, NOBODY)
        process = subprocess.Popen([*as_user(NOBODY, ALL_NEEDED), world().vmsnap, "capture", str(self.sleeper(STRANGER)),
                                    "-o", pipe], env=world().env, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.in_call(process, 257)  # openat() waits for a reader
        self.until(lambda: kernel.read(f"/proc/{process.pid}/syscall").startswith(b"257"), "it opens nothing")
        self.until(lambda: self.held(process.pid) == {0}, "capabilities are still held", seconds=3)

    # -- file capabilities ---------------------------------------------------------

    INSTALLED = r"""
        set -e
        mount -t tmpfs tmpfs /usr/local
        "$CMAKE" --install "$BUILD" --prefix /usr/local >&2
        "$CMAKE" --install "$BUILD" --prefix /usr/local/elsewhere >&2
        chmod -R a+rX /usr/local
        for set in "" /elsewhere; do
            setcap "cap_sys_ptrace,cap_sys_admin,cap_dac_read_search=ep" /usr/local$set/bin/vmsnap
        done
        touch "$FOLDER/cache"
        ldconfig -C "$FOLDER/cache"
        mount --bind "$FOLDER/cache" /etc/ld.so.cache
        cd "$FOLDER"
        user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@" 2>&1 || echo "status $?"; }
        export LD_LIBRARY_PATH=/usr/local/elsewhere/lib
        echo == capture
        user /usr/local/bin/vmsnap capture "$OTHER" -o file.vms
        echo == show
        user /usr/local/bin/vmsnap page file.vms "$ADDRESS"
        echo == elsewhere
        user /usr/local/elsewhere/bin/vmsnap --version
        echo == setuid
        setcap -r /usr/local/bin/vmsnap
        chmod u+s /usr/local/bin/vmsnap
        user /usr/local/bin/vmsnap capture "$OTHER" -o other.vms
        user /usr/local/bin/vmsnap show file.vms
        echo == end
    """

    def test_file_capabilities_serve_an_installed_command(self):
        self.need_root("setcap", "unshare", "ldconfig")
        settings = cache()
        if settings.get("VMSNAP_SANITIZE"):
            skip(self, "a sanitizer's runtime does not start in a program with file capabilities")
        # Where /usr is the prefix there is no RUNPATH to be ignored.
        other = self.sleeper(STRANGER)
        address = next(m for m in kernel.maps(other) if "x" in m[2])[0]
        folder = self.folder(0o700, NOBODY)
        done = call("unshare", "-m", "sh", "-c", self.INSTALLED, env={
            "CMAKE": settings["CMAKE_COMMAND"], "BUILD": BUILD, "FOLDER": folder, "OTHER": str(other),
            "ADDRESS": hex(address)})
        if "mount:" in done.err or "setcap" in done.err and "== capture" not in done.out.decode():
            skip(self, "no mounting, or no file capabilities, here")
        parts = dict(re.findall(r"(?s)== (\w+)\n(.*?)(?=== )", done.out.decode()))
        self.assertRegex(parts["capture"], r"\Avmsnap: file\.vms: \d+ mappings.*\n\Z")
        self.assertRegex(parts["show"], r"PFN +0x[1-9a-f]")
        # The loader follows neither $ORIGIN nor LD_LIBRARY_PATH for such a program.
        self.assertRegex(parts["elsewhere"], r"\Avmsnap \d|libvmsnap\.so")
        self.assertEqual(parts["setuid"].count("must not be installed set-user-ID"), 2, done)
        self.assertFalse(os.path.exists(os.path.join(folder, "other.vms")))
        saved = os.stat(os.path.join(folder, "file.vms"))
        self.assertEqual((stat.S_IMODE(saved.st_mode), saved.st_uid), (0o600, NOBODY))


class Folders(Case):
    """root saves where others may write, too."""

    def setUp(self):
        self.need_root()
        self.pid = self.sleeper(NOBODY)

    def save(self, path, *argv, **options):
        return call(world().vmsnap, "capture", self.pid, "-o", path, *argv, timeout=20, **options)

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
        for mode in (0o1777, 0o777):
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
        for mode, owner in ((0o1777, 0), (0o777, 0), (0o755, NOBODY)):
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
