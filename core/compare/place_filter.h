/* place_filter.h - which frames and slots may be among many, without a list of them.
 * What it says it does not have, it does not have. */
#ifndef VMSNAP_PLACE_FILTER_H
#define VMSNAP_PLACE_FILTER_H

#include "work.h"

/* A bit for each place (own_page_place()) modulo their number: neighbours stay neighbours. */
struct place_filter {
	uint64_t *words;
	uint64_t count; /* of words, a power of two */
};
/* For so many pages; more of them only make it say "maybe" more often. */
int place_filter_begin(struct place_filter *filter, uint64_t pages, struct work *work);
void place_filter_free(struct place_filter *filter, struct work *work);
void place_filter_add(struct place_filter *filter, uint64_t place, uint64_t pages);
/* Whether any of these pages may have been added. */
bool place_filter_maybe(const struct place_filter *filter, uint64_t place, uint64_t pages);

#endif
