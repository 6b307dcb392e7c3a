/* relation_text.h - why pages are not compared one by one, for people. */
#ifndef VMSNAP_RELATION_TEXT_H
#define VMSNAP_RELATION_TEXT_H

#include "text_out.h"
#include "vmsnap.h"

/* "another program since"; "" if they are.  relation: enum vmsnap_relation. */
const char *relation_words(int relation);
/* A line of its own, of A and B; nothing if they are comparable. */
void put_relation(struct text *text, int relation, const struct vmsnap *a, const struct vmsnap *b);
/* Whether A is of the same process as B, and was taken later. */
bool taken_later(const struct vmsnap *a, const struct vmsnap *b);
/* That it was; else nothing. */
void put_order(struct text *text, bool later);

#endif
