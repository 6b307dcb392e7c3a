/* print_diff.c - what changed: vmsnap_print_diff(). */
#include "print_diff.h"
#include "compared.h"
#include "error.h"

static void put_heading(struct text *text, const struct diff_view *view)
{
	text_string(text, "A  ");
	print_identity_line(text, view->a);
	text_string(text, "\nB  ");
	print_identity_line(text, view->b);
	text_string(text, "\n\n");
}

static int diff_text(struct text *text, const struct diff_view *view, struct diff_rows *rows,
                     struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err)
{
	const struct vmsnap_style *style = text->style;
	/* For a script: the table and nothing else. */
	bool bare = style->raw || style->no_headings, totals = flags & VMSNAP_PRINT_TOTALS_ONLY;
	int rc = VMSNAP_OK;
	if (!bare)
		put_heading(text, view);
	if (!vmsnap_diff_any(view->diff)) {
		text_string(text, bare ? "" : "No differences.\n");
		return VMSNAP_OK;
	}
	bool places = vmsnap_diff_vma_count(view->diff) || vmsnap_diff_range_count(view->diff);
	if (!totals && (places || bare)) {
		rc = print_diff_table(text, view, rows, err);
		text_string(text, bare ? "" : "\n");
	}
	if (!rc && !bare)
		rc = print_diff_totals(text, view, rows, names, flags, err);
	if (!rc && (flags & VMSNAP_PRINT_LONG) && places && !totals) {
		text_string(text, bare ? "" : "\n");
		rc = print_diff_ranges(text, view, err);
	}
	return rc;
}

VMSNAP_API int vmsnap_print_diff(const struct vmsnap_diff *diff, struct vmsnap_names *names, unsigned flags,
                                 const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct diff_view view;
	struct diff_rows rows = { 0 };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text.work.limit = diff_memory_left(diff);
	rc = diff_view_init(&view, diff, &text.work);
	if (!rc && !text.style->json)
		rc = diff_rows_init(&rows, &view, &text.work);
	if (rc)
		rc = work_fail(&text.work, rc, err);
	else if (text.style->json)
		rc = print_diff_json(&text, &view, names, flags, err);
	else
		rc = diff_text(&text, &view, &rows, names, flags, err);
	diff_rows_free(&rows);
	diff_view_free(&view, &text.work);
	return rc ? rc : text_close(&text, err);
}
