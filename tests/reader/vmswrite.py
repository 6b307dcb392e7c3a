"""Writes vmsnap files, good ones and deliberately bad ones, for the tests.

Written from docs/format.md alone.  Shares nothing with the reader but the
dictionary, so that the two do not share a misunderstanding in code.
"""

import struct
import zlib

from vmsbytes import dictionary

REQUIRED, DEFLATED = 1, 2

# Section 4.1 of the page: the name of each field in the order of its key.
IDENTITY = (
    "page_size pid tgid ppid uid ns_pid pid_namespace start_time taken monotonic pause freeze consistent known "
    "boot_id host kernel machine comm exe label tool cmdline exe_build_id "
    "reason"
).split()
# Those that came later, which hardly any file has.
LATER = {"cgroup": 29, "machine_hash": 30, "page_size_assumed": 31, "swap_in_use": 32}
PLACES = {34: "start_code", 35: "start_stack", 36: "arg_start"}
KNOWN_BITS = {"pfn": 1, "soft_dirty": 2, "exclusive": 4, "zero": 8, "huge": 16}
FLAG_BITS = {
    "soft_dirty": 0x001,
    "exclusive": 0x002,
    "uffd_wp": 0x004,
    "guard": 0x008,
    "zero": 0x010,
    "huge": 0x020,
    "file": 0x040,
    "swapped": 0x080,
    "present": 0x100,
}
NAME_KINDS = {"local": 0, "argument": 1, "thread_local": 2, "other": 3, "touched": 4}
PERM_BITS = {"r": 1, "w": 2, "x": 4, "s": 8, "p": 0, "-": 0}


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number % 128 + 128)
        number //= 128
    out.append(number)
    return bytes(out)


def zigzag(difference):
    """Of a difference modulo 2**64: the signed one that fits 64 bits."""
    difference %= 1 << 64
    if difference >= 1 << 63:
        difference -= 1 << 64
    return varint(2 * difference if difference >= 0 else -2 * difference - 1)


def varints(values):
    return b"".join(varint(value) for value in values)


def layered(encoded):
    """A column: the first bytes of all numbers, then the second ones, …"""
    longest = max(map(len, encoded), default=0)
    return b"".join(one[place : place + 1] for place in range(longest) for one in encoded)


def numbers(values):
    return layered([varint(value) for value in values])


def differences(values):
    """Zigzags of each value minus the one before, 0 before the first."""
    values = list(values)
    return layered([zigzag(b - a) for a, b in zip([0] + values, values)])


def strings(texts):
    return b"".join(text + b"\0" for text in texts)


def number(value):
    return (value % (1 << 64)).to_bytes(8, "little").rstrip(b"\0")


class Table:
    """Counts, then columns by name, any of which a test may spoil."""

    def __init__(self, counts, columns):
        self.counts = list(counts)
        self.columns = dict(columns)
        self.lengths = {}  # column -> the length to claim for it
        self.tail = b""

    def put(self, **columns):
        self.columns.update(columns)
        return self

    def bytes(self):
        out = varints(self.counts)
        for name, column in self.columns.items():
            out += varint(self.lengths.get(name, len(column))) + column
        return out + self.tail


def field(key, value):
    return varint(key) + varint(len(value)) + value


def snap_fields(identity):
    """{key: bytes as they are stored}, of what is known of a process."""
    stored = {}
    for key, name in enumerate(IDENTITY, 1):
        value = identity.get(name)
        if name == "known":
            value = sum(KNOWN_BITS[word] for word in value if word != "exclusive_huge")
        if name == "exe_build_id" and value is not None:
            value = bytes.fromhex(value)
        if value is None or (value in (0, b"") and name not in ("cmdline", "exe_build_id")):
            continue
        stored[key] = value if isinstance(value, bytes) else number(value)
    if "exclusive_huge" in identity.get("known", ()):
        stored[44] = number(1)
    for name, key in LATER.items():
        value = identity.get(name)
        if value:
            stored[key] = value if isinstance(value, bytes) else number(value)
    for key, name in PLACES.items():
        if identity.get(name):
            stored[key] = number(identity[name])
    for name, key in (("boottime", 40), ("written_since", 45), ("written", 46), ("contents_told", 47), ("contents_told_bytes", 48),
                      ("kpage_read", 49), ("source", 50), ("states_unknown", 51), ("signal", 52), ("known_until", 55), ("executed", 56)):
        if identity.get(name):
            stored[key] = number(identity[name])
    if identity.get("page_moves"):  # what proves moves takes both
        stored[28], stored[41] = number(identity["faults"]), number(identity["page_moves"])
    if identity.get("memory_with") is not None:
        numbers_ = [-1, *identity["memory_with"]]
        stored[37] = varints([b - a - 1 for a, b in zip(numbers_, numbers_[1:])])
    return stored


