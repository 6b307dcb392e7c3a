/* freeze_reap.h - for the thread that freezes and for the one that watches it: tasks that end
 * while they are held, and tasks that cannot be seized in time (freeze.h says why). */
#ifndef VMSNAP_FREEZE_REAP_H
#define VMSNAP_FREEZE_REAP_H

#include "freeze_tasks.h"

/* The calling thread is to freeze.  Its name tells other captures whom to wait for. */
void freeze_own_thread(struct freeze *freeze);
/* PTRACE_SEIZE; does not return if it is given up. */
long freeze_seize_task(struct freeze *freeze, size_t process, pid_t tid, unsigned long options);
/* For another thread than the one that freezes, now and then.  An exec of the target
 * ends all its other threads, and waits until the tracer of each has taken note; a
 * tracer that asks for one more thread at that time waits for the exec, and without
 * this both would for ever (ptrace(2), BUGS: "may deadlock"; seen on Linux 6.18). */
void freeze_reap_threads(struct freeze *freeze);
/* Takes the end of one of its tasks, if it is no main thread, for both of these threads. */
void freeze_reap_task(struct freeze *freeze, const struct frozen_process *process, struct frozen_task *task);
/* For another thread as well: ends the one that freezes if it waits for a target for
 * too long, or at all when the caller has cancelled. */
void freeze_watch(struct freeze *freeze, pthread_t thread);
/* When that thread was joined, and was ended so: all that it held runs.  Another may
 * freeze afterwards, without the process in the way. */
void freeze_start_over(struct freeze *freeze);

#endif
