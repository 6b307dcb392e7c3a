"""The only place that knows ctypes: where the library is, its types, its functions.

    lib().vmsnap_unref(handle)            a plain function
    lib().vmsnap_diff_new(a, b, out)     one that can fail: the struct vmsnap_error
                                         is added here, and VmsnapError raised

A function is looked up when it is first called.  One that is missing means that the
library is another version than this package.
"""

import ctypes
import glob
import os
import signal
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_int64, c_size_t, c_uint, c_uint32, c_uint64, c_void_p

from vmsnap import VERSION
from vmsnap.errors import VmsnapError

ADDRESS_MAX = (1 << 64) - 1
LIBRARY_NAME = "libvmsnap.so.0"

WRITE_FN = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
CANCELLED_FN = ctypes.CFUNCTYPE(c_bool, c_void_p)


class Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("sys_errno", c_int), ("position", c_uint64), ("message", ctypes.c_char * 512)]


class Run(ctypes.Structure):
    _fields_ = [("start", c_uint64), ("end", c_uint64), ("pfn", c_uint64), ("swap_offset", c_uint64),
                ("swap_type", c_uint32), ("flags", c_uint32)]


class Known(ctypes.Structure):
    _fields_ = [(name, c_uint64, 1) for name in ("pfn", "soft_dirty", "exclusive", "zero", "huge")]


class Info(ctypes.Structure):
    _fields_ = [
        ("pid", c_uint32), ("tgid", c_uint32), ("ppid", c_uint32), ("uid", c_uint32), ("ns_pid", c_uint32),
        ("pid_namespace", c_uint64), ("start_time", c_uint64), ("page_size", c_uint64),
        ("taken", c_int64), ("monotonic", c_int64), ("pause", c_uint64), ("freeze", c_uint32),
        ("consistent", c_bool), ("known", Known),
        ("boot_id", c_char_p), ("host", c_char_p), ("kernel", c_char_p), ("arch", c_char_p), ("comm", c_char_p),
        ("exe", c_char_p), ("label", c_char_p), ("tool", c_char_p), ("reason", c_char_p),
        ("cmdline", c_void_p), ("cmdline_len", c_size_t),
        ("exe_build_id", c_void_p), ("exe_build_id_len", c_size_t),
    ]


class Sums(ctypes.Structure):
    _fields_ = [(name, c_uint64) for name in
                ("size", "resident", "swapped", "exclusive", "zero", "file", "huge", "guard")]


class CapturedName(ctypes.Structure):
    _fields_ = [("address", c_uint64), ("size", c_uint64), ("kind", c_uint32), ("tid", c_uint32),
                ("frame", c_uint32), ("function", c_char_p), ("symbol", c_char_p), ("type", c_char_p)]


class CaptureOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("flags", c_uint), ("label", c_char_p), ("freeze_timeout_ms", c_uint),
                ("cancelled", CANCELLED_FN), ("cancel_ctx", c_void_p), ("reason", c_char_p)]


class Style(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("color", c_int), ("width", c_uint), ("unicode", c_bool), ("json", c_bool),
                ("raw", c_bool), ("bytes", c_bool), ("no_headings", c_bool), ("columns", c_char_p)]


class Output(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("style", Style), ("write", WRITE_FN), ("ctx", c_void_p),
                ("cancelled", CANCELLED_FN), ("cancel_ctx", c_void_p)]


class CompareOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("cancelled", CANCELLED_FN), ("cancel_ctx", c_void_p)]


class SaveOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("flags", c_uint), ("cancelled", CANCELLED_FN), ("cancel_ctx", c_void_p)]


class Limits(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("input_bytes", c_uint64), ("memory", c_uint64),
                ("cancelled", CANCELLED_FN), ("cancel_ctx", c_void_p), ("regular_only", c_bool)]


HANDLE = c_void_p
HANDLE_OUT = POINTER(c_void_p)
SNAPS = POINTER(c_void_p)
NAMES = POINTER(c_char_p)
OUTPUT = POINTER(Output)

