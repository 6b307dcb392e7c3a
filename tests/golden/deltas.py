"""Golden files of snapshots that are stored as what differs from the one before."""

import zlib

import vmswrite
from cases import Error, name, opens, run, small, thread
from vmswrite import delta, patch, varint, zigzag


class Chain(vmswrite.Stream):
    """One snapshot after another, each a difference to the one before."""

    def __init__(self):
        super().__init__()
        self.header()
        self.starts, self.crcs, self.payloads, self.depth = [], [], {}, 0

    def close(self):
        self.crcs.append(zlib.crc32(b"".join(self.heads)))
        self.end()

    def whole(self, model):
        self.starts.append(len(self.data))
        self.payloads = dict(vmswrite.sections(model))
        for kind, payload in vmswrite.sections(model):
            self.section(kind, payload)
        self.payloads[b"SNAP"] = vmswrite.snap_parts(self.payloads[b"SNAP"])[1]
        self.close()
        self.depth = 0

    def patches(self, model):
        """And the SNAP by which the model is found."""
        own = dict(vmswrite.sections(model))
        finding, own[b"SNAP"] = vmswrite.snap_parts(own[b"SNAP"])
        own.pop(b"PAGE", None)
        before, self.payloads = self.payloads, own
        kinds = [kind for kind in own if own[kind] != before.get(kind)]
        made = [patch(kind, own[kind], base=before.get(kind, b"")) for kind in kinds]
        return finding, made + [patch(kind, None) for kind in before if kind not in own and kind != b"PAGE"]

    def difference(self, model, changed, **spoil):
        """changed: the runs that differ, of which those without flags are gone.  spoil: of delta() another value;
        also: another payload.  Returns where the SNAP and the DELT are."""
        begin = len(self.data)
        finding, patches = self.patches(model)
        self.depth += 1
        runs = [vmswrite.pages(changed, 4096).bytes()] if changed else []
        fields = {"distance": begin - self.starts[-1], "crc": self.crcs[-1], "patches": patches, "pages": runs,
                  "depth": self.depth}
        fields.update({key: value for key, value in spoil.items() if key in fields})
        self.starts.append(begin)
        self.section(b"SNAP", finding)
        write = self.deflated if spoil.get("deflated") else self.section
        where = write(b"DELT", spoil.get("payload", delta(**fields)))
        for kind, payload in spoil.get("beside", ()):
            self.section(kind, payload)
        self.close()
        return begin, where


def shifted(model, **identity):
    return dict(model, identity=dict(model["identity"], **identity))


def series():
    """Models, and the pages in which each differs from the one before."""
    first = small()
    start = first["runs"][0]["start"]
    later = shifted(first, taken=first["identity"]["taken"] + 10**9, label=b"later", pause=777)
    later["status"] = first["status"].replace(b"\t", b"\t ", 1)
    later["runs"] = first["runs"] + [run(0x800000000000, 3, "exclusive present", 0x777)]
    more = dict(shifted(later, label=b"", ppid=99), threads=[thread(4242, 16, b"cat"), thread(4243, 0, b"dog")])
    gone = dict(shifted(more, label=b"gone"), threads=[], names=[name(0x1000, 8, "other", b"x", b"int")])
    gone["runs"] = first["runs"][1:] + [run(0x800000000000, 1, "exclusive present", 0x777),
                                        run(0x800000002000, 1, "exclusive present", 0x779)]
    return [
        (first, None),
        (later, [run(0x800000000000, 3, "exclusive present", 0x777)]),
        (more, []),
        (gone, [run(start, first["runs"][0]["pages"], ""), run(0x800000001000, 1, "")]),
    ]


def chain(count=4, **spoil):
    """The first of series(); what is spoilt is the last.  Also gives where that is, and the models."""
    made, where = Chain(), None
    models = series()[:count]
    for number, (model, pages) in enumerate(models):
        if pages is None:
            made.whole(model)
        else:
            where = made.difference(model, pages, **(spoil if number == count - 1 else {}))
    return made, where, [model for model, _ in models]


