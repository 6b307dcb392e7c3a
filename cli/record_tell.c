/* record_tell.c - what a recording says of itself: a running line on a terminal, and a summary. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "record.h"
#include "say.h"
#include "size_text.h"

/* ---- pauses ---- */

static unsigned slot_of(uint64_t ns)
{
	unsigned octave = 63u - (unsigned)__builtin_clzll(ns | 1);
	uint64_t within = octave < 3 ? 0 : (ns >> (octave - 3)) & (PAUSE_STEPS - 1);
	return octave * PAUSE_STEPS + (unsigned)within;
}

/* The largest that falls into the slot. */
static uint64_t slot_end(unsigned slot)
{
	unsigned octave = slot / PAUSE_STEPS;
	uint64_t step = octave < 3 ? 1 : UINT64_C(1) << (octave - 3);
	return (UINT64_C(1) << octave) + (slot % PAUSE_STEPS + 1) * step - 1;
}

void pauses_add(struct pauses *pauses, uint64_t ns)
{
	pauses->counts[slot_of(ns)]++;
	pauses->count++;
	pauses->longest = ns > pauses->longest ? ns : pauses->longest;
}

/* What so many of a hundred did not exceed, to an eighth. */
static uint64_t pauses_within(const struct pauses *pauses, unsigned percent)
{
	uint64_t seen = 0;
	for (unsigned i = 0; i < PAUSE_SLOTS; i++) {
		seen += pauses->counts[i];
		if (seen * 100 >= pauses->count * percent && seen)
			return slot_end(i) < pauses->longest ? slot_end(i) : pauses->longest;
	}
	return pauses->longest;
}

static const char *ms_text(uint64_t ns, char text[32])
{
	double ms = (double)ns / 1e6;
	snprintf(text, 32, "%.*f ms", ms < 0.1 ? 3 : ms < 1 ? 2 : ms < 100 ? 1 : 0, ms);
	return text;
}

/* ---- the running line ---- */

static void seconds_text(uint64_t ns, char text[32])
{
	uint64_t seconds = ns / 1000000000;
	if (seconds < 60)
		snprintf(text, 32, "%.1f s", (double)ns / 1e9);
	else if (seconds < 3600)
		snprintf(text, 32, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
	else
		snprintf(text, 32, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600, seconds / 60 % 60,
		         seconds % 60);
}

/* Of several processes what they share counts for each. */
static const char *resident_word(const struct record *record)
{
	return record->several ? "sum of RSS" : "resident";
}

/* No eye reads faster. */
enum { LINE_NS = 200000000 };

static bool line_wanted(const struct record *record)
{
	return record->file && !record->options->quiet && isatty(STDERR_FILENO);
}

void record_line(struct record *record)
{
	char elapsed[32], resident[16], bytes[16], pause[32], events[64] = "", line[256];
	struct winsize size = { 0 };
	uint64_t now = record_now();
	if (!line_wanted(record) || (record->line_shown && now - record->line_at < LINE_NS))
		return;
	record->line_at = now;
	seconds_text(now - record->began, elapsed);
	if (record->on.fork)
		snprintf(events, sizeof(events), "  forks %" PRIu64, record->forks);
	int len = snprintf(line, sizeof(line), "%s  snapshots %" PRIu64 "  %s %s%s  file %s  longest pause %s", elapsed,
	                   record->snapshots, resident_word(record), size_text(record->resident_last, resident), events,
	                   size_text(record_file_bytes(record->file), bytes), ms_text(record->pauses.longest, pause));
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		size.ws_col = 80;
	len = len < size.ws_col ? len : size.ws_col - 1;
	dprintf(STDERR_FILENO, "\r%.*s\033[K", len, line);
	record->line_shown = true;
}

void record_line_clear(struct record *record)
{
	if (record->line_shown)
		dprintf(STDERR_FILENO, "\r\033[K");
	record->line_shown = false;
}

/* ---- the summary ---- */

static void count_text(char *text, size_t room, uint64_t count, const char *one, const char *several)
{
	size_t used = strlen(text);
	if (count)
		snprintf(text + used, room - used, ", %" PRIu64 " %s", count, count == 1 ? one : several);
}

static void tell_what(struct record *record)
{
	char name[PATH_MAX], elapsed[32], bytes[16], counts[160] = "", files[64] = "";
	unsigned count = record_file_name(record->file, name, sizeof(name));
	seconds_text(record_now() - record->began, elapsed);
	count_text(counts, sizeof(counts), record->forks, "fork", "forks");
	count_text(counts, sizeof(counts), record->execs, "exec", "execs");
	count_text(counts, sizeof(counts), record->exits, "end", "ends");
	count_text(counts, sizeof(counts), record->growths, "time it had grown", "times it had grown");
	if (count > 1)
		snprintf(files, sizeof(files), " and %u file%s before", count - 1, count == 2 ? "" : "s");
	say("%s%s: %" PRIu64 " snapshot%s in %s%s, %s written",
	    strcmp(name, "/dev/stdout") != 0 ? name : "standard output", files, record->snapshots,
	    record->snapshots == 1 ? "" : "s", elapsed, counts, size_text(record_file_bytes(record->file), bytes));
}

static void tell_growth(const struct record *record)
{
	char first[16], last[16], change[16];
	uint64_t a = record->resident_first, b = record->resident_last;
	if (record->instants > 1 && a == b)
		say("%s %s all the time", resident_word(record), size_text(a, first));
	else if (record->instants > 1)
		say("%s %s, then %s: %s%s", resident_word(record), size_text(a, first), size_text(b, last),
		    b < a ? "-" : "+", size_text(b < a ? a - b : b - a, change));
}

static void tell_pauses(const struct record *record)
{
	char half[32], most[32], longest[32];
	const struct pauses *pauses = &record->pauses;
	if (pauses->count == 1)
		say("paused once, %s", ms_text(pauses->longest, longest));
	else if (pauses->count)
		say("paused %" PRIu64 " times: half of them up to %s, 95 of 100 up to %s, the longest %s",
		    pauses->count, ms_text(pauses_within(pauses, 50), half), ms_text(pauses_within(pauses, 95), most),
		    ms_text(pauses->longest, longest));
	if (record->skipped)
		say("%" PRIu64 " snapshot%s skipped after pauses that were too long", record->skipped,
		    record->skipped == 1 ? "" : "s");
	if (record->late)
		say("%" PRIu64 " snapshot%s due, as the one before was still being written", record->late,
		    record->late == 1 ? " later than it was" : "s later than they were");
}

static void tell_faults(const struct record *record)
{
	struct record_blame_sums sums;
	if (!record->blame)
		return;
	record_blame_sums(record->blame, &sums);
	if (sums.lost == UINT64_MAX)
		say("%" PRIu64 " page fault%s seen, and some lost", sums.seen, sums.seen == 1 ? "" : "s");
	else
		say("%" PRIu64 " page fault%s seen, %" PRIu64 " lost", sums.seen, sums.seen == 1 ? "" : "s", sums.lost);
	if (sums.left)
		say("%" PRIu64 " of them came after the last snapshot of their process, and %s not kept", sums.left,
		    sums.left == 1 ? "is" : "are");
}

void record_summary(struct record *record)
{
	record_line_clear(record);
	/* If the file could not even be begun, that was said. */
	if (!record->file || record->options->quiet || !record->instants || !record_file_bytes(record->file))
		return;
	tell_what(record);
	tell_growth(record);
	tell_pauses(record);
	tell_faults(record);
}
