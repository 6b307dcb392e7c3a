#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "escape.h"
#include "kept_rows.h"
#include "text_color.h"
#include "text_fit.h"
#include "text_utf8.h"

/* ---- cells ---------------------------------------------------------------- */

/* Where in the table's bytes they stand then; what does not fit in memory fails the text. */
static bool keep_bytes(struct table *table, const char *bytes, size_t len)
{
	if (len > table->room - table->used) {
		/* A name in a file may be as long as the file likes. */
		size_t room = (table->room + len) * 2;
		int rc = work_charge(&table->text->work, room - table->room);
		char *more = rc ? NULL : realloc(table->bytes, room);
		if (!more) {
			text_stop(table->text, rc ? rc : VMSNAP_ERR_NO_MEMORY);
			return false;
		}
		table->bytes = more;
		table->room = room;
	}
	if (len)
		memcpy(table->bytes + table->used, bytes, len);
	table->used += len;
	return true;
}

static void add_bytes(struct table *table, size_t column, const char *bytes, size_t len, size_t width)
{
	struct table_cell *cell = &table->cells[column];
	if (len && !keep_bytes(table, bytes, len))
		return;
	if (!cell->len)
		cell->at = table->used - len;
	cell->len += len;
	cell->width += width;
}

static void start_cell(struct table *table, size_t column)
{
	table->cells[column] = (struct table_cell){ .at = table->used, .color = COLOR_DEFAULT };
}

/* At least this much of a path is shown, however narrow the terminal. */
enum { PATH_WIDTH_MIN = 12 };

static bool is_cut(const struct table *table, size_t column, unsigned flag)
{
	const struct vmsnap_style *style = table->text->style;
	return style->width && !style->raw && (table->columns[column].flags & flag);
}

static bool is_last(const struct table *table, size_t column)
{
	return table->shown_count && table->shown[table->shown_count - 1].column == column;
}

/* Cut as it is written, on the left. */
static bool is_path(const struct table *table, size_t column)
{
	const struct vmsnap_style *style = table->text->style;
	return !style->raw && (table->columns[column].flags & TABLE_CUT_LEFT) &&
	       (style->width || is_last(table, column));
}

/* What is left of a line of which `used` columns are written. */
static size_t rest_of_line(const struct table *table, size_t used)
{
	size_t limit = table->text->style->width;
	if (!limit)
		return FIT_MOST;
	return limit > used + PATH_WIDTH_MIN ? limit - used : PATH_WIDTH_MIN;
}

/* Of a cell that gives way to nothing.  Labels and messages are shorter; who looks at a
 * terminal is not to scroll for a forged name. */
static size_t most_of_any(const struct table *table)
{
	enum { SHOWN_MOST = 512 };
	size_t limit = table->text->style->width;
	return !limit ? FIT_MOST : limit > SHOWN_MOST ? limit : SHOWN_MOST;
}

void table_add_name(struct table *table, size_t column, const char *name, size_t len)
{
	const struct vmsnap_style *style = table->text->style;
	unsigned flags = escape_flags(style) | (style->raw ? ESCAPE_SPACES : 0);
	/* More than is ever seen of it: that it is cut must still be known. */
	size_t most = style->raw || is_path(table, column)     ? SIZE_MAX
	              : is_cut(table, column, TABLE_CUT_RIGHT) ? style->width + PATH_WIDTH_MIN
	                                                       : most_of_any(table);
	struct escaped one;
	size_t seen = style->raw || is_path(table, column) ? len : fit_seen(name, len);
	table->cells[column].cut |= seen < len;
	len = seen;
	for (; !text_failed(table->text); name += one.used, len -= one.used) {
		if (table->cells[column].width > most)
			break;
		size_t easy = escape_plain(name, len <= most ? len : most + 1);
		add_bytes(table, column, name, easy, easy);
		name += easy;
		len -= easy;
		if (!len)
			break;
		escape_one(name, len, flags, &one);
		add_bytes(table, column, one.text, one.len, one.width);
	}
}

static void add_path(struct table *table, size_t column, const char *name, size_t len)
{
	size_t unseen = is_path(table, column) ? fit_unseen(name, len, rest_of_line(table, 0) + PATH_WIDTH_MIN) : 0;
	table->cells[column].begun_late = unseen;
	table->cells[column].rooted = len && *name == '/';
	table_add_name(table, column, name + unseen, len - unseen);
}

