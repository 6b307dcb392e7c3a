/* map_text.h - the picture, and what it means. */
#ifndef VMSNAP_MAP_TEXT_H
#define VMSNAP_MAP_TEXT_H

#include "map_cells.h"
#include "text_out.h"

/* Whether a character shows two cells, one above the other. */
bool map_half_blocks(const struct vmsnap_style *style);
void put_map_text(struct text *text, const struct map *map);

#endif
