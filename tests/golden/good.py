"""Golden files that a reader must take, and what they hold."""

import vmswrite
from cases import CAT, EMPTY_IDENTITY, PROCESS, file_of, name, opens, refused, run, small, snapshot, thread, variables, vma

TOP = 1 << 64


def good(name, what, *models, **options):
    return opens("good-" + name, what, file_of(*models)[0], list(models), **options)


def deflated(name, what, with_dictionary):
    stream = vmswrite.Stream()
    stream.header()
    model = small()
    stream.snapshot(model, lambda kind, payload: stream.deflated(kind, payload, with_dictionary))
    return opens("good-" + name, what, stream.data, [model])


def plain():
    empty = snapshot(identity=EMPTY_IDENTITY, status=b"")
    return [
        good("small", "one snapshot, nothing is deflated", small()),
        deflated("deflated", "every section is deflated with the dictionary", True),
        deflated("deflated-plainly", "every section is deflated without the dictionary", False),
        good("minimal", "nothing but a page size, an empty status and no mappings", empty),
        good(
            "empty-arguments",
            "the command line is known to be empty",
            snapshot(identity=dict(PROCESS, cmdline=b"", exe_build_id=None)),
        ),
        good(
            "open-argument",
            "a command line that the process overwrote: the last argument has no NUL",
            snapshot(identity=dict(PROCESS, cmdline=b"cat: idle")),
        ),
        good(
            "labels",
            "five snapshots; two of one label, one without, one of digits, one not UTF-8",
            *[small(label=label) for label in (b"before", b"", b"before", b"2", b"caf\xe9")]
        ),
    ]


def scaled(page_size):
    """One process in another page size: a file's tail, a hole, the heap."""
    at = 16 * page_size
    return snapshot(
        identity=dict(PROCESS, page_size=page_size, machine=b"aarch64"),
        vmas=[
            vma(at, at + 3 * page_size, "r-xp", offset=5 * page_size, **CAT),
            vma(at + 8 * page_size, at + 72 * page_size, "rw-p", b"[heap]"),
        ],
        runs=[
            run(at + page_size, 2, "file present", pfn=900),
            run(at + 8 * page_size, 60, "exclusive present", pfn=5000),
        ],
    )


def page_sizes():
    return [
        good("page-16k", "pages of 16 KiB", scaled(1 << 14)),
        good("page-64k", "pages of 64 KiB", scaled(1 << 16)),
        good("page-1g", "the largest page size, 1 GiB", scaled(1 << 30)),
    ]


