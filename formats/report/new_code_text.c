#include "new_code_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format_value.h"
#include "new_code.h"
#include "text_color.h"
#include "text_fit.h"

enum { PLACES = 4 };

/* "7ffff7e0e000 over /usr/lib/libc.so.6", "7ffff7fc0000 of anonymous memory" */
static void put_place(struct fit_line *line, const struct new_code *code)
{
	const struct vmsnap_vma *named = code->over ? code->over : code->vma;
	const char *name = *named->name ? named->name : "anonymous memory", *word = code->over ? "over" : "of";
	struct word address = word_address(code->start);
	size_t before = strlen(address.text) + strlen(word) + 2;
	size_t room = fit_room(line->text, line->indent + before + 1);
	fit_next(line, before + fit_path_width(line->text, name, room));
	text_format(line->text, "%s %s ", address.text, word);
	fit_path(line->text, name, room);
}

static void put_places(struct fit_line *line, const struct diff_view *view, int kind)
{
	struct new_code_walk walk = new_code_begin(view->a, view->b);
	struct new_code code;
	size_t places = 0;
	while (new_code_next(&walk, &code)) {
		if (code.kind != kind)
			continue;
		if (places)
			fit_glue(line, ",");
		if (places++ == PLACES) {
			fit_words(line, "and more");
			break;
		}
		put_place(line, &code);
	}
}

static void put_kind(struct text *text, const struct diff_view *view, int kind, const char *words)
{
	struct fit_line line = fit_line(text, 0, 3);
	color_start(text, COLOR_ALARM);
	fit_words(&line, words);
	put_places(&line, view, kind);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

void put_new_code(struct text *text, const struct diff_view *view)
{
	struct new_code_walk walk = new_code_begin(view->a, view->b);
	struct new_code code;
	uint64_t laid_over = 0, writable = 0, page_size = vmsnap_info(view->b)->page_size;
	char words[96];
	while (new_code_next(&walk, &code)) {
		laid_over += code.kind == NEW_CODE_LAID_OVER ? (code.end - code.start) / page_size : 0;
		writable += code.kind == NEW_CODE_WRITABLE;
	}
	snprintf(words, sizeof(words), "!! %" PRIu64 " page%s of executable memory %s laid over code:", laid_over,
	         word_plural(laid_over), laid_over == 1 ? "was" : "were");
	if (laid_over)
		put_kind(text, view, NEW_CODE_LAID_OVER, words);
	snprintf(words, sizeof(words), "!! %" PRIu64 " mapping%s can be written to and executed now:", writable,
	         word_plural(writable));
	if (writable)
		put_kind(text, view, NEW_CODE_WRITABLE, words);
}
