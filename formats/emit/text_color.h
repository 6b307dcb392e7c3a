/* text_color.h - how a terminal is told of a colour (palette.h). */
#ifndef VMSNAP_TEXT_COLOR_H
#define VMSNAP_TEXT_COLOR_H

#include <stddef.h>

#include "palette.h"
#include "text_out.h"

/* The escape sequence for a cell in the foreground's colour (and, if background is not
 * CLASS_HOLE or COLOR_DEFAULT, on that), "" without colours.  room of COLOR_ROOM is always
 * enough; returns the length. */
enum { COLOR_ROOM = 64 };
size_t color_of_cell(char *out, size_t room, const struct vmsnap_style *style, int foreground, int background);
/* The same for words and letters. */
size_t color_of_words(char *out, size_t room, const struct vmsnap_style *style, int role);
#define COLOR_RESET "\033[0m"

/* What follows is words in that colour; or what a cell of it looks like, in a legend. */
void color_start(struct text *text, int color);
void color_start_sample(struct text *text, int color);
void color_end(struct text *text, int color);

#endif
