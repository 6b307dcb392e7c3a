"""What pages hold, copied while the process runs: every page is as it was at the instant of the pause."""

import os
import random
import subprocess
import sys
import time
import unittest

import support
from support import Target, run, skip, world

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader")]

import vmscontents  # noqa: E402  (lies in the folder just added)
import vmsfile  # noqa: E402

PAGE = os.sysconf("SC_PAGE_SIZE")
PAGES, HOT, HALF = 4096, 64, 2048
MASK = (1 << 64) - 1


def mixed(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


class Model:
    """The target's steps (tests/targets/sequence.c): {page: the step that wrote it last}."""

    def __init__(self):
        self.step, self.pages = 0, {}

    def drop(self, page, count):
        for at in range(page, page + count):
            self.pages.pop(at, None)

    def touched(self, step):
        """The pages that a step changes, or may."""
        x = mixed(step)
        kind, page = x % 1024, (x >> 10) % (PAGES - 16)
        if kind in (0, 1, 2, 3):
            return range(page, page + 16)
        if kind == 4:
            low = page % (HALF - 16)
            return [*range(low, low + 16), *range(HALF + low, HALF + low + 16)]
        if kind == 5:
            low = page // 512 % 4 * 512
            return [] if x >> 60 else [*range(low, low + 512), *range(HALF + low, HALF + low + 512)]
        if kind in (6, 7, 8):
            return []
        if kind in (9, 10, 11):
            return [page]
        return [page % HOT * (PAGES // HOT) if kind % 8 else page]

    def do(self, step):
        kind, pages = mixed(step) % 1024, self.touched(step)
        if kind in (0, 1, 2, 3):
            self.drop(pages[0], len(pages))
        elif kind in (4, 5):
            half = len(pages) // 2
            for source, to in zip(pages[:half], pages[half:]):
                self.drop(to, 1)
                if source in self.pages:
                    self.pages[to] = self.pages.pop(source)
        else:
            self.pages.update((page, step) for page in pages)

    def go_to(self, step, start=0):
        """start: where the program began that wrote them: nothing was there then."""
        if start > self.step:
            self.step, self.pages = start, {}
        while self.step < step:
            self.step += 1
            self.do(self.step)


class Precopy(unittest.TestCase):
    def setUp(self):
        self.path = os.path.join(world().home(support.me()), f"precopy-{self.id().rsplit('.', 1)[-1]}.vms")
        self.addCleanup(lambda: os.path.exists(self.path) and os.unlink(self.path))

    def start(self, command="go"):
        target = Target(self, "sequence")
        done = run("record", "--track=uffd", "--every=1ms", "--for=2ms", "--json", "--no-names", target.pid)
        if done.status:
            skip(self, f"tracking by userfaultfd: {done.err.strip()}")
        target.tell(command)
        return target

    def words(self, file, contents, places, address):
        if address not in places:
            return None
        page = contents.bytes(places[address])
        self.assertEqual(page[8:-8].strip(b"\0") if address >= self.area else b"", b"", hex(address))
        return int.from_bytes(page[:8], "little"), int.from_bytes(page[-8:], "little")

    def check(self, target, model, execs=False):
        """The file's last snapshot is of one instant; returns how many of its pages are."""
        file = vmsfile.open_file(self.path)
        contents = vmscontents.Contents(file)
        places = contents.places(len(file.entries) - 1)
        self.area = target.ranges["area"][0]
        if execs and target.ranges["progress"][0] not in places:
            return 0  # it had just begun anew
        page = contents.bytes(places[target.ranges["progress"][0]])
        begun, done = int.from_bytes(page[:8], "little"), int.from_bytes(page[8:16], "little")
        if execs and not done and begun % 4096 == 0:
            # Stopped where the kernel had given it the page, before it wrote both words: nothing else is written yet.
            self.assertFalse([at for at in places if 0 <= at - self.area < PAGES * PAGE])
            return 0
        self.assertIn(begun - done, (0, 1))
        self.assertGreaterEqual(done, model.step)
        if execs and done % 4096 == 0:
            return 0  # before that, or after
        model.go_to(done, done // 4096 * 4096 if execs else 0)
        doubtful = set(model.touched(begun)) if begun != done else set()
        for number in set(range(PAGES)) - doubtful:
            found = self.words(file, contents, places, self.area + number * PAGE)
            wanted = model.pages.get(number)
            self.assertEqual((found or (0, 0)), (wanted or 0,) * 2, f"page {number} after step {done}")
            self.assertEqual(found is None, wanted is None, f"page {number} after step {done}: whether it is kept")
        return len(model.pages)

    def capture(self, target, *options):
        return run("capture", target.pid, "--contents", "--track=uffd", "-o", self.path, *options)

    def test_every_page_is_of_the_instant_of_the_pause(self):
        target, model, pages = self.start(), Model(), 0
        for _ in range(12):
            done = self.capture(target)
            self.assertEqual(done.status, 0, done)
            self.assertIn("of them were read", done.err)
            pages += self.check(target, model)
        self.assertGreater(pages, 2000)
        self.assertIsNone(target.process.poll())

    def test_it_executes_itself_meanwhile(self):
        target, model, told = self.start("go exec"), Model(), 0
        for _ in range(25):
            done = self.capture(target)
            if done.status:  # there was no moment in which it could be tracked
                self.assertRegex(done.err, "execut|exited|cannot|ended|zombie|no vdso", done)
                continue
            told += 1
            self.check(target, model, execs=True)
        self.assertGreater(told, 0)
        self.assertIsNone(target.process.poll())

    def test_it_ends_meanwhile(self):
        """At any step: there is a whole file, or none and the reason."""
        chance, whole = random.Random(7), 0.04
        for _ in range(20):
            target = self.start()
            with subprocess.Popen([world().vmsnap, "capture", str(target.pid), "--contents", "--track=uffd", "-q", "-o", self.path],
                                  env=world().env, stderr=subprocess.PIPE, text=True) as command:
                time.sleep(chance.random() * whole)
                target.end()
                said = command.stderr.read()
            if command.returncode == 0:
                self.assertEqual(run("check", self.path).status, 0)
                os.unlink(self.path)
                whole *= 0.8
                continue
            self.assertEqual(command.returncode, 2, said)
            self.assertRegex(said, r"\Avmsnap: [^\n]*(exited|ended|no process|zombie|cannot)[^\n]*\n\Z")
            self.assertFalse(os.path.exists(self.path), said)

    def test_hashes_are_of_that_instant_too(self):
        target = self.start()
        done = run("capture", target.pid, "--hash", "--track=uffd", "-o", self.path)
        self.assertEqual(done.status, 0, done)
        self.assertIn("hashes of", done.err)


if __name__ == "__main__":
    support.main()
