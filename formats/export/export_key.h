/* export_key.h - what a snapshot is called in a database. */
#ifndef VMSNAP_EXPORT_KEY_H
#define VMSNAP_EXPORT_KEY_H

#include <stdint.h>

#include "vmsnap.h"

/* The first 128 bits of SHA-256 over machine, boot, pid, start time and time: the same wherever it is made. */
enum { EXPORT_KEY_BYTES = 16 };
void export_key(const struct vmsnap *snap, const char *host, uint8_t out[EXPORT_KEY_BYTES]);

/* Of a mapping: what it shows.  63 bits, as not every database has more without a sign.  UINT64_MAX: there is no
 * memory. */
uint64_t export_object(const struct vmsnap_vma *vma);

#endif
