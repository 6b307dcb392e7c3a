/* Rows: what is put into them, as a table and as JSON. */
#include "emitter.h"
#include "test_print_support.h"

enum {
	ADDRESS,
	HEX,
	OFFSET,
	BYTES,
	DELTA,
	COUNT,
	BOOL,
	WORD,
	FLAGS,
	BUILD_ID,
	NAME,
	TIME,
	DURATION,
	STATUS,
	SHARE,
	FRAME,
	TEXT,
	LEFT_OUT,
	RECORD,
	LIST,
	COUNTS,
	OPEN,
	FLAT,
	PATH,
};
enum { SUB_A, SUB_B };
static const struct column sub_columns[] = {
	[SUB_A] = { "sub_a", .type = COLUMN_COUNT },
	[SUB_B] = { "sub_b", .type = COLUMN_COUNT },
};
static const struct row_schema sub_schema = ROW_SCHEMA(sub_columns);
static const struct column columns[] = {
	[ADDRESS] = { "address", "ADDRESS", .type = COLUMN_ADDRESS },
	[HEX] = { "hex", "HEX", .type = COLUMN_HEX },
	[OFFSET] = { "offset", "OFFSET", .type = COLUMN_OFFSET },
	[BYTES] = { "bytes", "BYTES", .type = COLUMN_BYTES },
	[DELTA] = { "delta", "DELTA", .type = COLUMN_DELTA },
	[COUNT] = { "count", "COUNT", .type = COLUMN_COUNT },
	[BOOL] = { "yes", "YES", .type = COLUMN_BOOL },
	[WORD] = { "word", "WORD", .type = COLUMN_WORD },
	[FLAGS] = { "flags", "FLAGS", .type = COLUMN_FLAGS },
	[BUILD_ID] = { "build_id", "BUILDID", .type = COLUMN_BUILD_ID },
	[NAME] = { "name", "NAME", .type = COLUMN_NAME },
	[TIME] = { "time", "TIME", .type = COLUMN_TIME },
	[DURATION] = { "us", "TOOK", .type = COLUMN_DURATION },
	[STATUS] = { "status", "STATUS", .type = COLUMN_STATUS },
	[SHARE] = { NULL, "SHARE", .type = COLUMN_SHARE },
	[FRAME] = { NULL, "FRAME", .type = COLUMN_FRAME },
	[TEXT] = { NULL, "TEXT", .type = COLUMN_TEXT, .flags = COLUMN_SPARSE },
	[LEFT_OUT] = { "left_out", .type = COLUMN_COUNT, .flags = COLUMN_OPTIONAL },
	[RECORD] = { "record", .type = COLUMN_RECORD, .of = &sub_schema },
	[LIST] = { "list", .type = COLUMN_LIST },
	[COUNTS] = { "counts", .type = COLUMN_COUNTS },
	[OPEN] = { "open", .type = COLUMN_OPEN },
	[FLAT] = { .type = COLUMN_RECORD, .flags = COLUMN_FLAT | COLUMN_OPTIONAL, .of = &sub_schema },
	[PATH] = { "path", "PATH", .type = COLUMN_PATH },
};
static const struct row_schema schema = ROW_SCHEMA(columns);

enum { DOCUMENT_BEFORE, DOCUMENT_ROWS, DOCUMENT_AFTER };
static const struct column document_columns[] = {
	[DOCUMENT_BEFORE] = { "before", .type = COLUMN_COUNT },
	[DOCUMENT_ROWS] = { "rows", .type = COLUMN_ROWS, .of = &schema },
	[DOCUMENT_AFTER] = { "after", .type = COLUMN_COUNT },
};
static const struct row_schema document_schema = ROW_SCHEMA(document_columns);

static const char *letter(int index)
{
	static const char *const letters[] = { "x", "y", "z" };
	return letters[index];
}

