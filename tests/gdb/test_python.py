"""Python in gdb: scripts take and compare snapshots, and get objects."""

import os
import re
import unittest

import truth
from gdb_session import Gdb, batch, folder, main

from documents import blocks, read

IMPORTED = "__import__('vmsnap_gdb')"


class Scripts(unittest.TestCase):
    def started(self, *arguments):
        gdb = Gdb(self, "gdb_steps", *arguments)
        gdb("break step")
        gdb("run")
        gdb("python import vmsnap, vmsnap_gdb")
        return gdb

    def test_take_and_diff_give_objects(self):
        gdb = self.started("write", 4)
        gdb("python vmsnap_gdb.take('a')")
        gdb("continue")
        gdb("python d = vmsnap_gdb.diff('a')")
        page = truth.page_of(gdb.number("&pages[1]"))
        found = gdb.value("[(r.start, r.pages, r.changes, r.names) for r in __import__('__main__').d.ranges "
                          "if 'appeared' in r.changes]")
        self.assertEqual(found, [[page, 1, ["appeared"], ["pages"]]])
        self.assertEqual(gdb.names(), ["a"])
        self.assertEqual(gdb.value(f"[each.label for each in {IMPORTED}.snapshots().values()]"), ["a"])
        self.assertEqual(gdb.value(f"{IMPORTED}.now().pid"), gdb.inferior())
        self.assertTrue(gdb.value("'small' in str(__import__('__main__').d.names.at(number('&small')))"))

    def test_names_of_locals_are_told(self):
        gdb = self.started("deep", 2)
        gdb("up")
        gdb("python vmsnap_gdb.take('a')")
        at = gdb.number("&mine")
        self.assertTrue(gdb.value("'mine in deep()' in map(str, __import__('vmsnap').Names("
                                  f"{IMPORTED}.snapshot('a')).within({at}, {at} + 4))"))

    def test_cow_of_the_newest_fork(self):
        gdb = Gdb(self, "gdb_cow", "fork")
        gdb("vmsnap auto fork")
        gdb("break parent_done")
        gdb("run")
        gdb("python import vmsnap_gdb; c = vmsnap_gdb.cow()")
        self.assertEqual(gdb.value("__import__('__main__').c.base.label"), "fork1.parent")
        data = truth.page_of(gdb.number("(unsigned long) &by_child"))
        made = gdb.value("[(r.verdict, r.names) for r in __import__('__main__').c.ranges "
                         f"if r.start <= {data} < r.end]")[0]
        shown = gdb.json("vmsnap cow")["ranges"]
        self.assertEqual(made[0], truth.by_page(shown, "verdict")[data])
        self.assertIn("by_child", made[1])

    def test_files_and_dropping(self):
        gdb = self.started("write", 3)
        path = os.path.join(folder(self), "some.vms")
        gdb("python vmsnap_gdb.take('a'); vmsnap_gdb.take()")
        gdb(f"python vmsnap_gdb.save({path!r}); vmsnap_gdb.drop('a', 's1')")
        self.assertEqual(gdb.value("session.names_list()"), [])
        self.assertEqual(gdb.value(f"list({IMPORTED}.load({path!r}))"), ["a", "s1"])
        self.assertEqual(gdb.names(), ["a", "s1"])

    def test_what_cannot_be_done_is_an_error(self):
        gdb = self.started("write", 3)
        for code, words in (("vmsnap_gdb.diff('nothing')", "no snapshot called"),
                            ("vmsnap_gdb.diff()", "no snapshot to compare with"),
                            ("vmsnap_gdb.cow()", "no fork has been seen"),
                            ("vmsnap_gdb.diff(b='a')", "compared with"),
                            ("vmsnap_gdb.take(what=1)", "no argument what")):
            self.assertIn(words, gdb.do(f"python {code}")[1])
        gdb("kill")
        self.assertIn("no live process", gdb.do("python vmsnap_gdb.take()")[1])


class Guide(unittest.TestCase):
    def test_its_script_prints_what_it_says(self):
        text = re.search(r"(?ms)^## In gdb\n(.*?)^## ", read("docs", "python.md"))[1]
        path = os.path.join(folder(self), "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(blocks(text, "python")))
        os.chmod(os.path.dirname(path), 0o755)
        _, said, complaint = batch(self, [f"source {path}"], "gdb_demo", 0)
        self.assertTrue(said.endswith("".join(blocks(text, "text"))), (said, complaint))

    def test_the_functions_that_it_lists_are_there(self):
        gdb = Gdb(self)
        rows = re.findall(r"(?m)^\| (`.*?) \|", read("docs", "python.md").split("## In gdb")[1].split("## What")[0])
        told = set(re.findall(r"`(\w+)\(", " ".join(rows)))
        there = gdb.value(f"[name for name, each in vars({IMPORTED}).items() if type(each).__name__ == 'function']")
        self.assertEqual(told, set(there))


if __name__ == "__main__":
    main()
