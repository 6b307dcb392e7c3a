/* sums.h - sums of pages, added up. */
#ifndef VMSNAP_SUMS_H
#define VMSNAP_SUMS_H

#include "vmsnap.h"

static inline void sums_add(struct vmsnap_sums *total, const struct vmsnap_sums *more)
{
	total->size += more->size;
	total->resident += more->resident;
	total->swapped += more->swapped;
	total->exclusive += more->exclusive;
	total->zero += more->zero;
	total->file += more->file;
	total->huge += more->huge;
	total->guard += more->guard;
	total->swap_unknown += more->swap_unknown;
	total->exclusive_unknown += more->exclusive_unknown;
	total->swapped_unknown += more->swapped_unknown;
}

/* Whether it may have pages of which nobody could read the state: the kernel tells of all. */
static inline bool sums_may_be_unread(const struct vmsnap *snap)
{
	uint32_t source = vmsnap_info(snap)->source;
	return source == VMSNAP_SOURCE_REMOTE || source == VMSNAP_SOURCE_SELF;
}

/* Of these it is not known whether they were present (vmsnap_page_unread()): pages that the kernel told of are
 * doubtful only as to whether they are in swap. */
static inline uint64_t sums_unread(const struct vmsnap *snap, const struct vmsnap_sums *sums)
{
	return sums_may_be_unread(snap) ? sums->swapped_unknown : 0;
}

/* What of a mapping, or a process, can be compared over time: what is resident; of a core file, which does not tell
 * that, how large it is. */
static inline uint64_t sums_counted(const struct vmsnap *snap, const struct vmsnap_sums *sums)
{
	return vmsnap_info(snap)->known.states_unknown ? sums->size : sums->resident;
}

/* A run in one mapping. */
static inline void sums_add_run(struct vmsnap_sums *sums, const struct vmsnap_known *known,
                                const struct vmsnap_run *run)
{
	uint64_t bytes = run->end - run->start;
	bool present = run->flags & VMSNAP_PAGE_PRESENT, told = vmsnap_exclusive_known(known, run);
	sums->resident += present ? bytes : 0;
	sums->exclusive += told && run->flags & VMSNAP_PAGE_EXCLUSIVE ? bytes : 0;
	sums->exclusive_unknown += present && !told ? bytes : 0;
	sums->zero += present && run->flags & VMSNAP_PAGE_ZERO ? bytes : 0;
	sums->file += present && run->flags & VMSNAP_PAGE_FILE ? bytes : 0;
	sums->huge += present && run->flags & VMSNAP_PAGE_HUGE ? bytes : 0;
	if (run->flags & VMSNAP_PAGE_SWAPPED)
		*(vmsnap_swap_known(run) ? &sums->swapped : &sums->swapped_unknown) += bytes;
	sums->guard += run->flags & VMSNAP_PAGE_GUARD ? bytes : 0;
}

#endif
