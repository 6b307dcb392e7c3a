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

/* Once for each letter: in swap, and what went there or came from there, have one. */
static bool has_letter_of(size_t index, uint32_t shown, const struct text *text)
{
	for (size_t i = 0; i < index && !has_blocks(text); i++)
		if (is_shown(shown, key_order[i]) && class_letter(key_order[i]) == class_letter(key_order[index]))
			return true;
	return false;
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

static void put_classes(struct text *text, size_t column, uint32_t shown, class_words_fn words)
{
	size_t limit = text->style->width;
	for (size_t i = 0; i < KEYS; i++) {
		int page_class = key_order[i];
		if (!is_shown(shown, page_class) || has_letter_of(i, shown, text))
			continue;
		/* Nearly the paper's, as a colour: it shows nothing. */
		if (page_class == CLASS_UNTOUCHED && has_blocks(text))
			continue;
		const char *word = page_class == CLASS_UNTOUCHED ? "nothing" : words(page_class);
		const char *gap = has_blocks(text) ? "" : " ";
		size_t width = 1 + 1 + 2 * strlen(gap) + strlen(word);
		if (limit && column + width > limit)
			return;
		text_format(text, " %s", gap);
		put_sample(text, page_class);
		text_format(text, "%s%s", gap, word);
		column += width;
	}
}

void put_strip_key(struct text *text, class_words_fn words)
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
	text_string(text, begin);
	if (!plain)
		put_classes(text, strlen(begin), shown, words);
	text_exact_end(text, before);
	color_end(text, COLOR_DIM);
	text_string(text, "\n");
}
