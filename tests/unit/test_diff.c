/* test_diff.c - the facts of two snapshots: their ranges, page after page, and what is said of them. */
#include "test_diff_fixture.h"

#define F(change) (1u << VMSNAP_CHANGE_##change)
#define K(kind)   (1u << VMSNAP_KIND_##kind)

static void expect_range(const struct vmsnap_diff *diff, size_t index, uint64_t start, uint64_t end, uint32_t changes,
                         const struct vmsnap_vma *vma)
{
	struct vmsnap_diff_range range;
	assert_int_equal(vmsnap_diff_range(diff, index, &range), VMSNAP_OK);
	assert_int_equal(range.start / PAGE, start);
	assert_int_equal(range.end / PAGE, end);
	assert_int_equal(range.changes, changes);
	assert_ptr_equal(range.vma, vma);
}

static void ranges_join_runs_and_break_at_mappings(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	for (int i = 0; i < 2; i++) {
		add_anon(i ? a : b, 10, 20, "rw-p", "");
		add_anon(i ? a : b, 20, 30, "r--p", "");
	}
	add_pages(b, 12, 3, OWNED(50));
	add_pages(b, 15, 10, OWNED(80));
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_range_count(diff), 2);
	expect_range(diff, 0, 12, 20, F(APPEARED), vmsnap_vma(b, 0));
	expect_range(diff, 1, 20, 25, F(APPEARED), vmsnap_vma(b, 1));
	assert_int_equal(vmsnap_diff_pages(diff, VMSNAP_CHANGE_APPEARED), 13);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_A), 0);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_B), 13);
	struct vmsnap_diff_range range;
	assert_int_equal(vmsnap_diff_range(diff, 2, &range), VMSNAP_ERR_NOT_FOUND);
	vmsnap_diff_free(diff);
	diff = compare(b, a);
	expect_range(diff, 0, 12, 20, F(VANISHED), vmsnap_vma(a, 0));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void written_text_is_counted_as_executable(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	for (int i = 0; i < 2; i++) {
		add_file(i ? a : b, 10, 20, "r-xp", "/bin/x", 3, 0);
		add_file(i ? a : b, 20, 30, "rw-p", "/bin/x", 3, 10);
		add_pages(i ? a : b, 10, 2, CACHED(100));
	}
	add_pages(a, 20, 1, CACHED(110));
	add_pages(b, 15, 1, OWNED(300));
	add_pages(b, 20, 1, OWNED(301));
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_range_count(diff), 2);
	expect_range(diff, 0, 15, 16, F(APPEARED) | F(PRIVATISED), vmsnap_vma(b, 0));
	expect_range(diff, 1, 20, 21, F(PFN_CHANGED) | F(PRIVATISED) | F(BECAME_EXCLUSIVE), vmsnap_vma(b, 1));
	struct vmsnap_diff_range range;
	assert_int_equal(vmsnap_diff_range(diff, 0, &range), VMSNAP_OK);
	assert_true(range.executable);
	assert_int_equal(vmsnap_diff_range(diff, 1, &range), VMSNAP_OK);
	assert_false(range.executable);
	assert_int_equal(vmsnap_diff_pages(diff, VMSNAP_CHANGE_PRIVATISED), 2);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_PRIVATISED_EXECUTABLE), 1);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* A debugger's breakpoint, or the program's first patch, made the page its own before A. */
static void code_that_was_the_process_own_already_and_was_written_to_is_told(void **state)
{
	(void)state;
	for (int in_b = 0; in_b < 2; in_b++) {
		struct vmsnap *a = make_snap(), *b = make_snap();
		for (int i = 0; i < 2; i++) {
			struct vmsnap *snap = i ? b : a;
			add_file(snap, 10, 20, "r-xp", "/bin/x", 3, 0);
			add_anon(snap, 30, 40, "rwxp", "");
			for (uint64_t page = 10; page < 12; page++)
				add_pages(snap, page, 1, OWNED(300 + page));
			add_pages(snap, 30, 1, OWNED(400));
			add_contents(snap, NULL, 10, 1);
			add_contents(snap, NULL, 11, i ? 2 : 1);
			add_contents(snap, NULL, 30, i ? 2 : 1);
		}
		add_touched(in_b ? b : a, PAGE_AT(11) + 5, 1, "breakpoint 1");
		struct vmsnap_diff *diff = compare(a, b);
		struct vmsnap_diff_range range;
		assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_PRIVATISED_EXECUTABLE), 0);
		assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_CODE_WRITTEN), 1);
		assert_int_equal(vmsnap_diff_range(diff, 0, &range), VMSNAP_OK);
		assert_int_equal(range.start, PAGE_AT(11));
		assert_int_equal(range.touched, in_b); /* of A's, it says nothing of what was written since */
		vmsnap_diff_free(diff);
		vmsnap_unref(a);
		vmsnap_unref(b);
	}
}

