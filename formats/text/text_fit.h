/* text_fit.h - lines no wider than the terminal: names are cut, and what is a list
 * or a sentence goes on in the next line.  Without a width nothing happens. */
#ifndef VMSNAP_TEXT_FIT_H
#define VMSNAP_TEXT_FIT_H

#include "text_out.h"

/* Columns left in a line of which `column` are used.  At least FIT_LEAST, so that
 * something is seen however narrow the terminal; without a width FIT_MOST: no honest
 * name is longer (a path of 4096 bytes takes four columns each if none is a character, and
 * the kernel adds " (deleted)"), but a file may claim one of megabytes, for each of its
 * snapshots. */
enum { FIT_LEAST = 12, FIT_MOST = 20000 };
/* How many of the first bytes to look at, of a name of which so many columns at the most are
 * shown: accents have no width, however many there are. */
size_t fit_seen(const char *name, size_t len);
size_t fit_room(const struct text *text, size_t column);

/* A name as escape_put() writes it: how wide it is (at least, where it is wider than any
 * line), and cut to so many columns. */
size_t fit_width(const struct text *text, const char *name, size_t len);
void fit_name(struct text *text, const char *name, size_t len, size_t room);
/* Cut on the left, before the name of a folder or of the file: so it may take less than its room. */
void fit_path(struct text *text, const char *path, size_t room);
size_t fit_path_width(const struct text *text, const char *path, size_t room);
/* rooted: the path begins with a slash, wherever `from` lies in it. */
const char *fit_slash(bool rooted, const char *from, size_t len);
/* A name as it is, whatever the width, but not more than FIT_MOST columns of it. */
void fit_whole(struct text *text, const char *name);

/* How many of the first bytes need not be looked at where the last `room` columns are shown.
 * No path is so long, but a file may claim one, for each of its mappings. */
size_t fit_unseen(const char *name, size_t len, size_t room);

/* A line that goes on in the next one, behind `indent` blanks. */
struct fit_line {
	struct text *text;
	size_t column, indent, gap; /* gap: blanks between pieces */
	bool fresh;                 /* no gap before the next piece */
};
/* `column` columns are written; the first piece follows them without a gap. */
struct fit_line fit_line(struct text *text, size_t column, size_t indent);
/* A gap or a new line, as a piece of that width needs, which the caller writes. */
void fit_next(struct fit_line *line, size_t width);
void fit_piece(struct fit_line *line, const char *piece); /* not broken within */
void fit_words(struct fit_line *line, const char *words); /* broken at blanks */
void fit_glue(struct fit_line *line, const char *mark);   /* a comma, say: never alone */

#endif
