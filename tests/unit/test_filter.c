/* Which mappings and pages are shown. */
#include "test_print_support.h"

#include "filter.h"
#include "pattern.h"

static void patterns_fit_names(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} cases[] = {
		{ "libc*", "libc.so.6", true },
		{ "libc*", "/lib/libc.so.6", false },
		{ "*libc*", "/lib/libc.so.6", true },
		{ "a*b*c", "a1b2b3c", true },
		{ "a*b*c", "a1b2b3d", false },
		{ "?", "x", true },
		{ "?", "", false },
		{ "*", "", true },
		{ "", "", true },
		{ "", "x", false },
		{ "x[0-9]", "x7", true },
		{ "x[!0-9]", "x7", false },
		{ "x[^0-9]", "xa", true },
		{ "x[]]", "x]", true },
		{ "x[a-]", "x-", true },
		{ "x[", "x[", true },
		{ "x[ab", "xa", false },
		{ "[heap]", "[heap]", true },
		{ "[heap]", "p", false },
		{ "[anon:*]", "[anon:arena]", true },
		{ "[ab]c", "bc", true },
		{ "\xff*", "\xff\x80", true },
		{ "********************a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (pattern_fits(cases[i].pattern, cases[i].name) != cases[i].fits)
			fail_msg("%s and %s", cases[i].pattern, cases[i].name);
}

static int check(const struct vmsnap_filter *given)
{
	struct vmsnap_filter filter = *given;
	filter.size = sizeof(filter);
	return vmsnap_filter_check(&filter, NULL);
}

static void what_is_not_known_of_a_page_is_not_chosen(void **state)
{
	const uint32_t present = VMSNAP_PAGE_PRESENT, swapped = VMSNAP_PAGE_SWAPPED, huge = VMSNAP_PAGE_HUGE;
	const uint32_t exclusive = VMSNAP_PAGE_EXCLUSIVE, uffd_wp = VMSNAP_PAGE_UFFD_WP;
	const struct {
		const char *only;
		uint32_t flags, swap_type;
		bool taken;
	} cases[] = {
		{ "exclusive", present | exclusive, 0, true },
		{ "exclusive", present | exclusive | huge, 0, false }, /* of the first of its huge page */
		{ "!exclusive", present | huge, 0, false },
		{ "!exclusive", present, 0, true },
		{ "huge", present | exclusive | huge, 0, true },
		{ "swapped", swapped, 1, true },
		{ "swapped", swapped, 30, false },
		{ "swapped", swapped | huge, 0, false },
		{ "swapped", swapped | uffd_wp, 0, false },
		{ "!swapped", swapped | huge, 0, false },
		{ "huge", swapped | huge, 0, false },
		/* It may be one that is just being moved. */
		{ "!present", swapped | huge, 0, false },
		{ "present", swapped | huge, 0, false },
		{ "!file", swapped | huge, 0, true },
		{ "exclusive?", present | exclusive | huge, 0, true },
		{ "exclusive?", present | exclusive, 0, false },
		{ "!exclusive?", present | exclusive, 0, true },
		{ "!exclusive?", present | exclusive | huge, 0, false },
		{ "swapped?", swapped | huge, 0, true },
		{ "swapped?,exclusive?", swapped | huge, 0, true },
		{ "swapped?", swapped, 1, false },
		{ "file?", present, 0, false },
	};
	struct vmsnap *snap = snapshot_new();
	snap->info.page_size = 4096;
	snap->info.known = (struct vmsnap_known){ .pfn = 1, .exclusive = 1, .zero = 1, .huge = 1 };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmsnap_filter given = { .size = sizeof(given), .only = cases[i].only };
		struct vmsnap_run run = { .start = 0x1000, .end = 0x2000, .flags = cases[i].flags };
		struct filter filter;
		run.pfn = run.flags & present ? 0x99 : 0;
		run.swap_type = cases[i].swap_type;
		assert_int_equal(filter_init(&filter, &given, NULL), VMSNAP_OK);
		assert_int_equal(filter_fit(&filter, snap, NULL), VMSNAP_OK);
		if (filter_cut_run(&filter, 4096, &run) != cases[i].taken)
			fail_msg("%s of 0x%x", cases[i].only, (unsigned)cases[i].flags);
	}
	vmsnap_unref(snap);
}

