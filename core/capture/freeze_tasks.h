/* freeze_tasks.h - the processes and tasks of a freeze, and how one is found. */
#ifndef VMSNAP_FREEZE_TASKS_H
#define VMSNAP_FREEZE_TASKS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "realtime.h"
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
	bool runs;    /* some task may run, or has not been seen: it is not just waiting in the kernel */
	bool stuck;   /* to seize it lasts too long: it is left alone */
	pid_t tracer; /* of the main thread when it could not be seized; 0: none */
	bool gone;
	bool named;     /* by the caller: it must be there */
	bool companion; /* only stopped, as it has, or may have, the memory of another of these */
	/* freeze_tree.h: */
	bool users_unknown; /* whether others have its memory could not be found out */
	size_t memory;      /* of those that have one memory, the index of the first */
};

struct freeze {
	pthread_mutex_t lock; /* the arrays grow while another thread may reap */
	struct frozen_process *processes;
	size_t count, room;
	struct task_index index;
	bool tree;
	pid_t *zombies; /* of a tree, in the order of its lists when they were read last */
	size_t zombie_count, zombie_room;
	uint64_t last_pid;     /* the newest number of a process or thread when relatives were looked for; 0: unknown */
	size_t children_of;    /* how many processes there were when their children were listed */
	unsigned timeout_ms;   /* the caller's; 0: FREEZE_TIMEOUT_MS and more for many threads */
	uint64_t waited;       /* for stops, so far, ns */
	uint64_t began, ended; /* CLOCK_MONOTONIC, ns: the pause */
	const atomic_bool *cancel;
	struct watchdog dog; /* off, unless the caller wants it */
	struct realtime realtime;

	pid_t thread;  /* that freezes */
	pid_t *listed; /* the threads of the process that is seized */
	size_t listed_count, listed_room;
	uint64_t started;          /* the first time, CLOCK_MONOTONIC, ns */
	size_t seized_process;     /* whose task .seizing is about */
	_Atomic uint64_t seizing;  /* since when a task is being seized; 0: none is; FREEZE_GIVEN_UP */
	_Atomic uint64_t patience; /* as the thread that freezes has it */
	uint64_t watched;          /* .seizing, when it was last looked at */
	unsigned given_up;         /* threads, so far */
};
/* How long none of the threads that are waited for may stop, unless the caller says so. */
enum { FREEZE_GIVEN_UP = 1, FREEZE_TIMEOUT_MS = 500 };

void freeze_init(struct freeze *freeze);
/* Adds a process, to be frozen with the others: a companion if that of `parent` is one.  Takes
 * procdir over. */
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
/* Whether a thread that is listed now runs, though others were stopped. */
bool freeze_missed(const struct freeze *freeze, pid_t tid);
/* Releases the memory and closes the directories. */
void freeze_free(struct freeze *freeze);

#endif
