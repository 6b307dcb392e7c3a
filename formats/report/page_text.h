/* page_text.h - everything about one address, in lines. */
#ifndef VMSNAP_PAGE_TEXT_H
#define VMSNAP_PAGE_TEXT_H

#include "place.h"
#include "text_out.h"

void put_page_text(struct text *text, const struct place *place);

#endif
