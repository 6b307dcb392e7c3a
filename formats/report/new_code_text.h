/* new_code_text.h - a line for each kind of executable memory that a diff shows to be new
 * (new_code.h). */
#ifndef VMSNAP_NEW_CODE_TEXT_H
#define VMSNAP_NEW_CODE_TEXT_H

#include "diff_view.h"
#include "text_out.h"

void put_new_code(struct text *text, const struct diff_view *view);

#endif
