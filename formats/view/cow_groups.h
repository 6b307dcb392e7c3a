/* cow_groups.h - verdicts mapping by mapping, and what a debugger had to do with them. */
#ifndef VMSNAP_COW_GROUPS_H
#define VMSNAP_COW_GROUPS_H

#include "touched_by.h"

/* One mapping's ranges, which follow each other. */
struct cow_group {
	const struct vmsnap_vma *vma; /* of one side; NULL: not mapped */
	uint64_t start, end;          /* of both sides, one of which may have grown since the fork */
	size_t first, count;
	uint64_t pages[VMSNAP_VERDICT_COUNT];   /* the program's */
	uint64_t touched[VMSNAP_VERDICT_COUNT]; /* those that a debugger wrote to */
};
/* The group that begins at range `first`; false if there is none. */
bool cow_group_at(const struct vmsnap_cow *cow, size_t first, struct cow_group *group);
/* Verdicts that say nothing happened. */
bool verdict_is_quiet(int verdict);
/* Verdicts that say that sharing was lost. */
bool verdict_is_lost(int verdict);

/* What the fork has cost: pages, without those that a debugger wrote to. */
enum cow_cost { COST_BY_CHILD, COST_BY_PARENT, COST_BY_BOTH, COST_BY_UNKNOWN, COST_KINDS };
struct cow_costs {
	uint64_t copied[COST_KINDS]; /* each page once, whoever copied it */
	uint64_t made;               /* new memory, in each of the two */
	uint64_t alone;              /* in one of them alone: new, or dropped by the other */
};
struct cow_costs cow_costs(const struct vmsnap_cow *cow);
/* The same of so many pages for each verdict. */
struct cow_costs cow_costs_of(const uint64_t pages[VMSNAP_VERDICT_COUNT]);
/* One side as it was at the fork, beside the other of later: what it has copied since is not known. */
enum cow_side { COW_SIDE_NONE, COW_SIDE_PARENT, COW_SIDE_CHILD };
enum cow_side cow_side_unseen(const struct vmsnap_cow *cow);

/* By what a debugger touched pages, as parent, child and base tell; all empty if none
 * of the pages was. */
enum { COW_SIDES = 3 };
struct cow_touched {
	struct touched_by side[COW_SIDES];
};
int cow_touched_init(struct cow_touched *touched, const struct vmsnap_cow *cow, struct work *work);
void cow_touched_free(struct cow_touched *touched, struct work *work);
void cow_touched_reasons(const struct cow_touched *touched, const struct vmsnap_cow_range *range,
                         struct touched_reasons *reasons);

#endif
