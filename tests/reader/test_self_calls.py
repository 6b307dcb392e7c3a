"""What a capture of oneself calls: system calls, and nothing that is not its own.  A function of libc's may take a lock,
memory, or be bound when it is first called; so may what a compiler makes of a loop (memcpy)."""

import glob
import os
import shutil
import subprocess
import unittest

# Of the model, and of no other file: what a pagemap entry is (it calls nothing either).
ITS_OWN = {"entry_normal", "_GLOBAL_OFFSET_TABLE_"}


class Calls(unittest.TestCase):
    def test_capture_and_write_call_nobody(self):
        library = os.environ.get("VMSNAP_LIB")
        folder = os.path.dirname(library or "")
        objects = [path for name in ("self_capture", "self_write")
                   for path in glob.glob(f"{folder}/**/room_self.dir/**/{name}.c.o", recursive=True)]
        if not library or not shutil.which("nm") or not objects:
            self.skipTest("no objects of the build, or no nm")
        self.assertEqual(len(objects), 2)
        for path in objects:
            listed = subprocess.run(["nm", "-u", path], stdout=subprocess.PIPE, check=True, text=True).stdout.split("\n")
            wanted = {line.split()[-1] for line in listed if line.strip()}
            if any("gcov" in name for name in wanted):
                self.skipTest("built for coverage, whose counters it calls")
            strange = {name for name in wanted - ITS_OWN if not name.startswith("self_")}
            self.assertEqual(strange, set(), path)


if __name__ == "__main__":
    unittest.main()
