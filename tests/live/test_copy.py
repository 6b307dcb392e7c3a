"""vmsnap copy, and snapshots as differences, of a living process."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import zlib

import kernel
from command_line import command
from support import world


sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", name) for name in ("golden", "reader")]
SOURCE = os.environ.get("VMSNAP_SOURCE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def inflated(path):
    """All payloads of a file, as a reader that knows nothing else sees them."""
    with open(path, "rb") as file:
        data = file.read()
    found, at = [], 0
    while at < len(data):
        if data[at : at + 4] == b"\x89VMS":
            at += 16
            continue
        stored = int.from_bytes(data[at + 8 : at + 16], "little")
        payload = data[at + 32 : at + 32 + stored]
        if data[at + 4] & 2:
            # Differences and CONT need no dictionary; of others the dictionary is part of the source.
            inflater = zlib.decompressobj(zdict=dictionary())
            payload = inflater.decompress(payload)
        found.append(payload)
        at += 32 + stored
    return b"".join(found)


def dictionary():
    with open(os.path.join(SOURCE, "docs", "format.md"), "rb") as page:
        text = page.read()
    return text.split(b"```dictionary\n")[1].split(b"```")[0].replace(b"\\t", b"\t")


class Copy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(dir=world().folder)
        cls.series = os.path.join(cls.folder, "copy-series.vms")
        cls.process = subprocess.Popen(["sleep", "1000.125"])
        # Before it sleeps it maps what it needs, and one snapshot differs much from the next.
        while kernel.state(cls.process.pid) != "S":
            time.sleep(0.001)
        for number in range(5):
            command("capture", cls.process.pid, "-o", cls.series, "--append", "--delta", "--label", f"n{number}", "-q")

    @classmethod
    def tearDownClass(cls):
        cls.process.kill()
        cls.process.wait()

    def out(self, name="copy-out.vms"):
        return os.path.join(self.folder, name)

    def copy(self, *words, out=None, **options):
        done = command("copy", *words, "-o", out or self.out(), **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def listed(self, path):
        return json.loads(command("list", "--json", path).stdout)["snapshots"]

    def shown(self, path, number, what="show"):
        found = json.loads(command(what, "--json", f"{path}@{number}").stdout)
        return found

    def test_a_series_is_stored_as_differences(self):
        self.assertEqual([row["deltas"] for row in self.listed(self.series)], [0, 1, 2, 3, 4])
        self.assertLess(sum(row["bytes"] for row in self.listed(self.series)[1:]), self.listed(self.series)[0]["bytes"])
        self.assertEqual(command("check", self.series).returncode, 0)

    def test_in_a_narrow_window_what_they_cost_stays(self):
        for width in (50, 60, 71):
            lines = command("list", self.series, "-w", width).stdout.decode().splitlines()
            self.assertTrue({"TIME", "RSS", "SIZE", "LABEL"} <= set(lines[0].split()), lines[0])
            self.assertRegex(lines[1], r"^1 \d\d-\d\d \d\d:\d\d:\d\d ")
        lines = command("list", self.series, "-w", 80).stdout.decode().splitlines()
        self.assertRegex(lines[1], r"^1 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d{4} ")

    def test_of_a_process_all_is_copied(self):
        other = subprocess.Popen(["sleep", "1000.25"])
        self.addCleanup(lambda: (other.kill(), other.wait()))
        both = self.out("copy-both.vms")
        self.addCleanup(os.unlink, both)
        for _ in range(3):
            command("capture", self.process.pid, other.pid, "-o", both, "--append", "-q")
        pids = [row["pid"] for row in self.listed(both)]
        self.assertEqual(sorted(pids), sorted([self.process.pid, other.pid] * 3))
        for which, count in (("", 3), ("@2..3", 2), ("@2", 1), ("@-1", 1)):
            self.copy(f"{both}@pid:{other.pid}{which}")
            self.assertEqual([row["pid"] for row in self.listed(self.out())], [other.pid] * count, which)
        self.copy(f"{both}@pid:{other.pid}", f"{self.series}@pid:{self.process.pid}")
        self.assertEqual([row["pid"] for row in self.listed(self.out())], [other.pid] * 3 + [self.process.pid] * 5)
        for subject in ("copy", "series"):
            more = ("-o", self.out()) if subject == "copy" else ()
            refused = command(subject, f"{both}@pid:{2**22 + 1}", *more)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(f"{2**22 + 1}", str(refused.stderr))

    def test_what_is_copied_is_the_same(self):
        for words in ((), ("--delta",), ("--full",)):
            self.copy(self.series, *words)
            self.assertEqual([row["deltas"] for row in self.listed(self.out())],
                             list(range(5)) if words == ("--delta",) else [0] * 5)
            for number in range(1, 6):
                for what in ("show", "pages", "status"):
                    self.assertEqual(self.shown(self.out(), number, what), self.shown(self.series, number, what))

    def test_some_are_taken_out_in_the_order_they_are_named(self):
        self.copy(f"{self.series}@4", f"{self.series}@n0..n1", f"{self.series}@-1", "--delta")
        self.assertEqual([row["label"] for row in self.listed(self.out())], ["n3", "n0", "n1", "n4"])
        self.assertEqual(command("check", self.out()).returncode, 0)

    def test_that_a_copy_grows_is_said(self):
        """Each is whole, unless told otherwise."""
        said = "each whole (with --delta as differences, as they were)"
        self.assertIn(said, str(self.copy(self.series).stderr))
        self.assertNotIn(said, str(self.copy(self.out()).stderr), "they were whole")
        for option in ("--delta", "--full"):
            self.assertNotIn(said, str(self.copy(self.series, option).stderr))

    def test_a_file_may_be_copied_over_itself(self):
        self.copy(self.series)
        self.copy(f"{self.out()}@2..3", out=self.out())
        self.assertEqual([row["label"] for row in self.listed(self.out())], ["n1", "n2"])

    def test_standard_input_and_output(self):
        with open(self.series, "rb") as file:
            done = self.copy("-", out="-", stdin=file)
        with open(self.out(), "wb") as file:
            file.write(done.stdout)
        self.assertEqual([row["label"] for row in self.listed(self.out())], [f"n{number}" for number in range(5)])

    def test_thinned(self):
        self.copy(self.series, "--thin", "1/d", out=self.out("copy-thin.vms"))
        taken = [row["taken"][:10] for row in self.listed(self.series)]
        self.assertEqual(len(self.listed(self.out("copy-thin.vms"))), len(set(taken)))
        self.copy(self.series, "--thin", "1000000/s", out=self.out("copy-thin.vms"))
        self.assertEqual(len(self.listed(self.out("copy-thin.vms"))), 5)
        for word in ("1", "0/h", "1/y", "-1/h", "x/h", "1/", ""):
            done = command("copy", self.series, "--thin", word, "-o", self.out())
            self.assertEqual(done.returncode, 2, word)

    def test_what_is_stripped_is_gone(self):
        plain = inflated(self.series)
        host = self.listed(self.series)[0]["host"].encode()
        host = bytes([16, len(host)]) + host  # key 16 of SNAP: it may be a part of other words
        self.assertTrue(b"1000.125" in plain and host in plain)
        for delta in ("--full", "--delta"):
            self.copy(self.series, "--strip", "cmdline,host,pfns", delta)
            bare = inflated(self.out())
            gone = [b"1000.125", host, (self.listed(self.series)[0]["machine_hash"] or "no hash").encode()]
            self.assertEqual([word for word in gone if word in bare], [])
            for number in range(1, 6):
                row = self.listed(self.out())[number - 1]
                self.assertIsNone(row["cmdline"])
                self.assertIsNone(row["host"])
                self.assertFalse(row["known"]["pfn"])
                pages = self.shown(self.out(), number, "pages")["runs"]
                self.assertEqual({page["pfn"] for page in pages}, {None})
                before = self.shown(self.series, number)
                after = self.shown(self.out(), number)
                self.assertEqual([one["resident"] for one in after["vmas"]],
                                 [one["resident"] for one in before["vmas"]])
        self.assertEqual(command("copy", self.series, "--strip", "all", "-o", self.out()).returncode, 2)

    def test_contents_may_hold_the_command_line(self):
        full = self.out("copy-contents.vms")
        command("capture", self.process.pid, "-o", full, "--contents", "-q")
        before = self.out("copy-kept.vms")
        self.copy(full, out=before)
        self.assertTrue(b"1000.125" in inflated(before))
        done = command("copy", full, "--strip", "cmdline", "-o", before)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"contents are to be taken away", done.stderr)
        self.assertTrue(b"1000.125" in inflated(before))  # nothing was written
        self.copy(full, "--strip", "cmdline,contents", out=before)
        self.assertFalse(b"1000.125" in inflated(before))
        self.assertIn(self.listed(before)[0]["contents"], (None, "none"))

    def test_so_it_is_where_the_pages_of_the_whole_one_are_damaged(self):
        with open(self.series, "rb") as file:
            data = bytearray(file.read())
        data[data.index(b"PAGE") + 40] ^= 1
        broken = self.out("copy-broken-pages.vms")
        with open(broken, "wb") as file:
            file.write(data)
        checked = command("check", broken, "-w", 0)
        self.assertEqual(checked.returncode, 2)
        for number in (2, 3, 4, 5):
            self.assertIn(b"snapshot %d hangs on snapshot 1: " % number, checked.stdout)

    def test_what_hangs_on_what_is_damaged_is_lost_and_said(self):
        with open(self.series, "rb") as file:
            data = bytearray(file.read())
        second = self.listed(self.series)[1]
        data[data.index(b"DELT", second["offset"]) + 40] ^= 1
        broken = self.out("copy-broken.vms")
        with open(broken, "wb") as file:
            file.write(data)
        rows = self.listed(broken)
        self.assertIsNone(rows[0]["error"])
        for number, row in enumerate(rows[1:], 2):
            self.assertEqual(row["error"]["kind"], "corrupt")
        self.assertNotIn("hangs on", rows[1]["error"]["message"])
        for number in (3, 4, 5):
            self.assertIn(f"{broken}: snapshot {number} hangs on snapshot 2: ", rows[number - 1]["error"]["message"])
        checked = command("check", broken, "-w", 0)
        self.assertEqual(checked.returncode, 2)
        self.assertEqual(checked.stdout.count(b" hangs on snapshot 2: "), 3)
        kept = self.out("copy-broken-out.vms")
        self.assertEqual(command("copy", broken, "-o", kept).returncode, 2)
        self.assertEqual([row["label"] for row in self.listed(kept)], ["n0"])

    def test_what_can_be_read_is_copied(self):
        """The rest is said, one by one, and the status is that of check."""
        whole, broken, kept = (self.out(f"copy-damaged-{name}.vms") for name in ("whole", "broken", "out"))
        self.copy(self.series, "--full", out=whole)
        with open(whole, "rb") as file:
            data = bytearray(file.read())
        rows = self.listed(whole)
        data[data.index(b"VMAS", rows[2]["offset"]) + 40] ^= 1
        with open(broken, "wb") as file:
            file.write(data)
        done = command("copy", broken, "-o", kept)
        self.assertEqual(done.returncode, 2)
        said = done.stderr.decode().splitlines()
        self.assertEqual(len(said), 2, said)
        self.assertIn(f"vmsnap: {broken}@3 is left out: ", said[0])
        self.assertIn("; 1 cannot be read", said[1])
        self.assertEqual([row["label"] for row in self.listed(kept)], ["n0", "n1", "n3", "n4"])
        self.assertEqual(command("check", kept).returncode, 0)
        self.copy(f"{broken}@4..5", out=kept)
        # Of nothing that is wanted anything can be read: what was there stays.
        done = command("copy", f"{broken}@3", "-o", kept)
        self.assertEqual(done.returncode, 2)
        self.assertEqual([row["label"] for row in self.listed(kept)], ["n3", "n4"])


class Hostile(unittest.TestCase):
    """Files that only somebody else makes."""

    def checked(self, data, *options):
        path = os.path.join(tempfile.mkdtemp(dir=world().folder), "hostile.vms")
        with open(path, "wb") as file:
            file.write(data)
        return json.loads(command("check", "--json", path).stdout)["snapshots"]

    def chain(self):
        import cases
        import deltas
        import vmswrite

        made = deltas.Chain()
        made.whole(cases.small())
        return made, cases.small(), vmswrite

    def test_each_twice_as_large_as_the_one_before(self):
        """A hundred bytes each: what they would come to is refused before it is made."""
        made, model, write = self.chain()
        length = len(model["status"])
        for _ in range(30):
            steps = b"".join(write.varint(0) + write.varint(length) + write.zigzag(-length * bool(place))
                             for place in range(2))
            length *= 2
            made.difference(model, [], patches=[b"STAT" + write.varint(length + 1) + write.varint(len(steps)) + steps])
        rows = self.checked(made.data)
        self.assertTrue(rows[1]["ok"])
        self.assertEqual({row["error"]["kind"] for row in rows[25:]}, {"too_large"})

    def test_more_links_than_there_may_be(self):
        """Each says what it must to be believed, and the chain goes on and on."""
        made, model, write = self.chain()
        for number in range(1000):
            made.depth = min(made.depth, 127)
            made.difference(model, [])
        rows = self.checked(made.data)
        self.assertTrue(all(row["ok"] for row in rows[:129]))
        self.assertEqual({row["error"]["kind"] for row in rows[129:]}, {"corrupt"})


if __name__ == "__main__":
    unittest.main()
