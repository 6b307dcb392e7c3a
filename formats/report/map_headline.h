/* map_headline.h - what the picture is of, and its totals, which are the legend too. */
#ifndef VMSNAP_MAP_HEADLINE_H
#define VMSNAP_MAP_HEADLINE_H

#include "map_cells.h"
#include "text_out.h"

/* What a class is called in this picture: after a fork copies have somebody who made them. */
const char *map_class_words(const struct map *map, int page_class);
void put_map_headline(struct text *text, const struct map *map);

#endif
