/* identity.h - completing a snapshot, when nobody waits any more: the machine, what
 * the status text says, and the build IDs of the mapped files. */
#ifndef VMSNAP_IDENTITY_H
#define VMSNAP_IDENTITY_H

#include "snapshot.h"

/* Host, kernel, boot: of this machine. */
int identity_machine(struct vmsnap *snap, struct vmsnap_error *err);
/* pid, parent, user and pid namespace from the status text.  `live`: it is that of a process, even if
 * it was read from a thread, as the main one had exited. */
void identity_from_status(struct vmsnap *snap, bool live);
/* The cgroup; it may have exited since: then it is not known.  VMSNAP_ERR_NO_MEMORY. */
int identity_cgroup(struct vmsnap *snap, int procdir);
/* Asks the kernel (PROCMAP_QUERY on an open maps, Linux 6.11), else the file itself,
 * below the target's root.  procdir, root and maps may be -1.  A file that cannot be read, or
 * is not the one that is mapped, leaves its build ID unknown; so does one that changed after
 * the program began: what it holds now need not be what was mapped. */
int identity_build_ids(struct vmsnap *snap, int procdir, int root, int maps, struct vmsnap_error *err);
/* Mappings of files, those of one file together, by offset; the caller frees them.  NULL: no memory. */
struct vmsnap_vma **identity_by_file(struct vmsnap *snap, size_t *count);
/* Of one file's mappings.  id: NULL: not known; else it lies in snap->strings. */
void identity_set_build_id(struct vmsnap *snap, struct vmsnap_vma *const *mappings, size_t count, const uint8_t *id,
                           size_t len);

#endif
