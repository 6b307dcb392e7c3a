"""Sections of a vmsnap file, once inflated, as plain Python values.

Written from docs/format.md alone, section 4.  Names stay bytes.
"""

import itertools
from collections import namedtuple

from vmsbytes import UINT64, Cursor

Field = namedtuple("Field", "name number bits")

# 4.1: key -> field.  A number has as many bits at most.
FIELDS = {
    1: Field("page_size", True, 64),
    2: Field("pid", True, 32),
    3: Field("tgid", True, 32),
    4: Field("ppid", True, 32),
    5: Field("uid", True, 32),
    6: Field("ns_pid", True, 32),
    7: Field("pid_namespace", True, 64),
    8: Field("start_time", True, 64),
    9: Field("taken", True, 64),
    10: Field("monotonic", True, 64),
    11: Field("pause", True, 64),
    12: Field("freeze", True, 2),
    13: Field("consistent", True, 1),
    14: Field("known", True, 5),
    15: Field("boot_id", False, 0),
    16: Field("host", False, 0),
    17: Field("kernel", False, 0),
    18: Field("machine", False, 0),
    19: Field("comm", False, 0),
    20: Field("exe", False, 0),
    21: Field("label", False, 0),
    22: Field("tool", False, 0),
    23: Field("cmdline", False, 0),
    24: Field("exe_build_id", False, 0),
    25: Field("reason", False, 0),
    27: Field("missed", False, 0),
    28: Field("faults", True, 64),
    29: Field("cgroup", False, 0),
    30: Field("machine_hash", False, 0),
    31: Field("page_size_assumed", True, 1),
    32: Field("swap_in_use", True, 64),
    33: Field("smaps_texts", False, 0),
    34: Field("start_code", True, 64),
    35: Field("start_stack", True, 64),
    36: Field("arg_start", True, 64),
    37: Field("memory_with", False, 0),
    40: Field("boottime", True, 64),
    41: Field("page_moves", True, 64),
    42: Field("zero_pfn", True, 64),
    43: Field("build_ids_proved", True, 1),
    44: Field("exclusive_huge", True, 1),
    45: Field("written_since", True, 64),
    46: Field("written", True, 2),
    47: Field("contents_told", True, 3),
    48: Field("contents_told_bytes", True, 64),
    49: Field("kpage_read", True, 64),
    50: Field("source", True, 32),
    51: Field("states_unknown", True, 1),
    52: Field("signal", True, 32),
    55: Field("known_until", True, 64),
    56: Field("executed", True, 2),
}
# Those that are left out of what is read where they say nothing.
SELDOM = ("cgroup", "machine_hash", "page_size_assumed", "build_ids_proved")
KNOWN = ("pfn", "soft_dirty", "exclusive", "zero", "huge")
FLAGS = ("soft_dirty", "exclusive", "uffd_wp", "guard", "zero", "huge", "file", "swapped", "present")
NAME_KINDS = ("local", "argument", "thread_local", "other", "touched")
PFN_BITS = 55
SWAP_OFFSET_BITS = 50


def top(page_size):
    """The highest address at which anything may end."""
    return (1 << 64) - page_size


def names_of_bits(value, names):
    return [name for bit, name in enumerate(names) if value >> bit & 1]


def signed(number):
    return number - (1 << 64) if number >> 63 else number


def read_number(cursor, field, value):
    if len(value) > 8:
        raise cursor.damaged("%s has %d bytes" % (field.name, len(value)))
    if value.endswith(b"\0"):
        raise cursor.damaged("%s has needless zero bytes" % field.name)
    number = int.from_bytes(value, "little")
    if number >> field.bits:
        raise cursor.damaged("%s does not fit in %d bits" % (field.name, field.bits))
    return number


def check_identity(cursor, identity):
    size = identity["page_size"]
    if size is None:
        raise cursor.damaged("no page size")
    if size & (size - 1) or not 4096 <= size <= 1 << 30:
        raise cursor.damaged("a page size of %d" % size)
    for key in [*range(15, 23), 25, 29, 30]:
        if b"\0" in identity[FIELDS[key].name]:
            raise cursor.damaged("a NUL in %s" % FIELDS[key].name)


