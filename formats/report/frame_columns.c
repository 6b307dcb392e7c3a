#include "frame_columns.h"

enum { SWAP_TYPE, SWAP_OFFSET };
static const struct column swap_columns[] = {
	[SWAP_TYPE] = { "type", .type = COLUMN_COUNT },
	[SWAP_OFFSET] = { "offset", .type = COLUMN_COUNT },
};
const struct row_schema swap_schema = ROW_SCHEMA(swap_columns);

void put_frame_columns(struct row *row, unsigned pfn, unsigned swap, const struct vmsnap *snap,
                       const struct vmsnap_run *page)
{
	bool known = vmsnap_info(snap)->known.pfn;
	/* A frame of 0 in a snapshot that knows PFNs was hidden all the same. */
	if ((page->flags & VMSNAP_PAGE_PRESENT) && known && page->pfn)
		row_put_hex(row, pfn, page->pfn);
	if (!(page->flags & VMSNAP_PAGE_SWAPPED) || !row_wants(row, swap))
		return;
	struct row record = row_open(row, swap);
	row_put_count_known(&record, SWAP_TYPE, page->swap_type, known);
	row_put_count_known(&record, SWAP_OFFSET, page->swap_offset, known);
	row_end(&record);
}
