#define _GNU_SOURCE
#include "watch_tasks.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "array.h"
#include "clock.h"
#include "error.h"
#include "procdir.h"
#include "thread.h"
#include "tracer.h"

/* In <sys/ptrace.h> some of these are missing, or members of an enum. */
enum { LISTEN = 0x4208 };
enum { SEIZE_PASSES = 64 };

/* ---- the tables ---- */

static size_t place_of(const struct vmsnap_watch *watch, pid_t tid)
{
	size_t low = 0, high = watch->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (watch->tasks[middle].tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct watched_task *watch_find(const struct vmsnap_watch *watch, pid_t tid)
{
	size_t place = place_of(watch, tid);
	return place < watch->count && watch->tasks[place].tid == tid ? &watch->tasks[place] : NULL;
}

static bool make_room(struct vmsnap_watch *watch)
{
	struct watched_task *tasks = array_room(watch->tasks, watch->count, &watch->room, sizeof(*tasks));
	if (tasks)
		watch->tasks = tasks;
	return tasks != NULL;
}

struct watched_task *watch_add_task(struct vmsnap_watch *watch, pid_t tid, pid_t pid)
{
	struct watched_task *task = NULL;
	pthread_mutex_lock(&watch->lock);
	size_t place = place_of(watch, tid);
	if (place < watch->count && watch->tasks[place].tid == tid) {
		task = &watch->tasks[place];
	} else if (make_room(watch)) {
		task = &watch->tasks[place];
		memmove(task + 1, task, (watch->count++ - place) * sizeof(*task));
		*task = (struct watched_task){ .tid = tid };
	}
	if (task) {
		task->pid = pid;
		task->gone = false;
	}
	pthread_mutex_unlock(&watch->lock);
	return task;
}

int watch_add_process(struct vmsnap_watch *watch, pid_t pid)
{
	for (size_t i = 0; i < watch->process_count; i++)
		if (watch->processes[i] == pid)
			return 0;
	pid_t *processes = array_room(watch->processes, watch->process_count, &watch->process_room, sizeof(*processes));
	if (!processes)
		return -ENOMEM;
	watch->processes = processes;
	watch->processes[watch->process_count++] = pid;
	return 0;
}

void watch_forget_process(struct vmsnap_watch *watch, pid_t pid)
{
	size_t kept = 0;
	for (size_t i = 0; i < watch->process_count; i++)
		if (watch->processes[i] != pid)
			watch->processes[kept++] = watch->processes[i];
	watch->process_count = kept;
	for (size_t i = 0; i < watch->count; i++)
		watch->tasks[i].gone |= watch->tasks[i].pid == pid;
}

void watch_sweep(struct vmsnap_watch *watch)
{
	size_t kept = 0;
	pthread_mutex_lock(&watch->lock);
	for (size_t i = 0; i < watch->count; i++)
		if (!watch->tasks[i].gone)
			watch->tasks[kept++] = watch->tasks[i];
	watch->count = kept;
	pthread_mutex_unlock(&watch->lock);
}

pid_t watch_process_of(pid_t tid)
{
	struct vmsnap_process now = { .size = sizeof(now) };
	return vmsnap_process_now(tid, &now, NULL) ? 0 : (pid_t)now.tgid;
}

char watch_state_of(pid_t tid)
{
	struct vmsnap_process now = { .size = sizeof(now) };
	return vmsnap_process_now(tid, &now, NULL) ? 'X' : now.state;
}

/* ---- seizing ---- */

unsigned long watch_options(const struct vmsnap_watch *watch, bool main_thread)
{
	bool births = watch->flags & (VMSNAP_WATCH_FORK | VMSNAP_WATCH_CHILDREN);
	/* Threads that come have to be ours: they, too, may fork, and stand for a capture. */
	return PTRACE_O_TRACECLONE | (births ? PTRACE_O_TRACEFORK : 0ul) |
	       (watch->flags & VMSNAP_WATCH_CHILDREN ? PTRACE_O_TRACEVFORK : 0ul) | PTRACE_O_TRACEEXEC |
	       (main_thread && watch->flags & VMSNAP_WATCH_EXIT ? PTRACE_O_TRACEEXIT : 0ul);
}

struct seize {
	struct vmsnap_watch *watch;
	int procdir;
	pid_t pid, failed;
	int error; /* of the first thread that could not be seized */
	size_t added;
};

static bool is_ours(int procdir, pid_t tid)
{
	char name[40];
	snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	return tracer_of(procdir, name) == (pid_t)syscall(SYS_gettid);
}

static bool is_known(struct vmsnap_watch *watch, pid_t tid)
{
	pthread_mutex_lock(&watch->lock);
	const struct watched_task *task = watch_find(watch, tid);
	bool known = task && !task->gone;
	pthread_mutex_unlock(&watch->lock);
	return known;
}

static int seize_task(void *ctx, pid_t tid)
{
	struct seize *seize = ctx;
	if (is_known(seize->watch, tid))
		return 0;
	if (ptrace(PTRACE_SEIZE, tid, NULL, watch_options(seize->watch, tid == seize->pid))) {
		int error = errno;
		char state = tracer_task_state(seize->procdir, tid);
		if (error == ESRCH || state == 'Z' || state == 'X')
			return 0;
		/* Born of one that is ours, and listed before its maker's stop told. */
		if (!is_ours(seize->procdir, tid)) {
			seize->error = error;
			seize->failed = tid;
			return 1;
		}
	}
	seize->added++;
	struct watched_task *task = watch_add_task(seize->watch, tid, seize->pid);
	if (task)
		task->settled = true;
	return task ? 0 : -ENOMEM;
}

/* A thread that executes a program waits until the ends of the others were taken note of, and PTRACE_SEIZE waits for
 * the end of that: meanwhile another thread takes note. */
struct reaper {
	struct vmsnap_watch *watch;
	atomic_bool enough;
};

static bool may_be_reaped(const struct watched_task *task)
{
	return !task->gone && task->tid != task->pid;
}

/* The next of them behind this number; 0: there is none. */
static pid_t next_behind(struct vmsnap_watch *watch, pid_t tid)
{
	pthread_mutex_lock(&watch->lock);
	size_t place = place_of(watch, tid + 1);
	while (place < watch->count && !may_be_reaped(&watch->tasks[place]))
		place++;
	pid_t next = place < watch->count ? watch->tasks[place].tid : 0;
	pthread_mutex_unlock(&watch->lock);
	return next;
}

static void reap_one(struct vmsnap_watch *watch, pid_t tid)
{
	pthread_mutex_lock(&watch->lock);
	struct watched_task *task = watch_find(watch, tid);
	if (task && may_be_reaped(task))
		task->gone = tracee_reap(tid);
	pthread_mutex_unlock(&watch->lock);
}

/* Asks without the lock, for which who seizes would wait: freeze_reap_threads(). */
static void *reap(void *ctx)
{
	struct reaper *reaper = ctx;
	while (!atomic_load(&reaper->enough)) {
		for (pid_t tid = 0; (tid = next_behind(reaper->watch, tid));)
			if (tracee_has_ended(tid))
				reap_one(reaper->watch, tid);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return NULL;
}

static int seize_failed(const struct seize *seize, struct vmsnap_error *err)
{
	pid_t tracer = tracer_of(seize->procdir, "status");
	if (seize->error == EPERM && tracer)
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "process %d is traced by process %d already, a debugger perhaps: its forks cannot be told",
		            (int)seize->pid, (int)tracer);
	if (seize->error == EPERM && procdir_is_ending(seize->pid))
		return procdir_fail(ESRCH, seize->pid, "threads", err);
	if (seize->error == EPERM)
		return fail(err, VMSNAP_ERR_PERMISSION,
		            "not permitted to trace process %d: it is another user's, or Yama restricts it "
		            "(/proc/sys/kernel/yama/ptrace_scope); root may",
		            (int)seize->pid);
	return fail_sys(err, seize->error, "cannot trace thread %d of process %d", (int)seize->failed, (int)seize->pid);
}

int watch_seize(struct vmsnap_watch *watch, int procdir, pid_t pid, struct vmsnap_error *err)
{
	struct seize seize = { .watch = watch, .procdir = procdir, .pid = pid };
	struct reaper reaper = { .watch = watch };
	pthread_t thread;
	bool reaping = !thread_start(&thread, reap, &reaper);
	int rc = 0;
	for (int pass = 0; !rc && pass < SEIZE_PASSES; pass++) {
		seize.added = 0;
		rc = procdir_each_task(procdir, seize_task, &seize);
		if (!rc && !seize.added)
			break;
	}
	atomic_store(&reaper.enough, true);
	if (reaping)
		pthread_join(thread, NULL);
	if (rc == -ENOMEM)
		return fail_no_memory(err);
	if (rc < 0)
		return procdir_fail(-rc, pid, "threads", err);
	return rc ? seize_failed(&seize, err) : VMSNAP_OK;
}

/* ---- standing ---- */

void watch_let_go(const struct vmsnap_watch *watch, struct watched_task *task, const struct tracee_stop *stop)
{
	task->told = task->asked = false;
	if (!task->settled && !task->leave)
		ptrace(PTRACE_SETOPTIONS, task->tid, NULL, watch_options(watch, task->tid == task->pid));
	task->settled = true;
	if (task->leave) {
		task->gone = !ptrace(PTRACE_DETACH, task->tid, NULL, (unsigned long)stop->signal);
		return;
	}
	/* Of who was stopped by a signal the kernel tells here that it goes on. */
	if (stop->group_stop)
		ptrace((enum __ptrace_request)LISTEN, task->tid, NULL, NULL);
	else
		ptrace(PTRACE_CONT, task->tid, NULL, (unsigned long)stop->signal);
}

static bool is_of(const struct watched_task *task, pid_t a, pid_t b)
{
	return !task->gone && (!a || task->pid == a || task->pid == b);
}

/* How many of them run; *sleeping: of these, how many wait in the kernel and cannot stop before that is over. */
static size_t ask_to_stop(struct vmsnap_watch *watch, pid_t a, pid_t b, size_t *sleeping)
{
	size_t running = 0;
	*sleeping = 0;
	for (size_t i = 0; i < watch->count; i++) {
		struct watched_task *task = &watch->tasks[i];
		struct tracee_stop stop;
		if (!is_of(task, a, b))
			continue;
		enum tracee_state state = tracee_look(task->tid, &stop);
		if (state != TRACEE_RUNS)
			continue;
		/* A main thread that has exited is not reported as long as others live. */
		char letter = task->asked ? watch_state_of(task->tid) : 'R';
		if (strchr("ZX", letter))
			continue;
		running++;
		*sleeping += letter == 'D';
		if (!task->asked || letter != 'R')
			ptrace(PTRACE_INTERRUPT, task->tid, NULL, NULL);
		task->asked = true;
	}
	return running;
}

void watch_hold(struct vmsnap_watch *watch, pid_t a, pid_t b)
{
	enum { PATIENCE_NS = 500000000, PATIENCE_ASLEEP_NS = 50000000, SOON_NS = 200000 };
	uint64_t began = monotonic_now(), waited = 0;
	size_t sleeping;
	for (size_t running; (running = ask_to_stop(watch, a, b, &sleeping)) && waited < PATIENCE_NS;) {
		if (sleeping == running && waited > PATIENCE_ASLEEP_NS)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = waited < SOON_NS ? 10000 : 100000 }, NULL);
		waited = monotonic_now() - began;
	}
}
