/* blame_text.h - the prose around a table of blame, and how code and places are called in it. */
#ifndef VMSNAP_BLAME_TEXT_H
#define VMSNAP_BLAME_TEXT_H

#include "blame_rows.h"
#include "row.h"
#include "text_out.h"

void blame_put_heading(struct text *text, const struct blame_rows *rows);
void blame_put_notes(struct text *text, const struct blame_rows *rows, size_t most);
/* "[heap]", "anonymous 7f949bc00000, ...". */
void blame_put_place(struct row *row, unsigned column, const struct blame_place *place, bool others);
/* "dbOverwrite (db.c:242)", "(inside read(2)) readQueryFromClient". */
void blame_put_called(struct row *row, unsigned column, const struct blame_rows *rows, const struct blame_row *what);

#endif
