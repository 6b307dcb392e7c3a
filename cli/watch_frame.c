#define _GNU_SOURCE
#include "watch_frame.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* ---- memory ------------------------------------------------------------------------------------ */

/* Room for so many items, and for some more; NULL: no memory, and what there was stays. */
static void *grown(void *items, size_t *room, size_t wanted, size_t size)
{
	if (items && wanted <= *room)
		return items;
	size_t more = wanted + wanted / 2 + 1;
	void *bigger = realloc(items, more * size);
	if (bigger)
		*room = more;
	return bigger;
}

void sketch_put(struct sketch *sketch, const char *bytes, size_t len)
{
	char *room = sketch->failed ? NULL : grown(sketch->bytes, &sketch->room, sketch->len + len, 1);
	sketch->failed |= !room;
	if (!room)
		return;
	sketch->bytes = room;
	memcpy(room + sketch->len, bytes, len);
	sketch->len += len;
}

void sketch_string(struct sketch *sketch, const char *string)
{
	sketch_put(sketch, string, strlen(string));
}

void sketch_free(struct sketch *sketch)
{
	free(sketch->bytes);
	*sketch = (struct sketch){ .bytes = NULL };
}

void frame_free(struct frame *frame)
{
	free(frame->text);
	free(frame->lines);
	free(frame->columns);
	*frame = (struct frame){ .text = NULL };
}

/* ---- what a line consists of ------------------------------------------------------------------- */

/* A character, or a sequence that sets attributes: "ESC [ … m" is all that our texts have. */
struct unit {
	size_t len;
	uint32_t character; /* 0: a sequence */
	unsigned width;
};

static struct unit unit_at(const char *bytes, size_t len)
{
	wchar_t wide;
	mbstate_t state = { 0 };
	if (*bytes == '\033') {
		const char *end = memchr(bytes, 'm', len);
		return (struct unit){ .len = end ? (size_t)(end - bytes) + 1 : len };
	}
	size_t used = mbrtowc(&wide, bytes, len, &state);
	if (!used || used > len)
		return (struct unit){ .len = 1, .character = '?', .width = 1 };
	int width = wcwidth(wide);
	return (struct unit){ .len = used, .character = (uint32_t)wide, .width = width > 0 ? (unsigned)width : 0 };
}

static uint32_t hash(uint32_t value, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		value = (value ^ (unsigned char)bytes[i]) * 16777619u;
	return value;
}

static bool is_reset(const char *bytes, size_t len)
{
	return (len == 4 && !memcmp(bytes, "\033[0m", 4)) || (len == 3 && !memcmp(bytes, "\033[m", 3));
}

static uint64_t key_of(const struct frame_column *columns, size_t count)
{
	uint64_t key = 14695981039346656037u;
	size_t i = 0;
	while (i < count && columns[i].character == ' ')
		i++;
	for (; i < count && columns[i].character != ' '; i++)
		key = (key ^ columns[i].character) * 1099511628211u;
	return key;
}

static bool add_columns(struct frame *frame, const struct unit *unit, uint32_t look)
{
	struct frame_column *columns =
	        grown(frame->columns, &frame->column_room, frame->column_count + unit->width, sizeof(*columns));
	if (!columns)
		return false;
	frame->columns = columns;
	for (unsigned i = 0; i < unit->width; i++)
		frame->columns[frame->column_count++] =
		        (struct frame_column){ .character = i ? 0 : unit->character, .look = look };
	return true;
}

/* Its columns are found when all of them lie where they stay. */
static bool add_line(struct frame *frame, const char *bytes, size_t len, size_t most)
{
	enum { FNV = 2166136261u };
	size_t first = frame->column_count;
	uint32_t look = 0;
	struct frame_line *lines = grown(frame->lines, &frame->line_room, frame->count + 1, sizeof(*lines));
	if (!lines)
		return false;
	frame->lines = lines;
	for (size_t at = 0; at < len;) {
		struct unit unit = unit_at(bytes + at, len - at);
		if (!unit.character)
			look = is_reset(bytes + at, unit.len) ? 0 : hash(look ? look : FNV, bytes + at, unit.len);
		else if (frame->column_count - first + unit.width > most || !add_columns(frame, &unit, look))
			break;
		at += unit.len;
	}
	frame->lines[frame->count++] =
	        (struct frame_line){ .bytes = bytes, .len = len, .count = frame->column_count - first };
	return true;
}

static void lines_finish(struct frame *frame)
{
	struct frame_column *columns = frame->columns;
	for (size_t i = 0; i < frame->count; i++) {
		struct frame_line *line = &frame->lines[i];
		line->columns = columns;
		line->key = key_of(columns, line->count);
		columns = line->count ? columns + line->count : columns;
	}
}

