/* escape.h - names for people: bytes of the target, written so that they can
 * neither move a cursor nor forge a line nor be mistaken for anything else.
 *
 * The one rule, in text and in JSON alike: \xHH stands for one byte of the name,
 * and everything else stands for itself.  Written so are characters that are not seen
 * or look like a blank (all bytes of their UTF-8), bytes that are not UTF-8, and the
 * backslash.  Variation selectors behind an emoji, and joiners between two, stand for
 * themselves. */
#ifndef VMSNAP_ESCAPE_H
#define VMSNAP_ESCAPE_H

#include "text_out.h"

enum escape_flag {
	ESCAPE_ASCII = 1,  /* bytes above 0x7f too */
	ESCAPE_SPACES = 2, /* spaces too: a value is one word */
};

/* One character as it is written; an emoji with what goes with it. */
struct escaped {
	char text[16];
	size_t len;     /* of text */
	size_t used;    /* bytes of the name that it stands for */
	unsigned width; /* columns */
};
/* What begins at `name`, of which len > 0 bytes are left. */
void escape_one(const char *name, size_t len, unsigned flags, struct escaped *out);
/* How many of the first bytes stand for themselves whatever the flags, a column
 * each: the quick way through most names. */
size_t escape_plain(const char *name, size_t len);
/* The flags that a style asks for. */
unsigned escape_flags(const struct vmsnap_style *style);

void escape_put(struct text *text, const char *name, size_t len);
void escape_string(struct text *text, const char *name);

#endif
