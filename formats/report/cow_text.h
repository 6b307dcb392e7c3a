/* cow_text.h - the verdicts for people. */
#ifndef VMSNAP_COW_TEXT_H
#define VMSNAP_COW_TEXT_H

#include "cow_groups.h"
#include "text_out.h"
#include "top_names.h"

/* flags: enum vmsnap_print_flag */
int put_cow_text(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                 const struct naming *naming, unsigned flags, struct vmsnap_error *err);

#endif
