/* diff_table.h - the diff as `git diff --stat` would show it: a row for each changed
 * mapping; and its ranges, one by one. */
#ifndef VMSNAP_DIFF_TABLE_H
#define VMSNAP_DIFF_TABLE_H

#include "diff_by.h"
#include "diff_rows.h"
#include "text_out.h"

/* names: B's, by which mappings without a name are called; or NULL. */
int print_diff_table(struct text *text, const struct diff_view *view, struct diff_rows *rows, struct changed_by *by,
                     struct vmsnap_names *names, struct vmsnap_error *err);
int print_diff_ranges(struct text *text, const struct diff_view *view, struct changed_by *by,
                      struct vmsnap_names *names, struct vmsnap_error *err);

#endif
