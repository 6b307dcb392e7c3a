"""Golden files with one thing wrong in the payload of one section."""

import vmswrite
from good import FAULTS, HASH_A, HEAP, MEMORY, PAGE_A, with_contents
from cases import Error, file_of, name, opens, run, small, snapshot, thread, variables, vma
from vmswrite import field, layered, numbers, varint, zigzag

SIZE = 4096


def spoiled(name, what, kind, payload, model=None):
    """One snapshot, one section of which has another payload: damage there."""
    data, where = file_of(model or small(), replace={kind: payload})
    return opens("bad-" + name, what, data, [Error("damaged", where[0][kind])])


def snap_with(key, value):
    """The identity of small() with one field's bytes replaced; None: left out."""
    fields = vmswrite.snap_fields(small()["identity"])
    fields[key] = value
    return b"".join(field(k, v) for k, v in fields.items() if v is not None)


def identity():
    whole = vmswrite.snap(small()["identity"])
    rows = [
        ("number-too-long", "a number of 9 bytes", snap_with(8, b"\1" * 9)),
        ("number-zero-ended", "a number with a trailing zero byte", snap_with(2, b"\1\0")),
        ("number-zero-byte", "a 0 of one byte", snap_with(3, b"\0")),
        ("pid-too-large", "a pid of 33 bits", snap_with(2, b"\0\0\0\0\1")),
        ("written-unknown", "written, as nobody knows how to tell", snap_with(46, b"\3")),
        ("freeze-too-large", "a freeze of 33 bits", snap_with(12, b"\1\0\0\0\1")),
        ("no-page-size", "no page size", snap_with(1, None)),
        ("page-size-uneven", "a page size that is no power of two", snap_with(1, b"\0\x30")),
        ("page-size-small", "a page size of 2048", snap_with(1, b"\0\x08")),
        ("page-size-large", "a page size of 2 GiB", snap_with(1, b"\0\0\0\x80")),
        ("page-size-zero", "a page size of 0", snap_with(1, b"")),
        ("field-twice", "a field that comes twice", whole + field(19, b"dog")),
        ("number-twice", "a number that comes twice, both times the same", whole + field(6, b"\x11")),
        ("comm-nul", "a NUL in a name", snap_with(19, b"ca\0t")),
        ("label-nul", "a label that ends in NUL", snap_with(21, b"label\0")),
        ("reason-nul", "a NUL in the reason", snap_with(25, b"a\0b")),
        ("reason-twice", "a reason that comes twice", whole + field(25, b"") + field(25, b"why")),
        ("field-cut", "a field longer than the payload", whole + varint(21) + varint(9) + b"label"),
        ("field-length-huge", "a field of 2^64 - 1 bytes", whole + varint(99) + varint((1 << 64) - 1)),
        ("key-alone", "a key without a length", whole + varint(99)),
        ("key-cut", "half a key", whole + b"\x80"),
        ("freeze-unknown", "a freeze that has no meaning", snap_with(12, b"\4")),
        ("consistent-unknown", "a consistent that is neither 0 nor 1", snap_with(13, b"\2")),
        ("known-unknown", "a bit of known that has no meaning", snap_with(14, b"\x21")),
        ("stack-too-long", "a place of 9 bytes", snap_with(35, b"\1" * 9)),
        ("stack-twice", "a place that comes twice", whole + field(35, b"\1") + field(35, b"\1")),
        ("memory-wide", "a process of 33 bits", snap_with(37, varint(1 << 32))),
        ("memory-sum", "two processes, the second of 33 bits", snap_with(37, varint((1 << 32) - 1) + b"\0")),
        ("memory-cut", "half a number of a process", snap_with(37, b"\1\x80")),
        ("memory-twice", "who has the memory comes twice", whole + field(37, b"") + field(37, b"\1")),
    ]
    return [spoiled("snap-" + name, what, b"SNAP", payload) for name, what, payload in rows]


def vmas_with(**columns):
    return vmswrite.vmas(small()["vmas"], SIZE).put(**columns)


def vmas_counting(*counts):
    table = vmas_with()
    table.counts = counts
    return table


def vmas_claiming(column, length):
    table = vmas_with()
    table.lengths[column] = length
    return table


def vmas_longer():
    table = vmas_with()
    table.tail = b"\0"
    return table


