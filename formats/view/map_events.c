#include "map_events.h"

#include "cow_rows.h"
#include "sorted.h"

static int add(struct map_events *events, const struct map_event *event, struct work *work)
{
	struct map_event *last = events->count ? &events->items[events->count - 1] : NULL;
	int rc = VMSNAP_OK;
	/* What was there, where other memory is now, is told after that, from where it begins on. */
	if (last && event->start < last->end)
		return VMSNAP_OK;
	if (last && last->end == event->start && last->page_class == event->page_class && last->vma == event->vma) {
		last->end = event->end;
		return VMSNAP_OK;
	}
	if (!WORK_ROOM(work, events->items, events->count, &events->capacity, &rc))
		return rc;
	events->items[events->count++] = *event;
	return VMSNAP_OK;
}

int map_events_of_diff(struct map_events *events, const struct vmsnap_diff *diff, struct work *work)
{
	struct vmsnap_diff_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_diff_range(diff, i, &range); i++) {
		struct map_event event = { range.start, range.end, diff_range_class(&range), range.vma };
		if (event.page_class != CLASS_HOLE)
			rc = add(events, &event, work);
		rc = rc ? rc : work_step(work);
	}
	return rc;
}

int map_events_of_cow(struct map_events *events, const struct vmsnap_cow *cow, struct work *work)
{
	struct vmsnap_cow_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !vmsnap_cow_range(cow, i, &range); i++) {
		struct map_event event = { range.start, range.end, verdict_class(range.verdict), range.vma };
		rc = add(events, &event, work);
		rc = rc ? rc : work_step(work);
	}
	return rc;
}

void map_events_free(struct map_events *events, struct work *work)
{
	work_free(work, events->items, events->capacity, sizeof(*events->items));
}

size_t map_events_find(const struct map_events *events, uint64_t address)
{
	return SORTED_ABOVE(struct map_event, end, events->items, events->count, address);
}
