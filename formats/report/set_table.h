/* set_table.h - tables with a line for each process of a tree. */
#ifndef VMSNAP_SET_TABLE_H
#define VMSNAP_SET_TABLE_H

#include "emitter.h"

/* emit_table_check(): the error says that they have columns of their own, and whether it is the table of
 * two snapshots (`pair`) that has the one that was asked for. */
int set_table_check(struct text *text, const struct row_schema *schema, const struct row_schema *pair,
                    struct vmsnap_error *err);

#endif
