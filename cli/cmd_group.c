/* vmsnap group: processes of one instant, and who shares how much with whom; of two instants, what became of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture_flags.h"
#include "commands.h"
#include "interrupt.h"
#include "names.h"
#include "output.h"
#include "privilege.h"
#include "process_arg.h"
#include "process_choose.h"
#include "say.h"
#include "set_arg.h"

/* The processes of one instant. */
struct instant {
	struct vmsnap_set *set;
	struct vmsnap_group *group;
};
enum { INSTANTS = 2 };
struct grouping {
	const struct options *options;
	struct instant instants[INSTANTS]; /* the earlier one first */
	size_t count;
};

static void grouping_free(struct grouping *grouping)
{
	for (size_t i = 0; i < grouping->count; i++) {
		vmsnap_group_free(grouping->instants[i].group);
		vmsnap_set_free(grouping->instants[i].set);
	}
}

/* ---- files ---------------------------------------------------------------------------------- */

static bool one_instant(const struct vmsnap_set *a, const struct vmsnap_set *b)
{
	return vmsnap_same_instant(vmsnap_set_at(a, 0), vmsnap_set_at(b, 0));
}

/* All processes of both. */
static int join(const char *word, struct vmsnap_set **to, const struct vmsnap_set *more)
{
	size_t first = vmsnap_set_count(*to), count = first + vmsnap_set_count(more);
	const struct vmsnap **snaps = calloc(count, sizeof(*snaps));
	struct vmsnap_set *joined;
	struct vmsnap_error err;
	int status = STATUS_OK;
	if (!snaps)
		return trouble("out of memory");
	for (size_t i = 0; i < count; i++)
		snaps[i] = i < first ? vmsnap_set_at(*to, i) : vmsnap_set_at(more, i - first);
	if (vmsnap_set_new(snaps, count, &joined, &err)) {
		status = trouble_with(word, &err);
	} else {
		vmsnap_set_free(*to);
		*to = joined;
	}
	free(snaps);
	return status;
}

static bool have_one_in_common(const struct vmsnap_set *a, const struct vmsnap_set *b)
{
	const struct vmsnap *snap;
	for (size_t i = 0; (snap = vmsnap_set_at(a, i)); i++)
		if (vmsnap_set_same(b, snap))
			return true;
	return false;
}

/* Before it is said that cores are of no instant. */
static int need_states(const char *word, const struct vmsnap_set *set)
{
	const struct vmsnap *snap;
	for (size_t i = 0; (snap = vmsnap_set_at(set, i)); i++)
		if (vmsnap_info(snap)->known.states_unknown)
			return trouble("group: %s: which pages process %u had, and whose they were, a core file does "
			               "not tell; diff compares what pages held",
			               word, vmsnap_info(snap)->pid);
	return STATUS_OK;
}

/* Takes the set, or frees it. */
static int add_set(struct grouping *grouping, const char *word, struct vmsnap_set *set)
{
	struct instant *last = grouping->count ? &grouping->instants[grouping->count - 1] : NULL;
	int status = need_states(word, set);
	if (status) {
		vmsnap_set_free(set);
		return status;
	}
	if (last && last->set && one_instant(last->set, set)) {
		status = join(word, &last->set, set);
		vmsnap_set_free(set);
		return status;
	}
	if (last && last->set && !have_one_in_common(last->set, set)) {
		vmsnap_set_free(set);
		return trouble(
		        "group: %s is of another instant than what stands before it, and has no process in common "
		        "with that",
		        word);
	}
	if (grouping->count == INSTANTS) {
		vmsnap_set_free(set);
		return trouble("group: %s is of a third instant: a group is of one instant, or is compared with one "
		               "other",
		               word);
	}
	grouping->instants[grouping->count++].set = set;
	return status;
}

/* Whether a word says more than a file: which snapshot. */
static int is_chosen(const char *word, bool *chosen)
{
	struct place place;
	int status = place_of_word(word, &place);
	*chosen = !status && place.which && !strstr(place.which, "..");
	if (!status)
		free(place.path);
	return status;
}

