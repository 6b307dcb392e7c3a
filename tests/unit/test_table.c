/* Tables: columns, alignment, width, raw. */
#include "table.h"
#include "test_print_support.h"

enum { NAME, SIZE, NOTE, EXTRA, PATH, COLUMNS };
static const struct table_column columns[COLUMNS] = {
	[NAME] = { "NAME", 0 },
	[SIZE] = { "SIZE", TABLE_RIGHT },
	[NOTE] = { "NOTE", TABLE_HIDE_EMPTY },
	[EXTRA] = { "EXTRA", TABLE_EXTRA },
	[PATH] = { "PATH", TABLE_CUT_LEFT },
};

struct line {
	const char *name, *size, *note, *path;
};

static int rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	(void)err;
	for (const struct line *line = ctx; line->name; line++) {
		table_name(table, NAME, line->name, strlen(line->name));
		table_literal(table, SIZE, line->size);
		table_literal(table, NOTE, line->note);
		table_literal(table, EXTRA, "more");
		table_name(table, PATH, line->path, strlen(line->path));
		table_end_row(table);
	}
	return VMSNAP_OK;
}

static int print(struct catch *caught, const struct line *lines)
{
	struct text text;
	struct line copy[8] = { 0 };
	for (size_t i = 0; lines[i].name; i++)
		copy[i] = lines[i];
	assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
	int rc = table_print(&text, columns, COLUMNS, TABLE_USUAL, rows, copy, &caught->err);
	return rc ? rc : text_close(&text, &caught->err);
}

static const struct line two[] = {
	{ "a", "4.00K", "", "/lib/one" },
	{ "longer", "1", "", "" },
	{ 0 },
};

static void table_aligns_and_leaves_empty_columns_out(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	assert_int_equal(print(caught, two), VMSNAP_OK);
	assert_string_equal(caught->text, "NAME    SIZE PATH\n"
	                                  "a      4.00K /lib/one\n"
	                                  "longer     1\n");
}

static void table_lines_up_behind_wide_characters(void **state)
{
	(void)state;
	static const struct line wide[] = {
		{ "\xe6\xbc\xa2", "1", "", "/x" },
		{ "abc", "2", "", "/y" },
		{ 0 },
	};
	struct catch *caught = catch_new();
	caught->out.style.no_headings = true;
	assert_int_equal(print(caught, wide), VMSNAP_OK);
	assert_string_equal(caught->text, "\xe6\xbc\xa2  1 /x\nabc 2 /y\n");
}

static void table_shows_the_columns_asked_for(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->out.style.columns = "size,Extra,NOTE";
	assert_int_equal(print(caught, two), VMSNAP_OK);
	assert_string_equal(caught->text, " SIZE EXTRA NOTE\n4.00K more\n    1 more\n");
	caught = catch_new();
	caught->out.style.columns = "+EXTRA";
	assert_int_equal(print(caught, two), VMSNAP_OK);
	assert_has(caught, "NAME    SIZE PATH     EXTRA\n");
}

static void table_names_the_columns_it_knows(void **state)
{
	(void)state;
	static const char *const wrong[] = { "SIZES", "SIZE,", "", "+", "SIZE,,PATH", "+SIZE,FOO" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct catch *caught = catch_new();
		caught->out.style.columns = wrong[i];
		assert_int_equal(print(caught, two), VMSNAP_ERR_ARGUMENT);
		assert_non_null(strstr(caught->err.message, "NAME SIZE NOTE EXTRA PATH"));
		assert_int_equal(caught->len, 0);
	}
}

static void table_raw_has_one_word_for_each_cell(void **state)
{
	(void)state;
	static const struct line odd[] = {
		{ "two words", "", "", "-" },
		{ "b\\c\n", "1", "n o", "" },
		{ 0 },
	};
	struct catch *caught = catch_new();
	caught->out.style.raw = true;
	assert_int_equal(print(caught, odd), VMSNAP_OK);
	assert_string_equal(caught->text, "NAME SIZE NOTE PATH\n"
	                                  "two\\x20words - - \\x2d\n"
	                                  "b\\x5cc\\x0a 1 n\\x20o -\n");
}

