/* check_cow.c - requirements for a parent, its child and the base: verdicts.
 *
 * Origins are those of the base.  Where parent and child have different pages at one address,
 * of which each could claim it, nothing is required. */
#include "sequences.h"

struct family {
	const struct view *parent, *child, *base;
	struct pairing to_parent, to_child;
	int in_parent[ARENA], in_child[ARENA]; /* where a page of the base is now, or NOWHERE */
};

/* ---- the rules of docs/verdicts.md, for pages of one mapping ---- */

enum kind { ABSENT, ZERO, FILEPAGE, OWN, NO_BASE };

static uint32_t only(int verdict)
{
	return 1u << verdict;
}

static enum kind kind_of(uint64_t entry)
{
	if (!is_present(entry))
		return ABSENT;
	if (entry & ENTRY_ZERO_BIT)
		return ZERO;
	return entry & ENTRY_FILE_BIT ? FILEPAGE : OWN;
}

/* In a private mapping of a file the page that is absent is the file's. */
static enum kind kind_in(enum kind kind, bool of_file)
{
	return of_file && kind == ABSENT ? FILEPAGE : kind;
}

struct trio {
	enum kind base, parent, child;
	uint64_t base_entry, parent_entry, child_entry;
};

static uint32_t verdict_by_exclusive(const struct trio *trio)
{
	bool parent = trio->parent_entry & ENTRY_EXCLUSIVE_BIT, child = trio->child_entry & ENTRY_EXCLUSIVE_BIT;
	if (!parent && !child)
		return only(VMSNAP_VERDICT_SHARED);
	if (trio->base == ABSENT)
		return only(VMSNAP_VERDICT_NEW_IN_BOTH);
	if (trio->base == ZERO)
		return only(VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH);
	if (trio->base == FILEPAGE)
		return only(VMSNAP_VERDICT_COPIED_BY_BOTH);
	return only(parent && child ? VMSNAP_VERDICT_COPIED
	            : child         ? VMSNAP_VERDICT_COPIED_BY_CHILD
	                            : VMSNAP_VERDICT_COPIED_BY_PARENT);
}

static uint32_t verdict_of_two(const struct trio *trio)
{
	uint64_t base = frame_of(trio->base_entry), parent = frame_of(trio->parent_entry);
	uint64_t child = frame_of(trio->child_entry);
	if (!parent || !child)
		return verdict_by_exclusive(trio);
	if (parent == child)
		return only(VMSNAP_VERDICT_SHARED);
	switch (trio->base) {
	case ABSENT:
		return only(VMSNAP_VERDICT_NEW_IN_BOTH);
	case ZERO:
		return only(VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH);
	case FILEPAGE:
		return only(VMSNAP_VERDICT_COPIED_BY_BOTH);
	case NO_BASE:
		return only(VMSNAP_VERDICT_COPIED);
	default:
		if (!base)
			return only(VMSNAP_VERDICT_COPIED);
		return only(parent == base  ? VMSNAP_VERDICT_COPIED_BY_CHILD
		            : child == base ? VMSNAP_VERDICT_COPIED_BY_PARENT
		                            : VMSNAP_VERDICT_COPIED_BY_BOTH);
	}
}

static uint32_t verdict_of_one(const struct trio *trio)
{
	bool child = trio->child == OWN;
	switch (trio->base == NO_BASE ? (child ? trio->parent : trio->child) : trio->base) {
	case OWN:
		return only(child ? VMSNAP_VERDICT_DROPPED_BY_PARENT : VMSNAP_VERDICT_DROPPED_BY_CHILD);
	case ZERO:
		return only(child ? VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD : VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT);
	case FILEPAGE:
		return only(child ? VMSNAP_VERDICT_COPIED_BY_CHILD : VMSNAP_VERDICT_COPIED_BY_PARENT);
	default:
		if (trio->base == NO_BASE)
			return only(child ? VMSNAP_VERDICT_ONLY_IN_CHILD : VMSNAP_VERDICT_ONLY_IN_PARENT);
		return only(child ? VMSNAP_VERDICT_NEW_IN_CHILD : VMSNAP_VERDICT_NEW_IN_PARENT);
	}
}

