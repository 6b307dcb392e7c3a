/* mapping_groups.h - mappings that people take for one: the segments of a file and the memory without a file right
 * behind them, a thread's stack and its guard, neighbours of one name or of none.  What lies beside a stack or a heap
 * of malloc's is not of it. */
#ifndef VMSNAP_MAPPING_GROUPS_H
#define VMSNAP_MAPPING_GROUPS_H

#include "vmsnap.h"

struct mapping_group {
	size_t first, count; /* as vmsnap_vma() counts */
	size_t called;       /* the one that it is called by */
	uint64_t start, end; /* small holes may lie between segments of a file */
};
/* The group that begins with a mapping; false if there is none.  names: of the snapshot, for what memory without a
 * name is; may be NULL. */
bool mapping_group_at(const struct vmsnap *snap, struct vmsnap_names *names, size_t first, struct mapping_group *group);

#endif
