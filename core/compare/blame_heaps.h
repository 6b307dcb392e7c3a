/* blame_heaps.h - where heaps ended at most: brk(2) tells of their new end only. */
#ifndef VMSNAP_BLAME_HEAPS_H
#define VMSNAP_BLAME_HEAPS_H

#include <stddef.h>
#include <stdint.h>

#include "memory_owners.h"
#include "vmsnap.h"
#include "work.h"

/* That of a process from then on, until it executes another program.  In those that are given it ends there then. */
struct blame_heap {
	uint64_t from, top;
	int32_t pid;
};
struct blame_heap blame_heap_of(const struct vmsnap *snap); /* at that time; NULL: of nobody */
struct blame_heaps {
	struct blame_heap *items; /* by pid, time */
	size_t count, room;
};
/* Of what snapshots tell (given) and what the faults have of calls, forks and execs. */
int blame_heaps_make(struct blame_heaps *heaps, const struct vmsnap_faults *faults, const struct memory_owners *owners,
                     const struct blame_heap *given, size_t given_count, struct work *work);
void blame_heaps_free(struct blame_heaps *heaps, struct work *work);
uint64_t blame_heap_top(const struct blame_heaps *heaps, int32_t pid, uint64_t time); /* 0: not known */

#endif
