"""`vmsnap capture`: what it says, what it writes, how it fails."""

import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import tempfile
import time

import kernel
import support
from command_line import Case, command, on_terminal
from support import NOBODY, Target, ask, run, skip, world


class Capture(Case):
    def test_the_usual_name_is_that_of_the_process_number(self):
        target = self.demo()
        result = command("capture", target.pid, cwd=self.folder)
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        self.assertEqual(os.listdir(self.folder), [f"vmsnap-{target.pid}.vms"])
        mode = os.stat(self.path(f"vmsnap-{target.pid}.vms")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_it_says_in_one_line_what_was_saved(self):
        target = self.demo()
        result = command("capture", target.pid, "-o", self.path("a.vms"), "--tree")
        first = result.stderr.decode().split("\n")[0]
        self.assertRegex(first, r"a\.vms: 2 processes, \d+ mappings, [\d.]+[BKMG] resident, "
                                r"[\d.]+[BKMG] on disk, paused [\d.]+ ms$")
        self.assertEqual(result.stderr.count(b"\n"), 1 if support.FRAMES else 2)

    def test_quiet_says_nothing(self):
        result = command("capture", "-q", self.demo().pid, "-o", self.path("a.vms"))
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    def test_without_privilege_one_line_says_what_root_would_add(self):
        user = support.users()[-1]
        if support.sees_frames(user):
            skip(self, "hidden frame numbers: this user sees them, and can become no other")
        target = Target(self, "cow_demo", user=user)
        result = run("capture", target.pid, "-o", "plain.vms", user=user)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("\n"), 2, result.err)
        self.assertRegex(result.err.split("\n")[1], r"vmsnap: root would add: .*frame")

    def test_json_lists_what_was_saved(self):
        target = self.demo()
        result = command("capture", target.pid, "-o", self.path("a.vms"), "--tree", "--json")
        self.assertEqual(json.loads(result.stdout), ask(self, "list", self.path("a.vms")))

    def test_append_adds_and_plain_replaces(self):
        path = self.series("a.vms", "one", "two")
        self.assertEqual(self.label_of(path + "@1"), "one")
        run("capture", self.demo().pid, "-o", path, "--label", "three")
        self.assertEqual(self.label_of(path + "@1"), "three")

    def test_through_a_pipe(self):
        target = self.demo()
        result = command("capture", target.pid, "-o", "-", "--label", "piped")
        self.assertEqual(result.returncode, 0)
        with open(self.path("a.vms"), "wb") as file:
            file.write(result.stdout)
        self.assertEqual(self.label_of(self.path("a.vms")), "piped")

    def test_to_a_terminal_is_refused(self):
        status, text = on_terminal("capture", self.demo().pid, "-o", "-")
        self.assertEqual(status, 2)
        self.assertIn(b"terminal", text)

    def test_contradictions_are_refused(self):
        self.refused("capture", os.getpid(), "-o", "-", "--append", said="--append")
        self.refused("capture", os.getpid(), "-o", "-", "--json", said="--json")
        self.refused("capture", os.getpid(), "-o", "", said="--output")

    def no_file(self, pid, said, **options):
        options.setdefault("cwd", self.folder)
        text = self.refused("capture", pid, "-o", "out.vms", said=said, **options)
        self.assertEqual(os.listdir(options["cwd"]), [])
        return text

    def test_no_such_process(self):
        gone = Target(self, "cow_demo")
        gone.end()
        self.no_file(gone.pid, said=str(gone.pid))
        self.refused("capture", "sleep", said="'sleep'")

    def test_a_kernel_thread(self):
        try:
            with open("/proc/2/comm") as comm:
                name = comm.read()
        except FileNotFoundError:
            name = ""
        if name != "kthreadd\n":
            skip(self, "no kernel threads to be seen here (a container)")
        self.no_file(2, said="kernel thread")

    def test_a_zombie(self):
        target = Target(self, "processes", "zombie")
        zombie = int(target.lines[0].split()[1])
        self.no_file(zombie, said="zombie")

    def test_permission_denied_says_what_would_help(self):
        support.need_others(self)
        target = self.demo()
        home = tempfile.mkdtemp(dir=world().home(NOBODY))
        os.chown(home, NOBODY, NOBODY)
        self.no_file(target.pid, said=str(target.pid), cwd=home, user=NOBODY, group=NOBODY, extra_groups=[])
        text = self.refused("show", target.pid, user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertRegex(text, "root|CAP_SYS_PTRACE|sudo")

    def test_what_is_no_snapshot_is_not_replaced(self):
        pid = self.demo().pid
        with open(self.path("thesis.txt"), "w") as file:
            file.write("years of work")
        os.mkdir(self.path("folder"))
        before = sorted(os.listdir(self.folder))
        for name in ("thesis.txt", "folder"):
            for more in ((), ("--append",)):
                self.refused("capture", pid, "-o", self.path(name), *more, said=name)
        with open(self.path("thesis.txt")) as file:
            self.assertEqual(file.read(), "years of work")
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_an_empty_file_is_replaced_and_added_to(self):
        pid = self.demo().pid
        for more in ((), ("--append",)):
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as empty:
                path = empty.name
            self.assertEqual(command("capture", pid, "-o", path, "--label", "x", *more).returncode, 0)
            self.assertEqual(self.label_of(path + "@1"), "x")
        # Many a file of /proc says that it has 0 bytes.
        self.refused("capture", pid, "--append", "-o", f"/proc/{os.getpid()}/comm", said="not a vmsnap file")

    def test_append_says_what_it_drops_and_from_where(self):
        path = self.series("a.vms", "one", "two")
        whole = json.loads(command("list", path, "--json").stdout)["snapshots"][1]["offset"]
        os.truncate(path, os.path.getsize(path) - 10)
        dropped = os.path.getsize(path) - whole
        result = command("capture", self.demo().pid, "-o", path, "--append", "-q", "--label", "three")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stderr.decode(), rf"\Avmsnap: warning: [^\n]* offset {whole}; [^\n]*{dropped} bytes[^\n]*\n\Z")
        self.assertEqual(self.label_of(path + "@2"), "three")

    def test_waiting_for_another_that_writes_can_be_interrupted(self):
        path = self.series("a.vms", "one")
        with open(path, "rb") as other:
            before = other.read()
            fcntl.flock(other, fcntl.LOCK_EX)
            for more in ((), ("--append",)):
                with subprocess.Popen([world().vmsnap, "capture", str(self.demo().pid), "-o", path, *more],
                                      env=world().env, stderr=subprocess.PIPE) as waiting:
                    while b"lock" not in kernel.read(f"/proc/{waiting.pid}/wchan"):
                        self.assertIsNone(waiting.poll())
                        time.sleep(0.01)
                    waiting.send_signal(signal.SIGINT)
                    self.assertEqual(waiting.communicate(timeout=300)[1], b"")
                    self.assertEqual(waiting.returncode, 128 + signal.SIGINT)
            other.seek(0)
            self.assertEqual(other.read(), before)

    def test_a_pipe_with_a_name_is_written_to_and_stays(self):
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        with subprocess.Popen([world().vmsnap, "show", fifo, "--json"], env=world().env,
                              stdout=subprocess.PIPE) as reader:
            result = command("capture", self.demo().pid, "--label", "through", "-o", fifo)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(json.loads(reader.stdout.read())["snapshot"]["label"], "through")
        self.assertTrue(stat.S_ISFIFO(os.stat(fifo).st_mode))

    def test_a_folder_that_does_not_exist(self):
        self.refused("capture", self.demo().pid, "-o", self.path("none/out.vms"),
                     said=["none/out.vms", os.strerror(errno.ENOENT)])

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            self.refused("capture", self.demo().pid, "-o", "-", "-q", stdout=full, said=os.strerror(errno.ENOSPC))

    def test_a_full_disk_leaves_no_file(self):
        support.mount_tmpfs(self, self.folder, "size=4k,mode=755")
        with open(self.path("filler"), "wb") as file:
            file.write(b"x" * 4096)
        self.refused("capture", self.demo().pid, "-o", self.path("out.vms"), said=os.strerror(errno.ENOSPC))
        self.assertEqual(os.listdir(self.folder), ["filler"])

    def test_an_interrupt_leaves_no_file_and_lets_the_target_run(self):
        # Scattered pages, each a call of its own: a capture takes some 100 ms, and meanwhile the
        # target stands.  At real-time priority it is done before we are scheduled.
        target = Target(self, "big", "sparse", 4096, 50000, 1)
        for _ in range(100):
            with subprocess.Popen([world().vmsnap, "capture", str(target.pid), "--no-realtime", "--threads", "1",
                                   "-o", self.path("out.vms")], env=world().env, stderr=subprocess.DEVNULL) as process:
                while kernel.state(target.pid) != "t" and process.poll() is None:
                    pass
                process.send_signal(signal.SIGINT)
            if process.returncode == 128 + signal.SIGINT:
                break
            self.assertEqual(process.returncode, 0, "the signal came too late, and it was saved")
            os.unlink(self.path("out.vms"))
        self.assertEqual(process.returncode, 130, "in a hundred attempts none came in time")
        self.assertEqual(os.listdir(self.folder), [])
        self.assertTrue(support.process_is(target.pid, "S"))

    def test_the_target_runs_on_after_every_error(self):
        target = self.demo()
        self.refused("capture", target.pid, "-o", self.path("none/out.vms"))
        target.tell("write")


if __name__ == "__main__":
    support.main()
