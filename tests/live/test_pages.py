"""Every state a page can be in, as vmsnap tells it and as the kernel does."""

import os
import shutil
import subprocess
import sys
import unittest

import kernel
import support
from kernel import HUGE, PAGE
from support import Target, ask, capture, pages, skip, user_name, users

TABLE = HUGE // PAGE  # pages of a page table, and so of a huge page


# Maps a file, reads each page of it and waits.
MAPS = """
import mmap, sys
with open(sys.argv[1], "rb") as file:
    all = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
sum(all[::mmap.PAGESIZE])
print("there", flush=True)
sys.stdin.read()
"""


def zero_and_huge(pid, found, areas):
    """Addresses of zero pages and of pages mapped by a PMD, by other ways than vmsnap's."""
    zero, huge = set(), set()
    if kernel.has_scan():
        for start, end in areas:
            for first, last, categories in kernel.scan(pid, start, end, kernel.SCAN_ZERO | kernel.SCAN_HUGE):
                into = ([zero] if categories & kernel.SCAN_ZERO else []) + ([huge] if categories & kernel.SCAN_HUGE else [])
                for addresses in into:
                    addresses.update(range(first, last, PAGE))
    if support.FRAMES:
        present = {at: entry & kernel.FRAME for at, entry in found.items() if entry & kernel.PRESENT}
        flags = kernel.page_flags(set(present.values()))
        zero = {at for at, pfn in present.items() if flags[pfn] & kernel.KPF_ZERO_PAGE}
    return zero, huge


def expected(entry, zero, huge, privileged, swaps, count=None):
    """A pagemap entry in the words of `vmsnap pages --json`.  swaps: the process has pages in swap; then
    only root can tell a marker of userfaultfd from one of those that is write-protected.  count: how often
    a huge page is mapped here, where that is known."""
    flags, pfn, swap = set(), None, None
    for bit, name in ((kernel.EXCLUSIVE, "exclusive"), (kernel.FILE, "file"), (kernel.UFFD_WP, "uffd_wp")):
        if entry & bit:
            flags.add(name)
    if zero:
        flags = (flags | {"zero"}) - {"file"}
    if huge:
        flags.add("huge")
        if not zero:  # the kernel's bit is about the first page of the huge one
            flags = flags | {"exclusive"} if count == 1 else flags - {"exclusive"}
    frame = entry & kernel.FRAME
    if entry & kernel.PRESENT:
        return "present", frame if privileged else None, None, frozenset(flags)
    if entry & kernel.GUARD:
        return "guard", None, None, frozenset({"guard"})
    # Where frames are hidden from us, too, what is not in swap is a marker.
    marker = frame & 31 == kernel.SWAP_TYPE_MARKER or not support.FRAMES
    if marker and entry & kernel.UFFD_WP and (privileged or not swaps):
        return "marker", None, None, frozenset({"uffd_wp"})
    if privileged:
        swap = (frame & 31, frame >> 5)
    elif entry & kernel.UFFD_WP:
        return "swapped?", None, None, frozenset(flags)
    return "swapped", None, swap, frozenset(flags)