static void put_simple(struct row *row)
{
	static const uint8_t id[] = { 0xab, 0x01 };
	const struct vmsnap_status_field field = {
		.key = "VmRSS", .key_len = 5, .text = "8 kB", .text_len = 4, .is_size = true, .number = 8192
	};
	const struct vmsnap_run swapped = { .flags = VMSNAP_PAGE_SWAPPED, .swap_type = 1, .swap_offset = 0x4d };
	row_put_address(row, ADDRESS, 0x1000);
	row_put_hex(row, HEX, 0x1f);
	row_put_offset(row, OFFSET, 0x200);
	row_put_bytes(row, BYTES, 4096);
	row_put_delta(row, DELTA, true, 8192);
	row_put_count(row, COUNT, 17);
	row_put_bool(row, BOOL, true);
	row_put_word(row, WORD, "two words");
	row_put_flags(row, FLAGS, 1 | 4, 2, letter);
	row_put_build_id(row, BUILD_ID, id, sizeof(id));
	row_put_name(row, NAME, "a\nb");
	row_put_time(row, TIME, INT64_C(1700000000123456789));
	row_put_duration(row, DURATION, 250000);
	row_put_status(row, STATUS, &field);
	row_put_share(row, SHARE, 1, 3);
	row_put_frame(row, FRAME, &swapped, true);
	row_text(row, TEXT, "was ");
	row_text_name(row, TEXT, "\033x", 2);
}

static void put_nested(struct row *row)
{
	static const uint64_t counts[] = { 1, 0, 3 };
	struct row record = row_open(row, RECORD);
	row_put_count(&record, SUB_B, 2);
	row_end(&record);
	struct row list = row_open(row, LIST);
	row_item(&list, "one", 3);
	row_item(&list, "t\"o", 3);
	row_end(&list);
	row_put_counts(row, COUNTS, counts, 3, 1 << 1, letter);
	struct row open = row_open(row, OPEN);
	row_own_count(&open, "A\"b", 1, true);
	row_own_name(&open, "c", "d", 1);
	row_own_count(&open, "e", 0, false);
	row_end(&open);
	struct row flat = row_open(row, FLAT);
	row_put_count(&flat, SUB_A, 1);
	row_put_count(&flat, SUB_B, 2);
	row_end(&flat);
	row_put_name(row, PATH, "/bin/x");
}

/* One row with everything, one with nothing, one of which nothing is known. */
static int some_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	(void)ctx;
	(void)err;
	put_simple(row);
	put_nested(row);
	row_end(row);
	row_end(row);
	for (unsigned i = ADDRESS; i <= FRAME; i++)
		row_put_unknown(row, i);
	row_end(row);
	if (row_total(row)) {
		row_total_label(row, ADDRESS, "total");
		row_put_count(row, COUNT, 17);
		row_end_total(row);
	}
	return VMSNAP_OK;
}

static int fill(struct row *document, void *ctx, struct vmsnap_error *err)
{
	return row_rows(document, DOCUMENT_ROWS, some_rows, ctx, err);
}

static int print(struct catch *caught)
{
	struct text text;
	int rc = text_open(&text, &caught->out, &caught->err);
	assert_int_equal(rc, VMSNAP_OK);
	rc = caught->out.style.json ? emit_json(&text, "test/1", &document_schema, fill, NULL, &caught->err)
	                            : emit_table(&text, &schema, some_rows, NULL, &caught->err);
	return rc ? rc : text_close(&text, &caught->err);
}

static void rows_are_json_with_all_keys_in_order(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(print(caught), VMSNAP_OK);
	assert_string_equal(
	        caught->text,
	        "{\n \"schema\": \"test/1\",\n \"before\": null,\n \"rows\": [\n"
	        "  {\"address\": \"0x1000\", \"hex\": \"0x1f\", \"offset\": 512, \"bytes\": 4096, \"delta\": -8192, "
	        "\"count\": 17, \"yes\": true, \"word\": \"two words\", \"flags\": [\"x\", \"z\"], "
	        "\"build_id\": \"ab01\", \"name\": \"a\\\\x0ab\", \"time\": \"2023-11-14T22:13:20.123456789Z\", "
	        "\"us\": 250.000, \"status\": 8192, \"record\": {\"sub_a\": null, \"sub_b\": 2}, "
	        "\"list\": [\"one\", \"t\\\"o\"], \"counts\": {\"x\": 1, \"y\": null, \"z\": 3}, "
	        "\"open\": {\"A\\\"b\": 1, \"c\": \"d\", \"e\": null}, \"sub_a\": 1, \"sub_b\": 2, \"path\": "
	        "\"/bin/x\"},\n"
	        "  {\"address\": null, \"hex\": null, \"offset\": null, \"bytes\": null, \"delta\": null, "
	        "\"count\": null, \"yes\": null, \"word\": null, \"flags\": null, \"build_id\": null, \"name\": null, "
	        "\"time\": null, \"us\": null, \"status\": null, \"record\": null, \"list\": null, \"counts\": null, "
	        "\"open\": null, \"path\": null},\n"
	        "  {\"address\": null, \"hex\": null, \"offset\": null, \"bytes\": null, \"delta\": null, "
	        "\"count\": null, \"yes\": null, \"word\": null, \"flags\": null, \"build_id\": null, \"name\": null, "
	        "\"time\": null, \"us\": null, \"status\": null, \"record\": null, \"list\": null, \"counts\": null, "
	        "\"open\": null, \"path\": null}\n ],\n \"after\": null\n}\n");
}

