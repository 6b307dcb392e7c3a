/* file_decode_layers.c - KPAG, NODE and DUMP. */
#include <inttypes.h>

#include "error.h"
#include "file_decode.h"
#include "section.h"

struct list {
	struct numbers gaps, lengths, values;
	uint64_t count;
	uint64_t least, most; /* values that there can be */
	const char *section;
};

static bool take_numbers_of(struct cursor *payload, struct numbers *numbers, uint64_t count)
{
	struct cursor column;
	return take_column(payload, &column) && numbers_open(numbers, column, (size_t)count);
}

static int add_range(struct decode *decode, struct layer *layer, struct list *list)
{
	uint64_t page_size = decode->snap->info.page_size, top = decode_top(decode);
	uint64_t from = layer->count ? layer->items[layer->count - 1].end / page_size : 0, gap, length, value;
	numbers_next(&list->gaps, &gap, 1);
	numbers_next(&list->lengths, &length, 1);
	numbers_next(&list->values, &value, 1);
	if (gap > top - from || length >= top - from - gap)
		return decode_damaged(decode, "%s: pages above the highest address", list->section);
	if (value < list->least)
		return decode_damaged(decode, "%s: %" PRIu64 " is less than there can be", list->section, value);
	if (value > list->most)
		return decode_damaged(decode, "%s: %" PRIu64 " is more than there can be", list->section, value);
	uint64_t start = (from + gap) * page_size, end = start + (length + 1) * page_size;
	/* Room is made for all of them before. */
	return layer_append(layer, start, end, value) ? fail_no_memory(decode->err) : VMSNAP_OK;
}

static int decode_list(struct decode *decode, struct cursor *payload, int which, struct list list)
{
	struct layer *layer = &decode->snap->layers[which];
	if (!take_varint(payload, &list.count) || list.count > cursor_left(payload) ||
	    !take_numbers_of(payload, &list.gaps, list.count) || !take_numbers_of(payload, &list.lengths, list.count) ||
	    !take_numbers_of(payload, &list.values, list.count))
		return decode_damaged(decode, "%s: its columns do not fit", list.section);
	void *items;
	int rc = decode_array(decode, list.count, sizeof(*layer->items), &items);
	layer->items = items;
	layer->room = rc ? 0 : (size_t)list.count;
	layer->known = true;
	for (uint64_t i = 0; !rc && i < list.count; i++) {
		rc = decode_step(decode);
		rc = rc ? rc : add_range(decode, layer, &list);
	}
	return rc;
}

int decode_kpag(struct decode *decode, struct cursor payload)
{
	uint64_t which;
	if (!take_varint(&payload, &which) || !which || which > (KPAG_FLAGS | KPAG_COUNTS))
		return decode_damaged(decode, "KPAG: expected flags, counts, or both");
	const struct list any = { .section = "KPAG", .most = UINT64_MAX };
	int rc = which & KPAG_FLAGS ? decode_list(decode, &payload, VMSNAP_LAYER_KPAGE_FLAGS, any) : VMSNAP_OK;
	if (!rc && which & KPAG_COUNTS)
		rc = decode_list(decode, &payload, VMSNAP_LAYER_KPAGE_COUNT, any);
	return rc || !cursor_left(&payload) ? rc : decode_damaged(decode, "KPAG: something behind its columns");
}

int decode_node(struct decode *decode, struct cursor payload)
{
	const struct list nodes = { .section = "NODE", .most = NODE_MOST };
	int rc = decode_list(decode, &payload, VMSNAP_LAYER_NODE, nodes);
	return rc || !cursor_left(&payload) ? rc : decode_damaged(decode, "NODE: something behind its columns");
}

int decode_dump(struct decode *decode, struct cursor payload)
{
	const struct list ways = { .section = "DUMP", .least = VMSNAP_DUMPED_BYTES, .most = VMSNAP_DUMPED_LISTED };
	int rc = decode_list(decode, &payload, VMSNAP_LAYER_DUMPED, ways);
	return rc || !cursor_left(&payload) ? rc : decode_damaged(decode, "DUMP: something behind its columns");
}
