/* cow_when.c - when the sharing of a fork was lost: cow_when() of fork_when.h. */
#define _GNU_SOURCE
#include <time.h>

#include "cow_groups.h"
#include "diff_view.h"
#include "error.h"
#include "fork_time.h"
#include "fork_when.h"

/* Who wants the answer has waited enough. */
enum { SECONDS_MOST = 2 };

/* A fork, and those who looked at it: when it was made, if that is known; at the base; those of a file; and now. */
struct watched {
	const struct vmsnap_cow *cow;
	struct fork_when *when;
	struct fork_look early[2], now;
	size_t early_count;
	const struct vmsnap_file *file;
	size_t *instants; /* the first snapshot of each that both are in */
	size_t count, room;
	struct work *work;
	time_t until;
};

static time_t seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Both sides, at one instant. */
struct sides {
	struct vmsnap *parent, *child;
};

static void sides_drop(struct sides *sides)
{
	vmsnap_unref(sides->parent);
	vmsnap_unref(sides->child);
}

/* Those of an instant of the file that are of the same processes; whole, or who they are alone.  False: not both, or
 * they cannot be read. */
static bool sides_at(const struct watched *watched, size_t index, bool whole, struct sides *sides, size_t *end)
{
	size_t first, count;
	*sides = (struct sides){ NULL, NULL };
	if (vmsnap_file_instant(watched->file, index, &first, &count, NULL)) {
		*end = index + 1;
		return false;
	}
	*end = first + count;
	for (size_t i = first; i < *end; i++) {
		struct vmsnap *snap;
		if (vmsnap_file_peek(watched->file, i, &snap, NULL))
			continue;
		struct vmsnap **side = vmsnap_same_process(snap, vmsnap_cow_parent(watched->cow))  ? &sides->parent
		                       : vmsnap_same_process(snap, vmsnap_cow_child(watched->cow)) ? &sides->child
		                                                                                   : NULL;
		bool wanted = side && !*side;
		if (wanted && !whole)
			*side = vmsnap_ref(snap);
		else if (wanted && vmsnap_file_load(watched->file, i, side, NULL))
			*side = NULL;
		vmsnap_unref(snap);
	}
	return sides->parent && sides->child;
}

static uint64_t lost_of(const struct vmsnap_cow *cow)
{
	struct cow_costs costs = cow_costs(cow);
	uint64_t pages = 0;
	for (int i = 0; i < COST_KINDS; i++)
		pages += costs.copied[i];
	return pages * vmsnap_info(vmsnap_cow_child(cow))->page_size;
}

/* By the base of all of it. */
static bool lost_at(const struct watched *watched, const struct sides *sides, uint64_t *lost)
{
	const struct vmsnap_compare_options options = { .size = sizeof(options),
		                                        .cancelled = watched->work->cancelled,
		                                        .cancel_ctx = watched->work->cancel_ctx };
	const struct vmsnap_cow *cow = watched->cow;
	struct vmsnap_cow *then;
	if (vmsnap_cow_new_between(sides->parent, sides->child, vmsnap_cow_base(cow), vmsnap_cow_base_other(cow),
	                           &options, &then, NULL))
		return false;
	bool compared = vmsnap_cow_relation(then) == VMSNAP_RELATION_COMPARABLE;
	*lost = lost_of(then);
	vmsnap_cow_free(then);
	return compared;
}

/* ---- times ----------------------------------------------------------------------------------- */

/* The child as the base has it; NULL: it has not both. */
static const struct vmsnap *base_child(const struct vmsnap_cow *cow)
{
	const struct vmsnap *base = vmsnap_cow_base(cow), *other = vmsnap_cow_base_other(cow);
	bool of_child = base && vmsnap_same_process(base, vmsnap_cow_child(cow));
	return !base || !other ? NULL : of_child ? base : other;
}

/* Since the fork, or since the base. */
static bool time_of(const struct watched *watched, const struct vmsnap *child, uint64_t *ns)
{
	const struct vmsnap *base = base_child(watched->cow);
	if (watched->when->since_fork)
		return fork_before(vmsnap_cow_child(watched->cow), child, ns);
	int64_t from = base ? vmsnap_info(base)->monotonic : 0, to = vmsnap_info(child)->monotonic;
	*ns = to > from ? (uint64_t)(to - from) : 0;
	return from > 0 && to >= from && same_boot(base, child);
}

/* ---- looks ------------------------------------------------------------------------------------- */

static bool look_at(void *ctx, size_t index, struct fork_look *look)
{
	const struct watched *watched = ctx;
	struct sides sides;
	size_t end;
	if (index < watched->early_count) {
		*look = watched->early[index];
		return true;
	}
	index -= watched->early_count;
	if (index == watched->count) {
		*look = watched->now;
		return true;
	}
	if (seconds() >= watched->until || work_ask(watched->work))
		return false;
	bool told = sides_at(watched, watched->instants[index], true, &sides, &end) &&
	            time_of(watched, sides.child, &look->at) && lost_at(watched, &sides, &look->lost);
	sides_drop(&sides);
	return told;
}

static int find_instants(struct watched *watched, const struct fork_looks *between)
{
	int rc = VMSNAP_OK;
	size_t end;
	for (size_t at = between->first; !rc && at < between->end; at = end) {
		struct sides sides;
		bool both = sides_at(watched, at, false, &sides, &end);
		sides_drop(&sides);
		if (both && WORK_ROOM(watched->work, watched->instants, watched->count, &watched->room, &rc))
			watched->instants[watched->count++] = at;
		rc = rc ? rc : work_step(watched->work);
	}
	return rc;
}

static void look_early(struct watched *watched, const struct cow_began *began)
{
	const struct vmsnap *base = base_child(watched->cow);
	if (watched->when->since_fork)
		watched->early[watched->early_count++] = (struct fork_look){ .at = 0 };
	struct fork_look look = { .lost = began->by_base };
	if (base && began->known && !began->least && time_of(watched, base, &look.at))
		watched->early[watched->early_count++] = look;
}

static bool frames_known(const struct vmsnap_cow *cow)
{
	return vmsnap_info(vmsnap_cow_parent(cow))->known.pfn && vmsnap_info(vmsnap_cow_child(cow))->known.pfn;
}

int cow_when(const struct vmsnap_cow *cow, const struct cow_began *began, const struct fork_looks *between,
             struct work *work, struct fork_when *when, struct vmsnap_error *err)
{
	struct watched watched = { .cow = cow, .when = when, .file = between->file, .work = work };
	struct fork_time time;
	int rc = VMSNAP_OK;
	*when = (struct fork_when){ .known = false };
	/* Without a base, or frames, what was copied is inferred. */
	if (vmsnap_cow_relation(cow) != VMSNAP_RELATION_COMPARABLE || !vmsnap_cow_base(cow) || cow_side_unseen(cow) ||
	    !frames_known(cow))
		return rc;
	when->since_fork = fork_time_of(vmsnap_cow_parent(cow), vmsnap_cow_child(cow), &time);
	look_early(&watched, began);
	watched.now.lost = lost_of(cow);
	watched.until = seconds() + SECONDS_MOST;
	if (!watched.early_count || !time_of(&watched, vmsnap_cow_child(cow), &watched.now.at))
		return rc;
	if (between->file)
		rc = find_instants(&watched, between);
	if (!rc)
		fork_when(watched.early_count + watched.count + 1, look_at, &watched, when);
	work_free(work, watched.instants, watched.room, sizeof(*watched.instants));
	return work_fail(work, rc, err);
}
