"""What only the library prints, not the command, as JSON.

    python3 vmsprint.py LIBVMSNAP names                    every enumerated name, by kind
    python3 vmsprint.py LIBVMSNAP history ADDRESS FILE...  vmsnap_print_history()
    python3 vmsprint.py LIBVMSNAP snapshots FILE...        vmsnap_print_snapshots()
    python3 vmsprint.py LIBVMSNAP values SYSROOT FILE ADDRESS  vmsnap_print_values(), of a variable at ADDRESS
    python3 vmsprint.py LIBVMSNAP value SYSROOT FILE ADDRESS   vmsnap_print_page() of that, where it is known what it held
    python3 vmsprint.py LIBVMSNAP blocks SYSROOT FILE ADDRESS  the first of them, of a heap of malloc's at ADDRESS
    python3 vmsprint.py LIBVMSNAP written FILE...          vmsnap_print_written(), of the first snapshot
    python3 vmsprint.py LIBVMSNAP dump START END FILE...   vmsnap_print_dump(), of the first snapshot and of the second
                                                           if there are two files, where START's page holds something

All snapshots of each file are taken; the last two once more, the first of them named,
the second only peeked at.
"""

import ctypes
import json
import sys
from ctypes import byref, c_bool, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p

import vmslib

WRITE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)


class Style(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("color", c_int), ("width", c_uint)]
    _fields_ += [(name, c_bool) for name in ("unicode", "json", "raw", "bytes", "no_headings")]
    _fields_ += [("columns", c_char_p), ("sort", c_char_p)]


class Output(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("style", Style), ("write", WRITE), ("ctx", c_void_p)]
    _fields_ += [("cancelled", c_void_p), ("cancel_ctx", c_void_p)]


def names_of(function):
    """All names, up to the first number that has none."""
    function.restype, function.argtypes = c_char_p, [c_int]
    nothing, found = function(-1), []
    while function(len(found)) not in (None, nothing):
        found.append(function(len(found)).decode())
    return found


def all_names(lib):
    kinds = ("vma_change", "page_change", "verdict", "aslr_kind", "aslr_difference")
    found = {kind: names_of(getattr(lib, f"vmsnap_{kind}_name")) for kind in kinds}
    return json.dumps(found)


def load_all(lib, paths):
    snaps, names, error = [], [], vmslib.Error()
    for path in paths:
        file = c_void_p()
        assert not lib.vmsnap_file_open(path.encode(), None, byref(file), byref(error)), error.message
        for index in range(lib.vmsnap_file_count(file)):
            snap = c_void_p()
            assert not lib.vmsnap_file_load(file, index, byref(snap), byref(error)), error.message
            snaps.append(snap)
            names.append(None)
        peeked = c_void_p()
        assert not lib.vmsnap_file_peek(file, lib.vmsnap_file_count(file) - 1, byref(peeked), byref(error))
        lib.vmsnap_file_close(file)
    return snaps + [snaps[-1], peeked], names + [b"named", None]


def added(lib, builder, start, page, error):
    return lib.vmsnap_builder_add_contents(builder, None, c_uint64(start), page, c_size_t(len(page)), byref(error))


def with_contents(lib, path, start):
    snaps, _ = load_all(lib, [path])
    builder, made, error = c_void_p(), c_void_p(), vmslib.Error()
    lib.vmsnap_info.restype = lib.vmsnap_vma.restype = c_void_p
    size = c_size_t(ctypes.sizeof(vmslib.Info))
    assert not lib.vmsnap_builder_new_sized(c_void_p(lib.vmsnap_info(snaps[0])), size, byref(builder), byref(error))
    for index in range(lib.vmsnap_vma_count(snaps[0])):
        vma = c_void_p(lib.vmsnap_vma(snaps[0], c_size_t(index)))
        assert not lib.vmsnap_builder_add_vma_sized(builder, vma, c_size_t(ctypes.sizeof(vmslib.Vma)), byref(error))
    page = bytes(range(256)) * 16
    assert not added(lib, builder, start, page, error), error.message
    assert not lib.vmsnap_builder_finish(builder, byref(made), byref(error)), error.message
    return made


def dumped(lib, start, end, paths):
    one, *other = [with_contents(lib, path, start) for path in paths]
    return printed_of(lib, lib.vmsnap_print_dump, one, other[0] if other else None, c_uint64(start), c_uint64(end))


def printed(lib, function, snaps, names, *rest):
    count = len(snaps)
    return printed_of(lib, function, (c_void_p * count)(*snaps), (c_char_p * count)(*names), c_size_t(count), *rest)


