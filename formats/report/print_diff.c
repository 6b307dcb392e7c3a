/* print_diff.c - what changed: vmsnap_print_diff(). */
#include "diff_answer_text.h"
#include "diff_by.h"
#include "diff_table.h"
#include "diff_text.h"
#include "emitter.h"
#include "error.h"
#include "name_columns.h"
#include "new_code.h"
#include "page_state.h"
#include "relation_text.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "status_columns.h"
#include "strip_key.h"
#include "text_limit.h"
#include "touched_columns.h"
#include "vma_record.h"

/* ---- the document ---------------------------------------------------------------- */

enum { CHANGE_CHANGE, CHANGE_A, CHANGE_B, CHANGE_FROM, CHANGE_TO, CHANGE_LENGTH };
static const struct column change_columns[] = {
	[CHANGE_CHANGE] = { "change", .type = COLUMN_WORD },
	[CHANGE_A] = { "a", .type = COLUMN_RECORD, .of = &vma_schema },
	[CHANGE_B] = { "b", .type = COLUMN_RECORD, .of = &vma_schema },
	[CHANGE_FROM] = { "from", .type = COLUMN_ADDRESS },
	[CHANGE_TO] = { "to", .type = COLUMN_ADDRESS },
	[CHANGE_LENGTH] = { "length", .type = COLUMN_BYTES },
};
static const struct row_schema change_schema = ROW_SCHEMA(change_columns);

/* One row for each fact: a range with two facts comes twice. */
enum {
	FACT_START,
	FACT_PAGES,
	FACT_CHANGE,
	FACT_IS_TOUCHED,
	FACT_TOUCHED_BY,
	FACT_NAMES,
	FACT_NAMES_TOTAL,
	FACT_FROM,
	FACT_BY
};
static const struct column fact_columns[] = {
	[FACT_START] = { "start", .type = COLUMN_ADDRESS },
	[FACT_PAGES] = { "pages", .type = COLUMN_COUNT },
	[FACT_CHANGE] = { "change", .type = COLUMN_WORD },
	[FACT_IS_TOUCHED] = { "touched_by_debugger", .type = COLUMN_BOOL },
	[FACT_TOUCHED_BY] = { "touched_by", .type = COLUMN_LIST },
	[FACT_NAMES] = { "names", .type = COLUMN_RECORDS, .of = &name_schema },
	[FACT_NAMES_TOTAL] = { "names_total", .type = COLUMN_COUNT },
	[FACT_FROM] = { "from", .type = COLUMN_ADDRESS },
	[FACT_BY] = { "by", .type = COLUMN_RECORDS, .flags = COLUMN_OPTIONAL, .of = &diff_by_schema },
};
static const struct row_schema fact_schema = ROW_SCHEMA(fact_columns);

enum {
	TOTALS_PAGES,
	TOTALS_VMAS,
	TOTALS_CODE,
	TOTALS_RESIDENT_A,
	TOTALS_RESIDENT_B,
	TOTALS_WRITTEN_UNKNOWN,
	TOTALS_CODE_WRITTEN
};
static const struct column totals_columns[] = {
	[TOTALS_PAGES] = { .type = COLUMN_COUNTS, .flags = COLUMN_FLAT },
	[TOTALS_VMAS] = { "vmas", .type = COLUMN_COUNTS },
	[TOTALS_CODE] = { "privatised_executable", .type = COLUMN_COUNT },
	[TOTALS_RESIDENT_A] = { "resident_a", .type = COLUMN_COUNT },
	[TOTALS_RESIDENT_B] = { "resident_b", .type = COLUMN_COUNT },
	[TOTALS_WRITTEN_UNKNOWN] = { "written_unknown", .type = COLUMN_COUNT },
	[TOTALS_CODE_WRITTEN] = { "code_written", .type = COLUMN_COUNT },
};
static const struct row_schema totals_schema = ROW_SCHEMA(totals_columns);

