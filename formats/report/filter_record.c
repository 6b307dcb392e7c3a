#include "filter_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "format_value.h"
#include "page_state.h"
#include "text_fit.h"

enum {
	FILTER_NAME,
	FILTER_PERM,
	FILTER_ONLY,
	FILTER_PFN,
	FILTER_START,
	FILTER_END,
	FILTER_UNKNOWN_PAGES,
	FILTER_UNKNOWN_BYTES,
	FILTER_UNKNOWN_OF,
};
static const struct column filter_columns[] = {
	[FILTER_NAME] = { "name", .type = COLUMN_NAME },
	[FILTER_PERM] = { "perm", .type = COLUMN_NAME },
	[FILTER_ONLY] = { "only", .type = COLUMN_NAME },
	[FILTER_PFN] = { "pfn", .type = COLUMN_NAME },
	[FILTER_START] = { "start", .type = COLUMN_ADDRESS },
	[FILTER_END] = { "end", .type = COLUMN_ADDRESS },
	[FILTER_UNKNOWN_PAGES] = { "unknown_pages", .type = COLUMN_COUNT },
	[FILTER_UNKNOWN_BYTES] = { "unknown_bytes", .type = COLUMN_BYTES },
	[FILTER_UNKNOWN_OF] = { "unknown_of", .type = COLUMN_FLAGS },
};
const struct row_schema filter_schema = ROW_SCHEMA(filter_columns);

static const char *fact_name(int bit)
{
	return 1u << bit == FILTER_FRAME ? "pfn" : vmsnap_page_flag_name(1u << bit);
}

void put_filter(struct row *row, unsigned column, const struct vmsnap *snap, const struct filter *filter)
{
	const struct vmsnap_filter *given = &filter->given;
	const char *const texts[] = { given->name, given->perm, given->only, given->pfn };
	if (!filter->any)
		return;
	struct row record = row_open(row, column);
	for (unsigned i = FILTER_NAME; i <= FILTER_PFN; i++)
		if (texts[i])
			row_put_name(&record, i, texts[i]);
	if (given->end) {
		row_put_address(&record, FILTER_START, filter->start);
		row_put_address(&record, FILTER_END, filter->end);
	}
	row_put_count(&record, FILTER_UNKNOWN_PAGES, pages_of(snap, filter->unknown));
	row_put_bytes(&record, FILTER_UNKNOWN_BYTES, filter->unknown);
	row_put_flags(&record, FILTER_UNKNOWN_OF, filter->unknown_of, 0, fact_name);
	row_end(&record);
}

static void put_word(struct fit_line *line, bool *any, const char *what, const char *value)
{
	if (!value)
		return;
	if (*any)
		fit_glue(line, ",");
	*any = true;
	fit_piece(line, what);
	size_t len = strlen(value), width = fit_width(line->text, value, len),
	       room = fit_room(line->text, line->indent);
	fit_next(line, width < room ? width : room);
	fit_name(line->text, value, len, room);
}

void put_filter_line(struct text *text, const struct filter *filter)
{
	const struct vmsnap_filter *given = &filter->given;
	char range[2 * sizeof(struct word)] = "";
	bool any = false;
	if (!filter->any)
		return;
	if (given->end) {
		strcpy(range, word_address(filter->start).text);
		strcat(strcat(range, "-"), word_address(filter->end).text);
	}
	struct fit_line line = fit_line(text, 10, 10);
	text_string(text, "only      ");
	put_word(&line, &any, "name", given->name && !*given->name ? "(none)" : given->name);
	put_word(&line, &any, "perm", given->perm);
	put_word(&line, &any, "page", given->only);
	put_word(&line, &any, "frame", given->pfn);
	put_word(&line, &any, "range", *range ? range : NULL);
	text_string(text, "\n");
}

/* "exclusive, pfn" */
static void put_facts(struct fit_line *line, uint32_t facts)
{
	bool any = false;
	for (int bit = 0; bit < 32; bit++) {
		if (!(facts & 1u << bit))
			continue;
		if (any)
			fit_glue(line, ",");
		fit_piece(line, fact_name(bit));
		any = true;
	}
}

void put_filter_unknown(struct text *text, const struct vmsnap *snap, const struct filter *filter)
{
	uint64_t pages = pages_of(snap, filter->unknown);
	char words[160];
	if (!filter->unknown)
		return;
	struct fit_line line = fit_line(text, 10, 10);
	text_string(text, "left out  ");
	snprintf(words, sizeof(words), "%s, %" PRIu64 " page%s that may belong here; not known of them:",
	         word_size(text->style, filter->unknown).text, pages, word_plural(pages));
	fit_words(&line, words);
	put_facts(&line, filter->unknown_of);
	text_string(text, "\n");
}
