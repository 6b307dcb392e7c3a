/* zstd.h - debug information that is compressed with zstd, as newer compilers can: by libzstd, if it is there. */
#ifndef VMSNAP_ZSTD_H
#define VMSNAP_ZSTD_H

#include <stdbool.h>
#include <stddef.h>

/* VMSNAP_OK: it is exactly `len` bytes; VMSNAP_ERR_CORRUPT; VMSNAP_ERR_NOT_FOUND: there is no library. */
int zstd_inflate(const void *packed, size_t packed_len, void *to, size_t len);

#endif
