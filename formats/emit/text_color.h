/* text_color.h - how a terminal is told of a colour (palette.h). */
#ifndef VMSNAP_TEXT_COLOR_H
#define VMSNAP_TEXT_COLOR_H

#include <stddef.h>

#include "palette.h"
#include "text_out.h"

/* The escape sequence for a foreground colour (and, if background is not
 * CLASS_HOLE or COLOR_DEFAULT, a background), "" without colours.  room of
 * COLOR_ROOM is always enough; returns the length. */
enum { COLOR_ROOM = 64 };
size_t color_sequence(char *out, size_t room, int mode, int foreground, int background);
#define COLOR_RESET "\033[0m"

void color_start(struct text *text, int color);
void color_end(struct text *text, int color);

#endif
