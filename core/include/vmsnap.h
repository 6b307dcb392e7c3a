/* vmsnap.h - what happens to a Linux process's memory, page by page.
 *
 * The public interface of libvmsnap, in parts that are included below.  A snapshot
 * (struct vmsnap) is one process's address space at one instant; it never changes once
 * made, and lives until its last holder lets go of it (vmsnap_ref(), vmsnap_unref()).
 * What is made of snapshots (a diff, a cow, names) holds them itself.
 *
 * Conventions
 *   - Functions that can fail return VMSNAP_OK (0) or a negative VMSNAP_ERR_*,
 *     and describe the failure in *err, which may be NULL.  Outputs are written
 *     only on success.  Iterators return VMSNAP_END (1) after the last item.
 *   - Addresses and sizes are in bytes, times in nanoseconds.  Ranges are
 *     half-open, [start, end).
 *   - Names (paths, comm, labels) are bytes as the kernel gave them: they need
 *     not be UTF-8 and may hold control characters.
 *   - Strings and arrays reached through a snapshot live as long as it does.
 *   - The library prints nothing, never exits, and keeps no global state.  An
 *     object may be read by several threads at once, but for struct vmsnap_names,
 *     which reads files as it is asked: one thread at a time.
 *   - A call needs some 64 KiB of stack, one that looks up symbols 256 KiB: that
 *     is what elfutils may take.  Threads that it makes have stacks of their own
 *     size, whatever ulimit -s says.
 *   - Structs grow from version to version, at their ends.  One that begins with `size` is given
 *     by the program: set it to zero but for what is meant, and size to sizeof(it).  For others
 *     the size goes along with the call: functions whose name ends in _sized take it, and the
 *     inline functions without that end pass the size that this header knows.  What an older
 *     program gives is taken as zero beyond; what a newer one sets that this library does not
 *     know is an argument error; of what the library gives as much is filled as both know, and
 *     the rest of it is zero.  vmsnap_struct_size() is for those that the library owns.
 *   - Totals are asked for one by one, by enumerator: enumerations grow, too, at their ends.
 *   - "Unknown" is never 0: look at struct vmsnap_info, .known, before believing
 *     a PFN, a swap slot or a flag.
 */
#ifndef VMSNAP_H
#define VMSNAP_H

#include <vmsnap/builder.h>
#include <vmsnap/capture.h>
#include <vmsnap/compare.h>
#include <vmsnap/error.h>
#include <vmsnap/file.h>
#include <vmsnap/names.h>
#include <vmsnap/print.h>
#include <vmsnap/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header; vmsnap_version() is that of the library. */
#define VMSNAP_VERSION_STRING "0.1.0"
const char *vmsnap_version(void);

/* ---- errors ------------------------------------------------------------- */

enum vmsnap_rc {
	VMSNAP_OK = 0,
	VMSNAP_END = 1, /* an iterator has no more */
	VMSNAP_ERR_ARGUMENT = -1,
	VMSNAP_ERR_NO_MEMORY = -2,
	VMSNAP_ERR_SYSTEM = -3,        /* a system call failed: see sys_errno */
	VMSNAP_ERR_PROC = -4,          /* kernel text not understood: position is the line */
	VMSNAP_ERR_NO_PROCESS = -5,    /* no such process */
	VMSNAP_ERR_KERNEL_THREAD = -6, /* has no address space */
	VMSNAP_ERR_ZOMBIE = -7,        /* has no address space any more */
	VMSNAP_ERR_PERMISSION = -8,    /* message says what would help */
	VMSNAP_ERR_EXITED = -9,        /* the target exited meanwhile */
	VMSNAP_ERR_EXECED = -10,       /* the target executed another program meanwhile */
	VMSNAP_ERR_NOT_SNAPSHOT = -11, /* not a vmsnap file */
	VMSNAP_ERR_NEWER = -12,        /* written by a newer vmsnap */
	VMSNAP_ERR_CORRUPT = -13,      /* damaged: position is the offset */
	VMSNAP_ERR_TRUNCATED = -14,    /* ends too early: position is the offset */
	VMSNAP_ERR_TOO_LARGE = -15,    /* over a limit: position is the offset */
	VMSNAP_ERR_NOT_FOUND = -16,    /* no such snapshot, address, … */
	VMSNAP_ERR_CANCELLED = -17,    /* the caller's cancel function said so */
};

struct vmsnap_error {
	int code;          /* enum vmsnap_rc */
	int sys_errno;     /* errno, or 0 */
	uint64_t position; /* byte offset in a file, or line of kernel text */
	char message[512]; /* one line, no newline; may hold raw bytes of names */
};

/* ---- page states -------------------------------------------------------- */

