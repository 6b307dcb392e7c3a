#include "report.h"

#include <string.h>

void *report_room(struct work *work, void **items, size_t *count, size_t *room, size_t size, int *rc)
{
	void *more = work_room(work, *items, *count, room, size, rc);
	if (*rc)
		return NULL;
	*items = more;
	return memset((char *)more + (*count)++ * size, 0, size);
}
