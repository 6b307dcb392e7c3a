"""What JSON is made of does not change: each key that any command prints, its type, and
each word of those that programs compare with.

They are recorded in tests/golden/json_keys.txt, a line each:

    COMMAND PATH TYPES [WORDS]

`[]` is any item of an array, `*` any key of an object whose keys are the kernel's.  What is
recorded stays; what is new is added to the record by

    VMSNAP=build/dev/cli/vmsnap VMSNAP_LIB=… python3 tests/reader/test_json_keys.py --record

which takes nothing away.  `--outputs FOLDER` writes all that was printed, as JSON and as text,
a file each, to be compared with what another version prints.

`capture --json` prints what `list` does, as live/test_cli_capture.py makes sure.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import json_inputs
from json_inputs import GOLDEN, HERE
from sanitized import library_environment

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
LIB = os.environ.get("VMSNAP_LIB", "libvmsnap.so.0")
RECORD = os.path.normpath(os.path.join(GOLDEN, "json_keys.txt"))
DOCS = os.path.normpath(os.path.join(HERE, "..", "..", "docs"))

# Objects that have the kernel's words as keys.
OPEN = {("show", "status"), ("show", "vmas[].smaps"), ("show", "total.smaps")}
# Strings that programs compare with.
ENUMERATED = {"schema", "change", "changes[]", "verdict", "state", "flags[]", "kind", "freeze", "perms", "not_compared", "held",
              "held_b"}
# Where the library says which there are, some of which no snapshot here brings about.
NAMED = {
    ("aslr", "mappings[].kind"): "aslr_kind",
    ("aslr", "mappings[].differs[]"): "aslr_difference",
    ("diff", "vmas[].change"): "vma_change",
    ("diff", "pages[].change"): "page_change",
    ("history", "rows[].changes[]"): "page_change",
    ("series", "snapshots[].lines[].changes[]"): "vma_change",
    ("cow", "ranges[].verdict"): "verdict",
}
# In the record, which is divided by blanks, a word that is one.
BLANK = "\\x20"


# ---- running ----


def out_of(command, environ=None):
    pipe = subprocess.PIPE
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environ)
    if done.returncode not in (0, 1, 2) or (done.returncode == 2 and done.stderr == b""):
        raise AssertionError(f"{command}: status {done.returncode}, {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def from_library(*arguments, environ):
    return out_of([sys.executable, "-B", os.path.join(HERE, "vmsprint.py"), LIB, *arguments], environ)


def all_documents(folder):
    """(the words of a call, what it printed), for each that printed anything."""
    paths = json_inputs.write(folder)
    for call in json_inputs.commands(folder, paths):
        text = out_of([VMSNAP, *call, "--json"])
        # A file that does not open at all: only an error is told.
        if text:
            yield call, text
    environ = library_environment(LIB)
    for call in json_inputs.library_calls(paths):
        yield call, from_library(*call, environ=environ)


# ---- collecting ----


def type_of(value):
    if isinstance(value, str):
        return "address" if re.fullmatch("0x[0-9a-f]+", value) else "string"
    kinds = {dict: "object", list: "array", bool: "bool", int: "number", float: "decimal", type(None): "null"}
    return kinds[type(value)]


def is_enumerated(path):
    return path.split(".")[-1] in ENUMERATED or path.startswith("legend.")


class Collection:
    """{(command, path): types} and {(command, path): words}"""

    def __init__(self):
        self.types, self.words = {}, {}

    def add(self, command, path, value):
        if path:
            self.types.setdefault((command, path), set()).add(type_of(value))
        if isinstance(value, dict):
            for key, item in value.items():
                key = "*" if (command, path) in OPEN else key
                self.add(command, f"{path}.{key}" if path else key, item)
        elif isinstance(value, list):
            for item in value:
                self.add(command, path + "[]", item)
        elif isinstance(value, str) and is_enumerated(path):
            self.words.setdefault((command, path), set()).add(value)

    def add_document(self, text):
        document = json.loads(text)
        self.add(re.fullmatch(r"vmsnap\.(\w+)/\d+", document["schema"]).group(1), "", document)

    def add_names(self, names):
        """What the library names and no snapshot brought about."""
        for place, kind in NAMED.items():
            self.words.setdefault(place, set()).update(names[kind])

    def lines(self):
        for (command, path), types in sorted(self.types.items()):
            words = sorted(word.replace(" ", BLANK) for word in self.words.get((command, path), ()))
            yield " ".join([command, path, "|".join(sorted(types)), *words])


def collected():
    found = Collection()
    with tempfile.TemporaryDirectory(prefix="vmsnap-json-") as folder:
        for _, text in all_documents(folder):
            found.add_document(text)
    found.add_names(json.loads(from_library("names", environ=library_environment(LIB))))
    return found


def recorded():
    record = Collection()
    with open(RECORD, encoding="utf-8") as file:
        for line in file:
            command, path, types, *words = line.split()
            record.types[command, path] = set(types.split("|"))
            if words:
                record.words[command, path] = {word.replace(BLANK, " ") for word in words}
    return record


# ---- comparing ----


def differences(old, new):
    """What is not as it was, in words."""
    for place, types in sorted(old.items()):
        now = new.get(place)
        if not now:
            yield f"{' '.join(place)}: gone, was {'|'.join(sorted(types))}"
        elif now != types:
            yield f"{' '.join(place)}: was {'|'.join(sorted(types))}, is {'|'.join(sorted(now))}"


def gone_words(old, new):
    for place, words in sorted(old.items()):
        gone = words - new.get(place, set())
        if gone:
            yield f"{' '.join(place)}: no longer {' '.join(sorted(gone))}"


def additions(old, new):
    yield from (f"{' '.join(place)}" for place in sorted(set(new.types) - set(old.types)))
    for place, words in sorted(new.words.items()):
        added = words - old.words.get(place, set())
        if added and place in old.types:
            yield f"{' '.join(place)}: {' '.join(sorted(added))}"


class JsonKeys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.maxDiff = None
        cls.old, cls.new = recorded(), collected()

    def test_what_is_recorded_is_still_printed_with_the_same_type(self):
        self.assertEqual(list(differences(self.old.types, self.new.types)), [])

    def test_words_that_are_recorded_are_still_used(self):
        self.assertEqual(list(gone_words(self.old.words, self.new.words)), [])

    def test_what_is_new_is_recorded(self):
        new = list(additions(self.old, self.new))
        how = f"VMSNAP={VMSNAP} VMSNAP_LIB={LIB} python3 {os.path.abspath(__file__)} --record"
        self.assertEqual(new, [], f"add them to the record, if they are meant:\n{how}")

    def test_every_command_is_asked(self):
        """But for those that make files; what `record` prints is asked of the library, as "written"."""
        commands = re.search("\nCommands:\n(.*?)\n\n", out_of([VMSNAP, "help"]), re.S).group(1)
        known = set(re.findall("^  ([a-z]+)", commands, re.M)) - {"help", "capture", "record", "report", "copy", "export"}
        self.assertEqual(known - {command for command, _ in self.new.types}, set())

    def test_the_record_is_sorted_and_has_each_key_once(self):
        with open(RECORD, encoding="utf-8") as file:
            self.assertEqual(file.read().splitlines(), list(self.old.lines()))

    def test_no_word_is_used_that_the_library_does_not_name(self):
        names = json.loads(from_library("names", environ=library_environment(LIB)))
        for place, kind in NAMED.items():
            self.assertEqual(self.new.words[place], set(names[kind]), place)


class JsonInDocuments(unittest.TestCase):
    """What the documents say of JSON is in the record."""

    @classmethod
    def setUpClass(cls):
        cls.record = recorded()
        cls.texts = {}
        for folder, _, names in os.walk(DOCS):
            for name in (name for name in names if not name.endswith(".png")):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    cls.texts[name] = file.read()

    def keys(self, command):
        reports = {"diff": ("diff", "aslr"), "cow": ("cow", "set_cow")}[command]
        return {path.replace("[]", "").split(".")[-1] for what, path in self.record.types if what in reports}

    def test_schemas(self):
        known = set().union(*(self.record.words[place] for place in self.record.words if place[1] == "schema"))
        # What gdb alone can tell, its plugin says itself.
        with open(os.path.join(DOCS, "..", "gdb", "vmsnap_gdb", "blamed.py"), encoding="utf-8") as file:
            known |= set(re.findall(r'^SCHEMA = "(.*)"', file.read(), re.MULTILINE))
        for name, text in self.texts.items():
            self.assertEqual(set(re.findall(r"vmsnap\.\w+/\d+", text)) - known, set(), name)

    def test_examples_with_jq(self):
        found = [words for text in self.texts.values()
                 for words in re.findall(r"vmsnap (\w+) .*--json.*\| jq '?\.([\w.\[\]]+)", text)]
        self.assertTrue(found)
        for place in found:
            self.assertIn(place, self.record.types)

    def test_keys_that_are_named_beside_the_word_json(self):
        """In the manual pages, `*key*` in the same sentence; in verdicts.md, `key` in its line."""
        for command in ("diff", "cow"):
            sentences = self.texts[f"vmsnap-{command}.1.scd"].replace("\n", " ").split(". ")
            found = {key for one in sentences for key in re.findall(r"\*([a-z]+_?[a-z_]*)\*", one) if "n JSON" in one}
            self.assertTrue(found)
            self.assertEqual(found - self.keys(command), set(), command)
        line = re.search(r"^\| JSON \|.*$", self.texts["verdicts.md"], re.M).group()
        self.assertEqual(set(re.findall("`([a-z_]+)`", line)) - self.keys("cow"), set())


# ---- from the command line ----


def write_record():
    try:
        whole = recorded()
    except FileNotFoundError:
        whole = Collection()
    new = collected()
    for mine, added in ((whole.types, new.types), (whole.words, new.words)):
        for place, values in added.items():
            mine.setdefault(place, set()).update(values)
    with open(RECORD, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in whole.lines())


def write_output(path, text, inputs):
    """Without what is another folder each time."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(inputs, "").replace(GOLDEN, ""))


def write_outputs(folder):
    with tempfile.TemporaryDirectory(prefix="vmsnap-json-") as inputs:
        for number, (call, text) in enumerate(all_documents(inputs)):
            base = os.path.join(folder, f"{number:03}-{call[0]}")
            write_output(base + ".json", text, inputs)
            if call[0] in ("history", "snapshots", "dump"):
                continue
            bare = "--ascii" if call[0] in ("page", "map") else "--raw"
            write_output(base + ".txt", out_of([VMSNAP, *call, "-w", "100"]), inputs)
            write_output(base + ".raw", out_of([VMSNAP, *call, "-w", "100", bare]), inputs)


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        write_record()
    elif sys.argv[1:2] == ["--outputs"]:
        write_outputs(sys.argv[2])
    else:
        unittest.main()
