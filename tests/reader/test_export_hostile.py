"""Names that somebody made to get out of their place, by chance and on purpose, through every format of vmsnap export, and read
again by programs that know nothing of ours: SQLite, Python's csv, promtool, Go's pprof, PostgreSQL's and ClickHouse's rules for text."""

import csv
import io
import os
import random
import re
import shutil
import sqlite3
import subprocess
import threading
import unittest

import json_inputs
from json_inputs import PROCESS, file_of
from profiles import Profile, check_protoc, pprof
from test_export import TABLES, VMSNAP, ExportTest, run, table
from test_export_events import FAULTS, HEAP, PID

# What some format takes for an end, a beginning or an escape.
SHARP = (b"\t", b"\n", b"\r", b"\\", b"\\N", b"\\t", b"'", b'"', b"''", b"`", b";", b"--", b"/*", b"); DROP TABLE vma; --", b"{", b"}",
         b'"} 1\n', b"# EOF\n", b"#", b",", b"=", b" ", b"$(touch x)", b"%s%n", b"\x01", b"\x1b[2J", b"\x7f", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
         b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"NULL", b"\\.", b"0x41", b"\\x41")
ROUNDS = 6


def name(chance, most):
    made = b"".join(chance.choice(SHARP) if chance.random() < 0.6 else bytes([chance.randrange(1, 256)]) for _ in range(chance.randrange(1, 12)))
    return made[:most] or b"?"


class Hostile(ExportTest):
    def file(self, chance):
        """(path, names by the column where they are to be found)"""
        told = {column: set() for column in ("comm", "exe", "label", "reason", "cgroup", "host", "name", "function_name", "source_file", "code_file",
                                             "thread_name", "system_call")}

        def of(column, most=200):
            made = name(chance, most)
            told[column].add(made)
            return made

        snapshots = []
        for number in range(4):
            identity = dict(PROCESS, taken=PROCESS["taken"] + number * 10**9, monotonic=PROCESS["monotonic"] + number * 10**9, comm=of("comm", 15),
                            exe=of("exe"), label=of("label"), reason=of("reason"), cgroup=of("cgroup"), host=of("host", 60))
            vmas = [json_inputs.vma(HEAP + i * 0x10000, HEAP + i * 0x10000 + 4096, "r-xp", of("name"), device=(8, 1), inode=i + 1) for i in range(5)]
            runs = [json_inputs.run(vma["start"], 1, "present exclusive", pfn=0x100 + i) for i, vma in enumerate(vmas)]
            snapshots.append(json_inputs.snapshot(identity=identity, vmas=vmas, runs=runs))
        code = [[address, pid, far, of("function_name"), of("source_file"), line, 0] for address, pid, far, _, _, line, _ in FAULTS["code"]]
        begin = PROCESS["monotonic"]
        faults = dict(FAULTS, code=code, objects=[[of("code_file"), *FAULTS["objects"][0][1:]]], threads=[[PID, PID, of("thread_name", 15)]],
                      syscalls=[[0, of("system_call", 60)]], watched=[begin, begin + 10**9], events=[],
                      faults=[[begin + row[0], HEAP + 8, *row[2:]] for row in FAULTS["faults"] if row[3] == PID])
        snapshots[-1] = dict(snapshots[-1], faults=faults)
        path = os.path.join(self.folder, "hostile.vms")
        with open(path, "wb") as file:
            file.write(file_of(*snapshots)[0])
        return path, told

    def rounds(self):
        for seed in range(ROUNDS):
            yield self.file(random.Random(seed))

    def columns(self, path):
        """{column: what is in it} over all tables, as text says it."""
        found = {}
        for each in TABLES:
            for row in table(each, "--runs", "--arguments", path):
                for column, cell in row.items():
                    found.setdefault(column, set()).add(cell)
        return found

    def test_tables_as_text(self):
        for path, told in self.rounds():
            found = self.columns(path)
            for column, names in told.items():
                used = names if column != "system_call" else names & found[column]
                self.assertLessEqual(used, found[column], column)

    def test_lines_and_cells_as_csv_has_them(self):
        """Of each table as many cells in each line, for a reader that knows of tabs alone."""
        for path, _ in self.rounds():
            for engine in ("clickhouse", "postgres"):
                for each in TABLES:
                    data = run("--format", "tsv", "--schema", engine, "--runs", "--table", each, path).stdout
                    text = data.decode("latin-1" if engine == "clickhouse" else "utf-8")
                    self.assertFalse(re.search(r"[\r\0]", text))
                    # Not splitlines(): lines end with \n alone.
                    rows = list(csv.reader(io.StringIO(text, newline="\n"), delimiter="\t", quoting=csv.QUOTE_NONE))
                    self.assertEqual(len(rows), text.count("\n"))
                    self.assertEqual({len(row) for row in rows}, {len(rows[0])}, each)

    def test_a_database(self):
        schema = None
        for path, told in self.rounds():
            database = self.database("--runs", "--arguments", path, name="hostile.db")
            with sqlite3.connect(database) as opened:
                opened.text_factory = bytes
                made = opened.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
                schema = schema or made
                self.assertEqual(made, schema)
                for column, names in told.items():
                    each = "object" if column == "name" else "snapshot" if column in ("comm", "exe", "label", "reason", "cgroup", "host") else "event"
                    found = {bytes(cell) for cell, in opened.execute(f"SELECT {column} FROM {each}") if cell is not None}
                    self.assertLessEqual(names & found if column == "system_call" else names, found, column)
                self.assertEqual(opened.execute("PRAGMA integrity_check").fetchall(), [(b"ok",)])
                views = [view for kind, view, _ in made if kind == b"view"]
                for view in views:
                    opened.execute(f"SELECT * FROM {view.decode()}").fetchall()
            os.unlink(database)

    def test_metrics(self):
        label = r'\{service="((?:[^"\\\n]|\\["\\n])*)"\}'
        for path, told in self.rounds():
            text = run("--format", "openmetrics", path).stdout
            lines = text.decode().split("\n")
            self.assertEqual((lines.pop(), lines.pop()), ("", "# EOF"))
            for line in lines:
                self.assertRegex(line, rf"^(?:# (?:HELP|TYPE) vmsnap_[a-z_]+ [A-Za-z:;,.' ]+|vmsnap_[a-z_]+{label} [0-9.]+)$")
            self.assertEqual(len(re.findall(rf"(?m)^vmsnap_processes{label} 1$", text.decode())), 1)
            if shutil.which("promtool"):
                done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_stacks(self):
        for number, (path, _) in enumerate(self.rounds()):
            for words in ((), ("--strip", "faults")):
                lines = run("--format", "folded", *words, path).stdout.decode().split("\n")
                self.assertEqual(lines.pop(), "")
                self.assertTrue(lines or not words)
                for line in lines:
                    self.assertRegex(line, r"^[^\x00-\x1f\x7f-\x9f]+ [0-9]+$")
                    self.assertTrue(words == () or line.count(";") == 2, line)
                out = os.path.join(self.folder, "hostile.pb.gz")
                run("--format", "pprof", "-o", out, *words, path)
                with open(out, "rb") as file:
                    profile = Profile(file.read())
                for text in profile.strings:
                    self.assertRegex(text, r"^[ -~]*$")
                check_protoc(out, profile)
                if number < 2:
                    pprof(out)

    def test_what_the_command_line_says_is_no_less_hostile(self):
        path, chance = self.paths["a"], random.Random(99)
        for _ in range(20):
            host = name(chance, 100)
            [told] = table("snapshot", "--host", host, path)
            self.assertEqual(told["host"], host)
            database = os.path.join(self.folder, "host.db")
            run("--format", "sqlite", "--host", host, "-o", database, path)
            with sqlite3.connect(database) as opened:
                opened.text_factory = bytes
                self.assertEqual([bytes(cell) for cell, in opened.execute("SELECT host FROM snapshot")], [host])
            os.unlink(database)


