/* unpacker.h - frames of zstd and LZ4 become bytes again, by libzstd and liblz4, if they are there. */
#ifndef VMSNAP_UNPACKER_H
#define VMSNAP_UNPACKER_H

#include <stddef.h>

#include "vmsnap.h"

struct unpacker;
/* kind: "zstd" or "lz4".  VMSNAP_ERR_NOT_FOUND: there is no library for it; VMSNAP_ERR_NO_MEMORY. */
int unpacker_new(const char *kind, struct unpacker **out);
void unpacker_free(struct unpacker *unpacker); /* NULL is fine */
/* *taken and *made: how many bytes there are, and how much room; then how many were taken and made.  Frames may follow
 * each other.  VMSNAP_ERR_CORRUPT. */
int unpacker_step(struct unpacker *unpacker, const void *in, size_t *taken, void *out, size_t *made);

#endif
