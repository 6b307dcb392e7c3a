"""The C reader and the second reader agree: the library in every detail, the
command in what it prints, on golden files and on captures of live processes."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "golden")
sys.path[:0] = [HERE, GOLDEN]

import cases  # noqa: E402  (these lie in the folders just added)
import vmsfile  # noqa: E402
import vmswrite  # noqa: E402
from sanitized import library_environment  # noqa: E402

VMSNAP = os.environ.get("VMSNAP")
LIB = os.environ.get("VMSNAP_LIB")
WORDS = {error.kind: error.words for error in vmsfile.ERRORS}

with open(os.path.join(GOLDEN, "expected.json"), encoding="utf-8") as stream:
    EXPECTED = json.load(stream)["files"]
FILES = {name: os.path.join(GOLDEN, name) for name in sorted(EXPECTED)}


def read(path):
    """What the second reader says; snapshots as values, errors as exceptions."""
    try:
        file = vmsfile.open_file(path)
    except vmsfile.FormatError as error:
        return None, error
    snapshots = []
    for index in range(len(file.entries)):
        try:
            snapshots.append(file.load(index))
        except vmsfile.FormatError as error:
            snapshots.append(error)
    return snapshots, file.damage


def is_error(snapshot):
    return isinstance(snapshot, vmsfile.FormatError)


def counts_up(run):
    """Whether the frame of the second page is one more than that of the first."""
    if run["swap"]:
        return run["swap"] != {"type": 0, "offset": 0}
    return bool(run["pfn"])


def follows(before, run, page_size):
    """Whether the run continues the one before, so that they could be one."""
    if before["start"] + before["pages"] * page_size != run["start"] or before["flags"] != run["flags"]:
        return False
    step = before["pages"] if counts_up(before) else 0
    if before["swap"]:
        there = {"type": before["swap"]["type"], "offset": before["swap"]["offset"] + step}
        return run["swap"] == there
    return run["pfn"] == (None if before["pfn"] is None else before["pfn"] + step)


def joined(runs, page_size):
    """Runs as long as they can be: how a reader cuts them is its own matter."""
    made = []
    for run in runs:
        if made and follows(made[-1], run, page_size):
            made[-1] = dict(made[-1], pages=made[-1]["pages"] + run["pages"])
        else:
            made.append(run)
    return made


def comparable(snapshot):
    """As JSON has it, runs joined."""
    page_size = snapshot["identity"]["page_size"]
    return vmsfile.printable(dict(snapshot, runs=joined(snapshot["runs"], page_size)))


def from_json(run):
    """A run as vmslib.py prints it, as a run."""
    swap = run["swap"]
    return dict(
        run,
        start=int(run["start"], 16),
        pfn=None if run["pfn"] is None else int(run["pfn"], 16),
        swap=swap and {"type": swap["type"], "offset": int(swap["offset"], 16)},
    )


def outcome(error):
    return {"error": error.kind, "offset": error.offset}


def library_says(paths):
    """{path: …} of vmslib.py, in a process of its own."""
    environ = library_environment(LIB)
    command = [sys.executable, "-B", os.path.join(HERE, "vmslib.py"), LIB] + list(paths)
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise AssertionError("reading by the library ended with %d:\n%s" % (done.returncode, done.stderr.decode()))
    return json.loads(done.stdout.decode())


def no_library():
    """Why the library cannot be loaded into Python; None if it can."""
    if not LIB:
        return "VMSNAP_LIB is not set"
    with open(LIB, "rb") as file:
        sanitized = b"__asan_init" in file.read()
    if sanitized and b"asan" not in subprocess.run(["ldd", LIB], stdout=subprocess.PIPE).stdout:
        return "the library wants a sanitizer that is linked into programs only"
    return None


class Agree(unittest.TestCase):
    maxDiff = None

    def compare_library(self, path, said, large=False):
        snapshots, damage = read(path)
        if snapshots is None:
            self.assertEqual(said, outcome(damage))
            return
        self.assertNotIn("error", said)
        self.assertEqual(said["damage"], damage and outcome(damage))
        self.assertEqual(len(said["snapshots"]), len(snapshots))
        for ours, theirs, peeked in zip(snapshots, said["snapshots"], said["peeked"]):
            if is_error(ours):
                self.assertEqual(theirs, outcome(ours))
                continue
            if large and theirs.get("error") == "too_large":
                continue
            page_size = ours["identity"]["page_size"]
            self.assertNotIn("error", theirs)
            theirs["runs"] = joined([from_json(run) for run in theirs["runs"]], page_size)
            theirs["runs"] = vmsfile.printable(theirs["runs"])
            ours = comparable(ours)
            self.assertEqual(theirs, ours)
            self.assertEqual(peeked, {key: ours[key] for key in ("identity", "status")})


@unittest.skipIf(no_library(), no_library())
class Library(Agree):
    def test_library_reads_every_golden_file_as_the_second_reader_does(self):
        said = library_says(FILES.values())
        for name, path in FILES.items():
            with self.subTest(name):
                self.compare_library(path, said[path], EXPECTED[name].get("large"))

    def test_library_reads_what_was_written_once_as_the_second_reader_does(self):
        folder = os.path.join(GOLDEN, "written")
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".vms")]
        self.assertTrue(paths)
        said = library_says(paths)
        for path in paths:
            with self.subTest(os.path.basename(path)):
                self.compare_library(path, said[path], large=False)

    def agree_on(self, contents):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for place, data in enumerate(contents):
                paths.append(os.path.join(folder, "%d.vms" % place))
                with open(paths[-1], "wb") as file:
                    file.write(data)
            said = library_says(paths)
            for path in paths:
                with self.subTest(os.path.basename(path)):
                    # A spoiled length may well be that of a run of 2^50 pages.
                    self.compare_library(path, said[path], large=True)

    def test_library_and_reader_agree_on_spoiled_payloads_behind_right_checksums(self):
        chance = random.Random(17)
        keys = [{"key": b"Rss", "values": [8192, 0, None, 4096]}, {"key": b"THPeligible", "values": [0, 1, None, 0]}]
        threads = [cases.thread(300 + i, i << 40, b"thread") for i in range(3)]
        model = dict(cases.small(reason=b"why"), threads=threads, names=cases.variables())
        model["smaps"] = {"keys": keys, "flags": [b"rd", b"", b"wr", b"ex"], "texts": [[4, b"[anon:x]"], [5, b""]]}
        contents = []
        for _ in range(1500):
            kind, payload = chance.choice(vmswrite.sections(model))
            contents.append(cases.file_of(model, replace={kind: spoil(chance, payload)})[0])
        self.agree_on(contents)

    def test_library_and_reader_agree_on_every_cut_of_a_file_of_three(self):
        with open(FILES["good-joined.vms"], "rb") as file:
            whole = file.read()
        self.agree_on(whole[:length] for length in range(len(whole)))


def sums(snapshot, start, end):
    """In bytes, over the pages of [start, end); None where it was not known."""
    size = snapshot["identity"]["page_size"]
    known = snapshot["identity"]["known"]
    totals = {"resident": 0, "swapped": 0, "exclusive": 0, "zero": 0}
    unknown = {"exclusive": 0, "swapped": 0}
    for run in snapshot["runs"]:
        within = min(end, run["start"] + run["pages"] * size) - max(start, run["start"])
        if within <= 0:
            continue
        present = "present" in run["flags"]
        hidden = "exclusive" not in known or not exclusive_told(run, known)
        totals["resident"] += within * present
        totals["swapped"] += within * ("swapped" in run["flags"])
        totals["exclusive"] += within * (present and "exclusive" in run["flags"])
        totals["zero"] += within * (present and "zero" in run["flags"])
        unknown["exclusive"] += within * (present and hidden)
        unknown["swapped"] += within * doubtful(run)
    if "zero" not in known:
        totals["zero"] = None
    for key in unknown:
        if unknown[key] or (key == "exclusive" and key not in known):
            totals[key] = None
    return totals


def sums_of(snapshot, vma):
    """Of a mapping.  What is absent of shared memory, that of no disk, may be in swap; unless there are
    smaps, or no swap was in use.  What is mapped privately may be a container's file, if not for its name."""
    totals = sums(snapshot, vma["start"], vma["end"])
    in_memory = not vma["device"][0] and (vma["device"][1] or vma["inode"])
    in_memory &= not vma["name"].startswith(b"/anon_hugepage")
    in_memory &= vma["perms"].endswith("s") or vma["name"].startswith((b"/memfd:", b"/SYSV", b"/dev/shm/"))
    absent = totals["resident"] + (totals["swapped"] or 0) < vma["end"] - vma["start"]
    if in_memory and absent and snapshot["identity"].get("swap_in_use") != 0 and not snapshot["smaps"]:
        totals["swapped"] = None
    return totals


