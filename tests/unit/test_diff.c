/* test_diff.c - facts about pages, their ranges, and status fields. */
#include "test_diff_fixture.h"

#include "facts.h"

#define F(change) (1u << VMSNAP_CHANGE_##change)

/* ---- facts, one row of docs/verdicts.md each ------------------------------ */

static const struct facts_context all_known = { .frames = true, .exclusive = true, .zero = true, .soft_dirty = true };
static const struct facts_context in_file = { .frames = true, .exclusive = true, .zero = true, .same_file = true };
static const struct facts_context in_text = {
	.frames = true, .exclusive = true, .zero = true, .same_file = true, .private_text = true
};
static const struct facts_context nothing_known = { .frames = false };

static void page_there_only_in_b_appeared(void **state)
{
	(void)state;
	assert_int_equal(page_facts(0, ANON(5), &all_known), F(APPEARED));
	assert_int_equal(page_facts(0, SLOT(5), &all_known), F(APPEARED));
}

static void page_there_only_in_a_vanished(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), 0, &all_known), F(VANISHED));
	assert_int_equal(page_facts(SLOT(5), 0, &all_known), F(VANISHED));
}

static void another_frame_is_pfn_changed(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), ANON(6), &all_known), F(PFN_CHANGED));
	assert_int_equal(page_facts(ANON(5), ANON(5), &all_known), 0);
	assert_int_equal(page_facts(ANON(5), ANON(6), &nothing_known), 0);
	assert_int_equal(page_facts(ANON(5), ANON(0), &all_known), 0); /* hidden by the kernel */
}

static void exclusive_bit_that_changed_is_a_fact_if_known(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), OWNED(5), &all_known), F(BECAME_EXCLUSIVE));
	assert_int_equal(page_facts(OWNED(5), ANON(5), &all_known), F(BECAME_SHARED));
	assert_int_equal(page_facts(OWNED(5), ANON(5), &nothing_known), 0);
	assert_int_equal(page_facts(OWNED(5), SLOT(5), &all_known), F(SWAPPED_OUT));
}

static void swap_facts(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ANON(5), SLOT(6), &all_known), F(SWAPPED_OUT));
	assert_int_equal(page_facts(SLOT(5), ANON(6), &all_known), F(SWAPPED_IN));
	assert_int_equal(page_facts(SLOT(5), SLOT(6), &all_known), F(SWAP_MOVED));
	assert_int_equal(page_facts(SLOT(5), SLOT(5), &all_known), 0);
	assert_int_equal(page_facts(SLOT(5), SLOT(6), &nothing_known), 0);
}

static void written_zero_page_is_filled_in_and_has_another_pfn(void **state)
{
	(void)state;
	assert_int_equal(page_facts(ZEROPAGE, OWNED(6), &all_known),
	                 F(ZERO_FILLED_IN) | F(PFN_CHANGED) | F(BECAME_EXCLUSIVE));
	assert_int_equal(page_facts(ZEROPAGE, ZEROPAGE, &all_known), 0);
	assert_int_equal(page_facts(ZEROPAGE, ANON(6), &nothing_known), 0);
}

static void private_copy_of_a_file_page_is_privatised(void **state)
{
	(void)state;
	assert_int_equal(page_facts(CACHED(5), ANON(6), &in_file), F(PRIVATISED) | F(PFN_CHANGED));
	assert_int_equal(page_facts(CACHED(5), SLOT(6), &in_file), F(PRIVATISED) | F(SWAPPED_OUT));
	assert_int_equal(page_facts(CACHED(5), CACHED(6), &in_file), F(PFN_CHANGED)); /* file written over */
	assert_int_equal(page_facts(0, ANON(6), &in_file), F(APPEARED));
	assert_int_equal(page_facts(CACHED(5), ANON(6), &all_known), F(PFN_CHANGED)); /* no file mapping */
}

