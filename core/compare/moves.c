/* moves.c - which moves there may be, and which of them are facts.  Candidates come from ranges of
 * files (move_candidates.c) and from frames that are seen elsewhere (sightings.c). */
#include "moves.h"

#include <string.h>

#include "backing.h"
#include "facts.h"
#include "move_candidates.h"
#include "move_measure.h"
#include "sightings.h"
#include "walk.h"

/* What all of the search needs. */
struct search {
	const struct vmsnap *a, *b;
	const struct unmatched_list *lost, *gained;
	struct work *work;
	struct moves *out;
	struct candidates candidates;
	struct move_proof proof;
};

/* ---- where frames went ----------------------------------------------------------- */

/* Sightings with one distance, between one unmatched range, or VMA, of A and one of B. */
struct strand {
	struct place from, to;
	uint64_t distance, at, pages; /* at: in B */
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_places(const struct strand *a, const struct strand *b)
{
	int order = compare(a->to.vma, b->to.vma);
	order = order ? order : compare(a->to.unmatched, b->to.unmatched);
	order = order ? order : compare(a->from.vma, b->from.vma);
	order = order ? order : compare(a->from.unmatched, b->from.unmatched);
	return order ? order : compare(a->distance, b->distance);
}

static int compare_strands(const void *x, const void *y, const void *ctx)
{
	const struct strand *a = x, *b = y;
	(void)ctx;
	int order = compare_places(a, b);
	return order ? order : compare(a->at, b->at);
}

/* Plain memory, or the same place of the same file: of several views of it, their own pages tell
 * which is which. */
static bool may_be_one(const struct vmsnap_vma *a, const struct vmsnap_vma *b, uint64_t distance)
{
	struct vmsnap_vma here = *a;
	here.start -= distance;
	return (vma_is_plain(a) || vma_is_private_file(a)) && vma_same_backing(&here, b);
}

/* A sighting that goes over the edge of a place is one strand in each. */
static int add_strands(const struct search *search, const struct sighting *seen, struct strand **items, size_t *count,
                       size_t *room)
{
	unsigned shift = walk_page_shift(search->a);
	int rc = VMSNAP_OK;
	for (uint64_t done = 0, bytes = seen->pages << shift, length; !rc && done < bytes; done += length) {
		struct strand strand = { .distance = seen->from - seen->to, .at = seen->to + done };
		uint64_t until_a = seen->from + bytes, until_b = seen->to + bytes;
		bool both = place_find(search->a, search->lost, seen->from + done, &until_a, &strand.from);
		both &= place_find(search->b, search->gained, seen->to + done, &until_b, &strand.to);
		length = until_a - seen->from < until_b - seen->to ? until_a - seen->from : until_b - seen->to;
		length -= done;
		strand.pages = length >> shift;
		rc = work_step(search->work);
		if (rc || !both ||
		    !may_be_one(&search->a->vmas[strand.from.vma], &search->b->vmas[strand.to.vma], strand.distance))
			continue;
		if (!WORK_ROOM(search->work, *items, *count, room, &rc))
			continue;
		(*items)[(*count)++] = strand;
	}
	return rc;
}

static int strands_to_candidates(struct search *search, const struct strand *strands, size_t count)
{
	unsigned shift = walk_page_shift(search->a);
	int rc = VMSNAP_OK;
	for (size_t i = 0, next; !rc && i < count; i = next) {
		uint64_t pages = 0;
		for (next = i; next < count && !compare_places(&strands[i], &strands[next]); next++)
			pages += strands[next].pages;
		const struct strand *last = &strands[next - 1];
		struct candidate candidate = {
			.from = strands[i].from, .to = strands[i].to, .distance = strands[i].distance, .seen = pages
		};
		candidate.seen_start = strands[i].at;
		candidate.seen_end = last->at + (last->pages << shift);
		candidate_extend(&candidate, search->a, search->lost, search->b, search->gained);
		rc = candidate_add(&search->candidates, &candidate, search->work);
	}
	return rc;
}

/* Frames alone, of memory that is mapped in both where it was, prove a move or say nothing. */
static bool nothing_is_possible(const struct search *search)
{
	return !search->candidates.count && !(search->lost->count && search->gained->count);
}

static int by_from(const void *x, const void *y, const void *ctx)
{
	const struct move *a = x, *b = y;
	(void)ctx;
	return compare(a->from, b->from);
}

static int by_to(const void *x, const void *y, const void *ctx)
{
	const struct move *a = x, *b = y;
	(void)ctx;
	return compare(a->to, b->to);
}

/* ---- what is not believed ---------------------------------------------------------- */

/* What A has not in its place, in a place of which B has something else now. */
static int add_hints(struct search *search, const struct strand *strands, size_t count)
{
	struct move_list *list = &search->out->hinted;
	unsigned shift = walk_page_shift(search->a);
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < count; i++)
		if (strands[i].from.unmatched && strands[i].to.unmatched &&
		    WORK_ROOM(search->work, list->items, list->count, &list->capacity, &rc))
			list->items[list->count++] =
			        (struct move){ .to = strands[i].at, .length = strands[i].pages << shift };
	return rc;
}

