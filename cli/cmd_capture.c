/* vmsnap capture: take, save, say what was saved. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture_flags.h"
#include "commands.h"
#include "contents_arg.h"
#include "descriptor_limit.h"
#include "interrupt.h"
#include "output.h"
#include "privilege.h"
#include "process_choose.h"
#include "say.h"
#include "size_text.h"
#include "track_arg.h"

/* Descendants of which there is no snapshot. */
struct left_out {
	pid_t pids[8]; /* the first of them */
	size_t count;
};

struct captured {
	struct vmsnap **snaps;
	size_t count;
	struct left_out zombies, ended;
	struct contents_arg contents;
	struct vmsnap_tracker *tracker;
};

/* ---- taking ---- */

static void note_left_out(void *ctx, pid_t pid, int why)
{
	struct captured *captured = ctx;
	struct left_out *left_out = why == VMSNAP_ERR_ZOMBIE ? &captured->zombies : &captured->ended;
	if (left_out->count < sizeof(left_out->pids) / sizeof(left_out->pids[0]))
		left_out->pids[left_out->count] = pid;
	left_out->count++;
}

/* Soft-dirty bits are the kernel's, and stay when we end: they are since the last snapshot of that process in the
 * file, if that was tracked. */
static void resume_tracking(struct vmsnap_tracker *tracker, const char *path, pid_t pid)
{
	struct vmsnap_file *file;
	struct vmsnap *last = NULL;
	struct vmsnap_error err;
	char which[32];
	size_t index;
	if (vmsnap_file_open(path, NULL, &file, &err))
		return;
	snprintf(which, sizeof(which), "pid:%d", (int)pid);
	if (!vmsnap_file_find(file, which, &index, &err) && !vmsnap_file_load(file, index, &last, &err))
		(void)vmsnap_tracker_resume(tracker, last, &err);
	vmsnap_unref(last);
	vmsnap_file_close(file);
}

static int start_tracking(const struct options *options, const struct processes *processes, const char *path,
                          struct captured *captured)
{
	int how, status = track_how(options, &how);
	if (status)
		return status;
	if (processes->count > 1 || options->tree)
		return trouble("capture: --track tracks one process");
	/* What pages hold is copied before the pause, and the tracker tells what was written since. */
	if (how == VMSNAP_WRITTEN_UFFD && !captured->contents.wanted)
		return trouble(
		        "capture: a userfaultfd tracks only as long as somebody holds it, and this command ends: "
		        "vmsnap record --track=uffd %d tells what is written meanwhile",
		        (int)processes->pids[0]);
	status = tracker_open(options, processes->pids[0], &captured->tracker);
	if (!status && options->append)
		resume_tracking(captured->tracker, path, processes->pids[0]);
	return status;
}

static int take_once(const struct options *options, const struct processes *processes, struct captured *captured,
                     struct vmsnap_error *err)
{
	struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = capture_flags(options) | (options->smaps ? VMSNAP_CAPTURE_SMAPS : 0u) |
		         (options->kpage ? VMSNAP_CAPTURE_KPAGE | VMSNAP_CAPTURE_NODES : 0u),
		.threads = options->threads,
		.label = options->label,
		.cancelled = was_interrupted,
		.left_out = note_left_out,
		.left_out_ctx = captured,
		.tracker = captured->tracker,
	};
	contents_apply(&captured->contents, &how);
	if (options->tree || processes->count > 1)
		descriptor_limit_raise();
	return vmsnap_capture_set(processes->pids, processes->count, &how, &captured->snaps, &captured->count, err);
}

