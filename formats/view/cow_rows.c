#include "cow_rows.h"

#include "mapping_groups.h"
#include "page_class.h"

int verdict_class(int verdict)
{
	switch (verdict) {
	case VMSNAP_VERDICT_SHARED:
	case VMSNAP_VERDICT_ZERO_SHARED:
	case VMSNAP_VERDICT_ZERO_IN_CHILD:
	case VMSNAP_VERDICT_ZERO_IN_PARENT:
	case VMSNAP_VERDICT_ZERO_IN_BOTH:
	case VMSNAP_VERDICT_ZERO:
		return CLASS_SHARED;
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
		return CLASS_COPIED;
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
		return CLASS_CHILD;
	/* Both, or nobody knows which: the colour of neither. */
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
	case VMSNAP_VERDICT_COPIED:
		return CLASS_OTHER;
	case VMSNAP_VERDICT_FILE:
	case VMSNAP_VERDICT_SHARED_MAPPING:
		return CLASS_FILE;
	case VMSNAP_VERDICT_DROPPED_BY_CHILD:
	case VMSNAP_VERDICT_DROPPED_BY_PARENT:
	case VMSNAP_VERDICT_DROPPED_BY_BOTH:
		return CLASS_GONE;
	case VMSNAP_VERDICT_SWAPPED:
		return CLASS_SWAPPED;
	case VMSNAP_VERDICT_ONLY_IN_CHILD:
	case VMSNAP_VERDICT_ONLY_IN_PARENT:
	case VMSNAP_VERDICT_UNKNOWN:
		return CLASS_PRIVATE;
	default:
		return CLASS_NEW;
	}
}

/* ---- sums --------------------------------------------------------------------------- */

static enum cow_cost cost_of(int verdict)
{
	switch (verdict) {
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
		return COST_BY_CHILD;
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
		return COST_BY_PARENT;
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
		return COST_BY_BOTH;
	case VMSNAP_VERDICT_COPIED:
		return COST_BY_UNKNOWN;
	default:
		return COST_KINDS;
	}
}

void cow_shares_add(struct cow_shares *shares, int verdict, uint64_t bytes, uint64_t inferred)
{
	enum cow_cost cost = cost_of(verdict);
	if (verdict == VMSNAP_VERDICT_SHARED) {
		shares->shared += bytes;
		shares->shared_inferred += inferred;
	} else if (verdict == VMSNAP_VERDICT_UNKNOWN) {
		shares->unknown += bytes;
	} else if (cost != COST_KINDS) {
		shares->by[cost] += bytes;
		shares->lost += bytes;
		shares->lost_inferred += inferred;
		shares->unknown_inferred += cost == COST_BY_UNKNOWN ? inferred : 0;
	}
}

static void add_range(struct cow_shares *shares, const struct vmsnap_cow_range *range)
{
	uint64_t bytes = range->end - range->start;
	if (!range->touched)
		cow_shares_add(shares, range->verdict, bytes, range->inferred ? bytes : 0);
}

static void add_shares(struct cow_shares *sum, const struct cow_shares *more)
{
	for (int i = 0; i < COST_KINDS; i++)
		sum->by[i] += more->by[i];
	sum->lost += more->lost;
	sum->shared += more->shared;
	sum->lost_inferred += more->lost_inferred;
	sum->shared_inferred += more->shared_inferred;
	sum->unknown_inferred += more->unknown_inferred;
	sum->unknown += more->unknown;
}

/* ---- rows ---------------------------------------------------------------------------- */

/* Where the walk over ranges is among the child's mappings. */
struct grouping {
	const struct vmsnap_cow *cow;
	struct vmsnap_names *names;
	struct mapping_group group; /* count 0: none */
	size_t next;                /* the mapping behind it */
};

/* Whether it is a mapping of the child's, and which. */
static bool index_in_child(const struct vmsnap *child, const struct vmsnap_vma *vma, size_t *index)
{
	const struct vmsnap_vma *first = vmsnap_vma(child, 0);
	uintptr_t at = (uintptr_t)vma, begin = (uintptr_t)first;
	size_t count = vmsnap_vma_count(child);
	if (!vma || !count || at < begin || at >= begin + count * sizeof(*first))
		return false;
	*index = (size_t)(vma - first);
	return true;
}

/* The child's mappings together with their neighbours; others each by itself. */
static void place_row(struct grouping *grouping, struct cow_row *row, const struct vmsnap_cow_range *range)
{
	const struct vmsnap *child = vmsnap_cow_child(grouping->cow);
	struct mapping_group *group = &grouping->group;
	size_t index;
	row->vma = range->vma;
	row->start = range->vma ? range->vma->start : range->start;
	row->end = range->vma ? range->vma->end : range->end;
	row->mappings = 1;
	if (!index_in_child(child, range->vma, &index))
		return;
	while (grouping->next <= index && mapping_group_at(child, grouping->names, grouping->next, group))
		grouping->next = group->first + group->count;
	/* Ranges of where memory was moved over other memory go back. */
	if (index < group->first || index >= group->first + group->count)
		return;
	*row = (struct cow_row){ .vma = vmsnap_vma(child, group->called),
		                 .start = group->start,
		                 .end = group->end,
		                 .mappings = group->count };
}

static bool same_row(const struct cow_row *a, const struct cow_row *b)
{
	return a->vma == b->vma && a->start == b->start && a->vma;
}

static int take_ranges(struct cow_rows *rows, struct grouping *grouping, struct work *work)
{
	struct vmsnap_cow_range range;
	const struct vmsnap_vma *vma = NULL;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_cow_range(grouping->cow, i, &range); i++) {
		struct cow_row *row = rows->count ? &rows->items[rows->count - 1] : NULL, next = { .first = i };
		if (!row || !vma || range.vma != vma) {
			place_row(grouping, &next, &range);
			next.first = i;
			vma = range.vma;
		} else
			next = *row;
		if (!row || !same_row(row, &next)) {
			if (!WORK_ROOM(work, rows->items, rows->count, &rows->room, &rc))
				return rc;
			row = &rows->items[rows->count++];
			*row = next;
		}
		add_range(&row->shares, &range);
		row->count++;
		rc = work_step(work);
	}
	return rc;
}

/* As they lie, where nothing was lost. */
static int by_lost(const void *a, const void *b, const void *ctx)
{
	const struct cow_row *x = a, *y = b;
	(void)ctx;
	return (x->shares.lost < y->shares.lost) - (x->shares.lost > y->shares.lost);
}

/* Neither was anything copied there, nor is anything shared. */
static void drop_others(struct cow_rows *rows)
{
	size_t kept = 0;
	for (size_t i = 0; i < rows->count; i++) {
		struct cow_row row = rows->items[i];
		add_shares(&rows->all, &row.shares);
		rows->lost += row.shares.lost != 0;
		if (row.shares.lost || row.shares.shared)
			rows->items[kept++] = row;
	}
	rows->count = kept;
}

int cow_rows_init(struct cow_rows *rows, const struct vmsnap_cow *cow, struct vmsnap_names *names, struct work *work)
{
	struct grouping grouping = { .cow = cow, .names = names };
	*rows = (struct cow_rows){ .items = NULL };
	int rc = take_ranges(rows, &grouping, work);
	drop_others(rows);
	return rc ? rc : work_sort(work, rows->items, rows->count, sizeof(*rows->items), by_lost, NULL);
}

void cow_rows_free(struct cow_rows *rows, struct work *work)
{
	work_free(work, rows->items, rows->room, sizeof(*rows->items));
}
