/* diff.c - what differs between two snapshots.  The facts of a page are decided
 * in diff_facts.c; here they are gathered into ranges, in a merge walk over the
 * runs of both sides. */
#include <string.h>

#include "compared.h"
#include "diff_facts.h"
#include "diff_walk.h"
#include "error.h"
#include "spare.h"
#include "status_pairs.h"
#include "touched.h"
#include "vma_match.h"

struct vmsnap_diff {
	const struct vmsnap *a, *b;
	struct vma_match match;
	struct vmsnap_diff_range *ranges;
	size_t range_count, range_capacity;
	struct status_pair *status; /* those that differ */
	size_t status_count, status_capacity;
	struct vmsnap_diff_totals totals;
	struct work work;
};

/* The walk.  All addresses are those of B; `shift` further on, A has the page
 * that is compared (it is not 0 within a moved mapping). */
struct walk {
	const struct vmsnap *a, *b;
	struct vmsnap_diff *diff;
	struct run_cursor in_a, in_b;
	struct facts_context known;
	struct touched_list touched_a, touched_b; /* each by its own addresses */
	size_t next_from, next_to;                /* moves not yet passed, by .from and by .to */
};

/* A stretch in which everything but the pages stays the same. */
struct stretch {
	uint64_t start, end;
	uint64_t shift;
	bool away; /* what A has here went elsewhere: nothing to compare with */
	bool executable;
	struct facts_context context;
	const struct vmsnap_vma *vma;
};

static int add_range(struct walk *walk, const struct stretch *stretch, uint64_t start, uint64_t end, uint32_t changes,
                     bool touched)
{
	struct vmsnap_diff *diff = walk->diff;
	struct vmsnap_diff_range *last = diff->range_count ? &diff->ranges[diff->range_count - 1] : NULL;
	if (last && last->end == start && last->changes == changes && last->vma == stretch->vma &&
	    last->executable == stretch->executable && last->touched == touched) {
		last->end = end;
		return VMSNAP_OK;
	}
	int rc = VMSNAP_OK;
	struct vmsnap_diff_range *ranges =
	        work_room(&diff->work, diff->ranges, diff->range_count, &diff->range_capacity, sizeof(*ranges), &rc);
	if (!ranges)
		return rc;
	diff->ranges = ranges;
	ranges[diff->range_count++] = (struct vmsnap_diff_range){ .start = start,
		                                                  .end = end,
		                                                  .changes = changes,
		                                                  .executable = stretch->executable,
		                                                  .touched = touched,
		                                                  .vma = stretch->vma };
	return VMSNAP_OK;
}

/* Whether a debugger wrote to the page at `at`, or in A to the one that it is
 * compared with.  Lowers *until to where that changes. */
static bool touched_here(const struct walk *walk, const struct stretch *stretch, uint64_t at, uint64_t *until)
{
	bool touched = touched_at(&walk->touched_b, at, until);
	if (stretch->away || !walk->touched_a.count)
		return touched;
	uint64_t until_a = *until + stretch->shift;
	touched |= touched_at(&walk->touched_a, at + stretch->shift, &until_a);
	*until = until_a - stretch->shift;
	return touched;
}

/* Pages with the same facts: those that a debugger wrote to become ranges of their own. */
static int add_pages(struct walk *walk, const struct stretch *stretch, uint64_t start, uint64_t end, uint32_t changes)
{
	int rc = VMSNAP_OK;
	for (uint64_t at = start, until; !rc && at < end; at = until) {
		until = end;
		bool touched = touched_here(walk, stretch, at, &until);
		rc = add_range(walk, stretch, at, until, changes, touched);
	}
	return rc;
}

/* Passes over runs that are the same on both sides: most are, and equal entries
 * have no facts. */
static void skip_equal(struct run_cursor *a, struct run_cursor *b, uint64_t end)
{
	const struct run *in_a = a->run, *in_b = b->run;
	while (in_a < a->end && in_b < b->end && in_a->head == in_b->head && in_a->entry == in_b->entry &&
	       run_last(in_a, a->shift) < end) {
		in_a++;
		in_b++;
	}
	a->run = in_a;
	b->run = in_b;
}

