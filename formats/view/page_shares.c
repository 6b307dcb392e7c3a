#include "page_shares.h"

#include "merged.h"

void page_shares_add(struct page_shares *sum, const struct page_shares *more)
{
	sum->shared += more->shared;
	sum->own += more->own;
	sum->unknown += more->unknown;
	sum->file += more->file;
	sum->swapped += more->swapped;
	sum->swapped_unknown += more->swapped_unknown;
	sum->unread += more->unread;
	sum->merged += more->merged;
}

static uint64_t *sum_of(struct page_shares *shares, const struct vmsnap_known *known, const struct vmsnap_run *run)
{
	if (vmsnap_page_unread(run))
		return &shares->unread;
	if (run->flags & VMSNAP_PAGE_SWAPPED)
		return vmsnap_swap_known(run) ? &shares->swapped : &shares->swapped_unknown;
	if (!(run->flags & VMSNAP_PAGE_PRESENT))
		return NULL;
	if (run->flags & VMSNAP_PAGE_FILE)
		return &shares->file;
	if (known->zero && run->flags & VMSNAP_PAGE_ZERO)
		return &shares->shared;
	if (!vmsnap_exclusive_known(known, run))
		return &shares->unknown;
	return run->flags & VMSNAP_PAGE_EXCLUSIVE ? &shares->own : &shares->shared;
}

/* Where all pages are of one kind the sums tell; most mappings are like that, and of a large one the pages are many. */
static bool told_by_sums(const struct vmsnap *snap, const struct vmsnap_sums *sums, struct page_shares *shares)
{
	uint64_t others = sums->resident - sums->exclusive;
	if (sums->swapped || sums->swapped_unknown || sums->swap_unknown)
		return false;
	if (sums->file == sums->resident) {
		shares->file = sums->file;
		return true;
	}
	if (sums->file || sums->zero || (others && vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS)))
		return false;
	shares->own = sums->exclusive;
	shares->unknown = sums->exclusive_unknown;
	shares->shared = others - sums->exclusive_unknown;
	return true;
}

struct page_shares page_shares_of(const struct vmsnap *snap, const struct filter *filter, const struct vmsnap_vma *vma,
                                  const struct vmsnap_sums *sums)
{
	const struct vmsnap_info *info = vmsnap_info(snap);
	struct page_shares shares = { 0 };
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	if (told_by_sums(snap, sums, &shares))
		return shares;
	vmsnap_run_iter_init(&it, snap, vma->start, vma->end);
	while (filter_next(filter, &it, &run)) {
		uint64_t *sum = sum_of(&shares, &info->known, &run);
		if (!sum)
			continue;
		*sum += run.end - run.start;
		shares.merged += merged_of_run(snap, &run);
	}
	return shares;
}
