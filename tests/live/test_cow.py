"""Verdicts on a forked process, against what its two sides say they did."""

import collections
import itertools
import os
import subprocess
import sys
import time
import unittest

import kernel
import support
from kernel import HUGE, PAGE
from support import Target, ask, capture, each_user, number, sees_frames, skip, unmoved

ZERO, FILE = "zero", "file"  # frames that are nobody's own; others are numbers


def zero_known(privileged):
    """By its frame, or by PAGEMAP_SCAN (Linux 6.7)."""
    return privileged or kernel.has_scan()


class Page:
    """One page on both sides of a fork, by the rules of the kernel."""

    def __init__(self, base, serial, area):
        self.base = base
        # The page table of a mapping without a page of its own is not copied.
        self.side = {"p": base, "c": None if area in ("never_written", "shared") else base}
        self.serial = serial
        self.freed = False  # the frame of the fork went back to the kernel, and may come again

    @staticmethod
    def own(frame):
        return isinstance(frame, int)

    def act(self, side, letter, file):
        mine, other = self.side[side], self.side["c" if side == "p" else "p"]
        if letter == "d":
            mine = None
        elif letter == "r":
            mine = mine if mine is not None else FILE if file else ZERO
        elif not self.own(mine) or mine == other:  # a write, and not to a frame of our own
            mine = next(self.serial)
        self.side[side] = mine
        if self.own(self.base) and self.base not in self.side.values():
            self.freed = True


def one_of(page, by_child, by_parent, by_both, otherwise):
    child, parent = page.own(page.side["c"]), page.own(page.side["p"])
    return by_both if child and parent else by_child if child else by_parent if parent else otherwise


def of_written_page(page, area):
    """It had a frame of its own at the fork."""
    parent, child = page.side["p"], page.side["c"]
    gone = {side for side in "pc" if not page.own(page.side[side])}
    if gone == {"p", "c"}:
        # Both dropped it; one may have the zero page in its place, or the file's: the kernel
        # maps a file's pages around the one that is touched.
        return {"dropped_by_both"} if parent is child is None and area == "anonymous" else \
            {"dropped_by_both", "dropped_by_child", "dropped_by_parent", "zero_shared", "file", "shared", None}
    if gone:
        side = gone.pop()
        verdicts = {f"dropped_by_{'child' if side == 'c' else 'parent'}"}
        other = page.side["p" if side == "c" else "c"]
        if other != page.base:  # written again after both had dropped it
            verdicts |= {f"copied_by_{'parent' if side == 'c' else 'child'}"}
        return verdicts
    if parent == child == page.base:
        return {"shared"}
    if parent == page.base:
        return {"copied_by_child"}
    return {"copied_by_parent"} if child == page.base else {"copied_by_both"}


def of_anonymous_page(page):
    """It was absent or the zero page at the fork."""
    sides = set(page.side.values())
    prefix = "new_in_" if page.base is None else "zero_written_by_"
    if any(page.own(frame) for frame in sides):
        wanted = {prefix + one_of(page, "child", "parent", "both", "")}
        if page.base is None and ZERO in sides:  # one side read what the other wrote
            wanted.add("zero_written_by_" + one_of(page, "child", "parent", "both", ""))
        return wanted
    if sides == {None}:
        return {None} if page.base is None else {"dropped_by_both", "zero_shared", None}
    if page.base is not None:
        return {"zero_shared"}
    return {"zero_in_" + ("both" if None not in sides else "child" if page.side["p"] is None else "parent")}


def of_file_page(page):
    """It was absent or the file's at the fork."""
    copied = one_of(page, "child", "parent", "both", None)
    if copied:
        return {f"copied_by_{copied}"}
    return {"file", "dropped_by_child", "dropped_by_parent", "dropped_by_both", None}


# What is said where nothing tells what was there at the fork: the base is a little later than that, and
# without PFNs it does not say which pages both had.
WEAKER = {"only_in_child": {"new_in_child", "zero_written_by_child", "copied_by_child", "dropped_by_parent"},
          "only_in_parent": {"new_in_parent", "zero_written_by_parent", "copied_by_parent", "dropped_by_child"},
          "copied": {"copied_by_child", "copied_by_parent", "copied_by_both", "new_in_both", "zero_written_by_both"},
          "zero": {"zero_shared", "dropped_by_both"}, "zero_in_child": {"dropped_by_both"},
          "zero_in_parent": {"dropped_by_both"}, "zero_in_both": {"dropped_by_both"}, None: {"dropped_by_both"}, "file": {"dropped_by_both"},
          "zero_shared": {"dropped_by_both"}}


