#include "move_candidates.h"

#include <string.h>

#include "backing.h"
#include "sorted.h"

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* ---- places ------------------------------------------------------------------------- */

/* Index of the first range that ends after address. */
static size_t unmatched_find(const struct unmatched_list *unmatched, uint64_t at)
{
	return SORTED_ABOVE(struct unmatched, end, unmatched->items, unmatched->count, at);
}

static void lower(uint64_t *until, uint64_t edge)
{
	if (edge < *until)
		*until = edge;
}

bool place_find(const struct vmsnap *snap, const struct unmatched_list *unmatched, uint64_t at, uint64_t *until,
                struct place *out)
{
	size_t vma = snapshot_vma_find(snap, at), index = unmatched_find(unmatched, at);
	*out = (struct place){ .vma = vma };
	if (vma == snap->vma_count)
		return false;
	out->start = snap->vmas[vma].start;
	bool mapped = snap->vmas[vma].start <= at;
	lower(until, mapped ? snap->vmas[vma].end : snap->vmas[vma].start);
	if (index < unmatched->count) {
		bool inside = unmatched->items[index].start <= at;
		out->unmatched = inside ? index + 1 : 0;
		out->start = inside ? unmatched->items[index].start : out->start;
		lower(until, inside ? unmatched->items[index].end : unmatched->items[index].start);
	}
	return mapped;
}

static void bounds_of(const struct vmsnap *snap, const struct unmatched_list *unmatched, struct place place,
                      uint64_t *start, uint64_t *end)
{
	*start = place.unmatched ? unmatched->items[place.unmatched - 1].start : snap->vmas[place.vma].start;
	*end = place.unmatched ? unmatched->items[place.unmatched - 1].end : snap->vmas[place.vma].end;
}

void candidate_extend(struct candidate *candidate, const struct vmsnap *a, const struct unmatched_list *lost,
                      const struct vmsnap *b, const struct unmatched_list *gained)
{
	uint64_t start_a, end_a, start_b, end_b, at = candidate->seen_start, at_a = at + candidate->distance;
	bounds_of(a, lost, candidate->from, &start_a, &end_a);
	bounds_of(b, gained, candidate->to, &start_b, &end_b);
	uint64_t before = at_a - start_a < at - start_b ? at_a - start_a : at - start_b;
	uint64_t after = end_a - at_a < end_b - at ? end_a - at_a : end_b - at;
	candidate->start = at - before;
	candidate->length = before + after;
}

/* ---- lists -------------------------------------------------------------------------- */

int candidate_add(struct candidates *list, const struct candidate *candidate, struct work *work)
{
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(work, list->items, list->count, &list->capacity, &rc))
		return rc;
	list->items[list->count++] = *candidate;
	return rc;
}

void candidates_free(struct candidates *list, struct work *work)
{
	work_free(work, list->items, list->capacity, sizeof(*list->items));
	*list = (struct candidates){ 0 };
}

static int by_seen(const void *x, const void *y, const void *ctx)
{
	const struct candidate *a = x, *b = y;
	(void)ctx;
	return compare(b->seen, a->seen);
}

int candidates_by_seen(struct candidates *list, struct work *work)
{
	return work_sort(work, list->items, list->count, sizeof(*list->items), by_seen, NULL);
}

/* ---- ranges of one size, or of one file --------------------------------------------- */

struct key {
	const char *special; /* "[vdso]" and such have no file, but a name of their own */
	uint64_t inode, offset, size, start;
	uint32_t major, minor;
	bool shared, taken;
	struct place place;
};
struct keys {
	struct key *items;
	size_t count, room;
};

static int compare_place(const struct key *a, const struct key *b)
{
	int order = strcmp(a->special, b->special);
	order = order ? order : compare(a->major, b->major);
	order = order ? order : compare(a->minor, b->minor);
	order = order ? order : compare(a->inode, b->inode);
	order = order ? order : compare(a->shared, b->shared);
	return order ? order : compare(a->offset, b->offset);
}

