"""The tables event and fault_watch: what the file's writer put in, row by row, of every kind of fault that there is."""

import os
import re
import sqlite3
import unittest

import json_inputs
import vmsfile
from json_inputs import CODE, PAGE, PROCESS, file_of
from test_export import ExportTest, number, table

HEAP = 0x600000000000
KINDS = (None, b"read", b"write_new", b"write_protected", b"fetch", b"write")
PID, CHILD = PROCESS["pid"], PROCESS["pid"] + 1
MAIN, SET, BARE, FAR = CODE + 0x10, CODE + 0x20, CODE + 0x30, 0x7FFFF0000000


def fault(when, address, stack, kind=3, system=-1, mark=0, pid=PID, tid=None):
    return [when, address, stack[0] if stack else 0, pid, tid or pid, stack, system, kind, mark]


FAULTS = {
    "watched": [1000, 9000], "lost": 0, "flags": 1 | 8, "pid": PID,
    "objects": [[b"/usr/bin/c\tat", "0123abcd", CODE, CODE + 0x5000, 0x2000]],
    "threads": [[PID, PID, b"ca\nt"], [CHILD, CHILD, b"\xff"]],
    "syscalls": [[0, b"read"]],
    "code": [[MAIN, 0, 0, b"main", b"src/cat.c", 30, 0], [SET, 0, CODE + 0x20, b"set;all\t1\n\\N", b"", 0, 0],
             [BARE, 0, 0, b"", b"", 0, 0]],
    "faults": [fault(2000, HEAP + 8, [SET, MAIN]), fault(2000, HEAP + 8, [SET, MAIN]), fault(2001, HEAP + PAGE, [], 2),
               fault(2002, 0x123, [BARE, MAIN], 0), fault(2003, 2**64 - PAGE + 1, [FAR], 1, system=0),
               fault(2004, HEAP, [MAIN], 5, system=999), fault(2005, HEAP, [MAIN], 4, system=-2),
               fault(2006, HEAP, [MAIN], mark=1), fault(2007, HEAP, [MAIN], mark=2), fault(2008, HEAP, [MAIN], pid=CHILD)],
    "events": [[2500, PID, CHILD], [2600, CHILD, 0]],
}


def process(when, faults=None, **identity):
    identity = dict(PROCESS, taken=1700000000 * 10**9 + when, monotonic=when, **identity)
    made = json_inputs.snapshot(identity=identity, vmas=[json_inputs.vma(HEAP, HEAP + 8 * PAGE, "rw-p", b"[heap]")],
                                runs=[json_inputs.run(HEAP, 8, "present exclusive", pfn=0x100)])
    return dict(made, faults=faults) if faults else made


