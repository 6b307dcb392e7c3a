#include "series_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alarm_text.h"
#include "emitter.h"
#include "error.h"
#include "escape.h"
#include "format_value.h"
#include "relation_text.h"
#include "rate.h"
#include "schemas.h"
#include "sparkline.h"
#include "text_color.h"
#include "text_fit.h"

/* Those before, and those behind, the columns that the series has. */
enum {
	SERIES_TIME,
	SERIES_SNAPSHOT,
	SERIES_PID,
	SERIES_ELAPSED,
	SERIES_SWAPPED,
	SERIES_RATE,
	SERIES_RESIDENT,
	SERIES_OWN,
	SERIES_OTHERS = SERIES_OWN,
	SERIES_WHAT,
	SERIES_FAULTS,
	SERIES_BY,
	SERIES_FIXED
};
static const struct column series_columns[SERIES_FIXED] = {
	[SERIES_TIME] = { NULL, "TIME", COLUMN_TIME, 0, "when it was taken", NULL },
	[SERIES_SNAPSHOT] = { NULL, "SNAPSHOT", COLUMN_COUNT, COLUMN_SECONDARY, "its number, for FILE@N", NULL },
	[SERIES_PID] = { NULL, "PID", COLUMN_COUNT, COLUMN_SECONDARY, "of the process", NULL },
	[SERIES_ELAPSED] = { NULL, "ELAPSED", COLUMN_DURATION, COLUMN_SECONDARY, "since the one before", NULL },
	[SERIES_SWAPPED] = { NULL, "SWAPPED", COLUMN_BYTES, COLUMN_SECONDARY, "bytes that are in swap", NULL },
	[SERIES_RATE] = { NULL, "RATE", COLUMN_DELTA, COLUMN_SECONDARY | COLUMN_PER_SECOND,
	                  "by how much RESIDENT, or SIZE, grew in a second", NULL },
	[SERIES_RESIDENT] = { NULL, "RESIDENT", COLUMN_BYTES, 0,
	                      "present; RSS_SUM if of several processes, SIZE if of core files",
	                      NULL },
	[SERIES_OTHERS] = { NULL, "OTHERS", COLUMN_BYTES, COLUMN_SPARSE,
	                    "resident in what has no column; before it: what grew most", NULL },
	[SERIES_WHAT] = { NULL, "WHAT", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG, "what changed since the one before",
	                  NULL },
	[SERIES_FAULTS] = { NULL, "FAULTS", COLUMN_COUNT, COLUMN_SPARSE,
	                    "page faults since the one before (record --blame)", NULL },
	[SERIES_BY] = { NULL, "BY", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG,
	                "the functions that copied, made or wrote most pages since", NULL },
};
const struct row_schema series_schema = ROW_SCHEMA(series_columns);

/* Of those that are there at all for -o, and of those that are shown unless asked for. */
enum { OWN_MOST = 64, SHOWN_MOST = 8, HEADING_MOST = 20, OWN_WIDTH = 7 };
struct table_of {
	const struct series_rows *rows;
	uint32_t own[OWN_MOST]; /* columns of rows, by how much they grew */
	size_t own_count, shown_count;
	char headings[OWN_MOST][HEADING_MOST + 1];
	struct column columns[SERIES_FIXED + OWN_MOST];
	bool others;
};

/* Processes share pages: what they come to together is less. */
static const char *total_name(const struct series_rows *rows)
{
	if (rows->sizes)
		return "SIZE";
	return rows->by == VMSNAP_SERIES_BY_PROCESS ? "RSS_SUM" : "RESIDENT";
}

/* ---- which columns ------------------------------------------------------------------------ */

/* The last part of a path. */
static const char *short_name(const char *name)
{
	const char *slash = *name == '/' ? strrchr(name, '/') : NULL;
	return slash && slash[1] ? slash + 1 : name;
}

/* A heading is one word without commas, for -o. */
static void make_heading(char out[HEADING_MOST + 1], const char *name)
{
	size_t len = strlen(name), most = HEADING_MOST;
	memset(out, 0, HEADING_MOST + 1);
	for (size_t i = 0; i < len && i < most; i++) {
		unsigned char c = (unsigned char)name[i];
		out[i] = c > ' ' && c < 0x7f && c != ',' && c != '\\' ? (char)c : c == ' ' ? '_' : '?';
	}
}

