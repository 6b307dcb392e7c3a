/* vmsnap record: a process over time, into a file; or what it writes, printed. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "descendants.h"
#include "descriptor_limit.h"
#include "interrupt.h"
#include "names.h"
#include "privilege.h"
#include "record.h"
#include "say.h"
#include "track_arg.h"

/* ---- what the words mean ---- */

/* What can only be done with a file to write to. */
static const char *needs_file(const struct record *record)
{
	const struct options *options = record->options;
	return options->on                                   ? "--on"
	       : options->rotate                             ? "--rotate"
	       : options->hash                               ? "--hash"
	       : options->contents                           ? "--contents"
	       : options->tree                               ? "--tree"
	       : options->blame                              ? "--blame"
	       : options->max_pause                          ? "--max-pause"
	       : options->exclude.count || options->undumped ? "--exclude"
	                                                     : NULL;
}

static int check_file(const struct options *options)
{
	if (options->json)
		return trouble(
		        "record: --json is for the rounds of --track without -o; vmsnap list --json tells what is "
		        "in a file");
	if (options->file && !*options->file)
		return trouble("record: --output needs the name of a file");
	if (!options->file || strcmp(options->file, "-") != 0)
		return STATUS_OK;
	if (options->rotate)
		return trouble("record: --rotate needs a file, not standard output");
	if (isatty(STDOUT_FILENO))
		return trouble(
		        "record: standard output is a terminal, and a snapshot is not text; send it to a file or a "
		        "pipe");
	return STATUS_OK;
}

static int check_words(const struct record *record)
{
	const struct options *options = record->options;
	bool rounds = options->track && !options->file;
	if (rounds && needs_file(record))
		return trouble("record: --track without -o prints what is written; with %s say where snapshots go: "
		               "-o FILE",
		               needs_file(record));
	if (options->track && options->tree)
		return trouble("record: --track tracks one process, and no --tree");
	if (options->max_files && !options->rotate)
		return trouble("record: --max-files is about --rotate");
	return rounds ? STATUS_OK : check_file(options);
}

/* Of PROC and COMMAND there must be one. */
static int choose(struct record *record)
{
	const struct options *options = record->options;
	if (options->operand_count > options->plain_count)
		record->command.words = options->operands + options->plain_count;
	if (record->command.words && !options->plain_count && !processes_were_found(options))
		return STATUS_OK;
	if (!options->plain_count && !processes_were_found(options))
		return trouble("record: of which process? Its number, as in vmsnap record 1234, or --match NAME, or "
		               "--cgroup PATH; or -- COMMAND, which is started. See 'vmsnap record --help'.");
	int status = processes_choose(options, &record->chosen);
	if (!status && options->track && record->chosen.count > 1)
		status = trouble("record: --track tracks one process");
	return status;
}

/* ---- the beginning ---- */

static int begin_command(struct record *record)
{
	return record->command.words ? command_prepare(&record->command) : STATUS_OK;
}

static bool records_command(const struct record *record)
{
	return record->command.words && !record->chosen.count;
}

static int add_all(struct record *record)
{
	int status = records_command(record) ? record_add(record, record->command.pid) : STATUS_OK;
	for (size_t i = 0; !status && i < record->chosen.count; i++)
		status = record_add(record, record->chosen.pids[i]);
	return status;
}

/* With the rights of who asks only: what stands because of us stands for as long as they like (SIGSTOP). */
static int watch_each(struct record *record, const pid_t *pids, size_t count)
{
	struct vmsnap_error err;
	int rc = VMSNAP_OK;
	privilege_pause();
	for (size_t i = 0; !rc && i < count; i++)
		rc = vmsnap_watch_add(record->watch, pids[i], &err);
	privilege_resume();
	return rc ? trouble_with_process("record: --on", &err) : STATUS_OK;
}

/* Those of all its threads, and theirs.  One may have ended by now. */
static int watch_descendants(struct record *record)
{
	struct vmsnap **snaps;
	size_t count;
	struct vmsnap_error err;
	int status = descendants_find(&record->chosen, "record: --tree", &snaps, &count);
	if (status)
		return status;
	for (size_t i = record->chosen.count; !status && i < count; i++) {
		privilege_pause();
		int rc = vmsnap_watch_add(record->watch, (pid_t)vmsnap_info(snaps[i])->pid, &err);
		privilege_resume();
		if (rc == VMSNAP_ERR_PERMISSION)
			status = trouble_with_process("record: --tree", &err);
	}
	vmsnap_unref_all(snaps, count);
	return status;
}

static int begin_watch(struct record *record)
{
	struct vmsnap_error err;
	const struct event_arg *on = &record->on;
	if (!on->fork && !on->exec && !on->exit)
		return STATUS_OK;
	unsigned flags = VMSNAP_WATCH_EXIT | (on->fork ? VMSNAP_WATCH_FORK : 0u) | (on->exec ? VMSNAP_WATCH_EXEC : 0u) |
	                 (record->options->tree ? VMSNAP_WATCH_CHILDREN : 0u);
	if (vmsnap_watch_new(flags, &record->watch, &err))
		return trouble_with_process(NULL, &err);
	if (records_command(record))
		return watch_each(record, &record->command.pid, 1);
	int status = watch_each(record, record->chosen.pids, record->chosen.count);
	return status || !record->options->tree ? status : watch_descendants(record);
}

static pid_t first_pid(const struct record *record)
{
	return records_command(record) ? record->command.pid : record->chosen.pids[0];
}

