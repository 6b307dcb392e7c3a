"""Lines that tests ran, from what gcc's --coverage left behind, by file and function."""

import collections
import json
import os
import subprocess

# function: its name, or "" for what is in none.  missed: numbers of lines never run.
Function = collections.namedtuple("Function", "path name first lines missed")


def notes(folder):
    """The .gcno files below a build folder, one for each object."""
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".gcno"):
                yield os.path.join(place, name)


def ask(gcov, paths):
    """What gcov says of some objects, a document for each."""
    said = subprocess.run([gcov, "--json-format", "--stdout", *paths], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True, cwd="/").stdout
    decoder, text, at = json.JSONDecoder(), said.decode(), 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        yield document
        while at < len(text) and text[at].isspace():
            at += 1


class Counts:
    """How often each line of each file ran, all objects together: a header's lines are
    in many of them."""

    def __init__(self, root, folders):
        self.root = root
        self.folders = tuple(folder + os.sep for folder in folders)
        self.lines = collections.defaultdict(dict)  # path -> {line: count}
        self.starts = collections.defaultdict(dict)  # path -> {first line: name}

    def add(self, document):
        for file in document["files"]:
            path = os.path.join(document["current_working_directory"], file["file"])
            path = os.path.relpath(os.path.realpath(path), self.root)
            if not path.startswith(self.folders):
                continue
            lines = self.lines[path]
            for line in file["lines"]:
                number = line["line_number"]
                lines[number] = max(lines.get(number, 0), line["count"])
            for function in file["functions"]:
                self.starts[path][function["start_line"]] = function["name"]

    def functions(self):
        found = []
        for path in sorted(self.lines):
            starts = sorted(self.starts[path].items())
            ends = [first for first, _ in starts[1:]] + [float("inf")]
            for (first, name), end in zip(starts, ends):
                lines = {n: count for n, count in self.lines[path].items() if first <= n < end}
                missed = sorted(n for n, count in lines.items() if not count)
                found.append(Function(path, name, first, len(lines), missed))
        return found


def read(root, build, folders, gcov="gcov"):
    counts = Counts(os.path.realpath(root), folders)
    objects = sorted(notes(os.path.abspath(build)))
    for at in range(0, len(objects), 50):
        for document in ask(gcov, objects[at:at + 50]):
            counts.add(document)
    return counts.functions()
