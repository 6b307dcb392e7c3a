"""What can be done with each kind of target: a live process, one attached to, a core
file, a remote one (more in test_remote.py), a recording, none; and what becomes of it: exec, exit, restart."""

import os
import socket
import struct
import subprocess
import unittest

import truth
from gdb_session import (FRAMES, NOBODY_OR_ME, ROOT, Gdb, Target, folder, gone, kernel, main, program, sees_frames, skip,
                         wait_for, world)

LOOKS = ("take", "show", "status", "map", "pages", "diff", "page &small")


class Attached(unittest.TestCase):
    def check(self, user):
        target = Target(self, "cow_demo", user=user)
        gdb = Gdb(self, user=user, options=["-p", str(target.pid)])
        gdb("vmsnap take here")
        self.assertEqual(gdb.json("vmsnap list")["snapshots"][0]["pid"], target.pid)
        start, _ = target.ranges["global_counter"]
        self.assertEqual(gdb.json(f"vmsnap page {start:#x}")["name"]["symbol"], "global_counter")
        self.assertEqual(kernel.state(target.pid), "t", "it stands as before")
        gdb("detach")
        gdb.fails("vmsnap take", "no live process")
        gdb("vmsnap show here")
        target.tell("parent")
        gdb(f"attach {target.pid}")
        table = target.ranges["table"]
        diff = gdb.json("vmsnap diff here now")
        if sees_frames(user):
            self.assertIn(truth.page_of(table[1] - 1), truth.changes(diff), "the parent wrote to the last page")
        gdb("detach")
        target.tell("parent")
        self.assertTrue(wait_for(lambda: kernel.state(target.pid) == "S"))

    def test_attach_as_root(self):
        if not ROOT:
            skip(self, "attaching as root: not root")
        self.check(0)

    def test_attach_as_ordinary_user(self):
        try:
            with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:
                if int(file.read()):
                    skip(self, "attaching as an ordinary user: Yama forbids it here")
        except FileNotFoundError:
            pass
        self.check(NOBODY_OR_ME)

    def test_automatic_snapshots_of_a_process_attached_to(self):
        target = subprocess.Popen([program("gdb_steps"), "loop"])
        self.addCleanup(target.wait)
        self.addCleanup(target.kill)
        gdb = Gdb(self, options=["-p", str(target.pid)])
        gdb("vmsnap auto break step")
        gdb.start("continue")
        before = int(kernel.status(target.pid)["voluntary_ctxt_switches"])
        self.assertTrue(wait_for(lambda: int(kernel.status(target.pid)["voluntary_ctxt_switches"]) > before + 50))
        gdb.interrupt()
        gdb.finish()
        self.assertIn("b1.1", gdb.names())
        gdb("detach")
        self.assertTrue(wait_for(lambda: kernel.state(target.pid) in "SR"), "it runs on")


class NoProcess(unittest.TestCase):
    def test_each_command_says_that_there_is_none_and_what_to_do(self):
        gdb = Gdb(self, "gdb_steps")
        for look in LOOKS:
            gdb.fails(f"vmsnap {look}")
        for look in ("take", "show", "status", "map", "pages"):
            gdb.fails(f"vmsnap {look}", "no live process")
        gdb.fails("vmsnap cow", "auto fork")
        gdb.fails("vmsnap save /tmp/never.vms")
        gdb.fails("print $_vmsnap_present(0)", "no live process")
        self.assertEqual(gdb.value("session.names_list()"), [])
        gdb("vmsnap list")
        gdb("vmsnap auto")

    def test_snapshots_outlive_the_process(self):
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        gdb("continue")
        gdb("vmsnap take")
        page = gdb.number("(unsigned long) &pages[1]")
        gdb("kill")
        gdb.fails("vmsnap diff", "gone")
        gdb.fails("vmsnap show now", "no live process")
        self.assertEqual(truth.changes(gdb.json("vmsnap diff s1 s2")).get(page), {"appeared"})

    def test_exit_between_two_commands(self):
        gdb = Gdb(self, "gdb_steps", "write", 2)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        pid = gdb.inferior()
        os.kill(pid, 9)
        self.assertTrue(wait_for(lambda: gone(pid)))
        gdb.fails("vmsnap take")
        gdb.fails("vmsnap diff")
        gdb("vmsnap show s1")

    def test_run_again_is_another_process_and_said(self):
        gdb = Gdb(self, "gdb_steps", "write", 2)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        first = gdb.inferior()
        gdb("run")
        self.assertNotEqual(gdb.inferior(), first)
        gdb.json("vmsnap diff s1 now")
        self.assertRegex(gdb.notes, rf"two processes\D+{first} and {gdb.inferior()}")


