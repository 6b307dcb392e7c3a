/* freeze.h - holding processes still with ptrace.
 *
 * PTRACE_SEIZE and PTRACE_INTERRUPT on every task, until no new one appears.  If
 * the tracing thread ends, for whatever reason, the kernel lets all of them go
 * (ptrace(2)); SIGSTOP has no such safety.  So a freeze belongs to one thread, and
 * a task that could not be stopped in time is let go when that thread ends.
 *
 * PTRACE_SEIZE itself may wait for as long as the target likes: for the end of an
 * execve(2) of it, which waits until each of its threads was reaped by who traces it,
 * or for the disk that the program is read from.  No signal ends that wait, unless the
 * thread does not come back to the call (the kernel repeats it); and a signal would be
 * one of the caller's.  So another thread watches, and ends the one that freezes by
 * pthread_cancel(), for which the C library has a signal of its own; then a new one
 * begins again without the process that was in the way. */
#ifndef VMSNAP_FREEZE_H
#define VMSNAP_FREEZE_H

#include "freeze_tasks.h"

/* Stops them all; with .tree also their descendants, and in any case whoever has their memory,
 * which are added.  That a process cannot be stopped is no error: its state says so. */
int freeze_stop(struct freeze *freeze, struct vmsnap_error *err);
/* While they stand, after their pages were read: whether those that could not be stopped, as they wait in the kernel,
 * wait there still.  They have not run then, for before they come back to their program they stop. */
void freeze_look_at_waiting(struct freeze *freeze);
/* Whether every thread of a process is in a tracing stop, by the same tracer as when
 * it could not be seized. */
bool freeze_held_by_debugger(const struct frozen_process *process);
/* Lets everything run that stands because of us. */
void freeze_release(struct freeze *freeze);

#endif
