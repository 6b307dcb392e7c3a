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

/* Whether others map it, too, or whether it is in swap: where that is not known it is drawn as private. */
int page_quiet_class(const struct vmsnap *snap, const struct vmsnap_run *page)
{
	uint32_t flags = page->flags;
	if (vmsnap_page_unread(page))
		return CLASS_UNREAD;
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
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	uint64_t bytes = 0;
	if (!sums_may_be_unread(snap))
		return 0;
	vmsnap_run_iter_init(&it, snap, 0, UINT64_MAX);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK)
		bytes += vmsnap_page_unread(&run) ? run.end - run.start : 0;
	return bytes;
}

/* What was left out of a core file is known to have been mapped, and no more. */
static int class_dumped(uint64_t dumped)
{
	switch (dumped) {
	case VMSNAP_DUMPED_BYTES:
		return CLASS_DUMPED;
	case VMSNAP_DUMPED_HOLE:
		return CLASS_DUMP_HOLE;
	case VMSNAP_DUMPED_CUT:
		return CLASS_UNREAD;
	default:
		return CLASS_HOLE;
	}
}

static bool next_dumped(struct page_classes *it, struct page_range *out)
{
	while (it->at < it->end) {
		uint64_t dumped, until = it->end, at = it->at;
		int page_class = vmsnap_layer_at(it->snap, VMSNAP_LAYER_DUMPED, at, &dumped, &until)
		                         ? CLASS_HOLE
		                         : class_dumped(dumped);
		it->at = until > at && until < it->end ? until : it->end;
		if (page_class == CLASS_HOLE)
			continue;
		*out = (struct page_range){ at, it->at, page_class };
		return true;
	}
	return false;
}

void page_classes_init(struct page_classes *it, const struct vmsnap *snap, uint64_t start, uint64_t end)
{
	*it = (struct page_classes){ .snap = snap, .at = start, .end = end };
	it->dumped = vmsnap_info(snap)->known.states_unknown;
	if (!it->dumped)
		vmsnap_run_iter_init(&it->runs, snap, start, end);
}

bool page_classes_next(struct page_classes *it, struct page_range *out)
{
	struct vmsnap_run run;
	if (it->dumped)
		return next_dumped(it, out);
	if (vmsnap_run_next(&it->runs, &run))
		return false;
	*out = (struct page_range){ run.start, run.end, page_quiet_class(it->snap, &run) };
	return true;
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
