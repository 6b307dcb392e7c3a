/* status_kept.h - the text of /proc/PID/status as a snapshot keeps it: without what our own freeze left in it. */
#ifndef VMSNAP_STATUS_KEPT_H
#define VMSNAP_STATUS_KEPT_H

#include "procdir.h"
#include "snapshot.h"

/* before: as it was right before it was frozen by us; NULL: it was not.  VMSNAP_ERR_NO_MEMORY. */
int status_keep(struct vmsnap *snap, const struct proc_text *now, const struct proc_text *before);

#endif