/* Which of all these a debugger wrote to. */
enum { TOUCHED_PAGES, TOUCHED_CODE, TOUCHED_CODE_WRITTEN };
static const struct column touched_totals_columns[] = {
	[TOUCHED_PAGES] = { .type = COLUMN_COUNTS, .flags = COLUMN_FLAT },
	[TOUCHED_CODE] = { "privatised_executable", .type = COLUMN_COUNT },
	[TOUCHED_CODE_WRITTEN] = { "code_written", .type = COLUMN_COUNT },
};
static const struct row_schema touched_totals_schema = ROW_SCHEMA(touched_totals_columns);
enum { TOUCHED_COUNT, TOUCHED_TOTALS };
static const struct column touched_columns[] = {
	[TOUCHED_COUNT] = { "pages", .type = COLUMN_COUNT },
	[TOUCHED_TOTALS] = { "totals", .type = COLUMN_RECORD, .of = &touched_totals_schema },
};
static const struct row_schema touched_schema = ROW_SCHEMA(touched_columns);

/* Executable memory that is new, and no program's or library's. */
enum { CODE_WHAT, CODE_START, CODE_END, CODE_MAPPING, CODE_OVER };
static const struct column code_columns[] = {
	[CODE_WHAT] = { "what", .type = COLUMN_WORD },  [CODE_START] = { "start", .type = COLUMN_ADDRESS },
	[CODE_END] = { "end", .type = COLUMN_ADDRESS }, [CODE_MAPPING] = { "mapping", .type = COLUMN_NAME },
	[CODE_OVER] = { "over", .type = COLUMN_NAME },
};
static const struct row_schema code_schema = ROW_SCHEMA(code_columns);

/* Of snapshots that have page faults. */
enum { FAULTS_LOST };
static const struct column faults_columns[] = {
	[FAULTS_LOST] = { "lost", .type = COLUMN_COUNT },
};
static const struct row_schema faults_schema = ROW_SCHEMA(faults_columns);

enum {
	DOCUMENT_A,
	DOCUMENT_B,
	DOCUMENT_NOT_COMPARED,
	DOCUMENT_VMAS,
	DOCUMENT_PAGES,
	DOCUMENT_TOTALS,
	DOCUMENT_TOUCHED,
	DOCUMENT_STATUS,
	DOCUMENT_NEW_CODE,
	DOCUMENT_FAULTS,
};
static const struct column document_columns[] = {
	[DOCUMENT_A] = { "a", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_B] = { "b", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_NOT_COMPARED] = { "not_compared", .type = COLUMN_WORD },
	[DOCUMENT_VMAS] = { "vmas", .type = COLUMN_ROWS, .of = &change_schema },
	[DOCUMENT_PAGES] = { "pages", .type = COLUMN_ROWS, .of = &fact_schema },
	[DOCUMENT_TOTALS] = { "totals", .type = COLUMN_RECORD, .of = &totals_schema },
	[DOCUMENT_TOUCHED] = { "touched_by_debugger", .type = COLUMN_RECORD, .of = &touched_schema },
	[DOCUMENT_STATUS] = { "status", .type = COLUMN_ROWS, .of = &status_schema },
	[DOCUMENT_NEW_CODE] = { "new_code", .type = COLUMN_ROWS, .of = &code_schema },
	[DOCUMENT_FAULTS] = { "faults", .type = COLUMN_RECORD, .flags = COLUMN_OPTIONAL, .of = &faults_schema },
};
const struct row_schema diff_document_schema = ROW_SCHEMA(document_columns);

struct printed {
	const struct diff_view *view;
	struct vmsnap_names *names;
	struct changed_by *by;
	unsigned flags;
};

static int change_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct diff_view *view = ((const struct printed *)ctx)->view;
	struct vmsnap_diff_vma change;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_diff_vma(view->diff, i, &change); i++) {
		row_put_word(row, CHANGE_CHANGE, vmsnap_vma_change_name(change.change));
		put_vma(row, CHANGE_A, change.a);
		put_vma(row, CHANGE_B, change.b);
		if (change.length) {
			row_put_address(row, CHANGE_FROM, change.from);
			row_put_address(row, CHANGE_TO, change.to);
			row_put_bytes(row, CHANGE_LENGTH, change.length);
		}
		row_end(row);
	}
	return VMSNAP_OK;
}