/* Both map the same thing, privately. */
static uint32_t verdict_together(struct trio trio, bool of_file)
{
	if (of_file && (trio.parent != ABSENT || trio.child != ABSENT)) {
		trio.base = kind_in(trio.base, true);
		trio.parent = kind_in(trio.parent, true);
		trio.child = kind_in(trio.child, true);
	}
	if (trio.parent == OWN && trio.child == OWN)
		return verdict_of_two(&trio);
	if (trio.parent == OWN || trio.child == OWN)
		return verdict_of_one(&trio);
	if (trio.base == OWN)
		return only(VMSNAP_VERDICT_DROPPED_BY_BOTH);
	if (trio.parent == ABSENT && trio.child == ABSENT)
		return only(NO_VERDICT);
	bool file = trio.parent == FILEPAGE || trio.child == FILEPAGE;
	if (file || trio.base == ZERO)
		return only(file ? VMSNAP_VERDICT_FILE : VMSNAP_VERDICT_ZERO_SHARED);
	if (trio.base == NO_BASE && trio.parent == ZERO && trio.child == ZERO)
		return only(VMSNAP_VERDICT_ZERO_SHARED);
	if (trio.base == NO_BASE)
		return only(VMSNAP_VERDICT_ZERO);
	return only(trio.parent == ABSENT  ? VMSNAP_VERDICT_ZERO_IN_CHILD
	            : trio.child == ABSENT ? VMSNAP_VERDICT_ZERO_IN_PARENT
	                                   : VMSNAP_VERDICT_ZERO_IN_BOTH);
}

static struct trio trio_of(const uint64_t *base, const uint64_t *parent, const uint64_t *child)
{
	return (struct trio){ .base = base ? kind_of(*base) : NO_BASE,
		              .parent = kind_of(*parent),
		              .child = kind_of(*child),
		              .base_entry = base ? *base : 0,
		              .parent_entry = *parent,
		              .child_entry = *child };
}

static uint32_t verdict_wanted(const struct slot *slot, const uint64_t *base, const uint64_t *parent,
                               const uint64_t *child)
{
	if (!slot_is_private(slot))
		return only(is_there(*parent) || is_there(*child) ? VMSNAP_VERDICT_SHARED_MAPPING : NO_VERDICT);
	return verdict_together(trio_of(base, parent, child), slot->memory == PRIVATE_FILE);
}

/* One side, which is given, kept the page; the other unmapped it.  What was not there before,
 * though it was a file's, the other cannot have dropped. */
static uint32_t verdict_kept(const struct slot *slot, uint64_t base, uint64_t keeper, bool child_keeps)
{
	enum kind was = kind_of(base), is = kind_of(keeper);
	bool was_own = was == OWN && slot_is_private(slot), is_own_page = is == OWN && slot_is_private(slot);
	if (was_own && !is_own_page && slot_is_private(slot))
		return only(VMSNAP_VERDICT_DROPPED_BY_BOTH);
	/* What was not anybody's own nobody dropped. */
	if (was != ABSENT && was != OWN && slot_is_private(slot) && is != OWN)
		return is == FILEPAGE ? only(VMSNAP_VERDICT_FILE) : only(VMSNAP_VERDICT_ZERO_SHARED) | only(NO_VERDICT);
	if (!slot_is_private(slot))
		return only(is == ABSENT ? NO_VERDICT : VMSNAP_VERDICT_SHARED_MAPPING);
	if (was == ZERO || was == FILEPAGE) {
		if (was == ZERO)
			return only(child_keeps ? VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD
			                        : VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT);
		return only(child_keeps ? VMSNAP_VERDICT_COPIED_BY_CHILD : VMSNAP_VERDICT_COPIED_BY_PARENT);
	}
	if (was != ABSENT)
		return only(child_keeps ? VMSNAP_VERDICT_DROPPED_BY_PARENT : VMSNAP_VERDICT_DROPPED_BY_CHILD);
	if (is == ABSENT)
		return only(NO_VERDICT);
	if (!slot_is_private(slot))
		return only(VMSNAP_VERDICT_SHARED_MAPPING);
	if (is == ZERO)
		return only(child_keeps ? VMSNAP_VERDICT_ZERO_IN_CHILD : VMSNAP_VERDICT_ZERO_IN_PARENT);
	return only(is == FILEPAGE ? VMSNAP_VERDICT_FILE
	            : child_keeps  ? VMSNAP_VERDICT_NEW_IN_CHILD
	                           : VMSNAP_VERDICT_NEW_IN_PARENT);
}

