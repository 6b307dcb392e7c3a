/* check_pair.c - requirements for two snapshots: facts, rows, history.
 *
 * The program knows where each page was.  A snapshot tells less, and what it does not tell
 * may be said either way; where it does tell, only the truth will do. */
#include <string.h>

#include "sequences.h"

/* So many pages with the same frame prove a move, if they are most of those that both have;
 * of fewer nothing is required. */
enum { PROOF = 4 };

/* ---- which page was which ---- */

struct evidence {
	int equal, both;
};

static void weigh(struct evidence *evidence, uint64_t a, uint64_t b)
{
	evidence->both += is_present(a) && is_present(b);
	evidence->equal += same_own_frame(a, b);
}

/* Whether two neighbours in B came from neighbours in A, and look like one mapping in both. */
static bool together(const struct pairing *pairing, int x, int y)
{
	const struct slot *in_b = pairing->b->world.slots, *in_a = pairing->a->world.slots;
	if (y < 0 || y >= ARENA || !in_b[y].memory || in_b[y].origin == NOWHERE)
		return false;
	const struct slot *ax = &in_a[in_b[x].origin], *ay = &in_a[in_b[y].origin];
	return in_b[y].origin - y == in_b[x].origin - x && in_b[x].perms == in_b[y].perms && ax->perms == ay->perms &&
	       in_b[x].memory == in_b[y].memory && in_b[x].object == in_b[y].object;
}

/* Of all pages that came along with the one at `page` of B. */
static struct evidence evidence_of(const struct pairing *pairing, int page)
{
	struct evidence evidence = { 0, 0 };
	int first = page, end = page;
	while (together(pairing, first, first - 1))
		first--;
	do
		end++;
	while (together(pairing, end - 1, end));
	for (int i = first; i < end; i++)
		weigh(&evidence, pairing->a->pages[pairing->b->world.slots[i].origin], pairing->b->pages[i]);
	return evidence;
}

static int count_of(const struct world *world, const struct slot *page)
{
	int count = 0;
	for (int i = 0; i < ARENA; i++)
		count += slots_look_alike(&world->slots[i], page);
	return count;
}

static bool is_proven(struct evidence evidence)
{
	return evidence.equal >= PROOF && 2 * evidence.equal > evidence.both;
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
	/* A place of a file that is mapped once in each. */
	if (slot->memory != PRIVATE_ANON)
		return slot->origin == page ||
		       (count_of(&pairing->a->world, slot) == 1 && count_of(&pairing->b->world, slot) == 1);
	struct evidence evidence = evidence_of(pairing, page);
	/* With other permissions and no frame that is the same it may be other memory. */
	if (slot->origin == page)
		return !evidence.both || evidence.equal;
	return pairing->frames && is_proven(evidence);
}

/* New memory in B from which pages of A cannot be told: their frames came back at the same
 * distances; or it is the same place of the same file. */
static bool alike_at(const struct pairing *pairing, int page, int from)
{
	const struct slot *in_a = pairing->a->world.slots, *in_b = pairing->b->world.slots;
	if (!slots_look_alike(&in_a[from], &in_b[page]))
		return false;
	if (in_b[page].memory != PRIVATE_ANON)
		return true;
	struct evidence evidence = { 0, 0 };
	for (int step = -1; step <= 1; step += 2)
		for (int i = page + (step > 0 ? 0 : -1), j = from + (i - page);
		     i >= 0 && i < ARENA && j >= 0 && j < ARENA && in_b[i].map == in_b[page].map &&
		     in_b[i].origin == NOWHERE && in_a[j].memory == PRIVATE_ANON;
		     i += step, j += step)
			weigh(&evidence, pairing->a->pages[j], pairing->b->pages[i]);
	return evidence.equal && 2 * evidence.equal >= evidence.both;
}

/* The shifts are those at which some page has the frame that it would have moved with. */
static int find_alike(const struct pairing *pairing, int page)
{
	const struct slot *in_b = pairing->b->world.slots;
	for (int i = 0; i < ARENA; i++) {
		if (in_b[i].map != in_b[page].map || in_b[i].origin != NOWHERE)
			continue;
		for (int j = 0; j < ARENA; j++) {
			int from = j + page - i;
			if (from < 0 || from >= ARENA || from == page)
				continue;
			bool hint = in_b[page].memory != PRIVATE_ANON ||
			            same_own_frame(pairing->a->pages[j], pairing->b->pages[i]);
			if (hint && alike_at(pairing, page, from))
				return from;
		}
	}
	return NOWHERE;
}

static bool frames_known(const struct view *view)
{
	return vmsnap_info(view->snap)->known.pfn;
}

void pairing_make(struct pairing *pairing, const struct view *a, const struct view *b)
{
	*pairing = (struct pairing){ .a = a, .b = b, .frames = frames_known(a) && frames_known(b) };
	for (int i = 0; i < ARENA; i++) {
		const struct slot *slot = &b->world.slots[i];
		pairing->alike[i] = NOWHERE;
		if (!slot->memory)
			continue;
		pairing->definite[i] = is_definite(pairing, i);
		if (slot->origin == NOWHERE)
			pairing->alike[i] = find_alike(pairing, i);
		int from = slot->origin == NOWHERE ? pairing->alike[i] : slot->origin;
		if (from == NOWHERE || from == i)
			continue;
		pairing->maybe_away[from] = true;
		pairing->moved_away[from] |= pairing->definite[i];
	}
}

