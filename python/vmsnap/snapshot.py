"""Snapshots of processes, and single pages as they are now.  Knows no gdb."""

import array
import collections
import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_uint8, c_uint64, c_void_p

from vmsnap import _header, _lib, errors, given, packing
from vmsnap._header import (
    AnnotationKind, CaptureFlag, ContentsWanted, Layer, PageFlag, PageWritten, Perm, PrintFlag, Rc, Relation)
from vmsnap._lib import lib
from vmsnap.errors import CANCELLED, VmsnapError
from vmsnap.given import ADDRESS_MAX
from vmsnap.owned import Owned
from vmsnap.text import PLAIN, printed

# The type of an annotation that is a heap of malloc's, which the capture found itself.
MALLOC_HEAP = "heap_info"

Annotation = collections.namedtuple("Annotation", "address size kind tid frame function symbol type")
Thread = collections.namedtuple("Thread", "tid stack_pointer comm missed")
# sure: False: it is not known whether its pages were written.
WrittenRange = collections.namedtuple("WrittenRange", "start end sure")
HeapBlock = collections.namedtuple("HeapBlock", "address size is_free")
StatusField = collections.namedtuple("StatusField", "key text number")

SOFT_DIRTY, EXCLUSIVE, UFFD_WP, GUARD, ZERO, HUGE, FILE, SWAPPED, PRESENT = (
    PageFlag.SOFT_DIRTY, PageFlag.EXCLUSIVE, PageFlag.UFFD_WP, PageFlag.GUARD, PageFlag.ZERO, PageFlag.HUGE,
    PageFlag.FILE, PageFlag.SWAPPED, PageFlag.PRESENT)

# Of the entries that Snapshot.pages() gives: flags, as in PageFlag, and number of the frame.
ENTRY_FLAGS_SHIFT = 55
ENTRY_PFN = (1 << ENTRY_FLAGS_SHIFT) - 1

_MOST_PAGES = 1 << 40  # more than any machine has
_BATCH = 256  # runs that are asked for at once: each call costs more than all of them

_MOST_BYTES = 1 << 32  # at once, of contents
_HASH_SIZE = 16
_CONTENTS = {"none": ContentsWanted.NO_CONTENTS, "hashes": ContentsWanted.HASHES, "private": ContentsWanted.PRIVATE,
             "all": ContentsWanted.ALL}

_STATUS_FN = CFUNCTYPE(c_bool, c_void_p, POINTER(_header.StatusField))

_strings = packing.Strings(lambda text: given.raw(text, "a captured name"))


class Run(collections.namedtuple("Run", "start end flags pfn swap_type swap_offset")):
    """Neighbouring pages in one state (struct vmsnap_run).  pfn counts up along a run that is
    present, swap_offset along one that is swapped; both only if info.known.pfn."""

    __slots__ = ()

    @property
    def present(self):
        return bool(self.flags & PRESENT)

    @property
    def swapped(self):
        """None: it looks so, but whether it is is not known (vmsnap_swap_known())."""
        marker = self.flags & UFFD_WP and not self.swap_type and not self.swap_offset
        doubtful = self.flags & SWAPPED and (self.flags & HUGE or self.swap_type >= 22 or marker)
        return None if doubtful else bool(self.flags & SWAPPED)

    def exclusive(self, known):
        """Whether nobody else maps it; None if that is not known.  known: info.known of its snapshot."""
        huge = self.flags & HUGE and not self.flags & ZERO and not known.exclusive_huge
        moving = known.pfn and not self.pfn and not self.flags & EXCLUSIVE
        if not known.exclusive or not self.present or huge or moving:
            return None
        return bool(self.flags & EXCLUSIVE)

    @property
    def words(self):
        """Its flags: ("exclusive", "present")."""
        return tuple(name.lower() for name, bit in vars(PageFlag).items()
                     if isinstance(bit, int) and self.flags & bit)