static bool heading_is_taken(const struct table_of *table, size_t count, const char *heading)
{
	for (size_t i = 0; i < SERIES_FIXED; i++)
		if (!strcmp(series_columns[i].heading, heading))
			return true;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(table->headings[i], heading))
			return true;
	return false;
}

/* Its last part, or if another is called so the end of its path. */
static void name_column(struct table_of *table, size_t index)
{
	const char *name = table->rows->columns[table->own[index]].name;
	char *heading = table->headings[index];
	make_heading(heading, short_name(name));
	if (!heading_is_taken(table, index, heading))
		return;
	size_t len = strlen(name);
	make_heading(heading, len > HEADING_MOST ? name + len - HEADING_MOST : name);
	for (char mark = '2'; mark <= '9' && heading_is_taken(table, index, heading); mark++)
		heading[strlen(heading) - 1] = mark;
}

static int by_growth(const void *a, const void *b, const void *ctx)
{
	const struct series_column *columns = ctx;
	return series_column_order(&columns[*(const uint32_t *)a], &columns[*(const uint32_t *)b]);
}

static bool changes(const struct series_column *column, uint64_t min)
{
	return series_column_change(column) && series_column_change(column) >= min;
}

/* How many of the first fit beside what is there always, and leave room for words. */
static size_t fitting(const struct table_of *table, size_t wanted, unsigned width, bool one_day)
{
	enum { CLOCK = 9, DAY = 30, RESIDENT = 9, OTHERS = 8, WORDS = 24, FAULTS = 32 };
	size_t used = (one_day ? CLOCK : DAY) + RESIDENT + OTHERS + WORDS, count = 0;
	used += table->rows->watched ? FAULTS : 0;
	while (count < wanted && count < SHOWN_MOST) {
		size_t heading = strlen(table->headings[count]);
		used += 1 + (heading > OWN_WIDTH ? heading : OWN_WIDTH);
		/* One at the least, however narrow it is. */
		if (width && used > width && count)
			break;
		count++;
	}
	return count;
}

static bool sub_second(const struct series_rows *rows)
{
	for (size_t i = 0; i < rows->row_count; i++)
		if (rows->rows[i].elapsed_known && rows->rows[i].elapsed < 1000000000)
			return true;
	return false;
}

static void make_columns(struct table_of *table)
{
	const struct series_rows *rows = table->rows;
	size_t own = table->own_count;
	for (size_t i = 0; i < SERIES_FIXED; i++)
		table->columns[i < SERIES_OWN ? i : i + own] = series_columns[i];
	for (size_t i = 0; i < own; i++)
		table->columns[SERIES_OWN + i] =
		        (struct column){ .heading = table->headings[i],
			                 .type = COLUMN_BYTES,
			                 .flags = i < table->shown_count ? 0 : COLUMN_SECONDARY };
	table->columns[SERIES_RESIDENT].heading = total_name(rows);
	if (sub_second(rows))
		table->columns[SERIES_ELAPSED].flags = 0;
	/* States overlap: nothing is left of them. */
	table->others = rows->by != VMSNAP_SERIES_BY_STATE;
}

