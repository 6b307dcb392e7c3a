"""The module's types and numbers are those of vmsnap.h: made from it, and measured by the
C compiler."""

import ctypes
import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest

from module import SOURCE, main, skip

from vmsnap import _header, errors

CC = shlex.split(os.environ.get("VMSNAP_CC") or "cc")
sys.path.insert(0, os.path.join(SOURCE, "python"))
import generate  # noqa: E402


def structs():
    """{class: tag}"""
    with open(_header.__file__, encoding="utf-8") as file:
        found = re.findall(r"(?m)^class (\w+)\(Structure\):  # struct (\w+)$", file.read())
    return {getattr(_header, name): tag for name, tag in found}


def measured(expressions):
    """{expression of C: its value}"""
    rows = "\n".join(f'\tprintf("%lld\\n", (long long)({each}));' for each in expressions)
    source = f"#include <stddef.h>\n#include <stdio.h>\n#include <vmsnap.h>\nint main(void)\n{{\n{rows}\n}}\n"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "measure.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)
        subprocess.run([*CC, "-I", generate.INCLUDE, path, "-o", path[:-2]], check=True)
        said = subprocess.run([path[:-2]], check=True, stdout=subprocess.PIPE).stdout.split()
    return dict(zip(expressions, map(int, said)))


def without_a_rule():
    """Structs of the headers of which nothing says how they grow: they begin with their size, or it
    goes along with calls, or the library owns them (enum vmsnap_struct), or they do not grow."""
    text = ""
    for name in sorted(os.listdir(os.path.join(generate.INCLUDE, "vmsnap"))):
        with open(os.path.join(generate.INCLUDE, "vmsnap", name), encoding="utf-8") as file:
            text += file.read()
    owned = re.search(r"enum vmsnap_struct \{(.*?)\}", text, re.S)[1].lower()
    found = []
    comment = r"(?:/\*(?:[^*]|\*(?!/))*\*/\n)?"
    for said, name, body in re.findall(rf"({comment})struct (vmsnap_\w+) \{{(.*?)\n\}};", text, re.S):
        rules = (body.lstrip().startswith("size_t size;"), f"vmsnap_struct_{name[7:]}," in owned,
                 "This struct" in said and "does not grow" in said,
                 re.search(rf"_sized\([^;]*struct {name} \*(?!err)[^;]*size_t size", text))
        if not any(rules):
            found.append(name)
    return found


class Header(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.environ.setdefault("CC", shlex.join(CC))
        try:
            cls.header = generate.Header(generate.preprocessed())
        except (OSError, subprocess.CalledProcessError):
            cls.header = None

    def setUp(self):
        if self.header is None:
            skip(self, "the types of the Python module: there is no C compiler")

    def test_each_struct_says_how_it_grows(self):
        self.assertEqual(without_a_rule(), [])

    def test_it_was_made_from_the_header_as_it_is(self):
        with open(generate.MADE, encoding="utf-8") as file:
            self.assertEqual(file.read(), generate.written(self.header), "run python/generate.py")

    def test_structs_are_laid_out_as_the_compiler_does(self):
        wanted = {}
        for made, tag in structs().items():
            wanted[f"sizeof(struct {tag})"] = ctypes.sizeof(made)
            for name, _, *bits in made._fields_:
                field = getattr(made, name)
                if bits:  # which of the 64
                    first = f"(union {{ struct {tag} all; unsigned long long word; }}){{ .all = {{ .{name} = 1 }} }}.word"
                    wanted[first] = int.from_bytes(bytes(made(**{name: 1})), sys.byteorder)
                    continue
                wanted[f"offsetof(struct {tag}, {name})"] = field.offset
                wanted[f"sizeof(((struct {tag} *)0)->{name})"] = field.size
        self.assertGreater(len(wanted), 200)
        self.assertEqual(wanted, measured(list(wanted)))

    def test_no_struct_and_no_function_is_left_out(self):
        self.assertEqual(set(structs().values()), set(self.header.structs))
        text = re.sub(r"(?s)/\*.*?\*/", "", self.text())
        text = re.sub(r"(?ms)^static inline .*?^\}", "", text)  # they only call others
        declared = set(re.findall(r"\b(vmsnap_\w+)\(", text))
        self.assertEqual(set(_header.FUNCTIONS), declared)

    @staticmethod
    def text():
        """The header, and those that it is made of."""
        found = []
        for folder, _, names in os.walk(generate.INCLUDE):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found.append(file.read())
        return "".join(found)

    def test_enumerators_have_the_compilers_values(self):
        self.assertGreater(len(self.header.values), 100)
        self.assertEqual(self.header.values, measured(list(self.header.values)))
        for tag, values in self.header.enums.items():
            made = getattr(_header, generate.class_name(tag))
            self.assertEqual([getattr(made, name) for name in generate.short_names(values)], list(values.values()))

    def test_error_codes_are_the_headers(self):
        codes = {name: value for name, value in vars(errors).items() if name.isupper()}
        self.assertGreater(len(codes), 8)
        for name, value in codes.items():
            self.assertEqual(getattr(_header.Rc, f"ERR_{name}"), value, name)


if __name__ == "__main__":
    main()
