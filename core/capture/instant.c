/* instant.c - one look at one instant: prepare, freeze, read, let go, finish. */
#define _GNU_SOURCE
#include "instant.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "freeze.h"
#include "freeze_reap.h"
#include "freeze_tree.h"
#include "identity.h"
#include "moves_count.h"
#include "options.h"
#include "page_moves.h"
#include "procdir.h"
#include "reader.h"
#include "thread.h"
#include "tracer.h"

enum { POLL_MS = 100 };

struct capture {
	struct vmsnap_capture_options options;
	struct freeze freeze; /* also lists the processes when nothing is frozen */
	struct reader *readers;
	size_t reader_count;
	struct pagemap_probe probe;
	uint64_t page_moves;
	struct pagemap_walk *walk;
	struct own_mappings own;
	struct vmsnap_store *store; /* of what pages hold */
	struct tracer_ours ours; /* whether the caller is the target's debugger */
	bool held;               /* no thread, no freeze: it is as it will be */
	atomic_bool cancel;
	atomic_bool stands; /* the freeze is done, or there is none */
	bool finished;      /* the thread that freezes has come to its end, and was not ended */
	bool last_look;     /* what seems to have exited is believed */
	int rc;
	struct vmsnap_error error;
};

static bool wants(const struct capture *capture, unsigned flag)
{
	return capture->options.flags & flag;
}

bool instant_lives_on(int procdir)
{
	bool live = false;
	for (int look = 0; look < 4 && !procdir_is_live(procdir, &live) && live; look++) {
		struct proc_stat stat;
		char exe[1];
		if (procdir_stat(procdir, &stat, NULL))
			continue;
		if (!strchr("ZX", stat.state) && (readlinkat(procdir, "exe", exe, sizeof(exe)) >= 0 || errno != ENOENT))
			return true;
		CLEANUP_CLOSE int living = procdir_living_thread(procdir);
		if (living >= 0)
			return true;
	}
	return false;
}

bool instant_seems_exited(int rc)
{
	return rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_ZOMBIE || rc == VMSNAP_ERR_NO_PROCESS;
}

/* A process of a tree that exits meanwhile is left out; those that were named must be there. */
static bool may_be_left_out(const struct capture *capture, size_t index, int rc)
{
	const struct frozen_process *process = &capture->freeze.processes[index];
	return !process->named && instant_seems_exited(rc) &&
	       (capture->last_look || !instant_lives_on(process->procdir));
}

/* Whether there is, or will be, a snapshot of it. */
static bool is_taken(const struct capture *capture, size_t index)
{
	const struct frozen_process *process = &capture->freeze.processes[index];
	return !process->companion && (process->named || !process->gone);
}

static void drop_process(struct capture *capture, size_t index)
{
	capture->freeze.processes[index].gone = true;
}

