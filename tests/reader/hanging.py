"""Files whose snapshots hang on few others, each of them at the end of a chain: what takes longest to read, if each goes
down its chain.  As a program: hanging.py SNAPSHOTS DEPTH CHAINS > FILE
"""

import sys
import zlib

import vmswrite
from json_inputs import EVERYTHING, HEAP, PROCESS, run, snapshot, vma

PAGE = 4096
SECOND = 10**9


def at_second(second, pages):
    identity = dict(PROCESS, known=EVERYTHING, taken=10**18 + second * SECOND, monotonic=10**12 + second * SECOND)
    return snapshot(identity, vmas=[vma(HEAP, HEAP + 0x1000000, "rw-p", b"[heap]")],
                    runs=[run(HEAP, pages, "present exclusive", pfn=0x8000)])


class File:
    """Parts that become one in the end: it may be large."""

    def __init__(self):
        head = vmswrite.Stream()
        head.header()
        self.parts, self.size, self.count = [head.data], len(head.data), 0

    def _end(self, stream):
        crc = zlib.crc32(b"".join(stream.heads))
        stream.end()
        begin = self.size
        self.parts.append(stream.data)
        self.size += len(stream.data)
        self.count += 1
        return begin, crc

    def whole(self):
        stream = vmswrite.Stream()
        for kind, payload in vmswrite.sections(at_second(self.count, 8)):
            stream.section(kind, payload)
        return (*self._end(stream), 0)

    def difference(self, base):
        """One page more, at a place of its own."""
        begin, crc, depth = base
        finding = vmswrite.snap_parts(dict(vmswrite.sections(at_second(self.count, 8)))[b"SNAP"])[0]
        page = run(HEAP + PAGE * (16 + self.count % 2048), 1, "present exclusive", pfn=0x10000 + self.count)
        stream = vmswrite.Stream()
        stream.section(b"SNAP", finding)
        stream.section(b"DELT", vmswrite.delta(self.size - begin, crc, pages=[vmswrite.pages([page], PAGE).bytes()],
                                               depth=depth + 1))
        return (*self._end(stream), depth + 1)

    def bytes(self):
        return b"".join(self.parts)


def hanging(snapshots, depth, chains):
    """So many chains of one snapshot less than is deep, then what hangs on their ends, on each in turn."""
    file = File()
    ends = []
    for _ in range(chains):
        last = file.whole()
        for _ in range(depth - 1):
            last = file.difference(last)
        ends.append(last)
    while file.count < snapshots:
        file.difference(ends[file.count % chains])
    return file.bytes()


if __name__ == "__main__":
    sys.stdout.buffer.write(hanging(*map(int, sys.argv[1:])))
