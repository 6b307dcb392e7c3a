/* table.h - tables for people and for scripts: headings, alignment, a choice of
 * columns, a limit of width.  Knows nothing of what the cells mean.
 *
 * Nothing is kept but one row: table_print() runs the caller's function twice,
 * the first time to learn the widths.  Only a table that is sorted is made once, and kept. */
#ifndef VMSNAP_TABLE_H
#define VMSNAP_TABLE_H

#include <stdint.h>

#include "format_value.h"
#include "table_row.h"
#include "text_out.h"

/* Gives all rows: for each one sets cells, then calls table_end_row().  Must give
 * the same rows each time.  Returns VMSNAP_OK or an error to stop with. */
typedef int (*table_rows_fn)(struct table *table, void *ctx, struct vmsnap_error *err);

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
/* How wide a picture is to be drawn that would have so many cells; 0: its column was left out. */
size_t table_picture_width(const struct table *table, size_t column, size_t cells);
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
