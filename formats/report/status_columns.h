/* status_columns.h - a line of status in two snapshots. */
#ifndef VMSNAP_STATUS_COLUMNS_H
#define VMSNAP_STATUS_COLUMNS_H

#include "row.h"

enum { STATUS_KEY, STATUS_A, STATUS_B, STATUS_CHANGE }; /* of status_schema */
/* All but the change. */
void put_status_columns(struct row *row, const struct vmsnap_diff_status *status);

#endif