static void text_that_is_private_when_first_seen_is_privatised(void **state)
{
	(void)state;
	assert_int_equal(page_facts(0, ANON(6), &in_text), F(PRIVATISED) | F(APPEARED));
	assert_int_equal(page_facts(0, CACHED(6), &in_text), F(APPEARED));
	assert_int_equal(page_facts(ANON(6), ANON(6), &in_text), 0);
}

static void soft_dirty_bit_that_came_is_soft_dirtied_if_known(void **state)
{
	(void)state;
	uint64_t dirty = ENTRY_FLAG(VMSNAP_PAGE_SOFT_DIRTY);
	assert_int_equal(page_facts(ANON(5), ANON(5) | dirty, &all_known), F(SOFT_DIRTIED));
	assert_int_equal(page_facts(ANON(5) | dirty, ANON(5) | dirty, &all_known), 0);
	assert_int_equal(page_facts(ANON(5), dirty, &all_known), F(VANISHED));
	assert_int_equal(page_facts(ANON(5), ANON(5) | dirty, &nothing_known), 0);
}

static void guards_come_and_go(void **state)
{
	(void)state;
	assert_int_equal(page_facts(0, GUARD_ENTRY, &all_known), F(GUARDED));
	assert_int_equal(page_facts(ANON(5), GUARD_ENTRY, &all_known), F(GUARDED) | F(VANISHED));
	assert_int_equal(page_facts(GUARD_ENTRY, ANON(5), &all_known), F(UNGUARDED) | F(APPEARED));
	assert_int_equal(page_facts(GUARD_ENTRY, 0, &all_known), F(UNGUARDED));
}

static void write_protection_comes_and_is_lifted(void **state)
{
	(void)state;
	uint64_t wp = ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP);
	assert_int_equal(page_facts(ANON(5), ANON(5) | wp, &all_known), F(WRITE_PROTECTED));
	assert_int_equal(page_facts(ANON(5) | wp, ANON(5), &all_known), F(WRITE_UNPROTECTED));
	assert_int_equal(page_facts(wp, 0, &all_known), F(WRITE_UNPROTECTED));
	assert_int_equal(page_facts(ANON(5) | wp, 0, &all_known), F(VANISHED));
	assert_int_equal(page_facts(ANON(5) | wp, wp, &all_known), F(VANISHED));
}

static void huge_pages_are_split_and_collapsed_if_known(void **state)
{
	(void)state;
	uint64_t huge = ENTRY_FLAG(VMSNAP_PAGE_HUGE);
	struct facts_context known = all_known;
	assert_int_equal(page_facts(ANON(5) | huge, ANON(5), &known), 0);
	known.huge = true;
	assert_int_equal(page_facts(ANON(5) | huge, ANON(5), &known), F(HUGE_SPLIT));
	assert_int_equal(page_facts(ANON(5), ANON(9) | huge, &known), F(HUGE_COLLAPSED) | F(PFN_CHANGED));
	assert_int_equal(page_facts(ANON(5) | huge, 0, &known), F(VANISHED));
}

#define K(kind) (1u << VMSNAP_KIND_##kind)

static void page_of_what_is_mapped_still_is_not_mapped_now(void **state)
{
	(void)state;
	struct facts_context c = { .backed = true };
	uint64_t page = ANON(5) | ENTRY_FLAG(VMSNAP_PAGE_FILE);
	assert_int_equal(page_facts(page, 0, &c), F(NOT_MAPPED_NOW));
	assert_int_equal(page_kinds(F(NOT_MAPPED_NOW), page, 0, &c), K(OTHER));
	/* A private copy is gone. */
	assert_int_equal(page_facts(ANON(5), 0, &c), F(VANISHED));
	assert_int_equal(page_facts(SLOT(5), 0, &c), F(VANISHED));
	c.backed = false;
	assert_int_equal(page_facts(page, 0, &c), F(VANISHED));
	assert_string_equal(vmsnap_page_change_name(VMSNAP_CHANGE_NOT_MAPPED_NOW), "not_mapped_now");
}

