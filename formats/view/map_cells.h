/* map_cells.h - the address space as rows of cells of one size.  Knows what
 * lies in which cell; draws nothing. */
#ifndef VMSNAP_MAP_CELLS_H
#define VMSNAP_MAP_CELLS_H

#include "diff_view.h"
#include "filter_ranges.h"
#include "page_class.h"

enum { MAP_CELLS_MAX = 128, MAP_LINES = 40 };

struct map {
	const struct vmsnap *snap; /* B, or the only one */
	struct diff_view view;     /* .diff is NULL if there is only one */
	struct filter filter;
	struct filter_ranges shown; /* if filter.any: nothing else is in the picture */
	unsigned cells;             /* of a row: a power of two */
	uint64_t cell;              /* bytes: a power of two, at least a page */
};
struct map_row {
	uint64_t start;
	uint64_t counts[MAP_CELLS_MAX][PAGE_CLASSES]; /* bytes */
};

/* Chooses the smallest cell with which everything fits into MAP_LINES lines. */
void map_choose_cell(struct map *map);
static inline uint64_t map_row_bytes(const struct map *map)
{
	return map->cell * map->cells;
}
/* The first row at or above `from` that holds a page, or a change. */
bool map_next_row(const struct map *map, uint64_t from, uint64_t *start);
void map_fill_row(const struct map *map, uint64_t start, struct map_row *row);
/* Bytes by class, of everything. */
void map_totals(const struct map *map, uint64_t *totals);
/* What a cell shows: the main event if there is one, else the main quiet state. */
int map_cell_class(const uint64_t *counts);

#endif
