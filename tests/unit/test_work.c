/* Work grows with what there is to do, and what nobody wants any more ends. */
#include "test_work_fixture.h"

#include "work.h"

struct asked {
	size_t count, until; /* then it says yes */
};
static bool ask(void *ctx)
{
	struct asked *asked = ctx;
	return ++asked->count > asked->until;
}

static size_t rows;
static bool count_row(void *ctx, const struct vmsnap_diff_status *row)
{
	(void)ctx, (void)row;
	rows++;
	return true;
}

/* Each field sought in all lines of the other would be a million times as much: the number
 * of questions counts the steps. */
static void work_on_status_grows_with_its_lines(void **state)
{
	(void)state;
	struct asked asked = { .until = SIZE_MAX };
	struct vmsnap_compare_options options = { .size = sizeof(options), .cancelled = ask, .cancel_ctx = &asked };
	struct vmsnap *a = with_lines(MANY, 0), *b = with_status("b:1\n", MANY, 0);
	struct vmsnap_error err;
	rows = 0;
	assert_int_equal(vmsnap_status_rows(a, b, &options, count_row, NULL, &err), VMSNAP_OK);
	assert_int_equal(rows, 2 * MANY);
	assert_true(asked.count > 0 && asked.count < 32 * 2 * (size_t)MANY / WORK_STEPS);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* ---- long keys ---- */

enum { LONG_KEY = SANITIZED ? 1000 * 1000 : 20 * 1000 * 1000, SHORT_KEYS = LONG_KEY / 100 };

/* So many keys of `len` bytes, then so many of one byte. */
static struct vmsnap *with_keys(size_t longs, size_t len, size_t shorts)
{
	struct made made;
	struct bytes text = { 0 };
	for (size_t i = 0; i < longs; i++) {
		put_repeated(&text, 'a', len);
		put_bytes(&text, ":1\n", 3);
	}
	for (size_t i = 0; i < shorts; i++)
		put_bytes(&text, "a:1\n", 4);
	begin_made(&made);
	add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
	add_deflated(&made, SECTION_STAT, text.data, text.len);
	add_no_vmas(&made);
	bytes_free(&text);
	return load_limited(&made, UINT64_C(512) * MIB);
}

static bool count_key(void *ctx, const struct vmsnap_status_field *field)
{
	(void)ctx, (void)field;
	rows++;
	return true;
}

/* How often it was asked while all that is done with keys was done; `keys` different ones. */
static size_t asked_for_keys(const struct vmsnap *snap, size_t keys)
{
	struct asked asked = { .until = SIZE_MAX };
	struct vmsnap_compare_options options = { .size = sizeof(options), .cancelled = ask, .cancel_ctx = &asked };
	struct vmsnap_error err;
	struct vmsnap_diff *diff;
	rows = 0;
	assert_int_equal(vmsnap_status_keys(snap, &options, count_key, NULL, &err), VMSNAP_OK);
	assert_int_equal(rows, keys);
	rows = 0;
	assert_int_equal(vmsnap_status_rows(snap, snap, &options, count_row, NULL, &err), VMSNAP_OK);
	assert_int_equal(rows, vmsnap_status_count(snap));
	assert_int_equal(vmsnap_diff_new_with(snap, snap, &options, &diff, &err), VMSNAP_OK);
	vmsnap_diff_free(diff);
	return asked.count;
}

/* Read whole for each comparison, the long one would make this last for minutes. */
static void a_long_key_is_not_read_for_each_short_one(void **state)
{
	(void)state;
	struct vmsnap *snap = with_keys(1, LONG_KEY, SHORT_KEYS);
	size_t asked = asked_for_keys(snap, 2);
	/* Comparisons that are none of them longer than a short key. */
	if (asked > 5 * 2 * 20 * (size_t)SHORT_KEYS / WORK_STEPS)
		fail_msg("asked %zu times", asked);
	vmsnap_unref(snap);
}

static void long_keys_that_are_equal_are_many_steps(void **state)
{
	(void)state;
	enum { KEYS = 16 };
	struct vmsnap *snap = with_keys(KEYS, MIB, 0);
	size_t asked = asked_for_keys(snap, 1);
	/* Each comparison takes so long that the next step asks: to see that they are sorted,
	 * to find those that come twice, and to merge two texts. */
	assert_in_range(asked, 5 * (KEYS - 1), 12 * KEYS);
	vmsnap_unref(snap);
}

static void keys_have_an_order(void **state)
{
	(void)state;
	static const char *const keys[] = { "a:", "ab:", "a\xff:", "b:", "a-:", "a~:", "\xff:", "a:" };
	char text[64] = "";
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		strcat(text, keys[i]);
		strcat(text, "1\n");
	}
	struct vmsnap *snap = with_status(text, 3, 0);
	(void)asked_for_keys(snap, sizeof(keys) / sizeof(*keys) - 1);
	vmsnap_unref(snap);
}

