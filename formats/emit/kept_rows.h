/* kept_rows.h - the rows of a table that is sorted: the only ones that are kept. */
#ifndef VMSNAP_KEPT_ROWS_H
#define VMSNAP_KEPT_ROWS_H

#include "table_row.h"

struct kept_row {
	struct sort_key key;
	size_t first; /* of its cells */
};
struct kept_rows {
	size_t stride; /* cells of a row: the columns that were to be shown */
	struct table_cell *cells;
	size_t cell_count, cell_room;
	struct kept_row *rows;
	size_t count, room;
	int rc; /* of work.h: why a row is missing */
};
/* The row that has just been filled. */
void kept_rows_add(struct kept_rows *kept, struct table *table, bool total);
/* VMSNAP_OK, or a code of work.h. */
int kept_rows_sort(struct kept_rows *kept, const struct table *table);
/* Makes it the table's row again. */
void kept_rows_get(const struct kept_rows *kept, size_t index, struct table *table);
void kept_rows_free(struct kept_rows *kept, struct work *work);

#endif
