#include "cow_table.h"

#include <stdio.h>

#include "cow_answer_text.h"
#include "emitter.h"
#include "format_value.h"
#include "mapping_label.h"
#include "parts_text.h"
#include "text_color.h"
#include "text_fit.h"
#include "touched_text.h"

enum {
	ROW_START,
	ROW_SIZE,
	ROW_PAGES,
	ROW_PARENT,
	ROW_CHILD,
	ROW_BOTH,
	ROW_EITHER,
	ROW_SHARED,
	ROW_LOST,
	ROW_INFERRED,
	ROW_MAPPING,
};
static const struct column row_columns[] = {
	[ROW_START] = { NULL, "START", COLUMN_ADDRESS, 0, NULL, NULL },
	[ROW_SIZE] = { NULL, "SIZE", COLUMN_BYTES, COLUMN_YIELDS, NULL, NULL },
	[ROW_PAGES] = { NULL, "PAGES", COLUMN_STRIP, 0, NULL, NULL },
	[ROW_PARENT] = { NULL, "PARENT", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_STAYS, NULL, NULL },
	[ROW_CHILD] = { NULL, "CHILD", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_STAYS, NULL, NULL },
	[ROW_BOTH] = { NULL, "BOTH", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_STAYS, NULL, NULL },
	[ROW_EITHER] = { NULL, "EITHER", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_STAYS, NULL, NULL },
	[ROW_SHARED] = { NULL, "SHARED", COLUMN_BYTES, 0, NULL, NULL },
	[ROW_LOST] = { NULL, "LOST%", COLUMN_SHARE, COLUMN_YIELDS, NULL, NULL },
	[ROW_INFERRED] = { NULL, "INFERRED", COLUMN_BYTES, COLUMN_SPARSE | COLUMN_YIELDS, NULL, NULL },
	[ROW_MAPPING] = { NULL, "MAPPING", COLUMN_PATH, COLUMN_STAYS, NULL, NULL },
};
static const struct row_schema row_schema = ROW_SCHEMA(row_columns);

struct printed {
	const struct vmsnap_cow *cow;
	const struct cow_rows *rows;
	size_t count; /* of those that are told */
	struct vmsnap_names *names;
	unsigned flags;
};

/* All who lost much; who wants to see everything asks for it. */
enum { ROWS_SHOWN = 8 };

static size_t rows_told(const struct cow_rows *rows, unsigned flags)
{
	size_t most = flags & VMSNAP_PRINT_LONG ? rows->count : ROWS_SHOWN;
	size_t told = flags & VMSNAP_PRINT_LONG ? rows->count : rows->lost;
	return told < most ? told : most;
}

struct strip_source {
	const struct vmsnap_cow *cow;
	const struct cow_row *row;
};

static void fill_strip(void *ctx, struct strip *strip, bool quiet)
{
	const struct strip_source *source = ctx;
	struct vmsnap_cow_range range;
	for (size_t i = 0; i < source->row->count; i++) {
		if (vmsnap_cow_range(source->cow, source->row->first + i, &range))
			break;
		int page_class = verdict_class(range.verdict);
		if (quiet || page_class >= CLASS_EVENTS)
			strip_add(strip, range.start, range.end, page_class);
	}
}

static void put_by(struct row *row, unsigned column, const struct cow_shares *shares, enum cow_cost cost)
{
	if (!shares->by[cost])
		return;
	row_put_bytes(row, column, shares->by[cost]);
	row_mark(row, column, cow_cost_class(cost));
}

static void put_mapping(struct row *row, const struct printed *printed, const struct cow_row *cow_row)
{
	if (!cow_row->vma) {
		row_put_name(row, ROW_MAPPING, "(not mapped)");
		return;
	}
	row_put_mapping(row, ROW_MAPPING, printed->names, vmsnap_cow_child(printed->cow), cow_row->vma);
}

static void put_row(struct row *row, const struct printed *printed, const struct cow_row *cow_row)
{
	const struct cow_shares *shares = &cow_row->shares;
	struct strip_source source = { printed->cow, cow_row };
	const struct strip_of strip = { cow_row->start, cow_row->end,
		                        vmsnap_info(vmsnap_cow_child(printed->cow))->page_size, fill_strip, &source };
	row_put_address(row, ROW_START, cow_row->start);
	row_put_bytes(row, ROW_SIZE, cow_row->end - cow_row->start);
	row_put_strip(row, ROW_PAGES, &strip);
	put_by(row, ROW_PARENT, shares, COST_BY_PARENT);
	put_by(row, ROW_CHILD, shares, COST_BY_CHILD);
	put_by(row, ROW_BOTH, shares, COST_BY_BOTH);
	put_by(row, ROW_EITHER, shares, COST_BY_UNKNOWN);
	if (shares->shared)
		row_put_bytes(row, ROW_SHARED, shares->shared);
	if (shares->lost)
		row_put_share(row, ROW_LOST, shares->lost, shares->lost + shares->shared);
	/* Where all is, it is said above. */
	if (printed->flags & VMSNAP_PRINT_LONG && cow_shares_known(&printed->rows->all) && shares->lost_inferred)
		row_put_bytes(row, ROW_INFERRED, shares->lost_inferred);
	put_mapping(row, printed, cow_row);
	row_end(row);
}

