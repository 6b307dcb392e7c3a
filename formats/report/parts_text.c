#include "parts_text.h"

#include <stdio.h>

#include "format_value.h"

void put_part(struct fit_line *line, bool *any, const char *sign, uint64_t bytes, const char *what)
{
	char words[128];
	if (!bytes)
		return;
	if (*any)
		fit_glue(line, ",");
	*any = true;
	snprintf(words, sizeof(words), "%s%s %s", sign, word_size(line->text->style, bytes).text, what);
	fit_piece(line, words);
}
