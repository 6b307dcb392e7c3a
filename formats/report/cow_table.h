/* cow_table.h - where the sharing was lost: a row for each mapping, or for several that belong together. */
#ifndef VMSNAP_COW_TABLE_H
#define VMSNAP_COW_TABLE_H

#include "cow_rows.h"
#include "text_out.h"

/* flags: enum vmsnap_print_flag; names: of the child, may be NULL. */
int put_cow_table(struct text *text, const struct vmsnap_cow *cow, const struct cow_rows *rows,
                  struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err);
/* What the rows do not tell. */
void put_cow_rest(struct text *text, const struct vmsnap_cow *cow, const struct cow_rows *rows,
                  const struct cow_touched *touched, unsigned flags);

#endif
