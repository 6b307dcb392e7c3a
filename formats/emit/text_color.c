#include "text_color.h"

#include <stdio.h>
#include <string.h>

static size_t one_color(char *out, size_t room, int mode, int page_class, bool background)
{
	const struct palette_color *color = palette_of_class(page_class);
	int len = 0;
	if (mode == VMSNAP_COLOR_RGB)
		len = snprintf(out, room, "\033[%d;2;%d;%d;%dm", background ? 48 : 38, color->red, color->green,
		               color->blue);
	else if (mode == VMSNAP_COLOR_256)
		len = snprintf(out, room, "\033[%d;5;%dm", background ? 48 : 38, color->of_256);
	else
		len = snprintf(out, room, "\033[%dm",
		               (color->of_16 < 8 ? 30 : 90 - 8) + color->of_16 + (background ? 10 : 0));
	return len > 0 ? (size_t)len : 0;
}

static bool is_class(int role)
{
	return role > CLASS_HOLE && role < PAGE_CLASSES;
}

size_t color_sequence(char *out, size_t room, int mode, int foreground, int background)
{
	size_t len = 0;
	*out = '\0';
	if (mode == VMSNAP_COLOR_NONE)
		return 0;
	if (is_class(foreground))
		len = one_color(out, room, mode, foreground, false);
	else if (palette_attributes(foreground))
		len = (size_t)snprintf(out, room, "\033[%sm", palette_attributes(foreground));
	if (is_class(background))
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
