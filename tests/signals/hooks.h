/* hooks.h - stands between the library and the C library: makes captures slow where it
 * matters, sees who takes what, and ends the program at a call that is chosen.
 *
 * ptrace(), waitid(), pthread_timedjoin_np() and a few others are the driver's own here;
 * libvmsnap.so, which calls them like any program, gets these.  Nothing waits for a time
 * to pass: the thread that freezes waits until the one that watches it has come round. */
#ifndef SIGNALS_HOOKS_H
#define SIGNALS_HOOKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct hooks {
	/* Set before the captures. */
	unsigned every;           /* it waits at every so-manieth thread that it seizes; 0: nothing is slow */
	unsigned long kill_after; /* the program is killed right behind its call of this number; 0: not */

	/* Since the beginning. */
	atomic_ulong seized, interrupted, released;
	atomic_ulong rounds;   /* of the thread that watches, while a freeze lasts */
	atomic_ulong waited;   /* that the freezing thread waited for it */
	atomic_ulong not_seen; /* that it did so in vain */
	atomic_bool looking;   /* it is waiting now */
	atomic_bool seizing;   /* it has seized a thread, and goes on until it has asked one to stop */
	atomic_ulong hindered; /* times that it did not go on while the thread that watches asked */
	atomic_ulong stolen;   /* stops that the watching thread took */
	atomic_ulong met[65];  /* by number: signals before which a thread stood, and was let go with */
	atomic_ulong halted;   /* threads that were seen to stand because somebody had stopped their process */
	atomic_ulong steps;    /* calls that count for .kill_after */
	_Atomic pid_t freezer; /* the thread that seized last */
	atomic_bool frozen;    /* from the first seizing to the first release */
};
extern struct hooks hooks;

#endif
