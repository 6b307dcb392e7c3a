/* diff_text.h - what a diff comes to in detail, for people; the answer is in diff_answer_text.h. */
#ifndef VMSNAP_DIFF_TEXT_H
#define VMSNAP_DIFF_TEXT_H

#include "diff_rows.h"
#include "text_out.h"

/* The facts, code that was written, names, status.  flags: enum vmsnap_print_flag. */
struct changed_by;
int put_diff_totals(struct text *text, const struct diff_view *view, struct diff_rows *rows,
                    const struct changed_by *by, struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err);
/* Bytes of pages whose states could not be read. */
uint64_t diff_unread(const struct diff_view *view);
/* Bytes that others had, too, and have no more: copied, if frames were known. */
uint64_t diff_maybe_copied(const struct diff_view *view);
/* Of how many pages it is not known whether they were written to; nothing if there are none. */
void put_diff_unknown(struct text *text, const struct diff_view *view);
/* The names on pages that were written. */
int put_diff_names(struct text *text, const struct diff_view *view, struct diff_rows *rows, struct vmsnap_names *names,
                   unsigned flags, struct vmsnap_error *err);

#endif
