/* emit_table.c - rows as a table: each value becomes a cell. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "emitter.h"
#include "format_value.h"
#include "status_value.h"
#include "table.h"
#include "text_color.h"

struct table_emitter {
	struct emitter emitter;
	struct table *table;
	const struct row_schema *schema;
	rows_fn rows;
	void *ctx;
	uint32_t *place; /* for each column of the schema: 1 + its column of the table, or 0 */
};

static struct table_emitter *of(struct emitter *emitter)
{
	return (struct table_emitter *)emitter;
}

enum { NOWHERE = UINT32_MAX };

/* The column of the table, if it is to be filled. */
static size_t place_of(const struct table_emitter *self, const struct column *column)
{
	uint32_t place = self->place[column - self->schema->columns];
	return place && table_wants(self->table, place - 1) ? place - 1 : NOWHERE;
}

static bool wants(const struct emitter *emitter, const struct column *column)
{
	return place_of((const struct table_emitter *)emitter, column) != NOWHERE;
}

/* ---- cells ---------------------------------------------------------------------- */

/* What has a sign is sorted in two halves; the last bit of a size says nothing. */
static uint64_t delta_order(const struct value *value)
{
	uint64_t middle = UINT64_C(1) << 63, half = value->number >> 1;
	return value->special ? middle - half : middle + half;
}

static size_t add_flags(char *words, size_t used, size_t room, uint64_t bits, const struct value *value,
                        const char *after)
{
	for (; bits; bits &= bits - 1) {
		const char *name = value->name(__builtin_ctzll(bits));
		size_t len = strlen(name);
		if (used + len + 3 > room)
			break;
		if (used)
			words[used++] = ',';
		memcpy(words + used, name, len);
		used += len;
		memcpy(words + used, after, strlen(after));
		used += strlen(after);
	}
	words[used] = '\0';
	return used;
}

static void put_flags(struct table *table, size_t at, const struct value *value)
{
	/* All that a page may have, or that may have happened to it. */
	char words[512];
	size_t used = add_flags(words, 0, sizeof(words), value->number, value, "");
	add_flags(words, used, sizeof(words), value->more, value, "?");
	table_literal(table, at, words);
}

static void put_build_id(struct table *table, size_t at, const struct value *value)
{
	const uint8_t *id = value->of;
	char byte[3] = "";
	table_literal(table, at, "");
	for (size_t i = 0; i < value->len; i++) {
		write_digits(byte, id + i, 1);
		table_add_literal(table, at, byte);
	}
}

/* "2026-01-31 12:00:00.000 +0000" */
enum { CLOCK_AT = 11, CLOCK_LEN = 12, DAY_AT = 5, DAY_LEN = 14 };

static void put_time(struct table *table, size_t at, const struct value *value)
{
	struct word word = word_time_local((int64_t)value->number), part = { "" };
	bool in_part = value->special && !table->text->style->raw && strlen(word.text) >= CLOCK_AT + CLOCK_LEN;
	if (in_part && value->more)
		memcpy(part.text, word.text + DAY_AT, DAY_LEN);
	else if (in_part)
		memcpy(part.text, word.text + CLOCK_AT, CLOCK_LEN);
	table_word(table, at, in_part ? part : word);
	/* Times before 1970 come first too. */
	table_sort_number(table, at, value->number ^ UINT64_C(1) << 63);
}

static void put_status(struct table *table, size_t at, const struct vmsnap_status_field *field)
{
	char copy[STATUS_VALUE_MAX];
	if (field->is_size)
		table_word(table, at, word_size(table->text->style, field->number));
	else
		table_name(table, at, copy, status_value_copy(field, copy));
	if (field->is_size || status_is_number(field))
		table_sort_number(table, at, field->number);
}

static void put_share(struct table *table, size_t at, const struct value *value)
{
	unsigned __int128 billionths = (unsigned __int128)value->number * 1000000000 / value->more;
	table_number(table, at, word_percent(value->number, value->more), (uint64_t)billionths);
}

