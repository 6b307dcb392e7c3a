/* move_candidates.h - what may have moved: from where to where, and how far it may go. */
#ifndef VMSNAP_MOVE_CANDIDATES_H
#define VMSNAP_MOVE_CANDIDATES_H

#include "snapshot.h"
#include "unmatched.h"
#include "work.h"

/* A VMA, and the range of it that the other snapshot has not here: from 1; 0: it is in none. */
struct place {
	size_t vma, unmatched;
	uint64_t start; /* of that range, or of the VMA */
};
/* Lowers *until to where the place ends; false in a gap. */
bool place_find(const struct vmsnap *snap, const struct unmatched_list *unmatched, uint64_t at, uint64_t *until,
                struct place *out);

/* All addresses are those of B; A's are `distance` further on. */
struct candidate {
	struct place from, to;
	uint64_t distance;
	uint64_t start, length;        /* all that may belong to it */
	uint64_t seen_start, seen_end; /* between these were the frames that hint at it */
	uint64_t seen;                 /* so many pages of them */
	bool file, by_shape;           /* or what else hinted at it */
	bool sure;
};
struct candidates {
	struct candidate *items;
	size_t count, capacity;
};
int candidate_add(struct candidates *list, const struct candidate *candidate, struct work *work);
void candidates_free(struct candidates *list, struct work *work);

/* Sets .start and .length: as far as both places go. */
void candidate_extend(struct candidate *candidate, const struct vmsnap *a, const struct unmatched_list *lost,
                      const struct vmsnap *b, const struct unmatched_list *gained);
/* Ranges of files: the same place of the same file elsewhere. */
int candidates_of_files(const struct vmsnap *a, const struct unmatched_list *lost, const struct vmsnap *b,
                        const struct unmatched_list *gained, struct work *work, struct candidates *out);
/* Ranges of plain memory, where frames are not known: of equal size. */
int candidates_of_shapes(const struct vmsnap *a, const struct unmatched_list *lost, const struct vmsnap *b,
                         const struct unmatched_list *gained, struct work *work, struct candidates *out);
/* Those with the most pages seen first. */
int candidates_by_seen(struct candidates *list, struct work *work);
/* Takes care that no two overlap, neither in A nor in B. */
int candidates_separate(struct candidates *list, struct work *work);

#endif
