"""A core file in gdb: the commands work on it as far as it knows, from the file alone; and `vmsnap core`."""

import os
import re
import shutil
import subprocess
import unittest

from gdb_session import Gdb, folder, main, program, world




class Loaded(unittest.TestCase):
    """The core of a gdb_steps that ended at the write to address 77, and a snapshot of it from before."""

    def dumped(self):
        where = folder(self)
        gdb = Gdb(self, "gdb_steps", "crash")
        gdb("break step")
        gdb("run")
        gdb("vmsnap take before --contents")
        gdb(f"vmsnap save --contents {where}/before.vms")
        gdb("set var small = 77")
        gdb("set var first.number = 5")
        gdb("delete")
        gdb("continue")
        self.pid, self.small = gdb.inferior(), gdb.number("(unsigned long) &small")
        gdb(f"generate-core-file {where}/core")
        gdb("kill")
        gdb.quit()
        return where

    def opened(self, where):
        return Gdb(self, program("gdb_steps"), options=["-ex", f"core-file {where}/core"])

    def test_looks_show_what_the_core_has(self):
        where = self.dumped()
        gdb = self.opened(where)
        said = gdb("vmsnap take here")
        self.assertRegex(said, rf"^Snapshot here: core file of process {self.pid} \(gdb_steps\), .*SIGSEGV at 0x4d\n$")
        self.assertEqual(gdb.notes, "")
        shown = gdb.json("vmsnap show")
        self.assertEqual((shown["snapshot"]["source"], shown["snapshot"]["known"]["states"]), ("core", False))
        told = subprocess.run([world().vmsnap, "show", "--json", f"{where}/core"], stdout=subprocess.PIPE, env=world().env,
                              check=True)
        self.assertEqual([vma["start"] for vma in shown["vmas"]], re.findall(r'"start": *"(0x[0-9a-f]+)"', told.stdout.decode()))
        self.assertEqual({row["dumped"] for row in gdb.json("vmsnap pages now &small")["runs"]}, {"bytes"})
        self.assertIn(str(self.pid), gdb("vmsnap status"))
        self.assertEqual(gdb("vmsnap print --at here first.number"), "here: first.number = 5\n")
        self.assertEqual(gdb("vmsnap print small"), "here: small = 77\n")
        self.assertRegex(gdb("vmsnap dump &small,+4"), r"4d 00 00 00")
        page = gdb("vmsnap page &small")
        self.assertIn("its bytes are in the core", page)
        self.assertRegex(page, r"(?m)^  now +77$")
        self.assertNotIn("absent", page)
        states = {row["state"] for row in gdb.json("vmsnap page --history &small")["rows"]}
        self.assertEqual(states, {None}, "whether it was there a core does not tell")

    def test_locals_of_its_frames_have_names(self):
        where = folder(self)
        gdb = Gdb(self, "gdb_steps", "crash")
        gdb("break step")
        gdb("run")
        there = gdb.number("(unsigned long) &doubled")
        gdb(f"generate-core-file {where}/core")
        gdb("kill")
        gdb.quit()
        gdb = self.opened(where)
        self.assertIn("doubled", gdb(f"vmsnap page {there:#x}"))

    def test_thread_locals_of_each_thread_have_names(self):
        where = folder(self)
        gdb = Gdb(self, "gdb_threads", 3)
        gdb("break all_here")
        gdb("run")
        there = {}
        for number, tid in gdb.value("[(t.num, t.ptid[1]) for t in gdb.selected_inferior().threads()]"):
            gdb(f"thread {number}")
            there[tid] = gdb.number("(unsigned long) &of_thread"), gdb.number("of_thread")
        gdb(f"generate-core-file {where}/core")
        gdb("kill")
        gdb.quit()
        gdb = Gdb(self, program("gdb_threads"), options=["-ex", f"core-file {where}/core"])
        gdb("vmsnap take")
        for tid, (address, held) in there.items():
            page = gdb.json(f"vmsnap page {address:#x}")
            self.assertEqual((page["name"]["symbol"], page["name"]["kind"], page["name"]["tid"]), ("of_thread", "thread_local", tid))
            self.assertEqual([int.from_bytes(bytes.fromhex(row["value"].replace(" ", "")), "little") for row in page["values"]], [held])
            self.assertNotIn("()", gdb(f"vmsnap page {address:#x}"))

    def test_compared_with_a_snapshot_of_before_by_what_pages_held(self):
        where = self.dumped()
        gdb = self.opened(where)
        gdb(f"vmsnap load {where}/before.vms")
        diff = gdb.json("vmsnap diff")
        self.assertEqual((diff["a"]["label"], diff["b"]["source"]), ("before", "core"))
        self.assertNotIn("two processes", gdb.notes)
        values = {row["name"]: (row.get("old"), row.get("new")) for row in diff["values"]}
        self.assertEqual(values["small"], ("5", "77"))
        self.assertEqual(values["first.number"], ("1", "5"))
        for expression, changed in (("&small", 1), ("&first", 1), ("&second", 0), ("&hidden_static", 0)):
            self.assertEqual(gdb.number(f"$_vmsnap_changed({expression})"), changed, expression)
        self.assertEqual(gdb.number("$_vmsnap_written(&second)"), 1, "the page that `small` is on, too")
        gdb.fails("print $_vmsnap_changed(0)", "not known")
        gdb("vmsnap take")
        self.assertEqual(gdb.number("$_vmsnap_changed(&small)"), 1, "the core itself is not what was before it")
        picture = gdb("vmsnap map before now")
        self.assertIn("written", picture)
        self.assertNotIn("resident", picture, "the core does not tell")

    def test_what_needs_a_process_says_so_in_a_line(self):
        gdb = self.opened(self.dumped())
        for what in ("auto fork", "auto stop", "auto break step", "wrote next", "blame &small", "who &small", "group", "core x",
                     "take --all"):
            said = gdb.fails(f"vmsnap {what}", "a core file is no process")
            self.assertEqual(len(said.splitlines()), 1, what)
        for name in ("pfn", "physical", "present", "shared"):
            gdb.fails(f"print $_vmsnap_{name}(&small)", "a core file is no process")
        gdb.fails("vmsnap cow", "no fork")
        gdb.fails("vmsnap export x.json now")
        gdb.fails("print $_vmsnap_changed(&small)", "no snapshot to compare the core file with")

    def test_saved_and_loaded_it_is_called_the_same(self):
        where = self.dumped()
        gdb = self.opened(where)
        gdb("vmsnap take here")
        gdb(f"vmsnap save --contents {where}/saved.vms here now")
        gdb("vmsnap drop --all")
        self.assertIn(": here, now~2", gdb(f"vmsnap load {where}/saved.vms"))
        self.assertEqual(gdb("vmsnap print --at here small"), "here: small = 77\n")
        self.assertIn(": core.", gdb(f"vmsnap load {where}/core"))
        self.assertEqual(gdb("vmsnap print --at core small"), "core: small = 77\n")
        self.assertIn("No differences", gdb("vmsnap diff core now"))

    def test_a_core_that_was_deleted_before_it_was_looked_at(self):
        where = self.dumped()
        gdb = self.opened(where)
        os.unlink(f"{where}/core")
        said, complaint = gdb.do("vmsnap print small")  # gdb 13 has it open still
        self.assertTrue(said == "now: small = 77\n" or "is gone" in complaint, (said, complaint))
        with open(f"{where}/core", "w", encoding="ascii") as file:
            file.write("something else\n")
        said, complaint = gdb.do("vmsnap show now")
        self.assertTrue("core file" in said or len(complaint.splitlines()) == 1, (said, complaint))

    def test_a_core_that_was_deleted_or_replaced_stays_what_it_was(self):
        where = self.dumped()
        shutil.copy(f"{where}/core", f"{where}/odd`,name")
        for name in ("core", "odd`,name"):
            path = f"{where}/{name}"
            gdb = Gdb(self, program("gdb_steps"))
            gdb(f"core-file {path}")
            self.assertEqual(gdb("vmsnap print small"), "now: small = 77\n")
            os.unlink(path)
            self.assertEqual(gdb("vmsnap print small"), "now: small = 77\n")
            with open(path, "w", encoding="ascii") as file:
                file.write("something else\n")
            self.assertEqual(gdb("vmsnap print small"), "now: small = 77\n")
            gdb.quit()

    def test_beside_a_live_process(self):
        where = self.dumped()
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take live")
        gdb("add-inferior")
        gdb("inferior 2")
        gdb(f"file {program('gdb_steps')}")
        gdb(f"core-file {where}/core")
        self.assertEqual(gdb.json("vmsnap show")["snapshot"]["source"], "core")
        gdb.json("vmsnap diff live now")
        gdb("inferior 1")
        self.assertEqual(gdb.json("vmsnap show")["snapshot"]["source"], "process")


