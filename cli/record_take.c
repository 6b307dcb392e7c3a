/* record_take.c - one instant of a recording. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture_flags.h"
#include "interrupt.h"
#include "privilege.h"
#include "record.h"
#include "say.h"

/* ---- who is recorded ---- */

struct recorded *record_find(struct record *record, pid_t pid)
{
	for (size_t i = 0; i < record->process_count; i++)
		if (record->processes[i].pid == pid && !record->processes[i].ended)
			return &record->processes[i];
	return NULL;
}

uint64_t record_resident(pid_t pid)
{
	char path[48], text[128];
	uint64_t pages = 0;
	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	FILE *file = fopen(path, "re");
	if (file && fgets(text, sizeof(text), file) && strchr(text, ' '))
		pages = strtoull(strchr(text, ' '), NULL, 10);
	if (file)
		fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

int record_add(struct record *record, pid_t pid)
{
	struct vmsnap_process now = { .size = sizeof(now) };
	struct vmsnap_error err;
	if (record_find(record, pid))
		return STATUS_OK;
	if (vmsnap_process_now(pid, &now, &err))
		return trouble_with_process(NULL, &err);
	if (record->process_count == record->process_room) {
		size_t room = record->process_room ? record->process_room * 2 : 8;
		struct recorded *processes = realloc(record->processes, room * sizeof(*processes));
		if (!processes)
			return trouble("out of memory");
		record->processes = processes;
		record->process_room = room;
	}
	record->processes[record->process_count++] = (struct recorded){
		.pid = pid,
		.start_time = now.start_time,
		.pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
	};
	return STATUS_OK;
}

size_t record_living(const struct record *record)
{
	size_t living = 0;
	for (size_t i = 0; i < record->process_count; i++)
		living += !record->processes[i].ended;
	return living;
}

static bool has_ended(const struct recorded *process)
{
	struct vmsnap_process now = { .size = sizeof(now) };
	struct pollfd fd = { .fd = process->pidfd, .events = POLLIN };
	if (process->pidfd >= 0)
		return poll(&fd, 1, 0) == 1;
	return vmsnap_process_now(process->pid, &now, NULL) || now.start_time != process->start_time ||
	       strchr("ZX", now.state);
}

void record_note_ended(struct record *record)
{
	for (size_t i = 0; i < record->process_count; i++) {
		struct recorded *process = &record->processes[i];
		if (process->ended || !has_ended(process))
			continue;
		process->ended = true;
		if (process->pidfd >= 0)
			close(process->pidfd);
	}
}

/* ---- taking ---- */

struct instant {
	pid_t *pids;
	size_t pid_count;
	char label[32];
	const char *reason;
	uint64_t held_since; /* by the watch; 0: the capture stops them */
	uint64_t held;       /* so long */
	bool all;            /* that live */
	struct vmsnap **snaps;
	size_t count;
};

static int capture(const struct record *record, struct instant *instant, struct vmsnap_error *err)
{
	const struct options *options = record->options;
	unsigned not_here = (instant->held_since ? VMSNAP_CAPTURE_NO_FREEZE : 0u) |
	                    (record->watch ? VMSNAP_CAPTURE_DESCENDANTS : 0u);
	struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = (capture_flags(options) & ~not_here) | VMSNAP_CAPTURE_BRIEF,
		.threads = options->threads,
		.label = *instant->label ? instant->label : NULL,
		.reason = instant->reason,
		.cancelled = was_interrupted,
		.tracker = record->tracker,
	};
	contents_apply(&record->contents, &how);
	return vmsnap_capture_set(instant->pids, instant->pid_count, &how, &instant->snaps, &instant->count, err);
}

static bool is_gone(int rc)
{
	return rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_ZOMBIE;
}

/* A number may be another process's by now. */
static bool is_who_it_was(struct record *record, const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	const struct recorded *process = record_find(record, (pid_t)info->pid);
	return !process || process->start_time == info->start_time;
}

static uint64_t longest_pause(const struct instant *instant)
{
	uint64_t longest = instant->held;
	for (size_t i = 0; i < instant->count; i++) {
		uint64_t pause = vmsnap_info(instant->snaps[i])->pause;
		longest = pause > longest ? pause : longest;
	}
	return longest;
}

