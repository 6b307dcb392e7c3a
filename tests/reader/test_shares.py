"""How much of the sharing is lost, and who has what: what `cow` and `show` say to people is what is counted here from
JSON, range by range and page by page; and what they fold for people they do not fold for programs."""

import json
import os
import re
import subprocess
import tempfile
import unittest

import json_inputs

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
        copiers = ", ".join(f"{self.by[name]} {words} (x)" for name, words in COPIERS.items() if self.by[name])
        if not self.all:
            return "Nothing is shared, and nothing was copied"
        if not self.facts:
            share = f"How much of the sharing is lost is not known; inferred: {percent(self.lost, self.all)}"
            return f"{share}, {copiers}" if self.lost else f"{share} of {self.by['shared']}"
        if not self.lost:
            return f"None of the sharing is lost: {self.by['shared']} is shared"
        inferred = f"; {self.lost_inferred} of that inferred" if self.lost_inferred else ""
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
                said = re.sub(r"\([#%~]\)", "(x)", text[0])
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
        self.assertTrue(re.sub(r"\([#%~]\)", "(x)", said).startswith(f"At least {shares.sentence()}; what the child copied"), said)

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