static void kinds_say_what_facts_come_to(void **state)
{
	(void)state;
	struct facts_context c = all_known;
	c.exclusive_a = true;
	assert_int_equal(page_kinds(F(APPEARED), 0, ANON(5), &c), K(NEW));
	assert_int_equal(page_kinds(F(ZERO_FILLED_IN) | F(PFN_CHANGED), ZEROPAGE, OWNED(5), &c), K(NEW));
	assert_int_equal(page_kinds(F(VANISHED), ANON(5), 0, &c), K(GONE));
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(5), OWNED(6), &c), K(COPIED));
	assert_int_equal(page_kinds(F(PFN_CHANGED), OWNED(5), OWNED(6), &c), K(OTHER)); /* no write does that */
	assert_int_equal(page_kinds(F(PFN_CHANGED) | F(PRIVATISED), CACHED(5), OWNED(6), &c), K(COPIED));
	assert_int_equal(page_kinds(F(PFN_CHANGED), CACHED(5), CACHED(6), &c), K(OTHER)); /* read anew */
	assert_int_equal(page_kinds(F(SWAPPED_OUT), ANON(5), SLOT(6), &c), K(OTHER));
	c.doubtful = true;
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(5), OWNED(6), &c), K(OTHER));
	c.doubtful = false;
	c.shared_mapping = true;
	assert_int_equal(page_kinds(F(PFN_CHANGED), ANON(5), OWNED(6), &c), K(OTHER));
}

/* ---- ranges ---------------------------------------------------------------- */

static struct vmsnap_diff *compare(const struct vmsnap *a, const struct vmsnap *b)
{
	struct vmsnap_diff *diff = NULL;
	assert_int_equal(vmsnap_diff_new(a, b, &diff, NULL), VMSNAP_OK);
	return diff;
}

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
		expect_facts(a, b, all & ~F(ZERO_FILLED_IN));
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

/* ---- against a comparison page by page -------------------------------------- */

enum { SPACE = 12000 };

/* Files lie at their own offset, so that nothing seems to have moved. */
static void random_vmas(struct vmsnap *snap, uint64_t *random)
{
	static const char *const perms[] = { "rw-p", "r-xp", "r--p" };
	for (uint64_t at = random_below(random, 20); at < SPACE;) {
		uint64_t end = at + 1 + random_below(random, 60);
		uint64_t what = random_below(random, 3);
		if (what)
			add_file(snap, at, end, perms[random_below(random, 3)], "/x", 4 + what, at);
		else
			add_anon(snap, at, end, perms[random_below(random, 3)], "");
		at = end + (random_below(random, 2) ? 0 : random_below(random, 20));
	}
}

static uint64_t random_entry(uint64_t *random)
{
	static const uint32_t flags[] = { 0, VMSNAP_PAGE_EXCLUSIVE, VMSNAP_PAGE_SOFT_DIRTY, VMSNAP_PAGE_FILE };
	uint64_t frame = random_below(random, 20) ? random_below(random, 1u << 30) : 0;
	switch (random_below(random, 8)) {
	case 0:
		return ZEROPAGE;
	case 1:
		return SLOT(frame);
	case 2:
		return GUARD_ENTRY;
	case 3:
		return ENTRY_FLAG(VMSNAP_PAGE_UFFD_WP);
	default:
		return ENTRY_PRESENT | ENTRY_FLAG(flags[random_below(random, 4)]) | frame;
	}
}

/* Entries of all pages; those of B mostly as in A. */
static uint64_t *random_entries(uint64_t *random, const uint64_t *like)
{
	uint64_t *entries = calloc(SPACE + 1, sizeof(*entries));
	assert_non_null(entries);
	for (uint64_t at = 0; at < SPACE;) {
		uint64_t pages = 1 + random_below(random, random_below(random, 3) ? 6 : 200);
		bool copy = like && random_below(random, 3), absent = !random_below(random, 4);
		uint64_t entry = absent ? 0 : random_entry(random);
		for (; pages && at < SPACE; pages--, at++, entry += entry_step(entry))
			entries[at] = copy ? like[at] : entry;
	}
	return entries;
}