static int put_facts(struct row *row, const struct printed *printed, const struct vmsnap_diff_range *range,
                     struct vmsnap_error *err)
{
	struct touched_reasons reasons = { .count = 0 };
	diff_touched_reasons(printed->view, range, &reasons);
	int rc = VMSNAP_OK;
	for (int change = 0; !rc && change < VMSNAP_CHANGE_COUNT; change++) {
		if (!(range->changes & 1u << change))
			continue;
		row_put_address(row, FACT_START, range->start);
		row_put_count(row, FACT_PAGES, pages_of(printed->view->b, range->end - range->start));
		row_put_word(row, FACT_CHANGE, vmsnap_page_change_name(change));
		put_touched(row, FACT_IS_TOUCHED, FACT_TOUCHED_BY, range->touched, &reasons);
		rc = put_names(row, FACT_NAMES, FACT_NAMES_TOTAL, printed->names, range->start, range->end, err);
		if (range->moved)
			row_put_address(row, FACT_FROM, range->from);
		put_by_records(row, FACT_BY, printed->by, range);
		row_end(row);
	}
	return rc;
}

static int fact_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	struct vmsnap_diff_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !text_failed(row->text) && diff_facts_next(printed->view->diff, &i, &range);)
		rc = put_facts(row, printed, &range, err);
	return rc;
}

static int status_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct diff_view *view = ((const struct printed *)ctx)->view;
	struct vmsnap_diff_status status;
	(void)err;
	for (size_t i = 0; !text_failed(row->text) && !vmsnap_diff_status(view->diff, i, &status); i++) {
		put_status_columns(row, &status);
		row_end(row);
	}
	return VMSNAP_OK;
}

static int code_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct diff_view *view = ((const struct printed *)ctx)->view;
	struct new_code_walk walk = new_code_begin(view->a, view->b);
	struct new_code code;
	(void)err;
	while (!text_failed(row->text) && new_code_next(&walk, &code)) {
		row_put_word(row, CODE_WHAT, new_code_kind_name(code.kind));
		row_put_address(row, CODE_START, code.start);
		row_put_address(row, CODE_END, code.end);
		row_put_name_if_any(row, CODE_MAPPING, code.vma->name);
		row_put_name_if_any(row, CODE_OVER, code.over ? code.over->name : "");
		row_end(row);
	}
	return VMSNAP_OK;
}

/* Whether both snapshots know what the fact is made of. */
static bool fact_known(const struct diff_view *view, int change)
{
	const struct vmsnap_known *a = &vmsnap_info(view->a)->known, *b = &vmsnap_info(view->b)->known;
	if (vmsnap_diff_relation(view->diff) != VMSNAP_RELATION_COMPARABLE)
		return false;
	switch (change) {
	case VMSNAP_CHANGE_PFN_CHANGED:
	case VMSNAP_CHANGE_SWAP_MOVED:
		return view->frames;
	case VMSNAP_CHANGE_BECAME_EXCLUSIVE:
	case VMSNAP_CHANGE_BECAME_SHARED:
		return a->exclusive && b->exclusive && !vmsnap_diff_total(view->diff, VMSNAP_TOTAL_EXCLUSIVE_UNKNOWN);
	case VMSNAP_CHANGE_APPEARED:
	case VMSNAP_CHANGE_VANISHED:
	case VMSNAP_CHANGE_SWAPPED_OUT:
	case VMSNAP_CHANGE_SWAPPED_IN:
		return !vmsnap_diff_total(view->diff, VMSNAP_TOTAL_SWAPPED_UNKNOWN);
	case VMSNAP_CHANGE_ZERO_FILLED_IN:
		return a->zero && b->zero;
	case VMSNAP_CHANGE_SOFT_DIRTIED:
		return a->soft_dirty && b->soft_dirty;
	case VMSNAP_CHANGE_WRITTEN:
		return !vmsnap_diff_total(view->diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN);
	case VMSNAP_CHANGE_HUGE_SPLIT:
	case VMSNAP_CHANGE_HUGE_COLLAPSED:
		return a->huge && b->huge;
	default:
		return true;
	}
}

