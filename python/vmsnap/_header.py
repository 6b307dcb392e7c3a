"""Made by python/generate.py from vmsnap.h: run it again when that has changed.

A class for each enum and each struct, and FUNCTIONS: name -> (result, arguments).
CHECKED: ends with a struct vmsnap_error *, which is not listed, and gives an int that is
negative if it failed.  A pointer to what only the library knows is a c_void_p, and so is one
to bytes that come with a length: they may hold a NUL.
"""

from ctypes import (
    CFUNCTYPE, POINTER, Structure, c_bool, c_char, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint, c_uint16,
    c_uint32, c_uint64, c_uint8, c_void_p)

CHECKED = object()


class Rc:  # enum vmsnap_rc
    OK = 0
    END = 1
    ERR_ARGUMENT = -1
    ERR_NO_MEMORY = -2
    ERR_SYSTEM = -3
    ERR_PROC = -4
    ERR_NO_PROCESS = -5
    ERR_KERNEL_THREAD = -6
    ERR_ZOMBIE = -7
    ERR_PERMISSION = -8
    ERR_EXITED = -9
    ERR_EXECED = -10
    ERR_NOT_SNAPSHOT = -11
    ERR_NEWER = -12
    ERR_CORRUPT = -13
    ERR_TRUNCATED = -14
    ERR_TOO_LARGE = -15
    ERR_NOT_FOUND = -16
    ERR_CANCELLED = -17


class Able:  # enum vmsnap_able
    NO = 0
    PARTLY = 1
    YES = 2


class PageFlag:  # enum vmsnap_page_flag
    SOFT_DIRTY = 1
    EXCLUSIVE = 2
    UFFD_WP = 4
    GUARD = 8
    ZERO = 16
    HUGE = 32
    FILE = 64
    SWAPPED = 128
    PRESENT = 256


class Struct:  # enum vmsnap_struct
    INFO = 0
    VMA = 1
    THREAD = 2
    ANNOTATION = 3
    NAME = 4
    DIFF_STATUS = 5
    ELF_SYMBOL = 6
    FAULT = 7
    FAULTS_INFO = 8
    FAULT_OBJECT = 9
    FAULT_CODE = 10
    FAULT_THREAD = 11
    COUNT = 12


class Freeze:  # enum vmsnap_freeze
    NONE = 0
    FULL = 1
    DEBUGGER = 2
    PARTIAL = 3


class Source:  # enum vmsnap_source
    PROCESS = 0
    CORE = 1
    REMOTE = 2
    SELF = 3
    COUNT = 4


class WrittenBy:  # enum vmsnap_written_by
    UNKNOWN = 0
    SOFT_DIRTY = 1
    UFFD = 2


class Executed:  # enum vmsnap_executed
    UNKNOWN = 0
    NOTHING = 1
    PROGRAM = 2


class Precopy:  # enum vmsnap_precopy
    NO = 0
    DONE = 1
    UNSEEN = 2
    LOST = 3


class Perm:  # enum vmsnap_perm
    READ = 1
    WRITE = 2
    EXEC = 4
    SHARED = 8


class VmaUnknown:  # enum vmsnap_vma_unknown
    SHARED = 1
    NAME = 2
    FILE = 4
    PERMS = 8


class AnnotationKind:  # enum vmsnap_annotation_kind
    LOCAL = 0
    ARGUMENT = 1
    THREAD_LOCAL = 2
    OTHER = 3
    DEBUGGER_WRITE = 4
    KIND_COUNT = 5


class Layer:  # enum vmsnap_layer
    DEBUGGER_WRITES = 0
    WRITTEN = 1
    KPAGE_FLAGS = 2
    KPAGE_COUNT = 3
    NODE = 4
    DUMPED = 5
    COUNT = 6


class PageDumped:  # enum vmsnap_page_dumped
    BYTES = 1
    HOLE = 2
    NOT = 3
    CUT = 4
    LISTED = 5


class PageWritten:  # enum vmsnap_page_written
    NOT_WRITTEN = 0
    WAS_WRITTEN = 1
    MAYBE_WRITTEN = 2


class KpageFlag:  # enum vmsnap_kpage_flag
    LOCKED = 0
    ERROR = 1
    REFERENCED = 2
    UPTODATE = 3
    DIRTY = 4
    LRU = 5
    ACTIVE = 6
    SLAB = 7
    WRITEBACK = 8
    RECLAIM = 9
    BUDDY = 10
    MMAP = 11
    ANON = 12
    SWAPCACHE = 13
    SWAPBACKED = 14
    COMPOUND_HEAD = 15
    COMPOUND_TAIL = 16
    HUGE = 17
    UNEVICTABLE = 18
    HWPOISON = 19
    NOPAGE = 20
    KSM = 21
    THP = 22
    OFFLINE = 23
    ZERO_PAGE = 24
    IDLE = 25
    PGTABLE = 26
    BITS = 27


class Strip:  # enum vmsnap_strip
    PFNS = 1
    CMDLINE = 2
    NAMES = 4
    HOST = 8
    CONTENTS = 16
    FAULTS = 32


class Relation:  # enum vmsnap_relation
    COMPARABLE = 0
    ONE_ADDRESS_SPACE = 1
    ANOTHER_PROGRAM = 2
    ANOTHER_PROCESS = 3
    COUNT = 4


class VmaChange:  # enum vmsnap_vma_change
    ADDED = 0
    REMOVED = 1
    GROWN = 2
    SHRUNK = 3
    SPLIT = 4
    MERGED = 5
    PROTECTION_CHANGED = 6
    REPLACED = 7
    MOVED = 8
    RENAMED = 9
    POSSIBLY_MOVED = 10
    POSSIBLY_REPLACED = 11
    COUNT = 12


class PageChange:  # enum vmsnap_page_change
    APPEARED = 0
    VANISHED = 1
    PFN_CHANGED = 2
    BECAME_EXCLUSIVE = 3
    BECAME_SHARED = 4
    SWAPPED_OUT = 5
    SWAPPED_IN = 6
    SWAP_MOVED = 7
    ZERO_FILLED_IN = 8
    PRIVATISED = 9
    SOFT_DIRTIED = 10
    GUARDED = 11
    UNGUARDED = 12
    WRITE_PROTECTED = 13
    WRITE_UNPROTECTED = 14
    HUGE_SPLIT = 15
    HUGE_COLLAPSED = 16
    NOT_MAPPED_NOW = 17
    WRITTEN = 18
    COUNT = 19


class PageKind:  # enum vmsnap_page_kind
    NEW = 0
    GONE = 1
    COPIED = 2
    OTHER = 3
    WRITTEN = 4
    SWAPPED = 5
    MAPPED = 6
    COUNT = 7


class CompareFlag:  # enum vmsnap_compare_flag
    EXECUTED = 1
    WRITTEN_ONLY = 2
    VMAS_ONLY = 4


class DiffTotal:  # enum vmsnap_diff_total
    RESIDENT_A = 0
    RESIDENT_B = 1
    SHARED_A = 2
    TOUCHED = 3
    PRIVATISED_EXECUTABLE = 4
    SHARED_UNKNOWN_A = 5
    EXCLUSIVE_UNKNOWN = 6
    SWAPPED_UNKNOWN = 7
    WRITTEN_UNKNOWN = 8
    CODE_WRITTEN = 9
    COUNT = 10


class Verdict:  # enum vmsnap_verdict
    SHARED = 0
    COPIED_BY_CHILD = 1
    COPIED_BY_PARENT = 2
    COPIED_BY_BOTH = 3
    COPIED = 4
    NEW_IN_CHILD = 5
    NEW_IN_PARENT = 6
    NEW_IN_BOTH = 7
    ONLY_IN_CHILD = 8
    ONLY_IN_PARENT = 9
    ZERO_SHARED = 10
    ZERO_WRITTEN_BY_CHILD = 11
    ZERO_WRITTEN_BY_PARENT = 12
    ZERO_WRITTEN_BY_BOTH = 13
    DROPPED_BY_CHILD = 14
    DROPPED_BY_PARENT = 15
    DROPPED_BY_BOTH = 16
    FILE = 17
    SHARED_MAPPING = 18
    SWAPPED = 19
    UNKNOWN = 20
    ZERO_IN_CHILD = 21
    ZERO_IN_PARENT = 22
    ZERO_IN_BOTH = 23
    ZERO = 24
    COUNT = 25


class SetTotal:  # enum vmsnap_set_total
    DISTINCT_A = 0
    DISTINCT_B = 1
    HIDDEN = 2
    COPIED = 3
    NEW = 4
    GONE = 5
    CAME = 6
    WENT = 7
    WRITTEN = 8
    COUNT = 9


class AslrKind:  # enum vmsnap_aslr_kind
    FILE = 0
    BEHIND = 1
    HEAP = 2
    STACK = 3
    THREAD_STACK = 4
    ARENA = 5
    ANONYMOUS = 6
    SHARED = 7
    KERNEL = 8
    KIND_COUNT = 9


class AslrDifference:  # enum vmsnap_aslr_difference
    ONLY_A = 0
    ONLY_B = 1
    SIZE = 2
    PERMISSIONS = 3
    NAME = 4
    BUILD_ID = 5
    RESIDENT = 6
    PRIVATE = 7
    SWAPPED = 8
    CONTENTS = 9
    DIFFERENCE_COUNT = 10


class FaultKind:  # enum vmsnap_fault_kind
    UNKNOWN = 0
    READ = 1
    WRITE_NEW = 2
    WRITE_PROTECTED = 3
    FETCH = 4
    WRITE = 5
    KIND_COUNT = 6


class FaultFlag:  # enum vmsnap_fault_flag
    BREAKPOINT = 1
    CALL = 2


class FaultsFlag:  # enum vmsnap_faults_flag
    KINDS = 1
    ARMED = 2
    CHILDREN = 4
    KERNEL = 8
    MEMORY = 16


class FaultEventKind:  # enum vmsnap_fault_event_kind
    FORK = 0
    EXEC = 1


class MemoryEventKind:  # enum vmsnap_memory_event_kind
    GIVEN_BACK = 0
    FREED = 1
    MOVED = 2
    HEAP_END = 3
    COLLAPSED = 4
    SHARED = 5


class FaultSharesFlag:  # enum vmsnap_fault_shares_flag
    ALL = 1


class NameKind:  # enum vmsnap_name_kind
    OBJECT = 0
    FUNCTION = 1
    OTHER_SYMBOL = 2
    THREAD_STACK = 3
    MAPPING = 4
    LOCAL = 5
    ARGUMENT = 6
    THREAD_LOCAL = 7
    STACK_GUARD = 8
    MALLOC_HEAP = 9


