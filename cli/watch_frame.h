/* watch_frame.h - what one round wrote, line by line, as a window of a terminal shows it, with what changed since the
 * round before.  Text in, text out: it touches no terminal. */
#ifndef VMSNAP_CLI_WATCH_FRAME_H
#define VMSNAP_CLI_WATCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One column of a line.  What fills a second one (wide characters) leaves 0 there. */
struct frame_column {
	uint32_t character;
	uint32_t look; /* a hash of the attributes; 0: none */
};
struct frame_line {
	const char *bytes; /* in the text */
	size_t len;
	struct frame_column *columns;
	size_t count;
	uint64_t key; /* of its first word */
};
struct frame {
	char *text;
	size_t text_len, text_room;
	struct frame_line *lines;
	size_t count, line_room;
	struct frame_column *columns; /* of all lines */
	size_t column_count, column_room;
};

/* Takes a copy.  No more lines than that are taken, and no more columns of each; *beyond: how many lines there are
 * besides.  false: no memory. */
bool frame_fill(struct frame *frame, const char *text, size_t len, size_t lines, size_t columns, size_t *beyond);
void frame_free(struct frame *frame);

/* Growing bytes.  `failed` stays, if there was no memory. */
struct sketch {
	char *bytes;
	size_t len, room;
	bool failed;
};
void sketch_put(struct sketch *sketch, const char *bytes, size_t len);
void sketch_string(struct sketch *sketch, const char *string);
void sketch_free(struct sketch *sketch);

/* A line, cut at so many columns, ends without attributes.  Words that have changed since `before` (NULL: there is
 * nothing to compare with) are in reverse; where only a picture has, the first word of its line is.  *at: where in
 * `before` to look from on, 0 for the first line. */
void frame_draw_line(const struct frame *frame, size_t line, const struct frame *before, size_t *at, size_t columns,
                     struct sketch *sketch);

#endif