static int count_lines(void *ctx, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*(size_t *)ctx += text[i] == '\n';
	return 0;
}

/* As many as there are: none is kept back without a word. */
static void status_shows_every_line(void **state)
{
	(void)state;
	enum { LINES = 5000 };
	size_t lines = 0;
	struct vmsnap_error err;
	struct vmsnap_output out = {
		.size = sizeof(out), .style.size = sizeof(out.style), .write = count_lines, .ctx = &lines
	};
	struct vmsnap *a = with_lines(LINES, 0), *b = with_status("b:1\n", LINES, 0);
	assert_int_equal(vmsnap_print_status(a, b, &out, &err), VMSNAP_OK);
	assert_int_equal(lines, 1 + 2 * LINES);
	lines = 0;
	assert_int_equal(vmsnap_print_status(a, NULL, &out, &err), VMSNAP_OK);
	assert_int_equal(lines, 1 + LINES);
	lines = 0;
	assert_int_equal(print_both(a, b, &err), VMSNAP_OK);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void comparing_ends_when_it_is_not_wanted_any_more(void **state)
{
	(void)state;
	static const make_fn makes[] = { with_lines, with_runs, with_vmas };
	for (size_t i = 0; i < sizeof(makes) / sizeof(*makes); i++) {
		struct asked asked = { 0 };
		struct vmsnap_compare_options options = { .size = sizeof(options),
			                                  .cancelled = ask,
			                                  .cancel_ctx = &asked };
		struct vmsnap *a = makes[i](MANY, 0), *b = makes[i](MANY / 2, 0);
		struct vmsnap_error err;
		struct vmsnap_diff *diff;
		struct vmsnap_cow *cow;
		for (asked.until = 0; asked.until < 8; asked.until += 3) {
			asked.count = 0;
			assert_int_equal(vmsnap_diff_new_with(a, b, &options, &diff, &err), VMSNAP_ERR_CANCELLED);
			assert_int_equal(asked.count, asked.until + 1);
			assert_string_equal(err.message, "cancelled");
		}
		asked = (struct asked){ 0 };
		if (makes[i] != with_lines)
			assert_int_equal(vmsnap_cow_new_with(a, b, NULL, &options, &cow, &err), VMSNAP_ERR_CANCELLED);
		vmsnap_unref(a);
		vmsnap_unref(b);
	}
}

/* ---- texts ---- */

typedef int (*print_fn)(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err);

static int print_pages(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	return vmsnap_print_pages(snap, 0, UINT64_MAX, false, out, err);
}
static int print_status(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	return vmsnap_print_status(snap, snap, out, err);
}
static int print_map(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	return vmsnap_print_map(snap, snap, out, err);
}
static int print_snapshots(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	return vmsnap_print_snapshots(&snap, NULL, 1, out, err);
}
static int print_history(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	return vmsnap_print_history(&snap, NULL, 1, 4096, out, err);
}
static int print_diff(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct vmsnap_diff *diff;
	struct vmsnap *nothing = with_runs(1, 0);
	assert_int_equal(vmsnap_diff_new(snap, nothing, &diff, err), VMSNAP_OK);
	int rc = vmsnap_print_diff(diff, NULL, 0, out, err);
	vmsnap_diff_free(diff);
	vmsnap_unref(nothing);
	return rc;
}
static int print_cow(const struct vmsnap *snap, const struct vmsnap_output *out, struct vmsnap_error *err)
{
	struct vmsnap_cow *cow;
	assert_int_equal(vmsnap_cow_new(snap, snap, NULL, &cow, err), VMSNAP_OK);
	int rc = vmsnap_print_cow(cow, NULL, VMSNAP_PRINT_LONG, out, err);
	vmsnap_cow_free(cow);
	return rc;
}

static struct vmsnap *with_much_of_all(void)
{
	enum { COUNT = 20 * 1000 };
	struct made made;
	begin_made(&made);
	add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10\x0e\x01\x01", 7);
	add_status(&made, "a:1\n", COUNT);
	add_vmas(&made, COUNT);
	add_apart(&made, 16, COUNT);
	struct vmsnap *snap = load_limited(&made, 0);
	for (size_t i = 0; i < COUNT; i++)
		snap->runs.items[i].entry = ENTRY_PRESENT | (1 + i);
	return snap;
}

static void texts_end_when_they_are_not_wanted_any_more(void **state)
{
	(void)state;
	static const print_fn prints[] = { vmsnap_print_show, print_pages, print_status,  print_map,
		                           print_snapshots,   print_diff,  print_history, print_cow };
	struct vmsnap *snap = with_much_of_all();
	for (size_t i = 0; i < sizeof(prints) / sizeof(*prints); i++) {
		for (int json = 0; json < 2; json++) {
			struct asked asked = { 0 };
			struct vmsnap_error err = { 0 };
			struct vmsnap_output out = { .size = sizeof(out),
				                     .style.size = sizeof(out.style),
				                     .write = write_nothing,
				                     .cancelled = ask,
				                     .cancel_ctx = &asked };
			out.style.json = json;
			if (prints[i](snap, &out, &err) != VMSNAP_ERR_CANCELLED ||
			    strcmp(err.message, "cancelled") != 0)
				fail_msg("%zu, json %d: %s", i, json, err.message);
			assert_int_equal(asked.count, 1);
		}
	}
	vmsnap_unref(snap);
}

/* Each line sought from the first one on would never have asked, and would have been minutes' work. */
static void a_page_asks_while_it_takes_lines_of_status(void **state)
{
	(void)state;
	enum { LINES = 20 * 1000 };
	struct asked asked = { .until = SIZE_MAX }, at_once = { 0 };
	struct vmsnap_html_options options = { .size = sizeof(options), .cancelled = ask, .cancel_ctx = &asked };
	struct vmsnap *snap = with_lines(LINES, 0);
	struct vmsnap_html *html;
	struct vmsnap_error err;
	assert_int_equal(vmsnap_html_new(&options, &html, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_html_add(html, snap, 1, &err), VMSNAP_OK);
	assert_in_range(asked.count, LINES / WORK_STEPS, 32 * LINES / WORK_STEPS);
	vmsnap_html_free(html);
	options.cancel_ctx = &at_once;
	assert_int_equal(vmsnap_html_new(&options, &html, &err), VMSNAP_OK);
	assert_int_equal(vmsnap_html_add(html, snap, 1, &err), VMSNAP_ERR_CANCELLED);
	vmsnap_html_free(html);
	vmsnap_unref(snap);
}

/* ---- reading ---- */

static void reading_ends_when_it_is_not_wanted_any_more(void **state)
{
	(void)state;
	struct made made;
	struct asked asked = { .until = SIZE_MAX };
	struct vmsnap_limits limits = { .size = sizeof(limits), .cancelled = ask, .cancel_ctx = &asked };
	struct vmsnap_file *file;
	struct vmsnap *snap;
	struct vmsnap_error err = { 0 };
	size_t index, printed = 0;
	struct vmsnap_output out = {
		.size = sizeof(out), .style.size = sizeof(out.style), .write = count_lines, .ctx = &printed
	};
	add_start(&made);
	add_vmas(&made, MANY);
	add_threads(&made, MANY);
	end_made(&made);
	assert_int_equal(vmsnap_file_open_memory(made.bytes.data, made.bytes.len, &limits, &file, &err), VMSNAP_OK);
	size_t before = asked.count;
	assert_int_equal(vmsnap_file_load(file, 0, &snap, &err), VMSNAP_OK);
	vmsnap_unref(snap);
	size_t all = asked.count - before;
	assert_true(all > 2 * MANY / WORK_STEPS);
	for (size_t until = 0; until < all; until += 1 + all / 7) {
		asked = (struct asked){ .until = until };
		assert_int_equal(vmsnap_file_load(file, 0, &snap, &err), VMSNAP_ERR_CANCELLED);
		assert_int_equal(asked.count, until + 1);
	}
	asked = (struct asked){ 0 };
	assert_int_equal(vmsnap_file_find(file, "label", &index, &err), VMSNAP_ERR_CANCELLED);
	assert_int_equal(vmsnap_print_check(file, &out, &err), VMSNAP_ERR_CANCELLED);
	asked = (struct asked){ .until = SIZE_MAX };
	out.cancelled = ask;
	out.cancel_ctx = &(struct asked){ 0 };
	assert_int_equal(vmsnap_print_check(file, &out, &err), VMSNAP_ERR_CANCELLED);
	assert_int_equal(vmsnap_print_list(file, &out, &err), VMSNAP_ERR_CANCELLED);
	vmsnap_file_close(file);
	bytes_free(&made.bytes);
}

static void options_of_another_size_are_refused(void **state)
{
	(void)state;
	struct vmsnap_compare_options options = { .size = sizeof(options) - 1 };
	struct vmsnap *a = with_lines(1, 0);
	struct vmsnap_error err;
	struct vmsnap_diff *diff;
	struct vmsnap_cow *cow;
	assert_int_equal(vmsnap_diff_new_with(a, a, &options, &diff, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_cow_new_with(a, a, NULL, &options, &cow, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_status_rows(a, a, &options, count_row, NULL, &err), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(a);
}

static void without_a_snapshot_there_are_no_fields(void **state)
{
	(void)state;
	struct vmsnap *a = with_lines(1, 0);
	struct vmsnap_error err = { 0 };
	assert_int_equal(vmsnap_status_rows(NULL, NULL, NULL, count_row, NULL, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_status_rows(NULL, a, NULL, count_row, NULL, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_status_rows(a, NULL, NULL, NULL, NULL, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_status_keys(NULL, NULL, count_key, NULL, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_status_keys(a, NULL, NULL, NULL, &err), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(err.code, VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_on_status_grows_with_its_lines),
		cmocka_unit_test(a_long_key_is_not_read_for_each_short_one),
		cmocka_unit_test(long_keys_that_are_equal_are_many_steps),
		cmocka_unit_test(keys_have_an_order),
		cmocka_unit_test(status_shows_every_line),
		cmocka_unit_test(comparing_ends_when_it_is_not_wanted_any_more),
		cmocka_unit_test(texts_end_when_they_are_not_wanted_any_more),
		cmocka_unit_test(a_page_asks_while_it_takes_lines_of_status),
		cmocka_unit_test(reading_ends_when_it_is_not_wanted_any_more),
		cmocka_unit_test(options_of_another_size_are_refused),
		cmocka_unit_test(without_a_snapshot_there_are_no_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
