/* snapshot.h - one address space at one instant: who it was, its mappings, its pages, its status, its
 * threads, and what a debugger knew of it.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_SNAPSHOT_API_H
#define VMSNAP_SNAPSHOT_API_H

#include <vmsnap/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- page states -------------------------------------------------------- */

/* Bits of a page's state.  They are bits 55 to 63 of a pagemap entry, with the
 * two that are always 0 there (59, 60) used for what PAGEMAP_SCAN knows.
 * Source: Documentation/admin-guide/mm/pagemap.rst. */
enum vmsnap_page_flag {
	VMSNAP_PAGE_SOFT_DIRTY = 1 << 0, /* written since clear_refs; if known.soft_dirty */
	VMSNAP_PAGE_EXCLUSIVE = 1 << 1,  /* mapped once now; if vmsnap_exclusive_known() */
	VMSNAP_PAGE_UFFD_WP = 1 << 2,    /* write-protected through userfaultfd */
	VMSNAP_PAGE_GUARD = 1 << 3,      /* a guard region's page (Linux 6.15); nothing else is set */
	VMSNAP_PAGE_ZERO = 1 << 4,       /* the shared zero page; if known.zero */
	VMSNAP_PAGE_HUGE = 1 << 5,       /* mapped by a PMD or larger; perhaps, if not known.huge */
	VMSNAP_PAGE_FILE = 1 << 6,       /* of a file, or shared anonymous */
	VMSNAP_PAGE_SWAPPED = 1 << 7,    /* in swap, if vmsnap_swap_known(): it may only look so */
	VMSNAP_PAGE_PRESENT = 1 << 8,    /* with pfn 0, though known.pfn: somewhere; it was just being moved */
};

const char *vmsnap_page_flag_name(unsigned flag); /* of one bit: "soft_dirty" */

/* Neighbouring pages in one state.  This struct does not grow: what else is known of pages is
 * in layers.  pfn counts up along a present run and
 * swap_offset along a swapped one; both are meaningful only if known.pfn.
 * A run with neither PRESENT, SWAPPED nor GUARD is a page-table marker: nothing
 * is there, but UFFD_WP is set for what will come. */
struct vmsnap_run {
	uint64_t start, end;  /* addresses */
	uint64_t pfn;         /* of the first page, if PRESENT */
	uint64_t swap_offset; /* of the first page, if SWAPPED */
	uint32_t swap_type;   /* if SWAPPED */
	uint32_t flags;       /* enum vmsnap_page_flag */
};

/* ---- the snapshot ------------------------------------------------------- */

struct vmsnap;

/* Structs that the library owns, and gives pointers to.  They grow at their ends. */
enum vmsnap_struct {
	VMSNAP_STRUCT_INFO,
	VMSNAP_STRUCT_VMA,
	VMSNAP_STRUCT_THREAD,
	VMSNAP_STRUCT_ANNOTATION,
	VMSNAP_STRUCT_NAME,
	VMSNAP_STRUCT_DIFF_STATUS,
	VMSNAP_STRUCT_ELF_SYMBOL,
	VMSNAP_STRUCT_FAULT,
	VMSNAP_STRUCT_FAULTS_INFO,
	VMSNAP_STRUCT_FAULT_OBJECT,
	VMSNAP_STRUCT_FAULT_CODE,
	VMSNAP_STRUCT_FAULT_THREAD,
	VMSNAP_STRUCT_COUNT
};
/* How many bytes of such a struct this library fills: a program that was compiled for a newer
 * one looks here before it reads a member beyond.  0: no such struct. */
size_t vmsnap_struct_size(int which);
const char *vmsnap_struct_name(int which); /* "info" */

enum vmsnap_freeze {
	VMSNAP_FREEZE_NONE = 0, /* not asked for, or impossible: the target ran */
	VMSNAP_FREEZE_FULL = 1, /* every thread was held by vmsnap, or waited in the kernel for one that was (vfork) */
	VMSNAP_FREEZE_DEBUGGER = 2, /* every thread was held by a debugger already */
	/* Some thread could not be stopped (disk wait, a held exec): vmsnap_thread.missed; or
	 * another process that has the same memory. */
	VMSNAP_FREEZE_PARTIAL = 3,
};
const char *vmsnap_freeze_name(int freeze); /* "full" */

