"""The rows of bench.py about series: each beside reading the file and doing nothing with it (series_file.c)."""

import os
import shutil
import subprocess
import tempfile

MIB = 1 << 20


class Series:
    def __init__(self, bench):
        self.bench = bench
        self.rounds = 3 if bench.options.quick else 5
        # A disk has its own time.
        self.folder = tempfile.mkdtemp(prefix="vmsnap-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.file = os.path.join(self.folder, "series.vms")

    def make(self, snapshots, how, *more):
        if os.path.exists(self.file):
            os.unlink(self.file)
        subprocess.run([self.bench.path("series_file"), self.file, str(snapshots), "1000000", how, *more], check=True)

    def measure(self, *calls):
        """The least seconds of reading it and of each call, in turn; the most memory of each, in bytes."""
        read, best, memory = float("inf"), [float("inf")] * len(calls), [0] * len(calls)
        for _ in range(self.rounds):
            read = min(read, self.bench.run_program(self.bench.path("series_file"), self.file, "read")[0])
            for index, call in enumerate(calls):
                seconds, peak = self.bench.run(*call)
                best[index], memory[index] = min(best[index], seconds), max(memory[index], peak * 1024)
        return read, best, memory

    def rows(self, name, snapshots, limit, how, *more):
        self.make(snapshots, how, *more)
        calls = (("series", self.file), ("series", self.file, "--by", "kind"),
                 ("page", self.file, "7f0000100000", "--history"))
        read, (mapping, kind, history), memory = self.measure(*calls)
        self.bench.series_row(name, "series; to reading it", mapping, read, limit)
        self.bench.series_row(name, "series --by kind", kind, read, limit)
        self.bench.series_row(name, "page --history", history, read, 1.0)
        # Two snapshots, and the one that is made of the former.
        self.bench.series_row(name, "most memory of series", memory[0], None, 128 * MIB, "bytes")
        self.bench.series_row(name, "most memory of page --history", memory[2], None, 32 * MIB, "bytes")


def rows(bench):
    series = Series(bench)
    try:
        series.rows("1,000 snapshots of 1 M pages", 1000, 3.0, "dense", "delta")
        series.rows("100, no two frames in order", 100, None, "scattered", "delta")
        series.rows("100, each whole", 100, 3.0, "dense")
    finally:
        shutil.rmtree(series.folder)
