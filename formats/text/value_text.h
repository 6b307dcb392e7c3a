/* value_text.h - what a variable held, in words.  Names in it are raw: they are escaped where they
 * are printed. */
#ifndef VMSNAP_VALUE_TEXT_H
#define VMSNAP_VALUE_TEXT_H

#include "vmsnap.h"

enum { VALUE_WORDS_MAX = 640 };
struct value_words {
	char text[VALUE_WORDS_MAX];
	size_t len; /* may hold NULs no more than any name */
};
/* "5", "&table+16", "\"hello\"", "READ | WRITE", "2.5", "0a 00 ff". */
struct value_words value_words_of(const struct vmsnap_value *value);

#endif
