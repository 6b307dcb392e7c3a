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

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmsnap.h"
#include "watchdog.h"

struct frozen_task {
	pid_t tid;
	int signal;   /* to deliver when it is let go */
	bool stopped; /* by us: waits for us to let it go */
	bool missed;  /* did not stop in time: it runs, or cannot run before it stops */
	bool gone;    /* exited meanwhile, or another's */
	bool reaped;  /* the number may be another's by now; only under the lock */
};

/* Where a task stands in the arrays, by its number. */
struct task_index {
	struct task_place {
		uint32_t process, task;
		bool used;
	} * places;
	size_t room, count; /* a power of two; places in use */
};

struct frozen_process {
	pid_t pid;
	size_t parent; /* index; its own for the first */
	int procdir;   /* owned */
	struct frozen_task *tasks;
	size_t count, room;
	enum vmsnap_freeze state;
	bool others;  /* some task has another tracer, or may not be traced */
	bool stood;   /* some task of it was stopped */
	bool growing; /* the last look at the list of its threads found new ones */
	bool stuck;   /* to seize it lasts too long: it is left alone */
	pid_t tracer; /* of the main thread when it could not be seized; 0: none */
	bool gone;
};

struct freeze {
	pthread_mutex_t lock; /* the arrays grow while another thread may reap */
	struct frozen_process *processes;
	size_t count, room;
	struct task_index index;
	bool tree;
	unsigned timeout_ms;   /* the caller's; 0: FREEZE_TIMEOUT_MS and more for many threads */
	uint64_t waited;       /* for stops, so far, ns */
	uint64_t began, ended; /* CLOCK_MONOTONIC, ns: the pause */
	const atomic_bool *cancel;
	struct watchdog dog; /* off, unless the caller wants it */

	pid_t thread;  /* that freezes */
	pid_t *listed; /* the threads of the process that is seized */
	size_t listed_count, listed_room;
	uint64_t started;         /* the first time, CLOCK_MONOTONIC, ns */
	size_t seized_process;    /* whose task .seizing is about */
	_Atomic uint64_t seizing; /* since when a task is being seized; 0: none is; FREEZE_GIVEN_UP */
	_Atomic uint64_t patience; /* as the thread that freezes has it */
	uint64_t watched;          /* .seizing, when it was last looked at */
	unsigned given_up;        /* threads, so far */
};
/* How long none of the threads that are waited for may stop, unless the caller says so. */
enum { FREEZE_GIVEN_UP = 1, FREEZE_TIMEOUT_MS = 500 };

void freeze_init(struct freeze *freeze);
/* Adds a process, to be frozen with the others.  Takes procdir over. */
int freeze_add(struct freeze *freeze, pid_t pid, size_t parent, int procdir, struct vmsnap_error *err);
/* Adds a task of the process, which may move both arrays.  Returns 0 or -errno. */
int freeze_add_task(struct freeze *freeze, size_t process, pid_t tid);
/* The task of that number, *process its process's index; NULL if there is none. */
struct frozen_task *freeze_find_task(const struct freeze *freeze, pid_t tid, size_t *process);
/* All of them, before a start all over. */
void freeze_forget_tasks(struct freeze *freeze);
/* How long to wait in all, ns: with many threads it takes longer until each has had its
 * turn on a processor to stop.  Less if for FREEZE_TIMEOUT_MS none has. */
uint64_t freeze_patience(const struct freeze *freeze);
/* Stops them all; with .tree also their descendants, which are added.  That a
 * process cannot be stopped is no error: its state says so. */
int freeze_stop(struct freeze *freeze, struct vmsnap_error *err);
/* Adds their children as they are now; *added counts them. */
int freeze_add_children(struct freeze *freeze, size_t *added, struct vmsnap_error *err);
/* Only finds the descendants, of processes that run on: some may be missed. */
int freeze_find_descendants(struct freeze *freeze, struct vmsnap_error *err);
/* The calling thread is to freeze.  Its name tells other captures whom to wait for. */
void freeze_own_thread(struct freeze *freeze);
/* PTRACE_SEIZE; does not return if it is given up. */
long freeze_seize_task(struct freeze *freeze, size_t process, pid_t tid, unsigned long options);
/* Whether every thread of a process is in a tracing stop, by the same tracer as when
 * it could not be seized. */
bool freeze_held_by_debugger(const struct frozen_process *process);
/* For another thread than the one that freezes, now and then.  An exec of the target
 * ends all its other threads, and waits until the tracer of each has taken note; a
 * tracer that asks for one more thread at that time waits for the exec, and without
 * this both would for ever (ptrace(2), BUGS: "may deadlock"; seen on Linux 6.18). */
void freeze_reap_threads(struct freeze *freeze);
/* For another thread as well: ends the one that freezes if it waits for a target for
 * too long, or at all when the caller has cancelled. */
void freeze_watch(struct freeze *freeze, pthread_t thread);
/* When that thread was joined, and was ended so: all that it held runs.  Another may
 * freeze afterwards, without the process in the way. */
void freeze_start_over(struct freeze *freeze);
/* Takes the end of one of its tasks, if it is no main thread, for both of these threads. */
void freeze_reap_task(struct freeze *freeze, const struct frozen_process *process, struct frozen_task *task);
/* Whether a thread that is listed now runs, though others were stopped. */
bool freeze_missed(const struct freeze *freeze, pid_t tid);
/* Lets everything run that stands because of us. */
void freeze_release(struct freeze *freeze);
/* Releases the memory and closes the directories. */
void freeze_free(struct freeze *freeze);

uint64_t monotonic_now(void);

#endif
