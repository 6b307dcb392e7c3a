/* Lines no wider than the terminal: names are cut, lists and sentences go on. */
#include "name_text.h"
#include "test_print_support.h"
#include "text_fit.h"
#include "text_utf8.h"

static struct text *text_of(struct catch *caught, size_t width)
{
	static struct text text;
	caught->out.style.width = (unsigned)width;
	assert_int_equal(text_open(&text, &caught->out, NULL), VMSNAP_OK);
	return &text;
}

static size_t widest_line(const struct catch *caught)
{
	size_t widest = 0;
	for (const char *line = caught->text; *line;) {
		size_t len = strcspn(line, "\n"), width = utf8_text_width(line, len);
		widest = width > widest ? width : widest;
		line += len + (line[len] == '\n');
	}
	return widest;
}

static const char *names_in(struct catch *caught, const struct top_names *top, size_t width, size_t column)
{
	struct text *text = text_of(caught, width);
	top_names_put(top, text, column);
	assert_int_equal(text_close(text, NULL), VMSNAP_OK);
	return caught->text;
}

static void names_are_left_out_until_the_line_fits(void **state)
{
	(void)state;
	struct top_names top = { .kept = 3, .total = 12 };
	top.best[0].symbol = "counter";
	top.best[1].symbol = "table";
	top.best[2].symbol = "third_one";
	assert_string_equal(names_in(catch_new(), &top, 0, 10), "counter, table, third_one, and 9 more");
	assert_string_equal(names_in(catch_new(), &top, 47, 10), "counter, table, third_one, and 9 more");
	assert_string_equal(names_in(catch_new(), &top, 46, 10), "counter, table, and 10 more");
	assert_string_equal(names_in(catch_new(), &top, 37, 10), "counter, table, and 10 more");
	assert_string_equal(names_in(catch_new(), &top, 36, 10), "counter, and 11 more");
	assert_string_equal(names_in(catch_new(), &top, 1, 10), "counter, and 11 more");
	top.total = 3;
	assert_string_equal(names_in(catch_new(), &top, 35, 10), "counter, table, third_one");
	assert_string_equal(names_in(catch_new(), &top, 34, 10), "counter, and 2 more");
}

static const char *path_cut_to(struct catch *caught, const char *path, size_t width)
{
	struct text *text = text_of(caught, width);
	fit_path(text, path, fit_room(text, 0));
	assert_int_equal(text_close(text, NULL), VMSNAP_OK);
	return caught->text;
}

/* Only the end of an endless path is looked at, and looks as it always does. */
static void endless_path_is_cut_as_any_other(void **state)
{
	(void)state;
	static const char *const pieces[] = { "dir/", "\xc3\xa9\xe6\xbc\xa2/", "\n\\", "\xff" };
	static char endless[1 << 16];
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		size_t len = strlen(pieces[i]), total = (sizeof(endless) - 1) / len * len;
		for (size_t at = 0; at < total; at += len)
			memcpy(endless + at, pieces[i], len);
		endless[total] = '\0';
		assert_true(fit_unseen(endless, total, 80) > total / 2);
		for (size_t width = 1; width < 100; width += 7) {
			char expected[1024];
			strcpy(expected, path_cut_to(catch_new(), endless + total - 60 * len, width));
			assert_string_equal(path_cut_to(catch_new(), endless, width), expected);
		}
	}
}

/* What is put beside it begins where it ends. */
static void path_takes_as_much_as_it_says(void **state)
{
	(void)state;
	static const char *const paths[] = { "/usr/lib/x86_64-linux-gnu/libc.so.6",
		                             "/x",
		                             "name",
		                             "/",
		                             "/\xe6\xbc\xa2/\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2/\n/so",
		                             HOSTILE };
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		for (size_t room = 4; room < 60; room++) {
			struct catch *caught = catch_new();
			struct text *text = text_of(caught, 0);
			caught->out.style.unicode = room % 2;
			size_t told = fit_path_width(text, paths[i], room);
			fit_path(text, paths[i], room);
			assert_int_equal(text_close(text, NULL), VMSNAP_OK);
			assert_int_equal(told, widest_line(caught));
			assert_true(told <= room);
		}
}