def process_numbers(where, data):
    """Those of the processes that had the same address space."""
    cursor = Cursor(data, where.offset, "SNAP")
    numbers, last = [], -1
    while cursor.left():
        last += cursor.varint() + 1
        if last >> 32:
            raise cursor.damaged("a number of a process of more than 32 bits")
        numbers.append(last)
    return numbers


def read_snap(data, offset):
    cursor = Cursor(data, offset, "SNAP")
    found = {}
    while cursor.left():
        key = cursor.varint()
        value = cursor.take(cursor.varint())
        if key not in FIELDS:
            continue
        if key in found:
            raise cursor.damaged("%s comes twice" % FIELDS[key].name)
        found[key] = read_number(cursor, FIELDS[key], value) if FIELDS[key].number else value
    identity = {}
    for key, field in FIELDS.items():
        missing = None if key in (1, 23, 24) else 0 if field.number else b""
        identity[field.name] = found.get(key, missing)
    check_identity(cursor, identity)
    if 28 not in found:
        del identity["faults"]  # unknown
    if 32 not in found:
        del identity["swap_in_use"]
    for name in SELDOM:
        if not identity[name]:
            del identity[name]
    for key in (34, 35, 36, 40, 41, 42):
        if not found.get(key):
            del identity[FIELDS[key].name]
    del identity["memory_with"]
    if 37 in found:
        identity["memory_with"] = process_numbers(cursor, found[37])
    for name in ("taken", "monotonic"):
        identity[name] = signed(identity[name])
    identity["known"] = names_of_bits(identity["known"], KNOWN)
    if identity["written"] > 2:
        raise cursor.damaged("written: %d" % identity["written"])
    identity["written_since"] = signed(identity["written_since"])
    identity["kpage_read"] = signed(identity["kpage_read"])
    if identity["contents_told"] > 3:
        raise cursor.damaged("contents_told: %d" % identity["contents_told"])
    for name in ("written", "written_since", "kpage_read", "contents_told", "contents_told_bytes", "source", "states_unknown",
                 "signal", "known_until", "executed"):
        if not identity[name]:
            del identity[name]
    if identity.pop("exclusive_huge"):
        identity["known"].append("exclusive_huge")
    # As for mappings, a build ID of no bytes is an unknown one.
    identity["exe_build_id"] = identity["exe_build_id"].hex() if identity["exe_build_id"] else None
    return identity


def read_objects(cursor, count):
    names = cursor.strings("name", count)
    devices = cursor.varints("device", 2 * count)
    if any(number >> 32 for number in devices):
        raise cursor.damaged("a device number of more than 32 bits")
    differences = cursor.zigzags("inode", count)
    lengths = cursor.bytes("build ID length", count)
    build_ids = Cursor(cursor.bytes("build ID", sum(lengths)), cursor.offset, cursor.what)
    objects = []
    inode = 0
    for index in range(count):
        inode = (inode + differences[index]) & UINT64
        build_id = build_ids.take(lengths[index]).hex() if lengths[index] else None
        device = devices[2 * index : 2 * index + 2]
        objects.append({"device": device, "inode": inode, "name": names[index], "build_id": build_id})
    return objects


def permissions(bits):
    return "".join(letter if bits >> bit & 1 else "-" for bit, letter in enumerate("rwx")) + ("s" if bits & 8 else "p")


