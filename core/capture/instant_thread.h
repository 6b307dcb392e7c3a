/* instant_thread.h - the thread that freezes: made for that, watched, and begun again if it had to be ended.
 *
 * ptrace belongs to a thread.  This one ends with the freeze, which lets go of whatever could not be stopped
 * in time; ended by freeze_watch(), it lets go of the others by itself, for a signal that one of them was
 * about to receive would be lost otherwise if somebody else has waited for its stop (tracee.h). */
#ifndef VMSNAP_INSTANT_THREAD_H
#define VMSNAP_INSTANT_THREAD_H

#include "instant_processes.h"

/* Does the work in such a thread; what it returned.  The work says when all stand (.stands). */
int instant_thread_run(struct capture *capture, int (*work)(struct capture *capture));

#endif
