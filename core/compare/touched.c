#include "touched.h"

#include "sorted.h"

static void collect(const struct vmsnap *snap, struct touched_list *list)
{
	const struct layer *writes = &snap->layers[VMSNAP_LAYER_DEBUGGER_WRITES];
	for (size_t i = 0; i < writes->count; i++)
		list->items[list->count++] = writes->items[i];
}

int touched_pages(const struct vmsnap *const *snaps, size_t sides, struct work *work, struct touched_list *out)
{
	size_t count = 0;
	*out = (struct touched_list){ 0 };
	for (size_t i = 0; i < sides; i++)
		count += vmsnap_layer_range_count(snaps[i], VMSNAP_LAYER_DEBUGGER_WRITES);
	if (!count)
		return VMSNAP_OK;
	int rc = VMSNAP_OK;
	out->items = work_array(work, count, sizeof(*out->items), &rc);
	out->room = count;
	for (size_t i = 0; !rc && i < sides; i++)
		collect(snaps[i], out);
	return rc ? rc : layer_ranges_join(out->items, &out->count, work);
}

void touched_free(struct touched_list *list, struct work *work)
{
	work_free(work, list->items, list->room, sizeof(*list->items));
	*list = (struct touched_list){ 0 };
}

bool touched_at(const struct touched_list *list, uint64_t at, uint64_t *until)
{
	size_t low = SORTED_ABOVE(struct vmsnap_layer_range, end, list->items, list->count, at);
	if (low == list->count)
		return false;
	bool inside = list->items[low].start <= at;
	uint64_t edge = inside ? list->items[low].end : list->items[low].start;
	if (edge < *until)
		*until = edge;
	return inside;
}
