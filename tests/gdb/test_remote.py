"""Processes behind gdbserver: what is told of them is what the kernel says there; what cannot be had is said to be
unknown; nothing is asked of this machine's processes; and how many round trips it takes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from unittest import mock

import gdb_session
import truth
from gdb_session import (FRAMES, HERE, ROOT, Gdb, environment, folder, kernel, main, me, need_frames, need_namespaces, program,
                         skip, world)

LIMIT = 1 << 40  # above, gdbserver reads no entries of pagemap (13.1, 16.3)
UNREAD = kernel.SWAPPED | 1 << 60 | 1 << 59  # as Snapshot.pages() has it
TOLD_BY_SMAPS = kernel.PRESENT | kernel.FILE | kernel.EXCLUSIVE
ROUND_TRIPS = 30
PATIENCE = "set remotetimeout 120"  # a busy machine needs more than gdb's 2 s for a stub to start
LATENCY = 0.02  # of a round trip, in seconds
# As "ip link set lo up" does, which is not everywhere: SIOCSIFFLAGS with IFF_UP.
LOOPBACK_UP = '''
import fcntl, socket, struct, time
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 1))
print("up", flush=True)
time.sleep(600)
'''
REFUSED_REMOTELY = ("who &small", "blame", "blame &small", "group", "auto fork --keep-child")


def need_gdbserver(test):
    for name in ("gdbserver", "setpriv"):
        if not shutil.which(name):
            skip(test, f"{name} is not installed")


def need_program(test, name):
    if not os.path.exists(program(name)):
        skip(test, f"{name}: the compiler makes no programs of 32 bits")
    return program(name)


# A gdbserver (13.1) whose gdb was killed may read a pipe that has ended without end.
DIES_WITH_GDB = "exec setpriv --pdeathsig KILL"


def remote(test, name, *arguments, before="", wrapper="", extended=False):
    """A gdb that has a program behind gdbserver, on a pipe, at its start."""
    need_gdbserver(test)
    gdb = Gdb(test, options=["-ex", f"file {need_program(test, name)}"])
    gdb("set sysroot /")
    gdb(PATIENCE)
    if extended:
        gdb.do(f"target extended-remote | {DIES_WITH_GDB} gdbserver --multi -")
        gdb(f"set remote exec-file {program(name)}")
    else:
        words = " ".join((program(name), *map(str, arguments)))
        wrapped = f"--wrapper {wrapper} --" if wrapper else ""
        gdb.do(f"target remote | {DIES_WITH_GDB} {before} gdbserver {wrapped} - {words}")
    return gdb


def stop_at_step(gdb, count=1):
    gdb.do("break step")
    for _ in range(count):
        gdb.do("continue")


def entries(gdb, name, start, end):
    return gdb.value(f"list(session.entry({name!r}).snapshot.pages({start}, {end}))")


class PageStates(unittest.TestCase):
    """Against pagemap, read here by the tests themselves while the process stands."""

    def check(self, name, all_read):
        gdb = remote(self, name, "write", 3)
        stop_at_step(gdb, 2)
        gdb("vmsnap take")
        pid, read, told, unread = gdb.inferior(), 0, 0, 0
        for mapping in kernel.maps(pid):
            there = kernel.entries(pid, [(mapping.start, mapping.end)])
            if mapping.start >> 63:
                continue
            for index, entry in enumerate(entries(gdb, "s1", mapping.start, mapping.end)):
                address = mapping.start + index * kernel.PAGE
                expected = there.get(address, 0)
                # Who else maps a page of a file comes and goes.
                others = kernel.EXCLUSIVE if expected & kernel.FILE else 0
                if entry == UNREAD:
                    self.assertGreaterEqual(address, LIMIT, "it could be read")
                    unread += 1
                elif address >= LIMIT:
                    ours = TOLD_BY_SMAPS & ~others
                    self.assertEqual(entry & ours, expected & ours, hex(address))
                    told += 1
                else:
                    ours = ~(kernel.SOFT_DIRTY | 1 << 59 | 1 << 60 | others)  # ZERO, which this test does not look up
                    self.assertEqual(entry & ours, expected & ours, hex(address))
                    read += 1
        self.assertGreater(read, 64, "the pages of pages[], at least")
        if all_read:
            self.assertEqual((told, unread), (0, 0))
        else:
            self.assertGreater(told, 0)
            self.assertGreater(unread, 0)
        return gdb

    def test_of_32_bits_all_are_known(self):
        self.check("gdb_steps_32", True)

    def test_below_1_tib_all_are_known_and_above_what_smaps_says_of_whole_mappings(self):
        gdb = self.check("gdb_steps_low", False)
        self.assertIn("could not be read", gdb("vmsnap show s1"))
        stack = gdb.number("$sp")
        self.assertEqual(gdb.json(f"vmsnap page --at s1 {stack}")["state"], "unread")
        self.assertIn("1 TiB", gdb.fails("print $_vmsnap_present($sp)"))

    def test_the_word_at_take_comes_once(self):
        gdb = remote(self, "gdb_steps", "write", 3)
        stop_at_step(gdb)
        gdb("vmsnap take")
        self.assertIn("could not be read", gdb.notes)
        gdb("vmsnap take")
        self.assertNotIn("could not be read", gdb.notes)

    def test_what_was_not_read_did_not_change_for_certain(self):
        gdb = remote(self, "gdb_steps", "write", 3)
        stop_at_step(gdb)
        gdb("vmsnap take")
        gdb.do("continue")
        self.assertIn("not known: whether anything changed in", gdb("vmsnap diff"))
        diff = gdb.json("vmsnap diff")
        self.assertIsNone(diff["totals"]["appeared"] if "appeared" in diff["totals"] else None)


def build_ids(gdb, name):
    return gdb.value(f"{{m.name: m.build_id.hex() for m in session.entry({name!r}).snapshot.mappings if m.build_id}}")


class Looks(unittest.TestCase):
    def setUp(self):
        self.gdb = remote(self, "gdb_steps_low", "write", 5)
        stop_at_step(self.gdb)

    def test_diff_page_wrote_and_functions(self):
        gdb = self.gdb
        gdb("vmsnap take")
        gdb.do("continue")
        page = gdb.number("(unsigned long) &pages[1]")
        diff = gdb.json("vmsnap diff")
        self.assertEqual(truth.changes(diff).get(page), {"appeared"})
        self.assertEqual(gdb.json("vmsnap page &pages[1]")["name"]["symbol"], "pages")
        self.assertIn("pages[1].value", gdb("vmsnap diff"))
        self.assertIn("appeared", gdb("vmsnap page &pages[1]"))
        self.assertEqual(gdb("print $_vmsnap_present(&pages[1])").split()[-1], "1")
        self.assertEqual(gdb("print $_vmsnap_present(&pages[4])").split()[-1], "0")
        self.assertEqual(gdb("print $_vmsnap_changed(&pages[1])").split()[-1], "1")
        self.assertIn("pages[2].value", gdb("vmsnap wrote continue"))
        self.assertIn("s1", gdb("vmsnap list"))
        for look in ("show", "map", "pages", "status", "dump &small"):
            self.assertTrue(gdb(f"vmsnap {look}"), look)

    def test_a_frame(self):
        need_frames(self)
        where = self.gdb.number("(unsigned long) &pages[0]")
        entry = kernel.entries(self.gdb.inferior(), [(where, where + kernel.PAGE)])[where]
        self.assertEqual(int(self.gdb("print $_vmsnap_pfn(&pages[0])").split()[-1]), entry & kernel.FRAME)

    def test_saved_and_loaded_it_is_the_same(self):
        gdb, path = self.gdb, os.path.join(folder(self), "remote.vms")
        gdb("vmsnap take")
        shown = gdb("vmsnap pages s1")
        gdb(f"vmsnap save --contents {path}")
        done = subprocess.run([world().vmsnap, "pages", path, "--color=never", "-w", "0"], env=world().env, check=True,
                              stdout=subprocess.PIPE, encoding="utf-8")
        self.assertEqual([line.split()[:3] for line in done.stdout.splitlines() if re.match("[0-9a-f]+ ", line)],
                         [line.split()[:3] for line in shown.splitlines() if re.match("[0-9a-f]+ ", line)])
        subprocess.run([world().vmsnap, "check", path], env=world().env, check=True, stdout=subprocess.DEVNULL)

    def test_what_cannot_work_says_so_in_one_line(self):
        for command in REFUSED_REMOTELY:
            said = self.gdb.fails(f"vmsnap {command}", "remote target")
            self.assertEqual(len(said.splitlines()), 1, said)
        for setting in ("track on", "blame on"):
            self.gdb.fails(f"set vmsnap {setting}", "remote target")
        self.gdb("vmsnap take")

    def test_contents_are_what_memory_holds(self):
        self.gdb("vmsnap take")
        start = self.gdb.number("(unsigned long) &pages[0]")
        held = self.gdb.value(f"session.entry('s1').snapshot.read({start}, 64).hex()")
        with open(f"/proc/{self.gdb.inferior()}/mem", "rb") as memory:
            memory.seek(start)
            self.assertEqual(held, memory.read(64).hex())

    def test_its_command_line(self):
        self.gdb("vmsnap take")
        self.assertEqual(self.gdb.json("vmsnap show s1")["snapshot"]["cmdline"], [program("gdb_steps_low"), "write", "5"])

    def test_looking_makes_no_page(self):
        pid = self.gdb.inferior()
        ranges = [(each.start, each.end) for each in kernel.maps(pid)]
        before = set(kernel.entries(pid, ranges))
        for command in ("take", "show", "map", "pages", "take --contents", "page &pages[3]"):
            self.gdb(f"vmsnap {command}")
        self.assertEqual(set(kernel.entries(pid, ranges)), before)

    def test_build_ids_are_those_of_the_files_there(self):
        self.gdb("set vmsnap contents off")
        self.gdb("vmsnap take")
        self.assertEqual(build_ids(self.gdb, "s1"), {}, "each takes round trips")
        self.gdb("vmsnap take --contents")
        told = self.gdb.value("{o.filename: o.build_id for o in gdb.objfiles() if o.build_id}")
        told = {os.path.realpath(path): found for path, found in told.items()}
        ids = build_ids(self.gdb, "s2")
        self.assertIn(os.path.realpath(program("gdb_steps_low")), ids)
        self.assertGreater(len(ids), 1, "of libraries, too")
        for path, found in ids.items():
            self.assertEqual(found, told[os.path.realpath(path)], path)
        self.gdb("vmsnap take")
        self.assertEqual(build_ids(self.gdb, "s3"), ids, "they are known")

    def test_its_end(self):
        self.gdb("vmsnap take")
        self.gdb("kill")
        self.gdb.fails("vmsnap show now", "no live process")
        self.gdb("vmsnap show s1")


class Forks(unittest.TestCase):
    def check(self, name, keep):
        gdb = remote(self, name, extended=True)
        if keep:
            gdb("set detach-on-fork off")
            gdb("set schedule-multiple on")
        gdb("vmsnap auto fork")
        gdb("break handle")
        gdb.do("run")
        return gdb

    def test_both_sides_of_a_fork_that_gdb_keeps(self):
        gdb = self.check("gdb_demo_32", True)
        self.assertEqual(gdb.names(), ["fork1.parent", "fork1.child"])
        pids = [row["pid"] for row in gdb.json("vmsnap list")["snapshots"]]
        self.assertEqual(gdb.json("vmsnap cow fork1.parent fork1.child")["schema"], "vmsnap.cow/1")
        counter = gdb.number("(unsigned long) &counter")
        if gdb.inferior() != pids[1]:
            gdb("inferior 2")
        gdb("next")
        cow = gdb.json("vmsnap cow")
        self.assertEqual([cow["parent"]["pid"], cow["child"]["pid"]], pids)
        if FRAMES:
            told = truth.by_page(cow["ranges"], "verdict")
            self.assertEqual(told[counter], "copied_by_child", "a page of its own")
        gdb("kill inferiors 1 2")

    def test_a_child_that_gdb_lets_go(self):
        gdb = self.check("gdb_demo_low", False)
        self.assertEqual(gdb.names()[:2], ["fork1.parent", "fork1.child"])
        self.assertEqual(gdb.json("vmsnap cow fork1.parent fork1.child")["schema"], "vmsnap.cow/1")


class WhoseProcess(unittest.TestCase):
    """The number of a remote process is a stranger's here."""

    def test_in_namespaces_of_its_own_it_is_itself(self):
        if not ROOT:
            skip(self, "namespaces: not root")
        need_namespaces(self, "--pid", "--fork", "--mount-proc", "--uts")
        before = "unshare --pid --fork --mount-proc --uts --kill-child sh -c 'hostname board; exec \"$@\"' sh"
        gdb = remote(self, "gdb_steps_low", "write", 3, before=before)
        stop_at_step(gdb)
        self.assertLess(gdb.inferior(), 64, "a number of its own")
        gdb("vmsnap take")
        snapshot = gdb.json("vmsnap show s1")["snapshot"]
        self.assertEqual((snapshot["pid"], snapshot["comm"], snapshot["host"]),
                         (gdb.inferior(), "gdb_steps_low", "board"))
        gdb.do("continue")
        self.assertIn("pages[1].value", gdb("vmsnap diff"))

    def test_saved_there_its_variables_have_names_here(self):
        if not ROOT:
            skip(self, "namespaces: not root")
        need_namespaces(self, "--uts")
        for user in ("", "setpriv --reuid 65534 --clear-groups "):
            before = f"unshare --uts sh -c 'hostname board; exec {user}{DIES_WITH_GDB[5:]} \"$@\"' sh"
            gdb, path = remote(self, "gdb_steps_low", "write", 3, before=before), os.path.join(folder(self), "board.vms")
            stop_at_step(gdb)
            gdb("vmsnap take --contents")
            gdb(f"vmsnap save {path}")
            page = subprocess.run([world().vmsnap, "page", path, hex(gdb.number("(unsigned long) &pages[1]")), "--json"],
                                  env=world().env, check=True, stdout=subprocess.PIPE)
            self.assertEqual(json.loads(page.stdout)["name"]["symbol"], "pages")

    def test_nothing_of_a_strangers_proc_is_opened(self):
        if not shutil.which("strace"):
            skip(self, "strace is not installed")
        if not ROOT:
            skip(self, "strace of a gdb: not root")
        need_namespaces(self, "--pid", "--fork", "--mount-proc")
        trace = os.path.join(folder(self), "trace")
        with mock.patch.object(gdb_session, "GDB", f"strace -o {trace} -e trace=open,openat,pidfd_open,kill gdb"):
            gdb = remote(self, "gdb_steps_low", "write", 4,
                         before="unshare --pid --fork --mount-proc --kill-child")
        stop_at_step(gdb)
        pid = gdb.inferior()
        for command in ("take", "diff", "page &pages[0]", "wrote next", "show", "auto stop", "auto fork"):
            gdb(f"vmsnap {command}")
        gdb.do("next")
        gdb.do("kill")
        gdb.fails("vmsnap diff s1 now")
        with open(trace, encoding="utf-8", errors="replace") as file:
            opened = [line for line in file if f'"/proc/{pid}/' in line or f'"/proc/{pid}"' in line
                      or re.search(rf"(kill|pidfd_open)\({pid},", line)]
        self.assertEqual(opened, [])


