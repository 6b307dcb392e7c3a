#include "writes_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "format_value.h"
#include "text_fit.h"

void put_writes_unknown(struct text *text, uint64_t pages, uint64_t page_size, enum writes_of of)
{
	static const char *const whose[] = { [WRITES_OF_PROCESS] = "of writable memory",
		                             [WRITES_OF_TWO] = "of both",
		                             [WRITES_OF_PROCESSES] = "of writable memory" };
	struct fit_line line = fit_line(text, 0, 2);
	char words[96];
	if (!pages)
		return;
	snprintf(words, sizeof(words), "Of %" PRIu64 " page%s (%s)", pages, word_plural(pages),
	         word_size(text->style, pages * page_size).text);
	fit_words(&line, words);
	fit_words(&line, whose[of]);
	fit_words(&line, of == WRITES_OF_TWO ? "it is not known whether they hold the same: capture with --contents."
	                                     : "it is not known whether they were written: capture with --contents "
	                                       "or --track.");
	text_string(text, "\n");
}
