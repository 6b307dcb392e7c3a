"""Reads vmsnap files.  A second reader, written from docs/format.md alone, that
keeps the page and the C reader honest.

    python3 vmsfile.py FILE [N]     prints snapshot N (all of them) as JSON
"""

import json
import struct
import sys
import zlib
from collections import namedtuple

import vmsfaults
import vmspayload
from vmsbytes import Damaged, FormatError, Newer, NotSnapshot, TooLarge, Truncated, dictionary

MAGIC = b"\x89VMS\r\n\x1a\n"
HEADER_SIZE = 16
SECTION_SIZE = 32
END_SIZE = SECTION_SIZE + 16
REQUIRED, DEFLATED = 1, 2
INFLATE_MOST = 1032
FLAGS = vmspayload.FLAGS
READ_HERE = (b"SNAP", b"DELT", b"STAT", b"VMAS", b"PAGE", b"THRD", b"SMAP", b"NAME", b"WRIT", b"KPAG", b"NODE", b"TYPE",
             b"EVNT", b"MEVT", b"DUMP", b"END ")
NOT_BESIDE_DELTA = (b"STAT", b"VMAS", b"PAGE", b"THRD", b"SMAP", b"NAME", b"WRIT", b"KPAG", b"NODE", b"TYPE",
                    b"EVNT", b"MEVT", b"DUMP")
ONCE = (b"SNAP", b"STAT", b"VMAS", b"THRD", b"SMAP", b"NAME", b"WRIT", b"KPAG", b"NODE", b"TYPE", b"EVNT",
        b"MEVT", b"DUMP", b"HASH")
LIMIT = 1 << 30  # bytes that the sections of one snapshot may take once inflated

ERRORS = (NotSnapshot, Newer, Damaged, Truncated, TooLarge)

Section = namedtuple("Section", "offset head type flags reserved stored raw crc")
Entry = namedtuple("Entry", "offset end")  # of a snapshot: its SNAP, its END


def check_stream_header(data, offset):
    head = data[offset : offset + HEADER_SIZE]
    if not head or head[:8] != MAGIC[: len(head)]:
        raise NotSnapshot(offset, "no magic")
    if len(head) < HEADER_SIZE:
        raise Truncated(offset, "the file ends within a header")
    version, reserved, crc = struct.unpack("<HHI", head[8:])
    if zlib.crc32(head[:12]) != crc:
        raise Damaged(offset, "wrong checksum of the header")
    if version != 1 or reserved:
        raise Newer(offset, "version %d, reserved field %d" % (version, reserved))


def section_at(data, offset):
    """The section's header, which may be believed as to lengths, and no more."""
    head = data[offset : offset + SECTION_SIZE]
    if len(head) < SECTION_SIZE:
        raise Truncated(offset, "the file ends within a section's header")
    kind, flags, reserved, stored, raw, crc, own = struct.unpack("<4sHHQQII", head)
    if zlib.crc32(head[:28]) != own:
        raise Damaged(offset, "wrong checksum of a section's header")
    return Section(offset, head, kind, flags, reserved, stored, raw, crc)


def after(section):
    return section.offset + SECTION_SIZE + section.stored


def check_section(section):
    offset, deflated = section.offset, section.flags & DEFLATED
    if section.flags & ~(REQUIRED | DEFLATED) or section.reserved:
        raise Newer(offset, "a section with unknown flags")
    if section.type not in READ_HERE and section.flags & REQUIRED:
        raise Newer(offset, "an unknown section %r" % section.type)
    if deflated and section.raw > INFLATE_MOST * section.stored:
        raise Damaged(offset, "%d bytes cannot inflate to %d" % (section.stored, section.raw))
    if not deflated and section.raw != section.stored:
        raise Damaged(offset, "two lengths of a section that is not deflated")


def stored_payload(data, section):
    payload = data[section.offset + SECTION_SIZE : after(section)]
    if zlib.crc32(payload) != section.crc:
        raise Damaged(section.offset, "wrong checksum of a payload")
    return payload


def inflate(section, payload):
    inflater = zlib.decompressobj(zdict=dictionary())
    try:
        raw = inflater.decompress(payload, section.raw + 1)
    except zlib.error as error:
        raise Damaged(section.offset, str(error)) from None
    if not inflater.eof or inflater.unused_data or len(raw) != section.raw:
        raise Damaged(section.offset, "does not inflate to the length it says")
    return raw


def read_end(data, section):
    """What an END says: the distance, the number of sections, their checksum."""
    check_section(section)
    if section.flags != REQUIRED or section.stored != 16:
        raise Damaged(section.offset, "an END of another form")
    return struct.unpack("<QII", stored_payload(data, section))


