"""Snapshots and what can be made of them, as objects.  Knows no gdb.

Every object owns one of the library's and keeps those alive that it borrows from.
"""

import collections
import ctypes
import errno
import os
from ctypes import byref, c_char_p, c_void_p

from vmsnap import _lib, errors, packing
from vmsnap._lib import lib
from vmsnap.errors import VmsnapError

CapturedName = collections.namedtuple("CapturedName", "address size kind tid frame function symbol type")

# enum vmsnap_annotation_kind
LOCAL, ARGUMENT, THREAD_LOCAL, OTHER, TOUCHED = range(5)

# enum vmsnap_page_flag
SOFT_DIRTY, EXCLUSIVE, UFFD_WP, GUARD, ZERO, HUGE, FILE, SWAPPED, PRESENT = (1 << bit for bit in range(9))

# enum vmsnap_freeze
FREEZE_NONE, FREEZE_FULL, FREEZE_DEBUGGER, FREEZE_PARTIAL = range(4)

# enum vmsnap_capture_flag
_NO_FREEZE, _SMAPS = 1, 2
_TOTALS_ONLY, _LONG = 1, 2
_SAVE_REGULAR = 4

# More of one text nobody reads in gdb, and all of it is gathered first.
_TEXT_MOST = 256 << 20


def _bytes(text, what):
    """For a C string: a NUL inside would cut it silently."""
    raw = os.fsencode(text) if isinstance(text, str) else bytes(text)
    if b"\0" in raw:
        raise VmsnapError(f"{what} holds a NUL byte")
    return raw


_strings = packing.Strings(lambda text: _bytes(text, "a captured name"))


def _address(value):
    if not isinstance(value, int) or not 0 <= value <= _lib.ADDRESS_MAX:
        raise VmsnapError(f"{value} is not an address: it has to lie in 0 to 2^64 - 1")
    return value


def _pid(value):
    if not isinstance(value, int) or not 0 < value < 1 << 31:
        raise VmsnapError(f"{value} is not a process")
    return value


class Style:
    """How to print; the fields are those of struct vmsnap_style."""

    def __init__(self, color=0, width=0, unicode=True, json=False, raw=False, bytes=False, no_headings=False,
                 columns=None):
        self.color, self.width, self.unicode, self.json = color, width, unicode, json
        self.raw, self.bytes, self.no_headings, self.columns = raw, bytes, no_headings, columns

    def struct(self):
        columns = None if self.columns is None else _bytes(self.columns, "the list of columns")
        return _lib.Style(ctypes.sizeof(_lib.Style), self.color, self.width, self.unicode, self.json, self.raw,
                          self.bytes, self.no_headings, columns)


JSON = Style(json=True)


def _print(function, *arguments, style):
    """What a vmsnap_print_… function writes, as text.  All of it is gathered first:
    whoever shows it may be interrupted, and C must not be left half-way then."""
    pieces, total = [], 0

    def write(_, text, length):
        nonlocal total
        total += length
        if total > _TEXT_MOST:
            return errno.EFBIG
        try:
            pieces.append(ctypes.string_at(text, length))
        except MemoryError:
            return errno.ENOMEM
        return 0

    output = _lib.cancellable(_lib.Output, style=style.struct(), write=_lib.WRITE_FN(write))
    try:
        _lib.call_holding_interrupts(function, *arguments, byref(output))
    except VmsnapError:
        if total > _TEXT_MOST:
            raise VmsnapError(f"the text is longer than {size_text(_TEXT_MOST)}, too long for gdb: save the snapshot "
                              "and look at the file with the command line") from None
        raise
    return b"".join(pieces).decode("utf-8", "replace")


def escaped(text, style):
    """Text from outside (names, paths) so that it cannot move a cursor or forge a line."""
    raw = os.fsencode(text) if isinstance(text, str) else text
    return _print(lib().vmsnap_print_escaped, raw, len(raw), style=style)


def size_text(count):
    """Bytes in few characters, as the tables have them: 512, 4.00K, 12.5M."""
    if count < 1024:
        return str(count)
    for unit in "KMGT":
        count /= 1024
        if count < 1024 or unit == "T":
            break
    digits = 2 if count < 10 else 1 if count < 100 else 0
    return f"{count:.{digits}f}{unit}"


class _Owned:
    """One object of the library's, freed with this one."""

    _free = None

    def __init__(self, *borrowed):
        self._handle = c_void_p()
        self._borrowed = borrowed

    @property
    def handle(self):
        return self._handle

    def __del__(self):
        # Nothing was made, or the interpreter is going away.
        if getattr(self, "_handle", None) and lib is not None:
            getattr(lib(), self._free)(self._handle)
            self._handle = None


