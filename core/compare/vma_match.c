#include "vma_match.h"

#include <string.h>

#include "backing.h"
#include "facts.h"
#include "own_page.h"
#include "walk.h"

/* What is gathered on the way: of each VMA, and there may be millions. */
struct partners {
	uint32_t first, last;
	uint32_t count : 31;
	uint32_t told : 1; /* some row, or the lack of one, accounts for this VMA */
};
#define VMAS_MAX ((size_t)INT32_MAX)
struct matching {
	const struct vmsnap *a, *b;
	struct partners *of_a, *of_b;
	bool *same; /* of each overlap: both map the same thing */
	struct unmatched_list lost, gained;
	struct vma_match *out;
	struct work *work;
	bool frames; /* of the two can be compared */
	bool maps_only;
};

/* The next pair of VMAs that overlap; begin with { 0 }. */
struct overlap {
	size_t a, b;
	size_t next; /* how many there were until now */
	bool met;
};
static bool overlap_next(const struct matching *m, struct overlap *at)
{
	size_t count_a = m->a->vma_count, count_b = m->b->vma_count;
	while (at->a < count_a && at->b < count_b) {
		const struct vmsnap_vma *a = &m->a->vmas[at->a], *b = &m->b->vmas[at->b];
		if (!at->met && a->start < b->end && b->start < a->end) {
			at->met = true;
			at->next++;
			return true;
		}
		/* Of two that end together, most, neither meets what follows the other. */
		at->met = false;
		uint64_t end_a = a->end, end_b = b->end;
		if (end_a <= end_b)
			at->a++;
		if (end_b <= end_a)
			at->b++;
	}
	return false;
}
/* There are fewer than so many: each but the last passes one VMA. */
static size_t overlaps_max(const struct matching *m)
{
	return m->a->vma_count + m->b->vma_count;
}

struct shared_range {
	uint64_t start, end;
};
static struct shared_range range_of(const struct matching *m, const struct overlap *at)
{
	const struct vmsnap_vma *a = &m->a->vmas[at->a], *b = &m->b->vmas[at->b];
	return (struct shared_range){ a->start > b->start ? a->start : b->start, a->end < b->end ? a->end : b->end };
}

typedef const struct move *(*moves_fn)(const struct moves *moves, uint64_t at, uint64_t *until);

/* Whether all of a range went elsewhere, or came from there. */
static bool all_moved(const struct moves *moves, struct shared_range range, moves_fn find)
{
	if (!moves->list.count)
		return false;
	for (uint64_t at = range.start, until; at < range.end; at = until) {
		until = range.end;
		if (!find(moves, at, &until))
			return false;
	}
	return true;
}

static bool any_moved(const struct moves *moves, struct shared_range range, moves_fn find)
{
	uint64_t until = range.end;
	return find(moves, range.start, &until) || until < range.end;
}

/* The same mapping: not what went away and has another of its kind in its place. */
static bool same_at(const struct matching *m, const struct overlap *at)
{
	const struct moves *moves = &m->out->moves;
	struct shared_range range = range_of(m, at);
	return m->same[at->next - 1] && !all_moved(moves, range, moves_from) && !all_moved(moves, range, moves_to);
}

static int put_row(const struct matching *m, const struct vmsnap_diff_vma *row)
{
	struct vma_match *out = m->out;
	int rc = work_step(m->work);
	if (!WORK_ROOM(m->work, out->rows, out->count, &out->capacity, &rc))
		return rc;
	out->rows[out->count++] = *row;
	return VMSNAP_OK;
}

static int add_row(const struct matching *m, int change, const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	const struct vmsnap_diff_vma row = { .change = change, .a = a, .b = b };
	return put_row(m, &row);
}

static int add_move_row(const struct matching *m, int change, const struct move *move)
{
	const struct vmsnap_diff_vma row = { .change = change,
		                             .a = &m->a->vmas[move->a],
		                             .b = &m->b->vmas[move->b],
		                             .from = move->from,
		                             .to = move->to,
		                             .length = move->length };
	return put_row(m, &row);
}