static void table_cuts_paths_on_their_left(void **state)
{
	(void)state;
	static const struct line path[] = {
		{ "a", "1", "", "/usr/lib/x86_64-linux-gnu/libsomething.so.6" },
		{ 0 },
	};
	struct catch *caught = catch_new();
	caught->out.style.no_headings = true;
	caught->out.style.width = 30;
	assert_int_equal(print(caught, path), VMSNAP_OK);
	assert_string_equal(caught->text, "a 1 \xe2\x80\xa6/libsomething.so.6\n");
	caught = catch_new();
	caught->out.style.no_headings = true;
	caught->out.style.width = 30;
	caught->out.style.unicode = false;
	assert_int_equal(print(caught, path), VMSNAP_OK);
	assert_has(caught, "a 1 .../libsomething.so.6\n");
	caught = catch_new();
	caught->out.style.no_headings = true;
	caught->out.style.width = 20;
	assert_int_equal(print(caught, path), VMSNAP_OK);
	assert_string_equal(caught->text, "a 1 \xe2\x80\xa6"
	                                  "bsomething.so.6\n");
}

static void table_cuts_paths_wherever_they_stand(void **state)
{
	(void)state;
	static const struct line lines[] = {
		{ "a", "4.00K", "", "/usr/lib/x86_64-linux-gnu/libc.so.6" },
		{ "b", "1", "", "/x" },
		{ 0 },
	};
	struct catch *caught = catch_new();
	caught->out.style.columns = "PATH,SIZE,NAME";
	caught->out.style.width = 26;
	assert_int_equal(print(caught, lines), VMSNAP_OK);
	assert_string_equal(caught->text, "PATH             SIZE NAME\n"
	                                  "\xe2\x80\xa6/libc.so.6     4.00K a\n"
	                                  "/x                  1 b\n");
}

/* Of which only the last bytes are looked at. */
static void table_keeps_the_name_of_a_file_in_a_long_path(void **state)
{
	(void)state;
	for (size_t folders = 1; folders < 400; folders += 13) {
		static char path[4096];
		path[0] = '\0';
		for (size_t i = 0; i < folders; i++)
			strcat(path, "/folder");
		strcat(path, "/library.so");
		const struct line lines[] = { { "a", "1", "", path }, { 0 } };
		struct catch *caught = catch_new();
		caught->out.style.no_headings = true;
		caught->out.style.width = 20;
		assert_int_equal(print(caught, lines), VMSNAP_OK);
		assert_string_equal(caught->text, "a 1 \xe2\x80\xa6/library.so\n");
	}
}

/* Two that may be cut, in a line that has room for more than a third of it. */
static int words_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	(void)ctx;
	(void)err;
	table_literal(table, 0, "a name of twenty two x");
	table_literal(table, 1, "short");
	table_literal(table, 2, "int");
	table_end_row(table);
	return VMSNAP_OK;
}

