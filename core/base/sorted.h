/* sorted.h - finds a place in an array that is in the order of one number of its items. */
#ifndef VMSNAP_SORTED_H
#define VMSNAP_SORTED_H

#include <stddef.h>
#include <stdint.h>

static inline size_t sorted_above(const char *keys, size_t count, size_t item_size, uint64_t at)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (*(const uint64_t *)(const void *)(keys + middle * item_size) <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Index of the first item whose member, a uint64_t, is above `at`; count if there is none: with
 * the ends of ranges, the one that `at` is in, or the next. */
#define SORTED_ABOVE(type, member, items, count, at)                                                                   \
	((count) ? sorted_above((const char *)(items) + offsetof(type, member), count, sizeof(type), at) : 0)

#endif
