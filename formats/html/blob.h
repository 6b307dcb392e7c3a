/* blob.h - bytes as text that a browser can inflate: base64 of a zlib stream. */
#ifndef VMSNAP_HTML_BLOB_H
#define VMSNAP_HTML_BLOB_H

#include "spill.h"

int blob_write(const struct spill *bytes, vmsnap_write_fn write, void *ctx, struct vmsnap_error *err);

#endif