/* Bits of a page's state.  They are bits 55 to 63 of a pagemap entry, with the
 * two that are always 0 there (59, 60) used for what PAGEMAP_SCAN knows.
 * Source: Documentation/admin-guide/mm/pagemap.rst. */
enum vmsnap_page_flag {
	VMSNAP_PAGE_SOFT_DIRTY = 1 << 0, /* written since clear_refs; if known.soft_dirty */
	VMSNAP_PAGE_EXCLUSIVE = 1 << 1,  /* mapped once now; if known.exclusive */
	VMSNAP_PAGE_UFFD_WP = 1 << 2,    /* write-protected through userfaultfd */
	VMSNAP_PAGE_GUARD = 1 << 3,      /* a guard region's page (Linux 6.15); nothing else is set */
	VMSNAP_PAGE_ZERO = 1 << 4,       /* the shared zero page; if known.zero */
	VMSNAP_PAGE_HUGE = 1 << 5,       /* mapped by a PMD or larger; if known.huge */
	VMSNAP_PAGE_FILE = 1 << 6,       /* of a file, or shared anonymous */
	VMSNAP_PAGE_SWAPPED = 1 << 7,
	VMSNAP_PAGE_PRESENT = 1 << 8,
};

/* Neighbouring pages in one state.  pfn counts up along a present run and
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

enum vmsnap_freeze {
	VMSNAP_FREEZE_NONE = 0,     /* not asked for, or impossible: the target ran */
	VMSNAP_FREEZE_FULL = 1,     /* every thread was held by vmsnap */
	VMSNAP_FREEZE_DEBUGGER = 2, /* every thread was held by a debugger already */
	/* Some thread could not be stopped (vfork, disk wait, a held exec): vmsnap_thread.missed. */
	VMSNAP_FREEZE_PARTIAL = 3,
};

struct vmsnap_known {
	bool pfn;        /* PFNs and swap slots; needs CAP_SYS_ADMIN */
	bool soft_dirty; /* needs CONFIG_MEM_SOFT_DIRTY */
	bool exclusive;  /* Linux 4.2 */
	bool zero;       /* PAGEMAP_SCAN (Linux 6.7) or PFNs */
	bool huge;       /* PAGEMAP_SCAN (Linux 6.7) */
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
	bool consistent;   /* frozen, or the map did not change meanwhile */
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
};

const struct vmsnap_info *vmsnap_info(const struct vmsnap *snap);
void vmsnap_unref(struct vmsnap *snap); /* NULL is fine */
/* Bytes that it takes, without what the allocator adds: for who keeps many. */
uint64_t vmsnap_memory(const struct vmsnap *snap);

/* Permissions, bits of struct vmsnap_vma, .perms. */
enum vmsnap_perm {
	VMSNAP_PERM_READ = 1,
	VMSNAP_PERM_WRITE = 2,
	VMSNAP_PERM_EXEC = 4,
	VMSNAP_PERM_SHARED = 8, /* 's' in maps; otherwise private */
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
	const char *name;        /* as in maps, "\012" decoded; "" if none; never NULL */
	const uint8_t *build_id; /* of the mapped ELF file; NULL if unknown */
	size_t build_id_len;
};

size_t vmsnap_vma_count(const struct vmsnap *snap);
const struct vmsnap_vma *vmsnap_vma(const struct vmsnap *snap, size_t index);        /* NULL past the end */
const struct vmsnap_vma *vmsnap_vma_at(const struct vmsnap *snap, uint64_t address); /* NULL in a gap */

/* Runs that overlap [start, end), clipped to it, in address order.  Absent
 * pages are not in any run.  Give 0 and UINT64_MAX for all. */
struct vmsnap_run_iter {
	const struct vmsnap *snap;
	uint64_t at, end;
	size_t index;
};
void vmsnap_run_iter_init(struct vmsnap_run_iter *it, const struct vmsnap *snap, uint64_t start, uint64_t end);
int vmsnap_run_next(struct vmsnap_run_iter *it, struct vmsnap_run *run);

/* The state of one page; VMSNAP_ERR_NOT_FOUND if it is absent (or unmapped). */
int vmsnap_page_at(const struct vmsnap *snap, uint64_t address, struct vmsnap_run *page);

/* Entries of `count` pages from `start` on, in the layout of pagemap with bit 59
 * for ZERO and bit 60 for HUGE; 0 for absent ones. */
void vmsnap_pages_read(const struct vmsnap *snap, uint64_t start, size_t count, uint64_t *entries);

