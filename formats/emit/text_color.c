#include "text_color.h"

#include <stdio.h>
#include <string.h>

/* For a dark terminal and for the colour-blind.  256: the nearest of the cube;
 * 16: one that differs from its neighbours. */
static const struct {
	unsigned char red, green, blue, of_256, of_16;
} classes[PAGE_CLASSES] = {
	[CLASS_HOLE] = { 0, 0, 0, 0, 0 },
	[CLASS_UNTOUCHED] = { 0x1c, 0x20, 0x26, 234, 0 },
	[CLASS_PRIVATE] = { 0x3f, 0x46, 0x51, 240, 7 },
	[CLASS_FILE] = { 0x7e, 0x6d, 0x8b, 96, 6 },
	[CLASS_SHARED] = { 0x1c, 0x5f, 0xbb, 25, 4 },
	[CLASS_SWAPPED] = { 0xef, 0xe0, 0x34, 220, 3 },
	[CLASS_COPIED] = { 0xfb, 0x5d, 0x0c, 202, 1 },
	[CLASS_NEW] = { 0x61, 0xdc, 0xa1, 79, 2 },
	[CLASS_GONE] = { 0xf1, 0x76, 0xda, 212, 5 },
	[CLASS_WRITTEN] = { 0x39, 0xc5, 0xe6, 81, 14 },
	[CLASS_OTHER] = { 0xc9, 0xd1, 0xd9, 252, 15 },
};

static size_t one_color(char *out, size_t room, int mode, int color, bool background)
{
	int len = 0;
	if (mode == VMSNAP_COLOR_RGB)
		len = snprintf(out, room, "\033[%d;2;%d;%d;%dm", background ? 48 : 38, classes[color].red,
		               classes[color].green, classes[color].blue);
	else if (mode == VMSNAP_COLOR_256)
		len = snprintf(out, room, "\033[%d;5;%dm", background ? 48 : 38, classes[color].of_256);
	else
		len = snprintf(out, room, "\033[%dm",
		               (classes[color].of_16 < 8 ? 30 : 90 - 8) + classes[color].of_16 + (background ? 10 : 0));
	return len > 0 ? (size_t)len : 0;
}

size_t color_sequence(char *out, size_t room, int mode, int foreground, int background)
{
	size_t len = 0;
	*out = '\0';
	if (mode == VMSNAP_COLOR_NONE)
		return 0;
	if (foreground > CLASS_HOLE && foreground < PAGE_CLASSES)
		len = one_color(out, room, mode, foreground, false);
	else if (foreground == COLOR_DIM)
		len = (size_t)snprintf(out, room, "\033[2m");
	else if (foreground == COLOR_BOLD)
		len = (size_t)snprintf(out, room, "\033[1m");
	else if (foreground == COLOR_ALARM)
		len = (size_t)snprintf(out, room, "\033[1;31m");
	if (background > CLASS_HOLE && background < PAGE_CLASSES)
		len += one_color(out + len, room - len, mode, background, true);
	return len;
}

void color_start(struct text *text, int color)
{
	char sequence[COLOR_ROOM];
	if (text->style->color == VMSNAP_COLOR_NONE)
		return;
	text_put(text, sequence, color_sequence(sequence, sizeof(sequence), text->style->color, color, COLOR_DEFAULT));
}

void color_end(struct text *text, int color)
{
	if (text->style->color != VMSNAP_COLOR_NONE && color != COLOR_DEFAULT && color != CLASS_HOLE)
		text_string(text, COLOR_RESET);
}
