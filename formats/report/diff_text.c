/* diff_text.c - what stands below a diff's table: the facts, executable code that
 * was written, the symbols, the status fields. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alarm_text.h"
#include "diff_by.h"
#include "diff_text.h"
#include "escape.h"
#include "format_value.h"
#include "new_code_text.h"
#include "page_state.h"
#include "status_value.h"
#include "text_color.h"
#include "text_fit.h"
#include "touched_text.h"
#include "writes_text.h"

/* ---- facts ------------------------------------------------------------------------ */

/* Whether there was anything to count; the line is left open. */
static bool put_pieces(struct fit_line *line, const char *of_what, const uint64_t *counts, int count,
                       const char *(*name_of)(int change))
{
	bool any = false;
	for (int i = 0; i < count; i++) {
		char words[96];
		if (!counts[i])
			continue;
		if (any)
			fit_glue(line, ",");
		else
			text_format(line->text, "%-10s", of_what);
		snprintf(words, sizeof(words), "%" PRIu64 " %s", counts[i], name_of(i));
		fit_piece(line, words);
		any = true;
	}
	return any;
}

static void put_counts(struct text *text, const char *of_what, const uint64_t *counts, int count,
                       const char *(*name_of)(int change))
{
	struct fit_line line = fit_line(text, 10, 10);
	text_string(text, put_pieces(&line, of_what, counts, count, name_of) ? "\n" : "");
}

/* With what gdb touched pages that changed, the first of each kind. */
static void put_by_gdb(struct text *text, const struct diff_view *view)
{
	uint64_t touched[VMSNAP_CHANGE_COUNT];
	struct touched_reasons reasons = { .count = 0 };
	struct vmsnap_diff_range range;
	if (!vmsnap_diff_total(view->diff, VMSNAP_TOTAL_TOUCHED))
		return;
	for (size_t i = 0; !vmsnap_diff_range(view->diff, i, &range); i++)
		diff_touched_reasons(view, &range, &reasons);
	struct fit_line line = fit_line(text, 10, 10);
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		touched[i] = vmsnap_diff_touched_pages(view->diff, i);
	put_pieces(&line, "by gdb", touched, VMSNAP_CHANGE_COUNT, vmsnap_page_change_name);
	touched_reasons_put(&reasons, &line, "(", ")", true);
	text_string(text, "\n");
}

/* The program's pages, and apart from them those that gdb wrote to. */
static void put_facts(struct text *text, const struct diff_view *view)
{
	uint64_t own[VMSNAP_CHANGE_COUNT], rows[VMSNAP_VMA_CHANGE_COUNT];
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		own[i] = vmsnap_diff_pages(view->diff, i) - vmsnap_diff_touched_pages(view->diff, i);
	for (int i = 0; i < VMSNAP_VMA_CHANGE_COUNT; i++)
		rows[i] = vmsnap_diff_vma_rows(view->diff, i);
	put_counts(text, "pages", own, VMSNAP_CHANGE_COUNT, vmsnap_page_change_name);
	put_by_gdb(text, view);
	put_counts(text, "mappings", rows, VMSNAP_VMA_CHANGE_COUNT, vmsnap_vma_change_name);
}

uint64_t diff_unread(const struct diff_view *view)
{
	uint64_t a = pages_unread(view->a), b = pages_unread(view->b);
	return a > b ? a : b;
}

/* What lies above looks as if it were not mapped in one of them. */
static void put_known_until(struct text *text, const struct vmsnap_info *info, const char *which)
{
	char words[96];
	snprintf(words, sizeof(words), "of the %s snapshot nothing is known from %" PRIx64 " on", which,
	         info->known_until);
	if (info->known_until)
		put_alarm(text, words);
}

/* Without frames a copy looks like a page that the others let go of. */
uint64_t diff_maybe_copied(const struct diff_view *view)
{
	enum { SEEN = 1u << VMSNAP_CHANGE_BECAME_EXCLUSIVE, KNOWN = 1u << VMSNAP_CHANGE_PRIVATISED };
	struct vmsnap_diff_range range;
	uint64_t bytes = 0;
	if (vmsnap_info(view->a)->known.pfn && vmsnap_info(view->b)->known.pfn)
		return 0;
	for (size_t i = 0; !vmsnap_diff_range(view->diff, i, &range); i++)
		if ((range.changes & (SEEN | KNOWN)) == SEEN && !range.touched)
			bytes += range.end - range.start;
	return bytes;
}

static void put_copies_unknown(struct text *text, const struct diff_view *view)
{
	uint64_t bytes = diff_maybe_copied(view), pages = bytes / vmsnap_info(view->b)->page_size;
	struct fit_line line = fit_line(text, 0, 2);
	char words[96];
	if (!pages)
		return;
	snprintf(words, sizeof(words), "Of %" PRIu64 " page%s (%s)", pages, word_plural(pages),
	         word_size(text->style, bytes).text);
	fit_words(&line, words);
	fit_words(&line, "that others had, too, it is not known whether they were copied or the others let go of "
	                 "them: that takes frames, which root is told.");
	text_string(text, "\n");
}

void put_diff_unknown(struct text *text, const struct diff_view *view)
{
	uint64_t unread = diff_unread(view);
	if (unread) {
		struct fit_line line = fit_line(text, 0, 2);
		fit_words(&line, "not known: whether anything changed in");
		fit_words(&line, word_size(text->style, unread).text);
		fit_words(&line, "of pages whose states could not be read");
		text_string(text, "\n");
	}
	const struct vmsnap_info *a = vmsnap_info(view->a), *b = vmsnap_info(view->b);
	put_known_until(text, a, "first");
	put_known_until(text, b, "second");
	put_copies_unknown(text, view);
	bool one = a->pid == b->pid && a->start_time == b->start_time;
	put_writes_unknown(text, vmsnap_diff_total(view->diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN), b->page_size,
	                   one ? WRITES_OF_PROCESS : WRITES_OF_TWO);
}