/* One file, and nothing else: its last instant and the one before, if that is of these processes, too. */
static int add_file(struct grouping *grouping, struct sources *sources, const char *word)
{
	struct chosen earlier = { .set = NULL }, last = { .set = NULL };
	size_t count;
	int status = instants_from_word(sources, word, &earlier, &last, &count);
	if (status)
		return status;
	if (earlier.set && have_one_in_common(earlier.set, last.set)) {
		status = add_set(grouping, word, earlier.set);
		earlier.set = NULL;
	}
	if (!status) {
		status = add_set(grouping, word, last.set);
		last.set = NULL;
	}
	chosen_drop(&earlier);
	chosen_drop(&last);
	return status;
}

static int add_word(struct grouping *grouping, struct sources *sources, const char *word)
{
	struct chosen chosen;
	int status = set_from_word(sources, word, &chosen);
	if (status)
		return status;
	status = add_set(grouping, word, chosen.set);
	chosen.set = NULL;
	chosen_drop(&chosen);
	return status;
}

static int add_files(struct grouping *grouping, struct sources *sources)
{
	const struct options *options = grouping->options;
	bool chosen = true;
	int status = STATUS_OK;
	if (options->operand_count == 1 && !word_is_process(options->operands[0])) {
		status = is_chosen(options->operands[0], &chosen);
		if (!status && !chosen)
			return add_file(grouping, sources, options->operands[0]);
	}
	for (int i = 0; !status && i < options->operand_count; i++)
		if (!word_is_process(options->operands[i]))
			status = add_word(grouping, sources, options->operands[i]);
	return status;
}

/* ---- live processes ------------------------------------------------------------------------- */

struct live {
	struct processes processes;
	struct vmsnap **snaps;
	size_t count;
};

static int capture(const struct options *options, struct live *live, unsigned more_flags)
{
	struct vmsnap_capture_options how = {
		.size = sizeof(how),
		.flags = capture_flags(options) | more_flags,
		.cancelled = was_interrupted,
	};
	struct vmsnap_error err;
	int rc =
	        vmsnap_capture_set(live->processes.pids, live->processes.count, &how, &live->snaps, &live->count, &err);
	if (rc == VMSNAP_ERR_CANCELLED && interrupted_by())
		return 128 + interrupted_by();
	return rc ? trouble_with_process(NULL, &err) : STATUS_OK;
}

static bool frames_known(const struct live *live)
{
	for (size_t i = 0; i < live->count; i++)
		if (!vmsnap_info(live->snaps[i])->known.pfn)
			return false;
	return true;
}

/* Without frames, PSS and what is exclusive are in smaps, which takes its time and is not captured otherwise. */
static int capture_well(const struct options *options, struct live *live)
{
	int status = capture(options, live, 0);
	if (status || frames_known(live))
		return status;
	vmsnap_unref_all(live->snaps, live->count);
	live->snaps = NULL;
	return capture(options, live, VMSNAP_CAPTURE_SMAPS);
}

static int make_group(struct instant *instant, struct vmsnap_frame_counter *counter)
{
	struct vmsnap_group_options how = { .size = sizeof(how), .cancelled = was_interrupted };
	struct vmsnap_error err;
	if (counter) {
		how.counts = vmsnap_frame_counter_read;
		how.counts_ctx = counter;
	}
	int rc = vmsnap_group_new(instant->set, &how, &instant->group, &err);
	if (rc == VMSNAP_ERR_CANCELLED && interrupted_by())
		return 128 + interrupted_by();
	return rc ? trouble_with(NULL, &err) : STATUS_OK;
}

/* How often frames are mapped is read at once: they may go on to others. */
static int group_live(const struct live *live, struct instant *instant)
{
	struct vmsnap_frame_counter *counter = NULL;
	struct vmsnap_error err;
	if (vmsnap_set_new((const struct vmsnap *const *)live->snaps, live->count, &instant->set, &err))
		return trouble_with(NULL, &err);
	if (frames_known(live) && vmsnap_frame_counter_open(&counter, &err))
		say("who else maps these frames is not known: %s", err.message);
	int status = make_group(instant, counter);
	vmsnap_frame_counter_close(counter);
	return status;
}

/* A master alone says little. */
static void tell_children(const struct options *options, const struct live *live)
{
	struct vmsnap_error err;
	pid_t child;
	size_t children;
	if (options->tree || live->count != 1 ||
	    vmsnap_children_now(live->processes.pids[0], &child, 1, &children, &err) || !children)
		return;
	say("process %d has %zu child%s: --tree takes all descendants", (int)live->processes.pids[0], children,
	    children == 1 ? "" : "ren");
}

