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

/* Pages of a process that was forked meanwhile, on which it had no fault: they are as its parent had made them. */
static bool by_parent(const struct blame_looking *looking, uint64_t start, uint64_t end)
{
	const struct vmsnap_fault_event *born = &looking->process->born;
	struct blame_whose parent = { .pid = memory_owner_at(&looking->index->owners, born->pid, born->time),
		                      .from = 0,
		                      .to = born->time };
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
	bool inherited = !picks.count && by_parent(looking, start, end);
	blame_put(looking, start, end, became, &picks, inherited);
}
