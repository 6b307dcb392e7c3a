"""vmsnap export for PostgreSQL, with a server of the test's own: what the database has is what SQLite has, the ten questions
have the same answers row by row, and a load that was stopped has left nothing."""

import os
import sqlite3
import subprocess
import sys
import unittest

import json_inputs
import postgres
from json_inputs import file_of
from test_export import HOSTILE, SOURCE, TABLES, VMSNAP, ExportTest, Questions, number, run, table
from test_export_events import FAULTS
from test_export_events import process as watched

LOAD = os.path.join(SOURCE, "contrib", "postgres", "load")


def skip_without(test):
    why = postgres.why_not()
    if why:
        print(f"SKIP: {why}", flush=True)
        raise unittest.SkipTest(why)


def as_text(cell):
    return None if cell is None else cell if isinstance(cell, bytes) else str(cell).encode()


def in_words(name):
    """As PostgreSQL is given it: what is no text is told byte by byte."""
    made = b""
    while name:
        for length in range(4, 0, -1):
            try:
                if name[:length] and len(name[:length].decode()) == 1:
                    break
            except UnicodeDecodeError:
                pass
        else:
            made, name = made + b"\\x%02x" % name[0], name[1:]
            continue
        made, name = made + name[:length], name[length:]
    return made


class PostgresTest(ExportTest):
    @classmethod
    def setUpClass(cls):
        skip_without(cls)
        super().setUpClass()
        cls.server = postgres.Postgres()
        cls.enterClassContext(cls.server) if hasattr(cls, "enterClassContext") else cls.enter()

    @classmethod
    def enter(cls):
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)

    def setUp(self):
        self.server.psql("-c", "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        self.schema()

    def schema(self):
        self.server.psql(text=run("--schema", "postgres").stdout)

    def load(self, *words, check=True, env=None):
        done = subprocess.run([LOAD, *words, "--", *self.server.options], env=dict(dict(os.environ, VMSNAP=VMSNAP), **(env or {})),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertTrue(not check or done.returncode == 0, done.stderr.decode())
        return done

    def content(self):
        return {name: sorted(self.server.rows(f"SELECT * FROM {name}"), key=repr) for name in TABLES}

    def questions(self, path):
        """Of each view: what SQLite says, and what PostgreSQL does, in columns in which both are exact."""
        with sqlite3.connect(path) as database:
            database.text_factory = bytes
            for view, columns in QUESTIONS.items():
                ours = sorted((tuple(map(as_text, row)) for row in database.execute(f"SELECT {columns} FROM {view}")), key=repr)
                yield view, ours, sorted(self.server.rows(f"SELECT {columns} FROM {view}"), key=repr)


# Columns in which all engines say the same.
QUESTIONS = {
    "growth": "host, pid, comm, name, first_resident, last_resident, grown",
    "frame_holder": "first_pfn, last_pfn, host, boot_id, taken_ns, pid, comm, start_addr, pages, flags",
    "group_memory": "host, taken_ns, service, processes, rss, pss, uss, private_with_others",
    "privatised_text": "host, pid, comm, taken_ns, name, start_addr, end_addr, private_bytes",
    "thp_coverage": "exe, processes, anonymous, huge, percent",
    "service_swap": "host, service, processes, swapped, resident",
    "build_difference": "name, build_id, hosts, processes, example_host, example_pid",
    "fork_minute": "host, parent_pid, comm, minute, children, by_parent, by_child, by_both_or_unknown",
    "outlier": "host, pid, comm, exe, resident, processes",
    "new_mapping": "exe, build_before, build_after, name, perms",
    "fault_code": "host, pid, comm, function_name, access_kind, faults, pages",
}


class Engine(PostgresTest):
    def test_the_tables_and_views_are_made_again_and_again(self):
        self.schema()
        views = {name.decode() for name, in self.server.rows("SELECT viewname FROM pg_views WHERE schemaname = 'public'")}
        self.assertLessEqual(set(Questions.VIEWS) | {"newest", "process", "fault_code"}, views)

    def test_each_table_goes_through_a_pipe(self):
        """As docs/archive.md says it."""
        file = self.paths["tree"]
        for name in TABLES:
            done = subprocess.run(["bash", "-c", 'set -o pipefail; "$VMSNAP" export --format tsv --schema postgres --runs --table "$T" "$F" |'
                                   ' psql -X "$@" -c "\\\\copy $T from stdin with (header)"', "bash", *self.server.options],
                                  env=dict(os.environ, VMSNAP=VMSNAP, T=name, F=file), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(self.server.rows(f"SELECT * FROM {name}")), len(table(name, "--runs", file)))

    def test_ten_questions_have_the_answers_that_sqlite_gives(self):
        files = [self.paths[name] for name in ("forks", "grows", "merged", "tree", "later", "hidden", "nobody")]
        files += [self.rare(), self.events(), Questions.partly_read_file(self.folder)]
        path = self.database("--runs", *files, name="asked of two.db")
        self.load("-r", *files)
        answered = 0
        for view, ours, theirs in self.questions(path):
            if view in ("thp_coverage",):  # 12.5 and 12.5000
                ours, theirs = ([row[:-1] + (row[-1] and float(row[-1]),) for row in rows] for rows in (ours, theirs))
            self.assertEqual(ours, theirs, view)
            answered += bool(ours)
        self.assertEqual(answered, len(QUESTIONS))

    def rare(self):
        """One of ten processes is hooked, one is large, one has another library; a program's next build maps more."""
        at, snapshots = 0x700000000000, []
        for pid in range(100, 110):
            odd = pid == 107
            library = {"name": b"/usr/lib/libz.so.1" + (b" (deleted)" if pid == 103 else b""), "device": (8, 1),
                       "inode": 77, "build_id": ("bb" if pid == 103 else "aa") * 8}
            heap = 40 if odd else 4
            vmas = [json_inputs.vma(at, at + 0x4000, "r-xp", **library),
                    json_inputs.vma(at + 0x10000, at + 0x10000 + heap * 4096, "rw-p")]
            runs = [json_inputs.run(at, 3, "present file", pfn=0x100),
                    json_inputs.run(at + 0x3000, 1, "present exclusive" if odd else "present file", pfn=0x500 + pid),
                    json_inputs.run(at + 0x10000, heap, "present exclusive", pfn=0x9000 + 64 * pid)]
            if pid > 105:
                vmas.append(json_inputs.vma(at + 0x100000, at + 0x101000, "r-xp", b"/usr/lib/libnew.so.1", device=(8, 1), inode=78))
            vmas.append(json_inputs.vma(2**64 - 0xA00000, 2**64 - 0xA00000 + 0x1000, "--xp", b"[vsyscall]"))
            identity = dict(json_inputs.PROCESS, pid=pid, tgid=pid, start_time=pid, exe_build_id=("22" if pid > 105 else "11") * 20,
                            taken=json_inputs.PROCESS["taken"] + (pid > 105) * 10**9)
            snapshots.append(json_inputs.snapshot(identity=identity, vmas=vmas, runs=runs))
        return self.file("rare.vms", *snapshots)

    def events(self):
        code = [row for row in FAULTS["code"] if b"\n" not in row[3]]
        return self.file("events.vms", watched(1000), watched(9000, dict(FAULTS, code=code)))

    def file(self, name, *models):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(file_of(*models)[0])
        return path

    def test_no_name_gets_out_of_its_place(self):
        path = os.path.join(self.folder, "; touch hacked; $(touch hacked) ' \" \\ :x.vms")
        os.replace(self.hostile_file(), path)
        self.load("-r", "-H", "'; DROP TABLE vma; --", path)
        named = {name for name, in self.server.rows("SELECT name FROM object")}
        self.assertLessEqual(set(map(in_words, HOSTILE)), named)
        self.assertEqual(set(self.server.rows("SELECT host FROM snapshot")), {(b"'; DROP TABLE vma; --",)})
        labels = [label for label, in self.server.rows("SELECT label FROM snapshot ORDER BY taken_ns")]
        self.assertEqual(labels, list(map(in_words, HOSTILE)))
        self.assertFalse(os.path.exists("hacked") or os.path.exists(os.path.join(self.folder, "hacked")))

    def test_sent_again_it_is_there_once_and_with_more_it_has_more(self):
        file = self.paths["grows"]
        self.load(file)
        once = self.content()
        self.load(file, file)
        self.assertEqual(self.content(), once)
        self.load("-r", file)
        more = self.content()
        self.assertEqual(len(more["run"]), len(table("run", "--runs", file)))
        self.load("-c", file)
        self.assertEqual(self.content(), more)
        self.assertEqual({name: rows for name, rows in more.items() if name not in ("run", "snapshot")},
                         {name: rows for name, rows in once.items() if name not in ("run", "snapshot")})

    def test_first_what_changed_then_all_of_it(self):
        at = 0x600000000000
        here, there = json_inputs.vma(at, at + 4096, "rw-p"), json_inputs.vma(at + 0x5000, at + 0x9000, "rw-p", b"/x")
        file = self.file("comes and goes.vms", *(json_inputs.snapshot(identity=dict(json_inputs.PROCESS, taken=when * 10**9), vmas=vmas)
                                                 for when, vmas in enumerate(([here], [there], [here], [], [here, there]), 1)))
        self.load(file)
        whole = self.content()
        self.server.psql("-c", "TRUNCATE snapshot, vma, object")
        self.load("-c", file)
        self.assertTrue(self.server.rows("SELECT 1 FROM vma WHERE start_addr = end_addr"))
        self.load(file)
        self.assertEqual(self.content(), whole)

    def test_a_load_that_is_stopped_has_left_nothing(self):
        """vmsnap fails at one table after the other."""
        file = self.paths["forks"]
        program = os.path.join(self.folder, "failing vmsnap")
        with open(program, "w", encoding="utf-8") as script:
            script.write('#!/bin/sh\ncase " $* " in *" --table $FAILS "*) "$REAL" "$@" | head -c 200; exit 3 ;; esac\nexec "$REAL" "$@"\n')
        os.chmod(program, 0o755)
        for name in ("object", "cow", "snapshot"):
            done = self.load("-r", file, check=False, env={"VMSNAP": program, "REAL": VMSNAP, "FAILS": name})
            self.assertNotEqual(done.returncode, 0, name)
            counts = " + ".join(f"(SELECT count(*) FROM {each})" for each in TABLES)
            self.assertEqual(self.server.rows(f"SELECT {counts}"), [(b"0",)], name)
        self.load("-r", file)
        self.assertEqual(number(self.server.rows("SELECT count(*) FROM snapshot")[0][0]), len(table("snapshot", file)))


if __name__ == "__main__":
    sys.exit(unittest.main())
