/* How names are written, ranked, and told page by page; what a page says of itself. */
#include "annotate.h"
#include "name_pages_text.h"
#include "name_text.h"
#include "test_print_support.h"

static const uint32_t rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
static const uint32_t shared = VMSNAP_PAGE_PRESENT, own = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE;

enum { STACK = 0x100000, STACK_PAGES = 32 };

#define LOCAL(address, size, frame, name)                                                                              \
	{                                                                                                              \
		(address), (size), VMSNAP_ANNOTATION_LOCAL, 42, (frame), "f", (name), ""                               \
	}

static void expect_words(const struct vmsnap_name *name, const char *expected)
{
	struct naming naming = { .main_threads = { 42 } };
	const struct vmsnap_style style = { .size = sizeof(style) };
	struct text text = { .style = &style, .work.limit = WORK_UNLIMITED };
	char *words = name_words(&naming, name, &text);
	assert_non_null(words);
	assert_string_equal(words, expected);
	name_words_free(words, &text);
	assert_int_equal(text.work.used, 0);
}

static void names_are_written_short_and_clear(void **state)
{
	(void)state;
	static const struct {
		struct vmsnap_name name;
		const char *words;
	} cases[] = {
		{ { .kind = VMSNAP_NAME_OBJECT, .symbol = "counter" }, "counter" },
		{ { .kind = VMSNAP_NAME_LOCAL, .symbol = "buf", .function = "parse", .frame = 1, .tid = 42 },
		  "buf in parse() #1" },
		{ { .kind = VMSNAP_NAME_ARGUMENT, .symbol = "n", .function = "parse", .frame = 0, .tid = 43 },
		  "n in parse() #0 of thread 43" },
		{ { .kind = VMSNAP_NAME_LOCAL, .symbol = "x", .function = "ns::f(int)", .frame = 2 },
		  "x in ns::f(int) #2" },
		{ { .kind = VMSNAP_NAME_LOCAL, .symbol = "x", .frame = 3 }, "x #3" },
		{ { .kind = VMSNAP_NAME_THREAD_LOCAL, .symbol = "errno", .tid = 42 }, "errno (thread-local)" },
		{ { .kind = VMSNAP_NAME_THREAD_LOCAL, .symbol = "errno", .tid = 43 }, "errno of thread 43" },
		{ { .kind = VMSNAP_NAME_THREAD_STACK, .symbol = "stack of thread 43 (w)" }, "stack of thread 43 (w)" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_words(&cases[i].name, cases[i].words);
}

static void nearest_and_biggest_come_first(void **state)
{
	(void)state;
	/* In order. */
	static const struct vmsnap_name names[] = {
		{ .kind = VMSNAP_NAME_LOCAL, .frame = 0, .size = 8 },
		{ .kind = VMSNAP_NAME_ARGUMENT, .frame = 0, .size = 4 },
		{ .kind = VMSNAP_NAME_LOCAL, .frame = 1, .size = 4096 },
		{ .kind = VMSNAP_NAME_THREAD_LOCAL, .size = 4 },
		{ .kind = VMSNAP_NAME_OBJECT, .size = 100 },
		{ .kind = VMSNAP_NAME_OBJECT, .size = 0 },
		{ .kind = VMSNAP_NAME_FUNCTION, .size = 5000 },
		{ .kind = VMSNAP_NAME_OTHER_SYMBOL, .size = 5000 },
		{ .kind = VMSNAP_NAME_THREAD_STACK, .size = 1 << 23 },
	};
	size_t count = sizeof(names) / sizeof(names[0]);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++)
			assert_int_equal(name_order(&names[i], &names[k]) < 0, i < k);
}

/* ---- the sweep, against looking at each page --------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

struct told {
	struct name_sweep *sweep;
	uint64_t last_end;
	size_t count[STACK_PAGES];
	char first[STACK_PAGES][8];
	bool joined[STACK_PAGES]; /* this page with the one before */
};