def read_vmas(data, offset, page_size):
    cursor = Cursor(data, offset, "VMAS")
    count, object_count = cursor.varint(), cursor.varint()
    objects = read_objects(cursor, object_count)
    gaps = cursor.varints("gap", count)
    sizes = cursor.varints("size", count)
    perms = cursor.bytes("permissions", count)
    indexes = cursor.varints("object", count)
    differences = cursor.zigzags("offset", count)
    cursor.finish()
    vmas = []
    end = 0
    ends = {}  # object -> where in it, in pages, its last VMA ended
    for gap, size, perm, index, difference in zip(gaps, sizes, perms, indexes, differences):
        start = end + gap * page_size
        end = start + size * page_size
        if not size:
            raise cursor.damaged("a VMA of no pages")
        if end > top(page_size):
            raise cursor.damaged("a VMA that ends at 0x%x" % end)
        if perm > 15:
            raise cursor.damaged("unknown permissions 0x%x" % perm)
        if index >= object_count:
            raise cursor.damaged("object %d of %d" % (index, object_count))
        file_offset = (ends.get(index, 0) + difference) & UINT64
        ends[index] = file_offset + size
        if file_offset * page_size > UINT64:
            raise cursor.damaged("an offset above 64 bits")
        vma = {"start": start, "end": end, "perms": permissions(perm), "offset": file_offset * page_size}
        vmas.append(dict(vma, **objects[index]))
    return vmas


def read_states(cursor, count, absent):
    states = cursor.varints("states", count)
    for state in states:
        flags = names_of_bits(state, FLAGS)
        if (not state and not absent) or state >> len(FLAGS):
            raise cursor.damaged("a state of 0x%x" % state)
        if sum(flag in flags for flag in ("guard", "swapped", "present")) > 1:
            raise cursor.damaged("a page that is more than one of guard, swapped and present")
    return [names_of_bits(state, FLAGS) for state in states]


def read_blocks(cursor, count):
    """The blocks of far frames, from the lowest to the highest."""
    blocks = []
    for index, difference in enumerate(cursor.varints("blocks", count)):
        if index and not difference:
            raise cursor.damaged("a block that comes twice")
        blocks.append((blocks[-1] if blocks else 0) + difference)
    if blocks and blocks[-1] >> PFN_BITS - 8:
        raise cursor.damaged("a block of more than %d bits" % (PFN_BITS - 8))
    return blocks


def read_far_frames(cursor, count, block_count):
    blocks = read_blocks(cursor, block_count)
    low = cursor.bytes("far block, low", count)
    high = cursor.bytes("far block, high", count)
    within = cursor.bytes("far frame", count)
    frames = []
    for index in range(count):
        block = low[index] | high[index] << 8
        if block >= block_count:
            raise cursor.damaged("block %d of %d" % (block, block_count))
        frames.append(blocks[block] << 8 | within[index])
    return frames


