/* watch.c - forks, execs and ends of processes, told while they stand in them (vmsnap/watch.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "procdir.h"
#include "same_memory.h"
#include "tracer.h"
#include "watch_tasks.h"

/* In <sys/ptrace.h> these are members of an enum; older headers lack some. */
enum { EVENT_FORK = 1, EVENT_VFORK = 2, EVENT_CLONE = 3, EVENT_EXEC = 4, EVENT_EXIT = 6 };

static bool is_birth(const struct tracee_stop *stop)
{
	return stop->event == EVENT_FORK || stop->event == EVENT_VFORK || stop->event == EVENT_CLONE;
}

static pid_t event_message(pid_t tid)
{
	unsigned long message = 0;
	return ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message) ? 0 : (pid_t)message;
}

/* ---- births ---- */

static bool one_memory(pid_t a, pid_t b)
{
	int order;
	return !same_memory_order(a, b, &order) && !order;
}

/* Adds the thread or the process that a thread has made.  *child: a process, with memory of its own or not; else 0. */
static int add_newborn(struct vmsnap_watch *watch, pid_t maker, pid_t *child)
{
	pid_t newborn = event_message(maker), process = newborn ? watch_process_of(newborn) : 0;
	*child = process == newborn ? process : 0;
	if (!process)
		return 0; /* killed at birth */
	struct watched_task *task = watch_add_task(watch, newborn, process);
	if (!task)
		return -ENOMEM;
	bool wanted = !*child || watch->flags & VMSNAP_WATCH_CHILDREN;
	task->leave = !wanted;
	return *child && wanted ? watch_add_process(watch, process) : 0;
}

/* A stop of one that nobody knows: its maker's own is about to come; unless that was killed in between. */
static int adopt_stray(struct vmsnap_watch *watch, pid_t tid)
{
	enum { PATIENCE_NS = 100000000 };
	if (watch->stray != tid) {
		watch->stray = tid;
		watch->stray_since = monotonic_now();
	}
	char path[48];
	snprintf(path, sizeof(path), "/proc/%d", (int)tid);
	if (monotonic_now() - watch->stray_since < PATIENCE_NS)
		return 0;
	int procdir, rc = procdir_open_any(tid, &procdir, NULL);
	if (rc)
		return 0;
	bool ours = tracer_of(procdir, "status") == (pid_t)syscall(SYS_gettid);
	close(procdir);
	pid_t process = ours ? watch_process_of(tid) : 0;
	struct watched_task *task = process ? watch_add_task(watch, tid, process) : NULL;
	if (!task)
		return process ? -ENOMEM : 0;
	task->leave = process == tid && !(watch->flags & VMSNAP_WATCH_CHILDREN);
	return process == tid && !task->leave ? watch_add_process(watch, process) : 0;
}

/* ---- ends ---- */

static bool has_sigkill(int procdir, pid_t tid)
{
	char name[40];
	struct proc_text status = { 0 };
	snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	const char *line = procdir_read(procdir, name, &status) ? NULL : strstr(status.text, "\nSigPnd:\t");
	bool yes = line && strtoull(line + 9, NULL, 16) & (UINT64_C(1) << (SIGKILL - 1));
	proc_text_free(&status);
	return yes;
}

struct others {
	struct vmsnap_watch *watch;
	int procdir;
	pid_t pid;
	size_t dying, living;
};

static int look_at_other(void *ctx, pid_t tid)
{
	struct others *others = ctx;
	if (tid == others->pid)
		return 0;
	struct watched_task *task = watch_find(others->watch, tid);
	char state = tracer_task_state(others->procdir, tid);
	if (state == 'Z' && task)
		task->gone |= tracee_reap(tid);
	if (!strchr("ZX", state))
		*(has_sigkill(others->procdir, tid) ? &others->dying : &others->living) += 1;
	return 0;
}

/* Whether with the main thread, which is about to end, all of its process does: the others were sent SIGKILL, and have
 * ended, or will at once.  One that is seen between the two looks as if it lived. */
static bool all_end(struct vmsnap_watch *watch, pid_t pid)
{
	enum { WHILE_DYING_NS = 500000000, WHILE_LIVING_NS = 20000000 };
	uint64_t began = monotonic_now(), waited = 0;
	int procdir;
	if (procdir_open_any(pid, &procdir, NULL))
		return false;
	struct others others = { .watch = watch, .procdir = procdir, .pid = pid };
	do {
		others.dying = others.living = 0;
		procdir_each_task(procdir, look_at_other, &others);
		if (!others.dying && !others.living)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		waited = monotonic_now() - began;
	} while (waited < (others.living ? WHILE_LIVING_NS : WHILE_DYING_NS));
	close(procdir);
	return !others.dying && !others.living;
}

