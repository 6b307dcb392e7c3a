/* watchdog.h - what stands because of us does not stand for as long as somebody likes.
 *
 * A command that has capabilities holds processes of others, and can itself be stopped by
 * whoever started it: SIGSTOP, or the freezer of a control group of theirs.  No process of
 * ours could watch over that, as it would belong to the same user (another user needs
 * CAP_SETUID), and one behind another tracer is stopped as easily.  The kernel's timers
 * cannot be stopped.  One continues us: a SIGCONT wakes a process even if the thread that it
 * is meant for blocks it, and is then forgotten with that thread.  If that does not help,
 * the other ends us, and the kernel lets go of what we traced.
 *
 * Who stops us again as soon as we are continued would get us a few steps further each
 * time.  So time without a turn on a processor is summed up over all of the freeze, and
 * the second timer is for what is left of it. */
#ifndef VMSNAP_WATCHDOG_H
#define VMSNAP_WATCHDOG_H

#include "vmsnap.h"

enum { WATCHDOG_TIMERS = 2, WATCHDOG_WAKE_MS = 250, WATCHDOG_KILL_MS = 5000 };

struct watchdog {
	int ids[WATCHDOG_TIMERS];
	uint64_t wake, kill;      /* ns */
	uint64_t wall, processor; /* at the last kick, of this thread */
	bool on;
};

/* Begins to watch over the calling thread, which blocks SIGCONT and kicks.  Its process is
 * continued after so many ms without a kick, and killed after so many that passed without
 * the thread using a processor, all taken together; a single system call that lasts as
 * long ends it, too. */
int watchdog_start(struct watchdog *dog, unsigned wake_ms, unsigned kill_ms, struct vmsnap_error *err);
/* We are still there.  Uses no libc; does nothing if it is not on. */
void watchdog_kick(struct watchdog *dog);
/* The same for one that waited on purpose, and sees to it that this ends. */
void watchdog_waited(struct watchdog *dog);
void watchdog_stop(struct watchdog *dog);

#endif
