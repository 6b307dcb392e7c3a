/* print_diff_table.c - the diff as `git diff --stat` would show it: a row for each
 * changed mapping; and its ranges, one by one. */
#include <string.h>

#include "print_diff.h"
#include "strip.h"

enum {
	DIFF_START,
	DIFF_END,
	DIFF_SIZE,
	DIFF_PERM,
	DIFF_PAGES,
	DIFF_COPIED,
	DIFF_SHARE,
	DIFF_NEW,
	DIFF_GONE,
	DIFF_OTHER,
	DIFF_CHANGE,
	DIFF_MAPPING,
	DIFF_COLUMNS
};
static const struct table_column diff_columns[DIFF_COLUMNS] = {
	[DIFF_START] = { "START", 0 },
	[DIFF_END] = { "END", TABLE_EXTRA },
	[DIFF_SIZE] = { "SIZE", TABLE_RIGHT },
	[DIFF_PERM] = { "PERM", 0 },
	[DIFF_PAGES] = { "PAGES", 0 },
	[DIFF_COPIED] = { "COPIED", TABLE_RIGHT },
	[DIFF_SHARE] = { "%", TABLE_RIGHT },
	[DIFF_NEW] = { "NEW", TABLE_RIGHT },
	[DIFF_GONE] = { "GONE", TABLE_RIGHT },
	[DIFF_OTHER] = { "OTHER", TABLE_RIGHT | TABLE_HIDE_EMPTY },
	[DIFF_CHANGE] = { "CHANGE", TABLE_HIDE_EMPTY | TABLE_CUT_RIGHT },
	[DIFF_MAPPING] = { "MAPPING", TABLE_CUT_LEFT },
};

struct diff_table {
	const struct diff_view *view;
	struct diff_rows *rows;
};

/* ---- the strip -------------------------------------------------------------------- */

static unsigned strip_cells(const struct vmsnap_style *style)
{
	unsigned width = style->width ? style->width : 110;
	unsigned rest = 74; /* the other columns, and some of the path */
	if (width < rest + 16)
		return 16;
	return width - rest < STRIP_CELLS_MAX ? width - rest : STRIP_CELLS_MAX;
}

static void strip_piece(void *ctx, uint64_t start, uint64_t end, int page_class)
{
	strip_add(ctx, start, end, page_class);
}

static void quiet_pieces(struct strip *strip, const struct vmsnap *snap, uint64_t start, uint64_t end)
{
	struct vmsnap_run_iter it;
	struct vmsnap_run run;
	vmsnap_run_iter_init(&it, snap, start, end);
	while (vmsnap_run_next(&it, &run) == VMSNAP_OK)
		strip_add(strip, run.start, run.end, page_quiet_class(snap, run.flags));
}

static void strip_cell(struct table *table, const struct diff_view *view, const struct diff_row *row)
{
	const struct vmsnap_style *style = table->text->style;
	struct vmsnap_diff_range range;
	struct strip strip;
	char drawn[STRIP_ROOM];
	if (!row->range_count)
		return;
	unsigned cells = strip_cells(style);
	if (table_measures(table)) {
		table_drawn(table, DIFF_PAGES, "", 0, cells);
		return;
	}
	strip_init(&strip, row->start, row->end, vmsnap_info(view->b)->page_size, cells);
	for (size_t i = 0; i < row->range_count; i++)
		if (!vmsnap_diff_range(view->diff, row->first_range + i, &range))
			diff_pieces(view, &range, strip_piece, &strip);
	if (style->color != VMSNAP_COLOR_NONE)
		quiet_pieces(&strip, view->b, row->start, row->end);
	size_t len = strip_draw(&strip, style, drawn, sizeof(drawn));
	table_drawn(table, DIFF_PAGES, drawn, len, strip.cells);
}

/* ---- the changes of the mapping itself ---------------------------------------------- */

