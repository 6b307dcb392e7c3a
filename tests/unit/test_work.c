/* What is made of a snapshot out of a file counts against that file's limit, and work that
 * nobody wants any more ends. */
#include "test_file_much.h"

#include <sys/wait.h>

#include <sys/resource.h>

#include "test_sanitized.h"
#include "test_skip.h"
#include "work.h"

enum { MIB = 1 << 20, MANY = SANITIZED ? 100 * 1000 : 500 * 1000 };

/* ---- snapshots out of small files ---- */

static struct vmsnap *load_limited(struct made *made, uint64_t memory)
{
	struct vmsnap_limits limits = { .size = sizeof(limits), .memory = memory };
	struct vmsnap_file *file;
	struct vmsnap *snap;
	struct vmsnap_error err = { 0 };
	end_made(made);
	if (vmsnap_file_open_memory(made->bytes.data, made->bytes.len, &limits, &file, &err))
		fail_msg("%s", err.message);
	if (vmsnap_file_load(file, 0, &snap, &err))
		fail_msg("%s", err.message);
	vmsnap_file_close(file);
	bytes_free(&made->bytes);
	return snap;
}

static struct vmsnap *with_status(const char *line, size_t count, uint64_t memory)
{
	struct made made;
	begin_made(&made);
	add_plain(&made, SECTION_SNAP, "\x01\x02\x00\x10", 4);
	add_status(&made, line, count);
	add_no_vmas(&made);
	return load_limited(&made, memory);
}

static struct vmsnap *with_vmas(size_t count, uint64_t memory)
{
	struct made made;
	add_start(&made);
	add_vmas(&made, count);
	return load_limited(&made, memory);
}

/* A range each in a diff with nothing. */
static struct vmsnap *with_runs(size_t count, uint64_t memory)
{
	enum { SECTION = 65536 };
	struct made made;
	add_start(&made);
	add_no_vmas(&made);
	for (size_t i = 0; i < count; i += SECTION)
		add_apart(&made, 16 + 2 * i, count - i < SECTION ? count - i : SECTION);
	return load_limited(&made, memory);
}

/* ---- limits ---- */

static int write_nothing(void *ctx, const char *text, size_t len)
{
	(void)ctx, (void)text, (void)len;
	return 0;
}

static int print_both(const struct vmsnap *a, const struct vmsnap *b, struct vmsnap_error *err)
{
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = write_nothing };
	struct vmsnap_diff *diff;
	int rc = vmsnap_diff_new(a, b, &diff, err);
	if (rc)
		return rc;
	rc = vmsnap_print_diff(diff, NULL, 0, &out, err);
	vmsnap_diff_free(diff);
	return rc;
}

static void assert_too_large(int rc, const struct vmsnap_error *err)
{
	assert_int_equal(rc, VMSNAP_ERR_TOO_LARGE);
	assert_int_equal(err->code, VMSNAP_ERR_TOO_LARGE);
	assert_non_null(strstr(err->message, "too large"));
}

typedef struct vmsnap *(*make_fn)(size_t count, uint64_t memory);

static struct vmsnap *with_lines(size_t count, uint64_t memory)
{
	return with_status("a:1\n", count, memory);
}

