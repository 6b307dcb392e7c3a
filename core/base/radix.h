/* radix.h - sorts many small items by a number that they have. */
#ifndef VMSNAP_RADIX_H
#define VMSNAP_RADIX_H

#include "work.h"

struct keyed {
	uint64_t key, value;
};

/* By key, equal ones in the order they were in: one pass for each 12 bits in which keys differ, four thousand million
 * at the most.  Both arrays have room for `count`; what is in *items goes to and fro between them, and is in *items in
 * the end. */
int radix_sort(struct work *work, struct keyed **items, struct keyed **spare, size_t count);

#endif