/* Sums over the pages of [start, end), in bytes. */
struct vmsnap_sums {
	uint64_t size;     /* of the VMAs */
	uint64_t resident; /* present, the zero page included */
	uint64_t swapped;
	uint64_t exclusive; /* present and mapped once */
	uint64_t zero;      /* present and the zero page */
	uint64_t file;      /* present and of a file or shared anonymous */
	uint64_t huge;      /* present and PMD-mapped */
	uint64_t guard;
};
void vmsnap_sum(const struct vmsnap *snap, uint64_t start, uint64_t end, struct vmsnap_sums *sums);

/* /proc/PID/status: the whole text, and its lines as fields.  A field "12 kB"
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
 * bytes where the kernel writes kB.  UINT64_MAX: the VMA has no such line. */
size_t vmsnap_smaps_key_count(const struct vmsnap *snap);
const char *vmsnap_smaps_key(const struct vmsnap *snap, size_t key);
uint64_t vmsnap_smaps_value(const struct vmsnap *snap, size_t vma, size_t key);
const char *vmsnap_smaps_flags(const struct vmsnap *snap, size_t vma); /* "rd wr mr"; "" if unknown */

/* ---- what a debugger knows ------------------------------------------------ */

/* Names that no file holds, found by a debugger when the snapshot was taken, and
 * what it did to the memory itself. */
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
struct vmsnap_annotation {
	uint64_t address, size; /* bytes; address + size does not go above 2^64 - 1 */
	uint32_t kind;          /* enum vmsnap_annotation_kind */
	uint32_t tid;           /* whose it is; 0: all threads' */
	uint32_t frame;         /* of a local or an argument; 0 is the innermost */
	const char *function;   /* of that frame; never NULL in a snapshot, nor are the others */
	const char *symbol;
	const char *type;
};
/* Copies the names (NULL strings as "") into a snapshot that nothing has looked at
 * yet: no diff, names, … has been made from it.  May be called again. */
int vmsnap_add_names(struct vmsnap *snap, const struct vmsnap_annotation *names, size_t count,
                     struct vmsnap_error *err);
/* In the order of address, then kind, tid, frame; NULL past the end. */
size_t vmsnap_annotation_count(const struct vmsnap *snap);
const struct vmsnap_annotation *vmsnap_annotation(const struct vmsnap *snap, size_t index);

/* ---- capture ------------------------------------------------------------ */

enum vmsnap_capture_flag {
	VMSNAP_CAPTURE_NO_FREEZE = 1,
	VMSNAP_CAPTURE_SMAPS = 2,
	/* Before page states are read, give back the pages of program and library files
	 * that the calling process maps.  Otherwise those that the target maps too do not
	 * show as exclusive in it, just because we look.  For programs that do little
	 * else: all of its threads will map again what they use. */
	VMSNAP_CAPTURE_DROP_OWN_MAPPINGS = 4,
	/* For programs that have more rights than who may stop them (file capabilities): if
	 * the calling process is stopped while it keeps others standing, the kernel continues
	 * it after a quarter of a second; if it goes without a processor for 5 seconds in all
	 * even so, or one system call lasts as long, the kernel KILLS it, and those run. */
	VMSNAP_CAPTURE_WATCHDOG = 8,
};

struct vmsnap_capture_options {
	size_t size;                  /* sizeof(struct vmsnap_capture_options) */
	unsigned flags;               /* enum vmsnap_capture_flag */
	const char *label;            /* NULL: none */
	unsigned freeze_timeout_ms;   /* how long to wait for threads to stop; 0: 500 for the next
	                               * one, and in all 500 and 1 for each */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	const char *reason; /* NULL: none */
};

/* Captures one process.  options may be NULL.  Must be called by one thread
 * from start to end (ptrace belongs to a thread).  Reaps no child but those it
 * traces itself. */
int vmsnap_capture(pid_t pid, const struct vmsnap_capture_options *options, struct vmsnap **out,
                   struct vmsnap_error *err);

/* The same from an open directory /proc/PID, or from a recorded copy of one
 * (any folder with maps, pagemap and status in it; it is never frozen). */
int vmsnap_capture_at(int procdir, const struct vmsnap_capture_options *options, struct vmsnap **out,
                      struct vmsnap_error *err);

/* The process and all its descendants, all frozen at one instant.  *out is an
 * array to be released with vmsnap_unref_all(); the first one is `pid` itself,
 * every other follows its parent. */
int vmsnap_capture_tree(pid_t pid, const struct vmsnap_capture_options *options, struct vmsnap ***out, size_t *count,
                        struct vmsnap_error *err);
void vmsnap_unref_all(struct vmsnap **snaps, size_t count);

/* The state of one page right now, without a snapshot and without stopping anything:
 * one entry of pagemap.  *known is written whenever the process could be read;
 * VMSNAP_ERR_NOT_FOUND: the page is absent or not mapped. */
int vmsnap_page_now(pid_t pid, uint64_t address, struct vmsnap_run *page, struct vmsnap_known *known,
                    struct vmsnap_error *err);

