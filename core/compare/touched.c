#include "touched.h"

#include <stdlib.h>

#include "sorted.h"

static int by_start(const void *left, const void *right, const void *ctx)
{
	const struct touched *a = left, *b = right;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

/* Sorted ones that overlap or follow each other become one. */
static void join(struct touched_list *list)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct touched *last = kept ? &list->items[kept - 1] : NULL, next = list->items[i];
		if (!last || next.start > last->end)
			list->items[kept++] = next;
		else if (next.end > last->end)
			last->end = next.end;
	}
	list->count = kept;
}

static void collect(const struct vmsnap *snap, struct touched_list *list)
{
	struct vmsnap_layer_range range;
	for (size_t i = 0; vmsnap_layer_range(snap, VMSNAP_LAYER_DEBUGGER_WRITES, i, &range) == VMSNAP_OK; i++)
		list->items[list->count++] = (struct touched){ range.start, range.end };
}

int touched_pages(const struct vmsnap *const *snaps, size_t sides, struct work *work, struct touched_list *out)
{
	size_t count = 0;
	*out = (struct touched_list){ 0 };
	for (size_t i = 0; i < sides; i++)
		count += vmsnap_layer_range_count(snaps[i], VMSNAP_LAYER_DEBUGGER_WRITES);
	if (!count)
		return VMSNAP_OK;
	int rc = VMSNAP_OK;
	out->items = work_array(work, count, sizeof(*out->items), &rc);
	out->room = count;
	for (size_t i = 0; !rc && i < sides; i++)
		collect(snaps[i], out);
	rc = rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), by_start, NULL);
	if (!rc)
		join(out);
	return rc;
}

void touched_free(struct touched_list *list, struct work *work)
{
	work_free(work, list->items, list->room, sizeof(*list->items));
	*list = (struct touched_list){ 0 };
}

bool touched_at(const struct touched_list *list, uint64_t at, uint64_t *until)
{
	size_t low = SORTED_ABOVE(struct touched, end, list->items, list->count, at);
	if (low == list->count)
		return false;
	bool inside = list->items[low].start <= at;
	uint64_t edge = inside ? list->items[low].end : list->items[low].start;
	if (edge < *until)
		*until = edge;
	return inside;
}
