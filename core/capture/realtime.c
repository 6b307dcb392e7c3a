#define _GNU_SOURCE
#include "realtime.h"

#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "processors.h"
#include "raw_syscall.h"

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

enum { NS_A_MS = 1000000, NS_A_SECOND = 1000000000 };

static uint64_t now(void)
{
	struct timespec time = { 0 };
	(void)raw_syscall4(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0);
	return (uint64_t)time.tv_sec * NS_A_SECOND + (uint64_t)time.tv_nsec;
}

static long set(pid_t tid, int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };
	return raw_syscall4(SYS_sched_setscheduler, tid, policy, (long)&param, 0);
}

/* Who may not have real-time priority may not take the flag away either. */
static void put_back(const struct realtime_thread *thread)
{
	if (set(thread->tid, thread->policy, thread->priority))
		(void)set(thread->tid, thread->policy | SCHED_RESET_ON_FORK, thread->priority);
}

static long raise(const struct realtime_thread *thread)
{
	/* The lowest of Linux. */
	return set(thread->tid, SCHED_FIFO | SCHED_RESET_ON_FORK, 1);
}

/* With a limit on it the kernel sends SIGXCPU to the program, and ends it. */
static bool time_is_limited(void)
{
	struct rlimit limit;
	enum { LEAST_US = 2 * REALTIME_MS * 1000 };
	return getrlimit(RLIMIT_RTTIME, &limit) || (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < LEAST_US);
}

static bool get(pid_t tid, struct realtime_thread *out)
{
	struct sched_param param = { 0 };
	long policy = raw_syscall4(SYS_sched_getscheduler, tid, 0, 0, 0);
	if (policy < 0 || raw_syscall4(SYS_sched_getparam, tid, (long)&param, 0, 0))
		return false;
	*out = (struct realtime_thread){ .tid = tid, .policy = (int)policy, .priority = param.sched_priority };
	return true;
}

static bool is_ordinary(const struct realtime_thread *thread)
{
	int policy = thread->policy & ~SCHED_RESET_ON_FORK;
	return policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

void realtime_init(struct realtime *realtime)
{
	struct realtime_thread self;
	pid_t tid = (pid_t)raw_syscall4(SYS_gettid, 0, 0, 0, 0);
	*realtime = (struct realtime){ 0 };
	if (time_is_limited() || !get(tid, &self) || !is_ordinary(&self))
		return;
	realtime->permitted = !raise(&self);
	if (realtime->permitted)
		put_back(&self);
	realtime->crowded = realtime->permitted && processors_wanted();
}

void realtime_add(struct realtime *realtime, pid_t tid)
{
	struct realtime_thread thread;
	if (!realtime->permitted || realtime->count == REALTIME_THREADS || !get(tid, &thread) || !is_ordinary(&thread))
		return;
	realtime->threads[realtime->count++] = thread;
}

void realtime_begin(struct realtime *realtime)
{
	if (!realtime->permitted || atomic_load(&realtime->over) || atomic_load(&realtime->since))
		return;
	atomic_store(&realtime->since, now());
	for (size_t i = 0; i < realtime->count; i++)
		(void)raise(&realtime->threads[i]);
	/* Ended by another meanwhile, who had to wait for a processor as well. */
	for (size_t i = 0; !realtime_is_on(realtime) && i < realtime->count; i++)
		put_back(&realtime->threads[i]);
}

void realtime_end(struct realtime *realtime)
{
	if (!atomic_exchange(&realtime->since, 0))
		return;
	for (size_t i = 0; i < realtime->count; i++)
		put_back(&realtime->threads[i]);
}

void realtime_check(struct realtime *realtime)
{
	uint64_t since = atomic_load_explicit(&realtime->since, memory_order_relaxed);
	if (!since || now() - since < REALTIME_ENOUGH_MS * UINT64_C(1000000))
		return;
	atomic_store(&realtime->over, true);
	realtime_end(realtime);
}

bool realtime_is_on(const struct realtime *realtime)
{
	return atomic_load_explicit(&realtime->since, memory_order_relaxed) != 0;
}
