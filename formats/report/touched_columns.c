#include "touched_columns.h"

#include <string.h>

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
