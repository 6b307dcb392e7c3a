#include "instant_finish.h"

#include <stdlib.h>

#include "error.h"
#include "identity.h"
#include "instant_memory.h"
#include "moves_count.h"
#include "page_moves.h"

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
		count += instant_has_memory_of(capture, index, i);
	snap->info.memory_known = !freeze->processes[index].users_unknown;
	if (!count)
		return VMSNAP_OK;
	uint32_t *pids = arena_alloc(&snap->strings, count * sizeof(*pids));
	if (!pids)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0, at = 0; i < freeze->count; i++)
		if (instant_has_memory_of(capture, index, i))
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

static void tell_left_out(const struct capture *capture)
{
	const struct vmsnap_capture_options *options = &capture->options;
	const struct freeze *freeze = &capture->freeze;
	if (!options->left_out)
		return;
	for (size_t i = 0; i < freeze->zombie_count; i++)
		options->left_out(options->left_out_ctx, freeze->zombies[i], VMSNAP_ERR_ZOMBIE);
	for (size_t i = 0; i < freeze->count; i++)
		if (!freeze->processes[i].companion && !instant_takes(capture, i))
			options->left_out(options->left_out_ctx, freeze->processes[i].pid, VMSNAP_ERR_EXITED);
}

int instant_finish(struct capture *capture, struct vmsnap ***out, size_t *count)
{
	check_page_moves(capture);
	struct vmsnap **snaps = calloc(capture->reader_count, sizeof(*snaps));
	if (!snaps)
		return fail_no_memory(&capture->error);
	size_t used = 0;
	struct work work = { .limit = WORK_UNLIMITED };
	for (size_t i = 0; i < capture->reader_count; i++) {
		if (!instant_takes(capture, i))
			continue;
		int rc = finish_reader(capture, i);
		if (!rc && builder_finish(&capture->readers[i].builder, &work, &snaps[used]))
			rc = fail_no_memory(&capture->error);
		if (rc) {
			vmsnap_unref_all(snaps, used);
			return instant_fail_of(capture, i, rc);
		}
		if (capture->readers[i].tracker)
			tracker_keep(capture->readers[i].tracker, snaps[used]);
		used++;
	}
	tell_left_out(capture);
	*out = snaps;
	*count = used;
	return VMSNAP_OK;
}