static int choose_columns(struct table_of *table, const struct series_rows *rows, const struct text *text)
{
	int rc = VMSNAP_OK;
	uint32_t *order = work_array(rows->work, rows->column_count, sizeof(*order), &rc);
	*table = (struct table_of){ .rows = rows };
	for (size_t i = 0; order && i < rows->column_count; i++)
		order[i] = (uint32_t)i;
	rc = rc ? rc : work_sort(rows->work, order, rows->column_count, sizeof(*order), by_growth, rows->columns);
	size_t changed = 0;
	for (size_t i = 0; !rc && i < rows->column_count && i < OWN_MOST; i++) {
		table->own[table->own_count] = order[i];
		name_column(table, table->own_count++);
		changed += changes(&rows->columns[order[i]], rows->min);
	}
	work_free(rows->work, order, rows->column_count, sizeof(*order));
	/* What does not change is of interest only if nothing does. */
	size_t few = table->own_count < SHOWN_MOST / 2 ? table->own_count : SHOWN_MOST / 2;
	table->shown_count = fitting(table, changed ? changed : few, text->style->width, rows->one_day);
	make_columns(table);
	return rc;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void put_name(struct row *row, unsigned column, const char *name)
{
	enum { SHOWN = 40 };
	const char *shown = short_name(name);
	size_t len = strlen(shown);
	row_text_name(row, column, shown, len < SHOWN ? len : SHOWN);
}

static void put_comma(struct row *row, unsigned column, bool *begun)
{
	if (*begun)
		row_text(row, column, ", ");
	*begun = true;
}

static void put_change(struct row *row, unsigned column, const struct series_rows *rows,
                       const struct series_change *change)
{
	put_name(row, column, rows->columns[change->column].name);
	row_text(row, column, " ");
	row_text_delta(row, column, change->less, change->bytes);
	if (change->all_new)
		row_text(row, column, " (came)");
	else if (change->gone)
		row_text(row, column, " (went)");
}

static void put_many(struct row *row, unsigned column, uint32_t count, const char *words)
{
	char text[48];
	snprintf(text, sizeof(text), "%" PRIu32 " %s", count, words);
	row_text(row, column, text);
}

static void put_what(struct row *row, unsigned column, const struct series_rows *rows, const struct series_row *at)
{
	bool begun = false;
	if (at->relation != VMSNAP_RELATION_COMPARABLE) {
		put_comma(row, column, &begun);
		row_text(row, column, relation_words(at->relation));
	} else if (at->first && at != rows->rows && rows->by != VMSNAP_SERIES_BY_PROCESS) {
		put_comma(row, column, &begun);
		row_text(row, column, "another process");
	}
	for (uint32_t i = 0; i < at->top_count; i++) {
		put_comma(row, column, &begun);
		put_change(row, column, rows, &at->top[i]);
	}
	const struct {
		uint32_t count;
		const char *words;
	} counts[] = { { at->came, "came" }, { at->went, "went" }, { at->moved, "moved" } };
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (!counts[i].count || (at->relation != VMSNAP_RELATION_COMPARABLE))
			continue;
		put_comma(row, column, &begun);
		put_many(row, column, counts[i].count, counts[i].words);
	}
}

static void put_by(struct row *row, unsigned column, const struct series_row *at)
{
	bool begun = false;
	if (!at->blamed)
		row_text(row, column, "?");
	for (size_t i = 0; i < SERIES_TOP && at->by[i].function; i++) {
		const struct series_by *by = &at->by[i];
		put_comma(row, column, &begun);
		if (*by->syscall) {
			row_text(row, column, "(inside ");
			row_text(row, column, by->syscall);
			row_text(row, column, "(2)) ");
		} else if (by->in_kernel) {
			row_text(row, column, "(inside the kernel) ");
		}
		row_text_name(row, column, by->function, strlen(by->function));
		row_text(row, column, " ");
		row_text(row, column, word_size(row->text->style, by->bytes).text);
	}
	if (at->lost) {
		put_comma(row, column, &begun);
		row_text(row, column, at->lost == UINT64_MAX ? "some" : word_number(at->lost).text);
		row_text(row, column, at->lost == 1 ? " fault lost" : " faults lost");
	}
}

static void put_rate(struct row *row, const struct series_row *at)
{
	bool less = at->counted < at->counted_before;
	uint64_t bytes = less ? at->counted_before - at->counted : at->counted - at->counted_before;
	if (at->first || at->relation != VMSNAP_RELATION_COMPARABLE)
		return;
	if (!at->elapsed_known || !at->elapsed || at->unread || at->unread_before)
		row_put_unknown(row, SERIES_RATE);
	else
		row_put_delta(row, SERIES_RATE, less, rate_of(bytes, at->elapsed));
}

