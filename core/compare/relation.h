/* relation.h - whether the pages of two snapshots have anything to do with each other, page by
 * page: not across an exec, not if they are of one address space at one instant.  The only place
 * that decides it; pure. */
#ifndef VMSNAP_RELATION_H
#define VMSNAP_RELATION_H

#include "snapshot.h"
#include "vmsnap.h"

/* Two processes with one address space (vfork, CLONE_VM), whenever they were seen. */
bool relation_one_memory(const struct vmsnap *a, const struct vmsnap *b);
/* Whether they look so, and nothing proves it. */
bool relation_may_be_one_memory(const struct vmsnap *a, const struct vmsnap *b);
/* Whether another program, or another process, lies between them. */
bool relation_parts(const struct vmsnap *a, const struct vmsnap *b);
/* enum vmsnap_relation, with what the caller knows. */
int relation_with(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_compare_options *options);

#endif
