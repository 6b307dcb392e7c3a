"""Golden files with something wrong between the payloads: headers, checksums,
sections out of place, ends cut off, and files of a newer vmsnap."""

import struct
import zlib

import vmswrite
from cases import Error, file_of, opens, refused, small
from vmswrite import DEFLATED, REQUIRED, Stream, deflate

PLAIN = file_of(small())[0]
STATUS = small()["status"]


def stat(name, what, write, kind="damaged", prefix="bad-"):
    """One snapshot whose STAT is written by write(stream), which says where."""
    data, where = file_of(small(), replace={b"STAT": write})
    return opens(prefix + name, what, data, [Error(kind, where[0][b"STAT"])])


def section(**spoil):
    return lambda stream: stream.section(b"STAT", STATUS, **spoil)


def packed(payload, raw_length=None):
    """A deflated STAT with these stored bytes."""
    length = len(STATUS) if raw_length is None else raw_length
    return lambda stream: stream.section(b"STAT", payload, REQUIRED | DEFLATED, length)


def other_dictionary():
    deflater = zlib.compressobj(9, zdict=b"another dictionary")
    return deflater.compress(STATUS) + deflater.flush()


def section_headers():
    zipped = deflate(STATUS, False)
    wrong_adler = zipped[:-1] + bytes([zipped[-1] ^ 1])
    beyond = len(PLAIN)  # certainly past the END, and past the file's end
    return [
        stat("section-crc", "wrong checksum of a section's header", section(head_crc=1)),
        stat("payload-crc", "wrong checksum of a payload", section(crc=1)),
        stat("raw-length", "not deflated, but with another raw length", section(raw_length=len(STATUS) + 1)),
        stat("stored-length", "a section that runs beyond the end of its snapshot",
             section(stored=beyond, raw_length=beyond)),
        stat("stored-length-huge", "a section of 2^64 - 1 bytes",
             section(stored=(1 << 64) - 1, raw_length=(1 << 64) - 1)),
        stat("bomb", "a raw length of 1032 times the stored length, and one byte",
             packed(zipped, 1032 * len(zipped) + 1)),
        stat("bomb-huge", "a raw length of 2^64 - 1", packed(zipped, (1 << 64) - 1)),
        stat("inflates-to-more", "inflates to a byte more than it says", packed(zipped, len(STATUS) - 1)),
        stat("inflates-to-less", "inflates to a byte less than it says", packed(zipped, len(STATUS) + 1)),
        stat("inflate-garbage", "deflated bytes that are none", packed(b"\x55" * 20)),
        stat("inflate-empty", "deflated to no bytes at all", packed(b"", 0)),
        stat("inflate-cut", "a zlib stream without its checksum", packed(zipped[:-4])),
        stat("inflate-checksum", "a zlib stream with a wrong checksum", packed(wrong_adler)),
        stat("inflate-trailing", "a byte after the zlib stream", packed(zipped + b"\0")),
        stat("inflate-twice", "two zlib streams in one payload", packed(zipped + zipped, 2 * len(STATUS))),
        stat("inflate-dictionary", "deflated with another dictionary", packed(other_dictionary())),
    ]


def layout(*kinds):
    """One snapshot of these sections in this order, and where each begins."""
    payloads = dict(vmswrite.sections(small()))
    payloads.update({b"THRD": bytes(4), b"SMAP": b"\0\0\0\4" + bytes(4), b"NAME": bytes(9), b"XTRA": b""})
    stream = Stream()
    stream.header()
    stream.begin = 16
    where = [
        stream.end() if kind == b"END " else stream.section(kind, payloads[kind], 0 if kind == b"XTRA" else REQUIRED)
        for kind in kinds
    ]
    return stream, where


def out_of_place():
    s, t, v, p, e = b"SNAP", b"STAT", b"VMAS", b"PAGE", b"END "
    rows = [
        ("two-stat", "two STAT", (s, t, v, t, e), 3),
        ("two-vmas", "two VMAS", (s, t, v, v, e), 3),
        ("two-thrd", "two THRD", (s, t, v, b"THRD", b"THRD", e), 4),
        ("two-smap", "two SMAP", (s, t, v, b"SMAP", p, b"SMAP", e), 5),
        ("two-name", "two NAME", (s, t, v, b"NAME", p, b"NAME", e), 5),
        ("two-snap", "two SNAP", (s, s, t, v, e), 1),
        ("no-stat", "no STAT", (s, v, p, e), 0),
        ("no-vmas", "no VMAS", (s, t, p, e), 0),
        ("snap-not-first", "a STAT before the SNAP", (t, s, v, e), 0),
        ("unknown-first", "an unknown optional section before the SNAP", (b"XTRA", s, t, v, e), 0),
    ]
    made = []
    for name, what, kinds, wrong in rows:
        stream, where = layout(*kinds)
        made.append(opens("bad-" + name, what, stream.data, [Error("damaged", where[wrong])]))
    return made


