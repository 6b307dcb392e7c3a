/* diff_status.h - which lines of /proc/PID/status differ. */
#ifndef VMSNAP_DIFF_STATUS_H
#define VMSNAP_DIFF_STATUS_H

#include "snapshot.h"

/* Lines of A in its order, then those that only B has; to be freed. */
int diff_status(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_diff_status **out, size_t *count);

#endif