def good():
    made, _, models = chain()
    cases = [opens("good-delta-series", "snapshots as what differs from the one before", made.data, models)]
    made, _, models = chain(deflated=True)
    cases.append(opens("good-delta-deflated", "the same, the last one deflated", made.data, models))
    again = Chain()
    for _ in range(2):
        again.whole(series()[0][0])
        again.difference(*series()[1])
    cases.append(opens("good-delta-twice", "a whole one after a difference", again.data,
                       [model for _ in range(2) for model, _ in series()[:2]]))
    kin, parent = Chain(), shifted(small(), pid=99, start_time=small()["identity"]["start_time"] - 1)
    kin.whole(parent)
    kin.difference(small(), [])
    cases.append(opens("good-delta-parent", "a child as what differs from its parent", kin.data, [parent, small()]))
    made, _, models = chain(2)
    joined = made.data + made.data
    cases.append(opens("good-delta-joined", "two files with differences, joined", joined, models + models))
    unknown = patch(b"XTRA", b"what nobody knows yet")
    made, _, models = chain(3, patches=chain_patches(3) + [unknown])
    cases.append(opens("good-delta-unknown", "a patch of a section that this version does not know", made.data, models))
    return cases


def chain_patches(count):
    made, _, models = chain(count - 1)
    return made.patches(series()[count - 1][0])[1]


def spoilt(named, what, count=2, at="DELT", **spoil):
    made, (snap, where), models = chain(count, **spoil)
    error = Error("damaged", where if at == "DELT" else snap)
    return opens("bad-delta-" + named, what, made.data, models[:-1] + [error])


def steps_of(*given):
    return [patch(b"STAT", b"0123456789", made=b"".join(given))]


def bad_steps():
    copy = varint(4) + b"0123" + varint(6)
    rows = [
        ("steps-none", "steps that end before the payload does", steps_of()),
        ("steps-more", "steps behind the end of a payload", steps_of(varint(10), b"0123456789", b"\0")),
        ("steps-new-long", "more new bytes than the payload has", steps_of(varint(11), b"01234567890")),
        ("steps-copy-none", "a copy of no bytes", steps_of(varint(0), varint(0), varint(0), varint(10), b"0123456789")),
        ("steps-copy-long", "a copy of more bytes than the payload has", steps_of(varint(4), b"0123", varint(7), varint(0))),
        ("steps-copy-beyond", "a copy of what is behind the base's payload", steps_of(copy, zigzag(1 << 20))),
        ("steps-copy-before", "a copy of what is before it", steps_of(copy, zigzag(-1))),
        ("steps-copy-nothing", "a copy of a section that the base does not have",
         [patch(b"WRIT", b"0123456789", made=copy + varint(0))]),
        ("patches-huge", "2^60 patches", None),
        ("payload-huge", "a payload of 2^63 bytes", [b"STAT" + varint(1 << 63) + varint(3) + b"\0\1\0"]),
    ]
    cases = []
    for named, what, patches in rows:
        if patches is None:
            payload = varint(1) + varint(100) + b"crc!" + varint(1 << 60)
            cases.append(spoilt(named, what, payload=payload))
        elif named == "payload-huge":
            made, (_, where), models = chain(2, patches=patches)
            cases.append(opens("bad-delta-" + named, what, made.data, models[:-1] + [Error("too_large", where)]))
        else:
            cases.append(spoilt(named, what, patches=patches))
    return cases


