/* cow_text.c - the verdicts for people: the answer, then where; totals, and range by range, if asked for. */
#include "cow_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cow_answer_text.h"
#include "cow_table.h"
#include "cow_variables_text.h"
#include "debugger_reads.h"
#include "mapping_label.h"
#include "name_pages_text.h"
#include "name_text.h"
#include "page_state.h"
#include "strip_key.h"
#include "text_color.h"
#include "text_fit.h"
#include "touched_text.h"
#include "when_text.h"

static const char touched_words[] = "touched by gdb";

static void put_total(struct text *text, uint64_t pages, uint64_t page_size, int verdict, bool touched)
{
	if (!pages)
		return;
	text_format(text, "%10" PRIu64 " page%s %6s  ", pages, pages == 1 ? " " : "s",
	            word_size(text->style, pages * page_size).text);
	color_start(text, cow_verdict_color(verdict));
	text_string(text, vmsnap_verdict_name(verdict));
	color_end(text, cow_verdict_color(verdict));
	if (touched)
		text_format(text, ", %s", touched_words);
	text_string(text, "\n");
}

/* The program's pages, and apart from them those that gdb wrote to. */
static void put_totals(struct text *text, const struct vmsnap_cow *cow)
{
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		uint64_t touched = vmsnap_cow_touched_pages(cow, i);
		put_total(text, vmsnap_cow_pages(cow, i) - touched, page_size, i, false);
		put_total(text, touched, page_size, i, true);
	}
}

/* "16 copied_by_child, 1 copied_by_child touched by gdb" */
static void put_group_verdicts(struct fit_line *line, const struct cow_group *group)
{
	bool any = false;
	for (int i = 0; i < 2 * VMSNAP_VERDICT_COUNT; i++) {
		bool touched = i % 2;
		uint64_t pages = touched ? group->touched[i / 2] : group->pages[i / 2];
		char piece[64];
		if (!pages)
			continue;
		if (any)
			fit_glue(line, ",");
		snprintf(piece, sizeof(piece), "%" PRIu64 " %s", pages, vmsnap_verdict_name(i / 2));
		fit_piece(line, piece);
		if (touched)
			fit_words(line, touched_words);
		any = true;
	}
}

static void put_group_line(struct text *text, const struct vmsnap_cow *cow, const struct cow_group *group,
                           struct vmsnap_names *names)
{
	const char *name = "(not mapped)";
	char where[160] = "";
	struct mapping_label label = { .words = NULL };
	if (group->vma) {
		label = mapping_label_in(text, names, vmsnap_cow_child(cow), group->vma);
		name = *group->vma->name ? group->vma->name : label.words ? label.words : "(anonymous)";
		snprintf(where, sizeof(where), "%s-%s %s ", word_address(group->start).text,
		         word_address(group->end).text, word_perms(group->vma).text);
	}
	size_t room = fit_room(text, strlen(where) + 1);
	struct fit_line line = fit_line(text, strlen(where) + fit_path_width(text, name, room), 4);
	color_start(text, COLOR_BOLD);
	text_string(text, where);
	fit_path(text, name, room);
	color_end(text, COLOR_BOLD);
	line.fresh = false;
	fit_glue(&line, ":");
	put_group_verdicts(&line, group);
	text_string(text, "\n");
	mapping_label_free(&label, text);
}

/* Goes on at `column`; returns where it ends. */
static size_t put_touched(struct text *text, size_t column, const struct touched_reasons *reasons,
                          const struct vmsnap_cow_range *range)
{
	struct fit_line line = fit_line(text, column, 4);
	if (!range->touched)
		return column;
	line.fresh = false;
	fit_glue(&line, ",");
	fit_words(&line, touched_words);
	fit_glue(&line, reasons->count ? ":" : "");
	touched_reasons_put(reasons, &line, "", "", false);
	return line.column;
}

enum { NAMES_ROOM = 32 }; /* with less, they go on in the next line */

static int put_range(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                     const struct vmsnap_cow_range *range, const struct naming *naming, unsigned flags,
                     struct vmsnap_error *err)
{
	struct top_names top;
	struct touched_reasons reasons = { .count = 0 };
	uint64_t pages = pages_of(vmsnap_cow_child(cow), range->end - range->start);
	cow_touched_reasons(touched, range, &reasons);
	top_names_init(&top, naming);
	/* A breakpoint tells where it is; what else lies on its page nobody wrote, and what lies in
	 * a file's pages nobody changed. */
	bool unchanged = touched_by_breakpoints(&reasons) || range->verdict == VMSNAP_VERDICT_FILE;
	int rc = unchanged ? VMSNAP_OK : top_names_add(&top, range->start, range->end, err);
	if (rc)
		return rc;
	char where[96];
	const char *verdict = vmsnap_verdict_name(range->verdict), *inferred = range->inferred ? " (inferred)" : "";
	snprintf(where, sizeof(where), "  %-12s %6" PRIu64 " page%s ", word_address(range->start).text, pages,
	         pages == 1 ? " " : "s");
	text_string(text, where);
	color_start(text, cow_verdict_color(range->verdict));
	text_string(text, verdict);
	color_end(text, cow_verdict_color(range->verdict));
	text_string(text, inferred);
	size_t column = strlen(where) + strlen(verdict) + strlen(inferred);
	column = put_touched(text, column, &reasons, range);
	const char *before = !top.total ? "" : range->touched ? "; holds " : ": ";
	if (top.total && range->touched && fit_room(text, column) < NAMES_ROOM) {
		text_string(text, ";\n    ");
		before = "holds ";
		column = 4;
	}
	text_string(text, before);
	top_names_put(&top, text, column + strlen(before));
	text_string(text, "\n");
	/* Where nothing happened, it does not matter on which page. */
	if (!top.total || verdict_is_quiet(range->verdict))
		return VMSNAP_OK;
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size;
	return print_range_names(text, naming, page_size, range->start, range->end, flags, err);
}