void table_name(struct table *table, size_t column, const char *name, size_t len)
{
	start_cell(table, column);
	/* Alone it would be taken for an empty cell. */
	if (table->text->style->raw && len == 1 && *name == '-')
		add_bytes(table, column, "\\x2d", 4, 4);
	else
		add_path(table, column, name, len);
}

void table_add_literal(struct table *table, size_t column, const char *string)
{
	if (table->text->style->raw) {
		table_add_name(table, column, string, strlen(string));
		return;
	}
	size_t len = strlen(string);
	add_bytes(table, column, string, len, utf8_text_width(string, len));
}

void table_literal(struct table *table, size_t column, const char *string)
{
	start_cell(table, column);
	table_add_literal(table, column, string);
}

void table_unknown(struct table *table, size_t column)
{
	table_literal(table, column, "?");
	if (column == table->sort_column)
		table->sort_key.rank = SORT_NOTHING;
}

void table_sort_number(struct table *table, size_t column, uint64_t number)
{
	if (column == table->sort_column)
		table->sort_key = (struct sort_key){ .rank = SORT_NUMBER, .number = number };
}

void table_sort_text(struct table *table, size_t column, const char *bytes, size_t len)
{
	if (column != table->sort_column || !len || !keep_bytes(table, bytes, len))
		return;
	table->sort_key = (struct sort_key){ .rank = SORT_TEXT, .at = table->used - len, .len = len };
}

void table_word(struct table *table, size_t column, struct word word)
{
	table_literal(table, column, word.text);
}

void table_number(struct table *table, size_t column, struct word number, uint64_t order)
{
	size_t len = strlen(number.text);
	start_cell(table, column);
	add_bytes(table, column, number.text, len, len);
	table_sort_number(table, column, order);
}

void table_drawn(struct table *table, size_t column, const char *bytes, size_t len, size_t width)
{
	start_cell(table, column);
	add_bytes(table, column, bytes, len, width);
}

void table_color(struct table *table, size_t column, int color)
{
	table->cells[column].color = color;
}

/* ---- rows ------------------------------------------------------------------ */

static void measure_row(struct table *table)
{
	for (size_t i = 0; i < table->shown_count; i++) {
		struct table_shown *shown = &table->shown[i];
		size_t width = table->cells[shown->column].width, limit = table->text->style->width / 3;
		if (width > shown->full)
			shown->full = width;
		if ((table->columns[shown->column].flags & TABLE_CUT_RIGHT) && limit && width > limit)
			width = limit;
		if (width > most_of_any(table))
			width = most_of_any(table);
		if (width > shown->width)
			shown->width = width;
		if (width)
			shown->empty = false;
	}
}

/* Length and width of the unit of escaped text at `at`: a character or \xHH. */
static size_t one_unit(const char *at, size_t len, size_t *width)
{
	uint32_t character = '?';
	if (len >= 4 && at[0] == '\\' && at[1] == 'x') {
		*width = 4;
		return 4;
	}
	size_t used = utf8_decode(at, len, &character);
	*width = used ? utf8_width(character) : 1;
	return used ? used : 1;
}

static size_t put_cut_left(struct table *table, const struct table_cell *cell, size_t room)
{
	const char *dots = table->text->style->unicode ? "\u2026" : "...";
	size_t dots_width = table->text->style->unicode ? 1 : 3;
	const char *at = table->bytes + cell->at;
	size_t len = cell->len, width = cell->width, unit_width;
	while (len) {
		size_t used = one_unit(at, len, &unit_width);
		/* What takes no column goes with that before it. */
		if (unit_width && width + dots_width <= room)
			break;
		at += used;
		len -= used;
		width -= unit_width;
	}
	const char *slash = fit_slash(cell->rooted, at, len);
	for (; at < slash; width -= unit_width) {
		size_t used = one_unit(at, len, &unit_width);
		at += used;
		len -= used;
	}
	text_string(table->text, dots);
	text_put(table->text, at, len);
	return width + dots_width;
}

static size_t put_cut_right(struct table *table, const struct table_cell *cell, size_t room)
{
	const char *dots = table->text->style->unicode ? "\u2026" : "...";
	size_t dots_width = table->text->style->unicode ? 1 : 3, width = 0, len = 0, unit_width;
	const char *at = table->bytes + cell->at;
	while (len < cell->len) {
		size_t used = one_unit(at + len, cell->len - len, &unit_width);
		if (width + unit_width + dots_width > room)
			break;
		len += used;
		width += unit_width;
	}
	text_put(table->text, at, len);
	text_string(table->text, dots);
	return width + dots_width;
}

