/* diff_faults.h - the page faults that snapshots of a diff have kept. */
#ifndef VMSNAP_DIFF_FAULTS_H
#define VMSNAP_DIFF_FAULTS_H

#include "vmsnap.h"

/* *out: NULL: none, or they are not of one process. */
int diff_faults_find(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options,
                     struct vmsnap_faults **out, struct vmsnap_error *err);

#endif
