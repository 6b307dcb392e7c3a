"""Core files: of each class and byte order the command says what was put in; what they do not tell it does not say; and
those that are cut off, compressed or made to break it."""

import ctypes
import ctypes.util
import json
import os
import random
import re
import resource
import struct
import subprocess
import tempfile
import unittest

import vmsfile
import vmsreport
from corefile import AT_PHDR, AT_RANDOM, AT_SYSINFO_EHDR, MACHINES, Core, R, W, X, mapped_elf

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
SLOWNESS = int(os.environ.get("VMSNAP_SLOWNESS", "1"))
PAGE = 4096
ID = bytes(range(20))


def page(text):
    return text.encode().ljust(PAGE, b"\xa5")


def sample(machine="x86_64"):
    core = Core(machine)
    core.pid, core.ppid, core.uid, core.comm, core.signal, core.fault = 4711, 12, 1000, b"crashed", 11, 0x1234
    core.threads = [(4713, 0x7ff02000), (4711, 0x50001ff0)]
    core.load(0x10000000, 2 * PAGE, R, mapped_elf(ID, machine), "/usr/bin/crashed")
    core.load(0x10002000, PAGE, R | X, b"", "/usr/bin/crashed", 2 * PAGE)
    core.load(0x10003000, PAGE, R | W, page("data"), "/usr/bin/crashed", 3 * PAGE)
    core.load(0x20000000, 4 * PAGE, R | W, [page("first"), None, None, page("last")])
    core.load(0x30000000, PAGE, R | W, b"", "/dev/zero (deleted)")
    core.load(0x40000000, PAGE, 0)
    core.load(0x50000000, 2 * PAGE, R | W, page("stack") + page("more"))
    core.load(0x7fff0000, PAGE, R | X, mapped_elf(b"\x11" * 8, machine))
    core.auxiliary.update({AT_PHDR: 0x10000040, AT_RANDOM: 0x50001100, AT_SYSINFO_EHDR: 0x7fff0000})
    return core


