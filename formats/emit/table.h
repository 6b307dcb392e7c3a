/* table.h - tables for people and for scripts: headings, alignment, a choice of
 * columns, a limit of width.  Knows nothing of what the cells mean.
 *
 * Nothing is kept but one row: table_print() runs the caller's function twice,
 * the first time to learn the widths.  Only a table that is sorted is made once, and kept. */
#ifndef VMSNAP_TABLE_H
#define VMSNAP_TABLE_H

#include <stdint.h>

#include "format_value.h"
#include "text_out.h"

enum table_flag {
	TABLE_RIGHT = 1,      /* numbers */
	TABLE_EXTRA = 2,      /* shown only if asked for */
	TABLE_CUT_LEFT = 4,   /* if it is the last one: paths give way to the width on their left */
	TABLE_CUT_RIGHT = 8,  /* not more than a third of the width, if it is not the last */
	TABLE_HIDE_EMPTY = 16 /* left out if no row has anything in it, unless asked for */
};
struct table_column {
	const char *name;
	unsigned flags;
};

struct table;
/* Gives all rows: for each one sets cells, then calls table_end_row().  Must give
 * the same rows each time.  Returns VMSNAP_OK or an error to stop with. */
typedef int (*table_rows_fn)(struct table *table, void *ctx, struct vmsnap_error *err);

struct table_cell {
	size_t at, len, width; /* in the row's bytes */
	int color;
	bool begun_late; /* what stands before would not be seen */
	bool cut;        /* there is more than anybody looks at */
};
struct table_shown {
	size_t column;
	size_t width;
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

/* Columns as text->style says: an unknown name is VMSNAP_ERR_ARGUMENT. */
int table_print(struct text *text, const struct table_column *columns, size_t count, enum table_mode mode,
                table_rows_fn rows, void *ctx, struct vmsnap_error *err);
/* Whether names in style.columns and style.sort are all known, for the sake of an early error. */
int table_check_columns(const struct vmsnap_style *style, const struct table_column *columns, size_t count,
                        struct vmsnap_error *err);

/* Sets what is shown and by what it is sorted, with room for a row of it. */
int table_choose(struct table *table, struct vmsnap_error *err);

/* Whether the column is shown or sorted by; if not, its cells need not be set. */
static inline bool table_wants(const struct table *table, size_t column)
{
	return table->wanted[column];
}
/* "?", which is not in order with others. */
void table_unknown(struct table *table, size_t column);
/* What the cell is sorted by, if not by its text. */
void table_sort_number(struct table *table, size_t column, uint64_t number);
void table_sort_text(struct table *table, size_t column, const char *bytes, size_t len);
void table_word(struct table *table, size_t column, struct word word);
void table_literal(struct table *table, size_t column, const char *string);
/* Digits, marks and letters, nothing that is ever escaped; and what it is sorted by. */
void table_number(struct table *table, size_t column, struct word number, uint64_t order);
/* Bytes of the target: escaped. */
void table_name(struct table *table, size_t column, const char *name, size_t len);
/* More of the same cell. */
void table_add_literal(struct table *table, size_t column, const char *string);
void table_add_name(struct table *table, size_t column, const char *name, size_t len);
/* Text that is drawn already: with escape sequences, of so many columns. */
void table_drawn(struct table *table, size_t column, const char *bytes, size_t len, size_t width);
void table_color(struct table *table, size_t column, int color);
void table_end_row(struct table *table);
/* The total of the rows before stays the last one. */
void table_end_total(struct table *table);
/* Whether only the widths of this row's cells matter: it will be made again. */
static inline bool table_only_measures(const struct table *table)
{
	return table->measuring && !table->kept;
}

#endif
