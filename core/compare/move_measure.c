#include "move_measure.h"

#include <string.h>

#include "facts.h"
#include "fault_bound.h"
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
		until = UINT64_MAX;
		uint64_t entry_a = run_cursor_entry(&in_a, at, &until), entry_b = run_cursor_entry(&in_b, at, &until);
		if (own_page_same(entry_a, entry_b) && own_page_exclusive(entry_a))
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

struct move_proof move_proof_of(const struct vmsnap *a, const struct vmsnap *b)
{
	uint64_t at_a = a->info.faults, at_b = b->info.faults;
	struct move_proof proof = { .frames = facts_context_of(a, b).frames, .later = b };
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
	bool one_line;        /* A was what B is now: */
	uint64_t broken;      /* that nobody else had in A, in another frame now: no write does that */
	uint64_t alike;       /* populated or not, the same in both; or not: */
	uint64_t unlike;
	struct fault_bound bound; /* what it would take to make the equal ones anew */
};

/* `at`: where they are in the later of the two. */
static void measure_pages(struct measure *m, uint64_t at, uint64_t pages, uint64_t a, uint64_t b)
{
	bool same = (a & b & ENTRY_PRESENT) && (a & ENTRY_FRAME_MASK) && !((a ^ b) & ENTRY_FRAME_MASK);
	bool zero = (a | b) & ENTRY_FLAG(VMSNAP_PAGE_ZERO);
	same |= own_page_same(a, b);
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
		m->held += own_page(a) && !own_page_exclusive(a) && !own_page_exclusive(b) ? pages : 0;
		fault_bound_add(&m->bound, at, pages, b);
	} else if (m->one_line && own_page(a) && own_page_exclusive(a) && (b & ENTRY_PRESENT)) {
		m->broken += pages;
	}
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int measure_all(const struct vmsnap *a, const struct vmsnap *b, const struct move_proof *proof,
                       const struct candidate *c, uint64_t *looks, struct work *work, struct measure *out)
{
	uint64_t from = c->start + c->distance;
	struct run_cursor in_a = run_cursor_at(a, from), in_b = run_cursor_at(b, c->start);
	int rc = VMSNAP_OK;
	*out = (struct measure){ .one_line = proof->one_line, .bound = fault_bound_begin(proof->later) };
	for (uint64_t done = 0, next; !rc && *looks && done < c->length; done = next) {
		uint64_t until_a = from + c->length, until_b = c->start + c->length;
		uint64_t entry_a = run_cursor_entry(&in_a, from + done, &until_a);
		uint64_t entry_b = run_cursor_entry(&in_b, c->start + done, &until_b);
		next = lesser(until_a - from, until_b - c->start);
		uint64_t at = (proof->later == a ? from : c->start) + done;
		measure_pages(out, at, (next - done) >> in_a.shift, entry_a, entry_b);
		--*looks;
		rc = work_step(work);
	}
	return rc;
}

/* ---- where it ends ---------------------------------------------------------------- */

/* Where both map plain memory at one place, only frames tell whether it moved: cuts off what
 * lies beyond pages that stayed where they were, in A's place or in B's. */
static int cut_at_what_stayed(const struct vmsnap *a, const struct vmsnap *b, struct candidate *c, uint64_t *looks,
                              struct work *work)
{
	uint64_t to = c->start, from = to + c->distance, low = 0, high = c->length;
	struct run_cursor from_a = run_cursor_at(a, from), from_b = run_cursor_at(b, from);
	struct run_cursor to_a = run_cursor_at(a, to), to_b = run_cursor_at(b, to);
	int rc = VMSNAP_OK;
	for (uint64_t done = 0, next; !rc && *looks && done < high; done = next) {
		uint64_t until_from = from + c->length, until_to = to + c->length;
		uint64_t was = run_cursor_entry(&from_a, from + done, &until_from);
		bool stayed = own_page_same(was, run_cursor_entry(&from_b, from + done, &until_from));
		was = run_cursor_entry(&to_a, to + done, &until_to);
		stayed |= own_page_same(was, run_cursor_entry(&to_b, to + done, &until_to));
		next = lesser(until_from - from, until_to - to);
		if (stayed && to + done >= c->seen_end)
			high = done;
		else if (stayed && to + next <= c->seen_start)
			low = next;
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
	if (!proof->same_process && m->held)
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
	int rc = VMSNAP_OK;
	*belief = MOVE_NO;
	if (!candidate->file && !candidate->by_shape && (!candidate->from.unmatched || !candidate->to.unmatched))
		rc = cut_at_what_stayed(a, b, candidate, looks, work);
	rc = rc ? rc : measure_all(a, b, proof, candidate, looks, work, &measure);
	if (rc || !*looks)
		return rc;
	if (proof->frames && agrees(&measure) && proves(&measure, proof))
		*belief = MOVE_SURE;
	else if (suggests(&measure, proof, candidate))
		*belief = MOVE_POSSIBLE;
	return rc;
}
