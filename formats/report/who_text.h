/* who_text.h - what a look for a frame or a file came to, in lines above the table. */
#ifndef VMSNAP_WHO_TEXT_H
#define VMSNAP_WHO_TEXT_H

#include "text_out.h"

void put_who_heading(struct text *text, const struct vmsnap_who *who);

#endif
