#include "file_delta_pages.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"

/* ---- writing ------------------------------------------------------------------------- */

struct side {
	struct vmsnap_run_iter iter;
	struct vmsnap_run run;
	bool any; /* false: there are no more */
};

static void side_step(struct side *side)
{
	side->any = vmsnap_run_next(&side->iter, &side->run) == VMSNAP_OK;
}

static void side_init(struct side *side, const struct vmsnap *snap)
{
	vmsnap_run_iter_init(&side->iter, snap, 0, UINT64_MAX);
	side_step(side);
}

/* NULL: there are no more. */
static const struct vmsnap_run *side_run(const struct side *side)
{
	return side->any ? &side->run : NULL;
}

/* From one snapshot to the next of a process nearly all runs stay what they are: as they lie in memory that is
 * seen in a fifth of the time. */
static void pass_alike(struct side *before, struct side *after)
{
	const struct run_list *a = &before->iter.snap->runs, *b = &after->iter.snap->runs;
	size_t at_a = before->iter.index, at_b = after->iter.index;
	while (at_a < a->count && at_b < b->count && a->items[at_a].head == b->items[at_b].head &&
	       a->items[at_a].entry == b->items[at_b].entry) {
		at_a++;
		at_b++;
	}
	before->iter.index = at_a;
	after->iter.index = at_b;
}

/* The run from an address of it on, up to another. */
static struct vmsnap_run cut(const struct vmsnap_run *run, uint64_t start, uint64_t end, uint64_t page_size)
{
	struct vmsnap_run part = *run;
	uint64_t pages = (start - run->start) / page_size;
	part.start = start;
	part.end = end;
	if (run->flags & VMSNAP_PAGE_PRESENT)
		part.pfn += run->pfn ? pages : 0;
	else if (run->flags & VMSNAP_PAGE_SWAPPED)
		part.swap_offset += run->swap_offset || run->swap_type ? pages : 0;
	return part;
}

static bool alike(const struct vmsnap_run *a, const struct vmsnap_run *b)
{
	return a->flags == b->flags && a->pfn == b->pfn && a->swap_offset == b->swap_offset &&
	       a->swap_type == b->swap_type;
}

static bool goes_on(const struct vmsnap_run *last, const struct vmsnap_run *run, uint64_t page_size)
{
	if (last->end != run->start)
		return false;
	struct vmsnap_run next = cut(last, run->start, run->end, page_size);
	return alike(&next, run);
}

static int add(struct run_difference *out, struct vmsnap_run run, uint64_t page_size, size_t most)
{
	struct vmsnap_run *last = out->count ? &out->items[out->count - 1] : NULL;
	if (last && goes_on(last, &run, page_size)) {
		last->end = run.end;
		return VMSNAP_OK;
	}
	if (out->count == most)
		return VMSNAP_END;
	struct vmsnap_run *items = array_room(out->items, out->count, &out->room, sizeof(*items));
	if (!items)
		return VMSNAP_ERR_NO_MEMORY;
	out->items = items;
	out->items[out->count++] = run;
	return VMSNAP_OK;
}

/* The next address at which a side begins or ends; ends are compared minus 1: the highest may be 0. */
static uint64_t next_edge(const struct vmsnap_run *run, uint64_t at)
{
	return !run ? UINT64_MAX : run->start > at ? run->start - 1 : run->end - 1;
}

int run_difference_make(struct run_difference *out, const struct vmsnap *base, const struct vmsnap *now, size_t most)
{
	struct side before, after;
	uint64_t page_size = vmsnap_info(now)->page_size, at = 0;
	side_init(&before, base);
	side_init(&after, now);
	*out = (struct run_difference){ 0 };
	int rc = VMSNAP_OK;
	for (;;) {
		const struct vmsnap_run *a = side_run(&before), *b = side_run(&after);
		if (rc || (!a && !b))
			return rc;
		uint64_t edge_a = next_edge(a, at), edge_b = next_edge(b, at);
		uint64_t end = (edge_a < edge_b ? edge_a : edge_b) + 1;
		bool in_a = a && a->start <= at, in_b = b && b->start <= at;
		struct vmsnap_run absent = { .start = at, .end = end };
		struct vmsnap_run of_a = in_a ? cut(a, at, end, page_size) : absent;
		struct vmsnap_run of_b = in_b ? cut(b, at, end, page_size) : absent;
		if (!alike(&of_a, &of_b))
			rc = add(out, of_b, page_size, most);
		bool end_a = in_a && a->end == end, end_b = in_b && b->end == end;
		if (end_a && end_b)
			pass_alike(&before, &after);
		if (end_a)
			side_step(&before);
		if (end_b)
			side_step(&after);
		at = end;
	}
}

