/* check_pair.c - requirements for two snapshots: facts, rows, history.
 *
 * The program knows where each page was.  A snapshot tells less, and what it does not tell
 * may be said either way; where it does tell, only the truth will do. */
#include <string.h>

#include "sequences.h"

/* So many pages are more than a chance. */
enum { SEVERAL = 4 };
/* The pages of the smallest folio of several that one fault is taken to make. */
enum { SMALLEST_FOLIO = 16 };

/* ---- which page was which ---- */

struct evidence {
	int equal, both;
	int held;   /* of the equal, those that others have too, in A and in B */
	int faults; /* that it would take to make the equal ones anew */
	int broken; /* that nobody else had in A, in another frame */
};

static void weigh(struct evidence *evidence, uint64_t a, uint64_t b)
{
	evidence->both += is_present(a) && is_present(b);
	bool equal = same_own_frame(a, b), alone = a & ENTRY_EXCLUSIVE_BIT;
	evidence->equal += equal;
	evidence->held += equal && !((a | b) & ENTRY_EXCLUSIVE_BIT);
	evidence->broken += !equal && is_own(a) && is_present(b) && alone;
}

/* ---- what proves a move: docs/verdicts.md ---- */

static bool was_anywhere(const struct view *a, uint64_t entry)
{
	for (int i = 0; i < ARENA; i++)
		if (same_own_frame(a->pages[i], entry))
			return true;
	return false;
}

/* Whether the fault that made the page before may have made this one, too: pages of a large folio
 * lie in memory as they do in the address space. */
static bool came_along(const struct view *view, int page)
{
	uint64_t frame = frame_of(view->pages[page]);
	return page && is_own(view->pages[page - 1]) && frame_of(view->pages[page - 1]) + 1 == frame &&
	       !(((uint64_t)page ^ frame) % SMALLEST_FOLIO);
}

static bool is_copy_in_place(const struct view *a, const struct view *b, int page)
{
	return is_own(a->pages[page]) && is_own(b->pages[page]) && !(a->pages[page] & ENTRY_EXCLUSIVE_BIT) &&
	       (b->pages[page] & ENTRY_EXCLUSIVE_BIT);
}

/* Pages that moved, where both ends look like copies made in place: those are not looked for, and
 * taken as made by faults. */
static bool some_are_hidden(const struct view *a, const struct view *b)
{
	for (int i = 0; i < ARENA; i++)
		for (int from = 0; from < ARENA && is_copy_in_place(a, b, i); from++)
			if (from != i && same_own_frame(a->pages[from], b->pages[i]) && is_copy_in_place(a, b, from))
				return true;
	return false;
}

/* Page faults that may have made the pages that have their old frames: all that there were but
 * for those that made the other new pages of the arena.  (Of what lies elsewhere the library knows
 * more.) */
static uint64_t faults_left(const struct view *a, const struct view *b, uint64_t faults)
{
	if (some_are_hidden(a, b))
		return faults;
	for (int i = 0; i < ARENA && faults; i++) {
		bool alone = is_own(a->pages[i]) && (a->pages[i] & ENTRY_EXCLUSIVE_BIT);
		faults -= is_own(b->pages[i]) && !alone && !was_anywhere(a, b->pages[i]) && !came_along(b, i);
	}
	return faults;
}

/* UINT64_MAX: not known. */
static uint64_t faults_between(const struct view *a, const struct view *b)
{
	const struct vmsnap_info *of_a = vmsnap_info(a->snap), *of_b = vmsnap_info(b->snap);
	if (of_a->faults == UINT64_MAX || of_b->faults == UINT64_MAX)
		return UINT64_MAX;
	if (of_b->pid == of_a->pid)
		return of_b->faults - of_a->faults;
	/* Of a parent before it forked and the child, all of the child's. */
	return of_b->ppid == of_a->pid ? of_b->faults : UINT64_MAX;
}

/* Where a page that came from elsewhere left, and where it came to, the other snapshot may map the
 * like, or not: each is weighed by itself. */
