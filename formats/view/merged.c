#include "merged.h"

/* Nothing else of what a page of KSM is would be told with it: neither huge, nor a file's, nor exclusive. */
static bool may_be_merged(const struct vmsnap_run *run)
{
	uint32_t others = VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO | VMSNAP_PAGE_HUGE | VMSNAP_PAGE_EXCLUSIVE;
	return run->flags & VMSNAP_PAGE_PRESENT && !(run->flags & others);
}

bool merged_at(const struct vmsnap *snap, const struct vmsnap_run *run, uint64_t address, uint64_t *end)
{
	uint64_t flags, until = run->end;
	*end = run->end;
	if (!may_be_merged(run) || !vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS))
		return false;
	int rc = vmsnap_layer_at(snap, VMSNAP_LAYER_KPAGE_FLAGS, address, &flags, &until);
	*end = until > address && until < run->end ? until : run->end;
	return rc == VMSNAP_OK && flags >> VMSNAP_KPAGE_KSM & 1;
}

uint64_t merged_of_run(const struct vmsnap *snap, const struct vmsnap_run *run)
{
	uint64_t bytes = 0;
	for (uint64_t at = run->start, end; at < run->end; at = end)
		bytes += merged_at(snap, run, at, &end) ? end - at : 0;
	return bytes;
}
