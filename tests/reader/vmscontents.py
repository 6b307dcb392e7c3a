"""What pages hold: HASH and CONT of a vmsnap file.

Written from docs/format.md alone, sections 4.9 and 4.10.  Hashes are not made here: whoever knows what a
page held compares that.
"""

from collections import namedtuple

import vmsfile
import vmspayload
from vmsbytes import Cursor, Damaged

BLOCK = 64 * 1024
HASH_SIZE = 16
LINKS_MOST, DEPTH_MOST = 8, 7

Table = namedtuple("Table", "page_size bytes_known hashes depth base origins runs links bases blocks")


class Contents:
    """Of a whole file."""

    def __init__(self, file):
        self.file = file
        self.tables = {}
        self.starts = {entry.offset: index for index, entry in enumerate(file.entries)}

    def before(self, cursor, index, distance):
        offset = self.file.entries[index].offset - distance
        if not distance or offset not in self.starts:
            raise cursor.damaged("no snapshot %d bytes before" % distance)
        return self.starts[offset]

    def table(self, index):
        """None: nothing is known of what its pages hold."""
        if index not in self.tables:
            self.tables[index] = self.read_table(index)
        return self.tables[index]

    def read_table(self, index):
        hash_payload, blocks = None, []
        for section in self.file.sections(self.file.entries[index]):
            if section.type not in (b"HASH", b"CONT"):
                continue
            if section.type == b"CONT":
                blocks.append(section)
            else:
                hash_payload = (self.payload(section), section.offset)
        if not hash_payload and blocks:
            raise Damaged(blocks[0].offset, "bytes without a HASH")
        if not hash_payload:
            return None
        cursor = Cursor(*hash_payload, "HASH")
        if cursor.varint() != 1:
            return None
        return self.columns(cursor, index, blocks)

    def payload(self, section):
        payload = vmsfile.stored_payload(self.file.data, section)
        return vmsfile.inflate(section, payload) if section.flags & vmsfile.DEFLATED else payload

    def page_size(self, index):
        first = self.file.sections(self.file.entries[index])[0]
        return vmspayload.read_snap(self.payload(first), first.offset)["page_size"]

    def columns(self, cursor, index, blocks):
        page_size = self.page_size(index)
        kind = cursor.varint()
        if kind not in (1, 2) or page_size > BLOCK:
            raise cursor.damaged("neither hashes nor bytes, or pages too large")
        joined = cursor.take(cursor.varint())
        if len(joined) % HASH_SIZE:
            raise cursor.damaged("half a hash")
        hashes = [joined[at : at + HASH_SIZE] for at in range(0, len(joined), HASH_SIZE)]
        depth = cursor.varint()
        if depth > DEPTH_MOST:
            raise cursor.damaged("too deep")
        base = self.before(cursor, index, cursor.varint()) if depth else None
        origins = [self.before(cursor, index, distance) for distance in cursor.varints("origins", cursor.varint())]
        runs = self.runs(cursor, page_size, len(origins))
        links = cursor.take(cursor.varint()) or bytes(len(hashes))
        if len(links) != len(hashes) or max(links, default=0) > LINKS_MOST:
            raise cursor.damaged("links that do not fit")
        linked = [page for page, count in enumerate(links) if count]
        bases = dict(zip(linked, zip(cursor.varints("base origins", len(linked)), cursor.varints("base pages", len(linked)))))
        for page, (origin, other) in bases.items():
            if not 0 < origin < len(origins) + 2 or (origin == 1 and other >= page):
                raise cursor.damaged("a difference to no page")
        if cursor.left():
            raise cursor.damaged("more than its columns")
        each = BLOCK // page_size
        if len(blocks) != (-(-len(hashes) // each) if kind == 2 else 0):
            raise cursor.damaged("%d blocks for %d pages" % (len(blocks), len(hashes)))
        return Table(page_size, kind == 2, hashes, depth, base, origins, runs, links, bases, blocks)

    @staticmethod
    def runs(cursor, page_size, origins):
        count = cursor.varint()
        gaps, lengths, whose = (cursor.varints(name, count) for name in ("gap", "length", "origin"))
        firsts = cursor.zigzags("first", count)
        runs, page, following = [], 0, {}
        top = (1 << 64) // page_size - 1  # no page ends at 2^64
        for gap, length, origin, first in zip(gaps, lengths, whose, firsts):
            if origin >= origins + 2:
                raise cursor.damaged("an origin that there is not")
            page += gap
            if page + length + 1 > top:
                raise cursor.damaged("a run that reaches beyond the highest address")
            start = (following.get(origin, 0) + first) % (1 << 64)
            runs.append((page * page_size, length + 1, origin, start))
            following[origin] = start + length + 1
            page += length + 1
        return runs

    def places(self, index):
        """Address of each page that is known: the snapshot whose own page that is, and which."""
        table = self.table(index)
        if not table:
            return {}
        known = {}
        if table.depth:
            base = self.table(table.base)
            if not base or base.depth != table.depth - 1 or base.page_size != table.page_size:
                raise Damaged(self.file.entries[index].offset, "a base that is none")
            known = dict(self.places(table.base))
        for start, pages, origin, first in table.runs:
            end = start + pages * table.page_size
            known = {address: place for address, place in known.items() if not start <= address < end}
            if not origin:
                continue
            of = self.origin(index, origin)
            self.check_origin(table, of, first, pages)
            for number in range(pages):
                known[start + number * table.page_size] = (of, first + number)
        return known

    def origin(self, index, origin):
        return index if origin == 1 else self.table(index).origins[origin - 2]

    def check_origin(self, table, of, first, pages):
        other = self.table(of)
        if not other or other.page_size != table.page_size or first + pages > len(other.hashes):
            raise Damaged(self.file.entries[of].offset, "pages that it does not have")
        if table.bytes_known and not other.bytes_known:
            raise Damaged(self.file.entries[of].offset, "hashes where there should be bytes")

    def hash(self, place):
        return self.table(place[0]).hashes[place[1]]

    def bytes(self, place):
        index, page = place
        table = self.table(index)
        size = table.page_size
        block = self.payload(table.blocks[page // (BLOCK // size)])
        at = page % (BLOCK // size) * size
        stored = block[at : at + size]
        if len(stored) != size:
            raise Damaged(self.file.entries[index].offset, "a page that its block lacks")
        if not table.links[page]:
            return stored
        origin, other = table.bases[page]
        of = index if origin == 1 else table.origins[origin - 2]
        if self.table(of).links[other] != table.links[page] - 1:
            raise Damaged(self.file.entries[index].offset, "a difference to another page")
        return bytes(a ^ b for a, b in zip(stored, self.bytes((of, other))))
