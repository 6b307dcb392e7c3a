/* recorded.h - a folder into which /proc/PID was copied: what it says of the machine it comes from
 * (docs/recorded.md).  What it does not say stays unknown: this machine is another one. */
#ifndef VMSNAP_RECORDED_H
#define VMSNAP_RECORDED_H

#include "procdir.h"
#include "snapshot.h"

/* Fills the identity in snap->info, its page size first of all, from the folder and from its maps,
 * which were read. */
int recorded_identity(int folder, const struct proc_text *maps, struct vmsnap *snap, struct vmsnap_error *err);
/* When the pages have been read: which of their flags tell something.  zero_pfn: the zero page's frame on this
 * machine, or 0. */
void recorded_known(struct vmsnap *snap, uint64_t zero_pfn);

#endif
