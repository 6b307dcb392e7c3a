/* test_page_moves.c - what the kernel's own counts say of frames that changed without a write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "moves_count.h"
#include "page_moves.h"

static uint64_t moves_of(const char *text)
{
	return page_moves_of(text, strlen(text));
}

static bool merges_of(const char *text)
{
	return page_merges_of(text, strlen(text));
}

static void each_kind_of_move_counts(void **state)
{
	(void)state;
	assert_int_equal(moves_of("nr_free_pages 7\npgmigrate_success 100\npgmigrate_fail 50\n"), 101);
	assert_int_equal(moves_of("pswpin 1\nswpin_zero 2\nzswpin 4\nksm_swpin_copy 8\nthp_collapse_alloc 16\n"), 32);
	assert_int_equal(moves_of("pgmigrate_success 0\n"), 1);
	assert_int_equal(moves_of("nr_free_pages 7\n"), 0);
	assert_int_equal(moves_of(""), 0);
	assert_int_equal(moves_of("pswpin"), 0);
	assert_int_equal(moves_of("pswpin x\n"), 0);
}

/* The kernel counts what it migrated after the last of many, when the first have long been elsewhere. */
static void what_is_about_to_be_moved_counts_as_it_is_taken(void **state)
{
	(void)state;
	assert_int_not_equal(moves_of("pgmigrate_success 100\ncompact_isolated 32\n"),
	                     moves_of("pgmigrate_success 100\ncompact_isolated 64\n"));
}

static void what_ksm_parts_is_told_from_moves(void **state)
{
	(void)state;
	uint64_t before = moves_of("pgmigrate_success 100\ncow_ksm 5\n"), moved;
	assert_true(moves_between(before, moves_of("pgmigrate_success 103\ncow_ksm 5\n"), &moved));
	assert_int_equal(moved, 3);
	assert_true(moves_between(before, before, &moved));
	assert_int_equal(moved, 0);
	/* Of others: a process whose pages it may merge says so. */
	assert_true(moves_between(before, moves_of("pgmigrate_success 103\ncow_ksm 9\n"), &moved));
	assert_int_equal(moved, 4);
	assert_false(moves_between(moves_of("pgmigrate_success 103\ncow_ksm 5\n"), before, &moved));
	assert_false(moves_between(0, before, &moved));
	assert_false(moves_between(before, 0, &moved));
	assert_false(moves_between(before, MOVES_MERGED, &moved));
	assert_false(moves_between(MOVES_MERGED, MOVES_MERGED, &moved));
}

static void process_takes_part_in_merging_if_anything_says_so(void **state)
{
	(void)state;
	assert_false(merges_of("ksm_rmap_items 0\nksm_zero_pages 0\nksm_merging_pages 0\nksm_process_profit 0\n"
	                       "ksm_merge_any: no\nksm_mergeable: no\n"));
	assert_false(merges_of("ksm_rmap_items 0\nksm_process_profit -64\n"));
	assert_true(merges_of("ksm_rmap_items 3\n"));
	assert_true(merges_of("ksm_rmap_items 0\nksm_zero_pages 1\n"));
	assert_true(merges_of("ksm_rmap_items 0\nksm_merging_pages 12\n"));
	assert_true(merges_of("ksm_rmap_items 0\nksm_merge_any: no\nksm_mergeable: yes\n"));
	assert_true(merges_of("")); /* the file is not there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_move_counts),
		cmocka_unit_test(what_is_about_to_be_moved_counts_as_it_is_taken),
		cmocka_unit_test(what_ksm_parts_is_told_from_moves),
		cmocka_unit_test(process_takes_part_in_merging_if_anything_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
