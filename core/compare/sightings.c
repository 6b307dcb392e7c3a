#include "sightings.h"

#include <string.h>

#include "fault_bound.h"
#include "moves_count.h"
#include "own_page.h"
#include "place_filter.h"
#include "walk.h"

/* Pages of one side that do not lie there in the other, and that the other has nothing like in
 * their place; or something else lies there that was hardly copied from them: nobody else had
 * them, or others have what is there.  Of what moved, at least one end is such a range.  What was
 * copied in place, which may be all there is, is only looked for among them. */
struct frame_range {
	uint64_t place, address, pages; /* own_page_place() of the first */
	uint64_t found;                 /* pages of it that were found on the other side */
	bool made;                      /* it is of the later side, and counted as made by faults */
};
struct frame_ranges {
	struct frame_range *items;
	size_t count, capacity;
};

struct source {
	size_t range; /* of A, or, above those, of B */
	bool made;    /* its pages are counted as made by faults */
};

/* Entries of both sides at one place that are not the same. */
struct difference {
	uint64_t at, pages, a, b;
};
struct differences {
	struct difference *items;
	size_t count, capacity;
};

struct finding {
	const struct sightings_search *search;
	bool b_is_later;
	bool by_kernel; /* it may have given pages other frames without a fault */
	unsigned shift;
	struct work *work;
	struct differences differences; /* that have a page which is sought */
	struct place_filter of_a, of_b; /* where those pages are */
	struct frame_ranges in_a, in_b;
	struct fault_bound bound;
	struct same_runs *same;
	size_t next_unmatched;
	uint64_t looks; /* that are left: crafted runs could each match all ranges */
	struct sightings *out;
	size_t capacity;
	struct source *sources; /* of each sighting */
};
enum { LOOKS_EACH = 64 };

static bool is_sought(const struct finding *f, uint64_t entry)
{
	return own_page(entry) && !(f->search->shared_only && own_page_exclusive(entry));
}

static bool is_range_of_a(const struct difference *d)
{
	return !own_page(d->b) || own_page_exclusive(d->a) || !own_page_exclusive(d->b);
}

static bool is_range_of_b(const struct difference *d)
{
	return !own_page(d->a) || !own_page_exclusive(d->b);
}

/* ---- where they differ ------------------------------------------------------------- */

/* Both sides, from one difference to the next. */
struct differing {
	struct run_cursor a, b;
	uint64_t at;
};

/* Passes over what is the same to the bit, which is noted: most is. */
static int skip_same(struct finding *f, struct differing *walk)
{
	run_cursor_pass(&walk->a, walk->at);
	run_cursor_pass(&walk->b, walk->at);
	const struct run *a = walk->a.run, *b = walk->b.run;
	walk->at = run_cursors_skip_equal(&walk->a, &walk->b, walk->at, UINT64_MAX);
	return same_runs_note(f->same, a, b, (size_t)(walk->a.run - a), f->work);
}

/* Passes over what is the same for our purpose, but only some at a time: then it may be the same to the bit again. */
static bool skip_alike(struct differing *walk)
{
	enum { RUNS_AT_ONCE = 64 };
	const uint64_t flags = ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_SOFT_DIRTY | VMSNAP_PAGE_HUGE);
	const struct run *a = walk->a.run, *b = walk->b.run;
	if (a == walk->a.end || b == walk->b.end || run_differs(a, b, flags))
		return false;
	uint64_t until = walk->a.end - a > RUNS_AT_ONCE ? run_start(&a[RUNS_AT_ONCE]) : UINT64_MAX;
	walk->at = run_cursors_skip_alike(&walk->a, &walk->b, walk->at, until, flags);
	return walk->a.run > a;
}