class Metrics(ExportTest):
    def services(self, count):
        path = os.path.join(self.folder, "services.vms")
        with open(path, "wb") as file:
            file.write(file_of(*(json_inputs.snapshot(identity=dict(PROCESS, pid=pid, tgid=pid, comm=b"service %d" % pid),
                                                      status=json_inputs.STATUS + b"VmSwap:\t4 kB\n") for pid in range(1, count + 1)))[0])
        return path

    def test_sixteen_services(self):
        lines = run("--format", "openmetrics", self.services(16)).stdout.splitlines()
        self.assertEqual(len(lines), 6 * (2 + 16) + 1)
        self.assertEqual(sum(line.startswith(b"vmsnap_executable_private_bytes{") for line in lines), 16)

    def test_who_reads_meanwhile_reads_all_of_one(self):
        few, many = self.services(3), os.path.join(self.folder, "many.vms")
        os.rename(self.services(40), many)
        few = self.services(3)
        path = os.path.join(self.folder, "vmsnap.prom")
        run("--format", "openmetrics", "-o", path, few)
        wanted = {run("--format", "openmetrics", file).stdout for file in (few, many)}
        done, wrong = threading.Event(), []

        def read():
            while not done.is_set():
                with open(path, "rb") as file:
                    text = file.read()
                if text not in wanted:
                    wrong.append(text)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            for number in range(40):
                command = subprocess.Popen([VMSNAP, "export", "--format", "openmetrics", "-o", path, many if number % 2 else few])
                if number % 4 == 3:
                    command.kill()
                command.wait()
        finally:
            done.set()
            reader.join()
        self.assertEqual(wrong, [])
        # What one that was killed left beside it the next one removes.
        run("--format", "openmetrics", "-o", path, few)
        self.assertEqual([each for each in os.listdir(self.folder) if "prom" in each], ["vmsnap.prom"])


if __name__ == "__main__":
    unittest.main()
