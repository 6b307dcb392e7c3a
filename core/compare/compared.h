/* compared.h - what diff and cow have in common, and what reports ask of them beyond
 * vmsnap.h. */
#ifndef VMSNAP_COMPARED_H
#define VMSNAP_COMPARED_H

#include "vmsnap.h"

/* Whether the pages of all these (NULLs are passed over) are of one size. */
int comparable(const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err);

/* What a text about it may still take: see spare.h. */
uint64_t diff_memory_left(const struct vmsnap_diff *diff);
uint64_t cow_memory_left(const struct vmsnap_cow *cow);

#endif
