/* text_color.h - the palette, and how a terminal is told of it. */
#ifndef VMSNAP_TEXT_COLOR_H
#define VMSNAP_TEXT_COLOR_H

#include <stddef.h>

#include "text_out.h"

/* What a page of the picture is; also what a text in that colour speaks of. */
enum page_class {
	CLASS_HOLE, /* not mapped */
	CLASS_UNTOUCHED,
	CLASS_PRIVATE,
	CLASS_FILE,
	CLASS_SHARED,
	CLASS_SWAPPED,
	CLASS_EVENTS, /* the classes from here on are changes */
	CLASS_COPIED = CLASS_EVENTS,
	CLASS_NEW,
	CLASS_GONE,
	CLASS_OTHER, /* a change of another kind */
	PAGE_CLASSES
};
const char *class_name(int page_class);
char class_letter(int page_class);

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