static struct vmsnap *snap_of(const uint64_t *entries, uint64_t *random)
{
	struct vmsnap *snap = make_snap();
	random_vmas(snap, random);
	for (uint64_t at = 0; at < SPACE; at++)
		if (entries[at])
			add_pages(snap, at, 1, entries[at]);
	return snap;
}

static bool naive_exclusive_known(uint64_t entry)
{
	uint32_t flags = entry_flags(entry);
	bool huge = (flags & VMSNAP_PAGE_HUGE) && !(flags & VMSNAP_PAGE_ZERO);
	return !huge && ((entry & ENTRY_FRAME_MASK) || (flags & VMSNAP_PAGE_EXCLUSIVE));
}

/* Written from docs/verdicts.md, for one page. */
static uint32_t naive_facts_of_one_mapping(uint64_t a, uint64_t b, const struct vmsnap_vma *in_a,
                                           const struct vmsnap_vma *in_b)
{
	const uint64_t frame = ENTRY_FRAME_MASK;
	uint32_t fa = entry_flags(a), fb = entry_flags(b), out = 0;
	bool pa = fa & VMSNAP_PAGE_PRESENT, pb = fb & VMSNAP_PAGE_PRESENT;
	bool sa = fa & VMSNAP_PAGE_SWAPPED, sb = fb & VMSNAP_PAGE_SWAPPED;
	bool differ = (a & frame) && (b & frame) && (a & frame) != (b & frame);
	out |= !pa && !sa && (pb || sb) ? F(APPEARED) : 0;
	bool kept = in_a && in_b && in_b->inode && in_a->inode == in_b->inode && (fa & VMSNAP_PAGE_FILE);
	out |= !pb && !sb && (pa || sa) ? kept ? F(NOT_MAPPED_NOW) : F(VANISHED) : 0;
	out |= pa && pb && differ ? F(PFN_CHANGED) : 0;
	out |= sa && sb && differ ? F(SWAP_MOVED) : 0;
	out |= pa && sb ? F(SWAPPED_OUT) : 0;
	out |= sa && pb ? F(SWAPPED_IN) : 0;
	if (pa && pb && ((fa ^ fb) & VMSNAP_PAGE_EXCLUSIVE) && naive_exclusive_known(a) && naive_exclusive_known(b))
		out |= fb & VMSNAP_PAGE_EXCLUSIVE ? F(BECAME_EXCLUSIVE) : F(BECAME_SHARED);
	if (pa && pb && (fa & ~fb & VMSNAP_PAGE_ZERO))
		out |= F(ZERO_FILLED_IN);
	if ((pb || sb) && (fb & ~fa & VMSNAP_PAGE_SOFT_DIRTY))
		out |= F(SOFT_DIRTIED);
	if ((fa ^ fb) & VMSNAP_PAGE_GUARD)
		out |= fb & VMSNAP_PAGE_GUARD ? F(GUARDED) : F(UNGUARDED);
	bool wa = fa & VMSNAP_PAGE_UFFD_WP, wb = fb & VMSNAP_PAGE_UFFD_WP;
	out |= !wa && wb ? F(WRITE_PROTECTED) : 0;
	out |= wa && !wb && (pb || sb || !(pa || sa)) ? F(WRITE_UNPROTECTED) : 0;
	if (in_b && in_b->inode && (pb || sb) && !(fb & VMSNAP_PAGE_FILE)) {
		bool executable = (in_b->perms | (in_a ? in_a->perms : 0)) & VMSNAP_PERM_EXEC;
		bool same = in_a && in_a->inode == in_b->inode;
		if (same && (pa || sa) && (fa & VMSNAP_PAGE_FILE))
			out |= F(PRIVATISED);
		if (executable && !pa && !sa)
			out |= F(PRIVATISED);
	}
	return out;
}