class MappingKind:  # enum vmsnap_mapping_kind
    PROGRAM = 0
    LIBRARY = 1
    HEAP = 2
    STACK = 3
    THREAD_STACK = 4
    ARENA = 5
    ANONYMOUS = 6
    SHARED = 7
    FILE = 8
    VDSO = 9
    KIND_COUNT = 10


class FaultWatchFlag:  # enum vmsnap_fault_watch_flag
    CHILDLESS = 1


class Became:  # enum vmsnap_became
    NEW = 0
    COPIED = 1
    PRIVATISED = 2
    FILLED = 3
    SWAPPED_IN = 4
    WRITTEN = 5
    EXCLUSIVE = 6
    REPLACED = 7
    MAPPED = 8
    COUNT = 9


class Contents:  # enum vmsnap_contents
    NONE = 0
    HASHES = 1
    BYTES = 2


class Held:  # enum vmsnap_held
    UNKNOWN = 0
    ZEROS = 1
    BYTES = 2


class Tracking:  # enum vmsnap_tracking
    TELLS = 0
    ARMED = 1
    DISTURBED = 2
    RAN = 3
    EXECED = 4


class CaptureFlag:  # enum vmsnap_capture_flag
    NO_FREEZE = 1
    SMAPS = 2
    DROP_OWN_MAPPINGS = 4
    WATCHDOG = 8
    DESCENDANTS = 16
    BRIEF = 32
    REALTIME = 64
    NO_PAGES = 128
    KPAGE = 256
    NODES = 512
    PEEK = 1024


class ContentsWanted:  # enum vmsnap_contents_wanted
    NO_CONTENTS = 0
    HASHES = 1
    PRIVATE = 2
    ALL = 3
    UNDUMPED = 16


class Memory:  # enum vmsnap_memory
    PRIVATE = 0
    CACHE = 1
    SHARED = 2
    COUNT = 3


class GroupSource:  # enum vmsnap_group_source
    FRAMES = 0
    SMAPS = 1
    NOTHING = 2
    SOURCE_COUNT = 3


class GroupRole:  # enum vmsnap_group_role
    ALONE = 0
    MASTER = 1
    WORKER = 2
    ROLE_COUNT = 3


class GroupTotal:  # enum vmsnap_group_total
    SPACES = 0
    RSS = 1
    PSS = 2
    FRAMES = 3
    PRIVATE = 4
    CACHE = 5
    SHARED = 6
    OWN = 7
    BY_ALL_PRIVATE = 8
    BY_ALL_CACHE = 9
    BY_ALL_SHARED = 10
    OUTSIDE = 11
    OUTSIDE_UNKNOWN = 12
    HIDDEN = 13
    USS = 14
    COUNT = 15


class SaveFlag:  # enum vmsnap_save_flag
    APPEND = 1
    INTERRUPTIBLE = 2
    REGULAR = 4
    NO_CONTENTS = 8
    DELTA = 16


class SeriesBy:  # enum vmsnap_series_by
    MAPPING = 0
    KIND = 1
    PROCESS = 2
    STATE = 3
    COUNT = 4


class ValueKind:  # enum vmsnap_value_kind
    UNKNOWN = 0
    BYTES = 1
    SIGNED = 2
    UNSIGNED = 3
    BOOL = 4
    CHARACTER = 5
    FLOAT = 6
    ENUM = 7
    POINTER = 8
    TEXT = 9
    KIND_COUNT = 10


class WhoKind:  # enum vmsnap_who_kind
    FRAME = 0
    SWAP = 1
    FILE = 2


class Color:  # enum vmsnap_color
    COLOR_NONE = 0
    COLOR_16 = 1
    COLOR_256 = 2
    COLOR_RGB = 3
    COLOR_LIGHT = 16


class ShowBy:  # enum vmsnap_show_by
    KIND = 0
    FILE = 1
    NODE = 2
    COUNT = 3


class PrintFlag:  # enum vmsnap_print_flag
    TOTALS_ONLY = 1
    LONG = 2
    EACH_PAGE = 4
    PICTURE = 8


class GroupBy:  # enum vmsnap_group_by
    MAPPING = 0
    NAME = 1


class BlameBy:  # enum vmsnap_blame_by
    FUNCTION = 0
    LINE = 1
    MAPPING = 2
    VARIABLE = 3
    PAGE = 4
    THREAD = 5
    STACK = 6
    COUNT = 7


class Report:  # enum vmsnap_report
    SHOW = 1
    PAGES = 2
    DIFF = 3
    COW = 4
    STATUS_ONE = 5
    STATUS_TWO = 6
    LIST = 7
    CHECK = 8
    SNAPSHOTS = 9
    HISTORY = 10
    SET_DIFF = 11
    SET_COW = 12
    VALUES = 13
    SERIES = 14
    SERIES_COW = 15
    WHO = 18
    KINDS = 20
    WHO_FILE = 21
    ASLR = 19
    GROUP = 16
    GROUP_BY = 17
    BLAME = 22


class ExportFormat:  # enum vmsnap_export_format
    SQLITE = 0
    TSV = 1
    OPENMETRICS = 2
    PPROF = 3
    FOLDED = 4
    COUNT = 5


class ExportFlag:  # enum vmsnap_export_flag
    RUNS = 1
    CHANGED = 2
    ARGUMENTS = 4
    NO_HEADING = 8


class SchemaDialect:  # enum vmsnap_schema_dialect
    SQLITE = 0
    CLICKHOUSE = 1
    POSTGRES = 2
    COUNT = 3


class Mapped:  # enum vmsnap_mapped
    NOTHING = 0
    ALL = 1
    PARTLY = 2
    BEYOND = 3


class WatchFlag:  # enum vmsnap_watch_flag
    FORK = 1
    EXEC = 2
    EXIT = 4
    CHILDREN = 8


WriteFn = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)


class Error(Structure):  # struct vmsnap_error
    _fields_ = [
        ("code", c_int), ("sys_errno", c_int), ("position", c_uint64), ("message", c_char * 512),
    ]


class Ability(Structure):  # struct vmsnap_ability
    _fields_ = [
        ("name", c_char_p), ("gives", c_char_p), ("reason", c_char_p), ("help", c_char_p), ("able", c_uint32),
        ("unused", c_uint32),
    ]


class Run(Structure):  # struct vmsnap_run
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64), ("pfn", c_uint64), ("swap_offset", c_uint64), ("swap_type", c_uint32),
        ("flags", c_uint32),
    ]


class Known(Structure):  # struct vmsnap_known
    _fields_ = [
        ("pfn", c_uint64, 1), ("soft_dirty", c_uint64, 1), ("exclusive", c_uint64, 1), ("zero", c_uint64, 1),
        ("huge", c_uint64, 1), ("exclusive_huge", c_uint64, 1), ("written", c_uint64, 2),
        ("states_unknown", c_uint64, 1), ("later", c_uint64, 55),
    ]


class Info(Structure):  # struct vmsnap_info
    _fields_ = [
        ("pid", c_uint32), ("tgid", c_uint32), ("ppid", c_uint32), ("uid", c_uint32), ("ns_pid", c_uint32),
        ("pid_namespace", c_uint64), ("start_time", c_uint64), ("page_size", c_uint64), ("taken", c_int64),
        ("monotonic", c_int64), ("pause", c_uint64), ("freeze", c_uint32), ("consistent", c_bool), ("known", Known),
        ("boot_id", c_char_p), ("host", c_char_p), ("kernel", c_char_p), ("arch", c_char_p), ("comm", c_char_p),
        ("exe", c_char_p), ("label", c_char_p), ("tool", c_char_p), ("reason", c_char_p), ("cmdline", c_void_p),
        ("cmdline_len", c_size_t), ("exe_build_id", c_void_p), ("exe_build_id_len", c_size_t), ("faults", c_uint64),
        ("swap_in_use", c_uint64), ("page_size_assumed", c_bool), ("cgroup", c_char_p), ("unit", c_char_p),
        ("container", c_char_p), ("machine_hash", c_char_p), ("start_code", c_uint64), ("start_stack", c_uint64),
        ("arg_start", c_uint64), ("memory_with", POINTER(c_uint32)), ("memory_with_count", c_size_t),
        ("memory_known", c_bool), ("boottime", c_uint64), ("page_moves", c_uint64), ("zero_pfn", c_uint64),
        ("build_ids_proved", c_bool), ("contents_left_out", c_uint64), ("written_since", c_int64),
        ("contents_copied", c_uint64), ("precopy", c_uint32), ("kpage_read", c_int64), ("contents_told", c_uint32),
        ("contents_told_bytes", c_uint64), ("source", c_uint32), ("signal", c_uint32), ("known_until", c_uint64),
        ("executed", c_uint32),
    ]


class Vma(Structure):  # struct vmsnap_vma
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64), ("offset", c_uint64), ("inode", c_uint64), ("dev_major", c_uint32),
        ("dev_minor", c_uint32), ("perms", c_uint32), ("deleted", c_bool), ("unknown", c_uint8), ("name", c_char_p),
        ("build_id", c_void_p), ("build_id_len", c_size_t),
    ]


class RunIter(Structure):  # struct vmsnap_run_iter
    _fields_ = [
        ("snap", c_void_p), ("at", c_uint64), ("end", c_uint64), ("index", c_size_t),
    ]


class Sums(Structure):  # struct vmsnap_sums
    _fields_ = [
        ("size", c_uint64), ("resident", c_uint64), ("swapped", c_uint64), ("exclusive", c_uint64), ("zero", c_uint64),
        ("file", c_uint64), ("huge", c_uint64), ("guard", c_uint64), ("swap_unknown", c_uint64),
        ("exclusive_unknown", c_uint64), ("swapped_unknown", c_uint64),
    ]


class StatusField(Structure):  # struct vmsnap_status_field
    _fields_ = [
        ("key", c_void_p), ("key_len", c_size_t), ("text", c_void_p), ("text_len", c_size_t), ("is_size", c_bool),
        ("is_number", c_bool), ("number", c_uint64),
    ]


class Thread(Structure):  # struct vmsnap_thread
    _fields_ = [
        ("tid", c_uint32), ("stack_pointer", c_uint64), ("comm", c_char_p), ("missed", c_bool),
    ]


class Annotation(Structure):  # struct vmsnap_annotation
    _fields_ = [
        ("address", c_uint64), ("size", c_uint64), ("kind", c_uint32), ("tid", c_uint32), ("frame", c_uint32),
        ("function", c_char_p), ("symbol", c_char_p), ("type", c_char_p),
    ]


