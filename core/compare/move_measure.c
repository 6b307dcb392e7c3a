#include "move_measure.h"

#include <string.h>

#include "facts.h"
#include "fault_bound.h"
#include "moves_count.h"
#include "own_page.h"
#include "walk.h"

enum { LOOKS_EACH = 64 };

uint64_t move_looks(const struct vmsnap *a, const struct vmsnap *b, size_t unmatched)
{
	return LOOKS_EACH * ((uint64_t)a->runs.count + b->runs.count + unmatched);
}

/* Whether B has a page, at its place, that A had for itself: then A was taken before B had it. */
static bool handed_on(const struct vmsnap *a, const struct vmsnap *b)
{
	struct run_cursor in_a = run_cursor_at(a, 0), in_b = run_cursor_at(b, 0);
	for (uint64_t at = 0, until; at != UINT64_MAX; at = until) {
		/* Both have most pages, and in runs of one shape. */
		while (in_a.run < in_a.end && in_b.run < in_b.end && in_a.run->head == in_b.run->head) {
			if (own_page_surely_exclusive(in_a.run->entry) &&
			    own_page_same(in_a.run->entry, in_b.run->entry))
				return true;
			in_a.run++;
			in_b.run++;
		}
		until = UINT64_MAX;
		uint64_t entry_a = run_cursor_entry(&in_a, at, &until), entry_b = run_cursor_entry(&in_b, at, &until);
		if (own_page_surely_exclusive(entry_a) && own_page_same(entry_a, entry_b))
			return true;
	}
	return false;
}

/* Of a parent before it forked, and its child: what the child has otherwise came by faults of
 * its own, from the fork on. */
static bool before_the_fork(const struct vmsnap *a, const struct vmsnap *b)
{
	uint32_t parent = a->info.tgid ? a->info.tgid : a->info.pid;
	return parent && b->info.ppid == parent && a->info.known.exclusive && facts_context_of(a, b).frames &&
	       handed_on(a, b);
}

struct move_proof move_proof_of(const struct vmsnap *a, const struct vmsnap *b, bool at_once)
{
	uint64_t at_a = a->info.faults, at_b = b->info.faults;
	struct move_proof proof = { .frames = facts_context_of(a, b).frames, .at_once = at_once, .later = b };
	proof.by_kernel = moves_possible(a->info.page_moves, b->info.page_moves);
	proof.at_once &= !proof.by_kernel;
	if (facts_same_process(a, b)) {
		proof.one_line = proof.same_process = true;
		proof.counted = at_a != UINT64_MAX && at_b != UINT64_MAX;
		proof.later = proof.counted && at_b < at_a ? a : b;
		proof.faults = at_b < at_a ? at_a - at_b : at_b - at_a;
	} else if (before_the_fork(a, b)) {
		proof.one_line = true;
		proof.counted = at_b != UINT64_MAX;
		proof.faults = at_b;
	}
	return proof;
}

bool move_proof_by_faults(const struct move_proof *proof, uint64_t *enough)
{
	*enough = proof->counted ? proof->faults : UINT64_MAX;
	return proof->same_process || !proof->at_once;
}

void move_proof_spent(struct move_proof *proof, uint64_t faults)
{
	/* Pages came otherwise too (userfaultfd, another process that wrote): nothing is known. */
	if (faults <= proof->faults)
		proof->faults -= faults;
}

/* ---- looking at the pages --------------------------------------------------------- */

struct measure {
	uint64_t equal, both; /* pages: in one frame, in A and in B; present in both */
	uint64_t held;        /* of the equal, those that others have too, both times */
	bool by_kernel;       /* it gave pages other frames without a fault */
	bool one_line;        /* A was what B is now: */
	uint64_t broken;      /* that nobody else had in A, in another frame now: no write does that */
	uint64_t alike;       /* populated or not, the same in both; or not: */
	uint64_t unlike;
	struct fault_bound bound; /* what it would take to make the equal ones anew */
};

/* In one frame, or one slot. */
static bool in_one(uint64_t a, uint64_t b)
{
	return own_page_same(a, b) ||
	       ((a & b & ENTRY_PRESENT) && (a & ENTRY_FRAME_MASK) && !((a ^ b) & ENTRY_FRAME_MASK));
}

/* `at`: where they are in the later of the two; `before`: what was there in the earlier one.  What was there
 * already needed no fault. */
