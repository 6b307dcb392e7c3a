/* freeze_tree.h - which processes belong to those that are to be frozen: the descendants of a tree,
 * and whoever has the memory of one of them (vfork, CLONE_VM): while such a companion runs, that
 * memory does not stand. */
#ifndef VMSNAP_FREEZE_TREE_H
#define VMSNAP_FREEZE_TREE_H

#include "freeze_tasks.h"

/* Adds their children as they are now; if it is no tree, and of companions, only those that have
 * their memory.  *added counts them. */
int freeze_add_children(struct freeze *freeze, size_t *added, struct vmsnap_error *err);
/* Adds others around them that have their memory: ancestors, siblings (CLONE_PARENT), and children
 * of ancestors, which take over those whose parents ended.  Once: whoever comes later is made by
 * one of those, and a child of theirs. */
int freeze_add_relatives(struct freeze *freeze, struct vmsnap_error *err);
/* While they stand: finds out who has whose memory (.memory, .users_unknown).  Returns 0 or -errno. */
int freeze_note_memory(struct freeze *freeze);
/* Only finds the descendants, of processes that run on: some may be missed. */
int freeze_find_descendants(struct freeze *freeze, struct vmsnap_error *err);

#endif
