"""Reads vmsnap files through libvmsnap, by ctypes, in the form that vmsfile.py uses.

    python3 vmslib.py LIBVMSNAP FILE...     prints {file: what is said of it} as JSON

Run as a program of its own, so that a crash of the library is not the test's, and
a library with sanitizers can have its runtime loaded first.
"""

import ctypes
import json
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

import vmsfile

KINDS = {-11: "not_snapshot", -12: "newer", -13: "damaged", -14: "truncated", -15: "too_large"}
KNOWN = ("pfn", "soft_dirty", "exclusive", "zero", "huge", "exclusive_huge")
# Those that are left out of what is read where they say nothing.
SELDOM = ("cgroup", "machine_hash", "page_size_assumed", "build_ids_proved")
FLAGS = ("soft_dirty", "exclusive", "uffd_wp", "guard", "zero", "huge", "file", "swapped", "present")
NAME_KINDS = ("local", "argument", "thread_local", "other", "touched")
NO_VALUE = (1 << 64) - 1


class Error(ctypes.Structure):
    _fields_ = [
        ("code", c_int),
        ("sys_errno", c_int),
        ("position", c_uint64),
        ("message", ctypes.c_char * 512),
    ]

    def outcome(self):
        return {"error": KINDS.get(self.code, str(self.code)), "offset": self.position}


class Known(ctypes.Structure):
    _fields_ = [(name, c_uint64, 1) for name in KNOWN] + [("written", c_uint64, 2), ("states_unknown", c_uint64, 1)]


class Info(ctypes.Structure):
    _fields_ = [
        ("pid", c_uint32),
        ("tgid", c_uint32),
        ("ppid", c_uint32),
        ("uid", c_uint32),
        ("ns_pid", c_uint32),
        ("pid_namespace", c_uint64),
        ("start_time", c_uint64),
        ("page_size", c_uint64),
        ("taken", c_int64),
        ("monotonic", c_int64),
        ("pause", c_uint64),
        ("freeze", c_uint32),
        ("consistent", c_bool),
        ("known", Known),
        ("boot_id", c_char_p),
        ("host", c_char_p),
        ("kernel", c_char_p),
        ("machine", c_char_p),
        ("comm", c_char_p),
        ("exe", c_char_p),
        ("label", c_char_p),
        ("tool", c_char_p),
        ("reason", c_char_p),
        ("cmdline", c_void_p),
        ("cmdline_len", c_size_t),
        ("exe_build_id", c_void_p),
        ("exe_build_id_len", c_size_t),
        ("faults", c_uint64),
        ("swap_in_use", c_uint64),
        ("page_size_assumed", c_bool),
        ("cgroup", c_char_p),
        ("unit", c_char_p),
        ("container", c_char_p),
        ("machine_hash", c_char_p),
        ("start_code", c_uint64),
        ("start_stack", c_uint64),
        ("arg_start", c_uint64),
        ("memory_with", POINTER(c_uint32)),
        ("memory_with_count", c_size_t),
        ("memory_known", c_bool),
        ("boottime", c_uint64),
        ("page_moves", c_uint64),
        ("zero_pfn", c_uint64),
        ("build_ids_proved", c_bool),
        ("contents_left_out", c_uint64),
        ("written_since", c_int64),
        ("contents_copied", c_uint64),
        ("precopy", c_uint32),
        ("kpage_read", c_int64),
        ("contents_told", c_uint32),
        ("contents_told_bytes", c_uint64),
        ("source", c_uint32),
        ("signal", c_uint32),
        ("known_until", c_uint64),
        ("executed", c_uint32),
    ]


class Vma(ctypes.Structure):
    _fields_ = [
        ("start", c_uint64),
        ("end", c_uint64),
        ("offset", c_uint64),
        ("inode", c_uint64),
        ("dev_major", c_uint32),
        ("dev_minor", c_uint32),
        ("perms", c_uint32),
        ("deleted", c_bool),
        ("name", c_char_p),
        ("build_id", c_void_p),
        ("build_id_len", c_size_t),
    ]