/* False at the end, and after a failure. */
static bool difference_next(struct finding *f, struct differing *walk, struct difference *d, int *rc)
{
	while (!*rc && walk->at != UINT64_MAX) {
		uint64_t until = UINT64_MAX;
		do
			*rc = skip_same(f, walk);
		while (!*rc && skip_alike(walk));
		*d = (struct difference){ .at = walk->at };
		d->a = run_cursor_entry(&walk->a, d->at, &until);
		d->b = run_cursor_entry(&walk->b, d->at, &until);
		/* Of the last page the end is not told. */
		d->pages = ((until - 1 - d->at) >> f->shift) + 1;
		walk->at = until;
		*rc = *rc ? *rc : work_step(f->work);
		if ((d->a | d->b) && !own_page_same(d->a, d->b))
			return !*rc;
	}
	return false;
}

static struct differing differing_begin(const struct finding *f)
{
	f->same->count = 0;
	return (struct differing){ .a = run_cursor_at(f->search->a, 0), .b = run_cursor_at(f->search->b, 0) };
}

/* Whether more is new than page faults were taken for.  Else nothing is looked for: each page that is in another
 * place may be a new one in a frame that was given out again, and this is how memory is written. */
static int find_unexplained(struct finding *f, bool *yes)
{
	struct fault_bound bound = fault_bound_begin(f->search->later);
	struct differing walk = differing_begin(f);
	int rc = VMSNAP_OK;
	*yes = false;
	for (struct difference d; !*yes && difference_next(f, &walk, &d, &rc);) {
		fault_bound_add(&bound, d.at, d.pages, f->b_is_later ? d.b : d.a);
		*yes = bound.faults > f->search->faults;
	}
	return rc;
}

/* ---- first: the ranges, and what other pages took --------------------------------- */

/* Whether the later side has a page that it took a fault to make.  That one which nobody else had
 * is in another frame now may be the kernel's doing. */
static bool is_made(const struct finding *f, const struct difference *d)
{
	uint64_t before = f->b_is_later ? d->a : d->b, after = f->b_is_later ? d->b : d->a;
	bool moved = own_page(before) && (f->by_kernel || own_page_exclusive(before));
	return own_page(after) && (after & ENTRY_PRESENT) && !moved;
}

static int add_range(const struct finding *f, struct frame_ranges *ranges, const struct difference *d, uint64_t entry)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(f->work, ranges->items, ranges->count, &ranges->capacity, &rc))
		return rc;
	ranges->items[ranges->count++] = (struct frame_range){
		.place = own_page_place(entry), .address = d->at, .pages = d->pages, .made = is_made(f, d)
	};
	return rc;
}

/* Whether any of it is in a range that is new as a mapping; asked in order of address. */
static bool in_unmatched(struct finding *f, uint64_t start, uint64_t last)
{
	const struct unmatched_list *unmatched = f->search->its_unmatched;
	while (f->next_unmatched < unmatched->count && unmatched->items[f->next_unmatched].end <= start)
		f->next_unmatched++;
	return f->next_unmatched < unmatched->count && unmatched->items[f->next_unmatched].start <= last;
}

/* What is of a file, or zero, in a new mapping may have come there with it. */
static void count_faults(struct finding *f, const struct difference *d)
{
	uint64_t before = f->b_is_later ? d->a : d->b, after = f->b_is_later ? d->b : d->a;
	bool read = !(before & ENTRY_POPULATED) && (after & ENTRY_PRESENT) &&
	            (after & ENTRY_FLAG(VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO)) &&
	            !in_unmatched(f, d->at, d->at + (d->pages << f->shift) - 1);
	if (is_made(f, d) || read)
		fault_bound_add(&f->bound, d->at, d->pages, after);
}

static int take_difference(struct finding *f, const struct difference *d)
{
	struct differences *list = &f->differences;
	int rc = VMSNAP_OK;
	count_faults(f, d);
	if (!is_sought(f, d->a) && !is_sought(f, d->b))
		return rc;
	if (!WORK_ROOM(f->work, list->items, list->count, &list->capacity, &rc))
		return rc;
	list->items[list->count++] = *d;
	return rc;
}

static int take_differences(struct finding *f)
{
	struct differing walk = differing_begin(f);
	int rc = VMSNAP_OK;
	for (struct difference d; !rc && difference_next(f, &walk, &d, &rc);)
		rc = take_difference(f, &d);
	return rc;
}