/* "0x1f", or in swap "1:0x4d" */
static void put_frame(struct table *table, size_t at, const struct vmsnap_run *page)
{
	struct word word = word_hex(page->pfn);
	uint64_t number = page->pfn;
	if (!(page->flags & VMSNAP_PAGE_PRESENT)) {
		number = (UINT64_C(1) << 62) + ((uint64_t)page->swap_type << 56) + page->swap_offset;
		snprintf(word.text, sizeof(word.text), "%u:0x%" PRIx64, page->swap_type, page->swap_offset);
	}
	table_number(table, at, word, number);
}

/* What is left beside the other columns, and most of a path. */
static unsigned strip_cells(const struct vmsnap_style *style)
{
	enum { CELLS_LEAST = 20, OTHERS = 91 };
	unsigned width = style->width;
	if (width < OTHERS + CELLS_LEAST)
		return CELLS_LEAST;
	return width - OTHERS < STRIP_CELLS_MAX ? width - OTHERS : STRIP_CELLS_MAX;
}

static void put_strip(struct table *table, size_t at, const struct strip_of *of_what)
{
	const struct vmsnap_style *style = table->text->style;
	struct strip strip;
	char drawn[STRIP_ROOM];
	if (table_only_measures(table)) {
		table_drawn(table, at, "", 0, strip_cells(style));
		return;
	}
	unsigned columns = strip_columns(style);
	size_t cells = table_picture_width(table, at, strip_cells(style)) / columns;
	if (!cells)
		return;
	strip_init(&strip, of_what->start, of_what->end, of_what->page_size, (unsigned)cells);
	of_what->fill(of_what->ctx, &strip, style->color != VMSNAP_COLOR_NONE || columns > 1);
	size_t len = strip_draw(&strip, style, drawn, sizeof(drawn));
	table->text->pictured |= strip_shows(&strip, style);
	table_drawn(table, at, drawn, len, strip.cells * columns);
	table_sort_number(table, at, strip_events(&strip));
}

static void put_name(struct table *table, size_t at, const struct value *value)
{
	table_name(table, at, value->bytes, value->len);
	table_sort_text(table, at, value->bytes, value->len);
}

/* "4.00K+" is for people: what reads the raw table is not to take it for a number. */
static void put_bytes(struct table *table, size_t at, const struct column *column, const struct value *value)
{
	const struct vmsnap_style *style = table->text->style;
	if (column->flags & COLUMN_NONZERO && !value->number && !value->special && !style->raw) {
		table_literal(table, at, "");
		table_sort_number(table, at, 0);
		return;
	}
	struct word word = word_size(style, value->number);
	if (value->special && (style->raw || !value->number)) {
		table_unknown(table, at);
		return;
	}
	size_t len = strlen(word.text);
	if (value->special && len + 1 < sizeof(word.text))
		memcpy(word.text + len, "+", 2);
	table_number(table, at, word, value->number);
}

static void put_change(struct table *table, size_t at, const struct value *value)
{
	const struct vmsnap_style *style = table->text->style;
	struct word was = word_size(style, value->more), is = word_size(style, value->number);
	if (!value->special || style->raw || !strcmp(was.text, is.text)) {
		table_number(table, at, is, value->number);
		return;
	}
	table_literal(table, at, was.text);
	table_add_literal(table, at, style->unicode ? " → " : " -> ");
	table_add_literal(table, at, is.text);
	table_sort_number(table, at, value->number);
}

static struct word delta_word(const struct vmsnap_style *style, const struct column *column, const struct value *value)
{
	struct word word = word_delta(style, value->special, value->number);
	size_t len = strlen(word.text);
	if (len && column->flags & COLUMN_PER_SECOND && !style->raw)
		snprintf(word.text + len, sizeof(word.text) - len, "/s");
	return word;
}

