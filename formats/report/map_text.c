/* map_text.c - the picture, and what it means. */
#define _GNU_SOURCE
#include "map_text.h"

#include <string.h>

#include "filter_record.h"
#include "format_value.h"
#include "map_names.h"
#include "relation_text.h"
#include "text_color.h"
#include "text_fit.h"

bool map_half_blocks(const struct vmsnap_style *style)
{
	return style->unicode && style->color != VMSNAP_COLOR_NONE;
}

static void put_letters(struct text *text, const struct map *map, const struct map_row *row)
{
	int color = COLOR_DEFAULT;
	for (unsigned i = 0; i < map->cells; i++) {
		int now = map_cell_class(row->counts[i]);
		if (now != color) {
			color_end(text, color);
			color_start(text, now);
			color = now;
		}
		text_repeat(text, class_letter(now), 1);
	}
	color_end(text, color);
}

/* Two rows of cells in one line: the upper is the foreground of a half block. */
static void put_halves(struct text *text, const struct map *map, const struct map_row *row)
{
	char sequence[COLOR_ROOM];
	unsigned half = map->cells / 2;
	for (unsigned i = 0; i < half; i++) {
		int upper = map_cell_class(row->counts[i]), lower = map_cell_class(row->counts[half + i]);
		if (upper == CLASS_HOLE && lower == CLASS_HOLE) {
			text_string(text, " ");
			continue;
		}
		int front = upper == CLASS_HOLE ? lower : upper, back = upper == CLASS_HOLE ? CLASS_HOLE : lower;
		text_put(text, sequence, color_sequence(sequence, sizeof(sequence), text->style->color, front, back));
		text_string(text, upper == CLASS_HOLE ? "▄" : "▀");
		text_string(text, COLOR_RESET);
	}
}

/* ---- what is in it, beside a row, where there is room ------------------------------- */

enum { NAMES_LEAST = 12 };
struct names {
	struct text *text;
	size_t room; /* columns; 0: no more fits */
	bool any;
};

static bool put_name(void *ctx, const char *name, size_t len)
{
	struct names *names = ctx;
	const char *slash = memrchr(name, '/', len);
	size_t skipped = slash ? (size_t)(slash + 1 - name) : 0, gap = 2;
	size_t width = fit_width(names->text, name + skipped, len - skipped);
	if (names->room < gap + (names->any ? width : NAMES_LEAST)) {
		if (names->any && names->room >= gap + 1)
			text_string(names->text, names->text->style->unicode ? " …" : " +");
		names->room = 0;
		return false;
	}
	text_string(names->text, names->any ? ", " : "  ");
	fit_name(names->text, name + skipped, len - skipped, names->room - gap);
	names->room -= width + gap < names->room ? width + gap : names->room;
	names->any = true;
	return names->room;
}

static void put_names(struct text *text, const struct map *map, uint64_t start)
{
	unsigned used = 15 + (map_half_blocks(text->style) ? map->cells / 2 : map->cells);
	struct names names = { .text = text, .room = FIT_MOST };
	if (text->style->width)
		names.room = text->style->width > used ? text->style->width - used : 0;
	color_start(text, COLOR_DIM);
	map_row_names(text, map, start, put_name, &names);
	color_end(text, COLOR_DIM);
}

/* What is not in the picture is not there, or not chosen. */
static const char *nothing(const struct map *map)
{
	return map->filter.any ? "nothing chosen" : "nothing resident";
}

static void put_hole(struct text *text, const struct map *map, uint64_t bytes)
{
	const char *dots = text->style->unicode ? "⋯" : "...";
	struct word size = word_size(text->style, bytes);
	enum { INDENT = 15, DOTS = 3, GAPS = 3 };
	size_t width = strlen(size.text) + strlen(nothing(map)) + 2 * DOTS + GAPS, limit = text->style->width;
	size_t indent = !limit || width + INDENT <= limit ? INDENT : width < limit ? limit - width : 0;
	color_start(text, COLOR_DIM);
	text_format(text, "%*s%s %s %s %s", (int)indent, "", dots, size.text, nothing(map), dots);
	color_end(text, COLOR_DIM);
	text_string(text, "\n");
}

static void put_legend(struct text *text, const struct map *map)
{
	static const int order[] = { CLASS_COPIED, CLASS_NEW,  CLASS_GONE,    CLASS_WRITTEN,
		                     CLASS_SHARED, CLASS_FILE, CLASS_PRIVATE, CLASS_SWAPPED };
	uint64_t totals[PAGE_CLASSES];
	bool any = false;
	size_t column = 0, limit = text->style->width;
	map_totals(map, totals);
	text_blank(text);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		int now = order[i];
		if (!totals[now])
			continue;
		struct word size = word_size(text->style, totals[now]);
		size_t width = strlen(class_name(now)) + strlen(size.text) + (map_half_blocks(text->style) ? 4 : 3);
		if (column && limit && column + width > limit) {
			text_string(text, "\n");
			column = 0;
		}
		column += width + 3;
		color_start(text, now);
		if (map_half_blocks(text->style))
			text_string(text, "██");
		else
			text_repeat(text, class_letter(now), 1);
		color_end(text, now);
		text_format(text, " %s %s   ", class_name(now), size.text);
		any = true;
	}
	text_format(
	        text, "%s1 %s = %s, row = %s%s\n", any ? "\n" : "", map_half_blocks(text->style) ? "half-cell" : "cell",
	        word_size(text->style, map->cell).text, word_size(text->style, map_row_bytes(map)).text,
	        map_half_blocks(text->style) || filter_has_states(&map->filter) ? ""
	                                                                        : "   (. mapped, nothing resident)");
}

void put_map_text(struct text *text, const struct map *map)
{
	struct map_row row;
	uint64_t at = 0, start;
	bool any = false;
	if (map->view.diff) {
		put_relation(text, vmsnap_diff_relation(map->view.diff), map->view.a, map->view.b);
		put_order(text, taken_later(map->view.a, map->view.b));
	}
	put_filter_line(text, &map->filter);
	put_filter_unknown(text, map->snap, &map->filter);
	while (!text_failed(text) && map_next_row(map, at, &start)) {
		if (any && start != at)
			put_hole(text, map, start - at);
		map_fill_row(map, start, &row);
		text_format(text, "%-14s ", word_address(start).text);
		if (map_half_blocks(text->style))
			put_halves(text, map, &row);
		else
			put_letters(text, map, &row);
		if (text->out.names)
			put_names(text, map, start);
		text_string(text, "\n");
		any = true;
		at = start + map_row_bytes(map);
		if (!at)
			break;
	}
	if (!any)
		text_format(text, "%s\n", nothing(map));
	put_legend(text, map);
}
