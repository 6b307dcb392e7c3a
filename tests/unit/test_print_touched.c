/* test_print_touched.c - diff and cow say apart what gdb touched, and by what. */
#include "test_print_fork.h"

#include "annotate.h"
#include "touched_by.h"

static struct work unlimited = { .limit = WORK_UNLIMITED };

static void put_touched(struct vmsnap *snap, uint64_t address, uint64_t size, const char *by)
{
	const struct vmsnap_annotation name = {
		.address = address, .size = size, .kind = VMSNAP_ANNOTATION_DEBUGGER_WRITE, .symbol = by
	};
	assert_int_equal(test_annotate(snap, &name, 1, NULL), VMSNAP_OK);
}

/* A breakpoint in the text of B, and an inferior call that wrote to two pages of heap. */
static struct fixture touched_fixture(void)
{
	struct fixture f = { .a = at_fork(42), .b = child_later() };
	put_touched(f.a, 0x11151, 1, "breakpoint 1");
	put_touched(f.b, 0x11151, 1, "breakpoint 1");
	put_touched(f.b, 0x12cff8, 16, "inferior call");
	assert_int_equal(vmsnap_diff_new(f.a, f.b, &f.diff, NULL), VMSNAP_OK);
	f.cow = cow_since(f.a, f.b, f.a);
	return f;
}

static void release(struct fixture *f)
{
	vmsnap_cow_free(f->cow);
	vmsnap_diff_free(f->diff);
	vmsnap_unref(f->a);
	vmsnap_unref(f->b);
}

static void diff_counts_apart_what_gdb_touched(void **state)
{
	(void)state;
	struct fixture f = touched_fixture();
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f.diff, NULL, VMSNAP_PRINT_TOTALS_ONLY, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "-16.0K gone; 4 of 4 mappings changed; touched by gdb: 3 of these pages, see below\nA  42 demo");
	assert_has(caught, "\n\npages     8 appeared, 4 vanished, 14 pfn_changed, 14 became_exclusive\n"
	                   "by gdb    3 pfn_changed, 3 became_exclusive, 1 privatised "
	                   "(breakpoint 1 at 00011151, inferior call at 0012cff8)\n"
	                   "mappings  1 added, 1 removed\n"
	                   "1 page of executable code holds gdb's breakpoints: 00011000 of /bin/demo\n");
	assert_lacks(caught, "!!");
	release(&f);
}

/* One page of text that gdb wrote to does not hide another that it did not. */
static void diff_alarms_for_code_that_gdb_did_not_write(void **state)
{
	(void)state;
	struct vmsnap *a = bare_snapshot(), *b = bare_snapshot();
	put_vma(a, 0x10000, 0x14000, rx, 7, "/bin/demo");
	put_vma(b, 0x10000, 0x14000, rx, 7, "/bin/demo");
	put_pages(a, 0x10000, 4, ENTRY(cache, 0x100));
	put_pages(b, 0x10000, 4, ENTRY(own, 0x200));
	put_touched(b, 0x12000, 4, "written from gdb");
	struct vmsnap_diff *diff;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught,
	           "\n!! 3 pages of executable code were written: 00010000 of /bin/demo, 00013000 of /bin/demo\n"
	           "1 page of executable code was written by gdb: 00012000 of /bin/demo\n");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void diff_long_says_what_touched_a_range(void **state)
{
	(void)state;
	struct fixture f = touched_fixture();
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f.diff, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "00011000     1 pfn_changed,became_exclusive,privatised breakpoint 1  /bin/demo\n");
	assert_has(caught, "0012c000     2 pfn_changed,became_exclusive            inferior call [heap]\n");
	assert_has(caught, "0012e000    14 pfn_changed,became_exclusive                          [heap]\n");
	release(&f);
}

static void diff_json_says_what_touched_a_range(void **state)
{
	(void)state;
	struct fixture f = touched_fixture();
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_diff(f.diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "{\"start\": \"0x11000\", \"pages\": 1, \"change\": \"privatised\", "
	                   "\"touched_by_debugger\": true, \"touched_by\": [\"breakpoint 1\"], ");
	assert_has(caught, "{\"start\": \"0x12c000\", \"pages\": 2, \"change\": \"pfn_changed\", "
	                   "\"touched_by_debugger\": true, \"touched_by\": [\"inferior call\"], ");
	assert_has(caught, "\"totals\": {\"appeared\": 8, \"vanished\": 4, \"pfn_changed\": 17, ");
	assert_has(caught, "\"touched_by_debugger\": {\"pages\": 3, \"totals\": {\"appeared\": 0, \"vanished\": 0, "
	                   "\"pfn_changed\": 3, ");
	assert_has(caught, "\"soft_dirtied\": null, \"guarded\": 0, \"unguarded\": 0, \"write_protected\": 0, "
	                   "\"write_unprotected\": 0, \"huge_split\": 0, \"huge_collapsed\": 0, \"not_mapped_now\": 0, "
	                   "\"written\": null, "
	                   "\"privatised_executable\": 1, \"code_written\": 1}},\n");
	release(&f);
}

