#include "states.h"

#include "merged.h"
#include "page_state.h"

static const struct {
	const char *words;
	uint32_t flags; /* enum vmsnap_page_flag */
} states[STATES] = {
	[STATE_ABSENT] = { "not resident", 0 },
	[STATE_PRIVATE] = { "private", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE },
	[STATE_SHARED] = { "shared", VMSNAP_PAGE_PRESENT },
	[STATE_FILE] = { "page cache", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE },
	[STATE_SWAPPED] = { "swapped", VMSNAP_PAGE_SWAPPED },
	[STATE_ZERO] = { "zero page", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_ZERO },
	[STATE_PRESENT] = { "private or shared", VMSNAP_PAGE_PRESENT },
	[STATE_GUARD] = { "guard", VMSNAP_PAGE_GUARD },
	[STATE_LOOKS_SWAPPED] = { "swapped?", VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_HUGE },
	[STATE_HUGE_PRIVATE] = { "private, huge", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_HUGE },
	[STATE_HUGE_SHARED] = { "shared, huge", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_HUGE },
	[STATE_HUGE_FILE] = { "page cache, huge", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE | VMSNAP_PAGE_HUGE },
	[STATE_HUGE_PRESENT] = { "private or shared, huge", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_HUGE },
	[STATE_HUGE_ZERO] = { "zero page, huge", VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE },
	[STATE_MARKER] = { "marker", VMSNAP_PAGE_UFFD_WP },
	[STATE_MERGED] = { "shared, merged (KSM)", VMSNAP_PAGE_PRESENT },
	[STATE_UNREAD] = { "unread", VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_HUGE | VMSNAP_PAGE_ZERO },
	[STATE_DUMPED] = { "in the core file", 0 },
	[STATE_DUMP_HOLE] = { "a hole of the core file", 0 },
};

const char *state_words(enum state state)
{
	return states[state].words;
}

uint32_t state_flags(enum state state)
{
	return states[state].flags;
}

static enum state present_state(const struct vmsnap_known *known, const struct vmsnap_run *run)
{
	bool huge = run->flags & VMSNAP_PAGE_HUGE;
	if (run->flags & VMSNAP_PAGE_FILE)
		return huge ? STATE_HUGE_FILE : STATE_FILE;
	if (run->flags & VMSNAP_PAGE_ZERO)
		return huge ? STATE_HUGE_ZERO : STATE_ZERO;
	if (!vmsnap_exclusive_known(known, run))
		return huge ? STATE_HUGE_PRESENT : STATE_PRESENT;
	if (run->flags & VMSNAP_PAGE_EXCLUSIVE)
		return huge ? STATE_HUGE_PRIVATE : STATE_PRIVATE;
	return huge ? STATE_HUGE_SHARED : STATE_SHARED;
}

enum state state_of(const struct vmsnap *snap, const struct vmsnap_run *run)
{
	if (run->flags & VMSNAP_PAGE_PRESENT)
		return present_state(&vmsnap_info(snap)->known, run);
	if (vmsnap_page_unread(run))
		return STATE_UNREAD;
	if (run->flags & VMSNAP_PAGE_SWAPPED)
		return vmsnap_swap_known(run) ? STATE_SWAPPED : STATE_LOOKS_SWAPPED;
	if (run->flags & VMSNAP_PAGE_GUARD)
		return STATE_GUARD;
	return run->flags ? STATE_MARKER : STATE_ABSENT;
}

enum state state_dumped(uint64_t dumped)
{
	switch (dumped) {
	case VMSNAP_DUMPED_BYTES:
		return STATE_DUMPED;
	case VMSNAP_DUMPED_HOLE:
		return STATE_DUMP_HOLE;
	case VMSNAP_DUMPED_CUT:
		return STATE_UNREAD;
	default:
		return STATE_ABSENT;
	}
}

enum state state_at(const struct vmsnap *snap, const struct vmsnap_run *run, uint64_t address, uint64_t *end)
{
	return merged_at(snap, run, address, end) ? STATE_MERGED : state_of(snap, run);
}