static void tell_group(void *ctx, struct name_sweep *sweep, uint64_t start, uint64_t end)
{
	struct told *told = ctx;
	struct top_names top;
	name_sweep_top(sweep, &top);
	assert_true(start < end && start >= told->last_end && start >= STACK);
	assert_true(end <= STACK + STACK_PAGES * PAGE && top.total > 0);
	for (uint64_t at = start; at < end; at += PAGE) {
		size_t page = (at - STACK) / PAGE;
		told->count[page] = top.total;
		told->joined[page] = at > start;
		snprintf(told->first[page], sizeof(told->first[page]), "%s", top.best[0].symbol);
		assert_int_equal(top.kept, top.total < LINE_NAMES ? top.total : LINE_NAMES);
	}
	told->last_end = end;
}

static bool lies_on(const struct vmsnap_annotation *name, uint64_t page)
{
	uint64_t at = STACK + page * PAGE;
	return name->address < at + PAGE && name->address + name->size > at;
}

static void expect_page(const struct told *told, const struct vmsnap_annotation *names, size_t count, uint64_t page,
                        bool swept, bool swept_before)
{
	const struct vmsnap_annotation *best = NULL;
	size_t on = 0, differ = 0;
	for (size_t i = 0; swept && i < count; i++) {
		if (page && lies_on(&names[i], page) != lies_on(&names[i], page - 1))
			differ++;
		if (!lies_on(&names[i], page))
			continue;
		on++;
		if (!best || names[i].frame < best->frame ||
		    (names[i].frame == best->frame && names[i].size > best->size))
			best = &names[i];
	}
	assert_int_equal(told->count[page], on);
	if (on)
		assert_string_equal(told->first[page], best->symbol);
	if (on && page)
		assert_int_equal(told->joined[page], swept_before && !differ);
}