/* This struct does not grow, 64 bits are enough: what a library does not know of is 0 in them, that
 * is, unknown. */
struct vmsnap_known {
	bool pfn : 1;        /* PFNs and swap slots; needs CAP_SYS_ADMIN */
	bool soft_dirty : 1; /* needs CONFIG_MEM_SOFT_DIRTY */
	bool exclusive : 1;  /* Linux 4.2 */
	bool zero : 1;       /* PAGEMAP_SCAN (Linux 6.7) or PFNs */
	bool huge : 1;       /* PAGEMAP_SCAN (Linux 6.7) */
	/* EXCLUSIVE also of pages that are mapped by a PMD, each looked at; needs CAP_SYS_ADMIN. */
	bool exclusive_huge : 1;
	/* enum vmsnap_written_by: how it is known what was written since info.written_since, which is in
	 * VMSNAP_LAYER_WRITTEN. */
	uint64_t written : 2;
	/* Nothing told the states of pages: that there are no runs does not mean that pages are absent.  Of those of a
	 * core file VMSNAP_LAYER_DUMPED tells what there is. */
	uint64_t states_unknown : 1;
	uint64_t later : 55; /* has a name, as alignment is that of named ones */
};

/* Where a snapshot comes from. */
enum vmsnap_source {
	VMSNAP_SOURCE_PROCESS, /* a process, or its files in /proc that were recorded into a folder */
	VMSNAP_SOURCE_CORE,    /* a core file */
	VMSNAP_SOURCE_REMOTE,  /* a debugger's remote target */
	VMSNAP_SOURCE_SELF,    /* itself */
	VMSNAP_SOURCE_COUNT
};
const char *vmsnap_source_name(int source); /* "core" */

/* Who told which pages the process wrote to.  What contents tell is not flagged but compared. */
enum vmsnap_written_by {
	VMSNAP_WRITTEN_UNKNOWN,
	VMSNAP_WRITTEN_SOFT_DIRTY, /* clear_refs and pagemap; needs CONFIG_MEM_SOFT_DIRTY */
	VMSNAP_WRITTEN_UFFD,       /* write protection by userfaultfd (Linux 6.7) */
};
const char *vmsnap_written_name(int written); /* "soft_dirty", "uffd"; NULL: unknown */

/* Whether a process has executed a program since it was made, or has all of its maker's memory. */
enum vmsnap_executed { VMSNAP_EXECUTED_UNKNOWN, VMSNAP_EXECUTED_NOTHING, VMSNAP_EXECUTED_PROGRAM };

/* Whether pages were copied before the pause (struct vmsnap_capture_options, .tracker). */
enum vmsnap_precopy {
	VMSNAP_PRECOPY_NO, /* nobody asked for it: no contents, or no tracker that could; or it stood anyway */
	VMSNAP_PRECOPY_DONE,
	VMSNAP_PRECOPY_UNSEEN, /* io_uring, direct I/O or a device may write to its memory, which no tracker sees: all
	                        * was read while it stood */
	VMSNAP_PRECOPY_LOST,   /* what was written meanwhile is not known: it could not be stopped, or executed another
	                        * program */
};

