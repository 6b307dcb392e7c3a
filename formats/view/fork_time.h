/* fork_time.h - when a child was made, as the kernel tells it: in ticks of 10 ms. */
#ifndef VMSNAP_FORK_TIME_H
#define VMSNAP_FORK_TIME_H

#include "vmsnap.h"

/* USER_HZ, in which the kernel tells when a process began: 100 wherever vmsnap runs. */
enum { FORK_TICK_NS = 10000000 };
/* How long before a snapshot of the same boot the process was made, to a tick; false if that is not known, or it was
 * later. */
bool fork_before(const struct vmsnap *child, const struct vmsnap *snap, uint64_t *ns);
/* Whether the snapshot is of a time before it was made, for certain. */
bool fork_is_after(const struct vmsnap *child, const struct vmsnap *snap);
/* When the child of a fork was made, by the clock on the wall, and how long before it was looked at; false if that is
 * not known, or if the two are not known to be parent and child. */
struct fork_time {
	int64_t at;
	uint64_t before;
};
bool fork_time_of(const struct vmsnap *parent, const struct vmsnap *child, struct fork_time *time);

#endif
