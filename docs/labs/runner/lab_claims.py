"""The claims of the lessons (docs/labs), each with what decides it: the kernel's own files, read by kernel.py (in the
source it is in tests/live), which shares no code with vmsnap, and what the lesson's program knows that it did.  Called
by lab.py."""

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
    answers = {"MAP_FIXED_NOREPLACE: another address", "MAP_FIXED_NOREPLACE: File exists"}
    holds(answers & set(lab.lines), lab.lines)
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


# 5. The vdso

def processor(lab):
    """What the program found out about its two ways to ask."""
    return {line.split(": ")[0]: line.split(": ")[1] for line in lab.lines if ": " in line}


@claim("A program that is not told of the vdso gets the time without it, and without a mapping of it.")
def without_vdso(lab):
    need(b"[vdso]" in kernel.read("/proc/self/maps"), "this kernel gives processes no vdso")
    holds(b"[vdso]" not in {vma.name for vma in kernel.maps(lab.pid)}, "there is a mapping of it")
    equal([vma for vma in lab.json("show", lab.pid)["vmas"] if vma["name"] == "[vdso]"], [], "what vmsnap shows of it")


@claim("Without the vdso the library has to make the system call.")
def needs_the_call(lab):
    told = processor(lab)
    holds(told["the system call"] != "the time", "the system call was not refused")
    equal(told["clock_gettime()"], told["the system call"], "clock_gettime() said")


@claim("With the vdso the library gets the time without a system call.")
def no_call(lab):
    need(b"[vdso]" in kernel.read("/proc/self/maps"), "this kernel gives processes no vdso")
    told = processor(lab)
    holds(told["the system call"] != "the time", "the system call was not refused")
    equal(told["clock_gettime()"], "the time", "clock_gettime() said")


