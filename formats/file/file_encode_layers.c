/* file_encode_layers.c - KPAG, NODE and DUMP: ranges of pages with a number. */
#include <stdlib.h>

#include "error.h"
#include "file_encode.h"
#include "section.h"

struct layer_columns {
	uint64_t *gaps, *lengths, *values;
};

static int put_ranges(const struct vmsnap *snap, int layer, const struct layer_columns *columns, size_t count,
                      struct payload *out, struct vmsnap_error *err)
{
	uint64_t page_size = vmsnap_info(snap)->page_size, end = 0;
	for (size_t i = 0; i < count; i++) {
		struct vmsnap_layer_range range;
		vmsnap_layer_range(snap, layer, i, &range);
		/* The highest page of all is in no file. */
		if ((range.start | range.end) & (page_size - 1))
			return fail(err, VMSNAP_ERR_ARGUMENT, "%s of pages that no file can hold",
			            vmsnap_layer_name(layer));
		columns->gaps[i] = (range.start - end) / page_size;
		columns->lengths[i] = (range.end - range.start) / page_size - 1;
		columns->values[i] = range.value;
		end = range.end;
	}
	put_varint(&out->bytes, count);
	put_numbers(&out->bytes, columns->gaps, count);
	put_numbers(&out->bytes, columns->lengths, count);
	put_numbers(&out->bytes, columns->values, count);
	return VMSNAP_OK;
}

static int put_layer(const struct vmsnap *snap, int layer, struct payload *out, struct vmsnap_error *err)
{
	size_t count = vmsnap_layer_range_count(snap, layer);
	struct layer_columns columns = { calloc(count + 1, sizeof(uint64_t)), calloc(count + 1, sizeof(uint64_t)),
		                         calloc(count + 1, sizeof(uint64_t)) };
	int rc = columns.gaps && columns.lengths && columns.values ? put_ranges(snap, layer, &columns, count, out, err)
	                                                           : fail_no_memory(err);
	free(columns.gaps);
	free(columns.lengths);
	free(columns.values);
	return rc;
}

int encode_kpag(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	bool flags = vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_FLAGS);
	bool counts = vmsnap_layer_known(snap, VMSNAP_LAYER_KPAGE_COUNT);
	put_varint(&out->bytes, (flags ? KPAG_FLAGS : 0u) | (counts ? KPAG_COUNTS : 0u));
	int rc = flags ? put_layer(snap, VMSNAP_LAYER_KPAGE_FLAGS, out, err) : VMSNAP_OK;
	if (!rc && counts)
		rc = put_layer(snap, VMSNAP_LAYER_KPAGE_COUNT, out, err);
	return rc || !encode_done(out) ? rc : fail_no_memory(err);
}

int encode_node(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	int rc = put_layer(snap, VMSNAP_LAYER_NODE, out, err);
	return rc || !encode_done(out) ? rc : fail_no_memory(err);
}

int encode_dump(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	int rc = put_layer(snap, VMSNAP_LAYER_DUMPED, out, err);
	return rc || !encode_done(out) ? rc : fail_no_memory(err);
}