static void cow_counts_apart_what_gdb_touched(void **state)
{
	(void)state;
	struct fixture f = touched_fixture();
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "24.1% of the sharing is lost: 56.0K by the child (%)\n");
	assert_has(caught, "dropped by the child, 12.0K touched by gdb (breakpoint 1, inferior call)\n");
	caught = catch_new();
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "        14 pages  56.0K  copied_by_child\n"
	                   "         3 pages  12.0K  copied_by_child, touched by gdb\n");
	assert_has(caught, "00010000-00012000 r-xp /bin/demo: 1 copied_by_child touched by gdb, 1 file\n");
	assert_has(caught, "\n  00011000          1 page  copied_by_child, touched by gdb: breakpoint 1\n");
	assert_has(caught, "[heap]: 44 shared, 14 copied_by_child, 2 copied_by_child touched by gdb, "
	                   "8 new_in_child, 4 dropped_by_child\n");
	assert_has(caught, "\n  0012c000          2 pages copied_by_child, touched by gdb: inferior call\n"
	                   "  0012e000         14 pages copied_by_child\n");
	caught = catch_new();
	caught->out.style.raw = true;
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n0012c000 2 copied_by_child - inferior\\x20call - [heap]\n");
	release(&f);
}

static void cow_json_says_what_touched_a_range(void **state)
{
	(void)state;
	struct fixture f = touched_fixture();
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\"copied_by_child\": 17,");
	assert_has(caught,
	           "\"touched_by_debugger\": {\"pages\": 3, \"totals\": {\"shared\": 0, \"copied_by_child\": 3, ");
	/* Parent and base are one snapshot here: told once. */
	assert_has(caught, "\"mapping\": \"/bin/demo\", \"touched_by_debugger\": true, "
	                   "\"touched_by\": [\"breakpoint 1\"], ");
	release(&f);
}