/* A's entry for address `at` of B, and until where it holds. */
static uint64_t entry_in_a(struct run_cursor *in_a, const struct stretch *stretch, uint64_t at, uint64_t *until)
{
	if (stretch->away)
		return 0;
	/* The last address is no page's: it needs no shift, and would overflow. */
	uint64_t until_a = stretch->end == UINT64_MAX ? UINT64_MAX : stretch->end + stretch->shift;
	uint64_t entry = run_cursor_entry(in_a, at + stretch->shift, &until_a);
	if (until_a != UINT64_MAX && until_a - stretch->shift < *until)
		*until = until_a - stretch->shift;
	return entry;
}

static int compare_stretch(struct walk *walk, const struct stretch *stretch)
{
	/* Moves go back and forth in A: each has a cursor of its own. */
	struct run_cursor moved, *in_a = &walk->in_a;
	if (stretch->shift) {
		moved = run_cursor_at(walk->a, stretch->start + stretch->shift);
		in_a = &moved;
	}
	int rc = work_step(&walk->diff->work);
	for (uint64_t at = stretch->start, until; !rc && at < stretch->end; at = until) {
		if (!stretch->shift && !stretch->away)
			skip_equal(in_a, &walk->in_b, stretch->end);
		until = stretch->end;
		uint64_t b = run_cursor_entry(&walk->in_b, at, &until);
		uint64_t a = entry_in_a(in_a, stretch, at, &until);
		uint32_t facts = a || b ? page_facts(a, b, &stretch->context) : 0;
		rc = facts ? add_pages(walk, stretch, at, until, facts) : VMSNAP_OK;
		rc = rc ? rc : work_step(&walk->diff->work);
	}
	return rc;
}

/* The move that covers B's address `at`, if any; *end is lowered to where that
 * changes. */
static const struct move *moved_here(struct walk *walk, uint64_t at, uint64_t *end)
{
	const struct vma_match *match = &walk->diff->match;
	size_t *next = &walk->next_to;
	while (*next < match->moves.count && match->moves_to[*next].to + match->moves_to[*next].length <= at)
		++*next;
	if (*next == match->moves.count)
		return NULL;
	const struct move *move = &match->moves_to[*next];
	bool here = move->to <= at;
	uint64_t edge = here ? move->to + move->length : move->to;
	if (edge < *end)
		*end = edge;
	return here ? move : NULL;
}

/* The same for what went away from A's address `at`. */
static bool moved_away(struct walk *walk, uint64_t at, uint64_t *end)
{
	const struct move_list *moves = &walk->diff->match.moves;
	size_t *next = &walk->next_from;
	while (*next < moves->count && moves->items[*next].from + moves->items[*next].length <= at)
		++*next;
	if (*next == moves->count)
		return false;
	const struct move *move = &moves->items[*next];
	bool here = move->from <= at;
	uint64_t edge = here ? move->from + move->length : move->from;
	if (edge < *end)
		*end = edge;
	return here;
}

static struct stretch next_stretch(struct walk *walk, const struct span *span, uint64_t at)
{
	const struct vmsnap_vma *vma_a = span->vma[0], *vma_b = span->vma[1];
	struct stretch out = { .start = at, .end = span->end, .vma = vma_b ? vma_b : vma_a, .context = walk->known };
	const struct move *move = moved_here(walk, at, &out.end);
	if (move) {
		out.shift = move->from - move->to;
		vma_a = &walk->a->vmas[move->a];
	} else if (moved_away(walk, at, &out.end)) {
		out.away = true;
		vma_a = NULL;
	}
	out.executable = ((vma_a ? vma_a->perms : 0) | (vma_b ? vma_b->perms : 0)) & VMSNAP_PERM_EXEC;
	if (vma_b && vma_is_private_file(vma_b)) {
		out.context.private_text = out.executable;
		out.context.same_file = vma_a && (move || vma_same_backing(vma_a, vma_b));
	}
	return out;
}

static int compare_pages(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff *diff)
{
	struct walk walk = { .a = a, .b = b, .diff = diff, .known = facts_context_of(a, b) };
	walk.in_a = run_cursor_at(a, 0);
	walk.in_b = run_cursor_at(b, 0);
	const struct vmsnap *both[] = { a, b };
	struct span_walk spans = span_walk_begin(both, 2);
	int rc = touched_pages(&a, 1, &diff->work, &walk.touched_a);
	rc = rc ? rc : touched_pages(&b, 1, &diff->work, &walk.touched_b);
	for (struct span span; !rc && span_next(&spans, &span);) {
		for (uint64_t at = span.start; !rc && at < span.end;) {
			struct stretch stretch = next_stretch(&walk, &span, at);
			rc = compare_stretch(&walk, &stretch);
			at = stretch.end;
		}
	}
	touched_free(&walk.touched_a, &diff->work);
	touched_free(&walk.touched_b, &diff->work);
	return rc;
}

