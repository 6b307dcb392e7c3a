#include "text_color.h"

#include <stdio.h>
#include <string.h>

/* 0 to 7, and their bright ones. */
static int code_of_16(int of_16, bool background)
{
	return (of_16 < 8 ? 30 : 90 - 8) + of_16 + (background ? 10 : 0);
}

static bool is_light(const struct vmsnap_style *style)
{
	return style->color & VMSNAP_COLOR_LIGHT;
}

static size_t one_color(char *out, size_t room, const struct vmsnap_style *style, const struct palette_color *color,
                        bool background)
{
	int mode = style->color & ~VMSNAP_COLOR_LIGHT, len = 0;
	if (mode == VMSNAP_COLOR_RGB)
		len = snprintf(out, room, "\033[%d;2;%d;%d;%dm", background ? 48 : 38, color->red, color->green,
		               color->blue);
	else if (mode == VMSNAP_COLOR_256)
		len = snprintf(out, room, "\033[%d;5;%dm", background ? 48 : 38, color->of_256);
	else
		len = snprintf(out, room, "\033[%dm", code_of_16(color->of_16, background));
	return len > 0 ? (size_t)len : 0;
}

static bool is_class(int role)
{
	return role > CLASS_HOLE && role < PAGE_CLASSES;
}

size_t color_of_cell(char *out, size_t room, const struct vmsnap_style *style, int foreground, int background)
{
	size_t len = 0;
	*out = '\0';
	if (style->color == VMSNAP_COLOR_NONE)
		return 0;
	if (is_class(foreground))
		len = one_color(out, room, style, palette_of_cell(is_light(style), foreground), false);
	if (is_class(background))
		len += one_color(out + len, room - len, style, palette_of_cell(is_light(style), background), true);
	return len;
}

size_t color_of_words(char *out, size_t room, const struct vmsnap_style *style, int role)
{
	*out = '\0';
	if (style->color == VMSNAP_COLOR_NONE)
		return 0;
	/* How faint a terminal makes what is dim is not known: where it has our colours, it is one that can be read. */
	bool dim = role == COLOR_DIM && (style->color & ~VMSNAP_COLOR_LIGHT) != VMSNAP_COLOR_16;
	if (is_class(role) || dim)
		return one_color(out, room, style, palette_of_words(is_light(style), dim ? CLASS_UNTOUCHED : role),
		                 false);
	return palette_attributes(role) ? (size_t)snprintf(out, room, "\033[%sm", palette_attributes(role)) : 0;
}

void color_start(struct text *text, int color)
{
	char sequence[COLOR_ROOM];
	text_put(text, sequence, color_of_words(sequence, sizeof(sequence), text->style, color));
}

void color_start_sample(struct text *text, int color)
{
	char sequence[COLOR_ROOM];
	text_put(text, sequence, color_of_cell(sequence, sizeof(sequence), text->style, color, COLOR_DEFAULT));
}

void color_end(struct text *text, int color)
{
	if (text->style->color != VMSNAP_COLOR_NONE && color != COLOR_DEFAULT && color != CLASS_HOLE)
		text_string(text, COLOR_RESET);
}
