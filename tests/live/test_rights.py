"""What vmsnap may and what it needs: capabilities, files of other users, hardening."""

import ctypes
import fcntl
import json
import os
import re
import resource
import shutil
import socket
import stat
import subprocess
import threading
import unittest

import kernel
import support
from rights import ADMIN, ALL_NEEDED, PTRACE, READ, STRANGER, Case, as_user, call
from support import NOBODY, VMSNAP, capture, run, skip, world

LIBRARY = os.environ.get("VMSNAP_LIB")
SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.dirname(os.path.abspath(VMSNAP))


def cache():
    with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
        return dict(re.findall(r"(?m)^([\w-]+):\w+=(.*)$", file.read()))


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


class Names(Case):
    """Files that a target chose, read to name its symbols."""

    def setUp(self):
        for tool in (os.environ.get("CC", "cc"), "objcopy"):
            if not shutil.which(tool):
                skip(self, f"{tool} is not installed")
        self.place = self.folder()
        self.program = os.path.join(self.place, "program")
        self.debug = self.program + ".debug"
        source = os.path.join(SOURCE, "tests/targets/names_variables.c")
        self.tool(os.environ.get("CC", "cc"), "-g", "-pthread", source, "-o", self.program)

    def tool(self, *argv):
        done = call(*argv, cwd=self.place)
        self.assertEqual(done.status, 0, done)

    def separate(self):
        self.tool("objcopy", "--only-keep-debug", self.program, self.debug)

    def link(self):
        self.tool("objcopy", "--strip-all", f"--add-gnu-debuglink={self.debug}", self.program)
        return support.Target(self, self.program, executable=self.program)

    def symbol(self, target, **options):
        answer = call(world().vmsnap, "page", target.pid, hex(target.ranges["static_variable"][0]), "--json", **options)
        self.assertEqual(answer.status, 0, answer)
        return json.loads(answer.out)["name"]["symbol"]

    def test_debug_file_cut_short_while_it_is_read_is_no_harm(self):
        self.separate()
        # Many symbols, so that reading takes a while.
        with open(self.debug + ".s", "w", encoding="ascii") as file:
            for i in range(60000):
                file.write(f"static_symbol_with_quite_a_long_name_{i:06}: .byte 0\n")
        self.tool(os.environ.get("CC", "cc"), "-g", "-pthread", "-Wl,--build-id=0x1234567890",
                  os.path.join(SOURCE, "tests/targets/names_variables.c"), self.debug + ".s", "-o", self.program)
        self.separate()
        whole = kernel.read(self.debug)
        target = self.link()
        self.assertEqual(self.symbol(target), "static_variable")
        done = threading.Event()

        def cut():
            with open(self.debug, "r+b", buffering=0) as file:
                while not done.is_set():
                    file.truncate(4096 * 5)
                    done.wait(0.001)
                    file.seek(0)
                    file.write(whole)
                    done.wait(0.002)

        thread = threading.Thread(target=cut)
        thread.start()
        seen = set()
        try:
            for _ in range(60):
                seen.add(self.symbol(target))
        finally:
            done.set()
            thread.join()
        self.assertLessEqual(seen, {"static_variable", None})

    def test_debug_file_that_claims_to_be_huge_costs_little(self):
        self.separate()
        target = self.link()
        with open(self.debug, "r+b") as file:
            header = file.read(64)
            at, size, count = (int.from_bytes(header[a:b], "little") for a, b in ((40, 48), (58, 60), (60, 62)))
            for index in range(count):
                file.seek(at + index * size + 4)
                if int.from_bytes(file.read(4), "little") == 7:  # SHT_NOTE
                    file.seek(at + index * size + 24)
                    file.write((1 << 20).to_bytes(8, "little") + (1 << 31).to_bytes(8, "little"))
            file.truncate(1 << 40)
        process = subprocess.Popen([world().vmsnap, "page", str(target.pid), hex(target.ranges["static_variable"][0])],
                                   env=world().env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (30, 30)))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        self.assertLess(usage.ru_maxrss, 200 * 1024, "KiB at most")
        self.assertLess(usage.ru_utime + usage.ru_stime, 20)

    def test_no_network_is_asked_for_debug_information(self):
        self.tool("objcopy", "--strip-all", self.program)
        target = support.Target(self, self.program, executable=self.program)
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            server.setblocking(False)
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            self.assertIsNone(self.symbol(target, env={"DEBUGINFOD_URLS": url, "HOME": self.place}))
            with self.assertRaises(BlockingIOError, msg="somebody connected"):
                server.accept()

    def test_hostile_environment_changes_nothing(self):
        target = support.Target(self, self.program, executable=self.program)
        saved = capture(self, target.pid)
        usual = run("show", saved)
        names = ("TERM", "COLUMNS", "COLORTERM", "LC_ALL", "LANG", "LOCPATH", "TMPDIR", "HOME")
        for value in ("%n%s%n" * 50, "9" * 400, "-1", "../../../etc/passwd", "\x1b[2J"):
            answer = call(world().vmsnap, "show", "--ascii", saved, env={name: value for name in names})
            self.assertEqual((answer.status, answer.err), (0, ""))
            self.assertEqual(answer.out.splitlines()[0], usual.out.splitlines()[0])
            self.assertNotIn(b"\x1b", answer.out)

    def test_gdb_imports_nothing_from_the_folder_it_is_started_in(self):
        if not shutil.which("gdb"):
            skip(self, "gdb is not installed")
        for name in ("vmsnap.py", "ctypes.py", "json.py", "signal.py", "gdb.py", "commands.py"):
            with open(os.path.join(self.place, name), "w", encoding="ascii") as file:
                file.write(f"open({os.path.join(self.place, 'imported')!r}, 'w')\n")
        plugin = os.path.join(SOURCE, "gdb", "vmsnap.py")
        done = call("gdb", "-nx", "-batch", "-ex", f"source {plugin}", "-ex", "vmsnap list", cwd=self.place,
                    env={"VMSNAP_LIB": LIBRARY or "", "HOME": self.place})
        self.assertNotIn("Undefined command", done.err)
        self.assertFalse(os.path.exists(os.path.join(self.place, "imported")), done)


