/* map_text.c - the picture: totals, which are the legend, then strips with what they are called. */
#include "map_text.h"

#include <stdio.h>
#include <string.h>

#include "cell.h"
#include "filter_record.h"
#include "format_value.h"
#include "map_caption.h"
#include "map_headline.h"
#include "text_color.h"
#include "text_fit.h"

/* ADDRESS: of 12 digits, as a rule.  NAMES: a column for them is no narrower; else they stand in lines of their own, or
 * behind a short strip if there is room for CAPTION, and for what changed. */
enum { ADDRESS = 14, NAMES = 12, CAPTION = 24, MAP_CELLS_USUAL = 64 };

/* How many are beside each other: 8, 12, 16, 24, 32, 48, … */
static unsigned cells_across(const struct vmsnap_style *style, size_t address)
{
	unsigned columns = cell_columns(style), room = MAP_CELLS_USUAL, cells = 8;
	if (style->width && style->width < address + (size_t)8 * columns)
		return 4;
	if (style->width)
		room = (unsigned)(style->width - address) / columns;
	for (unsigned step = 4; cells + step <= room && cells + step <= MAP_CELLS_MAX; step *= 2) {
		cells += step;
		if (cells + step <= room && cells + step <= MAP_CELLS_MAX)
			cells += step;
	}
	return cells;
}

/* As wide as the highest address of a strip that has anything in it. */
static size_t address_columns(struct text *text, const struct map *map)
{
	struct map_walk walk = { .map = map };
	struct map_strip strip;
	uint64_t highest = 0;
	while (!text_failed(text) && map_strip_next(&walk, &strip))
		if (strip.any)
			highest = strip.end - 1;
	size_t digits = strlen(word_address(highest).text) + 2;
	return digits > ADDRESS ? digits : ADDRESS;
}

struct picture {
	struct text *text;
	const struct map *map;
	size_t address; /* columns, with a gap */
	size_t width;   /* of all cells of a row */
	size_t names;   /* columns beside them; 0: there is no column */
	uint64_t
	        hidden; /* bytes of strips without anything in them, that are passed over since the last one that has */
	uint64_t end;   /* of the strip before; 0: there is none */
	size_t passed, passed_mappings;
	uint64_t passed_bytes;
};

/* ---- lines that are not of cells ---------------------------------------------------------- */

static void put_indent(const struct picture *picture)
{
	unsigned width = picture->text->style->width;
	text_repeat(picture->text, ' ', width && width < 2 * picture->address ? 2 : picture->address);
}

static void put_fold(const struct picture *picture, uint64_t bytes, const char *what, uint64_t more_bytes,
                     const char *more)
{
	struct text *text = picture->text;
	const char *dots = text->style->unicode ? "⋯" : "...";
	put_indent(picture);
	color_start(text, COLOR_DIM);
	text_format(text, "%s", dots);
	if (bytes)
		text_format(text, " %s %s", word_size(text->style, bytes).text, what);
	if (more_bytes)
		text_format(text, "%s %s %s", bytes ? "," : "", word_size(text->style, more_bytes).text, more);
	text_format(text, " %s", dots);
	color_end(text, COLOR_DIM);
	text_string(text, "\n");
}

/* Why nothing is drawn where nothing is. */
static const char *nothing(const struct map *map)
{
	if (map->filter.any)
		return "not chosen";
	return vmsnap_info(map->snap)->known.states_unknown ? "not in the core file" : "not resident";
}

static const char *wanted(const struct map *map)
{
	return nothing(map) + strlen("not ");
}

/* What is shorter need not be told: the addresses do. */
#define HOLE_TOLD (UINT64_C(1) << 30)

static void put_hole(struct picture *picture, uint64_t start)
{
	uint64_t unmapped = start - picture->end - picture->hidden, hidden = picture->hidden;
	if (!picture->end || picture->map->filter.any)
		return;
	unmapped = unmapped >= HOLE_TOLD ? unmapped : 0;
	hidden = hidden >= HOLE_TOLD ? hidden : 0;
	if (unmapped || hidden)
		put_fold(picture, unmapped, "unmapped", hidden, nothing(picture->map));
}

static void put_heading(struct picture *picture, const struct caption *caption)
{
	struct text *text = picture->text;
	put_indent(picture);
	caption_put(text, caption, fit_room(text, picture->address));
	text_string(text, "\n");
}

/* ---- a row -------------------------------------------------------------------------------- */

static void put_cells(struct text *text, const struct map_row *row, unsigned count)
{
	char drawn[CELL_ROOM];
	for (unsigned i = 0; i < count; i++)
		text_put(text, drawn, cell_draw(row->counts[i], text->style, drawn, sizeof(drawn)));
}

static bool is_blank(const uint64_t *counts)
{
	for (int i = CLASS_HOLE + 1; i < PAGE_CLASSES; i++)
		if (counts[i])
			return false;
	return true;
}

/* Without those at the end in which nothing is. */
static unsigned cells_drawn(const struct map_row *row, unsigned count)
{
	while (count && is_blank(row->counts[count - 1]))
		count--;
	return count;
}

static void put_address(const struct picture *picture, uint64_t address)
{
	struct text *text = picture->text;
	color_start(text, COLOR_DIM);
	text_format(text, "%-*s", (int)picture->address - 1, word_address(address).text);
	color_end(text, COLOR_DIM);
	text_string(text, " ");
}

