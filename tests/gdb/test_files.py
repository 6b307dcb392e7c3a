"""Snapshots on their way to files and back: to the command line and from it, damaged
files, full disks; and the names that only gdb knew, still there."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import unittest

import truth
from gdb_session import FRAMES, NOBODY, ROOT, Failed, Gdb, folder, main, mount_tmpfs, program, skip, support, world

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "reader"))
import vmsreport  # noqa: E402


def command(*arguments):
    """The command line's JSON."""
    done = subprocess.run([world().vmsnap, *arguments, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=world().env, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


class Files(unittest.TestCase):
    def saved(self, steps=3):
        gdb = Gdb(self, "gdb_steps", "write", 6, cwd=folder(self))
        gdb("break step")
        gdb("run")
        for index in range(steps):
            gdb("vmsnap take")
            gdb("continue")
        return gdb

    def where(self, gdb):
        return os.readlink(f"/proc/{gdb.pid}/cwd")


@support.unmoved
class There(Files):
    def test_what_gdb_saves_the_command_line_shows(self):
        gdb = self.saved()
        said = gdb("vmsnap save run.vms")
        path = os.path.join(self.where(gdb), "run.vms")
        self.assertRegex(said, r"^Saved 3 snapshots to .*run\.vms \(.*\)\.\n$")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        listed = command("list", path)["snapshots"]
        self.assertEqual([row["label"] for row in listed], ["s1", "s2", "s3"])
        self.assertEqual({row["pid"] for row in listed}, {gdb.inferior()})
        for row in listed:
            self.assertRegex(row["reason"], r"^breakpoint 1 at step \(gdb_steps\.c:\d+\), thread 1$")
        page = gdb.number("(unsigned long) &pages[2]")
        for made in (command("diff", f"{path}@s2", f"{path}@s3"), gdb.json("vmsnap diff s2 s3")):
            self.assertEqual(truth.changes(made), {page: {"appeared"}})
            self.assertEqual(truth.names_on(made["pages"], page), ["pages"])

    def test_a_page_shows_them_over_time(self):
        gdb = self.saved()
        said = gdb("vmsnap report run.html")
        path = os.path.join(self.where(gdb), "run.html")
        self.assertRegex(said, r"^.*run\.html shows 3 snapshots: open it in a browser\.\n$")
        with open(path, encoding="utf-8") as file:
            report = vmsreport.Report(file.read())
        page = gdb.number("(unsigned long) &pages[2]") // report.head["page_size"]
        there = [bool(values.get(page)) for values in report.track("states", 0).values]
        self.assertEqual(there, [False, False, True])
        names = report.head["names"]
        self.assertIn("pages", [report.head["strings"][names[i + 4]] for i in range(0, len(names), 7)])
        self.assertEqual(report.changed_bytes(), [])
        gdb("vmsnap report --contents held.html")
        with open(os.path.join(self.where(gdb), "held.html"), encoding="utf-8") as file:
            held = vmsreport.Report(file.read())
        self.assertTrue(held.changed_bytes())
        self.assertTrue(held.head["contents"]["wanted"])
        gdb("shell echo mine > mine.html")
        with self.assertRaisesRegex(Failed, "was left alone"):
            gdb("vmsnap report mine.html")

    def test_other_programs_get_what_the_command_line_gives_them(self):
        gdb = self.saved()
        gdb("vmsnap save run.vms")
        where = self.where(gdb)
        self.assertRegex(gdb("vmsnap export --runs run.db"), r"^Exported 3 snapshots to .*run\.db\.\n$")
        subprocess.run([world().vmsnap, "export", "--format", "sqlite", "--runs", "-o", os.path.join(where, "other.db"),
                        os.path.join(where, "run.vms")], env=world().env, check=True)
        asked = []
        for name in ("run.db", "other.db"):
            with sqlite3.connect(os.path.join(where, name)) as database:
                asked.append(database.execute("SELECT snapshot_key, label, resident, start_addr, pages FROM snapshot JOIN run"
                                              " USING (snapshot) ORDER BY 1, 4").fetchall())
        self.assertEqual(asked[0], asked[1])
        self.assertEqual({row[1] for row in asked[0]}, {"s1", "s2", "s3"})
        gdb("vmsnap export run.prom s3")
        with open(os.path.join(where, "run.prom"), encoding="utf-8") as file:
            self.assertIn('vmsnap_processes{service="gdb_steps"} 1\n', file.read())
        self.assertIn("bytes that are resident", gdb("vmsnap export --format folded run.txt now"))
        with self.assertRaisesRegex(Failed, "what is run.what to be"):
            gdb("vmsnap export run.what")
        with self.assertRaisesRegex(Failed, "was left alone"):
            gdb("vmsnap export --format pprof run.vms")

    def test_names_of_locals_are_still_there_on_the_command_line(self):
        gdb = Gdb(self, "gdb_cow", "fork", cwd=folder(self))
        gdb("vmsnap auto fork")
        gdb("break parent_done")
        gdb("run")
        gdb("vmsnap take parent")
        gdb.value("select_frame('work')")
        places = {name: gdb.number(f"(unsigned long) &{name}.counter") for name in ("child_local", "parent_local")}
        now = gdb.value("session.pairs()[0].child.pid")
        gdb("vmsnap save fork.vms")
        path = os.path.join(self.where(gdb), "fork.vms")
        after = os.path.join(self.where(gdb), "child.vms")
        subprocess.run([world().vmsnap, "capture", str(now), "-o", after], check=True, env=world().env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        gdb("kill")
        cow = command("cow", f"{path}@parent", after, "--base", f"{path}@fork1.parent")
        for name, page in places.items():
            found = [each for row in cow["ranges"] for each in row["names"] if each["symbol"] == name]
            self.assertEqual({(each["kind"], each["function"]) for each in found}, {("local", "work")}, name)
            self.assertIn(name, truth.names_on(cow["ranges"], page))
            if FRAMES:
                self.assertEqual(truth.by_page(cow["ranges"], "verdict")[truth.page_of(page)],
                                 "copied_by_child" if name == "child_local" else "copied_by_parent")
        shown = command("page", f"{path}@parent", f"{places['parent_local']:#x}")
        self.assertEqual((shown["name"]["symbol"], shown["name"]["function"]), ("parent_local", "work"))

    def test_some_or_now_may_be_saved(self):
        gdb = self.saved()
        gdb("vmsnap save two.vms s2 now")
        listed = command("list", os.path.join(self.where(gdb), "two.vms"))["snapshots"]
        self.assertEqual([row["label"] for row in listed], ["s2", "now"])
        gdb.fails("vmsnap save two.vms s9", "s9")
        gdb.fails("vmsnap save", "usage")

    def test_each_as_what_differs_from_the_one_before(self):
        gdb = self.saved()
        gdb("vmsnap save whole.vms")
        gdb("vmsnap save --delta deltas.vms")
        whole, deltas = (os.path.join(self.where(gdb), name) for name in ("whole.vms", "deltas.vms"))
        self.assertEqual([row["deltas"] for row in command("list", whole)["snapshots"]], [0, 0, 0])
        self.assertEqual([row["deltas"] for row in command("list", deltas)["snapshots"]], [0, 1, 2])
        self.assertLess(os.path.getsize(deltas), os.path.getsize(whole))
        for label in ("s1", "s2", "s3"):
            shown = [command("pages", f"{path}@{label}")["runs"] for path in (whole, deltas)]
            self.assertEqual(*shown)

    def test_directory_setting_and_tilde(self):
        gdb = self.saved(1)
        other = folder(self)
        gdb(f"set vmsnap directory {other}")
        gdb("vmsnap save one.vms")
        self.assertEqual(os.listdir(other), ["one.vms"])
        gdb(f"vmsnap save {self.where(gdb)}/two.vms")
        self.assertIn("two.vms", os.listdir(self.where(gdb)))
        gdb("vmsnap load one.vms")

    def test_file_that_is_not_ours_is_left_alone(self):
        gdb = self.saved(1)
        path = os.path.join(self.where(gdb), "notes.txt")
        with open(path, "w", encoding="ascii") as file:
            file.write("precious")
        gdb.fails("vmsnap save notes.txt", "notes.txt")
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        gdb("vmsnap save ours.vms")
        gdb("vmsnap save ours.vms")
        self.assertEqual(sorted(os.listdir(self.where(gdb))), ["notes.txt", "ours.vms"])


class Back(Files):
    def test_what_the_command_line_captured_gdb_loads(self):
        target = support.Target(self, "cow_demo")
        path = os.path.join(folder(self), "two.vms")
        for label in ("first", "first"):
            subprocess.run([world().vmsnap, "capture", str(target.pid), "-o", path, "--append", "--label", label],
                           check=True, env=world().env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        gdb = Gdb(self, program("cow_demo"))
        self.assertRegex(gdb(f"vmsnap load {path}"), r"^Loaded 2 snapshots from .*two\.vms: first, first~2\.\n$")
        self.assertEqual(gdb.names(), ["first", "first~2"])
        made = gdb.json(f"vmsnap page --at first {target.ranges['global_counter'][0]:#x}")
        self.assertEqual(made["name"]["symbol"], "global_counter")

    def test_cow_works_on_a_pair_that_was_loaded(self):
        gdb = Gdb(self, "gdb_cow", "fork", cwd=folder(self))
        gdb("vmsnap auto fork")
        gdb("break parent_done")
        gdb("run")
        gdb("vmsnap save pair.vms")
        wanted = gdb.json("vmsnap cow fork1.parent fork1.child")
        again = Gdb(self, cwd=self.where(gdb))
        again("vmsnap load pair.vms")
        made = again.json("vmsnap cow")
        self.assertEqual(made["totals"], wanted["totals"])
        self.assertEqual((made["parent"]["label"], made["child"]["label"]), ("fork1.parent", "fork1.child"))

    def test_file_cut_short_loads_what_is_whole_and_says_what_is_lost(self):
        gdb = self.saved()
        gdb("vmsnap save run.vms")
        path = os.path.join(self.where(gdb), "run.vms")
        third = command("list", path)["snapshots"][2]
        with open(path, "r+b") as file:
            file.truncate(third["offset"] + 50)
        again = Gdb(self, cwd=self.where(gdb))
        self.assertIn("Loaded 2 snapshots", again("vmsnap load run.vms"))
        self.assertRegex(again.notes, "(?i)trunc|ends|cut|damage|too early")
        self.assertEqual(again.names(), ["s1", "s2"])

    def test_snapshots_that_are_damaged_are_told_in_the_order_of_the_file(self):
        gdb = self.saved(4)
        gdb("vmsnap save run.vms")
        path = os.path.join(self.where(gdb), "run.vms")
        starts = [row["offset"] for row in command("list", path)["snapshots"]]
        with open(path, "r+b") as file:
            for index in (0, 2):
                file.seek((starts[index] + starts[index + 1]) // 2)
                byte = file.read(1)[0]
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte ^ 1]))
        again = Gdb(self, cwd=self.where(gdb))
        self.assertIn("Loaded 2 snapshots", again("vmsnap load run.vms"))
        self.assertRegex(again.notes, r"(?s)snapshot 1 of 4 is left out: .*snapshot 3 of 4 is left out: ")

    def test_damaged_foreign_empty_and_missing_files_are_refused(self):
        gdb = self.saved(1)
        gdb("vmsnap save run.vms")
        where = self.where(gdb)
        with open(os.path.join(where, "run.vms"), "rb") as file:
            good = file.read()
        bad = {"cut.vms": good[:40], "empty.vms": b"", "foreign.vms": b"hello world, no snapshot at all\n",
               "flipped.vms": good[:60] + bytes([good[60] ^ 0x10]) + good[61:]}
        for name, content in bad.items():
            with open(os.path.join(where, name), "wb") as file:
                file.write(content)
        for name in [*bad, "missing.vms", "/dev/null", "/", "/proc/self/mem"]:
            gdb.fails(f"vmsnap load {name}")
        self.assertEqual(gdb.names(), ["s1"])
        gdb("vmsnap take")

    def test_hostile_labels_become_harmless_names(self):
        target = support.Target(self, "cow_demo")
        path = os.path.join(folder(self), "bad.vms")
        for label in ("now", "a b\x1b[31m", "--all", "'quote"):
            subprocess.run([world().vmsnap, "capture", str(target.pid), "-o", path, "--append", f"--label={label}"],
                           check=False, env=world().env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        gdb = Gdb(self)
        said = gdb(f"vmsnap load {path}")
        names = gdb.names()
        self.assertGreater(len(names), 1)
        self.assertNotIn("\x1b", said + "".join(names) + gdb("vmsnap list"))
        self.assertNotIn("now", names)
        for name in names:
            gdb(f"vmsnap show {name}")
        gdb(f"vmsnap drop {' '.join(names)}")


class Full(Files):
    def test_full_disk_leaves_the_old_file_and_the_snapshots(self):
        where = folder(self)
        mount_tmpfs(self, where, "size=64k")
        gdb = self.saved(2)
        gdb(f"vmsnap save {where}/run.vms s1")
        with open(f"{where}/run.vms", "rb") as file:
            old = file.read()
        with open(f"{where}/filler", "wb", buffering=0) as file, self.assertRaises(OSError):
            while True:
                file.write(bytes(4096))
        gdb.fails(f"vmsnap save {where}/run.vms", "space")
        gdb.fails(f"vmsnap save {where}/new.vms", "space")
        with open(f"{where}/run.vms", "rb") as file:
            self.assertEqual(file.read(), old)
        self.assertEqual(sorted(os.listdir(where)), ["filler", "run.vms"])
        self.assertEqual(gdb.names(), ["s1", "s2"])
        gdb("continue")

    def test_places_that_cannot_be_written(self):
        gdb = self.saved(1)
        for path in ("/dev/full", "/nowhere/run.vms", "/", "/proc/version"):
            gdb.fails(f"vmsnap save {path}")
        self.assertEqual(gdb.names(), ["s1"])

    def test_another_users_folder(self):
        if not ROOT:
            skip(self, "another user's folder: not root")
        where = folder(self)
        gdb = Gdb(self, "gdb_steps", "write", 3, user=NOBODY)
        gdb("break step")
        gdb("run")
        gdb("vmsnap take")
        gdb.fails(f"vmsnap save {where}/run.vms", "permission")
        with self.assertRaises(Failed):
            gdb(f"vmsnap save {where}/run.vms")


class NoFile(Files):
    """What may never end, or never begin, blocks gdb for good: nothing but regular files."""

    def setUp(self):
        self.folder = folder(self)
        os.mkfifo(os.path.join(self.folder, "fifo"))
        os.symlink("fifo", os.path.join(self.folder, "link"))
        os.mkdir(os.path.join(self.folder, "sub"))

    def test_pipes_devices_and_folders_are_not_loaded(self):
        gdb = Gdb(self, cwd=self.folder)
        for name, kind in (("fifo", "a pipe"), ("link", "a pipe"), ("/dev/zero", "a device"), ("sub", "a folder"),
                           ("/dev/stdin", "a pipe")):
            gdb.fails(f"vmsnap load {name}", kind, "a snapshot file" if name == "sub" else "regular file")
        gdb.fails("vmsnap load -", "cannot open ./-", "No such file")
        self.assertEqual(gdb.names(), [])

    def test_pipes_devices_and_folders_are_not_saved_to(self):
        gdb = self.saved(1)
        for name in ("fifo", "link"):
            gdb.fails(f"vmsnap save {self.folder}/{name}", "a pipe or a device", "regular file")
        for name in ("/dev/null", "/dev/stdout", "/dev/fd/1"):
            gdb.fails(f"vmsnap save {name}", "a pipe or a device", "regular file")
        gdb.fails(f"vmsnap save {self.folder}/sub", "Is a directory")

    def test_pipes_and_devices_are_written_to_by_no_command(self):
        gdb = self.saved(1)
        for command in ("report", "core", *(f"export --format {kind}" for kind in ("sqlite", "openmetrics", "pprof", "folded"))):
            for name in (f"{self.folder}/fifo", f"{self.folder}/link", "/dev/null"):
                gdb.fails(f"vmsnap {command} {name}", "a pipe or a device", "regular file")

    def test_the_command_line_keeps_its_pipes(self):
        gdb = self.saved(1)
        gdb("vmsnap save s.vms")
        path, fifo = os.path.join(self.where(gdb), "s.vms"), os.path.join(self.folder, "fifo")
        with open(path, "rb") as file:
            content = file.read()
        show = subprocess.Popen([world().vmsnap, "show", "--json", fifo], stdout=subprocess.PIPE, env=world().env)
        with open(fifo, "wb") as pipe:
            pipe.write(content)
        self.assertEqual(json.loads(show.communicate(timeout=300)[0])["snapshot"]["label"], "s1")


if __name__ == "__main__":
    main()