class ThreadLocals(unittest.TestCase):
    def test_the_programs_of_each_thread(self):
        gdb = remote(self, "gdb_threads", 3)
        gdb.do("break all_here")
        gdb.do("continue")
        gdb("vmsnap take --contents")
        of_libraries = gdb.value("[n.symbol for n in session.entry('s1').snapshot.annotations() if n.symbol == 'errno']")
        self.assertEqual(of_libraries, [], "each would take many packets")
        numbers = gdb.value("[(t.num, t.ptid[1]) for t in gdb.selected_inferior().threads()]")
        self.assertEqual(len(numbers), 4)
        for number, tid in numbers:
            gdb.do(f"thread {number}")
            page = gdb.json(f"vmsnap page --at s1 {gdb.number('(unsigned long) &of_thread'):#x}")
            self.assertEqual((page["name"]["symbol"], page["name"]["kind"], page["name"]["tid"]),
                             ("of_thread", "thread_local", tid))

    def test_they_take_no_packet(self):
        gdb = remote(self, "gdb_threads", 3)
        gdb("set vmsnap contents off")
        gdb.do("break all_here")
        gdb.do("continue")
        for _ in range(2):  # what the first one opened is closed with the next
            gdb("vmsnap take")
        gdb.do("python from vmsnap_gdb import thread_locals")
        with_them = len(packets(gdb, "vmsnap take"))
        gdb.do("python thread_locals.of_thread = lambda *_: []")
        self.assertEqual(len(packets(gdb, "vmsnap take")), with_them)


