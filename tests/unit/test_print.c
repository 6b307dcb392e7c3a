/* show, pages, page, status, map of one snapshot: what they say of every kind of
 * page, and of what was not known. */
#include "format_value.h"
#include "test_print_support.h"

static void words_for_sizes_have_three_digits(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *word;
	} sizes[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1.00K" },
		{ 4096, "4.00K" },
		{ 10234, "9.99K" },
		{ 10236, "10.0K" },
		{ 504 << 10, "504K" },
		{ 1000 << 10, "1000K" },
		{ (1024 << 10) - 1, "1.00M" },
		{ 5 << 19, "2.50M" },
		{ UINT64_C(9) << 29, "4.50G" },
		{ UINT64_C(1) << 47, "128T" },
		{ UINT64_MAX, "16.0E" },
	};
	struct vmsnap_style style = { 0 }, exact = { .bytes = true };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_string_equal(word_size(&style, sizes[i].bytes).text, sizes[i].word);
	assert_string_equal(word_size(&exact, 4096).text, "4096");
	assert_string_equal(word_percent(318, 1000).text, "31.8%");
	assert_string_equal(word_percent(7, 7).text, "100%");
	assert_string_equal(word_time_utc(INT64_C(1700000000123456789)).text, "2023-11-14T22:13:20.123456789Z");
	assert_string_equal(word_time_utc(-1).text, "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(word_duration(1234567).text, "1.23 ms");
}

static void show_sums_pages_by_mapping(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "START     SIZE PERM PAGES                RESIDENT SHARED   OWN SWAPPED MAPPING\n");
	assert_has(caught, "    44.0K  12.0K 32.0K   12.0K [heap]\n");
	assert_has(caught, "    56.0K  12.0K 32.0K   12.0K 3 mappings\n");
	assert_has(caught, "frozen for 1.23 ms\n");
	assert_has(caught, "VmRSS 56.0K  Threads 1\n");
	vmsnap_unref(snap);
}

static void show_says_what_was_not_known(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	snap->info.known = (struct vmsnap_known){ 0 };
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "unknown   PFNs (root would know), soft-dirty, exclusive, zero page, huge\n");
	assert_has(caught, "    44.0K      ?   ?   12.0K [heap]\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"exclusive\": null, \"zero\": null, \"file\": 0, \"huge\": null");
	vmsnap_unref(snap);
}

static void show_json_keeps_the_contract(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "{\n \"schema\": \"vmsnap.show/1\",\n \"snapshot\": {\"pid\": 42,");
	assert_has(caught, "\"taken\": \"2023-11-14T22:13:20.123456789Z\"");
	assert_has(caught, "\"pause_us\": 1234.567");
	assert_has(caught, "\"label\": null");
	assert_has(caught, "\"known\": {\"pfn\": true, \"soft_dirty\": false, ");
	assert_has(caught, "{\"start\": \"0x20000\", \"end\": \"0x40000\", \"perms\": \"rw-p\", \"offset\": 0, "
	                   "\"dev\": \"00:00\", \"inode\": 0, \"name\": \"[heap]\", \"deleted\": false, "
	                   "\"build_id\": null, \"size\": 131072, \"resident\": 45056, \"swapped\": 12288, "
	                   "\"exclusive\": 32768, \"zero\": 4096,");
	assert_has(caught, "\"total\": {\"size\": 155648, \"resident\": 57344,");
	assert_has(caught, "\"status\": {\"Name\": \"123\", \"VmRSS\": 57344, \"Threads\": 1, \"Uid\": \"0 0 0 0\", "
	                   "\"SigCgt\": \"0000000000000002\"}");
	vmsnap_unref(snap);
}

