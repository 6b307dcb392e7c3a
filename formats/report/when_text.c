#include "when_text.h"

#include <stdio.h>

#include "fork_time.h"

struct word word_ticks(uint64_t ns)
{
	struct word word = { "less than 10 ms" };
	if (ns < FORK_TICK_NS)
		return word;
	if (ns >= 1000000000)
		return word_duration(ns);
	snprintf(word.text, sizeof(word.text), "%u ms", (unsigned)(ns / FORK_TICK_NS * (FORK_TICK_NS / 1000000)));
	return word;
}

/* No more is known of it than its tick. */
static void put_time(struct fit_line *line, uint64_t ns)
{
	fit_piece(line, word_ticks(ns < FORK_TICK_NS ? FORK_TICK_NS : ns).text);
}

/* "all of it", "most of it (91%)", "40% of it" */
static void put_most(struct fit_line *line, const struct fork_when *when)
{
	char words[48];
	unsigned percent = (unsigned)(100 * ((double)when->most / (double)when->lost));
	if (when->most == when->lost)
		snprintf(words, sizeof(words), "all of it");
	else if (when->most < when->lost - when->lost / 10)
		snprintf(words, sizeof(words), "%u%% of it", percent);
	else
		snprintf(words, sizeof(words), "most of it (%u%%)", percent);
	fit_words(line, words);
}

/* within: "within", or what else stands before an end that is reckoned from the fork or the base. */
static void put_stretch(struct fit_line *line, const char *within, uint64_t from, uint64_t to)
{
	fit_words(line, from ? "between" : within);
	if (from) {
		put_time(line, from);
		fit_words(line, "and");
	}
	put_time(line, to);
}

void put_when(struct fit_line *line, const struct fork_when *when)
{
	if (!when->known)
		return;
	put_most(line, when);
	put_stretch(line, "within", when->from, when->to);
	fit_words(line, when->since_fork ? "after the fork" : "after the base");
	if (!when->none_known) {
		fit_glue(line, ",");
		fit_piece(line, word_size(line->text->style, when->first_lost).text);
		fit_words(line, "by the base");
	} else if (when->first < when->to) {
		fit_glue(line, ",");
		fit_words(line, when->none ? "first copy" : "first");
		put_stretch(line, "seen at", when->none, when->first);
	}
}

int text_cow_when(struct text *text, const struct vmsnap_cow *cow, const struct cow_began *began,
                  struct fork_when *when, struct vmsnap_error *err)
{
	const struct vmsnap_output *out = &text->out;
	const struct fork_looks between = { out->file, out->first, out->end };
	return cow_when(cow, began, &between, &text->work, when, err);
}

/* ---- the same as a record -------------------------------------------------------------------- */

enum { WHEN_SINCE, WHEN_NONE, WHEN_FIRST, WHEN_FIRST_LOST, WHEN_FROM, WHEN_TO, WHEN_MOST };
static const struct column when_columns[] = {
	[WHEN_SINCE] = { "since", .type = COLUMN_WORD },        [WHEN_NONE] = { "none_us", .type = COLUMN_DURATION },
	[WHEN_FIRST] = { "first_us", .type = COLUMN_DURATION }, [WHEN_FIRST_LOST] = { "first", .type = COLUMN_BYTES },
	[WHEN_FROM] = { "from_us", .type = COLUMN_DURATION },   [WHEN_TO] = { "to_us", .type = COLUMN_DURATION },
	[WHEN_MOST] = { "most", .type = COLUMN_BYTES },
};
const struct row_schema when_schema = ROW_SCHEMA(when_columns);

void row_put_when(struct row *row, unsigned column, const struct fork_when *when)
{
	if (!when->known)
		return;
	struct row record = row_open(row, column);
	row_put_word(&record, WHEN_SINCE, when->since_fork ? "fork" : "base");
	if (when->none_known)
		row_put_duration(&record, WHEN_NONE, when->none);
	row_put_duration(&record, WHEN_FIRST, when->first);
	row_put_bytes(&record, WHEN_FIRST_LOST, when->first_lost);
	row_put_duration(&record, WHEN_FROM, when->from);
	row_put_duration(&record, WHEN_TO, when->to);
	row_put_bytes(&record, WHEN_MOST, when->most);
	row_end(&record);
}