class Run(ctypes.Structure):
    _fields_ = [
        ("start", c_uint64),
        ("end", c_uint64),
        ("pfn", c_uint64),
        ("swap_offset", c_uint64),
        ("swap_type", c_uint32),
        ("flags", c_uint32),
    ]


class RunIter(ctypes.Structure):
    _fields_ = [("snap", c_void_p), ("at", c_uint64), ("end", c_uint64), ("index", c_size_t)]


class Thread(ctypes.Structure):
    _fields_ = [("tid", c_uint32), ("stack_pointer", c_uint64), ("comm", c_char_p), ("missed", c_bool)]


class Name(ctypes.Structure):
    _fields_ = [
        ("address", c_uint64),
        ("size", c_uint64),
        ("kind", c_uint32),
        ("tid", c_uint32),
        ("frame", c_uint32),
        ("function", c_char_p),
        ("symbol", c_char_p),
        ("type", c_char_p),
    ]


class LayerRange(ctypes.Structure):
    _fields_ = [("start", c_uint64), ("end", c_uint64), ("value", c_uint64)]


class Fault(ctypes.Structure):
    _fields_ = [
        ("time", c_uint64),
        ("address", c_uint64),
        ("ip", c_uint64),
        ("pid", c_int32),
        ("tid", c_int32),
        ("stack", c_uint32),
        ("syscall", c_int32),
        ("kind", c_uint8),
        ("flags", c_uint8),
    ]


class FaultsInfo(ctypes.Structure):
    _fields_ = [
        ("begin", c_uint64),
        ("end", c_uint64),
        ("count", c_uint64),
        ("lost", c_uint64),
        ("stacks", c_uint64),
        ("memory", c_uint64),
        ("flags", c_uint32),
        ("pid", c_uint32),
    ]


class FaultObject(ctypes.Structure):
    _fields_ = [
        ("path", c_char_p),
        ("build_id", c_void_p),
        ("build_id_len", c_size_t),
        ("start", c_uint64),
        ("end", c_uint64),
        ("offset", c_uint64),
    ]


class FaultCode(ctypes.Structure):
    _fields_ = [
        ("address", c_uint64),
        ("pid", c_uint32),
        ("line", c_uint32),
        ("begin", c_uint64),
        ("function", c_char_p),
        ("file", c_char_p),
        ("object", c_uint32),
    ]


class FaultEvent(ctypes.Structure):
    _fields_ = [("time", c_uint64), ("pid", c_int32), ("child", c_int32), ("kind", c_int)]


class MemoryEvent(ctypes.Structure):
    _fields_ = [("time", c_uint64), ("start", c_uint64), ("end", c_uint64), ("to", c_uint64), ("pid", c_int32), ("kind", c_int)]


class FaultThread(ctypes.Structure):
    _fields_ = [("pid", c_int32), ("tid", c_int32), ("comm", c_char_p)]


LAYER_WRITTEN, LAYER_KPAGE_FLAGS, LAYER_KPAGE_COUNT, LAYER_NODE, LAYER_DUMPED = range(1, 6)

