"""The claims of the lessons (docs/labs), each with what decides it: the kernel's own files, read by tests/live/kernel.py,
which shares no code with vmsnap, and what the lesson's program knows that it did.  Called by lab.py."""

import re

import kernel
from kernel import EXCLUSIVE, FILE, FRAME, PAGE, PRESENT
from lab import Wrong, need

CLAIMS = {}


def claim(sentence):
    def keep(function):
        CLAIMS[sentence] = function
        return function
    return keep


def equal(found, expected, what):
    if found != expected:
        raise Wrong(f"{what}: {found}, not {expected}")


def holds(true, what):
    if not true:
        raise Wrong(what)


def smaps(lab, name):
    """The fields of smaps of the mapping that the range lies in."""
    at = lab.page(name)
    return next(fields for start, end, fields in kernel.smaps(lab.pid) if start <= at < end)


def mappings(lab, first, end):
    """Those of the process that lie in a range."""
    return [vma for vma in kernel.maps(lab.pid) if vma.start < end and vma.end > first]


def frames(entries):
    need(kernel.shows_frames(), "the kernel hides the numbers of frames from this user")
    return {index: entry & FRAME for index, entry in entries.items() if entry & PRESENT}


def exclusive(entries):
    return {index for index, entry in entries.items() if entry & PRESENT and entry & EXCLUSIVE}


def told_exclusive(rows):
    return {index for index, row in rows.items() if "exclusive" in row["flags"]}


# 1. Demand paging

TOUCHED, WRITTEN = set(range(100)), set(range(10))


def faults(lab):
    return int(next(line for line in lab.lines if line.startswith("faults ")).split()[1])


@claim("A mapping that nobody touched has no page.")
def untouched(lab):
    equal(smaps(lab, "memory")["Size"], 1 << 30, "the size that smaps tells")
    equal(lab.entries("memory"), {}, "entries of pagemap")
    equal(lab.told("memory"), {}, "pages that vmsnap tells")


@claim("Each of the pages cost one page fault.")
def one_fault_each(lab):
    holds(len(TOUCHED) <= faults(lab) < len(TOUCHED) + 10, f"{faults(lab)} faults for {len(TOUCHED)} pages")


