/* file_write.h - snapshots to a stream of sections.  Writes to a descriptor from
 * where it stands and never seeks. */
#ifndef VMSNAP_FILE_WRITE_H
#define VMSNAP_FILE_WRITE_H

#include "vmsnap.h"
#include "work.h"

/* name is for messages.  Without the header it continues a stream. */
int file_write_stream(int fd, const char *name, const struct vmsnap *const *snaps, size_t count, bool header,
                      struct work *work, struct vmsnap_error *err);

#endif
