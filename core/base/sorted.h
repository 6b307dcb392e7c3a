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

static inline size_t sorted_from(const char *keys, size_t count, size_t item_size, uint64_t at)
{
	return at ? sorted_above(keys, count, item_size, at - 1) : 0;
}

/* Of an array of nothing but numbers. */
static inline size_t sorted_numbers_from(const uint64_t *numbers, size_t count, uint64_t at)
{
	return sorted_from((const char *)numbers, count, sizeof(*numbers), at);
}

/* Index of the first item whose member, a uint64_t, is above `at`; count if there is none: with
 * the ends of ranges, the one that `at` is in, or the next. */
#define SORTED_ABOVE(type, member, items, count, at)                                                                   \
	((count) ? sorted_above((const char *)(items) + offsetof(type, member), count, sizeof(type), at) : 0)
/* The same of the first whose member is not below it: with where ranges begin, all before begin earlier. */
#define SORTED_FROM(type, member, items, count, at)                                                                    \
	((count) ? sorted_from((const char *)(items) + offsetof(type, member), count, sizeof(type), at) : 0)

#endif
