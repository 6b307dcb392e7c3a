"""Process folders that no process of this machine has: recorded ones."""

import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

import kernel
import support
from kernel import PAGE
from support import ask, pages, world

STATUS = b"Name:\trecorded\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4242\nNgid:\t0\nPid:\t4242\nPPid:\t1\n" \
         b"TracerPid:\t0\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t4242\nVmRSS:\t      12 kB\nThreads:\t1\n"
STAT = b"4242 (recorded) S 1 4242 4242 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777 1000000 3 18446744073709551615 " + b"0 " * 29 + b"0\n"
MAPS = [
    (0x10000, 0x20000, b"rw-p 00000000 00:00 0                          [anon:my cache]"),
    (0x20000, 0x30000, b"rw-p 00000000 00:00 0                          [anon:\x1b[2Jx]"),
    (0x30000, 0x40000, b"rw-s 00000000 00:01 7                          [anon_shmem:shared cache]"),
    (0x40000, 0x50000, b"r--p 00001000 08:01 99                         /tmp/a file\\012b (deleted)"),
    (0x60000, 0x70000, b"rw-p 00000000 00:00 0                          [heap]"),
    (0x7ffff7fc0000, 0x7ffff7fc4000, b"r--p 00000000 00:00 0                  [vvar_vclock]"),
    (0xffffffffff600000, 0xffffffffff601000, b"--xp 00000000 00:00 0          [vsyscall]"),
]