def mappings():
    size = b"\2\5\x21\x21"  # of small(): 2, 5, 33 and 33 pages
    rest = [b"\5", b"\x21", b"\x21"]
    top = (1 << 52) - 1
    rows = [
        ("varint-long", "a varint of 11 bytes", vmas_with(size=layered([b"\x82" + b"\x80" * 9 + b"\0"] + rest))),
        ("varint-padded", "a varint with a needless zero byte", vmas_with(size=layered([b"\x82\0"] + rest))),
        ("varint-wide", "a varint of 10 bytes above 2^64 - 1", vmas_with(size=layered([b"\x80" * 9 + b"\2"] + rest))),
        ("varint-cut", "a column that ends within a varint", vmas_with(size=size[:-1] + b"\xa1")),
        ("column-long", "a column longer than its values", vmas_with(size=size + b"\1")),
        ("column-short", "a column of fewer values", vmas_with(size=size[:-1])),
        ("column-beyond", "a column longer than the payload", vmas_claiming("size", 200)),
        ("column-huge", "a column of 2^64 - 1 bytes", vmas_claiming("name", (1 << 64) - 1)),
        ("count-huge", "2^60 mappings in a few bytes", vmas_counting(1 << 60, 3)),
        ("count-widest", "2^64 - 1 mappings in a few bytes", vmas_counting((1 << 64) - 1, 3)),
        ("count-more", "a mapping more than the columns hold", vmas_counting(5, 3)),
        ("count-less", "a mapping less than the columns hold", vmas_counting(3, 3)),
        ("objects-huge", "2^63 objects in a few bytes", vmas_counting(4, 1 << 63)),
        ("size-zero", "a mapping of no pages", vmas_with(size=b"\2\0\x21\x21")),
        ("permissions", "a permission that has no meaning", vmas_with(permissions=b"\1\x15\3\3")),
        ("object", "an object that is not there", vmas_with(object=b"\0\0\1\3")),
        ("object-huge", "an object of 64 bits", vmas_with(object=numbers([0, 0, 1, (1 << 64) - 1]))),
        ("device-wide", "a device number of 33 bits", vmas_with(device=numbers([8, 1, 0, 1 << 32, 0, 0]))),
        ("above-top", "a mapping that ends at 2^64", vmas_with(size=numbers([2, 5, 33, (1 << 52) - 0x7FFFFFFDE]))),
        ("wrap-gap", "a gap that leads around 2^64", vmas_with(gap=numbers([0x555555554, 0, 3, top]))),
        ("wrap-size", "a size that leads around 2^64", vmas_with(size=numbers([2, 5, 33, (1 << 64) - 1]))),
        ("name-open", "a last name without its NUL", vmas_with(name=b"/usr/bin/cat\0[heap]\0[stack]")),
        ("name-more", "a name more than there are objects", vmas_with(name=b"/usr/bin/cat\0[heap]\0[stack]\0\0")),
        ("build-id-short", "build IDs shorter than their lengths", vmas_with(build_id=b"\1" * 19)),
        ("build-id-long", "build IDs longer than their lengths", vmas_with(build_id=b"\1" * 21)),
        ("build-id-lengths", "a length of a build ID too few", vmas_with(build_id_length=b"\x14\0")),
        ("offset-wide", "an offset of more than 64 bits", vmas_with(offset=b"\0" * 3 + zigzag(1 << 52))),
        ("trailing", "a byte after the last column", vmas_longer()),
        ("cut", "not even two counts", vmas_with()),
    ]
    payloads = {name: table.bytes() for name, _, table in rows}
    payloads["cut"] = b"\4"
    return [spoiled("vmas-" + name, what, b"VMAS", payloads[name]) for name, what, _ in rows]


def pages_with(counts=None, runs=None, tail=b"", **columns):
    """counts: {which of runs, base, states, blocks: another number}."""
    runs = runs or small()["runs"]
    table = vmswrite.pages(runs, SIZE).put(**columns)
    for which, count in (counts or {}).items():
        table.counts["runs base states blocks".split().index(which)] = count
    table.tail = tail
    return table.bytes()


def one_state(flags):
    """small()'s pages with its state 0 (present file pages) made another."""
    return pages_with(states=numbers([flags, 0x102, 0x080]))


def pages_form():
    many = numbers([0x140, 0x102, 0x080] + [1] * 254)
    no_runs = vmswrite.pages([], SIZE, 0x1000).put(states=b"\1")
    no_runs.counts[2] = 1
    return [
        ("no-runs", "no runs", no_runs.bytes()),
        ("many-runs", "65,537 runs", pages_with({"runs": 65537})),
        ("count-more", "a run more than the columns hold", pages_with({"runs": 6})),
        ("count-less", "a run less than the columns hold", pages_with({"runs": 4})),
        ("count-huge", "2^64 - 1 runs", pages_with({"runs": (1 << 64) - 1})),
        ("no-states", "no states", pages_with({"states": 0}, states=b"")),
        ("many-states", "257 states", pages_with({"states": 257}, states=many)),
        ("states-more", "a state more than the column holds", pages_with({"states": 4})),
        ("state-index", "a state that is not there", pages_with(state=b"\0\0\1\2\3")),
        ("state-zero", "a state of no flags", one_state(0)),
        ("state-unknown", "a flag that has no meaning", one_state(0x340)),
        ("state-wide", "a flag of bit 63", one_state(1 << 63 | 0x140)),
        ("present-swapped", "present and swapped at once", one_state(0x180)),
        ("present-guard", "present and guard at once", one_state(0x108)),
        ("guard-swapped", "swapped and guard at once", one_state(0x088)),
        ("gap-wrap", "a gap that leads around 2^64", pages_with(gap=numbers([0, 0, 4, 0, (1 << 64) - 5]))),
        ("length-wrap", "a run of 2^64 pages", pages_with(length=numbers([1, 3, 0, 0, (1 << 64) - 1]))),
        ("base-high", "runs that begin above 2^64", pages_with({"base": (1 << 64) - 1})),
        ("above-top", "a run that ends at 2^64", pages_with({"base": (1 << 52) - 2}, [run(0, 2, "present", pfn=1)])),
        ("trailing", "a byte after the last column", pages_with(tail=b"\0")),
        ("cut", "half a count", b"\x85"),
        ("empty", "no bytes at all", b""),
    ]


