/* vma_record.h - what a mapping is, as a record, and what lies in it. */
#ifndef VMSNAP_VMA_RECORD_H
#define VMSNAP_VMA_RECORD_H

#include "row.h"

/* The first columns of every schema of a mapping. */
enum {
	VMA_START,
	VMA_END,
	VMA_PERM,
	VMA_OFFSET,
	VMA_DEV,
	VMA_INODE,
	VMA_NAME,
	VMA_DELETED,
	VMA_BUILD_ID,
	VMA_COLUMNS,
};
void put_vma_columns(struct row *row, const struct vmsnap_vma *vma);
/* The same with other words for its permissions. */
void put_vma_columns_as(struct row *row, const struct vmsnap_vma *vma, const char *perms);

extern const struct row_schema vma_schema; /* these and no more */
/* vma NULL: nothing. */
void put_vma(struct row *row, unsigned column, const struct vmsnap_vma *vma);

/* Bytes by their state, which follow each other in a schema. */
enum {
	SUMS_SIZE,
	SUMS_RESIDENT,
	SUMS_SWAPPED,
	SUMS_EXCLUSIVE,
	SUMS_ZERO,
	SUMS_FILE,
	SUMS_HUGE,
	SUMS_GUARD,
	SUMS_EXCLUSIVE_UNKNOWN,
	SUMS_SWAPPED_UNKNOWN,
	SUMS_COLUMNS
};
/* first: where SUMS_SIZE stands. */
void put_sums_columns(struct row *row, unsigned first, const struct vmsnap *snap, const struct vmsnap_sums *sums);

#endif