# name: (result, arguments).  CHECKED: ends with a struct vmsnap_error *, which is
# not listed, and gives an int that is negative if it failed.
CHECKED = object()
FUNCTIONS = {
    "vmsnap_version": (c_char_p, ()),
    "vmsnap_capture": (CHECKED, (c_int, POINTER(CaptureOptions), HANDLE_OUT)),
    "vmsnap_page_now": (CHECKED, (c_int, c_uint64, POINTER(Run), POINTER(Known))),
    "vmsnap_unref": (None, (HANDLE,)),
    "vmsnap_info": (POINTER(Info), (HANDLE,)),
    "vmsnap_memory": (c_uint64, (HANDLE,)),
    "vmsnap_page_at": (c_int, (HANDLE, c_uint64, POINTER(Run))),
    "vmsnap_sum_sized": (None, (HANDLE, c_uint64, c_uint64, POINTER(Sums), c_size_t)),
    "vmsnap_vma_count": (c_size_t, (HANDLE,)),
    "vmsnap_builder_from": (CHECKED, (HANDLE, HANDLE_OUT)),
    "vmsnap_builder_add_annotations_sized": (CHECKED, (HANDLE, POINTER(CapturedName), c_size_t, c_size_t)),
    "vmsnap_builder_finish": (CHECKED, (HANDLE, HANDLE_OUT)),
    "vmsnap_builder_free": (None, (HANDLE,)),
    "vmsnap_annotation_count": (c_size_t, (HANDLE,)),
    "vmsnap_annotation": (POINTER(CapturedName), (HANDLE, c_size_t)),
    "vmsnap_save_with": (CHECKED, (c_char_p, SNAPS, c_size_t, POINTER(SaveOptions))),
    "vmsnap_file_open": (CHECKED, (c_char_p, POINTER(Limits), HANDLE_OUT)),
    "vmsnap_file_close": (None, (HANDLE,)),
    "vmsnap_file_count": (c_size_t, (HANDLE,)),
    "vmsnap_file_damage": (CHECKED, (HANDLE,)),
    "vmsnap_file_load": (CHECKED, (HANDLE, c_size_t, HANDLE_OUT)),
    "vmsnap_diff_new_with": (CHECKED, (HANDLE, HANDLE, POINTER(CompareOptions), HANDLE_OUT)),
    "vmsnap_diff_free": (None, (HANDLE,)),
    "vmsnap_diff_any": (c_bool, (HANDLE,)),
    "vmsnap_cow_new_with": (CHECKED, (HANDLE, HANDLE, HANDLE, POINTER(CompareOptions), HANDLE_OUT)),
    "vmsnap_cow_free": (None, (HANDLE,)),
    "vmsnap_cow_warning": (c_char_p, (HANDLE,)),
    "vmsnap_names_new": (CHECKED, (HANDLE, c_char_p, HANDLE_OUT)),
    "vmsnap_names_free": (None, (HANDLE,)),
    "vmsnap_names_rebind": (CHECKED, (HANDLE, HANDLE)),
    "vmsnap_names_set_cancelled": (None, (HANDLE, CANCELLED_FN, c_void_p)),
    "vmsnap_names_add_fallback": (CHECKED, (HANDLE, HANDLE)),
    "vmsnap_names_warning": (c_char_p, (HANDLE,)),
    "vmsnap_print_show": (CHECKED, (HANDLE, OUTPUT)),
    "vmsnap_print_pages": (CHECKED, (HANDLE, c_uint64, c_uint64, c_bool, OUTPUT)),
    "vmsnap_print_page": (CHECKED, (HANDLE, HANDLE, c_uint64, OUTPUT)),
    "vmsnap_print_diff": (CHECKED, (HANDLE, HANDLE, c_uint, OUTPUT)),
    "vmsnap_print_cow": (CHECKED, (HANDLE, HANDLE, c_uint, OUTPUT)),
    "vmsnap_print_status": (CHECKED, (HANDLE, HANDLE, OUTPUT)),
    "vmsnap_print_map": (CHECKED, (HANDLE, HANDLE, OUTPUT)),
    "vmsnap_print_snapshots": (CHECKED, (SNAPS, NAMES, c_size_t, OUTPUT)),
    "vmsnap_print_history": (CHECKED, (SNAPS, NAMES, c_size_t, c_uint64, OUTPUT)),
    "vmsnap_print_escaped": (CHECKED, (c_char_p, c_size_t, OUTPUT)),
}


def _raise_if_failed(result, function, arguments):
    if result < 0:
        error = arguments[-1]._obj
        raise VmsnapError(plain(error.message), error.code, error.sys_errno, error.position)
    return result


def plain(raw):
    """Bytes of the library's as text that cannot move a cursor or forge a line: the
    rule of vmsnap_print_escaped(), for where there may be no library."""
    text = raw.decode("utf-8", "surrogateescape")
    return "".join(_plain_character(c) for c in text)


def _plain_character(c):
    if c.isprintable() and c != "\\":
        return c
    return "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogateescape"))


