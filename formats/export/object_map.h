/* object_map.h - which objects were told already, and by what number a database knows them. */
#ifndef VMSNAP_OBJECT_MAP_H
#define VMSNAP_OBJECT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object_map {
	struct object_entry {
		uint64_t object; /* 0: empty */
		int64_t id;
	} * entries;
	size_t count, room; /* a power of two */
};
/* *known: it was there, and *id is filled; otherwise it is there now, with *id.  VMSNAP_ERR_NO_MEMORY. */
int object_map_put(struct object_map *map, uint64_t object, int64_t *id, bool *known);
/* Of one that is there. */
int object_map_set(struct object_map *map, uint64_t object, int64_t id);
void object_map_free(struct object_map *map);

#endif
