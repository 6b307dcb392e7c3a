/* diff_answer_text.h - what a diff says first: how much changed, in one sentence, and between which two. */
#ifndef VMSNAP_DIFF_ANSWER_TEXT_H
#define VMSNAP_DIFF_ANSWER_TEXT_H

#include "diff_rows.h"
#include "text_fit.h"

/* "30.1M copied of 170M writable and shared at A (17.7%)"; false, and nothing, if it is known that nothing was. */
bool put_diff_copied(struct fit_line *line, const struct diff_view *view, struct diff_rows *rows);
/* The sentence, and A and B: in brief, or a line for each of them.  Of what is not comparable A and B, and why not. */
void put_diff_answer(struct text *text, const struct diff_view *view, struct diff_rows *rows, bool briefly);

#endif