class Execs(unittest.TestCase):
    def test_exec_between_two_snapshots_is_said(self):
        gdb = Gdb(self, "gdb_steps", "exec", 3)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        pid = gdb.inferior()
        gdb("continue")
        self.assertEqual(gdb.inferior(), pid, "an exec keeps the number")
        diff = gdb.json("vmsnap diff")
        self.assertRegex(gdb.notes, "execut")
        self.assertEqual((diff["not_compared"], diff["pages"]), ("another_program", []))
        self.assertIn("another program since; not comparable page by page", gdb("vmsnap diff"))
        self.assertIn("has executed another program since s1", gdb.fails("print $_vmsnap_changed($sp)"))
        gdb("vmsnap take")
        self.assertEqual(gdb("print $_vmsnap_changed($sp)").split()[-1], "0")
        self.assertEqual(gdb.names(), ["s1", "s2"])
        self.assertIn("exited with code 03", "".join(gdb("continue") for _ in range(3)))

    def test_catch_exec(self):
        gdb = Gdb(self, "gdb_steps", "exec", 3)
        gdb("catch exec")
        gdb("run")
        gdb("vmsnap take")
        self.assertRegex(gdb.json("vmsnap list")["snapshots"][0]["reason"], "catchpoint 1|exec")


class CoreFile(unittest.TestCase):
    def core(self):
        gdb = Gdb(self, "gdb_steps", "crash")
        gdb("run")
        gdb("vmsnap take")
        pid, where = gdb.inferior(), folder(self)
        gdb(f"generate-core-file {where}/core")
        gdb(f"vmsnap save {where}/saved.vms")
        gdb("kill")
        return pid, where

    def test_core_file_is_never_looked_up_in_proc(self):
        pid, where = self.core()
        gdb = Gdb(self, program("gdb_steps"), options=["-ex", f"core-file {where}/core"])
        self.assertEqual(gdb.inferior(), pid, "gdb tells the dead one's number")
        for what in ("fork", "stop", "break step"):
            gdb.fails(f"vmsnap auto {what}", "core")
        gdb.fails("print $_vmsnap_present(&small)", "core")
        gdb(f"vmsnap load {where}/saved.vms")
        self.assertEqual(gdb.json("vmsnap show s1")["snapshot"]["pid"], pid)
        self.assertEqual(truth.changes(gdb.json("vmsnap diff s1 s1")), {})
        self.assertEqual(gdb.json("vmsnap page --at s1 &small")["name"]["symbol"], "small")

    def test_a_stranger_with_the_core_files_number_is_left_alone(self):
        pid, where = self.core()
        stranger = Target(self, "cow_demo").pid
        with open(f"{where}/core", "r+b") as file:
            data = file.read(1 << 20)
            at = notes_with(data, pid)
            self.assertTrue(at, "the number stands in the notes")
            for offset in at:
                file.seek(offset)
                file.write(struct.pack("<i", stranger))
        gdb = Gdb(self, program("gdb_steps"), options=["-ex", f"core-file {where}/core"])
        self.assertEqual(gdb.inferior(), stranger, "gdb tells a live process's number")
        self.assertEqual(gdb.json("vmsnap show")["snapshot"]["comm"], "gdb_steps")
        self.assertEqual(gdb.json("vmsnap list")["snapshots"], [])
        self.assertIn("small = 5", gdb("vmsnap print small"))
        gdb(f"vmsnap load {where}/saved.vms")
        self.assertEqual(gdb.json("vmsnap diff s1 now")["b"]["source"], "core")
        gdb.fails("print $_vmsnap_present(&small)", "core")
        for what in ("wrote next", "blame &small", "who &small", "group", "auto", "core x"):
            self.assertNotIn("cow_demo", "".join(gdb.do(f"vmsnap {what}")))


