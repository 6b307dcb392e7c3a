/* series.c - snapshots in time, step by step: vmsnap_series_open() and its like. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"
#include "series_lines.h"
#include "series_source.h"
#include "sums.h"

struct snap_list {
	struct vmsnap **items;
	size_t count, room;
};

struct vmsnap_series {
	struct series_source source;
	/* One for each process of the source, but by process: there .snap, .before and .sums alone. */
	struct series_member *members;
	uint64_t ids;
	struct vmsnap_series_step step;
	/* By process: */
	struct vmsnap *pending; /* read already: the first of the next instant */
	size_t pending_at;
	int pending_rc; /* why there is none */
	struct vmsnap_error pending_err;
	struct vmsnap *first, *last; /* of this instant, and of the one before */
	struct series_lines lines;
	struct snap_list now, earlier; /* of the instant, and the same before */
	size_t shown;                  /* the process whose lines are the step's */
	bool begun;
};

VMSNAP_API const char *vmsnap_series_by_name(int by)
{
	static const char *const names[VMSNAP_SERIES_BY_COUNT] = {
		[VMSNAP_SERIES_BY_MAPPING] = "mapping",
		[VMSNAP_SERIES_BY_KIND] = "kind",
		[VMSNAP_SERIES_BY_PROCESS] = "process",
		[VMSNAP_SERIES_BY_STATE] = "state",
	};
	return by >= 0 && by < VMSNAP_SERIES_BY_COUNT ? names[by] : NULL;
}

