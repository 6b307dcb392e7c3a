/* blame_untold.h - what the kernel does not tell of processes whose page faults are watched, and how that shows at the
 * end. */
#ifndef VMSNAP_CLI_BLAME_UNTOLD_H
#define VMSNAP_CLI_BLAME_UNTOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process_arg.h"
#include "vmsnap.h"

/* Now, from boot on, in what start times are counted in. */
uint64_t ticks_now(void);
/* Of a capture's code: who is gone by then is looked for anew. */
bool blamed_is_gone(int rc);

struct untold_births {
	size_t count;
	bool unseen; /* they could not be looked for */
};
/* If records were lost, that of a birth may be among them: who was born after `ticks`, of one that is watched, is
 * watched, too, and added.  Or it was adopted by that one: nobody can tell by then.  *rc: that of who is gone; then it
 * is to be asked again. */
int untold_births(struct vmsnap_fault_watch *watch, struct processes *living, uint64_t ticks, struct untold_births *out,
                  int *rc);
void say_untold_births(const struct untold_births *births);
/* Once a process has executed a program that gives it rights, events of perf_event_open(2) are taken from it, whoever
 * watches.  Says so of each that has executed one and acts as another user or group: as far as that shows it. */
void say_gained_rights(const struct vmsnap_fault_watch *watch, struct vmsnap *const *snaps, size_t count);

#endif
