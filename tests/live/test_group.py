"""vmsnap group, against what the kernel says of each frame and of each process, and against programs that know what
they share."""

import collections
import os
import re
import struct
import sys
import unittest

import kernel
import support
from documents import SOURCE, blocks, read
from kernel import FILE, FRAME, PAGE, PRESENT
from support import Target, ask, capture, run, skip
from test_docs import Documents, matches, sessions

sys.path.insert(0, os.path.join(SOURCE, "tests", "reader"))

ZERO_PAGE = 1 << 24  # KPF_ZERO_PAGE
HUGETLB = 1 << 17


def kpage(name, frame):
    with open(f"/proc/{name}", "rb", buffering=0) as file:
        return struct.unpack("Q", os.pread(file.fileno(), 8, frame * 8))[0]


class Counted:
    """The frames of some processes, page by page, of the kernel's own files."""

    def __init__(self, pids):
        self.pages = {pid: collections.Counter() for pid in pids}  # {pid: {frame: how often}}
        self.kind = {}
        for pid in pids:
            for vma in kernel.maps(pid):
                if vma.name.startswith(b"[vvar"):
                    continue
                for entry in kernel.entries(pid, [(vma.start, vma.end)]).values():
                    if entry & PRESENT:
                        self.add(pid, vma, entry)
        self.flags = {frame: kpage("kpageflags", frame) for frame in self.kind}
        for frame in [frame for frame, flags in self.flags.items() if flags & (ZERO_PAGE | HUGETLB)]:
            del self.kind[frame]
            for pages in self.pages.values():
                pages.pop(frame, None)
        self.holders = collections.defaultdict(set)
        for pid, pages in self.pages.items():
            for frame in pages:
                self.holders[frame].add(pid)

    def add(self, pid, vma, entry):
        kind = "private" if not entry & FILE else "shared" if vma.perms[3] == "s" else "cache"
        order = ("private", "cache", "shared")
        frame = entry & FRAME
        self.pages[pid][frame] += 1
        self.kind[frame] = max(self.kind.get(frame, "private"), kind, key=order.index)

    def total(self, kind=None, holders=None):
        return PAGE * sum(kind in (None, self.kind[frame]) and holders in (None, len(pids))
                          for frame, pids in self.holders.items())

    def pair(self, a, b, kind):
        return PAGE * sum(self.kind[frame] == kind and frame in self.pages[b] for frame in self.pages[a])

    def own(self, pid):
        """Those that nobody else has, in all the world."""
        return PAGE * sum(kpage("kpagecount", frame) == times for frame, times in self.pages[pid].items())


    def uss(self):
        """Of the group: those that it has as often as the whole world."""
        return PAGE * sum(kpage("kpagecount", frame) == sum(pages.get(frame, 0) for pages in self.pages.values())
                          for frame in self.holders)


def rollup(pid):
    found = {}
    for line in kernel.read(f"/proc/{pid}/smaps_rollup").split(b"\n")[1:-1]:
        key, _, value = line.partition(b":")
        found[key.decode()] = int(value.split()[0]) * 1024
    return found


def writes(worker, percent, page):
    """Whether prefork.c's worker writes to the page."""
    return ((page * 2654435761 + worker * 40503) & 0xFFFFFFFF) // 65536 % 100 < percent


class Prefork(Target):
    def __init__(self, test, workers=3, mib=2, percent=20, *more, loader=(), **options):
        super().__init__(test, "prefork", *loader, workers, mib, percent, *more, **options)
        said = [line for line in self.lines if line.startswith("pids ")][-1]
        self.pids = [int(word) for word in said.split()[1:]]
        self.workers = self.pids[1:]
        for pid in self.pids:
            test.addCleanup(self.wait_for_sleep, pid)
            self.wait_for_sleep(pid)

    @staticmethod
    def wait_for_sleep(pid):
        """Until it waits for its next turn."""
        for _ in range(10000):
            try:
                if kernel.state(pid) in ("S", "Z"):
                    return
            except OSError:
                return

    @property
    def page_count(self):
        start, end = self.ranges["memory"]
        return (end - start) // PAGE


def by_pid(document):
    return {one["pid"]: one for one in document["processes"]}


