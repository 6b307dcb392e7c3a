/* print_cow.c - who shares and who copied: vmsnap_print_cow(). */
#include "cow_answer_text.h"
#include "cow_text.h"
#include "debugger_reads.h"
#include "emitter.h"
#include "error.h"
#include "fork_time.h"
#include "kernel_moves_text.h"
#include "mapping_columns.h"
#include "mapping_label.h"
#include "name_columns.h"
#include "page_state.h"
#include "print_cow_map.h"
#include "schemas.h"
#include "snapshot_record.h"
#include "text_limit.h"
#include "touched_columns.h"
#include "when_text.h"

enum {
	COW_START,
	COW_END,
	COW_PAGES,
	COW_VERDICT,
	COW_INFERRED,
	COW_MAPPING,
	COW_IS_TOUCHED,
	COW_TOUCHED_BY,
	COW_TOUCHED,
	COW_NAMES,
	COW_NAMES_TOTAL,
	COW_TOP_NAMES,
	COW_PARENT_START,
	COW_SIZE,
	COW_VMA,
};
static const struct column cow_columns[] = {
	[COW_START] = { "start", "START", COLUMN_ADDRESS, 0, "where the range begins", NULL },
	[COW_END] = { NULL, "END", COLUMN_ADDRESS, COLUMN_SECONDARY, "where it ends", NULL },
	[COW_PAGES] = { "pages", "PAGES", COLUMN_COUNT, 0, "how many pages it has", NULL },
	[COW_VERDICT] = { "verdict", "VERDICT", COLUMN_WORD, COLUMN_STAYS, "who copied them, if anybody did", NULL },
	[COW_INFERRED] = { "inferred", "INFERRED", COLUMN_BOOL, COLUMN_SPARSE | COLUMN_YIELDS, "inferred, or nothing",
	                   NULL },
	[COW_MAPPING] = { "mapping", "MAPPING", COLUMN_PATH, COLUMN_YIELDS, "the file, or what it is called", NULL },
	[COW_IS_TOUCHED] = { "touched_by_debugger", .type = COLUMN_BOOL },
	[COW_TOUCHED_BY] = { "touched_by", .type = COLUMN_LIST },
	[COW_TOUCHED] = { NULL, "TOUCHED", COLUMN_TEXT, COLUMN_SPARSE | COLUMN_LONG | COLUMN_YIELDS,
	                  "what a debugger wrote there", NULL },
	[COW_NAMES] = { "names", .type = COLUMN_RECORDS, .of = &name_schema },
	[COW_NAMES_TOTAL] = { "names_total", .type = COLUMN_COUNT },
	[COW_TOP_NAMES] = { NULL, "NAMES", COLUMN_TEXT, COLUMN_LONG | COLUMN_STAYS, "the best names on the pages",
	                    NULL },
	[COW_PARENT_START] = { "parent_start", "PARENT", COLUMN_ADDRESS, COLUMN_SECONDARY,
	                       "where the parent has it, if elsewhere", NULL },
	[COW_SIZE] = { NULL, "SIZE", COLUMN_BYTES, COLUMN_SECONDARY, "the same as PAGES, in bytes", NULL },
	MAPPING_COLUMNS_OF(COW_VMA),
};
static const uint32_t cow_shown[] = { COW_START,   COW_PARENT_START, COW_END,     COW_PAGES,     COW_SIZE,
	                              COW_VERDICT, COW_INFERRED,     COW_TOUCHED, COW_TOP_NAMES, MAPPING_SHOWN(COW_VMA),
	                              COW_MAPPING };
const struct row_schema cow_schema = ROW_SCHEMA_SHOWN(cow_columns, cow_shown);

/* Without those: copied whoever did it, and new in the two together. */
enum { COST_COPIED, COST_NEW };
static const struct column cost_columns[] = {
	[COST_COPIED] = { "copied", .type = COLUMN_BYTES },
	[COST_NEW] = { "new", .type = COLUMN_BYTES },
};
static const struct row_schema cost_schema = ROW_SCHEMA(cost_columns);

