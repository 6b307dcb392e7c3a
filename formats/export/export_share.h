/* export_share.h - of several processes of one instant: who shares how much, and what forks copied. */
#ifndef VMSNAP_EXPORT_SHARE_H
#define VMSNAP_EXPORT_SHARE_H

#include "export_row.h"

/* Snapshots of one instant, in the order of time; keeps those of the last one. */
int export_share_rows(struct export_rows *rows, const struct vmsnap *const *snaps, size_t count,
                      struct vmsnap_error *err);
void export_share_free(struct export_share *share); /* NULL is fine */

#endif
