/* patch.h - bytes as what differs from other bytes (docs/format.md, section 4.14).  Knows not what they mean. */
#ifndef VMSNAP_PATCH_H
#define VMSNAP_PATCH_H

#include "column.h"

/* Appends the patch that makes `to` of `base`; out->failed if there is no memory. */
void patch_make(struct cursor base, struct cursor to, struct bytes *out);
/* Replaces what is in `out` by the `len` bytes that a patch makes of `base`.  False: it does not, or there is no
 * memory (out->failed). */
bool patch_apply(struct cursor base, struct cursor patch, uint64_t len, struct bytes *out);

#endif
