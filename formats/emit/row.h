/* row.h - typed rows: what a report says, without saying how it looks.  A report puts
 * values into the columns of a row; an emitter (emitter.h) makes a table of them, or JSON.
 *
 * A schema names the columns of a row in the order of JSON's keys, which is the order in
 * which they are put.  What is passed over is nothing: an empty cell, null, or no key at
 * all if it is COLUMN_OPTIONAL. */
#ifndef VMSNAP_ROW_H
#define VMSNAP_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "row_schema.h"
#include "strip.h"
#include "text_out.h"
#include "vmsnap.h"

/* One that is being filled. */
struct emitter;
struct row {
	struct emitter *emitter; /* NULL: nobody wants it */
	struct text *text;       /* where it goes: for text_failed() and its memory */
	const struct row_schema *schema;
	const struct column *within; /* the column that it is, or is one of; NULL: the document, or the table */
	unsigned next;               /* the column that may be put next */
	bool begun;
};

/* Gives all rows: for each, puts its columns and calls row_end().  May be called twice, and
 * must give the same rows then.  Returns VMSNAP_OK or an error to stop with. */
typedef int (*rows_fn)(struct row *row, void *ctx, struct vmsnap_error *err);

/* None at all. */
int rows_none(struct row *row, void *ctx, struct vmsnap_error *err);

/* Whether the column goes anywhere; if not, its value need not be found out. */
bool row_wants(const struct row *row, unsigned column);

void row_put_address(struct row *row, unsigned column, uint64_t address);
void row_put_end(struct row *row, unsigned column, uint64_t end); /* an address; 0 is 2^64 */
void row_put_hex(struct row *row, unsigned column, uint64_t number);
void row_put_offset(struct row *row, unsigned column, uint64_t offset);
void row_put_bytes(struct row *row, unsigned column, uint64_t bytes);
void row_put_bytes_known(struct row *row, unsigned column, uint64_t bytes, bool known);
/* So many, and as many again as are unknown may be more: "4.00K+", or "?"; in JSON null. */
void row_put_bytes_least(struct row *row, unsigned column, uint64_t bytes, uint64_t unknown);
void row_put_delta(struct row *row, unsigned column, bool less, uint64_t bytes);
/* What it is, and what it was, if `was` is not NULL; of raw tables only what it is. */
void row_put_change(struct row *row, unsigned column, const uint64_t *was, uint64_t bytes);
void row_put_count(struct row *row, unsigned column, uint64_t count);
void row_put_count_known(struct row *row, unsigned column, uint64_t count, bool known);
void row_put_bool(struct row *row, unsigned column, bool value);
void row_put_word(struct row *row, unsigned column, const char *word);
/* bits: 1 << what `name` is asked for; unknown: those that may be set.  What has no name (NULL) is left out. */
void row_put_flags(struct row *row, unsigned column, uint32_t bits, uint32_t unknown, const char *(*name)(int bit));
void row_put_build_id(struct row *row, unsigned column, const uint8_t *id, size_t len); /* len 0: none */
/* Names and paths. */
void row_put_bytes_of(struct row *row, unsigned column, const char *bytes, size_t len);
void row_put_name(struct row *row, unsigned column, const char *name);
/* The model's "unknown" is an empty string: nothing. */
void row_put_name_if_any(struct row *row, unsigned column, const char *name);
void row_put_time(struct row *row, unsigned column, int64_t ns); /* 0: nothing */
/* The same; where people read it, without the day. */
void row_put_clock(struct row *row, unsigned column, int64_t ns);
/* Without the year, parts of a second and the zone, for people. */
void row_put_time_briefly(struct row *row, unsigned column, int64_t ns);
void row_put_duration(struct row *row, unsigned column, uint64_t ns);
void row_put_status(struct row *row, unsigned column, const struct vmsnap_status_field *field);
void row_put_share(struct row *row, unsigned column, uint64_t part, uint64_t whole);
/* Of a page: known: whether frames are.  Of one that has none, nothing. */
void row_put_frame(struct row *row, unsigned column, const struct vmsnap_run *page, bool known);
/* fill: adds what lies between start and end; quiet: also where nothing happened. */
typedef void (*strip_fill_fn)(void *ctx, struct strip *strip, bool quiet);
struct strip_of {
	uint64_t start, end, page_size;
	strip_fill_fn fill;
	void *ctx;
};
void row_put_strip(struct row *row, unsigned column, const struct strip_of *strip);
/* "?", null; not the same as nothing. */
void row_put_unknown(struct row *row, unsigned column);
/* counts: `count` of them; unknown: 1 << those of which it is not known. */
void row_put_counts(struct row *row, unsigned column, const uint64_t *counts, int count, uint32_t unknown,
                    const char *(*name)(int index));

/* More of a column of type COLUMN_TEXT. */
void row_text(struct row *row, unsigned column, const char *words);
void row_text_name(struct row *row, unsigned column, const char *name, size_t len);
void row_text_delta(struct row *row, unsigned column, bool less, uint64_t bytes);
/* What follows in the same text is too much. */
void row_text_more(struct row *row, unsigned column);

/* What the row, or one of its columns, means: enum page_class or text_color.h. */
void row_mark(struct row *row, unsigned column, int color);
void row_mark_all(struct row *row, int color);

/* Ends a row, a record or a list. */
void row_end(struct row *row);
/* The next row is the total of those before: only people are told. */
bool row_total(struct row *row);
void row_total_label(struct row *row, unsigned column, const char *words);
void row_end_total(struct row *row);

/* A record (by its schema), a list, an open object; row_end() ends it. */
struct row row_open(struct row *row, unsigned column);
void row_item(struct row *list, const char *bytes, size_t len);
void row_item_count(struct row *list, uint64_t count);
void row_own_count(struct row *open, const char *key, uint64_t count, bool known);
void row_own_name(struct row *open, const char *key, const char *bytes, size_t len);
void row_own_status(struct row *open, const struct vmsnap_status_field *field);
/* Rows, or records in one line. */
int row_rows(struct row *row, unsigned column, rows_fn fn, void *ctx, struct vmsnap_error *err);

#endif
