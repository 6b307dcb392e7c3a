"""The rows of bench.py about the page of vmsnap report: how large it is, and how fast in a headless Chromium without a
graphics processor, at 1440 by 900.  The series are made (report_file.c), but that of a Redis that saves, which is run."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "reader"))
import chromium  # noqa: E402

KIB = 1 << 10
# name, SNAPSHOTS PAGES COPIED SCATTERED GROWTH of report_file, options of the report, most bytes, ms of a frame and of
# a switch of A or B
SERIES = (("4 GiB, 1 snapshot", (1, 1 << 20, 0, 0, 0), (), 191 * KIB, 16, 100),
          ("4 GiB, 8 snapshots, 600 MiB copied", (8, 1 << 20, 153600, 40000, 0), (), 562 * KIB, 16, 100),
          ("256 MiB that grow, 1,000 snapshots", (1000, 1 << 16, 0, 0, 12), (), 461 * KIB, 16, 100),
          ("64 GiB, 4 snapshots, without frames", (4, 1 << 24, 1500000, 400000, 0), ("--strip", "pfns"), 1021 * KIB, 33, 200))
READY = 1000  # ms

MEASURE = """(async () => {
	const page = window.vmsnapPage, box = document.querySelector('#scroll'), paint = () => new Promise(done => requestAnimationFrame(done));
	const frames = [], switches = [], middle = list => list.sort((a, b) => a - b)[list.length >> 1], last = page.model.instants.length - 1;
	const timed = (list, action) => {
		const began = performance.now();
		action();
		list.push(performance.now() - began);
	};
	page.select('map');
	for (const zoom of [0, 1, 2]) {
		if (zoom) page.map.zoom(1 / 4 ** zoom);
		for (let i = 0; i < 40; i++) {
			box.scrollTop = i * 37 * (zoom + 1) % Math.max(1, box.scrollHeight - box.clientHeight);
			await paint();
			timed(frames, () => page.map.drawNow());
		}
	}
	page.map.fit();
	for (let i = 0; last && i < 12; i++) timed(switches, () => {
		page.change({ a: i % 2, b: last - i % 3 });
		page.map.drawNow();
	});
	return { frame: middle(frames), worst: Math.max(...frames), change: last ? middle(switches) : null };
})()"""


class Pages:
    def __init__(self, bench):
        self.bench = bench
        self.folder = tempfile.mkdtemp(prefix="vmsnap-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.file, self.page = os.path.join(self.folder, "series.vms"), os.path.join(self.folder, "page.html")

    def look(self):
        """ms until it is ready, of a frame, the slowest frame, and of a switch."""
        ready, browser = [], chromium.Chromium()
        try:
            browser.resize(1440, 900)
            for _ in range(3 if self.bench.options.quick else 5):
                browser.open(self.page)
                ready.append(browser.evaluate("window.vmsnapPage.ready"))
            return sorted(ready)[len(ready) // 2], browser.evaluate(MEASURE)
        finally:
            browser.close()

    def rows(self, name, options, most, frame, switch):
        if os.path.exists(self.page):
            os.unlink(self.page)
        seconds, memory = self.bench.run("report", self.file, "-o", self.page, *options)
        add = self.bench.report_row
        add(name, "to make the page", seconds, None, None, "time")
        add(name, "most memory of it", memory * 1024, None, 256 << 20, "bytes")
        add(name, "the page", os.path.getsize(self.page), None, most, "bytes")
        ready, told = self.look()
        add(name, "ready", ready / 1000, None, READY / 1000, "time")
        add(name, "a frame while scrolling, median", told["frame"] / 1000, None, frame / 1000, "time")
        add(name, "the slowest frame", told["worst"] / 1000, None, None)
        if told["change"]:
            add(name, "another A or B, median", told["change"] / 1000, None, switch / 1000, "time")

    def invented(self, name, numbers, *more):
        if os.path.exists(self.file):
            os.unlink(self.file)
        subprocess.run([self.bench.path("report_file"), self.file, *map(str, numbers)], check=True)
        self.rows(name, *more)

    def ask(self, port, *words):
        subprocess.run(["redis-cli", "-p", str(port), *words], check=True, stdout=subprocess.DEVNULL)

    def capture(self, pid, label):
        subprocess.run([self.bench.vmsnap, "capture", str(pid), "--tree", "-o", self.file, "--append", "--label", label, "-q"], check=True)

    def redis(self, port=7791):
        """200 MiB that are saved while they are written to: 34 instants."""
        if os.path.exists(self.file):
            os.unlink(self.file)
        server = subprocess.Popen(["redis-server", "--port", str(port), "--save", "", "--enable-debug-command", "yes", "--dir", self.folder,
                                   "--rdb-key-save-delay", "60"], stdout=subprocess.DEVNULL)
        try:
            time.sleep(1)
            self.ask(port, "debug", "populate", "1500000", "key", "64")
            self.capture(server.pid, "before")
            self.ask(port, "bgsave")
            for step in range(33):
                self.capture(server.pid, f"save +{step}" if step else "fork")
                subprocess.run(["redis-benchmark", "-p", str(port), "-t", "set", "-n", "2000", "-r", "1500000", "-q"], check=True, stdout=subprocess.DEVNULL)
        finally:
            server.kill()
            server.wait()


def rows(bench):
    if not chromium.browser():
        raise SystemExit("script/bench report needs Chromium")
    pages = Pages(bench)
    try:
        if all(map(shutil.which, ("redis-server", "redis-cli", "redis-benchmark"))):
            pages.redis()
            pages.rows("a Redis of 200 MiB that saves, 34 instants", (), 525 * KIB, 16, 100)
        for row in SERIES:
            pages.invented(*row)
    finally:
        shutil.rmtree(pages.folder)