FUNCTIONS = {
    "vmsnap_file_open": (c_int, [c_char_p, c_void_p, POINTER(c_void_p), POINTER(Error)]),
    "vmsnap_file_close": (None, [c_void_p]),
    "vmsnap_file_count": (c_size_t, [c_void_p]),
    "vmsnap_file_damage": (c_int, [c_void_p, POINTER(Error)]),
    "vmsnap_file_load": (c_int, [c_void_p, c_size_t, POINTER(c_void_p), POINTER(Error)]),
    "vmsnap_file_peek": (c_int, [c_void_p, c_size_t, POINTER(c_void_p), POINTER(Error)]),
    "vmsnap_unref": (None, [c_void_p]),
    "vmsnap_info": (POINTER(Info), [c_void_p]),
    "vmsnap_vma_count": (c_size_t, [c_void_p]),
    "vmsnap_vma": (POINTER(Vma), [c_void_p, c_size_t]),
    "vmsnap_run_iter_init": (None, [POINTER(RunIter), c_void_p, c_uint64, c_uint64]),
    "vmsnap_run_next": (c_int, [POINTER(RunIter), POINTER(Run)]),
    "vmsnap_types": (c_void_p, [c_void_p, POINTER(c_size_t)]),
    "vmsnap_status_text": (c_void_p, [c_void_p, POINTER(c_size_t)]),
    "vmsnap_thread_count": (c_size_t, [c_void_p]),
    "vmsnap_thread": (POINTER(Thread), [c_void_p, c_size_t]),
    "vmsnap_smaps_key_count": (c_size_t, [c_void_p]),
    "vmsnap_smaps_key": (c_char_p, [c_void_p, c_size_t]),
    "vmsnap_smaps_value": (c_uint64, [c_void_p, c_size_t, c_size_t]),
    "vmsnap_smaps_text": (c_char_p, [c_void_p, c_size_t, c_size_t]),
    "vmsnap_smaps_flags": (c_char_p, [c_void_p, c_size_t]),
    "vmsnap_layer_range": (c_int, [c_void_p, c_int, c_size_t, POINTER(LayerRange)]),
    "vmsnap_annotation_count": (c_size_t, [c_void_p]),
    "vmsnap_annotation": (POINTER(Name), [c_void_p, c_size_t]),
}


def library(path):
    lib = ctypes.CDLL(path)
    for name, (restype, argtypes) in FUNCTIONS.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = restype, argtypes
    return lib


def identity(lib, snap):
    info = lib.vmsnap_info(snap).contents
    made = {}
    for name, _ in Info._fields_:
        if not name.endswith("_len"):
            made[name] = getattr(info, name)
    made["consistent"] = int(info.consistent)
    if info.faults == (1 << 64) - 1:
        del made["faults"]  # unknown
    if info.swap_in_use == (1 << 64) - 1:
        del made["swap_in_use"]
    for name in ("contents_left_out", "contents_copied", "precopy"):  # not told in a file
        del made[name]
    del made["unit"], made["container"]  # made of the path of its cgroup
    for name in SELDOM:
        made[name] = int(made[name]) if isinstance(made[name], bool) else made[name]
        if not made[name]:
            del made[name]
    for name in ("start_code", "start_stack", "arg_start", "boottime", "page_moves", "zero_pfn"):
        if not made[name]:
            del made[name]  # unknown
    del made["memory_with"], made["memory_with_count"]
    if made.pop("memory_known"):
        made["memory_with"] = info.memory_with[:info.memory_with_count] if info.memory_with_count else []
    for name in ("written_since", "kpage_read", "contents_told", "contents_told_bytes", "source", "signal", "known_until", "executed"):
        if not made[name]:
            del made[name]
    if info.known.states_unknown:
        made["states_unknown"] = 1
    if info.known.written:
        made["written"] = info.known.written
    made["known"] = [name for name in KNOWN if getattr(info.known, name)]
    made["cmdline"] = ctypes.string_at(info.cmdline, info.cmdline_len) if info.cmdline is not None else None
    build_id = info.exe_build_id
    made["exe_build_id"] = ctypes.string_at(build_id, info.exe_build_id_len).hex() if build_id is not None else None
    return made


def vmas(lib, snap):
    made = []
    for index in range(lib.vmsnap_vma_count(snap)):
        vma = lib.vmsnap_vma(snap, index).contents
        perms = "".join(letter if vma.perms >> bit & 1 else "-" for bit, letter in enumerate("rwx"))
        build_id = vma.build_id
        made.append(
            {
                "start": vma.start,
                "end": vma.end,
                "perms": perms + ("s" if vma.perms & 8 else "p"),
                "offset": vma.offset,
                "device": [vma.dev_major, vma.dev_minor],
                "inode": vma.inode,
                "name": vma.name,
                "build_id": ctypes.string_at(build_id, vma.build_id_len).hex() if build_id is not None else None,
            }
        )
    return made


