/* hidden_swap.h - what is in swap, and page tables do not show: pages of shared memory are absent in
 * them when they are swapped out.  Only smaps tells how many, or that no swap was in use at all. */
#ifndef VMSNAP_HIDDEN_SWAP_H
#define VMSNAP_HIDDEN_SWAP_H

#include "snapshot.h"

/* Of the pages of one mapping between two addresses. */
struct hidden_swap {
	uint64_t bytes;
	bool unknown; /* there may be any */
};
/* shown: their sums as page tables have it. */
struct hidden_swap hidden_swap(const struct vmsnap *snap, size_t vma, uint64_t start, uint64_t end,
                               const struct vmsnap_sums *shown);
/* Whether there is anything to ask for: else shown need not be found out. */
bool hidden_swap_may_be(const struct vmsnap *snap, size_t vma);

#endif
