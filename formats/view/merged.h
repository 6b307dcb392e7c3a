/* merged.h - which pages KSM has merged with others that hold the same, where the kernel's table of frames was read
 * (capture --kpage). */
#ifndef VMSNAP_MERGED_H
#define VMSNAP_MERGED_H

#include "vmsnap.h"

/* Whether the page of a run at an address is merged.  *end: as far as that holds. */
bool merged_at(const struct vmsnap *snap, const struct vmsnap_run *run, uint64_t address, uint64_t *end);
/* Bytes of such pages; of pages whose table was not read none. */
uint64_t merged_of_run(const struct vmsnap *snap, const struct vmsnap_run *run);

#endif
