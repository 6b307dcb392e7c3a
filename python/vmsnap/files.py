"""Files of snapshots."""

import ctypes
from ctypes import byref, c_size_t, c_void_p, sizeof

from vmsnap import _header, _lib, given
from vmsnap._header import Rc, SaveFlag
from vmsnap._lib import lib, plain
from vmsnap.errors import VmsnapError
from vmsnap.owned import Owned
from vmsnap.snapshot import Snapshot, handles
from vmsnap.text import PLAIN, printed


def _flags(append, contents, delta):
    return (SaveFlag.REGULAR | (SaveFlag.APPEND if append else 0) | (0 if contents else SaveFlag.NO_CONTENTS)
            | (SaveFlag.DELTA if delta else 0))


def save(path, snapshots, append=False, contents=True, delta=False):
    """Only to a regular file: nobody may ever read the other end of a pipe.  An existing one
    is replaced, or added to, if it is a file of snapshots.  contents: what pages held, too, of those
    snapshots that keep it.  delta: each as what differs from the one before of its process in the file,
    where that is smaller."""
    snapshots = [snapshots] if isinstance(snapshots, Snapshot) else list(snapshots)
    options = _lib.cancellable(_header.SaveOptions, flags=_flags(append, contents, delta))
    _lib.call_holding_interrupts(lib().vmsnap_save_with, given.raw(path, "the file's name"), handles(snapshots),
                                 len(snapshots), byref(options))


