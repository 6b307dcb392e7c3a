/* freeze_reap.c - threads of a frozen process that have ended. */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "freeze.h"

/* Not the main thread's end, which is the process's and belongs to its parent. */
static void reap_threads_of(struct frozen_process *process)
{
	for (size_t t = 0; t < process->count; t++) {
		struct frozen_task *task = &process->tasks[t];
		siginfo_t info = { 0 };
		if (task->reaped || task->tid == process->pid)
			continue;
		/* Our tracees are waited for by any of our threads.  One that is none any
		 * more is not asked for again. */
		int rc = waitid(P_PID, (id_t)task->tid, &info, WEXITED | WNOHANG | __WALL);
		task->reaped = rc || info.si_pid;
	}
}

void freeze_reap_threads(struct freeze *freeze)
{
	pthread_mutex_lock(&freeze->lock);
	for (size_t p = 0; p < freeze->count; p++)
		reap_threads_of(&freeze->processes[p]);
	pthread_mutex_unlock(&freeze->lock);
}