static void resize_note(struct table *table, const struct vmsnap_diff_vma *change)
{
	uint64_t a = change->a->end - change->a->start, b = change->b->end - change->b->start;
	struct word by = word_signed_size(table->text->style, a < b ? '+' : '-', a < b ? b - a : a - b);
	table_add_literal(table, DIFF_CHANGE, change->change == VMSNAP_VMA_CHANGE_GROWN ? "grown " : "shrunk ");
	table_add_literal(table, DIFF_CHANGE, by.text);
}

static void old_name_note(struct table *table, const char *words, const struct vmsnap_vma *vma)
{
	table_add_literal(table, DIFF_CHANGE, words);
	const char *name = *vma->name ? vma->name : "anonymous";
	const char *slash = strrchr(name, '/');
	name = slash && slash[1] ? slash + 1 : name;
	table_add_name(table, DIFF_CHANGE, name, strlen(name));
}

static void change_note(struct table *table, const struct vmsnap_diff_vma *change)
{
	bool both = change->a && change->b;
	if (both && (change->change == VMSNAP_VMA_CHANGE_GROWN || change->change == VMSNAP_VMA_CHANGE_SHRUNK)) {
		resize_note(table, change);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_PROTECTION_CHANGED) {
		table_add_literal(table, DIFF_CHANGE, "was ");
		table_add_literal(table, DIFF_CHANGE, word_perms(change->a).text);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_MOVED) {
		table_add_literal(table, DIFF_CHANGE, "moved from ");
		table_add_literal(table, DIFF_CHANGE, word_address(change->a->start).text);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_REPLACED) {
		old_name_note(table, "replaced ", change->a);
	} else if (both && change->change == VMSNAP_VMA_CHANGE_RENAMED) {
		old_name_note(table, "was named ", change->a);
	} else {
		table_add_literal(table, DIFF_CHANGE, vmsnap_vma_change_name(change->change));
	}
}

/* A mapping that was merged of a thousand says so once. */
enum { NOTES_MAX = 3 };

static void change_cell(struct table *table, const struct diff_view *view, const struct diff_rows *rows,
                        const struct diff_row *row)
{
	struct vmsnap_diff_vma change;
	int last = -1;
	size_t notes = 0;
	table_literal(table, DIFF_CHANGE, "");
	for (size_t i = 0; i < row->change_count && notes <= NOTES_MAX; i++) {
		if (vmsnap_diff_vma(view->diff, rows->order[row->first_change + i], &change))
			continue;
		if (change.change == last && change.change != VMSNAP_VMA_CHANGE_REPLACED)
			continue;
		last = change.change;
		table_add_literal(table, DIFF_CHANGE, notes ? ", " : "");
		if (notes++ == NOTES_MAX)
			table_add_literal(table, DIFF_CHANGE, table->text->style->unicode ? "…" : "...");
		else
			change_note(table, &change);
	}
}

/* ---- rows ---------------------------------------------------------------------------- */

static void sums_cells(struct table *table, const struct diff_view *view, const struct diff_sums *sums)
{
	const struct vmsnap_style *style = table->text->style;
	uint64_t copied = sums->classes[CLASS_COPIED];
	if (copied) {
		table_word(table, DIFF_COPIED, word_size(style, copied));
		table_color(table, DIFF_COPIED, CLASS_COPIED);
	} else if (!view->frames && sums->shared) {
		table_literal(table, DIFF_COPIED, "?");
	}
	if (copied && view->exclusive && copied <= sums->shared)
		table_word(table, DIFF_SHARE, word_percent(copied, sums->shared));
	table_word(table, DIFF_NEW, word_signed_size(style, '+', sums->classes[CLASS_NEW]));
	table_word(table, DIFF_GONE, word_signed_size(style, '-', sums->classes[CLASS_GONE]));
	if (sums->classes[CLASS_OTHER])
		table_word(table, DIFF_OTHER, word_size(style, sums->classes[CLASS_OTHER]));
}

