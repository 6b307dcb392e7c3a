/* look.h - all that prints, over snapshots of unknown origin. */
#ifndef VMSNAP_FUZZ_LOOK_H
#define VMSNAP_FUZZ_LOOK_H

#include "vmsnap.h"

enum { LOOK_SNAPSHOTS = 3 };

/* choice: how they are printed.  At most LOOK_SNAPSHOTS. */
void look_at_all(struct vmsnap *const *snaps, size_t count, uint32_t choice);
/* b may be NULL. */
void look_at_status(const struct vmsnap *a, const struct vmsnap *b, uint32_t choice);
/* What vmsnap_print_check() said; VMSNAP_END if its text did not fit. */
int look_at_file(const struct vmsnap_file *file, uint32_t choice);

#endif
