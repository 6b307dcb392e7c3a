"""Processes that mean harm, or only look like it: the right result or a clear error, and
they run on as before."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))

import kernel  # noqa: E402
import support  # noqa: E402
import vmsfile  # noqa: E402  (it lies in the folder just added)
from support import Target, ask, capture, each_user, process_is, run, skip, world  # noqa: E402
from test_processes import PTRACE_DETACH, PTRACE_INTERRUPT, PTRACE_SEIZE, fresh, litter, ptrace  # noqa: E402

ALL = os.environ.get("VMSNAP_FAULTS_ALL") == "1"
EMULATED = support.SLOWNESS > 1  # where a storm is a breeze, or nobody else has his turn


def in_group(group):
    """The processes of a process group that have not ended."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = kernel.read(f"/proc/{name}/stat").rpartition(b") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in (b"Z", b"X"):
            found.append(int(name))
    return found


class Hostile(unittest.TestCase):
    def assert_let_go(self, pids, but=()):
        for pid in pids:
            try:
                for tid in os.listdir(f"/proc/{pid}/task"):
                    status = kernel.status(f"{pid}/task/{tid}")
                    self.assertEqual(status["TracerPid"], b"0")
                    self.assertNotIn(status["State"][:1], (b"t", *but))
            except OSError:
                pass  # gone meanwhile

    def attempt(self, pid, *options, user=None):
        """The path of a whole file, or None after a clear error."""
        path = fresh(support.me() if user is None else user)
        result = run("capture", pid, "-q", "-o", path, *options, user=user)
        self.assertIn(result.status, (0, 2), result)
        self.assertEqual(os.path.exists(path), result.status == 0, result)
        if result.status:
            self.assertRegex(result.err, r"^vmsnap: [^\n]+\n$")
            return None
        checked = run("check", path, user=user)
        self.assertEqual(checked.status, 0, checked)
        return path

    def report(self, target):
        target.lines.clear()
        target.process.stdin.write(b"report\n")
        while not target.lines:
            target.lines += [line for line in [target._line()] if line.startswith("report")]
        self.assertEqual(target._line(), "ready")
        return [int(word) for word in target.lines.pop().split()[1:]]


class Storms(Hostile):
    def storm(self, *argv, user):
        target = Target(self, "hostile_storm", *argv, user=user)
        self.addCleanup(self.calm, target.pid)
        time.sleep(0.2)
        return target

    def assert_goes_on(self, target, before, otherwise):
        """On a busy machine it may not have had its turn yet."""
        until = time.monotonic() + 10 * support.SLOWNESS
        while self.report(target)[0] <= before:
            self.assertLess(time.monotonic(), until, otherwise)
            time.sleep(0.01)

    def calm(self, group):
        for _ in range(20):
            pids = in_group(group)
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not pids:
                return
            time.sleep(0.05)

    @each_user
    def test_processes_that_fork_without_end(self, user):
        target = self.storm("forks", "8" if EMULATED else "60", user=user)
        whole = 0
        for _ in range(20 if ALL else 2 if EMULATED else 4):
            before = self.report(target)[0]
            path = self.attempt(target.pid, "--tree", user=user)
            self.assert_let_go(in_group(target.pid), but=(b"T",))
            if path:
                whole += 1
                self.check_tree(path, target.pid)
                os.unlink(path)
            time.sleep(0.05)
            self.assert_goes_on(target, before, "the storm has ended")
        self.assertGreater(whole, 0, "it never came to a result")
        self.assertEqual([name for name in litter(user) if ".vmsnap-" in name], [])
        self.calm(target.pid)

    def check_tree(self, path, first):
        shots = ask(self, "list", path)["snapshots"]
        pids = [shot["pid"] for shot in shots]
        self.assertEqual(pids[0], first)
        self.assertEqual(len(pids), len(set(pids)), "a process is in it twice")
        for shot in shots[1:]:
            self.assertIn(shot["ppid"], pids)

    @each_user
    def test_threads_in_a_tree_that_start_and_end_at_once(self, user):
        target = self.storm("threads", "1" if EMULATED else "3", user=user)
        for _ in range(30 if ALL else 2 if EMULATED else 8):
            before = self.report(target)[0]
            path = self.attempt(target.pid, "--tree", user=user)
            self.assertIsNotNone(path)
            shots = ask(self, "list", path)["snapshots"]
            self.assertEqual(len(shots), 2)
            self.assertTrue(all(shot["consistent"] for shot in shots), shots)
            self.assert_let_go(in_group(target.pid), but=(b"T",))
            self.assert_goes_on(target, before, "its threads stand still")
            os.unlink(path)
        self.calm(target.pid)

    @each_user
    def test_map_that_changes_all_the_time_and_is_not_frozen(self, user):
        target = self.storm("maps", "1" if EMULATED else "3", user=user)
        marked = n = 0
        least = 60 if ALL else 4 if EMULATED else 12
        # On a busy machine a capture may be over each time before it is the target's turn.
        while n < least or not marked and n < 40 * least:
            n += 1
            before = self.report(target)[0]
            path = self.attempt(target.pid, "--no-freeze", *(["--smaps"] if n % 2 else []), user=user)
            self.assertIsNotNone(path)
            told = ask(self, "show", path)
            marked += not told["snapshot"]["consistent"]
            ends = 0
            for vma in told["vmas"]:
                start, end = int(vma["start"], 16), int(vma["end"], 16)
                self.assertLessEqual(ends, start)
                self.assertLess(start, end)
                ends = end
            self.assert_goes_on(target, before, "it stands still")
            os.unlink(path)
        self.assertGreater(marked, 0, "the map was never seen to change")
        # With a freeze the same target is of one instant.
        for _ in range(1 if EMULATED else 4):
            self.assertTrue(ask(self, "show", self.attempt(target.pid, user=user))["snapshot"]["consistent"])
        self.calm(target.pid)