/* Most pages that differ are nowhere on the other side: only the others are sorted. */
static int fill_filters(struct finding *f)
{
	const struct differences *list = &f->differences;
	uint64_t pages = 0;
	for (size_t i = 0; i < list->count; i++)
		pages += list->items[i].pages;
	int rc = place_filter_begin(&f->of_a, pages, f->work);
	rc = rc ? rc : place_filter_begin(&f->of_b, pages, f->work);
	for (size_t i = 0; !rc && i < list->count; i++) {
		const struct difference *d = &list->items[i];
		if (is_sought(f, d->a))
			place_filter_add(&f->of_a, own_page_place(d->a), d->pages);
		if (is_sought(f, d->b))
			place_filter_add(&f->of_b, own_page_place(d->b), d->pages);
		rc = work_step(f->work);
	}
	return rc;
}

/* Whether a page of A may be in B elsewhere, or one of B in A. */
static bool may_be_in_b(const struct finding *f, const struct difference *d)
{
	return is_sought(f, d->a) && place_filter_maybe(&f->of_b, own_page_place(d->a), d->pages);
}

static bool may_be_in_a(const struct finding *f, const struct difference *d)
{
	return is_sought(f, d->b) && place_filter_maybe(&f->of_a, own_page_place(d->b), d->pages);
}

static int add_ranges(struct finding *f)
{
	const struct differences *list = &f->differences;
	int rc = fill_filters(f);
	for (size_t i = 0; !rc && i < list->count; i++) {
		const struct difference *d = &list->items[i];
		if (is_range_of_a(d) && may_be_in_b(f, d))
			rc = add_range(f, &f->in_a, d, d->a);
		if (!rc && is_range_of_b(d) && may_be_in_a(f, d))
			rc = add_range(f, &f->in_b, d, d->b);
		rc = rc ? rc : work_step(f->work);
	}
	return rc;
}

static int by_place(const void *left, const void *right, const void *ctx)
{
	const struct frame_range *a = left, *b = right;
	(void)ctx;
	return (a->place > b->place) - (a->place < b->place);
}

/* Sorts; leaves out ranges that overlap each other. */
static int put_in_order(struct finding *f, struct frame_ranges *ranges)
{
	int rc = work_sort(f->work, ranges->items, ranges->count, sizeof(*ranges->items), by_place, NULL);
	size_t kept = 0;
	uint64_t taken = 0; /* the places below it */
	for (size_t i = 0; !rc && i < ranges->count; i++) {
		struct frame_range range = ranges->items[i];
		uint64_t end = range.place + range.pages;
		bool overlapped = range.place < taken || (i + 1 < ranges->count && ranges->items[i + 1].place < end);
		taken = end > taken ? end : taken;
		if (!overlapped)
			ranges->items[kept++] = range;
	}
	ranges->count = rc ? ranges->count : kept;
	return rc;
}

/* ---- then: where they are on the other side --------------------------------------- */

static size_t range_find(const struct frame_ranges *ranges, uint64_t place)
{
	size_t low = 0, high = ranges->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ranges->items[middle].place + ranges->items[middle].pages <= place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int add_sighting(struct finding *f, struct source source, const struct sighting *seen)
{
	struct sightings *out = f->out;
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(f->work, out->items, out->count, &out->capacity, &rc))
		return rc;
	if (!WORK_ROOM(f->work, f->sources, out->count, &f->capacity, &rc))
		return rc;
	f->sources[out->count] = source;
	out->items[out->count++] = *seen;
	return rc;
}

