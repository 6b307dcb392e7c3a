/* between.h - the snapshots of a file that lie between two of one process: what was written is told from one to
 * the next (record --track). */
#ifndef VMSNAP_CLI_BETWEEN_H
#define VMSNAP_CLI_BETWEEN_H

#include "vmsnap.h"

struct between {
	struct vmsnap **snaps;
	size_t count;
};
/* Those between indices `first` and `last` that tell what the process of `of` wrote.  Returns STATUS_OK, or
 * STATUS_TROUBLE after saying why. */
int between_load(const char *word, const struct vmsnap_file *file, size_t first, size_t last, const struct vmsnap *of,
                 struct between *out);
void between_drop(struct between *between);

#endif
