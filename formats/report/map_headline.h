/* map_headline.h - what the picture is of, and its totals, which are the legend too. */
#ifndef VMSNAP_MAP_HEADLINE_H
#define VMSNAP_MAP_HEADLINE_H

#include "map_cells.h"
#include "text_out.h"

void put_map_headline(struct text *text, const struct map *map);

#endif
