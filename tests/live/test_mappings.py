"""Address spaces, as `vmsnap show` tells them and as maps and smaps do."""

import bisect
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, each_user, number, pages, run, skip, world


def plain_name(text):
    """The bytes of a name in JSON, where \\xHH stands for a byte."""
    raw = text.encode("utf-8")
    return re.sub(rb"\\x([0-9a-fA-F]{2})|\\\\", lambda found: bytes([int(found[1], 16)]) if found[1] else b"\\", raw)


def huge_pages(pid, vmas):
    """Addresses of pages mapped by a PMD, but for the zero page."""
    found = set()
    for vma in vmas if kernel.has_scan() else ():
        for start, end, categories in kernel.scan(pid, vma.start, vma.end, kernel.SCAN_HUGE):
            if not categories & kernel.SCAN_ZERO:
                found.update(range(start, end, PAGE))
    return found


class Mappings(unittest.TestCase):
    maxDiff = 4000

    def compare_vmas(self, target, path):
        """Every field of every VMA, and the sums of its pages."""
        told = ask(self, "show", path)
        self.assertEqual(told["schema"], "vmsnap.show/1")
        vmas = kernel.maps(target.pid)
        found = kernel.entries(target.pid, [(vma.start, vma.end) for vma in vmas if vma.end - vma.start < 1 << 36])
        self.assertEqual([(number(v["start"]), number(v["end"]), v["perms"], plain_name(v["name"])) for v in told["vmas"]],
                         [(v.start, v.end, v.perms, v.name) for v in vmas])
        for vma, mine in zip(vmas, told["vmas"]):
            offset = mine["offset"] if isinstance(mine["offset"], int) else number(mine["offset"])
            self.assertEqual((offset, mine["inode"]), (vma.offset, vma.inode), vma)
            self.assertEqual([int(part, 16) for part in mine["dev"].split(":")],
                             [int(part, 16) for part in vma.dev.split(":")], vma)
        self.compare_sums(target, told, vmas, found)
        return told

    def compare_sums(self, target, told, vmas, found):
        smaps = kernel.smaps(target.pid)
        self.assertEqual(len(smaps), len(vmas))
        starts = [vma.start for vma in vmas]
        sums = {start: {"resident": 0, "swapped": 0, "exclusive": 0, "exclusive_unknown": 0} for start in starts}
        told_huge = told["snapshot"]["known"]["exclusive_huge"]
        if kernel.has_scan():
            huge = huge_pages(target.pid, vmas)
        else:  # those that may be
            frames = told["snapshot"]["known"]["pfn"]
            shown = found if frames else {at: entry & ~kernel.FRAME for at, entry in found.items()}
            huge = kernel.may_be_huge(shown, frames)
        counts = kernel.page_counts({found[at] & kernel.FRAME for at in huge if at in found}) if told_huge else {}
        for at, entry in found.items():
            mine = sums[starts[bisect.bisect_right(starts, at) - 1]]
            if entry & kernel.PRESENT:
                mine["resident"] += PAGE
                if at in huge:  # bit 56 is about the first page of each
                    once = counts.get(entry & kernel.FRAME) == 1
                    mine["exclusive" if told_huge else "exclusive_unknown"] += PAGE if once or not told_huge else 0
                elif entry & kernel.EXCLUSIVE:
                    mine["exclusive"] += PAGE
            elif not entry & kernel.GUARD and entry & 31 != 31:
                mine["swapped"] += PAGE
        for mine in sums.values():
            if mine["exclusive_unknown"]:
                mine["exclusive"] = None
        for vma, mine, (_, _, keys) in zip(vmas, told["vmas"], smaps):
            if mine["swapped"] is None:
                # Of shared memory, which may be in swap without being told.
                self.assertTrue(told["snapshot"]["swap_in_use"] and vma.dev.startswith("00:") and vma.inode, vma)
                del sums[vma.start]["swapped"]
            if vma.end - vma.start < 1 << 36:
                self.assertEqual({key: mine[key] for key in sums[vma.start]}, sums[vma.start], vma)
            if not vma.name.startswith(b"[v") and "Private_Hugetlb" in keys and \
                    not keys["Private_Hugetlb"] and not keys["Shared_Hugetlb"]:
                if mine["zero"] is None:  # neither frames nor PAGEMAP_SCAN
                    self.assertGreaterEqual(mine["resident"], keys["Rss"], vma)
                else:
                    self.assertEqual(mine["resident"] - mine["zero"], keys["Rss"], vma)
        for key in ("resident", "swapped", "exclusive", "zero", "exclusive_unknown"):
            parts = [vma[key] for vma in told["vmas"]]
            self.assertEqual(told["total"][key], None if None in parts else sum(parts), key)

    def check(self, *argv, user=None, executable=None):
        target = Target(self, *argv, user=user, executable=executable)
        path = capture(self, target.pid, user=user)
        told = self.compare_vmas(target, path)
        return target, path, told

    @each_user
    def test_each_kind_of_mapping(self, user):
        kinds = ["anonymous", "zero", "thp_split", "guard", "memfd", "sysv", "shared", "file", "prot_none", "named"]
        self.check("pages", *support.made_here(kinds, user), user=user)

    @each_user
    def test_mappings_after_every_change(self, user):
        commands = ("grow_heap", "split", "protect", "unmap", "punch", "replace", "move", "grow", "shrink", "library",
                    "delete", "delete", "write_text", "write_text")
        target = Target(self, "mappings", user=user)
        for command in commands:
            target.tell(command)
        told = self.compare_vmas(target, capture(self, target.pid, user=user))
        library = target.ranges["library"][0]
        over = [vma for vma in told["vmas"] if number(vma["start"]) == library]
        self.assertEqual([(vma["name"], vma["inode"]) for vma in over], [("", 0)])
        self.assertTrue(any(vma["name"].endswith(" (deleted)") for vma in told["vmas"]))

    @each_user
    def test_64000_mappings(self, user):
        count = 64000 if support.SLOWNESS == 1 else 3000
        target, path, told = self.check("big", "vmas", str(count), user=user)
        self.assertGreater(len(told["vmas"]), count)
        target.end()

    @each_user
    def test_16_tebibytes_reserved(self, user):
        # Without PAGEMAP_SCAN each of its pages is asked for, present or not.
        target, path, told = self.check("big", "sparse", "16384" if kernel.has_scan() else "4", "3000", "1", user=user)
        start, end = target.ranges["sparse"]
        found = {at for at in pages(self, path) if start <= at < end}
        wanted = set(kernel.entries(target.pid, [(start, end)])) if not kernel.has_scan() else set()
        for first, last, _ in kernel.scan(target.pid, start, end) if kernel.has_scan() else []:
            wanted.update(range(first, last, PAGE))
        self.assertGreater(len(wanted), 2900)
        self.assertEqual(found, wanted)
        target.end()

    @each_user
    def test_32_bit_process(self, user):
        compiler = shutil.which("cc") or shutil.which("gcc")
        program = os.path.join(world().folder, "pages32")
        source = os.path.join(os.environ.get("VMSNAP_SOURCE", "."), "tests/targets/pages.c")
        if not compiler or subprocess.run([compiler, "-m32", "-O1", "-o", program, source],
                                          stderr=subprocess.DEVNULL).returncode:
            skip(self, "no compiler here makes 32-bit programs")
        try:
            subprocess.run([program], stdout=subprocess.DEVNULL, check=True)
        except (OSError, subprocess.CalledProcessError):
            skip(self, "this kernel runs no 32-bit programs")
        _, _, told = self.check("pages", "anonymous", "zero", "file", "shared", user=user, executable=program)
        self.assertLess(max(number(vma["end"]) for vma in told["vmas"]), 1 << 32)

    ENDLESS = r"""
import mmap, os, sys
for level in range(300):
    os.mkdir(b"\n" * 250)
    os.chdir(b"\n" * 250)
with open("f", "wb+") as file:
    file.truncate(4096)
    kept = [mmap.mmap(file.fileno(), 4096) for _ in range(1000)]
print("ready", flush=True)
sys.stdin.read()
"""

    def test_names_without_end_are_refused_in_time(self):
        """Each line of its maps has 300 kB, four bytes for each newline."""
        folder = tempfile.mkdtemp(dir=world().folder)
        self.addCleanup(subprocess.run, ["rm", "-rf", folder], check=True)
        process = subprocess.Popen([sys.executable, "-c", self.ENDLESS], cwd=folder, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdin.close)
        self.assertEqual(process.stdout.readline(), b"ready\n")
        result = run("capture", process.pid, "-o", os.path.join(folder, "x.vms"))
        self.assertEqual((result.status, result.out), (2, b""), result)
        self.assertEqual(result.err, f"vmsnap: process {process.pid} has more than 256 MiB of maps\n")
        self.assertIsNone(process.poll())

    HOSTILE = [b"new\nline", b"\x1b[2Jescape\x1b]0;title\x07", b'quo"te\\back\\x41slash', b"invalid\xff\xc0\xafutf8",
               b"really (deleted)", b"tab\tand\rreturn", b"\xc2\x9bcsi", b"\xe2\x80\xaeoverride", b"-option", b" spaces  ",
               b"[heap]", b"\\012", "ünïcödé".encode()]

    @each_user
    def test_hostile_file_names_are_kept_and_harmless(self, user):
        target = Target(self, "big", "names", *map(os.fsdecode, self.HOSTILE), user=user)
        path = capture(self, target.pid, user=user)
        self.compare_names(path)
        for command in ("show", "pages", "map"):
            for options in ((), ("--raw",), ("--color=always",), ("--ascii",), ("--json",)):
                if (command, options) == ("map", ("--raw",)):
                    continue
                self.assert_harmless(run(command, path, *options), options)
        target.end()

    def compare_names(self, path):
        told = [plain_name(vma["name"]) for vma in ask(self, "show", path)["vmas"]]
        for name in self.HOSTILE:
            # The kernel writes a newline as \012, and a name that holds those four characters the same way.
            wanted = name.replace(b"\\012", b"\n")
            self.assertTrue(any(text.endswith(b"/" + wanted) for text in told), (name, told))

    def assert_harmless(self, result, options):
        self.assertEqual(result.status, 0, result)
        text = result.out
        if "--color=always" in options:
            text = re.sub(rb"\x1b\[[0-9;]*m", b"", text)
        decoded = text.decode("utf-8")  # raises if a name's invalid bytes came through
        bad = [ch for ch in decoded if (ord(ch) < 32 and ch != "\n") or 0x7f <= ord(ch) < 0xa0 or
               0x202a <= ord(ch) <= 0x202e or 0x2066 <= ord(ch) <= 0x2069]
        self.assertEqual(bad, [], options)
        self.assertNotIn("\nline", decoded, "a name forged a line")

    @each_user
    def test_hostile_process_name_is_harmless(self, user):
        target = Target(self, "processes", "name", os.fsdecode(b'\x1b[2J"\\\n\xff) R'), user=user)
        path = capture(self, target.pid, user=user)
        told = ask(self, "show", path)["snapshot"]
        self.assertEqual(plain_name(told["comm"]), b'\x1b[2J"\\\n\xff) R')
        self.assertEqual(told["pid"], target.pid)
        for command in ("show", "list", "status"):
            for options in ((), ("--json",)):
                self.assert_harmless(run(command, path, *options), options)
        target.end()

    @each_user
    def test_smaps_are_kept_as_the_kernel_says_them(self, user):
        target = Target(self, "pages", "anonymous", "thp", "memfd", "file", user=user)
        path = capture(self, target.pid, "--smaps", user=user)
        for mine, (_, _, keys) in zip(ask(self, "show", path)["vmas"], kernel.smaps(target.pid)):
            kept = mine["smaps"]
            sizes = {key: value for key, value in keys.items() if isinstance(value, int)}
            self.assertGreater(len(sizes), 10)
            if mine["inode"] or mine["name"].startswith("[v"):  # others come and go who map the same
                sizes = {key: size for key, size in sizes.items() if not key.startswith(("Pss", "Shared_", "Private_"))}
            self.assertEqual({key: kept.get(key) for key in sizes}, sizes)
            self.assertEqual(str(kept.get("VmFlags", mine.get("vm_flags"))).split(), keys["VmFlags"].split())

    def test_status_is_kept_whole(self):
        target = Target(self, "pages", "anonymous")
        status, told = kernel.status(target.pid), ask(self, "show", capture(self, target.pid))
        for key in ("VmRSS", "VmSize", "RssAnon", "VmData"):
            self.assertEqual(told["status"][key], int(status[key].split()[0]) * 1024, key)
        self.assertEqual(set(told["status"]), set(status))
        self.assertEqual(told["snapshot"]["exe"], os.path.realpath(f"/proc/{target.pid}/exe"))


if __name__ == "__main__":
    support.main()
