/* instant.c - one look at one instant: prepare, freeze, read, let go, finish. */
#define _GNU_SOURCE
#include "instant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "error.h"
#include "freeze.h"
#include "freeze_tree.h"
#include "instant_finish.h"
#include "instant_memory.h"
#include "instant_processes.h"
#include "instant_thread.h"
#include "options.h"
#include "page_moves.h"

/* Of a process whose map takes longer to search than this saves, all of ours count as its own. */
static void find_shared(const struct capture *capture, struct reader *reader)
{
	enum { SEARCHED_MAX = 128 * 1024 };
	if (capture->own.count && reader->maps_before.len && reader->maps_before.len <= SEARCHED_MAX)
		own_mappings_shared(&capture->own, &reader->maps_before, &reader->own_shared);
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
		                        instant_wants(capture, VMSNAP_CAPTURE_SMAPS),
		                        capture->held ? READER_HELD
		                        : seized      ? READER_NEWBORN
		                                      : READER_BEFORE,
		                        &capture->error);
		capture->readers[index].contents =
		        (struct page_contents){ .options = &capture->options, .store = capture->store };
		find_shared(capture, &capture->readers[index]);
		capture->readers[index].pages_left_out = instant_wants(capture, VMSNAP_CAPTURE_NO_PAGES);
		capture->readers[index].kpage.tables = instant_wants(capture, VMSNAP_CAPTURE_KPAGE);
		capture->readers[index].kpage.nodes = instant_wants(capture, VMSNAP_CAPTURE_NODES);
		if (!rc && capture->options.tracker && tracker_is_of(capture->options.tracker, process->procdir)) {
			capture->readers[index].tracker = capture->options.tracker;
			capture->readers[index].contents.precopy = &capture->precopy;
			capture->options.tracker->peeks = instant_wants(capture, VMSNAP_CAPTURE_PEEK);
		}
		if (!rc && seized && process->state != VMSNAP_FREEZE_DEBUGGER)
			rc = reader_status_of_newborn(&capture->readers[index], &capture->error);
		if (instant_may_leave_out(capture, index, rc))
			instant_leave_out(capture, index);
		else if (rc)
			return instant_fail_of(capture, index, rc);
	}
	return VMSNAP_OK;
}

/* The one that is tracked runs on meanwhile. */
static int copy_before(struct capture *capture)
{
	struct precopy *precopy = &capture->precopy;
	bool stops = !instant_wants(capture, VMSNAP_CAPTURE_NO_FREEZE | VMSNAP_CAPTURE_NO_PAGES);
	precopy_free(precopy);
	*precopy = (struct precopy){ .options = &capture->options,
		                     .store = capture->store,
		                     .cancel = &capture->cancel,
		                     .dog = &capture->freeze.dog,
		                     .realtime = &capture->freeze.realtime };
	for (size_t i = 0; capture->options.contents && stops && i < capture->freeze.count; i++) {
		const struct frozen_process *process = &capture->freeze.processes[i];
		if (!tracker_is_of(capture->options.tracker, process->procdir))
			continue;
		precopy->tracker = capture->options.tracker;
		precopy->procdir = process->procdir;
		return precopy_run(precopy, &capture->error);
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
		if (capture->readers[i].pages_left_out)
			continue;
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
		if (!instant_takes(capture, i))
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
		reader->held = reader->stands || capture->freeze.processes[i].state == VMSNAP_FREEZE_DEBUGGER;
		lend_threads(capture, reader);
		reader->keep = !i || capture->freeze.processes[i].state != VMSNAP_FREEZE_FULL;
		int rc = reader_take(reader, capture->walk, &capture->error);
		if (instant_seems_exited(rc) && reopen_via_live_thread(reader))
			rc = reader_take(reader, capture->walk, &capture->error);
		if (instant_may_leave_out(capture, i, rc))
			instant_leave_out(capture, i);
		else if (rc)
			return instant_fail_of(capture, i, rc);
		else
			note_missed(capture, i);
	}
	note_swap(capture);
	return VMSNAP_OK;
}