static void what_says_nothing_is_refused(void **state)
{
	static const char *const bad_perms[] = { "", "y", "r!", "!", "r-xq", "-", "rw-pp", "x!x", "rr", "ps", "!p!s" };
	static const char *const bad_only[] = { "",
		                                "exclusive,",
		                                "red",
		                                "!",
		                                "?",
		                                "!?",
		                                "exclusive??",
		                                "?exclusive",
		                                "exclusive!",
		                                "file exclusive",
		                                "file,file",
		                                "file,!file",
		                                "huge,guard",
		                                "zero,!present",
		                                "present,swapped",
		                                "swapped,!exclusive",
		                                "exclusive,exclusive?" };
	static const char *const bad_frames[] = { "", "-", "1-", "-1", "g", "2-1", "1-2-3", "0x", "11111111111111111" };
	static const char *const good_perms[] = { "x", "rw", "w!x", "r-xp", "---p", "s", "!p", "rwxs" };
	static const char *const good_frames[] = { "0", "1A2b", "0x10-0X1f", "1-1", "ffffffffffffffff" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad_perms) / sizeof(*bad_perms); i++)
		assert_int_equal(check(&(struct vmsnap_filter){ .perm = bad_perms[i] }), VMSNAP_ERR_ARGUMENT);
	for (size_t i = 0; i < sizeof(bad_only) / sizeof(*bad_only); i++)
		if (check(&(struct vmsnap_filter){ .only = bad_only[i] }) != VMSNAP_ERR_ARGUMENT)
			fail_msg("'%s'", bad_only[i]);
	for (size_t i = 0; i < sizeof(bad_frames) / sizeof(*bad_frames); i++)
		if (check(&(struct vmsnap_filter){ .pfn = bad_frames[i] }) != VMSNAP_ERR_ARGUMENT)
			fail_msg("'%s'", bad_frames[i]);
	for (size_t i = 0; i < sizeof(good_perms) / sizeof(*good_perms); i++)
		assert_int_equal(check(&(struct vmsnap_filter){ .perm = good_perms[i] }), VMSNAP_OK);
	for (size_t i = 0; i < sizeof(good_frames) / sizeof(*good_frames); i++)
		assert_int_equal(check(&(struct vmsnap_filter){ .pfn = good_frames[i] }), VMSNAP_OK);
	assert_int_equal(check(&(struct vmsnap_filter){ .only = "exclusive,!file,present" }), VMSNAP_OK);
	assert_int_equal(check(&(struct vmsnap_filter){ .only = "!zero,!huge,!swapped,!guard" }), VMSNAP_OK);
	assert_int_equal(check(&(struct vmsnap_filter){ .start = 0x1000 }), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(check(&(struct vmsnap_filter){ .start = 2, .end = 1 }), VMSNAP_ERR_ARGUMENT);
	assert_int_equal(vmsnap_filter_check(&(struct vmsnap_filter){ .size = 3 }, NULL), VMSNAP_ERR_ARGUMENT);
}

/* START-END of the rows of `pages`, blank between. */
static const char *pages_of(const struct vmsnap *snap, const struct vmsnap_filter *given)
{
	static struct catch *caught;
	struct vmsnap_filter filter = *given;
	caught = catch_new();
	filter.size = sizeof(filter);
	caught->out.filter = &filter;
	caught->out.style.raw = caught->out.style.no_headings = true;
	caught->out.style.columns = "START,END,PFN/SWAP";
	if (vmsnap_print_pages(snap, 0, UINT64_MAX, false, &caught->out, &caught->err))
		return caught->err.message;
	return caught->text;
}