class Snapshot(_Owned):
    """One process's address space at one instant."""

    _free = "vmsnap_unref"

    @classmethod
    def capture(cls, pid, reason="", label="", freeze=True, smaps=False):
        """Now.  Ctrl-C ends it with KeyboardInterrupt."""
        flags = (0 if freeze else _NO_FREEZE) | (_SMAPS if smaps else 0)
        options = _lib.CaptureOptions(ctypes.sizeof(_lib.CaptureOptions), flags, _bytes(label, "the name"), 0,
                                      _lib.cancelled_by_user, None, _bytes(reason, "the reason"))
        made = cls()
        _lib.call_holding_interrupts(lib().vmsnap_capture, _pid(pid), byref(options), byref(made._handle))
        made._read_info()
        return made

    def _read_info(self):
        """The fields of struct vmsnap_info; strings as bytes."""
        self._info = lib().vmsnap_info(self._handle).contents
        self.pid, self.ppid, self.start_time = self._info.pid, self._info.ppid, self._info.start_time

    @property
    def info(self):
        return self._info

    @property
    def label(self):
        return os.fsdecode(self._info.label)

    @property
    def reason(self):
        return os.fsdecode(self._info.reason)

    @property
    def page_size(self):
        return self._info.page_size

    def same_process(self, other):
        """Whether both show one process (it may have executed another program between)."""
        a, b = self._info, other._info
        return (a.pid, a.start_time, a.boot_id) == (b.pid, b.start_time, b.boot_id)

    def add_names(self, names):
        """From now on this is the snapshot with these names, too; what was made of it stays as it is."""
        array, count = packing.packed(names, _strings)
        if not count:
            return
        builder, more = c_void_p(), c_void_p()
        lib().vmsnap_builder_from(self._handle, byref(builder))
        try:
            lib().vmsnap_builder_add_annotations_sized(builder, array, count, ctypes.sizeof(_lib.CapturedName))
            lib().vmsnap_builder_finish(builder, byref(more))
        finally:
            lib().vmsnap_builder_free(builder)
        lib().vmsnap_unref(self._handle)
        self._handle = more
        self._read_info()

    def captured_names(self):
        count = lib().vmsnap_annotation_count(self._handle)
        found = (lib().vmsnap_annotation(self._handle, index).contents for index in range(count))
        return [CapturedName(n.address, n.size, n.kind, n.tid, n.frame, os.fsdecode(n.function),
                             os.fsdecode(n.symbol), os.fsdecode(n.type)) for n in found]

    def has_variables(self):
        """Whether it holds captured names other than the debugger's footprints."""
        count = lib().vmsnap_annotation_count(self._handle)
        return any(lib().vmsnap_annotation(self._handle, index).contents.kind != TOUCHED for index in range(count))

    def page_at(self, address):
        """struct vmsnap_run of one page, or None if it is absent or not mapped."""
        page = _lib.Run()
        return None if lib().vmsnap_page_at(self._handle, _address(address), byref(page)) else page

    def resident(self):
        """Bytes."""
        sums = _lib.Sums()
        lib().vmsnap_sum_sized(self._handle, 0, _lib.ADDRESS_MAX, byref(sums), ctypes.sizeof(sums))
        return sums.resident

    def memory(self):
        """Bytes of ours that it takes."""
        return lib().vmsnap_memory(self._handle)

    def mapping_count(self):
        return lib().vmsnap_vma_count(self._handle)

    def show_text(self, style):
        return _print(lib().vmsnap_print_show, self._handle, style=style)

    def pages_text(self, style, start=0, end=_lib.ADDRESS_MAX, each=False):
        return _print(lib().vmsnap_print_pages, self._handle, _address(start), _address(end), each, style=style)

    def page_text(self, style, address, names=None):
        return _print(lib().vmsnap_print_page, self._handle, names and names.handle, _address(address), style=style)

    def status_text(self, style, other=None):
        return _print(lib().vmsnap_print_status, self._handle, other and other.handle, style=style)

    def map_text(self, style, other=None):
        return _print(lib().vmsnap_print_map, self._handle, other and other.handle, style=style)


def page_now(pid, address):
    """(struct vmsnap_run or None, struct vmsnap_known) of one page of a live process,
    without stopping anything."""
    page, known = _lib.Run(), _lib.Known()
    try:
        lib().vmsnap_page_now(_pid(pid), _address(address), byref(page), byref(known))
    except VmsnapError as error:
        if error.code != errors.NOT_FOUND:
            raise
        return None, known
    return page, known


def page_differs(a, known_a, b, known_b):
    """Whether a diff would tell anything of a page that was `a` (None: absent) and now is
    `b`, on the same machine since it started.  The facts are those of docs/verdicts.md."""
    before, after = a.flags if a else 0, b.flags if b else 0
    if (before ^ after) & (PRESENT | SWAPPED | GUARD) or before & ~after & FILE:
        return True
    watched = ((EXCLUSIVE if known_a.exclusive and known_b.exclusive and before & PRESENT else 0)
               | (ZERO if known_a.zero and known_b.zero and before & ZERO else 0)
               | (SOFT_DIRTY if known_a.soft_dirty and known_b.soft_dirty and after & SOFT_DIRTY else 0))
    if (before ^ after) & watched:
        return True
    if not (known_a.pfn and known_b.pfn):
        return False
    if before & PRESENT:
        return 0 != a.pfn != b.pfn != 0
    return bool(before & SWAPPED) and (a.swap_type, a.swap_offset) != (b.swap_type, b.swap_offset)