/* One page of B may have been seen in several places of A. */
static int sort_hints(struct search *search)
{
	struct move_list *list = &search->out->hinted;
	size_t kept = 0;
	int rc = work_sort(search->work, list->items, list->count, sizeof(*list->items), by_to, NULL);
	for (size_t i = 0; !rc && i < list->count; i++) {
		struct move *last = kept ? &list->items[kept - 1] : NULL;
		uint64_t start = list->items[i].to, end = start + list->items[i].length;
		if (!last || start > last->to + last->length)
			list->items[kept++] = list->items[i];
		else if (end > last->to + last->length)
			last->length = end - last->to;
	}
	list->count = kept;
	return rc;
}

static int find_frames(struct search *search)
{
	const struct move_proof *proof = &search->proof;
	struct sightings_search what = { .a = search->a,
		                         .b = search->b,
		                         .shared_only = !proof->one_line,
		                         .later = proof->later,
		                         .its_unmatched = proof->later == search->b ? search->gained : search->lost,
		                         .unexplained_only = nothing_is_possible(search) };
	struct sightings seen;
	struct strand *strands = NULL;
	size_t count = 0, room = 0;
	what.unexplained_only &= move_proof_by_faults(proof, &what.faults);
	int rc = sightings_find(&what, search->work, &search->out->same, &seen);
	move_proof_spent(&search->proof, seen.faults);
	for (size_t i = 0; !rc && i < seen.count; i++)
		rc = add_strands(search, &seen.items[i], &strands, &count, &room);
	rc = rc ? rc : work_sort(search->work, strands, count, sizeof(*strands), compare_strands, NULL);
	rc = rc ? rc : strands_to_candidates(search, strands, count);
	rc = rc ? rc : add_hints(search, strands, count);
	rc = rc ? rc : sort_hints(search);
	work_free(search->work, strands, room, sizeof(*strands));
	work_free(search->work, seen.items, seen.capacity, sizeof(*seen.items));
	return rc;
}

/* ---- which of them are believed --------------------------------------------------- */

static int add_move(const struct search *search, struct move_list *list, const struct candidate *candidate)
{
	int rc = VMSNAP_OK;
	if (!candidate->length)
		return rc;
	if (!WORK_ROOM(search->work, list->items, list->count, &list->capacity, &rc))
		return rc;
	list->items[list->count++] = (struct move){ .a = candidate->from.vma,
		                                    .b = candidate->to.vma,
		                                    .from = candidate->start + candidate->distance,
		                                    .to = candidate->start,
		                                    .length = candidate->length };
	return rc;
}

static int measure_all(struct search *search, struct candidates *believed)
{
	struct candidates *all = &search->candidates;
	uint64_t looks = move_looks(search->a, search->b, search->lost->count + search->gained->count);
	int rc = candidates_by_seen(all, search->work);
	for (size_t i = 0; !rc && i < all->count; i++) {
		struct candidate *candidate = &all->items[i];
		enum move_belief belief = MOVE_NO;
		rc = move_measure(search->a, search->b, &search->proof, candidate, &looks, search->work, &belief);
		candidate->sure = belief == MOVE_SURE;
		if (!rc && belief != MOVE_NO)
			rc = candidate_add(believed, candidate, search->work);
	}
	return rc;
}

