#include "page_state.h"

#include "page_class.h"
#include "sums.h"

const char *page_state_name(const struct vmsnap_run *page)
{
	uint32_t flags = page->flags;
	if (flags & VMSNAP_PAGE_PRESENT)
		return "present";
	if (vmsnap_page_unread(page))
		return "unread";
	if (flags & VMSNAP_PAGE_SWAPPED)
		return vmsnap_swap_known(page) ? "swapped" : "swapped?";
	if (flags & VMSNAP_PAGE_GUARD)
		return "guard";
	return flags ? "marker" : "absent";
}

/* What is not known is drawn as private; where nothing at all is, nothing is drawn. */
int page_quiet_class(const struct vmsnap *snap, const struct vmsnap_run *page)
{
	uint32_t flags = page->flags;
	if (vmsnap_page_unread(page))
		return CLASS_HOLE;
	if (flags & VMSNAP_PAGE_SWAPPED)
		return vmsnap_swap_known(page) ? CLASS_SWAPPED : CLASS_PRIVATE;
	if (!(flags & VMSNAP_PAGE_PRESENT))
		return CLASS_UNTOUCHED;
	if (flags & VMSNAP_PAGE_FILE)
		return CLASS_FILE;
	/* The zero page is everybody's. */
	if (flags & VMSNAP_PAGE_ZERO)
		return CLASS_SHARED;
	bool known = vmsnap_exclusive_known(&vmsnap_info(snap)->known, page);
	return !known || (flags & VMSNAP_PAGE_EXCLUSIVE) ? CLASS_PRIVATE : CLASS_SHARED;
}

uint64_t pages_unread(const struct vmsnap *snap)
{
	struct vmsnap_sums sums;
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t bytes = 0;
	vmsnap_sum(snap, 0, UINT64_MAX, &sums);
	if (!sums_unread(snap, &sums))
		return 0;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK)
		bytes += vmsnap_page_unread(&run) ? run.end - run.start : 0;
	return bytes;
}

/* In the order in which they are told. */
static const uint32_t told_flags[] = {
	VMSNAP_PAGE_FILE,  VMSNAP_PAGE_EXCLUSIVE, VMSNAP_PAGE_SOFT_DIRTY, VMSNAP_PAGE_UFFD_WP,
	VMSNAP_PAGE_GUARD, VMSNAP_PAGE_ZERO,      VMSNAP_PAGE_HUGE,
};

enum { TOLD_FLAGS = sizeof(told_flags) / sizeof(told_flags[0]) };

uint32_t page_flag_bits(uint32_t flags)
{
	/* Of what looks swapped these mean another thing. */
	if (flags & VMSNAP_PAGE_SWAPPED)
		flags &= ~(uint32_t)(VMSNAP_PAGE_HUGE | VMSNAP_PAGE_ZERO);

	uint32_t bits = 0;
	for (unsigned i = 0; i < TOLD_FLAGS; i++)
		bits |= flags & told_flags[i] ? UINT32_C(1) << i : 0;
	return bits;
}

struct page_flags page_flags_told(const struct vmsnap *snap, const struct vmsnap_run *page)
{
	const struct vmsnap_known *known = &vmsnap_info(snap)->known;
	bool hidden = (page->flags & VMSNAP_PAGE_PRESENT) && !vmsnap_exclusive_known(known, page);
	uint32_t exclusive = hidden ? VMSNAP_PAGE_EXCLUSIVE : 0;
	uint32_t huge = known->huge ? 0 : VMSNAP_PAGE_HUGE;
	return (struct page_flags){ page_flag_bits(page->flags & ~(exclusive | huge)), page_flag_bits(exclusive) };
}

const char *page_flag_name(int bit)
{
	return vmsnap_page_flag_name(told_flags[bit]);
}