/* Looks for the pages of an entry among the ranges of the other side. */
static int look_among(struct finding *f, struct frame_ranges *ranges, bool ranges_of_a, const struct difference *d,
                      uint64_t entry)
{
	uint64_t place = own_page_place(entry), end = place + d->pages;
	int rc = VMSNAP_OK;
	for (size_t i = range_find(ranges, place); !rc && f->looks && i < ranges->count; i++) {
		struct frame_range *range = &ranges->items[i];
		uint64_t first = range->place > place ? range->place : place;
		uint64_t last = range->place + range->pages < end ? range->place + range->pages : end;
		if (first >= last)
			break;
		f->looks--;
		range->found += last - first;
		uint64_t there = range->address + ((first - range->place) << f->shift);
		uint64_t here = d->at + ((first - place) << f->shift);
		struct sighting seen = { ranges_of_a ? there : here, ranges_of_a ? here : there, last - first };
		bool piece_is_later = ranges_of_a != f->b_is_later;
		struct source source = { .range = ranges_of_a ? i : f->in_a.count + i,
			                 .made = piece_is_later ? range->made : is_made(f, d) };
		if (range->found <= range->pages)
			rc = add_sighting(f, source, &seen);
		rc = rc ? rc : work_step(f->work);
	}
	return rc;
}

static int look_for_all(struct finding *f)
{
	const struct differences *list = &f->differences;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < list->count; i++) {
		const struct difference *d = &list->items[i];
		if (may_be_in_a(f, d))
			rc = look_among(f, &f->in_a, true, d, d->b);
		if (!rc && !is_range_of_a(d) && may_be_in_b(f, d))
			rc = look_among(f, &f->in_b, false, d, d->a);
		rc = rc ? rc : work_step(f->work);
	}
	return rc;
}

/* What was found more often than it is there is in several places.  Returns how many pages that
 * stay are counted as made by faults. */
static uint64_t drop_ambiguous(struct finding *f)
{
	struct sightings *out = f->out;
	size_t kept = 0;
	uint64_t made = 0;
	for (size_t i = 0; i < out->count; i++) {
		size_t index = f->sources[i].range;
		bool of_a = index < f->in_a.count;
		const struct frame_range *range = of_a ? &f->in_a.items[index] : &f->in_b.items[index - f->in_a.count];
		if (range->found > range->pages)
			continue;
		made += f->sources[i].made ? out->items[i].pages : 0;
		out->items[kept++] = out->items[i];
	}
	out->count = kept;
	return made;
}

static int find_all(struct finding *f)
{
	uint64_t made = 0;
	int rc = take_differences(f);
	f->out->faults = f->bound.faults;
	rc = rc || !f->differences.count ? rc : add_ranges(f);
	if (rc || (!f->in_a.count && !f->in_b.count))
		return rc;
	rc = put_in_order(f, &f->in_a);
	rc = rc ? rc : put_in_order(f, &f->in_b);
	rc = rc ? rc : look_for_all(f);
	if (!rc)
		made = drop_ambiguous(f);
	f->out->faults = f->bound.faults > made ? f->bound.faults - made : 0;
	return rc;
}

int sightings_find(const struct sightings_search *search, struct work *work, struct same_runs *same,
                   struct sightings *out)
{
	const struct vmsnap *a = search->a, *b = search->b;
	bool wanted = true;
	struct finding f = { .search = search,
		             .b_is_later = search->later == b,
		             .by_kernel = moves_possible(a->info.page_moves, b->info.page_moves),
		             .shift = walk_page_shift(a),
		             .work = work,
		             .same = same,
		             .out = out,
		             .bound = fault_bound_begin(search->later) };
	f.looks = LOOKS_EACH * ((uint64_t)a->runs.count + b->runs.count + 1);
	*out = (struct sightings){ 0 };
	int rc = search->unexplained_only ? find_unexplained(&f, &wanted) : VMSNAP_OK;
	rc = rc || !wanted ? rc : find_all(&f);
	work_free(work, f.differences.items, f.differences.capacity, sizeof(*f.differences.items));
	place_filter_free(&f.of_a, work);
	place_filter_free(&f.of_b, work);
	work_free(work, f.in_a.items, f.in_a.capacity, sizeof(*f.in_a.items));
	work_free(work, f.in_b.items, f.in_b.capacity, sizeof(*f.in_b.items));
	work_free(work, f.sources, f.capacity, sizeof(*f.sources));
	return rc;
}
