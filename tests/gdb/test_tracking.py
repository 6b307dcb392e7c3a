"""set vmsnap track: what was written is known without contents, and the program is left as it was."""

import json
import mmap
import os
import signal
import subprocess
import sys
import unittest

from gdb_session import Gdb, kernel, main, skip, wait_for
from test_values import MORE, WRITTEN, rows_of

ANY = ("soft-dirty", "uffd")


def smaps_protected(pid):
    """Mappings that a userfaultfd write-protects."""
    return sum(line.startswith(b"VmFlags:") and b" uw" in line for line in kernel.read(f"/proc/{pid}/smaps").splitlines())


def descriptors(pid):
    return {number: os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}


def changes_of(gdb, command, address):
    """What a diff tells of one page."""
    return [row["change"] for row in gdb.json(f"vmsnap diff {command}".strip())["pages"]
            if int(row["start"], 16) <= address < int(row["start"], 16) + row["pages"] * mmap.PAGESIZE]


class Tracking(unittest.TestCase):
    def track(self, gdb, how):
        """Turns it on, if this kernel can."""
        said, complaint = gdb.do(f"set vmsnap track {how}")
        if "soft-dirty" in complaint and "this kernel" in complaint or "6.7" in complaint or "userfaultfd" in complaint \
                and "permitted" in complaint:
            skip(self, f"tracking by {how}: {complaint.strip()}")
        self.assertEqual(complaint, "")

    def at_work(self, how, *more):
        gdb = Gdb(self, "gdb_values")
        for line in ("break work", "run", *more):
            gdb(line)
        self.track(gdb, how)
        return gdb

    def each_way(self, fn):
        done = 0
        for how in ANY:
            with self.subTest(how):
                try:
                    fn(how)
                    done += 1
                except unittest.SkipTest as skipped:
                    why = skipped
        if not done:
            raise why


