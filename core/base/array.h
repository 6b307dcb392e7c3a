/* array.h - arrays that grow as items are added, and whose memory nobody counts (where somebody does: work_room()). */
#ifndef VMSNAP_ARRAY_H
#define VMSNAP_ARRAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* The array, with room for one more item after `count`: twice as much if there was none left.  NULL: no memory; then
 * it is as it was. */
static inline void *array_room(void *items, size_t count, size_t *room, size_t item_size)
{
	if (count < *room)
		return items;
	size_t more = *room ? 2 * *room : 16;
	void *grown = more > SIZE_MAX / item_size ? NULL : realloc(items, more * item_size);
	if (grown)
		*room = more;
	return grown;
}

#endif
