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
	NO_BASE = 64,

	OWN = ANON | SWAP, /* what fork() shares and a write copies */
	BARE = ABSENT | ZERO | FILEPAGE,
	FULL = ZERO | FILEPAGE | SHARED | ANON | SWAP,
	ANY = 127,
};

/* Where parent and child stand to each other. */
enum place {
	TOGETHER = 1,    /* both map the same thing */
	CHILD_AWAY = 2,  /* the parent maps what the base did, the child does not */
	PARENT_AWAY = 4, /* the reverse */
	BOTH_AWAY = 8,   /* neither does, and they do not map the same */
	APART = 16,      /* without a base: they do not map the same */
};

/* How the pages of parent and child compare, if both have one of their own. */
enum link {
	SAME = 1,            /* one frame, or one swap slot */
	CHILD_MOVED = 2,     /* two; the parent has that of the base */
	PARENT_MOVED = 4,    /* two; the child has that of the base */
	BOTH_MOVED = 8,      /* two, and neither is that of the base */
	DIFFER = 16,         /* two; those of the base are not known */
	MANY = 32,           /* frames unknown; exclusive in neither */
	CHILD_SINGLE = 64,   /* frames unknown; exclusive in the child only */
	PARENT_SINGLE = 128, /* frames unknown; exclusive in the parent only */
	SINGLES = 256,       /* frames unknown; exclusive in both */
	NO_LINK = 512,       /* nothing known */