static void put_cell(struct table *table, size_t index, bool row_ends, size_t *column)
{
	const struct table_shown *shown = &table->shown[index];
	const struct table_cell *cell = &table->cells[shown->column];
	unsigned flags = table->columns[shown->column].flags, limit = table->text->style->width;
	bool last = index + 1 == table->shown_count;
	size_t pad = shown->width > cell->width ? shown->width - cell->width : 0, width = cell->width;
	if (flags & TABLE_RIGHT)
		text_repeat(table->text, ' ', pad);
	color_start(table->text, cell->color);
	size_t room = rest_of_line(table, *column), most = last ? room : shown->width;
	if ((last || limit) && (flags & TABLE_CUT_LEFT) && (cell->width > most || cell->begun_late))
		width = put_cut_left(table, cell, most);
	else if (limit && (flags & (TABLE_CUT_RIGHT | TABLE_CUT_LATE)) && cell->width > most)
		width = put_cut_right(table, cell, most);
	else if (cell->width > most_of_any(table) || cell->cut)
		width = put_cut_right(table, cell, most_of_any(table));
	else if (cell->len)
		text_put(table->text, table->bytes + cell->at, cell->len);
	color_end(table->text, cell->color);
	if (!(flags & TABLE_RIGHT) && !row_ends)
		text_repeat(table->text, ' ', shown->width > width ? shown->width - width : 0);
	*column += shown->width + 1;
}

static void put_raw_cell(struct table *table, size_t index)
{
	const struct table_cell *cell = &table->cells[table->shown[index].column];
	if (cell->len)
		text_put(table->text, table->bytes + cell->at, cell->len);
	else
		text_put(table->text, "-", 1);
}

/* Trailing blanks of a row whose last cells are empty are not written. */
static size_t last_filled(const struct table *table)
{
	size_t count = table->shown_count;
	while (count && !table->cells[table->shown[count - 1].column].len)
		count--;
	return count;
}

static void put_row(struct table *table)
{
	bool raw = table->text->style->raw;
	size_t count = raw ? table->shown_count : last_filled(table), column = 0;
	bool before = text_exact(table->text);
	for (size_t i = 0; i < count; i++) {
		if (i)
			text_put(table->text, " ", 1);
		if (raw)
			put_raw_cell(table, i);
		else
			put_cell(table, i, i + 1 == count, &column);
	}
	text_put(table->text, "\n", 1);
	text_exact_end(table->text, before);
}

static void next_row(struct table *table)
{
	/* Of rows that are kept the bytes stay where they are. */
	if (!table->kept)
		table->used = 0;
	table->sort_key = (struct sort_key){ .rank = SORT_BY_CELL };
	for (size_t i = 0; i < table->column_count; i++)
		table->cells[i] = (struct table_cell){ .color = COLOR_DEFAULT };
}

static void end_row(struct table *table, bool total)
{
	if (table->measuring)
		measure_row(table);
	else
		put_row(table);
	if (table->measuring && table->kept)
		kept_rows_add(table->kept, table, total);
	next_row(table);
}

void table_end_row(struct table *table)
{
	end_row(table, false);
}

void table_end_total(struct table *table)
{
	end_row(table, true);
}

static void put_headings(struct table *table)
{
	if (table->text->style->no_headings)
		return;
	for (size_t i = 0; i < table->column_count; i++) {
		/* Some are the kernel's words, out of a file. */
		table_name(table, i, table->columns[i].name, strlen(table->columns[i].name));
		if (!table->text->style->raw)
			table_color(table, i, COLOR_BOLD);
	}
	table_end_row(table);
}

static void drop_empty_columns(struct table *table)
{
	size_t kept = 0;
	for (size_t i = 0; i < table->shown_count; i++) {
		struct table_shown shown = table->shown[i];
		if ((table->columns[shown.column].flags & TABLE_HIDE_EMPTY) && !shown.named && shown.empty)
			continue;
		if (!table->text->style->no_headings && strlen(table->columns[shown.column].name) > shown.width)
			shown.width = strlen(table->columns[shown.column].name);
		table->shown[kept++] = shown;
	}
	table->shown_count = kept;
}

size_t table_picture_width(const struct table *table, size_t column, size_t cells)
{
	if (table->kept) /* nothing is chosen yet */
		return cells;
	for (size_t i = 0; i < table->shown_count; i++)
		if (table->shown[i].column == column)
			return table->text->style->raw || table->shown[i].width > cells ? cells : table->shown[i].width;
	return 0;
}

