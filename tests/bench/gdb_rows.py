"""The rows of bench.py that are measured inside a real gdb, by in_gdb.py."""

import json
import os
import shutil
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
GDB = ("gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off")


class Gdb:
    def __init__(self, bench, plugin):
        self.bench = bench
        self.plugin = plugin
        self.out = bench.path("gdb.json")
        library = os.path.join(bench.options.build, "core", "libvmsnap.so.0")
        command = f"{bench.path('run_measured')} {bench.vmsnap}"
        self.environment = {**os.environ, "VMSNAP_LIB": library, "BENCH_PLUGIN": plugin, "BENCH_OUT": self.out,
                            "BENCH_COMMAND": command}

    def measure(self, what, *program):
        """What in_gdb.py's function gives."""
        if os.path.exists(self.out):
            os.unlink(self.out)
        ran = subprocess.run([*GDB, "-x", os.path.join(HERE, "in_gdb.py"), "--args", *map(str, program)],
                             env={**self.environment, "BENCH": what}, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if not os.path.exists(self.out):
            raise SystemExit(f"bench: {what} inside gdb: {ran.stderr.decode(errors='replace')}")
        with open(self.out, encoding="utf-8") as file:
            return json.load(file)

    def lines(self, count):
        """For the program with many globals: each time other pages are written."""
        path = self.bench.path("gdb.lines")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{number * 90} 997\n" for number in range(count))
        return path

    def start(self, *options):
        begun = time.monotonic()
        subprocess.run([*GDB, *options], env=self.environment, stdin=subprocess.DEVNULL, check=True)
        return time.monotonic() - begun


def wrote_rows(bench, gdb, rounds):
    small = gdb.measure(f"kept_contents {max(rounds, 9)}", bench.path("debuggee"), "alone", 15)
    bench.gdb_row("15 MiB of its own", "vmsnap take, which keeps contents; to one that does not", min(small["auto"]),
                  min(small["off"]), 0.015, "above")
    large = gdb.measure(f"wrote {max(rounds, 9)}", bench.path("debuggee"), "alone", 20)
    bench.gdb_row("20 MiB of its own", "vmsnap wrote continue; to continue", min(large["wrote"]), min(large["plain"]), 0.025,
                  "above")
    if not shutil.which("redis-server"):
        return
    port = 7000 + os.getpid() % 1000
    server = subprocess.Popen(["redis-server", "--port", str(port), "--save", "", "--enable-debug-command", "local"],
                              stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            if not subprocess.run(["redis-cli", "-p", str(port), "debug", "populate", "400000", "key", "80"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
                break
        taken = gdb.measure(f"attached {max(rounds, 9)} {server.pid}", "/usr/bin/true")
        found = gdb.measure(f"answers {max(rounds, 9)} {server.pid} {port}", "/usr/bin/true")
    finally:
        server.kill()
        server.wait()
    bench.gdb_row("redis, 70 MiB", f"vmsnap take, contents off, {taken['threads']} threads", min(taken["take"]), None, 0.01,
                  "seconds")
    bench.gdb_row("redis, 70 MiB", "vmsnap wrote continue, a SET answered; to continue", min(found["wrote"]),
                  min(found["plain"]), 0.15, "above")


def rows(bench, plugin):
    """Adds them; or says why there are none."""
    if not shutil.which("gdb"):
        print("There is no gdb here: nothing is measured in it.")
        return
    gdb, rounds, debuggee = Gdb(bench, plugin), bench.rounds, bench.path("debuggee")
    with_it = without = float("inf")
    for _ in range(2 * rounds):
        without = min(without, gdb.start())
        with_it = min(with_it, gdb.start("-x", plugin))
    bench.gdb_row("gdb itself", "start, with the plugin loaded", with_it, without, 0.05, "above")

    hits = gdb.measure(f"hits 10 {8 * rounds}", debuggee, "hits", 10)
    bench.gdb_row("a small process", "a hit of a breakpoint, with auto break", min(hits["auto"]), min(hits["plain"]),
                  0.001, "above")
    grown, plain = (gdb.measure(f"growth 1000 {automatic}", debuggee, "hits", 1000) for automatic in (1, 0))
    bench.gdb_row("a small process", "memory for 1,000 such hits", grown, plain, 64 << 20, "bytes above")
    hits = gdb.measure(f"taken_or_passed 300 {2 * rounds}", debuggee, "threads", 300)
    for kind, words in (("", "300 hits taken; to commands, silent, continue: clock"),
                        ("_processor", "300 such hits, processor time")):
        bench.gdb_row("three threads", words, min(hits["taken" + kind]), min(hits["passed" + kind]), 1.5)

    large = gdb.measure(f"large {max(rounds, 9)}", debuggee, "large", 4096)
    large = {kind: min(times) for kind, times in large.items()}
    bench.gdb_row("4 GiB touched page by page", "vmsnap take; to a shell's vmsnap status", large["take"],
                  large["command"], 0.02, "above")
    bench.gdb_row("4 GiB touched page by page", "vmsnap diff, a page changed; to take", large["diff"], large["take"], 2)

    wrote_rows(bench, gdb, rounds)
    naming = gdb.measure(f"naming {rounds} {gdb.lines(rounds + 2)}", bench.path("many_globals"))
    bench.gdb_row("50,000 global variables", "first vmsnap diff", min(naming["first"]), None, 0.5, "seconds")
    bench.gdb_row("50,000 global variables", "later ones", min(naming["later"]), None, 0.05, "seconds")