static int place_of(const struct pairing *pairing, int page)
{
	const struct slot *in_b = pairing->b->world.slots, *in_a = pairing->a->world.slots;
	int from = in_b[page].origin;
	return slots_look_alike(&in_a[page], &in_b[page]) + 2 * slots_look_alike(&in_a[from], &in_b[from]);
}

/* Whether two neighbours in B came from neighbours in A, and look like one mapping in both. */
static bool together(const struct pairing *pairing, int x, int y)
{
	const struct slot *in_b = pairing->b->world.slots, *in_a = pairing->a->world.slots;
	if (y < 0 || y >= ARENA || !in_b[y].memory || in_b[y].origin == NOWHERE)
		return false;
	const struct slot *ax = &in_a[in_b[x].origin], *ay = &in_a[in_b[y].origin];
	return in_b[y].origin - y == in_b[x].origin - x && in_b[x].perms == in_b[y].perms && ax->perms == ay->perms &&
	       in_b[x].memory == in_b[y].memory && in_b[x].object == in_b[y].object &&
	       place_of(pairing, x) == place_of(pairing, y);
}

/* Of all pages that came along with the one at `page` of B. */
static struct evidence evidence_of(const struct pairing *pairing, int page)
{
	struct evidence evidence = { 0 };
	int first = page, end = page;
	while (together(pairing, first, first - 1))
		first--;
	do
		end++;
	while (together(pairing, end - 1, end));
	for (int i = first; i < end; i++) {
		uint64_t a = pairing->a->pages[pairing->b->world.slots[i].origin], b = pairing->b->pages[i];
		weigh(&evidence, a, b);
		evidence.faults += same_own_frame(a, b) && !came_along(pairing->b, i);
	}
	return evidence;
}

static int count_of(const struct world *world, const struct slot *page)
{
	int count = 0;
	for (int i = 0; i < ARENA; i++)
		count += slots_look_alike(&world->slots[i], page);
	return count;
}

static bool is_proven(const struct pairing *pairing, const struct evidence *evidence)
{
	if (!evidence->equal || 4 * evidence->equal < evidence->both || evidence->broken > evidence->equal)
		return false;
	bool one_line = pairing->faults_left != UINT64_MAX;
	return one_line ? (uint64_t)evidence->faults > pairing->faults_left : evidence->held;
}

/* Whether it can be told that the page at `page` of B is the one that the program knows. */
static bool is_definite(const struct pairing *pairing, int page)
{
	const struct slot *slot = &pairing->b->world.slots[page];
	if (slot->origin == NOWHERE)
		return false;
	const struct slot *was = &pairing->a->world.slots[slot->origin];
	if (slot->origin == page && slot->perms == was->perms)
		return true;
	if (slot->memory != PRIVATE_ANON && slot->origin == page)
		return true;
	/* A place of a file that is mapped once in each may have been mapped anew. */
	bool once = slot->memory != PRIVATE_ANON && count_of(&pairing->a->world, slot) == 1 &&
	            count_of(&pairing->b->world, slot) == 1;
	if (once && strict)
		return true;
	if (slot->memory == SHARED_ANON || slot->memory == SHARED_FILE)
		return false;
	struct evidence evidence = evidence_of(pairing, page);
	/* With other permissions and no frame that is the same it may be other memory. */
	if (slot->origin == page)
		return !evidence.both || evidence.equal;
	return pairing->frames && is_proven(pairing, &evidence);
}

/* Whether B has that page of A still, and it can be told where. */
static bool is_kept(const struct pairing *pairing, int page)
{
	return pairing->moved_away[page] || pairing->b->world.slots[page].origin == page;
}

static bool continues(const struct slot *x, const struct slot *y)
{
	return x->memory == PRIVATE_ANON && y->memory == PRIVATE_ANON && x->perms == y->perms;
}

static void set_alike(struct pairing *pairing, int page, int from)
{
	pairing->alike[page][from] = pairing->has_alike[page] = true;
	if (from != page)
		pairing->maybe_away[from] = true;
}

