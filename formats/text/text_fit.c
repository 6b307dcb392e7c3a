#include "text_fit.h"

#include <stdint.h>
#include <string.h>

#include "escape.h"

size_t fit_room(const struct text *text, size_t column)
{
	size_t width = text->style->width;
	if (!width)
		return FIT_MOST;
	return width > column + FIT_LEAST ? width - column : FIT_LEAST;
}

size_t fit_seen(const char *name, size_t len)
{
	/* A column takes four bytes at the most. */
	size_t most = 4 * (size_t)FIT_MOST;
	if (len <= most)
		return len;
	while (most && (name[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* ---- names ---------------------------------------------------------------------- */

static size_t width_up_to(const struct text *text, const char *name, size_t len, size_t most)
{
	unsigned flags = escape_flags(text->style);
	size_t width = 0;
	struct escaped one;
	for (; len && width <= most; name += one.used, len -= one.used) {
		escape_one(name, len, flags, &one);
		width += one.width;
	}
	return width;
}

size_t fit_width(const struct text *text, const char *name, size_t len)
{
	size_t limit = text->style->width;
	return width_up_to(text, name, fit_seen(name, len), limit ? limit + FIT_LEAST : FIT_MOST);
}

size_t fit_unseen(const char *name, size_t len, size_t room)
{
	/* A column takes four bytes at the most, but for what has no width. */
	enum { COLUMN_BYTES = 4, MORE = 64 };
	if (room >= len / COLUMN_BYTES || len - room * COLUMN_BYTES <= MORE)
		return 0;
	size_t unseen = len - room * COLUMN_BYTES - MORE;
	while ((name[unseen] & 0xc0) == 0x80 && unseen + 1 < len)
		unseen++;
	return unseen;
}

static void put_dots(struct text *text)
{
	text_string(text, text->style->unicode ? "\u2026" : "...");
}

static size_t dots_width(const struct text *text)
{
	return text->style->unicode ? 1 : 3;
}

void fit_name(struct text *text, const char *name, size_t len, size_t room)
{
	unsigned flags = escape_flags(text->style);
	size_t width = dots_width(text);
	struct escaped one;
	size_t seen = fit_seen(name, len);
	if (seen == len && width_up_to(text, name, len, room) <= room) {
		escape_put(text, name, len);
		return;
	}
	len = seen;
	for (; len; name += one.used, len -= one.used) {
		escape_one(name, len, flags, &one);
		width += one.width;
		if (width > room)
			break;
		text_put(text, one.text, one.len);
	}
	put_dots(text);
}

void fit_whole(struct text *text, const char *name)
{
	fit_name(text, name, strlen(name), FIT_MOST);
}

/* Where a path is cut of which only what lies at or behind `from` has room: at a slash, if a name follows one; a name
 * that is cut, too, might be taken for another. */
const char *fit_slash(bool rooted, const char *from, size_t len)
{
	const char *slash = rooted ? memchr(from, '/', len) : NULL;
	return slash && slash + 1 < from + len ? slash : from;
}

/* What is written of a path: from `at` on, behind dots if something is left out. */
struct cut_path {
	const char *at;
	size_t len;
	bool cut;
};

static struct cut_path cut_path(const struct text *text, const char *path, size_t room)
{
	bool rooted = *path == '/';
	unsigned flags = escape_flags(text->style);
	size_t len = strlen(path), unseen = fit_unseen(path, len, room);
	path += unseen;
	len -= unseen;
	size_t width = width_up_to(text, path, len, SIZE_MAX);
	struct escaped one;
	if (!unseen && width <= room)
		return (struct cut_path){ path, len, false };
	for (; len && width + dots_width(text) > room; path += one.used, len -= one.used) {
		escape_one(path, len, flags, &one);
		width -= one.width;
	}
	const char *slash = fit_slash(rooted, path, len);
	return (struct cut_path){ slash, len - (size_t)(slash - path), true };
}

size_t fit_path_width(const struct text *text, const char *path, size_t room)
{
	struct cut_path cut = cut_path(text, path, room);
	return (cut.cut ? dots_width(text) : 0) + width_up_to(text, cut.at, cut.len, SIZE_MAX);
}

void fit_path(struct text *text, const char *path, size_t room)
{
	struct cut_path cut = cut_path(text, path, room);
	if (cut.cut)
		put_dots(text);
	escape_put(text, cut.at, cut.len);
}

/* ---- lists and sentences --------------------------------------------------------- */

struct fit_line fit_line(struct text *text, size_t column, size_t indent)
{
	return (struct fit_line){ .text = text, .column = column, .indent = indent, .gap = 1, .fresh = true };
}

void fit_next(struct fit_line *line, size_t width)
{
	size_t limit = line->text->style->width, gap = line->fresh ? 0 : line->gap;
	if (limit && !line->fresh && line->column + gap + width > limit) {
		text_string(line->text, "\n");
		/* Where there is hardly a line, its blanks would be most of it. */
		gap = line->indent + FIT_LEAST < limit ? line->indent : 0;
		line->column = 0;
	}
	text_repeat(line->text, ' ', gap);
	line->column += gap + width;
	line->fresh = false;
}

static void put_piece(struct fit_line *line, const char *piece, size_t len)
{
	fit_next(line, fit_width(line->text, piece, len));
	escape_put(line->text, piece, len);
}

void fit_piece(struct fit_line *line, const char *piece)
{
	put_piece(line, piece, strlen(piece));
}

void fit_words(struct fit_line *line, const char *words)
{
	for (words += strspn(words, " "); *words; words += strspn(words, " ")) {
		size_t len = strcspn(words, " ");
		put_piece(line, words, len);
		words += len;
	}
}

void fit_glue(struct fit_line *line, const char *mark)
{
	text_string(line->text, mark);
	line->column += strlen(mark);
}
