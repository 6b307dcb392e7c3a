/* frames.h - sets of page frames, so that what several processes map counts once. */
#ifndef VMSNAP_FRAMES_H
#define VMSNAP_FRAMES_H

#include "vmsnap.h"
#include "work.h"

struct frame_range {
	uint64_t first, end; /* frame numbers */
};
/* Begin with { 0 }. */
struct frame_list {
	struct frame_range *items;
	size_t count, capacity;
	uint64_t hidden; /* pages that are present in a frame that is not known */
};

/* The frames of the pages in [start, end), without the zero page. */
int frames_add(struct frame_list *list, const struct vmsnap *snap, uint64_t start, uint64_t end, struct work *work);
/* Sorts, and joins what lies together: what follows wants lists like that. */
int frames_join(struct frame_list *list, struct work *work);
uint64_t frames_count(const struct frame_list *list);
/* How many of them are not in `others`. */
uint64_t frames_count_without(const struct frame_list *list, const struct frame_list *others);
void frames_free(struct frame_list *list, struct work *work);

#endif