class Truth:
    """One process, all of its pages, once."""

    def __init__(self, pid):
        self.vmas = kernel.maps(pid)
        areas = [(vma.start, vma.end) for vma in self.vmas]
        self.entries = kernel.entries(pid, areas)
        self.swapped = kernel.status(pid).get("VmSwap", b"0 kB").split()[0] != b"0"
        self.zero, self.huge = zero_and_huge(pid, self.entries, areas)
        frames = {at: self.entries[at] & kernel.FRAME for at in (self.huge - self.zero) & self.entries.keys()}
        counts = kernel.page_counts(set(frames.values())) if support.FRAMES else {}
        self.counts = {at: counts.get(frame) for at, frame in frames.items()}
        keys = ("AnonHugePages", "ShmemPmdMapped", "FilePmdMapped")
        self.smaps = [] if kernel.has_scan() else [
            (first, last, sum(told.get(key, 0) for key in keys)) for first, last, told in kernel.smaps(pid)]

    def expected(self, privileged, counts):
        perhaps, zero = set(), self.zero
        if not kernel.has_scan():
            shown = self.entries if privileged else {at: entry & ~kernel.FRAME for at, entry in self.entries.items()}
            perhaps, zero = kernel.may_be_huge(shown, privileged), self.zero if privileged else set()
        swaps = self.swapped if not support.FRAMES else any(entry & kernel.SWAPPED and not entry & kernel.GUARD and entry & 31 != kernel.SWAP_TYPE_MARKER
                    for entry in self.entries.values())
        told = {at: expected(entry, at in zero, at in self.huge, privileged, swaps, self.counts.get(at) if counts else None)
                for at, entry in self.entries.items()}
        for at in perhaps - zero:  # nobody tells which page its bit is about
            told[at] = told[at][:3] + (told[at][3] - {"exclusive"},)
        return told

    def made_huge(self, area):
        """How many of these pages a PMD maps; where the kernel does not tell, how many may be by smaps."""
        start, end = area
        if kernel.has_scan():
            return sum(1 for at in self.huge if start <= at < end)
        return sum(huge for first, last, huge in self.smaps if first < end and start < last) // PAGE

    def __eq__(self, other):
        return self.__dict__ == other.__dict__