def pages_frames():
    """small() has four far frames, in blocks 16, 32, 0x123 and 0, then a near one."""
    one = [run(0x1000, 2, "present", pfn=1)]
    far = [run(0x1000 + 0x2000 * i, 1, "present", pfn=1000 * i) for i in range(11)]
    hidden = [run(0x1000, 1, "present", pfn=0), run(0x3000, 1, "present", pfn=1)]
    first_near = {"head": b"\1", "near": b"\0", "blocks": b"", "far_low": b"", "far_high": b"", "far_frame": b""}
    ninth = {"head": bytes(10) + b"\x09", "near": b"\0", "blocks": b"\0"}
    ninth.update(far_low=bytes(10), far_high=bytes(10), far_frame=bytes(10))
    wide = (1 << 47) - 0x113
    return [
        ("head", "a fifth head of four", pages_with(head=b"\0\0\0\0\5")),
        ("head-none", "near a head where there is none yet", pages_with({"blocks": 0}, one, **first_near)),
        ("head-ninth", "a ninth head", pages_with({"blocks": 1}, far, **ninth)),
        ("head-more", "a head more than there are frames", pages_with(head=b"\0\0\0\0\2\2")),
        ("head-less", "a head less than there are frames", pages_with(head=b"\0\0\0\0")),
        ("near-more", "a near frame more than there are", pages_with(near=b"\0\0")),
        ("near-less", "a near frame less than there are", pages_with(near=b"")),
        ("near-negative", "a near frame below 0", pages_with({}, hidden, near=b"\3")),
        ("blocks-more", "more blocks than far frames", pages_with({"blocks": 5}, blocks=numbers([0, 16, 16, 259, 1]))),
        ("blocks-huge", "2^64 - 1 blocks", pages_with({"blocks": (1 << 64) - 1})),
        ("blocks-less", "a block less than the column holds", pages_with({"blocks": 3})),
        ("blocks-twice", "a block that comes twice", pages_with(blocks=numbers([0, 16, 0, 259]))),
        ("blocks-wrap", "blocks that lead around 2^64", pages_with(blocks=numbers([0, 16, (1 << 64) - 1, 259]))),
        ("blocks-wide", "a block of 48 bits", pages_with(blocks=numbers([0, 16, 16, (1 << 47) - 32]))),
        ("blocks-wide-unused", "a block of 48 bits, of which there is no frame",
         pages_with(blocks=numbers([0, 16, 259, wide]), far_low=b"\1\1\2\0")),
        ("far-block", "a far frame of a block that is not there", pages_with(far_low=b"\1\2\4\0")),
        ("far-block-high", "a far frame of block 257", pages_with(far_high=b"\0\0\1\0")),
        ("far-low-less", "a low byte less than there are far frames", pages_with(far_low=b"\1\2\3")),
        ("far-high-more", "a high byte more than there are far frames", pages_with(far_high=bytes(5))),
        ("far-frame-less", "a far frame less than there are", pages_with(far_frame=b"\0\0\x45")),
    ]


def pages_limits():
    pfn, offset = (1 << 55) - 1, 1 << 50
    return [
        ("pfn-wide", "a PFN of 56 bits", pages_with(runs=[run(0x1000, 1, "present", pfn=pfn + 1)])),
        ("pfn-last-wide", "a last page's PFN of 56 bits", pages_with(runs=[run(0x1000, 2, "present", pfn=pfn)])),
        ("swap-wide", "a swap offset of 51 bits", pages_with(runs=[run(0x1000, 1, "swapped", swap=(1, offset))])),
        ("swap-last-wide", "a last page's swap offset of 51 bits",
         pages_with(runs=[run(0x1000, 2, "swapped", swap=(1, offset - 1))])),
        ("swap-type", "a swap type of 32", pages_with(swap_type=b"\x20")),
        ("swap-type-more", "a swap type more than there are swapped runs", pages_with(swap_type=b"\1\1")),
        ("swap-type-less", "a swap type less than there are swapped runs", pages_with(swap_type=b"")),
    ]


def hidden_frames():
    """Frames where the snapshot says that none were known."""
    model = small(known=["exclusive"])
    return spoiled("page-frames-unknown", "frames though they were not known", b"PAGE", pages_with(), model)


def two_page_sections(name, what, first, second):
    """Two PAGE sections that are right one by one; the second is out of order."""
    where = []

    def write(stream):
        stream.section(b"PAGE", pages_with(runs=first))
        where.append(stream.section(b"PAGE", pages_with(runs=second)))
        return where[0]

    data, _ = file_of(small(), replace={b"PAGE": write})
    return opens("bad-page-" + name, what, data, [Error("damaged", where[0])])


def page_states():
    runs = small()["runs"]
    rows = pages_form() + pages_frames() + pages_limits()
    made = [spoiled("page-" + name, what, b"PAGE", payload) for name, what, payload in rows]
    overlapping = [run(0x555555559000, 2, "present", pfn=5)]
    return made + [
        hidden_frames(),
        two_page_sections("order", "pages of the second section below those of the first", runs[3:], runs[:3]),
        two_page_sections("overlap", "pages of the second section overlap the first's", runs[:2], overlapping),
    ]


