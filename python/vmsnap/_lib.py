"""Where the library is, and how its functions are called.

    lib().vmsnap_unref(handle)            a plain function
    lib().vmsnap_diff_new(a, b, out)     one that can fail: the struct vmsnap_error
                                         is added here, and VmsnapError raised

Their types are in _header.py.  A function is looked up when it is first called.  One that
is missing means that the library is another version than this package.
"""

import ctypes
import glob
import os
import signal
from ctypes import CFUNCTYPE, POINTER, byref, c_bool, c_int, c_void_p

try:
    from _signal import pthread_sigmask as _sigmask  # signal's makes an enum of each signal, which takes longer than the rest
except ImportError:
    from signal import pthread_sigmask as _sigmask

from vmsnap import VERSION
from vmsnap._header import CHECKED, FUNCTIONS, Error
from vmsnap.errors import VmsnapError

LIBRARY_NAME = "libvmsnap.so.0"


def _raise_if_failed(result, function, arguments):
    if result < 0:
        error = arguments[-1]._obj
        raise VmsnapError(plain(error.message), error.code, error.sys_errno, error.position)
    return result


def struct(kind, **fields):
    """One of _header.py; those that grow from version to version begin with their size."""
    if kind._fields_[0][0] == "size":
        fields["size"] = ctypes.sizeof(kind)
    return kind(**fields)


def check(rc, what):
    """Of a function that only gives a code."""
    if rc < 0:
        raise VmsnapError(what, rc)


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
    before = _sigmask(signal.SIG_BLOCK, ())
    try:
        _sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        return function(*arguments)
    finally:
        _sigmask(signal.SIG_SETMASK, before)


@CFUNCTYPE(c_bool, c_void_p)
def cancelled_by_user(_):
    return interrupted()


def cancellable(options, **fields):
    """One of the structs of options, made to end its work at Ctrl-C."""
    return struct(options, cancelled=cancelled_by_user, **fields)
