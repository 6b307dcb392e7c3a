/* What reports are made of: every key in a schema is recorded, every recorded key is in a
 * schema, and every column says what it is. */
#include <stdio.h>

#include "emitter.h"
#include "schemas.h"
#include "test_print_support.h"

static const struct {
	const char *report;
	const struct row_schema *document;
} documents[] = {
	{ "abilities", &abilities_document_schema },
	{ "aslr", &aslr_document_schema },
	{ "check", &check_document_schema },
	{ "cow", &cow_document_schema },
	{ "diff", &diff_document_schema },
	{ "dump", &dump_document_schema },
	{ "history", &history_document_schema },
	{ "list", &list_document_schema },
	{ "map", &map_one_schema },
	{ "map", &map_two_schema },
	{ "page", &page_document_schema },
	{ "pages", &pages_document_schema },
	{ "series", &series_document_schema },
	{ "series_forks", &series_forks_document_schema },
	{ "set_cow", &set_cow_document_schema },
	{ "group", &sharing_document_schema },
	{ "group_by", &sharing_by_document_schema },
	{ "set_diff", &set_diff_document_schema },
	{ "values", &values_document_schema },
	{ "blame", &blame_document_schema },
	{ "who", &who_document_schema },
	{ "written", &written_document_schema },
	{ "show", &show_document_schema },
	{ "show_by", &show_by_document_schema },
	{ "status", &status_document_schema },
	{ "snapshots", &snapshots_document_schema },
};
enum { DOCUMENTS = sizeof(documents) / sizeof(documents[0]) };

/* ---- the record ------------------------------------------------------------------- */

enum { LINES_MAX = 4096, LINE_MAX_LEN = 512 };
struct reader {
	char lines[LINES_MAX][LINE_MAX_LEN]; /* "COMMAND PATH" */
	bool seen[LINES_MAX];
	size_t count;
};

static struct reader *record_read(void)
{
	static struct reader record;
	char line[4 * LINE_MAX_LEN];
	FILE *file = fopen(TESTS_DIR "/golden/json_keys.txt", "r");
	assert_non_null(file);
	memset(&record, 0, sizeof(record));
	while (fgets(line, sizeof(line), file)) {
		char *end = strchr(line, ' ');
		end = end ? strchr(end + 1, ' ') : NULL;
		if (*line == '#' || !end)
			continue;
		assert_true(record.count < LINES_MAX && end - line < LINE_MAX_LEN);
		memcpy(record.lines[record.count++], line, (size_t)(end - line));
	}
	(void)fclose(file);
	return &record;
}

/* A path, and all that is below it if `below`. */
static void see(struct reader *record, const char *report, const char *path, bool below)
{
	char wanted[LINE_MAX_LEN];
	bool found = false;
	int len = snprintf(wanted, sizeof(wanted), "%s %s", report, path);
	assert_true(len > 0 && (size_t)len < sizeof(wanted));
	for (size_t i = 0; i < record->count; i++) {
		const char *line = record->lines[i];
		if (strncmp(line, wanted, (size_t)len))
			continue;
		bool same = !line[len], within = below && (line[len] == '.' || line[len] == '[');
		record->seen[i] |= same || within;
		found |= same;
	}
	if (!found)
		fail_msg("%s is in a schema, and not in json_keys.txt", wanted);
}

static void walk(struct reader *record, const char *report, const char *before, const struct row_schema *schema)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct column *column = &schema->columns[i];
		char path[LINE_MAX_LEN];
		if (column->flags & COLUMN_FLAT) {
			if (column->of)
				walk(record, report, before, column->of);
			continue;
		}
		if (!column->key)
			continue;
		bool rows = column->type == COLUMN_ROWS || column->type == COLUMN_RECORDS;
		snprintf(path, sizeof(path), "%s%s", before, column->key);
		see(record, report, path, !column->of);
		snprintf(path, sizeof(path), "%s%s%s", before, column->key, rows ? "[]" : "");
		if (rows)
			see(record, report, path, false);
		snprintf(path, sizeof(path), "%s%s%s.", before, column->key, rows ? "[]" : "");
		if (column->of)
			walk(record, report, path, column->of);
	}
}

/* Flat counts have keys that no schema tells: those of the library's enumerations. */
static void see_counts(struct reader *record, const char *report, const char *before)
{
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++) {
		char path[LINE_MAX_LEN];
		snprintf(path, sizeof(path), "%s%s", before, vmsnap_page_change_name(i));
		see(record, report, path, false);
	}
}

static void every_key_is_recorded_and_every_recorded_key_has_a_schema(void **state)
{
	(void)state;
	struct reader *record = record_read();
	for (size_t i = 0; i < DOCUMENTS; i++) {
		see(record, documents[i].report, "schema", false);
		walk(record, documents[i].report, "", documents[i].document);
	}
	see_counts(record, "diff", "totals.");
	see_counts(record, "diff", "touched_by_debugger.totals.");
	for (size_t i = 0; i < record->count; i++)
		if (!record->seen[i])
			fail_msg("%s is recorded, and in no schema", record->lines[i]);
}

/* ---- columns ------------------------------------------------------------------------ */

static bool for_people_only(enum column_type type)
{
	return type == COLUMN_SHARE || type == COLUMN_FRAME || type == COLUMN_TEXT || type == COLUMN_STRIP ||
	       type == COLUMN_CHANGE;
}

static bool for_programs_only(enum column_type type)
{
	return type == COLUMN_RECORD || type == COLUMN_RECORDS || type == COLUMN_ROWS || type == COLUMN_LIST ||
	       type == COLUMN_COUNTS || type == COLUMN_OPEN;
}

static void check_types(const struct row_schema *schema)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct column *column = &schema->columns[i];
		assert_false(column->key && for_people_only(column->type));
		assert_false(column->heading && for_programs_only(column->type));
		bool has_rows =
		        column->type == COLUMN_RECORD || column->type == COLUMN_RECORDS || column->type == COLUMN_ROWS;
		assert_true(has_rows == (column->of != NULL));
		if (column->of)
			check_types(column->of);
	}
}

static void types_are_where_somebody_can_show_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < DOCUMENTS; i++)
		check_types(documents[i].document);
}

static void every_column_of_a_table_is_listed_and_explained(void **state)
{
	(void)state;
	for (int report = VMSNAP_REPORT_SHOW; report < 64; report++) {
		size_t count = 0;
		/* Some numbers are no report's. */
		if (!vmsnap_report_name(report)) {
			assert_null(vmsnap_report_column_name(report, 0));
			continue;
		}
		const char *name;
		bool usual = false;
		for (; (name = vmsnap_report_column_name(report, count)); count++) {
			assert_non_null(vmsnap_report_column_help(report, count));
			usual |= vmsnap_report_column_usual(report, count);
			for (size_t i = 0; i < count; i++)
				assert_string_not_equal(vmsnap_report_column_name(report, i), name);
		}
		assert_true(count > 1 && usual);
		assert_null(vmsnap_report_column_help(report, count));
		assert_false(vmsnap_report_column_usual(report, count));
	}
}

static void of_no_report_there_are_no_columns(void **state)
{
	(void)state;
	assert_null(vmsnap_report_column_name(0, 0));
	assert_null(vmsnap_report_column_name(-1, 0));
	assert_null(vmsnap_report_column_name(1000, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_recorded_and_every_recorded_key_has_a_schema),
		cmocka_unit_test(types_are_where_somebody_can_show_them),
		cmocka_unit_test(every_column_of_a_table_is_listed_and_explained),
		cmocka_unit_test(of_no_report_there_are_no_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
