"""Snapshots in which everything occurs that JSON may show, and the commands to show it.

They are written here, not captured: what is printed must not depend on the machine.
"""

import glob
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, "..", "golden")
sys.path[:0] = [HERE, GOLDEN]

import elffile  # noqa: E402  (these lie in the folders just added)
from corefile import Core, R  # noqa: E402
from cases import EMPTY_IDENTITY, PROCESS, STATUS, file_of, name, run, snapshot, thread, vma  # noqa: E402

PAGE = 4096
PROGRAM = 0x555555554000
HEAP = 0x555555560000
PERMS = 0x600000000000  # mappings of all permissions
STATES = 0x610000000000  # pages in all states
THREAD = 0x620000000000  # another thread's stack
CODE = 0x650000000000
STACK = 0x7FFFFFFDE000
STACK_END = 0x7FFFFFFFF000
ELF = dict(name=b"/program", device=(8, 1), inode=77, build_id=elffile.BUILD_ID)
EVERYTHING = ["pfn", "soft_dirty", "exclusive", "zero", "huge"]

# (flags, frame or swap slot) of the pages from STATES on; each is followed by an absent one.
PAGE_STATES = [
    ("present", 0x100),
    ("exclusive present", 0x200),
    ("soft_dirty exclusive present", 0x300),
    ("zero present", 0x400),
    ("huge exclusive present", 0x500),
    ("present", 0),
    ("swapped", (1, 77)),
    ("uffd_wp present", 0x600),
    ("uffd_wp", None),
    ("guard", None),
]


def state_runs():
    made = []
    for index, (flags, frame) in enumerate(PAGE_STATES):
        where = {"swap": frame} if isinstance(frame, tuple) else {"pfn": frame}
        made.append(run(STATES + 2 * index * PAGE, 1, flags, **where))
    return made


def permissions():
    words = [r + w + x + s for r in "-r" for w in "-w" for x in "-x" for s in "ps"]
    return [vma(PERMS + 16 * i * PAGE, PERMS + (16 * i + 1) * PAGE, word) for i, word in enumerate(words)]


def smaps_of(vmas):
    values = [None] + [PAGE] * (len(vmas) - 1)
    return {"keys": [{"key": b"Pss", "values": values}], "flags": [b""] + [b"rd wr"] * (len(vmas) - 1),
            "texts": [[0, b"a text"]]}


def told():
    """What a debugger told: names of every kind, and what it wrote to."""
    heap = [name(HEAP + 8, 8, "other", b"*list"), name(HEAP + 64, 1, "touched", b"breakpoint 2")]
    stack = [
        name(STACK_END - 0x800, 8, "local", b"count", b"work", b"int", 4242, 0),
        name(STACK_END - 0x700, 8, "argument", b"size", b"main", b"int", 4242, 1),
        name(STACK_END - 0x600, 1, "touched", b""),
    ]
    return heap + [name(THREAD + 8, 4, "thread_local", b"errno", tid=4300)] + stack


SERVICE = dict(cgroup=b"/system.slice/docker-%s.scope" % (b"0123456789abcdef" * 4), machine_hash=b"0123456789abcdef" * 2,
               swap_in_use=1 << 20)