static void show_has_columns_for_smaps(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	snap->smaps.key_count = 2;
	snap->smaps.keys = calloc(2, sizeof(*snap->smaps.keys));
	snap->smaps.values = calloc(6, sizeof(*snap->smaps.values));
	assert_true(snap->smaps.keys && snap->smaps.values);
	snap->smaps.keys[0] = "Pss";
	snap->smaps.keys[1] = "Evil\033[2J";
	snap->smaps.values[2] = 8192;
	snap->smaps.values[3] = UINT64_MAX;
	struct catch *caught = catch_new();
	caught->out.style.columns = "START,pss";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00020000 8.00K\n");
	caught = catch_new();
	caught->out.style.columns = "NO";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, &caught->err), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(caught->err.message, " PSS "));
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "\"smaps\": {\"Pss\": 8192, \"Evil\\\\x1b[2J\": null}");
	vmsnap_unref(snap);
}

static void show_adds_up_those_keys_of_smaps_that_are_sizes(void **state)
{
	(void)state;
	static const char *const keys[] = { "Rss", "KernelPageSize", "THPeligible", "Later", "Name" };
	static const uint64_t values[] = {
		8192, 4096, 0, 1024, UINT64_MAX, UINT64_MAX, 4096, 0, 1, UINT64_MAX, 4096, 2 << 20, 0, 0, 1024,
	};
	struct vmsnap *snap = sample_snapshot();
	give_smaps(snap, keys, 5, values);
	snap->smaps.texts[4] = "[anon:\033[2Jx]";
	struct catch *caught = catch_new();
	caught->out.style.columns = "START,RSS,KERNELPAGESIZE,THPELIGIBLE,LATER,NAME";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "[anon:\\x1b[2Jx]");
	assert_has(caught, "\ntotal    12.0K\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"Later\": 1024, \"Name\": \"[anon:\\\\x1b[2Jx]\"}");
	assert_has(caught,
	           "\"guard\": 4096, \"exclusive_unknown\": 0, \"swapped_unknown\": 0, \"smaps\": {\"Rss\": 12288}}");
	vmsnap_unref(snap);
}

static void show_tells_of_huge_pages_that_rss_leaves_out(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	put_status(snap, "VmRSS:\t      56 kB\nHugetlbPages:\t    2048 kB\n");
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "status    VmRSS 56.0K  HugetlbPages 2.00M\n");
	put_status(snap, "VmRSS:\t      56 kB\nHugetlbPages:\t       0 kB\n");
	caught = catch_new();
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "status    VmRSS 56.0K\n");
	vmsnap_unref(snap);
}

/* It is absent in page tables when it is swapped out. */
static void show_knows_of_swapped_shared_memory_by_smaps_or_not_at_all(void **state)
{
	(void)state;
	static const char *const keys[] = { "Swap" };
	static const uint64_t values[] = { 0, 12288, 4096 };
	struct vmsnap *snap = sample_snapshot();
	snap->vmas[2].dev_minor = 1;
	snap->info.swap_in_use = 4096;
	struct catch *caught = catch_new();
	caught->out.style.columns = "START,SWAPPED";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00010000\n00020000   12.0K\n00050000       ?\ntotal     12.0K+\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"resident\": 4096, \"swapped\": null, ");
	snap->info.swap_in_use = 0;
	caught = catch_new();
	caught->out.style.columns = "START,SWAPPED";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00050000\ntotal      12.0K\n");
	snap->info.swap_in_use = 4096;
	give_smaps(snap, keys, 1, values);
	caught = catch_new();
	caught->out.style.columns = "START,SWAPPED";
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00020000   12.0K\n00050000   4.00K\ntotal      16.0K\n");
	struct vmsnap_sums sums;
	vmsnap_sum(snap, 0x50000, 0x51000, &sums);
	assert_int_equal(sums.swapped, 0);
	assert_int_equal(sums.swap_unknown, 4096); /* one of them, but which? */
	vmsnap_sum(snap, 0x51000, 0x52000, &sums);
	assert_int_equal(sums.swapped + sums.swap_unknown, 0);
	vmsnap_unref(snap);
}

