"""What a golden file is: its bytes, and what a reader must say of it."""

import os
import sys
from collections import namedtuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))

import vmswrite  # noqa: E402  (it lies in the folder just added)

Error = namedtuple("Error", "kind offset")

# error: why the file does not open; otherwise None and
#   snapshots: for each what it holds, or the Error when it is loaded
#   damage: the Error at which the readable part of the file ends, or None
# large: a reader may say "too large" instead.
Case = namedtuple("Case", "name what data snapshots damage error large")


def opens(name, what, data, snapshots, damage=None, large=False):
    return Case(name + ".vms", what, data, snapshots, damage, None, large)


def refused(name, what, data, kind, offset):
    return Case(name + ".vms", what, data, [], None, Error(kind, offset), False)


def run(start, pages, flags, pfn=None, swap=None):
    swap = {"type": swap[0], "offset": swap[1]} if swap else None
    return {"start": start, "pages": pages, "flags": flags.split(), "pfn": pfn, "swap": swap}


def vma(start, end, perms, name=b"", offset=0, device=(0, 0), inode=0, build_id=None):
    return {
        "start": start,
        "end": end,
        "perms": perms,
        "offset": offset,
        "device": list(device),
        "inode": inode,
        "name": name,
        "build_id": build_id,
    }


def thread(tid, stack_pointer, comm, missed=False):
    return {"tid": tid, "stack_pointer": stack_pointer, "comm": comm, "missed": missed}


EMPTY_IDENTITY = {name: 0 for name in vmswrite.IDENTITY[:14]}
EMPTY_IDENTITY.update({name: b"" for name in vmswrite.IDENTITY[14:22]})
EMPTY_IDENTITY.update(page_size=4096, known=[], cmdline=None, exe_build_id=None, reason=b"")

PROCESS = dict(
    EMPTY_IDENTITY,
    pid=4242,
    tgid=4242,
    ppid=1,
    uid=1000,
    ns_pid=17,
    pid_namespace=4026531836,
    start_time=123456,
    taken=1700000000123456789,
    monotonic=98765432101,
    pause=250000,
    freeze=1,
    consistent=1,
    known=["pfn", "exclusive", "zero", "huge"],
    boot_id=b"6f9619ff-8b86-4d01-b42d-00c04fc964ff",
    host=b"example",
    kernel=b"6.18.0",
    machine=b"x86_64",
    comm=b"cat",
    exe=b"/usr/bin/cat",
    tool=b"vmsnap 0.1.0",
    cmdline=b"cat\0-\0",
    exe_build_id="00112233445566778899aabbccddeeff00112233",
)
CAT = dict(name=b"/usr/bin/cat", device=(8, 1), inode=131090, build_id=PROCESS["exe_build_id"])
STATUS = b"Name:\tcat\nPid:\t4242\nVmRSS:\t      40 kB\nThreads:\t1\n"


def snapshot(identity=None, status=STATUS, vmas=(), runs=(), threads=(), smaps=None, names=()):
    return {
        "identity": identity or PROCESS,
        "status": status,
        "vmas": list(vmas),
        "runs": list(runs),
        "threads": list(threads),
        "smaps": smaps,
        "names": list(names),
    }


def small(**identity):
    """A process with a program, a heap and a stack; 10 pages are resident."""
    return snapshot(
        identity=dict(PROCESS, **identity),
        vmas=[
            vma(0x555555554000, 0x555555556000, "r--p", **CAT),
            vma(0x555555556000, 0x55555555B000, "r-xp", offset=0x2000, **CAT),
            vma(0x55555555E000, 0x55555557F000, "rw-p", b"[heap]"),
            vma(0x7FFFFFFDE000, 0x7FFFFFFFF000, "rw-p", b"[stack]"),
        ],
        runs=[
            run(0x555555554000, 2, "file present", pfn=0x1000),
            run(0x555555556000, 4, "file present", pfn=0x2000),
            run(0x55555555E000, 1, "exclusive present", pfn=0x12345),
            run(0x55555555F000, 1, "swapped", swap=(1, 77)),
            run(0x7FFFFFFFC000, 3, "exclusive present", pfn=0x12346),
        ],
    )


def name(address, size, kind, symbol, function=b"", type_name=b"", tid=0, frame=0):
    return {
        "address": address,
        "size": size,
        "kind": kind,
        "tid": tid,
        "frame": frame,
        "function": function,
        "symbol": symbol,
        "type": type_name,
    }


def variables():
    """What a debugger may have told about small(): frames, and what it did itself."""
    return [
        name(0x555555556120, 1, "touched", b"breakpoint 2"),
        name(0x55555555E010, 8, "other", b"*list", type_name=b"struct node"),
        name(0x7FFFF7D8A740, 4, "thread_local", b"errno", type_name=b"int", tid=4242),
        name(0x7FFFFFFFD9EC, 4, "local", b"i", b"copy", b"int", 4242, 0),
        name(0x7FFFFFFFD9F0, 4096, "local", b"buffer", b"copy", b"char [4096]", 4242, 0),
        name(0x7FFFFFFFEA00, 4, "argument", b"argc", b"main", b"int", 4242, 1),
    ]


def file_of(*models, **options):
    """A stream of whole snapshots, and where their sections are."""
    stream = vmswrite.Stream()
    stream.header()
    where = [stream.snapshot(model, **options) for model in models]
    return stream.data, where
