"""Trees of processes in files: how one of them is named, what two times of a tree differ in, and
sums in which a frame counts once, against what the kernel's page tables say."""

import ctypes
import mmap
import os
import re
import time
import unittest

import kernel
import support
from kernel import PAGE
from support import Target, ask, capture, each_user, need_frames, run, sees_frames, unmoved

PRESENT, FRAME = 1 << 63, (1 << 55) - 1


class Tree(unittest.TestCase):
    def setUp(self):
        self.target = Target(self, "tree")

    def fork(self):
        time.sleep(0.02)  # the kernel tells when it was in ticks: what was captured before lies in an earlier one
        self.target.tell("fork")
        pid, until = int(self.target.lines[-1].split()[1]), time.monotonic() + 30 * support.SLOWNESS
        while kernel.state(pid) == "R" and time.monotonic() < until:
            time.sleep(0.001)  # it has begun when it waits for orders
        return pid

    def one_tree(self, workers=3, *options, user=None):
        self.workers = [self.fork() for _ in range(workers)]
        return capture(self, self.target.pid, "--tree", *options, user=user)

    def append(self, path, *options):
        result = run("capture", self.target.pid, "--tree", "--append", "-o", path, *options)
        self.assertEqual(result.status, 0, result)
        return result

    def pid_of(self, snapshot):
        result = run("show", "--long", snapshot)
        self.assertEqual(result.status, 0, result)
        return int(re.match(rb"process +(\d+)", result.out).group(1))


class Names(Tree):
    def test_a_process_of_a_tree_has_a_name(self):
        path = self.one_tree(3, "--label", "before")
        self.append(path, "--label", "after")
        first = self.workers[0]
        times = [one["taken"] for one in ask(self, "list", path)["snapshots"]]
        for word, time in ((f"pid:{first}", times[-1]), (f"pid:{first}@1", times[0]), (f"pid:{first}@-1", times[-1]),
                           (f"pid:{first}@before", times[0]), (f"pid:{first}@label:after", times[-1])):
            shown = ask(self, "show", f"{path}@{word}")["snapshot"]
            self.assertEqual((shown["pid"], shown["taken"]), (first, time), word)
        for what in ("diff", "cow"):
            pair = (f"{path}@pid:{self.target.pid}", f"{path}@pid:{first}")
            self.assertEqual(ask(self, what, *pair, "--totals", status=(0, 1))["schema"], f"vmsnap.{what}/1")

    def test_a_label_of_several_processes_is_refused(self):
        path = self.one_tree(2, "--label", "same")
        result = run("show", path + "@same")
        self.assertEqual((result.status, result.out), (2, b""))
        self.assertIn("several processes have the label \"same\"", result.err)
        found = re.search(r"@pid:(\d+)@same", result.err)
        self.assertEqual(self.pid_of(path + found.group()), int(found.group(1)))

    def changes(self, *words, status=(1,)):
        """{number: what became of it}"""
        return {one["pid"]: one["change"] for one in ask(self, "diff", *words, status=status)["processes"]}

    def test_labels_of_trees_are_compared_as_trees(self):
        path = self.one_tree(2, "--label", "before")
        self.target.tell("end")
        new = self.fork()
        self.append(path, "--label", "after")
        became = self.changes(path + "@before", path + "@after")
        self.assertEqual({pid: became[pid] for pid in (self.workers[0], new)}, {self.workers[0]: "went", new: "came"})
        self.assertLessEqual({self.target.pid, self.workers[1]}, set(became))
        answer = ask(self, "cow", path + "@before", path + "@after")
        self.assertEqual([one["pid"] for one in answer["processes"] if one["came"]], [new])
        self.assertEqual(self.changes(path + "@before..before", path + "@after"), became)
        # The label of a tree is that of its newest time, as one process's is.
        self.append(path, "--label", "before")
        self.assertNotIn(self.workers[0], self.changes(path + "@before", path, status=(0, 1)))
        # Which of two trees is meant nobody can tell.
        other = Target(self, "tree")
        other.tell("fork")
        run("capture", other.pid, "--tree", "--append", "-o", path, "--label", "before")
        result = run("diff", path + "@before", path + "@after")
        self.assertEqual((result.status, result.out), (2, b""))
        self.assertIn("several processes have the label \"before\"", result.err)

    def test_who_is_only_not_chosen_neither_came_nor_went(self):
        path = self.one_tree(2)
        self.append(path)
        server = self.target.pid
        for words, left_out in (((f"{path}@2..3", f"{path}@4..6"), f"{path}@2..3"),
                                ((f"{path}@1..3", f"{path}@5..6"), f"{path}@5..6")):
            self.assertEqual(set(self.changes(*words, status=(0, 1))), set(self.workers), words)
            self.assertIn(f"{left_out} leaves out {server}: not compared", run("diff", *words).err)
        self.assertNotIn("leaves out", run("diff", f"{path}@2..3", f"{path}@5..6").err)

    def test_who_was_there_before_did_not_come(self):
        """Two of them were captured, and then all three."""
        self.one_tree(2)
        path = os.path.join(support.world().home(support.me()), "two.vms")
        time.sleep(0.05)
        self.assertEqual(run("capture", *self.workers, "-o", path).status, 0)
        became = self.changes(path, capture(self, self.target.pid, "--tree"))
        self.assertEqual(became[self.target.pid], "only_in_b")
        text = run("diff", path, capture(self, self.target.pid, "--tree")).out.decode()
        self.assertIn("0 came, 0 went", text)
        self.assertIn("1 only in B", text)

    def test_a_label_of_one_process_is_the_newest(self):
        path = capture(self, self.target.pid, "--label", "same")
        run("capture", self.target.pid, "--append", "-o", path, "--label", "same")
        taken = [one["taken"] for one in ask(self, "list", path)["snapshots"]]
        self.assertEqual(ask(self, "show", path + "@same")["snapshot"]["taken"], taken[1])

    def test_what_means_several_is_not_shown_as_one(self):
        path = self.one_tree(2)
        for command in ("show", "pages"):
            self.assertEqual(len(ask(self, command, path + "@1..3")), 3)
        result = run("status", path + "@1..3")
        self.assertEqual((result.status, result.out), (2, b""))
        self.assertIn("are 3 snapshots", result.err)
        # One process would make all the others look as if they had gone.
        result = run("diff", path, f"{path}@pid:{self.workers[0]}")
        self.assertEqual((result.status, result.out), (2, b""))
        self.assertIn(f"FILE@pid:{self.workers[0]}", result.err)

    def test_processes_of_one_instant_are_not_two_times(self):
        """Siblings were compared as if one had become the other."""
        path = self.one_tree(2)
        result = run("diff", path)
        self.assertEqual((result.status, result.out), (2, b""))
        self.assertIn("holds 3 processes of one instant", result.err)
        self.append(path)
        result = run("diff", path + "@1..4")
        self.assertEqual(result.status, 1, result)
        result = run("diff", path + "@2..5", path + "@4..6")
        self.assertEqual(result.status, 2, result)
        self.assertIn("not captured at one instant", result.err)