/* Those that were found by name or group may have ended since: who is there now is taken then. */
static int take(const struct options *options, struct processes *processes, struct captured *captured)
{
	struct vmsnap_error err;
	int status = STATUS_OK, rc = take_once(options, processes, captured, &err);
	for (int again = 0; again < 10 && processes_may_have_gone(options, rc); again++) {
		processes_free(processes);
		status = processes_choose(options, processes);
		if (status)
			return status;
		captured->zombies.count = captured->ended.count = 0;
		rc = take_once(options, processes, captured, &err);
	}
	if (rc == VMSNAP_ERR_CANCELLED && interrupted_by())
		return 128 + interrupted_by();
	return rc ? trouble_with_process(NULL, &err) : STATUS_OK;
}

/* ---- saving ---- */

static bool to_output(const char *path)
{
	return !strcmp(path, "-");
}

static int save_to_output(const struct vmsnap *const *snaps, size_t count)
{
	struct vmsnap_error err;
	if (!vmsnap_write_fd(STDOUT_FILENO, snaps, count, &err))
		return STATUS_OK;
	if (err.sys_errno == EPIPE)
		return STATUS_PIPE_CLOSED;
	return trouble_with("standard output", &err);
}

/* Not standard output, nor a pipe or device that was written to. */
static bool is_regular(const char *path, struct stat *st)
{
	return !to_output(path) && !stat(path, st) && S_ISREG(st->st_mode);
}

static int save(const struct options *options, const char *path, const struct captured *captured)
{
	/* A pointer to pointers does not become const by itself in C. */
	const struct vmsnap *const *snaps = (const struct vmsnap *const *)captured->snaps;
	struct vmsnap_error err;
	if (to_output(path))
		return save_to_output(snaps, captured->count);
	unsigned flags = VMSNAP_SAVE_INTERRUPTIBLE | (options->append ? VMSNAP_SAVE_APPEND : 0u) |
	                 (options->delta ? VMSNAP_SAVE_DELTA : 0u);
	int rc = vmsnap_save(path, snaps, captured->count, flags, &err);
	if (rc == VMSNAP_ERR_CANCELLED && interrupted_by())
		return 128 + interrupted_by();
	if (rc)
		return trouble_with(path, &err);
	if (err.code)
		say("warning: %s", err.message);
	return STATUS_OK;
}

/* ---- telling ---- */

/* What is resident: of several processes each frame once.  What is hidden counts for each process, as
 * tell_doubts() says. */
static uint64_t resident_bytes(const struct captured *captured)
{
	const struct vmsnap *const *snaps = (const struct vmsnap *const *)captured->snaps;
	struct vmsnap_set_sums sums = { 0 };
	struct vmsnap_set *set;
	if (captured->count == 1 || vmsnap_set_new(snaps, captured->count, &set, NULL)) {
		struct vmsnap_sums own;
		vmsnap_sum(snaps[0], 0, UINT64_MAX, &own);
		return own.resident;
	}
	bool known = !vmsnap_set_sums(set, &sums, NULL);
	vmsnap_set_free(set);
	return known ? sums.distinct + sums.hidden : 0;
}

/* One address space counts once. */
static bool has_memory_of_earlier(const struct captured *captured, size_t index)
{
	const struct vmsnap_info *info = vmsnap_info(captured->snaps[index]);
	for (size_t i = 0; info->memory_with_count && i < index; i++)
		if (vmsnap_relation(captured->snaps[i], captured->snaps[index]) == VMSNAP_RELATION_ONE_ADDRESS_SPACE)
			return true;
	return false;
}

/* "paused 0.4 ms": for as long as the one that stood longest. */
static const char *pause_text(const struct captured *captured, char text[64])
{
	uint64_t pause = 0;
	bool held = true;
	for (size_t i = 0; i < captured->count; i++) {
		const struct vmsnap_info *info = vmsnap_info(captured->snaps[i]);
		pause = info->pause > pause ? info->pause : pause;
		held &= info->freeze == VMSNAP_FREEZE_DEBUGGER;
	}
	if (pause)
		snprintf(text, 64, "paused %.*f ms", pause < 100000 ? 3 : 1, (double)pause / 1e6);
	else
		snprintf(text, 64, held ? "not paused: held by a debugger" : "not paused");
	return text;
}

