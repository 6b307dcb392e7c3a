"""Random programs that log what they write (tests/written/program.py), and what `vmsnap wrote` says of them: of
locals, thread-locals and the heap, too.  WRITTEN_GDB_COUNT and WRITTEN_SEED: of how many, and from which on."""

import collections
import json
import os
import re
import sys
import unittest

from gdb_session import HERE, Gdb, folder, main, skip

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "written"))
from program import COLORS, Program, build, seeds  # noqa: E402

# 1, 6, 7009 and 7056 have static variables of functions in files that no frame is of; 7009 no other variable near them,
# and 7056 none in that file.
SEEDS = seeds("WRITTEN_GDB_COUNT", (1, 2, 6, 7009, 7056))
LARGE = 128 << 10  # from there on malloc makes a mapping, which is in no heap
NAMED = ("global", "unit", "function", "thread", "local")


class Written(unittest.TestCase):
    def test_programs(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                made, here = Program(seed), folder(self)
                why = build(seed, here, without=("-O1",))  # else gdb may not know where a local is
                if why:
                    skip(self, why)
                gdb = Gdb(self, os.path.join(here, "program"), "alone")
                gdb("break step")
                gdb("run")
                said = gdb("vmsnap wrote --json finish")
                values = json.loads(said[said.index('{\n "schema"'):])["values"]
                self.main_thread = str(gdb.inferior())
                self.variables(made, values)
                self.blocks(gdb, made, values)
                gdb.end()

    def variables(self, made, values):
        expected = collections.defaultdict(list)
        for (variable, path), both in made.changed().items():
            if variable.where in NAMED:
                kind = variable.parts[path]
                name = variable.name + re.sub(r"\.b\w+::", ".", path)  # gdb names what a base has by itself
                expected[variable.where, name].append(tuple(self.word(value, kind) for value in both))
        found, more = collections.defaultdict(list), {}
        of = {each.name: each.where for each in made.variables}
        for row in values:
            if row["kind"] != "variable":
                continue
            name = re.sub(r"^\w+::(?=v\d)", "", row["name"])  # of a function: "step::v7"
            if row.get("where", "").startswith("thread ") and row["where"] != f"thread {self.main_thread}":
                continue  # a worker has written all over its own
            if "more_changed" in row:
                more[name] = more.get(name, 0) + row["more_changed"]
                continue
            root = re.match(r"\w+", name)[0]
            if root in of:
                found[of[root], name].append((self.short(row["old"]), self.short(row["new"])))
            else:
                self.assertNotRegex(root, r"^(pad\d+|pool|noted|entries|go|done|child)$")
        missing = {key: both for key, both in expected.items() if sorted(found.get(key, [])) != sorted(both)}
        extra = {key: both for key, both in found.items() if key not in expected}
        self.assertEqual(extra, {}, "these did not change")
        for (where, name), both in list(missing.items()):
            root = re.match(r"\w+", name)[0]
            if more.get(root) and not found.get((where, name)):
                more[root] -= len(both)
                del missing[where, name]
        self.assertEqual((missing, {name: left for name, left in more.items() if left}), ({}, {}),
                         {key: found.get(key) for key in missing})

    @staticmethod
    def word(value, kind):
        if kind[0] == "text":
            return f'"{value}"'
        if kind[0] == "int *":
            return "0x0" if value is None else f"<pool+{4 * value}>" if value else "<pool>"
        if kind[0] == "enum color":
            return COLORS[value]
        return f"{value:g}" if isinstance(value, float) else str(value)

    @staticmethod
    def short(text):
        return text if text.startswith('"') else text.split(" ")[-1]

    def blocks(self, gdb, made, values):
        """Blocks that changed, by the expression that leads to each."""
        changed = {variable for variable, _ in made.changed() if variable.where == "heap"}
        unit, expected = f"program0.{'cc' if made.cxx else 'c'}", set()
        for each in changed:
            address, size = (gdb.number(f"(long){what}('{unit}'::p{each.number})") for what in ("", "sizeof *"))
            if size < LARGE:
                expected.add(address)
                continue
            of_memory = [int(row["address"], 16) for row in values if row["kind"] == "memory"]
            self.assertTrue([at for at in of_memory if address <= at < address + size], each.name)
        self.assertEqual({int(row.get("block", row["address"]), 16) for row in values if row["kind"] == "heap"}, expected)


if __name__ == "__main__":
    main()
