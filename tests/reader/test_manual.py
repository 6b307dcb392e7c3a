"""The library's man pages: each function has one that shows its declaration, vmsnap(5) has what format.md has, and
who formats them has nothing to complain of."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
INCLUDE = os.path.join(SOURCE, "core", "include")
HEADERS = [os.path.join(INCLUDE, "vmsnap.h"),
           *(os.path.join(INCLUDE, "vmsnap", name) for name in sorted(os.listdir(os.path.join(INCLUDE, "vmsnap"))))]


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def words(text):
    """What stays of a text, or of a page, however it is laid out."""
    text = text.replace(r"\(aq", "'").replace(r"\(ga", "`").replace(r"\(ha", "^").replace(r"\(ti", "~")
    text = text.replace(r"\-", "-").replace(r"\e", "\\").replace(r"\&", "")
    text = re.sub(r"(?m)\\f[BPI]|^\.(PP|RS 4|RE|nf|fi|SS Functions and types|ad l|nh)$|^\.(SS|SH|IP \\\(bu 2) ?", "", text)
    return re.findall(r"\w+", text)


def make(folder, *headers, version="1.2.3"):
    subprocess.run([sys.executable, "-B", os.path.join(SOURCE, "docs", "man", "manual.py"), version,
                    os.path.join(SOURCE, "docs", "format.md"), folder, *headers],
                   check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "86400"})


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="vmsnap-manual-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        make(cls.folder, *HEADERS)
        cls.man3 = os.path.join(cls.folder, "man3")
        cls.pages = {name: text for name in sorted(os.listdir(cls.man3))
                     if not (text := read(cls.man3, name)).startswith(".so ")}
        cls.pages["vmsnap.5"] = read(cls.folder, "man5", "vmsnap.5")

    def test_each_header_has_a_page(self):
        expected = {"vmsnap_" + os.path.basename(path)[:-2] + ".3" for path in HEADERS[1:]}
        self.assertEqual(set(self.pages), expected | {"libvmsnap.3", "vmsnap.5"})

    def test_each_function_leads_to_a_page_that_declares_it(self):
        exported = re.findall(r"(?m)^\t(vmsnap_\w+);", read(SOURCE, "core", "libvmsnap.map"))
        inline = [name for path in HEADERS for name in re.findall(r"static inline [^(]*?(vmsnap_\w+)\(", read(path))]
        self.assertGreater(len(exported), 300)
        self.assertGreater(len(inline), 10)
        for name in exported + inline:
            text = read(self.man3, name + ".3")
            match = re.fullmatch(r"\.so man3/(\w+\.3)\n", text)
            self.assertIn(name + "(", self.pages[match[1]] if match else text, name)

    def test_no_word_of_a_header_is_lost(self):
        for path in HEADERS[1:]:
            name = os.path.basename(path)
            text = re.sub(r"(?m)^#(include|ifndef|ifdef|endif|define \w+_API_H).*|^extern \"C\" \{$", "", read(path))
            # Bodies are none of the interface.
            text = re.sub(r"(?m)^(static inline (?:.*\n)+?)\{\n(?:\t.*\n|\n)*\}\n", r"\1", text)
            text = re.sub(r"\s*\*?\s*Included by vmsnap\.h, which tells\s+what holds for all of it\.", "", text)
            text = text.replace(name, "", 1)
            missing = dict.fromkeys(words(text))
            for word in words(self.pages[f"vmsnap_{name[:-2]}.3"]):
                missing.pop(word, None)
                missing.pop(word.lower(), None)
            self.assertEqual(list(missing), [], name)

    def test_no_word_of_the_format_is_lost(self):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", read(SOURCE, "docs", "format.md"))
        text = re.sub(r"(?m)^```\w*$", "", text)
        self.assertEqual([word for word in dict.fromkeys(words(text)) if word not in set(words(self.pages["vmsnap.5"]))],
                         [])

    def test_code_is_no_wider_than_a_terminal(self):
        for name, text in self.pages.items():
            if name == "vmsnap.5":
                continue
            for block in re.findall(r"(?s)\n\.nf\n(.*?)\n\.fi", text):
                for row in block.split("\n"):
                    self.assertLessEqual(len(re.sub(r"\\\(..|\\[e-]", "x", row)), 76, name)

    def test_the_same_on_any_day(self):
        other = tempfile.mkdtemp(dir=self.folder)
        make(other, *HEADERS)
        for name, text in self.pages.items():
            self.assertEqual(read(other, "man" + name[-1], name), text)
            self.assertIn("1970-01-02", text)

    def complaints(self, *argv):
        if not shutil.which(argv[0]):
            print(f"SKIP: {argv[0]}, which formats man pages, is not installed", flush=True)
            self.skipTest(f"{argv[0]} is not installed")
        for name in self.pages:
            path = os.path.join(self.folder, "man" + name[-1], name)
            done = subprocess.run([*argv, path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, timeout=60,
                                  env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_mandoc_has_nothing_to_complain_of(self):
        self.complaints("mandoc", "-Tlint", "-Wwarning")

    def test_groff_has_nothing_to_complain_of(self):
        self.complaints("man", "--warnings", "-l", "-Tutf8", "-Z")


if __name__ == "__main__":
    unittest.main()
