/* export_events.h - the tables of page faults that were watched. */
#ifndef VMSNAP_EXPORT_EVENTS_H
#define VMSNAP_EXPORT_EVENTS_H

#include "export_row.h"

/* Of a snapshot that page faults are kept with; of others there are none. */
int export_event_rows(struct export_rows *rows, const struct vmsnap *snap, struct vmsnap_error *err);

#endif