static void pages_of_a_moved_mapping_are_compared_through_the_move(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, 10, 20, "rw-p", "");
	add_pages(a, 10, 10, OWNED(100));
	add_anon(b, 50, 65, "rw-p", "");
	add_pages(b, 50, 3, OWNED(100));
	add_pages(b, 53, 1, OWNED(900)); /* changed */
	add_pages(b, 54, 5, OWNED(104));
	add_pages(b, 60, 2, OWNED(950)); /* grown there; the last of the old ones is gone */
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), 1);
	assert_int_equal(vmsnap_diff_range_count(diff), 3);
	expect_range(diff, 0, 53, 54, F(PFN_CHANGED), vmsnap_vma(b, 0));
	expect_range(diff, 1, 59, 60, F(VANISHED), vmsnap_vma(b, 0));
	expect_range(diff, 2, 60, 62, F(APPEARED), vmsnap_vma(b, 0));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void move_downwards_leaves_nothing_vanished_at_the_old_place(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, 50, 60, "rw-p", "");
	add_pages(a, 50, 10, OWNED(100));
	add_anon(b, 10, 15, "rw-p", ""); /* and shrunk */
	add_pages(b, 10, 5, OWNED(100));
	add_file(b, 50, 52, "r--p", "/x", 4, 0);
	add_pages(b, 50, 1, CACHED(700));
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_range_count(diff), 2);
	expect_range(diff, 0, 50, 51, F(APPEARED), vmsnap_vma(b, 1));
	expect_range(diff, 1, 55, 60, F(VANISHED), vmsnap_vma(a, 0));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void expect_kinds(const struct vmsnap_diff *diff, size_t index, uint32_t kinds, uint64_t from)
{
	struct vmsnap_diff_range range;
	assert_int_equal(vmsnap_diff_range(diff, index, &range), VMSNAP_OK);
	assert_int_equal(range.kinds, kinds);
	assert_int_equal(range.from / PAGE, from);
}

static void other_memory_in_place_of_a_mapping_is_new_and_what_was_there_is_gone(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_file(a, 10, 20, "rw-s", "/dev/shm/x", 7, 0);
	add_pages(a, 10, 10, CACHED(100));
	add_anon(b, 10, 20, "rw-p", "");
	add_pages(b, 12, 3, OWNED(500));
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_REPLACED), 1);
	assert_int_equal(vmsnap_diff_range_count(diff), 3);
	expect_range(diff, 0, 10, 12, F(VANISHED), vmsnap_vma(b, 0));
	expect_range(diff, 1, 12, 15, F(VANISHED) | F(APPEARED), vmsnap_vma(b, 0));
	expect_kinds(diff, 1, K(NEW) | K(GONE), 12);
	expect_range(diff, 2, 15, 20, F(VANISHED), vmsnap_vma(b, 0));
	assert_int_equal(vmsnap_diff_kind_pages(diff, VMSNAP_KIND_COPIED), 0);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void memory_moved_over_other_memory_keeps_its_pages_and_those_are_gone(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_anon(a, 10, 20, "rw-p", "");
	add_anon(a, 50, 60, "rw-p", "");
	add_pages(a, 10, 10, ANON(103));
	add_pages(a, 51, 2, OWNED(700));
	add_anon(b, 50, 60, "rw-p", "");
	add_pages(b, 50, 2, ANON(103));
	add_pages(b, 52, 1, OWNED(900)); /* written since, and so copied */
	add_pages(b, 53, 7, ANON(106));
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_range_count(diff), 2);
	expect_range(diff, 0, 51, 52, F(VANISHED), vmsnap_vma(b, 0));
	expect_kinds(diff, 0, K(GONE), 11);
	expect_range(diff, 1, 52, 53, F(VANISHED) | F(PFN_CHANGED) | F(BECAME_EXCLUSIVE), vmsnap_vma(b, 0));
	expect_kinds(diff, 1, K(GONE) | K(COPIED), 12);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* One page, asked for alone, is what the diff says of it. */
