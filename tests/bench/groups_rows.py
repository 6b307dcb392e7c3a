"""The rows of bench.py about groups: beside the capture of the same processes, in turn."""

import os

LEAST = ("capture", "group", "by mapping", "change")


def measure(bench, target, pids):
    best = dict.fromkeys(LEAST, float("inf"))
    out, memory = bench.path("group.vms"), 0
    for _ in range(bench.rounds):
        if os.path.exists(out):
            os.unlink(out)
        best["capture"] = min(best["capture"], bench.run("capture", *pids, "-q", "-o", out)[0])
        seconds, peak = bench.run("group", *pids)
        best["group"], memory = min(best["group"], seconds), max(memory, peak)
        best["by mapping"] = min(best["by mapping"], bench.run("group", *pids, "--by", "mapping")[0])
        best["change"] = min(best["change"], bench.run("group", out, *pids)[0])
    os.unlink(out)
    return best, memory * 1024


def rows(bench):
    for name, percent in (("20 processes of 200 MiB, all of it shared", 0), ("20 of 200 MiB, each wrote to a tenth", 10),
                          ("20 of 200 MiB, each wrote to half of it", 50)):
        with bench.target("prefork", 19, 200, percent) as target:
            pids = target.said.decode().split("pids ")[1].split("\n")[0].split()
            best, memory = measure(bench, target, pids)
        bench.groups_row(name, "group; to capture, to a file", best["group"], best["capture"], 1.3)
        bench.groups_row(name, "group --by mapping; to capture", best["by mapping"], best["capture"], 1.3)
        bench.groups_row(name, "group FILE PID...; to capture", best["change"], best["capture"], None)
        bench.groups_row(name, "most memory of vmsnap group", memory, None, 128 << 20, "bytes")
