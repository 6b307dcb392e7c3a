/* print_map.c - the picture: vmsnap_print_map(). */
#include <string.h>

#include "compared.h"
#include "error.h"
#include "print_map_rows.h"

/* ---- JSON ------------------------------------------------------------------------------ */

static void map_json(struct text *text, const struct map *map)
{
	struct json json;
	struct map_row row;
	uint64_t totals[PAGE_CLASSES], at = 0, start;
	char cells[MAP_CELLS_MAX];
	json_begin(&json, text, "vmsnap.map/1");
	if (map->view.diff)
		json_snapshot(&json, "a", map->view.a);
	else
		json_null(&json, "a");
	json_snapshot(&json, map->view.diff ? "b" : "snapshot", map->snap);
	json_number(&json, "cell", map->cell);
	json_object(&json, "legend");
	for (int i = 0; i < PAGE_CLASSES; i++)
		json_bytes(&json, class_name(i), (char[]){ class_letter(i) }, 1);
	json_end(&json);
	json_rows(&json, "rows");
	while (!text_failed(text) && map_next_row(map, at, &start)) {
		map_fill_row(map, start, &row);
		for (unsigned i = 0; i < map->cells; i++)
			cells[i] = class_letter(map_cell_class(row.counts[i]));
		json_object(&json, NULL);
		json_hex(&json, "start", start);
		json_bytes(&json, "cells", cells, map->cells);
		json_end(&json);
		at = start + map_row_bytes(map);
		if (!at)
			break;
	}
	json_end(&json);
	map_totals(map, totals);
	json_object(&json, "totals");
	for (int i = CLASS_PRIVATE; i < PAGE_CLASSES; i++)
		if (i != CLASS_OTHER)
			json_number(&json, class_name(i), totals[i]);
	json_end(&json);
	json_finish(&json);
}

/* ---- drawing ----------------------------------------------------------------------------- */

static bool half_blocks(const struct vmsnap_style *style)
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
		text_put(text, sequence,
		         color_sequence(sequence, sizeof(sequence), text->style->color, front, back));
		text_string(text, upper == CLASS_HOLE ? "▄" : "▀");
		text_string(text, COLOR_RESET);
	}
}

static void put_hole(struct text *text, uint64_t bytes)
{
	const char *dots = text->style->unicode ? "⋯" : "...";
	color_start(text, COLOR_DIM);
	text_format(text, "%15s%s %s nothing resident %s", "", dots, word_size(text->style, bytes).text, dots);
	color_end(text, COLOR_DIM);
	text_string(text, "\n");
}

static void put_legend(struct text *text, const struct map *map)
{
	static const int order[] = { CLASS_COPIED, CLASS_NEW,  CLASS_GONE,   CLASS_SHARED,
		                     CLASS_FILE,   CLASS_PRIVATE, CLASS_SWAPPED };
	uint64_t totals[PAGE_CLASSES];
	map_totals(map, totals);
	text_string(text, "\n");
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		int now = order[i];
		if (!totals[now])
			continue;
		color_start(text, now);
		if (half_blocks(text->style))
			text_string(text, "██");
		else
			text_repeat(text, class_letter(now), 1);
		color_end(text, now);
		text_format(text, " %s %s   ", class_name(now), word_size(text->style, totals[now]).text);
	}
	text_format(text, "\n1 %s = %s, row = %s%s\n", half_blocks(text->style) ? "half-cell" : "cell",
	            word_size(text->style, map->cell).text, word_size(text->style, map_row_bytes(map)).text,
	            half_blocks(text->style) ? "" : "   (. mapped, nothing resident)");
}

static void map_text(struct text *text, const struct map *map)
{
	struct map_row row;
	uint64_t at = 0, start;
	bool any = false;
	while (!text_failed(text) && map_next_row(map, at, &start)) {
		if (any && start != at)
			put_hole(text, start - at);
		map_fill_row(map, start, &row);
		text_format(text, "%-14s ", word_address(start).text);
		if (half_blocks(text->style))
			put_halves(text, map, &row);
		else
			put_letters(text, map, &row);
		text_string(text, "\n");
		any = true;
		at = start + map_row_bytes(map);
		if (!at)
			break;
	}
	if (!any)
		text_string(text, "nothing resident\n");
	put_legend(text, map);
}

/* The widest power of two that fits beside the addresses. */
static unsigned cells_across(const struct vmsnap_style *style)
{
	unsigned room = style->width > 15 ? style->width - 15 : style->width ? 1 : 64, cells = 64;
	while (cells > room && cells > 8)
		cells /= 2;
	return cells;
}

static int map_compare(struct text *text, struct map *map, const struct vmsnap *a, const struct vmsnap *b,
                       struct vmsnap_diff **diff, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = text_compare_options(text);
	int rc = vmsnap_diff_new_with(a, b, &options, diff, err);
	if (rc)
		return rc;
	text->work.limit = diff_memory_left(*diff);
	rc = diff_view_init(&map->view, *diff, &text->work);
	return rc ? work_fail(&text->work, rc, err) : VMSNAP_OK;
}

VMSNAP_API int vmsnap_print_map(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                                struct vmsnap_error *err)
{
	struct map map = { .snap = b ? b : a };
	struct vmsnap_diff *diff = NULL;
	struct text text;
	int rc = text_open(&text, out, err);
	if (!rc && b)
		rc = map_compare(&text, &map, a, b, &diff, err);
	if (!rc) {
		map.cells = text.style->json ? 64 : cells_across(text.style);
		if (!text.style->json && half_blocks(text.style))
			map.cells *= 2;
		map_choose_cell(&map);
		if (text.style->json)
			map_json(&text, &map);
		else
			map_text(&text, &map);
		rc = text_close(&text, err);
	}
	diff_view_free(&map.view, &text.work);
	if (diff)
		vmsnap_diff_free(diff);
	return rc;
}
