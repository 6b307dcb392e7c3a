/* page_stretches.h - pages as they were read, before runs are made of them, for somebody waits: neighbours that are
 * alike in what contents ask of them, in one go.  Does no I/O, takes no memory. */
#ifndef VMSNAP_PAGE_STRETCHES_H
#define VMSNAP_PAGE_STRETCHES_H

#include "pagemap_pieces.h"

struct page_stretch {
	uint64_t start, end;
	uint64_t entry; /* only what of ENTRY_PRESENT, and of the flags FILE and ZERO, all of them have */
};
struct page_stretches {
	const struct pagemap_found *found; /* not collected yet; known.huge: its marks tell huge pages that are zeros */
	uint64_t page_size, zero_pfn;
	size_t piece, index, mark; /* where it is: in a piece, the next of its entries or runs */
};

/* The next one that ends above `at`, and begins below `end`: cut to that.  Asked in the order of addresses. */
bool page_stretches_next(struct page_stretches *stretches, uint64_t at, uint64_t end, struct page_stretch *out);

#endif