def forked(page_size, at, huge_pages, machine):
    """A parent and its child on another machine: one huge page of hugetlb, which both
    map, one transparent one, which each has, and of ordinary pages some that the child
    wrote to.  The stack ends below `at`."""
    huge_size = huge_pages * page_size
    huge = -(-at // huge_size) * huge_size
    identity = dict(PROCESS, page_size=page_size, machine=machine, label=b"parent")
    vmas = [
        vma(at - 8 * page_size, at, "rw-p", b"[stack]"),
        vma(huge, huge + 2 * huge_size, "rw-s", b"/anon_hugepage (deleted)", device=(0, 16), inode=77),
        vma(huge + 2 * huge_size, huge + 4 * huge_size, "rw-p", b"[anon: table]"),
    ]
    shared = run(huge, huge_pages, "huge file present", pfn=1 << 20)

    def side(copied, frame, **process):
        """The last `copied` pages of the stack are the process's own."""
        runs = [
            run(at - 6 * page_size, 1, "swapped", swap=(1, 4 + copied)),
            run(at - 5 * page_size, 5 - copied, "present", pfn=0x700),
            run(at - copied * page_size, copied, "soft_dirty exclusive present", pfn=frame) if copied else None,
            shared,
            run(huge + 2 * huge_size, huge_pages, "exclusive huge present", pfn=frame << 16),
        ]
        sizes = [{"key": b"KernelPageSize", "values": [page_size, huge_size, page_size]}]
        return snapshot(
            identity=dict(identity, **process),
            vmas=vmas,
            runs=[one for one in runs if one],
            threads=[thread(process.get("pid", 4242), at - 16, b"cat")],
            smaps={"keys": sizes, "flags": [b"rd wr mr mw me gd ac", b"rd wr sh mr mw me ms ht", b"rd wr hg"]},
            names=[name(at - 8, 8, "local", b"answer", b"main", b"long", process.get("pid", 4242))],
        )

    return [side(0, 0x900), side(2, 0xA00, pid=4243, tgid=4243, ppid=4242, label=b"child")]


def other_machines():
    """The sizes are those of an arm64 that maps blocks of its tables, and of contiguous
    entries of hugetlb; the addresses those of the widest tables, and the highest."""
    arm, x86, s390 = b"aarch64", b"x86_64", b"s390x"
    last_16k, last_64k = TOP - (1 << 14), TOP - (1 << 16)
    highest = snapshot(
        identity=dict(PROCESS, page_size=1 << 16, machine=arm),
        vmas=[vma((1 << 57) - (1 << 16), (1 << 57) + (1 << 16), "rw-p"), vma(last_64k - (3 << 16), last_64k, "rw-p")],
        runs=[
            run((1 << 57) - (1 << 16), 2, "exclusive present", pfn=1),
            run(last_64k - (3 << 16), 1, "swapped", swap=(31, 1)),
            run(last_64k - (2 << 16), 2, "zero present", pfn=2),
        ],
    )
    last = snapshot(
        identity=dict(PROCESS, page_size=1 << 14, machine=arm),
        vmas=[vma(0, 1 << 14, "r--p"), vma(last_16k - (1 << 14), last_16k, "rw-p")],
        runs=[run(last_16k - (1 << 14), 1, "exclusive present", pfn=(1 << 55) - 1)],
    )
    return [
        good("arm64-16k", "pages of 16 KiB, huge ones of 32 MiB; parent and child", *forked(1 << 14, 1 << 47, 2048, arm)),
        good("arm64-64k", "pages of 64 KiB, huge ones of 512 MiB, at 2^51; parent and child",
             *forked(1 << 16, 1 << 51, 8192, arm)),
        good("arm64-64k-contiguous", "pages of 64 KiB, huge ones of 2 MiB; parent and child",
             *forked(1 << 16, 1 << 40, 32, arm)),
        good("x86-64-57-bits", "huge pages of 1 GiB just below and above 2^56; parent and child",
             *forked(4096, (1 << 56) - (1 << 31), 1 << 18, x86)),
        good("s390x-1m", "huge pages of 1 MiB, at 2^63; parent and child", *forked(4096, 1 << 63, 256, s390)),
        good("page-64k-highest", "pages of 64 KiB around 2^57, and up to the last one", highest),
        good("page-16k-highest", "pages of 16 KiB, the first one and up to the last one", last),
    ]


def addresses():
    high = snapshot(
        vmas=[
            vma(0, 0x1000, "r--p", b"[zero page of addresses]"),
            vma(0x01FFFFFFFFFFE000, 0x0200000000001000, "rw-p"),
            vma(0xFFFFFFFFFF600000, 0xFFFFFFFFFF601000, "--xp", b"[vsyscall]"),
            vma(TOP - 0x3000, TOP - 0x1000, "rw-p", b"[last]"),
        ],
        runs=[
            run(0, 1, "present", pfn=1),
            run(0x01FFFFFFFFFFF000, 2, "exclusive present", pfn=2),
            run(TOP - 0x3000, 2, "exclusive present", pfn=9),
        ],
    )
    spread = snapshot(
        vmas=[
            vma(0x10000, 0x11000, "r--p", b"/a", offset=0x7FFFFFFFFFFFF000, device=(8, 1), inode=(1 << 64) - 1),
            vma(0x11000, 0x12000, "r--p", b"/a", offset=0, device=(8, 1), inode=(1 << 64) - 1),
            vma(0x12000, 0x13000, "r--s", b"/b", offset=0xFFFFFFFFFFFFF000, device=(4095, 1048575), inode=0),
            vma(0x13000, 0x14000, "rwxs", b"/b", offset=0x1000, device=(4095, 1048575), inode=1 << 63),
            vma(0x14000, 0x15000, "---p", b"/a", offset=0x2000, device=(8, 1), inode=(1 << 64) - 1),
        ],
        identity=dict(PROCESS, pid=0xFFFFFFFF, uid=0xFFFFFFFF, start_time=(1 << 64) - 1, pause=1 << 63, taken=-1),
    )
    return [
        good("high-addresses", "addresses from 0, of 57 bits, and up to the last page", high),
        good("wide-numbers", "the largest numbers; inodes and offsets that go up and down", spread),
    ]


def frames():
    """Frames in ten sequences at once: near the latest eight, far, and back again."""
    ahead = [0x40000 + 0x1000 * i for i in range(10)]
    order = [0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9, 8, 7, 7, 3, 2, 1, 9, 0]
    runs, start = [], 0x100000
    for step, sequence in enumerate(order):
        pages, away = 1 + step % 3, (0, 127, -128, 1, -1)[step % 5]
        frame = ahead[sequence] + away
        runs.append(run(start, pages, ("present", "exclusive present")[step % 2], pfn=frame))
        ahead[sequence] = frame + pages
        start += (pages + step % 2) * 4096
    runs.append(run(start + 0x1000, 2, "present", pfn=0))
    runs.append(run(start + 0x3000, 1, "swapped", swap=(3, 5)))
    runs.append(run(start + 0x5000, 1, "file present", pfn=0))
    near = snapshot(vmas=[vma(0x100000, 0x200000, "rw-p")], runs=runs)
    scattered = [run(0x100000 + 0x2000 * i, 1, "present", pfn=256 * (i * 37 % 260) + i % 256) for i in range(260)]
    far = snapshot(vmas=[vma(0x100000, 0x400000, "rw-p")], runs=scattered)
    return [
        good("near-frames", "frames near eight heads and far from them, hidden ones between", near),
        good("far-frames", "frames in 260 blocks, so that both bytes of a block's index are used", far),
    ]


def states():
    every = snapshot(
        vmas=[vma(0x100000, 0x200000, "rw-p"), vma(0x200000, 0x800000, "rw-p", b"[heap]")],
        runs=[
            run(0x100000, 1, "zero present", pfn=0x5C00),
            run(0x101000, 1, "exclusive present", pfn=0x777),
            run(0x102000, 2, "guard"),
            run(0x104000, 3, "uffd_wp"),
            run(0x108000, 2, "swapped", swap=(31, 1000)),
            run(0x10A000, 1, "uffd_wp swapped", swap=(0, 3)),
            run(0x10B000, 1, "file swapped", swap=(2, 1)),
            run(0x10C000, 3, "present", pfn=0),
            run(0x10F000, 1, "exclusive swapped", swap=(0, 0)),
            run(0x110000, 1, "soft_dirty exclusive uffd_wp file present", pfn=4),
            run(0x1F0000, 16, "present", pfn=100),
            run(0x200000, 16, "present", pfn=116),
            run(0x400000, 512, "exclusive huge present", pfn=0x80000),
        ],
        identity=dict(PROCESS, known=["pfn", "soft_dirty", "exclusive", "zero", "huge"]),
    )
    hidden = small(known=["exclusive"], uid=65534)
    for hidden_run in hidden["runs"]:
        hidden_run.update(pfn=None, swap=None)
    limits = snapshot(
        vmas=[vma(0x100000, 0x200000, "rw-p")],
        runs=[
            run(0x100000, 2, "present", pfn=(1 << 55) - 2),
            run(0x102000, 1, "present", pfn=1),
            run(0x103000, 2, "swapped", swap=(31, (1 << 50) - 2)),
            run(0x105000, 2, "swapped", swap=(0, 0)),
            run(0x107000, 3, "swapped", swap=(1, 0)),
        ],
    )
    return [
        good("states", "every kind of page: zero, guard, marker, swapped, hidden frame, huge, across mappings", every),
        good("unknown-frames", "captured without privilege: no PFNs, no swap slots", hidden),
        good("frame-limits", "the largest PFN and swap offset", limits),
    ]


def hostile():
    names = [
        b"/tmp/\x1b[2J\x1b]0;title\x07",
        b'/tmp/new\nline "quoted" \\back\\slash',
        b"/tmp/\xff\xfe not UTF-8 \xc3",
        b"/tmp/\xc2\x9b31m \xe2\x80\xae reversed",
        b"/tmp/gone (deleted)",
        b"[anon:\x7f]",
        b"/tmp/\\x1b \\012",
        "/tmp/grün/日本".encode(),
    ]
    rows = [vma(0x10000 + 0x1000 * i, 0x11000 + 0x1000 * i, "rw-p", name) for i, name in enumerate(names)]
    identity = dict(
        PROCESS, comm=b'\x1b[31m"\n', exe=names[2], label=b'\n"}{', host=b"\x9b", cmdline=b"\x1b[H\0\0\xff\0"
    )
    status = b"Name:\t\\n\x1b[1m\nPid:\t1\n\xff\n\nNoColon\n"
    threads = [thread(7, 0, b"\r\x1b[K")]
    model = snapshot(identity, status, rows, [run(0x10000, 8, "exclusive present", pfn=1)], threads)
    return [good("hostile-names", "names with escape sequences, newlines, quotes, invalid UTF-8", model)]


def optional():
    threads = [
        thread(4242, 0x7FFFFFFFE000, b"main"),
        thread(0xFFFFFFFF, 0, b""),
        thread(4243, (1 << 64) - 1, b"worker"),
    ]
    with_threads = dict(small(), threads=threads)
    missed = [thread(tid, 0, b"", tid != 8) for tid in (7, 8, 9, 10)]
    keys = [
        {"key": b"Size", "values": [8192, 20480, 135168, 135168]},
        {"key": b"Rss", "values": [0, 16384, None, (1 << 64) - 1024]},
        {"key": b"THPeligible", "values": [0, 0, 1, None]},
    ]
    smaps = {"keys": keys, "flags": [b"rd mr mw me", b"rd ex mr mw me", b"", b"rd wr mr mw me gd ac"]}
    with_smaps = dict(small(), smaps=smaps)
    return [
        good("threads", "three threads, their numbers far apart and not in order", with_threads),
        good("threads-missed", "threads that were not stopped, the first and the last of four among them",
             dict(small(freeze=3), threads=missed)),
        good("program", "where its program lies", small(start_code=0x555555556000, start_stack=(1 << 64) - 1, arg_start=1)),
        good("executed", "one that has executed nothing, one that has a program, one of which nobody knows",
             small(executed=1), small(executed=2), small()),
        good("memory", "one with no, one with three others that have its memory, one of which nobody knows",
             small(memory_with=[]), small(memory_with=[1, 4243, (1 << 32) - 1]), small()),
        good("smaps", "smaps of four mappings, with lines missing", with_smaps),
        good("threads-and-smaps", "both optional sections", dict(with_smaps, threads=threads)),
    ]


def debugged():
    """What gdb adds."""
    highest = (1 << 64) - 1
    limits = [
        name(0, 0, "local", b""),
        name(0, highest, "local", b""),
        name(0, 1, "local", b"deep", tid=1, frame=(1 << 32) - 1),
        name(0, 0, "local", b"other thread", tid=(1 << 32) - 1, frame=0),
        name(0, 1, "argument", b"a", frame=3),
        name(0, 1, "argument", b"a", frame=3),
        name(0, 1, "touched", b"x"),
        name(highest - 1, 1, "other", b"last byte but one"),
        name(highest, 0, "other", b"last byte"),
    ]
    hostile = [name(4096, 9, "local", b"\x1b[2J\xff\n", b'f<"\\x1b">', b"\xe2\x80\xae []", 7, 1)]
    reason = b"breakpoint 2, copy () at cat.c:17, thread 1"
    return [
        good("names", "names of variables and what a debugger touched", dict(small(), names=variables())),
        good("names-limits", "names in every order that is one, at the highest addresses, twice the same",
             dict(small(), names=limits)),
        good("names-hostile", "names with escape sequences and invalid UTF-8", dict(small(), names=hostile)),
        opens("good-names-none", "a section of names without any",
              file_of(dict(small(), names=limits), replace={b"NAME": vmswrite.names([]).bytes()})[0], [small()]),
        good("reason", "why it was taken", small(reason=reason), small(reason=b"\x1b[1m\n\xff")),
    ]


def tracked():
    """What the process wrote since a snapshot before."""
    heap, stack = 0x55555555E000, 0x7FFFFFFFC000
    ranges = [
        {"start": 0, "end": 4096, "written": 2},
        {"start": heap, "end": heap + 4096, "written": 1},
        {"start": heap + 4096, "end": heap + 8192, "written": 2},
        {"start": stack, "end": stack + 3 * 4096, "written": 1},
        {"start": TOP - 8192, "end": TOP - 4096, "written": 1},
    ]
    soft, uffd = dict(written=1, written_since=98765432000), dict(written=2, written_since=-1)
    none = vmswrite.written([], 4096).bytes()
    return [
        good("written", "pages that were written, and some of which that is not known",
             dict(small(**soft), written=ranges), dict(small(**uffd), written=ranges[1:2])),
        good("written-none", "no page was written", small(**uffd), small(written=1)),
        opens("good-written-empty", "a section of written pages without any",
              file_of(dict(small(**soft), written=ranges), replace={b"WRIT": none})[0], [small(**soft)]),
    ]


def kernel_tables():
    """What the kernel's tables say of frames."""
    heap = 0x55555555E000
    flags = [[heap, heap + 8192, 0x5838], [heap + 8192, heap + 12288, (1 << 64) - 1], [TOP - 8192, TOP - 4096, 0]]
    counts, nodes = [[heap, heap + 4096, 1], [heap + 8192, heap + 12288, 70000]], [[0, 4096, 65535], [heap, heap + 8192, 0]]
    both = dict(small(kpage_read=98765432000), kpage={"flags": flags, "counts": counts}, nodes=nodes)
    parted = dict(small(), kpage={"flags": [[0, 4096, 1], [4096, 8192, 1]]})
    joined = dict(small(), kpage={"flags": [[0, 8192, 1]]})
    return [
        good("kpage", "flags, counts and nodes of pages", both, dict(small(kpage_read=-1), kpage={"flags": flags}),
             dict(small(), kpage={"counts": counts}), dict(small(), nodes=nodes)),
        good("kpage-later", "all flags of a page that is present: those of later kernels, too",
             dict(small(), kpage={"flags": [[heap, heap + 4096, (1 << 64) - 1]]})),
        good("kpage-none", "tables that say nothing of any page", dict(small(), kpage={"flags": [], "counts": []}, nodes=[])),
        opens("good-kpage-parted", "ranges that could be one", file_of(parted)[0], [joined]),
    ]


def typed():
    """Types of variables, as a debugger told them."""
    w = vmswrite
    made = [w.scalar(w.SIGNED, 4, b"int"), w.scalar(w.CHAR, 1, b"char"), w.scalar(w.ARRAY, 16, b"char [16]", 1, 16),
            w.scalar(w.POINTER, 8, b"struct item *", 7), w.scalar(w.FLOAT, 16, b"long double", 10),
            w.enumeration(4, b"enum color", (b"RED", 0), (b"BLUE", -1), (b"GREEN", (1 << 31) - 1)),
            w.structure(48, b"struct item", (b"name", 0, 4), (b"next", 16, 3), (b"color", 24, 1), (b"low", 28, 6, 224, 3),
                     (b"", 32, 2), (b"base", 28, 6, True)),
            w.structure(4, b"union both", (b"whole", 0, 7), (b"first", 0, 6), kind=w.UNION),
            w.scalar(w.BYTES, 0, b""), w.scalar(w.BYTES, (1 << 63) - 1, b"huge"),
            w.scalar(w.ARRAY, 1 << 40, b"struct item [1]", 4, 1 << 60), w.scalar(w.SIGNED, 16, b"__int128"),
            w.scalar(w.BOOL, 1, b"bool"), w.scalar(w.WIDE, 4, b"wchar_t"), w.scalar(w.UCHAR, 1, b"\xff\n\x1b[1m"),
            w.scalar(w.UNSIGNED, 3, b"odd"), w.scalar(w.POINTER, 8, b"void *", 0)]
    variables = [(0x55555555E000, 1, b"counter"), (0x55555555E004, 7, b"shop::items"), (TOP - 64, 3, b"last")]
    return [
        good("types", "types of variables, of every kind, and where globals lie",
             dict(small(), names=variables_of_types(), types=w.types(made, variables)), dict(small(), types=w.types([]))),
        opens("good-types-none", "a section of types without any byte",
              file_of(dict(small(), types=b"x"), replace={b"TYPE": b""})[0], [small()]),
    ]


FAULTS = {
    "watched": [98765000000, 98766000000], "lost": 3, "flags": 9, "pid": 4711,
    "objects": [[b"/usr/bin/cat", "0123456789abcdef", 0x555555556000, 0x55555555B000, 0x2000],
                [b"/lib/libc.so.6", "", 0x7FFFF7DD0000, 0x7FFFF7F20000, 0x26000]],
    "threads": [[4711, 4711, b"cat"], [4711, 4713, b"worker"], [4720, 4720, b""]],
    "syscalls": [[0, b"read"], [257, b"openat"]],
    "code": [[0x555555556100, 0, 0x555555556080, b"main", b"src/cat.c", 101, 0],
             [0x555555556230, 0, 0x555555556200, b"simple_cat", b"src/cat.c", 55, 0],
             [0x7FFFF7DD1000, 0, 0, b"", b"", 0, 1], [0x7FFFF7DD1000, 4720, 0x7FFFF7DD1000, b"jit;\n", b"", 0, None]],
    "faults": [
        [98765000001, 0x55555555E010, 0x555555556230, 4711, 4711, [0x555555556230, 0x555555556100], -1, 3, 0],
        [98765000001, 0x55555555F000, 0x555555556230, 4711, 4713, [0x555555556230, 0x555555556100], -1, 2, 0],
        [98765000900, 0x7FFFF7DD1008, 0x7FFFF7DD1000, 4720, 4720, [], 0, 0, 0],
        [98765400000, 0x55555555E010, 0x555555556230, 4711, 4711, [0x555555556230, 0x7FFFF7DD1000, 0x555555556100], -1, 3, 2],
        [98765400009, 8, 0x555555556100, 4711, 4711, [0x555555556100], 257, 1, 1],
    ],
    "events": [[98765000100, 4711, 4720], [98765000100, 4720, 0]],
}


def faulted():
    """Page faults, and which code they were in."""
    nothing = {"watched": [0, 0], "lost": 0, "flags": 0, "pid": 0, "objects": [], "threads": [], "syscalls": [], "code": [],
               "faults": [], "events": []}
    high, far = (1 << 64) - 1, (1 << 31) - 1
    limits = {
        "watched": [high, high], "lost": None, "flags": 15, "pid": far,
        "objects": [[b"\xff\x1b[1m", "ab" * 255, high, high, high], [b"", "", 0, high, 0]],
        "threads": [[0, 0, b""], [0, far, b"x" * 300], [far, 0, b""], [far, far, b""]],
        "syscalls": [[far, b"last"]],
        "code": [[0, 0, 0, b"", b"", 0, None], [high, far, 1, b"f", b"f", (1 << 32) - 1, 1]],
        "faults": [[0, high, 0, 0, 0, [], -2, 5, 3], [high, 0, high, far, far, [high, 0, high], far, 0, 0],
                   [high, high, 5, far, far, [0] * 512, 0, 1, 1]],
        "events": [[0, 0, far], [high, far, 0]],
    }
    return [
        good("faults", "page faults with stacks, names of code, threads and system calls", dict(small(), faults=FAULTS),
             dict(small(), faults=nothing)),
        good("faults-limits", "page faults at the limits of all numbers", dict(small(), faults=limits)),
    ]


MEMORY = [[98765000002, 4711, 0, 0x55555555E000, 0x55555555F000, 0], [98765000002, 4711, 1, 0x7FFFF7D00000, 0x7FFFF7D80000, 0],
          [98765000100, 4720, 5, 0, 0, 4711], [98765000300, 4711, 2, 0x7FFFF7A00000, 0x7FFFF7A02000, 0x7FFFF7B00000],
          [98765000400, 4711, 3, 0x555555580000, 0x555555580000, 0], [98765000500, 4711, 4, 0x7FFFF7600000, 0x7FFFF7800000, 0]]


def blamed():
    """A process before and after, with the faults that made its pages what they are, and what it gave back and moved."""
    heap, pid, child, at = 0x55555555E000, 4242, 4720, 98765000000
    before = small(monotonic=at)
    after = small(monotonic=at + 900)
    after["runs"] = after["runs"][:2] + [
        run(heap, 1, "exclusive present", pfn=0x22345), run(heap + 4096, 1, "exclusive present", pfn=0x22346),
        run(heap + 2 * 4096, 4, "exclusive present", pfn=0x22400), run(heap + 8 * 4096, 2, "present", pfn=0x33000),
        run(0x7FFFFFFFB000, 1, "exclusive present", pfn=0x34000), *after["runs"][-1:]]
    rows = [[0, pid, 3], [1, pid, 1], [2, pid, 2], [3, child, 2], [4, pid, 2], [5, child, 4], [5, pid, 2], [8, pid, 2], [14, pid, 2]]
    faults = [[at + 100 + 50 * row, heap + page * 4096 + 8, 0x555555556230, whose, whose, [0x555555556230, 0x555555556100], -1, kind, 0]
              for row, (page, whose, kind) in enumerate(rows)]
    memory = [[at + 50, child, 5, 0, 0, pid], [at + 120, pid, 0, heap, heap + 4096, 0], [at + 310, pid, 1, heap + 4 * 4096, heap + 5 * 4096, 0],
              [at + 470, child, 0, heap + 5 * 4096, heap + 6 * 4096, 0], [at + 510, pid, 2, heap + 14 * 4096, heap + 15 * 4096, 0x7FFFFFFFB000],
              [at + 520, pid, 3, heap + 10 * 4096, heap + 10 * 4096, 0], [at + 530, pid, 4, 0x555555400000, 0x555555600000, 0]]
    threads = [[pid, pid, b"cat"], [child, child, b"cat"]]
    after["faults"] = dict(FAULTS, watched=[at - 10, at + 990], lost=0, flags=31, pid=pid, threads=threads, faults=faults,
                           events=[[at + 50, pid, child]], memory_events=memory)
    return good("faults-memory-blamed", "two snapshots of a process, and what happened to its memory in between", before, after)


def of_memory():
    """What became of memory without a fault."""
    high, far = (1 << 64) - 1, (1 << 31) - 1
    told = dict(FAULTS, flags=FAULTS["flags"] | 16, memory_events=MEMORY)
    limits = dict(FAULTS, flags=FAULTS["flags"] | 16, memory_events=[
        [0, 0, 0, 0, high, 0], [0, far, 2, high, high, high], [high, far, 2, 0, 0, 0], [high, far, 5, high, high, far]])
    alone, _ = file_of(dict(small(), faults=told), replace={b"EVNT": None})
    return [
        good("faults-memory", "what became of memory: given back, shared with a child, moved, the end of a heap, huge pages",
             dict(small(), faults=told)),
        good("faults-memory-part", "what became of memory, of which some is missing", dict(small(), faults=dict(FAULTS, memory_events=MEMORY))),
        good("faults-memory-limits", "what became of memory at the limits of all numbers", dict(small(), faults=limits)),
        good("faults-memory-none", "nothing became of memory, and all of it is told", dict(small(), faults=dict(told, memory_events=[]))),
        opens("good-faults-memory-alone", "what became of memory without page faults, which says nothing", alone, [small()]),
        blamed(),
    ]


def variables_of_types():
    names = variables()
    return [dict(name, type=b"int", size=4) for name in names if name["kind"] != "touched"]


def to_skip(*extra):
    """The sections of one snapshot, with others between them."""
    stream = vmswrite.Stream()
    stream.header()
    for kind, payload in vmswrite.sections(small()):
        stream.section(kind, payload)
        for name in extra:
            stream.section(name, b"of a later version", flags=0)
    stream.end()
    return stream.data


def unknown_fields():
    model = small()
    more = vmswrite.field(26, b"\0\0") + vmswrite.field(1 << 63, b"") + vmswrite.field(26, b"again")
    return file_of(model, replace={b"SNAP": more + vmswrite.snap(model["identity"]) + more})[0]


def other_order():
    stream = vmswrite.Stream()
    stream.header()
    smaps = {"keys": [{"key": b"Rss", "values": [4096, 0, None, 0]}], "flags": [b"rd", b"", b"", b"wr"]}
    model = dict(small(), smaps=smaps)
    parts = dict(vmswrite.sections(model))
    for kind in (b"SNAP", b"SMAP", b"PAGE", b"VMAS", b"STAT"):
        stream.section(kind, parts[kind])
    stream.end()
    return opens(
        "good-another-order", "pages and smaps before the mappings, the status last", stream.data, [model]
    )


def several_page_sections():
    stream = vmswrite.Stream()
    stream.header()
    model = small()
    parts = dict(vmswrite.sections(model))
    stream.section(b"SNAP", parts[b"SNAP"])
    for first, last, base in ((0, 2, 0), (2, 3, None), (3, 5, None)):
        stream.section(b"PAGE", vmswrite.pages(model["runs"][first:last], 4096, base).bytes())
    stream.section(b"STAT", parts[b"STAT"])
    stream.section(b"VMAS", parts[b"VMAS"])
    stream.end()
    return opens("good-page-sections", "pages in three sections, one counting from page 0", stream.data, [model])


def not_required():
    stream = vmswrite.Stream()
    stream.header()
    model = small()
    stream.snapshot(model, lambda kind, payload: stream.section(kind, payload, flags=0))
    return opens("good-not-marked", "known sections without the mark *required*", stream.data, [model])


def joined():
    one = file_of(small(label=b"one"), small(label=b"two"))[0]
    other = file_of(scaled(1 << 16))[0]
    empty = file_of()[0]
    models = [small(label=b"one"), small(label=b"two"), scaled(1 << 16)]
    return [
        opens("good-joined", "two files joined", one + other, models),
        opens("good-empty", "a stream without snapshots", empty, []),
        opens("good-joined-with-empty", "joined with empty streams before, between and after",
              empty + one + empty + empty + other + empty, models),
    ]


def large():
    model = snapshot(
        vmas=[vma(0x1000, 0x1000 + (1 << 56), "rw-p")], runs=[run(0x1000, 1 << 44, "exclusive present", pfn=1)]
    )
    return [
        opens("large-run", "one run of 2^44 pages, right by the page; a reader may say that it is too large",
              file_of(model)[0], [model], large=True)
    ]


# XXH3-128, of `xxhsum -H2`: pages of 4096 bytes, and the first with its 101st byte inverted.
PAGE_A, PAGE_B, PAGE_C = b"a" * 4096, b"b" * 4096, b"a" * 100 + b"\x9e" + b"a" * 3995
HASH_A, HASH_B, HASH_C = (
    "e594ed23b869217688a30670e919701e",
    "f4c10b09a4f5a69a0df704f8066c4e09",
    "87b09709f5cba77eb8977701f33da6ac",
)
HEAP = 0x55555555E


def with_contents(stream, model, payload, *blocks):
    """A snapshot with a HASH, and CONTs that are deflated; where its sections are."""
    where = {kind: stream.section(kind, part) for kind, part in vmswrite.sections(model)}
    if payload is not None:
        where[b"HASH"] = stream.section(b"HASH", payload, flags=0)
    where[b"CONT"] = [stream.deflated(b"CONT", block, flags=0) for block in blocks]
    stream.end()
    return where


def contents():
    def made(name, what, *snapshots):
        stream = vmswrite.Stream()
        stream.header()
        models = [small(label=b"%d" % number) for number in range(len(snapshots))]
        offsets = []
        for model, (payload, *blocks) in zip(models, snapshots):
            here = len(stream.data)
            distances = [here - offset for offset in offsets]
            offsets.append(here)
            with_contents(stream, model, payload(distances) if callable(payload) else payload, *blocks)
        return opens("good-contents-" + name, what, stream.data, models)

    first = vmswrite.hashes([HASH_A, HASH_B], [(HEAP, 2, 1, 0), (3, 1, 1, -2)])
    difference = bytes(byte ^ 0x61 for byte in PAGE_C)

    def second(distances):
        # The heap's first page changed a little, of its second nothing is known, and one more is as it was.
        return vmswrite.hashes([HASH_C], [(HEAP, 1, 1, 0), (0, 1, 0, 0), (4, 1, 2, 1)], base=[1, distances[0]],
                               origins=[distances[0]], links=b"\1", bases=[(2, 0)])

    top = (1 << 52) - 2
    return [
        made("whole", "what pages hold: two of them, one at two addresses", (first, PAGE_A + PAGE_B)),
        made("hashes", "only hashes of what pages hold",
             (vmswrite.hashes([HASH_A, HASH_B], [(HEAP, 2, 1, 0)], kind=1),)),
        made("series", "what pages hold, and then what changed of it", (first, PAGE_A + PAGE_B), (second, difference)),
        made("none", "contents of no pages", (vmswrite.hashes([]),)),
        made("highest", "contents of the highest page that there can be, and of the first",
             (vmswrite.hashes([HASH_A], [(0, 1, 1, 0), (top - 1, 1, 1, -1)]), PAGE_A)),
        made("newer", "contents with hashes of a later time: nothing is known", (b"\2what is this", b"x" * 8192)),
    ]


def cases():
    made = plain() + page_sizes() + other_machines() + addresses() + frames() + states() + hostile() + optional() + debugged()
    made += tracked() + kernel_tables() + typed() + contents() + faulted() + of_memory()
    made += [
        opens("good-unknown-section", "unknown optional sections, to be skipped",
              to_skip(b"XTRA", b"\x00~ z"), [small()]),
        opens("good-reserved-sections", "sections reserved for later, to be skipped",
              to_skip(b"NOTE", b"NOTE"), [small()]),
        opens("good-unknown-field", "unknown fields of the identity, one of them twice", unknown_fields(), [small()]),
        other_order(),
        several_page_sections(),
        not_required(),
    ]
    return made + joined() + large()


def not_ours():
    return [
        refused("not-empty-file", "no bytes at all", b"", "not_snapshot", 0),
        refused("not-text", "a text", b"address           perms offset\n", "not_snapshot", 0),
        refused("not-gzip", "gzip's magic", b"\x1f\x8b\x08\0\0\0\0\0\0\3" + bytes(40), "not_snapshot", 0),
        refused("not-short", "three bytes that are not the beginning of the magic", b"VMS", "not_snapshot", 0),
        refused("not-newline", "the magic as a text transfer leaves it",
                b"\x89VMS\n\x1a\n" + file_of(small())[0][8:], "not_snapshot", 0),
    ]
