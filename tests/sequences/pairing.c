/* pairing.c - which page of one snapshot was which of the other, as the program knows it, and what a diff may
 * take it for that sees less. */
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

static int first_of(const struct slot *slots, int page)
{
	while (page > 0 && continues(&slots[page], &slots[page - 1]))
		page--;
	return page;
}

bool pairing_replaced_by_perms(const struct pairing *pairing, int page)
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
