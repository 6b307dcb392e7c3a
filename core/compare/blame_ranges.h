/* blame_ranges.h - ranges of addresses that something happened to without a fault. */
#ifndef VMSNAP_BLAME_RANGES_H
#define VMSNAP_BLAME_RANGES_H

#include "blame_index.h"

/* Ranges of addresses, in their order, apart from each other. */
struct blame_ranges {
	struct blame_range {
		uint64_t start, end;
	} * items;
	size_t count, room;
};
/* What became of a process's memory meanwhile. */
struct blame_gone {
	struct blame_ranges given_back, maybe_given_back, collapsed, moved;
};
int blame_gone_make(struct blame_gone *gone, const struct blame_index *index, const struct blame_whose *whose,
                    struct work *work);
void blame_gone_free(struct blame_gone *gone, struct work *work);

/* Whether one has all of it; or some. */
bool blame_ranges_hold(const struct blame_ranges *ranges, uint64_t start, uint64_t end);
bool blame_ranges_touch(const struct blame_ranges *ranges, uint64_t start, uint64_t end);

#endif
