"""The view by code of vmsnap report: what the page is given, and what it shows of it in a browser."""

import html
import json
import os
import re
import sys
import tempfile
import unittest

import chromium
import vmsreport

SOURCE = os.environ.get("VMSNAP_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path[:0] = [os.path.join(SOURCE, "tests", folder) for folder in ("live", "golden")]

import cases  # noqa: E402
import test_stacks as known  # noqa: E402
from command_line import command  # noqa: E402
from support import skip  # noqa: E402

PAGE = "window.vmsnapPage"
HEAP = known.HEAP // 4096


class ByCode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.file = os.path.join(cls.folder.name, "blamed.vms")
        models = known.process(1000, known.BEFORE), known.process(9000, known.AFTER, faults=known.FAULTS)
        with open(cls.file, "wb") as file:
            file.write(cases.file_of(*models)[0])

    def page(self, *words, file=None):
        out = os.path.join(self.folder.name, "out.html")
        done = command("report", file or self.file, "-o", out, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def data(self, *words, file=None):
        with open(self.page(*words, file=file), encoding="utf-8") as file:
            return vmsreport.Report(file.read()).head

    def rows(self, head):
        """{(value, functions from the innermost on): pages}."""
        rows, text = {}, head["strings"].__getitem__
        flat = head["code"]["blamed"]
        for at in range(0, len(flat), 6):
            instant, process, page, count, value, stack = flat[at : at + 6]
            self.assertEqual((instant, process), (1, 0))
            functions = tuple(map(text, head["code"]["stacks"][stack - 2][2:])) if stack > 1 else stack
            rows.setdefault((value, functions), []).extend(range(page - HEAP, page - HEAP + count))
        return rows

    def test_page_is_given_what_blame_says(self):
        head = self.data()
        self.assertEqual(self.rows(head), {
            (0, (r"set;all 1\x0a", "main")): [0, 1],
            (0, (r"set;all 1\x0a", r"get\xff", "main")): [2],
            (1, (r"get\xff", "main")): [3],
            (1, ("(inside read)", "0x7ffff0000000", "cat+0x2040", "main")): [4],
            (1, 0): [5],
        })
        self.assertEqual(head["code"]["watched"], [1, 5, 6])
        self.assertEqual(head["code"]["left_out"], 0)

    def plain(self, *words):
        """The rows of the table by code that a browser shows that runs no scripts."""
        with open(self.page(*words), encoding="utf-8") as file:
            plain = re.search(r"<noscript>(.*?)</noscript>", file.read(), re.S)[1]
        table = plain.partition("Which code copied")[2]
        return [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in re.findall(r"<tr>(<td>.*?)</tr>", table)]

    def test_without_scripts_there_is_a_table(self):
        rows = self.plain()
        self.assertEqual(rows[0], ["12.0K", "", "", r"set;all 1\x0a (set.c:7)"])
        self.assertEqual(rows[-1], ["", "4.00K", "", "(the kernel, or unseen)"])
        self.assertEqual(sorted(row[3].split()[0] for row in rows), ["(inside", "(the", r"get\xff", "set;all"])
        self.assertEqual(self.plain("--strip", "faults"), [])
        self.assertNotIn("set.c", str(self.plain("--strip", "names")))

    def test_functions_are_told_in_their_language(self):
        symbol, name = "_ZN4shop6orders17h0123456789abcdefE", "shop::orders"
        code = [[*row[:3], symbol.encode() if row[3] == b"main" else row[3], *row[4:]] for row in known.FAULTS["code"]]
        path = os.path.join(self.folder.name, "rust.vms")
        models = known.process(1000, known.BEFORE), known.process(9000, known.AFTER, faults=dict(known.FAULTS, code=code))
        with open(path, "wb") as file:
            file.write(cases.file_of(*models)[0])
        for words, there in (((), (True, False)), (("--no-demangle",), (False, True))):
            strings = self.data(*words, file=path)["strings"]
            self.assertEqual((name in strings, symbol in strings), there)

    def test_what_is_stripped_is_not_given(self):
        self.assertNotIn("code", self.data("--strip", "faults"))
        head = self.data("--strip", "names")
        self.assertEqual({row for row in self.rows(head) if row[1] == ("cat+0x2020", "cat+0x2010")}, {(0, ("cat+0x2020", "cat+0x2010"))})
        self.assertFalse([word for word in head["strings"] if "main" in word or "cat.c" in word])
        start = known.HEAP + 3 * 4096
        self.assertEqual(sum(map(len, self.rows(self.data("--range", f"{start:#x}+0x1000")).values())), 1)

    def browser(self):
        if not chromium.browser():
            skip(self, "no Chromium here")
        browser = chromium.Chromium()
        self.addCleanup(browser.close)
        browser.resize(1280, 800)
        return browser

    def test_table_and_flame_graph_and_what_lights_up(self):
        browser = self.browser()
        self.assertEqual(browser.open(self.page()), "1")
        browser.evaluate("document.querySelector('#tab-code').click()")
        table = browser.evaluate("[...document.querySelectorAll('#code tr.row')].map(row => [...row.cells].map(cell => cell.textContent))")
        self.assertEqual(table[0], ["3", "12 KiB", "", r"set;all 1\x0a", "set.c:7"])
        self.assertEqual(table[-1], ["1", "", "4 KiB", "(the kernel, or unseen)", ""])
        self.assertEqual(len(table), 4)
        boxes = browser.evaluate("[...document.querySelectorAll('#code .box')].map(box => box.title)")
        self.assertIn("main: 12 KiB copied, 8 KiB new", boxes)
        self.assertIn(r"get\xff: 4 KiB copied, 4 KiB new", boxes)
        self.assertIn("5 faults seen, 5 lost", browser.evaluate("document.querySelector('#code p').textContent"))
        browser.evaluate("document.querySelector('#code tr.row').click()")
        lit = json.loads(browser.evaluate(f"JSON.stringify({PAGE}.view.lit.map(one => [one.page, one.end]))"))
        self.assertEqual(sorted(page for start, end in lit for page in range(start - HEAP, end - HEAP)), [0, 1, 2])
        # By the keyboard, to the map; there the cells of these pages have a line that others have not.
        browser.evaluate("document.querySelector('#code table').focus()")
        browser.key("Enter", "\r")
        browser.wait("document.querySelector('#map').classList.contains('on')")
        painted = f"""(async () => {{
            const map = {PAGE}.map, x = map.canvas.getContext('2d'), put = [], fill = x.fillRect;
            CanvasRenderingContext2D.prototype.fillRect = function (...box) {{ if (box[3] === 3) put.push(box); return fill.apply(this, box); }};
            map.drawNow();
            CanvasRenderingContext2D.prototype.fillRect = fill;
            return put.length;
        }})()"""
        self.assertGreater(browser.evaluate(painted), 0)
        browser.evaluate(f"{PAGE}.change({{ b: 0 }})")
        self.assertEqual(browser.evaluate(painted), 0)
        browser.evaluate("document.querySelector('#tab-code').click()")
        self.assertIn("were not watched", browser.evaluate("document.querySelector('#code p').textContent"))
        self.assertEqual(browser.complaints(), [])

    def test_pages_without_faults_have_no_such_view(self):
        browser = self.browser()
        self.assertEqual(browser.open(self.page("--strip", "faults")), "1")
        self.assertTrue(browser.evaluate("document.querySelector('#tab-code').hidden"))
        browser.evaluate(f"{PAGE}.select('code')")
        self.assertIn("No page faults are kept", browser.evaluate("document.querySelector('#code').textContent"))
        self.assertEqual(browser.complaints(), [])


if __name__ == "__main__":
    unittest.main()
