/* relation_text.h - why pages are not compared one by one, for people. */
#ifndef VMSNAP_RELATION_TEXT_H
#define VMSNAP_RELATION_TEXT_H

#include "text_out.h"

/* "another program since"; "" if they are.  relation: enum vmsnap_relation. */
const char *relation_words(int relation);
/* A line of its own, of A and B; nothing if they are comparable. */
void put_relation(struct text *text, int relation);

#endif
