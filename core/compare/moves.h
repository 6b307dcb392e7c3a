/* moves.h - finds memory that went to another address (mremap), and knows how sure that is. */
#ifndef VMSNAP_MOVES_H
#define VMSNAP_MOVES_H

#include "same_runs.h"
#include "snapshot.h"
#include "unmatched.h"
#include "work.h"

/* [from, from + length) of VMA a of A is at `to` in VMA b of B. */
struct move {
	size_t a, b;
	uint64_t from, to, length;
};
struct move_list {
	struct move *items;
	size_t count, capacity;
};

struct moves {
	/* Facts, which overlap neither in A nor in B.  The same moves twice: by .from, and by .to. */
	struct move_list list;
	struct move *by_to;
	size_t by_to_count;
	struct move_list possible; /* by .to: it looks like that, but nothing proves it */
	struct move_list hinted; /* by .to: frames that went from A to B, where not even that is believed of the rest */
	struct same_runs same;   /* what was seen to be the same, meanwhile */
};
/* Finds what went from A to B.  lost and gained: the ranges of A and of B, by address.  at_once: see
 * move_proof_of(). */
int moves_find(const struct vmsnap *a, const struct unmatched_list *lost, const struct vmsnap *b,
               const struct unmatched_list *gained, bool at_once, struct work *work, struct moves *out);
/* Sorts what was added to out->list, and makes by_to anew. */
int moves_sort(struct moves *moves, struct work *work);
/* work: what counted them, or NULL. */
void moves_free(struct moves *moves, struct work *work);

/* The move out of A's address `at`, or into B's, if any.  Lowers *until to where that changes. */
const struct move *moves_from(const struct moves *moves, uint64_t at, uint64_t *until);
const struct move *moves_to(const struct moves *moves, uint64_t at, uint64_t *until);
/* Whether what is at B's `at` may have come from elsewhere in A, though nothing proves it. */
bool moves_possibly_to(const struct moves *moves, uint64_t at, uint64_t *until);

#endif
