/* move_measure.h - whether what may have moved did. */
#ifndef VMSNAP_MOVE_MEASURE_H
#define VMSNAP_MOVE_MEASURE_H

#include "move_candidates.h"

enum move_belief { MOVE_NO, MOVE_POSSIBLE, MOVE_SURE };

/* What there is to prove it with. */
struct move_proof {
	bool frames; /* of A and B can be compared */
	bool same_process, at_once;
	bool one_line;              /* that, or one and its child: pages may be the same */
	bool counted;               /* .faults is known */
	bool by_kernel;             /* it may have given pages other frames without a fault */
	const struct vmsnap *later; /* A or B */
	uint64_t faults;            /* that pages may have come by which seem to have moved */
};
/* at_once: if they are two processes, they were looked at at one time: then frames that both have are
 * the same pages.  Otherwise one may have let go of them before the other was given them. */
struct move_proof move_proof_of(const struct vmsnap *a, const struct vmsnap *b, bool at_once);
/* Whether only page faults can prove a move between two ranges that both map where they were.  *enough: so many
 * that nothing is proven if all that is new can have come by them. */
bool move_proof_by_faults(const struct move_proof *proof, uint64_t *enough);
/* So many faults were needed for other pages. */
void move_proof_spent(struct move_proof *proof, uint64_t faults);

/* How many looks at runs all candidates together may take: crafted ones could have a
 * million runs in each of a million ranges. */
uint64_t move_looks(const struct vmsnap *a, const struct vmsnap *b, size_t unmatched);

/* Looks at all pages; cuts the candidate where pages did not move. */
int move_measure(const struct vmsnap *a, const struct vmsnap *b, const struct move_proof *proof,
                 struct candidate *candidate, uint64_t *looks, struct work *work, enum move_belief *belief);

#endif