struct vmsnap_info {
	uint32_t pid, tgid, ppid, uid; /* as seen by the capturing process */
	uint32_t ns_pid;               /* in its innermost pid namespace; 0: unknown */
	uint64_t pid_namespace;        /* inode of its pid namespace; 0: unknown */
	uint64_t start_time;           /* clock ticks after boot, stat field 22 */
	uint64_t page_size;
	int64_t taken;     /* wall clock, ns since 1970-01-01 UTC */
	int64_t monotonic; /* CLOCK_MONOTONIC, ns */
	uint64_t pause;    /* how long the target stood, ns; 0 if nothing of it was stopped by us */
	uint32_t freeze;   /* enum vmsnap_freeze */
	bool consistent;   /* frozen, or the map did not change meanwhile; nobody else ran in its memory.  Of a
	                    * recorded folder nobody looked: vmsnap_one_instant() */
	struct vmsnap_known known;
	const char *boot_id; /* never NULL; "" is unknown, for all strings here */
	const char *host;
	const char *kernel; /* uname -r */
	const char *arch;   /* uname -m */
	const char *comm;
	const char *exe;     /* path of the executable, raw bytes */
	const char *label;   /* "" if none */
	const char *tool;    /* "vmsnap 0.1.0": what wrote it */
	const char *reason;  /* why and where it was taken, one line for people */
	const char *cmdline; /* arguments, each ended by NUL, or the title (setproctitle); NULL if unknown: also
	                        where reading them would have faulted a page in */
	size_t cmdline_len;
	const uint8_t *exe_build_id; /* NULL if unknown */
	size_t exe_build_id_len;
	uint64_t faults;        /* page faults of the process until now, minor and major; UINT64_MAX: unknown,
	                         * as if the process was not frozen, or others have its memory too */
	uint64_t swap_in_use;   /* of the whole machine, bytes; UINT64_MAX: unknown */
	bool page_size_assumed; /* nothing told it: of a process that was recorded elsewhere */
	/* Which service it belongs to: the path of its cgroup, and what that names. */
	const char *cgroup;       /* of cgroup v2, else of a hierarchy of v1 */
	const char *unit;         /* of systemd: "nginx.service" */
	const char *container;    /* the id or name of a container */
	const char *machine_hash; /* tells machines apart, made of /etc/machine-id, which it does not reveal */
	/* Where execve(2) put the program, the bottom of its stack and its arguments: with each
	 * program that a process executes they are others, unless addresses are not randomised; a
	 * child has its parent's.  0: unknown. */
	uint64_t start_code, start_stack, arg_start;
	/* The other processes that had the same address space then (vfork, CLONE_VM), in the order of
	 * their numbers: those among its children, its ancestors and the children of those, among
	 * what was captured with it, and, if its maker has ended, among all.  NULL if there is none; if it was not
	 * found out, memory_known is false. */
	const uint32_t *memory_with;
	size_t memory_with_count;
	bool memory_known;
	uint64_t boottime;   /* CLOCK_BOOTTIME, ns, which start_time is of; 0: unknown */
	uint64_t page_moves; /* counts what makes the kernel give pages other frames without a write, on the
	                      * whole machine: while it is the same, none got one so.  0: unknown, as where
	                      * some were just being moved; UINT64_MAX: KSM may have merged pages of this
	                      * process, which is not counted */
	uint64_t zero_pfn;   /* the frame of the shared zero page, on this machine until its next boot; 0: unknown, or
	                      * there are several */
	/* Build IDs of mappings are those of what was mapped: files that were written to after the program
	 * began have none. */
	bool build_ids_proved;
	/* Bytes of pages whose contents were wanted and are not kept, as they are more than was allowed. */
	uint64_t contents_left_out;
	int64_t written_since; /* `monotonic` of the snapshot of the same process at which its pages were armed,
	                        * or all that was written was last asked for: what VMSNAP_LAYER_WRITTEN tells is since
	                        * then; 0: unknown */
	/* Of contents, right after the capture; not kept in files.  Bytes of pages that were copied while the process
	 * still ran, and not read while it stood. */
	uint64_t contents_copied;
	uint32_t precopy;   /* enum vmsnap_precopy */
	int64_t kpage_read; /* CLOCK_MONOTONIC, ns, when VMSNAP_LAYER_KPAGE_FLAGS had been read; 0: it was not */
	/* What a file says that it keeps of what pages hold, also where that was not loaded (vmsnap_file_peek()): 0: it
	 * does not say; else 1 and enum vmsnap_contents. */
	uint32_t contents_told;
	uint64_t contents_told_bytes; /* of pages, whose contents these are */
	uint32_t source;              /* enum vmsnap_source */
	uint32_t signal; /* of a core: the signal that ended it, by the number that it has there; 0: unknown, or
	                  * none, as of one that a debugger wrote */
	/* Of a process that took it of itself, into memory that was too small: of addresses from here on nothing is
	 * known, neither mappings nor pages.  0: all is known. */
	uint64_t known_until;
	uint32_t executed; /* enum vmsnap_executed */
};

