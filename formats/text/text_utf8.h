/* text_utf8.h - UTF-8 as a terminal shows it: decoding, display width, and which
 * characters may not reach a terminal.  Independent of the locale. */
#ifndef VMSNAP_TEXT_UTF8_H
#define VMSNAP_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that begins at `bytes`; 0 if they are not valid UTF-8
 * (overlong, surrogate, above U+10FFFF, cut off) or len is 0. */
size_t utf8_decode(const char *bytes, size_t len, uint32_t *character);
/* What cannot be told by looking: control characters and separators, all that is
 * invisible or changes how its neighbours are shown, every blank but the space, and
 * what each font draws as it likes.  Beside emoji some of it may stand: see escape.c. */
bool utf8_is_hidden(uint32_t character);
/* What is drawn as a picture, or can be: there a selector of how it is shown, or a joiner
 * between two, means something. */
bool utf8_is_emoji(uint32_t character);
/* Columns: 0 for combining marks and what goes with an emoji, 2 for wide East Asian ones and emoji, else 1. */
unsigned utf8_width(uint32_t character);
/* Columns of a text that holds no controls. */
size_t utf8_text_width(const char *bytes, size_t len);

#endif
