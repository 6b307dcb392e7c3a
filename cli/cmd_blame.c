/* vmsnap blame: page faults, watched for a while, and what became of the pages. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blame_file.h"
#include "blame_untold.h"
#include "capture_flags.h"
#include "commands.h"
#include "descendants.h"
#include "descriptor_limit.h"
#include "interrupt.h"
#include "names.h"
#include "output.h"
#include "privilege.h"
#include "process_choose.h"
#include "process_find.h"
#include "record_command.h"
#include "say.h"
#include "track_arg.h"
#include "vmsnap.h"

struct snaps {
	struct vmsnap **items;
	size_t count;
};
struct blaming {
	const struct options *options;
	int by;
	struct processes chosen, watched; /* watched: and their descendants */
	struct record_command command;
	bool starts;                /* the command is what is watched */
	struct vmsnap_watch *watch; /* of the command: it stands when it ends */
	struct vmsnap_fault_watch *faults;
	struct vmsnap_tracker *tracker;
	struct snaps before, after;
	uint64_t ticks; /* from boot until all were watched; as start times are counted */
	struct untold_births untold;
	bool over;
};

/* ---- what the words mean ---- */

static int by_of(const struct options *options, int *by)
{
	*by = VMSNAP_BLAME_BY_FUNCTION;
	for (int i = 0; options->by && i < VMSNAP_BLAME_BY_COUNT; i++) {
		*by = i;
		if (!strcmp(options->by, vmsnap_blame_by_name(i)))
			return STATUS_OK;
	}
	return !options->by
	               ? STATUS_OK
	               : trouble("blame: --by takes function, line, mapping, variable, page, thread or stack, not '%s'",
	                         options->by);
}

static int choose(struct blaming *blaming)
{
	const struct options *options = blaming->options;
	if (options->operand_count > options->plain_count)
		blaming->command.words = options->operands + options->plain_count;
	blaming->starts = blaming->command.words && !options->plain_count && !processes_were_found(options);
	if (!blaming->starts && !options->plain_count && !processes_were_found(options))
		return trouble(
		        "blame: of which process? Its number, as in vmsnap blame 1234, or --match NAME, or --cgroup "
		        "PATH; or -- COMMAND, which is started. See 'vmsnap blame --help'.");
	if (options->track && blaming->starts)
		return trouble(
		        "blame: --track is for a process that is there; of a command that starts all pages are new");
	int status = blaming->starts ? STATUS_OK : processes_choose(options, &blaming->chosen);
	if (!status && options->track && blaming->chosen.count > 1)
		status = trouble("blame: --track tracks one process");
	return status;
}

/* ---- snapshots ---- */

static int capture(const struct blaming *blaming, const pid_t *pids, size_t count, unsigned more, struct snaps *out,
                   struct vmsnap_error *err)
{
	const struct options *options = blaming->options;
	struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = capture_flags(options) | more,
		.tracker = blaming->tracker,
	};
	return vmsnap_capture_set(pids, count, &how, &out->items, &out->count, err);
}

static bool lives(pid_t pid)
{
	struct vmsnap_process now = { .size = sizeof(now) };
	return !vmsnap_process_now(pid, &now, NULL) && now.state != 'Z' && now.state != 'X';
}

/* Those that were chosen, and what they have forked meanwhile, as far as they are there. */
static int find_living(const struct blaming *blaming, struct processes *living)
{
	const struct vmsnap_fault_event *event;
	int status = STATUS_OK;
	if (blaming->starts && lives(blaming->command.pid))
		status = processes_add_pid(living, blaming->command.pid);
	for (size_t i = 0; !status && i < blaming->before.count; i++) {
		pid_t pid = (pid_t)vmsnap_info(blaming->before.items[i])->pid;
		if (lives(pid))
			status = processes_add_pid(living, pid);
	}
	for (size_t i = 0; !status && (event = vmsnap_fault_watch_event(blaming->faults, i)); i++)
		if (event->kind == VMSNAP_FAULT_EVENT_FORK && lives(event->child))
			status = processes_add_pid(living, event->child);
	return status;
}

