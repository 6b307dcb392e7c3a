#include "touched_text.h"

#include <stdio.h>
#include <string.h>

#include "format_value.h"

enum { REASON_ROOM = 40 };

static void put_reason(struct fit_line *line, const struct vmsnap_annotation *name, const char *before,
                       const char *after, bool with_places)
{
	struct text *text = line->text;
	char place[64] = "";
	size_t width = fit_width(text, name->symbol, strlen(name->symbol));
	if (with_places)
		snprintf(place, sizeof(place), " at %s", word_address(name->address).text);
	width = width < REASON_ROOM ? width : REASON_ROOM;
	fit_next(line, strlen(before) + width + strlen(place) + strlen(after));
	text_string(text, before);
	fit_name(text, name->symbol, strlen(name->symbol), REASON_ROOM);
	text_string(text, place);
	text_string(text, after);
}

void touched_reasons_put(const struct touched_reasons *reasons, struct fit_line *line, const char *open,
                         const char *close, bool with_places)
{
	size_t shown = reasons->count < TOUCHED_REASONS_TEXT ? reasons->count : TOUCHED_REASONS_TEXT;
	bool more = reasons->more || reasons->count > shown;
	for (size_t i = 0; i < shown; i++) {
		const char *after = i + 1 < shown ? "," : more ? "" : close;
		put_reason(line, reasons->first[i], i ? "" : open, after, with_places);
	}
	if (shown && more) {
		fit_words(line, "and more");
		fit_glue(line, close);
	}
}