def snap(identity):
    return b"".join(field(key, value) for key, value in snap_fields(identity).items())


def missed(rows):
    """Which threads were not stopped with the others: field 27, by their positions."""
    positions = [-1] + [position for position, row in enumerate(rows) if row.get("missed")]
    gaps = [b - a - 1 for a, b in zip(positions, positions[1:])]
    return field(27, varints(gaps)) if gaps else b""


def smaps_texts(smaps):
    """What lines of smaps have instead of a number: field 33, by the positions of their cells."""
    last, stored = -1, b""
    for position, text in (smaps or {}).get("texts", []):
        stored += varint(position - last - 1) + text + b"\0"
        last = position
    return field(33, stored) if stored else b""


def vmas(rows, page_size):
    objects, index_of = [], {}
    for row in rows:
        what = (tuple(row["device"]), row["inode"], row["name"], row["build_id"])
        if what not in index_of:
            index_of[what] = len(objects)
            objects.append(what)
    build_ids = [bytes.fromhex(build_id or "") for _, _, _, build_id in objects]
    gaps, sizes, indexes, offsets = [], [], [], []
    end, ends = 0, {}
    for row in rows:
        index = index_of[(tuple(row["device"]), row["inode"], row["name"], row["build_id"])]
        size, offset = (row["end"] - row["start"]) // page_size, row["offset"] // page_size
        gaps.append((row["start"] - end) // page_size)
        sizes.append(size)
        indexes.append(index)
        offsets.append(offset - ends.get(index, 0))
        end, ends[index] = row["end"], offset + size
    return Table(
        [len(rows), len(objects)],
        {
            "name": strings(name for _, _, name, _ in objects),
            "device": numbers(part for device, _, _, _ in objects for part in device),
            "inode": differences(inode for _, inode, _, _ in objects),
            "build_id_length": bytes(map(len, build_ids)),
            "build_id": b"".join(build_ids),
            "gap": numbers(gaps),
            "size": numbers(sizes),
            "permissions": bytes(sum(PERM_BITS[letter] for letter in row["perms"]) for row in rows),
            "object": numbers(indexes),
            "offset": layered(list(map(zigzag, offsets))),
        },
    )


def frame_columns(runs):
    """Of runs that have a frame: near the nearest head if any is near enough."""
    heads, head_column, near, far = [], b"", b"", []
    for run in runs:
        frame = run["swap"]["offset"] if run["swap"] else run["pfn"]
        best = min(heads, key=lambda head: abs(frame - head), default=None)
        if best is not None and -128 <= frame - best <= 127:
            head_column += bytes([heads.index(best) + 1])
            near += bytes([2 * (frame - best) if frame >= best else 2 * (best - frame) - 1])
            heads.remove(best)
        else:
            head_column += b"\0"
            far.append(frame)
        heads = ([frame + run["pages"]] + heads)[:8]
    blocks = sorted({frame // 256 for frame in far})
    indexes = [blocks.index(frame // 256) for frame in far]
    return len(blocks), {
        "head": head_column,
        "near": near,
        "blocks": numbers(b - a for a, b in zip([0] + blocks, blocks)),
        "far_low": bytes(index % 256 for index in indexes),
        "far_high": bytes(index // 256 for index in indexes),
        "far_frame": bytes(frame % 256 for frame in far),
        "swap_type": bytes(run["swap"]["type"] for run in runs if run["swap"]),
    }


def pages(runs, page_size, base=None):
    """One PAGE section; base: the page that it counts from."""
    base = runs[0]["start"] // page_size if base is None else base
    states, gaps, state, end = [], [], b"", base
    for run in runs:
        flags = sum(FLAG_BITS[flag] for flag in run["flags"])
        if flags not in states:
            states.append(flags)
        state += bytes([states.index(flags)])
        gaps.append(run["start"] // page_size - end)
        end = run["start"] // page_size + run["pages"]
    columns = {
        "states": numbers(states),
        "state": state,
        "gap": numbers(gaps),
        "length": numbers(run["pages"] - 1 for run in runs),
    }
    block_count, frames = frame_columns([run for run in runs if run["swap"] or run["pfn"] is not None])
    columns.update(frames)
    return Table([len(runs), base, len(states), block_count], columns)


def threads(rows):
    return Table(
        [len(rows)],
        {
            "tid": differences(row["tid"] for row in rows),
            "stack_pointer": numbers(row["stack_pointer"] for row in rows),
            "comm": strings(row["comm"] for row in rows),
        },
    )


def smaps(table, units):
    """units: the unit of each key, 1 if its values are kept in KiB."""
    scales = [1024 if unit else 1 for unit in units]
    columns = {"keys": strings(row["key"] for row in table["keys"]), "unit": bytes(units)}
    for row, scale in zip(table["keys"], scales):
        stored = (0 if value is None else value // scale + 1 for value in row["values"])
        columns["values of " + row["key"].decode("latin-1")] = numbers(stored)
    columns["flags"] = strings(table["flags"])
    return Table([len(table["keys"])], columns)


def names(rows):
    addresses = [row["address"] for row in rows]
    return Table(
        [len(rows)],
        {
            "address": numbers(b - a for a, b in zip([0] + addresses, addresses)),
            "size": numbers(row["size"] for row in rows),
            "kind": bytes(NAME_KINDS[row["kind"]] for row in rows),
            "tid": numbers(row["tid"] for row in rows),
            "frame": numbers(row["frame"] for row in rows),
            "function": strings(row["function"] for row in rows),
            "symbol": strings(row["symbol"] for row in rows),
            "type": strings(row["type"] for row in rows),
        },
    )


def written(rows, page_size):
    starts, ends = [row["start"] // page_size for row in rows], [row["end"] // page_size for row in rows]
    return Table(
        [len(rows)],
        {
            "gap": numbers(start - end for start, end in zip(starts, [0] + ends)),
            "length": numbers(end - start - 1 for start, end in zip(starts, ends)),
            "written": bytes(row["written"] for row in rows),
        },
    )


def layer(rows, page_size):
    starts, ends = [row[0] // page_size for row in rows], [row[1] // page_size for row in rows]
    return Table(
        [len(rows)],
        {
            "gap": numbers(start - end for start, end in zip(starts, [0] + ends)),
            "length": numbers(end - start - 1 for start, end in zip(starts, ends)),
            "value": numbers(row[2] for row in rows),
        },
    )


def kpage(tables, page_size):
    """KPAG: of {"flags": rows, "counts": rows}, or one of these."""
    which = ("flags" in tables) + 2 * ("counts" in tables)
    rows = [tables[name] for name in ("flags", "counts") if name in tables]
    return varint(which) + b"".join(layer(each, page_size).bytes() for each in rows)


# Kinds of types, by their numbers.
BYTES, SIGNED, UNSIGNED, BOOL, CHAR, UCHAR, WIDE, FLOAT, ENUM, POINTER, STRUCT, UNION, ARRAY = range(13)


def text(name):
    return varints([len(name)]) + name


def scalar(kind, size, name, *more):
    return bytes([kind]) + varints([size]) + text(name) + varints(more)


def enumeration(size, name, *words):
    """words: (name, value), below 0 too."""
    body = b"".join(text(word) + zigzag(value) for word, value in words)
    return scalar(ENUM, size, name, any(value < 0 for _, value in words), len(words)) + body


def structure(size, name, *members, kind=STRUCT):
    """members: (name, offset, how many types before this one its type is), or of a bit-field with its first bit and
    their number behind; of a base class True at the end."""
    body = b""
    for word, offset, back, *rest in members:
        base = bool(rest) and rest[-1] is True
        bits = rest[:2] if len(rest) >= 2 else ()
        body += text(word) + varints([offset, *((bits[1], bits[0]) if bits else (0,)), back, base])
    return scalar(kind, size, name, len(members)) + body


def types(made, variables=(), version=1, flags=0, count=None):
    """made: types as bytes; variables: (address, number of its type from 1 on, name)."""
    body, last = b"", 0
    for address, number, name in variables:
        body += varints([address - last, number]) + text(name)
        last = address
    return bytes([version, flags]) + varints([len(made) if count is None else count]) + b"".join(made) + \
        varints([len(variables)]) + body


def gaps(values):
    values = list(values)
    return numbers(b - a for a, b in zip([0] + values, values))


def fault_parts(table):
    """EVNT as (name, Table), in order, for tests that spoil one of them."""
    objects, threads_, code, rows = (table[name] for name in ("objects", "threads", "code", "faults"))
    texts = {row[0] for row in objects} | {row[2] for row in threads_} | {name for _, name in table["syscalls"]}
    texts = sorted((texts | {row[3] for row in code} | {row[4] for row in code}) - {b""})
    ids = [bytes.fromhex(row[1]) for row in objects]
    addresses = sorted({address for row in rows for address in row[5]})
    calls = {(): 0}  # a stack, innermost first: its number
    for row in rows:
        for length in range(1, len(row[5]) + 1):
            calls.setdefault(tuple(row[5][-length:]), len(calls))
    stacks = list(calls)[1:]
    who = [row[:2] for row in threads_]
    own = [row[2] for row in rows if row[2] != (row[5] or [0])[0]]

    def name(text):
        return texts.index(text) + 1 if text else 0

    def what(row):
        return row[7] | row[8] << 3 | (row[2] != (row[5] or [0])[0]) << 5 | (row[6] != -1) << 6

    begin, end = table["watched"]
    lost = 0 if table["lost"] is None else table["lost"] + 1
    return {
        "head": Table([begin, end - begin, lost, table["flags"] & ~16, table["pid"]], {}),
        "strings": Table([len(texts)], {"strings": strings(texts)}),
        "addresses": Table([len(addresses)], {"address": gaps(addresses)}),
        "calls": Table([len(stacks)], {
            "caller": numbers(calls[stack] - calls[stack[1:]] for stack in stacks),
            "at": numbers(addresses.index(stack[0]) for stack in stacks),
        }),
        "objects": Table([len(objects)], {
            "path": numbers(name(row[0]) for row in objects),
            "length": bytes(map(len, ids)),
            "build_id": b"".join(ids),
            "start": differences(row[2] for row in objects),
            "size": numbers(row[3] - row[2] for row in objects),
            "offset": numbers(row[4] for row in objects),
        }),
        "threads": Table([len(threads_)], {
            "process": gaps(row[0] for row in threads_),
            "thread": differences(row[1] for row in threads_),
            "name": numbers(name(row[2]) for row in threads_),
        }),
        "syscalls": Table([len(table["syscalls"])], {
            "number": gaps(row[0] for row in table["syscalls"]),
            "name": numbers(name(row[1]) for row in table["syscalls"]),
        }),
        "code": Table([len(code)], {
            "address": gaps(row[0] for row in code),
            "process": numbers(row[1] for row in code),
            "behind": numbers(row[0] - row[2] + 1 if row[2] else 0 for row in code),
            "function": numbers(name(row[3]) for row in code),
            "file": numbers(name(row[4]) for row in code),
            "line": numbers(row[5] for row in code),
            "object": numbers(0 if row[6] is None else row[6] + 1 for row in code),
        }),
        "faults": Table([len(rows)], {
            "time": gaps(row[0] for row in rows),
            "address": differences(row[1] for row in rows),
            "thread": numbers(who.index(row[3:5]) for row in rows),
            "stack": numbers(calls[tuple(row[5])] for row in rows),
            "what": bytes(map(what, rows)),
            "instruction": differences(own),
            "call": numbers(max(row[6] + 1, 0) for row in rows if row[6] != -1),
        }),
        "events": Table([len(table["events"])], {
            "time": gaps(row[0] for row in table["events"]),
            "process": numbers(row[1] for row in table["events"]),
            "child": numbers(row[2] for row in table["events"]),
        }),
    }


def memory_events(table):
    """MEVT."""
    rows = table["memory_events"]
    return Table([table["flags"] >> 4 & 1, len(rows)], {
        "time": gaps(row[0] for row in rows),
        "process": numbers(row[1] for row in rows),
        "kind": numbers(row[2] for row in rows),
        "start": differences(row[3] for row in rows),
        "size": numbers(row[4] - row[3] for row in rows),
        "to": numbers(row[5] for row in rows),
    })


def faults(table, spoil=None):
    """spoil: given the parts, may change them."""
    parts = fault_parts(table)
    if spoil:
        spoil(parts)
    return b"".join(part.bytes() for part in parts.values())


def hashes(own, runs=(), kind=2, algorithm=1, base=(), origins=(), links=b"", bases=()):
    """HASH.  runs: (gap, length, origin, first as a difference); base: depth and distance; bases: (origin, page)."""
    column = b"".join(map(bytes.fromhex, own))
    table = varints([algorithm, kind, len(column)]) + column + varints(base or [0])
    return table + Table(
        [len(origins)],
        {
            "origins": numbers(origins),
        },
    ).bytes() + Table(
        [len(runs)],
        {
            "gap": numbers(gap for gap, _, _, _ in runs),
            "length": numbers(length - 1 for _, length, _, _ in runs),
            "origin": numbers(origin for _, _, origin, _ in runs),
            "first": layered([zigzag(first) for _, _, _, first in runs]),
            "links": links,
            "base origins": numbers(origin for origin, _ in bases),
            "base pages": numbers(page for _, page in bases),
        },
    ).bytes()


FINDING = (1, 2, 3, 8, 9, 10, 15, 21)  # fields that the SNAP of a difference has itself


def snap_parts(payload):
    """The fields of a SNAP by which it is found, and the others."""
    finding = others = b""
    while payload:
        key, after = leading_varint(payload)
        length, after = leading_varint(payload, after)
        whole, payload = payload[: after + length], payload[after + length :]
        finding, others = (finding + whole, others) if key in FINDING else (finding, others + whole)
    return finding, others


def leading_varint(data, at=0):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


def steps(base, payload):
    """What both begin and end with is copied."""
    begin = end = 0
    while begin < min(len(base), len(payload)) and base[begin] == payload[begin]:
        begin += 1
    while end < min(len(base), len(payload)) - begin and base[-1 - end] == payload[-1 - end]:
        end += 1
    made = b"" if not begin else varint(0) + varint(begin) + varint(0)
    fresh = payload[begin : len(payload) - end]
    if end:
        return made + varint(len(fresh)) + fresh + varint(end) + zigzag(len(base) - end - begin)
    return made + varint(len(fresh)) + fresh if fresh else made


def patch(kind, payload, made=None, base=b""):
    """payload None: there is no such section any more."""
    if payload is None:
        return kind + varint(0)
    made = steps(base, payload) if made is None else made
    return kind + varint(len(payload) + 1) + varint(len(made)) + made


def delta(distance, crc, patches=(), pages=(), depth=1):
    columns = b"".join(varint(len(page)) + page for page in pages)
    head = varint(depth) + varint(distance) + struct.pack("<I", crc)
    return head + varint(len(patches)) + b"".join(patches) + varint(len(pages)) + columns


def deflate(payload, with_dictionary):
    if not with_dictionary:
        return zlib.compress(payload, 9)
    deflater = zlib.compressobj(9, zdict=dictionary())
    return deflater.compress(payload) + deflater.flush()


class Stream:
    """Bytes of a file as they grow; every method returns where it wrote."""

    def __init__(self):
        self.data = b""
        self.heads = []
        self.begin = 0

    def raw(self, data):
        self.data += data
        return len(self.data) - len(data)

    def header(self, version=1, reserved=0, magic=b"\x89VMS\r\n\x1a\n", crc=None):
        head = magic + struct.pack("<HH", version, reserved)
        return self.raw(head + struct.pack("<I", zlib.crc32(head) if crc is None else crc))

    def section(self, kind, payload, flags=None, raw_length=None, **spoil):
        """spoil: reserved, stored (length), crc, head_crc: other values than the right ones."""
        flags = REQUIRED if flags is None else flags
        raw_length = len(payload) if raw_length is None else raw_length
        crc = spoil.get("crc", zlib.crc32(payload))
        stored = spoil.get("stored", len(payload))
        head = struct.pack("<4sHHQQI", kind, flags, spoil.get("reserved", 0), stored, raw_length, crc)
        head += struct.pack("<I", spoil.get("head_crc", zlib.crc32(head)))
        if kind == b"SNAP" and not self.heads:
            self.begin = len(self.data)
        self.heads.append(head)
        return self.raw(head + payload)

    def deflated(self, kind, payload, with_dictionary=True, flags=REQUIRED):
        return self.section(kind, deflate(payload, with_dictionary), flags | DEFLATED, len(payload))

    def end(self, distance=None, count=None, crc=None, **spoil):
        distance = len(self.data) - self.begin if distance is None else distance
        count = len(self.heads) if count is None else count
        crc = zlib.crc32(b"".join(self.heads)) if crc is None else crc
        where = self.section(b"END ", struct.pack("<QII", distance, count, crc), **spoil)
        self.heads = []
        return where

    def snapshot(self, model, write=None, replace=None):
        """A whole snapshot; returns {type: where}.

        write: how to write each section, e.g. self.deflated.  replace: {type:
        payload, or a function that writes it and says where}; a type that is
        None is left out.
        """
        write = write or self.section
        where = {}
        for kind, payload in sections(model):
            payload = (replace or {}).get(kind, payload)
            if callable(payload):
                where[kind] = payload(self)
            elif payload is not None:
                where[kind] = write(kind, payload)
        where[b"END "] = self.end()
        return where


def sections(model):
    """[(type, payload)] of a snapshot, in the order in which we write them."""
    size = model["identity"]["page_size"]
    made = [
        (b"SNAP", snap(model["identity"]) + missed(model["threads"]) + smaps_texts(model["smaps"])),
        (b"STAT", model["status"]),
        (b"VMAS", vmas(model["vmas"], size).bytes()),
    ]
    if model["runs"]:
        made.append((b"PAGE", pages(model["runs"], size).bytes()))
    if model["threads"]:
        made.append((b"THRD", threads(model["threads"]).bytes()))
    if model["smaps"]:
        units = [row["key"] not in (b"THPeligible", b"ProtectionKey") for row in model["smaps"]["keys"]]
        made.append((b"SMAP", smaps(model["smaps"], list(map(int, units))).bytes()))
    if model["names"]:
        made.append((b"NAME", names(model["names"]).bytes()))
    if model.get("written"):
        made.append((b"WRIT", written(model["written"], size).bytes()))
    if "kpage" in model:
        made.append((b"KPAG", kpage(model["kpage"], size)))
    if "nodes" in model:
        made.append((b"NODE", layer(model["nodes"], size).bytes()))
    if "dumped" in model:
        made.append((b"DUMP", layer(model["dumped"], size).bytes()))
    if model.get("types"):
        made.append((b"TYPE", model["types"]))
    if "faults" in model:
        made.append((b"EVNT", faults(model["faults"])))
        if "memory_events" in model["faults"]:
            made.append((b"MEVT", memory_events(model["faults"]).bytes()))
    return made