	EVERY = 1023,
	HIDDEN = MANY | CHILD_SINGLE | PARENT_SINGLE | SINGLES | NO_LINK,
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
	/* 11 */ { TOGETHER, ANY, OWN, OWN, DIFFER | BOTH_MOVED, VMSNAP_VERDICT_COPIED, SURE },
	/* Swapped on one side, or slots unknown. */
	/* 12 */ { TOGETHER, ANY, SWAP, OWN, EVERY, VMSNAP_VERDICT_SWAPPED, SURE },
	/* 13 */ { TOGETHER, ANY, OWN, SWAP, EVERY, VMSNAP_VERDICT_SWAPPED, SURE },
	/* Frames unknown. */
	/* 14 */ { TOGETHER, ANY, ANON, ANON, MANY, VMSNAP_VERDICT_SHARED, INFERRED },
	/* 15 */ { TOGETHER, ABSENT, ANON, ANON, HIDDEN, VMSNAP_VERDICT_NEW_IN_BOTH, INFERRED },
	/* 16 */ { TOGETHER, ZERO, ANON, ANON, HIDDEN, VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH, INFERRED },
	/* 17 */ { TOGETHER, FILEPAGE, ANON, ANON, HIDDEN, VMSNAP_VERDICT_COPIED_BY_BOTH, INFERRED },
	/* 18 */ { TOGETHER, ANY, ANON, ANON, CHILD_SINGLE, VMSNAP_VERDICT_COPIED_BY_CHILD, INFERRED },
	/* 19 */ { TOGETHER, ANY, ANON, ANON, PARENT_SINGLE, VMSNAP_VERDICT_COPIED_BY_PARENT, INFERRED },
	/* 20 */ { TOGETHER, ANY, ANON, ANON, SINGLES, VMSNAP_VERDICT_COPIED, INFERRED },
	/* 21 */ { TOGETHER, ANY, ANON, ANON, NO_LINK, VMSNAP_VERDICT_UNKNOWN, SURE },
	/* One has a page of its own; there is a base. */
	/* 22 */ { TOGETHER, OWN, BARE, OWN, EVERY, VMSNAP_VERDICT_DROPPED_BY_PARENT, SURE },
	/* 23 */ { TOGETHER, OWN, OWN, BARE, EVERY, VMSNAP_VERDICT_DROPPED_BY_CHILD, SURE },
	/* 24 */ { TOGETHER, OWN, BARE, BARE, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* 25 */ { TOGETHER, ABSENT, BARE, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* 26 */ { TOGETHER, ABSENT, OWN, BARE, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* 27 */ { TOGETHER, ZERO, BARE, OWN, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, SURE },
	/* 28 */ { TOGETHER, ZERO, OWN, BARE, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT, SURE },
	/* 29 */ { TOGETHER, FILEPAGE, BARE, OWN, EVERY, VMSNAP_VERDICT_COPIED_BY_CHILD, SURE },
	/* 30 */ { TOGETHER, FILEPAGE, OWN, BARE, EVERY, VMSNAP_VERDICT_COPIED_BY_PARENT, SURE },
	/* One has a page of its own; there is no base. */
	/* 31 */ { TOGETHER, NO_BASE, ZERO, OWN, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD, INFERRED },
	/* 32 */ { TOGETHER, NO_BASE, OWN, ZERO, EVERY, VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT, INFERRED },
	/* 33 */ { TOGETHER, NO_BASE, FILEPAGE, OWN, EVERY, VMSNAP_VERDICT_COPIED_BY_CHILD, INFERRED },
	/* 34 */ { TOGETHER, NO_BASE, OWN, FILEPAGE, EVERY, VMSNAP_VERDICT_COPIED_BY_PARENT, INFERRED },
	/* 35 */ { TOGETHER, NO_BASE, ABSENT, OWN, EVERY, VMSNAP_VERDICT_ONLY_IN_CHILD, SURE },
	/* 36 */ { TOGETHER, NO_BASE, OWN, ABSENT, EVERY, VMSNAP_VERDICT_ONLY_IN_PARENT, SURE },
	/* Neither has a page of its own. */
	/* 37 */ { TOGETHER, ANY, ABSENT, ABSENT, EVERY, VERDICT_NONE, SURE },
	/* 38 */ { TOGETHER, ANY, FILEPAGE, BARE, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 39 */ { TOGETHER, ANY, BARE, FILEPAGE, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 40 */ { TOGETHER, ANY, BARE, BARE, EVERY, VMSNAP_VERDICT_ZERO_SHARED, SURE },
	/* The child unmapped it, or mapped something else there. */
	/* 41 */ { CHILD_AWAY, ABSENT, OWN, FULL, EVERY, VMSNAP_VERDICT_NEW_IN_BOTH, SURE },
	/* 42 */ { CHILD_AWAY, ANY, ANY, FULL, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* 43 */ { CHILD_AWAY, OWN, BARE, ABSENT, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* 44 */ { CHILD_AWAY, FULL, ANY, ABSENT, EVERY, VMSNAP_VERDICT_DROPPED_BY_CHILD, SURE },
	/* 45 */ { CHILD_AWAY, ABSENT, ABSENT, ABSENT, EVERY, VERDICT_NONE, SURE },
	/* 46 */ { CHILD_AWAY, ABSENT, SHARED, ABSENT, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/* 47 */ { CHILD_AWAY, ABSENT, FILEPAGE, ABSENT, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 48 */ { CHILD_AWAY, ABSENT, OWN | ZERO, ABSENT, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* The parent did. */
	/* 49 */ { PARENT_AWAY, ABSENT, FULL, OWN, EVERY, VMSNAP_VERDICT_NEW_IN_BOTH, SURE },
	/* 50 */ { PARENT_AWAY, ANY, FULL, ANY, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* 51 */ { PARENT_AWAY, OWN, ABSENT, BARE, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* 52 */ { PARENT_AWAY, FULL, ABSENT, ANY, EVERY, VMSNAP_VERDICT_DROPPED_BY_PARENT, SURE },
	/* 53 */ { PARENT_AWAY, ABSENT, ABSENT, ABSENT, EVERY, VERDICT_NONE, SURE },
	/* 54 */ { PARENT_AWAY, ABSENT, ABSENT, SHARED, EVERY, VMSNAP_VERDICT_SHARED_MAPPING, SURE },
	/* 55 */ { PARENT_AWAY, ABSENT, ABSENT, FILEPAGE, EVERY, VMSNAP_VERDICT_FILE, SURE },
	/* 56 */ { PARENT_AWAY, ABSENT, ABSENT, OWN | ZERO, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* Both did. */
	/* 57 */ { BOTH_AWAY, ANY, FULL, FULL, EVERY, VMSNAP_VERDICT_NEW_IN_BOTH, SURE },
	/* 58 */ { BOTH_AWAY, ANY, ABSENT, FULL, EVERY, VMSNAP_VERDICT_NEW_IN_CHILD, SURE },
	/* 59 */ { BOTH_AWAY, ANY, FULL, ABSENT, EVERY, VMSNAP_VERDICT_NEW_IN_PARENT, SURE },
	/* 60 */ { BOTH_AWAY, FULL, ABSENT, ABSENT, EVERY, VMSNAP_VERDICT_DROPPED_BY_BOTH, SURE },
	/* 61 */ { BOTH_AWAY, ABSENT, ABSENT, ABSENT, EVERY, VERDICT_NONE, SURE },
	/* They map different things, and there is no base to tell which is new. */
	/* 62 */ { APART, NO_BASE, FULL, FULL, EVERY, VMSNAP_VERDICT_UNKNOWN, SURE },
	/* 63 */ { APART, NO_BASE, ABSENT, FULL, EVERY, VMSNAP_VERDICT_ONLY_IN_CHILD, SURE },
	/* 64 */ { APART, NO_BASE, FULL, ABSENT, EVERY, VMSNAP_VERDICT_ONLY_IN_PARENT, SURE },
	/* 65 */ { APART, NO_BASE, ABSENT, ABSENT, EVERY, VERDICT_NONE, SURE },
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
	if (page->zero_known && (entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO)))
		return ZERO;
	if (entry & ENTRY_FLAG(VMSNAP_PAGE_FILE))
		return FILEPAGE;
	return entry & ENTRY_SWAPPED ? SWAP : ANON;
}

static enum place place_of(const struct verdict_case *c)
{
	bool parent_stays = c->parent.mapped && c->parent_base_same;
	bool child_stays = c->child.mapped && c->child_base_same;
	if (!c->has_base)
		return c->parent_child_same ? TOGETHER : APART;
	/* Pages met where no map has a VMA: the maps are older than they. */
	if (c->parent_child_same && (c->parent.mapped || c->parent_base_same))
		return TOGETHER;
	return parent_stays ? CHILD_AWAY : child_stays ? PARENT_AWAY : BOTH_AWAY;
}

static uint64_t frame_of(const struct verdict_page *page)
{
	return page->frames_known ? page->entry & ENTRY_FRAME_MASK : 0;
}

/* Somewhere: the kernel was just moving it. */
static bool is_moving(const struct verdict_page *page)
{
	return page->frames_known && !(page->entry & (ENTRY_FRAME_MASK | ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)));
}

/* All pages of a huge one show the bit of the first of them.  If both sides map huge ones, these are one or two.
 * Against a page of its own a huge one that shows exclusive says nothing; but nobody else has a page of its own
 * that is exclusive. */
static enum link exclusive_link(const struct verdict_page *parent, const struct verdict_page *child)
{
	if (!parent->exclusive_known || !child->exclusive_known || is_moving(parent) || is_moving(child))
		return NO_LINK;
	bool in_parent = parent->entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	bool in_child = child->entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE);
	bool huge_parent = parent->entry & ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	bool huge_child = child->entry & ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	if (huge_parent != huge_child && (huge_parent ? in_child : in_parent))
		return SINGLES;
	if (huge_parent != huge_child && (in_parent || in_child))
		return NO_LINK;
	if (in_parent && in_child)
		return SINGLES;
	return in_parent ? PARENT_SINGLE : in_child ? CHILD_SINGLE : MANY;
}

static enum link link_of(const struct verdict_case *c, enum kind parent, enum kind child, enum kind base)
{
	if (parent != child || !(parent & OWN))
		return NO_LINK;
	uint64_t in_parent = frame_of(&c->parent), in_child = frame_of(&c->child), in_base = frame_of(&c->base);
	if (!in_parent || !in_child || !c->parent_child_frames)
		return parent == ANON ? exclusive_link(&c->parent, &c->child) : NO_LINK;
	if (in_parent == in_child)
		return SAME;
	if (base != parent || !in_base || !c->base_frames)
		return DIFFER;
	if (in_parent == in_base)
		return CHILD_MOVED;
	return in_child == in_base ? PARENT_MOVED : BOTH_MOVED;
}

/* It looks swapped, and what it is is not known. */
static bool is_doubtful(const struct verdict_page *page)
{
	return !page->shared && entry_doubtful(page->entry);
}

struct verdict verdict_of(const struct verdict_case *c)
{
	enum place place = place_of(c);
	if (is_doubtful(&c->parent) || is_doubtful(&c->child) || (c->has_base && is_doubtful(&c->base)))
		return (struct verdict){ VMSNAP_VERDICT_UNKNOWN, false, 0 };
	enum kind parent = kind_of(&c->parent), child = kind_of(&c->child), base = NO_BASE;
	if (c->has_base)
		base = place == TOGETHER && !c->parent_base_same ? ABSENT : kind_of(&c->base);
	if (place == TOGETHER && c->parent.file && (parent | child) != ABSENT) {
		parent = parent == ABSENT ? FILEPAGE : parent;
		child = child == ABSENT ? FILEPAGE : child;
		base = base == ABSENT ? FILEPAGE : base;
	}
	enum link link = link_of(c, parent, child, base);
	for (unsigned i = 0; i < RULES; i++) {
		const struct rule *rule = &rules[i];
		if ((rule->place & place) && (rule->base & base) && (rule->parent & parent) && (rule->child & child) &&
		    (rule->link & link))
			return (struct verdict){ rule->verdict, rule->inferred, i + 1 };
	}
	return (struct verdict){ VMSNAP_VERDICT_UNKNOWN, false, 0 };
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
	};
	return verdict >= 0 && verdict < VMSNAP_VERDICT_COUNT ? names[verdict] : "?";
}
