"""What the vmsnap file is made of: errors, numbers, columns, the dictionary.

Written from docs/format.md alone, sections 1, 6 and 7.
"""

import functools
import os
import re
import zlib

UINT64 = (1 << 64) - 1


class FormatError(Exception):
    """What a reader says about a file, and where."""

    kind = "error"
    words = "error"

    def __init__(self, offset, message):
        super().__init__("%s at offset %d: %s" % (self.words, offset, message))
        self.offset = offset


class NotSnapshot(FormatError):
    kind = "not_snapshot"
    words = "not a vmsnap file"


class Newer(FormatError):
    kind = "newer"
    words = "written by a newer vmsnap"


class Damaged(FormatError):
    kind = "damaged"
    words = "damaged"


class Truncated(FormatError):
    kind = "truncated"
    words = "truncated"


class TooLarge(FormatError):
    kind = "too_large"
    words = "too large"


class Cursor:
    """Takes numbers and strings from the bytes of one section or column.

    Whatever is wrong is damage at `offset`, where the section's header stands.
    """

    def __init__(self, data, offset, what):
        self.data = data
        self.pos = 0
        self.offset = offset
        self.what = what

    def damaged(self, message):
        return Damaged(self.offset, "%s: %s" % (self.what, message))

    def left(self):
        return len(self.data) - self.pos

    def take(self, count):
        if count > self.left():
            raise self.damaged("%d bytes wanted, %d are left" % (count, self.left()))
        self.pos += count
        return self.data[self.pos - count : self.pos]

    def varint(self):
        value = 0
        for place in range(10):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if byte == 0 and place:
                    raise self.damaged("a varint longer than it need be")
                if value > UINT64:
                    raise self.damaged("a varint above 64 bits")
                return value
        raise self.damaged("a varint of more than 10 bytes")

    def layered(self, count):
        """`count` varints, first bytes first, that use up all the bytes."""
        if count > self.left():
            raise self.damaged("%d values cannot fit in %d bytes" % (count, self.left()))
        values = [0] * count
        going_on = range(count)
        for place in range(10):
            layer = self.take(len(going_on))
            if place and 0 in layer:
                raise self.damaged("a varint longer than it need be")
            for index, byte in zip(going_on, layer):
                values[index] |= (byte & 0x7F) << (7 * place)
            going_on = [index for index, byte in zip(going_on, layer) if byte & 0x80]
        if going_on:
            raise self.damaged("a varint of more than 10 bytes")
        if values and max(values) > UINT64:
            raise self.damaged("a varint above 64 bits")
        self.finish()
        return values

    def string(self):
        end = self.data.find(b"\0", self.pos)
        if end < 0:
            raise self.damaged("a string without its NUL")
        text = self.data[self.pos : end]
        self.pos = end + 1
        return text

    def column(self, name):
        length = self.varint()
        return Cursor(self.take(length), self.offset, "%s, column %s" % (self.what, name))

    def finish(self):
        if self.left():
            raise self.damaged("%d bytes are left over" % self.left())

    # A whole column at once.
    def varints(self, name, count):
        return self.column(name).layered(count)

    def zigzags(self, name, count):
        """Signed differences, as Python's ints."""
        return [-(value + 1) // 2 if value & 1 else value // 2 for value in self.varints(name, count)]

    def strings(self, name, count):
        column = self.column(name)
        if count > column.left():
            raise column.damaged("%d strings cannot fit in %d bytes" % (count, column.left()))
        values = [column.string() for _ in range(count)]
        column.finish()
        return values

    def bytes(self, name, count):
        column = self.column(name)
        if column.left() != count:
            raise column.damaged("%d bytes where %d belong" % (column.left(), count))
        return column.take(count)


@functools.lru_cache(maxsize=None)
def dictionary():
    """The preset dictionary, as it stands in section 6 of the page."""
    source = os.environ.get("VMSNAP_SOURCE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(os.path.join(source, "docs", "format.md"), "rb") as page:
        match = re.search(rb"^```dictionary\n(.*?)^```$", page.read(), re.DOTALL | re.MULTILINE)
    words = match.group(1).replace(b"\\t", b"\t")
    if len(words) != 2941 or zlib.adler32(words) != 0x03708423:
        raise ValueError("the dictionary in docs/format.md is not the one it says it is")
    return words
