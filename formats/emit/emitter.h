/* emitter.h - what becomes of rows: a table, JSON.  Reports call emit_table() or
 * emit_json() and know no more of it; another form is another struct emitter_ops. */
#ifndef VMSNAP_EMITTER_H
#define VMSNAP_EMITTER_H

#include "row.h"

/* fill puts the columns of the one document, whose schema is called `name`. */
int emit_json(struct text *text, const char *name, const struct row_schema *schema, rows_fn fill, void *ctx,
              struct vmsnap_error *err);
/* The same in one line. */
int emit_json_line(struct text *text, const char *name, const struct row_schema *schema, rows_fn fill, void *ctx,
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

#endif
