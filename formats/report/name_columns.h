/* name_columns.h - the names on some pages, as records and as a list for people. */
#ifndef VMSNAP_NAME_COLUMNS_H
#define VMSNAP_NAME_COLUMNS_H

#include "row.h"
#include "top_names.h"

extern const struct row_schema name_schema;
/* offset: of what is spoken of, from where the name begins. */
void put_name(struct row *row, unsigned column, struct vmsnap_names *names, const struct vmsnap_name *name,
              uint64_t offset);

/* Two columns: the first names on the range, else the mapping; and how many there are. */
enum { NAMES_MAX = 64 };
int put_names(struct row *row, unsigned column, unsigned total, struct vmsnap_names *names, uint64_t start,
              uint64_t end, struct vmsnap_error *err);

/* "counter,table,+12" */
void put_top_names(struct row *row, unsigned column, const struct top_names *top);

#endif
