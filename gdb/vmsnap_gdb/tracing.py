"""What the kernel tells a debugger of a thread that stands: ptrace, past gdb.

gdb traces with the thread that runs Python, and ptrace obeys no other.  Nothing is changed.
"""

import collections
import ctypes
import platform
import struct

_PEEKUSER, _GETREGS, _GETEVENTMSG = 3, 12, 0x4201
_ptrace = None

# Of x86-64, as struct user_regs_struct has them.  kept: the bytes of those that a function keeps for its caller.
Registers = collections.namedtuple("Registers", "kept pc sp fs_base")
KEPT_BYTES = 6 * 8
_REGISTERS = struct.Struct("@48s80xQ16xQ8xQ40x")
_room = ctypes.create_string_buffer(_REGISTERS.size)
_HAS_REGISTERS = platform.machine() == "x86_64"


def _bound():
    global _ptrace
    if _ptrace is None:
        _ptrace = ctypes.CDLL(None, use_errno=True)["ptrace"]
        _ptrace.restype = ctypes.c_long
        _ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    return _ptrace


def _call(request, tid, address, data):
    ptrace = _bound()
    ctypes.set_errno(0)
    result = ptrace(request, tid, address, data)
    return None if result == -1 and ctypes.get_errno() else result


def event_message(tid):
    """About the event at which it stands: at a fork the child's number.  None if it is not ours, or runs."""
    message = ctypes.c_ulong(0)
    return None if _call(_GETEVENTMSG, tid, None, ctypes.byref(message)) is None else message.value


def registers(tid):
    """Registers; None as above, and on other processors."""
    if not _HAS_REGISTERS or _bound()(_GETREGS, tid, None, _room):
        return None
    return Registers(*_REGISTERS.unpack(_room))


def word_of_user(tid, offset):
    """A word of its struct user, with its registers; None as above."""
    word = _call(_PEEKUSER, tid, offset, None)
    return None if word is None else word & 0xFFFFFFFFFFFFFFFF
