"""record_capture.py LIBRARY FOLDER FILE [--smaps] - captures a recorded process folder through the
library's API and saves it.  A process of its own, because a library that was built
with sanitizers must be loaded before anything else."""

import ctypes
import os
import sys


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("sys_errno", ctypes.c_int), ("position", ctypes.c_uint64),
                ("message", ctypes.c_char * 512)]


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("flags", ctypes.c_uint)]


SMAPS = 2


def main():
    library, folder, path, *smaps = sys.argv[1:]
    options = Options(ctypes.sizeof(Options), SMAPS if smaps else 0)
    vmsnap = ctypes.CDLL(library)
    vmsnap.vmsnap_unref.argtypes = [ctypes.c_void_p]
    error, snapshot = Error(), ctypes.c_void_p()
    procdir = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    code = vmsnap.vmsnap_capture_at(procdir, ctypes.byref(options), ctypes.byref(snapshot), ctypes.byref(error))
    if not code:
        snapshots = (ctypes.c_void_p * 1)(snapshot)
        code = vmsnap.vmsnap_save(os.fsencode(path), snapshots, ctypes.c_size_t(1), 0, ctypes.byref(error))
        vmsnap.vmsnap_unref(snapshot)
    if code:
        print(f"{code} {error.position} {error.message.decode(errors='replace')}")
    return -code


if __name__ == "__main__":
    sys.exit(main())
