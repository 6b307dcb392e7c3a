"""docs/self.md and docs/map-fixed.md: their programs compile, and print what the pages say they print."""

import os
import re
import shutil
import subprocess
import unittest

import support
from documents import SOURCE, blocks, read, without_numbers
from support import run, skip, world

PRELOAD = "libvmsnap-self.so"


class SelfDocuments(unittest.TestCase):
    def setUp(self):
        self.library = os.environ.get("VMSNAP_LIB")
        if not self.library:
            skip(self, "VMSNAP_LIB is not set")
        self.folder = world().home(support.me())

    def program(self, page):
        if not shutil.which("cc"):
            skip(self, "no C compiler")
        with open(self.library, "rb") as file:
            sanitizers = ["-fsanitize=address,undefined"] if b"__asan_init" in file.read() else []
        with open(os.path.join(self.folder, "page.c"), "w") as file:
            file.write(blocks(read("docs", page), "c")[0])
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *sanitizers, "-I", os.path.join(SOURCE, "core", "include"),
                        "page.c", self.library, f"-Wl,-rpath,{os.path.dirname(self.library)}", "-o", "page"],
                       cwd=self.folder, check=True)
        return os.path.join(self.folder, "page"), bool(sanitizers)

    def lines(self, text):
        """What is cut at the end of a line depends on how many digits are before it."""
        return [re.sub(r" \S*…$", " …", without_numbers(line)) for line in text.strip().split("\n")]

    def test_map_fixed_succeeds_and_says_nothing(self):
        program, sanitized = self.program("map-fixed.md")
        if sanitized:
            skip(self, "a sanitizer catches what the page is about")
        done = subprocess.run([program], stdout=subprocess.PIPE, timeout=300, text=True, check=True)
        self.assertEqual(self.lines(done.stdout), self.lines(blocks(read("docs", "map-fixed.md"), "text")[0]))

    def test_the_program_takes_a_snapshot_of_itself(self):
        program, sanitized = self.program("self.md")
        done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, check=True)
        expected = blocks(read("docs", "self.md"), "text")[0]
        if not sanitized:
            self.assertEqual(self.lines(done.stdout.decode()), self.lines(expected))
            self.assertIn("meanwhile: 0\nall of it: yes", done.stdout.decode())
        path = os.path.join(self.folder, "written.vms")
        with open(path, "wb") as file:
            file.write(done.stderr)
        self.assertEqual(run("check", path).status, 0)

    def test_a_program_that_cannot_be_changed(self):
        preload = os.path.join(os.path.dirname(os.path.dirname(self.library)), "preload", PRELOAD)
        if not os.path.exists(preload):
            skip(self, "no libvmsnap-self.so beside the library")
        first, second, *listed = blocks(read("docs", "self.md"), "console")[0].strip().split("\n")
        self.assertEqual(second, "$ vmsnap list me.vms")
        subprocess.run(["sh", "-c", first[2:].replace(PRELOAD, preload)], cwd=self.folder, timeout=300, check=True)
        got = run("list", "me.vms", cwd=self.folder).out.decode()
        self.assertEqual(self.lines(got), self.lines("\n".join(listed)))


if __name__ == "__main__":
    support.main()
