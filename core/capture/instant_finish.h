/* instant_finish.h - the snapshots of an instant, when nobody waits any more. */
#ifndef VMSNAP_INSTANT_FINISH_H
#define VMSNAP_INSTANT_FINISH_H

#include "instant_processes.h"

/* Of those that were taken, in their order; tells the caller who was left out. */
int instant_finish(struct capture *capture, struct vmsnap ***out, size_t *count);

#endif