/* Pages that are gone from A and come from nowhere that could be told in B, a step of `shift`
 * away from each other. */
static bool may_be_moved(const struct pairing *pairing, int page, int shift)
{
	const struct slot *in_a = pairing->a->world.slots, *in_b = pairing->b->world.slots;
	int from = page + shift;
	return from >= 0 && from < ARENA && in_b[page].memory == PRIVATE_ANON && !pairing->definite[page] &&
	       in_a[from].memory == PRIVATE_ANON && !is_kept(pairing, from);
}

/* Until where they look like one mapping in both.  one_map: even where neighbours that were
 * mapped apart did not become one. */
static int may_be_moved_until(const struct pairing *pairing, int page, int shift, bool one_map)
{
	const struct slot *in_a = pairing->a->world.slots + shift, *in_b = pairing->b->world.slots;
	int end = page + 1;
	while (end < ARENA && may_be_moved(pairing, end, shift) && continues(&in_a[page], &in_a[end]) &&
	       continues(&in_b[page], &in_b[end]) &&
	       (!one_map || (in_a[page].map == in_a[end].map && in_b[page].map == in_b[end].map)))
		end++;
	return end;
}

/* Frames that came back at the same distances: it looks as if it had moved. */
static void find_alike(struct pairing *pairing, int shift, bool one_map)
{
	for (int page = 0, end; page < ARENA; page = end) {
		end = page + 1;
		if (!may_be_moved(pairing, page, shift))
			continue;
		end = may_be_moved_until(pairing, page, shift, one_map);
		struct evidence evidence = { 0 };
		for (int i = page; i < end; i++)
			weigh(&evidence, pairing->a->pages[i + shift], pairing->b->pages[i]);
		/* Of a part only those may have moved that have the frame. */
		bool whole = evidence.equal && 2 * evidence.equal >= evidence.both;
		for (int i = page; shift && i < end; i++)
			if (whole || same_own_frame(pairing->a->pages[i + shift], pairing->b->pages[i]))
				set_alike(pairing, i, i + shift);
	}
}

/* New memory beside moved memory, with which it became one mapping: it looks like what was
 * beside it in A, and is no more. */
static void find_beside(struct pairing *pairing, int page, int step)
{
	const struct slot *in_a = pairing->a->world.slots, *in_b = pairing->b->world.slots;
	int at = page;
	while (at >= 0 && at < ARENA && continues(&in_b[page], &in_b[at]) && in_b[at].origin == NOWHERE)
		at += step;
	if (at < 0 || at >= ARENA || !continues(&in_b[page], &in_b[at]) || in_b[at].origin == at)
		return;
	int shift = in_b[at].origin - at, from = page + shift;
	if (from < 0 || from >= ARENA || is_kept(pairing, from))
		return;
	for (int i = page; i != at; i += step)
		if (!continues(&in_a[in_b[at].origin], &in_a[i + shift]))
			return;
	set_alike(pairing, page, from);
}

/* The same place of the same file. */
static void find_same_place(struct pairing *pairing, int page)
{
	const struct slot *slot = &pairing->b->world.slots[page];
	for (int i = 0; i < ARENA && slot->memory != PRIVATE_ANON; i++)
		if (i != page && slots_look_alike(&pairing->a->world.slots[i], slot))
			set_alike(pairing, page, i);
}

static void find_all_alike(struct pairing *pairing)
{
	for (int shift = 1 - ARENA; shift < ARENA; shift++) {
		find_alike(pairing, shift, false);
		find_alike(pairing, shift, true);
	}
	for (int page = 0; page < ARENA; page++) {
		const struct slot *slot = &pairing->b->world.slots[page];
		if (!slot->memory || slot->origin != NOWHERE)
			continue;
		find_beside(pairing, page, -1);
		find_beside(pairing, page, 1);
		find_same_place(pairing, page);
	}
}

