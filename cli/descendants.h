/* descendants.h - the children of processes, and theirs, as they are now. */
#ifndef VMSNAP_CLI_DESCENDANTS_H
#define VMSNAP_CLI_DESCENDANTS_H

#include "process_arg.h"

/* Adds those of all that are in it.  command: for what goes wrong. */
int processes_add_descendants(struct processes *all, const char *command);

/* They and their descendants as snapshots of who they are, they first; to be let go with vmsnap_unref_all().  Nothing
 * is stopped.  STATUS_OK, or STATUS_TROUBLE after saying why. */
int descendants_find(const struct processes *all, const char *command, struct vmsnap ***snaps, size_t *count);

#endif
