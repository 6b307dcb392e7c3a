"""What vmsnap may and what it needs: capabilities, and processes of other users."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

import kernel
import support
from rights import (ADMIN, ALL_NEEDED, BUILD, PTRACE, READ, STRANGER, Case, as_user, below_systemd, cache, call,
                    replaced, somebody, ways, witness)
from support import NOBODY, Target, capture, need_namespaces, skip, world


class Owner(Case):
    """What docs/install.md says of one's own processes."""

    def test_process_that_changed_its_user_is_for_root(self):
        if not support.OTHERS:
            skip(self, "other users: this one may not become another and trace its processes")
        code = f"import os, time; os.setgid({NOBODY}); os.setuid({NOBODY}); print('ready', flush=True); time.sleep(600)"
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.assertEqual(process.stdout.readline(), b"ready\n")
            said = support.run("show", process.pid, user=NOBODY)
            self.assertEqual((said.status, said.out), (2, b""))
            self.assertIn("changed its user", said.err)
            self.assertEqual(support.run("show", process.pid).status, 0)
            process.kill()


    def test_a_descendant_of_another_user_is_named(self):
        if not support.OTHERS:
            skip(self, "other users: this one may not become another and trace its processes")
        code = f"""
import os, time
def become(user):
    os.setgid(user)
    os.setuid(user)
    os.execvp("sleep", ["sleep", "600"])
child = os.fork()
if not child:
    become({STRANGER})
while os.readlink(f"/proc/{{child}}/exe") == os.readlink("/proc/self/exe"):
    time.sleep(0.01)
print(child, flush=True)
become({NOBODY})
"""
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        with process.stdout:
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            child = int(process.stdout.readline())
            self.addCleanup(os.kill, child, signal.SIGKILL)
            while os.stat(f"/proc/{process.pid}").st_uid != NOBODY:
                time.sleep(0.01)
            said = support.run("capture", process.pid, "--tree", "-o", os.path.join(world().home(NOBODY), "some.vms"),
                               user=NOBODY)
            self.assertEqual((said.status, said.out), (2, b""))
            self.assertIn(f"process {child}, a descendant of process {process.pid}: may not read", said.err)
            self.assertIn("or name those that are to be captured, without their descendants", said.err)
            alone = support.run("capture", process.pid, "-o", os.path.join(world().home(NOBODY), "one.vms"),
                                user=NOBODY)
            self.assertEqual(alone.status, 0, alone)


