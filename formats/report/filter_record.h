/* filter_record.h - what a report was asked to tell of, so that nobody takes it for all. */
#ifndef VMSNAP_FILTER_RECORD_H
#define VMSNAP_FILTER_RECORD_H

#include "filter.h"
#include "row.h"

extern const struct row_schema filter_schema;
/* Nothing, if all is told. */
void put_filter(struct row *row, unsigned column, const struct vmsnap *snap, const struct filter *filter);
/* "only      name libc*, perm x, page exclusive"; nothing, if all is told. */
void put_filter_line(struct text *text, const struct filter *filter);
/* "left out  4.00M, 1024 pages that ...", if filter_count_unknown() found any. */
void put_filter_unknown(struct text *text, const struct vmsnap *snap, const struct filter *filter);

#endif