/* Where a file is mapped twice, one may be taken for the other. */
static void look_alikes_may_be_away(struct pairing *pairing, int page)
{
	const struct slot *slot = &pairing->b->world.slots[page];
	if (slot->memory == PRIVATE_ANON || pairing->definite[page])
		return;
	for (int i = 0; i < ARENA; i++)
		if (i != page && slots_look_alike(&pairing->a->world.slots[i], slot))
			pairing->maybe_away[i] = true;
}

static bool frames_known(const struct view *view)
{
	return vmsnap_info(view->snap)->known.pfn;
}

static void find_definite(struct pairing *pairing)
{
	for (int i = 0; i < ARENA; i++) {
		const struct slot *slot = &pairing->b->world.slots[i];
		pairing->definite[i] = slot->memory && is_definite(pairing, i);
		if (pairing->definite[i] && slot->origin != i)
			pairing->moved_away[slot->origin] = true;
	}
}

void pairing_make(struct pairing *pairing, const struct view *a, const struct view *b)
{
	*pairing = (struct pairing){ .a = a, .b = b, .frames = frames_known(a) && frames_known(b) };
	pairing->faults_left = faults_between(a, b);
	if (pairing->faults_left != UINT64_MAX)
		pairing->faults_left = faults_left(a, b, pairing->faults_left);
	find_definite(pairing);
	for (int i = 0; i < ARENA; i++) {
		const struct slot *slot = &b->world.slots[i];
		if (!slot->memory)
			continue;
		look_alikes_may_be_away(pairing, i);
		if (slot->origin != NOWHERE && slot->origin != i)
			pairing->maybe_away[slot->origin] = true;
	}
	find_all_alike(pairing);
}

static uint64_t moves_of(const struct view *view)
{
	return vmsnap_info(view->snap)->page_moves;
}

bool pairing_disturbed(const struct pairing *pairing)
{
	/* If it moved any, of whomever, nothing is said of memory that moved for a fact. */
	if (pairing->frames && moves_of(pairing->a) != moves_of(pairing->b))
		return true;
	for (int i = 0; i < ARENA; i++) {
		const struct slot *slot = &pairing->b->world.slots[i];
		if (!slot->memory || slot->origin == NOWHERE || !slot_is_private(slot))
			continue;
		uint64_t a = pairing->a->pages[slot->origin], b = pairing->b->pages[i];
		if ((a | b) & ENTRY_SWAPPED_BIT)
			return true;
		if (!(slot->touched & (WROTE_IT | DROPPED_IT)) && is_own(a) && frame_of(a) && frame_of(b) &&
		    frame_of(a) != frame_of(b))
			return true;
	}
	return false;
}

/* ---- the facts of docs/verdicts.md ---- */

static uint32_t fact(bool holds, int change)
{
	return (uint32_t)holds << change;
}

static uint32_t present_facts(const struct pairing *pairing, uint64_t a, uint64_t b)
{
	const struct vmsnap_known *ka = &vmsnap_info(pairing->a->snap)->known,
	                          *kb = &vmsnap_info(pairing->b->snap)->known;
	bool one_a = a & ENTRY_EXCLUSIVE_BIT, one_b = b & ENTRY_EXCLUSIVE_BIT;
	bool other = frame_of(a) && frame_of(b) && frame_of(a) != frame_of(b);
	bool exclusive = ka->exclusive && kb->exclusive;
	return fact(pairing->frames && other, VMSNAP_CHANGE_PFN_CHANGED) |
	       fact(exclusive && !one_a && one_b, VMSNAP_CHANGE_BECAME_EXCLUSIVE) |
	       fact(exclusive && one_a && !one_b, VMSNAP_CHANGE_BECAME_SHARED) |
	       fact(ka->zero && kb->zero && (a & ENTRY_ZERO_BIT) && !(b & ENTRY_ZERO_BIT),
	            VMSNAP_CHANGE_ZERO_FILLED_IN);
}