class NoLinux(unittest.TestCase):
    def check(self, word, *arguments):
        gdb = Gdb(self)
        gdb(PATIENCE)
        stub = " ".join((sys.executable, os.path.join(HERE, "stub.py"), *arguments))
        gdb.do(f"target remote | {stub}")
        for command in ("take", "show", "map", "pages", "status", "auto fork", "auto stop"):
            said = gdb.fails(f"vmsnap {command}", "remote target", word)
            self.assertEqual(len(said.splitlines()), 1, said)

    def test_a_stub_that_knows_no_files(self):
        self.check("vFile")

    def test_a_machine_without_proc(self):
        self.check("no Linux", "linux")


def packets(gdb, command, word="Snapshot "):
    """How many it sends, and says the word."""
    gdb("set debug remote 1")
    try:
        said, complaint = gdb.do(command)
        gdb.test.assertIn(word or "", said, complaint)
    finally:
        gdb.do("set debug remote 0")
    return re.findall(r"Sending packet: \$(\w*)", said + complaint)


class RoundTrips(unittest.TestCase):
    def count(self, name, wrapper=""):
        gdb = remote(self, name, "write", 3, wrapper=wrapper)
        gdb("set vmsnap contents off")
        stop_at_step(gdb, 2)
        first, second = packets(gdb, "vmsnap take"), packets(gdb, "vmsnap take")
        shown = gdb.json("vmsnap show s1")
        self.assertTrue(first)
        print(f"{name}: {len(shown['vmas'])} mappings, {kernel.status(gdb.inferior())['VmRSS'].decode().strip()} "
              f"resident: {len(first)} packets, then {len(second)}", flush=True)
        return shown, first, second

    def test_of_30_mappings(self):
        need_gdbserver(self)
        # Some libraries more.
        shown, first, second = self.count("gdb_steps", "env LD_PRELOAD=libdl.so.2:librt.so.1")
        self.assertGreaterEqual(len(shown["vmas"]), 30)
        self.assertLessEqual(len(first), ROUND_TRIPS)
        self.assertLess(len(second), len(first))

    def test_where_all_of_pagemap_is_read(self):
        _, first, second = self.count("gdb_steps_32")
        self.assertLessEqual(len(first), ROUND_TRIPS)
        self.assertLess(len(second), len(first))

    def test_a_link_of_20_ms(self):
        """In a network namespace of the test's own; and no machine needs netem for it."""
        need_gdbserver(self)
        inside = self.network()
        server = self.started([*inside, "gdbserver", "--once", "127.0.0.1:1234", program("gdb_steps_low"), "write", "3"], b"Listening")
        self.started([*inside, sys.executable, os.path.join(HERE, "slow_link.py"), "1235", "1234", str(LATENCY / 2)], b"ready")
        with mock.patch.object(gdb_session, "GDB", " ".join([*inside, gdb_session.GDB])):
            gdb = Gdb(self, options=["-ex", f"file {program('gdb_steps_low')}"])
        gdb("set vmsnap contents off")
        gdb("set sysroot /")
        gdb.do("target remote 127.0.0.1:1235")
        stop_at_step(gdb)
        for word, command in (("the first take", "take"), ("another", "take"), ("a diff", "diff")):
            began = time.monotonic()
            count = len(packets(gdb, f"vmsnap {command}", None))
            took = time.monotonic() - began
            print(f"{word}: {count} packets in {took:.2f} s", flush=True)
            self.assertGreaterEqual(took, count * LATENCY, "the link is not as slow as it should be")
        gdb("set vmsnap contents full")
        self.assertIn("pages[1].value", gdb("vmsnap wrote continue"))
        gdb.do("kill")
        server.wait()

    def network(self):
        """What is before a command that is to run in a network of its own."""
        if not ROOT:
            skip(self, "a network namespace: not root")
        need_namespaces(self, "--net")
        holder = self.started(["unshare", "--net", sys.executable, "-c", LOOPBACK_UP], b"up")
        return ["nsenter", "-t", str(holder.pid), "-n"]

    def started(self, command, word):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = b"-"
        while line and word not in line:
            line = process.stdout.readline()
        self.assertIn(word, line, command)
        return process


if __name__ == "__main__":
    main()