def exclusive_told(run, known):
    """Whether the flag, or that there is none, is about this page: not if it is part of a huge one, nor if it was
    just being moved."""
    flags = run["flags"]
    moving = "pfn" in known and not run["pfn"] and "exclusive" not in flags
    huge = "huge" in flags and "zero" not in flags and "exclusive_huge" not in known
    return "present" in flags and not moving and not huge


def doubtful(run):
    """Whether it looks swapped, and may not be."""
    slot = run["swap"] or {"type": 0, "offset": 0}
    marker = "uffd_wp" in run["flags"] and slot == {"type": 0, "offset": 0}
    return "swapped" in run["flags"] and ("huge" in run["flags"] or slot["type"] >= 22 or marker)


def told(run, known):
    """A run of a file as `pages` tells it."""
    flags = [flag for flag in run["flags"] if flag != "exclusive" or "present" not in run["flags"] or
             exclusive_told(run, known)]
    return dict(run, flags=[flag for flag in flags if flag != "huge" or "swapped" not in run["flags"]])


def in_check(error):
    """An error in what `check` prints, as an outcome."""
    kinds = {"corrupt": "damaged"}
    return error and {"error": kinds.get(error["kind"], error["kind"]), "offset": error["offset"]}


def spoil(chance, payload):
    """The payload with a byte changed, added or taken away."""
    place = chance.randrange(len(payload))
    value = chance.choice([payload[place] ^ 1 << chance.randrange(8), 0, 1, 0x7F, 0x80, 0xFF])
    change = chance.randrange(4)
    if change == 0:
        return payload[:place] + bytes([value]) + payload[place:]
    if change == 1:
        return payload[:place] + payload[place + 1 :]
    return payload[:place] + bytes([value]) + payload[place + 1 :]


