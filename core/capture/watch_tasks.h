/* watch_tasks.h - the processes and threads of a watch (vmsnap/watch.h): how they become ours, stand and go on.
 *
 * Nothing is waited for but with WNOWAIT (tracee.h says why): a stop is looked at, and gone when its thread is let go.
 * So whatever is not done with yet is found again by the next look. */
#ifndef VMSNAP_WATCH_TASKS_H
#define VMSNAP_WATCH_TASKS_H

#include <pthread.h>

#include "tracee.h"
#include "vmsnap.h"

struct watched_task {
	pid_t tid, pid; /* the process's */
	bool leave;     /* it is to be let go for good when it stands: nobody wants to watch it */
	bool told;      /* its event was told: it goes on with vmsnap_watch_go() */
	bool asked;     /* PTRACE_INTERRUPT */
	bool settled;   /* its options are as they should be: they were its maker's */
	bool gone;
};
struct vmsnap_watch {
	unsigned flags;
	struct watched_task *tasks; /* by number */
	size_t count, room;
	pid_t *processes; /* as they came */
	size_t process_count, process_room;
	pthread_mutex_t lock; /* the tasks, while another thread reaps */
	pid_t stray;          /* it stands, and nobody has told who made it */
	uint64_t stray_since;
};

/* NULL if there is none. */
struct watched_task *watch_find(const struct vmsnap_watch *watch, pid_t tid);
/* Adds it, or gives the one that is there; NULL without memory. */
struct watched_task *watch_add_task(struct vmsnap_watch *watch, pid_t tid, pid_t pid);
/* Returns 0 or -ENOMEM. */
int watch_add_process(struct vmsnap_watch *watch, pid_t pid);
void watch_forget_process(struct vmsnap_watch *watch, pid_t pid);
void watch_sweep(struct vmsnap_watch *watch); /* drops tasks that are gone */

/* What is told of a task depends on whether it is its process's main one. */
unsigned long watch_options(const struct vmsnap_watch *watch, bool main_thread);
/* Makes all threads of the process ours.  VMSNAP_ERR_PERMISSION, _NO_PROCESS, … */
int watch_seize(struct vmsnap_watch *watch, int procdir, pid_t pid, struct vmsnap_error *err);
/* Lets a thread go on from the stop that it is in: nothing is lost by that. */
void watch_let_go(const struct vmsnap_watch *watch, struct watched_task *task, const struct tracee_stop *stop);
/* Waits until all threads of these two processes stand (b 0: of one; a 0: of all).  What cannot be stopped in time runs
 * on. */
void watch_hold(struct vmsnap_watch *watch, pid_t a, pid_t b);
/* The process of a thread that is there now; 0 if it is gone.  And its state, as the kernel writes it; X if it is
 * gone. */
pid_t watch_process_of(pid_t tid);
char watch_state_of(pid_t tid);

#endif