static int add_row_if(const struct matching *m, bool holds, int change, const struct vmsnap_vma *a,
                      const struct vmsnap_vma *b)
{
	return holds ? add_row(m, change, a, b) : VMSNAP_OK;
}

static void add_partner(struct partners *of, size_t partner)
{
	if (!of->count++)
		of->first = (uint32_t)partner;
	of->last = (uint32_t)partner;
	of->told = true;
}

/* Which go together; and where something else lies where a mapping was, unless that went away by itself. */
static int find_partners(const struct matching *m)
{
	int rc = VMSNAP_OK;
	for (struct overlap at = { 0 }; !rc && overlap_next(m, &at);) {
		if (same_at(m, &at)) {
			add_partner(&m->of_a[at.a], at.b);
			add_partner(&m->of_b[at.b], at.a);
		} else if (!any_moved(&m->out->moves, range_of(m, &at), moves_from)) {
			rc = add_row(m, VMSNAP_VMA_CHANGE_REPLACED, &m->a->vmas[at.a], &m->b->vmas[at.b]);
			m->of_a[at.a].told = m->of_b[at.b].told = true;
		}
	}
	return rc;
}

/* What happened to a mapping whatever became of its range. */
static int add_attributes(const struct matching *m, const struct vmsnap_vma *a, const struct vmsnap_vma *b)
{
	int rc = add_row_if(m, vma_perms_differ(a, b), VMSNAP_VMA_CHANGE_PROTECTION_CHANGED, a, b);
	return rc ? rc : add_row_if(m, vma_names_differ(a, b), VMSNAP_VMA_CHANGE_RENAMED, a, b);
}

/* What the pages say of plain memory that has changed as a mapping. */
struct traces {
	bool kept; /* some page is still there, or may be */
	bool lost; /* some page went, and not because it was copied */
};

static void trace_pages(struct traces *traces, uint64_t a, uint64_t b)
{
	if (!own_page(a))
		return;
	bool swapped = (a | b) & ENTRY_SWAPPED;
	/* The kernel was just moving it: it may be the same. */
	bool moving = (b & ENTRY_PRESENT) && !(b & (ENTRY_FRAME_MASK | ENTRY_FLAG(VMSNAP_PAGE_FILE)));
	if (own_page_same(a, b) || (own_page(b) && swapped) || moving)
		traces->kept = true;
	else if (!own_page(b) || own_page_surely_exclusive(a))
		traces->lost = true;
}

/* Whether it may be other memory than it was: none of its pages is left, and not all of them
 * can have been copied.  That it was unmapped is no fact: giving pages back (madvise) and
 * changing permissions (mprotect) look the same, and are. */
static int may_be_another(const struct matching *m, const struct overlap *at, bool *yes)
{
	struct shared_range range = range_of(m, at);
	struct run_cursor in_a = run_cursor_at(m->a, range.start), in_b = run_cursor_at(m->b, range.start);
	struct traces traces = { false, false };
	int rc = VMSNAP_OK;
	*yes = false;
	if (!m->frames || !vma_is_plain(&m->a->vmas[at->a]) || m->a->vmas[at->a].perms & VMSNAP_PERM_SHARED)
		return rc;
	for (uint64_t here = range.start, until; !rc && here < range.end && !traces.kept; here = until) {
		until = range.end;
		bool moved = moves_from(&m->out->moves, here, &until);
		moved |= moves_to(&m->out->moves, here, &until) != NULL;
		uint64_t a = run_cursor_entry(&in_a, here, &until), b = run_cursor_entry(&in_b, here, &until);
		if (!moved)
			trace_pages(&traces, a, b);
		rc = work_step(m->work);
	}
	*yes = traces.lost && !traces.kept;
	return rc;
}