class Writer(Owned):
    """A file that grows: `with Writer(path) as writer: writer.add(snapshots of one instant)`.  What was there is
    replaced with the first ones, or added to; after each add() the file is whole, for others to read.  sync: and
    on the disk."""

    _free = "vmsnap_writer_close"

    def __init__(self, path, append=False, contents=True, delta=True, sync=False):
        super().__init__()
        options = _lib.cancellable(_header.WriterOptions, flags=_flags(append, contents, delta), sync=sync)
        self._options = options  # whose function is asked as long as it lives
        lib().vmsnap_writer_open(given.raw(path, "the file's name"), byref(options), byref(self._handle))

    def add(self, snapshots):
        """One, or several of one instant."""
        snapshots = [snapshots] if isinstance(snapshots, Snapshot) else list(snapshots)
        _lib.call_holding_interrupts(lib().vmsnap_writer_add, self._handle, handles(snapshots), len(snapshots))

    @property
    def bytes(self):
        """Of the file, when it was last written to."""
        return lib().vmsnap_writer_bytes(self._handle)

    def close(self):
        handle, self._handle = self._handle, None
        if handle:
            lib().vmsnap_writer_close(handle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        if getattr(self, "_handle", None) and lib is not None:
            self.close()


def strip_bits(words):
    """Of "pfns", "cmdline", "names", "host", "contents" and "faults"."""
    known = {lib().vmsnap_strip_name(1 << bit).decode(): 1 << bit for bit in range(6)}
    unknown = [word for word in words if word not in known]
    if unknown:
        raise ValueError(f"{unknown[0]!r} cannot be stripped: expected {', '.join(known)}")
    return sum(known[word] for word in set(words))


def copy(path, *sources, delta=False, strip=(), interval=0, pids=(), unreadable=None):
    """Snapshots of files into one, in this order; each source is a File, or one and a range of numbers in it.
    strip: what is left out; interval: in so many seconds at most one of each process; pids: of each source only
    the process with this number, or None: all.  unreadable(file, index, error) is called for each that is damaged,
    which is then left out; without it nothing is written.  Gives how many were written, and how many thinned out."""
    pairs = [(source, range(len(source))) if isinstance(source, File) else source for source in sources]
    given_sources = (_header.CopySource * len(pairs))()
    for place, (file, numbers) in zip(given_sources, pairs):
        if numbers.step != 1:
            raise ValueError("a range without steps is expected")
        place.file, place.first, place.count = file.handle, numbers.start, len(numbers)
    options = _lib.cancellable(_header.CopyOptions, flags=SaveFlag.REGULAR | (SaveFlag.DELTA if delta else 0),
                               strip=strip_bits(strip), interval=round(interval * 10**9))
    if pids:
        if len(pids) != len(pairs):
            raise ValueError(f"{len(pairs)} sources have {len(pids)} pids")
        numbers_of = (ctypes.c_uint32 * len(pids))(*(pid or 0 for pid in pids))
        options.pids = ctypes.cast(numbers_of, type(options.pids))
    problems = []
    if unreadable:
        kind = type(options.unreadable)

        @kind
        def note(_, source, index, error):
            error = error.contents
            problems.append((pairs[source][0], index,
                             VmsnapError(plain(error.message), error.code, error.sys_errno, error.position)))

        options.unreadable = note
    copied = _header.Copied()
    _lib.call_holding_interrupts(lib().vmsnap_copy_sized, given.raw(path, "the file's name"), given_sources, len(pairs),
                                 byref(options), byref(copied), sizeof(copied))
    for problem in problems:
        unreadable(*problem)
    return copied.snapshots, copied.thinned


def load(path):
    """All snapshots of a file, oldest first."""
    file = File(path)
    damage = file.damage()
    if damage:
        raise damage
    return [snapshot for _, snapshot in file.walk()]


class File(Owned):
    """An open file of snapshots, as a sequence of Snapshots, each loaded when it is asked for.
    Of regular files only, unless told otherwise: nobody may ever write to the other end of
    a pipe."""

    _free = "vmsnap_file_close"

    def __init__(self, path, regular_only=True):
        super().__init__()
        limits = _lib.cancellable(_header.Limits, regular_only=regular_only)
        _lib.call_holding_interrupts(lib().vmsnap_file_open, given.raw(path, "the file's name"), byref(limits),
                                     byref(self._handle))

    def __len__(self):
        return lib().vmsnap_file_count(self._handle)

    def __getitem__(self, index):
        count = len(self)
        if not -count <= index < count:
            raise IndexError(index)
        return self.load(index % count)

    def damage(self):
        """What is wrong with its end, a VmsnapError, or None."""
        try:
            lib().vmsnap_file_damage(self._handle)
        except VmsnapError as error:
            return error
        return None

    def load(self, index):
        """The snapshot of this number, from 0."""
        return self._read(lib().vmsnap_file_load, index)

    def walk(self, first=0, count=None):
        """(number, Snapshot) of so many from the first on: the way to read many, of which each is made from the
        one before.  next() raises the VmsnapError of one that cannot be loaded, and goes on behind it."""
        return Walk(self, first, len(self) - first if count is None else count)

    def peek(self, index):
        """The same without mappings and pages: who it was and its status; cheap."""
        return self._read(lib().vmsnap_file_peek, index)

    def _read(self, function, index):
        if not isinstance(index, int) or index < 0:
            raise IndexError(index)
        return Snapshot.made_by(function, self._handle, index)

    def find(self, which):
        """Its number, from 0: of a label, of which the newest wins; "3" counts from 1, "-1" is
        the last; "pid:1234", "pid:1234@3" and "pid:1234@LABEL" are of one process."""
        index = c_size_t()
        lib().vmsnap_file_find(self._handle, given.raw(which, "the label"), byref(index))
        return index.value

    def select(self, which):
        """The same, and "FIRST..LAST", as a range of numbers."""
        return self._range(lib().vmsnap_file_select, given.raw(which, "the label"))

    def instant(self, index):
        """Those that were taken at one instant with this one, a tree's, as a range of numbers."""
        return self._range(lib().vmsnap_file_instant, index)

    def _range(self, function, which):
        first, count = c_size_t(), c_size_t()
        function(self._handle, which, byref(first), byref(count))
        return range(first.value, first.value + count.value)

    def list_text(self, style=PLAIN):
        """A line for each snapshot."""
        return printed(lib().vmsnap_print_list, self._handle, style=style)


class Walk(Owned):
    """What File.walk() gives."""

    _free = "vmsnap_walk_free"

    def __init__(self, file, first, count):
        super().__init__(file)
        lib().vmsnap_walk_new(file.handle, first, count, byref(self._handle))

    def __iter__(self):
        return self

    def __next__(self):
        index, out = c_size_t(), c_void_p()
        if _lib.call_holding_interrupts(lib().vmsnap_walk_next, self._handle, byref(out), byref(index)) == Rc.END:
            raise StopIteration
        return index.value, Snapshot._of(out.value)
