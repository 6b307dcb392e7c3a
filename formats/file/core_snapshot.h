/* core_snapshot.h - a core file as a snapshot: what it tells of a process, and where in it the bytes of its pages are,
 * none of which is read. */
#ifndef VMSNAP_CORE_SNAPSHOT_H
#define VMSNAP_CORE_SNAPSHOT_H

#include "core_elf.h"

struct vmsnap;

/* work: with the limit that the snapshot keeps.  cut: where the file ends that should be longer; 0: it does not. */
int core_snapshot_read(const struct file_source *source, struct work work, struct vmsnap **out, uint64_t *cut,
                       struct vmsnap_error *err);

#endif
