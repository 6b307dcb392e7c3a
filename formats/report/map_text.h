/* map_text.h - the picture, and what it means. */
#ifndef VMSNAP_MAP_TEXT_H
#define VMSNAP_MAP_TEXT_H

#include "map_cells.h"
#include "text_out.h"

/* How many cells are beside each other. */
unsigned map_cells_across(const struct vmsnap_style *style);
/* map->cells is set; chooses what a cell is. */
void put_map_text(struct text *text, struct map *map);

#endif