class Capabilities(Case):
    """The table in SECURITY.md."""

    def setUp(self):
        self.need_all_capabilities()

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

    def test_without_ptrace_nobody_is_stopped(self):
        """Newer kernels let CAP_SYS_ADMIN (as CAP_PERFMON) read the mappings of others: then it is said."""
        for user in (NOBODY, 0):
            answer = call(*as_user(user, (ADMIN, READ)), world().vmsnap, "show", self.sleeper(STRANGER), "--json")
            if answer.status == 2:
                self.assertIn("CAP_SYS_PTRACE", answer.err)
            else:
                self.assertEqual(answer.status, 0, answer)
                self.assertEqual(json.loads(answer.out)["snapshot"]["freeze"], "none")

    def test_where_proc_hides_processes_of_others(self):
        need_namespaces(self, "--mount")
        other = self.sleeper(STRANGER)
        for capabilities, status in (((), 2), ((ADMIN, READ), 2), (ALL_NEEDED, 0)):
            words = [*as_user(NOBODY, capabilities), world().vmsnap, "pages", str(other), "--json"]
            answer = call("unshare", "--mount", "sh", "-c",
                          'mount -t proc -o hidepid=2 proc /proc && echo == && exec "$@"', "sh", *words)
            self.assertTrue(answer.out.startswith(b"==\n"), answer)
            self.assertEqual(answer.status, status, answer)
            if status:
                self.assertIn("no process", answer.err)

    def test_capabilities_of_a_user_namespace_reach_nobody_outside(self):
        for owner in (NOBODY, STRANGER):
            other = self.sleeper(owner)
            answer = call(*as_user(NOBODY), "unshare", "--user", "--map-root-user", world().vmsnap, "pages", other)
            if answer.err.startswith("unshare: "):
                skip(self, f"no user namespaces here: {answer.err.strip()}")
            self.assertEqual((answer.status, answer.out), (2, b""), answer)
            self.assertIn("user namespace", answer.err)

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
        words = [*as_user(NOBODY, ALL_NEEDED), world().vmsnap, "capture", str(self.sleeper(STRANGER)), "-o", pipe]
        process = subprocess.Popen(words, env=world().env, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.in_call(process, 257)  # openat() waits for a reader
        self.until(lambda: kernel.read(f"/proc/{process.pid}/syscall").startswith(b"257"), "it opens nothing")
        self.until(lambda: self.held(process.pid) == {0}, "capabilities are still held")

    def test_no_process_is_tracked_with_capabilities_that_were_lent(self):
        """What makes it make system calls is a process of whoever was given them: they could end it just then."""
        self.need_all_capabilities("setpriv")
        place = self.folder(0o700, NOBODY)
        words = [world().vmsnap, "record", "--every", "10ms", "--for", "50ms", "-o"]
        able = call(*words, os.path.join(place, "able.vms"), "--track=uffd", self.sleeper(0))
        if able.status:
            skip(self, f"tracking by userfaultfd: {able.err}")
        for owner, tracked, status in ((STRANGER, [], 0), (STRANGER, ["--track=uffd"], 2), (NOBODY, ["--track=uffd"], 0)):
            with self.subTest(owner=owner, tracked=tracked):
                path = os.path.join(place, f"{owner}{''.join(tracked)}.vms")
                said = call(*as_user(NOBODY, ALL_NEEDED), *words, path, *tracked, self.sleeper(owner))
                self.assertEqual(said.status, status, said)
                self.assertEqual("capabilities that were lent" in said.err, bool(status), said)

    def test_no_program_is_loaded_into_the_kernel_with_capabilities_that_were_lent(self):
        """It would be run at the page faults of all, for as long as whoever was given them likes."""
        self.need_all_capabilities("setpriv")
        for lent in False, True:
            words = [world().vmsnap, "blame", str(self.sleeper(STRANGER)), "--for", "60"]
            words = as_user(NOBODY, ALL_NEEDED) + words if lent else words
            process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=world().env)
            self.addCleanup(process.wait)
            self.addCleanup(process.stderr.close)
            self.addCleanup(process.kill)
            # One at a time is tried before; these are there when programs are, too.
            self.until(lambda: process.poll() is not None or kernel.perf_events(process.pid) > 2, "it watches nothing")
            if process.poll() is not None:
                skip(self, f"page faults cannot be watched: {process.stderr.read()}")
            if lent:
                self.assertEqual(kernel.programs(process.pid), [])
            elif not kernel.programs(process.pid):
                skip(self, "the kernel takes no programs of root either")

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
        self.need_all_capabilities("setcap", "unshare", "ldconfig")
        settings = cache()
        if settings.get("VMSNAP_SANITIZE"):
            skip(self, "a sanitizer's runtime does not start in a program with file capabilities")
        need_namespaces(self, "--mount")
        # Where /usr is the prefix there is no RUNPATH to be ignored.
        other = self.sleeper(STRANGER)
        address = next(m for m in kernel.maps(other) if "x" in m[2])[0]
        folder = self.folder(0o700, NOBODY)
        done = call("unshare", "-m", "sh", "-c", self.INSTALLED, env={
            "CMAKE": settings["CMAKE_COMMAND"], "BUILD": BUILD, "FOLDER": folder, "OTHER": str(other),
            "ADDRESS": hex(address)})
        if "setcap:" in done.err or "Failed to set capabilities" in done.err:
            skip(self, f"no file capabilities here: {done.err.splitlines()[-1]}")
        parts = dict(re.findall(r"(?s)== (\w+)\n(.*?)(?=== )", done.out.decode()))
        self.assertRegex(parts["capture"], r"\Avmsnap: file\.vms: \d+ mappings.*\n\Z")
        self.assertRegex(parts["show"], r"PFN +0x[1-9a-f]")
        # The loader follows neither $ORIGIN nor LD_LIBRARY_PATH for such a program.
        self.assertRegex(parts["elsewhere"], r"\Avmsnap \d|libvmsnap\.so")
        self.assertEqual(parts["setuid"].count("must not be installed set-user-ID"), 2, done)
        self.assertFalse(os.path.exists(os.path.join(folder, "other.vms")))
        saved = os.stat(os.path.join(folder, "file.vms"))
        self.assertEqual((stat.S_IMODE(saved.st_mode), saved.st_uid), (0o600, NOBODY))


