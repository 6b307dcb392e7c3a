/* verdict.h - who copied a page: the rules, and nothing else.  Pure. */
#ifndef VMSNAP_VERDICT_H
#define VMSNAP_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "fork_base.h"
#include "zero_page.h"

/* One process's page. */
struct verdict_page {
	uint64_t entry; /* see runs.h; 0: absent */
	bool mapped;    /* there is a VMA */
	bool shared;    /* it is MAP_SHARED */
	bool file;      /* it is a private mapping of a file */
	bool plain;     /* it is private memory without a file */
	bool frames_known, exclusive_known;
	struct zero_known zero; /* what tells whether it is the zero page */
	bool taken_for_zero;    /* which it may be */
	bool aligned;           /* it lies in memory as it does in the address space, as pages of a huge one do */
};

/* Whether the kernel gave pages other frames since the base, without a write. */
enum kernel_moves {
	MOVES_NONE,      /* nobody's */
	MOVES_ELSEWHERE, /* somebody's, or it is not known; nothing shows that these were among them */
	MOVES_HERE,      /* most likely some of these */
	MOVES_UNKNOWN,   /* KSM was at work, or there is no base */
};

struct verdict_case {
	struct verdict_page parent, child, base;
	struct verdict_page other; /* the other side when the base was taken, if .base_time says so */
	enum base_time base_time;  /* BASE_NONE: there is no base */
	bool went_on;              /* BASE_BEFORE: the parent changed its memory between it and the fork */
	bool base_after;           /* of one side, after the fork for certain */
	bool parent_idle;          /* it made no page since the base */
	bool child_idle;           /* nor this since the fork */
	/* Whether two of them map the same thing at this address. */
	bool parent_child_same, parent_base_same, child_base_same, base_other_same;
	bool possibly_moved; /* it looks as if what one of the two has here had been elsewhere in the base */
	/* It lacks plain memory that the base had, and has other that the base had not: see adrift.h. */
	bool parent_adrift, child_adrift;
	/* Whether PFNs of these may be compared (one boot). */
	bool parent_child_frames, base_frames;
	enum kernel_moves moves;
	bool at_once; /* parent and child were looked at with no such move in between */
	bool merges;  /* KSM may have merged pages of one of them */
};

struct verdict {
	int verdict; /* enum vmsnap_verdict; -1: nothing to say, no page is there */
	bool inferred;
	bool went_on; /* it shows that the parent changed its memory between the base and the fork */
	bool strayed; /* it is in another frame than at the base, though none of the two need have copied it */
	unsigned row; /* of the table in docs/verdicts.md, from 1 */
};
enum { VERDICT_NONE = -1 };

/* Holds for a whole range in which all entries count up by their steps. */
struct verdict verdict_of(const struct verdict_case *c);

/* Verdicts of pages that are alike: most of millions are. */
enum { VERDICT_MEMO = 16 };
struct verdict_memo {
	struct {
		uint64_t key;
		struct verdict verdict;
	} items[VERDICT_MEMO];
	uint64_t generation;
	struct verdict single;
};
/* Before cases that differ from those until now in anything but entries and .went_on. */
void verdict_memo_next(struct verdict_memo *memo);
/* Two cases with one key, which is not 0, have one verdict. */
uint64_t verdict_key(const struct verdict_memo *memo, const struct verdict_case *c);
/* What verdict_of() says, until the next call.  key: verdict_key() of the case. */
const struct verdict *verdict_again(struct verdict_memo *memo, const struct verdict_case *c, uint64_t key);

#endif
