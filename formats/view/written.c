#include "written.h"

/* Index of the first range that ends above an address. */
static size_t range_find(const struct vmsnap *snap, uint64_t address)
{
	size_t low = 0, high = vmsnap_layer_range_count(snap, VMSNAP_LAYER_WRITTEN);
	while (low < high) {
		struct vmsnap_layer_range range;
		size_t middle = low + (high - low) / 2;
		vmsnap_layer_range(snap, VMSNAP_LAYER_WRITTEN, middle, &range);
		if (range.end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t written_bytes(const struct vmsnap *snap, uint64_t start, uint64_t end)
{
	uint64_t bytes = 0;
	struct vmsnap_layer_range range;
	for (size_t i = range_find(snap, start);
	     vmsnap_layer_range(snap, VMSNAP_LAYER_WRITTEN, i, &range) == VMSNAP_OK && range.start < end; i++) {
		uint64_t from = range.start > start ? range.start : start, to = range.end < end ? range.end : end;
		bytes += range.value == VMSNAP_PAGE_WAS_WRITTEN ? to - from : 0;
	}
	return bytes;
}
