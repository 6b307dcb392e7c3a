/* text_color.h - the palette, and how a terminal is told of it. */
#ifndef VMSNAP_TEXT_COLOR_H
#define VMSNAP_TEXT_COLOR_H

#include <stddef.h>

#include "page_class.h"
#include "text_out.h"

/* Beyond the classes, for text. */
enum { COLOR_DEFAULT = PAGE_CLASSES, COLOR_DIM, COLOR_BOLD, COLOR_ALARM };

/* The escape sequence for a foreground colour (and, if background is not
 * CLASS_HOLE or COLOR_DEFAULT, a background), "" without colours.  room of
 * COLOR_ROOM is always enough; returns the length. */
enum { COLOR_ROOM = 64 };
size_t color_sequence(char *out, size_t room, int mode, int foreground, int background);
#define COLOR_RESET "\033[0m"

void color_start(struct text *text, int color);
void color_end(struct text *text, int color);

#endif
