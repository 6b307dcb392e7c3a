/* folded_name.h - names of code in one line, frames divided by ';': what divides them, ends lines or is seen by nobody
 * is written \xHH. */
#ifndef VMSNAP_FOLDED_NAME_H
#define VMSNAP_FOLDED_NAME_H

#include "escape.h"

/* What begins at `name`, of which left > 0 bytes are left. */
static inline void folded_one(const char *name, size_t left, struct escaped *out)
{
	escape_one(name, left, 0, out);
	if (*name == ';')
		*out = (struct escaped){ .text = "\\x3b", .len = 4, .used = 1 };
}

#endif
