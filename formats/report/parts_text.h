/* parts_text.h - a sum told by its parts: "+1.07G new, -4.00K gone". */
#ifndef VMSNAP_PARTS_TEXT_H
#define VMSNAP_PARTS_TEXT_H

#include "text_fit.h"

/* Nothing if it is 0.  *any: whether there was a part before. */
void put_part(struct fit_line *line, bool *any, const char *sign, uint64_t bytes, const char *what);

#endif
