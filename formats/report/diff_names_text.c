/* diff_names_text.c - which names lie on the pages that were written, mapping by
 * mapping and then page by page. */
#include <string.h>

#include "diff_text.h"
#include "name_pages_text.h"
#include "name_text.h"
#include "page_state.h"
#include "text_fit.h"

static const uint32_t written = 1u << VMSNAP_CHANGE_PFN_CHANGED | 1u << VMSNAP_CHANGE_ZERO_FILLED_IN |
                                1u << VMSNAP_CHANGE_PRIVATISED | 1u << VMSNAP_CHANGE_SOFT_DIRTIED |
                                1u << VMSNAP_CHANGE_WRITTEN;

typedef int (*pages_fn)(void *ctx, uint64_t start, uint64_t end, struct vmsnap_error *err);

/* What appeared and is not of the page cache was written; the rest was only read. */
static bool was_written(const struct diff_view *view, const struct vmsnap_diff_range *range)
{
	struct touched_reasons reasons = { .count = 0 };
	/* Code with breakpoints in it: where those are is told, and nothing else was written there. */
	if (range->touched && range->executable) {
		diff_touched_reasons(view, range, &reasons);
		if (touched_by_breakpoints(&reasons))
			return false;
	}
	if (range->changes & written)
		return true;
	return (range->changes & 1u << VMSNAP_CHANGE_APPEARED) &&
	       !(range->after & (VMSNAP_PAGE_FILE | VMSNAP_PAGE_ZERO));
}

/* The pages of a mapping that were written. */
static int each_written(const struct diff_view *view, const struct diff_row *row, pages_fn fn, void *ctx,
                        struct vmsnap_error *err)
{
	struct vmsnap_diff_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && i < row->range_count; i++) {
		if (vmsnap_diff_range(view->diff, row->first_range + i, &range))
			break;
		if (was_written(view, &range))
			rc = fn(ctx, range.start, range.end, err);
	}
	return rc;
}

static int add_to_top(void *ctx, uint64_t start, uint64_t end, struct vmsnap_error *err)
{
	return top_names_add(ctx, start, end, err);
}

static int add_to_sweep(void *ctx, uint64_t start, uint64_t end, struct vmsnap_error *err)
{
	return name_sweep_add(ctx, start, end, err);
}

static void put_line(struct text *text, const struct diff_row *row, struct word where, const struct top_names *top)
{
	const char *name = row->vma ? row->vma->name : "";
	const char *slash = strrchr(name, '/');
	name = slash && slash[1] ? slash + 1 : *name ? name : "anonymous";
	size_t before = strlen(where.text) + 3, width = fit_width(text, name, strlen(name));
	/* At least half a line is for the names. */
	size_t room = fit_room(text, before + text->style->width / 2);
	text_format(text, "  %s ", where.text);
	fit_name(text, name, strlen(name), room);
	text_string(text, ": ");
	top_names_put(top, text, before + (width < room ? width : room) + 2);
	text_string(text, "\n");
}

/* What stands above the lines of a mapping. */
struct heading {
	struct text *text;
	const struct diff_row *row;
	const struct top_names *top;
};

static void put_heading(void *ctx)
{
	const struct heading *heading = ctx;
	put_line(heading->text, heading->row, word_address(heading->row->start), heading->top);
}

/* If all names lie on one group of pages, one line says it. */
static int put_row(struct text *text, const struct diff_view *view, const struct diff_row *row,
                   const struct top_names *top, unsigned flags, struct vmsnap_error *err)
{
	uint64_t page_size = vmsnap_info(view->b)->page_size;
	struct heading heading = { text, row, top };
	struct page_lines lines;
	struct name_sweep sweep;
	page_lines_init(&lines, text, 4, flags);
	lines.begin = put_heading;
	lines.ctx = &heading;
	name_sweep_init(&sweep, top->naming, &text->work, page_size, page_lines_put, &lines);
	int rc = each_written(view, row, add_to_sweep, &sweep, err);
	rc = rc ? rc : name_sweep_finish(&sweep, err);
	name_sweep_free(&sweep);
	if (!rc && lines.groups == 1)
		put_line(text, row, word_pages(lines.start, lines.end, page_size), top);
	page_lines_end(&lines, page_size);
	return rc;
}

int put_diff_names(struct text *text, const struct diff_view *view, struct diff_rows *rows, struct vmsnap_names *names,
                   unsigned flags, struct vmsnap_error *err)
{
	const struct naming naming = naming_of(names, view->a, view->b, NULL);
	struct diff_row row;
	bool any = false;
	diff_rows_rewind(rows);
	while (names && !text_failed(text) && diff_rows_next(rows, &row)) {
		struct top_names top;
		top_names_init(&top, &naming);
		int rc = each_written(view, &row, add_to_top, &top, err);
		if (rc)
			return rc;
		if (!top.total)
			continue;
		if (!any)
			text_blank(text);
		text_string(text, any ? "" : "names on changed pages\n");
		rc = put_row(text, view, &row, &top, flags, err);
		if (rc)
			return rc;
		any = true;
	}
	return VMSNAP_OK;
}
