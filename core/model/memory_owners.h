/* memory_owners.h - whose memory a process has: who is born by vfork(2), or with CLONE_VM, has its parent's until it
 * executes another program. */
#ifndef VMSNAP_MEMORY_OWNERS_H
#define VMSNAP_MEMORY_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "vmsnap.h"
#include "work.h"

struct memory_owner {
	uint64_t from, until;
	int32_t pid, parent;
};
struct memory_owners {
	struct memory_owner *items; /* by pid, time */
	size_t count, room;
};
/* Of what faults tell. */
int memory_owners_make(struct memory_owners *owners, const struct vmsnap_faults *faults, struct work *work);
/* And of what these do, later. */
int memory_owners_add(struct memory_owners *owners, const struct vmsnap_faults *faults, struct work *work);
/* Those that ended before. */
void memory_owners_forget(struct memory_owners *owners, uint64_t time);
void memory_owners_free(struct memory_owners *owners, struct work *work);
int32_t memory_owner_at(const struct memory_owners *owners, int32_t pid, uint64_t time);

#endif
