#include "diff_answer_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diff_text.h"
#include "format_value.h"
#include "identity_text.h"
#include "kernel_moves_text.h"
#include "page_state.h"
#include "relation_text.h"
#include "text_color.h"

/* ---- sums --------------------------------------------------------------------------- */

struct balance {
	struct diff_sums sums;
	size_t changed, mappings;
};

/* What a write would have copied at A: in writable private mappings; elsewhere
 * (program text) only what was copied is counted, for it hardly ever is.  Range by range: a mapping that has grown
 * begins where A had nothing. */
static void add_elsewhere(struct balance *balance, const struct diff_view *view, const struct diff_row *row)
{
	struct vmsnap_diff_range range;
	for (size_t i = 0; i < row->range_count; i++) {
		struct diff_sums sums = { 0 };
		if (vmsnap_diff_range(view->diff, row->first_range + i, &range))
			continue;
		const struct vmsnap_vma *was = vmsnap_vma_at(view->a, range.from);
		diff_range_sums(&range, sums.classes);
		if (!was || !(was->perms & VMSNAP_PERM_WRITE))
			balance->sums.shared += sums.classes[CLASS_COPIED];
	}
}

static void add_row(struct balance *balance, const struct diff_view *view, const struct diff_row *row)
{
	struct diff_sums sums;
	diff_row_sums(view, row, &sums);
	for (int i = 0; i < PAGE_CLASSES; i++)
		balance->sums.classes[i] += sums.classes[i];
	balance->changed++;
	add_elsewhere(balance, view, row);
	/* What is gone at B is not among B's mappings. */
	balance->mappings += !row->vma || vmsnap_vma_at(view->b, row->start) != row->vma;
}

static void balance_of(struct text *text, struct balance *balance, const struct diff_view *view, struct diff_rows *rows)
{
	struct diff_row row;
	*balance = (struct balance){ .mappings = vmsnap_vma_count(view->b) };
	diff_rows_rewind(rows);
	while (!text_failed(text) && diff_rows_next(rows, &row))
		add_row(balance, view, &row);
	balance->sums.shared += diff_total_shared_at_a(view);
}

/* ---- the sentence -------------------------------------------------------------------- */

/* "11.1M copied", in its colour; the first of a sentence is bold. */
static void put_amount(struct fit_line *line, const char *words, int page_class, bool bold)
{
	fit_next(line, strlen(words));
	color_start(line->text, bold ? COLOR_BOLD : COLOR_DEFAULT);
	color_start(line->text, page_class);
	text_string(line->text, words);
	color_end(line->text, page_class);
}

/* By which letter the strips below have it, where they are of letters. */
static void put_letter(struct fit_line *line, int page_class)
{
	char letter[] = { '(', class_letter(page_class), ')', '\0' };
	if (!line->text->style->unicode)
		fit_words(line, letter);
}

/* Whether it says anything: nothing, if it is known that nothing was copied.  answer: of a diff; else in a line of
 * others. */
static bool put_copied(struct fit_line *line, const struct diff_view *view, const struct balance *balance, bool answer)
{
	struct text *text = line->text;
	char words[128];
	uint64_t copied = balance->sums.classes[CLASS_COPIED], shared = balance->sums.shared;
	if (!view->frames && !copied) {
		bool states =
		        !vmsnap_info(view->a)->known.states_unknown && !vmsnap_info(view->b)->known.states_unknown;
		fit_words(line,
		          states ? "copied unknown (PFNs are not known or of another boot)"
		                 : "new and copied unknown (a core file does not tell; compared is what pages held)");
		return true;
	}
	if (!copied)
		return false;
	snprintf(words, sizeof(words), "%s copied", word_size(text->style, copied).text);
	put_amount(line, words, CLASS_COPIED, answer);
	if (answer)
		put_letter(line, CLASS_COPIED);
	if (!view->exclusive || !shared || copied > shared)
		return true;
	fit_words(line, "of");
	/* In huge pages nobody knows how much was. */
	snprintf(words, sizeof(words), "%s%s writable and shared", word_size(text->style, shared).text,
	         view->shared_more ? " or more" : "");
	if (answer)
		put_amount(line, words, CLASS_SHARED, false);
	else
		fit_words(line, words);
	fit_words(line, "at A");
	snprintf(words, sizeof(words), "(%s)", word_percent(copied, shared).text);
	fit_words(line, view->shared_more ? "" : words);
	return true;
}

