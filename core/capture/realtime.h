/* realtime.h - a processor for those that somebody waits for, while he waits.
 *
 * On a busy machine most of a pause is waiting for one.  So our threads that work while the target stands
 * are at real-time priority meanwhile, the lowest there is, where that is permitted (CAP_SYS_NICE, or
 * RLIMIT_RTPRIO), and for no longer than REALTIME_MS: nobody is to starve because of us.  Whoever notices
 * that the time is up ends it for all of them, between two system calls.  They are threads of our own and
 * end with the capture, so that nothing of this reaches the program that we are in: not by a fork
 * (SCHED_RESET_ON_FORK), not by our end, and a thread that is at real-time priority already stays as it
 * is. */
#ifndef VMSNAP_REALTIME_H
#define VMSNAP_REALTIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The longest system call of ours while the target stands takes some 25 ms. */
enum { REALTIME_MS = 100, REALTIME_ENOUGH_MS = 60, REALTIME_THREADS = 66 };

struct realtime {
	struct realtime_thread {
		pid_t tid;
		int policy, priority; /* before */
	} threads[REALTIME_THREADS];
	size_t count;
	bool permitted;
	bool crowded;           /* others want processors: it is needed from the beginning */
	_Atomic uint64_t since; /* CLOCK_MONOTONIC, ns; 0: not now */
	atomic_bool over;       /* the time is up, for this capture */
};

/* Whether the calling thread may; it is tried.  And whether others are in the way. */
void realtime_init(struct realtime *realtime);
/* The calling thread belongs to them, and is not at real-time priority.  Before the first of them begins,
 * one after the other. */
void realtime_add(struct realtime *realtime, pid_t tid);
/* All of them; nothing if it is on already, is not permitted, or was over before. */
void realtime_begin(struct realtime *realtime);
/* Ends it if the time is up.  Uses no libc. */
void realtime_check(struct realtime *realtime);
/* All are as they were.  Uses no libc. */
void realtime_end(struct realtime *realtime);
bool realtime_is_on(const struct realtime *realtime);

#endif