class Stopped(Case):
    """A user who was given capabilities can stop the command; what it holds must not stand."""

    TRIES = 50

    def caught_holding(self, target):
        """The command, stopped while the target stands because of it."""
        for _ in range(self.TRIES):
            process = subprocess.Popen([*as_user(NOBODY, ALL_NEEDED), world().vmsnap, "capture", str(target.pid)],
                                       cwd=self.folder(0o700, NOBODY), env=world().env, stderr=subprocess.PIPE)
            self.addCleanup(process.stderr.close)
            stands = False
            while process.poll() is None and not stands:
                stands = kernel.state(target.pid) == "t"
            if process.poll() is None:
                os.kill(process.pid, signal.SIGSTOP)
                if kernel.state(target.pid) == "t":
                    return process
                os.kill(process.pid, signal.SIGCONT)
            process.communicate()
        return None

    def test_a_command_that_is_stopped_keeps_nobody_standing(self):
        self.need_all_capabilities("setpriv")
        target = Target(self, "big", "mapped", 64, 200, user=0)
        process = self.caught_holding(target)
        if not process:
            skip(self, "a command with capabilities that is stopped: it was never met while it held a process")
        try:
            self.until(lambda: kernel.state(target.pid) != "t", "the target stands for as long as the command does")
            os.kill(process.pid, signal.SIGCONT)  # it may have been stopped when it had let go
            said = process.communicate()[1].decode()
            # It got on; or, on a machine that gave it no processor for seconds, it was ended.
            if process.returncode != -signal.SIGKILL:
                self.assertRegex(said, r"\Avmsnap: \S+: \d+ mappings")
                self.assertEqual(process.returncode, 0)
        finally:
            process.kill()


