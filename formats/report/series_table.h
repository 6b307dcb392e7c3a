/* series_table.h - a series for people: a row for each snapshot, a column for each of those that grew most, and what
 * became of them from the first to the last. */
#ifndef VMSNAP_SERIES_TABLE_H
#define VMSNAP_SERIES_TABLE_H

#include "series_rows.h"
#include "text_out.h"

/* Goes over the series once.  *unread: the code of the first snapshot that could not be read, with *unread_err. */
int put_series_table(struct text *text, struct vmsnap_series *series, int by, uint64_t min, int *unread,
                     struct vmsnap_error *unread_err, struct vmsnap_error *err);

#endif
