#include "pair.h"

#include "backing.h"

struct pair_walk pair_begin(const struct pairing *pairing, uint64_t start)
{
	struct pair_walk walk = { .pairing = *pairing,
		                  .vmas = vma_walk_from(pairing->snap, pairing->sides, start),
		                  .range = { .end = start },
		                  .at = start };
	for (size_t i = 0; i < pairing->sides; i++)
		walk.cursor[i] = run_cursor_at(pairing->snap[i], start);
	return walk;
}

static const struct move *out_of(const struct moves *moves, uint64_t at, uint64_t *until)
{
	return moves && moves->list.count ? moves_from(moves, at, until) : NULL;
}

static const struct move *into(const struct moves *moves, uint64_t at, uint64_t *until)
{
	return moves && moves->list.count ? moves_to(moves, at, until) : NULL;
}

/* A member away from the range's own addresses. */
static struct pair_member far_member(const struct vmsnap *snap, uint64_t at, uint64_t shift, uint64_t *until)
{
	struct pair_member member = { .here = true, .shift = shift };
	size_t index = snapshot_vma_find(snap, at + shift);
	if (index == snap->vma_count)
		return member;
	const struct vmsnap_vma *vma = &snap->vmas[index];
	bool inside = vma->start <= at + shift;
	uint64_t edge = (inside ? vma->end : vma->start) - shift;
	member.vma = inside ? vma : NULL;
	if (edge > at && edge < *until)
		*until = edge;
	return member;
}

/* Side i of the pages that did not come to the leader from elsewhere. */
static struct pair_member near_member(const struct pair_walk *walk, size_t i, uint64_t at, uint64_t *until)
{
	const struct pairing *p = &walk->pairing;
	bool away = out_of(p->to_leader[i], at, until);
	if (i == 1 && p->between) {
		/* Base and parent: what the parent moved is still the page of its old address. */
		const struct move *went = out_of(p->between, at, until), *came = into(p->between, at, until);
		if (went) {
			uint64_t shift = went->to - went->from, until_far = *until + shift;
			away = out_of(p->to_leader[i], at + shift, &until_far);
			*until = until_far - shift < *until ? until_far - shift : *until;
			return away ? (struct pair_member){ .here = false } : far_member(p->snap[i], at, shift, until);
		}
		away |= came != NULL;
	}
	return (struct pair_member){ .here = !away, .vma = away ? NULL : walk->range.vma[i] };
}

static void add_near(struct pair_walk *walk, struct pair_member *members, bool leader, uint64_t at, uint64_t *until)
{
	size_t last = walk->pairing.sides - 1;
	for (size_t i = 0; i < last; i++)
		members[i] = near_member(walk, i, at, until);
	members[last] = (struct pair_member){ .here = leader, .vma = leader ? walk->range.vma[last] : NULL };
}

/* Fills in the members that came to the leader from elsewhere; false if none did. */
static bool add_far(struct pair_walk *walk, struct pair_member *members, uint64_t at, uint64_t *until)
{
	const struct pairing *p = &walk->pairing;
	size_t last = p->sides - 1;
	bool any = false;
	for (size_t i = 0; i < last; i++) {
		const struct move *move = into(p->to_leader[i], at, until);
		members[i] = (struct pair_member){ .here = false };
		if (!move)
			continue;
		members[i] = far_member(p->snap[i], at, move->from - move->to, until);
		any = true;
	}
	members[last] = (struct pair_member){ .here = true, .vma = walk->range.vma[last] };
	return any;
}

/* Whether what only looks as if it had moved is here now, in one of the other two. */
static bool came_possibly(const struct pairing *p, const struct pair_member *members, uint64_t at, uint64_t *until)
{
	if (!p->between)
		return false;
	uint64_t shift = members[1].shift, until_far = *until == UINT64_MAX ? UINT64_MAX : *until + shift;
	bool came = moves_possibly_to(p->to_leader[0], at, until);
	came |= moves_possibly_to(p->between, at + shift, &until_far);
	if (until_far != UINT64_MAX && until_far - shift < *until)
		*until = until_far - shift;
	return came;
}

bool pair_next(struct pair_walk *walk, struct pair_range *range)
{
	if (walk->at >= walk->range.end && !vma_walk_next(&walk->vmas, &walk->range))
		return false;
	uint64_t at = walk->at, end = walk->range.end;
	size_t sides = walk->pairing.sides;
	*range = (struct pair_range){ .start = at };
	if (add_far(walk, range->member, at, &end)) {
		add_near(walk, range->left, false, at, &end);
		for (size_t i = 0; i + 1 < sides; i++)
			range->leaves |= range->left[i].here && range->left[i].vma;
	} else {
		add_near(walk, range->member, true, at, &end);
	}
	range->possibly_moved = came_possibly(&walk->pairing, range->member, at, &end);
	for (size_t i = 0; i < sides; i++)
		range->moved |= range->member[i].here && range->member[i].shift;
	walk->at = range->end = end;
	return true;
}

bool pair_own_memory(const struct pair_range *range)
{
	const struct vmsnap_vma *a = range->member[0].here ? range->member[0].vma : NULL,
	                        *b = range->member[1].here ? range->member[1].vma : NULL;
	return a && b && !((a->perms | b->perms) & VMSNAP_PERM_SHARED) && (a->perms | b->perms) & VMSNAP_PERM_WRITE;
}

