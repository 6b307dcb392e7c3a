#include "blame_looking.h"

/* Of small pages that the process had before; all of them: or such that were huge. */
static bool had_pages(const struct blame_looking *looking, uint64_t start, uint64_t end, bool all)
{
	const struct vmsnap *before = looking->process->executed ? NULL : looking->process->before;
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	if (!before)
		return false;
	vmsnap_run_iter_init(&it, before, start, end);
	while (!vmsnap_run_next(&it, &run))
		if (run.flags & (VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_SWAPPED) &&
		    !(run.flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO)) && (all || !(run.flags & VMSNAP_PAGE_HUGE)))
			return true;
	return false;
}

/* A huge page may be made by one fault, anywhere in it, if nothing was there; or be copied as a whole.  Else the kernel
 * made it of small ones (khugepaged, MADV_COLLAPSE), and each of these is for itself. */
static bool is_one_thing(const struct blame_looking *looking, uint64_t start, uint64_t end, int became)
{
	bool copied = became == VMSNAP_BECAME_COPIED || became == VMSNAP_BECAME_EXCLUSIVE;
	return !blame_ranges_touch(&looking->gone.collapsed, start, end) &&
	       (blame_ranges_hold(&looking->gone.given_back, start, end) || !had_pages(looking, start, end, !copied));
}

/* Only the small page that the fault was on is that one's for certain, if the kernel may have made the rest. */
static void blame_apart(struct blame_looking *looking, uint64_t start, uint64_t end, int became,
                        const struct blame_picks *one)
{
	uint64_t page = looking->index->page;
	struct blame_picks maybe = *one;
	maybe.maybe = true;
	for (uint64_t small = start; !looking->rc && small < end; small += page) {
		struct blame_picks own = { .count = 0 };
		blame_index_pick(looking->index, &looking->whose, small, small + page, became, &own);
		blame_put(looking, small, small + page, became, own.count ? &own : &maybe, false);
	}
}

/* If there were several faults, too, each is for itself. */
void blame_huge(struct blame_looking *looking, uint64_t start, uint64_t end, uint64_t from, int became)
{
	uint64_t page = looking->index->page, huge = page / 8 * page;
	for (uint64_t at = start; !looking->rc && at < end;) {
		uint64_t first = at & ~(huge - 1), next = first + huge < end ? first + huge : end;
		struct blame_picks picks = { .count = 0 };
		bool one = is_one_thing(looking, first, first + huge, became);
		if (one)
			blame_index_pick(looking->index, &looking->whose, first, first + huge, became, &picks);
		one = one && picks.count == 1;
		if (one && looking->maybe_collapsed)
			blame_apart(looking, at, next, became, &picks);
		else if (one)
			blame_put(looking, at, next, became, &picks, false);
		for (uint64_t small = at; !one && !looking->rc && small < next; small += page)
			blame_pages(looking, small, small + page, from + (small - start), became);
		looking->rc = looking->rc ? looking->rc : work_step(&looking->blame->work);
		at = next;
	}
}

bool blame_is_huge(const struct vmsnap *snap, uint64_t page)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, page, page + 1);
	return !vmsnap_run_next(&it, &run) && run.flags & VMSNAP_PAGE_HUGE;
}
