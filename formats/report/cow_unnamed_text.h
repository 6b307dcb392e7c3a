/* cow_unnamed_text.h - what was copied and is no variable of the program: as a rule nearly all of it. */
#ifndef VMSNAP_COW_UNNAMED_TEXT_H
#define VMSNAP_COW_UNNAMED_TEXT_H

#include "vmsnap.h"

struct naming;
struct text;
/* "the rest: 28.7M heap (no names), 48.0K libraries, 20.0K stacks"; nothing, if there is none. */
int put_cow_unnamed(struct text *text, const struct vmsnap_cow *cow, const struct naming *naming,
                    const struct vmsnap_vma *program, struct vmsnap_error *err);

#endif
