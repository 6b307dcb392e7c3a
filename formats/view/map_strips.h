/* map_strips.h - the address space as strips: mappings that people take for one (mapping_groups.h), and what is gone of
 * A's.  Each is rows of cells of one size.  Draws nothing. */
#ifndef VMSNAP_MAP_STRIPS_H
#define VMSNAP_MAP_STRIPS_H

#include "map_cells.h"

/* More strips are joined, to so many then, as there may be holes between them; and so many lines beside one for each.
 */
enum { MAP_STRIPS = 64, MAP_JOINED = 20, MAP_MORE_LINES = 28 };

struct map_strip {
	uint64_t start, end;
	uint64_t mapped; /* bytes of it that are, or were at A */
	size_t mappings, groups;
	const struct vmsnap_vma *vma; /* that it is called by; or NULL */
	size_t called;                /* which one of map->snap that is; SIZE_MAX: it is one of A's */
	bool any;                     /* something is in it, or happened there */
};
struct map_walk {
	const struct map *map;
	uint64_t at;
};
bool map_strip_next(struct map_walk *walk, struct map_strip *strip);

/* Sets map->cell to the smallest with which the picture is not too long, and joins what is near each other if there
 * are too many strips. */
void map_fit_strips(struct map *map);

/* One row shows all of it: that begins with the strip, others are aligned. */
bool map_strip_is_one_row(const struct map *map, const struct map_strip *strip);
/* The first row of the strip at or above `from` in which there is something. */
bool map_strip_row(const struct map *map, const struct map_strip *strip, uint64_t from, uint64_t *start);
/* Each page counts in one class; what is in none of them is CLASS_UNTOUCHED, or CLASS_HOLE if not chosen, as is what of
 * a cell is not mapped. */
void map_strip_fill(const struct map *map, const struct map_strip *strip, uint64_t start, struct map_row *row);
/* Bytes by class. */
void map_strip_sums(const struct map *map, const struct map_strip *strip, uint64_t *sums);

#endif
