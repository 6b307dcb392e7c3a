#!/usr/bin/env python3
"""Writes vmsnap/_header.py: what vmsnap.h declares, for ctypes.

    python/generate.py          writes it anew
    python/generate.py --check  says whether it is as the header is

It is kept in the repository, so that a checkout needs no step of its own; a test runs
--check.  The header is taken as the C compiler ($CC, or cc) sees it, and of C no more is
understood than it uses."""

import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
INCLUDE = os.path.join(os.path.dirname(HERE), "core", "include")
MADE = os.path.join(HERE, "vmsnap", "_header.py")

HEAD = '''"""Made by python/generate.py from vmsnap.h: run it again when that has changed.

A class for each enum and each struct, and FUNCTIONS: name -> (result, arguments).
CHECKED: ends with a struct vmsnap_error *, which is not listed, and gives an int that is
negative if it failed.  A pointer to what only the library knows is a c_void_p, and so is one
to bytes that come with a length: they may hold a NUL.
"""

from ctypes import (
{imports})

CHECKED = object()
'''

SCALARS = {"_Bool": "c_bool", "bool": "c_bool", "char": "c_char", "double": "c_double", "int": "c_int",
           "pid_t": "c_int", "unsigned": "c_uint", "unsigned int": "c_uint", "long": "c_long",
           "unsigned long": "c_ulong", "size_t": "c_size_t", "ssize_t": "c_ssize_t", "int32_t": "c_int32",
           "int64_t": "c_int64", "uint8_t": "c_uint8", "uint16_t": "c_uint16", "uint32_t": "c_uint32",
           "uint64_t": "c_uint64", "void": "None"}
_CALLED = re.compile(r"(.*)\(\*(\w+)\)\((.*)\)", re.DOTALL)


