/* pair.h - walks one to three snapshots side by side, and knows which pages belong together:
 * those at one address, but for memory that moved.  The only walk that comparisons stand on.
 * Knows mappings and entries; not what they mean. */
#ifndef VMSNAP_PAIR_H
#define VMSNAP_PAIR_H

#include "moves.h"
#include "walk.h"

enum { PAIR_SIDES = WALK_SIDES };

/* Who is walked.  The last side leads: what belongs together is met at its address. */
struct pairing {
	size_t sides;
	const struct vmsnap *snap[PAIR_SIDES];
	const struct moves *to_leader[PAIR_SIDES - 1]; /* from that side */
	const struct moves *between;                   /* from side 0 to 1 of three */
	const struct same_runs *same;                  /* of two sides: what need not be read; or NULL */
};

/* One side of a range. */
struct pair_member {
	bool here;                    /* it takes part in it */
	uint64_t shift;               /* its pages are so far above the range's addresses */
	const struct vmsnap_vma *vma; /* NULL: it maps nothing there */
};

/* Addresses in which everything but the pages stays the same. */
struct pair_range {
	uint64_t start, end;
	struct pair_member member[PAIR_SIDES];
	bool moved; /* some member has a shift */
	/* Of three, of the second or third: it may have come here since the first, which then has it elsewhere. */
	bool possibly_moved;
	/* Others lie here too, and the leader has them nowhere: it moved memory over them. */
	bool leaves;
	struct pair_member left[PAIR_SIDES];
};

struct pair_walk {
	struct pairing pairing;
	struct vma_walk vmas;
	struct vma_range range;
	uint64_t at;
	struct run_cursor cursor[PAIR_SIDES];
	size_t next_same;
	/* Whether pages of writable private mappings that are passed over, being equal, are counted, but for those of
	 * files and zeros; and how many that were. */
	bool count_own;
	uint64_t own;
};
/* Ranges follow each other without a gap from `start` to UINT64_MAX. */
struct pair_walk pair_begin(const struct pairing *pairing, uint64_t start);
bool pair_next(struct pair_walk *walk, struct pair_range *range);
/* Of two sides, whether both have the same pages there, or none: then nothing differs in it. */
bool pair_skip_same(struct pair_walk *walk, const struct pair_range *range);

/* The pages of a range, some at a time, as far as all entries count up by their steps. */
struct pair_pages {
	const struct pair_range *range;
	const struct pair_member *member;
	size_t sides;
	uint64_t start, end; /* of these, in the range's addresses */
	uint64_t entry[PAIR_SIDES];
	struct run_cursor cursor[PAIR_SIDES];
	struct pair_walk *walk; /* whose cursors go on here */
	uint64_t *own;          /* pair_walk.own, if that is counted here; else NULL */
	bool skip_equal;
};
/* members: range->member or range->left.  skip_equal: of two sides, what is equal need not be
 * told.  Each range of a walk is to be read, or left, before the next one is asked for. */
struct pair_pages pair_pages_begin(struct pair_walk *walk, const struct pair_range *range,
                                   const struct pair_member *members, bool skip_equal);
bool pair_pages_next(struct pair_pages *pages);

/* Whether what is there is a process's own, and it may write to it now, or might at the other side. */
bool pair_own_memory(const struct pair_range *range);

/* Whether two members map the same thing. */
bool pair_same(const struct pair_member *a, const struct pair_member *b);

#endif