/* Returns how many columns its cells take. */
static size_t put_row(struct picture *picture, const struct map_strip *strip, uint64_t start)
{
	const struct map *map = picture->map;
	struct map_row row;
	uint64_t cells = (strip->end - start + map->cell - 1) / map->cell;
	unsigned count = cells < map->cells ? (unsigned)cells : map->cells,
	         columns = cell_columns(picture->text->style);
	map_strip_fill(map, strip, start, &row);
	put_address(picture, start > strip->start ? start : strip->start);
	count = cells_drawn(&row, count);
	put_cells(picture->text, &row, count);
	return (size_t)count * columns;
}

static void put_beside(struct picture *picture, const struct caption *caption, unsigned line, size_t used)
{
	struct text *text = picture->text;
	if (picture->names && line < CAPTION_LINES) {
		caption_put_line(text, caption, line, picture->width - used + 1, picture->names);
	}
	text_string(text, "\n");
}

/* ---- a strip ------------------------------------------------------------------------------- */

/* In one line, with its name behind it or in the column, unless the name is too long for both. */
static void put_short_strip(struct picture *picture, const struct map_strip *strip, const struct caption *caption)
{
	struct text *text = picture->text;
	const struct map *map = picture->map;
	uint64_t start = strip->start / map->cell * map->cell;
	size_t columns = (size_t)((strip->end - start + map->cell - 1) / map->cell) * cell_columns(text->style);
	size_t room = text->style->width ? text->style->width : FIT_MOST, used = picture->address + columns + 1;
	size_t wanted = caption_width(text, caption);
	size_t left = room > used ? room - used : 0;
	if (left >= wanted || (!picture->names && left >= CAPTION && !caption->changed)) {
		text_repeat(text, ' ', columns + 1 - put_row(picture, strip, start));
		caption_put(text, caption, left);
	} else if (caption_fits_beside(text, caption, 1, picture->names)) {
		text_repeat(text, ' ', picture->width + 1 - put_row(picture, strip, start));
		caption_put(text, caption, picture->names);
	} else {
		put_heading(picture, caption);
		put_row(picture, strip, start);
	}
	text_string(text, "\n");
}

static void put_long_strip(struct picture *picture, const struct map_strip *strip, const struct caption *caption)
{
	const struct map *map = picture->map;
	uint64_t at = strip->start, start;
	bool short_of_lines = caption->changed && (strip->end - strip->start) / map_row_bytes(map) < CAPTION_LINES;
	bool above = short_of_lines || !caption_fits_beside(picture->text, caption, CAPTION_LINES, picture->names);
	unsigned line = above ? CAPTION_LINES : 0;
	if (above)
		put_heading(picture, caption);
	while (!text_failed(picture->text) && map_strip_row(map, strip, at, &start)) {
		if (start > at)
			put_fold(picture, start - at, nothing(map), 0, "");
		size_t used = put_row(picture, strip, start);
		put_beside(picture, caption, line++, used);
		at = start + map_row_bytes(map);
		if (at < start || at >= strip->end)
			return;
	}
	if (strip->end > at)
		put_fold(picture, strip->end - at, nothing(map), 0, "");
}

static void pass(struct picture *picture, const struct map_strip *strip)
{
	picture->hidden += strip->mapped;
	picture->passed++;
	picture->passed_mappings += strip->mappings;
	picture->passed_bytes += strip->mapped;
}

static void put_strip(struct picture *picture, const struct map_strip *strip)
{
	struct text *text = picture->text;
	if (!strip->any) {
		pass(picture, strip);
		return;
	}
	struct caption caption = caption_of(text, picture->map, strip);
	bool before = text_exact(text);
	put_hole(picture, strip->start);
	if (map_strip_is_one_row(picture->map, strip))
		put_short_strip(picture, strip, &caption);
	else
		put_long_strip(picture, strip, &caption);
	text_exact_end(text, before);
	caption_free(&caption, text);
	picture->end = strip->end;
	picture->hidden = 0;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void put_scale(struct text *text, const struct map *map, const struct picture *picture)
{
	bool letters = !text->style->unicode || text->style->color == VMSNAP_COLOR_NONE;
	text_blank(text);
	color_start(text, COLOR_DIM);
	text_format(text, "1 cell = %s, a row = %s", word_size(text->style, map->cell).text,
	            word_size(text->style, map_row_bytes(map)).text);
	if (letters && !filter_has_states(&map->filter))
		text_format(text, " (. mapped, nothing %s; digits: tenths)",
		            vmsnap_info(map->snap)->known.states_unknown ? "in the core file" : "resident");
	else if (!letters)
		text_string(text, "; the height of a colour is its share");
	text_string(text, "\n");
	if (picture->passed)
		text_format(text, "%zu more mapping%s, %s, with nothing %s\n", picture->passed_mappings,
		            word_plural(picture->passed_mappings), word_size(text->style, picture->passed_bytes).text,
		            wanted(map));
	color_end(text, COLOR_DIM);
}

void put_map_text(struct text *text, struct map *map)
{
	struct picture picture = { .text = text, .map = map };
	struct map_walk walk = { .map = map };
	struct map_strip strip;
	size_t width = text->style->width;
	map->join = 0;
	picture.address = address_columns(text, map);
	map->cells = cells_across(text->style, picture.address);
	picture.width = (size_t)map->cells * cell_columns(text->style);
	map_fit_strips(map);
	size_t used = picture.address + picture.width + 1;
	if (width && width >= used + NAMES)
		picture.names = width - used;
	put_map_headline(text, map);
	text_blank(text);
	while (!text_failed(text) && map_strip_next(&walk, &strip))
		put_strip(&picture, &strip);
	if (!picture.end)
		text_format(text, "nothing %s\n", wanted(map));
	put_scale(text, map, &picture);
}