static int table_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	const struct printed *printed = ctx;
	(void)err;
	for (size_t i = 0; i < printed->count && !text_failed(row->text); i++)
		put_row(row, printed, &printed->rows->items[i]);
	return VMSNAP_OK;
}

int put_cow_table(struct text *text, const struct vmsnap_cow *cow, const struct cow_rows *rows,
                  struct vmsnap_names *names, unsigned flags, struct vmsnap_error *err)
{
	struct printed printed = { cow, rows, rows_told(rows, flags), names, flags };
	return printed.count ? emit_other_table(text, &row_schema, table_rows, &printed, err) : VMSNAP_OK;
}

/* ---- the rest ------------------------------------------------------------------------------ */

static uint64_t bytes_of(const struct vmsnap_cow *cow, int verdict)
{
	return (vmsnap_cow_pages(cow, verdict) - vmsnap_cow_touched_pages(cow, verdict)) *
	       vmsnap_info(vmsnap_cow_child(cow))->page_size;
}

/* What is no part of what was shared. */
static void put_uncounted(struct fit_line *line, bool *any, uint64_t bytes, const char *what)
{
	if (bytes && !*any) {
		fit_glue(line, line->fresh ? "" : ";");
		fit_words(line, "not counted:");
	}
	put_part(line, any, "", bytes, what);
}

/* Pages that a debugger wrote to are in no other sum; with what, the first few. */
static void put_touched(struct fit_line *line, bool *any, const struct vmsnap_cow *cow,
                        const struct cow_touched *touched)
{
	struct touched_reasons reasons = { .count = 0 };
	struct vmsnap_cow_range range;
	uint64_t pages = 0;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		pages += vmsnap_cow_touched_pages(cow, i);
	if (!pages)
		return;
	put_uncounted(line, any, pages * vmsnap_info(vmsnap_cow_child(cow))->page_size, "touched by gdb");
	for (size_t i = 0; !vmsnap_cow_range(cow, i, &range); i++)
		cow_touched_reasons(touched, &range, &reasons);
	touched_reasons_put(&reasons, line, "(", ")", false);
}

/* Of what was left out, how many rows lost something, some of their mappings as a rule, and how many mappings nothing.
 */
static void put_left_out(struct fit_line *line, const struct cow_rows *rows, size_t told)
{
	const char *more = told ? " more" : "";
	size_t losing = 0, sharing = 0;
	uint64_t lost = 0;
	char words[96];
	for (size_t i = told; i < rows->count; i++) {
		uint64_t of_row = rows->items[i].shares.lost;
		lost += of_row;
		losing += of_row != 0;
		sharing += of_row ? 0 : rows->items[i].mappings;
	}
	if (losing) {
		snprintf(words, sizeof(words), "%zu%s row%s lost %s%s", losing, more, word_plural(losing),
		         word_size(line->text->style, lost).text, sharing ? "," : "");
		fit_words(line, words);
		more = "";
	}
	if (sharing) {
		snprintf(words, sizeof(words), "%zu%s mapping%s lost nothing", sharing, more, word_plural(sharing));
		fit_words(line, words);
	}
}

void put_cow_rest(struct text *text, const struct vmsnap_cow *cow, const struct cow_rows *rows,
                  const struct cow_touched *touched, unsigned flags)
{
	static const int zero[] = { VMSNAP_VERDICT_ZERO_SHARED, VMSNAP_VERDICT_ZERO_IN_CHILD,
		                    VMSNAP_VERDICT_ZERO_IN_PARENT, VMSNAP_VERDICT_ZERO_IN_BOTH, VMSNAP_VERDICT_ZERO };
	uint64_t page_size = vmsnap_info(vmsnap_cow_child(cow))->page_size, zeros = 0;
	struct cow_costs costs = cow_costs(cow);
	struct fit_line line = fit_line(text, 0, 2);
	bool any = false;
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		zeros += bytes_of(cow, zero[i]);
	color_start(text, COLOR_DIM);
	put_left_out(&line, rows, rows_told(rows, flags));
	put_uncounted(&line, &any, bytes_of(cow, VMSNAP_VERDICT_FILE), "files");
	put_uncounted(&line, &any, bytes_of(cow, VMSNAP_VERDICT_SHARED_MAPPING), "shared memory");
	put_uncounted(&line, &any, zeros, "zero page");
	put_uncounted(&line, &any, costs.made * page_size, "new");
	put_uncounted(&line, &any, costs.alone * page_size, "in one only");
	put_uncounted(&line, &any, bytes_of(cow, VMSNAP_VERDICT_DROPPED_BY_PARENT), "dropped by the parent");
	put_uncounted(&line, &any, bytes_of(cow, VMSNAP_VERDICT_DROPPED_BY_CHILD), "dropped by the child");
	put_uncounted(&line, &any, bytes_of(cow, VMSNAP_VERDICT_DROPPED_BY_BOTH), "dropped by both");
	put_uncounted(&line, &any, bytes_of(cow, VMSNAP_VERDICT_SWAPPED), "swapped");
	put_touched(&line, &any, cow, touched);
	color_end(text, COLOR_DIM);
	text_string(text, line.fresh ? "" : "\n");
}