class Mapping(collections.namedtuple("Mapping", "start end offset inode device perms name deleted build_id")):
    """One line of /proc/PID/maps (struct vmsnap_vma).  device: (major, minor); build_id: bytes,
    b"" if unknown."""

    __slots__ = ()

    @property
    def mode(self):
        """"r-xp", as in maps."""
        letters = ((Perm.READ, "r", "-"), (Perm.WRITE, "w", "-"), (Perm.EXEC, "x", "-"), (Perm.SHARED, "s", "p"))
        return "".join(yes if self.perms & bit else no for bit, yes, no in letters)


def mapping_of(pointer):
    """A struct vmsnap_vma * as a Mapping; NULL as None."""
    if not pointer:
        return None
    vma = pointer.contents
    build_id = ctypes.string_at(vma.build_id, vma.build_id_len) if vma.build_id else b""
    return Mapping(vma.start, vma.end, vma.offset, vma.inode, (vma.dev_major, vma.dev_minor), vma.perms,
                   os.fsdecode(vma.name), vma.deleted, build_id)


def status_field(field):
    """key "" if there is none; number: bytes of "12 kB", a plain number, else None."""
    if not field.key_len:
        return StatusField("", "", None)
    key, text = ctypes.string_at(field.key, field.key_len), ctypes.string_at(field.text, field.text_len)
    return StatusField(os.fsdecode(key), os.fsdecode(text),
                       field.number if field.is_size or field.is_number else None)


def _wanted(contents):
    try:
        return _CONTENTS[contents]
    except KeyError:
        raise VmsnapError(f"contents: {contents!r} is none of {', '.join(_CONTENTS)}") from None


def capture_options(reason, label, freeze=True, smaps=False, threads=0, realtime=False, brief=False, contents="none",
                    store=None, tracker=None, contents_limit=0, kpage=False, peek=False, left_out=()):
    """struct vmsnap_capture_options, as of Snapshot.capture()."""
    flags = (0 if freeze else CaptureFlag.NO_FREEZE) | (CaptureFlag.SMAPS if smaps else 0)
    flags |= (CaptureFlag.REALTIME if realtime else 0) | (CaptureFlag.BRIEF if brief else 0)
    flags |= CaptureFlag.KPAGE | CaptureFlag.NODES if kpage else 0
    flags |= CaptureFlag.PEEK if peek else 0
    ranges = (_header.Range * len(left_out))(*left_out)
    return _lib.cancellable(_header.CaptureOptions, flags=flags, threads=threads, label=given.raw(label, "the name"),
                            reason=given.raw(reason, "the reason"), contents=_wanted(contents),
                            store=store and store.handle, tracker=tracker and tracker.handle,
                            contents_limit=contents_limit, exclude_ranges=ranges, exclude_range_count=len(ranges))


class Store(Owned):
    """Distinct pages, each kept once: what snapshots that are made with it hold."""

    _free = "vmsnap_store_unref"

    def __init__(self):
        super().__init__()
        lib().vmsnap_store_new(byref(self._handle))

    def pages(self):
        """How many distinct ones some snapshot has now."""
        return lib().vmsnap_store_pages(self._handle)

    def memory(self):
        """Bytes of ours that it takes."""
        return lib().vmsnap_store_memory(self._handle)


