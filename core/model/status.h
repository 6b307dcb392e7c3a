/* status.h - the lines of /proc/PID/status, one after another: asking for the n-th one
 * reads all before it again, and a hostile file may have millions. */
#ifndef VMSNAP_STATUS_H
#define VMSNAP_STATUS_H

#include "scan.h"
#include "snapshot.h"

struct cursor status_begin(const struct vmsnap *snap);
/* The next "Key:\tvalue" line; lines without a colon are passed over. */
bool status_next(struct cursor *c, struct vmsnap_status_field *out);

#endif