/* ---- what is required ---- */

static const char *verdict_text(int verdict)
{
	return verdict == NO_VERDICT ? "no verdict" : vmsnap_verdict_name(verdict);
}

/* What is said where the base does not tell: it was taken before the fork, and something may have
 * come in between. */
static uint32_t weaker(uint32_t wanted)
{
	static const struct {
		uint32_t of;
		int verdict;
	} said[] = {
		{ 1u << VMSNAP_VERDICT_NEW_IN_CHILD | 1u << VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD |
		          1u << VMSNAP_VERDICT_COPIED_BY_CHILD | 1u << VMSNAP_VERDICT_DROPPED_BY_PARENT,
		  VMSNAP_VERDICT_ONLY_IN_CHILD },
		{ 1u << VMSNAP_VERDICT_NEW_IN_PARENT | 1u << VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT |
		          1u << VMSNAP_VERDICT_COPIED_BY_PARENT | 1u << VMSNAP_VERDICT_DROPPED_BY_CHILD,
		  VMSNAP_VERDICT_ONLY_IN_PARENT },
		{ 1u << VMSNAP_VERDICT_COPIED_BY_CHILD | 1u << VMSNAP_VERDICT_COPIED_BY_PARENT |
		          1u << VMSNAP_VERDICT_COPIED_BY_BOTH | 1u << VMSNAP_VERDICT_NEW_IN_BOTH |
		          1u << VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH,
		  VMSNAP_VERDICT_COPIED },
		{ 1u << VMSNAP_VERDICT_ZERO_SHARED | 1u << VMSNAP_VERDICT_DROPPED_BY_BOTH,
		  VMSNAP_VERDICT_ZERO_IN_CHILD },
		{ 1u << VMSNAP_VERDICT_ZERO_SHARED | 1u << VMSNAP_VERDICT_DROPPED_BY_BOTH,
		  VMSNAP_VERDICT_ZERO_IN_PARENT },
		{ 1u << VMSNAP_VERDICT_ZERO_SHARED | 1u << VMSNAP_VERDICT_DROPPED_BY_BOTH,
		  VMSNAP_VERDICT_ZERO_IN_BOTH },
		{ 1u << VMSNAP_VERDICT_ZERO_IN_CHILD | 1u << VMSNAP_VERDICT_ZERO_IN_PARENT |
		          1u << VMSNAP_VERDICT_ZERO_IN_BOTH | 1u << VMSNAP_VERDICT_ZERO_SHARED,
		  VMSNAP_VERDICT_ZERO },
		{ 1u << VMSNAP_VERDICT_ZERO_IN_BOTH, VMSNAP_VERDICT_ZERO_SHARED },
		{ 1u << VMSNAP_VERDICT_DROPPED_BY_BOTH, NO_VERDICT },
		{ 1u << VMSNAP_VERDICT_DROPPED_BY_BOTH, VMSNAP_VERDICT_FILE },
		{ 1u << VMSNAP_VERDICT_DROPPED_BY_BOTH, VMSNAP_VERDICT_ZERO_SHARED },
	};
	uint32_t found = 0;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		found |= wanted & said[i].of ? only(said[i].verdict) : 0;
	return found;
}

static void require(const struct told_cow *told, enum requirement which, int page, uint32_t allowed, const char *what)
{
	uint32_t all = told->all[page] ? told->all[page] : only(NO_VERDICT);
	if ((allowed | weaker(allowed)) & all)
		return;
	broken(which, page, "%s; should be %s: %s", verdict_text(told->verdicts[page]),
	       verdict_text(__builtin_ctz(allowed)), what);
}

static bool is_known(const struct pairing *pairing, int from, int to)
{
	return from == to || pairing->definite[to];
}

static bool has(const struct view *view, int page)
{
	return view->world.slots[page].memory;
}