static int put_group(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                     const struct cow_group *group, const struct naming *naming, unsigned flags,
                     struct vmsnap_error *err)
{
	struct vmsnap_cow_range range;
	int rc = VMSNAP_OK;
	put_group_line(text, cow, group, naming->names);
	for (size_t i = 0; !rc && i < group->count && !text_failed(text); i++)
		if (!vmsnap_cow_range(cow, group->first + i, &range))
			rc = put_range(text, cow, touched, &range, naming, flags, err);
	return rc;
}

static int put_groups(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                      const struct naming *naming, unsigned flags, struct vmsnap_error *err)
{
	struct cow_group group;
	int rc = VMSNAP_OK;
	text_blank(text);
	for (size_t at = 0; !rc && !text_failed(text) && cow_group_at(cow, at, &group); at += group.count)
		rc = put_group(text, cow, touched, &group, naming, flags, err);
	return rc;
}

/* The ranges say it one by one only where they are all listed. */
static void put_moved(struct text *text, const struct vmsnap_cow *cow)
{
	struct vmsnap_cow_range range;
	struct fit_line line = fit_line(text, 0, 2);
	uint64_t bytes = 0;
	char words[160];
	for (size_t i = 0; !vmsnap_cow_range(cow, i, &range); i++)
		bytes += range.moved ? range.end - range.start : 0;
	if (!bytes)
		return;
	snprintf(words, sizeof(words),
	         "%s lie at another address than in the parent or the base (column PARENT: -o +PARENT)",
	         word_size(text->style, bytes).text);
	fit_words(&line, words);
	text_string(text, "\n");
}

/* Who refers to a page in passing makes the second of two that write to it copy it, too. */
static void put_reads(struct text *text, const struct debugger_reads *reads)
{
	struct fit_line line = fit_line(text, 0, 2);
	char words[96];
	if (!reads->pages)
		return;
	snprintf(words, sizeof(words),
	         "gdb had read %" PRIu64 " of the pages that both copied, for names of variables (", reads->pages);
	fit_words(&line, words);
	for (size_t i = 0; i < reads->pages && i < DEBUGGER_READS_SAID; i++) {
		snprintf(words, sizeof(words), "%s%" PRIx64, i ? ", " : "", reads->first[i]);
		fit_glue(&line, words);
	}
	fit_glue(&line, reads->pages > DEBUGGER_READS_SAID ? ", …):" : "):");
	fit_words(&line, "this may be why the second one copied, too");
	text_string(text, "\n");
}

/* As the columns are called. */
static const char *cow_class_words(int page_class)
{
	switch (page_class) {
	case CLASS_COPIED:
		return "parent";
	case CLASS_CHILD:
		return "child";
	case CLASS_OTHER:
		return "either";
	default:
		return class_words(page_class);
	}
}

/* Where, and whose variables lie there. */
static int put_places(struct text *text, const struct vmsnap_cow *cow, const struct cow_rows *rows,
                      const struct cow_touched *touched, const struct naming *naming, unsigned flags,
                      struct vmsnap_error *err)
{
	bool all = flags & VMSNAP_PRINT_LONG;
	text_blank(text);
	int rc = put_cow_table(text, cow, rows, naming->names, flags, err);
	if (rc)
		return rc;
	if (!text->style->no_headings)
		put_strip_key(text, cow_class_words, NULL);
	put_cow_rest(text, cow, rows, touched, flags);
	return all ? put_groups(text, cow, touched, naming, flags, err)
	           : put_cow_variables(text, cow, touched, naming, err);
}

int put_cow_text(struct text *text, const struct vmsnap_cow *cow, const struct cow_touched *touched,
                 const struct naming *naming, unsigned flags, struct vmsnap_error *err)
{
	bool totals = flags & (VMSNAP_PRINT_TOTALS_ONLY | VMSNAP_PRINT_LONG);
	struct cow_rows rows;
	struct cow_began began;
	struct fork_when when = { .known = false };
	struct debugger_reads reads;
	if (vmsnap_cow_relation(cow) != VMSNAP_RELATION_COMPARABLE) {
		put_cow_who(text, cow, NULL, &when, false);
		return VMSNAP_OK;
	}
	int rc = cow_began(cow, &text->work, &began, err);
	rc = rc ? rc : text_cow_when(text, cow, &began, &when, err);
	if (rc)
		return rc;
	rc = debugger_reads(cow, &text->work, &reads);
	if (rc)
		return work_fail(&text->work, rc, err);
	rc = cow_rows_init(&rows, cow, naming->names, &text->work);
	if (rc) {
		cow_rows_free(&rows, &text->work);
		return work_fail(&text->work, rc, err);
	}
	put_cow_answer(text, cow, &rows.all);
	put_cow_who(text, cow, &began, &when, !totals);
	if (totals) {
		text_blank(text);
		put_totals(text, cow);
	}
	put_moved(text, cow);
	put_reads(text, &reads);
	if (!(flags & VMSNAP_PRINT_TOTALS_ONLY))
		rc = put_places(text, cow, &rows, touched, naming, flags, err);
	cow_rows_free(&rows, &text->work);
	return rc;
}