static void sweep_once(uint32_t *seed)
{
	enum { MAX = 24 };
	struct vmsnap_annotation names[MAX];
	char symbols[MAX][24];
	struct vmsnap *snap = bare_snapshot();
	struct vmsnap_names *of;
	struct told told = { 0 };
	bool swept[STACK_PAGES] = { false };
	struct name_sweep sweep;
	size_t count = next_random(seed) % MAX;
	for (size_t i = 0; i < count; i++) {
		snprintf(symbols[i], sizeof(symbols[i]), "n%zu", i);
		/* Sizes that differ, for there to be one best name. */
		uint64_t size =
		        (next_random(seed) % 3 ? next_random(seed) % 64 : next_random(seed) % 40000) * 32 + i + 1;
		names[i] = (struct vmsnap_annotation)LOCAL(STACK + next_random(seed) % (STACK_PAGES * PAGE), size,
		                                           next_random(seed) % 3, symbols[i]);
	}
	put_vma(snap, STACK, STACK + STACK_PAGES * PAGE, rw, 0, "[stack]");
	assert_int_equal(test_annotate(snap, names, count, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_names_new(snap, NULL, &of, NULL), VMSNAP_OK);
	struct naming naming = naming_of(of, snap, NULL, NULL);
	struct work unlimited = { .limit = WORK_UNLIMITED };
	name_sweep_init(&sweep, &naming, &unlimited, PAGE, tell_group, &told);
	for (uint64_t at = 0; at < STACK_PAGES;) {
		uint64_t start = at + next_random(seed) % 3, pages = 1 + next_random(seed) % 9, end = start + pages;
		end = end < STACK_PAGES ? end : STACK_PAGES;
		for (at = start; at < end; at++)
			swept[at] = true;
		if (start < end)
			assert_int_equal(name_sweep_add(&sweep, STACK + start * PAGE, STACK + end * PAGE, NULL),
			                 VMSNAP_OK);
		at = start < end ? end : STACK_PAGES;
	}
	assert_int_equal(name_sweep_finish(&sweep, NULL), VMSNAP_OK);
	for (uint64_t page = 0; page < STACK_PAGES; page++)
		expect_page(&told, names, count, page, swept[page], page && swept[page - 1]);
	name_sweep_free(&sweep);
	assert_int_equal(unlimited.used, 0);
	vmsnap_names_free(of);
	vmsnap_unref(snap);
}

static void sweep_agrees_with_looking_at_each_page(void **state)
{
	(void)state;
	uint32_t seed = 7;
	for (int i = 0; i < 2000; i++)
		sweep_once(&seed);
}

/* ---- in a diff and a cow ------------------------------------------------------------ */

struct pair {
	struct vmsnap *a, *b;
	struct vmsnap_names *names;
};

/* Shared pages of a stack, of which B copied some. */
static struct pair pair_new(const struct vmsnap_annotation *names, size_t count, uint64_t first, uint64_t pages)
{
	struct pair pair = { bare_snapshot(), bare_snapshot(), NULL };
	uint64_t start = STACK + first * PAGE, end = start + pages * PAGE, last = STACK + STACK_PAGES * PAGE;
	put_vma(pair.a, STACK, last, rw, 0, "[stack]");
	put_vma(pair.b, STACK, last, rw, 0, "[stack]");
	put_pages(pair.a, STACK, STACK_PAGES, ENTRY(shared, 0x1000));
	put_pages(pair.b, STACK, first, ENTRY(shared, 0x1000));
	put_pages(pair.b, start, pages, ENTRY(own, 0x5000));
	if (end < last)
		put_pages(pair.b, end, (last - end) / PAGE, ENTRY(shared, 0x1000 + first + pages));
	assert_int_equal(test_annotate(pair.b, names, count, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_names_new(pair.b, NULL, &pair.names, NULL), VMSNAP_OK);
	return pair;
}

static void pair_free(struct pair pair)
{
	vmsnap_names_free(pair.names);
	vmsnap_unref(pair.a);
	vmsnap_unref(pair.b);
}

static struct catch *print_diff(struct pair pair, unsigned flags)
{
	struct vmsnap_diff *diff;
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_diff_new(pair.a, pair.b, &diff, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_diff(diff, pair.names, flags, &caught->out, NULL), VMSNAP_OK);
	vmsnap_diff_free(diff);
	return caught;
}

static struct catch *print_cow(struct pair pair, unsigned flags, bool raw)
{
	struct vmsnap_cow *cow;
	struct catch *caught = catch_new();
	caught->out.style.raw = raw;
	cow = cow_since(pair.a, pair.b, pair.a);
	assert_int_equal(vmsnap_print_cow(cow, pair.names, flags, &caught->out, NULL), VMSNAP_OK);
	vmsnap_cow_free(cow);
	return caught;
}

static const struct vmsnap_annotation FEW[] = {
	LOCAL(STACK + 0x2010, 4, 0, "near"),
	LOCAL(STACK + 0x2020, 0x3000, 1, "table"), /* to 0x5020 */
	LOCAL(STACK + 0x2000, 16, 1, "far"),
};

static void changed_pages_with_the_same_names_are_joined(void **state)
{
	(void)state;
	struct pair pair = pair_new(FEW, 3, 1, 8);
	assert_has(print_diff(pair, 0), "\nnames on changed pages\n"
	                                "  00100000 [stack]: near in f() #0, table in f() #1, far in f() #1\n"
	                                "    00102000  near in f() #0, table in f() #1, far in f() #1\n"
	                                "    00103000-00106000  table in f() #1\n");
	struct catch *caught = print_cow(pair, VMSNAP_PRINT_LONG, false);
	assert_has(caught,
	           "  00101000          8 pages copied_by_child: near in f() #0, table in f() #1, far in f() #1\n"
	           "    00102000  near in f() #0, table in f() #1, far in f() #1\n"
	           "    00103000-00106000  table in f() #1\n");
	caught = print_cow(pair, 0, false);
	assert_has(caught, "\nlocal variables\n"
	                   "  00102000 child   near in f() #0, table in f() #1, far in f() #1\n"
	                   "  00103000-00106000 child   table in f() #1\n");
	pair_free(pair);
}

static void one_page_needs_one_line(void **state)
{
	(void)state;
	struct pair pair = pair_new(FEW, 3, 2, 1);
	struct catch *caught = print_diff(pair, 0);
	assert_has(caught, "changed pages\n  00102000 [stack]: near in f() #0, table in f() #1, far in f() #1\n");
	assert_lacks(caught, "    00102000");
	caught = print_cow(pair, VMSNAP_PRINT_LONG, false);
	assert_has(caught, "  00102000          1 page  copied_by_child: near in f() #0, table");
	assert_lacks(caught, "    00102000");
	pair_free(pair);
	pair = pair_new(FEW, 3, 3, 2);
	caught = print_diff(pair, 0);
	assert_has(caught, "changed pages\n  00103000-00105000 [stack]: table in f() #1\n");
	caught = print_cow(pair, VMSNAP_PRINT_LONG, false);
	assert_has(caught, "  00103000          2 pages copied_by_child: table in f() #1\n");
	assert_lacks(caught, "    00103000");
	pair_free(pair);
	/* Of three pages, the name lies on the first two. */
	pair = pair_new(FEW, 3, 4, 3);
	caught = print_cow(pair, VMSNAP_PRINT_LONG, false);
	assert_has(caught,
	           "  00104000          3 pages copied_by_child: table in f() #1\n    00104000-00106000  table");
	pair_free(pair);
}

static void lists_of_pages_are_short_unless_asked_for(void **state)
{
	(void)state;
	struct vmsnap_annotation names[20];
	for (uint32_t i = 0; i < 20; i++)
		names[i] = (struct vmsnap_annotation)LOCAL(STACK + i * PAGE, 4, i, i == 19 ? "last" : "n");
	struct pair pair = pair_new(names, 20, 0, STACK_PAGES);
	struct catch *caught = print_diff(pair, 0);
	assert_has(caught, "  00100000 [stack]: n in f() #0, n in f() #1, n in f() #2, n in f() #3, n in f() #4, "
	                   "n in f() #5, and 14 more\n    00100000  n in f() #0\n");
	assert_has(caught, "    00107000  n in f() #7\n    and 12 more pages\n");
	assert_has(print_cow(pair, 0, false), "  0010f000 child   n in f() #15\n  and 4 more pages (-l)\n");
	caught = print_diff(pair, VMSNAP_PRINT_LONG);
	assert_has(caught, "    00113000  last in f() #19\n");
	assert_lacks(caught, "more page");
	pair_free(pair);
}

static void tables_for_scripts_keep_one_row_for_a_range(void **state)
{
	(void)state;
	struct pair pair = pair_new(FEW, 3, 1, 8);
	struct catch *caught = print_cow(pair, 0, true);
	assert_has(caught,
	           "\n00101000 8 copied_by_child - - near\\x20in\\x20f()\\x20#0,table\\x20in\\x20f()\\x20#1,far\\x20in"
	           "\\x20f()\\x20#1 [stack]\n");
	assert_lacks(caught, "00103000");
	pair_free(pair);
}

static void json_tells_kind_function_frame_and_thread(void **state)
{
	(void)state;
	struct vmsnap_annotation names[] = { LOCAL(STACK + 0x2010, 4, 1, "near"),
		                             { STACK + 0x2020, 8, VMSNAP_ANNOTATION_THREAD_LOCAL, 43, 0, "", "tls",
		                               "" },
		                             { STACK + 0x2030, 8, VMSNAP_ANNOTATION_OTHER, 0, 0, "", "it", "" } };
	struct pair pair = pair_new(names, 3, 2, 1);
	struct vmsnap_cow *cow;
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	cow = cow_since(pair.a, pair.b, pair.a);
	assert_int_equal(vmsnap_print_cow(cow, pair.names, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "{\"symbol\": \"near\", \"offset\": 0, \"size\": 4, \"object\": \"[stack]\", \"address\": "
	                   "\"0x102010\", \"kind\": \"local\", \"function\": \"f\", \"frame\": 1, \"tid\": 42, "
	                   "\"demangled\": null}");
	assert_has(
	        caught,
	        "\"kind\": \"thread_local\", \"function\": null, \"frame\": null, \"tid\": 43, \"demangled\": null}");
	assert_has(caught,
	           "\"kind\": \"symbol\", \"function\": null, \"frame\": null, \"tid\": null, \"demangled\": null}");
	assert_has(caught, "\"names_total\": 3");
	vmsnap_cow_free(cow);
	pair_free(pair);
}

static void hostile_names_do_no_harm(void **state)
{
	(void)state;
	struct vmsnap_annotation names[] = {
		{ STACK + 0x2010, 4, VMSNAP_ANNOTATION_LOCAL, 7, 1, HOSTILE, HOSTILE, HOSTILE },
		{ STACK + 0x2010, UINT64_MAX - STACK - 0x2010, VMSNAP_ANNOTATION_ARGUMENT, 7, UINT32_MAX, HOSTILE, "x",
		  "" },
		{ STACK + 0x2010, 0, VMSNAP_ANNOTATION_THREAD_LOCAL, UINT32_MAX, 1, HOSTILE, "y", "" },
		{ STACK + 0x2000, 1, VMSNAP_ANNOTATION_DEBUGGER_WRITE, 0, 0, "", HOSTILE, "" },
	};
	struct pair pair = pair_new(names, 4, 0, 8);
	assert_harmless(print_diff(pair, VMSNAP_PRINT_LONG));
	struct catch *caught = print_cow(pair, 0, false);
	assert_harmless(caught);
	assert_has(caught, "#4294967295 of thread 7");
	assert_harmless(print_cow(pair, 0, true));
	caught = catch_new();
	caught->out.style.width = 30;
	assert_int_equal(vmsnap_print_page(pair.b, pair.names, STACK + 0x2010, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	pair_free(pair);
}

/* ---- a page ------------------------------------------------------------------------- */

static void page_lists_what_lies_on_it_and_who_touched_it(void **state)
{
	(void)state;
	struct vmsnap_annotation names[20] = {
		{ STACK + 0x2100, 1, VMSNAP_ANNOTATION_DEBUGGER_WRITE, 0, 0, "", "breakpoint 2", "" },
		{ STACK + 0x2ff0, 0x20, VMSNAP_ANNOTATION_DEBUGGER_WRITE, 0, 0, "", "inferior call", "" },
		{ STACK + 0x3100, 1, VMSNAP_ANNOTATION_DEBUGGER_WRITE, 0, 0, "", "elsewhere", "" },
	};
	for (uint32_t i = 3; i < 20; i++)
		names[i] = (struct vmsnap_annotation)LOCAL(STACK + 0x2000 + i * 16, 8, i, i == 3 ? "near" : "n");
	struct pair pair = pair_new(names, 20, 2, 1);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_page(pair.b, pair.names, STACK + 0x2034, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\nname        near in f() #3+0x4 (8 bytes) in [stack]\n"
	                   "on the page 00102030  near in f() #3 (8 bytes)\n"
	                   "            00102040  n in f() #4 (8 bytes)\n");
	assert_has(caught, "            001020e0  n in f() #14 (8 bytes)\n"
	                   "            and 5 more\n"
	                   "touched     by gdb: breakpoint 2, inferior call\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_page(pair.b, pair.names, STACK + 0x2034, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"name\": {\"symbol\": \"near\", \"offset\": 4, \"size\": 8, ");
	assert_has(caught, "\"names_total\": 17,\n \"touched\": [\"breakpoint 2\", \"inferior call\"],\n \"contents\": \"none\",\n \"values\": []\n}");
	caught = catch_new();
	assert_int_equal(vmsnap_print_page(pair.b, pair.names, STACK + 0x4000, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "touched");
	assert_lacks(caught, "on the page");
	pair_free(pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_written_short_and_clear),
		cmocka_unit_test(nearest_and_biggest_come_first),
		cmocka_unit_test(sweep_agrees_with_looking_at_each_page),
		cmocka_unit_test(changed_pages_with_the_same_names_are_joined),
		cmocka_unit_test(one_page_needs_one_line),
		cmocka_unit_test(lists_of_pages_are_short_unless_asked_for),
		cmocka_unit_test(tables_for_scripts_keep_one_row_for_a_range),
		cmocka_unit_test(json_tells_kind_function_frame_and_thread),
		cmocka_unit_test(hostile_names_do_no_harm),
		cmocka_unit_test(page_lists_what_lies_on_it_and_who_touched_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
