/* verdict.c - the rules of docs/verdicts.md.  The table below and the table
 * there are the same, row by row; a test holds them against each other. */
#include "verdict.h"

#include "error.h"
#include "runs.h"

/* What a page is.  In a private mapping of a file an absent page counts as FILE:
 * nothing was copied, and the next access brings the file's page. */
enum kind {
	ABSENT = 1, /* a guard region's page too */
	ZERO = 2,   /* the shared zero page */
	FILEPAGE = 4,
	SHARED = 8, /* any page of a MAP_SHARED mapping */
	ANON = 16,
	SWAP = 32,
	UNTOLD = 64, /* there is no base, or it does not tell what was there at the fork */

	OWN = ANON | SWAP, /* what fork() shares and a write copies */
	BARE = ABSENT | ZERO | FILEPAGE,
	OTHERS = BARE | SHARED, /* anything but a page of its own */
	ANY = 127,
};

/* Where parent and child stand to each other. */
enum place {
	TOGETHER = 1,    /* both map the same thing */
	CHILD_AWAY = 2,  /* the parent maps what the base did, the child does not */
	PARENT_AWAY = 4, /* the reverse */
	BOTH_AWAY = 8,   /* neither does, and they do not map the same */
	APART = 16,      /* they do not map the same, and the base does not tell which is new */

	ELSEWHERE = CHILD_AWAY | PARENT_AWAY | BOTH_AWAY | APART,
};

/* How the pages of parent and child compare, if both have one of their own. */
enum link {
	SAME = 1,         /* one frame, or one swap slot */
	CHILD_MOVED = 2,  /* two; the parent has that of the fork */
	PARENT_MOVED = 4, /* two; the child has that of the fork */
	BOTH_MOVED = 8,   /* two, and neither is that of the fork */
	DIFFER = 16,      /* two; that of the fork is not known */
	UNSURE = 32,      /* two, but the kernel may have moved one that both had */
	MANY = 64,        /* frames unknown; exclusive in neither */
	SINGLES = 128,    /* frames unknown; exclusive in one or both */
	NO_LINK = 256,    /* nothing known */

	EVERY = 511,
	MOVED = CHILD_MOVED | PARENT_MOVED | BOTH_MOVED,
};

enum { SURE, INFERRED };

