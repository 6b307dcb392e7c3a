#include "blame_ranges.h"

static int by_start(const void *x, const void *y, const void *ctx)
{
	const struct blame_range *a = x, *b = y;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

static void join_ranges(struct blame_ranges *ranges)
{
	size_t kept = 0;
	for (size_t i = 0; i < ranges->count; i++) {
		const struct blame_range range = ranges->items[i];
		struct blame_range *last = kept ? &ranges->items[kept - 1] : NULL;
		if (last && range.start <= last->end)
			last->end = range.end > last->end ? range.end : last->end;
		else
			ranges->items[kept++] = range;
	}
	ranges->count = kept;
}

static size_t acts_of(const struct blame_index *index, int32_t pid)
{
	size_t low = 0, high = index->act_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (index->acts[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Those of these kinds (1 << VMSNAP_MEMORY_EVENT_...). */
static int make_ranges(struct blame_ranges *ranges, const struct blame_index *index, const struct blame_whose *whose,
                       unsigned kinds, struct work *work)
{
	int rc = VMSNAP_OK;
	*ranges = (struct blame_ranges){ .count = 0 };
	for (size_t i = acts_of(index, whose->pid); !rc && i < index->act_count && index->acts[i].pid == whose->pid;
	     i++) {
		const struct blame_act *act = &index->acts[i];
		const struct vmsnap_memory_event *event = vmsnap_faults_memory_event(index->faults, act->which);
		bool meant = kinds >> event->kind & 1 && event->time >= whose->from && event->time <= whose->to;
		if (meant && WORK_ROOM(work, ranges->items, ranges->count, &ranges->room, &rc))
			ranges->items[ranges->count++] = (struct blame_range){ event->start, act->end };
		rc = rc ? rc : work_step(work);
	}
	rc = rc ? rc : work_sort(work, ranges->items, ranges->count, sizeof(*ranges->items), by_start, NULL);
	if (!rc)
		join_ranges(ranges);
	return rc;
}

static void free_ranges(struct blame_ranges *ranges, struct work *work)
{
	work_free(work, ranges->items, ranges->room, sizeof(*ranges->items));
	*ranges = (struct blame_ranges){ .count = 0 };
}

/* The one that holds an address, or the first behind it; NULL: there is none. */
static const struct blame_range *find(const struct blame_ranges *ranges, uint64_t address)
{
	size_t low = 0, high = ranges->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ranges->items[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ranges->count ? &ranges->items[low] : NULL;
}

bool blame_ranges_hold(const struct blame_ranges *ranges, uint64_t start, uint64_t end)
{
	const struct blame_range *found = find(ranges, start);
	return found && found->start <= start && found->end >= end;
}

bool blame_ranges_touch(const struct blame_ranges *ranges, uint64_t start, uint64_t end)
{
	const struct blame_range *found = find(ranges, start);
	return found && found->start < end;
}

int blame_gone_make(struct blame_gone *gone, const struct blame_index *index, const struct blame_whose *whose,
                    struct work *work)
{
	enum {
		GONE = 1 << VMSNAP_MEMORY_EVENT_GIVEN_BACK | 1 << VMSNAP_MEMORY_EVENT_MOVED |
		       1 << VMSNAP_MEMORY_EVENT_HEAP_END,
		MAYBE = 1 << VMSNAP_MEMORY_EVENT_FREED,
		COLLAPSED = 1 << VMSNAP_MEMORY_EVENT_COLLAPSED,
		MOVED = 1 << VMSNAP_MEMORY_EVENT_MOVED
	};
	int rc = make_ranges(&gone->given_back, index, whose, GONE, work);
	rc = rc ? rc : make_ranges(&gone->maybe_given_back, index, whose, MAYBE, work);
	rc = rc ? rc : make_ranges(&gone->moved, index, whose, MOVED, work);
	return rc ? rc : make_ranges(&gone->collapsed, index, whose, COLLAPSED, work);
}

void blame_gone_free(struct blame_gone *gone, struct work *work)
{
	free_ranges(&gone->given_back, work);
	free_ranges(&gone->maybe_given_back, work);
	free_ranges(&gone->collapsed, work);
	free_ranges(&gone->moved, work);
}