def entry_before(data, pos):
    """The snapshot whose END ends at `pos`; None if there is no such END."""
    if pos < END_SIZE:
        return None
    try:
        section = section_at(data, pos - END_SIZE)
        if section.type != b"END ":
            return None
        distance = read_end(data, section)[0]
    except FormatError:
        return None
    begin = section.offset - distance
    return Entry(begin, section.offset) if begin >= HEADER_SIZE and distance >= SECTION_SIZE else None


def header_before(data, pos):
    """What is said of the stream's header that ends at `pos`: None if it is
    good, otherwise the kind of error."""
    try:
        check_stream_header(data, pos - HEADER_SIZE)
    except FormatError as error:
        return error.kind
    return None


def index_from_end(data):
    """The snapshots found from the last to the first, and where that way ended:
    at 0 if they are all there are."""
    entries = []
    stream = []  # those of the stream whose header is still to come
    pos = len(data)
    while pos:
        entry = entry_before(data, pos)
        if entry:
            stream.append(entry)
            pos = entry.offset
            continue
        error = header_before(data, pos)
        if error == Newer.kind:
            stream = []
        if error:
            break
        entries += stream
        stream = []
        pos -= HEADER_SIZE
    return (entries + stream)[::-1], pos


def walk_snapshot(data, begin):
    """From a SNAP to its END, by the headers alone."""
    sections = []
    pos = begin
    while len(data) - pos >= SECTION_SIZE:
        section = section_at(data, pos)
        if pos == begin and section.type != b"SNAP":
            raise Damaged(pos, "a section out of its place")
        if after(section) > len(data):
            break
        if section.type == b"END ":
            check_end(data, section, sections)
            return Entry(begin, pos)
        sections.append(section)
        pos = after(section)
    if pos == begin and not b"SNAP".startswith(data[pos : pos + 4]):
        raise Damaged(pos, "neither a section nor a stream")
    raise Truncated(begin, "the file ends within a snapshot")


def check_end(data, end, sections):
    distance, count, crc = read_end(data, end)
    if distance != end.offset - sections[0].offset:
        raise Damaged(end.offset, "an END that does not say where its snapshot begins")
    if count != len(sections) or crc != zlib.crc32(b"".join(section.head for section in sections)):
        raise Damaged(end.offset, "an END of other sections")


def begins_stream(data, pos):
    return MAGIC.startswith(data[pos : pos + len(MAGIC)])


def index_from_start(data):
    """The snapshots up to the first damage, and that damage, if any."""
    entries = []
    pos = 0
    try:
        while pos < len(data):
            if begins_stream(data, pos):
                check_stream_header(data, pos)
                pos += HEADER_SIZE
            else:
                entries.append(walk_snapshot(data, pos))
                pos = entries[-1].end + END_SIZE
    except FormatError as error:
        return entries, error
    return entries, None


def index(data):
    """All snapshots that can be found, and what is wrong between or after them."""
    check_stream_header(data, 0)
    from_end, reached = index_from_end(data)
    if reached == 0:
        return from_end, None
    entries, damage = index_from_start(data)
    if damage and not isinstance(damage, Truncated):
        entries += [entry for entry in from_end if entry.offset > damage.offset]
    if damage and not entries:
        raise damage
    return entries, damage