class LayerRange(Structure):  # struct vmsnap_layer_range
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64), ("value", c_uint64),
    ]


class SetSums(Structure):  # struct vmsnap_set_sums
    _fields_ = [
        ("resident", c_uint64), ("distinct", c_uint64), ("hidden", c_uint64),
    ]


class CompareOptions(Structure):  # struct vmsnap_compare_options
    _fields_ = [
        ("size", c_size_t), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p), ("flags", c_uint),
        ("between", POINTER(c_void_p)), ("between_count", c_size_t),
    ]


class DiffVma(Structure):  # struct vmsnap_diff_vma
    _fields_ = [
        ("change", c_int), ("a", POINTER(Vma)), ("b", POINTER(Vma)), ("from", c_uint64), ("to", c_uint64),
        ("length", c_uint64),
    ]


class DiffRange(Structure):  # struct vmsnap_diff_range
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64), ("changes", c_uint32), ("executable", c_bool), ("touched", c_bool),
        ("moved", c_bool), ("vma", POINTER(Vma)), ("kinds", c_uint32), ("before", c_uint32), ("after", c_uint32),
        ("from", c_uint64),
    ]


class DiffStatus(Structure):  # struct vmsnap_diff_status
    _fields_ = [
        ("a", StatusField), ("b", StatusField), ("incidental", c_bool),
    ]


class PageDiff(Structure):  # struct vmsnap_page_diff
    _fields_ = [
        ("changes", c_uint32), ("kinds", c_uint32), ("moved", c_bool), ("from", c_uint64), ("moved_away", c_bool),
        ("to", c_uint64), ("replaced", c_bool), ("frames_unknown", c_bool), ("relation", c_int),
        ("writes_unknown", c_bool),
    ]


class CowRange(Structure):  # struct vmsnap_cow_range
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64), ("verdict", c_int), ("inferred", c_bool), ("touched", c_bool),
        ("moved", c_bool), ("vma", POINTER(Vma)), ("parent_start", c_uint64), ("base_start", c_uint64),
    ]


class SetDiffRow(Structure):  # struct vmsnap_set_diff_row
    _fields_ = [
        ("a", c_void_p), ("b", c_void_p), ("differs", c_bool), ("copied_known", c_bool), ("vmas", c_uint64),
        ("resident_a", c_uint64), ("resident_b", c_uint64), ("relation", c_int), ("was_there", c_bool),
        ("written_unknown", c_uint64),
    ]


class SetCowRow(Structure):  # struct vmsnap_set_cow_row
    _fields_ = [
        ("child", c_void_p), ("parent", c_void_p), ("base", c_void_p), ("came", c_bool), ("warning", c_char_p),
        ("inferred", c_uint64), ("relation", c_int), ("base_child", c_void_p),
    ]


class AslrSide(Structure):  # struct vmsnap_aslr_side
    _fields_ = [
        ("size", c_uint64), ("resident", c_uint64), ("swapped", c_uint64), ("private_bytes", c_uint64),
        ("exclusive", c_uint64), ("exclusive_unknown", c_uint64), ("swapped_unknown", c_uint64),
    ]


class AslrContents(Structure):  # struct vmsnap_aslr_contents
    _fields_ = [
        ("compared", c_uint64), ("same", c_uint64), ("same_but_addresses", c_uint64),
    ]


class AslrRow(Structure):  # struct vmsnap_aslr_row
    _fields_ = [
        ("kind", c_int), ("differs", c_uint32), ("group", c_size_t), ("a", POINTER(Vma)), ("b", POINTER(Vma)),
        ("start_a", c_uint64), ("end_a", c_uint64), ("start_b", c_uint64), ("end_b", c_uint64), ("in_a", AslrSide),
        ("in_b", AslrSide), ("contents", AslrContents),
    ]


class AslrSums(Structure):  # struct vmsnap_aslr_sums
    _fields_ = [
        ("name_a", c_char_p), ("name_b", c_char_p), ("kind", c_int), ("in_a", AslrSide), ("in_b", AslrSide),
        ("contents", AslrContents), ("only_a", c_size_t), ("only_b", c_size_t), ("both", c_size_t),
        ("differ", c_size_t),
    ]


class Fault(Structure):  # struct vmsnap_fault
    _fields_ = [
        ("time", c_uint64), ("address", c_uint64), ("ip", c_uint64), ("pid", c_int32), ("tid", c_int32),
        ("stack", c_uint32), ("syscall", c_int32), ("kind", c_uint8), ("flags", c_uint8), ("unused1", c_uint16),
        ("unused2", c_uint32),
    ]


class FaultsInfo(Structure):  # struct vmsnap_faults_info
    _fields_ = [
        ("begin", c_uint64), ("end", c_uint64), ("count", c_uint64), ("lost", c_uint64), ("stacks", c_uint64),
        ("memory", c_uint64), ("flags", c_uint32), ("pid", c_uint32),
    ]


class FaultObject(Structure):  # struct vmsnap_fault_object
    _fields_ = [
        ("path", c_char_p), ("build_id", c_void_p), ("build_id_len", c_size_t), ("start", c_uint64), ("end", c_uint64),
        ("offset", c_uint64),
    ]


class FaultCode(Structure):  # struct vmsnap_fault_code
    _fields_ = [
        ("address", c_uint64), ("pid", c_uint32), ("line", c_uint32), ("begin", c_uint64), ("function", c_char_p),
        ("file", c_char_p), ("object", c_uint32), ("unused", c_uint32),
    ]


class FaultEvent(Structure):  # struct vmsnap_fault_event
    _fields_ = [
        ("time", c_uint64), ("pid", c_int32), ("child", c_int32), ("kind", c_int),
    ]


class MemoryEvent(Structure):  # struct vmsnap_memory_event
    _fields_ = [
        ("time", c_uint64), ("start", c_uint64), ("end", c_uint64), ("to", c_uint64), ("pid", c_int32),
        ("kind", c_int),
    ]


class FaultThread(Structure):  # struct vmsnap_fault_thread
    _fields_ = [
        ("pid", c_int32), ("tid", c_int32), ("comm", c_char_p),
    ]


class FaultMark(Structure):  # struct vmsnap_fault_mark
    _fields_ = [
        ("begin", c_uint64), ("end", c_uint64), ("tid", c_int32), ("flags", c_uint32),
    ]


class Name(Structure):  # struct vmsnap_name
    _fields_ = [
        ("kind", c_int), ("symbol", c_char_p), ("object", c_char_p), ("address", c_uint64), ("size", c_uint64),
        ("function", c_char_p), ("frame", c_uint32), ("tid", c_uint32),
    ]


class Segment(Structure):  # struct vmsnap_segment
    _fields_ = [
        ("index", c_uint32), ("perms", c_uint32), ("section", c_char_p), ("elf_address", c_uint64),
    ]


class ElfTls(Structure):  # struct vmsnap_elf_tls
    _fields_ = [
        ("size", c_size_t), ("complete", c_bool), ("below_pointer", c_uint64),
    ]


class ElfSymbol(Structure):  # struct vmsnap_elf_symbol
    _fields_ = [
        ("name", c_char_p), ("value", c_uint64), ("size", c_uint64), ("local", c_bool),
    ]


class FaultWatchOptions(Structure):  # struct vmsnap_fault_watch_options
    _fields_ = [
        ("size", c_size_t), ("frames", c_uint), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
        ("flags", c_uint),
    ]


class Blamed(Structure):  # struct vmsnap_blamed
    _fields_ = [
        ("snap", c_void_p), ("start", c_uint64), ("end", c_uint64), ("became", c_int), ("first", c_size_t),
        ("count", c_size_t), ("inherited", c_bool), ("doubtful", c_bool),
    ]


class BlameOptions(Structure):  # struct vmsnap_blame_options
    _fields_ = [
        ("size", c_size_t), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
        ("events", POINTER(FaultEvent)), ("event_count", c_size_t),
    ]


class HeapBlock(Structure):  # struct vmsnap_heap_block
    _fields_ = [
        ("address", c_uint64), ("size", c_uint64), ("is_free", c_bool),
    ]


class Range(Structure):  # struct vmsnap_range
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64),
    ]


class CaptureOptions(Structure):  # struct vmsnap_capture_options
    _fields_ = [
        ("size", c_size_t), ("flags", c_uint), ("label", c_char_p), ("freeze_timeout_ms", c_uint),
        ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p), ("reason", c_char_p),
        ("left_out", CFUNCTYPE(None, c_void_p, c_int, c_int)), ("left_out_ctx", c_void_p), ("threads", c_uint),
        ("contents", c_uint), ("store", c_void_p), ("contents_limit", c_uint64), ("exclude", POINTER(c_char_p)),
        ("exclude_count", c_size_t), ("exclude_ranges", POINTER(Range)), ("exclude_range_count", c_size_t),
        ("tracker", c_void_p),
    ]


class Process(Structure):  # struct vmsnap_process
    _fields_ = [
        ("size", c_size_t), ("pid", c_uint32), ("tgid", c_uint32), ("ppid", c_uint32), ("tracer", c_uint32),
        ("start_time", c_uint64), ("state", c_char), ("start_code", c_uint64), ("start_stack", c_uint64),
    ]


class GroupOptions(Structure):  # struct vmsnap_group_options
    _fields_ = [
        ("size", c_size_t), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
        ("counts", CFUNCTYPE(c_int, c_void_p, c_uint64, c_size_t, POINTER(c_uint64))), ("counts_ctx", c_void_p),
    ]


class GroupProcess(Structure):  # struct vmsnap_group_process
    _fields_ = [
        ("snap", c_void_p), ("space", c_size_t), ("source", c_int), ("role", c_int), ("rss", c_uint64),
        ("pss", c_uint64), ("pss_known", c_bool), ("share", c_uint64), ("uss", c_uint64), ("own", c_uint64),
        ("own_unknown", c_uint64), ("of_private", c_uint64), ("of_cache", c_uint64), ("of_shared", c_uint64),
        ("with_private", c_uint64), ("with_cache", c_uint64), ("with_shared", c_uint64), ("outside", c_uint64),
        ("hidden", c_uint64),
    ]


class GroupMapping(Structure):  # struct vmsnap_group_mapping
    _fields_ = [
        ("vma", POINTER(Vma)), ("processes", c_size_t), ("size", c_uint64), ("rss", c_uint64), ("pss", c_uint64),
        ("pss_known", c_bool), ("frames", c_uint64), ("by_all", c_uint64), ("shared", c_uint64), ("own", c_uint64),
        ("outside", c_uint64), ("hidden", c_uint64),
    ]


