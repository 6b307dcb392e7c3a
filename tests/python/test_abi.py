"""What programs that were compiled yesterday rely on is still so: the symbols and their
versions, the layout of structs, the values of enumerators.

tests/golden/abi.txt has a line for each, in order:
    symbol vmsnap_diff_new VMSNAP_0.1
    struct vmsnap_run 40
    field vmsnap_run.pfn 16 8                 offset and size, or the bits of the 64
    enumerator VMSNAP_PAGE_ZERO 16
Structs may grow at their ends, and there may be more of everything: what is not recorded has
to be, once, by `test_abi.py --record`, which takes nothing away and changes nothing.

Where abigail-tools are installed, abidiff looks at the same, and at the types of parameters: it
holds the library against tests/golden/abi-x86_64.xml.gz, which abidw made of the library then. That
is made anew once for each release, by `test_abi.py --record-dump`."""

import ctypes
import gzip
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from module import SOURCE, main, skip

from vmsnap import _header

RECORD = os.path.join(SOURCE, "tests", "golden", "abi.txt")
DUMP = os.path.join(SOURCE, "tests", "golden", "abi-x86_64.xml.gz")
MAP = os.path.join(SOURCE, "core", "libvmsnap.map")
LIB = os.environ.get("VMSNAP_LIB")


def symbols_of_map():
    """{name: version} as the map says."""
    with open(MAP, encoding="utf-8") as file:
        nodes = re.findall(r"(?s)^(VMSNAP_[\d.]+) \{\s*global:\s*(.*?)\s*(?:local:.*?)?\}", file.read(), re.MULTILINE)
    return {name: version for version, names in nodes for name in re.findall(r"\w+", names)}


