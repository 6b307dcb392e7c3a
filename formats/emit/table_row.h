/* table_row.h - a table while it is filled: its columns, and the cells of the row that is made.
 * What table.c and kept_rows.c share; others fill it through table.h. */
#ifndef VMSNAP_TABLE_ROW_H
#define VMSNAP_TABLE_ROW_H

#include <stdint.h>

#include "text_out.h"

enum table_flag {
	TABLE_RIGHT = 1,       /* numbers */
	TABLE_EXTRA = 2,       /* shown only if asked for */
	TABLE_CUT_LEFT = 4,    /* paths give way to the width on their left */
	TABLE_CUT_RIGHT = 8,   /* not more than a third of the width, if it is not the last */
	TABLE_HIDE_EMPTY = 16, /* left out if no row has anything in it, unless asked for */
	TABLE_YIELDS = 64,     /* left out first where the line is too short, then those that do not stay */
	TABLE_STAYS = 128,
	TABLE_CUT_LATE = 256, /* cut on the right, if it does not help that those others are */
	TABLE_PICTURE = 32    /* drawn as wide as table_picture_width() tells; gives way before words do */
};
struct table_column {
	const char *name;
	unsigned flags;
};

struct table_cell {
	size_t at, len, width; /* in the row's bytes */
	int color;
	bool begun_late; /* what stands before would not be seen */
	bool rooted;     /* a path from the root, whatever of it is kept */
	bool cut;        /* there is more than anybody looks at */
};
struct table_shown {
	size_t column;
	size_t width;
	size_t full;  /* as wide as its widest cell */
	size_t index; /* among those shown, before empty ones are dropped */
	bool named;   /* asked for by name */
	bool empty;
};
enum table_mode {
	TABLE_USUAL,
	TABLE_ONCE, /* its rows are made only once, for they take their time */
	TABLE_PLAIN /* style.columns and style.sort are about another table */
};
/* By what a row is sorted; unknown and empty cells come last, whichever way. */
enum sort_rank { SORT_BY_CELL, SORT_NUMBER, SORT_TEXT, SORT_NOTHING, SORT_TOTAL };
struct sort_key {
	enum sort_rank rank;
	uint64_t number;
	size_t at, len; /* of a text, in the table's bytes */
};
#define TABLE_UNSORTED SIZE_MAX
struct kept_rows;
struct table {
	struct text *text;
	const struct table_column *columns;
	size_t column_count;
	struct table_shown *shown;
	size_t shown_count;
	struct table_cell *cells; /* one for each column */
	bool *wanted;             /* for each: shown, or sorted by */
	char *bytes;              /* of the row's cells */
	size_t used, room;
	bool measuring;
	enum table_mode mode;
	size_t sort_column;       /* or TABLE_UNSORTED */
	bool sort_down;           /* the largest first */
	struct sort_key sort_key; /* of the row */
	struct kept_rows *kept;   /* if it is sorted */
};

#endif
