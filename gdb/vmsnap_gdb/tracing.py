"""What the kernel tells a debugger of a thread that stands: ptrace, past gdb.

gdb traces with the thread that runs Python, and ptrace obeys no other.  Nothing is changed.
"""

import ctypes

_PEEKUSER, _GETEVENTMSG = 3, 0x4201
_ptrace = None


def _call(request, tid, address, data):
    global _ptrace
    if _ptrace is None:
        _ptrace = ctypes.CDLL(None, use_errno=True)["ptrace"]
        _ptrace.restype = ctypes.c_long
        _ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    ctypes.set_errno(0)
    result = _ptrace(request, tid, address, data)
    return None if result == -1 and ctypes.get_errno() else result


def event_message(tid):
    """About the event at which it stands: at a fork the child's number.  None if it is not ours, or runs."""
    message = ctypes.c_ulong(0)
    return None if _call(_GETEVENTMSG, tid, None, ctypes.byref(message)) is None else message.value


def word_of_user(tid, offset):
    """A word of its struct user, with its registers; None as above."""
    word = _call(_PEEKUSER, tid, offset, None)
    return None if word is None else word & 0xFFFFFFFFFFFFFFFF
