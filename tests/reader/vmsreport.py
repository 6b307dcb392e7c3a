"""The data of a page that `vmsnap report` made, read and counted without the page's own script: the rules come with it,
and what it says of two instants is looked up in them."""

import base64
import collections
import json
import re
import zlib

Changed = collections.namedtuple("Changed", "process instant address before now")


def part(html, name):
    text = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', html)[1]
    return zlib.decompress(base64.b64decode(text)) if text else b""


class Track:
    """values[instant]: {page: value}; changed[instant]: pages whose frame is another than was known before."""

    def __init__(self, head, data, at, instants):
        self.kind, self.process, self.child, self.base = head["kind"], head["process"], head.get("child"), head.get("base")
        self.pages = []
        page = 0
        for gap, length in zip(head["segments"][::2], head["segments"][1::2]):
            page += gap
            self.pages += range(page, page + length)
            page += length
        self.values, self.changed = [], []
        now = [0] * len(self.pages)
        for instant in range(instants):
            end = at + head["values"][instant]
            moved = self.step(data, at, end, now)
            at = end
            self.values.append({page: value for page, value in zip(self.pages, now) if value})
            self.changed.append({self.pages[index] for index in moved})
        self.end = at

    def step(self, data, at, end, now):
        index, moved = 0, []
        while at < end:
            token = shift = 0
            while True:
                byte = data[at]
                at += 1
                token |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            count, change = (token >> 6) + 1, token & 63
            assert index + count <= len(self.pages)
            if self.kind == "states":
                moved += range(index, index + count) if change & 32 else ()
                change &= 31
            if change:
                for i in range(index, index + count):
                    now[i] ^= change
            index += count
        assert at == end
        return moved


class Report:
    def __init__(self, html):
        self.head = json.loads(part(html, "head"))
        self.instants = self.head["instants"]
        values, at = part(html, "values"), 0
        self.tracks = []
        for head in self.head["tracks"]:
            self.tracks.append(Track(head, values, at, len(self.instants)))
            at = self.tracks[-1].end
        assert at == len(values)
        self.contents = part(html, "contents")
        places = self.head["places"]
        self.numbers = {(places[i], places[i + 1]): places[i + 2] for i in range(0, len(places), 5)}
        self.classes = [row[0] for row in self.head["classes"]]

    def changed_bytes(self):
        """What pages held before an instant and hold then, of bytes that differ and few between them."""
        out, at = [], 0
        while at < len(self.contents):
            numbers = []
            for _ in range(5):
                value = shift = 0
                while True:
                    byte = self.contents[at]
                    at += 1
                    value |= (byte & 127) << shift
                    shift += 7
                    if byte < 128:
                        break
                numbers.append(value)
            process, instant, page, offset, length = numbers
            before, now = self.contents[at:at + length], self.contents[at + length:at + 2 * length]
            at += 2 * length
            out.append(Changed(process, instant, page * self.head["page_size"] + offset, before, now))
        return out

    def track(self, kind, process):
        return next(each for each in self.tracks if each.kind == kind and each.process == process)

    def inferred(self, fork):
        return next(each for each in self.tracks if each.kind == "inferred" and (each.process, each.child) == (fork.process, fork.child))

    def forks(self):
        return [each for each in self.tracks if each.kind == "verdicts"]

    def memory_of(self, process, instant):
        """Which rules hold for a page, as it is mapped then; for what is not, those of anonymous memory."""
        rows = self.head["processes"][process]["vmas"]
        vmas = [(rows[i], rows[i + 1], rows[i + 6]) for i in range(0, len(rows), 10) if rows[i + 8] <= instant <= rows[i + 9]]
        return lambda page: next((memory for start, end, memory in vmas if start <= page < end), 0)

    def before(self, process, a, b):
        """What each page was at A, taken along where memory moved until B; pages whose frames changed since, and pages
        at which there is other memory."""
        track, rows = self.track("states", process), self.head["processes"][process]["changes"]
        values, moved, replaced = dict(track.values[a]), set(), set()
        for instant in range(a + 1, b + 1):
            for i in range(0, len(rows), 5):
                _, start, page, pages, is_other = rows[i:i + 5]
                if rows[i] != instant:
                    continue
                if is_other:
                    replaced.update(range(page, page + pages))
                    continue
                held = [(values.pop(start + k, 0), start + k in moved) for k in range(pages)]
                moved.difference_update(range(start, start + pages))
                for k, (value, was_moved) in enumerate(held):
                    values[page + k] = value
                    (moved.add if was_moved else moved.discard)(page + k)
            moved |= track.changed[instant]
        return values, moved, replaced

    def differences(self, process, a, b):
        """{class: pages} of what happened between two instants."""
        track, states = self.track("states", process), len(self.head["states"])
        (values, moved, replaced), memory = self.before(process, a, b), self.memory_of(process, b)
        written = set().union(*self.track("written", process).values[a + 1:b + 1])
        quiet, changed, counts = self.head["rules"]["quiet"], self.head["rules"]["changed"], {}
        for page in track.pages:
            before, now = values.get(page, 0), track.values[b].get(page, 0)
            gone = page in replaced and not now
            before = 0 if page in replaced and now else before
            letter = changed[(((0 if gone else memory(page)) * 2 + (page in moved)) * states + before) * states + now]
            name = self.classes[ord(letter) - 65]
            if page in written and letter == quiet[now]:
                name = "written"
            counts[name] = counts.get(name, 0) + 1
        return counts