static void put_value(struct table *table, size_t at, const struct column *column, const struct value *value)
{
	const struct vmsnap_style *style = table->text->style;
	uint64_t number = value->number;
	switch (column->type) {
	case COLUMN_ADDRESS:
		table_number(table, at, value->special ? (struct word){ "10000000000000000" } : word_address(number),
		             value->special ? UINT64_MAX : number);
		break;
	case COLUMN_HEX:
	case COLUMN_OFFSET:
		table_number(table, at, word_hex(number), number);
		break;
	case COLUMN_BYTES:
		put_bytes(table, at, column, value);
		break;
	case COLUMN_CHANGE:
		put_change(table, at, value);
		break;
	case COLUMN_DELTA:
		table_number(table, at, delta_word(style, column, value), delta_order(value));
		break;
	case COLUMN_COUNT:
		table_number(table, at, word_number(number), number);
		break;
	case COLUMN_BOOL:
		table_literal(table, at, number ? column->key : "");
		break;
	case COLUMN_WORD:
		table_literal(table, at, value->bytes);
		break;
	case COLUMN_FLAGS:
		put_flags(table, at, value);
		break;
	case COLUMN_BUILD_ID:
		put_build_id(table, at, value);
		break;
	case COLUMN_NAME:
	case COLUMN_PATH:
	case COLUMN_TEXT:
		put_name(table, at, value);
		break;
	case COLUMN_TIME:
		put_time(table, at, value);
		break;
	case COLUMN_DURATION:
		table_word(table, at, word_duration(number));
		table_sort_number(table, at, number);
		break;
	case COLUMN_STATUS:
		put_status(table, at, value->of);
		break;
	case COLUMN_SHARE:
		put_share(table, at, value);
		break;
	case COLUMN_FRAME:
		put_frame(table, at, value->of);
		break;
	case COLUMN_STRIP:
		put_strip(table, at, value->of);
		break;
	case COLUMN_RECORD:
	case COLUMN_RECORDS:
	case COLUMN_ROWS:
	case COLUMN_LIST:
	case COLUMN_COUNTS:
	case COLUMN_OPEN:
		/* For programs. */
		break;
	}
}

static void put(struct emitter *emitter, const struct column *column, const struct value *value)
{
	struct table_emitter *self = of(emitter);
	size_t at = place_of(self, column);
	if (at == NOWHERE)
		return;
	if (value->unknown)
		table_unknown(self->table, at);
	else
		put_value(self->table, at, column, value);
}

static void piece(struct emitter *emitter, const struct column *column, const char *bytes, size_t len, bool ours)
{
	struct table_emitter *self = of(emitter);
	size_t at = place_of(self, column);
	if (at == NOWHERE)
		return;
	if (ours)
		table_add_literal(self->table, at, bytes);
	else
		table_add_name(self->table, at, bytes, len);
}

static void mark(struct emitter *emitter, const struct column *column, int color)
{
	struct table_emitter *self = of(emitter);
	size_t at = column ? place_of(self, column) : NOWHERE;
	for (size_t i = 0; !column && i < self->table->column_count; i++)
		table_color(self->table, i, color);
	if (at != NOWHERE)
		table_color(self->table, at, color);
}

static void end_row(struct emitter *emitter, bool total)
{
	struct table *table = of(emitter)->table;
	if (!total) {
		table_end_row(table);
		return;
	}
	mark(emitter, NULL, COLOR_BOLD);
	table_end_total(table);
}

/* Scripts that read the raw table want rows only. */
static bool shows_total(const struct emitter *emitter)
{
	return !emitter->text->style->raw;
}

static const struct emitter_ops table_ops = {
	.wants = wants,
	.put = put,
	.piece = piece,
	.mark = mark,
	.end_row = end_row,
	.total = shows_total,
};

/* ---- columns -------------------------------------------------------------------- */

