/* vma_find.h - the mapping at an address, or the next one. */
#ifndef VMSNAP_VMA_FIND_H
#define VMSNAP_VMA_FIND_H

#include "vmsnap.h"

/* Index of the first mapping that ends above the address; their number if there is none. */
static inline size_t vma_find(const struct vmsnap *snap, uint64_t address)
{
	size_t low = 0, high = vmsnap_vma_count(snap);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (vmsnap_vma(snap, middle)->end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

#endif
