#include "touched_columns.h"

#include <string.h>

#include "row_schema.h"

enum { TOTALS_PAGES, TOTALS_BY_VERDICT };
static const struct column totals_columns[] = {
	[TOTALS_PAGES] = { "pages", .type = COLUMN_COUNT },
	[TOTALS_BY_VERDICT] = { "totals", .type = COLUMN_COUNTS },
};
const struct row_schema touched_verdicts_schema = ROW_SCHEMA(totals_columns);

void put_touched_verdicts(struct row *row, unsigned column, const uint64_t totals[VMSNAP_VERDICT_COUNT],
                          uint32_t unknown)
{
	struct row record = row_open(row, column);
	uint64_t pages = 0;
	for (int i = 0; i < VMSNAP_VERDICT_COUNT; i++)
		pages += totals[i];
	row_put_count(&record, TOTALS_PAGES, pages);
	row_put_counts(&record, TOTALS_BY_VERDICT, totals, VMSNAP_VERDICT_COUNT, unknown, vmsnap_verdict_name);
	row_end(&record);
}

static void put_list(struct row *row, unsigned column, const struct touched_reasons *reasons, bool unknown)
{
	if (!row_wants(row, column))
		return;
	struct row list = row_open(row, column);
	for (size_t i = 0; i < reasons->count; i++)
		row_item(&list, reasons->first[i]->symbol, strlen(reasons->first[i]->symbol));
	if (unknown)
		row_item(&list, "unknown", strlen("unknown"));
	row_end(&list);
}

void put_touched(struct row *row, unsigned whether, unsigned by, bool touched, const struct touched_reasons *reasons)
{
	row_put_bool(row, whether, touched);
	put_list(row, by, reasons, false);
}

void put_touched_list(struct row *row, unsigned column, bool touched, const struct touched_reasons *reasons)
{
	put_list(row, column, reasons, touched && !reasons->count);
}

void put_touched_text(struct row *row, unsigned column, bool touched, const struct touched_reasons *reasons)
{
	if (!touched)
		return;
	row_text(row, column, reasons->count ? "" : "touched");
	for (size_t i = 0; i < reasons->count; i++) {
		const char *symbol = reasons->first[i]->symbol;
		row_text(row, column, i ? "," : "");
		row_text_name(row, column, symbol, strlen(symbol));
	}
	row_text(row, column, reasons->more ? ",..." : "");
}