/* All that are known are prepared before the freeze; those born meanwhile in it. */
static int prepare_readers(struct capture *capture, bool seized)
{
	size_t count = capture->freeze.count;
	if (count > capture->reader_count) {
		struct reader *readers = realloc(capture->readers, count * sizeof(*readers));
		if (!readers)
			return fail_no_memory(&capture->error);
		capture->readers = readers;
	}
	while (capture->reader_count < count) {
		size_t index = capture->reader_count++;
		const struct frozen_process *process = &capture->freeze.processes[index];
		capture->readers[index] = (struct reader){ .memory = -1, .root = -1, .maps = -1 };
		if (process->companion)
			continue;
		int rc = reader_prepare(&capture->readers[index], process->procdir, process->pid,
		                        wants(capture, VMSNAP_CAPTURE_SMAPS),
		                        capture->held ? READER_HELD
		                        : seized      ? READER_NEWBORN
		                                      : READER_BEFORE,
		                        &capture->error);
		capture->readers[index].contents =
		        (struct page_contents){ .options = &capture->options, .store = capture->store };
		if (!rc && seized && process->state != VMSNAP_FREEZE_DEBUGGER)
			rc = reader_status_of_newborn(&capture->readers[index], &capture->error);
		if (may_be_left_out(capture, index, rc))
			drop_process(capture, index);
		else if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

/* For those that are known before any of them stands. */
static int make_walk(struct capture *capture)
{
	struct pagemap_need need = { .threads = capture->options.threads,
		                     .realtime = capture->freeze.realtime.permitted,
		                     .prepared = !capture->held };
	for (size_t i = 0; i < capture->reader_count; i++) {
		need.resident += capture->readers[i].resident;
		need.size += capture->readers[i].size;
		need.map += capture->readers[i].maps_before.len;
	}
	if (!capture->walk)
		capture->walk = pagemap_walk_new(&capture->probe, &capture->cancel, &capture->freeze.dog, &need);
	if (!capture->walk)
		return fail_no_memory(&capture->error);
	pagemap_walk_hasten(capture->walk, &capture->freeze.realtime);
	return VMSNAP_OK;
}

/* The thread whose memory was to be read has ended before its maps were open: by an exec
 * of it, that took the main thread's number, or the main one itself. */
static bool reopen_via_live_thread(struct reader *reader)
{
	struct proc_stat stat;
	if (reader->maps >= 0 || !reader->live || procdir_stat(reader->procdir, &stat, NULL))
		return false;
	bool main_lives = !strchr("ZX", stat.state);
	if (main_lives && reader->memory == reader->procdir)
		return false;
	int memory = main_lives ? reader->procdir : procdir_living_thread(reader->procdir);
	if (memory < 0)
		return false;
	if (reader->memory != reader->procdir)
		close(reader->memory);
	reader->memory = memory;
	return true;
}

/* Of a process that was frozen in part: which threads were not. */
static void note_missed(const struct capture *capture, size_t index)
{
	const struct frozen_process *process = &capture->freeze.processes[index];
	struct vmsnap *snap = capture->readers[index].builder.snap;
	for (size_t i = 0; process->state == VMSNAP_FREEZE_PARTIAL && i < snap->thread_count; i++) {
		pid_t tid = (pid_t)snap->threads[i].tid;
		snap->threads[i].missed =
		        freeze_missed(&capture->freeze, tid) && !strchr("ZX", tracer_task_state(process->procdir, tid));
	}
}

/* Of anybody on this machine.  If none is, none of the target's memory is in it. */
static uint64_t swap_in_use(void)
{
	struct sysinfo info;
	if (sysinfo(&info) || info.freeswap > info.totalswap)
		return UINT64_MAX;
	return (uint64_t)(info.totalswap - info.freeswap) * info.mem_unit;
}

static void note_swap(struct capture *capture)
{
	uint64_t in_use = swap_in_use();
	for (size_t i = 0; i < capture->reader_count; i++)
		if (capture->readers[i].live)
			capture->readers[i].builder.snap->info.swap_in_use = in_use;
}

/* The last look at the threads of a process found no new one, and ten thousand take ten milliseconds. */
static void lend_threads(const struct capture *capture, struct reader *reader)
{
	const struct freeze *freeze = &capture->freeze;
	bool only = reader->stands && freeze->count == 1 && freeze->listed_count;
	reader->threads = only ? freeze->listed : NULL;
	reader->thread_count = only ? freeze->listed_count : 0;
}

static int take_all(struct capture *capture)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t taken = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, monotonic = (int64_t)monotonic_now();
	uint64_t boottime = boottime_now();
	for (size_t i = 0; i < capture->reader_count; i++) {
		if (!is_taken(capture, i))
			continue;
		struct reader *reader = &capture->readers[i];
		reader->taken = taken;
		reader->monotonic = monotonic;
		reader->boottime = boottime;
		reader->page_moves = capture->page_moves;
		reader->own = &capture->own;
		reader->dog = &capture->freeze.dog;
		reader->realtime = &capture->freeze.realtime;
		reader->stands = capture->freeze.processes[i].state == VMSNAP_FREEZE_FULL;
		lend_threads(capture, reader);
		reader->keep = !i || capture->freeze.processes[i].state != VMSNAP_FREEZE_FULL;
		int rc = reader_take(reader, capture->walk, &capture->error);
		if (instant_seems_exited(rc) && reopen_via_live_thread(reader))
			rc = reader_take(reader, capture->walk, &capture->error);
		if (may_be_left_out(capture, i, rc))
			drop_process(capture, i);
		else if (rc)
			return rc;
		else
			note_missed(capture, i);
	}
	note_swap(capture);
	return VMSNAP_OK;
}

/* What the calling thread traces goes on only when that thread says so. */
static bool still_held(const struct capture *capture, const struct frozen_process *process)
{
	if (!capture->held)
		return freeze_held_by_debugger(process);
	return capture->ours.calling_thread || tracer_all_stopped(process->procdir);
}

static bool has_memory_of(const struct capture *capture, size_t index, size_t other)
{
	const struct frozen_process *process = &capture->freeze.processes[index],
	                            *companion = &capture->freeze.processes[other];
	return index != other && !process->users_unknown && !companion->users_unknown && !companion->gone &&
	       companion->memory == process->memory;
}

/* Who waits in the kernel, as for a vfork child that has its memory, cannot run before it stops. */
static bool stood(const struct frozen_process *process)
{
	if (process->state == VMSNAP_FREEZE_FULL || process->state == VMSNAP_FREEZE_PARTIAL)
		return !process->runs;
	return tracer_of(process->procdir, "status") && tracer_none_runs(process->procdir);
}

/* Whether somebody else may have run in its memory, though itself it stood. */
static bool others_ran(const struct capture *capture, size_t index)
{
	for (size_t i = 0; i < capture->freeze.count; i++)
		if (has_memory_of(capture, index, i) && !stood(&capture->freeze.processes[i]))
			return true;
	return false;
}

static int note_memory(struct capture *capture)
{
	/* The kernel knows memory by the main threads. */
	for (size_t i = 0; i < capture->reader_count; i++)
		if (is_taken(capture, i) && capture->readers[i].memory != capture->readers[i].procdir)
			capture->freeze.processes[i].users_unknown = true;
	return freeze_note_memory(&capture->freeze) ? fail_no_memory(&capture->error) : VMSNAP_OK;
}

/* Frozen by us: consistent.  Otherwise it is if the map reads the same once more,
 * and, with a debugger, if it still holds every thread. */
static int set_consistency(struct capture *capture, size_t index)
{
	struct reader *reader = &capture->readers[index];
	struct frozen_process *process = &capture->freeze.processes[index];
	struct vmsnap_info *info = &reader->builder.snap->info;
	if (reader->live && process->state == VMSNAP_FREEZE_DEBUGGER && !still_held(capture, process))
		process->state = VMSNAP_FREEZE_NONE;
	info->freeze = process->state;
	info->consistent = true;
	bool stands = process->state == VMSNAP_FREEZE_FULL || process->state == VMSNAP_FREEZE_DEBUGGER;
	if (stands && others_ran(capture, index)) {
		info->freeze = VMSNAP_FREEZE_PARTIAL;
		info->consistent = false;
		info->faults = UINT64_MAX;
		return VMSNAP_OK;
	}
	/* Others than those that made the pages seen. */
	if (!stands)
		info->faults = UINT64_MAX;
	if (!reader->live || process->state == VMSNAP_FREEZE_FULL ||
	    (stands && capture->held && capture->ours.calling_thread))
		return VMSNAP_OK;
	int rc = reader_recheck(reader, &info->consistent, &capture->error);
	if (process->state == VMSNAP_FREEZE_PARTIAL && others_ran(capture, index))
		info->consistent = false;
	return rc;
}

static int set_consistency_of_all(struct capture *capture)
{
	for (size_t i = 0; i < capture->reader_count; i++) {
		if (!is_taken(capture, i))
			continue;
		int rc = set_consistency(capture, i);
		if (may_be_left_out(capture, i, rc))
			drop_process(capture, i);
		else if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

static int stop_all(struct capture *capture)
{
	const struct frozen_process *first = &capture->freeze.processes[0];
	struct freeze *freeze = &capture->freeze;
	if (!procdir_numbers_are_ours(first->procdir))
		return fail(&capture->error, VMSNAP_ERR_PERMISSION,
		            "/proc is that of another PID namespace, where %d may be another process; "
		            "mount its own, or capture without freezing",
		            (int)first->pid);
	int rc = wants(capture, VMSNAP_CAPTURE_WATCHDOG)
	                 ? watchdog_start(&freeze->dog, WATCHDOG_WAKE_MS, WATCHDOG_KILL_MS, &capture->error)
	                 : VMSNAP_OK;
	return rc ? rc : freeze_stop(freeze, &capture->error);
}

static void set_state(struct freeze *freeze, enum vmsnap_freeze state)
{
	for (size_t p = 0; p < freeze->count; p++)
		freeze->processes[p].state = state;
}

/* Without those that were named there is nothing to take, and without one that lives it
 * would not be all. */
static int check_vanished(struct capture *capture)
{
	for (size_t i = 0; i < capture->freeze.count; i++) {
		const struct frozen_process *process = &capture->freeze.processes[i];
		if (process->gone && !process->companion && !may_be_left_out(capture, i, VMSNAP_ERR_EXITED))
			return procdir_fail(ESRCH, process->pid, "memory", &capture->error);
	}
	return VMSNAP_OK;
}

/* Who has the memory of those that are taken.  Numbers of another PID namespace's /proc mean
 * others here. */
static int find_companions(struct capture *capture)
{
	struct freeze *freeze = &capture->freeze;
	bool ours = procdir_numbers_are_ours(freeze->processes[0].procdir);
	bool brief = wants(capture, VMSNAP_CAPTURE_BRIEF);
	for (size_t i = 0; (!ours || brief) && i < freeze->count; i++)
		freeze->processes[i].users_unknown = true;
	size_t added = 0;
	int rc = ours && !brief ? freeze_add_relatives(freeze, &capture->error) : VMSNAP_OK;
	/* Who freezes looks for children himself. */
	bool looks = !capture->held && !wants(capture, VMSNAP_CAPTURE_NO_FREEZE);
	return rc || !ours || looks ? rc : freeze_add_children(freeze, &added, &capture->error);
}

/* All that happens while the target stands, and around it. */
static int freeze_and_take(struct capture *capture)
{
	struct freeze *freeze = &capture->freeze;
	int rc = freeze->tree ? freeze_find_descendants(freeze, &capture->error) : VMSNAP_OK;
	rc = rc ? rc : prepare_readers(capture, false);
	rc = rc ? rc : make_walk(capture);
	if (rc)
		return rc;
	bool live = capture->readers[0].live;
	if (live)
		rc = find_companions(capture);
	if (wants(capture, VMSNAP_CAPTURE_NO_FREEZE) || !live)
		set_state(freeze, VMSNAP_FREEZE_NONE);
	else if (!rc)
		rc = stop_all(capture);
	atomic_store(&capture->stands, true);
	rc = rc ? rc : check_vanished(capture);
	rc = rc ? rc : prepare_readers(capture, true);
	rc = rc ? rc : take_all(capture);
	if (!rc && live)
		rc = note_memory(capture);
	freeze_release(freeze);
	return rc ? rc : set_consistency_of_all(capture);
}

static void let_go(void *freeze)
{
	freeze_release(freeze);
}

/* Each time that a thread begins: those of before have ended. */
static void hasten(struct capture *capture)
{
	struct realtime *realtime = &capture->freeze.realtime;
	if (!wants(capture, VMSNAP_CAPTURE_REALTIME) || wants(capture, VMSNAP_CAPTURE_NO_FREEZE))
		return;
	realtime_init(realtime);
	realtime_add(realtime, capture->freeze.thread);
}

/* ptrace belongs to a thread.  This one is made for the freeze and ends with it, which
 * lets go of whatever could not be stopped in time; ended by freeze_watch(), it lets go
 * of the others by itself, for a signal that one of them was about to receive would be
 * lost otherwise if somebody else has waited for its stop (tracee.h). */
static void *capture_thread(void *argument)
{
	struct capture *capture = argument;
	freeze_own_thread(&capture->freeze);
	hasten(capture);
	pthread_cleanup_push(let_go, &capture->freeze);
	capture->rc = freeze_and_take(capture);
	pthread_cleanup_pop(0);
	capture->finished = true;
	return NULL;
}

/* Without a need nobody wakes up: while page tables are read, what we run shows in
 * them (own_mappings.h). */
static void join_polling(struct capture *capture, pthread_t thread)
{
	bool (*cancelled)(void *) = capture->options.cancelled;
	while (cancelled || !atomic_load(&capture->stands)) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += POLL_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		if (pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT)
			return;
		if (cancelled && cancelled(capture->options.cancel_ctx))
			atomic_store(&capture->cancel, true);
		realtime_check(&capture->freeze.realtime);
		freeze_reap_threads(&capture->freeze);
		freeze_watch(&capture->freeze, thread);
	}
	pthread_join(thread, NULL);
}

/* As it was but for Ctrl-Z and its like: if they stopped us meanwhile, the target would
 * stand until we are continued.  SIGSTOP cannot be held back, nor a signal that another
 * thread of the caller's takes. */
static void hold_back_job_control(const sigset_t *before)
{
	sigset_t mask = *before;
	sigaddset(&mask, SIGTSTP);
	sigaddset(&mask, SIGTTIN);
	sigaddset(&mask, SIGTTOU);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* Whether the thread came to its end; if not, another may try. */
static int run_thread_once(struct capture *capture, const sigset_t *before, bool *done)
{
	/* The caller's signals are the caller's: a debugger would hang on them. */
	sigset_t all;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	int error = thread_start(&thread, capture_thread, capture);
	hold_back_job_control(before);
	if (error)
		return fail_sys(&capture->error, error, "cannot start a thread");
	join_polling(capture, thread);
	/* Not PTHREAD_CANCELED: what a thread returns that is ended between two states of its
	 * own may be NULL (glibc 2.36). */
	*done = capture->finished;
	if (*done)
		return capture->rc;
	freeze_start_over(&capture->freeze);
	return atomic_load(&capture->cancel) ? fail(&capture->error, VMSNAP_ERR_CANCELLED, "cancelled") : VMSNAP_OK;
}

static int run_thread(struct capture *capture)
{
	sigset_t before;
	bool done = false;
	int rc = VMSNAP_OK;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	while (!done && !rc)
		rc = run_thread_once(capture, &before, &done);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

/* The target of a debugger whose library we are: its threads stand, or they run
 * because they shall.  All is done right here. */
static int take_held(struct capture *capture)
{
	struct freeze *freeze = &capture->freeze;
	enum vmsnap_freeze state = capture->ours.hold == TRACER_HOLD_ALL ? VMSNAP_FREEZE_DEBUGGER : VMSNAP_FREEZE_NONE;
	int rc = prepare_readers(capture, false);
	rc = rc ? rc : make_walk(capture);
	rc = rc ? rc : find_companions(capture);
	set_state(freeze, state);
	rc = rc ? rc : prepare_readers(capture, false);
	rc = rc ? rc : take_all(capture);
	rc = rc ? rc : note_memory(capture);
	return rc ? rc : set_consistency_of_all(capture);
}

/* A large target takes long, and the caller may want to cancel: that needs the thread. */
static bool may_take_held(const struct capture *capture)
{
	enum { HELD_BYTES_MAX = 1 << 30 };
	const struct frozen_process *process = &capture->freeze.processes[0];
	bool live = false;
	return !capture->freeze.tree && !wants(capture, VMSNAP_CAPTURE_NO_FREEZE) &&
	       capture->ours.hold != TRACER_HOLD_NO && capture->ours.size <= HELD_BYTES_MAX &&
	       !procdir_is_live(process->procdir, &live) && live;
}

static int by_number(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	return (a > b) - (a < b);
}

static int keep_memory_with(const struct capture *capture, size_t index)
{
	const struct freeze *freeze = &capture->freeze;
	struct vmsnap *snap = capture->readers[index].builder.snap;
	size_t count = 0;
	for (size_t i = 0; i < freeze->count; i++)
		count += has_memory_of(capture, index, i);
	snap->info.memory_known = !freeze->processes[index].users_unknown;
	if (!count)
		return VMSNAP_OK;
	uint32_t *pids = arena_alloc(&snap->strings, count * sizeof(*pids));
	if (!pids)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0, at = 0; i < freeze->count; i++)
		if (has_memory_of(capture, index, i))
			pids[at++] = (uint32_t)freeze->processes[i].pid;
	qsort(pids, count, sizeof(*pids), by_number);
	snap->info.memory_with = pids;
	snap->info.memory_with_count = count;
	/* What the others made is not counted among its own. */
	snap->info.faults = UINT64_MAX;
	return VMSNAP_OK;
}

static int finish_reader(struct capture *capture, size_t index)
{
	struct reader *reader = &capture->readers[index];
	struct vmsnap *snap = reader->builder.snap;
	bool frozen = snap->info.freeze == VMSNAP_FREEZE_FULL || snap->info.freeze == VMSNAP_FREEZE_PARTIAL;
	int rc = reader_finish(reader, pagemap_walk_probe(capture->walk), frozen, &capture->error);
	if (!rc && reader->live)
		rc = identity_machine(snap, &capture->error);
	if (rc)
		return rc;
	identity_from_status(snap, reader->live);
	snap->info.tool = "vmsnap " VMSNAP_BUILD_VERSION;
	if (frozen && capture->freeze.processes[index].stood)
		snap->info.pause = capture->freeze.ended - capture->freeze.began;
	if (capture->options.label)
		snap->info.label = arena_string(&snap->strings, capture->options.label);
	if (capture->options.reason)
		snap->info.reason = arena_string(&snap->strings, capture->options.reason);
	if (!snap->info.label || !snap->info.reason)
		return fail_no_memory(&capture->error);
	if (reader->live && keep_memory_with(capture, index))
		return fail_no_memory(&capture->error);
	reader_reopen(reader);
	if (reader->live)
		rc = identity_build_ids(snap, reader->procdir, reader->root, reader->maps, &capture->error);
	reader_close(reader);
	return rc;
}

/* What several processes share is seen in one frame, and what is in another frame than before was
 * written to, unless the kernel moved it before it was read, or KSM merges pages of the process. */
static void check_page_moves(struct capture *capture)
{
	if (!capture->page_moves)
		return;
	bool moved = page_moves_now() != capture->page_moves, merges = page_merges_anywhere();
	for (size_t i = 0; i < capture->reader_count; i++) {
		struct reader *reader = &capture->readers[i];
		struct vmsnap *snap = reader->builder.snap;
		if (snap && reader->live && merges && page_merges_of_process(reader->memory))
			snap->info.page_moves = MOVES_MERGED;
		else if (snap && moved)
			snap->info.page_moves = 0;
	}
}

static int finish_all(struct capture *capture, struct vmsnap ***out, size_t *count)
{
	check_page_moves(capture);
	struct vmsnap **snaps = calloc(capture->reader_count, sizeof(*snaps));
	if (!snaps)
		return fail_no_memory(&capture->error);
	size_t used = 0;
	struct work work = { .limit = WORK_UNLIMITED };
	for (size_t i = 0; i < capture->reader_count; i++) {
		if (!is_taken(capture, i))
			continue;
		int rc = finish_reader(capture, i);
		if (!rc && builder_finish(&capture->readers[i].builder, &work, &snaps[used]))
			rc = fail_no_memory(&capture->error);
		if (rc) {
			vmsnap_unref_all(snaps, used);
			return rc;
		}
		used++;
	}
	*out = snaps;
	*count = used;
	return VMSNAP_OK;
}

static void tell_left_out(const struct capture *capture)
{
	const struct vmsnap_capture_options *options = &capture->options;
	const struct freeze *freeze = &capture->freeze;
	if (!options->left_out)
		return;
	for (size_t i = 0; i < freeze->zombie_count; i++)
		options->left_out(options->left_out_ctx, freeze->zombies[i], VMSNAP_ERR_ZOMBIE);
	for (size_t i = 0; i < freeze->count; i++)
		if (!freeze->processes[i].companion && !is_taken(capture, i))
			options->left_out(options->left_out_ctx, freeze->processes[i].pid, VMSNAP_ERR_EXITED);
}

static int capture_init(struct capture *capture, const struct vmsnap_capture_options *options)
{
	int rc = options_take(&capture->options, sizeof(capture->options), options, "struct vmsnap_capture_options",
	                      &capture->error);
	if (rc)
		return rc;
	capture->freeze.timeout_ms = capture->options.freeze_timeout_ms;
	capture->freeze.cancel = &capture->cancel;
	tracer_ours(capture->freeze.processes[0].procdir, &capture->ours);
	capture->held = may_take_held(capture);
	bool (*cancelled)(void *) = capture->options.cancelled;
	if (cancelled && cancelled(capture->options.cancel_ctx))
		return fail(&capture->error, VMSNAP_ERR_CANCELLED, "cancelled");
	unsigned contents = capture->options.contents & ~(unsigned)VMSNAP_WANT_UNDUMPED;
	if (contents > VMSNAP_WANT_ALL || (capture->options.contents && !contents))
		return fail(&capture->error, VMSNAP_ERR_ARGUMENT, "struct vmsnap_capture_options: contents %u",
		            capture->options.contents);
	capture->store = vmsnap_store_ref(capture->options.store);
	if (capture->options.contents && !capture->store)
		rc = vmsnap_store_new(&capture->store, &capture->error);
	rc = rc ? rc : pagemap_probe(&capture->probe, &capture->error);
	/* Without frames nobody asks where they went. */
	if (capture->probe.known.pfn)
		capture->page_moves = page_moves_now();
	if (rc)
		return rc;
	if (wants(capture, VMSNAP_CAPTURE_DROP_OWN_MAPPINGS))
		own_mappings_find(&capture->own);
	return VMSNAP_OK;
}

static int add_asked(struct capture *capture, const struct asked *asked)
{
	struct freeze *freeze = &capture->freeze;
	freeze->tree = asked->tree;
	for (size_t i = 0; i < asked->count; i++) {
		int own = fcntl(asked->procdirs[i], F_DUPFD_CLOEXEC, 0);
		if (own < 0)
			return fail_sys(&capture->error, errno, "cannot keep the directory of process %d",
			                (int)asked->pids[i]);
		int rc = freeze_add(freeze, asked->pids[i], i, own, &capture->error);
		if (rc)
			return rc;
		freeze->processes[i].named = true;
	}
	return VMSNAP_OK;
}

int instant_take(const struct asked *asked, const struct vmsnap_capture_options *options, bool last,
                 struct vmsnap ***out, size_t *count, struct vmsnap_error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	if (!capture)
		return fail_no_memory(err);
	capture->last_look = last;
	freeze_init(&capture->freeze);
	int rc = add_asked(capture, asked);
	rc = rc ? rc : capture_init(capture, options);
	rc = rc ? rc : capture->held ? take_held(capture) : run_thread(capture);
	rc = rc ? rc : finish_all(capture, out, count);
	if (!rc)
		tell_left_out(capture);
	if (rc && err)
		*err = capture->error;
	for (size_t i = 0; i < capture->reader_count; i++)
		reader_free(&capture->readers[i]);
	free(capture->readers);
	pagemap_walk_free(capture->walk);
	own_mappings_free(&capture->own);
	vmsnap_store_unref(capture->store);
	freeze_free(&capture->freeze);
	free(capture);
	return rc;
}