def printed_of(lib, function, *args):
    parts, error = [], vmslib.Error()

    def write(_, text, length):
        parts.append(ctypes.string_at(text, length))
        return 0

    style = Style(size=ctypes.sizeof(Style), unicode=True, json=True)
    out = Output(size=ctypes.sizeof(Output), style=style, write=WRITE(write))
    function.restype = c_int
    assert not function(*args, byref(out), byref(error)), error.message
    return b"".join(parts).decode()


class ValueOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("names", c_void_p), ("cancelled", c_void_p), ("cancel_ctx", c_void_p),
                ("each_most", c_uint64)]


def heap_of(page_size, value):
    """A page that is all of malloc's heap: a block of 104 bytes with this byte in it, and what is left."""
    there = bytearray(page_size)
    there[8:16] = (0x70 | 1).to_bytes(8, "little")
    there[0x78:0x80] = (page_size - 0x70 | 1).to_bytes(8, "little")
    there[32] = value
    return there


def with_byte(lib, snap, address, value, heap=False):
    """The same process with the mapping of one address, and this byte there; heap: a page of its own there."""
    made, builder, error = c_void_p(), c_void_p(), vmslib.Error()
    info = lib.vmsnap_info(snap)
    vma = lib.vmsnap_vma_at(snap, c_uint64(address))
    if heap:
        page_size = info.contents.page_size
        own = vmslib.Vma(start=address, end=address + page_size, perms=3, name=b"[heap]")
        vma = ctypes.cast(ctypes.pointer(own), c_void_p)
    sizes = [c_size_t(lib.vmsnap_struct_size(which)) for which in (0, 1)]
    page = address & -info.contents.page_size
    bytes_there = bytearray(info.contents.page_size)
    bytes_there[address - page] = value
    bytes_there = heap_of(len(bytes_there), value) if heap else bytes_there
    for rc in (lib.vmsnap_builder_new_sized(info, sizes[0], byref(builder), byref(error)),
               lib.vmsnap_builder_add_vma_sized(builder, vma, sizes[1], byref(error)),
               lib.vmsnap_builder_add_contents(builder, None, c_uint64(page), bytes(bytes_there),
                                               c_size_t(len(bytes_there)), byref(error)),
               lib.vmsnap_builder_finish(builder, byref(made), byref(error))):
        assert not rc, error.message
    return made


def values(lib, sysroot, path, address, page=False, heap=False):
    lib.vmsnap_vma_at.restype = c_void_p
    lib.vmsnap_vma_at.argtypes = [c_void_p, c_uint64]
    lib.vmsnap_builder_add_vma_sized.argtypes = [c_void_p, c_void_p, c_size_t, c_void_p]
    error, names, diff = vmslib.Error(), c_void_p(), c_void_p()
    snap = load_all(lib, [path])[0][0]
    a, b = (with_byte(lib, snap, address, value, heap) for value in (5, 8))
    assert not lib.vmsnap_names_new(b, sysroot.encode(), byref(names), byref(error)), error.message
    options = ValueOptions(size=ctypes.sizeof(ValueOptions), names=names)
    if not page:
        assert not lib.vmsnap_value_diff_new(a, b, byref(options), byref(diff), byref(error)), error.message
    parts = []

    def write(_, text, length):
        parts.append(ctypes.string_at(text, length))
        return 0

    out = Output(size=ctypes.sizeof(Output), style=Style(size=ctypes.sizeof(Style), unicode=True, json=True),
                 write=WRITE(write))
    failed = lib.vmsnap_print_page(b, names, c_uint64(address), byref(out), byref(error)) if page else \
        lib.vmsnap_print_values(diff, byref(out), byref(error))
    assert not failed, error.message
    return b"".join(parts).decode()


def main(argv):
    lib, what = vmslib.library(argv[1]), argv[2]
    if what == "names":
        print(all_names(lib))
    elif what == "dump":
        print(dumped(lib, int(argv[3], 16), int(argv[4], 16), argv[5:]))
    elif what == "history":
        print(printed(lib, lib.vmsnap_print_history, *load_all(lib, argv[4:]), c_uint64(int(argv[3], 16))))
    elif what in ("values", "value", "blocks"):
        print(values(lib, argv[3], argv[4], int(argv[5], 16), what == "value", what == "blocks"))
    elif what == "written":
        print(printed_of(lib, lib.vmsnap_print_written, load_all(lib, argv[3:])[0][0], None))
    else:
        print(printed(lib, lib.vmsnap_print_snapshots, *load_all(lib, argv[3:])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