static void check_kept_by_both(const struct family *family, const struct told_cow *told, int page)
{
	int parent = family->in_parent[page], child = family->in_child[page];
	if (!is_known(&family->to_parent, page, parent) || !is_known(&family->to_child, page, child))
		return;
	bool claimed = has(family->parent, child) && parent != child;
	uint32_t wanted = verdict_wanted(&family->base->world.slots[page], &family->base->pages[page],
	                                 &family->parent->pages[parent], &family->child->pages[child]);
	bool moved = parent != page || child != page;
	if (!claimed)
		require(told, moved ? COW_MOVE : COW, child, wanted, "both have it");
	/* What the base had there is told there. */
	if (parent != child && !has(family->child, parent) && !has(family->base, parent))
		require(told, COW_OLD, parent, wanted | only(NO_VERDICT), "both have it, the child elsewhere");
	if (parent != page && child != page && !has(family->parent, page) && !has(family->child, page))
		require(told, COW_OLD, page, only(NO_VERDICT), "both have it, elsewhere");
}

/* What a side left where and as it was, it did not copy, whatever the other side has there now. */
static void check_not_copied(const struct family *family, const struct told_cow *told, int page)
{
	uint32_t by_child = only(VMSNAP_VERDICT_COPIED_BY_CHILD) | only(VMSNAP_VERDICT_COPIED_BY_BOTH);
	if (same_own_frame(family->base->pages[page], family->child->pages[page]) && told->all[page] & by_child)
		broken(COW, page, "%s; the child has it as it was", verdict_text(VMSNAP_VERDICT_COPIED_BY_CHILD));
}

static void check_kept_by_one(const struct family *family, const struct told_cow *told, int page, bool child_keeps)
{
	const struct view *keeper = child_keeps ? family->child : family->parent;
	const struct view *other = child_keeps ? family->parent : family->child;
	int at = child_keeps ? family->in_child[page] : family->in_parent[page];
	/* What the parent moved is told at its old place: where the child would have it. */
	int told_at = child_keeps ? at : page;
	bool claimed = has(other, told_at), moved = at != page;
	if (!is_known(child_keeps ? &family->to_child : &family->to_parent, page, at))
		return;
	if (child_keeps && !moved)
		check_not_copied(family, told, page);
	if (claimed && (child_keeps || !moved))
		return;
	/* What the child moved there is told there, and asked for as that. */
	if (claimed && other->world.slots[told_at].origin != NOWHERE)
		return;
	/* It may look as if the other moved it, when it was given the frames again. */
	const struct pairing *of_other = child_keeps ? &family->to_parent : &family->to_child;
	if (of_other->maybe_away[page])
		return;
	uint32_t wanted = verdict_kept(&family->base->world.slots[page], family->base->pages[page], keeper->pages[at],
	                               child_keeps);
	/* What the other mapped anew there looks like the old, written. */
	const struct slot *slot = &family->base->world.slots[page];
	if (has(other, page) && slots_look_alike(slot, &other->world.slots[page]))
		wanted |= verdict_wanted(slot, &family->base->pages[page],
		                         child_keeps ? &other->pages[page] : &keeper->pages[at],
		                         child_keeps ? &keeper->pages[at] : &other->pages[page]);
	if (claimed && is_there(other->pages[told_at]))
		wanted |= slot_is_private(&other->world.slots[told_at])
		                  ? only(VMSNAP_VERDICT_NEW_IN_CHILD) | only(VMSNAP_VERDICT_NEW_IN_BOTH)
		                  : only(VMSNAP_VERDICT_SHARED_MAPPING);
	require(told, COW_GONE, told_at, wanted, child_keeps ? "the parent unmapped it" : "the child unmapped it");
}

static void check_gone(const struct family *family, const struct told_cow *told, int page)
{
	if (has(family->parent, page) || has(family->child, page))
		return;
	if (family->to_parent.maybe_away[page] || family->to_child.maybe_away[page])
		return;
	bool own = is_own(family->base->pages[page]) && slot_is_private(&family->base->world.slots[page]);
	uint32_t wanted = only(own ? VMSNAP_VERDICT_DROPPED_BY_BOTH : NO_VERDICT);
	require(told, COW_GONE, page, wanted, "both unmapped it");
}