static int stop_all(struct capture *capture)
{
	const struct frozen_process *first = &capture->freeze.processes[0];
	struct freeze *freeze = &capture->freeze;
	bool ours = procdir_numbers_are_ours(first->procdir);
	if (!ours && procdir_has_ended(first->procdir))
		return procdir_fail(ESRCH, first->pid, "memory", &capture->error);
	if (!ours)
		return fail(&capture->error, VMSNAP_ERR_PERMISSION,
		            "/proc is that of another PID namespace, where %d may be another process; "
		            "mount its own, or capture without freezing",
		            (int)first->pid);
	int rc = instant_wants(capture, VMSNAP_CAPTURE_WATCHDOG)
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
		if (process->gone && !process->companion && !instant_may_leave_out(capture, i, VMSNAP_ERR_EXITED))
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
	bool brief = instant_wants(capture, VMSNAP_CAPTURE_BRIEF);
	for (size_t i = 0; (!ours || brief) && i < freeze->count; i++)
		freeze->processes[i].users_unknown = true;
	size_t added = 0;
	int rc = ours && !brief ? freeze_add_relatives(freeze, &capture->error) : VMSNAP_OK;
	/* Who freezes looks for children himself. */
	bool looks = !capture->held && !instant_wants(capture, VMSNAP_CAPTURE_NO_FREEZE);
	return rc || !ours || looks ? rc : freeze_add_children(freeze, &added, &capture->error);
}

/* All that happens while the target stands, and around it. */
static int freeze_and_take(struct capture *capture)
{
	struct freeze *freeze = &capture->freeze;
	int rc = freeze->tree ? freeze_find_descendants(freeze, &capture->error) : VMSNAP_OK;
	rc = rc ? rc : copy_before(capture);
	rc = rc ? rc : prepare_readers(capture, false);
	rc = rc ? rc : make_walk(capture);
	rc = rc ? rc : precopy_hurry(&capture->precopy, &capture->error);
	if (rc)
		return rc;
	bool live = capture->readers[0].live;
	if (live)
		rc = find_companions(capture);
	/* Again later, but what was used until now goes while nobody waits. */
	own_mappings_drop(&capture->own);
	if (instant_wants(capture, VMSNAP_CAPTURE_NO_FREEZE) || !live)
		set_state(freeze, VMSNAP_FREEZE_NONE);
	else if (!rc)
		rc = stop_all(capture);
	atomic_store(&capture->stands, true);
	rc = rc ? rc : check_vanished(capture);
	rc = rc ? rc : prepare_readers(capture, true);
	rc = rc ? rc : take_all(capture);
	if (!rc && live)
		rc = instant_note_memory(capture);
	freeze_release(freeze);
	return rc ? rc : instant_judge(capture);
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
	rc = rc ? rc : instant_note_memory(capture);
	return rc ? rc : instant_judge(capture);
}

static bool may_take_held(const struct capture *capture)
{
	const struct frozen_process *process = &capture->freeze.processes[0];
	bool live = false;
	return !capture->freeze.tree && !instant_wants(capture, VMSNAP_CAPTURE_NO_FREEZE) &&
	       capture->ours.hold != TRACER_HOLD_NO && capture->ours.size <= TRACER_HELD_BYTES_MAX &&
	       !procdir_is_live(process->procdir, &live) && live;
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
	if (instant_wants(capture, VMSNAP_CAPTURE_DROP_OWN_MAPPINGS))
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
	rc = rc ? rc : capture->held ? take_held(capture) : instant_thread_run(capture, freeze_and_take);
	rc = rc ? rc : instant_finish(capture, out, count);
	if (rc && err)
		*err = capture->error;
	for (size_t i = 0; i < capture->reader_count; i++)
		reader_free(&capture->readers[i]);
	free(capture->readers);
	precopy_free(&capture->precopy);
	pagemap_walk_free(capture->walk);
	own_mappings_free(&capture->own);
	vmsnap_store_unref(capture->store);
	freeze_free(&capture->freeze);
	free(capture);
	return rc;
}
