/* file_encode_written.c - WRIT. */
#include <stdlib.h>

#include "error.h"
#include "file_encode.h"

struct range_columns {
	uint64_t *gaps, *lengths;
	uint8_t *values;
};

static int put_ranges(const struct vmsnap *snap, struct range_columns *columns, size_t count, struct payload *out,
                      struct vmsnap_error *err)
{
	uint64_t page_size = vmsnap_info(snap)->page_size, end = 0;
	for (size_t i = 0; i < count; i++) {
		struct vmsnap_layer_range range;
		vmsnap_layer_range(snap, VMSNAP_LAYER_WRITTEN, i, &range);
		/* The highest page of all is in no file. */
		if ((range.start | range.end) & (page_size - 1))
			return fail(err, VMSNAP_ERR_ARGUMENT, "written pages that no file can hold");
		columns->gaps[i] = (range.start - end) / page_size;
		columns->lengths[i] = (range.end - range.start) / page_size - 1;
		columns->values[i] = (uint8_t)range.value;
		end = range.end;
	}
	put_varint(&out->bytes, count);
	put_numbers(&out->bytes, columns->gaps, count);
	put_numbers(&out->bytes, columns->lengths, count);
	put_column(&out->bytes, columns->values, count);
	return encode_done(out) ? fail_no_memory(err) : VMSNAP_OK;
}

int encode_writ(const struct vmsnap *snap, struct payload *out, struct vmsnap_error *err)
{
	size_t count = vmsnap_layer_range_count(snap, VMSNAP_LAYER_WRITTEN);
	struct range_columns columns = { calloc(count + 1, sizeof(*columns.gaps)),
		                         calloc(count + 1, sizeof(*columns.lengths)),
		                         calloc(count + 1, sizeof(*columns.values)) };
	int rc = columns.gaps && columns.lengths && columns.values ? put_ranges(snap, &columns, count, out, err)
	                                                           : fail_no_memory(err);
	free(columns.gaps);
	free(columns.lengths);
	free(columns.values);
	return rc;
}