/* Whether no run is left below the end, of those from the start on. */
static bool passed(struct run_cursor *cursor, const struct pair_range *range)
{
	run_cursor_pass(cursor, range->start);
	return cursor->run == cursor->end || run_start(cursor->run) >= range->end;
}

static uint64_t *counter(struct pair_walk *walk, const struct pair_range *range)
{
	return walk->count_own && pair_own_memory(range) ? &walk->own : NULL;
}

static uint64_t skip_some(struct pair_walk *walk, struct run_cursor *cursor, uint64_t at, uint64_t end)
{
	const struct same_runs *same = walk->pairing.same;
	bool known = same && walk->next_same < same->count && (end - at) >> cursor->shift >= SAME_LEAST;
	return known ? same_runs_skip(same, &walk->next_same, &cursor[0], &cursor[1], at, end)
	             : run_cursors_skip_equal(&cursor[0], &cursor[1], at, end);
}

/* Counts what is passed over, some at a time: it is still in the cache then. */
static uint64_t skip_counted(struct pair_walk *walk, struct run_cursor *cursor, uint64_t at, uint64_t end,
                             uint64_t *own)
{
	enum { RUNS_AT_ONCE = 1024 };
	struct run_cursor *a = &cursor[0];
	for (uint64_t until = at; at == until && at < end;) {
		run_cursor_pass(a, at);
		const struct run *first = a->run;
		bool many = a->end - first > RUNS_AT_ONCE && run_start(&first[RUNS_AT_ONCE]) < end;
		until = many ? run_start(&first[RUNS_AT_ONCE]) : end;
		uint64_t next = skip_some(walk, cursor, at, until);
		*own += runs_own_pages(first, a->run, at, a->shift);
		at = next;
	}
	return at;
}

/* Passes over runs below `end` that are the same.  own: pair_pages.own. */
static uint64_t skip_equal(struct pair_walk *walk, struct run_cursor *cursor, uint64_t at, uint64_t end, uint64_t *own)
{
	return own ? skip_counted(walk, cursor, at, end, own) : skip_some(walk, cursor, at, end);
}

bool pair_skip_same(struct pair_walk *walk, const struct pair_range *range)
{
	const struct pair_member *a = &range->member[0], *b = &range->member[1];
	struct run_cursor *in_a = &walk->cursor[0], *in_b = &walk->cursor[1];
	if (range->moved || range->leaves || !a->here || !b->here)
		return false;
	bool empty_a = passed(in_a, range), empty_b = passed(in_b, range);
	if (empty_a || empty_b || !pair_same(a, b))
		return empty_a && empty_b;
	skip_equal(walk, walk->cursor, range->start, range->end, counter(walk, range));
	return passed(in_a, range) && passed(in_b, range);
}

struct pair_pages pair_pages_begin(struct pair_walk *walk, const struct pair_range *range,
                                   const struct pair_member *members, bool skip_equal)
{
	struct pair_pages pages = { .range = range,
		                    .member = members,
		                    .sides = walk->pairing.sides,
		                    .start = range->start,
		                    .end = range->start,
		                    .walk = walk,
		                    .own = counter(walk, range),
		                    .skip_equal = skip_equal };
	for (size_t i = 0; i < pages.sides; i++) {
		if (!members[i].here)
			continue;
		pages.cursor[i] = members[i].shift
		                          ? run_cursor_at(walk->pairing.snap[i], range->start + members[i].shift)
		                          : walk->cursor[i];
		pages.skip_equal &= !members[i].shift;
	}
	for (size_t i = 0; i < pages.sides; i++)
		pages.skip_equal &= members[i].here;
	return pages;
}

/* A member's entry for an address of the range.  Lowers *until to where it ends. */
static uint64_t entry_of(struct run_cursor *cursor, uint64_t shift, uint64_t at, uint64_t *until)
{
	if (!shift)
		return run_cursor_entry(cursor, at, until);
	/* The last address is no page's: it needs no shift, and would overflow. */
	uint64_t far = *until == UINT64_MAX ? UINT64_MAX : *until + shift;
	uint64_t entry = run_cursor_entry(cursor, at + shift, &far);
	if (far != UINT64_MAX && far - shift < *until)
		*until = far - shift;
	return entry;
}

bool pair_pages_next(struct pair_pages *pages)
{
	uint64_t at = pages->end, until = pages->range->end;
	if (pages->skip_equal)
		at = skip_equal(pages->walk, pages->cursor, at, until, pages->own);
	if (at >= until) {
		/* The cursors only move up: what members at their own addresses passed is passed. */
		for (size_t i = 0; i < pages->sides; i++)
			if (pages->member == pages->range->member && pages->member[i].here && !pages->member[i].shift)
				pages->walk->cursor[i] = pages->cursor[i];
		return false;
	}
	for (size_t i = 0; i < pages->sides; i++)
		pages->entry[i] =
		        pages->member[i].here ? entry_of(&pages->cursor[i], pages->member[i].shift, at, &until) : 0;
	pages->start = at;
	pages->end = until;
	return true;
}

bool pair_same(const struct pair_member *a, const struct pair_member *b)
{
	if (!a->vma || !b->vma || (!a->shift && !b->shift))
		return a->vma && b->vma ? vma_same_backing(a->vma, b->vma) : a->vma == b->vma;
	struct vmsnap_vma in_a = *a->vma, in_b = *b->vma;
	in_a.start -= a->shift;
	in_b.start -= b->shift;
	return vma_same_backing(&in_a, &in_b);
}