/* Columns that may be cut give way until a row fits: first pictures, then the widest; of a path
 * at the end, which is cut as it is written, only the least that is shown counts. */
enum { CUT_WIDTH_MIN = 6, PICTURE_WIDTH_MIN = 8 };
/* A picture that is wider than the first gives way to a path that has not the second, or a third of the line. */
enum { PICTURE_WIDTH_GOOD = 12, PATH_WIDTH_GOOD = 21 };

/* How narrow it may become; its own width if it does not give way. */
static size_t least_width(const struct table *table, const struct table_shown *shown)
{
	unsigned flags = table->columns[shown->column].flags;
	bool last = table->shown_count && shown == &table->shown[table->shown_count - 1];
	size_t least = SIZE_MAX;
	if (flags & (TABLE_CUT_RIGHT | TABLE_CUT_LATE))
		least = last ? PATH_WIDTH_MIN : CUT_WIDTH_MIN;
	else if (flags & TABLE_CUT_LEFT)
		least = PATH_WIDTH_MIN;
	/* Of rows that are kept it is drawn already. */
	if ((flags & TABLE_PICTURE) && !table->kept)
		least = PICTURE_WIDTH_MIN;
	return shown->width < least ? shown->width : least;
}

static size_t at_most(size_t width, size_t most)
{
	return width < most ? width : most;
}

/* Columns of a row, if all give way as far as they do.  late: but for names and texts, which are cut only if nothing
 * else helps: at the end of a row beyond what is good to read, others as far as they take no more than their share. */
static size_t least_total(const struct table *table, bool late)
{
	size_t total = table->shown_count ? table->shown_count - 1 : 0, share = table->text->style->width / 3;
	for (size_t i = 0; i < table->shown_count; i++) {
		const struct table_shown *shown = &table->shown[i];
		unsigned flags = table->columns[shown->column].flags;
		size_t least = least_width(table, shown);
		if (late && flags & (TABLE_CUT_LEFT | TABLE_CUT_RIGHT) && i + 1 == table->shown_count)
			least = at_most(shown->width, PATH_WIDTH_GOOD);
		else if (late && flags & (TABLE_CUT_LATE | TABLE_CUT_RIGHT))
			least = at_most(shown->width, share);
		total += least;
	}
	return total;
}

/* How soon it is left out; never, if somebody asked for it. */
enum { YIELDS_NEVER, YIELDS_LAST, YIELDS_LATER, YIELDS_FIRST, YIELDS_EMPTY };
static unsigned yields(const struct table *table, size_t index)
{
	const struct table_shown *shown = &table->shown[index];
	unsigned flags = table->columns[shown->column].flags;
	if (shown->named)
		return YIELDS_NEVER;
	bool last_path = (flags & TABLE_CUT_LEFT) && index + 1 == table->shown_count;
	bool stays = (flags & TABLE_STAYS) || last_path || !index;
	if (shown->empty && index)
		return YIELDS_EMPTY;
	return flags & TABLE_YIELDS ? YIELDS_FIRST : stays ? YIELDS_LAST : YIELDS_LATER;
}

/* The one that is left out next: of those that yield alike the last. */
static size_t next_to_yield(const struct table *table)
{
	size_t next = table->shown_count;
	unsigned most = 0;
	for (size_t i = 0; i < table->shown_count; i++) {
		unsigned how = yields(table, i);
		if (how && how >= most) {
			most = how;
			next = i;
		}
	}
	return next;
}

/* Whole columns are left out, in an order that the table's makers have chosen, until a row fits.  Not where a script
 * counts columns.  In the narrowest windows nothing fits: two columns are as near as it gets. */
static void leave_out_columns(struct table *table)
{
	const struct vmsnap_style *style = table->text->style;
	size_t least = style->width < WRAP_WIDTH_MIN ? 2 : 1;
	while (style->width && !style->no_headings && table->shown_count > least) {
		size_t next = next_to_yield(table);
		if (next == table->shown_count ||
		    least_total(table, yields(table, next) >= YIELDS_FIRST) <= style->width)
			return;
		table->shown_count--;
		memmove(&table->shown[next], &table->shown[next + 1],
		        (table->shown_count - next) * sizeof(*table->shown));
	}
}

