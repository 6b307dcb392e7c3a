"""The kernel's own word on a process: maps, pagemap, kpageflags, smaps.

Everything here is read straight from /proc and shares no code with vmsnap."""

import array
import ctypes
import fcntl
import gzip
import os
import re
from typing import NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")
HUGE = PAGE // 8 * PAGE  # what one page table maps, and so a PMD
PRESENT, SWAPPED, FILE, GUARD, UFFD_WP, EXCLUSIVE, SOFT_DIRTY = (1 << bit for bit in (63, 62, 61, 58, 57, 56, 55))
FRAME = (1 << 55) - 1
KPF_ZERO_PAGE = 1 << 24
KPF_KSM = 1 << 21
SWAP_TYPE_MARKER = 31  # the last swap type stands for page-table markers


class Vma(NamedTuple):
    start: int
    end: int
    perms: str
    offset: int
    dev: str
    inode: int
    name: bytes


def read(path):
    with open(path, "rb") as file:
        return file.read()


def maps(pid):
    out = []
    for line in read(f"/proc/{pid}/maps").split(b"\n")[:-1]:
        head = line.split(b" ", 5)
        start, end = (int(x, 16) for x in head[0].split(b"-"))
        name = head[5].lstrip(b" ") if len(head) > 5 else b""
        out.append(Vma(start, end, head[1].decode(), int(head[2], 16), head[3].decode(),
                       int(head[4]), name.replace(b"\\012", b"\n")))
    return out


def smaps(pid):
    """[(start, end, {key: bytes or text})]"""
    out = []
    for line in read(f"/proc/{pid}/smaps").split(b"\n")[:-1]:
        head = re.match(rb"([0-9a-f]+)-([0-9a-f]+) [r-][w-][x-][ps] ", line)
        if head:
            out.append((int(head[1], 16), int(head[2], 16), {}))
            continue
        key, _, value = line.partition(b":")
        size = re.fullmatch(rb"\s*(\d+) kB", value)
        out[-1][2][key.decode()] = int(size[1]) * 1024 if size else value.strip().decode()
    return out


def entries(pid, ranges):
    """{address: pagemap entry} of all pages that are there in any way.  Of those that are not, some kernels tell
    that they are soft-dirty, as their mapping is."""
    found = {}
    fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    try:
        for start, end in ranges:
            if start >> 63:
                continue
            for at in range(start, end, PAGE << 15):
                count = min(end - at, PAGE << 15) // PAGE
                data = os.pread(fd, count * 8, at // PAGE * 8)
                if not data.strip(b"\0"):
                    continue
                words = array.array("Q", data)
                for index, entry in enumerate(words):
                    if entry & ~SOFT_DIRTY:
                        found[at + index * PAGE] = entry
    finally:
        os.close(fd)
    return found


class _ScanArg(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "size", "flags", "start", "end", "walk_end", "vec", "vec_len", "max_pages",
        "category_inverted", "category_mask", "category_anyof_mask", "return_mask")]


PAGEMAP_SCAN = 0xC0606610
SCAN_PRESENT, SCAN_SWAPPED, SCAN_ZERO, SCAN_HUGE = 1 << 3, 1 << 4, 1 << 5, 1 << 6


def scan(pid, start, end, wanted=SCAN_PRESENT | SCAN_SWAPPED):
    """[(start, end, categories)] by PAGEMAP_SCAN (Linux 6.7), one region a call:
    slow, simple, and never dependent on walk_end."""
    out = []
    if start >> 63:
        return out
    fd = os.open(f"/proc/{pid}/pagemap", os.O_RDONLY)
    try:
        room = (ctypes.c_uint64 * (3 * 4096))()
        while start < end:
            arg = _ScanArg(size=ctypes.sizeof(_ScanArg), start=start, end=end, vec=ctypes.addressof(room),
                           vec_len=4096, category_anyof_mask=wanted,
                           return_mask=SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO | SCAN_HUGE)
            count = fcntl.ioctl(fd, PAGEMAP_SCAN, arg)
            out += [tuple(room[3 * i:3 * i + 3]) for i in range(count)]
            if count < 4096:
                break
            start = out[-1][1]
    finally:
        os.close(fd)
    return out


def has_scan():
    try:
        scan(os.getpid(), PAGE, 2 * PAGE)
        return True
    except OSError:
        return False