static void tell_saved(const struct options *options, const char *path, const struct captured *captured)
{
	char resident[16], on_disk[16], kept[16], contents[64] = "", file[64] = "", processes[64] = "", pause[64];
	char read_then[64] = "";
	size_t vmas = 0;
	uint64_t bytes = 0, copied = 0;
	struct stat st;
	for (size_t i = 0; i < captured->count; i++)
		vmas += has_memory_of_earlier(captured, i) ? 0 : vmsnap_vma_count(captured->snaps[i]);
	for (size_t i = 0; i < captured->count; i++) {
		bytes += vmsnap_contents_bytes(captured->snaps[i]);
		copied += vmsnap_info(captured->snaps[i])->contents_copied;
	}
	if (copied && bytes > copied)
		snprintf(read_then, sizeof(read_then), ", in which %s of them were read",
		         size_text(bytes - copied, kept));
	else if (copied)
		snprintf(read_then, sizeof(read_then), ", in which none of them were read");
	else if (captured->contents.wanted)
		snprintf(read_then, sizeof(read_then), ", in which what pages hold was read");
	if (captured->contents.wanted)
		snprintf(contents, sizeof(contents), ", %s of %s", options->hash ? "hashes" : "contents",
		         size_text(bytes, kept));
	if (options->tree || captured->count > 1)
		snprintf(processes, sizeof(processes), "%zu process%s, ", captured->count,
		         captured->count == 1 ? "" : "es");
	if (is_regular(path, &st))
		snprintf(file, sizeof(file), ", %s on disk", size_text((uint64_t)st.st_size, on_disk));
	say("%s: %s%zu mappings, %s resident%s%s, %s%s", to_output(path) ? "standard output" : path, processes, vmas,
	    size_text(resident_bytes(captured), resident), contents, file, pause_text(captured, pause), read_then);
}

/* Why what pages hold was not copied before the pause, though it could have been expected. */
static void tell_precopy(const struct captured *captured)
{
	static const char *const words[] = {
		[VMSNAP_PRECOPY_UNSEEN] =
		        "io_uring, direct I/O or a device, of which it has something open, may write to "
		        "its memory unseen",
		[VMSNAP_PRECOPY_LOST] = "what it writes meanwhile could not be told",
	};
	for (size_t i = 0; captured->tracker && i < captured->count; i++) {
		const struct vmsnap_info *info = vmsnap_info(captured->snaps[i]);
		if (info->precopy < sizeof(words) / sizeof(words[0]) && words[info->precopy])
			say("process %" PRIu32 ": what its pages hold was not copied before the pause: %s", info->pid,
			    words[info->precopy]);
	}
}

/* "2 descendants have ended …: 4711, 4712" */
static void tell_left_out(const struct left_out *left_out, const char *one, const char *several)
{
	char pids[128];
	size_t used = 0, named = sizeof(left_out->pids) / sizeof(left_out->pids[0]);
	if (!left_out->count)
		return;
	for (size_t i = 0; i < left_out->count && i < named; i++)
		used += (size_t)snprintf(pids + used, sizeof(pids) - used, "%s%d", i ? ", " : "",
		                         (int)left_out->pids[i]);
	if (left_out->count > named)
		snprintf(pids + used, sizeof(pids) - used, " and %zu more", left_out->count - named);
	say("%zu %s: %s", left_out->count, left_out->count == 1 ? one : several, pids);
}

static size_t count_missed(const struct vmsnap *snap)
{
	size_t missed = 0;
	for (size_t i = 0; i < vmsnap_thread_count(snap); i++)
		missed += vmsnap_thread(snap, i)->missed;
	return missed;
}

