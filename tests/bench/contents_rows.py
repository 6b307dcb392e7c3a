"""The rows of bench.py about what pages hold: each beside the least work that it can be done with
(contents_limit.c), in turn, on one target."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
# 1,500 bytes of text and numbers for each key, no two alike.
FILL = """
local words = {}
for i = 1, 2000 do
	local word = {}
	for j = 1, math.random(2, 9) do word[j] = string.char(math.random(97, 122)) end
	words[i] = table.concat(word)
end
for i = KEYS[1], KEYS[2] do
	local value = {}
	for j = 1, 160 do value[j] = words[math.random(2000)] end
	value[#value + 1] = string.format('%.17g', math.random())
	redis.call('SET', 'order:' .. i, table.concat(value, ' '))
end
"""


class Contents:
    def __init__(self, bench):
        self.bench = bench
        self.rounds = 3 if bench.options.quick else 5
        self.effects = [("", "VmRSS", "Pss", "VmPTE", "took")]
        # A disk has its own time.
        self.folder = tempfile.mkdtemp(prefix="vmsnap-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.out = self.path("out.vms")

    def path(self, name):
        return os.path.join(self.folder, name)

    def limit(self, way, pid, *more):
        """(seconds, bytes, what else there is to tell)."""
        said = subprocess.run([self.bench.path("contents_limit"), way, str(pid), *more], stdout=subprocess.PIPE,
                              check=True).stdout.split()
        return float(said[0]), int(said[1]), int(said[2])

    def effect(self, name, pid, way):
        """What is different in the process after it; how long it took."""
        before, begun = memory_of(pid), time.monotonic()
        way()
        took, after = time.monotonic() - begun, memory_of(pid)
        self.effects.append((name, *(f"{before[what]} → {after[what]} KiB" for what in before), f"{took * 1e3:.0f} ms"))
        return took

    def capture(self, pid, *how):
        """(pause, whole, most memory in bytes) of one capture; the file stays."""
        if os.path.exists(self.out):
            os.unlink(self.out)
        whole, memory = self.bench.run("capture", pid, *how, "-o", self.out)
        return self.bench.pause(self.out), whole, memory * 1024


class Redis:
    """A redis-server of this many keys, on a socket of its own."""

    def __init__(self, folder, keys):
        self.path = os.path.join(folder, "redis.sock")
        self.process = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "",
                                         "--dir", folder], stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        while not os.path.exists(self.path):
            time.sleep(0.02)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self.path)
        for first in range(0, keys, 20000):
            self.ask("EVAL", FILL, 2, first, min(first + 20000, keys) - 1)

    def ask(self, *words):
        words = [str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        answer = self.socket.recv(4096)
        if answer[:1] == b"-":
            raise SystemExit(f"bench: redis: {answer.decode()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.process.kill()
        self.process.wait()


def hashing(contents):
    """Reading by itself cannot be looked at: it is the pause that hashes take, without what the pause takes
    otherwise and without what the hashing itself takes."""
    read = hashed = plain = hashes = kept = float("inf")
    with contents.bench.program("rewriter", 1024) as target:
        for _ in range(contents.rounds):
            read = min(read, contents.limit("read", target.pid)[0])
            hashed = min(hashed, contents.limit("hash", target.pid)[0])
            plain = min(plain, contents.capture(target.pid)[0])
            hashes = min(hashes, contents.capture(target.pid, "--hash")[0])
            kept = min(kept, contents.capture(target.pid, "--contents")[0])
    name = "1 GiB, no two pages alike"
    contents.bench.contents_row(name, "reading; to pread of the same pages", hashes - plain - (hashed - read), read,
                                1 / 0.8)
    contents.bench.contents_row(name, "pause with --hash; to pread and XXH3", hashes, hashed, 1.3)
    contents.bench.contents_row(name, "pause with --contents; to pread", kept, read, None)


def redis(contents):
    bench = contents.bench
    if not shutil.which("redis-server") or not shutil.which("zstd"):
        print("There is no redis-server or no zstd here: a server is not measured.")
        return
    whole = pause = deflate = float("inf")
    with Redis(contents.folder, 850000) as server:
        for _ in range(max(2, contents.rounds - 3)):
            deflate = min(deflate, contents.limit("deflate", server.pid)[0])
            stood, seconds, memory = contents.capture(server.pid, "--contents")
            whole, pause = min(whole, seconds), min(pause, stood)
        size, pages = os.path.getsize(contents.out), contents.limit("hash", server.pid)[2]
        raw = contents.path("raw")
        length = contents.limit("raw", server.pid, raw)[1]
        zstd = subprocess.run(["zstd", "-1", "-q", "-c", raw], stdout=subprocess.PIPE, check=True).stdout
        os.unlink(raw)
        name = f"redis, {length / MIB:.0f} MiB"
        bench.contents_row(name, "whole; to libdeflate -1, two threads", whole, deflate, 1.5)
        bench.contents_row(name, f"most memory; {pages:,} distinct pages", memory, None, 64 * MIB + 40 * pages, "bytes")
        bench.contents_row(name, "file; to zstd -1 of the pages", size, len(zstd), 1.25, "size")
        if shutil.which("gdb"):
            gcore(contents, name, server.pid, (pause, whole, size))


def gcore(contents, name, pid, ours):
    """It holds the process from its start to its end."""
    core, (pause, whole, size) = contents.path("core"), ours
    contents.effect(f"{name}: vmsnap", pid, lambda: contents.capture(pid, "--contents"))
    took = contents.effect(f"{name}: gcore", pid, lambda: gcore_run(core, pid))
    contents.bench.contents_row(name, "pause; to gdb's gcore", pause, took, 1.0)
    contents.bench.contents_row(name, "whole; to gdb's gcore", whole, took, 1.0)
    contents.bench.contents_row(name, "file; to gdb's gcore", size, os.stat(core).st_blocks * 512, 1.0, "size")
    os.unlink(core)


def gcore_run(core, pid):
    subprocess.run(["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-p", str(pid), "-ex",
                    f"gcore {core}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   check=True)


def memory_of(pid):
    """Resident memory and page tables, in KiB."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        text = status.read()
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as rollup:
        pss = re.search(r"Pss:\s+(\d+)", rollup.read())[1]
    return {"VmRSS": int(re.search(r"VmRSS:\s+(\d+)", text)[1]), "Pss": int(pss),
            "VmPTE": int(re.search(r"VmPTE:\s+(\d+)", text)[1])}


def reserved(contents):
    """Memory that is reserved, and hardly any of it written."""
    ways = {"vmsnap": lambda pid: contents.capture(pid, "--contents")}
    if shutil.which("gdb"):
        ways["gcore"] = lambda pid: gcore_run(contents.path("core"), pid)
    for name, way in ways.items():
        with contents.bench.target("big", "sparse", 1, 50, 1) as target:
            contents.effect(f"1 GiB reserved, 50 pages written: {name}", target.pid, lambda: way(target.pid))


def rounds(contents):
    """As many snapshots, one after the other in one file; and as many without what pages hold."""
    # The library's binding, of the build that is measured.
    os.environ["VMSNAP_LIB"] = os.path.join(contents.bench.options.build, "core", "libvmsnap.so.0")
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(contents.bench.options.plugin)), "python"))
    import vmsnap

    count = 100 if contents.bench.options.quick else 1000
    store, kept, states = vmsnap.Store(), [], []
    with contents.bench.program("rewriter", 16) as target:
        for _ in range(count):
            kept.append(vmsnap.Snapshot.capture(target.pid, contents="private", store=store))
            states.append(vmsnap.Snapshot.capture(target.pid))
            target.process.stdin.write(b"\n")
            target.wait()

    def size(snapshots):
        vmsnap.save(contents.out, snapshots)
        return os.path.getsize(contents.out)

    first = size(kept[:1]) - size(states[:1])
    begun = time.monotonic()
    total = size(kept)
    took = time.monotonic() - begun
    contents.bench.contents_row(f"{count:,} snapshots, 1 % of 16 MiB each", "file, without states; to the first one",
                                total - size(states), first, 5, "size")
    print(f"  ({count:,} snapshots were saved in {took:.2f} s)")


def rows(bench):
    contents = Contents(bench)
    try:
        hashing(contents)
        redis(contents)
        rounds(contents)
        reserved(contents)
        return contents.effects
    finally:
        shutil.rmtree(contents.folder)