class Cores(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.made = 0

    def path(self, core):
        self.made += 1
        path = os.path.join(self.folder, f"core.{self.made}")
        if isinstance(core, bytes):
            with open(path, "wb") as stream:
                stream.write(core)
            return path
        return core.write(path)

    def run_it(self, *words, status=(0,), given=None):
        done = subprocess.run([VMSNAP, *words], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=30 * SLOWNESS, check=False)
        self.assertIn(done.returncode, status, (words, done.stderr.decode()))
        self.error = done.stderr.decode()
        return done.stdout

    def told(self, *words, status=(0, 1)):
        return json.loads(self.run_it(*words, "--json", status=status))

    def held(self, path, start, size):
        """Bytes, as the command saves them."""
        out = os.path.join(self.folder, "bytes")
        self.run_it("dump", path, f"{start:x}+{size:x}", f"--save={out}")
        with open(out, "rb") as stream:
            found = stream.read()
        os.unlink(out)
        return found

    # ---- what is told ----

    def test_each_machine(self):
        for name, machine in MACHINES.items():
            with self.subTest(machine=name):
                path = self.path(sample(name))
                shown = self.told("show", path)
                who = shown["snapshot"]
                self.assertEqual([who[key] for key in ("pid", "tgid", "ppid", "uid", "comm", "exe", "arch", "signal", "source")],
                                 [4711, 4711, 12, 1000, "crashed", "/usr/bin/crashed", machine.name, 11, "core"])
                self.assertEqual(who["reason"], "core file, ended by SIGSEGV at 0x1234")
                self.assertEqual((who["page_size"], who["page_size_assumed"], who["exe_build_id"]), (PAGE, False, ID.hex()))
                self.assertEqual([(t["tid"], t["stack_pointer"]) for t in shown["threads"]],
                                 [(4713, "0x7ff02000"), (4711, "0x50001ff0")])
                self.assertEqual(shown["status"]["Threads"], 2)
                self.assertEqual(self.held(path, 0x20000000, PAGE), page("first"))
                self.assertEqual(self.held(path, 0x50000000, 2 * PAGE), page("stack") + page("more"))

    def test_mappings(self):
        rows = self.told("show", self.path(sample()))["vmas"]
        self.assertEqual([(row["start"], row["perms"], row["offset"], row["name"]) for row in rows], [
            ("0x10000000", "r--?", 0, "/usr/bin/crashed"), ("0x10002000", "r-x?", 2 * PAGE, "/usr/bin/crashed"),
            ("0x10003000", "rw-?", 3 * PAGE, "/usr/bin/crashed"), ("0x20000000", "rw-p", 0, ""),
            ("0x30000000", "rw-s", 0, "/dev/zero (deleted)"), ("0x40000000", "---p", 0, ""),
            ("0x50000000", "rw-p", 0, "[stack]"), ("0x7fff0000", "r-xp", 0, "[vdso]")])
        self.assertEqual([row["build_id"] for row in rows[:3]], [ID.hex()] * 3)
        self.assertEqual(rows[7]["build_id"], "11" * 8)
        self.assertEqual([row["deleted"] for row in rows], [False] * 4 + [True] + [False] * 3)

    def test_what_is_not_told_is_null(self):
        shown = self.told("show", self.path(sample()))
        for row in (shown["total"], *shown["vmas"]):
            self.assertEqual([row[key] for key in ("resident", "swapped", "exclusive", "zero", "file", "huge", "guard")], [None] * 7)
        self.assertEqual({shown["vmas"][0][key] for key in ("dev", "inode")}, {None})
        self.assertFalse(shown["snapshot"]["known"]["states"])
        for key in ("taken", "cmdline", "host", "boot_id", "monotonic", "instant"):
            self.assertIsNone(shown["snapshot"][key], key)
        found = self.told("page", self.path(sample()), "20001000")
        self.assertEqual((found["state"], found["dumped"]), (None, "hole"))
        self.assertEqual(self.told("list", self.path(sample()))["snapshots"][0]["source"], "core")

    def test_pages(self):
        rows = self.told("pages", self.path(sample()))["runs"]
        self.assertEqual({row["state"] for row in rows}, {None})
        self.assertEqual([(row["start"], row["pages"], row["dumped"]) for row in rows], [
            ("0x10000000", 1, "bytes"), ("0x10001000", 1, "not"), ("0x10002000", 1, "not"), ("0x10003000", 1, "bytes"),
            ("0x20000000", 1, "bytes"), ("0x20001000", 2, "hole"), ("0x20003000", 1, "bytes"), ("0x30000000", 1, "not"),
            ("0x40000000", 1, "not"), ("0x50000000", 2, "bytes"), ("0x7fff0000", 1, "bytes")])

    def test_who_mapped_a_file(self):
        found = self.told("who", "/usr/bin/crashed", self.path(sample()))
        self.assertEqual([(row["pid"], row["mappings"], row["size"], row["resident"]) for row in found["processes"]],
                         [(4711, 3, 4 * PAGE, None)])
        self.run_it("who", "/usr/bin/crashed", os.path.join(self.folder, "none.vms"), status=(2,))
        self.assertIn("No such file", self.error)

    def test_contents_that_are_not_there(self):
        path = self.path(sample())
        self.assertEqual(self.held(path, 0x20001000, 2 * PAGE), bytes(2 * PAGE))
        self.run_it("dump", path, "30000000+1000", "--save=" + os.path.join(self.folder, "none"))
        self.assertIn("4096 of 4096 bytes are not known", self.error)
        self.assertIn(b"??", self.run_it("dump", path, "30000000+16"))

    def test_only_listed(self):
        core = sample()
        core.files.append((0x11000000, 0x11002000, 0, "/usr/lib/libz.so"))
        row = self.told("show", self.path(core))["vmas"][3]
        self.assertEqual((row["start"], row["perms"], row["name"]), ("0x11000000", "????", "/usr/lib/libz.so"))
        self.assertEqual(self.told("page", self.path(core), "11000000")["dumped"], "listed")

    def test_page_sizes(self):
        core = Core("aarch64", 65536)
        core.threads = [(1, 0)]
        core.file_unit = 65536
        core.load(0x10000, 65536, R, b"x" * 65536, "/a", 65536)
        shown = self.told("show", self.path(core))
        self.assertEqual((shown["snapshot"]["page_size"], shown["vmas"][0]["offset"]), (65536, 65536))
        core = Core()
        core.threads, core.auxiliary, core.file_unit = [(1, 0)], {}, 1  # as gdb counts offsets
        core.load(0x10000, PAGE, R, page("a"), "/a", 3 * PAGE)
        shown = self.told("show", self.path(core))
        self.assertEqual((shown["snapshot"]["page_size_assumed"], shown["vmas"][0]["offset"]), (True, 3 * PAGE))

    def test_signals(self):
        for signal, words in ((6, "core file, ended by SIGABRT"), (5, "core file, ended or stopped by SIGTRAP"),
                              (19, "core file, last signal 19"), (0, "core file, of no signal")):
            core = sample()
            core.signal, core.fault = signal, None
            who = self.told("show", self.path(core))["snapshot"]
            self.assertEqual((who["reason"], who["signal"]), (words, signal or None))
        self.assertIn(b"ended by SIGSEGV at 0x1234", self.run_it("show", self.path(sample())))

    def test_many_segments(self):
        core = Core()
        core.threads = [(1, 0)]
        for i in range(66000):
            core.load(0x10000 + 2 * PAGE * i, PAGE, R if i % 2 else W)
        self.assertEqual(len(self.told("show", self.path(core))["vmas"]), 66000)

    def test_eight_gibibytes(self):
        """Strewn with pages that hold something: shown and drawn with little memory of its own, whatever the core has."""
        core, size = sample(), 1 << 15
        for i in range(64):
            held = [None] * size
            held[::256] = [page(f"{i} {k}") for k in range(0, size, 256)]
            core.load(0x100000000 + i * (size + 1) * PAGE, size * PAGE, R | W, held)
        path = self.path(core)
        if os.stat(path).st_blocks * 512 > 1 << 30:
            self.skipTest("holes of files are not kept here")

        def limited(*words):
            return subprocess.run([VMSNAP, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  timeout=60 * SLOWNESS,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (64 << 20, 64 << 20)))
        if limited("--version").returncode:
            self.skipTest("a sanitizer needs more memory than that for itself")
        for words in (("show",), ("pages",), ("map",)):
            done = limited(*words, path, "--json")
            self.assertEqual(done.returncode, 0, words)
            self.assertIn("schema", json.loads(done.stdout), words)
        self.assertEqual(json.loads(done.stdout)["totals"]["dumped"], 64 * 128 * PAGE + 7 * PAGE)

    def test_the_page_of_docs(self):
        sample().write(os.path.join(self.folder, "core.4711"))
        after = sample()
        after.loads[3] = (0x20000000, 4 * PAGE, R | W, [page("first"), page("filled"), None, page("LAST")])
        after.write(os.path.join(self.folder, "core.4712"))
        with open(os.path.join(self.folder, "core.cut"), "wb") as stream:
            stream.write(sample().bytes()[:-PAGE])
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "core-files.md"),
                  encoding="utf-8") as stream:
            text = re.sub(r"(?s)```gdb\n.*?```\n", "", stream.read())  # that is tests/gdb/test_docs.py's
        sessions = text.split("```\n")[1::2]
        environment = {**os.environ, "COLUMNS": "80", "LC_ALL": "C.UTF-8", "VMSNAP": VMSNAP}
        for session in sessions:
            command, _, expected = session.partition("\n")
            done = subprocess.run(command[2:].replace("vmsnap", '"$VMSNAP"', 1), shell=True, cwd=self.folder, env=environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False)
            self.assertEqual(done.stdout, expected, command)
        self.assertGreater(len(sessions), 4)

    # ---- compared ----

    def test_two(self):
        before, after = sample(), sample()
        after.loads[3] = (0x20000000, 4 * PAGE, R | W, [page("first"), page("filled"), None, page("LAST")])
        a, b = self.path(before), self.path(after)
        found = self.told("diff", a, b)
        self.assertEqual([(row["start"], row["pages"], row["change"]) for row in found["pages"]],
                         [("0x20001000", 1, "written"), ("0x20003000", 1, "written")])
        self.assertEqual(found["vmas"], [])
        self.assertIn(b"No differences in what both tell", self.run_it("diff", a, self.path(sample())))
        self.run_it("diff", a, b, status=(1,))

    def test_copied(self):
        path, copy = self.path(sample()), os.path.join(self.folder, "x.vms")
        self.run_it("copy", path, path, "-o", copy)
        self.assertIn(b"2 snapshots whole", self.run_it("check", copy))
        for words in (("show",), ("pages",)):
            one, other = self.told(*words, path), self.told(*words, f"{copy}@1")
            self.assertEqual(one, other)
        self.assertEqual(self.told("diff", path, f"{copy}@2", status=(0,))["pages"], [])
        self.assertEqual(self.held(copy, 0x20000000, 4 * PAGE), page("first") + bytes(2 * PAGE) + page("last"))
        model = vmsfile.open_file(copy).load(0)
        self.assertEqual((model["identity"]["source"], model["identity"]["states_unknown"], model["identity"]["signal"]), (1, 1, 11))
        self.assertEqual(model["dumped"][0], [0x10000000, 0x10001000, 1])
        self.assertEqual(model["runs"], [])

    def test_refused_where_states_are_needed(self):
        another = sample()
        another.pid += 1
        path, other = self.path(sample()), self.path(another)
        out = os.path.join(self.folder, "out")
        for words in (("cow", path, path), ("group", path, path), ("group", path, other), ("group", path, other, path),
                      ("export", path, "--format", "tsv", "--table", "vma", "-o", out), ("series", path, "--by", "state"), ("show", path, "--only", "exclusive")):
            self.run_it(*words, status=(2,))
            self.assertIn("core file", self.error, words)
        self.run_it("capture", str(os.getpid()), "-o", path, status=(2,))  # it is not ours to replace
        self.run_it("capture", str(os.getpid()), "--append", "-o", path, status=(2,))
        with open(path, "rb") as stream:
            self.assertEqual(stream.read(4), b"\x7fELF")

    def test_beside_another_run_only_what_is_known(self):
        grown = sample()
        grown.loads[3] = (0x20000000, 9 * PAGE, R | W, grown.loads[3][3])
        paths = self.path(sample()), self.path(grown)
        told = self.told("diff", "--aslr", *paths)
        for side in [told["total"][which] for which in "ab"] + [row["b"] for row in told["mappings"] if row["b"]]:
            self.assertEqual([side[key] for key in ("resident", "swapped", "private", "exclusive")], [None] * 4)
        self.assertEqual(told["total"]["b"]["size"] - told["total"]["a"]["size"], 5 * PAGE)
        self.assertEqual({word for row in told["mappings"] for word in row["differs"]}, {"size"})
        kinds = {row["a"]["vma"]["name"]: row["kind"] for row in told["mappings"]}
        self.assertEqual((kinds["/usr/bin/crashed"], kinds["[vdso]"]), ("file", "kernel"))
        text = " ".join(self.run_it("diff", "--aslr", *paths, status=(1,)).decode().split())
        self.assertIn("B maps 20.0K more than A; how much is resident, and how much is private, a core file does not tell.", text)

    def test_a_series_of_their_sizes(self):
        """One mapping grows, one goes, one comes; what was resident nobody knows."""
        grown = sample()
        grown.load(0x70000000, 6 * PAGE, R | W, page("new"))
        grown.loads = [(start, 9 * PAGE if start == 0x20000000 else size, flags, held) for start, size, flags, held in grown.loads
                       if start != 0x40000000]
        both = os.path.join(self.folder, "both.vms")
        self.run_it("copy", self.path(sample()), self.path(grown), "-o", both)
        first, last = self.told("series", both)["snapshots"]
        self.assertEqual([(step["taken"], step["resident"], step["swapped"], step["exclusive"]) for step in (first, last)],
                         [(None, None, None, None)] * 2)
        self.assertEqual(last["size"] - first["size"], 10 * PAGE)
        self.assertEqual((last["delta"], last["rate"]), (10 * PAGE, None))
        self.assertEqual([(line["start"], line["bytes"], line["size"], line["delta"], line["changes"]) for line in last["lines"]],
                         [("0x20000000", 9 * PAGE, 9 * PAGE, 5 * PAGE, ["grown"]), ("0x70000000", 6 * PAGE, 6 * PAGE, 6 * PAGE, ["added"]),
                          ("0x40000000", 0, 0, -PAGE, ["removed"])])
        kinds = self.told("series", both, "--by", "kind")["snapshots"][1]["lines"]
        self.assertEqual(sum(line["delta"] for line in kinds), 10 * PAGE)
        process = self.told("series", both, "--by", "process")["snapshots"]
        self.assertEqual([step["lines"][0]["bytes"] for step in process if step["lines"]], [first["size"], last["size"]])
        text = self.run_it("series", both, "--min", "1").decode()
        self.assertEqual(text.split()[:2], ["TIME", "SIZE"])
        self.assertIn("SIZE", text.split("2 snapshots")[1])

    def test_a_series_is_of_sizes_or_of_what_is_resident(self):
        both = os.path.join(self.folder, "both.vms")
        self.run_it("copy", self.path(sample()), "-o", both)
        self.run_it("capture", str(os.getpid()), "-o", both, "--append")
        told = json.loads(self.run_it("series", both, "--by", "process", "--json", status=(2,)))["snapshots"]
        self.assertIn("only sizes", told[1]["error"]["message"])

    def test_map(self):
        told = self.told("map", self.path(sample()))
        self.assertEqual({key: size for key, size in told["totals"].items() if size}, {"dumped": 7 * PAGE, "hole": 2 * PAGE})
        rows = {int(row["start"], 16): row["cells"].rstrip() for row in told["rows"]}
        self.assertEqual((rows[0x10000000], rows[0x20000000], rows[0x50000000]), ("d..d", "dhhd", "dd"))
        cut = self.path(sample().bytes()[:-2 * PAGE])
        told = self.told("map", cut)
        self.assertEqual(told["totals"]["unread"], 2 * PAGE)
        self.assertIn(b"cut off 8.00K", self.run_it("map", cut))
        chosen = self.told("map", cut, "--range", "20000000-20002000")
        self.assertEqual(sum(chosen["totals"].values()), 2 * PAGE)

    def test_the_picture_of_a_range_is_of_that_range(self):
        path = self.path(sample())
        for given, wanted in (("20000000-20004000", "ddhhhhdd"), ("20000000-20002000", "ddhh...."), ("20001000-20004000", "..hhhhdd"),
                              ("0-20001000", "dd......"), ("20003000-40000000", "......dd")):
            told = self.run_it("show", path, "--ascii", "-w", "100", "--range", given, "-o", "START,PAGES").decode()
            self.assertEqual(dict(re.findall(r"(?m)^([0-9a-f]{8}) +([dh.]+)$", told)).get("20000000"), wanted, given)

    def test_report(self):
        after = sample()
        after.loads[3] = (0x20000000, 4 * PAGE, R | W, [page("first"), page("filled"), None, page("LAST")])
        out = os.path.join(self.folder, "out.html")
        self.run_it("report", self.path(sample()), self.path(after), "-o", out)
        with open(out, encoding="utf-8") as file:
            report = vmsreport.Report(file.read())
        self.assertFalse(report.head["known"]["states"])
        values, states = report.track("states", 0).values, report.head["states"]
        self.assertEqual([states[values[0].get(0x20000 + i, 0)] for i in range(4)],
                         ["in the core file", "a hole of the core file", "a hole of the core file", "in the core file"])
        self.assertEqual([states[at.get(0x40000, 0)] for at in values], ["left out of the core file"] * 2)
        self.assertEqual(report.differences(0, 0, 1), {"dumped": 6, "dump_hole": 1, "written": 2})
        other = os.path.join(self.folder, "live.vms")
        self.run_it("capture", str(os.getpid()), "-o", other)
        self.run_it("report", self.path(sample()), other, "-o", out, status=(2,))

    # ---- how it comes ----

    def test_through_a_pipe(self):
        made = sample().bytes()
        self.assertEqual(json.loads(self.run_it("show", "-", "--json", given=made))["snapshot"]["pid"], 4711)
        large = sample()
        large.load(0x60000000, 1024 * PAGE, R | W, b"\x77" * (1024 * PAGE))
        self.assertIn(b"77 77 77 77", self.run_it("dump", "-", "60000000+16", given=large.bytes()))

    def test_compressed(self):
        made = sample().bytes()
        for name, packed in (("zstd", zstd(made)), ("lz4", lz4(made))):
            if packed is None:
                print(f"SKIP: there is no library for {name}", flush=True)
                continue
            path = self.path(packed)
            self.assertEqual(self.told("show", path)["snapshot"]["pid"], 4711, name)
            self.assertEqual(self.held(path, 0x20003000, PAGE), page("last"))
            self.run_it("show", self.path(packed[:30]), status=(2,))
            spoiled = bytearray(packed)
            spoiled[len(packed) // 2] ^= 0xff
            self.run_it("show", self.path(bytes(spoiled)), status=(0, 2))
        other = zstd(b"something else") if zstd(b"") is not None else None
        if other is not None:
            self.run_it("show", self.path(other), status=(2,))
            self.assertIn("no core file", self.error)
        for magic, name in ((b"\xfd7zXZ\0", "xz"), (b"\x1f\x8b\x08", "gzip"), (b"BZh9", "bzip2")):
            self.run_it("show", self.path(magic + bytes(100)), status=(2,))
            self.assertIn(f"compressed with {name}", self.error)

    # ---- not whole, and hostile ----

    def test_cut_off(self):
        made = sample().bytes()
        whole = self.told("show", self.path(made))["vmas"]
        for length in range(len(made) - 1, 0, -701):
            path = self.path(made[:length])
            out = self.run_it("check", path, status=(1, 2))
            self.assertTrue(self.error or b"lost from" in out, length)
            if b"lost from" in out:
                rows = self.told("show", path)["vmas"]
                self.assertIn("cut off", self.error)
                self.assertEqual(rows[0]["start"], whole[0]["start"])
                self.run_it("dump", path, "20000000+10000")
        path = self.path(made[:-PAGE])
        self.assertEqual(self.told("page", path, "7fff0000")["dumped"], "cut")

    def test_notes_behind(self):
        core = sample()
        core.at_end = True
        self.assertEqual(self.told("show", self.path(core))["snapshot"]["pid"], 4711)
        parts, size = core.parts()
        notes = next(offset for offset, part in parts[1:2])
        cut = self.path(core.bytes()[:notes])
        shown = self.told("show", cut)
        self.assertEqual((shown["snapshot"]["reason"], shown["vmas"][0]["perms"]), ("core file, of which no thread is told", "r--?"))
        # Nor whose it is: no process has the number 0.
        self.assertRegex(self.run_it("show", cut), rb"\A\S*process \?, .*mapping")
        self.assertRegex(self.run_it("show", "-l", cut), rb"(?m)^process   \?$")
        self.assertRegex(self.run_it("map", cut), rb"\Aprocess \?, ")
        self.assertRegex(self.run_it("show", cut, cut), rb"\A==> .*: \? <==\n")
        # Whether a file is mapped there is not known: nothing else lies in its place.
        self.assertEqual(self.told("diff", cut, self.path(core))["vmas"], [])

    def test_hostile(self):
        def spoil(offset, value, layout="<Q"):
            made = bytearray(sample().bytes())
            struct.pack_into(layout, made, offset, value)
            return bytes(made)

        headers = 64 + 56  # the first PT_LOAD's
        for name, made, status in (
                ("no headers", spoil(56, 0, "<H"), 2), ("headers beyond the end", spoil(32, 1 << 40), 2),
                ("many headers", spoil(56, 0xfffe, "<H"), 2), ("counted in a section that is not there", spoil(56, 0xffff, "<H"), 2),
                ("of another size", spoil(54, 55, "<H"), 2), ("twice", spoil(headers + 16, 0x10002000), 2),
                ("above all addresses", spoil(headers + 16, (1 << 64) - PAGE), 2), ("of all memory", spoil(headers + 40, (1 << 64) - 1), 2),
                ("of all files", spoil(headers + 32, (1 << 64) - 1), 2), ("beyond all files", spoil(headers + 8, (1 << 64) - PAGE), (0, 2)),
                ("notes beyond the end", spoil(64 + 8, 1 << 50), 0)):
            self.run_it("show", self.path(made), status=(status,) if isinstance(status, int) else status)
            self.assertTrue(self.error or status in (0, (0, 2)), name)

    def test_hostile_list_of_files(self):
        for count, unit in ((1 << 60, 4096), (7, 1 << 63), (1 << 20, 1)):
            core = sample()
            made = core.list_of_files()
            core.list_of_files = lambda made=made, count=count, unit=unit: struct.pack("<QQ", count, unit) + made[16:]
            self.run_it("show", self.path(core), status=(0, 2))
        core = sample()
        core.files = [(0x10000000, 0xffffffffffffffff, 0, "/all"), (0x10000000, 0x10000000, 0, "/none"), *core.files]
        self.told("show", self.path(core))

    def test_flips(self):
        made, chance = sample().bytes(), random.Random(17)
        used = made.index(b"words") + 1000
        for _ in range(60):
            spoiled = bytearray(made)
            for _ in range(chance.randrange(1, 4)):
                spoiled[chance.randrange(18, used)] = chance.randrange(256)
            path = self.path(bytes(spoiled))
            self.run_it("show", path, "--json", status=(0, 2))
            self.run_it("diff", path, path, status=(0, 1, 2))
            os.unlink(path)


def library(name):
    found = ctypes.util.find_library(name)
    return ctypes.CDLL(found) if found else None


def zstd(data):
    lib = library("zstd")
    if not lib:
        return None
    lib.ZSTD_compressBound.restype = lib.ZSTD_compress.restype = ctypes.c_size_t
    room = lib.ZSTD_compressBound(ctypes.c_size_t(len(data)))
    out = ctypes.create_string_buffer(room)
    made = lib.ZSTD_compress(out, ctypes.c_size_t(room), data, ctypes.c_size_t(len(data)), 3)
    return out.raw[:made]


def lz4(data):
    lib = library("lz4")
    if not lib:
        return None
    lib.LZ4F_compressFrameBound.restype = lib.LZ4F_compressFrame.restype = ctypes.c_size_t
    room = lib.LZ4F_compressFrameBound(ctypes.c_size_t(len(data)), None)
    out = ctypes.create_string_buffer(room)
    made = lib.LZ4F_compressFrame(out, ctypes.c_size_t(room), data, ctypes.c_size_t(len(data)), None)
    return out.raw[:made]


if __name__ == "__main__":
    unittest.main()
