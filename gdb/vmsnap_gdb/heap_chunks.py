"""Blocks of the GNU C library's malloc, from a block that there was before.  Knows no gdb."""

from vmsnap.snapshot import HeapBlock

# Before each block lies its chunk's size, with three bits; a block uses the first word of the next chunk, too.
_WORD, _HEADER, _LEAST = 8, 16, 32
_PREVIOUS_IN_USE, _BITS = 1, 7
_MOST = 10000


def _size(read, chunk):
    """With its bits; 0: not known."""
    return int.from_bytes(read(chunk + _WORD, _WORD), "little")


def now(read, before, address):
    """The HeapBlock that an address lies in now, which lay in the block `before`: that one, or one that was made of
    it.  None: what lies there is no chunk any more."""
    chunk, end = before.address - _HEADER, before.address + before.size
    for _ in range(_MOST):
        size = _size(read, chunk) & ~_BITS
        if size < _LEAST or chunk >= end:
            return None
        if address < chunk + size + _WORD:
            following = _size(read, chunk + size)
            free = before.is_free if not following else not following & _PREVIOUS_IN_USE
            return HeapBlock(chunk + _HEADER, size - _WORD, free) if address >= chunk + _HEADER else None
        chunk += size
    return None
