/* record_blame.h - page faults beside a recording: a thread takes them in, so that they find room while a snapshot is
 * taken or written, and each snapshot is given those since the one before. */
#ifndef VMSNAP_CLI_RECORD_BLAME_H
#define VMSNAP_CLI_RECORD_BLAME_H

#include "options.h"
#include "vmsnap.h"

struct record_blame;
/* STATUS_OK, or a status after saying why. */
int record_blame_open(const struct options *options, const pid_t *pids, size_t count, struct record_blame **out);
int record_blame_add(struct record_blame *blame, pid_t pid);
/* What came since the last time, right behind a snapshot. */
int record_blame_take(struct record_blame *blame, struct vmsnap_faults **out);
/* Snapshots of one instant become such that have their faults, with names; all: of all processes that are there.  In
 * the thread that writes. */
int record_blame_give(struct record_blame *blame, const struct vmsnap_faults *faults, struct vmsnap **snaps,
                      size_t count, bool all, struct vmsnap_error *err);
/* That is over.  How many faults were seen, how many lost (UINT64_MAX: some), and of how many there is no later
 * snapshot. */
struct record_blame_sums {
	uint64_t seen, lost, left;
};
void record_blame_sums(const struct record_blame *blame, struct record_blame_sums *out);
void record_blame_close(struct record_blame *blame); /* NULL is fine */

#endif
