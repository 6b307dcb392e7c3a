"""vmsnap series of snapshots of which not all is known: of what is the least that it was, nobody can tell how it changed."""

import json
import os
import subprocess
import tempfile
import unittest

import json_inputs
from json_inputs import HEAP, file_of

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
PAGE = 4096


def behind_gdbserver(second, pages, unread):
    """So many pages are present, and of so many nobody could tell."""
    runs = [json_inputs.run(HEAP, pages, "present exclusive", pfn=0x8000)]
    if unread:
        runs.append(json_inputs.run(HEAP + PAGE * pages, unread, "swapped huge zero", swap=(0, 0)))
    return json_inputs.snapshot(
        dict(json_inputs.PROCESS, known=json_inputs.EVERYTHING, source=2, taken=10**18 + second * 10**9,
             monotonic=10**12 + second * 10**9),
        vmas=[json_inputs.vma(HEAP, HEAP + 0x100000, "rw-p", b"[heap]")], runs=runs)


class Unread(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "series.vms")

    def save(self, *each):
        with open(self.path, "wb") as file:
            file.write(file_of(*(behind_gdbserver(second, *pages) for second, pages in enumerate(each, 1)))[0])

    def told(self, *words):
        return subprocess.run([VMSNAP, "series", self.path, *words], stdout=subprocess.PIPE, check=True, timeout=60,
                              encoding="utf-8", env=dict(os.environ, LC_ALL="C.UTF-8")).stdout

    def steps(self, *words):
        return json.loads(self.told("--json", *words))["snapshots"]

    def test_a_step_from_or_to_what_was_not_read_has_no_rate(self):
        self.save((20, 100), (40, 0), (45, 0), (50, 8), (90, 0), (100, 0))
        each = {"delta": 5 * PAGE, "rate": 5 * PAGE}, {"delta": 10 * PAGE, "rate": 10 * PAGE}
        nothing = {"delta": None, "rate": None}
        wanted = [nothing, nothing, each[0], nothing, nothing, each[1]]
        for by in ("mapping", "kind", "process"):
            steps = self.steps("--by", by)
            self.assertEqual([{key: step[key] for key in nothing} for step in steps], wanted, by)
            deltas = [step["lines"][0]["delta"] for step in steps[1:]]
            self.assertEqual(deltas, [step["delta"] for step in wanted[1:]], by)
        rates = [line.split()[-1] for line in self.told("-r", "-o", "SNAPSHOT,RATE").split("\n")[1:7]]
        self.assertEqual(rates, ["-", "?", "+20.0K", "?", "?", "+40.0K"])

    def test_nor_is_it_told_what_grew(self):
        self.save((20, 100), (40, 0), (45, 0))
        rows, ways = self.told("-w", "120", "--min=4K").split("\n\n")
        self.assertEqual([line.count("[heap] +") for line in rows.split("\n")[1:4]], [0, 0, 1])
        self.assertNotIn(" +", ways)
        self.assertEqual(ways.count(" 80.0K+ →    180K\n"), 2)
        self.save((20, 0), (60, 8), (45, 0))
        rows, ways = self.told("-w", "120", "--min=4K").split("\n\n")
        self.assertNotIn("[heap] +", rows)
        self.assertEqual(ways.count("+100K, "), 2)  # resident, [heap]
        self.assertNotIn("at most", ways)
        self.save((20, 0), (60, 0), (45, 0))
        rows, ways = self.told("-w", "120", "--min=4K").split("\n\n")
        self.assertIn("[heap] +160K", rows)
        self.assertEqual(ways.count(", at most 240K"), 2)


if __name__ == "__main__":
    unittest.main()
