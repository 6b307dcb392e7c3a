/* cow_rows.h - after a fork: what became of what was shared, in all and where.  Sharing is lost where a page was
 * copied, whoever did it.  What it is a share of is what was copied and what is shared still; of what a debugger wrote
 * to nothing is counted. */
#ifndef VMSNAP_COW_ROWS_H
#define VMSNAP_COW_ROWS_H

#include "cow_groups.h"
#include "work.h"

/* Bytes. */
struct cow_shares {
	uint64_t by[COST_KINDS]; /* enum cow_cost */
	uint64_t lost, shared;   /* lost: the sum of those */
	uint64_t lost_inferred, shared_inferred;
	uint64_t unknown_inferred; /* of COST_BY_UNKNOWN */
	uint64_t unknown;          /* of which nobody can say whether they were lost */
};
/* So many bytes of a verdict, so many of them inferred, that no debugger wrote to. */
void cow_shares_add(struct cow_shares *shares, int verdict, uint64_t bytes, uint64_t inferred);
/* Whether there is a fact among what they tell. */
static inline bool cow_shares_known(const struct cow_shares *shares)
{
	return shares->lost + shares->shared > shares->lost_inferred + shares->shared_inferred;
}

/* A mapping, or several that belong together (mapping_groups.h), with the ranges that lie in them. */
struct cow_row {
	const struct vmsnap_vma *vma; /* that it is called by: the child's, else the parent's or the base's; or NULL */
	uint64_t start, end;
	size_t mappings;
	size_t first, count; /* of vmsnap_cow_range() */
	struct cow_shares shares;
};
struct cow_rows {
	struct cow_row *items; /* those of which something was copied, the most first; then those that share all */
	size_t count, room, lost;
	struct cow_shares all;
};
/* names: of the child, for what memory without a name is; may be NULL. */
int cow_rows_init(struct cow_rows *rows, const struct vmsnap_cow *cow, struct vmsnap_names *names, struct work *work);
void cow_rows_free(struct cow_rows *rows, struct work *work);

/* What a page is in a picture of the fork: enum page_class. */
int verdict_class(int verdict);

#endif