static int compare_place_and_size(const struct key *a, const struct key *b)
{
	int order = compare_place(a, b);
	return order ? order : compare(a->size, b->size);
}

static int compare_keys(const void *x, const void *y, const void *ctx)
{
	const struct key *a = x, *b = y;
	(void)ctx;
	int order = compare_place_and_size(a, b);
	return order ? order : compare(a->start, b->start);
}

static struct key key_of(const struct vmsnap_vma *vma, const struct unmatched_list *unmatched, size_t index, bool plain)
{
	const struct unmatched *range = &unmatched->items[index];
	struct key key = { .special = "",
		           .size = range->end - range->start,
		           .start = range->start,
		           .shared = vma->perms & VMSNAP_PERM_SHARED,
		           .place = { range->vma, index + 1, range->start } };
	if (plain)
		return key;
	key.special = vma_is_anonymous(vma) ? vma->name : "";
	key.inode = vma->inode;
	key.offset = vma->offset + (range->start - vma->start);
	key.major = vma->dev_major;
	key.minor = vma->dev_minor;
	return key;
}

/* The keys of all ranges that are plain memory, or of all that are not, sorted. */
static int take_keys(const struct vmsnap *snap, const struct unmatched_list *unmatched, bool plain, struct work *work,
                     struct keys *out)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; i < unmatched->count; i++)
		out->room += vma_is_plain(&snap->vmas[unmatched->items[i].vma]) == plain;
	out->items = work_array(work, out->room, sizeof(*out->items), &rc);
	for (size_t i = 0; !rc && i < unmatched->count; i++) {
		const struct vmsnap_vma *vma = &snap->vmas[unmatched->items[i].vma];
		if (vma_is_plain(vma) == plain)
			out->items[out->count++] = key_of(vma, unmatched, i, plain);
	}
	return rc ? rc : work_sort(work, out->items, out->count, sizeof(*out->items), compare_keys, NULL);
}

static int add_pair(struct key *a, struct key *b, bool plain, struct work *work, struct candidates *out)
{
	uint64_t length = a->size < b->size ? a->size : b->size;
	struct candidate candidate = { .from = a->place,
		                       .to = b->place,
		                       .distance = a->start - b->start,
		                       .start = b->start,
		                       .length = length,
		                       .seen_start = b->start,
		                       .seen_end = b->start + length,
		                       .file = !plain,
		                       .by_shape = plain };
	a->taken = b->taken = true;
	return candidate_add(out, &candidate, work);
}

/* Pairs off equal keys in order of address. */
static int pair_keys(const struct keys *of_a, const struct keys *of_b, bool plain,
                     int (*order_of)(const struct key *, const struct key *), struct work *work, struct candidates *out)
{
	struct key *a = of_a->items, *b = of_b->items;
	size_t i = 0, j = 0;
	int rc = VMSNAP_OK;
	while (!rc && i < of_a->count && j < of_b->count) {
		if (a[i].taken) {
			i++;
			continue;
		}
		int order = b[j].taken ? 1 : order_of(&a[i], &b[j]);
		if (!order)
			rc = add_pair(&a[i], &b[j], plain, work, out);
		i += order <= 0;
		j += order >= 0;
		rc = rc ? rc : work_step(work);
	}
	return rc;
}

static int pair_parts(const struct vmsnap *a, const struct unmatched_list *lost, const struct vmsnap *b,
                      const struct unmatched_list *gained, bool plain, struct work *work, struct candidates *out)
{
	struct keys of_a = { 0 }, of_b = { 0 };
	int rc = take_keys(a, lost, plain, work, &of_a);
	rc = rc ? rc : take_keys(b, gained, plain, work, &of_b);
	/* First those of one size: several views of a file need not be confused. */
	rc = rc ? rc : pair_keys(&of_a, &of_b, plain, compare_place_and_size, work, out);
	if (!rc && !plain)
		rc = pair_keys(&of_a, &of_b, plain, compare_place, work, out);
	work_free(work, of_a.items, of_a.room, sizeof(*of_a.items));
	work_free(work, of_b.items, of_b.room, sizeof(*of_b.items));
	return rc;
}

