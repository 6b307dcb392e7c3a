#include "name_sweep.h"

#include <stdlib.h>

#include "error.h"

static bool ends_first(const struct swept *a, const struct swept *b)
{
	return a->end < b->end;
}

static bool says_more(const struct swept *a, const struct swept *b)
{
	int order = name_order(&a->name, &b->name);
	return order ? order < 0 : a < b;
}

void name_sweep_init(struct name_sweep *sweep, const struct naming *naming, struct work *work, uint64_t page_size,
                     name_sweep_fn fn, void *ctx)
{
	*sweep = (struct name_sweep){ .naming = naming, .work = work, .page_size = page_size, .fn = fn, .ctx = ctx };
	sweep->ends.before = ends_first;
	sweep->best.before = says_more;
}

static void heaps_free(struct name_sweep *sweep)
{
	work_free(sweep->work, sweep->ends.indexes, sweep->heap_room, sizeof(size_t));
	work_free(sweep->work, sweep->best.indexes, sweep->heap_room, sizeof(size_t));
	sweep->ends.indexes = sweep->best.indexes = NULL;
}

void name_sweep_free(struct name_sweep *sweep)
{
	work_free(sweep->work, sweep->items, sweep->room, sizeof(*sweep->items));
	heaps_free(sweep);
}

/* ---- the names of a range ---------------------------------------------------------- */

static bool grow(struct name_sweep *sweep)
{
	sweep->rc = work_step(sweep->work);
	return WORK_ROOM(sweep->work, sweep->items, sweep->count, &sweep->room, &sweep->rc);
}

static bool collect(void *ctx, const struct vmsnap_name *name)
{
	struct name_sweep *sweep = ctx;
	uint64_t page = sweep->page_size;
	/* Of a name whose size is not known, where it begins is. */
	uint64_t size = name->size ? name->size : 1;
	uint64_t first = name->address > sweep->start ? name->address : sweep->start;
	uint64_t last = size - 1 > UINT64_MAX - name->address ? UINT64_MAX : name->address + size - 1;
	if (!name->symbol)
		return true;
	if (last < first)
		last = first;
	if (last > sweep->end - 1)
		last = sweep->end - 1;
	if (!grow(sweep))
		return false;
	first -= first % page;
	last -= last % page;
	uint64_t end = last < UINT64_MAX - page ? last + page : UINT64_MAX;
	sweep->items[sweep->count++] = (struct swept){ .name = *name, .start = first, .end = end };
	return true;
}

static int by_start(const void *a, const void *b, const void *ctx)
{
	const struct swept *x = a, *y = b;
	(void)ctx;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->name.address > y->name.address) - (x->name.address < y->name.address);
}

/* ---- heaps ----------------------------------------------------------------------------- */

/* For so many names as there are. */
static int heaps_reset(struct name_sweep *sweep)
{
	int rc = VMSNAP_OK;
	heaps_free(sweep);
	sweep->heap_room = sweep->count;
	sweep->ends.indexes = work_array(sweep->work, sweep->count, sizeof(size_t), &rc);
	sweep->best.indexes = work_array(sweep->work, sweep->count, sizeof(size_t), &rc);
	sweep->ends.count = sweep->best.count = 0;
	return rc;
}

static bool above(const struct swept_heap *heap, const struct swept *items, size_t a, size_t b)
{
	return heap->before(&items[heap->indexes[a]], &items[heap->indexes[b]]);
}

static void exchange(struct swept_heap *heap, size_t a, size_t b)
{
	size_t index = heap->indexes[a];
	heap->indexes[a] = heap->indexes[b];
	heap->indexes[b] = index;
}

static void push(struct swept_heap *heap, const struct swept *items, size_t index)
{
	size_t at = heap->count++;
	heap->indexes[at] = index;
	for (; at && above(heap, items, at, (at - 1) / 2); at = (at - 1) / 2)
		exchange(heap, at, (at - 1) / 2);
}

