"""What docs/python.md shows is what happens."""

import os
import re
import subprocess
import sys
import unittest

from module import SOURCE, main, vmsnap

from documents import blocks, read

PAGE = ("docs", "python.md")


def section(heading):
    return re.search(rf"(?ms)^## {heading}\n(.*?)(?=^## |\Z)", read(*PAGE))[1]


class Guide(unittest.TestCase):
    def test_its_script_prints_what_it_says(self):
        text = section("A script") + section("All pages at once")
        code = "".join(blocks(text, "python"))
        done = subprocess.run([sys.executable, "-B", "-c", code], stdout=subprocess.PIPE, text=True, check=True,
                              cwd="/", env={**os.environ, "PYTHONPATH": os.path.join(SOURCE, "python")})
        self.assertEqual(done.stdout, "".join(blocks(text, "text")))

    def test_what_it_lists_is_there(self):
        table = section("What there is")
        for name in re.findall(r"`vmsnap\.(\w+)", read(*PAGE)) + re.findall(r"(?m)^\| `([A-Z]\w+)` \|", table):
            self.assertTrue(hasattr(vmsnap, name), name)
        snapshot = vmsnap.capture(os.getpid())
        diff, cow = vmsnap.diff(snapshot, snapshot), vmsnap.cow(snapshot, snapshot)
        objects = {"Snapshot": snapshot, "Diff": diff, "Cow": cow, "Mapping": snapshot.mappings[0],
                   "Run": next(snapshot.runs()), "Names": diff.names}
        kind, seen = None, 0
        for row in re.findall(r"(?m)^\| (.*) \|$", table):
            first, _, has = (cell.strip() for cell in row.split("|"))
            kind = objects.get(first.strip("`"), kind if first.startswith("…") else None)
            for name in re.findall(r"`(\w+)(?:\([^`]*\))?`", has) if kind else ():
                if not re.fullmatch(r"[A-Z]\w+", name):
                    self.assertTrue(hasattr(kind, name), f"{first}: {name}")
                    seen += 1
        self.assertGreater(seen, 40)


if __name__ == "__main__":
    main()
