#include "group_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alarm_text.h"
#include "error.h"
#include "escape.h"
#include "format_value.h"
#include "parts_text.h"
#include "text_fit.h"
#include "text_limit.h"

static const struct vmsnap *first_of(const struct vmsnap_group *group)
{
	struct vmsnap_group_process process = { .snap = NULL };
	return group && !vmsnap_group_process(group, 0, &process) ? process.snap : NULL;
}

void text_limit_group(struct text *text, const struct grouped *grouped)
{
	text_limit(text, (const struct vmsnap *[]){ first_of(grouped->group), first_of(grouped->before) }, 2);
}

bool group_pss_known(const struct vmsnap_group *group)
{
	struct vmsnap_group_process process;
	for (size_t i = 0; !vmsnap_group_process(group, i, &process); i++)
		if (!process.pss_known)
			return false;
	return true;
}

uint64_t group_lost(const struct grouped *grouped)
{
	struct vmsnap_group_change_process process;
	uint64_t lost = 0;
	for (size_t i = 0; grouped->change && !vmsnap_group_change_process(grouped->change, i, &process); i++)
		lost += process.copied + process.left;
	return lost;
}

/* ---- above the table -------------------------------------------------------------------- */

enum { LABEL_WIDTH = 18, VALUE_WIDTH = 7, CHANGE_WIDTH = 15, BYTES_WIDTH = 13, BYTES_CHANGE_WIDTH = 28 };

/* "622M", "136M → 383M" */
static struct word size_or_change(const struct text *text, const struct grouped *grouped, uint64_t was, uint64_t is)
{
	struct word of_was = word_size(text->style, was), of_is = word_size(text->style, is), both;
	if (!grouped->before || !strcmp(of_was.text, of_is.text))
		return of_is;
	snprintf(both.text, sizeof(both.text), "%.18s%s%.18s", of_was.text, text->style->unicode ? " → " : " -> ",
	         of_is.text);
	return both;
}

static uint64_t sum_of(const struct vmsnap_group *group, const int *totals, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; group && i < count; i++)
		sum += vmsnap_group_total(group, totals[i]);
	return sum;
}

/* A line of the heading: a label, a number or two, and its parts.  Returns the line for them. */
static struct fit_line begin_line(struct text *text, const struct grouped *grouped, const char *label,
                                  struct word value, bool more)
{
	static const uint8_t rooms[2][2] = { { VALUE_WIDTH, CHANGE_WIDTH }, { BYTES_WIDTH, BYTES_CHANGE_WIDTH } };
	size_t width = strlen(value.text), arrow = strstr(value.text, "→") ? 2 : 0;
	size_t room = rooms[text->style->bytes][grouped->before != NULL];
	size_t pad = !more ? 0 : width - arrow < room ? room - (width - arrow) : 1;
	text_format(text, "%-*s%s%*s", LABEL_WIDTH, label, value.text, (int)pad, "");
	return fit_line(text, LABEL_WIDTH + width - arrow + pad, LABEL_WIDTH + room);
}

static void put_sum(struct text *text, const struct grouped *grouped, const char *label, const int totals[3])
{
	static const char *const words[] = { "anonymous", "shared memory", "page cache" };
	uint64_t is = sum_of(grouped->group, totals, 3), was = sum_of(grouped->before, totals, 3);
	struct fit_line line = begin_line(text, grouped, label, size_or_change(text, grouped, was, is), is);
	bool any = false;
	for (int i = 0; i < 3; i++)
		put_part(&line, &any, "", vmsnap_group_total(grouped->group, totals[i]), words[i]);
	text_string(text, "\n");
}

static void put_rss(struct text *text, const struct grouped *grouped)
{
	uint64_t is = vmsnap_group_total(grouped->group, VMSNAP_GROUP_TOTAL_RSS);
	uint64_t was = grouped->before ? vmsnap_group_total(grouped->before, VMSNAP_GROUP_TOTAL_RSS) : 0;
	bool known = group_pss_known(grouped->group) && (!grouped->before || group_pss_known(grouped->before));
	struct fit_line line = begin_line(text, grouped, "RSS sum", size_or_change(text, grouped, was, is), known);
	if (known) {
		is = vmsnap_group_total(grouped->group, VMSNAP_GROUP_TOTAL_PSS);
		was = grouped->before ? vmsnap_group_total(grouped->before, VMSNAP_GROUP_TOTAL_PSS) : 0;
		fit_words(&line, "PSS sum");
		fit_words(&line, size_or_change(text, grouped, was, is).text);
	}
	text_string(text, "\n");
}

/* Only of frames of which it is known; and what it was, if that was known, too. */
static void put_outside(struct text *text, const struct grouped *grouped)
{
	const struct vmsnap_group *now = grouped->group, *before = grouped->before;
	uint64_t is = vmsnap_group_total(now, VMSNAP_GROUP_TOTAL_OUTSIDE);
	if (vmsnap_group_total(now, VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN))
		return;
	struct word value = word_size(text->style, is);
	if (before && !vmsnap_group_total(before, VMSNAP_GROUP_TOTAL_OUTSIDE_UNKNOWN))
		value = size_or_change(text, grouped, vmsnap_group_total(before, VMSNAP_GROUP_TOTAL_OUTSIDE), is);
	struct fit_line line = begin_line(text, grouped, "mapped by others", value, true);
	fit_words(&line, "that are not in the group;");
	fit_words(&line, word_size(text->style, vmsnap_group_total(now, VMSNAP_GROUP_TOTAL_USS)).text);
	fit_words(&line, "by the group alone");
	text_string(text, "\n");
}