/* Other memory in its place: A's page is gone, B's is new. */
static uint32_t naive_facts(uint64_t a, uint64_t b, const struct vmsnap_vma *in_a, const struct vmsnap_vma *in_b)
{
	if (!in_a || !in_b || in_a->inode == in_b->inode)
		return naive_facts_of_one_mapping(a, b, in_a, in_b);
	uint32_t gone = naive_facts_of_one_mapping(a, 0, in_a, NULL) & (F(VANISHED) | F(UNGUARDED));
	if (entry_flags(b) & VMSNAP_PAGE_GUARD)
		gone &= ~F(UNGUARDED);
	return gone | naive_facts_of_one_mapping(0, b, in_a, in_b);
}

static void check_against_naive(const struct vmsnap *a, const struct vmsnap *b, const uint64_t *entries_a,
                                const uint64_t *entries_b)
{
	struct vmsnap_diff *diff = compare(a, b);
	struct {
		uint64_t pages[VMSNAP_CHANGE_COUNT], touched_pages[VMSNAP_CHANGE_COUNT];
		uint64_t touched, privatised_executable, resident_a, resident_b;
	} totals = { 0 };
	struct vmsnap_diff_range range = { 0 }, last = { 0 };
	size_t index = 0;
	bool more = vmsnap_diff_range(diff, index, &range) == VMSNAP_OK;
	assert_int_equal(vmsnap_diff_vma_rows(diff, VMSNAP_VMA_CHANGE_MOVED), 0);
	for (uint64_t page = 0; page <= SPACE; page++) { /* the last one is absent */
		uint64_t at = PAGE_AT(page);
		if (more && range.end <= at) {
			last = range;
			more = vmsnap_diff_range(diff, ++index, &range) == VMSNAP_OK;
			/* What could be one range is one. */
			if (more && last.end == range.start)
				assert_true(last.changes != range.changes || last.vma != range.vma ||
				            last.executable != range.executable || last.touched != range.touched ||
				            last.before != range.before || last.after != range.after ||
				            last.kinds != range.kinds);
		}
		const struct vmsnap_vma *in_a = vmsnap_vma_at(a, at), *in_b = vmsnap_vma_at(b, at);
		uint32_t expected = naive_facts(entries_a[page], entries_b[page], in_a, in_b);
		assert_int_equal(more && range.start <= at ? range.changes : 0, expected);
		for (int change = 0; change < VMSNAP_CHANGE_COUNT; change++)
			totals.pages[change] += expected >> change & 1;
		totals.resident_a += entries_a[page] >> 63;
		totals.resident_b += entries_b[page] >> 63;
		if (!expected)
			continue;
		assert_ptr_equal(range.vma, in_b ? in_b : in_a);
		bool executable = ((in_a ? in_a->perms : 0) | (in_b ? in_b->perms : 0)) & VMSNAP_PERM_EXEC;
		assert_int_equal(range.executable, executable);
		bool touched = holds_touched(a, at) || holds_touched(b, at);
		assert_int_equal(range.touched, touched);
		totals.touched += touched;
		for (int change = 0; touched && change < VMSNAP_CHANGE_COUNT; change++)
			totals.touched_pages[change] += expected >> change & 1;
		totals.privatised_executable += executable && (expected & F(PRIVATISED));
	}
	assert_false(more);
	for (int change = 0; change < VMSNAP_CHANGE_COUNT; change++) {
		assert_int_equal(vmsnap_diff_pages(diff, change), totals.pages[change]);
		assert_int_equal(vmsnap_diff_touched_pages(diff, change), totals.touched_pages[change]);
	}
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_TOUCHED), totals.touched);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_PRIVATISED_EXECUTABLE), totals.privatised_executable);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_A), totals.resident_a);
	assert_int_equal(vmsnap_diff_total(diff, VMSNAP_TOTAL_RESIDENT_B), totals.resident_b);
	vmsnap_diff_free(diff);
}

