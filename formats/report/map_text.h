/* map_text.h - the picture, and what it means. */
#ifndef VMSNAP_MAP_TEXT_H
#define VMSNAP_MAP_TEXT_H

#include "map_cells.h"
#include "text_out.h"

/* Chooses how many cells are beside each other, and what a cell is. */
void put_map_text(struct text *text, struct map *map);

#endif
