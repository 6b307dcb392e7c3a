#include "written.h"

size_t written_find(const struct vmsnap *snap, uint64_t address)
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

struct written written_in(const struct vmsnap *snap, uint64_t start, uint64_t end)
{
	struct written written = { 0 };
	struct vmsnap_layer_range range;
	for (size_t i = written_find(snap, start);
	     vmsnap_layer_range(snap, VMSNAP_LAYER_WRITTEN, i, &range) == VMSNAP_OK && range.start < end; i++) {
		uint64_t from = range.start > start ? range.start : start, to = range.end < end ? range.end : end;
		*(range.value == VMSNAP_PAGE_WAS_WRITTEN ? &written.bytes : &written.maybe) += to - from;
	}
	return written;
}