@claim("A page that was read and never written is the zero page, one frame for all of them.")
def zero_page(lab):
    entries, told = lab.entries("memory"), lab.told("memory")
    equal(set(entries), TOUCHED, "entries of pagemap")
    equal(exclusive(entries), set(), "exclusive pages")
    need(kernel.has_scan() or kernel.shows_frames(), "neither PAGEMAP_SCAN nor frames tell the zero page")
    equal({index for index, row in told.items() if "zero" in row["flags"]}, TOUCHED, "zero pages that vmsnap tells")
    if kernel.has_scan():
        start, end = lab.said.ranges["memory"]
        found = kernel.scan(lab.pid, start, end, kernel.SCAN_ZERO)
        equal(sum(e - s for s, e, _ in found) // PAGE, len(TOUCHED), "zero pages that PAGEMAP_SCAN tells")
    if kernel.shows_frames():
        equal(len(set(frames(entries).values())), 1, "distinct frames")
        holds(kernel.page_flags(set(frames(entries).values())).popitem()[1] & kernel.KPF_ZERO_PAGE,
              "/proc/kpageflags does not call that frame the zero page")


@claim("The kernel does not count the zero page as resident, and vmsnap says which pages those are.")
def zero_is_not_resident(lab):
    equal(smaps(lab, "memory")["Rss"], 0, "Rss of smaps")
    equal(set(lab.told("memory")), TOUCHED, "pages that vmsnap tells")


@claim("The first write gives a page a frame of its own, and it is exclusive.")
def first_write(lab):
    entries = lab.entries("memory")
    equal(faults(lab) // len(WRITTEN), 1, "faults for each page")
    equal(exclusive(entries), WRITTEN, "exclusive pages")
    equal(told_exclusive(lab.told("memory")), WRITTEN, "pages that vmsnap calls exclusive")
    equal(smaps(lab, "memory")["Rss"], len(WRITTEN) * PAGE, "Rss of smaps")
    if kernel.shows_frames():
        own = [frame for index, frame in frames(entries).items() if index in WRITTEN]
        equal(len(set(own)), len(WRITTEN), "distinct frames")
        holds(frames(entries)[50] not in own, "the zero page is among them")


@claim("What was given back is gone, and reads as zeros.")
def given_back(lab):
    holds("first byte 0" in lab.lines, lab.lines)
    left = TOUCHED - WRITTEN | {0}
    equal(set(lab.entries("memory")), left, "entries of pagemap")
    equal(set(lab.told("memory")), left, "pages that vmsnap tells")
    equal(smaps(lab, "memory")["Rss"], 0, "Rss of smaps")


# 2. Who copies after a fork

ALL = set(range(16))


@claim("The fork copies no page: both have the same frames.")
def fork_copies_nothing(lab):
    for pid in (lab.pid, lab.child):
        entries = lab.entries("table", pid)
        equal(set(entries), ALL, "entries of pagemap")
        equal(exclusive(entries), set(), "exclusive pages")
        equal(told_exclusive(lab.told("table", pid)), set(), "pages that vmsnap calls exclusive")
    if kernel.shows_frames():
        lab.kept["at fork"] = frames(lab.entries("table"))
        equal(frames(lab.entries("table", lab.child)), lab.kept["at fork"], "the child's frames")


@claim("Writing copies a page, reading does not.")
def writing_copies(lab):
    for pid in (lab.pid, lab.child):
        equal(exclusive(lab.entries("table", pid)), {0, 1, 2, 3}, "exclusive pages")
        equal(told_exclusive(lab.told("table", pid)), {0, 1, 2, 3}, "pages that vmsnap calls exclusive")


def moved(lab, pid):
    """Pages that have another frame than at the fork."""
    now = frames(lab.entries("table", pid))
    return {index for index in ALL if now[index] != lab.kept["at fork"][index]}


@claim("Who wrote first has the new frame, the other keeps the old one.")
def first_writer_copies(lab):
    equal(moved(lab, lab.child), {0, 1, 2, 3}, "the child's new frames")
    equal(moved(lab, lab.pid), set(), "the parent's new frames")


@claim("The second one to write copies nothing.")
def second_writer(lab):
    for pid in (lab.pid, lab.child):
        equal(exclusive(lab.entries("table", pid)), {0, 1, 2, 3, 8, 9}, "exclusive pages")
    equal(moved(lab, lab.pid), {8, 9}, "the parent's new frames")
    equal(moved(lab, lab.child), {0, 1, 2, 3}, "the child's new frames")


@claim("vmsnap cow names the side that copied, for each of the 16 pages.")
def cow_names_the_side(lab):
    need(kernel.shows_frames(), "without frame numbers it is not known who copied")
    lab.json("capture", lab.pid, "--tree", "-o", "claim.vms")
    start, end = lab.said.ranges["table"]
    verdicts = {}
    for row in lab.json("cow", "claim.vms", "--base", "fork.vms")["ranges"]:
        for index in range(row["pages"]):
            at = int(row["start"], 16) + index * PAGE
            if start <= at < end:
                verdicts[(at - start) // PAGE] = row["verdict"]
    equal(verdicts, {index: "copied_by_child" if index < 4 else "copied_by_parent" if index in (8, 9) else "shared"
                     for index in ALL}, "verdicts")


# 3. The physical address of a variable

def entry(lab):
    return lab.entries("answer")[0]


@claim("The entry that dd reads, the one that the program reads and what vmsnap says are the same.")
def one_entry(lab):
    lab.lines = lab.program.tell("look")
    equal(lab.said.values["entry"] & ~FRAME, entry(lab) & ~FRAME, "the flags that the program reads")
    row = lab.told("answer")[0]
    equal(row["state"] == "present", bool(entry(lab) & PRESENT), "present, as vmsnap tells")
    equal("exclusive" in row["flags"], bool(entry(lab) & EXCLUSIVE), "exclusive, as vmsnap tells")
    equal("file" in row["flags"], bool(entry(lab) & FILE), "file, as vmsnap tells")
    equal(row["pfn"] or 0, frames({0: entry(lab)})[0], "the frame that vmsnap tells")
    equal(lab.said.values["entry"] & FRAME, entry(lab) & FRAME, "the frame that the program reads")


@claim("Within a page the physical address ends as the virtual one does.")
def ends_alike(lab):
    frame = frames({0: entry(lab)})[0]
    equal(lab.said.values["physical"], frame * PAGE + lab.said.ranges["answer"][0] % PAGE, "the physical address")
    told = lab.json("page", lab.pid, f"{lab.said.ranges['answer'][0]:x}")
    equal(int(told["physical"], 16), lab.said.values["physical"], "the physical address that vmsnap tells")


@claim("Who may not see frames sees a 0 and all flags, and vmsnap says that it is not known.")
def hidden_frames(lab):
    need(not kernel.shows_frames(), "this user may see frames")
    holds(entry(lab) & PRESENT and entry(lab) & EXCLUSIVE, "flags are hidden, too")
    equal(entry(lab) & FRAME, 0, "the frame")
    equal(lab.told("answer")[0]["pfn"], None, "the frame that vmsnap tells")


@claim("Two addresses of one page of shared memory have one frame.")
def two_addresses(lab):
    for name in ("one", "two"):
        holds(lab.entries(name)[0] & FILE, "bit 61 is not set")
        equal(lab.told(name)[0]["flags"].count("file"), 1, "what vmsnap tells of it")
    equal(frames(lab.entries("one")), frames(lab.entries("two")), "the frames")
    equal(lab.told("one")[0]["pfn"], lab.told("two")[0]["pfn"], "the frames that vmsnap tells")


# 4. MAP_FIXED over a library

def over(lab):
    """The mappings of the page and of those at its sides."""
    start, end = lab.said.ranges["cosine"]
    return mappings(lab, start - PAGE, end + PAGE)


@claim("MAP_FIXED_NOREPLACE and a hint leave alone what is there.")
def polite_ways(lab):
    holds("a hint: another address" in lab.lines, lab.lines)
    holds("MAP_FIXED_NOREPLACE: another address" in lab.lines or "MAP_FIXED_NOREPLACE: File exists" in lab.lines, lab.lines)
    vma = next(vma for vma in over(lab) if vma.start <= lab.page("cosine") < vma.end)
    holds(b"libm" in vma.name and "x" in vma.perms, vma)


@claim("MAP_FIXED puts the new page in place of the library's, in its middle, and reports no error.")
def over_the_library(lab):
    found = over(lab)
    middle = next(vma for vma in found if vma.start == lab.page("cosine"))
    equal((middle.end - middle.start, middle.perms, middle.inode), (PAGE, "rw-p", 0), "the mapping")
    holds(any(b"libm" in vma.name for vma in found), "the library is not beside it")
    equal(sorted(lab.told("cosine")), [0], "pages that vmsnap tells")
    equal("file" in lab.told("cosine")[0]["flags"], False, "a file's page, as vmsnap tells")


@claim("vmsnap diff says which mapping was replaced.")
def replaced(lab):
    found = [vma for vma in lab.json("diff", "cosine.vms")["vmas"] if vma["change"] == "replaced"]
    equal([int(vma["b"]["start"], 16) for vma in found], [lab.page("cosine")], "where mappings were replaced")
    holds("libm" in found[0]["a"]["name"], found[0]["a"])


@claim("A call of the cosine dies of it.")
def call_dies(lab):
    holds(any(line.startswith("the call died: ") for line in lab.lines), lab.lines)


@claim("In room that was reserved MAP_FIXED takes away nothing else.")
def reserved(lab):
    start, end = lab.said.ranges["room"]
    found = [vma for vma in mappings(lab, start, end) if vma.start >= start or vma.end <= end or vma.perms == "---p"]
    equal([vma.perms for vma in found], ["---p", "rw-p", "---p"], "the mappings")
    equal((found[1].start, found[1].end), (start + 8 * PAGE, start + 9 * PAGE), "the page in the middle")
    equal(set(lab.told("room")), {8}, "pages that vmsnap tells")