static void single_pages_are_judged_as_in_the_diff(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	struct vmsnap_page_diff page;
	add_anon(a, 10, 20, "rw-p", "");
	add_pages(a, 10, 10, OWNED(103));
	add_anon(b, 50, 60, "rw-p", "");
	add_pages(b, 50, 9, OWNED(103));
	add_pages(b, 59, 1, OWNED(900));
	assert_int_equal(vmsnap_page_compare(a, b, PAGE_AT(50) + 7, NULL, &page, NULL), VMSNAP_OK);
	assert_true(page.moved && !page.moved_away && !page.replaced);
	assert_int_equal(page.changes, 0);
	assert_int_equal(page.from, PAGE_AT(10));
	assert_int_equal(vmsnap_page_compare(a, b, PAGE_AT(11), NULL, &page, NULL), VMSNAP_OK);
	assert_true(page.moved_away && !page.moved);
	assert_int_equal(page.changes, 0);
	assert_int_equal(page.to, PAGE_AT(51));
	assert_int_equal(vmsnap_page_compare(a, b, PAGE_AT(59), NULL, &page, NULL), VMSNAP_OK);
	assert_int_equal(page.changes, F(PFN_CHANGED));
	assert_int_equal(vmsnap_page_compare(a, a, PAGE_AT(11), NULL, &page, NULL), VMSNAP_OK);
	assert_false(page.changes || page.moved || page.moved_away);
	assert_int_equal(vmsnap_page_compare(a, NULL, 0, NULL, &page, NULL), VMSNAP_ERR_ARGUMENT);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void a_page_as_it_is_now_is_judged_alone_unless_it_may_have_moved(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap();
	bool elsewhere = true;
	add_anon(a, 10, 20, "rw-p", "");
	add_pages(a, 10, 5, OWNED(103));
	struct vmsnap_run now = { .pfn = 103, .flags = VMSNAP_PAGE_PRESENT | VMSNAP_PAGE_EXCLUSIVE };
	const struct vmsnap_known *known = &a->info.known;
	assert_int_equal(vmsnap_page_changes(a, PAGE_AT(10), &now, known, &elsewhere), 0);
	assert_false(elsewhere);
	now.pfn = 999;
	assert_int_equal(vmsnap_page_changes(a, PAGE_AT(17), &now, known, &elsewhere), F(APPEARED));
	assert_false(elsewhere);
	now.pfn = 105;
	assert_int_equal(vmsnap_page_changes(a, PAGE_AT(17), &now, known, &elsewhere), F(APPEARED));
	assert_true(elsewhere);
	assert_int_equal(vmsnap_page_changes(a, PAGE_AT(10), NULL, known, &elsewhere), F(VANISHED));
	assert_true(elsewhere);
	vmsnap_unref(a);
}

static void frames_of_another_boot_do_not_differ(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_pages(a, 1, 1, ANON(5));
	add_pages(b, 1, 1, ANON(6));
	b->info.boot_id = "another-boot";
	struct vmsnap_diff *diff = compare(a, b);
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	b->info.boot_id = ""; /* not known: a process of any machine */
	diff = compare(a, b);
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	a->info.boot_id = "";
	diff = compare(a, b);
	expect_range(diff, 0, 1, 2, F(PFN_CHANGED), NULL); /* and no VMA there */
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* Without PFNs entries of different mappings are equal, and their runs go on from
 * one mapping into the next. */
static void equal_runs_are_not_passed_over_where_other_memory_was_mapped(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	a->info.known.pfn = b->info.known.pfn = false;
	add_anon(a, 1, 10, "rw-p", "");
	add_file(a, 10, 20, "rw-p", "/x", 5, 0);
	add_pages(a, 1, 9, OWNED(0));
	add_pages(a, 10, 10, OWNED(0));
	add_anon(b, 1, 20, "rw-p", "");
	add_file(b, 50, 60, "rw-p", "/x", 5, 0);
	add_pages(b, 1, 9, OWNED(0));
	add_pages(b, 10, 10, OWNED(0));
	add_pages(b, 50, 10, OWNED(0));
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_POSSIBLY_MOVED), 1);
	assert_int_equal(vmsnap_diff_range_count(diff), 2);
	expect_range(diff, 0, 10, 20, F(APPEARED) | F(VANISHED), vmsnap_vma(b, 0));
	expect_range(diff, 1, 50, 60, F(APPEARED), vmsnap_vma(b, 1));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void expect_facts(struct vmsnap *a, struct vmsnap *b, uint32_t changes)
{
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_range_count(diff), changes ? 1 : 0);
	if (changes)
		expect_range(diff, 0, 1, 2, changes, NULL);
	vmsnap_diff_free(diff);
}