/* What is not our child is told to its parent only when we have taken note. */
static void note_end(struct vmsnap_watch *watch, struct watched_task *task)
{
	struct vmsnap_process now = { .size = sizeof(now) };
	pid_t pid = task->pid;
	bool main_thread = task->tid == pid;
	if (!main_thread || vmsnap_process_now(pid, &now, NULL) || (pid_t)now.ppid != getpid())
		tracee_reap(task->tid);
	task->gone = true;
	if (main_thread)
		watch_forget_process(watch, pid);
}

/* ---- one stop ---- */

static void tell(struct watched_task *task, unsigned kind, pid_t child, struct vmsnap_watch_event *event)
{
	task->told = true;
	*event = (struct vmsnap_watch_event){ .kind = kind, .pid = task->pid, .child = child };
}

/* VMSNAP_OK: *event is filled.  VMSNAP_END: it goes on. */
static int after_birth(struct vmsnap_watch *watch, pid_t tid, const struct tracee_stop *stop,
                       struct vmsnap_watch_event *event, struct vmsnap_error *err)
{
	pid_t child;
	if (add_newborn(watch, tid, &child))
		return fail_no_memory(err);
	struct watched_task *task = watch_find(watch, tid); /* they have moved */
	bool fork =
	        stop->event == EVENT_FORK && child && watch->flags & VMSNAP_WATCH_FORK && !one_memory(task->pid, child);
	if (!fork) {
		watch_let_go(watch, task, stop);
		return VMSNAP_END;
	}
	watch_hold(watch, task->pid, child);
	tell(task, VMSNAP_WATCH_FORK, child, event);
	return VMSNAP_OK;
}

/* All other threads are gone, and who did it has the number of the main one by now. */
static int after_exec(struct vmsnap_watch *watch, struct watched_task *task, const struct tracee_stop *stop,
                      struct vmsnap_watch_event *event)
{
	for (size_t i = 0; i < watch->count; i++)
		watch->tasks[i].gone |= watch->tasks[i].pid == task->pid && &watch->tasks[i] != task;
	task->settled = false;
	if (watch->flags & VMSNAP_WATCH_EXEC) {
		tell(task, VMSNAP_WATCH_EXEC, 0, event);
		return VMSNAP_OK;
	}
	watch_let_go(watch, task, stop);
	return VMSNAP_END;
}

static int handle(struct vmsnap_watch *watch, struct watched_task *task, enum tracee_state state,
                  const struct tracee_stop *stop, struct vmsnap_watch_event *event, struct vmsnap_error *err)
{
	if (state == TRACEE_ENDED) {
		note_end(watch, task);
		return VMSNAP_END;
	}
	if (is_birth(stop))
		return after_birth(watch, task->tid, stop, event, err);
	if (stop->event == EVENT_EXEC)
		return after_exec(watch, task, stop, event);
	if (stop->event == EVENT_EXIT && all_end(watch, task->pid)) {
		tell(task, VMSNAP_WATCH_EXIT, 0, event);
		return VMSNAP_OK;
	}
	watch_let_go(watch, task, stop);
	return VMSNAP_END;
}

/* The kernel gives the first of those that stand.  Is that one nobody knows (a child of the caller's that has ended, a
 * newborn whose maker has not told), all that are known are looked at. */
static struct watched_task *find_standing(struct vmsnap_watch *watch, enum tracee_state *state,
                                          struct tracee_stop *stop, pid_t *stray)
{
	pid_t tid;
	*stray = 0;
	*state = tracee_any(&tid, stop);
	if (*state == TRACEE_RUNS)
		return NULL;
	struct watched_task *task = watch_find(watch, tid);
	if (task && (!task->gone || *state == TRACEE_STOPPED))
		return task;
	*stray = *state == TRACEE_STOPPED ? tid : 0;
	for (size_t i = 0; i < watch->count; i++) {
		task = &watch->tasks[i];
		*state = task->gone ? TRACEE_RUNS : tracee_look(task->tid, stop);
		if (*state != TRACEE_RUNS)
			return task;
	}
	return NULL;
}

