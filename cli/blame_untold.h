/* blame_untold.h - what the kernel does not tell of processes whose page faults are watched, and how that shows at the
 * end. */
#ifndef VMSNAP_CLI_BLAME_UNTOLD_H
#define VMSNAP_CLI_BLAME_UNTOLD_H

#include <stddef.h>
#include <stdint.h>

#include "process_arg.h"
#include "vmsnap.h"

/* Now, from boot on, in what start times are counted in. */
uint64_t ticks_now(void);
/* A record of a birth may have found no room: who was born after `ticks`, of one that is watched, is watched, too. Adds
 * those; *found: how many. */
int untold_births(struct processes *living, uint64_t ticks, size_t *found);
void say_untold_births(size_t count);
/* Once a process has executed a program that gives it rights (set-user-ID, capabilities of the file), events of
 * perf_event_open(2) are taken from it, whoever watches. Says so of each. */
void say_gained_rights(const struct vmsnap_fault_watch *watch, struct vmsnap *const *snaps, size_t count);

#endif
