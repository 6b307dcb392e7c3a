#define _GNU_SOURCE
#include "series_source.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"
#include "states_told.h"

/* ---- processes ---------------------------------------------------------------------- */

/* As much of it as is told. */
static void copy_name(char out[SERIES_COMM_MAX], const char *name)
{
	size_t len = strnlen(name, SERIES_COMM_MAX - 1);
	memcpy(out, name, len);
	memset(out + len, 0, SERIES_COMM_MAX - len);
}

static bool is_process(const struct series_process *process, const struct vmsnap_info *info)
{
	return process->told.pid == info->pid && process->told.start_time == info->start_time &&
	       !strncmp(process->boot_id, info->boot_id, SERIES_COMM_MAX - 1);
}

static size_t bucket_of(const struct series_source *source, uint32_t pid, uint64_t start_time)
{
	uint64_t hash = (pid ^ start_time << 22) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(hash >> 32) & (source->process_room - 1);
}

static void put_in_bucket(struct series_source *source, size_t index)
{
	struct series_process *process = &source->processes[index];
	uint32_t *bucket = &source->buckets[bucket_of(source, process->told.pid, process->told.start_time)];
	process->next = *bucket;
	*bucket = (uint32_t)index + 1;
}

/* Twice the room, a power of two. */
static int grow(struct series_source *source)
{
	int rc = VMSNAP_OK;
	size_t room = source->process_room ? 2 * source->process_room : 16;
	if (room > UINT32_MAX / 2)
		return VMSNAP_ERR_TOO_LARGE;
	struct series_process *processes = work_array(&source->work, room, sizeof(*processes), &rc);
	uint32_t *buckets = work_array(&source->work, room, sizeof(*buckets), &rc);
	if (rc) {
		work_free(&source->work, processes, room, sizeof(*processes));
		return rc;
	}
	if (source->process_count)
		memcpy(processes, source->processes, source->process_count * sizeof(*processes));
	work_free(&source->work, source->processes, source->process_room, sizeof(*processes));
	work_free(&source->work, source->buckets, source->process_room, sizeof(*buckets));
	source->processes = processes;
	source->buckets = buckets;
	source->process_room = room;
	for (size_t i = 0; i < source->process_count; i++)
		put_in_bucket(source, i);
	return VMSNAP_OK;
}

/* Which process it is, one more if it is none of those there are. */
static int find_process(struct series_source *source, const struct vmsnap_info *info, size_t snapshot, uint32_t *out)
{
	uint32_t at = source->process_room ? source->buckets[bucket_of(source, info->pid, info->start_time)] : 0;
	while (at && !is_process(&source->processes[at - 1], info))
		at = source->processes[at - 1].next;
	if (!at) {
		int rc = source->process_count == source->process_room ? grow(source) : VMSNAP_OK;
		if (rc)
			return rc;
		struct series_process *process = &source->processes[source->process_count++];
		*process = (struct series_process){ .told = { .pid = info->pid, .start_time = info->start_time } };
		process->told.first = snapshot;
		copy_name(process->comm, info->comm);
		copy_name(process->boot_id, info->boot_id);
		put_in_bucket(source, source->process_count - 1);
		at = (uint32_t)source->process_count;
	}
	source->processes[at - 1].told.last = snapshot;
	source->processes[at - 1].told.count++;
	*out = at - 1;
	return VMSNAP_OK;
}

/* ---- which snapshots ------------------------------------------------------------------ */

static int peek(const struct series_source *source, size_t index, struct vmsnap **out)
{
	if (source->file)
		return vmsnap_file_peek(source->file, index, out, NULL);
	*out = vmsnap_ref(source->snaps[index]);
	return VMSNAP_OK;
}

/* One that cannot be read is nobody's; when it is its turn that is told. */
static int look_at(struct series_source *source, size_t index, uint32_t *process)
{
	struct vmsnap *snap;
	int rc = peek(source, index, &snap);
	*process = SERIES_UNREAD;
	if (rc)
		return rc == VMSNAP_ERR_NO_MEMORY || rc == VMSNAP_ERR_CANCELLED ? rc : VMSNAP_OK;
	const struct vmsnap_info *info = vmsnap_info(snap);
	*process = SERIES_NOT_WANTED;
	if (!source->options.pid || info->pid == source->options.pid)
		rc = find_process(source, info, index, process);
	vmsnap_unref(snap);
	return rc;
}

static int look_at_all(struct series_source *source)
{
	int rc = VMSNAP_OK;
	size_t count = source->options.count;
	source->process_of = work_array(&source->work, count, sizeof(*source->process_of), &rc);
	for (size_t i = 0; !rc && i < count; i++) {
		rc = work_ask(&source->work);
		rc = rc ? rc : look_at(source, source->options.first + i, &source->process_of[i]);
	}
	return rc;
}

static int check_options(struct series_source *source, const struct vmsnap_series_options *options, size_t count,
                         struct vmsnap_error *err)
{
	struct vmsnap_series_options *taken = &source->options;
	int rc = options_take(taken, sizeof(*taken), options, "struct vmsnap_series_options", err);
	if (rc)
		return rc;
	if (taken->by < 0 || taken->by >= VMSNAP_SERIES_BY_COUNT)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a series is by mapping, kind, process or state");
	if (taken->first > count || taken->count > count - taken->first)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "there are %zu snapshots, and not those from %zu on", count,
		            taken->first + 1);
	taken->count = taken->count ? taken->count : count - taken->first;
	return VMSNAP_OK;
}

