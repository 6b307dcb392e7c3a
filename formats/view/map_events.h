/* map_events.h - what happened to pages, as a picture shows it, by address: of two snapshots, or after a fork. */
#ifndef VMSNAP_MAP_EVENTS_H
#define VMSNAP_MAP_EVENTS_H

#include "diff_view.h"

struct map_event {
	uint64_t start, end;
	int page_class;               /* enum page_class; CLASS_OTHER: the page looks as it is */
	const struct vmsnap_vma *vma; /* of B, else of A; or NULL */
};
struct map_events {
	struct map_event *items; /* by address, not overlapping */
	size_t count, capacity;
};
int map_events_of_diff(struct map_events *events, const struct vmsnap_diff *diff, struct work *work);
/* All that either has, quiet or not. */
int map_events_of_cow(struct map_events *events, const struct vmsnap_cow *cow, struct work *work);
void map_events_free(struct map_events *events, struct work *work);
/* Index of the first one that ends above the address. */
size_t map_events_find(const struct map_events *events, uint64_t address);

#endif