def between_snapshots():
    stream = Stream()
    stream.header()
    stream.snapshot(small(label=b"one"))
    at = stream.section(b"XTRA", b"", flags=0)
    stream.heads = []
    stream.snapshot(small(label=b"two"))
    return opens("bad-between-snapshots", "an unknown optional section between two snapshots",
                 stream.data, [small(label=b"one"), small(label=b"two")], Error("damaged", at))


def open_ended():
    """A stream with one snapshot that has no END yet, and that END's payload."""
    stream = Stream()
    stream.header()
    for kind, payload in vmswrite.sections(small()):
        stream.section(kind, payload)
    crc = zlib.crc32(b"".join(stream.heads))
    return stream, struct.pack("<QII", len(stream.data) - stream.begin, len(stream.heads), crc)


def with_end(name, what, opened=True, **spoil):
    """A snapshot whose END is wrong; opened: it can be told only when it is loaded."""
    stream, _ = open_ended()
    at = stream.end(**spoil)
    if opened:
        return opens("bad-end-" + name, what, stream.data, [Error("damaged", at)])
    return refused("bad-end-" + name, what, stream.data, "damaged", at)


def long_end():
    stream, payload = open_ended()
    at = stream.section(b"END ", payload + bytes(8))
    return refused("bad-end-long", "an END with 8 bytes more", stream.data, "damaged", at)


def deflated_end():
    stream, payload = open_ended()
    at = stream.deflated(b"END ", payload, False)
    return refused("bad-end-deflated", "an END that is deflated", stream.data, "damaged", at)


def ends():
    return [
        with_end("distance", "an END that points at another section", False, distance=100),
        with_end("distance-zero", "an END that points at itself", False, distance=0),
        with_end("distance-huge", "an END that points before the file", False, distance=(1 << 64) - 1),
        with_end("distance-header", "an END that points at the file's header", False, distance=len(PLAIN) - 48),
        with_end("count", "an END that counts a section more", count=5),
        with_end("sections", "an END with another checksum of the sections", crc=1),
        with_end("section-crc", "an END with a wrong checksum of its header", False, head_crc=1),
        with_end("not-required", "an END without the mark *required*", False, flags=0),
        long_end(),
        deflated_end(),
        two_ends(),
    ]


def two_ends():
    stream, _ = layout(b"SNAP", b"STAT", b"VMAS", b"END ")
    at = stream.section(b"END ", stream.data[-16:])
    model = dict(small(), runs=[])
    return opens("bad-end-twice", "an END after the END", stream.data, [model], Error("damaged", at))


def flipped(data, offset):
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


def in_a_series():
    """Three snapshots; damage to the middle one costs as little as may be."""
    models = [small(label=label) for label in (b"one", b"two", b"three")]
    data, where = file_of(*models)
    status, end, begin = where[1][b"STAT"], where[1][b"END "], where[1][b"SNAP"]
    other, _ = file_of(models[2])
    two = file_of(*models[:2])[0]
    return [
        opens("bad-series-payload", "three snapshots, the second damaged in a payload: the others can be read",
              flipped(data, status + 40), [models[0], Error("damaged", status), models[2]]),
        opens("bad-series-header", "three snapshots, the second damaged in a section's header",
              flipped(data, status + 9), [models[0], Error("damaged", status), models[2]]),
        opens("bad-series-snap", "three snapshots, the second damaged in the header of its SNAP",
              flipped(data, begin + 1), [models[0], Error("damaged", begin), models[2]]),
        opens("bad-series-end", "three snapshots, the second's END damaged: the others can be read",
              flipped(data, end + 35), [models[0], models[2]], Error("damaged", end)),
        opens("bad-series-joined", "a second stream whose header is damaged",
              two + flipped(other, 10), models, Error("damaged", len(two))),
        opens("bad-series-magic", "a second stream without its magic",
              two + flipped(other, 0), models, Error("damaged", len(two))),
        opens("bad-trailing-newline", "a newline after the last snapshot", two + b"\n",
              models[:2], Error("damaged", len(two))),
        opens("bad-trailing-zeros", "zeros after the last snapshot", two + bytes(100),
              models[:2], Error("damaged", len(two))),
        opens("bad-trailing-text", "text after the last snapshot", two + b"And so it ends, as all things do.\n",
              models[:2], Error("damaged", len(two))),
    ]


def headers():
    stream = Stream()
    stream.header(version=2, crc=1)
    return [
        refused("bad-header-crc", "wrong checksum of the header", flipped(PLAIN, 12), "damaged", 0),
        refused("bad-header-version-crc", "another version, but the checksum is wrong: damaged, not newer",
                stream.data + PLAIN[16:], "damaged", 0),
        refused("bad-header-only-crc", "nothing but a header with a wrong checksum", stream.data, "damaged", 0),
    ]


