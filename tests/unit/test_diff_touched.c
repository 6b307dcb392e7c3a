/* test_diff_touched.c - pages that a debugger wrote to, in a diff. */
#include "test_diff_fixture.h"

static void expect_touched(const struct vmsnap_diff *diff, size_t index, uint64_t start, uint64_t end, bool touched)
{
	struct vmsnap_diff_range range;
	assert_int_equal(vmsnap_diff_range(diff, index, &range), VMSNAP_OK);
	assert_int_equal(range.start, PAGE_AT(start));
	assert_int_equal(range.end, PAGE_AT(end));
	assert_int_equal(range.touched, touched);
}

static void pages_that_a_debugger_touched_are_ranges_of_their_own(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, 16, 32, "rw-p", "");
	add_anon(b, 16, 32, "rw-p", "");
	add_pages(a, 16, 16, ANON(100));
	add_pages(b, 16, 8, ANON(500));
	add_pages(b, 24, 8, ANON(108));
	add_touched(a, PAGE_AT(18) + 7, 1, "breakpoint 1");
	add_touched(b, PAGE_AT(20) - 4, 8, "inferior call"); /* over the border of two pages */
	add_touched(b, PAGE_AT(25), 1, "breakpoint 2");      /* where nothing changed */
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_range_count(diff), 3);
	expect_touched(diff, 0, 16, 18, false);
	expect_touched(diff, 1, 18, 21, true);
	expect_touched(diff, 2, 21, 24, false);
	assert_int_equal(vmsnap_diff_pages(diff, VMSNAP_CHANGE_PFN_CHANGED), 8);
	assert_int_equal(vmsnap_diff_touched_pages(diff, VMSNAP_CHANGE_PFN_CHANGED), 3);
	assert_int_equal(vmsnap_diff_touched_pages(diff, VMSNAP_CHANGE_APPEARED), 0);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_TOUCHED), 3);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* A tells of the addresses where the pages were. */
static void what_was_touched_moves_along_with_its_mapping(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, 100, 116, "rw-p", "");
	add_anon(b, 500, 516, "rw-p", "");
	add_pages(a, 100, 16, ANON(1000));
	add_pages(b, 500, 12, ANON(1000));
	add_pages(b, 512, 4, ANON(2000));
	add_touched(a, PAGE_AT(113), 1, "breakpoint 1");
	add_touched(a, PAGE_AT(512), 1, "breakpoint 2"); /* A has nothing there to compare with */
	add_touched(b, PAGE_AT(515) + 9, 1, "breakpoint 3");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), 1);
	assert_int_equal(vmsnap_diff_range_count(diff), 4);
	expect_touched(diff, 0, 512, 513, false);
	expect_touched(diff, 1, 513, 514, true);
	expect_touched(diff, 2, 514, 515, false);
	expect_touched(diff, 3, 515, 516, true);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Where A's memory went away, B's is compared with nothing: what gdb did to A's is no
 * matter. */
static void touched_page_that_moved_away_does_not_mark_what_took_its_place(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, 100, 116, "rw-p", "");
	add_file(b, 100, 116, "rw-p", "/lib/x.so", 5, 0);
	add_anon(b, 500, 516, "rw-p", "");
	add_pages(a, 100, 16, ANON(1000));
	add_pages(b, 100, 16, ANON(9000));
	add_pages(b, 500, 16, ANON(1000));
	add_touched(a, PAGE_AT(103), 1, "breakpoint 1");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), 1);
	assert_int_equal(vmsnap_diff_range_count(diff), 1);
	expect_touched(diff, 0, 100, 116, false);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void what_a_debugger_touched_differs_like_the_rest(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, 16, 17, "rw-p", "");
	add_anon(b, 16, 17, "rw-p", "");
	add_pages(a, 16, 1, ANON(100));
	add_pages(b, 16, 1, ANON(500));
	add_touched(b, 0, UINT64_MAX, "everything");
	struct vmsnap_diff *diff = compare(a, b);
	assert_true(vmsnap_diff_any(diff));
	assert_int_equal(vmsnap_diff_range_count(diff), 1);
	expect_touched(diff, 0, 16, 17, true);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_that_a_debugger_touched_are_ranges_of_their_own),
		cmocka_unit_test(what_was_touched_moves_along_with_its_mapping),
		cmocka_unit_test(touched_page_that_moved_away_does_not_mark_what_took_its_place),
		cmocka_unit_test(what_a_debugger_touched_differs_like_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
