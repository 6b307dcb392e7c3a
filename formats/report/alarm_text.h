/* alarm_text.h - a line that is not to be missed. */
#ifndef VMSNAP_ALARM_TEXT_H
#define VMSNAP_ALARM_TEXT_H

#include "text_out.h"

/* "! words", in the colour for it, broken at blanks. */
void put_alarm(struct text *text, const char *words);
/* What is as it is: the same in no colour. */
void put_note(struct text *text, const char *words);

#endif
