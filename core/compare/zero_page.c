#include "zero_page.h"

#include <string.h>

#include "runs.h"

struct zero_known zero_known_of(const struct vmsnap *snap, const struct vmsnap *const *snaps, size_t count)
{
	const struct vmsnap_known *known = &snap->info.known;
	struct zero_known zero = { .flagged = known->zero, .exclusive = known->exclusive };
	for (size_t i = 0; !zero.flagged && known->pfn && i < count; i++)
		if (snaps[i] && snaps[i]->info.zero_pfn && *snap->info.boot_id &&
		    !strcmp(snap->info.boot_id, snaps[i]->info.boot_id))
			zero.pfn = snaps[i]->info.zero_pfn;
	return zero;
}

enum zero_page zero_page_of(uint64_t entry, const struct zero_known *known, bool plain)
{
	uint64_t frame = entry & ENTRY_FRAME_MASK;
	if (!(entry & ENTRY_PRESENT))
		return ZERO_NO;
	if (known->flagged)
		return entry & ENTRY_FLAG(VMSNAP_PAGE_ZERO) ? ZERO_YES : ZERO_NO;
	if (entry & ENTRY_FLAG(VMSNAP_PAGE_FILE))
		return plain ? ZERO_YES : ZERO_NO;
	if (known->exclusive && (entry & ENTRY_FLAG(VMSNAP_PAGE_EXCLUSIVE)))
		return ZERO_NO;
	if (known->pfn && frame)
		return frame == known->pfn ? ZERO_YES : ZERO_NO;
	return ZERO_MAYBE;
}