/* memory: what B has the page in, and A had it in; NO_MEMORY: A had not. */
static uint32_t facts_of(const struct pairing *pairing, uint64_t a, uint64_t b, enum memory memory)
{
	const struct vmsnap_known *ka = &vmsnap_info(pairing->a->snap)->known,
	                          *kb = &vmsnap_info(pairing->b->snap)->known;
	bool dirty = ka->soft_dirty && kb->soft_dirty && !(a & ENTRY_DIRTY_BIT) && (b & ENTRY_DIRTY_BIT);
	bool same_file = memory == PRIVATE_FILE;
	/* By the file, or with the others that share it. */
	bool kept = memory != NO_MEMORY && memory != PRIVATE_ANON && (a & ENTRY_FILE_BIT);
	uint32_t facts = fact(!is_there(a) && is_there(b), VMSNAP_CHANGE_APPEARED) |
	                 fact(is_there(a) && !is_there(b) && !kept, VMSNAP_CHANGE_VANISHED) |
	                 fact(is_there(a) && !is_there(b) && kept, VMSNAP_CHANGE_NOT_MAPPED_NOW) |
	                 fact(dirty && is_there(b), VMSNAP_CHANGE_SOFT_DIRTIED);
	if (is_present(a) && is_present(b))
		facts |= present_facts(pairing, a, b);
	bool was_file = is_there(a) && (a & ENTRY_FILE_BIT), is_file = b & ENTRY_FILE_BIT;
	return facts | fact(same_file && was_file && is_there(b) && !is_file, VMSNAP_CHANGE_PRIVATISED);
}

static uint32_t facts_from(const struct pairing *pairing, int from, int page)
{
	const struct slot *slot = &pairing->b->world.slots[page];
	uint64_t a = from == NOWHERE ? 0 : pairing->a->pages[from];
	return facts_of(pairing, a, pairing->b->pages[page], from == NOWHERE ? NO_MEMORY : slot->memory);
}

/* ---- what may be said of one page ---- */

struct allowed {
	enum requirement why;
	uint32_t facts[2 * ARENA + SEVERAL], optional; /* SEVERAL: the few that are no look-alikes */
	int count;
};

static void allow(struct allowed *allowed, uint32_t facts)
{
	allowed->facts[allowed->count++] = facts;
}

static void allow_look_alikes(const struct pairing *pairing, int page, struct allowed *out)
{
	const struct slot *slot = &pairing->b->world.slots[page];
	for (int i = 0; i < ARENA && slot->memory != PRIVATE_ANON; i++)
		if (slots_look_alike(&pairing->a->world.slots[i], slot))
			allow(out, facts_from(pairing, i, page));
}

static void allow_alike(const struct pairing *pairing, int page, struct allowed *out)
{
	for (int i = 0; i < ARENA; i++)
		if (pairing->alike[page][i])
			allow(out, facts_from(pairing, i, page));
}

static bool is_allowed(const struct allowed *allowed, uint32_t changes)
{
	/* Later ones are not known here. */
	changes &= ((1u << (VMSNAP_CHANGE_UNGUARDED + 1)) - 1) | 1u << VMSNAP_CHANGE_NOT_MAPPED_NOW;
	for (int i = 0; i < allowed->count; i++)
		if ((changes & ~allowed->optional) == (allowed->facts[i] & ~allowed->optional))
			return true;
	return false;
}

static void allow_of_known(const struct pairing *pairing, int page, struct allowed *out)
{
	const struct slot *slot = &pairing->b->world.slots[page], *before = &pairing->a->world.slots[page];
	out->why = slot->origin == page ? STAY : before->memory ? MOVE_OVER : MOVE;
	allow(out, facts_from(pairing, slot->origin, page));
	if (out->why == MOVE_OVER && is_there(pairing->a->pages[page]))
		out->optional = 1u << VMSNAP_CHANGE_VANISHED;
	if (pairing->definite[page])
		return;
	out->optional = is_there(pairing->a->pages[page]) ? 1u << VMSNAP_CHANGE_VANISHED : 0;
	allow(out, facts_from(pairing, NOWHERE, page));
	allow_look_alikes(pairing, page, out);
	allow_alike(pairing, page, out);
	if (slots_look_alike(before, slot))
		allow(out, facts_from(pairing, page, page));
}

