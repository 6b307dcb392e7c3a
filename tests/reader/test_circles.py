"""Between the files of the project there are no circles: of any two that need each other, one could
be changed, read or tested only with the other.  Headers tell of most; of the rest, the objects."""

import os
import re
import shutil
import subprocess
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def modules():
    """{module: modules whose header it includes}: a module is X.c with X.h."""
    includes = {}
    for top in ("core", "formats", "cli"):
        for folder, _, files in os.walk(os.path.join(ROOT, top)):
            for name in files:
                if name.endswith((".c", ".h")):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        wanted = re.findall(r'^#include "(?:[\w./]*/)?([\w.]+)\.h"', file.read(), re.M)
                    includes.setdefault(name[:-2], set()).update(wanted)
    return {module: {each for each in wanted if each != module and each in includes}
            for module, wanted in includes.items()}


def objects(build):
    """{object: objects whose functions it calls}, of the library and the command; {} if they cannot be read."""
    paths = [os.path.join(folder, name) for top in ("core", "formats", "cli")
             for folder, _, files in os.walk(os.path.join(build, top)) for name in files if name.endswith(".c.o")]
    defined, wanted = {}, {}
    listed = subprocess.run(["nm", "-A", "-P", *paths], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    for line in listed.stdout.decode().splitlines():
        path, _, rest = line.partition(": ")
        symbol, kind = rest.split(" ")[:2]
        # The command is made twice, in two folders.
        name = re.sub(r"CMakeFiles/[^/]*/", "", os.path.relpath(path, build))[:-4]
        if kind in "TDBR":
            defined[symbol] = name
        elif kind == "U":
            wanted.setdefault(name, set()).add(symbol)
    own = set(defined.values())
    return {name: {defined[symbol] for symbol in wanted.get(name, ()) if symbol in defined} - {name} for name in own}


def circle(includes):
    """The modules of one circle, in order; [] if there is none."""
    done = set()

    def look(module, way):
        if module in way:
            return way[way.index(module):]
        found = []
        if module not in done:
            for other in sorted(includes[module]):
                found = found or look(other, [*way, module])
            done.add(module)
        return found

    for module in sorted(includes):
        found = look(module, [])
        if found:
            return found
    return []


class Circles(unittest.TestCase):
    def test_a_circle_would_be_found(self):
        self.assertEqual(circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}), ["b", "c"])
        self.assertEqual(circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}), [])

    def test_there_is_none(self):
        includes = modules()
        self.assertGreater(len(includes), 100)
        self.assertEqual(circle(includes), [])

    def test_there_is_none_of_calls(self):
        calls = objects(os.path.join(os.path.dirname(os.environ["VMSNAP_LIB"]), "..")) if shutil.which("nm") else {}
        if len(calls) < 100:
            self.skipTest("the objects of this build cannot be read")
        self.assertEqual(circle(calls), [])


if __name__ == "__main__":
    unittest.main()
