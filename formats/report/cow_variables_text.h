/* cow_variables_text.h - whose pages they were: variables of the program itself, and of the frames in which a debugger
 * stands, on pages that parent and child no longer share. */
#ifndef VMSNAP_COW_VARIABLES_TEXT_H
#define VMSNAP_COW_VARIABLES_TEXT_H

#include "cow_groups.h"
#include "top_names.h"

struct text;
int put_cow_variables(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                      const struct naming *naming, struct vmsnap_error *err);
/* Whether locals or arguments lie on it that a debugger told of. */
bool cow_range_has_locals(const struct vmsnap_cow_range *range, const struct naming *naming);

#endif
