#include "page_state.h"

#include "page_class.h"

const char *page_state_name(uint32_t flags)
{
	if (flags & VMSNAP_PAGE_PRESENT)
		return "present";
	if (flags & VMSNAP_PAGE_SWAPPED)
		return "swapped";
	if (flags & VMSNAP_PAGE_GUARD)
		return "guard";
	return flags ? "marker" : "absent";
}

int page_quiet_class(const struct vmsnap *snap, uint32_t flags)
{
	if (flags & VMSNAP_PAGE_SWAPPED)
		return CLASS_SWAPPED;
	if (!(flags & VMSNAP_PAGE_PRESENT))
		return CLASS_UNTOUCHED;
	if (flags & VMSNAP_PAGE_FILE)
		return CLASS_FILE;
	/* The zero page is everybody's. */
	if (flags & VMSNAP_PAGE_ZERO)
		return CLASS_SHARED;
	return !vmsnap_info(snap)->known.exclusive || (flags & VMSNAP_PAGE_EXCLUSIVE) ? CLASS_PRIVATE : CLASS_SHARED;
}

/* In the order in which they are told. */
static const uint32_t told_flags[] = {
	VMSNAP_PAGE_FILE,  VMSNAP_PAGE_EXCLUSIVE, VMSNAP_PAGE_SOFT_DIRTY, VMSNAP_PAGE_UFFD_WP,
	VMSNAP_PAGE_GUARD, VMSNAP_PAGE_ZERO,      VMSNAP_PAGE_HUGE,
};

enum { TOLD_FLAGS = sizeof(told_flags) / sizeof(told_flags[0]) };

uint32_t page_flag_bits(uint32_t flags)
{
	uint32_t bits = 0;
	for (unsigned i = 0; i < TOLD_FLAGS; i++)
		bits |= flags & told_flags[i] ? UINT32_C(1) << i : 0;
	return bits;
}

const char *page_flag_name(int bit)
{
	return vmsnap_page_flag_name(told_flags[bit]);
}
