"""The page of vmsnap report in a browser: it draws, says what the command line says, asks nobody for anything, and can
be used by keyboard and without colours."""

import base64
import json
import os
import random
import re
import subprocess
import tempfile
import time
import unittest
import zlib

import chromium
import json_inputs
import test_report
import vmsreport

VMSNAP = os.environ.get("VMSNAP", "vmsnap")
ALL = os.environ.get("VMSNAP_FAULTS_ALL") == "1"
HEADLINE = "document.querySelector('#summary h1').textContent"
PAGE = "window.vmsnapPage"

# Text on its background: the least contrast of all that is seen, and what it is of (WCAG 2.1, 1.4.3).
CONTRAST = r"""(() => {
	const rgb = text => (text.match(/[\d.]+/g) ?? []).map(Number);
	const part = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
	const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
	const behind = element => {
		for (; element; element = element.parentElement) {
			const color = rgb(getComputedStyle(element).backgroundColor);
			if (color.length === 3 || color[3] === 1) return color;
		}
		return [255, 255, 255];
	};
	let worst = [99, ''];
	for (const element of document.querySelectorAll('body *')) {
		const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
		if (!own || !element.getClientRects().length || element.closest('.swatch, script, noscript, .unseen, .off')) continue;
		const a = light(rgb(getComputedStyle(element).color)), b = light(behind(element));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < worst[0]) worst = [ratio, element.textContent.slice(0, 40)];
	}
	return worst;
})()"""
NAMELESS = """[...document.querySelectorAll('button, input, a[href], [tabindex], [role]')].filter(element => {
	if (['listbox', 'status'].includes(element.getAttribute('role')) || element.closest('dialog')) return false;
	return !(element.getAttribute('aria-label') || element.textContent.trim() || element.title);
}).map(element => element.outerHTML.slice(0, 100))"""

# The first process in every way of looking at it, the others in one; in every view.
WALK = f"""(async () => {{
	const page = {PAGE};
	for (let process = 0; process < page.model.processes.length; process++) {{
		for (const mode of process ? [['diff', 'cow'][process % 2]] : ['a', 'b', 'diff', 'cow']) {{
			page.change({{ process, mode }});
			for (const tab of ['map', 'mappings', 'changes', 'forks', 'status']) page.select(tab);
		}}
		const strip = page.view.strips[0];
		if (strip) page.pick({{ strip, page: strip.start, end: strip.start + 1 }});
	}}
	await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
}})()"""