const struct vmsnap_info *vmsnap_info(const struct vmsnap *snap);
/* Whether all of it is of one instant: it stood.  *known is false where that cannot be told: the target, or
 * some thread of it, may have run, though its map did not change; or it was recorded into a folder. */
bool vmsnap_one_instant(const struct vmsnap *snap, bool *known);
/* Whether .consistent says something: of a recorded folder it does not.  All that looks at a process itself
 * tells what the clock said. */
static inline bool vmsnap_consistent_known(const struct vmsnap_info *info)
{
	return !info->consistent || info->freeze != VMSNAP_FREEZE_NONE || info->monotonic;
}
/* A snapshot lives until its last holder lets go of it.  Who makes one holds it once; what is
 * made of it (diff, cow, names, another snapshot) holds it as long as it needs.  Each may be
 * called by any thread; NULL is fine. */
struct vmsnap *vmsnap_ref(const struct vmsnap *snap);
void vmsnap_unref(const struct vmsnap *snap);
/* Whether both have the same mappings, and in those that are executable the same pages in the same states; false also
 * where it is not found out. */
bool vmsnap_same_code(const struct vmsnap *a, const struct vmsnap *b);
/* Bytes that it takes, without what the allocator adds: for who keeps many. */
uint64_t vmsnap_memory(const struct vmsnap *snap);
/* Bytes that what is made of these (NULLs are passed over), a text say, may take: a file that is loaded
 * has a limit (struct vmsnap_limits), which holds for that, too.  UINT64_MAX if none is a file's. */
uint64_t vmsnap_memory_left(const struct vmsnap *const *snaps, size_t count);

/* Whether EXCLUSIVE, or that it is not set, says anything of a page.  The kernel's bit of a page that
 * is mapped by a PMD is that of the first one of its huge page; known.exclusive_huge: here it is not. */
static inline bool vmsnap_exclusive_known(const struct vmsnap_known *known, const struct vmsnap_run *page)
{
	bool of_first = (page->flags & VMSNAP_PAGE_HUGE) && !(page->flags & VMSNAP_PAGE_ZERO) && !known->exclusive_huge;
	bool moving = known->pfn && !page->pfn && !(page->flags & VMSNAP_PAGE_EXCLUSIVE);
	return known->exclusive && (page->flags & VMSNAP_PAGE_PRESENT) && !of_first && !moving;
}
/* Whether a page that looks swapped is.  Without frames the kernel does not tell a page in swap from
 * one that it is just moving, one on a device, or a marker of userfaultfd; and files of older versions
 * have some of these as pages in areas from 22 on, which there are not. */
static inline bool vmsnap_swap_known(const struct vmsnap_run *page)
{
	bool marker = (page->flags & VMSNAP_PAGE_UFFD_WP) && !page->swap_type && !page->swap_offset;
	return (page->flags & VMSNAP_PAGE_SWAPPED) && !(page->flags & VMSNAP_PAGE_HUGE) && page->swap_type < 22 &&
	       !marker;
}

/* Whether nobody could read the state of these pages: they may be absent, there, or in swap.  They look swapped, and
 * vmsnap_swap_known() says that they may not be. */
static inline bool vmsnap_page_unread(const struct vmsnap_run *page)
{
	const uint32_t unread = VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_HUGE | VMSNAP_PAGE_ZERO;
	return (page->flags & unread) == unread && !(page->flags & VMSNAP_PAGE_PRESENT);
}

