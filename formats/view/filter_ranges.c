#include "filter_ranges.h"

#include "sorted.h"

static int add(struct filter_ranges *ranges, uint64_t start, uint64_t end, struct work *work)
{
	struct filter_range *last = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
	int rc = work_step(work);
	if (rc)
		return rc;
	if (last && last->end == start) {
		last->end = end;
		return rc;
	}
	if (!WORK_ROOM(work, ranges->items, ranges->count, &ranges->capacity, &rc))
		return rc;
	ranges->items[ranges->count++] = (struct filter_range){ start, end };
	return rc;
}

static int add_mapping(const struct filter *filter, const struct vmsnap_vma *vma, struct work *work,
                       struct filter_ranges *out)
{
	uint64_t start = vma->start > filter->start ? vma->start : filter->start;
	uint64_t end = vma->end < filter->end ? vma->end : filter->end;
	return add(out, start, end, work);
}

static int add_pages(const struct filter *filter, const struct vmsnap *snap, const struct vmsnap_vma *vma,
                     struct work *work, struct filter_ranges *out)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	int rc = VMSNAP_OK;
	vmsnap_run_iter_init(&it, snap, vma->start, vma->end);
	while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK)
		if (filter_cut_run(filter, vmsnap_info(snap)->page_size, &run))
			rc = add(out, run.start, run.end, work);
	return rc;
}

int filter_ranges_of(const struct filter *filter, const struct vmsnap *snap, struct work *work,
                     struct filter_ranges *out)
{
	const struct vmsnap_vma *vma;
	int rc = VMSNAP_OK;
	*out = (struct filter_ranges){ 0 };
	for (size_t i = 0; !rc && (vma = vmsnap_vma(snap, i)); i++) {
		if (!filter_takes_vma(filter, vma))
			continue;
		rc = filter_has_states(filter) ? add_pages(filter, snap, vma, work, out)
		                               : add_mapping(filter, vma, work, out);
	}
	return rc;
}

static int by_start(const void *x, const void *y, const void *ctx)
{
	const struct filter_range *a = x, *b = y;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

static void join(struct filter_ranges *ranges)
{
	size_t kept = 0;
	for (size_t i = 0; i < ranges->count; i++) {
		const struct filter_range *range = &ranges->items[i];
		struct filter_range *last = kept ? &ranges->items[kept - 1] : NULL;
		if (last && range->start <= last->end)
			last->end = range->end > last->end ? range->end : last->end;
		else
			ranges->items[kept++] = *range;
	}
	ranges->count = kept;
}

int filter_ranges_of_two(const struct filter *filter, const struct vmsnap *a, const struct vmsnap *b, struct work *work,
                         struct filter_ranges *out)
{
	const struct vmsnap *both[] = { a, b };
	const struct vmsnap_vma *vma;
	int rc = VMSNAP_OK;
	*out = (struct filter_ranges){ 0 };
	for (size_t side = 0; side < 2; side++)
		for (size_t i = 0; !rc && (vma = vmsnap_vma(both[side], i)); i++)
			if (filter_takes_vma(filter, vma))
				rc = add_mapping(filter, vma, work, out);
	rc = rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), by_start, NULL);
	if (!rc)
		join(out);
	return rc;
}

void filter_ranges_free(struct filter_ranges *ranges, struct work *work)
{
	work_free(work, ranges->items, ranges->capacity, sizeof(*ranges->items));
	*ranges = (struct filter_ranges){ 0 };
}

size_t filter_ranges_find(const struct filter_ranges *ranges, uint64_t address)
{
	return SORTED_ABOVE(struct filter_range, end, ranges->items, ranges->count, address);
}
