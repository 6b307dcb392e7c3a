/* text_wrap.h - no line of prose is wider than the window: what would not fit goes on in the next line, behind
 * as many blanks as the line's label takes.  Words are broken only if they are wider than a line.
 * Tables see to their width themselves, and pass it by. */
#ifndef VMSNAP_TEXT_WRAP_H
#define VMSNAP_TEXT_WRAP_H

#include <stdbool.h>
#include <stddef.h>

struct text;

/* Narrower ones are no windows: there is no limit then but that of each piece. */
enum { WRAP_WIDTH_MIN = 40 };

struct text_wrap {
	bool on;
	size_t limit;  /* columns of a line */
	size_t column; /* written of this one */
	size_t blanks; /* to come before the next word, if there is one in this line */
	size_t indent; /* of what goes on in the next line */
	size_t words;  /* of this line */
	/* The word that is being made. */
	size_t len, width;
	char word[256];
};

/* Of a line or a part of one.  put: writes bytes, whatever their width. */
typedef void (*wrap_put_fn)(struct text *text, const char *bytes, size_t len);
void text_wrap_put(struct text_wrap *wrap, const char *bytes, size_t len, struct text *text, wrap_put_fn put);
/* Writes what is not written yet. */
void text_wrap_flush(struct text_wrap *wrap, struct text *text, wrap_put_fn put);

#endif
