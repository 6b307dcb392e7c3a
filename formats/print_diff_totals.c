/* print_diff_totals.c - what a diff comes to: the closing sentence, the facts,
 * executable code that was written, the symbols, the status fields. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "print_diff.h"
#include "print_names.h"
#include "text_fit.h"

/* ---- the sentence ---------------------------------------------------------------- */

struct balance {
	struct diff_sums sums;
	size_t changed, mappings;
};

/* What a write would have copied at A: in writable private mappings; elsewhere
 * (program text) only what was copied is counted, for it hardly ever is. */
static void add_row(struct balance *balance, const struct diff_view *view, const struct diff_row *row)
{
	struct diff_sums sums;
	diff_row_sums(view, row, &sums);
	for (int i = 0; i < PAGE_CLASSES; i++)
		balance->sums.classes[i] += sums.classes[i];
	balance->changed++;
	const struct vmsnap_vma *was = vmsnap_vma_at(view->a, diff_address_in_a(view, row->start));
	if (!was || !(was->perms & VMSNAP_WRITE))
		balance->sums.shared += sums.classes[CLASS_COPIED];
	/* What is gone at B is not among B's mappings. */
	balance->mappings += !row->vma || vmsnap_vma_at(view->b, row->start) != row->vma;
}

static void balance_of(struct balance *balance, const struct diff_view *view, struct diff_rows *rows)
{
	struct diff_row row;
	*balance = (struct balance){ .mappings = vmsnap_vma_count(view->b) };
	diff_rows_rewind(rows);
	while (diff_rows_next(rows, &row))
		add_row(balance, view, &row);
	balance->sums.shared += diff_total_shared_at_a(view);
}

static void put_copied(struct fit_line *line, const struct diff_view *view, const struct balance *balance)
{
	struct text *text = line->text;
	char words[128];
	uint64_t copied = balance->sums.classes[CLASS_COPIED], shared = balance->sums.shared;
	if (!view->frames && !copied) {
		fit_words(line, "copied unknown (PFNs are not known or of another boot)");
		return;
	}
	snprintf(words, sizeof(words), "%s copied", word_size(text->style, copied).text);
	fit_next(line, strlen(words));
	color_start(text, CLASS_COPIED);
	text_string(text, words);
	color_end(text, CLASS_COPIED);
	if (!view->exclusive || !shared || copied > shared)
		return;
	snprintf(words, sizeof(words), "of %s shared at A (%s)", word_size(text->style, shared).text,
	         word_percent(copied, shared).text);
	fit_words(line, words);
}

/* ", +1.07G new"; nothing if there is none */
static void put_class(struct fit_line *line, const char *sign, uint64_t bytes, const char *what)
{
	char words[64];
	if (!bytes)
		return;
	fit_glue(line, ",");
	snprintf(words, sizeof(words), "%s%s %s", sign, word_size(line->text->style, bytes).text, what);
	fit_piece(line, words);
}

static void put_sentence(struct text *text, const struct diff_view *view, struct diff_rows *rows)
{
	struct balance balance;
	balance_of(&balance, view, rows);
	const uint64_t *classes = balance.sums.classes;
	if (!balance.changed) {
		text_format(text, "None of %zu mapping%s changed.\n", balance.mappings, word_plural(balance.mappings));
		return;
	}
	struct fit_line line = fit_line(text, 0, 2);
	char words[96];
	snprintf(words, sizeof(words), "%zu of %zu mapping%s changed:", balance.changed, balance.mappings,
	         word_plural(balance.mappings));
	fit_words(&line, words);
	put_copied(&line, view, &balance);
	put_class(&line, "+", classes[CLASS_NEW], "new");
	put_class(&line, "-", classes[CLASS_GONE], "gone");
	put_class(&line, "", classes[CLASS_OTHER], "changed otherwise");
	text_string(text, "\n");
}

/* ---- facts ------------------------------------------------------------------------ */

static void put_counts(struct text *text, const char *of_what, const uint64_t *counts, int count,
                       const char *(*name_of)(int change))
{
	struct fit_line line = fit_line(text, 10, 10);
	bool any = false;
	for (int i = 0; i < count; i++) {
		char words[96];
		if (!counts[i])
			continue;
		if (any)
			fit_glue(&line, ",");
		else
			text_format(text, "%-10s", of_what);
		snprintf(words, sizeof(words), "%" PRIu64 " %s", counts[i], name_of(i));
		fit_piece(&line, words);
		any = true;
	}
	text_string(text, any ? "\n" : "");
}

static void put_facts(struct text *text, const struct vmsnap_diff_totals *totals)
{
	put_counts(text, "pages", totals->pages, VMSNAP_PAGE_CHANGES, vmsnap_page_change_name);
	put_counts(text, "mappings", totals->vmas, VMSNAP_VMA_CHANGES, vmsnap_vma_change_name);
}

/* Code that was written is a breakpoint, a hook or a hot patch. */
enum { ALARM_PLACES = 4 };

static void put_place(struct fit_line *line, const struct vmsnap_diff_range *range)
{
	const char *name = range->vma && *range->vma->name ? range->vma->name : "anonymous memory";
	struct word address = word_address(range->start);
	size_t before = strlen(address.text) + 4, width = fit_width(line->text, name, strlen(name));
	size_t room = fit_room(line->text, line->indent + before + 1);
	fit_next(line, before + (width < room ? width : room));
	text_format(line->text, "%s of ", address.text);
	fit_path(line->text, name, room);
}

