"""vmsnap on another machine, emulated, against vmsnap on this one: both read the same
files to the byte, both write what the other reads, and both name what lies in the
programs of either.

Run by script/cross, which says in the environment what to run:

    VMSNAP_NATIVE       a build folder of this machine
    VMSNAP_CROSS        a build folder of the other
    VMSNAP_EMULATOR     a command, before which a program of the other runs here
    VMSNAP_MACHINE      as the kernel names the other
    VMSNAP_LIBRARIES    folders with the libraries of machines, to be looked into
    VMSNAP_SHORT        if set, not everything is asked of every file
"""

import concurrent.futures
import json
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "golden")
sys.path[:0] = [os.path.join(HERE, "..", "reader"), GOLDEN, HERE]

import cases  # noqa: E402  (these lie in the folders just added)
import elf_symbols  # noqa: E402
import vmsfile  # noqa: E402

NATIVE, CROSS = os.environ["VMSNAP_NATIVE"], os.environ["VMSNAP_CROSS"]
EMULATOR = shlex.split(os.environ["VMSNAP_EMULATOR"])
MACHINE = os.environ["VMSNAP_MACHINE"]
LIBRARIES = os.environ["VMSNAP_LIBRARIES"].split(":")
SHORT = os.environ.get("VMSNAP_SHORT")
NOWHERE = "--sysroot=" + HERE  # golden files map what other machines have
ORDER = ">" if MACHINE == "s390x" else "<"
PRESENT, SWAPPED, FILE, EXCLUSIVE, SOFT_DIRTY = 1 << 63, 1 << 62, 1 << 61, 1 << 56, 1 << 55

with open(os.path.join(GOLDEN, "expected.json"), encoding="utf-8") as stream:
    EXPECTED = json.load(stream)["files"]


