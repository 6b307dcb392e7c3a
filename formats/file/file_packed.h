/* file_packed.h - a core file that is compressed, as systemd-coredump keeps them: frames of zstd or LZ4, made whole in
 * a temporary file without a name, in which zeros are holes. */
#ifndef VMSNAP_FILE_PACKED_H
#define VMSNAP_FILE_PACKED_H

#include "file_source.h"
#include "work.h"

/* Puts what was packed in the place of a source that is compressed; leaves others as they are.  limits: with
 * .input_bytes set: as much data may come out.  VMSNAP_ERR_NOT_SNAPSHOT: it is no core that is packed, or there is no
 * library that could tell. */
int file_packed_open(struct file_source *source, const struct vmsnap_limits *limits, struct work *work,
                     struct vmsnap_error *err);

#endif