def places(value, path=()):
    """Paths to all that is in a JSON value, but strings and rules."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if key not in ("strings", "rules", "schema"):
            yield (*path, key)
            yield from places(item, (*path, key))


@unittest.skipUnless(chromium.browser(), "Chromium is not on this machine")
class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="vmsnap-page-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        paths = json_inputs.write(cls.folder)
        cls.series = os.path.join(cls.folder, "series.vms")
        with open(cls.series, "wb") as out:
            for key in ("tree", "later"):
                with open(paths[key], "rb") as file:
                    out.write(file.read())
        cls.one = os.path.join(json_inputs.GOLDEN, "good-small.vms")
        cls.page = cls.report("page.html", cls.series)
        cls.browser = chromium.Chromium()
        cls.addClassCleanup(cls.browser.close)
        cls.browser.resize(1440, 900)

    @classmethod
    def report(cls, name, *files):
        out = os.path.join(cls.folder, name)
        subprocess.run([VMSNAP, "report", *files, "-o", out], check=True, stderr=subprocess.DEVNULL)
        return out

    def say(self, script):
        return self.browser.evaluate(script)

    def open(self, path, fragment=""):
        self.assertEqual(self.browser.open(path, fragment), "1")

    def quiet(self):
        self.assertEqual(self.browser.complaints(), [])

    def test_walk(self):
        self.open(self.page)
        self.assertIn("new", self.say(HEADLINE))
        for number in "12345":
            self.browser.key(number)
            self.assertEqual(self.say("document.querySelectorAll('.pane.on').length"), 1)
        self.browser.key("1")
        self.browser.key("n")
        selected = self.say(f"{PAGE}.view.selected?.page")
        self.assertIsInstance(selected, (int, float))
        self.browser.key("Enter", "\r")
        self.assertEqual(self.say(f"{PAGE}.map.pages"), 1)
        self.browser.key("Escape")
        self.assertIsNone(self.say(f"{PAGE}.view.selected"))
        self.browser.key("[")
        self.browser.key("]")
        self.browser.key("t")
        self.browser.key("?")
        self.assertTrue(self.say("document.querySelector('#keys').open"))
        self.browser.key("Escape")
        self.quiet()

    def search(self, text):
        self.say("document.querySelector('#find-input').value = ''")
        self.browser.key("/")
        self.browser.type(text)
        return self.browser.wait("[...document.querySelectorAll('#hits li')].map(each => each.textContent).join('|')")

    def test_search(self):
        self.open(self.page)
        start = self.say(f"{PAGE}.view.strips[0].start * 4096")
        self.assertIn(f"{int(start):x}", self.search(f"{int(start):x}"))
        self.browser.key("Enter", "\r")
        self.assertEqual(self.say(f"{PAGE}.view.selected.page * 4096"), start)
        self.say("document.activeElement.blur()")
        self.assertIn("Not mapped", self.search("1000000"))
        self.say("document.activeElement.blur()")
        frame = self.say(f"{PAGE}.view.loadFrames().then(frames => [...frames.parts.values()][0][0].frame[0])")
        self.browser.key("/")
        self.browser.type(f"pfn:{int(frame):x}")
        self.assertIn("process", self.browser.wait("document.querySelector('#hits li small')?.textContent"))
        self.quiet()

    def same_numbers(self, page):
        """Of each pair of instants, and of what the timeline says of neighbours."""
        self.open(page)
        with open(page, encoding="utf-8") as file:
            report = vmsreport.Report(file.read())
        numbers = self.say(f"""(() => {{
            const page = {PAGE}, {{ model, view }} = page, out = [], named = counts => Object.fromEntries(model.classes.map((c, i) => [c.name, counts[i]]).filter(([, count]) => count));
            for (const process of model.processes) {{
                const track = model.track(process.number, 'states'), there = track.present.map((each, k) => each ? k : -1).filter(k => k >= 0);
                for (const a of there) for (const b of there) if (a < b) {{
                    page.change({{ process: process.number, a, b, mode: 'diff' }});
                    const counts = new Float64Array(model.classes.length), events = track.events[b].map((count, c) => model.classes[c].event ? count : 0);
                    for (const c of view.classes) counts[c]++;
                    out.push([process.number, a, b, named(counts), b === a + 1 ? named(events) : null]);
                }}
            }}
            return out;
        }})()""")
        events = {row[0] for row in report.head["classes"] if row[3]}
        for process, a, b, theirs, neighbours in numbers:
            ours = report.differences(process, a, b)
            self.assertEqual(theirs, ours, (process, a, b))
            if neighbours is not None:
                self.assertEqual(neighbours, {name: count for name, count in ours.items() if name in events}, (process, a, b))
        return len(numbers)

    def test_numbers_are_those_of_the_data(self):
        self.assertGreater(self.same_numbers(self.page), 0)

    def test_numbers_where_memory_moves_and_is_replaced(self):
        self.assertEqual(self.same_numbers(self.write("rearranged", *test_report.rearranged())), 10)
        self.assertEqual(self.say(f"{PAGE}.model.processes[0].changes.length"), 3)

    def told_by_diff(self, path, a, b):
        """Sizes and share of its sentence, as words of the page; None: it tells no share."""
        text = subprocess.run([VMSNAP, "diff", f"{path}@{a}", f"{path}@{b}", "--no-names", "-w", "0"], check=False, stdout=subprocess.PIPE, encoding="utf-8").stdout
        found = re.match(r"(\S+) copied of (\S+)( or more)? writable and shared at A(?: \((\S+)%\))?", text)
        if not found:
            return None
        copied, shared = ((float(word.rstrip("KMG")), word[-1]) for word in found.group(1, 2))
        return copied, shared, bool(found[3]), found[4] and float(found[4])

    def told_by_page(self):
        text = self.say(HEADLINE)
        found = re.match(r"([\d.]+) (.)iB copied by [^“]*? of the ([\d.]+) (.)iB( or more)? writable and shared at .*?(?: \((?:< )?([\d.]+) %\))? until ", text)
        return found and ((float(found[1]), found[2]), (float(found[3]), found[4]), bool(found[5]), found[6] and (0.0 if "(<" in text else float(found[6])))

    def test_share_is_that_of_diff(self):
        """Of what a write would have copied: page cache in what may be written to, and elsewhere what was copied."""
        def of(frames, seconds, huge=""):
            base = json_inputs.HEAP
            file = dict(name=b"/data", device=(8, 1), inode=5)
            vmas = [json_inputs.vma(base, base + 8 * 4096, "rw-p"), json_inputs.vma(base + 8 * 4096, base + 16 * 4096, "r--p"), json_inputs.vma(base + 16 * 4096, base + 24 * 4096, "rw-p", **file)]
            flags = ["present"] * 20 + ["file present"] * 4
            runs = [json_inputs.run(base + i * 4096, 1, flags[i] if frame < 0x900 else "exclusive present" + huge, pfn=frame) for i, frame in enumerate(frames) if frame]
            return json_inputs.snapshot(dict(json_inputs.PROCESS, label=b"s%d" % seconds, taken=10**18 + seconds * 10**9, monotonic=(1 + seconds) * 10**9), vmas=vmas, runs=runs)

        was = list(range(0x100, 0x100 + 24))
        now = [frame + 0x1000 if i in (1, 2, 9, 20) else frame for i, frame in enumerate(was)]
        self.write("shares", of(was, 0), of(now, 1), of(now[:23] + [0x2000], 2), of([frame + 0x3000 for frame in was], 3))
        self.write("shares-huge", of([*was[:8], *([0x1000 + i for i in range(8)]), *was[16:]], 0), of(now, 1))
        redis = os.path.join(os.path.dirname(json_inputs.GOLDEN), "terminal", "redis.vms")
        seen = set()
        for path in os.path.join(self.folder, "shares.vms"), os.path.join(self.folder, "shares-huge.vms"), redis:
            self.open(self.report("compared.html", path))
            for process, a, b, of_a, of_b in self.say(f"""(() => {{
                const {{ model }} = {PAGE}, out = [];
                for (const {{ number }} of model.processes) model.places.forEach((at, a) => model.places.forEach((to, b) => a < b && at.has(number) && to.has(number) && out.push([number, a, b, at.get(number), to.get(number)])));
                return out;
            }})()"""):
                with self.subTest(path=path, process=process, a=a, b=b):
                    self.say(f"{PAGE}.change({{ process: {process}, a: {a}, b: {b}, mode: 'diff' }})")
                    told = self.told_by_diff(path, of_a, of_b)
                    self.assertEqual(self.told_by_page(), told, self.say(HEADLINE))
                    seen.add(told)
                    # What the rows of mappings are shares of comes to what the headline's is.
                    self.assertEqual(*self.say(f"""(() => {{
                        const {{ model, view, mappings }} = {PAGE}, told = model.processes[view.process].shared.get(view.a), rows = view.strips.reduce((sum, strip) => sum + mappings.sharedAtA(strip), 0);
                        return told && !told.more ? [rows, told.pages] : [0, 0];
                    }})()"""))
        self.assertGreater(len(seen), 4)
        self.quiet()

    def test_strips_are_the_rows_of_show(self):
        """A stack with the guard below it, a file with its .bss; what has no file mapped here is no program's."""
        redis = os.path.join(os.path.dirname(json_inputs.GOLDEN), "terminal", "redis.vms")
        self.open(self.report("strips.html", redis))
        for process, number, stacks in (0, 3, 4), (1, 4, 4):
            text = subprocess.run([VMSNAP, "show", f"{redis}@{number}", "-o", "START,MAPPING", "-w", "0"], check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
            rows = [line.split(maxsplit=1) for line in text.split("\nSTART", 1)[1].splitlines()[1:-1]]
            self.say(f"{PAGE}.change({{ process: {process}, b: {PAGE}.model.instants.length - 1, mode: 'b' }})")
            told = self.say(f"{PAGE}.view.strips.map(strip => [(strip.start * 4096).toString(16), strip.title || 'anonymous'])")
            self.assertEqual([start for start, title in told if title != "[vsyscall]"], [start for start, *_ in rows])
            if number == 3:
                self.assertEqual([title for _, title in told if title != "[vsyscall]"], [name for _, name in rows])
            # In the child no thread runs there any more.
            self.assertEqual(sum("stack of thread" in title for _, title in told), stacks)
        self.quiet()

    def test_what_a_debugger_touched_is_counted_as_cow_and_diff_count_it(self):
        path = os.path.join(self.folder, "touched.vms")
        self.open(self.write("touched", *test_report.touched_by_a_debugger()))

        def first(*words):
            done = subprocess.run([VMSNAP, *words, "--no-names", "-w", "0", "--ascii"], stdout=subprocess.PIPE, encoding="utf-8", check=False)
            return re.sub(r"\([#%~]\)", "", done.stdout).replace("  ", " ")

        for instant in (1, 2):
            parent, child = f"{path}@{2 * instant + 1}", f"{path}@{2 * instant + 2}"
            self.say(f"{PAGE}.change({{ process: 0, a: 0, b: {instant}, mode: 'cow' }})")
            ours, theirs = self.say(HEADLINE), first("cow", parent, child, "--base", f"{path}@1")
            # Nothing was copied at the first look at both, half a second after the fork.
            self.assertIn("forked 01:46:39.5 UTC; all of it between 490 ms and " + ("1.49 s after the fork;", "2.49 s after the fork, first copy between 490 ms and 1.49 s;")[instant - 1], ours)
            self.assertIn(", forked ", theirs)
            share = re.match(r"([\d.]+)% of the sharing is lost", theirs)[1]
            self.assertIn(f"{share} % of the sharing is lost", ours)
            self.assertEqual(*(float(re.search(pattern, text)[1]) for pattern, text in ((r"([\d.]+) KiB touched by gdb, not counted", ours), (r"([\d.]+)K touched by gdb", theirs))))
            for process, snapshot in (0, parent), (1, child):
                for a in range(instant):
                    self.say(f"{PAGE}.change({{ process: {process}, a: {a}, b: {instant}, mode: 'diff' }})")
                    theirs = first("diff", f"{path}@{2 * a + 1 + process}", snapshot).split("\n")[0]
                    said = re.search(r"touched by gdb: \d+ of these pages", self.say(HEADLINE))
                    self.assertEqual(said and said[0], (found := re.search(r"touched by gdb: \d+ of these pages", theirs)) and found[0], (process, a, instant))
        self.assertIn("touched by gdb", self.say(f"{PAGE}.jump({json_inputs.HEAP // 4096}, {json_inputs.HEAP // 4096 + 1}), document.querySelector('#inspector').textContent"))
        self.assertIn("wrote to it", self.say("document.querySelector('#inspector').textContent"))
        self.quiet()

    def test_what_the_kernel_moved_is_said_as_cow_and_diff_say_it(self):
        made = test_report.touched_by_a_debugger()
        merged, parted = 2**64 - 1, 2**40
        for counts, cow, diff in (((70, 70, 70, 70, 82, 82), "the kernel moved 12 pages meanwhile", None),
                                  ((70, 70, 80, 80, 82 + parted, 82 + parted), "the kernel moved 13 pages meanwhile", None),
                                  ((70, 70, 70, 70, 0, 0), "the kernel may have moved pages meanwhile", ""),
                                  ((70, 0, 70, 0, 70, 0), "the kernel may have moved pages meanwhile", ""),
                                  # Of one process, and of the other as much as there was.
                                  ((70, 70, 70, 70, 70, merged), "KSM may have merged pages meanwhile", ""),
                                  ((70, merged, 70, merged, 82, merged), "KSM may have merged pages meanwhile", "the kernel moved 12 pages meanwhile"),
                                  ((0, 0, 70, 70, 70, 70), "the kernel may have moved pages meanwhile", "")):
            for model, moves in zip(made, counts):
                model["identity"]["page_moves"], model["names"] = moves, []
            path = self.write("kernel", *made)
            self.open(path)
            for mode, said in ("cow", cow), ("diff", cow if diff is None else diff):
                with self.subTest(counts=counts, mode=mode):
                    self.say(f"{PAGE}.change({{ process: 0, a: 0, b: 2, mode: '{mode}' }})")
                    told = re.findall(r"(?:the kernel|KSM) [^;]* meanwhile", self.say(HEADLINE))
                    self.assertEqual(told, [said] if said else [])
                    snapshots = os.path.join(self.folder, "kernel.vms")
                    words = ("cow", f"{snapshots}@5", f"{snapshots}@6", "--base", f"{snapshots}@1") if mode == "cow" else ("diff", f"{snapshots}@1", f"{snapshots}@5")
                    done = subprocess.run([VMSNAP, *words, "--no-names", "-w", "0"], stdout=subprocess.PIPE, encoding="utf-8", check=False)
                    self.assertEqual(re.findall(r"(?:the kernel|KSM) [^;\n]* meanwhile", done.stdout), told)

    def test_moment_of_the_fork_is_told(self):
        """Between two looks; and before the first, where no timeline has a place for it."""
        for at, snapshots, lines in (150, (0, 2, 3), [[500, 0.5]]), (51, (0, 1, 2, 3), []):
            made = test_report.touched_by_a_debugger()
            for child in made[1::2]:
                child["identity"]["start_time"] = at
            self.open(self.write("moment", *(dict(made[i], names=[]) for i in snapshots)), "#p=0&m=cow")
            self.assertEqual(self.say(f"{PAGE}.timeline.forkPlaces()"), lines)
            self.assertIn("forked 01:46:%.1f UTC" % (40.5 if lines else 39.5), self.say(HEADLINE))
        self.quiet()

    def test_moment_of_the_fork_has_its_day_where_it_is_another(self):
        made = test_report.touched_by_a_debugger()
        for model in made[4:]:
            model["identity"]["taken"] += 86400 * 10**9
        self.open(self.write("day", *(dict(each, names=[]) for each in made)), "#p=0&m=cow")
        self.assertIn("forked 2001-09-09 01:46:39.5 UTC; all of it", self.say(HEADLINE))
        self.quiet()

    def test_no_moment_is_told_where_none_is_known(self):
        """As a page may say it; of snapshots without a date none are of one instant, and no fork is told."""
        made = test_report.touched_by_a_debugger()
        self.open(self.write("timeless", *(dict(each, names=[]) for each in made)), "#p=0&m=cow")
        said = self.say(f"({PAGE}.model.instants.forEach(each => {{ each.taken = 0; }}), {PAGE}.change({{ mode: 'cow' }}), {HEADLINE})")
        self.assertIn("all of it between 490 ms and 2.49 s after the fork, first copy", said)
        self.assertNotRegex(said, "forked|1970|00:00")
        self.quiet()

    def test_moment_of_one_fork_does_not_stand_for_others(self):
        made, another = test_report.touched_by_a_debugger(), test_report.touched_by_a_debugger()
        for child in another:
            child["identity"].update(pid=4244, tgid=4244)
        for models, told in (made, True), ([each for i in (0, 2, 4) for each in (*made[i:i + 2], another[i + 1])], False):
            self.open(self.write("forks", *(dict(each, names=[]) for each in models)))
            for process in (0, 1):
                self.say(f"{PAGE}.change({{ process: {process}, a: 0, b: 2, mode: 'diff' }})")
                said = self.say(HEADLINE)
                self.assertIn("copied", said)
                self.assertEqual("forked" in said, told or process == 1, said)
        self.quiet()

    def test_what_the_kernel_moved_is_counted_from_the_least(self):
        """Of one instant, whatever order its processes are in."""
        made = test_report.touched_by_a_debugger()
        for model, moves in zip(made, (70, 60, 70, 60, 82, 72)):
            model["identity"]["page_moves"], model["names"] = moves, []
        self.open(self.write("least", *made))
        for process in (0, 1):
            self.assertEqual(self.say(f"{PAGE}.model.movedBetween({process}, 0, 2).count"), 12, process)
        self.quiet()

    def test_frames_are_those_of_the_snapshots(self):
        """Where memory moved, and of a child that has most frames of its parent's."""
        def of(pid, ppid, seconds, frames):
            runs = [json_inputs.run(json_inputs.HEAP + i * 4096, 1, "present", pfn=frame) for i, frame in enumerate(frames) if frame]
            return json_inputs.snapshot(dict(json_inputs.PROCESS, pid=pid, tgid=pid, ppid=ppid, label=b"s%d" % seconds, taken=10**18 + seconds * 10**9,
                                             monotonic=(1 + seconds) * 10**9, start_time=123456 + pid),
                                        vmas=[json_inputs.vma(json_inputs.HEAP, json_inputs.HEAP + 16 * 4096, "rw-p")], runs=runs)

        forks = [of(1, 0, 0, (0x10, 0x11, 0x12, 0x20, 0x21, 0x30)), of(1, 0, 1, (0x10, 0x11, 0x50, 0x20, 0x21, 0x30)), of(2, 1, 1, (0x10, 0, 0x50, 0x20, 0x77, 0x30, 0x99)),
                 of(3, 2, 1, (0x10, 0, 0x50, 0x20, 0x77)), of(1, 0, 2, (0x60, 0x11, 0x50, 0x20, 0x21, 0)), of(2, 1, 2, (0x10, 0x11, 0x50, 0x20, 0x77, 0x30, 0x98))]
        for name, snapshots in (("moves", test_report.rearranged()), ("forks", forks)):
            page, told = self.write(name, *snapshots), {}
            for number in range(1, len(snapshots) + 1):
                done = subprocess.run([VMSNAP, "pages", f"{os.path.join(self.folder, name)}.vms@{number}", "--json", "--each"], check=True, stdout=subprocess.PIPE)
                for run in json.loads(done.stdout)["runs"]:
                    if run["pfn"]:
                        told[number, int(run["start"], 16) // 4096] = int(run["pfn"], 16)
            self.open(page)
            ours = self.say(f"""(async () => {{
                const {{ model, view }} = {PAGE}, frames = await view.loadFrames(), out = [];
                for (const process of model.processes) {{
                    const track = model.track(process.number, 'states');
                    track.present.forEach((there, k) => {{
                        for (let i = 0; there && i < track.pages; i++)
                            if (model.present[track.valuesAt(k)[i]]) out.push([model.places[k].get(process.number), track.pageOf(i), frames.of(track, i, k)]);
                    }});
                }}
                return out;
            }})()""")
            self.assertEqual({(number, page): frame for number, page, frame in ours}, told, name)
        self.assertEqual(self.say(f"{PAGE}.view.loadFrames().then(frames => frames.pages(0x20, 9).map(each => each.track.process))"), [0, 1, 2])
        with open(page, encoding="utf-8") as file:
            self.assertEqual([each.get("frames_of") for each in vmsreport.Report(file.read()).head["tracks"] if each["kind"] == "states"], [None, 0, 1])
        self.quiet()

    def test_numbers_of_what_was_written(self):
        self.assertEqual(self.same_numbers(self.write("written", *test_report.written_to())), 3)
        written = f"{PAGE}.model.tracks[0].events.map(each => each[{PAGE}.model.class.written])"
        self.assertEqual(self.say(written), [0, 2, 2])

    def test_state_is_in_the_address(self):
        self.open(self.page, "#p=0&a=0&b=1&m=b&v=status")
        self.assertEqual(self.say(f"[{PAGE}.tab, {PAGE}.view.mode]"), ["status", "b"])
        self.open(self.page, "#p=99&a=x&b=-1&m=none&v=")
        self.quiet()

    def test_one_snapshot(self):
        self.open(self.report("one.html", self.one))
        self.assertIn("resident", self.say(HEADLINE))
        self.assertTrue(self.say("document.querySelector('#time').hidden"))
        self.quiet()

    def test_sizes_of_windows(self):
        self.addCleanup(self.browser.resize, 1440, 900)
        for width, height in ((400, 700), (800, 600), (1920, 1080)):
            self.browser.resize(width, height)
            self.open(self.page)
            self.assertLessEqual(self.say("document.documentElement.scrollWidth"), width)
            # Where they have no room beside the strips, names stand above each of them.
            titles, strips = self.say(f"(map => [map.layout.rows.filter(row => row.title).map(row => row.strip.start), map.strips.map(strip => strip.start)])({PAGE}.map)")
            self.assertEqual(titles, strips if width < 620 else [])
            self.assertEqual(self.say(f"{PAGE}.map.placeOf({PAGE}.map.strips[0].start).row"), 1 if width < 620 else 0)
        self.quiet()

    def touch(self, kind, *points):
        self.browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=[dict(x=x, y=y, id=i) for i, (x, y) in enumerate(points)])

    def drag(self, *ways):
        """Fingers go from one point to another: ((x, y), (x, y)) each."""
        self.touch("touchStart", *(first for first, _ in ways))
        for step in range(1, 9):
            self.touch("touchMove", *((x + (to_x - x) * step / 8, y + (to_y - y) * step / 8) for (x, y), (to_x, to_y) in ways))
        self.touch("touchEnd")

    def corner(self, selector):
        return self.say(f"(box => [box.left, box.top, box.width, box.height])(document.querySelector('{selector}').getBoundingClientRect())")

    def test_fingers(self):
        self.browser.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        self.addCleanup(self.browser.call, "Emulation.setTouchEmulationEnabled", enabled=False)
        self.open(self.page)
        self.say(f"{PAGE}.change({{ a: 1, b: 1 }})")
        left, top, _, _ = self.corner("#scroll")
        x, y = self.say(f"(map => {{ const place = map.placeOf(map.strips[0].start); return [map.left + (place.column + 0.5) * map.cell, map.layout.tops[place.row] + 8]; }})({PAGE}.map)")
        self.touch("touchStart", (left + x, top + y))
        self.touch("touchEnd")
        self.assertTrue(self.browser.wait(f"{PAGE}.view.selected?.page"))
        before = self.say(f"{PAGE}.map.setScale(16), {PAGE}.map.pages")
        self.drag(((left + 500, top + 100), (left + 400, top + 100)), ((left + 540, top + 100), (left + 640, top + 100)))
        self.browser.wait(f"{PAGE}.map.pages < {before}")
        between = self.say(f"{PAGE}.map.pages")
        self.drag(((left + 400, top + 100), (left + 500, top + 100)), ((left + 640, top + 100), (left + 540, top + 100)))
        self.browser.wait(f"{PAGE}.map.pages > {between}")
        left, top, width, _ = self.corner("#timeline")
        self.drag(((left + 135, top + 60), (left + width - 190, top + 60)))
        self.browser.wait(f"{PAGE}.view.a === 0 && {PAGE}.view.b === 1")
        self.say(f"{PAGE}.map.setScale(1), {PAGE}.map.drawNow()")
        left, top, width, height = self.corner("#mini")
        self.drag(((left + 9, top + 5), (left + 9, top + height - 5)))
        self.browser.wait("(box => Math.round(box.scrollTop) >= Math.min(1, box.scrollHeight - box.clientHeight - 1))(document.querySelector('#scroll'))")
        self.quiet()

    def test_paper(self):
        self.open(self.page)
        self.assertTrue(self.browser.call("Page.printToPDF")["data"].startswith("JVBERi"))
        self.quiet()

    def test_names_and_contrast(self):
        for theme in ("light", "dark"):
            self.open(self.page)
            self.say(f"{PAGE}.theme('{theme}'), {PAGE}.redraw()")
            for number in "12345":
                self.browser.key(number)
                ratio, text = self.say(CONTRAST)
                self.assertGreaterEqual(ratio, 4.5, (theme, number, text))
                self.assertEqual(self.say(NAMELESS), [])

    def test_without_script(self):
        self.browser.call("Emulation.setScriptExecutionDisabled", value=True)
        self.addCleanup(self.browser.call, "Emulation.setScriptExecutionDisabled", value=False)
        self.browser.call("Page.navigate", url=f"file://{self.page}")
        for _ in range(200):
            tree = str(self.browser.call("Accessibility.getFullAXTree"))
            if "scripts, which are off" in tree:
                return
            time.sleep(0.05)
        self.fail("there is no table for browsers without scripts")

    def test_damaged_data_is_said(self):
        with open(self.page, encoding="utf-8") as file:
            page = file.read()
        for part in ("head", "values"):
            text = re.search(rf'id="{part}">([^<]*)<', page)[1]
            for broken in (text[:len(text) // 2 // 4 * 4], "AAAA" + text[4:], text[:8] + text[12:], "!" + text[1:]):
                path = os.path.join(self.folder, "damaged.html")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(page.replace(text, broken))
                self.assertEqual(self.browser.open(path), "damaged")
                self.assertIn("cannot be shown", self.say(HEADLINE))

    def with_parts(self, **parts):
        """The page with other bytes in these parts."""
        with open(self.page, encoding="utf-8") as file:
            page = file.read()
        for name, data in parts.items():
            text = base64.b64encode(zlib.compress(data)).decode()
            page = re.sub(rf'(id="{name}">)[^<]*<', lambda match: f"{match[1]}{text}<", page)
        path = os.path.join(self.folder, "damaged.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        return path

    def parts(self):
        with open(self.page, encoding="utf-8") as file:
            page = file.read()
        return {name: vmsreport.part(page, name) for name in ("head", "values", "frames")}  # what pages held is not asked for

    def look_at_all(self, what):
        """It is said to be damaged, or all views can be looked at; and never is anything thrown."""
        ready = self.browser.open(self.with_parts(**what))
        if ready == "damaged":
            self.assertIn("the data of this page is damaged", self.say(HEADLINE))
        else:
            self.say(WALK)
            self.say("document.querySelector('#find-input').value = ''")
            self.browser.key("/")
            self.browser.type("pfn:7000")
            self.browser.wait("document.querySelector('#hits li')?.textContent")
        self.assertEqual(self.browser.complaints(), [])
        return ready

    def test_flipped_bytes(self):
        chance, parts, ready = random.Random(20), self.parts(), []
        for number in range(15):
            name = ("head", "values", "frames")[number % 3]
            data = bytearray(parts[name])
            for _ in range(chance.choice((1, 1, 2, 5))):
                data[chance.randrange(len(data))] = chance.randrange(256) if name != "head" else chance.choice(b'0123456789,[]"-')
            with self.subTest(number=number):
                ready.append(self.look_at_all({name: bytes(data)}))
        self.assertIn("damaged", ready)

    def test_numbers_out_of_bounds(self):
        """The head still is JSON, but one value of it is another."""
        chance, head = random.Random(21), json.loads(self.parts()["head"])
        groups = {}
        for path in places(head):
            groups.setdefault(tuple("*" if isinstance(step, int) else step for step in path), []).append(path)
        for number, group in enumerate(sorted(groups) * (2 if ALL else 1)):
            broken, path = json.loads(json.dumps(head)), chance.choice(groups[group])
            parent = broken
            for step in path[:-1]:
                parent = parent[step]
            parent[path[-1]] = chance.choice((0, 1, -1, 7, 0.5, 10**6, 2**40, 2**53, 1e300, None, "x", [], {}, True))
            with self.subTest(number=number, path=path, value=parent[path[-1]]):
                self.look_at_all({"head": json.dumps(broken).encode()})

    def write(self, name, *snapshots):
        path = os.path.join(self.folder, f"{name}.vms")
        with open(path, "wb") as file:
            file.write(json_inputs.file_of(*snapshots)[0])
        return self.report(f"{name}.html", path)

    def test_hostile_names(self):
        evil = "</script><img src=x onerror=alert(1)>\u202egnp\u2066x\u2069 &\"'".encode() + b"\xff\x01\x1b[31m\n"
        words = dict(label=evil, reason=evil, host=evil, kernel=evil, tool=evil, comm=evil[:15], exe=b"/" + evil, cmdline=evil + b"\0<b>")
        vmas = [json_inputs.vma(json_inputs.HEAP, json_inputs.HEAP + 4096, "rw-p", b"/tmp/" + evil.strip(), device=(8, 1), inode=3)]
        runs = [json_inputs.run(json_inputs.HEAP, 1, "exclusive present", pfn=7)]
        series = [json_inputs.snapshot(dict(json_inputs.PROCESS, taken=when, **words), b"</script><b>\xe2\x80\xae:\t<b>\xff\n", vmas, runs)
                  for when in (10**18, 10**18 + 10**9)]
        self.open(self.write("hostile", *series))
        for number in "12345":
            self.browser.key(number)
            self.assertEqual(self.say("[document.querySelectorAll('img').length, document.querySelectorAll('main b > b').length]"), [0, 0])
            self.assertNotRegex(self.say("document.documentElement.innerText"), "[\u202a-\u202e\u2066-\u2069]")
        self.assertIn("</script><img", self.say(HEADLINE))
        self.quiet()

    def test_contents_are_text(self):
        """What pages held, and variables, are shown beside a page, as text; damaged ones are said to be."""
        evil, head = "</script><img src=x onerror=alert(1)>", json.loads(self.parts()["head"])
        page = head["tracks"][0]["segments"][0]
        head["strings"] += [evil, evil + "2", "type", "one", "two"]
        first = len(head["strings"]) - 5
        head["contents"] = dict(wanted=True, bytes_left_out=5, values_left_out=0, compared=[0, 1],
                                values=[0, 1, page, 64, 8, *range(first, first + 5)])

        def varint(number):
            return bytes([number & 127 | 128]) + varint(number >> 7) if number > 127 else bytes([number])

        record = b"".join(map(varint, (0, 1, page, 64, len(evil)))) + bytes(len(evil)) + evil.encode()
        show = f"(async () => {{ {PAGE}.jump({page}, {page + 1}); await {PAGE}.view.loadContents().catch(() => 0); }})()"
        self.open(self.with_parts(head=json.dumps(head).encode(), contents=record))
        self.say(f"{PAGE}.change({{ a: 0, b: 1 }})")
        self.say(show)
        text = self.say("document.querySelector('#inspector').innerText")
        for word in (evil, "one", "two", "3c 2f 73 63", "</script", f"{len(evil)} bytes differ", "5 B that changed are not in this page"):
            self.assertIn(word, text)
        self.assertEqual(self.say("document.querySelectorAll('img').length"), 0)
        self.say(f"{PAGE}.change({{ a: 1, b: 1 }}), {PAGE}.jump({page}, {page + 1})")
        self.assertNotIn("Values at A", self.say("document.querySelector('#inspector').innerText"))
        for broken in (record[:-1], record + b"\1", record.replace(varint(page), varint(2**40)), b"\xff" * 20, varint(9) + record[1:]):
            self.open(self.with_parts(head=json.dumps(head).encode(), contents=broken))
            self.say(f"{PAGE}.change({{ a: 0, b: 1 }})")
            self.say(show)
        self.assertIn("damaged", self.say("document.querySelector('#inspector').innerText"))
        self.quiet()

    def test_long_label_is_cut(self):
        page = self.write("long", json_inputs.small(1, 0, 5, label=b"<" * (10 << 20)))
        self.assertLess(os.path.getsize(page), 200_000)
        self.open(page)
        self.assertLess(len(self.say(HEADLINE)), 200)
        self.quiet()

    def test_clock_that_was_set(self):
        """Between two snapshots somebody set the date back: the time that went by is what another clock says."""
        when = dict(taken=json_inputs.PROCESS["taken"], monotonic=10**9)
        later = dict(taken=when["taken"] - 5 * 10**9, monotonic=3 * 10**9)
        self.open(self.write("clock", json_inputs.small(1, 0, 5, **when), json_inputs.small(1, 0, 5, **later)))
        self.assertEqual(self.say(f"{PAGE}.model.instants.map(each => each.ms)"), [0, 2000])
        self.assertEqual(self.say(f"{PAGE}.model.instants[1].taken - {PAGE}.model.instants[0].taken"), -5000)

    def test_many_mappings(self):
        """Comparing their lists takes no time that grows with the square of their number."""
        count, start = 40_000, 0x600000000000
        vmas = [json_inputs.vma(start + 8192 * i, start + 8192 * i + 4096, "rw-p") for i in range(count)]
        runs = [[json_inputs.run(start + 8192 * i, 1, "exclusive present", pfn=first + i) for i in range(count)] for first in (1 << 16, 1 << 20)]
        series = [json_inputs.snapshot(dict(json_inputs.PROCESS, taken=10**18 + i), vmas=vmas, runs=each) for i, each in enumerate(runs)]
        self.open(self.write("many", *series))
        self.assertEqual(self.say(f"{PAGE}.view.strips.length"), count)
        self.quiet()

    def test_who_copied_is_not_guessed(self):
        """Where it is not known who of two copied, nobody is said to have."""
        parent = json_inputs.small(1, 0, 0x100, label=b"at")
        child = json_inputs.small(2, 1, 0x200, label=b"at")
        page = self.write("who", parent, child)
        self.open(page, "#p=0&m=cow")
        self.assertIn("16 KiB by one of the two", self.say(HEADLINE))
        self.assertIn("none seen by the parent, none seen by the child", self.say(HEADLINE))
        # Without a base nobody knows that they were copied since.
        self.assertIn("How much of the sharing is lost is not known; inferred: 100", self.say(HEADLINE))

    def test_of_what_is_unknown_nothing_is_told(self):
        pair = [json_inputs.snapshot(
            identity=dict(json_inputs.PROCESS, pid=pid, tgid=pid, ppid=ppid, known=["zero"], faults=50),
            vmas=[json_inputs.vma(json_inputs.HEAP, json_inputs.HEAP + 8 * 4096, "rw-p")],
            runs=[json_inputs.run(json_inputs.HEAP, 4, "present")]) for pid, ppid in ((1, 0), (2, 1))]
        self.open(self.write("unknown", *pair), "#p=0&m=cow&v=forks")
        for where in (HEADLINE, "document.querySelector('#forks').innerText"):
            said = self.say(where)
            self.assertIn("How much of the sharing is lost is not known", said)
            self.assertIn("of 16 KiB nothing is known", said)
        self.quiet()

    def test_what_is_inferred_is_said_to_be(self):
        # Of one place in both, without frames.
        snapshots = [json_inputs.small(pid, ppid, frame, known=["exclusive"], taken=json_inputs.PROCESS["taken"] + seconds * 10**9)
                     for seconds in (0, 1) for pid, ppid, frame in ((4242, 1, 0x7000), (4243, 4242, 0x8000))]
        self.open(self.write("inferred", *snapshots), "#p=0&m=cow&v=forks")
        self.assertIn("are inferred", self.say("document.querySelector('#forks').innerText"))
        self.assertIn(", inferred", self.say("document.querySelector('#forks tbody').innerText"))
        self.quiet()

    def test_what_of_the_copies_is_no_variable_is_told(self):
        known = [json_inputs.name(json_inputs.HEAP + 4096, 8, "local", b"counter", frame=0)]
        self.open(self.write("unnamed", *(dict(each, names=known) for each in test_report.touched_by_a_debugger())), "#p=0&m=cow")
        said = self.say("document.querySelector('#inspector').textContent")
        self.assertIn("not variables: 20 KiB heap (no names)", said)
        self.assertIn("counter", said)

    def test_child_that_copies_is_told_of_its_parent(self):
        """Its own pages do not change by that."""
        def of(pid, ppid, frame, seconds):
            return json_inputs.small(pid, ppid, frame, label=b"s%d" % seconds, taken=10**18 + seconds * 10**9, known=["pfn", "exclusive", "zero", "huge"])

        self.open(self.write("child", of(1, 0, 0x100, 0), of(2, 1, 0x100, 0), of(1, 0, 0x100, 1), of(2, 1, 0x200, 1)), "#p=0&m=diff")
        self.assertIn("16 KiB copied by the child of cat 1", self.say(HEADLINE))
        self.assertIn("its child 2 copied 16 KiB", self.say(HEADLINE))


if __name__ == "__main__":
    unittest.main()