void run_difference_free(struct run_difference *difference)
{
	free(difference->items);
	*difference = (struct run_difference){ 0 };
}

/* ---- reading: one over another -------------------------------------------------------- */

struct laying {
	const struct run_list *low;
	size_t next;   /* of low: those before are done */
	uint64_t from; /* and below this address all of it is */
	uint64_t page_size;
	bool joins; /* runs that go on where the one before ended */
	struct run_list *out;
};

static uint64_t run_last(const struct run *run, uint64_t page_size)
{
	return run_start(run) + run_pages(run) * page_size - 1;
}

/* For out there is room, so that a run that does not go on where the last one ended is only put down; and whether it
 * does is asked when a snapshot is made of all, not each time that two of a chain are joined. */
static inline int put_run(struct laying *laying, const struct run *run)
{
	struct run_list *out = laying->out;
	const struct run *last = out->count ? &out->items[out->count - 1] : NULL;
	if (laying->joins && last && run_last(last, laying->page_size) + 1 == run_start(run) &&
	    last->entry + run_pages(last) * entry_step(last->entry) == run->entry)
		return run_list_append(out, laying->page_size, run_start(run), run_pages(run), run->entry);
	out->items[out->count++] = *run;
	return VMSNAP_OK;
}

/* What of a run lies from `from` on, up to and with `last`. */
static inline int put_part(struct laying *laying, const struct run *run, uint64_t from, uint64_t last)
{
	uint64_t start = run_start(run), entry = run->entry, page_size = laying->page_size;
	uint64_t run_ends = run_last(run, page_size);
	if (from <= start && run_ends <= last)
		return put_run(laying, run);
	if (from > start) {
		entry += (from - start) / page_size * entry_step(entry);
		start = from;
	}
	if (last > run_ends)
		last = run_ends;
	if (start > last)
		return VMSNAP_OK;
	return run_list_append(laying->out, page_size, start, (last - start) / page_size + 1, entry);
}

/* The first run of low, from next on, that begins at `limit` or above. */
static size_t first_above(const struct laying *laying, uint64_t limit)
{
	const struct run_list *low = laying->low;
	size_t step = 1, at = laying->next;
	while (at + step < low->count && run_start(&low->items[at + step]) < limit) {
		at += step;
		step *= 2;
	}
	size_t end = at + step < low->count ? at + step : low->count;
	while (at < end) {
		size_t middle = at + (end - at) / 2;
		if (run_start(&low->items[middle]) < limit)
			at = middle + 1;
		else
			end = middle;
	}
	return at;
}

/* The next run of low up to `limit`; if it goes on behind that, it remains the next. */
static inline int put_next(struct laying *laying, uint64_t limit)
{
	const struct run *run = &laying->low->items[laying->next];
	int rc = put_part(laying, run, laying->from, limit - 1);
	laying->next += run_last(run, laying->page_size) < limit;
	return rc;
}

/* All of low up to `limit`: the first and the last run may be cut, those between are as they are. */
static int put_some_low(struct laying *laying, uint64_t limit)
{
	enum { FEW = 4 }; /* to look for where they end takes longer */
	const struct run_list *low = laying->low;
	for (int i = 0; i < FEW; i++) {
		size_t at = laying->next;
		if (at == low->count || run_start(&low->items[at]) >= limit)
			return VMSNAP_OK;
		int rc = put_next(laying, limit);
		if (rc || laying->next == at)
			return rc;
	}
	size_t end = first_above(laying, limit);
	if (laying->next == end)
		return VMSNAP_OK;
	size_t count = end - 1 - laying->next;
	memcpy(laying->out->items + laying->out->count, low->items + laying->next, count * sizeof(struct run));
	laying->out->count += count;
	laying->next += count;
	return put_next(laying, limit);
}

static inline int put_low(struct laying *laying, uint64_t limit)
{
	const struct run_list *low = laying->low;
	bool some = laying->next < low->count && run_start(&low->items[laying->next]) < limit;
	return some ? put_some_low(laying, limit) : VMSNAP_OK;
}

/* Nothing of low counts up to `last`. */
static inline void pass_low(struct laying *laying, uint64_t last)
{
	const struct run_list *low = laying->low;
	while (laying->next < low->count && run_last(&low->items[laying->next], laying->page_size) <= last)
		laying->next++;
	laying->from = last + 1;
}

size_t runs_laid_most(const struct run_list *low, const struct run_list *high)
{
	/* A run over the middle of another makes three of one. */
	return low->count + 2 * high->count + 1;
}

