/* spare.h - how much memory what is made of snapshots may take. */
#ifndef VMSNAP_SPARE_H
#define VMSNAP_SPARE_H

#include "snapshot.h"
#include "work.h"

/* What a snapshot itself takes, without what the allocator adds. */
uint64_t snapshot_bytes(const struct vmsnap *snap);

/* What a comparison, or a text, of these snapshots (NULLs are passed over) may take in all:
 * what their own limits leave, but for a quarter, which is for names.  Of a snapshot that is
 * no file's, sixteen times what it takes, and 64 MiB, count beside one that is; if none is a
 * file's, there is no limit. */
struct work work_on(const struct vmsnap *const *snaps, size_t count);
/* The same, with what a caller wants of it; options may be NULL. */
int work_with(struct work *work, const struct vmsnap *const *snaps, size_t count,
              const struct vmsnap_compare_options *options, struct vmsnap_error *err);

/* Whether that quarter is enough to name the addresses of a snapshot, beside what is read of
 * ELF files, which has a limit of its own. */
int spare_for_names(const struct vmsnap *snap, struct vmsnap_error *err);

#endif
