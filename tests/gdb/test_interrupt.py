"""Ctrl-C: in the middle of a long capture, and while automatic snapshots are taken."""

import time
import unittest

from gdb_session import SECONDS, Gdb, Target, kernel, main


def memory(pid):
    """MiB of memory of its own."""
    status = kernel.status(pid)
    return int(status["RssAnon"].split()[0]) >> 10


class Interrupt(unittest.TestCase):
    def interrupt_capture(self, gdb, pid):
        """Ctrl-C while page states are read."""
        end = time.monotonic() + SECONDS
        while not gdb.holds_open(f"/proc/{pid}/pagemap"):
            self.assertLess(time.monotonic(), end)
        gdb.interrupt()
        start = time.monotonic()
        self.said = gdb.finish()
        self.assertLess(time.monotonic() - start, 10)

    def test_ctrl_c_in_a_capture_of_16_gib_keeps_nothing(self):
        # One piece of memory, mapped 64 times: many pages to look at, little memory.
        target = Target(self, "big", "mapped", 256, 64)
        gdb = Gdb(self, options=["-p", str(target.pid)])
        gdb("vmsnap auto")  # loads the library
        before = memory(gdb.pid)
        for _ in range(5):
            gdb.start("vmsnap take")
            self.interrupt_capture(gdb, target.pid)
            self.assertEqual(self.said, ("", "interrupted\n"))
        self.assertLess(memory(gdb.pid) - before, 64, "MiB that stay")
        self.assertEqual(gdb.value("session.names_list()"), [])
        gdb("vmsnap take")
        self.assertEqual(len(gdb.names()), 1)
        self.assertLess(memory(gdb.pid) - before, 256, "MiB for one snapshot")
        gdb.start("vmsnap diff")
        self.interrupt_capture(gdb, target.pid)
        self.assertEqual(self.said, ("", "interrupted\n"))
        gdb("detach")
        self.assertIn(kernel.state(target.pid), "SR")

    def test_ctrl_c_among_forks_leaves_whole_pairs(self):
        gdb = Gdb(self, "gdb_cow", "many", 100000)
        gdb("set vmsnap limit 50")
        gdb("vmsnap auto fork")
        gdb.start("run")
        gdb.wait_for_stops("gdb_cow", 200)
        gdb.interrupt()
        said, complaint = gdb.finish()
        self.assertNotIn("Traceback", complaint)
        self.assertTrue("SIGINT" in said or "interrupted" in complaint, (said, complaint))
        names = gdb.value("session.names_list()")
        sides = [name.rpartition(".") for name in names]
        self.assertEqual({stem for stem, _, side in sides if side == "parent"},
                         {stem for stem, _, side in sides if side == "child"})
        gdb("vmsnap take")
        gdb.start("continue")
        gdb.wait_for_stops("gdb_cow", 50)
        gdb.interrupt()
        gdb.finish()
        self.assertIn("s1", gdb.names())
        gdb("kill")

    def test_ctrl_c_among_hits_stops_the_program(self):
        gdb = Gdb(self, "gdb_steps", "write", 1000000)
        gdb("set vmsnap limit 50")
        gdb("vmsnap auto break step")
        for _ in range(3):
            gdb.start("run" if not gdb.inferior() else "continue")
            gdb.wait_for_stops("gdb_steps", 200)
            gdb.interrupt()
            said, complaint = gdb.finish()
            self.assertNotRegex(complaint, "Traceback|Python Exception")
            self.assertGreater(gdb.inferior(), 0)
        self.assertEqual(len(gdb.names()), 50)


if __name__ == "__main__":
    main()
