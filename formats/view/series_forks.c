/* series_forks.c - what forks cost as time goes on: vmsnap_series_forks_open() and its like. */
#include <stdlib.h>

#include "cow_groups.h"
#include "error.h"
#include "fork_time.h"
#include "options.h"
#include "series_source.h"

/* One child. */
struct fork {
	size_t child; /* which process */
	struct vmsnap *base, *other;
	bool before; /* the base is the parent before the fork */
	bool over;   /* there will be no more of it */
	bool elapsed_known;
	uint64_t elapsed;     /* from its first instant to its last one until now */
	struct vmsnap *first; /* the child at its first instant, of which that is */
	uint64_t copied;
};
struct seen {
	struct vmsnap *snap;
	size_t index, process;
};
struct instant {
	struct seen *items;
	size_t count, capacity;
};
struct vmsnap_series_forks {
	struct series_source source;
	struct instant now, last;
	size_t next;         /* of now, the one to be looked at as a child */
	struct seen pending; /* the first of the next instant; .snap NULL: none was read */
	int pending_rc;
	struct vmsnap_error pending_err;
	struct fork *forks;
	size_t fork_count, fork_capacity;
	uint32_t *fork_of; /* of each process: 1 + which fork it is the child of */
	struct vmsnap_cow *cow;
	struct vmsnap_series_fork told;
};

static int open_forks(const struct vmsnap_file *file, const struct vmsnap *const *snaps, size_t count,
                      const struct vmsnap_series_options *options, struct vmsnap_series_forks **out,
                      struct vmsnap_error *err)
{
	struct vmsnap_series_forks *forks = calloc(1, sizeof(*forks));
	if (!forks)
		return fail_no_memory(err);
	int rc = series_source_open(&forks->source, file, snaps, count, options, err);
	if (rc) {
		free(forks);
		return rc;
	}
	forks->fork_of = calloc(forks->source.process_count + 1, sizeof(*forks->fork_of));
	if (!forks->fork_of) {
		vmsnap_series_forks_close(forks);
		return fail_no_memory(err);
	}
	*out = forks;
	return rc;
}