static int hold(struct series_source *source, const struct vmsnap *const *snaps, size_t count)
{
	int rc = VMSNAP_OK;
	source->snaps = work_array(&source->work, count, sizeof(struct vmsnap *), &rc);
	/* Those that are wanted: the others are not looked at. */
	for (size_t i = source->options.first; !rc && i < source->options.first + source->options.count; i++)
		source->snaps[i] = vmsnap_ref(snaps[i]);
	return rc;
}

static bool passes_over_some(const struct series_source *source)
{
	bool some = false;
	for (size_t i = 0; source->options.pid && i < source->options.count; i++)
		some |= source->process_of[i] == SERIES_NOT_WANTED;
	return some;
}

int series_source_open(struct series_source *source, const struct vmsnap_file *file, const struct vmsnap *const *snaps,
                       size_t count, const struct vmsnap_series_options *options, struct vmsnap_error *err)
{
	*source = (struct series_source){ .file = file, .work = { .limit = WORK_UNLIMITED } };
	size_t all = file ? vmsnap_file_count(file) : count;
	for (size_t i = 0; !file && i < count; i++)
		if (!snaps[i])
			return fail(err, VMSNAP_ERR_ARGUMENT, "a series needs snapshots");
	int rc = check_options(source, options, all, err);
	if (rc)
		return rc;
	source->work.cancelled = source->options.cancelled;
	source->work.cancel_ctx = source->options.cancel_ctx;
	rc = file ? VMSNAP_OK : hold(source, snaps, count);
	rc = rc ? rc : look_at_all(source);
	source->next = source->options.first;
	source->at = source->next;
	if (!rc && source->options.pid && !source->process_count) {
		rc = fail(err, VMSNAP_ERR_NOT_FOUND, "there is no snapshot of process %u",
		          (unsigned)source->options.pid);
		series_source_close(source);
		return rc;
	}
	rc = rc ? work_fail(&source->work, rc, err) : VMSNAP_OK;
	if (!rc && file && !passes_over_some(source))
		rc = vmsnap_walk_new(file, source->next, source->options.count, &source->walk, err);
	if (rc)
		series_source_close(source);
	return rc;
}

void series_source_close(struct series_source *source)
{
	for (size_t i = 0; source->snaps && i < source->options.first + source->options.count; i++)
		vmsnap_unref(source->snaps[i]);
	if (source->walk)
		vmsnap_walk_free(source->walk);
	free(source->snaps);
	free(source->processes);
	free(source->buckets);
	free(source->process_of);
	*source = (struct series_source){ 0 };
}

/* Core files have no states of pages, and their sizes beside what is resident in others would be a change that
 * there was none of. */
static int one_measure(struct series_source *source, const struct vmsnap *snap, struct vmsnap_error *err)
{
	bool sizes = vmsnap_info(snap)->known.states_unknown;
	if (sizes && source->options.by == VMSNAP_SERIES_BY_STATE)
		return states_told(snap, "a series by state", err);
	if (source->measured && sizes != source->sizes)
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "of snapshot %zu %s, and of those before it %s: a series is of the one or of the other",
		            source->at + 1,
		            sizes ? "only sizes are known, as of a core file" : "is known what was resident",
		            sizes ? "what was resident" : "only sizes");
	source->measured = true;
	source->sizes = sizes;
	return VMSNAP_OK;
}

/* Of one process among several each is loaded by itself; a walk would load those between, too. */
static int load(struct series_source *source, struct vmsnap **out, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	*out = NULL;
	if (source->walk)
		rc = vmsnap_walk_next(source->walk, out, NULL, err);
	else if (source->file)
		rc = vmsnap_file_load(source->file, source->at, out, err);
	else
		*out = vmsnap_ref(source->snaps[source->at]);
	rc = rc ? rc : one_measure(source, *out, err);
	if (rc) {
		vmsnap_unref(*out);
		*out = NULL;
	}
	return rc;
}

int series_source_pass(struct series_source *source)
{
	size_t end = source->options.first + source->options.count;
	while (source->next < end && source->process_of[source->next - source->options.first] == SERIES_NOT_WANTED)
		source->next++;
	if (source->next >= end)
		return VMSNAP_END;
	source->at = source->next++;
	return VMSNAP_OK;
}

int series_source_next(struct series_source *source, struct vmsnap **out, struct vmsnap_error *err)
{
	if (work_ask(&source->work))
		return work_fail(&source->work, VMSNAP_ERR_CANCELLED, err);
	if (series_source_pass(source))
		return VMSNAP_END;
	int rc = load(source, out, err);
	if (!rc && series_source_process(source) == SERIES_UNREAD) {
		/* It could not be read a moment ago: a file that somebody writes to. */
		vmsnap_unref(*out);
		rc = fail(err, VMSNAP_ERR_CORRUPT, "snapshot %zu could not be read before", source->at + 1);
	}
	return rc;
}

/* ---- time ------------------------------------------------------------------------------- */

static bool later(int64_t before, int64_t after, uint64_t *ns)
{
	if (!before || !after || after < before)
		return false;
	*ns = (uint64_t)after - (uint64_t)before;
	return true;
}

bool series_elapsed(const struct vmsnap *before, const struct vmsnap *snap, uint64_t *ns)
{
	const struct vmsnap_info *a = vmsnap_info(before), *b = vmsnap_info(snap);
	bool one_boot = *a->boot_id && !strcmp(a->boot_id, b->boot_id);
	/* What the machine slept is time, too. */
	if (one_boot && a->boottime && b->boottime)
		return later((int64_t)a->boottime, (int64_t)b->boottime, ns);
	if (one_boot && a->monotonic && b->monotonic)
		return later(a->monotonic, b->monotonic, ns);
	return later(a->taken, b->taken, ns);
}
