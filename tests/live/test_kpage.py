"""What the kernel's own tables say of frames (capture --kpage), held against the tables themselves."""

import os
import subprocess
import unittest

import kernel
import support
from kernel import PAGE
from support import NOBODY, Target, ask, capture, me, need_frames, need_namespaces, need_others, number, run, skip, world

# Bits that do not come and go by the kernel's own housekeeping while a process stands still.
STEADY = {"anonymous": 12, "swapbacked": 14, "compound_head": 15, "compound_tail": 16, "hugetlb": 17, "ksm": 21, "thp": 22,
          "zero_page": 24}


def told(test, path, *words):
    """{address: what `pages` tells of the page}, of those that are present."""
    found = {}
    for each in ask(test, "pages", path, *words)["runs"]:
        for index in range(each["pages"] if each["state"] == "present" else 0):
            found[number(each["start"]) + index * PAGE] = each
    return found


class Tables(unittest.TestCase):
    def setUp(self):
        need_frames(self)
        self.target = Target(self, "mappers")
        self.path = capture(self, self.target.pid, "--kpage")
        vmas = [vma for vma in kernel.maps(self.target.pid) if vma.end < 1 << 47]
        found = kernel.entries(self.target.pid, [(vma.start, vma.end) for vma in vmas])
        self.frames = {at: entry & kernel.FRAME for at, entry in found.items() if entry & kernel.PRESENT}

    def of_range(self, name):
        start, end = self.target.ranges[name]
        return told(self, self.path, f"{start:x}-{end:x}")

    @support.unmoved
    def test_how_often_pages_are_mapped_is_known_of_each(self):
        if not kernel.counts_each_page():
            skip(self, "this kernel counts only averages")
        for name in ("page", "first", "second"):
            pages = self.of_range(name)
            self.assertEqual(pages[self.target.ranges[name][0]]["mapped_times"], 4, name)
        # Of what only this process and its children have; files are others' as well.
        own = [vma for vma in kernel.maps(self.target.pid) if vma.name in (b"", b"[heap]", b"[stack]")]
        counted = 0
        for at, page in told(self, self.path).items():
            if not any(vma.start <= at < vma.end for vma in own) or "zero" in page["flags"]:
                continue
            frame = number(page["pfn"]) + (at - number(page["start"])) // PAGE
            self.assertEqual(frame, self.frames[at])
            self.assertEqual(page["mapped_times"], kernel.page_counts({frame})[frame], hex(at))
            self.assertTrue(page["mapped_times"] == 1 or "exclusive" not in page["flags"])
            counted += page["mapped_times"] > 1
        self.assertGreater(counted, 2)

    @support.unmoved
    def test_flags_are_those_of_the_table(self):
        pages, known = told(self, self.path), 0
        for at, page in pages.items():
            frame = self.frames.get(at)
            if "kernel_flags" not in page or page["pfn"] is None or frame is None:
                continue
            word = kernel.page_flags([frame])[frame]
            self.assertEqual({name for name in page["kernel_flags"] if name in STEADY},
                             {name for name, bit in STEADY.items() if word >> bit & 1}, hex(at))
            known += 1
        self.assertGreater(known, len(pages) * 9 // 10)

    def test_what_it_knows_is_said(self):
        text = " ".join(run("show", "-l", self.path).out.decode().split())
        self.assertRegex(text, r"pages the kernel's flags, as of [\d.]+ \w+ later; how often they are mapped; ")
        plain = capture(self, self.target.pid)
        self.assertNotIn("the kernel's flags", run("show", "-l", plain).out.decode())
        self.assertNotIn("mapped_times", str(ask(self, "pages", plain)))
        start = self.target.ranges["page"][0]
        page = run("page", self.path, hex(start)).out.decode()
        self.assertRegex(page, r"(?m)^mapped +4 times, by all processes\n")
        self.assertRegex(page, r"(?m)^kernel +(\w+,)*anonymous(,\w+)*\n")
        self.assertEqual(ask(self, "page", self.path, hex(start))["mapped_times"], 4)
        table = run("pages", self.path, hex(start), "-r", "-o", "START,MAPPED,KERNEL").out.decode().splitlines()
        self.assertEqual((table[0], table[1].split()[:2]), ("START MAPPED KERNEL", [f"{start:x}", "4"]))

    def test_runs_are_cut_only_if_it_is_asked_for(self):
        whole, cut = (run("pages", self.path, "-r", "-n", *words).out.splitlines() for words in ((), ("-o", "START,KERNEL")))
        self.assertLessEqual(len(whole), len(cut))
        starts = {line.split()[0] for line in cut}
        self.assertLessEqual({line.split()[0] for line in whole}, starts)

    def test_it_comes_back_out_of_a_file_that_was_appended_to(self):
        run("capture", self.target.pid, "-o", self.path, "--append", "--kpage")
        first, second = (told(self, f"{self.path}@{n}") for n in (1, 2))
        start = self.target.ranges["page"][0]
        self.assertEqual(first[start]["mapped_times"], second[start]["mapped_times"])
        self.assertEqual(run("check", self.path).status, 0)

    def test_without_a_table_it_is_not_known(self):
        need_namespaces(self, "--mount")
        path = self.path + "2"
        for hidden, gone, kept in (("kpageflags", "kernel_flags", "mapped_times"), ("kpagecount", "mapped_times", "kernel_flags")):
            words = f'mount --bind /dev/null /proc/{hidden} && exec "$@"'
            done = subprocess.run(["unshare", "--mount", "sh", "-c", words, "sh", world().vmsnap, "capture", "--kpage",
                                   str(self.target.pid), "-o", path], stderr=subprocess.PIPE, env=world().env)
            if b"mount" in done.stderr:
                skip(self, f"files of /proc cannot be hidden here: {done.stderr.decode().strip()}")
            self.assertIn(b"not known, of what --kpage tells: ", done.stderr)
            page = told(self, path)[self.target.ranges["page"][0]]
            self.assertNotIn(gone, page)
            # Whether counts are of each page is found out by a look at the flags of a page of ours.
            if hidden == "kpagecount":
                self.assertIn(kept, page)


class Nodes(unittest.TestCase):
    def test_nodes_add_up_to_what_is_resident(self):
        target = Target(self, "mappers")
        path = capture(self, target.pid, "--kpage")
        answer = run("show", path, "--by", "node", "--json")
        if answer.status:
            skip(self, "this kernel knows no nodes")
        told_ = ask(self, "show", path, "--by", "node")
        self.assertEqual(told_["by"], "node")
        self.assertEqual(sum(each["resident"] for each in told_["groups"]), told_["total"]["resident"])
        self.assertEqual(told_["total"]["resident"], ask(self, "show", path)["total"]["resident"])
        self.assertIn(0, [each["node"] for each in told_["groups"]])

    def test_of_a_snapshot_without_them_that_is_said(self):
        path = capture(self, os.getpid(), "--no-freeze")
        done = run("show", path, "--by", "node")
        self.assertEqual(done.status, 2)
        self.assertIn("does not know the NUMA nodes", done.err)
        self.assertIn("expected kind, file or node", run("show", path, "--by", "color").err)

    def test_without_privilege_nodes_are_known_and_tables_are_not(self):
        need_others(self)
        target = Target(self, "mappers", user=NOBODY)
        path = capture(self, target.pid, "--kpage", user=NOBODY)
        start = target.ranges["page"][0]
        page = told(self, path)[start]
        self.assertEqual(("kernel_flags" in page, "mapped_times" in page), (False, False))
        done = run("capture", target.pid, "--kpage", "-o", path + "2", user=NOBODY)
        self.assertIn("how often they are mapped", done.err)
        self.assertIn("(root would know)", done.err)
        if "NUMA nodes" not in done.err:
            self.assertIsNotNone(page["node"])

    def test_kinds_are_what_people_call_memory(self):
        target = Target(self, "heaps")
        path = capture(self, target.pid)
        answer = ask(self, "show", path, "--by", "kind", user=me())
        found = {each["kind"]: each for each in answer["groups"]}
        self.assertLessEqual({"program", "library", "stack", "vdso"}, set(found))
        self.assertEqual(sum(each["mappings"] for each in found.values()), answer["total"]["mappings"])
        self.assertEqual(answer["total"]["resident"], ask(self, "show", path)["total"]["resident"])


if __name__ == "__main__":
    support.main()