VMSNAP_API int vmsnap_series_forks_open(const struct vmsnap_file *file, const struct vmsnap_series_options *options,
                                        struct vmsnap_series_forks **out, struct vmsnap_error *err)
{
	if (!file || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a series is of a file");
	return open_forks(file, NULL, 0, options, out, err);
}

VMSNAP_API int vmsnap_series_forks_of(const struct vmsnap *const *snaps, size_t count,
                                      const struct vmsnap_series_options *options, struct vmsnap_series_forks **out,
                                      struct vmsnap_error *err)
{
	if ((!snaps && count) || !out)
		return fail(err, VMSNAP_ERR_ARGUMENT, "a series needs snapshots");
	return open_forks(NULL, snaps, count, options, out, err);
}

static void drop_instant(struct vmsnap_series_forks *forks, struct instant *instant)
{
	for (size_t i = 0; i < instant->count; i++)
		vmsnap_unref(instant->items[i].snap);
	work_free(&forks->source.work, instant->items, instant->capacity, sizeof(*instant->items));
	*instant = (struct instant){ 0 };
}

static void drop_base(struct fork *fork)
{
	vmsnap_unref(fork->base);
	vmsnap_unref(fork->other);
	vmsnap_unref(fork->first);
	fork->base = fork->other = fork->first = NULL;
}

VMSNAP_API void vmsnap_series_forks_close(struct vmsnap_series_forks *forks)
{
	if (!forks)
		return;
	drop_instant(forks, &forks->now);
	drop_instant(forks, &forks->last);
	vmsnap_unref(forks->pending.snap);
	for (size_t i = 0; i < forks->fork_count; i++)
		drop_base(&forks->forks[i]);
	free(forks->forks);
	free(forks->fork_of);
	vmsnap_cow_free(forks->cow);
	series_source_close(&forks->source);
	free(forks);
}

/* ---- instants --------------------------------------------------------------------------- */

static void read_ahead(struct vmsnap_series_forks *forks)
{
	struct seen *seen = &forks->pending;
	if (seen->snap || forks->pending_rc)
		return;
	struct vmsnap *snap = NULL;
	forks->pending_rc = series_source_next(&forks->source, &snap, &forks->pending_err);
	seen->snap = forks->pending_rc ? NULL : snap;
	seen->index = forks->source.at;
	seen->process = seen->snap ? series_source_process(&forks->source) : 0;
}

static int take_pending(struct vmsnap_series_forks *forks)
{
	struct instant *now = &forks->now;
	int rc = VMSNAP_OK;
	if (!WORK_ROOM(&forks->source.work, now->items, now->count, &now->capacity, &rc))
		return rc;
	now->items[now->count++] = forks->pending;
	forks->pending.snap = NULL;
	return rc;
}

/* A debugger that holds both sides looks at them one after the other. */
static bool held_together(const struct instant *now, const struct seen *next)
{
	const struct seen *last = &now->items[now->count - 1];
	return vmsnap_info(last->snap)->freeze == VMSNAP_FREEZE_DEBUGGER &&
	       vmsnap_info(next->snap)->freeze == VMSNAP_FREEZE_DEBUGGER && now->count == 1 &&
	       last->process != next->process;
}

static bool belongs(const struct instant *now, const struct seen *next)
{
	return vmsnap_same_instant(now->items[0].snap, next->snap) || held_together(now, next);
}

/* The next instant, whole. */
static int read_instant(struct vmsnap_series_forks *forks, struct vmsnap_error *err)
{
	read_ahead(forks);
	if (forks->pending_rc) {
		int rc = forks->pending_rc;
		if (err && rc != VMSNAP_END)
			*err = forks->pending_err;
		forks->pending_rc = rc == VMSNAP_END ? rc : VMSNAP_OK;
		return rc;
	}
	drop_instant(forks, &forks->last);
	forks->last = forks->now;
	forks->now = (struct instant){ 0 };
	forks->next = 0;
	int rc = VMSNAP_OK;
	do {
		rc = take_pending(forks);
		if (!rc)
			read_ahead(forks);
	} while (!rc && forks->pending.snap && belongs(&forks->now, &forks->pending));
	return rc ? work_fail(&forks->source.work, rc, err) : VMSNAP_OK;
}

static const struct seen *find_parent(const struct instant *now, const struct seen *child)
{
	const struct vmsnap_info *info = vmsnap_info(child->snap);
	for (size_t i = 0; i < now->count; i++) {
		const struct vmsnap_info *other = vmsnap_info(now->items[i].snap);
		uint32_t process = other->tgid ? other->tgid : other->pid;
		if (&now->items[i] != child && info->ppid && process == info->ppid &&
		    other->start_time <= info->start_time)
			return &now->items[i];
	}
	return NULL;
}

static struct vmsnap *find_earlier(const struct instant *last, size_t process)
{
	for (size_t i = 0; i < last->count; i++)
		if (last->items[i].process == process)
			return last->items[i].snap;
	return NULL;
}

/* ---- one fork ------------------------------------------------------------------------------ */

static int find_fork(struct vmsnap_series_forks *forks, size_t child, struct fork **out)
{
	int rc = VMSNAP_OK;
	uint32_t *place = &forks->fork_of[child];
	if (*place) {
		*out = &forks->forks[*place - 1];
		return rc;
	}
	if (!WORK_ROOM(&forks->source.work, forks->forks, forks->fork_count, &forks->fork_capacity, &rc))
		return rc;
	*out = &forks->forks[forks->fork_count++];
	**out = (struct fork){ .child = child };
	*place = (uint32_t)forks->fork_count;
	return rc;
}

static int compare(struct vmsnap_series_forks *forks, const struct vmsnap *parent, const struct vmsnap *child,
                   const struct vmsnap *base, const struct vmsnap *other, struct vmsnap_error *err)
{
	const struct vmsnap_compare_options how = { .size = sizeof(how),
		                                    .cancelled = forks->source.options.cancelled,
		                                    .cancel_ctx = forks->source.options.cancel_ctx };
	vmsnap_cow_free(forks->cow);
	forks->cow = NULL;
	return vmsnap_cow_new_between(parent, child, base, other, &how, &forks->cow, err);
}

static uint64_t copied_pages(const struct cow_costs *costs)
{
	return costs->copied[COST_BY_CHILD] + costs->copied[COST_BY_PARENT] + costs->copied[COST_BY_BOTH] +
	       costs->copied[COST_BY_UNKNOWN];
}

/* Both sides tell for certain what was copied after them, and not by whom what was copied until then: if that is a
 * part worth knowing of what they shared, the parent before the fork is asked, which infers it. */
static bool tells_more(const struct vmsnap_cow *cow)
{
	enum { PART = 20 };
	struct cow_costs costs = cow_costs(cow);
	uint64_t all = copied_pages(&costs) + vmsnap_cow_pages(cow, VMSNAP_VERDICT_SHARED);
	uint64_t told = copied_pages(&costs) - costs.copied[COST_BY_UNKNOWN];
	return vmsnap_cow_base(cow) && told && told >= all / PART;
}

/* Chooses the base that all of the fork is judged by. */
static int begin_fork(struct vmsnap_series_forks *forks, struct fork *fork, const struct seen *parent,
                      const struct seen *child, struct vmsnap_error *err)
{
	const struct vmsnap *before = find_earlier(&forks->last, parent->process);
	before = before && fork_is_after(child->snap, before) ? before : NULL;
	int rc = before ? compare(forks, parent->snap, child->snap, before, NULL, err) : VMSNAP_OK;
	if (rc)
		return rc;
	fork->before = before && tells_more(forks->cow);
	fork->base = vmsnap_ref(fork->before ? before : parent->snap);
	fork->other = fork->before ? NULL : vmsnap_ref(child->snap);
	fork->first = vmsnap_ref(child->snap);
	return fork->before ? VMSNAP_OK : compare(forks, parent->snap, child->snap, fork->base, fork->other, err);
}

static uint64_t inferred_pages(const struct vmsnap_cow *cow)
{
	struct vmsnap_cow_range range;
	uint64_t bytes = 0;
	for (size_t i = 0; !vmsnap_cow_range(cow, i, &range); i++)
		switch (range.verdict) {
		case VMSNAP_VERDICT_COPIED_BY_CHILD:
		case VMSNAP_VERDICT_COPIED_BY_PARENT:
		case VMSNAP_VERDICT_COPIED_BY_BOTH:
		case VMSNAP_VERDICT_COPIED:
		case VMSNAP_VERDICT_NEW_IN_CHILD:
		case VMSNAP_VERDICT_NEW_IN_PARENT:
		case VMSNAP_VERDICT_NEW_IN_BOTH:
			bytes += range.inferred ? range.end - range.start : 0;
			break;
		default:
			break;
		}
	return bytes;
}

static uint64_t pages_of(const struct vmsnap_cow *cow, int verdict)
{
	return vmsnap_cow_pages(cow, verdict);
}

static void tell_pages(struct vmsnap_series_forks *forks)
{
	const struct vmsnap_cow *cow = forks->cow;
	struct vmsnap_series_fork *told = &forks->told;
	struct cow_costs costs = cow_costs(cow);
	uint64_t page = vmsnap_info(vmsnap_cow_child(cow))->page_size;
	uint64_t both = pages_of(cow, VMSNAP_VERDICT_NEW_IN_BOTH) + pages_of(cow, VMSNAP_VERDICT_ZERO_WRITTEN_BY_BOTH);
	told->by_child = costs.copied[COST_BY_CHILD] * page;
	told->by_parent = costs.copied[COST_BY_PARENT] * page;
	told->by_both = costs.copied[COST_BY_BOTH] * page;
	told->by_unknown = costs.copied[COST_BY_UNKNOWN] * page;
	told->copied = copied_pages(&costs) * page;
	told->new_in_child = (both + pages_of(cow, VMSNAP_VERDICT_NEW_IN_CHILD) +
	                      pages_of(cow, VMSNAP_VERDICT_ZERO_WRITTEN_BY_CHILD)) *
	                     page;
	told->new_in_parent = (both + pages_of(cow, VMSNAP_VERDICT_NEW_IN_PARENT) +
	                       pages_of(cow, VMSNAP_VERDICT_ZERO_WRITTEN_BY_PARENT)) *
	                      page;
	told->alone = costs.alone * page;
	told->shared = (pages_of(cow, VMSNAP_VERDICT_SHARED) + pages_of(cow, VMSNAP_VERDICT_ZERO_SHARED)) * page;
	told->unknown = pages_of(cow, VMSNAP_VERDICT_UNKNOWN) * page;
	told->inferred = inferred_pages(cow);
}

static void tell_times(struct vmsnap_series_forks *forks, struct fork *fork, const struct vmsnap *child)
{
	struct vmsnap_series_fork *told = &forks->told;
	uint64_t elapsed = 0;
	bool known = series_elapsed(fork->first, child, &elapsed);
	told->since_known = fork_before(child, child, &told->since);
	if (told->first) {
		told->elapsed_known = told->since_known;
		told->elapsed = told->since;
	} else if (known && fork->elapsed_known && elapsed >= fork->elapsed) {
		told->elapsed_known = true;
		told->elapsed = elapsed - fork->elapsed;
	}
	fork->elapsed = elapsed;
	fork->elapsed_known = known;
}

static int tell(struct vmsnap_series_forks *forks, struct fork *fork, const struct seen *parent,
                const struct seen *child, struct vmsnap_error *err)
{
	bool first = !fork->first;
	forks->told = (struct vmsnap_series_fork){ .fork = (uint64_t)(fork - forks->forks) + 1,
		                                   .parent = parent->index,
		                                   .child = child->index,
		                                   .parent_pid = vmsnap_info(parent->snap)->pid,
		                                   .child_pid = vmsnap_info(child->snap)->pid,
		                                   .first = first,
		                                   .copied_before = fork->copied,
		                                   .warning = "" };
	int rc = first ? begin_fork(forks, fork, parent, child, err)
	               : compare(forks, parent->snap, child->snap, fork->base, fork->other, err);
	if (rc)
		return rc;
	tell_times(forks, fork, child->snap);
	forks->told.relation = vmsnap_cow_relation(forks->cow);
	forks->told.warning = vmsnap_cow_warning(forks->cow);
	forks->told.before = fork->before;
	forks->told.has_base = vmsnap_cow_base(forks->cow);
	if (forks->told.relation != VMSNAP_RELATION_COMPARABLE) {
		/* It has executed another program, or will have the memory of its parent for ever. */
		fork->over = forks->told.relation == VMSNAP_RELATION_ANOTHER_PROGRAM;
		return rc;
	}
	tell_pages(forks);
	fork->copied = forks->told.copied;
	return rc;
}

/* Of no later instant will it be asked for. */
static void forget(struct vmsnap_series_forks *forks, struct fork *fork, const struct seen *child)
{
	if (!fork->over && forks->source.processes[fork->child].told.last > child->index)
		return;
	fork->over = true;
	drop_base(fork);
}

VMSNAP_API int vmsnap_series_forks_next(struct vmsnap_series_forks *forks, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	forks->told = (struct vmsnap_series_fork){ 0 };
	while (!rc) {
		if (forks->next >= forks->now.count) {
			rc = read_instant(forks, err);
			continue;
		}
		const struct seen *child = &forks->now.items[forks->next++];
		const struct seen *parent = find_parent(&forks->now, child);
		struct fork *fork = NULL;
		rc = parent ? find_fork(forks, child->process, &fork) : VMSNAP_OK;
		if (rc)
			return work_fail(&forks->source.work, rc, err);
		if (!parent || fork->over)
			continue;
		rc = tell(forks, fork, parent, child, err);
		forget(forks, fork, child);
		return rc;
	}
	return rc;
}

VMSNAP_API size_t vmsnap_series_forks_at(const struct vmsnap_series_forks *forks)
{
	return forks->told.fork ? forks->told.child : forks->pending.index;
}

VMSNAP_API int vmsnap_series_fork_sized(const struct vmsnap_series_forks *forks, struct vmsnap_series_fork *out,
                                        size_t size)
{
	if (!forks->told.fork)
		return VMSNAP_ERR_NOT_FOUND;
	struct_give(out, size, &forks->told, sizeof(forks->told));
	return VMSNAP_OK;
}

VMSNAP_API const struct vmsnap_cow *vmsnap_series_fork_cow(const struct vmsnap_series_forks *forks)
{
	return forks->told.fork ? forks->cow : NULL;
}