static int open_series(const struct vmsnap_file *file, const struct vmsnap *const *snaps, size_t count,
                       const struct vmsnap_series_options *options, struct vmsnap_series **out,
                       struct vmsnap_error *err)
{
	struct vmsnap_series *series = calloc(1, sizeof(*series));
	if (!series)
		return fail_no_memory(err);
	int rc = series_source_open(&series->source, file, snaps, count, options, err);
	if (rc) {
		free(series);
		return rc;
	}
	series->members = calloc(series->source.process_count + 1, sizeof(*series->members));
	if (!series->members) {
		vmsnap_series_close(series);
		return fail_no_memory(err);
	}
	*out = series;
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_series_open(const struct vmsnap_file *file, const struct vmsnap_series_options *options,
                                  struct vmsnap_series **out, struct vmsnap_error *err)
{
	if (!file || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a series is of a file");
	return open_series(file, NULL, 0, options, out, err);
}

/* Held: of a hostile file a process has several snapshots of one instant. */
static int add_snap(struct work *work, struct snap_list *list, const struct vmsnap *snap)
{
	int rc = VMSNAP_OK;
	if (WORK_ROOM(work, list->items, list->count, &list->room, &rc))
		list->items[list->count++] = vmsnap_ref(snap);
	return rc;
}

static void drop_snaps(struct snap_list *list)
{
	while (list->count)
		vmsnap_unref(list->items[--list->count]);
}

VMSNAP_API int vmsnap_series_of(const struct vmsnap *const *snaps, size_t count,
                                const struct vmsnap_series_options *options, struct vmsnap_series **out,
                                struct vmsnap_error *err)
{
	if ((!snaps && count) || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a series needs snapshots");
	return open_series(NULL, snaps, count, options, out, err);
}

VMSNAP_API void vmsnap_series_close(struct vmsnap_series *series)
{
	if (!series)
		return;
	for (size_t i = 0; series->members && i < series->source.process_count; i++)
		series_member_drop(&series->members[i]);
	free(series->members);
	free(series->lines.items);
	drop_snaps(&series->now);
	drop_snaps(&series->earlier);
	free(series->now.items);
	free(series->earlier.items);
	vmsnap_unref(series->pending);
	vmsnap_unref(series->first);
	vmsnap_unref(series->last);
	series_source_close(&series->source);
	free(series);
}

VMSNAP_API int vmsnap_series_by(const struct vmsnap_series *series)
{
	return series->source.options.by;
}

VMSNAP_API size_t vmsnap_series_process_count(const struct vmsnap_series *series)
{
	return series->source.process_count;
}

VMSNAP_API int vmsnap_series_process_sized(const struct vmsnap_series *series, size_t index,
                                           struct vmsnap_series_process *out, size_t size)
{
	if (index >= series->source.process_count)
		return VMSNAP_ERR_NOT_FOUND;
	struct vmsnap_series_process told = series->source.processes[index].told;
	told.comm = series->source.processes[index].comm;
	struct_give(out, size, &told, sizeof(told));
	return VMSNAP_OK;
}

VMSNAP_API size_t vmsnap_series_at(const struct vmsnap_series *series)
{
	return series->source.at;
}

/* ---- one snapshot a step ------------------------------------------------------------- */

/* So that there are never more than two: what went is named by the one before until now. */
static void forget_before(struct vmsnap_series *series)
{
	struct series_member *member = &series->members[series->shown];
	vmsnap_unref(member->before);
	member->before = NULL;
	member->lines.count = member->lines.live;
	/* Of no later snapshot it will be asked for. */
	const struct vmsnap_series_process *told = &series->source.processes[series->shown].told;
	if (series->begun && told->last <= series->source.at)
		series_member_drop(member);
}

static int next_snapshot(struct vmsnap_series *series, struct vmsnap_error *err)
{
	struct vmsnap_series_step *step = &series->step;
	struct vmsnap *snap = NULL;
	if (series->begun)
		forget_before(series);
	*step = (struct vmsnap_series_step){ 0 };
	series->begun = false;
	int rc = series_source_next(&series->source, &snap, err);
	if (rc)
		return rc;
	size_t process = series_source_process(&series->source);
	struct series_member *member = &series->members[process];
	rc = series_member_add(member, series->source.options.by, snap, &series->source.options, &series->ids, err);
	if (rc)
		return rc;
	series->shown = process;
	series->begun = true;
	step->index = series->source.at;
	step->snapshots = 1;
	step->snap = member->snap;
	step->before = member->before;
	step->relation = member->relation;
	step->elapsed_known = step->before && series_elapsed(step->before, step->snap, &step->elapsed);
	step->sums = member->sums;
	step->sums_before = member->sums_before;
	step->vmas = vmsnap_vma_count(step->snap);
	return VMSNAP_OK;
}

/* ---- one instant a step -------------------------------------------------------------- */

/* What comes next, or why it does not: .pending_rc. */
static void read_ahead(struct vmsnap_series *series)
{
	if (series->pending || series->pending_rc)
		return;
	struct vmsnap *snap = NULL;
	series->pending_rc = series_source_next(&series->source, &snap, &series->pending_err);
	series->pending = series->pending_rc ? NULL : snap;
	series->pending_at = series->source.at;
}

static void drop_pending(struct vmsnap_series *series)
{
	vmsnap_unref(series->pending);
	series->pending = NULL;
}

static struct vmsnap_series_line *add_line(struct series_lines *lines, struct work *work, int *rc)
{
	if (!WORK_ROOM(work, lines->items, lines->count, &lines->capacity, rc))
		return NULL;
	lines->items[lines->count] = (struct vmsnap_series_line){ 0 };
	return &lines->items[lines->count++];
}

static void name_line(const struct vmsnap_series *series, size_t process, struct vmsnap_series_line *line)
{
	line->id = process + 1;
	line->name = series->source.processes[process].comm;
	line->pid = series->source.processes[process].told.pid;
}

/* For who asks what became of its pages. */
static int remember(struct vmsnap_series *series, struct series_member *member, const struct vmsnap *snap)
{
	struct work *work = &series->source.work;
	vmsnap_unref(member->before);
	member->before = member->snap;
	member->snap = vmsnap_ref(snap);
	int rc = add_snap(work, &series->now, member->snap);
	if (!rc && member->before)
		rc = add_snap(work, &series->earlier, member->before);
	return rc;
}

/* One process of the instant. */
static int add_process(struct vmsnap_series *series, const struct vmsnap *snap)
{
	int rc = VMSNAP_OK;
	size_t process = series->source.process_of[series->pending_at - series->source.options.first];
	struct series_member *member = &series->members[process];
	struct vmsnap_series_line *line = add_line(&series->lines, &series->source.work, &rc);
	if (!line)
		return rc;
	name_line(series, process, line);
	line->sums_before = member->sums;
	line->bytes_before = sums_counted(snap, &member->sums);
	vmsnap_sum(snap, 0, UINT64_MAX, &line->sums);
	line->bytes = sums_counted(snap, &line->sums);
	line->vmas = vmsnap_vma_count(snap);
	const struct vmsnap_series_process *told = &series->source.processes[process].told;
	bool first = told->first == series->pending_at;
	line->changes = first && series->last ? 1u << VMSNAP_VMA_CHANGE_ADDED : 0;
	member->sums = line->sums;
	rc = remember(series, member, snap);
	series->step.vmas += line->vmas;
	series->step.snapshots++;
	sums_add(&series->step.sums, &line->sums);
	sums_add(&series->step.sums_before, &line->sums_before);
	return rc;
}

/* All snapshots of the instant that the pending one is of.  Of what nobody knows when it was taken there is
 * one at a time. */
static int add_instant(struct vmsnap_series *series)
{
	int rc = VMSNAP_OK;
	series->step.index = series->pending_at;
	series->first = vmsnap_ref(series->pending);
	do {
		rc = add_process(series, series->pending);
		drop_pending(series);
		if (!rc)
			read_ahead(series);
	} while (!rc && series->pending && vmsnap_same_instant(series->first, series->pending));
	return rc;
}

/* Those of the step before of which there is no later snapshot.  They were kept behind the others. */
static int add_ended(struct vmsnap_series *series, const struct series_lines *old)
{
	int rc = VMSNAP_OK;
	size_t limit = series->step.index;
	series->lines.live = series->lines.count;
	for (size_t i = 0; !rc && i < old->live; i++) {
		size_t process = (size_t)old->items[i].id - 1;
		if (series->source.processes[process].told.last >= limit)
			continue;
		series_member_drop(&series->members[process]);
		struct vmsnap_series_line *line = add_line(&series->lines, &series->source.work, &rc);
		if (!line)
			break;
		name_line(series, process, line);
		line->changes = 1u << VMSNAP_VMA_CHANGE_REMOVED;
		line->sums_before = old->items[i].sums;
		line->bytes_before = old->items[i].bytes;
		line->vmas = old->items[i].vmas;
		sums_add(&series->step.sums_before, &line->sums_before);
	}
	return rc;
}

/* A failure is told once, and passed. */
static int tell_failure(struct vmsnap_series *series, struct vmsnap_error *err)
{
	int rc = series->pending_rc;
	if (err && rc != VMSNAP_END)
		*err = series->pending_err;
	series->source.at = series->pending_at;
	series->pending_rc = rc == VMSNAP_END ? rc : VMSNAP_OK;
	return rc;
}

static int next_instant(struct vmsnap_series *series, struct vmsnap_error *err)
{
	struct series_lines old = series->lines;
	read_ahead(series);
	series->step = (struct vmsnap_series_step){ 0 };
	if (series->pending_rc)
		return tell_failure(series, err);
	series->lines = (struct series_lines){ 0 };
	drop_snaps(&series->now);
	drop_snaps(&series->earlier);
	if (series->first) {
		vmsnap_unref(series->last);
		series->last = series->first;
		series->first = NULL;
	}
	int rc = add_instant(series);
	rc = rc ? rc : add_ended(series, &old);
	work_free(&series->source.work, old.items, old.capacity, sizeof(*old.items));
	if (rc)
		return work_fail(&series->source.work, rc, err);
	series->step.snap = series->first;
	series->step.before = series->last;
	series->step.elapsed_known = series->last && series_elapsed(series->last, series->first, &series->step.elapsed);
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_series_next(struct vmsnap_series *series, struct vmsnap_error *err)
{
	if (series->source.options.by == VMSNAP_SERIES_BY_PROCESS)
		return next_instant(series, err);
	return next_snapshot(series, err);
}

/* ---- what is told ---------------------------------------------------------------------- */

VMSNAP_API int vmsnap_series_step_sized(const struct vmsnap_series *series, struct vmsnap_series_step *out, size_t size)
{
	if (!series->step.snap)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &series->step, sizeof(series->step));
	return VMSNAP_OK;
}

VMSNAP_API int vmsnap_series_blame(const struct vmsnap_series *series, struct vmsnap_blame **out,
                                   struct vmsnap_error *err)
{
	const struct vmsnap_series_step *step = &series->step;
	const struct vmsnap_blame_options how = { .size = sizeof(how),
		                                  .cancelled = series->source.options.cancelled,
		                                  .cancel_ctx = series->source.options.cancel_ctx };
	if (!step->snap)
		return fail(err, VMSNAP_ERR_NOT_FOUND, "a series of which no step was read yet");
	if (series->source.options.by == VMSNAP_SERIES_BY_PROCESS)
		return vmsnap_blame_stored((const struct vmsnap *const *)series->earlier.items, series->earlier.count,
		                           (const struct vmsnap *const *)series->now.items, series->now.count, &how,
		                           out, err);
	return vmsnap_blame_stored(&step->before, step->before ? 1 : 0, &step->snap, 1, &how, out, err);
}

static const struct series_lines *lines_of(const struct vmsnap_series *series)
{
	if (series->source.options.by == VMSNAP_SERIES_BY_PROCESS)
		return &series->lines;
	return &series->members[series->shown].lines;
}

VMSNAP_API size_t vmsnap_series_line_count(const struct vmsnap_series *series)
{
	return series->step.snap ? lines_of(series)->count : 0;
}

VMSNAP_API int vmsnap_series_line_sized(const struct vmsnap_series *series, size_t index,
                                        struct vmsnap_series_line *out, size_t size)
{
	if (index >= vmsnap_series_line_count(series))
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &lines_of(series)->items[index], sizeof(struct vmsnap_series_line));
	return VMSNAP_OK;
}
