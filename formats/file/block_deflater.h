/* block_deflater.h - blocks of pages as zlib streams, fast: with libdeflate where there is one, which is
 * twice as fast as zlib and makes them smaller. */
#ifndef VMSNAP_BLOCK_DEFLATER_H
#define VMSNAP_BLOCK_DEFLATER_H

#include "column.h"

/* For one thread at a time. */
struct block_deflater;
struct block_deflater *block_deflater_new(void); /* NULL: no memory */
void block_deflater_free(struct block_deflater *deflater);
/* Replaces what is in `out`.  False: it would not become smaller, or there is no memory (out->failed). */
bool block_deflate(struct block_deflater *deflater, const uint8_t *raw, size_t len, struct bytes *out);

#endif
