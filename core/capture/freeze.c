#define _GNU_SOURCE
#include "freeze.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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
#include "freeze_reap.h"
#include "freeze_tree.h"
#include "procdir.h"
#include "same_memory.h"
#include "tracee.h"
#include "tracer.h"

/* In <sys/ptrace.h> these are members of an enum; older headers lack some. */
enum { EVENT_FORK = 1, EVENT_VFORK = 2, EVENT_CLONE = 3 };
/* Processes that cannot be seized are left alone one by one, and each keeps the others
 * waiting: after so many, all are. */
enum { LIST_PASSES = 64, SLOW_STOP_NS = 5000000, GIVEN_UP_MAX = 8 };

/* ---- seizing: makes us the tracer, stops nothing yet --------------------------- */

struct seize_job {
	struct freeze *freeze;
	struct frozen_process *process;
	size_t added;
	bool take_rest; /* go on behind tasks that cannot be had */
};

static bool task_has_exited(int procdir, pid_t tid)
{
	return strchr("ZX", tracer_task_state(procdir, tid));
}

/* Born under PTRACE_O_TRACECLONE or its like, and listed before its creator's stop
 * told us: it will stop by itself. */
static bool is_ours_from_birth(int procdir, pid_t tid)
{
	char name[40];
	snprintf(name, sizeof(name), "task/%d/status", (int)tid);
	return tracer_of(procdir, name) == (pid_t)syscall(SYS_gettid);
}

/* Returns 0 to go on with the next task, 1 if this one cannot be had. */
static int seize_task(struct seize_job *job, pid_t tid)
{
	size_t owner;
	const struct frozen_task *known = freeze_find_task(job->freeze, tid, &owner);
	if (known && !known->gone)
		return 0;
	/* With these, whatever a task of a tree forks meanwhile is ours from birth. */
	unsigned long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
	size_t index = (size_t)(job->process - job->freeze->processes);
	if (freeze_seize_task(job->freeze, index, tid, job->freeze->tree ? options : 0)) {
		/* EPERM also for a main thread that exited before its others. */
		if (errno == ESRCH || task_has_exited(job->process->procdir, tid))
			return 0;
		if (!is_ours_from_birth(job->process->procdir, tid)) {
			job->process->others = true;
			return job->take_rest ? 0 : 1;
		}
	}
	job->added++;
	return freeze_add_task(job->freeze, index, tid);
}

/* Among many threads, now and then. */
static void check_time(struct freeze *freeze, size_t index)
{
	enum { EACH = 32 };
	if (index % EACH == 0)
		realtime_check(&freeze->realtime);
}

static int list_task(void *ctx, pid_t tid)
{
	struct freeze *freeze = ctx;
	pid_t *listed = array_room(freeze->listed, freeze->listed_count, &freeze->listed_room, sizeof(*listed));
	if (!listed)
		return -ENOMEM;
	freeze->listed = listed;
	freeze->listed[freeze->listed_count++] = tid;
	return 0;
}

/* Nothing is open while a task is seized: the thread may end there. */
static int seize_each_task(struct seize_job *job)
{
	struct freeze *freeze = job->freeze;
	freeze->listed_count = 0;
	int rc = procdir_each_task(job->process->procdir, list_task, freeze);
	watchdog_waited(&freeze->dog);
	atomic_store(&freeze->patience, freeze_patience(freeze));
	for (size_t i = 0; !rc && i < freeze->listed_count; i++) {
		check_time(freeze, i);
		rc = seize_task(job, freeze->listed[i]);
	}
	return rc;
}

/* Another capture will be over soon; one that is over already was in the way.
 *
 * The first task of the list, mostly the main thread, decides between two captures
 * at once: who has it goes on, the other waits.  No tracer at all may also mean that
 * we are not allowed to trace: that is tried a few times only. */
static int seize_all_tasks(struct seize_job *job)
{
	enum { TRIES_WITHOUT_TRACER = 8 };
	struct frozen_process *process = job->process;
	for (int without = 0;;) {
		int rc = seize_each_task(job);
		if (rc != 1)
			return rc;
		process->tracer = tracer_of(process->procdir, "status");
		enum tracer_kind kind = tracer_kind(process->tracer);
		without += kind == TRACER_GONE;
		if (kind == TRACER_OTHER || without > TRIES_WITHOUT_TRACER ||
		    monotonic_now() - job->freeze->started > freeze_patience(job->freeze) ||
		    atomic_load(job->freeze->cancel))
			return rc;
		process->others = false;
		nanosleep(&(struct timespec){ .tv_nsec = kind == TRACER_GONE ? 20000 : 500000 }, NULL);
	}
}

