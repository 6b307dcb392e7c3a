"""What a process wrote, by what its pages held: against what it was told to write."""

import json
import os
import stat
import subprocess
import tempfile
import unittest

from module import PAGE, Target, main, skip, vmsnap, world

OFFSETS = (5 * PAGE + 7, 9 * PAGE, 10 * PAGE + PAGE - 1)


class Written(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.target = Target(self, "told_writes")
        self.start, self.end = self.target.ranges["memory"]

    def write(self, *offsets, value=77):
        for offset in offsets:
            self.target.tell(f"{offset} {value}")

    def here(self, diff):
        return [(r.start - self.start, r.pages, r.changes, r.kinds) for r in diff.ranges
                if self.start <= r.start < self.end]

    def command(self, *words, status=0):
        done = subprocess.run([world().vmsnap, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, env=world().env, check=False)
        self.assertEqual(done.returncode, status, done)
        return done

    def saved(self, name, snapshot):
        path = os.path.join(self.folder, name)
        vmsnap.save(path, snapshot)
        return path

    def test_states_say_nothing_and_contents_all(self):
        """Wherever the two are kept: in one store, in two, as hashes alone."""
        for kinds in (("none", "none"), ("private", "none"), ("private", "private"), ("hashes", "all"), ("all", "all")):
            for store in (None, vmsnap.Store()):
                with self.subTest(kinds=kinds, store=store):
                    self.write(*OFFSETS, value=1)
                    a = vmsnap.capture(self.target.pid, contents=kinds[0], store=store)
                    self.write(*OFFSETS, value=2)
                    diff = vmsnap.diff(a, vmsnap.capture(self.target.pid, contents=kinds[1], store=store))
                    unknown = vmsnap.diff(a, diff.b).unknown_writes
                    if "none" in kinds:
                        self.assertEqual(self.here(diff), [])
                        self.assertGreaterEqual(unknown, 32)
                        self.assertIn("it is not known whether they were written", diff.text())
                        self.assertNotIn("No differences.", diff.text())
                    else:
                        self.assertEqual(self.here(diff), [(5 * PAGE, 1, ("written",), ("written",)),
                                                           (9 * PAGE, 2, ("written",), ("written",))])
                        self.assertEqual(unknown, 0)
                        self.assertIn("WRITTEN", diff.text())
                        self.assertNotIn("not known", diff.text().replace("PFNs are not known", ""))

    def test_the_same_bytes_are_no_difference(self):
        self.write(*OFFSETS, value=3)
        a = vmsnap.capture(self.target.pid, contents="private")
        self.write(*OFFSETS, value=3)
        self.assertEqual(self.here(vmsnap.diff(a, vmsnap.capture(self.target.pid, contents="private"))), [])

    def test_only_what_was_written(self):
        a = self.saved("a.vms", vmsnap.capture(self.target.pid, contents="private"))
        self.write(*OFFSETS)
        b = self.saved("b.vms", vmsnap.capture(self.target.pid, contents="private"))
        found = json.loads(self.command("diff", a, b, "--written", "--json", status=1).stdout)
        written = {row["start"] for row in found["pages"] if row["change"] == "written"}
        self.assertEqual({row["start"] for row in found["pages"]}, written)
        self.assertEqual((found["vmas"], found["status"], found["totals"]["written_unknown"]), ([], [], 0))
        self.assertEqual([(int(row["start"], 16) - self.start, row["pages"]) for row in found["pages"]
                          if self.start <= int(row["start"], 16) < self.end], [(5 * PAGE, 1), (9 * PAGE, 2)])
        self.assertIn("No page was written.", self.command("diff", a, a, "--written").stdout)
        self.assertIn("No differences.", self.command("diff", a, a).stdout)
        shown = self.command("map", a, b, "--ascii", "--range", f"{self.start:x}-{self.end:x}").stdout
        self.assertIn("w written 12.0K", shown)
        bare = self.saved("bare.vms", vmsnap.capture(self.target.pid))
        self.assertRegex(self.command("diff", b, bare, "--written").stdout,
                         r"^No page is known to be written\.\nA \d+ told_writes .*, B .* later\nOf \d+ pages ")

    def test_what_was_tracked_in_between(self):
        """Of two snapshots of a file, through all that lie between them, whoever else's do, too."""
        try:
            tracker = vmsnap.Tracker(self.target.pid, "uffd")
        except vmsnap.VmsnapError as error:
            skip(self, f"tracking by userfaultfd: {error}")
        self.addCleanup(tracker.close)
        snaps = [vmsnap.Snapshot.capture(self.target.pid, tracker=tracker)]
        for offset in OFFSETS[:2]:
            self.write(offset)
            snaps += [vmsnap.capture(os.getpid()), vmsnap.Snapshot.capture(self.target.pid, tracker=tracker)]
        path = self.saved("tracked.vms", snaps)

        def told(*words):
            found = json.loads(self.command("diff", *words, "--written", "--json", status=1).stdout)
            return [int(row["start"], 16) - self.start for row in found["pages"]
                    if self.start <= int(row["start"], 16) < self.end]

        self.assertEqual(told(f"{path}@1", f"{path}@3"), [5 * PAGE])
        self.assertEqual(told(f"{path}@3", f"{path}@5"), [9 * PAGE])
        self.assertEqual(told(f"{path}@1", f"{path}@5"), [5 * PAGE, 9 * PAGE])

    def test_history_of_a_page(self):
        snaps = [vmsnap.capture(self.target.pid, contents=contents) for contents in ("private", "private")]
        self.write(OFFSETS[0])
        snaps += [vmsnap.capture(self.target.pid, contents=contents) for contents in ("private", "none")]
        told = vmsnap.history_text(vmsnap.JSON, snaps, [""] * len(snaps), self.start + OFFSETS[0])
        rows = json.loads(told)["rows"]
        self.assertEqual([(row["changes"], row["writes_known"]) for row in rows],
                         [(None, None), ([], True), (["written"], True), ([], False)])

    def test_what_is_kept_is_told(self):
        place = hex(self.start)
        for kept, snapshot, page in (("none", None, None), ("hashes", "as hashes only", "only a hash is kept"),
                                     ("private", "with their bytes", "kept (vmsnap dump)")):
            with self.subTest(kept=kept):
                made = vmsnap.capture(self.target.pid, contents=kept)
                path, kind = self.saved("kept.vms", made), {"private": "bytes"}.get(kept, kept)
                told = json.loads(self.command("show", path, "--json").stdout)["snapshot"]
                bytes_kept = sum(end - start for start, end in made.contents_ranges())
                self.assertEqual((told["contents"], told["contents_bytes"]), (kind, bytes_kept))
                self.assertEqual(json.loads(self.command("page", path, place, "--json").stdout)["contents"], kind)
                for words, line in ((("show", path), snapshot), (("page", path, place), page)):
                    lines = [row for row in self.command(*words).stdout.splitlines() if row.startswith("contents")]
                    self.assertEqual([row.endswith(line) for row in lines], [True] if line else [])

    def test_dump_of_a_file_and_of_the_process(self):
        self.write(3, value=0x1B)
        self.write(4, value=ord("["))
        a = self.saved("a.vms", vmsnap.capture(self.target.pid, contents="private"))
        self.write(4, value=ord("]"))
        place = f"{self.start:x}+8"
        line = "01 00 00 1b {} 00 00 00{:27}|....{}...|\n"
        self.assertEqual(self.command("dump", "-w", "0", a, place).stdout, f"{self.start:x}  " + line.format("5b", "", "["))
        self.assertEqual(self.command("dump", "-w", "0", self.target.pid, place).stdout,
                         f"{self.start:x}  " + line.format("5d", "", "]"))
        both = self.command("dump", "-w", "0", a, f"{self.start:x}+1p", "--diff", self.target.pid).stdout.splitlines()
        self.assertEqual(both[1].split(), ["5d", "|", "]", "|"])
        path = os.path.join(self.folder, "bytes")
        os.umask(0)
        self.command("dump", "-w", "0", a, f"{self.start:x}-{self.end:x}", "--save", path)
        with open(path, "rb") as file, open(f"/proc/{self.target.pid}/mem", "rb") as memory:
            memory.seek(self.start)
            held = bytearray(memory.read(self.end - self.start))
            held[4] = ord("[")
            self.assertEqual(file.read(), held)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        # Nothing is lost: not even bytes that were saved before.
        told = self.command("dump", "-w", "0", a, f"{self.end:x}+1p", "--save", path, status=2).stderr
        self.assertIn("bytes exists: nothing is written to it", told)
        os.unlink(path)
        told = self.command("dump", "-w", "0", a, f"{self.end:x}+1p", "--save", path).stderr
        self.assertIn("4096 of 4096 bytes are not known", told)

    def test_a_live_process_is_read_for_what_its_variables_hold(self):
        a = self.saved("a.vms", vmsnap.capture(self.target.pid, contents="private"))
        done = subprocess.run([world().vmsnap, "diff", "--values", a, str(self.target.pid)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=world().env, check=False)
        self.assertLess(done.returncode, 2, done)
        self.assertNotIn("--contents", done.stderr)

    def test_dump_writes_over_nothing_but_files(self):
        a = self.saved("a.vms", vmsnap.capture(self.target.pid, contents="private"))
        link, pipe = (os.path.join(self.folder, name) for name in ("link", "pipe"))
        os.symlink(a, link)
        os.mkfifo(pipe)
        for path in (link, pipe, self.folder):
            self.assertIn("not a regular file", self.command("dump", "-w", "0", a, f"{self.start:x}", "--save", path,
                                                             status=2).stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.vms", "link", "pipe"])
        bare = self.saved("bare.vms", vmsnap.capture(self.target.pid, contents="hashes"))
        self.assertIn("has only hashes", self.command("dump", "-w", "0", bare, f"{self.start:x}", status=2).stderr)
        self.command("dump", "-w", "0", a, "zz", status=2)


if __name__ == "__main__":
    main()