static void check_base_pages(const struct family *family, const struct told_cow *told)
{
	for (int page = 0; page < ARENA; page++) {
		bool parent = family->in_parent[page] != NOWHERE, child = family->in_child[page] != NOWHERE;
		if (!has(family->base, page))
			continue;
		if (parent && child)
			check_kept_by_both(family, told, page);
		else if (parent || child)
			check_kept_by_one(family, told, page, child);
		else
			check_gone(family, told, page);
	}
}

static void check_new_pages(const struct family *family, const struct told_cow *told, bool by_child)
{
	const struct view *maker = by_child ? family->child : family->parent;
	const struct view *other = by_child ? family->parent : family->child;
	const struct pairing *pairing = by_child ? &family->to_child : &family->to_parent;
	for (int page = 0; page < ARENA; page++) {
		const struct slot *slot = &maker->world.slots[page];
		uint64_t entry = maker->pages[page];
		if (!slot->memory || slot->origin != NOWHERE || pairing->has_alike[page])
			continue;
		if (has(other, page) || has(family->base, page))
			continue;
		uint32_t wanted = only(by_child ? VMSNAP_VERDICT_NEW_IN_CHILD : VMSNAP_VERDICT_NEW_IN_PARENT);
		if (!is_there(entry))
			wanted = only(NO_VERDICT);
		else if (!slot_is_private(slot))
			wanted |= only(VMSNAP_VERDICT_SHARED_MAPPING);
		else if (kind_of(entry) != OWN)
			wanted |= only(VMSNAP_VERDICT_FILE) |
			          only(by_child ? VMSNAP_VERDICT_ZERO_IN_CHILD : VMSNAP_VERDICT_ZERO_IN_PARENT);
		require(told, COW_NEW, page, wanted, by_child ? "the child made it" : "the parent made it");
	}
}

/* ---- without a base, and next to a diff ---- */

/* The child, with the parent for what was before. */
static void child_of_parent(const struct family *family, struct view *out)
{
	*out = *family->child;
	for (int i = 0; i < ARENA; i++) {
		struct slot *slot = &out->world.slots[i];
		if (slot->origin == NOWHERE)
			continue;
		int16_t origin = slot->origin;
		slot->origin = (int16_t)family->in_parent[origin];
		if (slot->origin != NOWHERE)
			slot->touched |= family->parent->world.slots[slot->origin].touched;
	}
}

static void check_no_base(const struct family *family, const struct pairing *pairing)
{
	struct told_cow told;
	if (!told_cow(family->parent, family->child, NULL, &told)) {
		broken(COW_NO_BASE, NOWHERE, "no verdicts can be made");
		return;
	}
	for (int page = 0; page < ARENA; page++) {
		const struct slot *slot = &pairing->b->world.slots[page];
		if (!slot->memory || slot->origin == NOWHERE || !is_known(pairing, slot->origin, page))
			continue;
		if (slot->origin != page && has(family->parent, page))
			continue;
		uint32_t wanted =
		        verdict_wanted(slot, NULL, &family->parent->pages[slot->origin], &family->child->pages[page]);
		require(&told, COW_NO_BASE, page, wanted, "both have it");
	}
	told_cow_free(&told);
}

static bool contradicts(const struct family *family, int page, const struct told_cow *told, uint32_t changes)
{
	/* Of memory that moved: what vanished there is another page, that of the parent's own place. */
	uint32_t vanished = told->moved[page] ? 0 : 1u << VMSNAP_CHANGE_VANISHED;
	bool came_or_went = changes & (1u << VMSNAP_CHANGE_APPEARED | vanished);
	bool other = changes & (1u << VMSNAP_CHANGE_PFN_CHANGED | 1u << VMSNAP_CHANGE_PRIVATISED);
	/* The zero page was not there either, of which the page is written. */
	bool new = changes &(1u << VMSNAP_CHANGE_APPEARED | 1u << VMSNAP_CHANGE_ZERO_FILLED_IN);
	uint64_t parent = family->parent->pages[page], child = family->child->pages[page];
	/* That two pages at one address are of other memory only the base may tell, which the diff
	 * does not have. */
	if (slots_look_alike(&family->parent->world.slots[page], &family->child->world.slots[page]))
		new |= is_own(parent) && other;
	switch (told->verdicts[page]) {
	case VMSNAP_VERDICT_SHARED:
		return came_or_went || other;
	case VMSNAP_VERDICT_COPIED_BY_CHILD:
	case VMSNAP_VERDICT_COPIED_BY_PARENT:
	case VMSNAP_VERDICT_COPIED_BY_BOTH:
		return is_own(parent) && is_own(child) && !other;
	case VMSNAP_VERDICT_NEW_IN_CHILD:
		return is_there(child) && !new;
	case VMSNAP_VERDICT_NEW_IN_PARENT:
		return !is_there(child) && !(changes & 1u << VMSNAP_CHANGE_VANISHED);
	default:
		return false;
	}
}

