/* map_names.h - what the memory of one row of the picture is called. */
#ifndef VMSNAP_MAP_NAMES_H
#define VMSNAP_MAP_NAMES_H

#include "map_cells.h"
#include "text_out.h"

enum { MAP_NAMES_MAX = 16 };

/* Calls fn with the names of mappings of which something is resident in the row, in address order,
 * neighbours with one name once, until it returns false; MAP_NAMES_MAX at the most.  What anonymous
 * memory is called the names of the output tell; without them nothing is told at all. */
void map_row_names(struct text *text, const struct map *map, uint64_t start,
                   bool (*fn)(void *ctx, const char *name, size_t len), void *ctx);

#endif