static void put_row(struct row *row, const struct table_of *table, const struct series_row *at, size_t index,
                    size_t cursors[OWN_MOST])
{
	const struct series_rows *rows = table->rows;
	uint64_t left = at->counted;
	if (rows->one_day)
		row_put_clock(row, SERIES_TIME, at->taken);
	else
		row_put_time(row, SERIES_TIME, at->taken);
	row_put_count(row, SERIES_SNAPSHOT, at->index + 1);
	row_put_count(row, SERIES_PID, at->pid);
	if (at->elapsed_known)
		row_put_duration(row, SERIES_ELAPSED, at->elapsed);
	else if (!at->first)
		row_put_unknown(row, SERIES_ELAPSED);
	row_put_bytes_known(row, SERIES_SWAPPED, at->swapped, !rows->sizes);
	put_rate(row, at);
	row_put_bytes_least(row, SERIES_RESIDENT, at->counted, at->unread);
	for (size_t i = 0; i < table->own_count; i++) {
		uint64_t bytes = series_column_at(&rows->columns[table->own[i]], index, &cursors[i]);
		if (bytes == SERIES_ABSENT)
			continue;
		row_put_bytes(row, SERIES_OWN + (unsigned)i, bytes);
		if (i < table->shown_count)
			left -= bytes < left ? bytes : left;
	}
	unsigned after = SERIES_OWN + (unsigned)table->own_count;
	if (table->others && left)
		row_put_bytes(row, after, left);
	put_what(row, after + 1, rows, at);
	if (at->watched) {
		row_put_count(row, after + 2, at->faults);
		put_by(row, after + 3, at);
	}
	row_end(row);
}

static int table_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct table_of *table = ctx;
	size_t cursors[OWN_MOST] = { 0 };
	(void)err;
	for (size_t i = 0; i < table->rows->row_count && !text_failed(row->text); i++)
		put_row(row, table, &table->rows->rows[i], i, cursors);
	return VMSNAP_OK;
}

/* ---- from the first to the last ---------------------------------------------------------------- */

enum { PICTURE_MOST = 24 };

/* The value at the end of each of as many equal parts as there is room for. */
static size_t sample(const struct series_rows *rows, const struct series_column *column, uint64_t *values)
{
	size_t at = 0, count = rows->row_count < PICTURE_MOST ? rows->row_count : PICTURE_MOST;
	for (size_t i = 0; i < count; i++) {
		size_t row = (i + 1) * rows->row_count / count - 1;
		values[i] = column ? series_column_at(column, row, &at) : rows->rows[row].counted;
	}
	return count;
}

static void put_picture(struct text *text, const struct series_rows *rows, const struct series_column *column)
{
	uint64_t values[PICTURE_MOST];
	char picture[SPARKLINE_ROOM];
	size_t count = sample(rows, column, values);
	sparkline(picture, values, count, text->style->unicode);
	text_string(text, picture);
}

struct way {
	uint64_t first, last, peak;
	bool first_unread, last_unread, some_unread; /* the least that it was; or was at some time */
};

static void put_way(struct text *text, const struct way *way, uint64_t span)
{
	const struct vmsnap_style *style = text->style;
	uint64_t first = way->first, last = way->last, peak = way->peak;
	bool less = last < first;
	bool known = !way->first_unread && !way->last_unread;
	uint64_t change = !known ? 0 : less ? first - last : last - first;
	const char *arrow = style->unicode ? "→" : "->";
	text_format(text, " %7s%s %s %7s%s", word_size(style, first).text, way->first_unread ? "+" : "", arrow,
	            word_size(style, last).text, way->last_unread ? "+" : "");
	if (change)
		text_format(text, "  %s", word_delta(style, less, change).text);
	uint64_t rate = span ? rate_of(change, span) : 0;
	if (rate)
		text_format(text, ", %s/s", word_size(style, rate).text);
	if (!way->some_unread && peak > first && peak > last)
		text_format(text, ", at most %s", word_size(style, peak).text);
	text_string(text, "\n");
}

static void put_column_line(struct text *text, const struct series_rows *rows, const struct series_column *column)
{
	enum { NAME_WIDTH = 24 };
	const char *name = short_name(column->name);
	size_t len = strlen(name), width = fit_width(text, name, len);
	fit_name(text, name, len, NAME_WIDTH);
	text_repeat(text, ' ', width < NAME_WIDTH ? NAME_WIDTH - width + 1 : 1);
	put_picture(text, rows, column);
	const struct way way = { column->first,        column->last,        column->peak,
		                 column->first_unread, column->last_unread, column->some_unread };
	put_way(text, &way, rows->span);
}