static int capture_living(struct blaming *blaming, struct processes *living, int *rc, struct vmsnap_error *err)
{
	int status = untold_births(blaming->faults, living, blaming->ticks, &blaming->untold, rc);
	if (!status && !*rc)
		*rc = capture(blaming, living->pids, living->count, 0, &blaming->after, err);
	return status;
}

/* Such come and go: who is gone by then is looked for anew. */
static int capture_after(struct blaming *blaming)
{
	enum { ROUNDS = 8 };
	struct vmsnap_error err = { .code = VMSNAP_OK };
	int status = STATUS_OK, rc = VMSNAP_ERR_EXITED;
	for (int round = 0; rc && !status && round < ROUNDS; round++) {
		struct processes living = { .count = 0 };
		status = find_living(blaming, &living);
		rc = VMSNAP_OK;
		if (!status && living.count)
			status = capture_living(blaming, &living, &rc, &err);
		processes_free(&living);
		if (rc && !blamed_is_gone(rc))
			return trouble_with_process(NULL, &err);
	}
	return status;
}

/* ---- the begin ---- */

static int open_faults(struct blaming *blaming, const pid_t *pids, size_t count)
{
	/* Who called is asked for by --by stack, and by what is made of a file: flame graphs. */
	struct vmsnap_fault_watch_options how = {
		.size = sizeof(how), .frames = blaming->by == VMSNAP_BLAME_BY_STACK || blaming->options->save ? 0 : 1
	};
	struct vmsnap_error err;
	return vmsnap_fault_watch_open(pids, count, &how, &blaming->faults, &err) ? trouble_with_process("blame", &err)
	                                                                          : STATUS_OK;
}

/* What they fork from now on is watched with them. */
static int watch_descendants(struct blaming *blaming)
{
	struct vmsnap_error err;
	int status = processes_add_descendants(&blaming->watched, "blame");
	for (size_t i = 0; !status && i < blaming->watched.count; i++)
		if (vmsnap_fault_watch_add(blaming->faults, blaming->watched.pids[i], &err) &&
		    !blamed_is_gone(err.code))
			status = trouble_with_process("blame", &err);
	return status;
}

/* Faults first, so that none is missed between the snapshot and them. */
static int begin_of_processes(struct blaming *blaming)
{
	const struct options *options = blaming->options;
	struct vmsnap_error err;
	int status = options->track ? tracker_open(options, blaming->chosen.pids[0], &blaming->tracker) : STATUS_OK;
	for (size_t i = 0; !status && i < blaming->chosen.count; i++)
		status = processes_add_pid(&blaming->watched, blaming->chosen.pids[i]);
	status = status ? status : open_faults(blaming, blaming->chosen.pids, blaming->chosen.count);
	if (!status && options->tree)
		status = watch_descendants(blaming);
	if (!status && capture(blaming, blaming->chosen.pids, blaming->chosen.count, 0, &blaming->before, &err))
		status = trouble_with_process(NULL, &err);
	return status;
}

static void on_child(int number)
{
	(void)number;
}

/* It stands when it ends, for the snapshot: that takes its tracer. */
static int watch_command(struct blaming *blaming)
{
	struct sigaction action = { .sa_handler = on_child };
	struct vmsnap_error err;
	sigaction(SIGCHLD, &action, NULL); /* ends a wait */
	if (vmsnap_watch_new(VMSNAP_WATCH_EXIT, &blaming->watch, &err) ||
	    vmsnap_watch_add(blaming->watch, blaming->command.pid, &err))
		return trouble_with_process("blame", &err);
	return STATUS_OK;
}

static int begin(struct blaming *blaming)
{
	int status = blaming->command.words ? command_prepare(&blaming->command) : STATUS_OK;
	if (!status && blaming->starts)
		status = watch_command(blaming);
	if (!status)
		status = blaming->starts ? open_faults(blaming, &blaming->command.pid, 1) : begin_of_processes(blaming);
	const char *remark = status ? NULL : vmsnap_fault_watch_remark(blaming->faults);
	if (remark)
		say("blame: %s", remark);
	blaming->ticks = ticks_now();
	return !status && blaming->command.words ? command_start(&blaming->command) : status;
}