static void sum_ranges(struct vmsnap_diff *diff, unsigned page_shift)
{
	struct vmsnap_diff_totals *totals = &diff->totals;
	for (size_t i = 0; i < diff->range_count; i++) {
		const struct vmsnap_diff_range *range = &diff->ranges[i];
		uint64_t pages = (range->end - range->start) >> page_shift;
		totals->touched += range->touched ? pages : 0;
		for (uint32_t left = range->changes; left; left &= left - 1) {
			totals->pages[__builtin_ctz(left)] += pages;
			totals->touched_pages[__builtin_ctz(left)] += range->touched ? pages : 0;
		}
		if (range->executable && (range->changes & 1u << VMSNAP_CHANGE_PRIVATISED))
			totals->privatised_executable += pages;
	}
}

static uint64_t count_resident(const struct vmsnap *snap)
{
	uint64_t pages = 0;
	const struct run *end = snap->runs.items ? snap->runs.items + snap->runs.count : NULL;
	for (const struct run *run = snap->runs.items; run < end; run++)
		pages += run->entry & ENTRY_PRESENT ? run_pages(run) : 0;
	return pages;
}

static bool same_text(const struct vmsnap_diff_status *row)
{
	return row->a.key_len && row->b.key_len && row->a.text_len == row->b.text_len &&
	       !memcmp(row->a.text, row->b.text, row->a.text_len);
}

static int add_status(void *ctx, struct status_pair pair)
{
	struct vmsnap_diff *diff = ctx;
	struct vmsnap_diff_status row;
	int rc = VMSNAP_OK;
	status_pair_read(diff->a, diff->b, pair, &row);
	if (same_text(&row))
		return rc;
	struct status_pair *status =
	        work_room(&diff->work, diff->status, diff->status_count, &diff->status_capacity, sizeof(*status), &rc);
	if (!status)
		return rc;
	diff->status = status;
	status[diff->status_count++] = pair;
	return rc;
}

static int compare_all(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff *diff)
{
	int rc = vma_match(a, b, &diff->work, &diff->match);
	rc = rc ? rc : compare_pages(a, b, diff);
	rc = rc ? rc : status_pairs_each(a, b, &diff->work, add_status, diff);
	for (size_t i = 0; i < diff->match.count; i++)
		diff->totals.vmas[diff->match.rows[i].change]++;
	sum_ranges(diff, walk_page_shift(b));
	diff->totals.resident_a = count_resident(a);
	diff->totals.resident_b = count_resident(b);
	return rc;
}

