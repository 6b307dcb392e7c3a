"""anonymous.py IN OUT: a series without what tells on which machine it was taken, and with numbers of processes and times
that look nice in a picture.  Pages and frames stay."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))

import vmsfile  # noqa: E402  (it lies in the folder just added)
import vmswrite  # noqa: E402

NUMBERS = (3140, 3638)
MACHINE = {"host": b"", "kernel": b"6.1.0", "machine": b"x86_64", "cgroup": b"",
           "boot_id": b"6f9619ff-8b86-4d01-b42d-00c04fc964ff", "cmdline": None, "machine_hash": b"0123456789abcdef0123456789abcdef"}
FIRST = 1_700_000_000_000_000_000


def main(source, target):
    file = vmsfile.open_file(source)
    models = [file.load(index) for index in range(len(file.entries))]
    pids = sorted({model["identity"]["pid"] for model in models})
    renamed = dict(zip(pids, NUMBERS))
    first = models[0]["identity"]["taken"]
    stream = vmswrite.Stream()
    stream.header()
    for model in models:
        identity = model["identity"]
        pid, parent = identity["pid"], identity["ppid"]
        identity.update({key: value for key, value in MACHINE.items() if key in identity})
        identity.update(pid=renamed[pid], tgid=renamed[pid], ns_pid=renamed[pid], ppid=renamed.get(parent, 1),
                        taken=identity["taken"] - first + FIRST)
        for thread in model["threads"]:
            thread["tid"] = thread["tid"] - pid + renamed[pid]
        wanted = re.compile(rb"(Name|State|Vm\w+|Rss\w+|Threads|voluntary_ctxt_switches|nonvoluntary_ctxt_switches):")
        model["status"] = b"".join(line for line in model["status"].splitlines(True) if wanted.match(line))
        stream.begin = len(stream.data)
        stream.snapshot(model, stream.deflated)
    with open(target, "wb") as out:
        out.write(stream.data)


main(*sys.argv[1:])
