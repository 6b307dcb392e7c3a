#include "same_runs.h"

int same_runs_note(struct same_runs *same, const struct run *a, const struct run *b, size_t count, struct work *work)
{
	int rc = VMSNAP_OK;
	if (count < SAME_LEAST)
		return rc;
	if (!WORK_ROOM(work, same->items, same->count, &same->capacity, &rc))
		return rc;
	same->items[same->count++] = (struct same_stretch){ a, b, count };
	return rc;
}

void same_runs_free(struct same_runs *same, struct work *work)
{
	work_free(work, same->items, same->capacity, sizeof(*same->items));
	*same = (struct same_runs){ 0 };
}

/* How many of a stretch end below `end`, from so many on that do.  Most ranges are short. */
static size_t runs_below(const struct same_stretch *stretch, size_t from, unsigned shift, uint64_t end)
{
	size_t low = from, high = from, step = 4;
	for (; high < stretch->count && run_last(&stretch->a[high], shift) < end; step *= 2) {
		low = high + 1;
		high = high + step;
	}
	high = high < stretch->count ? high : stretch->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (run_last(&stretch->a[middle], shift) < end)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first stretch that the cursor is not beyond. */
static const struct same_stretch *stretch_at(const struct same_runs *same, size_t *next, const struct run_cursor *a)
{
	while (*next < same->count && same->items[*next].a + same->items[*next].count <= a->run)
		++*next;
	return *next < same->count ? &same->items[*next] : NULL;
}

uint64_t same_runs_skip(const struct same_runs *same, size_t *next, struct run_cursor *a, struct run_cursor *b,
                        uint64_t at, uint64_t end)
{
	run_cursor_pass(a, at);
	run_cursor_pass(b, at);
	const struct same_stretch *stretch = stretch_at(same, next, a);
	/* Up to where it begins, if it is ahead; in it, to where it ends, if both sides are at one place in it. */
	if (stretch && a->run < stretch->a && run_start(stretch->a) < end)
		run_cursors_skip_equal(a, b, at, run_start(stretch->a));
	if (stretch && a->run >= stretch->a && a->run - stretch->a == b->run - stretch->b) {
		size_t passed = (size_t)(a->run - stretch->a);
		size_t more = runs_below(stretch, passed, a->shift, end) - passed;
		a->run += more;
		b->run += more;
	}
	return run_cursors_skip_equal(a, b, at, end);
}