static void diff_row_cells(struct table *table, const struct diff_view *view, const struct diff_rows *rows,
                           const struct diff_row *row)
{
	struct diff_sums sums;
	diff_row_sums(view, row, &sums);
	table_word(table, DIFF_START, word_address(row->start));
	table_word(table, DIFF_END, word_address(row->end));
	table_word(table, DIFF_SIZE, word_size(table->text->style, row->end - row->start));
	if (row->vma)
		table_word(table, DIFF_PERM, word_perms(row->vma));
	if (table_shows(table, DIFF_PAGES))
		strip_cell(table, view, row);
	sums_cells(table, view, &sums);
	change_cell(table, view, rows, row);
	if (row->vma)
		table_name(table, DIFF_MAPPING, row->vma->name, strlen(row->vma->name));
	table_end_row(table);
}

static int diff_table_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	struct diff_table *diff = ctx;
	struct diff_row row;
	(void)err;
	diff_rows_rewind(diff->rows);
	while (!text_failed(table->text) && diff_rows_next(diff->rows, &row))
		diff_row_cells(table, diff->view, diff->rows, &row);
	return VMSNAP_OK;
}

int print_diff_table(struct text *text, const struct diff_view *view, struct diff_rows *rows, struct vmsnap_error *err)
{
	struct diff_table diff = { .view = view, .rows = rows };
	return table_print(text, diff_columns, DIFF_COLUMNS, TABLE_USUAL, diff_table_rows, &diff, err);
}

/* ---- range by range -------------------------------------------------------------------- */

enum { RANGE_START, RANGE_PAGES, RANGE_CHANGES, RANGE_TOUCHED, RANGE_MAPPING, RANGE_COLUMNS };
static const struct table_column range_columns[RANGE_COLUMNS] = {
	[RANGE_START] = { "START", 0 },
	[RANGE_PAGES] = { "PAGES", TABLE_RIGHT },
	[RANGE_CHANGES] = { "CHANGES", 0 },
	[RANGE_TOUCHED] = { "TOUCHED", TABLE_HIDE_EMPTY | TABLE_CUT_RIGHT },
	[RANGE_MAPPING] = { "MAPPING", TABLE_CUT_LEFT },
};

static int range_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	const struct diff_table *diff = ctx;
	struct vmsnap_diff_range range;
	(void)err;
	for (size_t i = 0; !text_failed(table->text) && !vmsnap_diff_range(diff->view->diff, i, &range); i++) {
		bool any = false;
		table_word(table, RANGE_START, word_address(range.start));
		table_word(table, RANGE_PAGES, word_number(pages_of(diff->view->b, range.end - range.start)));
		table_literal(table, RANGE_CHANGES, "");
		for (int change = 0; change < VMSNAP_CHANGE_COUNT; change++) {
			if (!(range.changes & 1u << change))
				continue;
			table_add_literal(table, RANGE_CHANGES, any ? "," : "");
			table_add_literal(table, RANGE_CHANGES, vmsnap_page_change_name(change));
			any = true;
		}
		struct touched_reasons reasons = { .count = 0 };
		diff_touched_reasons(diff->view, &range, &reasons);
		touched_reasons_cell(&reasons, range.touched, table, RANGE_TOUCHED);
		if (range.vma)
			table_name(table, RANGE_MAPPING, range.vma->name, strlen(range.vma->name));
		table_end_row(table);
	}
	return VMSNAP_OK;
}

int print_diff_ranges(struct text *text, const struct diff_view *view, struct vmsnap_error *err)
{
	struct diff_table diff = { .view = view };
	struct vmsnap_style plain = *text->style;
	const struct vmsnap_style *style = text->style;
	/* -o chooses among the columns of the table above. */
	plain.columns = NULL;
	text->style = &plain;
	int rc = table_print(text, range_columns, RANGE_COLUMNS, TABLE_USUAL, range_rows, &diff, err);
	text->style = style;
	return rc;
}
