/* file_decode_written.c - WRIT. */
#include <inttypes.h>

#include "error.h"
#include "file_decode.h"

static int add_range(struct decode *decode, struct layer *layer, uint64_t gap, uint64_t pages_less_1, uint8_t value)
{
	uint64_t page_size = decode->snap->info.page_size, top = decode_top(decode);
	uint64_t from = layer->count ? layer->items[layer->count - 1].end / page_size : 0;
	if (gap > top - from || pages_less_1 >= top - from - gap)
		return decode_damaged(decode, "WRIT: pages above the highest address");
	if (!value || value > VMSNAP_PAGE_MAYBE_WRITTEN)
		return decode_damaged(decode, "WRIT: %u is not known to say what was written", value);
	uint64_t start = (from + gap) * page_size, end = start + (pages_less_1 + 1) * page_size;
	/* Room is made for all of them before. */
	return layer_append(layer, start, end, value) ? fail_no_memory(decode->err) : VMSNAP_OK;
}

int decode_writ(struct decode *decode, struct cursor payload)
{
	struct layer *layer = &decode->snap->layers[VMSNAP_LAYER_WRITTEN];
	struct cursor gap_column, length_column, values;
	struct numbers gaps, lengths;
	uint64_t count, gap, length;
	if (!take_varint(&payload, &count) || count > cursor_left(&payload) || !take_column(&payload, &gap_column) ||
	    !numbers_open(&gaps, gap_column, (size_t)count) || !take_column(&payload, &length_column) ||
	    !numbers_open(&lengths, length_column, (size_t)count) || !take_column(&payload, &values) ||
	    cursor_left(&values) != count || cursor_left(&payload))
		return decode_damaged(decode, "WRIT: its columns do not fit");
	if (!decode->snap->info.known.written)
		return decode_damaged(decode, "WRIT: SNAP does not say who told what was written");
	void *items;
	int rc = decode_array(decode, count, sizeof(*layer->items), &items);
	layer->items = items;
	layer->room = rc ? 0 : (size_t)count;
	for (uint64_t i = 0; !rc && i < count; i++) {
		numbers_next(&gaps, &gap, 1);
		numbers_next(&lengths, &length, 1);
		rc = decode_step(decode);
		rc = rc ? rc : add_range(decode, layer, gap, length, *values.at++);
	}
	return rc;
}
