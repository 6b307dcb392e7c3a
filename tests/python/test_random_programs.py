"""Random programs that log what they write (tests/written/program.py), and what contents, values and write tracking
say of them.  WRITTEN_COUNT and WRITTEN_SEED: of how many, and from which on; script/written has more.
Writes are tracked by soft-dirty bits where the kernel has them, else by userfaultfd."""

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from module import HERE, PAGE, kernel, main, skip, vmsnap

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "written"))
from program import BUILT, ENTRY, Program, build, seeds  # noqa: E402

# 33 is of types that have units of their own.
SEEDS = seeds("WRITTEN_COUNT", (1, 2, 3, 4, 33))
MANY = 1 << 30
PRESENT = 1 << 63
NAMED = ("global", "unit", "function")  # what has one address, and so can be named without a debugger
NUMBERS = ("signed", "unsigned", "bool", "character", "enum")


def pages_of(start, size):
    return set(range(start // PAGE, (start + size - 1) // PAGE + 1))


class Memory:
    """What the private memory of a process that stands still holds, as the kernel's own files tell."""

    def __init__(self, pid):
        self.pages = {}
        with open(f"/proc/{pid}/mem", "rb", 0) as memory, open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap:
            for vma in kernel.maps(pid):
                if not vma.perms.startswith("rw") or "p" not in vma.perms:
                    continue
                raw = os.pread(pagemap.fileno(), (vma.end - vma.start) // PAGE * 8, vma.start // PAGE * 8)
                for index, (entry,) in enumerate(struct.iter_unpack("Q", raw)):
                    if entry & PRESENT:  # others would come into being
                        at = vma.start + index * PAGE
                        self.pages[at // PAGE] = os.pread(memory.fileno(), PAGE, at)


class Run:
    """One program from its first stop to its second."""

    def __init__(self, path, seed):
        self.program = made = Program(seed)
        self.tracker, self.unable = None, None
        # On one processor: the kernel notes in the process where it runs, when it goes on after a freeze.
        with subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                              preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})) as process:
            try:
                self.notes_at = int(process.stdout.readline(), 16)
                process.stdout.read(1)
                self.pid = process.pid
                self.logged = self.notes()
                self.roots = {made.variables[-1 - which]: (at, size) for which, at, size in self.logged
                              if -1000 < which < 0}
                self.track()
                self.a = vmsnap.Snapshot.capture(process.pid, contents="private", tracker=self.tracker)
                self.before = Memory(process.pid)
                process.stdin.write(b"\n")
                process.stdout.read(1)
                self.b = vmsnap.Snapshot.capture(process.pid, contents="private", tracker=self.tracker)
                self.after = Memory(process.pid)
                self.logged = self.notes()[len(self.logged):]
                if self.tracker:
                    self.how = self.tracker.how
                    self.tracker.close()
                self.diff = vmsnap.Diff(self.a, self.b)
                self.names = vmsnap.Names(self.b)
                self.values = list(vmsnap.ValueDiff(self.a, self.b, self.names, MANY))
                self.stacks()
            finally:
                process.kill()

    def track(self):
        for how in ("soft-dirty", "uffd"):
            try:
                self.tracker = vmsnap.Tracker(self.pid, how)
                return
            except vmsnap.VmsnapError as error:
                self.unable = str(error)

    def notes(self):
        with open(f"/proc/{self.pid}/mem", "rb", 0) as memory:
            count, = struct.unpack("q", os.pread(memory.fileno(), 8, self.notes_at))
            raw = os.pread(memory.fileno(), count * ENTRY.size, self.notes_at + 4096)
        return list(ENTRY.iter_unpack(raw))

    def stacks(self):
        """Pages of stacks, and of what the C library has beside them, which change as the program runs."""
        found = set()
        for thread in self.b.threads:
            vma = self.b.mapping_at(thread.stack_pointer) if thread.stack_pointer else None
            if vma:
                found |= pages_of(vma.start, vma.end - vma.start)
        self.of_stacks = found

    @property
    def changed_pages(self):
        """{page: which bytes} of those that were there at both stops."""
        found = {}
        for page, after in self.after.pages.items():
            before = self.before.pages.get(page)
            if before is not None and before != after:
                found[page] = [page * PAGE + i for i in range(PAGE) if before[i] != after[i]]
        return found

    @property
    def logged_pages(self):
        return set().union(*(pages_of(at, size) for _, at, size in self.logged))


class Written(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.totals = dict.fromkeys(("programs", "writes", "changed pages", "changed variables", "tracked by soft-dirty",
                                     "tracked by uffd"), 0)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)
        print(cls.told(), flush=True)

    @classmethod
    def told(cls):
        return ", ".join(f"{count} {name}" for name, count in cls.totals.items())

    def path(self, seed):
        if BUILT:
            return os.path.join(BUILT, str(seed), "program")
        why = build(seed, self.folder)
        if why:
            skip(self, why)
        return os.path.join(self.folder, "program")

    def test_programs(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                run = Run(self.path(seed), seed)
                self.program_is_honest(run)
                self.pages_that_changed(run)
                self.variables_that_changed(run)
                self.pages_that_were_written(run)
                self.totals["programs"] += 1
                self.totals["writes"] += len(run.logged)
                if BUILT:  # on a machine that is slow: how far it has come, should it not come to its end
                    print(f"{seed} is right: {self.told()}", flush=True)

    def program_is_honest(self, run):
        """What changed it has logged, or it lies on a stack or beside thread-locals."""
        noted = [range(at, at + size) for _, at, size in run.logged]
        own = [range(at, at + size) for at, size in run.roots.values()]
        for changed in run.changed_pages.values():
            self.assertFalse([hex(at) for at in changed if any(at in one for one in own)
                              and not any(at in one for one in noted)])

    def pages_that_changed(self, run):
        told = set()
        for start, end, differ in run.a.contents_compare(run.b):
            if differ:
                told |= pages_of(start, end - start)
        changed = set(run.changed_pages)
        self.totals["changed pages"] += len(changed)
        there = set(run.before.pages) & set(run.after.pages)
        self.assertEqual({page for page in told & there} - changed, set(), "they did not change")
        self.pages_of_diff(run, changed, there)

    def pages_of_diff(self, run, changed, there):
        of_diff, written = set(), set()
        for each in run.diff.ranges:
            pages = pages_of(each.start, each.end - each.start)
            of_diff |= pages
            written |= pages if "written" in each.changes else set()
        came = {page for page in run.after.pages if page not in run.before.pages}
        self.assertLessEqual(changed, of_diff, "these changed")
        self.assertLessEqual(came, of_diff, "these are new")
        self.assertEqual((written & there) - changed, set(), "they hold what they held")

    def variables_that_changed(self, run):
        expected = {(run.roots[variable][0], path): both for (variable, path), both in run.program.changed().items()
                    if variable.where in NAMED}
        self.totals["changed variables"] += len(expected)
        names = {run.roots[each][0]: each for each in run.program.variables if each.where in NAMED}
        texts = {(run.roots[variable][0], path) for variable in run.program.variables if variable.where in NAMED
                 for path, kind in variable.parts.items() if kind[0] == "text"}
        pool, found = None, {}
        for one in run.values:
            if one.after.kind == "pointer" and one.after.word == "pool":
                pool = one.after.number - one.after.offset
            elif one.before.kind == "pointer" and one.before.word == "pool":
                pool = one.before.number - one.before.offset
        for one in run.values:
            variable = names.get(one.symbol_address)
            if variable is None:
                self.assertFalse(one.object.endswith("/program"), f"{one.name} did not change")
                continue
            self.assertIsNotNone(one.type, one.name)
            last = re.sub(r"\(.*?\)", "", one.symbol).split("::")
            self.assertEqual(last[-1], variable.name, one.symbol)
            path, key = one.path, (one.symbol_address, one.path)
            part = re.sub(r"\[\d+(\.\.\d+)?\]$", "", path)
            if (one.symbol_address, part) in texts:
                found[one.symbol_address, part] = expected.get((one.symbol_address, part))
            else:
                found[key] = (self.held(one.before, pool), self.held(one.after, pool))
            self.assertEqual(one.more, 0)
        self.assertEqual(found, expected)

    @staticmethod
    def held(value, pool):
        if value.kind == "float":
            return struct.unpack({4: "f", 8: "d"}[len(value.bytes)], value.bytes)[0]
        if value.kind == "pointer":
            return (value.number - pool) // 4 if value.number else None
        return value.number

    def pages_that_were_written(self, run):
        written = run.b.written() if run.tracker else None
        if not run.tracker and not self.totals["programs"]:
            print(f"SKIP: write tracking: {run.unable}", flush=True)
        if written is None:
            return
        self.totals[f"tracked by {run.how}"] += 1
        sure, maybe = set(), set()
        for each in written:
            (sure if each.sure else maybe).update(pages_of(each.start, each.end - each.start))
        self.assertLessEqual(set(run.changed_pages), sure | maybe, "changed, so they were written")
        whole = set().union(*(pages_of(at, size) for which, at, size in run.logged if self.plain(run, which)))
        self.assertLessEqual(whole & set(run.after.pages), sure | maybe)
        of_variables = set().union(*(pages_of(at, size) for variable, (at, size) in run.roots.items()
                                     if variable.where not in ("local", "thread")))
        of_variables -= run.of_stacks | self.beside_threads(run)
        self.assertLessEqual(sure & of_variables, run.logged_pages, "nobody wrote these")

    @staticmethod
    def plain(run, which):
        return which < 0 or run.program.writes[which].kind[3] is None

    @staticmethod
    def beside_threads(run):
        return set().union(*(pages_of(at, size) for variable, (at, size) in run.roots.items()
                             if variable.where == "thread"), set())


if __name__ == "__main__":
    main()