/* Seizes the tasks that are not seized yet; *added counts them. */
static int seize_process(struct freeze *freeze, struct frozen_process *process, size_t *added)
{
	struct seize_job job = { .freeze = freeze, .process = process, .take_rest = process->others };
	int rc = seize_all_tasks(&job);
	if (rc == 1) {
		if (freeze_held_by_debugger(process)) {
			process->state = VMSNAP_FREEZE_DEBUGGER;
			return 0;
		}
		/* Another has some of the tasks, or all but lets them run: stop the rest. */
		job.take_rest = true;
		process->others = false;
		rc = seize_each_task(&job);
	}
	*added += job.added;
	process->growing = job.added;
	if (rc == -ENOENT || rc == -ESRCH) {
		process->gone = true;
		return 0;
	}
	if (process->others && !process->count)
		process->state = VMSNAP_FREEZE_NONE;
	return rc < 0 ? rc : 0;
}

/* ---- waiting for stops --------------------------------------------------------- */

/* A process born under PTRACE_O_TRACEFORK: seized already, will stop by itself. */
static int adopt(struct freeze *freeze, size_t parent, pid_t tid, bool thread)
{
	size_t owner = parent;
	const struct frozen_task *known = freeze_find_task(freeze, tid, &owner);
	if (known && !known->gone)
		return 0;
	if (thread)
		return freeze_add_task(freeze, parent, tid);
	for (owner = 0; owner < freeze->count && freeze->processes[owner].pid != tid;)
		owner++;
	if (owner == freeze->count) {
		int procdir;
		if (procdir_open(tid, &procdir, NULL))
			return 0; /* gone again */
		if (freeze_add(freeze, tid, parent, procdir, NULL))
			return -ENOMEM;
	}
	return freeze_add_task(freeze, owner, tid);
}

/* CLONE_THREAD makes a thread; a bare clone(2) may as well make a process. */
static bool is_thread_of(const struct frozen_process *process, pid_t tid)
{
	char name[32];
	snprintf(name, sizeof(name), "task/%d", (int)tid);
	return faccessat(process->procdir, name, F_OK, 0) == 0;
}

static int note_stop(struct freeze *freeze, size_t process, struct frozen_task *task, const struct tracee_stop *stop)
{
	task->stopped = true;
	task->signal = stop->signal;
	if (stop->event != EVENT_FORK && stop->event != EVENT_VFORK && stop->event != EVENT_CLONE)
		return 0;
	unsigned long born = 0;
	if (ptrace(PTRACE_GETEVENTMSG, task->tid, NULL, &born) || !born)
		return 0;
	bool thread = stop->event == EVENT_CLONE && is_thread_of(&freeze->processes[process], (pid_t)born);
	return adopt(freeze, process, (pid_t)born, thread);
}

static bool is_awaited(const struct frozen_task *task)
{
	return !task->stopped && !task->gone && !task->missed;
}

/* `behind`: also at stops that another thread of the caller's has waited for. */
static int look_at_task(struct freeze *freeze, size_t p, size_t t, bool behind, size_t *waiting)
{
	struct frozen_process *process = &freeze->processes[p];
	struct frozen_task *task = &process->tasks[t];
	struct tracee_stop stop;
	enum tracee_state state = tracee_look(task->tid, &stop);
	if (state == TRACEE_RUNS && behind && tracee_look_behind(task->tid, &stop))
		state = TRACEE_STOPPED;
	*waiting += state == TRACEE_RUNS;
	task->gone = state == TRACEE_ENDED;
	if (task->gone)
		freeze_reap_task(freeze, process, task);
	return state == TRACEE_STOPPED ? note_stop(freeze, p, task, &stop) : 0;
}

