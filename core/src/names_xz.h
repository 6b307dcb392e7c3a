/* names_xz.h - how large an .xz stream becomes, without inflating it. */
#ifndef VMSNAP_NAMES_XZ_H
#define VMSNAP_NAMES_XZ_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the .xz stream at [offset, offset + size) of a file inflates to no more
 * than max bytes.  False also for what is not understood. */
bool xz_fits(int fd, uint64_t offset, uint64_t size, uint64_t max);

#endif