static unsigned layout_of(const struct column *column)
{
	static const bool right[] = {
		[COLUMN_HEX] = true,    [COLUMN_OFFSET] = true, [COLUMN_BYTES] = true,    [COLUMN_DELTA] = true,
		[COLUMN_COUNT] = true,  [COLUMN_SHARE] = true,  [COLUMN_DURATION] = true, [COLUMN_FRAME] = true,
		[COLUMN_CHANGE] = true, [COLUMN_OPEN] = false,
	};
	unsigned flags = right[column->type] ? TABLE_RIGHT : 0;
	flags |= column->type == COLUMN_PATH ? TABLE_CUT_LEFT : 0;
	flags |= column->type == COLUMN_STRIP ? TABLE_PICTURE : 0;
	flags |= column->flags & COLUMN_YIELDS ? TABLE_YIELDS : 0;
	flags |= column->flags & COLUMN_STAYS ? TABLE_STAYS : 0;
	flags |= column->flags & COLUMN_SECONDARY ? TABLE_EXTRA : 0;
	flags |= column->flags & COLUMN_SPARSE ? TABLE_HIDE_EMPTY : 0;
	/* Somebody else has made these, or they are many. */
	bool any_length = column->type == COLUMN_NAME || column->type == COLUMN_TEXT || column->type == COLUMN_FLAGS;
	return flags | (column->flags & COLUMN_LONG ? TABLE_CUT_RIGHT : any_length ? TABLE_CUT_LATE : 0);
}

/* Counted, and given back with work_free(). */
static struct table_column *columns_of(struct text *text, const struct row_schema *schema, int *rc)
{
	size_t count = schema_shown_count(schema);
	struct table_column *columns = work_array(&text->work, count, sizeof(*columns), rc);
	for (size_t i = 0; columns && i < count; i++) {
		const struct column *column = schema_shown(schema, i);
		columns[i] = (struct table_column){ column->heading, layout_of(column) };
	}
	return columns;
}

static int emit_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	struct table_emitter *self = ctx;
	struct row row = { .emitter = &self->emitter, .text = table->text, .schema = self->schema };
	self->table = table;
	return self->rows(&row, self->ctx, err);
}

bool emit_table_is_asked(const struct text *text)
{
	const struct vmsnap_style *style = text->style;
	return style->raw || style->no_headings || style->columns || style->sort;
}

int emit_table_check(struct text *text, const struct row_schema *schema, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	size_t count = schema_shown_count(schema);
	struct table_column *columns = columns_of(text, schema, &rc);
	rc = rc ? work_fail(&text->work, rc, err) : table_check_columns(text->style, columns, count, err);
	work_free(&text->work, columns, count, sizeof(*columns));
	return rc;
}

static int emit_some_table(struct text *text, const struct row_schema *schema, rows_fn rows, void *ctx,
                           enum table_mode mode, struct vmsnap_error *err)
{
	struct table_emitter self = {
		.emitter = { .ops = &table_ops, .text = text }, .schema = schema, .rows = rows, .ctx = ctx
	};
	int rc = VMSNAP_OK;
	size_t count = schema_shown_count(schema);
	struct table_column *columns = columns_of(text, schema, &rc);
	self.place = work_array(&text->work, schema->count, sizeof(*self.place), &rc);
	for (size_t i = 0; !rc && i < count; i++)
		self.place[schema_shown(schema, i) - schema->columns] = (uint32_t)i + 1;
	rc = rc ? work_fail(&text->work, rc, err) : table_print(text, columns, count, mode, emit_rows, &self, err);
	work_free(&text->work, self.place, schema->count, sizeof(*self.place));
	work_free(&text->work, columns, count, sizeof(*columns));
	return rc;
}

int emit_table(struct text *text, const struct row_schema *schema, rows_fn rows, void *ctx, struct vmsnap_error *err)
{
	return emit_some_table(text, schema, rows, ctx, TABLE_USUAL, err);
}

int emit_table_once(struct text *text, const struct row_schema *schema, rows_fn rows, void *ctx,
                    struct vmsnap_error *err)
{
	return emit_some_table(text, schema, rows, ctx, TABLE_ONCE, err);
}

int emit_other_table(struct text *text, const struct row_schema *schema, rows_fn rows, void *ctx,
                     struct vmsnap_error *err)
{
	return emit_some_table(text, schema, rows, ctx, TABLE_PLAIN, err);
}
