"""Small core files for fuzz_core, written by tests/reader/corefile.py: of several machines, with notes before and behind,
cut off, and with what is listed only."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reader"))
from corefile import AT_PHDR, AT_RANDOM, AT_SYSINFO_EHDR, Core, R, W, X, mapped_elf  # noqa: E402

PAGE = 4096


def small(machine="x86_64", at_end=False):
    core = Core(machine)
    core.pid, core.ppid, core.uid, core.comm, core.signal, core.fault = 42, 7, 1000, b"small", 11, 0x10
    core.threads = [(42, 0x30000100), (43, 0)]
    core.load(0x10000000, 2 * PAGE, R | X, mapped_elf(bytes(range(20)), machine), "/bin/small")
    core.load(0x20000000, PAGE, R | W)
    core.load(0x30000000, PAGE, R | W, b"stack".ljust(PAGE, b"\1"))
    core.auxiliary.update({AT_PHDR: 0x10000040, AT_RANDOM: 0x30000010, AT_SYSINFO_EHDR: 0x10000000})
    core.at_end = at_end
    return core


def seeds():
    for machine in ("x86_64", "i386", "s390x", "aarch64"):
        yield machine, small(machine).bytes()
    yield "notes-behind", small(at_end=True).bytes()
    yield "cut-off", small().bytes()[:-PAGE - 100]
    listed = small()
    listed.files.append((0x40000000, 0x40002000, 0, "/lib/listed.so"))
    yield "listed", listed.bytes()