/* The entries of `count` pages from `start` on, in the layout of vmsnap_pages_read(), without
 * ZERO and HUGE; 0 for those that are absent or not mapped. */
int vmsnap_pages_now(pid_t pid, uint64_t start, size_t count, uint64_t *entries, struct vmsnap_error *err);

/* A process right now, or one thread of one, zombies too.  Set size before. */
struct vmsnap_process {
	size_t size; /* sizeof(struct vmsnap_process): no more of it is written */
	uint32_t pid, tgid, ppid;
	uint32_t tracer;     /* who debugs it; 0: nobody */
	uint64_t start_time; /* clock ticks after boot, which tell it from a later one of its number */
	char state;          /* 'R', 'S', 't', …: proc_pid_stat(5) */
};
int vmsnap_process_now(pid_t pid, struct vmsnap_process *out, struct vmsnap_error *err);

/* The living children that one thread (of a process: its first) has made, oldest first; at most
 * `room` of them are written, *count is that of all.  Needs CONFIG_PROC_CHILDREN; those that
 * come and go meanwhile may be missed. */
int vmsnap_children_now(pid_t tid, pid_t *children, size_t room, size_t *count, struct vmsnap_error *err);

/* What the kernel told its program at its start: AT_ENTRY, AT_BASE, … of getauxval(3).
 * VMSNAP_ERR_NOT_FOUND if it told nothing of that type. */
int vmsnap_auxv_now(pid_t pid, uint64_t type, uint64_t *value, struct vmsnap_error *err);

/* ---- files (docs/format.md) --------------------------------------------- */

/* Writes snapshots to `path`.  A new file is written beside its place and
 * renamed over it, mode 0600.  An existing file is replaced only if it is a
 * vmsnap file.  With VMSNAP_SAVE_APPEND the snapshots are added to an existing
 * file (made if there is none); if that fails, the file is as it was.  Another that
 * appends is waited for.  Where an append was cut off before, what it left is dropped:
 * VMSNAP_OK, with err->code VMSNAP_ERR_TRUNCATED and a message (otherwise 0). */
enum vmsnap_save_flag {
	VMSNAP_SAVE_APPEND = 1,
	VMSNAP_SAVE_INTERRUPTIBLE = 2, /* a signal ends the wait for another: VMSNAP_ERR_CANCELLED */
	VMSNAP_SAVE_REGULAR = 4,       /* refuse pipes and devices, and do not wait for them */
};
int vmsnap_save(const char *path, const struct vmsnap *const *snaps, size_t count, unsigned flags,
                struct vmsnap_error *err);

struct vmsnap_save_options {
	size_t size;                  /* sizeof(struct vmsnap_save_options) */
	unsigned flags;               /* enum vmsnap_save_flag */
	bool (*cancelled)(void *ctx); /* asked now and then, while another is waited for too; NULL:
	                                 never cancelled */
	void *cancel_ctx;
};
int vmsnap_save_with(const char *path, const struct vmsnap *const *snaps, size_t count,
                     const struct vmsnap_save_options *options, struct vmsnap_error *err);
/* Writes a whole stream to a descriptor, which need not be seekable. */
int vmsnap_write_fd(int fd, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err);

/* Limits on what a file may make the reader do.  0: the default. */
struct vmsnap_limits {
	size_t size;                  /* sizeof(struct vmsnap_limits) */
	uint64_t input_bytes;         /* read from a pipe; default 4 GiB.  What is more than a megabyte
	                               * goes through a temporary file (in $TMPDIR, /var/tmp or /tmp) */
	uint64_t memory;              /* for one loaded snapshot and what is made of it; default: 64 MiB
	                               * and 16 KiB for each of its bytes in the file, 4 GiB at the most.
	                               * A comparison has what its snapshots have together. */
	bool (*cancelled)(void *ctx); /* asked now and then while the file is open; NULL: never
	                                 cancelled */
	void *cancel_ctx;
	bool regular_only; /* refuse pipes and devices, and do not wait for them */
};

/* An open file.  Opening finds its snapshots; loading reads one.  "-" is
 * standard input.  A file whose end is damaged opens if it holds a whole
 * snapshot before that: see vmsnap_file_damage(). */
struct vmsnap_file;
int vmsnap_file_open(const char *path, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                     struct vmsnap_error *err);
int vmsnap_file_open_fd(int fd, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                        struct vmsnap_error *err); /* fd stays the caller's */
int vmsnap_file_open_memory(const void *bytes, size_t len, const struct vmsnap_limits *limits, struct vmsnap_file **out,
                            struct vmsnap_error *err); /* bytes must outlive *out */
