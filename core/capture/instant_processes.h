/* instant_processes.h - a capture of one instant while it is made: its processes, and of which of them there
 * will be snapshots. */
#ifndef VMSNAP_INSTANT_PROCESSES_H
#define VMSNAP_INSTANT_PROCESSES_H

#include "freeze_tasks.h"
#include "reader.h"
#include "tracer.h"

struct capture {
	struct vmsnap_capture_options options;
	struct freeze freeze; /* also lists the processes when nothing is frozen */
	struct reader *readers;
	size_t reader_count;
	struct pagemap_probe probe;
	uint64_t page_moves;
	struct pagemap_walk *walk;
	struct own_mappings own;
	struct vmsnap_store *store; /* of what pages hold */
	struct precopy precopy;     /* of the process that is tracked */
	struct tracer_ours ours;    /* whether the caller is the target's debugger */
	bool held;                  /* no thread, no freeze: it is as it will be */
	atomic_bool cancel;
	atomic_bool stands; /* the freeze is done, or there is none */
	bool last_look;     /* what seems to have exited is believed */
	struct vmsnap_error error;
};

bool instant_wants(const struct capture *capture, unsigned flag);
/* A process of a tree that exits meanwhile is left out; those that were named must be there.  rc: what its
 * reader said. */
bool instant_may_leave_out(const struct capture *capture, size_t index, int rc);
void instant_leave_out(struct capture *capture, size_t index);
/* Returns rc, for which all fails.  Nobody named a descendant, so the message says whose it is, and what is left
 * to do. */
int instant_fail_of(struct capture *capture, size_t index, int rc);
/* Whether there is, or will be, a snapshot of it. */
bool instant_takes(const struct capture *capture, size_t index);

/* While another thread than the main one executes a program, the main one is a zombie,
 * then the other takes its number: for a moment no thread seems to live.  One that is
 * exiting has no program any more. */
bool instant_lives_on(int procdir);
bool instant_seems_exited(int rc);

#endif