static void rows_are_a_table(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->out.style.columns = "ADDRESS,HEX,OFFSET,BYTES,DELTA,COUNT,YES,WORD,FLAGS,BUILDID,NAME,TOOK,STATUS,"
	                            "SHARE,FRAME,TEXT,PATH";
	assert_int_equal(print(caught), VMSNAP_OK);
	assert_string_equal(caught->text, "ADDRESS   HEX OFFSET BYTES  DELTA COUNT YES WORD      FLAGS  BUILDID NAME   "
	                                  "  TOOK STATUS SHARE  FRAME "
	                                  "TEXT      PATH\n"
	                                  "00001000 0x1f  0x200 4.00K -8.00K    17 yes two words x,z,y? ab01    "
	                                  "a\\x0ab 250 us 8.00K  33.3% 1:0x4d "
	                                  "was \\x1bx /bin/x\n"
	                                  "\n"
	                                  "?           ?      ?     ?      ?     ? ?   ?         ?      ?       ?      "
	                                  "     ? ?          ?      ?\n"
	                                  "total                                17\n");
}

static void raw_rows_have_no_total_and_no_blanks(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->out.style.raw = true;
	caught->out.style.columns = "COUNT,WORD,TEXT,PATH";
	assert_int_equal(print(caught), VMSNAP_OK);
	assert_string_equal(caught->text, "COUNT WORD TEXT PATH\n"
	                                  "17 two\\x20words was\\x20\\x1bx /bin/x\n"
	                                  "- - - -\n"
	                                  "? ? - -\n");
}

/* ---- sorted ------------------------------------------------------------------------ */

static int sorted_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	static const struct {
		const char *name;
		uint64_t bytes;
		long delta;
		bool known;
	} items[] = { { "beta", 4096, 10, true },
		      { "Alpha", 1 << 30, -50, true },
		      { "alpha", 0, 0, false },
		      { "", 512, 70, true },
		      { "gamma", 4096, -90, true } };
	(void)ctx;
	(void)err;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		row_put_bytes_known(row, BYTES, items[i].bytes, items[i].known);
		row_put_delta(row, DELTA, items[i].delta < 0, (uint64_t)labs(items[i].delta));
		row_put_name(row, NAME, items[i].name);
		row_end(row);
	}
	if (row_total(row)) {
		row_total_label(row, BYTES, "all");
		row_end_total(row);
	}
	return VMSNAP_OK;
}