int runs_lay_over(const struct run_list *low, const struct run_list *high, uint64_t page_size, bool absent,
                  struct run_list *out, struct work *work)
{
	size_t most = runs_laid_most(low, high);
	struct laying laying = { .low = low, .page_size = page_size, .joins = !absent, .out = out };
	int rc = work_charge(work, most * sizeof(struct run));
	if (rc)
		return rc;
	if (most > out->capacity)
		run_list_free(out); /* what is in it need not be copied */
	out->count = 0;
	rc = run_list_reserve(out, most, false);
	for (size_t i = 0; !rc && i < high->count; i++) {
		const struct run *run = &high->items[i];
		rc = put_low(&laying, run_start(run));
		if (!rc && (run->entry || absent))
			rc = put_run(&laying, run);
		pass_low(&laying, run_last(run, page_size));
		rc = rc ? rc : work_step(work);
	}
	rc = rc ? rc : put_low(&laying, UINT64_MAX);
	if (rc)
		work_release(work, most * sizeof(struct run));
	return rc;
}

/* ---- many over each other ----------------------------------------------------------------- */

void run_layers_expect(struct run_layers *layers, size_t runs, size_t base)
{
	enum { MOST = 1 << 15 }; /* more of it would be given back each time, and not be used again */
	const struct run_list all = { .count = runs }, low = { .count = base };
	if (runs < MOST && base < MOST && !run_list_reserve(&layers->all, runs + base, false))
		(void)run_list_reserve(&layers->joined, runs_laid_most(&low, &all), false);
}

static int put_last(struct run_layers *layers, const struct run_list *list)
{
	struct run_list *all = &layers->all;
	size_t need = all->count + list->count;
	if (need > all->capacity && run_list_reserve(all, need + need / 2, false))
		return VMSNAP_ERR_NO_MEMORY;
	if (list->count)
		memcpy(all->items + all->count, list->items, list->count * sizeof(*list->items));
	return VMSNAP_OK;
}

/* The oldest, which is not one of them any more but stays where it is. */
static struct run_list take_last(struct run_layers *layers)
{
	size_t count = layers->counts[--layers->count];
	layers->all.count -= count;
	return (struct run_list){ layers->all.items + layers->all.count, count, count };
}

/* The two oldest. */
static int join_last(struct run_layers *layers)
{
	struct run_list low = take_last(layers), high = take_last(layers);
	size_t counted = runs_laid_most(&low, &high), both = low.count + high.count;
	int rc = runs_lay_over(&low, &high, layers->page_size, true, &layers->joined, layers->work);
	if (rc)
		return rc;
	/* The two are counted already; where many were cut there is more now. */
	work_release(layers->work, counted * sizeof(struct run));
	size_t count = layers->joined.count, more = count > both ? (count - both) * sizeof(struct run) : 0;
	rc = work_charge(layers->work, more);
	layers->charged += rc ? 0 : more;
	rc = rc ? rc : put_last(layers, &layers->joined);
	layers->all.count += rc ? 0 : count;
	layers->counts[layers->count++] = rc ? 0 : count;
	return rc;
}

int run_layers_add(struct run_layers *layers, const struct run_list *older, uint64_t charged)
{
	const size_t *counts = layers->counts;
	layers->charged += charged;
	int rc = put_last(layers, older);
	if (rc)
		return rc;
	layers->all.count += older->count;
	layers->counts[layers->count++] = older->count;
	while (!rc && layers->count > 1 &&
	       (layers->count == RUN_LAYERS || 2 * counts[layers->count - 1] > counts[layers->count - 2]))
		rc = join_last(layers);
	return rc;
}

/* Those that the base is larger than are made one first, and are laid over it together. */
int run_layers_finish(struct run_layers *layers, const struct run_list *base, struct run_list *out)
{
	struct run_list low = *base, none = { 0 };
	int rc = VMSNAP_OK;
	while (!rc && layers->count > 1 && layers->counts[layers->count - 2] < base->count)
		rc = join_last(layers);
	do {
		struct run_list high = layers->count ? take_last(layers) : none;
		size_t counted = runs_laid_most(&low, &high);
		rc = rc ? rc : runs_lay_over(&low, &high, layers->page_size, false, &layers->joined, layers->work);
		if (rc || !layers->count)
			break;
		work_release(layers->work, counted * sizeof(struct run));
		uint64_t kept = layers->joined.count * sizeof(struct run);
		rc = work_charge(layers->work, kept);
		layers->charged += rc ? 0 : kept;
		rc = rc ? rc : put_last(layers, &layers->joined);
		low = layers->joined;
		low.items = layers->all.items + layers->all.count;
	} while (!rc);
	if (!rc) {
		*out = layers->joined;
		layers->joined = none;
		if (out->count < out->capacity / 2)
			run_list_trim(out);
	}
	return rc;
}

void run_layers_free(struct run_layers *layers)
{
	work_release(layers->work, layers->charged);
	run_list_free(&layers->all);
	run_list_free(&layers->joined);
	layers->charged = 0;
}
