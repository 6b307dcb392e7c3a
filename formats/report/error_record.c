#include "error_record.h"

enum { ERROR_KIND, ERROR_OFFSET, ERROR_MESSAGE };
static const struct column error_columns[] = {
	[ERROR_KIND] = { "kind", .type = COLUMN_WORD },
	[ERROR_OFFSET] = { "offset", .type = COLUMN_OFFSET },
	[ERROR_MESSAGE] = { "message", .type = COLUMN_NAME },
};
const struct row_schema error_schema = ROW_SCHEMA(error_columns);

void put_error(struct row *row, unsigned column, int code, const struct vmsnap_error *error)
{
	if (!code)
		return;
	struct row record = row_open(row, column);
	const char *kind = vmsnap_rc_name(code);
	row_put_word(&record, ERROR_KIND, kind ? kind : "unknown");
	row_put_offset(&record, ERROR_OFFSET, error->position);
	row_put_name(&record, ERROR_MESSAGE, error->message);
	row_end(&record);
}