class Stubborn(Hostile):
    def witness(self, *argv, user=None):
        target = Target(self, "hostile_witness", *argv, user=user)
        while self.witness_report(target)[3] < "5":
            time.sleep(0.01)
        return target

    def witness_report(self, target):
        target.lines = [line for line in target.lines if not line.startswith("report")]
        target.tell("report")
        return target.lines.pop().split()[1:]

    def unharmed(self, target, before):
        self.assert_let_go([target.pid])
        after = self.witness_report(target)
        self.assertEqual(after[:3], before[:3], "hash of its memory, signals, interrupted calls")
        until = time.monotonic() + 30 * support.SLOWNESS  # on a busy machine it may not have had its turn yet
        while self.witness_report(target)[3] == after[3]:
            self.assertLess(time.monotonic(), until, "its worker stands still")
            time.sleep(0.01)

    @each_user
    def test_it_ignores_and_blocks_every_signal(self, user):
        target = self.witness("ignore", user=user)
        before = self.witness_report(target)
        for _ in range(10):
            path = self.attempt(target.pid, user=user)
            self.assertEqual(ask(self, "show", path)["snapshot"]["consistent"], True)
        self.unharmed(target, before)
        target.end()

    @each_user
    def test_it_notices_nothing(self, user):
        target = self.witness("children", "3", user=user)
        before = self.witness_report(target)
        for options in ((), ("--tree",), ("--smaps",), ("--no-freeze",), ("--tree", "--no-freeze")):
            for _ in range(5):
                self.assertIsNotNone(self.attempt(target.pid, *options, user=user))
        for _ in range(3):
            self.assertEqual(run("show", target.pid, user=user).status, 0)
        self.unharmed(target, before)
        target.end()

    @each_user
    def test_stopped_child_in_a_tree_stays_stopped(self, user):
        target = self.witness("children", "2", user=user)
        child = int(target.lines[0].split()[1])
        os.kill(child, signal.SIGSTOP)
        self.assertTrue(process_is(child, "T"))
        before = self.witness_report(target)
        for options in ((), ("--no-freeze",)):
            path = self.attempt(target.pid, "--tree", *options, user=user)
            self.assertEqual(len(ask(self, "list", path)["snapshots"]), 3)
            time.sleep(0.02)
            self.assertEqual(kernel.state(child), "T")
        self.assertEqual(kernel.status(child)["TracerPid"], b"0")
        self.unharmed(target, before)
        os.kill(child, signal.SIGCONT)
        self.assertTrue(process_is(child, "S"))
        target.end()

    def test_child_of_a_tree_that_a_debugger_holds(self):
        target = self.witness("children", "2")
        child = int(target.lines[0].split()[1])
        ptrace(PTRACE_SEIZE, child)
        ptrace(PTRACE_INTERRUPT, child)
        self.assertTrue(process_is(child, "t"))
        path = self.attempt(target.pid, "--tree")
        shots = {shot["pid"]: shot for shot in ask(self, "list", path)["snapshots"]}
        self.assertEqual(len(shots), 3)
        self.assertTrue(all(shot["consistent"] for shot in shots.values()))
        self.assertEqual(kernel.state(child), "t")
        self.assertEqual(int(kernel.status(child)["TracerPid"]), os.getpid())
        os.waitpid(child, 0x40000000)  # __WALL
        ptrace(PTRACE_DETACH, child)
        self.assertTrue(process_is(child, "S"))