bool put_diff_copied(struct fit_line *line, const struct diff_view *view, struct diff_rows *rows)
{
	struct balance balance;
	balance_of(line->text, &balance, view, rows);
	return put_copied(line, view, &balance, false);
}

/* As they are told behind what was copied. */
static const struct {
	const char *sign; /* the letter of its strips */
	int page_class;
	const char *what;
} parts[] = {
	{ "+", CLASS_NEW, "new" },
	{ "+", CLASS_FILE, "mapped" },
	{ "-", CLASS_GONE, "gone" },
	{ "", CLASS_WRITTEN, "written" },
	{ "", CLASS_SWAPPED_OUT, "swapped out" },
	{ "", CLASS_SWAPPED_IN, "swapped in" },
	{ "", CLASS_OTHER, "changed otherwise" },
};

/* Of the pages that the sums are of: others have changed in facts alone. */
static uint64_t touched_pages(const struct diff_view *view)
{
	struct vmsnap_diff_range range;
	uint64_t bytes = 0;
	for (size_t i = 0;
	     vmsnap_diff_total(view->diff, VMSNAP_TOTAL_TOUCHED) && !vmsnap_diff_range(view->diff, i, &range); i++)
		bytes += range.touched && diff_range_class(&range) != CLASS_HOLE ? range.end - range.start : 0;
	return bytes / vmsnap_info(view->b)->page_size;
}

static void put_touched(struct fit_line *line, uint64_t pages)
{
	char words[96];
	if (!pages)
		return;
	fit_glue(line, ";");
	snprintf(words, sizeof(words), "touched by gdb: %" PRIu64 " of these pages, see below", pages);
	fit_words(line, words);
}

/* A page that several share and that the kernel gave another frame looks as one that was copied. */
static void put_moves(struct fit_line *line, const struct diff_view *view, const struct balance *balance)
{
	uint64_t pages;
	enum kernel_moves moves = kernel_moves_between(view->a, view->b, &pages);
	if (!view->frames || !balance->sums.classes[CLASS_COPIED] || moves == KERNEL_MAY_HAVE_MOVED)
		return;
	put_kernel_moves(line, moves, pages);
}

static void put_mappings(struct fit_line *line, const struct balance *balance)
{
	char words[96];
	snprintf(words, sizeof(words), "%zu of %zu mapping%s changed", balance->changed, balance->mappings,
	         word_plural(balance->mappings));
	fit_words(line, words);
}

/* Whether there was something to say of pages. */
static bool put_pages(struct fit_line *line, const struct diff_view *view, const struct balance *balance)
{
	bool any = put_copied(line, view, balance, true);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint64_t bytes = balance->sums.classes[parts[i].page_class];
		char words[64];
		if (!bytes)
			continue;
		if (any)
			fit_glue(line, ",");
		snprintf(words, sizeof(words), "%s%s %s", parts[i].sign, word_size(line->text->style, bytes).text,
		         parts[i].what);
		put_amount(line, words, parts[i].page_class, !any);
		if (!*parts[i].sign)
			put_letter(line, parts[i].page_class);
		any = true;
	}
	return any;
}

/* A page that was copied, or dropped and made anew, shows by its frame alone. */
#define NONE_SEEN      "No differences that show without PFNs (root would know)."
#define NO_STATES_SEEN "No page states differ that show without PFNs (root would know)."

/* Whether A and B are of one process at one instant. */
static bool same_look(const struct diff_view *view)
{
	const struct vmsnap_info *a = vmsnap_info(view->a), *b = vmsnap_info(view->b);
	return a->pid == b->pid && a->taken == b->taken && a->monotonic == b->monotonic;
}

/* Where nothing differs: as much as is known. */
static const char *nothing_differs(const struct diff_view *view)
{
	uint64_t unknown = vmsnap_diff_total(view->diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN);
	if (vmsnap_diff_flags(view->diff) & VMSNAP_COMPARE_WRITTEN_ONLY)
		return unknown ? "No page is known to be written." : "No page was written.";
	if (vmsnap_info(view->a)->known.states_unknown || vmsnap_info(view->b)->known.states_unknown)
		return "No differences in what both tell: mappings, and what pages held.";
	if (!view->frames && !same_look(view) && !diff_unread(view))
		return unknown ? NO_STATES_SEEN : NONE_SEEN;
	if (vmsnap_diff_total(view->diff, VMSNAP_TOTAL_SWAPPED_UNKNOWN))
		return "No differences that are known.";
	return unknown ? "No page states differ." : "No differences.";
}