def process(frame, heap_pages, status=b"", vmas=(), text="file present", **identity):
    """A program with everything; `frame`: that of the first page which is its own; `text`: of code."""
    data = PROGRAM + elffile.DATA
    all_vmas = [
        vma(PROGRAM, PROGRAM + PAGE, "r--p", **ELF),
        vma(PROGRAM + elffile.TEXT, data, "r-xp", offset=elffile.TEXT, **ELF),
        vma(data, data + PAGE, "rw-p", offset=elffile.DATA, **ELF),
        vma(HEAP, HEAP + heap_pages * PAGE, "rw-p", b"[heap]"),
        *permissions(),
        vma(STATES, STATES + 64 * PAGE, "rw-p"),
        vma(THREAD, THREAD + 16 * PAGE, "rw-p"),
        *vmas,
        vma(STACK, STACK_END, "rw-p", b"[stack]"),
    ]
    return snapshot(
        identity=dict(PROCESS, **dict(dict(known=EVERYTHING, exe=b"/program", reason=b"why", **SERVICE), **identity)),
        status=STATUS + b"Groups:\t0\nState:\tS (sleeping)\n" + status,
        vmas=all_vmas,
        runs=[
            run(PROGRAM, 1, "file present", pfn=0x1000),
            run(PROGRAM + elffile.TEXT, 1, text, pfn=0x1001),
            run(data, 1, "exclusive present", pfn=frame),
            run(HEAP, 2, "exclusive present", pfn=frame + 1),
            *state_runs(),
            run(THREAD, 2, "present", pfn=0x3000),
            run(STACK_END - 2 * PAGE, 2, "soft_dirty exclusive present", pfn=frame + 16),
        ],
        threads=[thread(4242, STACK_END - 0x400, b"cat"), thread(4300, THREAD + 0x1000, b"more"),
                 thread(4301, 0, b"late", missed=True)],
        smaps=smaps_of(all_vmas),
        names=told(),
    )


def nobody():
    """A process of which hardly anything is known."""
    return snapshot(
        identity=EMPTY_IDENTITY,
        status=b"",
        vmas=[vma(STATES, STATES + 8 * PAGE, "rw-p"),
              vma(THREAD, THREAD + PAGE, "rw-s", b"/dev/zero (deleted)", device=(0, 1), inode=5)],
        runs=[run(STATES, 1, "present"), run(STATES + PAGE, 1, "swapped")],
    )


def small(pid, ppid, frame, heap=HEAP, **identity):
    """A process with a heap, of which each page has a frame of its own."""
    frames = dict(pfn=frame) if "pfn" in identity.get("known", EVERYTHING) else {}
    return snapshot(
        identity=dict(PROCESS, **dict(dict(pid=pid, tgid=pid, ppid=ppid, faults=50, label=b"tree"), **identity)),
        vmas=[vma(heap, heap + 8 * PAGE, "rw-p", b"")],
        runs=[run(heap, 4, "exclusive present", **frames)],
    )


def tree(pids, seconds=0, **identity):
    """A process and these children, at one instant."""
    identity = dict(identity, taken=PROCESS["taken"] + seconds * 10**9)
    moved = HEAP + seconds * 64 * PAGE
    return [small(4242, 1, 0x7000, moved, **identity)] + [small(pid, 4242, 0x10 * pid, **identity) for pid in pids]


def tree_that_executed(seconds, stack):
    """A tree whose second process has another program if it has another stack."""
    found = tree([4244], seconds, start_stack=0x7FFFFFFF1000)
    when = dict(taken=PROCESS["taken"] + seconds * 10**9)
    return found + [small(4243, 4242, 0x43000, start_stack=stack, **when)]


def two_pages(flags, frame, **identity):
    """Without huge pages, so that all facts are known."""
    return snapshot(
        identity=dict(PROCESS, **dict(dict(known=EVERYTHING), **identity)),
        vmas=[vma(STATES, STATES + 8 * PAGE, "rw-p")],
        runs=[run(STATES, 2, flags, pfn=frame)],
        names=[name(STATES + 64, 1, "touched", b"breakpoint 2")],
    )


def parts(*perms, seconds):
    """Memory without a name, in mappings beside each other."""
    each = 8 // len(perms)
    return snapshot(
        identity=dict(PROCESS, known=EVERYTHING, faults=50, taken=PROCESS["taken"] + seconds * 10**9),
        vmas=[vma(HEAP + i * each * PAGE, HEAP + (i + 1) * each * PAGE, perm) for i, perm in enumerate(perms)],
        runs=[run(HEAP, 8, "exclusive present", pfn=0x7000)],
    )


