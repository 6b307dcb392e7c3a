/* contents_held.c - how far one answer holds of what memory held: a range of a terabyte is one question. */
#include "error.h"
#include "snapshot.h"

static void lower(uint64_t *end, uint64_t edge, uint64_t at)
{
	if (edge > at && edge < *end)
		*end = edge;
}

/* Where neither mapping nor state of pages changes. */
static void lower_to_edges(const struct vmsnap *snap, uint64_t at, uint64_t *end)
{
	size_t index = snapshot_vma_find(snap, at);
	if (index < snap->vma_count) {
		lower(end, snap->vmas[index].start, at);
		lower(end, snap->vmas[index].end, at);
	}
	uint64_t dumped, edge;
	if (snap->info.known.states_unknown) {
		(void)vmsnap_layer_at(snap, VMSNAP_LAYER_DUMPED, at, &dumped, &edge);
		lower(end, edge, at);
	}
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, at, *end);
	if (!vmsnap_run_next(&it, &run)) {
		lower(end, run.start, at);
		lower(end, run.end, at);
	}
}

VMSNAP_API int vmsnap_contents_held(const struct vmsnap *snap, uint64_t address, uint64_t *end)
{
	uint64_t kept, kept_end;
	char byte;
	size_t got;
	*end = UINT64_MAX;
	if (vmsnap_contents_kind(snap) != VMSNAP_CONTENTS_BYTES)
		return VMSNAP_HELD_UNKNOWN;
	if (!vmsnap_contents_range(snap, address, &kept, &kept_end)) {
		if (kept <= address) {
			*end = kept_end ? kept_end : UINT64_MAX;
			return VMSNAP_HELD_BYTES;
		}
		*end = kept;
	}
	lower_to_edges(snap, address, end);
	bool known = !vmsnap_contents_read(snap, address, &byte, 1, &got, NULL) && got;
	return known ? VMSNAP_HELD_ZEROS : VMSNAP_HELD_UNKNOWN;
}