def follow_heads(cursor, lengths, heads, near, far):
    """The frame of each run that has one, given the numbers of the heads."""
    near, far = iter(near), iter(far)
    latest = []  # heads, the latest first
    frames = []
    for length, head in zip(lengths, heads):
        if head > len(latest):
            raise cursor.damaged("head %d of %d" % (head, len(latest)))
        if head:
            byte = next(near)
            frame = latest.pop(head - 1) + (-(byte + 1) // 2 if byte & 1 else byte // 2)
        else:
            frame = next(far)
        frames.append(frame)
        latest = [frame + length] + latest[:7]
    return frames


def check_frame(cursor, frame, pages, hidden, bits):
    last = frame if hidden else frame + pages - 1
    if frame < 0 or last >> bits:
        raise cursor.damaged("a frame that is not one of %d bits" % bits)


def read_frames(cursor, runs, block_count):
    """Fills in the frames of the runs that have one."""
    heads = cursor.bytes("head", len(runs))
    far_count = heads.count(0)
    if block_count > far_count:
        raise cursor.damaged("%d blocks of %d far frames" % (block_count, far_count))
    near = cursor.bytes("near", len(runs) - far_count)
    far = read_far_frames(cursor, far_count, block_count)
    types = iter(cursor.bytes("swap type", sum("swapped" in run["flags"] for run in runs)))
    for run, frame in zip(runs, follow_heads(cursor, [run["pages"] for run in runs], heads, near, far)):
        if "present" in run["flags"]:
            run["pfn"] = frame
            check_frame(cursor, frame, run["pages"], frame == 0, PFN_BITS)
            continue
        kind = next(types)
        run["swap"] = {"type": kind, "offset": frame}
        check_frame(cursor, frame, run["pages"], frame == kind == 0, SWAP_OFFSET_BITS)
        if kind > 31:
            raise cursor.damaged("swap type %d" % kind)


def read_places(cursor, count, base, states, page_size, floor):
    """The runs without their frames."""
    indexes = cursor.bytes("state", count)
    gaps = cursor.varints("gap", count)
    lengths = cursor.varints("length", count)
    end = base * page_size
    runs = []
    for index, gap, length in zip(indexes, gaps, lengths):
        if index >= len(states):
            raise cursor.damaged("state %d of %d" % (index, len(states)))
        start = end + gap * page_size
        end = start + (length + 1) * page_size
        if start < floor:
            raise cursor.damaged("a run at 0x%x, below the end of the one before" % start)
        if end > top(page_size):
            raise cursor.damaged("a run that ends at 0x%x" % end)
        runs.append({"start": start, "pages": length + 1, "flags": states[index], "pfn": None, "swap": None})
    return runs


def read_pages(data, offset, page_size, pfn_known, floor, absent=False):
    """The runs of one PAGE section; `floor` is where the one before ended.  absent: of a difference, in which runs
    without flags are pages that are gone."""
    cursor = Cursor(data, offset, "PAGE")
    count, base, state_count, block_count = (cursor.varint() for _ in range(4))
    if not 1 <= count <= 65536 or not 1 <= state_count <= 256:
        raise cursor.damaged("%d runs in %d states" % (count, state_count))
    states = read_states(cursor, state_count, absent)
    runs = read_places(cursor, count, base, states, page_size, floor)
    framed = [run for run in runs if pfn_known and ("present" in run["flags"] or "swapped" in run["flags"])]
    read_frames(cursor, framed, block_count)
    cursor.finish()
    return runs


def read_threads(data, offset, missed):
    cursor = Cursor(data, offset, "THRD")
    count = cursor.varint()
    differences = cursor.zigzags("tid", count)
    pointers = cursor.varints("stack pointer", count)
    comms = cursor.strings("comm", count)
    cursor.finish()
    threads = []
    tid = 0
    for difference, pointer, comm in zip(differences, pointers, comms):
        tid = (tid + difference) & UINT64
        if tid >> 32:
            raise cursor.damaged("a tid of more than 32 bits")
        threads.append({"tid": tid, "stack_pointer": pointer, "comm": comm, "missed": False})
    for position in missed_positions(cursor, missed):
        if position >= count:
            raise cursor.damaged("thread %d of %d was not stopped" % (position, count))
        threads[position]["missed"] = True
    return threads


def missed_positions(where, data):
    """Those of the threads that were not stopped with the others, as SNAP tells them."""
    cursor = Cursor(data, where.offset, "THRD")
    position = -1
    while cursor.left():
        gap = cursor.varint()
        if gap >> 32:
            raise cursor.damaged("a gap of more than 32 bits")
        position += gap + 1
        yield position


def smaps_texts(where, data):
    """[position of the cell, text] of each line without a number, as SNAP tells them."""
    cursor = Cursor(data, where.offset, "SMAP")
    position = -1
    while cursor.left():
        position += cursor.varint() + 1
        yield position, cursor.string()


def read_smaps(data, offset, vma_count, texts):
    """Keys with their values in bytes, one for each VMA, None if it has none.  "texts", if there are
    any: what lines have instead, by the position of their cell."""
    cursor = Cursor(data, offset, "SMAP")
    count = cursor.varint()
    keys = cursor.strings("keys", count)
    units = cursor.bytes("unit", count)
    if len(set(keys) | {b"VmFlags"}) <= count:
        raise cursor.damaged("a key that comes twice")
    table = []
    for key, unit in zip(keys, units):
        if unit > 1:
            raise cursor.damaged("unit %d" % unit)
        scale = 1024 if unit else 1
        values = cursor.varints("values", vma_count)
        if any((value - 1) * scale > UINT64 for value in values):
            raise cursor.damaged("a size above 64 bits")
        table.append({"key": key, "values": [(value - 1) * scale if value else None for value in values]})
    flags = cursor.strings("flags", vma_count)
    cursor.finish()
    found = {"keys": table, "flags": flags}
    for position, text in smaps_texts(cursor, texts):
        if position >= vma_count * count or table[position % count]["values"][position // count] is not None:
            raise cursor.damaged("a text of smaps that has no place")
        found.setdefault("texts", []).append([position, text])
    return found


def read_names(data, offset):
    cursor = Cursor(data, offset, "NAME")
    count = cursor.varint()
    differences = cursor.varints("address", count)
    columns = zip(
        itertools.accumulate(differences),
        cursor.varints("size", count),
        cursor.bytes("kind", count),
        cursor.varints("tid", count),
        cursor.varints("frame", count),
        cursor.strings("function", count),
        cursor.strings("symbol", count),
        cursor.strings("type", count),
    )
    cursor.finish()
    names = [check_name(cursor, *row) for row in columns]
    places = [(name["address"], NAME_KINDS.index(name["kind"]), name["tid"], name["frame"]) for name in names]
    if places != sorted(places):
        raise cursor.damaged("names out of order")
    return names


def check_name(cursor, address, size, kind, tid, frame, function, symbol, type_name):
    if kind >= len(NAME_KINDS):
        raise cursor.damaged("kind %d" % kind)
    if tid >> 32 or frame >> 32:
        raise cursor.damaged("a tid or a frame of more than 32 bits")
    if address + size > UINT64:
        raise cursor.damaged("a name above the highest address")
    return {
        "address": address,
        "size": size,
        "kind": NAME_KINDS[kind],
        "tid": tid,
        "frame": frame,
        "function": function,
        "symbol": symbol,
        "type": type_name,
    }


def read_layer(cursor, page_size, most, least=0):
    """[[start, end, value]]: a number for each of some pages."""
    count = cursor.varint()
    columns = zip(*(cursor.varints(name, count) for name in ("gap", "length", "value")))
    ranges, end = [], 0
    for gap, length, value in columns:
        start = end + gap * page_size
        end = start + (length + 1) * page_size
        if end > top(page_size):
            raise cursor.damaged("pages above the highest address")
        if not least <= value <= most:
            raise cursor.damaged("a value of %d" % value)
        if ranges and ranges[-1][1] == start and ranges[-1][2] == value:
            ranges[-1][1] = end
        else:
            ranges.append([start, end, value])
    return ranges


def read_kpage(data, offset, page_size):
    """What the kernel's tables say: {"flags": ranges, "counts": ranges}, or one of these."""
    cursor = Cursor(data, offset, "KPAG")
    which = cursor.varint()
    if not 1 <= which <= 3:
        raise cursor.damaged("which: %d" % which)
    found = {name: read_layer(cursor, page_size, (1 << 64) - 1)
             for bit, name in ((1, "flags"), (2, "counts")) if which & bit}
    cursor.finish()
    return found


def read_nodes(data, offset, page_size):
    cursor = Cursor(data, offset, "NODE")
    found = read_layer(cursor, page_size, 65535)
    cursor.finish()
    return found


def read_dumped(data, offset, page_size):
    cursor = Cursor(data, offset, "DUMP")
    found = read_layer(cursor, page_size, 5, least=1)
    cursor.finish()
    return found


def read_written(data, offset, page_size, who):
    """What the process wrote: ranges of pages, 1: written, 2: maybe."""
    cursor = Cursor(data, offset, "WRIT")
    count = cursor.varint()
    columns = zip(cursor.varints("gap", count), cursor.varints("length", count), cursor.bytes("written", count))
    cursor.finish()
    if not who:
        raise cursor.damaged("nobody told what was written")
    ranges, end = [], 0
    for gap, length, value in columns:
        start = end + gap * page_size
        end = start + (length + 1) * page_size
        if end > top(page_size):
            raise cursor.damaged("written pages above the highest address")
        if value not in (1, 2):
            raise cursor.damaged("written: %d" % value)
        if ranges and ranges[-1]["end"] == start and ranges[-1]["written"] == value:
            ranges[-1]["end"] = end
        else:
            ranges.append({"start": start, "end": end, "written": value})
    return ranges


# What a type's kind says; those with parts have them of types before.
KINDS = ("bytes", "signed", "unsigned", "bool", "char", "uchar", "wide", "float", "enum", "pointer", "struct", "union",
         "array")
SIZES = {"signed": (*range(1, 9), 16), "unsigned": (*range(1, 9), 16), "char": (1,), "uchar": (1,),
         "wide": range(1, 5), "bool": range(1, 9), "enum": range(1, 9), "pointer": range(1, 9), "float": range(1, 17)}
MEMBERS_MAX, NAME_MAX, TYPES_MAX = 4096, 1024, 1 << 24


def read_text(cursor):
    length = cursor.varint()
    found = cursor.take(length) if length <= NAME_MAX else b"\0"
    if b"\0" in found:
        raise cursor.damaged("a name that is none")
    return found


def earlier(cursor, made):
    back = cursor.varint()
    if not 1 <= back <= len(made):
        raise cursor.damaged("a part of a later type")
    return made[-back]


def read_member(cursor, made, size):
    read_text(cursor)
    offset, bits = cursor.varint(), cursor.varint()
    if bits > 64:
        raise cursor.damaged("a bit-field of %d bits" % bits)
    first = cursor.varint() if bits else 0
    part = earlier(cursor, made)
    cursor.take(1)
    end = -(-(first + bits) // 8) if bits else offset + part
    if offset > size or end > size:
        raise cursor.damaged("a member beyond its end")


def read_type(cursor, made, count):
    """Its size."""
    number = cursor.take(1)[0]
    size = cursor.varint()
    read_text(cursor)
    significant = cursor.take(1)[0] if number == KINDS.index("float") else 0
    if number >= len(KINDS):
        raise cursor.damaged("a kind of types that is none")
    kind = KINDS[number]
    if size not in SIZES.get(kind, (size,)) or size >= 1 << 63 or significant > size:
        raise cursor.damaged("%s of %d bytes" % (kind, size))
    if kind == "array":
        element, _ = earlier(cursor, made), cursor.varint()
        if not element:
            raise cursor.damaged("elements without a size")
    elif kind == "pointer" and cursor.varint() > count:
        raise cursor.damaged("a pointer to no type")
    elif kind in ("struct", "union"):
        members = cursor.varint()
        if members > MEMBERS_MAX:
            raise cursor.damaged("%d members" % members)
        for _ in range(members):
            read_member(cursor, made, size)
    elif kind == "enum":
        cursor.take(1)
        words = cursor.varint()
        if words > cursor.left():
            raise cursor.damaged("%d words" % words)
        for _ in range(words):
            read_text(cursor)
            cursor.varint()
    return size


def read_types(data, offset):
    """The section itself, once it is known to be one."""
    cursor = Cursor(data, offset, "TYPE")
    if not data:
        return b""
    if len(data) > TYPES_MAX or cursor.take(1)[0] != 1:
        raise cursor.damaged("no types")
    cursor.take(1)
    count, made = cursor.varint(), []
    if count > cursor.left():
        raise cursor.damaged("%d types" % count)
    for _ in range(count):
        made.append(read_type(cursor, made, count))
    address, variables = 0, cursor.varint()
    if variables > cursor.left():
        raise cursor.damaged("%d variables" % variables)
    for index in range(variables):
        more, number = cursor.varint(), cursor.varint()
        address += more
        if index and not more or address > UINT64 or not 1 <= number <= count:
            raise cursor.damaged("variable %d" % index)
        if not made[number - 1] or address + made[number - 1] > UINT64:
            raise cursor.damaged("variable %d has no size, or goes around" % index)
        read_text(cursor)
    cursor.finish()
    return data