typedef uint64_t (*pages_of_change_fn)(const struct vmsnap_diff *diff, int change);

static void put_counts(struct row *row, unsigned column, const struct diff_view *view,
                       pages_of_change_fn pages_of_change)
{
	uint64_t pages[VMSNAP_CHANGE_COUNT];
	uint32_t unknown = 0;
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		pages[i] = pages_of_change(view->diff, i);
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		unknown |= !pages[i] && !fact_known(view, i) ? 1u << i : 0;
	row_put_counts(row, column, pages, VMSNAP_CHANGE_COUNT, unknown, vmsnap_page_change_name);
}

static void put_totals(struct row *document, const struct diff_view *view)
{
	const struct vmsnap_diff *diff = view->diff;
	struct row record = row_open(document, DOCUMENT_TOTALS);
	put_counts(&record, TOTALS_PAGES, view, vmsnap_diff_pages);
	uint64_t rows[VMSNAP_VMA_CHANGE_COUNT];
	for (int i = 0; i < VMSNAP_VMA_CHANGE_COUNT; i++)
		rows[i] = vmsnap_diff_vma_rows(diff, i);
	row_put_counts(&record, TOTALS_VMAS, rows, VMSNAP_VMA_CHANGE_COUNT, 0, vmsnap_vma_change_name);
	row_put_count(&record, TOTALS_CODE, vmsnap_diff_total(diff, VMSNAP_TOTAL_PRIVATISED_EXECUTABLE));
	row_put_count(&record, TOTALS_RESIDENT_A, vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_A));
	row_put_count(&record, TOTALS_RESIDENT_B, vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_B));
	row_put_count(&record, TOTALS_WRITTEN_UNKNOWN, vmsnap_diff_total(diff, VMSNAP_TOTAL_WRITTEN_UNKNOWN));
	row_put_count(&record, TOTALS_CODE_WRITTEN, vmsnap_diff_total(diff, VMSNAP_TOTAL_CODE_WRITTEN));
	row_end(&record);
}

static void put_touched_totals(struct row *document, const struct diff_view *view)
{
	const struct vmsnap_diff *diff = view->diff;
	struct row record = row_open(document, DOCUMENT_TOUCHED);
	row_put_count(&record, TOUCHED_COUNT, vmsnap_diff_total(diff, VMSNAP_TOTAL_TOUCHED));
	struct row inner = row_open(&record, TOUCHED_TOTALS);
	put_counts(&inner, TOUCHED_PAGES, view, vmsnap_diff_touched_pages);
	row_put_count(&inner, TOUCHED_CODE, diff_touched_code(view, 1u << VMSNAP_CHANGE_PRIVATISED, NULL));
	row_put_count(&inner, TOUCHED_CODE_WRITTEN, diff_touched_code(view, UINT32_MAX, NULL));
	row_end(&inner);
	row_end(&record);
}

static void put_faults(struct row *document, const struct changed_by *by)
{
	if (!by->blame)
		return;
	uint64_t lost = changed_by_lost(by);
	struct row record = row_open(document, DOCUMENT_FAULTS);
	row_put_count_known(&record, FAULTS_LOST, lost, lost != UINT64_MAX);
	row_end(&record);
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	bool only_totals = printed->flags & VMSNAP_PRINT_TOTALS_ONLY;
	put_snapshot(document, DOCUMENT_A, printed->view->a);
	put_snapshot(document, DOCUMENT_B, printed->view->b);
	put_not_compared(document, DOCUMENT_NOT_COMPARED, vmsnap_diff_relation(printed->view->diff));
	int rc = row_rows(document, DOCUMENT_VMAS, change_rows, ctx, err);
	rc = rc ? rc : row_rows(document, DOCUMENT_PAGES, only_totals ? rows_none : fact_rows, ctx, err);
	if (rc)
		return rc;
	put_totals(document, printed->view);
	put_touched_totals(document, printed->view);
	rc = row_rows(document, DOCUMENT_STATUS, status_rows, ctx, err);
	rc = rc ? rc : row_rows(document, DOCUMENT_NEW_CODE, code_rows, ctx, err);
	if (!rc)
		put_faults(document, printed->by);
	return rc;
}