/* What fits by itself, and what is made of it does not. */
static void a_comparison_counts_against_the_limits_of_its_files(void **state)
{
	(void)state;
	static const struct {
		make_fn make;
		size_t each;
	} cases[] = { { with_lines, 6 }, { with_runs, 16 }, { with_vmas, 96 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmsnap_error err = { 0 };
		struct vmsnap_diff *diff;
		/* What is read meanwhile is more. */
		uint64_t tight = cases[i].each * MANY + cases[i].each * MANY / 2 + MIB / 4;
		struct vmsnap *much = cases[i].make(MANY, tight), *little = cases[i].make(1, 64 * 1024);
		assert_too_large(vmsnap_diff_new(much, little, &diff, &err), &err);
		assert_too_large(vmsnap_diff_new(little, much, &diff, &err), &err);
		vmsnap_unref(much);
		much = cases[i].make(MANY, UINT64_C(512) * MIB);
		if (print_both(much, little, &err))
			fail_msg("%zu: %s", i, err.message);
		vmsnap_unref(much);
		vmsnap_unref(little);
	}
}

static void verdicts_count_against_the_limits_of_their_files(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_cow *cow;
	struct vmsnap *much = with_runs(MANY, 24 * MANY), *little = with_runs(1, 64 * 1024);
	for (size_t i = 0; i < much->runs.count; i++)
		much->runs.items[i].entry = ENTRY_PRESENT | (1 + i);
	assert_too_large(vmsnap_cow_new(much, little, NULL, &cow, &err), &err);
	/* What a base alone has is gone, and takes no more than a few ranges. */
	assert_int_equal(vmsnap_cow_new(little, little, much, &cow, &err), VMSNAP_OK);
	vmsnap_cow_free(cow);
	much->memory_limit *= 6;
	assert_int_equal(vmsnap_cow_new(much, little, NULL, &cow, &err), VMSNAP_OK);
	assert_true(vmsnap_cow_range_count(cow) >= MANY);
	vmsnap_cow_free(cow);
	vmsnap_unref(much);
	vmsnap_unref(little);
}

static void names_and_texts_count_too(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_names *names;
	struct vmsnap_output out = { .size = sizeof(out), .style.size = sizeof(out.style), .write = write_nothing };
	struct vmsnap *much = with_vmas(MANY, 200 * MANY);
	assert_too_large(vmsnap_names_new(much, NULL, &names, &err), &err);
	vmsnap_unref(much);
	much = with_lines(MANY, 9 * MANY + MIB / 4);
	assert_too_large(vmsnap_print_status(much, much, &out, &err), &err);
	assert_too_large(vmsnap_print_map(much, much, &out, &err), &err);
	assert_int_equal(vmsnap_print_status(much, NULL, &out, &err), VMSNAP_OK);
	vmsnap_unref(much);
}

/* Nobody set a limit for a snapshot that is not of a file. */
static void what_is_no_file_s_has_no_limit(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_diff *diff;
	struct vmsnap *a = with_runs(MANY, 24 * MANY), *b = with_runs(1, 64 * 1024);
	a->memory_limit = b->memory_limit = 0;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, &err), VMSNAP_OK);
	assert_true(vmsnap_memory_left((const struct vmsnap *[]){ a, NULL, b }, 3) == UINT64_MAX);
	assert_true(vmsnap_diff_memory_left(diff) == UINT64_MAX);
	vmsnap_diff_free(diff);
	/* Beside one of a file it has enough for itself. */
	b->memory_limit = 64 * 1024;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, &err), VMSNAP_OK);
	uint64_t left = vmsnap_memory_left((const struct vmsnap *[]){ a, b }, 2);
	assert_true(left > vmsnap_memory_left((const struct vmsnap *[]){ NULL, b }, 2) && left < UINT64_MAX);
	assert_true(vmsnap_diff_memory_left(diff) < left);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* ---- what it really takes ---- */

/* KiB that a process took at most, which did nothing else. */
static long peak_of(int (*work)(void *ctx), void *ctx)
{
	struct rusage usage;
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(work(ctx) != 0);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	return usage.ru_maxrss;
}

static int make_two(void *ctx)
{
	struct vmsnap **snaps = ctx;
	snaps[0] = with_status("a:1\n", 2 * 1000 * 1000, 0);
	snaps[1] = with_status("a:1\n", 2 * 1000 * 1000, 0);
	return VMSNAP_OK;
}

static int compare_two(void *ctx)
{
	struct vmsnap *snaps[2];
	struct vmsnap_error err;
	(void)ctx;
	make_two(snaps);
	return print_both(snaps[0], snaps[1], &err);
}

/* A struct vmsnap_status_field for each line would be 250 MB. */
static void a_line_of_status_takes_bytes_not_structures(void **state)
{
	(void)state;
	struct vmsnap *snaps[2];
	if (SANITIZED)
		skip_because("what a sanitizer takes for itself is not to be counted");
	long more = peak_of(compare_two, NULL) - peak_of(make_two, snaps);
	if (more > 80 * 1024)
		fail_msg("%ld KiB", more);
}

/* ---- work ---- */

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

/* As programs want it nothing of it is cut. */
static void a_row_of_a_table_counts_too(void **state)
{
	(void)state;
	struct vmsnap_error err = { 0 };
	struct vmsnap_output out = {
		.size = sizeof(out), .style.size = sizeof(out.style), .write = write_nothing, .style.raw = true
	};
	struct vmsnap *snap = with_vmas(1, 4 * MIB);
	size_t len = 3 * MIB / 2;
	char *name = arena_alloc(&snap->strings, len + 1);
	memset(name, '\1', len);
	name[len] = '\0';
	snap->vmas[0].name = name;
	assert_too_large(vmsnap_print_show(snap, &out, &err), &err);
	out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &out, &err), VMSNAP_OK);
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

/* ---- sorting ---- */

static int by_tens(const void *a, const void *b, const void *ctx)
{
	const uint16_t *x = a, *y = b;
	(void)ctx;
	return *x / 10 - *y / 10;
}

