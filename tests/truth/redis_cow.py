"""What `vmsnap cow` says of a Redis that saves, against what that says itself: redis_cow.py VMSNAP PID SOCKET

Its `current_cow_size` is what the child that saves has alone of dirty memory, by its own smaps: what either of the two
has copied since the fork, and what only the child has.  Nobody else writes to this Redis.  Exit status 1 if they
differ."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

KEYS, WRITTEN, TIMES = 200000, 500, 600
PAGE = 4096
SLACK = 16 * PAGE  # what the child itself begins to use after it has told
ALONE = ("copied_by_parent", "copied_by_child", "copied_by_both", "copied", "new_in_child", "new_in_both",
         "only_in_child", "dropped_by_parent", "zero_written_by_child", "zero_written_by_both")


class Redis:
    def __init__(self, path):
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(60)
        self.connection.connect(path)
        self.answers = self.connection.makefile("rb")

    def ask(self, *words):
        self.connection.sendall(b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(str(word)), str(word).encode()) for word in words))
        line = self.answers.readline().decode()
        if line.startswith("-"):
            raise RuntimeError(f"{words[0]}: {line[1:].strip()}")
        return self.answers.read(int(line[1:]) + 2).decode() if line.startswith("$") and line[1] != "-" else line

    def saving(self):
        lines = [line.partition(":") for line in self.ask("INFO", "persistence").splitlines()]
        return {name: int(value) for name, _, value in lines if value.isdigit()}

    def until(self, enough):
        for _ in range(TIMES):
            told = self.saving()
            if enough(told):
                return told
            time.sleep(0.1)
        return None


def vmsnap(program, *words):
    return subprocess.run([program, *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def child_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return int(file.read().split()[0])


def told_after_writes(redis):
    """Writes to pages all over, and waits for what the child tells once it has looked again."""
    redis.ask("EVAL", f"for i = 1, {WRITTEN} do redis.call('SETRANGE', 'k' .. i * {KEYS // WRITTEN}, 0, 'x') end", 0)
    written = time.monotonic()
    # Ages are in whole seconds.  It looks again when a hundred times as long has gone by as that took.
    told = redis.until(lambda now: not now["rdb_bgsave_in_progress"] or
                       now["current_cow_size_age"] + 2 < time.monotonic() - written)
    return told and told["rdb_bgsave_in_progress"] and told["current_cow_size"]


def compared(program, redis, pid, folder):
    """What Redis says, and the bytes of each verdict; None if it had saved all before it told."""
    base, after = (os.path.join(folder, name) for name in ("base.vms", "after.vms"))
    vmsnap(program, "capture", str(pid), "-o", base)
    redis.ask("BGSAVE")
    child = child_of(pid)
    try:
        size = told_after_writes(redis)
        if not size:
            return None
        vmsnap(program, "capture", str(pid), str(child), "-o", after)
        totals = json.loads(vmsnap(program, "cow", after, "--base", base, "--json"))["totals"]
    finally:
        os.kill(child, signal.SIGUSR1)  # a save that is given up, Redis calls that
        redis.until(lambda now: not now["rdb_bgsave_in_progress"])
    return size, {verdict: pages * PAGE for verdict, pages in totals.items()}


def main():
    program, pid, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    redis = Redis(path)
    redis.ask("EVAL", f"for i = 1, {KEYS} do redis.call('SET', 'k' .. i, string.rep('v', 200)) end", 0)
    redis.ask("CONFIG", "SET", "rdb-key-save-delay", 200)
    with tempfile.TemporaryDirectory() as folder:
        found = compared(program, redis, pid, folder)
    if not found:
        print("redis that saves: it told nothing of its copies: not compared")
        return 0
    size, told = found
    alone = sum(told[verdict] for verdict in ALONE)
    print(f"redis that saves: current_cow_size {size >> 10} KiB; cow {alone >> 10} KiB, of them "
          f"{told['copied_by_parent'] >> 10} copied by the parent, {told['copied_by_child'] >> 10} by the child")
    if abs(alone - size) <= SLACK:
        return 0
    print(f"WRONG redis that saves: {told}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
