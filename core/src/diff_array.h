/* diff_array.h - arrays that grow as results are added to them. */
#ifndef VMSNAP_DIFF_ARRAY_H
#define VMSNAP_DIFF_ARRAY_H

#include <stdint.h>
#include <stdlib.h>

/* The array with room for one item after `count`; NULL if there is no memory,
 * and then `items` is as it was. */
static inline void *array_room(void *items, size_t count, size_t *capacity, size_t item_size)
{
	if (count < *capacity)
		return items;
	size_t more = *capacity ? *capacity + *capacity / 2 : 32;
	if (more > SIZE_MAX / item_size)
		return NULL;
	void *grown = realloc(items, more * item_size);
	if (grown)
		*capacity = more;
	return grown;
}

#endif
