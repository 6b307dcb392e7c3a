#include "print_page_touched.h"

int page_touched_init(struct page_touched *touched, const struct vmsnap *snap, uint64_t address, struct work *work)
{
	uint64_t page_size = vmsnap_info(snap)->page_size, start = address - address % page_size;
	uint64_t end = start < UINT64_MAX - page_size ? start + page_size : UINT64_MAX;
	*touched = (struct page_touched){ .touched = false };
	int rc = touched_by_init(&touched->by, snap, work);
	if (rc)
		return rc;
	touched_reasons_add(&touched->reasons, &touched->by, start, end);
	for (size_t i = 0; i < touched->by.count && !touched->touched; i++) {
		const struct vmsnap_annotation *bytes = touched->by.items[i].name;
		if (bytes->address >= end)
			break;
		touched->touched = bytes->address + bytes->size > start;
	}
	return VMSNAP_OK;
}

void page_touched_free(struct page_touched *touched, struct work *work)
{
	touched_by_free(&touched->by, work);
}

void json_page_touched(struct json *json, const struct page_touched *touched)
{
	json_array(json, "touched");
	for (size_t i = 0; i < touched->reasons.count; i++)
		json_string(json, NULL, touched->reasons.first[i]->symbol);
	if (touched->touched && !touched->reasons.count)
		json_string(json, NULL, "unknown");
	json_end(json);
}