def bad():
    stranger = Chain()
    before = shifted(small(), boot_id=b"11111111-2222-3333-4444-555555555555")
    stranger.whole(before)
    _, where = stranger.difference(small(), [])
    other = opens("bad-delta-other-boot", "a difference to one of another boot", stranger.data,
                  [before, Error("damaged", where)])
    hidden = Chain()
    hidden.whole(small())
    _, where = hidden.difference(shifted(small(), known=[]), [])
    frames = opens("bad-delta-frames", "a difference without frames to a snapshot with them", hidden.data,
                   [small(), Error("damaged", where)])
    broken = Chain()
    broken.whole(small())
    at = broken.starts[-1]
    data = bytearray(broken.data)
    data[at + 32] ^= 1  # in the payload of its SNAP: the checksum is wrong
    broken.data = bytes(data)
    broken.difference(*series()[1])
    hangs = opens("bad-delta-base", "a base that is damaged", broken.data, [Error("damaged", at)] * 2)
    middle, _, models = chain(3)
    at = middle.starts[1]
    data = bytearray(middle.data)
    data[data.index(b"DELT", at) + 40] ^= 1
    where = data.index(b"DELT", at)
    linked = opens("bad-delta-link", "a link that is damaged: what hangs on it is lost", bytes(data),
                   [models[0]] + [Error("damaged", where)] * 2)
    made, _, models = chain(3, depth=1)
    where = made.data.index(b"DELT")
    same = opens("bad-delta-depth-same", "a difference as far away as its base", made.data, models[:2] + [Error("damaged", where)])
    fields = varint(19) + varint(3) + b"dog"
    rows = [
        spoilt("depth-none", "a difference that is none", depth=0),
        spoilt("depth-129", "129 differences", depth=129),
        spoilt("depth-more", "a difference that is two away from its base", depth=2),
        spoilt("distance-none", "a difference to itself", distance=0),
        spoilt("distance-one", "a difference to the middle of a section", distance=20),
        spoilt("distance-far", "a difference to what is before the file", distance=1 << 40),
        spoilt("distance-stream", "a difference to a stream's header", distance=chain(2)[0].starts[1]),
        spoilt("crc", "a difference to another snapshot than is there", crc=0),
        spoilt("empty", "nothing", payload=b""),
        spoilt("trailing", "more than its columns", payload=delta(1, 1) + b"\0"),
        spoilt("no-stat", "no status is left", at="SNAP", patches=[patch(b"STAT", None)]),
        spoilt("no-vmas", "no mappings are left", at="SNAP", patches=[patch(b"VMAS", None)]),
        spoilt("beside-stat", "a status beside it", at="SNAP", beside=[(b"STAT", b"x")]),
        spoilt("beside-page", "pages beside it", at="SNAP", beside=[(b"PAGE", b"x")]),
        spoilt("field-twice", "a field that comes twice", at="SNAP",
               patches=[patch(b"SNAP", fields + fields)]),
        spoilt("finding-twice", "a field of SNAP in both places", at="SNAP",
               patches=[patch(b"SNAP", vmswrite.field(2, b"\1"))]),
        spoilt("vmas", "mappings that are none", patches=[patch(b"VMAS", b"x")]),
        spoilt("page", "pages that are none", pages=[b"x"]),
        spoilt("pages-huge", "2^60 sections of pages", payload=varint(1) + varint(1) + b"crc!" + b"\0" + varint(1 << 60)),
    ]
    return rows + bad_steps() + [other, frames, hangs, linked, same, twice(), late()]


def twice():
    made = Chain()
    made.whole(small())
    begin, _ = made.difference(series()[1][0], [])
    second = Chain()
    second.whole(small())
    begin = len(second.data)
    second.section(b"SNAP", b"")
    second.section(b"DELT", delta(1, 1))
    where = second.section(b"DELT", delta(1, 1))
    second.close()
    return opens("bad-delta-two", "two DELT", second.data, [small(), Error("damaged", where)])


def late():
    made = Chain()
    made.whole(small())
    made.section(b"SNAP", b"")
    made.section(b"XTRA", b"", flags=0)
    where = made.section(b"DELT", delta(1, 1))
    made.close()
    return opens("bad-delta-late", "a DELT that is not the second section", made.data, [small(), Error("damaged", where)])


def cases():
    return good() + bad()