static void sorting_keeps_the_order_of_equals_and_counts_what_it_takes(void **state)
{
	(void)state;
	for (size_t count = 0; count < 70; count++) {
		uint16_t items[70];
		struct work work = { .limit = sizeof(items) };
		for (size_t i = 0; i < count; i++)
			items[i] = (uint16_t)((i * 7919) % 100 / 10 * 10 + i % 10);
		uint16_t before[70];
		memcpy(before, items, sizeof(items));
		assert_int_equal(work_sort(&work, items, count, sizeof(*items), by_tens, NULL), VMSNAP_OK);
		assert_int_equal(work.used, 0);
		size_t at = 0;
		for (uint16_t ten = 0; ten < 10; ten++)
			for (size_t i = 0; i < count; i++)
				if (before[i] / 10 == ten)
					assert_int_equal(items[at++], before[i]);
		assert_int_equal(at, count);
		work.limit = count ? count * sizeof(*items) - 1 : 0;
		memcpy(items, before, sizeof(items));
		int rc = work_sort(&work, items, count, sizeof(*items), by_tens, NULL);
		assert_true(rc == VMSNAP_ERR_TOO_LARGE || rc == VMSNAP_OK);
	}
}

/* ---- arrays that grow ---- */

static const size_t FIRST_ROOM = 32;

static size_t fill(struct work *work, uint64_t **items, size_t *room, int *rc)
{
	size_t count = 0;
	while (WORK_ROOM(work, *items, count, room, rc)) {
		(*items)[count] = count;
		count++;
	}
	return count;
}

static void an_array_is_as_it_was_when_there_is_no_room_for_more(void **state)
{
	struct work work = { .limit = 100 * sizeof(uint64_t) };
	uint64_t *items = NULL;
	size_t room = 0;
	int rc = VMSNAP_OK;
	(void)state;
	size_t count = fill(&work, &items, &room, &rc);
	assert_int_equal(rc, VMSNAP_ERR_TOO_LARGE);
	assert_in_range(count, FIRST_ROOM, 100);
	assert_non_null(items);
	assert_int_equal(room, count);
	assert_int_equal(work.used, room * sizeof(*items));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i], i);
	work_free(&work, items, room, sizeof(*items));
	assert_int_equal(work.used, 0);
}

static void a_failure_before_leaves_an_array_that_has_room(void **state)
{
	struct work work = { .limit = WORK_UNLIMITED };
	uint64_t *items = NULL;
	size_t room = 0;
	int rc = VMSNAP_OK;
	(void)state;
	assert_true(WORK_ROOM(&work, items, 0, &room, &rc));
	uint64_t *before = items;
	rc = VMSNAP_ERR_CANCELLED;
	assert_true(!WORK_ROOM(&work, items, 1, &room, &rc));
	assert_true(!WORK_ROOM(&work, items, room, &room, &rc));
	assert_int_equal(rc, VMSNAP_ERR_CANCELLED);
	assert_ptr_equal(items, before);
	assert_int_equal(room, FIRST_ROOM);
	work_free(&work, items, room, sizeof(*items));
	assert_int_equal(work.used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_comparison_counts_against_the_limits_of_its_files),
		cmocka_unit_test(verdicts_count_against_the_limits_of_their_files),
		cmocka_unit_test(names_and_texts_count_too),
		cmocka_unit_test(what_is_no_file_s_has_no_limit),
		cmocka_unit_test(a_line_of_status_takes_bytes_not_structures),
		cmocka_unit_test(work_on_status_grows_with_its_lines),
		cmocka_unit_test(a_long_key_is_not_read_for_each_short_one),
		cmocka_unit_test(long_keys_that_are_equal_are_many_steps),
		cmocka_unit_test(keys_have_an_order),
		cmocka_unit_test(status_shows_every_line),
		cmocka_unit_test(comparing_ends_when_it_is_not_wanted_any_more),
		cmocka_unit_test(texts_end_when_they_are_not_wanted_any_more),
		cmocka_unit_test(a_page_asks_while_it_takes_lines_of_status),
		cmocka_unit_test(a_row_of_a_table_counts_too),
		cmocka_unit_test(reading_ends_when_it_is_not_wanted_any_more),
		cmocka_unit_test(options_of_another_size_are_refused),
		cmocka_unit_test(without_a_snapshot_there_are_no_fields),
		cmocka_unit_test(sorting_keeps_the_order_of_equals_and_counts_what_it_takes),
		cmocka_unit_test(an_array_is_as_it_was_when_there_is_no_room_for_more),
		cmocka_unit_test(a_failure_before_leaves_an_array_that_has_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