void vmsnap_file_close(struct vmsnap_file *file);
size_t vmsnap_file_count(const struct vmsnap_file *file);
/* VMSNAP_OK if the file ends well; otherwise the code of what is wrong, with
 * *err describing it (what is lost begins at err->position). */
int vmsnap_file_damage(const struct vmsnap_file *file, struct vmsnap_error *err);

struct vmsnap_file_entry {
	uint64_t offset, bytes; /* where the snapshot lies in the file */
};
int vmsnap_file_entry(const struct vmsnap_file *file, size_t index, struct vmsnap_file_entry *out,
                      struct vmsnap_error *err);
/* Identity and status only: a snapshot without VMAs and pages, cheap. */
int vmsnap_file_peek(const struct vmsnap_file *file, size_t index, struct vmsnap **out, struct vmsnap_error *err);
int vmsnap_file_load(const struct vmsnap_file *file, size_t index, struct vmsnap **out, struct vmsnap_error *err);
/* "3" counts from 1, "-1" is the last; anything else is a label, of which the
 * newest wins (a label made of digits needs "label:…"). */
int vmsnap_file_find(const struct vmsnap_file *file, const char *which, size_t *index, struct vmsnap_error *err);

/* ---- diff ---------------------------------------------------------------- */

enum vmsnap_vma_change {
	VMSNAP_VMA_CHANGE_ADDED,
	VMSNAP_VMA_CHANGE_REMOVED,
	VMSNAP_VMA_CHANGE_GROWN,
	VMSNAP_VMA_CHANGE_SHRUNK,
	VMSNAP_VMA_CHANGE_SPLIT,  /* one row for each part */
	VMSNAP_VMA_CHANGE_MERGED, /* one row for each part */
	VMSNAP_VMA_CHANGE_PROTECTION_CHANGED,
	VMSNAP_VMA_CHANGE_REPLACED, /* another mapping was put over it */
	VMSNAP_VMA_CHANGE_MOVED,
	VMSNAP_VMA_CHANGE_RENAMED,
	VMSNAP_VMA_CHANGE_COUNT
};

/* Facts about one page; several may hold at once. */
enum vmsnap_page_change {
	VMSNAP_CHANGE_APPEARED,    /* neither present nor swapped in A, one of them in B */
	VMSNAP_CHANGE_VANISHED,    /* the reverse */
	VMSNAP_CHANGE_PFN_CHANGED, /* present in both, known, and different */
	VMSNAP_CHANGE_BECAME_EXCLUSIVE,
	VMSNAP_CHANGE_BECAME_SHARED,
	VMSNAP_CHANGE_SWAPPED_OUT,    /* present in A, swapped in B */
	VMSNAP_CHANGE_SWAPPED_IN,     /* the reverse */
	VMSNAP_CHANGE_SWAP_MOVED,     /* swapped in both, in another slot */
	VMSNAP_CHANGE_ZERO_FILLED_IN, /* the zero page in A, another page in B */
	VMSNAP_CHANGE_PRIVATISED,     /* a file's page became a private copy */
	VMSNAP_CHANGE_SOFT_DIRTIED,
	VMSNAP_CHANGE_GUARDED,   /* a guard region's page in B only */
	VMSNAP_CHANGE_UNGUARDED, /* a guard region's page in A only */
	VMSNAP_CHANGE_COUNT
};

/* How to compare; where it is asked for it may be NULL.  Whatever it says, what is made of
 * snapshots of files takes no more memory than their limits leave (struct vmsnap_limits):
 * VMSNAP_ERR_TOO_LARGE. */
struct vmsnap_compare_options {
	size_t size;                  /* sizeof(struct vmsnap_compare_options) */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
};

struct vmsnap_diff;
int vmsnap_diff_new(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff **out, struct vmsnap_error *err);
int vmsnap_diff_new_with(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                         struct vmsnap_diff **out, struct vmsnap_error *err);
void vmsnap_diff_free(struct vmsnap_diff *diff);
/* The snapshots it was made from. */
const struct vmsnap *vmsnap_diff_a(const struct vmsnap_diff *diff);
const struct vmsnap *vmsnap_diff_b(const struct vmsnap_diff *diff);

struct vmsnap_diff_vma {
	int change;                     /* enum vmsnap_vma_change */
	const struct vmsnap_vma *a, *b; /* NULL if there is none on that side */
};
size_t vmsnap_diff_vma_count(const struct vmsnap_diff *diff);
int vmsnap_diff_vma(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_vma *out);

/* Neighbouring pages with the same facts, by their address in B (pages of a
 * moved mapping are compared with where they came from). */