def notes_with(data, pid):
    """Where a core file's notes tell the process's number: pr_pid of NT_PRSTATUS and of
    NT_PRPSINFO (x86-64 and arm64)."""
    found, at = [], data.find(b"CORE\0")
    while at >= 12:
        kind = struct.unpack_from("<I", data, at - 4)[0]
        place = at + 8 + {1: 32, 3: 24}.get(kind, 0)
        if kind in (1, 3) and struct.unpack_from("<i", data, place)[0] == pid:
            found.append(place)
        at = data.find(b"CORE\0", at + 1)
    return found


class Remote(unittest.TestCase):
    def server(self, *arguments):
        """A gdbserver on a free port of the loopback."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen(["gdbserver", "--once", f"127.0.0.1:{port}", *arguments], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        for line in server.stdout:
            if b"Listening" in line:
                return f"127.0.0.1:{port}"
        return self.fail("gdbserver did not start")

    def test_snapshots_of_a_remote_process_are_taken_there_and_loaded_here(self):
        where = self.server(program("gdb_steps"), "write", "3")
        gdb = Gdb(self, program("gdb_steps"))
        gdb(f"target extended-remote {where}")
        gdb("break step")
        gdb("continue")
        path = os.path.join(folder(self), "remote.vms")
        subprocess.run([world().vmsnap, "capture", str(gdb.inferior()), "-o", path, "--label", "there"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=world().env)
        gdb(f"vmsnap load {path}")
        self.assertEqual(gdb.json("vmsnap page --at there &small")["name"]["symbol"], "small")
        gdb("kill")


class Recording(unittest.TestCase):
    def test_record_is_said_and_replay_too(self):
        gdb = Gdb(self, "gdb_steps", "deep", 2)
        gdb("break deep")
        gdb("run")
        gdb("record full")
        gdb("vmsnap take")
        self.assertIn("recording", gdb.notes)
        gdb("stepi 5")
        gdb("reverse-stepi 2")
        gdb("vmsnap take")
        self.assertIn("replaying", gdb.notes)
        gdb("record stop")
        gdb("vmsnap take")
        self.assertNotIn("record", gdb.notes)


class Checkpoints(unittest.TestCase):
    def test_checkpoint_and_restart_change_the_process_that_now_means(self):
        gdb = Gdb(self, "gdb_steps", "write", 4)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        first = gdb.inferior()
        gdb("checkpoint")
        gdb("restart 1")
        second = gdb.inferior()
        self.assertNotEqual(second, first)
        gdb("vmsnap take")
        self.assertEqual([row["pid"] for row in gdb.json("vmsnap list")["snapshots"]], [first, second])
        self.assertEqual(gdb.json("vmsnap show")["snapshot"]["pid"], second)
        self.assertEqual(gdb.json("vmsnap cow s1 s2")["schema"], "vmsnap.cow/1")
        self.assertEqual(kernel.maps(second)[0].start, kernel.maps(first)[0].start)


class Inferiors(unittest.TestCase):
    def two(self):
        gdb = Gdb(self, "gdb_steps", "write", 4)
        gdb("set schedule-multiple off")
        gdb("break step")
        gdb("run")
        gdb(f"add-inferior -exec {program('gdb_steps')}")
        gdb("inferior 2")
        gdb("set args write 4")
        gdb("run")
        return gdb, gdb.value("[each.pid for each in gdb.inferiors()]")

    def test_two_inferiors_of_one_program_are_told_apart(self):
        gdb, pids = self.two()
        self.assertEqual(len(set(pids)), 2)
        gdb("vmsnap take two")
        gdb("inferior 1")
        gdb("vmsnap take one")
        self.assertEqual([row["pid"] for row in gdb.json("vmsnap list")["snapshots"]], [pids[1], pids[0]])
        self.assertEqual(gdb.json("vmsnap diff")["b"]["pid"], pids[0], "the newest of the selected inferior")
        gdb("inferior 2")
        self.assertEqual(gdb.json("vmsnap diff")["a"]["label"], "two")

    def test_who_maps_a_page_and_a_file(self):
        gdb, pids = self.two()
        program_file = os.path.realpath(program("gdb_steps"))
        told = gdb.json(f"vmsnap who --json {program_file}")
        self.assertTrue(set(pids) <= {row["pid"] for row in told["processes"]})
        self.assertIn("/gdb_steps", gdb(f"vmsnap who {program_file}"))
        gdb.fails("vmsnap who /no/such/file", "no such file")
        gdb.fails("vmsnap who pfn:xyz", "hexadecimal")
        gdb.fails("vmsnap who", "usage")
        if FRAMES:
            told = gdb.json("vmsnap who --json &pages")
            self.assertEqual([row["pid"] for row in told["processes"]], [pids[1]])
            frame = gdb.value("int(gdb.parse_and_eval('$_vmsnap_pfn(&pages)'))")
            self.assertEqual(gdb.json(f"vmsnap who --json pfn:{frame:x}")["processes"][0]["pid"], pids[1])
            gdb("vmsnap take --kpage known")
            rows = gdb.json("vmsnap pages known &pages +1")["runs"]
            self.assertGreaterEqual(rows[0]["mapped_times"], 1)
        self.assertNotIn("mapped_times", gdb.json("vmsnap pages now &pages +1")["runs"][0])

    def test_group_is_of_all_inferiors_or_of_snapshots(self):
        gdb, pids = self.two()
        told = gdb.json("vmsnap group")
        self.assertEqual([one["pid"] for one in told["processes"]], pids)
        self.assertEqual(told["totals"]["address_spaces"], 2)
        self.assertIsNone(told["taken_before"])
        text = gdb("vmsnap group")
        self.assertIn("2 processes gdb_steps", text)
        self.assertIn("/gdb_steps", gdb("vmsnap group --by mapping"))
        if FRAMES:
            self.assertIn("pages", [row["name"] for row in gdb.json("vmsnap group --by name")["rows"]])
            self.assertTrue(all(one["pss"] for one in told["processes"]))
        gdb("vmsnap take first")
        later = gdb.json("vmsnap group first now")
        self.assertEqual([(one["pid"], one["change"]) for one in later["processes"]],
                         [(pids[0], "came"), (pids[1], None)])
        gdb("vmsnap take second")
        self.assertIsNotNone(gdb.json("vmsnap group first second")["lost"])
        gdb("vmsnap take third")
        gdb.fails("vmsnap group first second third", "more than two instants")
        gdb.fails("vmsnap group first second now", "more than two instants")
        gdb.fails("vmsnap group nothing", "nothing")
        gdb.fails("vmsnap group --by colour", "mapping, name")

    def test_take_all_takes_every_live_inferior(self):
        gdb, pids = self.two()
        said = gdb("vmsnap take --all both")
        self.assertEqual(len(said.splitlines()), 2)
        rows = gdb.json("vmsnap list")["snapshots"]
        self.assertEqual({row["pid"] for row in rows}, set(pids))
        self.assertEqual({row["name"] for row in rows}, {"both.1", "both.2"})
        gdb("kill inferiors 1")
        gdb("vmsnap take --all")
        self.assertEqual(len(gdb.names()), 3)


class Threads(unittest.TestCase):
    def test_non_stop_with_running_threads_is_taken_and_noted(self):
        gdb = Gdb(self, "gdb_threads", 2, "run")
        gdb("set non-stop on")
        gdb("break all_here")
        gdb("run")
        gdb("vmsnap take")
        row = gdb.json("vmsnap list")["snapshots"][0]
        self.assertNotIn(row["freeze"], ("full", "debugger"))
        states = {kernel.read(f"/proc/{gdb.inferior()}/task/{tid}/stat").rpartition(b") ")[2][:1]
                  for tid in os.listdir(f"/proc/{gdb.inferior()}/task")}
        self.assertIn(b"R", states, "the others run on")
        self.assertIn(b"t", states)

    def test_all_threads_stand_in_all_stop_mode(self):
        gdb = Gdb(self, "gdb_threads", 3)
        gdb("break all_here")
        gdb("run")
        gdb("vmsnap take")
        row = gdb.json("vmsnap list")["snapshots"][0]
        self.assertEqual((row["freeze"], row["threads"], row["consistent"]), ("debugger", 4, True))
        gdb("delete")
        self.assertIn("exited normally", gdb("continue"))


if __name__ == "__main__":
    main()
