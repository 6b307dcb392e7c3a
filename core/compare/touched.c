#include "touched.h"

#include <stdlib.h>

#include "diff_walk.h"

static bool is_touched(const struct vmsnap_annotation *name)
{
	return name->kind == VMSNAP_ANNOTATION_DEBUGGER_WRITE && name->size;
}

static size_t count_touched(const struct vmsnap *snap)
{
	size_t count = 0, names = vmsnap_annotation_count(snap);
	for (size_t i = 0; i < names; i++)
		count += is_touched(vmsnap_annotation(snap, i));
	return count;
}

/* The bytes of a name, made whole pages. */
static struct touched pages_around(const struct vmsnap_annotation *name, unsigned page_shift)
{
	uint64_t below = (UINT64_C(1) << page_shift) - 1;
	uint64_t last = (name->address + (name->size - 1)) | below;
	return (struct touched){ name->address & ~below, last == UINT64_MAX ? last : last + 1 };
}

static void collect(const struct vmsnap *snap, struct touched_list *list)
{
	size_t names = vmsnap_annotation_count(snap);
	unsigned page_shift = walk_page_shift(snap);
	for (size_t i = 0; i < names; i++) {
		const struct vmsnap_annotation *name = vmsnap_annotation(snap, i);
		if (is_touched(name))
			list->items[list->count++] = pages_around(name, page_shift);
	}
}

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

int touched_pages(const struct vmsnap *const *snaps, size_t sides, struct work *work, struct touched_list *out)
{
	size_t count = 0;
	*out = (struct touched_list){ 0 };
	for (size_t i = 0; i < sides; i++)
		count += count_touched(snaps[i]);
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
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (list->items[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->count)
		return false;
	bool inside = list->items[low].start <= at;
	uint64_t edge = inside ? list->items[low].end : list->items[low].start;
	if (edge < *until)
		*until = edge;
	return inside;
}
