/* set.h - what rooms above may ask of a set beside what everybody may. */
#ifndef VMSNAP_SET_H
#define VMSNAP_SET_H

#include "vmsnap.h"
#include "work.h"

/* What work on all snapshots of two sets may take (spare.h); b and options may be NULL. */
int set_work_with(struct work *work, const struct vmsnap_set *a, const struct vmsnap_set *b,
                  const struct vmsnap_compare_options *options, struct vmsnap_error *err);

#endif
