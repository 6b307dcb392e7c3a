/* mapping_columns.h - the mapping in which something lies, as further columns of the tables that tell of
 * pages.  JSON has it as a record (vma_record.h), or not at all. */
#ifndef VMSNAP_MAPPING_COLUMNS_H
#define VMSNAP_MAPPING_COLUMNS_H

#include "row.h"

/* Where it begins and its name are columns of each table's own. */
enum { MAPPING_PERM, MAPPING_OFFSET, MAPPING_DEV, MAPPING_INODE, MAPPING_BUILD_ID, MAPPING_COLUMNS };
#define MAPPING_COLUMN(first, which, heading, type, help)                                                              \
	[(first) + MAPPING_##which] = { NULL, heading, type, COLUMN_SECONDARY, help, NULL }
/* For the array of columns, and for their order in the table. */
#define MAPPING_COLUMNS_AFTER_PERM(first)                                                                              \
	MAPPING_COLUMN(first, OFFSET, "OFFSET", COLUMN_OFFSET, "where in the file the mapping begins"),                \
	        MAPPING_COLUMN(first, DEV, "DEV", COLUMN_WORD, "the file's device"),                                   \
	        MAPPING_COLUMN(first, INODE, "INODE", COLUMN_COUNT, "the file's inode"),                               \
	        MAPPING_COLUMN(first, BUILD_ID, "BUILDID", COLUMN_BUILD_ID, "of the file")
#define MAPPING_COLUMNS_OF(first)                                                                                      \
	MAPPING_COLUMN(first, PERM, "PERM", COLUMN_WORD, "rwx, and p for private or s for shared"),                    \
	        MAPPING_COLUMNS_AFTER_PERM(first)
#define MAPPING_SHOWN_AFTER_PERM(first)                                                                                \
	(first) + MAPPING_OFFSET, (first) + MAPPING_DEV, (first) + MAPPING_INODE, (first) + MAPPING_BUILD_ID
#define MAPPING_SHOWN(first) (first) + MAPPING_PERM, MAPPING_SHOWN_AFTER_PERM(first)

/* first: where MAPPING_PERM stands; vma NULL: nothing. */
void put_mapping_columns(struct row *row, unsigned first, const struct vmsnap_vma *vma);

#endif
