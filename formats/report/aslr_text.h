/* aslr_text.h - what two runs of a program differ in, in sentences. */
#ifndef VMSNAP_ASLR_TEXT_H
#define VMSNAP_ASLR_TEXT_H

#include "text_out.h"
#include "vmsnap.h"

/* What memory without a name is called: enum vmsnap_aslr_kind. */
const char *aslr_kind_words(int kind);

/* What comes before the table: the answer. */
int put_aslr_summary(struct text *text, const struct vmsnap_aslr *aslr);
/* What comes after it: what contents say, and how far that means something. */
void put_aslr_contents(struct text *text, const struct vmsnap_aslr *aslr);

#endif
