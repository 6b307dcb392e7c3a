/* vma_match.h - which VMA of one snapshot is which of another, by overlap and
 * by what is mapped. */
#ifndef VMSNAP_VMA_MATCH_H
#define VMSNAP_VMA_MATCH_H

#include "diff_moves.h"
#include "snapshot.h"

/* Memory without a file: "", [heap], [stack], [anon:…], [vdso], … */
bool vma_is_anonymous(const struct vmsnap_vma *vma);
/* The anonymous memory that programs get and may rename; not [vdso] and such. */
bool vma_is_plain(const struct vmsnap_vma *vma);
/* A private mapping whose absent pages are the page cache of a file. */
bool vma_is_private_file(const struct vmsnap_vma *vma);
/* Whether both map the same thing at the same address.  For any one address this
 * is an equivalence relation. */
bool vma_same_backing(const struct vmsnap_vma *a, const struct vmsnap_vma *b);

struct vma_match {
	struct vmsnap_diff_vma *rows; /* by address */
	size_t count, capacity;
	struct move_list moves; /* by .from */
	struct move *moves_to;  /* the same by .to */
};
/* Counts what it gives, and what it needs meanwhile. */
int vma_match(const struct vmsnap *a, const struct vmsnap *b, struct work *work, struct vma_match *out);
void vma_match_free(struct vma_match *match);

#endif
