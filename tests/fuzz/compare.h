/* compare.h - diffs and verdicts over snapshots of unknown origin, and what these
 * promise. */
#ifndef VMSNAP_FUZZ_COMPARE_H
#define VMSNAP_FUZZ_COMPARE_H

#include "vmsnap.h"

/* NULL if they cannot be compared. */
struct vmsnap_diff *compare_diff(const struct vmsnap *a, const struct vmsnap *b);
/* base may be NULL. */
struct vmsnap_cow *compare_cow(const struct vmsnap *parent, const struct vmsnap *child, const struct vmsnap *base);
/* NULL if there is not enough memory. */
struct vmsnap_aslr *compare_aslr(const struct vmsnap *a, const struct vmsnap *b);
/* Of processes before and after, by the faults that the later snapshots have.  NULL: they have none. */
struct vmsnap_blame *compare_blame(const struct vmsnap *const *before, const struct vmsnap *const *after, size_t count);

#endif
