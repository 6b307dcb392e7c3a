/* bar_text.h - a bar: what a sum is made of, as wide as the window. */
#ifndef VMSNAP_BAR_TEXT_H
#define VMSNAP_BAR_TEXT_H

#include "text_out.h"

struct bar_part {
	uint64_t size;
	int page_class; /* its colour, or its letter; CLASS_HOLE: nobody knows what it is */
	bool inferred;  /* no fact: hatched */
};
/* A line; nothing if all parts are 0.  What is not 0 is seen. */
void put_bar(struct text *text, const struct bar_part *parts, size_t count);

#endif
