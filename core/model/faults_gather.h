/* faults_gather.h - the page faults that several snapshots of one process have kept, as one. */
#ifndef VMSNAP_FAULTS_GATHER_H
#define VMSNAP_FAULTS_GATHER_H

#include "vmsnap.h"

/* snaps: in the order of time.  With the names of its code; what is not called the same in all of them has none. Where
 * nobody watched for a while from the first that has some to the last, some are lost.  NULL in *out: none has any. */
int faults_gather(const struct vmsnap *const *snaps, size_t count, struct vmsnap_faults **out,
                  struct vmsnap_error *err);
/* vmsnap_faults_join(); one_watch: in the order of time, and what two of them have, which overlap, is one. */
int faults_join_of(const struct vmsnap_faults *const *parts, size_t count, const struct vmsnap_fault_mark *marks,
                   size_t mark_count, bool one_watch, struct vmsnap_faults **out, struct vmsnap_error *err);

#endif
