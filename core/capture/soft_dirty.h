/* soft_dirty.h - the kernel's bits of pages that were written since they were cleared
 * (Documentation/admin-guide/mm/soft-dirty.rst). */
#ifndef VMSNAP_SOFT_DIRTY_H
#define VMSNAP_SOFT_DIRTY_H

#include "snapshot.h"

/* Whether the kernel has them: tried out on a page of our own. */
bool soft_dirty_exists(void);
/* All pages of the process are clean from now on.  Returns 0 or errno. */
int soft_dirty_clear(int procdir);
/* The pages of a snapshot that were written since `before`, when they were cleared.  VMSNAP_ERR_NO_MEMORY. */
int soft_dirty_collect(const struct vmsnap *before, const struct vmsnap *snap, struct layer *layer);
/* Whether a page that must have been written since then is clean: somebody else has cleared them. */
bool soft_dirty_disturbed(const struct vmsnap *before, const struct vmsnap *snap);

#endif
