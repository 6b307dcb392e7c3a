"""No line is wider than the window, whatever command wrote it: each text at every width from 40 to 300, of
processes of this machine and of files that are made for it."""

import os
import sys
import tempfile
import unicodedata
import unittest

from module import HERE, Target, main, vmsnap

sys.path.append(os.path.join(os.path.dirname(HERE), "reader"))
import json_inputs  # noqa: E402

WIDTHS = range(40, 301)


def columns(line):
    """As a terminal shows it."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Widths(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-widths-")
        cls.addClassCleanup(folder.cleanup)
        cls.paths = json_inputs.write(folder.name)
        cls.made = {name: vmsnap.load(path) for name, path in cls.paths.items()}

    def setUp(self):
        self.target = Target(self, "cow_demo")
        self.parent, self.child = vmsnap.capture_tree(self.target.pid, label="a label of some length")
        other = Target(self, "mappings")
        self.other = vmsnap.capture(other.pid, contents="private")
        self.again = vmsnap.capture(other.pid, contents="private")

    def fits(self, what, text_at):
        """text_at: given a style."""
        for unicode in (True, False):
            before = None
            for width in WIDTHS:
                text = text_at(vmsnap.Style(width=width, unicode=unicode))
                if text == before:  # as a rule: nothing was in the way
                    continue
                before = text
                for line in text.split("\n"):
                    self.assertLessEqual(columns(line), width, f"{what}, {width} columns: {line!r}")
                    # Of a row of a map in which nothing is there is the address alone.
                    self.assertFalse(line.endswith(" ") and " " in line.strip(), f"{what}, {width} columns: {line!r}")

    def each(self, texts):
        for what, text_at in texts.items():
            with self.subTest(what=what):
                self.fits(what, text_at)

    def test_one_snapshot(self):
        one, names = self.other, vmsnap.Names(self.other)
        of_made = [self.made[name][0] for name in ("a", "nobody")]
        texts = {"show": lambda s: one.show_text(s, names=names, long_rows=False),
                 "show -l": lambda s: one.show_text(s, names=names),
                 "show -o": lambda s: one.show_text(vmsnap.Style(width=s.width, columns="+EXCL,ZERO,END"), long_rows=False),
                 "show, filtered": lambda s: one.show_text(s, vmsnap.Filter(name="*lib*", only="!exclusive,present"),
                                                        long_rows=False),
                 "show, titled": lambda s: one.show_text(s, title="a/path/" * 9 + "a.vms@3"),
                 "show --by kind": lambda s: one.show_by_text("kind", s, names=names),
                 "show --by file": lambda s: one.show_by_text("file", s),
                 "pages": lambda s: one.pages_text(s),
                 "pages, each": lambda s: one.pages_text(s, each=True, end=one.mappings[3].end),
                 "status": lambda s: one.status_text(s),
                 "map": lambda s: one.map_text(s, names=names)}
        for index, snap in enumerate(of_made):
            texts |= {f"show {index}": lambda s, snap=snap: snap.show_text(s),
                      f"pages {index}": lambda s, snap=snap: snap.pages_text(s),
                      f"map {index}": lambda s, snap=snap: snap.map_text(s)}
        self.each(texts)

    def test_one_page_and_what_it_held(self):
        one, names = self.other, vmsnap.Names(self.other)
        start = next(iter(one.contents_ranges()))[0]
        texts = {f"page in {mapping.name}": lambda s, at=mapping.start: one.page_text(s, at, names)
                 for mapping in one.mappings[::5]}
        self.each(texts | {"page that is not mapped": lambda s: one.page_text(s, 0x1000),
                           "dump": lambda s: one.dump_text(start, start + 512, s),
                           "dump, two": lambda s: one.dump_text(start, start + 512, s, other=self.again)})

    def test_two_snapshots(self):
        a, b = self.other, self.again
        made = [(self.made[x][0], self.made[y][0]) for x, y in (("a", "b"), ("a", "nobody"), ("a", "exec"))]
        texts = {"status": lambda s: a.status_text(s, b), "map": lambda s: a.map_text(s, b),
                 "diff of two": lambda s: vmsnap.diff(a, self.parent).text(s),
                 "aslr": lambda s: vmsnap.Aslr(a, self.parent).text(s, long_rows=True),
                 "values": lambda s: vmsnap.ValueDiff(a, b).text(s)}
        for index, pair in enumerate(made):
            diff = vmsnap.diff(*pair)
            texts |= {f"diff {index}": lambda s, diff=diff: diff.text(s),
                      f"diff -l {index}": lambda s, diff=diff: diff.text(s, diff.names, long_rows=True),
                      f"diff --totals {index}": lambda s, diff=diff: diff.text(s, totals=True),
                      f"map {index}": lambda s, pair=pair: pair[0].map_text(s, pair[1])}
        self.each(texts)

    def test_a_fork(self):
        cow, made = vmsnap.cow(self.parent, self.child), vmsnap.cow(self.made["a"][0], self.made["child"][0])
        self.each({"cow": lambda s: cow.text(s, cow.names), "cow -l": lambda s: cow.text(s, cow.names, long_rows=True),
                   "cow --totals": lambda s: cow.text(s, totals=True), "cow of files": lambda s: made.text(s)})

    def test_trees(self):
        now, later = vmsnap.Set([self.parent, self.child]), vmsnap.Set(self.made["later"])
        tree = vmsnap.Set(self.made["tree"])
        diff, cow, live = vmsnap.SetDiff(tree, later), vmsnap.SetCow(later, tree), vmsnap.SetCow(now)
        self.each({"diff": lambda s: diff.text(s), "cow": lambda s: cow.text(s), "cow of live ones": lambda s: live.text(s)})

    def test_files_and_what_is_kept(self):
        files = {name: vmsnap.open(self.paths[name]) for name in ("small", "tree", "freezes")}
        texts = {f"list {name}": lambda s, file=file: file.list_text(s) for name, file in files.items()}
        at = self.other.mappings[3].start
        self.each(texts | {"snapshots": lambda s: vmsnap.snapshots_text(s, [self.parent, self.other], ["one", "other"]),
                           "history": lambda s: vmsnap.history_text(s, [self.other, self.again], ["one", "other"], at)})

    def test_groups_series_and_who(self):
        """A series is gone over once for each text, a look at all processes serves all of them."""
        one, names = vmsnap.Group([self.parent, self.child]), vmsnap.Names(self.parent)
        owners = [vmsnap.who(path=os.path.realpath(f"/proc/{self.parent.pid}/exe"))]
        if self.parent.info.known.pfn:
            owners.append(vmsnap.who(pid=self.parent.pid, address=self.parent.mappings[0].start))
        texts = {"group": lambda s: one.text(s), "group -l": lambda s: one.text(s, long=True),
                 "group --by mapping": lambda s: one.text(s, by="mapping"),
                 "group --by name": lambda s: one.text(s, by="name", names=names),
                 "series --cow": lambda s: vmsnap.SeriesForks([self.parent, self.child]).text(s)}
        for by in ("mapping", "kind", "process", "state"):
            shots = [self.parent, self.child] if by == "process" else [self.other, self.again]
            texts[f"series --by {by}"] = lambda s, by=by, shots=shots: vmsnap.Series(shots, by=by).text(s, min=0)
        texts |= {f"who {found.kind}": lambda s, found=found: found.text(s, names) for found in owners}
        self.each(texts)

    def test_check_on_the_command_line(self):
        golden = os.path.join(os.path.dirname(HERE), "golden")
        paths = [os.path.join(golden, name) for name in ("good-labels.vms", "bad-series-payload.vms")]
        from support import run
        for width in WIDTHS:
            for path in paths:
                for line in run("check", "-w", width, path).out.decode().split("\n"):
                    self.assertLessEqual(columns(line), width, (path, line))

    def test_columns_that_were_asked_for_stay(self):
        """And so does all, where a script may count columns."""
        asked = self.other.show_text(vmsnap.Style(width=40, columns="START,END,OFFSET,INODE,MAPPING"))
        self.assertEqual(_heading(asked).split(), ["START", "END", "OFFSET", "INODE", "MAPPING"])
        for style in (vmsnap.Style(width=40, no_headings=True), vmsnap.Style(width=40, raw=True)):
            lines = self.other.show_text(style).split("\n")
            self.assertGreaterEqual(max(len(line.split()) for line in lines), 7)

    def test_columns_give_way_in_one_order(self):
        """What is there in a narrow window is there in a wider one, too."""
        for text_at in (self.other.show_text, self.other.pages_text,
                        lambda style: vmsnap.diff(self.made["a"][0], self.made["nobody"][0]).text(style)):
            before = set()
            for width in range(1, max(WIDTHS)):
                shown = set(_heading(text_at(vmsnap.Style(width=width))).split())
                self.assertLessEqual(before, shown, width)
                before = shown


def _heading(text):
    return next(line for line in text.split("\n") if line.startswith("START"))


if __name__ == "__main__":
    main()
