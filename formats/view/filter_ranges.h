/* filter_ranges.h - where what a filter takes lies, as ranges of addresses: for pictures. */
#ifndef VMSNAP_FILTER_RANGES_H
#define VMSNAP_FILTER_RANGES_H

#include "filter.h"
#include "work.h"

struct filter_range {
	uint64_t start, end;
};
struct filter_ranges {
	struct filter_range *items; /* by address, not overlapping */
	size_t count, capacity;
};

/* Of one snapshot: its pages if the filter chooses among them, else its mappings. */
int filter_ranges_of(const struct filter *filter, const struct vmsnap *snap, struct work *work,
                     struct filter_ranges *out);
/* Mappings of either of two. */
int filter_ranges_of_two(const struct filter *filter, const struct vmsnap *a, const struct vmsnap *b, struct work *work,
                         struct filter_ranges *out);
void filter_ranges_free(struct filter_ranges *ranges, struct work *work);
/* Index of the first range that ends after address. */
size_t filter_ranges_find(const struct filter_ranges *ranges, uint64_t address);

#endif
