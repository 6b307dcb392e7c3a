"""contrib/spool: what is in the spool arrives once, and is removed when it has; loaders fail, are killed, and hang."""

import glob
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

from support import SLOWNESS, main, world

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path[:0] = [os.path.join(SOURCE, "tests", folder) for folder in ("golden", "reader")]

import json_inputs  # noqa: E402

SHIP, THIN = (os.path.join(SOURCE, "contrib", "spool", name) for name in ("ship", "thin"))
# Appends what it is given to a file; fails before the end, or ends itself, where the name says so.
LOADER = """#!/bin/bash
head -c 10 "$1" >> "$OUT.half"
case $1 in *$FAILS*) [ -z "$FAILS" ] || { [ "$HOW" = kill ] && kill -9 $$; exit 3; } ;; esac
[ -z "$HANGS" ] || { : > "$OUT.hangs"; exec sleep 600; }
cat "$1" >> "$OUT"
"""


class Spool(unittest.TestCase):
    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="vmsnap spool '")
        self.addCleanup(made.cleanup)
        self.folder = made.name
        self.spool = os.path.join(self.folder, "spool")
        os.mkdir(self.spool)
        self.loader, self.out = os.path.join(self.folder, "loader"), os.path.join(self.folder, "out")
        with open(self.loader, "w", encoding="utf-8") as file:
            file.write(LOADER)
        os.chmod(self.loader, 0o755)

    def put(self, *names):
        for name in names:
            with open(os.path.join(self.spool, name), "w", encoding="utf-8") as file:
                file.write(f"all of {name!r}\n")

    def environment(self, **more):
        return {**world().env, "VMSNAP": world().vmsnap, "OUT": self.out, "FAILS": "", "HOW": "", "HANGS": "", **more}

    def ship(self, *words, loader=(), **more):
        return subprocess.run([SHIP, *words, self.spool, "--", *(loader or [self.loader])], env=self.environment(**more),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120 * SLOWNESS)

    def left(self):
        return sorted(os.listdir(self.spool))

    def arrived(self):
        try:
            with open(self.out, encoding="utf-8") as file:
                return [line.split("'")[1] for line in file]
        except FileNotFoundError:
            return []

    @staticmethod
    def named(*times, name="a"):
        return [f"{name}-20261127T{when:04}00Z.vms" for when in times]

    def test_what_arrives_is_removed_and_what_is_written_to_is_left(self):
        a, b = self.named(1, 2, 3), self.named(1, 9, name="b with blanks; $(touch x)")
        self.put(*a, *b, "-20261127T000100Z.vms", "notes.txt")
        self.assertEqual(self.ship().returncode, 0)
        self.assertEqual(self.left(), sorted(["-20261127T000100Z.vms", a[-1], b[-1], "notes.txt"]))
        self.assertEqual(self.arrived(), [*a[:-1], *b[:-1]])
        self.put(*self.named(4))
        self.assertEqual(self.ship().returncode, 0)
        self.assertEqual(self.arrived(), [*a[:-1], *b[:-1], a[-1]])
        # Nobody writes to it any more.
        os.utime(os.path.join(self.spool, b[-1]), (0, 0))
        self.assertEqual(self.ship().returncode, 0)
        self.assertEqual(self.arrived()[-1], b[-1])
        self.assertFalse(os.path.exists("x"))

    def test_a_loader_that_fails_midway_is_given_the_file_again(self):
        files = self.named(1, 2, 3, 4, 5, 6)
        self.put(*files)
        for how in ("exit", "kill"):
            done = self.ship(FAILS="T000300Z", HOW=how)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"T000300Z.vms: the loader failed", done.stderr)
            self.assertEqual(self.left(), [files[2], files[5]])
            self.assertEqual(self.arrived(), [files[0], files[1], files[3], files[4]])
        self.assertEqual(self.ship().returncode, 0)
        self.assertEqual(self.left(), [files[5]])
        self.assertEqual(sorted(self.arrived()), files[:5])

    def test_if_the_other_side_is_down_all_stay(self):
        files = self.named(*range(1, 9))
        self.put(*files)
        done = self.ship(FAILS="Z.vms")
        self.assertEqual((done.returncode, done.stderr.count(b"failed"), self.left()), (1, 2, files))

    def test_one_at_a_time_and_ended_at_any_moment(self):
        files = self.named(1, 2, 3)
        self.put(*files)
        first = subprocess.Popen([SHIP, self.spool, "--", self.loader], env=self.environment(HANGS="1"), start_new_session=True,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while not os.path.exists(self.out + ".hangs") and time.monotonic() < end:
                time.sleep(0.01)
            done = self.ship()
            self.assertEqual((done.returncode, self.arrived()), (75, []), done.stderr)
        finally:
            os.killpg(first.pid, signal.SIGKILL)
            first.wait()
        self.assertEqual(self.left(), files)
        self.assertEqual((self.ship().returncode, self.arrived()), (0, files[:2]))

    def test_kept_and_thinned(self):
        """Into a database, and what has arrived is thinned out."""
        kept = os.path.join(self.folder, "kept")
        os.mkdir(kept)
        begin = 1795780800  # 2026-11-27 12:00 UTC, with a snapshot each ten minutes
        for number in range(12):
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(begin + number * 600))
            with open(os.path.join(self.spool, f"a-{stamp}.vms"), "wb") as file:
                file.write(json_inputs.file_of(json_inputs.process(0x2000, 2, taken=(begin + number * 600) * 10**9,
                                                                   monotonic=(1 + number * 600) * 10**9))[0])
        database = os.path.join(self.folder, "all.db")
        done = self.ship("-k", kept, loader=[world().vmsnap, "export", "--format", "sqlite", "--changed", "-o", database, "{}"])
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        with sqlite3.connect(database) as opened:
            self.assertEqual(opened.execute("SELECT count(*), count(DISTINCT taken_ns) FROM snapshot").fetchone(), (11, 11))
        self.assertEqual((len(self.left()), len(os.listdir(kept))), (1, 11))

        def thin():
            subprocess.run([THIN, kept, "a"], env=self.environment(), check=True)
            return sorted(os.listdir(kept))

        self.assertEqual(len(thin()), 11, "of today nothing is thinned out")
        old = glob.glob(os.path.join(glob.escape(kept), "*.vms"))
        for path in old:
            os.utime(path, (0, 0))
        copies = {}
        for path in old:
            with open(path, "rb") as file:
                copies[path] = file.read()
        self.assertEqual(thin(), ["a-hourly-20261127T120000Z.vms"])

        def hours():
            said = json.loads(subprocess.run([world().vmsnap, "list", "--json", os.path.join(kept, "a-hourly-20261127T120000Z.vms")],
                                             env=self.environment(), stdout=subprocess.PIPE, check=True).stdout)
            return [(one["pid"], one["taken"]) for one in said["snapshots"]]

        once = hours()
        self.assertEqual(len(once), 2)
        # As if it had been killed before they were removed, all or some of them.
        for some in (list(copies), list(copies)[:3]):
            aside = os.path.join(kept, "a-20261127T120000Z.thin")
            os.mkdir(aside)
            for path in some:
                with open(os.path.join(aside, os.path.basename(path)), "wb") as file:
                    file.write(copies[path])
            self.assertEqual((thin(), hours()), (["a-hourly-20261127T120000Z.vms"], once))
        # And as if before the file was there.
        os.mkdir(aside)
        os.unlink(os.path.join(kept, "a-hourly-20261127T120000Z.vms"))
        for path, data in copies.items():
            with open(os.path.join(aside, os.path.basename(path)), "wb") as file:
                file.write(data)
        self.assertEqual((thin(), hours()), (["a-hourly-20261127T120000Z.vms"], once))


if __name__ == "__main__":
    main()