def runs(lib, snap, page_size, pfn_known):
    it, run, made = RunIter(), Run(), []
    lib.vmsnap_run_iter_init(byref(it), snap, 0, (1 << 64) - 1)
    while lib.vmsnap_run_next(byref(it), byref(run)) == 0:
        flags = [name for bit, name in enumerate(FLAGS) if run.flags >> bit & 1]
        pfn = run.pfn if pfn_known and "present" in flags else None
        swap = {"type": run.swap_type, "offset": run.swap_offset} if pfn_known and "swapped" in flags else None
        pages = (run.end - run.start) // page_size
        made.append({"start": run.start, "pages": pages, "flags": flags, "pfn": pfn, "swap": swap})
    return made


def threads(lib, snap):
    rows = [lib.vmsnap_thread(snap, index).contents for index in range(lib.vmsnap_thread_count(snap))]
    return [
        {"tid": row.tid, "stack_pointer": row.stack_pointer, "comm": row.comm, "missed": row.missed} for row in rows
    ]


def smaps(lib, snap):
    vma_count = lib.vmsnap_vma_count(snap)
    keys = []
    for key in range(lib.vmsnap_smaps_key_count(snap)):
        values = [lib.vmsnap_smaps_value(snap, vma, key) for vma in range(vma_count)]
        values = [None if value == NO_VALUE else value for value in values]
        keys.append({"key": lib.vmsnap_smaps_key(snap, key), "values": values})
    if not keys:
        return None
    made = {"keys": keys, "flags": [lib.vmsnap_smaps_flags(snap, vma) for vma in range(vma_count)]}
    cells = ((vma * len(keys) + key, lib.vmsnap_smaps_text(snap, vma, key))
             for vma in range(vma_count) for key in range(len(keys)))
    texts = [[cell, text] for cell, text in cells if text is not None]
    if texts:
        made["texts"] = texts
    return made


def names(lib, snap):
    made = []
    for index in range(lib.vmsnap_annotation_count(snap)):
        name = lib.vmsnap_annotation(snap, index).contents
        row = {field: getattr(name, field) for field, _ in Name._fields_}
        made.append(dict(row, kind=NAME_KINDS[name.kind]))
    return made


def written(lib, snap):
    made, each = [], LayerRange()
    while lib.vmsnap_layer_range(snap, LAYER_WRITTEN, len(made), byref(each)) == 0:
        made.append({"start": each.start, "end": each.end, "written": each.value})
    return made


def layer(lib, snap, which):
    made, each = [], LayerRange()
    while lib.vmsnap_layer_range(snap, which, len(made), byref(each)) == 0:
        made.append([each.start, each.end, each.value])
    return made


def layers(lib, snap):
    """Of those that are known."""
    tables = {name: layer(lib, snap, which)
              for name, which in (("flags", LAYER_KPAGE_FLAGS), ("counts", LAYER_KPAGE_COUNT))
              if lib.vmsnap_layer_known(snap, which)}
    found = {"kpage": tables} if tables else {}
    if lib.vmsnap_layer_known(snap, LAYER_NODE):
        found["nodes"] = layer(lib, snap, LAYER_NODE)
    if lib.vmsnap_layer_known(snap, LAYER_DUMPED):
        found["dumped"] = layer(lib, snap, LAYER_DUMPED)
    return found


def status(lib, snap):
    length = c_size_t()
    text = lib.vmsnap_status_text(snap, byref(length))
    return ctypes.string_at(text, length.value)


def types(lib, snap):
    length = c_size_t()
    found = lib.vmsnap_types(snap, byref(length))
    return ctypes.string_at(found, length.value) if found else b""


def each(function, kind, *arguments):
    """What is given by index, until there is no more."""
    function.restype, made = POINTER(kind), []
    while found := function(*arguments, c_size_t(len(made))):
        made.append(found.contents)
    return made


def fault_stack(lib, table, number):
    count = c_size_t()
    lib.vmsnap_faults_stack.restype = POINTER(c_uint64)
    frames = lib.vmsnap_faults_stack(table, c_uint32(number), byref(count))
    return frames[: count.value] if count.value else []