def threads_and_smaps():
    too_large = numbers([(1 << 54) + 1, 1, 1, 1])  # KiB, plus 1
    threads = [thread(1, 4096, b"one"), thread(2, 0, b"two")]
    keys = [{"key": b"Rss", "values": [4096, 0, 0, 0]}]
    model = dict(small(), threads=threads, smaps={"keys": keys, "flags": [b"rd"] * 4})

    def thread_table(**columns):
        return vmswrite.threads(threads).put(**columns).bytes()

    def smaps_table(**columns):
        return vmswrite.smaps(model["smaps"], [1]).put(**columns).bytes()

    def two_keys(name):
        twice = [{"key": key, "values": [4096, 0, 0, 0]} for key in (name, b"Pss", name)]
        return vmswrite.smaps(dict(model["smaps"], keys=twice), [1, 1, 1]).bytes()

    values = "values of Rss"
    rows = [
        (b"THRD", "thrd-count-huge", "2^62 threads", varint(1 << 62) + thread_table()[1:]),
        (b"THRD", "thrd-comm-open", "a thread's name without its NUL", thread_table(comm=b"one\0two")),
        (b"THRD", "thrd-comm-less", "a thread without a name", thread_table(comm=b"one\0")),
        (b"THRD", "thrd-tid-wide", "a tid of 33 bits", thread_table(tid=layered([zigzag(1 << 32), zigzag(0)]))),
        (b"THRD", "thrd-tid-negative", "a tid below 0", thread_table(tid=layered([zigzag(1), zigzag(-2)]))),
        (b"THRD", "thrd-trailing", "a byte after the last column", thread_table() + b"\0"),
        (b"SMAP", "smap-unit", "a unit that has no meaning", smaps_table(unit=b"\2")),
        (b"SMAP", "smap-values-less", "a value less than there are mappings", smaps_table(**{values: b"\5\1\1"})),
        (b"SMAP", "smap-values-more", "a value more than there are mappings", smaps_table(**{values: b"\5\1\1\1\1"})),
        (b"SMAP", "smap-value-wide", "a size of 2^64 bytes", smaps_table(**{values: too_large})),
        (b"SMAP", "smap-flags-less", "VmFlags of too few mappings", smaps_table(flags=b"rd\0rd\0rd\0")),
        (b"SMAP", "smap-keys-huge", "2^60 keys", varint(1 << 60) + smaps_table()[1:]),
        (b"SMAP", "smap-key-open", "a key without its NUL", smaps_table(keys=b"Rss")),
        (b"SMAP", "smap-key-twice", "a key that comes twice", two_keys(b"Rss")),
        (b"SMAP", "smap-key-flags", "a key that is VmFlags", smaps_table(keys=b"VmFlags\0")),
        (b"SMAP", "smap-trailing", "a byte after the last column", smaps_table() + b"\0"),
    ]
    return [spoiled(name, what, kind, payload, model) for kind, name, what, payload in rows]


def threads_missed():
    """SNAP tells of threads that THRD does not have: damage there, where they are missed."""
    model = dict(small(), threads=[thread(1, 4096, b"one"), thread(2, 0, b"two")])
    rows = [
        ("none", "the third of two threads was not stopped", b"\2"),
        ("wide", "a position of 33 bits", varint(1 << 32)),
        ("cut", "half a position", b"\0\x80"),
    ]
    made = []
    for name, what, positions in rows:
        snap = vmswrite.snap(model["identity"]) + field(27, positions)
        data, where = file_of(model, replace={b"SNAP": snap})
        made.append(opens("bad-thrd-missed-" + name, what, data, [Error("damaged", where[0][b"THRD"])]))
    return made


def smaps_too_many():
    """Values for more mappings than there are, in a snapshot without any."""
    smaps = {"keys": [{"key": b"Rss", "values": [4096]}], "flags": [b"rd"]}
    model = dict(snapshot(vmas=[vma(0x1000, 0x2000, "r--p")]), smaps=smaps)
    none = vmswrite.vmas([], SIZE).bytes()
    data, where = file_of(model, replace={b"VMAS": none})
    error = Error("damaged", where[0][b"SMAP"])
    return opens("bad-smap-no-vmas", "smaps of mappings that are not there", data, [error])


def names_with(**columns):
    return vmswrite.names(variables()).put(**columns)


def names_counting(count):
    table = names_with()
    table.counts = [count]
    return table


def names_form():
    longer = names_with()
    longer.tail = b"\0"
    function = vmswrite.strings(row["function"] for row in variables())
    rows = [
        ("count-huge", "2^64 - 1 names", names_counting((1 << 64) - 1)),
        ("count-more", "a name more than the columns hold", names_counting(7)),
        ("count-less", "a name less than the columns hold", names_counting(5)),
        ("kind-less", "a kind too few", names_with(kind=b"\4\3\2\0\0")),
        ("kind-more", "a kind too many", names_with(kind=b"\4\3\2\0\0\1\1")),
        ("size-less", "a size too few", names_with(size=numbers([1, 8, 4, 4, 4]))),
        ("frame-padded", "a frame with a needless zero byte", names_with(frame=b"\0\0\0\0\0\x81\0")),
        ("function-open", "a last function without its NUL", names_with(function=function[:-1])),
        ("function-less", "a name without a function", names_with(function=b"\0" * 5)),
        ("symbol-more", "a symbol more than there are names", names_with(symbol=b"a\0" * 7)),
        ("type-nul", "a NUL in a type", names_with(type=b"int\0" * 5 + b"in\0t\0")),
        ("type-none", "no types", names_with(type=b"")),
        ("trailing", "a byte after the last column", longer),
    ]
    payloads = [(named, what, table.bytes()) for named, what, table in rows]
    return payloads + [("cut", "half a count", b"\x80"), ("empty", "no bytes at all", b"")]


def names_values():
    highest = (1 << 64) - 1

    def one(address, size=0):
        return vmswrite.names([name(address, size, "other", b"x")])

    def two(first, second):
        """Each a kind, a tid and a frame, at one address."""
        return vmswrite.names([name(4096, 1, kind, b"x", tid=tid, frame=frame) for kind, tid, frame in (first, second)])

    above = vmswrite.names([name(highest, 0, "other", b"x")] * 2).put(address=numbers([highest, 1]))
    rows = [
        ("kind-unknown", "a kind that has no meaning", names_with(kind=b"\4\3\2\0\0\5")),
        ("kind-high", "kind 255", names_with(kind=b"\xff\3\2\0\0\1")),
        ("address-wide", "an address of 2^64", above),
        ("size-wrap", "a name that ends at 2^64", one(highest, 1)),
        ("size-wide", "the widest name, but not from 0 on", one(1, highest)),
        ("tid-wide", "a tid of 33 bits", names_with(tid=numbers([0, 0, 1 << 32, 1, 1, 1]))),
        ("frame-wide", "a frame of 33 bits", names_with(frame=numbers([0, 0, 0, 0, 0, 1 << 32]))),
        ("order-kind", "kinds out of order", two(("argument", 1, 1), ("local", 2, 2))),
        ("order-tid", "threads out of order", two(("local", 2, 1), ("local", 1, 2))),
        ("order-frame", "frames out of order", two(("local", 1, 1), ("local", 1, 0))),
    ]
    return [(named, what, table.bytes()) for named, what, table in rows]