static int add_possibly_replaced(const struct matching *m, const struct overlap *at)
{
	struct vma_match *out = m->out;
	struct shared_range range = range_of(m, at);
	int rc = add_row(m, VMSNAP_VMA_CHANGE_POSSIBLY_REPLACED, &m->a->vmas[at->a], &m->b->vmas[at->b]);
	if (!WORK_ROOM(m->work, out->doubtful, out->doubtful_count, &out->doubtful_capacity, &rc))
		return rc;
	out->doubtful[out->doubtful_count++] = (struct doubtful){ range.start, range.end };
	return rc;
}

/* The rows of one pair of partners.  In a chain of pairs (a mapping split, then
 * partly merged, …) the lowest pair tells how the start moved, the highest how
 * the end did. */
static int add_pair(const struct matching *m, const struct overlap *at)
{
	const struct vmsnap_vma *a = &m->a->vmas[at->a], *b = &m->b->vmas[at->b];
	const struct partners *of_a = &m->of_a[at->a], *of_b = &m->of_b[at->b];
	bool lowest = of_a->first == at->b && of_b->first == at->a;
	bool highest = of_a->last == at->b && of_b->last == at->a;
	bool other = false;
	int rc = VMSNAP_OK;
	if (of_a->count > 1 || of_b->count > 1 || a->perms != b->perms || a->start != b->start || a->end != b->end ||
	    strcmp(a->name, b->name))
		rc = may_be_another(m, at, &other);
	if (rc || other)
		return rc ? rc : add_possibly_replaced(m, at);
	bool grown = (lowest && b->start < a->start) || (highest && b->end > a->end);
	bool shrunk = (lowest && b->start > a->start) || (highest && b->end < a->end);
	rc = add_row_if(m, of_a->count > 1, VMSNAP_VMA_CHANGE_SPLIT, a, b);
	rc = rc ? rc : add_row_if(m, of_b->count > 1, VMSNAP_VMA_CHANGE_MERGED, a, b);
	rc = rc ? rc : add_row_if(m, grown, VMSNAP_VMA_CHANGE_GROWN, a, b);
	rc = rc ? rc : add_row_if(m, shrunk, VMSNAP_VMA_CHANGE_SHRUNK, a, b);
	return rc ? rc : add_attributes(m, a, b);
}

static int add_unmatched(struct unmatched_list *unmatched, size_t vma, uint64_t start, uint64_t end, struct work *work)
{
	int rc = VMSNAP_OK;
	if (start >= end)
		return rc;
	if (!WORK_ROOM(work, unmatched->items, unmatched->count, &unmatched->capacity, &rc))
		return rc;
	unmatched->items[unmatched->count++] = (struct unmatched){ .vma = vma, .start = start, .end = end };
	return VMSNAP_OK;
}

/* What is left of a VMA when it has been passed. */
static int add_rest(struct unmatched_list *unmatched, const struct vmsnap *snap, size_t vma, uint64_t *at,
                    struct work *work)
{
	int rc = add_unmatched(unmatched, vma, *at, snap->vmas[vma].end, work);
	*at = vma + 1 < snap->vma_count ? snap->vmas[vma + 1].start : UINT64_MAX;
	return rc;
}

/* One side while overlaps are met: which VMA was met last, and how far it is told. */
struct passed {
	const struct vmsnap *snap;
	struct unmatched_list *unmatched;
	size_t vma;
	uint64_t at;
};
static struct passed pass_begin(const struct vmsnap *snap, struct unmatched_list *unmatched)
{
	return (struct passed){ snap, unmatched, 0, snap->vma_count ? snap->vmas[0].start : 0 };
}

static int pass_to(struct passed *side, size_t vma, struct work *work)
{
	int rc = VMSNAP_OK;
	for (; !rc && side->vma < vma; side->vma++) {
		rc = add_rest(side->unmatched, side->snap, side->vma, &side->at, work);
		rc = rc ? rc : work_step(work);
	}
	return rc;
}

static int pass_same(struct passed *side, struct shared_range range, struct work *work)
{
	int rc = add_unmatched(side->unmatched, side->vma, side->at, range.start, work);
	side->at = range.end;
	return rc;
}