static void names_on_touched_pages_are_told_too(void **state)
{
	(void)state;
	struct fixture f = touched_fixture();
	const struct vmsnap_annotation local = {
		.address = 0x12c010, .size = 8, .kind = VMSNAP_ANNOTATION_OTHER, .symbol = "counter", .type = "long"
	};
	struct vmsnap_names *names;
	assert_int_equal(test_annotate(f.b, &local, 1, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_names_new(f.b, NULL, &names, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_cow(f.cow, names, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "copied_by_child, touched by gdb: inferior call; holds counter\n");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_diff(f.diff, names, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "{\"start\": \"0x12c000\", \"pages\": 2, \"change\": \"became_exclusive\", "
	                   "\"touched_by_debugger\": true, \"touched_by\": [\"inferior call\"], "
	                   "\"names\": [{\"symbol\": \"counter\", ");
	assert_has(caught, "\"names_total\": 1, \"from\": null}");
	vmsnap_names_free(names);
	release(&f);
}

/* A breakpoint's page is full of other functions, which nobody wrote; and so are a file's pages that
 * nobody changed, of which JSON had 64 names. */
static void names_of_what_nobody_wrote_are_not_told(void **state)
{
	(void)state;
	struct fixture f = touched_fixture();
	char symbols[8][16];
	for (uint64_t i = 0; i < 8; i++) {
		snprintf(symbols[i], sizeof(symbols[i]), "function_%d", (int)i);
		const struct vmsnap_annotation name = {
			.address = 0x10100 + i * 0x300, .size = 8, .kind = VMSNAP_ANNOTATION_OTHER, .symbol = symbols[i]
		};
		assert_int_equal(test_annotate(f.b, &name, 1, NULL), VMSNAP_OK);
	}
	struct vmsnap_names *names;
	assert_int_equal(vmsnap_names_new(f.b, NULL, &names, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_cow(f.cow, names, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "copied_by_child, touched by gdb: breakpoint 1\n");
	assert_lacks(caught, "function_");
	caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f.diff, names, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "holds gdb's breakpoints");
	assert_lacks(caught, "function_");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_cow(f.cow, names, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught,
	           "\"verdict\": \"file\", \"inferred\": false, \"mapping\": \"/bin/demo\", "
	           "\"touched_by_debugger\": false, \"touched_by\": [], \"names\": [], \"names_total\": null, ");
	vmsnap_names_free(names);
	release(&f);
}

/* What it says comes from a file, and may be anything and as much as it likes. */
static void reasons_are_few_short_and_harmless(void **state)
{
	(void)state;
	struct fixture f = { .a = at_fork(42), .b = child_later() };
	static char many[40][32], endless[5000];
	memset(endless, 'x', sizeof(endless) - 1);
	put_touched(f.b, 0x11000, 1, HOSTILE);
	put_touched(f.b, 0x11001, 1, endless);
	put_touched(f.b, 0x11002, 1, "");
	for (int i = 0; i < 40; i++) {
		snprintf(many[i], sizeof(many[i]), "breakpoint %d", i);
		put_touched(f.b, 0x11010 + (uint64_t)i, 1, many[i]);
	}
	assert_int_equal(vmsnap_diff_new(f.a, f.b, &f.diff, NULL), VMSNAP_OK);
	f.cow = cow_since(f.a, f.b, f.a);
	struct catch *caught = catch_new();
	caught->out.style.width = 80;
	caught->out.style.unicode = false;
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_int_equal(vmsnap_print_diff(f.diff, NULL, VMSNAP_PRINT_TOTALS_ONLY, &caught->out, NULL), VMSNAP_OK);
	for (const char *line = caught->text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	assert_int_equal(vmsnap_print_diff(f.diff, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, ", touched by gdb:");
	assert_has(caught, "breakpoint 0 and more\n");
	assert_has(caught, "breakpoint 0 at 00011010 and more)\n");
	assert_lacks(caught, "breakpoint 1");
	assert_lacks(caught, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_harmless(caught);
	assert_has(caught, "\"breakpoint 13\"]");
	assert_lacks(caught, "\"breakpoint 14\"");
	release(&f);
}

static void page_touched_by_nothing_that_has_a_name_is_still_touched(void **state)
{
	(void)state;
	struct fixture f = { .a = at_fork(42), .b = child_later() };
	put_touched(f.b, 0x11000, 1, "");
	f.cow = cow_since(f.a, f.b, f.a);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, " copied_by_child, touched by gdb\n");
	caught = catch_new();
	caught->out.style.columns = "START,TOUCHED";
	assert_int_equal(vmsnap_print_cow(f.cow, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "\n00011000 touched\n");
	release(&f);
}

static void nothing_is_said_of_gdb_if_it_touched_nothing(void **state)
{
	(void)state;
	struct fixture f = { .a = at_fork(42), .b = child_later() };
	/* There, but on a page that is the same in both. */
	put_touched(f.b, 0x10000, 1, "breakpoint 1");
	assert_int_equal(vmsnap_diff_new(f.a, f.b, &f.diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	assert_int_equal(vmsnap_print_diff(f.diff, NULL, VMSNAP_PRINT_LONG, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "!! 1 page of executable code was written: 00011000 of /bin/demo\n");
	assert_lacks(caught, "gdb");
	assert_lacks(caught, "TOUCHED");
	release(&f);
}

/* A mapping that moved: A knows the breakpoint where the page was. */
static void reasons_are_found_where_a_page_came_from(void **state)
{
	(void)state;
	struct fixture f = { .a = bare_snapshot(), .b = bare_snapshot() };
	put_vma(f.a, 0x100000, 0x110000, rw, 0, "");
	put_vma(f.b, 0x500000, 0x510000, rw, 0, "");
	put_pages(f.a, 0x100000, 16, ENTRY(shared, 0x50));
	put_pages(f.b, 0x500000, 12, ENTRY(shared, 0x50));
	put_pages(f.b, 0x50c000, 4, ENTRY(own, 0x90));
	put_touched(f.a, 0x10d123, 1, "written from gdb");
	put_touched(f.a, 0x50d123, 1, "of another page");
	assert_int_equal(vmsnap_diff_new(f.a, f.b, &f.diff, NULL), VMSNAP_OK);
	struct catch *caught = catch_new();
	caught->out.style.json = true;
	assert_int_equal(vmsnap_print_diff(f.diff, NULL, 0, &caught->out, NULL), VMSNAP_OK);
	assert_has(caught, "{\"start\": \"0x50d000\", \"pages\": 1, \"change\": \"pfn_changed\", "
	                   "\"touched_by_debugger\": true, \"touched_by\": [\"written from gdb\"], ");
	assert_has(caught, "{\"start\": \"0x50c000\", \"pages\": 1, \"change\": \"pfn_changed\", "
	                   "\"touched_by_debugger\": false, \"touched_by\": [], ");
	release(&f);
}

/* ---- the reasons alone --------------------------------------------------------------- */

static void expect_reasons(const struct vmsnap *snap, uint64_t start, uint64_t end, const char *expected)
{
	struct touched_by by;
	struct touched_reasons reasons = { .count = 0 };
	char got[256] = "";
	assert_int_equal(touched_by_init(&by, snap, &unlimited), VMSNAP_OK);
	touched_reasons_add(&reasons, &by, start, end);
	for (size_t i = 0; i < reasons.count; i++) {
		strcat(got, i ? "," : "");
		strcat(got, reasons.first[i]->symbol);
	}
	strcat(got, reasons.more ? "+" : "");
	assert_string_equal(got, expected);
	touched_by_free(&by, &unlimited);
}

static void reasons_are_those_with_a_byte_in_the_range(void **state)
{
	(void)state;
	struct vmsnap *snap = bare_snapshot();
	put_touched(snap, 0x1000, 0x8000, "large");
	put_touched(snap, 0x2ff8, 8, "before");
	put_touched(snap, 0x3000, 1, "first");
	put_touched(snap, 0x3010, 1, "middle");
	put_touched(snap, 0x3011, 1, "middle");
	put_touched(snap, 0x3fff, 1, "last");
	put_touched(snap, 0x4000, 1, "after");
	expect_reasons(snap, 0x3000, 0x4000, "large,first,middle,last");
	expect_reasons(snap, 0x2000, 0x3000, "large,before");
	expect_reasons(snap, 0x8000, 0x9000, "large");
	expect_reasons(snap, 0x9000, 0xa000, "");
	expect_reasons(snap, 0x0000, 0x1000, "");
	vmsnap_unref(snap);
}

/* A file may put a hundred thousand around every page: they are not all gone through
 * for each, and that is said. */
static void reasons_are_not_looked_for_without_end(void **state)
{
	(void)state;
	enum { COUNT = 100000 };
	struct vmsnap *snap = bare_snapshot();
	struct vmsnap_annotation *names = calloc(COUNT, sizeof(*names));
	assert_non_null(names);
	for (uint64_t i = 0; i < COUNT; i++)
		names[i] = (struct vmsnap_annotation){ .address = i,
			                               .size = 0x10000000 - i,
			                               .kind = VMSNAP_ANNOTATION_DEBUGGER_WRITE,
			                               .symbol = "breakpoint 1" };
	names[COUNT - 1].symbol = "inferior call";
	assert_int_equal(test_annotate(snap, names, COUNT, NULL), VMSNAP_OK);
	expect_reasons(snap, 0x1000000, 0x1001000, "breakpoint 1+");
	vmsnap_unref(snap);
	free(names);
}

static void only_breakpoints_are_called_breakpoints(void **state)
{
	(void)state;
	static const struct {
		const char *symbol;
		bool not_breakpoint;
	} cases[] = {
		{ "breakpoint 1", false },          { "internal breakpoint (shlib event)", false },
		{ "dynamic linker's hook", false }, { "inferior call", true },
		{ "written from gdb", true },       { "", true },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vmsnap *snap = bare_snapshot();
		struct touched_by by;
		struct touched_reasons reasons = { .count = 0 };
		put_touched(snap, 0x1000, 1, cases[i].symbol);
		assert_int_equal(touched_by_init(&by, snap, &unlimited), VMSNAP_OK);
		touched_reasons_add(&reasons, &by, 0x1000, 0x2000);
		assert_int_equal(reasons.not_breakpoints, cases[i].not_breakpoint);
		touched_by_free(&by, &unlimited);
		vmsnap_unref(snap);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diff_counts_apart_what_gdb_touched),
		cmocka_unit_test(diff_alarms_for_code_that_gdb_did_not_write),
		cmocka_unit_test(diff_long_says_what_touched_a_range),
		cmocka_unit_test(diff_json_says_what_touched_a_range),
		cmocka_unit_test(cow_counts_apart_what_gdb_touched),
		cmocka_unit_test(cow_json_says_what_touched_a_range),
		cmocka_unit_test(names_on_touched_pages_are_told_too),
		cmocka_unit_test(names_of_what_nobody_wrote_are_not_told),
		cmocka_unit_test(reasons_are_few_short_and_harmless),
		cmocka_unit_test(page_touched_by_nothing_that_has_a_name_is_still_touched),
		cmocka_unit_test(nothing_is_said_of_gdb_if_it_touched_nothing),
		cmocka_unit_test(reasons_are_found_where_a_page_came_from),
		cmocka_unit_test(reasons_are_those_with_a_byte_in_the_range),
		cmocka_unit_test(reasons_are_not_looked_for_without_end),
		cmocka_unit_test(only_breakpoints_are_called_breakpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