class File:
    """A whole file in memory: its snapshots, and `damage`, the first error that
    keeps others from being found; None if there is none."""

    def __init__(self, data, limit=LIMIT):
        self.data = data
        self.limit = limit
        self.entries, self.damage = index(data)

    def sections(self, entry):
        sections = []
        pos = entry.offset
        while pos < entry.end:
            section = section_at(self.data, pos)
            check_section(section)
            if (section.type == b"SNAP") != (pos == entry.offset) or section.type == b"END ":
                raise Damaged(pos, "a section out of its place")
            if after(section) > entry.end:
                raise Damaged(pos, "a section that runs into the END of its snapshot")
            if section.type in ONCE and section.type in [other.type for other in sections]:
                raise Damaged(pos, "a second %s" % section.type.decode())
            if section.type == b"DELT" and len(sections) != 1:
                raise Damaged(pos, "a DELT that is not the second section")
            sections.append(section)
            pos = after(section)
        if not sections:
            raise Damaged(entry.end, "an END without a SNAP")
        end = section_at(self.data, entry.end)
        check_end(self.data, end, sections)
        types = [section.type for section in sections]
        if b"DELT" in types and any(kind in types for kind in NOT_BESIDE_DELTA):
            raise Damaged(entry.offset, "a section that should be in its DELT")
        for needed in () if b"DELT" in types else (b"STAT", b"VMAS"):
            if needed not in [section.type for section in sections]:
                raise Damaged(entry.offset, "a snapshot without %s" % needed.decode())
        return sections

    def payloads(self, entry):
        """The sections that this reader knows, as (type, offset, bytes)."""
        room = self.limit
        found = []
        for section in self.sections(entry):
            payload = stored_payload(self.data, section)
            if section.type not in READ_HERE:
                continue
            room -= section.raw
            if room < 0:
                raise TooLarge(section.offset, "more than %d bytes" % self.limit)
            if section.flags & DEFLATED:
                payload = inflate(section, payload)
            found.append((section.type, section.offset, payload))
        return found

    def check_contents(self, index):
        """Which pages they are of, not the bytes."""
        import vmscontents  # it imports this

        vmscontents.Contents(self).places(index)

    def whole_runs(self, found, size, pfn_known):
        runs = []
        for kind, offset, payload in found:
            if kind == b"PAGE":
                floor = runs[-1]["start"] + runs[-1]["pages"] * size if runs else 0
                runs += vmspayload.read_pages(payload, offset, size, pfn_known, floor)
        return runs

    def load(self, index):
        import vmsdelta  # it imports this

        found = self.payloads(self.entries[index])
        chain = vmsdelta.Chain(self, index) if b"DELT" in [kind for kind, _, _ in found] else None
        first = chain.payloads() if chain else {kind: (payload, offset) for kind, offset, payload in reversed(found)}
        identity = vmspayload.read_snap(*first[b"SNAP"])
        if chain:
            chain.check_whole(identity)
        size, pfn_known = identity["page_size"], "pfn" in identity["known"]
        vmas = vmspayload.read_vmas(*first[b"VMAS"], size)
        runs = chain.runs(size, pfn_known) if chain else self.whole_runs(found, size, pfn_known)
        threads = vmspayload.read_threads(*first[b"THRD"], identity.pop("missed")) if b"THRD" in first else []
        texts = identity.pop("smaps_texts")
        smaps = vmspayload.read_smaps(*first[b"SMAP"], len(vmas), texts) if b"SMAP" in first else None
        identity.pop("missed", None)
        who = identity.get("written")
        model = {
            "identity": identity,
            "status": first[b"STAT"][0],
            "vmas": vmas,
            "runs": runs,
            "threads": threads,
            "smaps": smaps,
            "names": vmspayload.read_names(*first[b"NAME"]) if b"NAME" in first else [],
        }
        self.check_contents(index)
        written = vmspayload.read_written(*first[b"WRIT"], size, who) if b"WRIT" in first else []
        model = dict(model, written=written) if written else model
        if b"KPAG" in first:
            model["kpage"] = vmspayload.read_kpage(*first[b"KPAG"], size)
        if b"NODE" in first:
            model["nodes"] = vmspayload.read_nodes(*first[b"NODE"], size)
        if b"DUMP" in first:
            model["dumped"] = vmspayload.read_dumped(*first[b"DUMP"], size)
        if b"EVNT" in first:
            model["faults"] = vmsfaults.read_faults(*first[b"EVNT"])
        if b"EVNT" in first and b"MEVT" in first:
            told, events = vmsfaults.read_memory(*first[b"MEVT"])
            model["faults"]["flags"] |= told * 16
            if told or events:
                model["faults"]["memory_events"] = events
        types = vmspayload.read_types(*first[b"TYPE"]) if b"TYPE" in first else b""
        return dict(model, types=types) if types else model


def open_file(path, limit=LIMIT):
    with open(path, "rb") as stream:
        return File(stream.read(), limit)


ADDRESSES = ("start", "end", "pfn", "offset", "stack_pointer", "address")


def printable(value, key=None):
    """The same with strings for bytes ({"hex": …} if not UTF-8) and for addresses."""
    if isinstance(value, dict):
        return {name: printable(item, name) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(item) for item in value]
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    if isinstance(value, int) and key in ADDRESSES:
        return hex(value)
    return value


def dump(value):
    return json.dumps(printable(value), indent=1, sort_keys=True)


def main(argv):
    if len(argv) not in (2, 3):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        file = open_file(argv[1])
        indexes = [int(argv[2]) - 1] if len(argv) == 3 else range(len(file.entries))
        for index in indexes:
            print(dump(file.load(index)))
    except (FormatError, OSError) as error:
        print("vmsfile: %s: %s" % (argv[1], error), file=sys.stderr)
        return 2
    if file.damage:
        print("vmsfile: %s: %s" % (argv[1], file.damage), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
