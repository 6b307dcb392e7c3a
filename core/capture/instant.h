/* instant.h - snapshots of one or several processes, all of one instant, in one look. */
#ifndef VMSNAP_INSTANT_H
#define VMSNAP_INSTANT_H

#include <stdbool.h>
#include <sys/types.h>

#include "vmsnap.h"

/* Whose snapshots the caller wants. */
struct asked {
	const pid_t *pids;
	const int *procdirs; /* stay those of the same processes, whichever threads are their main ones */
	size_t count;
	bool tree;
};

/* last: what seems to have exited is believed; else it is worth another look if that is what
 * instant_seems_exited() says of the result, and instant_lives_on() of the process (instant_processes.h). */
int instant_take(const struct asked *asked, const struct vmsnap_capture_options *options, bool last,
                 struct vmsnap ***out, size_t *count, struct vmsnap_error *err);

#endif