/* Permissions, bits of struct vmsnap_vma, .perms. */
enum vmsnap_perm {
	VMSNAP_PERM_READ = 1,
	VMSNAP_PERM_WRITE = 2,
	VMSNAP_PERM_EXEC = 4,
	VMSNAP_PERM_SHARED = 8, /* 's' in maps; otherwise private */
};
const char *vmsnap_perm_name(unsigned perm); /* of one bit: "write" */

/* What a core file does not tell of a mapping, bits of struct vmsnap_vma, .unknown. */
enum vmsnap_vma_unknown {
	VMSNAP_VMA_UNKNOWN_SHARED = 1, /* whether it is private or shared: VMSNAP_PERM_SHARED says nothing */
	VMSNAP_VMA_UNKNOWN_NAME = 2,   /* what memory without a file is called: a "" says nothing */
	VMSNAP_VMA_UNKNOWN_FILE = 4,   /* inode and device of the file */
	VMSNAP_VMA_UNKNOWN_PERMS = 8,  /* all of .perms */
};

/* One line of /proc/PID/maps. */
struct vmsnap_vma {
	uint64_t start, end;
	uint64_t offset; /* into the file, bytes; 0 for anonymous memory */
	uint64_t inode;  /* 0 for anonymous memory */
	uint32_t dev_major, dev_minor;
	uint32_t perms;          /* enum vmsnap_perm */
	bool deleted;            /* the kernel added " (deleted)", which name keeps; a file
	                            may really be named so: a hint, not a fact */
	uint8_t unknown;         /* enum vmsnap_vma_unknown: by the snapshot's source, and not given to a builder */
	const char *name;        /* as in maps, "\012" decoded; "" if none; never NULL */
	const uint8_t *build_id; /* of the mapped ELF file; NULL if unknown */
	size_t build_id_len;
};

/* Whether a mapping is of a file, or of what the kernel keeps as one. */
static inline bool vmsnap_vma_has_file(const struct vmsnap_vma *vma)
{
	return vma->inode || vma->dev_major || vma->dev_minor || vma->unknown & VMSNAP_VMA_UNKNOWN_FILE;
}

size_t vmsnap_vma_count(const struct vmsnap *snap);
const struct vmsnap_vma *vmsnap_vma(const struct vmsnap *snap, size_t index);        /* NULL past the end */
const struct vmsnap_vma *vmsnap_vma_at(const struct vmsnap *snap, uint64_t address); /* NULL in a gap */

/* Runs that overlap [start, end), clipped to it, in address order.  Absent
 * pages are not in any run.  Give 0 and UINT64_MAX for all.  This struct, whose members are the
 * library's own, does not grow. */
struct vmsnap_run_iter {
	const struct vmsnap *snap;
	uint64_t at, end;
	size_t index;
};
void vmsnap_run_iter_init(struct vmsnap_run_iter *it, const struct vmsnap *snap, uint64_t start, uint64_t end);
int vmsnap_run_next(struct vmsnap_run_iter *it, struct vmsnap_run *run);
/* The next ones in one go, at most `count`; how many: less than that only after the last. */
size_t vmsnap_run_read(struct vmsnap_run_iter *it, struct vmsnap_run *runs, size_t count);

/* The state of one page; VMSNAP_ERR_NOT_FOUND if it is absent (or unmapped). */
int vmsnap_page_at(const struct vmsnap *snap, uint64_t address, struct vmsnap_run *page);

/* Entries of `count` pages from `start` on, in the layout of pagemap with bit 59
 * for ZERO and bit 60 for HUGE; 0 for absent ones. */
void vmsnap_pages_read(const struct vmsnap *snap, uint64_t start, size_t count, uint64_t *entries);

