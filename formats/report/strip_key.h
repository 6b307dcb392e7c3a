/* strip_key.h - what colours, letters and heights of the strips in a table mean: one line below it. */
#ifndef VMSNAP_STRIP_KEY_H
#define VMSNAP_STRIP_KEY_H

#include "text_out.h"

/* Of the strips that were drawn since the last key; nothing if there are none, and no more than fits in a line.
 * words: of a class, in that picture.  more: what there is to say of columns, behind it or in the next line; or NULL.
 */
typedef const char *(*class_words_fn)(int page_class);
void put_strip_key(struct text *text, class_words_fn words, const char *more);

#endif
