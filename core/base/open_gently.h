/* open_gently.h - opens what a process has mapped, if reading it changes nothing of the process. */
#ifndef VMSNAP_OPEN_GENTLY_H
#define VMSNAP_OPEN_GENTLY_H

#include <stdbool.h>

/* open_found(), but not what may be shared memory of which something is in swap, EBUSY; `overlay`: nor what may be so
 * below an overlayfs. */
int open_found_gently(int found, bool overlay);

#endif
