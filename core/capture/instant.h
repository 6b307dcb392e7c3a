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
 * instant_seems_exited() says of the result, and instant_lives_on() of the process. */
int instant_take(const struct asked *asked, const struct vmsnap_capture_options *options, bool last,
                 struct vmsnap ***out, size_t *count, struct vmsnap_error *err);
bool instant_seems_exited(int rc);
/* While another thread than the main one executes a program, the main one is a zombie,
 * then the other takes its number: for a moment no thread seems to live.  One that is
 * exiting has no program any more. */
bool instant_lives_on(int procdir);

#endif
