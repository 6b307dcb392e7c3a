/* blame.h - page faults as they happen, and which of them made, copied and wrote the pages that two snapshots differ
 * in. Included by vmsnap.h, which tells what holds for all of it. */
#ifndef VMSNAP_BLAME_API_H
#define VMSNAP_BLAME_API_H

#include <vmsnap/compare.h>
#include <vmsnap/faults.h>
#include <vmsnap/names.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- watching ------------------------------------------------------------- */

/* The page faults of processes, and of the threads and children that they make, as the kernel tells them
 * (perf_event_open(2), bpf(2)).  Nothing is stopped, and nothing of the processes changes; a fault takes 0.2 to 0.8 us
 * longer, or up to 2 with its call chain. As root, and where tracefs is mounted, what each access was is known
 * (VMSNAP_FAULTS_KINDS), and faults inside system calls are seen (VMSNAP_FAULTS_KERNEL).  Who may not watch the kernel
 * (kernel.perf_event_paranoid 2, as a rule) is told of their own processes' faults, but for those inside system calls,
 * and more are lost on the way: little memory is permitted for that.  It ends with the process that watches, however
 * that ends.  To be used by one thread at a time. */
struct vmsnap_fault_watch;
struct vmsnap_fault_watch_options {
	size_t size; /* sizeof(struct vmsnap_fault_watch_options) */
	/* Of each call chain, at most; 0: 32.  With 1 a fault takes less time (root: by bpf(2)); chains: by frame pointers. */
	unsigned frames;
	/* Asked for each thread whose events are opened, in vmsnap_fault_watch_add() too; NULL: never cancelled. */
	bool (*cancelled)(void *ctx);
	void *cancel_ctx;
	unsigned flags; /* enum vmsnap_fault_watch_flag */
};
enum vmsnap_fault_watch_flag {
	/* Not of children that they make; before Linux 5.13 they are told nevertheless. */
	VMSNAP_FAULT_WATCH_CHILDLESS = 1
};
/* VMSNAP_ERR_PERMISSION, _NOT_FOUND: the kernel refuses, or cannot; _TOO_LARGE: too many threads for the descriptors
 * that may be open.  Of several processes some may have ended.  options may be NULL. */
int vmsnap_fault_watch_open(const pid_t *pids, size_t count, const struct vmsnap_fault_watch_options *options,
                            struct vmsnap_fault_watch **out, struct vmsnap_error *err);
/* One more; nothing happens if it is watched already. */
int vmsnap_fault_watch_add(struct vmsnap_fault_watch *watch, pid_t pid, struct vmsnap_error *err);
/* Takes in what has come; if there is nothing, waits for it so long.  To be called often: what finds no room in the
 * kernel's buffers is lost. */
int vmsnap_fault_watch_read(struct vmsnap_fault_watch *watch, int timeout_ms, struct vmsnap_error *err);
/* What people should know of how it watches, a few words; NULL: nothing. */
const char *vmsnap_fault_watch_remark(const struct vmsnap_fault_watch *watch);
/* How much was lost since the last take: faults, forks, execs, ends; UINT64_MAX: some. */
uint64_t vmsnap_fault_watch_lost(const struct vmsnap_fault_watch *watch);
/* No fault that comes later is told. */
void vmsnap_fault_watch_stop(struct vmsnap_fault_watch *watch);
/* All that came since the last time, with the forks and execs (vmsnap_faults_event()). */
int vmsnap_fault_watch_take(struct vmsnap_fault_watch *watch, struct vmsnap_faults **out, struct vmsnap_error *err);
void vmsnap_fault_watch_close(struct vmsnap_fault_watch *watch); /* NULL is fine */

/* What else came (struct vmsnap_fault_event), since the begin: the first 2^20; of those since the last take all are
 * with the faults (vmsnap_faults_event()), or counted as lost.  NULL past the end.  Valid until the next read. */
const struct vmsnap_fault_event *vmsnap_fault_watch_event(const struct vmsnap_fault_watch *watch, size_t index);

/* The same faults with names: of the functions that were running and those that called them, of threads.  snaps: of
 * their processes, from before and after; events as the watch told them, or none.  What lay elsewhere by the time of a
 * later snapshot has no name.  names: of any of these processes; they go from one to the next. */
int vmsnap_faults_name(const struct vmsnap_faults *faults, const struct vmsnap *const *snaps, size_t count,
                       const struct vmsnap_fault_event *events, size_t event_count, struct vmsnap_names *names,
                       struct vmsnap_faults **out, struct vmsnap_error *err);

/* ---- what they explain ---------------------------------------------------- */

