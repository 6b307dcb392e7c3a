#include "error_record.h"

enum { ERROR_KIND, ERROR_OFFSET, ERROR_MESSAGE };
static const struct column error_columns[] = {
	[ERROR_KIND] = { "kind", .type = COLUMN_WORD },
	[ERROR_OFFSET] = { "offset", .type = COLUMN_OFFSET },
	[ERROR_MESSAGE] = { "message", .type = COLUMN_NAME },
};
const struct row_schema error_schema = ROW_SCHEMA(error_columns);

static const char *error_kind(int code)
{
	static const char *const kinds[] = {
		[0] = "ok",
		[-VMSNAP_ERR_ARGUMENT] = "argument",
		[-VMSNAP_ERR_NO_MEMORY] = "no_memory",
		[-VMSNAP_ERR_SYSTEM] = "system",
		[-VMSNAP_ERR_PROC] = "proc",
		[-VMSNAP_ERR_NO_PROCESS] = "no_process",
		[-VMSNAP_ERR_KERNEL_THREAD] = "kernel_thread",
		[-VMSNAP_ERR_ZOMBIE] = "zombie",
		[-VMSNAP_ERR_PERMISSION] = "permission",
		[-VMSNAP_ERR_EXITED] = "exited",
		[-VMSNAP_ERR_EXECED] = "execed",
		[-VMSNAP_ERR_NOT_SNAPSHOT] = "not_snapshot",
		[-VMSNAP_ERR_NEWER] = "newer",
		[-VMSNAP_ERR_CORRUPT] = "corrupt",
		[-VMSNAP_ERR_TRUNCATED] = "truncated",
		[-VMSNAP_ERR_TOO_LARGE] = "too_large",
		[-VMSNAP_ERR_NOT_FOUND] = "not_found",
		[-VMSNAP_ERR_CANCELLED] = "cancelled",
	};
	return code <= 0 && code > -(int)(sizeof(kinds) / sizeof(kinds[0])) ? kinds[-code] : "unknown";
}

void put_error(struct row *row, unsigned column, int code, const struct vmsnap_error *error)
{
	if (!code)
		return;
	struct row record = row_open(row, column);
	row_put_word(&record, ERROR_KIND, error_kind(code));
	row_put_offset(&record, ERROR_OFFSET, error->position);
	row_put_name(&record, ERROR_MESSAGE, error->message);
	row_end(&record);
}
