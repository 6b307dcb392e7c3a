/* text_limit.h - what is made for a text counts against the limits of what it is about. */
#ifndef VMSNAP_TEXT_LIMIT_H
#define VMSNAP_TEXT_LIMIT_H

#include "text_out.h"

/* NULLs are passed over. */
void text_limit(struct text *text, const struct vmsnap *const *snaps, size_t count);
/* What a comparison has taken is taken. */
void text_limit_diff(struct text *text, const struct vmsnap_diff *diff);
void text_limit_cow(struct text *text, const struct vmsnap_cow *cow);

#endif