/* ---- executable code that was written --------------------------------------------- */

enum { CODE_PLACES = 4 };

static void put_place(struct fit_line *line, const struct vmsnap_diff_range *range)
{
	const char *name = range->vma && *range->vma->name ? range->vma->name : "anonymous memory";
	struct word address = word_address(range->start);
	size_t before = strlen(address.text) + 4, room = fit_room(line->text, line->indent + before + 1);
	fit_next(line, before + fit_path_width(line->text, name, room));
	text_format(line->text, "%s of ", address.text);
	fit_path(line->text, name, room);
}

/* Where: in code that a debugger touched, or in the rest. */
static void put_places(struct fit_line *line, const struct diff_view *view, bool touched)
{
	struct vmsnap_diff_range range;
	size_t places = 0;
	for (size_t i = 0; !vmsnap_diff_range(view->diff, i, &range); i++) {
		if (!vmsnap_code_written(&range) || range.touched != touched)
			continue;
		if (places)
			fit_glue(line, ",");
		if (places++ == CODE_PLACES) {
			fit_words(line, "and more");
			break;
		}
		put_place(line, &range);
	}
}

/* A hook, a hot patch, another debugger's breakpoint. */
static void put_code_alarm(struct text *text, const struct diff_view *view, uint64_t pages)
{
	struct fit_line line = fit_line(text, 0, 3);
	char words[96];
	snprintf(words, sizeof(words), "!! %" PRIu64 " page%s of executable code %s written:", pages,
	         word_plural(pages), pages == 1 ? "was" : "were");
	color_start(text, COLOR_ALARM);
	fit_words(&line, words);
	put_places(&line, view, false);
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

/* What gdb is known to have done is nothing to be alarmed about. */
static void put_code(struct text *text, const struct diff_view *view)
{
	struct touched_reasons reasons = { .count = 0 };
	uint64_t touched = diff_touched_code(view, UINT32_MAX, &reasons);
	uint64_t pages = vmsnap_diff_total(view->diff, VMSNAP_TOTAL_CODE_WRITTEN) - touched;
	char words[96];
	if (pages)
		put_code_alarm(text, view, pages);
	if (!touched)
		return;
	struct fit_line line = fit_line(text, 0, 3);
	const char *what = touched == 1 ? "was written by gdb" : "were written by gdb";
	if (!reasons.not_breakpoints)
		what = touched == 1 ? "holds gdb's breakpoints" : "hold gdb's breakpoints";
	snprintf(words, sizeof(words), "%" PRIu64 " page%s of executable code %s:", touched, word_plural(touched),
	         what);
	fit_words(&line, words);
	put_places(&line, view, true);
	text_string(text, "\n");
}

/* ---- status --------------------------------------------------------------------------- */

/* exact: as the kernel wrote it, where both sizes come to the same few digits. */
static size_t value_width(const struct text *text, const struct vmsnap_status_field *field, bool exact)
{
	if (!field->key_len)
		return strlen("(none)");
	return exact ? fit_width(text, field->text, field->text_len) : status_value_width(text, field);
}

static void put_value(struct text *text, const struct vmsnap_status_field *field, size_t room, bool exact)
{
	if (!field->key_len)
		text_string(text, "(none)");
	else if (exact)
		fit_name(text, field->text, field->text_len, room);
	else
		text_status_value(text, field, room);
}

static bool looks_the_same(const struct vmsnap_style *style, const struct vmsnap_diff_status *status)
{
	return status->a.is_size && status->b.is_size &&
	       !strcmp(word_size(style, status->a.number).text, word_size(style, status->b.number).text);
}

/* "  VmRSS 4.00K -> 8.00K".  What is too wide is cut, the wider of the two first. */
static void put_status_line(struct text *text, const struct vmsnap_diff_status *status)
{
	const struct vmsnap_status_field *key = status->a.key_len ? &status->a : &status->b;
	const char *arrow = text->style->unicode ? " → " : " -> ";
	size_t column = 2 + fit_width(text, key->key, key->key_len) + 1 + 4, room = fit_room(text, column);
	bool exact = looks_the_same(text->style, status);
	size_t a = value_width(text, &status->a, exact), b = value_width(text, &status->b, exact), half = room / 2;
	if (a + b > room)
		a = a < half ? a : b < half ? room - b : half;
	text_string(text, "  ");
	fit_name(text, key->key, key->key_len, fit_room(text, 2));
	text_string(text, " ");
	put_value(text, &status->a, a, exact);
	text_string(text, arrow);
	put_value(text, &status->b, room > a ? room - a : 0, exact);
	text_string(text, "\n");
}

static void put_status(struct text *text, const struct diff_view *view)
{
	struct vmsnap_diff_status status;
	bool any = false;
	for (size_t i = 0; !text_failed(text) && !vmsnap_diff_status(view->diff, i, &status); i++) {
		if (status.incidental)
			continue;
		if (!any)
			text_blank(text);
		text_string(text, any ? "" : "status fields\n");
		put_status_line(text, &status);
		any = true;
	}
}

int put_diff_totals(struct text *text, const struct diff_view *view, struct diff_rows *rows,
                    const struct changed_by *by, struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err)
{
	put_facts(text, view);
	put_code(text, view);
	put_new_code(text, view);
	put_diff_unknown(text, view);
	put_by_lost(text, by);
	int rc = put_diff_names(text, view, rows, names, flags, err);
	if (!rc)
		put_status(text, view);
	return rc;
}