class GroupRange(Structure):  # struct vmsnap_group_range
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64), ("vma", c_size_t), ("shared", c_bool),
    ]


class GroupChangeProcess(Structure):  # struct vmsnap_group_change_process
    _fields_ = [
        ("a", c_size_t), ("b", c_size_t), ("known", c_bool), ("copied", c_uint64), ("left", c_uint64),
    ]


class GroupLost(Structure):  # struct vmsnap_group_lost
    _fields_ = [
        ("process", c_size_t), ("start", c_uint64), ("end", c_uint64), ("copied", c_bool),
    ]


class SaveOptions(Structure):  # struct vmsnap_save_options
    _fields_ = [
        ("size", c_size_t), ("flags", c_uint), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
    ]


class WriterOptions(Structure):  # struct vmsnap_writer_options
    _fields_ = [
        ("size", c_size_t), ("flags", c_uint), ("sync", c_bool), ("cancelled", CFUNCTYPE(c_bool, c_void_p)),
        ("cancel_ctx", c_void_p),
    ]


class Limits(Structure):  # struct vmsnap_limits
    _fields_ = [
        ("size", c_size_t), ("input_bytes", c_uint64), ("memory", c_uint64),
        ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p), ("regular_only", c_bool),
    ]


class FileEntry(Structure):  # struct vmsnap_file_entry
    _fields_ = [
        ("offset", c_uint64), ("bytes", c_uint64), ("deltas", c_uint32), ("unused", c_uint32),
    ]


class CopySource(Structure):  # struct vmsnap_copy_source
    _fields_ = [
        ("file", c_void_p), ("first", c_size_t), ("count", c_size_t),
    ]


class CopyOptions(Structure):  # struct vmsnap_copy_options
    _fields_ = [
        ("size", c_size_t), ("flags", c_uint), ("strip", c_uint), ("interval", c_uint64),
        ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p), ("pids", POINTER(c_uint32)),
        ("unreadable", CFUNCTYPE(None, c_void_p, c_size_t, c_size_t, POINTER(Error))), ("unreadable_ctx", c_void_p),
    ]


class Copied(Structure):  # struct vmsnap_copied
    _fields_ = [
        ("snapshots", c_uint64), ("thinned", c_uint64), ("unreadable", c_uint64),
    ]


class SeriesOptions(Structure):  # struct vmsnap_series_options
    _fields_ = [
        ("size", c_size_t), ("by", c_int), ("first", c_size_t), ("count", c_size_t), ("pid", c_uint32),
        ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
    ]


class SeriesProcess(Structure):  # struct vmsnap_series_process
    _fields_ = [
        ("pid", c_uint32), ("start_time", c_uint64), ("first", c_size_t), ("last", c_size_t), ("count", c_size_t),
        ("comm", c_char_p),
    ]


class SeriesStep(Structure):  # struct vmsnap_series_step
    _fields_ = [
        ("index", c_size_t), ("snapshots", c_size_t), ("snap", c_void_p), ("before", c_void_p), ("relation", c_int),
        ("elapsed_known", c_bool), ("elapsed", c_uint64), ("sums", Sums), ("sums_before", Sums), ("vmas", c_size_t),
    ]


class SeriesLine(Structure):  # struct vmsnap_series_line
    _fields_ = [
        ("id", c_uint64), ("name", c_char_p), ("pid", c_uint32), ("start", c_uint64), ("end", c_uint64),
        ("vmas", c_size_t), ("bytes", c_uint64), ("bytes_before", c_uint64), ("sums", Sums), ("sums_before", Sums),
        ("changes", c_uint32), ("from", c_uint64), ("into", c_uint64),
    ]


class SeriesFork(Structure):  # struct vmsnap_series_fork
    _fields_ = [
        ("fork", c_uint64), ("parent", c_size_t), ("child", c_size_t), ("parent_pid", c_uint32),
        ("child_pid", c_uint32), ("first", c_bool), ("relation", c_int), ("since_known", c_bool), ("since", c_uint64),
        ("elapsed_known", c_bool), ("elapsed", c_uint64), ("has_base", c_bool), ("before", c_bool),
        ("by_child", c_uint64), ("by_parent", c_uint64), ("by_both", c_uint64), ("by_unknown", c_uint64),
        ("copied", c_uint64), ("new_in_child", c_uint64), ("new_in_parent", c_uint64), ("alone", c_uint64),
        ("shared", c_uint64), ("inferred", c_uint64), ("unknown", c_uint64), ("copied_before", c_uint64),
        ("warning", c_char_p),
    ]


class ValueOptions(Structure):  # struct vmsnap_value_options
    _fields_ = [
        ("size", c_size_t), ("names", c_void_p), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
        ("each_most", c_uint64),
    ]


class Value(Structure):  # struct vmsnap_value
    _fields_ = [
        ("kind", c_int), ("big_endian", c_bool), ("number", c_uint64), ("high", c_uint64), ("bytes", POINTER(c_uint8)),
        ("len", c_size_t), ("word", c_char_p), ("offset", c_uint64),
    ]


class ValueChange(Structure):  # struct vmsnap_value_change
    _fields_ = [
        ("address", c_uint64), ("size", c_uint64), ("symbol", c_char_p), ("object", c_char_p),
        ("symbol_address", c_uint64), ("symbol_size", c_uint64), ("path", c_char_p), ("type", c_char_p),
        ("before", Value), ("after", Value), ("more", c_uint64), ("function", c_char_p), ("tid", c_uint32),
    ]


class ValueBlock(Structure):  # struct vmsnap_value_block
    _fields_ = [
        ("block", HeapBlock), ("changed", c_uint64),
    ]


class WhoQuery(Structure):  # struct vmsnap_who_query
    _fields_ = [
        ("size", c_size_t), ("kind", c_uint32), ("pfn", c_uint64), ("pid", c_int), ("address", c_uint64),
        ("swap_type", c_uint32), ("swap_offset", c_uint64), ("boot_id", c_char_p), ("path", c_char_p),
        ("by_name", c_bool), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
    ]


class WhoInfo(Structure):  # struct vmsnap_who_info
    _fields_ = [
        ("kind", c_uint32), ("live", c_bool), ("frames_known", c_bool), ("page_size", c_uint64), ("looked", c_uint64),
        ("unreadable", c_uint64), ("went", c_uint64), ("came", c_uint64), ("found", c_uint64), ("pfn", c_uint64),
        ("flags", c_uint64), ("counted", c_uint64), ("counted_then", c_uint64), ("count_exact", c_bool),
        ("moved", c_bool), ("swap_type", c_uint32), ("swap_offset", c_uint64), ("path", c_char_p), ("by_name", c_bool),
        ("dev_major", c_uint32), ("dev_minor", c_uint32), ("inode", c_uint64), ("offset", c_uint64),
        ("bytes", c_uint64), ("cached", c_uint64), ("dirty", c_uint64), ("cached_by_mincore", c_bool),
        ("files", c_uint64),
    ]


class WhoProcess(Structure):  # struct vmsnap_who_process
    _fields_ = [
        ("pid", c_uint32), ("uid", c_uint32), ("memory_of", c_uint32), ("self", c_bool), ("other_file", c_bool),
        ("start_time", c_uint64), ("comm", c_char_p), ("taken", c_int64), ("label", c_char_p), ("snapshot", c_uint64),
        ("snap", c_void_p), ("mappings", c_uint64), ("size", c_uint64), ("resident", c_uint64), ("copied", c_uint64),
        ("copied_code", c_uint64), ("pages_known", c_bool), ("first", c_uint64), ("places", c_uint64),
        ("address", c_uint64), ("file", c_char_p), ("file_snapshot", c_uint64),
    ]


class WhoPlace(Structure):  # struct vmsnap_who_place
    _fields_ = [
        ("start", c_uint64), ("end", c_uint64), ("flags", c_uint32), ("process", c_uint64), ("vma", Vma),
    ]


class Style(Structure):  # struct vmsnap_style
    _fields_ = [
        ("size", c_size_t), ("color", c_int), ("width", c_uint), ("unicode", c_bool), ("json", c_bool),
        ("raw", c_bool), ("bytes", c_bool), ("no_headings", c_bool), ("columns", c_char_p), ("sort", c_char_p),
    ]


class Filter(Structure):  # struct vmsnap_filter
    _fields_ = [
        ("size", c_size_t), ("name", c_char_p), ("perm", c_char_p), ("only", c_char_p), ("pfn", c_char_p),
        ("start", c_uint64), ("end", c_uint64),
    ]


class Output(Structure):  # struct vmsnap_output
    _fields_ = [
        ("size", c_size_t), ("style", Style), ("write", WriteFn), ("ctx", c_void_p),
        ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p), ("filter", POINTER(Filter)),
        ("names", c_void_p), ("title", c_char_p), ("file", c_void_p), ("first", c_size_t), ("end", c_size_t),
    ]


class ExportOptions(Structure):  # struct vmsnap_export_options
    _fields_ = [
        ("size", c_size_t), ("flags", c_uint), ("strip", c_uint), ("host", c_char_p), ("table", c_char_p),
        ("path", c_char_p), ("write", WriteFn), ("ctx", c_void_p), ("dialect", c_int),
        ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p), ("raw_symbols", c_bool),
    ]


class HtmlOptions(Structure):  # struct vmsnap_html_options
    _fields_ = [
        ("size", c_size_t), ("strip", c_uint), ("title", c_char_p), ("start", c_uint64), ("end", c_uint64),
        ("sysroot", c_char_p), ("cancelled", CFUNCTYPE(c_bool, c_void_p)), ("cancel_ctx", c_void_p),
        ("contents", c_bool), ("raw_symbols", c_bool),
    ]


class SelfOptions(Structure):  # struct vmsnap_self_options
    _fields_ = [
        ("size", c_size_t), ("memory", c_void_p), ("bytes", c_size_t), ("label", c_char_p), ("reason", c_char_p),
    ]


class SelfTold(Structure):  # struct vmsnap_self_told
    _fields_ = [
        ("known_until", c_uint64), ("page_faults", c_uint64), ("used", c_uint64), ("bytes", c_uint64),
        ("nanoseconds", c_uint64), ("system_error", c_int32), ("taken", c_bool),
    ]


class CaptureSource(Structure):  # struct vmsnap_capture_source
    _fields_ = [
        ("size", c_size_t), ("read", CFUNCTYPE(c_int64, c_void_p, c_char_p, c_uint64, c_void_p, c_size_t)),
        ("ctx", c_void_p), ("held", c_bool), ("tids", POINTER(c_uint32)), ("stack_pointers", POINTER(c_uint64)),
        ("thread_count", c_size_t),
    ]


