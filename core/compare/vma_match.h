/* vma_match.h - which VMA of one snapshot is which of another, by overlap and
 * by what is mapped. */
#ifndef VMSNAP_VMA_MATCH_H
#define VMSNAP_VMA_MATCH_H

#include "moves.h"
#include "snapshot.h"

/* Addresses where the mappings of both may be two different ones. */
struct doubtful {
	uint64_t start, end;
};
struct vma_match {
	struct vmsnap_diff_vma *rows; /* by address */
	size_t count, capacity;
	struct moves moves;
	struct doubtful *doubtful; /* by address */
	size_t doubtful_count, doubtful_capacity;
};
/* Counts what it gives, and what it needs meanwhile. */
int vma_match(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct vma_match *out);
/* The same by maps alone, of snapshots whose pages have nothing to do with each other: nothing moved. */
int vma_match_maps(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct vma_match *out);
/* Only the moves. */
int vma_match_moves(const struct vmsnap *a, const struct vmsnap *b, bool at_once, struct work *work, struct moves *out);
void vma_match_free(struct vma_match *match);

/* What the kernel maps for itself, and what nobody may touch, gdb leaves out of a core: that it is not in this snapshot
 * says nothing. */
bool core_leaves_out(const struct vmsnap *snap, const struct vmsnap_vma *vma);

#endif