def output(command):
    """Exit status, standard output and standard error."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=300, check=False)
    return done.returncode, done.stdout, done.stderr


def native(program, *arguments):
    return output([os.path.join(NATIVE, program), *arguments])


def cross(program, *arguments, emulator=()):
    return output([*EMULATOR, *emulator, os.path.join(CROSS, program), *arguments])


def whole_snapshots(name):
    """The numbers, from 1, of those in a golden file that load."""
    return [number for number, one in enumerate(EXPECTED[name].get("snapshots", ()), 1) if "model" in one]


def questions(name):
    """What is asked of a golden file."""
    path, numbers = os.path.join(GOLDEN, name), whole_snapshots(name)
    yield ["check", path]
    if not SHORT or name.startswith("good-"):
        yield ["list", "--json", path]
    if not name.startswith("good-") or not numbers:
        return
    first, last = ("%s@%d" % (path, number) for number in (numbers[0], numbers[-1]))
    small = os.path.join(GOLDEN, "good-small.vms")
    yield ["show", "--json", last]
    yield ["pages", "--json", last]
    yield ["diff", "--json", NOWHERE, first, last]
    yield ["cow", "--json", NOWHERE, first, last]
    if SHORT:
        return
    yield ["show", "--json", first]
    yield ["pages", "--json", first]
    yield ["show", "--color=always", "--width=100", last]
    yield ["status", "--json", last]
    yield ["map", "--ascii", "--width=80", last]
    for command in ("diff", "cow"):
        yield [command, "--json", NOWHERE, small, last]
    yield ["diff", "--long", "--bytes", NOWHERE, first, last]
    yield ["cow", "--long", "--width=100", NOWHERE, first, last]


def bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


class Alike(unittest.TestCase):
    """What both say, compared to the byte."""

    def test_every_golden_file_is_read_alike(self):
        asked = [question for name in sorted(EXPECTED) for question in questions(name)]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            here = pool.map(lambda question: native("vmsnap", *question), asked)
            there = pool.map(lambda question: cross("vmsnap", *question), asked)
            for question, one, other in zip(asked, here, there):
                with self.subTest(" ".join(question)):
                    self.assertGreaterEqual(one[0], 0, "ended by a signal")
                    self.assertNotIn(b"Usage:", one[2])
                    self.assertEqual(one, other)
        print("%s: %d answers about %d golden files are those of this machine"
              % (MACHINE, len(asked), len(EXPECTED)), file=sys.stderr)


class Carried(unittest.TestCase):
    """Files that one machine wrote, read by the other."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-cross-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_what_one_writes_the_other_reads(self):
        compared = 0
        for name in sorted(EXPECTED):
            if not name.startswith("good-") or not EXPECTED[name]["snapshots"]:
                continue
            with self.subTest(name):
                original, here, there = os.path.join(GOLDEN, name), self.path("here.vms"), self.path("there.vms")
                self.assertEqual(native("tests/carry", "copy", original, here)[0], 0)
                self.assertEqual(cross("tests/carry", "copy", original, there)[0], 0)
                # The same zlib makes the same bytes; another one may pack them in another way.
                self.assertEqual(self.held(here), self.held(there))
                self.assertEqual(native("vmsnap", "check", there)[0], 0)
                self.assertEqual(native("vmsnap", "pages", "--json", there)[1:],
                                 cross("vmsnap", "pages", "--json", here)[1:])
                compared += bytes_of(here) == bytes_of(there)
        self.assertGreater(compared, 0)
        print("%s: wrote %d golden files anew, to the byte as this machine does" % (MACHINE, compared),
              file=sys.stderr)

    def held(self, path):
        """What the second reader finds in a file."""
        file = vmsfile.open_file(path)
        self.assertIsNone(file.damage)
        return [file.load(index) for index in range(len(file.entries))]

    def record(self, page_size):
        """A process folder as a kernel of the other machine would show it, and what it shows."""
        high = (1 << 47) - 16 * page_size
        entries = {
            16: (PRESENT | EXCLUSIVE | 0x1234, "exclusive present", 0x1234, None),
            17: (PRESENT | EXCLUSIVE | 0x1235, "exclusive present", 0x1235, None),
            19: (SWAPPED | 3 | 77 << 5, "swapped", None, (3, 77)),
            30: (PRESENT | FILE | 0x99, "file present", 0x99, None),
            high // page_size: (PRESENT | EXCLUSIVE | (1 << 40), "exclusive present", 1 << 40, None),
        }
        texts = {
            "maps": "%x-%x rw-p 00000000 00:00 0 [heap]\n%x-%x r--p %08x 08:01 99 /tmp/a file\n%x-%x rw-p 00000000 00:00 0\n"
                    % (16 * page_size, 24 * page_size, 24 * page_size, 32 * page_size, 3 * page_size, high,
                       high + 4 * page_size),
            "status": "Name:\trecorded\nTgid:\t4242\nPid:\t4242\nPPid:\t1\nUid:\t1000\t1000\t1000\t1000\n"
                      "NSpid:\t4242\nVmRSS:\t%8d kB\nThreads:\t1\n" % (4 * page_size // 1024),
            "stat": "4242 (recorded) S 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 1000000 3 "
                    "18446744073709551615 " + "0 " * 29 + "0\n",
        }
        folder = tempfile.mkdtemp(dir=self.folder)
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        with open(os.path.join(folder, "pagemap"), "wb") as file:
            for page, (entry, *_) in entries.items():
                file.seek(page * 8)
                file.write(struct.pack(ORDER + "Q", entry))
        return folder, {page * page_size: shown[1:] for page, shown in entries.items()}

    def capture(self, page_size, emulator=()):
        folder, shown = self.record(page_size)
        path = self.path("recorded.vms")
        status, said, error = cross("tests/carry", "capture", folder, path, emulator=emulator)
        self.assertEqual((status, error), (0, b""))
        self.assertEqual(int(said), page_size)
        (snapshot,) = self.held(path)
        self.assertEqual(snapshot["identity"]["page_size"], page_size)
        self.assertEqual(snapshot["identity"]["pid"], 4242)
        self.assertEqual(snapshot["vmas"][1]["offset"], 3 * page_size)
        pages = {}
        for run in snapshot["runs"]:
            for step in range(run["pages"]):
                pages[run["start"] + step * page_size] = (run, step)
        self.assertEqual(set(pages), set(shown))
        for at, (flags, pfn, swap) in shown.items():
            run, step = pages[at]
            self.assertEqual(run["flags"], flags.split())
            if pfn is not None and "pfn" in snapshot["identity"]["known"]:
                self.assertEqual(run["pfn"] + step, pfn)
            if swap and "pfn" in snapshot["identity"]["known"]:
                self.assertEqual((run["swap"]["type"], run["swap"]["offset"] + step), swap)
        told = json.loads(native("vmsnap", "show", "--json", path)[1])
        self.assertEqual(told["status"]["VmRSS"], 4 * page_size)

    def test_capture_reads_the_words_and_pages_of_its_machine(self):
        self.capture(4096)

    def test_capture_takes_the_page_size_from_the_system(self):
        if MACHINE != "aarch64":
            self.skipTest("only arm64 has other page sizes")
        for page_size in (1 << 14, 1 << 16):
            with self.subTest(page_size):
                self.capture(page_size, ("-p", str(page_size)))


class Names(unittest.TestCase):
    """Symbols of one machine's library, looked up on another."""

    def test_symbols_of_either_machine_are_named(self):
        named = 0
        for folder in LIBRARIES:
            library = elf_symbols.find(folder, "libz.so.1")
            with self.subTest(library), tempfile.TemporaryDirectory(prefix="vmsnap-cross-") as root:
                # A copy: what lies at / the emulator takes from the other machine.
                base, path, file_path = 0x7F0000000000, os.path.join(root, "mapped.vms"), root + library
                os.makedirs(os.path.dirname(file_path))
                shutil.copyfile(folder.rstrip("/") + library, file_path)
                vmas = [cases.vma(base + start, base + end, perms, os.fsencode(library), offset, (8, 1), 99,
                                  elf_symbols.build_id(file_path))
                        for start, end, perms, offset in elf_symbols.mappings(file_path)]
                with open(path, "wb") as file:
                    file.write(cases.file_of(cases.snapshot(vmas=vmas))[0])
                symbols = elf_symbols.symbols(file_path)
                self.assertGreater(len(symbols), 40)
                for name, address in sorted(symbols.items())[::len(symbols) // 12]:
                    question = ["page", "--json", "--sysroot=" + root, path, hex(base + address)]
                    here, there = native("vmsnap", *question), cross("vmsnap", *question)
                    self.assertEqual(here, there)
                    self.assertEqual(json.loads(there[1])["name"]["symbol"], name)
                    named += 1
        print("%s: named %d symbols of %d machines' libraries" % (MACHINE, named, len(LIBRARIES)), file=sys.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=0)
