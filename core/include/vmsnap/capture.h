/* capture.h - makes snapshots of live processes.
 * Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_CAPTURE_API_H
#define VMSNAP_CAPTURE_API_H

#include <vmsnap/contents.h>
#include <vmsnap/track.h>

#ifdef __cplusplus
extern "C" {
#endif

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
	/* vmsnap_capture_set(): with all their descendants. */
	VMSNAP_CAPTURE_DESCENDANTS = 16,
	/* For many looks at one process, of which none shall take long: who else has its memory is looked
	 * for among its descendants only, and info.memory_known is false. */
	VMSNAP_CAPTURE_BRIEF = 32,
	/* While the target stands, the threads that read it, which are the library's own, are at real-time
	 * priority, where that is permitted (CAP_SYS_NICE, RLIMIT_RTPRIO) and for no more than a tenth of a
	 * second: on a busy machine most of a pause is waiting for a processor. */
	VMSNAP_CAPTURE_REALTIME = 64,
	/* Page states are not read: all pages look absent, and nothing of known is true, but for known.written.
	 * Such a snapshot is for names and VMSNAP_LAYER_WRITTEN, and not for files. */
	VMSNAP_CAPTURE_NO_PAGES = 128,
	/* What the kernel's tables say of each frame: VMSNAP_LAYER_KPAGE_COUNT, of the instant, for which the target
	 * stands longer by some 0.35 us for each page that is not exclusive; and VMSNAP_LAYER_KPAGE_FLAGS, read right
	 * after it (info.kpage_read).  Of a page that is in another frame by then, the flags are not known.  Needs
	 * CAP_SYS_ADMIN: without it, the layers are not known. */
	VMSNAP_CAPTURE_KPAGE = 256,
	/* VMSNAP_LAYER_NODE.  Where frames are not known, the target stands for it. */
	VMSNAP_CAPTURE_NODES = 512,
	/* Tells what was written since the capture before, and leaves the tracker as it was: the next one tells
	 * that, too. */
	VMSNAP_CAPTURE_PEEK = 1024,
};
const char *vmsnap_capture_flag_name(unsigned flag); /* of one bit: "smaps" */

/* Addresses.  This struct does not grow. */
struct vmsnap_range {
	uint64_t start, end;
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
	/* Told of each descendant of which there is no snapshot, after the capture and by the thread that asked
	 * for it.  why: VMSNAP_ERR_ZOMBIE, it has ended and waits for its parent; VMSNAP_ERR_EXITED, it ended
	 * meanwhile.  NULL: not told. */
	void (*left_out)(void *ctx, pid_t pid, int why);
	void *left_out_ctx;
	/* How many threads read page states while the target stands; 0: as many as its size is worth and there
	 * are processors for, 1: one, and 64 at the most. */
	unsigned threads;
	/* What pages hold: read while the target stands, each present page once and only through
	 * /proc/PID/mem, which leaves its page tables as they are; with a tracker by userfaultfd mostly before: see
	 * there. */
	unsigned contents;          /* enum vmsnap_contents_wanted */
	struct vmsnap_store *store; /* where they are kept; NULL: in one of its own */
	/* If they would be more bytes than that, none are kept, and info.contents_left_out says how many that
	 * would have been.  0: however many. */
	uint64_t contents_limit;
	const char *const *exclude; /* mappings whose name fits one of these patterns (*, ?, [a-z]) are left out */
	size_t exclude_count;
	const struct vmsnap_range *exclude_ranges; /* and the pages in these */
	size_t exclude_range_count;
	/* Tells what the process that it tracks wrote since the capture before with it, and is armed anew; NULL:
	 * none.  With .contents, and by userfaultfd, private memory is copied while the process still runs, and again
	 * what it wrote meanwhile; while it stands only what was written since its copy is read, beside pages of files
	 * and shared memory (info.precopy, info.contents_copied).  Mappings that are to be left out by MADV_DONTDUMP
	 * are those of before and after the pause. */
	struct vmsnap_tracker *tracker;
};