static int first_of(const struct slot *slots, int page)
{
	while (page > 0 && continues(&slots[page], &slots[page - 1]))
		page--;
	return page;
}

/* New memory over old that differs in permissions alone: in all of the mapping, as B has it,
 * nothing is as it was, and no frame of several is the same. */
static bool is_replaced_by_perms(const struct pairing *pairing, int page)
{
	const struct slot *in_b = pairing->b->world.slots, *in_a = pairing->a->world.slots;
	if (!strict || !pairing->frames || in_b[page].origin != NOWHERE ||
	    !slots_look_alike(&in_a[page], &in_b[page]) || in_b[page].memory != PRIVATE_ANON ||
	    in_a[page].perms == in_b[page].perms)
		return false;
	struct evidence evidence = { 0 };
	for (int i = first_of(in_b, page); i < ARENA && continues(&in_b[page], &in_b[i]); i++) {
		if (continues(&in_a[i], &in_b[i]))
			return false;
		if (in_a[i].memory == PRIVATE_ANON)
			weigh(&evidence, pairing->a->pages[i], pairing->b->pages[i]);
	}
	return !evidence.equal && evidence.both >= SEVERAL;
}

/* New in B, where A had nothing, or something else. */
static void allow_of_new(const struct pairing *pairing, int page, struct allowed *out)
{
	const struct slot *slot = &pairing->b->world.slots[page], *before = &pairing->a->world.slots[page];
	bool alike = slots_look_alike(before, slot), may_be_old = alike;
	out->why = before->memory && !alike ? REPLACED : NEW;
	allow(out, facts_from(pairing, NOWHERE, page));
	out->optional = is_there(pairing->a->pages[page]) ? 1u << VMSNAP_CHANGE_VANISHED : 0;
	allow_alike(pairing, page, out);
	if (alike && pairing->moved_away[page]) {
		out->why = REFILLED;
		may_be_old = false;
	} else if (is_replaced_by_perms(pairing, page)) {
		out->why = REPLACED_PERMS;
		may_be_old = false;
	}
	if (may_be_old)
		allow(out, facts_from(pairing, page, page));
}

static void allow_of_gone(const struct pairing *pairing, int page, struct allowed *out)
{
	bool was = pairing->a->world.slots[page].memory, away = pairing->moved_away[page];
	out->why = !was ? NOTHING : away ? MOVED_FROM : GONE;
	if (!away)
		allow(out, fact(is_there(pairing->a->pages[page]), VMSNAP_CHANGE_VANISHED));
	if (away || pairing->maybe_away[page])
		allow(out, 0);
}

static void allow_of(const struct pairing *pairing, int page, struct allowed *out)
{
	const struct slot *slot = &pairing->b->world.slots[page];
	*out = (struct allowed){ 0 };
	if (!slot->memory)
		allow_of_gone(pairing, page, out);
	else if (slot->origin != NOWHERE)
		allow_of_known(pairing, page, out);
	else
		allow_of_new(pairing, page, out);
}

static void check_pages(const struct pairing *pairing, const struct told_diff *told)
{
	for (int page = 0; page < ARENA; page++) {
		struct allowed allowed;
		allow_of(pairing, page, &allowed);
		if (!is_allowed(&allowed, told->changes[page]))
			broken(allowed.why, page, "%s to %s: %s, should be %s (it was at %d)", pairing->a->name,
			       pairing->b->name, changes_text(told->changes[page]), changes_text(allowed.facts[0]),
			       pairing->b->world.slots[page].memory ? pairing->b->world.slots[page].origin : page);
		if (pairing->has_alike[page] && pairing->b->world.slots[page].memory == PRIVATE_ANON)
			note_coincidence();
	}
}

/* ---- rows ---- */