/* One look at every task that has not stopped; *waiting counts those left. */
static int collect_all(struct freeze *freeze, bool behind, size_t *waiting)
{
	*waiting = 0;
	/* adopt() may move both arrays: they are indexed anew every time. */
	for (size_t p = 0; p < freeze->count; p++) {
		for (size_t t = 0; t < freeze->processes[p].count; t++) {
			check_time(freeze, t);
			if (!is_awaited(&freeze->processes[p].tasks[t]))
				continue;
			int rc = look_at_task(freeze, p, t, behind, waiting);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* Up to which task all have stopped. */
struct stopped_until {
	size_t process, task;
};

/* They stop in the order in which they were asked, mostly: looks at them up to the first that has not,
 * and not at thousands behind it.  *waiting counts those not looked at yet. */
static int collect_in_order(struct freeze *freeze, struct stopped_until *until, size_t *waiting)
{
	size_t runs = 0;
	*waiting = 0;
	for (; until->process < freeze->count; until->process++, until->task = 0) {
		for (; until->task < freeze->processes[until->process].count; until->task++) {
			check_time(freeze, until->task);
			if (!is_awaited(&freeze->processes[until->process].tasks[until->task]))
				continue;
			int rc = look_at_task(freeze, until->process, until->task, false, &runs);
			if (rc)
				return rc;
			if (runs)
				break;
		}
		if (runs)
			break;
	}
	for (size_t p = until->process; p < freeze->count; p++)
		*waiting += freeze->processes[p].count - (p == until->process ? until->task : 0);
	return 0;
}

/* By the function it sleeps in, which needs no lock of the task's, as its system call would; the
 * names are those of Linux 3.5 to 6.18.  "0" where the kernel does not tell. */
static bool waits_for_vfork(const struct frozen_process *process, pid_t tid)
{
	static const char *const names[] = { "kernel_clone", "_do_fork", "do_fork", "wait_for_vfork_done" };
	char name[40];
	struct proc_text text = { 0 };
	bool yes = false;
	snprintf(name, sizeof(name), "task/%d/wchan", (int)tid);
	if (!procdir_read(process->procdir, name, &text))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			yes |= text.len == strlen(names[i]) && !memcmp(text.text, names[i], text.len);
	proc_text_free(&text);
	return yes;
}

/* Whether only tasks are left that cannot stop now, as they are in uninterruptible sleep; nor can
 * they run: they meet our interrupt before their next instruction.
 *
 * The parent of a vfork sleeps as long as its child, which stands.  Others wake up mostly: they
 * wait for a page, or for a lock whose holder waits for a processor (with 300 threads on a busy
 * machine all that were left did now and then, and would have stopped a moment later).
 *
 * A main thread that exits is not reported to us before all the others are reaped,
 * which those that we trace are not as long as we do: it is seen to be dead. */
static bool only_uninterruptible_left(const struct freeze *freeze, bool for_long)
{
	size_t left = 0;
	bool lasting = true;
	for (size_t p = 0; p < freeze->count; p++) {
		const struct frozen_process *process = &freeze->processes[p];
		for (size_t t = 0; t < process->count; t++) {
			struct frozen_task *task = &process->tasks[t];
			if (!is_awaited(task))
				continue;
			char state = tracer_task_state(process->procdir, task->tid);
			task->gone = state == 'Z' || state == 'X';
			if (!task->gone && state != 'D')
				return false;
			left += !task->gone;
			lasting = lasting && (task->gone || for_long || waits_for_vfork(process, task->tid));
		}
	}
	return left > 0 && lasting;
}

static void interrupt_all(struct freeze *freeze)
{
	for (size_t p = 0; p < freeze->count; p++) {
		struct frozen_process *process = &freeze->processes[p];
		for (size_t t = 0; t < process->count; t++) {
			check_time(freeze, t);
			if (is_awaited(&process->tasks[t]))
				ptrace(PTRACE_INTERRUPT, process->tasks[t].tid, NULL, NULL);
		}
	}
}

/* Those that are waited for will not be any more. */
static void miss_the_rest(struct freeze *freeze)
{
	for (size_t p = 0; p < freeze->count; p++)
		for (size_t t = 0; t < freeze->processes[p].count; t++)
			freeze->processes[p].tasks[t].missed |= is_awaited(&freeze->processes[p].tasks[t]);
}

/* A while after they were asked, and after the last of them stopped; whether to go on
 * waiting. */
static bool wait_on(struct freeze *freeze, uint64_t waited, uint64_t idle, unsigned round)
{
	uint64_t timeout = (freeze->timeout_ms ? freeze->timeout_ms : FREEZE_TIMEOUT_MS) * UINT64_C(1000000);
	watchdog_waited(&freeze->dog);
	if (idle > timeout || freeze->waited + waited > freeze_patience(freeze) || atomic_load(freeze->cancel))
		return false;
	if (waited > SLOW_STOP_NS && round % 16 == 0) {
		if (only_uninterruptible_left(freeze, idle > timeout / 2))
			return false;
		/* What comes while a thread is within exec is lost (seen on Linux 6.18). */
		interrupt_all(freeze);
	}
	/* A sleeping task stops within some 20 us, if it has a processor, which may be this one: who has
	 * real-time priority does not yield to it, and must not be back before it is done.  One in the kernel
	 * takes longer. */
	if (waited < 200000 && !realtime_is_on(&freeze->realtime))
		sched_yield();
	else
		nanosleep(&(struct timespec){ .tv_nsec = waited < 200000 ? 20000 : 50000 }, NULL);
	return true;
}

static int wait_for_stops(struct freeze *freeze)
{
	uint64_t began = monotonic_now(), waited = 0, progress = 0;
	struct stopped_until until = { 0, 0 };
	size_t before = SIZE_MAX, waiting = SIZE_MAX;
	for (unsigned round = 0;; round++) {
		bool quick = waiting && waited - progress < SLOW_STOP_NS;
		int rc = quick ? collect_in_order(freeze, &until, &waiting) : 0;
		if (!rc && (!quick || !waiting))
			rc = collect_all(freeze, waited > SLOW_STOP_NS && round % 16 == 0, &waiting);
		if (rc)
			return rc;
		if (!waiting)
			break;
		waited = monotonic_now() - began;
		progress = waiting < before ? waited : progress;
		before = waiting;
		if (!wait_on(freeze, waited, waited - progress, round)) {
			miss_the_rest(freeze);
			break;
		}
	}
	freeze->waited += monotonic_now() - began;
	return 0;
}

/* ---- all together ---------------------------------------------------------------- */

/* Companions come after those whose memory they have: what is born by vfork(2) mostly executes a
 * program at once, and then its parent can stop; were it stopped, the parent would wait for it. */
static bool is_its_turn(const struct frozen_process *process, int pass)
{
	if (process->gone || process->stuck || process->state == VMSNAP_FREEZE_DEBUGGER ||
	    process->state == VMSNAP_FREEZE_NONE)
		return false;
	return !process->companion || pass;
}

static bool has_left(const struct freeze *freeze, const struct frozen_process *process)
{
	return process->companion && !process->count &&
	       same_memory(process->pid, freeze->processes[process->parent].pid) == SAME_MEMORY_NO;
}

/* Where nobody else wants a processor, what is to stop does so sooner if we yield to it. */
static void begin(struct freeze *freeze)
{
	if (freeze->realtime.crowded)
		realtime_begin(&freeze->realtime);
	freeze->began = monotonic_now();
}

static int find_and_seize(struct freeze *freeze, int pass, size_t *added, struct vmsnap_error *err)
{
	int rc = freeze_add_children(freeze, added, err);
	if (rc)
		return rc;
	/* Who is seized and forks stands at once. */
	if (freeze->tree && !freeze->began)
		begin(freeze);
	for (size_t p = 0; p < freeze->count; p++) {
		struct frozen_process *process = &freeze->processes[p];
		process->stuck |= freeze->given_up >= GIVEN_UP_MAX;
		process->growing = false;
		if (!is_its_turn(process, pass))
			continue;
		process->gone = has_left(freeze, process);
		if (process->gone)
			continue;
		rc = seize_process(freeze, process, added);
		if (rc)
			return fail_sys(err, -rc, "cannot list the threads of process %d", (int)process->pid);
	}
	return VMSNAP_OK;
}

/* Another thread of a process that executes a program takes the main one's number: what
 * stood under it is gone, and what is there now runs.  That thread need not have been seen:
 * it may have been born after the others were listed, and its own number is gone before they
 * are listed again.  *again counts the processes that have to be waited for once more. */
static void look_at_main_threads(struct freeze *freeze, size_t *again)
{
	for (size_t p = 0; p < freeze->count; p++) {
		size_t owner;
		struct frozen_task *leader = freeze_find_task(freeze, freeze->processes[p].pid, &owner);
		struct tracee_stop stop = { .signal = leader ? leader->signal : 0 };
		if (!leader || !leader->stopped)
			continue;
		leader->stopped =
		        tracee_look(leader->tid, &stop) == TRACEE_STOPPED || tracee_look_behind(leader->tid, &stop);
		leader->signal = stop.signal;
		/* Not ours, though it may be our child: what has the number now is to be seized. */
		leader->gone = !leader->stopped && ptrace(PTRACE_INTERRUPT, leader->tid, NULL, NULL);
		*again += !leader->stopped;
	}
}

static void note_states(struct freeze *freeze)
{
	for (size_t p = 0; p < freeze->count; p++) {
		struct frozen_process *process = &freeze->processes[p];
		size_t stopped = 0, running = 0;
		process->runs = process->others || process->stuck || process->growing;
		for (size_t t = 0; t < process->count; t++) {
			const struct frozen_task *task = &process->tasks[t];
			bool runs = !task->stopped && !task->gone;
			stopped += task->stopped;
			running += runs;
			process->runs |= runs && tracer_task_state(process->procdir, task->tid) != 'D';
		}
		if (process->state == VMSNAP_FREEZE_FULL &&
		    (running || process->others || process->stuck || process->growing))
			process->state = VMSNAP_FREEZE_PARTIAL;
		process->stood = stopped;
		if (process->state == VMSNAP_FREEZE_FULL && !stopped)
			process->gone = true;
	}
}

void freeze_look_at_waiting(struct freeze *freeze)
{
	for (size_t p = 0; p < freeze->count; p++) {
		struct frozen_process *process = &freeze->processes[p];
		if (process->state != VMSNAP_FREEZE_PARTIAL || process->runs)
			continue;
		for (size_t t = 0; t < process->count; t++) {
			const struct frozen_task *task = &process->tasks[t];
			process->runs |= !task->stopped && !task->gone &&
			                 !strchr("DZX", tracer_task_state(process->procdir, task->tid));
		}
	}
}

int freeze_stop(struct freeze *freeze, struct vmsnap_error *err)
{
	if (!freeze->started)
		freeze->started = monotonic_now();
	/* New tasks come only from tasks that run: once all known ones stand and a
	 * further look finds no others, nothing is missing.  A process that has new ones at
	 * each look is frozen in part. */
	for (int pass = 0; pass < LIST_PASSES; pass++) {
		size_t added = 0;
		int rc = find_and_seize(freeze, pass, &added, err);
		if (rc)
			return rc;
		if (pass && !added)
			look_at_main_threads(freeze, &added);
		if (pass && !added)
			break;
		if (!freeze->began)
			begin(freeze);
		interrupt_all(freeze);
		rc = wait_for_stops(freeze);
		realtime_begin(&freeze->realtime);
		if (rc)
			return fail_sys(err, -rc, "cannot freeze process %d", (int)freeze->processes[0].pid);
		if (atomic_load(freeze->cancel))
			return fail(err, VMSNAP_ERR_CANCELLED, "cancelled");
	}
	note_states(freeze);
	return VMSNAP_OK;
}

bool freeze_held_by_debugger(const struct frozen_process *process)
{
	return tracer_of(process->procdir, "status") == process->tracer &&
	       tracer_kind(process->tracer) == TRACER_OTHER && tracer_all_stopped(process->procdir);
}

void freeze_release(struct freeze *freeze)
{
	for (size_t p = 0; p < freeze->count; p++) {
		struct frozen_process *process = &freeze->processes[p];
		for (size_t t = 0; t < process->count; t++) {
			struct frozen_task *task = &process->tasks[t];
			check_time(freeze, t);
			if (task->stopped)
				ptrace(PTRACE_DETACH, task->tid, NULL, (unsigned long)task->signal);
			task->stopped = false;
		}
	}
	if (freeze->began && !freeze->ended)
		freeze->ended = monotonic_now();
	realtime_end(&freeze->realtime);
	watchdog_stop(&freeze->dog);
}
