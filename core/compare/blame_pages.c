#include <string.h>

#include "blame_looking.h"

/* A page that was not the process's own can be written to with a fault once; and once more after each fork.  If as many
 * were seen, no other one can have been: unless it was given back, which may be among what was lost. */
static bool is_doubtful(const struct blame_looking *looking, int became, const struct blame_picks *picks)
{
	bool plain = became == VMSNAP_BECAME_MAPPED || became == VMSNAP_BECAME_SWAPPED_IN;
	bool more = looking->hidden && picks->count < looking->forks + (became != VMSNAP_BECAME_REPLACED);
	return picks->count && !plain && (more || picks->maybe || (looking->lost && !looking->memory));
}

static size_t told_of(const struct blame_picks *picks)
{
	return picks->count < BLAME_PICKED_MAX ? picks->count : BLAME_PICKED_MAX;
}

static bool same_picks(const struct vmsnap_blame *blame, const struct vmsnap_blamed *last,
                       const struct blame_picks *picks)
{
	size_t count = told_of(picks);
	return last->count == count &&
	       (!count || !memcmp(blame->picked + last->first, picks->items, count * sizeof(*picks->items)));
}

/* What was there, and the process's own, and is in another frame after a write to it, was shared in between: it forked.
 */
static bool copies(const struct vmsnap_blame *blame, const struct blame_picks *picks)
{
	size_t count = told_of(picks);
	for (size_t i = 0; i < count; i++)
		if (vmsnap_faults_at(blame->faults, picks->items[i])->kind != VMSNAP_FAULT_WRITE_PROTECTED)
			return false;
	return count > 0;
}

void blame_put(struct blame_looking *looking, uint64_t start, uint64_t end, int became, const struct blame_picks *picks,
               bool inherited)
{
	struct vmsnap_blame *blame = looking->blame;
	struct vmsnap_blamed *last = blame->count ? &blame->items[blame->count - 1] : NULL;
	bool doubtful = is_doubtful(looking, became, picks);
	became = became == VMSNAP_BECAME_REPLACED && copies(blame, picks) ? VMSNAP_BECAME_COPIED : became;
	if (last && last->snap == looking->process->after && last->end == start && last->became == became &&
	    last->inherited == inherited && last->doubtful == doubtful && same_picks(blame, last, picks)) {
		last->end = end;
		return;
	}
	size_t first = blame->picked_count, count = told_of(picks);
	for (size_t i = 0; i < count; i++)
		if (WORK_ROOM(&blame->work, blame->picked, blame->picked_count, &blame->picked_room, &looking->rc))
			blame->picked[blame->picked_count++] = picks->items[i];
	if (WORK_ROOM(&blame->work, blame->items, blame->count, &blame->room, &looking->rc))
		blame->items[blame->count++] = (struct vmsnap_blamed){
			.snap = looking->process->after,
			.start = start,
			.end = end,
			.became = became,
			.first = first,
			.count = count,
			.doubtful = doubtful,
			.inherited = inherited,
		};
}

/* Whom a process was made by that was forked meanwhile, until then. */
static struct blame_whose parent_of(const struct blame_looking *looking)
{
	const struct vmsnap_fault_event *born = &looking->process->born;
	return (struct blame_whose){ memory_owner_at(&looking->index->owners, born->pid, born->time), 0, born->time };
}

static bool find_own(const struct vmsnap *snap, uint64_t page, struct vmsnap_run *run)
{
	struct vmsnap_run_iter it;
	vmsnap_run_iter_init(&it, snap, page, page + 1);
	return !vmsnap_run_next(&it, run) && run->flags & VMSNAP_PAGE_PRESENT &&
	       !(run->flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO)) &&
	       vmsnap_exclusive_known(&vmsnap_info(snap)->known, run);
}

/* If nobody else has it: that its parent wrote to it since the fork, or has it no more.  One that has it for itself,
 * and did not write, has another one. */
static bool parent_let_go(const struct blame_looking *looking, uint64_t start, uint64_t end)
{
	const struct vmsnap_blame *blame = looking->blame;
	const struct blame_process *parent = NULL;
	struct blame_whose since = parent_of(looking);
	struct vmsnap_run run;
	for (size_t i = 0; !parent && i < blame->process_count; i++)
		if (blame_number_of(&blame->processes[i]) == since.pid)
			parent = &blame->processes[i];
	since.from = since.to;
	since.to = UINT64_MAX;
	return !parent || parent->executed > since.from || !find_own(parent->after, start, &run) ||
	       blame_index_any_write(looking->index, &since, start, end);
}

static bool is_parents(const struct blame_looking *looking, uint64_t start, uint64_t end)
{
	struct vmsnap_run run;
	bool known = find_own(looking->process->after, start, &run);
	return !known || !(run.flags & VMSNAP_PAGE_EXCLUSIVE) || parent_let_go(looking, start, end);
}

/* Pages of a process that was forked meanwhile, on which it had no fault: its parent had made them. */
static bool by_parent(const struct blame_looking *looking, uint64_t start, uint64_t end)
{
	const struct vmsnap_fault_event *born = &looking->process->born;
	struct blame_whose parent = parent_of(looking);
	return born->time && !blame_ranges_touch(&looking->gone.given_back, start, end) &&
	       !blame_ranges_touch(&looking->gone.maybe_given_back, start, end) &&
	       blame_index_any_write(looking->index, &parent, start, end);
}

void blame_pages(struct blame_looking *looking, uint64_t start, uint64_t end, uint64_t from, int became)
{
	struct blame_picks picks = { .count = 0 };
	uint64_t len = end - start;
	blame_index_pick(looking->index, &looking->whose, start, end, became, &picks);
	/* Memory that moved: it may have been before.  Where moves are told, the index has what was as it is now. */
	if (from != start && !looking->memory)
		blame_index_pick(looking->index, &looking->whose, from, from + len, became, &picks);
	bool parents = !picks.count && by_parent(looking, start, end), inherited = parents;
	if (parents && !is_parents(looking, start, end)) {
		const struct blame_whose parent = parent_of(looking);
		inherited = false;
		picks.maybe = true; /* where not all faults are told, its parent's may explain it */
		if (looking->hidden)
			blame_index_pick(looking->index, &parent, start, end, VMSNAP_BECAME_WRITTEN, &picks);
	}
	blame_put(looking, start, end, became, &picks, inherited);
}