static bool row_find(const struct vmsnap_diff *diff, int change, int from, int to)
{
	struct vmsnap_diff_vma row;
	for (size_t i = 0; !vmsnap_diff_vma(diff, i, &row); i++)
		if (row.change == change && (from == NOWHERE || (row.a && vma_has(row.a, from))) &&
		    (to == NOWHERE || (row.b && vma_has(row.b, to))))
			return true;
	return false;
}

/* Whether some page of the mapping that A has here is elsewhere in B. */
static bool some_moved(const struct pairing *pairing, int page)
{
	const struct slot *slots = pairing->a->world.slots;
	for (int i = 0; i < ARENA; i++)
		if (pairing->maybe_away[i] && slots[i].map == slots[page].map)
			return true;
	return false;
}

static void check_wanted_rows(const struct pairing *pairing, const struct vmsnap_diff *diff)
{
	for (int page = 0; page < ARENA; page++) {
		const struct slot *slot = &pairing->b->world.slots[page], *before = &pairing->a->world.slots[page];
		if (!slot->memory)
			continue;
		if (pairing->definite[page] && slot->origin != page &&
		    !row_find(diff, VMSNAP_VMA_CHANGE_MOVED, slot->origin, page))
			broken(ROWS_MOVED, page, "%s to %s: no row says that it moved from %d", pairing->a->name,
			       pairing->b->name, slot->origin);
		/* What went elsewhere moved; no more is required of its old place. */
		bool other = !slots_look_alike(before, slot) || is_replaced_by_perms(pairing, page);
		if (before->memory && other && slot->origin == NOWHERE && !some_moved(pairing, page) &&
		    !pairing->has_alike[page] && !row_find(diff, VMSNAP_VMA_CHANGE_REPLACED, page, NOWHERE))
			broken(ROWS_REPLACED, page, "%s to %s: no row says that it was replaced", pairing->a->name,
			       pairing->b->name);
	}
}

/* Whether the page at `page` of B may be the one at `from` of A. */
static bool may_be_from(const struct pairing *pairing, int page, int from)
{
	const struct slot *slot = &pairing->b->world.slots[page];
	if (slot->origin == from || pairing->alike[page][from])
		return true;
	if (from == page && is_replaced_by_perms(pairing, page))
		return false;
	bool here = from == page || (slot->memory != PRIVATE_ANON && !pairing->definite[page]);
	return here && slots_look_alike(&pairing->a->world.slots[from], slot);
}

/* Whether some page of the row's B may have been in its A; moved: at another address. */
static bool row_is_borne_out(const struct pairing *pairing, const struct vmsnap_diff_vma *row, bool moved)
{
	int first_a, end_a, first, end;
	vma_pages(row->a, &first_a, &end_a);
	vma_pages(row->b, &first, &end);
	for (int page = first; page < end; page++)
		for (int from = first_a; from < end_a; from++) {
			bool plain = pairing->b->world.slots[page].memory == PRIVATE_ANON;
			/* Without frames a move of such memory is a guess. */
			if (moved && (from == page || (plain && !pairing->frames)))
				continue;
			if (may_be_from(pairing, page, from))
				return true;
		}
	return false;
}

static void check_told_rows(const struct pairing *pairing, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_vma row;
	for (size_t i = 0; !vmsnap_diff_vma(diff, i, &row); i++) {
		/* Later ones are not known here; they say "possibly". */
		if (!row.a || !row.b || row.change == VMSNAP_VMA_CHANGE_REPLACED ||
		    row.change > VMSNAP_VMA_CHANGE_RENAMED)
			continue;
		int first, end;
		vma_pages(row.b, &first, &end);
		bool moved = row.change == VMSNAP_VMA_CHANGE_MOVED;
		if (first < end && !row_is_borne_out(pairing, &row, moved))
			broken(moved ? FAKE_MOVE : ROWS_UNTRUE, first, "%s to %s: a row says %s", pairing->a->name,
			       pairing->b->name, vmsnap_vma_change_name(row.change));
	}
}