class Events(ExportTest):
    def file(self, *models):
        path = os.path.join(self.folder, "events.vms")
        with open(path, "wb") as file:
            file.write(file_of(*models)[0])
        return path

    def watched(self, **more):
        return self.file(process(1000), process(9000, dict(FAULTS, **more)))

    def check_fault(self, row, wanted, objects):
        when, address, ip, pid, tid, stack, system, kind, mark = wanted
        self.assertEqual((row["event_kind"], row["access_kind"]), (b"fault", KINDS[kind]))
        self.assertEqual([int(row[name]) for name in ("event_ns", "monotonic_ns", "pid", "tid", "fault_addr", "page_addr")],
                         [1700000000 * 10**9 + when, when, pid, tid, address, address // PAGE * PAGE])
        self.assertEqual(row["thread_name"], {PID: b"ca\nt", CHILD: b"\xff"}[pid])
        inside = HEAP <= address < HEAP + 8 * PAGE and pid == PID
        self.assertEqual(number(row["vma_addr"]), HEAP if inside else None)
        self.assertEqual(row["object"], objects[b"[heap]"] if inside else None)
        self.assertEqual(number(row["code_addr"]), ip or None)
        self.assertEqual(row["in_system_call"], b"0" if system == -1 else b"1")
        self.assertEqual(row["system_call"], {-1: None, -2: None, 0: b"read", 999: b"999"}[system])
        self.assertEqual(row["debugger"], {0: None, 1: b"breakpoint", 2: b"call"}[mark])
        code = {found[0]: found for found in FAULTS["code"]}.get(ip)
        self.assertEqual((row["function_name"], row["source_file"], number(row["source_line"])),
                         tuple(part or None for part in code[3:6]) if code else (None, None, None))
        self.assertEqual((row["code_file"], row["code_build_id"], number(row["code_offset"])),
                         (b"/usr/bin/c\tat", b"0123abcd", ip - CODE + 0x2000) if code else (None, None, None))
        names = {MAIN: b"main", SET: rb"set\x3ball\x091\x0a\x5cN", BARE: rb"c\x09at+0x2030", FAR: b"0x7ffff0000000"}
        self.assertEqual(row["stack"], b";".join(names[frame] for frame in stack[::-1]) or None)

    def test_each_row_is_what_was_written(self):
        path = self.watched()
        objects = {row["name"]: row["object"] for row in table("object", path)}
        rows = table("event", path)
        wanted = vmsfile.open_file(path).load(1)["faults"]
        self.assertEqual([int(row["event_number"]) for row in rows], list(range(1, 13)))
        self.assertEqual({row["snapshot"] for row in rows}, {table("snapshot", path)[1]["snapshot"]})
        for row, one in zip(rows, wanted["faults"]):
            self.check_fault(row, one, objects)
        self.assertEqual([(row["event_kind"], int(row["monotonic_ns"]), int(row["pid"]), number(row["child_pid"]))
                          for row in rows[10:]], [(b"fork", 2500, PID, CHILD), (b"exec", 2600, CHILD, None)])
        for row in rows[10:]:
            told = {name for name, cell in row.items() if cell is not None}
            self.assertLessEqual(told, {"snapshot", "event_number", "event_kind", "event_ns", "monotonic_ns", "pid", "child_pid"})

    def test_how_it_was_watched(self):
        columns = ("begin_ns", "monotonic_ns", "watched_ns", "faults", "some_lost", "faults_lost", "access_known", "armed",
                   "children", "system_calls", "given_back")
        for more, lost in (({}, (0, 0)), ({"lost": 7}, (1, 7)), ({"lost": None}, (1, None)),
                           ({"flags": 2 | 4 | 16, "faults": [], "memory_events": []}, (0, 0))):
            [row] = table("fault_watch", self.watched(**more))
            flags = (0, 1, 1, 0, 1) if "flags" in more else (1, 0, 0, 1, 0)
            self.assertEqual(tuple(number(row[name]) for name in columns),
                             (1700000000 * 10**9 + 1000, 1000, 8000, len(more.get("faults", FAULTS["faults"])), *lost, *flags))

    def test_who_was_not_watched_is_not_said_to_have_had_none(self):
        path = self.file(process(1000), process(9000))
        self.assertEqual((table("event", path), table("fault_watch", path)), ([], []))

    def test_clocks_that_are_not_known(self):
        path = self.file(process(1000), dict(process(9000, FAULTS), identity=dict(PROCESS, monotonic=0)))
        self.assertEqual({(row["event_ns"], row["monotonic_ns"]) for row in table("event", path)[:1]}, {(None, b"2000")})
        self.assertIsNone(table("fault_watch", path)[0]["begin_ns"])

    def test_a_database_has_the_same_once(self):
        path = self.watched()
        for _ in range(2):
            database = self.database(path, name="events.db")
        with sqlite3.connect(database) as opened:
            opened.text_factory = bytes
            signed = lambda cell: cell - 2**64 if isinstance(cell, int) and cell >= 2**63 else cell
            plain = lambda cell: signed(int(cell)) if cell and re.fullmatch(rb"[0-9]+", cell) else cell
            for name in ("event", "fault_watch"):
                wanted = [tuple(map(plain, list(row.values())[1:])) for row in table(name, path)]
                found = [tuple(plain(cell) if isinstance(cell, bytes) else cell for cell in row[1:])
                         for row in opened.execute(f"SELECT * FROM {name} ORDER BY 1, 2")]
                at = [column[1] for column in opened.execute(f"PRAGMA table_info({name})")][1:]
                if b"object" in at:  # a small number here
                    place = at.index(b"object")
                    names = dict(opened.execute("SELECT object_key, object FROM object"))
                    wanted = [row[:place] + (names.get(row[place]),) + row[place + 1:] for row in wanted]
                self.assertEqual(found, wanted)
            asked = opened.execute("SELECT function_name, faults, pages FROM fault_code WHERE access_kind = 'write_protected'")
            self.assertEqual(set(asked), {(b"set;all\t1\n\\N", 2, 1), (b"main", 3, 1)})

    def test_what_is_left_out(self):
        path = self.watched()
        bare = os.path.join(self.folder, "bare.db")
        database = self.database("--strip", "faults", path, name=bare)
        with sqlite3.connect(database) as opened:
            self.assertEqual(opened.execute("SELECT count(*) FROM event").fetchone(), (0,))
        self.assertEqual({row["function_name"] for row in table("event", "--strip", "names", path)}, {None})


if __name__ == "__main__":
    unittest.main()
