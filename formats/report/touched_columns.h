/* touched_columns.h - by what a debugger touched pages, for programs and for people. */
#ifndef VMSNAP_TOUCHED_COLUMNS_H
#define VMSNAP_TOUCHED_COLUMNS_H

#include "row.h"
#include "touched_by.h"

/* Two columns: whether, and by what. */
void put_touched(struct row *row, unsigned whether, unsigned by, bool touched, const struct touched_reasons *reasons);
/* A list in which something stands if the page was touched. */
void put_touched_list(struct row *row, unsigned column, bool touched, const struct touched_reasons *reasons);
/* "breakpoint 2,inferior call"; nothing for a page that was not touched. */
void put_touched_text(struct row *row, unsigned column, bool touched, const struct touched_reasons *reasons);
/* Pages of each verdict, of `unknown` not known, and how many they are in all: a record of this. */
extern const struct row_schema touched_verdicts_schema;
void put_touched_verdicts(struct row *row, unsigned column, const uint64_t totals[VMSNAP_VERDICT_COUNT],
                          uint32_t unknown);

#endif
