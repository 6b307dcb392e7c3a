/* emitter.h - what becomes of rows: a table, JSON.  Reports call emit_table() or
 * emit_json() and know no more of it; another form is another struct emitter_ops. */
#ifndef VMSNAP_EMITTER_H
#define VMSNAP_EMITTER_H

#include "row.h"

/* What was put into a column, as its type says. */
struct value {
	bool unknown;
	bool special;          /* an end is 2^64; a time is of one day; a delta is negative */
	uint64_t number, more; /* more: what a share is of, what flags are unknown */
	const char *bytes;
	size_t len;
	const char *(*name)(int index);
	const void *of; /* counts, a page, a status field, a strip */
};

struct emitter_ops {
	bool (*wants)(const struct emitter *emitter, const struct column *column);
	void (*put)(struct emitter *emitter, const struct column *column, const struct value *value);
	/* Nothing was put.  NULL: nothing is done about it. */
	void (*pass)(struct emitter *emitter, const struct column *column);
	/* More of a COLUMN_TEXT, from the target or not. */
	void (*piece)(struct emitter *emitter, const struct column *column, const char *bytes, size_t len, bool ours);
	void (*mark)(struct emitter *emitter, const struct column *column, int color); /* column NULL: all */
	void (*begin_row)(struct emitter *emitter);
	void (*end_row)(struct emitter *emitter, bool total);
	bool (*total)(const struct emitter *emitter); /* whether it shows totals */
	/* What holds others; false: it does not show them. */
	bool (*open)(struct emitter *emitter, const struct column *column);
	void (*close)(struct emitter *emitter);
	void (*key)(struct emitter *emitter, const char *key, size_t len); /* of a COLUMN_OPEN */
};
struct emitter {
	const struct emitter_ops *ops;
	struct text *text;
};

/* fill puts the columns of the one document, whose schema is called `name`. */
int emit_json(struct text *text, const char *name, const struct row_schema *schema, rows_fn fill, void *ctx,
              struct vmsnap_error *err);
/* A table, in which style.columns chooses and style.sort orders. */
int emit_table(struct text *text, const struct row_schema *schema, rows_fn rows, void *ctx, struct vmsnap_error *err);
/* The same, but rows is called only once, and what it put is kept. */
int emit_table_once(struct text *text, const struct row_schema *schema, rows_fn rows, void *ctx,
                    struct vmsnap_error *err);
/* Whether the style asks for a table, where prose is the rule. */
bool emit_table_is_asked(const struct text *text);
/* One more table, to which they do not speak. */
int emit_other_table(struct text *text, const struct row_schema *schema, rows_fn rows, void *ctx,
                     struct vmsnap_error *err);
/* Whether style.columns and style.sort name columns, for the sake of an early error. */
int emit_table_check(struct text *text, const struct row_schema *schema, struct vmsnap_error *err);

/* The columns with a heading, in the order of the table. */
size_t schema_shown_count(const struct row_schema *schema);
const struct column *schema_shown(const struct row_schema *schema, size_t index);

#endif