static void put_total_line(struct text *text, const struct series_rows *rows)
{
	enum { NAME_WIDTH = 24 };
	const struct series_row *first = rows->rows, *last = rows->rows + rows->row_count - 1;
	struct way way = { first->counted, last->counted, 0, first->unread != 0, last->unread != 0, false };
	for (const struct series_row *at = first; at <= last; at++) {
		way.peak = at->counted > way.peak ? at->counted : way.peak;
		way.some_unread |= at->unread != 0;
	}
	color_start(text, COLOR_BOLD);
	text_string(text, total_name(rows));
	color_end(text, COLOR_BOLD);
	text_repeat(text, ' ', NAME_WIDTH + 1 - strlen(total_name(rows)));
	put_picture(text, rows, NULL);
	put_way(text, &way, rows->span);
}

/* What changed, and how much of it is not told. */
static void put_ways(struct text *text, const struct table_of *table)
{
	enum { LINES_MOST = 12 };
	const struct series_rows *rows = table->rows;
	size_t told = 0, rest = 0;
	put_total_line(text, rows);
	for (size_t i = 0; i < table->own_count && told < LINES_MOST && !text_failed(text); i++) {
		const struct series_column *column = &rows->columns[table->own[i]];
		if (!changes(column, rows->min))
			continue;
		put_column_line(text, rows, column);
		told++;
	}
	for (size_t i = 0; i < rows->column_count; i++)
		rest += changes(&rows->columns[i], 0);
	if (rest > told && told == LINES_MOST)
		text_format(text, "%zu more changed\n", rest - told);
	else if (rest > told)
		text_format(text, "%zu more changed, each by less than %s\n", rest - told,
		            word_size(text->style, rows->min).text);
}

static void put_heading(struct text *text, const struct series_rows *rows)
{
	text_format(text, "%zu snapshot%s", rows->row_count, word_plural(rows->row_count));
	if (rows->span)
		text_format(text, " in %s", word_duration(rows->span).text);
	text_string(text, "\n");
}

static void put_unread(struct text *text, const struct series_rows *rows)
{
	char words[700];
	if (!rows->unread)
		return;
	snprintf(words, sizeof(words), "%zu snapshot%s cannot be read: ", rows->unread, word_plural(rows->unread));
	color_start(text, COLOR_ALARM);
	text_string(text, "! ");
	text_string(text, words);
	escape_string(text, rows->unread_err.message);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

/* Whether all were taken on one day, as it is here. */
static bool of_one_day(const struct series_rows *rows)
{
	enum { DAY = 10 };
	for (size_t i = 1; i < rows->row_count; i++)
		if (strncmp(word_time_local(rows->rows[0].taken).text, word_time_local(rows->rows[i].taken).text, DAY))
			return false;
	return true;
}

static int put_all(struct text *text, struct series_rows *rows, struct vmsnap_error *err)
{
	CLEANUP_FREE struct table_of *table = malloc(sizeof(*table));
	bool bare = text->style->raw || text->style->no_headings;
	if (!table)
		return fail_no_memory(err);
	if (!rows->row_count && rows->unread)
		return VMSNAP_OK; /* why, the caller says */
	rows->one_day = of_one_day(rows);
	int rc = choose_columns(table, rows, text);
	if (rc)
		return work_fail(rows->work, rc, err);
	const struct row_schema schema = { table->columns, SERIES_FIXED + table->own_count, NULL, 0 };
	rc = emit_table(text, &schema, table_rows, table, err);
	if (rc || bare || !rows->row_count)
		return rc;
	text_blank(text);
	put_heading(text, rows);
	put_unread(text, rows);
	if (rows->row_count > 1)
		put_ways(text, table);
	return VMSNAP_OK;
}

int put_series_table(struct text *text, struct vmsnap_series *series, int by, uint64_t min, int *unread,
                     struct vmsnap_error *unread_err, struct vmsnap_error *err)
{
	struct series_rows rows;
	int rc = series_rows_read(&rows, series, by, min, &text->work, err);
	rc = rc ? rc : put_all(text, &rows, err);
	*unread = rows.unread_rc;
	*unread_err = rows.unread_err;
	series_rows_free(&rows);
	return rc;
}
