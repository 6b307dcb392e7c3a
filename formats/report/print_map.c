/* print_map.c - the picture: vmsnap_print_map(). */
#include "emitter.h"
#include "error.h"
#include "filter_record.h"
#include "map_names.h"
#include "map_text.h"
#include "print_cow_map.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"

enum { ROW_START, ROW_CELLS, ROW_NAMES };
static const struct column row_columns[] = {
	[ROW_START] = { "start", .type = COLUMN_ADDRESS },
	[ROW_CELLS] = { "cells", .type = COLUMN_WORD },
	[ROW_NAMES] = { "names", .type = COLUMN_LIST },
};
static const struct row_schema map_row_schema = ROW_SCHEMA(row_columns);

enum { MAP_A, MAP_B, MAP_NOT_COMPARED, MAP_FILTER, MAP_CELL, MAP_LEGEND, MAP_ROWS, MAP_TOTALS };
#define MAP_DOCUMENT(b_key)                                                                                            \
	{                                                                                                              \
		[MAP_A] = { "a", .type = COLUMN_RECORD, .of = &snapshot_schema },                                      \
		[MAP_B] = { (b_key), .type = COLUMN_RECORD, .of = &snapshot_schema },                                  \
		[MAP_NOT_COMPARED] = { "not_compared", .type = COLUMN_WORD }, [MAP_FILTER] = { "filter",               \
			                                                                       NULL,                   \
			                                                                       COLUMN_RECORD,          \
			                                                                       COLUMN_OPTIONAL,        \
			                                                                       NULL,                   \
			                                                                       &filter_schema },       \
		[MAP_CELL] = { "cell", .type = COLUMN_BYTES }, [MAP_LEGEND] = { "legend", .type = COLUMN_OPEN },       \
		[MAP_ROWS] = { "rows", .type = COLUMN_ROWS, .of = &map_row_schema },                                   \
		[MAP_TOTALS] = { "totals", .type = COLUMN_COUNTS },                                                    \
	}
static const struct column one_columns[] = MAP_DOCUMENT("snapshot"), two_columns[] = MAP_DOCUMENT("b");
const struct row_schema map_one_schema = ROW_SCHEMA(one_columns), map_two_schema = ROW_SCHEMA(two_columns);

static void put_legend(struct row *document)
{
	struct row open = row_open(document, MAP_LEGEND);
	for (int i = 0; i < PAGE_CLASSES; i++)
		row_own_name(&open, class_name(i), (char[]){ class_letter(i) }, 1);
	row_end(&open);
}

static bool put_name(void *ctx, const char *name, size_t len)
{
	struct row *list = ctx;
	row_item(list, name, len);
	return !text_failed(list->text);
}

enum { MAP_JSON_CELLS = 64 };

static void put_row(struct row *row, const struct map *map, uint64_t start)
{
	struct map_row cells;
	char letters[MAP_JSON_CELLS];
	map_fill_row(map, start, &cells);
	for (unsigned i = 0; i < map->cells; i++)
		letters[i] = class_letter(map_cell_class(cells.counts[i]));
	row_put_address(row, ROW_START, start);
	row_put_bytes_of(row, ROW_CELLS, letters, map->cells);
	if (row->text->out.names) {
		struct row list = row_open(row, ROW_NAMES);
		map_row_names(row->text, map, start, put_name, &list);
		row_end(&list);
	}
	row_end(row);
}

static int map_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct map *map = ctx;
	uint64_t at = 0, start;
	(void)err;
	while (!text_failed(row->text) && map_next_row(map, at, &start)) {
		put_row(row, map, start);
		at = start + map_row_bytes(map);
		if (!at)
			break;
	}
	return VMSNAP_OK;
}

/* What is a hole or untouched is not counted, nor what changed otherwise between two snapshots. */
static const int counted[] = {
	CLASS_PRIVATE,
	CLASS_FILE,
	CLASS_SHARED,
	CLASS_SWAPPED,
	CLASS_UNREAD,
	CLASS_DUMPED,
	CLASS_DUMP_HOLE,
	CLASS_COPIED,
	CLASS_NEW,
	CLASS_GONE,
	CLASS_WRITTEN,
	CLASS_SWAPPED_OUT,
	CLASS_SWAPPED_IN,
	/* After a fork: by the child, and by whom is not known, or both. */
	CLASS_CHILD,
	CLASS_OTHER,
};
enum { COUNTED = sizeof(counted) / sizeof(counted[0]), COUNTED_WITHOUT_COW = COUNTED - 2 };

static const char *counted_class(int index)
{
	return class_name(counted[index]);
}

