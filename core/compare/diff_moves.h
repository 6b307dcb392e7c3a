/* diff_moves.h - finds memory that went to another address (mremap, or a file
 * mapped anew elsewhere). */
#ifndef VMSNAP_DIFF_MOVES_H
#define VMSNAP_DIFF_MOVES_H

#include "snapshot.h"
#include "work.h"

/* A part of a VMA where the other snapshot maps something else, or nothing. */
struct part {
	size_t vma;
	uint64_t start, end;
	bool matched;
	unsigned tries; /* how often frames hinted at a move */
};
struct part_list {
	struct part *items;
	size_t count, capacity;
};

/* [from, from + length) of VMA a of A is at `to` in VMA b of B. */
struct move {
	size_t a, b;
	uint64_t from, to, length;
};
struct move_list {
	struct move *items;
	size_t count, capacity;
};

/* Finds what went from a part of A to a part of B.  Moves are in order of .from
 * and overlap neither in A nor in B.  Marks the parts as matched. */
int moves_find(const struct vmsnap *a, struct part_list *lost, const struct vmsnap *b, struct part_list *gained,
               struct work *work, struct move_list *out);

#endif
