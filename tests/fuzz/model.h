/* model.h - what every snapshot promises, and whether two are the same. */
#ifndef VMSNAP_FUZZ_MODEL_H
#define VMSNAP_FUZZ_MODEL_H

#include "vmsnap.h"

/* Order, alignment, strings that end, sums that agree with runs. */
void model_check(const struct vmsnap *snap);
/* All that a snapshot holds. */
void model_check_same(const struct vmsnap *a, const struct vmsnap *b);
/* Identity and status: what a peek gives. */
void model_check_same_info(const struct vmsnap *a, const struct vmsnap *b);

#endif