def models():
    """{name: the snapshots of a file}"""
    code = dict(name=b"/tmp/code", device=(8, 1), inode=10)
    gone = [vma(0x630000000000, 0x630000001000, "rw-s", b"/tmp/gone (deleted)", device=(8, 1), inode=9),
            vma(CODE, CODE + 2 * PAGE, "r-xp", **code)]
    come = [vma(0x640000000000, 0x640000001000, "rw-p", b"[anon: new]"), vma(CODE, CODE + PAGE, "r-xp", **code),
            vma(CODE + PAGE, CODE + 2 * PAGE, "rwxp", b"[anon: laid over code]")]
    freezes = [dict(freeze=kind, label=b"freeze") for kind in range(4)]
    return {
        "a": [process(0x2000, 2, b"Old:\t1\n", gone, label=b"a", start_code=PROGRAM + elffile.TEXT,
                      start_stack=0x7FFFFFFF1000, arg_start=0x7FFFFFFF1100, memory_with=[4244])],
        "b": [process(0x2800, 4, b"New:\t2 kB\n", come, label=b"b", taken=PROCESS["taken"] + 10**9,
                      start_stack=0x7FFFFFFF1000)],
        "child": [process(0x2C00, 2, text="exclusive present", pid=4243, tgid=4243, ppid=4242, label=b"child", boottime=1235 * 10**9)],
        "both": [process(0x2000, 2, pid=pid, tgid=pid, label=b"both") for pid in (4242, 4243)],
        "nobody": [nobody()],
        "small": [two_pages("present", 0x900), two_pages("exclusive present", 0x900), two_pages("present", 0x900)],
        # A's process after an exec, another one that has its number, one that has its memory.
        "exec": [process(0x2000, 2, start_stack=0x7FFFFFFF0000, label=b"exec")],
        "exec_child": [process(0x2C00, 2, pid=4243, tgid=4243, ppid=4242, start_stack=0x7FFFFFFF0000, label=b"exec_child")],
        "reused": [process(0x2000, 2, start_time=654321, label=b"reused")],
        "shared": [process(0x2000, 2, pid=4244, tgid=4244, ppid=4242, memory_with=[4242], label=b"shared")],
        "freezes": [snapshot(identity=dict(PROCESS, **one)) for one in freezes],
        "tree": tree([4243, 4244]),
        "later": tree([4244, 4245], 1, boottime=1235 * 10**9),
        "hidden": tree([4243, 4244], 2, known=["exclusive"]),
        "forked": tree_that_executed(3, 0x7FFFFFFF1000),
        "recorded": [small(4242, 1, 0x7000, freeze=0, consistent=1, monotonic=0)],
        "executed": tree_that_executed(4, 0x7FFFFFFF0000),
        # Series: what grows, is merged and moved, another program; forks that go on.
        "grows": [process(0x2000, 2, label=b"grows", start_stack=0x7FFFFFFF1000),
                  process(0x2000, 4, taken=PROCESS["taken"] + 10**9, start_stack=0x7FFFFFFF1000),
                  process(0x2000, 4, taken=PROCESS["taken"] + 2 * 10**9, start_stack=0x7FFFFFFF0000)],
        "merged": [parts("rw-p", "r--p", seconds=0), parts("rw-p", seconds=1), parts("r--p", "rw-p", seconds=2)],
        "forks": tree([4243, 4244]) + tree([4243, 4244], 1) + tree_that_executed(3, 0x7FFFFFFF1000) +
        tree_that_executed(4, 0x7FFFFFFF0000),
    }


def blamed():
    """The same two pages later, and the fault that copied the first of them."""
    later = two_pages("exclusive present", 0xA00, monotonic=PROCESS["monotonic"] + 10**9, taken=PROCESS["taken"] + 10**9)
    pid, when = later["identity"]["pid"], later["identity"]["monotonic"]
    start, code = later["runs"][0]["start"], [CODE + 0x20, 0, CODE, b"set", b"set.c", 7, 0]
    table = {"watched": [0, when], "lost": 3, "flags": 31, "pid": pid, "objects": [[b"/program", "", CODE, CODE + PAGE, 0]],
             "threads": [[pid, pid, b"main"]], "syscalls": [[0, b"read"]], "code": [code], "events": [], "memory_events": [],
             "faults": [[when, start, CODE + 0x20, pid, pid, [CODE + 0x20], 0, 3, 0]]}
    return dict(later, faults=table)