static void facts_agree_with_a_comparison_page_by_page(void **state)
{
	(void)state;
	uint64_t random = 4711;
	for (int round = 0; round < 8; round++) {
		uint64_t *entries_a = random_entries(&random, NULL), *entries_b = random_entries(&random, entries_a);
		uint64_t maps = random, same_maps = round % 2 ? maps : random + 99;
		struct vmsnap *a = snap_of(entries_a, &maps), *b = snap_of(entries_b, &same_maps);
		check_against_naive(a, b, entries_a, entries_b);
		add_random_touched(a, SPACE, &random);
		check_against_naive(a, b, entries_a, entries_b);
		if (round % 2)
			add_random_touched(b, SPACE, &random);
		check_against_naive(a, b, entries_a, entries_b);
		check_against_naive(b, a, entries_b, entries_a);
		vmsnap_unref(a);
		vmsnap_unref(b);
		free(entries_a);
		free(entries_b);
	}
}

/* ---- status ------------------------------------------------------------------ */

static void set_status(struct vmsnap *snap, const char *text)
{
	snap->status = text;
	snap->status_len = strlen(text);
}

static void expect_status(const struct vmsnap_diff *diff, size_t index, const char *key, const char *a, const char *b)
{
	struct vmsnap_diff_status row;
	assert_int_equal(vmsnap_diff_status(diff, index, &row), VMSNAP_OK);
	assert_int_equal(row.a.key_len, a ? strlen(key) : 0);
	assert_int_equal(row.b.key_len, b ? strlen(key) : 0);
	if (a) {
		assert_memory_equal(row.a.key, key, strlen(key));
		assert_int_equal(row.a.text_len, strlen(a));
		assert_memory_equal(row.a.text, a, strlen(a));
	}
	if (b) {
		assert_memory_equal(row.b.key, key, strlen(key));
		assert_int_equal(row.b.text_len, strlen(b));
		assert_memory_equal(row.b.text, b, strlen(b));
	}
}

