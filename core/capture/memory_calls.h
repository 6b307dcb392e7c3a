/* memory_calls.h - what processes do to their memory without a fault, as programs of ours in the kernel tell it: the
 * system calls that give pages back or move them, and births, since who is born by vfork(2) has its parent's memory.
 *
 * While one of a kernel's system calls is looked at in this way, each call of anybody takes some nanoseconds longer; a
 * program itself is only called at those of these few calls. */
#ifndef VMSNAP_MEMORY_CALLS_H
#define VMSNAP_MEMORY_CALLS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf_ring.h"
#include "vmsnap.h"

enum { MEMORY_CALLS_MAX = 16 };
struct memory_call; /* one whose end has not come yet */
struct memory_calls {
	struct bpf_rings ring; /* one */
	int lost_map;
	uint64_t *lost;
	int programs[MEMORY_CALLS_MAX], at[MEMORY_CALLS_MAX];
	size_t count;
	struct memory_call *begun; /* malloc'ed */
	size_t begun_count, begun_room;
};
struct memory_listener {
	int (*memory)(void *ctx, const struct vmsnap_memory_event *event);
	int (*born)(void *ctx, uint64_t time, pid_t parent, pid_t child);
	void *ctx;
};

/* watched: as struct fault_programs has it.  0 or errno: then there is nothing to close. */
int memory_calls_open(struct memory_calls *calls, int watched);
bool memory_calls_are_open(const struct memory_calls *calls); /* false, too, if it is all zero */
/* Waits for a grace period of the kernel's each: not while others wait. */
void memory_calls_close(struct memory_calls *calls);
uint64_t memory_calls_lost(const struct memory_calls *calls); /* since they were opened */
/* Calls the listener with what there is now, and happened until then, until it fails. */
int memory_calls_drain(struct memory_calls *calls, const struct memory_listener *listener, uint64_t until);

#endif
