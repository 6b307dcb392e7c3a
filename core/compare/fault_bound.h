/* fault_bound.h - how many page faults it takes at least to make pages that are there.
 *
 * A frame that was freed is soon given out again, and often in the same order: memory that is
 * unmapped and other memory that is mapped elsewhere and written backwards can have the same
 * frames at the same distances, at any size.  So frames alone do not tell that memory moved.
 * But new pages come by page faults, which the kernel counts, and moved ones do not. */
#ifndef VMSNAP_FAULT_BOUND_H
#define VMSNAP_FAULT_BOUND_H

#include "snapshot.h"

struct fault_bound {
	uint64_t faults;
	uint64_t next_window; /* the first that is not counted yet: see fault_bound_add() */
	unsigned shift;       /* log2 of the page size */
};
struct fault_bound fault_bound_begin(const struct vmsnap *snap);
/* Pages in one state; in the order of their addresses. */
void fault_bound_add(struct fault_bound *bound, uint64_t address, uint64_t pages, uint64_t entry);

#endif