/* Fills in .same, and the ranges in which the other side does not have the same mapping. */
static int find_unmatched(struct matching *m)
{
	struct passed a = pass_begin(m->a, &m->lost), b = pass_begin(m->b, &m->gained);
	int rc = VMSNAP_OK;
	for (struct overlap at = { 0 }; !rc && overlap_next(m, &at);) {
		bool same = vma_same_backing(&m->a->vmas[at.a], &m->b->vmas[at.b]);
		m->same[at.next - 1] = same;
		rc = pass_to(&a, at.a, m->work);
		rc = rc ? rc : pass_to(&b, at.b, m->work);
		rc = rc || !same ? rc : pass_same(&a, range_of(m, &at), m->work);
		rc = rc || !same ? rc : pass_same(&b, range_of(m, &at), m->work);
	}
	rc = rc ? rc : pass_to(&a, m->a->vma_count, m->work);
	return rc ? rc : pass_to(&b, m->b->vma_count, m->work);
}

static int add_possible_moves(const struct matching *m)
{
	const struct move_list *moves = &m->out->moves.possible;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < moves->count; i++)
		rc = add_move_row(m, VMSNAP_VMA_CHANGE_POSSIBLY_MOVED, &moves->items[i]);
	return rc;
}

/* Whether it is the only one out of A's mapping and the only one into B's: of halves that were
 * exchanged none is what the mapping has become.  Those of one mapping are neighbours in its list. */
static bool moved_alone(const struct moves *moves, size_t index)
{
	const struct move *move = &moves->list.items[index];
	uint64_t until = UINT64_MAX;
	size_t at = (size_t)(moves_to(moves, move->to, &until) - moves->by_to);
	size_t count = moves->list.count;
	return (!index || move[-1].a != move->a) && (index + 1 == count || move[1].a != move->a) &&
	       (!at || moves->by_to[at - 1].b != move->b) && (at + 1 == count || moves->by_to[at + 1].b != move->b);
}

static int add_moves(const struct matching *m)
{
	const struct move_list *moves = &m->out->moves.list;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		const struct vmsnap_vma *a = &m->a->vmas[move->a], *b = &m->b->vmas[move->b];
		struct partners *of_a = &m->of_a[move->a], *of_b = &m->of_b[move->b];
		rc = add_move_row(m, VMSNAP_VMA_CHANGE_MOVED, move);
		/* Sizes say something if nothing of either stayed behind, or went or came otherwise. */
		bool whole = !of_a->count && !of_b->count && move->from == a->start && move->to == b->start &&
		             moved_alone(&m->out->moves, i);
		uint64_t size_a = a->end - a->start, size_b = b->end - b->start;
		rc = rc ? rc : add_row_if(m, whole && size_b > size_a, VMSNAP_VMA_CHANGE_GROWN, a, b);
		rc = rc ? rc : add_row_if(m, whole && size_b < size_a, VMSNAP_VMA_CHANGE_SHRUNK, a, b);
		rc = rc ? rc : add_attributes(m, a, b);
		of_a->told = of_b->told = true;
	}
	return rc;
}

bool core_leaves_out(const struct vmsnap *snap, const struct vmsnap_vma *vma)
{
	const uint32_t any = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_EXEC;
	return snapshot_is_core(snap) && !strcmp(snap->info.tool, "gdb") &&
	       (!strncmp(vma->name, "[v", 2) || !strcmp(vma->name, "[uprobes]") || !(vma->perms & any));
}

static int add_untold(const struct matching *m)
{
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < m->a->vma_count; i++)
		rc = add_row_if(m, !m->of_a[i].told && !core_leaves_out(m->b, &m->a->vmas[i]),
		                VMSNAP_VMA_CHANGE_REMOVED, &m->a->vmas[i], NULL);
	for (size_t i = 0; !rc && i < m->b->vma_count; i++)
		rc = add_row_if(m, !m->of_b[i].told && !core_leaves_out(m->a, &m->b->vmas[i]), VMSNAP_VMA_CHANGE_ADDED,
		                NULL, &m->b->vmas[i]);
	return rc;
}