def zero_frames():
    """Where the zero page lies: what is only read of private memory is mapped to it."""
    memory = mmap.mmap(-1, PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    assert memory[0] == 0
    view = ctypes.c_char.from_buffer(memory)
    address = ctypes.addressof(view)
    found = kernel.entries(os.getpid(), [(address, address + PAGE)])
    return {entry & FRAME for entry in found.values()}


def frames_of(pid):
    """All that the process has in memory."""
    ranges = [(vma.start, vma.end) for vma in kernel.maps(pid)]
    return {entry & FRAME for entry in kernel.entries(pid, ranges).values() if entry & PRESENT}


class Sums(Tree):
    def test_a_frame_counts_once(self):
        need_frames(self)
        self.target.tell("pool 40")
        path = self.one_tree(4)
        self.append(path)
        pids = [self.target.pid, *self.workers]
        distinct = len(set.union(*(frames_of(pid) for pid in pids)) - zero_frames()) * PAGE
        answer = ask(self, "diff", path)
        self.assertEqual(answer["schema"], "vmsnap.set_diff/1")
        self.assertEqual(answer["totals"]["distinct_b"], distinct)
        summed = sum(process["resident_b"] for process in answer["processes"])
        self.assertGreater(summed, distinct + 4 * 48 * PAGE)

    def test_capture_says_what_it_comes_to(self):
        self.target.tell("pool 40")
        path = self.one_tree(4)
        result = self.append(path)
        said = re.search(r": 5 processes, \d+ mappings, ([\d.]+)([KM]) resident, ", result.err)
        bytes_ = float(said.group(1)) * {"K": 1 << 10, "M": 1 << 20}[said.group(2)]
        answer = ask(self, "diff", path)
        summed = sum(process["resident_b"] for process in answer["processes"])
        wanted = answer["totals"]["distinct_b"] or summed
        self.assertTrue(abs(bytes_ - wanted) <= wanted / 100, (result.err, wanted))
        if not support.FRAMES:
            self.assertIn("which counts for each of them here", result.err)


class Differences(Tree):
    def processes(self, answer):
        return {process["pid"]: process for process in answer["processes"]}

    @each_user
    def test_each_process_is_compared_with_itself(self, user):
        self.target = Target(self, "tree", user=user)
        path = self.one_tree(2, user=user)
        self.target.tell("write 7")
        self.target.tell("pool 5")
        self.target.tell("end")
        new = self.fork()
        result = run("capture", self.target.pid, "--tree", "--append", "-o", path, user=user)
        self.assertEqual(result.status, 0, result)
        answer = ask(self, "diff", path, status=(1,), user=user)
        found = self.processes(answer)
        self.assertEqual({pid: process["change"] for pid, process in found.items()},
                         {self.target.pid: "changed", self.workers[1]: "changed", self.workers[0]: "went", new: "came"})
        self.assertEqual([found[new]["a"], found[self.workers[0]]["b"]], [None, None])
        # The commands themselves bring in more: of the C library, of the stack.
        self.assertGreaterEqual(found[self.target.pid]["new"], 5 * PAGE)
        if sees_frames(user):
            self.assertGreaterEqual(found[self.workers[1]]["copied"], 7 * PAGE)
            for kind, least in (("copied", 7), ("new", 5)):
                self.assertGreaterEqual(answer["totals"][kind], least * PAGE)
                self.assertLessEqual(answer["totals"][kind], sum(one[kind] or 0 for one in answer["processes"]))
        else:
            self.assertIsNone(found[self.workers[1]]["copied"])
            self.assertEqual(set(answer["totals"].values()), {None})
        text = run("diff", path, user=user).out.decode()
        self.assertRegex(text, rf"(?m)^ *{new} \S+ +came ")
        self.assertIn("1 came, 1 went.", text)
        sums = [sum(one[key] or 0 for one in answer["processes"]) for key in ("other", "vmas")]
        words = ["changed otherwise" in text, bool(re.search(r"\d changes? of mappings", text))]
        self.assertEqual((words, "In each process for itself:" in text), ([bool(one) for one in sums], any(sums)), text)

    def test_two_files_of_a_tree(self):
        before = self.one_tree(2)
        after = capture(self, self.target.pid, "--tree")
        answer = ask(self, "diff", before, after, status=(0, 1))
        self.assertEqual(len(answer["processes"]), 3)
        self.assertTrue(all(process["a"] and process["b"] for process in answer["processes"]))

    def test_one_process_at_two_times_is_a_diff_as_ever(self):
        path = capture(self, self.target.pid)
        run("capture", self.target.pid, "--append", "-o", path)
        self.assertEqual(ask(self, "diff", path, status=(0, 1))["schema"], "vmsnap.diff/1")
        self.assertEqual(ask(self, "diff", path, path, status=(0,))["schema"], "vmsnap.diff/1")


@unmoved
class Forks(Tree):
    def called(self, pattern, *words):
        """{start: what a mapping is called}"""
        result = run(*words, "-w", "1000")
        self.assertIn(result.status, (0, 1), result)
        return {int(start, 16): name for start, name in re.findall(pattern, result.out.decode())}

    def test_memory_behind_a_file_has_one_name_everywhere(self):
        before = capture(self, self.target.pid)
        path = self.one_tree(1)
        row = r"(?m)^([0-9a-f]+) +(\S.*)$"
        shown = self.called(row, "show", f"{path}@1", "-l", "-n", "-o", "START,MAPPING")
        # What was mapped right behind it is of one mapping with it, as some kernels lay things out.
        bss = {start: name for start, name in shown.items() if name.endswith(("(.bss)", "(.bss, and more)"))}
        self.assertTrue(bss, shown)
        groups = self.called(r"(?m)^([0-9a-f]+)-[0-9a-f]+ \S+ (.*?): ", "cow", path, "--long")
        changed = self.called(row, "diff", before, f"{path}@1", "-n", "-o", "START,MAPPING")
        self.assertEqual({start: groups.get(start) for start in bss}, bss)
        # That pages are shared since the fork is no change of theirs: it may not be listed.
        self.assertEqual({start: changed[start] for start in bss if start in changed},
                         {start: name for start, name in bss.items() if start in changed})

    def test_all_forks_of_a_tree(self):
        need_frames(self)
        first = capture(self, self.target.pid, "--tree")
        self.fork()
        self.target.tell("write 9")
        second = self.fork()
        path = capture(self, self.target.pid, "--tree")
        for words in ((path, "--base", first), (first, path)):
            answer = ask(self, "cow", *words)
            self.assertEqual(answer["schema"], "vmsnap.set_cow/1")
            found = {process["pid"]: process for process in answer["processes"]}
            worker, other = (found[pid] for pid in (int(self.target.lines[0].split()[1]), second))
            self.assertIsNone(found[self.target.pid]["totals"])
            self.assertEqual((worker["parent"], other["parent"]), (self.target.pid, self.target.pid))
            self.assertTrue(worker["came"] and other["came"])
            self.assertEqual(worker["base"]["pid"], self.target.pid)
            # Of the table; a little more of the stack and the program's data.  By whom is not told if the
            # kernel moved pages meanwhile.
            copied = worker["totals"]["copied_by_child"] + worker["totals"]["copied"]
            self.assertGreaterEqual(copied, 9)
            self.assertGreaterEqual(other["totals"]["shared"], 64 - 9)
            # The pool is one, whoever maps it.
            self.assertEqual(answer["distinct"]["shared_mapping"], 8 * PAGE)

    @each_user
    def test_what_is_inferred_is_said_so(self, user):
        self.target = Target(self, "tree", user=user)
        path = self.one_tree(2, user=user)
        forks = [one for one in ask(self, "cow", path, user=user)["processes"] if one["parent"]]
        text = run("cow", path, user=user).out.decode()
        self.assertEqual(len(forks), 2)
        for one in forks:
            # Without a base two pages may be new as well as copied; what is shared, frames tell.
            words = ["copied", "zero_shared"]
            words += [] if sees_frames(user) else ["shared"]
            self.assertEqual(one["inferred"], sum(one["totals"][word] for word in words))
            self.assertGreater(one["totals"]["shared"], 0)
        self.assertEqual("without PFNs" in text, not sees_frames(user))
        # First comes the answer, of both forks together.
        lost = sum(one["totals"][word] for one in forks for word in ("copied", "copied_by_child", "copied_by_parent", "copied_by_both"))
        share = 100 * lost / (lost + sum(one["totals"]["shared"] for one in forks))
        told = re.match(r"([0-9.]+)% of the sharing is lost in 2 forks: " if sees_frames(user) else
                        r"How much of the sharing is lost is not known; inferred: ([0-9.]+)%, ", " ".join(text.split()))
        self.assertIsNotNone(told, text)
        self.assertAlmostEqual(float(told[1]), share, delta=0.06)
        self.assertEqual("INFERRED" in text, any(one["inferred"] for one in forks))
        # Like its neighbours it tells sizes.
        listed = run("cow", path, "-r", "-n", "-b", "-o", "PID,INFERRED", user=user).out.decode().split()
        told = dict(zip(map(int, listed[::2]), listed[1::2]))
        for one in forks:
            self.assertEqual(told[one["pid"]], str(one["inferred"] * PAGE) if one["inferred"] else "-")

    def shares_of(self, pairs, *base, user):
        """{what: bytes} of these forks, each by itself, range by range; and how much of lost and shared is inferred."""
        found = dict.fromkeys(("lost", "shared", "unknown", "lost inferred", "shared inferred", "unknown inferred"), 0)
        for pair in pairs:
            for one in ask(self, "cow", *pair, *base, user=user)["ranges"]:
                what = "lost" if one["verdict"].startswith("copied") else one["verdict"]
                if what in found:
                    found[what] += one["pages"] * PAGE
                    found[f"{what} inferred"] += one["pages"] * PAGE * one["inferred"]
        return found

    @each_user
    def test_the_answer_is_that_of_its_forks(self, user):
        """Of a base before the fork, which is no proof that nothing was copied by then, it says what is inferred."""
        self.target = Target(self, "tree", user=user)
        first = capture(self, self.target.pid, "--tree", user=user)
        self.workers = [self.fork(), self.fork()]
        self.target.tell("write 9")
        path = capture(self, self.target.pid, "--tree", user=user)
        pairs = [[f"{path}@pid:{pid}" for pid in (self.target.pid, worker)] for worker in self.workers]
        for base in ((), ("--base", first)):
            found = self.shares_of(pairs, *base, user=user)
            self.assertGreater(found["shared"], 0)
            self.assertGreater(found["lost inferred"], 0, "or it would be told as it was without it")
            text = run("cow", path, *base, "-b", "-w", "1000", "--ascii", user=user).out.decode().split("\n")[0]
            lost, shared = found["lost"], found["shared"]
            facts = lost + shared > found["lost inferred"] + found["shared inferred"]
            self.assertEqual(facts, " of the sharing is lost in 2 forks: " in text, text)
            self.assertEqual(not facts, "is not known; inferred: " in text, text)
            self.assertAlmostEqual(float(re.search(r"([0-9.]+)%", text)[1]), 100 * lost / (lost + shared), delta=0.06)
            for pattern, key in ((r"(\d+) (?:of that|by whom is not known,) inferred", "lost inferred"),
                                 (r"; that (\d+) is shared is inferred", "shared inferred")):
                told = re.search(pattern, text)
                self.assertEqual(int(told[1]) if told else 0, found[key] if facts else 0, text)
            told = re.search(r"; of (\d+) nothing is known", text)
            self.assertEqual(int(told[1]) if told else 0, found["unknown"], text)
            forks = [one for one in ask(self, "cow", path, *base, user=user)["processes"] if one["parent"]]
            self.assertEqual(sum(one["inferred_totals"][word] for one in forks for word in one["inferred_totals"]
                                 if word.startswith("copied")) * PAGE, found["lost inferred"])

    def test_a_file_with_a_tree_and_its_past(self):
        path = self.one_tree(1)
        self.target.tell("end")
        new = [self.fork(), self.fork()]
        self.append(path)
        answer = ask(self, "cow", path)
        self.assertEqual([process["pid"] for process in answer["went"]], self.workers)
        self.assertEqual(sorted(process["pid"] for process in answer["processes"] if process["came"]), sorted(new))

    def test_columns_sum_up_to_what_the_fork_cost(self):
        """As the line of one fork has it."""
        need_frames(self)
        base = self.one_tree(2)
        self.target.tell("write 9")
        path = capture(self, self.target.pid, "--tree")
        pair = [f"{{}}@pid:{pid}" for pid in (self.target.pid, self.workers[1])]
        one = ask(self, "cow", *(word.format(path) for word in pair), "--base", base)
        words = ("BY_CHILD", "BY_PARENT", "BY_BOTH", "COPIED", "NEW")
        table = run("cow", base, path, "-r", "-n", "-b", "-o", ",".join(("PID", *words))).out.decode()
        row = next(line.split() for line in table.splitlines() if line.startswith(f"{self.workers[1]} "))
        found = [0 if cell == "-" else int(cell) for cell in row[1:]]
        self.assertEqual(sum(found[:4]), one["cost"]["copied"])
        self.assertEqual(found[4], one["cost"]["new"])

    def test_who_went_is_told_beside_the_one_fork_that_is_left(self):
        base = self.one_tree(2)
        self.target.tell("end")
        path = capture(self, self.target.pid, "--tree")
        result = run("cow", base, path)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"process {self.workers[0]} tree is in the base, and not in the tree any more", result.err)

    def test_one_fork_is_told_in_full(self):
        path = self.one_tree(1)
        self.assertEqual(ask(self, "cow", path)["schema"], "vmsnap.cow/1")
        self.append(path)
        answer = ask(self, "cow", path)
        self.assertEqual(answer["schema"], "vmsnap.cow/1")
        self.assertEqual(answer["base"]["pid"], self.target.pid)

    def test_the_base_of_a_fork_is_taken_out_of_a_tree(self):
        base = self.one_tree(2)
        pair = (f"{base}@pid:{self.target.pid}", f"{base}@pid:{self.workers[1]}")
        self.assertEqual(ask(self, "cow", *pair, "--base", base)["base"]["pid"], self.target.pid)
        other = Target(self, "tree")
        result = run("cow", *pair, "--base", self.tree_of(other))
        self.assertEqual(result.status, 2, result)
        self.assertIn("the base holds neither process", result.err)

    def tree_of(self, target):
        target.tell("fork")
        return capture(self, target.pid, "--tree")


if __name__ == "__main__":
    support.main()
