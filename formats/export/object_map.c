#define _GNU_SOURCE
#include "object_map.h"

#include <stdlib.h>

#include "vmsnap.h"

/* Its numbers are of SHA-256: spread as they are. */
static struct object_entry *place(struct object_entry *entries, size_t room, uint64_t object)
{
	size_t at = object & (room - 1);
	while (entries[at].object && entries[at].object != object)
		at = (at + 1) & (room - 1);
	return &entries[at];
}

static int grow(struct object_map *map)
{
	size_t room = map->room ? 2 * map->room : 256;
	struct object_entry *entries = calloc(room, sizeof(*entries));
	if (!entries)
		return VMSNAP_ERR_NO_MEMORY;
	for (size_t i = 0; i < map->room; i++)
		if (map->entries[i].object)
			*place(entries, room, map->entries[i].object) = map->entries[i];
	free(map->entries);
	map->entries = entries;
	map->room = room;
	return VMSNAP_OK;
}

int object_map_put(struct object_map *map, uint64_t object, int64_t *id, bool *known)
{
	object = object ? object : 1;
	if (2 * (map->count + 1) > map->room && grow(map))
		return VMSNAP_ERR_NO_MEMORY;
	struct object_entry *entry = place(map->entries, map->room, object);
	*known = entry->object;
	if (entry->object) {
		*id = entry->id;
		return VMSNAP_OK;
	}
	*entry = (struct object_entry){ object, *id };
	map->count++;
	return VMSNAP_OK;
}

int object_map_set(struct object_map *map, uint64_t object, int64_t id)
{
	place(map->entries, map->room, object ? object : 1)->id = id;
	return VMSNAP_OK;
}

void object_map_free(struct object_map *map)
{
	free(map->entries);
	*map = (struct object_map){ 0 };
}
