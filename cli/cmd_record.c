/* vmsnap record: what a process writes, round by round. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "interrupt.h"
#include "names.h"
#include "output.h"
#include "privilege.h"
#include "process_arg.h"
#include "say.h"
#include "track_arg.h"

enum { NS_A_SECOND = 1000000000 };

struct record {
	const struct options *options;
	struct vmsnap_tracker *tracker;
	struct vmsnap_names *names; /* of the last round; NULL: none yet, or not wanted */
	struct output output;
};

static uint64_t clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

/* False if a signal ended it. */
static bool sleep_until(uint64_t when)
{
	struct timespec until = { .tv_sec = (time_t)(when / NS_A_SECOND), .tv_nsec = (long)(when % NS_A_SECOND) };
	while (!interrupted_by())
		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != EINTR)
			break;
	return !interrupted_by();
}

/* What it is called now; symbols that were read once are kept. */
static void rename_by(struct record *record, const struct vmsnap *snap)
{
	struct vmsnap_error err;
	if (record->names && vmsnap_names_rebind(record->names, snap, &err)) {
		vmsnap_names_free(record->names);
		record->names = NULL;
	} else if (!record->names) {
		record->names = names_quiet(record->options, snap);
	}
	if (record->names)
		vmsnap_names_set_demangled(record->names, !record->options->no_demangle);
}

/* Its files are opened with no more right than the user has. */
static int print_round(struct record *record, const struct vmsnap *snap)
{
	struct vmsnap_error err;
	privilege_pause();
	rename_by(record, snap);
	int rc = vmsnap_print_written(snap, record->names, &record->output.to, &err);
	bool written = output_flush(&record->output);
	privilege_resume();
	if (!written)
		return STATUS_PIPE_CLOSED; /* output_finish() tells */
	if (vmsnap_tracker_tracking(record->tracker) == VMSNAP_TRACKING_DISTURBED)
		say("somebody else has cleared soft-dirty bits: what was written until now is not known");
	return rc ? trouble_with(NULL, &err) : STATUS_OK;
}

static int look(struct record *record, struct vmsnap **snap)
{
	struct vmsnap_error err;
	int rc = vmsnap_tracker_look(record->tracker, snap, &err);
	if (rc == VMSNAP_ERR_EXITED || rc == VMSNAP_ERR_NO_PROCESS || rc == VMSNAP_ERR_ZOMBIE) {
		say("%s", err.message);
		return STATUS_DIFFERENT;
	}
	return rc ? trouble_with(NULL, &err) : STATUS_OK;
}

/* STATUS_DIFFERENT: the process has ended, and there is nothing more to tell. */
static int one_round(struct record *record)
{
	struct vmsnap *snap;
	int status = look(record, &snap);
	if (status)
		return status;
	status = print_round(record, snap);
	vmsnap_unref(snap);
	return status;
}

static int all_rounds(struct record *record)
{
	uint64_t every = record->options->every ? record->options->every : NS_A_SECOND;
	struct vmsnap *first;
	int status = look(record, &first); /* it arms */
	if (status)
		return status;
	vmsnap_unref(first);
	uint64_t next = clock_now(), end = record->options->lasts ? next + record->options->lasts : UINT64_MAX;
	while (!status && next < end) {
		/* One that took longer than it should have is not made up for. */
		next = next + every > clock_now() ? next + every : clock_now() + every;
		next = next < end ? next : end;
		if (!sleep_until(next))
			break;
		status = one_round(record);
	}
	return status;
}

static int record_process(const struct options *options, pid_t pid)
{
	struct record record = { .options = options };
	int status = tracker_open(options, pid, &record.tracker);
	if (status)
		return status;
	output_init(&record.output, options);
	interrupts_notice();
	status = all_rounds(&record);
	vmsnap_tracker_free(record.tracker);
	privilege_drop();
	vmsnap_names_free(record.names);
	int written = output_finish(&record.output, VMSNAP_OK, NULL);
	/* Ctrl-C is how it is ended, and so is its process's end. */
	if (status == STATUS_DIFFERENT || status == STATUS_PIPE_CLOSED)
		status = STATUS_OK;
	return status ? status : written;
}

int cmd_record(const struct options *options)
{
	struct processes processes = { 0 };
	int status = processes_parse(options->operands, options->operand_count, &processes);
	if (!status && !options->track)
		status = trouble("record: without --track there is nothing to tell: it prints what a process writes "
		                 "(--track, or --track=uffd)");
	if (!status)
		status = record_process(options, processes.pids[0]);
	processes_free(&processes);
	return status;
}