def wanted_verdicts(page, area, with_base, privileged):
    if area == "shared":
        return {"shared_mapping"} if {FILE, ZERO} & set(page.side.values()) or \
            any(page.own(frame) for frame in page.side.values()) else {"shared_mapping", None}
    if not with_base:
        return without_base(page, area, privileged)
    if page.own(page.base):
        wanted = of_written_page(page, area)
    else:
        wanted = of_file_page(page) if area == "file" else of_anonymous_page(page)
    if not privileged and any(str(verdict).startswith("copied_by") for verdict in wanted):
        wanted = wanted | {"copied"}
    return wanted


def without_base(page, area, privileged):
    parent, child = page.side["p"], page.side["c"]
    if page.own(parent) and page.own(child):
        return {"shared"} if parent == child else {"copied"}
    if not page.own(parent) and not page.own(child):
        return {"zero_shared", "zero", "file", None}
    # The other may have dropped its own, whatever it has there now.
    return {"only_in_child" if page.own(child) else "only_in_parent"}


class Forked:
    """A target of cow_random, with snapshots of the fork and of what came after."""

    def __init__(self, test, user, seed, count):
        self.test, self.pages = test, {}
        self.target = Target(test, "cow_random", seed, count, user=user)
        self.child = next(int(line.split()[1]) for line in self.target.lines if line.startswith("child "))
        serial = itertools.count(1)
        for line in self.target.lines:
            words = line.split(" ")
            if words[0] == "before":
                first = {"-": lambda: None, "r": lambda: FILE if words[1] in ("file", "shared") else ZERO,
                         "w": lambda: next(serial)}
                for index, letter in enumerate(words[2]):
                    self.pages[words[1], index] = Page(first[letter](), serial, words[1])
        # Both sides: it is after the fork, and one alone could not tell who copied what then.
        self.base = capture(test, self.target.pid, "--tree", user=user) + "@1"
        self.target.tell("go")
        for line in self.target.lines:
            words = line.split(" ")
            if words[0] == "op":
                for index in words[4:]:
                    page = self.pages[words[2], int(index)]
                    if words[2] == "shared":
                        page.side[words[1]] = None if words[3] == "d" else 1
                    else:
                        page.act(words[1], words[3], words[2] == "file")
        after = capture(test, self.target.pid, "--tree", user=user)
        self.parent_after, self.child_after = f"{after}@1", f"{after}@2"

    def where(self, address):
        for name, (start, end) in self.target.ranges.items():
            if start <= address < end:
                return name, (address - start) // PAGE
        return None

    def verdicts(self, *options):
        """{(area, index): (verdict, inferred)} and the totals over everything."""
        answer = ask(self.test, "cow", self.parent_after, self.child_after, *options)
        self.test.assertEqual(answer["schema"], "vmsnap.cow/1")
        found, totals = {}, collections.Counter()
        for line in answer["ranges"]:
            totals[line["verdict"]] += line["pages"]
            for index in range(line["pages"]):
                place = self.where(number(line["start"]) + index * PAGE)
                if place:
                    self.test.assertNotIn(place, found, "one page, one verdict")
                    found[place] = (line["verdict"], line["inferred"])
        self.test.assertEqual(totals, {verdict: count for verdict, count in answer["totals"].items() if count})
        return found


