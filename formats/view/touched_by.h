/* touched_by.h - by what a debugger touched pages: "breakpoint 2".  A page may hold
 * thousands of such bytes; the first few that differ are told. */
#ifndef VMSNAP_TOUCHED_BY_H
#define VMSNAP_TOUCHED_BY_H

#include "vmsnap.h"
#include "work.h"

/* What one snapshot tells, in the order of address. */
struct touched_bytes {
	const struct vmsnap_annotation *name;
	uint64_t reach; /* the highest end of this and those before it */
};
struct touched_by {
	struct touched_bytes *items;
	size_t count, room;
};
int touched_by_init(struct touched_by *by, const struct vmsnap *snap, struct work *work);
void touched_by_free(struct touched_by *by, struct work *work);

enum { TOUCHED_REASONS = 16, TOUCHED_REASONS_TEXT = 3 };
struct touched_reasons {
	const struct vmsnap_annotation *first[TOUCHED_REASONS]; /* no two with one symbol */
	size_t count;
	size_t looks;
	bool more;            /* there are others, or there may be */
	bool not_breakpoints; /* some of them are something else, or may be */
};
/* Whether that was breakpoints, and for sure nothing else. */
static inline bool touched_by_breakpoints(const struct touched_reasons *reasons)
{
	return reasons->count && !reasons->not_breakpoints;
}
/* Adds what touched a byte of [start, end). */
void touched_reasons_add(struct touched_reasons *reasons, const struct touched_by *by, uint64_t start, uint64_t end);

/* Whether a debugger wrote to one page, and by what. */
struct page_touched {
	struct touched_by by;
	struct touched_reasons reasons;
	bool touched; /* it may be so without a reason that is known */
};
int page_touched_init(struct page_touched *touched, const struct vmsnap *snap, uint64_t address, struct work *work);
void page_touched_free(struct page_touched *touched, struct work *work);

#endif