def run_command(*arguments, **options):
    command = [VMSNAP] + list(arguments)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, **options)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "surrogateescape")


def number(value):
    """Of JSON: a number, or an address as a string."""
    return int(value, 16) if isinstance(value, str) else value


def unescaped(shown):
    """Bytes of which control characters and what is not UTF-8 were written \\xHH."""
    return re.sub(rb"\\x([0-9a-fA-F]{2})", lambda match: bytes([int(match.group(1), 16)]), shown)


CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class CommandAgrees(Agree):
    def json_of(self, *arguments, damage=None, **options):
        """What is printed; of a damaged file there must be a warning, otherwise none."""
        code, out, err = run_command(*arguments, "--json", **options)
        self.assertEqual(code, 0, err)
        if damage:
            self.assertIn(WORDS[damage.kind], err)
            self.assertRegex(err, r"\b%d\b" % damage.offset)
        else:
            self.assertEqual(err, "")
        return json.loads(out.decode("utf-8"))

    def same_name(self, shown, name):
        self.assertNotRegex(shown, CONTROL)
        # A name that really holds a backslash and an x may look like an escaped one.
        self.assertIn(unescaped(shown.encode()), (name, unescaped(name)))

    def compare_runs(self, shown, snapshot):
        page_size = snapshot["identity"]["page_size"]
        pfn_known = "pfn" in snapshot["identity"]["known"]
        runs = []
        for run in shown:
            swap = run["swap"] and {key: number(run["swap"][key]) for key in ("type", "offset")}
            if swap == {"type": None, "offset": None}:
                swap = None  # unknown
            state = run["state"].rstrip("?")
            self.assertIs(swap is not None, pfn_known and state == "swapped")
            flags = set(run["flags"]) - {"guard"} | {state} & {"present", "swapped", "guard"}
            ordered = [flag for flag in vmsfile.FLAGS if flag in flags]
            pfn = number(run["pfn"])
            if pfn is None and pfn_known and "present" in flags:
                pfn = 0  # the kernel hid it
            self.assertIs(pfn is not None, pfn_known and "present" in flags)
            start = number(run["start"])
            runs.append({"start": start, "pages": run["pages"], "flags": ordered, "pfn": pfn, "swap": swap})
        self.assertEqual([run["state"] for run in shown if run["state"] == "swapped?"] != [],
                         any(doubtful(run) for run in snapshot["runs"]))
        known = snapshot["identity"]["known"]
        wanted = [told(run, known) for run in joined(snapshot["runs"], page_size)]
        self.assertEqual(joined(runs, page_size), joined(wanted, page_size))

    def compare_vmas(self, shown, snapshot):
        self.assertEqual(len(shown), len(snapshot["vmas"]))
        for row, vma in zip(shown, snapshot["vmas"]):
            for key in ("start", "end", "offset", "inode"):
                self.assertEqual(number(row[key]), vma[key], key)
            self.assertEqual(row["perms"], vma["perms"])
            self.assertEqual([int(part, 16) for part in row["dev"].split(":")], vma["device"])
            self.same_name(row["name"] or "", vma["name"])
            for key, sum_of in sums_of(snapshot, vma).items():
                self.assertEqual(row[key], sum_of, key)

    def compare_snapshot(self, shown, identity):
        self.assertEqual(shown["pid"], identity["pid"])
        self.assertEqual(shown["page_size"], identity["page_size"])
        for key in ("comm", "exe", "label", "kernel"):
            self.same_name(shown[key] or "", identity[key])
        for key in ("pfn", "soft_dirty", "exclusive", "zero", "huge", "exclusive_huge"):
            self.assertEqual(shown["known"][key], key in identity["known"])
        self.assertEqual(shown["consistent"], bool(identity["consistent"]))
        self.assertAlmostEqual(shown["pause_us"] or 0, identity["pause"] / 1000, delta=1)

    def compare_error(self, arguments, error):
        code, out, err = run_command(*arguments)
        self.assertEqual((code, out), (2, b""), arguments)
        self.assertIn(WORDS[error.kind], err)
        self.assertRegex(err, r"\b%d\b" % error.offset)

    def compare_loaded(self, name, snapshot, damage):
        """What is printed of one snapshot."""
        if is_error(snapshot):
            self.compare_error(["pages", name, "--json"], snapshot)
            self.compare_error(["show", name, "--json"], snapshot)
            return
        self.compare_runs(self.json_of("pages", name, damage=damage)["runs"], snapshot)
        shown = self.json_of("show", name, damage=damage)
        self.compare_vmas(shown["vmas"], snapshot)
        self.compare_snapshot(shown["snapshot"], snapshot["identity"])

    def compare_check(self, path, large=False):
        """What `check` says of each snapshot and of the whole."""
        snapshots, damage = read(path)
        if snapshots is None:
            self.compare_error(["check", path, "--json"], damage)
            return
        code, out, _ = run_command("check", path, "--json")
        said = json.loads(out.decode("utf-8"))
        entries = vmsfile.open_file(path).entries
        places = [(entry.offset, entry.end + vmsfile.END_SIZE - entry.offset) for entry in entries]
        self.assertEqual([(row["offset"], row["bytes"]) for row in said["snapshots"]], places)
        for row, snapshot in zip(said["snapshots"], snapshots):
            error = snapshot if is_error(snapshot) else None
            if not (large and row["error"] and row["error"]["kind"] == "too_large"):
                self.assertEqual(row["ok"], error is None)
                self.assertEqual(in_check(row["error"]), error and outcome(error))
        self.assertEqual(in_check(said["damage"]), damage and outcome(damage))
        whole = all(row["ok"] for row in said["snapshots"]) and not damage
        self.assertEqual((said["ok"], code), (whole, 0 if whole else 2))

    def compare_command(self, path, large=False):
        snapshots, damage = read(path)
        self.compare_check(path, large)
        if snapshots is None:
            for command in ("show", "pages", "list"):
                self.compare_error([command, path, "--json"], damage)
            return
        for place, snapshot in enumerate(snapshots, 1):
            name = "%s@%d" % (path, place)
            if large and b"too large" in run_command("pages", name)[2].encode():
                continue
            with self.subTest(os.path.basename(path), snapshot=place):
                self.compare_loaded(name, snapshot, damage)