/* Whether it counts the mappings that changed: in brief only where there is nothing else. */
static bool put_sentence(struct fit_line *line, const struct diff_view *view, const struct balance *balance,
                         bool briefly)
{
	char words[96];
	if (!vmsnap_diff_any(view->diff)) {
		fit_words(line, nothing_differs(view));
		return true;
	}
	if (!balance->changed) {
		bool doubtful = vmsnap_diff_total(view->diff, VMSNAP_TOTAL_SWAPPED_UNKNOWN) || diff_maybe_copied(view);
		snprintf(words, sizeof(words), "None of %zu mapping%s %schanged.", balance->mappings,
		         word_plural(balance->mappings), doubtful ? "is known to have " : "");
		fit_words(line, words);
		return true;
	}
	bool pages = put_pages(line, view, balance), counted = !pages || !briefly;
	fit_glue(line, pages && counted ? ";" : "");
	if (counted)
		put_mappings(line, balance);
	put_touched(line, touched_pages(view));
	put_moves(line, view, balance);
	return counted;
}

/* ---- A and B -------------------------------------------------------------------------- */

static void put_sides(struct text *text, const struct diff_view *view)
{
	text_string(text, "A  ");
	print_identity_line(text, view->a);
	text_string(text, "\nB  ");
	print_identity_line(text, view->b);
	text_string(text, "\n");
	put_relation(text, vmsnap_diff_relation(view->diff), view->a, view->b);
	put_order(text, taken_later(view->a, view->b));
}

static void put_time(struct fit_line *line, const struct vmsnap *snap)
{
	if (vmsnap_info(snap)->taken)
		fit_piece(line, word_time_brief(vmsnap_info(snap)->taken).text);
}

/* "2.05 s later", if that is known; else when. */
static void put_moment_of_b(struct fit_line *line, const struct diff_view *view)
{
	const struct vmsnap_info *a = vmsnap_info(view->a), *b = vmsnap_info(view->b);
	char words[64];
	if (!a->taken || !b->taken) {
		put_time(line, view->b);
		return;
	}
	bool later = b->taken > a->taken;
	uint64_t ns = later ? (uint64_t)b->taken - (uint64_t)a->taken : (uint64_t)a->taken - (uint64_t)b->taken;
	snprintf(words, sizeof(words), "%s %s", word_duration(ns).text, later ? "later" : "before");
	fit_piece(line, ns ? words : "at the same time");
}

/* mappings: to be counted here; or NULL. */
static void put_sides_briefly(struct text *text, const struct diff_view *view, const struct balance *mappings)
{
	struct fit_line line = fit_line(text, 0, 2);
	const struct vmsnap_info *a = vmsnap_info(view->a), *b = vmsnap_info(view->b);
	bool other = !vmsnap_same_process(view->a, view->b) || strcmp(a->comm, b->comm) != 0;
	color_start(text, COLOR_DIM);
	fit_identity(&line, "A", view->a, true, NULL);
	put_time(&line, view->a);
	fit_glue(&line, ",");
	fit_identity(&line, "B", view->b, other || !b->taken, view->a);
	put_moment_of_b(&line, view);
	if (mappings) {
		fit_glue(&line, ",");
		put_mappings(&line, mappings);
	}
	color_end(text, COLOR_DIM);
	text_string(text, "\n");
	put_order(text, taken_later(view->a, view->b));
}

void put_diff_answer(struct text *text, const struct diff_view *view, struct diff_rows *rows, bool briefly)
{
	struct fit_line line = fit_line(text, 0, 2);
	struct balance balance;
	if (vmsnap_diff_relation(view->diff) != VMSNAP_RELATION_COMPARABLE) {
		put_sides(text, view);
		if (!vmsnap_diff_any(view->diff)) {
			text_blank(text);
			fit_words(&line, nothing_differs(view));
			text_string(text, "\n");
		}
		return;
	}
	balance_of(text, &balance, view, rows);
	bool counted = put_sentence(&line, view, &balance, briefly);
	text_string(text, "\n");
	if (briefly)
		put_sides_briefly(text, view, counted ? NULL : &balance);
	else
		put_sides(text, view);
}