static void pages_are_those_that_fit(void **state)
{
	static const struct {
		struct vmsnap_filter filter;
		const char *rows;
	} cases[] = {
		{ { .name = "demo" }, "00010000 00012000 0x100\n" },
		{ { .name = "[heap]", .only = "exclusive" }, "00020000 00028000 0x200\n" },
		{ { .only = "!exclusive,!file,!zero" }, "00028000 0002a000 0x300\n" },
		{ { .only = "swapped" }, "00030000 00033000 1:0x5\n" },
		{ { .only = "guard" }, "00038000 00039000 -\n" },
		{ { .only = "uffd_wp" }, "00039000 0003a000 -\n" },
		{ { .perm = "x" }, "00010000 00012000 0x100\n" },
		{ { .perm = "s" }, "00051000 00052000 0x400\n" },
		{ { .perm = "r-xp" }, "00010000 00012000 0x100\n" },
		{ { .perm = "w!s", .only = "zero" }, "0002a000 0002b000 0x9\n" },
		/* Cut out of the middle of a run, with the frames that belong there. */
		{ { .pfn = "202-203" }, "00022000 00024000 0x202\n" },
		{ { .pfn = "0x207" }, "00027000 00028000 0x207\n" },
		{ { .pfn = "0-fff", .only = "file", .name = "/bin/*" }, "00010000 00012000 0x100\n" },
		{ { .start = 0x25fff, .end = 0x27001 }, "00025000 00028000 0x205\n" },
		{ { .start = 0x31000, .end = 0x32000 }, "00031000 00032000 1:0x6\n" },
		{ { .name = "" }, "" },
		{ { .only = "soft_dirty" }, "this snapshot does not know which pages are soft-dirty" },
	};
	struct vmsnap *snap = sample_snapshot();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(pages_of(snap, &cases[i].filter), cases[i].rows);
	snap->info.known.pfn = snap->info.known.exclusive = false;
	assert_string_equal(pages_of(snap, &(struct vmsnap_filter){ .pfn = "1" }),
	                    "this snapshot does not know in which frames pages lie (root would know)");
	assert_string_equal(pages_of(snap, &(struct vmsnap_filter){ .only = "!exclusive" }),
	                    "this snapshot does not know which pages are exclusive");
	vmsnap_unref(snap);
}

static void show_sums_what_fits(void **state)
{
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	struct vmsnap_filter filter = { .size = sizeof(filter), .only = "!file", .perm = "w" };
	(void)state;
	caught->out.filter = &filter;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\nonly      perm w, page !file\n");
	assert_has(caught, "    44.0K  12.0K 32.0K   12.0K [heap]\n");
	assert_has(caught, " 1 of 3 mappings\n");
	assert_lacks(caught, "/bin/demo");
	caught = catch_new();
	caught->out.style.json = true;
	filter = (struct vmsnap_filter){ .size = sizeof(filter), .start = 0x21000, .end = 0x23000, .name = "*" };
	caught->out.filter = &filter;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"filter\": {\"name\": \"*\", \"perm\": null, \"only\": null, \"pfn\": null, "
	                   "\"start\": \"0x21000\", \"end\": \"0x23000\", "
	                   "\"unknown_pages\": 0, \"unknown_bytes\": 0, \"unknown_of\": []}");
	assert_has(caught, "\"total\": {\"size\": 131072, \"resident\": 8192, ");
	vmsnap_unref(snap);
}

/* Of a huge page, of one that was just being moved, and of what only looks swapped. */
static struct vmsnap *snapshot_of_doubts(void)
{
	const uint32_t present = VMSNAP_PAGE_PRESENT, rw = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE;
	struct vmsnap *snap = bare_snapshot();
	snap->info.known = (struct vmsnap_known){ .pfn = 1, .exclusive = 1, .zero = 1, .huge = 1 };
	put_vma(snap, 0x200000, 0x600000, rw, 0, "");
	put_vma(snap, 0x700000, 0x710000, rw, 0, "[heap]");
	put_pages(snap, 0x200000, 512, ENTRY(present | VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_HUGE, 0x20000));
	put_pages(snap, 0x400000, 1, ENTRY(present | VMSNAP_PAGE_EXCLUSIVE, 0x333));
	put_pages(snap, 0x401000, 2, ENTRY(present, 0));
	put_pages(snap, 0x403000, 3, ENTRY(VMSNAP_PAGE_SWAPPED | VMSNAP_PAGE_HUGE, 0));
	put_pages(snap, 0x700000, 4, ENTRY(present | VMSNAP_PAGE_EXCLUSIVE | VMSNAP_PAGE_HUGE, 0x30000));
	return snap;
}

