#include "cell.h"

#include <string.h>

#include "text_color.h"

/* ---- what is seen of it ----------------------------------------------------------------- */

/* From the bottom up. */
enum layer { LAYER_EVENTS, LAYER_SWAPPED, LAYER_QUIET, LAYER_UNREAD, LAYER_UNTOUCHED, LAYER_HOLE, LAYERS };

static enum layer layer_of(int page_class)
{
	if (page_class == CLASS_HOLE)
		return LAYER_HOLE;
	if (page_class == CLASS_UNTOUCHED)
		return LAYER_UNTOUCHED;
	if (page_class == CLASS_UNREAD)
		return LAYER_UNREAD;
	if (page_class == CLASS_SWAPPED)
		return LAYER_SWAPPED;
	return page_class >= CLASS_EVENTS ? LAYER_EVENTS : LAYER_QUIET;
}

struct layer_sum {
	uint64_t sum;
	int largest, second; /* CLASS_HOLE: there is none */
};

static void add_class(struct layer_sum *layer, const uint64_t *counts, int page_class)
{
	layer->sum += counts[page_class];
	if (layer->largest == CLASS_HOLE || counts[page_class] > counts[layer->largest]) {
		layer->second = layer->largest;
		layer->largest = page_class;
	} else if (layer->second == CLASS_HOLE || counts[page_class] > counts[layer->second]) {
		layer->second = page_class;
	}
}

/* A single page must be seen, and so must what is beside all the others. */
static unsigned eighths_of(uint64_t part, uint64_t all)
{
	unsigned eighths = (unsigned)(((unsigned __int128)part * 8 + all / 2) / all);
	if (part && !eighths)
		return 1;
	return part < all && eighths == 8 ? 7 : eighths;
}

struct cell_look cell_look(const uint64_t *counts)
{
	struct layer_sum layers[LAYERS] = { 0 };
	uint64_t all = 0;
	for (int i = CLASS_HOLE; i < PAGE_CLASSES; i++) {
		if (counts[i])
			add_class(&layers[layer_of(i)], counts, i);
		all += counts[i];
	}
	const struct layer_sum *low = layers, *high = &layers[LAYER_UNTOUCHED];
	while (!low->sum && low < &layers[LAYER_HOLE])
		low++;
	for (const struct layer_sum *layer = low + 1; layer < layers + LAYERS; layer++)
		if (layer->sum && layer->sum >= high->sum)
			high = layer;
	struct cell_look look = { .lower = low->largest, .ground = high->largest, .part = low->sum, .all = all };
	if (low->sum == all) { /* of one layer only: always the same class below the other */
		bool swap = low->second && low->second < low->largest;
		look.lower = swap ? low->second : low->largest;
		look.ground = low->second && !swap ? low->second : low->largest;
		look.part = counts[look.lower];
	}
	look.eighths = all ? eighths_of(look.part, all) : 0;
	return look;
}

/* ---- how it is drawn ------------------------------------------------------------------------ */

/* Blocks alone do not tell what rises, nor over what. */
static bool has_blocks(const struct vmsnap_style *style)
{
	return style->unicode && !style->raw && style->color != VMSNAP_COLOR_NONE;
}

unsigned cell_columns(const struct vmsnap_style *style)
{
	return has_blocks(style) || style->raw ? 1 : 2;
}

static size_t put(char *out, const char *string)
{
	size_t len = strlen(string);
	memcpy(out, string, len);
	return len;
}

/* No colour says that nothing is known. */
static size_t draw_unread(const struct vmsnap_style *style, char *out, size_t room)
{
	size_t len = color_of_words(out, room, style, CLASS_UNREAD);
	out[len++] = class_letter(CLASS_UNREAD);
	out[len] = '\0';
	return len + (style->color == VMSNAP_COLOR_NONE ? 0 : put(out + len, COLOR_RESET));
}

static size_t draw_blocks(const struct cell_look *look, const struct vmsnap_style *style, char *out, size_t room)
{
	static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	bool plain = look->lower == look->ground;
	if (look->lower == CLASS_UNREAD)
		return draw_unread(style, out, room);
	size_t len = color_of_cell(out, room, style, plain ? COLOR_DEFAULT : look->lower, look->ground);
	len += put(out + len, blocks[plain ? 0 : look->eighths]);
	return len + (style->color == VMSNAP_COLOR_NONE ? 0 : put(out + len, COLOR_RESET));
}

/* The letter says what rises, a digit how many tenths of the cell it has: "#2"; what fills it is there twice: "==". */
static size_t draw_letters(const struct cell_look *look, const struct vmsnap_style *style, char *out, size_t room)
{
	/* One letter alone is that of what most is. */
	bool alone = cell_columns(style) == 1 && layer_of(look->lower) == layer_of(look->ground);
	int page_class = alone ? look->ground : look->lower;
	size_t len = color_of_words(out, room, style, page_class);
	char letter = class_letter(page_class);
	out[len++] = letter;
	if (cell_columns(style) > 1) {
		uint64_t tenths = (uint64_t)(((unsigned __int128)look->part * 10 + look->all / 2) / look->all);
		char digit = (char)('0' + (tenths < 1 ? 1 : tenths > 9 ? 9 : tenths));
		/* Of nothing there are no tenths. */
		out[len++] = look->part == look->all || page_class == CLASS_UNTOUCHED ? letter : digit;
	}
	return len + (style->color == VMSNAP_COLOR_NONE ? 0 : put(out + len, COLOR_RESET));
}

size_t cell_draw(const uint64_t *counts, const struct vmsnap_style *style, char *out, size_t room)
{
	struct cell_look look = cell_look(counts);
	if (look.lower == CLASS_HOLE)
		return put(out, cell_columns(style) > 1 ? "  " : " ");
	return has_blocks(style) ? draw_blocks(&look, style, out, room) : draw_letters(&look, style, out, room);
}
