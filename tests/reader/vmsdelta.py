"""Snapshots that are stored as what differs from an earlier one: DELT of a vmsnap file.

Written from docs/format.md alone, section 4.14.
"""

import struct
from collections import namedtuple

import vmsfile
import vmspayload
from vmsbytes import Cursor, Damaged, TooLarge

DEPTH_MOST = 128
FINDING = (1, 2, 3, 8, 9, 10, 15, 21)  # fields that are in SNAP itself
PATCHED = (b"SNAP", b"STAT", b"VMAS", b"THRD", b"SMAP", b"NAME", b"WRIT", b"KPAG", b"NODE", b"DUMP", b"TYPE",
           b"EVNT", b"MEVT")

Delta = namedtuple("Delta", "offset depth distance crc patches pages")
Patch = namedtuple("Patch", "type length steps")


def read_delta(payload, offset):
    cursor = Cursor(payload, offset, "DELT")
    depth = cursor.varint()
    if not 0 < depth <= DEPTH_MOST:
        raise cursor.damaged("%d differences" % depth)
    distance = cursor.varint()
    (crc,) = struct.unpack("<I", cursor.take(4))
    count = cursor.varint()
    if count > cursor.left():
        raise cursor.damaged("%d patches" % count)
    patches = [read_patch(cursor) for _ in range(count)]
    count = cursor.varint()
    if count > cursor.left():
        raise cursor.damaged("%d sections of pages" % count)
    pages = [cursor.take(cursor.varint()) for _ in range(count)]
    cursor.finish()
    return Delta(offset, depth, distance, crc, patches, pages)


def read_patch(cursor):
    kind, length = cursor.take(4), cursor.varint()
    return Patch(kind, length - 1, cursor.take(cursor.varint())) if length else Patch(kind, None, b"")


def apply(patch, base, offset):
    cursor = Cursor(patch.steps, offset, "DELT, steps of %r" % patch.type)
    made, behind = bytearray(), 0
    while len(made) < patch.length:
        made += cursor.take(cursor.varint())
        if len(made) > patch.length:
            raise cursor.damaged("more bytes than there are")
        if len(made) == patch.length:
            break
        count, distance = cursor.varint(), cursor.varint()
        begin = (behind + (-(distance + 1) // 2 if distance & 1 else distance // 2)) % (1 << 64)
        behind = begin + count
        if not count or count > patch.length - len(made) or behind > len(base):
            raise cursor.damaged("a copy of what is not there")
        made += base[begin:behind]
    cursor.finish()
    return bytes(made)


def other_fields(snap, offset):
    cursor, others = Cursor(snap, offset, "SNAP"), b""
    while cursor.left():
        begin = cursor.pos
        key = cursor.varint()
        cursor.take(cursor.varint())
        if key not in FINDING:
            others += snap[begin : cursor.pos]
    return others


class Chain:
    """From a snapshot down to one that is whole."""

    def __init__(self, file, index):
        self.file = file
        self.room = file.limit
        self.starts = {entry.offset: number for number, entry in enumerate(file.entries)}
        self.links = []
        while True:
            entry = file.entries[index]
            found = {kind: (payload, offset) for kind, offset, payload in reversed(file.payloads(entry))}
            if self.links:
                self.check_link(entry, found)
            if b"DELT" not in found:
                break
            self.links.append(read_delta(*found[b"DELT"]))
            if len(self.links) == 1:
                self.snap = found[b"SNAP"]
            index = self.base_of(entry, self.links[-1])
        self.whole, self.whole_entry = found, entry

    def base_of(self, entry, link):
        begin = entry.offset - link.distance
        if not link.distance or begin not in self.starts:
            raise Damaged(link.offset, "DELT: no snapshot where its base should be")
        base = self.file.entries[self.starts[begin]]
        crc = vmsfile.read_end(self.file.data, vmsfile.section_at(self.file.data, base.end))[2]
        if crc != link.crc:
            raise Damaged(link.offset, "DELT: its base is another snapshot")
        return self.starts[begin]

    def check_link(self, entry, found):
        depth = read_delta(*found[b"DELT"]).depth if b"DELT" in found else 0
        if depth + 1 != self.links[-1].depth:
            raise Damaged(found[b"DELT"][1] if depth else self.links[-1].offset, "DELT: a depth that does not fit")

    def payloads(self):
        """All that are not pages, as they would be found in a whole snapshot."""
        made = {kind: self.whole[kind][0] for kind in PATCHED if kind in self.whole}
        made[b"SNAP"] = other_fields(*self.whole[b"SNAP"])
        for link in reversed(self.links):
            for patch in link.patches:
                if patch.type not in PATCHED:
                    continue
                if patch.length is None:
                    made.pop(patch.type, None)
                    continue
                self.room -= patch.length
                if self.room < 0:
                    raise TooLarge(link.offset, "more than %d bytes" % self.file.limit)
                made[patch.type] = apply(patch, made.get(patch.type, b""), link.offset)
        found = {kind: (payload, self.links[0].offset) for kind, payload in made.items()}
        other_fields(*self.snap)  # it is whole without what is put behind it
        found[b"SNAP"] = (self.snap[0] + made.get(b"SNAP", b""), self.snap[1])
        for needed in (b"STAT", b"VMAS"):
            if needed not in found:
                raise Damaged(self.snap[1], "a snapshot without %s" % needed.decode())
        return found

    def check_whole(self, identity):
        other = vmspayload.read_snap(*self.whole[b"SNAP"])
        same = all(identity[name] == other[name] for name in ("page_size", "boot_id"))
        if not same or ("pfn" in identity["known"]) != ("pfn" in other["known"]):
            raise Damaged(self.links[0].offset, "DELT: a difference to one of another boot or kind")

    def runs(self, size, pfn_known):
        """The whole one's, and over them those of each difference, from the oldest to the newest."""
        layers = [[(payload, offset) for kind, offset, payload in self.file.payloads(self.whole_entry)
                   if kind == b"PAGE"]]
        layers += [[(page, link.offset) for page in link.pages] for link in reversed(self.links)]
        runs = []
        for number, pages in enumerate(layers):
            own = []
            for payload, offset in pages:
                floor = own[-1]["start"] + own[-1]["pages"] * size if own else 0
                own += vmspayload.read_pages(payload, offset, size, pfn_known, floor, absent=number > 0)
            runs = lay_over(runs, own, size)
        return [run for run in runs if run["flags"]]


def cut(run, begin, end, size):
    """What of a run lies between two addresses; None: nothing."""
    begin, end = max(begin, run["start"]), min(end, run["start"] + run["pages"] * size)
    if begin >= end:
        return None
    part = dict(run, start=begin, pages=(end - begin) // size)
    skipped, swap = (begin - run["start"]) // size, run["swap"]
    if run["pfn"]:
        part["pfn"] = run["pfn"] + skipped
    if swap and (swap["offset"] or swap["type"]):
        part["swap"] = dict(swap, offset=swap["offset"] + skipped)
    return part


def lay_over(low, high, size):
    below, at, made = list(reversed(low)), 0, []
    for run in high:
        begin, end = run["start"], run["start"] + run["pages"] * size
        while below and below[-1]["start"] < begin:
            part = cut(below[-1], at, begin, size)
            made += [part] if part else []
            if below[-1]["start"] + below[-1]["pages"] * size > begin:
                break
            below.pop()
        made.append(run)
        at = end
        while below and below[-1]["start"] + below[-1]["pages"] * size <= end:
            below.pop()
    made += [part for part in (cut(run, at, 1 << 64, size) for run in reversed(below)) if part]
    return made
