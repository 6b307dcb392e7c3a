/* page_shares.h - what is present, by who has it: as the picture's classes (page_class.h) are, where that is known. */
#ifndef VMSNAP_PAGE_SHARES_H
#define VMSNAP_PAGE_SHARES_H

#include "filter.h"
#include "vmsnap.h"

/* Bytes. */
struct page_shares {
	uint64_t shared;  /* private memory that others have, too, the zero page included */
	uint64_t own;     /* private memory that nobody else has */
	uint64_t unknown; /* one of these: which is not known */
	uint64_t file;    /* of files, and of shared memory */
	uint64_t swapped, swapped_unknown;
	uint64_t unread; /* may be any of these, or absent */
	uint64_t merged; /* of .shared and .unknown: by KSM, as far as the kernel's table of frames was read */
};
void page_shares_add(struct page_shares *sum, const struct page_shares *more);
/* Of what is wanted of a mapping that is taken; sums: filter_sum() of that. */
struct page_shares page_shares_of(const struct vmsnap *snap, const struct filter *filter, const struct vmsnap_vma *vma,
                                  const struct vmsnap_sums *sums);

#endif