static void tell_tracking(const struct captured *captured)
{
	static const char *const words[] = {
		[VMSNAP_TRACKING_ARMED] = "from now on it is known what is written: capture --append --track tells it",
		[VMSNAP_TRACKING_DISTURBED] =
		        "somebody else has cleared soft-dirty bits: what was written until now is not known",
		[VMSNAP_TRACKING_RAN] = "the process could not be stopped: the next snapshot tells what was written "
		                        "since the same time",
	};
	/* A userfaultfd ends with this command. */
	bool lasts = captured->tracker && vmsnap_tracker_how(captured->tracker) != VMSNAP_WRITTEN_UFFD;
	int tracking = lasts ? vmsnap_tracker_tracking(captured->tracker) : VMSNAP_TRACKING_TELLS;
	if (tracking > VMSNAP_TRACKING_TELLS && tracking < (int)(sizeof(words) / sizeof(words[0])))
		say("%s", words[tracking]);
}

/* "process 4711 has one address space with process 4712" */
static void tell_memory(const struct captured *captured)
{
	for (size_t i = 0; i < captured->count; i++) {
		const struct vmsnap_info *info = vmsnap_info(captured->snaps[i]);
		if (!info->memory_with_count || has_memory_of_earlier(captured, i))
			continue;
		char others[40] = "";
		if (info->memory_with_count > 1)
			snprintf(others, sizeof(others), " and %zu others", info->memory_with_count - 1);
		say("process %" PRIu32 " has one address space with process %" PRIu32 "%s", info->pid,
		    info->memory_with[0], others);
	}
}

/* Who traced it while it was read, none of us; 0: nobody did. */
static uint64_t tracer_of(const struct vmsnap *snap)
{
	struct vmsnap_status_field field;
	bool told = vmsnap_info(snap)->freeze == VMSNAP_FREEZE_NONE &&
	            vmsnap_status_find(snap, "TracerPid", &field) == VMSNAP_OK && field.is_number;
	return told ? field.number : 0;
}

static void tell_loose(const struct vmsnap *snap)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	size_t threads = vmsnap_thread_count(snap), missed = count_missed(snap);
	uint64_t tracer = tracer_of(snap);
	if (info->freeze == VMSNAP_FREEZE_PARTIAL && missed)
		say("process %" PRIu32
		    ": %zu of %zu thread%s could not be stopped (vmsnap show tells which): its pages "
		    "may not be of one instant",
		    info->pid, missed, threads, threads == 1 ? "" : "s");
	else if (tracer)
		say("process %" PRIu32 " could not be stopped, as process %" PRIu64
		    " traces it: its pages may not be of one instant",
		    info->pid, tracer);
	else
		say("process %" PRIu32 " could not %sbe stopped: its pages may not be of one instant", info->pid,
		    info->freeze == VMSNAP_FREEZE_PARTIAL ? "wholly " : "");
}

/* What --kpage was to tell and does not. */
static void tell_kpage(const struct vmsnap *snap)
{
	bool flags = vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS);
	bool counts = vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_COUNT),
	     nodes = vmsnap_layer_known(snap, VMSNAP_LAYER_NODE);
	if (flags && counts && nodes)
		return;
	say("process %" PRIu32 ": not known, of what --kpage tells: %s%s%s%s%s%s", vmsnap_info(snap)->pid,
	    flags ? "" : "the kernel's flags of frames", !flags && !counts ? ", " : "",
	    counts ? "" : "how often they are mapped", nodes || (flags && counts) ? "" : ", ",
	    nodes ? "" : "their NUMA nodes", vmsnap_info(snap)->known.pfn ? "" : " (root would know)");
}

