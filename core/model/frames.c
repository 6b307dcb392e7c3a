#include "frames.h"

static int append(struct frame_list *list, uint64_t first, uint64_t end, struct work *work)
{
	struct frame_range *last = list->count ? &list->items[list->count - 1] : NULL;
	int rc = VMSNAP_OK;
	if (last && last->end == first) {
		last->end = end;
		return rc;
	}
	if (!WORK_ROOM(work, list->items, list->count, &list->capacity, &rc))
		return rc;
	list->items[list->count++] = (struct frame_range){ first, end };
	return rc;
}

int frames_add(struct frame_list *list, const struct vmsnap *snap, uint64_t start, uint64_t end, struct work *work)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	int rc = VMSNAP_OK;
	vmsnap_run_iter_init(&it, snap, start, end);
	while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK) {
		uint64_t pages = (run.end - run.start) / info->page_size;
		rc = work_step(work);
		if (rc || !(run.flags & VMSNAP_PAGE_PRESENT) || run.flags & VMSNAP_PAGE_ZERO)
			continue;
		/* Frame 0 is none that a process has. */
		if (!info->known.pfn || !run.pfn)
			list->hidden += pages;
		else
			rc = append(list, run.pfn, run.pfn + pages, work);
	}
	return rc;
}

static int by_first(const void *x, const void *y, const void *ctx)
{
	const struct frame_range *a = x, *b = y;
	(void)ctx;
	return (a->first > b->first) - (a->first < b->first);
}

int frames_join(struct frame_list *list, struct work *work)
{
	int rc = work_sort(work, list->items, list->count, sizeof(*list->items), by_first, NULL);
	size_t kept = 0;
	for (size_t i = 0; !rc && i < list->count; i++) {
		const struct frame_range *range = &list->items[i];
		struct frame_range *last = kept ? &list->items[kept - 1] : NULL;
		if (last && range->first <= last->end)
			last->end = range->end > last->end ? range->end : last->end;
		else
			list->items[kept++] = *range;
	}
	if (!rc)
		list->count = kept;
	return rc;
}

uint64_t frames_count(const struct frame_list *list)
{
	uint64_t frames = 0;
	for (size_t i = 0; i < list->count; i++)
		frames += list->items[i].end - list->items[i].first;
	return frames;
}

uint64_t frames_count_without(const struct frame_list *list, const struct frame_list *others)
{
	uint64_t frames = frames_count(list);
	for (size_t i = 0, j = 0; i < list->count && j < others->count;) {
		const struct frame_range *a = &list->items[i], *b = &others->items[j];
		uint64_t first = a->first > b->first ? a->first : b->first, end = a->end < b->end ? a->end : b->end;
		if (first < end)
			frames -= end - first;
		if (a->end <= b->end)
			i++;
		else
			j++;
	}
	return frames;
}

void frames_free(struct frame_list *list, struct work *work)
{
	work_free(work, list->items, list->capacity, sizeof(*list->items));
	*list = (struct frame_list){ 0 };
}
