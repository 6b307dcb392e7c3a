"""What bench.py measures inside a real gdb.  Sourced there; the environment says what to
do, and where the times go that came of it, as JSON.

    BENCH          the name of a function below, and its arguments
    BENCH_OUT      a file for the result
    BENCH_PLUGIN   what to source
    BENCH_COMMAND  run_measured and vmsnap, for large()"""

import json
import os
import socket
import subprocess
import time

import gdb


def run(command):
    """(seconds, text) of one command."""
    begun = time.monotonic()
    text = gdb.execute(command, to_string=True)
    return time.monotonic() - begun, text


def start(where="round_over", command="run"):
    gdb.execute(f"source {os.environ['BENCH_PLUGIN']}")
    gdb.execute(f"break {where}")
    gdb.execute(command, to_string=True)


def memory():
    """Bytes that this gdb has for itself."""
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) * 1024


def plain_breakpoint():
    """What `auto break` sets too: gdb counts the hits and goes on."""
    made = gdb.Breakpoint("meet")
    made.ignore_count = 1 << 30
    return made


def passed_breakpoint():
    """What people write who have no such command."""
    made = gdb.Breakpoint("meet")
    made.commands = "silent\ncontinue"
    return made


def kept():
    from vmsnap_gdb.session import session
    return session.entries()


def hits(count, rounds):
    """Seconds of a hit, in rounds of `count`: of a breakpoint that vmsnap does not know,
    and with auto break, in turn.  The first two rounds are for what is read once."""
    start()
    found = {"plain": [], "auto": []}
    for _ in range(rounds + 1):
        plain = plain_breakpoint()
        found["plain"].append(run("continue")[0] / count)
        plain.delete()
        gdb.execute("vmsnap auto break meet", to_string=True)
        found["auto"].append(run("continue")[0] / count)
        gdb.execute("vmsnap auto off break", to_string=True)
    assert len(kept()) == (rounds + 1) * count
    assert all(entry.snapshot.has_variables() for entry in kept())
    return {kind: times[1:] for kind, times in found.items()}


def taken_or_passed(count, rounds):
    """Seconds on the clock and of this gdb's processor time of a hit that is taken, and of one that is passed with
    commands, in turn.  The first two rounds are as above."""
    start()
    found = {"passed": [], "taken": [], "passed_processor": [], "taken_processor": []}
    for _ in range(rounds + 1):
        for kind in ("passed", "taken"):
            made = passed_breakpoint() if kind == "passed" else gdb.execute("vmsnap auto break meet", to_string=True)
            begun = time.process_time()
            found[kind].append(run("continue")[0] / count)
            found[kind + "_processor"].append((time.process_time() - begun) / count)
            made.delete() if kind == "passed" else gdb.execute("vmsnap auto off break", to_string=True)
    return {kind: times[1:] for kind, times in found.items()}


def growth(count, automatic):
    """How gdb's memory grew while it met a breakpoint `count` times."""
    start()
    if automatic:
        gdb.execute("vmsnap auto break meet", to_string=True)
    else:
        plain_breakpoint()
    before = memory()
    gdb.execute("continue", to_string=True)
    grown = memory() - before
    assert not automatic or len(kept()) == count
    return grown


def command_line(pid):
    """Seconds that the command line takes for a snapshot of which it shows little."""
    measured, vmsnap = os.environ["BENCH_COMMAND"].split()
    into, out = os.pipe()
    subprocess.run([measured, str(out), vmsnap, "status", str(pid)], pass_fds=(out,), stdout=subprocess.DEVNULL,
                   check=True)
    os.close(out)
    with os.fdopen(into) as pipe:
        return float(pipe.readline().split()[1])


def large(rounds):
    """In turn: a snapshot by the command line and by `vmsnap take`, and, when one page
    has changed, what `vmsnap diff` takes."""
    start()
    found = {"command": [], "take": [], "diff": []}
    for number in range(rounds):
        found["command"].append(command_line(gdb.selected_inferior().pid))
        found["take"].append(run(f"vmsnap take r{number}")[0])
        gdb.execute("continue", to_string=True)
        seconds, text = run("vmsnap diff")
        assert "No differences" not in text, text
        found["diff"].append(seconds)
        gdb.execute(f"vmsnap drop r{number}", to_string=True)
    return found


def wrote(rounds):
    """In turn: a command, and the same with `vmsnap wrote` before it.  The first round is for what is read once."""
    start()
    found = {"plain": [], "wrote": []}
    for _ in range(rounds + 1):
        found["plain"].append(run("continue")[0])
        seconds, text = run("vmsnap wrote continue")
        assert "points[" in text and "block[" in text, text
        found["wrote"].append(seconds)
    return {kind: times[1:] for kind, times in found.items()}


def kept_contents(rounds):
    """In turn: a snapshot without and with what memory holds."""
    start()
    found = {"off": [], "auto": []}
    for _ in range(rounds + 1):
        gdb.execute("continue", to_string=True)
        for contents in ("off", "auto"):
            gdb.execute(f"set vmsnap contents {contents}")
            found[contents].append(run("vmsnap take one")[0])
            assert kept()[-1].snapshot.contents == ("bytes" if contents == "auto" else "none")
            gdb.execute("vmsnap drop one", to_string=True)
    return {kind: times[1:] for kind, times in found.items()}


def answers(rounds, pid, port):
    """The same of a server that is attached to and is about to answer a client."""
    client = socket.create_connection(("127.0.0.1", port))
    gdb.execute(f"source {os.environ['BENCH_PLUGIN']}")
    gdb.execute(f"attach {pid}", to_string=True)
    gdb.execute("break write", to_string=True)
    found = {"plain": [], "wrote": []}
    for number in range(rounds + 1):
        for kind, command in (("plain", "continue"), ("wrote", "vmsnap wrote continue")):
            client.sendall(f"SET key:{number} {kind}\r\n".encode())
            found[kind].append(run(command)[0])
    gdb.execute("detach", to_string=True)
    return {kind: times[1:] for kind, times in found.items()}


def attached(rounds, pid):
    """Seconds of a take without what memory holds, with the variables of all threads.  The first is for what gdb reads
    once."""
    gdb.execute(f"source {os.environ['BENCH_PLUGIN']}")
    gdb.execute(f"attach {pid}", to_string=True)
    gdb.execute("set vmsnap contents off")
    found = [run("vmsnap take")[0] for _ in range(rounds + 1)]
    names = kept()[-1].snapshot
    assert names.contents == "none" and names.has_variables()
    threads = len(names.threads)
    gdb.execute("detach", to_string=True)
    return {"take": found[1:], "threads": threads}


def naming(rounds, lines):
    """Of a program that writes to some of its many globals, then to others: the first
    diff, and later ones.  It reads from the file `lines` which those are."""
    start("puts", f"run < {lines}")
    found = []
    for _ in range(rounds + 1):
        gdb.execute("vmsnap take", to_string=True)
        gdb.execute("continue", to_string=True)
        seconds, text = run("vmsnap diff")
        assert "variable_number_" in text, text
        found.append(seconds)
    return {"first": found[:1], "later": found[1:]}


def main():
    for line in ("pagination off", "confirm off", "width 0"):
        gdb.execute(f"set {line}")
    name, *words = os.environ["BENCH"].split()
    found = globals()[name](*(int(word) if word.isdigit() else word for word in words))
    with open(os.environ["BENCH_OUT"], "w", encoding="utf-8") as file:
        json.dump(found, file)


main()