@unittest.skipIf(not VMSNAP, "VMSNAP is not set")
class Command(CommandAgrees):
    def test_command_prints_every_golden_file_as_the_second_reader_reads_it(self):
        for name, path in FILES.items():
            with self.subTest(name):
                self.compare_command(path, EXPECTED[name].get("large"))


PYTHON_WITH_DATA = """
import mmap, threading, time
data = [str(i) * 20 for i in range(20000)]
private = mmap.mmap(-1, 1 << 24)
for at in range(0, 1 << 24, 3 * 4096):
    private[at] = 1
sum(private[at] for at in range(4096, 1 << 23, 5 * 4096))
for _ in range(3):
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
print("ready", flush=True)
time.sleep(100)
"""


class Target:
    """A process to look at, which is gone when the test is over."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        self.pid = str(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@unittest.skipIf(not VMSNAP, "VMSNAP is not set")
class Live(CommandAgrees):
    """Fresh captures: what was written is read alike by all three."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "a.vms")

    def capture(self, target, *options):
        code, _, err = run_command("capture", target.pid, "-o", self.file, *options)
        self.assertEqual(code, 0, err)

    def compare(self, count):
        snapshots, damage = read(self.file)
        self.assertIsNone(damage)
        self.assertEqual(len(snapshots), count)
        self.compare_command(self.file)
        if not no_library():
            self.compare_library(self.file, library_says([self.file])[self.file])
        return snapshots

    def test_sleep_is_read_alike(self):
        with Target("sleep", "100") as target:
            self.capture(target)
            snapshot = self.compare(1)[0]
        self.assertEqual(snapshot["identity"]["pid"], int(target.pid))
        self.assertEqual(snapshot["identity"]["cmdline"], b"sleep\x00100\x00")
        self.assertIn(b"[stack]", [vma["name"] for vma in snapshot["vmas"]])
        self.assertTrue(snapshot["runs"])

    def test_python_with_data_threads_and_smaps_is_read_alike(self):
        with Target(sys.executable, "-c", PYTHON_WITH_DATA) as target:
            target.process.stdout.readline()
            self.capture(target, "--smaps", "--label", "with data")
            self.capture(target, "--append", "--no-freeze", "--label", "caf\u00e9 \x1b[1m")
            first, second = self.compare(2)
        self.assertEqual(first["identity"]["label"], b"with data")
        self.assertEqual(second["identity"]["label"], "caf\u00e9 \x1b[1m".encode())
        self.assertEqual(len(first["threads"]), 4)
        self.assertIn(b"Rss", [key["key"] for key in first["smaps"]["keys"]])

    def test_pages_are_those_of_pagemap(self):
        """The second reader against the kernel's own words, with no C between."""
        with Target("sleep", "100") as target:
            self.capture(target)
            snapshot = self.compare(1)[0]
            size = snapshot["identity"]["page_size"]
            present = {run["start"] // size + page for run in snapshot["runs"] for page in range(run["pages"])
                       if "present" in run["flags"]}
            with open("/proc/%s/pagemap" % target.pid, "rb", buffering=0) as pagemap:
                for vma in snapshot["vmas"]:
                    if vma["start"] >= 1 << 63:
                        continue
                    first, last = vma["start"] // size, vma["end"] // size
                    entries = os.pread(pagemap.fileno(), (last - first) * 8, first * 8)
                    there = {first + i for i in range(last - first) if entries[8 * i + 7] & 0x80}
                    self.assertEqual(present & set(range(first, last)), there, vma["name"])

    @unittest.skipIf(os.geteuid() != 0, "only root can become nobody")
    def test_capture_by_nobody_is_read_alike(self):
        command = os.path.join(self.folder.name, "vmsnap")
        os.chmod(self.folder.name, 0o777)
        shutil.copy(VMSNAP, command)
        environ = dict(os.environ, LD_LIBRARY_PATH=self.folder.name)
        if LIB:
            shutil.copy(LIB, os.path.join(self.folder.name, os.path.basename(os.path.realpath(LIB))))
            os.symlink(os.path.basename(os.path.realpath(LIB)), os.path.join(self.folder.name, "libvmsnap.so.0"))
        with Target("sleep", "100", user=65534, group=65534, extra_groups=[]) as target:
            done = subprocess.run([command, "capture", target.pid, "-o", self.file], env=environ,
                                  user=65534, group=65534, extra_groups=[], stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 0, done.stderr)
        snapshot = self.compare(1)[0]
        self.assertNotIn("pfn", snapshot["identity"]["known"])
        self.assertTrue(snapshot["runs"])
        self.assertEqual({run["pfn"] for run in snapshot["runs"]}, {None})

    def test_stream_through_a_pipe_is_the_file(self):
        with Target("sleep", "100") as target:
            self.capture(target)
        with open(self.file, "rb") as file:
            piped = self.json_of("show", "-", input=file.read())
        self.assertEqual(piped, self.json_of("show", self.file))

    def test_joined_captures_are_one_file(self):
        with Target("sleep", "100") as target:
            self.capture(target)
            with open(self.file, "rb") as file:
                one = file.read()
        with open(self.file, "ab") as file:
            file.write(one)
        first, second = self.compare(2)
        self.assertEqual(first, second)


if __name__ == "__main__":
    unittest.main()