static const struct rule {
	uint16_t place, base, parent, child, link;
	int16_t verdict, inferred;
} rules[] = {
	/* Shared mappings. */
	/*  1 */ { TOGETHER, ANY, SHARED, ANY, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/*  2 */ { TOGETHER, ANY, ANY, SHARED, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/* Each has a page of its own, and frames or slots are known. */
	/*  3 */ { TOGETHER, ANY, ANON, ANON, SAME, VMSNAP_VERDICT_SHARED, SURE },
	/*  4 */ { TOGETHER, ANY, SWAP, SWAP, SAME, VMSNAP_VERDICT_SWAPPED, SURE },
	/*  5 */ { TOGETHER, ANY, OWN, OWN, CHILD_MOVED, VMSNAP_VERDICT_COPIED_BY_CHILD, SURE },
	/*  6 */ { TOGETHER, ANY, OWN, OWN, PARENT_MOVED, VMSNAP_VERDICT_COPIED_BY_PARENT, SURE },
	/*  7 */ { TOGETHER, ANY, ANON, ANON, BOTH_MOVED, VMSNAP_VERDICT_COPIED_BY_BOTH, SURE },
	/*  8 */ { TOGETHER, ABSENT, OWN, OWN, DIFFER, VMSNAP_VERDICT_NEW_IN_BOTH, SURE },
	/*  9 */ { TOGETHER, ZERO, OWN, OWN, DIFFER, VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH, SURE },
	/* 10 */ { TOGETHER, FILEPAGE, OWN, OWN, DIFFER, VMSNAP_VERDICT_COPIED_BY_BOTH, SURE },
	/* 11 */ { TOGETHER, UNTOLD, OWN, OWN, DIFFER, VMSNAP_VERDICT_COPIED, INFERRED },
	/* 12 */ { TOGETHER, ANY, OWN, OWN, DIFFER | BOTH_MOVED, VMSNAP_VERDICT_COPIED, SURE },
	/* 13 */ { TOGETHER, ANY, OWN, OWN, UNSURE, VMSNAP_VERDICT_COPIED, INFERRED },
	/* Swapped on one side, or slots unknown. */
	/* 14 */ { TOGETHER, ANY, SWAP, OWN, EVERY, VMSNAP_VERDICT_SWAPPED, SURE },
	/* 15 */ { TOGETHER, ANY, OWN, SWAP, EVERY, VMSNAP_VERDICT_SWAPPED, SURE },
	/* Frames unknown. */
	/* 16 */ { TOGETHER, ABSENT, ANON, ANON, SINGLES | NO_LINK, VMSNAP_VERDICT_NEW_IN_BOTH, INFERRED },
	/* 17 */ { TOGETHER, ZERO, ANON, ANON, SINGLES | NO_LINK, VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH, INFERRED },
	/* 18 */ { TOGETHER, FILEPAGE, ANON, ANON, SINGLES | NO_LINK, VMSNAP_VERDICT_COPIED_BY_BOTH, INFERRED },
	/* 19 */ { TOGETHER, ANY, ANON, ANON, MANY, VMSNAP_VERDICT_SHARED, INFERRED },
	/* 20 */ { TOGETHER, ANY, ANON, ANON, SINGLES, VMSNAP_VERDICT_COPIED, INFERRED },
	/* 21 */ { TOGETHER, ANY, ANON, ANON, NO_LINK, VMSNAP_VERDICT_UNKNOWN, SURE },
	/* One has a page of its own. */
	/* 22 */ { TOGETHER, OWN, BARE, OWN, EVERY, VMSNAP_VERDICT_DROPPED_BY_PARENT, SURE },
	/* 23 */ { TOGETHER, OWN, OWN, BARE, EVERY, VMSNAP_VERDICT_DROPPED_BY_CHILD, SURE },
	/* 24 */ { TOGETHER, ABSENT, BARE, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* 25 */ { TOGETHER, ABSENT, OWN, BARE, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* 26 */ { TOGETHER, ZERO, BARE, OWN, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, SURE },
	/* 27 */ { TOGETHER, ZERO, OWN, BARE, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT, SURE },
	/* 28 */ { TOGETHER, FILEPAGE, BARE, OWN, EVERY, VMSNAP_VERDICT_COPIED_BY_CHILD, SURE },
	/* 29 */ { TOGETHER, FILEPAGE, OWN, BARE, EVERY, VMSNAP_VERDICT_COPIED_BY_PARENT, SURE },
	/* 30 */ { TOGETHER, ANY, BARE, OWN, EVERY, VMSNAP_VERDICT_ONLY_IN_CHILD, SURE },
	/* 31 */ { TOGETHER, ANY, OWN, BARE, EVERY, VMSNAP_VERDICT_ONLY_IN_PARENT, SURE },
	/* Neither has. */
	/* 32 */ { TOGETHER, OWN, BARE, BARE, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* 33 */ { TOGETHER, ANY, ABSENT, ABSENT, EVERY, VERDICT_NONE, SURE },
	/* 34 */ { TOGETHER, ANY, FILEPAGE, BARE, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 35 */ { TOGETHER, ANY, BARE, FILEPAGE, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 36 */ { TOGETHER, ZERO, BARE, BARE, EVERY, VMSNAP_VERDICT_ZERO_SHARED, SURE },
	/* 37 */ { TOGETHER, UNTOLD, ZERO, ZERO, EVERY, VMSNAP_VERDICT_ZERO_SHARED, INFERRED },
	/* 38 */ { TOGETHER, UNTOLD, ABSENT, ZERO, EVERY, VMSNAP_VERDICT_ZERO, SURE },
	/* 39 */ { TOGETHER, UNTOLD, ZERO, ABSENT, EVERY, VMSNAP_VERDICT_ZERO, SURE },
	/* 40 */ { TOGETHER, OTHERS, ZERO, ZERO, EVERY, VMSNAP_VERDICT_ZERO_IN_BOTH, SURE },
	/* 41 */ { TOGETHER, OTHERS, ABSENT, ZERO, EVERY, VMSNAP_VERDICT_ZERO_IN_CHILD, SURE },
	/* 42 */ { TOGETHER, OTHERS, ZERO, ABSENT, EVERY, VMSNAP_VERDICT_ZERO_IN_PARENT, SURE },
	/* The child unmapped it, or mapped something else there. */
	/* 43 */ { CHILD_AWAY, ABSENT, OWN, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_BOTH, SURE },
	/* 44 */ { CHILD_AWAY, ANY, ANY, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* 45 */ { CHILD_AWAY, ANY, ANY, SHARED, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/* 46 */ { CHILD_AWAY, ANY, ANY, FILEPAGE, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 47 */ { CHILD_AWAY, ANY, ANY, ZERO, EVERY, VMSNAP_VERDICT_ZERO_IN_CHILD, SURE },
	/* 48 */ { CHILD_AWAY, OWN, OTHERS, OTHERS, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* 49 */ { CHILD_AWAY, OWN, OWN, OTHERS, EVERY, VMSNAP_VERDICT_DROPPED_BY_CHILD, SURE },
	/* 50 */ { CHILD_AWAY, ZERO, OWN, OTHERS, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT, SURE },
	/* 51 */ { CHILD_AWAY, FILEPAGE, OWN, OTHERS, EVERY, VMSNAP_VERDICT_COPIED_BY_PARENT, SURE },
	/* 52 */ { CHILD_AWAY, ANY, OWN, OTHERS, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* The parent did. */
	/* 53 */ { PARENT_AWAY, ABSENT, OWN, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_BOTH, SURE },
	/* 54 */ { PARENT_AWAY, ANY, OWN, ANY, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* 55 */ { PARENT_AWAY, ANY, SHARED, ANY, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/* 56 */ { PARENT_AWAY, ANY, FILEPAGE, ANY, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 57 */ { PARENT_AWAY, ANY, ZERO, ANY, EVERY, VMSNAP_VERDICT_ZERO_IN_PARENT, SURE },
	/* 58 */ { PARENT_AWAY, OWN, OTHERS, OTHERS, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* 59 */ { PARENT_AWAY, OWN, OTHERS, OWN, EVERY, VMSNAP_VERDICT_DROPPED_BY_PARENT, SURE },
	/* 60 */ { PARENT_AWAY, ZERO, OTHERS, OWN, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, SURE },
	/* 61 */ { PARENT_AWAY, FILEPAGE, OTHERS, OWN, EVERY, VMSNAP_VERDICT_COPIED_BY_CHILD, SURE },
	/* 62 */ { PARENT_AWAY, ANY, OTHERS, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* Both did. */
	/* 63 */ { BOTH_AWAY, ANY, OWN, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_BOTH, SURE },
	/* 64 */ { BOTH_AWAY, ANY, OTHERS, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* 65 */ { BOTH_AWAY, ANY, OWN, OTHERS, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* 66 */ { BOTH_AWAY, OWN, OTHERS, OTHERS, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* They map different things, and the base does not tell which is new. */
	/* 67 */ { APART, UNTOLD, OWN, OWN, EVERY, VMSNAP_VERDICT_UNKNOWN, SURE },
	/* 68 */ { APART, UNTOLD, OTHERS, OWN, EVERY, VMSNAP_VERDICT_ONLY_IN_CHILD, SURE },
	/* 69 */ { APART, UNTOLD, OWN, OTHERS, EVERY, VMSNAP_VERDICT_ONLY_IN_PARENT, SURE },
	/* They map different things, and neither has a page of its own. */
	/* 70 */ { ELSEWHERE, ANY, SHARED, OTHERS, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/* 71 */ { ELSEWHERE, ANY, OTHERS, SHARED, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/* 72 */ { ELSEWHERE, ANY, FILEPAGE, OTHERS, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 73 */ { ELSEWHERE, ANY, OTHERS, FILEPAGE, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 74 */ { CHILD_AWAY, ZERO, ZERO, ABSENT, EVERY, VMSNAP_VERDICT_ZERO_SHARED, SURE },
	/* 75 */ { PARENT_AWAY, ZERO, ABSENT, ZERO, EVERY, VMSNAP_VERDICT_ZERO_SHARED, SURE },
	/* 76 */ { APART, UNTOLD, ZERO, ZERO, EVERY, VMSNAP_VERDICT_ZERO, SURE },
	/* 77 */ { APART, UNTOLD, ABSENT, ZERO, EVERY, VMSNAP_VERDICT_ZERO, SURE },
	/* 78 */ { APART, UNTOLD, ZERO, ABSENT, EVERY, VMSNAP_VERDICT_ZERO, SURE },
	/* 79 */ { ELSEWHERE, OTHERS, ZERO, ZERO, EVERY, VMSNAP_VERDICT_ZERO_IN_BOTH, SURE },
	/* 80 */ { ELSEWHERE, OTHERS, ABSENT, ZERO, EVERY, VMSNAP_VERDICT_ZERO_IN_CHILD, SURE },
	/* 81 */ { ELSEWHERE, OTHERS, ZERO, ABSENT, EVERY, VMSNAP_VERDICT_ZERO_IN_PARENT, SURE },
	/* 82 */ { ELSEWHERE, ANY, ABSENT, ABSENT, EVERY, VERDICT_NONE, SURE },
};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

static enum kind kind_of(const struct verdict_page *page)
{
	uint64_t entry = page->entry;
	if (!(entry & ENTRY_POPULATED))
		return ABSENT;
	if (page->shared)
		return SHARED;
	/* Before FILE: Linux 6.18 shows the huge zero page with bit 61 set. */
	if (page->taken_for_zero || zero_page_of(entry, &page->zero, page->plain) == ZERO_YES)
		return ZERO;
	if (entry & ENTRY_FLAG(VMSNAP_PAGE_FILE))
		return FILEPAGE;
	return entry & ENTRY_SWAPPED ? SWAP : ANON;
}

static uint64_t frame_of(const struct verdict_page *page)
{
	return page->frames_known ? page->entry & ENTRY_FRAME_MASK : 0;
}

/* Both have the same page of their own, as far as that is known: one frame or one slot. */
static bool same_own(const struct verdict_page *a, const struct verdict_page *b)
{
	enum kind kind = kind_of(a);
	return (kind & OWN) && kind == kind_of(b) && frame_of(a) && frame_of(a) == frame_of(b);
}

/* ---- what was there at the fork ------------------------------------------------------- */

struct at_fork {
	enum kind kind; /* UNTOLD: not known */
	uint64_t frame; /* of a page of its own; 0: not known */
	bool presumed;  /* it is so, unless something was undone in between */
	bool likely;    /* or unless it was given back, and made anew since in the frame that it had had */
};

static struct at_fork known(const struct verdict_page *page)
{
	enum kind kind = kind_of(page);
	return (struct at_fork){ .kind = kind, .frame = kind & OWN ? frame_of(page) : 0 };
}

static struct at_fork presumed(const struct verdict_page *page)
{
	struct at_fork fork = known(page);
	fork.presumed = true;
	return fork;
}

static const struct at_fork untold = { .kind = UNTOLD };

/* Whether a side has the frame still that the base had. */
static bool kept_by(const struct verdict_case *c, const struct verdict_page *side, bool same)
{
	return same && c->base_frames && same_own(side, &c->base);
}

/* After the fork one had it alone: then the other, which has its frame now, was given that later. */
static bool other_had_it_not(const struct verdict_case *c)
{
	const uint64_t alone = ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE), huge = ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	return c->base_after && c->base.exclusive_known && (c->base.entry & (alone | huge)) == alone;
}

/* Nobody is given a frame that others hold, so it was there all the time, if it was not let go: the kernel soon
 * gives out again what was freed.  That takes a page fault. */
static struct at_fork of_kept(const struct verdict_page *base, bool idle)
{
	struct at_fork fork = known(base);
	fork.likely = !idle;
	return fork;
}

/* Both were looked at after the fork.  What they had in common then they had from the fork;
 * what neither had both would have had to drop. */
static struct at_fork of_both(const struct verdict_case *c)
{
	enum kind base = kind_of(&c->base), other = kind_of(&c->other);
	bool bare = (base & OTHERS) && (other & OTHERS);
	if (!c->base_other_same)
		return untold;
	if (same_own(&c->base, &c->other))
		return known(&c->base);
	if (bare && (base == ZERO) == (other == ZERO))
		return presumed(base == ABSENT ? &c->other : &c->base);
	return untold;
}

/* The child had not run: what it has it has from the fork, but for what it does not share: there the
 * kernel wrote its number, or a debugger lifted a breakpoint. */
static struct at_fork of_newborn(const struct verdict_case *c)
{
	if (!(kind_of(&c->base) & OWN))
		return presumed(&c->base);
	bool alone = c->base.exclusive_known && (c->base.entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE));
	return alone ? untold : known(&c->base);
}

/* Until the fork the parent may have changed anything. */
static struct at_fork of_parent_before(const struct verdict_case *c)
{
	bool by_parent = kept_by(c, &c->parent, c->parent_base_same);
	if (by_parent || kept_by(c, &c->child, c->child_base_same))
		return of_kept(&c->base, by_parent ? c->parent_idle : c->child_idle);
	return c->went_on ? untold : presumed(&c->base);
}

static struct at_fork at_fork_of(const struct verdict_case *c)
{
	switch (c->base_time) {
	/* The parent had not run either. */
	case BASE_AT:
		return known(&c->base);
	case BASE_AT_CHILD:
		return of_newborn(c);
	case BASE_BEFORE:
		return of_parent_before(c);
	case BASE_BOTH:
		return of_both(c);
	/* What one had after the fork, and the other has now, both had at the fork. */
	case BASE_PARENT_LATE:
		return kept_by(c, &c->child, c->child_base_same) && !other_had_it_not(c)
		               ? of_kept(&c->base, c->child_idle)
		               : untold;
	/* How many faults the parent had had by then nobody looked at. */
	case BASE_CHILD_LATE:
		return kept_by(c, &c->parent, c->parent_base_same) && !other_had_it_not(c) ? of_kept(&c->base, false)
		                                                                           : untold;
	default:
		return untold;
	}
}

/* ---- how they stand to each other ----------------------------------------------------- */

static enum place place_of(const struct verdict_case *c, bool told)
{
	bool parent_stays = c->parent.mapped && c->parent_base_same;
	bool child_stays = c->child.mapped && c->child_base_same;
	if (!told)
		return c->parent_child_same ? TOGETHER : APART;
	/* Pages met where no map has a VMA: the maps are older than they. */
	if (c->parent_child_same && (c->parent.mapped || c->parent_base_same))
		return TOGETHER;
	return parent_stays ? CHILD_AWAY : child_stays ? PARENT_AWAY : BOTH_AWAY;
}

/* Bit 56 of a page that is mapped by a PMD tells of the first page of the huge page alone. */
static bool is_exclusive(const struct verdict_page *page, bool *huge)
{
	*huge = page->entry & ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	return page->entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
}

/* Somewhere: the kernel was just moving it. */
static bool is_moving(const struct verdict_page *page)
{
	return page->frames_known && (page->entry & ENTRY_PRESENT) &&
	       !(page->entry & (ENTRY_FRAME_MASK | ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)));
}

/* All pages of a huge one show the bit of the first of them.  If both sides map huge ones, these are one or two.
 * Against a page of its own a huge one that shows exclusive says nothing; but nobody else has a page of its own
 * that is exclusive. */
static enum link exclusive_link(const struct verdict_page *parent, const struct verdict_page *child)
{
	bool huge_in_parent, huge_in_child;
	if (!parent->exclusive_known || !child->exclusive_known || is_moving(parent) || is_moving(child))
		return NO_LINK;
	bool in_parent = is_exclusive(parent, &huge_in_parent), in_child = is_exclusive(child, &huge_in_child);
	if (huge_in_parent != huge_in_child && (huge_in_parent ? in_child : in_parent))
		return SINGLES;
	if (huge_in_parent != huge_in_child && (in_parent || in_child))
		return NO_LINK;
	return in_parent || in_child ? SINGLES : MANY;
}

/* What was not there at the fork, or at a look after it, they cannot share with each other. */
static enum link hidden_link(const struct verdict_case *c, const struct at_fork *fork)
{
	enum link link = exclusive_link(&c->parent, &c->child);
	bool may_share = (fork->kind & (OWN | UNTOLD)) || c->base_time == BASE_BEFORE;
	return link == MANY && !may_share ? SINGLES : link;
}

static bool has_alone(const struct verdict_page *page)
{
	return page->exclusive_known && (page->entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE));
}

/* Whether the kernel may have given it another frame for this process alone: a huge page that it put
 * together, and perhaps took apart again, or what KSM merged, and perhaps parted again. */
static bool may_be_moved_alone(const struct verdict_case *c, const struct verdict_page *page)
{
	bool huge = page->aligned || (page->entry & ENTRY_FLAG(VMSNAP_PAGE_HUGE));
	return c->moves == MOVES_UNKNOWN || (huge && c->moves != MOVES_NONE);
}

/* Or for all who have it, between the look at the one and that at the other.  What a process wrote it has
 * to itself, unless it forked since. */
static bool may_be_moved(const struct verdict_case *c, const struct verdict_page *page)
{
	return may_be_moved_alone(c, page) || (!c->at_once && !has_alone(page));
}

/* Two frames of one page, of which one is that of the fork: the other side copied it.  Unless the kernel
 * moved it, and the frame that was let go was given out again for a copy of the same page. */
static enum link moved_link(const struct verdict_case *c, const struct verdict_page *page, enum link moved)
{
	return c->moves == MOVES_HERE || may_be_moved(c, page) ? UNSURE : moved;
}

static enum link link_of(const struct verdict_case *c, enum kind parent, enum kind child, const struct at_fork *fork)
{
	if (parent != child || !(parent & OWN))
		return NO_LINK;
	uint64_t in_parent = frame_of(&c->parent), in_child = frame_of(&c->child);
	if (!in_parent || !in_child || !c->parent_child_frames)
		return parent == ANON ? hidden_link(c, fork) : NO_LINK;
	if (in_parent == in_child)
		return SAME;
	if (fork->kind == parent && fork->frame && c->base_frames) {
		if (in_parent == fork->frame)
			return moved_link(c, &c->child, CHILD_MOVED);
		if (in_child == fork->frame)
			return moved_link(c, &c->parent, PARENT_MOVED);
		if (c->moves == MOVES_NONE)
			return BOTH_MOVED;
	}
	bool one_alone = may_be_moved_alone(c, &c->parent) || may_be_moved_alone(c, &c->child);
	bool both = may_be_moved(c, &c->parent) && may_be_moved(c, &c->child);
	return (fork->kind & OWN) && (one_alone || both) ? UNSURE : DIFFER;
}

/* By a base. */
static bool is_told(const struct verdict_case *c)
{
	return c->base_time != BASE_NONE && c->base_time != BASE_OF_ANOTHER;
}

/* What went between the base and the fork may have come again, and what came both had from the fork:
 * then one copied it, or the parent dropped it.  And
 * what a newborn child was not given (MADV_DONTFORK, MADV_WIPEONFORK; the zero page, where fork() copies no
 * page table) the parent has all the same. */
static bool may_be_otherwise(const struct verdict_case *c, enum kind fork, enum kind parent, enum kind child)
{
	if (c->base_time == BASE_BEFORE)
		return (child & OWN) || ((fork & OWN) && (parent & OWN)) || (child == ZERO && (fork & ABSENT));
	return c->base_time == BASE_AT_CHILD && ((parent & OWN) || (parent == ZERO && (fork & ABSENT)));
}

/* What is new to the base here may have been moved here, and what is gone moved away, and written to since. */
static bool may_be_adrift(const struct verdict_case *c)
{
	return (c->parent_adrift && !c->parent_base_same) || (c->child_adrift && !c->child_base_same);
}

/* As above, and nothing tells whether it was written to: then it need not have been. */
static bool came_possibly(const struct verdict_case *c)
{
	bool told = c->parent.frames_known && c->child.frames_known && c->base.frames_known && c->base_frames &&
	            c->moves != MOVES_HERE && c->moves != MOVES_UNKNOWN;
	return (c->possibly_moved && !(c->parent_base_same && c->child_base_same)) || (!told && may_be_adrift(c));
}

/* They share a page that the parent did not have when the base was taken. */
static bool shows_that_it_went_on(const struct verdict_case *c, const struct rule *rule)
{
	if (c->base_time != BASE_BEFORE || rule->verdict != VMSNAP_VERDICT_SHARED)
		return false;
	bool own = c->parent_base_same && (kind_of(&c->base) & OWN);
	return rule->link == SAME && c->base_frames && frame_of(&c->base) ? !same_own(&c->parent, &c->base) : !own;
}

/* Both have it, but not where the base had it: the kernel moved it, or the parent wrote it before the fork. */
static bool shows_that_it_strayed(const struct verdict_case *c, const struct rule *rule)
{
	if (is_moving(&c->parent) || is_moving(&c->child))
		return true;
	return rule->verdict == VMSNAP_VERDICT_SHARED && rule->link == SAME && is_told(c) && c->base_frames &&
	       c->parent_base_same && kind_of(&c->base) == ANON && frame_of(&c->base) &&
	       !same_own(&c->parent, &c->base);
}

/* Who copied it is told by a frame that was there at another time. */
static bool rests_on_a_kept_frame(const struct rule *rule)
{
	return rule->link == CHILD_MOVED || rule->link == PARENT_MOVED;
}

static bool rests_on_the_base(const struct rule *rule)
{
	return rule->base != ANY || (rule->link & MOVED) == rule->link ||
	       (rule->place != TOGETHER && rule->place != APART && rule->place != ELSEWHERE);
}

static bool is_inferred(const struct verdict_case *c, const struct at_fork *fork, const struct rule *rule)
{
	bool likely = fork->presumed || fork->likely || (fork->kind != UNTOLD && may_be_adrift(c));
	return rule->inferred || (likely && rests_on_the_base(rule)) ||
	       (c->moves != MOVES_NONE && rests_on_a_kept_frame(rule));
}

/* It looks swapped, and what it is is not known. */
static bool is_doubtful(const struct verdict_page *page)
{
	return !page->shared && entry_doubtful(page->entry);
}

/* KSM can put the zero page in the place of one that holds zeros. */
static bool may_be_zeroed(const struct verdict_case *c, enum kind fork, enum kind parent, enum kind child)
{
	return c->merges && (parent == ZERO || child == ZERO) && ((fork | parent | child) & OWN);
}

/* By what it was at the fork. */
static struct verdict judge_by(const struct verdict_case *c, struct at_fork fork)
{
	enum kind parent = kind_of(&c->parent), child = kind_of(&c->child);
	if (may_be_zeroed(c, fork.kind, parent, child))
		return (struct verdict){ VMSNAP_VERDICT_UNKNOWN, .row = 0 };
	enum place place = place_of(c, fork.kind != UNTOLD);
	/* What neither had in its place then both may have moved there since: frames would show it, but for memory
	 * that the parent moved before the fork, of which not always enough is left to tell. */
	bool seen = c->parent.frames_known && c->child.frames_known && (c->base_time != BASE_BEFORE || c->parent.file);
	if (place == TOGETHER && !c->parent_base_same && fork.kind != UNTOLD)
		fork = fork.presumed && !seen ? untold : (struct at_fork){ .kind = ABSENT, .presumed = fork.presumed };
	if (place == TOGETHER && c->parent.file && (parent | child) != ABSENT) {
		parent = parent == ABSENT ? FILEPAGE : parent;
		child = child == ABSENT ? FILEPAGE : child;
		fork.kind = fork.kind == ABSENT ? FILEPAGE : fork.kind;
	}
	enum link link = link_of(c, parent, child, &fork);
	for (unsigned i = 0; i < RULES; i++) {
		const struct rule *rule = &rules[i];
		if ((rule->place & place) && (rule->base & fork.kind) && (rule->parent & parent) &&
		    (rule->child & child) && (rule->link & link))
			return (struct verdict){ .verdict = rule->verdict,
				                 .inferred = is_inferred(c, &fork, rule),
				                 .went_on = shows_that_it_went_on(c, rule),
				                 .strayed = shows_that_it_strayed(c, rule),
				                 .row = i + 1 };
	}
	return (struct verdict){ VMSNAP_VERDICT_UNKNOWN, .row = 0 };
}

/* What lacks a frame of its own: it may have been moved here. */
static bool is_new_zero(int verdict)
{
	return verdict == VMSNAP_VERDICT_ZERO_IN_CHILD || verdict == VMSNAP_VERDICT_ZERO_IN_PARENT ||
	       verdict == VMSNAP_VERDICT_ZERO_IN_BOTH;
}

static struct verdict judge(const struct verdict_case *c)
{
	if (is_doubtful(&c->parent) || is_doubtful(&c->child) || (is_told(c) && is_doubtful(&c->base)) ||
	    (c->base_time == BASE_BOTH && is_doubtful(&c->other)))
		return (struct verdict){ VMSNAP_VERDICT_UNKNOWN, .row = 0 };
	struct at_fork fork = at_fork_of(c);
	enum kind parent = kind_of(&c->parent), child = kind_of(&c->child);
	/* Of what one alone has, that is known for sure; that the other dropped it would only be likely. */
	bool one_alone = !((parent & OWN) && (child & OWN));
	if ((fork.presumed && may_be_otherwise(c, fork.kind, parent, child)) || (fork.likely && one_alone))
		fork = untold;
	if (came_possibly(c))
		fork = untold;
	struct verdict verdict = judge_by(c, fork);
	if (fork.kind != UNTOLD && may_be_adrift(c) && is_new_zero(verdict.verdict))
		verdict = judge_by(c, untold);
	return verdict;
}

/* ---- pages that may be the zero page -------------------------------------------------- */

static bool may_be_zero(const struct verdict_page *page)
{
	return !page->zero.flagged && !page->shared &&
	       zero_page_of(page->entry, &page->zero, page->plain) == ZERO_MAYBE;
}

/* One frame is one page: of two pages in it not just one is the zero page. */
static bool contradict(const struct verdict_page *a, const struct verdict_page *b, bool frames)
{
	return frames && may_be_zero(a) && may_be_zero(b) && frame_of(a) && frame_of(a) == frame_of(b) &&
	       a->taken_for_zero != b->taken_for_zero;
}

/* Whether a verdict holds whatever these pages are.  If they are alike in both, or two, that is still likely; who
 * it was, what one alone has, and what was there before is not. */
static bool holds(const struct verdict_case *c, struct verdict *verdict)
{
	enum { PAGES = 4 };
	struct verdict_case other = *c;
	struct verdict_page *const pages[PAGES] = { &other.parent, &other.child, &other.base, &other.other };
	unsigned may = 0;
	for (unsigned i = 0; i < PAGES; i++)
		may |= may_be_zero(pages[i]) ? 1u << i : 0;
	for (unsigned zero = may; zero; zero = (zero - 1) & may) {
		for (unsigned i = 0; i < PAGES; i++)
			pages[i]->taken_for_zero = zero & 1u << i;
		if (contradict(&other.parent, &other.child, c->parent_child_frames) ||
		    contradict(&other.parent, &other.base, c->base_frames) ||
		    contradict(&other.child, &other.base, c->base_frames))
			continue;
		struct verdict than = judge(&other);
		verdict->inferred |= than.inferred || than.verdict != verdict->verdict;
		if (than.verdict != verdict->verdict && verdict->verdict != VMSNAP_VERDICT_SHARED &&
		    verdict->verdict != VMSNAP_VERDICT_COPIED)
			return false;
	}
	return true;
}

/* The base has a page, and what it is is not known: what is there now may be known all the same. */
static bool holds_without_base(const struct verdict_case *c, struct verdict *verdict)
{
	struct verdict_case now = *c;
	if (!is_told(c) || !(may_be_zero(&c->base) || (c->base_time == BASE_BOTH && may_be_zero(&c->other))))
		return false;
	now.base_time = BASE_NONE;
	*verdict = judge(&now);
	return holds(&now, verdict);
}

struct verdict verdict_of(const struct verdict_case *c)
{
	struct verdict verdict = judge(c);
	bool told = c->parent.zero.flagged && c->child.zero.flagged && (!is_told(c) || c->base.zero.flagged) &&
	            (c->base_time != BASE_BOTH || c->other.zero.flagged);
	if (told || verdict.verdict == VERDICT_NONE || holds(c, &verdict) || holds_without_base(c, &verdict))
		return verdict;
	return (struct verdict){ VMSNAP_VERDICT_UNKNOWN, .row = 0 };
}

/* ---- once more ------------------------------------------------------------------------ */

enum { FLAG_BITS = 64 - ENTRY_FLAGS_SHIFT, FLAGS_SHIFT = 19, GENERATION_SHIFT = FLAGS_SHIFT + 4 * FLAG_BITS };

void verdict_memo_next(struct verdict_memo *memo)
{
	/* 0 is the key of none. */
	if (++memo->generation >> (64 - GENERATION_SHIFT) || memo->generation == 1)
		*memo = (struct verdict_memo){ .generation = 1 };
}

static bool is_zero_pfn(const struct verdict_page *page)
{
	return (page->entry & ENTRY_FRAME_MASK) == page->zero.pfn;
}

static uint64_t alike_of_other(const struct verdict_case *c)
{
	uint64_t frame = c->other.entry & ENTRY_FRAME_MASK;
	return (uint64_t)!frame | (uint64_t)(frame == (c->parent.entry & ENTRY_FRAME_MASK)) << 1 |
	       (uint64_t)(frame == (c->child.entry & ENTRY_FRAME_MASK)) << 2 |
	       (uint64_t)(frame == (c->base.entry & ENTRY_FRAME_MASK)) << 3 | (uint64_t)is_zero_pfn(&c->other) << 4;
}

/* Of a page that is not swapped the rules know its flags, whether its frame is known, whose it is as
 * well, and whether it is the zero page's; of slots they know more. */
uint64_t verdict_key(const struct verdict_memo *memo, const struct verdict_case *c)
{
	bool both = c->base_time == BASE_BOTH;
	uint64_t parent = c->parent.entry, child = c->child.entry, base = c->base.entry;
	uint64_t other = both ? c->other.entry : 0;
	uint64_t frame_p = parent & ENTRY_FRAME_MASK, frame_c = child & ENTRY_FRAME_MASK;
	uint64_t frame_b = base & ENTRY_FRAME_MASK;
	uint64_t alike = (uint64_t)!frame_p | (uint64_t)!frame_c << 1 | (uint64_t)!frame_b << 2 |
	                 (uint64_t)(frame_p == frame_c) << 3 | (uint64_t)(frame_p == frame_b) << 4 |
	                 (uint64_t)(frame_c == frame_b) << 5 | (uint64_t)c->went_on << 6 |
	                 (uint64_t)is_zero_pfn(&c->parent) << 7 | (uint64_t)is_zero_pfn(&c->child) << 8 |
	                 (uint64_t)is_zero_pfn(&c->base) << 9 | (uint64_t)c->moves << 10 |
	                 (uint64_t)c->parent.aligned << 12 | (uint64_t)c->child.aligned << 13 |
	                 (both ? alike_of_other(c) << 14 : 0);
	uint64_t flags = parent >> ENTRY_FLAGS_SHIFT | child >> ENTRY_FLAGS_SHIFT << FLAG_BITS |
	                 base >> ENTRY_FLAGS_SHIFT << 2 * FLAG_BITS | other >> ENTRY_FLAGS_SHIFT << 3 * FLAG_BITS;
	if ((parent | child | base | other) & ENTRY_SWAPPED)
		return 0;
	return memo->generation << GENERATION_SHIFT | flags << FLAGS_SHIFT | alike;
}

const struct verdict *verdict_again(struct verdict_memo *memo, const struct verdict_case *c, uint64_t key)
{
	if (!key) {
		memo->single = verdict_of(c);
		return &memo->single;
	}
	size_t index = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 60;
	if (memo->items[index].key != key) {
		memo->items[index].verdict = verdict_of(c);
		memo->items[index].key = key;
	}
	return &memo->items[index].verdict;
}

VMSNAP_API const char *vmsnap_verdict_name(int verdict)
{
	static const char *const names[VMSNAP_VERDICT_COUNT] = {
		[VMSNAP_VERDICT_SHARED] = "shared",
		[VMSNAP_VERDICT_COPIED_BY_CHILD] = "copied_by_child",
		[VMSNAP_VERDICT_COPIED_BY_PARENT] = "copied_by_parent",
		[VMSNAP_VERDICT_COPIED_BY_BOTH] = "copied_by_both",
		[VMSNAP_VERDICT_COPIED] = "copied",
		[VMSNAP_VERDICT_NEW_IN_CHILD] = "new_in_child",
		[VMSNAP_VERDICT_NEW_IN_PARENT] = "new_in_parent",
		[VMSNAP_VERDICT_NEW_IN_BOTH] = "new_in_both",
		[VMSNAP_VERDICT_ONLY_IN_CHILD] = "only_in_child",
		[VMSNAP_VERDICT_ONLY_IN_PARENT] = "only_in_parent",
		[VMSNAP_VERDICT_ZERO_SHARED] = "zero_shared",
		[VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD] = "zero_written_by_child",
		[VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT] = "zero_written_by_parent",
		[VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH] = "zero_written_by_both",
		[VMSNAP_VERDICT_DROPPED_BY_CHILD] = "dropped_by_child",
		[VMSNAP_VERDICT_DROPPED_BY_PARENT] = "dropped_by_parent",
		[VMSNAP_VERDICT_DROPPED_BY_BOTH] = "dropped_by_both",
		[VMSNAP_VERDICT_FILE] = "file",
		[VMSNAP_VERDICT_SHARED_MAPPING] = "shared_mapping",
		[VMSNAP_VERDICT_SWAPPED] = "swapped",
		[VMSNAP_VERDICT_UNKNOWN] = "unknown",
		[VMSNAP_VERDICT_ZERO_IN_CHILD] = "zero_in_child",
		[VMSNAP_VERDICT_ZERO_IN_PARENT] = "zero_in_parent",
		[VMSNAP_VERDICT_ZERO_IN_BOTH] = "zero_in_both",
		[VMSNAP_VERDICT_ZERO] = "zero",
	};
	return verdict >= 0 && verdict < VMSNAP_VERDICT_COUNT ? names[verdict] : "?";
}