def faults(lib, snap):
    lib.vmsnap_faults_of.restype, lib.vmsnap_faults_info.restype = c_void_p, POINTER(FaultsInfo)
    lib.vmsnap_faults_syscall.restype = c_char_p
    table = c_void_p(lib.vmsnap_faults_of(snap))
    if not table:
        return {}
    info, number, syscalls = lib.vmsnap_faults_info(table).contents, c_int32(), []
    while (name := lib.vmsnap_faults_syscall(table, c_size_t(len(syscalls)), byref(number))) is not None:
        syscalls.append([number.value, name])
    objects = each(lib.vmsnap_faults_object, FaultObject, table)
    memory = [[row.time, row.pid, row.kind, row.start, row.end, row.to]
              for row in each(lib.vmsnap_faults_memory_event, MemoryEvent, table)]
    return {"faults": {
        "watched": [info.begin, info.end],
        "lost": None if info.lost == NO_VALUE else info.lost,
        "flags": info.flags,
        "pid": info.pid,
        "objects": [[row.path, ctypes.string_at(row.build_id, row.build_id_len).hex() if row.build_id else "", row.start,
                     row.end, row.offset] for row in objects],
        "threads": [[row.pid, row.tid, row.comm] for row in each(lib.vmsnap_faults_thread, FaultThread, table)],
        "syscalls": syscalls,
        "code": [[row.address, row.pid, row.begin, row.function, row.file, row.line,
                  None if row.object == (1 << 32) - 1 else row.object]
                 for row in each(lib.vmsnap_faults_code, FaultCode, table)],
        "faults": [[row.time, row.address, row.ip, row.pid, row.tid, fault_stack(lib, table, row.stack), row.syscall,
                    row.kind, row.flags] for row in each(lib.vmsnap_faults_at, Fault, table)],
        "events": [[row.time, row.pid, row.child] for row in each(lib.vmsnap_faults_event, FaultEvent, table)],
        **({"memory_events": memory} if info.flags & 16 or memory else {}),
    }}


def model(lib, snap):
    stored = types(lib, snap)
    who, ranges = identity(lib, snap), written(lib, snap)
    return {
        "identity": who,
        "status": status(lib, snap),
        "vmas": vmas(lib, snap),
        "runs": runs(lib, snap, who["page_size"], "pfn" in who["known"]),
        "threads": threads(lib, snap),
        "smaps": smaps(lib, snap),
        "names": names(lib, snap),
        **({"written": ranges} if ranges else {}),
        **layers(lib, snap),
        **faults(lib, snap),
        **({"types": stored} if stored else {}),
    }


def load(lib, file, index):
    snap, error = c_void_p(), Error()
    if lib.vmsnap_file_load(file, index, byref(snap), byref(error)):
        return error.outcome()
    made = vmsfile.printable(model(lib, snap))
    lib.vmsnap_unref(snap)
    return made


def peek(lib, file, index):
    snap, error = c_void_p(), Error()
    if lib.vmsnap_file_peek(file, index, byref(snap), byref(error)):
        return error.outcome()
    made = vmsfile.printable({"identity": identity(lib, snap), "status": status(lib, snap)})
    lib.vmsnap_unref(snap)
    return made


def read(lib, path):
    file, error = c_void_p(), Error()
    if lib.vmsnap_file_open(path.encode(), None, byref(file), byref(error)):
        return error.outcome()
    count = lib.vmsnap_file_count(file)
    snapshots = [load(lib, file, index) for index in range(count)]
    peeked = [peek(lib, file, index) for index in range(count)]
    damage = error.outcome() if lib.vmsnap_file_damage(file, byref(error)) else None
    lib.vmsnap_file_close(file)
    return {"snapshots": snapshots, "damage": damage, "peeked": peeked}


def main(argv):
    lib = library(argv[1])
    json.dump({path: read(lib, path) for path in argv[2:]}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