def symbols_of_library():
    """The same as the library has them; None if nothing can tell."""
    try:
        said = subprocess.run(["readelf", "-W", "--dyn-syms", LIB], check=True, stdout=subprocess.PIPE, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    rows = [line.split() for line in said.splitlines()]
    return _versions(rows)


def _versions(rows):
    found = {}
    for row in rows:
        if len(row) > 7 and row[6].isdigit():
            name, _, version = row[7].partition("@@")
            found[name] = version
    return found


def structs():
    """{struct: (size, {field: (offset, size)})}, as a compiler does: test_header.py sees to that."""
    with open(_header.__file__, encoding="utf-8") as file:
        tags = re.findall(r"(?m)^class (\w+)\(Structure\):  # struct (\w+)$", file.read())
    found = {}
    for name, tag in tags:
        made = getattr(_header, name)
        fields = {}
        for field, _, *bits in made._fields_:
            if field == "later":
                continue  # bits that nobody has yet
            place = getattr(made, field)
            fields[field] = (place.offset, f"{place.size & 0xffff}+{bits[0]}bits" if bits else place.size)
        found[tag] = ctypes.sizeof(made), fields
    return found


def enumerators():
    with open(_header.__file__, encoding="utf-8") as file:
        text = file.read()
    found = {}
    for name, tag, body in re.findall(r"(?m)^class (\w+):  # enum (\w+)\n((?:    \w+ = .*\n)+)", text):
        for word, value in re.findall(r"    (\w+) = (\S+)", body):
            if not word.endswith("COUNT"):
                found[f"{tag}.{word}"] = value
    return found


def current():
    """The lines of the record, as it would be made now."""
    lines = [f"symbol {name} {version}" for name, version in symbols_of_map().items()]
    for tag, (size, fields) in structs().items():
        lines.append(f"struct {tag} {size}")
        lines += [f"field {tag}.{name} {offset} {size}" for name, (offset, size) in fields.items()]
    lines += [f"enumerator {name} {value}" for name, value in enumerators().items()]
    return sorted(lines)


def recorded():
    with open(RECORD, encoding="utf-8") as file:
        return file.read().splitlines()


def key(line):
    return line.split(" ")[:2]


# ---- abigail-tools ----

def dumped():
    with gzip.open(DUMP, "rt", encoding="utf-8") as file:
        return file.read()


def has_types(path):
    said = subprocess.run(["readelf", "-S", "-W", path], stdout=subprocess.PIPE, text=True).stdout
    return " .debug_info " in said


def abidiff(dump):
    """What abidiff finds different in the library, but for additions; "" if nothing."""
    # What lies behind opaque pointers is ours to change; and a struct that grew at its end, as
    # another test makes sure, is another one for abidiff; and so is vmsnap_known, where new bits take of the spare.
    sizes = dict(re.findall(r"<class-decl name='(\w+)' size-in-bits='(\d+)'", dump))
    watched = [tag for tag, (size, _) in structs().items() if sizes.get(tag) == str(8 * size) and tag != "vmsnap_known"]
    with tempfile.TemporaryDirectory() as folder:
        old, rules = os.path.join(folder, "abi.xml"), os.path.join(folder, "rules.ini")
        with open(old, "w", encoding="utf-8") as file:
            file.write(dump)
        with open(rules, "w", encoding="utf-8") as file:
            file.write(f"[suppress_type]\n  type_kind = struct\n  name_not_regexp = ^({'|'.join(watched)})$\n")
        ended = subprocess.run(["abidiff", "--no-added-syms", "--suppressions", rules, old, LIB],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode & ~12:  # not of what it found
        raise RuntimeError(f"abidiff: {ended.returncode}: {ended.stdout}")
    return ended.stdout if ended.returncode else ""


class Abigail(unittest.TestCase):
    def setUp(self):
        if not LIB:
            skip(self, "the types of the library: VMSNAP_LIB is not set")
        if not shutil.which("abidiff") or not shutil.which("readelf"):
            skip(self, "the types of the library: abigail-tools are not installed")
        if platform.machine() != "x86_64" or not has_types(LIB):
            skip(self, "the types of the library: it is of another machine than the record, or has no types in it")

    def test_nothing_has_changed(self):
        self.assertEqual(abidiff(dumped()), "")

    def test_a_change_would_be_seen(self):
        dump = dumped()
        member = dump.index("<data-member", dump.index("<class-decl name='vmsnap_run' "))
        places = dump[member:].replace("'64'", "'X'", 1).replace("'128'", "'64'", 1).replace("'X'", "'128'", 1)
        moved = dump[:member] + places
        self.assertIn("'uint64_t pfn' offset changed", abidiff(moved))
        gone = dump.replace("vmsnap_run_next", "vmsnap_run_gone")
        self.assertIn("vmsnap_run_gone", abidiff(gone))
        begin = dump.index("<function-decl name='vmsnap_page_at'")
        first = re.compile(r"<parameter type-id='[^']*'").search(dump, begin)
        other = dump[:first.start()] + "<parameter type-id='" + type_of(dump, "uint64_t") + "'" + dump[first.end():]
        self.assertIn("vmsnap_page_at", abidiff(other))


def type_of(dump, name):
    return re.search(rf"<typedef-decl name='{name}' [^>]* id='([^']*)'", dump)[1]


def record_dump():
    said = subprocess.run(["abidw", "--exported-interfaces-only", "--no-corpus-path", "--no-comp-dir-path",
                           "--no-show-locs", "--no-parameter-names", "--no-elf-needed", LIB],
                          check=True, stdout=subprocess.PIPE, text=True)
    text = re.sub(r" path='[^']*?((?:core|formats)/[^']*)'", r" path='\1'", said.stdout)
    with open(DUMP, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.encode())


# ---- without them ----

class Abi(unittest.TestCase):
    def test_nothing_that_programs_rely_on_has_changed(self):
        now = {tuple(key(line)): line for line in current()}
        for line in recorded():
            kind, name, *rest = line.split(" ")
            self.assertIn((kind, name), now, "it is gone")
            if kind == "struct":
                self.assertGreaterEqual(int(now[kind, name].split(" ")[2]), int(rest[0]), line)
            else:
                self.assertEqual(now[kind, name], line)

    def test_all_of_it_is_recorded(self):
        known = {tuple(key(line)) for line in recorded()}
        missing = [line for line in current() if tuple(key(line)) not in known]
        self.assertEqual(missing, [], "if they are to stay for ever, run tests/python/test_abi.py --record")

    def test_a_struct_grows_at_its_end_only(self):
        """A field that is not in the oldest record lies behind all that are."""
        known = {}
        for line in recorded():
            if line.startswith("field "):
                tag, _, name = line.split(" ")[1].partition(".")
                known.setdefault(tag, set()).add(name)
        for tag, (_, fields) in structs().items():
            old = [place[0] for name, place in fields.items() if name in known.get(tag, ())]
            new = [place[0] for name, place in fields.items() if name not in known.get(tag, ())]
            if old and new:
                self.assertGreaterEqual(min(new), max(old), tag)

    def test_the_library_has_the_symbols_of_its_map_and_their_versions(self):
        if not LIB:
            skip(self, "the symbols of the library: VMSNAP_LIB is not set")
        found = symbols_of_library()
        if found is None:
            skip(self, "the symbols of the library: there is no readelf")
        ours = {name: version for name, version in found.items() if name.startswith("vmsnap_")}
        self.assertEqual(ours, symbols_of_map())
        others = [name for name in found if not name.startswith(("vmsnap_", "VMSNAP_", "__", "_"))]
        self.assertEqual(others, [], "what is not ours to name")

    def test_the_map_lists_what_the_header_declares(self):
        self.assertEqual(set(symbols_of_map()), set(_header.FUNCTIONS))


def record():
    known = {tuple(key(line)): line for line in (recorded() if os.path.exists(RECORD) else ())}
    for line in current():
        known.setdefault(tuple(key(line)), line)
    with open(RECORD, "w", encoding="utf-8") as file:
        file.write("\n".join(sorted(known.values())) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        record()
    elif sys.argv[1:] == ["--record-dump"]:
        record_dump()
    else:
        main()
