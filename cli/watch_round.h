/* watch_round.h - one round of --watch: the command, in a child. */
#ifndef VMSNAP_CLI_WATCH_ROUND_H
#define VMSNAP_CLI_WATCH_ROUND_H

#include <sys/types.h>

#include "options.h"

/* What a child writes, as far as it is kept: whole lines of the beginning, and how many there are beyond. */
struct gathered {
	char *bytes;
	size_t len, room;
	size_t lines_beyond;
};
void gathered_clear(struct gathered *gathered);
void gathered_free(struct gathered *gathered);

struct round {
	pid_t pid;          /* 0: none */
	int output, errors; /* where what it writes comes from; -1: it writes where we do, or has ended */
};

/* catch_output, catch_errors: what it writes there is read by us.  STATUS_OK, or STATUS_TROUBLE after saying why. */
int round_start(struct round *round, const struct options *options, bool catch_output, bool catch_errors);
/* Takes what there is from `fd`, one of its two, which is closed at its end. */
void round_read(int *fd, struct gathered *gathered);
/* Whether all that it wrote was read. */
bool round_is_read(const struct round *round);
/* Waits for its end; its exit status. */
int round_finish(struct round *round);
/* Ends it. */
void round_stop(struct round *round);

#endif
