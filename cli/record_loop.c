/* record_loop.c - when a snapshot is due: by time, by growth, by what happens; and what ends it. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "record.h"
#include "say.h"
#include "size_text.h"

enum { NS_A_MS = 1000000 };
/* How often resident memory is looked at, and how long the watch goes without a look though nothing is heard. */
enum { GROWTH_LOOK_NS = 100 * NS_A_MS, WATCH_LOOK_NS = 200 * NS_A_MS, WRITING_LOOK_NS = 5 * NS_A_MS };

struct schedule {
	uint64_t every, next, end, growth_look;
	bool waits; /* for the file */
};

/* ---- waiting ---- */

static void on_child(int number)
{
	(void)number;
}

/* Children of ours, and what is traced, tell by SIGCHLD: it is let in while we wait, and then only. */
void record_notice_children(void)
{
	struct sigaction action = { .sa_handler = on_child };
	sigset_t child;
	sigaction(SIGCHLD, &action, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
}

static struct pollfd *poll_list(const struct record *record, nfds_t *count)
{
	struct pollfd *fds = calloc(record->process_count + 1, sizeof(*fds));
	*count = 0;
	for (size_t i = 0; fds && i < record->process_count; i++)
		if (!record->processes[i].ended && record->processes[i].pidfd >= 0)
			fds[(*count)++] = (struct pollfd){ .fd = record->processes[i].pidfd, .events = POLLIN };
	return fds;
}

/* Until then, or something happens.  A signal that comes between the look at them and the wait is not missed. */
static void wait_until(const struct record *record, uint64_t when)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t all, before, during;
	nfds_t count;
	struct pollfd *fds = poll_list(record, &count);
	uint64_t now = record_now(), left = when > now ? when - now : 0;
	struct timespec timeout = { .tv_sec = (time_t)(left / NS_A_SECOND), .tv_nsec = (long)(left % NS_A_SECOND) };
	sigemptyset(&all);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&all, numbers[i]);
	sigprocmask(SIG_BLOCK, &all, &before);
	during = before;
	sigdelset(&during, SIGCHLD);
	if (!interrupted_by())
		ppoll(fds, fds ? count : 0, &timeout, &during);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(fds);
}

/* ---- what is due ---- */

static int snapshot(struct record *record, const char *reason)
{
	return record->file ? record_instant(record, reason) : record_round(record);
}

/* One that took longer than it should have is not made up for. */
static void next_time(struct schedule *schedule)
{
	uint64_t now = record_now();
	schedule->next =
	        schedule->next + schedule->every > now ? schedule->next + schedule->every : now + schedule->every;
	schedule->waits = false;
}

/* Whether what is due is left out, for a pause that was too long: that of a snapshot between them may have been short.
 */
static bool skips(struct record *record)
{
	if (!record->to_skip)
		return false;
	record->to_skip--;
	record->skipped++;
	return true;
}

static int at_interval(struct record *record, struct schedule *schedule)
{
	if (record->file && record_file_busy(record->file)) {
		record->late += !schedule->waits;
		schedule->waits = true;
		return STATUS_OK;
	}
	next_time(schedule);
	return skips(record) ? STATUS_OK : snapshot(record, NULL);
}

/* What has grown by that since its last snapshot; all are taken then. */
static int at_growth(struct record *record)
{
	char reason[64], grown[16];
	for (size_t i = 0; i < record->process_count; i++) {
		struct recorded *process = &record->processes[i];
		uint64_t now = process->ended ? 0 : record_resident(process->pid);
		if (now < process->rss + record->on.growth)
			continue;
		if (skips(record)) {
			process->rss = now;
			return STATUS_OK;
		}
		record->growths++;
		snprintf(reason, sizeof(reason), "%d grew by %s", (int)process->pid,
		         size_text(now - process->rss, grown));
		return snapshot(record, reason);
	}
	return STATUS_OK;
}

static int events(struct record *record)
{
	struct vmsnap_watch_event event;
	struct vmsnap_error err;
	int status = STATUS_OK, rc = VMSNAP_END;
	while (record->watch && !status && !(rc = vmsnap_watch_next(record->watch, &event, &err)))
		status = record_event(record, &event);
	return record->watch && !status && rc != VMSNAP_END ? trouble_with(NULL, &err) : status;
}

/* ---- the end ---- */

/* What the loop ends for, if it does. */
static int look_for_end(struct record *record, const struct schedule *schedule)
{
	record_note_ended(record);
	if (interrupted_by() || !record_living(record))
		return RECORD_OVER;
	if (record->file && record_file_failed(record->file))
		return RECORD_OVER; /* record_file_finish() tells */
	bool command = record->command.words && command_has_ended(&record->command);
	if (!command && record_now() < schedule->end)
		return STATUS_OK;
	/* As it is now, after all that was asked for. */
	int status = record_living(record) ? snapshot(record, NULL) : STATUS_OK;
	return status ? status : RECORD_OVER;
}

static uint64_t earliest(const struct record *record, const struct schedule *schedule)
{
	uint64_t now = record_now(), when = schedule->next < schedule->end ? schedule->next : schedule->end;
	if (schedule->waits && when < now + WRITING_LOOK_NS)
		when = now + WRITING_LOOK_NS;
	if (record->on.growth && schedule->growth_look < when)
		when = schedule->growth_look;
	if (record->watch && now + WATCH_LOOK_NS < when)
		when = now + WATCH_LOOK_NS;
	/* Where there are no pidfds, an end is only seen by looking. */
	for (size_t i = 0; i < record->process_count; i++)
		if (!record->processes[i].ended && record->processes[i].pidfd < 0 && now + WATCH_LOOK_NS < when)
			when = now + WATCH_LOOK_NS;
	return when;
}

static int turn(struct record *record, struct schedule *schedule)
{
	int status = events(record);
	status = status ? status : look_for_end(record, schedule);
	uint64_t now = record_now();
	if (!status && record->on.growth && now >= schedule->growth_look) {
		schedule->growth_look = now + GROWTH_LOOK_NS;
		if (!record_file_busy(record->file))
			status = at_growth(record);
	}
	if (!status && now >= schedule->next)
		status = at_interval(record, schedule);
	return status;
}

int record_loop(struct record *record)
{
	const struct options *options = record->options;
	struct schedule schedule = { .every = options->every ? options->every : NS_A_SECOND };
	record->began = record_now();
	int status = events(record); /* its program begins */
	status = status ? status : record->file ? record_instant(record, NULL) : record_first_round(record);
	schedule.next = record->began + schedule.every;
	schedule.end = options->lasts ? record->began + options->lasts : UINT64_MAX;
	while (!status) {
		record_line(record);
		status = turn(record, &schedule);
		if (!status)
			wait_until(record, earliest(record, &schedule));
	}
	return status;
}