@support.unmoved
class Recorded(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=world().folder)
        self.maps, self.entries, self.files, self.page_size = list(MAPS), {}, {}, PAGE

    def record(self):
        lines = [b"%08x-%08x %s" % line for line in self.maps]
        files = {"maps": b"\n".join(lines) + b"\n", "status": STATUS, "stat": STAT, **self.files}
        for name, data in files.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(data)
        with open(os.path.join(self.folder, "pagemap"), "wb") as file:
            for at, entry in self.entries.items():
                file.seek(at // self.page_size * 8)
                file.write(struct.pack("<Q", entry))

    def capture(self, *options):
        """(exit status, what was said, the file)"""
        self.record()
        return self.capture_folder(*options)

    def capture_folder(self, *options):
        library, path = os.environ["VMSNAP_LIB"], os.path.join(self.folder, "out.vms")
        environment = dict(world().env)
        needed = subprocess.run(["ldd", library], stdout=subprocess.PIPE, check=False).stdout.decode()
        sanitizers = re.findall(r"=> (\S*lib(?:asan|ubsan|clang_rt)\S*)", needed)
        if sanitizers:
            environment["LD_PRELOAD"] = " ".join(sanitizers)
            environment["ASAN_OPTIONS"] = "detect_leaks=0"
        helper = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record_capture.py")
        done = subprocess.run([sys.executable, "-B", helper, library, self.folder, path, *options], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        self.assertEqual(done.stderr, b"")
        return done.returncode, done.stdout.decode(), path

    def test_names_of_anonymous_memory(self):
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        told = ask(self, "show", path)
        names = [vma["name"] for vma in told["vmas"]]
        self.assertIn("[anon:my cache]", names)
        self.assertIn("[anon_shmem:shared cache]", names)
        self.assertNotIn("\x1b", "".join(names))
        self.assertEqual(len(names), len(MAPS))
        self.assertEqual(told["snapshot"]["pid"], 4242)
        self.assertEqual(told["snapshot"]["comm"], "recorded")
        self.assertEqual(told["status"]["VmRSS"], 12 * 1024)
        self.assertFalse(told["snapshot"]["pause_us"])

    def test_states_of_pages(self):
        self.entries = {
            0x10000: kernel.PRESENT | kernel.EXCLUSIVE | 0x1234, 0x11000: kernel.PRESENT | kernel.EXCLUSIVE | 0x1235,
            0x13000: kernel.SWAPPED | 3 | 77 << 5, 0x14000: kernel.SWAPPED | 3 | 78 << 5,
            0x18000: kernel.SWAPPED | kernel.GUARD | 31, 0x40000: kernel.PRESENT | kernel.FILE | 0x99}
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        found = pages(self, path)
        self.assertEqual(set(found), set(self.entries))
        self.assertEqual(found[0x18000][0], "guard")
        self.assertEqual([found[at][0] for at in (0x10000, 0x13000, 0x40000)], ["present", "swapped", "present"])
        if ask(self, "show", path)["snapshot"]["known"]["pfn"]:
            self.assertEqual([found[at][1] for at in (0x10000, 0x11000, 0x40000)], [0x1234, 0x1235, 0x99])
            self.assertEqual([found[at][2] for at in (0x13000, 0x14000)], [(3, 77), (3, 78)])

    def shown(self, *options):
        status, said, path = self.capture(*options)
        self.assertEqual(status, 0, said)
        return ask(self, "show", path)

    def test_what_the_folder_does_not_say_is_unknown_and_not_of_this_machine(self):
        snapshot = self.shown()["snapshot"]
        for key in ("host", "boot_id", "kernel", "arch", "taken", "exe", "cmdline", "pid_namespace"):
            self.assertIsNone(snapshot[key], key)
        self.assertEqual((snapshot["start_time"], snapshot["page_size"]), (777, 4096))
        self.assertFalse(snapshot["page_size_assumed"])
        self.assertFalse(snapshot["known"]["exclusive"])

    def test_whether_it_stood_is_not_known(self):
        """Nobody looked."""
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        for snapshot in (ask(self, "show", path)["snapshot"], ask(self, "list", path)["snapshots"][0]):
            self.assertEqual([snapshot[key] for key in ("consistent", "instant", "pause_us")], [None] * 3)
        text = support.run("show", path).out.decode()
        self.assertIn("instant   recorded; whether it stood still is not known\n", text)
        self.assertNotIn("did not change", text)
        self.assertEqual(support.run("list", path, "-r", "-n", "-o", "INSTANT").out, b"?\n")
        self.assertIn("of what was recorded it is not known whether it stood still", ask(self, "cow", path, path)["warning"])

    def test_identity_comes_from_the_folder(self):
        self.files = {"identity": b"Page-size:\t4096\nHost:\tfar away\nKernel: 5.10.0 \nArch:\taarch64\nBoot-id:\tthat\n"
                                  b"Taken:\t1700000000.25\nExe:\t/bin/app\nLater:\tx\nnot a line\n",
                      "comm": b"app\n", "cmdline": b"app\0-x\0"}
        snapshot = self.shown()["snapshot"]
        self.assertEqual([snapshot[key] for key in ("host", "boot_id", "kernel", "arch", "exe", "comm", "cmdline")],
                         ["far away", "that", "5.10.0", "aarch64", "/bin/app", "app", ["app", "-x"]])
        self.assertEqual(snapshot["taken"], "2023-11-14T22:13:20.250000000Z")
        self.assertTrue(snapshot["known"]["exclusive"], "Linux 5.10 shows it")

    LARGE = [(0x10000000, 0x10010000, b"r-xp 00000000 08:03 77                             /usr/bin/app"),
             (0x10020000, 0x10050000, b"rw-p 00000000 00:00 0                              [heap]")]
    LARGE_SMAPS = b"".join(b"%08x-%08x %s\nSize: 64 kB\nKernelPageSize: %d kB\nMMUPageSize: 4 kB\nRss: 64 kB\n" % (*line, kib)
                           for line, kib in zip(LARGE, (64, 2048)))

    def large_pages(self):
        self.maps, self.page_size = self.LARGE, 65536
        self.entries = {0x10000000: kernel.PRESENT | kernel.FILE | 5, 0x10020000: kernel.PRESENT | 7,
                        0x10030000: kernel.PRESENT | 8}

    def check_large_pages(self, told):
        self.assertEqual(told["snapshot"]["page_size"], 65536)
        self.assertFalse(told["snapshot"]["page_size_assumed"])
        self.assertEqual([vma["resident"] for vma in told["vmas"]], [65536, 2 * 65536])

    def test_page_size_comes_from_identity(self):
        self.large_pages()
        self.files = {"identity": b"Page-size: 65536\n"}
        self.check_large_pages(self.shown())

    def test_page_size_comes_from_smaps_which_need_not_be_kept(self):
        self.large_pages()
        self.files = {"smaps": self.LARGE_SMAPS}
        for options in ((), ("--smaps",)):
            told = self.shown(*options)
            self.check_large_pages(told)
            self.assertEqual("smaps" in told["vmas"][0], bool(options))

    def test_page_size_that_nothing_tells_is_said_to_be_assumed(self):
        self.large_pages()
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        snapshot = ask(self, "show", path)["snapshot"]
        self.assertEqual((snapshot["page_size"], snapshot["page_size_assumed"]), (min(PAGE, 65536), True))
        self.assertIn(b"page size (", support.run("show", path).out)
        self.assertTrue(ask(self, "list", path)["snapshots"][0]["page_size_assumed"])

    def test_page_size_that_is_none_is_refused(self):
        self.files = {"identity": b"Page-size: 5000\n"}
        status, said, path = self.capture()
        self.assertEqual((status, os.path.exists(path)), (4, False), said)

    def test_odd_lines_of_smaps_are_kept(self):
        self.maps = [(0x12c00000, 0x12c04000, b"rw-p 00000000 00:00 0                  [anon:dalvik-main space]"),
                     (0x12c05000, 0x12c05000, b"rw-p 00000000 00:00 0 ")]
        self.files = {"smaps": b"12c00000-12c04000 rw-p 00000000 00:00 0                  [anon:dalvik-main space]\n"
                               b"Name:           [anon:dalvik-main space]\nSize:                 16 kB\n"
                               b"KernelPageSize:        4 kB\nTHPeligible:\nVmFlags: rd wr \n"
                               b"12c05000-12c05000 rw-p 00000000 00:00 0 \nSize:                 0 kB\n"}
        self.entries = {0x12c00000: kernel.PRESENT | 5}
        told = self.shown("--smaps")
        self.assertEqual([vma["smaps"] for vma in told["vmas"]],
                         [{"Name": "[anon:dalvik-main space]", "Size": 16384, "KernelPageSize": 4096, "THPeligible": "",
                           "VmFlags": "rd wr"}])
        self.assertEqual(told["total"]["resident"], 4096)
        self.assertEqual(len(self.shown()["vmas"]), 1)

    def test_frames_of_an_unknown_machine_are_not_compared_with_those_of_this(self):
        target = support.Target(self, "pages", "anonymous")
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        warning = ask(self, "cow", str(target.pid), path)["warning"]
        self.assertIn("not known to be of one boot", warning)

    def test_script_records_what_a_capture_tells(self):
        target = support.Target(self, "pages", "anonymous")
        os.kill(target.pid, signal.SIGSTOP)
        self.assertTrue(support.process_is(target.pid, "T"))
        self.folder = os.path.join(self.folder, "recorded")
        script = os.path.join(os.environ["VMSNAP_SOURCE"], "script", "record-folder")
        done = subprocess.run(["sh", script, str(target.pid), self.folder], stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        status, said, path = self.capture_folder("--smaps")
        self.assertEqual(status, 0, said)
        live = support.capture(self, target.pid, "--smaps")
        there, here = ask(self, "show", path), ask(self, "show", live)
        for key in ("host", "boot_id", "kernel", "arch", "page_size", "pid", "ppid", "uid", "start_time", "comm", "exe",
                    "cmdline"):
            self.assertEqual(there["snapshot"][key], here["snapshot"][key], key)
        self.assertFalse(there["snapshot"]["page_size_assumed"])
        for mine, its in zip(there["vmas"], here["vmas"]):
            self.assertEqual([mine[key] for key in ("start", "end", "name", "resident", "swapped")],
                             [its[key] for key in ("start", "end", "name", "resident", "swapped")])
        area = target.ranges
        self.assertTrue(area)
        first, last = min(start for start, _ in area.values()), max(end for _, end in area.values())
        where = f"{first:#x}-{last:#x}"
        recorded, captured = pages(self, path, where), pages(self, live, where)
        self.assertTrue(captured)
        # Zero and huge pages are told by what is asked beside pagemap.
        told = {at: (state, pfn, swap) for at, (state, pfn, swap, _) in recorded.items()}
        self.assertEqual(told, {at: (state, pfn, swap) for at, (state, pfn, swap, _) in captured.items()})
        if here["snapshot"]["known"]["pfn"] and here["snapshot"]["known"]["zero"]:
            self.check_zero_pages(path, live, recorded, captured)

    def check_zero_pages(self, path, live, recorded, captured):
        """Of this machine, since it was booted: its zero page is ours."""
        zero = [at for at, page in captured.items() if "zero" in page[3]]
        self.assertTrue(zero)
        self.assertEqual(zero, [at for at, page in recorded.items() if "zero" in page[3]])
        for parent, child in ((path, live), (live, path)):
            verdicts = {row["verdict"] for row in ask(self, "cow", parent, child, "--no-names", status=(0, 1))["ranges"]
                        if any(int(row["start"], 16) <= at < int(row["start"], 16) + row["pages"] * PAGE
                               for at in zero)}
            self.assertEqual(verdicts, {"zero_shared"})

    ZERO = {0x10000: kernel.PRESENT | 0x77, 0x11000: kernel.PRESENT | 0x99,
            0x20000: kernel.PRESENT | kernel.FILE | 0x200, 0x40000: kernel.PRESENT | kernel.FILE | 0x300}

    def test_zero_page_is_told_by_its_frame(self):
        self.entries, self.files = self.ZERO, {"identity": b"Boot-id:\tthat\nZero-page:\t77\n"}
        found = self.states()
        self.assertEqual({at for at, page in found.items() if "zero" in page[3]}, {0x10000, 0x20000})

    def test_zero_page_without_its_frame_is_unknown(self):
        for line in (b"", b"Zero-page:\n", b"Zero-page:\tx\n", b"Zero-page:\t77 78\n", b"Zero-page: fffffffffffffff\n"):
            with self.subTest(line=line):
                self.entries, self.files = self.ZERO, {"identity": b"Boot-id:\tthat\n" + line}
                self.assertFalse(self.shown()["snapshot"]["known"]["zero"])

    def states(self):
        """{address: (state, pfn, slot, flags)}"""
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        return pages(self, path)

    def test_types_that_no_swap_area_has_are_not_swap(self):
        moving = [kernel.SWAPPED | kind | 0x12345 << 5 for kind in (22, 28, 30)]
        self.entries = {
            0x10000: kernel.PRESENT | kernel.EXCLUSIVE | 0x1234, 0x11000: kernel.SWAPPED | 3 | 77 << 5,
            0x12000: moving[0], 0x13000: moving[1], 0x14000: moving[2], 0x15000: moving[2] | kernel.FILE,
            0x16000: kernel.SWAPPED | 31 | 2 << 5, 0x17000: kernel.SWAPPED | 31 | 4 << 5,
            0x18000: kernel.SWAPPED | kernel.UFFD_WP | 30 | 1 << 5}
        found = self.states()
        self.assertEqual(found[0x11000][0], "swapped")
        for at in (0x12000, 0x13000, 0x14000):
            self.assertEqual(found[at], ("present", None, None, frozenset()))
        self.assertEqual(found[0x15000], ("present", None, None, frozenset({"file"})))
        self.assertNotIn(0x16000, found)
        self.assertEqual([found[at][0] for at in (0x17000, 0x18000)], ["guard", "marker"])

    def test_who_sees_no_frames_takes_for_swap_what_the_kernel_counts_as_that(self):
        swapped, marker = kernel.SWAPPED, kernel.SWAPPED | kernel.UFFD_WP
        plain = {0x10000: kernel.PRESENT, 0x11000: swapped, 0x12000: swapped}
        either = {**plain, 0x13000: marker}
        for told, more, entries, states in (
                (b"8", {}, plain, ["present", "swapped", "swapped"]),
                (b"4", {}, plain, ["present", "swapped?", "swapped?"]),
                (b"0", {}, plain, ["present", "swapped?", "swapped?"]),
                (b"8", {}, either, ["present", "swapped", "swapped", "marker"]),
                (b"12", {}, either, ["present", "swapped", "swapped", "swapped?"]),
                # Kernels before 6.17 keep VmSwap roughly; smaps_rollup is counted.
                (b"4", {"smaps_rollup": b"Rss: 4 kB\nSwap:         8 kB\nSwapPss: 8 kB\n"}, plain,
                 ["present", "swapped", "swapped"]),
                (b"8", {"smaps_rollup": b"Rss: 4 kB\nSwap:         8 kB\n"}, either,
                 ["present", "swapped", "swapped", "marker"]),
                (b"0", {"smaps_rollup": b"Swap:\t0 kB\n"}, either, ["present"] + 3 * ["swapped?"])):
            with self.subTest(told=told, more=more):
                self.files, self.entries = {"status": STATUS + b"VmSwap:\t" + told + b" kB\n", **more}, entries
                found = self.states()
                self.assertEqual([found[at][0] for at in sorted(entries)], states)

    def test_what_looks_swapped_where_nothing_is_told_of_swap_is_unknown(self):
        self.entries = {0x10000: kernel.SWAPPED}
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        told = ask(self, "show", path)
        self.assertEqual(told["total"]["swapped"], None)
        self.assertEqual((told["vmas"][0]["swapped"], told["vmas"][0]["swapped_unknown"]), (None, PAGE))

    def refused(self, line):
        status, said, path = self.capture()
        self.assertEqual(status, 4, said)
        self.assertEqual(said.split()[1], str(line), said)
        self.assertFalse(os.path.exists(path))

    def test_mapping_that_grew_while_maps_was_read_is_cut_where_the_last_ended(self):
        self.maps[1] = (0x1f000, 0x30000, MAPS[1][2])
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        told = ask(self, "show", path)["vmas"]
        self.assertEqual([(vma["start"], vma["end"]) for vma in told[:2]], [("0x10000", "0x20000"), ("0x20000", "0x30000")])

    def test_backward_mapping_is_refused_with_its_line(self):
        self.maps[2] = (0x40000, 0x30000, MAPS[2][2])
        self.refused(3)

    def test_garbled_line_is_refused_with_its_number(self):
        self.maps[3] = (0x40000, 0x50000, b"r-?p 00001000 08:01 99 /tmp/x")
        self.refused(4)

    def test_pagemap_that_is_too_short_is_no_error(self):
        self.entries = {0x10000: kernel.PRESENT | 0x1234}
        status, said, path = self.capture()
        self.assertEqual(status, 0, said)
        self.assertEqual(set(pages(self, path)), {0x10000})


if __name__ == "__main__":
    support.main()