bool pairing_disturbed(const struct pairing *pairing)
{
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

/* same_file: A has the page of the private file mapping in which B has this one. */
static uint32_t facts_of(const struct pairing *pairing, uint64_t a, uint64_t b, bool same_file)
{
	const struct vmsnap_known *ka = &vmsnap_info(pairing->a->snap)->known,
	                          *kb = &vmsnap_info(pairing->b->snap)->known;
	bool dirty = ka->soft_dirty && kb->soft_dirty && !(a & ENTRY_DIRTY_BIT) && (b & ENTRY_DIRTY_BIT);
	uint32_t facts = fact(!is_there(a) && is_there(b), VMSNAP_CHANGE_APPEARED) |
	                 fact(is_there(a) && !is_there(b), VMSNAP_CHANGE_VANISHED) |
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
	return facts_of(pairing, a, pairing->b->pages[page], from != NOWHERE && slot->memory == PRIVATE_FILE);
}

/* ---- what may be said of one page ---- */

struct allowed {
	enum requirement why;
	uint32_t facts[6], optional;
	int count;
};

static void allow(struct allowed *allowed, uint32_t facts)
{
	allowed->facts[allowed->count++] = facts;
}

static bool is_allowed(const struct allowed *allowed, uint32_t changes)
{
	changes &= (1u << (VMSNAP_CHANGE_UNGUARDED + 1)) - 1; /* later ones are not known here */
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
	if (slots_look_alike(before, slot))
		allow(out, facts_from(pairing, page, page));
}

/* New in B, where A had nothing, or something else. */
static void allow_of_new(const struct pairing *pairing, int page, struct allowed *out)
{
	const struct slot *slot = &pairing->b->world.slots[page], *before = &pairing->a->world.slots[page];
	bool alike = slots_look_alike(before, slot), may_be_old = alike;
	out->why = before->memory && !alike ? REPLACED : NEW;
	allow(out, facts_from(pairing, NOWHERE, page));
	out->optional = is_there(pairing->a->pages[page]) ? 1u << VMSNAP_CHANGE_VANISHED : 0;
	if (pairing->alike[page] != NOWHERE)
		allow(out, facts_from(pairing, pairing->alike[page], page));
	if (alike && pairing->moved_away[page]) {
		out->why = REFILLED;
		may_be_old = false;
	} else if (alike && before->perms != slot->perms && pairing->frames && slot->memory == PRIVATE_ANON) {
		struct evidence evidence = { 0, 0 };
		for (int i = 0; i < ARENA; i++)
			if (pairing->b->world.slots[i].map == slot->map && pairing->b->world.slots[i].origin == NOWHERE)
				weigh(&evidence, pairing->a->pages[i], pairing->b->pages[i]);
		out->why = REPLACED_PERMS;
		may_be_old = evidence.equal || evidence.both < PROOF;
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
		if (pairing->alike[page] != NOWHERE && pairing->b->world.slots[page].memory == PRIVATE_ANON)
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
		if (before->memory && !slots_look_alike(before, slot) && slot->origin == NOWHERE &&
		    !pairing->maybe_away[page] && pairing->alike[page] == NOWHERE &&
		    !row_find(diff, VMSNAP_VMA_CHANGE_REPLACED, page, NOWHERE))
			broken(ROWS_REPLACED, page, "%s to %s: no row says that it was replaced", pairing->a->name,
			       pairing->b->name);
	}
}

/* Whether some page of `b` may have been in `a`, at its own place or at another. */
static bool row_is_borne_out(const struct pairing *pairing, const struct vmsnap_diff_vma *row, bool moved)
{
	int first, end;
	vma_pages(row->b, &first, &end);
	for (int page = first; page < end; page++) {
		const struct slot *slot = &pairing->b->world.slots[page];
		int from = slot->origin == NOWHERE ? pairing->alike[page] : slot->origin;
		if (moved && from != NOWHERE && from != page && vma_has(row->a, from) &&
		    (pairing->frames || slot->memory != PRIVATE_ANON))
			return true;
		if (!moved && vma_has(row->a, page) &&
		    (from == page || slots_look_alike(&pairing->a->world.slots[page], slot)))
			return true;
	}
	return false;
}

static void check_told_rows(const struct pairing *pairing, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_vma row;
	for (size_t i = 0; !vmsnap_diff_vma(diff, i, &row); i++) {
		if (!row.a || !row.b || row.change == VMSNAP_VMA_CHANGE_REPLACED)
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

static void check_copied(const struct pairing *pairing, const struct told_diff *told)
{
	uint64_t copied = 0, said = told_copied(told);
	for (int page = 0; page < ARENA; page++) {
		const struct slot *slot = &pairing->b->world.slots[page];
		if (!slot->memory || !pairing->definite[page] || !slot_is_private(slot))
			continue;
		uint64_t a = pairing->a->pages[slot->origin], b = pairing->b->pages[page];
		bool shared = is_own(a) && !(a & ENTRY_EXCLUSIVE_BIT);
		copied += shared && is_own(b) && (slot->touched & WROTE_IT) && !same_own_frame(a, b) ? page_bytes : 0;
	}
	/* There are other pages beside those of the arena: it may be more. */
	if (pairing->frames && said < copied)
		broken(TOLD_COPIED, NOWHERE, "%s to %s: %llu bytes told as copied, %llu were", pairing->a->name,
		       pairing->b->name, (unsigned long long)said, (unsigned long long)copied);
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