class Pages(unittest.TestCase):
    maxDiff = 2000

    def steady_capture(self, target, user, *argv):
        """A capture between two equal looks at the kernel's files: ksmd and khugepaged
        may change something at any moment."""
        for _ in range(20):
            before = Truth(target.pid)
            path = capture(self, target.pid, *argv, user=user)
            if Truth(target.pid) == before:
                return before, path
        self.fail("the target's pages change all the time, or vmsnap changes them")

    def compare(self, truth, path, user):
        privileged = support.sees_frames(user)
        known = ask(self, "show", path)["snapshot"]["known"]
        self.assertFalse(known["exclusive_huge"] and not privileged)
        wanted, found = truth.expected(privileged, known["exclusive_huge"]), pages(self, path)
        # Bit 61 of the huge zero page means nothing.
        def plain(page):
            state, pfn, swap, flags = page
            if "zero" in flags:
                flags = flags - {"file"}
            return state, pfn, swap, flags - {"soft_dirty"}
        wrong = {hex(at): (wanted.get(at), found.get(at)) for at in wanted.keys() | found.keys()
                 if at not in wanted or at not in found or plain(wanted[at]) != plain(found[at])}
        self.assertEqual(dict(list(wrong.items())[:8]), {}, f"{len(wrong)} of {len(wanted)} pages: (kernel, vmsnap)")
        self.assertEqual(known["pfn"], privileged)
        self.assertTrue(known["exclusive"])

    OPTIONAL = ("thp", "thp_split", "huge_zero", "thp_shared", "swap", "uffd_wp_swap", "ksm")

    def check_kind(self, kind, made):
        """`made(truth, ranges)` says whether there really is what the test is about."""
        for user in users():
            with self.subTest(kind=kind, user=user_name(user)):
                target = Target(self, "pages", kind, user=user)
                truth, path = self.steady_capture(target, user)
                if kind in self.OPTIONAL and not made(truth, target.ranges):
                    skip(self, f"this machine makes no {kind} pages")
                self.assertTrue(made(truth, target.ranges), "the target did not make what is to be tested")
                self.compare(truth, path, user)
                target.end()

    @staticmethod
    def within(truth, area, condition):
        start, end = area
        return sum(1 for at, entry in truth.entries.items() if start <= at < end and condition(at, entry))

    def present(self, truth, area):
        return self.within(truth, area, lambda at, entry: entry & kernel.PRESENT)

    def swapped(self, truth, area):
        return self.within(truth, area, lambda at, entry: entry & kernel.SWAPPED and entry & 31 != 31)

    def test_anonymous_pages_written_read_and_untouched(self):
        self.check_kind("anonymous", lambda truth, ranges: self.present(truth, ranges["anonymous"]) == 64 + 64 + 43)

    def test_zero_page_is_told_from_others(self):
        self.check_kind("zero", lambda truth, ranges: len(truth.zero) >= 500)

    def test_transparent_huge_pages(self):
        self.check_kind("thp", lambda truth, ranges: truth.made_huge(ranges["thp"]) == 3 * TABLE)

    def test_transparent_huge_pages_split_by_dontneed_mprotect_and_munmap(self):
        self.check_kind("thp_split", lambda truth, ranges: 0 < truth.made_huge(ranges["thp_split"]) < 4 * TABLE and
                        self.present(truth, ranges["thp_split"]) == 4 * TABLE - 11)

    def test_huge_zero_page(self):
        self.check_kind("huge_zero", lambda truth, ranges: len(truth.zero) >= 2 * TABLE and
                        truth.made_huge(ranges["huge_zero"]) == (3 if kernel.has_scan() else 1) * TABLE)

    def test_huge_pages_of_shared_memory(self):
        self.check_kind("thp_shared", lambda truth, ranges: truth.made_huge(ranges["thp_shared"]) == 2 * TABLE)

    def test_hugetlb_pages_private_and_shared(self):
        self.check_kind("hugetlb", lambda truth, ranges: self.present(truth, ranges["hugetlb_private"]) == 2 * TABLE and
                        self.present(truth, ranges["hugetlb_shared"]) == 2 * TABLE)

    def test_swapped_pages_have_their_slots(self):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        self.check_kind("swap", lambda truth, ranges: self.swapped(truth, ranges["swap"]) > 100)

    def test_merged_pages(self):
        if not kernel.ksm_is_on():
            skip(self, "KSM is off")
        self.check_kind("ksm", lambda truth, ranges: self.within(
            truth, ranges["ksm"], lambda at, entry: not entry & kernel.EXCLUSIVE) > 100)

    def test_guard_regions(self):
        self.check_kind("guard", lambda truth, ranges: self.within(
            truth, ranges["guard"], lambda at, entry: entry & kernel.GUARD) == 27)

    def test_memfd_shared_and_private(self):
        self.check_kind("memfd", lambda truth, ranges: self.present(truth, ranges["memfd_shared"]) >= 50)

    def test_sysv_shared_memory(self):
        self.check_kind("sysv", lambda truth, ranges: self.present(truth, ranges["sysv"]) == 40)

    def test_anonymous_shared_memory_half_of_it_in_a_child(self):
        self.check_kind("shared", lambda truth, ranges: 0 < self.within(
            truth, ranges["shared"], lambda at, entry: entry & kernel.EXCLUSIVE) <= 24)

    def test_file_pages_read_and_privately_written(self):
        self.check_kind("file", lambda truth, ranges: self.within(
            truth, ranges["file_private"], lambda at, entry: not entry & kernel.FILE) == 10)

    def test_memory_that_nobody_may_touch(self):
        self.check_kind("prot_none", lambda truth, ranges: self.present(truth, ranges["prot_none"]) == 0 and
                        self.present(truth, ranges["prot_none_written"]) == 32)

    def test_write_protected_pages_and_markers_of_userfaultfd(self):
        self.check_kind("uffd_wp", lambda truth, ranges: self.within(
            truth, ranges["uffd_wp"], lambda at, entry: entry & kernel.UFFD_WP) == 48 + 5)

    def test_write_protected_pages_that_are_swapped(self):
        if not kernel.swap_is_on():
            skip(self, "no swap is on")
        self.check_kind("uffd_wp_swap", lambda truth, ranges: self.swapped(truth, ranges["uffd_wp_swap"]) > 0)

    def test_frames_shared_with_a_forked_child(self):
        self.check_kind("forked", lambda truth, ranges: self.within(
            truth, ranges["forked"], lambda at, entry: not entry & kernel.EXCLUSIVE) == 36)

    def test_all_at_once_without_freezing(self):
        for user in users():
            with self.subTest(user=user_name(user)):
                kinds = support.made_here(("anonymous", "zero", "thp_split", "guard", "memfd", "file"), user)
                target = Target(self, "pages", *kinds, user=user)
                truth, path = self.steady_capture(target, user, "--no-freeze")
                self.compare(truth, path, user)
                target.end()

    def test_exclusive_means_mapped_once(self):
        support.need_frames(self)
        for kind in ("anonymous", "shared", "forked", "file"):
            target = Target(self, "pages", kind)
            _, path = self.steady_capture(target, 0)
            found = pages(self, path)
            for start, end in target.ranges.values():
                here = {at: page for at, page in found.items() if start <= at < end and "zero" not in page[3]}
                self.assertTrue(here)
                counts = kernel.page_counts({page[1] for page in here.values() if page[0] == "present"})
                wrong = [hex(at) for at, page in here.items()
                         if page[0] == "present" and (counts[page[1]] == 1) != ("exclusive" in page[3])]
                self.assertEqual(wrong, [], kind)
            target.end()

    def test_library_that_only_the_command_has_too_is_exclusive(self):
        """It looks at page tables without what it maps itself."""
        with open(support.world().vmsnap, "rb") as file:
            if b"__asan_init" in file.read():
                support.skip(self, "built with sanitizers, whose functions use the library at any time")
        folder = support.world().home(support.me())
        library, snapshot = os.path.join(folder, "libc.so.6"), os.path.join(folder, "library.vms")
        shutil.copy(next(path for path in support.libraries() if os.path.basename(path).startswith("libc.so")), library)
        self.addCleanup(os.unlink, library)
        with subprocess.Popen([sys.executable, "-c", MAPS, library], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as target:
            target.stdout.readline()
            vma, = (vma for vma in kernel.maps(target.pid) if vma.name == library.encode())
            self.addCleanup(os.unlink, snapshot)
            for _ in range(20):  # the command's other threads may use the library just then
                result = subprocess.run([support.world().vmsnap, "capture", str(target.pid), "-o", snapshot], check=True,
                                        stderr=subprocess.PIPE, env={**support.world().env, "LD_LIBRARY_PATH": folder})
                found = [page for at, page in pages(self, snapshot).items() if vma.start <= at < vma.end]
                self.assertEqual(len(found), (vma.end - vma.start) // PAGE, result)
                others = [page for page in found if "exclusive" not in page[3]]
                if not others:
                    break
            target.stdin.close()
        self.assertEqual(others, [])

    def test_a_page_of_a_gibibyte(self):
        for user in users():
            target = Target(self, "pages", "gigantic", user=user)
            start, end = target.ranges["gigantic"]
            (entry,) = kernel.entries(target.pid, [(start, start + PAGE)]).values()
            path = capture(self, target.pid, user=user)
            runs = ask(self, "pages", path, f"{start:x}-{end:x}", user=user)["runs"]
            self.assertEqual(sum(run["pages"] for run in runs), (1 << 30) // PAGE)
            self.assertEqual({run["state"] for run in runs}, {"present"})
            if support.sees_frames(user):
                frames = [int(run["pfn"], 16) - (int(run["start"], 16) - start) // PAGE for run in runs]
                self.assertEqual(set(frames), {entry & kernel.FRAME})
            sums = ask(self, "show", path, "--range", f"{start:x}-{end:x}", user=user)["total"]
            self.assertEqual(sums["resident"], 1 << 30)
            target.end()

    def test_huge_pages_add_up_to_what_smaps_says(self):
        if not kernel.has_scan():
            skip(self, "which pages are huge: this kernel has no PAGEMAP_SCAN")
        target = Target(self, "pages", "thp", "thp_split")
        for _ in range(20):
            before = huge_bytes(target.pid)
            path = capture(self, target.pid)
            told = huge_bytes(target.pid)
            if told == before:  # nobody was making room, or giving small pages together, meanwhile
                break
        if told == 0:
            skip(self, "which pages are huge: memory is in pieces too small for one")
        huge = sum(PAGE for page in pages(self, path).values() if "huge" in page[3])
        self.assertEqual(huge, told)


def huge_bytes(pid):
    """What is mapped by entries of a page directory, by the kernel's own sums."""
    return sum(keys["AnonHugePages"] + keys.get("ShmemPmdMapped", 0) + keys.get("FilePmdMapped", 0)
               for _, _, keys in kernel.smaps(pid))


if __name__ == "__main__":
    support.main()
