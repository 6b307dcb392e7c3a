/* cell.h - one cell of a picture.  The height of a colour in it is its share of the cell; none wins all of it. */
#ifndef VMSNAP_CELL_H
#define VMSNAP_CELL_H

#include <stddef.h>

#include "page_class.h"
#include "vmsnap.h"

/* A terminal shows two colours in a cell: the lower one rises so many eighths over the other. */
struct cell_look {
	int lower, ground;  /* enum page_class; alike if there is one only; CLASS_HOLE: nothing */
	unsigned eighths;   /* of the lower: 0 to 8 */
	uint64_t part, all; /* which are so much of so much */
};
/* counts: of each class, in any unit.  What the counts come to is the whole cell. */
struct cell_look cell_look(const uint64_t *counts);

/* How wide a cell is: two columns where there are no blocks or no colours, for a letter and a digit; one for raw. */
unsigned cell_columns(const struct vmsnap_style *style);
/* Returns the length of what is in out. */
enum { CELL_ROOM = 160 };
size_t cell_draw(const uint64_t *counts, const struct vmsnap_style *style, char *out, size_t room);

#endif