/* At most one line about each thing that is not as good as it could be. */
static void tell_doubts(const struct options *options, const struct captured *captured)
{
	bool hidden = false;
	const struct vmsnap_info *restless = NULL;
	const struct vmsnap *loose = NULL;
	for (size_t i = 0; i < captured->count; i++) {
		const struct vmsnap_info *info = vmsnap_info(captured->snaps[i]);
		hidden |= !info->known.pfn;
		if (!info->consistent)
			restless = info;
		else if (!options->no_freeze &&
		         (info->freeze == VMSNAP_FREEZE_NONE || info->freeze == VMSNAP_FREEZE_PARTIAL))
			loose = captured->snaps[i];
	}
	if (restless && restless->memory_with_count)
		say("process %" PRIu32 ": its memory was in use while it was read: its pages may not be of one instant",
		    restless->pid);
	else if (restless)
		say("process %" PRIu32 " ran while it was read%s: its pages may not be of one instant", restless->pid,
		    options->no_freeze ? "" : ", because not all of it could be stopped");
	else if (loose)
		tell_loose(loose);
	if (hidden)
		say("root would add: page frame numbers (who shares which page%s) and swap slots",
		    captured->count > 1 ? ", which counts for each of them here" : "");
}

static int list_saved(const struct options *options, const char *path)
{
	struct vmsnap_file *file;
	struct output output;
	struct vmsnap_error err;
	struct stat st;
	if (!is_regular(path, &st))
		return trouble("capture: --json needs a file that can be read again, and %s is none", path);
	if (vmsnap_file_open(path, NULL, &file, &err))
		return trouble_with(path, &err);
	output_init(&output, options);
	int status = output_finish(&output, vmsnap_print_list(file, &output.to, &err), &err);
	vmsnap_file_close(file);
	return status;
}

/* ---- the command ---- */

static int check_destination(const struct options *options, const char *path)
{
	if (!*path)
		return trouble("capture: --output needs the name of a file");
	if (!to_output(path))
		return STATUS_OK;
	if (options->append)
		return trouble("capture: --append needs a file to add to, not standard output");
	if (options->delta)
		return trouble("capture: --delta is for a file that is added to, not for standard output");
	if (options->json)
		return trouble("capture: --json and the snapshot cannot both go to standard output");
	if (isatty(STDOUT_FILENO))
		return trouble("capture: standard output is a terminal, and a snapshot is not text; "
		               "send it to a file or a pipe");
	return STATUS_OK;
}

int cmd_capture(const struct options *options)
{
	struct captured captured = { 0 };
	struct processes processes = { 0 };
	char usual[64];
	int status = processes_choose(options, &processes);
	snprintf(usual, sizeof(usual), "vmsnap-%d.vms", status ? 0 : (int)processes.pids[0]);
	const char *path = options->file ? options->file : usual;
	status = status ? status : check_destination(options, path);
	if (status) {
		processes_free(&processes);
		return status;
	}
	status = contents_parse(options, path, &captured.contents);
	if (status) {
		processes_free(&processes);
		return status;
	}
	interrupts_notice();
	/* Rights that were lent are for page states: what pages hold is read with those of who asks. */
	if (captured.contents.wanted)
		privilege_drop();
	status = options->track ? start_tracking(options, &processes, path, &captured) : STATUS_OK;
	status = status ? status : take(options, &processes, &captured);
	processes_free(&processes);
	privilege_drop();
	status = status ? status : save(options, path, &captured);
	if (!status)
		contents_tell_unmatched(&captured.contents, (const struct vmsnap *const *)captured.snaps,
		                        captured.count);
	if (!status && !options->quiet) {
		tell_saved(options, path, &captured);
		tell_left_out(&captured.zombies,
		              "descendant is a zombie, which has ended and has no memory, and is left out",
		              "descendants are zombies, which have ended and have no memory, and are left out");
		tell_left_out(&captured.ended, "descendant ended meanwhile and is left out",
		              "descendants ended meanwhile and are left out");
		tell_precopy(&captured);
		tell_tracking(&captured);
		tell_memory(&captured);
		tell_doubts(options, &captured);
		for (size_t i = 0; options->kpage && i < captured.count; i++)
			tell_kpage(captured.snaps[i]);
	}
	if (!status && options->json)
		status = list_saved(options, path);
	vmsnap_tracker_free(captured.tracker);
	vmsnap_unref_all(captured.snaps, captured.count);
	contents_release(&captured.contents);
	return status;
}