static void what_one_side_does_not_know_is_no_fact(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	add_pages(a, 1, 1, ZEROPAGE);
	add_pages(b, 1, 1, OWNED(9) | ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY));
	uint32_t all = F(PFN_CHANGED) | F(BECAME_EXCLUSIVE) | F(ZERO_FILLED_IN) | F(SOFT_DIRTIED);
	expect_facts(a, b, all);
	for (int side = 0; side < 2; side++) {
		struct vmsnap_known *known = side ? &a->info.known : &b->info.known, everything = *known;
		known->pfn = false;
		expect_facts(a, b, all & ~F(PFN_CHANGED));
		*known = everything;
		known->exclusive = false;
		expect_facts(a, b, all & ~F(BECAME_EXCLUSIVE));
		*known = everything;
		known->zero = false;
		/* One that is exclusive is not the zero page at any rate. */
		expect_facts(a, b, side ? all & ~F(ZERO_FILLED_IN) : all);
		*known = everything;
		known->soft_dirty = false;
		expect_facts(a, b, all & ~F(SOFT_DIRTIED));
		*known = everything;
	}
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void pages_at_the_top_of_the_address_space_are_met(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	uint64_t top = UINT64_MAX / PAGE; /* the last page but not the last bytes of it */
	add_anon(b, top - 3, top, "--xp", "[vsyscall]");
	add_pages(b, top - 3, 3, ANON(5));
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_pages(diff, VMSNAP_CHANGE_APPEARED), 3);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void bad_arguments_are_refused(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	struct vmsnap_diff *diff = NULL;
	struct vmsnap_error err;
	b->info.page_size = 16384;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, &err), VMSNAP_ERR_ARGUMENT);
	assert_non_null(strstr(err.message, "16384"));
	assert_int_equal(vmsnap_diff_new(a, NULL, &diff, NULL), VMSNAP_ERR_ARGUMENT);
	assert_null(diff);
	vmsnap_diff_free(NULL);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_memory_in_place_of_a_mapping_is_new_and_what_was_there_is_gone),
		cmocka_unit_test(memory_moved_over_other_memory_keeps_its_pages_and_those_are_gone),
		cmocka_unit_test(single_pages_are_judged_as_in_the_diff),
		cmocka_unit_test(a_page_as_it_is_now_is_judged_alone_unless_it_may_have_moved),
		cmocka_unit_test(ranges_join_runs_and_break_at_mappings),
		cmocka_unit_test(written_text_is_counted_as_executable),
		cmocka_unit_test(code_that_was_the_process_own_already_and_was_written_to_is_told),
		cmocka_unit_test(pages_of_a_moved_mapping_are_compared_through_the_move),
		cmocka_unit_test(move_downwards_leaves_nothing_vanished_at_the_old_place),
		cmocka_unit_test(frames_of_another_boot_do_not_differ),
		cmocka_unit_test(equal_runs_are_not_passed_over_where_other_memory_was_mapped),
		cmocka_unit_test(what_one_side_does_not_know_is_no_fact),
		cmocka_unit_test(pages_at_the_top_of_the_address_space_are_met),
		cmocka_unit_test(bad_arguments_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
