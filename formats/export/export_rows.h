/* export_rows.h - what snapshots of one instant say, as rows of the schema. */
#ifndef VMSNAP_EXPORT_ROWS_H
#define VMSNAP_EXPORT_ROWS_H

#include "export_row.h"

/* Object rows come before those of mappings that name them, a snapshot's own row last. */
int export_rows(struct export_rows *rows, const struct vmsnap *const *snaps, size_t count, struct vmsnap_error *err);
void export_rows_free(struct export_rows *rows);

#endif