/* Whether the child has few of the pages left, of the range around this one that the parent has
 * elsewhere: of two snapshots fewer than a quarter in one frame show no move, which the base did. */
static bool few_left(const struct family *family, const struct view *child, int page)
{
	const struct slot *slots = child->world.slots;
	int away = slots[page].origin - page, equal = 0, both = 0;
	int first = page, end = page + 1;
	if (slots[page].origin == NOWHERE)
		return false;
	while (first > 0 && slots[first - 1].memory && slots[first - 1].origin == first - 1 + away)
		first--;
	while (end < ARENA && slots[end].memory && slots[end].origin == end + away)
		end++;
	for (int i = first; i < end; i++) {
		uint64_t of_parent = family->parent->pages[i + away], of_child = child->pages[i];
		bool zero = (of_parent | of_child) & ENTRY_ZERO_BIT;
		both += is_present(of_parent) && is_present(of_child) && !zero;
		equal += is_present(of_parent) && !zero && frame_of(of_parent) == frame_of(of_child);
	}
	return 4 * equal < both;
}

static void check_with_diff(const struct family *family, const struct view *child, const struct told_cow *told)
{
	struct told_diff facts;
	if (!vmsnap_info(family->parent->snap)->known.pfn || !vmsnap_info(family->child->snap)->known.pfn)
		return;
	if (!told_diff(family->parent, child, &facts))
		return;
	for (int page = 0; page < ARENA; page++) {
		/* That it moved the base may have told, but for what others hold, too. */
		if (told->moved[page] &&
		    (told->verdicts[page] != VMSNAP_VERDICT_SHARED || few_left(family, child, page)))
			continue;
		/* Where several are told, each is of other memory. */
		if (!told->inferred[page] && told->all[page] == only(told->verdicts[page]) &&
		    contradicts(family, page, told, facts.changes[page]))
			broken(COW_DIFF, page, "verdict %s, diff of parent and child: %s",
			       verdict_text(told->verdicts[page]), changes_text(facts.changes[page]));
	}
	told_diff_free(&facts);
}

static void find_pages(const struct view *view, int at[ARENA])
{
	for (int i = 0; i < ARENA; i++)
		at[i] = NOWHERE;
	for (int i = 0; i < ARENA; i++)
		if (view->world.slots[i].memory && view->world.slots[i].origin != NOWHERE)
			at[view->world.slots[i].origin] = i;
}

void check_cow(const struct view *parent, const struct view *child, const struct view *base)
{
	struct family family = { .parent = parent, .child = child, .base = base };
	struct told_cow told;
	struct view of_parent;
	struct pairing pairing;
	pairing_make(&family.to_parent, base, parent);
	pairing_make(&family.to_child, base, child);
	find_pages(parent, family.in_parent);
	find_pages(child, family.in_child);
	child_of_parent(&family, &of_parent);
	pairing_make(&pairing, parent, &of_parent);
	check_pair(parent, &of_parent, false);
	check_no_base(&family, &pairing);
	if (!told_cow(parent, child, base, &told)) {
		broken(COW_TOTALS, NOWHERE, "no verdicts can be made");
		return;
	}
	check_base_pages(&family, &told);
	check_new_pages(&family, &told, true);
	check_new_pages(&family, &told, false);
	check_with_diff(&family, &of_parent, &told);
	told_cow_free(&told);
}