static void expect_state(const struct vmsnap *snap, uint64_t address, const char *state)
{
	struct catch *caught = catch_new();
	char line[64];
	assert_int_equal(vmsnap_print_page(snap, NULL, address, &caught->out, NULL), VMSNAP_OK);
	snprintf(line, sizeof(line), "\nstate       %s\n", state);
	assert_has(caught, line);
	caught = catch_new();
	caught->out.style.json = true;
	snprintf(line, sizeof(line), "\"state\": \"%s\"", state);
	assert_int_equal(vmsnap_print_page(snap, NULL, address, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, line);
}

/* What show says of a mapping, page says of its pages. */
static void page_knows_of_swapped_shared_memory_as_show_does(void **state)
{
	(void)state;
	static const char *const keys[] = { "Swap" };
	static const uint64_t values[] = { 4096, 4096, 0 };
	const uint32_t shared = VMSNAP_PERM_READ | VMSNAP_PERM_WRITE | VMSNAP_PERM_SHARED;
	struct vmsnap *snap = bare_snapshot();
	put_vma(snap, 0x10000, 0x11000, shared, 5, "/dev/shm/one");
	put_vma(snap, 0x20000, 0x22000, shared, 6, "/dev/shm/two");
	put_vma(snap, 0x30000, 0x31000, shared, 7, "/dev/shm/none");
	for (size_t i = 0; i < 3; i++)
		snap->vmas[i].dev_major = 0;
	expect_state(snap, 0x20000, "absent");
	snap->info.swap_in_use = 8192;
	expect_state(snap, 0x20000, "swapped?");
	give_smaps(snap, keys, 1, values);
	expect_state(snap, 0x10000, "swapped");
	expect_state(snap, 0x20000, "swapped?"); /* one of two, but which? */
	expect_state(snap, 0x30000, "absent");
	vmsnap_unref(snap);
}

static void pages_cuts_runs_at_borders_and_counts_frames_up(void **state)
{
	(void)state;
	struct vmsnap *snap = bare_snapshot();
	put_vma(snap, 0x1000, 0x3000, VMSNAP_PERM_READ, 0, "one");
	put_vma(snap, 0x3000, 0x6000, VMSNAP_PERM_READ, 0, "two");
	put_pages(snap, 0x1000, 6, ENTRY(VMSNAP_PAGE_PRESENT, 0x10)); /* one page beyond the map */
	struct catch *caught = catch_new();
	caught->out.style.raw = true;
	assert_int_equal(vmsnap_print_pages(snap, 0x2000, UINT64_MAX, false, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "START PAGES STATE PFN/SWAP FLAGS MAPPING WRITTEN DUMPED\n"
	                                  "00002000 1 present 0x11 - one - -\n"
	                                  "00003000 3 present 0x12 - two - -\n"
	                                  "00006000 1 present 0x15 - - - -\n");
	caught = catch_new();
	caught->out.style.raw = caught->out.style.no_headings = true;
	assert_int_equal(vmsnap_print_pages(snap, 0x2000, 0x5000, true, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "00002000 1 present 0x11 - one - -\n"
	                                  "00003000 1 present 0x12 - two - -\n"
	                                  "00004000 1 present 0x13 - two - -\n");
	assert_int_equal(vmsnap_print_pages(snap, 5, 5, true, &caught->out, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(snap);
}

static void pages_json_has_every_state(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_pages(snap, 0, UINT64_MAX, false, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"known\": {\"pfn\": true, \"soft_dirty\": false, ");
	assert_has(caught, "{\"start\": \"0x20000\", \"pages\": 8, \"state\": \"present\", \"pfn\": \"0x200\", "
	                   "\"swap\": null, \"flags\": [\"exclusive\"]}");
	assert_has(caught, "{\"start\": \"0x30000\", \"pages\": 3, \"state\": \"swapped\", \"pfn\": null, "
	                   "\"swap\": {\"type\": 1, \"offset\": 5}, \"flags\": []}");
	assert_has(caught, "\"state\": \"guard\", \"pfn\": null, \"swap\": null, \"flags\": [\"guard\"]}");
	assert_has(caught, "\"state\": \"marker\", \"pfn\": null, \"swap\": null, \"flags\": [\"uffd_wp\"]}");
	snap->info.known.pfn = false;
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_pages(snap, 0x20000, 0x31000, false, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "\"pfn\": \"0x");
	assert_has(caught, "\"swap\": {\"type\": null, \"offset\": null}");
	vmsnap_unref(snap);
}

static void page_tells_frame_physical_address_and_file_offset(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	snap->vmas[0].offset = 0x5000;
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_page(snap, NULL, 0x11234, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"address\": \"0x11234\",\n \"known\": {\"pfn\": true, \"soft_dirty\": false, "
	                   "\"exclusive\": true, \"zero\": true, \"huge\": true, "
	                   "\"exclusive_huge\": false, \"written\": null, \"states\": true},\n \"mapped\": true,");
	assert_has(caught, "\"pfn\": \"0x101\",");
	assert_has(caught, "\"physical\": \"0x101234\",");
	assert_has(caught, "\"file_offset\": 25140,");
	assert_has(caught, "\"gap\": null,");
	assert_has(caught, "\"segment\": null,\n \"name\": null,\n \"names\": [],\n \"names_total\": null,\n "
	                   "\"touched\": [],\n \"contents\": \"none\",\n \"values\": []\n}");
	snap->info.known.pfn = false;
	caught = catch_new();
	assert_int_equal(vmsnap_print_page(snap, NULL, 0x11234, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "PFN         ? (root would know)\nphysical    ?\n");
	vmsnap_unref(snap);
}

static void page_in_a_gap_tells_its_ends(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	static const struct {
		uint64_t address;
		const char *gap;
	} gaps[] = {
		{ 0, "\"gap\": {\"start\": \"0x0\", \"end\": \"0x10000\"}" },
		{ 0x14000, "\"gap\": {\"start\": \"0x14000\", \"end\": \"0x20000\"}" },
		{ 0x4ffff, "\"gap\": {\"start\": \"0x40000\", \"end\": \"0x50000\"}" },
		{ UINT64_MAX, "\"gap\": {\"start\": \"0x52000\", \"end\": \"0x10000000000000000\"}" },
	};
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		struct catch *caught = catch_new();
		caught->out.style.json = true;
		assert_int_equal(vmsnap_print_page(snap, NULL, gaps[i].address, &caught->out, NULL), VMSNAP_OK);
		assert_has(caught, gaps[i].gap);
		assert_has(caught, "\"mapped\": false,\n \"vma\": null,");
		assert_has(caught, "\"state\": \"unmapped\"");
	}
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_page(snap, NULL, UINT64_MAX, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00052000-10000000000000000 (16.0E unmapped)");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_page(snap, NULL, 0x3f000, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"state\": \"absent\"");
	vmsnap_unref(snap);
}

/* The name of the n-th of many keys; two have the same. */
static size_t put_line(char *out, size_t n)
{
	return (size_t)sprintf(out, "Key%zu:\t%zu\n", n / 2, n);
}

static void show_json_has_each_key_once(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	put_status(snap,
	           "Foo:\tfirst\nVmRSS:\t 8 kB\nFoo:\tsecond\nFo:\t1\nFoo\xff:\t2\nFoo\\xff:\t3\nVmRSS:\t 9 kB\n");
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"status\": {\"Foo\": \"first\", \"VmRSS\": 8192, \"Fo\": 1, \"Foo\\\\xff\": 2, "
	                   "\"Foo\\\\x5cxff\": 3}");
	static char many[1 << 20];
	size_t len = 0;
	for (size_t n = 0; n < 40000; n++)
		len += put_line(many + len, n);
	put_status(snap, many);
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"status\": {\"Key0\": 0, \"Key1\": 2, ");
	assert_lacks(caught, "\"Key7\": 15");
	vmsnap_unref(snap);
}

static void status_marks_what_changed(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	put_status(a, "Name:\tx\nVmRSS:\t 8 kB\nThreads:\t1\nOld:\tyes\n");
	put_status(b, "Name:\tx\nVmRSS:\t 4 kB\nThreads:\t3\nNew:\tno\n");
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_status(a, b, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text, "KEY     A     B     CHANGE\n"
	                                  "Name    x     x\n"
	                                  "VmRSS   8.00K 4.00K -4.00K\n"
	                                  "Threads 1     3     +2\n"
	                                  "Old     yes         gone\n"
	                                  "New           no    new\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_status(a, b, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "{\"key\": \"VmRSS\", \"a\": 8192, \"b\": 4096}");
	assert_has(caught, "{\"key\": \"New\", \"a\": null, \"b\": \"no\"}");
	caught = catch_new();
	assert_int_equal(vmsnap_print_status(a, NULL, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "KEY     VALUE\nName    x\nVmRSS   8.00K\n");
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Not by a colour: they are private or shared as others are. */
static void show_says_how_much_lies_in_huge_pages(void **state)
{
	(void)state;
	struct vmsnap *snap = bare_snapshot();
	uint32_t own = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE;
	put_vma(snap, 0x200000, 0x600000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, 0, "");
	put_pages(snap, 0x200000, 512, ENTRY(own | VMSNAP_PAGE_HUGE, 0x200));
	put_pages(snap, 0x400000, 2, ENTRY(own, 0x900));
	struct catch *caught = catch_new();
	caught->out.style.unicode = false;
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "  2.00M in huge pages\n");
	snap->info.known.huge = false;
	caught = catch_new();
	assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
	assert_lacks(caught, "in huge pages");
	vmsnap_unref(snap);
}

static void map_folds_holes_and_totals_up(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	struct catch *caught = catch_new();
	caught->out.style.unicode = false;
	caught->out.style.width = 40;
	assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
	assert_string_equal(caught->text,
	                    "demo 42, 56.0K resident of 152K in 3\n  mappings\n"
	                    "= shared 12.0K  f file 12.0K\n"
	                    "p private 32.0K  s in swap 12.0K\n"
	                    "\n"
	                    "              demo  16.0K r-xp\n"
	                    "00010000      ffff....\n"
	                    "              [heap]  128K rw-p\n"
	                    "00020000                      pppppppp\n"
	                    "00024000      pppppppp======..........\n"
	                    "00030000      ssssss..................\n"
	                    "              ... 16.0K not resident ...\n"
	                    "              \\x1b[2J\\x0a7f00 \"quoted...\n"
	                    "00050000      ..ff\n"
	                    "\n"
	                    "1 cell = 4.00K, a row = 48.0K (. mapped,\n  nothing resident; digits: tenths)\n");
	vmsnap_unref(snap);
}

static void map_in_colour_fits_the_width(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	for (int color = VMSNAP_COLOR_16; color <= VMSNAP_COLOR_RGB; color++) {
		struct catch *caught = catch_new();
		caught->out.style.color = color;
		caught->out.style.width = 40;
		assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
		size_t width = 0;
		for (const char *c = caught->text; *c; c++) {
			if (*c == '\n')
				width = 0;
			else if (*c == '\033')
				c = strchr(c, 'm');
			else if (((unsigned char)*c & 0xc0) != 0x80)
				width++;
			assert_true(width <= 40);
		}
		assert_has(caught, "1 cell = 4.00K, a row = 96.0K; the");
	}
	vmsnap_unref(snap);
}

/* The whole width is used, and beside the strips is what they are called. */
static void map_is_as_wide_as_the_window(void **state)
{
	(void)state;
	static const struct {
		unsigned width;
		const char *scale;
	} windows[] = {
		{ 80, "a row = 256K" }, { 120, "a row = 384K" }, { 160, "a row = 512K" }, { 300, "a row = 1.00M" }
	};
	struct vmsnap *snap = bare_snapshot();
	put_vma(snap, 0x7f0000000000, 0x7f0000400000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, 0, "[heap]");
	put_pages(snap, 0x7f0000000000, 1024, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE, 0x200));
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		struct catch *caught = catch_new();
		caught->out.style.width = windows[i].width;
		caught->out.style.color = VMSNAP_COLOR_16;
		assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
		assert_has(caught, windows[i].scale);
		assert_has(caught, "[heap]");
	}
	vmsnap_unref(snap);
}

static void map_reaches_to_the_highest_page(void **state)
{
	(void)state;
	struct vmsnap *snap = bare_snapshot();
	uint64_t end = UINT64_MAX - PAGE + 1;
	put_vma(snap, end - 600 * PAGE, end - 100 * PAGE, VMSNAP_PERM_READ, 0, "[high]");
	put_vma(snap, end - 4 * PAGE, end, VMSNAP_PERM_READ, 0, "[vsyscall]");
	put_pages(snap, end - 600 * PAGE, 500, ENTRY(VMSNAP_PAGE_PRESENT, 0x900));
	put_pages(snap, end - 2 * PAGE, 2, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE, 0x200));
	struct catch *caught = catch_new();
	caught->out.style.width = 80;
	assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\nffffffffffffb000  ....pppp ");
	assert_has(caught, " [vsyscall]  16.0K r--p");
	for (const char *line = caught->text, *end_of; (end_of = strchr(line, '\n')); line = end_of + 1)
		assert_true(end_of - line <= 80 + 2); /* a sign of multiplication, or dots, at most */
	vmsnap_unref(snap);
}

static void segments_and_the_memory_behind_them_are_one_strip(void **state)
{
	(void)state;
	struct vmsnap *snap = bare_snapshot();
	put_vma(snap, 0x10000, 0x12000, VMSNAP_PERM_READ | VMSNAP_PERM_EXEC, 7, "/lib/one.so");
	put_vma(snap, 0x12000, 0x13000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, 7, "/lib/one.so");
	put_vma(snap, 0x13000, 0x14000, VMSNAP_PERM_READ | VMSNAP_PERM_WRITE, 0, "");
	put_vma(snap, 0x14000, 0x15000, VMSNAP_PERM_READ, 8, "/lib/two.so");
	put_vma(snap, 0x20000, 0x28000, VMSNAP_PERM_READ, 9, "/lib/untouched.so");
	put_pages(snap, 0x10000, 5, ENTRY(VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE, 0x200));
	struct catch *caught = catch_new();
	caught->out.style.width = 80;
	assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00010000      pppppppp one.so  16.0K \xc3\x97"
	                   "3  16.0K resident\n"
	                   "00014000      pp two.so  4.00K r--p  4.00K resident\n\n");
	assert_has(caught, "1 more mapping, 32.0K, with nothing resident\n");
	vmsnap_unref(snap);
}

static void map_of_far_apart_pages_stays_short(void **state)
{
	(void)state;
	struct vmsnap *snap = bare_snapshot();
	uint32_t random = 1;
	uint64_t at = 0x10000;
	for (int i = 0; i < 5000; i++) {
		random = random * 1664525 + 1013904223;
		at += ((random >> 8) % 60000 + 1) * UINT64_C(0x100000);
		put_vma(snap, at, at + PAGE, VMSNAP_PERM_READ, 0, "");
		put_pages(snap, at, 1, ENTRY(VMSNAP_PAGE_PRESENT, 0x1000 + 2 * i));
	}
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
	int lines = 0;
	for (size_t i = 0; i < caught->len; i++)
		lines += caught->text[i] == '\n';
	assert_in_range(lines, 10, 60);
	assert_has(caught, "shared 19.5M");
	vmsnap_unref(snap);
}

static void every_print_survives_hostile_names(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	snap->info.comm = snap->info.exe = snap->info.label = snap->info.kernel = snap->info.host = HOSTILE;
	put_status(snap, "Name:\t\033[2J\xff\nBad\033[1m:\tx\x07\n");
	for (int json = 0; json <= 1; json++) {
		for (int raw = 0; raw <= 1; raw++) {
			struct catch *caught = catch_new();
			caught->out.style.json = json;
			caught->out.style.raw = raw;
			assert_int_equal(vmsnap_print_show(snap, &caught->out, NULL), VMSNAP_OK);
			assert_int_equal(vmsnap_print_pages(snap, 0, UINT64_MAX, false, &caught->out, NULL), VMSNAP_OK);
			assert_int_equal(vmsnap_print_page(snap, NULL, 0x51000, &caught->out, NULL), VMSNAP_OK);
			assert_int_equal(vmsnap_print_status(snap, snap, &caught->out, NULL), VMSNAP_OK);
			assert_int_equal(vmsnap_print_map(snap, NULL, &caught->out, NULL), VMSNAP_OK);
			assert_harmless(caught);
			assert_lacks(caught, "\xff");
			assert_lacks(caught, "\xe2\x80\xae");
		}
	}
	vmsnap_unref(snap);
}

static void every_print_reports_a_closed_pipe(void **state)
{
	(void)state;
	struct vmsnap *snap = sample_snapshot();
	for (int json = 0; json <= 1; json++) {
		struct catch *caught = catch_new();
		const struct vmsnap_output *out = &caught->out;
		caught->refuse_with = 32;
		caught->out.style.json = json;
		assert_int_equal(vmsnap_print_show(snap, out, &caught->err), VMSNAP_ERR_SYSTEM);
		assert_int_equal(caught->err.sys_errno, 32);
		assert_int_equal(vmsnap_print_pages(snap, 0, UINT64_MAX, true, out, NULL), VMSNAP_ERR_SYSTEM);
		assert_int_equal(vmsnap_print_page(snap, NULL, 0, out, NULL), VMSNAP_ERR_SYSTEM);
		assert_int_equal(vmsnap_print_status(snap, NULL, out, NULL), VMSNAP_ERR_SYSTEM);
		assert_int_equal(vmsnap_print_map(snap, NULL, out, NULL), VMSNAP_ERR_SYSTEM);
	}
	vmsnap_unref(snap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_for_sizes_have_three_digits),
		cmocka_unit_test(show_sums_pages_by_mapping),
		cmocka_unit_test(show_says_what_was_not_known),
		cmocka_unit_test(show_json_keeps_the_contract),
		cmocka_unit_test(show_has_columns_for_smaps),
		cmocka_unit_test(show_adds_up_those_keys_of_smaps_that_are_sizes),
		cmocka_unit_test(show_tells_of_huge_pages_that_rss_leaves_out),
		cmocka_unit_test(show_knows_of_swapped_shared_memory_by_smaps_or_not_at_all),
		cmocka_unit_test(page_knows_of_swapped_shared_memory_as_show_does),
		cmocka_unit_test(pages_cuts_runs_at_borders_and_counts_frames_up),
		cmocka_unit_test(pages_json_has_every_state),
		cmocka_unit_test(page_tells_frame_physical_address_and_file_offset),
		cmocka_unit_test(page_in_a_gap_tells_its_ends),
		cmocka_unit_test(show_json_has_each_key_once),
		cmocka_unit_test(status_marks_what_changed),
		cmocka_unit_test(show_says_how_much_lies_in_huge_pages),
		cmocka_unit_test(map_folds_holes_and_totals_up),
		cmocka_unit_test(map_in_colour_fits_the_width),
		cmocka_unit_test(map_is_as_wide_as_the_window),
		cmocka_unit_test(map_reaches_to_the_highest_page),
		cmocka_unit_test(segments_and_the_memory_behind_them_are_one_strip),
		cmocka_unit_test(map_of_far_apart_pages_stays_short),
		cmocka_unit_test(every_print_survives_hostile_names),
		cmocka_unit_test(every_print_reports_a_closed_pipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
