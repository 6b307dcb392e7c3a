/* when_text.h - when a fork's sharing was lost, in words. */
#ifndef VMSNAP_WHEN_TEXT_H
#define VMSNAP_WHEN_TEXT_H

#include "fork_when.h"
#include "format_value.h"
#include "row.h"
#include "text_fit.h"

/* "2.42 s", of what is told in ticks. */
struct word word_ticks(uint64_t ns);
/* "most of it (91%) between 1.69 s and 7.67 s after the fork, first seen at 10 ms"; nothing, if it is not known. */
void put_when(struct fit_line *line, const struct fork_when *when);
/* What the output is to tell of the fork. */
int text_cow_when(struct text *text, const struct vmsnap_cow *cow, const struct cow_began *began,
                  struct fork_when *when, struct vmsnap_error *err);
/* The same as a record. */
extern const struct row_schema when_schema;
void row_put_when(struct row *row, unsigned column, const struct fork_when *when);

#endif