/* ---- all ---- */

/* Whether a write made a copy of a page that was shared with somebody. */
static bool is_copy(uint64_t a, uint64_t b)
{
	bool shared = (a & ENTRY_FILE_BIT) || (is_own(a) && !(a & ENTRY_EXCLUSIVE_BIT));
	return is_present(a) && shared && is_own(b) && frame_of(a) != frame_of(b);
}

/* Whether the mapping at `page`, of which nothing is left and something went, may be another: then
 * nothing in it is called copied. */
static bool may_be_another(const struct pairing *pairing, int page)
{
	const struct slot *in_a = pairing->a->world.slots;
	bool lost = false;
	for (int i = 0; i < ARENA; i++) {
		if (in_a[i].map != in_a[page].map)
			continue;
		if (same_own_frame(pairing->a->pages[i], pairing->b->pages[i]))
			return false;
		lost |= is_own(pairing->a->pages[i]) && !is_own(pairing->b->pages[i]);
	}
	return lost && in_a[page].memory == PRIVATE_ANON;
}

static bool may_be_told_as_changed(const struct pairing *pairing, int page)
{
	struct allowed allowed;
	allow_of(pairing, page, &allowed);
	for (int i = 0; i < allowed.count; i++)
		if (allowed.facts[i] & (1u << VMSNAP_CHANGE_PFN_CHANGED | 1u << VMSNAP_CHANGE_PRIVATISED))
			return true;
	return false;
}

/* The text tells all pages, not only those of the arena. */
static void check_copied(const struct pairing *pairing, const struct told_diff *told)
{
	uint64_t least = 0, most = 0, said = told_copied(told);
	for (int page = 0; page < ARENA; page++) {
		const struct slot *slot = &pairing->b->world.slots[page];
		if (!slot->memory || !slot_is_private(slot))
			continue;
		most += may_be_told_as_changed(pairing, page);
		/* What was dropped was made anew, and not copied; nothing tells that for certain. */
		bool kept = pairing->definite[page] && !(slot->touched & DROPPED_IT) && !may_be_another(pairing, page);
		least += kept && is_copy(pairing->a->pages[slot->origin], pairing->b->pages[page]);
	}
	uint64_t outside = copied_outside(pairing->a, pairing->b, is_copy);
	least = (least + outside) * page_bytes;
	most = (most + outside) * page_bytes;
	if (pairing->frames && (said < least || said > most))
		broken(TOLD_COPIED, NOWHERE, "%s to %s: %llu bytes told as copied, it were %llu to %llu",
		       pairing->a->name, pairing->b->name, (unsigned long long)said, (unsigned long long)least,
		       (unsigned long long)most);
}

static void check_history(const struct pairing *pairing, const struct told_diff *told)
{
	for (int page = 0; page < ARENA; page++) {
		bool mapped = pairing->b->world.slots[page].memory;
		if (!mapped && !pairing->a->world.slots[page].memory)
			continue;
		int64_t changes = told_history(pairing->a, pairing->b, page);
		if (changes != told->changes[page])
			broken(mapped ? HISTORY : HISTORY_OLD, page, "%s to %s: diff says %s, history %s",
			       pairing->a->name, pairing->b->name, changes_text(told->changes[page]),
			       changes == NOT_COMPARED ? "that nothing can be compared"
			                               : changes_text((uint32_t)changes));
	}
}

void check_pair(const struct view *a, const struct view *b, bool same_process)
{
	struct pairing pairing;
	struct told_diff told;
	pairing_make(&pairing, a, b);
	if (!told_diff(a, b, &told)) {
		broken(TOTALS, NOWHERE, "no diff can be made");
		return;
	}
	check_pages(&pairing, &told);
	check_wanted_rows(&pairing, told.diff);
	check_told_rows(&pairing, told.diff);
	check_copied(&pairing, &told);
	if (same_process)
		check_history(&pairing, &told);
	told_diff_free(&told);
}