static void measure_pages(struct measure *m, uint64_t at, uint64_t pages, uint64_t a, uint64_t b, uint64_t before)
{
	bool same = in_one(a, b), zero = (a | b) & ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	if ((a | b) & ENTRY_POPULATED) {
		bool alike = !((a ^ b) & ENTRY_POPULATED);
		m->alike += alike ? pages : 0;
		m->unlike += alike ? 0 : pages;
	}
	if (zero || !(a & ENTRY_POPULATED) || !(b & ENTRY_POPULATED))
		return;
	m->both += (a & b & ENTRY_PRESENT) || same ? pages : 0;
	if (same) {
		m->equal += pages;
		m->held += own_page(a) && own_page_surely_shared(a) && own_page_surely_shared(b) ? pages : 0;
		if (!in_one(before, b) && (!m->by_kernel || !own_page(before)))
			fault_bound_add(&m->bound, at, pages, b);
	} else if (m->one_line && own_page(a) && own_page_exclusive(a) && (b & ENTRY_PRESENT)) {
		m->broken += pages;
	}
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Where both map plain memory at one place, only frames tell whether it moved: it cannot reach
 * over pages that stayed where they were, in A's place or in B's. */
struct stayed {
	bool looked_for;
	struct run_cursor from_b, to_a;
	uint64_t at_from, at_to; /* what B has where the pages were, and A where they are; 0 if it is not looked for */
};

static bool stayed_at(struct stayed *stayed, uint64_t from, uint64_t to, uint64_t a, uint64_t b, uint64_t *length)
{
	uint64_t until_from = from + *length, until_to = to + *length;
	if (!stayed->looked_for)
		return false;
	stayed->at_from = run_cursor_entry(&stayed->from_b, from, &until_from);
	stayed->at_to = run_cursor_entry(&stayed->to_a, to, &until_to);
	*length = lesser(*length, lesser(until_from - from, until_to - to));
	return own_page_same(a, stayed->at_from) || own_page_same(stayed->at_to, b);
}

/* Whether so few pages moved, of those met until now, that the rest cannot make up for it: hardly
 * more of them did than were seen.  Else each of a million candidates is looked through to its end. */
static bool hopeless(const struct measure *m, const struct candidate *c)
{
	return !c->file && !c->by_shape && m->both / 8 > m->equal + c->seen;
}

/* Looks at all pages, and cuts the candidate at what stayed. */
static int measure_all(const struct vmsnap *a, const struct vmsnap *b, const struct move_proof *proof,
                       struct candidate *c, uint64_t *looks, struct work *work, struct measure *out)
{
	uint64_t to = c->start, from = to + c->distance, low = 0, high = c->length;
	struct run_cursor in_a = run_cursor_at(a, from), in_b = run_cursor_at(b, to);
	struct stayed stayed = { .looked_for = !c->file && !c->by_shape && (!c->from.unmatched || !c->to.unmatched) };
	const struct measure none = { .by_kernel = proof->by_kernel,
		                      .one_line = proof->one_line,
		                      .bound = fault_bound_begin(proof->later) };
	int rc = VMSNAP_OK;
	if (stayed.looked_for) {
		stayed.from_b = run_cursor_at(b, from);
		stayed.to_a = run_cursor_at(a, to);
	}
	*out = none;
	for (uint64_t done = 0, length; !rc && *looks && done < high && !hopeless(out, c); done += length) {
		uint64_t until_a = from + high, until_b = to + high;
		uint64_t entry_a = run_cursor_entry(&in_a, from + done, &until_a);
		uint64_t entry_b = run_cursor_entry(&in_b, to + done, &until_b);
		length = lesser(until_a - from, until_b - to) - done;
		bool here = stayed_at(&stayed, from + done, to + done, entry_a, entry_b, &length);
		if (here && to + done >= c->seen_end) {
			high = done;
		} else if (here && to + done + length <= c->seen_start) {
			low = done + length;
			*out = none;
		} else {
			bool back = proof->later == a;
			measure_pages(out, (back ? from : to) + done, length >> in_a.shift, entry_a, entry_b,
			              back ? stayed.at_from : stayed.at_to);
		}
		--*looks;
		rc = work_step(work);
	}
	c->start += low;
	c->length = high - low;
	return rc;
}

/* ---- what it means ---------------------------------------------------------------- */

/* Most of what nobody else could have copied must have stayed in its frame; where others have
 * the pages too, some may be copied since. */
static bool agrees(const struct measure *m)
{
	return m->equal && m->broken <= m->equal && m->equal >= m->both / 4;
}

static bool proves(const struct measure *m, const struct move_proof *proof)
{
	if (!proof->same_process && proof->at_once && m->held)
		return true;
	return proof->counted && m->bound.faults > proof->faults;
}

/* It looks like that, but freed frames that were given out again would, too. */
static bool suggests(const struct measure *m, const struct move_proof *proof, const struct candidate *c)
{
	if (!proof->one_line || !c->from.unmatched || !c->to.unmatched)
		return false;
	if (c->by_shape)
		return m->alike && !m->unlike;
	if (c->file)
		return m->broken <= m->equal;
	/* One equal frame may be chance, unless the ranges begin alike. */
	bool same_start = c->from.start == c->start + c->distance && c->to.start == c->start;
	return agrees(m) && m->equal >= m->both - m->equal && m->equal >= (same_start ? 1 : 2);
}

int move_measure(const struct vmsnap *a, const struct vmsnap *b, const struct move_proof *proof,
                 struct candidate *candidate, uint64_t *looks, struct work *work, enum move_belief *belief)
{
	struct measure measure;
	int rc;
	*belief = MOVE_NO;
	rc = measure_all(a, b, proof, candidate, looks, work, &measure);
	if (rc || !*looks || hopeless(&measure, candidate))
		return rc;
	if (proof->frames && agrees(&measure) && proves(&measure, proof))
		*belief = MOVE_SURE;
	else if (suggests(&measure, proof, candidate))
		*belief = MOVE_POSSIBLE;
	return rc;
}