/* Sums over the pages of [start, end), in bytes. */
struct vmsnap_sums {
	uint64_t size;      /* of the VMAs */
	uint64_t resident;  /* present, the zero page included */
	uint64_t swapped;   /* of shared memory, which page tables do not tell, as smaps has it */
	uint64_t exclusive; /* present and mapped once: as much as is known to be */
	uint64_t zero;      /* present and the zero page */
	uint64_t file;      /* present and of a file or shared anonymous */
	uint64_t huge;      /* present and PMD-mapped */
	uint64_t guard;
	/* Of mappings of shared memory of which it is not known whether any of their absent pages is in
	 * swap: those pages.  They are not in `swapped`. */
	uint64_t swap_unknown;
	uint64_t exclusive_unknown; /* present, and it is not known whether mapped once */
	/* Looks swapped, and is not in .swapped: vmsnap_swap_known(); it may be resident.  Of whole mappings of
	 * vmsnap_page_unread() .resident and .swapped are what smaps has. */
	uint64_t swapped_unknown;
};
void vmsnap_sum_sized(const struct vmsnap *snap, uint64_t start, uint64_t end, struct vmsnap_sums *sums, size_t size);
static inline void vmsnap_sum(const struct vmsnap *snap, uint64_t start, uint64_t end, struct vmsnap_sums *sums)
{
	vmsnap_sum_sized(snap, start, end, sums, sizeof(*sums));
}

/* /proc/PID/status: the whole text, and its lines as fields.  This struct does not grow.  A field "12 kB"
 * has is_size set and number in bytes; one that is a plain decimal number has
 * is_number set.  text excludes the key, tabs and newline; not NUL-terminated. */
struct vmsnap_status_field {
	const char *key;
	size_t key_len;
	const char *text;
	size_t text_len;
	bool is_size, is_number;
	uint64_t number;
};
const char *vmsnap_status_text(const struct vmsnap *snap, size_t *len);
size_t vmsnap_status_count(const struct vmsnap *snap);
int vmsnap_status_field(const struct vmsnap *snap, size_t index, struct vmsnap_status_field *out);
int vmsnap_status_find(const struct vmsnap *snap, const char *key, struct vmsnap_status_field *out);

/* Threads at capture.  stack_pointer is 0 if unknown (the thread was running).  missed:
 * the freeze did not stop it when it stopped the others, so that info.freeze is
 * VMSNAP_FREEZE_PARTIAL; older files do not tell. */
struct vmsnap_thread {
	uint32_t tid;
	uint64_t stack_pointer;
	const char *comm;
	bool missed;
};
size_t vmsnap_thread_count(const struct vmsnap *snap);
const struct vmsnap_thread *vmsnap_thread(const struct vmsnap *snap, size_t index);

/* smaps, if it was captured (otherwise 0 keys): a table of VMAs by keys, in
 * bytes where the kernel writes kB.  UINT64_MAX: the VMA has no such line, or no number in it: then
 * the text is what it has instead ("" if nothing), which is NULL otherwise. */
size_t vmsnap_smaps_key_count(const struct vmsnap *snap);
const char *vmsnap_smaps_key(const struct vmsnap *snap, size_t key);
uint64_t vmsnap_smaps_value(const struct vmsnap *snap, size_t vma, size_t key);
const char *vmsnap_smaps_text(const struct vmsnap *snap, size_t vma, size_t key);
const char *vmsnap_smaps_flags(const struct vmsnap *snap, size_t vma); /* "rd wr mr"; "" if unknown */

/* ---- what a debugger knows ------------------------------------------------ */

/* Names that no file holds, found by a debugger when the snapshot was taken, and
 * what it did to the memory itself.  Of kind OTHER and with this type: a heap of glibc's malloc, which
 * the capture itself found. */