class Knows(Tracking):
    def written(self, how):
        gdb = self.at_work(how, "set vmsnap contents off")
        gdb("vmsnap take a")
        gdb("next")
        gdb("next")
        self.assertEqual(gdb("print $_vmsnap_written(&counter)").split()[-1], "1")
        self.assertEqual(gdb("print $_vmsnap_written(block)").split()[-1], "0")
        self.assertEqual(gdb("print $_vmsnap_changed(block)").split()[-1], "0", "its page was not written")
        gdb.fails("print $_vmsnap_changed(&counter)", "does not keep what pages held")
        counter, block = gdb.number("(long)&counter"), gdb.number("(long)block")
        self.assertEqual(changes_of(gdb, "", counter), ["written"])
        self.assertEqual(changes_of(gdb, "", block), [])
        gdb("vmsnap take b")
        gdb("vmsnap take c")
        self.assertEqual(changes_of(gdb, "b c", counter), [])
        self.assertEqual(changes_of(gdb, "a c", counter), ["written"], "in b, and so since a")

    def test_what_was_written_is_known_without_contents(self):
        self.each_way(self.written)

    def asked(self, how):
        gdb = self.at_work(how, "set vmsnap contents off")
        gdb("vmsnap take a")
        gdb("next")
        gdb("next")
        for _ in range(3):
            self.assertEqual(gdb("print $_vmsnap_written(&counter)").split()[-1], "1", "asking forgets nothing")
            gdb("vmsnap diff")
        gdb("vmsnap wrote next")
        self.assertEqual(gdb("print $_vmsnap_written(&counter)").split()[-1], "1", "nor does wrote")

    def test_asking_leaves_the_answer_as_it_is(self):
        self.each_way(self.asked)

    def stopped(self, how):
        gdb = self.at_work(how, "set vmsnap contents off", "vmsnap auto stop")
        gdb("next")
        gdb("next")
        self.assertEqual(gdb("print $_vmsnap_written(&counter)").split()[-1], "1", "since the stop before")
        gdb("next")
        self.assertEqual(changes_of(gdb, "stop1 stop3", gdb.number("(long)&counter")), ["written"])

    def test_from_stop_to_stop(self):
        self.each_way(self.stopped)

    def breaks(self, how):
        gdb = self.at_work(how, "set vmsnap contents off", "delete")
        gdb("vmsnap take a")
        gdb("break nothing if $_vmsnap_written(&counter)")
        self.assertIn("nothing", gdb("continue"))

    def test_in_the_condition_of_a_breakpoint(self):
        self.each_way(self.breaks)

    def wrote(self, how):
        gdb = self.at_work(how)
        block = gdb.number("(long) block")
        said = gdb("vmsnap wrote --json finish")
        values = json.loads(said[said.index('{\n "schema"'):])
        rows = rows_of(row for row in values["values"] if row["kind"] == "variable")
        self.assertEqual({name for name, row in rows.items() if "more_changed" not in row}, set(WRITTEN))
        for name, (old, new) in WRITTEN.items():
            self.assertTrue(rows[name]["old"].endswith(old) and rows[name]["new"].endswith(new), (name, rows[name]))
        self.assertEqual({name: row["more_changed"] for name, row in rows.items() if "more_changed" in row}, MORE)
        self.assertEqual([(row["name"], row["block"], row["block_size"]) for row in values["values"]
                          if row["kind"] == "heap"], [("block[10]", f"{block:#x}", 104)])
        self.assertEqual(values["pages_unknown"], 0)

    def test_wrote_tells_the_same_by_what_was_written(self):
        self.each_way(self.wrote)

    def few(self, how):
        gdb = self.at_work(how)
        gdb("python\nfrom vmsnap_gdb import values\nold = values.between\ndef between(a, b, *more):\n"
            " print('<<%d %d>>' % tuple(sum(e - s for s, e in x.contents_ranges()) for x in (a, b)))\n"
            " return old(a, b, *more)\nvalues.between = between\nend")
        said = gdb("vmsnap wrote next")
        first, second = (int(word) for word in said[said.index("<<") + 2:said.index(">>")].split())
        self.assertTrue(0 < second <= first // 2, (first, second))

    def test_wrote_reads_only_what_was_written(self):
        self.each_way(self.few)

    def test_a_kernel_without_soft_dirty_bits_is_told_of_userfaultfd(self):
        gdb = Gdb(self, "gdb_values")
        said, complaint = gdb.do("set vmsnap track on")
        if not complaint:
            self.assertIn("by soft-dirty bits (on)", gdb("show vmsnap track"))
            skip(self, "a kernel without soft-dirty bits: this one has them")
        self.assertIn("set vmsnap track uffd", complaint)
        self.assertNotIn("Traceback", complaint)
        self.assertIn("(off)", gdb("show vmsnap track"))


class Unharmed(Tracking):
    """By userfaultfd, for which a thread of the program makes system calls."""

    def state(self, gdb):
        gdb("maintenance flush register-cache")
        return gdb("info registers"), gdb("output $_siginfo"), descriptors(gdb.inferior())

    def same_as_before(self, gdb):
        before = self.state(gdb)
        self.track(gdb, "uffd")
        gdb("vmsnap take --replace t")
        self.assertGreater(smaps_protected(gdb.inferior()), 0)
        self.assertEqual(self.state(gdb), before)

    def test_registers_signal_and_descriptors_are_as_before(self):
        gdb = Gdb(self, "gdb_values")
        gdb("break work")
        gdb("run")
        self.same_as_before(gdb)
        gdb("set vmsnap track off")
        self.assertEqual(smaps_protected(gdb.inferior()), 0)
        gdb("delete")
        self.assertIn("exited normally", gdb("continue") + gdb.notes)

    def test_a_signal_that_it_was_about_to_receive_is_received(self):
        gdb = Gdb(self, sys.executable, "-Sc", "import os, signal\n"
                  "signal.signal(signal.SIGUSR1, lambda *a: os.write(1, b'handled\\n'))\n"
                  "os.kill(os.getpid(), signal.SIGUSR1)\nos.write(1, b'after\\n')")
        self.assertIn("SIGUSR1", gdb("run"))
        self.same_as_before(gdb)
        said = gdb("continue")
        self.assertIn("handled\nafter\n", said)

    def waits(self, code):
        """A process that stands in a system call of this code; what it says is in .stdout."""
        process = subprocess.Popen([sys.executable, "-Suc", f"import os, time, signal, select\nprint('up')\n{code}"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(lambda: (process.kill(), process.wait(), process.stdin.close(), process.stdout.close()))
        process.stdout.readline()
        self.assertTrue(wait_for(lambda: kernel.state(process.pid) == "S"))
        return process

    def test_a_system_call_that_it_was_in_goes_on(self):
        for code in ("print(os.read(0, 9))", "select.select([0], [], []); print(os.read(0, 9))",
                     "time.sleep(0.3); print(os.read(0, 9))"):
            with self.subTest(code):
                process = self.waits(code)
                gdb = Gdb(self)
                gdb(f"attach {process.pid}")
                self.same_as_before(gdb)
                gdb("detach")
                self.assertEqual(smaps_protected(process.pid), 0, "given back")
                process.stdin.write(b"more\n")
                process.stdin.flush()
                self.assertEqual(process.stdout.readline(), b"b'more\\n'\n")

    def test_nothing_is_left_if_gdb_is_killed(self):
        process = self.waits("print(os.read(0, 9))")
        gdb = Gdb(self)
        gdb(f"attach {process.pid}")
        self.same_as_before(gdb)
        gdb.process.kill()
        self.assertTrue(wait_for(lambda: not int(kernel.status(process.pid)["TracerPid"])))
        self.assertTrue(wait_for(lambda: smaps_protected(process.pid) == 0))
        process.stdin.write(b"more\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"b'more\\n'\n")

    def test_at_a_fork_it_is_said_that_it_must_go_on_first(self):
        gdb = Gdb(self, "gdb_cow")
        gdb("catch fork")
        gdb("run")
        said, complaint = gdb.do("set vmsnap track uffd")
        if "6.7" in complaint:
            skip(self, complaint.strip())
        self.assertIn("stepi", complaint)
        self.assertIn("(off)", gdb("show vmsnap track"))
        gdb("stepi")
        self.track(gdb, "uffd")
        self.assertNotIn("userfaultfd", " ".join(descriptors(gdb.inferior()).values()))

    def test_a_program_that_filters_its_system_calls_is_left_alone(self):
        gdb = Gdb(self, sys.executable, "-Sc", "import ctypes, os, signal\n"
                  "c = ctypes.CDLL(None)\nc.prctl(38, 1, 0, 0, 0)\n"
                  "class F(ctypes.Structure): _fields_ = [('n', ctypes.c_ushort), ('p', ctypes.c_void_p)]\n"
                  "code = (ctypes.c_uint64 * 1)(6 | 0x7fff0000 << 32)\n"
                  "assert not c.prctl(22, 2, ctypes.byref(F(1, ctypes.addressof(code))))\n"
                  "os.kill(os.getpid(), signal.SIGUSR1)")
        self.assertIn("SIGUSR1", gdb("run"))
        before = self.state(gdb)
        complaint = gdb.do("set vmsnap track uffd")[1]
        if "6.7" in complaint:
            skip(self, complaint.strip())
        self.assertIn("seccomp", complaint)
        self.assertEqual(self.state(gdb), before)

    def test_children_are_not_tracked_and_exec_begins_anew(self):
        gdb = Gdb(self, "gdb_cow")
        gdb("break main")
        gdb("run")
        self.same_as_before(gdb)
        gdb("set detach-on-fork off")
        gdb("catch fork")
        gdb("delete 1")
        self.assertIn("fork", gdb("continue"))
        gdb("stepi")
        child = next(pid for pid in gdb.value("[each.pid for each in gdb.inferiors()]") if pid != gdb.inferior())
        self.assertEqual(smaps_protected(child), 0)
        self.assertGreater(smaps_protected(gdb.inferior()), 0)

    def test_after_an_exec_it_is_tracked_from_the_next_snapshot_on(self):
        gdb = Gdb(self, sys.executable, "-Sc", "import os, sys\nos.kill(os.getpid(), 10)\n"
                  "os.execv(sys.executable, [sys.executable, '-Sc', 'import os; os.kill(os.getpid(), 10)'])")
        self.assertIn("SIGUSR1", gdb("run"))
        self.same_as_before(gdb)
        self.assertIn("SIGUSR1", gdb("signal 0"))
        self.assertEqual(smaps_protected(gdb.inferior()), 0)
        gdb("vmsnap take x")
        gdb("vmsnap take y")
        self.assertEqual(gdb.value("session.entry('y').snapshot.info.known.written"), 2)

    def test_with_threads_and_not_while_they_run(self):
        gdb = Gdb(self, "gdb_threads", "2", "run")
        gdb("set non-stop on")
        gdb("break all_here")
        gdb("run")
        complaint = gdb.do("set vmsnap track uffd")[1]
        if "6.7" in complaint:
            skip(self, complaint.strip())
        self.assertIn("threads of process", complaint)
        self.assertIn("run", complaint)
        gdb = Gdb(self, "gdb_threads", "2")
        gdb("break all_here")
        gdb("run")
        self.same_as_before(gdb)

    def test_a_kill_and_a_new_run(self):
        gdb = Gdb(self, "gdb_values")
        gdb("break work")
        gdb("run")
        self.same_as_before(gdb)
        gdb("run")
        gdb("vmsnap take again")
        gdb("next")
        self.assertEqual(gdb("print $_vmsnap_written(&calls)").split()[-1], "1")
        gdb("kill")
        gdb.fails("vmsnap take", "no live process")
        self.assertIn("(uffd)", gdb("show vmsnap track"))


if __name__ == "__main__":
    main()
