/* frame_columns.h - where a page is: its frame, or its place in swap. */
#ifndef VMSNAP_FRAME_COLUMNS_H
#define VMSNAP_FRAME_COLUMNS_H

#include "row.h"

extern const struct row_schema swap_schema;
/* Puts two columns, the frame of a page that is present and the place of one in swap. */
void put_frame_columns(struct row *row, unsigned pfn, unsigned swap, const struct vmsnap *snap,
                       const struct vmsnap_run *page);

#endif
