"""What snapshots take that are stored as differences, and how long it takes to read them."""

import os
import subprocess
import sys
import time

KIB = 1024

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
    for _ in range(4200):
        key = random.randrange(10**9)
        kept[key] = [str(key) * random.randrange(1, 6), {"a": key}]
        if random.random() < 0.3:
            kept.pop(next(iter(kept)))
    text = [line * random.randrange(100) for _ in range(2000)]
    print("ready", flush=True)
"""


# 3,000 mappings, of which eight are new each time: each file is another.
MAPPINGS = """
import mmap, sys
kept = []
def more(count):
    for _ in range(count):
        kept.append(mmap.mmap(-1, 8192, prot=mmap.PROT_READ | (mmap.PROT_WRITE if len(kept) % 2 else 0)))
more(3000)
print("ready", flush=True)
for line in sys.stdin:
    more(8)
    print("ready", flush=True)
"""
# Each other page of 80 MiB, of which 200 come or go each time.
SCATTERED = """
import mmap, random, sys
random.seed(1)
memory = mmap.mmap(-1, 20000 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_NOHUGEPAGE)
for page in range(0, 20000, 2):
    memory[page * 4096] = 1
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(200):
        page = random.randrange(20000)
        if random.random() < .5:
            memory.madvise(mmap.MADV_DONTNEED, page * 4096, 4096)
        else:
            memory[page * 4096] = 1
    print("ready", flush=True)
"""
# 150 pages more each time, anywhere in 1.6 GiB.
SPREADS = """
import mmap, random, sys
random.seed(1)
memory = mmap.mmap(-1, 400000 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_NOHUGEPAGE)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(150):
        memory[random.randrange(400000) * 4096] = 1
    print("ready", flush=True)
"""
# Each other page of 240 MiB, of which the first ones are given back.
SHRINKS = """
import mmap, sys
memory = mmap.mmap(-1, 60000 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
memory.madvise(mmap.MADV_NOHUGEPAGE)
for page in range(0, 60000, 2):
    memory[page * 4096] = 1
print("ready", flush=True)
for at in range(0, 60000 * 4096, 400 * 4096):
    sys.stdin.readline()
    memory.madvise(mmap.MADV_DONTNEED, at, 400 * 4096)
    print("ready", flush=True)
"""
# 300 threads, and three more each time.
THREADS = """
import sys, threading
threading.stack_size(65536)
never = threading.Event()
def more(count):
    for _ in range(count):
        threading.Thread(target=never.wait, daemon=True).start()
more(300)
print("ready", flush=True)
for line in sys.stdin:
    more(3)
    print("ready", flush=True)
"""
SMALL = """
import sys
kept = []
print("ready", flush=True)
for line in sys.stdin:
    kept.append(bytearray(20000))
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
    """The same snapshots in two files, as differences and whole; the KiB that the last one took in each."""
    import vmsnap

    paths = [bench.path(name + ending) for ending in (".delta.vms", ".whole.vms")]
    with vmsnap.Writer(paths[0], delta=True) as deltas, vmsnap.Writer(paths[1], delta=False) as whole:
        for _ in range(count):
            before = [writer.bytes for writer in (deltas, whole)]
            snapshot = vmsnap.capture(program.process.pid)
            deltas.add(snapshot)
            whole.add(snapshot)
            program.step()
        last = [(writer.bytes - bytes_before) / KIB for writer, bytes_before in zip((deltas, whole), before)]
    return paths, last


def load_both(paths, index, rounds=15):
    """Of files that were just opened, in turn: nothing is known of the snapshots before.  The least of each."""
    import vmsnap

    least = [float("inf")] * len(paths)
    for _ in range(rounds):
        for which, path in enumerate(paths):
            file = vmsnap.open(path)
            least[which] = min(least[which], best(lambda: file.load(index), 1))
    return least


def slowest(paths, count):
    """The one that takes longest beside the same one whole, of some of each chain."""
    tried = [load_both(paths, index) for index in {*range(0, count, max(1, count // 24)), min(count, 129) - 1, count - 1}]
    return max(tried, key=lambda times: times[0] / times[1])


def walk(path):
    import vmsnap

    return best(lambda: sum(1 for _ in vmsnap.open(path).walk()), 3)


def size(kib):
    return f"{kib:,.1f} KiB"


def ms(seconds):
    return f"{seconds * 1000:.2f} ms"


def reached(value, limit):
    return "" if limit is None else "reached" if value <= limit else "missed"


def measured(what, paths, last, count, limit):
    """limit: KiB of the file, or of the second of two."""
    sizes = last if count == 2 else [os.path.getsize(path) / KIB for path in paths]
    at_most = "" if limit is None else size(limit)
    yield (what, "the second one" if count == 2 else "the file", size(sizes[1]), size(sizes[0]), "", at_most,
           reached(sizes[0], limit))
    times = slowest(paths, count)
    ratio = times[0] / times[1]
    yield what, "the slowest to load", ms(times[1]), ms(times[0]), f"{ratio:.1f}", "3.0", reached(ratio, 3)
    if count > 2:
        walks = [walk(path) for path in paths]
        yield what, "to walk all", ms(walks[1]), ms(walks[0]), f"{walks[0] / walks[1]:.2f}", "", ""


def series(bench, what, program, count, limit=None):
    with program:
        paths, last = record(bench, program, count, "deltas")
    made = []
    for row in measured(what, paths, last, count, limit):
        print(" | ".join(row), flush=True)
        made.append(row)
    for path in paths:
        os.unlink(path)
    return made


def rows(bench):
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
    os.environ["VMSNAP_LIB"] = os.path.join(bench.options.build, "core", "libvmsnap.so")
    many, some = (150, 60) if bench.options.quick else (1000, 140)
    return [row for made in (
        series(bench, "2 of 256 MiB, 3 new pages", Program(GROWS, 256, 3), 2, 2),
        series(bench, f"{many:,} of 256 MiB, 12 new pages each", Program(GROWS, 256, 12), many, 1500),
        series(bench, "60 of a Python program that grows to 88 MiB", Program(WORKS), 60, 110),
        series(bench, f"{some} of one with 3,000 mappings, 8 new each time", Program(MAPPINGS), some),
        series(bench, f"{some} of 80 MiB, each other page, 200 come or go", Program(SCATTERED), some),
        series(bench, f"{some} of one that grows by 150 pages anywhere", Program(SPREADS), some),
        series(bench, f"{some} of one that gives back what it has", Program(SHRINKS), some),
        series(bench, f"{some} of one with 300 threads, 3 new each time", Program(THREADS), some),
        series(bench, f"{some} of a small one", Program(SMALL), some),
    ) for row in made]