#define VMSNAP_MALLOC_HEAP "heap_info"
enum vmsnap_annotation_kind {
	VMSNAP_ANNOTATION_LOCAL,
	VMSNAP_ANNOTATION_ARGUMENT,
	VMSNAP_ANNOTATION_THREAD_LOCAL,
	VMSNAP_ANNOTATION_OTHER,
	/* Not a name: bytes that the debugger wrote at some time.  symbol says by what:
	 * "breakpoint 2", "inferior call", … */
	VMSNAP_ANNOTATION_DEBUGGER_WRITE,
	VMSNAP_ANNOTATION_KIND_COUNT
};
const char *vmsnap_annotation_kind_name(int kind); /* "thread_local" */
struct vmsnap_annotation {
	uint64_t address, size; /* bytes; address + size does not go above 2^64 - 1 */
	uint32_t kind;          /* enum vmsnap_annotation_kind */
	uint32_t tid;           /* whose it is; 0: all threads' */
	uint32_t frame;         /* of a local or an argument; 0 is the innermost */
	const char *function;   /* of that frame; never NULL in a snapshot, nor are the others */
	const char *symbol;
	const char *type;
};
/* In the order of address, then kind, tid, frame; NULL past the end. */
size_t vmsnap_annotation_count(const struct vmsnap *snap);
const struct vmsnap_annotation *vmsnap_annotation(const struct vmsnap *snap, size_t index);

/* The types of what annotations name, as bytes: docs/format.md, TYPE.  An annotation has the one that has its .type for
 * a name, and its size.  NULL: nobody told any. */
const void *vmsnap_types(const struct vmsnap *snap, size_t *len);

/* ---- layers --------------------------------------------------------------- */

/* What is known of some pages, beside their states. */
enum vmsnap_layer {
	VMSNAP_LAYER_DEBUGGER_WRITES, /* 1: a debugger wrote to the page, says an annotation */
	/* enum vmsnap_page_written, by the process since info.written_since; known if known.written.  A page in
	 * no range, if it is of private memory and there, was not written since.  Of shared memory only
	 * what the process itself wrote is told. */
	VMSNAP_LAYER_WRITTEN,
	/* Of present pages, as the kernel's own tables had it right after they were read
	 * (VMSNAP_CAPTURE_KPAGE): bits of enum vmsnap_kpage_flag; and how often the frame is mapped, by all
	 * processes.  A page in no range: not known. */
	VMSNAP_LAYER_KPAGE_FLAGS,
	VMSNAP_LAYER_KPAGE_COUNT,
	VMSNAP_LAYER_NODE,   /* the NUMA node that its frame is of (VMSNAP_CAPTURE_NODES); in no range: not known */
	VMSNAP_LAYER_DUMPED, /* of a core file: enum vmsnap_page_dumped; in no range: not known */
	VMSNAP_LAYER_COUNT
};
/* What a core file has of a page.  None of these says whether it was there. */
enum vmsnap_page_dumped {
	VMSNAP_DUMPED_BYTES = 1, /* its bytes */
	/* A hole of the file, which reads as zeros.  So the kernel leaves what was never touched, the zero page, and
	 * what it could not read; debuggers what holds zeros. */
	VMSNAP_DUMPED_HOLE,
	VMSNAP_DUMPED_NOT, /* left out, as core(5) and its coredump_filter have it */
	VMSNAP_DUMPED_CUT, /* the file ends before it */
	/* Left out, and so are the permissions of its mapping: all that is told is that a file is mapped there.  So gdb
	 * leaves what was not written to. */
	VMSNAP_DUMPED_LISTED,
};
const char *vmsnap_page_dumped_name(int dumped); /* "bytes", "hole", "not", "cut", "listed"; NULL: none of these */
enum vmsnap_page_written {
	VMSNAP_PAGE_NOT_WRITTEN,
	VMSNAP_PAGE_WAS_WRITTEN,
	VMSNAP_PAGE_MAYBE_WRITTEN, /* it was not tracked there */
};
const char *vmsnap_page_written_name(int written); /* "yes", "maybe", "no" */
/* What /proc/kpageflags says of a frame: the kernel's own bits, 1 << these.
 * Source: include/uapi/linux/kernel-page-flags.h. */