def preprocessed():
    compiler = shlex.split(os.environ.get("CC") or "cc")
    return subprocess.run([*compiler, "-E", "-P", "-I", INCLUDE, os.path.join(INCLUDE, "vmsnap.h")], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def class_name(tag):
    """"vmsnap_diff_vma" -> "DiffVma"."""
    return "".join(word.capitalize() for word in tag.split("_")[1:])


def split(text):
    """At commas, but for those within parentheses."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


class Header:
    """Declarations by kind, in the header's order."""

    def __init__(self, text):
        self.values = {}  # of all enumerators
        self.enums = {tag: self._enumerators(body) for tag, body in _bodies("enum", text)}
        bodies = dict(_bodies("struct", text))
        self._structs = set(bodies)
        self.callbacks = {}
        typedefs = re.findall(r"typedef ([^;]*\(\*vmsnap_\w+\)[^;]*);", text)
        self.callbacks = {_CALLED.fullmatch(each)[2]: self._callback(each) for each in typedefs}
        self.structs = {tag: self._fields(body) for tag, body in bodies.items()}
        text = re.sub(r"static inline [^{;]*\{.*?\n\}", "", text, flags=re.DOTALL)  # they call others
        rest = re.sub(r"typedef[^;]*;|\{[^{}]*\}", "", text)
        found = (re.fullmatch(r"\s*(.*?)\b(vmsnap_\w+)\((.*)\)\s*", each, re.DOTALL) for each in rest.split(";"))
        self.functions = {each[2]: self._function(each[1], each[3]) for each in found if each}

    def _enumerators(self, body):
        found, following = {}, 0
        for each in split(body):
            name, _, value = (part.strip() for part in each.partition("="))
            following = eval(value, {}, self.values) if value else following  # the compiler has read it before us
            found[name] = self.values[name] = following
            following += 1
        return found

    def _fields(self, body):
        """[(name, type)]"""
        found = []
        for line in body.split(";"):
            if not line.strip():
                continue
            called = _CALLED.fullmatch(line.strip())
            if called:
                found.append((called[2], self._callback(line.strip())))
                continue
            bits = re.fullmatch(r"\s*(.*?)\b(\w+) : (\d+)", line, re.DOTALL)
            if bits:  # all of them lie in 64 bits
                found.append((bits[2], f"c_uint64, {bits[3]}"))
                continue
            first, *more = split(line)
            base = re.fullmatch(r"(.*?)(\**\w+(?:\[\w+\])?)", first, re.DOTALL)
            found += [self._field(base[1], each) for each in (base[2], *more)]
        names = {name for name, _ in found}
        return [(name, "c_void_p" if f"{name}_len" in names else kind) for name, kind in found]

    def _field(self, base, declared):
        stars, name, size = re.fullmatch(r"(\**)\s*(\w+)(?:\[(\w+)\])?", declared).groups()
        kind = self._type(base + stars)
        return name, f"{kind} * {self.values.get(size, size)}" if size else kind

    def _type(self, text):
        words = re.sub(r"\bconst\b", " ", text).replace("*", " * ").split()
        stars = words.count("*")
        words = [word for word in words if word != "*"]
        if words[0] == "struct":
            kind = class_name(words[1]) if words[1] in self._structs else None
        elif words[0] == "enum":
            kind = "c_int"
        elif words[0] in self.callbacks:
            kind = class_name(words[0])
        else:
            kind = SCALARS[" ".join(words)]
        if stars and kind in ("None", None, "c_char"):
            kind, stars = "c_char_p" if kind == "c_char" else "c_void_p", stars - 1
        for _ in range(stars):
            kind = f"POINTER({kind})"
        return kind

    def _parameters(self, text):
        found, parts = [], split(text)
        for each, following in zip(parts, [*parts[1:], ""]):
            if each == "void":
                continue
            called = _CALLED.fullmatch(each)
            kind = self._callback(each) if called else self._type(re.sub(r"\w+$", "", each))
            # Text whose length is told need not end.
            found.append("c_void_p" if kind == "c_char_p" and following == "size_t len" else kind)
        return found

    def _callback(self, text):
        result, _, arguments = _CALLED.fullmatch(text).groups()
        return f"CFUNCTYPE({', '.join([self._type(result), *self._parameters(arguments)])})"

    def _function(self, result, arguments):
        kinds, result = self._parameters(arguments), self._type(result)
        if result == "c_int" and kinds[-1:] == ["POINTER(Error)"]:
            return "CHECKED", kinds[:-1]
        if result == "c_char_p" and re.search(r"size_t \*len$", arguments):
            result = "c_void_p"
        return result, kinds


def _bodies(kind, text):
    return re.findall(rf"{kind} (vmsnap_\w+)\s*\{{(.*?)\}}", text, re.DOTALL)


def short_names(names):
    """Without the words that all of them begin with."""
    common = os.path.commonprefix(list(names))
    common = common[:common.rfind("_") + 1]
    if any(name[len(common)].isdigit() for name in names):  # VMSNAP_COLOR_16
        common = common[:common[:-1].rfind("_") + 1]
    return [name[len(common):] for name in names]


def wrapped(items, indent, end):
    """Comma-separated, in lines of at most 119 characters."""
    lines, line = [], indent + items[0]
    for item in items[1:]:
        if len(line) + len(item) + 3 > 119:
            lines.append(line + ",")
            line = indent + item
        else:
            line += ", " + item
    return "\n".join(lines + [line + end])


def written(header):
    parts = []
    for tag, values in header.enums.items():
        rows = [f"    {short} = {value}" for short, value in zip(short_names(values), values.values())]
        parts.append(f"\n\nclass {class_name(tag)}:  # enum {tag}\n" + "\n".join(rows) + "\n")
    parts += [f"\n\n{class_name(name)} = {kind}\n" for name, kind in header.callbacks.items()]
    for tag, fields in header.structs.items():
        rows = wrapped([f'("{name}", {kind})' for name, kind in fields], " " * 8, ",")
        parts.append(f"\n\nclass {class_name(tag)}(Structure):  # struct {tag}\n    _fields_ = [\n{rows}\n    ]\n")
    rows = []
    for name, (result, kinds) in header.functions.items():
        arguments = "".join(f"{kind}, " for kind in kinds)[:-1 if len(kinds) == 1 else -2]
        row = f'    "{name}": ({result}, ({arguments})),'
        rows.append(row if len(row) < 120 else
                    f'    "{name}":\n        ({result}, (\n{wrapped(kinds, " " * 12, ")),")}')
    body = "".join(parts) + "\n\nFUNCTIONS = {\n" + "\n".join(rows) + "\n}\n"
    used = sorted(set(re.findall(r"\b(?:c_\w+|CFUNCTYPE|POINTER|Structure)\b", body)))
    return HEAD.format(imports=wrapped(used, " " * 4, "")) + body


def main():
    made = written(Header(preprocessed()))
    if sys.argv[1:] == ["--check"]:
        with open(MADE, encoding="utf-8") as file:
            return 0 if file.read() == made else "vmsnap/_header.py is not as vmsnap.h is: run python/generate.py"
    with open(MADE, "w", encoding="utf-8") as file:
        file.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