def truncated():
    data, where = file_of(small())
    first = where[0]
    cuts = [
        ("magic", "within the magic", 5, 0),
        ("header", "within the header", 11, 0),
        ("snap-header", "within the first section's header", 16 + 20, 16),
        ("snap", "within the first section", 16 + 32 + 9, 16),
        ("between", "between two sections", first[b"VMAS"], 16),
        ("section-header", "within a section's header", first[b"VMAS"] + 31, 16),
        ("payload-none", "right after a section's header", first[b"VMAS"] + 32, 16),
        ("payload", "within a section", first[b"PAGE"] + 40, 16),
        ("payload-last", "a byte before a section's end", first[b"END "] - 1, 16),
        ("no-end", "right before the END", first[b"END "], 16),
        ("end-header", "within the END's header", first[b"END "] + 16, 16),
        ("end", "a byte before the END's end", len(data) - 1, 16),
    ]
    return [
        refused("truncated-" + name, "cut off " + what, data[:length], "truncated", offset)
        for name, what, length, offset in cuts
    ]


def torn_appends():
    models = [small(label=b"one"), small(label=b"two")]
    data, where = file_of(*models)
    second = where[1]
    begin = second[b"SNAP"]
    cuts = [
        ("first-byte", "only one byte was appended", begin + 1),
        ("section-header", "an append cut off within a section's header", second[b"STAT"] + 10),
        ("payload", "an append cut off within a section", second[b"PAGE"] + 33),
        ("between", "an append cut off between two sections", second[b"STAT"]),
        ("no-end", "an append cut off right before the END", second[b"END "]),
        ("end", "an append cut off a byte before its end", len(data) - 1),
    ]
    made = [
        opens("truncated-append-" + name, what, data[:length], models[:1], Error("truncated", begin))
        for name, what, length in cuts
    ]
    for name, what, length in (("magic", "within its magic", 3), ("stream", "within its header", 12)):
        made.append(opens("truncated-append-" + name, "a joined stream cut off " + what, data + PLAIN[:length],
                          models, Error("truncated", len(data))))
    return made + [holding_another()]


def holding_another():
    """Cut off within a section that holds a whole file: its END must not be believed."""
    stream = Stream()
    stream.header()
    stream.snapshot(small(label=b"one"))
    at = stream.section(b"SNAP", vmswrite.snap(small()["identity"]))
    stream.section(b"CONT", PLAIN + b"more", flags=0)
    return opens("truncated-append-within", "an append cut off within contents that end like a whole file",
                 stream.data[:-4], [small(label=b"one")], Error("truncated", at))


def newer_sections():
    def unknown(stream):
        stream.section(b"STAT", STATUS)
        return stream.section(b"XTRA", b"what one must know")

    def optional(stream):
        stream.section(b"STAT", STATUS)
        return stream.section(b"XTRA", b"", flags=4)

    rows = [
        ("section", "an unknown section that is required", unknown),
        ("flag", "a flag of a section that has no meaning yet", section(flags=REQUIRED | 4)),
        ("flag-high", "the highest flag of a section", section(flags=REQUIRED | 0x8000)),
        ("reserved", "a reserved field of a section that is not 0", section(reserved=1)),
        ("optional", "an unknown optional section with a flag that has no meaning yet", optional),
    ]
    return [stat(name, what, write, "newer", "newer-") for name, what, write in rows]


def newer():
    rows = [
        ("version", "version 2", {"version": 2}),
        ("version-none", "version 0", {"version": 0}),
        ("version-high", "version 65535", {"version": 65535}),
        ("header", "a reserved field of the header that is not 0", {"reserved": 256}),
    ]
    made = newer_sections()
    for name, what, fields in rows:
        stream = Stream()
        stream.header(**fields)
        made.append(refused("newer-" + name, what, stream.data + PLAIN[16:], "newer", 0))
    return made + [newer_alone(), newer_joined(), newer_between(), newer_end(), newer_in_a_series()]


def newer_alone():
    stream = Stream()
    stream.header(version=2)
    return refused("newer-version-alone", "version 2, and what follows is not known",
                   stream.data + b"anything at all", "newer", 0)


def newer_joined():
    models = [small(label=b"one"), small(label=b"two")]
    stream = Stream()
    stream.raw(file_of(*models)[0])
    at = stream.header(version=2)
    return opens("newer-joined", "a second stream of version 2", stream.data + PLAIN[16:], models, Error("newer", at))


def newer_between():
    model = small(label=b"one")
    stream = Stream()
    stream.raw(file_of(model)[0])
    at = stream.header(version=2)
    return opens("newer-between", "three streams, the second of version 2: the others can be read",
                 stream.data + PLAIN[16:] + PLAIN, [model, small()], Error("newer", at))


def newer_end():
    stream, _ = open_ended()
    at = stream.end(reserved=1)
    return refused("newer-end", "a reserved field of an END that is not 0", stream.data, "newer", at)


def newer_in_a_series():
    stream = Stream()
    stream.header()
    models = [small(label=label) for label in (b"one", b"two", b"three")]
    where = []

    def write(out):
        where.append(out.section(b"STAT", STATUS, reserved=7))
        return where[0]

    stream.snapshot(models[0])
    stream.snapshot(models[1], replace={b"STAT": write})
    stream.snapshot(models[2])
    return opens("newer-series", "three snapshots, the second of a newer vmsnap: the others can be read",
                 stream.data, [models[0], Error("newer", where[0]), models[2]])


def cases():
    made = section_headers() + out_of_place() + [between_snapshots()] + ends() + in_a_series() + headers()
    return made + truncated() + torn_appends() + newer()