struct vmsnap_diff_range {
	uint64_t start, end;
	uint32_t changes;             /* 1 << enum vmsnap_page_change, or-ed; never 0 */
	bool executable;              /* the mapping is executable in A or in B */
	bool touched;                 /* the debugger wrote here, says A or B: enum vmsnap_annotation_kind */
	const struct vmsnap_vma *vma; /* in B, else in A; NULL if in neither */
};
size_t vmsnap_diff_range_count(const struct vmsnap_diff *diff);
int vmsnap_diff_range(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_range *out);

/* Pages by enum vmsnap_page_change, and VMA rows by enum vmsnap_vma_change. */
struct vmsnap_diff_totals {
	uint64_t pages[VMSNAP_CHANGE_COUNT];
	uint64_t vmas[VMSNAP_VMA_CHANGE_COUNT];
	uint64_t privatised_executable;
	uint64_t resident_a, resident_b;             /* pages */
	uint64_t touched;                            /* changed pages that the debugger wrote to */
	uint64_t touched_pages[VMSNAP_CHANGE_COUNT]; /* of .pages, those that it wrote to */
};
const struct vmsnap_diff_totals *vmsnap_diff_totals(const struct vmsnap_diff *diff);
/* Whether anything differs: VMAs, pages or status fields, but for the counts of
 * context switches, which our looking adds to. */
bool vmsnap_diff_any(const struct vmsnap_diff *diff);

/* Status fields that differ; a or b has key_len 0 if that side has no such line. */
struct vmsnap_diff_status {
	struct vmsnap_status_field a, b;
};
size_t vmsnap_diff_status_count(const struct vmsnap_diff *diff);
int vmsnap_diff_status(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_status *out);
/* All fields, those that are the same too: A's in its order, then those that only B has;
 * calls fn for each until it returns false.  A key that comes twice in both is told twice.
 * b NULL: A's alone, one after another. */
int vmsnap_status_rows(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                       bool (*fn)(void *ctx, const struct vmsnap_diff_status *row), void *ctx,
                       struct vmsnap_error *err);

/* Each key of one status once, for where a key may not come twice: its first line, as for
 * vmsnap_status_find(), in the order of the lines.  The kernel writes none twice, a file may. */
int vmsnap_status_keys(const struct vmsnap *snap, const struct vmsnap_compare_options *options,
                       bool (*fn)(void *ctx, const struct vmsnap_status_field *field), void *ctx,
                       struct vmsnap_error *err);

const char *vmsnap_vma_change_name(int change);  /* "protection_changed" */
const char *vmsnap_page_change_name(int change); /* "pfn_changed" */

/* ---- copy-on-write verdicts (docs/verdicts.md) -------------------------- */

enum vmsnap_verdict {
	VMSNAP_VERDICT_SHARED, /* "shared": one frame, in both */
	VMSNAP_VERDICT_COPIED_BY_CHILD,
	VMSNAP_VERDICT_COPIED_BY_PARENT,
	VMSNAP_VERDICT_COPIED_BY_BOTH,
	VMSNAP_VERDICT_COPIED, /* by whom is unknown */
	VMSNAP_VERDICT_NEW_IN_CHILD,
	VMSNAP_VERDICT_NEW_IN_PARENT,
	VMSNAP_VERDICT_NEW_IN_BOTH, /* absent at the fork; each has a page of its own now */
	VMSNAP_VERDICT_ONLY_IN_CHILD,
	VMSNAP_VERDICT_ONLY_IN_PARENT,
	VMSNAP_VERDICT_ZERO_SHARED,
	VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD,
	VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT,
	VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH,
	VMSNAP_VERDICT_DROPPED_BY_CHILD,
	VMSNAP_VERDICT_DROPPED_BY_PARENT,
	VMSNAP_VERDICT_DROPPED_BY_BOTH,
	VMSNAP_VERDICT_FILE,           /* "file": page cache, not yet copied by anyone */
	VMSNAP_VERDICT_SHARED_MAPPING, /* "shared_mapping": MAP_SHARED, never copied */
	VMSNAP_VERDICT_SWAPPED,        /* "swapped" */
	VMSNAP_VERDICT_UNKNOWN,
	VMSNAP_VERDICT_COUNT
};
const char *vmsnap_verdict_name(int verdict); /* "copied_by_child" */

struct vmsnap_cow;
/* base: the parent (or the child) at the fork, or NULL.  Borrows all three. */
int vmsnap_cow_new(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                   struct vmsnap_cow **out, struct vmsnap_error *err);
int vmsnap_cow_new_with(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base,
                        const struct vmsnap_compare_options *options, struct vmsnap_cow **out,
                        struct vmsnap_error *err);
void vmsnap_cow_free(struct vmsnap_cow *cow);
/* The snapshots it was made from. */
const struct vmsnap *vmsnap_cow_parent(const struct vmsnap_cow *cow);
const struct vmsnap *vmsnap_cow_child(const struct vmsnap_cow *cow);
const struct vmsnap *vmsnap_cow_base(const struct vmsnap_cow *cow); /* NULL if none was given */