static int find_moves(struct matching *m, bool at_once)
{
	int rc = find_unmatched(m);
	return rc || m->maps_only ? rc : moves_find(m->a, &m->lost, m->b, &m->gained, at_once, m->work, &m->out->moves);
}

static int compare_rows(const void *x, const void *y, const void *ctx)
{
	const struct vmsnap_diff_vma *a = x, *b = y;
	(void)ctx;
	uint64_t at_a = a->b ? a->b->start : a->a->start, at_b = b->b ? b->b->start : b->a->start;
	if (at_a != at_b)
		return at_a < at_b ? -1 : 1;
	if (a->change != b->change)
		return a->change < b->change ? -1 : 1;
	uint64_t from_a = a->a ? a->a->start : 0, from_b = b->a ? b->a->start : 0;
	return (from_a > from_b) - (from_a < from_b);
}

static int match_all(struct matching *m)
{
	int rc = find_moves(m, true);
	rc = rc ? rc : find_partners(m);
	for (struct overlap at = { 0 }; !rc && overlap_next(m, &at);)
		if (same_at(m, &at))
			rc = add_pair(m, &at);
	rc = rc ? rc : add_moves(m);
	rc = rc ? rc : add_possible_moves(m);
	rc = rc ? rc : add_untold(m);
	return rc ? rc : work_sort(m->work, m->out->rows, m->out->count, sizeof(*m->out->rows), compare_rows, NULL);
}

static struct matching begin(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct vma_match *out,
                             int *rc)
{
	*out = (struct vma_match){ 0 };
	struct matching m = { .a = a, .b = b, .out = out, .work = work };
	*rc = a->vma_count > VMAS_MAX || b->vma_count > VMAS_MAX ? VMSNAP_ERR_TOO_LARGE : VMSNAP_OK;
	m.same = work_array(work, overlaps_max(&m), sizeof(*m.same), rc);
	return m;
}

static void end(struct matching *m)
{
	work_free(m->work, m->same, overlaps_max(m), sizeof(*m->same));
	work_free(m->work, m->of_a, m->a->vma_count, sizeof(*m->of_a));
	work_free(m->work, m->of_b, m->b->vma_count, sizeof(*m->of_b));
	work_free(m->work, m->lost.items, m->lost.capacity, sizeof(*m->lost.items));
	work_free(m->work, m->gained.items, m->gained.capacity, sizeof(*m->gained.items));
}

int vma_match_moves(const struct vmsnap *a, const struct vmsnap *b, bool at_once, struct work *work, struct moves *out)
{
	struct vma_match match;
	int rc;
	struct matching m = begin(a, b, work, &match, &rc);
	rc = rc ? rc : find_moves(&m, at_once);
	*out = match.moves;
	end(&m);
	return rc;
}

static int match(const struct vmsnap *a, const struct vmsnap *b, bool maps_only, struct work *work,
                 struct vma_match *out)
{
	int rc;
	struct matching m = begin(a, b, work, out, &rc);
	m.maps_only = maps_only;
	m.frames = !maps_only && facts_context_of(a, b).frames;
	m.of_a = work_array(work, a->vma_count, sizeof(*m.of_a), &rc);
	m.of_b = work_array(work, b->vma_count, sizeof(*m.of_b), &rc);
	rc = rc ? rc : match_all(&m);
	end(&m);
	if (rc)
		vma_match_free(out);
	return rc;
}

int vma_match(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct vma_match *out)
{
	return match(a, b, false, work, out);
}

int vma_match_maps(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct vma_match *out)
{
	return match(a, b, true, work, out);
}

void vma_match_free(struct vma_match *match)
{
	free(match->rows);
	free(match->doubtful);
	moves_free(&match->moves, NULL);
	*match = (struct vma_match){ 0 };
}