static void narrow_columns(struct table *table)
{
	size_t limit = table->text->style->width, good = limit / 3 > PATH_WIDTH_GOOD ? limit / 3 : PATH_WIDTH_GOOD;
	while (limit) {
		struct table_shown *widest = NULL, *picture = NULL, *late = NULL;
		size_t total = table->shown_count ? table->shown_count - 1 : 0, wished = 0;
		for (size_t i = 0; i < table->shown_count; i++) {
			struct table_shown *shown = &table->shown[i];
			unsigned flags = table->columns[shown->column].flags;
			size_t least = least_width(table, shown);
			bool ends = (flags & TABLE_CUT_LEFT) && i + 1 == table->shown_count;
			total += ends ? least : shown->width;
			if (ends && shown->width > least)
				wished = at_most(shown->width, good) - least;
			if (ends || shown->width <= least)
				continue;
			if (flags & TABLE_PICTURE)
				picture = shown;
			else if (flags & TABLE_CUT_LATE)
				late = !late || shown->width > late->width ? shown : late;
			else if (!widest || shown->width > widest->width)
				widest = shown;
		}
		struct table_shown *next = picture ? picture : widest ? widest : late;
		bool gives = picture && picture->width > PICTURE_WIDTH_GOOD;
		if (total + (gives ? wished : 0) <= limit || !next)
			return;
		next->width--;
	}
}

/* A column that may be cut has a third of the line at first, or one long name would make all rows
 * long; what the others leave it has, too. */
static void widen_columns(struct table *table)
{
	size_t limit = table->text->style->width, total = table->shown_count ? table->shown_count - 1 : 0;
	for (size_t i = 0; i < table->shown_count; i++) {
		const struct table_shown *shown = &table->shown[i];
		/* The last one is cut by the line's end only. */
		total += i + 1 == table->shown_count && shown->full > shown->width ? shown->full : shown->width;
	}
	for (size_t i = 0; i + 1 < table->shown_count && total < limit; i++) {
		struct table_shown *shown = &table->shown[i];
		size_t full = shown->full < most_of_any(table) ? shown->full : most_of_any(table);
		if (!(table->columns[shown->column].flags & TABLE_CUT_RIGHT) || full <= shown->width)
			continue;
		size_t more = full - shown->width < limit - total ? full - shown->width : limit - total;
		shown->width += more;
		total += more;
	}
}

static void fit_columns(struct table *table)
{
	if (table->text->style->raw)
		return;
	drop_empty_columns(table);
	leave_out_columns(table);
	widen_columns(table);
	narrow_columns(table);
}

/* As they come: the rows are made twice, and none is kept. */
static int print_in_order(struct table *table, table_rows_fn rows, void *ctx, struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	if (!table->text->style->raw) {
		table->measuring = true;
		rc = rows(table, ctx, err);
		table->measuring = false;
		fit_columns(table);
	}
	if (rc)
		return rc;
	put_headings(table);
	return rows(table, ctx, err);
}

/* Made once, and kept until all are there. */
static int print_kept(struct table *table, table_rows_fn rows, void *ctx, struct vmsnap_error *err)
{
	struct kept_rows kept = { .stride = table->shown_count };
	struct work *work = &table->text->work;
	table->kept = &kept;
	table->measuring = true;
	int rc = rows(table, ctx, err);
	table->measuring = false;
	fit_columns(table);
	int sorted = rc ? VMSNAP_OK : kept_rows_sort(&kept, table);
	if (sorted)
		rc = work_fail(work, sorted, err);
	if (!rc)
		put_headings(table);
	for (size_t i = 0; !rc && i < kept.count && !text_failed(table->text); i++) {
		kept_rows_get(&kept, i, table);
		put_row(table);
	}
	kept_rows_free(&kept, work);
	return rc;
}

int table_print(struct text *text, const struct table_column *columns, size_t count, enum table_mode mode,
                table_rows_fn rows, void *ctx, struct vmsnap_error *err)
{
	struct table table = { .text = text, .columns = columns, .column_count = count, .mode = mode };
	int rc = table_choose(&table, err);
	if (!rc)
		next_row(&table);
	if (!rc && (table.sort_column != TABLE_UNSORTED || (mode == TABLE_ONCE && !text->style->raw)))
		rc = print_kept(&table, rows, ctx, err);
	else if (!rc)
		rc = print_in_order(&table, rows, ctx, err);
	free(table.shown);
	free(table.cells);
	free(table.wanted);
	free(table.bytes);
	return rc;
}