static int begin_tracking(struct record *record)
{
	return record->options->track ? tracker_open(record->options, first_pid(record), &record->tracker) : STATUS_OK;
}

/* Those that were forked while the watch began: what they fork from now on is watched with them. */
static int add_descendants(const struct record *record)
{
	struct processes all = { .count = 0 };
	int status = STATUS_OK;
	for (size_t i = 0; !status && i < record->chosen.count; i++)
		status = processes_add_pid(&all, record->chosen.pids[i]);
	status = status ? status : processes_add_descendants(&all, "record: --blame");
	for (size_t i = 0; !status && i < all.count; i++)
		status = record_blame_add(record->blame, all.pids[i]);
	processes_free(&all);
	return status;
}

static int begin_blame(struct record *record)
{
	struct processes all = { .count = 0 };
	int status = STATUS_OK;
	if (!record->options->blame)
		return status;
	if (records_command(record))
		status = processes_add_pid(&all, record->command.pid);
	for (size_t i = 0; !status && i < record->chosen.count; i++)
		status = processes_add_pid(&all, record->chosen.pids[i]);
	status = status ? status : record_blame_open(record->options, all.pids, all.count, &record->blame);
	if (!status && record->options->tree && !records_command(record))
		status = add_descendants(record);
	processes_free(&all);
	return status;
}

static int begin_file(struct record *record, char usual[64])
{
	const struct options *options = record->options;
	if (options->track && !options->file)
		return STATUS_OK;
	snprintf(usual, 64, "vmsnap-%d.vms", (int)first_pid(record));
	record->path = options->file ? options->file : usual;
	const struct record_file_options how = {
		.path = record->path, .rotate = options->rotate, .max_files = options->max_files, .blame = record->blame
	};
	int status = contents_parse(options, record->path, &record->contents);
	status = status ? status : record_file_open(&how, &record->file);
	/* Rights that were lent are for page states: what pages hold is read with those of who asks. */
	if (!status && record->contents.wanted)
		privilege_drop();
	return status;
}

/* A userfaultfd is made before we trace, and of a program that is there.  The command waits until it is watched. */
static int begin(struct record *record, char usual[64])
{
	int status = begin_command(record);
	status = status ? status : begin_blame(record);
	status = status ? status : begin_file(record, usual);
	bool starts = records_command(record);
	status = status || starts ? status : begin_tracking(record);
	status = status ? status : add_all(record);
	status = status ? status : begin_watch(record);
	if (!status && record->command.words)
		status = command_start(&record->command);
	return status || !starts ? status : begin_tracking(record);
}

/* ---- the end ---- */

static int finish_rounds(struct record *record, int status)
{
	vmsnap_tracker_free(record->tracker);
	privilege_drop();
	vmsnap_names_free(record->names);
	int written =
	        record->file || !record->options->track ? STATUS_OK : output_finish(&record->output, VMSNAP_OK, NULL);
	return status == STATUS_OK || status == STATUS_PIPE_CLOSED ? written : status;
}

/* Ctrl-C is how it is ended, and so is its process's end; what a command gives is passed on. */
static int finish(struct record *record, int status)
{
	bool well = status == STATUS_OK || status == RECORD_OVER || status == STATUS_PIPE_CLOSED;
	vmsnap_watch_free(record->watch);
	status = finish_rounds(record, well ? STATUS_OK : status);
	record_line_clear(record);
	int written = record_file_finish(record->file);
	record_summary(record);
	record_file_free(record->file);
	record_blame_close(record->blame);
	record->blame = NULL;
	return status ? status : written;
}

static void release(struct record *record)
{
	for (size_t i = 0; i < record->process_count; i++)
		if (!record->processes[i].ended && record->processes[i].pidfd >= 0)
			close(record->processes[i].pidfd);
	free(record->processes);
	processes_free(&record->chosen);
	contents_release(&record->contents);
}

/* Whoever waits for its command's end, after the recording's, waits for no more than that. */
static int end_command(struct record *record, int status)
{
	struct record_command *command = &record->command;
	if (!command->words || (!command->pid && !command->ended))
		return status;
	/* That what was to be recorded has ended is no reason to end what was to be done meanwhile. */
	bool over = interrupted_by() || status || record_living(record);
	command_finish(command, over);
	return status ? status : command->ended ? command->status : 128 + interrupted_by();
}

/* Each snapshot takes as much memory as the one before it, for a moment: what malloc gives back to the kernel between
 * them comes back by a page fault for each page, a fourth of what a recording costs.  One arena, as threads come and
 * go. */
static void keep_memory(void)
{
#ifdef __GLIBC__
	enum { KEPT_MOST = 64 << 20, KEPT_ONE_MOST = 32 << 20 /* glibc takes no more */ };
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_MMAP_THRESHOLD, KEPT_ONE_MOST);
	(void)mallopt(M_TRIM_THRESHOLD, KEPT_MOST);
#endif
}

int cmd_record(const struct options *options)
{
	struct record *record = calloc(1, sizeof(*record)); /* it has buffers */
	char usual[64];
	if (!record)
		return trouble("out of memory");
	record->options = options;
	keep_memory();
	int status = check_words(record);
	status = status ? status : events_parse(options, &record->on);
	status = status ? status : choose(record);
	if (!status) {
		output_init(&record->output, options);
		interrupts_notice();
		record_notice_children();
		status = begin(record, usual);
		descriptor_limit_raise();
		status = status ? status : record_loop(record);
		status = finish(record, status);
		status = end_command(record, status);
	}
	release(record);
	free(record);
	return status;
}