@claim("Two programs have the same frames in their vdso.")
def same_vdso(lab):
    own = next((vma for vma in kernel.maps("self") if vma.name == b"[vdso]"), None)
    need(own is not None, "this kernel gives processes no vdso")
    ours = {(at - own.start) // PAGE: entry for at, entry in kernel.entries("self", [(own.start, own.end)]).items()}
    theirs = lab.entries("vdso")
    ours, theirs = frames(ours), frames(theirs)
    both = set(ours) & set(theirs)
    need(both, "they have used no page of it in common")
    equal({index: ours[index] for index in both}, {index: theirs[index] for index in both}, "frames")
    told = lab.told("vdso")
    equal({index: told[index]["pfn"] for index in both}, {index: theirs[index] for index in both},
          "frames that vmsnap tells")


# 6. A whole address space

def thousand(lab):
    start = lab.page("all")
    return [start + index * lab.said.values["step"] for index in range(1000)]


@claim("The mapping is as large as the program says, and only its thousand pages are resident.")
def sparse(lab):
    start, end = lab.said.ranges["all"]
    equal([(vma.start, vma.end) for vma in mappings(lab, start, end)], [(start, end)], "the mapping")
    holds(kernel.entries(lab.pid, [(at, at + PAGE) for at in thousand(lab)]).keys() == set(thousand(lab)),
          "some of its pages are not there")
    anonymous = int(kernel.status(lab.pid)["RssAnon"].split()[0]) * 1024
    holds(anonymous < 2000 * PAGE, f"RssAnon is {anonymous}")


@claim("The page tables are no more than three for each of these pages.")
def few_tables(lab):
    tables = int(kernel.status(lab.pid)["VmPTE"].split()[0]) * 1024
    holds(tables <= 3 * 1000 * PAGE, f"VmPTE is {tables}")


@claim("PAGEMAP_SCAN finds the thousand pages where the program wrote, and no others.")
def scan_finds(lab):
    need(kernel.has_scan(), "this kernel has no PAGEMAP_SCAN (Linux 6.7)")
    found = kernel.scan(lab.pid, *lab.said.ranges["all"])
    equal([(start, end) for start, end, _ in found], [(at, at + PAGE) for at in thousand(lab)], "regions")


@claim("So does vmsnap.")
def vmsnap_finds(lab):
    need(kernel.has_scan(), "this kernel has no PAGEMAP_SCAN (Linux 6.7)")
    start, end = lab.said.ranges["all"]
    rows = lab.json("pages", lab.pid, f"{start:x}-{end:x}")["runs"]
    equal([(int(row["start"], 16), row["pages"]) for row in rows], [(at, 1) for at in thousand(lab)], "runs")


# 7. Hot patches

def code_page(lab):
    """The page's mapping, and what file and memory hold there."""
    at = lab.page("answer")
    vma = next(vma for vma in kernel.maps(lab.pid) if vma.start <= at < vma.end)
    with open(vma.name, "rb") as file:
        file.seek(at - vma.start + vma.offset)
        in_file = file.read(PAGE)
    with open(f"/proc/{lab.pid}/mem", "rb") as memory:
        memory.seek(at)
        in_memory = memory.read(PAGE)
    return vma, in_file, in_memory


def code_mappings(lab):
    return [vma for vma in kernel.maps(lab.pid) if "x" in vma.perms and vma.name.endswith(b"/patched_code")]


def told_of_code(lab):
    """{address: flags} of the pages in mappings of the program's code, as vmsnap has them."""
    found = {}
    for vma in code_mappings(lab):
        for row in lab.json("pages", lab.pid, f"{vma.start:x}-{vma.end:x}")["runs"]:
            for index in range(row["pages"]):
                found[int(row["start"], 16) + index * PAGE] = row["flags"]
    return found


@claim("A page of code is the file's.")
def code_is_the_files(lab):
    vma, in_file, in_memory = code_page(lab)
    equal(in_memory, in_file, "what it holds")
    holds(lab.entries("answer")[0] & FILE, "bit 61 is not set")
    holds("file" in lab.told("answer")[0]["flags"], "vmsnap does not say so")
    lab.kept["code"] = vma.perms, in_file


@claim("maps shows the same rights as before, and the file is as it was.")
def looks_the_same(lab):
    vma, in_file, in_memory = code_page(lab)
    equal((vma.perms, in_file), lab.kept["code"], "rights and file")
    holds(in_memory != in_file, "it has not been patched")


@claim("The page was the file's, and is the process's own since the patch.")
def own_code(lab):
    holds(not lab.entries("answer")[0] & FILE, "bit 61 is set")
    equal(smaps(lab, "answer")["Anonymous"], PAGE, "Anonymous of smaps")
    holds("file" not in lab.told("answer")[0]["flags"], "vmsnap calls it a file's")


@claim("No other page of the program's code is the process's own.")
def no_other_own_code(lab):
    patched = [lab.page("answer")]
    code = [(vma.start, vma.end) for vma in code_mappings(lab)]
    equal([at for at, entry in kernel.entries(lab.pid, code).items() if not entry & FILE], patched, "not a file's")
    equal([at for at, flags in told_of_code(lab).items() if "file" not in flags], patched, "as vmsnap tells")


@claim("vmsnap diff points to the code that was written to.")
def diff_points(lab):
    rows = [row for row in lab.json("diff", "code.vms")["pages"] if row["change"] == "privatised"]
    equal([(int(row["start"], 16), row["pages"]) for row in rows], [(lab.page("answer"), 1)], "privatised")


@claim("When the patch is taken back the bytes are the file's again, and the page is not.")
def restored(lab):
    vma, in_file, in_memory = code_page(lab)
    equal((vma.perms, in_file), lab.kept["code"], "rights and file")
    equal(in_memory, in_file, "what it holds")
    own_code(lab)


# 8. Swap, huge pages and KSM

@claim("At first the pages that were written are present, of the usual size, and the program's own.")
def at_first(lab):
    for name in ("cold", "equal"):
        entries = lab.entries(name)
        need(all(entry & PRESENT for entry in entries.values()), "the kernel has swapped some already")
        equal((set(entries), exclusive(entries)), (ALL, ALL), "pages, and exclusive ones")
        equal(told_exclusive(lab.told(name)), ALL, "exclusive ones that vmsnap tells")
        equal(smaps(lab, name)["AnonHugePages"], 0, "AnonHugePages of smaps")
    equal(lab.entries("large"), {}, "pages of the memory that will be huge")


def swapped(lab):
    """{index of the page: (swap area, offset)}"""
    return {index: (entry & 31, (entry & FRAME) >> 5) for index, entry in lab.entries("cold").items()
            if entry & kernel.SWAPPED and entry & 31 < 30}


@claim("What is swapped is not present, and its entry says where it is.")
def in_swap(lab):
    found = swapped(lab)
    need(len(found) == 16, "not all went to swap")
    equal(smaps(lab, "cold")["Swap"], 16 * PAGE, "Swap of smaps")
    told = lab.told("cold")
    equal({index for index, row in told.items() if row["state"] == "swapped"}, ALL, "swapped pages that vmsnap tells")
    need(kernel.shows_frames(), "the kernel hides places in swap from this user")
    equal(len(set(found.values())), 16, "places")


@claim("A touch brings the page back, with what it held.")
def back_from_swap(lab):
    need("it holds 1" in lab.lines, "nothing went to swap")
    holds(lab.entries("cold")[0] & PRESENT, "it is not present")
    equal(lab.told("cold")[0]["state"], "present", "what vmsnap tells")


@claim("Where smaps has huge pages vmsnap has as many.")
def huge_pages(lab):
    huge = smaps(lab, "large")["AnonHugePages"]
    need(huge, "the kernel gave no huge page")
    need(kernel.has_scan(), "without PAGEMAP_SCAN (Linux 6.7) huge pages are not known")
    equal(sum("huge" in row["flags"] for row in lab.told("large").values()) * PAGE, huge, "bytes in huge pages")


@claim("Merged pages have one frame, which is not exclusive.")
def merged(lab):
    entries = lab.entries("equal")
    need(not exclusive(entries) and all(entry & PRESENT for entry in entries.values()), "they have not been merged")
    lab.kept["merged"] = True
    equal(told_exclusive(lab.told("equal")), set(), "exclusive pages that vmsnap tells")
    equal(len(set(frames(entries).values())), 1, "distinct frames")
    holds(kernel.page_flags(set(frames(entries).values())).popitem()[1] & kernel.KPF_KSM, "kpageflags does not say KSM")
    equal({row["pfn"] for row in lab.told("equal").values()}, set(frames(entries).values()), "frames that vmsnap tells")


@claim("Writing to a merged page gives it a frame of its own, and leaves the others together.")
def parted(lab):
    need(lab.kept.get("merged"), "they have not been merged")
    entries = lab.entries("equal")
    equal(exclusive(entries), {0}, "exclusive pages")
    equal(told_exclusive(lab.told("equal")), {0}, "exclusive pages that vmsnap tells")
    found = frames(entries)
    equal(len({found[index] for index in range(1, 16)}), 1, "distinct frames of the others")
    holds(found[0] != found[1], "the first has the frame of the others")