enum {
	DOCUMENT_PARENT,
	DOCUMENT_CHILD,
	DOCUMENT_BASE,
	DOCUMENT_BASE_OTHER,
	DOCUMENT_WARNING,
	DOCUMENT_NOT_COMPARED,
	DOCUMENT_TOTALS,
	DOCUMENT_TOUCHED,
	DOCUMENT_READ,
	DOCUMENT_COST,
	DOCUMENT_FORKED,
	DOCUMENT_SINCE,
	DOCUMENT_BY_BASE,
	DOCUMENT_WHEN,
	DOCUMENT_MOVES,
	DOCUMENT_RANGES,
};
static const struct column document_columns[] = {
	[DOCUMENT_PARENT] = { "parent", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_CHILD] = { "child", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_BASE] = { "base", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_BASE_OTHER] = { "base_other", .type = COLUMN_RECORD, .of = &snapshot_schema },
	[DOCUMENT_WARNING] = { "warning", .type = COLUMN_NAME },
	[DOCUMENT_NOT_COMPARED] = { "not_compared", .type = COLUMN_WORD },
	[DOCUMENT_TOTALS] = { "totals", .type = COLUMN_COUNTS },
	[DOCUMENT_TOUCHED] = { "touched_by_debugger", .type = COLUMN_RECORD, .of = &touched_verdicts_schema },
	[DOCUMENT_READ] = { "read_by_debugger", .type = COLUMN_COUNT },
	[DOCUMENT_COST] = { "cost", .type = COLUMN_RECORD, .of = &cost_schema },
	[DOCUMENT_FORKED] = { "forked", .type = COLUMN_TIME },
	[DOCUMENT_SINCE] = { "since_fork_us", .type = COLUMN_DURATION },
	[DOCUMENT_BY_BASE] = { "copied_by_base", .type = COLUMN_BYTES },
	[DOCUMENT_WHEN] = { "when", .type = COLUMN_RECORD, .of = &when_schema },
	[DOCUMENT_MOVES] = { "kernel_moves", .type = COLUMN_WORD },
	[DOCUMENT_RANGES] = { "ranges", .type = COLUMN_ROWS, .of = &cow_schema },
};
const struct row_schema cow_document_schema = ROW_SCHEMA(document_columns);

struct printed {
	const struct vmsnap_cow *cow;
	struct cow_touched touched;
	struct naming naming;
	unsigned flags;
	const struct work *work; /* what may cancel it */
};

static int put_range_names(struct row *row, const struct printed *printed, const struct vmsnap_cow_range *range,
                           struct vmsnap_error *err)
{
	int rc = VMSNAP_OK;
	/* What lies in pages of a file that nobody changed is not looked up: it would be all of it. */
	bool unchanged = range->verdict == VMSNAP_VERDICT_FILE;
	struct vmsnap_names *names = unchanged ? NULL : printed->naming.names;
	if (row_wants(row, COW_NAMES))
		rc = put_names(row, COW_NAMES, COW_NAMES_TOTAL, names, range->start, range->end, err);
	if (rc || unchanged || !row_wants(row, COW_TOP_NAMES))
		return rc;
	struct top_names top;
	top_names_init(&top, &printed->naming);
	rc = top_names_add(&top, range->start, range->end, err);
	if (!rc)
		put_top_names(row, COW_TOP_NAMES, &top);
	return rc;
}

static int put_range(struct row *row, const struct printed *printed, const struct vmsnap_cow_range *range,
                     struct vmsnap_error *err)
{
	struct touched_reasons reasons = { .count = 0 };
	cow_touched_reasons(&printed->touched, range, &reasons);
	row_put_address(row, COW_START, range->start);
	row_put_address(row, COW_END, range->end);
	row_put_count(row, COW_PAGES, pages_of(vmsnap_cow_child(printed->cow), range->end - range->start));
	row_put_word(row, COW_VERDICT, vmsnap_verdict_name(range->verdict));
	row_mark(row, COW_VERDICT, cow_verdict_color(range->verdict));
	row_put_bool(row, COW_INFERRED, range->inferred);
	if (range->vma)
		row_put_mapping(row, COW_MAPPING, printed->naming.names, vmsnap_cow_child(printed->cow), range->vma);
	else
		row_put_name(row, COW_MAPPING, "");
	put_touched(row, COW_IS_TOUCHED, COW_TOUCHED_BY, range->touched, &reasons);
	put_touched_text(row, COW_TOUCHED, range->touched, &reasons);
	int rc = put_range_names(row, printed, range, err);
	if (range->moved)
		row_put_address(row, COW_PARENT_START, range->parent_start);
	row_put_bytes(row, COW_SIZE, range->end - range->start);
	put_mapping_columns(row, COW_VMA, range->vma);
	if (!rc)
		row_end(row);
	return rc;
}

static int range_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	struct vmsnap_cow_range range;
	int rc = VMSNAP_OK;
	for (size_t i = 0; !rc && !text_failed(row->text) && !vmsnap_cow_range(printed->cow, i, &range); i++)
		rc = put_range(row, printed, &range, err);
	return rc;
}

/* All of them, where nothing is compared. */
static uint32_t unknown_verdicts(const struct vmsnap_cow *cow)
{
	return vmsnap_cow_relation(cow) == VMSNAP_RELATION_COMPARABLE ? 0 : (1u << VMSNAP_VERDICT_COUNT) - 1;
}

static void put_cost(struct row *document, const struct vmsnap_cow *cow)
{
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size, copied = 0;
	struct cow_costs costs = cow_costs(cow);
	struct row record = row_open(document, DOCUMENT_COST);
	for (int i = 0; i < COST_KINDS; i++)
		copied += costs.copied[i];
	/* Of a side that was last seen at the fork it is not known. */
	if (vmsnap_cow_relation(cow) == VMSNAP_RELATION_COMPARABLE && !cow_side_unseen(cow)) {
		row_put_bytes(&record, COST_COPIED, copied * page_size);
		row_put_bytes(&record, COST_NEW, costs.made * page_size);
	} else {
		row_put_unknown(&record, COST_COPIED);
		row_put_unknown(&record, COST_NEW);
	}
	row_end(&record);
}

