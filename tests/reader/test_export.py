"""vmsnap export: each row is what the second reader says; a database has each snapshot once, whatever happens to the
command meanwhile; and no name, however made, gets out of its place."""

import hashlib
import itertools
import os
import random
import re
import signal
import sqlite3
import stat
import subprocess
import tempfile
import time
import unittest

import json_inputs
import vmsfile
from json_inputs import file_of, process
from test_agree import sums_of

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
HOSTILE = (b"/tmp/a\tb\nc\\d\"e'f;\x01\x7f--\xff\xfe \xe2\x80\xae", b"'; DROP TABLE vma; --", b"\\N", b"caf\xc3\xa9", b"=1+1",
           b"/tmp/\xc3", b"{}=\"\",service=\"x\"")
TABLES = ("snapshot", "object", "vma", "run", "group_share", "cow", "event", "fault_watch")


def run(*words, status=0):
    result = subprocess.run([VMSNAP, "export", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    assert result.returncode == status, (words, result.returncode, result.stderr)
    return result


def unescaped(cell):
    """What a database reads: None is NULL."""
    if cell == b"\\N":
        return None
    meaning = {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"0": b"\0", b"\\": b"\\"}
    return re.sub(rb"\\(.)", lambda found: meaning[found.group(1)], cell, flags=re.DOTALL)


def table(name, *words):
    """Rows as dicts of bytes."""
    lines = run("--format", "tsv", "--table", name, *words).stdout.split(b"\n")
    assert lines.pop() == b""
    names = lines[0].decode().split("\t")
    rows = [line.split(b"\t") for line in lines[1:]]
    assert all(len(row) == len(names) for row in rows), rows
    return [dict(zip(names, map(unescaped, row))) for row in rows]


def number(cell):
    return None if cell is None else int(cell)


def key(identity, host=None):
    """The first 128 bits of SHA-256 over who and when it was."""
    numbers = lambda *values: b"".join((value % 2**64).to_bytes(8, "little") for value in values)
    told = host if host is not None else identity.get("machine_hash") or identity["host"]
    text = b"".join(numbers(len(part)) + part for part in (told, identity["boot_id"]))
    whole = text + numbers(*(identity[name] for name in ("tgid", "start_time", "taken", "monotonic")))
    return hashlib.sha256(whole).hexdigest()[:32].encode()


def more_sums(snapshot, vma):
    """What sums_of() does not tell."""
    size = snapshot["identity"]["page_size"]
    found = {"file": 0, "huge": 0, "guard": 0}
    for one in snapshot["runs"]:
        within = max(0, min(vma["end"], one["start"] + one["pages"] * size) - max(vma["start"], one["start"]))
        for flag in found:
            found[flag] += within * (flag in one["flags"] and ("present" in one["flags"] or flag == "guard"))
    if "huge" not in snapshot["identity"]["known"]:
        found["huge"] = None
    return found


def content(path):
    """All that is in a database, by keys that are the same in each."""
    with sqlite3.connect(path) as database:
        database.text_factory = bytes
        columns = {name: [row[1].decode() for row in database.execute(f"PRAGMA table_info({name})")] for name in TABLES}
        found = {}
        for name in TABLES:
            joins, chosen = "", []
            for column in columns[name]:
                if column in ("parent", "child") or (column == "snapshot" and name != "snapshot"):
                    joins += f" JOIN snapshot {column}_of ON {column}_of.snapshot = t.{column}"
                    chosen.append(f"hex({column}_of.snapshot_key)")
                elif column == "object" and name == "vma":
                    joins += " LEFT JOIN object o ON o.object = t.object"
                    chosen.append("o.object_key")
                elif column not in ("snapshot", "object"):
                    chosen.append(f"t.{column}")
            found[name] = sorted(database.execute(f"SELECT {', '.join(chosen)} FROM {name} t{joins}"), key=repr)
        assert database.execute("PRAGMA integrity_check").fetchone() == (b"ok",)
    return found


class ExportTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-export-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        cls.paths = json_inputs.write(cls.folder)

    def database(self, *words, name="all.db", status=0):
        path = os.path.join(self.folder, name)
        run("--format", "sqlite", "-o", path, *words, status=status)
        return path

    def hostile_file(self):
        path = os.path.join(self.folder, "hostile.vms")
        with open(path, "wb") as file:
            vmas = [json_inputs.vma(0x600000000000 + i * 0x10000, 0x600000001000 + i * 0x10000, "r-xp", name, device=(8, 1),
                                    inode=i + 1) for i, name in enumerate(HOSTILE)]
            who = [dict(json_inputs.PROCESS, comm=name[:15], exe=name, label=name, host=name, taken=i * 10**9)
                   for i, name in enumerate(HOSTILE)]
            file.write(file_of(*(json_inputs.snapshot(identity=one, vmas=vmas) for one in who))[0])
        return path


class Rows(ExportTest):
    def check_snapshot(self, snapshot, told, vmas, runs, objects):
        identity = snapshot["identity"]
        self.assertEqual(told["snapshot"], key(identity))
        for column, name in (("pid", "tgid"), ("ppid", "ppid"), ("uid", "uid"), ("start_ticks", "start_time"),
                             ("taken_ns", "taken"), ("page_size", "page_size"), ("pause_ns", "pause")):
            self.assertEqual(int(told[column]), identity[name], column)
        for column in ("comm", "exe", "host", "boot_id", "label", "kernel"):
            self.assertEqual(told[column] or b"", identity[column])
        self.assertIsNone(told["arguments"])
        self.assertEqual(len(vmas), len(snapshot["vmas"]))
        for row, vma in zip(vmas, snapshot["vmas"]):
            for column in ("start", "end"):
                self.assertEqual(int(row[column + "_addr"]), vma[column])
            self.assertEqual(row["perms"].decode(), vma["perms"])
            self.assertEqual(int(row["file_offset"]), vma["offset"])
            wanted = dict(sums_of(snapshot, vma), **more_sums(snapshot, vma))
            wanted["exclusive_bytes"] = wanted.pop("exclusive")
            for name, value in wanted.items():
                self.assertEqual(number(row[name]), value, (hex(vma["start"]), name))
            one = objects[row["object"]]
            self.assertEqual(one["name"], vma["name"])
            self.assertEqual([int(one[name]) for name in ("dev_major", "dev_minor", "inode")],
                             [*vma["device"], vma["inode"]])
            self.assertEqual((one["build_id"] or b"").decode(), vma["build_id"] or "")
        self.assertEqual(sum(int(row["resident"]) for row in vmas), int(told["resident"]))
        size = identity["page_size"]
        self.assertEqual(sum(int(row["pages"]) for row in runs), sum(one["pages"] for one in snapshot["runs"]))
        frames = {}
        for row in runs:
            for page in range(int(row["pages"])):
                frames[int(row["start_addr"]) + page * size] = row["pfn"] and int(row["pfn"]) + page
        for one in snapshot["runs"]:
            for page in range(one["pages"]):
                pfn = one["pfn"] + page if one["pfn"] else None
                self.assertEqual(frames.pop(one["start"] + page * size), pfn)
        self.assertFalse(frames)

    def test_each_row_is_what_the_second_reader_says(self):
        checked = 0
        for name in ("a", "b", "child", "nobody", "small", "tree", "hidden", "grows", "parts"):
            if name not in self.paths:
                continue
            path = self.paths[name]
            objects = {row["object"]: row for row in table("object", path)}
            file = vmsfile.open_file(path)
            for index in range(len(file.entries)):
                which = f"{path}@{index + 1}"
                snapshot = file.load(index)
                [told] = table("snapshot", which)
                self.check_snapshot(snapshot, told, table("vma", which), table("run", "--runs", which), objects)
                checked += 1
        self.assertGreater(checked, 10)

    def test_no_name_gets_out_of_its_place(self):
        path = self.hostile_file()
        self.assertEqual([row["exe"] for row in table("snapshot", path)], list(HOSTILE))
        self.assertEqual({row["name"] for row in table("object", path)} - {b"[heap]", b"[stack]"}, set(HOSTILE))
        database = self.database(path, name="hostile.db")
        with sqlite3.connect(database) as opened:
            names = {name if isinstance(name, bytes) else name.encode() for name, in opened.execute("SELECT name FROM object")}
            self.assertLessEqual(set(HOSTILE), names)
            for name, kind in opened.execute("SELECT name, typeof(name) FROM object"):
                self.assertEqual(kind, "text" if isinstance(name, str) else "blob")

    def test_postgres_gets_nothing_that_it_refuses(self):
        text = run("--format", "tsv", "--table", "object", "--schema", "postgres", self.hostile_file()).stdout.decode()
        self.assertNotIn("\0", text)
        self.assertIn("\\\\xff\\\\xfe", text)
        for cell in itertools.chain.from_iterable(line.split("\t") for line in text.splitlines()):
            self.assertTrue(cell == "\\N" or re.fullmatch(r"(?:[^\\\t\n\r]|\\[tnr\\])*", cell), cell)

    def test_labels_of_metrics_end_where_they_should(self):
        lines = run("--format", "openmetrics", self.hostile_file()).stdout.decode().splitlines()
        self.assertEqual(lines.pop(), "# EOF")
        label = r'\{service="(?:[^"\\\n]|\\["\\n])*"\}'
        for line in lines:
            self.assertRegex(line, rf"^(?:# (?:HELP|TYPE) vmsnap_[a-z_]+ .*|vmsnap_[a-z_]+{label} [0-9.]+)$")

    def test_only_what_changed(self):
        path = self.paths["grows"]
        whole, changed = table("vma", path), table("vma", "--changed", path)
        self.assertLess(len(changed), len(whole))
        # Put together again: what a mapping last said, until it is said to be empty.
        state, rebuilt = {}, []
        for told in table("snapshot", path):
            for row in (row for row in changed if row["snapshot"] == told["snapshot"]):
                if row["start_addr"] == row["end_addr"]:
                    del state[row["start_addr"]]
                else:
                    state[row["start_addr"]] = row
            rebuilt += [dict(row, snapshot=told["snapshot"]) for _, row in sorted(state.items(), key=lambda one: int(one[0]))]
        self.assertEqual(rebuilt, whole)

    def test_what_is_left_out(self):
        path = self.paths["a"]
        [told] = table("snapshot", "--strip", "host,pfns", "--arguments", path)
        self.assertIsNone(told["host"])
        self.assertEqual(told["arguments"], b"cat\0-\0")
        self.assertFalse(any(row["pfn"] for row in table("run", "--runs", "--strip", "pfns", path)))
        [told] = table("snapshot", "--host", "web1", path)
        self.assertEqual((told["host"], told["snapshot"]),
                         (b"web1", key(vmsfile.open_file(path).load(0)["identity"], b"web1")))
        [told] = table("snapshot", "--strip", "cmdline", "--arguments", path)
        self.assertIsNone(told["arguments"])

    def test_what_cannot_be(self):
        for words, says in (((), b"--format"), (("--format", "xml"), b"xml"), (("--format", "tsv"), b"table"),
                            (("--format", "tsv", "--table", "vmas"), b"vmas"), (("--schema", "oracle"), b"oracle"),
                            (("--format", "sqlite"), b"-o FILE"), (("--format", "openmetrics", "--runs"), b"openmetrics")):
            operands = () if words[:1] == ("--schema",) else (self.paths["a"],)
            self.assertIn(says, run(*words, *operands, status=2).stderr)
        self.assertIn(b"missing", run("--format", "tsv", "--table", "vma", status=2).stderr)


class Database(ExportTest):
    def test_it_has_what_the_text_has(self):
        files = [self.paths[name] for name in ("tree", "later")]
        path = self.database("--runs", *files, name="same.db")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        found = content(path)
        for name in ("vma", "run", "snapshot"):
            rows = {tuple(row.items()) for row in table(name, "--runs", *files)}
            self.assertEqual(len(found[name]), len(rows), name)
        with sqlite3.connect(path) as database:
            database.text_factory = bytes
            database.row_factory = sqlite3.Row
            said = {bytes(row["snapshot_key"]).hex().encode(): row for row in database.execute("SELECT * FROM snapshot")}
        for row in table("snapshot", "--runs", *files):
            for column, cell in row.items():
                theirs = said[row["snapshot"]][column]
                if column not in ("snapshot", "all_vmas", "all_runs"):
                    self.assertEqual(str(theirs).encode() if isinstance(theirs, int) else theirs, cell, column)

    def test_mappings_that_lie_where_numbers_have_a_sign(self):
        """And of all permissions: the view `vma` makes both of numbers."""
        perms = ["".join(each) for each in itertools.product("-r", "-w", "-x", "ps")]
        ranges = [(at << 12, (at << 12) + 0x1000, each) for at, each in enumerate(perms, 16)]
        ranges += [(2**63 - 0x1000, 2**63 + 0x1000, "r-xp"), (2**64 - 0xa00000, 2**64 - 0x9ff000, "--xp"),
                   (2**64 - 0x2000, 2**64 - 0x1000, "rw-p")]
        path = os.path.join(self.folder, "signs.vms")
        with open(path, "wb") as file:
            file.write(file_of(json_inputs.snapshot(vmas=[json_inputs.vma(*one) for one in ranges]))[0])
        signed = lambda number: number - 2**64 * (number >= 2**63)
        with sqlite3.connect(self.database(path, name="signs.db")) as database:
            found = database.execute("SELECT start_addr, end_addr, perms FROM vma").fetchall()
        self.assertEqual(sorted(found), sorted((signed(start), signed(end), each) for start, end, each in ranges))

    def test_twice_is_once(self):
        path = self.database(self.paths["tree"], self.paths["a"], name="twice.db")
        before = content(path)
        self.database(self.paths["tree"], self.paths["a"], self.paths["tree"], name="twice.db")
        self.assertEqual(content(path), before)
        self.database("--runs", self.paths["a"], name="twice.db")
        more = content(path)
        self.assertTrue(more["run"])
        self.assertEqual({name: more[name] for name in ("vma", "object", "cow")},
                         {name: before[name] for name in ("vma", "object", "cow")})
        self.assertEqual(len(more["snapshot"]), len(before["snapshot"]))

    def test_killed_at_any_moment_and_run_again(self):
        """Each of many files: in a database that had all of them at once, there is nothing else."""
        files = []
        for number in range(12):
            path = os.path.join(self.folder, f"many{number}.vms")
            with open(path, "wb") as file:
                file.write(file_of(*(process(0x2000 + i, 2, taken=number * 10**12 + i * 10**9) for i in range(10)))[0])
            files.append(path)
        wanted = content(self.database("--runs", *files, name="whole.db"))
        path = os.path.join(self.folder, "killed.db")
        chance, killed = random.Random(5), 0
        for _ in range(40):
            command = subprocess.Popen([VMSNAP, "export", "--format", "sqlite", "--runs", "-o", path, *files],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.random() * 0.03)
            command.send_signal(signal.SIGKILL)
            killed += command.wait() == -signal.SIGKILL
            if os.path.exists(path) and os.path.getsize(path):
                with sqlite3.connect(path) as database:
                    if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'mapping'").fetchone()[0]:
                        [alone] = database.execute("SELECT count(*) FROM mapping WHERE snapshot NOT IN "
                                                   "(SELECT snapshot FROM snapshot)").fetchone()
                        self.assertEqual(alone, 0)
        self.assertGreater(killed, 0)
        run("--format", "sqlite", "--runs", "-o", path, *files)
        self.assertEqual(content(path), wanted)

    def test_pages_that_nobody_could_read(self):
        """Behind gdbserver: how much was resident is NULL.  ClickHouse's tables have no place for that."""
        heap, page = json_inputs.HEAP, 4096
        made = json_inputs.snapshot(dict(json_inputs.PROCESS, known=json_inputs.EVERYTHING, source=2),
                                    vmas=[json_inputs.vma(heap, heap + 8 * page, "rw-p")],
                                    runs=[json_inputs.run(heap, 1, "exclusive present", pfn=0x7000),
                                          json_inputs.run(heap + page, 3, "swapped huge zero", swap=(0, 0))])
        unread = os.path.join(self.folder, "unread.vms")
        with open(unread, "wb") as file:
            file.write(json_inputs.file_of(made)[0])
        with sqlite3.connect(self.database(unread, name="unread.db")) as database:
            self.assertEqual(database.execute("SELECT resident, file, guard FROM vma").fetchall(), [(None, None, 0)])
            self.assertEqual(database.execute("SELECT resident, mapped FROM snapshot").fetchall(), [(None, 8 * page)])
            for [view] in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall():
                database.execute(f"SELECT * FROM {view}").fetchall()
        said = run("--format", "tsv", "--schema", "clickhouse", "--table", "vma", unread, status=2)
        self.assertIn("no place for that", said.stderr.decode())

    def test_a_file_of_others_is_left_alone(self):
        other = os.path.join(self.folder, "other.db")
        with sqlite3.connect(other) as database:
            database.execute("CREATE TABLE mine (a)")
        text = os.path.join(self.folder, "notes.txt")
        with open(text, "w", encoding="utf-8") as file:
            file.write("my notes, which are longer than the header of a database by some words\n" * 20)
        newer, older = (self.database(self.paths["a"], name=name) for name in ("newer.db", "older.db"))
        for path, version in ((newer, 1000), (older, 3)):
            with sqlite3.connect(path) as database:
                database.execute(f"PRAGMA user_version = {version}")
        for path, why in ((other, "of others"), (text, "no SQLite database"), (newer, "newer vmsnap"), (older, "older vmsnap"),
                          (self.paths["a"], "no SQLite database")):
            with open(path, "rb") as file:
                before = file.read()
            said = run("--format", "sqlite", "-o", path, self.paths["b"], status=2)
            self.assertIn(why, said.stderr.decode())
            with open(path, "rb") as file:
                self.assertEqual(file.read(), before)
        run("--format", "openmetrics", "-o", text, self.paths["b"], status=2)
        run("--format", "tsv", "--table", "vma", "-o", text, self.paths["b"], status=2)

    def test_what_is_in_a_database_does_nothing(self):
        path = self.database(self.paths["a"], name="trigger.db")
        with sqlite3.connect(path) as database:
            database.execute("CREATE TRIGGER t AFTER INSERT ON snapshot BEGIN DELETE FROM vma; END")
        self.database(self.paths["b"], name="trigger.db")
        with sqlite3.connect(path) as database:
            self.assertGreater(database.execute("SELECT count(*) FROM vma").fetchone()[0], 0)

    def test_metrics_take_the_place_of_metrics(self):
        path = os.path.join(self.folder, "vmsnap.prom")
        for name in ("a", "tree"):
            run("--format", "openmetrics", "-o", path, self.paths[name])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o644)
        with open(path, encoding="utf-8") as file:
            self.assertRegex(file.read(), r'(?m)^vmsnap_processes\{service="[^"]+"\} [0-9]+$')

    def test_mappings_that_come_and_go_are_in_it(self):
        """What changed, and all of it later, is the same as all of it at once."""
        at = 0x600000000000
        here, there = json_inputs.vma(at, at + 4096, "rw-p"), json_inputs.vma(at + 0x5000, at + 0x9000, "rw-p", b"/x")
        path = os.path.join(self.folder, "come and go.vms")
        with open(path, "wb") as file:
            file.write(file_of(*(json_inputs.snapshot(identity=dict(json_inputs.PROCESS, taken=when * 10**9), vmas=vmas)
                                 for when, vmas in enumerate(([here], [there], [here], [], [here, there]), 1)))[0])
        changed = self.database("--changed", path, name="come-and-go.db")
        with sqlite3.connect(changed) as database:
            rows = database.execute("SELECT s.taken_ns / 1000000000, v.start_addr, v.end_addr - v.start_addr, object > 0"
                                    " FROM vma v JOIN snapshot s USING (snapshot) ORDER BY 1, 2").fetchall()
        mine, other = at, at + 0x5000
        self.assertEqual(rows, [(1, mine, 0x1000, 1), (2, mine, 0, 0), (2, other, 0x4000, 1), (3, mine, 0x1000, 1),
                                (3, other, 0, 0), (4, mine, 0, 0), (5, mine, 0x1000, 1), (5, other, 0x4000, 1)])
        self.database(path, name="come-and-go.db")
        self.assertEqual(content(changed), content(self.database(path, name="all-at-once.db")))

    def test_a_database_is_a_file_whatever_it_is_called(self):
        """SQLite knows names that are others than files."""
        for named in (":memory:", "file:named.db?mode=memory"):
            subprocess.run([VMSNAP, "export", "--format", "sqlite", "-o", named, self.paths["a"]], cwd=self.folder,
                           check=True)
            with open(os.path.join(self.folder, named), "rb") as file:
                self.assertEqual(file.read(15), b"SQLite format 3")


class Metrics(ExportTest):
    def told(self, *files):
        """{(metric, label): value}, of files of identities."""
        paths = []
        for number, identities in enumerate(files):
            paths.append(os.path.join(self.folder, f"metrics {number}.vms"))
            with open(paths[-1], "wb") as file:
                file.write(file_of(*(json_inputs.snapshot(identity=dict(json_inputs.PROCESS, **one))
                                     for one in identities))[0])
        samples = re.findall(rb'(?m)^(\w+)\{service="(.*)"\} (\S+)$', run("--format", "openmetrics", *paths).stdout)
        found = {(metric.decode(), label): float(value) for metric, label, value in samples}
        self.assertEqual(len(found), len(samples), "a name of which there are two is refused with all others")
        return found

    def test_the_newest_counts_in_whatever_order_they_come(self):
        old, new = [dict(comm=b"old", taken=10**9)], [dict(comm=b"new", taken=9 * 10**9)]
        for order in ((old, new), (new, old), (new, old, new), (old + new,)):
            found = self.told(*order)
            self.assertEqual(found["vmsnap_taken_seconds", b"new"], 9)
            self.assertNotIn(("vmsnap_processes", b"old"), found)

    def test_of_many_snapshots_each_process_counts_once(self):
        many = [dict(comm=b"many", pid=pid, tgid=pid, taken=taken * 10**9) for taken in range(5, 0, -1)
                for pid in range(1, 150)]
        found = self.told(many)
        self.assertEqual(found["vmsnap_processes", b"many"], 149)
        self.assertEqual(found["vmsnap_taken_seconds", b"many"], 5)

    def test_processes_of_two_machines_are_two(self):
        found = self.told([dict(comm=b"one", boot_id=b"1" * 36)], [dict(comm=b"two", boot_id=b"2" * 36)])
        self.assertEqual((found["vmsnap_processes", b"one"], found["vmsnap_processes", b"two"]), (1, 1))

    def test_names_that_look_the_same_are_one(self):
        """Anybody may call a process so: all of the file would be refused."""
        found = self.told([dict(comm=b"x\xff", pid=1, tgid=1), dict(comm=b"x\\xff", pid=2, tgid=2)])
        self.assertEqual(found["vmsnap_processes", b"x\\\\xff"], 2)

    def test_hostile_names_stay_in_their_place(self):
        names = [name[:15] for name in HOSTILE] + [b'a"} 1\nb{c="', b"\\", b'\\"', b"\xc3\\", b"\xf0\x9f\x98\x80" * 3]
        found = self.told([dict(comm=name, pid=pid, tgid=pid) for pid, name in enumerate(names, 1)])
        labels = {label for _, label in found}
        self.assertEqual(len(labels), len(names))
        for label in labels:
            label.decode()
            self.assertRegex(label, rb'^(?:[^"\\\n\x00-\x1f\x7f]|\\[\\"n])*$')


class Questions(ExportTest):
    VIEWS = ("growth", "frame_holder", "group_memory", "privatised_text", "thp_coverage", "service_swap",
             "build_difference", "fork_minute", "outlier", "new_mapping")

    @staticmethod
    def with_heap(pages, seconds):
        at = 0x600000000000
        return json_inputs.snapshot(
            identity=dict(json_inputs.PROCESS, pid=77, tgid=77, taken=10**18 + seconds * 10**9),
            vmas=[json_inputs.vma(at, at + 0x10000, "rw-p", b"[heap]")],
            runs=[json_inputs.run(at, pages, "present exclusive", pfn=0x8000)])

    def test_each_has_an_answer(self):
        grows = os.path.join(self.folder, "grows more.vms")
        with open(grows, "wb") as file:
            file.write(file_of(*(self.with_heap(pages, number) for number, pages in enumerate((2, 3, 5))))[0])
        path = self.database("--runs", grows, self.paths["forks"], name="asked.db")
        with sqlite3.connect(path) as database:
            views = {name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
            self.assertLessEqual(set(self.VIEWS), views)
            for view in views:
                database.execute(f"SELECT * FROM {view}").fetchall()
            [grown] = database.execute("SELECT sum(grown) FROM growth WHERE name = '[heap]' AND pid = 77").fetchone()
            self.assertEqual(grown, 3 * 4096)
            holders = database.execute("SELECT DISTINCT pid FROM frame_holder WHERE ? BETWEEN first_pfn AND last_pfn",
                                       (0x8001,)).fetchall()
            self.assertEqual(holders, [(77,)])

    def test_the_one_that_was_hooked_and_the_one_that_is_large(self):
        code = dict(name=b"/usr/lib/libz.so.1", device=(8, 1), inode=77, build_id="aa" * 8)
        at = 0x700000000000
        path = os.path.join(self.folder, "hooked.vms")
        snapshots = []
        for pid in range(100, 110):
            hooked = pid == 107
            other = "bb" * 8 if pid == 103 else "aa" * 8
            # What it maps was replaced meanwhile.
            name = code["name"] + (b" (deleted)" if pid == 103 else b"")
            vmas = [json_inputs.vma(at, at + 0x4000, "rwxp" if hooked else "r-xp", **dict(code, name=name, build_id=other)),
                    json_inputs.vma(at + 0x10000, at + 0x10000 + 0x1000 * (40 if hooked else 4), "rw-p")]
            runs = [json_inputs.run(at, 3, "present file", pfn=0x100),
                    json_inputs.run(at + 0x3000, 1, "present exclusive" if hooked else "present file", pfn=0x500 + pid),
                    json_inputs.run(at + 0x10000, 40 if hooked else 4, "present exclusive", pfn=0x9000 + 64 * pid)]
            one = json_inputs.snapshot(identity=dict(json_inputs.PROCESS, pid=pid, tgid=pid, start_time=pid), vmas=vmas,
                                       runs=runs)
            snapshots.append(one)
        with open(path, "wb") as file:
            file.write(file_of(*snapshots)[0])
        with sqlite3.connect(self.database("--runs", path, name="hooked.db")) as database:
            self.assertEqual(database.execute("SELECT pid, start_addr, private_bytes FROM privatised_text").fetchall(),
                             [(107, at, 4096)])
            self.assertEqual(database.execute("SELECT pid, resident FROM outlier").fetchall(), [(107, 44 * 4096)])
            self.assertEqual(sorted(database.execute("SELECT name, build_id, processes FROM build_difference")),
                             [("/usr/lib/libz.so.1", "aa" * 8, 9), ("/usr/lib/libz.so.1", "bb" * 8, 1)])
            [(processes, uss)] = database.execute("SELECT processes, uss FROM group_memory").fetchall()
            self.assertEqual((processes, uss), (10, None if uss is None else 4096 * (1 + 40 + 9 * 4)))
        self.assertRegex(run("--format", "openmetrics", path).stdout, rb'(?m)^vmsnap_executable_private_bytes\{service="[^"]+"\} 4096$')

    def test_growth_is_told_of_snapshots_that_have_all_mappings(self):
        """With --changed only the first has: what the last did not say again has not gone."""
        path = os.path.join(self.folder, "one changed.vms")
        with open(path, "wb") as file:
            file.write(file_of(*(self.with_heap(pages, number) for number, pages in enumerate((2, 3, 3))))[0])
        with sqlite3.connect(self.database("--changed", path, name="changed.db")) as database:
            self.assertEqual(database.execute("SELECT * FROM growth").fetchall(), [])
        with sqlite3.connect(self.database(path, name="changed.db")) as database:
            self.assertEqual(database.execute("SELECT grown FROM growth").fetchall(), [(4096,)])

    @staticmethod
    def partly_read(pid, seconds, pages, unread, program=b"/usr/bin/some"):
        """Behind gdbserver: so many pages are present, and of so many nobody could tell."""
        runs = [json_inputs.run(json_inputs.HEAP, pages, "present exclusive", pfn=0x8000)]
        if unread:
            runs.append(json_inputs.run(json_inputs.HEAP + 4096 * pages, unread, "swapped huge zero", swap=(0, 0)))
        return json_inputs.snapshot(
            dict(json_inputs.PROCESS, known=json_inputs.EVERYTHING, source=2, pid=pid, tgid=pid, comm=program[9:], exe=program,
                 taken=10**18 + seconds * 10**9),
            vmas=[json_inputs.vma(json_inputs.HEAP, json_inputs.HEAP + 0x40000, "rw-p", b"[heap]")], runs=runs)

    @classmethod
    def partly_read_file(cls, folder):
        """Of `few` three are known, of `many` four; one has grown, and two were not read first or last."""
        few, many = b"/usr/bin/few", b"/usr/bin/many"
        snapshots = [cls.partly_read(60 + pid, 1, 30 if pid == 2 else 3, 4 if pid > 2 else 0, few) for pid in range(5)]
        snapshots += [cls.partly_read(70 + pid, 1, 30 if pid == 3 else 3, 4 if pid > 3 else 0, many) for pid in range(6)]
        for pid, before, after in ((80, 0, 4), (81, 4, 0), (82, 0, 0)):
            snapshots += [cls.partly_read(pid, 1, 8, before), cls.partly_read(pid, 2, 9, after)]
        path = os.path.join(folder, "partly.vms")
        with open(path, "wb") as file:
            file.write(file_of(*snapshots)[0])
        return path

    def test_what_is_not_known_of_one_is_not_told_of_all(self):
        page = 4096
        with sqlite3.connect(self.database(self.partly_read_file(self.folder), name="partly.db")) as database:
            self.assertEqual(database.execute("SELECT pid, first_resident, last_resident, grown FROM growth ORDER BY pid").fetchall(),
                             [(80, 8 * page, None, None), (81, None, 9 * page, None), (82, 8 * page, 9 * page, page)])
            self.assertEqual(database.execute("SELECT pid, mean_of_program, processes FROM outlier").fetchall(),
                             [(73, (3 * 3 + 30) * page / 4, 4)])
            self.assertEqual(database.execute("SELECT exe, processes, anonymous FROM thp_coverage ORDER BY exe").fetchall(),
                             [("/usr/bin/few", 3, 36 * page), ("/usr/bin/many", 4, 39 * page), ("/usr/bin/some", 2, 18 * page)])
            self.assertEqual(database.execute("SELECT service, processes, swapped, resident FROM service_swap ORDER BY 1").fetchall(),
                             [("few", 5, None, None), ("many", 6, None, None), ("some", 3, None, None)])
            database.execute("DELETE FROM snapshot WHERE resident IS NULL")
            self.assertEqual(database.execute("SELECT service, processes, swapped, resident FROM service_swap ORDER BY 1").fetchall(),
                             [("few", 3, 0, 36 * page), ("many", 4, 0, 39 * page), ("some", 3, 0, 26 * page)])

    def test_four_times_the_snapshots_are_not_sixteen_times_the_work(self):
        """Counted in steps of SQLite's own machine; also after somebody has told it how large tables are."""
        def steps(database, view):
            count = itertools.count()
            database.set_progress_handler(lambda: next(count) > 200000, 100)  # from then on it is an OperationalError
            database.execute(f"SELECT * FROM {view}").fetchall()
            database.set_progress_handler(None, 0)
            return 100 * next(count)

        found = []
        for size in (100, 400):
            snapshots = [process(0x2000 + pid, 2, pid=pid, tgid=pid, taken=10**18 + taken * 10**9,
                                 exe_build_id="%02x" % (pid % 20) * 20) for pid in range(size // 4) for taken in range(4)]
            path = os.path.join(self.folder, f"work{size}.vms")
            with open(path, "wb") as file:
                file.write(file_of(*snapshots)[0])
            with sqlite3.connect(self.database(path, name=f"work{size}.db")) as database:
                database.execute("ANALYZE")
                found.append({view: steps(database, view) for view in self.VIEWS})
        for view in self.VIEWS:
            self.assertLess(found[1][view], 8 * found[0][view] + 10000, view)


class Schema(ExportTest):
    def test_it_can_be_printed(self):
        for engine in ("sqlite", "clickhouse", "postgres"):
            text = run("--schema", engine).stdout.decode()
            for name in TABLES:
                name = "mapping" if engine == "sqlite" and name == "vma" else name
                self.assertIn(f"CREATE TABLE IF NOT EXISTS {name} (", text)
            self.assertNotIn("\0", text)
        with sqlite3.connect(":memory:") as database:
            database.executescript(run("--schema", "sqlite").stdout.decode())

    def test_no_column_is_a_keyword(self):
        keywords = set("end offset mode order group index table key user type start range rows values select from to exclusive "
                       "limit desc asc by in is not null default check primary unique references column row".split())
        for name in TABLES:
            columns = run("--format", "tsv", "--table", name, self.paths["a"]).stdout.decode().splitlines()[0].split("\t")
            self.assertFalse(keywords & set(columns))


if __name__ == "__main__":
    unittest.main()