static void context_switches_alone_are_no_difference(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "voluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t0\n");
	set_status(b, "voluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t1\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_status_count(diff), 2);
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

/* All processes of the user have a share in it. */
static void queued_signals_are_no_difference(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "SigQ:\t0/31190\nSigQx:\t1\n");
	set_status(b, "SigQ:\t7/31190\nSigQx:\t1\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_status_count(diff), 0);
	assert_false(vmsnap_diff_any(diff));
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void status_lines_that_differ_come_in_the_order_of_a(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "Name:\tx\nVmRSS:\t     100 kB\nThreads:\t1\nOld:\t5\nctxt:\t3\n");
	set_status(b, "Name:\tx\nThreads:\t2\nNew:\t\nVmRSS:\t     104 kB\nctxt:\t3\nNewer:\t8\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_true(vmsnap_diff_any(diff));
	assert_int_equal(vmsnap_diff_status_count(diff), 5);
	expect_status(diff, 0, "VmRSS", "100 kB", "104 kB");
	expect_status(diff, 1, "Threads", "1", "2");
	expect_status(diff, 2, "Old", "5", NULL);
	expect_status(diff, 3, "New", NULL, "");
	expect_status(diff, 4, "Newer", NULL, "8");
	struct vmsnap_diff_status row;
	assert_int_equal(vmsnap_diff_status(diff, 0, &row), VMSNAP_OK);
	assert_int_equal(row.b.number, 104 * 1024);
	assert_int_equal(vmsnap_diff_status(diff, 5, &row), VMSNAP_ERR_NOT_FOUND);
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void keys_that_come_twice_are_paired_in_order(void **state)
{
	(void)state;
	struct vmsnap *a = make_snap(), *b = make_snap();
	set_status(a, "K:\t1\nK:\t2\n");
	set_status(b, "K:\t1\nK:\t3\nK:\t4\n");
	struct vmsnap_diff *diff = compare(a, b);
	assert_int_equal(vmsnap_diff_status_count(diff), 2);
	expect_status(diff, 0, "K", "2", "3");
	expect_status(diff, 1, "K", NULL, "4");
	vmsnap_diff_free(diff);
	vmsnap_unref(a);
	vmsnap_unref(b);
}

static void every_change_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(vmsnap_page_change_name(VMSNAP_CHANGE_PFN_CHANGED), "pfn_changed");
	assert_string_equal(vmsnap_page_change_name(VMSNAP_CHANGE_COUNT), "?");
	assert_string_equal(vmsnap_vma_change_name(VMSNAP_VMA_CHANGE_PROTECTION_CHANGED), "protection_changed");
	assert_string_equal(vmsnap_vma_change_name(-1), "?");
	for (int i = 0; i < VMSNAP_CHANGE_COUNT; i++)
		assert_string_not_equal(vmsnap_page_change_name(i), "?");
	for (int i = 0; i < VMSNAP_VMA_CHANGE_COUNT; i++)
		assert_string_not_equal(vmsnap_vma_change_name(i), "?");
	for (int i = 0; i < VMSNAP_KIND_COUNT; i++)
		assert_string_not_equal(vmsnap_page_kind_name(i), "?");
	assert_string_equal(vmsnap_page_kind_name(-1), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_there_only_in_b_appeared),
		cmocka_unit_test(page_there_only_in_a_vanished),
		cmocka_unit_test(page_of_what_is_mapped_still_is_not_mapped_now),
		cmocka_unit_test(another_frame_is_pfn_changed),
		cmocka_unit_test(exclusive_bit_that_changed_is_a_fact_if_known),
		cmocka_unit_test(swap_facts),
		cmocka_unit_test(written_zero_page_is_filled_in_and_has_another_pfn),
		cmocka_unit_test(private_copy_of_a_file_page_is_privatised),
		cmocka_unit_test(text_that_is_private_when_first_seen_is_privatised),
		cmocka_unit_test(soft_dirty_bit_that_came_is_soft_dirtied_if_known),
		cmocka_unit_test(guards_come_and_go),
		cmocka_unit_test(write_protection_comes_and_is_lifted),
		cmocka_unit_test(huge_pages_are_split_and_collapsed_if_known),
		cmocka_unit_test(kinds_say_what_facts_come_to),
		cmocka_unit_test(other_memory_in_place_of_a_mapping_is_new_and_what_was_there_is_gone),
		cmocka_unit_test(memory_moved_over_other_memory_keeps_its_pages_and_those_are_gone),
		cmocka_unit_test(single_pages_are_judged_as_in_the_diff),
		cmocka_unit_test(a_page_as_it_is_now_is_judged_alone_unless_it_may_have_moved),
		cmocka_unit_test(ranges_join_runs_and_break_at_mappings),
		cmocka_unit_test(written_text_is_counted_as_executable),
		cmocka_unit_test(pages_of_a_moved_mapping_are_compared_through_the_move),
		cmocka_unit_test(move_downwards_leaves_nothing_vanished_at_the_old_place),
		cmocka_unit_test(frames_of_another_boot_do_not_differ),
		cmocka_unit_test(equal_runs_are_not_passed_over_where_other_memory_was_mapped),
		cmocka_unit_test(what_one_side_does_not_know_is_no_fact),
		cmocka_unit_test(pages_at_the_top_of_the_address_space_are_met),
		cmocka_unit_test(bad_arguments_are_refused),
		cmocka_unit_test(facts_agree_with_a_comparison_page_by_page),
		cmocka_unit_test(status_lines_that_differ_come_in_the_order_of_a),
		cmocka_unit_test(context_switches_alone_are_no_difference),
		cmocka_unit_test(queued_signals_are_no_difference),
		cmocka_unit_test(keys_that_come_twice_are_paired_in_order),
		cmocka_unit_test(every_change_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
