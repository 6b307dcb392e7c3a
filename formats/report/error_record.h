/* error_record.h - what is wrong with a file, or with a snapshot in it, as a record. */
#ifndef VMSNAP_ERROR_RECORD_H
#define VMSNAP_ERROR_RECORD_H

#include "row.h"

extern const struct row_schema error_schema;
/* code VMSNAP_OK: nothing. */
void put_error(struct row *row, unsigned column, int code, const struct vmsnap_error *error);

#endif
