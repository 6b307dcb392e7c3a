/* diff_pages.h - what a diff says of pages: the pairs of two snapshots, judged.  For the diff, and
 * for questions about one page. */
#ifndef VMSNAP_DIFF_PAGES_H
#define VMSNAP_DIFF_PAGES_H

#include "facts.h"
#include "pair.h"
#include "vma_match.h"
#include "writes.h"

enum { DIFF_A, DIFF_B, DIFF_SIDES };

struct pairing diff_pairing(const struct vmsnap *a, const struct vmsnap *b, const struct vma_match *match);

/* What is the same in all pages of a range. */
struct diff_place {
	struct pair_range range;
	struct facts_context context;
	bool away;     /* A's page is at another address in B */
	bool replaced; /* other memory lies where A's did; A's page is gone */
	bool executable;
	const struct vmsnap_vma *vma;        /* in B, else in A */
	struct pair_member gone[DIFF_SIDES]; /* what A had here and is gone; .here false: nothing */
	/* Of pages with equal entries, which have no facts. */
	enum diff_equal {
		DIFF_EQUAL_READ,    /* each may have been written, and is asked about */
		DIFF_EQUAL_COUNTED, /* nothing tells of any of them */
		DIFF_EQUAL_LEFT,    /* none was written */
	} equal;
};
/* known: facts_context_of() both.  May shorten the range. */
struct diff_place diff_place_of(struct pair_walk *walk, const struct pair_range *range,
                                const struct facts_context *known, const struct vma_match *match);

/* Where contents tell the same of all pages from the first on, the range ends there, and what is equal in it need not
 * be read. */
void diff_place_cut(struct pair_walk *walk, struct diff_place *place, struct writes *writes);

/* Some of its pages, in a row; 0 in .changes: nothing to tell. */
struct diff_page {
	uint64_t start, end;
	uint32_t changes, kinds, before, after;
	bool writes_unknown; /* it may have been written to, and nothing says so */
};
struct diff_reader {
	const struct diff_place *place;
	struct writes *writes;
	struct pair_pages pages, gone;
	/* What was said last: most pages that changed are like the one before. */
	uint64_t last_key;
	struct diff_page last;
	bool own; /* pair_own_memory() */
};
/* writes: of both. */
struct diff_reader diff_read(struct pair_walk *walk, const struct diff_place *place, struct writes *writes);
bool diff_read_next(struct diff_reader *reader, struct diff_page *page);

#endif