class Names(_Owned):
    """Names the addresses of one snapshot at a time."""

    _free = "vmsnap_names_free"

    def __init__(self, snapshot, sysroot=None):
        super().__init__(snapshot)
        where = None if sysroot is None else _bytes(sysroot, "the folder")
        _lib.call_holding_interrupts(lib().vmsnap_names_new, snapshot.handle, where, byref(self._handle))
        lib().vmsnap_names_set_cancelled(self._handle, _lib.cancelled_by_user, None)

    def renew(self, snapshot):
        """From now on of this snapshot; what was read of files is kept."""
        kept = self._borrowed
        self._borrowed = (*kept, snapshot)  # whichever it holds if this fails
        _lib.call_holding_interrupts(lib().vmsnap_names_rebind, self._handle, snapshot.handle)
        self._borrowed = (snapshot,)

    def borrow(self, snapshot):
        """Captured names of another snapshot too."""
        self._borrowed = (*self._borrowed, snapshot)
        lib().vmsnap_names_add_fallback(self._handle, snapshot.handle)

    def warnings(self):
        raw = lib().vmsnap_names_warning(self._handle)
        return [_lib.plain(line) for line in raw.split(b"\n") if line]


def _flags(totals, long_rows):
    return (_TOTALS_ONLY if totals else 0) | (_LONG if long_rows else 0)


class Diff(_Owned):
    """The facts about two snapshots."""

    _free = "vmsnap_diff_free"

    def __init__(self, a, b):
        super().__init__(a, b)
        self.a, self.b = a, b
        options = _lib.cancellable(_lib.CompareOptions)
        _lib.call_holding_interrupts(lib().vmsnap_diff_new_with, a.handle, b.handle, byref(options),
                                     byref(self._handle))

    def any(self):
        return lib().vmsnap_diff_any(self._handle)

    def text(self, style, names=None, totals=False, long_rows=False):
        return _print(lib().vmsnap_print_diff, self._handle, names and names.handle, _flags(totals, long_rows),
                      style=style)


class Cow(_Owned):
    """What a fork's two sides share, and who copied what."""

    _free = "vmsnap_cow_free"

    def __init__(self, parent, child, base=None):
        super().__init__(parent, child, base)
        self.parent, self.child, self.base = parent, child, base
        options = _lib.cancellable(_lib.CompareOptions)
        _lib.call_holding_interrupts(lib().vmsnap_cow_new_with, parent.handle, child.handle, base and base.handle,
                                     byref(options), byref(self._handle))

    def warning(self):
        return _lib.plain(lib().vmsnap_cow_warning(self._handle))

    def text(self, style, names=None, totals=False, long_rows=False):
        return _print(lib().vmsnap_print_cow, self._handle, names and names.handle, _flags(totals, long_rows),
                      style=style)


def _arrays(snapshots, names):
    handles = (c_void_p * len(snapshots))(*(snapshot.handle.value for snapshot in snapshots))
    texts = (c_char_p * len(names))(*(_bytes(name, "a name") for name in names))
    return handles, texts


def snapshots_text(style, snapshots, names):
    """A line for each snapshot; names are what they are called here."""
    handles, texts = _arrays(snapshots, names)
    return _print(lib().vmsnap_print_snapshots, handles, texts, len(snapshots), style=style)


def history_text(style, snapshots, names, address):
    """How one page went through the snapshots."""
    handles, texts = _arrays(snapshots, names)
    return _print(lib().vmsnap_print_history, handles, texts, len(snapshots), _address(address), style=style)


def save(path, snapshots):
    """Only to a regular file: nobody may ever read the other end of a pipe."""
    handles, _ = _arrays(snapshots, ())
    options = _lib.cancellable(_lib.SaveOptions, flags=_SAVE_REGULAR)
    _lib.call_holding_interrupts(lib().vmsnap_save_with, _bytes(path, "the file's name"), handles, len(snapshots),
                                 byref(options))


class File(_Owned):
    """A regular file of snapshots: nobody may ever write to the other end of a pipe."""

    _free = "vmsnap_file_close"

    def __init__(self, path):
        super().__init__()
        limits = _lib.cancellable(_lib.Limits, regular_only=True)
        _lib.call_holding_interrupts(lib().vmsnap_file_open, _bytes(path, "the file's name"), byref(limits),
                                     byref(self._handle))

    def __len__(self):
        return lib().vmsnap_file_count(self._handle)

    def damage(self):
        """What is wrong with its end, or None."""
        try:
            lib().vmsnap_file_damage(self._handle)
        except VmsnapError as error:
            return error
        return None

    def load(self, index):
        made = Snapshot()
        _lib.call_holding_interrupts(lib().vmsnap_file_load, self._handle, index, byref(made._handle))
        made._read_info()
        return made
