"""What snapshots take that are stored as differences, and how long it takes to read them."""

import os
import subprocess
import sys
import time

GROWS = """
import mmap, sys
size, more = int(sys.argv[1]) << 20, int(sys.argv[2])
memory = mmap.mmap(-1, 2 * size)
for at in range(0, size, 4096):
    memory[at] = 1
print("ready", flush=True)
for line in sys.stdin:
    for at in range(size, size + more * 4096, 4096):
        memory[at] = 1
    size += more * 4096
    print("ready", flush=True)
"""
# A program as programs are: dictionaries that fill, strings that come and go.
WORKS = """
import random, sys
random.seed(7)
kept, text = {}, []
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(6000):
        key = random.randrange(10**9)
        kept[key] = [str(key) * random.randrange(1, 6), {"a": key}]
        if random.random() < 0.3:
            kept.pop(next(iter(kept)))
    text = [line * random.randrange(100) for _ in range(2000)]
    print("ready", flush=True)
"""


class Program:
    def __init__(self, source, *argv):
        self.process = subprocess.Popen([sys.executable, "-c", source, *map(str, argv)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def step(self):
        self.process.stdin.write("on\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def best(function, rounds=5):
    least = float("inf")
    for _ in range(rounds):
        begun = time.perf_counter()
        function()
        least = min(least, time.perf_counter() - begun)
    return least


def record(bench, program, count, name):
    """The same snapshots in two files, as differences and whole."""
    import vmsnap

    paths = [bench.path(name + ending) for ending in (".delta.vms", ".whole.vms")]
    with vmsnap.Writer(paths[0], delta=True) as deltas, vmsnap.Writer(paths[1], delta=False) as whole:
        for _ in range(count):
            snapshot = vmsnap.capture(program.process.pid)
            deltas.add(snapshot)
            whole.add(snapshot)
            program.step()
    return paths


def load(path, index):
    """Of a file that was just opened: nothing is known of those before."""
    import vmsnap

    files = [vmsnap.open(path) for _ in range(7)]
    return min(best(lambda file=file: file.load(index), 1) for file in files)


def walk(path):
    import vmsnap

    return best(lambda: sum(1 for _ in vmsnap.open(path).walk()), 3)


def kb(path_or_bytes):
    size = os.path.getsize(path_or_bytes) if isinstance(path_or_bytes, str) else path_or_bytes
    return f"{size / 1000:,.1f} kB"


def series(bench, what, program, count, name):
    with program:
        paths = record(bench, program, count, name)
    last = min(count, 129) - 1
    times = [load(path, last) * 1000 for path in paths]
    walks = [walk(path) * 1000 for path in paths]
    row = (what, kb(paths[1]), kb(paths[0]), f"{times[1]:.2f} ms", f"{times[0]:.2f} ms, {times[0] / times[1]:.1f}×",
           f"{walks[1]:.0f} ms", f"{walks[0]:.0f} ms")
    print(" | ".join(row), flush=True)
    for path in paths:
        os.unlink(path)
    return row


def rows(bench):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
    os.environ["VMSNAP_LIB"] = os.path.join(bench.options.build, "core", "libvmsnap.so")
    quick = bench.options.quick
    return [
        series(bench, "2 of 256 MiB, 3 new pages", Program(GROWS, 256, 3), 2, "few"),
        series(bench, f"{150 if quick else 1000} of 256 MiB, 12 new pages each", Program(GROWS, 256, 12),
               150 if quick else 1000, "grows"),
        series(bench, "60 of a Python program that fills dictionaries", Program(WORKS), 60, "works"),
    ]