/* ---- meanwhile ---- */

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int look_at_command(struct blaming *blaming)
{
	struct vmsnap_watch_event event;
	struct vmsnap_error err;
	int status = STATUS_OK, rc = VMSNAP_END;
	while (!status && !blaming->over && !(rc = vmsnap_watch_next(blaming->watch, &event, &err))) {
		if (event.kind == VMSNAP_WATCH_EXIT && event.pid == blaming->command.pid) {
			status = capture_after(blaming);
			vmsnap_fault_watch_stop(blaming->faults);
			blaming->over = true;
		}
		vmsnap_watch_go(blaming->watch);
	}
	return !status && rc && rc != VMSNAP_END ? trouble_with_process(NULL, &err) : status;
}

static bool any_lives(struct blaming *blaming)
{
	for (size_t i = 0; i < blaming->watched.count; i++)
		if (lives(blaming->watched.pids[i]))
			return true;
	return blaming->starts && !command_has_ended(&blaming->command);
}

static int loop(struct blaming *blaming)
{
	enum { LOOK_MS = 20, FOREVER_S = 1 };
	uint64_t end = blaming->options->lasts ? now_ns() + blaming->options->lasts : UINT64_MAX;
	struct vmsnap_error err;
	int status = STATUS_OK;
	while (!status && !blaming->over) {
		uint64_t now = now_ns(), left = now < end ? (end - now) / 1000000 : 0;
		if (vmsnap_fault_watch_read(blaming->faults, left < LOOK_MS ? (int)left : LOOK_MS, &err))
			return trouble_with_process("blame", &err);
		if (blaming->watch)
			status = look_at_command(blaming);
		bool ended = !blaming->starts && blaming->command.words && command_has_ended(&blaming->command);
		if (interrupted_by() || ended || now_ns() >= end || !any_lives(blaming))
			break;
	}
	return status;
}

/* ---- the end ---- */

static int finish_watching(struct blaming *blaming)
{
	int status = STATUS_OK;
	if (!blaming->over) {
		if (blaming->watch)
			vmsnap_watch_stop(blaming->watch, NULL);
		status = capture_after(blaming);
		vmsnap_fault_watch_stop(blaming->faults);
		if (blaming->watch)
			vmsnap_watch_go(blaming->watch);
	}
	vmsnap_watch_free(blaming->watch);
	blaming->watch = NULL;
	vmsnap_tracker_free(blaming->tracker);
	blaming->tracker = NULL;
	return status;
}

/* Later ones last. */
static const struct vmsnap **all_snaps(const struct blaming *blaming)
{
	const struct vmsnap **all = calloc(blaming->before.count + blaming->after.count + 1, sizeof(*all));
	for (size_t i = 0; all && i < blaming->before.count; i++)
		all[i] = blaming->before.items[i];
	for (size_t i = 0; all && i < blaming->after.count; i++)
		all[blaming->before.count + i] = blaming->after.items[i];
	return all;
}

static int name_faults(const struct blaming *blaming, struct vmsnap_names *names, struct vmsnap_faults **faults)
{
	const struct vmsnap **all = all_snaps(blaming);
	const struct vmsnap_fault_event *events = vmsnap_fault_watch_event(blaming->faults, 0);
	size_t count = 0;
	struct vmsnap_faults *named;
	struct vmsnap_error err;
	while (vmsnap_fault_watch_event(blaming->faults, count))
		count++;
	int rc = all ? vmsnap_faults_name(*faults, all, blaming->before.count + blaming->after.count, events, count,
	                                  names, &named, &err)
	             : VMSNAP_OK;
	free(all);
	if (!rc && all) {
		vmsnap_faults_unref(*faults);
		*faults = named;
	}
	return rc ? trouble_with("blame", &err) : STATUS_OK;
}

