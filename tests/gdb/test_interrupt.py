"""Ctrl-C: in the middle of a long capture, of work on a file that says very much, and while
automatic snapshots are taken."""

import os
import signal
import sys
import time
import unittest

from gdb_session import HERE, SECONDS, Gdb, Target, folder, kernel, main

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "reader"))

import vmswrite  # noqa: E402

PAGE = 4096


def much(count):
    """A file of two snapshots, of some 100 kB, which have so many mappings and lines of
    status, no two with one key, and take seconds to compare and to print."""
    stream = vmswrite.Stream()
    stream.header()
    for number in (b"1", b"2"):
        identity = {name: 0 for name in vmswrite.IDENTITY}
        identity.update(page_size=PAGE, pid=int(number), known=["pfn"], label=b"s" + number, comm=b"much")
        ones = b"\1" * count
        table = vmswrite.Table([count, 1], {
            "name": b"\0", "device": b"\0\0", "inode": b"\0", "build_id_length": b"\0", "build_id": b"",
            "gap": ones, "size": ones, "permissions": bytes([int(number)]) * count, "object": bytes(count),
            "offset": bytes(count)})
        stream.deflated(b"SNAP", vmswrite.snap({name: value for name, value in identity.items() if value}))
        stream.deflated(b"STAT", b"".join(b"%s.%d:1\n" % (number, line % 2000) for line in range(count)))
        stream.deflated(b"VMAS", table.bytes())
        stream.end()
    return stream.data


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

    def interrupt_work(self, gdb, command):
        """Ctrl-C while the library works: SIGINT is held back then."""
        gdb.start(command)
        end = time.monotonic() + SECONDS
        while not int(kernel.status(gdb.pid)["SigBlk"], 16) & 1 << signal.SIGINT - 1:
            self.assertLess(time.monotonic(), end, command)
        gdb.interrupt()
        said, complaint = gdb.finish()
        self.assertEqual(said, "", command)
        self.assertEqual([line for line in complaint.splitlines() if not line.startswith("note: ")], ["interrupted"],
                         command)

    def test_ctrl_c_ends_whatever_is_made_of_a_file(self):
        where = folder(self)
        with open(os.path.join(where, "much.vms"), "wb") as file:
            file.write(much(1000 * 1000))
        with open(os.path.join(where, "more.vms"), "wb") as file:
            file.write(much(100 * 1000))
        gdb = Gdb(self, cwd=where)
        gdb("set vmsnap limit 10")
        gdb("vmsnap list")  # loads the library
        gdb("vmsnap load much.vms")
        before = memory(gdb.pid)
        for command in ("status s1 s2", "status s1 --json", "diff s1 s2", "cow s1 s2", "map s1 s2", "show s1",
                        "show s1 --json", "save all.vms", "load much.vms"):
            self.interrupt_work(gdb, f"vmsnap {command}")
        self.assertLess(memory(gdb.pid) - before, 128, "MiB that stay")
        self.assertEqual(gdb.names(), ["s1", "s2"])
        self.assertFalse(os.path.exists(os.path.join(where, "all.vms")))
        # And what is not interrupted still works.
        gdb("vmsnap load more.vms")
        self.assertIn("status fields", gdb("vmsnap diff s1~2 s2~2"))

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