class Executing(Hostile):
    @each_user
    def test_stuck_child_of_a_tree_keeps_nobody_waiting(self, user):
        target = Target(self, "hostile_exec", "tree", "3600", user=user)
        stuck, other = (int(line.split()[1]) for line in target.lines)
        if not process_is(stuck, "D"):
            skip(self, "here nobody may trace a thread of its parent")
        path = self.attempt(target.pid, "--tree", user=user)
        # It runs for a moment whenever somebody wakes it, and with others beside it for longer.
        self.assertTrue(process_is(stuck, "D"), "the capture has waited for it")
        self.assertIsNotNone(path)
        frozen = {}
        for n, shot in enumerate(ask(self, "list", path)["snapshots"], 1):
            self.assertTrue(shot["consistent"], shot)
            frozen[shot["pid"]] = ask(self, "show", f"{path}@{n}")["snapshot"]["freeze"]
        self.assertEqual([frozen[pid] for pid in (target.pid, stuck, other)], ["full", "partial", "full"])
        self.assertEqual(kernel.status(stuck)["TracerPid"], b"0")
        self.assert_let_go([target.pid, other])
        target.end()

    def test_threads_that_execute_have_not_exited(self):
        target = Target(self, "hostile_exec", "storm")
        for _ in range(10 if EMULATED else 60):
            path = fresh(support.me())
            result = run("capture", target.pid, "-q", "-o", path)
            self.assertEqual(result.status, 0, result)
            os.unlink(path)
        self.assertIsNone(target.process.poll())
        target.end()