def debugged():
    model = dict(small(), names=variables())
    return [spoiled("names-" + named, what, b"NAME", payload, model)
            for named, what, payload in names_form() + names_values()]


def written():
    rows = [{"start": 0x1000, "end": 0x3000, "written": 1}, {"start": 0x5000, "end": 0x6000, "written": 2}]
    model = dict(small(written=1, written_since=1), written=rows)

    def table(count=None, tail=b"", **columns):
        made = vmswrite.written(rows, SIZE).put(**columns)
        made.counts = made.counts if count is None else [count]
        made.tail = tail
        return made.bytes()

    highest = (1 << 64) // SIZE - 1
    payloads = [
        ("count-huge", "2^64 - 1 ranges", table(count=(1 << 64) - 1)),
        ("count-more", "a range more than the columns hold", table(count=3)),
        ("count-less", "a range less than the columns hold", table(count=1)),
        ("value-less", "a value too few", table(written=b"\1")),
        ("value-none", "a range that was not written", table(written=b"\0\1")),
        ("value-unknown", "a value that has no meaning", table(written=b"\1\3")),
        ("above-top", "a range that ends at 2^64", table(gap=numbers([1, highest - 3]))),
        ("gap-wrap", "a gap that goes around", table(gap=numbers([1, (1 << 64) - 1]))),
        ("length-wrap", "a length that goes around", table(length=numbers([1, (1 << 64) - 1]))),
        ("trailing", "a byte after the last column", table(tail=b"\0")),
        ("empty", "no bytes at all", b""),
    ]
    made = [spoiled("written-" + named, what, b"WRIT", payload, model) for named, what, payload in payloads]
    data, where = file_of(dict(small(), written=rows))
    error = Error("damaged", where[0][b"WRIT"])
    return made + [opens("bad-written-by-nobody", "written pages that nobody told", data, [error])]


def kernel_tables():
    rows = [[0x1000, 0x3000, 1], [0x5000, 0x6000, 2]]
    both = dict(small(), kpage={"flags": rows, "counts": rows[:1]}, nodes=rows)

    def table(count=None, tail=b"", **columns):
        made = vmswrite.layer(rows, SIZE).put(**columns)
        made.counts = made.counts if count is None else [count]
        made.tail = tail
        return made.bytes()

    highest = (1 << 64) // SIZE - 1
    lists = [
        ("count-huge", "2^64 - 1 ranges", table(count=(1 << 64) - 1)),
        ("count-more", "a range more than the columns hold", table(count=3)),
        ("count-less", "a range less than the columns hold", table(count=1)),
        ("above-top", "a range that ends at 2^64", table(gap=numbers([1, highest - 3]))),
        ("gap-wrap", "a gap that goes around", table(gap=numbers([1, (1 << 64) - 1]))),
        ("length-wrap", "a length that goes around", table(length=numbers([1, (1 << 64) - 1]))),
        ("trailing", "a byte after the last column", table(tail=b"\0")),
        ("empty", "no bytes at all", b""),
    ]
    made = [spoiled("node-" + named, what, b"NODE", payload, both) for named, what, payload in lists]
    made.append(spoiled("node-high", "a node of a higher number than there can be", b"NODE",
                        table(value=numbers([0, 65536])), both))
    made += [spoiled("kpage-" + named, what, b"KPAG", payload and b"\1" + payload, both) for named, what, payload in lists]
    which = [("which-none", "neither flags nor counts", b"\0"), ("which-unknown", "a third table", b"\4" + table()),
             ("which-more", "counts that are not there", b"\3" + table())]
    return made + [spoiled("kpage-" + named, what, b"KPAG", payload, both) for named, what, payload in which]


def dumped():
    rows = [[0x1000, 0x3000, 1], [0x5000, 0x6000, 5]]
    model = dict(small(), dumped=rows)

    def table(count=None, **columns):
        made = vmswrite.layer(rows, SIZE).put(**columns)
        made.counts = made.counts if count is None else [count]
        return made.bytes()

    return [spoiled("dump-" + named, what, b"DUMP", payload, model) for named, what, payload in (
        ("none", "a page that a core file had in no way", table(value=numbers([0, 5]))),
        ("unknown", "a way to have a page that there is not", table(value=numbers([1, 6]))),
        ("count-huge", "2^64 - 1 ranges", table(count=(1 << 64) - 1)),
        ("length-wrap", "a length that goes around", table(length=numbers([1, (1 << 64) - 1]))),
        ("trailing", "a byte after the last column", table() + b"\0"),
        ("empty", "no bytes at all", b""),
    )]


