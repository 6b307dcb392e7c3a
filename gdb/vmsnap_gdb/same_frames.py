"""Frames of a thread that lie, at a hit of a breakpoint, as they lay at an earlier one: gdb is not asked for them again.

To unwind three frames takes gdb 0.1 ms.  It does so by the registers, the code's unwind tables, and those words of the
stack that lead from one frame to the next: return addresses, and places in the stack (saved frame pointers, and where
a stack that was realigned comes from).  So where the thread stands at the same code address with the same stack pointer,
and each register and each word of these frames that led into the stack or to code then is what it was, gdb would find
the same frames; and variables at fixed places in them are where they were.

Of threads of this machine's processes, x86-64.  Nothing is kept beyond a stop, or when symbols come and go: from hit to
hit nobody gives commands."""

import bisect
import collections
import struct

import gdb

from vmsnap import Perm
from vmsnap_gdb import code_pages, tracing

_MOST = 1000           # shapes
_MOST_BYTES = 16384    # of frames
_ABOVE = 256           # of an outermost frame, whose end is not known, beyond its variables and its frame pointer
_CHANCES = 16          # of one code address whose frames never lie as they lay
_WORD = 8
_X86_64 = "i386:x86-64"

# names: what was told; frames: bytes of them; mask, held: of the registers' bytes and then theirs, as a number.
_Shape = collections.namedtuple("_Shape", "names frames mask held")

_shapes = {}   # (pid, tid, depth, code address, stack pointer) -> _Shape
_chances = collections.Counter()  # by code address: what was used up
_memory = {}   # by pid
_leading = None  # (snapshot, [start, end, start, end, …] of its code)
_watching = False


def _forget(event=None):
    global _leading
    _leading = None
    for each in (_shapes, _chances, _memory):
        each.clear()


def _watch():
    global _watching
    for name in () if _watching else ("stop", "exited", "before_prompt", "new_objfile", "free_objfile", "clear_objfiles"):
        if hasattr(gdb.events, name):
            getattr(gdb.events, name).connect(_forget)
    _watching = True


def registers(thread):
    """Of a thread that stands: a tracing.Registers; None: not known, or gdb shows others than it has."""
    return tracing.registers(thread.ptid[1]) if gdb.current_recording() is None else None


def names(thread, depth, now):
    """What was told of its frames when they lay as they lie; None: ask gdb.  now: its registers."""
    shape = _shapes.get((*thread.ptid[:2], depth, now.pc, now.sp))
    number = shape and _number(thread.ptid[0], now, shape.frames)
    if number is None or number & shape.mask != shape.held:
        return None
    _chances[now.pc] = 0
    return shape.names


def keep(thread, depth, now, snapshot, outermost, found):
    """What was told, all of it at fixed places, in frames up to `outermost`."""
    _watch()
    if _chances[now.pc] >= _CHANCES or outermost.architecture().name() != _X86_64:
        return
    _chances[now.pc] += 1
    length = _end(outermost, found) - now.sp
    stack = snapshot.mapping_at(now.sp)
    if stack is None or now.sp % _WORD or not 0 <= length <= min(_MOST_BYTES, stack.end - now.sp):
        return
    held = _number(thread.ptid[0], now, length)
    if held is None:
        return
    mask = _mask(held, tracing.KEPT_BYTES + length, snapshot, stack)
    if len(_shapes) >= _MOST:
        _shapes.clear()
    _shapes[(*thread.ptid[:2], depth, now.pc, now.sp)] = _Shape(found, length, mask, held & mask)


def _end(outermost, found):
    """Where the outermost frame ends, as far as it matters."""
    caller = outermost.older()
    if caller is not None:
        end = int(caller.read_register("rsp"))
    else:
        end = max([int(outermost.read_register(name)) for name in ("rsp", "rbp")] + [each.address + each.size for each in found])
        end += _ABOVE
    return -(-end // _WORD) * _WORD


def _number(pid, now, length):
    """The registers' bytes and those of the stack; None if they cannot be read."""
    memory = _memory.get(pid)
    if memory is None:
        memory = _memory[pid] = code_pages.Memory(pid)
    stack = memory.read(now.sp, length)
    return None if stack is None or len(stack) != length else int.from_bytes(now.kept + stack, "little")


def _mask(held, size, snapshot, stack):
    """Of the words that lead into the stack or to code."""
    code = _code(snapshot)
    words = struct.unpack(f"<{size // _WORD}Q", held.to_bytes(size, "little"))
    leads = [stack.start <= word < stack.end or bisect.bisect_right(code, word) % 2 for word in words]
    return int.from_bytes(b"".join(b"\xff" * _WORD if each else bytes(_WORD) for each in leads), "little")


def _code(snapshot):
    global _leading
    if _leading is None or not snapshot.has_code_of(_leading[0]):
        code = [mapping for mapping in snapshot.mappings if mapping.perms & Perm.EXEC]
        _leading = snapshot, [end for mapping in code for end in (mapping.start, mapping.end)]
    return _leading[1]
