/* freeze_tree.h - the descendants of the processes that are to be frozen. */
#ifndef VMSNAP_FREEZE_TREE_H
#define VMSNAP_FREEZE_TREE_H

#include "freeze_tasks.h"

/* Adds their children as they are now; *added counts them. */
int freeze_add_children(struct freeze *freeze, size_t *added, struct vmsnap_error *err);
/* Only finds the descendants, of processes that run on: some may be missed. */
int freeze_find_descendants(struct freeze *freeze, struct vmsnap_error *err);

#endif