VMSNAP_API int vmsnap_diff_new_with(const struct vmsnap *a, const struct vmsnap *b,
                                    const struct vmsnap_compare_options *options, struct vmsnap_diff **out,
                                    struct vmsnap_error *err)
{
	const struct vmsnap *both[] = { a, b };
	struct work work;
	if (!a || !b || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a diff needs two snapshots");
	int rc = comparable(both, 2, err);
	rc = rc ? rc : work_with(&work, both, 2, options, err);
	if (rc)
		return rc;
	struct vmsnap_diff *diff = calloc(1, sizeof(*diff));
	if (!diff)
		return fail_no_memory(err);
	diff->a = a;
	diff->b = b;
	diff->work = work;
	rc = compare_all(a, b, diff);
	if (rc) {
		vmsnap_diff_free(diff);
		return work_fail(&work, rc, err);
	}
	*out = diff;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_diff_new(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff **out,
                               struct vmsnap_error *err)
{
	return vmsnap_diff_new_with(a, b, NULL, out, err);
}

VMSNAP_API void vmsnap_diff_free(struct vmsnap_diff *diff)
{
	if (!diff)
		return;
	vma_match_free(&diff->match);
	free(diff->ranges);
	free(diff->status);
	free(diff);
}

uint64_t diff_memory_left(const struct vmsnap_diff *diff)
{
	return work_left(&diff->work);
}

VMSNAP_API size_t vmsnap_diff_vma_count(const struct vmsnap_diff *diff)
{
	return diff->match.count;
}

VMSNAP_API int vmsnap_diff_vma(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_vma *out)
{
	if (index >= diff->match.count)
		return VMSNAP_ERR_NOT_FOUND;
	*out = diff->match.rows[index];
	return VMSNAP_OK;
}

VMSNAP_API size_t vmsnap_diff_range_count(const struct vmsnap_diff *diff)
{
	return diff->range_count;
}

VMSNAP_API int vmsnap_diff_range(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_range *out)
{
	if (index >= diff->range_count)
		return VMSNAP_ERR_NOT_FOUND;
	*out = diff->ranges[index];
	return VMSNAP_OK;
}

VMSNAP_API const struct vmsnap *vmsnap_diff_a(const struct vmsnap_diff *diff)
{
	return diff->a;
}

VMSNAP_API const struct vmsnap *vmsnap_diff_b(const struct vmsnap_diff *diff)
{
	return diff->b;
}

VMSNAP_API const struct vmsnap_diff_totals *vmsnap_diff_totals(const struct vmsnap_diff *diff)
{
	return &diff->totals;
}

/* Stopping and letting go adds to these two: a process that slept all the time would
 * differ just because it was looked at. */
static bool counts_our_looks(const struct vmsnap_status_field *field)
{
	static const char suffix[] = "voluntary_ctxt_switches";
	size_t len = sizeof(suffix) - 1;
	return field->key_len >= len && !memcmp(field->key + field->key_len - len, suffix, len);
}

VMSNAP_API bool vmsnap_diff_any(const struct vmsnap_diff *diff)
{
	if (diff->match.count || diff->range_count)
		return true;
	struct vmsnap_diff_status row;
	for (size_t i = 0; !vmsnap_diff_status(diff, i, &row); i++)
		if (!counts_our_looks(row.a.key_len ? &row.a : &row.b))
			return true;
	return false;
}

VMSNAP_API size_t vmsnap_diff_status_count(const struct vmsnap_diff *diff)
{
	return diff->status_count;
}

VMSNAP_API int vmsnap_diff_status(const struct vmsnap_diff *diff, size_t index, struct vmsnap_diff_status *out)
{
	if (index >= diff->status_count)
		return VMSNAP_ERR_NOT_FOUND;
	status_pair_read(diff->a, diff->b, diff->status[index], out);
	return VMSNAP_OK;
}

VMSNAP_API const char *vmsnap_vma_change_name(int change)
{
	static const char *const names[VMSNAP_VMA_CHANGE_COUNT] = {
		[VMSNAP_VMA_CHANGE_ADDED] = "added",
		[VMSNAP_VMA_CHANGE_REMOVED] = "removed",
		[VMSNAP_VMA_CHANGE_GROWN] = "grown",
		[VMSNAP_VMA_CHANGE_SHRUNK] = "shrunk",
		[VMSNAP_VMA_CHANGE_SPLIT] = "split",
		[VMSNAP_VMA_CHANGE_MERGED] = "merged",
		[VMSNAP_VMA_CHANGE_REPLACED] = "replaced",
		[VMSNAP_VMA_CHANGE_PROTECTION_CHANGED] = "protection_changed",
		[VMSNAP_VMA_CHANGE_MOVED] = "moved",
		[VMSNAP_VMA_CHANGE_RENAMED] = "renamed",
	};
	return change >= 0 && change < VMSNAP_VMA_CHANGE_COUNT ? names[change] : "?";
}

VMSNAP_API const char *vmsnap_page_change_name(int change)
{
	static const char *const names[VMSNAP_CHANGE_COUNT] = {
		[VMSNAP_CHANGE_APPEARED] = "appeared",
		[VMSNAP_CHANGE_VANISHED] = "vanished",
		[VMSNAP_CHANGE_PFN_CHANGED] = "pfn_changed",
		[VMSNAP_CHANGE_BECAME_EXCLUSIVE] = "became_exclusive",
		[VMSNAP_CHANGE_BECAME_SHARED] = "became_shared",
		[VMSNAP_CHANGE_SWAPPED_OUT] = "swapped_out",
		[VMSNAP_CHANGE_SWAPPED_IN] = "swapped_in",
		[VMSNAP_CHANGE_SWAP_MOVED] = "swap_moved",
		[VMSNAP_CHANGE_ZERO_FILLED_IN] = "zero_filled_in",
		[VMSNAP_CHANGE_PRIVATISED] = "privatised",
		[VMSNAP_CHANGE_SOFT_DIRTIED] = "soft_dirtied",
		[VMSNAP_CHANGE_GUARDED] = "guarded",
		[VMSNAP_CHANGE_UNGUARDED] = "unguarded",
	};
	return change >= 0 && change < VMSNAP_CHANGE_COUNT ? names[change] : "?";
}
