#include "text_wrap.h"

#include <string.h>

#include "text_utf8.h"

/* "process   1234 …" goes on below the 1234. */
enum { LABEL_MOST = 16, HANGING = 2 };

static void put_blanks(size_t count, struct text *text, wrap_put_fn put)
{
	static const char some[] = "                                ";
	for (size_t now; count; count -= now) {
		now = count < sizeof(some) - 1 ? count : sizeof(some) - 1;
		put(text, some, now);
	}
}

static void find_indent(struct text_wrap *wrap)
{
	bool after_label = wrap->words == 1 && wrap->blanks >= 2 && wrap->column + wrap->blanks <= LABEL_MOST;
	if (!wrap->words)
		wrap->indent = wrap->blanks + HANGING;
	else if (after_label)
		wrap->indent = wrap->column + wrap->blanks;
	if (wrap->indent > wrap->limit / 2)
		wrap->indent = HANGING;
}

static void put_word(struct text_wrap *wrap, struct text *text, wrap_put_fn put)
{
	if (!wrap->len)
		return;
	if (wrap->column && wrap->width && wrap->column + wrap->blanks + wrap->width > wrap->limit) {
		put(text, "\n", 1);
		wrap->column = 0;
		wrap->blanks = wrap->indent;
	} else if (wrap->blanks + wrap->width > wrap->limit)
		wrap->blanks = 0;
	put_blanks(wrap->blanks, text, put);
	put(text, wrap->word, wrap->len);
	wrap->column += wrap->blanks + wrap->width;
	wrap->words += wrap->width != 0;
	wrap->blanks = wrap->len = wrap->width = 0;
}

static void end_line(struct text_wrap *wrap, struct text *text, wrap_put_fn put)
{
	put_word(wrap, text, put);
	if (wrap->column + wrap->blanks <= wrap->limit)
		put_blanks(wrap->blanks, text, put);
	put(text, "\n", 1);
	wrap->column = wrap->blanks = wrap->indent = wrap->words = 0;
}

/* Bytes of a character, or of an escape sequence of ours (of which none is long). */
static size_t unit_of(const char *bytes, size_t len, size_t *width)
{
	uint32_t character;
	*width = 0;
	if (*bytes == '\x1b') {
		size_t end = 1;
		while (end < len && bytes[end] != 'm')
			end++;
		return end < len ? end + 1 : len;
	}
	size_t used = utf8_decode(bytes, len, &character);
	*width = used ? utf8_width(character) : 1;
	return used ? used : 1;
}

static void add_unit(struct text_wrap *wrap, const char *bytes, size_t len, size_t width, struct text *text,
                     wrap_put_fn put)
{
	if (!wrap->len)
		find_indent(wrap);
	size_t room = wrap->limit - (wrap->indent && wrap->indent < wrap->limit ? wrap->indent : HANGING);
	if (wrap->len + len > sizeof(wrap->word) || (width && wrap->width + width > room))
		put_word(wrap, text, put);
	if (len > sizeof(wrap->word)) {
		put(text, bytes, len);
		return;
	}
	memcpy(wrap->word + wrap->len, bytes, len);
	wrap->len += len;
	wrap->width += width;
}

void text_wrap_put(struct text_wrap *wrap, const char *bytes, size_t len, struct text *text, wrap_put_fn put)
{
	while (len) {
		size_t used = 1, width;
		if (*bytes == '\n')
			end_line(wrap, text, put);
		else if (*bytes == ' ') {
			put_word(wrap, text, put);
			wrap->blanks++;
		} else {
			used = unit_of(bytes, len, &width);
			add_unit(wrap, bytes, used, width, text, put);
		}
		bytes += used;
		len -= used;
	}
}

void text_wrap_flush(struct text_wrap *wrap, struct text *text, wrap_put_fn put)
{
	put_word(wrap, text, put);
	if (wrap->column + wrap->blanks <= wrap->limit)
		put_blanks(wrap->blanks, text, put);
	wrap->column += wrap->blanks;
	wrap->blanks = 0;
}
