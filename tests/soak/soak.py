"""Does the same thing very often, and everything as large as it gets, and watches memory,
descriptors and pauses.  Started by script/soak, which builds what is needed."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB, GIB = 1 << 20, 1 << 30
# Of the command, whatever the machine does meanwhile, in seconds; and of reading a GiB of
# page tables' worth, which takes a few milliseconds where nothing else runs.
PAUSE_AT_MOST = 5.0
PAUSE_EACH_GIB = 0.25
# What no page of a process that stands still goes through, whatever the kernel moves.
CHANGES = ("appeared", "vanished", "zero_filled_in", "privatised", "guarded", "unguarded")


class Wrong(Exception):
    """A promise was not kept."""


def expect(condition, *what):
    if not condition:
        raise Wrong(" ".join(map(str, what)))


def status_number(pid, key, file="status"):
    """Bytes of a line "Key:  123 kB" of a file of /proc/PID."""
    with open(f"/proc/{pid}/{file}", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    return 0


class Target:
    """A program that says "ready" and lives until it is left."""

    def __init__(self, *argv):
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0)
        self.pid = self.process.pid
        said = b""
        while not said.endswith(b"ready\n"):
            data = self.process.stdout.read(65536)
            if not data:
                self.__exit__()
                raise Wrong(f"{argv[0]} ended: {said.decode()}")
            said += data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Soak:
    def __init__(self, options, folder, quick_folder):
        self.build, self.short = options.build, options.short
        self.folder, self.quick_folder = folder, quick_folder
        self.end = time.monotonic() + options.minutes * 60
        self.vmsnap = os.path.join(self.build, "vmsnap")

    def tool(self, name):
        return os.path.join(self.build, "soak", name)

    def big(self, *argv):
        return Target(os.path.join(self.build, "targets", "big"), *argv)

    def busy(self):
        board = os.path.join(self.folder, "board")
        with open(board, "wb"):
            pass
        return Target(self.tool("busy"), board), board

    def path(self, name):
        return os.path.join(self.folder, name)

    def say(self, *words):
        print(*words, flush=True)

    def drive(self, *argv):
        """The driver, in one process, with an allocator that keeps nothing aside: then
        the bytes it gave out must be the same before and after."""
        env = dict(os.environ, GLIBC_TUNABLES="glibc.malloc.tcache_count=0")
        done = subprocess.run([self.tool("soak_driver"), *map(str, argv)], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=False)
        for line in done.stdout.decode().splitlines():
            self.say("   ", line)
        expect(done.returncode == 0, "the driver ended with", done.returncode)

    def run(self, *argv, status=(0,), out=subprocess.DEVNULL):
        """(seconds, most memory, output) of one run of the command."""
        into, told = os.pipe()
        done = subprocess.run([self.tool("measured"), str(told), self.vmsnap, *map(str, argv)], pass_fds=(told,),
                              stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, check=True)
        os.close(told)
        with os.fdopen(into) as pipe:
            code, seconds, memory = pipe.readline().split()
        expect(int(code) in status, "vmsnap", *argv, "ended with", code, done.stderr.decode(errors="replace"))
        return float(seconds), int(memory) * 1024, done.stdout

    def ask(self, *argv, **options):
        seconds, memory, out = self.run(*argv, "--json", out=subprocess.PIPE, **options)
        return json.loads(out), memory, seconds

    def bound(self, what, memory, at_most):
        self.say(f"    {what}: {memory / MIB:.1f} MiB of memory, at most {at_most // MIB}")
        expect(memory <= at_most, what, "took", memory, "bytes of memory")

    # What is done.

    def captures(self):
        times = 1000
        seconds = 0 if self.short else max(0, int(self.end - time.monotonic()))
        self.say(f"{times} captures or more of a process that is never still")
        target, board = self.busy()
        with target:
            self.drive("watch", target.pid, board, times, seconds)

    def appends(self):
        times = 1000 if self.short else 10000
        self.say(f"{times} snapshots added to one file")
        file = os.path.join(self.quick_folder, "many.vms")
        target, _ = self.busy()
        with target:
            self.drive("append", target.pid, file, times)
        listed, memory, _ = self.ask("list", file)
        expect([one["index"] for one in listed["snapshots"]] == list(range(1, times + 1)), "list has other numbers")
        expect([one["label"] for one in listed["snapshots"]] == [f"n{i}" for i in range(times)], "or other labels")
        self.bound("list", memory, 32 * MIB)
        _, memory, _ = self.run("check", file)
        self.bound("check", memory, 32 * MIB)
        for index in (1, times // 2, times):
            shown, memory, _ = self.ask("show", f"{file}@{index}")
            expect(shown["snapshot"]["label"] == f"n{index - 1}", "snapshot", index, "is another one")
        self.bound("show", memory, 32 * MIB)
        os.unlink(file)

    def commands(self):
        """The command itself, a new process each time, to a file on disk."""
        times = 50 if self.short else 500
        self.say(f"{times} runs of capture --append")
        file, most = self.path("appended.vms"), 0
        target, _ = self.busy()
        with target:
            before = len(os.listdir(f"/proc/{target.pid}/fd"))
            for index in range(times):
                _, memory, _ = self.run("capture", target.pid, "--append", "-o", file, "--label", f"c{index}")
                most = max(most, memory)
            expect(len(os.listdir(f"/proc/{target.pid}/fd")) == before, "the process has other descriptors now")
        listed, _, _ = self.ask("list", file)
        expect([one["label"] for one in listed["snapshots"]] == [f"c{i}" for i in range(times)], "labels differ")
        pauses = sorted(one["pause_us"] / 1000 for one in listed["snapshots"])
        self.say(f"    paused: half {pauses[times // 2]:.2f} ms at most, longest {pauses[-1]:.2f} ms")
        expect(pauses[-1] <= 1000 * PAUSE_AT_MOST, "a pause of", pauses[-1], "ms")
        expect(set(os.listdir(self.folder)) == {"board", "appended.vms"}, "files were left:", os.listdir(self.folder))
        self.bound("capture", most, 16 * MIB)
        os.unlink(file)

    def two_captures(self, target):
        """Captured twice, loaded, compared; gives what `show` says of the second.  How much
        memory that takes goes by how scattered the frames are: up to 16 bytes for a page
        that has no neighbour, twice what its entry takes in the page tables."""
        files = self.path("a.vms"), self.path("b.vms")
        # Its own counters are exact only while it stands, which these targets do.
        resident = status_number(target.pid, "Rss", "smaps_rollup")
        tables = status_number(target.pid, "VmPTE")
        at_most = 64 * MIB + 3 * tables
        self.say(f"    {resident / GIB:.2f} GiB resident, {tables / MIB:.1f} MiB of page tables")
        for file in files:
            seconds, memory, _ = self.run("capture", target.pid, "-o", file)
        self.bound("capture", memory, at_most)
        shown, memory, _ = self.ask("show", files[1])
        self.bound("show", memory, at_most)
        pause = shown["snapshot"]["pause_us"] / 1e6
        size = os.path.getsize(files[1]) / MIB
        self.say(f"    {size:.2f} MiB on disk, {seconds:.2f} s, paused {pause * 1000:.0f} ms")
        expect(pause <= PAUSE_AT_MOST + PAUSE_EACH_GIB * resident / GIB, "a pause of", pause, "s")
        expect(shown["snapshot"]["consistent"] is True, "not consistent")
        found = sum(vma["resident"] - vma["zero"] for vma in shown["vmas"] if not vma["name"].startswith("[vvar"))
        expect(found == resident, found, "bytes resident, and the kernel says", resident)
        differs, memory, _ = self.ask("diff", *files, "--totals", status=(0, 1))
        self.bound("diff", memory, 2 * at_most)
        changed = {name: differs["totals"][name] for name in CHANGES if differs["totals"][name]}
        expect(not changed, "pages of a still process changed:", changed)
        for file in files:
            os.unlink(file)
        return shown

    def resident(self):
        gib = 4 if self.short else 64
        self.say(f"{gib} GiB resident, page by page: a memfd of 256 MiB, mapped {4 * gib} times")
        with self.big("mapped", 256, 4 * gib) as target:
            self.two_captures(target)

    def huge(self):
        with open("/proc/meminfo", encoding="utf-8") as lines:
            free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
        mib = min(512 if self.short else 8192, free // 4 // MIB)
        self.say(f"{mib} MiB of private memory, in huge pages where the kernel gives them")
        with self.big("thp", mib) as target:
            shown = self.two_captures(target)
            self.say(f"    of them {sum(vma['huge'] or 0 for vma in shown['vmas']) / MIB:.0f} MiB in huge pages")

    def mappings(self):
        self.say("60,000 mappings")
        with self.big("vmas", 60000) as target:
            shown = self.two_captures(target)
            with open(f"/proc/{target.pid}/maps", "rb") as lines:
                there = [line.split(b" ", 1)[0].decode() for line in lines]
        ours = [f"{int(vma['start'], 16):08x}-{int(vma['end'], 16):08x}" for vma in shown["vmas"]]
        expect(ours == there, len(ours), "mappings, and maps has", len(there))
        expect(len(there) >= 60000, "only", len(there), "mappings")

    def all(self):
        for step in (self.appends, self.commands, self.resident, self.huge, self.mappings, self.captures):
            began = time.monotonic()
            step()
            self.say(f"    ({time.monotonic() - began:.1f} s)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="folder of the build")
    parser.add_argument("--short", action="store_true", help="less of everything, for each change")
    parser.add_argument("minutes", nargs="?", type=float, default=10, help="how long, at least")
    options = parser.parse_args()
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="soak-", dir=options.build)
    quick = tempfile.mkdtemp(prefix="vmsnap-soak-", dir=shared)
    try:
        Soak(options, folder, quick).all()
    except Wrong as error:
        print(f"WRONG: {error}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(quick, ignore_errors=True)
    print("Nothing wrong.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