def half_known():
    """Two processes of a service: how much of the second is in swap nobody knows."""
    made = []
    for pid, swapped in ((501, ("swapped", 0, (1, 77))), (502, ("swapped huge zero", 0, (0, 0)))):
        made.append(snapshot(dict(PROCESS, pid=pid, tgid=pid, comm=b"half"), vmas=[vma(HEAP, HEAP + 0x10000, "rw-p")],
                             runs=[run(HEAP, 1, "present exclusive", pfn=0x8000), run(HEAP + PAGE, 2, *swapped)]))
    return made


def write(folder):
    """Writes everything into the folder; returns {name: path}."""
    paths = {}
    for key, snapshots in models().items():
        paths[key] = os.path.join(folder, key + ".vms")
        with open(paths[key], "wb") as file:
            file.write(file_of(*snapshots)[0])
    with open(os.path.join(folder, "program"), "wb") as file:
        file.write(elffile.program())
    paths["blamed"] = os.path.join(folder, "blamed.vms")
    with open(paths["blamed"], "wb") as file:
        file.write(file_of(two_pages("present", 0x900), blamed())[0])
    return paths


def places():
    """Addresses of which something else is to be told."""
    states = [STATES + index * PAGE for index in range(2 * len(PAGE_STATES) + 1)]
    program = [PROGRAM, PROGRAM + elffile.FUNCTION, PROGRAM + elffile.VARIABLE, PROGRAM + elffile.LABEL]
    stacks = [STACK, STACK_END - 0x800, STACK_END - 0x700, STACK_END - 0x1800, THREAD + 8, THREAD + 0x1800]
    return [hex(at) for at in program + [HEAP + 8] + states + stacks] + ["0", "ffffffffffff0000"]


def damaged():
    """Golden files that open and hold something that does not load, or is lost."""
    kinds = ("good-labels", "good-empty.", "large", "bad-series", "bad-bomb", "bad-two-vmas", "newer", "truncated")
    return sorted(path for kind in kinds for path in glob.glob(os.path.join(GOLDEN, kind + "*.vms")))