class Elsewhere(Hostile):
    """In namespaces of its own."""

    def inside(self, *unshare, say=b""):
        """A witness behind unshare(1): the process that is to be looked at, as we see it."""
        program = os.path.join(world().targets, "hostile_witness")
        support.need_namespaces(self, *unshare)
        process = subprocess.Popen(["unshare", *unshare, program], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, bufsize=0)
        self.addCleanup(self.end, process)
        while process.stdout.readline() != b"ready\n":
            self.assertIsNone(process.poll())
        children = kernel.read(f"/proc/{process.pid}/task/{process.pid}/children").split()
        return process, int(children[0]) if children else process.pid

    def end(self, process):
        process.stdin.close()  # at the end of its input it exits
        try:
            process.wait(timeout=5 * support.SLOWNESS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def seen_from_outside(self, *unshare):
        _, pid = self.inside(*unshare)
        path = self.attempt(pid)
        self.assertIsNotNone(path)
        told = ask(self, "show", path)["snapshot"]
        self.assertEqual(told["pid"], pid)
        self.assertTrue(told["consistent"])
        self.assertEqual(os.path.basename(told["exe"]), "hostile_witness")
        self.assert_let_go([pid])
        return told

    def test_pid_namespace(self):
        told = self.seen_from_outside(*ROOTLESS, "--pid", "--fork", "--mount-proc")
        self.assertNotEqual(told["pid_namespace"], os.stat("/proc/self/ns/pid").st_ino)

    def test_user_namespace(self):
        self.seen_from_outside("--user", "--map-root-user")

    def test_mount_namespace(self):
        self.seen_from_outside(*ROOTLESS, "--mount")

    def test_all_at_once(self):
        self.seen_from_outside(*ROOTLESS, "--pid", "--fork", "--mount-proc", "--mount", "--net", "--ipc", "--uts")

    def test_command_in_a_pid_namespace_with_the_proc_of_another(self):
        """The numbers in /proc are not those that ptrace takes: another process would be frozen."""
        target = Target(self, "hostile_witness")
        path = fresh(support.me())
        command = ["unshare", *ROOTLESS, "--pid", "--fork", world().vmsnap, "capture", str(target.pid), "-o", path]
        support.need_namespaces(self, *ROOTLESS, "--pid", "--fork")
        done = subprocess.run(command, stderr=subprocess.PIPE, env=world().env)
        self.assertEqual(done.returncode, 2, done)
        self.assertRegex(done.stderr.decode(), r"^vmsnap: [^\n]*namespace[^\n]*\n$")
        self.assertFalse(os.path.exists(path))
        if not ROOTLESS:  # others would be root in a user namespace, with no right to what lies outside
            done = subprocess.run([*command, "--no-freeze"], stderr=subprocess.PIPE, env=world().env)
            self.assertEqual(done.returncode, 0, done)
        self.assert_let_go([target.pid])

    def another_root(self):
        """A folder with a program at a path where here there is another."""
        if not support.ROOT:
            skip(self, "another root needs root")
        root = os.path.join(world().folder, "another-root")
        os.makedirs(os.path.join(root, "bin"), exist_ok=True)
        os.makedirs(os.path.join(root, "old"), exist_ok=True)
        source = os.path.join(root, "program.c")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include <unistd.h>\nint in_another_root = 1;\nint main(void) { write(1, \"ready\\n\", 6);"
                       " for (;;) pause(); }\n")
        if subprocess.run(["cc", "-static", "-g", "-Wl,--build-id", "-o", os.path.join(root, "bin/true"), source],
                          stderr=subprocess.DEVNULL).returncode:
            skip(self, "no compiler makes static programs here")
        return root

    def in_another_root(self, root, command, exe):
        """The file that was mapped is the one below the target's root, whatever lies at that path here."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if process.stdout.readline() != b"ready\n":
                skip(self, f"this machine cannot {command[0]}")
            path = self.attempt(process.pid)
            told = ask(self, "show", path)
            self.assertEqual(told["snapshot"]["exe"], exe)
            ids = {vma["build_id"] for vma in told["vmas"] if vma["name"] == exe}
            self.assertEqual(ids, {self.build_id(os.path.join(root, "bin/true"))})
            self.assertNotEqual(ids, {self.build_id("/bin/true")})
            self.assertEqual(kernel.state(process.pid), "S")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        data = next(vma for vma in told["vmas"] if vma["name"] == exe and "w" in vma["perms"])
        return path, data["start"]

    def test_another_root(self):
        root = self.another_root()
        program = os.path.join(root, "bin/true")
        self.in_another_root(root, ["chroot", root, "/bin/true"], program)

    def test_container_whose_program_has_the_path_of_another_here(self):
        support.need_namespaces(self, "--mount")
        root = self.another_root()
        script = 'mount --bind "$1" "$1" && cd "$1" && pivot_root . old && exec /bin/true'
        command = ["unshare", "--mount", "sh", "-c", script, "sh", root]
        path, data = self.in_another_root(root, command, "/bin/true")
        # It is gone now, and its file is not below our root: the one that lies here is another.
        page = run("page", path, data, "--json")
        self.assertEqual(page.status, 0, page)
        self.assertRegex(page.err, "/bin/true: not the file that was mapped")
        self.assertEqual({name["symbol"] for name in json.loads(page.out)["names"]}, {None})

    def build_id(self, path):
        notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        found = re.search(r"Build ID: ([0-9a-f]+)", notes.decode())
        return found[1] if found else None


# What an ordinary user needs to make any other namespace.
ROOTLESS = () if kernel.capable(kernel.SYS_ADMIN) else ("--user", "--map-root-user")

EVIL = [b"\x1b[2J\x1b]0;x\x07", b"\nforged 1 line", b"a\tb\rc", b'"},{"pid":1', b"<b>&amp;<i>", b"\xff\xfe\xc0\x80",
        b"\xe2\x80\xae\xe2\x80\x8bright", b"\xc2\x9b31m", b" (deleted)", b"%n%s%x", b"\\x1b[2J", b"'; rm x; '"]


class Names(Hostile):
    """Names of files, threads, arguments and the process itself, in every command's output."""

    def commands(self, path, pid, address):
        yield ("show", path), ((), ("--raw",), ("--json",), ("--ascii",))
        yield ("show", pid), ((), ("--raw",), ("--json",))
        yield ("pages", path), ((), ("--raw",), ("--json",))
        yield ("map", path), ((), ("--json",))
        yield ("page", path, address), ((), ("--json",))
        yield ("page", path, "1000"), ((), ("--json",))
        yield ("list", path), ((), ("--raw",), ("--json",), ("--ascii",))
        yield ("check", path), ((), ("--json",))
        yield ("status", path), ((), ("--json",))
        yield ("diff", f"{path}@1", f"{path}@2"), ((), ("--long",), ("--json",))
        yield ("cow", f"{path}@1", f"{path}@2"), ((), ("--long",), ("--json",))

    def harmless(self, result, what, plain):
        self.assertIn(result.status, (0, 1, 2), (what, result))
        for text in (result.out, result.err.encode()):
            decoded = text.decode("utf-8")
            bad = [ch for ch in decoded if ch != "\n" and not ch.isprintable()]
            self.assertEqual(bad, [], what)
            if plain:
                self.assertTrue(decoded.isascii(), what)
        self.assertNotIn(b"\nforged", result.out, what)

    def rows_are_whole(self, result, what):
        """As many columns in each line as there are headings."""
        lines = result.out.decode().splitlines()
        columns = len(lines[0].split(" "))
        for line in lines[1:]:
            self.assertEqual(len(line.split(" ")), columns, (what, lines[0], line))

    @each_user
    def test_no_output_is_moved_or_forged(self, user):
        target = Target(self, "hostile_names", *map(os.fsdecode, EVIL), user=user)
        path = capture(self, target.pid, "--label", os.fsdecode(EVIL[0]), user=user)
        self.assertEqual(run("capture", target.pid, "--append", "-q", "-o", path, user=user).status, 0)
        start = ask(self, "show", path)["vmas"][0]["start"]
        for argv, variants in self.commands(path, target.pid, start):
            for options in variants:
                what = (argv[0], *options)
                result = run(*argv, *options, user=user)
                self.harmless(result, what, "--ascii" in options)
                if "--json" in options and result.status != 2:
                    self.assertRegex(json.loads(result.out)["schema"], r"^vmsnap\.[a-z]+/1$", what)
                elif "--raw" in options:
                    self.rows_are_whole(result, what)
        target.end()

    @each_user
    def test_names_are_kept_byte_for_byte(self, user):
        target = Target(self, "hostile_names", *map(os.fsdecode, EVIL), user=user)
        path = capture(self, target.pid, user=user)
        snapshot = vmsfile.open_file(path).load(0)
        self.assertEqual(snapshot["identity"]["cmdline"], b"\0".join([b"hostile_names", *EVIL]) + b"\0")
        self.assertEqual(snapshot["identity"]["comm"], EVIL[0][:15])
        comms = {thread["comm"] for thread in snapshot["threads"]}
        for name in EVIL:
            self.assertIn(name[:15], comms)
        target.end()

    def test_messages_are_harmless_too(self):
        for name in EVIL:
            for argv in (("show", name), ("capture", name), ("list", name), ("show", b"1@" + name),
                         ("pages", name, name)):
                command = [os.fsencode(word) for word in (world().vmsnap, *argv)]
                result = support.Result(subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                                       stderr=subprocess.PIPE, env=world().env))
                self.assertEqual(result.status, 2, argv)
                self.harmless(result, argv, False)
                self.assertEqual(len(result.err.splitlines()), 1, result)


if __name__ == "__main__":
    support.main()
