"""Measures vmsnap against the least work the kernel can be asked for.

Both are run in turn, several times, in one and the same run on one target; of each
the least time counts.  Started by script/bench, which builds what is needed."""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time

import contents_rows
import core_rows
import delta_rows
import groups_rows
import record_rows
import report_rows
import series_rows
import gdb_rows
import tracking_rows

PAGE = os.sysconf("SC_PAGE_SIZE")
BEGIN = {"all": "<!-- begin: written by script/bench --update -->",
         "contents": "<!-- begin: written by script/bench contents --update -->",
         "groups": "<!-- begin: written by script/bench groups --update -->",
         "tracking": "<!-- begin: written by script/bench tracking --update -->",
         "deltas": "<!-- begin: written by script/bench deltas --update -->",
         "record": "<!-- begin: written by script/bench record --update -->",
         "series": "<!-- begin: written by script/bench series --update -->",
         "report": "<!-- begin: written by script/bench report --update -->",
         "core": "<!-- begin: written by script/bench core --update -->"}
END = "<!-- end -->"


class Target:
    """A program that has made its memory and stands still."""

    def __init__(self, *argv, ready=b"ready\n"):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.pid = self.process.pid
        self.said = self.wait(ready) if ready else b""
        time.sleep(0.05)

    def wait(self, ready=b"ready\n"):
        said = b""
        while not said.endswith(ready):
            data = self.process.stdout.read(65536)
            if not data:
                raise SystemExit(f"bench: {self.process.args} ended: {said.decode()}")
            said += data
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Bench:
    def __init__(self, options):
        self.options = options
        self.vmsnap = os.path.join(options.build, "vmsnap")
        self.targets = os.path.join(options.build, "targets")
        self.rounds = 3 if options.quick else 9
        self.rows = []
        self.gdb_rows = []
        self.contents_rows = []
        self.groups_rows = []
        self.tracking_rows = []
        self.series_rows = []
        self.report_rows = []
        self.core_rows = []

    def target(self, name, *argv):
        return Target(os.path.join(self.targets, name), *map(str, argv))

    def path(self, name):
        return os.path.join(self.options.folder, name)

    def program(self, name, *argv):
        return Target(self.path(name), *map(str, argv))

    # One run of each thing that is measured.

    def limit_once(self, pid, way, give_up=3600.0):
        said = subprocess.run([self.path("pagemap_limit"), str(pid), way, "1", str(give_up)],
                              stdout=subprocess.PIPE, check=True).stdout.split()
        return float(said[1])

    def run(self, *argv):
        """(seconds, most memory in KiB) of one run of the command."""
        return self.run_program(self.vmsnap, *argv)

    def run_program(self, *argv):
        into, out = os.pipe()
        subprocess.run([self.path("run_measured"), str(out), *map(str, argv)], pass_fds=(out,),
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
        os.close(out)
        with os.fdopen(into) as pipe:
            status, seconds, memory = pipe.readline().split()
        if int(status) not in (0, 1):
            raise SystemExit(f"bench: {' '.join(map(str, argv))}: exit status {status}")
        return float(seconds), int(memory)

    def pause(self, path):
        said = subprocess.run([self.vmsnap, "show", path, "--json"], stdout=subprocess.PIPE, check=True).stdout
        return json.loads(said)["snapshot"]["pause_us"] / 1e6

    # What is told of a target: the least of several runs, one after the other in turn.

    def measure(self, pid, rounds=None):
        out = self.path("bench.vms")
        best = dict.fromkeys(("plain", "scan+read", "maps", "pause", "whole"), float("inf"))
        memory = 0
        for _ in range(rounds or self.rounds):
            # Once one way is slower by much than the other it need not run to its end.
            for way, other in (("scan+read", "plain"), ("plain", "scan+read"), ("maps", None)):
                give_up = 3 * best[other] if other and best[other] < 1000 else 3600
                best[way] = min(best[way], self.limit_once(pid, way, give_up))
            if os.path.exists(out):
                os.unlink(out)
            seconds, peak = self.run("capture", pid, "-o", out)
            best["whole"], memory = min(best["whole"], seconds), max(memory, peak)
            best["pause"] = min(best["pause"], self.pause(out))
        best["limit"] = min(best["plain"], best["scan+read"])
        best["memory"], best["file"] = memory * 1024, os.path.getsize(out)
        os.unlink(out)
        return best

    def row(self, *row):
        self.rows.append(say_row(row))

    def gdb_row(self, *row):
        self.gdb_rows.append(say_row(row))

    def contents_row(self, *row):
        self.contents_rows.append(say_row(row))

    def groups_row(self, *row):
        self.groups_rows.append(say_row(row))

    def tracking_row(self, *row):
        self.tracking_rows.append(say_row(row))

    def series_row(self, *row):
        self.series_rows.append(say_row(row))

    def report_row(self, *row):
        self.report_rows.append(say_row(row))

    def core_row(self, *row):
        self.core_rows.append(say_row(row))

    # The table.

    def table(self):
        with self.target("big", "touched", 4096) as target:
            self.large("4 GiB touched page by page", target.pid)
            self.two_files(target.pid)
        with self.target("big", "scattered", 4096, 1) as target:
            self.large("4 GiB, no two frames in order", target.pid)
        with self.target("big", "thp", 4096) as target:
            got = self.measure(target.pid)
            self.row("4 GiB of transparent huge pages", "pause", got["pause"], got["limit"], 1.05)
        with self.target("big", "sparse", 16384, 200000, 1) as target:
            got = self.measure(target.pid, 3)
            self.row("16 TiB reserved, 200,000 scattered pages", "pause", got["pause"], got["limit"], 0.8)
        with self.target("big", "vmas", 64000) as target:
            got = self.measure(target.pid)
            self.row("64,000 VMAs", "pause; to limit + a read of maps", got["pause"], got["limit"] + got["maps"], 1.0)
        for count in (1000, 10000):
            with self.target("processes", "sleepers", count) as target:
                self.threads(count, target.pid)
        self.file_sizes()
        with Target("sleep", "1000", ready=None) as target:
            self.small(target.pid)

    def large(self, name, pid):
        got = self.measure(pid)
        self.row(name, "pause", got["pause"], got["limit"], 0.8)
        self.row(name, "whole capture, to a file on disk", got["whole"], got["limit"], 1.5)
        self.row(name, "most memory of vmsnap capture", got["memory"], None, 48 << 20, "bytes")

    def small(self, pid):
        """On a tmpfs, if /dev/shm is one: a disk has its own time."""
        path = "/dev/shm/vmsnap-bench.vms" if os.path.isdir("/dev/shm") else self.path("sleep.vms")
        whole = pause = float("inf")
        for _ in range(5 * self.rounds):
            whole = min(whole, self.run("capture", pid, "-o", path)[0])
            pause = min(pause, self.pause(path))
            os.unlink(path)
        self.row("a small process (sleep)", "whole capture, to a tmpfs", whole, None, 0.003, "seconds")
        self.row("a small process (sleep)", "pause", pause, None, 0.00015, "seconds")

    def threads(self, count, pid):
        """Beside a bare loop that seizes, interrupts, waits for and lets go each thread."""
        path, bare, pause = self.path("threads.vms"), float("inf"), float("inf")
        for _ in range(self.rounds):
            said = subprocess.run([self.path("threads_limit"), str(pid)], stdout=subprocess.PIPE, check=True).stdout
            bare = min(bare, float(said.split()[0]))
            self.run("capture", pid, "-o", path)
            pause = min(pause, self.pause(path))
            os.unlink(path)
        self.row(f"{count:,} threads", "pause; to a bare loop", pause, bare, 1.15)

    def two_files(self, pid):
        """Two files of a million pages, and what one capture has at least to read."""
        a, b = self.path("a.vms"), self.path("b.vms")
        for path in (a, b):
            self.run("capture", pid, "-o", path)
        limit = took = one = float("inf")
        for _ in range(self.rounds):
            limit = min(limit, self.limit_once(pid, "plain"), self.limit_once(pid, "scan+read"))
            took = min(took, self.run("diff", a, b, "--json", "--totals")[0])
            one = min(one, self.run("check", a)[0])
        self.row("two files of 1 M pages", "diff --json, totals", took, limit, 0.3)
        self.row("a file of 1 M pages", "check: all of it is loaded", one, limit, 1.0)

    def file_size(self, target):
        """The size of a file, and of what `xz -9e` makes of the pagemap entries alone."""
        with target:
            time.sleep(0.5)
            self.run("capture", target.pid, "-o", self.path("real.vms"))
            return os.path.getsize(self.path("real.vms")), raw_entries_xz(target.pid)

    def file_sizes(self):
        script = "import json,re,decimal,sys;d={str(i):[i]*9 for i in range(60000)};print('ready',flush=True);sys.stdin.read()"
        real = (("a Python interpreter with data", Target(sys.executable, "-c", script)),
                ("a C program with data (bash)", Target("bash", "-c", "for i in {1..60000}; do d[i]=$i$i; done; echo ready; read")),
                ("gdb", Target("gdb", "-nx", "-q", "--interpreter=mi", ready=b"(gdb) \n")))
        for name, target in real:
            size, raw = self.file_size(target)
            self.row(name, "file size; to xz -9e of raw entries", size, raw, 1.0, "size")

    # How it grows.

    def growth(self):
        sizes = (1, 4, 16) if self.options.quick else (1, 2, 4, 8, 16, 32, 64)
        yield "Resident memory, a memfd of 1 GiB mapped again and again"
        yield from self.grow(sizes, "GiB", lambda size: ("mapped", 1024, size))
        counts = (1000, 8000, 60000) if self.options.quick else (1000, 2000, 4000, 8000, 15000, 30000, 60000)
        yield "VMAs"
        yield from self.grow(counts, "VMAs", lambda count: ("vmas", count))

    def grow(self, steps, unit, argv):
        yield (unit, "limit", "pause", "whole", "memory", "file", f"whole per {unit.rstrip('s')}")
        for step in steps:
            with self.target("big", *argv(step)) as target:
                got = self.measure(target.pid, 3)
            yield (f"{step}", ms(got["limit"]), ms(got["pause"]), ms(got["whole"]), size_text(got["memory"]),
                   size_text(got["file"]), f"{got['whole'] * 1e6 / step:.1f} us")

    def seen_by_the_target(self):
        """A target that looks at the clock all the time: how long did it really stand?"""
        out = self.path("spin.vms")
        longest = []
        with self.target("processes", "spin", 1024) as target:
            for _ in range(self.rounds):
                target.process.stdin.write(b"400\n")
                time.sleep(0.1)
                self.run("capture", target.pid, "-o", out)
                gap = int(re.search(rb"longest (\d+)", target.wait())[1]) / 1e9
                longest.append((gap, self.pause(out)))
        return min(longest)


def raw_entries_xz(pid):
    """The bytes that xz -9e makes of the pagemap entries of all mappings."""
    raw = bytearray()
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pagemap:
        for line in maps:
            start, end = (int(text, 16) for text in line.split()[0].split("-"))
            if not start >> 63:
                raw += os.pread(pagemap.fileno(), (end - start) // PAGE * 8, start // PAGE * 8)
    return len(subprocess.run(["xz", "-9e", "-c"], input=bytes(raw), stdout=subprocess.PIPE, check=True).stdout)


def ms(seconds):
    return f"{seconds * 1e3:.2f} ms"


def size_text(size):
    for unit in ("B", "KiB", "MiB"):
        if abs(size) < 10240 or unit == "MiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024


def say_row(row):
    cells = format_row(*row)
    print("  ".join(cell.ljust(width) for cell, width in zip(cells, (40, 40, 10, 10, 9, 9, 8))), flush=True)
    return cells


def format_row(target, measure, value, reference, limit, unit="x"):
    if limit is None and reference is None:
        return [target, measure, ms(value), "", "", "", ""]
    if limit is None:
        return [target, measure, ms(value), ms(reference), f"{value / reference:.2f}", "", ""]
    if unit == "x":
        cells, ratio = [ms(value), ms(reference), f"{value / reference:.2f}", f"{limit:.2f}"], value / reference
    elif unit == "size":
        cells, ratio = [f"{value} B", f"{reference} B", f"{value / reference:.2f}", f"{limit:.2f}"], value / reference
    elif unit == "bytes":
        cells, ratio = [size_text(value), "", "", size_text(limit)], value
    elif unit in ("above", "bytes above"):
        text, ratio = ms if unit == "above" else size_text, value - reference
        cells = [text(value), text(reference), f"{'+' * (ratio >= 0)}{text(ratio)}", f"+{text(limit)}"]
    else:
        cells, ratio = [ms(value), "", "", ms(limit)], value
    return [target, measure, *cells, "reached" if ratio <= limit else "missed"]


def markdown(rows):
    rows = list(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def machine():
    with open("/proc/cpuinfo") as info:
        model = re.search(r"model name\s*: (.*)", info.read())
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} processors, Linux {platform.release()}"


def update(page, what, text):
    with open(page, encoding="utf-8") as file:
        old = file.read()
    begin = old.index(BEGIN[what]) + len(BEGIN[what])
    end = old.index(END, begin)
    with open(page, "w", encoding="utf-8") as file:
        file.write(f"{old[:begin]}\n\n{text}\n\n{old[end:]}")


def everything(bench):
    bench.table()
    gdb_rows.rows(bench, bench.options.plugin)
    head = ("Target", "Measure", "vmsnap", "limit", "ratio", "at most", "")
    parts = [f"{machine()}.", markdown([head, *bench.rows])]
    gap, pause = bench.seen_by_the_target()
    parts.append(f"A target of 1 GiB that looked at the clock all the time stood for {ms(gap)} by its own account,\n"
                 f"and for {ms(pause)} by what its snapshot says.")
    size, raw = bench.file_size(Target("sleep", "1000", ready=None))
    parts.append(f"The file of a process as small as `sleep` has {size} bytes, xz makes {raw} of its raw entries:\n"
                 "identity, status and mappings are then more than the states of its pages.")
    growth = []
    for line in bench.growth():
        if isinstance(line, str):
            growth.append([line])
        else:
            growth[-1].append(line)
    if bench.gdb_rows:
        head = ("In gdb", "Measure", "vmsnap", "without", "more", "at most", "")
        parts.append(f"Inside gdb:\n\n{markdown([head, *bench.gdb_rows])}")
    return parts + [f"{part[0]}:\n\n{markdown(part[1:])}" for part in growth]


def contents(bench):
    effects = contents_rows.rows(bench)
    head = ("Target", "Measure", "vmsnap", "limit", "ratio", "at most", "")
    return [f"{machine()}.", markdown([head, *bench.contents_rows]),
            f"What is different in the process afterwards:\n\n{markdown(effects)}"]


def groups(bench):
    groups_rows.rows(bench)
    head = ("Target", "Measure", "vmsnap", "limit", "ratio", "at most", "")
    return [f"{machine()}.", markdown([head, *bench.groups_rows])]


def tracking(bench):
    tracking_rows.rows(bench)
    head = ("Target", "Measure", "vmsnap", "without", "ratio", "at most", "")
    return [f"{machine()}.", markdown([head, *bench.tracking_rows])]


def deltas(bench):
    head = ("Snapshots", "Measure", "whole", "as differences", "ratio", "at most", "")
    return [f"{machine()}.", markdown([head, *delta_rows.rows(bench)])]


def record(bench):
    head = ("Target", "Measure", "vmsnap", "the kernel alone", "at most", "")
    return [f"{machine()}.", markdown([head, *record_rows.rows(bench)])]


def series(bench):
    series_rows.rows(bench)
    head = ("File", "Measure", "vmsnap", "reading", "ratio", "at most", "")
    return [f"{machine()}.", markdown([head, *bench.series_rows])]


def report(bench):
    report_rows.rows(bench)
    # Nothing is measured beside it.
    rows = [[cell for column, cell in enumerate(row) if column not in (3, 4)] for row in bench.report_rows]
    return [f"{machine()}.", markdown([("Series", "Measure", "", "at most", ""), *rows])]


def core(bench):
    core_rows.rows(bench)
    # Nothing is measured beside it.
    rows = [[cell for column, cell in enumerate(row) if column not in (3, 4)] for row in bench.core_rows]
    return [f"{machine()}.", markdown([("Core file", "Measure", "", "at most", ""), *rows])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", default="all", choices=("all", "contents", "groups", "tracking", "deltas", "record",
                                                                   "series", "report", "core"))
    parser.add_argument("--build", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--page", required=True)
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    bench = Bench(options)
    if os.geteuid():
        print("Not root: PFNs are hidden, and the files hold none.")
    what = {"all": everything, "contents": contents, "groups": groups, "tracking": tracking, "deltas": deltas,
            "record": record, "series": series, "report": report, "core": core}
    for name in ("all", "record") if options.what == "all" else (options.what,):
        text = "\n\n".join(what[name](bench))
        print(f"\n{text}", flush=True)
        if options.update:
            update(options.page, name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