static void what_is_left_out_as_it_is_not_known_is_told(void **state)
{
	static const struct {
		struct vmsnap_filter filter;
		const char *told;
	} cases[] = {
		{ { .only = "exclusive" },
		  "\"unknown_pages\": 521, \"unknown_bytes\": 2134016, "
		  "\"unknown_of\": [\"exclusive\"]}" },
		{ { .only = "!exclusive" },
		  "\"unknown_pages\": 521, \"unknown_bytes\": 2134016, "
		  "\"unknown_of\": [\"exclusive\", \"present\"]}" },
		{ { .only = "exclusive", .name = "[heap]" },
		  "\"unknown_pages\": 4, \"unknown_bytes\": 16384, \"unknown_of\": [\"exclusive\"]}" },
		{ { .only = "exclusive", .start = 0x300000, .end = 0x301000 }, "\"unknown_pages\": 1, " },
		/* What it is not at any rate is not left out for not being known. */
		{ { .only = "exclusive,!huge" }, "\"unknown_pages\": 5, " },
		{ { .only = "exclusive,file" }, "\"unknown_pages\": 0, \"unknown_bytes\": 0, \"unknown_of\": []}" },
		{ { .only = "exclusive", .pfn = "20010-20013" }, "\"unknown_pages\": 9, " },
		{ { .pfn = "333" }, "\"unknown_pages\": 5, \"unknown_bytes\": 20480, \"unknown_of\": [\"pfn\"]}" },
		{ { .only = "swapped" }, "\"unknown_pages\": 3, " },
		{ { .only = "!swapped" }, "\"unknown_pages\": 3, " },
		{ { .only = "present" }, "\"unknown_pages\": 3, " },
		{ { .only = "exclusive?" }, "\"unknown_pages\": 0, " },
		{ { .name = "[heap]" }, "\"unknown_pages\": 0, " },
	};
	struct vmsnap *snap = snapshot_of_doubts();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct vmsnap_filter filter = cases[i].filter;
		filter.size = sizeof(filter);
		for (int what = 0; what < 3; what++) {
			struct catch *caught = catch_new();
			caught->out.filter = &filter;
			caught->out.style.json = true;
			int rc = what == 0   ? vmsnap_print_show(snap, &caught->out, NULL)
			         : what == 1 ? vmsnap_print_map(snap, NULL, &caught->out, NULL)
			                     : vmsnap_print_pages(snap, 0, UINT64_MAX, false, &caught->out, NULL);
			assert_int_equal(rc, VMSNAP_OK);
			assert_has(caught, cases[i].told);
		}
	}
	vmsnap_unref(snap);
}

static void people_are_told_what_is_left_out(void **state)
{
	static const char line[] = "left out  2.04M, 521 pages that may belong here; not known of them: exclusive\n";
	struct vmsnap *snap = snapshot_of_doubts();
	struct vmsnap_filter filter = { .size = sizeof(filter), .only = "exclusive" };
	struct catch *caught;
	(void)state;
	for (int what = 0; what < 4; what++) {
		caught = catch_new();
		caught->out.filter = &filter;
		caught->out.style.width = 80;
		uint64_t start = what == 3 ? 0x400000 : 0, end = what == 3 ? 0x401000 : UINT64_MAX;
		int rc = what == 0   ? vmsnap_print_show(snap, &caught->out, NULL)
		         : what == 1 ? vmsnap_print_map(snap, NULL, &caught->out, NULL)
		                     : vmsnap_print_pages(snap, start, end, false, &caught->out, NULL);
		assert_int_equal(rc, VMSNAP_OK);
		if (what < 3)
			assert_has(caught, line);
		else
			assert_lacks(caught, "left out"); /* what is asked for lies elsewhere */
	}
	vmsnap_unref(snap);
}

/* How much shared memory is in swap smaps tells, and nothing tells which pages are. */
static void shared_memory_in_swap_is_left_out_and_told(void **state)
{
	struct vmsnap *snap = bare_snapshot();
	const uint32_t shared = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED;
	struct vmsnap_filter filter = { .size = sizeof(filter), .only = "swapped" };
	struct catch *caught = catch_new();
	(void)state;
	put_vma(snap, 0x10000, 0x30000, shared, 5, "/dev/shm/x");
	snap->vmas[0].dev_major = 0;
	snap->info.swap_in_use = 1 << 20;
	caught->out.filter = &filter;
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"unknown_pages\": 32, \"unknown_bytes\": 131072, \"unknown_of\": [\"swapped\"]}");
	snap->info.swap_in_use = 0;
	caught = catch_new();
	caught->out.filter = &filter;
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"unknown_pages\": 0, ");
	vmsnap_unref(snap);
}