static int print(const struct blaming *blaming, const struct vmsnap_blame *blame, struct vmsnap_names *names)
{
	const struct options *options = blaming->options;
	struct vmsnap_error err;
	struct output output;
	output_init(&output, options);
	int rc = vmsnap_print_blame(blame, blaming->by, names, options->long_rows ? VMSNAP_PRINT_LONG : 0, &output.to,
	                            &err);
	return output_finish(&output, rc, &err);
}

static int tell(const struct blaming *blaming, struct vmsnap_faults *faults, struct vmsnap_names *names)
{
	const struct vmsnap_fault_event *events = vmsnap_fault_watch_event(blaming->faults, 0);
	struct vmsnap_blame_options how = { .size = sizeof(how), .cancelled = was_interrupted, .events = events };
	struct vmsnap_blame *blame;
	struct vmsnap_error err;
	how.cancelled = NULL; /* Ctrl-C is how it is ended */
	while (vmsnap_fault_watch_event(blaming->faults, how.event_count))
		how.event_count++;
	if (vmsnap_blame_new((const struct vmsnap *const *)blaming->before.items, blaming->before.count,
	                     (const struct vmsnap *const *)blaming->after.items, blaming->after.count, faults, &how,
	                     &blame, &err))
		return trouble_with("blame", &err);
	if (!blaming->after.count)
		say("blame: it has ended; what became of its pages is not known");
	say_untold_births(&blaming->untold);
	say_gained_rights(blaming->faults, blaming->after.items, blaming->after.count);
	int status = print(blaming, blame, names);
	vmsnap_blame_free(blame);
	return status;
}

static int keep(const struct blaming *blaming, const struct vmsnap_faults *faults)
{
	return blame_save(blaming->options->save, blaming->before.items, blaming->before.count, blaming->after.items,
	                  blaming->after.count, faults);
}

static int report(struct blaming *blaming)
{
	const struct vmsnap *any = blaming->after.count    ? blaming->after.items[0]
	                           : blaming->before.count ? blaming->before.items[0]
	                                                   : NULL;
	struct vmsnap_faults *faults;
	struct vmsnap_error err;
	if (vmsnap_fault_watch_take(blaming->faults, &faults, &err))
		return trouble_with("blame", &err);
	privilege_drop();
	struct vmsnap_names *names = any ? names_open(blaming->options, any) : NULL;
	int status = names ? name_faults(blaming, names, &faults) : STATUS_OK;
	status = status ? status : tell(blaming, faults, names);
	/* What is told is worth something where it cannot be kept, too. */
	if (!status && blaming->options->save)
		status = keep(blaming, faults);
	names_close(names);
	vmsnap_faults_unref(faults);
	return status;
}

static void release(struct blaming *blaming)
{
	vmsnap_watch_free(blaming->watch);
	vmsnap_tracker_free(blaming->tracker);
	vmsnap_fault_watch_close(blaming->faults);
	vmsnap_unref_all(blaming->before.items, blaming->before.count);
	vmsnap_unref_all(blaming->after.items, blaming->after.count);
	processes_free(&blaming->chosen);
	processes_free(&blaming->watched);
}

int cmd_blame(const struct options *options)
{
	struct blaming blaming = { .options = options };
	int status = by_of(options, &blaming.by);
	bool file = options->operand_count == 1 && !word_is_process(options->operands[0]) && options->plain_count;
	if (!status && file)
		return options->save || options->track || options->lasts
		               ? trouble("blame: --save, --track and --for are for processes, and %s is a file",
		                         options->operands[0])
		               : blame_of_file(options, options->operands[0], blaming.by);
	status = status ? status : choose(&blaming);
	if (!status) {
		interrupts_notice();
		descriptor_limit_raise();
		status = begin(&blaming);
		status = status ? status : loop(&blaming);
		if (!status)
			status = finish_watching(&blaming);
		if (!status)
			status = report(&blaming);
		if (status) {
			vmsnap_watch_free(blaming.watch); /* lets the command go, which may stand at its end */
			blaming.watch = NULL;
		}
		command_finish(&blaming.command, interrupted_by() || status || !blaming.over);
		if (!status && blaming.command.ended)
			status = blaming.command.status;
	}
	release(&blaming);
	return status;
}