struct vmsnap_cow_range {
	uint64_t start, end;
	int verdict;                  /* enum vmsnap_verdict */
	bool inferred;                /* from exclusive bits or circumstances, not from PFNs */
	bool touched;                 /* the debugger wrote here, says one of the snapshots */
	const struct vmsnap_vma *vma; /* in the child, else in the parent, else in the base */
};
size_t vmsnap_cow_range_count(const struct vmsnap_cow *cow);
int vmsnap_cow_range(const struct vmsnap_cow *cow, size_t index, struct vmsnap_cow_range *out);
const uint64_t *vmsnap_cow_totals(const struct vmsnap_cow *cow); /* pages, by enum vmsnap_verdict */
/* Of these, the pages that the debugger wrote to. */
const uint64_t *vmsnap_cow_touched_totals(const struct vmsnap_cow *cow);
/* One line on what makes the verdicts doubtful ("not parent and child", "PFNs
 * of another boot", …); "" if nothing does. */
const char *vmsnap_cow_warning(const struct vmsnap_cow *cow);

/* ---- names ---------------------------------------------------------------- */

/* Names the addresses of one snapshot from the ELF files on this machine.  A
 * file is believed only if it is the one that was mapped (build ID; without
 * one, device, inode and a change time before the snapshot). */
struct vmsnap_names;
/* sysroot: folder below which the files are looked up, or NULL for "/". */
int vmsnap_names_new(const struct vmsnap *snap, const char *sysroot, struct vmsnap_names **out,
                     struct vmsnap_error *err);
void vmsnap_names_free(struct vmsnap_names *names);
/* From now on the names of another snapshot, as if new (nothing is borrowed any more),
 * but what was read of files that it maps too is kept: a second look at a process costs
 * little.  The snapshot so far need not be there any more.  If it fails, nothing changes. */
int vmsnap_names_rebind(struct vmsnap_names *names, const struct vmsnap *snap, struct vmsnap_error *err);
/* From now on asked now and then while files are read, which may be long: what asks for
 * names fails with VMSNAP_ERR_CANCELLED then, and may ask again.  NULL: never cancelled. */
void vmsnap_names_set_cancelled(struct vmsnap_names *names, bool (*cancelled)(void *ctx), void *ctx);
/* Uses the captured names of another snapshot too (of the parent, or from before):
 * for a snapshot that was taken where no debugger could look.  Borrows it.  A variable
 * that both have is told once, as the snapshot itself, or the one borrowed from first,
 * has it.  If that is known to be of another program, nothing is used and a warning says
 * so. */
int vmsnap_names_add_fallback(struct vmsnap_names *names, const struct vmsnap *from, struct vmsnap_error *err);

enum vmsnap_name_kind {
	VMSNAP_NAME_OBJECT, /* a variable, static ones included */
	VMSNAP_NAME_FUNCTION,
	VMSNAP_NAME_OTHER_SYMBOL, /* an untyped symbol */
	VMSNAP_NAME_THREAD_STACK, /* symbol: "stack of thread TID (comm)" */
	VMSNAP_NAME_MAPPING,      /* symbol is NULL; object: [heap], [stack], [vdso], … */
	VMSNAP_NAME_LOCAL,        /* this and the next two: captured names */
	VMSNAP_NAME_ARGUMENT,
	VMSNAP_NAME_THREAD_LOCAL,
};

struct vmsnap_name {
	int kind;
	const char *symbol;   /* raw bytes; owned by the names */
	const char *object;   /* path or [name] of the mapping */
	uint64_t address;     /* where the symbol begins */
	uint64_t size;        /* 0: unknown */
	const char *function; /* of a local or an argument, else NULL */
	uint32_t frame, tid;  /* of a captured name */
};

/* The symbol that covers address, else the thread's stack, else the mapping.  Of
 * captured names the narrowest, unless a file knows a narrower one.
 * VMSNAP_ERR_NOT_FOUND in a gap or in nameless anonymous memory. */
int vmsnap_name_at(struct vmsnap_names *names, uint64_t address, struct vmsnap_name *out);
/* All symbols that overlap [start, end), in address order, variables and
 * functions alike, each once; calls fn for each until it returns false.  At one address
 * what a file says comes first, then captured names, the larger first. */
int vmsnap_names_in(struct vmsnap_names *names, uint64_t start, uint64_t end,
                    bool (*fn)(void *ctx, const struct vmsnap_name *name), void *ctx, struct vmsnap_error *err);

