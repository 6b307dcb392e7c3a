/* moves_count.h - what the kernel did to frames by itself, as the one number that a snapshot keeps
 * (vmsnap_info.page_moves). */
#ifndef VMSNAP_MOVES_COUNT_H
#define VMSNAP_MOVES_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Below it pages that went to another frame for all who map them, or into a huge page; above, how often
 * a page that KSM had merged was parted again, which gives a frame to one of those who map it.  1 more
 * than that, as 0 is unknown. */
enum { MOVES_BITS = 40 };

static inline uint64_t moves_count(uint64_t moved, uint64_t parted)
{
	return ((moved & ((UINT64_C(1) << MOVES_BITS) - 1)) | parted << MOVES_BITS) + 1;
}

/* KSM may have merged pages of the process: what it merges is not counted. */
#define MOVES_MERGED UINT64_MAX

/* How many pages were moved between two counts, of whomever; false if that is not known.  What KSM parted
 * counts as one: it was of others, as a process whose pages it may merge has MOVES_MERGED. */
static inline bool moves_between(uint64_t earlier, uint64_t later, uint64_t *moved)
{
	if (!earlier || !later || earlier == MOVES_MERGED || later == MOVES_MERGED || earlier > later)
		return false;
	bool parted = (earlier - 1) >> MOVES_BITS != (later - 1) >> MOVES_BITS;
	*moved = ((later - earlier) & ((UINT64_C(1) << MOVES_BITS) - 1)) + parted;
	return true;
}

/* Whether the kernel may have given pages other frames between two counts. */
static inline bool moves_possible(uint64_t a, uint64_t b)
{
	return !a || a != b || a == MOVES_MERGED;
}

#endif
