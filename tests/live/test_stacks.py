"""vmsnap blame FILE, and vmsnap export --format folded and pprof: files whose faults and pages are known, since the tests'
own writer makes them; and real ones."""

import gzip
import json
import os
import sys
import tempfile
import unittest

from command_line import command
from support import skip

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path[:0] = [os.path.join(SOURCE, "tests", folder) for folder in ("golden", "reader")]

import cases  # noqa: E402
from profiles import Profile  # noqa: E402

PAGE, CODE, HEAP = 4096, 0x555555556000, 0x55555555E000
MAIN, SET, GET, READ, FAR = CODE + 0x10, CODE + 0x20, CODE + 0x30, CODE + 0x40, 0x7FFFF0000000
ONE_FRAME = {MAIN: b"main", SET: b"set;all 1\n", GET: b"get\xff"}


def frames(*states):
    """Of heap pages: (index, flags, pfn)."""
    return [cases.run(HEAP + index * PAGE, 1, flags, pfn=pfn) for index, flags, pfn in states]


def process(when, runs, **more):
    model = cases.small(monotonic=when, taken=1700000000 * 10**9 + when, known=["pfn", "exclusive", "exclusive_huge"])
    return dict(model, runs=runs, **more)


def fault(when, index, stack, kind, system=-1, ip=None):
    pid = cases.PROCESS["pid"]
    return [when, HEAP + index * PAGE + 8, stack[0] if ip is None else ip, pid, pid, stack, system, kind, 0]


FAULTS = {
    "watched": [1000, 9000], "lost": 5, "flags": 25, "pid": cases.PROCESS["pid"],
    "objects": [[b"/usr/bin/cat", "0123abcd", CODE, CODE + 0x5000, 0x2000]],
    "threads": [[cases.PROCESS["pid"], cases.PROCESS["pid"], b"cat"]],
    "syscalls": [[0, b"read"]],
    "code": [[MAIN, 0, 0, b"main", b"src/cat.c", 30, 0], [SET, 0, CODE + 0x20, b"set;all 1\n", b"src/set.c", 7, 0],
             [GET, 0, 0, b"get\xff", b"", 0, 0], [READ, 0, 0, b"", b"", 0, 0]],
    # Pages 0, 1 and 2 are copied by set, 3 is made by get, 4 by read(2) in unknown code; nobody tells of 5.
    "faults": [fault(2000, 0, [SET, MAIN], 3), fault(2001, 1, [SET, MAIN], 3), fault(2002, 2, [SET, GET, MAIN], 3),
               fault(2003, 3, [GET, MAIN], 2), fault(2004, 4, [FAR, READ, MAIN], 2, system=0)],
    "events": [], "memory_events": [],
}
BEFORE = frames(*[(index, "present", 0x100 + index) for index in range(3)], (6, "exclusive present", 0x900))
AFTER = frames(*[(index, "exclusive present", 0x200 + index) for index in range(6)], (6, "exclusive present", 0x900))


class Stacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.file = os.path.join(cls.folder.name, "blamed.vms")
        with open(cls.file, "wb") as file:
            file.write(cases.file_of(process(1000, BEFORE), process(9000, AFTER, faults=FAULTS))[0])

    def export(self, *words, status=0):
        done = command("export", *words)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def test_folded_lines_are_stacks_and_nothing_in_a_name_can_be_another(self):
        lines = self.export("--format", "folded", self.file).decode().splitlines()
        self.assertEqual(sorted(lines), sorted([
            r"cat;main;set\x3ball 1\x0a 2",
            r"cat;main;get\xff;set\x3ball 1\x0a 1",
            r"cat;main;get\xff 1",
            r"cat;main;cat+0x2040;0x7ffff0000000;(inside read) 1",
            "cat;(the kernel, or unseen) 1",
        ]))

    def test_profile_says_the_same(self):
        data = self.export("--format", "pprof", self.file)
        profile = Profile(data)
        self.assertEqual(profile.types, [("copied", "pages"), ("new", "pages"), ("written", "pages"), ("resident", "bytes"),
                                         ("exclusive", "bytes"), ("swapped", "bytes"), ("shared", "bytes")])
        self.assertEqual(profile.text(profile.numbers[14]), "copied")
        main, get = ("main", "src/cat.c", 30), (r"get\xff", "", 0)
        set_ = (r"set;all 1\x0a", "src/set.c", 7)
        self.assertEqual(profile.code(), sorted([
            ((main, set_), (2, 0, 0)),
            ((main, get, set_), (1, 0, 0)),
            ((main, get), (0, 1, 0)),
            ((main, ("cat+0x2040", "", 0), ("0x7ffff0000000", "", 0), ("(inside read)", "", 0)), (0, 1, 0)),
            ((("(the kernel, or unseen)", "", 0),), (0, 1, 0)),
        ]))
        self.assertEqual(profile.memory(), {("cat", "heap", "[heap] rw-p"): (7 * PAGE, 7 * PAGE, 0, 0)})
        mapping, heap = profile.mappings.values()
        self.assertEqual([heap[2], profile.text(heap[5]), heap.get(6, 0)], [HEAP, "[heap]", 0])
        self.assertEqual([mapping[2], mapping[3], mapping[4]], [CODE, CODE + 0x5000, 0x2000])
        self.assertEqual([profile.text(mapping[5]), profile.text(mapping[6])], ["/usr/bin/cat", "0123abcd"])
        self.assertEqual(profile.comments, ["vmsnap blame: 5 page faults were lost"])
        self.assertEqual(profile.numbers[9], 1700000000 * 10**9 + 1000)
        self.assertEqual(profile.numbers[10], 8000)
        addresses = {location[3]: location.get(2, 0) for location in profile.locations.values() if 3 in location}
        self.assertEqual(addresses, {MAIN: 1, SET: 1, GET: 1, READ: 1, FAR: 0, HEAP: 2})
        self.assertEqual(data, self.export("--format", "pprof", self.file))

    def test_profile_replaces_one_and_nothing_else(self):
        out = os.path.join(self.folder.name, "out.pb.gz")
        self.export("--format", "pprof", self.file, "-o", out)
        self.export("--format", "pprof", self.file, "-o", out)
        with open(out, "rb") as file:
            self.assertEqual(len(Profile(file.read()).code()), 5)
        with open(out, "w", encoding="utf-8") as file:
            file.write("a letter")
        self.export("--format", "pprof", self.file, "-o", out, status=2)
        with open(out, encoding="utf-8") as file:
            self.assertEqual(file.read(), "a letter")

    def test_files_without_faults_say_so(self):
        plain = os.path.join(self.folder.name, "plain.vms")
        self.assertEqual(command("copy", self.file, "--strip", "faults", "-o", plain).returncode, 0)
        for words in ((plain,), ("--strip", "faults", self.file)):
            done = command("export", "--format", "folded", *words)
            self.assertEqual((done.returncode, done.stdout), (0, b"cat;heap;[heap] rw-p %d\n" % (7 * PAGE)))
            self.assertIn(b"no page faults are kept", done.stderr)
            profile = Profile(self.export("--format", "pprof", *words))
            self.assertEqual([name for name, _ in profile.types], ["resident", "exclusive", "swapped", "shared"])
            self.assertEqual(profile.text(profile.numbers[14]), "resident")
            self.assertEqual(profile.comments, [])
        self.assertEqual(command("export", "--format", "folded", self.file).stderr, b"")
        done = command("blame", plain)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"no page faults are kept there", done.stderr)

    def test_what_is_stripped_is_in_neither(self):
        for format_ in ("folded", "pprof"):
            whole, less = (self.export("--format", format_, *words, self.file) for words in ((), ("--strip", "names")))
            whole, less = ((gzip.decompress(text) if format_ == "pprof" else text) for text in (whole, less))
            self.assertEqual((b"main" in whole, b"main" in less), (True, False))

    def test_functions_are_told_in_their_language(self):
        symbol, name = b"_ZN4shop6orders17h0123456789abcdefE", b"shop::orders"
        code = [[*row[:3], symbol if row[3] == b"main" else row[3], *row[4:]] for row in FAULTS["code"]]
        path = os.path.join(self.folder.name, "rust.vms")
        with open(path, "wb") as file:
            file.write(cases.file_of(process(1000, BEFORE), process(9000, AFTER, faults=dict(FAULTS, code=code)))[0])
        for words, there in (((), (True, False)), (("--no-demangle",), (False, True))):
            folded = self.export("--format", "folded", *words, path)
            self.assertEqual((name in folded, symbol in folded), there)
            # A profile has both, and shows one.
            profile = Profile(self.export("--format", "pprof", *words, path))
            shown = {profile.text(function[2]) for function in profile.functions.values()}
            self.assertEqual((name.decode() in shown, symbol.decode() in shown), there)
            self.assertIn(symbol.decode(), {profile.text(function[3]) for function in profile.functions.values()})

    def test_blame_tells_it_again_from_the_file(self):
        done = command("blame", self.file, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        rows = {row["function"]: (row["copied"], row["new"]) for row in told["rows"]}
        self.assertEqual(rows["set;all 1\\x0a"], (3 * PAGE, 0))
        self.assertEqual(rows["get\\xff"], (0, PAGE))
        self.assertEqual(told["unseen"], PAGE)
        self.assertEqual(told["lost"], 5)
        self.assertIn(b"5 lost", command("blame", self.file).stdout)

    def blame(self, *models):
        path = os.path.join(self.folder.name, "these.vms")
        with open(path, "wb") as file:
            file.write(cases.file_of(*models)[0])
        done = command("blame", path, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout), done.stderr

    def test_without_the_snapshot_before_nobody_knows_what_is_new(self):
        told, said = self.blame(process(9000, AFTER, faults=FAULTS))
        self.assertEqual((told["unseen"], set(told["bytes"].values()), told["faults"]), (None, {None}, 5))
        self.assertEqual({row[what] for row in told["rows"] for what in ("copied", "new", "mapped")}, {None})
        self.assertEqual([process["known"] for process in told["processes"]], [False])
        self.assertEqual(said, b"")
        text = command("blame", os.path.join(self.folder.name, "these.vms")).stdout
        self.assertIn(b"There is no snapshot from before: what became of the pages is not known.", text)

    def test_pages_that_no_fault_explains_are_one(self):
        """Also as the first of all: nothing is compared with nothing (sanitizers look)."""
        told, _ = self.blame(process(1000, BEFORE), process(9000, AFTER, faults=dict(FAULTS, faults=[])))
        self.assertEqual([(row["known"], row["copied"] + row["new"]) for row in told["rows"]], [("unseen", 6 * PAGE)])

    def test_names_that_were_taken_away_are_places_in_files(self):
        bare = os.path.join(self.folder.name, "bare.vms")
        self.assertEqual(command("copy", self.file, "--strip", "names", "-o", bare).returncode, 0)
        told = self.export("--format", "folded", bare)
        self.assertNotIn(b"main", told)
        self.assertIn(b"cat;0x555555556010;0x555555556020 2\n", told)

    def test_what_was_watched_is_kept_and_told_again(self):
        out = os.path.join(self.folder.name, "live.vms")
        done = command("blame", "--save", out, "--json", "--", sys.executable, "-c", "x = bytearray(1 << 22)")
        for reason in (b"does not let page faults be watched", b"cannot tell of page faults"):
            if done.returncode == 2 and reason in done.stderr:
                skip(self, "the kernel does not let page faults be watched (perf_event_open)")
        self.assertEqual(done.returncode, 0, done.stderr)
        again = command("blame", out, "--json")
        self.assertEqual(again.returncode, 0, again.stderr)
        watched, told = json.loads(done.stdout), json.loads(again.stdout)
        for key in ("faults", "lost", "bytes", "unseen", "several", "rows"):
            self.assertEqual(told[key], watched[key], key)
        # Which calls led there is kept, although nobody asked for it when it was watched.
        stacks = [line.split(b";") for line in self.export("--format", "folded", out).splitlines()]
        self.assertGreater(max(map(len, stacks)), 3)


if __name__ == "__main__":
    unittest.main()
