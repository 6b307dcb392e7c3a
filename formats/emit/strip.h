/* strip.h - a strip of cells: where in a mapping something happened.  Knows
 * classes and glyphs, not where they come from. */
#ifndef VMSNAP_STRIP_H
#define VMSNAP_STRIP_H

#include "cell.h"

enum { STRIP_CELLS_MAX = 96 };
struct strip {
	uint64_t start, page_size, pages;
	unsigned cells;
	uint64_t counts[STRIP_CELLS_MAX][PAGE_CLASSES]; /* pages */
};

/* Fewer cells than asked for if there are fewer pages. */
void strip_init(struct strip *strip, uint64_t start, uint64_t end, uint64_t page_size, unsigned cells);
/* Counts the part of [start, end) that lies in the strip. */
void strip_add(struct strip *strip, uint64_t start, uint64_t end, int page_class);

/* Pages in which something happened. */
uint64_t strip_events(const struct strip *strip);

/* Bits of the classes that strip_draw() shows; of blocks without colours: one of an event, or one of none. */
uint32_t strip_shows(const struct strip *strip, const struct vmsnap_style *style);

/* A cell's height is the share of its pages with an event, its colour the main
 * event, its background the main quiet state.  Blocks without colours tell the height
 * alone; a letter and a digit tell more, if there are no blocks (cell.h).  Returns the length of what is in out. */
unsigned strip_columns(const struct vmsnap_style *style); /* of a cell */
enum { STRIP_ROOM = STRIP_CELLS_MAX * CELL_ROOM };
size_t strip_draw(const struct strip *strip, const struct vmsnap_style *style, char *out, size_t room);

#endif
