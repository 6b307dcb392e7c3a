/* columns.c - which columns each report has, for those who let people choose. */
#include "emitter.h"
#include "error.h"
#include "schemas.h"

static const struct row_schema *schema_of(int report)
{
	static const struct row_schema *const schemas[] = {
		[VMSNAP_REPORT_SHOW] = &show_schema,
		[VMSNAP_REPORT_PAGES] = &pages_schema,
		[VMSNAP_REPORT_DIFF] = &diff_schema,
		[VMSNAP_REPORT_COW] = &cow_schema,
		[VMSNAP_REPORT_STATUS_ONE] = &status_one_schema,
		[VMSNAP_REPORT_STATUS_TWO] = &status_schema,
		[VMSNAP_REPORT_LIST] = &list_schema,
		[VMSNAP_REPORT_CHECK] = &check_schema,
		[VMSNAP_REPORT_SNAPSHOTS] = &snapshots_schema,
		[VMSNAP_REPORT_HISTORY] = &history_schema,
		[VMSNAP_REPORT_SET_DIFF] = &set_diff_schema,
		[VMSNAP_REPORT_SET_COW] = &set_cow_schema,
		[VMSNAP_REPORT_VALUES] = &values_schema,
		[VMSNAP_REPORT_SERIES] = &series_schema,
		[VMSNAP_REPORT_SERIES_COW] = &series_forks_schema,
		[VMSNAP_REPORT_WHO] = &who_schema,
		[VMSNAP_REPORT_WHO_FILE] = &who_file_schema,
		[VMSNAP_REPORT_KINDS] = &show_by_schema,
		[VMSNAP_REPORT_ASLR] = &aslr_schema,
		[VMSNAP_REPORT_GROUP] = &sharing_schema,
		[VMSNAP_REPORT_GROUP_BY] = &sharing_by_schema,
		[VMSNAP_REPORT_BLAME] = &blame_schema,
	};
	return report > 0 && (size_t)report < sizeof(schemas) / sizeof(schemas[0]) ? schemas[report] : NULL;
}

static const struct column *column_at(int report, size_t index)
{
	const struct row_schema *schema = schema_of(report);
	return schema && index < schema_shown_count(schema) ? schema_shown(schema, index) : NULL;
}

VMSNAP_API const char *vmsnap_report_column_name(int report, size_t index)
{
	const struct column *column = column_at(report, index);
	return column ? column->heading : NULL;
}

VMSNAP_API const char *vmsnap_report_column_help(int report, size_t index)
{
	const struct column *column = column_at(report, index);
	return column ? column->help : NULL;
}

VMSNAP_API bool vmsnap_report_column_usual(int report, size_t index)
{
	const struct column *column = column_at(report, index);
	return column && !(column->flags & COLUMN_SECONDARY);
}
