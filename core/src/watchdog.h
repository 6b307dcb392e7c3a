/* watchdog.h - what stands because of us does not stand for as long as somebody likes.
 *
 * A command that has capabilities holds processes of others, and can itself be stopped by
 * whoever started it: SIGSTOP, or the freezer of a control group of theirs.  No process of
 * ours could watch over that, as it would belong to the same user (another user needs
 * CAP_SETUID), and one behind another tracer is stopped as easily.  The kernel's timers
 * cannot be stopped.  One continues us: a SIGCONT wakes a process even if the thread that it
 * is meant for blocks it, and is then forgotten with that thread.  If that does not help,
 * the other ends us, and the kernel lets go of what we traced. */
#ifndef VMSNAP_WATCHDOG_H
#define VMSNAP_WATCHDOG_H

#include "vmsnap.h"

enum { WATCHDOG_TIMERS = 2, WATCHDOG_WAKE_MS = 250, WATCHDOG_KILL_MS = 10000 };

struct watchdog {
	int ids[WATCHDOG_TIMERS];
	unsigned ms[WATCHDOG_TIMERS];
	bool on;
};

/* Begins to watch over the calling thread, which blocks SIGCONT.  Longer than so many ms
 * without watchdog_kick(): its process is continued, and killed. */
int watchdog_start(struct watchdog *dog, unsigned wake_ms, unsigned kill_ms, struct vmsnap_error *err);
/* We are still there.  Uses no libc; does nothing if it is not on. */
void watchdog_kick(const struct watchdog *dog);
void watchdog_stop(struct watchdog *dog);

#endif
