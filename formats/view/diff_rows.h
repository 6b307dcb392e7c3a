/* diff_rows.h - which mappings changed, and by how much. */
#ifndef VMSNAP_DIFF_ROWS_H
#define VMSNAP_DIFF_ROWS_H

#include "diff_view.h"

/* Bytes, by what happened; copied and shared are of private mappings. */
struct diff_sums {
	uint64_t classes[PAGE_CLASSES];
	uint64_t shared; /* at A */
};

/* One changed mapping, or what is left of one in A between two of B's: its ranges, and the
 * VMA changes that are about it. */
struct diff_row {
	const struct vmsnap_vma *vma; /* NULL: pages where nothing is mapped */
	uint64_t start, end;          /* all of it, or what is left */
	size_t first_range, range_count;
	size_t first_change, change_count; /* in diff_rows.order */
};
struct diff_rows {
	const struct diff_view *view;
	size_t *order; /* VMA changes by address: indexes of vmsnap_diff_vma() */
	size_t order_count;
	size_t next_range, next_change;
};
int diff_rows_init(struct diff_rows *rows, const struct diff_view *view, struct work *work);
void diff_rows_free(struct diff_rows *rows);
void diff_rows_rewind(struct diff_rows *rows);
/* Whether there are any; to be rewound then. */
bool diff_rows_any(struct diff_rows *rows);
bool diff_rows_next(struct diff_rows *rows, struct diff_row *row);
/* B's mapping, or A's if it is gone. */
const struct vmsnap_vma *diff_change_vma(const struct vmsnap_diff_vma *change);

void diff_row_sums(const struct diff_view *view, const struct diff_row *row, struct diff_sums *sums);

#endif