def faulted():
    most = (1 << 64) - 1

    def column(part, name, values):
        return lambda parts: parts[part].put(**{name: numbers(values)})

    def count(part, at, value):
        def spoil(parts):
            parts[part].counts[at] = value

        return spoil

    def put(part, name, payload):
        return lambda parts: parts[part].put(**{name: payload})

    cases = [
        ("end-wrap", "a watch that ends at 2^64", count("head", 1, most)),
        ("flags", "watched in a way that there is not", count("head", 3, 16)),
        ("pid-wide", "of a process of 32 bits", count("head", 4, 1 << 31)),
        ("strings-huge", "2^64 - 1 strings", count("strings", 0, most)),
        ("strings-more", "a string more than there are", count("strings", 0, 11)),
        ("strings-less", "a string less than there are", count("strings", 0, 9)),
        ("strings-open", "a string without its NUL", put("strings", "strings", b"x\0" * 9 + b"y")),
        ("strings-empty", "an empty string", put("strings", "strings", b"x\0" * 9 + b"\0")),
        ("addresses-huge", "2^64 - 1 addresses", count("addresses", 0, most)),
        ("address-twice", "an address that comes twice", column("addresses", "address", [16, 0, 16])),
        ("address-wrap", "addresses that go around", column("addresses", "address", [16, most, 16])),
        ("calls-huge", "2^64 - 1 calls", count("calls", 0, most)),
        ("call-itself", "a call that is its own caller", column("calls", "caller", [1, 1, 0, 2])),
        ("call-before-first", "a caller before the first", column("calls", "caller", [1, 1, 4, 2])),
        ("call-nowhere", "a call at no address", column("calls", "at", [0, 1, 2, 3])),
        ("objects-huge", "2^64 - 1 objects", count("objects", 0, most)),
        ("object-string", "a path that is no string", column("objects", "path", [1, 11])),
        ("object-wrap", "an object that ends above 2^64", column("objects", "size", [1, most])),
        ("build-id-short", "a build ID that is not there", put("objects", "length", b"\x08\1")),
        ("build-id-long", "more of build IDs than there are", put("objects", "length", b"\x07\0")),
        ("threads-huge", "2^64 - 1 threads", count("threads", 0, most)),
        ("threads-same", "a thread that comes twice", put("threads", "thread", layered([zigzag(4711), zigzag(0), zigzag(9)]))),
        ("thread-negative", "a thread below 0", put("threads", "thread", layered([zigzag(-1), zigzag(2), zigzag(9)]))),
        ("thread-wide", "a process of 32 bits", column("threads", "process", [4711, 0, 1 << 31])),
        ("thread-string", "a thread called by no string", column("threads", "name", [1, 1 << 40, 1])),
        ("syscalls-twice", "a system call that comes twice", column("syscalls", "number", [5, 0])),
        ("syscall-wide", "a system call of 32 bits", column("syscalls", "number", [5, 1 << 31])),
        ("code-huge", "2^64 - 1 addresses that are known", count("code", 0, most)),
        ("code-wrap", "known addresses that go around", column("code", "address", [1, 1, most, 0])),
        ("code-same", "one address told twice of one process", column("code", "process", [0, 0, 7, 7])),
        ("code-order", "processes out of order", column("code", "process", [0, 0, 8, 7])),
        ("code-pid-wide", "a process of 32 bits", column("code", "process", [1 << 31, 0, 7, 8])),
        ("code-below", "a function that begins below 0", column("code", "behind", [1 << 60, 0, 0, 0])),
        ("code-line-wide", "a line of 33 bits", column("code", "line", [0, 0, 0, 1 << 32])),
        ("code-object", "an object that there is not", column("code", "object", [0, 0, 0, 3])),
        ("count-huge", "2^64 - 1 faults", count("faults", 0, most)),
        ("count-more", "a fault more than the columns hold", count("faults", 0, 6)),
        ("count-less", "a fault less than the columns hold", count("faults", 0, 4)),
        ("time-wrap", "times that go around", column("faults", "time", [1, most, 0, 0, 0])),
        ("thread-none", "a thread that there is not", column("faults", "thread", [0, 1, 2, 3, 0])),
        ("stack-none", "a stack that there is not", column("faults", "stack", [0, 1, 2, 5, 0])),
        ("kind", "an access that there is not", put("faults", "what", bytes([3, 2, 96, 19, 78]))),
        ("bit", "a bit that has no meaning", put("faults", "what", bytes([3, 2, 96, 19, 201]))),
        ("what-less", "an access that is missing", put("faults", "what", bytes([3, 2, 96, 19]))),
        ("instruction-none", "an instruction that is missing", put("faults", "instruction", b"")),
        ("instruction-more", "an instruction more than there are", put("faults", "instruction", b"\0\0")),
        ("call-wide", "a system call of 33 bits", column("faults", "call", [0, (1 << 31) + 1])),
    ]
    cases += [
        ("events-huge", "2^64 - 1 events", count("events", 0, most)),
        ("event-time-wrap", "times of events that go around", column("events", "time", [1, most])),
        ("event-wide", "a process of 32 bits", column("events", "process", [1 << 31, 1])),
        ("event-child-wide", "a child of 32 bits", column("events", "child", [1 << 31, 1])),
    ]
    model = dict(small(), faults=FAULTS)
    made = [spoiled("faults-" + named, what, b"EVNT", vmswrite.faults(FAULTS, spoil), model) for named, what, spoil in cases]
    whole = vmswrite.faults(FAULTS)
    deep = dict(FAULTS, faults=[[*FAULTS["faults"][0][:2], 7, 4711, 4711, [7] * 513, -1, 0, 0]])
    more = [("trailing", "a byte behind the last column", whole + b"\0"), ("empty", "no bytes at all", b""),
            ("cut", "half of it", whole[: len(whole) // 2]), ("deep", "a stack of 513 calls", vmswrite.faults(deep))]
    return made + [spoiled("faults-" + named, what, b"EVNT", payload, model) for named, what, payload in more]


def of_memory():
    most, told = (1 << 64) - 1, dict(FAULTS, flags=FAULTS["flags"] | 16, memory_events=MEMORY)
    count = len(MEMORY)

    def payload(known=1, events=count, **columns):
        table = vmswrite.memory_events(told).put(**columns)
        table.counts[:] = known, events
        return table.bytes()

    def other(at, which, number):
        """A column in which one event has another number."""
        return numbers(number if row == which else event[at] for row, event in enumerate(MEMORY))

    def one(which, number):
        return numbers(number if row == which else 0 for row in range(count))

    whole = payload()
    cases = [
        ("known", "a bit of what is known that has no meaning", payload(known=2)),
        ("count-huge", "2^64 - 1 events", payload(events=most)),
        ("count-many", "an event more than there may be", payload(events=(1 << 22) + 1)),
        ("count-more", "an event more than the columns hold", payload(events=count + 1)),
        ("count-less", "an event less than the columns hold", payload(events=count - 1)),
        ("time-wrap", "times that go around", payload(time=numbers([1, most, 0, 0, 0, 0]))),
        ("pid-wide", "a process of 32 bits", payload(process=other(1, 2, 1 << 31))),
        ("pid-huge", "a process of 64 bits", payload(process=other(1, 0, most))),
        ("kind", "what does not happen to memory", payload(kind=other(2, 0, 6))),
        ("kind-huge", "what does not happen, of 64 bits", payload(kind=other(2, count - 1, 1 << 63))),
        ("end-wrap", "memory that ends above 2^64", payload(size=one(0, most))),
        ("shared-wide", "the memory of a process of 32 bits", payload(to=other(5, 2, 1 << 31))),
        ("shared-huge", "the memory of a process of 64 bits", payload(to=other(5, 2, most))),
        ("empty", "no bytes at all", b""),
        ("count-none", "no number of events", b"\1"),
        ("cut", "half of it", whole[: len(whole) // 2]),
        ("cut-last", "all but its last byte", whole[:-1]),
        ("trailing", "a byte behind the last column", whole + b"\0"),
    ]
    model = dict(small(), faults=told)
    return [spoiled("faults-memory-" + named, what, b"MEVT", payload, model) for named, what, payload in cases]


def typed():
    w = vmswrite
    number, pointer = w.scalar(w.SIGNED, 4, b"int"), w.scalar(w.POINTER, 8, b"p", 1)
    model = dict(small(), types=w.types([number]))

    def alone(made, *variables, **how):
        return w.types([number, made], variables, **how)

    payloads = [
        ("version", "types of a later time", w.types([number], version=2)),
        ("count-huge", "2^64 - 1 types", w.types([number], count=(1 << 64) - 1)),
        ("count-more", "a type more than there are", w.types([number], count=2)),
        ("count-less", "a type less than there are", w.types([number, number], count=1)),
        ("kind-unknown", "a kind of types that is none", alone(w.scalar(13, 4, b"x"))),
        ("size-odd", "a number of 9 bytes", alone(w.scalar(w.SIGNED, 9, b"x"))),
        ("size-none", "a pointer without a size", alone(w.scalar(w.POINTER, 0, b"x", 0))),
        ("size-wrap", "2^64 - 1 bytes", alone(w.scalar(w.BYTES, (1 << 64) - 1, b"x"))),
        ("itself", "an array of itself", alone(w.scalar(w.ARRAY, 8, b"x", 0, 2))),
        ("later", "an array of what comes later", alone(w.scalar(w.ARRAY, 8, b"x", 1 << 40, 2))),
        ("of-nothing", "an array of elements without a size", w.types([w.scalar(w.BYTES, 0, b""), w.scalar(w.ARRAY, 8, b"x", 1, 8)])),
        ("pointer-beyond", "a pointer to no type", alone(w.scalar(w.POINTER, 8, b"x", 3))),
        ("member-beyond", "a member beyond its end", alone(w.structure(8, b"x", (b"y", 5, 1)))),
        ("member-wrap", "a member that goes around", alone(w.structure(8, b"x", (b"y", (1 << 64) - 1, 1)))),
        ("member-itself", "a struct in itself", alone(w.structure(8, b"x", (b"y", 0, 0)))),
        ("members-many", "more members than a struct may have", alone(w.scalar(w.STRUCT, 8, b"x", 4097) + b"\0")),
        ("bits-many", "a bit-field of 65 bits", alone(w.structure(16, b"x", (b"y", 0, 1, 0, 65)))),
        ("bits-beyond", "a bit-field beyond its end", alone(w.structure(4, b"x", (b"y", 0, 1, 31, 2)))),
        ("bits-wrap", "a bit-field that goes around", alone(w.structure(4, b"x", (b"y", 0, 1, (1 << 64) - 1, 2)))),
        ("words-many", "2^64 - 1 words", alone(w.scalar(w.ENUM, 4, b"x", 0, (1 << 64) - 1))),
        ("name-long", "a name of 1025 bytes", alone(w.scalar(w.SIGNED, 4, b"x" * 1025))),
        ("name-nul", "a name with a NUL", alone(w.scalar(w.SIGNED, 4, b"x\0y"))),
        ("number-padded", "a number in more bytes than it needs", w.types([number])[:-1] + b"\x80\0"),
        ("variable-no-type", "a variable of type 0", alone(pointer, (16, 0, b"v"))),
        ("variable-beyond", "a variable of no type", alone(pointer, (16, 3, b"v"))),
        ("variable-twice", "two variables in one place", alone(pointer, (16, 1, b"v"), (16, 2, b"w"))),
        ("variable-wrap", "a variable that goes around", alone(pointer, ((1 << 64) - 4, 2, b"v"))),
        ("variable-empty", "a variable without a size", w.types([w.scalar(w.BYTES, 0, b"")], [(16, 1, b"v")])),
        ("trailing", "a byte after the last variable", w.types([number]) + b"\0"),
        ("cut", "nothing but a version", b"\1"),
    ]
    return [spoiled("types-" + named, what, b"TYPE", payload, model) for named, what, payload in payloads]


def contents_alone():
    """One snapshot: its HASH is damage."""
    whole = [(HEAP, 1, 1, 0)]
    most = (1 << 64) - 1
    top = (1 << 52) - 1

    def own(runs=whole, **other):
        return vmswrite.hashes([HASH_A], runs, **other)

    rows = [
        ("kind", "contents of a kind that has no meaning", own(kind=3)),
        ("kind-none", "contents of no kind", own(kind=0)),
        ("half-a-hash", "half a hash", vmswrite.hashes([HASH_A[:16]], whole)),
        ("depth", "a base too deep", own(base=[8, 1])),
        ("base-none", "a base where no snapshot is", own(base=[1, 1])),
        ("base-itself", "a base that is the snapshot itself", own(base=[1, 0])),
        ("base-far", "a base 2^60 bytes before", own(base=[1, 1 << 60])),
        ("origin-itself", "an origin that is the snapshot itself", own(origins=[0])),
        ("origin-far", "an origin 2^64 - 1 bytes before", own(origins=[most])),
        ("origin-unknown", "a run of an origin that there is not", own([(HEAP, 1, 2, 0)])),
        ("origin-huge", "a run of origin 2^64 - 1", own([(HEAP, 1, most, 0)])),
        ("above-top", "a run that ends at 2^64", own([(top, 1, 1, 0)])),
        ("gap-wrap", "a gap that leads around 2^64", own([(1, 1, 1, 0), (most - 1, 1, 1, 0)])),
        ("length-wrap", "a length that leads around 2^64", own([(HEAP, most, 1, 0)])),
        ("links-many", "nine links", own(links=b"\x09", bases=[(1, 0)])),
        ("links-more", "links of a page that there is not", own(links=b"\0\0")),
        ("link-itself", "a difference to itself", own(links=b"\1", bases=[(1, 0)])),
        ("link-nothing", "a difference to what nobody knows", own(links=b"\1", bases=[(0, 0)])),
        ("link-unknown", "a difference to a page of no snapshot", own(links=b"\1", bases=[(2, 0)])),
        ("trailing", "a byte after the last column", own() + b"\0"),
        ("cut", "a HASH that ends within its columns", own()[:-3]),
        ("empty", "a HASH of no bytes", b""),
        ("runs-huge", "2^60 runs in a few bytes", vmswrite.hashes([HASH_A])[:-8] + vmswrite.varint(1 << 60)),
        ("block-beside-hashes", "bytes beside a HASH that knows hashes", own(kind=1)),
    ]
    made = []
    for named, what, payload in rows:
        stream = vmswrite.Stream()
        stream.header()
        where = with_contents(stream, small(), payload, PAGE_A)
        made.append(opens("bad-contents-" + named, what, stream.data, [Error("damaged", where[b"HASH"])]))
    for named, what, payload, blocks, kind in (
        ("no-block", "no bytes for its pages", own(), [], b"HASH"),
        ("block-more", "bytes of more pages than there are", own(), [PAGE_A, PAGE_A], b"HASH"),
        ("first-beyond", "a page that it does not have", own([(HEAP, 1, 1, 1)]), [PAGE_A], b"SNAP"),
        ("first-wrap", "a page that is around 2^64", own([(HEAP, 2, 1, -1)]), [PAGE_A], b"SNAP"),
        ("length-huge", "2^51 pages, where there is one", own([(0, 1 << 51, 1, 0)]), [PAGE_A], b"SNAP"),
    ):
        stream = vmswrite.Stream()
        stream.header()
        where = with_contents(stream, small(), payload, *blocks)
        made.append(opens("bad-contents-" + named, what, stream.data, [Error("damaged", where[kind])]))
    stream = vmswrite.Stream()
    stream.header()
    where = with_contents(stream, small(), None, PAGE_A)
    made.append(opens("bad-contents-no-hash", "bytes without a HASH", stream.data,
                      [Error("damaged", where[b"CONT"][0])]))
    return made


def contents_of_two():
    """The second snapshot refers to the first as it must not."""
    hashes_only = vmswrite.hashes([HASH_A], [(HEAP, 1, 1, 0)], kind=1)
    whole = vmswrite.hashes([HASH_A], [(HEAP, 1, 1, 0)])

    def second(depth=0, origin=True, runs=((HEAP, 1, 2, 0),)):
        def make(distance):
            return vmswrite.hashes([], runs, base=[depth, distance] if depth else [],
                                   origins=[distance] if origin else [])

        return make

    rows = [
        ("base-too-deep", "a base whose own depth is not one less", whole, second(depth=2), 1),
        ("base-without", "a base that knows nothing", None, second(depth=1, origin=False, runs=()), 1),
        ("origin-without", "an origin that knows nothing", None, second(), 0),
        ("origin-hashes", "an origin of which only hashes are known", hashes_only, second(), 0),
        ("origin-beyond", "a page that its origin does not have", whole, second(runs=[(HEAP, 1, 2, 1)]), 0),
    ]
    made = []
    for named, what, first, make, of in rows:
        stream = vmswrite.Stream()
        stream.header()
        models = [small(label=b"one"), small(label=b"two")]
        begins = [with_contents(stream, models[0], first, *([PAGE_A] if first is whole else []))[b"SNAP"]]
        begins.append(len(stream.data))
        with_contents(stream, models[1], make(begins[1] - begins[0]))
        made.append(opens("bad-contents-" + named, what, stream.data, [models[0], Error("damaged", begins[of])]))
    return made


def cases():
    made = identity() + mappings() + page_states() + threads_and_smaps() + threads_missed() + [smaps_too_many()]
    return made + debugged() + written() + kernel_tables() + dumped() + typed() + faulted() + of_memory() + contents_alone() + contents_of_two()