static int put_reads(struct row *document, const struct printed *printed, struct vmsnap_error *err)
{
	struct debugger_reads reads;
	int rc = debugger_reads(printed->cow, &document->text->work, &reads);
	if (rc)
		return work_fail(&document->text->work, rc, err);
	if (vmsnap_cow_relation(printed->cow) == VMSNAP_RELATION_COMPARABLE)
		row_put_count(document, DOCUMENT_READ, reads.pages);
	return rc;
}

static int put_times(struct row *document, const struct printed *printed, struct vmsnap_error *err)
{
	const struct vmsnap_cow *cow = printed->cow;
	struct cow_began began = { .known = false };
	bool compared = vmsnap_cow_relation(cow) == VMSNAP_RELATION_COMPARABLE;
	int rc = compared ? cow_began(cow, printed->work, &began, err) : VMSNAP_OK;
	const struct vmsnap *parent = vmsnap_cow_parent(cow), *child = vmsnap_cow_child(cow);
	struct fork_when when = { .known = false };
	struct fork_time time;
	uint64_t pages;
	const char *moves = kernel_moves_word(kernel_moves_of_fork(parent, child, vmsnap_cow_base(cow), &pages));
	rc = rc ? rc : text_cow_when(document->text, cow, &began, &when, err);
	if (fork_time_of(parent, child, &time)) {
		row_put_time(document, DOCUMENT_FORKED, time.at);
		row_put_duration(document, DOCUMENT_SINCE, time.before);
	}
	if (began.known && !began.least)
		row_put_bytes(document, DOCUMENT_BY_BASE, began.by_base);
	row_put_when(document, DOCUMENT_WHEN, &when);
	if (moves)
		row_put_word(document, DOCUMENT_MOVES, moves);
	return rc;
}

static int fill_document(struct row *document, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	const struct vmsnap_cow *cow = printed->cow;
	bool only_totals = printed->flags & VMSNAP_PRINT_TOTALS_ONLY;
	uint64_t totals[VMSNAP_VERDICT_COUNT], touched[VMSNAP_VERDICT_COUNT];
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++) {
		totals[i] = vmsnap_cow_pages(cow, i);
		touched[i] = vmsnap_cow_touched_pages(cow, i);
	}
	put_snapshot(document, DOCUMENT_PARENT, vmsnap_cow_parent(cow));
	put_snapshot(document, DOCUMENT_CHILD, vmsnap_cow_child(cow));
	if (vmsnap_cow_base(cow))
		put_snapshot(document, DOCUMENT_BASE, vmsnap_cow_base(cow));
	if (vmsnap_cow_base_other(cow))
		put_snapshot(document, DOCUMENT_BASE_OTHER, vmsnap_cow_base_other(cow));
	row_put_name_if_any(document, DOCUMENT_WARNING, vmsnap_cow_warning(cow));
	put_not_compared(document, DOCUMENT_NOT_COMPARED, vmsnap_cow_relation(cow));
	row_put_counts(document, DOCUMENT_TOTALS, totals, VMSNAP_VERDICT_COUNT, unknown_verdicts(cow),
	               vmsnap_verdict_name);
	put_touched_verdicts(document, DOCUMENT_TOUCHED, touched, unknown_verdicts(cow));
	int rc = put_reads(document, printed, err);
	put_cost(document, cow);
	rc = rc ? rc : put_times(document, printed, err);
	return rc ? rc : row_rows(document, DOCUMENT_RANGES, only_totals ? rows_none : range_rows, ctx, err);
}

static int print_to(struct text *text, struct printed *printed, struct vmsnap_error *err)
{
	if (text->style->json)
		return emit_json(text, "vmsnap.cow/1", &cow_document_schema, fill_document, printed, err);
	if (emit_table_is_asked(text))
		return emit_table(text, &cow_schema, range_rows, printed, err);
	return put_cow_text(text, printed->cow, &printed->touched, &printed->naming, printed->flags, err);
}

VMSNAP_API int vmsnap_print_cow(const struct vmsnap_cow *cow, struct vmsnap_names *names, unsigned flags,
                                const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct text text;
	struct printed printed = { .cow = cow, .flags = flags, .work = &text.work };
	if (flags & VMSNAP_PRINT_PICTURE)
		return print_cow_map(cow, names, out, err);
	int rc = text_open(&text, out, err);
	if (rc)
		return rc;
	printed.naming = naming_of(names, vmsnap_cow_parent(cow), vmsnap_cow_child(cow), vmsnap_cow_base(cow));
	text_limit_cow(&text, cow);
	rc = cow_touched_init(&printed.touched, cow, &text.work);
	rc = rc ? work_fail(&text.work, rc, err) : print_to(&text, &printed, err);
	cow_touched_free(&printed.touched, &text.work);
	return rc ? rc : text_close(&text, err);
}
