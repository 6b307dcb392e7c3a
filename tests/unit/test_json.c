/* The JSON writer: nesting, commas, strings. */
#include "json.h"
#include "test_print_support.h"

static struct json json;
static struct text text;

static struct catch *start(void)
{
	struct catch *caught = catch_new();
	assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
	json_begin(&json, &text, "test/1");
	return caught;
}

static void finish(void)
{
	json_finish(&json);
	assert_int_equal(text_close(&text, NULL), VMSNAP_OK);
}

static void json_of_nothing_is_one_object_and_a_newline(void **state)
{
	(void)state;
	struct catch *caught = start();
	finish();
	assert_string_equal(caught->text, "{\n \"schema\": \"test/1\"\n}\n");
}

static void json_puts_commas_between_items_only(void **state)
{
	(void)state;
	struct catch *caught = start();
	json_array(&json, "empty");
	json_end(&json);
	json_rows(&json, "rows");
	for (uint64_t i = 0; i < 2; i++) {
		json_object(&json, NULL);
		json_hex(&json, "at", i * 4096);
		json_number(&json, "n", i);
		json_end(&json);
	}
	json_end(&json);
	json_rows(&json, "none");
	json_end(&json);
	json_key(&json, "k\n", 2);
	json_bool(&json, NULL, true);
	json_number_or_null(&json, "unknown", 3, false);
	finish();
	assert_string_equal(caught->text, "{\n \"schema\": \"test/1\",\n \"empty\": [],\n \"rows\": [\n"
	                                  "  {\"at\": \"0x0\", \"n\": 0},\n  {\"at\": \"0x1000\", \"n\": 1}\n ],\n"
	                                  " \"none\": [],\n \"k\\\\x0a\": true,\n \"unknown\": null\n}\n");
}

static void json_numbers_are_exact(void **state)
{
	(void)state;
	struct catch *caught = start();
	json_number(&json, "max", UINT64_MAX);
	json_hex(&json, "hex", UINT64_MAX);
	json_thousandths(&json, "us", 1234007);
	json_thousandths(&json, "small", 5);
	finish();
	assert_has(caught, "\"max\": 18446744073709551615,");
	assert_has(caught, "\"hex\": \"0xffffffffffffffff\"");
	assert_has(caught, "\"us\": 1234.007,");
	assert_has(caught, "\"small\": 0.005\n");
}

static void json_strings_cannot_break_out(void **state)
{
	(void)state;
	struct catch *caught = start();
	json_string(&json, "s", HOSTILE);
	finish();
	assert_harmless(caught);
	assert_has(caught, "\"s\": \"/tmp/\\\\x1b[2J\\\\x0a7f00 \\\"quoted\\\" \\\\x5c \\\\xff "
	                   "\\\\xc2\\\\x9b\\\\xe2\\\\x80\\\\xae end\"\n}");
}

static void json_strings_keep_valid_utf8(void **state)
{
	(void)state;
	struct catch *caught = start();
	caught->out.style.unicode = false;
	json_string(&json, "s", "caf\xc3\xa9 \xe6\xbc\xa2");
	finish();
	assert_has(caught, "\"s\": \"caf\xc3\xa9 \xe6\xbc\xa2\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_of_nothing_is_one_object_and_a_newline),
		cmocka_unit_test(json_puts_commas_between_items_only),
		cmocka_unit_test(json_numbers_are_exact),
		cmocka_unit_test(json_strings_cannot_break_out),
		cmocka_unit_test(json_strings_keep_valid_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