bool frame_fill(struct frame *frame, const char *text, size_t len, size_t lines, size_t columns, size_t *beyond)
{
	frame->text_len = frame->count = frame->column_count = *beyond = 0;
	char *copy = grown(frame->text, &frame->text_room, len, 1);
	if (!copy)
		return false;
	frame->text = copy;
	if (len)
		memcpy(copy, text, len);
	frame->text_len = len;
	for (size_t at = 0; at < len;) {
		const char *end = memchr(frame->text + at, '\n', len - at);
		size_t line = end ? (size_t)(end - (frame->text + at)) : len - at;
		if (frame->count == lines)
			++*beyond;
		else if (!add_line(frame, frame->text + at, line, columns))
			return false;
		at += line + 1;
	}
	lines_finish(frame);
	return true;
}

/* ---- what has changed -------------------------------------------------------------------------- */

/* Blocks, and what is only a background, are pictures: in reverse they would say something else. */
static bool is_picture(const struct frame_column *column)
{
	return (column->character >= 0x2580 && column->character <= 0x259f) ||
	       (column->character == ' ' && column->look);
}

static bool is_blank(const struct frame_column *column)
{
	return column->character == ' ' && !column->look;
}

/* The line that it was before: with the same first word, in the same order, as lines may come and go. */
static const struct frame_line *line_before(const struct frame_line *line, const struct frame *before, size_t *at)
{
	for (size_t i = *at; i < before->count; i++) {
		if (before->lines[i].key != line->key)
			continue;
		*at = i + 1;
		return &before->lines[i];
	}
	return NULL;
}

enum change { CHANGE_NONE, CHANGE_WORD, CHANGE_PICTURE };

static enum change column_change(const struct frame_line *line, const struct frame_line *before, size_t at)
{
	static const struct frame_column blank = { .character = ' ' };
	const struct frame_column *now = &line->columns[at];
	const struct frame_column *then = before && at < before->count ? &before->columns[at] : &blank;
	if (is_picture(now) || (is_blank(now) && is_picture(then)))
		return now->character != then->character || now->look != then->look ? CHANGE_PICTURE : CHANGE_NONE;
	return now->character != then->character && !is_blank(now) ? CHANGE_WORD : CHANGE_NONE;
}

/* The end of the word, or of the picture or the gap, that begins there. */
static size_t word_end(const struct frame_line *line, size_t at)
{
	bool word = !is_blank(&line->columns[at]) && !is_picture(&line->columns[at]);
	size_t end = at + 1;
	while (end < line->count && (!is_blank(&line->columns[end]) && !is_picture(&line->columns[end])) == word)
		end++;
	return end;
}

/* Marks in `marked`, a bit for each column.  A line that was not there before has its first word marked. */
static void mark(const struct frame_line *line, const struct frame_line *before, bool *marked)
{
	bool first_too = !before;
	size_t first = 0;
	memset(marked, 0, line->count * sizeof(*marked));
	while (first < line->count && is_blank(&line->columns[first]))
		first++;
	for (size_t at = first, end; before && at < line->count; at = end) {
		bool changed = false;
		end = word_end(line, at);
		for (size_t i = at; i < end; i++) {
			enum change change = column_change(line, before, i);
			changed |= change == CHANGE_WORD;
			first_too |= change == CHANGE_PICTURE;
		}
		memset(marked + at, changed, end - at);
	}
	if (first_too && first < line->count && !is_picture(&line->columns[first]))
		memset(marked + first, true, word_end(line, first) - first);
}

void frame_draw_line(const struct frame *frame, size_t index, const struct frame *before, size_t *at, size_t columns,
                     struct sketch *sketch)
{
	const struct frame_line *line = &frame->lines[index];
	bool *marked = before && line->count ? malloc(line->count * sizeof(*marked)) : NULL, reverse = false,
	     any = false;
	if (marked)
		mark(line, line_before(line, before, at), marked);
	size_t column = 0;
	for (size_t from = 0; from < line->len;) {
		struct unit unit = unit_at(line->bytes + from, line->len - from);
		if (unit.character && (column + unit.width > line->count || column + unit.width > columns))
			break;
		bool wanted = marked && column < line->count && marked[column];
		if (unit.width && wanted != reverse) {
			sketch_string(sketch, wanted ? "\033[7m" : "\033[27m");
			reverse = wanted;
		}
		sketch_put(sketch, line->bytes + from, unit.len);
		/* A reset ended this, too. */
		if (!unit.character && reverse)
			sketch_string(sketch, "\033[7m");
		any |= !unit.character || reverse;
		column += unit.width;
		from += unit.len;
	}
	if (any)
		sketch_string(sketch, "\033[0m");
	free(marked);
}