def clear_soft_dirty(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("4")


def may_be_huge(found, frames):
    """Addresses of pages that one PMD may map, where PAGEMAP_SCAN does not tell: a whole page table's, all there,
    alike, and with one frame behind the other if those are shown."""
    out = set()
    flags = ~FRAME
    for at, entry in found.items():
        if at % HUGE or not entry & PRESENT or (frames and (entry & FRAME) % (HUGE // PAGE)):
            continue
        step = 1 if frames else 0
        if all(found.get(at + index * PAGE, 0) == (entry & flags) | ((entry & FRAME) + index * step if frames else entry & FRAME)
               for index in range(HUGE // PAGE)):
            out.update(range(at, at + HUGE, PAGE))
    return out


def page_flags(pfns):
    """{pfn: kpageflags word}; needs root."""
    fd = os.open("/proc/kpageflags", os.O_RDONLY)
    try:
        return {pfn: int.from_bytes(os.pread(fd, 8, pfn * 8), "little") for pfn in pfns}
    finally:
        os.close(fd)


def version():
    """(6, 1)"""
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", os.uname().release).groups())


def counts_each_page():
    """Whether page_counts() is about each page: CONFIG_NO_PAGE_MAPCOUNT came with Linux 6.15, and hardly anybody
    has it."""
    try:
        configured = gzip.decompress(read("/proc/config.gz"))
    except OSError:
        configured = b""
    return version() < (6, 15) or b"\nCONFIG_PAGE_MAPCOUNT=y\n" in configured


def page_counts(pfns):
    """{pfn: how often it is mapped}; needs root."""
    fd = os.open("/proc/kpagecount", os.O_RDONLY)
    try:
        return {pfn: int.from_bytes(os.pread(fd, 8, pfn * 8), "little") for pfn in pfns}
    finally:
        os.close(fd)


def state(pid):
    """The letter of the process's state, or None once it is gone."""
    try:
        return read(f"/proc/{pid}/stat").rpartition(b") ")[2][:1].decode()
    except OSError:
        return None


def children(pid):
    """Those that its main thread has made."""
    return [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]


KCMP = {"x86_64": 312, "aarch64": 272}.get(os.uname().machine)


def one_memory(a, b):
    """Whether two processes have one address space; None: the kernel does not tell."""
    found = ctypes.CDLL(None, use_errno=True).syscall(KCMP, a, b, 1, 0, 0) if KCMP else -1
    return None if found < 0 else found == 0


def status(pid):
    """{key: text}"""
    lines = read(f"/proc/{pid}/status").split(b"\n")[:-1]
    return {key.decode(): value.strip() for key, _, value in (line.partition(b":") for line in lines)}


DAC_READ_SEARCH, SETGID, SETUID, SYS_PTRACE, SYS_ADMIN = 2, 6, 7, 19, 21  # capabilities


def capable(*capabilities):
    """Whether we have these: root in a container has a few only."""
    has = int(status(os.getpid())["CapEff"], 16)
    return all(has >> number & 1 for number in capabilities)


def shows_frames():
    """Whether the kernel tells us the numbers of frames: root in a container may not see them."""
    there = ctypes.create_string_buffer(b"written", PAGE)
    at = ctypes.addressof(there) // PAGE * PAGE
    return entries(os.getpid(), [(at, at + PAGE)]).get(at, 0) & FRAME != 0


def swap_is_on():
    return len(read("/proc/swaps").splitlines()) > 1


def ksm_is_on():
    try:
        return read("/sys/kernel/mm/ksm/run").strip() == b"1"
    except OSError:
        return False


def page_moves():
    """How often the kernel gave a page another frame by itself, or took one away, on the whole machine."""
    names = {"pgmigrate_success", "compact_isolated", "pswpin", "pswpout", "swpin_zero", "swpout_zero", "zswpin", "zswpout",
             "ksm_swpin_copy", "cow_ksm", "thp_collapse_alloc", "thp_split_page", "thp_split_pmd"}
    told = dict(line.split() for line in read("/proc/vmstat").decode().splitlines())
    return sum(int(told.get(name, 0)) for name in names)


def descriptors(pid, what):
    """What that finds in a text about each descriptor of a process: where it leads, and what fdinfo says."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            about = os.readlink(f"/proc/{pid}/fd/{name}") + "\n" + read(f"/proc/{pid}/fdinfo/{name}").decode()
        except OSError:
            continue  # it is closed by now
        found += re.findall(what, about)
    return found


def perf_events(pid):
    """How many such descriptors it has."""
    return len(descriptors(pid, r"\Aanon_inode:\[perf_event\]"))


def programs(pid):
    """The numbers of programs in the kernel (BPF) that it has descriptors of."""
    return sorted(set(map(int, descriptors(pid, r"(?m)^prog_id:\t(\d+)$"))))