@unmoved
class Cow(unittest.TestCase):
    maxDiff = 3000
    PAGES = 8000 if support.SLOWNESS == 1 else 2000  # in each of four areas

    def compare(self, forked, with_base, privileged):
        found = forked.verdicts(*(("--base", forked.base) if with_base else ()))
        wrong, exact = [], collections.Counter()
        for (area, index), page in forked.pages.items():
            verdict, inferred = found.get((area, index), (None, None))
            wanted = wanted_verdicts(page, area, with_base, privileged)
            # The frame may have come back to its old place; or the machine has little memory left.
            if page.freed or verdict == "swapped":
                continue
            # Where the zero page looks like one that several have, what is said of it is inferred, or unknown if it
            # is there now: of a page that one has alone it is known that it is none.
            unsure = not zero_known(privileged)
            if unsure and (inferred and ZERO in (page.base, *page.side.values()) or
                           verdict == "unknown" and ZERO in page.side.values()):
                continue
            if verdict not in wanted and not WEAKER.get(verdict, set()) & wanted:
                wrong.append((area, index, "base", page.base, "sides", page.side, "wanted", wanted, "told", verdict))
            elif verdict in wanted and len(wanted) == 1 or verdict == "copied":
                exact[verdict] += 1
            if not privileged and verdict in ("shared", "copied") and area == "anonymous":
                self.assertTrue(inferred, "without PFNs this is inferred")
            # Who copied is inferred, too, if the kernel moved pages meanwhile, be they of others.
            if privileged and with_base and verdict == "shared" and area == "anonymous":
                self.assertFalse(inferred, (area, index, verdict))
        self.assertEqual(wrong[:6], [], f"{len(wrong)} of {len(forked.pages)} verdicts are wrong")
        return exact

    @each_user
    def test_verdicts_agree_with_what_the_program_did(self, user):
        for seed in (1, 2):
            forked = Forked(self, user, seed, self.PAGES)
            exact = self.compare(forked, True, sees_frames(user))
            self.assertGreater(sum(exact.values()), self.PAGES * 5 // 4, exact)
            for verdict in ("shared", "new_in_child", "new_in_parent", "shared_mapping") + \
                    (("zero_written_by_child", "zero_written_by_parent", "zero_in_child", "zero_in_parent")
                     if zero_known(sees_frames(user)) else ()) + \
                    (("copied_by_child", "copied_by_parent", "dropped_by_child", "dropped_by_parent")
                     if sees_frames(user) else ()):
                self.assertGreater(exact[verdict], self.PAGES // 160, (verdict, exact))
            forked.target.end()

    @each_user
    def test_verdicts_without_a_snapshot_of_the_fork(self, user):
        forked = Forked(self, user, 3, self.PAGES)
        exact = self.compare(forked, False, sees_frames(user))
        self.assertGreater(sum(exact.values()), self.PAGES * 5 // 8, exact)
        forked.target.end()

    @each_user
    def test_right_after_the_fork_nothing_is_copied(self, user):
        target = Target(self, "cow_random", "5", "2000", user=user)
        path = capture(self, target.pid, "--tree", user=user)
        totals = ask(self, "cow", f"{path}@1", f"{path}@2", "--base", f"{path}@1")["totals"]
        start, end = target.ranges["anonymous"]
        here = [line for line in ask(self, "cow", f"{path}@1", f"{path}@2")["ranges"]
                if start <= number(line["start"]) < end]
        self.assertLessEqual({line["verdict"] for line in here if zero_known(sees_frames(user)) or not line["inferred"]},
                             {"shared", "zero_shared", "zero"})
        self.assertGreater(totals["shared"], 1000)
        # A few pages of the stack and of libc's data are written on the way out of fork().
        self.assertLess(sum(totals[name] for name in totals if name.startswith("copied")), 60)
        target.end()

    # A child maps 16 pages of its parent's memory privately, reads all and writes one; and it loads a library.
    BORROWED = """
import ctypes, mmap, os, signal, sys
PRCTL, DEATHSIG = ctypes.CDLL(None).prctl, 1
PAGE, PAGES = mmap.PAGESIZE, 16
fd = os.memfd_create("lent")
os.truncate(fd, PAGES * PAGE)
lent = mmap.mmap(fd, PAGES * PAGE)
for page in range(PAGES):
    lent[page * PAGE] = 1
where = lambda area: f"{ctypes.addressof(ctypes.c_char.from_buffer(area)):x}"
print(where(lent), flush=True)
sys.stdin.readline()
pid = os.fork()
if not pid:
    PRCTL(DEATHSIG, signal.SIGKILL)
    borrowed = mmap.mmap(fd, PAGES * PAGE, flags=mmap.MAP_PRIVATE)
    sum(borrowed[page * PAGE] for page in range(PAGES))
    borrowed[5 * PAGE] = 2
    ctypes.CDLL(sys.argv[1])
    print(os.getpid(), where(borrowed), flush=True)
    signal.pause()
os.waitpid(pid, 0)
"""

    def borrow(self):
        """(parent, child, where the memory is in each, a snapshot of the parent from before the fork)"""
        process = subprocess.Popen([sys.executable, "-c", self.BORROWED, os.environ["VMSNAP_LIB"]],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        for last in (process.wait, process.kill, process.stdin.close, process.stdout.close):
            self.addCleanup(last)
        lent = int(process.stdout.readline(), 16)
        before = capture(self, process.pid)
        time.sleep(0.03)  # the kernel tells when the child began in ticks of 10 ms
        process.stdin.write("fork\n")
        pid, borrowed = process.stdout.readline().split()
        return process.pid, int(pid), lent, int(borrowed, 16), before

    @staticmethod
    def verdict_of(cow, at):
        return next((line["verdict"] for line in cow["ranges"]
                     if number(line["start"]) <= at < number(line["start"]) + line["pages"] * PAGE), None)

    def test_what_a_child_maps_of_files_is_the_files(self):
        with open(os.environ["VMSNAP_LIB"], "rb") as file:
            if b"__asan_init" in file.read():
                skip(self, "a library with a sanitizer cannot be loaded by a program without")
        parent, child, lent, borrowed, before = self.borrow()
        in_parent, in_child = (kernel.entries(pid, [(at, at + 16 * PAGE)])
                               for pid, at in ((parent, lent), (child, borrowed)))
        if sees_frames(support.me()):
            frames = [[side[at + page * PAGE] & kernel.FRAME for page in range(16)]
                      for side, at in ((in_parent, lent), (in_child, borrowed))]
            self.assertEqual([a == b for a, b in zip(*frames)], [page != 5 for page in range(16)])
        library = os.path.realpath(os.environ["VMSNAP_LIB"]).encode()
        of_library = [vma for vma in kernel.maps(child) if vma.name == library]
        self.assertFalse([vma for vma in kernel.maps(parent) if vma.name == library])
        pages = kernel.entries(child, [(vma.start, vma.end) for vma in of_library])
        own = "only_in_child"  # that the parent had it at the fork, and dropped it, no base from before it rules out
        for base in (None, before):
            cow = ask(self, "cow", parent, child, *(("--base", base) if base else ()))
            self.assertEqual([self.verdict_of(cow, borrowed + page * PAGE) for page in range(16)],
                             [own if page == 5 else "file" for page in range(16)])
            told = {at: self.verdict_of(cow, at) for at in pages}
            self.assertEqual(told, {at: "file" if entry & kernel.FILE else own for at, entry in pages.items()})
            self.assertLessEqual({"file", own}, set(told.values()))
            # All symbols of a library that nobody wrote to say nothing.
            for line in cow["ranges"]:
                if line["verdict"] == "file":
                    self.assertEqual((line["names"], line["names_total"] or 0), ([], 0), line)
            self.assertTrue(any(line["names"] for line in cow["ranges"]))

    # Two areas of eight pages that a child is not given, in two ways; the child writes to the first page of the first.
    WITHHELD = """
import ctypes, mmap, os, signal, sys
PRCTL, DEATHSIG = ctypes.CDLL(None).prctl, 1
areas = []
for advice in (18, 10):  # MADV_WIPEONFORK, MADV_DONTFORK
    area = mmap.mmap(-1, 8 * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(8):
        area[page * mmap.PAGESIZE] = 1
    area.madvise(advice)
    areas.append(area)
print(*(f"{ctypes.addressof(ctypes.c_char.from_buffer(area)):x}" for area in areas), flush=True)
sys.stdin.readline()
pid = os.fork()
if not pid:
    PRCTL(DEATHSIG, signal.SIGKILL)
    sys.stdin.readline()
    areas[0][0] = 3
    print("written", flush=True)
    signal.pause()
print("forked", flush=True)
signal.pause()
"""

    def withheld(self, places, path, base):
        options = ("--base", base) if base else ()
        found = [set(), set(), set()]  # the page that is written, the others of its area, the other area
        for line in ask(self, "cow", path, *options)["ranges"]:
            for index in range(line["pages"]):
                at = number(line["start"]) + index * PAGE
                for area, start in enumerate(places):
                    if start <= at < start + 8 * PAGE:
                        found[2 if area else 0 if at == start else 1].add((line["verdict"], line["inferred"]))
        return found

    def test_what_a_child_is_not_given(self):
        """The table in docs/verdicts.md."""
        if not sees_frames(support.me()):
            skip(self, "hidden frame numbers")
        process = subprocess.Popen([sys.executable, "-c", self.WITHHELD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, bufsize=1)
        with process.stdin, process.stdout:
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            places = [int(word, 16) for word in process.stdout.readline().split()]
            before = capture(self, process.pid)
            time.sleep(0.03)  # the kernel tells when the child began in ticks of 10 ms
            process.stdin.write("fork\n")
            self.assertEqual(process.stdout.readline(), "forked\n")
            after = capture(self, process.pid, "--tree")
            alone = {("only_in_parent", False)}
            for base in (None, before, f"{after}@1"):
                self.assertEqual(self.withheld(places, after, base), [alone] * 3, base)
            process.stdin.write("write\n")
            self.assertEqual(process.stdout.readline(), "written\n")
            path = capture(self, process.pid, "--tree")
            for base, written in ((None, {("copied", True)}), (before, {("copied_by_child", True)}),
                                  (f"{after}@1", {("copied", True)})):
                self.assertEqual(self.withheld(places, path, base), [written, alone, alone], base)

    def huge_runs(self, path, start, end, flag="huge"):
        return [run for run in ask(self, "pages", f"{path}@1", f"{start:x}-{end:x}")["runs"] if flag in run["flags"]]

    def test_huge_pages_are_exclusive_where_the_kernel_counts_each(self):
        """Of an old kernel, and of one that is configured as most are."""
        if not sees_frames(support.me()) or not kernel.counts_each_page():
            skip(self, "not root, no huge pages, or a kernel that counts whole folios")
        target = Target(self, "huge_fork")
        start, end = target.ranges["huge"]
        known = ask(self, "show", capture(self, target.pid))["snapshot"]["known"]
        if not kernel.has_scan():
            skip(self, "which pages are huge: this kernel has no PAGEMAP_SCAN")
        if not kernel.scan(target.pid, start, end, kernel.SCAN_HUGE):
            skip(self, "this machine makes no huge pages")
        self.assertTrue(known["exclusive_huge"])

    @each_user
    def test_huge_pages_that_the_child_has_in_part(self, user):
        """Bit 56 of a huge page is about its first one: nothing is concluded from it for the others.  How often each
        is mapped root is told, where the kernel counts that."""
        target = Target(self, "huge_fork", user=user)
        child, (start, end) = int(target.lines[0].split()[1]), target.ranges["huge"]
        path = capture(self, target.pid, "--tree", user=user)
        parent = ask(self, "show", f"{path}@1")
        vma = next(vma for vma in parent["vmas"] if number(vma["start"]) <= start < number(vma["end"]))
        if kernel.has_scan():
            made = vma["huge"]
        else:
            self.assertIsNone(vma["huge"])
            made = sum(keys["AnonHugePages"] for first, last, keys in kernel.smaps(target.pid) if first <= start < last)
        if made != end - start:
            skip(self, "this machine makes no huge pages")
        huge, copied = HUGE, {start + HUGE, start + 2 * HUGE + 17 * PAGE}
        gone = start + 3 * HUGE
        if parent["snapshot"]["known"]["exclusive_huge"]:
            self.assertTrue(sees_frames(user))
            area = next(keys for first, _, keys in kernel.smaps(target.pid) if first == number(vma["start"]))
            self.assertEqual((vma["exclusive"], vma["exclusive_unknown"]), (3 * PAGE, 0))
            self.assertEqual(area["Private_Clean"] + area["Private_Dirty"], 3 * PAGE)
            self.assertEqual({number(run["start"]) for run in self.huge_runs(path, start, end, "exclusive")}, {*copied, gone})
            self.assertEqual(sum(run["pages"] for run in self.huge_runs(path, start, end, "exclusive")), 3)
        else:
            self.assertEqual((vma["exclusive"], vma["exclusive_unknown"]), (None, end - start))
            self.assertEqual(parent["total"]["exclusive"], None)
            for run in self.huge_runs(path, start, end):
                self.assertNotIn("exclusive", run["flags"])
                self.assertEqual(run["flags_unknown"], ["exclusive"])
        told = {}
        for line in ask(self, "cow", path)["ranges"]:
            for index in range(line["pages"]):
                told[number(line["start"]) + index * PAGE] = line["verdict"]
        self.assertIn(told.pop(gone), ("dropped_by_child", "only_in_parent"))
        for at in copied:
            self.assertIn(told.pop(at), ("copied", "copied_by_child", "unknown"), hex(at))
        here = {at: verdict for at, verdict in told.items() if start <= at < end}
        self.assertLessEqual(set(here.values()), {"shared"} if sees_frames(user) else {"shared", "unknown"})
        self.assertEqual({here[at] for at in range(start, start + huge, PAGE)}, {"shared"}, "the whole one")
        self.assertEqual(kernel.read(f"/proc/{child}/comm").strip(), b"huge_fork")

    @each_user
    def test_every_kind_of_memory_after_a_fork(self, user):
        target = Target(self, "cow_kinds", user=user)
        child = next(int(line.split()[1]) for line in target.lines)
        base = capture(self, target.pid, "--tree", user=user) + "@1"
        target.tell("go")
        after = capture(self, target.pid, "--tree", user=user)
        parent_after, child_after = f"{after}@1", f"{after}@2"
        answer = ask(self, "cow", parent_after, child_after, "--base", base)
        found = {}
        for line in answer["ranges"]:
            for index in range(line["pages"]):
                found[number(line["start"]) + index * PAGE] = line["verdict"]

        def told(area, first=0, end=None):
            if area not in target.ranges:
                support.skip(self, f"this machine makes no {area} pages")
            start, stop = target.ranges[area]
            stop = stop if end is None else start + end * PAGE
            return {found.get(at) for at in range(start + first * PAGE, stop, PAGE)}

        # Without PFNs: both are exclusive now, or the child is and the parent's huge page is not.
        by_child = {"copied_by_child"} if sees_frames(user) else {"copied", "unknown"}
        self.assertLessEqual(told("plain", 0, 5), by_child, "who copied, though the parent wrote there, too")
        self.assertEqual(told("plain", 5, 8), {"shared"})
        self.assertEqual(told("plain", 8, 10), {"copied_by_parent"} if sees_frames(user) else {"copied"})
        self.assertEqual(told("plain", 10), {"shared"})
        self.assertLessEqual(told("thp", 100, 103), by_child)
        self.assertEqual(told("unmapped"), {"dropped_by_child"} if sees_frames(user) else {"only_in_parent"})
        # Without PFNs the base does not tell which pages both had at the fork.
        gone = {"dropped_by_child"} if sees_frames(user) else {"only_in_parent"}
        self.assertEqual(told("replaced", 0, 3), {"shared_mapping"} if sees_frames(user) else {"only_in_parent"})
        self.assertEqual(told("replaced", 3), gone)
        self.assertEqual(told("protected"), {"shared"})
        # Without PFNs it is not known what went where; and what both have may be the zero page, if nothing tells it.
        unsure = set() if zero_known(sees_frames(user)) else {"unknown"}
        self.assertEqual(told("moved_from"), {None} if user == 0 else unsure or {"only_in_parent"})
        self.assertEqual(told("moved_to"), {"shared"} if user == 0 else unsure or {"new_in_child"})
        if kernel.swap_is_on():
            self.assertEqual(told("swapped", 4), {"swapped"})
            self.assertLessEqual(told("swapped", 0, 4), {"swapped"} | by_child)
        # Where the kernel moved or split pages meanwhile, a huge page's frame does not tell who copied.
        self.assertLessEqual(told("hugetlb"), by_child | {"copied"})
        self.assertEqual(told("thp", 103), {"shared"})
        target.end()


if __name__ == "__main__":
    support.main()
