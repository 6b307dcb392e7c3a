#include "blame_looking.h"

static void blame_range(struct blame_looking *looking, uint64_t start, uint64_t end, uint64_t from, int became)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t page = looking->index->page;
	vmsnap_run_iter_init(&it, looking->process->after, start, end);
	while (!looking->rc && !vmsnap_run_next(&it, &run)) {
		uint64_t at = from + (run.start - start);
		bool huge = (run.flags & VMSNAP_PAGE_HUGE) && vmsnap_info(looking->process->after)->known.huge;
		if (huge && from == start)
			blame_huge(looking, run.start, run.end, at, became);
		for (uint64_t small = run.start; !(huge && from == start) && !looking->rc && small < run.end;
		     small += page) {
			blame_pages(looking, small, small + page, at + (small - run.start), became);
			looking->rc = looking->rc ? looking->rc : work_step(&looking->blame->work);
		}
	}
}

/* ---- what became of it ------------------------------------------------------------------ */

#define HAS(set, which) ((set) & (UINT32_C(1) << (which)))

/* -1: nothing that a fault would do. */
static int became_of(const struct vmsnap_diff_range *range)
{
	bool own = !(range->after & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
	if (!(range->after & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED)))
		return -1;
	/* Where a copy of its own was given back, the file's page is in another frame, too. */
	if (!own)
		return HAS(range->changes, VMSNAP_CHANGE_APPEARED) || HAS(range->changes, VMSNAP_CHANGE_PFN_CHANGED) ||
		                       HAS(range->kinds, VMSNAP_KIND_NEW) || HAS(range->kinds, VMSNAP_KIND_MAPPED)
		               ? VMSNAP_BECAME_MAPPED
		               : -1;
	if (HAS(range->changes, VMSNAP_CHANGE_PRIVATISED))
		return VMSNAP_BECAME_PRIVATISED;
	if (HAS(range->changes, VMSNAP_CHANGE_ZERO_FILLED_IN))
		return VMSNAP_BECAME_FILLED;
	if (HAS(range->kinds, VMSNAP_KIND_COPIED))
		return VMSNAP_BECAME_COPIED;
	if (HAS(range->kinds, VMSNAP_KIND_NEW) || HAS(range->changes, VMSNAP_CHANGE_APPEARED))
		return VMSNAP_BECAME_NEW;
	if (HAS(range->changes, VMSNAP_CHANGE_SWAPPED_IN))
		return VMSNAP_BECAME_SWAPPED_IN;
	if (HAS(range->kinds, VMSNAP_KIND_WRITTEN))
		return VMSNAP_BECAME_WRITTEN;
	if (HAS(range->changes, VMSNAP_CHANGE_PFN_CHANGED))
		return VMSNAP_BECAME_REPLACED;
	return HAS(range->changes, VMSNAP_CHANGE_BECAME_EXCLUSIVE) ? VMSNAP_BECAME_EXCLUSIVE : -1;
}

static bool has_frames(const struct vmsnap_diff *diff)
{
	return vmsnap_info(vmsnap_diff_a(diff))->known.pfn && vmsnap_info(vmsnap_diff_b(diff))->known.pfn;
}

static void compare(struct blame_looking *looking, const struct vmsnap_diff *diff)
{
	struct vmsnap_diff_range range;
	bool frames = has_frames(diff);
	for (size_t i = 0; !looking->rc && !vmsnap_diff_range(diff, i, &range); i++) {
		int became = became_of(&range);
		/* Where frames are known, it is in the one it was in. */
		if (became >= 0 && !(became == VMSNAP_BECAME_EXCLUSIVE && frames))
			blame_range(looking, range.start, range.end, range.moved ? range.from : range.start, became);
	}
}

/* Of a program that was executed meanwhile, all is new. */
static void all_new(struct blame_looking *looking)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, looking->process->after, 0, UINT64_MAX);
	while (!looking->rc && !vmsnap_run_next(&it, &run)) {
		bool own = !(run.flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
		blame_range(looking, run.start, run.end, run.start, own ? VMSNAP_BECAME_NEW : VMSNAP_BECAME_MAPPED);
	}
}

static bool is_own(const struct vmsnap *snap, uint64_t page)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, page, page + 1);
	return !vmsnap_run_next(&it, &run) && run.flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED) &&
	       !(run.flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
}

static int by_start(const void *x, const void *y, const void *ctx)
{
	const struct vmsnap_blamed *a = x, *b = y;
	(void)ctx;
	return (a->start > b->start) - (a->start < b->start);
}

/* Without frames a page that was copied, and that a child has by the end, or that was made anew, looks as it did: only
 * the fault tells.  first: of what is told of this process already, in the order of addresses. */
static void add_rewritten(struct blame_looking *looking, size_t first)
{
	struct vmsnap_blame *blame = looking->blame;
	size_t told = first, end = blame->count;
	uint64_t page = 0;
	for (size_t at = 0; !looking->rc && blame_index_next_page(looking->index, &looking->whose, &at, &page);) {
		struct blame_picks picks = { .count = 0 };
		while (told < end && blame->items[told].end <= page)
			told++;
		if ((told < end && blame->items[told].start <= page) || !is_own(looking->process->after, page) ||
		    !is_own(looking->process->before, page))
			continue;
		blame_index_pick(looking->index, &looking->whose, page, page + looking->index->page,
		                 VMSNAP_BECAME_EXCLUSIVE, &picks);
		if (picks.count)
			blame_put(looking, page, page + looking->index->page, VMSNAP_BECAME_EXCLUSIVE, &picks, false);
		looking->rc = looking->rc ? looking->rc : work_step(&blame->work);
	}
	if (!looking->rc && blame->count > end)
		looking->rc = work_sort(&blame->work, blame->items + first, blame->count - first, sizeof(*blame->items),
		                        by_start, NULL);
}

void blame_join(struct blame_looking *looking, const struct vmsnap_diff *diff)
{
	size_t first = looking->blame->count;
	if (!diff) {
		all_new(looking);
		return;
	}
	compare(looking, diff);
	if (!has_frames(diff))
		add_rewritten(looking, first);
}
