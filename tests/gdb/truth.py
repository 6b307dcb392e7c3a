"""What the kernel says of a stopped process, to hold against what vmsnap says.
Shares no code with vmsnap."""

import os

from gdb_session import kernel

FILE, FRAME, PAGE, PRESENT = kernel.FILE, kernel.FRAME, kernel.PAGE, kernel.PRESENT

VERDICTS = {(True, True): "copied_by_both", (True, False): "copied_by_child", (False, True): "copied_by_parent",
            (False, False): "shared"}


def page_of(address):
    return address // PAGE * PAGE


def writable(pid):
    """Private memory that may be written to, as ranges."""
    return [(vma.start, vma.end) for vma in kernel.maps(pid) if vma.perms.startswith("rw") and vma.perms[3] == "p"]


def frames(pid, ranges=None):
    """{address: frame} of the anonymous pages that are there, but for the zero page."""
    entries = kernel.entries(pid, ranges or writable(pid))
    found = {at: entry & FRAME for at, entry in entries.items() if entry & PRESENT and not entry & FILE}
    flags = kernel.page_flags(set(found.values()) - {0})
    return {at: frame for at, frame in found.items() if not flags.get(frame, 0) & kernel.KPF_ZERO_PAGE}


def entry(pid, address):
    return kernel.entries(pid, [(page_of(address), page_of(address) + PAGE)]).get(page_of(address), 0)


def text_copies(pid):
    """Pages of executable mappings of files that have become private copies."""
    ranges = [(vma.start, vma.end) for vma in kernel.maps(pid) if "x" in vma.perms and vma.inode]
    return {at for at, word in kernel.entries(pid, ranges).items() if word & PRESENT and not word & FILE}


def verdicts(base, parent, child):
    """What became of each page that was there at the fork and is there now in both."""
    return {at: VERDICTS[child[at] != frame, parent[at] != frame] for at, frame in base.items()
            if at in parent and at in child}


def by_page(ranges, key):
    """{address: value} of a list of ranges in vmsnap's JSON."""
    return {int(row["start"], 16) + index * PAGE: row[key] for row in ranges for index in range(row["pages"])}


LEFT_OUT = ("became_shared", "became_exclusive", "written")


def changes(diff):
    """{address: set of facts} of a diff's JSON, but for who else maps a page: whatever
    other program starts or ends changes that of the C library's.  What it wrote where pages were already, as on
    its stack, is told where contents are kept, and is not asked for here."""
    found = {}
    for row in diff["pages"]:
        for index in range(row["pages"] if row["change"] not in LEFT_OUT else 0):
            found.setdefault(int(row["start"], 16) + index * PAGE, set()).add(row["change"])
    return found


def names_on(ranges, address, key="symbol"):
    """The names that lie on the page of an address, says a JSON listing."""
    page = page_of(address)
    return [name[key] for row in ranges for name in row["names"] or ()
            if int(row["start"], 16) <= page < int(row["start"], 16) + row["pages"] * PAGE]


def children(pid):
    """Of all its threads."""
    return [int(word) for tid in os.listdir(f"/proc/{pid}/task")
            for word in kernel.read(f"/proc/{pid}/task/{tid}/children").split()]


def number_in(path):
    """Of a file of the kernel's; 0 if there is none."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except OSError:
        return 0