static size_t pop(struct swept_heap *heap, const struct swept *items)
{
	size_t index = heap->indexes[0], at = 0, child;
	heap->indexes[0] = heap->indexes[--heap->count];
	while ((child = 2 * at + 1) < heap->count) {
		if (child + 1 < heap->count && above(heap, items, child + 1, child))
			child++;
		if (!above(heap, items, child, at))
			break;
		exchange(heap, at, child);
		at = child;
	}
	return index;
}

void name_sweep_top(struct name_sweep *sweep, struct top_names *top)
{
	size_t best[LINE_NAMES], count = 0;
	top_names_init(top, sweep->naming);
	while (count < LINE_NAMES && sweep->best.count) {
		size_t index = pop(&sweep->best, sweep->items);
		if (sweep->items[index].end <= sweep->at)
			continue;
		top->best[top->kept++] = sweep->items[index].name;
		best[count++] = index;
	}
	while (count)
		push(&sweep->best, sweep->items, best[--count]);
	top->total = sweep->ends.count;
}

/* ---- the sweep ------------------------------------------------------------------------ */

/* Forgets names that ended, before they are many more than those that did not. */
static void drop_ended(struct name_sweep *sweep)
{
	struct swept_heap *best = &sweep->best;
	size_t count = best->count;
	if (count < 64 || count / 2 < sweep->ends.count)
		return;
	best->count = 0;
	for (size_t i = 0; i < count; i++)
		if (sweep->items[best->indexes[i]].end > sweep->at)
			push(best, sweep->items, best->indexes[i]);
}

static void begin(struct name_sweep *sweep, size_t *next)
{
	for (; *next < sweep->count && sweep->items[*next].start == sweep->at; ++*next) {
		push(&sweep->ends, sweep->items, *next);
		push(&sweep->best, sweep->items, *next);
	}
}

static uint64_t first_end(const struct name_sweep *sweep)
{
	return sweep->items[sweep->ends.indexes[0]].end;
}

static void sweep_names(struct name_sweep *sweep)
{
	size_t next = 0;
	while (next < sweep->count || sweep->ends.count) {
		if (!sweep->ends.count)
			sweep->at = sweep->items[next].start;
		begin(sweep, &next);
		uint64_t end = first_end(sweep);
		if (next < sweep->count && sweep->items[next].start < end)
			end = sweep->items[next].start;
		sweep->fn(sweep->ctx, sweep, sweep->at, end);
		for (sweep->at = end; sweep->ends.count && first_end(sweep) <= end;)
			pop(&sweep->ends, sweep->items);
		drop_ended(sweep);
	}
}

/* The range that waits. */
static int flush(struct name_sweep *sweep, struct vmsnap_error *err)
{
	sweep->count = 0;
	if (!sweep->naming->names || sweep->start >= sweep->end)
		return VMSNAP_OK;
	int rc = vmsnap_names_in(sweep->naming->names, sweep->start, sweep->end, collect, sweep, err);
	if (rc && rc != VMSNAP_ERR_NOT_FOUND)
		return rc;
	rc = sweep->rc;
	if (!sweep->count && !rc)
		return VMSNAP_OK;
	rc = rc ? rc : heaps_reset(sweep);
	/* Names come by address, so that hardly ever anything is left to be sorted. */
	rc = rc ? rc : work_sort(sweep->work, sweep->items, sweep->count, sizeof(*sweep->items), by_start, NULL);
	if (rc)
		return work_fail(sweep->work, rc, err);
	sweep_names(sweep);
	return VMSNAP_OK;
}

int name_sweep_add(struct name_sweep *sweep, uint64_t start, uint64_t end, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	if (sweep->start < sweep->end && sweep->end == start) {
		sweep->end = end;
		return rc;
	}
	rc = flush(sweep, err);
	sweep->start = start;
	sweep->end = end;
	return rc;
}

int name_sweep_finish(struct name_sweep *sweep, struct vmsnap_error *err)
{
	int rc = flush(sweep, err);
	sweep->start = sweep->end = 0;
	return rc;
}