static void note_taken(struct record *record, const struct instant *instant)
{
	uint64_t resident = 0, pause = longest_pause(instant);
	for (size_t i = 0; i < instant->count; i++) {
		struct vmsnap_sums sums;
		struct recorded *process = record_find(record, (pid_t)vmsnap_info(instant->snaps[i])->pid);
		vmsnap_sum(instant->snaps[i], 0, UINT64_MAX, &sums);
		resident += sums.resident;
		if (process && record->on.growth)
			process->rss = record_resident(process->pid);
	}
	/* Of an event only those that it is about are taken: what they come to is another sum. */
	if (!*instant->label || !record->instants) {
		record->resident_first = record->instants ? record->resident_first : resident;
		record->resident_last = resident;
		record->several |= instant->count > 1;
	}
	record->instants++;
	record->snapshots += instant->count;
	if (pause)
		pauses_add(&record->pauses, pause);
	record->to_skip += record->options->max_pause && pause > record->options->max_pause;
}

static int tell_tracking(struct record *record)
{
	int tracking = record->tracker ? vmsnap_tracker_tracking(record->tracker) : VMSNAP_TRACKING_TELLS;
	if (tracking == VMSNAP_TRACKING_DISTURBED)
		say("somebody else has cleared soft-dirty bits: what was written until now is not known");
	if (tracking != VMSNAP_TRACKING_EXECED)
		return STATUS_OK;
	say("the process executes another program: what it writes is not known any more");
	vmsnap_tracker_free(record->tracker);
	record->tracker = NULL;
	return STATUS_OK;
}

static int keep(struct record *record, struct instant *instant)
{
	size_t kept = 0;
	for (size_t i = 0; i < instant->count; i++) {
		if (is_who_it_was(record, instant->snaps[i]))
			instant->snaps[kept++] = instant->snaps[i];
		else
			vmsnap_unref(instant->snaps[i]);
	}
	instant->count = kept;
	if (!kept) {
		free(instant->snaps);
		return STATUS_OK;
	}
	note_taken(record, instant);
	tell_tracking(record);
	struct record_batch batch = { .snaps = instant->snaps, .count = instant->count, .all = instant->all };
	int status = record->blame ? record_blame_take(record->blame, &batch.faults) : STATUS_OK;
	if (status) {
		vmsnap_unref_all(batch.snaps, batch.count);
		return status;
	}
	/* It takes them over; a failure is told when the file is finished. */
	return record_file_put(record->file, &batch) ? STATUS_OK : RECORD_OVER;
}

/* Those that live, of whom the watch has, or of whom were named. */
static int choose_living(struct record *record, struct instant *instant)
{
	size_t room = record->watch ? vmsnap_watch_processes(record->watch, NULL, 0) : record->process_count;
	instant->pids = calloc(room + 1, sizeof(*instant->pids));
	instant->pid_count = 0;
	if (!instant->pids)
		return trouble("out of memory");
	if (!record->watch) {
		for (size_t i = 0; i < record->process_count; i++)
			if (!record->processes[i].ended)
				instant->pids[instant->pid_count++] = record->processes[i].pid;
		return STATUS_OK;
	}
	vmsnap_watch_processes(record->watch, instant->pids, room);
	for (size_t i = 0; i < room; i++) {
		struct vmsnap_process now = { .size = sizeof(now) };
		if (!vmsnap_process_now(instant->pids[i], &now, NULL) && !strchr("ZX", now.state))
			instant->pids[instant->pid_count++] = instant->pids[i];
	}
	return STATUS_OK;
}

/* What was taken is looked at when they run. */
static void let_go(const struct record *record, struct instant *instant)
{
	if (!record->watch)
		return;
	vmsnap_watch_go(record->watch);
	instant->held = instant->held_since ? record_now() - instant->held_since : 0;
}

static void hold_all(const struct record *record, struct instant *instant)
{
	if (!record->watch || record->options->no_freeze)
		return;
	instant->held_since = record_now();
	vmsnap_watch_stop(record->watch, NULL);
}

static int take_once(struct record *record, struct instant *instant, struct vmsnap_error *err, int *rc)
{
	*rc = VMSNAP_OK;
	hold_all(record, instant);
	int status = choose_living(record, instant);
	if (!status && instant->pid_count)
		*rc = capture(record, instant, err);
	let_go(record, instant);
	if (!status && instant->pid_count && !*rc)
		status = keep(record, instant);
	free(instant->pids);
	return status;
}

/* Those that come to a group, or have the name, meanwhile. */
static int look_for_more(struct record *record)
{
	struct processes now = { .again = true };
	struct vmsnap_error err;
	if (!processes_were_found(record->options) || !record->instants)
		return STATUS_OK;
	int status = processes_choose(record->options, &now);
	for (size_t i = 0; !status && i < now.count; i++) {
		struct vmsnap_process process = { .size = sizeof(process) };
		if (record_find(record, now.pids[i]) || vmsnap_process_now(now.pids[i], &process, NULL))
			continue;
		status = record_add(record, now.pids[i]);
		if (!status && record->blame)
			status = record_blame_add(record->blame, now.pids[i]);
		privilege_pause();
		if (!status && record->watch && vmsnap_watch_add(record->watch, now.pids[i], &err))
			say("%s", err.message);
		privilege_resume();
	}
	processes_free(&now);
	return status;
}