/* What became of a page from one snapshot to the next. */
enum vmsnap_became {
	VMSNAP_BECAME_NEW,        /* memory of the process's own that was not there */
	VMSNAP_BECAME_COPIED,     /* others had it, too; now it is the process's own, in another frame */
	VMSNAP_BECAME_PRIVATISED, /* it was a file's; now it is a copy of the process's own */
	VMSNAP_BECAME_FILLED,     /* it was the zero page; now it is the process's own */
	VMSNAP_BECAME_SWAPPED_IN,
	VMSNAP_BECAME_WRITTEN, /* it was the process's own, and was written to, by what tracked it */
	/* Others had it, too, and now it is the process's own, or it was written to with a fault; frames are not known,
	 * so that it was copied, or made anew, or others let go of it. */
	VMSNAP_BECAME_EXCLUSIVE,
	VMSNAP_BECAME_REPLACED, /* it was the process's own, and is now, in another frame: made anew, or moved by the
	                           kernel */
	VMSNAP_BECAME_MAPPED,   /* a file's page, shared memory or the zero page came into its page tables */
	VMSNAP_BECAME_COUNT
};
const char *vmsnap_became_name(int became); /* "copied" */

/* Neighbouring pages that one thing explains.  This struct does not grow. */
struct vmsnap_blamed {
	const struct vmsnap *snap; /* of the later ones */
	uint64_t start, end;
	int became;   /* enum vmsnap_became */
	size_t first; /* of those faults that may have done it: vmsnap_blame_fault() */
	/* 0: none was seen that can have done it, and so the kernel did, or somebody else, or it was not seen.  More
	 * than one: one of these did, nobody knows which. */
	size_t count;
	bool inherited; /* of a process that was forked meanwhile: its parent's doing, before */
	/* It may have been a fault that was not seen, all the same: before those, or after them.  Of a process that
	 * forked meanwhile, where faults inside system calls are not told; where the kernel may have made pages anew
	 * (vmsnap_blame_untold()), or took them maybe (MADV_FREE); or something was lost. */
	bool doubtful;
};

struct vmsnap_blame;
struct vmsnap_blame_options {
	size_t size;                  /* sizeof(struct vmsnap_blame_options) */
	bool (*cancelled)(void *ctx); /* asked now and then; NULL: never cancelled */
	void *cancel_ctx;
	/* Forks and execs meanwhile, as the watch told them; none: those that the faults have (vmsnap_faults_event()).
	 * Without them, of a process that executed another program, no page is explained. */
	const struct vmsnap_fault_event *events;
	size_t event_count;
};
/* before, after: snapshots of the same processes from before and after the faults; what was forked in between needs to
 * be in the later ones alone.  Holds all of them. */
int vmsnap_blame_new(const struct vmsnap *const *before, size_t before_count, const struct vmsnap *const *after,
                     size_t after_count, const struct vmsnap_faults *faults, const struct vmsnap_blame_options *options,
                     struct vmsnap_blame **out, struct vmsnap_error *err);
/* The same with the faults that are kept with the later snapshots (vmsnap_faults_of()), which are of one instant.  Of a
 * process that has none there, where others have theirs, nothing is told.  VMSNAP_ERR_NOT_FOUND: none has. */
int vmsnap_blame_stored(const struct vmsnap *const *before, size_t before_count, const struct vmsnap *const *after,
                        size_t after_count, const struct vmsnap_blame_options *options, struct vmsnap_blame **out,
                        struct vmsnap_error *err);
void vmsnap_blame_free(struct vmsnap_blame *blame); /* NULL is fine */
/* Where nothing tells what was given back (VMSNAP_FAULTS_MEMORY): so many faults for these processes, inside the kernel,
 * were told by nothing, and no page is known that they made.  Each may have made one anew that somebody is blamed for.
 * UINT64_MAX: nobody knows. */
uint64_t vmsnap_blame_untold(const struct vmsnap_blame *blame);
const struct vmsnap_faults *vmsnap_blame_faults(const struct vmsnap_blame *blame);
/* NULL past the end.  In the order of the later snapshots, then of addresses. */
const struct vmsnap_blamed *vmsnap_blame_at(const struct vmsnap_blame *blame, size_t index);
/* The faults of one of them, in the order of time. */
const struct vmsnap_fault *vmsnap_blame_fault(const struct vmsnap_blame *blame, size_t index);
/* Snapshots that are told of; NULL past the end.  *before: NULL if it has none. */
const struct vmsnap *vmsnap_blame_process(const struct vmsnap_blame *blame, size_t index, const struct vmsnap **before);

/* Whether what became of its pages is known: there is a snapshot from before, or it began meanwhile. */
bool vmsnap_blame_is_known(const struct vmsnap_blame *blame, size_t index);

#ifdef __cplusplus
}
#endif
#endif
