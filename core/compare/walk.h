/* walk.h - walks up to three snapshots side by side, in address order.
 * Knows VMAs and runs as lists of ranges; not what they mean. */
#ifndef VMSNAP_WALK_H
#define VMSNAP_WALK_H

#include "snapshot.h"

enum { WALK_SIDES = 3 };

/* Addresses in which each side has one VMA throughout, or none (NULL). */
struct vma_range {
	uint64_t start, end;
	const struct vmsnap_vma *vma[WALK_SIDES];
};

/* Ranges follow each other without a gap from 0 to UINT64_MAX, so that pages are
 * met even where the map (which may be older than they) has no VMA. */
struct vma_walk {
	const struct vmsnap *snap[WALK_SIDES];
	size_t sides, next[WALK_SIDES];
	uint64_t at;
};
struct vma_walk vma_walk_begin(const struct vmsnap *const *snaps, size_t sides);
/* The same, from an address on. */
struct vma_walk vma_walk_from(const struct vmsnap *const *snaps, size_t sides, uint64_t at);
bool vma_walk_next(struct vma_walk *walk, struct vma_range *range);

/* A place in a list of runs that only moves up. */
struct run_cursor {
	const struct run *run, *end;
	unsigned shift; /* log2 of the page size */
};
unsigned walk_page_shift(const struct vmsnap *snap);
struct run_cursor run_cursor_at(const struct vmsnap *snap, uint64_t address);

/* The last byte, not the end: the end of the highest page wraps to 0. */
static inline uint64_t run_last(const struct run *run, unsigned shift)
{
	return run_start(run) + (run_pages(run) << shift) - 1;
}

/* Whether two runs differ in more than `aside`, of an entry. */
static inline uint64_t run_differs(const struct run *a, const struct run *b, uint64_t aside)
{
	return (a->head ^ b->head) | ((a->entry ^ b->entry) & ~aside);
}

/* Its pages, if they are of no file and not the zero page. */
static inline uint64_t run_own_pages(const struct run *run)
{
	const uint64_t others = ENTRY_FLAG(VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO);
	bool own = (run->entry & ENTRY_POPULATED) && !(run->entry & others);
	return own ? run_pages(run) : 0;
}

/* run_own_pages() of some in a row, from `at` on, which only the first may begin below. */
static inline uint64_t runs_own_pages(const struct run *first, const struct run *end, uint64_t at, unsigned shift)
{
	uint64_t own = 0;
	for (const struct run *run = first; run < end; run++)
		own += run_own_pages(run);
	bool cut = first < end && run_start(first) < at && run_own_pages(first);
	return cut ? own - ((at - run_start(first)) >> shift) : own;
}

/* To the first run that does not end below `at`. */
static inline void run_cursor_pass(struct run_cursor *cursor, uint64_t at)
{
	while (cursor->run < cursor->end && run_last(cursor->run, cursor->shift) < at)
		cursor->run++;
}

/* Where pages may be next, from `at` on, at most `end`. */
static inline uint64_t run_cursors_next(const struct run_cursor *a, const struct run_cursor *b, uint64_t at,
                                        uint64_t end)
{
	uint64_t next = end;
	if (a->run < a->end && run_start(a->run) < next)
		next = run_start(a->run);
	if (b->run < b->end && run_start(b->run) < next)
		next = run_start(b->run);
	return next > at ? next : at;
}

/* Passes over runs below `end` that are the same on both sides, but for `aside`: most are.  Returns where what
 * is not passed begins, from `at` on. */
static inline uint64_t run_cursors_skip_alike(struct run_cursor *a, struct run_cursor *b, uint64_t at, uint64_t end,
                                              uint64_t aside)
{
	run_cursor_pass(a, at);
	run_cursor_pass(b, at);
	const struct run *in_a = a->run, *in_b = b->run;
	/* Four at a time: one branch, and the compiler has vectors for it. */
	while (a->end - in_a >= 4 && b->end - in_b >= 4 && run_last(&in_a[3], a->shift) < end &&
	       !(run_differs(&in_a[0], &in_b[0], aside) | run_differs(&in_a[1], &in_b[1], aside) |
	         run_differs(&in_a[2], &in_b[2], aside) | run_differs(&in_a[3], &in_b[3], aside))) {
		in_a += 4;
		in_b += 4;
	}
	while (in_a < a->end && in_b < b->end && !run_differs(in_a, in_b, aside) && run_last(in_a, a->shift) < end) {
		in_a++;
		in_b++;
	}
	a->run = in_a;
	b->run = in_b;
	return run_cursors_next(a, b, at, end);
}

static inline uint64_t run_cursors_skip_equal(struct run_cursor *a, struct run_cursor *b, uint64_t at, uint64_t end)
{
	return run_cursors_skip_alike(a, b, at, end, 0);
}

/* The entry of the page at `at`, 0 if it is in no run.  Lowers *until to where
 * that run, or the gap, ends. */
static inline uint64_t run_cursor_entry(struct run_cursor *cursor, uint64_t at, uint64_t *until)
{
	run_cursor_pass(cursor, at);
	if (cursor->run == cursor->end)
		return 0;
	uint64_t start = run_start(cursor->run), entry = cursor->run->entry;
	if (start > at) {
		if (start < *until)
			*until = start;
		return 0;
	}
	uint64_t last = run_last(cursor->run, cursor->shift);
	if (last < *until - 1)
		*until = last + 1;
	return start == at ? entry : entry + ((at - start) >> cursor->shift) * entry_step(entry);
}

#endif