class Snapshot(Owned):
    """One process's address space at one instant."""

    _free = "vmsnap_unref"
    _later, _failed = (), None  # annotate_later()

    @property
    def _handle(self):
        if self._later:
            self._hand_over()
        return self._object

    @_handle.setter
    def _handle(self, handle):
        self._object = handle

    def _hand_over(self):
        names, self._later = self._later, ()  # what hands them over asks for the handle, too
        try:
            self.annotate(names)
        except BaseException as error:
            told = self._failed is not None and isinstance(error, VmsnapError) and error.code != CANCELLED
            if not told:
                self._later = names
                raise
            self._failed(self, error)

    def __del__(self):
        self._later = ()
        super().__del__()

    @classmethod
    def capture(cls, pid, reason="", label="", freeze=True, smaps=False, threads=0, realtime=False, brief=False,
                contents="none", store=None, tracker=None, contents_limit=0, kpage=False, peek=False, left_out=()):
        """Now.  Ctrl-C ends it with KeyboardInterrupt.  brief: it is not found out who else has its memory.
        contents: "hashes", "private" or "all", and where pages are kept: a Store, or one of its own; if they
        were more than contents_limit bytes, unless it is 0, none are.  left_out: [(start, end)] that are not read.
        tracker: a Tracker of the process, which tells what was written since the capture before with it;
        peek: the next one tells that, too."""
        options = capture_options(reason, label, freeze, smaps, threads, realtime, brief, contents, store, tracker,
                                  contents_limit, kpage, peek, left_out)
        return cls.made_by(lib().vmsnap_capture, given.process(pid), byref(options))

    @classmethod
    def made_by(cls, function, *arguments):
        """By a function of the library's that gives one."""
        made = cls()
        _lib.call_holding_interrupts(function, *arguments, byref(made._handle))
        return made._known()

    def stripped(self, *what):
        """Without that: "pfns", "cmdline", "names", "host", "contents", "faults"."""
        from vmsnap.files import strip_bits

        return Snapshot.made_by(lib().vmsnap_strip, self._handle, strip_bits(what))

    @classmethod
    def _of(cls, handle):
        made = cls()
        made._handle = c_void_p(handle)
        return made._known()

    def _known(self):
        info = self.info
        self.pid, self.ppid, self.start_time = info.pid, info.ppid, info.start_time
        self.page_size = info.page_size
        return self

    @property
    def info(self):
        """struct vmsnap_info: the fields of vmsnap.h, strings as bytes."""
        found = lib().vmsnap_info(self._handle).contents
        found.snapshot = self  # its strings live as long
        return found

    @property
    def label(self):
        return os.fsdecode(self.info.label)

    @property
    def reason(self):
        return os.fsdecode(self.info.reason)

    @property
    def comm(self):
        return os.fsdecode(self.info.comm)

    @property
    def exe(self):
        return os.fsdecode(self.info.exe)

    def one_instant(self):
        """Whether all of it is of one instant, as the process stood; None: not known."""
        known = c_bool()
        instant = lib().vmsnap_one_instant(self._handle, byref(known))
        return instant if known.value else None

    def __repr__(self):
        label = f" {self.label!r}" if self.label else ""
        return f"<Snapshot{label} of process {self.pid} ({self.comm!r})>"

    def same_process(self, other):
        """Whether both show one process (it may have executed another program between)."""
        a, b = self.info, other.info
        return (a.pid, a.start_time, a.boot_id) == (b.pid, b.start_time, b.boot_id)

    # ---- mappings and pages ----

    def mapping_count(self):
        return lib().vmsnap_vma_count(self._handle)

    @property
    def mappings(self):
        """All of them, by address."""
        return [mapping_of(lib().vmsnap_vma(self._handle, index)) for index in range(self.mapping_count())]

    def mapping_at(self, address):
        """None in a gap."""
        return mapping_of(lib().vmsnap_vma_at(self._handle, given.address(address)))

    def runs(self, start=0, end=ADDRESS_MAX):
        """Yields the Runs that overlap [start, end), clipped to it.  Absent pages are in none."""
        iterator, batch = _lib.struct(_header.RunIter), (_header.Run * _BATCH)()
        lib().vmsnap_run_iter_init(byref(iterator), self._handle, given.address(start), given.address(end))
        count = _BATCH
        while count == _BATCH:
            count = lib().vmsnap_run_read(byref(iterator), batch, _BATCH)
            for run in batch[:count]:
                yield _run(run)

    def pages(self, start, end, into=None):
        """The entries of all pages of [start, end), 64 bits each, in one go: an array("Q"), or
        what is given as `into`, any buffer that can be written to and is large enough
        (numpy's, say).  An entry is as in /proc/PID/pagemap; flags: entry >> ENTRY_FLAGS_SHIFT,
        as in PageFlag, and frame: entry & ENTRY_PFN; 0: absent."""
        size = self.page_size
        start, end = given.address(start) // size * size, given.address(end)
        count = max(-(-(end - start) // size), 0)
        if count > _MOST_PAGES:
            raise VmsnapError(f"{count} pages are more than any machine has: give the range of a mapping")
        if into is None:
            into = array.array("Q", bytes(8 * count))
        view = memoryview(into).cast("B")
        if len(view) < 8 * count:
            raise VmsnapError(f"{count} pages need {8 * count} bytes, but there is room for {len(view)}")
        if count:
            entries = (ctypes.c_uint64 * count).from_buffer(view)
            lib().vmsnap_pages_read(self._handle, start, count, entries)
        return into

    def page_at(self, address):
        """The Run of one page, or None if it is absent or not mapped."""
        page = _lib.struct(_header.Run)
        return None if lib().vmsnap_page_at(self._handle, given.address(address), byref(page)) else _run(page)

    def page_changes(self, address, page, known):
        """What a diff would tell of one page that page_now() told of, as bits: 0 is nothing.
        The second: it may have moved here, or away, which only a diff tells."""
        elsewhere = c_bool()
        changes = lib().vmsnap_page_changes(self._handle, given.address(address), page and byref(_header.Run(**page._asdict())),
                                            byref(known), byref(elsewhere))
        return changes, elsewhere.value

    def page_compare(self, later, address):
        """The same between two snapshots, moves and all; None if it cannot be compared, as
        compare.relation() says."""
        found = self.page_diff(later, address)
        return found and found.changes

    def page_diff(self, later, address):
        """struct vmsnap_page_diff of the page that a later snapshot has at an address; None as above."""
        found = _lib.struct(_header.PageDiff)
        options = _lib.cancellable(_header.CompareOptions)
        _lib.call_holding_interrupts(lib().vmsnap_page_compare_sized, self._handle, later.handle,
                                     given.address(address), byref(options), byref(found), ctypes.sizeof(found))
        return found if found.relation == Relation.COMPARABLE else None

    def file_page_now(self, address, memory=True, file=True):
        """(bytes in the process's memory, bytes in the file) of one page of a private mapping of a
        file, right now; None for what is not wanted.  None if the page is not in memory, is of no
        file, or the process or the file cannot be found any more."""
        here, there = (ctypes.create_string_buffer(self.page_size) if wanted else None for wanted in (memory, file))
        try:
            lib().vmsnap_file_page_now(self._handle, given.address(address), here, there)
        except VmsnapError as error:
            if error.code not in (errors.NOT_FOUND, errors.NO_PROCESS, errors.EXITED, errors.SYSTEM, errors.PERMISSION):
                raise
            return None
        return here and here.raw, there and there.raw

    def has_mapping(self, mapping):
        """Whether it has this one too, unchanged as far as place, file and permissions go."""
        found = lib().vmsnap_vma_at(self._handle, mapping.start)
        if not found:
            return False
        vma = found.contents
        return (vma.start, vma.end, vma.offset, vma.inode, vma.perms) == (
            mapping.start, mapping.end, mapping.offset, mapping.inode, mapping.perms)

    def has_code_of(self, other):
        """Whether it has the mappings that another has, and in those that are executable the same pages; False also
        where that is not found out."""
        return lib().vmsnap_same_code(self._handle, other.handle)

    def is_all_of_files(self, start, end):
        """Whether what is in memory or in swap of [start, end) is all of files (or shared)."""
        sums = _lib.struct(_header.Sums)
        lib().vmsnap_sum_sized(self._handle, given.address(start), given.address(end), byref(sums), ctypes.sizeof(sums))
        return sums.file == sums.resident and not sums.swapped

    def sums(self, start=0, end=ADDRESS_MAX):
        """{"size": bytes, "resident": bytes, …} of [start, end), as in struct vmsnap_sums."""
        sums = _lib.struct(_header.Sums)
        lib().vmsnap_sum_sized(self._handle, given.address(start), given.address(end), byref(sums), ctypes.sizeof(sums))
        return {name: getattr(sums, name) for name, _ in sums._fields_}

    def resident(self):
        """Bytes."""
        return self.sums()["resident"]

    def memory(self):
        """Bytes of ours that it takes."""
        return lib().vmsnap_memory(self._handle)

    # ---- what pages hold ----

    @property
    def contents(self):
        """What it keeps of them: "none", "hashes" or "bytes"."""
        return lib().vmsnap_contents_name(lib().vmsnap_contents_kind(self._handle)).decode()

    def contents_ranges(self, start=0):
        """Yields (start, end) of whole pages of which contents are kept."""
        first, end = c_uint64(), c_uint64(given.address(start))
        while not lib().vmsnap_contents_range(self._handle, end, byref(first), byref(end)):
            yield first.value, end.value or ADDRESS_MAX + 1
            if not end.value:
                return

    def read(self, address, length):
        """What was there, as bytes: as far as it is known without a gap, b"" if not even the first is."""
        if not 0 <= length <= _MOST_BYTES:
            raise VmsnapError(f"{length} bytes cannot be read at once")
        into, got = ctypes.create_string_buffer(length or 1), c_size_t()
        try:
            lib().vmsnap_contents_read(self._handle, given.address(address), into, length, byref(got))
        except VmsnapError as error:
            if error.code != errors.NOT_FOUND:
                raise
        return ctypes.string_at(into, got.value)

    def contents_hash(self, address):
        """XXH3-128 of one page, 16 bytes; None if it is not known."""
        found = (c_uint8 * _HASH_SIZE)()
        return None if lib().vmsnap_contents_hash(self._handle, given.address(address), found) else bytes(found)

    def contents_compare(self, other):
        """Yields (start, end, whether all of its pages differ, or none) of the pages of which both keep contents,
        at the same addresses."""
        start, end, differ = c_uint64(), c_uint64(), c_bool()
        while not lib().vmsnap_contents_compare(self._handle, other.handle, end, byref(start), byref(end),
                                                byref(differ)):
            yield start.value, end.value or ADDRESS_MAX + 1, differ.value
            if not end.value:
                return

    def heap_blocks(self, addresses):
        """For each of the addresses, which must be in order, the HeapBlock that it lies in, or None: of the GNU C
        library's malloc, if the bytes of its heap are kept."""
        count = len(addresses)
        found = (_header.HeapBlock * count)()
        lib().vmsnap_heap_blocks(self._handle, (c_uint64 * count)(*addresses), count, found)
        return [HeapBlock(each.address, each.size, each.is_free) if each.size else None for each in found]

    # ---- what was written ----

    def written(self):
        """[WrittenRange] of what the process wrote since info.written_since; None if nobody knows.  Pages of
        private memory that are there and in none of them were not written."""
        if not self.info.known.written:
            return None
        found, each = [], _lib.struct(_header.LayerRange)
        while lib().vmsnap_layer_range(self._handle, Layer.WRITTEN, len(found), byref(each)) != Rc.END:
            found.append(WrittenRange(each.start, each.end, each.value == PageWritten.WAS_WRITTEN))
        return found

    def written_at(self, address):
        """Whether the page was written since then; None: that is not known."""
        answer = lib().vmsnap_written_at(self._handle, given.address(address), None)
        return {PageWritten.NOT_WRITTEN: False, PageWritten.WAS_WRITTEN: True}.get(answer)

    def kinds(self, names=None):
        """Of each mapping what people call it: "heap", "thread_stack", …; names: Names, by which a .bss is of its file."""
        found = (c_uint8 * max(self.mapping_count(), 1))()
        lib().vmsnap_mapping_kinds(self._handle, names and names.handle, found)
        words = [word.decode() for word in _kind_names()]
        return [words[kind] for kind in found[:self.mapping_count()]]

    def layer(self, layer):
        """[(start, end, value)] of what is known of some pages (Layer.KPAGE_FLAGS, …); None: of none."""
        if not lib().vmsnap_layer_known(self._handle, layer):
            return None
        made, found = _lib.struct(_header.LayerRange), []
        for index in range(lib().vmsnap_layer_range_count(self._handle, layer)):
            lib().vmsnap_layer_range(self._handle, layer, index, byref(made))
            found.append((made.start, made.end, made.value))
        return found

    # ---- what else was read of it ----

    @property
    def status(self):
        """{key: text} of /proc/PID/status."""
        return {key: field.text for key, field in self._status_fields().items()}

    def status_number(self, key):
        """Of a line of status: bytes of "12 kB", a plain number; None of others and if there
        is no such line."""
        field = self._status_fields().get(key)
        return None if field is None else field.number

    def _status_fields(self):
        fields = []

        def note(_, field):
            fields.append(status_field(field.contents))
            return True

        options = _lib.cancellable(_header.CompareOptions)
        _lib.call_holding_interrupts(lib().vmsnap_status_keys, self._handle, byref(options), _STATUS_FN(note), None)
        return {field.key: field for field in fields}

    @property
    def threads(self):
        """[Thread]; stack_pointer 0: unknown."""
        found = (lib().vmsnap_thread(self._handle, index).contents
                 for index in range(lib().vmsnap_thread_count(self._handle)))
        return [Thread(thread.tid, thread.stack_pointer, os.fsdecode(thread.comm), thread.missed) for thread in found]

    @property
    def smaps(self):
        """For each mapping {key: bytes}, with the text (str) of a line that has no number; [] if smaps
        was not captured."""
        keys = [os.fsdecode(lib().vmsnap_smaps_key(self._handle, key))
                for key in range(lib().vmsnap_smaps_key_count(self._handle))]
        rows = []
        for vma in range(self.mapping_count() if keys else 0):
            values = ((name, self._smaps_value(vma, key)) for key, name in enumerate(keys))
            rows.append({name: value for name, value in values if value is not None})
        return rows

    def _smaps_value(self, vma, key):
        value = lib().vmsnap_smaps_value(self._handle, vma, key)
        if value != ADDRESS_MAX:
            return value
        text = lib().vmsnap_smaps_text(self._handle, vma, key)
        return None if text is None else os.fsdecode(text)

    # ---- what a debugger adds ----

    def annotate(self, names):
        """From now on this is the snapshot with these Annotations, too; what was made of it stays as it is."""
        array, count = packing.packed(names, _strings)
        if count:
            self._add(lambda builder: lib().vmsnap_builder_add_annotations_sized(
                builder, array, count, ctypes.sizeof(_header.Annotation)))

    def annotate_later(self, names, failed=None):
        """The same, when something is asked of it: what is wrong with a name is an error then, each time; or
        failed(snapshot, error) is told once, and it is without them."""
        self._later, self._failed = [*self._later, *names], failed

    @property
    def stored_types(self):
        """The types of what annotations name, as bytes (docs/format.md, TYPE); b"": nobody told any."""
        size = c_size_t()
        found = lib().vmsnap_types(self._handle, byref(size))
        return ctypes.string_at(found, size.value) if found else b""

    @property
    def faults(self):
        """Page faults that were kept with it, a Faults; None: none."""
        from vmsnap.faults import faults_of  # few want them

        return faults_of(self)

    def set_faults(self, taken):
        """From now on these are its page faults: blame.Taken, of its process, from the snapshot before until this one."""
        self._add(lambda builder: lib().vmsnap_builder_set_faults(builder, taken.handle))

    def set_label(self, label):
        """From now on it is called so."""
        self._add(lambda builder: lib().vmsnap_builder_set_label(builder, given.raw(label, "the label")))

    def set_types(self, types):
        """From now on these are its types."""
        self._add(lambda builder: lib().vmsnap_builder_set_types(builder, types, len(types)))

    def _add(self, fill):
        builder, more = c_void_p(), c_void_p()
        lib().vmsnap_builder_from(self._handle, byref(builder))
        try:
            fill(builder)
            lib().vmsnap_builder_finish(builder, byref(more))
        finally:
            lib().vmsnap_builder_free(builder)
        self.replace(more)

    def replace(self, handle):
        """By one that has more: it is this one's from now on."""
        lib().vmsnap_unref(self._handle)
        self._handle = handle

    def annotations(self):
        count = lib().vmsnap_annotation_count(self._handle)
        found = (lib().vmsnap_annotation(self._handle, index).contents for index in range(count))
        return [Annotation(n.address, n.size, n.kind, n.tid, n.frame, os.fsdecode(n.function),
                           os.fsdecode(n.symbol), os.fsdecode(n.type)) for n in found]

    def has_variables(self):
        """Whether it holds captured names other than the debugger's footprints and malloc's heaps."""
        count = lib().vmsnap_annotation_count(self._handle)
        found = (lib().vmsnap_annotation(self._handle, index).contents for index in range(count))
        return any(each.kind != AnnotationKind.DEBUGGER_WRITE and each.type != os.fsencode(MALLOC_HEAP) for each in found)

    # ---- as text ----

    def show_text(self, style=PLAIN, filter=None, names=None, title=None, long_rows=True):
        """filter: a Filter, of what is told; so below.  names: Names, for what memory without a name is.
        title: where there are several, what this one is called.  long_rows=False: the mappings of a file are one row,
        where that is for people."""
        return printed(lib().vmsnap_print_show_with, self._handle, PrintFlag.LONG if long_rows else 0, style=style,
                       filter=filter, names=names, title=title)

    def show_by_text(self, by, style=PLAIN, filter=None, names=None, title=None):
        """Added up; by: "kind", "file" or "node"."""
        words = ("kind", "file", "node")
        return printed(lib().vmsnap_print_show_by, self._handle, words.index(by), style=style, filter=filter, names=names,
                       title=title)

    def pages_text(self, style=PLAIN, start=0, end=ADDRESS_MAX, each=False, filter=None, title=None, long_rows=True):
        """long_rows=False: neighbours that differ in nothing but their frames are one row, where that is for people."""
        flags = (PrintFlag.EACH_PAGE if each else 0) | (PrintFlag.LONG if long_rows else 0)
        return printed(lib().vmsnap_print_pages_with, self._handle, given.address(start), given.address(end), flags,
                       style=style, filter=filter, title=title)

    def dump_text(self, start, end, style=PLAIN, other=None):
        """What bytes held, as hexadecimal digits and text; other: a Snapshot, of which is told what differs."""
        return printed(lib().vmsnap_print_dump, self._handle, other and other.handle, given.address(start),
                       given.address(end), style=style)

    def page_text(self, style, address, names=None):
        return printed(lib().vmsnap_print_page, self._handle, names and names.handle, given.address(address),
                       style=style)

    def status_text(self, style=PLAIN, other=None):
        return printed(lib().vmsnap_print_status, self._handle, other and other.handle, style=style)

    def map_text(self, style=PLAIN, other=None, filter=None, names=None):
        """names: of the other snapshot, if there is one."""
        return printed(lib().vmsnap_print_map, self._handle, other and other.handle, style=style, filter=filter,
                       names=names)


def _kind_names():
    return [lib().vmsnap_mapping_kind_name(kind) for kind in range(_header.MappingKind.KIND_COUNT)]


def capture(pid, label="", reason="", freeze=True, smaps=False, threads=0, realtime=False, contents="none", store=None,
            contents_limit=0, kpage=False):
    """A Snapshot of a process.  While it is read, the process stands, unless freeze is false.
    threads: how many read it then; 0: as many as are worth it.  realtime: at real-time priority,
    where that is permitted.  contents: what its pages hold is kept, too: of private memory as "hashes",
    or the bytes ("private"), or of "all" memory; store: in a Store that several snapshots have;
    contents_limit: none if they were more bytes.  kpage: what the kernel's tables say of its frames, and their
    NUMA nodes, which layer() then tells."""
    return Snapshot.capture(pid, reason, label, freeze, smaps, threads, realtime, contents=contents, store=store,
                            contents_limit=contents_limit, kpage=kpage)


def capture_tree(pid, label="", reason="", freeze=True, smaps=False, left_out=None, threads=0, realtime=False):
    """Snapshots of a process and all its descendants, at one instant, it first.  left_out: as in capture_set()."""
    return capture_set([pid], label, reason, freeze, smaps, True, left_out, threads, realtime)


def capture_set(pids, label="", reason="", freeze=True, smaps=False, descendants=False, left_out=None, threads=0,
                realtime=False):
    """Snapshots of several processes, related or not, at one instant, in their order; with
    descendants theirs follow.  left_out: a list, to which (number, "zombie" or "exited") is added of each
    descendant of which there is no snapshot."""
    numbers = [given.process(pid) for pid in pids]
    options = capture_options(reason, label, freeze, smaps, threads, realtime)
    if left_out is not None:
        options.left_out = type(options.left_out)(
            lambda _, pid, why: left_out.append((pid, lib().vmsnap_rc_name(why).decode())))
    options.flags |= CaptureFlag.DESCENDANTS if descendants else 0
    found, count = POINTER(c_void_p)(), c_size_t()
    _lib.call_holding_interrupts(lib().vmsnap_capture_set, (c_int * len(numbers))(*numbers), len(numbers),
                                 byref(options), byref(found), byref(count))
    made = []
    try:
        for index in range(count.value):
            handle, found[index] = found[index], None  # whose it is from now on
            made.append(Snapshot._of(handle))
    finally:
        lib().vmsnap_unref_all(found, count)
    return made


def recorded(folder, label="", reason="", smaps=False):
    """A Snapshot of a folder into which /proc/PID was copied, on any machine: docs/recorded.md."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return Snapshot.made_by(lib().vmsnap_capture_at, descriptor, byref(capture_options(reason, label, False, smaps)))
    finally:
        os.close(descriptor)


def page_now(pid, address):
    """(Run or None, struct vmsnap_known) of one page of a live process, without stopping
    anything."""
    page, known = _lib.struct(_header.Run), _lib.struct(_header.Known)
    try:
        lib().vmsnap_page_now(given.process(pid), given.address(address), byref(page), byref(known))
    except VmsnapError as error:
        if error.code != errors.NOT_FOUND:
            raise
        return None, known
    return _run(page), known


def _run(page):
    return Run(page.start, page.end, page.flags, page.pfn, page.swap_type, page.swap_offset)


def handles(snapshots):
    return (c_void_p * len(snapshots))(*(snapshot.handle.value for snapshot in snapshots))


def _called(names):
    return (c_char_p * len(names))(*(given.raw(name, "a name") for name in names))


def snapshots_text(style, snapshots, names):
    """A line for each snapshot; names are what they are called here."""
    return printed(lib().vmsnap_print_snapshots, handles(snapshots), _called(names), len(snapshots), style=style)


def history_text(style, snapshots, names, address):
    """How one page went through the snapshots."""
    return printed(lib().vmsnap_print_history, handles(snapshots), _called(names), len(snapshots),
                   given.address(address), style=style)
