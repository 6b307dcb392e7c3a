"""The rows of bench.py about recording and about who maps a page: what they take of a processor, and how long."""

import os
import subprocess
import time

SECONDS = 10
SLEEPERS = 200


def processor_time(command):
    """Seconds on the clock; of a processor, in all and in the kernel."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(command)}: exit status {process.returncode}")
    return time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_stime


def recorded(bench, name, how):
    """A process of 1 GiB, once a second, beside the kernel alone: as many reads of its pagemap, before and
    afterwards.  What is measured is processor time: others take none of it, but make it dearer."""
    out = bench.path("record.vms")
    seconds = 4 if bench.options.quick else SECONDS
    if os.path.exists(out):
        os.unlink(out)
    with bench.target("big", *how) as target:
        command = [bench.vmsnap, "record", str(target.pid), "--every", "1s", "--for", f"{seconds}s", "-q", "-o", out]
        reading = [bench.path("pagemap_limit"), str(target.pid), "plain", str(seconds + 1)]
        alone = processor_time(reading)[1]
        took, used, in_kernel = processor_time(command)
        alone = (alone + processor_time(reading)[1]) / 2
    share = used / took
    yield (name, "recorded once a second; of a processor", f"{share:.1%}", f"{alone / took:.1%}", "2.0%",
           "reached" if share <= 0.02 else "missed")
    yield (name, "of that in the kernel", f"{in_kernel / took:.1%}", "", "", "")
    yield (name, f"the file, {seconds + 1} snapshots", f"{os.path.getsize(out) / 1000:,.1f} kB", "", "", "")
    os.unlink(out)


def library_of(pid):
    """Where the C library's code begins in a process, and its path."""
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            words = line.split()
            if "x" in words[1] and "/libc" in words[-1]:
                return words[0].split("-")[0], words[-1]
    raise SystemExit("bench: a process without a C library")


def who(bench):
    sleepers = [subprocess.Popen(["sleep", "1000"]) for _ in range(SLEEPERS)]
    try:
        time.sleep(1)
        count = sum(name.isdigit() for name in os.listdir("/proc"))
        address, path = library_of(sleepers[0].pid)
        for measure, words in (("who, a page of the C library", (sleepers[0].pid, address)),
                               ("who, the C library's file", (path,))):
            runs = [processor_time([bench.vmsnap, "who", *map(str, words)]) for _ in range(bench.rounds)]
            least = min(took for took, _, _ in runs)
            yield (f"{count} processes", measure, f"{least:.2f} s", "", "3.00 s", "reached" if least <= 3 else "missed")
            yield (f"{count} processes", "of that a processor's time", f"{min(used for _, used, _ in runs):.2f} s", "", "", "")
    finally:
        for sleeper in sleepers:
            sleeper.kill()
            sleeper.wait()


def rows(bench):
    made = []
    for part in (recorded(bench, "1 GiB touched page by page", ("touched", 1024)),
                 recorded(bench, "1 GiB, no two frames in order", ("scattered", 1024, 1)), who(bench)):
        for row in part:
            print("  ".join(row), flush=True)
            made.append(row)
    return made
