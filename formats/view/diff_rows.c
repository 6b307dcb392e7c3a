/* diff_rows.c - which mappings changed: joins the diff's ranges and its VMA
 * changes by mapping, in address order. */
#include "diff_rows.h"

#include <stdlib.h>

#include "error.h"
#include "vma_find.h"

const struct vmsnap_vma *diff_change_vma(const struct vmsnap_diff_vma *change)
{
	return change->b ? change->b : change->a;
}

struct keyed {
	uint64_t start;
	const struct vmsnap_vma *vma;
	bool moved; /* told first: a line may have no room for all, and the rest follows from it */
	size_t index;
};

static int by_mapping(const void *left, const void *right, const void *ctx)
{
	const struct keyed *a = left, *b = right;
	(void)ctx;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->vma != b->vma)
		return (uintptr_t)a->vma < (uintptr_t)b->vma ? -1 : 1;
	if (a->moved != b->moved)
		return a->moved ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

int diff_rows_init(struct diff_rows *rows, const struct diff_view *view, struct work *work)
{
	size_t count = vmsnap_diff_vma_count(view->diff);
	int rc = VMSNAP_OK;
	*rows = (struct diff_rows){ .view = view };
	struct keyed *keys = work_array(work, count, sizeof(*keys), &rc);
	rows->order = work_array(work, count, sizeof(*rows->order), &rc);
	for (size_t i = 0; !rc && i < count; i++) {
		struct vmsnap_diff_vma change;
		if (vmsnap_diff_vma(view->diff, i, &change) || !diff_change_vma(&change))
			continue;
		const struct vmsnap_vma *vma = diff_change_vma(&change);
		bool moved =
		        change.change == VMSNAP_VMA_CHANGE_MOVED || change.change == VMSNAP_VMA_CHANGE_POSSIBLY_MOVED;
		keys[rows->order_count++] = (struct keyed){ vma->start, vma, moved, i };
	}
	rc = rc ? rc : work_sort(work, keys, rows->order_count, sizeof(*keys), by_mapping, NULL);
	for (size_t i = 0; !rc && i < rows->order_count; i++)
		rows->order[i] = keys[i].index;
	work_free(work, keys, count, sizeof(*keys));
	return rc;
}

void diff_rows_free(struct diff_rows *rows)
{
	free(rows->order);
}

void diff_rows_rewind(struct diff_rows *rows)
{
	rows->next_range = rows->next_change = 0;
}

/* What the row is about: all of a mapping in B; of one in A as much as lies between two of
 * B's, or a mapping with many holes would be shown and counted as a whole for each hole. */
static void set_extent(const struct diff_view *view, const struct vmsnap_diff_range *range, struct diff_row *row)
{
	row->start = range->vma ? range->vma->start : range->start;
	row->end = range->vma ? range->vma->end : range->end;
	size_t next = vma_find(view->b, range->start);
	const struct vmsnap_vma *after = vmsnap_vma(view->b, next),
	                        *before = next ? vmsnap_vma(view->b, next - 1) : NULL;
	if (!range->vma || after == range->vma)
		return;
	if (before && row->start < before->end)
		row->start = before->end;
	if (after && row->end > after->start)
		row->end = after->start;
}

/* The ranges from next_range on that lie in one mapping, if something happened to any of its pages. */
static bool take_ranges(struct diff_rows *rows, struct diff_row *row)
{
	struct vmsnap_diff_range range;
	do {
		if (vmsnap_diff_range(rows->view->diff, rows->next_range, &range))
			return false;
	} while (!range.kinds && ++rows->next_range);
	*row = (struct diff_row){ .vma = range.vma, .first_range = rows->next_range };
	set_extent(rows->view, &range, row);
	do {
		if (!range.vma)
			row->end = range.end;
		row->range_count++;
	} while (!vmsnap_diff_range(rows->view->diff, row->first_range + row->range_count, &range) &&
	         range.vma == row->vma && (!range.vma || range.start < row->end));
	return true;
}

static bool take_changes(struct diff_rows *rows, struct diff_row *row)
{
	struct vmsnap_diff_vma change;
	if (rows->next_change == rows->order_count ||
	    vmsnap_diff_vma(rows->view->diff, rows->order[rows->next_change], &change))
		return false;
	*row = (struct diff_row){ .vma = diff_change_vma(&change), .first_change = rows->next_change };
	row->start = row->vma->start;
	row->end = row->vma->end;
	do {
		row->change_count++;
	} while (row->first_change + row->change_count < rows->order_count &&
	         !vmsnap_diff_vma(rows->view->diff, rows->order[row->first_change + row->change_count], &change) &&
	         diff_change_vma(&change) == row->vma);
	return true;
}

bool diff_rows_any(struct diff_rows *rows)
{
	struct diff_row row;
	diff_rows_rewind(rows);
	return diff_rows_next(rows, &row);
}

bool diff_rows_next(struct diff_rows *rows, struct diff_row *row)
{
	struct diff_row ranges, changes;
	bool has_ranges = take_ranges(rows, &ranges), has_changes = take_changes(rows, &changes);
	if (!has_ranges && !has_changes)
		return false;
	if (has_ranges && has_changes && ranges.vma == changes.vma) {
		*row = ranges;
		row->first_change = changes.first_change;
		row->change_count = changes.change_count;
	} else if (has_ranges && (!has_changes || ranges.start < changes.start)) {
		*row = ranges;
	} else {
		*row = changes;
	}
	rows->next_range += row->range_count;
	rows->next_change += row->change_count;
	return true;
}

void diff_row_sums(const struct diff_view *view, const struct diff_row *row, struct diff_sums *sums)
{
	struct vmsnap_diff_range range;
	*sums = (struct diff_sums){ 0 };
	for (size_t i = 0; i < row->range_count; i++)
		if (!vmsnap_diff_range(view->diff, row->first_range + i, &range))
			diff_range_sums(&range, sums->classes);
	if (row->vma)
		sums->shared = diff_shared_at_a(view, row->start, row->end);
}
