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

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ VMSNAP_PAGE_FILE, "file" },
	{ VMSNAP_PAGE_EXCLUSIVE, "exclusive" },
	{ VMSNAP_PAGE_SOFT_DIRTY, "soft_dirty" },
	{ VMSNAP_PAGE_UFFD_WP, "uffd_wp" },
	{ VMSNAP_PAGE_GUARD, "guard" },
	{ VMSNAP_PAGE_ZERO, "zero" },
	{ VMSNAP_PAGE_HUGE, "huge" },
};

enum { FLAG_NAMES = sizeof(flag_names) / sizeof(flag_names[0]) };

uint32_t page_flag_bits(uint32_t flags)
{
	uint32_t bits = 0;
	for (unsigned i = 0; i < FLAG_NAMES; i++)
		bits |= flags & flag_names[i].flag ? UINT32_C(1) << i : 0;
	return bits;
}

const char *page_flag_name(int bit)
{
	return flag_names[bit].name;
}
