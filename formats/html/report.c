#include "report.h"

#include <string.h>

void *report_room(struct work *work, void **items, size_t *count, size_t *room, size_t size, int *rc)
{
	*items = work_grow(work, *items, *count, room, size, rc);
	if (*rc)
		return NULL;
	return memset((char *)*items + (*count)++ * size, 0, size);
}
