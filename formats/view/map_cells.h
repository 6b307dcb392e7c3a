/* map_cells.h - the address space as rows of cells of one size.  Knows what
 * lies in which cell; draws nothing. */
#ifndef VMSNAP_MAP_CELLS_H
#define VMSNAP_MAP_CELLS_H

#include "diff_view.h"
#include "filter_ranges.h"
#include "map_events.h"
#include "page_class.h"

enum { MAP_CELLS_MAX = 256, MAP_LINES = 40 };

struct map {
	const struct vmsnap *snap;    /* B, or the only one */
	struct diff_view view;        /* .diff is NULL if there is only one, and after a fork */
	const struct vmsnap_cow *cow; /* or NULL; snap is the child then */
	struct map_events events;
	struct vmsnap_names *names; /* of snap, for what memory without a name is; or NULL */
	struct filter filter;
	struct filter_ranges shown; /* if filter.any: nothing else is in the picture */
	unsigned cells;             /* of a row: of JSON's a power of two */
	uint64_t cell;              /* bytes: a power of two, at least a page */
	uint64_t join;              /* strips (map_strips.h) that are nearer to each other are one */
};
struct map_row {
	uint64_t start;
	/* Bytes.  All that is mapped is untouched, too; CLASS_HOLE, where pages are chosen by what they are. */
	uint64_t counts[MAP_CELLS_MAX][PAGE_CLASSES];
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
/* The same of what lies in [from, until). */
void map_fill_between(const struct map *map, uint64_t start, uint64_t from, uint64_t until, struct map_row *row);
/* The first event that ends above `from` and begins below `limit`; NULL: there is none. */
const struct map_event *map_next_event(const struct map *map, uint64_t from, uint64_t limit);
/* The lowest address in [from, until) of a page or a change that is shown. */
bool map_next_in(const struct map *map, uint64_t from, uint64_t until, uint64_t *address);
/* Bytes by class, of everything. */
void map_totals(const struct map *map, uint64_t *totals);
/* What one letter says of a cell: the main event if there is one, else the main quiet state. */
int map_cell_class(const uint64_t *counts);

#endif
