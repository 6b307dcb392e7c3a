/* check_pair.c - requirements for two snapshots: facts, rows, history.
 *
 * The program knows where each page was.  A snapshot tells less, and what it does not tell
 * may be said either way; where it does tell, only the truth will do. */
#include "sequences.h"

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
	uint32_t facts[2 * ARENA + 4], optional; /* 4: the few that are no look-alikes */
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
	} else if (pairing_replaced_by_perms(pairing, page)) {
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
		bool other = !slots_look_alike(before, slot) || pairing_replaced_by_perms(pairing, page);
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
	if (from == page && pairing_replaced_by_perms(pairing, page))
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
