/* page_places.h - where in a file a page with this hash is. */
#ifndef VMSNAP_PAGE_PLACES_H
#define VMSNAP_PAGE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder.h"

struct page_place {
	struct page_hash hash;
	uint64_t snapshot; /* offset of its SNAP; 0: this entry is free */
	uint32_t page;     /* which of that one's own */
	uint8_t links;
	uint64_t page_size; /* of that one: hashes that are equal by somebody's doing are of no other */
	bool bytes;         /* it is in a CONT */
};
struct page_places {
	struct page_place *items;
	size_t count, room; /* a power of two, or 0 */
	uint64_t seed;      /* made with the first of them */
};
void page_places_free(struct page_places *places);
/* NULL: it is nowhere. */
const struct page_place *page_places_find(const struct page_places *places, const struct page_hash *hash,
                                          uint64_t page_size);
/* One that has bytes takes the place of one that has only a hash.  False: out of memory. */
bool page_places_add(struct page_places *places, const struct page_place *place);

#endif