enum vmsnap_contents_wanted {
	VMSNAP_WANT_NO_CONTENTS,
	VMSNAP_WANT_HASHES,  /* of private memory; clean pages of files that cannot be written to are left out */
	VMSNAP_WANT_PRIVATE, /* the bytes of these */
	VMSNAP_WANT_ALL,     /* of files and shared memory, too */
	/* Or-ed to these: also what the process does not want in a core file (MADV_DONTDUMP), what nobody may
	 * access (PROT_NONE), and secretmem.  Never devices' memory. */
	VMSNAP_WANT_UNDUMPED = 16,
};

/* Captures one process; the number of a thread means its process, as info.pid tells then.
 * options may be NULL.  Must be called by one thread
 * from start to end (ptrace belongs to a thread).  Reaps no child but those it
 * traces itself.  Other processes that have the same memory are stopped meanwhile,
 * where they are found: among its children, ancestors and siblings, and theirs, and if its maker has ended among
 * all. */
int vmsnap_capture(pid_t pid, const struct vmsnap_capture_options *options, struct vmsnap **out,
                   struct vmsnap_error *err);

/* The same from an open directory /proc/PID, or from a recorded copy of one: any folder with maps
 * and pagemap in it, and mostly with status, smaps and others (docs/recorded.md).  A copy is never
 * frozen.  Where it was taken is what its file `identity` tells, or unknown: never this machine. */
int vmsnap_capture_at(int procdir, const struct vmsnap_capture_options *options, struct vmsnap **out,
                      struct vmsnap_error *err);

/* The process and all its descendants, all frozen at one instant.  *out is an
 * array to be released with vmsnap_unref_all(); the first one is `pid` itself,
 * every other follows its parent. */
int vmsnap_capture_tree(pid_t pid, const struct vmsnap_capture_options *options, struct vmsnap ***out, size_t *count,
                        struct vmsnap_error *err);
/* Several processes, related or not, all frozen at one instant.  pids: each but once.  *out begins
 * with them, in that order; if one of them is gone, all is off.  With
 * VMSNAP_CAPTURE_DESCENDANTS their descendants follow as of a tree. */
int vmsnap_capture_set(const pid_t *pids, size_t pid_count, const struct vmsnap_capture_options *options,
                       struct vmsnap ***out, size_t *count, struct vmsnap_error *err);
void vmsnap_unref_all(struct vmsnap **snaps, size_t count);

/* The state of one page right now, without a snapshot and without stopping anything:
 * one entry of pagemap.  *known is written whenever the process could be read, and is about
 * this page: known.exclusive means that of a huge page, too, which only root is told (known.exclusive_huge).
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
	uint32_t tracer;                  /* who debugs it; 0: nobody */
	uint64_t start_time;              /* clock ticks after boot, which tell it from a later one of its number */
	char state;                       /* 'R', 'S', 't', …: proc_pid_stat(5) */
	uint64_t start_code, start_stack; /* as in struct vmsnap_info; 0: unknown */
};
int vmsnap_process_now(pid_t pid, struct vmsnap_process *out, struct vmsnap_error *err);

/* The living children that one thread (of a process: its first) has made, oldest first; at most
 * `room` of them are written, *count is that of all.  Needs CONFIG_PROC_CHILDREN; those that
 * come and go meanwhile may be missed. */
int vmsnap_children_now(pid_t tid, pid_t *children, size_t room, size_t *count, struct vmsnap_error *err);

/* For who reads a process's memory through /proc/PID/mem, as debuggers do.  A page that is read several times gets
 * into a list of the processor's, with a reference: while it is there, the second of two processes that
 * share it and write copies it, too, where it could have kept it.  Gives these references back: of the
 * processor that the caller runs on, in a microsecond, or of all, in a tenth of a millisecond and more.
 * Where the kernel cannot (before Linux 5.4; of all, without CONFIG_NUMA), nothing happens. */
void vmsnap_put_back(bool all_processors);

/* What the kernel told its program at its start: AT_ENTRY, AT_BASE, … of getauxval(3).
 * VMSNAP_ERR_NOT_FOUND if it told nothing of that type. */
int vmsnap_auxv_now(pid_t pid, uint64_t type, uint64_t *value, struct vmsnap_error *err);

#ifdef __cplusplus
}
#endif
#endif
