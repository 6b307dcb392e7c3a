/* watch_target.h - which processes are watched, and whether they are still there. */
#ifndef VMSNAP_CLI_WATCH_TARGET_H
#define VMSNAP_CLI_WATCH_TARGET_H

#include <poll.h>

#include "options.h"
#include "process_arg.h"

struct targets {
	struct processes processes; /* those that words name */
	struct pollfd *fds;         /* a pidfd of each, or -1: so a number that is given anew is not taken for it */
};
/* Says what is wrong with the words for --watch.  To be freed in either case. */
int targets_open(struct targets *targets, const struct options *options);
void targets_free(struct targets *targets);
/* One that has ended, or 0. */
pid_t targets_ended(struct targets *targets);

#endif