def commands(folder, paths):
    """The arguments of each call of the command, without --json."""
    a, b, child, none = (paths[key] for key in ("a", "b", "child", "nobody"))
    first, later, hidden = (paths[key] for key in ("tree", "later", "hidden"))
    root = ("--sysroot", folder)
    calls = [("show", path) for path in paths.values()]
    calls += [("show", os.path.join(GOLDEN, "good-smaps.vms")), ("--version", "--long")]
    calls += [("show", path, "--by", by, *more) for path in (a, none) for by in ("kind", "file")
              for more in ((), ("--perm", "r", "--only", "present"))]
    calls += [(command, os.path.join(GOLDEN, "good-written.vms@1")) for command in ("show", "pages")]
    calls += [("page", os.path.join(GOLDEN, "good-written.vms@1"), "0x55555555E000")]
    calls += [("show", paths["freezes"] + f"@{number}") for number in range(1, 5)]
    swapped = STATES + 2 * PAGE * [flags for flags, _ in PAGE_STATES].index("swapped")
    tables = os.path.join(GOLDEN, "good-kpage.vms@1")
    calls += [("pages", tables), ("page", tables, "0x55555555E000"), ("show", tables), ("show", tables, "--by", "node")]
    dumped = Core()
    dumped.threads = [(1, 0)]
    dumped = dumped.load(HEAP, PAGE, R, bytes(PAGE)).write(os.path.join(folder, "dumped.core"))
    calls += [("pages", dumped), ("page", dumped, hex(HEAP)), ("show", dumped)]
    calls += [("who", os.path.join(GOLDEN, "good-small.vms")), ("who", "pfn:1000", a, b, none), ("who", a, hex(swapped))]
    calls += [("blame", os.path.join(GOLDEN, "good-faults.vms"), "--by", by, *root)
              for by in ("function", "line", "mapping", "variable", "page", "thread", "stack")]
    calls += [("pages", path, *each) for path in (a, none) for each in ((), ("--each",))]
    calls += [("page", a, place, *root) for place in places()]
    calls += [("page", none, hex(STATES + index * PAGE)) for index in range(3)]
    calls += [("page", a, places()[1], "--no-names")]
    small_ones = [f"{paths['small']}@{number}" for number in (1, 2, 3)]
    pairs = [(a, b), (b, a), (a, none), (none, a), (a, a), tuple(small_ones[:2]), tuple(small_ones[1:])]
    calls += [("diff", *pair, *more) for pair in pairs for more in (root, ("--totals",), ("--no-names",))]
    calls += [("diff", "--aslr", *pair, *more) for pair in pairs for more in ((), ("--totals",))]
    calls += [("diff", "--aslr", *(os.path.join(GOLDEN, f"good-{name}.vms") for name in names))
              for names in (("contents-whole", "contents-whole"), ("contents-whole", "contents-hashes"))]
    for key in ("exec", "reused", "shared"):
        calls += [(what, a, paths[key]) for what in ("diff", "cow", "map")]
    families = [(a, child), (a, child, "--base", b), (a, none), (none, a, "--base", none),
                (a, child, "--base", paths["both"] + "@1")]
    calls += [("cow", *family, *more) for family in families for more in (root, ("--totals",), ("--no-names",))]
    calls += [(what, *files) for what in ("map", "status") for files in ((a,), (a, b), (none,), (a, none), (none, a))]
    calls += [(what, *pair, *more) for what in ("diff", "cow") for pair in ((first, later), (first, hidden))
              for more in ((), ("--totals",))]
    calls += [("cow", a, paths["exec_child"])]
    calls += [(what, paths["forked"], paths["executed"]) for what in ("diff", "cow")]
    calls += [("cow", later), ("cow", later, "--base", a), ("diff", first + "@1", later + "@1")]
    calls += [("group", *files, *more) for files in ((first,), (paths["both"],), (first, later), (hidden,), (a, b), (a, child), (none,),
                                                     (paths["forked"], paths["executed"]), (a + "@1", paths["both"]))
              for more in ((), ("--totals",), ("--by", "mapping"), ("--by", "name", *root))]
    chosen = ("--name", "*", "--perm", "r", "--range", f"{STATES:x}+64p")
    calls += [("map", a, b, *chosen), ("map", a, *chosen)]
    calls += [(what, a, *chosen, "--only", "present", "--pfn", "100-600") for what in ("show", "pages")]
    calls += [(what, a, "--only", "present") for what in ("show", "pages", "map")]
    files = list(paths.values()) + damaged()
    calls += [("blame", paths["blamed"], "--by", by, "--long")
              for by in ("function", "line", "mapping", "variable", "page", "thread", "stack")]
    calls += [("diff", paths["blamed"], *more) for more in ((), ("--totals",))]
    calls += [("series", path, *by) for path in files for by in ((), ("--cow",))]
    calls.append(("series", os.path.join(os.path.dirname(GOLDEN), "terminal", "redis.vms"), "--cow"))
    calls += [("series", paths[key], "--by", by) for key in ("grows", "nobody", "forks")
              for by in ("kind", "process", "state")]
    calls += [("page", paths["grows"], hex(at), "--history") for at in (HEAP, HEAP + 3 * PAGE, STATES, 0)]
    return calls + [(what, path) for path in files for what in ("list", "check")]


def library_calls(paths):
    """The arguments of vmsprint.py."""
    files = [paths[key] for key in ("nobody", "a", "b", "exec", "reused")]
    where = [PROGRAM, 0x640000000000, 0] + [STATES + 2 * i * PAGE for i in range(len(PAGE_STATES))]
    calls = [("history", hex(at), *files) for at in where + [HEAP, STACK_END - PAGE]]
    calls += [("written", os.path.join(GOLDEN, name)) for name in ("good-written.vms", "good-small.vms")]
    calls += [("dump", hex(HEAP), hex(HEAP + 3 * PAGE), *files[1:last]) for last in (2, 3)]
    values = ("values", os.path.dirname(paths["a"]), paths["a"], hex(PROGRAM + elffile.VARIABLE))
    return calls + [("history", hex(STATES + PAGE), paths["nobody"]), ("snapshots", *files), values, ("value", *values[1:]),
                    ("blocks", *values[1:3], hex(HEAP))]