/* What only may have moved is not taken along by what surely did, where it lies beside it. */
static int judge(struct search *search)
{
	struct candidates believed = { 0 };
	struct moves *out = search->out;
	int rc = measure_all(search, &believed);
	rc = rc ? rc : candidates_separate(&believed, search->work);
	for (size_t i = 0; !rc && i < believed.count; i++) {
		const struct candidate *candidate = &believed.items[i];
		rc = add_move(search, candidate->sure ? &out->list : &out->possible, candidate);
	}
	candidates_free(&believed, search->work);
	struct move_list *possible = &out->possible;
	rc = rc ? rc : work_sort(search->work, possible->items, possible->count, sizeof(*possible->items), by_to, NULL);
	return rc ? rc : moves_sort(out, search->work);
}

int moves_find(const struct vmsnap *a, const struct unmatched_list *lost, const struct vmsnap *b,
               const struct unmatched_list *gained, bool at_once, struct work *work, struct moves *out)
{
	struct search search = { .a = a, .b = b, .lost = lost, .gained = gained, .work = work, .out = out };
	search.proof = move_proof_of(a, b, at_once);
	*out = (struct moves){ 0 };
	int rc = candidates_of_files(a, lost, b, gained, work, &search.candidates);
	if (!rc && search.proof.frames)
		rc = find_frames(&search);
	else if (!rc && search.proof.one_line)
		rc = candidates_of_shapes(a, lost, b, gained, work, &search.candidates);
	rc = rc ? rc : judge(&search);
	candidates_free(&search.candidates, work);
	return rc;
}

/* ---- looking them up -------------------------------------------------------------- */

int moves_sort(struct moves *moves, struct work *work)
{
	struct move_list *list = &moves->list;
	int rc = VMSNAP_OK;
	work_free(work, moves->by_to, moves->by_to_count, sizeof(*moves->by_to));
	moves->by_to = NULL;
	moves->by_to_count = list->count;
	if (!list->count)
		return rc;
	moves->by_to = work_array(work, list->count, sizeof(*moves->by_to), &rc);
	if (rc)
		return rc;
	rc = work_sort(work, list->items, list->count, sizeof(*list->items), by_from, NULL);
	memcpy(moves->by_to, list->items, list->count * sizeof(*moves->by_to));
	return rc ? rc : work_sort(work, moves->by_to, list->count, sizeof(*moves->by_to), by_to, NULL);
}

void moves_free(struct moves *moves, struct work *work)
{
	struct work none = { .used = UINT64_MAX };
	work = work ? work : &none;
	work_free(work, moves->list.items, moves->list.capacity, sizeof(*moves->list.items));
	work_free(work, moves->by_to, moves->by_to_count, sizeof(*moves->by_to));
	work_free(work, moves->possible.items, moves->possible.capacity, sizeof(*moves->possible.items));
	work_free(work, moves->hinted.items, moves->hinted.capacity, sizeof(*moves->hinted.items));
	same_runs_free(&moves->same, work);
	*moves = (struct moves){ 0 };
}

static const struct move *find(const struct move *items, size_t count, bool to, uint64_t at, uint64_t *until)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if ((to ? items[middle].to : items[middle].from) + items[middle].length <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == count)
		return NULL;
	uint64_t start = to ? items[low].to : items[low].from;
	uint64_t edge = start <= at ? start + items[low].length : start;
	if (edge < *until)
		*until = edge;
	return start <= at ? &items[low] : NULL;
}

const struct move *moves_from(const struct moves *moves, uint64_t at, uint64_t *until)
{
	return find(moves->list.items, moves->list.count, false, at, until);
}

const struct move *moves_to(const struct moves *moves, uint64_t at, uint64_t *until)
{
	return find(moves->by_to, moves->list.count, true, at, until);
}

bool moves_possibly_to(const struct moves *moves, uint64_t at, uint64_t *until)
{
	bool moved = moves_to(moves, at, until);
	bool possible = find(moves->possible.items, moves->possible.count, true, at, until);
	bool hinted = find(moves->hinted.items, moves->hinted.count, true, at, until);
	return (possible || hinted) && !moved;
}