VMSNAP_API int vmsnap_watch_next(struct vmsnap_watch *watch, struct vmsnap_watch_event *event, struct vmsnap_error *err)
{
	enum tracee_state state;
	struct tracee_stop stop = { 0 };
	pid_t stray;
	for (;;) {
		struct watched_task *task = find_standing(watch, &state, &stop, &stray);
		if (!task)
			break;
		task->gone = false;
		int rc = handle(watch, task, state, &stop, event, err);
		if (rc != VMSNAP_END)
			return rc;
	}
	watch_sweep(watch);
	return stray && adopt_stray(watch, stray) ? fail_no_memory(err) : VMSNAP_END;
}

/* ---- all of them ---- */

VMSNAP_API int vmsnap_watch_stop(struct vmsnap_watch *watch, struct vmsnap_error *err)
{
	(void)err;
	watch_hold(watch, 0, 0);
	return VMSNAP_OK;
}

/* Events that came meanwhile are told next. */
VMSNAP_API void vmsnap_watch_go(struct vmsnap_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct watched_task *task = &watch->tasks[i];
		struct tracee_stop stop;
		if (task->gone || tracee_look(task->tid, &stop) != TRACEE_STOPPED)
			continue;
		bool untold = is_birth(&stop) || stop.event == EVENT_EXEC || stop.event == EVENT_EXIT;
		if (task->told || !untold)
			watch_let_go(watch, task, &stop);
	}
	watch_sweep(watch);
}

VMSNAP_API size_t vmsnap_watch_processes(const struct vmsnap_watch *watch, pid_t *pids, size_t room)
{
	for (size_t i = 0; i < watch->process_count && i < room; i++)
		pids[i] = watch->processes[i];
	return watch->process_count;
}

VMSNAP_API int vmsnap_watch_new(unsigned flags, struct vmsnap_watch **out, struct vmsnap_error *err)
{
	enum { ALL = VMSNAP_WATCH_FORK | VMSNAP_WATCH_EXEC | VMSNAP_WATCH_EXIT | VMSNAP_WATCH_CHILDREN };
	if (flags & ~(unsigned)ALL)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a watch has no flag 0x%x", flags & ~(unsigned)ALL);
	struct vmsnap_watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return fail_no_memory(err);
	watch->flags = flags;
	pthread_mutex_init(&watch->lock, NULL);
	*out = watch;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_watch_add(struct vmsnap_watch *watch, pid_t pid, struct vmsnap_error *err)
{
	int fd, rc = procdir_open(pid, &fd, err);
	if (rc)
		return rc;
	CLEANUP_CLOSE int procdir = fd;
	if (watch_add_process(watch, pid))
		return fail_no_memory(err);
	rc = watch_seize(watch, procdir, pid, err);
	if (!rc)
		return VMSNAP_OK;
	/* Those that are ours already go when they stand. */
	for (size_t i = 0; i < watch->count; i++)
		watch->tasks[i].leave |= watch->tasks[i].pid == pid;
	watch_hold(watch, pid, 0);
	vmsnap_watch_go(watch);
	watch_forget_process(watch, pid);
	watch_sweep(watch);
	return rc;
}

/* Who was made meanwhile is ours, too, and stands until it is let go. */
static void let_go_for_good(struct vmsnap_watch *watch, size_t index)
{
	struct tracee_stop stop;
	pid_t tid = watch->tasks[index].tid, child;
	enum tracee_state state = tracee_look(tid, &stop);
	if (state == TRACEE_STOPPED && is_birth(&stop))
		(void)add_newborn(watch, tid, &child);
	struct watched_task *task = watch_find(watch, tid);
	task->leave = true;
	if (state == TRACEE_ENDED)
		note_end(watch, task);
	else if (state == TRACEE_STOPPED)
		watch_let_go(watch, task, &stop);
}

VMSNAP_API void vmsnap_watch_free(struct vmsnap_watch *watch)
{
	enum { ROUNDS = 64 };
	if (!watch)
		return;
	for (int round = 0; watch->count && round < ROUNDS; round++) {
		watch_hold(watch, 0, 0);
		for (size_t i = watch->count; i-- > 0;)
			if (!watch->tasks[i].gone)
				let_go_for_good(watch, i);
		watch_sweep(watch);
	}
	pthread_mutex_destroy(&watch->lock);
	free(watch->tasks);
	free(watch->processes);
	free(watch);
}