int record_instant(struct record *record, const char *reason)
{
	enum { TRIES = 5 };
	struct vmsnap_error err;
	int rc = VMSNAP_OK, status = look_for_more(record);
	for (int i = 0; !status && i < TRIES; i++) {
		struct instant instant = { .reason = reason, .all = true };
		status = take_once(record, &instant, &err, &rc);
		if (!is_gone(rc))
			break;
		record_note_ended(record);
		if (!record_living(record))
			return RECORD_OVER;
	}
	if (status || !rc || (rc == VMSNAP_ERR_CANCELLED && interrupted_by()))
		return status;
	/* What has just ended is told by the loop; what goes on being between is no reason to give up. */
	if (is_gone(rc) && record->instants)
		return STATUS_OK;
	return trouble_with_process(NULL, &err);
}

/* ---- events ---- */

static void describe(struct record *record, const struct vmsnap_watch_event *event, struct instant *instant,
                     char reason[64])
{
	switch (event->kind) {
	case VMSNAP_WATCH_FORK:
		record->forks++;
		snprintf(reason, 64, "fork of %d: child %d", (int)event->pid, (int)event->child);
		snprintf(instant->label, sizeof(instant->label), "fork-%" PRIu64, record->forks);
		break;
	case VMSNAP_WATCH_EXEC:
		record->execs++;
		snprintf(reason, 64, "exec of %d", (int)event->pid);
		snprintf(instant->label, sizeof(instant->label), "exec-%" PRIu64, record->execs);
		break;
	default:
		record->exits++;
		snprintf(reason, 64, "exit of %d", (int)event->pid);
		snprintf(instant->label, sizeof(instant->label), "exit-%" PRIu64, record->exits);
	}
	instant->reason = reason;
}

static bool is_watched(const struct record *record, pid_t pid)
{
	bool found = false;
	size_t count = vmsnap_watch_processes(record->watch, NULL, 0);
	pid_t *pids = calloc(count + 1, sizeof(*pids));
	if (pids)
		vmsnap_watch_processes(record->watch, pids, count);
	for (size_t i = 0; pids && i < count; i++)
		found |= pids[i] == pid;
	free(pids);
	return found;
}

/* What a child's end was like its parent's side belongs to: what it cost is told by both. */
static void add_parent(struct record *record, struct instant *instant)
{
	struct vmsnap_process now = { .size = sizeof(now) };
	if (vmsnap_process_now(instant->pids[0], &now, NULL) || !is_watched(record, (pid_t)now.ppid))
		return;
	vmsnap_watch_stop(record->watch, NULL);
	instant->pids[1] = instant->pids[0];
	instant->pids[0] = (pid_t)now.ppid;
	instant->pid_count = 2;
}

/* That it began is no event of its life. */
static bool is_beginning(struct record *record, const struct vmsnap_watch_event *event)
{
	if (event->kind != VMSNAP_WATCH_EXEC || event->pid != record->command.pid || record->command.begun)
		return false;
	record->command.begun = true;
	return true;
}

static bool is_wanted(const struct record *record, const struct vmsnap_watch_event *event)
{
	return (event->kind == VMSNAP_WATCH_FORK && record->on.fork) ||
	       (event->kind == VMSNAP_WATCH_EXEC && record->on.exec) || event->kind == VMSNAP_WATCH_EXIT;
}

int record_event(struct record *record, const struct vmsnap_watch_event *event)
{
	pid_t pids[2] = { event->pid, event->child };
	struct instant instant = { .pids = pids, .pid_count = event->child ? 2 : 1, .held_since = record_now() };
	struct vmsnap_error err;
	char reason[64];
	bool wanted = !is_beginning(record, event) && is_wanted(record, event);
	if (!wanted) {
		vmsnap_watch_go(record->watch);
		return STATUS_OK;
	}
	describe(record, event, &instant, reason);
	if (event->kind == VMSNAP_WATCH_EXIT)
		add_parent(record, &instant);
	int rc = capture(record, &instant, &err);
	let_go(record, &instant);
	if (rc && !is_gone(rc) && rc != VMSNAP_ERR_CANCELLED)
		say("%s: no snapshot of it: %s", reason, err.message);
	return rc ? STATUS_OK : keep(record, &instant);
}
