#include "strip_key.h"

#include <string.h>

#include "page_class.h"
#include "text_color.h"

/* What happened first, as in a cell it lies lowest. */
static const int key_order[] = {
	CLASS_COPIED,      CLASS_CHILD,      CLASS_OTHER,  CLASS_NEW,       CLASS_GONE, CLASS_WRITTEN,
	CLASS_SWAPPED_OUT, CLASS_SWAPPED_IN, CLASS_SHARED, CLASS_PRIVATE,   CLASS_FILE, CLASS_SWAPPED,
	CLASS_DUMPED,      CLASS_DUMP_HOLE,  CLASS_UNREAD, CLASS_UNTOUCHED,
};
enum { KEYS = sizeof(key_order) / sizeof(key_order[0]) };

static bool is_shown(uint32_t shown, int page_class)
{
	return shown & 1u << page_class;
}

static bool has_blocks(const struct text *text)
{
	return text->style->unicode && text->style->color != VMSNAP_COLOR_NONE;
}

static void put_sample(struct text *text, int page_class)
{
	bool blocks = has_blocks(text) && page_class != CLASS_UNREAD; /* which is a sign there, too */
	color_end(text, COLOR_DIM);
	if (blocks)
		color_start_sample(text, page_class);
	else
		color_start(text, page_class);
	if (blocks)
		text_string(text, "\xe2\x96\x88");
	else
		text_repeat(text, class_letter(page_class), 1);
	color_end(text, page_class);
	color_start(text, COLOR_DIM);
}

/* What is told of a class, as wide as it is; NULL: nothing. */
static const char *word_of(uint32_t shown, int page_class, class_words_fn words)
{
	if (!is_shown(shown, page_class))
		return NULL;
	return page_class == CLASS_UNTOUCHED ? "nothing" : words(page_class);
}

/* Whether all of it fits in one line, with so many blanks before a sample. */
static bool fits_in_line(const struct text *text, size_t column, uint32_t shown, class_words_fn words, size_t before)
{
	for (size_t i = 0; i < KEYS; i++) {
		const char *word = word_of(shown, key_order[i], words);
		column += word ? before + 1 + 1 + strlen(word) : 0;
	}
	return !text->style->width || column <= text->style->width;
}

/* Behind what the line begins with, and in further lines as needed; returns how far the last one goes.  0: there are
 * none, and no line. */
static size_t put_classes(struct text *text, const char *begin, uint32_t shown, class_words_fn words)
{
	size_t limit = text->style->width, column = strlen(begin);
	/* A block is seen to begin something, a letter is not. */
	size_t before = has_blocks(text) && !fits_in_line(text, column, shown, words, 2) ? 1 : 2;
	bool begun = false;
	for (size_t i = 0; i < KEYS; i++) {
		const char *word = word_of(shown, key_order[i], words);
		size_t width = word ? before + 1 + 1 + strlen(word) : 0;
		if (!word)
			continue;
		if (!begun)
			text_string(text, begin);
		begun = true;
		if (limit && column + width > limit) {
			text_string(text, "\n ");
			column = 1;
		}
		text_repeat(text, ' ', before);
		put_sample(text, key_order[i]);
		text_format(text, " %s", word);
		column += width;
	}
	return begun ? column : 0;
}

static void put_more(struct text *text, size_t column, const char *more)
{
	size_t limit = text->style->width, gap = 2;
	if (!more || (limit && strlen(more) > limit))
		return;
	if (limit && column + gap + strlen(more) > limit)
		text_string(text, "\n");
	else
		text_repeat(text, ' ', gap);
	text_string(text, more);
}

void put_strip_key(struct text *text, class_words_fn words, const char *more)
{
	uint32_t shown = text->pictured;
	bool plain = text->style->unicode && text->style->color == VMSNAP_COLOR_NONE;
	bool events = shown >> CLASS_EVENTS;
	const char *begin = plain && events    ? "PAGES: height is what changed"
	                    : plain            ? "PAGES: height is what is there"
	                    : has_blocks(text) ? "PAGES, by height:"
	                                       : "PAGES, in tenths:";
	text->pictured = 0;
	if (!shown || text->style->json || text->style->raw ||
	    (text->style->width && strlen(begin) > text->style->width))
		return;
	color_start(text, COLOR_DIM);
	bool before = text_exact(text);
	size_t column = plain ? strlen(begin) : put_classes(text, begin, shown, words);
	if (plain)
		text_string(text, begin);
	if (column)
		put_more(text, column, more);
	text_exact_end(text, before);
	color_end(text, COLOR_DIM);
	if (column)
		text_string(text, "\n");
}