/* Where an address lies in its ELF file. */
struct vmsnap_segment {
	uint32_t index;       /* of the program header */
	uint32_t perms;       /* enum vmsnap_perm, of the program header */
	const char *section;  /* ".data"; "" if unknown; owned by the names */
	uint64_t elf_address; /* the address as the file's symbol table counts */
};
int vmsnap_segment_at(struct vmsnap_names *names, uint64_t address, struct vmsnap_segment *out);
/* One line for each file that was not believed or not readable; "" if none. */
const char *vmsnap_names_warning(const struct vmsnap_names *names);

/* Of one ELF file, what its own symbol table says: .symtab or, without one, .dynsym.  path is
 * absolute.  VMSNAP_ERR_NOT_FOUND if it is no such file, or has none of what is asked for. */
struct vmsnap_elf_tls {
	size_t size;   /* sizeof(struct vmsnap_elf_tls): no more of it is written */
	bool complete; /* the table was .symtab: static variables are in it too */
	/* Of a program: its block begins so many bytes below the thread pointer, by the ABI of
	 * x86-64; 0: unknown. */
	uint64_t below_pointer;
};
struct vmsnap_elf_symbol {
	const char *name; /* raw bytes, cut at 200; until fn returns */
	uint64_t value;   /* from the beginning of the file's block of each thread */
	uint64_t size;
	bool local; /* not seen outside of its file */
};
/* Calls fn for each thread-local variable, a thousand at most, until it returns false. */
int vmsnap_elf_thread_locals(const char *path, struct vmsnap_elf_tls *tls,
                             bool (*fn)(void *ctx, const struct vmsnap_elf_symbol *symbol), void *ctx,
                             struct vmsnap_error *err);
/* Where in the file a symbol's bytes lie. */
int vmsnap_elf_symbol_offset(const char *path, const char *symbol, uint64_t *offset, struct vmsnap_error *err);

/* ---- text ------------------------------------------------------------------ */

/* How to print.  The same texts serve the command line and gdb. */
enum vmsnap_color { VMSNAP_COLOR_NONE, VMSNAP_COLOR_16, VMSNAP_COLOR_256, VMSNAP_COLOR_RGB };
struct vmsnap_style {
	size_t size;    /* sizeof(struct vmsnap_style) */
	int color;      /* enum vmsnap_color */
	unsigned width; /* columns; 0: unlimited */
	bool unicode, json, raw, bytes, no_headings;
	const char *columns; /* "START,SIZE" or "+PSS"; NULL: the usual ones */
};

/* Receives the text piece by piece; returns 0, or an errno to stop with. */
typedef int (*vmsnap_write_fn)(void *ctx, const char *text, size_t len);

struct vmsnap_output {
	size_t size; /* sizeof(struct vmsnap_output) */
	struct vmsnap_style style;
	vmsnap_write_fn write;
	void *ctx;
	bool (*cancelled)(void *ctx); /* asked now and then, also while nothing is written; NULL:
	                                 never cancelled */
	void *cancel_ctx;
};

int vmsnap_print_show(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_pages(const struct vmsnap *snap, uint64_t start, uint64_t end, bool each_page,
                       const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_page(const struct vmsnap *snap, struct vmsnap_names *names, uint64_t address,
                      const struct vmsnap_output *out, struct vmsnap_error *err);
enum vmsnap_print_flag { VMSNAP_PRINT_TOTALS_ONLY = 1, VMSNAP_PRINT_LONG = 2 };
/* names: of B (of the child); may be NULL. */
int vmsnap_print_diff(const struct vmsnap_diff *diff, struct vmsnap_names *names, unsigned flags,
                      const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_cow(const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                     const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_status(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                        struct vmsnap_error *err); /* b may be NULL */
int vmsnap_print_map(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                     struct vmsnap_error *err); /* b may be NULL */
/* Snapshots that are in memory, a line each.  names: what they are called here, or
 * NULL for their labels. */
int vmsnap_print_snapshots(const struct vmsnap *const *snaps, const char *const *names, size_t count,
                           const struct vmsnap_output *out, struct vmsnap_error *err);
/* How the page of an address went through snapshots, a line each. */
int vmsnap_print_history(const struct vmsnap *const *snaps, const char *const *names, size_t count, uint64_t address,
                         const struct vmsnap_output *out, struct vmsnap_error *err);
int vmsnap_print_list(const struct vmsnap_file *file, const struct vmsnap_output *out, struct vmsnap_error *err);
/* Reads everything there is; the return value is that of the worst finding. */
int vmsnap_print_check(const struct vmsnap_file *file, const struct vmsnap_output *out, struct vmsnap_error *err);
/* Writes `text` so that it cannot move a cursor, forge a line or be mistaken for
 * anything else: control characters, invalid UTF-8 and '\\' as \xHH. */
int vmsnap_print_escaped(const char *text, size_t len, const struct vmsnap_output *out, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