class WatchEvent(Structure):  # struct vmsnap_watch_event
    _fields_ = [
        ("kind", c_uint), ("pid", c_int), ("child", c_int),
    ]


FUNCTIONS = {
    "vmsnap_version": (c_char_p, ()),
    "vmsnap_rc_name": (c_char_p, (c_int,)),
    "vmsnap_able_name": (c_char_p, (c_int,)),
    "vmsnap_abilities_new": (CHECKED, (POINTER(c_void_p),)),
    "vmsnap_abilities_free": (None, (c_void_p,)),
    "vmsnap_abilities_count": (c_size_t, (c_void_p,)),
    "vmsnap_ability_sized": (c_int, (c_void_p, c_size_t, POINTER(Ability), c_size_t)),
    "vmsnap_page_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_struct_size": (c_size_t, (c_int,)),
    "vmsnap_struct_name": (c_char_p, (c_int,)),
    "vmsnap_freeze_name": (c_char_p, (c_int,)),
    "vmsnap_source_name": (c_char_p, (c_int,)),
    "vmsnap_written_name": (c_char_p, (c_int,)),
    "vmsnap_info": (POINTER(Info), (c_void_p,)),
    "vmsnap_one_instant": (c_bool, (c_void_p, POINTER(c_bool))),
    "vmsnap_ref": (c_void_p, (c_void_p,)),
    "vmsnap_unref": (None, (c_void_p,)),
    "vmsnap_same_code": (c_bool, (c_void_p, c_void_p)),
    "vmsnap_memory": (c_uint64, (c_void_p,)),
    "vmsnap_memory_left": (c_uint64, (POINTER(c_void_p), c_size_t)),
    "vmsnap_perm_name": (c_char_p, (c_uint,)),
    "vmsnap_vma_count": (c_size_t, (c_void_p,)),
    "vmsnap_vma": (POINTER(Vma), (c_void_p, c_size_t)),
    "vmsnap_vma_at": (POINTER(Vma), (c_void_p, c_uint64)),
    "vmsnap_run_iter_init": (None, (POINTER(RunIter), c_void_p, c_uint64, c_uint64)),
    "vmsnap_run_next": (c_int, (POINTER(RunIter), POINTER(Run))),
    "vmsnap_run_read": (c_size_t, (POINTER(RunIter), POINTER(Run), c_size_t)),
    "vmsnap_page_at": (c_int, (c_void_p, c_uint64, POINTER(Run))),
    "vmsnap_pages_read": (None, (c_void_p, c_uint64, c_size_t, POINTER(c_uint64))),
    "vmsnap_sum_sized": (None, (c_void_p, c_uint64, c_uint64, POINTER(Sums), c_size_t)),
    "vmsnap_status_text": (c_void_p, (c_void_p, POINTER(c_size_t))),
    "vmsnap_status_count": (c_size_t, (c_void_p,)),
    "vmsnap_status_field": (c_int, (c_void_p, c_size_t, POINTER(StatusField))),
    "vmsnap_status_find": (c_int, (c_void_p, c_char_p, POINTER(StatusField))),
    "vmsnap_thread_count": (c_size_t, (c_void_p,)),
    "vmsnap_thread": (POINTER(Thread), (c_void_p, c_size_t)),
    "vmsnap_smaps_key_count": (c_size_t, (c_void_p,)),
    "vmsnap_smaps_key": (c_char_p, (c_void_p, c_size_t)),
    "vmsnap_smaps_value": (c_uint64, (c_void_p, c_size_t, c_size_t)),
    "vmsnap_smaps_text": (c_char_p, (c_void_p, c_size_t, c_size_t)),
    "vmsnap_smaps_flags": (c_char_p, (c_void_p, c_size_t)),
    "vmsnap_annotation_kind_name": (c_char_p, (c_int,)),
    "vmsnap_annotation_count": (c_size_t, (c_void_p,)),
    "vmsnap_annotation": (POINTER(Annotation), (c_void_p, c_size_t)),
    "vmsnap_types": (c_void_p, (c_void_p, POINTER(c_size_t))),
    "vmsnap_page_dumped_name": (c_char_p, (c_int,)),
    "vmsnap_page_written_name": (c_char_p, (c_int,)),
    "vmsnap_kpage_flag_name": (c_char_p, (c_int,)),
    "vmsnap_layer_at": (c_int, (c_void_p, c_int, c_uint64, POINTER(c_uint64), POINTER(c_uint64))),
    "vmsnap_layer_known": (c_bool, (c_void_p, c_int)),
    "vmsnap_layer_range_count": (c_size_t, (c_void_p, c_int)),
    "vmsnap_layer_range": (c_int, (c_void_p, c_int, c_size_t, POINTER(LayerRange))),
    "vmsnap_layer_name": (c_char_p, (c_int,)),
    "vmsnap_written_at": (c_int, (c_void_p, c_uint64, POINTER(c_uint64))),
    "vmsnap_strip_name": (c_char_p, (c_uint,)),
    "vmsnap_strip": (CHECKED, (c_void_p, c_uint, POINTER(c_void_p))),
    "vmsnap_same_process": (c_bool, (c_void_p, c_void_p)),
    "vmsnap_same_instant": (c_bool, (c_void_p, c_void_p)),
    "vmsnap_set_new": (CHECKED, (POINTER(c_void_p), c_size_t, POINTER(c_void_p))),
    "vmsnap_set_free": (None, (c_void_p,)),
    "vmsnap_set_count": (c_size_t, (c_void_p,)),
    "vmsnap_set_at": (c_void_p, (c_void_p, c_size_t)),
    "vmsnap_set_same": (c_void_p, (c_void_p, c_void_p)),
    "vmsnap_set_parent": (c_void_p, (c_void_p, c_void_p)),
    "vmsnap_set_sums_sized": (CHECKED, (c_void_p, POINTER(SetSums), c_size_t)),
    "vmsnap_relation": (c_int, (c_void_p, c_void_p)),
    "vmsnap_relation_name": (c_char_p, (c_int,)),
    "vmsnap_diff_new": (CHECKED, (c_void_p, c_void_p, POINTER(c_void_p))),
    "vmsnap_diff_new_with": (CHECKED, (c_void_p, c_void_p, POINTER(CompareOptions), POINTER(c_void_p))),
    "vmsnap_diff_free": (None, (c_void_p,)),
    "vmsnap_diff_a": (c_void_p, (c_void_p,)),
    "vmsnap_diff_b": (c_void_p, (c_void_p,)),
    "vmsnap_diff_relation": (c_int, (c_void_p,)),
    "vmsnap_diff_memory_left": (c_uint64, (c_void_p,)),
    "vmsnap_diff_faults": (c_void_p, (c_void_p,)),
    "vmsnap_diff_flags": (c_uint, (c_void_p,)),
    "vmsnap_diff_vma_count": (c_size_t, (c_void_p,)),
    "vmsnap_diff_vma_sized": (c_int, (c_void_p, c_size_t, POINTER(DiffVma), c_size_t)),
    "vmsnap_diff_range_count": (c_size_t, (c_void_p,)),
    "vmsnap_diff_range_sized": (c_int, (c_void_p, c_size_t, POINTER(DiffRange), c_size_t)),
    "vmsnap_diff_pages": (c_uint64, (c_void_p, c_int)),
    "vmsnap_diff_touched_pages": (c_uint64, (c_void_p, c_int)),
    "vmsnap_diff_kind_pages": (c_uint64, (c_void_p, c_int)),
    "vmsnap_diff_vma_rows": (c_uint64, (c_void_p, c_int)),
    "vmsnap_diff_total": (c_uint64, (c_void_p, c_int)),
    "vmsnap_diff_total_name": (c_char_p, (c_int,)),
    "vmsnap_diff_from": (c_bool, (c_void_p, c_uint64, POINTER(c_uint64))),
    "vmsnap_diff_shared": (c_uint64, (c_void_p, c_uint64, c_uint64)),
    "vmsnap_diff_any": (c_bool, (c_void_p,)),
    "vmsnap_diff_status_count": (c_size_t, (c_void_p,)),
    "vmsnap_diff_status_sized": (c_int, (c_void_p, c_size_t, POINTER(DiffStatus), c_size_t)),
    "vmsnap_status_rows":
        (CHECKED, (
            c_void_p, c_void_p, POINTER(CompareOptions), CFUNCTYPE(c_bool, c_void_p, POINTER(DiffStatus)), c_void_p)),
    "vmsnap_status_keys":
        (CHECKED, (
            c_void_p, POINTER(CompareOptions), CFUNCTYPE(c_bool, c_void_p, POINTER(StatusField)), c_void_p)),
    "vmsnap_vma_change_name": (c_char_p, (c_int,)),
    "vmsnap_page_change_name": (c_char_p, (c_int,)),
    "vmsnap_page_kind_name": (c_char_p, (c_int,)),
    "vmsnap_page_compare_sized":
        (CHECKED, (
            c_void_p, c_void_p, c_uint64, POINTER(CompareOptions), POINTER(PageDiff), c_size_t)),
    "vmsnap_page_changes": (c_uint32, (c_void_p, c_uint64, POINTER(Run), POINTER(Known), POINTER(c_bool))),
    "vmsnap_verdict_name": (c_char_p, (c_int,)),
    "vmsnap_cow_new": (CHECKED, (c_void_p, c_void_p, c_void_p, POINTER(c_void_p))),
    "vmsnap_cow_new_with": (CHECKED, (c_void_p, c_void_p, c_void_p, POINTER(CompareOptions), POINTER(c_void_p))),
    "vmsnap_cow_new_between":
        (CHECKED, (
            c_void_p, c_void_p, c_void_p, c_void_p, POINTER(CompareOptions), POINTER(c_void_p))),
    "vmsnap_cow_free": (None, (c_void_p,)),
    "vmsnap_cow_parent": (c_void_p, (c_void_p,)),
    "vmsnap_cow_child": (c_void_p, (c_void_p,)),
    "vmsnap_cow_base": (c_void_p, (c_void_p,)),
    "vmsnap_cow_base_other": (c_void_p, (c_void_p,)),
    "vmsnap_cow_relation": (c_int, (c_void_p,)),
    "vmsnap_cow_memory_left": (c_uint64, (c_void_p,)),
    "vmsnap_cow_range_count": (c_size_t, (c_void_p,)),
    "vmsnap_cow_range_sized": (c_int, (c_void_p, c_size_t, POINTER(CowRange), c_size_t)),
    "vmsnap_cow_pages": (c_uint64, (c_void_p, c_int)),
    "vmsnap_cow_touched_pages": (c_uint64, (c_void_p, c_int)),
    "vmsnap_cow_warning": (c_char_p, (c_void_p,)),
    "vmsnap_set_diff_new": (CHECKED, (c_void_p, c_void_p, POINTER(CompareOptions), POINTER(c_void_p))),
    "vmsnap_set_diff_free": (None, (c_void_p,)),
    "vmsnap_set_diff_count": (c_size_t, (c_void_p,)),
    "vmsnap_set_diff_row_sized": (c_int, (c_void_p, c_size_t, POINTER(SetDiffRow), c_size_t)),
    "vmsnap_set_diff_pages": (c_uint64, (c_void_p, c_size_t, c_int)),
    "vmsnap_set_diff_total": (c_uint64, (c_void_p, c_int)),
    "vmsnap_set_diff_any": (c_bool, (c_void_p,)),
    "vmsnap_set_cow_new": (CHECKED, (c_void_p, c_void_p, POINTER(CompareOptions), POINTER(c_void_p))),
    "vmsnap_set_cow_free": (None, (c_void_p,)),
    "vmsnap_set_cow_count": (c_size_t, (c_void_p,)),
    "vmsnap_set_cow_row_sized": (c_int, (c_void_p, c_size_t, POINTER(SetCowRow), c_size_t)),
    "vmsnap_set_cow_pages": (c_uint64, (c_void_p, c_size_t, c_int)),
    "vmsnap_set_cow_touched_pages": (c_uint64, (c_void_p, c_size_t, c_int)),
    "vmsnap_set_cow_inferred_pages": (c_uint64, (c_void_p, c_size_t, c_int)),
    "vmsnap_set_cow_distinct": (c_uint64, (c_void_p, c_int)),
    "vmsnap_set_cow_hidden": (c_uint64, (c_void_p,)),
    "vmsnap_set_cow_went": (c_void_p, (c_void_p, c_size_t)),
    "vmsnap_aslr_kind_name": (c_char_p, (c_int,)),
    "vmsnap_aslr_difference_name": (c_char_p, (c_int,)),
    "vmsnap_aslr_new": (CHECKED, (c_void_p, c_void_p, POINTER(CompareOptions), POINTER(c_void_p))),
    "vmsnap_aslr_free": (None, (c_void_p,)),
    "vmsnap_aslr_a": (c_void_p, (c_void_p,)),
    "vmsnap_aslr_b": (c_void_p, (c_void_p,)),
    "vmsnap_aslr_memory_left": (c_uint64, (c_void_p,)),
    "vmsnap_aslr_any": (c_bool, (c_void_p,)),
    "vmsnap_aslr_contents_known": (c_bool, (c_void_p,)),
    "vmsnap_aslr_count": (c_size_t, (c_void_p,)),
    "vmsnap_aslr_row_sized": (c_int, (c_void_p, c_size_t, POINTER(AslrRow), c_size_t)),
    "vmsnap_aslr_group_count": (c_size_t, (c_void_p,)),
    "vmsnap_aslr_group_sized": (c_int, (c_void_p, c_size_t, POINTER(AslrSums), c_size_t)),
    "vmsnap_fault_kind_name": (c_char_p, (c_int,)),
    "vmsnap_fault_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_faults_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_faults_ref": (c_void_p, (c_void_p,)),
    "vmsnap_faults_unref": (None, (c_void_p,)),
    "vmsnap_faults_of": (c_void_p, (c_void_p,)),
    "vmsnap_faults_info": (POINTER(FaultsInfo), (c_void_p,)),
    "vmsnap_faults_count": (c_size_t, (c_void_p,)),
    "vmsnap_faults_at": (POINTER(Fault), (c_void_p, c_size_t)),
    "vmsnap_faults_stack": (POINTER(c_uint64), (c_void_p, c_uint32, POINTER(c_size_t))),
    "vmsnap_faults_first_write": (POINTER(Fault), (c_void_p, c_int32, c_uint64, c_uint64, c_uint64)),
    "vmsnap_faults_event": (POINTER(FaultEvent), (c_void_p, c_size_t)),
    "vmsnap_faults_memory_event": (POINTER(MemoryEvent), (c_void_p, c_size_t)),
    "vmsnap_faults_code_at": (POINTER(FaultCode), (c_void_p, c_uint32, c_uint64)),
    "vmsnap_faults_code": (POINTER(FaultCode), (c_void_p, c_size_t)),
    "vmsnap_faults_object": (POINTER(FaultObject), (c_void_p, c_size_t)),
    "vmsnap_faults_thread": (POINTER(FaultThread), (c_void_p, c_size_t)),
    "vmsnap_faults_syscall": (c_char_p, (c_void_p, c_size_t, POINTER(c_int32))),
    "vmsnap_faults_comm": (c_char_p, (c_void_p, c_int32, c_int32)),
    "vmsnap_faults_syscall_name": (c_char_p, (c_void_p, c_int32)),
    "vmsnap_faults_builder_new": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_faults_builder_free": (None, (c_void_p,)),
    "vmsnap_faults_builder_set_sized": (CHECKED, (c_void_p, POINTER(FaultsInfo), c_size_t)),
    "vmsnap_faults_builder_add_sized": (CHECKED, (c_void_p, POINTER(Fault), c_size_t, POINTER(c_uint64), c_size_t)),
    "vmsnap_faults_builder_add_object_sized": (CHECKED, (c_void_p, POINTER(FaultObject), c_size_t, POINTER(c_uint32))),
    "vmsnap_faults_builder_add_code_sized": (CHECKED, (c_void_p, POINTER(FaultCode), c_size_t)),
    "vmsnap_faults_builder_add_thread": (CHECKED, (c_void_p, c_int32, c_int32, c_char_p)),
    "vmsnap_faults_builder_add_syscall": (CHECKED, (c_void_p, c_int32, c_char_p)),
    "vmsnap_faults_builder_add_event": (CHECKED, (c_void_p, POINTER(FaultEvent))),
    "vmsnap_faults_builder_add_memory_event": (CHECKED, (c_void_p, POINTER(MemoryEvent))),
    "vmsnap_faults_builder_finish": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_faults_join": (CHECKED, (POINTER(c_void_p), c_size_t, POINTER(FaultMark), c_size_t, POINTER(c_void_p))),
    "vmsnap_faults_of_process": (CHECKED, (c_void_p, c_int32, POINTER(c_void_p))),
    "vmsnap_fault_shares_new": (CHECKED, (POINTER(c_void_p),)),
    "vmsnap_fault_shares_free": (None, (c_void_p,)),
    "vmsnap_fault_shares_add": (CHECKED, (c_void_p, c_void_p)),
    "vmsnap_fault_shares_give": (CHECKED, (c_void_p, POINTER(c_void_p), c_size_t, c_uint, POINTER(c_void_p))),
    "vmsnap_fault_shares_left": (c_uint64, (c_void_p,)),
    "vmsnap_names_new": (CHECKED, (c_void_p, c_char_p, POINTER(c_void_p))),
    "vmsnap_names_free": (None, (c_void_p,)),
    "vmsnap_names_rebind": (CHECKED, (c_void_p, c_void_p)),
    "vmsnap_names_set_cancelled": (None, (c_void_p, CFUNCTYPE(c_bool, c_void_p), c_void_p)),
    "vmsnap_names_add_fallback": (CHECKED, (c_void_p, c_void_p)),
    "vmsnap_name_kind_name": (c_char_p, (c_int,)),
    "vmsnap_name_at_sized": (c_int, (c_void_p, c_uint64, POINTER(Name), c_size_t)),
    "vmsnap_name_of_mapping_sized": (c_int, (c_void_p, c_size_t, POINTER(Name), c_size_t)),
    "vmsnap_mapping_kind_name": (c_char_p, (c_int,)),
    "vmsnap_mapping_kinds": (CHECKED, (c_void_p, c_void_p, POINTER(c_uint8))),
    "vmsnap_names_in": (CHECKED, (c_void_p, c_uint64, c_uint64, CFUNCTYPE(c_bool, c_void_p, POINTER(Name)), c_void_p)),
    "vmsnap_segment_at_sized": (c_int, (c_void_p, c_uint64, POINTER(Segment), c_size_t)),
    "vmsnap_names_demangle": (c_char_p, (c_void_p, c_char_p)),
    "vmsnap_names_set_demangled": (None, (c_void_p, c_bool)),
    "vmsnap_names_warning": (c_char_p, (c_void_p,)),
    "vmsnap_elf_thread_locals":
        (CHECKED, (
            c_char_p, POINTER(ElfTls), CFUNCTYPE(c_bool, c_void_p, POINTER(ElfSymbol)), c_void_p)),
    "vmsnap_elf_symbol_offset": (CHECKED, (c_char_p, c_char_p, POINTER(c_uint64))),
    "vmsnap_file_page_now": (CHECKED, (c_void_p, c_uint64, c_void_p, c_void_p)),
    "vmsnap_fault_watch_open": (CHECKED, (POINTER(c_int), c_size_t, POINTER(FaultWatchOptions), POINTER(c_void_p))),
    "vmsnap_fault_watch_add": (CHECKED, (c_void_p, c_int)),
    "vmsnap_fault_watch_read": (CHECKED, (c_void_p, c_int)),
    "vmsnap_fault_watch_remark": (c_char_p, (c_void_p,)),
    "vmsnap_fault_watch_lost": (c_uint64, (c_void_p,)),
    "vmsnap_fault_watch_stop": (None, (c_void_p,)),
    "vmsnap_fault_watch_take": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_fault_watch_close": (None, (c_void_p,)),
    "vmsnap_fault_watch_event": (POINTER(FaultEvent), (c_void_p, c_size_t)),
    "vmsnap_faults_name":
        (CHECKED, (
            c_void_p, POINTER(c_void_p), c_size_t, POINTER(FaultEvent), c_size_t, c_void_p, POINTER(c_void_p))),
    "vmsnap_became_name": (c_char_p, (c_int,)),
    "vmsnap_blame_new":
        (CHECKED, (
            POINTER(c_void_p), c_size_t, POINTER(c_void_p), c_size_t, c_void_p, POINTER(BlameOptions),
            POINTER(c_void_p))),
    "vmsnap_blame_stored":
        (CHECKED, (
            POINTER(c_void_p), c_size_t, POINTER(c_void_p), c_size_t, POINTER(BlameOptions), POINTER(c_void_p))),
    "vmsnap_blame_free": (None, (c_void_p,)),
    "vmsnap_blame_untold": (c_uint64, (c_void_p,)),
    "vmsnap_blame_faults": (c_void_p, (c_void_p,)),
    "vmsnap_blame_at": (POINTER(Blamed), (c_void_p, c_size_t)),
    "vmsnap_blame_fault": (POINTER(Fault), (c_void_p, c_size_t)),
    "vmsnap_blame_process": (c_void_p, (c_void_p, c_size_t, POINTER(c_void_p))),
    "vmsnap_blame_is_known": (c_bool, (c_void_p, c_size_t)),
    "vmsnap_store_new": (CHECKED, (POINTER(c_void_p),)),
    "vmsnap_store_ref": (c_void_p, (c_void_p,)),
    "vmsnap_store_unref": (None, (c_void_p,)),
    "vmsnap_store_spool": (CHECKED, (c_void_p, c_char_p)),
    "vmsnap_store_pages": (c_uint64, (c_void_p,)),
    "vmsnap_store_memory": (c_uint64, (c_void_p,)),
    "vmsnap_contents_name": (c_char_p, (c_int,)),
    "vmsnap_contents_kind": (c_int, (c_void_p,)),
    "vmsnap_contents_range": (c_int, (c_void_p, c_uint64, POINTER(c_uint64), POINTER(c_uint64))),
    "vmsnap_contents_bytes": (c_uint64, (c_void_p,)),
    "vmsnap_contents_read": (CHECKED, (c_void_p, c_uint64, c_void_p, c_size_t, POINTER(c_size_t))),
    "vmsnap_contents_held": (c_int, (c_void_p, c_uint64, POINTER(c_uint64))),
    "vmsnap_contents_hash": (c_int, (c_void_p, c_uint64, POINTER(c_uint8))),
    "vmsnap_contents_compare":
        (c_int, (
            c_void_p, c_void_p, c_uint64, POINTER(c_uint64), POINTER(c_uint64), POINTER(c_bool))),
    "vmsnap_heap_blocks": (CHECKED, (c_void_p, POINTER(c_uint64), c_size_t, POINTER(HeapBlock))),
    "vmsnap_builder_new_sized": (CHECKED, (POINTER(Info), c_size_t, POINTER(c_void_p))),
    "vmsnap_builder_from": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_builder_free": (None, (c_void_p,)),
    "vmsnap_builder_add_vma_sized": (CHECKED, (c_void_p, POINTER(Vma), c_size_t)),
    "vmsnap_builder_add_run": (CHECKED, (c_void_p, POINTER(Run))),
    "vmsnap_builder_add_written": (CHECKED, (c_void_p, POINTER(LayerRange))),
    "vmsnap_builder_add_layer": (CHECKED, (c_void_p, c_int, POINTER(LayerRange))),
    "vmsnap_builder_set_status": (CHECKED, (c_void_p, c_void_p, c_size_t)),
    "vmsnap_builder_add_thread_sized": (CHECKED, (c_void_p, POINTER(Thread), c_size_t)),
    "vmsnap_builder_add_annotations_sized": (CHECKED, (c_void_p, POINTER(Annotation), c_size_t, c_size_t)),
    "vmsnap_builder_set_types": (CHECKED, (c_void_p, c_void_p, c_size_t)),
    "vmsnap_builder_set_label": (CHECKED, (c_void_p, c_char_p)),
    "vmsnap_builder_set_faults": (CHECKED, (c_void_p, c_void_p)),
    "vmsnap_builder_add_contents": (CHECKED, (c_void_p, c_void_p, c_uint64, c_void_p, c_size_t)),
    "vmsnap_builder_finish": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_tracker_new": (CHECKED, (c_int, c_int, POINTER(c_void_p))),
    "vmsnap_tracker_adopt": (CHECKED, (c_int, c_int, POINTER(c_void_p))),
    "vmsnap_tracker_how": (c_int, (c_void_p,)),
    "vmsnap_tracker_resume": (CHECKED, (c_void_p, c_void_p)),
    "vmsnap_tracker_tracking": (c_int, (c_void_p,)),
    "vmsnap_tracking_name": (c_char_p, (c_int,)),
    "vmsnap_tracker_look": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_tracker_peek": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_tracker_free": (None, (c_void_p,)),
    "vmsnap_capture_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_capture": (CHECKED, (c_int, POINTER(CaptureOptions), POINTER(c_void_p))),
    "vmsnap_capture_at": (CHECKED, (c_int, POINTER(CaptureOptions), POINTER(c_void_p))),
    "vmsnap_capture_tree": (CHECKED, (c_int, POINTER(CaptureOptions), POINTER(POINTER(c_void_p)), POINTER(c_size_t))),
    "vmsnap_capture_set":
        (CHECKED, (
            POINTER(c_int), c_size_t, POINTER(CaptureOptions), POINTER(POINTER(c_void_p)), POINTER(c_size_t))),
    "vmsnap_unref_all": (None, (POINTER(c_void_p), c_size_t)),
    "vmsnap_page_now": (CHECKED, (c_int, c_uint64, POINTER(Run), POINTER(Known))),
    "vmsnap_pages_now": (CHECKED, (c_int, c_uint64, c_size_t, POINTER(c_uint64))),
    "vmsnap_process_now": (CHECKED, (c_int, POINTER(Process))),
    "vmsnap_children_now": (CHECKED, (c_int, POINTER(c_int), c_size_t, POINTER(c_size_t))),
    "vmsnap_put_back": (None, (c_bool,)),
    "vmsnap_auxv_now": (CHECKED, (c_int, c_uint64, POINTER(c_uint64))),
    "vmsnap_memory_name": (c_char_p, (c_int,)),
    "vmsnap_frame_counter_open": (CHECKED, (POINTER(c_void_p),)),
    "vmsnap_frame_counter_close": (None, (c_void_p,)),
    "vmsnap_frame_counter_read": (c_int, (c_void_p, c_uint64, c_size_t, POINTER(c_uint64))),
    "vmsnap_group_new": (CHECKED, (c_void_p, POINTER(GroupOptions), POINTER(c_void_p))),
    "vmsnap_group_free": (None, (c_void_p,)),
    "vmsnap_group_source_name": (c_char_p, (c_int,)),
    "vmsnap_group_role_name": (c_char_p, (c_int,)),
    "vmsnap_group_count": (c_size_t, (c_void_p,)),
    "vmsnap_group_process_sized": (c_int, (c_void_p, c_size_t, POINTER(GroupProcess), c_size_t)),
    "vmsnap_group_total_name": (c_char_p, (c_int,)),
    "vmsnap_group_total": (c_uint64, (c_void_p, c_int)),
    "vmsnap_group_pair": (c_uint64, (c_void_p, c_size_t, c_size_t, c_int)),
    "vmsnap_group_mapping_count": (c_size_t, (c_void_p,)),
    "vmsnap_group_mapping_sized": (c_int, (c_void_p, c_size_t, POINTER(GroupMapping), c_size_t)),
    "vmsnap_group_mapping_of": (c_size_t, (c_void_p, c_size_t, c_size_t)),
    "vmsnap_group_ranges": (CHECKED, (c_void_p, c_size_t, CFUNCTYPE(c_bool, c_void_p, POINTER(GroupRange)), c_void_p)),
    "vmsnap_group_change_new": (CHECKED, (c_void_p, c_void_p, POINTER(GroupOptions), POINTER(c_void_p))),
    "vmsnap_group_change_free": (None, (c_void_p,)),
    "vmsnap_group_change_count": (c_size_t, (c_void_p,)),
    "vmsnap_group_change_process_sized": (c_int, (c_void_p, c_size_t, POINTER(GroupChangeProcess), c_size_t)),
    "vmsnap_group_change_lost": (c_uint64, (c_void_p, c_size_t)),
    "vmsnap_group_change_mapping": (c_size_t, (c_void_p, c_size_t)),
    "vmsnap_group_change_range": (c_int, (c_void_p, c_size_t, POINTER(GroupLost))),
    "vmsnap_save": (CHECKED, (c_char_p, POINTER(c_void_p), c_size_t, c_uint)),
    "vmsnap_save_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_save_with": (CHECKED, (c_char_p, POINTER(c_void_p), c_size_t, POINTER(SaveOptions))),
    "vmsnap_write_fd": (CHECKED, (c_int, POINTER(c_void_p), c_size_t)),
    "vmsnap_writer_open": (CHECKED, (c_char_p, POINTER(WriterOptions), POINTER(c_void_p))),
    "vmsnap_writer_add": (CHECKED, (c_void_p, POINTER(c_void_p), c_size_t)),
    "vmsnap_writer_bytes": (c_uint64, (c_void_p,)),
    "vmsnap_writer_close": (CHECKED, (c_void_p,)),
    "vmsnap_file_open": (CHECKED, (c_char_p, POINTER(Limits), POINTER(c_void_p))),
    "vmsnap_file_open_fd": (CHECKED, (c_int, POINTER(Limits), POINTER(c_void_p))),
    "vmsnap_file_open_memory": (CHECKED, (c_void_p, c_size_t, POINTER(Limits), POINTER(c_void_p))),
    "vmsnap_file_close": (None, (c_void_p,)),
    "vmsnap_file_count": (c_size_t, (c_void_p,)),
    "vmsnap_file_damage": (CHECKED, (c_void_p,)),
    "vmsnap_file_entry_sized": (CHECKED, (c_void_p, c_size_t, POINTER(FileEntry), c_size_t)),
    "vmsnap_file_peek": (CHECKED, (c_void_p, c_size_t, POINTER(c_void_p))),
    "vmsnap_file_load": (CHECKED, (c_void_p, c_size_t, POINTER(c_void_p))),
    "vmsnap_file_load_two": (CHECKED, (POINTER(c_void_p), POINTER(c_size_t), POINTER(c_void_p))),
    "vmsnap_walk_new": (CHECKED, (c_void_p, c_size_t, c_size_t, POINTER(c_void_p))),
    "vmsnap_walk_next": (CHECKED, (c_void_p, POINTER(c_void_p), POINTER(c_size_t))),
    "vmsnap_walk_free": (None, (c_void_p,)),
    "vmsnap_copy_sized":
        (CHECKED, (
            c_char_p, POINTER(CopySource), c_size_t, POINTER(CopyOptions), POINTER(Copied), c_size_t)),
    "vmsnap_file_find": (CHECKED, (c_void_p, c_char_p, POINTER(c_size_t))),
    "vmsnap_file_select": (CHECKED, (c_void_p, c_char_p, POINTER(c_size_t), POINTER(c_size_t))),
    "vmsnap_file_instant": (CHECKED, (c_void_p, c_size_t, POINTER(c_size_t), POINTER(c_size_t))),
    "vmsnap_series_by_name": (c_char_p, (c_int,)),
    "vmsnap_series_open": (CHECKED, (c_void_p, POINTER(SeriesOptions), POINTER(c_void_p))),
    "vmsnap_series_of": (CHECKED, (POINTER(c_void_p), c_size_t, POINTER(SeriesOptions), POINTER(c_void_p))),
    "vmsnap_series_close": (None, (c_void_p,)),
    "vmsnap_series_by": (c_int, (c_void_p,)),
    "vmsnap_series_process_count": (c_size_t, (c_void_p,)),
    "vmsnap_series_process_sized": (c_int, (c_void_p, c_size_t, POINTER(SeriesProcess), c_size_t)),
    "vmsnap_series_next": (CHECKED, (c_void_p,)),
    "vmsnap_series_at": (c_size_t, (c_void_p,)),
    "vmsnap_series_step_sized": (c_int, (c_void_p, POINTER(SeriesStep), c_size_t)),
    "vmsnap_series_line_count": (c_size_t, (c_void_p,)),
    "vmsnap_series_line_sized": (c_int, (c_void_p, c_size_t, POINTER(SeriesLine), c_size_t)),
    "vmsnap_series_blame": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_series_forks_open": (CHECKED, (c_void_p, POINTER(SeriesOptions), POINTER(c_void_p))),
    "vmsnap_series_forks_of": (CHECKED, (POINTER(c_void_p), c_size_t, POINTER(SeriesOptions), POINTER(c_void_p))),
    "vmsnap_series_forks_close": (None, (c_void_p,)),
    "vmsnap_series_forks_next": (CHECKED, (c_void_p,)),
    "vmsnap_series_forks_at": (c_size_t, (c_void_p,)),
    "vmsnap_series_fork_sized": (c_int, (c_void_p, POINTER(SeriesFork), c_size_t)),
    "vmsnap_series_fork_cow": (c_void_p, (c_void_p,)),
    "vmsnap_value_diff_new": (CHECKED, (c_void_p, c_void_p, POINTER(ValueOptions), POINTER(c_void_p))),
    "vmsnap_value_at": (CHECKED, (c_void_p, c_uint64, POINTER(ValueOptions), POINTER(c_void_p))),
    "vmsnap_value_diff_free": (None, (c_void_p,)),
    "vmsnap_value_diff_a": (c_void_p, (c_void_p,)),
    "vmsnap_value_diff_b": (c_void_p, (c_void_p,)),
    "vmsnap_value_kind_name": (c_char_p, (c_int,)),
    "vmsnap_value_diff_count": (c_size_t, (c_void_p,)),
    "vmsnap_value_change_sized": (c_int, (c_void_p, c_size_t, POINTER(ValueChange), c_size_t)),
    "vmsnap_value_diff_block_count": (c_size_t, (c_void_p,)),
    "vmsnap_value_diff_block": (c_int, (c_void_p, c_size_t, POINTER(ValueBlock))),
    "vmsnap_value_diff_unnamed": (c_uint64, (c_void_p,)),
    "vmsnap_value_diff_unknown_pages": (c_uint64, (c_void_p,)),
    "vmsnap_who_kind_name": (c_char_p, (c_int,)),
    "vmsnap_who_now": (CHECKED, (POINTER(WhoQuery), POINTER(c_void_p))),
    "vmsnap_who_new": (CHECKED, (POINTER(WhoQuery), POINTER(c_void_p))),
    "vmsnap_who_add": (CHECKED, (c_void_p, c_void_p)),
    "vmsnap_who_begin_file": (CHECKED, (c_void_p, c_char_p)),
    "vmsnap_who_free": (None, (c_void_p,)),
    "vmsnap_who_info_sized": (None, (c_void_p, POINTER(WhoInfo), c_size_t)),
    "vmsnap_who_process_sized": (c_int, (c_void_p, c_size_t, POINTER(WhoProcess), c_size_t)),
    "vmsnap_who_place_sized": (c_int, (c_void_p, c_size_t, POINTER(WhoPlace), c_size_t)),
    "vmsnap_color_name": (c_char_p, (c_int,)),
    "vmsnap_filter_check": (CHECKED, (POINTER(Filter),)),
    "vmsnap_print_show": (CHECKED, (c_void_p, POINTER(Output))),
    "vmsnap_print_show_with": (CHECKED, (c_void_p, c_uint, POINTER(Output))),
    "vmsnap_show_by_name": (c_char_p, (c_int,)),
    "vmsnap_print_show_by": (CHECKED, (c_void_p, c_int, POINTER(Output))),
    "vmsnap_print_pages": (CHECKED, (c_void_p, c_uint64, c_uint64, c_bool, POINTER(Output))),
    "vmsnap_print_pages_with": (CHECKED, (c_void_p, c_uint64, c_uint64, c_uint, POINTER(Output))),
    "vmsnap_print_page": (CHECKED, (c_void_p, c_void_p, c_uint64, POINTER(Output))),
    "vmsnap_print_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_print_diff": (CHECKED, (c_void_p, c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_cow": (CHECKED, (c_void_p, c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_set_diff": (CHECKED, (c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_set_cow": (CHECKED, (c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_aslr": (CHECKED, (c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_group": (CHECKED, (c_void_p, c_void_p, c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_group_by": (CHECKED, (c_void_p, c_void_p, c_void_p, c_int, c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_values": (CHECKED, (c_void_p, POINTER(Output))),
    "vmsnap_print_status": (CHECKED, (c_void_p, c_void_p, POINTER(Output))),
    "vmsnap_print_map": (CHECKED, (c_void_p, c_void_p, POINTER(Output))),
    "vmsnap_print_written": (CHECKED, (c_void_p, c_void_p, POINTER(Output))),
    "vmsnap_print_dump": (CHECKED, (c_void_p, c_void_p, c_uint64, c_uint64, POINTER(Output))),
    "vmsnap_print_abilities": (CHECKED, (c_void_p, POINTER(Output))),
    "vmsnap_print_who": (CHECKED, (c_void_p, c_void_p, POINTER(Output))),
    "vmsnap_blame_by_name": (c_char_p, (c_int,)),
    "vmsnap_print_blame": (CHECKED, (c_void_p, c_int, c_void_p, c_uint, POINTER(Output))),
    "vmsnap_print_snapshots": (CHECKED, (POINTER(c_void_p), POINTER(c_char_p), c_size_t, POINTER(Output))),
    "vmsnap_print_history": (CHECKED, (POINTER(c_void_p), POINTER(c_char_p), c_size_t, c_uint64, POINTER(Output))),
    "vmsnap_print_file_history": (CHECKED, (c_void_p, POINTER(SeriesOptions), c_uint64, POINTER(Output))),
    "vmsnap_print_series": (CHECKED, (c_void_p, c_uint64, POINTER(Output))),
    "vmsnap_print_series_forks": (CHECKED, (c_void_p, POINTER(Output))),
    "vmsnap_print_list": (CHECKED, (c_void_p, POINTER(Output))),
    "vmsnap_print_check": (CHECKED, (c_void_p, POINTER(Output))),
    "vmsnap_report_name": (c_char_p, (c_int,)),
    "vmsnap_report_column_name": (c_char_p, (c_int, c_size_t)),
    "vmsnap_report_column_help": (c_char_p, (c_int, c_size_t)),
    "vmsnap_report_column_usual": (c_bool, (c_int, c_size_t)),
    "vmsnap_print_escaped": (CHECKED, (c_void_p, c_size_t, POINTER(Output))),
    "vmsnap_export_format_name": (c_char_p, (c_int,)),
    "vmsnap_export_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_export_new": (CHECKED, (c_int, POINTER(ExportOptions), POINTER(c_void_p))),
    "vmsnap_export_add": (CHECKED, (c_void_p, POINTER(c_void_p), c_size_t)),
    "vmsnap_export_add_group": (CHECKED, (c_void_p, c_void_p)),
    "vmsnap_export_finish": (CHECKED, (c_void_p,)),
    "vmsnap_export_free": (None, (c_void_p,)),
    "vmsnap_schema_dialect_name": (c_char_p, (c_int,)),
    "vmsnap_export_schema": (CHECKED, (c_int, POINTER(Output))),
    "vmsnap_html_new": (CHECKED, (POINTER(HtmlOptions), POINTER(c_void_p))),
    "vmsnap_html_add": (CHECKED, (c_void_p, c_void_p, c_uint64)),
    "vmsnap_html_write": (CHECKED, (c_void_p, WriteFn, c_void_p)),
    "vmsnap_html_save": (CHECKED, (c_void_p, c_char_p)),
    "vmsnap_html_free": (None, (c_void_p,)),
    "vmsnap_repeat_new": (CHECKED, (c_int, POINTER(c_void_p))),
    "vmsnap_repeat_capture": (CHECKED, (c_void_p, POINTER(CaptureOptions), c_char_p, POINTER(c_void_p))),
    "vmsnap_repeat_brief": (c_uint64, (c_void_p,)),
    "vmsnap_repeat_free": (None, (c_void_p,)),
    "vmsnap_self_prepare": (CHECKED, (POINTER(SelfOptions), POINTER(c_void_p))),
    "vmsnap_self_free": (None, (c_void_p,)),
    "vmsnap_capture_self": (c_int, (c_void_p,)),
    "vmsnap_self_told_sized": (None, (c_void_p, POINTER(SelfTold), c_size_t)),
    "vmsnap_self_write": (c_int, (c_void_p, c_int)),
    "vmsnap_self_finish": (CHECKED, (c_void_p, POINTER(c_void_p))),
    "vmsnap_mapped_name": (c_char_p, (c_int,)),
    "vmsnap_is_mapped": (c_int, (c_uint64, c_uint64, POINTER(c_uint64))),
    "vmsnap_find_gap": (c_int, (c_uint64, c_uint64, POINTER(c_uint64))),
    "vmsnap_capture_from": (CHECKED, (POINTER(CaptureSource), POINTER(CaptureOptions), POINTER(c_void_p))),
    "vmsnap_watch_flag_name": (c_char_p, (c_uint,)),
    "vmsnap_watch_new": (CHECKED, (c_uint, POINTER(c_void_p))),
    "vmsnap_watch_add": (CHECKED, (c_void_p, c_int)),
    "vmsnap_watch_next": (CHECKED, (c_void_p, POINTER(WatchEvent))),
    "vmsnap_watch_stop": (CHECKED, (c_void_p,)),
    "vmsnap_watch_go": (None, (c_void_p,)),
    "vmsnap_watch_processes": (c_size_t, (c_void_p, POINTER(c_int), c_size_t)),
    "vmsnap_watch_free": (None, (c_void_p,)),
}
