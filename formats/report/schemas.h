/* schemas.h - what each report is made of: the rows of its table, and its document. */
#ifndef VMSNAP_SCHEMAS_H
#define VMSNAP_SCHEMAS_H

#include "row.h"

extern const struct row_schema abilities_document_schema;
extern const struct row_schema aslr_schema, aslr_document_schema;
extern const struct row_schema blame_schema, blame_document_schema;
extern const struct row_schema check_schema, check_document_schema;
extern const struct row_schema cow_schema, cow_document_schema;
extern const struct row_schema diff_schema, diff_document_schema;
extern const struct row_schema dump_document_schema;
extern const struct row_schema sharing_schema, sharing_document_schema;
extern const struct row_schema sharing_by_schema, sharing_by_document_schema;
extern const struct row_schema history_schema, history_document_schema;
extern const struct row_schema list_schema, list_document_schema;
extern const struct row_schema map_one_schema, map_two_schema; /* documents */
extern const struct row_schema page_document_schema;
extern const struct row_schema pages_schema, pages_document_schema;
extern const struct row_schema series_schema, series_document_schema;
extern const struct row_schema series_forks_schema, series_forks_document_schema;
extern const struct row_schema set_cow_schema, set_cow_document_schema;
extern const struct row_schema set_diff_schema, set_diff_document_schema;
extern const struct row_schema show_schema, show_document_schema;
extern const struct row_schema show_by_schema, show_by_document_schema;
extern const struct row_schema snapshots_schema, snapshots_document_schema;
extern const struct row_schema values_schema, values_document_schema;
extern const struct row_schema who_schema, who_file_schema, who_document_schema;
extern const struct row_schema written_document_schema;
extern const struct row_schema status_schema, status_one_schema, status_document_schema;

#endif