static void what_fits_into_the_line_is_not_cut(void **state)
{
	(void)state;
	static const struct table_column three[] = { { "A", TABLE_CUT_RIGHT },
		                                     { "B", TABLE_CUT_RIGHT },
		                                     { "C", TABLE_CUT_RIGHT } };
	static const struct {
		unsigned width;
		const char *text;
	} cases[] = {
		{ 40, "a name of twenty two x short int\n" },
		{ 32, "a name of twenty two x short int\n" },
		{ 31, "a name of twenty two\xe2\x80\xa6 short int\n" },
		{ 24, "a name of twe\xe2\x80\xa6 short int\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct catch *caught = catch_new();
		struct text text;
		caught->out.style.width = cases[i].width;
		caught->out.style.no_headings = true;
		assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
		assert_int_equal(table_print(&text, three, 3, TABLE_USUAL, words_rows, NULL, &caught->err), VMSNAP_OK);
		assert_int_equal(text_close(&text, &caught->err), VMSNAP_OK);
		assert_string_equal(caught->text, cases[i].text);
	}
}

/* A picture and words beside each other, in a line that is too short for both. */
enum { WORDS, PICTURE, PICTURE_COLUMNS };
static const struct table_column picture_columns[PICTURE_COLUMNS] = {
	[WORDS] = { "WORDS", TABLE_CUT_RIGHT },
	[PICTURE] = { "PICTURE", TABLE_PICTURE },
};

static int picture_rows(struct table *table, void *ctx, struct vmsnap_error *err)
{
	static const char cells[] = "####################";
	static const char words[] = "moved, grown";
	(void)ctx;
	(void)err;
	size_t width = table_picture_width(table, PICTURE, 20);
	table_drawn(table, PICTURE, cells, table_only_measures(table) ? 0 : width,
	            table_only_measures(table) ? 20 : width);
	table_literal(table, WORDS, words);
	table_end_row(table);
	return VMSNAP_OK;
}

static void a_picture_gives_way_before_words_do(void **state)
{
	(void)state;
	static const struct {
		unsigned width;
		const char *text;
	} cases[] = {
		{ 60, "moved, grown ####################\n" },
		{ 36, "moved, grown ####################\n" },
		{ 30, "moved, gr\xe2\x80\xa6 ###################\n" }, /* a third of the width, and no less */
		{ 24, "moved, \xe2\x80\xa6 ###############\n" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct catch *caught = catch_new();
		struct text text;
		caught->out.style.width = cases[i].width;
		caught->out.style.no_headings = true;
		assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
		assert_int_equal(table_print(&text, picture_columns, PICTURE_COLUMNS, TABLE_USUAL, picture_rows, NULL,
		                             &caught->err),
		                 VMSNAP_OK);
		assert_int_equal(text_close(&text, &caught->err), VMSNAP_OK);
		assert_string_equal(caught->text, cases[i].text);
	}
}

static void table_never_cuts_inside_an_escape(void **state)
{
	(void)state;
	for (unsigned width = 1; width < 60; width++) {
		static const struct line path[] = { { "a", "1", "", "/\x01\x02\x03\x04\x05\x06\x07\x08" }, { 0 } };
		struct catch *caught = catch_new();
		caught->out.style.no_headings = true;
		caught->out.style.width = width;
		assert_int_equal(print(caught, path), VMSNAP_OK);
		const char *dots = strstr(caught->text, "\xe2\x80\xa6");
		if (dots)
			assert_memory_equal(dots + 3, "\\x0", 3);
	}
}

/* Behind the dots there is no emoji that a selector would belong to. */
static void table_cuts_no_selector_from_its_emoji(void **state)
{
	(void)state;
	static const char heart[] = "\xe2\x9d\xa4\xef\xb8\x8f";
	static const struct line path[] = { { "a", "1", "",
		                              "/long/enough/to/be/cut/"
		                              "\xe2\x9d\xa4\xef\xb8\x8f\xe2\x9d\xa4\xef\xb8\x8f"
		                              "\xe2\x9d\xa4\xef\xb8\x8f\xe2\x9d\xa4\xef\xb8\x8f"
		                              "hearts, and some words" },
		                            { 0 } };
	unsigned between = 0;
	for (unsigned width = 1; width < 60; width++) {
		struct catch *caught = catch_new();
		caught->out.style.no_headings = true;
		caught->out.style.width = width;
		assert_int_equal(print(caught, path), VMSNAP_OK);
		assert_null(strstr(caught->text, "\xe2\x80\xa6\xef\xb8\x8f"));
		const char *dots = strstr(caught->text, "\xe2\x80\xa6");
		between += dots && strncmp(dots + 3, heart, sizeof(heart) - 1) == 0;
	}
	assert_true(between > 0);
}

static void table_stops_at_a_failing_write(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	caught->refuse_with = 28; /* ENOSPC */
	assert_int_equal(print(caught, two), VMSNAP_ERR_SYSTEM);
	assert_int_equal(caught->err.sys_errno, 28);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_aligns_and_leaves_empty_columns_out),
		cmocka_unit_test(table_lines_up_behind_wide_characters),
		cmocka_unit_test(table_shows_the_columns_asked_for),
		cmocka_unit_test(table_names_the_columns_it_knows),
		cmocka_unit_test(table_raw_has_one_word_for_each_cell),
		cmocka_unit_test(table_cuts_paths_on_their_left),
		cmocka_unit_test(table_cuts_paths_wherever_they_stand),
		cmocka_unit_test(table_keeps_the_name_of_a_file_in_a_long_path),
		cmocka_unit_test(what_fits_into_the_line_is_not_cut),
		cmocka_unit_test(a_picture_gives_way_before_words_do),
		cmocka_unit_test(table_never_cuts_inside_an_escape),
		cmocka_unit_test(table_cuts_no_selector_from_its_emoji),
		cmocka_unit_test(table_stops_at_a_failing_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
