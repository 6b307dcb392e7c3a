"""The rows of bench.py about tracking by userfaultfd: what a look costs, what it costs the process, and how long it
stands where what its pages hold is copied before."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from contents_rows import Redis


class Tracking:
    def __init__(self, bench):
        self.bench = bench
        self.rounds = 3 if bench.options.quick else 5
        # The library's binding, of the build that is measured.
        os.environ["VMSNAP_LIB"] = os.path.join(bench.options.build, "core", "libvmsnap.so.0")
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(bench.options.plugin)), "python"))

    def seconds(self, what):
        begun = time.monotonic()
        what()
        return time.monotonic() - begun

    def write_all(self, target):
        target.process.stdin.write(b"\n")
        return int(re.search(rb"took (\d+)", target.wait())[1]) / 1e9


def looks(tracking):
    """A look is one walk of page tables; it does not stop the process."""
    import vmsnap

    bench, size = tracking.bench, 1024 if tracking.bench.options.quick else 4096
    idle = written = armed = free = float("inf")
    with bench.program("tracked_writer", size) as target:
        for _ in range(tracking.rounds):
            free = min(free, tracking.write_all(target))
        tracker = vmsnap.Tracker(target.pid, "uffd")
        first = tracking.seconds(tracker.look)
        for _ in range(tracking.rounds):
            idle = min(idle, tracking.seconds(tracker.look))
            armed = min(armed, tracking.write_all(target))
            written = min(written, tracking.seconds(tracker.look))
        back = tracking.seconds(tracker.close)
    pages, name = size * 256, f"{size // 1024} GiB of small pages"
    bench.tracking_row(name, "the first look, which arms all", first, None, None)
    bench.tracking_row(name, "a look, nothing written", idle, None, 0.010, "seconds")
    bench.tracking_row(name, "a look, all written", written, None, 0.030, "seconds")
    bench.tracking_row(name, "to give all of it back", back, None, None)
    bench.tracking_row(name, "a write to each page, armed; to not armed", armed, free, None)
    print(f"  (the first write to a page costs {(armed - free) / pages * 1e9:.0f} ns more)")


def pauses(tracking, name, *how_made):
    bench, out = tracking.bench, tracking.bench.path("tracked.vms")
    with bench.program("tracked_writer", 1024, 20000, *how_made) as target:
        # To compress a gigabyte takes seconds, and is no part of the pause.
        for what, how, rounds in (("--contents --track=uffd", ("--contents", "--track=uffd"), 2),
                                  ("--hash --track=uffd", ("--hash", "--track=uffd"), tracking.rounds)):
            pause = plain = float("inf")
            for _ in range(rounds):
                for options in (how, ()):
                    if os.path.exists(out):
                        os.unlink(out)
                    bench.run("capture", target.pid, *options, "-q", "-o", out)
                    stood = bench.pause(out)
                    pause, plain = (min(pause, stood), plain) if options else (pause, min(plain, stood))
            bench.tracking_row(name, f"pause with {what}", pause, None, 0.005, "seconds")
        bench.tracking_row(name, "pause of states alone", plain, None, None)
    os.unlink(out)


def requests(server, count):
    said = subprocess.run(["redis-benchmark", "-s", server.path, "-t", "set", "-r", "400000", "-d", "1000", "-c", "8",
                           "-n", str(count), "--csv"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return float(re.search(r'"SET","([\d.]+)"', said)[1])


def redis(tracking):
    """Throughput of random SETs, without and with rounds."""
    bench = tracking.bench
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        print("There is no redis here: a server is not measured.")
        return
    count = 100000 if bench.options.quick else 500000
    with tempfile.TemporaryDirectory(prefix="vmsnap-bench-") as folder, Redis(folder, 20000) as server:
        requests(server, count)
        best = {"": 0, "1": 0, "0.1": 0}
        for _ in range(2):
            for every in best:
                record = subprocess.Popen([bench.vmsnap, "record", "--track=uffd", f"--every={every}", "--for=600", "--json",
                                           "--no-names", str(server.pid)], stdout=subprocess.DEVNULL) if every else None
                time.sleep(0.3)
                best[every] = max(best[every], requests(server, count))
                if record:
                    record.terminate()
                    record.wait()
    for every, rate in best.items():
        if every:
            bench.tracking_rows.append([f"redis, random SETs of 1,000 bytes, a round each {every} s", "requests a second",
                                        f"{rate:,.0f}", f"{best['']:,.0f}", f"{rate / best['']:.2f}", "", ""])


def rows(bench):
    tracking = Tracking(bench)
    looks(tracking)
    pauses(tracking, "1 GiB, 20,000 pages written a second")
    pauses(tracking, "the same, no two frames in order", "scattered")
    redis(tracking)