static void assert_sorted(const char *sort, bool raw, const char *expected)
{
	struct catch *caught = catch_new();
	struct text text;
	caught->out.style.columns = "NAME,BYTES";
	caught->out.style.no_headings = true;
	caught->out.style.raw = raw;
	caught->out.style.sort = sort;
	assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
	assert_int_equal(emit_table(&text, &schema, sorted_rows, NULL, &caught->err), VMSNAP_OK);
	assert_int_equal(text_close(&text, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, expected);
}

static void rows_are_sorted_by_value_and_what_is_unknown_comes_last(void **state)
{
	(void)state;
	assert_sorted("BYTES", true, "- 512\nbeta 4.00K\ngamma 4.00K\nAlpha 1.00G\nalpha ?\n");
	assert_sorted("-BYTES", true, "Alpha 1.00G\nbeta 4.00K\ngamma 4.00K\n- 512\nalpha ?\n");
	assert_sorted("name", true, "Alpha 1.00G\nalpha ?\nbeta 4.00K\ngamma 4.00K\n- 512\n");
	assert_sorted("-name", true, "gamma 4.00K\nbeta 4.00K\nalpha ?\nAlpha 1.00G\n- 512\n");
}

static void rows_are_sorted_by_what_is_not_shown_too(void **state)
{
	(void)state;
	assert_sorted("DELTA", true, "gamma 4.00K\nAlpha 1.00G\nalpha ?\nbeta 4.00K\n- 512\n");
}

static void the_total_of_sorted_rows_stays_the_last(void **state)
{
	(void)state;
	assert_sorted("-BYTES", false,
	              "Alpha 1.00G\nbeta  4.00K\ngamma 4.00K\n        512\nalpha     ?\n        all\n");
}

static void an_unknown_column_to_sort_by_is_refused(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->out.style.sort = "-NONE";
	assert_int_equal(print(caught), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(caught->err.message, "unknown column \"NONE\"; the columns are: ADDRESS HEX"));
}

static void sorted_rows_count_against_the_limit(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	struct text text;
	caught->out.style.sort = "NAME";
	assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
	text.work.limit = 3000;
	int rc = emit_table(&text, &schema, sorted_rows, NULL, &caught->err);
	assert_int_equal(rc ? rc : text_close(&text, &caught->err), VMSNAP_ERR_TOO_LARGE);
}

/* ---- other tables -------------------------------------------------------------------- */

static void another_table_has_its_usual_columns(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	struct text text;
	caught->out.style.columns = "PATH";
	caught->out.style.sort = "-NAME";
	caught->out.style.raw = true;
	assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
	assert_int_equal(emit_other_table(&text, &schema, sorted_rows, NULL, &caught->err), VMSNAP_OK);
	assert_int_equal(text_close(&text, NULL), VMSNAP_OK);
	assert_has(caught, "ADDRESS HEX OFFSET BYTES");
	assert_has(caught, "\n- - - 4.00K +10");
}

static int counted_rows(struct row *row, void *ctx, struct vmsnap_error *err)
{
	++*(int *)ctx;
	return sorted_rows(row, NULL, err);
}

static void rows_that_take_their_time_are_made_once(void **state)
{
	(void)state;
	for (int raw = 0; raw < 2; raw++) {
		struct catch *caught = catch_new();
		struct text text;
		int calls = 0;
		caught->out.style.columns = "NAME,BYTES";
		caught->out.style.raw = raw;
		assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
		assert_int_equal(emit_table_once(&text, &schema, counted_rows, &calls, NULL), VMSNAP_OK);
		assert_int_equal(text_close(&text, NULL), VMSNAP_OK);
		assert_int_equal(calls, 1);
		assert_string_equal(caught->text, raw ? "NAME BYTES\nbeta 4.00K\nAlpha 1.00G\nalpha ?\n- 512\n"
		                                        "gamma 4.00K\n"
		                                      : "NAME  BYTES\nbeta  4.00K\nAlpha 1.00G\nalpha     ?\n"
		                                        "        512\ngamma 4.00K\n        all\n");
	}
}

static void all_columns_and_one_again_have_room(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->out.style.columns = "+COUNT";
	caught->out.style.raw = true;
	assert_int_equal(print(caught), VMSNAP_OK);
	assert_has(caught, "TEXT PATH COUNT\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_json_with_all_keys_in_order),
		cmocka_unit_test(rows_are_a_table),
		cmocka_unit_test(raw_rows_have_no_total_and_no_blanks),
		cmocka_unit_test(rows_are_sorted_by_value_and_what_is_unknown_comes_last),
		cmocka_unit_test(rows_are_sorted_by_what_is_not_shown_too),
		cmocka_unit_test(the_total_of_sorted_rows_stays_the_last),
		cmocka_unit_test(an_unknown_column_to_sort_by_is_refused),
		cmocka_unit_test(sorted_rows_count_against_the_limit),
		cmocka_unit_test(another_table_has_its_usual_columns),
		cmocka_unit_test(rows_that_take_their_time_are_made_once),
		cmocka_unit_test(all_columns_and_one_again_have_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
