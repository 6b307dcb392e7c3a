"""How much of the sharing is lost, and who has what: what `cow` and `show` say to people is what is counted here from
JSON, range by range and page by page; and what they fold for people they do not fold for programs."""

import datetime
import json
import os
import re
import subprocess
import tempfile
import unittest

import json_inputs
import test_report

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
REDIS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "terminal", "redis.vms")
COPIERS = {"copied_by_parent": "by the parent", "copied_by_child": "by the child", "copied_by_both": "by both",
           "copied": "by whom is not known"}
COLUMNS = {"copied_by_parent": "PARENT", "copied_by_child": "CHILD", "copied_by_both": "BOTH", "copied": "EITHER",
           "shared": "SHARED"}


def run(*words, status=(0, 1)):
    result = subprocess.run([VMSNAP, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=False)
    assert result.returncode in status, (words, result.stderr)
    return result.stdout


def told(*words):
    return json.loads(run(*words, "--json"))


def percent(part, whole):
    tenths = (part * 1000 + whole // 2) // whole
    if part and not tenths:
        return "less than 0.1%"
    if tenths >= 1000:
        return "100%" if part == whole else "more than 99.9%"
    return f"{tenths // 10}.{tenths % 10}%"


class Shares:
    """What ranges of a `cow --json` come to, in bytes."""

    def __init__(self, ranges, page_size):
        self.by = dict.fromkeys((*COPIERS, "shared"), 0)
        self.inferred = dict.fromkeys(self.by, 0)
        for each in ranges:
            if each["verdict"] in self.by and not each["touched_by_debugger"]:
                self.by[each["verdict"]] += each["pages"] * page_size
                self.inferred[each["verdict"]] += each["pages"] * page_size * each["inferred"]
        self.lost = sum(self.by[name] for name in COPIERS)
        self.all = self.lost + self.by["shared"]
        self.lost_inferred = sum(self.inferred[name] for name in COPIERS)
        self.facts = self.all - sum(self.inferred.values())

    def sentence(self):
        """Its begin, in bytes."""
        once = bool(self.facts) and self.by["copied"] == self.inferred["copied"] == self.lost_inferred != 0
        copiers = ", ".join(f"{self.by[name]} {words}{', inferred' if once and name == 'copied' else ''} (x)"
                            for name, words in COPIERS.items() if self.by[name])
        if not self.all:
            return "Nothing is shared, and nothing was copied"
        if not self.facts:
            share = f"How much of the sharing is lost is not known; inferred: {percent(self.lost, self.all)}"
            return f"{share}, {copiers}" if self.lost else f"{share} of {self.by['shared']}"
        if not self.lost:
            return f"None of the sharing is lost: {self.by['shared']} is shared"
        inferred = f"; {self.lost_inferred} of that inferred" if self.lost_inferred and not once else ""
        return f"{percent(self.lost, self.all)} of the sharing is lost: {copiers}{inferred}"


def table(text):
    """[{column: text}] of what stands below the headings: numbers end where their heading does."""
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("START"))
    heads = [(match[0], match.start(), match.end()) for match in re.finditer(r"\S+", lines[at])]
    rows = []
    for line in lines[at + 1:]:
        if not re.match(r"[0-9a-f]{8,16} +[0-9.]+[KMGT]? ", line):
            break
        row = {name: re.search(r"\S*\Z", line[:end])[0] for name, _, end in heads if name not in ("START", "PAGES", "PERM")}
        rows.append({**row, "START": line.split()[0], "MAPPING": line[heads[-1][1]:].strip()})
    return rows


class Cow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-shares-")
        cls.addClassCleanup(folder.cleanup)
        cls.paths = json_inputs.write(folder.name)
        cls.hidden = os.path.join(folder.name, "hidden.vms")
        run("copy", REDIS, "-o", cls.hidden, "--strip", "pfns")

    def pairs(self):
        for path in (REDIS, self.hidden):
            for base in ((), ("--base", f"{path}@1"), ("--base", f"{path}@2")):
                yield (f"{path}@3", f"{path}@4", *base)
                yield (f"{path}@1", f"{path}@2", *base)
        yield (self.paths["a"], self.paths["child"])
        yield (self.paths["later"] + "@1", self.paths["later"] + "@2", "--base", self.paths["tree"] + "@1")

    def counted(self, *words):
        document = told("cow", *words, "--no-names")
        return document, Shares(document["ranges"], document["child"]["page_size"])

    def test_the_answer_is_what_the_ranges_come_to(self):
        facts = []
        for words in self.pairs():
            with self.subTest(words=words):
                document, shares = self.counted(*words)
                if document["not_compared"]:
                    continue
                text = run("cow", *words, "--no-names", "-b", "-w", "0", "--ascii").split("\n")
                said = re.sub(r"\([#%~]\??\)", "(x)", text[0])
                self.assertTrue(said.startswith(shares.sentence()), (said, shares.sentence()))
                facts.append(bool(shares.facts))
        self.assertEqual(set(facts), {True, False})

    def test_without_frames_nothing_is_told_as_a_fact(self):
        text = run("cow", self.hidden + "@3", self.hidden + "@4", "--no-names", "-w", "80", "--ascii").split("\n")
        self.assertTrue(text[0].startswith("How much of the sharing is lost is not known; inferred: "), text[0])
        bar = next(line for line in text if re.fullmatch(r"[#%~=?]{80}", line))
        self.assertRegex(bar, r"\A(~\?)+~?(\?=|=\?)+", "hatched")
        self.assertNotRegex("\n".join(text), r"(?m)^[0-9.]+% of the sharing is lost")

    def test_what_one_side_copied_later_may_be_more(self):
        words = (f"{REDIS}@3", f"{REDIS}@2", "--base", f"{REDIS}@1")
        said = run("cow", *words, "--no-names", "-b", "-w", "0", "--ascii").split("\n")[0]
        shares = self.counted(*words)[1]
        self.assertTrue(re.sub(r"\([#%~]\??\)", "(x)", said).startswith(f"At least {shares.sentence()}"), said)
        self.assertTrue(said.endswith("; what the child copied later is not known"), said)

    def test_the_bar_is_in_proportion(self):
        for words in self.pairs():
            document, shares = self.counted(*words)
            if document["not_compared"] or not shares.facts:
                continue
            text = run("cow", *words, "--no-names", "-w", "200", "--ascii")
            bar = next(line for line in text.split("\n") if re.fullmatch(r"[#%~=?]{200}", line))
            whole = shares.all + document["totals"]["unknown"] * document["child"]["page_size"]
            for name, letter in (("copied_by_parent", "#"), ("copied_by_child", "%")):
                wanted = shares.by[name] * 200 / whole
                self.assertEqual(bool(shares.by[name]), letter in bar)
                self.assertLessEqual(abs(bar.count(letter) - max(wanted, bool(wanted))), 1.01, (words, name, bar))

    def test_each_row_is_what_its_ranges_come_to(self):
        for words in self.pairs():
            document, shares = self.counted(*words)
            if document["not_compared"] or not shares.all:
                continue
            with self.subTest(words=words):
                sums = dict.fromkeys(COLUMNS, 0)
                for row in table(run("cow", *words, "--no-names", "-b", "-l", "-w", "300")):
                    start, size = int(row["START"], 16), int(row["SIZE"])
                    here = Shares([each for each in document["ranges"] if start <= int(each["start"], 16) < start + size],
                                  document["child"]["page_size"])
                    for name, column in COLUMNS.items():
                        self.assertEqual(int(row.get(column) or 0), here.by[name], (row, column))
                        sums[name] += here.by[name]
                    self.assertEqual(row["LOST%"], percent(here.lost, here.all).replace("less than 0.1", "0.0") if here.lost
                                     else "", row)
                self.assertEqual(sums, shares.by)

    def test_a_redis_that_saves_takes_less_than_thirty_lines(self):
        words = (f"{REDIS}@3", f"{REDIS}@4", "--base", f"{REDIS}@1", "-w", "80")
        self.assertLess(run("cow", *words).count("\n"), 30)
        lost = [float(row["LOST%"][:-1]) for row in table(run("cow", *words, "--no-names"))]
        self.assertGreater(len(lost), 5)
        self.assertGreater(run("cow", *words, "-l").count("\n"), 100)


def forked(folder, moves, frames=(0x9000, 0x9000), **identity):
    """A file of a process, its child and the child of that, of right after the fork and of later, when the first has other pages; moves: what
    the kernel's count of moved pages was at both times."""
    made = []
    for i, (seconds, moved, frame) in enumerate(zip((10.13, 12.42), moves, frames)):
        when = dict(taken=json_inputs.PROCESS["taken"] + round((seconds - 10) * 1e9), boottime=round(seconds * 1e9),
                    monotonic=round(seconds * 1e9), page_moves=moved, faults=50, label=b"")
        for pid, ppid, start, pfn in (4242, 1, 5, frame + 0x100 * i), (4243, 4242, 1000, frame), (4244, 4243, 1000, frame):
            known = dict(json_inputs.PROCESS, pid=pid, tgid=pid, ppid=ppid, start_time=start, known=json_inputs.EVERYTHING, **when)
            made.append(json_inputs.snapshot(dict(known, **identity), vmas=[json_inputs.vma(json_inputs.HEAP, json_inputs.HEAP + 0x8000, "rw-p")],
                                             runs=[json_inputs.run(json_inputs.HEAP, 4, "present", pfn=pfn), json_inputs.run(json_inputs.HEAP + 0x4000, 4, "present", pfn=frame + 16)]))
    path = os.path.join(folder, "forked.vms")
    with open(path, "wb") as file:
        file.write(json_inputs.file_of(*made)[0])
    return path


class When(unittest.TestCase):
    """Since when sharing is lost, and what the kernel did to pages meanwhile."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-when-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def cow(self, path):
        """Its text, in one line, and its JSON; of two snapshots, and of the tree."""
        pair = (f"{path}@4", f"{path}@5", "--base", f"{path}@1")
        tree = (f"{path}@4..6", "--base", f"{path}@1..3")
        texts = [" ".join(run("cow", *words, "--no-names", "-w", "80").split()) for words in (pair, tree)]
        return (*texts, told("cow", *pair), told("cow", *tree))

    def test_the_fork_is_when_the_child_began(self):
        path = forked(self.folder, (77, 77))
        text, of_tree, pair, tree = self.cow(path)
        began = datetime.datetime.fromisoformat(pair["child"]["taken"][:23]) - datetime.timedelta(seconds=2.42)
        self.assertEqual(pair["forked"], began.isoformat(timespec="milliseconds")[:-1] + "0000000Z")
        self.assertEqual(pair["since_fork_us"], 2420000)
        self.assertRegex(text, r"50\.0% of the sharing is lost: 16\.0K by the parent \(#\) [#=]+ all of it between 130 ms and 2\.42 s after the fork parent 4242 .*, child 4243, "
                               r"forked [-0-9]+ [0-9:]+; seen 2\.42 s later; base of both, 130 ms after the fork: nothing copied by then ")
        self.assertRegex(of_tree, r" base [-0-9]+ [0-9:.]+ [+0-9]+: nothing copied by then now ")
        for row in tree["processes"][1:]:
            self.assertEqual((row["forked"], row["since_fork_us"]), (pair["forked"], pair["since_fork_us"]))
        self.assertRegex(run("cow", f"{path}@4..6", "-w", "120"), r"(?m)^ *PID PARENT COMM +SINCE .*\n *4242 .*\n *4243 +4242 \S+ +2\.42 s ")

    def test_when_copying_began_is_told(self):
        path = os.path.join(self.folder, "series.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(*(dict(one, names=[]) for one in test_report.touched_by_a_debugger()))[0])
        done = subprocess.run([VMSNAP, "cow", path, "--no-names", "-w", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=True)
        self.assertIn('; base "s0" of both, 490 ms after the fork: nothing copied by then\n', done.stdout)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.split("\n")[2], "all of it between 490 ms and 2.49 s after the fork, first copy between 490 ms and 1.49 s")
        when = dict(since="fork", none_us=490000, first_us=1490000, first=3 * 4096, from_us=490000, to_us=2490000, most=5 * 4096)
        self.assertEqual(told("cow", path)["when"], when)
        # Two looks alone tell that it was in between; a later base, what it was by then.
        self.assertIn('; base "s1" of both, 1.49 s after the fork: 12.0K copied by then\n', run("cow", f"{path}@5", f"{path}@6", "--base", f"{path}@3", "-w", "0"))
        both = run("cow", f"{path}@5..6", f"--base={path}@3..4", "-w", "0"), run("cow", f"{path}@5", f"{path}@6", "--base", f"{path}@3", "-w", "0")
        self.assertEqual(*both)
        done = subprocess.run([VMSNAP, "cow", path, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", check=True)
        self.assertEqual((done.stderr, json.loads(done.stdout)["copied_by_base"]), ("", 0))
        # Who looked at the base and now alone cannot tell more.
        two = told("cow", f"{path}@5", f"{path}@6", "--base", f"{path}@1")["when"]
        self.assertEqual(two, dict(when, first_us=2490000, first=5 * 4096))
        self.assertIsNone(told("cow", f"{path}@5", f"{path}@6")["when"])
        for base, copied in ("@3", 12288), ("@1", 0), (None, None):
            words = ("--base", path + base) if base else ()
            self.assertEqual(told("cow", f"{path}@5", f"{path}@6", *words)["copied_by_base"], copied)

    def test_of_what_the_clock_does_not_tell_nothing_is_said(self):
        for identity in dict(boottime=0), dict(ppid=7):
            path = forked(self.folder, (77, 77), **identity)
            words = (f"{path}@4", f"{path}@5", "--base", f"{path}@1")
            text, pair = run("cow", *words), told("cow", *words)
            self.assertIsNone(pair["forked"])
            self.assertIsNone(pair["since_fork_us"])
            self.assertNotIn("forked", text)

    def test_that_the_kernel_moved_pages_is_said_where_it_leaves_doubts(self):
        for moves, word, said in ((77, 77), None, ""), ((77, 89), "moved", "; the kernel moved 12 pages meanwhile"), \
                ((0, 77), "may_have_moved", "; the kernel may have moved pages meanwhile"), \
                ((77, 2**64 - 1), "may_have_merged", "; KSM may have merged pages meanwhile"):
            with self.subTest(moves=moves):
                text, of_tree, pair, tree = self.cow(forked(self.folder, moves))
                self.assertEqual(pair["kernel_moves"], word)
                self.assertEqual([each["kernel_moves"] for each in tree["processes"]], [None, word, word])
                doubtful = any(each["inferred"] or each["verdict"] == "copied" for each in pair["ranges"])
                self.assertEqual(doubtful, bool(word))
                for one in text, of_tree:
                    self.assertEqual("meanwhile" in one, bool(said), one)
                    self.assertIn(said, one)

    def test_a_diff_says_it_of_what_counts_as_copied(self):
        for moves, said in ((77, 77), ""), ((77, 89), "; the kernel moved 12 pages meanwhile"), ((0, 77), ""):
            path = forked(self.folder, moves)
            text = run("diff", f"{path}@1", f"{path}@4", "--no-names", "-w", "0").split("\n")[0]
            self.assertTrue(text.startswith("16.0K copied"), text)
            self.assertEqual("meanwhile" in text, bool(said), text)
            self.assertIn(said, text)
            still = run("diff", f"{path}@2", f"{path}@5", "--no-names", "-w", "0").split("\n")[0]
            self.assertNotIn("meanwhile", still)


class Merged(unittest.TestCase):
    def test_what_ksm_merged_is_told_apart_of_what_is_shared(self):
        heap, ksm = json_inputs.HEAP, 1 << 21
        made = json_inputs.snapshot(dict(json_inputs.PROCESS, known=json_inputs.EVERYTHING), vmas=[json_inputs.vma(heap, heap + 0x8000, "rw-p")],
                                    runs=[json_inputs.run(heap, 4, "present", pfn=0x7000), json_inputs.run(heap + 0x4000, 2, "exclusive present", pfn=0x8000)])
        told_of = dict(made, kpage={"flags": [[heap, heap + 0x1000, 0], [heap + 0x1000, heap + 0x6000, ksm]]})
        with tempfile.TemporaryDirectory(prefix="vmsnap-merged-") as folder:
            for model, merged in (told_of, 12288), (made, None):
                path = os.path.join(folder, "merged.vms")
                with open(path, "wb") as file:
                    file.write(json_inputs.file_of(model)[0])
                self.assertEqual([each.get("merged") for each in told("show", path)["vmas"]], [merged])
                for command in "show", "map":
                    text = run(command, path, "-b", "-w", "80", "--ascii")
                    self.assertEqual("12288 merged by KSM" in text, bool(merged), text)
                    self.assertRegex(text, r"= ?shared 16384")
                self.assertEqual("MERGED" in run("show", path, "-w", "120"), bool(merged))
                for address, is_one in (heap, False), (heap + 0x1000, bool(merged)), (heap + 0x4000, False):
                    self.assertEqual("(KSM)" in run("page", path, hex(address)), is_one)


class Show(unittest.TestCase):
    def counted(self, path):
        """{class: bytes} and by page, from the flags of runs."""
        document = told("pages", path)
        by = {}
        for each in document["runs"]:
            if each["state"] == "present":
                kind = "file" if "file" in each["flags"] else \
                    "own" if "exclusive" in each["flags"] and "zero" not in each["flags"] else "shared"
                for page in range(each["pages"]):
                    by[int(each["start"], 16) + page * document["page_size"]] = kind
        return by, document["page_size"]

    def test_sums_are_what_the_pages_come_to(self):
        for number in (1, 2, 3, 4):
            path = f"{REDIS}@{number}"
            by, page_size = self.counted(path)
            text = run("show", path, "--no-names", "-b", "-w", "300", "--ascii")
            for letter, kind, name in ("=", "shared", "shared"), ("p", "own", "private"), ("f", "file", "file"):
                total = sum(page_size for each in by.values() if each == kind)
                self.assertIn(f"{letter} {name} {total}", text) if total else None
            for row in table(text):
                start, size = int(row["START"], 16), int(row["SIZE"])
                here = [by[at] for at in range(start, start + size, page_size) if at in by]
                self.assertEqual([int(row[name] or 0) for name in ("RESIDENT", "SHARED", "OWN")],
                                 [len(here) * page_size, here.count("shared") * page_size, here.count("own") * page_size], row)

    def test_a_row_for_each_file_and_with_long_for_each_mapping(self):
        path = f"{REDIS}@3"
        vmas = told("show", path)["vmas"]
        folded = table(run("show", path, "--no-names", "-w", "0"))
        files = [row["MAPPING"] for row in folded if row["MAPPING"].startswith("/")]
        self.assertEqual(sorted(files), sorted({each["name"] for each in vmas if each["name"].startswith("/")}))
        self.assertLess(len(folded), len(vmas) // 3)
        self.assertEqual(len(table(run("show", path, "--no-names", "-w", "0", "-l"))), len(vmas))
        for words in (("-r", "-n"), ("-r", "-n", "-o", "START"), ("-n", "-o", "START,OFFSET")):
            self.assertEqual(run("show", path, *words).count("\n"), len(vmas) + (words[0] == "-n"), words)
        self.assertIn("anonymous", {row["MAPPING"] for row in folded})
        self.assertNotIn("anonymous", run("show", path, "-r", "--no-names").split())

    def test_what_is_nothing_is_blank_for_people_only(self):
        path = f"{REDIS}@3"
        self.assertFalse(any(cell == "0" for row in table(run("show", path, "--no-names")) for cell in row.values()))
        self.assertIn(" 0 ", run("show", path, "-r"))

    def test_pages_folds_what_differs_in_frames_only_for_people_only(self):
        path = f"{REDIS}@3"
        runs = len(told("pages", path)["runs"])
        folded = run("pages", path, "-n").count("\n")
        self.assertLess(folded, runs // 3)
        self.assertEqual(run("pages", path, "-n", "-l").count("\n"), runs)
        self.assertEqual(run("pages", path, "-n", "-r").count("\n"), runs)


if __name__ == "__main__":
    unittest.main()
