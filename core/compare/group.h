/* group.h - what a group of processes is made of, for what is made of groups. */
#ifndef VMSNAP_GROUP_H
#define VMSNAP_GROUP_H

#include "group_frames.h"
#include "group_pages.h"

/* One process. */
struct group_process {
	const struct vmsnap *snap; /* held */
	size_t space;              /* index of the process whose address space it has */
	size_t member;             /* of that one, in the frames */
	struct counted_pages counted;
	uint32_t *mapping; /* of each of its mappings: which of the group's; NULL: of another's address space */
	bool frames_known;
	uint64_t of_memory[VMSNAP_MEMORY_COUNT], hidden; /* bytes */
};
struct group_mapping {
	struct vmsnap_group_mapping told;
	size_t last; /* the process that was counted last, + 1 */
};
struct vmsnap_group {
	struct work work;
	uint64_t page_size;
	struct group_process *processes;
	size_t count, member_count;
	struct group_mapping *mappings; /* as they were found */
	uint32_t *order, *place;        /* those with most frames first; where each is in that */
	size_t mapping_count;
	struct group_frames frames;
	uint64_t *pairs; /* bytes: enum vmsnap_memory of each pair of members a > b, at a * (a - 1) / 2 + b */
	size_t pair_count;
	uint64_t totals[VMSNAP_GROUP_TOTAL_COUNT];
};

/* By name, device and inode. */
int group_mapping_order(const struct vmsnap_vma *a, const struct vmsnap_vma *b);
/* Whether the frames of a run are shared by several of the group, as far as *pages of them, at the most, all are or
 * none is.  at: where to look first; 0 is fine. */
bool group_frames_shared(const struct vmsnap_group *group, uint64_t frame, uint64_t *pages, size_t *at);
int group_options(struct vmsnap_group_options *taken, const struct vmsnap_group_options *options,
                  struct vmsnap_error *err);

#endif
