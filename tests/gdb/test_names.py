"""Names that only gdb knows: locals and arguments of all threads' frames, thread-locals."""

import os
import unittest

import truth
from gdb_session import Gdb, kernel, main, skip


class Names(unittest.TestCase):
    def captured(self, gdb, name="s1"):
        """The captured names of a snapshot, as dictionaries, without gdb's footprints."""
        rows = gdb.value(f"[n._asdict() for n in session.entry({name!r}).snapshot.annotations()]")
        return [row for row in rows if row["kind"] != 4]

    def test_locals_and_arguments_have_frame_function_size_and_type(self):
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        pid = gdb.inferior()
        rows = {(row["frame"], row["symbol"]): row for row in self.captured(gdb)}
        wanted = {(0, "number"): (1, "step", "&number", 4, "int"), (0, "doubled"): (0, "step", "&doubled", 4, "int")}
        for key, (kind, function, expression, size, kind_of) in wanted.items():
            row = rows[key]
            self.assertEqual((row["kind"], row["function"], row["address"], row["size"], row["type"], row["tid"]),
                             (kind, function, gdb.number(f"(unsigned long) {expression}"), size, kind_of, pid), key)
        gdb("up")
        row = rows[1, "buffer"]
        self.assertEqual((row["function"], row["address"], row["size"]),
                         ("write_pages_of", gdb.number("(unsigned long) &buffer"), 3 * truth.PAGE))
        self.assertIn((1, "number"), rows, "one that is shadowed by none is there too")
        self.assertIn((2, "argv"), rows)

    def test_arrays_of_variable_length_have_their_length(self):
        gdb = Gdb(self, "gdb_steps", "vla", 5)
        gdb("break step")
        gdb("run")
        frame = gdb("frame")
        gdb("vmsnap take")
        self.assertEqual(gdb("frame"), frame)
        gdb("up")
        rows = {row["symbol"]: row for row in self.captured(gdb) if row["function"] == "variable_length"}
        for name, size in (("line", 5 * truth.PAGE), ("grid", 5 * 3 * 4)):
            self.assertEqual((rows[name]["address"], rows[name]["size"], rows[name]["frame"]),
                             (gdb.number(f"(unsigned long) {name}"), size, 1))
        made = gdb.json("vmsnap page &line[3 * 4096 + 7]")
        self.assertEqual((made["name"]["symbol"], made["name"]["kind"]), ("line", "local"))

    def test_depth_limits_the_frames_that_are_looked_at(self):
        gdb = Gdb(self, "gdb_steps", "deep", 20)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        usual = int(gdb.value("gdb.parameter('vmsnap depth')"))
        self.assertEqual({row["frame"] for row in self.captured(gdb)}, set(range(usual)))
        gdb("set vmsnap depth 3")
        gdb("vmsnap take")
        self.assertEqual({row["frame"] for row in self.captured(gdb, "s2")}, {0, 1, 2})
        gdb("set vmsnap depth 0")
        gdb("vmsnap take")
        self.assertEqual([row for row in self.captured(gdb, "s3") if row["kind"] in (0, 1)], [])
        mine = [row for row in self.captured(gdb) if row["symbol"] == "mine"]
        self.assertEqual(len(mine), usual - 1)
        self.assertEqual(len({row["address"] for row in mine}), usual - 1, "each call has its own")

    def test_hits_of_a_watched_breakpoint_look_at_fewer_frames_and_one_thread(self):
        gdb = Gdb(self, "gdb_steps", "deep", 20)
        gdb("set vmsnap hit-depth 3")
        gdb("vmsnap auto break step")
        gdb("run")
        rows = self.captured(gdb, "b1.1")
        self.assertEqual({row["frame"] for row in rows}, {0, 1, 2})
        self.assertIn("number", {row["symbol"] for row in rows})
        gdb = Gdb(self, "gdb_threads", 3)
        gdb("vmsnap auto break in_thread")
        gdb("run")
        for name in gdb.names():
            self.assertEqual(len({row["tid"] for row in self.captured(gdb, name)}), 1)

    def test_every_threads_locals_and_thread_locals(self):
        gdb = Gdb(self, "gdb_threads", 3)
        gdb("break all_here")
        gdb("run")
        gdb("vmsnap take")
        tids = sorted(int(tid) for tid in os.listdir(f"/proc/{gdb.inferior()}/task"))
        rows = self.captured(gdb)
        mine = {row["tid"]: row for row in rows if row["symbol"] == "mine"}
        self.assertEqual(sorted(mine), tids[1:])
        of_thread = {row["tid"]: row["address"] for row in rows if row["symbol"] == "of_thread"}
        self.assertEqual(sorted(of_thread), tids)
        for number, tid in gdb.value("[(t.num, t.ptid[1]) for t in gdb.selected_inferior().threads()]"):
            gdb(f"thread {number}")
            self.assertEqual(of_thread[tid], gdb.number("(unsigned long) &of_thread"), number)
        gdb("thread 1")
        gdb("vmsnap take")
        self.assertEqual(gdb.number("$_thread"), 1)

    def test_thread_locals_of_libraries_are_looked_up_once_for_all_threads(self):
        asked = []
        for threads in (2, 6):
            gdb = Gdb(self, "gdb_threads", threads)
            gdb("break all_here")
            gdb("run")
            gdb("vmsnap take first")
            gdb("python from vmsnap_gdb import thread_locals as t; asked = []; before = t._evaluate")
            gdb("python t._evaluate = lambda anchor: asked.append(anchor) or before(anchor)")
            gdb("python t._spaces.clear()")
            gdb("vmsnap take")
            asked.append(gdb.value("len(__import__('__main__').asked)"))
            gdb("vmsnap take")
            self.assertEqual(gdb.value("len(__import__('__main__').asked)"), asked[-1], "nothing is asked again")
            rows = [row for row in self.captured(gdb) if row["symbol"] == "errno"]
            if not rows:
                skip(self, "thread-locals of the C library: this gdb cannot tell where they are")
            found = {row["tid"]: row["address"] for row in rows}
            for number, tid in gdb.value("[(t.num, t.ptid[1]) for t in gdb.selected_inferior().threads()]"):
                gdb(f"thread {number}")
                self.assertEqual(found[tid], gdb.number("(unsigned long) &errno"), number)
        self.assertEqual(asked[0], asked[1])
        self.assertLess(asked[1], 6)

    def test_thread_locals_name_pages_in_a_diff(self):
        gdb = Gdb(self, "gdb_threads", 2)
        gdb("break all_here")
        gdb("break all_done")
        gdb("run")
        gdb("vmsnap take")
        gdb("thread 2")
        gdb.value("select_frame('thread_main')")
        made = gdb.json("vmsnap page &of_thread")
        self.assertEqual((made["name"]["symbol"], made["name"]["kind"]), ("of_thread", "thread_local"))
        made = gdb.json("vmsnap page &mine[4096]")
        self.assertEqual((made["name"]["symbol"], made["name"]["kind"], made["name"]["function"]),
                         ("mine", "local", "thread_main"))

    def test_taking_keeps_thread_frame_and_language(self):
        gdb = Gdb(self, "gdb_threads", 2)
        gdb("break all_here")
        gdb("run")
        gdb("thread 2")
        gdb("up 2")
        for language in ("c", "pascal", "go"):
            gdb.do(f"set language {language}")
            before = gdb("frame"), gdb("thread"), gdb.do("show language")
            gdb("vmsnap take")
            self.assertEqual((gdb("frame"), gdb("thread"), gdb.do("show language")), before)

    def test_looking_at_variables_maps_no_page(self):
        """Pages are read before any memory, and memory is not read for names at all."""
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("break step")
        gdb("run")
        pid = gdb.inferior()
        before = set(kernel.entries(pid, [(vma.start, vma.end) for vma in kernel.maps(pid)]))
        gdb("vmsnap take")
        after = set(kernel.entries(pid, [(vma.start, vma.end) for vma in kernel.maps(pid)]))
        self.assertEqual(after - before, set())

    def test_program_without_debugging_information(self):
        gdb = Gdb(self, "/bin/true")
        gdb("starti")
        gdb("vmsnap take")
        self.assertEqual(gdb.json("vmsnap list")["snapshots"][0]["name"], "s1")
        gdb("vmsnap diff")
        gdb("vmsnap page $sp")
        gdb("vmsnap page $pc")

    def test_huge_variables_do_no_harm(self):
        """A value larger than max-value-size kills gdb 13 if it is made."""
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("set max-value-size 100")
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        gdb("continue")
        gdb("vmsnap diff")
        gdb("up")
        self.assertEqual(gdb.json("vmsnap page buffer")["name"]["symbol"], "buffer")
        gdb("vmsnap page &pages")


if __name__ == "__main__":
    main()
