"""What `vmsnap group` says of processes, against groups.c: groups.py VMSNAP GROUPS NAME PID...

All stand still.  The other is asked before and after; if it does not say the same twice (others came and went that map the
same libraries), again.  PSS alone depends on those others, who may also come and go in between: it is wrong only if it is
by the same number of bytes each time, as nothing that they do is.  Exit status 1 if something differs, which is listed."""

import collections
import json
import os
import signal
import subprocess
import sys
import time

TRIES, SLACK = 8, 256


def counted(program, pids):
    found = collections.defaultdict(dict)
    for line in subprocess.run([program, *pids], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines():
        word, *rest = line.split()
        if word == "pair":
            found[word][frozenset(map(int, rest[:2]))] = int(rest[2])
        elif word == "group":
            found[word] = [int(number) for number in rest]
        else:
            found[word][int(rest[0])] = [int(number) for number in rest[1:]]
    return found


def without_pss(found):
    """Others come and go that map the same libraries: then only what is divided by them changes."""
    return (dict(found["pair"]), found["group"], {pid: [one[0], *one[2:]] for pid, one in found["counted"].items()},
            {pid: [one[0], one[2]] for pid, one in found["process"].items()})


def asked(vmsnap, program, pids):
    for _ in range(TRIES):
        before = counted(program, pids)
        told = json.loads(subprocess.run([vmsnap, "group", *pids, "--json"], check=True, stdout=subprocess.PIPE).stdout)
        after = counted(program, pids)
        if without_pss(before) == without_pss(after):
            return before, after, told
    return None, None, None


def differences(truth, later, told):
    for one in told["processes"]:
        pid = one["pid"]
        rss, _, uss = truth["process"][pid]
        got = (one["rss"], one["uss"], one["own"])
        wanted = truth["counted"][pid]
        if got != (wanted[0], wanted[2], wanted[3]):
            yield f"process {pid}: rss, uss, own {got}, counted {wanted[0]}, {wanted[2]}, {wanted[3]}"
        if (one["rss"], one["uss"]) != (rss, uss):
            yield f"process {pid}: rss, uss {one['rss']}, {one['uss']}, smaps_rollup {rss}, {uss}"
        for other in one["with"]:
            both = truth["pair"].pop(frozenset((pid, other["pid"])), None)
            if both is not None and other["private"] + other["cache"] + other["shared"] != both:
                yield f"{pid} and {other['pid']}: {other}, counted {both}"
    yield from (f"{sorted(pair)}: nothing, counted {both}" for pair, both in truth["pair"].items() if both)
    totals = told["totals"]
    got = [totals["frames"], sum(totals[f"by_all_{kind}"] for kind in ("private", "cache", "shared")), totals["own"]]
    if got != truth["group"]:
        yield f"frames, by all, own {got}, counted {truth['group']}"


def outside(value, one, other, more=0):
    """How far a number is below both, or above."""
    least, most = min(one, other) - SLACK, max(one, other) + more + SLACK
    return min(value - least, 0) or max(value - most, 0)


def pss_differences(truth, later, told):
    """{(pid, of what): by how many bytes}; vmsnap itself may begin to use another page of the C library while it counts."""
    found = {}
    for one in told["processes"]:
        pid, pss = one["pid"], one["pss"]
        # The kernel cuts each page to 1/4096 byte, and the sum to a kilobyte.
        cut = 1024 + one["rss"] / 4096 / 4096
        found[pid, "counted"] = outside(pss, truth["counted"][pid][1], later["counted"][pid][1])
        found[pid, "smaps_rollup"] = outside(pss, truth["process"][pid][1], later["process"][pid][1], cut)
    return {key: by for key, by in found.items() if by}


def lasting(tries):
    """What differs in each of the tries, and by the same."""
    for key in set.intersection(*map(set, tries)):
        by = [each[key] for each in tries]
        if max(by) - min(by) <= SLACK:
            yield f"process {key[0]}: pss differs from {key[1]} by {by[-1]:.0f} bytes, each of {len(by)} times"


def worst(truth, told):
    return max(abs(one["pss"] - truth["process"][one["pid"]][1]) for one in told["processes"])


def signalled(pid, number):
    try:
        os.kill(int(pid), number)
        return True
    except ProcessLookupError:
        return False


def stopped(pid):
    """Once it stands; false if it has ended."""
    while signalled(pid, signal.SIGSTOP):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            state = stat.read().rpartition(") ")[2][:1]
        if state in "ZX":
            return False
        if state in "tT":
            return True
        time.sleep(0.001)
    return False


def main():
    vmsnap, program, name, *pids = sys.argv[1:]
    pids = [pid for pid in pids if stopped(pid)]
    try:
        # Others come and go that map the same libraries: what is wrong is wrong each time.
        tries = []
        for _ in range(TRIES):
            truth, later, told = asked(vmsnap, program, pids)
            if truth is None:
                print(f"{name}: others map the same all the time: not compared")
                return 0
            wrong = list(differences(truth, later, told))
            tries.append(pss_differences(truth, later, told))
            if not wrong and not tries[-1]:
                break
        if tries[-1]:
            wrong += lasting(tries)
            if not wrong:
                print(f"{name}: others that map the same come and go all the time: PSS not compared")
        print(f"{name}, {len(pids)} processes: {told['totals']['frames'] >> 10} KiB in frames, "
              f"{told['totals']['rss'] >> 10} KiB RSS; PSS at most {worst(later, told)} bytes from smaps_rollup")
        for line in wrong:
            print(f"WRONG {name}: {line}")
        return 1 if wrong else 0
    finally:
        for pid in pids:
            signalled(pid, signal.SIGCONT)


if __name__ == "__main__":
    sys.exit(main())
