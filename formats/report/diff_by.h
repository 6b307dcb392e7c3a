/* diff_by.h - who made, copied or first wrote to the pages of a diff, as a column and as records of JSON. */
#ifndef VMSNAP_DIFF_BY_H
#define VMSNAP_DIFF_BY_H

#include "changed_by.h"
#include "diff_view.h"
#include "row.h"
#include "text_out.h"

extern const struct row_schema diff_by_schema;

/* Of diff ranges [first, first + count), as far as they lie in [start, end).  by->blame NULL: nothing is put. */
struct diff_by_pages {
	size_t first, count;
	uint64_t start, end;
};
/* "f (a.c:3) and 2 more", "kernel or unseen". */
void put_by_text(struct row *row, unsigned column, struct changed_by *by, const struct diff_view *view,
                 struct diff_by_pages pages);
void put_by_records(struct row *row, unsigned column, struct changed_by *by, const struct vmsnap_diff_range *range);
/* What of the faults is not known. */
void put_by_lost(struct text *text, const struct changed_by *by);

#endif