static int add_live(struct grouping *grouping, struct live *live)
{
	const struct options *options = grouping->options;
	if (grouping->count == INSTANTS)
		return trouble(
		        "group: live processes are of a third instant: a group is of one instant, or is compared "
		        "with one other");
	interrupts_notice();
	int status = capture_well(options, live);
	if (!status)
		status = group_live(live, &grouping->instants[grouping->count++]);
	privilege_drop();
	if (!status)
		tell_children(options, live);
	return status;
}

static int add_processes(struct grouping *grouping)
{
	const struct options *options = grouping->options;
	struct live live = { .snaps = NULL };
	size_t index;
	int status = STATUS_OK;
	for (int i = 0; !status && i < options->operand_count; i++)
		if (word_is_process(options->operands[i]))
			status = processes_add(&live.processes, options->operands[i], &index);
	status = status ? status : processes_of_options(options, &live.processes);
	if (!status && !options->operand_count && !processes_were_found(options))
		status = trouble("group: of which processes? Their numbers, as in vmsnap group 1234 1235, files, or "
		                 "--match NAME, "
		                 "or --cgroup PATH");
	if (!status && options->tree && !live.processes.count)
		status = trouble("group: --tree is for live processes; a file has the tree that was captured");
	if (!status && live.processes.count)
		status = add_live(grouping, &live);
	vmsnap_unref_all(live.snaps, live.count);
	processes_free(&live.processes);
	return status;
}

/* ---- the command ---------------------------------------------------------------------------- */

static int by_of(const struct options *options, int *by)
{
	*by = -1;
	if (!options->by)
		return STATUS_OK;
	if (!strcmp(options->by, "mapping"))
		*by = VMSNAP_GROUP_BY_MAPPING;
	else if (!strcmp(options->by, "name"))
		*by = VMSNAP_GROUP_BY_NAME;
	else
		return trouble("group: --by takes mapping or name, not '%s'", options->by);
	return STATUS_OK;
}

static int print(const struct grouping *grouping, int by, const struct vmsnap_group_change *change)
{
	const struct options *options = grouping->options;
	const struct instant *now = &grouping->instants[grouping->count - 1];
	const struct vmsnap_group *before = grouping->count > 1 ? grouping->instants[0].group : NULL;
	unsigned flags =
	        (options->totals ? VMSNAP_PRINT_TOTALS_ONLY : 0u) | (options->long_rows ? VMSNAP_PRINT_LONG : 0u);
	struct vmsnap_names *names = NULL;
	struct vmsnap_error err;
	struct output output;
	if (by == VMSNAP_GROUP_BY_NAME)
		names = names_open(options, vmsnap_set_at(now->set, 0));
	output_init(&output, options);
	int rc = by < 0 ? vmsnap_print_group(now->group, before, change, flags, &output.to, &err)
	                : vmsnap_print_group_by(now->group, before, change, by, names, flags, &output.to, &err);
	int status = output_finish(&output, rc, &err);
	names_close(names);
	return status;
}

static int compare_and_print(const struct grouping *grouping, int by)
{
	struct vmsnap_group_options how = { .size = sizeof(how), .cancelled = was_interrupted };
	struct vmsnap_group_change *change = NULL;
	struct vmsnap_error err;
	if (grouping->count > 1 &&
	    vmsnap_group_change_new(grouping->instants[0].group, grouping->instants[1].group, &how, &change, &err))
		return trouble_with(NULL, &err);
	int status = print(grouping, by, change);
	vmsnap_group_change_free(change);
	return status;
}

int cmd_group(const struct options *options)
{
	struct grouping grouping = { .options = options };
	struct sources sources;
	int by, status = by_of(options, &by);
	sources_init(&sources, options);
	status = status ? status : add_files(&grouping, &sources);
	status = status ? status : add_processes(&grouping);
	sources_close(&sources);
	for (size_t i = 0; !status && i < grouping.count; i++)
		if (!grouping.instants[i].group)
			status = make_group(&grouping.instants[i], NULL);
	status = status ? status : compare_and_print(&grouping, by);
	grouping_free(&grouping);
	return status;
}
