/* array.h - arrays that grow as items are added, and whose memory nobody counts (where somebody does: WORK_ROOM()). */
#ifndef VMSNAP_ARRAY_H
#define VMSNAP_ARRAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The array, with room for so many items: for twice as many if it has none.  NULL: no memory; then it is as it was. */
static inline void *array_reserve(void *items, size_t wanted, size_t *room, size_t item_size)
{
	enum { LEAST = 16 };
	if (wanted <= *room)
		return items;
	size_t more = 2 * wanted < LEAST ? LEAST : 2 * wanted;
	void *grown = more > SIZE_MAX / item_size ? NULL : realloc(items, more * item_size);
	if (grown)
		*room = more;
	return grown;
}

/* For one more after `count`. */
static inline void *array_room(void *items, size_t count, size_t *room, size_t item_size)
{
	return array_reserve(items, count + 1, room, item_size);
}

#endif