@support.unmoved
class Frames(unittest.TestCase):
    def setUp(self):
        support.need_frames(self)

    def check(self, pids, document):
        counted, told = Counted(pids), by_pid(document)
        totals = document["totals"]
        self.assertEqual(sorted(told), sorted(pids))
        self.assertEqual(totals["frames"], counted.total())
        for kind in ("private", "cache", "shared"):
            self.assertEqual(totals[kind], counted.total(kind), kind)
            self.assertEqual(totals[f"by_all_{kind}"], counted.total(kind, len(pids)), kind)
        self.assertEqual(totals["own"], counted.total(holders=1))
        for pid in pids:
            others = {one["pid"]: one for one in told[pid]["with"]}
            self.assertEqual(told[pid]["rss"], PAGE * sum(counted.pages[pid].values()))
            for other in pids:
                if other != pid:
                    got = others.get(other, dict.fromkeys(("private", "cache", "shared"), 0))
                    for kind in ("private", "cache", "shared"):
                        self.assertEqual(got[kind], counted.pair(pid, other, kind), (pid, other, kind))
        return counted

    def test_what_is_shared_is_what_the_frames_say(self):
        target = Prefork(self, 3, 2, 20, "kinds")
        document = ask(self, "group", *target.pids)
        counted = self.check(target.pids, document)
        for pid, told in by_pid(document).items():
            self.assertEqual(told["own"], counted.own(pid), pid)
            self.assertEqual(told["source"], "frames")

    def test_the_kernel_counts_the_same(self):
        """smaps_rollup cuts PSS to a kilobyte.  What all map is the vdso, of which each process has a few bytes."""
        executable, words = support.copies_of_files(Prefork(self, 1, 1, 0))
        target = Prefork(self, 3, 2, 20, "kinds", executable=executable, loader=words)
        document = ask(self, "group", *target.pids)
        told, totals = by_pid(document), document["totals"]
        self.assertEqual(totals["uss"], Counted(target.pids).uss())
        self.assertEqual(totals["uss"] + totals["outside"], totals["frames"])
        self.assertEqual(totals["pss"], sum(one["pss"] for one in told.values()))
        for pid in target.pids:
            said = rollup(pid)
            self.assertLess(abs(told[pid]["pss"] - (said["Pss"] + 512)), 512 + 64, pid)
            self.assertEqual(told[pid]["rss"], said["Rss"], pid)
            self.assertEqual(told[pid]["uss"], said["Private_Clean"] + said["Private_Dirty"], pid)

    def test_a_program_that_knows_what_it_shares(self):
        target = Prefork(self, 3, 2, 20)
        document = ask(self, "group", *target.pids)
        start, end = target.ranges["memory"]
        entries = {pid: kernel.entries(pid, [(start, end)]) for pid in target.pids}
        for worker, pid in enumerate(target.workers, 1):
            expected = {page for page in range(target.page_count) if writes(worker, 20, page)}
            got = {page for page in range(target.page_count)
                   if entries[pid][start + page * PAGE] & FRAME != entries[target.pid][start + page * PAGE] & FRAME}
            self.assertEqual(got, expected)
        for worker, pid in enumerate(target.workers, 1):
            for other, other_pid in list(enumerate(target.workers, 1))[worker:]:
                neither = sum(not writes(worker, 20, page) and not writes(other, 20, page)
                              for page in range(target.page_count))
                pair = next(one for one in by_pid(document)[pid]["with"] if one["pid"] == other_pid)
                # And what both have of libc's data and their stacks.
                self.assertGreaterEqual(pair["private"], neither * PAGE)
                self.assertLess(pair["private"], (neither + 200) * PAGE)

    def test_what_was_lost_between_two_instants(self):
        target = Prefork(self, 2, 2, 10)
        path = capture(self, target.pid, "--tree")
        target.tell("")
        for pid in target.pids:
            target.wait_for_sleep(pid)
        result = run("capture", target.pid, "--tree", "--append", "-o", path)
        self.assertEqual(result.status, 0, result)
        pages = range(target.page_count)
        document = ask(self, "group", path)
        told = by_pid(document)
        # The second may have been first, or not, where both write: together they are the same.
        for worker, pid in enumerate(target.workers, 1):
            copied = sum(writes(worker, 20, page) and not writes(worker, 10, page) for page in pages)
            self.assertGreaterEqual(told[pid]["copied"], copied * PAGE)
            self.assertLess(told[pid]["copied"], (copied + 20) * PAGE)
        # What both workers have written by now is the master's alone.
        left = sum(all(writes(worker, 20, page) for worker in (1, 2)) and
                   not all(writes(worker, 10, page) for worker in (1, 2)) for page in pages)
        self.assertGreaterEqual(told[target.pid]["left"], left * PAGE)
        self.assertLess(told[target.pid]["left"], (left + 20) * PAGE)
        self.assertEqual(document["lost"], sum(one["lost"] for one in document["processes"]))
        rows = ask(self, "group", path, "--by", "mapping")["rows"]
        self.assertEqual(sum(row["lost"] for row in rows), document["lost"])
        names = ask(self, "group", path, "--by", "name", "--no-names")["rows"]
        self.assertEqual(sum(row["lost"] for row in names), document["lost"])
        # Two files, and a file and what is now, say the same.
        other = capture(self, target.pid, "--tree")
        for words in ((path + "@1..3", other), (path + "@1..3", *target.pids), (path + "@1..3", target.pid, "--tree")):
            self.assertEqual(ask(self, "group", *words)["lost"], document["lost"], words)

    def test_mappings_make_up_the_whole(self):
        target = Prefork(self, 2, 2, 10, "kinds")
        totals = ask(self, "group", *target.pids)["totals"]
        rows = ask(self, "group", *target.pids, "--by", "mapping")["rows"]
        self.assertEqual(sum(row["rss"] for row in rows), totals["rss"])
        self.assertEqual(sum(row["frames"] for row in rows), totals["frames"])
        self.assertEqual(sum(row["own"] for row in rows), totals["own"])
        # Between the two looks others may have mapped the same libraries.
        self.assertAlmostEqual(sum(row["pss"] for row in rows), totals["pss"], delta=totals["pss"] // 50)
        shared = next(row for row in rows if row["name"].startswith("/memfd:prefork"))
        # A fault brings in some pages around it.
        self.assertEqual((shared["frames"], shared["own"] + shared["shared"]), (64 * PAGE, 64 * PAGE))
        self.assertGreaterEqual(shared["by_all"], PAGE)
        self.assertEqual(shared["processes"], 3)

    def test_a_file_does_not_say_who_else_maps_a_frame(self):
        target = Prefork(self, 2, 2, 10)
        document = ask(self, "group", capture(self, target.pid, "--tree"))
        self.assertIsNone(document["totals"]["pss"])
        shares = sum(one["share"] for one in document["processes"])
        self.assertAlmostEqual(shares, document["totals"]["frames"], delta=3)
        self.assertEqual({one["pss"] for one in document["processes"]}, {None})
        self.assertIn(b"was not captured", run("group", capture(self, target.pid, "--tree")).out)

    def test_one_address_space_counts_once(self):
        target = Target(self, "kin", "clone_vm")
        child = int(target.lines[0].split()[1])
        document = ask(self, "group", target.pid, child)
        told = by_pid(document)
        self.assertEqual(document["totals"]["address_spaces"], 1)
        self.assertEqual(document["totals"]["rss"], told[target.pid]["rss"])
        self.assertEqual(document["totals"]["frames"], Counted([target.pid]).total())
        self.assertEqual((told[target.pid]["memory_of"], told[child]["memory_of"]), (None, target.pid))
        target.end()


class Words(unittest.TestCase):
    def test_without_privilege_smaps_says_what_it_can(self):
        support.need_others(self)
        target = Target(self, "cow_demo", user=support.NOBODY)
        pids = [int(word) for word in target.lines[0].split()[1:3]]
        document = ask(self, "group", *pids, user=support.NOBODY)
        for told in document["processes"]:
            said = rollup(told["pid"])
            self.assertEqual(told["source"], "smaps")
            self.assertIsNone(told["with"])
            # A kilobyte for each mapping, at the most.
            mappings = len(kernel.maps(told["pid"]))
            self.assertLessEqual(told["pss"], said["Pss"] + 1024)
            self.assertGreater(told["pss"], said["Pss"] - 1024 * (mappings + 1))
        self.assertIsNone(document["totals"]["frames"])
        text = run("group", *pids, user=support.NOBODY).out.decode()
        self.assertIn("who shares with whom is not known", text)
        self.assertRegex(text, r"(?m) \?$")

    def test_without_privilege_what_of_a_mapping_is_shared_is_unknown(self):
        support.need_others(self)
        target = Target(self, "cow_demo", user=support.NOBODY)
        pids = [int(word) for word in target.lines[0].split()[1:3]]
        path = capture(self, target.pid, "--tree", user=support.NOBODY)
        columns = "FRAMES,BY_ALL,SHARED,OWN"
        for words, names in (((path,), columns), ((path, *pids), columns + ",LOST")):
            rows = run("group", "--by", "mapping", "-r", "-n", "-o", names, *words, user=support.NOBODY).out.decode()
            self.assertEqual(set(rows.split()), {"?"}, rows)
        for row in ask(self, "group", "--by", "mapping", path, *pids, user=support.NOBODY)["rows"]:
            self.assertEqual({row["frames"], row["lost"], *row["before"].values()}, {None}, row)

    def test_without_privilege_no_name_is_told(self):
        support.need_others(self)
        target = Target(self, "cow_demo", user=support.NOBODY)
        pids = target.lines[0].split()[1:3]
        rows = run("group", "--by", "name", "-r", "-n", "-o", "SHARED,OWN,NAME", *pids, user=support.NOBODY).out.decode()
        self.assertEqual(set(rows.split()), {"?"}, rows)
        document = ask(self, "group", "--by", "name", *pids, user=support.NOBODY)
        self.assertEqual((document["known"], document["rows"]), (False, []))

    def test_what_is_refused(self):
        target = Target(self, "cow_demo")
        parent, child = (int(word) for word in target.lines[0].split()[1:3])
        first, second, third = (capture(self, parent, "--tree") for _ in range(3))
        apart = capture(self, parent)
        self.assertEqual(run("capture", child, "--append", "-o", apart).status, 0)
        for words, says in (
                ((first, second, third), "third instant"),
                ((first, second, parent), "third instant"),
                ((first, first), "is there twice"),
                ((f"{first}@pid:{parent}", f"{second}@pid:{child}"), "no process in common"),
                ((first, "--tree"), "--tree is for live"),
                ((first, "--by", "colour"), "--by takes mapping or name"),
                ((2 ** 22 + 1,), "no process")):
            result = run("group", *words)
            self.assertEqual(result.status, 2, (words, result))
            self.assertIn(says, result.err)
        # Two processes that were captured one after the other: the last is meant.
        self.assertEqual([one["pid"] for one in ask(self, "group", apart)["processes"]], [child])
        # Two words of one instant are one group.
        both = ask(self, "group", f"{first}@pid:{parent}", f"{first}@pid:{child}")
        self.assertEqual([one["pid"] for one in both["processes"]], [parent, child])
        self.assertIsNone(both["taken_before"])

    def test_of_a_master_alone_its_children_are_said_to_be_there(self):
        target = Prefork(self, 2, 1, 10)
        self.assertIn("has 2 children: --tree", run("group", target.pid).err)
        self.assertNotIn("--tree", run("group", target.pid, "--tree").err)

    def test_lines_are_no_wider_than_the_terminal(self):
        target = Prefork(self, 3, 1, 10)
        path = capture(self, target.pid, "--tree")
        target.tell("")
        self.assertEqual(run("capture", target.pid, "--tree", "--append", "-o", path).status, 0)
        for words in ((), ("--by", "mapping"), ("--by", "name")):
            for line in run("group", path, *words, "-w", "80").out.decode().split("\n"):
                self.assertLessEqual(len(line), 80, line)

    def test_numbers_do_not_touch_what_stands_behind_them(self):
        target = Prefork(self, 3, 1, 10)
        path = capture(self, target.pid, "--tree")
        target.tell("")
        self.assertEqual(run("capture", target.pid, "--tree", "--append", "-o", path).status, 0)
        for words in ((path + "@1..4",), (path + "@1..4", path)):
            for width in ("80", "160"):
                heading = run("group", *words, "-b", "-w", width).out.decode().split("\n\n")[0]
                self.assertRegex(heading, r"in frames +\d{7,}")
                self.assertNotRegex(heading, r"\d{14}|\d[a-z]")

    def test_raw_has_one_word_in_each_column(self):
        target = Prefork(self, 3, 1, 10)
        path = capture(self, target.pid, "--tree")
        for words in ((), ("--by", "mapping")):
            lines = run("group", path, *words, "-r").out.decode().splitlines()
            self.assertEqual({len(re.split(" ", line)) for line in lines}, {len(lines[0].split(" "))})


@support.unmoved
class Document(Documents):
    def setUp(self):
        support.need_frames(self)
        self.target = Prefork(self, 3, 8, 10)
        self.folder = support.world().home(support.me())

    def test_the_examples_print_what_the_document_says(self):
        found = blocks(read("docs", "groups.md"), "console")
        self.assertGreaterEqual(len(found), 3)
        for block in found:
            for command, expected in sessions(block):
                self.example(command, expected)

    def example(self, command, expected):
        if command.startswith("echo"):
            self.target.tell("")
            return
        result = self.shell(command.replace("4711", str(self.target.pid)))
        self.assertEqual(result.returncode, 0, f"{command}: {result.stdout}")
        self.assertTrue(matches(expected, result.stdout.split("\n")[:-1]),
                        f"{command} prints\n{result.stdout}\nand not\n" + "\n".join(expected))


if __name__ == "__main__":
    support.main()
