/* xz.h - how large an .xz stream becomes, without inflating it, and what it becomes. */
#ifndef VMSNAP_XZ_H
#define VMSNAP_XZ_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the .xz stream at [offset, offset + size) of a file inflates to no more
 * than max bytes.  False also for what is not understood. */
bool xz_fits(int fd, uint64_t offset, uint64_t size, uint64_t max);
/* The same; *made: to how many.  Only written if it is true. */
bool xz_size(int fd, uint64_t offset, uint64_t size, uint64_t max, uint64_t *made);
/* Inflates it to the size that xz_size() said.  False if it is damaged, or if there is no
 * liblzma, which elfutils brings along. */
bool xz_inflate(int fd, uint64_t offset, uint64_t size, void *out, uint64_t room);

#endif
