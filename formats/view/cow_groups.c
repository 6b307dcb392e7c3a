#include "cow_groups.h"

#include <string.h>

#include "page_state.h"

bool verdict_is_quiet(int verdict)
{
	return verdict == VMSNAP_VERDICT_SHARED || verdict == VMSNAP_VERDICT_ZERO_SHARED ||
	       verdict == VMSNAP_VERDICT_ZERO_IN_CHILD || verdict == VMSNAP_VERDICT_ZERO_IN_PARENT ||
	       verdict == VMSNAP_VERDICT_ZERO_IN_BOTH || verdict == VMSNAP_VERDICT_ZERO ||
	       verdict == VMSNAP_VERDICT_FILE || verdict == VMSNAP_VERDICT_SHARED_MAPPING ||
	       verdict == VMSNAP_VERDICT_SWAPPED;
}

bool verdict_is_lost(int verdict)
{
	return verdict == VMSNAP_VERDICT_COPIED_BY_PARENT || verdict == VMSNAP_VERDICT_COPIED_BY_CHILD ||
	       verdict == VMSNAP_VERDICT_COPIED_BY_BOTH || verdict == VMSNAP_VERDICT_COPIED;
}

struct cow_costs cow_costs_of(const uint64_t pages[VMSNAP_VERDICT_COUNT])
{
	static const struct {
		int verdict, each; /* pages of new memory for each page */
	} made[] = {
		{ VMSNAP_VERDICT_NEW_IN_CHILD, 1 },
		{ VMSNAP_VERDICT_NEW_IN_PARENT, 1 },
		{ VMSNAP_VERDICT_NEW_IN_BOTH, 2 },
		{ VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, 1 },
		{ VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT, 1 },
		{ VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH, 2 },
	};
	struct cow_costs costs = {
		.copied = { [COST_BY_CHILD] = pages[VMSNAP_VERDICT_COPIED_BY_CHILD],
		            [COST_BY_PARENT] = pages[VMSNAP_VERDICT_COPIED_BY_PARENT],
		            [COST_BY_BOTH] = pages[VMSNAP_VERDICT_COPIED_BY_BOTH],
		            [COST_BY_UNKNOWN] = pages[VMSNAP_VERDICT_COPIED] },
	};
	costs.alone = pages[VMSNAP_VERDICT_ONLY_IN_CHILD] + pages[VMSNAP_VERDICT_ONLY_IN_PARENT];
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		costs.made += pages[made[i].verdict] * (unsigned)made[i].each;
	return costs;
}

struct cow_costs cow_costs(const struct vmsnap_cow *cow)
{
	uint64_t pages[VMSNAP_VERDICT_COUNT];
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		pages[i] = vmsnap_cow_pages(cow, i) - vmsnap_cow_touched_pages(cow, i);
	return cow_costs_of(pages);
}

static bool is_of_base(const struct vmsnap_cow *cow, const struct vmsnap *snap)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *other = vmsnap_cow_base_other(cow);
	return (base && vmsnap_same_process(base, snap) && vmsnap_same_instant(base, snap)) ||
	       (other && vmsnap_same_process(other, snap) && vmsnap_same_instant(other, snap));
}

enum cow_side cow_side_unseen(const struct vmsnap_cow *cow)
{
	bool parent = is_of_base(cow, vmsnap_cow_parent(cow)), child = is_of_base(cow, vmsnap_cow_child(cow));
	return parent == child ? COW_SIDE_NONE : parent ? COW_SIDE_PARENT : COW_SIDE_CHILD;
}

/* The same mapping on both sides, one of which has grown since: a stack downwards, a heap upwards.  Within one process
 * no two overlap. */
static bool has_grown(const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	return a && b && a->start < b->end && b->start < a->end && (a->start == b->start || a->end == b->end) &&
	       a->perms == b->perms && a->inode == b->inode && !strcmp(a->name, b->name);
}

/* Whether the next range goes on with the group.  What moved memory lies over now is told behind it, and is another. */
static bool group_takes(struct cow_group *group, const struct vmsnap_cow_range *last,
                        const struct vmsnap_cow_range *next)
{
	const struct vmsnap_vma *vma = next->vma;
	if (vma == group->vma)
		return true;
	if (last->moved || next->moved || next->start < last->end || !has_grown(group->vma, vma))
		return false;
	group->start = vma->start < group->start ? vma->start : group->start;
	group->end = vma->end > group->end ? vma->end : group->end;
	return true;
}

bool cow_group_at(const struct vmsnap_cow *cow, size_t first, struct cow_group *group)
{
	struct vmsnap_cow_range range, last;
	*group = (struct cow_group){ .first = first };
	if (vmsnap_cow_range(cow, first, &range))
		return false;
	group->vma = range.vma;
	group->start = range.vma ? range.vma->start : 0;
	group->end = range.vma ? range.vma->end : 0;
	do {
		uint64_t pages = pages_of(vmsnap_cow_child(cow), range.end - range.start);
		(range.touched ? group->touched : group->pages)[range.verdict] += pages;
		group->count++;
		last = range;
	} while (!vmsnap_cow_range(cow, first + group->count, &range) && group_takes(group, &last, &range));
	return true;
}

int cow_touched_init(struct cow_touched *touched, const struct vmsnap_cow *cow, struct work *work)
{
	const struct vmsnap *snaps[COW_SIDES] = { vmsnap_cow_parent(cow), vmsnap_cow_child(cow), vmsnap_cow_base(cow) };
	bool any = false;
	int rc = VMSNAP_OK;
	*touched = (struct cow_touched){ 0 };
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		any |= vmsnap_cow_touched_pages(cow, i) != 0;
	for (int i = 0; any && !rc && i < COW_SIDES; i++)
		if (snaps[i])
			rc = touched_by_init(&touched->side[i], snaps[i], work);
	return rc;
}

void cow_touched_free(struct cow_touched *touched, struct work *work)
{
	for (int i = 0; i < COW_SIDES; i++)
		touched_by_free(&touched->side[i], work);
}

void cow_touched_reasons(const struct cow_touched *touched, const struct vmsnap_cow_range *range,
                         struct touched_reasons *reasons)
{
	const uint64_t starts[COW_SIDES] = { range->parent_start, range->start, range->base_start };
	for (int i = 0; range->touched && i < COW_SIDES; i++)
		touched_reasons_add(reasons, &touched->side[i], starts[i], starts[i] + (range->end - range->start));
}