class Written(unittest.TestCase):
    """vmsnap core FILE"""

    def at_step(self):
        gdb = Gdb(self, "gdb_steps", "write", 3)
        gdb("break step")
        gdb("run")
        return gdb

    def test_snapshot_is_of_before(self):
        gdb, where = self.at_step(), folder(self)
        gdb("vmsnap take first --contents")
        said = gdb(f"vmsnap core {where}/core")
        self.assertIn(f"Saved it to {where}/core.vms", said)
        self.assertEqual(gdb.names(), ["first", "s1"])
        resident = [row["resident"] for row in gdb.json("vmsnap list")["snapshots"]]
        self.assertEqual(resident[0], resident[1], "the snapshot is of before the core file was written")
        gdb("vmsnap take after")
        after = gdb.json("vmsnap list")["snapshots"][-1]["resident"]
        self.assertGreater(after, resident[1], "gdb's reading brought pages in")
        self.assertEqual(sorted(os.listdir(where)), ["core", "core.vms"])
        self.assertEqual([os.stat(f"{where}/{name}").st_mode & 0o777 for name in ("core", "core.vms")], [0o600, 0o600])
        told = subprocess.run([world().vmsnap, "diff", "--raw", f"{where}/core.vms", f"{where}/core"], stdout=subprocess.PIPE,
                              env=world().env, check=False)
        self.assertIn(told.returncode, (0, 1))
        self.assertIn(f"core file of process {gdb.inferior()}", self.taken_of(f"{where}/core"))

    def taken_of(self, core):
        return Gdb(self, program("gdb_steps"), options=["-ex", f"core-file {core}"])("vmsnap take")

    def test_contents_and_name(self):
        gdb, where = self.at_step(), folder(self)
        gdb(f"vmsnap core --contents --name crash '{where}/two words'")
        self.assertEqual(gdb.names(), ["crash"])
        gdb("vmsnap drop crash")
        gdb(f"vmsnap load '{where}/two words.vms'")
        self.assertEqual(gdb("vmsnap print --at crash small"), "crash: small = 5\n")
        gdb.fails(f"vmsnap core --name crash {where}/other", "already")

    def test_only_a_core_is_replaced(self):
        gdb, where = self.at_step(), folder(self)
        gdb(f"vmsnap core {where}/core")
        gdb(f"vmsnap core {where}/core")
        for name, words in (("text", "no core file"), ("folder", "no core file"), ("pipe", "only a regular file is written"),
                            ("link", "no core file"), ("none/core", "no folder")):
            if name == "text":
                with open(f"{where}/text", "w", encoding="ascii") as file:
                    file.write("mine\n")
            elif name == "folder":
                os.mkdir(f"{where}/folder")
            elif name == "pipe":
                os.mkfifo(f"{where}/pipe")
            elif name == "link":
                os.symlink("text", f"{where}/link")
            gdb.fails(f"vmsnap core {where}/{name}", words)
        with open(f"{where}/text", encoding="ascii") as file:
            self.assertEqual(file.read(), "mine\n")
        with open(f"{where}/x.vms", "w", encoding="ascii") as file:
            file.write("mine\n")
        gdb.fails(f"vmsnap core {where}/x")
        self.assertFalse(os.path.exists(f"{where}/x"), "all or nothing")
        self.assertEqual([name for name in os.listdir(where) if name.startswith(".")], [])
        self.assertEqual(len(gdb.names()), 2)

    def test_needs_a_process(self):
        where = folder(self)
        Gdb(self, "gdb_steps").fails(f"vmsnap core {where}/core", "no live process")
        gdb = self.at_step()
        gdb.fails("vmsnap core", "usage")
        gdb.fails("vmsnap core a b", "usage")
        gdb("kill")
        gdb.fails(f"vmsnap core {where}/core", "no live process")
        self.assertEqual(os.listdir(where), [])

    def test_mi(self):
        gdb, where = self.at_step(), folder(self)
        said = gdb(f'interpreter-exec mi "-vmsnap-core {where}/core"')
        self.assertIn(f'core="{where}/core",saved="{where}/core.vms"', said)
        self.assertEqual(sorted(os.listdir(where)), ["core", "core.vms"])


if __name__ == "__main__":
    main()
