/* print_diff_totals.c - what a diff comes to: the closing sentence, the facts,
 * executable code that was written, the symbols, the status fields. */
#include <inttypes.h>
#include <string.h>

#include "escape.h"
#include "print_diff.h"
#include "print_names.h"

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

static void put_copied(struct text *text, const struct diff_view *view, const struct balance *balance)
{
	uint64_t copied = balance->sums.classes[CLASS_COPIED], shared = balance->sums.shared;
	if (!view->frames && !copied) {
		text_string(text, "copied unknown (PFNs are not known or of another boot)");
		return;
	}
	color_start(text, CLASS_COPIED);
	text_format(text, "%s copied", word_size(text->style, copied).text);
	color_end(text, CLASS_COPIED);
	if (view->exclusive && shared && copied <= shared)
		text_format(text, " of %s shared at A (%s)", word_size(text->style, shared).text,
		            word_percent(copied, shared).text);
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
	text_format(text, "%zu of %zu mapping%s changed: ", balance.changed, balance.mappings,
	            word_plural(balance.mappings));
	put_copied(text, view, &balance);
	if (classes[CLASS_NEW])
		text_format(text, ", +%s new", word_size(text->style, classes[CLASS_NEW]).text);
	if (classes[CLASS_GONE])
		text_format(text, ", -%s gone", word_size(text->style, classes[CLASS_GONE]).text);
	if (classes[CLASS_OTHER])
		text_format(text, ", %s changed otherwise", word_size(text->style, classes[CLASS_OTHER]).text);
	text_string(text, "\n");
}

/* ---- facts ------------------------------------------------------------------------ */

static void put_facts(struct text *text, const struct vmsnap_diff_totals *totals)
{
	const char *before = "pages     ";
	bool any = false;
	for (int i = 0; i < VMSNAP_PAGE_CHANGES; i++) {
		if (!totals->pages[i])
			continue;
		text_format(text, "%s%" PRIu64 " %s", before, totals->pages[i], vmsnap_page_change_name(i));
		before = ", ";
		any = true;
	}
	text_string(text, any ? "\n" : "");
	before = "mappings  ";
	any = false;
	for (int i = 0; i < VMSNAP_VMA_CHANGES; i++) {
		if (!totals->vmas[i])
			continue;
		text_format(text, "%s%" PRIu64 " %s", before, totals->vmas[i], vmsnap_vma_change_name(i));
		before = ", ";
		any = true;
	}
	text_string(text, any ? "\n" : "");
}

/* Code that was written is a breakpoint, a hook or a hot patch. */
enum { ALARM_PLACES = 4 };

static void put_alarm(struct text *text, const struct diff_view *view)
{
	uint64_t pages = vmsnap_diff_totals(view->diff)->privatised_executable;
	struct vmsnap_diff_range range;
	size_t places = 0;
	if (!pages)
		return;
	color_start(text, COLOR_ALARM);
	text_format(text, "!! %" PRIu64 " page%s of executable code %s written: ", pages, word_plural(pages),
	            pages == 1 ? "was" : "were");
	for (size_t i = 0; !vmsnap_diff_range(view->diff, i, &range); i++) {
		if (!(range.changes & 1u << VMSNAP_PRIVATISED) || !range.executable)
			continue;
		if (places++ == ALARM_PLACES) {
			text_string(text, ", and more");
			break;
		}
		text_format(text, "%s%s of ", places > 1 ? ", " : "", word_address(range.start).text);
		escape_string(text, range.vma && *range.vma->name ? range.vma->name : "anonymous memory");
	}
	color_end(text, COLOR_ALARM);
	text_string(text, "\n");
}

/* ---- symbols ------------------------------------------------------------------------ */

static const uint32_t written = 1u << VMSNAP_PFN_CHANGED | 1u << VMSNAP_ZERO_FILLED_IN | 1u << VMSNAP_PRIVATISED |
                                1u << VMSNAP_SOFT_DIRTIED;

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
		text_format(text, "  %s ", word_address(row.start).text);
		const char *name = row.vma ? row.vma->name : "";
		const char *slash = strrchr(name, '/');
		escape_string(text, slash && slash[1] ? slash + 1 : *name ? name : "anonymous");
		text_string(text, ": ");
		top_names_put(&top, text);
		text_string(text, "\n");
		any = true;
	}
	return VMSNAP_OK;
}

/* ---- status --------------------------------------------------------------------------- */

static void put_value(struct text *text, const struct vmsnap_status_field *field)
{
	if (!field->key_len)
		text_string(text, "(none)");
	else
		text_status_value(text, field);
}

static void put_status(struct text *text, const struct diff_view *view)
{
	struct vmsnap_diff_status status;
	for (size_t i = 0; i < STATUS_FIELDS_MAX && !vmsnap_diff_status(view->diff, i, &status); i++) {
		const struct vmsnap_status_field *key = status.a.key_len ? &status.a : &status.b;
		text_string(text, i ? "  " : "\nstatus fields\n  ");
		escape_put(text, key->key, key->key_len);
		text_string(text, " ");
		put_value(text, &status.a);
		text_string(text, text->style->unicode ? " → " : " -> ");
		put_value(text, &status.b);
		text_string(text, "\n");
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