class Document(Case):
    """The commands in SECURITY.md, as they stand there but for the names."""

    NEEDED = f"{1 << 19 | 1 << 21 | 1 << 2:016x}"  # sys_ptrace, sys_admin, dac_read_search

    def setUp(self):
        self.need_all_capabilities()
        self.ways = ways()
        self.user = somebody()
        if not self.user:
            skip(self, "no ordinary user with a group of the same name")
        self.place = self.folder(0o755, self.user.pw_uid)
        self.bin = self.folder()
        witness(self.bin)
        self.env = {"PATH": f"{self.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

    def way(self, begin):
        (found,) = [commands for title, commands in self.ways.items() if title.startswith(begin)]
        return found

    def run_way(self, commands, folder):
        """Runs them as root, and returns what the witness saw."""
        done = call("sh", "-ec", commands, cwd=folder, env=self.env)
        self.assertEqual(done.status, 0, done)
        return self.seen(done.err)

    def seen(self, text):
        return dict(re.findall(r"(?m)^(Cap\w+|NoNewPrivs) (\w+)$", text))

    def assertWhole(self, path, user):
        """A snapshot with frame numbers, of a process of another user."""
        saved = os.stat(path)
        self.assertEqual((stat.S_IMODE(saved.st_mode), saved.st_uid), (0o600, user))
        self.assertHasFrames(path)

    def assertHasFrames(self, path):
        shown = call(world().vmsnap, "pages", path, "--json")
        self.assertEqual(shown.status, 0, shown)
        self.assertTrue([run for run in json.loads(shown.out)["runs"] if run["pfn"] is not None], path)

    def only_file(self, folder):
        (name,) = os.listdir(folder)
        return os.path.join(folder, name)

    def test_there_are_four_ways_and_each_is_tested(self):
        self.assertEqual([title.split(",")[0] for title in self.ways], ["root", "another user", "a group", "a service"])

    def test_root_with_nothing_else(self):
        place = self.folder(0o700)
        seen = self.run_way(replaced(self.way("root"), _1234=self.sleeper(STRANGER)), place)
        self.assertEqual({seen[key] for key in ("CapPrm", "CapEff", "CapBnd")}, {self.NEEDED}, seen)
        self.assertEqual((int(seen["CapInh"], 16), int(seen["CapAmb"], 16)), (0, 0))
        self.assertWhole(self.only_file(place), 0)

    def test_another_user(self):
        commands = replaced(self.way("another user"), alice=self.user.pw_name, _1234=self.sleeper(STRANGER))
        seen = self.run_way(commands, self.place)
        self.assertEqual({seen[key] for key in ("CapPrm", "CapEff", "CapInh", "CapAmb")}, {self.NEEDED}, seen)
        self.assertWhole(self.only_file(self.place), self.user.pw_uid)

    # ldconfig replaces the cache by renaming, which a file that is mounted does not allow.
    # setpriv itself still has root's rights at the moment it executes something: hence sh.
    GROUP = r"""
        set -e
        mount -t tmpfs tmpfs /usr/local
        mkdir /usr/local/etc
        cp -a /etc/. /usr/local/etc
        mount --bind /usr/local/etc /etc
        if [ -d /var/cache/ldconfig ]; then mount -t tmpfs tmpfs /var/cache/ldconfig; fi
        "$CMAKE" --install "$BUILD" --prefix /usr/local >&2
        chmod 0755 /usr/local /usr/local/*
        chmod -R a+rX /usr/local/bin /usr/local/lib*
        echo == ready
        sh -ec "$COMMANDS"
        cd "$FOLDER"
        echo == who
        stat -c "%a %G" /usr/local/bin/vmsnap
        getcap /usr/local/bin/vmsnap
        echo == member
        setpriv --reuid="$USER" --regid=65534 --groups="$GROUP" \
            sh -c '/usr/local/bin/vmsnap capture "$OTHER" -o file.vms' 2>&1
        echo == stranger
        setpriv --reuid=65534 --regid=65534 --clear-groups \
            sh -c "/usr/local/bin/vmsnap --version" 2>&1 || echo "status $?"
        echo == end
    """

    def test_a_group(self):
        self.need_all_capabilities("setcap", "getcap", "unshare", "ldconfig")
        settings = cache()
        if settings.get("VMSNAP_SANITIZE"):
            skip(self, "a sanitizer's runtime does not start in a program with file capabilities")
        need_namespaces(self, "--mount")
        commands = replaced(self.way("a group"), memory=self.user.pw_name)
        done = call("unshare", "-m", "sh", "-c", self.GROUP, cwd=self.place, env={
            "CMAKE": settings["CMAKE_COMMAND"], "BUILD": BUILD, "FOLDER": self.place, "COMMANDS": commands,
            "OTHER": str(self.sleeper(STRANGER)), "USER": str(self.user.pw_uid), "GROUP": str(self.user.pw_gid),
            "LD_LIBRARY_PATH": ""})
        parts = dict(re.findall(r"(?s)== (\w+)\n(.*?)(?=== )", done.out.decode()))
        self.assertIn("end\n", done.out.decode().rpartition("== ")[2], done)
        self.assertEqual(parts["who"].splitlines()[0], f"750 {self.user.pw_name}")
        self.assertRegex(parts["who"], r"\bcap_dac_read_search,cap_sys_ptrace,cap_sys_admin=ep\n\Z")
        self.assertIn("paused", parts["member"])
        self.assertRegex(parts["stranger"], r"(?i)permission denied|status 12[67]")
        self.assertWhole(os.path.join(self.place, "file.vms"), self.user.pw_uid)

    # What else a service may be given: True if vmsnap still sees everything.
    SETTINGS = {
        "": True,
        "ProtectProc=invisible": True,
        "PrivateDevices=yes PrivateNetwork=yes PrivateIPC=yes": True,
        "ProtectKernelTunables=yes ProtectKernelModules=yes ProtectKernelLogs=yes ProtectControlGroups=yes": True,
        "RestrictNamespaces=yes RestrictSUIDSGID=yes LockPersonality=yes MemoryDenyWriteExecute=yes": True,
        "SystemCallFilter=@system-service SystemCallFilter=@debug": True,
        "SystemCallFilter=@system-service SystemCallFilter=~@debug": False,
        "SystemCallFilter=~ptrace:EPERM": True,  # as Yama does where ptrace_scope is 3
        "PrivateUsers=yes": False,
    }

    def test_a_service(self):
        self.need_all_capabilities("systemd-run", "dbus-daemon", "busctl", "unshare")
        need_namespaces(self, "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup")
        command = replaced(self.way("a service"), alice=self.user.pw_name, _1234='"$TARGET"')
        self.assertTrue(command.endswith(">\"$TARGET\".vms"), "the redirection has moved")
        script = ["umask 077", f"PATH={self.env['PATH']}"]
        tried = dict(self.SETTINGS)
        if cache().get("VMSNAP_SANITIZE"):
            del tried["SystemCallFilter=~ptrace:EPERM"]  # which LeakSanitizer itself needs
        for number, settings in enumerate(tried):
            words = " ".join(["systemd-run", *(f"-p {word}" for word in settings.split())])
            more = command.replace("systemd-run", words, 1).replace('>"$TARGET".vms', f">{number}.vms 2>{number}.err")
            script.append(f"{{ {more}; }}; echo status $? >>{number}.err")
        place = self.folder(0o700)
        done = below_systemd(place, "\n".join(script))
        if not done:
            skip(self, "systemd does not start here, not even in a namespace")
        for number, (settings, works) in enumerate(tried.items()):
            with self.subTest(settings=settings):
                said = kernel.read(os.path.join(place, f"{number}.err")).decode()
                path = os.path.join(place, f"{number}.vms")
                if not works:
                    self.assertRegex(said, r"status [1-9]", said)
                    self.assertEqual(os.stat(path).st_size, 0, said)
                    continue
                self.assertRegex(said, r"status 0\n", said)
                seen = self.seen(said)
                self.assertEqual({seen[key] for key in ("CapPrm", "CapEff", "CapBnd", "CapAmb")}, {self.NEEDED}, seen)
                self.assertEqual(seen["NoNewPrivs"], "1")
                self.assertHasFrames(path)
                shown = json.loads(call(world().vmsnap, "show", path, "--json").out)["snapshot"]
                self.assertEqual(shown["freeze"] == "none", "EPERM" in settings, shown)


if __name__ == "__main__":
    support.main()