/* Beside the part of a mapping no numbers of all of it. */
static void smaps_tells_nothing_of_parts(void **state)
{
	static const char *const keys[] = { "Rss", "KernelPageSize" };
	static const uint64_t values[] = { 8192, 4096, 49152, 4096, 4096, 4096 };
	struct vmsnap *snap = sample_snapshot();
	struct vmsnap_filter part = { .size = sizeof(part), .start = 0x10000, .end = 0x22000 };
	struct vmsnap_filter states = { .size = sizeof(states), .only = "exclusive" };
	struct vmsnap_filter whole = { .size = sizeof(whole), .start = 0x10000, .end = 0x50000 };
	struct catch *caught = catch_new();
	(void)state;
	give_smaps(snap, keys, 2, values);
	caught->out.filter = &part;
	caught->out.style.columns = "START,RESIDENT,RSS,KERNELPAGESIZE";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n00010000    8.00K 8.00K          4.00K\n");
	assert_has(caught, "\n00020000    8.00K                4.00K\n");
	assert_has(caught, "\ntotal       16.0K\n");
	assert_has(caught, "\nblank     smaps tells of whole mappings");
	caught = catch_new();
	caught->out.filter = &states;
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"smaps\": {\"Rss\": null, \"KernelPageSize\": 4096}");
	assert_lacks(caught, "49152");
	assert_has(caught, "\"smaps\": {}}");
	caught = catch_new();
	caught->out.filter = &whole;
	caught->out.style.columns = "START,RSS";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n00020000 48.0K\n");
	assert_has(caught, "\ntotal    56.0K\n");
	assert_lacks(caught, "blank");
	/* Nobody asked for them. */
	caught = catch_new();
	caught->out.filter = &part;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "blank");
	vmsnap_unref(snap);
}

static void without_a_filter_nothing_says_so(void **state)
{
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	(void)state;
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "\"filter\"");
	vmsnap_unref(snap);
}

static void map_shows_what_fits(void **state)
{
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	struct vmsnap_filter filter = { .size = sizeof(filter), .name = "[heap]" };
	(void)state;
	caught->out.filter = &filter;
	caught->out.style.width = 80;
	assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "only      name [heap]\n");
	assert_has(caught, "p private 32.0K");
	assert_lacks(caught, "f file");
	caught = catch_new();
	filter = (struct vmsnap_filter){ .size = sizeof(filter), .only = "file" };
	caught->out.filter = &filter;
	assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "f file 12.0K");
	assert_lacks(caught, "private");
	assert_lacks(caught, ". mapped");
	vmsnap_unref(snap);
}

/* What became of pages is not changed by what is shown: a page that was shared at A and is
 * exclusive at B did not come. */
static void map_of_two_is_of_places(void **state)
{
	struct vmsnap *a = sample_snapshot(), *b = bare_snapshot();
	struct catch *caught = catch_new();
	struct vmsnap_filter filter = { .size = sizeof(filter), .name = "[heap]" };
	(void)state;
	put_vma(b, 0x10000, 0x14000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, 7, "/bin/demo");
	put_vma(b, 0x20000, 0x40000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, 0, "[heap]");
	put_pages(b, 0x10000, 4, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_FILE, 0x100));
	put_pages(b, 0x20000, 10, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE, 0x200));
	caught->out.filter = &filter;
	assert_int_equal(vmsnap_print_map(a, b, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "# copied 8.00K");
	assert_lacks(caught, "f file");
	assert_lacks(caught, "+ new");
	filter = (struct vmsnap_filter){ .size = sizeof(filter), .only = "exclusive" };
	assert_int_equal(vmsnap_print_map(a, b, &caught->out, &caught->err), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(caught->err.message, "not by what pages are"));
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void other_texts_take_no_filter(void **state)
{
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	struct vmsnap_filter filter = { .size = sizeof(filter) };
	(void)state;
	caught->out.filter = &filter;
	assert_int_equal(vmsnap_print_status(snap, NULL, &caught->out, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_fit_names),
		cmocka_unit_test(what_is_not_known_of_a_page_is_not_chosen),
		cmocka_unit_test(what_says_nothing_is_refused),
		cmocka_unit_test(pages_are_those_that_fit),
		cmocka_unit_test(show_sums_what_fits),
		cmocka_unit_test(what_is_left_out_as_it_is_not_known_is_told),
		cmocka_unit_test(people_are_told_what_is_left_out),
		cmocka_unit_test(shared_memory_in_swap_is_left_out_and_told),
		cmocka_unit_test(smaps_tells_nothing_of_parts),
		cmocka_unit_test(without_a_filter_nothing_says_so),
		cmocka_unit_test(map_shows_what_fits),
		cmocka_unit_test(map_of_two_is_of_places),
		cmocka_unit_test(other_texts_take_no_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
