/* freeze_reap.c - what another thread does for the one that freezes: it reaps threads
 * of a frozen process that have ended, and ends a wait that is too long. */
#define _GNU_SOURCE
#include "freeze_reap.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <gnu/lib-names.h>
#endif

#include "clock.h"
#include "error.h"
#include "tracee.h"
#include "tracer.h"

/* AddressSanitizer marks the stack of each function until it returns, unless it is told
 * that those called so far may not. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_IS_MARKED
#endif
#endif
#if defined(STACK_IS_MARKED) || defined(__SANITIZE_ADDRESS__)
void __asan_handle_no_return(void);
#define MAY_NOT_RETURN() __asan_handle_no_return()
#else
#define MAY_NOT_RETURN() ((void)0)
#endif

/* Not the main thread's end, which is the process's and belongs to its parent.  Both
 * threads ask: what one has reaped the other must not ask for, as the number may be that
 * of another child of the caller's by then. */
static void reap_if_ended(const struct frozen_process *process, struct frozen_task *task)
{
	if (!task->reaped && task->tid != process->pid)
		task->reaped = tracee_reap(task->tid);
}

void freeze_reap_task(struct freeze *freeze, const struct frozen_process *process, struct frozen_task *task)
{
	pthread_mutex_lock(&freeze->lock);
	reap_if_ended(process, task);
	pthread_mutex_unlock(&freeze->lock);
}

/* The task at *t of *p, or else the first behind; 0: there is none. */
static pid_t task_from(struct freeze *freeze, size_t *p, size_t *t)
{
	pthread_mutex_lock(&freeze->lock);
	for (; *p < freeze->count && *t >= freeze->processes[*p].count; ++*p)
		*t = 0;
	pid_t tid = *p < freeze->count ? freeze->processes[*p].tasks[*t].tid : 0;
	pthread_mutex_unlock(&freeze->lock);
	return tid;
}

static void reap_at(struct freeze *freeze, size_t p, size_t t)
{
	pthread_mutex_lock(&freeze->lock);
	reap_if_ended(&freeze->processes[p], &freeze->processes[p].tasks[t]);
	pthread_mutex_unlock(&freeze->lock);
}

/* Asks without the lock, which the thread that freezes needs for each task that it adds: thousands of calls take
 * some 10 ms, and as long as a busy machine likes.  By what was asked nothing is taken. */
void freeze_reap_threads(struct freeze *freeze)
{
	pid_t tid;
	for (size_t p = 0, t = 0; (tid = task_from(freeze, &p, &t)); t++)
		if (tracee_has_ended(tid))
			reap_at(freeze, p, t);
}

/* ---- seizing that lasts too long -------------------------------------------------- */

void freeze_own_thread(struct freeze *freeze)
{
	/* It may be ended within freeze_seize_task() only, but there at any instruction. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	prctl(PR_SET_NAME, TRACER_THREAD_NAME);
	freeze->thread = (pid_t)syscall(SYS_gettid);
}

/* Whoever changes .seizing first decides: the thread is done with the call, or it is
 * given up, even if the call was just about to return. */
long freeze_seize_task(struct freeze *freeze, size_t process, pid_t tid, unsigned long options)
{
	uint64_t since = monotonic_now();
	freeze->seized_process = process;
	atomic_store(&freeze->seizing, since);
	MAY_NOT_RETURN();
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	long rc = ptrace(PTRACE_SEIZE, tid, NULL, options);
	int saved = errno;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	if (!atomic_compare_exchange_strong(&freeze->seizing, &since, 0)) {
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
		for (;;)
			pause();
	}
	errno = saved;
	return rc;
}

/* To end a thread glibc loads the compiler's library that unwinds stacks, and aborts
 * the program if there is none.  Then rather wait. */
static bool can_end_threads(void)
{
#ifdef __GLIBC__
	return dlopen(LIBGCC_S_SO, RTLD_NOW) != NULL;
#else
	return true;
#endif
}

/* Whether it sleeps in the kernel; one that runs may only have had no turn. */
static bool sleeps(pid_t tid)
{
	CLEANUP_CLOSE int own = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return own < 0 || strchr("SD", tracer_task_state(own, tid));
}

void freeze_watch(struct freeze *freeze, pthread_t thread)
{
	enum { WAIT_MIN_NS = 50000000 };
	uint64_t since = atomic_load(&freeze->seizing), now = monotonic_now();
	bool again = since == freeze->watched;
	freeze->watched = since;
	if (since <= FREEZE_GIVEN_UP || !again || now - since < WAIT_MIN_NS || !sleeps(freeze->thread))
		return;
	if (now - freeze->started < atomic_load(&freeze->patience) && !atomic_load(freeze->cancel))
		return;
	if (can_end_threads() && atomic_compare_exchange_strong(&freeze->seizing, &since, FREEZE_GIVEN_UP))
		pthread_cancel(thread);
}

/* A thread can be joined a moment before the kernel lets go of what it traced. */
static void wait_for_end_of(pid_t tid)
{
	for (int i = 0; i < 1000 && !syscall(SYS_tgkill, getpid(), tid, 0); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

void freeze_start_over(struct freeze *freeze)
{
	wait_for_end_of(freeze->thread);
	freeze->given_up++;
	freeze->processes[freeze->seized_process].stuck = true;
	for (size_t p = 0; p < freeze->count; p++)
		freeze->processes[p].others = false;
	freeze_forget_tasks(freeze);
	atomic_store(&freeze->seizing, 0);
	freeze->began = freeze->ended = freeze->waited = 0;
}