static void put_alarm(struct text *text, const struct diff_view *view)
{
	uint64_t pages = vmsnap_diff_totals(view->diff)->privatised_executable;
	struct vmsnap_diff_range range;
	size_t places = 0;
	if (!pages)
		return;
	struct fit_line line = fit_line(text, 0, 3);
	char words[96];
	snprintf(words, sizeof(words), "!! %" PRIu64 " page%s of executable code %s written:", pages,
	         word_plural(pages), pages == 1 ? "was" : "were");
	color_start(text, COLOR_ALARM);
	fit_words(&line, words);
	for (size_t i = 0; !vmsnap_diff_range(view->diff, i, &range); i++) {
		if (!(range.changes & 1u << VMSNAP_PRIVATISED) || !range.executable)
			continue;
		if (places)
			fit_glue(&line, ",");
		if (places++ == ALARM_PLACES) {
			fit_words(&line, "and more");
			break;
		}
		put_place(&line, &range);
	}
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

/* ---- symbols ------------------------------------------------------------------------ */

static const uint32_t written =
        1u << VMSNAP_PFN_CHANGED | 1u << VMSNAP_ZERO_FILLED_IN | 1u << VMSNAP_PRIVATISED | 1u << VMSNAP_SOFT_DIRTIED;

/* What appeared and is not of the page cache was written; the rest was only read. */
static int appeared_symbols(struct top_names *top, const struct diff_view *view, const struct vmsnap_diff_range *range,
                            struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	int rc = VMSNAP_OK;
	vmsnap_run_iter_init(&it, view->b, range->start, range->end);
	while (!rc && vmsnap_run_next(&it, &run) == VMSNAP_OK)
		if (!(run.flags & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO)))
			rc = top_names_add(top, names, run.start, run.end, err);
	return rc;
}

static int row_symbols(struct top_names *top, const struct diff_view *view, const struct diff_row *row,
                       struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct vmsnap_diff_range range;
	*top = (struct top_names){ 0 };
	for (size_t i = 0; i < row->range_count; i++) {
		int rc = VMSNAP_OK;
		if (vmsnap_diff_range(view->diff, row->first_range + i, &range))
			break;
		if (range.changes & written)
			rc = top_names_add(top, names, range.start, range.end, err);
		else if (range.changes & 1u << VMSNAP_APPEARED)
			rc = appeared_symbols(top, view, &range, names, err);
		if (rc)
			return rc;
	}
	return VMSNAP_OK;
}

static void put_row_symbols(struct text *text, const struct diff_row *row, const struct top_names *top)
{
	struct word address = word_address(row->start);
	const char *name = row->vma ? row->vma->name : "";
	const char *slash = strrchr(name, '/');
	name = slash && slash[1] ? slash + 1 : *name ? name : "anonymous";
	size_t before = strlen(address.text) + 3, width = fit_width(text, name, strlen(name));
	/* At least half a line is for the symbols. */
	size_t room = fit_room(text, before + text->style->width / 2);
	text_format(text, "  %s ", address.text);
	fit_name(text, name, strlen(name), room);
	text_string(text, ": ");
	top_names_put(top, text, before + (width < room ? width : room) + 2);
	text_string(text, "\n");
}

static int put_symbols(struct text *text, const struct diff_view *view, struct diff_rows *rows,
                       struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct diff_row row;
	bool any = false;
	diff_rows_rewind(rows);
	while (names && !text_failed(text) && diff_rows_next(rows, &row)) {
		struct top_names top;
		int rc = row_symbols(&top, view, &row, names, err);
		if (rc)
			return rc;
		if (!top.total)
			continue;
		text_string(text, any ? "" : "\nsymbols on changed pages\n");
		put_row_symbols(text, &row, &top);
		any = true;
	}
	return VMSNAP_OK;
}

/* ---- status --------------------------------------------------------------------------- */

static size_t value_width(const struct text *text, const struct vmsnap_status_field *field)
{
	return field->key_len ? status_value_width(text, field) : strlen("(none)");
}

static void put_value(struct text *text, const struct vmsnap_status_field *field, size_t room)
{
	if (!field->key_len)
		text_string(text, "(none)");
	else
		text_status_value(text, field, room);
}

/* "  VmRSS 4.00K -> 8.00K".  What is too wide is cut, the wider of the two first. */
static void put_status_line(struct text *text, const struct vmsnap_diff_status *status)
{
	const struct vmsnap_status_field *key = status->a.key_len ? &status->a : &status->b;
	const char *arrow = text->style->unicode ? " → " : " -> ";
	size_t column = 2 + fit_width(text, key->key, key->key_len) + 1 + 4, room = fit_room(text, column);
	size_t a = value_width(text, &status->a), b = value_width(text, &status->b), half = room / 2;
	if (a + b > room)
		a = a < half ? a : b < half ? room - b : half;
	text_string(text, "  ");
	fit_name(text, key->key, key->key_len, fit_room(text, 2));
	text_string(text, " ");
	put_value(text, &status->a, a);
	text_string(text, arrow);
	put_value(text, &status->b, room > a ? room - a : 0);
	text_string(text, "\n");
}

static void put_status(struct text *text, const struct diff_view *view)
{
	struct vmsnap_diff_status status;
	for (size_t i = 0; i < STATUS_FIELDS_MAX && !vmsnap_diff_status(view->diff, i, &status); i++) {
		text_string(text, i ? "" : "\nstatus fields\n");
		put_status_line(text, &status);
	}
}

int print_diff_totals(struct text *text, const struct diff_view *view, struct diff_rows *rows,
                      struct vmsnap_names *names, struct vmsnap_error *err)
{
	put_sentence(text, view, rows);
	put_facts(text, vmsnap_diff_totals(view->diff));
	put_alarm(text, view);
	int rc = put_symbols(text, view, rows, names, err);
	if (!rc)
		put_status(text, view);
	return rc;
}