class _Library:
    """Binds a function of the table when it is first asked for."""

    def __init__(self, path):
        self.path = path
        try:
            self._dll = ctypes.CDLL(path)
        except OSError as error:
            raise VmsnapError(f"cannot load the vmsnap library: {error}") from None
        self._check_version()

    def _check_version(self):
        try:
            version = self.vmsnap_version().decode(errors="replace")
        except AttributeError:
            raise VmsnapError(f"{self.path} is not the vmsnap library") from None
        if version != VERSION:
            raise VmsnapError(f"this is the Python module of vmsnap {VERSION}, but {self.path} is version {version}; "
                              "use the one that was installed with that library (in gdb, source its vmsnap.py), or "
                              "name another library in the environment variable VMSNAP_LIB")

    def __getattr__(self, name):
        if name not in FUNCTIONS:
            raise AttributeError(name)
        result, arguments = FUNCTIONS[name]
        try:
            function = self._dll[name]
        except AttributeError:
            if name == "vmsnap_version":
                raise
            raise VmsnapError(f"{self.path} has no {name}: it is not the library of this Python module") from None
        if result is CHECKED:
            function.argtypes = (*arguments, POINTER(Error))
            function.restype = c_int
            function.errcheck = _raise_if_failed
            bound = lambda *given: function(*given, byref(Error()))  # noqa: E731
        else:
            function.argtypes, function.restype = arguments, result
            bound = function
        setattr(self, name, bound)
        return bound


def _needs_sanitizer(path):
    """Such a library ends the program that loads it without the sanitizer's runtime."""
    try:
        with open(path, "rb") as file:
            return b"__asan_init" in file.read()
    except OSError:
        return False


def _installed():
    """Beside an installed package lies a line that says where the library went, as a
    path from here, so that the tree can be moved."""
    here = os.path.dirname(os.path.realpath(__file__))
    try:
        with open(os.path.join(here, "library"), encoding="utf-8") as file:
            return os.path.normpath(os.path.join(here, file.readline().rstrip("\n")))
    except OSError:
        return None


def _built():
    """The newest library that was built below this checkout, if this is one."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    if not os.path.exists(os.path.join(root, "core", "include", "vmsnap.h")):
        return None
    found = [path for pattern in ("build", "build/*")
             for path in glob.glob(os.path.join(glob.escape(root), pattern, "core", LIBRARY_NAME))]
    found = [path for path in found if not _needs_sanitizer(path)]
    return max(found, key=os.path.getmtime, default=None)


def _find():
    chosen = os.environ.get("VMSNAP_LIB")
    if chosen:
        if _needs_sanitizer(chosen) and "asan" not in os.environ.get("LD_PRELOAD", ""):
            raise VmsnapError(f"VMSNAP_LIB: {chosen} was built with a sanitizer and cannot be loaded here")
        return chosen
    return _installed() or _built() or LIBRARY_NAME


_library = None


def lib():
    global _library
    if _library is None:
        _library = _Library(_find())
    return _library


# ---- Ctrl-C -------------------------------------------------------------------
#
# A KeyboardInterrupt inside a function that C has called cannot leave it: Python
# prints "Exception ignored" and goes on.  So SIGINT is held back while the library
# works; whatever of it can be long is given a function that asks whether one is waiting,
# and ends then; it arrives right after the call.

def interrupted():
    return signal.SIGINT in signal.sigpending()


def call_holding_interrupts(function, *arguments):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        return function(*arguments)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@CANCELLED_FN
def cancelled_by_user(_):
    return interrupted()


def cancellable(options, **fields):
    """One of the structs of options, made to end its work at Ctrl-C."""
    return options(size=ctypes.sizeof(options), cancelled=cancelled_by_user, **fields)


# ---- ptrace -------------------------------------------------------------------

_PTRACE_GETEVENTMSG = 0x4201
_ptrace = None


def event_message(tid):
    """What the kernel tells a debugger about the event at which its thread tid stands:
    at a fork the child's pid.  None if it is not ours, or runs.  gdb traces with the
    thread that runs Python, and ptrace obeys no other."""
    global _ptrace
    if _ptrace is None:
        _ptrace = ctypes.CDLL(None)["ptrace"]
        _ptrace.restype = ctypes.c_long
        _ptrace.argtypes = (ctypes.c_long, ctypes.c_long, c_void_p, c_void_p)
    message = ctypes.c_ulong(0)
    return message.value if _ptrace(_PTRACE_GETEVENTMSG, tid, None, byref(message)) == 0 else None