int candidates_of_files(const struct vmsnap *a, const struct unmatched_list *lost, const struct vmsnap *b,
                        const struct unmatched_list *gained, struct work *work, struct candidates *out)
{
	return lost->count && gained->count ? pair_parts(a, lost, b, gained, false, work, out) : VMSNAP_OK;
}

int candidates_of_shapes(const struct vmsnap *a, const struct unmatched_list *lost, const struct vmsnap *b,
                         const struct unmatched_list *gained, struct work *work, struct candidates *out)
{
	return lost->count && gained->count ? pair_parts(a, lost, b, gained, true, work, out) : VMSNAP_OK;
}

/* ---- without overlaps --------------------------------------------------------------- */

static int by_start(const void *x, const void *y, const void *ctx)
{
	const struct candidate *a = x, *b = y;
	(void)ctx;
	return compare(a->start, b->start);
}

static int by_start_in_a(const void *x, const void *y, const void *ctx)
{
	const struct candidate *a = x, *b = y;
	(void)ctx;
	return compare(a->start + a->distance, b->start + b->distance);
}

/* How far an address of B is on the axis on which they must not overlap. */
static uint64_t on_axis(const struct candidate *candidate, uint64_t at, bool in_a)
{
	return in_a ? at + candidate->distance : at;
}

static void cut_start(struct candidate *candidate, uint64_t by)
{
	by = by < candidate->length ? by : candidate->length;
	candidate->start += by;
	candidate->length -= by;
}

/* Cuts two that overlap where the frames of the one end or the other begins; false if they
 * lie among each other. */
static bool cut(struct candidate *first, struct candidate *second, bool in_a)
{
	uint64_t end = on_axis(first, first->seen_end, in_a), start = on_axis(second, second->seen_start, in_a);
	if (end > start)
		return false;
	uint64_t begins = on_axis(second, second->start, in_a), border = begins > end ? begins : end;
	cut_start(second, border - begins);
	first->length = border - on_axis(first, first->start, in_a);
	return true;
}

/* Parts of one mapping that went the same way, as one or, where only one of them is sure, one
 * beside the other.  false: they are not. */
static bool join(struct candidate *first, struct candidate *second)
{
	if (first->distance != second->distance || first->from.vma != second->from.vma ||
	    first->to.vma != second->to.vma)
		return false;
	uint64_t end = first->start + first->length, end_of_second = second->start + second->length;
	if (first->sure && !second->sure) {
		cut_start(second, end - second->start);
	} else if (second->sure && !first->sure) {
		first->length = second->start - first->start;
	} else {
		first->length = (end > end_of_second ? end : end_of_second) - first->start;
		first->seen += second->seen;
		first->seen_end = first->seen_end > second->seen_end ? first->seen_end : second->seen_end;
		second->length = 0;
	}
	return true;
}

/* Of those, sorted by where they begin, that lie among each other the one with the most pages
 * seen stays. */
static void part_on(struct candidates *list, bool in_a)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		struct candidate next = list->items[i];
		while (kept && next.length) {
			struct candidate *last = &list->items[kept - 1];
			if (on_axis(last, last->start + last->length, in_a) <= on_axis(&next, next.start, in_a) ||
			    join(last, &next) || cut(last, &next, in_a))
				break;
			if (last->sure != next.sure ? last->sure : last->seen >= next.seen)
				next.length = 0;
			else
				kept--;
		}
		if (next.length)
			list->items[kept++] = next;
	}
	list->count = kept;
}

int candidates_separate(struct candidates *list, struct work *work)
{
	int rc = work_sort(work, list->items, list->count, sizeof(*list->items), by_start, NULL);
	if (rc)
		return rc;
	part_on(list, false);
	rc = work_sort(work, list->items, list->count, sizeof(*list->items), by_start_in_a, NULL);
	if (!rc)
		part_on(list, true);
	return rc;
}