class Hardening(unittest.TestCase):
    """As Debian builds its packages."""

    def setUp(self):
        if not shutil.which("readelf"):
            skip(self, "readelf is not installed")
        self.settings = cache()
        self.files = [path for path in (VMSNAP, LIBRARY) if path]

    def readelf(self, option, path):
        return subprocess.run(["readelf", "-W", option, path], stdout=subprocess.PIPE, check=True).stdout.decode()

    def test_program_and_library_are_linked_hard(self):
        self.assertIn("PIE", self.readelf("-d", VMSNAP))
        for path in self.files:
            with self.subTest(file=os.path.basename(path)):
                self.assertRegex(self.readelf("-h", path), r"Type: +DYN")
                self.assertRegex(self.readelf("-d", path), r"BIND_NOW|Flags: .*NOW")
                segments = self.readelf("-l", path)
                self.assertIn("GNU_RELRO", segments)
                self.assertRegex(segments, r"GNU_STACK .* RW +0x")
                self.assertNotIn("TEXTREL", self.readelf("-d", path))

    def test_stack_is_protected_and_library_calls_are_checked(self):
        for path in self.files:
            with self.subTest(file=os.path.basename(path)):
                symbols = self.readelf("--dyn-syms", path)
                self.assertIn("__stack_chk_fail", symbols)
                optimised = self.settings["CMAKE_BUILD_TYPE"] != "Debug" and not self.settings.get("VMSNAP_SANITIZE")
                self.assertEqual(bool(re.search(r"__\w+_chk\b(?!_fail)", symbols)), optimised)

    def test_every_source_of_ours_was_compiled_so(self):
        with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
            commands = [entry["command"] for entry in json.load(file)
                        if re.match("(core/src|formats|cli)/", os.path.relpath(entry["file"], SOURCE))]
        self.assertGreater(len(commands), 100)
        wanted = ["-fstack-protector-strong", "-fstack-clash-protection", "-Werror=format-security", "-fPI[CE]"]
        if os.uname().machine == "x86_64":
            wanted.append("-fcf-protection")
        for command in commands:
            for flag in wanted:
                self.assertRegex(command, rf"(^| ){flag}( |$)")

    def test_entries_are_marked_for_branch_tracking(self):
        if os.uname().machine != "x86_64" or not LIBRARY or not shutil.which("objdump"):
            skip(self, "not x86-64, or no objdump")
        code = subprocess.run(["objdump", "-d", "--disassemble=vmsnap_capture", LIBRARY], stdout=subprocess.PIPE,
                              check=True).stdout.decode()
        self.assertRegex(code, r"<vmsnap_capture>:\n.*endbr64")


if __name__ == "__main__":
    support.main()
