/* test_verdict_case.h - what verdicts are asked about, written down in a line: mappings, pages, and what is not
 * known of them. */
#ifndef VMSNAP_TEST_VERDICT_CASE_H
#define VMSNAP_TEST_VERDICT_CASE_H

#include "test_diff_fixture.h"

#include "verdict.h"

/* What parent, child and base map. */
enum mapping {
	ANONYMOUS,    /* all the same anonymous memory */
	PRIVATE_FILE, /* all the same file, privately */
	SHARED,       /* all the same, MAP_SHARED */
	CHILD_GONE,   /* the child maps nothing there */
	CHILD_OTHER,  /* the child maps something else */
	CHILD_GONE_SHARED,
	PARENT_GONE,
	PARENT_OTHER,
	PARENT_GONE_SHARED,
	BOTH_GONE,
	ALL_DIFFERENT, /* three mappings, all different */
	BOTH_NEW,      /* the same in parent and child, which the base does not have */
	BOTH_NEW_FILE,
	CHILD_OTHER_SHARED, /* the child maps shared memory there */
	PARENT_OTHER_SHARED,
	MAPPINGS
};

/* Pages, beside those of test_diff_fixture.h; BASELESS: there is no base. */
#define NOTHING  0
#define BASELESS UINT64_MAX
enum {
	NO_PFNS = 1,
	NO_EXCLUSIVE = 2,
	BASE_OF_OTHER_BOOT = 4,
	NO_ZERO = 8,
	MOVED_BY_KERNEL = 16, /* pages of somebody, also between the two looks */
	MOVED_HERE = 32,      /* pages of these two */
	MERGED = 64           /* KSM may have merged pages of them */
};

struct row {
	unsigned row;
	const char *name;
	enum mapping mapping;
	uint64_t base, parent, child;
	unsigned unknown;
	int verdict;
	bool inferred;
};

static inline void set_mapping(struct verdict_case *c, enum mapping mapping)
{
	bool shared = mapping == SHARED || mapping == CHILD_GONE_SHARED || mapping == PARENT_GONE_SHARED;
	bool file = mapping == PRIVATE_FILE || mapping == BOTH_NEW_FILE;
	bool child_gone = mapping == CHILD_GONE || mapping == CHILD_GONE_SHARED || mapping == BOTH_GONE;
	bool parent_gone = mapping == PARENT_GONE || mapping == PARENT_GONE_SHARED || mapping == BOTH_GONE;
	bool child_other = child_gone || mapping == CHILD_OTHER || mapping == CHILD_OTHER_SHARED;
	bool parent_other = parent_gone || mapping == PARENT_OTHER || mapping == PARENT_OTHER_SHARED;
	bool both_new = mapping == BOTH_NEW || mapping == BOTH_NEW_FILE;
	bool all_other = mapping == ALL_DIFFERENT;
	c->parent.mapped = !parent_gone;
	c->child.mapped = !child_gone;
	c->base.mapped = true;
	c->parent.shared = (shared && !parent_gone) || mapping == PARENT_OTHER_SHARED;
	c->child.shared = (shared && !child_gone) || mapping == CHILD_OTHER_SHARED;
	c->base.shared = shared;
	c->parent.file = c->child.file = c->base.file = file;
	c->parent_child_same = !all_other && child_other == parent_other;
	c->parent_base_same = !all_other && !parent_other && !both_new;
	c->child_base_same = !all_other && !child_other && !both_new;
}

static inline struct verdict_case make_case(const struct row *row)
{
	struct verdict_page page = { .frames_known = !(row->unknown & NO_PFNS),
		                     .exclusive_known = !(row->unknown & NO_EXCLUSIVE),
		                     .zero = { .flagged = !(row->unknown & NO_ZERO),
		                               .exclusive = !(row->unknown & NO_EXCLUSIVE) } };
	struct verdict_case c = { .parent = page, .child = page, .base = page };
	c.base_time = row->base == BASELESS ? BASE_NONE : BASE_AT;
	c.parent_child_frames = true;
	c.base_frames = !(row->unknown & BASE_OF_OTHER_BOOT);
	c.at_once = !(row->unknown & (MOVED_BY_KERNEL | MERGED));
	c.merges = row->unknown & MERGED;
	c.moves = c.merges                           ? MOVES_UNKNOWN
	          : (row->unknown & MOVED_HERE)      ? MOVES_HERE
	          : (row->unknown & MOVED_BY_KERNEL) ? MOVES_ELSEWHERE
	                                             : MOVES_NONE;
	set_mapping(&c, row->mapping);
	c.parent.entry = row->parent;
	c.child.entry = row->child;
	c.base.entry = c.base_time ? row->base : 0;
	return c;
}

/* With parent and child in each other's place. */
static inline struct verdict_case mirror(struct verdict_case c)
{
	struct verdict_page parent = c.parent;
	c.parent = c.child;
	c.child = parent;
	bool parent_base_same = c.parent_base_same;
	c.parent_base_same = c.child_base_same;
	c.child_base_same = parent_base_same;
	return c;
}

/* Of the table in docs/verdicts.md. */
enum { TABLE_ROWS = 82 };

#endif