static void put_totals(struct row *document, const struct map *map)
{
	uint64_t totals[PAGE_CLASSES], told[COUNTED];
	map_totals(map, totals);
	for (size_t i = 0; i < COUNTED; i++)
		told[i] = totals[counted[i]];
	row_put_counts(document, MAP_TOTALS, told, map->cow ? COUNTED : COUNTED_WITHOUT_COW, 0, counted_class);
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct map *map = ctx;
	if (map->view.diff || map->cow)
		put_snapshot(document, MAP_A, map->cow ? vmsnap_cow_parent(map->cow) : map->view.a);
	put_snapshot(document, MAP_B, map->snap);
	if (map->view.diff || map->cow)
		put_not_compared(document, MAP_NOT_COMPARED,
		                 map->cow ? vmsnap_cow_relation(map->cow) : vmsnap_diff_relation(map->view.diff));
	put_filter(document, MAP_FILTER, map->snap, &map->filter);
	row_put_bytes(document, MAP_CELL, map->cell);
	put_legend(document);
	int rc = row_rows(document, MAP_ROWS, map_rows, ctx, err);
	put_totals(document, map);
	return rc;
}

static int map_compare(struct text *text, struct map *map, const struct vmsnap *a, const struct vmsnap *b,
                       struct vmsnap_diff **diff, struct vmsnap_error *err)
{
	struct vmsnap_compare_options options = text_compare_options(text);
	int rc = vmsnap_diff_new_with(a, b, &options, diff, err);
	if (rc)
		return rc;
	text_limit_diff(text, *diff);
	rc = diff_view_init(&map->view, *diff, &text->work);
	rc = rc ? rc : map_events_of_diff(&map->events, *diff, &text->work);
	return rc ? work_fail(&text->work, rc, err) : VMSNAP_OK;
}

/* What became of a page is not told by what it is now, or was: chosen so, it would look gone or new. */
static int map_choose(struct text *text, struct map *map, const struct vmsnap *a, const struct vmsnap *b,
                      struct vmsnap_error *err)
{
	int rc = filter_init(&map->filter, text->out.filter, err);
	if (rc || !map->filter.any)
		return rc;
	if (b && filter_has_states(&map->filter))
		return fail(err, VMSNAP_ERR_ARGUMENT,
		            "a picture of two snapshots can be filtered by names, permissions and range, not by what "
		            "pages are and in which frames they lie");
	rc = filter_fit(&map->filter, a, err);
	if (rc)
		return rc;
	text_limit(text, (const struct vmsnap *[]){ a, b }, 2);
	rc = b ? filter_ranges_of_two(&map->filter, a, b, &text->work, &map->shown)
	       : filter_ranges_of(&map->filter, a, &text->work, &map->shown);
	rc = rc || b ? rc : filter_count_unknown(&map->filter, a, 0, UINT64_MAX, &text->work);
	return rc ? work_fail(&text->work, rc, err) : VMSNAP_OK;
}

static int print_picture(struct text *text, struct map *map, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	bool two = map->view.diff || map->cow;
	if (text->style->json) {
		map->cells = MAP_JSON_CELLS;
		map_choose_cell(map);
		rc = emit_json(text, "vmsnap.map/1", two ? &map_two_schema : &map_one_schema, fill_document, map, err);
	} else {
		put_map_text(text, map);
	}
	return rc ? rc : text_close(text, err);
}

int print_cow_map(const struct vmsnap_cow *cow, struct vmsnap_names *names, const struct vmsnap_output *out,
                  struct vmsnap_error *err)
{
	struct map map = { .snap = vmsnap_cow_child(cow), .cow = cow, .names = names };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit_cow(&text, cow);
	rc = map_events_of_cow(&map.events, cow, &text.work);
	rc = rc ? work_fail(&text.work, rc, err) : print_picture(&text, &map, err);
	map_events_free(&map.events, &text.work);
	return rc;
}

VMSNAP_API int vmsnap_print_map(const struct vmsnap *a, const struct vmsnap *b, const struct vmsnap_output *out,
                                struct vmsnap_error *err)
{
	struct map map = { .snap = b ? b : a, .names = out->names };
	struct vmsnap_diff *diff = NULL;
	struct text text;
	int rc = text_open_filtered(&text, out, err);
	rc = rc ? rc : map_choose(&text, &map, a, b, err);
	if (!rc && b)
		rc = map_compare(&text, &map, a, b, &diff, err);
	rc = rc ? rc : print_picture(&text, &map, err);
	filter_ranges_free(&map.shown, &text.work);
	map_events_free(&map.events, &text.work);
	diff_view_free(&map.view, &text.work);
	if (diff)
		vmsnap_diff_free(diff);
	return rc;
}