enum vmsnap_kpage_flag {
	VMSNAP_KPAGE_LOCKED = 0,
	VMSNAP_KPAGE_ERROR = 1,
	VMSNAP_KPAGE_REFERENCED = 2,
	VMSNAP_KPAGE_UPTODATE = 3,
	VMSNAP_KPAGE_DIRTY = 4,
	VMSNAP_KPAGE_LRU = 5,
	VMSNAP_KPAGE_ACTIVE = 6,
	VMSNAP_KPAGE_SLAB = 7,
	VMSNAP_KPAGE_WRITEBACK = 8,
	VMSNAP_KPAGE_RECLAIM = 9,
	VMSNAP_KPAGE_BUDDY = 10,
	VMSNAP_KPAGE_MMAP = 11,
	VMSNAP_KPAGE_ANON = 12,
	VMSNAP_KPAGE_SWAPCACHE = 13,
	VMSNAP_KPAGE_SWAPBACKED = 14,
	VMSNAP_KPAGE_COMPOUND_HEAD = 15,
	VMSNAP_KPAGE_COMPOUND_TAIL = 16,
	VMSNAP_KPAGE_HUGE = 17, /* hugetlb */
	VMSNAP_KPAGE_UNEVICTABLE = 18,
	VMSNAP_KPAGE_HWPOISON = 19,
	VMSNAP_KPAGE_NOPAGE = 20,
	VMSNAP_KPAGE_KSM = 21,
	VMSNAP_KPAGE_THP = 22,
	VMSNAP_KPAGE_OFFLINE = 23,
	VMSNAP_KPAGE_ZERO_PAGE = 24,
	VMSNAP_KPAGE_IDLE = 25,
	VMSNAP_KPAGE_PGTABLE = 26,
	VMSNAP_KPAGE_BITS = 27
};
const char *vmsnap_kpage_flag_name(int bit); /* "lru"; NULL: none of these */
/* The value of one page in a layer.  *end, which may be NULL: the first page above that may have another one.
 * VMSNAP_ERR_NOT_FOUND: it is in no range. */
int vmsnap_layer_at(const struct vmsnap *snap, int layer, uint64_t address, uint64_t *value, uint64_t *end);
/* Whether the layer is there: of the first two then absence means no, otherwise nothing is known of any page. */
bool vmsnap_layer_known(const struct vmsnap *snap, int layer);
/* Whole pages with one value; ranges are in address order and do not overlap.  The end of the
 * highest page is written UINT64_MAX.  This struct does not grow: what else is known of pages is
 * another layer. */
struct vmsnap_layer_range {
	uint64_t start, end, value;
};
size_t vmsnap_layer_range_count(const struct vmsnap *snap, int layer);
int vmsnap_layer_range(const struct vmsnap *snap, int layer, size_t index, struct vmsnap_layer_range *out);
const char *vmsnap_layer_name(int layer); /* "debugger_writes" */
/* Of one page: enum vmsnap_page_written; maybe, if that is all that is known of it.  *end, which may be NULL: the
 * first page above that may have another answer. */
int vmsnap_written_at(const struct vmsnap *snap, uint64_t address, uint64_t *end);

/* What may be taken away before a snapshot is given to others; it is unknown then. */
enum vmsnap_strip {
	VMSNAP_STRIP_PFNS = 1,    /* frames, and places in swap */
	VMSNAP_STRIP_CMDLINE = 2, /* the command line */
	VMSNAP_STRIP_NAMES = 4,   /* what a debugger told: variables, and what it wrote (not where); functions, sources
	                           * and   lines of code beside page faults */
	VMSNAP_STRIP_HOST = 8,    /* the host's name, and the hash that tells machines apart */
	VMSNAP_STRIP_CONTENTS = 16, /* what pages held, and hashes of it */
	VMSNAP_STRIP_FAULTS = 32    /* page faults, and the calls that led to them */
};
const char *vmsnap_strip_name(unsigned what); /* of one bit: "pfns" */
/* A snapshot without that, above this one.  VMSNAP_ERR_ARGUMENT where pages' contents are kept, which may hold
 * the command line, names and the host's name as well, and are not taken away too. */
int vmsnap_strip(const struct vmsnap *snap, unsigned what, struct vmsnap **out, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