static int diff_json(struct text *text, const struct diff_view *view, struct changed_by *by, struct vmsnap_names *names,
                     unsigned flags, struct vmsnap_error *err)
{
	struct printed printed = { view, names, by, flags };
	return emit_json(text, "vmsnap.diff/1", &diff_document_schema, fill_document, &printed, err);
}

/* ---- for people ------------------------------------------------------------------ */

/* What the column of shares is of. */
static const char *share_of(const struct text *text, const struct diff_view *view)
{
	bool told = view->frames && view->exclusive && !view->shared_more;
	bool copied = told && vmsnap_diff_pages(view->diff, VMSNAP_CHANGE_PFN_CHANGED);
	return copied && !text->style->columns ? "%: of what was writable and shared at A" : NULL;
}

static int diff_text(struct text *text, const struct diff_view *view, struct diff_rows *rows, struct changed_by *by,
                     struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err)
{
	const struct vmsnap_style *style = text->style;
	/* For a script: the table and nothing else. */
	bool bare = style->raw || style->no_headings, totals = flags & VMSNAP_PRINT_TOTALS_ONLY;
	int rc = emit_table_check(text, &diff_schema, err); /* also where nothing differs, and there is no table */
	if (rc)
		return rc;
	if (!bare)
		put_diff_answer(text, view, rows, !(flags & (VMSNAP_PRINT_TOTALS_ONLY | VMSNAP_PRINT_LONG)));
	if (!vmsnap_diff_any(view->diff)) {
		if (!bare)
			put_diff_unknown(text, view);
		return VMSNAP_OK;
	}
	text_blank(text);
	bool places = flags & VMSNAP_PRINT_LONG ? vmsnap_diff_range_count(view->diff) || diff_rows_any(rows)
	                                        : diff_rows_any(rows);
	if (!totals && (places || bare)) {
		rc = print_diff_table(text, view, rows, by, names, err);
		if (!bare) {
			put_strip_key(text, class_words, share_of(text, view));
			text_blank(text);
		}
	}
	if (!rc && !bare)
		rc = put_diff_totals(text, view, rows, by, names, flags, err);
	if (!rc && (flags & VMSNAP_PRINT_LONG) && places && !totals) {
		if (!bare)
			text_blank(text);
		rc = print_diff_ranges(text, view, by, names, err);
	}
	return rc;
}

/* Faults take a second comparison: only what shows them has it made. */
static int find_code(struct changed_by *by, struct text *text, const struct vmsnap_diff *diff,
                     struct vmsnap_names *names, struct vmsnap_error *err)
{
	struct vmsnap_blame_options options = { .size = sizeof(options),
		                                .cancelled = text->work.cancelled,
		                                .cancel_ctx = text->work.cancel_ctx };
	return changed_by_init(by, diff, names, &options, err);
}

VMSNAP_API int vmsnap_print_diff(const struct vmsnap_diff *diff, struct vmsnap_names *names, unsigned flags,
                                 const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct diff_view view;
	struct diff_rows rows = { 0 };
	struct changed_by by = { .blame = NULL };
	struct text text;
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	text_limit_diff(&text, diff);
	rc = diff_view_init(&view, diff, &text.work);
	if (!rc && !text.style->json)
		rc = diff_rows_init(&rows, &view, &text.work);
	rc = rc ? work_fail(&text.work, rc, err) : find_code(&by, &text, diff, names, err);
	if (!rc && text.style->json)
		rc = diff_json(&text, &view, &by, names, flags, err);
	else if (!rc)
		rc = diff_text(&text, &view, &rows, &by, names, flags, err);
	changed_by_free(&by);
	diff_rows_free(&rows);
	diff_view_free(&view, &text.work);
	return rc ? rc : text_close(&text, err);
}
