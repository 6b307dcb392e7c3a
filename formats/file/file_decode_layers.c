/* file_decode_layers.c - KPAG, NODE and DUMP. */
#include <inttypes.h>

#include "error.h"
#include "file_decode.h"
#include "section.h"

struct list {
	struct numbers gaps, lengths, values;
	uint64_t count;
	const char *section;
};

static bool take_numbers_of(struct cursor *payload, struct numbers *numbers, uint64_t count)
{
	struct cursor column;
	return take_column(payload, &column) && numbers_open(numbers, column, (size_t)count);
}

static int add_range(struct decode *decode, struct layer *layer, struct list *list, uint64_t most)
{
	uint64_t page_size = decode->snap->info.page_size, top = decode_top(decode);
	uint64_t from = layer->count ? layer->items[layer->count - 1].end / page_size : 0, gap, length, value;
	numbers_next(&list->gaps, &gap, 1);
	numbers_next(&list->lengths, &length, 1);
	numbers_next(&list->values, &value, 1);
	if (gap > top - from || length >= top - from - gap)
		return decode_damaged(decode, "%s: pages above the highest address", list->section);
	if (value > most)
		return decode_damaged(decode, "%s: %" PRIu64 " is more than there can be", list->section, value);
	uint64_t start = (from + gap) * page_size, end = start + (length + 1) * page_size;
	/* Room is made for all of them before. */
	return layer_append(layer, start, end, value) ? fail_no_memory(decode->err) : VMSNAP_OK;
}

static int decode_list(struct decode *decode, struct cursor *payload, int which, const char *section, uint64_t most)
{
	struct layer *layer = &decode->snap->layers[which];
	struct list list = { .section = section };
	if (!take_varint(payload, &list.count) || list.count > cursor_left(payload) ||
	    !take_numbers_of(payload, &list.gaps, list.count) || !take_numbers_of(payload, &list.lengths, list.count) ||
	    !take_numbers_of(payload, &list.values, list.count))
		return decode_damaged(decode, "%s: its columns do not fit", section);
	void *items;
	int rc = decode_array(decode, list.count, sizeof(*layer->items), &items);
	layer->items = items;
	layer->room = rc ? 0 : (size_t)list.count;
	layer->known = true;
	for (uint64_t i = 0; !rc && i < list.count; i++) {
		rc = decode_step(decode);
		rc = rc ? rc : add_range(decode, layer, &list, most);
	}
	return rc;
}

int decode_kpag(struct decode *decode, struct cursor payload)
{
	uint64_t which;
	if (!take_varint(&payload, &which) || !which || which > (KPAG_FLAGS | KPAG_COUNTS))
		return decode_damaged(decode, "KPAG: expected flags, counts, or both");
	int rc = which & KPAG_FLAGS ? decode_list(decode, &payload, VMSNAP_LAYER_KPAGE_FLAGS, "KPAG", UINT64_MAX)
	                            : VMSNAP_OK;
	if (!rc && which & KPAG_COUNTS)
		rc = decode_list(decode, &payload, VMSNAP_LAYER_KPAGE_COUNT, "KPAG", UINT64_MAX);
	return rc || !cursor_left(&payload) ? rc : decode_damaged(decode, "KPAG: something behind its columns");
}

int decode_node(struct decode *decode, struct cursor payload)
{
	int rc = decode_list(decode, &payload, VMSNAP_LAYER_NODE, "NODE", NODE_MOST);
	return rc || !cursor_left(&payload) ? rc : decode_damaged(decode, "NODE: something behind its columns");
}

int decode_dump(struct decode *decode, struct cursor payload)
{
	int rc = decode_list(decode, &payload, VMSNAP_LAYER_DUMPED, "DUMP", VMSNAP_DUMPED_LISTED);
	return rc || !cursor_left(&payload) ? rc : decode_damaged(decode, "DUMP: something behind its columns");
}
