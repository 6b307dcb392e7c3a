/* who_found.h - what a look for a frame or a file has found: struct vmsnap_who, filled process by process. */
#ifndef VMSNAP_WHO_FOUND_H
#define VMSNAP_WHO_FOUND_H

#include "arena.h"
#include "vmsnap.h"

struct vmsnap_who {
	struct vmsnap_who_info info;
	struct vmsnap_who_process *processes;
	size_t process_count, process_room;
	struct vmsnap_who_place *places;
	size_t place_count, place_room;
	struct arena strings;
	char boot_id[64]; /* of the first snapshot */
	const char *file; /* of which snapshots are added; NULL: nobody said */
	uint64_t file_first;
};

struct vmsnap_who *who_new(void); /* NULL without memory */

/* Of who is looked at now; what was found of it goes again with who_drop_last(). */
struct vmsnap_who_process *who_begin_process(struct vmsnap_who *who, uint32_t pid, uint64_t start_time);
struct vmsnap_who_process *who_last(struct vmsnap_who *who);
void who_drop_last(struct vmsnap_who *who);
/* A page of the last process; one that continues the last place in the same mapping makes it longer.  0 or ENOMEM. */
int who_add_page(struct vmsnap_who *who, const struct vmsnap_vma *vma, uint64_t address, uint32_t flags);
/* Each mapping once. */
void who_count_found(struct vmsnap_who *who);
/* In the order of their numbers, with their places. */
int who_sort(struct vmsnap_who *who);

#endif