/* What all are called, if they are called alike. */
static const char *one_comm(const struct vmsnap_group *group)
{
	struct vmsnap_group_process process;
	const char *comm = NULL;
	for (size_t i = 0; !vmsnap_group_process(group, i, &process); i++) {
		const char *other = vmsnap_info(process.snap)->comm;
		if (comm && strcmp(comm, other) != 0)
			return NULL;
		comm = other;
	}
	return comm;
}

static void put_who(struct text *text, const struct grouped *grouped)
{
	size_t count = vmsnap_group_count(grouped->group), before = 0;
	const char *comm = one_comm(grouped->group);
	if (grouped->before)
		before = vmsnap_group_count(grouped->before);
	if (grouped->before && before != count)
		text_format(text, "%zu%s", before, text->style->unicode ? " → " : " -> ");
	text_format(text, "%zu process%s", count, count == 1 ? "" : "es");
	if (comm && *comm) {
		text_string(text, " ");
		escape_string(text, comm);
	}
	if (grouped->before)
		text_format(text, ", %s\n%s", word_time_local(vmsnap_info(first_of(grouped->before))->taken).text,
		            text->style->unicode ? " → " : " -> ");
	else
		text_string(text, ", ");
	text_format(text, "%s\n", word_time_local(vmsnap_info(first_of(grouped->group))->taken).text);
}

static void put_lost(struct text *text, const struct grouped *grouped)
{
	struct vmsnap_group_change_process process;
	uint64_t copied = 0, left = 0;
	if (!grouped->change)
		return;
	for (size_t i = 0; !vmsnap_group_change_process(grouped->change, i, &process); i++) {
		copied += process.copied;
		left += process.left;
	}
	struct fit_line line =
	        begin_line(text, grouped, "sharing lost", word_size(text->style, copied + left), copied + left);
	bool any = false;
	put_part(&line, &any, "", copied, "in copies");
	put_part(&line, &any, "", left, "left to the last that has it");
	text_string(text, "\n");
}

void put_group_heading(struct text *text, const struct grouped *grouped)
{
	static const int frames[] = { VMSNAP_GROUP_TOTAL_PRIVATE, VMSNAP_GROUP_TOTAL_SHARED, VMSNAP_GROUP_TOTAL_CACHE };
	static const int by_all[] = { VMSNAP_GROUP_TOTAL_BY_ALL_PRIVATE, VMSNAP_GROUP_TOTAL_BY_ALL_SHARED,
		                      VMSNAP_GROUP_TOTAL_BY_ALL_CACHE };
	const struct vmsnap_group *group = grouped->group;
	uint64_t spaces = vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_SPACES);
	char label[LABEL_WIDTH];
	put_who(text, grouped);
	put_rss(text, grouped);
	if (vmsnap_group_total(group, VMSNAP_GROUP_TOTAL_FRAMES)) {
		put_sum(text, grouped, "in frames", frames);
		snprintf(label, sizeof(label), "shared by all %" PRIu64, spaces);
		if (spaces > 1)
			put_sum(text, grouped, spaces == 2 ? "shared by both" : label, by_all);
		put_outside(text, grouped);
		put_lost(text, grouped);
	}
	put_group_doubts(text, grouped);
	text_blank(text);
}

/* ---- what is not known ------------------------------------------------------------------ */

struct doubts {
	size_t processes, of_source[VMSNAP_GROUP_SOURCE_COUNT], pss_unknown, changed_program, restless;
};

static struct doubts doubts_of(const struct grouped *grouped)
{
	struct vmsnap_group_process process;
	struct vmsnap_group_change_process changed;
	struct doubts doubts = { 0 };
	for (size_t i = 0; !vmsnap_group_process(grouped->group, i, &process); i++) {
		doubts.processes++;
		doubts.of_source[process.source]++;
		doubts.pss_unknown += process.source == VMSNAP_GROUP_FRAMES && !process.pss_known;
		doubts.restless += !vmsnap_info(process.snap)->consistent;
	}
	for (size_t i = 0; grouped->change && !vmsnap_group_change_process(grouped->change, i, &changed); i++)
		doubts.changed_program += changed.a != SIZE_MAX && changed.b != SIZE_MAX && !changed.known;
	return doubts;
}

void put_group_doubts(struct text *text, const struct grouped *grouped)
{
	struct doubts doubts = doubts_of(grouped);
	char words[200];
	size_t hidden = doubts.of_source[VMSNAP_GROUP_SMAPS] + doubts.of_source[VMSNAP_GROUP_NOTHING];
	uint64_t frames = vmsnap_group_total(grouped->group, VMSNAP_GROUP_TOTAL_HIDDEN);
	if (hidden == doubts.processes)
		put_alarm(text, "who shares with whom is not known: that takes frames, which root is told");
	else if (frames)
		put_alarm(text, "some frames are not known: what is shared is at least this");
	if (doubts.of_source[VMSNAP_GROUP_SMAPS])
		put_alarm(text, "PSS is the sum of smaps: up to 1 KB for each mapping less than it is");
	if (doubts.pss_unknown)
		put_note(text,
		         "SHARE, not PSS: each frame divided by those of the group that map it; who else does was "
		         "not captured");
	if (doubts.restless) {
		snprintf(words, sizeof(words),
		         "%zu of the processes ran while they were read: their pages may not be of "
		         "one instant",
		         doubts.restless);
		put_alarm(text, words);
	}
	if (doubts.changed_program && hidden != doubts.processes) {
		snprintf(
		        words, sizeof(words),
		        "of %zu of the processes what was lost is not known: another program since, or frames that are "
		        "not known",
		        doubts.changed_program);
		put_alarm(text, words);
	}
}