static void emoji_is_not_cut_from_its_selector(void **state)
{
	(void)state;
	char path[64 * 6 + 1] = "", expected[256] = "\u2026";
	for (size_t i = 0; i < 64; i++)
		strcat(path, "\u2764\ufe0f");
	for (size_t i = 0; i < 29; i++)
		strcat(expected, "\u2764\ufe0f");
	assert_string_equal(path_cut_to(catch_new(), path, 30), expected);
}

static void one_endless_name_is_cut(void **state)
{
	(void)state;
	char endless[601];
	memset(endless, 'x', 600);
	endless[600] = '\0';
	struct top_names top = { .kept = 1, .total = 2 };
	top.best[0].symbol = endless;
	for (size_t width = 1; width < 200; width++) {
		struct catch *caught = catch_new();
		caught->out.style.unicode = width % 2;
		names_in(caught, &top, width, 30);
		size_t all = 30 + widest_line(caught);
		assert_true(width < 54 ? all == 54 : all == width);
	}
}

static void hostile_name_is_cut_between_its_escapes(void **state)
{
	(void)state;
	for (size_t room = 1; room < 60; room++) {
		struct catch *caught = catch_new();
		struct text *text = text_of(caught, 0);
		fit_name(text, HOSTILE, strlen(HOSTILE), room);
		text_string(text, "\n");
		fit_path(text, HOSTILE, room);
		assert_int_equal(text_close(text, NULL), VMSNAP_OK);
		assert_harmless(caught);
		assert_true(widest_line(caught) <= room);
	}
}

static void words_go_on_in_the_next_line(void **state)
{
	(void)state;
	struct catch *caught = catch_new();
	struct text *text = text_of(caught, 24);
	struct fit_line line = fit_line(text, 0, 2);
	fit_words(&line, "the first of all words:");
	fit_piece(&line, "5 pages");
	fit_glue(&line, ",");
	fit_piece(&line, "12 more of them");
	assert_int_equal(text_close(text, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "the first of all words:\n  5 pages,\n  12 more of them");
}

static void show_status_goes_on_in_the_next_line(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	put_status(snap, "VmRSS:\t56 kB\nRssAnon:\t44 kB\nVmHWM:\t60 kB\nThreads:\t1\n");
	struct catch *caught = catch_new();
	caught->out.style.width = 40;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\nstatus    VmRSS 56.0K  RssAnon 44.0K\n          VmHWM 60.0K  Threads 1\n");
	vmsnap_unref(snap);
}

static void status_of_two_fits_the_width(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	put_status(snap, "Groups_of_a_process_with_a_long_key_here:\t1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n");
	struct vmsnap *other = sample_snapshot();
	for (unsigned width = 40; width < 120; width++) {
		struct catch *caught = catch_new();
		caught->out.style.width = width;
		assert_int_equal(vmsnap_print_status(snap, other, &caught->out, NULL), VMSNAP_OK);
		assert_true(widest_line(caught) <= width);
	}
	vmsnap_unref(snap);
	vmsnap_unref(other);
}

static void cow_without_frames_says_that_it_infers(void **state)
{
	(void)state;
	struct vmsnap *parent = sample_snapshot(), *child = sample_snapshot();
	struct vmsnap_cow *cow;
	for (int known = 0; known < 2; known++) {
		child->info.known.pfn = known;
		assert_int_equal(vmsnap_cow_new(parent, child, NULL, &cow, NULL), VMSNAP_OK);
		struct catch *caught = catch_new();
		caught->out.style.width = 60;
		assert_int_equal(vmsnap_print_cow(cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
		assert_true(widest_line(caught) <= 60);
		if (known)
			assert_lacks(caught, "inferred where");
		else
			assert_has(caught, "! without PFNs, who shares and who copied is inferred where");
		vmsnap_cow_free(cow);
	}
	vmsnap_unref(parent);
	vmsnap_unref(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_left_out_until_the_line_fits),
		cmocka_unit_test(endless_path_is_cut_as_any_other),
		cmocka_unit_test(path_takes_as_much_as_it_says),
		cmocka_unit_test(emoji_is_not_cut_from_its_selector),
		cmocka_unit_test(one_endless_name_is_cut),
		cmocka_unit_test(hostile_name_is_cut_between_its_escapes),
		cmocka_unit_test(words_go_on_in_the_next_line),
		cmocka_unit_test(show_status_goes_on_in_the_next_line),
		cmocka_unit_test(status_of_two_fits_the_width),
		cmocka_unit_test(cow_without_frames_says_that_it_infers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
