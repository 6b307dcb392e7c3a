/* diff_text.h - what a diff comes to, for people. */
#ifndef VMSNAP_DIFF_TEXT_H
#define VMSNAP_DIFF_TEXT_H

#include "diff_rows.h"
#include "text_out.h"

/* "30.1M copied of 170M shared at A (17.7%)"; false, and nothing, if it is known that nothing was. */
struct fit_line;
bool put_diff_copied(struct fit_line *line, const struct diff_view *view, struct diff_rows *rows);
void put_diff_heading(struct text *text, const struct diff_view *view);
/* The sentence, the facts, code that was written, names, status.  flags: enum
 * vmsnap_print_flag. */
struct changed_by;
int put_diff_totals(struct text *text, const struct diff_view *view, struct diff_rows *rows,
                    const struct changed_by *by, struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err);
/* Of how many pages it is not known whether they were written to; nothing if there are none. */
/* Bytes of pages whose states could not be read. */
uint64_t diff_unread(const struct diff_view *view);
void put_diff_unknown(struct text *text, const struct diff_view *view);
/* The names on pages that were written. */
int put_diff_names(struct text *text, const struct diff_view *view, struct diff_rows *rows, struct vmsnap_names *names,
                   unsigned flags, struct vmsnap_error *err);

#endif
